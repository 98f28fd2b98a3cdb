/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object: members are found by their name at whatever depth, names without regard to
 * case, '_', '-' and '.'; what is said of the answer's or the TLS connection's own headers is
 * passed over. No tree is built; text keeps its escapes.
 *
 * The names of a request's headers are the client's to choose: of those (Caddy's "headers",
 * Traefik's "request_X-Name") agent, referer and host alone are read, so that no header "Client-Ip"
 * or "Status" tells us who it was and what it was answered. */
#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "decode/accesslog_field.h"

enum { DEPTH_MAX = 16, NAME_MAX_FOLDED = 24 };

/* Of two members for one field the higher rank counts; the first of equal ones. */
struct name { char folded[NAME_MAX_FOLDED]; uint8_t field, rank; };

static const struct name names[] = {
	/* nginx configurations, and loggers of applications */
	{"remoteaddr", ACCESSLOG_CLIENT, 2}, {"remoteip", ACCESSLOG_CLIENT, 2},
	{"clientip", ACCESSLOG_CLIENT, 3}, {"client", ACCESSLOG_CLIENT, 2},
	{"realip", ACCESSLOG_CLIENT, 3}, {"ip", ACCESSLOG_CLIENT, 1},
	{"remotehost", ACCESSLOG_CLIENT, 1}, {"sourceip", ACCESSLOG_CLIENT, 1},
	{"timelocal", ACCESSLOG_TIME, 2}, {"timeiso8601", ACCESSLOG_TIME, 3},
	{"@timestamp", ACCESSLOG_TIME, 2}, {"timestamp", ACCESSLOG_TIME, 2},
	{"msec", ACCESSLOG_TIME, 3}, {"time", ACCESSLOG_TIME, 1}, {"ts", ACCESSLOG_TIME, 2},
	{"datetime", ACCESSLOG_TIME, 1}, {"request", ACCESSLOG_REQUEST, 1},
	{"requestline", ACCESSLOG_REQUEST, 1}, {"requestmethod", ACCESSLOG_METHOD, 2},
	{"method", ACCESSLOG_METHOD, 2}, {"httpmethod", ACCESSLOG_METHOD, 2},
	{"verb", ACCESSLOG_METHOD, 1}, {"requesturi", ACCESSLOG_URI, 4},
	{"uri", ACCESSLOG_URI, 3}, {"url", ACCESSLOG_URI, 2}, {"path", ACCESSLOG_URI, 1},
	{"args", ACCESSLOG_QUERY, 1}, {"querystring", ACCESSLOG_QUERY, 1},
	{"query", ACCESSLOG_QUERY, 1},
	{"status", ACCESSLOG_STATUS, 3}, {"statuscode", ACCESSLOG_STATUS, 2},
	{"response", ACCESSLOG_STATUS, 1}, {"responsecode", ACCESSLOG_STATUS, 1},
	{"responsestatus", ACCESSLOG_STATUS, 1},
	{"bodybytessent", ACCESSLOG_BYTES, 2}, {"bytessent", ACCESSLOG_BYTES, 1},
	{"bytes", ACCESSLOG_BYTES, 1}, {"size", ACCESSLOG_BYTES, 1},
	{"responsesize", ACCESSLOG_BYTES, 1}, {"httpreferer", ACCESSLOG_REFERER, 2},
	{"httpreferrer", ACCESSLOG_REFERER, 2}, {"referer", ACCESSLOG_REFERER, 1},
	{"referrer", ACCESSLOG_REFERER, 1}, {"httpuseragent", ACCESSLOG_AGENT, 2},
	{"useragent", ACCESSLOG_AGENT, 1}, {"agent", ACCESSLOG_AGENT, 1},
	{"requesttime", ACCESSLOG_SECONDS, 2}, {"durationms", ACCESSLOG_MS, 2},
	{"requesttimems", ACCESSLOG_MS, 2}, {"httphost", ACCESSLOG_HOST, 2},
	{"host", ACCESSLOG_HOST, 1}, {"vhost", ACCESSLOG_HOST, 1},
	{"servername", ACCESSLOG_HOST, 1}, {"serverprotocol", ACCESSLOG_PROTOCOL, 2},
	{"protocol", ACCESSLOG_PROTOCOL, 1}, {"httpversion", ACCESSLOG_PROTOCOL, 1},
	/* Caddy (its seconds); Traefik (its Duration is in ns) */
	{"duration", ACCESSLOG_SECONDS, 1}, {"proto", ACCESSLOG_PROTOCOL, 2},
	{"clienthost", ACCESSLOG_CLIENT, 3}, {"clientaddr", ACCESSLOG_CLIENT, 2},
	{"downstreamstatus", ACCESSLOG_STATUS, 4},
	{"downstreamcontentsize", ACCESSLOG_BYTES, 3}, {"requestpath", ACCESSLOG_URI, 4},
	{"requestprotocol", ACCESSLOG_PROTOCOL, 3}, {"requesthost", ACCESSLOG_HOST, 3},
	{"startutc", ACCESSLOG_TIME, 4}, {"requestuseragent", ACCESSLOG_AGENT, 3},
	{"requestreferer", ACCESSLOG_REFERER, 3},
};

static const char *const passed_over[] = {"respheaders", "responseheaders", "tls", "response"};
static const char *const headers[] = {"headers", "requestheaders", "reqheaders", "header"};

struct walk {
	struct accesslog *a;
	struct request *r;
	const char *at, *end;
	uint8_t ranks[ACCESSLOG_FIELDS];
	bool timed;
	bool blank; /* a request stands there, and is empty */
};

/* Not keyed: names are written by whoever configured the log. */
static uint64_t name_hash(const char *name, size_t len)
{
	uint64_t h = len + 1, word;

	for (; len >= 8; name += 8, len -= 8) {
		memcpy(&word, name, 8);
		h = hash_mix(h ^ word);
	}
	for (word = 0; len > 0; len--)
		word = word << 8 | (uint8_t)*name++;
	return hash_mix(h ^ word) | 1;
}

static uint8_t look_up(const char *name, size_t len, uint8_t *ret_field)
{
	char folded[NAME_MAX_FOLDED] = "";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (name[i] == '_' || name[i] == '-' || name[i] == '.')
			continue;
		if (n + 1 == sizeof(folded))
			return 0;
		folded[n++] = text_lower(name[i]);
	}
	for (size_t i = 0; n > 0 && i < WD_COUNT(names); i++) {
		const struct name *one = &names[i];
		if (one->folded[0] != folded[0] || memcmp(one->folded, folded, n + 1) != 0)
			continue;
		*ret_field = one->field == ACCESSLOG_SECONDS && *name == 'D' ? ACCESSLOG_NS
									     : one->field;
		return one->rank;
	}
	return 0;
}

static uint8_t rank_of(const struct walk *w, const char *name, size_t len, uint8_t *ret_field)
{
	uint64_t hash = name_hash(name, len);
	size_t at = hash >> 32 & (ACCESSLOG_KNOWN - 1);

	if (w->a->known[at].hash != hash) {
		w->a->known[at].field = ACCESSLOG_SKIP;
		w->a->known[at].rank = look_up(name, len, &w->a->known[at].field);
		w->a->known[at].hash = hash;
	}
	*ret_field = w->a->known[at].field;
	return w->a->known[at].rank;
}

static bool is_of(const char *const *all, size_t count, const char *name, size_t len)
{
	char folded[NAME_MAX_FOLDED] = "";
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < sizeof(folded); i++)
		if (name[i] != '_' && name[i] != '-')
			folded[n++] = text_lower(name[i]);
	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i], folded) == 0)
			return true;
	return false;
}

/* As Traefik writes the name of a request's header; its own members, and those of nginx's
 * configurations, do not go on with a capital. */
static bool is_prefixed_header(const char *name, size_t len)
{
	static const char prefix[] = "request_";
	size_t n = sizeof(prefix) - 1;

	return len > n && memcmp(name, prefix, n) == 0 && name[n] >= 'A' && name[n] <= 'Z';
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
	size_t i = 0;

	while (i < len && wanted[i] != '\0' && text_lower(name[i]) == wanted[i])
		i++;
	return i == len && wanted[i] == '\0';
}

static bool is_told_by_client(uint8_t field, const char *name, size_t len)
{
	return field == ACCESSLOG_AGENT || field == ACCESSLOG_REFERER ||
	       (field == ACCESSLOG_HOST &&
		(is_name(name, len, "host") || is_name(name, len, "request_host")));
}

/* A value for the field: kept if nothing of a higher rank was. All durations are one. */
static void take(struct walk *w, uint8_t field, uint8_t rank, const char *at, const char *end)
{
	uint8_t slot = field > ACCESSLOG_SECONDS ? ACCESSLOG_SECONDS : field;
	struct text_span query = w->r->query;

	if (field == ACCESSLOG_REQUEST && at < end && *at == '/')
		slot = field = ACCESSLOG_URI; /* the method stands apart */
	w->blank |= at == end && (field == ACCESSLOG_REQUEST || field == ACCESSLOG_URI);
	if (rank <= w->ranks[slot] || at == end ||
	    !accesslog_put(w->a, w->r, (enum accesslog_field)field, at, end))
		return;
	if (field == ACCESSLOG_URI && w->r->query.len == 0)
		w->r->query = query; /* nginx's $uri, with $args beside it */
	w->timed |= field == ACCESSLOG_TIME;
	w->ranks[slot] = rank;
}

/* Behind the closing quote; NULL if there is none. *at is behind the opening one. */
static const char *string_end(const char *at, const char *end)
{
	for (const char *p = at; (p = find(p, end, '"')) < end; p++) {
		const char *slash = p;
		while (slash > at && slash[-1] == '\\')
			slash--;
		if (((p - slash) & 1) == 0)
			return p + 1;
	}
	return NULL;
}

static const char *scalar_end(const char *at, const char *end)
{
	while (at < end && *at != ',' && *at != '}' && *at != ']' && *at != ' ' && *at != '\t')
		at++;
	return at;
}

struct level { bool array, passed, headers; const char *name; size_t len; };

/* One token at w->at, below `l` (the innermost level). False: broken. */
static bool scalar(struct walk *w, struct level *l)
{
	bool string = *w->at == '"';
	const char *at = w->at + string;
	const char *after = string ? string_end(at, w->end) : scalar_end(at, w->end);
	uint8_t field, rank;

	if (after == NULL || after == w->at)
		return false;
	w->at = after;
	if (!l->passed && l->len > 0 && (rank = rank_of(w, l->name, l->len, &field)) > 0 &&
	    ((!l->headers && !is_prefixed_header(l->name, l->len)) ||
	     is_told_by_client(field, l->name, l->len)))
		take(w, field, rank, at, after - string);
	l->len = 0; /* of an array the first counts */
	return true;
}

static bool member_name(struct walk *w, struct level *l)
{
	const char *after = string_end(w->at + 1, w->end);

	if (after == NULL)
		return false;
	l->name = w->at + 1;
	l->len = (size_t)(after - 1 - l->name);
	while (after < w->end && (*after == ' ' || *after == '\t'))
		after++;
	if (after == w->end || *after != ':')
		return false;
	w->at = after + 1;
	return true;
}

static bool walk(struct walk *w)
{
	struct level levels[DEPTH_MAX];
	int depth = -1;
	bool named = false; /* the next is a member's value */

	for (; w->at < w->end;) {
		char c = *w->at;
		if (c == ' ' || c == '\t' || c == ',') {
			w->at++;
		} else if (c == '{' || c == '[') {
			struct level *outer = depth >= 0 ? &levels[depth] : NULL;
			if (depth + 1 == DEPTH_MAX)
				return false;
			struct level inner = {.array = c == '['};
			if (outer != NULL) {
				inner.passed = outer->passed ||
					       is_of(passed_over, WD_COUNT(passed_over),
						     outer->name, outer->len);
				inner.headers = outer->headers ||
						is_of(headers, WD_COUNT(headers), outer->name,
						      outer->len);
				inner.name = outer->name;
				inner.len = inner.array ? outer->len : 0;
			}
			levels[++depth] = inner;
			named = inner.array;
			w->at++;
		} else if (c == '}' || c == ']') {
			if (depth < 0 || levels[depth].array != (c == ']'))
				return false;
			w->at++;
			if (depth-- == 0)
				return true;
			named = levels[depth].array;
		} else if (depth >= 0 && c == '"' && !named) {
			if (!member_name(w, &levels[depth]))
				return false;
			named = true;
		} else if (depth >= 0 && named) {
			if (!scalar(w, &levels[depth]))
				return false;
			named = levels[depth].array;
		} else {
			return false;
		}
	}
	return false;
}

enum wd_err accesslog_json(struct accesslog *a, const char *begin, const char *end,
			   struct request *r, struct wd_why *why)
{
	struct walk w = {.a = a, .r = r, .at = begin, .end = end};

	a->kind = ACCESSLOG_JSON;
	if (!walk(&w))
		return wd_fail(why, WD_MALFORMED, (uint32_t)(w.at - begin), "no JSON object");
	bool asked = w.ranks[ACCESSLOG_REQUEST] > 0 || w.ranks[ACCESSLOG_URI] > 0 ||
		     w.ranks[ACCESSLOG_PATH] > 0 || w.ranks[ACCESSLOG_METHOD] > 0;
	/* nginx of a request that never came whole, or was none: all of it is empty. */
	r->malformed |= !asked && w.blank && r->status >= 400;
	if (!w.timed || w.ranks[ACCESSLOG_CLIENT] == 0 || (!asked && !r->malformed))
		return wd_fail(why, WD_UNKNOWN, 0, "no client, time and request in it");
	return WD_OK;
}
