/* SPDX-License-Identifier: Apache-2.0 */
/* A closed-loop load for answers without a body (304), which wrk cannot read: its parser
 * waits for the body that Content-Length announces, though a 304 has none. libc only.
 *
 *   http_get PORT CONNECTIONS SECONDS PATH STATUS [FIELD]
 *     prints, tab-separated: requests a second, p99 in ms, answers with another status. */
#include "timing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1000, BUCKETS = 200000 }; /* of 10 µs: up to two seconds */

struct client {
	int fd;
	double sent;
	size_t used;
	char head[4096];
};

static struct client clients[CONNECTIONS_MAX];
static unsigned long buckets[BUCKETS], answers, wrong;
static char request[1024];
static size_t request_len;
static const char *status;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void ask(struct client *c)
{
	c->used = 0;
	c->sent = mono_s();
	if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
		die("send");
}

static void on_answer(struct client *c)
{
	size_t bucket = (size_t)((mono_s() - c->sent) * 1e5);

	buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	answers++;
	wrong += strncmp(c->head + 9, status, 3) != 0;
	ask(c);
}

static void on_readable(struct client *c)
{
	ssize_t n = recv(c->fd, c->head + c->used, sizeof(c->head) - 1 - c->used, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		fprintf(stderr, "http_get: the server closed a connection\n");
		exit(1);
	}
	c->used += (size_t)n;
	c->head[c->used] = '\0';
	if (c->used >= 4 && memcmp(c->head + c->used - 4, "\r\n\r\n", 4) == 0)
		on_answer(c);
}

static double percentile_ms(double share)
{
	unsigned long below = 0;
	size_t i = 0;

	while (i < BUCKETS - 1 && (double)(below += buckets[i]) < share * (double)answers)
		i++;
	return (double)(i + 1) * 0.01;
}

int main(int argc, char **argv)
{
	static struct epoll_event events[CONNECTIONS_MAX];
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1, epoll_fd = epoll_create1(0);

	if (argc < 6) {
		fprintf(stderr, "usage: http_get PORT CONNECTIONS SECONDS PATH STATUS [FIELD]\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
	size_t count = (size_t)strtol(argv[2], NULL, 10);
	double seconds = strtod(argv[3], NULL);
	status = argv[5];
	if (count < 1 || count > CONNECTIONS_MAX || epoll_fd < 0)
		return 2;
	int len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n%s%s\r\n",
			   argv[4], argc > 6 ? argv[6] : "", argc > 6 ? "\r\n" : "");
	if (len < 0 || (size_t)len >= sizeof(request))
		return 2;
	request_len = (size_t)len;
	for (size_t i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
		clients[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		if (clients[i].fd < 0 ||
		    connect(clients[i].fd, (struct sockaddr *)&to, sizeof(to)) != 0)
			die("connect");
		setsockopt(clients[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, clients[i].fd, &event);
		ask(&clients[i]);
	}
	double start = mono_s();
	while (mono_s() - start < seconds) {
		int n = epoll_wait(epoll_fd, events, CONNECTIONS_MAX, 100);
		for (int k = 0; k < n; k++)
			on_readable(&clients[events[k].data.u64]);
	}
	double rate = (double)answers / (mono_s() - start);
	printf("%.0f\t%.3f\t%lu\n", rate, percentile_ms(0.99), wrong);
	return 0;
}
