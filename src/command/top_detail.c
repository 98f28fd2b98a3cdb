/* SPDX-License-Identifier: Apache-2.0 */
/* One service: its rates, the last minutes as bars, and what floods it in its open incident: what
 * the addresses prove is told before any place is. */
#include "command/top_view.h"

#include "base/buf.h"
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BAR_ROWS = 3, PLACES_SHOWN = 6, INDENT = 2, DEEPER = 4, TEXT_MAX = 2000 };

/* A text that is wrapped and gone. */
static void wrap_fmt(struct top_page *p, enum top_style style, unsigned indent, const char *fmt,
		     ...) __attribute__((format(printf, 4, 5)));

static void wrap_fmt(struct top_page *p, enum top_style style, unsigned indent, const char *fmt,
		     ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	top_page_wrap(p, style, indent, text);
}

struct number { char text[TOP_NUMBER_MAX]; };

static struct number rate(double n)
{
	struct number x;
	top_number(x.text, n);
	return x;
}

static struct number percent(float share)
{
	struct number x;
	top_percent(x.text, (double)share);
	return x;
}

/* ---- rates ---- */

static void draw_rate(struct top_page *p, const char *name, double now, double usual,
		      enum top_style style)
{
	struct top_line *l = top_page_line(p);

	top_line_fmt(l, TOP_DIM, "%*s%-12s", INDENT, "", name);
	top_line_field(l, style, rate(now).text, 7, true);
	if (usual < 0)
		return;
	top_line_fmt(l, TOP_DIM, "   usual %s", rate(usual).text);
	if (now >= 0 && usual >= TOP_USUAL_MIN)
		top_line_fmt(l, TOP_PLAIN, ", %s x", rate(now / usual).text);
}

static void draw_rates(const struct top_service *s, struct top_page *p)
{
	if (!s->watched)
		top_page_wrap(p, TOP_DIM, INDENT, "Its traffic is not watched: neither flow "
						  "records nor access logs of it came.");
	else if (s->silent)
		top_page_wrap(p, TOP_WARN, INDENT, "Records came, and come no more.");
	if (s->packets >= 0) {
		draw_rate(p, "packets/s", s->packets, s->usual_packets, TOP_BOLD);
		draw_rate(p, "bits/s", s->bits, s->usual_bits, TOP_PLAIN);
		draw_rate(p, "flows/s", s->records, -1, TOP_PLAIN);
		draw_rate(p, "sources", s->sources, -1, TOP_PLAIN);
	}
	if (s->requests >= 0) {
		draw_rate(p, "requests/s", s->requests, s->usual_requests, TOP_BOLD);
		draw_rate(p, "clients", s->clients, -1, TOP_PLAIN);
	}
	draw_rate(p, "reports/min", s->reports, s->usual_reports, TOP_PLAIN);
	if (s->packets >= 0 && s->cold)
		top_page_wrap(p, TOP_DIM, INDENT, "Too little history yet to say what is usual.");
}

/* As many columns as fit, each the highest of the points that fall into it. */
static void draw_bars(const struct top_series *s, const char *name, struct top_page *p)
{
	float columns[TOP_POINTS_MAX];
	size_t room = p->columns > 4 ? p->columns - 4 : 1;
	size_t each = s->count > 0 ? (s->count + room - 1) / room : 1;
	size_t count = 0;
	float max = 0;

	for (size_t i = 0; i < s->count; i += each, count++) {
		columns[count] = -1;
		for (size_t k = i; k < i + each && k < s->count; k++)
			columns[count] = s->observed[k] > columns[count] ? s->observed[k]
									 : columns[count];
		max = columns[count] > max ? columns[count] : max;
	}
	if (count == 0)
		return;
	struct top_line *l = top_page_line(p);
	top_line_fmt(l, TOP_DIM, "%*s%s of the last %.0f s, highest %s", INDENT, "", name,
		     (double)s->count * s->step_s, rate((double)max).text);
	for (unsigned row = BAR_ROWS; row-- > 0;) {
		l = top_page_line(p);
		top_line_fill(l, TOP_PLAIN, INDENT);
		top_line_bars(l, TOP_GOOD, columns, count, (double)max, row, BAR_ROWS);
	}
}

/* ---- the incident ---- */

static void draw_vector(const struct trace_vector *x, unsigned n, struct top_page *p)
{
	struct top_line *l = top_page_line(p);

	top_line_fmt(l, TOP_BOLD, "%2u  %s", n, x->name[0] != '\0' ? x->name : x->id);
	top_line_fmt(l, TOP_PLAIN, "  %s of packets", percent(x->share).text);
	wrap_fmt(p, x->status == SOURCE_PROVED ? TOP_WARN : TOP_BAD, DEEPER, "sources %s",
		 top_source_words(x->status));
	if (x->why[0] != '\0')
		top_page_wrap(p, TOP_PLAIN, DEEPER, x->why);
	/* Of fewer packets than these no rate is measured (model/trace.h). */
	wrap_fmt(p, TOP_PLAIN, DEEPER, "%s %s packets/s, %s bits/s; sources: %s",
		 x->seen < 30 ? "seen, not measured:" : "peak", rate(x->peak_packets_per_s).text,
		 rate(x->peak_bits_per_s).text, rate(x->sources).text);
	if (x->new_share >= 0)
		wrap_fmt(p, TOP_PLAIN, DEEPER, "not seen in the weeks before: %s of the sources",
			 percent(x->new_share).text);
	if (x->rule[0] != '\0')
		wrap_fmt(p, TOP_DIM, DEEPER, "rule: %s", x->rule);
}

static void draw_places(const char *name, enum top_style style, const struct trace_place *places,
			uint32_t count, struct top_page *p)
{
	struct buf b;

	if (count == 0)
		return;
	buf_init(&b, TEXT_MAX);
	buf_fmt(&b, "%s:", name);
	for (uint32_t i = 0; i < count && i < PLACES_SHOWN; i++)
		buf_fmt(&b, "%s %s %s", i > 0 ? "," : "", places[i].name,
			percent(places[i].share).text);
	if (!b.bad)
		top_page_wrap(p, style, INDENT, b.data);
	buf_done(&b);
}

static void draw_where(const struct trace *t, struct top_page *p)
{
	enum top_style style = t->mappable ? TOP_PLAIN : TOP_DIM;

	if (t->mappable) {
		top_page_wrap(p, TOP_BOLD, 0,
			      "Where the proved sources are (machines, not people):");
		draw_places("countries", style, t->countries, t->country_count, p);
	} else {
		wrap_fmt(p, TOP_BAD, 0, "Where from is not known%s%s. In the packets stand:",
			 t->not_mappable[0] != '\0' ? ": " : "", t->not_mappable);
	}
	draw_places("networks", style, t->networks, t->network_count, p);
	draw_places("prefixes", style, t->prefixes, t->prefix_count, p);
	draw_places("addresses", style, t->sources_top, t->source_count, p);
}

static void draw_requests(const struct incident *i, struct top_page *p)
{
	const struct incident_requests *q = &i->requests;

	if ((incident_kinds(i) & INCIDENT_REQUESTS) == 0)
		return;
	wrap_fmt(p, TOP_PLAIN, 0, "Requests: peak %s a second where %s are usual",
		 rate((double)q->peak_requests_per_s).text,
		 rate((double)q->usual_requests_per_s).text);
	for (uint32_t n = 0; n < q->finding_count; n++)
		wrap_fmt(p, TOP_PLAIN, DEEPER, "%s %s", q->findings[n].id,
			 percent(q->findings[n].share).text);
}

static void draw_trace(const struct trace *t, struct top_page *p)
{
	if (t->patterns != 0)
		wrap_fmt(p, TOP_PLAIN, 0, "Patterns:%s%s%s",
			 t->patterns & PATTERN_CARPET ? " [spread over a prefix]" : "",
			 t->patterns & PATTERN_PULSE ? " [on and off]" : "",
			 t->patterns & PATTERN_MULTI ? " [several vectors at one time]" : "");
	for (uint32_t n = 0; n < t->vector_count; n++)
		draw_vector(&t->vectors[n], n + 1, p);
	draw_where(t, p);
	for (uint32_t n = 0; n < t->link_count; n++)
		wrap_fmt(p, TOP_PLAIN, 0, "Shares %s of its sources%s with %s.",
			 percent(t->links[n].shared).text,
			 t->links[n].fingerprint ? " and a tool's marks" : "",
			 t->links[n].incident);
}

static void draw_incident(const struct incident *i, const struct top_data *d, struct top_page *p)
{
	char began[TIMETEXT_LEN_MAX];

	top_time(began, i->began_at, d->services.now);
	wrap_fmt(p, TOP_BAD, 0, "Incident %s: %s, began %s UTC", i->id,
		 incident_state_name(i->state), began);
	draw_requests(i, p);
	if (d->detail.has_trace && strcmp(d->detail.trace.incident, i->id) == 0)
		draw_trace(&d->detail.trace, p);
	else
		top_page_wrap(p, TOP_DIM, 0, "Nothing is known of its traffic.");
}

void top_detail_draw(const struct top_view *v, const struct top_data *d, struct top_page *p)
{
	const struct top_service *s = top_services_find(&d->services, v->service);
	const struct incident *i = top_open_find(&d->open, v->service);

	if (s == NULL) {
		if (d->age_s >= 0)
			wrap_fmt(p, TOP_WARN, 0, "The server has no service %s.", v->service);
		return;
	}
	struct top_line *l = top_page_line(p);
	top_line_fmt(l, TOP_BAR, "%s: %s", s->name, top_status_word(s->status));
	top_line_fill(l, TOP_BAR, p->columns);
	draw_rates(s, p);
	if (strcmp(d->detail.service, s->id) != 0) {
		top_page_wrap(p, TOP_DIM, 0, v->paused ? "Paused: no more was asked for."
						       : "Asking for more.");
		return;
	}
	draw_bars(&d->detail.packets, "packets/s", p);
	draw_bars(&d->detail.requests, "requests/s", p);
	if (i != NULL)
		draw_incident(i, d, p);
	else
		top_page_wrap(p, TOP_DIM, 0, "No incident is open.");
}
