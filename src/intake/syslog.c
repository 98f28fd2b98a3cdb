/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/syslog.h"

#include "intake/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	EVENTS = 64,
	BATCHES_A_POLL = 64,          /* of datagrams; then connections get their turn */
	READS_A_POLL = 16,            /* of one connection */
};

typedef void handler(void *, const struct exporter_address *, const char *, size_t);

struct connection {
	int fd; /* -1: free */
	struct exporter_address from;
	wd_mono last;
	struct syslog_frames frames; /* its buffer is owned */
};

struct syslog_listener {
	int epoll, udp, tcp;
	int spare; /* kept so that a connection can be refused where there is no descriptor left */
	uint16_t udp_port, tcp_port;
	const struct senders *allowed;
	struct udp_batch *batch;
	struct syslog_counters counters;
	struct connection connections[SYSLOG_CONNECTIONS_MAX];
};

static const uint64_t tag_udp = UINT64_MAX, tag_tcp = UINT64_MAX - 1;

/* ---- opening ---- */

static uint16_t port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return 0;
	return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
					      : ((struct sockaddr_in *)&ss)->sin_port);
}

static enum wd_err watch_fd(struct syslog_listener *s, int fd, uint64_t tag, struct wd_why *why)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = tag};

	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		return wd_fail_os(why, errno, "epoll_ctl");
	return WD_OK;
}

static enum wd_err open_udp(struct syslog_listener *s, const char *where, struct wd_why *why)
{
	struct udp_options o = {.receive_buffer_bytes = 4 << 20};
	uint32_t granted;
	enum wd_err err;

	if (!udp_address_read(where, &o.address))
		return wd_fail(why, WD_MALFORMED, 0, "no address and port for syslog over UDP");
	if ((err = udp_open(&o, &s->udp, &granted, why)) != WD_OK)
		return err;
	if ((err = udp_batch_open(&s->batch)) != WD_OK)
		return err;
	s->udp_port = port_of(s->udp);
	return watch_fd(s, s->udp, tag_udp, why);
}

static enum wd_err open_tcp(struct syslog_listener *s, const char *where, struct wd_why *why)
{
	struct udp_address a;
	int on = 1, off = 0;

	if (!udp_address_read(where, &a))
		return wd_fail(why, WD_MALFORMED, 0, "no address and port for syslog over TCP");
	s->tcp = socket(a.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->tcp < 0)
		return wd_fail_os(why, errno, "socket");
	setsockopt(s->tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.ss.ss_family == AF_INET6)
		setsockopt(s->tcp, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(s->tcp, (struct sockaddr *)&a.ss, a.len) != 0)
		return wd_fail_os(why, errno, "bind");
	if (listen(s->tcp, SYSLOG_CONNECTIONS_MAX) != 0)
		return wd_fail_os(why, errno, "listen");
	s->tcp_port = port_of(s->tcp);
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return watch_fd(s, s->tcp, tag_tcp, why);
}

enum wd_err syslog_open(const struct syslog_options *o, struct syslog_listener **ret,
			struct wd_why *why)
{
	struct syslog_listener *s = calloc(1, sizeof(*s));
	enum wd_err err = WD_OK;

	if (s == NULL)
		return wd_fail(why, WD_NOMEM, 0, "to listen for syslog");
	s->udp = s->tcp = s->spare = -1;
	s->allowed = o->allowed;
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		s->connections[i].fd = -1;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		err = wd_fail_os(why, errno, "epoll_create1");
	if (err == WD_OK && o->udp != NULL)
		err = open_udp(s, o->udp, why);
	if (err == WD_OK && o->tcp != NULL)
		err = open_tcp(s, o->tcp, why);
	if (err != WD_OK) {
		syslog_close(s);
		return err;
	}
	*ret = s;
	return WD_OK;
}

static void connection_close(struct syslog_listener *s, struct connection *c)
{
	close(c->fd);
	free(c->frames.buffer);
	*c = (struct connection){.fd = -1};
	s->counters.connections--;
}

void syslog_close(struct syslog_listener *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		if (s->connections[i].fd >= 0)
			connection_close(s, &s->connections[i]);
	if (s->udp >= 0)
		close(s->udp);
	if (s->tcp >= 0)
		close(s->tcp);
	if (s->spare >= 0)
		close(s->spare);
	if (s->epoll >= 0)
		close(s->epoll);
	udp_batch_close(s->batch);
	free(s);
}

static bool may_send(const struct syslog_listener *s, const struct exporter_address *from)
{
	return s->allowed == NULL || senders_find(s->allowed, from) != NULL;
}

void syslog_allow(struct syslog_listener *s, const struct senders *allowed)
{
	s->allowed = allowed;
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		if (s->connections[i].fd >= 0 && !may_send(s, &s->connections[i].from))
			connection_close(s, &s->connections[i]);
}

/* ---- messages ---- */

static void hand_on(struct syslog_listener *s, const struct exporter_address *from,
		    const char *text, size_t len, handler *message, void *context)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == '\0'))
		len--;
	if (len == 0)
		return;
	s->counters.messages++;
	s->counters.bytes += len;
	message(context, from, text, len);
}

static void receive_datagrams(struct syslog_listener *s, handler *message, void *context)
{
	struct datagram d;

	for (int i = 0; i < BATCHES_A_POLL && udp_receive(s->batch, s->udp) > 0; i++)
		while (udp_next(s->batch, &d)) {
			struct exporter_address from = sender_of(d.from);
			size_t len = d.len < SYSLOG_MESSAGE_MAX ? d.len : SYSLOG_MESSAGE_MAX;
			if (!may_send(s, &from)) {
				s->counters.refused++;
				continue;
			}
			s->counters.cut += d.cut || d.len > SYSLOG_MESSAGE_MAX;
			hand_on(s, &from, (const char *)d.bytes, len, message, context);
		}
}

/* A message of a connection. */
struct delivery {
	struct syslog_listener *listener;
	struct connection *connection;
	handler *message;
	void *context;
};

static void deliver(void *context, const char *text, size_t len)
{
	const struct delivery *d = context;
	hand_on(d->listener, &d->connection->from, text, len, d->message, d->context);
}

/* ---- connections ---- */

static bool is_from(const struct connection *c, const struct exporter_address *from)
{
	return memcmp(&c->from, from, sizeof(*from)) == 0;
}

static size_t count_from(const struct syslog_listener *s, const struct exporter_address *from)
{
	size_t count = 0;
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		count += s->connections[i].fd >= 0 && is_from(&s->connections[i], from);
	return count;
}

static struct connection *quietest(struct syslog_listener *s, const struct exporter_address *from)
{
	struct connection *found = NULL;
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++) {
		struct connection *c = &s->connections[i];
		if ((from == NULL || is_from(c, from)) &&
		    (found == NULL || c->last.ns < found->last.ns))
			found = c;
	}
	return found;
}

/* All are taken: whose makes room for one more from `from`? NULL: nobody's. */
static struct connection *make_room(struct syslog_listener *s, const struct exporter_address *from,
				    wd_mono now)
{
	struct connection *c = quietest(s, NULL);
	const struct exporter_address *most = from;
	size_t count = count_from(s, from) + 1;

	if (mono_sub(now, c->last).ns >= SYSLOG_QUIET)
		return c;
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++) {
		size_t theirs = count_from(s, &s->connections[i].from);
		if (theirs > count) {
			most = &s->connections[i].from;
			count = theirs;
		}
	}
	return most != from ? quietest(s, most) : NULL;
}

static struct connection *room_for(struct syslog_listener *s, const struct exporter_address *from,
				   wd_mono now)
{
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++)
		if (s->connections[i].fd < 0)
			return &s->connections[i];
	struct connection *c = make_room(s, from, now);
	if (c != NULL)
		connection_close(s, c);
	return c;
}

/* No descriptor is left: what waits would be told of again at once, for ever. */
static void refuse_one(struct syslog_listener *s)
{
	if (s->spare >= 0)
		close(s->spare);
	int fd = accept4(s->tcp, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		s->counters.full++;
	}
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_all(struct syslog_listener *s, wd_mono now)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	for (; (fd = accept4(s->tcp, (struct sockaddr *)&ss, &len,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0; len = sizeof(ss)) {
		struct exporter_address from = sender_of(&ss);
		bool allowed = may_send(s, &from);
		struct connection *c = allowed ? room_for(s, &from, now) : NULL;
		char *buffer = c != NULL ? malloc(SYSLOG_ROOM) : NULL;

		s->counters.refused += !allowed;
		s->counters.full += allowed && c == NULL;
		if (buffer == NULL ||
		    watch_fd(s, fd, (uint64_t)(c - s->connections), NULL) != WD_OK) {
			free(buffer);
			close(fd);
			continue;
		}
		*c = (struct connection){
			.fd = fd, .from = from, .last = now, .frames.buffer = buffer};
		s->counters.connections++;
	}
	if (errno == EMFILE || errno == ENFILE)
		refuse_one(s);
}

static void receive_from(struct syslog_listener *s, struct connection *c, wd_mono now,
			 handler *message, void *context)
{
	struct delivery d = {s, c, message, context};
	struct syslog_frames *f = &c->frames;

	for (int i = 0; i < READS_A_POLL; i++) {
		ssize_t n = recv(c->fd, f->buffer + f->len, SYSLOG_ROOM - f->len, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			if (n == 0)
				syslog_frames_end(f, deliver, &d);
			connection_close(s, c);
			return;
		}
		f->len += (size_t)n;
		c->last = now;
		uint64_t cut = f->cut;
		bool sound = syslog_frames_take(f, deliver, &d);
		s->counters.cut += f->cut - cut;
		if (!sound) {
			s->counters.malformed++;
			connection_close(s, c);
			return;
		}
	}
}

void syslog_poll(struct syslog_listener *s, int timeout_ms, wd_mono now,
		 void (*message)(void *context, const struct exporter_address *from,
				 const char *text, size_t len),
		 void *context)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->epoll, events, EVENTS, timeout_ms);

	for (int i = 0; i < n; i++) {
		uint64_t tag = events[i].data.u64;
		if (tag == tag_udp)
			receive_datagrams(s, message, context);
		else if (tag < SYSLOG_CONNECTIONS_MAX && s->connections[tag].fd >= 0)
			receive_from(s, &s->connections[tag], now, message, context);
	}
	/* New ones last: a place that was just given up must not get an old event. */
	for (int i = 0; i < n; i++)
		if (events[i].data.u64 == tag_tcp)
			accept_all(s, now);
}

struct syslog_counters syslog_counters(const struct syslog_listener *s) { return s->counters; }
uint16_t syslog_udp_port(const struct syslog_listener *s) { return s->udp_port; }
uint16_t syslog_tcp_port(const struct syslog_listener *s) { return s->tcp_port; }
