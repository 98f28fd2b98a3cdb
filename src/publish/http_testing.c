/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_testing.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct http_options testing_options(void)
{
	static const char *const LISTEN[] = {"127.0.0.1:0"};
	struct http_options o = http_options_default();

	o.listen = LISTEN;
	o.workers = 1;
	o.connections_max = 4096;
	o.connections_per_address_max = 4096;
	o.accepts_per_address_per_s_max = 100000;
	o.accepts_per_s_max = 100000;
	o.streams_per_address_max = 4096;
	return o;
}

struct http *testing_open(const struct http_options *o, const struct http_handler *handler)
{
	struct http *h = NULL;
	struct wd_why why = {0};

	if (http_open(o, handler, &h, &why) != WD_OK) {
		fprintf(stderr, "http_open: %s (%s)\n", why.what, strerror(why.os_errno));
		abort();
	}
	return h;
}

int testing_connect(const struct http *h, const char *from)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_port(h, 0)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in own = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	WD_CHECK(fd >= 0);
	if (from != NULL) {
		WD_CHECK(inet_pton(AF_INET, from, &own.sin_addr) == 1);
		WD_CHECK(bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0);
	}
	WD_CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	return fd;
}

void testing_send_n(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return; /* closed: the reader will see it */
		p += n;
		len -= (size_t)n;
	}
}

void testing_send(int fd, const char *bytes)
{
	testing_send_n(fd, bytes, strlen(bytes));
}

static bool readable(int fd, uint64_t until_ms)
{
	uint64_t now = testing_now_ms();
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return now < until_ms && poll(&p, 1, (int)(until_ms - now)) == 1;
}

void testing_read(int fd, struct testing_answer *a, bool has_body)
{
	uint64_t until_ms = testing_now_ms() + 5000;
	size_t used = 0;
	char *end = NULL;

	memset(a, 0, offsetof(struct testing_answer, text) + 1);
	/* One byte at a time up to the body, so that a pipelined next answer stays unread. */
	while (end == NULL && used < sizeof(a->text) - 1 && readable(fd, until_ms)) {
		if (recv(fd, a->text + used, 1, 0) != 1)
			return;
		a->text[++used] = '\0';
		if (used >= 4 && memcmp(a->text + used - 4, "\r\n\r\n", 4) == 0)
			end = a->text + used;
	}
	if (end == NULL)
		return;
	a->head_len = used;
	a->status = (int)strtol(a->text + 9, NULL, 10);
	const char *connection = testing_field(a, "Connection");
	a->keeps_open = connection == NULL || strcasecmp(connection, "close") != 0;
	const char *length = testing_field(a, "Content-Length");
	size_t want = 0;
	if (length != NULL && has_body && a->status != 304)
		want = strtoul(length, NULL, 10);
	WD_CHECK(want < sizeof(a->text) - used);
	while (a->body_len < want && readable(fd, until_ms)) {
		ssize_t n = recv(fd, end + a->body_len, want - a->body_len, 0);
		if (n <= 0)
			break;
		a->body_len += (size_t)n;
	}
	end[a->body_len] = '\0';
}

void testing_ask(const struct http *h, const char *request, struct testing_answer *a)
{
	int fd = testing_connect(h, NULL);

	testing_send(fd, request);
	testing_read(fd, a, strncmp(request, "HEAD", 4) != 0);
	close(fd);
}

const char *testing_field(const struct testing_answer *a, const char *name)
{
	static char value[1024];
	size_t len = strlen(name);

	for (const char *line = strstr(a->text, "\r\n");
	     line != NULL && line < a->text + a->head_len; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			snprintf(value, sizeof(value), "%.*s",
				 (int)strcspn(line + len + 2, "\r"), line + len + 2);
			return value;
		}
	}
	return NULL;
}

const char *testing_body(const struct testing_answer *a)
{
	return a->text + a->head_len;
}

bool testing_closes(int fd, int within_ms)
{
	uint64_t until_ms = testing_now_ms() + (uint64_t)within_ms;
	char dropped[4096];

	while (readable(fd, until_ms)) {
		ssize_t n = recv(fd, dropped, sizeof(dropped), 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return true;
	}
	return false;
}

bool testing_read_until(int fd, char *text, size_t size, const char *needle, int within_ms)
{
	uint64_t until_ms = testing_now_ms() + (uint64_t)within_ms;
	size_t used = 0;

	text[0] = '\0';
	while (strstr(text, needle) == NULL) {
		if (used + 1 >= size || !readable(fd, until_ms))
			return false;
		ssize_t n = recv(fd, text + used, size - 1 - used, 0);
		if (n <= 0)
			return false;
		used += (size_t)n;
		text[used] = '\0';
	}
	return true;
}

uint64_t testing_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void testing_sleep_ms(int ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&ts, NULL);
}
