/* SPDX-License-Identifier: Apache-2.0 */
/* Common, Combined and HAProxy: lines with a time in brackets. */
#include "decode/address.h"
#include "decode/accesslog_field.h"

enum { REST_WORDS_MAX = 16, TIME_MAX = 48 };

static bool is_time_bracket(const char *p, const char *end)
{
	return end - p > 21 && is_digit(p[1]) && is_digit(p[2]) && p[3] == '/' && p[7] == '/' &&
	       p[12] == ':';
}

/* The '[' before "17/May/2015:…"; NULL if there is none. The name that a client gives itself
 * stands before it and may hold such a thing, but no quote that is not escaped: the time that
 * a quote follows is the server's. HAProxy, which has no names, follows its own with others. */
static const char *time_bracket(const char *at, const char *end)
{
	const char *space = find_near(at, end, ' '), *first = NULL;

	if (end - space > 30 && memcmp(space, " - - [", 6) == 0) /* nearly all */
		at = space + 5;
	for (const char *p = at; (p = find(p, end, '[')) < end; p++) {
		if (!is_time_bracket(p, end))
			continue;
		const char *last = end - p > TIME_MAX ? p + TIME_MAX : end;
		const char *close = end - p > 29 && p[27] == ']' ? p + 27 : find(p, last, ']');
		if (end - close > 2 && close < last && close[1] == ' ' && close[2] == '"')
			return p;
		first = first == NULL ? p : first;
	}
	return first;
}

/* How nearly all lines begin: '192.0.2.1 - - [17/May/2015:10:05:03 +0000] "'. The bracket; NULL if
 * this one does not, and then nothing is filled in. */
static const char *usual_begin(struct request *r, const char *at, const char *end)
{
	uint8_t four[4];
	/* The address is read beside what follows, which need not wait for where it ends. */
	const char *space = find_near(at, end, ' ');

	if (end - space < 6 + ACCESSLOG_CLF_TIME + 4 || memcmp(space, " - - [", 6) != 0 ||
	    address_octets(at, end, four) != space)
		return NULL;
	const char *bracket = space + 5, *close = bracket + 1 + ACCESSLOG_CLF_TIME;
	if (!is_time_bracket(bracket, end) || memcmp(close, "] \"", 3) != 0)
		return NULL;
	memcpy(r->client, four, sizeof(four)); /* the rest is blank */
	r->family = 4;
	return bracket;
}

/* "client ident user ", "vhost client ident user " or "client:port ". */
static void who(struct request *r, const char *at, const char *end)
{
	const char *first = find_near(at, end, ' ');

	r->family = address_read(at, (size_t)(first - at), r->client);
	if (r->family != 0)
		return;
	const char *second = first < end ? find(first + 1, end, ' ') : end;
	if (first + 1 < second && accesslog_client(r, first + 1, second)) {
		r->host = span_of(at, find(at, first, ':'));
		return;
	}
	accesslog_client(r, at, first);
}

/* What servers put behind the agent: durations whose form is certain. */
static void rest_of_combined(struct request *r, const char *at, const char *end)
{
	for (int i = 0; i < REST_WORDS_MAX && at < end && r->duration_us < 0; i++) {
		const char *word_end, *value = at, *point;

		if (*at == ' ') {
			at++;
			continue;
		}
		if (*at == '"') {
			word_end = accesslog_quoted(at + 1, end);
			at = word_end != NULL ? word_end + 1 : end;
			continue;
		}
		word_end = find(at, end, ' ');
		if (word_end - at > 3 && memcmp(at, "rt=", 3) == 0)
			value = at + 3;
		else if (word_end - at > 13 && memcmp(at, "request_time=", 13) == 0)
			value = at + 13;
		point = find(value, word_end, '.');
		if (is_digit(*value) && (value > at || word_end[-1] == 's' ||
					 word_end - point == 4))
			accesslog_duration(value, word_end, WD_NS_PER_S, &r->duration_us);
		at = word_end;
	}
}

/* "5321 ": what it says, and the place of the space; NULL for what is not one to seven digits,
 * and where the line ends soon. Eight bytes at once, as with address_octets. */
static const char *short_number(const char *at, const char *end, int64_t *ret)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t x;

	if (end - at < 8)
		return NULL;
	memcpy(&x, at, sizeof(x));
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		x = __builtin_bswap64(x);
	x ^= each * '0';
	uint64_t others = ((x + each * 0x76) | x) & each * 0x80;
	unsigned digits = others != 0 ? (unsigned)__builtin_ctzll(others) / 8 : 0;
	if (digits == 0 || at[digits] != ' ')
		return NULL;
	x <<= 64 - 8 * digits;
	x = (x * 10 + (x >> 8)) & UINT64_C(0x00ff00ff00ff00ff);       /* two digits each */
	x = (x * 100 + (x >> 16)) & UINT64_C(0x0000ffff0000ffff);     /* four */
	*ret = (int64_t)((x * 10000 + (x >> 32)) & UINT64_C(0xffffffff));
	return at + digits;
}

/* `at` is behind the time: ' "request" status bytes "referer" "agent" …' */
static enum wd_err combined(const char *begin, const char *at, const char *end,
			    struct request *r, struct wd_why *why)
{
	const char *close = accesslog_near_quoted(at + 2, end), *word;

	if (close == NULL)
		return wd_fail(why, WD_MALFORMED, (uint32_t)(at - begin),
			       "a request line without its closing quote");
	accesslog_request_line(r, at + 2, close);
	at = close + 1 < end ? close + 2 : end;
	word = end - at > 3 && at[3] == ' ' ? at + 3 : find(at, end, ' ');
	r->status = accesslog_status(at, word);
	if (word - at != 3 && !(word - at == 1 && *at == '-'))
		return wd_fail(why, WD_MALFORMED, (uint32_t)(at - begin), "no status");
	at = word < end ? word + 1 : end;
	if ((word = short_number(at, end, &r->bytes)) == NULL) {
		word = find_near(at, end, ' ');
		r->bytes = accesslog_bytes(at, word);
	}
	at = word + 1;
	if (at >= end || *at != '"')
		return WD_OK;
	if ((close = accesslog_near_quoted(at + 1, end)) == NULL)
		return WD_OK;
	r->referer = span_told(at + 1, close);
	at = close + 2;
	if (at >= end || *at != '"' || (close = accesslog_quoted(at + 1, end)) == NULL)
		return WD_OK;
	r->agent = span_told(at + 1, close);
	rest_of_combined(r, close + 1, end);
	return WD_OK;
}

/* ---- HAProxy ---- */

/* "10/0/30/69/109": the last; five of them. In front of a total that is still growing stands
 * a '+', and -1 is a step that was not reached. */
static bool timers(struct request *r, const char *at, const char *end)
{
	int slashes = 0;
	const char *last = at;

	for (const char *p = at; p < end; p++) {
		if (*p == '/') {
			slashes++;
			last = p + 1;
		} else if (!is_digit(*p) && *p != '-' && *p != '+') {
			return false;
		}
	}
	if (last < end && *last == '+')
		last++;
	if (slashes == 4)
		accesslog_duration(last, end, 1000000, &r->duration_us);
	return slashes == 4;
}

/* Captured headers "{a|b}" have no names; an agent shows itself. Returns what is behind. */
static const char *captures(struct request *r, const char *at, const char *end)
{
	while (at < end && *at == '{') {
		const char *close = find(at, end, '}');
		const char *agent = memmem(at, (size_t)(close - at), "Mozilla/", 8);

		if (agent != NULL && (agent[-1] == '{' || agent[-1] == '|'))
			r->agent = span_of(agent, find(agent, close, '|'));
		at = close + 2;
	}
	return at;
}

/* `at` is behind the time: " frontend backend/server timers status bytes cookie cookie state
 * connections queues {captures} "request"". */
static enum wd_err haproxy(const char *begin, const char *at, const char *end, struct request *r,
			   struct wd_why *why)
{
	const char *words[10], *ends[10], *close;

	at++;
	for (int i = 0; i < 10; i++) {
		words[i] = at;
		ends[i] = find(at, end, ' ');
		if (ends[i] == end)
			return wd_fail(why, WD_UNKNOWN, (uint32_t)(at - begin), "no request");
		at = ends[i] + 1;
	}
	if (!timers(r, words[2], ends[2]))
		return wd_fail(why, WD_UNKNOWN, (uint32_t)(words[2] - begin), "no HTTP request");
	r->unreferred = true;
	r->status = accesslog_status(words[3], ends[3]);
	if (*words[4] == '+')
		words[4]++;
	r->bytes = accesslog_bytes(words[4], ends[4]);
	at = captures(r, at, end);
	if (at >= end || *at != '"')
		return wd_fail(why, WD_MALFORMED, (uint32_t)(ends[9] - begin), "no request line");
	/* A long one is cut with its closing quote. */
	if ((close = accesslog_near_quoted(at + 1, end)) == NULL)
		close = end;
	accesslog_request_line(r, at + 1, close);
	return WD_OK;
}

enum wd_err accesslog_clf(struct accesslog *a, const char *begin, const char *end,
			  struct request *r, struct wd_why *why)
{
	const char *bracket = usual_begin(r, begin, end), *close;

	if (bracket != NULL) {
		close = bracket + 1 + ACCESSLOG_CLF_TIME;
		if (accesslog_is_same_time(a, bracket + 1))
			r->at = a->time;
		else if (!accesslog_time(a, bracket + 1, close, &r->at))
			return wd_fail(why, WD_MALFORMED, (uint32_t)(bracket - begin),
				       "no such time");
		a->kind = ACCESSLOG_CLF;
		return combined(begin, close + 1, end, r, why);
	}
	bracket = time_bracket(begin, end);
	if (bracket == NULL || bracket - begin < 2 || bracket[-1] != ' ')
		return wd_fail(why, WD_UNKNOWN, 0, "no client and time of a request");
	close = bracket + 27; /* "[17/May/2015:10:05:03 +0000" */
	if (close >= end || *close != ']')
		close = find(bracket, end, ']');
	if (!accesslog_time(a, bracket + 1, close, &r->at))
		return wd_fail(why, WD_MALFORMED, (uint32_t)(bracket - begin), "no such time");
	bool quoted = end - close > 2 && close[2] == '"';
	if (quoted)
		who(r, begin, bracket - 1);
	else
		accesslog_client_port(r, begin, find_near(begin, bracket - 1, ' '));
	if (end - close < 3 || close[1] != ' ')
		return wd_fail(why, WD_MALFORMED, (uint32_t)(close - begin), "it ends early");
	a->kind = quoted ? ACCESSLOG_CLF : ACCESSLOG_HAPROXY;
	return quoted ? combined(begin, close + 1, end, r, why)
		      : haproxy(begin, close + 1, end, r, why);
}
