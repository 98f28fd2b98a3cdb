/* SPDX-License-Identifier: Apache-2.0 */
/* The chart of an incident's traffic: packets, bits, sources, flows or requests, one at a time,
 * chosen by a plain link, so that it needs no script and the page stays small. */
#include "publish/page_traffic.h"

#include "publish/chart_stack.h"
#include "publish/html.h"

#include <stdio.h>
#include <string.h>

enum { LAYERS = 6, ROWS = 24 };

static size_t layers(const struct trace *t)
{
	return 1 + (t->vector_count < LAYERS ? t->vector_count : LAYERS);
}

/* Layer 0, at the bottom, is what no named vector accounts for. */
static double packets_of(const void *ctx, size_t i, size_t k)
{
	const struct trace *t = ctx;
	const struct trace_point *p = &t->points[i];
	if (k > 0)
		return (double)p->vector_packets_per_s[k - 1];
	double rest = (double)p->packets_per_s;
	for (size_t n = 1; n < layers(t); n++)
		rest -= (double)p->vector_packets_per_s[n - 1];
	return rest > 0 ? rest : 0;
}

static double bits_of(const void *ctx, size_t i, size_t k)
{
	const struct trace *t = ctx;
	const struct trace_point *p = &t->points[i];
	if (k > 0)
		return (double)p->vector_bits_per_s[k - 1];
	double rest = (double)p->bits_per_s;
	for (size_t n = 1; n < layers(t); n++)
		rest -= (double)p->vector_bits_per_s[n - 1];
	return rest > 0 ? rest : 0;
}

static double sources_of(const void *ctx, size_t i, size_t k)
{
	(void)k;
	return (double)((const struct trace *)ctx)->points[i].sources;
}
static double flows_of(const void *ctx, size_t i, size_t k)
{
	(void)k;
	return (double)((const struct trace *)ctx)->points[i].records_per_s;
}
static double requests_of(const void *ctx, size_t i, size_t k)
{
	(void)k;
	return (double)((const struct trace *)ctx)->points[i].requests_per_s;
}

static double usual_packets(const void *ctx, size_t i)
{
	return (double)((const struct trace *)ctx)->points[i].usual_packets_per_s;
}
static double usual_bits(const void *ctx, size_t i)
{
	return (double)((const struct trace *)ctx)->points[i].usual_bits_per_s;
}

/* What may be counted; the first that there is any of is the one to begin with. */
static const struct counted {
	const char *show, *name, *title, *unit;
	double (*value)(const void *ctx, size_t i, size_t k);
	double (*usual)(const void *ctx, size_t i);
	bool by_vector;
} all[] = {
	{"packets", "Packets", "Packets received", "packets/s", packets_of, usual_packets, true},
	{"bits", "Bits", "Bits received", "bit/s", bits_of, usual_bits, true},
	{"flows", "Flows", "Flow records, or packets looked at", "flows/s", flows_of, NULL, false},
	{"requests", "Requests", "Requests in access logs", "requests/s", requests_of, NULL, false},
	{"sources", "Sources", "Different source addresses", "addresses", sources_of, NULL, false},
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

static double whole(const struct trace *t, const struct counted *c, size_t i)
{
	double sum = 0;
	for (size_t k = 0; k < (c->by_vector ? layers(t) : 1); k++)
		sum += c->value(t, i, k);
	return sum;
}

static size_t peak_of(const struct trace *t, const struct counted *c)
{
	size_t peak = 0;
	for (size_t i = 1; i < t->point_count; i++) {
		if (whole(t, c, i) > whole(t, c, peak))
			peak = i;
	}
	return peak;
}

static bool any_of(const struct trace *t, const struct counted *c)
{
	return t->point_count > 0 && whole(t, c, peak_of(t, c)) > 0;
}

static wd_wall time_of(const struct trace *t, size_t i)
{
	return wall_add(t->begin, (wd_span){t->step.ns * (int64_t)i});
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
static void table(const struct render *r, const struct trace *t, const struct counted *c)
{
	struct buf *b = r->out;
	struct words w = html_words(r);
	size_t columns = c->by_vector ? layers(t) : 1, width = (t->point_count + ROWS - 1) / ROWS;

	buf_fmt(b, "<details id=\"t-received\"><summary>The same as a table</summary><div "
		   "class=\"scroll\"><table class=\"num\"><caption>%s</caption><thead><tr><th "
		   "scope=\"col\">From</th><th scope=\"col\">In all</th>", c->title);
	for (size_t k = 1; k < columns; k++) {
		buf_str(b, "<th scope=\"col\">");
		buf_html(b, t->vectors[k - 1].name);
		buf_str(b, "</th>");
	}
	buf_str(b, c->usual != NULL ? "<th scope=\"col\">Usual</th></tr></thead><tbody>\n"
				    : "</tr></thead><tbody>\n");
	for (size_t i = 0; i < t->point_count; i += width) {
		double sum = 0, usual = 0, parts[LAYERS + 1] = {0};
		size_t n = 0;
		for (size_t j = i; j < i + width && j < t->point_count; j++, n++) {
			sum += whole(t, c, j);
			for (size_t k = 1; k < columns; k++)
				parts[k] += c->value(t, j, k);
			usual += c->usual != NULL ? c->usual(t, j) : 0;
		}
		buf_str(b, "<tr><th scope=\"row\">");
		words_second(&w, time_of(t, i));
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

/* In words what the picture shows. */
static void describe(const struct render *r, const struct trace *t, const struct counted *c,
		     struct buf *text)
{
	size_t peak = peak_of(t, c);
	struct words w = {.out = text, .now = r->snapshot->now};

	buf_str(text, "Highest at ");
	words_second(&w, time_of(t, peak));
	buf_str(text, ": ");
	words_rate(text, whole(t, c, peak), c->unit);
	if (c->usual != NULL && c->usual(t, peak) > 0) {
		buf_str(text, " where ");
		words_rate(text, c->usual(t, peak), c->unit);
		buf_str(text, " is usual");
	}
	buf_char(text, '.');
}

struct chart_span page_trace_span(const struct trace *t)
{
	return (struct chart_span){
		t->begin,
		wall_add(t->begin, (wd_span){t->step.ns * (int64_t)t->point_count})};
}

void page_traffic_chart(const struct render *r, const struct trace *t, struct chart_span window)
{
	const struct counted *now = chosen(r, t);
	struct buf *b = r->out, text;

	if (now == NULL)
		return;
	buf_init(&text, 1024);
	describe(r, t, now, &text);
	struct chart_stack c = {
		.id = "received", .title = now->title, .unit = now->unit, .height = 240,
		.description = text.bad ? "" : text.data, .begin = t->begin, .step = t->step,
		.count = t->point_count, .layers = now->by_vector ? layers(t) : 1,
		.value = now->value, .usual = now->usual, .ctx = t, .window = window,
		.mark = r->incident->decided_at, .plain = !now->by_vector,
	};
	buf_fmt(b, "<figure><figcaption><h2>%s <small class=\"zone\">UTC</small></h2>", now->title);
	links(r, t, now);
	buf_str(b, "</figcaption>");
	chart_stack_svg(b, &c);
	legend(r, t, now);
	buf_str(b, "<p class=\"note\">");
	buf_html(b, text.bad ? "" : text.data);
	buf_str(b, "</p>\n");
	buf_done(&text);
	table(r, t, now);
	buf_str(b, "</figure>\n");
}
