/* SPDX-License-Identifier: Apache-2.0 */
/* A user's format → steps: a field and the text that stands behind it. */
#include "base/check.h"
#include "decode/accesslog_field.h"

struct variable { const char *name; uint8_t field; };

static const struct variable nginx[] = {
	{"remote_addr", ACCESSLOG_CLIENT}, {"http_x_forwarded_for", ACCESSLOG_SKIP},
	{"time_local", ACCESSLOG_TIME}, {"time_iso8601", ACCESSLOG_TIME},
	{"msec", ACCESSLOG_TIME}, {"request", ACCESSLOG_REQUEST},
	{"request_method", ACCESSLOG_METHOD}, {"request_uri", ACCESSLOG_URI},
	{"uri", ACCESSLOG_PATH}, {"document_uri", ACCESSLOG_PATH}, {"args", ACCESSLOG_QUERY},
	{"query_string", ACCESSLOG_QUERY}, {"server_protocol", ACCESSLOG_PROTOCOL},
	{"status", ACCESSLOG_STATUS}, {"body_bytes_sent", ACCESSLOG_BYTES},
	{"bytes_sent", ACCESSLOG_BYTES}, {"http_referer", ACCESSLOG_REFERER},
	{"http_user_agent", ACCESSLOG_AGENT}, {"request_time", ACCESSLOG_SECONDS},
	{"host", ACCESSLOG_HOST}, {"http_host", ACCESSLOG_HOST},
	{"server_name", ACCESSLOG_HOST},
};

/* By what stands behind '%' and its modifiers; with its braces where it has some. */
static const struct variable apache[] = {
	{"h", ACCESSLOG_CLIENT}, {"a", ACCESSLOG_CLIENT}, {"{c}a", ACCESSLOG_CLIENT},
	{"t", ACCESSLOG_TIME}, {"{sec}t", ACCESSLOG_TIME}, {"{msec}t", ACCESSLOG_TIME},
	{"{usec}t", ACCESSLOG_TIME}, {"r", ACCESSLOG_REQUEST}, {"m", ACCESSLOG_METHOD},
	{"U", ACCESSLOG_PATH}, {"q", ACCESSLOG_QUERY}, {"H", ACCESSLOG_PROTOCOL},
	{"s", ACCESSLOG_STATUS}, {"b", ACCESSLOG_BYTES}, {"B", ACCESSLOG_BYTES},
	{"O", ACCESSLOG_BYTES}, {"{Referer}i", ACCESSLOG_REFERER},
	{"{Referrer}i", ACCESSLOG_REFERER}, {"{User-Agent}i", ACCESSLOG_AGENT},
	{"{User-agent}i", ACCESSLOG_AGENT}, {"{Host}i", ACCESSLOG_HOST}, {"v", ACCESSLOG_HOST},
	{"V", ACCESSLOG_HOST}, {"D", ACCESSLOG_US}, {"T", ACCESSLOG_SECONDS},
	{"{s}T", ACCESSLOG_SECONDS}, {"{ms}T", ACCESSLOG_MS}, {"{us}T", ACCESSLOG_US},
};

static uint8_t field_of(const struct variable *all, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(all[i].name) == len && memcmp(all[i].name, name, len) == 0)
			return all[i].field;
	return ACCESSLOG_SKIP;
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* "$name" or "${name}" at p; its length, 0 if it is none. */
static size_t nginx_variable(const char *p, uint8_t *ret_field)
{
	size_t open = p[1] == '{', n = 0;

	while (is_word(p[1 + open + n]))
		n++;
	if (n == 0 || (open && p[2 + n] != '}'))
		return 0;
	*ret_field = field_of(nginx, WD_COUNT(nginx), p + 1 + open, n);
	return 1 + n + 2 * open;
}

/* "%>s", "%{Referer}i", "%!200,304{Referer}i", "%^ti" at p; its length, 0 if it is none. */
static size_t apache_variable(const char *p, uint8_t *ret_field)
{
	const char *name = p + 1, *letter;

	while (is_digit(*name) || *name == '!' || *name == ',' || *name == '<' || *name == '>')
		name++;
	letter = name;
	if (*letter == '{') {
		while (*letter != '\0' && *letter != '}')
			letter++;
		if (*letter == '\0')
			return 0;
		letter++;
	}
	if (*letter == '^')
		letter += letter[1] != '\0' ? 2 : 0;
	if (*letter == '\0')
		return 0;
	*ret_field = field_of(apache, WD_COUNT(apache), name, (size_t)(letter + 1 - name));
	return (size_t)(letter + 1 - p);
}

static bool literal_add(struct accesslog *a, char c)
{
	if (a->literals_len == ACCESSLOG_LITERALS_MAX)
		return false;
	struct accesslog_step *s = &a->steps[a->step_count - 1];
	if (s->literal_len == UINT8_MAX)
		return false;
	a->literals[a->literals_len++] = c;
	s->literal_len++;
	return true;
}

static bool step_add(struct accesslog *a, uint8_t field)
{
	if (a->step_count == ACCESSLOG_STEPS_MAX)
		return false;
	a->steps[a->step_count++] =
		(struct accesslog_step){.field = field, .literal = a->literals_len};
	return true;
}

/* The place of the fault, with what it is; NULL if all is well. */
static const char *compile(struct accesslog *a, const char *format, bool by_dollar,
			   enum wd_err *ret_err, const char **ret_what)
{
	const char *p = format;

	step_add(a, ACCESSLOG_SKIP);
	while (*p != '\0') {
		uint8_t field = ACCESSLOG_SKIP;
		size_t len = 0;

		if (!by_dollar && *p == '%' && p[1] == '%')
			p++;
		else if (*p == (by_dollar ? '$' : '%'))
			len = by_dollar ? nginx_variable(p, &field) : apache_variable(p, &field);
		*ret_err = WD_FULL;
		*ret_what = "too long a format";
		if (len == 0) {
			if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
				p++;
			if (!literal_add(a, *p++))
				return p;
			continue;
		}
		*ret_err = WD_MALFORMED;
		*ret_what = "nothing stands between two fields";
		if (a->step_count > 1 && a->steps[a->step_count - 1].literal_len == 0)
			return p;
		*ret_err = WD_UNKNOWN;
		*ret_what = "a time in a form that is not read";
		if (!by_dollar && p[len - 1] == 't' && field != ACCESSLOG_TIME)
			return p;
		*ret_err = WD_FULL;
		*ret_what = "too many fields";
		if (!step_add(a, field))
			return p;
		p += len;
	}
	return NULL;
}

enum wd_err accesslog_set_format(struct accesslog *a, const char *format, struct wd_why *why)
{
	bool by_dollar = strchr(format, '$') != NULL && strstr(format, "%h") == NULL &&
			 strstr(format, "%a") == NULL;
	bool seen[ACCESSLOG_FIELDS] = {0};
	struct accesslog made = *a;
	enum wd_err err = WD_OK;
	const char *what = NULL, *fault;

	made.step_count = 0;
	made.literals_len = 0;
	if ((fault = compile(&made, format, by_dollar, &err, &what)) != NULL)
		return wd_fail(why, err, (uint32_t)(fault - format), what);
	for (unsigned i = 0; i < made.step_count; i++)
		seen[made.steps[i].field] = true;
	if (!seen[ACCESSLOG_CLIENT] || !seen[ACCESSLOG_TIME] || !seen[ACCESSLOG_STATUS])
		return wd_fail(why, WD_MALFORMED, 0, "a format needs client, time and status");
	*a = made;
	return WD_OK;
}

/* ---- reading by it ---- */

/* Where the text behind a field begins; NULL if it is not there. A quote that is escaped is
 * part of the field, and so is a space in nginx's lists ("0.1, 0.2"). */
static const char *literal_find(const char *at, const char *end, const char *literal, size_t len)
{
	for (const char *p = at;; p++) {
		p = find(p, end, *literal);
		if ((size_t)(end - p) < len)
			return NULL;
		if (memcmp(p, literal, len) != 0)
			continue;
		if (*literal == '"') {
			const char *slash = p;
			while (slash > at && slash[-1] == '\\')
				slash--;
			if ((p - slash) & 1)
				continue;
		}
		if (*literal == ' ' && p > at && p[-1] == ',')
			continue;
		return p;
	}
}

enum wd_err accesslog_by_format(struct accesslog *a, const char *begin, const char *end,
				struct request *r, struct wd_why *why)
{
	const char *at = begin;

	a->kind = ACCESSLOG_FORMAT;
	if ((size_t)(end - at) < a->steps[0].literal_len ||
	    memcmp(at, a->literals, a->steps[0].literal_len) != 0)
		return wd_fail(why, WD_MALFORMED, 0, "it begins otherwise than the format");
	at += a->steps[0].literal_len;
	for (unsigned i = 1; i < a->step_count; i++) {
		const struct accesslog_step *s = &a->steps[i];
		const char *stop = end;

		if (s->field == ACCESSLOG_TIME && at < end && *at == '[')
			stop = find(at, end, ']'); /* Apache's %t has its brackets with it */
		else
			stop = at;
		stop = s->literal_len > 0 ? literal_find(stop, end, a->literals + s->literal,
							 s->literal_len)
					  : end;
		if (stop == NULL)
			return wd_fail(why, WD_MALFORMED, (uint32_t)(at - begin),
				       "what the format has behind a field is not there");
		if (!accesslog_put(a, r, (enum accesslog_field)s->field, at, stop))
			return wd_fail(why, WD_MALFORMED, (uint32_t)(at - begin), "no such time");
		at = stop + s->literal_len;
	}
	return WD_OK;
}
