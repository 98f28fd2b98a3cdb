/* SPDX-License-Identifier: Apache-2.0 */
/* What an incident proves and what it does not, in sentences; and its evidence as a table, by
 * what was watched. Who attacks is on the second list always: nothing measured here tells it. */
#include "publish/page_traffic.h"

#include "publish/html.h"
#include "publish/words_traffic.h"

#include <math.h>
#include <stdlib.h>

#define TICK_NS (WD_NS_PER_S / 4) /* of traffic: tally/traffic.h */

/* ---- proved and not ---- */

static void proved_reports(const struct render *r)
{
	const struct incident *i = r->incident;
	struct buf *b = r->out;

	buf_str(b, "<li>At the peak ");
	words_count(b, i->peak_observed);
	buf_str(b, " reports in ");
	words_span(b, i->step);
	buf_str(b, " where ");
	words_count(b, i->peak_expected);
	buf_str(b, " is usual");
	if (i->persons > 0) {
		buf_str(b, "; in all at least ");
		words_count(b, i->persons);
		buf_str(b, " persons reported");
	}
	if (i->persons > 0 && i->networks > 0) {
		buf_str(b, ", in ");
		words_count(b, i->networks);
		buf_str(b, " networks");
	}
	buf_str(b, ".</li>");
}

/* What its vectors' addresses prove: bits of 1 << enum source_status. */
static unsigned statuses(const struct incident_traffic *x, const struct trace *t)
{
	unsigned found = 1U << x->status;

	for (uint32_t n = 0; t != NULL && n < t->vector_count; n++)
		found |= 1U << t->vectors[n].status;
	return found;
}

static void proved_traffic(const struct render *r, const struct trace *t)
{
	const struct incident_traffic *x = &r->incident->traffic;
	struct words w = html_words(r);
	struct buf *b = r->out;
	wd_wall end = x->ended_at.ns != 0 ? x->ended_at : r->snapshot->now;

	buf_str(b, "<li>In its highest second the service received ");
	words_traffic_peak(&w, x);
	buf_str(b, "; it lasted ");
	words_seconds(b, wall_sub(end, x->began_at));
	buf_str(b, ".</li>");
	double proved = 0;
	for (uint32_t n = 0; t != NULL && n < t->vector_count; n++) {
		if (t->vectors[n].status == SOURCE_PROVED)
			proved += fmax(0, t->vectors[n].sources);
	}
	if (proved > 0) {
		buf_str(b, "<li>Machines at source addresses completed connections: ");
		words_count(b, round(proved));
		buf_str(b, " addresses took part.</li>");
	}
	if (statuses(x, t) & 1U << SOURCE_REFLECTOR)
		buf_str(b, "<li>Third parties answered what this service never asked: somebody "
			   "asked in its name.</li>");
}

static void proved_requests(const struct render *r)
{
	struct words w = html_words(r);
	buf_str(r->out, "<li>The service was asked up to ");
	words_requests_peak(&w, &r->incident->requests);
	buf_str(r->out, ".</li>");
	if (r->incident->requests.finding_count > 0) {
		buf_str(r->out, "<li>Requests that look like ");
		words_parts(&w, r->snapshot, r->incident->requests.findings,
			    r->incident->requests.finding_count);
		buf_str(r->out, ".</li>");
	}
}

static const char *not_proved(enum source_status s)
{
	switch (s) {
	case SOURCE_REFLECTOR:
		return "Where reflected packets were ordered from: the addresses are those of the "
		       "third parties that answered.";
	case SOURCE_SPOOFED:
		return "Where forged packets came from: their source addresses were made up by the "
		       "sender.";
	case SOURCE_PROVED:
		return "Whose the machines are, and who commands them: bots, proxies and VPN "
		       "exits look like anybody else.";
	default:
		return "Whether the source addresses are real. Completed connections, or the "
		       "packets' TTLs, would tell.";
	}
}

/* How reports and traffic lie in time; that one follows the other is no proof. */
static void coincidence(const struct render *r)
{
	const struct incident *i = r->incident;
	struct buf *b = r->out;
	wd_wall traffic = i->kinds & INCIDENT_TRAFFIC ? i->traffic.began_at : i->requests.began_at;

	if (!(incident_kinds(i) & INCIDENT_REPORTS)) {
		buf_str(b, "<li>That anybody was hurt by it: reports of people did not rise "
			   "significantly.</li>");
		return;
	}
	wd_wall reports = i->began_at;
	for (uint32_t n = 0; n < i->wave_count; n++) {
		if (i->waves[n].peak_observed > 0) {
			reports = i->waves[n].began_at;
			break;
		}
	}
	int64_t apart = wall_sub(reports, traffic).ns;
	buf_str(b, "<li>That this traffic is why people reported problems: both rose ");
	if (llabs(apart) < i->step.ns) {
		buf_str(b, "within the same ");
		if (i->step.ns == 60 * WD_NS_PER_S)
			buf_str(b, "minute");
		else
			words_span(b, i->step);
	} else {
		words_span(b, (wd_span){llabs(apart)});
		buf_str(b, apart > 0 ? " apart, traffic first" : " apart, reports first");
	}
	buf_str(b, ". That fits one cause, and proves none.</li>");
}

void page_incident_proof(const struct render *r, const struct trace *t)
{
	const struct incident *i = r->incident;
	uint32_t kinds = incident_kinds(i);
	struct buf *b = r->out;

	bool watched = (kinds & ~(uint32_t)INCIDENT_REPORTS) != 0;
	if (!watched && i->metric)
		return;
	buf_str(b, "<section class=\"two proof\" aria-label=\"What is proved\"><div><h2>What was "
		   "measured</h2><ul>");
	if (kinds & INCIDENT_TRAFFIC)
		proved_traffic(r, t);
	if (kinds & INCIDENT_REQUESTS)
		proved_requests(r);
	if (kinds & INCIDENT_REPORTS)
		proved_reports(r);
	buf_str(b, "</ul></div><div><h2>What that does not prove</h2><ul>");
	unsigned found = kinds & INCIDENT_TRAFFIC    ? statuses(&i->traffic, t)
			 : kinds & INCIDENT_REQUESTS ? 1U << SOURCE_PROVED
						     : 0;
	for (int s = SOURCE_UNKNOWN; s <= SOURCE_PROVED; s++) {
		if (found >> s & 1)
			buf_fmt(b, "<li>%s</li>", not_proved((enum source_status)s));
	}
	if (watched)
		coincidence(r);
	else
		buf_str(b, "<li>Why: reports say that people have a problem, not what caused it. "
			   "A fault, an attack and a crowd look alike in them.</li><li>Where the "
			   "cause lies: people report from where they are.</li>");
	buf_str(b, watched ? "<li>Who did it. No address tells, and this site never says.</li>"
			   : "<li>That anybody did it, or who.</li>");
	buf_str(b, "</ul></div></section>\n");
}

/* ---- the list ---- */

static void group(const struct render *r, const char *name)
{
	buf_fmt(r->out, "<tbody><tr class=\"group\"><th colspan=\"4\" scope=\"rowgroup\">%s</th>"
			"</tr>\n", name);
}

static void row_begin(const struct render *r, const char *what)
{
	buf_fmt(r->out, "<tr><th scope=\"row\">%s</th><td>", what);
}

/* The odds of `what`, or why there are none. */
static void row_end(const struct render *r, float log10_return, wd_span step, bool cold)
{
	buf_str(r->out, "</td><td>");
	if (cold)
		buf_str(r->out, "fixed rule");
	else if (log10_return > 0)
		words_odds(r->out, (double)log10_return, step);
	buf_str(r->out, "</td></tr>\n");
}

static void rate_row(const struct render *r, const char *what, double peak, double usual,
		     const char *unit, bool cold)
{
	row_begin(r, what);
	words_rate(r->out, peak, unit);
	buf_str(r->out, "</td><td>");
	if (usual > 0 || !cold)
		words_rate(r->out, usual, unit);
	else
		buf_str(r->out, "not known");
}

static void traffic_rows(const struct render *r, const struct trace *t)
{
	const struct incident_traffic *x = &r->incident->traffic;
	struct buf *b = r->out;

	group(r, "Traffic (flow exports, packets)");
	rate_row(r, "Packets, at the peak", (double)x->peak_packets_per_s,
		 (double)x->usual_packets_per_s, "packets/s", x->cold);
	row_end(r, x->log10_return, (wd_span){TICK_NS}, x->cold);
	rate_row(r, "Bits, at the peak", (double)x->peak_bits_per_s, (double)x->usual_bits_per_s,
		 "bit/s", x->cold);
	row_end(r, 0, (wd_span){0}, false);
	for (uint32_t n = 0; t != NULL && n < t->vector_count; n++) {
		const struct trace_vector *v = &t->vectors[n];
		buf_str(b, "<tr><th scope=\"row\">");
		buf_html(b, v->name);
		buf_str(b, "</th><td>");
		words_count(b, round(v->packets));
		buf_str(b, " packets</td><td>");
		if (v->usual_packets_per_s > 0)
			words_rate(b, v->usual_packets_per_s, "packets/s");
		else
			buf_str(b, "none");
		row_end(r, 0, (wd_span){0}, false);
	}
	if (t != NULL) {
		row_begin(r, "Different source addresses");
		words_count(b, round(t->sources));
		buf_str(b, "</td><td>");
		row_end(r, 0, (wd_span){0}, false);
	}
	buf_str(b, "</tbody>\n");
}

static void requests_rows(const struct render *r)
{
	const struct incident_requests *q = &r->incident->requests;
	struct words w = html_words(r);

	group(r, "Requests (access logs)");
	rate_row(r, "Requests, at the peak", (double)q->peak_requests_per_s,
		 (double)q->usual_requests_per_s, "requests/s", q->cold);
	row_end(r, q->log10_return, span_s(1), q->cold);
	for (uint32_t n = 0; n < q->finding_count; n++) {
		buf_str(r->out, "<tr><th scope=\"row\">");
		words_vector(&w, r->snapshot, q->findings[n].id);
		buf_fmt(r->out, "</th><td>%.0f %% of the requests</td><td>",
			(double)q->findings[n].share * 100);
		row_end(r, 0, (wd_span){0}, false);
	}
	buf_str(r->out, "</tbody>\n");
}

static void reports_rows(const struct render *r)
{
	const struct incident *i = r->incident;
	struct buf *b = r->out;

	group(r, "Reports (people)");
	row_begin(r, "Reports, at the peak");
	words_count(b, i->peak_observed);
	buf_str(b, " in ");
	words_span(b, i->step);
	buf_str(b, "</td><td>");
	words_count(b, i->peak_expected);
	row_end(r, i->reports_log10_return, i->step, false);
	if (i->excess > 0) { /* 0: places alone are above usual */
		row_begin(r, "Reports above usual, in all");
		words_count(b, i->excess);
		buf_str(b, "</td><td>");
		row_end(r, 0, (wd_span){0}, false);
	}
	if (i->persons > 0) {
		row_begin(r, "Persons");
		words_count(b, i->persons);
		buf_str(b, "</td><td>");
		row_end(r, 0, (wd_span){0}, false);
	}
	if (i->networks > 0) {
		row_begin(r, "Networks of the reports");
		words_count(b, i->networks);
		buf_str(b, "</td><td>");
		row_end(r, 0, (wd_span){0}, false);
	}
	buf_str(b, "</tbody>\n");
}

void page_incident_evidence(const struct render *r, const struct trace *t)
{
	const struct incident *i = r->incident;
	uint32_t kinds = incident_kinds(i);
	struct buf *b = r->out;

	if ((kinds & ~(uint32_t)INCIDENT_REPORTS) == 0)
		return;
	buf_str(b, "<section aria-labelledby=\"evidence\"><h2 id=\"evidence\">Evidence</h2><div "
		   "class=\"scroll\" tabindex=\"0\" role=\"group\" "
		   "aria-labelledby=\"evidence\"><table class=\"num\"><caption "
		   "class=\"vh\">Evidence, by what was watched</caption><thead><tr><th "
		   "scope=\"col\">What</th><th "
		   "scope=\"col\">Measured</th><th scope=\"col\">Usual</th><th scope=\"col\">What "
		   "is usual does this</th></tr></thead>\n");
	if (kinds & INCIDENT_TRAFFIC)
		traffic_rows(r, t);
	if (kinds & INCIDENT_REQUESTS)
		requests_rows(r);
	if (kinds & INCIDENT_REPORTS)
		reports_rows(r);
	buf_str(b, "</table></div>\n");
	if (t != NULL)
		page_traffic_records(r, t);
	buf_str(b, "<p class=\"more\"><a href=\"/api/v1/incidents/");
	buf_html(b, i->id);
	buf_str(b, "/trace\">Vectors, sources, series and records as JSON</a></p></section>\n");
}
