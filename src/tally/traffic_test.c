/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/traffic.h"

#include "base/check.h"
#include "tally/traffic_testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct vector_classes classes;
static struct traffic_rules rules;

static int set_up(void **state)
{
	(void)state;
	testing_classes(&classes);
	struct hash_key secret = {{1, 2, 3}};
	rules = (struct traffic_rules){&classes, address_key_of(&secret)};
	return 0;
}

static void what_is_sent_counts_under_the_class_of_its_answer(void **state)
{
	(void)state;
	struct flow query = {.family = 4, .protocol = 17, .sport = 40000, .dport = 53};
	struct flow answer = {.family = 4, .protocol = 17, .sport = 53, .dport = 40000};
	struct flow syn = {.family = 4, .protocol = 6, .tcp_flags = FLOW_TCP_SYN};
	struct flow ack = {.family = 4, .protocol = 6, .tcp_flags = FLOW_TCP_ACK | FLOW_TCP_PSH};
	struct flow ping = {.family = 4, .protocol = 1, .dport = 8 << 8};
	struct flow ping6 = {.family = 6, .protocol = 58, .dport = 128 << 8};
	struct flow later = {.family = 4, .protocol = 17, .fragment = FLOW_FRAGMENT_LATER};
	assert_int_equal(traffic_answer_class(&classes, &query), vector_class(&classes, &answer));
	assert_int_equal(traffic_answer_class(&classes, &answer), TESTING_DNS_TO);
	assert_int_equal(traffic_answer_class(&classes, &syn), TESTING_SYN_ACK);
	assert_int_equal(traffic_answer_class(&classes, &ack), TESTING_ACK);
	assert_int_equal(traffic_answer_class(&classes, &ping), TESTING_ECHO_REPLY);
	assert_int_equal(traffic_answer_class(&classes, &ping6), TESTING_ECHO_REPLY);
	assert_int_equal(traffic_answer_class(&classes, &later), TESTING_FRAGMENT);
}

/* What hostile exporters can say at most stays at the end and does not begin anew. */
static void sums_stop_at_their_end(void **state)
{
	(void)state;
	static struct traffic_tick t;
	struct flow f = {.family = 4, .protocol = 6, .packets = UINT64_MAX, .bytes = UINT64_MAX,
			 .sampling = UINT32_MAX, .tcp_flags = FLOW_TCP_SYN};
	traffic_clear(&t, "x", wall_s(0));
	for (int i = 0; i < 3; i++)
		traffic_add(&t, &rules, &f, false, (uint64_t)i);
	assert_true(t.in[TESTING_SYN].packets == UINT64_MAX);
	assert_true(t.in[TESTING_SYN].seen == UINT64_MAX);
	assert_int_equal(t.in[TESTING_SYN].records, 3);
	assert_true(isfinite(t.sample[0].priority));
	traffic_merge(&t, &t);
	assert_true(t.in[TESTING_SYN].bytes == UINT64_MAX);
}

enum { FLOWS = 3000 };
static struct flow flows[FLOWS];
static uint64_t randoms[FLOWS];

static void flows_make(uint64_t seed)
{
	struct prng r = prng_of(seed, 3);
	for (size_t i = 0; i < FLOWS; i++) {
		flows[i] = testing_flow4(&r, prng_below(&r, 500), 0x0a000000 + prng_below(&r, 20));
		randoms[i] = prng_u64(&r);
	}
}

/* Any share of the packets, estimated from the sample, is right on average, and its error is
 * about as stated: share / sqrt(sampled of it). */
static void shares_from_the_sample_are_unbiased(void **state)
{
	(void)state;
	enum { SEEDS = 400 };
	static struct traffic_tick t;
	double packets[3] = {0}, sum[3] = {0}, squares[3] = {0}, sampled[3] = {0};
	flows_make(1);
	for (size_t i = 0; i < FLOWS; i++) {
		packets[0] += (double)flows[i].packets;
		packets[1] += flows[i].protocol == 17 ? (double)flows[i].packets : 0;
		packets[2] += flows[i].src[3] < 10 ? (double)flows[i].packets : 0;
	}
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct prng r = prng_of(seed, 9);
		traffic_clear(&t, "x", wall_s(0));
		for (size_t i = 0; i < FLOWS; i++)
			traffic_add(&t, &rules, &flows[i], false, prng_u64(&r));
		assert_in_range(t.sample_count, TRAFFIC_SAMPLES - 2, TRAFFIC_SAMPLES);
		double estimate[3] = {0};
		for (uint32_t i = 0; i < t.sample_count; i++) {
			const struct traffic_record *s = &t.sample[i];
			double stands = traffic_stands_for(&t, s);
			bool is[3] = {true, s->protocol == 17, s->src[3] < 10};
			for (size_t k = 0; k < 3; k++) {
				estimate[k] += is[k] ? stands : 0;
				sampled[k] += is[k];
			}
		}
		for (size_t k = 0; k < 3; k++) {
			sum[k] += estimate[k];
			squares[k] += (estimate[k] - packets[k]) * (estimate[k] - packets[k]);
		}
	}
	for (size_t k = 0; k < 3; k++) {
		double sd = sqrt(squares[k] / SEEDS);
		assert_true(fabs(sum[k] / SEEDS - packets[k]) < 4 * sd / sqrt(SEEDS));
		assert_true(sd <= packets[k] / sqrt(sampled[k] / SEEDS) * 1.15);
		assert_true(sd > 0);
	}
}

static int by_priority(const void *a, const void *b)
{
	const struct traffic_record *x = a, *y = b;
	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return memcmp(x, y, sizeof(*x));
}

static void assert_same_sample(struct traffic_tick *a, struct traffic_tick *b)
{
	assert_true(a->threshold == b->threshold);
	assert_int_equal(a->sample_count, b->sample_count);
	qsort(a->sample, a->sample_count, sizeof(a->sample[0]), by_priority);
	qsort(b->sample, b->sample_count, sizeof(b->sample[0]), by_priority);
	assert_memory_equal(a->sample, b->sample, a->sample_count * sizeof(a->sample[0]));
}

static void assert_same(struct traffic_tick *a, struct traffic_tick *b)
{
	assert_memory_equal(a->in, b->in, sizeof(a->in));
	assert_memory_equal(a->out, b->out, sizeof(a->out));
	assert_memory_equal(a->sources, b->sources, sizeof(a->sources));
	assert_memory_equal(a->targets, b->targets, sizeof(a->targets));
	for (unsigned class = 0; class < TESTING_CLASSES; class++) {
		double x = traffic_class_sources(a, (uint8_t)class);
		double y = traffic_class_sources(b, (uint8_t)class);
		assert_true(x == y);
	}
	assert_int_equal(a->at.ns, b->at.ns);
	assert_int_equal(a->width.ns, b->width.ns);
	assert_same_sample(a, b);
}

/* At most as many classes as have a place: then merging is exact in all its parts. */
static void merging_in_any_order_is_as_if_one_had_counted_all(void **state)
{
	(void)state;
	static struct traffic_tick parts[3], all, left, right;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct prng r = prng_of(seed, 4);
		flows_make(seed);
		traffic_clear(&all, "x", wall_s(100));
		for (size_t i = 0; i < 3; i++)
			traffic_clear(&parts[i], "x", wall_s(100));
		for (size_t i = 0; i < FLOWS; i++) {
			struct flow *f = &flows[i];
			if (f->protocol == 1)
				f->protocol = 6;
			if (seed % 2)
				f->packets = 1 + i % 2; /* and coarse, so that priorities are equal */
			uint64_t random = seed % 2 ? randoms[i] & UINT64_C(0xff) << 56 : randoms[i];
			bool out = i % 10 == 0;
			traffic_add(&all, &rules, f, out, random);
			traffic_add(&parts[prng_below(&r, seed % 5 ? 3 : 2)], &rules, f, out, random);
		}
		left = parts[0];
		traffic_merge(&left, &parts[1]);
		traffic_merge(&left, &parts[2]);
		right = parts[2];
		traffic_merge(&right, &parts[1]);
		traffic_merge(&right, &parts[0]);
		assert_same(&left, &all);
		assert_same(&right, &all);
		traffic_merge(&parts[1], &parts[2]);
		traffic_merge(&parts[0], &parts[1]);
		assert_same(&parts[0], &all);
	}
}

static void ticks_that_follow_each_other_become_a_wider_one(void **state)
{
	(void)state;
	static struct traffic_tick a, b;
	traffic_clear(&a, "x", wall_s(101));
	traffic_clear(&b, "x", wall_s(100));
	traffic_merge(&a, &b);
	assert_int_equal(a.at.ns, wall_s(100).ns);
	assert_int_equal(a.width.ns, WD_NS_PER_S + TRAFFIC_TICK_NS);
}

static void the_heaviest_classes_keep_their_places(void **state)
{
	(void)state;
	static struct traffic_tick a, b;
	struct vector_classes many = {.count = 100};
	for (unsigned i = 0; i < 100; i++)
		port_class_set(&many.udp_to, (uint16_t)i, (uint8_t)i);
	struct traffic_rules r = {&many, rules.key};
	traffic_clear(&a, "x", wall_s(0));
	traffic_clear(&b, "x", wall_s(0));
	for (uint16_t port = 1; port <= TRAFFIC_CLASS_SOURCES; port++) { /* b: all heavier */
		struct flow f = {.family = 4, .protocol = 17, .dport = port, .sampling = 1, .packets = port};
		traffic_add(&a, &r, &f, false, 1);
		f.dport += 50;
		f.packets += port <= TRAFFIC_CLASS_SOURCES / 2 ? 0 : 50;
		traffic_add(&b, &r, &f, false, 1);
	}
	struct flow ninth = {.family = 4, .protocol = 17, .dport = 99, .sampling = 1, .packets = 1};
	traffic_add(&a, &r, &ninth, false, 1);
	assert_true(traffic_class_sources(&a, 99) == -1);
	assert_true(traffic_class_sources(&a, 98) == 0);
	traffic_merge(&a, &b);
	for (uint8_t class = 51 + TRAFFIC_CLASS_SOURCES / 2; class <= 50 + TRAFFIC_CLASS_SOURCES; class++)
		assert_true(traffic_class_sources(&a, class) > 0.9);
	assert_true(traffic_class_sources(&a, 1) == -1);
	assert_true(traffic_class_sources(&a, TRAFFIC_CLASS_SOURCES) > 0.9);
}

/* `packets` of a class by its port, each from another source. */
static void add_class(struct traffic_tick *t, const struct traffic_rules *r, uint16_t port,
		      uint32_t first_source, uint32_t packets)
{
	struct flow f = {.family = 4, .protocol = 17, .dport = port, .sampling = 1, .packets = 1};
	for (uint32_t i = 0; i < packets; i++) {
		uint32_t source = first_source + i;
		memcpy(f.src, &source, sizeof(source));
		traffic_add(t, r, &f, false, i);
	}
}

/* A class that has no place in one of the ticks, as others are there before it, has in the other:
 * its sources are not known, instead of too few. */
static void sources_of_a_class_that_one_of_two_had_no_place_for_are_not_known(void **state)
{
	(void)state;
	static struct traffic_tick full, other, third;
	struct vector_classes many = {.count = 100};
	enum { BESIDE = 98, LATE = 99 };
	for (unsigned i = 0; i < 100; i++)
		port_class_set(&many.udp_to, (uint16_t)i, (uint8_t)i);
	struct traffic_rules r = {&many, rules.key};
	for (int swapped = 0; swapped < 2; swapped++) {
		traffic_clear(&full, "x", wall_s(0));
		traffic_clear(&other, "x", wall_s(0));
		for (uint16_t port = 1; port <= TRAFFIC_CLASS_SOURCES; port++)
			add_class(&full, &r, port, 0, 1);
		add_class(&full, &r, LATE, 0, 1000);
		add_class(&other, &r, LATE, 1000, 10);
		add_class(&other, &r, BESIDE, 0, 5);
		struct traffic_tick *to = swapped ? &other : &full;
		traffic_merge(to, swapped ? &full : &other);
		assert_true(traffic_class_sources(to, LATE) == -1);
		assert_true(traffic_class_sources(to, 1) > 0.9);
		assert_true(traffic_class_sources(to, BESIDE) > 4.8);
	}
	/* Displaced by heavier ones, then there again, and heavier than those. */
	traffic_clear(&full, "x", wall_s(0));
	traffic_clear(&other, "x", wall_s(0));
	traffic_clear(&third, "x", wall_s(0));
	for (uint16_t port = 1; port <= TRAFFIC_CLASS_SOURCES; port++)
		add_class(&full, &r, port, 0, 20);
	add_class(&other, &r, LATE, 0, 30);
	add_class(&third, &r, TRAFFIC_CLASS_SOURCES, 20, 40);
	traffic_merge(&full, &other);
	assert_true(traffic_class_sources(&full, TRAFFIC_CLASS_SOURCES) == -1);
	traffic_merge(&full, &third);
	assert_true(traffic_class_sources(&full, TRAFFIC_CLASS_SOURCES) == -1);
	assert_true(traffic_class_sources(&full, LATE) > 25);
}

static void a_sampled_record_keeps_the_beginning_of_its_payload(void **state)
{
	(void)state;
	static struct traffic_tick t;
	uint8_t payload[100];
	memset(payload, 'x', sizeof(payload));
	struct flow f = {.family = 6, .protocol = 17, .sport = 53, .sampling = 10, .packets = 2,
			 .bytes = 300, .payload = payload, .payload_len = 100, .ttl = 7, .src_as = 9};
	traffic_clear(&t, "x", wall_s(0));
	traffic_add(&t, &rules, &f, false, 5);
	f.payload_len = 3;
	traffic_add(&t, &rules, &f, false, 5);
	assert_int_equal(t.sample_count, 2);
	assert_int_equal(t.sample[0].payload_len, TRAFFIC_PAYLOAD);
	assert_int_equal(t.sample[0].payload_whole, 100);
	assert_int_equal(t.sample[1].payload_len, 3);
	assert_int_equal(t.sample[0].class, TESTING_DNS_FROM);
	assert_true(t.sample[0].packets == 20 && t.sample[0].bytes == 3000);
	assert_int_equal(t.in[TESTING_DNS_FROM].seen, 4);
	assert_int_equal(t.in[TESTING_DNS_FROM].packets, 40);
}

/* An exporter's template may have TCP's fields for all. */
static void what_is_no_query_with_its_name_has_no_name(void **state)
{
	(void)state;
	static struct traffic_tick t;
	static const uint8_t query[] = {0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 2, 'd', 'e', 0};
	struct flow f = {.family = 4, .protocol = 17, .dport = 53, .sampling = 1, .packets = 1,
			 .sequence = 77, .window = 88};
	traffic_clear(&t, "x", wall_s(0));
	traffic_add(&t, &rules, &f, false, 5);
	f.payload = query;
	f.payload_len = 5;
	traffic_add(&t, &rules, &f, false, 5);
	f.payload_len = sizeof(query);
	traffic_add(&t, &rules, &f, false, 5);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(t.sample[i].sequence, 0);
		assert_int_equal(t.sample[i].window, 0);
	}
	assert_int_not_equal(t.sample[2].sequence, 0);
	assert_int_not_equal(t.sample[2].sequence, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_counts_under_the_class_of_its_answer),
		cmocka_unit_test(sums_stop_at_their_end),
		cmocka_unit_test(shares_from_the_sample_are_unbiased),
		cmocka_unit_test(merging_in_any_order_is_as_if_one_had_counted_all),
		cmocka_unit_test(ticks_that_follow_each_other_become_a_wider_one),
		cmocka_unit_test(the_heaviest_classes_keep_their_places),
		cmocka_unit_test(
			sources_of_a_class_that_one_of_two_had_no_place_for_are_not_known),
		cmocka_unit_test(what_is_no_query_with_its_name_has_no_name),
		cmocka_unit_test(a_sampled_record_keeps_the_beginning_of_its_payload),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
