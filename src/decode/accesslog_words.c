/* SPDX-License-Identifier: Apache-2.0 */
/* Lines whose words have their meaning by their place:
 * - AWS load balancers ("https 2024-04-21T11:46:40.1Z app/… client:port target:port …"; Elastic
 *   Load Balancing's "Access log entries" names the places). The classic ones have the same
 *   words without the first;
 * - W3C extended logs (IIS, CloudFront): a "#Fields:" line names them, with spaces or tabs
 *   between. Their times are UTC;
 * - nginx-proxy-manager's ("[time] cache upstream status - method scheme host "uri" [Client …] …",
 *   as its log formats `proxy` and `standard` have it). */
#include "base/check.h"
#include "decode/accesslog_field.h"

/* ---- load balancers ---- */

enum { ALB_WORDS = 12 };

static bool is_alb_type(const char *at, const char *end)
{
	static const char *const types[] = {"http", "https", "h2", "ws", "wss", "grpcs"};

	for (size_t i = 0; i < WD_COUNT(types); i++)
		if (strlen(types[i]) == (size_t)(end - at) &&
		    memcmp(types[i], at, (size_t)(end - at)) == 0)
			return true;
	return false;
}

bool accesslog_is_alb(const char *at, const char *end)
{
	const char *space = find_near(at, end, ' ');

	return end - space > 30 && is_digit(space[1]) && space[5] == '-' && space[11] == 'T' &&
	       is_alb_type(at, space);
}

/* The classic one's: as a host's syslog begins, but then "name client:port target:port 0.0…". */
bool accesslog_is_elb(const char *at, const char *end)
{
	const char *words[4], *ends[4];

	for (int i = 0; i < 4; i++) {
		words[i] = at;
		ends[i] = find(at, end, ' ');
		if (end - ends[i] < 3 || ends[i] == at)
			return false;
		at = ends[i] + 1;
	}
	return ends[0] - words[0] > 20 && words[0][10] == 'T' && ends[0][-1] == 'Z' &&
	       is_digit(ends[2][-1]) && find(words[2], ends[2], ':') < ends[2] &&
	       (is_digit(at[0]) ? at[1] == '.' : at[0] == '-');
}

enum wd_err accesslog_alb(struct accesslog *a, const char *begin, const char *end,
			  struct request *r, struct wd_why *why)
{
	const char *words[ALB_WORDS], *ends[ALB_WORDS], *at = begin, *close;
	int64_t part, sum = 0;
	bool timed = true;

	a->kind = ACCESSLOG_ALB;
	r->unreferred = true;
	for (int i = is_digit(*begin) ? 1 : 0; i < ALB_WORDS; i++) {
		words[i] = at;
		ends[i] = find(at, end, ' ');
		if (ends[i] == end)
			return wd_fail(why, WD_MALFORMED, (uint32_t)(at - begin), "it ends early");
		at = ends[i] + 1;
	}
	if (!accesslog_time(a, words[1], ends[1], &r->at))
		return wd_fail(why, WD_MALFORMED, (uint32_t)(words[1] - begin), "no such time");
	accesslog_client_port(r, words[3], ends[3]);
	for (int i = 5; i < 8; i++) { /* -1 where a step was not reached */
		timed &= accesslog_duration(words[i], ends[i], WD_NS_PER_S, &part);
		sum += timed ? part : 0;
	}
	r->duration_us = timed ? sum : -1;
	r->status = accesslog_status(words[8], ends[8]);
	r->bytes = accesslog_bytes(words[11], ends[11]);
	if (at >= end || *at != '"' || (close = accesslog_quoted(at + 1, end)) == NULL)
		return wd_fail(why, WD_MALFORMED, (uint32_t)(at - begin), "no request line");
	accesslog_request_line(r, at + 1, close);
	r->absolute = false; /* the balancer wrote it so */
	at = close + 2;
	if (at < end && *at == '"' && (close = accesslog_quoted(at + 1, end)) != NULL)
		r->agent = span_told(at + 1, close);
	return WD_OK;
}

/* ---- nginx-proxy-manager ---- */

bool accesslog_is_npm(const char *at, const char *end)
{
	const int close = 1 + ACCESSLOG_CLF_TIME;

	return end - at > close + 2 && *at == '[' && is_digit(at[1]) && at[close] == ']' &&
	       at[close + 1] == ' ';
}

/* The status of the answer stands before " - "; before it, what the cache and upstreams said. */
static const char *npm_status(const char *at, const char *end, struct request *r)
{
	enum { WORDS_MAX = 16 };

	for (int i = 0; i < WORDS_MAX && at < end; i++) {
		const char *stop = find(at, end, ' ');
		r->status = accesslog_status(at, stop);
		if (r->status != 0 && end - stop > 3 && stop[1] == '-' && stop[2] == ' ')
			return stop + 3;
		at = stop + 1;
	}
	return NULL;
}

/* Behind "[name value] " at `at`; `at` if it is no such thing. */
static const char *npm_named(struct accesslog *a, struct request *r, const char *at,
			     const char *end)
{
	const char *close = at < end && *at == '[' ? find(at, end, ']') : end;
	const char *space = find(at, close, ' ');

	if (close == end || space == close)
		return at;
	if (space - at == 7 && memcmp(at + 1, "Client", 6) == 0)
		accesslog_put(a, r, ACCESSLOG_CLIENT, space + 1, close);
	else if (space - at == 7 && memcmp(at + 1, "Length", 6) == 0)
		accesslog_put(a, r, ACCESSLOG_BYTES, space + 1, close);
	return end - close > 1 ? close + 2 : end;
}

enum wd_err accesslog_npm(struct accesslog *a, const char *begin, const char *end,
			  struct request *r, struct wd_why *why)
{
	static const enum accesslog_field words[] = {ACCESSLOG_METHOD, ACCESSLOG_SKIP,
						     ACCESSLOG_HOST};
	const char *at = begin + 1 + ACCESSLOG_CLF_TIME, *close = NULL;
	const char *named;

	a->kind = ACCESSLOG_NPM;
	if (!accesslog_time(a, begin + 1, at, &r->at))
		return wd_fail(why, WD_MALFORMED, 1, "no such time");
	if ((at = npm_status(at + 2, end, r)) == NULL)
		return wd_fail(why, WD_MALFORMED, 0, "no status before a method");
	for (size_t i = 0; i < WD_COUNT(words) && at < end; i++) {
		const char *stop = find(at, end, ' ');
		accesslog_put(a, r, words[i], at, stop);
		at = stop + 1;
	}
	if (at >= end || *at != '"' || (close = accesslog_quoted(at + 1, end)) == NULL)
		return wd_fail(why, WD_MALFORMED, 0, "no address of a page");
	accesslog_put(a, r, ACCESSLOG_URI, at + 1, close);
	for (at = close + 2; (named = npm_named(a, r, at, end)) != at; at = named)
		;
	if (at >= end || *at != '"' || (close = accesslog_quoted(at + 1, end)) == NULL)
		return wd_fail(why, WD_MALFORMED, 0, "no agent");
	accesslog_put(a, r, ACCESSLOG_AGENT, at + 1, close);
	at = close + 2;
	if (at < end && *at == '"' && (close = accesslog_quoted(at + 1, end)) != NULL)
		accesslog_put(a, r, ACCESSLOG_REFERER, at + 1, close);
	return WD_OK;
}

/* ---- W3C ---- */

static uint8_t w3c_field(const char *at, const char *end)
{
	static const struct { const char *name; uint8_t field; } names[] = {
		{"date", ACCESSLOG_W3C_DATE}, {"time", ACCESSLOG_TIME},
		{"c-ip", ACCESSLOG_CLIENT}, {"cs-method", ACCESSLOG_METHOD},
		{"cs-uri-stem", ACCESSLOG_PATH}, {"cs-uri-query", ACCESSLOG_QUERY},
		{"cs-uri", ACCESSLOG_URI}, {"sc-status", ACCESSLOG_STATUS},
		{"sc-bytes", ACCESSLOG_BYTES}, {"cs(User-Agent)", ACCESSLOG_AGENT},
		{"cs(Referer)", ACCESSLOG_REFERER}, {"cs-host", ACCESSLOG_HOST},
		{"cs(Host)", ACCESSLOG_HOST}, {"x-host-header", ACCESSLOG_HOST},
		{"cs-version", ACCESSLOG_PROTOCOL}, {"cs-protocol-version", ACCESSLOG_PROTOCOL},
		{"time-taken", ACCESSLOG_MS},
	};

	for (size_t i = 0; i < WD_COUNT(names); i++)
		if (strlen(names[i].name) == (size_t)(end - at) &&
		    memcmp(names[i].name, at, (size_t)(end - at)) == 0)
			return names[i].field;
	return ACCESSLOG_SKIP;
}

static const char *w3c_end(const char *at, const char *end)
{
	while (at < end && *at != ' ' && *at != '\t')
		at++;
	return at;
}

enum wd_err accesslog_w3c_directive(struct accesslog *a, const char *at, const char *end,
				    struct wd_why *why)
{
	static const char head[] = "#Fields:";

	if ((size_t)(end - at) > strlen(head) && memcmp(at, head, strlen(head)) == 0) {
		a->w3c_count = 0;
		for (at += strlen(head); at < end && a->w3c_count < ACCESSLOG_W3C_MAX;) {
			const char *stop = w3c_end(at, end);
			if (stop > at)
				a->w3c[a->w3c_count++] = w3c_field(at, stop);
			at = stop + 1;
		}
	}
	return wd_fail(why, WD_UNKNOWN, 0, "a directive, no request");
}

/* Seconds with a point, else milliseconds. */
static void w3c_taken(struct request *r, const char *at, const char *end)
{
	bool seconds = find(at, end, '.') < end;

	accesslog_duration(at, end, seconds ? WD_NS_PER_S : 1000000, &r->duration_us);
}

enum wd_err accesslog_w3c(struct accesslog *a, const char *begin, const char *end,
			  struct request *r, struct wd_why *why)
{
	const char *date = NULL, *at = begin;
	wd_span zone = a->zone;
	bool timed = false, client = false;

	a->kind = ACCESSLOG_W3C;
	for (unsigned i = 0; i < a->w3c_count; i++) {
		const char *stop = w3c_end(at, end);
		if (at >= end)
			return wd_fail(why, WD_MALFORMED, (uint32_t)(end - begin),
				       "fewer words than #Fields names");
		if (a->w3c[i] == ACCESSLOG_W3C_DATE) {
			date = stop - at == 10 ? at : NULL;
		} else if (a->w3c[i] == ACCESSLOG_TIME && date != NULL && stop - at >= 8) {
			char text[19];
			memcpy(text, date, 10);
			text[10] = ' ';
			memcpy(text + 11, at, 8);
			a->zone = (wd_span){0};
			timed = accesslog_time(a, text, text + sizeof(text), &r->at);
			a->zone = zone;
		} else if (a->w3c[i] == ACCESSLOG_MS) {
			w3c_taken(r, at, stop);
		} else if (a->w3c[i] != ACCESSLOG_TIME) {
			accesslog_put(a, r, (enum accesslog_field)a->w3c[i], at, stop);
			client |= a->w3c[i] == ACCESSLOG_CLIENT;
		}
		at = stop + 1;
	}
	if (!timed || !client)
		return wd_fail(why, WD_MALFORMED, 0, "no date, time and c-ip in it");
	return WD_OK;
}
