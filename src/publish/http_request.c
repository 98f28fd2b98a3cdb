/* SPDX-License-Identifier: Apache-2.0 */
/* From head to answer: the library calls us once when the head is in, for each piece of
 * body, and once when all is in (and again while a deferred answer is waited for). An
 * answer given at the first call makes the library close the connection afterwards: what
 * we want for malformed heads, so all other answers wait for the last call. */
#include "publish/http_internal.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct worker *worker_of(const struct request *r)
{
	return r->conn->worker;
}

/* ---- lists ------------------------------------------------------------------------- */

/* A field that stands several times is one list (RFC 9110, 5.3). */
struct list_field {
	const char *value; /* NULL = not there */
	char joined[HTTP_HEAD_MAX]; /* of several: shorter than the head they stand in */
};

static void list_field_add(struct list_field *f, const char *value)
{
	size_t len;

	if (f->value == NULL) {
		f->value = value;
		return;
	}
	if (f->value != f->joined)
		snprintf(f->joined, sizeof(f->joined), "%s", f->value);
	f->value = f->joined;
	len = strlen(f->joined);
	snprintf(f->joined + len, sizeof(f->joined) - len, ", %s", value);
}

/* ---- birth and end ---------------------------------------------------------------- */

/* The target as it came, before the library cuts it up; what we return is the request's
 * context. NULL (no memory) is answered by closing. */
static void *on_target(void *context, const char *target, struct MHD_Connection *mhd)
{
	struct worker *w = context;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = info->socket_context;
	size_t len = target != NULL ? strlen(target) : 0;
	struct request *r = calloc(1, sizeof(*r) + len + 1);

	if (r == NULL)
		return NULL;
	WD_CHECK(c->request == NULL);
	if (len > 0)
		memcpy(r->text, target, len);
	r->target_len = len;
	r->conn = c;
	r->public.body = "";
	c->request = r;
	w->requests_open++;
	return r;
}

static void request_end(struct worker *w, struct request *r, bool refused)
{
	struct http_response *unsent = NULL;

	if (refused)
		COUNT(w, refused_library);
	r->conn->request = NULL;
	if (r->step == STEP_DEFERRED && conn_take_answer(r->conn, &unsent))
		http_response_unref(unsent); /* the client had gone */
	if (r->conn->phase != PHASE_STREAM && !r->conn->cut)
		conn_deadline(r->conn, PHASE_IDLE, w->http->o.idle_ms);
	http_response_unref(r->refusal);
	if (r->body != NULL)
		w->bodies -= r->body_cap;
	free(r->body);
	free(r);
	w->requests_open--;
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **request,
			 enum MHD_RequestTerminationCode code)
{
	struct request *r = *request;

	(void)mhd;
	if (r == NULL)
		return;
	*request = NULL;
	request_end(context, r, r->step == STEP_HEAD && !r->conn->cut &&
					code != MHD_REQUEST_TERMINATED_CLIENT_ABORT);
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct worker *w = context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		WD_CHECK(w->accepting != NULL);
		*socket_context = w->accepting;
		w->accepting->mhd = mhd;
	} else if (*socket_context != NULL) {
		struct conn *c = *socket_context;
		*socket_context = NULL;
		c->mhd = NULL;
		/* 0.9.75 says nothing of a request whose query it had no memory for. */
		if (c->request != NULL)
			request_end(w, c->request, !c->cut);
		/* A stream keeps its slot and its own descriptor of the socket. */
		if (c->phase != PHASE_STREAM)
			conn_release(c);
	}
}

/* The library's own decoding is switched off: http_target does it, and is strict. */
static size_t no_unescape(void *context, struct MHD_Connection *mhd, char *text)
{
	(void)context;
	(void)mhd;
	return strlen(text);
}

/* ---- answers ------------------------------------------------------------------------ */

static void count_answer(struct worker *w, int status, size_t len)
{
	COUNT_N(w, answer_bytes, len);
	if (status < 300)
		COUNT(w, answered_2xx);
	else if (status == 304)
		COUNT(w, answered_304);
	else if (status < 400)
		COUNT(w, answered_3xx);
	else if (status < 500)
		COUNT(w, answered_4xx);
	else
		COUNT(w, answered_5xx);
}

struct choosing { struct list_field accept_encoding, if_match, if_none_match; };

static enum MHD_Result choosing_field(void *context, enum MHD_ValueKind kind, const char *name,
				      const char *value)
{
	struct choosing *c = context;

	(void)kind;
	if (strcasecmp(name, "Accept-Encoding") == 0)
		list_field_add(&c->accept_encoding, value);
	else if (strcasecmp(name, "If-Match") == 0)
		list_field_add(&c->if_match, value);
	else if (strcasecmp(name, "If-None-Match") == 0)
		list_field_add(&c->if_none_match, value);
	return MHD_YES;
}

bool request_answer(struct request *r, const struct http_response *response)
{
	struct worker *w = worker_of(r);
	struct MHD_Connection *mhd = r->conn->mhd;
	struct choosing c; /* not all of it is set: it is large */
	int status;
	size_t len;

	c.accept_encoding.value = c.if_match.value = c.if_none_match.value = NULL;
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, choosing_field, &c);
	if (r->public.method != HTTP_GET || http_response_status(response) != 200)
		c.if_match.value = c.if_none_match.value = NULL;
	/* In this order (RFC 9110, 13.2.2). */
	if (c.if_match.value != NULL &&
	    !response_is(response, c.accept_encoding.value, c.if_match.value)) {
		response = w->http->refusals[REFUSAL_412];
		c.if_none_match.value = NULL;
	}
	struct MHD_Response *m = response_pick(response, c.accept_encoding.value,
					       c.if_none_match.value, &status, &len);
	r->step = STEP_ANSWERED;
	w->progress = true;
	conn_deadline(r->conn, PHASE_WRITE, w->http->o.write_ms);
	count_answer(w, status, r->public.head_only ? 0 : len);
	return MHD_queue_response(mhd, (unsigned)status, m) == MHD_YES;
}

static enum MHD_Result answer(struct request *r, const struct http_response *response)
{
	return request_answer(r, response) ? MHD_YES : MHD_NO;
}

static enum MHD_Result answer_refusal(struct request *r, enum refusal refusal)
{
	return answer(r, worker_of(r)->http->refusals[refusal]);
}

/* ---- the head ------------------------------------------------------------------------ */

static bool read_method(struct http_request *req, const char *method)
{
	static const struct { const char *name; enum http_method method; } METHODS[] = {
		{"GET", HTTP_GET},     {"HEAD", HTTP_GET},   {"POST", HTTP_POST},
		{"PUT", HTTP_PUT},     {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE},
		{"OPTIONS", HTTP_OPTIONS},
	};

	for (size_t i = 0; i < WD_COUNT(METHODS); i++)
		if (strcmp(method, METHODS[i].name) == 0) {
			req->method = METHODS[i].method;
			req->head_only = i == 1;
			return true;
		}
	return false;
}

static void read_content_type(struct request *r)
{
	const char *value = http_request_field(&r->public, "Content-Type");
	size_t len = value != NULL ? strcspn(value, "; \t") : 0;

	if (len >= sizeof(r->content_type))
		len = 0;
	for (size_t i = 0; i < len; i++)
		r->content_type[i] = value[i] >= 'A' && value[i] <= 'Z' ? (char)(value[i] | 0x20)
									: value[i];
	r->content_type[len] = '\0';
	r->public.content_type = r->content_type;
}

/* The library has checked that it is a number. */
static uint64_t read_content_length(const struct request *r)
{
	const char *value = http_request_field(&r->public, "Content-Length");

	return value != NULL ? strtoull(value, NULL, 10) : 0;
}

static enum MHD_Result forwarded_field(void *context, enum MHD_ValueKind kind, const char *name,
				       const char *value)
{
	(void)kind;
	if (strcasecmp(name, "X-Forwarded-For") == 0)
		list_field_add(context, value);
	return MHD_YES;
}

/* A proxy adds itself to the list, or a field of its own behind it. */
static void read_client(struct request *r)
{
	const struct http *h = worker_of(r)->http;
	struct list_field forwarded; /* not all of it is set: it is large */

	forwarded.value = NULL;
	if (http_prefix_any(h->trusted, h->trusted_count, &r->conn->peer))
		MHD_get_connection_values(r->conn->mhd, MHD_HEADER_KIND, forwarded_field,
					  &forwarded);
	r->public.client = http_address_client(&r->conn->peer, forwarded.value, h->trusted,
					       h->trusted_count);
}

static enum MHD_Result refuse_head(struct request *r, enum head_verdict verdict)
{
	struct worker *w = worker_of(r);

	switch (verdict) {
	case HEAD_OK: break;
	case HEAD_SIZE: COUNT(w, refused_head_size); return answer_refusal(r, REFUSAL_431);
	case HEAD_LINE: COUNT(w, refused_line); break;
	case HEAD_NAME: COUNT(w, refused_name); break;
	case HEAD_HOST: COUNT(w, refused_host); break;
	case HEAD_LENGTH: COUNT(w, refused_length); break;
	case HEAD_TRANSFER: COUNT(w, refused_transfer); return answer_refusal(r, REFUSAL_411);
	case HEAD_TARGET: COUNT(w, refused_target); break;
	}
	return answer_refusal(r, REFUSAL_400);
}

/* The body will not be taken. Small ones are read and dropped, so that the client, which
 * sends before it reads, gets the answer and keeps its connection. */
static enum MHD_Result refuse_body(struct request *r, struct http_response *owned)
{
	bool waits = http_request_field(&r->public, "Expect") != NULL;

	if (r->public.content_length > DISCARD_MAX || waits) {
		enum MHD_Result queued = answer(r, owned);
		http_response_unref(owned);
		return queued;
	}
	r->refusal = owned;
	r->discard = true;
	return MHD_YES;
}

static size_t default_body_max(const struct request *r)
{
	bool takes_body = r->public.method == HTTP_POST || r->public.method == HTTP_PUT ||
			  r->public.method == HTTP_PATCH;

	return takes_body ? worker_of(r)->http->o.body_max : 0;
}

static enum MHD_Result on_body_start(struct request *r, size_t body_max)
{
	struct worker *w = worker_of(r);
	struct http *h = w->http;
	uint64_t len = r->public.content_length;

	if (len > body_max) {
		COUNT(w, refused_body);
		return refuse_body(r, http_response_ref(h->refusals[REFUSAL_413]));
	}
	if (len == 0)
		return MHD_YES;
	if (len > h->o.bodies_max - w->bodies || (r->body = malloc(len + 1)) == NULL) {
		COUNT(w, refused_bodies);
		return refuse_body(r, http_response_ref(h->refusals[REFUSAL_503]));
	}
	r->body_cap = len;
	r->body[0] = '\0';
	w->bodies += len;
	return MHD_YES;
}

static enum MHD_Result on_head(struct request *r, const char *method, const char *url,
			       const char *version)
{
	struct worker *w = worker_of(r);
	struct http *h = w->http;
	struct http_response *refusal = NULL;
	size_t body_max;

	if (w->draining)
		return MHD_NO;
	r->step = STEP_BODY;
	enum head_verdict verdict = head_check(r->conn->mhd, method, url, r->target_len, version);
	if (verdict != HEAD_OK)
		return refuse_head(r, verdict);
	if (!http_target_read(r->text, &r->target))
		return refuse_head(r, HEAD_TARGET);
	if (!read_method(&r->public, method)) {
		COUNT(w, refused_method);
		return answer_refusal(r, REFUSAL_501);
	}
	r->public.path = r->target.path;
	r->public.content_length = read_content_length(r);
	read_content_type(r);
	read_client(r);
	conn_deadline(r->conn, PHASE_BODY, h->o.body_ms);
	body_max = default_body_max(r);
	if (h->handler.begin != NULL)
		refusal = h->handler.begin(h->handler.app, &r->public, &body_max);
	if (refusal != NULL) {
		COUNT(w, refused_begin);
		return refuse_body(r, refusal);
	}
	return on_body_start(r, body_max);
}

/* ---- body and answer ------------------------------------------------------------------ */

static enum MHD_Result on_body(struct request *r, const char *data, size_t *len)
{
	COUNT_N(worker_of(r), body_bytes, *len);
	worker_of(r)->progress = true;
	if (!r->discard) {
		WD_CHECK(r->body != NULL && *len <= r->body_cap - r->public.body_len);
		memcpy(r->body + r->public.body_len, data, *len);
		r->public.body_len += *len;
		r->body[r->public.body_len] = '\0';
	}
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result on_whole(struct request *r)
{
	struct worker *w = worker_of(r);
	struct http *h = w->http;

	if (r->discard)
		return answer(r, r->refusal);
	if (r->body != NULL)
		r->public.body = r->body;
	struct http_response *response = h->handler.handle(h->handler.app, &r->public);
	if (r->step == STEP_DEFERRED) {
		WD_CHECK(response == NULL);
		conn_deadline(r->conn, PHASE_ANSWER, h->o.answer_ms);
		conn_wait(r->conn);
		return MHD_YES;
	}
	if (r->handing_over) {
		WD_CHECK(response == NULL);
		/* Either way the library is done with this connection; its NO closes only the
		 * library's descriptor of the socket. */
		if (stream_take_over(r))
			count_answer(w, 200, 0);
		return MHD_NO;
	}
	if (response == NULL)
		return answer_refusal(r, REFUSAL_500);
	enum MHD_Result queued = answer(r, response);
	http_response_unref(response);
	return queued;
}

static enum MHD_Result on_resumed(struct request *r)
{
	struct http_response *response = NULL;

	/* Resumed by the library at its own shutdown, with no answer: close. */
	if (!conn_take_answer(r->conn, &response))
		return MHD_NO;
	if (response == NULL)
		return answer_refusal(r, REFUSAL_500);
	enum MHD_Result queued = answer(r, response);
	http_response_unref(response);
	return queued;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **request)
{
	struct request *r = *request;

	(void)context;
	(void)mhd;
	if (r == NULL)
		return MHD_NO;
	if (r->step == STEP_DEFERRED && conn_is_waiting(r->conn))
		return MHD_YES;
	if (r->step == STEP_HEAD)
		return on_head(r, method, url, version);
	if (*data_len > 0)
		return on_body(r, data, data_len);
	if (r->step == STEP_DEFERRED)
		return on_resumed(r);
	return on_whole(r);
}

/* Being strict makes 1.0 refuse bare line feeds and folded lines, of which it leaves no trace for
 * http_head.c; in 0.9.75 it means less than http_head.c does. */
#if MHD_VERSION >= 0x01000000
#define STRICTNESS 1
#else
#define STRICTNESS 0
#endif

/* Newer libraries otherwise put an added connection into a queue for another thread, and tell us
 * of it later; a worker's library is called by that worker only. */
#if MHD_VERSION >= 0x00097707
#define ONE_THREAD MHD_USE_NO_THREAD_SAFETY
#else
#define ONE_THREAD 0u
#endif

struct MHD_Daemon *request_daemon_start(struct worker *w)
{
	/* External epoll: its own thread's loop stalls when 128·k sockets are ready at once.
	 * Turbo: no shutdown() before close, on which taking over a stream depends. */
	return MHD_start_daemon(
		ONE_THREAD | MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_TURBO,
		0, NULL, NULL, on_request, w, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT, (unsigned)w->conns_max + 1,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, w, MHD_OPTION_URI_LOG_CALLBACK,
		on_target, w, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_STRICT_FOR_CLIENT, STRICTNESS,
		MHD_OPTION_END);
}

/* ---- what handlers ask ------------------------------------------------------------------ */

static const struct request *request_of(const struct http_request *req)
{
	return (const struct request *)req;
}

const char *http_request_field(const struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(request_of(req)->conn->mhd, MHD_HEADER_KIND, name);
}

const char *http_request_query(const struct http_request *req, const char *name)
{
	const struct http_target *t = &request_of(req)->target;

	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->parameters[i].name, name) == 0)
			return t->parameters[i].value;
	return NULL;
}

struct http_token http_defer(struct http_request *req)
{
	struct request *r = (struct request *)req;

	WD_CHECK(r->step == STEP_BODY && !r->handing_over);
	r->step = STEP_DEFERRED;
	return conn_defer(r->conn);
}

struct http_response *http_stream(struct http_request *req)
{
	struct request *r = (struct request *)req;
	struct worker *w = worker_of(r);
	struct http *h = w->http;

	WD_CHECK(r->step == STEP_BODY);
	if (req->method != HTTP_GET || req->head_only)
		return http_response_ref(h->refusals[REFUSAL_405]);
	switch (http_limit_stream(h->limit, r->conn->limit_entry)) {
	case LIMIT_OK:
		r->handing_over = true;
		return NULL;
	case LIMIT_ADDRESS:
		COUNT(w, streams_refused);
		return http_response_ref(h->refusals[REFUSAL_429]);
	default:
		COUNT(w, streams_refused);
		return http_response_ref(h->refusals[REFUSAL_503]);
	}
}
