/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/accesslog_field.h"

#include "base/hash.h"
#include "decode/address.h"
#include "decode/number.h"

static bool is_escaped(const char *begin, const char *quote)
{
	const char *p = quote;

	while (p > begin && p[-1] == '\\')
		p--;
	return (quote - p) & 1;
}

const char *accesslog_quoted(const char *at, const char *end)
{
	for (const char *p = at; (p = find_far(p, end, '"')) < end; p++)
		if ((p + 1 == end || p[1] == ' ') && !is_escaped(at, p))
			return p;
	return NULL;
}

/* ---- client ---- */

static void digest(uint8_t bytes[16], const char *at, const char *end)
{
	uint64_t a = 0, b = 0;

	for (const char *p = at; p < end; p++) {
		a = hash_mix(a + (uint8_t)*p + 1);
		b += a;
	}
	memcpy(bytes, &a, 8);
	memcpy(bytes + 8, &b, 8);
}

bool accesslog_client(struct request *r, const char *at, const char *end)
{
	for (const char *comma; (comma = find(at, end, ',')) < end;)
		at = comma + 1;
	while (at < end && *at == ' ')
		at++;
	r->family = address_read(at, (size_t)(end - at), r->client);
	if (r->family == 0)
		digest(r->client, at, end - at < 256 ? end : at + 256);
	return r->family != 0;
}

bool accesslog_client_port(struct request *r, const char *at, const char *end)
{
	const char *colon = at < end && *at != '[' ? memrchr(at, ':', (size_t)(end - at)) : NULL;

	return accesslog_client(r, at, colon != NULL && colon > at ? colon : end);
}

/* ---- the request line ---- */

static uint8_t protocol_of(const char *at, const char *end)
{
	size_t len = (size_t)(end - at);

	if (len > 5 && memcmp(at, "HTTP/", 5) == 0) {
		at += 5;
		len -= 5;
	}
	if (len == 3 && at[1] == '.') {
		if (at[0] == '1')
			return at[2] == '1' || at[2] == '0' ? REQUEST_H1 : REQUEST_ODD;
		if (at[2] == '0' && (at[0] == '2' || at[0] == '3'))
			return at[0] == '2' ? REQUEST_H2 : REQUEST_H3;
		if (at[0] == '0' && at[2] == '9')
			return REQUEST_H1;
	}
	if (len == 1 && at[0] >= '1' && at[0] <= '3')
		return (uint8_t)(REQUEST_H1 + at[0] - '1');
	return len > 0 ? REQUEST_ODD : REQUEST_UNTOLD;
}

/* "HTTP/1.1", or what tools that got it wrong write there: "HTTPS/1.1", "HTTP/x". */
static bool is_protocol(const char *at, const char *end)
{
	const char *p = at;

	while (p < end && *p >= 'A' && *p <= 'Z')
		p++;
	return p - at >= 4 && p + 1 < end && *p == '/' && end - p <= 8;
}

void accesslog_target(struct request *r, const char *at, const char *end)
{
	if (end - at > 7 && *at == 'h' &&
	    (memcmp(at, "http://", 7) == 0 || memcmp(at, "https:/", 7) == 0)) {
		const char *host = find(at, end, ':') + 3;
		const char *path = host < end ? find(host, end, '/') : end;
		if (host < path)
			r->host = span_of(host, path);
		r->absolute = true;
		at = path;
	}
	const char *query = find_far(at, end, '?');
	r->path = span_of(at, query);
	r->query = query < end ? span_of(query + 1, end) : (struct text_span){NULL, 0};
}

static size_t method_len(const char *at, const char *end)
{
	const char *p = at;

	while (p < end && p - at <= 20 && ((*p >= 'A' && *p <= 'Z') || *p == '_' || *p == '-'))
		p++;
	return p < end && *p == ' ' ? (size_t)(p - at) : 0;
}

void accesslog_request_line(struct request *r, const char *at, const char *end)
{
	bool get = end - at > 4 && memcmp(at, "GET ", 4) == 0; /* nearly all */
	size_t len = get ? 3 : method_len(at, end);
	const char *target = at + len + 1, *last;

	if (len == 0 || target >= end) {
		r->malformed = true;
		r->method = REQUEST_OTHER;
		r->path = span_told(at, end);
		return;
	}
	r->method = (uint8_t)(get ? REQUEST_GET : request_method_of(at, len));
	if (end - target > 9 && memcmp(end - 9, " HTTP/1.1", 9) == 0) {
		r->protocol = REQUEST_H1;
		accesslog_target(r, target, end - 9);
		return;
	}
	if (end - target > 9 && end[-9] == ' ' && memcmp(end - 8, "HTTP/", 5) == 0)
		last = end - 9;
	else
		last = memrchr(target, ' ', (size_t)(end - target));
	if (last != NULL && is_protocol(last + 1, end)) {
		r->protocol = protocol_of(last + 1, end);
		end = last;
	}
	accesslog_target(r, target, end);
}

/* ---- numbers ---- */

int64_t accesslog_bytes(const char *at, const char *end)
{
	int64_t n = 0;

	if (end - at == 1 && *at == '-')
		return 0;
	if (at == end || end - at > 18)
		return -1;
	for (; at < end; at++) {
		if (!is_digit(*at))
			return -1;
		n = n * 10 + (*at - '0');
	}
	return n;
}

/* What stands behind a number: ns of it; 0 if that is no unit. */
static int64_t unit_of(const char *at, const char *end)
{
	static const struct { char name[4]; int64_t ns; } units[] = {
		{"s", WD_NS_PER_S}, {"ms", 1000000}, {"us", 1000}, {"\xc2\xb5s", 1000}, {"ns", 1},
		{"m", 60 * WD_NS_PER_S},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == (size_t)(end - at) &&
		    memcmp(units[i].name, at, (size_t)(end - at)) == 0)
			return units[i].ns;
	return 0;
}

bool accesslog_duration(const char *at, const char *end, int64_t unit_ns, int64_t *ret_us)
{
	struct number n;
	size_t len = number_read(at, (size_t)(end - at), &n);

	if (len == 0 || n.value < 0)
		return false;
	if (at + len < end && (unit_ns = unit_of(at + len, end)) == 0)
		return false;
	double us = n.value * (double)unit_ns / 1000;
	if (us > 1e15)
		return false;
	*ret_us = (int64_t)us;
	return true;
}

/* ---- any of them ---- */

static void put_number(struct request *r, enum accesslog_field field, const char *at,
		       const char *end)
{
	static const int64_t unit_ns[] = {WD_NS_PER_S, 1000000, 1000, 1};

	if (field == ACCESSLOG_STATUS)
		r->status = accesslog_status(at, end);
	else if (field == ACCESSLOG_BYTES)
		r->bytes = accesslog_bytes(at, end);
	else
		accesslog_duration(at, end, unit_ns[field - ACCESSLOG_SECONDS], &r->duration_us);
}

bool accesslog_put(struct accesslog *a, struct request *r, enum accesslog_field field,
		   const char *at, const char *end)
{
	switch (field) {
	case ACCESSLOG_CLIENT:
		accesslog_client(r, at, end);
		break;
	case ACCESSLOG_TIME:
		return accesslog_time(a, at, end, &r->at);
	case ACCESSLOG_HOST:
		r->host = span_told(at, end);
		break;
	case ACCESSLOG_REQUEST:
		accesslog_request_line(r, at, end);
		break;
	case ACCESSLOG_METHOD:
		r->method = (uint8_t)request_method_of(at, (size_t)(end - at));
		break;
	case ACCESSLOG_URI:
		accesslog_target(r, at, end);
		break;
	case ACCESSLOG_PATH:
		r->path = span_told(at, end);
		break;
	case ACCESSLOG_QUERY:
		r->query = span_told(at < end && *at == '?' ? at + 1 : at, end);
		break;
	case ACCESSLOG_PROTOCOL:
		r->protocol = protocol_of(at, end);
		break;
	case ACCESSLOG_REFERER:
		r->referer = span_told(at, end);
		break;
	case ACCESSLOG_AGENT:
		r->agent = span_told(at, end);
		break;
	case ACCESSLOG_STATUS:
	case ACCESSLOG_BYTES:
	case ACCESSLOG_SECONDS:
	case ACCESSLOG_MS:
	case ACCESSLOG_US:
	case ACCESSLOG_NS:
		put_number(r, field, at, end);
		break;
	case ACCESSLOG_SKIP:
	case ACCESSLOG_W3C_DATE:
	case ACCESSLOG_FIELDS:
		break;
	}
	return true;
}
