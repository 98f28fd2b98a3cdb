/* SPDX-License-Identifier: Apache-2.0 */
/* request: one HTTP request as an access log tells it. What every log decoder writes and
 * every web tally reads. Spans are borrowed: they live as long as the line they point into,
 * and hold its bytes as they are (escapes like \x22 or \" are not undone). */
#ifndef WD_MODEL_REQUEST_H
#define WD_MODEL_REQUEST_H

#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text_span { const char *at; uint32_t len; }; /* at is NULL exactly when len is 0 */

static inline bool span_starts(struct text_span s, const char *word)
{
	size_t len = strlen(word);
	return s.len >= len && memcmp(s.at, word, len) == 0;
}

static inline bool span_ends(struct text_span s, const char *word)
{
	size_t len = strlen(word);
	return s.len >= len && memcmp(s.at + s.len - len, word, len) == 0;
}

enum request_method {
	REQUEST_OTHER, /* a method of its own making, or none: see `malformed` */
	REQUEST_GET,
	REQUEST_HEAD,
	REQUEST_POST,
	REQUEST_PUT,
	REQUEST_DELETE,
	REQUEST_PATCH,
	REQUEST_OPTIONS,
	REQUEST_CONNECT,
	REQUEST_METHODS,
};

enum request_protocol {
	REQUEST_UNTOLD,
	REQUEST_H1, /* 0.9, 1.0, 1.1 */
	REQUEST_H2,
	REQUEST_H3,
	REQUEST_ODD, /* "HTTP/1.2": no such version */
};

struct request {
	wd_wall at; /* as the server stamped it: at the request's begin or its end, as servers do */
	uint8_t client[16]; /* network order; IPv4 in the first four bytes, then zeros */
	uint8_t family;     /* 4 or 6; 0: a name stood there, and `client` is a digest of it */
	uint8_t method;     /* enum request_method */
	uint8_t protocol;   /* enum request_protocol */
	bool malformed;     /* the request line was none: empty, "-", or other bytes (in path) */
	bool absolute;      /* it named "http://host/path", as proxies are asked */
	bool unreferred;    /* the log never tells a referer */
	uint16_t status;    /* 100 to 599; 0 = none was sent, or not told */
	struct text_span host, path, query; /* query without its '?' */
	struct text_span referer, agent;
	int64_t bytes;       /* of the answer; -1 not told */
	int64_t duration_us; /* -1 not told */
};

/* "GET" … ; "other" */
const char *request_method_name(enum request_method m);
enum request_method request_method_of(const char *text, size_t len);

#endif
