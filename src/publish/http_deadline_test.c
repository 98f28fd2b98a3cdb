/* SPDX-License-Identifier: Apache-2.0 */
/* Slow clients, greedy addresses, and very many sockets ready at once. */
#include "publish/http_testing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct testing_answer answer;
static struct http_response *big;

static struct http_response *handle(void *app, struct http_request *req)
{
	(void)app;
	if (strcmp(req->path, "/big") == 0)
		return http_response_ref(big);
	return http_response_problem(404, NULL);
}

static struct http *open_with(const struct http_options *o)
{
	struct http_handler handler = {.handle = handle};

	return testing_open(o, &handler);
}

/* Sends a byte every 20 ms until the other end closes; how long that took. */
static uint64_t drip(int fd, const char *bytes, size_t len)
{
	uint64_t start = testing_now_ms();

	for (size_t i = 0; testing_now_ms() - start < 5000; i++) {
		if (send(fd, bytes + i % len, 1, MSG_NOSIGNAL) < 0 || testing_closes(fd, 20))
			break;
	}
	return testing_now_ms() - start;
}

static void a_dripped_head_is_cut_at_its_deadline(void **state)
{
	struct http_options o = testing_options();
	o.head_ms = 300;
	struct http *h = open_with(&o);
	int fd = testing_connect(h, NULL);

	(void)state;
	testing_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n");
	uint64_t took_ms = drip(fd, "X-A: b\r\n", 8);
	assert_in_range(took_ms, 50, 3000);
	assert_int_equal(http_counters_read(h).cut_head, 1);
	close(fd);
	/* Silence is no better. */
	fd = testing_connect(h, NULL);
	assert_true(testing_closes(fd, 2000));
	close(fd);
	assert_int_equal(http_counters_read(h).cut_head, 2);
	assert_int_equal(http_counters_read(h).refused_library, 0);
	http_close(h);
}

static void a_second_head_has_the_idle_time(void **state)
{
	struct http_options o = testing_options();
	o.idle_ms = 400;
	struct http *h = open_with(&o);
	int fd = testing_connect(h, NULL);

	(void)state;
	testing_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 404);
	testing_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n");
	assert_in_range(drip(fd, "X-A: b\r\n", 8), 50, 3000);
	assert_int_equal(http_counters_read(h).cut_idle, 1);
	close(fd);
	http_close(h);
}

static void a_dripped_body_is_cut_at_its_deadline(void **state)
{
	struct http_options o = testing_options();
	o.body_ms = 300;
	struct http *h = open_with(&o);
	int fd = testing_connect(h, NULL);

	(void)state;
	testing_send(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
	assert_in_range(drip(fd, "x", 1), 50, 3000);
	assert_int_equal(http_counters_read(h).cut_body, 1);
	close(fd);
	http_close(h);
}

static void who_does_not_read_is_cut_at_the_deadline(void **state)
{
	struct http_options o = testing_options();
	o.write_ms = 300;
	struct http *h = open_with(&o);
	int fd = testing_connect(h, NULL);
	int small = 4096;
	size_t body_len = 8u << 20;
	char *body = calloc(1, body_len);
	struct http_response_options big_options = {.body = body, .body_len = body_len};

	(void)state;
	assert_int_equal(http_response_make(&big_options, &big, NULL), WD_OK);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	testing_send(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	for (int i = 0; i < 500 && http_counters_read(h).connections > 0; i++)
		testing_sleep_ms(10);
	assert_int_equal(http_counters_read(h).cut_write, 1);
	assert_int_equal(http_counters_read(h).connections, 0);
	close(fd);
	http_close(h);
	http_response_unref(big);
	free(body);
}

static void many_bodies_at_once_are_bounded(void **state)
{
	struct http_options o = testing_options();
	o.body_max = 20000;
	o.bodies_max = 50000;
	struct http *h = open_with(&o);
	int fds[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		fds[i] = testing_connect(h, NULL);
		testing_send(fds[i], "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
				     "Content-Length: 20000\r\n\r\n");
		testing_sleep_ms(20);
	}
	testing_read(fds[2], &answer, true);
	assert_int_equal(answer.status, 503);
	assert_int_equal(http_counters_read(h).refused_bodies, 1);
	close(fds[0]);
	/* Its room comes back when the server has noticed, which a slow machine may do late. */
	answer.status = 0;
	for (int i = 0; i < 200 && answer.status != 100; i++) {
		testing_sleep_ms(10);
		int fd = testing_connect(h, NULL);
		testing_send(fd, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
				 "Content-Length: 20000\r\n\r\n");
		testing_read(fd, &answer, true);
		close(fd);
	}
	assert_int_equal(answer.status, 100);
	close(fds[1]);
	close(fds[2]);
	http_close(h);
}

static bool is_served(struct http *h, int fd)
{
	(void)h;
	testing_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	testing_read(fd, &answer, true);
	return answer.status == 404;
}

static void an_address_has_its_share_and_no_more(void **state)
{
	static const char *const TRUSTED[] = {"127.0.9.9"};
	struct http_options o = testing_options();
	o.connections_per_address_max = 5;
	o.connections_max = 12;
	o.trusted = TRUSTED;
	o.trusted_count = 1;
	struct http *h = open_with(&o);
	int fds[12];

	(void)state;
	for (int i = 0; i < 5; i++) {
		fds[i] = testing_connect(h, "127.0.3.1");
		assert_true(is_served(h, fds[i]));
	}
	int over = testing_connect(h, "127.0.3.1");
	assert_true(testing_closes(over, 2000));
	close(over);
	assert_int_equal(http_counters_read(h).refused_address, 1);
	/* Another address is none the worse; a trusted proxy has no share of its own. */
	for (int i = 5; i < 12; i++) {
		fds[i] = testing_connect(h, "127.0.9.9");
		assert_true(is_served(h, fds[i]));
	}
	over = testing_connect(h, "127.0.3.2");
	assert_true(testing_closes(over, 2000));
	close(over);
	assert_int_equal(http_counters_read(h).refused_connections, 1);
	assert_int_equal(http_counters_read(h).connections, 12);
	/* Going makes room. */
	for (int i = 0; i < 12; i++)
		close(fds[i]);
	for (int i = 0; i < 500 && http_counters_read(h).connections > 0; i++)
		testing_sleep_ms(2);
	int again = testing_connect(h, "127.0.3.1");
	assert_true(is_served(h, again));
	close(again);
	http_close(h);
}

static void an_address_has_a_rate(void **state)
{
	struct http_options o = testing_options();
	o.accepts_per_address_per_s_max = 5; /* and a burst of ten */
	struct http *h = open_with(&o);
	uint64_t start = testing_now_ms();
	uint64_t served = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		int fd = testing_connect(h, "127.0.3.3");
		served += is_served(h, fd);
		close(fd);
	}
	uint64_t passed_ms = testing_now_ms() - start; /* a slow machine earns some more */
	assert_in_range(served, 10, 11 + passed_ms * 5 / 1000);
	assert_int_equal(http_counters_read(h).refused_rate, 20 - served);
	int fd = testing_connect(h, "127.0.3.4");
	assert_true(is_served(h, fd));
	close(fd);
	http_close(h);
}

/* libmicrohttpd's own loop stalls when exactly 128·k sockets are ready at once. */
static void any_number_of_sockets_ready_at_once_is_answered(void **state)
{
	static int fds[1024];
	struct http_options o = testing_options();
	struct http *h = open_with(&o);
	size_t open = 0;

	(void)state;
	for (size_t count = 128; count <= 1024; count += 128) {
		for (; open < count; open++)
			fds[open] = testing_connect(h, NULL);
		for (int round = 0; round < 3; round++) {
			for (size_t i = 0; i < count; i++)
				testing_send(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
			for (size_t i = 0; i < count; i++) {
				testing_read(fds[i], &answer, true);
				assert_int_equal(answer.status, 404);
			}
		}
	}
	for (size_t i = 0; i < open; i++)
		close(fds[i]);
	http_close(h);
}

static void two_servers_cannot_share_a_port(void **state)
{
	struct http_handler handler = {.handle = handle};
	struct http_options o = testing_options();
	o.workers = 2;
	struct http *h = open_with(&o), *second = NULL;
	char listen[32];
	const char *addresses[] = {listen};
	struct wd_why why = {0};

	(void)state;
	snprintf(listen, sizeof(listen), "127.0.0.1:%d", http_port(h, 0));
	o.listen = addresses;
	assert_int_equal(http_open(&o, &handler, &second, &why), WD_OS);
	assert_int_equal(why.os_errno, EADDRINUSE);
	assert_null(second);
	snprintf(listen, sizeof(listen), "localhost:80");
	assert_int_equal(http_open(&o, &handler, &second, &why), WD_MALFORMED);
	http_close(h);
}

static void both_families_are_listened_on(void **state)
{
	static const char *const LISTEN[] = {"[::]:0"};
	struct http_options o = testing_options();
	o.listen = LISTEN;
	struct http_handler handler = {.handle = handle};
	struct http *h = NULL;

	(void)state;
	if (http_open(&o, &handler, &h, NULL) != WD_OK)
		skip(); /* a machine without IPv6 */
	int fd = testing_connect(h, NULL); /* over IPv4 */
	assert_true(is_served(h, fd));
	close(fd);
	http_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dripped_head_is_cut_at_its_deadline),
		cmocka_unit_test(a_second_head_has_the_idle_time),
		cmocka_unit_test(a_dripped_body_is_cut_at_its_deadline),
		cmocka_unit_test(who_does_not_read_is_cut_at_the_deadline),
		cmocka_unit_test(many_bodies_at_once_are_bounded),
		cmocka_unit_test(an_address_has_its_share_and_no_more),
		cmocka_unit_test(an_address_has_a_rate),
		cmocka_unit_test(any_number_of_sockets_ready_at_once_is_answered),
		cmocka_unit_test(two_servers_cannot_share_a_port),
		cmocka_unit_test(both_families_are_listened_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
