/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/page_traffic.h"

#include "publish/chart_stack.h"
#include "publish/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 6, SEEN_MIN = 30 };

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

/* ---- charts ---- */

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
	return rest;
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
	return rest;
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

static void legend(const struct render *r, const struct trace *t)
{
	buf_str(r->out, "<p class=\"legend\"><span class=\"l-v0\">other traffic</span>");
	for (size_t n = 1; n < layers(t); n++) {
		buf_fmt(r->out, "<span class=\"l-v%zu\">", n);
		buf_html(r->out, t->vectors[n - 1].name);
		buf_str(r->out, "</span>");
	}
	buf_str(r->out, "<span class=\"l-usual\">usual</span></p>\n");
}

static void figure(const struct render *r, const struct trace *t, const struct chart_stack *c,
		   bool with_legend)
{
	buf_str(r->out, "<figure><figcaption><h2>");
	buf_html(r->out, c->title);
	buf_str(r->out, " <small class=\"zone\">UTC</small></h2></figcaption>");
	chart_stack_svg(r->out, c);
	if (with_legend)
		legend(r, t);
	buf_str(r->out, "</figure>\n");
}

static bool any(const struct trace *t, double (*value)(const void *ctx, size_t i, size_t k))
{
	for (uint32_t i = 0; i < t->point_count; i++) {
		if (value(t, i, 0) > 0)
			return true;
	}
	return false;
}

void page_traffic_charts(const struct render *r, const struct trace *t)
{
	struct chart_stack c = {.begin = t->begin, .step = t->step, .count = t->point_count,
				.ctx = t, .height = 240};
	if (t->point_count == 0)
		return;
	c.id = "packets";
	c.title = "Packets received";
	c.description = "Packets a second, by vector. A table of the vectors follows.";
	c.unit = "packets/s";
	c.layers = layers(t);
	c.value = packets_of;
	c.usual = usual_packets;
	if (t->packets > 0)
		figure(r, t, &c, true);
	c.id = "bits";
	c.title = "Bits received";
	c.description = "Bits a second, by vector. A table of the vectors follows.";
	c.unit = "bit/s";
	c.value = bits_of;
	c.usual = usual_bits;
	if (t->packets > 0)
		figure(r, t, &c, true);
	c.layers = 1;
	c.usual = NULL;
	c.height = 150;
	buf_str(r->out, "<div class=\"two\">");
	c.id = "distinct";
	c.title = "Different sources";
	c.description = "How many different source addresses there were.";
	c.unit = "sources";
	c.value = sources_of;
	if (any(t, sources_of))
		figure(r, t, &c, false);
	c.id = "flows";
	c.title = "Flow records";
	c.description = "Flow records (or packets that were looked at) a second.";
	c.unit = "flows/s";
	c.value = flows_of;
	if (any(t, flows_of))
		figure(r, t, &c, false);
	c.id = "requests";
	c.title = "Requests";
	c.description = "Requests of the access logs, a second.";
	c.unit = "requests/s";
	c.value = requests_of;
	if (any(t, requests_of))
		figure(r, t, &c, false);
	buf_str(r->out, "</div>\n");
}

/* ---- vectors ---- */

static const char *status_words(enum source_status s)
{
	switch (s) {
	case SOURCE_REFLECTOR: return "reflectors: abused third parties, the attacker is elsewhere";
	case SOURCE_SPOOFED: return "forged: the addresses prove nothing";
	case SOURCE_PROVED: return "proved by handshake: machines that took part, not people";
	default: return "not enough to tell whether they are real";
	}
}

static const char *status_word(enum source_status s)
{
	switch (s) {
	case SOURCE_REFLECTOR: return "reflectors";
	case SOURCE_SPOOFED: return "forged";
	case SOURCE_PROVED: return "proved";
	default: return "unknown";
	}
}

/* What there is to say in one sentence before any chart. */
void page_traffic_lead(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->vector_count == 0)
		return;
	buf_str(b, "<p class=\"lead\">Traffic: ");
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
	buf_str(b, ". Its source addresses: ");
	buf_str(b, status_words(t->status));
	buf_str(b, ".</p>\n");
}

static void number_cell(const struct render *r, double n)
{
	buf_str(r->out, "<td>");
	if (n < 0)
		buf_str(r->out, "–");
	else
		words_count(r->out, n);
	buf_str(r->out, "</td>");
}

static void vector_row(const struct render *r, const struct trace_vector *v, bool sampled)
{
	struct buf *b = r->out;
	buf_str(b, "<tr><th scope=\"row\">");
	buf_html(b, v->name);
	buf_str(b, " <code>");
	buf_html(b, v->id);
	buf_str(b, "</code>");
	if (v->unverified)
		buf_str(b, " <span class=\"tag\">signature not verified</span>");
	buf_fmt(b, "</th><td>%.0f %%</td><td>", (double)v->share * 100);
	if (v->seen < SEEN_MIN) {
		buf_str(b, "seen");
	} else {
		words_rate(b, v->peak_packets_per_s, "packets/s");
		if (sampled)
			buf_fmt(b, " ± %.0f %%", 196 / __builtin_sqrt((double)v->seen));
	}
	buf_str(b, "</td><td>");
	words_rate(b, v->peak_bits_per_s, "bit/s");
	buf_str(b, "</td>");
	number_cell(r, v->sources);
	buf_fmt(b, "<td>%s</td></tr>\n", status_word(v->status));
}

void page_traffic_vectors(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->vector_count == 0)
		return;
	buf_str(b, "<section aria-labelledby=\"vectors\"><h2 id=\"vectors\">Vectors</h2>"
		   "<p class=\"note\">The ways it was flooded, heaviest first. ");
	if (t->sampling > 1)
		buf_fmt(b,
			"One packet in %u was looked at; numbers are scaled up, with their error. ",
			t->sampling);
	buf_str(b,
		"</p><div class=\"scroll\"><table class=\"num\"><thead><tr><th scope=\"col\">Vector"
		"</th><th scope=\"col\">Share</th><th scope=\"col\">Peak</th><th scope=\"col\">Bits"
		"</th><th scope=\"col\">Sources</th><th scope=\"col\">Addresses</th></tr></thead>"
		"<tbody>\n");
	for (uint32_t n = 0; n < t->vector_count; n++)
		vector_row(r, &t->vectors[n], t->sampling > 1);
	buf_str(b, "</tbody></table></div>\n<dl>");
	for (uint32_t n = 0; n < t->vector_count; n++) {
		const struct trace_vector *v = &t->vectors[n];
		buf_str(b, "<dt>");
		buf_html(b, v->name);
		buf_str(b, "</dt><dd class=\"why\">");
		buf_html(b, v->why);
		if (v->rule[0] != '\0') {
			buf_str(b, " <br/><code>");
			buf_html(b, v->rule);
			buf_str(b, "</code>");
		}
		buf_str(b, "</dd>");
	}
	buf_str(b, "</dl></section>\n");
}

/* ---- sources ---- */

static void places(const struct render *r, const char *name, const struct trace_place *p,
		   uint32_t count, uint32_t most)
{
	struct buf *b = r->out;
	if (count == 0)
		return;
	buf_fmt(b,
		"<div><table class=\"num\"><caption>%s</caption><thead><tr><th "
		"scope=\"col\">%s</th>"
		"<th scope=\"col\">Packets</th><th scope=\"col\">Sources "
		"seen</th></tr></thead><tbody>\n",
		name, name);
	for (uint32_t n = 0; n < count && n < most; n++) {
		buf_str(b, "<tr><th scope=\"row\">");
		buf_html(b, p[n].name);
		buf_fmt(b, "</th><td>%.1f %% ± %.1f</td>", (double)p[n].share * 100,
			(double)p[n].share_error * 196);
		number_cell(r, p[n].sources);
		buf_str(b, "</tr>\n");
	}
	buf_str(b, "</tbody></table></div>\n");
}

static void links(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->link_count == 0)
		return;
	buf_str(b, "<h3>Lineage</h3><ul class=\"lines\">");
	for (uint32_t n = 0; n < t->link_count; n++) {
		const struct trace_link *l = &t->links[n];
		buf_str(b, "<li><a href=\"/i/");
		buf_html(b, l->incident);
		buf_str(b, "\">");
		buf_html(b, l->incident);
		buf_str(b, "</a>");
		if (l->shared > 0)
			buf_fmt(b, "shares %.0f %% of its sources. ", (double)l->shared * 100);
		if (l->fingerprint)
			buf_str(b, "its packets look the same: likely the same tool.");
		buf_str(b, "</li>");
	}
	buf_str(b, "</ul>\n");
}

static void map(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	if (t->country_count == 0 && t->mappable)
		return;
	buf_str(b, "<figure class=\"map\"><img src=\"/i/");
	buf_html(b, r->incident->id);
	buf_str(b, "/map.svg\" width=\"960\" height=\"480\" alt=\"");
	buf_str(b, t->mappable
			   ? "World map of the countries of the source addresses; the table has "
			     "the numbers."
			   : "World map, greyed out: the addresses do not say where this came "
			     "from.");
	buf_str(b, "\"/><figcaption>");
	if (t->mappable)
		buf_str(b,
			"Where the networks of the proved addresses are registered. Machines, not "
			"people: bots, proxies and VPN exits stand here like anybody else.");
	else
		buf_html(b, t->not_mappable);
	buf_str(b, "</figcaption></figure>\n");
}

void page_traffic_sources(const struct render *r, const struct trace *t)
{
	struct buf *b = r->out;
	buf_str(b, "<section aria-labelledby=\"sources\"><h2 id=\"sources\">Sources</h2>"
		   "<p class=\"lead\">Addresses: ");
	buf_str(b, status_words(t->status));
	buf_str(b, ".</p>");
	if (!t->mappable && t->not_mappable[0] != '\0') {
		buf_str(b, "<p>");
		buf_html(b, t->not_mappable);
		buf_str(b, "</p>");
	}
	buf_str(b, "<dl class=\"facts\"><div><dt>Different sources</dt><dd>");
	words_count(b, t->sources);
	buf_fmt(b, " ± %.0f %%</dd></div>", (double)t->sources_error * 196);
	if (t->vector_count > 0 && t->vectors[0].new_share >= 0)
		buf_fmt(b, "<div><dt>Not seen before</dt><dd>%.0f %%</dd></div>",
			(double)t->vectors[0].new_share * 100);
	buf_fmt(b, "<div><dt>Addresses hit</dt><dd>%u</dd></div></dl>\n", t->targets);
	map(r, t);
	buf_fmt(b, "<div class=\"%s\">", t->mappable ? "two" : "two unsaid");
	places(r, t->mappable ? "Country" : "Country of the address, which proves nothing",
	       t->countries, t->country_count, 12);
	places(r, "Network", t->networks, t->network_count, 12);
	places(r, "Prefix", t->prefixes, t->prefix_count, 12);
	places(r, "Address", t->sources_top, t->source_count, 12);
	buf_str(b, "</div>");
	links(r, t);
	buf_str(b, "</section>\n");
}

void page_traffic_evidence(const struct render *r, const struct trace *t)
{
	if (t->evidence_count == 0)
		return;
	buf_fmt(r->out,
		"<section aria-labelledby=\"evidence\"><h2 id=\"evidence\">Evidence</h2><details>"
		"<summary>%u sampled records</summary><pre>",
		t->evidence_count);
	for (uint32_t n = 0; n < t->evidence_count; n++) {
		buf_html(r->out, t->evidence[n]);
		buf_char(r->out, '\n');
	}
	buf_str(r->out, "</pre></details></section>\n");
}
