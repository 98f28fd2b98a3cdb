/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/html.h"

#include "publish/chart.h"
#include "publish/embedded.h"
#include "publish/words_traffic.h"

#include <stdio.h>
#include <string.h>

struct words html_words(const struct render *r)
{
	return (struct words){.out = r->out, .html = true, .now = r->snapshot->now};
}

static void menu(const struct render *r, const char *path)
{
	static const struct {
		const char *path, *name;
	} items[] = {
		{"/", "Now"},
		{"/history", "History"},
		{"/method", "Method"},
		{"/api", "API"},
	};

	buf_str(r->out, "<header class=\"top\"><a class=\"mark\" href=\"/\">"
			"<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
			"<path d=\"M2 17h5l3-12 4 15 3-9 1 6h4\"/></svg>");
	buf_html(r->out, r->site->name);
	buf_str(r->out, "</a><nav aria-label=\"Main\"><ul>");
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		bool here = strcmp(items[i].path, path) == 0;
		buf_fmt(r->out, "<li><a href=\"%s\"%s>%s</a></li>", items[i].path,
			here ? " aria-current=\"page\"" : "", items[i].name);
	}
	buf_str(r->out,
		"</ul></nav><form class=\"find\" role=\"search\" action=\"/\">"
		"<label class=\"vh\" for=\"q\">Find a service</label><input id=\"q\" name=\"q\" "
		"type=\"search\" maxlength=\"100\" placeholder=\"Find a service\" value=\"");
	buf_html(r->out, query_value(r, "q"));
	buf_str(r->out, "\"/><button>Find</button></form></header>\n");
}

static void script(const struct render *r, const char *name)
{
	if (embedded_find(name) != NULL)
		buf_fmt(r->out, "<script src=\"/assets/%s?v=%s\" defer=\"defer\"></script>\n", name,
			r->site->assets);
}

void html_begin(const struct render *r, const struct html_page *page)
{
	struct buf *b = r->out;

	buf_str(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n<title>");
	buf_html(b, page->title);
	buf_str(b, " · ");
	buf_html(b, r->site->name);
	buf_str(b, "</title>\n<meta name=\"viewport\" content=\"width=device-width, "
		   "initial-scale=1\"/>"
		   "<meta name=\"color-scheme\" content=\"light dark\"/>\n");
	if (page->description != NULL && page->description[0] != '\0') {
		buf_str(b, "<meta name=\"description\" content=\"");
		buf_html(b, page->description);
		buf_str(b, "\"/>\n");
	}
	if (r->site->base_url[0] != '\0' && page->path != NULL) {
		buf_str(b, "<link rel=\"canonical\" href=\"");
		buf_html(b, r->site->base_url);
		buf_html(b, page->path);
		buf_str(b, "\"/>\n");
	}
	if (page->refresh != NULL)
		buf_fmt(b,
			"<noscript><meta http-equiv=\"refresh\" "
			"content=\"1;url=%s\"/></noscript>\n",
			page->refresh);
	const char *feed = page->feed != NULL ? page->feed : "/feed";
	buf_fmt(b,
		"<link rel=\"stylesheet\" href=\"/assets/site.css?v=%s\"/>"
		"<link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"/>\n"
		"<link rel=\"alternate\" type=\"application/atom+xml\" title=\"Incidents\" "
		"href=\"%s.atom\"/>"
		"<link rel=\"alternate\" type=\"application/feed+json\" title=\"Incidents\" "
		"href=\"%s.json\"/>\n",
		r->site->assets, feed, feed);
	if (page->live != NULL)
		script(r, "htmx.js");
	script(r, "site.js");
	buf_str(b, "</head><body><a class=\"skip\" href=\"#main\">Skip to the content</a>\n");
	menu(r, page->path != NULL ? page->path : "");
	buf_fmt(b, "<main id=\"main\"%s>\n",
		page->live != NULL ? " hx-ext=\"sse\" sse-connect=\"/api/v1/events\"" : "");
}

void html_live_begin(const struct render *r, const char *path, const char *event)
{
	buf_fmt(r->out,
		"<div id=\"live\" hx-get=\"%s\" hx-trigger=\"sse:%s, again\" "
		"hx-swap=\"outerHTML\">\n",
		path, event);
}

void html_live_end(const struct render *r)
{
	buf_str(r->out, "</div>\n");
}

void html_end(const struct render *r)
{
	struct buf *b = r->out;
	struct words w = html_words(r);

	w.dated = true; /* of a picture or a print, too */
	buf_str(b, "</main>\n<footer><p>");
	/* 0: the engine has only just been started. */
	if (r->snapshot->now.ns != 0 && !r->timeless) {
		buf_str(b, "As of ");
		words_time(&w, r->snapshot->now);
		buf_str(b, ". ");
	}
	buf_str(b, "<a href=\"/method\">How it decides</a>, <a href=\"/feed.atom\">Atom</a>, "
		   "<a href=\"/feed.json\">JSON feed</a>, <a href=\"/api\">API</a>");
	if (r->site->contact[0] != '\0') {
		bool mail = strchr(r->site->contact, ':') == NULL;
		buf_str(b, mail ? ", <a href=\"mailto:" : ", <a href=\"");
		buf_html(b, r->site->contact);
		buf_str(b, "\">contact</a>");
	}
	buf_str(b, ".</p><p>whydown is free software (Apache-2.0). Reports are counted; "
		   "the addresses they come from are not kept.</p></footer></body></html>\n");
}

void html_status(struct buf *b, enum status s)
{
	buf_fmt(b, "<span class=\"st %s\">%s</span>", status_name(s), status_label(s));
}

void html_service_link(const struct render *r, const char *id)
{
	bool known = snapshot_service(r->snapshot, id) != NULL;

	if (known) {
		buf_str(r->out, "<a href=\"/s/");
		buf_html(r->out, id);
		buf_str(r->out, "\">");
	}
	buf_html(r->out, service_title(r->snapshot, id));
	if (known)
		buf_str(r->out, "</a>");
}

/* A cell: the heaviest vector where there is one, else which kinds of signal. */
static void carried_by(const struct render *r, const struct incident *i)
{
	struct words w = html_words(r);
	uint32_t kinds = incident_kinds(i);
	const char *before = "";

	buf_str(r->out, "</td><td>");
	for (uint32_t k = INCIDENT_REPORTS; k <= INCIDENT_REQUESTS; k <<= 1) {
		if ((kinds & k) == 0)
			continue;
		buf_fmt(r->out, "%s%s", before,
			k == INCIDENT_REPORTS && i->metric
				? "values"
				: incident_kind_name((enum incident_kind)k));
		before = ", ";
	}
	size_t at = r->out->len;
	words_text(&w, ": ");
	size_t named = r->out->len;
	words_main_vector(&w, r->snapshot, i);
	if (r->out->len == named && !r->out->bad) { /* none: the colon goes again */
		r->out->len = at;
		r->out->data[at] = '\0';
	}
}

void html_incident_row(const struct render *r, const struct incident *i, bool with_service)
{
	struct buf *b = r->out;
	struct words w = html_words(r);
	struct rank rank = snapshot_rank(r->snapshot, i);
	enum severity severity = incident_severity_word(i);

	buf_str(b, "<tr>");
	if (with_service) {
		buf_str(b, "<th scope=\"row\">");
		html_service_link(r, i->service);
		buf_str(b, "</th>");
	}
	buf_str(b, with_service ? "<td><a href=\"/i/" : "<th scope=\"row\"><a href=\"/i/");
	buf_html(b, i->id);
	buf_str(b, "\">");
	words_time(&w, i->began_at);
	buf_str(b, "</a>");
	if (i->reconstruction)
		buf_str(b, " <span class=\"tag\">reconstruction</span>");
	buf_str(b, with_service ? "</td><td>" : "</th><td>");
	if (incident_kinds(i) & INCIDENT_REPORTS)
		words_span(b, incident_duration(i, w.now));
	else
		words_seconds(b, incident_duration(i, w.now));
	buf_str(b, i->ended_at.ns == 0 ? " so far</td><td>" : "</td><td>");
	words_strength(b, i);
	if (with_service)
		carried_by(r, i);
	buf_fmt(b, "</td><td><span class=\"sev %s\">%s</span></td><td>", severity_name(severity),
		severity_name(severity));
	buf_fmt(b, "%zu of %zu</td></tr>\n", rank.by_duration, rank.of);
}

void html_reconstruction(const struct render *r, const char *sources)
{
	const char *rest = strchr(words_reconstruction, ':') + 1;
	buf_fmt(r->out, "<p class=\"recon\"><strong>%.*s</strong>%s",
		(int)(rest - words_reconstruction), words_reconstruction, rest);
	if (sources != NULL)
		buf_fmt(r->out, " <a href=\"%s\">What it is made from</a>", sources);
	buf_str(r->out, "</p>\n");
}

/* Counts are added up, values are meant. */
static struct point table_row(const struct html_table *how, size_t from, size_t to)
{
	struct point sum = {0};
	size_t seen = 0, known = 0;

	for (size_t i = from; i < to; i++) {
		const struct point *p = &how->series->points[i];
		if (point_is_seen(p))
			sum.observed += p->observed;
		sum.expected += p->expected;
		seen += point_is_seen(p);
		known += point_is_known(p);
	}
	if (how->values) {
		sum.observed /= (float)(seen > 0 ? seen : 1);
		sum.expected /= (float)(known > 0 ? known : 1);
	}
	sum.low = (float)seen;
	sum.high = (float)known;
	return sum;
}

static void table_number(struct buf *b, bool values, double n)
{
	if (values)
		words_number(b, n);
	else
		words_count(b, n);
}

void html_series_table(const struct render *r, const struct html_table *how)
{
	struct buf *b = r->out;
	struct words w = html_words(r);
	const struct series *series = how->series;
	size_t count = how->unfinished && series->count > 0 ? series->count - 1 : series->count;
	size_t rows = 24, width = (count + rows - 1) / rows;

	if (count == 0)
		return;
	buf_fmt(b,
		"<details id=\"t-%s\"><summary>The same as a table</summary><table "
		"class=\"num\"><caption>",
		how->id);
	buf_html(b, how->caption);
	buf_fmt(b,
		"</caption><thead><tr><th scope=\"col\">From</th><th scope=\"col\">Observed%s</th>"
		"<th scope=\"col\">Usual</th></tr></thead><tbody>\n",
		how->values ? " (mean)" : "");
	for (size_t i = 0; i < count; i += width) {
		struct point row = table_row(how, i, i + width < count ? i + width : count);
		bool seen = row.low > 0, known = row.high > 0;
		buf_str(b, "<tr><th scope=\"row\">");
		words_time(&w, wall_add(series->begin, (wd_span){series->step.ns * (int64_t)i}));
		buf_str(b, "</th><td>");
		if (seen)
			table_number(b, how->values, row.observed);
		else
			buf_str(b, "not seen");
		buf_str(b, "</td><td>");
		if (known || (seen && !how->values))
			table_number(b, how->values, row.expected);
		else
			buf_str(b, "not known");
		buf_str(b, "</td></tr>\n");
	}
	buf_str(b, "</tbody></table></details>\n");
}

void html_service_chart(const struct render *r, const struct service_state *s,
			const struct html_chart *how)
{
	struct buf description;
	char title[SERVICE_NAME_MAX + 80], unit[WORDS_UNIT_MAX];
	const struct series *series = how->series;

	words_unit(unit, s, series);
	snprintf(title, sizeof(title), "%s: %s, %s", s->service->name, unit, how->span);
	struct chart chart = {
		.series = series,
		.id = how->id,
		.title = title,
		.unit = unit,
		.height = how->height,
		.unfinished = how->unfinished,
		.values = s->metric,
	};
	(void)chart_shade_incidents(&chart, r->snapshot, s->service->id);
	buf_init(&description, 1024);
	struct words w = {.out = &description, .now = r->snapshot->now};
	words_status(&w, r->snapshot, s);
	buf_fmt(&description, " Incidents shaded: %zu. A table with the numbers follows.",
		chart.span_count);
	chart.description = description.bad ? "" : description.data;
	chart_svg(r->out, &chart);
	buf_done(&description);
}
