/* SPDX-License-Identifier: Apache-2.0 */
/* The fast way of counting beside the plain one (tally/traffic.h). */
#include "tally/shard.h"

#include "base/check.h"
#include "tally/traffic_testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SERVICES = 5 };
static const char *const names[SERVICES] = {"whole", "inside", "six", "quiet", "deep"};
/* whole owns 10.1/16 and, inside of inside's 10.1.2/24, also 10.1.2.128/25. */
static const struct prefix prefixes[] = {
	{{10, 1}, 4, 16, 0},
	{{10, 1, 2}, 4, 24, 1},
	{{10, 1, 2, 128}, 4, 25, 0},
	{{0x20, 1, 0xd, 0xb8}, 6, 32, 2},
	{{192, 168}, 4, 16, 3},
	{{10, 1, 2, 129}, 4, 32, 4},
};

static struct vector_classes classes;
static struct traffic_rules rules;
static struct prefix_table *table;

static int set_up(void **state)
{
	(void)state;
	testing_classes(&classes);
	struct hash_key secret = {{1, 2, 3}};
	rules = (struct traffic_rules){&classes, address_key_of(&secret)};
	assert_int_equal(prefix_open(prefixes, WD_COUNT(prefixes), &table, NULL), WD_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	prefix_close(table);
	return 0;
}

static struct shard *shard_make(uint32_t spares, uint64_t seed)
{
	struct shard_options o = {&rules, table, names, SERVICES, spares, seed};
	struct shard *s = NULL;
	assert_int_equal(shard_open(&o, &s, NULL), WD_OK);
	return s;
}

static struct flow flow_random(struct prng *r)
{
	static const uint8_t ours6[16] = {0x20, 1, 0xd, 0xb8, [15] = 9};
	static const uint8_t theirs6[16] = {0x20, 2, 0xd, 0xb8, [15] = 9};
	uint32_t theirs = 0x50000000 + prng_below(r, 3000), ours = 0x0a010000 + prng_below(r, 1024);
	struct flow f;
	switch (prng_below(r, 8)) {
	case 0:
		return testing_flow(r, 6, theirs6, ours6);
	case 1:
		return testing_flow(r, 6, ours6, theirs6);
	case 2:
		return testing_flow4(r, ours, theirs);
	case 3: /* inside the house: out of one and into another service */
		return testing_flow4(r, ours, 0x0a010000 + prng_below(r, 1024));
	case 4:
		return testing_flow4(r, theirs, theirs + 1);
	case 5:
		f = testing_flow4(r, theirs, ours);
		f.sampling = 1 + prng_below(r, 1000);
		return f;
	default:
		return testing_flow4(r, theirs, ours);
	}
}

/* Whether the service has a prefix around the address, by looking at all. */
static bool owns(uint32_t service, uint8_t family, const uint8_t *address)
{
	for (size_t i = 0; i < WD_COUNT(prefixes); i++) {
		const struct prefix *p = &prefixes[i];
		unsigned whole = p->len / 8, rest = p->len % 8;
		if (p->value == service && p->family == family &&
		    memcmp(p->address, address, whole) == 0 &&
		    (rest == 0 || (p->address[whole] ^ address[whole]) >> (8 - rest) == 0))
			return true;
	}
	return false;
}

static void counts_what_the_plain_way_counts(void **state)
{
	(void)state;
	enum { FLOWS = 20000 };
	static struct flow flows[FLOWS];
	static struct traffic_tick expected[SERVICES];
	struct traffic_tick *sealed[SERVICES];
	struct prng r = prng_of(3, 3);
	uint64_t elsewhere = 0;

	for (uint32_t i = 0; i < SERVICES; i++)
		traffic_clear(&expected[i], names[i], wall_s(100));
	for (size_t i = 0; i < FLOWS; i++) {
		flows[i] = flow_random(&r);
		if (flows[i].protocol == 1 || flows[i].protocol == 58)
			flows[i].protocol = 6; /* no more classes than have a place */
		bool any = false;
		for (uint32_t k = 0; k < SERVICES; k++) {
			bool in = owns(k, flows[i].family, flows[i].dst);
			bool out = owns(k, flows[i].family, flows[i].src);
			if (in)
				traffic_add(&expected[k], &rules, &flows[i], false, prng_u64(&r));
			if (out)
				traffic_add(&expected[k], &rules, &flows[i], true, prng_u64(&r));
			any |= in || out;
		}
		elsewhere += !any;
	}
	struct shard *s = shard_make(SERVICES, 1);
	for (size_t i = 0; i < FLOWS;) { /* batches of any size */
		size_t count = prng_below(&r, 100);
		count = count < FLOWS - i ? count : FLOWS - i;
		shard_add(s, flows + i, count, wall_s(100));
		i += count;
	}
	size_t count = shard_seal(s, wall_add(wall_s(100), span_ms(260)), sealed, SERVICES);
	assert_int_equal(count, 4); /* one is quiet */
	assert_int_equal(shard_counters(s)->records, FLOWS);
	assert_int_equal(shard_counters(s)->elsewhere, elsewhere);
	for (size_t i = 0; i < count; i++) {
		struct traffic_tick *t = sealed[i], *e = &expected[t->index];
		assert_string_equal(t->service, names[t->index]);
		assert_int_equal(t->at.ns, e->at.ns);
		assert_int_equal(t->width.ns, e->width.ns);
		assert_memory_equal(t->in, e->in, sizeof(t->in));
		assert_memory_equal(t->out, e->out, sizeof(t->out));
		assert_memory_equal(t->sources, e->sources, sizeof(t->sources));
		assert_memory_equal(t->targets, e->targets, sizeof(t->targets));
		for (unsigned c = 0; c < TESTING_CLASSES; c++) {
			assert_true(traffic_class_sources(t, (uint8_t)c) ==
				    traffic_class_sources(e, (uint8_t)c));
		}
		uint32_t least = e->sample_count < TRAFFIC_SAMPLES ? e->sample_count : TRAFFIC_SAMPLES - 2;
		assert_in_range(t->sample_count, least, TRAFFIC_SAMPLES);
		for (uint32_t k = 0; k < t->sample_count; k++)
			assert_true(owns(t->index, t->sample[k].family, t->sample[k].dst));
	}
	shard_close(s);
}

/* In the first tick and in one that begins with what the last one left as its threshold. */
static void unbiased_in_tick(int tick)
{
	enum { FLOWS = 4000, SEEDS = 300 };
	static struct flow flows[FLOWS];
	struct traffic_tick *sealed[SERVICES];
	struct prng r = prng_of(5, 5);
	double udp = 0, sum = 0, squares = 0;
	for (size_t i = 0; i < FLOWS; i++) {
		flows[i] = testing_flow4(&r, prng_below(&r, 1000), 0x0a010000);
		udp += flows[i].protocol == 17 && i < FLOWS / 2 ? (double)flows[i].packets : 0;
	}
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct shard *s = shard_make(1, prng_u64(&r));
		for (int i = 0; i <= tick; i++) {
			wd_wall now = wall_add(wall_s(1), span_ms(250 * i));
			if (i > 0)
				shard_take_back(s, sealed[0]);
			shard_add(s, flows, i < tick ? FLOWS : FLOWS / 2, now);
			now = wall_add(now, span_ms(250));
			assert_int_equal(shard_seal(s, now, sealed, SERVICES), 1);
		}
		assert_true(sealed[0]->threshold > 0);
		double estimate = 0;
		for (uint32_t i = 0; i < sealed[0]->sample_count; i++) {
			const struct traffic_record *x = &sealed[0]->sample[i];
			estimate += x->protocol == 17 ? traffic_stands_for(sealed[0], x) : 0;
		}
		sum += estimate - udp;
		squares += (estimate - udp) * (estimate - udp);
		shard_close(s);
	}
	double sd = sqrt(squares / SEEDS);
	assert_true(fabs(sum / SEEDS) < 4 * sd / sqrt(SEEDS));
	assert_true(sd < udp * 0.2);
}

static void the_sample_is_unbiased(void **state)
{
	(void)state;
	unbiased_in_tick(0);
	unbiased_in_tick(1);
}

static void without_spares_a_tick_grows_and_nothing_is_lost(void **state)
{
	(void)state;
	struct shard *s = shard_make(1, 1);
	struct traffic_tick *sealed[SERVICES], *later[SERVICES];
	struct prng r = prng_of(6, 6);
	uint64_t packets = 0, got = 0;
	for (int i = 0; i < 2; i++) {
		struct flow batch[2] = {testing_flow4(&r, 1, 0x0a010000), testing_flow4(&r, 1, 0xc0a80001)};
		packets += batch[0].packets + batch[1].packets;
		shard_add(s, batch, 2, wall_s(10 + i));
		if (i == 0)
			assert_int_equal(shard_seal(s, wall_s(11), sealed, SERVICES), 1);
	}
	assert_int_equal(shard_seal(s, wall_s(12), later, SERVICES), 0);
	assert_int_equal(shard_counters(s)->held, 2);
	for (int i = 0; i < 2; i++) {
		for (unsigned c = 0; c < TESTING_CLASSES; c++)
			got += sealed[0]->in[c].packets;
		shard_take_back(s, sealed[0]);
		assert_int_equal(shard_seal(s, wall_s(13 + i), sealed, SERVICES), 1);
		/* The one held since 10 at 13, the one begun at 11 at 14. */
		assert_int_equal(sealed[0]->at.ns, wall_s(10 + i).ns);
		assert_int_equal(sealed[0]->width.ns, 3 * WD_NS_PER_S);
	}
	for (unsigned c = 0; c < TESTING_CLASSES; c++)
		got += sealed[0]->in[c].packets;
	assert_int_equal(got, packets);
	shard_close(s);
}

static void what_is_seen_on_the_way_in_and_out_counts_once(void **state)
{
	(void)state;
	struct traffic_tick *sealed[SERVICES];
	struct prng r = prng_of(7, 7);
	for (int kind = 0; kind < 3; kind++) { /* both, only on the way out, ten times more there */
		struct shard *s = shard_make(1, 1);
		for (int i = 0; i < 1000; i++) {
			struct flow f = testing_flow4(&r, 1, 0x0a010000);
			f.packets = 10;
			bool ingress = kind == 0 || (kind == 2 && i % 10 == 0);
			if (ingress)
				shard_add(s, &f, 1, wall_s(1));
			f.known |= FLOW_EGRESS;
			shard_add(s, &f, 1, wall_s(1));
		}
		assert_int_equal(shard_seal(s, wall_s(2), sealed, SERVICES), 1);
		uint64_t packets = 0;
		for (unsigned c = 0; c < TESTING_CLASSES; c++)
			packets += sealed[0]->in[c].packets;
		if (kind == 0)
			assert_int_equal(packets, 10000);
		else
			assert_in_range(packets, 10000, 11000);
		shard_close(s);
	}
}

static void heavy_classes_have_a_place_from_the_start_of_a_tick(void **state)
{
	(void)state;
	struct shard *s = shard_make(2, 1);
	struct traffic_tick *sealed[SERVICES];
	struct prng r = prng_of(8, 8);
	struct flow f = testing_flow4(&r, 1, 0x0a010000);
	f.protocol = 17;
	f.sport = 123;
	shard_add(s, &f, 1, wall_s(1));
	assert_int_equal(shard_seal(s, wall_s(2), sealed, SERVICES), 1);
	f.protocol = 6;
	f.tcp_flags = FLOW_TCP_SYN;
	shard_add(s, &f, 1, wall_s(2));
	assert_int_equal(shard_seal(s, wall_s(3), sealed, SERVICES), 1);
	assert_int_equal(sealed[0]->class_of[0], TESTING_NTP_FROM + 1);
	assert_int_equal(sealed[0]->class_of[1], TESTING_SYN + 1);
	assert_true(traffic_class_sources(sealed[0], TESTING_NTP_FROM) == 0);
	shard_close(s);
}

/* Two shards, and the merged tick beside them. Spares are few: a collecting thread copies a tick
 * and gives it back at once (intake/lane.c); they stand in the fixed part. */
static void a_watched_service_costs_what_is_stated(void **state)
{
	(void)state;
	enum { MANY = 1000, SPARES = 64 };
	static const char *ids[MANY];
	for (size_t i = 0; i < MANY; i++)
		ids[i] = "x";
	struct shard_options o = {&rules, table, ids, MANY, SPARES, 1};
	struct shard *s = NULL;
	assert_int_equal(shard_open(&o, &s, NULL), WD_OK);
	size_t fixed = 2 * SPARES * sizeof(struct traffic_tick);
	size_t each = (2 * shard_memory(s) - fixed) / MANY + sizeof(struct traffic_tick);
	print_message("a service: %zu KB in a shard, %zu KB with two\n", shard_memory(s) / MANY >> 10,
		      each >> 10);
	assert_true(each <= 146000);
	assert_true(fixed <= 6200000);
	shard_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_what_the_plain_way_counts),
		cmocka_unit_test(the_sample_is_unbiased),
		cmocka_unit_test(without_spares_a_tick_grows_and_nothing_is_lost),
		cmocka_unit_test(what_is_seen_on_the_way_in_and_out_counts_once),
		cmocka_unit_test(heavy_classes_have_a_place_from_the_start_of_a_tick),
		cmocka_unit_test(a_watched_service_costs_what_is_stated),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
