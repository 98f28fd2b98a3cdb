/* SPDX-License-Identifier: Apache-2.0 */
/* Load that wrk cannot make, from many loopback addresses; libc only.
 *
 *   http_load loris PORT ADDRESSES CONNECTIONS SECONDS
 *     holds that many connections, each sending a head without end, a line every five
 *     seconds, and coming back when it is cut. Prints how many it holds, once a second.
 *   http_load streams PORT ADDRESSES STREAMS EVENTS PID
 *     opens that many event streams, asks for one event at a time (GET /publish), and
 *     prints, tab-separated: ms until the last reader had it (median of the events), the
 *     worst, and how many bytes of resident memory each stream cost the process PID. */
#include "timing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 19000, EVENTS_MAX = 1024, STREAMS_PER_TURN = 200 };
/* A steady state from the start: as many come as the heads' deadline (10 s) sends away. */
#define LORIS_RAMP_S 10.0
#define LORIS_LINE_S 5.0

struct client {
	int fd; /* -1: not connected */
	bool open;
	double next; /* when it sends its next line, or connects again */
	unsigned seen; /* events, counted by their last two bytes */
	char last;
};

static struct client clients[CLIENTS_MAX];
static int port, epoll_fd;
static unsigned addresses;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Starts to connect from 127.0.x.y; x and y follow from the client's number. */
static void client_connect(size_t i)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned n = (unsigned)i % addresses;
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 * (10 + n / 200) + n % 200)};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u64 = i};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
		die("bind");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
		die("connect");
	clients[i] = (struct client){.fd = fd, .seen = clients[i].seen};
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void client_close(size_t i, double again)
{
	close(clients[i].fd);
	clients[i].fd = -1;
	clients[i].open = false;
	clients[i].next = again;
}

/* ---- slow loris -------------------------------------------------------------------- */

static void loris_event(size_t i, uint32_t events, double t)
{
	static const char HEAD[] = "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n";
	char dropped[4096];
	struct client *c = &clients[i];

	if (events & (EPOLLERR | EPOLLHUP)) {
		client_close(i, t + 1);
		return;
	}
	if ((events & EPOLLOUT) && !c->open) {
		c->open = true;
		c->next = t + LORIS_LINE_S * (double)(i % 100) * 0.01;
		if (send(c->fd, HEAD, sizeof(HEAD) - 1, MSG_NOSIGNAL) < 0) {
			client_close(i, t + 1);
			return;
		}
	}
	if (events & EPOLLIN) {
		ssize_t n;
		while ((n = recv(c->fd, dropped, sizeof(dropped), 0)) > 0)
			continue;
		if (n == 0 || errno != EAGAIN)
			client_close(i, t + 1);
	}
}

static size_t loris_tick(size_t count, double t)
{
	size_t held = 0;

	for (size_t i = 0; i < count; i++) {
		struct client *c = &clients[i];
		if (c->fd < 0 && t >= c->next)
			client_connect(i);
		else if (c->fd >= 0 && c->open && t >= c->next) {
			if (send(c->fd, "X-A: b\r\n", 8, MSG_NOSIGNAL) < 0)
				client_close(i, t + 1);
			else
				c->next = t + LORIS_LINE_S;
		}
		held += c->fd >= 0 && c->open;
	}
	return held;
}

static void loris(size_t count, double seconds)
{
	static struct epoll_event events[EVENTS_MAX];
	double start = mono_s(), said = start, ticked = 0;

	for (size_t i = 0; i < count; i++)
		clients[i] = (struct client){
			.fd = -1, .next = start + LORIS_RAMP_S * (double)i / (double)count};
	while (mono_s() - start < seconds) {
		double t = mono_s();
		if (t - ticked >= 0.02) {
			ticked = t;
			size_t held = loris_tick(count, t);
			if (t - said >= 1) {
				said = t;
				printf("%zu\n", held);
				fflush(stdout);
			}
		}
		int n = epoll_wait(epoll_fd, events, EVENTS_MAX, 10);
		for (int k = 0; k < n; k++)
			loris_event(events[k].data.u64, events[k].events, t);
	}
}

/* ---- streams ------------------------------------------------------------------------ */

static void stream_event(size_t i, uint32_t events)
{
	static const char REQUEST[] = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";
	char text[4096];
	struct client *c = &clients[i];
	ssize_t n;

	if ((events & EPOLLOUT) && !c->open) {
		c->open = true;
		if (send(c->fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL) < 0)
			die("send");
	}
	if (!(events & EPOLLIN))
		return;
	while ((n = recv(c->fd, text, sizeof(text), 0)) > 0)
		for (ssize_t k = 0; k < n; k++) {
			c->seen += text[k] == '\n' && c->last == '\n';
			c->last = text[k];
		}
	if (n == 0 || errno != EAGAIN) {
		fprintf(stderr, "http_load: stream %zu was closed\n", i);
		exit(1);
	}
}

/* Until all have seen that many ends of events (the first is the greeting); false if that
 * takes longer than ten seconds. */
static bool streams_wait(size_t count, unsigned seen)
{
	static struct epoll_event events[EVENTS_MAX];
	double start = mono_s();
	size_t have = 0;

	for (size_t i = 0; i < count; i++)
		have += clients[i].seen >= seen;
	while (have < count && mono_s() - start < 10) {
		int n = epoll_wait(epoll_fd, events, EVENTS_MAX, 10);
		for (int k = 0; k < n; k++) {
			size_t i = events[k].data.u64;
			bool had = clients[i].seen >= seen;
			stream_event(i, events[k].events);
			have += !had && clients[i].seen >= seen;
		}
	}
	return have == count;
}

static long resident_bytes(int pid)
{
	char path[64], line[256];
	long kilobytes = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		die(path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kilobytes = strtol(line + 6, NULL, 10);
	fclose(f);
	return kilobytes * 1024;
}

static void ask_for_event(void)
{
	static const char REQUEST[] =
		"GET /publish HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    send(fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL) < 0)
		die("publish");
	close(fd);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void streams(size_t count, unsigned events, int pid)
{
	double took[1000];
	long before = resident_bytes(pid);

	for (size_t i = 0; i < count; i++) {
		client_connect(i);
		if (i % STREAMS_PER_TURN == STREAMS_PER_TURN - 1 && !streams_wait(i + 1, 1)) {
			fprintf(stderr, "http_load: only %zu streams opened\n", i);
			exit(1);
		}
	}
	if (!streams_wait(count, 1))
		die("streams");
	long after = resident_bytes(pid);
	for (unsigned e = 0; e < events; e++) {
		double start = mono_s();
		ask_for_event();
		if (!streams_wait(count, e + 2)) {
			fprintf(stderr, "http_load: an event did not reach all\n");
			exit(1);
		}
		took[e] = (mono_s() - start) * 1e3;
		usleep(100000);
	}
	qsort(took, events, sizeof(took[0]), by_value);
	printf("%.1f\t%.1f\t%ld\n", took[events / 2], took[events - 1],
	       (after - before) / (long)count);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (argc < 6) {
		fprintf(stderr, "usage: http_load loris PORT ADDRESSES CONNECTIONS SECONDS\n"
				"       http_load streams PORT ADDRESSES STREAMS EVENTS PID\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	port = (int)strtol(argv[2], NULL, 10);
	addresses = (unsigned)strtol(argv[3], NULL, 10);
	size_t count = (size_t)strtol(argv[4], NULL, 10);
	epoll_fd = epoll_create1(0);
	if (epoll_fd < 0)
		die("epoll_create1");
	if (addresses < 1 || addresses > 10000 || count < 1 || count > CLIENTS_MAX)
		return 2;
	if (strcmp(argv[1], "loris") == 0)
		loris(count, strtod(argv[5], NULL));
	else if (argc == 7 && strtol(argv[5], NULL, 10) >= 1 && strtol(argv[5], NULL, 10) <= 1000)
		streams(count, (unsigned)strtol(argv[5], NULL, 10), (int)strtol(argv[6], NULL, 10));
	else
		return 2;
	return 0;
}
