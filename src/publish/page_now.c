/* SPDX-License-Identifier: Apache-2.0 */
/* Now: what is down, what is unusual, and every service. */
#include "publish/html.h"

#include "base/check.h"
#include "publish/chart.h"
#include "publish/page_traffic.h"
#include "publish/words_traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHARTS_MAX = 4, /* open incidents that get a chart of their own; the others a line */
	CARDS_MAX = 50,
	LISTED_MAX = 1000, /* services on the page; the search finds the others */
	SCOPE_WORDS_MAX = 3,
	MATCHES_MAX = 50,
	SEARCH_BYTES_MAX = 100,
};

/* The open incidents, most severe first. */
static size_t open_incidents(const struct snapshot *s, const struct incident *ret_open[CARDS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < s->service_count; i++) {
		if (s->services[i]->status != STATUS_INCIDENT ||
		    s->services[i]->incident >= s->incident_count)
			continue;
		const struct incident *incident = &s->incidents[s->services[i]->incident];
		size_t at = count < CARDS_MAX ? count++ : CARDS_MAX;
		for (; at > 0 && ret_open[at - 1]->severity < incident->severity; at--) {
			if (at < CARDS_MAX)
				ret_open[at] = ret_open[at - 1];
		}
		if (at < CARDS_MAX)
			ret_open[at] = incident;
	}
	return count;
}

static size_t count_status(const struct snapshot *s, enum status status)
{
	size_t count = 0;
	for (size_t i = 0; i < s->service_count; i++)
		count += s->services[i]->status == status;
	return count;
}

static void headline(const struct render *r)
{
	const struct snapshot *s = r->snapshot;
	size_t down = count_status(s, STATUS_INCIDENT), unusual = count_status(s, STATUS_UNUSUAL);
	size_t unknown = count_status(s, STATUS_UNKNOWN);
	struct words w = html_words(r);
	struct buf *b = r->out;

	buf_str(b, "<h1>");
	if (down > 0) {
		buf_u64(b, down);
		buf_str(b, down == 1 ? " service has an incident" : " services have an incident");
	} else if (s->service_count > 0 && unknown == s->service_count) {
		bool any = false;
		for (size_t i = 0; i < s->service_count; i++)
			any = any || s->services[i]->first_seen_at.ns != 0;
		buf_str(b, any ? "What is usual is still being learned"
			       : "No report yet: what is usual is still to be learned");
	} else {
		buf_str(b, "No incident now");
	}
	buf_str(b, "</h1><p class=\"lead\">");
	buf_u64(b, s->service_count);
	buf_str(b, s->service_count == 1 ? " service is watched" : " services are watched");
	if (unusual > 0) {
		buf_str(b, ", ");
		buf_u64(b, unusual);
		buf_str(b, " unusual");
	}
	if (unknown > 0 && unknown < s->service_count) {
		buf_str(b, ", ");
		buf_u64(b, unknown);
		buf_str(b, " not known well enough to judge");
	}
	if (s->now.ns != 0) { /* 0: the engine has only just been started */
		buf_str(b, ". As of ");
		words_time(&w, s->now);
	}
	buf_str(b, ".</p>\n");
}

/* "Most in: App, London, GB." */
static void scope_words(const struct render *r, const struct service_state *s,
			const struct incident *i)
{
	static const enum dimension told[] = {DIMENSION_SURFACE, DIMENSION_CITY, DIMENSION_COUNTRY,
					      DIMENSION_PROBLEM};
	struct words w = html_words(r);

	for (size_t d = 0; d < WD_COUNT(told); d++) {
		size_t count = 0;
		for (uint32_t n = 0; n < i->scope_count && count < SCOPE_WORDS_MAX; n++) {
			const struct scope *scope = &i->scopes[n];
			if (scope->dimension != told[d])
				continue;
			if (count++ == 0)
				buf_fmt(r->out, "<div><dt>%s</dt><dd>", dimension_label(told[d]));
			else
				buf_str(r->out, " · ");
			words_value(&w, s->service, scope->dimension, scope->value);
		}
		if (count > 0)
			buf_str(r->out, "</dd></div>");
	}
}

/* Its chart, and what is now: of the reports if they carry it, else of the traffic. */
static void card_numbers(const struct render *r, const struct service_state *s,
			 const struct incident *i, bool charted)
{
	struct buf *b = r->out;
	struct now now = service_newest(s);
	bool reports = (incident_kinds(i) & INCIDENT_REPORTS) != 0;
	char id[SERVICE_ID_MAX + 8];

	snprintf(id, sizeof(id), "c-%s", i->service);
	if (!reports && page_traffic_card(r, s, id, charted))
		return;
	if (charted && reports)
		html_service_chart(r, s,
				   &(struct html_chart){.series = &s->day,
							.id = id,
							.span = "last 24 hours",
							.height = 150,
							.unfinished = true});
	buf_str(b, "<dl class=\"facts\"><div><dt>Now</dt><dd>");
	if (!now.seen)
		buf_str(b, "not seen");
	else if (s->metric)
		words_number(b, now.observed);
	else
		words_times(b, now.observed, now.expected);
	buf_str(b, "</dd></div>");
}

/* The vectors that are on, and what their addresses prove. */
static void card_attack(const struct render *r, const struct incident *i)
{
	struct words w = html_words(r);
	const struct incident_traffic *t = &i->traffic;

	if (i->kinds & INCIDENT_TRAFFIC && t->vector_count > 0) {
		buf_str(r->out, "<div><dt>Vectors</dt><dd>");
		words_parts(&w, r->snapshot, t->vectors, t->vector_count);
		buf_fmt(r->out, "</dd></div><div><dt>Addresses%s</dt><dd>%s</dd></div>",
			t->vector_count > 1 ? " of the first" : "", source_word(t->status));
	}
	if (i->kinds & INCIDENT_REQUESTS && i->requests.finding_count > 0) {
		buf_str(r->out, "<div><dt>Requests look like</dt><dd>");
		words_parts(&w, r->snapshot, i->requests.findings, i->requests.finding_count);
		buf_str(r->out, "</dd></div>");
	}
}

static void incident_card(const struct render *r, const struct incident *i, bool charted)
{
	const struct service_state *s = snapshot_service(r->snapshot, i->service);
	struct words w = html_words(r);
	struct buf *b = r->out;

	buf_str(b, "<article class=\"card\"><div class=\"row\"><h3><a href=\"/s/");
	buf_html(b, i->service);
	buf_str(b, "\">");
	buf_html(b, s->service->name);
	buf_str(b, "</a></h3>");
	html_status(b, STATUS_INCIDENT);
	buf_str(b, "</div><p>");
	words_status(&w, r->snapshot, s);
	buf_str(b, "</p>");
	if (i->reconstruction)
		html_reconstruction(r, NULL);
	card_numbers(r, s, i, charted);
	buf_fmt(b, "<div><dt>%s</dt><dd>", words_strength_label(i));
	words_strength(b, i);
	buf_str(b, "</dd></div><div><dt>Lasts</dt><dd>");
	if (incident_kinds(i) & INCIDENT_REPORTS)
		words_span(b, incident_duration(i, r->snapshot->now));
	else
		words_seconds(b, incident_duration(i, r->snapshot->now));
	buf_str(b, "</dd></div>");
	card_attack(r, i);
	scope_words(r, s, i);
	buf_str(b, "</dl><p class=\"more\"><a href=\"/i/");
	buf_html(b, i->id);
	buf_str(b, "\">The incident");
	buf_str(b, "<span class=\"vh\"> of ");
	buf_html(b, s->service->name);
	buf_str(b, "</span></a></p></article>\n");
}

static void down_now(const struct render *r)
{
	const struct incident *open[CARDS_MAX];
	size_t count = open_incidents(r->snapshot, open);

	if (count == 0)
		return;
	buf_str(r->out, "<section aria-labelledby=\"down\"><h2 id=\"down\">Incidents now</h2><div "
			"class=\"cards\">\n");
	for (size_t i = 0; i < count; i++)
		incident_card(r, open[i], i < CHARTS_MAX);
	buf_str(r->out, "</div></section>\n");
}

static void unusual_now(const struct render *r)
{
	struct words w = html_words(r);
	size_t told = 0;

	for (size_t i = 0; i < r->snapshot->service_count && told < CARDS_MAX; i++) {
		const struct service_state *s = r->snapshot->services[i];
		if (s->status != STATUS_UNUSUAL)
			continue;
		if (told++ == 0)
			buf_str(r->out, "<section aria-labelledby=\"unusual\"><h2 "
					"id=\"unusual\">Unusual now</h2>"
					"<ul class=\"lines\">\n");
		buf_str(r->out, "<li><a href=\"/s/");
		buf_html(r->out, s->service->id);
		buf_str(r->out, "\">");
		buf_html(r->out, s->service->name);
		buf_str(r->out, "</a> ");
		html_status(r->out, STATUS_UNUSUAL);
		buf_str(r->out, "<p>");
		words_status(&w, r->snapshot, s);
		buf_char(r->out, ' ');
		words_status_odds(&w, r->snapshot, s);
		buf_str(r->out, "</p>");
		if (s->reconstruction)
			html_reconstruction(r, NULL);
		buf_str(r->out, "</li>\n");
	}
	if (told > 0)
		buf_str(r->out, "</ul></section>\n");
}

/* Of a service of which only traffic is known. */
static void traffic_line(const struct render *r, const struct traffic_state *t)
{
	bool flows = t->flows_at.ns != 0;
	const struct series *s = flows ? &t->recent_packets : &t->recent_requests;
	wd_wall at = flows ? t->flows_at : t->requests_at;

	if (s->count > 0)
		chart_spark(r->out, s, false);
	if (wall_sub(r->snapshot->now, at).ns > 60 * WD_NS_PER_S)
		return;
	buf_str(r->out, "<b>");
	words_rate(r->out, flows ? (double)t->packets_per_s : (double)t->requests_per_s, "/s");
	buf_str(r->out, "</b>");
}

/* One line of the list. It stands here some hundred times: nothing in it is spare. */
static void service_line(const struct render *r, const struct service_state *s)
{
	struct buf *b = r->out;
	struct now now = s->metric ? service_newest(s) : service_now(s);

	buf_str(b, "<li><a href=\"/s/");
	buf_html(b, s->service->id);
	buf_str(b, "\">");
	buf_html(b, s->service->name);
	buf_str(b, "</a>");
	if (s->first_seen_at.ns == 0 && s->traffic != NULL) {
		traffic_line(r, s->traffic);
	} else {
		if (s->day.count > 0 && s->first_seen_at.ns != 0)
			chart_spark(b, &s->day, s->metric);
		if (now.seen && s->first_seen_at.ns != 0) {
			buf_str(b, "<b>");
			if (s->metric)
				words_number(b, now.observed);
			else
				words_count(b, now.observed);
			buf_str(b, "</b>");
		}
	}
	html_status(b, s->status);
	buf_str(b, "</li>\n");
}

static int by_name(const void *a, const void *b)
{
	const struct service_state *const *x = a, *const *y = b;
	int order = strcasecmp((*x)->service->name, (*y)->service->name);
	return order != 0 ? order : strcmp((*x)->service->id, (*y)->service->id);
}

static void all_services(const struct render *r)
{
	const struct snapshot *s = r->snapshot;
	struct buf *b = r->out;

	if (s->service_count == 0) {
		buf_str(b, "<p>No service is configured yet.</p>\n");
		return;
	}
	const struct service_state **sorted = malloc(s->service_count * sizeof(*sorted));
	if (sorted == NULL) {
		b->bad = true;
		return;
	}
	memcpy(sorted, s->services, s->service_count * sizeof(*sorted));
	qsort(sorted, s->service_count, sizeof(*sorted), by_name);
	bool traffic = false, metric = false;
	for (size_t i = 0; i < s->service_count; i++)
		metric = metric || s->services[i]->metric;
	for (size_t i = 0; i < s->service_count; i++)
		traffic = traffic || (s->services[i]->traffic != NULL &&
				      s->services[i]->first_seen_at.ns == 0);
	buf_fmt(b, "<p class=\"note\">Line: reports%s of the last 24 hours. Number: the last 5 "
		   "minutes.",
		metric ? " (of a metric: its values)" : "");
	if (traffic)
		buf_str(b, " With /s: packets or requests of the last minutes, where nobody has "
			   "reported yet.");
	buf_str(b, "</p>"
		   "<ul class=\"all\" id=\"all\">\n");
	for (size_t i = 0; i < s->service_count && i < LISTED_MAX; i++)
		service_line(r, sorted[i]);
	buf_str(b, "</ul>\n");
	if (s->service_count > LISTED_MAX)
		buf_fmt(b, "<p class=\"note\">%zu more: use the search.</p>\n",
			s->service_count - LISTED_MAX);
	free(sorted);
}

void page_now_live(const struct render *r)
{
	html_live_begin(r, "/live", "now");
	headline(r);
	down_now(r);
	unusual_now(r);
	buf_str(r->out,
		"<section aria-labelledby=\"services\"><h2 id=\"services\">All services</h2>\n");
	all_services(r);
	buf_str(r->out, "</section>\n");
	html_live_end(r);
}

/* ---- search ---- */

static bool text_has_nocase(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static bool service_matches(const struct service *s, const char *text)
{
	if (text_has_nocase(s->name, text) || text_has_nocase(s->id, text) ||
	    (s->category != NULL && text_has_nocase(s->category, text)))
		return true;
	for (size_t i = 0; i < s->aliases.count; i++) {
		if (text_has_nocase(s->aliases.items[i], text))
			return true;
	}
	return false;
}

static void search_page(const struct render *r)
{
	const char *text = query_value(r, "q");
	const struct service *exact = catalogue_find(r->snapshot->catalogue, text);
	struct buf *b = r->out;
	size_t found = 0;

	if (exact != NULL) {
		r->page->status = 302;
		snprintf(r->page->location, sizeof(r->page->location), "/s/%s", exact->id);
		return;
	}
	html_begin(r, &(struct html_page){.title = "Search", .path = NULL});
	buf_str(b, "<h1>Services that match</h1>\n");
	for (size_t i = 0; i < r->snapshot->service_count && strlen(text) <= SEARCH_BYTES_MAX;
	     i++) {
		if (!service_matches(r->snapshot->services[i]->service, text))
			continue;
		if (found == 0)
			buf_str(b, "<ul class=\"all\">\n");
		if (found++ < MATCHES_MAX)
			service_line(r, r->snapshot->services[i]);
	}
	if (found > 0)
		buf_str(b, "</ul>\n");
	if (found == 0)
		buf_str(b,
			"<p>No service has this name. <a href=\"/\">See all services.</a></p>\n");
	else if (found > MATCHES_MAX)
		buf_fmt(b, "<p class=\"note\">%zu more match: write more of the name.</p>\n",
			found - MATCHES_MAX);
	html_end(r);
}

void page_now(const struct render *r)
{
	if (query_value(r, "q")[0] != '\0') {
		search_page(r);
		return;
	}
	html_begin(r, &(struct html_page){
			      .title = "Is it down?",
			      .description = "Which online services have problems now, from user "
					     "reports that are "
					     "significantly above what is usual.",
			      .path = "/",
			      .live = "/live",
		      });
	page_now_live(r);
	html_end(r);
}
