/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_target.h"

#include "base/check.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Decodes in place and ends the text. `path`: an encoded slash is refused (it would be a
 * segment's data that looks like a boundary) and + stays. */
static bool decode(char *text, bool path, size_t *ret_len)
{
	char *to = text;

	for (const char *at = text; *at != '\0'; at++) {
		char c = *at;
		if (c == '%') {
			int high = hex_digit(at[1]);
			int low = high < 0 ? -1 : hex_digit(at[2]);
			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			at += 2;
			if (path && c == '/')
				return false;
		} else if (c == '+' && !path) {
			c = ' ';
		}
		if (((unsigned char)c < 0x20 && (path || (c != '\n' && c != '\r' && c != '\t'))) ||
		    c == 0x7f)
			return false;
		*to++ = c;
	}
	*to = '\0';
	*ret_len = (size_t)(to - text);
	return text_is_utf8(text, *ret_len);
}

/* No "." or ".." segments, no backslash: what some other program takes for a way up. */
static bool path_is_plain(const char *path)
{
	if (path[0] != '/' || strchr(path, '\\') != NULL)
		return false;
	for (const char *segment = path; segment != NULL; segment = strchr(segment, '/')) {
		segment++;
		size_t len = strcspn(segment, "/");
		if ((len == 1 || len == 2) && segment[0] == '.' && segment[len - 1] == '.')
			return false;
	}
	return true;
}

static bool query_read(char *query, struct http_target *target)
{
	char *rest = query;

	while (rest != NULL && *rest != '\0') {
		char *pair = rest;
		size_t len;

		rest = strchr(pair, '&');
		if (rest != NULL)
			*rest++ = '\0';
		if (*pair == '\0')
			continue;
		if (target->count == HTTP_PARAMETERS_MAX)
			return false;
		char *value = strchr(pair, '=');
		if (value != NULL)
			*value++ = '\0';
		else
			value = pair + strlen(pair);
		if (!decode(value, false, &len) || !decode(pair, false, &len))
			return false;
		target->parameters[target->count++] = (struct http_field){pair, value};
	}
	return true;
}

/* A name or an address, an IPv6 one in brackets, and perhaps a port: RFC 3986 3.2 less user names
 * and percent-encoding. */
static bool authority_is_plain(const char *p, size_t len)
{
	static const char NAME[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._";
	static const char DIGITS[] = "0123456789";
	bool bracketed = *p == '[';
	size_t host = bracketed ? 1 + strspn(p + 1, "0123456789ABCDEFabcdef:.") : strspn(p, NAME);

	if (bracketed && p[host++] != ']')
		return false;
	if (host < (bracketed ? 3u : 1u))
		return false;
	if (host < len && p[host] == ':')
		host += 1 + strspn(p + host + 1, DIGITS);
	return host == len;
}

/* The absolute form (RFC 9112 3.2.2) names scheme and host too: returns what the origin form would
 * be, within the same text, or NULL. */
static char *origin_form(char *text)
{
	static const char *const SCHEMES[] = {"http://", "https://"};

	for (size_t i = 0; i < WD_COUNT(SCHEMES); i++) {
		size_t scheme = strlen(SCHEMES[i]);
		if (strncasecmp(text, SCHEMES[i], scheme) != 0)
			continue;
		size_t len = strcspn(text + scheme, "/?");
		char *rest = text + scheme + len;
		if (!authority_is_plain(text + scheme, len))
			return NULL;
		if (*rest != '/')
			*--rest = '/'; /* an empty path is the root; the host has been read */
		return rest;
	}
	return text;
}

bool http_target_read(char *text, struct http_target *ret_target)
{
	char *path, *query;
	size_t len;

	ret_target->path = text;
	ret_target->count = 0;
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '#')
			return false;
	path = origin_form(text);
	if (path == NULL)
		return false;
	ret_target->path = path;
	query = strchr(path, '?');
	if (query != NULL)
		*query++ = '\0';
	return decode(path, true, &len) && path_is_plain(path) && query_read(query, ret_target);
}
