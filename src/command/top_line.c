/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_line.h"

#include "base/check.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { MARKS_MAX = 2, TEXT_MAX = 1024 };

static bool says_utf8(const char *name)
{
	return strcasestr(name, "utf-8") != NULL || strcasestr(name, "utf8") != NULL;
}

bool top_line_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *wanted = "";
	for (size_t i = 0; i < WD_COUNT(names) && wanted[0] == '\0'; i++)
		wanted = getenv(names[i]) != NULL ? getenv(names[i]) : "";
	if (!says_utf8(wanted))
		return false;
	/* The one asked for may not be installed here: any with UTF-8 does. */
	locale_t l = newlocale(LC_CTYPE_MASK, wanted, (locale_t)0);
	if (l != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, l), "UTF-8") != 0) {
		freelocale(l);
		l = (locale_t)0;
	}
	if (l == (locale_t)0)
		l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (l == (locale_t)0)
		return false;
	uselocale(l); /* held until the program ends */
	return true;
}

void top_line_init(struct top_line *l, unsigned columns, bool utf8)
{
	l->columns = l->len = l->run_count = 0;
	l->columns_max = (uint16_t)(columns < TOP_COLUMNS_MAX ? columns : TOP_COLUMNS_MAX);
	l->utf8 = utf8;
	l->chosen = false;
	l->text[0] = '\0';
}

/* ---- characters ---- */

struct character { uint32_t code; unsigned len; int width; }; /* of bytes and columns */

/* Characters that move, hide or reorder others: no letters. */
static bool is_steering(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

/* The first character of the text, which is not empty. What may not be shown has code 0. */
static struct character next(const char *text, bool utf8)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 :
		       p[0] < 0xf5 ? 4 : 0;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code = len == 1 ? p[0] : len > 1 ? p[0] & (0xffu >> (len + 1)) : 0;

	for (unsigned i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) /* the text's end, too */
			return (struct character){0, 1, 1};
		code = code << 6 | (p[i] & 0x3f);
	}
	if (len == 0 || code < least[len] || code > 0x10ffff || (code >> 11) == 0x1b)
		return (struct character){0, 1, 1};
	if (is_steering(code) || (!utf8 && code >= 0x80))
		return (struct character){0, len, 1};
	if (code < 0x80)
		return (struct character){code, len, 1};
	int width = wcwidth((wchar_t)code);
	return width < 0 ? (struct character){0, len, 1} : (struct character){code, len, width};
}

static void style_from_here(struct top_line *l, enum top_style style)
{
	if (l->run_count > 0 && l->runs[l->run_count - 1].style == style)
		return;
	if (l->run_count < TOP_RUNS_MAX)
		l->runs[l->run_count++] = (struct top_run){l->len, (uint8_t)style};
}

static void put(struct top_line *l, const char *bytes, unsigned len, int width)
{
	memcpy(l->text + l->len, bytes, len);
	l->len = (uint16_t)(l->len + len);
	l->text[l->len] = '\0';
	l->columns = (uint16_t)(l->columns + width);
	l->runs[l->run_count - 1].end = l->len;
}

unsigned top_line_width(const struct top_line *l, const char *text)
{
	unsigned width = 0;
	for (struct character c; *text != '\0'; text += c.len) {
		c = next(text, l->utf8);
		width += (unsigned)c.width;
	}
	return width;
}

/* The text up to column `limit`; where it does not fit, its last column says so. */
static void put_text(struct top_line *l, enum top_style style, const char *text, unsigned limit)
{
	unsigned marks = 0;

	if (limit > l->columns_max)
		limit = l->columns_max;
	if (*text == '\0' || l->columns >= limit)
		return;
	style_from_here(l, style);
	bool fits = l->columns + top_line_width(l, text) <= limit;
	for (struct character c; *text != '\0'; text += c.len) {
		c = next(text, l->utf8);
		marks = c.width == 0 ? marks + 1 : 0;
		if (marks > MARKS_MAX || l->len + 4u > TOP_BYTES_MAX)
			continue;
		if (!fits && l->columns + (unsigned)c.width > limit - 1) {
			while (l->columns < limit - 1)
				put(l, " ", 1, 1);
			put(l, l->utf8 ? "…" : "~", l->utf8 ? 3 : 1, 1);
			return;
		}
		if (c.code != 0)
			put(l, text, c.len, c.width);
		else
			put(l, l->utf8 ? "\xef\xbf\xbd" : "?", l->utf8 ? 3 : 1, 1);
	}
}

/* ---- lines ---- */

void top_line_add(struct top_line *l, enum top_style style, const char *text)
{
	put_text(l, style, text, l->columns_max);
}

void top_line_fmt(struct top_line *l, enum top_style style, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	top_line_add(l, style, text);
}

void top_line_fill(struct top_line *l, enum top_style style, unsigned column)
{
	if (column > l->columns_max)
		column = l->columns_max;
	if (l->columns >= column)
		return;
	style_from_here(l, style);
	while (l->columns < column && l->len < TOP_BYTES_MAX)
		put(l, " ", 1, 1);
}

void top_line_field(struct top_line *l, enum top_style style, const char *text, unsigned width,
		    bool number)
{
	unsigned begin = l->columns, taken = top_line_width(l, text);
	if (number && taken < width)
		top_line_fill(l, style, begin + width - taken);
	put_text(l, style, text, begin + width);
	top_line_fill(l, style, begin + width);
}

void top_number(char dst[TOP_NUMBER_MAX], double n)
{
	static const char suffix[] = " kMGTPE";
	unsigned power = 0;
	if (!(n >= 0)) {
		snprintf(dst, TOP_NUMBER_MAX, "-");
		return;
	}
	for (; n >= 999.5 && power < sizeof(suffix) - 2; power++)
		n /= 1000;
	bool whole = n >= 9.95 || n == 0 || (power == 0 && n == (double)(int)n);
	snprintf(dst, TOP_NUMBER_MAX, whole ? "%.0f%.*s" : "%.1f%.*s", n < 1e6 ? n : 1e6,
		 power > 0, &suffix[power]);
}

void top_percent(char dst[TOP_NUMBER_MAX], double share)
{
	if (!(share >= 0))
		snprintf(dst, TOP_NUMBER_MAX, "? %%");
	else if (share > 0 && share < 0.0005)
		snprintf(dst, TOP_NUMBER_MAX, "<0.1 %%");
	else
		snprintf(dst, TOP_NUMBER_MAX, share > 0 && share < 0.0995 ? "%.1f %%" : "%.0f %%",
			 share < 1 ? share * 100 : 100);
}

void top_line_bars(struct top_line *l, enum top_style style, const float *values, size_t count,
		   double max, unsigned row, unsigned rows)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ".", ":", ":", "=", "=", "#", "#"};

	for (size_t i = 0; i < count; i++) {
		double eighths = values[i] > 0 && max > 0 ? (double)values[i] / max * rows * 8 : 0;
		double here = eighths - row * 8.0;
		unsigned n = here >= 8 ? 8 : here > 0 ? (unsigned)(here + 0.5) : 0;
		if (row == 0 && n == 0 && values[i] >= 0)
			n = 1; /* seen, and next to nothing: no gap */
		top_line_add(l, style, l->utf8 ? blocks[n] : ascii[n]);
	}
}
