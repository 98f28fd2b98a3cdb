/* SPDX-License-Identifier: Apache-2.0 */
/* SVG for other people's pages: a badge and a chart. The chart's style comes twice: as an element,
 * for pictures in a page, which may load nothing; and as a link, for whoever opens the picture
 * itself, where the security policy forbids the element. */
#include "publish/chart.h"
#include "publish/embedded.h"
#include "publish/render.h"
#include "publish/words_traffic.h"

#include <string.h>

/* ---- badge ---- */

/* Widths of Verdana at 11 px in tenths, near enough: textLength makes the text fit. */
static int text_width(const char *text)
{
	int tenths = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p >= 0x80 && *p < 0xc0)
			continue; /* the rest of a character */
		tenths += *p >= 0x80                           ? 90
			  : strchr("iljI.,:;|!' ", *p) != NULL ? 38
			  : strchr("mwMW@%", *p) != NULL       ? 105
			  : *p >= 'A' && *p <= 'Z'             ? 77
							       : 66;
	}
	return tenths / 10 + 1;
}

static const char *status_colour(enum status s)
{
	switch (s) {
	case STATUS_USUAL: return "#17693b";
	case STATUS_UNUSUAL: return "#845300";
	case STATUS_INCIDENT: return "#b3201a";
	default: return "#5c6470";
	}
}

/* The same shapes as on pages, 8 px wide, at x. */
static void shape(struct buf *b, enum status s, int x)
{
	switch (s) {
	case STATUS_USUAL:
		buf_fmt(b, "<circle cx=\"%d\" cy=\"10\" r=\"4\" fill=\"#fff\"/>", x + 4);
		return;
	case STATUS_UNUSUAL: buf_fmt(b, "<path d=\"M%d 14h9l-4.5-8z\" fill=\"#fff\"/>", x); return;
	case STATUS_INCIDENT:
		buf_fmt(b, "<path d=\"M%d 10l4.5-4.5 4.5 4.5-4.5 4.5z\" fill=\"#fff\"/>", x);
		return;
	default:
		buf_fmt(b,
			"<circle cx=\"%d\" cy=\"10\" r=\"3.5\" fill=\"none\" stroke=\"#fff\" "
			"stroke-dasharray=\"2\"/>",
			x + 4);
	}
}

static void badge_text(struct buf *b, const char *text, int x, int width)
{
	buf_fmt(b, "<text x=\"%d\" y=\"14\" textLength=\"%d\" lengthAdjust=\"spacingAndGlyphs\">",
		x, width);
	buf_xml(b, text);
	buf_str(b, "</text>");
}

/* ", DNS amplification": what is known of an attack that is on. */
static void title_vector(const struct render *r)
{
	const struct snapshot *snapshot = r->snapshot;
	struct buf text;
	struct words w = {.out = &text, .now = snapshot->now};

	if (r->service->incident >= snapshot->incident_count)
		return;
	buf_init(&text, 256);
	words_main_vector(&w, snapshot, &snapshot->incidents[r->service->incident]);
	if (text.len > 0 && !text.bad) {
		buf_str(r->out, ", ");
		buf_xml(r->out, text.data);
	}
	buf_done(&text);
}

void embed_badge(const struct render *r)
{
	enum { NAME_MAX_PX = 300, PAD = 7, SHAPE = 13 };
	const struct service_state *s = r->service;
	const struct snapshot *snapshot = r->snapshot;
	bool reconstruction = s->incident < snapshot->incident_count
				      ? snapshot->incidents[s->incident].reconstruction
				      : s->reconstruction;
	const char *label = reconstruction ? "reconstruction" : status_label(s->status);
	struct buf *b = r->out;
	int name = text_width(s->service->name), word = text_width(label);

	name = name < NAME_MAX_PX ? name : NAME_MAX_PX;
	int left = name + 2 * PAD, right = word + SHAPE + 2 * PAD;
	buf_fmt(b,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"20\" role=\"img\" "
		"viewBox=\"0 0 %d 20\"><title>",
		left + right, left + right);
	buf_xml(b, s->service->name);
	buf_fmt(b, ": %s", status_label(s->status));
	title_vector(r);
	buf_str(b, reconstruction ? " (a reconstruction)</title>" : "</title>");
	buf_fmt(b,
		"<clipPath id=\"r\"><rect width=\"%d\" height=\"20\" rx=\"3\"/></clipPath>"
		"<g clip-path=\"url(#r)\"><rect width=\"%d\" height=\"20\" fill=\"#32373f\"/>"
		"<rect x=\"%d\" width=\"%d\" height=\"20\" fill=\"%s\"/></g>"
		"<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">",
		left + right, left, left, right, status_colour(s->status));
	badge_text(b, s->service->name, PAD, name);
	shape(b, s->status, left + PAD);
	badge_text(b, label, left + PAD + SHAPE, word);
	buf_str(b, "</g></svg>\n");
}

/* ---- chart ---- */

enum { WIDTH = 720, HEIGHT = 300, MARGIN = 16, CHART_TOP = 62, FOOT = 22 };

void embed_style(const struct render *r)
{
	const struct embedded *sheet = embedded_find("chart.css");

	if (sheet == NULL)
		return;
	buf_str(r->out, "<style>");
	buf_add(r->out, (const char *)sheet->bytes, sheet->len);
	buf_str(r->out, "</style>");
}

static void sentence(const struct render *r, struct buf *text)
{
	struct words w = {.out = text, .now = r->snapshot->now};
	struct now now = service_newest(r->service);
	const struct traffic_state *t = r->service->traffic;
	bool packets = r->service->first_seen_at.ns == 0 && t != NULL && t->flows_at.ns != 0;

	/* It must fit the picture: the page has it in full. */
	buf_str(text, status_label(r->service->status));
	if (packets) {
		buf_str(text, ": ");
		words_rate(text, (double)t->packets_per_s, "packets/s");
		const struct incident *i = r->service->incident < r->snapshot->incident_count
						   ? &r->snapshot->incidents[r->service->incident]
						   : NULL;
		if (i != NULL && i->state == INCIDENT_OPEN && i->traffic.vector_count > 0) {
			buf_str(text, ", ");
			words_main_vector(&w, r->snapshot, i);
		}
	} else if (now.seen && r->service->metric) {
		buf_str(text, ": ");
		words_number(text, now.observed);
		buf_str(text, " over ");
		words_span(text, now.step);
		buf_str(text, ", ");
		words_number(text, now.expected);
		buf_str(text, " is usual");
	} else if (now.seen) {
		buf_str(text, ": ");
		words_count(text, now.observed);
		buf_str(text, " reports in ");
		words_span(text, now.step);
		buf_str(text, ", ");
		words_count(text, now.expected);
		buf_str(text, " is usual");
	}
	buf_str(text, " · ");
	w.now = (wd_wall){0}; /* a picture outlives its day: always with the date */
	words_time(&w, r->snapshot->now);
}

void embed_chart(const struct render *r)
{
	const struct service_state *s = r->service;
	bool seen = s->day.count > 0 && s->first_seen_at.ns != 0;
	struct buf *b = r->out, text;
	char unit[WORDS_UNIT_MAX];
	struct chart chart = {.series = &s->day,
			      .unit = unit,
			      .height = HEIGHT - CHART_TOP - FOOT,
			      .unfinished = true,
			      .values = s->metric};
	struct series packets = {{0}, {0}, 0, NULL};

	words_unit(unit, s, &s->day);
	if (s->first_seen_at.ns == 0 && s->traffic != NULL && s->traffic->day_packets.count > 0) {
		packets = s->traffic->day_packets; /* nobody reported: its traffic */
		chart.series = &packets;
		chart.unit = "packets/s";
		chart.unfinished = chart.values = false;
		seen = true;
	}
	bool reconstruction = chart_shade_incidents(&chart, r->snapshot, s->service->id) ||
			      s->reconstruction;

	buf_init(&text, 1024);
	sentence(r, &text);
	buf_fmt(b,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<?xml-stylesheet type=\"text/css\" href=\"/assets/chart.css?v=%s\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t d\"><title id=\"t\">",
		r->site->assets, WIDTH, HEIGHT, WIDTH, HEIGHT);
	buf_xml(b, s->service->name);
	buf_fmt(b, ": %s, last 24 hours</title><desc id=\"d\">",
		packets.count > 0 ? "packets received" : s->metric ? "values" : "user reports");
	buf_xml(b, text.bad ? "" : text.data);
	buf_str(b, "</desc>");
	embed_style(r);
	buf_fmt(b,
		"<rect class=\"bg\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"6\"/>"
		"<text class=\"t\" x=\"%d\" y=\"28\">",
		WIDTH - 1, HEIGHT - 1, MARGIN);
	buf_xml(b, s->service->name);
	buf_fmt(b, "</text><text class=\"s\" x=\"%d\" y=\"48\">", MARGIN);
	buf_xml(b, text.bad ? "" : text.data);
	buf_done(&text);
	buf_fmt(b, "</text><svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" overflow=\"visible\">",
		MARGIN, CHART_TOP, WIDTH - 2 * MARGIN, chart.height);
	if (seen)
		chart_parts(b, &chart, WIDTH - 2 * MARGIN);
	buf_fmt(b, "</svg><text x=\"%d\" y=\"%d\">%s</text>", MARGIN, HEIGHT - 10,
		reconstruction ? words_reconstruction
		: seen         ? "Times in UTC. The band is what is usual."
			       : "No reports to draw yet.");
	buf_fmt(b, "<text class=\"end\" x=\"%d\" y=\"%d\">", WIDTH - MARGIN, HEIGHT - 10);
	buf_xml(b, r->site->name);
	buf_str(b, "</text></svg>\n");
}
