/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_negotiate.h"

#include <string.h>
#include <strings.h>

static const char *skip_blank(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* "0", "0.5", "1.000" as thousandths; -1 if it is not a qvalue. */
static int quality_read(const char *p, const char *end)
{
	if (p == end || (*p != '0' && *p != '1'))
		return -1;
	int q = (*p++ - '0') * 1000;
	if (p == end)
		return q;
	if (*p++ != '.')
		return -1;
	for (int unit = 100; p < end; p++, unit /= 10) {
		if (*p < '0' || *p > '9' || unit == 0)
			return -1;
		q += (*p - '0') * unit;
	}
	return q <= 1000 ? q : -1;
}

/* The q of one list member's parameters, 1000 if there is none, 0 if it is malformed. */
static int quality_of(const char *parameters, const char *end)
{
	int q = 1000;

	while (parameters < end && *parameters == ';') {
		const char *p = skip_blank(parameters + 1);
		const char *stop = p;
		while (stop < end && *stop != ';')
			stop++;
		const char *last = stop;
		while (last > p && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if (last - p >= 2 && (*p | 0x20) == 'q' && p[1] == '=') {
			q = quality_read(p + 2, last);
			if (q < 0)
				return 0;
		}
		parameters = stop;
	}
	return q;
}

static bool is_word(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(p, word, len) == 0;
}

enum http_encoding http_encoding_pick(const char *accept, const bool have[HTTP_ENCODINGS])
{
	int quality[HTTP_ENCODINGS] = {-1, -1, -1}; /* -1: not named */
	int others = -1;

	if (accept == NULL)
		return HTTP_IDENTITY;
	for (const char *p = accept; *p != '\0';) {
		p = skip_blank(p);
		const char *end = p + strcspn(p, ",");
		size_t len = strcspn(p, ",; \t");
		const char *parameters = skip_blank(p + len);
		int q = quality_of(parameters, end);
		if (is_word(p, len, "br"))
			quality[HTTP_BROTLI] = q;
		else if (is_word(p, len, "gzip") || is_word(p, len, "x-gzip"))
			quality[HTTP_GZIP] = q;
		else if (is_word(p, len, "identity"))
			quality[HTTP_IDENTITY] = q;
		else if (is_word(p, len, "*"))
			others = q;
		p = *end == ',' ? end + 1 : end;
	}
	/* Identity is acceptable unless it is ruled out, but preferred only if it is named. */
	enum http_encoding best = HTTP_IDENTITY;
	int best_quality = quality[HTTP_IDENTITY] > 0 ? quality[HTTP_IDENTITY] : 0;
	for (enum http_encoding e = HTTP_GZIP; e < HTTP_ENCODINGS; e++) {
		int q = quality[e] >= 0 ? quality[e] : others;
		if (have[e] && q > 0 && q >= best_quality) {
			best = e;
			best_quality = q;
		}
	}
	return best;
}

/* Commas, and the empty members of a list between them (RFC 9110, 5.6.1.2). */
static const char *skip_empty(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == ',')
		p++;
	return p;
}

static bool is_any(const char *list)
{
	const char *p = skip_blank(list);
	return *p == '*' && *skip_blank(p + 1) == '\0';
}

static bool list_has(const char *list, const char *etag, bool weakly)
{
	size_t len = strlen(etag);

	for (const char *p = skip_empty(list); *p != '\0'; p = skip_empty(p)) {
		bool weak = p[0] == 'W' && p[1] == '/';
		if (weak)
			p += 2;
		if (*p != '"')
			return false;
		const char *close = strchr(p + 1, '"');
		if (close == NULL)
			return false;
		if ((weakly || !weak) && (size_t)(close + 1 - p) == len &&
		    memcmp(p, etag, len) == 0)
			return true;
		p = skip_blank(close + 1);
		if (*p != ',' && *p != '\0')
			return false;
	}
	return false;
}

bool http_etag_matches(const char *if_none_match, const char *etag)
{
	return etag[0] != '\0' && (is_any(if_none_match) || list_has(if_none_match, etag, true));
}

bool http_etag_is(const char *if_match, const char *etag)
{
	return is_any(if_match) || (etag[0] != '\0' && list_has(if_match, etag, false));
}
