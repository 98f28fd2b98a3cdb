/* SPDX-License-Identifier: Apache-2.0 */
/* An incident: headline, chart with its waves, timeline, scope, numbers, what is related. */
#include "publish/chart.h"
#include "publish/html.h"
#include "publish/incident_series.h"
#include "publish/page_traffic.h"
#include "publish/words_traffic.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- chart ---- */

/* `window`: what it shows of it; end 0 = all. */
static void incident_chart(const struct render *r, struct chart_span window)
{
	const struct incident *i = r->incident;
	struct incident_series found = incident_series_open(r, i);
	int64_t minutes = span_to_s(found.series.step) / 60;
	bool values = i->metric;
	char title[SERVICE_NAME_MAX + 40], unit[40];

	if (found.series.count == 0) {
		buf_str(r->out,
			"<p class=\"empty\">The series of this incident is not kept any more; "
			"its numbers are.</p>\n");
		return;
	}
	snprintf(title, sizeof(title), "%s %s during the incident",
		 values ? "Values of" : "Reports about", service_title(r->snapshot, i->service));
	bool hours = minutes >= 60;
	int amount = (int)(hours ? minutes / 60 : minutes > 0 ? minutes : 1);
	snprintf(unit, sizeof(unit), values ? "(means of %d %s)" : "in %d %s", amount,
		 hours ? "h" : "min");
	struct chart chart = {
		.series = &found.series,
		.id = "incident",
		.title = title,
		.description =
			"Its waves are shaded and numbered. A table with the numbers follows.",
		.unit = unit,
		.height = window.end.ns != 0 ? 190 : 260,
		.unfinished = found.unfinished,
		.values = values,
		.numbered = i->wave_count > 1,
		.window = window,
		.mark = window.end.ns != 0 ? i->decided_at : (wd_wall){0},
	};
	for (uint32_t n = 0; n < i->wave_count; n++)
		chart_shade(&chart, i->waves[n].began_at, i->waves[n].ended_at);
	if (i->wave_count == 0)
		chart_shade(&chart, i->began_at, i->ended_at);
	buf_str(r->out, "<figure data-series=\"/api/v1/incidents/");
	buf_html(r->out, i->id);
	buf_fmt(r->out,
		"\"><figcaption><h2>%s <small class=\"zone\">UTC</small></h2>"
		"<output class=\"read\"></output></figcaption>", values ? "Values" : "Reports");
	chart_svg(r->out, &chart);
	buf_str(r->out,
		"<p class=\"legend\"><span class=\"l-seen\">observed</span><span class=\"l-usual\">"
		"usual, with its spread</span><span class=\"l-inc\">wave</span>");
	if (found.unfinished)
		buf_str(r->out, "<span class=\"l-last\">still counting</span>");
	if (window.end.ns != 0)
		buf_str(r->out, "<span class=\"l-alarm\">called an incident</span>");
	buf_str(r->out, "</p>\n");
	if (found.series.step.ns != i->step.ns) {
		buf_str(r->out, "<p class=\"note\">Each point is of ");
		words_span(r->out, found.series.step);
		buf_str(r->out, values ? ", the value farthest from usual of "
				       : ", the peak told elsewhere of ");
		words_span(r->out, i->step);
		buf_str(r->out, ".</p>\n");
	}
	html_series_table(r, &(struct html_table){.series = &found.series,
						  .id = "incident",
						  .caption = title,
						  .unfinished = found.unfinished,
						  .values = values});
	buf_str(r->out, "</figure>\n");
	incident_series_close(&found);
}

/* ---- numbers, scope, related ---- */

static void fact(const struct render *r, const char *name)
{
	buf_fmt(r->out, "</dd></div><div><dt>%s</dt><dd>", name);
}

static void numbers(const struct render *r)
{
	const struct incident *i = r->incident;
	struct rank rank = snapshot_rank(r->snapshot, i);
	struct buf *b = r->out;

	buf_fmt(b, "<dl class=\"facts\"><div><dt>Severity</dt><dd><span class=\"sev %s\">%s</span>",
		severity_name(incident_severity_word(i)), severity_name(incident_severity_word(i)));
	fact(r, i->ended_at.ns == 0 ? "Lasts" : "Lasted");
	if (incident_kinds(i) & INCIDENT_REPORTS)
		words_span(b, incident_duration(i, r->snapshot->now));
	else
		words_seconds(b, incident_duration(i, r->snapshot->now));
	fact(r, words_strength_label(i));
	words_strength(b, i);
	if ((incident_kinds(i) & INCIDENT_REPORTS) != 0 && i->excess > 0 &&
	    !i->metric) {
		fact(r, "Reports above usual");
		words_count(b, i->excess);
	}
	if (i->persons > 0) {
		fact(r, "Persons");
		words_count(b, i->persons);
	}
	if (i->networks > 0) {
		fact(r, "Networks");
		words_count(b, i->networks);
	}
	fact(r, "Longest");
	buf_fmt(b, "%zu of %zu", rank.by_duration, rank.of);
	fact(r, "Most severe");
	buf_fmt(b, "%zu of %zu", rank.by_severity, rank.of);
	buf_str(b, "</dd></div></dl>\n");
}

static void silence(const struct render *r)
{
	struct words w = html_words(r);
	const struct incident *i = r->incident;
	if (i->traffic.silent_since.ns == 0 && i->requests.silent_since.ns == 0)
		return;
	buf_str(r->out, "<p class=\"note\">");
	words_silence(&w, i);
	buf_str(r->out, "</p>\n");
}

/* The rows of one dimension, under its name. */
static void scope_rows(const struct render *r, enum dimension d)
{
	const struct service_state *s = snapshot_service(r->snapshot, r->incident->service);
	struct words w = html_words(r);
	struct buf *b = r->out;
	size_t told = 0;

	for (uint32_t n = 0; n < r->incident->scope_count; n++) {
		const struct scope *scope = &r->incident->scopes[n];
		if (scope->dimension != d)
			continue;
		if (told++ == 0)
			buf_fmt(b,
				"<tbody><tr class=\"group\"><th colspan=\"4\" "
				"scope=\"rowgroup\">%s</th></tr>\n",
				dimension_label(d));
		buf_str(b, "<tr><th scope=\"row\">");
		words_value(&w, s != NULL ? s->service : NULL, d, scope->value);
		/* Its first minutes are not sealed yet. */
		if (scope->observed <= scope->expected && r->incident->state != INCIDENT_CLOSED) {
			buf_str(b, "</th><td colspan=\"3\">still counting</td></tr>\n");
			continue;
		}
		buf_str(b, "</th><td>");
		words_count(b, scope->observed);
		buf_str(b, "</td><td>");
		words_count(b, scope->expected);
		buf_str(b, "</td><td>");
		words_ratio(b, scope->observed, scope->expected);
		buf_str(b, " ×</td></tr>\n");
	}
	if (told > 0)
		buf_str(b, "</tbody>\n");
}

static void scope(const struct render *r)
{
	buf_str(r->out, "<section aria-labelledby=\"scope\"><h2 id=\"scope\">Scope</h2>\n");
	if (r->incident->scope_count == 0) {
		buf_str(r->out, "<p class=\"empty\">No surface, problem or place stands out by "
				"itself.</p></section>\n");
		return;
	}
	buf_str(r->out, "<p class=\"note\">Each of these is significantly above its own usual. "
			"Where people report from does not tell where a cause "
			"lies.</p><table class=\"num\"><thead><tr><th "
			"scope=\"col\">Where</th>"
			"<th scope=\"col\">Reports</th><th scope=\"col\">Usual</th><th "
			"scope=\"col\">Ratio</th></tr></thead>\n");
	for (int d = DIMENSION_SURFACE; d < DIMENSION_COUNT; d++)
		scope_rows(r, (enum dimension)d);
	buf_str(r->out, "</table>");
	if (r->incident->scope_dropped > 0)
		buf_fmt(r->out, "<p class=\"note\">and %u more</p>", r->incident->scope_dropped);
	buf_str(r->out, "</section>\n");
}

static const char *relation_words(enum relation relation)
{
	switch (relation) {
	case RELATION_SAME_TIME: return "began at the same time";
	case RELATION_SHARED_PROVIDER: return "began at the same time and shares a provider";
	case RELATION_SPILLOVER:
		return "smaller and a little later: likely reports meant for the other";
	}
	return "";
}

static void related(const struct render *r)
{
	const struct incident *i = r->incident;
	struct words w = html_words(r);

	if (i->related_count == 0)
		return;
	buf_str(r->out,
		"<section aria-labelledby=\"related\"><h2 id=\"related\">Related incidents</h2>"
		"<ul class=\"lines\">\n");
	for (uint32_t n = 0; n < i->related_count; n++) {
		const struct incident *other = snapshot_incident(r->snapshot, i->related[n].id);
		buf_str(r->out, "<li>");
		if (other != NULL) {
			buf_str(r->out, "<a href=\"/i/");
			buf_html(r->out, other->id);
			buf_str(r->out, "\">");
			words_headline(&w, r->snapshot, other);
			buf_str(r->out, "</a>");
		} else {
			buf_html(r->out, i->related[n].id);
		}
		buf_fmt(r->out, "<p>%s</p></li>\n", relation_words(i->related[n].relation));
	}
	buf_str(r->out, "</ul></section>\n");
}

/* ---- the page ---- */

/* One time axis for reports and traffic: what both show, and a little before and after. */
static struct chart_span joint_window(const struct render *r, const struct trace *t)
{
	const struct incident *i = r->incident;
	struct chart_span s = page_trace_span(t);
	wd_wall end = i->ended_at.ns != 0 ? i->ended_at : r->snapshot->now;

	if (wall_before(i->began_at, s.begin))
		s.begin = i->began_at;
	if (wall_before(s.end, end))
		s.end = end;
	wd_span margin = {wall_sub(s.end, s.begin).ns / 8};
	if (margin.ns < 5 * i->step.ns)
		margin.ns = 5 * i->step.ns;
	s.begin = wall_back(s.begin, margin);
	s.end = wall_add(s.end, i->ended_at.ns != 0 ? margin : (wd_span){0});
	return s;
}

static void charts(const struct render *r, const struct trace *t)
{
	bool reports = (incident_kinds(r->incident) & INCIDENT_REPORTS) != 0;
	bool traffic = t != NULL && t->point_count > 0;
	struct chart_span window = {{0}, {0}};

	if (reports && traffic)
		window = joint_window(r, t);
	if (reports)
		incident_chart(r, window);
	if (traffic)
		page_traffic_chart(r, t, window);
}

void page_incident_live(const struct render *r)
{
	const struct incident *i = r->incident;
	struct words w = html_words(r);
	char path[INCIDENT_ID_MAX + 32], event[SERVICE_ID_MAX + 16];
	const char *show = query_value(r, "show");

	snprintf(path, sizeof(path), "/i/%s/live%s%s", i->id, page_shows(show) ? "?show=" : "",
		 page_shows(show) ? show : "");
	snprintf(event, sizeof(event), "service.%s", i->service);
	html_live_begin(r, path, event);
	buf_str(r->out, "<p class=\"crumb\">");
	html_service_link(r, i->service);
	buf_fmt(r->out, " <span class=\"st %s\">%s</span></p><h1>",
		i->state == INCIDENT_CLOSED ? "usual"
		: i->state == INCIDENT_OPEN ? "incident"
					    : "unusual",
		incident_state_name(i->state));
	words_headline(&w, r->snapshot, i);
	buf_str(r->out, "</h1>\n");
	if (i->reconstruction)
		html_reconstruction(r, "#made-from");
	buf_str(r->out, "<p class=\"lead\">");
	words_peak(&w, i);
	buf_str(r->out, "</p>\n");
	struct page_trace found = page_trace_open(r, i);
	const struct trace *t = found.trace;
	if (t != NULL)
		page_traffic_lead(r, t);
	buf_str(r->out, "<p>");
	words_rank(&w, r->snapshot, i);
	buf_str(r->out, ".</p><p class=\"odds\">");
	words_incident_odds(&w, i);
	buf_str(r->out, "</p>\n");
	charts(r, t);
	page_incident_proof(r, t);
	numbers(r);
	silence(r);
	page_incident_timeline(r, t);
	if (t != NULL)
		page_traffic_vectors(r, t);
	page_requests_findings(r);
	if (t != NULL)
		page_traffic_sources(r, t);
	if (incident_kinds(i) & INCIDENT_REPORTS && !i->metric)
		scope(r);
	page_incident_evidence(r, t);
	page_comments_incident(r);
	page_incident_made_from(r);
	related(r);
	page_trace_close(&found);
	html_live_end(r);
}

void page_incident(const struct render *r)
{
	const struct incident *i = r->incident;
	struct buf title, description;
	char path[INCIDENT_ID_MAX + 8];

	snprintf(path, sizeof(path), "/i/%s", i->id);
	buf_init(&title, 1024);
	buf_init(&description, 2048);
	struct words w = {.out = &title, .now = r->snapshot->now};
	words_headline(&w, r->snapshot, i);
	w.out = &description;
	words_incident(&w, r->snapshot, i);
	html_begin(r, &(struct html_page){
			      .title = title.bad ? i->id : title.data,
			      .description = description.bad ? NULL : description.data,
			      .path = path,
			      .live = i->state != INCIDENT_CLOSED ? path : NULL,
		      });
	buf_done(&title);
	buf_done(&description);
	page_incident_live(r);
	buf_str(r->out, "<p class=\"more\"><a href=\"/api/v1/incidents/");
	buf_html(r->out, i->id);
	buf_str(r->out, "\">The same as JSON</a> · <a href=\"/i/");
	buf_html(r->out, i->id);
	buf_str(r->out, "/versions\">What was said, and when</a> · <a href=\"/history?service=");
	buf_html(r->out, i->service);
	buf_str(r->out, "\">All incidents of ");
	buf_html(r->out, service_title(r->snapshot, i->service));
	buf_str(r->out, "</a></p>\n");
	html_end(r);
}
