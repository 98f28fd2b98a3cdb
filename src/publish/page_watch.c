/* SPDX-License-Identifier: Apache-2.0 */
/* What a service receives now, where its traffic is watched: numbers and charts, or why there
 * are none yet. */
#include "publish/page_traffic.h"

#include "publish/chart.h"
#include "publish/html.h"
#include "publish/words_traffic.h"

#include <string.h>

enum { STALE_S = 60 };

static bool is_stale(const struct render *r, wd_wall at)
{
	return wall_sub(r->snapshot->now, at).ns > STALE_S * WD_NS_PER_S;
}

static void number(const struct render *r, const char *name, double now, double usual,
		   const char *unit)
{
	buf_fmt(r->out, "<div><dt>%s</dt><dd>", name);
	words_rate(r->out, now, unit);
	if (usual > 0) {
		buf_str(r->out, " <small>usual ");
		words_rate(r->out, usual, unit);
		buf_str(r->out, "</small>");
	}
	buf_str(r->out, "</dd></div>");
}

static void named(const struct render *r, const char *name, const struct part *p)
{
	struct words w = html_words(r);
	if (p->id[0] == '\0')
		return;
	buf_fmt(r->out, "<div><dt>%s</dt><dd>", name);
	words_vector(&w, r->snapshot, p->id);
	buf_fmt(r->out, " <small>%.0f %%</small></dd></div>", (double)p->share * 100);
}

/* The vectors that the incident's trace found; before there is one, the class that stands out. */
static void flooded_by(const struct render *r, const struct part *top)
{
	const struct snapshot *s = r->snapshot;
	const struct incident *i = r->service->incident < s->incident_count
					   ? &s->incidents[r->service->incident] : NULL;
	struct words w = html_words(r);

	if (i == NULL || !(i->kinds & INCIDENT_TRAFFIC) || i->traffic.vector_count == 0 ||
	    i->traffic.ended_at.ns != 0) {
		named(r, "Flooded by", top);
		return;
	}
	buf_str(r->out, "<div><dt>Flooded by</dt><dd>");
	words_parts(&w, s, i->traffic.vectors, i->traffic.vector_count);
	buf_str(r->out, "</dd></div>");
}

/* From the first point that was seen to the last: of a service that is watched for minutes a
 * day's chart would be empty but for its end. */
static struct series seen_part(const struct series *s)
{
	size_t first = 0, end = s->count;
	while (first < end && s->points[first].observed < 0)
		first++;
	while (end > first && s->points[end - 1].observed < 0)
		end--;
	struct series part = *s;
	part.begin = wall_add(s->begin, (wd_span){s->step.ns * (int64_t)first});
	part.points += first;
	part.count = end - first;
	return part;
}

static bool any_of(const struct series *s)
{
	size_t seen = 0;
	for (size_t n = 0; n < s->count; n++)
		seen += s->points[n].observed > 0;
	return seen > 1;
}

static bool chart(const struct render *r, const struct service_state *state,
		  const struct series *all, const char *id, const char *title, const char *unit)
{
	if (!any_of(all))
		return false;
	struct series s = seen_part(all);
	struct chart c = {.series = &s, .id = id, .title = title, .unit = unit, .height = 150,
			  .description = "What was received, against what is usual."};
	chart_shade_incidents(&c, r->snapshot, state->service->id);
	chart_svg(r->out, &c);
	return true;
}

static void figure(const struct render *r, const struct series *all, const char *id,
		   const char *title, const char *unit)
{
	if (!any_of(all))
		return;
	buf_fmt(r->out,
		"<figure><figcaption><h3>%s <small class=\"zone\">UTC</small></h3></figcaption>",
		title);
	chart(r, r->service, all, id, title, unit);
	buf_str(r->out, "</figure>\n");
}

/* ---- why there is little to see ---- */

static void nothing_yet(const struct render *r)
{
	const struct service *s = r->service->service;
	bool flows = s->address_count > 0 && r->site->collects_flows;
	bool requests = s->hosts.count > 0 && r->site->collects_logs;

	if (!flows && !requests)
		return;
	buf_str(r->out, "<section aria-labelledby=\"traffic\"><h2 id=\"traffic\">Traffic</h2><p "
			"class=\"empty\">Telemetry is on, and nothing has arrived for this service "
			"yet: no ");
	buf_str(r->out, flows && requests ? "flow record, packet or line of an access log"
			: flows		  ? "flow record or packet"
					  : "line of an access log");
	buf_str(r->out, ".</p></section>\n");
}

static void learning(const struct render *r, const struct traffic_state *t)
{
	bool flows = t->flows_at.ns != 0 && t->cold;
	bool requests = t->requests_at.ns != 0 && t->requests_cold;

	if (!flows && !requests)
		return;
	buf_str(r->out, "<p class=\"note\">Still learning what is usual: ");
	words_seconds(r->out, flows ? t->learned : t->requests_learned);
	buf_str(r->out, flows ? " of the 10 min that it takes at least. " : " of 2 min. ");
	buf_str(r->out, "Until then only what a fixed rule calls a flood opens an incident.</p>");
}

static void stale(const struct render *r, const char *what, wd_wall at)
{
	struct words w = html_words(r);
	if (at.ns == 0 || !is_stale(r, at))
		return;
	buf_fmt(r->out, "<p class=\"note\">No %s came in since ", what);
	words_second(&w, at);
	buf_str(r->out, ".</p>");
}

/* Who told of its traffic is silent, or some of them are. */
static void silent(const struct render *r, const struct traffic_state *t)
{
	struct words w = html_words(r);
	if (t->silent_since.ns == 0) {
		stale(r, "flow record", t->flows_at);
		return;
	}
	buf_str(r->out, "<p class=\"note\">");
	words_missing(&w, t->silent_since, t->silent_partly);
	buf_str(r->out, t->silent_partly ? ": there may be more than is seen here."
					 : ": what it receives is not known.");
	buf_str(r->out, " What is usual stays as it was.</p>");
}

/* ---- the service's page ---- */

static void numbers(const struct render *r, const struct traffic_state *t)
{
	if (t->flows_at.ns != 0 && !is_stale(r, t->flows_at)) {
		number(r, "Packets", (double)t->packets_per_s,
		       t->cold ? 0 : (double)t->usual_packets_per_s, "packets/s");
		number(r, "Bits", (double)t->bits_per_s,
		       t->cold ? 0 : (double)t->usual_bits_per_s, "bit/s");
		number(r, "Flow records", (double)t->records_per_s, 0, "records/s");
		flooded_by(r, &t->top);
	}
	if (t->requests_at.ns != 0 && !is_stale(r, t->requests_at)) {
		number(r, "Requests", (double)t->requests_per_s,
		       t->requests_cold ? 0 : (double)t->usual_requests_per_s, "requests/s");
		named(r, "Requests look like", &t->finding);
	}
}

void page_traffic_now(const struct render *r)
{
	const struct traffic_state *t = r->service->traffic;
	if (t == NULL || (t->flows_at.ns == 0 && t->requests_at.ns == 0)) {
		nothing_yet(r);
		return;
	}
	buf_str(r->out, "<section aria-labelledby=\"traffic\"><h2 id=\"traffic\">Traffic</h2><dl "
			"class=\"facts\">");
	numbers(r, t);
	buf_str(r->out, "</dl>");
	learning(r, t);
	silent(r, t);
	stale(r, "line of an access log", t->requests_at);
	buf_str(r->out, "<div class=\"two\">\n");
	figure(r, &t->recent_packets, "watch-p", "Packets, last minutes", "packets/s");
	figure(r, &t->day_packets, "watch-d", "Packets, last 24 hours", "packets/s");
	figure(r, &t->recent_requests, "watch-r", "Requests, last minutes", "requests/s");
	figure(r, &t->day_requests, "watch-e", "Requests, last 24 hours", "requests/s");
	buf_str(r->out, "</div></section>\n");
}

/* ---- the card on the page Now ---- */

bool page_traffic_card(const struct render *r, const struct service_state *s, const char *id,
		       bool charted)
{
	const struct traffic_state *t = s->traffic;
	if (t == NULL)
		return false;
	bool flows = t->flows_at.ns != 0;
	if (charted && flows)
		chart(r, s, &t->recent_packets, id, "Packets, last minutes", "packets/s");
	else if (charted)
		chart(r, s, &t->recent_requests, id, "Requests, last minutes", "requests/s");
	buf_str(r->out, "<dl class=\"facts\">");
	if (flows && !is_stale(r, t->flows_at)) {
		number(r, "Now", (double)t->packets_per_s,
		       t->cold ? 0 : (double)t->usual_packets_per_s, "packets/s");
		number(r, "Bits", (double)t->bits_per_s, 0, "bit/s");
	} else if (t->requests_at.ns != 0 && !is_stale(r, t->requests_at)) {
		number(r, "Now", (double)t->requests_per_s,
		       t->requests_cold ? 0 : (double)t->usual_requests_per_s, "requests/s");
	}
	return true;
}
