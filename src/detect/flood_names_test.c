/* SPDX-License-Identifier: Apache-2.0 */
/* Name servers, tick by tick: who asks for which names, and how many of the names are new. */
#include "base/hash.h"
#include "base/prng.h"
#include "detect/budget.h"
#include "detect/flood.h"
#include "tally/query_name.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { QUERY = 1, OTHER, CLASSES, HOUR = 4 * 3600 };

struct server {
	struct flood_plan plan;
	struct flood flood;
	struct traffic_tick tick;
	struct flood_reading reading;
	struct prng prng;
	int64_t at;
	double threshold, phase;
	uint32_t number;   /* of the last new name */
	double fresh;      /* share of the queries that are for a name never asked for */
	uint32_t names;    /* the others: so many, the n-th asked for 1/n as often */
	uint32_t sampling;
	bool no_names, one_way;
};

static void server_init(struct server *s, uint64_t seed)
{
	struct vector_classes classes = {.count = CLASSES};

	memset(s, 0, sizeof(*s));
	snprintf(classes.id[QUERY], sizeof(classes.id[QUERY]), "dns.query");
	snprintf(classes.id[OTHER], sizeof(classes.id[OTHER]), "udp.other");
	flood_plan_init(&s->plan, &classes);
	flood_init(&s->flood, &s->plan);
	s->prng = prng_of(seed, 0);
	s->at = wall_s(1700000000).ns;
	s->threshold = budget_threshold((wd_span){TRAFFIC_TICK_NS}, 1, BUDGET_FALSE_A_MONTH, 1);
	s->names = 2000;
	s->sampling = 1;
	s->phase = 1;
}

static uint32_t hash_of(uint32_t n, bool is_new)
{
	return (uint32_t)hash_mix(n + ((uint64_t)is_new << 40) + 1) | 1;
}

static void record_add(struct server *s, float weight, bool is_new)
{
	struct prng *r = &s->prng;
	/* 1/n: the logarithm is even. */
	uint32_t n = (uint32_t)exp(prng_unit(r) * log((double)s->names));
	struct traffic_record *x = &s->tick.sample[s->tick.sample_count++];

	uint16_t length = (uint16_t)(58 + prng_below(r, 50));
	*x = (struct traffic_record){.packets = (float)s->sampling, .bytes = (float)(length * s->sampling), .family = 4, .protocol = 17,
		.class = QUERY, .sport = (uint16_t)prng_below(r, 65536), .dport = 53, .length = length,
		.known = FLOW_PACKET | FLOW_TTL, .ttl = (uint8_t)(40 + prng_below(r, 20)),
		.priority = weight, .window = 7};
	x->src[0] = (uint8_t)prng_below(r, 200);
	x->src[1] = (uint8_t)prng_below(r, 4);
	if (!s->no_names)
		x->sequence = is_new ? hash_of(++s->number, true) : hash_of(n, false);
}

/* A tick of usual queries and of a flood's; the server answers both. */
static bool step(struct server *s, double usual, double random_names)
{
	uint32_t n = s->sampling;
	double a = (double)prng_poisson(&s->prng, usual / 4 / n);
	double b = (double)prng_poisson(&s->prng, random_names / 4 / n), seen = a + b;
	struct traffic_sum *in = &s->tick.in[QUERY];
	size_t records = seen < TRAFFIC_SAMPLES ? (size_t)seen : TRAFFIC_SAMPLES;

	traffic_clear(&s->tick, "dns", (wd_wall){s->at});
	in->packets = (uint64_t)(seen * n);
	in->seen = in->records = (uint64_t)seen;
	in->bytes = in->packets * 80;
	if (!s->one_way) {
		s->tick.out[QUERY].packets = in->packets;
		s->tick.out[QUERY].bytes = in->packets * 160;
	}
	for (size_t i = 0; i < records; i++)
		record_add(s, (float)(seen * n / (double)records),
			   prng_unit(&s->prng) * seen < b || prng_unit(&s->prng) < s->fresh);
	s->tick.threshold = records > 0 ? (float)(seen * n / (double)records) : 0;
	struct flood_sample sample = {.tick = &s->tick, .at = {s->at}, .width = {TRAFFIC_TICK_NS}};
	flood_step(&s->flood, &s->plan, &sample, &s->reading);
	s->at += TRAFFIC_TICK_NS;
	return s->reading.sustained && (double)s->reading.log10_return >= s->threshold;
}

/* Usual queries, which wander by a tenth within minutes; returns how often one would open. */
static int usual(struct server *s, double per_s, int ticks)
{
	int opened = 0;

	for (int i = 0; i < ticks; i++) {
		s->phase += 0.01 * (1 - s->phase) + 0.014 * prng_normal(&s->prng);
		opened += step(s, per_s * fmax(s->phase, 0.2), 0);
	}
	return opened;
}

/* Ticks until one opens, at most ten seconds; -1: never. */
static int opens_after(struct server *s, double usual_per_s, double random_names)
{
	for (int i = 1; i <= 40; i++) {
		if (step(s, usual_per_s * s->phase, random_names))
			return i;
	}
	return -1;
}

static bool says_new_names(const struct server *s)
{
	return s->reading.class_count == 1 && s->reading.classes[0].new_names;
}

/* Two fifths more queries to twice as many, answered: only their names show it. */
static void random_names_show_in_a_busy_server(void **state)
{
	(void)state;
	static const double fresh[] = {0, 0.1, 0.2}, more[] = {12000, 20000, 30000};

	for (size_t i = 0; i < sizeof(fresh) / sizeof(fresh[0]); i++) {
		struct server s, blind;
		server_init(&s, i + 1);
		s.fresh = fresh[i];
		assert_int_equal(usual(&s, 30000, HOUR), 0);
		blind = s;
		blind.no_names = true;
		int after = opens_after(&s, 30000, more[i]);
		if (after < 0 || after > 16 || !says_new_names(&s))
			fail_msg("share %g of new names: after %d ticks", fresh[i], after);
		assert_int_equal(opens_after(&blind, 30000, more[i]), -1);
	}
}

static void they_show_in_a_sampled_one(void **state)
{
	(void)state;
	struct server s;

	server_init(&s, 11);
	s.sampling = 100;
	assert_int_equal(usual(&s, 40000, HOUR), 0);
	int after = opens_after(&s, 40000, 60000);
	assert_in_range(after, 1, 16);
	assert_true(says_new_names(&s));
}

/* More of what is always asked for, answered. */
static void twice_as_much_of_what_is_usual_is_a_crowd(void **state)
{
	(void)state;
	static const double fresh[] = {0.1, 0.5, 0.9, 1};

	for (size_t i = 0; i < sizeof(fresh) / sizeof(fresh[0]); i++) {
		struct server s;
		server_init(&s, 20 + i);
		s.fresh = fresh[i];
		assert_int_equal(usual(&s, 5000, HOUR), 0);
		for (int tick = 0; tick < 400; tick++) {
			if (step(&s, 5000 * (1 + fmin(1, tick / 40.0)), 0) || says_new_names(&s))
				fail_msg("share %g of new names: tick %d", fresh[i], tick);
		}
	}
}

/* A list that is asked for names all different: more of them is a rise, and no more is said. */
static void where_names_are_always_new_they_name_nothing(void **state)
{
	(void)state;
	struct server s;

	server_init(&s, 31);
	s.fresh = 1;
	assert_int_equal(usual(&s, 2000, HOUR), 0);
	assert_true(opens_after(&s, 2000, 20000) > 0);
	assert_false(says_new_names(&s));
}

static void the_first_ten_minutes_say_nothing(void **state)
{
	(void)state;
	struct server s;

	for (int i = 0; i < 12; i++) {
		static const double fresh[] = {0, 0.3, 0.7, 1};
		server_init(&s, 40 + (uint64_t)i);
		s.fresh = fresh[i % 4];
		s.one_way = i >= 8;
		assert_int_equal(usual(&s, i % 2 ? 4000 : 700, 2400), 0);
	}
	server_init(&s, 50);
	assert_int_equal(usual(&s, 30000, 1200), 0);
	assert_int_equal(opens_after(&s, 30000, 8000), -1);
}

/* Which names are usual is not kept: after a restart they all look new for a moment. */
static void a_restart_raises_nothing(void **state)
{
	(void)state;
	struct vector_classes classes = {.count = CLASSES};
	static struct flood scratch[2], back;
	static uint8_t bytes[FLOOD_BYTES_MAX];
	struct server s;

	snprintf(classes.id[QUERY], sizeof(classes.id[QUERY]), "dns.query");
	server_init(&s, 61);
	s.names = 20000;
	assert_int_equal(usual(&s, 20000, HOUR), 0);
	size_t len = flood_write(&s.flood, &classes, bytes);
	assert_int_equal(flood_read(&back, scratch, &s.plan, &classes, bytes, len, NULL), WD_OK);
	assert_int_equal(back.names.ticks, s.flood.names.ticks);
	assert_int_equal(back.names.known, 0);
	s.flood = back;
	assert_int_equal(usual(&s, 20000, HOUR / 4), 0);
	assert_in_range(opens_after(&s, 20000, 30000), 1, 8);
}

/* … nor does it make new ones of those that a flood asks for that goes on. */
static void a_restart_names_nothing(void **state)
{
	(void)state;
	struct server s;

	server_init(&s, 62);
	s.names = 2000;
	assert_int_equal(usual(&s, 20000, HOUR), 0);
	assert_true(opens_after(&s, 20000 * 20, 0) > 0);
	assert_false(says_new_names(&s));
	memset(s.flood.names.tags, 0, sizeof(s.flood.names.tags));
	s.flood.names.known = 0;
	for (int tick = 0; tick < 8; tick++) {
		step(&s, 20000 * 20, 0);
		assert_int_equal(s.reading.class_count, 1);
		assert_false(says_new_names(&s));
	}
}

/* The version before knew nothing of names: its states are read, and names begin to be learned. */
static void a_state_of_the_version_before_is_read(void **state)
{
	(void)state;
	enum { RATE = 4 * (2 + METER_MEANS + 3 + METER_SPREADS), METER = METER_RATES * RATE + 9 * 4 + 1,
	       BEFORE = 4 + 6 * 8 + 1 + 5 * 4 + 2 * 4 + (FLOOD_SERIES + 1) * METER, NAMES = 4 + METER };
	struct vector_classes classes = {.count = CLASSES};
	static struct flood scratch[2], back;
	static uint8_t bytes[FLOOD_BYTES_MAX];
	struct server s;

	snprintf(classes.id[QUERY], sizeof(classes.id[QUERY]), "dns.query");
	server_init(&s, 71);
	assert_int_equal(usual(&s, 1000, 4000), 0);
	size_t len = flood_write(&s.flood, &classes, bytes);
	memmove(bytes + BEFORE, bytes + BEFORE + NAMES, len - BEFORE - NAMES);
	bytes[3] = 1;
	assert_int_equal(flood_read(&back, scratch, &s.plan, &classes, bytes, len - NAMES, NULL),
			 WD_OK);
	assert_true(back.ticks == s.flood.ticks && back.class[QUERY].used);
	assert_int_equal(back.names.ticks, 0);
	s.flood = back;
	assert_int_equal(usual(&s, 1000, 4000), 0);
	bytes[3] = 3;
	assert_int_equal(flood_read(&back, scratch, &s.plan, &classes, bytes, len, NULL),
			 WD_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_names_show_in_a_busy_server),
		cmocka_unit_test(they_show_in_a_sampled_one),
		cmocka_unit_test(twice_as_much_of_what_is_usual_is_a_crowd),
		cmocka_unit_test(where_names_are_always_new_they_name_nothing),
		cmocka_unit_test(the_first_ten_minutes_say_nothing),
		cmocka_unit_test(a_restart_raises_nothing),
		cmocka_unit_test(a_restart_names_nothing),
		cmocka_unit_test(a_state_of_the_version_before_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
