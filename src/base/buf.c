/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t len_max)
{
	*b = (struct buf){.len_max = len_max};
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.len_max = b->len_max};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->bad = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	buf_add(b, "", 0); /* so that even empty text is a string */
	if (b->bad) {
		buf_done(b);
		return NULL;
	}
	char *data = b->data;
	if (ret_len != NULL)
		*ret_len = b->len;
	*b = (struct buf){.len_max = b->len_max};
	return data;
}

/* Room for len more bytes and the NUL, or a bad buf. */
static bool reserve(struct buf *b, size_t len)
{
	if (b->bad)
		return false;
	if (len > b->len_max - b->len) {
		b->bad = true;
		return false;
	}
	size_t need = b->len + len + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap < 256 ? 256 : b->cap;
	while (cap < need)
		cap *= 2;
	char *data = realloc(b->data, cap);
	if (data == NULL) {
		b->bad = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const char *bytes, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	WD_CHECK(len >= 0);
	if (!reserve(b, (size_t)len))
		return;
	va_start(args, fmt);
	vsnprintf(b->data + b->len, (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
}

void buf_u64(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_add(b, digits + at, sizeof(digits) - at);
}

/* Copies text, handing each byte that `forbidden` names to `replace`. */
static void escape(struct buf *b, const char *text, bool (*forbidden)(unsigned char),
		   void (*replace)(struct buf *, unsigned char))
{
	const char *run = text;
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		if (!forbidden(c))
			continue;
		buf_add(b, run, (size_t)(p - run));
		replace(b, c);
		run = p + 1;
	}
	buf_str(b, run);
}

static bool markup_forbidden(unsigned char c)
{
	return c == '&' || c == '<' || c == '>' || c == '"' || c == '\'' ||
	       (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
}

static void markup_replace(struct buf *b, unsigned char c)
{
	switch (c) {
	case '&': buf_str(b, "&amp;"); break;
	case '<': buf_str(b, "&lt;"); break;
	case '>': buf_str(b, "&gt;"); break;
	case '"': buf_str(b, "&#34;"); break;
	case '\'': buf_str(b, "&#39;"); break;
	default: buf_str(b, "\xef\xbf\xbd"); break; /* U+FFFD */
	}
}

void buf_html(struct buf *b, const char *text)
{
	escape(b, text, markup_forbidden, markup_replace);
}

/* The same five characters and controls are all that XML 1.0 forbids in UTF-8 text
 * that was checked on the way in (noncharacters are refused there). */
void buf_xml(struct buf *b, const char *text)
{
	escape(b, text, markup_forbidden, markup_replace);
}

static bool json_forbidden(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == '<' || c == 0x7f;
}

static void json_replace(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"': buf_str(b, "\\\""); break;
	case '\\': buf_str(b, "\\\\"); break;
	case '\n': buf_str(b, "\\n"); break;
	case '\t': buf_str(b, "\\t"); break;
	case '\r': buf_str(b, "\\r"); break;
	default: buf_fmt(b, "\\u%04x", c); break; /* also '<': safe inside <script> */
	}
}

void buf_json(struct buf *b, const char *text)
{
	escape(b, text, json_forbidden, json_replace);
}

void buf_csv(struct buf *b, const char *text)
{
	bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
	if (!formula && strpbrk(text, ",\"\r\n") == NULL) {
		buf_str(b, text);
		return;
	}
	buf_char(b, '"');
	if (formula)
		buf_char(b, '\'');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"')
			buf_char(b, '"');
		buf_char(b, *p);
	}
	buf_char(b, '"');
}
