/* SPDX-License-Identifier: Apache-2.0 */
/* http: the HTTP/1.1 server. libmicrohttpd parses and writes; everything that decides
 * is ours: who may connect, how long anything may take, what is refused, who waits,
 * who is streamed to. TLS and HTTP/2 are for a proxy in front (docs/http.md).
 *
 * One request, told as a story. A worker thread accepts the connection if its address
 * and the server have room, and gives the head ten seconds. When the head is in and
 * well-formed, `begin` may refuse it or say how long a body it takes. When the body is
 * in, `handle` answers with a prebuilt response, or keeps a token and answers later from
 * any thread, or turns the connection into an event stream.
 *
 * Refused, and counted by reason (see HTTP_COUNTERS): heads over HTTP_HEAD_MAX bytes or
 * HTTP_FIELDS_MAX fields; Transfer-Encoding; more than one Content-Length or Host; no
 * Host in HTTP/1.1; a line that does not end in CR LF; a folded line; NUL and other
 * control characters; a field name that is not a token, or white space before its colon;
 * a request line that is not METHOD SP target SP HTTP/1.x; a target that neither starts
 * with a slash nor with http:// or https:// and a plain host; a path or query with bad
 * percent-encoding, control characters, bad UTF-8, "." or ".." segments, an encoded slash
 * or a backslash; TRACE, CONNECT and methods we do not know; bodies over their cap. After
 * any of these but the last the connection is closed, so that no proxy can disagree with us
 * about what comes next.
 *
 * Not refused, because the library hides it: empty lines before a request line; NUL LF in
 * the place of CR LF; and ":" LF in the place of the empty line that ends a head. A NUL or
 * an empty name anywhere else is seen. nginx passes neither on (tests/nginx_test.sh). A
 * field without a colon, a malformed Content-Length, a head larger than the connection's
 * memory and versions other than 1.x are answered by the library itself (400, 413, 414,
 * 431, 505, connection closed, without our security headers). */
#ifndef WD_PUBLISH_HTTP_H
#define WD_PUBLISH_HTTP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_HEAD_MAX = 4096,    /* bytes from the method to the empty line */
	HTTP_FIELDS_MAX = 40,    /* header fields */
	HTTP_PARAMETERS_MAX = 16, /* query parameters */
	HTTP_EVENT_MAX = 16384,  /* bytes of one event's data */
};

/* ---- responses ------------------------------------------------------------------ */

/* Immutable, reference-counted, made once and shared by all readers and threads. */
struct http_response;

enum http_compress {
	HTTP_COMPRESS_NONE,
	HTTP_COMPRESS_FAST, /* for an answer made for one request */
	HTTP_COMPRESS_PAGE, /* for what is made again each snapshot */
	HTTP_COMPRESS_BEST, /* for files made once at start-up */
};

struct http_field { const char *name, *value; };

struct http_response_options {
	int status;               /* 0 = 200 */
	const char *content_type; /* NULL = none; text is text/html; charset=utf-8 and so on */
	const char *cache_control; /* NULL = no-cache (ask again, 304 is cheap) */
	const void *body;         /* copied */
	size_t body_len;
	const struct http_field *fields; /* further header fields */
	size_t field_count;
	enum http_compress compress; /* gzip and brotli too, where that saves a tenth */
	bool embeddable; /* may be framed and loaded by other sites (badges, charts) */
	bool no_etag;    /* a 200 has a strong ETag unless this is set */
};

/* WD_MALFORMED if a field has characters a header cannot carry; WD_NOMEM. */
enum wd_err http_response_make(const struct http_response_options *o,
			       struct http_response **ret_response, struct wd_why *why)
	WD_MUST_CHECK;
struct http_response *http_response_ref(struct http_response *r);
void http_response_unref(struct http_response *r); /* NULL is fine */
/* A problem document (RFC 9457) with title and status; detail may be NULL. NULL when
 * memory is out, which a handler may return as it is. */
struct http_response *http_response_problem(int status, const char *detail);
/* 405; `allow` is the header Allow (RFC 9110, 15.5.6), such as "POST". NULL as above. */
struct http_response *http_response_not_allowed(const char *allow);
/* 204 with the same: the answer to OPTIONS. */
struct http_response *http_response_allowed(const char *allow);

int http_response_status(const struct http_response *r);
/* The identity body and the ETag of it ("" if none): for tests and callers that embed. */
const char *http_response_body(const struct http_response *r, size_t *ret_len);
const char *http_response_etag(const struct http_response *r);

/* ---- requests ------------------------------------------------------------------- */

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };

/* An IPv4 address is kept mapped (::ffff:a.b.c.d), so that there is one form. */
struct http_address { uint8_t bytes[16]; };

bool http_address_is_v4(const struct http_address *a);
/* Without port and brackets; dst holds at least 46 bytes. */
void http_address_text(const struct http_address *a, char dst[46]);

/* Valid during `begin` and `handle` only. */
struct http_request {
	enum http_method method; /* HEAD arrives as HTTP_GET; the body is left out for you */
	bool head_only;
	const char *path;         /* decoded, UTF-8, starts with a slash */
	const char *content_type; /* media type in lower case, without parameters; or "" */
	const char *body;         /* NUL after body_len; in `begin` always empty */
	size_t body_len;
	uint64_t content_length;    /* what the head announces */
	struct http_address client; /* behind trusted proxies: from X-Forwarded-For */
};

/* The first field of that name, or NULL. */
const char *http_request_field(const struct http_request *req, const char *name);
/* The first query parameter of that name, decoded, or NULL. */
const char *http_request_query(const struct http_request *req, const char *name);

/* ---- the handler ----------------------------------------------------------------- */

/* Called on worker threads, several at once. */
struct http_handler {
	/* Optional. The head is in, the body is not read yet. A response refuses the
	 * request (401, 413, 415, 429 …); NULL goes on. *body_max is the default cap (0 for
	 * GET, DELETE and OPTIONS) and may be changed. */
	struct http_response *(*begin)(void *app, const struct http_request *req,
				       size_t *body_max);
	/* Returns an owned reference, or NULL after http_defer, or what http_stream
	 * returned. NULL without either is answered 500. */
	struct http_response *(*handle)(void *app, struct http_request *req);
	void *app;
};

struct http;

/* A promise to answer. The client may go, or the deadline pass, meanwhile: finishing is
 * then harmless. Finish it once. */
struct http_token { uint64_t id; };

struct http_token http_defer(struct http_request *req);

struct http_finished {
	struct http_token token;
	struct http_response *response; /* the reference is taken; NULL is a 500 */
};
/* From any thread, until http_close. A batch costs one wake-up a worker. */
void http_finish(struct http *h, const struct http_finished *batch, size_t count);

/* ---- event streams ---------------------------------------------------------------- */

/* `return http_stream(req);` turns the connection into an event stream. NULL means it
 * did; otherwise it is the refusal to return (405 unless GET, 429, 503). Last-Event-ID
 * resumes from the ring; what the ring has lost is announced by one event named "reset". */
struct http_response *http_stream(struct http_request *req);
/* One event to every stream: name may be NULL; data is UTF-8, line ends become data:
 * lines. From any thread. WD_FULL if it is over HTTP_EVENT_MAX. */
enum wd_err http_stream_publish(struct http *h, const char *name, const char *data, size_t len)
	WD_MUST_CHECK;

/* ---- the server -------------------------------------------------------------------- */

struct http_options {
	/* "127.0.0.1:8080", "[::]:8080" (both families), port 0 = any free one. */
	const char *const *listen;
	size_t listen_count;
	unsigned workers; /* threads, 1 to 64 */

	uint32_t connections_max; /* also cut to the limit on open files; see counters */
	uint32_t connections_per_address_max; /* an IPv4 address or an IPv6 /64 */
	uint32_t accepts_per_s_max;           /* new connections, all addresses */
	uint32_t accepts_per_address_per_s_max; /* with as many again as burst, twice over */
	uint32_t streams_max;
	uint32_t streams_per_address_max;
	size_t body_max;       /* one body, where `begin` says nothing else */
	size_t bodies_max;     /* all bodies being read, per worker */

	/* Absolute: no dripping of bytes extends them. Milliseconds. */
	uint32_t head_ms;   /* from accept to the end of the first head */
	uint32_t idle_ms;   /* from an answer to the end of the next head */
	uint32_t body_ms;
	uint32_t answer_ms; /* for a deferred answer; then 503 */
	uint32_t write_ms;  /* per answer, and for how long a stream may be stuck */
	uint32_t heartbeat_ms;
	size_t ring_bytes;  /* of events kept; a stream further behind is evicted */

	/* Proxies whose X-Forwarded-For is believed and who are exempt from the caps per
	 * address: addresses or prefixes, "127.0.0.1", "10.0.0.0/8", "::1". */
	const char *const *trusted;
	size_t trusted_count;
};

struct http_options http_options_default(void);

/* Binds, starts the workers. The handler's app must outlive http_close. at = index of
 * the listen address or trusted prefix that is wrong. */
enum wd_err http_open(const struct http_options *o, const struct http_handler *handler,
		      struct http **ret_http, struct wd_why *why) WD_MUST_CHECK;
uint16_t http_port(const struct http *h, size_t listen_index);

/* Takes no more connections, lets requests in flight end (at most grace_ms, then they
 * are answered 503 or cut), ends the streams, joins the workers. */
void http_stop(struct http *h, uint32_t grace_ms);
/* Stops if that was not done, and frees. No http_finish or publish may run or follow. */
void http_close(struct http *h);

/* ---- counters ---------------------------------------------------------------------- */

/* X(name, kind, meaning): kind is counter (only grows) or gauge. */
#define HTTP_COUNTERS(X)                                                                          \
	X(connections, gauge, "connections open now, streams included")                           \
	X(connections_max, gauge, "connections allowed, after the limit on open files")          \
	X(accepted, counter, "connections accepted")                                              \
	X(answered_2xx, counter, "answers with status 2xx")                                       \
	X(answered_304, counter, "answers with status 304")                                       \
	X(answered_3xx, counter, "answers with another status 3xx")                               \
	X(answered_4xx, counter, "answers with status 4xx, refusals included")                    \
	X(answered_5xx, counter, "answers with status 5xx")                                       \
	X(answer_bytes, counter, "body bytes of answers, as encoded")                             \
	X(body_bytes, counter, "body bytes of requests")                                          \
	X(deferred, counter, "requests answered later")                                           \
	X(deferred_open, gauge, "requests that wait for their answer now")                        \
	X(deferred_late, counter, "deferred requests answered 503 at their deadline")             \
	X(refused_connections, counter, "connections refused: the server is full")                \
	X(refused_address, counter, "connections refused: their address has enough")              \
	X(refused_rate, counter, "connections refused: too many a second")                        \
	X(refused_library, counter, "heads the library refused (no colon, length, size, version)") \
	X(refused_head_size, counter, "heads over the size or number of fields")                  \
	X(refused_line, counter, "heads with a bare line feed, folded line, NUL or other control") \
	X(refused_name, counter, "heads with a field name that is not a token")                   \
	X(refused_host, counter, "heads with no Host, two, or a malformed one")                   \
	X(refused_length, counter, "heads with more than one Content-Length")                     \
	X(refused_transfer, counter, "heads with Transfer-Encoding")                              \
	X(refused_target, counter, "malformed request lines, paths and queries")                  \
	X(refused_method, counter, "methods we do not serve")                                     \
	X(refused_body, counter, "bodies over their cap")                                         \
	X(refused_bodies, counter, "bodies refused: too many at once")                            \
	X(refused_begin, counter, "requests refused by the application before the body")          \
	X(cut_head, counter, "connections cut: no whole head in time")                            \
	X(cut_idle, counter, "kept-alive connections closed: no next request in time")            \
	X(cut_body, counter, "connections cut: no whole body in time")                            \
	X(cut_write, counter, "connections cut: the client did not read in time")                 \
	X(streams, gauge, "event streams open now")                                               \
	X(streams_opened, counter, "event streams opened")                                        \
	X(streams_refused, counter, "event streams refused: too many")                            \
	X(streams_evicted, counter, "event streams ended: the client fell behind")                \
	X(stream_events, counter, "events published")                                             \
	X(stream_bytes, counter, "bytes sent to event streams")

struct http_counters {
#define HTTP_COUNTER_FIELD(name, kind, meaning) uint64_t name;
	HTTP_COUNTERS(HTTP_COUNTER_FIELD)
#undef HTTP_COUNTER_FIELD
};

/* The sum over the workers; from any thread, without a lock. */
struct http_counters http_counters_read(const struct http *h);

#endif
