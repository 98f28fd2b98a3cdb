/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams over loopback, made here, into a running collector, and what comes out at the
 * engine's end: counts that are exact, senders that are refused, an overload that is dropped,
 * counted and over. */
#include "intake/collector.h"
#include "intake/gather.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 2, V5_RECORDS = 30, V5_LEN = 24 + V5_RECORDS * 48 };

static struct vector_classes classes;
static struct traffic_rules rules = {.classes = &classes};

struct world {
	struct watchlist_box *box;
	struct collector *collector;
	struct gather *gather;
	int fd;
	uint64_t packets, bytes;
	wd_wall tick_at; /* of the last tick */
	wd_span width;
	uint32_t sequence;
};

/* The engine's clock minus the system's. */
static int64_t clock_off_ns;

static wd_wall wall_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (wd_wall){(int64_t)t.tv_sec * WD_NS_PER_S + t.tv_nsec + clock_off_ns};
}

static wd_wall clock_given(void *ctx)
{
	(void)ctx;
	return wall_now();
}

static struct watchlist *make_watch(const char *sender, uint32_t sampling)
{
	struct service *s = calloc(1, sizeof(*s));
	struct catalogue *catalogue;
	struct watchlist *w;
	struct sender_rule rule = {.block = {.family = 4, .bits = 32}, .sampling = sampling};
	s->id = strdup("shop");
	s->name = strdup("Shop");
	s->category = strdup("other");
	s->zone = zone_new_utc();
	s->addresses = calloc(1, sizeof(*s->addresses));
	s->addresses[0] = (struct address_block){{192, 0, 2}, 4, 24};
	s->address_count = 1;
	assert_int_equal(catalogue_open(s, 1, &catalogue, NULL), WD_OK);
	assert_int_equal(inet_pton(AF_INET, sender, rule.block.address), 1);
	const struct watchlist_parts parts = {.catalogue = catalogue, .senders = &rule,
					  .sender_count = 1, .rules = &rules};
	assert_int_equal(watchlist_open(&parts, &w, NULL), WD_OK);
	catalogue_release(catalogue);
	return w;
}

static struct world *opened(const char *listen, const char *sender, uint32_t sampling,
			    uint32_t buffer)
{
	struct world *w = calloc(1, sizeof(*w));
	struct watchlist *watch = make_watch(sender, sampling);
	struct udp_address address;
	struct lane *lanes[THREADS];
	struct wd_why why;

	assert_int_equal(watchlist_box_open(watch, &w->box), WD_OK);
	watchlist_release(watch);
	assert_true(udp_address_read(listen, &address));
	struct collector_options o = {
		.addresses = &address, .address_count = 1, .threads = THREADS,
		.receive_buffer_bytes = buffer, .exporters_max = 8,
		.lane = {.box = w->box, .ring_bytes = 1 << 22, .seed = 1, .clock = clock_given},
	};
	if (collector_open(&o, &w->collector, &why) != WD_OK)
		fail_msg("%s: %s", why.what, strerror(why.os_errno));
	for (size_t i = 0; i < THREADS; i++)
		lanes[i] = collector_lane(w->collector, i);
	assert_int_equal(gather_open(lanes, THREADS, 4, &w->gather), WD_OK);

	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)},
				 .sin_port = htons(collector_port(w->collector, 0))};
	w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(w->fd >= 0 && connect(w->fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	return w;
}

static struct world *start(const char *listen, const char *sender, uint32_t sampling,
			   uint32_t buffer)
{
	struct world *w = opened(listen, sender, sampling, buffer);
	assert_int_equal(collector_start(w->collector, NULL), WD_OK);
	return w;
}

static void on_tick(void *ctx, const struct traffic_tick *t)
{
	struct world *w = ctx;
	w->tick_at = t->at;
	w->width = t->width;
	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++) {
		w->packets += t->in[i].packets;
		w->bytes += t->in[i].bytes;
	}
}

static void on_until(void *ctx, wd_wall until) { (void)ctx, (void)until; }

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void take(struct world *w)
{
	const struct gather_handler h = {on_tick, on_until, w, NULL};
	gather_run(w->gather, wall_now(), &h);
}

static void stop(struct world *w)
{
	const struct gather_handler h = {on_tick, on_until, w, NULL};
	collector_stop(w->collector);
	gather_end(w->gather, &h);
}

static void finish(struct world *w)
{
	gather_close(w->gather);
	collector_close(w->collector);
	watchlist_box_close(w->box);
	close(w->fd);
	free(w);
}

static void put(uint8_t *at, uint64_t x, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(x >> (8 * (len - 1 - i)));
}

/* NetFlow v5: 30 records, each of 2 packets with 200 bytes in all, to 192.0.2.1. */
static void make_v5(struct world *w, uint8_t d[V5_LEN])
{
	memset(d, 0, V5_LEN);
	put(d, 5, 2);
	put(d + 2, V5_RECORDS, 2);
	put(d + 8, (uint64_t)time(NULL), 4);
	put(d + 16, w->sequence, 4);
	w->sequence += V5_RECORDS;
	for (size_t i = 0; i < V5_RECORDS; i++) {
		uint8_t *r = d + 24 + i * 48;
		put(r, 0x0a000001 + i, 4);
		put(r + 4, 0xc0000201, 4);
		put(r + 16, 2, 4);
		put(r + 20, 200, 4);
		put(r + 32, 53, 2);
		put(r + 34, 4000, 2);
		r[38] = 17;
	}
}

static void send_v5(struct world *w)
{
	uint8_t d[V5_LEN];
	make_v5(w, d);
	assert_int_equal(send(w->fd, d, sizeof(d), 0), sizeof(d));
}

static struct collector_counts counts_of(struct world *w)
{
	struct collector_counts c;
	collector_count(w->collector, &c);
	return c;
}

static void every_record_is_counted_once(void **state)
{
	enum { DATAGRAMS = 2000 };
	(void)state;
	struct world *w = start("127.0.0.1:0", "127.0.0.1", 0, 8 << 20);
	for (int i = 0; i < DATAGRAMS; i++) {
		send_v5(w);
		if (i % 50 == 49) { /* slow enough for any buffer */
			pause_ms(2);
			take(w);
		}
	}
	pause_ms(300);
	take(w);
	stop(w);
	struct collector_counts c = counts_of(w);
	assert_int_equal(c.dropped, 0);
	assert_int_equal(c.datagrams, DATAGRAMS);
	assert_int_equal(c.flows, DATAGRAMS * V5_RECORDS);
	assert_int_equal(c.exports.counts.lost, 0);
	assert_int_equal(w->packets, DATAGRAMS * V5_RECORDS * 2);
	assert_int_equal(w->bytes, DATAGRAMS * V5_RECORDS * 200);
	finish(w);
}

/* A wall clock that is an hour behind the engine's after it was set back makes no tick late; and
 * what came before the thread began has a time, too. */
static void ticks_have_the_engines_time(void **state)
{
	(void)state;
	clock_off_ns = 3600 * WD_NS_PER_S;
	struct world *w = opened("127.0.0.1:0", "127.0.0.1", 0, 8 << 20);
	send_v5(w);
	assert_int_equal(collector_start(w->collector, NULL), WD_OK);
	for (int i = 0; i < 200 && w->packets == 0; i++) {
		pause_ms(50);
		take(w);
	}
	assert_int_equal(w->packets, V5_RECORDS * 2);
	assert_true(wall_before(w->tick_at, wall_now()));
	assert_true(wall_sub(wall_now(), w->tick_at).ns < 60 * WD_NS_PER_S);
	assert_true(w->width.ns < 60 * WD_NS_PER_S);
	stop(w);
	finish(w);
	clock_off_ns = 0;
}

static void ipv4_senders_are_known_at_an_ipv6_socket(void **state)
{
	(void)state;
	struct world *w = start("[::]:0", "127.0.0.1", 100, 1 << 20);
	send_v5(w);
	pause_ms(50);
	stop(w);
	assert_int_equal(counts_of(w).flows, V5_RECORDS);
	assert_int_equal(w->packets, V5_RECORDS * 2 * 100); /* the operator knows the sampling */
	finish(w);
}

static void strangers_are_refused_before_decoding_until_they_are_allowed(void **state)
{
	(void)state;
	struct world *w = start("127.0.0.1:0", "127.0.0.2", 0, 1 << 20);
	for (int i = 0; i < 10; i++)
		send_v5(w);
	pause_ms(50);
	watchlist_box_put(w->box, make_watch("127.0.0.1", 0)); /* as a reload does */
	pause_ms(600);
	take(w);
	for (int i = 0; i < 5; i++)
		send_v5(w);
	pause_ms(50);
	stop(w);
	struct collector_counts c = counts_of(w);
	assert_int_equal(c.refused, 10);
	assert_int_equal(c.datagrams, 5);
	assert_int_equal(w->packets, 5 * V5_RECORDS * 2);
	finish(w);
}

static void what_is_no_export_is_counted_with_its_reason(void **state)
{
	static const char no_records[24] = "\0\5";
	static const char *const junk[] = {"hello, is anybody there?", "\0\1\0\0\0\0\0\0", no_records};
	static const size_t lens[] = {24, 8, 24};
	(void)state;
	struct world *w = start("127.0.0.1:0", "127.0.0.1", 0, 1 << 20);
	for (size_t i = 0; i < 3; i++)
		assert_true(send(w->fd, junk[i], lens[i], 0) > 0);
	send_v5(w);
	pause_ms(50);
	stop(w);
	struct collector_counts c = counts_of(w);
	assert_int_equal(c.datagrams, 4);
	assert_int_equal(c.unknown + c.broken, 3);
	assert_true(c.unknown >= 1 && c.broken >= 1);
	assert_int_equal(w->packets, V5_RECORDS * 2);
	finish(w);
}

/* More than it can take: sent without a pause into the smallest buffer, by two threads. What the
 * kernel dropped and what came through add up; a second later nothing is dropped any more. */
static void *flood(void *arg)
{
	struct world *w = arg;
	uint8_t d[V5_LEN];
	uint64_t sent = 0;
	make_v5(w, d);
	for (int i = 0; i < 60000; i++)
		sent += send(w->fd, d, sizeof(d), 0) == (ssize_t)sizeof(d);
	return (void *)(uintptr_t)sent;
}

static void an_overload_is_dropped_and_counted_and_over(void **state)
{
	pthread_t threads[2];
	uint64_t sent = 0;
	(void)state;
	struct world *w = start("127.0.0.1:0", "127.0.0.1", 0, 65536);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flood, w), 0);
	for (int i = 0; i < 2; i++) {
		void *n;
		pthread_join(threads[i], &n);
		sent += (uintptr_t)n;
	}
	pause_ms(1200);
	take(w);
	struct collector_counts before = counts_of(w);
	for (int i = 0; i < 100; i++) {
		send_v5(w);
		pause_ms(1);
	}
	pause_ms(300);
	stop(w);
	struct collector_counts after = counts_of(w);
	if (before.dropped == 0)
		print_message("the kernel dropped nothing of %llu\n", (unsigned long long)sent);
	assert_int_equal(before.datagrams + before.dropped, sent);
	assert_int_equal(after.datagrams, before.datagrams + 100);
	assert_int_equal(after.dropped, before.dropped);
	assert_int_equal(w->packets, after.datagrams * V5_RECORDS * 2);
	finish(w);
}

static void idle_costs_next_to_nothing(void **state)
{
	struct timespec before, after;
	(void)state;
	struct world *w = start("127.0.0.1:0", "127.0.0.1", 0, 1 << 20);
	pause_ms(100);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	pause_ms(1000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	int64_t ns = (int64_t)(after.tv_sec - before.tv_sec) * WD_NS_PER_S + after.tv_nsec -
		     before.tv_nsec;
	if (ns > WD_NS_PER_S / 20)
		fail_msg("%lld ms of a second", (long long)(ns / 1000000));
	stop(w);
	finish(w);
}

static void a_port_that_is_taken_is_told(void **state)
{
	struct watchlist *watch = make_watch("127.0.0.1", 0);
	struct watchlist_box *box;
	struct udp_address addresses[2];
	struct collector *c = NULL;
	struct wd_why why = {0};
	char text[64];
	(void)state;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(in.sin_port));
	assert_true(udp_address_read("127.0.0.1:0", &addresses[0]));
	assert_true(udp_address_read(text, &addresses[1]));
	assert_int_equal(watchlist_box_open(watch, &box), WD_OK);
	watchlist_release(watch);
	const struct collector_options o = {
		.addresses = addresses, .address_count = 2, .threads = 1,
		.receive_buffer_bytes = 1 << 20, .exporters_max = 8,
		.lane = {.box = box, .ring_bytes = 1 << 20},
	};
	assert_int_equal(collector_open(&o, &c, &why), WD_OS);
	assert_null(c);
	assert_int_equal(why.at, 1);
	watchlist_box_close(box);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_is_counted_once),
		cmocka_unit_test(ticks_have_the_engines_time),
		cmocka_unit_test(ipv4_senders_are_known_at_an_ipv6_socket),
		cmocka_unit_test(strangers_are_refused_before_decoding_until_they_are_allowed),
		cmocka_unit_test(what_is_no_export_is_counted_with_its_reason),
		cmocka_unit_test(an_overload_is_dropped_and_counted_and_over),
		cmocka_unit_test(idle_costs_next_to_nothing),
		cmocka_unit_test(a_port_that_is_taken_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
