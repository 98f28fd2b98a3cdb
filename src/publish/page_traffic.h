/* SPDX-License-Identifier: Apache-2.0 */
/* page_traffic: what an incident's page says of its traffic and requests: charts by vector, the
 * vectors, what the source addresses prove, and only then where they are. */
#ifndef WD_PUBLISH_PAGE_TRAFFIC_H
#define WD_PUBLISH_PAGE_TRAFFIC_H

#include "model/trace.h"
#include "publish/chart.h"
#include "publish/render.h"

/* The trace of the incident; NULL if none is known. Freed by page_trace_close. */
struct page_trace { const struct trace *trace; struct trace *owned; };
struct page_trace page_trace_open(const struct render *r, const struct incident *i);
void page_trace_close(struct page_trace *t);

/* The time that the charts of an incident share. */
struct chart_span page_trace_span(const struct trace *t);
/* One chart, of what the query's "show" says, with links to the others. `window`: the time that
 * it shows, end 0 = its own. */
void page_traffic_chart(const struct render *r, const struct trace *t, struct chart_span window);

/* True if "show" may have this value. */
bool page_shows(const char *show);

/* On the service's page: what it receives now; nothing if its traffic is not watched and none
 * is to be expected. */
void page_traffic_now(const struct render *r);
/* In an incident's card on the page Now: a chart and numbers; false: nothing to show. */
bool page_traffic_card(const struct render *r, const struct service_state *s, const char *id,
		       bool charted);

void page_traffic_lead(const struct render *r, const struct trace *t);
void page_traffic_vectors(const struct render *r, const struct trace *t);
void page_requests_findings(const struct render *r);
void page_traffic_sources(const struct render *r, const struct trace *t);
void page_traffic_records(const struct render *r, const struct trace *t);

/* incident_evidence.c: what is proved and what is not, in sentences; and the list of evidence.
 * t may be NULL. */
void page_incident_proof(const struct render *r, const struct trace *t);
void page_incident_evidence(const struct render *r, const struct trace *t);
/* incident_timeline.c: the moments of the incident, in their order. */
void page_incident_timeline(const struct render *r, const struct trace *t);

#endif
