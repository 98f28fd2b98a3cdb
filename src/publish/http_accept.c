/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets and the door: each worker has its own socket on each address
 * (SO_REUSEPORT), and lets in whom the limits have room for before the library hears of
 * the connection. */
#include "publish/http_internal.h"

#include "base/check.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	BACKLOG = 4096,
	ACCEPTS_PER_TURN = 64,
	/* Out of descriptors: wait instead of spinning on a listener that stays ready. */
	ACCEPT_PAUSE_MS = 100,
};

/* ---- listening --------------------------------------------------------------------------- */

static int listen_socket(const struct sockaddr_storage *ss, socklen_t len, bool shared)
{
	int on = 1, off = 0;
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) ||
	    (ss->ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) ||
	    bind(fd, (const struct sockaddr *)ss, len) != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* Binds one address for all workers. The first bind is exclusive and tells whether the
 * port is free (or which port it is): SO_REUSEPORT alone would let a second server of the
 * same user share the port in silence. */
static enum wd_err listen_one(struct http *h, size_t i, struct wd_why *why)
{
	struct sockaddr_storage *ss = &h->listen[i];
	socklen_t len = sizeof(*ss);
	int probe = listen_socket(ss, h->listen_len[i], false);

	if (probe < 0)
		goto fail;
	if (getsockname(probe, (struct sockaddr *)ss, &len) != 0) {
		close(probe);
		goto fail;
	}
	close(probe);
	for (unsigned k = 0; k < h->worker_count; k++) {
		struct worker *w = &h->workers[k];
		int fd = listen_socket(ss, h->listen_len[i], true);
		if (fd < 0)
			goto fail;
		w->listeners[w->listener_count++] = fd;
		if (listen(fd, BACKLOG) != 0)
			goto fail;
	}
	return WD_OK;
fail:
	wd_fail_os(why, errno, "listen");
	if (why != NULL)
		why->at = (uint32_t)i;
	return WD_OS;
}

enum wd_err listen_open(struct http *h, struct wd_why *why)
{
	for (size_t i = 0; i < h->listen_count; i++) {
		enum wd_err err = listen_one(h, i, why);
		if (err != WD_OK)
			return err;
	}
	return WD_OK;
}

void worker_arm_listeners(struct worker *w, bool armed)
{
	for (size_t i = 0; i < w->listener_count; i++) {
		struct epoll_event event = {.events = armed ? EPOLLIN : 0,
					    .data.ptr = &w->listeners[i]};
		epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->listeners[i], &event);
	}
}

void worker_close_listeners(struct worker *w)
{
	for (size_t i = 0; i < w->listener_count; i++)
		close(w->listeners[i]);
	w->listener_count = 0;
}

/* ---- connections --------------------------------------------------------------------------- */

static struct conn *conn_take(struct worker *w)
{
	struct conn *c = w->free_conns;

	if (c != NULL) {
		w->free_conns = c->next_free;
		return c;
	}
	if (w->conns_used == w->conns_max)
		return NULL;
	c = &w->conns[w->conns_used++];
	c->worker = w;
	return c;
}

void conn_release(struct conn *c)
{
	struct worker *w = c->worker;

	WD_CHECK(c->request == NULL && !c->deferred);
	wheel_cancel(&c->timer);
	if (c->counted) {
		http_limit_disconnect(w->http->limit, c->limit_entry);
		COUNT_DOWN(w, connections);
	}
	c->counted = false;
	c->fd = -1;
	c->next_free = w->free_conns;
	w->free_conns = c;
}

void conn_deadline(struct conn *c, enum phase phase, uint32_t ms)
{
	c->phase = phase;
	wheel_set(&c->worker->wheel, &c->timer, c->worker->now_ms + ms);
}

static void count_refusal(struct worker *w, enum http_limit_verdict verdict)
{
	switch (verdict) {
	case LIMIT_OK: break;
	case LIMIT_FULL: COUNT(w, refused_connections); break;
	case LIMIT_ADDRESS: COUNT(w, refused_address); break;
	case LIMIT_RATE: COUNT(w, refused_rate); break;
	}
}

void worker_admit(struct worker *w, int fd, const struct sockaddr_storage *ss, socklen_t len)
{
	struct http *h = w->http;
	struct http_address peer = http_address_of(ss);
	bool exempt = http_prefix_any(h->trusted, h->trusted_count, &peer);
	uint32_t entry;
	int on = 1;

	enum http_limit_verdict verdict =
		http_limit_connect(h->limit, &peer, exempt, w->now_ms, &entry);
	if (verdict != LIMIT_OK) {
		count_refusal(w, verdict);
		close(fd);
		return;
	}
	struct conn *c = conn_take(w);
	if (c == NULL) {
		http_limit_disconnect(h->limit, entry);
		COUNT(w, refused_connections);
		close(fd);
		return;
	}
	c->fd = fd;
	c->peer = peer;
	c->limit_entry = entry;
	c->counted = true;
	c->cut = false;
	c->mhd = NULL;
	COUNT(w, connections);
	COUNT(w, accepted);
	conn_deadline(c, PHASE_HEAD, h->o.head_ms);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	w->accepting = c;
	/* On failure the library closes fd; if it had told us of the connection, it also
	 * told us of its end, and the slot is free again. */
	if (MHD_add_connection(w->daemon, fd, (const struct sockaddr *)ss, len) != MHD_YES &&
	    c->fd >= 0)
		conn_release(c);
	w->accepting = NULL;
}

void worker_accept(struct worker *w, int listener)
{
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		int fd = accept4(listener, (struct sockaddr *)&ss, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			worker_admit(w, fd, &ss, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			COUNT(w, refused_connections);
			w->accept_again_ms = w->now_ms + ACCEPT_PAUSE_MS;
			worker_arm_listeners(w, false);
		} else if (errno == ECONNABORTED || errno == EINTR) {
			continue;
		}
		return;
	}
}
