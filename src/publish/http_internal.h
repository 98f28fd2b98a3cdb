/* SPDX-License-Identifier: Apache-2.0 */
/* http_internal: what the files of the HTTP server share. Nobody else includes it.
 *
 *   http.c           opens, stops, closes; finishing of deferred answers; counters
 *   http_accept.c    listening sockets; who may connect; the slots of connections
 *   http_worker.c    one thread's loop: its epoll, the library's, deadlines
 *   http_request.c   the library's callbacks: from head to answer
 *   http_head.c      is the head what RFC 9112 says, to the byte?
 *   http_stream.c    event streams: connections taken over from the library
 *   http_ring.c      the events they all read from
 *   http_response.c  prebuilt responses
 *   http_target.c, http_negotiate.c, http_address.c, http_limit.c, http_origin.c,
 *   http_wheel.c: pure parts
 *
 * A worker's own fields belong to its thread. What other threads touch stands under a
 * lock that is named beside it. */
#ifndef WD_PUBLISH_HTTP_INTERNAL_H
#define WD_PUBLISH_HTTP_INTERNAL_H

#include "publish/http.h"
#include "publish/http_address.h"
#include "publish/http_limit.h"
#include "publish/http_negotiate.h"
#include "publish/http_ring.h"
#include "publish/http_target.h"
#include "publish/http_wheel.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	WORKERS_MAX = 64,
	LISTEN_MAX = 16,
	POOL_BYTES = 8192, /* the library's memory per connection: a head, then an answer's */
	DISCARD_MAX = 65536, /* a refused body up to here is read, so that the answer arrives */
	ASKING_MAX = 512, /* connections of a worker that wait for their answer without a rest */
};

struct worker;

/* What a connection waits for: each with its own deadline. */
enum phase { PHASE_HEAD, PHASE_IDLE, PHASE_BODY, PHASE_ANSWER, PHASE_WRITE, PHASE_STREAM };

struct conn {
	struct wheel_timer timer; /* first: a timer that fires is its connection */
	enum phase phase;
	int fd;                     /* the library's; in PHASE_STREAM ours. -1 = slot free */
	bool counted;               /* still holds its place in the limits */
	bool cut;                   /* shut down at a deadline, about to be closed */
	uint32_t limit_entry;
	struct worker *worker;
	struct MHD_Connection *mhd; /* NULL in PHASE_STREAM */
	struct request *request;    /* NULL between requests */
	struct http_address peer;
	struct conn *next_free;
	bool asking;                /* waits for its answer, and is not suspended */
	bool answer_came;           /* and the worker knows */

	/* under worker->finish_lock */
	uint32_t generation; /* of the token */
	bool deferred;
	bool finished;
	struct http_response *answer; /* owned; NULL with finished = 500 */
	struct conn *next_finished;

	/* PHASE_STREAM */
	uint64_t position; /* in the ring */
	struct conn *stream_next, *stream_prev;
	bool blocked;
};

enum step { STEP_HEAD, STEP_BODY, STEP_DEFERRED, STEP_ANSWERED };

struct request {
	struct http_request public; /* first: http_request of the application */
	struct conn *conn;
	enum step step;
	bool discard;          /* refused by begin: the body is read and dropped */
	bool handing_over;     /* becomes a stream */
	struct http_response *refusal; /* owned; answered after the discarded body */
	char *body;            /* owned */
	size_t body_cap;
	char content_type[64];
	struct http_target target;
	size_t target_len;     /* as it came */
	char text[];           /* the target, decoded in place */
};

struct worker {
	struct http *http;
	unsigned index;
	pthread_t thread;
	bool started;
	struct MHD_Daemon *daemon;
	int epoll, wake;       /* wake: an eventfd */
	int listeners[LISTEN_MAX];
	size_t listener_count;
	uint64_t now_ms;
	uint64_t accept_again_ms; /* after running out of descriptors; 0 = accepting */
	uint64_t heartbeat_ms;    /* when the next is due; worker 0 only */
	uint64_t heartbeat_head;  /* where the ring was at the last */
	bool closing;             /* stops: listeners and streams are closed */
	bool draining;            /* stops: no new request is begun */
	struct wheel wheel;

	struct conn *conns;    /* conns_max slots */
	uint32_t conns_max, conns_used; /* slots never used lie above conns_used */
	struct conn *free_conns;
	struct conn *accepting; /* the one being handed to the library */
	size_t bodies;         /* bytes of bodies held */
	uint32_t requests_open; /* whose answer is not sent yet */
	uint32_t asking;       /* connections */
	bool progress;         /* the library had something to tell this turn */

	struct conn streams;   /* list head, least recently served first */
	struct conn blocked;   /* list head, streams that wait for their client */
	uint64_t served_head;  /* the ring's, when last all streams were served up to it */

	atomic_uint_fast64_t counters[sizeof(struct http_counters) / sizeof(uint64_t)];

	pthread_mutex_t finish_lock;
	struct conn *finished_first, *finished_last; /* under finish_lock */
};

/* Answers the server gives by itself. */
enum refusal {
	REFUSAL_400, REFUSAL_405, REFUSAL_411, REFUSAL_412, REFUSAL_413, REFUSAL_429, REFUSAL_431,
	REFUSAL_500, REFUSAL_501, REFUSAL_503, REFUSALS,
};

struct http {
	struct http_options o;
	struct http_handler handler;
	struct http_prefix *trusted;
	size_t trusted_count;
	struct http_limit *limit;
	struct http_ring *ring;
	struct http_response *refusals[REFUSALS];
	struct sockaddr_storage listen[LISTEN_MAX];
	socklen_t listen_len[LISTEN_MAX];
	size_t listen_count;
	struct worker *workers;
	unsigned worker_count;
	atomic_int stopping;       /* 0 runs, 1 stops gracefully */
	atomic_uint_fast64_t stop_at_ms; /* when grace ends */
	bool stopped;
};

/* http.c */
#define COUNTER_INDEX(name) (offsetof(struct http_counters, name) / sizeof(uint64_t))
static inline void counter_add(struct worker *w, size_t index, uint64_t n)
{
	/* One writer, so no atomic read-modify-write is needed; wraps for gauges going down. */
	uint64_t old = atomic_load_explicit(&w->counters[index], memory_order_relaxed);
	atomic_store_explicit(&w->counters[index], old + n, memory_order_relaxed);
}
#define COUNT(w, name) counter_add(w, COUNTER_INDEX(name), 1)
#define COUNT_N(w, name, n) counter_add(w, COUNTER_INDEX(name), n)
#define COUNT_DOWN(w, name) counter_add(w, COUNTER_INDEX(name), UINT64_MAX)
void worker_wake(struct worker *w);
/* Marks the connection's open promise as answered from inside (deadline, shutdown). */
bool conn_finish_inside(struct conn *c, struct http_response *answer);
/* Wakes the connections whose answers came; how many. */
size_t worker_resume_finished(struct worker *w);
struct http_token conn_defer(struct conn *c);
/* The library is to leave the connection alone until the answer comes. Taking it out of its epoll
 * and putting it in again costs more than being asked about it once a turn, so most are only
 * told to wait, each time. Those over ASKING_MAX are suspended. */
void conn_wait(struct conn *c);
bool conn_is_waiting(const struct conn *c);
/* The answer of a finished connection, once; *ret is owned and may be NULL. */
bool conn_take_answer(struct conn *c, struct http_response **ret_answer);

/* http_accept.c */
enum wd_err listen_open(struct http *h, struct wd_why *why) WD_MUST_CHECK;
void worker_accept(struct worker *w, int listener);
/* Lets the listeners speak again (or not: out of descriptors). */
void worker_arm_listeners(struct worker *w, bool armed);
void worker_close_listeners(struct worker *w);
/* Takes fd, an accepted connection. */
void worker_admit(struct worker *w, int fd, const struct sockaddr_storage *ss, socklen_t len);
void conn_release(struct conn *c); /* its place in the limits and its slot */
void conn_deadline(struct conn *c, enum phase phase, uint32_t ms);

/* http_worker.c */
enum wd_err worker_open(struct worker *w, struct wd_why *why) WD_MUST_CHECK;
void *worker_main(void *arg);
void worker_close(struct worker *w);
uint64_t clock_ms(void);

/* http_request.c */
struct MHD_Daemon *request_daemon_start(struct worker *w);
/* Queues the response for the request; false if the library would not. */
bool request_answer(struct request *r, const struct http_response *response);

/* http_head.c */
enum head_verdict { HEAD_OK, HEAD_SIZE, HEAD_LINE, HEAD_NAME, HEAD_HOST, HEAD_LENGTH,
		    HEAD_TRANSFER, HEAD_TARGET };
/* The pointers are those the library hands to its handler; target_len as the target came. */
enum head_verdict head_check(struct MHD_Connection *mhd, const char *method, const char *url,
			     size_t target_len, const char *version);

/* http_response.c */
struct MHD_Response *response_pick(const struct http_response *r, const char *accept_encoding,
				   const char *if_none_match, int *ret_status, size_t *ret_len);
/* Is the form that would be picked one of those that If-Match names? */
bool response_is(const struct http_response *r, const char *accept_encoding, const char *if_match);
extern const char HTTP_SECURITY_POLICY[];

/* http_stream.c */
bool stream_take_over(struct request *r); /* false: could not, nothing changed */
void stream_event(struct conn *c, uint32_t events);
void stream_close(struct conn *c);
void stream_evict(struct conn *c); /* it fell behind */
/* Sends to a turn's worth of streams; true if more wait. */
bool worker_serve_streams(struct worker *w);
void worker_close_streams(struct worker *w);

#endif
