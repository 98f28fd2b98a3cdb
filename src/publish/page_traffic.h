/* SPDX-License-Identifier: Apache-2.0 */
/* page_traffic: what an incident's page says of its traffic: charts by vector, the vectors,
 * what the source addresses prove, and only then where they are. */
#ifndef WD_PUBLISH_PAGE_TRAFFIC_H
#define WD_PUBLISH_PAGE_TRAFFIC_H

#include "model/trace.h"
#include "publish/render.h"

/* The trace of the incident; NULL if none is known. Freed by page_trace_close. */
struct page_trace { const struct trace *trace; struct trace *owned; };
struct page_trace page_trace_open(const struct render *r, const struct incident *i);
void page_trace_close(struct page_trace *t);

/* On the service's page: what it receives now; nothing if its traffic is not watched. */
void page_traffic_now(const struct render *r);

void page_traffic_lead(const struct render *r, const struct trace *t);
void page_traffic_charts(const struct render *r, const struct trace *t);
void page_traffic_vectors(const struct render *r, const struct trace *t);
void page_traffic_sources(const struct render *r, const struct trace *t);
void page_traffic_evidence(const struct render *r, const struct trace *t);

#endif
