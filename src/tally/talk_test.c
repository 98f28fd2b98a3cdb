/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "tally/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ACK = FLOW_TCP_ACK, SYN = FLOW_TCP_SYN, RST = FLOW_TCP_RST, CLASS = 5, TICKS = 40 };

/* Many connections that all do the same. */
struct habit {
	uint32_t connections;
	int each;      /* packets in, one a tick, from the connection's first tick on */
	int per_tick;  /* … or so many at a time */
	int answer;    /* ticks after each that the service answers; -1: it does not */
	uint8_t flags; /* of the answer */
	bool opens;    /* the first packet is a SYN */
	bool again;    /* who sent it opens another one, a tick later */
	int every;     /* ticks between first packets; 0: all begin in tick 4 */
};

static struct talk_sum sums;

static struct talk_sum *sum_of(void *context, uint32_t service)
{
	(void)context;
	assert_int_equal(service, 3);
	return &sums;
}

static void packet(struct talks *t, uint32_t n, uint8_t flags, bool out)
{
	struct flow f = {.protocol = 6, .tcp_flags = flags, .length = 60, .class = CLASS};
	uint64_t key = hash_mix(n + 1);

	if (key <= t->limit)
		talks_add(t, key, &f, 3, out, (uint32_t)hash_mix(key));
	if (!out && talk_opens(&f))
		talks_open(t, (uint32_t)hash_mix(hash_mix(n + 1)));
}

static int begins(const struct habit *h, uint32_t n)
{
	return 4 + (h->every > 0 ? (int)(n % (uint32_t)h->every) : 0);
}

static void step(struct talks *t, const struct habit *h, uint32_t n, int since)
{
	int answered = since - h->answer;

	for (int i = 0; i < (h->per_tick > 0 ? h->per_tick : 1); i++) {
		if (since < h->each)
			packet(t, n, since == 0 && i == 0 && h->opens ? SYN : ACK, false);
		if (h->answer >= 0 && answered >= 0 && answered < h->each)
			packet(t, n, h->flags != 0 ? h->flags : ACK, true);
	}
	if (h->again && since == 1)
		talks_open(t, (uint32_t)hash_mix(hash_mix(n + 1)));
}

/* What all ticks say together. */
static struct talk_sum watch(const struct habit *h)
{
	struct talks *t = calloc(1, sizeof(*t));

	sums = (struct talk_sum){0};
	talks_init(t);
	for (int tick = 0; tick < TICKS; tick++) {
		for (uint32_t n = 0; n < h->connections; n++) {
			if (tick >= begins(h, n))
				step(t, h, n, tick - begins(h, n));
		}
		talks_seal(t, sum_of, NULL);
	}
	free(t);
	return sums;
}

static void what_is_answered_is_not_alone(void **state)
{
	struct talk_sum s = watch(&(struct habit){.connections = 1000, .each = 1, .answer = 0});
	(void)state;
	assert_float_equal(s.thin, 1000, 150);
	assert_true(talk_alone_of(&s, CLASS).packets <= 0);
	s = watch(&(struct habit){.connections = 1000, .each = 1, .answer = 1}); /* a tick later */
	assert_float_equal(s.thin, 1000, 150);
	assert_true(talk_alone_of(&s, CLASS).packets <= 0);
	s = watch(&(struct habit){.connections = 1000, .each = 1, .per_tick = 5, .answer = 0});
	assert_float_equal(s.talking, 1000, 150);
	assert_float_equal(s.old, 1000, 150);
	s = watch(&(struct habit){.connections = 1000, .each = 1, .per_tick = 5, .answer = -1});
	assert_float_equal(s.deaf, 1000, 150);
	assert_true(s.talking <= 0 && talk_alone_of(&s, CLASS).packets <= 0);
}

static void what_nobody_answers_or_resets_is_alone(void **state)
{
	const struct habit silent = {.connections = 5000, .each = 1, .answer = -1, .every = 9};
	struct habit h = silent;
	(void)state;
	struct talk_sum s = watch(&h);
	struct talk_alone a = talk_alone_of(&s, CLASS);
	assert_float_equal(a.packets, 5000, 400);
	assert_float_equal(a.bytes, 60 * a.packets, 1);
	assert_true(s.anew <= 0 && s.thin <= 0 && talk_alone_of(&s, CLASS + 1).packets <= 0);
	h.answer = 0;
	h.flags = RST;
	s = watch(&h);
	assert_float_equal(talk_alone_of(&s, CLASS).packets, 5000, 400);
	h.again = true;
	s = watch(&h);
	assert_float_equal(s.anew, 5000, 400);
	h = silent;
	h.opens = true; /* a flood of SYNs has its own rules */
	s = watch(&h);
	assert_true(talk_alone_of(&s, CLASS).packets <= 0);
}

/* However many there are, those that are watched stand for all. */
static void so_many_that_few_are_watched(void **state)
{
	struct talk_sum s = watch(&(struct habit){.connections = 400000, .each = 1, .answer = -1});
	(void)state;
	assert_true(s.unit >= 400000.0F / TALKS_MAX);
	assert_float_equal(talk_alone_of(&s, CLASS).packets, 400000, 400000 * 0.1);
}

static void both_directions_are_one_connection(void **state)
{
	const uint8_t a[16] = {192, 0, 2, 1}, b[16] = {203, 0, 113, 9};
	const uint8_t six[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, other[16] = {0x20, 1, 0xd, 0xb8};
	uint64_t odd = hash_mix(7) | 1;
	(void)state;
	assert_true(talk_key(odd, a, b, 4, talk_ports(1234, 80)) ==
		    talk_key(odd, b, a, 4, talk_ports(80, 1234)));
	assert_true(talk_key(odd, a, b, 4, talk_ports(1234, 80)) !=
		    talk_key(odd, a, b, 4, talk_ports(1235, 80)));
	assert_true(talk_key(odd, six, b, 6, 0) != talk_key(odd, other, b, 6, 0));
}

static void sums_of_two_threads_add_up(void **state)
{
	struct talk_sum a = {.unit = 4, .thin = 8, .alone = {{12, 600, 5}}};
	struct talk_sum b = {.unit = 8, .thin = 1, .alone = {{3, 90, 6}, {4, 400, 5}}};
	(void)state;
	talk_sum_merge(&a, &b);
	assert_true(a.unit >= 8 && a.unit <= 8 && a.thin >= 9 && a.thin <= 9);
	assert_float_equal(talk_alone_of(&a, 5).packets, 16, 0.001);
	assert_float_equal(talk_alone_of(&a, 5).bytes, 1000, 0.001);
	assert_float_equal(talk_alone_of(&a, 6).packets, 3, 0.001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_answered_is_not_alone),
		cmocka_unit_test(what_nobody_answers_or_resets_is_alone),
		cmocka_unit_test(so_many_that_few_are_watched),
		cmocka_unit_test(both_directions_are_one_connection),
		cmocka_unit_test(sums_of_two_threads_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
