/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request's head what RFC 9112 says, to the byte? libmicrohttpd 0.9.75 is lenient
 * where two readers of one connection may disagree (bare line feeds, folded lines, NUL,
 * spaces), and shows a parsed head only. But it parses in place: method, target, version,
 * names and values are pointers into its buffer, where each separator became NUL. So we
 * walk from the method to the end of the head, and every byte must be accounted for:
 *
 *   GET 0 target 0 HTTP/1.1 0 0 Host 0 [blanks] value 0 0 … 0 0
 *
 * A bare line feed leaves one 0 where CR LF leaves two, a folded line or a NUL inside a
 * value leaves a gap, and the end must be where the library says the head ended. Only two
 * things look like CR LF afterwards: NUL LF, which ends a line for everybody who takes it
 * at all, and ":" LF as the last line (the library cuts at the colon, sees an empty line,
 * and ends the head). What does not add up is refused, so another version of the library
 * that does not parse in place would refuse everything: http_open tries one good request
 * to find that out.
 *
 * Version 1.0 refuses all of this itself when told to be strict (http_request.c), and leaves
 * other bytes behind: see line_end. */
#include "publish/http_internal.h"

#include <string.h>
#include <strings.h>

struct walk {
	const char *at; /* where the next field must start */
	enum head_verdict verdict;
	size_t fields, hosts, lengths;
};

/* RFC 9110 5.6.2 */
static bool is_token_char(unsigned char c)
{
	static const char MARKS[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr(MARKS, c) != NULL);
}

static bool is_token(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_token_char((unsigned char)p[i]))
			return false;
	return len > 0;
}

/* RFC 9110 5.5: visible characters, blanks and bytes over 127, which mean nothing. */
static bool is_field_value(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* A name, an address or a bracketed address, and perhaps a port: no more than RFC 3986
 * allows, less what no host of ours needs (user names, percent-encoding). */
static bool is_host(const char *p, size_t len)
{
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (c != '\0' && strchr("-._:[]", c) != NULL)))
			return false;
	}
	return len > 0;
}

static bool is_named(const char *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) && strncasecmp(name, wanted, len) == 0;
}

/* The byte after the line whose text ends at `end`, or NULL if it did not end in CR LF. 0.9.75
 * makes both a 0. 1.0 makes the first of what follows the text a 0, be it the CR or a blank. */
static const char *line_end(const char *end)
{
	if (*end++ != '\0')
		return NULL;
#if MHD_VERSION < 0x01000000
	/* The second 0 was the LF; at worst it is the next line's first byte. */
	return *end == '\0' ? end + 1 : NULL;
#else
	if (*end == '\n')
		return end + 1;
	while (*end == ' ' || *end == '\t')
		end++;
	return end[0] == '\r' && end[1] == '\n' ? end + 2 : NULL;
#endif
}

static enum head_verdict field_check(struct walk *w, const char *name, size_t name_len,
				     const char *value, size_t value_len)
{
	if (name != w->at)
		return HEAD_LINE;
	if (!is_token(name, name_len))
		return HEAD_NAME;
	if (value == NULL || value < name + name_len + 1)
		return HEAD_LINE;
	for (const char *p = name + name_len + 1; p < value; p++)
		if (*p != ' ' && *p != '\t')
			return HEAD_LINE;
	w->at = line_end(value + value_len);
	if (!is_field_value(value, value_len) || w->at == NULL)
		return HEAD_LINE;
	if (++w->fields > HTTP_FIELDS_MAX)
		return HEAD_SIZE;
	if (is_named(name, name_len, "Transfer-Encoding"))
		return HEAD_TRANSFER;
	if (is_named(name, name_len, "Content-Length") && ++w->lengths > 1)
		return HEAD_LENGTH;
	if (is_named(name, name_len, "Host") &&
	    (++w->hosts > 1 || !is_host(value, value_len)))
		return HEAD_HOST;
	return HEAD_OK;
}

static enum MHD_Result walk_field(void *context, enum MHD_ValueKind kind, const char *name,
				  size_t name_len, const char *value, size_t value_len)
{
	struct walk *w = context;

	(void)kind;
	w->verdict = field_check(w, name, name_len, value, value_len);
	return w->verdict == HEAD_OK ? MHD_YES : MHD_NO;
}

/* METHOD 0 target 0 HTTP/1.x 0 0; a query's question mark became 0, and its parameters
 * were cut up too, which is why the target's length is remembered from before. */
static enum head_verdict line_check(const char *method, const char *url, size_t target_len,
				    const char *version)
{
	size_t method_len = strlen(method);

	if (!is_token(method, method_len) || url != method + method_len + 1 ||
	    version != url + target_len + 1 || strlen(version) != 8)
		return HEAD_TARGET;
	return line_end(version + 8) == version + 10 ? HEAD_OK : HEAD_LINE;
}

enum head_verdict head_check(struct MHD_Connection *mhd, const char *method, const char *url,
			     size_t target_len, const char *version)
{
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct walk w = {.at = version + 10, .verdict = HEAD_OK};
	enum head_verdict line = line_check(method, url, target_len, version);

	if (line != HEAD_OK)
		return line;
	if (size == NULL || size->header_size > HTTP_HEAD_MAX)
		return HEAD_SIZE;
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, walk_field, &w);
	if (w.verdict != HEAD_OK)
		return w.verdict;
	if (w.at + 2 != method + size->header_size)
		return HEAD_LINE;
	if (w.hosts == 0 && strcmp(version, "HTTP/1.0") != 0)
		return HEAD_HOST;
	return HEAD_OK;
}
