/* SPDX-License-Identifier: Apache-2.0 */
/* One worker: one thread, one epoll that holds its listeners, its wake-up, the library's
 * own epoll and its streams. The library is run without waiting, once a turn and only
 * when it has something to do; absolute deadlines are ours, because its own count
 * inactivity only and a head dripped byte by byte would never end. */
#include "publish/http_internal.h"

#include "base/check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 256, DRAIN_TURNS = 50, ASKING_TURN_MS = 1 };

uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- deadlines ------------------------------------------------------------------------- */

/* The library sees the end of the connection and closes it. */
static void cut(struct conn *c, bool forget)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (forget) /* unread bytes in the kernel are of no use to anybody */
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	c->cut = true;
	shutdown(c->fd, SHUT_RDWR);
}

static void on_deadline(void *context, struct wheel_timer *t)
{
	struct worker *w = context;
	struct conn *c = (struct conn *)t;
	struct http *h = w->http;

	switch (c->phase) {
	case PHASE_HEAD:
		COUNT(w, cut_head);
		cut(c, true);
		break;
	case PHASE_IDLE:
		COUNT(w, cut_idle);
		cut(c, false);
		break;
	case PHASE_BODY:
		COUNT(w, cut_body);
		cut(c, true);
		break;
	case PHASE_WRITE:
		COUNT(w, cut_write);
		cut(c, true);
		break;
	case PHASE_ANSWER:
		if (conn_finish_inside(c, http_response_ref(h->refusals[REFUSAL_503])))
			COUNT(w, deferred_late);
		break;
	case PHASE_STREAM:
		stream_evict(c);
		break;
	}
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* While connections ask for their answers it always says so: then what counts is whether it got
 * on with anything. (The rest, such as a head that fills the first half of the connection's
 * memory, gets its turn ASKING_TURN_MS later.) */
static bool library_has_work(struct worker *w)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	if (w->asking > 0 && !w->progress)
		return false;
	return MHD_get_timeout(w->daemon, &wait_ms) == MHD_YES && wait_ms == 0;
}

/* True if the library has something to do. */
static bool handle_events(struct worker *w, const struct epoll_event *events, int count)
{
	bool library = false;

	for (int i = 0; i < count; i++) {
		void *what = events[i].data.ptr;
		uint64_t ignored;

		if (what == &w->daemon) {
			library = true;
		} else if (what == &w->wake) {
			if (read(w->wake, &ignored, sizeof(ignored)) < 0)
				continue; /* somebody else's wake-up was enough */
		} else if (what >= (void *)w->listeners &&
			   what < (void *)(w->listeners + LISTEN_MAX)) {
			worker_accept(w, *(int *)what);
			library = true;
		} else {
			stream_event(what, events[i].events);
		}
	}
	return library;
}

static void beat_heart(struct worker *w)
{
	struct http *h = w->http;

	if (w->index != 0 || w->now_ms < w->heartbeat_ms)
		return;
	http_ring_heartbeat(h->ring, w->heartbeat_head);
	w->heartbeat_head = http_ring_head(h->ring);
	w->heartbeat_ms = w->now_ms + h->o.heartbeat_ms;
	for (unsigned i = 1; i < h->worker_count; i++)
		worker_wake(&h->workers[i]);
}

/* One turn; true if the next must not wait. */
static bool turn(struct worker *w, bool busy)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int patience = busy ? 0 : w->asking > 0 ? ASKING_TURN_MS : WHEEL_TICK_MS;
	int count = epoll_wait(w->epoll, events, EVENTS_PER_TURN, patience);

	WD_CHECK(count >= 0 || errno == EINTR);
	w->now_ms = clock_ms();
	if (w->accept_again_ms != 0 && w->now_ms >= w->accept_again_ms) {
		w->accept_again_ms = 0;
		worker_arm_listeners(w, true);
	}
	bool library = handle_events(w, events, count);
	wheel_advance(&w->wheel, w->now_ms, on_deadline, w);
	library |= worker_resume_finished(w) > 0;
	w->progress = false;
	if (library || busy || w->asking > 0)
		WD_CHECK(MHD_run(w->daemon) == MHD_YES);
	beat_heart(w);
	bool more = worker_serve_streams(w);
	return library_has_work(w) || more;
}

/* ---- stopping -------------------------------------------------------------------------------- */

/* Nobody new; whoever is not in the middle of a request goes. */
static void begin_stop(struct worker *w)
{
	w->closing = true;
	worker_close_listeners(w);
	worker_close_streams(w);
	for (uint32_t i = 0; i < w->conns_used; i++) {
		struct conn *c = &w->conns[i];
		if (c->fd >= 0 && !c->cut && c->request == NULL)
			cut(c, false);
	}
}

static bool may_end(struct worker *w)
{
	if (atomic_load(&w->http->stopping) == 0)
		return false;
	if (!w->closing)
		begin_stop(w);
	return w->requests_open == 0 || w->now_ms >= atomic_load(&w->http->stop_at_ms);
}

/* The library must not be stopped while a connection is suspended: whoever still waits
 * is told 503. */
static void drain(struct worker *w)
{
	struct http *h = w->http;

	w->draining = true;
	for (uint32_t i = 0; i < w->conns_used; i++)
		if (w->conns[i].deferred)
			conn_finish_inside(&w->conns[i],
					   http_response_ref(h->refusals[REFUSAL_503]));
	bool busy = true;
	for (int i = 0; i < DRAIN_TURNS && (busy || w->requests_open > 0); i++)
		busy = turn(w, busy);
	worker_resume_finished(w);
	MHD_stop_daemon(w->daemon);
	w->daemon = NULL;
}

void *worker_main(void *arg)
{
	struct worker *w = arg;
	bool busy = false;

	while (!may_end(w))
		busy = turn(w, busy);
	drain(w);
	return NULL;
}

/* ---- opening and closing ---------------------------------------------------------------- */

static bool watch(struct worker *w, int fd, void *what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Does the library parse as http_head.c needs it to? TRACE comes back as 501 if the head
 * was found in order, as 400 if not; no handler is called for either. */
static bool probe_library(struct worker *w)
{
	static const char REQUEST[] = "TRACE /a?b=c HTTP/1.1\r\nHost: a\r\nX-Y:\r\n\r\n";
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};
	char answer[13] = "";
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	worker_admit(w, pair[0], &ss, sizeof(ss.ss_family));
	bool sent = write(pair[1], REQUEST, sizeof(REQUEST) - 1) == sizeof(REQUEST) - 1;
	for (int i = 0; i < 4; i++)
		MHD_run(w->daemon);
	bool got = read(pair[1], answer, sizeof(answer) - 1) == sizeof(answer) - 1;
	close(pair[1]);
	for (int i = 0; i < 4; i++)
		MHD_run(w->daemon);
	for (size_t i = 0; i < WD_COUNT(w->counters); i++)
		atomic_store(&w->counters[i], 0);
	return sent && got && strcmp(answer, "HTTP/1.1 501") == 0;
}

enum wd_err worker_open(struct worker *w, struct wd_why *why)
{
	const union MHD_DaemonInfo *info;

	w->now_ms = clock_ms();
	wheel_init(&w->wheel, w->now_ms);
	w->heartbeat_ms = w->now_ms + w->http->o.heartbeat_ms;
	w->streams.stream_next = w->streams.stream_prev = &w->streams;
	w->blocked.stream_next = w->blocked.stream_prev = &w->blocked;
	w->conns = calloc(w->conns_max, sizeof(*w->conns));
	if (w->conns == NULL)
		return wd_fail(why, WD_NOMEM, 0, "connections");
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->epoll < 0 || w->wake < 0)
		return wd_fail_os(why, errno, "epoll");
	w->daemon = request_daemon_start(w);
	if (w->daemon == NULL)
		return wd_fail_os(why, errno, "start libmicrohttpd");
	info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || !watch(w, info->epoll_fd, &w->daemon) || !watch(w, w->wake, &w->wake))
		return wd_fail_os(why, errno, "epoll");
	if (!probe_library(w))
		return wd_fail(why, WD_UNKNOWN, 0,
			       "this libmicrohttpd does not parse as 0.9.75 does");
	for (size_t i = 0; i < w->listener_count; i++)
		if (!watch(w, w->listeners[i], &w->listeners[i]))
			return wd_fail_os(why, errno, "epoll");
	return WD_OK;
}

void worker_close(struct worker *w)
{
	worker_close_listeners(w);
	if (w->daemon != NULL)
		MHD_stop_daemon(w->daemon);
	if (w->epoll >= 0)
		close(w->epoll);
	if (w->wake >= 0)
		close(w->wake);
	free(w->conns);
	pthread_mutex_destroy(&w->finish_lock);
}
