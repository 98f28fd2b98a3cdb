/* SPDX-License-Identifier: Apache-2.0 */
/* The chart of an incident's traffic: packets, bits, sources, flows or requests, one at a time,
 * chosen by a plain link, so that it needs no script and the page stays small. */
#include "publish/page_traffic.h"

#include "publish/chart_stack.h"
#include "publish/html.h"
#include "publish/words_traffic.h"

#include <string.h>

enum { LAYERS = 6, ROWS = 24, LEAD_S_MIN = 60 };

/* A trace, and of what was before it as much as is shown: points of the trace's own width. */
struct shown { const struct trace *t; size_t lead, count; wd_wall begin; };

static size_t layers(const struct trace *t)
{
	return 1 + (t->vector_count < LAYERS ? t->vector_count : LAYERS);
}

static wd_wall time_of(const struct shown *s, size_t i)
{
	return wall_add(s->begin, (wd_span){s->t->step.ns * (int64_t)i});
}

/* ---- before the trace ---- */

typedef double (*before_rate)(const struct trace_before_point *p);

static double before_packets(const struct trace_before_point *p)
{
	return (double)p->packets_per_s;
}
static double before_bits(const struct trace_before_point *p) { return (double)p->bits_per_s; }
static double before_flows(const struct trace_before_point *p) { return (double)p->records_per_s; }
static double before_requests(const struct trace_before_point *p)
{
	return (double)p->requests_per_s;
}
static double before_usual_packets(const struct trace_before_point *p)
{
	return (double)p->usual_packets_per_s;
}
static double before_usual_bits(const struct trace_before_point *p)
{
	return (double)p->usual_bits_per_s;
}

/* The mean of the steps that [at, at + width) meets; negative where nothing was seen. */
static double before_at(const struct trace_before *b, wd_wall at, wd_span width, before_rate rate)
{
	int64_t first = floor_div(wall_sub(at, b->begin).ns, b->step.ns);
	int64_t last = floor_div(wall_sub(at, b->begin).ns + width.ns - 1, b->step.ns);
	double sum = 0, n = 0;
	for (int64_t i = first > 0 ? first : 0; i <= last && i < (int64_t)b->count; i++) {
		double x = rate(&b->points[i]);
		sum += x >= 0 ? x : 0;
		n += x >= 0;
	}
	return n > 0 ? sum / n : -1;
}

/* As much as the trace lasts, at least a minute, and nothing from before a pause. */
static struct shown show_with(const struct trace *t, before_rate rate)
{
	const struct trace_before *b = &t->before;
	struct shown s = {.t = t, .count = t->point_count, .begin = t->begin};
	size_t least = (size_t)(span_s(LEAD_S_MIN).ns / t->step.ns) + 1;
	size_t max = t->point_count > least ? t->point_count : least;
	if (rate == NULL || b->count == 0 || b->step.ns <= 0)
		return s;
	while (s.lead < max) {
		wd_wall at = wall_back(s.begin, t->step);
		if (before_at(b, at, t->step, rate) < 0)
			break;
		s.begin = at;
		s.lead++;
	}
	s.count += s.lead;
	return s;
}

/* Point i, which is before the trace: never negative. */
static double lead_at(const struct shown *s, size_t i, before_rate rate)
{
	double x = before_at(&s->t->before, time_of(s, i), s->t->step, rate);
	return x > 0 ? x : 0;
}

/* ---- what is counted ---- */

/* Layer 0, at the bottom, is what no named vector accounts for: all of what was before. */
static double packets_of(const void *ctx, size_t i, size_t k)
{
	const struct shown *s = ctx;
	if (i < s->lead)
		return k > 0 ? 0 : lead_at(s, i, before_packets);
	const struct trace_point *p = &s->t->points[i - s->lead];
	if (k > 0)
		return (double)p->vector_packets_per_s[k - 1];
	double rest = (double)p->packets_per_s;
	for (size_t n = 1; n < layers(s->t); n++)
		rest -= (double)p->vector_packets_per_s[n - 1];
	return rest > 0 ? rest : 0;
}

static double bits_of(const void *ctx, size_t i, size_t k)
{
	const struct shown *s = ctx;
	if (i < s->lead)
		return k > 0 ? 0 : lead_at(s, i, before_bits);
	const struct trace_point *p = &s->t->points[i - s->lead];
	if (k > 0)
		return (double)p->vector_bits_per_s[k - 1];
	double rest = (double)p->bits_per_s;
	for (size_t n = 1; n < layers(s->t); n++)
		rest -= (double)p->vector_bits_per_s[n - 1];
	return rest > 0 ? rest : 0;
}

static double sources_of(const void *ctx, size_t i, size_t k)
{
	const struct shown *s = ctx; /* never with a lead */
	(void)k;
	return (double)s->t->points[i].sources;
}
static double flows_of(const void *ctx, size_t i, size_t k)
{
	const struct shown *s = ctx;
	(void)k;
	return i < s->lead ? lead_at(s, i, before_flows)
			   : (double)s->t->points[i - s->lead].records_per_s;
}
static double requests_of(const void *ctx, size_t i, size_t k)
{
	const struct shown *s = ctx;
	(void)k;
	return i < s->lead ? lead_at(s, i, before_requests)
			   : (double)s->t->points[i - s->lead].requests_per_s;
}

static double usual_packets(const void *ctx, size_t i)
{
	const struct shown *s = ctx;
	return i < s->lead ? lead_at(s, i, before_usual_packets)
			   : (double)s->t->points[i - s->lead].usual_packets_per_s;
}
static double usual_bits(const void *ctx, size_t i)
{
	const struct shown *s = ctx;
	return i < s->lead ? lead_at(s, i, before_usual_bits)
			   : (double)s->t->points[i - s->lead].usual_bits_per_s;
}

/* What may be counted; the first that there is any of is the one to begin with. */
static const struct counted {
	const char *show, *name, *title, *unit;
	double (*value)(const void *ctx, size_t i, size_t k);
	double (*usual)(const void *ctx, size_t i);
	bool by_vector;
	before_rate before; /* NULL: it was not counted then */
} all[] = {
	{"packets", "Packets", "Packets received", "packets/s", packets_of, usual_packets, true,
	 before_packets},
	{"bits", "Bits", "Bits received", "bit/s", bits_of, usual_bits, true, before_bits},
	{"flows", "Flows", "Flow records, or packets looked at", "flows/s", flows_of, NULL, false,
	 before_flows},
	{"requests", "Requests", "Requests in access logs", "requests/s", requests_of, NULL, false,
	 before_requests},
	{"sources", "Sources", "Different source addresses", "addresses", sources_of, NULL, false,
	 NULL},
};
enum { ALL = sizeof(all) / sizeof(all[0]) };

bool page_shows(const char *show)
{
	for (size_t n = 0; n < ALL; n++) {
		if (strcmp(all[n].show, show) == 0)
			return true;
	}
	return false;
}

static double whole(const struct shown *s, const struct counted *c, size_t i)
{
	double sum = 0;
	for (size_t k = 0; k < (c->by_vector ? layers(s->t) : 1); k++)
		sum += c->value(s, i, k);
	return sum;
}

/* Of the trace. */
static size_t peak_of(const struct shown *s, const struct counted *c)
{
	size_t peak = s->lead;
	for (size_t i = s->lead + 1; i < s->count; i++) {
		if (whole(s, c, i) > whole(s, c, peak))
			peak = i;
	}
	return peak;
}

static bool any_of(const struct trace *t, const struct counted *c)
{
	const struct shown s = show_with(t, NULL);
	return t->point_count > 0 && whole(&s, c, peak_of(&s, c)) > 0;
}

static const struct counted *chosen(const struct render *r, const struct trace *t)
{
	const struct counted *first = NULL;
	for (size_t n = 0; n < ALL; n++) {
		if (!any_of(t, &all[n]))
			continue;
		if (strcmp(all[n].show, query_value(r, "show")) == 0)
			return &all[n];
		first = first != NULL ? first : &all[n];
	}
	return first;
}

static void links(const struct render *r, const struct trace *t, const struct counted *now)
{
	size_t count = 0;
	for (size_t n = 0; n < ALL; n++)
		count += any_of(t, &all[n]);
	if (count < 2)
		return;
	buf_str(r->out, "<nav class=\"tabs\" aria-label=\"What the chart of traffic counts\">");
	for (size_t n = 0; n < ALL; n++) {
		if (!any_of(t, &all[n]))
			continue;
		buf_str(r->out, "<a href=\"/i/");
		buf_html(r->out, r->incident->id);
		buf_fmt(r->out, "?show=%s#received\"%s>%s</a>", all[n].show,
			&all[n] == now ? " aria-current=\"true\"" : "", all[n].name);
	}
	buf_str(r->out, "</nav>\n");
}

static void legend(const struct render *r, const struct trace *t, const struct counted *c)
{
	buf_str(r->out, "<p class=\"legend\">");
	if (c->by_vector)
		buf_str(r->out, "<span class=\"l-v0\">other traffic</span>");
	for (size_t n = 1; c->by_vector && n < layers(t); n++) {
		buf_fmt(r->out, "<span class=\"l-v%zu\">", n);
		buf_html(r->out, t->vectors[n - 1].name);
		buf_str(r->out, "</span>");
	}
	if (c->usual != NULL)
		buf_str(r->out, "<span class=\"l-dash\">usual, in all</span>");
	if (r->incident->decided_at.ns != 0)
		buf_str(r->out, "<span class=\"l-alarm\">called an incident</span>");
	buf_str(r->out, "</p>\n");
}

static void value_cell(struct buf *b, double value, const char *unit)
{
	buf_str(b, "<td>");
	words_rate(b, value, unit);
	buf_str(b, "</td>");
}

/* The same in at most ROWS rows: means of what each row joins. */
static void table(const struct render *r, const struct shown *s, const struct counted *c)
{
	const struct trace *t = s->t;
	struct buf *b = r->out;
	struct words w = html_words(r);
	size_t columns = c->by_vector ? layers(t) : 1, width = (s->count + ROWS - 1) / ROWS;

	buf_fmt(b, "<details id=\"t-received\"><summary>The same as a table</summary><div "
		   "class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"The same as a "
		   "table\"><table class=\"num\"><caption>%s</caption><thead><tr><th "
		   "scope=\"col\">From</th><th scope=\"col\">In all</th>", c->title);
	for (size_t k = 1; k < columns; k++) {
		buf_str(b, "<th scope=\"col\">");
		buf_html(b, t->vectors[k - 1].name);
		buf_str(b, "</th>");
	}
	buf_str(b, c->usual != NULL ? "<th scope=\"col\">Usual</th></tr></thead><tbody>\n"
				    : "</tr></thead><tbody>\n");
	for (size_t i = 0; i < s->count; i += width) {
		double sum = 0, usual = 0, parts[LAYERS + 1] = {0};
		size_t n = 0;
		for (size_t j = i; j < i + width && j < s->count; j++, n++) {
			sum += whole(s, c, j);
			for (size_t k = 1; k < columns; k++)
				parts[k] += c->value(s, j, k);
			usual += c->usual != NULL ? c->usual(s, j) : 0;
		}
		buf_str(b, "<tr><th scope=\"row\">");
		words_second(&w, time_of(s, i));
		buf_str(b, "</th>");
		value_cell(b, sum / (double)n, c->unit);
		for (size_t k = 1; k < columns; k++)
			value_cell(b, parts[k] / (double)n, c->unit);
		if (c->usual != NULL)
			value_cell(b, usual / (double)n, c->unit);
		buf_str(b, "</tr>\n");
	}
	buf_str(b, "</tbody></table></div></details>\n");
}

/* The incident's peak is that of any second; points are of fixed times, often of more than one. */
static void strongest_second(const struct incident *i, const struct counted *c, double highest,
			     struct buf *text)
{
	double peak = c->value == packets_of    ? (double)i->traffic.peak_packets_per_s
		      : c->value == bits_of     ? (double)i->traffic.peak_bits_per_s
		      : c->value == requests_of ? (double)i->requests.peak_requests_per_s
						: 0;
	if (peak < highest * 1.005)
		return;
	buf_str(text, " The strongest second, wherever it began, had ");
	words_rate(text, peak, c->unit);
	buf_str(text, ": that is the peak told elsewhere.");
}

/* In words what the picture shows. */
static void describe(const struct render *r, const struct shown *s, const struct counted *c,
		     struct buf *text, bool html)
{
	size_t peak = peak_of(s, c);
	struct words w = {.out = text, .html = html, .now = r->snapshot->now};

	buf_str(text, "Highest of the points, each of ");
	words_seconds(text, s->t->step);
	buf_str(text, ", at ");
	words_second(&w, time_of(s, peak));
	buf_str(text, ": ");
	words_rate(text, whole(s, c, peak), c->unit);
	if (c->usual != NULL && c->usual(s, peak) > 0) {
		buf_str(text, " where ");
		words_rate(text, c->usual(s, peak), c->unit);
		buf_str(text, " is usual");
	}
	buf_char(text, '.');
	strongest_second(r->incident, c, whole(s, c, peak), text);
	if (s->lead == 0)
		return;
	buf_str(text, " In the ");
	words_seconds(text, (wd_span){s->t->step.ns * (int64_t)s->lead});
	buf_str(text, " before ");
	words_second(&w, s->t->begin);
	buf_str(text, ": ");
	double sum = 0;
	for (size_t i = 0; i < s->lead; i++)
		sum += whole(s, c, i);
	words_rate(text, sum / (double)s->lead, c->unit);
	buf_str(text, " in the mean.");
}

struct chart_span page_trace_span(const struct trace *t)
{
	struct shown s = show_with(t, before_packets);
	if (s.lead == 0)
		s = show_with(t, before_requests);
	return (struct chart_span){
		s.begin,
		wall_add(t->begin, (wd_span){t->step.ns * (int64_t)t->point_count})};
}

void page_traffic_chart(const struct render *r, const struct trace *t, struct chart_span window)
{
	const struct counted *now = chosen(r, t);
	struct buf *b = r->out, text;

	if (now == NULL)
		return;
	const struct shown s = show_with(t, now->before);
	buf_init(&text, 1024);
	describe(r, &s, now, &text, false);
	struct chart_stack c = {
		.id = "received", .title = now->title, .unit = now->unit, .height = 240,
		.description = text.bad ? "" : text.data, .begin = s.begin, .step = t->step,
		.count = s.count, .layers = now->by_vector ? layers(t) : 1,
		.value = now->value, .usual = now->usual, .ctx = &s, .window = window,
		.mark = r->incident->decided_at, .plain = !now->by_vector,
	};
	buf_fmt(b, "<figure><figcaption><h2>%s <small class=\"zone\">UTC</small></h2>", now->title);
	links(r, t, now);
	buf_str(b, "</figcaption>");
	chart_stack_svg(b, &c);
	legend(r, t, now);
	buf_done(&text);
	buf_str(b, "<p class=\"note\">");
	describe(r, &s, now, b, true);
	buf_str(b, "</p>\n");
	table(r, &s, now);
	buf_str(b, "</figure>\n");
}
