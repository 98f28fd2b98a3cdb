/* SPDX-License-Identifier: Apache-2.0 */
/* An event stream leaves the library: we keep a second descriptor of its socket, let the
 * library close its own, and send the ring's bytes ourselves. A stream then costs its
 * connection's slot and nothing else in user memory.
 *
 * Serving takes a stream to the ring's head and to the end of its list; one that begins
 * behind the head begins at the front. So when the first has nothing to send, none has. A
 * stream whose client does not read leaves the list until its socket takes bytes again,
 * its deadline passes or the ring has moved on. */
#include "publish/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* Sends a turn: page loads wait for a turn to end, 200 sends are some 2 ms. */
enum { TURN_MAX = 200 };

static void list_remove(struct conn *c)
{
	if (c->stream_next == NULL)
		return;
	c->stream_prev->stream_next = c->stream_next;
	c->stream_next->stream_prev = c->stream_prev;
	c->stream_next = c->stream_prev = NULL;
}

/* Between prev and its next. */
static void list_insert(struct conn *prev, struct conn *c)
{
	c->stream_prev = prev;
	c->stream_next = prev->stream_next;
	prev->stream_next->stream_prev = c;
	prev->stream_next = c;
}

void stream_close(struct conn *c)
{
	struct worker *w = c->worker;

	list_remove(c);
	close(c->fd);
	http_limit_stream_end(w->http->limit, c->limit_entry);
	COUNT_DOWN(w, streams);
	conn_release(c);
}

void stream_evict(struct conn *c)
{
	/* What it has not read is of no use: free the kernel's memory at once. */
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	COUNT(c->worker, streams_evicted);
	stream_close(c);
}

/* ---- taking over ------------------------------------------------------------------------ */

static bool send_head(int fd, bool reset)
{
	char date[40], head[1024];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	/* A comment first: some clients report the stream as open only at the first byte. */
	int len = snprintf(head, sizeof(head),
			   "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/event-stream\r\n"
			   "Cache-Control: no-store\r\nConnection: close\r\n"
			   "X-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\n"
			   "Access-Control-Allow-Origin: *\r\n"
			   "Referrer-Policy: no-referrer\r\nContent-Security-Policy: %s\r\n"
			   "Cross-Origin-Resource-Policy: same-origin\r\n\r\n%s",
			   date, HTTP_SECURITY_POLICY,
			   reset ? "event: reset\ndata: \n\n" : ":\n\n");
	/* A socket that cannot take its first kilobyte is not worth a state machine. */
	return send(fd, head, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) == len;
}

/* True if a resume was asked for and the ring cannot. */
static bool find_position(const struct request *r, uint64_t *ret_position)
{
	struct http_ring *ring = r->conn->worker->http->ring;
	const char *last = http_request_field(&r->public, "Last-Event-ID");

	*ret_position = http_ring_head(ring);
	return last != NULL && last[0] != '\0' && !http_ring_after(ring, last, ret_position);
}

bool stream_take_over(struct request *r)
{
	struct conn *c = r->conn;
	struct worker *w = c->worker;
	bool reset = find_position(r, &c->position);
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
	int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0 || !send_head(fd, reset) ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		if (fd >= 0)
			close(fd);
		http_limit_stream_end(w->http->limit, c->limit_entry);
		return false;
	}
	c->fd = fd;
	c->phase = PHASE_STREAM;
	c->blocked = false;
	wheel_cancel(&c->timer);
	if (c->position < http_ring_head(w->http->ring)) {
		list_insert(&w->streams, c); /* behind: first to be served */
		w->served_head = c->position;
	} else {
		list_insert(w->streams.stream_prev, c);
	}
	COUNT(w, streams);
	COUNT(w, streams_opened);
	return true;
}

/* ---- sending ------------------------------------------------------------------------------ */

static void set_events(struct conn *c, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = c};

	epoll_ctl(c->worker->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void block(struct conn *c)
{
	struct worker *w = c->worker;

	list_remove(c);
	list_insert(w->blocked.stream_prev, c);
	if (!c->blocked) {
		c->blocked = true;
		wheel_set(&w->wheel, &c->timer, w->now_ms + w->http->o.write_ms);
		set_events(c, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	}
}

/* Under the ring's read lock. Sends what there is, once; the stream ends up last in its
 * list, blocked, or closed. */
static void serve(struct conn *c)
{
	struct worker *w = c->worker;
	struct iovec pieces[2];
	int count = http_ring_span(w->http->ring, c->position, pieces);

	if (count < 0) {
		stream_evict(c);
		return;
	}
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
	size_t len = pieces[0].iov_len + (count == 2 ? pieces[1].iov_len : 0);
	ssize_t sent = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		stream_close(c);
		return;
	}
	if (sent > 0) {
		c->position += (uint64_t)sent;
		COUNT_N(w, stream_bytes, (uint64_t)sent);
	}
	if (sent < 0 || (size_t)sent < len) {
		block(c);
		return;
	}
	if (c->blocked) {
		c->blocked = false;
		wheel_cancel(&c->timer);
		set_events(c, EPOLLIN | EPOLLRDHUP);
	}
	list_remove(c);
	list_insert(w->streams.stream_prev, c);
}

/* Under the ring's read lock. The longest blocked stand first; one that is further behind
 * but blocked again later is found at its deadline. */
static void evict_lost(struct worker *w)
{
	struct iovec pieces[2];
	struct conn *c;

	while ((c = w->blocked.stream_next) != &w->blocked &&
	       http_ring_span(w->http->ring, c->position, pieces) < 0)
		stream_evict(c);
}

bool worker_serve_streams(struct worker *w)
{
	struct http_ring *ring = w->http->ring;
	bool more = true;

	if (w->served_head == http_ring_head(ring))
		return false;
	http_ring_read_lock(ring);
	uint64_t head = http_ring_head(ring);
	evict_lost(w);
	for (int i = 0; i < TURN_MAX && more; i++) {
		struct conn *first = w->streams.stream_next;
		more = first != &w->streams && first->position != head;
		if (more)
			serve(first);
	}
	http_ring_read_unlock(ring);
	if (!more)
		w->served_head = head;
	return more;
}

void stream_event(struct conn *c, uint32_t events)
{
	struct http_ring *ring = c->worker->http->ring;

	/* A client of an event stream has nothing to say: bytes or an end mean goodbye. */
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) {
		stream_close(c);
		return;
	}
	if ((events & EPOLLOUT) && c->blocked) {
		http_ring_read_lock(ring);
		serve(c);
		http_ring_read_unlock(ring);
	}
}

void worker_close_streams(struct worker *w)
{
	while (w->streams.stream_next != &w->streams)
		stream_close(w->streams.stream_next);
	while (w->blocked.stream_next != &w->blocked)
		stream_close(w->blocked.stream_next);
}
