/* SPDX-License-Identifier: Apache-2.0 */
/* A service: its status in one sentence, its charts, who is affected, and the form to report. */
#include "publish/chart.h"
#include "publish/client_notes.h"
#include "publish/html.h"
#include "publish/page_traffic.h"
#include "publish/words_traffic.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

enum { SHARES_A_DIMENSION = 8, PAST_MAX = 10 };

static void related_services(const struct render *r, const struct service *s)
{
	struct buf *b = r->out;

	buf_str(b, "<dl class=\"facts\">");
	if (s->aliases.count > 0) {
		buf_str(b, "<div><dt>Also called</dt><dd>");
		for (size_t i = 0; i < s->aliases.count; i++) {
			buf_str(b, i > 0 ? ", " : "");
			buf_html(b, s->aliases.items[i]);
		}
		buf_str(b, "</dd></div>");
	}
	if (s->category != NULL && s->category[0] != '\0') {
		buf_str(b, "<div><dt>Category</dt><dd>");
		buf_html(b, s->category);
		buf_str(b, "</dd></div>");
	}
	if (s->link_count > 0) {
		buf_str(b, "<div><dt>Links</dt><dd>");
		for (size_t i = 0; i < s->link_count; i++) {
			buf_str(b, i > 0 ? ", <a rel=\"noopener nofollow\" href=\""
					 : "<a rel=\"noopener nofollow\" href=\"");
			buf_html(b, s->links[i].url);
			buf_str(b, "\">");
			buf_html(b, s->links[i].name);
			buf_str(b, "</a>");
		}
		buf_str(b, "</dd></div>");
	}
	if (s->relies_on.count > 0) {
		buf_str(b, "<div><dt>Relies on</dt><dd>");
		for (size_t i = 0; i < s->relies_on.count; i++) {
			const struct service_state *other =
				snapshot_service(r->snapshot, s->relies_on.items[i]);
			buf_str(b, i > 0 ? ", " : "");
			html_service_link(r, s->relies_on.items[i]);
			if (other != NULL && other->status == STATUS_INCIDENT) {
				buf_char(b, ' ');
				html_status(b, other->status);
			}
		}
		buf_str(b, "</dd></div>");
	}
	buf_str(b, "</dl>\n");
}

/* ---- who is affected ---- */

static void share_rows(const struct render *r, enum dimension d)
{
	const struct service_state *s = r->service;
	struct words w = html_words(r);
	struct buf *b = r->out;
	double most = 0;
	size_t told = 0, left = 0;

	for (size_t i = 0; i < s->share_count; i++) {
		if (s->shares[i].dimension == d && s->shares[i].observed_24h > most)
			most = s->shares[i].observed_24h;
	}
	if (most <= 0)
		return;
	buf_fmt(b,
		"<section class=\"share\"><h3>%s</h3><table><thead class=\"vh\"><tr>"
		"<th scope=\"col\">%s</th><th scope=\"col\">Reports in 24 "
		"hours</th></tr></thead><tbody>\n",
		dimension_label(d), dimension_label(d));
	for (size_t i = 0; i < s->share_count; i++) {
		const struct share *share = &s->shares[i];
		if (share->dimension != d || share->observed_24h <= 0)
			continue;
		if (told == SHARES_A_DIMENSION) {
			left++;
			continue;
		}
		told++;
		buf_fmt(b, "<tr%s><th scope=\"row\">", share->significant ? " class=\"sig\"" : "");
		words_value(&w, s->service, d, share->value);
		if (share->significant)
			buf_str(b, " <em>above usual</em>");
		buf_fmt(b,
			"<svg class=\"bar\" aria-hidden=\"true\"><rect width=\"%.1f%%\" "
			"height=\"6\"/></svg></th><td>",
			100.0 * share->observed_24h / most);
		words_count(b, share->observed_24h);
		buf_str(b, "</td></tr>\n");
	}
	buf_str(b, "</tbody></table>");
	if (left > 0)
		buf_fmt(b, "<p class=\"note\">and %zu more</p>", left);
	buf_str(b, "</section>\n");
}

static void shares(const struct render *r)
{
	static const enum dimension told[] = {DIMENSION_SURFACE, DIMENSION_PROBLEM,
					      DIMENSION_COUNTRY, DIMENSION_CITY, DIMENSION_NETWORK};

	if (r->service->share_count == 0)
		return;
	buf_str(r->out,
		"<section aria-labelledby=\"who\"><h2 id=\"who\">What and where, last 24 hours</h2>"
		"<div class=\"shares\">\n");
	for (size_t i = 0; i < WD_COUNT(told); i++)
		share_rows(r, told[i]);
	buf_str(r->out, "</div></section>\n");
}

/* ---- charts ---- */

static void legend(const struct render *r)
{
	buf_str(r->out, "<p class=\"legend\"><span class=\"l-seen\">observed</span>"
			"<span class=\"l-usual\">usual, with its spread</span>"
			"<span class=\"l-inc\">incident</span><span class=\"l-last\">still "
			"counting</span></p>\n");
}

static void day_chart(const struct render *r)
{
	const struct service_state *s = r->service;

	if (s->day.count == 0 || s->first_seen_at.ns == 0) {
		if (s->traffic != NULL) /* else the sentence above says so */
			buf_str(r->out, "<p class=\"empty\">No reports to draw yet.</p>\n");
		return;
	}
	buf_str(r->out, "<figure data-series=\"/api/v1/services/");
	buf_html(r->out, s->service->id);
	buf_str(r->out,
		"/series?range=24h\"><figcaption><h2>Last 24 hours <small "
		"class=\"zone\">UTC</small></h2><output class=\"read\"></output></figcaption>");
	html_service_chart(r, s,
			   &(struct html_chart){.series = &s->day,
						.id = "day",
						.span = "last 24 hours",
						.height = 260,
						.unfinished = true});
	legend(r);
	html_series_table(r, &(struct html_table){.series = &s->day,
						  .id = "day",
						  .caption = "Last 24 hours",
						  .unfinished = true,
						  .values = s->metric});
	buf_str(r->out, "</figure>\n");
}

/* What is now, or something that the chart of the day shows, was played. */
static bool is_played(const struct render *r)
{
	const struct service_state *s = r->service;
	struct chart day = {.series = &s->day};

	return s->reconstruction ||
	       (s->day.count > 0 && chart_shade_incidents(&day, r->snapshot, s->service->id));
}

static void long_charts(const struct render *r)
{
	const struct service_state *s = r->service;
	const struct {
		const struct series *series;
		const char *id, *title, *span, *range;
	} charts[] = {
		{&s->week, "week", "7 days", "last 7 days", "7d"},
		{&s->quarter, "quarter", "90 days", "last 90 days", "90d"},
	};

	if (s->first_seen_at.ns == 0)
		return;
	buf_str(r->out, "<div class=\"two\">\n");
	for (size_t i = 0; i < WD_COUNT(charts); i++) {
		if (charts[i].series->count == 0)
			continue;
		buf_str(r->out, "<figure data-series=\"/api/v1/services/");
		buf_html(r->out, s->service->id);
		buf_fmt(r->out,
			"/series?range=%s\"><figcaption><h2>%s</h2>"
			"<output class=\"read\"></output></figcaption>",
			charts[i].range, charts[i].title);
		html_service_chart(r, s,
				   &(struct html_chart){.series = charts[i].series,
							.id = charts[i].id,
							.unfinished = true,
							.span = charts[i].span,
							.height = 170});
		html_series_table(r, &(struct html_table){.series = charts[i].series,
							  .id = charts[i].id,
							  .caption = charts[i].title,
							  .unfinished = true,
							  .values = s->metric});
		buf_str(r->out, "</figure>\n");
	}
	buf_str(r->out, "</div>\n");
}

/* ---- past incidents ---- */

/* 0 = nothing was ever seen of it, so that nothing can be said. */
static wd_wall watched_since(const struct render *r)
{
	const struct service_state *s = r->service;
	wd_wall since = r->snapshot->since;

	if (s->traffic != NULL)
		return since;
	return wall_before(since, s->first_seen_at) ? s->first_seen_at
	       : s->first_seen_at.ns == 0           ? s->first_seen_at
						    : since;
}

static void past_incidents(const struct render *r)
{
	const struct snapshot *s = r->snapshot;
	struct words w = html_words(r);
	struct buf *b = r->out;
	size_t told = 0;

	buf_str(b, "<section aria-labelledby=\"past\"><h2 id=\"past\">Incidents</h2>\n");
	for (size_t i = 0; i < s->incident_count; i++) {
		const struct incident *incident = &s->incidents[i];
		if (strcmp(incident->service, r->service->service->id) != 0)
			continue;
		if (told++ == PAST_MAX)
			break;
		if (told == 1)
			buf_str(b, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
				   "aria-labelledby=\"past\"><table class=\"list\"><thead><tr><th "
				   "scope=\"col\">Began</th>"
				   "<th scope=\"col\">Lasted</th><th scope=\"col\">Peak</th>"
				   "<th scope=\"col\">Severity</th><th "
				   "scope=\"col\">Longest</th></tr></thead><tbody>\n");
		html_incident_row(r, incident, false);
	}
	if (told > 0) {
		buf_str(b, "</tbody></table></div><p class=\"more\"><a href=\"/history?service=");
		buf_html(b, r->service->service->id);
		buf_str(b, "\">All incidents of ");
		buf_html(b, r->service->service->name);
		buf_str(b, "</a></p>");
	} else {
		wd_wall since = watched_since(r);
		buf_str(b, since.ns != 0
				   ? "<p class=\"empty\">None since "
				   : "<p class=\"empty\">None: nothing of it has been seen yet");
		if (since.ns != 0)
			words_date(&w, since);
		buf_str(b, ".</p>");
	}
	buf_str(b, "</section>\n");
}

/* ---- the form ---- */

static void report_form(const struct render *r)
{
	const struct service *s = r->service->service;
	struct buf *b = r->out;

	buf_str(b, "<section class=\"report\" id=\"report\" aria-labelledby=\"report-h\">"
		   "<h2 id=\"report-h\">A problem with ");
	buf_html(b, s->name);
	buf_str(b, "?</h2>\n");
	if (query_value(r, "reported")[0] != '\0')
		buf_str(b, "<p class=\"thanks\" role=\"status\">Thank you: your report has been "
			   "taken. "
			   "It is in the chart within two seconds, unless you have reported this "
			   "within the last quarter of an hour.</p>\n");
	buf_str(b, "<form method=\"post\" action=\"/api/v1/reports\"><input type=\"hidden\" "
		   "name=\"service\" value=\"");
	buf_html(b, s->id);
	buf_str(b, "\"/>\n");
	if (s->surface_count > 0) {
		buf_str(b, "<fieldset><legend>Where? <small>(if you know)</small></legend><div "
			   "class=\"chips\">");
		for (size_t i = 0; i < s->surface_count; i++) {
			buf_str(b, "<label><input type=\"radio\" name=\"surface\" value=\"");
			buf_html(b, s->surfaces[i].id);
			buf_str(b, "\"/><span>");
			buf_html(b, s->surfaces[i].name);
			buf_str(b, "</span></label>");
		}
		buf_str(b, "</div></fieldset>\n");
	}
	buf_str(b,
		"<details><summary>Add a comment or your city</summary>"
		"<label for=\"comment\">Comment <small>(shown with your country, if it is "
		"published)</small></label>"
		"<textarea id=\"comment\" name=\"comment\" rows=\"2\" maxlength=\"500\"></textarea>"
		"<label for=\"city\">City</label>"
		"<input id=\"city\" name=\"city\" maxlength=\"64\" "
		"autocomplete=\"address-level2\"/></details>\n"
		"<fieldset><legend>What is wrong? <small>One click sends it.</small></legend>"
		"<div class=\"buttons\">");
	for (size_t i = 0; i < s->problem_count; i++) {
		buf_str(b, "<button name=\"problem\" value=\"");
		buf_html(b, s->problems[i].id);
		buf_str(b, "\">");
		buf_html(b, s->problems[i].name);
		buf_str(b, "</button>");
	}
	if (s->problem_count == 0)
		buf_str(b, "<button>I have a problem</button>");
	buf_str(b, "</div></fieldset></form>"
		   "<p class=\"note\">You are counted once in a quarter of an hour. Your address "
		   "becomes a place "
		   "and a daily code, and is then forgotten.</p></section>\n");
}

/* Where buckets arrive whole a single report counts nowhere: no form that says that it does. */
static void no_form(const struct render *r)
{
	buf_str(r->out, "<p class=\"note\">");
	buf_html(r->out, r->service->service->name);
	buf_str(r->out,
		r->service->metric
			? " is known by a metric that is sent here: there is nothing to report."
			: " is known by counts that are sent here: single reports are not "
			  "counted.");
	buf_str(r->out, "</p>\n");
}

/* ---- the page ---- */

static void embeds(const struct render *r)
{
	struct buf *b = r->out;
	const char *id = r->service->service->id;

	buf_str(b, "<details class=\"embed\"><summary>Feeds, data and pictures to "
		   "embed</summary><ul>");
	static const struct {
		const char *tail, *name;
	} items[] = {
		{"/feed.atom", "Atom feed"},
		{"/feed.json", "JSON feed"},
		{"/badge.svg", "badge.svg"},
		{"/chart.svg", "chart.svg"},
	};
	for (size_t i = 0; i < WD_COUNT(items); i++)
		buf_fmt(b, "<li><a href=\"/s/%s%s\">%s</a></li>", id, items[i].tail, items[i].name);
	buf_fmt(b, "<li><a href=\"/api/v1/services/%s\">JSON</a></li></ul></details>\n", id);
}

static void live_top(const struct render *r)
{
	const struct service_state *s = r->service;
	struct words w = html_words(r);
	char path[SERVICE_ID_MAX + 16], event[SERVICE_ID_MAX + 16];

	snprintf(path, sizeof(path), "/s/%s/live", s->service->id);
	snprintf(event, sizeof(event), "service.%s", s->service->id);
	html_live_begin(r, path, event);
	buf_str(r->out, "<div class=\"row\"><h1>");
	buf_html(r->out, s->service->name);
	buf_str(r->out, "</h1>");
	html_status(r->out, s->status);
	buf_str(r->out, "</div>");
	if (is_played(r))
		html_reconstruction(r, NULL);
	buf_str(r->out, "<p class=\"lead\">");
	words_status(&w, r->snapshot, s);
	buf_str(r->out, "</p>\n");
	if (s->incident < r->snapshot->incident_count &&
	    (r->snapshot->incidents[s->incident].kinds & ~(uint32_t)INCIDENT_REPORTS) != 0) {
		buf_str(r->out, "<p>");
		words_attack(&w, r->snapshot, &r->snapshot->incidents[s->incident]);
		buf_str(r->out, "</p>\n");
	}
	buf_str(r->out, "<p class=\"odds\">");
	words_status_odds(&w, r->snapshot, s);
	if (s->incident < r->snapshot->incident_count) {
		buf_str(r->out, " <a href=\"/i/");
		buf_html(r->out, r->snapshot->incidents[s->incident].id);
		buf_str(r->out, "\">The incident: timeline, scope, numbers</a>");
	}
	buf_str(r->out, "</p>\n");
	day_chart(r);
	page_traffic_now(r);
	page_clients(r);
	html_live_end(r);
}

/* `swap`: fetched by the live update, to stand in for the one that is there. */
static void live_more(const struct render *r, bool swap)
{
	buf_fmt(r->out, "<div id=\"more\"%s>\n", swap ? " hx-swap-oob=\"true\"" : "");
	shares(r);
	page_comments_day(r);
	long_charts(r);
	past_incidents(r);
	buf_str(r->out, "</div>\n");
}

void page_service_live(const struct render *r)
{
	live_top(r);
	live_more(r, true);
}

void page_service(const struct render *r)
{
	const struct service *s = r->service->service;
	char title[SERVICE_NAME_MAX + 40], path[SERVICE_ID_MAX + 8], feed[SERVICE_ID_MAX + 16];
	struct buf description;

	snprintf(title, sizeof(title), "%s: %s", s->name,
		 r->service->status == STATUS_INCIDENT ? "incident now" : "is it down?");
	snprintf(path, sizeof(path), "/s/%s", s->id);
	snprintf(feed, sizeof(feed), "/s/%s/feed", s->id);
	buf_init(&description, 1024);
	struct words plain = {.out = &description, .now = r->snapshot->now};
	words_status(&plain, r->snapshot, r->service);
	html_begin(r,
		   &(struct html_page){
			   .title = title,
			   .description = description.bad ? NULL : description.data,
			   .path = path,
			   .feed = feed,
			   .live = path,
			   /* Without script the page asks once more, when the report is in the
			      chart. */
			   .refresh = strcmp(query_value(r, "reported"), "1") == 0 ? "?reported=2"
										   : NULL,
		   });
	buf_done(&description);
	buf_str(r->out, "<div class=\"pair\">");
	live_top(r);
	if (r->service->whole)
		no_form(r);
	else
		report_form(r);
	buf_str(r->out, "</div>\n");
	live_more(r, false);
	related_services(r, s);
	embeds(r);
	html_end(r);
}
