/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/page_traffic.h"

#include "model/country.h"
#include "publish/html.h"
#include "publish/words_traffic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MIN = 30, PLACES_SHOWN = 12 };

struct page_trace page_trace_open(const struct render *r, const struct incident *i)
{
	struct page_trace t = {.trace = snapshot_trace(r->snapshot, i->id)};
	if (t.trace != NULL || (incident_kinds(i) & ~(uint32_t)INCIDENT_REPORTS) == 0 ||
	    r->site->incident_trace == NULL)
		return t;
	t.owned = malloc(sizeof(*t.owned));
	if (t.owned != NULL && r->site->incident_trace(r->site->ctx, i, t.owned))
		t.trace = t.owned;
	return t;
}

void page_trace_close(struct page_trace *t)
{
	free(t->owned);
}

/* A text that begins a sentence here. */
static void sentence(struct buf *b, const char *text)
{
	bool small = text[0] >= 'a' && text[0] <= 'z';
	if (small)
		buf_char(b, (char)(text[0] - 'a' + 'A'));
	buf_html(b, text + small);
}

/* What there is to say in one sentence before any chart. */
void page_traffic_lead(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->vector_count == 0)
		return;
	buf_str(b, "<p class=\"lead\">");
	for (uint32_t n = 0; n < t->vector_count && n < 3; n++) {
		buf_str(b, n == 0 ? "" : n + 1 == t->vector_count || n == 2 ? " and " : ", ");
		buf_str(b, "<b>");
		buf_html(b, t->vectors[n].name);
		buf_fmt(b, "</b> (%.0f %%)", (double)t->vectors[n].share * 100);
	}
	if (t->patterns & PATTERN_CARPET)
		buf_str(b, ", spread over many addresses of the service");
	if (t->patterns & PATTERN_PULSE)
		buf_str(b, ", in pulses");
	buf_str(b, ".</p>\n");
}

/* ---- vectors ---- */

static void number_cell(const struct render *r, double n)
{
	buf_str(r->out, "<td>");
	if (n < 0)
		buf_str(r->out, "<span aria-label=\"not known\">–</span>");
	else
		words_count(r->out, round(n));
	buf_str(r->out, "</td>");
}

static void times_cell(const struct render *r, const struct trace_vector *v)
{
	struct words w = html_words(r);
	buf_str(r->out, "<td>");
	words_second(&w, v->first_at);
	buf_str(r->out, ", ");
	words_seconds(r->out, wall_sub(v->last_at, v->first_at));
	buf_str(r->out, "</td>");
}

static void vector_row(const struct render *r, const struct trace_vector *v, bool sampled)
{
	struct buf *b = r->out;
	buf_str(b, "<tr><th scope=\"row\">");
	buf_html(b, v->name);
	buf_fmt(b, "</th><td>%.0f %%</td><td>", (double)v->share * 100);
	if (v->seen < SEEN_MIN) {
		buf_str(b, "seen");
	} else {
		words_rate(b, v->peak_packets_per_s, "packets/s");
		if (sampled)
			buf_fmt(b, " ± %.0f %%", fmax(1, 196 / sqrt((double)v->seen)));
	}
	buf_str(b, "</td><td>");
	words_rate(b, v->peak_bits_per_s, "bit/s");
	buf_str(b, "</td>");
	number_cell(r, v->sources);
	buf_fmt(b, "<td>%s</td>", source_word(v->status));
	times_cell(r, v);
	buf_str(b, "</tr>\n");
}

/* Where its signature is from: the documents, or that nobody has named one. */
static void references(const struct render *r, const char *id, bool unverified)
{
	const struct vector_row *row = vector_row_of(r->snapshot, id);
	struct buf *b = r->out;

	if (row == NULL && !unverified)
		return;
	buf_str(b, "<br/><small>Signature <a href=\"/method/vectors#");
	buf_html(b, row != NULL ? row->id : id);
	buf_str(b, "\"><code>");
	buf_html(b, id);
	buf_str(b, "</code></a>: ");
	if (unverified)
		buf_str(b, "not verified, no document is cited for it yet");
	else
		buf_html(b, row->source);
	buf_str(b, ".</small>");
}

static void vector_reason(const struct render *r, const struct trace_vector *v)
{
	struct buf *b = r->out;
	buf_str(b, "<dt>");
	buf_html(b, v->name);
	buf_str(b, "</dt><dd class=\"why\">");
	if (v->why[0] != '\0') {
		buf_str(b, "Addresses: ");
		buf_html(b, v->why);
		buf_char(b, '.');
	}
	if (v->rule[0] != '\0') {
		buf_str(b, "<br/>Looks like <code>");
		buf_html(b, v->rule);
		buf_str(b, "</code>");
		if (v->fingerprint != 0)
			buf_fmt(b, ", fingerprint <code>%016llx</code>",
				(unsigned long long)v->fingerprint);
	}
	references(r, v->id, v->unverified);
	buf_str(b, "</dd>");
}

void page_traffic_vectors(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->vector_count == 0)
		return;
	buf_str(b, "<section aria-labelledby=\"vectors\"><h2 id=\"vectors\">Vectors</h2>"
		   "<p class=\"note\">The ways it was flooded, heaviest first, by share of all "
		   "packets that came in. ");
	if (t->vectors[0].sources >= 0)
		buf_fmt(b, "Numbers of addresses are ± %.0f %%. ",
			(double)t->vectors[0].sources_error * 196);
	if (t->sampling > 1)
		buf_fmt(b,
			"One packet in %u was looked at; rates are scaled up, with their error. ",
			t->sampling);
	buf_str(b,
		"</p><div class=\"scroll\" tabindex=\"0\" role=\"group\" "
		"aria-labelledby=\"vectors\">"
		"<table class=\"num\"><caption class=\"vh\">Vectors of "
		"the incident</caption><thead><tr><th scope=\"col\">Vector</th><th "
		"scope=\"col\">Share</th><th scope=\"col\">Peak</th><th scope=\"col\">Bits</th><th "
		"scope=\"col\">Sources</th><th scope=\"col\">Addresses</th><th scope=\"col\">From, "
		"for</th></tr></thead><tbody>\n");
	for (uint32_t n = 0; n < t->vector_count; n++)
		vector_row(r, &t->vectors[n], t->sampling > 1);
	buf_str(b, "</tbody></table></div>\n<dl>");
	for (uint32_t n = 0; n < t->vector_count; n++)
		vector_reason(r, &t->vectors[n]);
	buf_str(b, "</dl></section>\n");
}

/* ---- requests ---- */

static void finding_reason(const struct render *r, const char *id, const char *why)
{
	struct words w = html_words(r);

	if (why[0] == '\0')
		return;
	buf_str(r->out, "<dt>");
	words_vector(&w, r->snapshot, id);
	buf_str(r->out, "</dt><dd class=\"why\">");
	buf_html(r->out, why);
	buf_str(r->out, "</dd>\n");
}

void page_requests_findings(const struct render *r)
{
	const struct incident_requests *q = &r->incident->requests;
	struct words w = html_words(r);
	struct buf *b = r->out;

	if (!(incident_kinds(r->incident) & INCIDENT_REQUESTS) || q->finding_count == 0)
		return;
	buf_str(b, "<section aria-labelledby=\"requests\"><h2 id=\"requests\">Requests</h2><p "
		   "class=\"note\">What the access logs show, strongest first. Whoever asks has "
		   "completed a handshake: a machine that took part, or a proxy, not a person.</p>"
		   "<table class=\"num\"><caption class=\"vh\">Findings in the access "
		   "logs</caption><thead><tr><th scope=\"col\">Finding</th><th "
		   "scope=\"col\">Share of the requests</th></tr></thead><tbody>\n");
	for (uint32_t n = 0; n < q->finding_count; n++) {
		const struct vector_row *row = vector_row_of(r->snapshot, q->findings[n].id);
		buf_str(b, "<tr><th scope=\"row\">");
		words_vector(&w, r->snapshot, q->findings[n].id);
		references(r, q->findings[n].id, row != NULL && row->unverified);
		buf_fmt(b, "</th><td>%.0f %%</td></tr>\n", (double)q->findings[n].share * 100);
	}
	buf_str(b, "</tbody></table>\n<dl>");
	for (uint32_t n = 0; n < q->finding_count; n++)
		finding_reason(r, q->findings[n].id, q->why[n]);
	buf_str(b, "</dl></section>\n");
}

/* ---- sources ---- */

static void places(const struct render *r, const char *caption, const char *name,
		   const struct trace_place *p, uint32_t count)
{
	struct buf *b = r->out;
	if (count == 0)
		return;
	buf_fmt(b,
		"<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"%s\"><table "
		"class=\"num\"><caption class=\"vh\">%s</caption><thead><tr><th "
		"scope=\"col\">%s</th><th scope=\"col\">Packets</th><th scope=\"col\">Addresses "
		"seen</th></tr></thead><tbody>\n", caption, caption, name);
	for (uint32_t n = 0; n < count && n < PLACES_SHOWN; n++) {
		buf_str(b, "<tr><th scope=\"row\">");
		buf_html(b, country_name(p[n].name));
		buf_fmt(b, "</th><td>%.1f %% ± %.1f</td>", (double)p[n].share * 100,
			(double)p[n].share_error * 196);
		number_cell(r, p[n].sources);
		buf_str(b, "</tr>\n");
	}
	buf_str(b, "</tbody></table></div>\n");
}

static void all_places(const struct render *r, const struct trace *t)
{
	buf_str(r->out, "<div class=\"two tables\">");
	places(r, "Sources by country", "Country", t->countries, t->country_count);
	places(r, "Sources by network", "Network", t->networks, t->network_count);
	places(r, "Sources by prefix", "Prefix", t->prefixes, t->prefix_count);
	places(r, "Sources by address", "Address", t->sources_top, t->source_count);
	buf_str(r->out, "</div>\n");
}

static const char *fold_of(enum source_status s)
{
	switch (s) {
	case SOURCE_REFLECTOR: return "Where the abused third parties are, not the attacker";
	case SOURCE_SPOOFED: return "What the forged addresses would say, which proves nothing";
	default: return "Where these addresses are, if they are real";
	}
}

static void links(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->link_count == 0)
		return;
	buf_str(b, "<h3 id=\"lineage\">Lineage</h3><p class=\"note\">Other incidents that have "
		   "something in common with this one. A tool or an address can be used by "
		   "anybody.</p><ul class=\"lines\">");
	for (uint32_t n = 0; n < t->link_count; n++) {
		const struct trace_link *l = &t->links[n];
		const struct incident *other = snapshot_incident(r->snapshot, l->incident);
		struct words w = html_words(r);
		buf_str(b, "<li>");
		if (other != NULL) {
			buf_str(b, "<a href=\"/i/");
			buf_html(b, l->incident);
			buf_str(b, "\">");
			words_headline(&w, r->snapshot, other);
			buf_str(b, "</a>");
		} else {
			buf_html(b, l->incident);
		}
		buf_str(b, "<p>");
		if (l->shared > 0)
			buf_fmt(b, "Shares %.0f %% of its sources. ", (double)l->shared * 100);
		if (l->fingerprint)
			buf_str(b, "Its packets look the same: likely the same tool.");
		buf_str(b, "</p></li>");
	}
	buf_str(b, "</ul>\n");
}

/* Grey where nothing can be said; the reason stands in the picture, and in its text. */
static void map(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->country_count == 0 && t->mappable)
		return;
	buf_fmt(b, "<figure class=\"map%s\"><img src=\"/i/", t->mappable ? "" : " unsaid");
	buf_html(b, r->incident->id);
	buf_str(b, "/map.svg\" width=\"960\" height=\"480\" loading=\"lazy\" alt=\"");
	if (t->mappable) {
		buf_str(b, "World map of the countries of the source addresses; the table has the "
			   "numbers.\"/><figcaption>Where the networks of the proved addresses are "
			   "registered. Machines, not people: bots, proxies and VPN exits stand "
			   "here like anybody else.</figcaption></figure>\n");
		return;
	}
	buf_str(b, "World map, greyed out: ");
	buf_html(b, t->not_mappable);
	buf_str(b, ".\"/></figure>\n");
}

void page_traffic_sources(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	bool any = t->country_count + t->network_count + t->prefix_count + t->source_count > 0;
	if (t->packets <= 0)
		return;
	buf_fmt(b, "<section aria-labelledby=\"sources\"><h2 id=\"sources\">Sources</h2>%s",
		t->mappable ? "" : "<div class=\"two\"><div>");
	if (!t->mappable && t->not_mappable[0] != '\0') {
		buf_str(b, "<p class=\"lead\">");
		sentence(b, t->not_mappable);
		buf_str(b, ".</p>");
	}
	buf_str(b, "<dl class=\"facts\"><div><dt>Different addresses</dt><dd>");
	words_count(b, round(t->sources));
	buf_fmt(b, " ± %.0f %%</dd></div>", (double)t->sources_error * 196);
	if (t->vector_count > 0 && t->vectors[0].new_share >= 0)
		buf_fmt(b, "<div><dt>Not seen before</dt><dd>%.0f %%</dd></div>",
			(double)t->vectors[0].new_share * 100);
	buf_str(b, "<div><dt>Addresses hit</dt><dd>");
	words_count(b, t->targets);
	buf_str(b, "</dd></div></dl>\n");
	buf_str(b, t->mappable ? "" : "</div>");
	map(r, t);
	buf_str(b, t->mappable ? "" : "</div>\n");
	if (t->mappable) {
		all_places(r, t);
	} else if (any) {
		buf_fmt(b, "<details id=\"t-places\"><summary>%s</summary>", fold_of(t->status));
		all_places(r, t);
		buf_str(b, "</details>\n");
	}
	links(r, t);
	buf_str(b, "</section>\n");
}

/* ---- records ---- */

void page_traffic_records(const struct render *r, const struct trace *t)
{
	if (t->evidence_count == 0)
		return;
	buf_fmt(r->out, "<details id=\"t-records\"><summary>%u sampled record%s</summary><pre "
			"tabindex=\"0\" aria-label=\"Sampled records\">", t->evidence_count,
		t->evidence_count == 1 ? "" : "s");
	for (uint32_t n = 0; n < t->evidence_count; n++) {
		buf_html(r->out, t->evidence[n]);
		buf_char(r->out, '\n');
	}
	buf_str(r->out, "</pre></details>\n");
}
