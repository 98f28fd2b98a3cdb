/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/syslog.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct syslog_listener *s;
	char got[8192]; /* messages with '|' behind each */
	size_t longest, count;
	wd_mono now;
};

static void take(void *context, const struct exporter_address *from, const char *text, size_t len)
{
	struct fixture *f = context;
	size_t have = strlen(f->got);

	assert_int_equal(from->family, 4);
	assert_int_equal(from->bytes[0], 127);
	f->count++;
	f->longest = len > f->longest ? len : f->longest;
	if (have + len + 2 < sizeof(f->got))
		snprintf(f->got + have, sizeof(f->got) - have, "%.*s|", (int)len, text);
}

static struct fixture *fixture_new(const struct senders *allowed)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct syslog_options o = {"127.0.0.1:0", "127.0.0.1:0", allowed};

	assert_non_null(f);
	assert_int_equal(syslog_open(&o, &f->s, NULL), WD_OK);
	return f;
}

static void fixture_free(struct fixture *f)
{
	syslog_close(f->s);
	free(f);
}

static int socket_from(const char *address, uint16_t port, int type)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type, 0);

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	inet_pton(AF_INET, address, &from.sin_addr);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int socket_to(uint16_t port, int type)
{
	return socket_from("127.0.0.1", port, type);
}

static void send_bytes(int fd, const char *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void poll_all(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		syslog_poll(f->s, 2, f->now, take, f);
}

static void expect(struct fixture *f, const char *messages)
{
	poll_all(f);
	assert_string_equal(f->got, messages);
	f->got[0] = '\0';
}

static void datagrams_are_messages(void **state)
{
	struct fixture *f = fixture_new(NULL);
	int fd = socket_to(syslog_udp_port(f->s), SOCK_DGRAM);
	(void)state;
	send_bytes(fd, "<13>one\n", 8);
	send_bytes(fd, "<13>two", 7);
	send_bytes(fd, "\n", 1);
	expect(f, "<13>one|<13>two|");
	assert_int_equal(syslog_counters(f->s).messages, 2);
	close(fd);
	fixture_free(f);
}

/* The same bytes in pieces of every size. */
static void framing_is_told_by_the_first_byte(void **state)
{
	static const char bytes[] = "<13>line\n11 <13>counted<14>nul\0" "5 a\nb\nc<15>end\r\n4 <x>y\n<16>rest";
	(void)state;
	for (size_t piece = 1; piece < sizeof(bytes); piece += piece < 8 ? 1 : 7) {
		struct fixture *f = fixture_new(NULL);
		int fd = socket_to(syslog_tcp_port(f->s), SOCK_STREAM);
		for (size_t at = 0; at < sizeof(bytes) - 1; at += piece) {
			size_t left = sizeof(bytes) - 1 - at;
			send_bytes(fd, bytes + at, left < piece ? left : piece);
			syslog_poll(f->s, 2, f->now, take, f);
		}
		close(fd);
		expect(f, "<13>line|<13>counted|<14>nul|a\nb\nc|<15>end|<x>y|<16>rest|");
		assert_int_equal(syslog_counters(f->s).connections, 0);
		fixture_free(f);
	}
}

static void long_ones_are_cut(void **state)
{
	struct fixture *f = fixture_new(NULL);
	int fd = socket_to(syslog_tcp_port(f->s), SOCK_STREAM);
	char *long_one = malloc(300000);
	(void)state;
	assert_non_null(long_one);
	memset(long_one, 'x', 300000);
	for (int counted = 0; counted < 2; counted++) {
		if (counted)
			send_bytes(fd, "200000 ", 7);
		for (size_t at = 0; at < 200000; at += 20000) {
			send_bytes(fd, long_one, 20000);
			syslog_poll(f->s, 2, f->now, take, f);
		}
		send_bytes(fd, counted ? "3 abc" : "\n<1>b\n", counted ? 5 : 6);
		poll_all(f);
		assert_int_equal(f->longest, SYSLOG_MESSAGE_MAX);
		assert_string_equal(f->got, counted ? "abc|" : "<1>b|");
		f->got[0] = '\0';
	}
	assert_int_equal(f->count, 4);
	assert_int_equal(syslog_counters(f->s).cut, 2);
	send_bytes(fd, "99999999999 x", 13);
	poll_all(f);
	assert_int_equal(syslog_counters(f->s).malformed, 1);
	assert_int_equal(syslog_counters(f->s).connections, 0);
	free(long_one);
	close(fd);
	fixture_free(f);
}

static void room_is_made_only_by_the_quiet(void **state)
{
	struct fixture *f = fixture_new(NULL);
	int fds[SYSLOG_CONNECTIONS_MAX + 2];
	(void)state;
	for (size_t i = 0; i <= SYSLOG_CONNECTIONS_MAX; i++) {
		fds[i] = socket_to(syslog_tcp_port(f->s), SOCK_STREAM);
		syslog_poll(f->s, 5, f->now, take, f);
	}
	poll_all(f);
	assert_int_equal(syslog_counters(f->s).connections, SYSLOG_CONNECTIONS_MAX);
	assert_int_equal(syslog_counters(f->s).full, 1);
	f->now = mono_add(f->now, span_s(11));
	fds[SYSLOG_CONNECTIONS_MAX + 1] = socket_to(syslog_tcp_port(f->s), SOCK_STREAM);
	send_bytes(fds[SYSLOG_CONNECTIONS_MAX + 1], "<1>in\n", 6);
	expect(f, "<1>in|");
	assert_int_equal(syslog_counters(f->s).connections, SYSLOG_CONNECTIONS_MAX);
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX + 2; i++)
		close(fds[i]);
	fixture_free(f);
}

/* One sender with all the places, all of them busy, does not keep the others out; nor do these,
 * with as few as anybody, push each other out. */
static void no_sender_has_all_the_room(void **state)
{
	struct fixture *f = fixture_new(NULL);
	int fds[SYSLOG_CONNECTIONS_MAX + 4];
	static const char *const others[] = {"127.0.0.2", "127.0.0.3", "127.0.0.2", "127.0.0.4"};
	(void)state;
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX; i++) {
		fds[i] = socket_to(syslog_tcp_port(f->s), SOCK_STREAM);
		syslog_poll(f->s, 5, f->now, take, f);
	}
	for (size_t i = 0; i < 4; i++) {
		int fd = socket_from(others[i], syslog_tcp_port(f->s), SOCK_STREAM);
		fds[SYSLOG_CONNECTIONS_MAX + i] = fd;
		send_bytes(fd, "<1>in\n", 6);
		expect(f, "<1>in|");
	}
	for (size_t i = 0; i < 4; i++)
		send_bytes(fds[SYSLOG_CONNECTIONS_MAX + i], "<2>on\n", 6);
	expect(f, "<2>on|<2>on|<2>on|<2>on|");
	assert_int_equal(syslog_counters(f->s).connections, SYSLOG_CONNECTIONS_MAX);
	assert_int_equal(syslog_counters(f->s).full, 0);
	for (size_t i = 0; i < SYSLOG_CONNECTIONS_MAX + 4; i++)
		close(fds[i]);
	fixture_free(f);
}

static void strangers_are_refused(void **state)
{
	struct senders *nobody;
	(void)state;
	assert_int_equal(senders_open(NULL, 0, &nobody), WD_OK);
	struct fixture *f = fixture_new(nobody);
	int fd = socket_to(syslog_udp_port(f->s), SOCK_DGRAM);
	int stream = socket_to(syslog_tcp_port(f->s), SOCK_STREAM);
	send_bytes(fd, "<13>one", 7);
	expect(f, "");
	assert_int_equal(syslog_counters(f->s).refused, 2);
	assert_int_equal(syslog_counters(f->s).full, 0);
	close(fd);
	close(stream);
	fixture_free(f);
	senders_close(nobody);
}

/* A connection that cannot be taken must not be waited for without waiting. */
static void without_a_descriptor_it_is_refused(void **state)
{
	struct fixture *f = fixture_new(NULL);
	struct rlimit before, none;
	struct timespec begin, end;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(syslog_tcp_port(f->s))};
	int fd = socket(AF_INET, SOCK_STREAM, 0), next = dup(fd);
	(void)state;
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	assert_true(fd >= 0 && next >= 0 && close(next) == 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){(rlim_t)next, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < 5; i++)
		syslog_poll(f->s, 50, f->now, take, f);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(syslog_counters(f->s).full, 1);
	assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 > 150);
	close(fd);
	fd = socket_to(syslog_tcp_port(f->s), SOCK_STREAM); /* and then there is one */
	send_bytes(fd, "<1>in\n", 6);
	expect(f, "<1>in|");
	close(fd);
	fixture_free(f);
}

/* As after a reload: who is on the list no more is heard no more, also where a connection stands. */
static void another_list_holds_at_once(void **state)
{
	static const struct sender_rule second = {.block = {{127, 0, 0, 2}, 4, 32}};
	struct senders *everybody_else;
	(void)state;
	assert_int_equal(senders_open(&second, 1, &everybody_else), WD_OK);
	struct fixture *f = fixture_new(NULL);
	uint16_t tcp = syslog_tcp_port(f->s), udp = syslog_udp_port(f->s);
	int streams[2] = {socket_from("127.0.0.1", tcp, SOCK_STREAM),
			  socket_from("127.0.0.2", tcp, SOCK_STREAM)};
	int datagrams[2] = {socket_from("127.0.0.1", udp, SOCK_DGRAM),
			    socket_from("127.0.0.2", udp, SOCK_DGRAM)};
	poll_all(f);
	assert_int_equal(syslog_counters(f->s).connections, 2);
	syslog_allow(f->s, everybody_else);
	assert_int_equal(syslog_counters(f->s).connections, 1);
	(void)send(streams[0], "<1>no\n", 6, MSG_NOSIGNAL); /* closed at the other end */
	send_bytes(datagrams[0], "<1>no", 5);
	send_bytes(streams[1], "<2>tcp\n", 7);
	expect(f, "<2>tcp|");
	send_bytes(datagrams[1], "<2>udp", 6);
	expect(f, "<2>udp|");
	assert_int_equal(syslog_counters(f->s).refused, 1);
	for (size_t i = 0; i < 2; i++) {
		close(streams[i]);
		close(datagrams[i]);
	}
	fixture_free(f);
	senders_close(everybody_else);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_are_messages),
		cmocka_unit_test(framing_is_told_by_the_first_byte),
		cmocka_unit_test(long_ones_are_cut),
		cmocka_unit_test(room_is_made_only_by_the_quiet),
		cmocka_unit_test(no_sender_has_all_the_room),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(without_a_descriptor_it_is_refused),
		cmocka_unit_test(another_list_holds_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
