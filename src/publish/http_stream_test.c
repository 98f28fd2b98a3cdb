/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams over real sockets. */
#include "publish/http_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct testing_answer answer;
static char text[1 << 20];

static struct http_response *handle(void *app, struct http_request *req)
{
	(void)app;
	if (strcmp(req->path, "/events") == 0)
		return http_stream(req);
	return http_response_problem(404, NULL);
}

static struct http *open_with(const struct http_options *o)
{
	struct http_handler handler = {.handle = handle};

	return testing_open(o, &handler);
}

static int stream_open(struct http *h, const char *from, const char *fields)
{
	char request[256];
	int fd = testing_connect(h, from);

	snprintf(request, sizeof(request), "GET /events HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	testing_send(fd, request);
	return fd;
}

static void publish(struct http *h, const char *name, const char *data)
{
	assert_int_equal(http_stream_publish(h, name, data, strlen(data)), WD_OK);
}

static bool has_streams(struct http *h, uint64_t count)
{
	for (int i = 0; i < 1000 && http_counters_read(h).streams != count; i++)
		testing_sleep_ms(2);
	return http_counters_read(h).streams == count;
}

static void an_event_reaches_every_stream(void **state)
{
	static int fds[600];
	struct http_options o = testing_options();
	o.workers = 2;
	struct http *h = open_with(&o);

	(void)state;
	for (size_t i = 0; i < 600; i++) {
		fds[i] = stream_open(h, NULL, "");
		assert_true(testing_read_until(fds[i], text, sizeof(text), "\r\n\r\n:\n\n", 5000));
		assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
		assert_non_null(strstr(text, "Content-Type: text/event-stream\r\n"));
		assert_non_null(strstr(text, "Content-Security-Policy: default-src 'none'"));
	}
	assert_true(has_streams(h, 600));
	publish(h, "snapshot", "one\ntwo\r\nthree");
	publish(h, NULL, "x");
	for (size_t i = 0; i < 600; i++) {
		assert_true(testing_read_until(fds[i], text, sizeof(text), "data: x\n\n", 5000));
		assert_non_null(strstr(text, "event: snapshot\ndata: one\ndata: two\ndata: three\n\n"));
	}
	/* The library has let go of them all; pages are served beside them. */
	testing_ask(h, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_int_equal(answer.status, 404);
	for (size_t i = 0; i < 600; i++)
		close(fds[i]);
	assert_true(has_streams(h, 0));
	assert_int_equal(http_counters_read(h).connections, 0);
	http_close(h);
}

static void a_stream_resumes_behind_its_last_event(void **state)
{
	struct http_options o = testing_options();
	struct http *h = open_with(&o);
	int fd = stream_open(h, NULL, "");
	char field[128];

	(void)state;
	assert_true(testing_read_until(fd, text, sizeof(text), ":\n\n", 5000));
	publish(h, NULL, "first");
	assert_true(testing_read_until(fd, text, sizeof(text), "data: first\n\n", 5000));
	close(fd);
	const char *id = strstr(text, "id: ");
	assert_non_null(id);
	snprintf(field, sizeof(field), "Last-Event-ID: %.*s\r\n", (int)strcspn(id + 4, "\n"), id + 4);
	publish(h, NULL, "second");
	publish(h, NULL, "third");
	fd = stream_open(h, NULL, field);
	assert_true(testing_read_until(fd, text, sizeof(text), "data: third\n\n", 5000));
	assert_null(strstr(text, "first"));
	assert_non_null(strstr(text, "data: second\n\n"));
	assert_null(strstr(text, "reset"));
	close(fd);
	/* Of another run, or no id of ours: told to load anew. */
	fd = stream_open(h, NULL, "Last-Event-ID: 00000000-1\r\n");
	assert_true(testing_read_until(fd, text, sizeof(text), "event: reset\n", 5000));
	close(fd);
	fd = stream_open(h, NULL, "Last-Event-ID: ../../etc\r\n");
	assert_true(testing_read_until(fd, text, sizeof(text), "event: reset\n", 5000));
	close(fd);
	http_close(h);
}

static void what_the_ring_has_lost_is_a_reset(void **state)
{
	static char data[HTTP_EVENT_MAX];
	struct http_options o = testing_options();
	o.ring_bytes = 4 * HTTP_EVENT_MAX;
	struct http *h = open_with(&o);
	char field[128];
	int fd = stream_open(h, NULL, "");

	(void)state;
	assert_true(testing_read_until(fd, text, sizeof(text), ":\n\n", 5000));
	publish(h, NULL, "first");
	assert_true(testing_read_until(fd, text, sizeof(text), "data: first\n\n", 5000));
	close(fd);
	const char *id = strstr(text, "id: ");
	snprintf(field, sizeof(field), "Last-Event-ID: %.*s\r\n", (int)strcspn(id + 4, "\n"), id + 4);
	memset(data, 'x', sizeof(data));
	for (int i = 0; i < 10; i++)
		assert_int_equal(http_stream_publish(h, NULL, data, sizeof(data)), WD_OK);
	fd = stream_open(h, NULL, field);
	assert_true(testing_read_until(fd, text, sizeof(text), "event: reset\n", 5000));
	close(fd);
	assert_int_equal(http_stream_publish(h, NULL, text, HTTP_EVENT_MAX + 1), WD_FULL);
	http_close(h);
}

static void who_falls_behind_the_ring_is_evicted_and_others_lose_nothing(void **state)
{
	static char data[HTTP_EVENT_MAX];
	struct http_options o = testing_options();
	o.ring_bytes = 4 * HTTP_EVENT_MAX;
	struct http *h = open_with(&o);
	int small = 4096;
	int slow = testing_connect(h, NULL), quick = stream_open(h, NULL, "");
	char needle[32];

	(void)state;
	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	testing_send(slow, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(has_streams(h, 2));
	memset(data, 'x', sizeof(data));
	for (int i = 0; i < 2000 && http_counters_read(h).streams == 2; i++) {
		snprintf(needle, sizeof(needle), "number %d\n", i);
		int len = snprintf(data, sizeof(data), "number %d", i);
		data[len] = '\n';
		assert_int_equal(http_stream_publish(h, NULL, data, sizeof(data)), WD_OK);
		assert_true(testing_read_until(quick, text, sizeof(text), needle, 5000));
	}
	assert_int_equal(http_counters_read(h).streams, 1);
	assert_int_equal(http_counters_read(h).streams_evicted, 1);
	close(slow);
	close(quick);
	http_close(h);
}

static void who_is_stuck_too_long_is_evicted(void **state)
{
	static char data[HTTP_EVENT_MAX];
	struct http_options o = testing_options();
	o.ring_bytes = 64u << 20;
	o.write_ms = 300;
	struct http *h = open_with(&o);
	int small = 4096;
	int slow = testing_connect(h, NULL);

	(void)state;
	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	testing_send(slow, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(has_streams(h, 1));
	memset(data, 'x', sizeof(data));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(http_stream_publish(h, NULL, data, sizeof(data)), WD_OK);
	assert_true(has_streams(h, 0));
	assert_int_equal(http_counters_read(h).streams_evicted, 1);
	close(slow);
	http_close(h);
}

/* A client that pauses and reads on gets every byte, in order. */
static void who_was_blocked_gets_every_byte(void **state)
{
	enum { EVENTS = 400, LEN = 16000 };
	static char data[LEN];
	struct http_options o = testing_options();
	o.ring_bytes = 16u << 20;
	struct http *h = open_with(&o);
	int small = 65536;
	int fd = testing_connect(h, NULL);
	char *all = malloc(8u << 20);
	size_t got = 0;

	(void)state;
	assert_non_null(all);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	testing_send(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(has_streams(h, 1));
	for (int i = 0; i < EVENTS; i++) {
		for (size_t k = 0; k < LEN; k++)
			data[k] = (char)('a' + ((size_t)i + k) % 26);
		assert_int_equal(http_stream_publish(h, NULL, data, LEN), WD_OK);
	}
	publish(h, "last", "");
	for (bool whole = false; !whole;) {
		ssize_t n = recv(fd, all + got, (8u << 20) - 1 - got, 0);
		assert_true(n > 0);
		got += (size_t)n;
		all[got] = '\0';
		whole = got > 20 && strcmp(all + got - 20, "event: last\ndata: \n\n") == 0;
	}
	const char *at = all;
	for (int i = 0; i < EVENTS; i++) {
		at = strstr(at, "\ndata: ");
		assert_non_null(at);
		at += 7;
		for (size_t k = 0; k < LEN; k++)
			assert_int_equal(at[k], 'a' + ((size_t)i + k) % 26);
	}
	free(all);
	close(fd);
	http_close(h);
}

static void silence_is_broken_by_a_comment(void **state)
{
	struct http_options o = testing_options();
	o.heartbeat_ms = 100;
	o.workers = 2;
	struct http *h = open_with(&o);
	int fds[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		fds[i] = stream_open(h, NULL, "");
	for (int i = 0; i < 8; i++) {
		assert_true(testing_read_until(fds[i], text, sizeof(text), ":\n\n", 5000));
		assert_true(testing_read_until(fds[i], text, sizeof(text), ":\n\n", 5000));
		assert_true(testing_read_until(fds[i], text, sizeof(text), ":\n\n", 5000));
		close(fds[i]);
	}
	http_close(h);
}

static void an_address_has_a_number_of_streams(void **state)
{
	struct http_options o = testing_options();
	o.streams_per_address_max = 3;
	o.streams_max = 5;
	struct http *h = open_with(&o);
	int fds[5];

	(void)state;
	for (int i = 0; i < 3; i++)
		fds[i] = stream_open(h, "127.0.4.1", "");
	assert_true(has_streams(h, 3));
	int over = stream_open(h, "127.0.4.1", "");
	testing_read(over, &answer, true);
	assert_int_equal(answer.status, 429);
	assert_non_null(testing_field(&answer, "Retry-After"));
	assert_non_null(strstr(testing_body(&answer), "Please wait 10 seconds and try again."));
	assert_true(answer.keeps_open);
	close(over);
	for (int i = 3; i < 5; i++)
		fds[i] = stream_open(h, "127.0.4.2", "");
	assert_true(has_streams(h, 5));
	over = stream_open(h, "127.0.4.3", "");
	testing_read(over, &answer, true);
	assert_int_equal(answer.status, 503);
	close(over);
	close(fds[0]);
	assert_true(has_streams(h, 4));
	fds[0] = stream_open(h, "127.0.4.1", "");
	assert_true(has_streams(h, 5));
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	http_close(h);
}

static void a_client_that_talks_is_dropped_and_stopping_ends_streams(void **state)
{
	struct http_options o = testing_options();
	struct http *h = open_with(&o);
	int talker = stream_open(h, NULL, ""), listener = stream_open(h, NULL, "");

	(void)state;
	assert_true(has_streams(h, 2));
	testing_ask(h, "HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_int_equal(answer.status, 405);
	testing_send(talker, "hello");
	assert_true(has_streams(h, 1));
	http_stop(h, 1000);
	assert_true(testing_closes(listener, 1000));
	assert_true(testing_closes(talker, 1000));
	close(talker);
	close(listener);
	http_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_reaches_every_stream),
		cmocka_unit_test(a_stream_resumes_behind_its_last_event),
		cmocka_unit_test(what_the_ring_has_lost_is_a_reset),
		cmocka_unit_test(who_falls_behind_the_ring_is_evicted_and_others_lose_nothing),
		cmocka_unit_test(who_is_stuck_too_long_is_evicted),
		cmocka_unit_test(who_was_blocked_gets_every_byte),
		cmocka_unit_test(silence_is_broken_by_a_comment),
		cmocka_unit_test(an_address_has_a_number_of_streams),
		cmocka_unit_test(a_client_that_talks_is_dropped_and_stopping_ends_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
