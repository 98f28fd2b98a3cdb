/* SPDX-License-Identifier: Apache-2.0 */
/* The world map of an incident's traffic, as a picture of its own. Where the addresses prove
 * nothing it is grey all over and says so: a map of forged addresses would be a lie. The
 * outlines are those of Natural Earth (scripts/world). */
#include "publish/embedded.h"
#include "publish/page_traffic.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 960, HEIGHT = 480, SHADES = 5 };

/* Shade 0 (none) to SHADES; each is half of the next. */
static int shade(const struct trace *t, const char *code)
{
	float most = 0, share = 0;
	for (uint32_t n = 0; n < t->country_count; n++) {
		if (t->countries[n].share > most)
			most = t->countries[n].share;
		if (code[0] != '\0' && strcmp(t->countries[n].name, code) == 0)
			share = t->countries[n].share;
	}
	int q = SHADES;
	if (share <= 0)
		return 0;
	for (float limit = most / 2; q > 1 && share < limit; limit /= 2)
		q--;
	return q;
}

static void countries(const struct render *r, const struct trace *t)
{
	const struct embedded *world = embedded_find("world.tsv");
	if (world == NULL)
		return;
	const char *at = (const char *)world->bytes, *end = at + world->len;
	while (at < end) {
		const char *tab = memchr(at, '\t', (size_t)(end - at));
		const char *line_end = tab != NULL ? memchr(tab, '\n', (size_t)(end - tab)) : NULL;
		char code[3] = "";
		if (line_end == NULL)
			return;
		if (tab - at == 2)
			memcpy(code, at, 2);
		int q = t != NULL && t->mappable ? shade(t, code) : 0;
		buf_fmt(r->out, "<path class=\"land q%d\" d=\"", q);
		buf_add(r->out, tab + 1, (size_t)(line_end - tab - 1));
		buf_str(r->out, "\"/>");
		at = line_end + 1;
	}
}

enum { LINE_MAX = 46, LINE = 40 };

/* Where the text is cut so that its lines are about equal: at a blank past the middle. */
static size_t cut(const char *text)
{
	size_t len = strlen(text), at = len / 2;
	if (len <= LINE_MAX)
		return len;
	at += strcspn(text + at, " ");
	return at < len ? at : len;
}

/* `begins` a sentence. */
static void line(const struct render *r, const char *text, size_t len, int y, bool begins)
{
	char part[TRACE_TEXT_MAX + 1];
	snprintf(part, sizeof(part), "%.*s", (int)len, text);
	buf_fmt(r->out, "<text class=\"why\" x=\"%d\" y=\"%d\">", WIDTH / 2, y);
	if (begins && part[0] >= 'a' && part[0] <= 'z')
		part[0] = (char)(part[0] - 'a' + 'A');
	buf_xml(r->out, part);
	buf_str(r->out, "</text>");
}

/* Over the map, in the middle, where it is grey; large, so that it reads on a phone too. */
static void unsaid(const struct render *r, const struct trace *t)
{
	const char *why = t == NULL ? "No traffic was watched." : t->not_mappable;
	size_t first = cut(why);
	bool two = why[first] != '\0';
	int height = two ? 2 * LINE + 24 : LINE + 24, top = (HEIGHT - height) / 2;

	buf_fmt(r->out,
		"<rect class=\"bg\" x=\"20\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>",
		top, WIDTH - 40, height);
	line(r, why, first, top + LINE + 4, true);
	if (two)
		line(r, why + first + 1, strlen(why + first + 1), top + 2 * LINE + 4, false);
}

void embed_map(const struct render *r)
{
	struct page_trace found = page_trace_open(r, r->incident);
	const struct trace *t = found.trace;
	bool said = t != NULL && t->mappable;

	buf_fmt(r->out,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<?xml-stylesheet type=\"text/css\" href=\"/assets/chart.css?v=%s\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t\"><title id=\"t\">",
		r->site->assets, WIDTH, HEIGHT, WIDTH, HEIGHT);
	buf_str(r->out, said ? "Countries of the source addresses of incident "
			     : "No country can be said of the sources of incident ");
	buf_xml(r->out, r->incident->id);
	buf_str(r->out, "</title>");
	embed_style(r);
	countries(r, t);
	if (!said)
		unsaid(r, t);
	buf_str(r->out, "</svg>\n");
	page_trace_close(&found);
}
