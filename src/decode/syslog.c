/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/syslog.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "<190>" */
static const char *after_priority(const char *p, const char *end)
{
	const char *begin = p;

	for (p++; p < end && is_digit(*p) && p - begin <= 3; p++)
		;
	return p < end && *p == '>' && p - begin > 1 ? p + 1 : begin;
}

/* Behind the next space; NULL if there is none within `max` bytes. */
static const char *after_word(const char *p, const char *end, size_t max)
{
	size_t left = (size_t)(end - p);
	const char *space = memchr(p, ' ', left < max ? left : max);

	return space != NULL ? space + 1 : NULL;
}

/* "[id name=\"value\"]…" or "-"; behind it and its space. */
static const char *after_structured(const char *p, const char *end)
{
	bool quoted = false, inside = false;

	if (p < end && *p == '-')
		return p + 1 < end && p[1] == ' ' ? p + 2 : NULL;
	for (; p < end; p++) {
		if (quoted) {
			if (*p == '\\' && p + 1 < end)
				p++;
			else if (*p == '"')
				quoted = false;
		} else if (inside) {
			quoted = *p == '"';
			inside = *p != ']';
		} else if (*p == '[') {
			inside = true;
		} else {
			return *p == ' ' ? p + 1 : NULL;
		}
	}
	return NULL;
}

/* Version, time, host, application, process, message id, structured data. */
static const char *after_5424(const char *p, const char *end)
{
	if (end - p < 2 || !is_digit(p[0]) || p[1] != ' ')
		return NULL;
	for (int i = 0; i < 6 && p != NULL; i++)
		p = after_word(p, end, 256);
	if (p != NULL)
		p = after_structured(p, end);
	if (p != NULL && end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	return p;
}

/* "Jan  2 03:04:05 " or "2024-01-02T03:04:05.678+00:00 " */
static const char *after_time(const char *p, const char *end)
{
	if (end - p > 16 && p[3] == ' ' && p[6] == ' ' && is_digit(p[7]) && p[9] == ':' &&
	    p[12] == ':' && p[15] == ' ')
		return p + 16;
	if (end - p > 20 && is_digit(p[0]) && p[4] == '-' && p[7] == '-' && p[10] == 'T' &&
	    p[13] == ':')
		return after_word(p, end, 40);
	return NULL;
}

/* Time, host, "tag[12]:". The host may be missing (/dev/log). */
static const char *after_3164(const char *p, const char *end)
{
	if ((p = after_time(p, end)) == NULL)
		return NULL;
	for (int words = 0; words < 2; words++) {
		if ((p = after_word(p, end, 256)) == NULL)
			return NULL;
		if (p[-2] == ':')
			return p;
	}
	return NULL;
}

size_t syslog_header(const char *line, size_t len)
{
	const char *p = line, *end = line + len, *after = NULL;

	if (len < 16)
		return 0;
	if (*p == '<') {
		p = after_priority(p, end);
		if (p == line)
			return 0;
		after = after_5424(p, end);
	}
	if (after == NULL)
		after = after_3164(p, end);
	return (size_t)((after != NULL ? after : p) - line);
}
