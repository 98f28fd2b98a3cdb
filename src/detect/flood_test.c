/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/budget.h"
#include "detect/flood.h"
#include "detect/flood_testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One service with its traffic, tick by tick. */
struct world {
	struct vector_classes classes;
	struct flood_plan plan;
	struct flood flood;
	struct traffic_tick tick;
	struct flood_reading reading;
	struct prng prng;
	int64_t at;
	double threshold;
	bool frozen;
	bool one_way; /* what goes out is not seen */
	uint32_t sampling, targets;
};

static void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	testing_classes(&w->classes);
	flood_plan_init(&w->plan, &w->classes);
	flood_init(&w->flood, &w->plan);
	w->prng = prng_of(seed, 0);
	w->at = wall_s(1700000000).ns;
	w->threshold = budget_threshold((wd_span){TRAFFIC_TICK_NS}, 1, BUDGET_FALSE_A_MONTH, 1);
}

static void begin_tick(struct world *w)
{
	traffic_clear(&w->tick, "web", (wd_wall){w->at});
}

/* Judges the tick; returns whether an incident would open. */
static bool end_tick(struct world *w)
{
	struct flood_sample sample = {
		.tick = &w->tick, .at = {w->at}, .width = {TRAFFIC_TICK_NS}, .frozen = w->frozen};

	flood_step(&w->flood, &w->plan, &sample, &w->reading);
	w->at += TRAFFIC_TICK_NS;
	return w->reading.sustained && (double)w->reading.log10_return >= w->threshold;
}

static void web(struct world *w, double pps)
{
	double syn = (double)prng_poisson(&w->prng, pps * 0.05 / 4);
	double data = (double)prng_poisson(&w->prng, pps * 0.9 / 4);
	double close = (double)prng_poisson(&w->prng, pps * 0.05 / 4);

	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = TESTING_SYN, .packets = syn, .size = 60, .sources = 5000, .records = 16,
		.sampling = w->sampling, .flags = FLOW_TCP_SYN});
	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = TESTING_STREAM, .packets = data, .size = 300, .size_scatter = 0.8F,
		.sources = 3000, .records = 64, .sampling = w->sampling,
		.flags = FLOW_TCP_ACK});
	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = TESTING_STREAM, .packets = close, .size = 52, .sources = 3000,
		.records = 16, .sampling = w->sampling,
		.flags = FLOW_TCP_ACK | FLOW_TCP_FIN});
	if (!w->one_way)
		testing_add_out(&w->tick, TESTING_STREAM, data, 1000);
}

static void flood_of(struct world *w, enum testing_class class, double pps, float size,
		     uint32_t sources)
{
	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = class, .packets = (double)prng_poisson(&w->prng, pps / 4), .size = size,
		.sources = sources, .records = 200, .sampling = w->sampling,
		.targets = w->targets,
		.flags = class == TESTING_SYN ? FLOW_TCP_SYN : 0});
}

/* So many ticks of usual traffic; returns how often an incident would have opened. */
static int usual(struct world *w, double pps, int ticks)
{
	int opened = 0;

	for (int i = 0; i < ticks; i++) {
		begin_tick(w);
		web(w, pps);
		opened += end_tick(w);
	}
	return opened;
}

/* Ticks until an incident opens under a flood on top of the usual; -1: never. */
static int opens_after(struct world *w, double pps, enum testing_class class, double flood_pps,
		       float size, uint32_t sources)
{
	for (int i = 1; i <= 40; i++) {
		begin_tick(w);
		web(w, pps);
		flood_of(w, class, flood_pps, size, sources);
		if (end_tick(w))
			return i;
	}
	return -1;
}

static void usual_traffic_raises_nothing(void **state)
{
	(void)state;
	static const double rates[] = {10, 300, 5000, 200000};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct world *w = calloc(1, sizeof(*w));

		world_init(w, i);
		assert_int_equal(usual(w, rates[i], 20000), 0);
		free(w);
	}
}

static void ten_times_usual_opens_within_three_ticks(void **state)
{
	(void)state;
	static const struct { enum testing_class class; float size; uint32_t sources; } kinds[] = {
		{TESTING_SYN, 40, 4000000}, {TESTING_DNS, 1400, 3000}, {TESTING_NTP, 468, 3000},
		{TESTING_UDP, 1000, 3000},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct world *w = calloc(1, sizeof(*w));

		world_init(w, i);
		assert_int_equal(usual(w, 2000, 15000), 0);
		int64_t begin = w->at;
		int ticks = opens_after(w, 2000, kinds[i].class, 18000, kinds[i].size,
					kinds[i].sources);
		assert_in_range(ticks, 1, 3);
		assert_int_equal(w->reading.began.ns, begin);
		assert_int_equal(w->reading.classes[0].class, kinds[i].class);
		assert_int_equal(w->reading.side, 1);
		assert_false(w->reading.cold);
		free(w);
	}
}

static void two_fifths_more_opens_within_seven_ticks(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 1);
	assert_int_equal(usual(w, 10000, 60000), 0);
	assert_in_range(opens_after(w, 10000, TESTING_SYN, 4000, 40, 4000000), 1, 7);
	free(w);
}

static void small_traffic_pages_nobody(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 1);
	assert_int_equal(usual(w, 20, 15000), 0);
	/* 30 times as much, but below the floor */
	assert_int_equal(opens_after(w, 20, TESTING_UDP, 600, 100, 100), -1);
	free(w);
}

static void a_single_tick_opens_nothing(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 1);
	assert_int_equal(usual(w, 2000, 15000), 0);
	begin_tick(w);
	web(w, 2000);
	flood_of(w, TESTING_UDP, 40000, 500, 1000);
	assert_false(end_tick(w));
	assert_int_equal(usual(w, 2000, 100), 0);
	free(w);
}

/* Under the flood for so many ticks, then without for others. */
static void wave(struct world *w, int on, int off)
{
	for (int i = 0; i < on + off; i++) {
		begin_tick(w);
		web(w, 3000);
		if (i < on)
			flood_of(w, TESTING_NTP, 30000, 468, 3000);
		w->frozen |= end_tick(w);
	}
}

static void a_flood_that_ends_is_calm_and_leaves_the_usual_as_it_was(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 5);
	assert_int_equal(usual(w, 3000, 15000), 0);
	int64_t begin = w->at;
	wave(w, 2400, 0); /* ten minutes */
	assert_true(w->frozen && w->reading.above && !w->reading.calm);
	assert_int_equal(w->reading.began.ns, begin);
	assert_float_equal(w->reading.usual_packets_per_s, 3000, 150);
	wave(w, 0, (int)w->plan.calm_min - 20);
	assert_false(w->reading.calm);
	wave(w, 0, 100);
	assert_true(w->reading.calm);
	assert_false(w->reading.pulse);
	w->frozen = false;
	assert_int_equal(usual(w, 3000, 2000), 0);
	/* The next one is as new as the first. */
	begin = w->at;
	assert_in_range(opens_after(w, 3000, TESTING_NTP, 27000, 468, 3000), 1, 3);
	assert_int_equal(w->reading.began.ns, begin);
	free(w);
}

/* A rule names the answers, and another the fragments, which go with the answers, too: they count
 * once, and what came beside them stays what is usual. */
static void answers_in_fragments_leave_a_new_service_its_usual(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 21);
	w->one_way = true;
	assert_int_equal(usual(w, 900, 120), 0);
	assert_float_equal(w->reading.usual_packets_per_s, 900, 100);
	for (int i = 0; i < 240; i++) { /* a minute */
		begin_tick(w);
		web(w, 900);
		for (int c = 0; c < 2; c++)
			testing_add(&w->tick, &w->prng, &(struct testing_traffic){
				.class = c == 0 ? TESTING_DNS : TESTING_FRAGMENT,
				.packets = (double)prng_poisson(&w->prng, c == 0 ? 3750 : 7500),
				.size = 1400, .sources = 3000, .records = 80});
		w->frozen |= end_tick(w);
	}
	assert_true(w->frozen && w->reading.cold);
	assert_float_equal(w->reading.usual_packets_per_s, 900, 100);
	free(w);
}

static void pulses_are_one_flood(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 6);
	assert_int_equal(usual(w, 3000, 15000), 0);
	int64_t begin = w->at;
	for (int i = 0; i < 3; i++) {
		wave(w, 40, 80);
		assert_false(w->reading.pulse);
		assert_false(w->reading.calm);
	}
	wave(w, 40, 0);
	assert_true(w->reading.pulse);
	assert_int_equal(w->reading.began.ns, begin);
	free(w);
}

static void a_carpet_is_seen_as_one(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 7);
	assert_int_equal(usual(w, 10000, 15000), 0);
	w->targets = 250; /* 80 packets a second each */
	assert_in_range(opens_after(w, 10000, TESTING_UDP, 20000, 600, 3000), 1, 3);
	assert_true(w->reading.carpet);
	w->targets = 1;
	begin_tick(w);
	web(w, 10000);
	flood_of(w, TESTING_UDP, 20000, 600, 3000);
	(void)end_tick(w);
	assert_false(w->reading.carpet);
	free(w);
}

static void several_classes_are_named_heaviest_first(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 8);
	assert_int_equal(usual(w, 3000, 15000), 0);
	for (int i = 0; i < 4; i++) {
		begin_tick(w);
		web(w, 3000);
		flood_of(w, TESTING_SNMP, 9000, 400, 3000);
		flood_of(w, TESTING_SYN, 30000, 40, 3000000);
		flood_of(w, TESTING_DNS, 15000, 1400, 3000);
		(void)end_tick(w);
	}
	assert_int_equal(w->reading.class_count, 3);
	assert_int_equal(w->reading.classes[0].class, TESTING_SYN);
	assert_int_equal(w->reading.classes[1].class, TESTING_DNS);
	assert_int_equal(w->reading.classes[2].class, TESTING_SNMP);
	free(w);
}

static void answers_that_were_asked_for_are_none(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 9);
	assert_int_equal(usual(w, 3000, 15000), 0);
	for (int i = 0; i < 40; i++) { /* a resolver begins to work */
		begin_tick(w);
		web(w, 3000);
		testing_add_out(&w->tick, TESTING_DNS, 2000, 70);
		flood_of(w, TESTING_DNS, 8000, 160, 300);
		assert_false(end_tick(w));
		assert_int_equal(w->reading.class_count, 0);
	}
	free(w);
}

static void sampling_makes_careful(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	for (uint32_t n = 10; n <= 1000; n *= 10) {
		double rate = 200.0 * n;
		world_init(w, n);
		w->sampling = n;
		assert_int_equal(usual(w, rate, 15000), 0);
		assert_in_range(opens_after(w, rate, TESTING_DNS, 9 * rate, 1400, 3000), 1, 3);
	}
	/* Four packets looked at a tick, that stand for 1000 each: a few more are nothing. */
	world_init(w, 4);
	w->sampling = 1000;
	assert_int_equal(usual(w, 16000, 15000), 0);
	for (int i = 0; i < 3; i++) {
		begin_tick(w);
		web(w, 16000);
		w->sampling = 1;
		flood_of(w, TESTING_NTP, 0, 468, 10);
		w->sampling = 1000;
		w->tick.in[TESTING_NTP] = (struct traffic_sum){5000, 5000 * 468, 5, 5};
		assert_false(end_tick(w));
	}
	free(w);
}

static void a_drop_is_told_and_opens_nothing(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 10);
	assert_int_equal(usual(w, 20000, 15000), 0);
	assert_int_equal(usual(w, 1000, 40), 0);
	assert_int_equal(w->reading.side, -1);
	free(w);
}

static void quiet_is_zero_and_a_gap_is_not(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));
	struct flood_sample none = {.width = {TRAFFIC_TICK_NS}};

	world_init(w, 11);
	assert_int_equal(usual(w, 20000, 15000), 0);
	w->at += 3600 * WD_NS_PER_S; /* nobody watched for an hour */
	begin_tick(w);
	web(w, 20000);
	assert_false(end_tick(w));
	assert_float_equal(w->reading.usual_packets_per_s, 20000, 500);
	for (int i = 0; i < 400; i++) {
		none.at.ns = w->at;
		flood_step(&w->flood, &w->plan, &none, &w->reading);
		w->at += TRAFFIC_TICK_NS;
	}
	assert_true(w->reading.taken);
	assert_true(w->reading.usual_packets_per_s < 2000);
	/* Time does not run backwards. */
	none.at.ns = w->at - 10 * WD_NS_PER_S;
	flood_step(&w->flood, &w->plan, &none, &w->reading);
	assert_false(w->reading.taken);
	free(w);
}

/* An incident opened by an absolute rule ends, though nothing was known before it. */
static void what_does_not_flood_is_learned_beside_a_flood(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 12);
	wave(w, 400, 0);
	assert_true(w->frozen && w->reading.cold);
	assert_float_equal(w->reading.usual_packets_per_s, 3000, 300);
	wave(w, 0, 600);
	assert_true(w->reading.calm);
	free(w);
}

static void what_a_person_accepts_is_usual(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));

	world_init(w, 13);
	assert_int_equal(usual(w, 3000, 15000), 0);
	assert_in_range(opens_after(w, 3000, TESTING_UDP, 30000, 900, 3000), 1, 3);
	w->frozen = true;
	for (int i = 0; i < 100; i++) {
		begin_tick(w);
		web(w, 3000);
		flood_of(w, TESTING_UDP, 30000, 900, 3000);
		(void)end_tick(w);
	}
	flood_accept(&w->flood);
	w->frozen = false;
	assert_int_equal(usual(w, 3000, 2000), 0);
	assert_int_equal(opens_after(w, 3000, TESTING_UDP, 29000, 900, 3000), -1);
	assert_in_range(opens_after(w, 3000, TESTING_UDP, 300000, 900, 3000), 1, 3);
	free(w);
}

static void state_survives_bytes(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));
	struct flood *scratch = calloc(2, sizeof(*scratch)), *back = calloc(1, sizeof(*back));
	static uint8_t bytes[FLOOD_BYTES_MAX], again[FLOOD_BYTES_MAX];
	struct wd_why why;

	world_init(w, 3);
	(void)usual(w, 3000, 3000);
	(void)opens_after(w, 3000, TESTING_NTP, 30000, 468, 3000);
	size_t len = flood_write(&w->flood, &w->classes, bytes);
	assert_int_equal(flood_read(back, scratch, &w->plan, &w->classes, bytes, len, &why), WD_OK);
	assert_int_equal(flood_write(back, &w->classes, again), len);
	assert_memory_equal(bytes, again, len);
	/* Every prefix is short, and leaves what was there alone. */
	for (size_t n = 0; n < len; n++) {
		memset(back, 0x5a, sizeof(*back));
		assert_int_equal(
			flood_read(back, scratch, &w->plan, &w->classes, bytes, n, &why), WD_SHORT);
		assert_int_equal(back->calm, 0x5a5a5a5a);
	}
	bytes[3]++;
	assert_int_equal(flood_read(back, scratch, &w->plan, &w->classes, bytes, len, &why),
			 WD_UNKNOWN);
	bytes[3]--;
	/* A later table numbers the classes otherwise, and has lost one. */
	struct vector_classes *other = calloc(1, sizeof(*other));
	*other = w->classes;
	memcpy(other->id[TESTING_DNS], w->classes.id[TESTING_NTP], sizeof(other->id[0]));
	memcpy(other->id[TESTING_NTP], "gone", 5);
	assert_int_equal(flood_read(back, scratch, &w->plan, other, bytes, len, &why), WD_OK);
	assert_memory_equal(&back->class[TESTING_DNS].rate, &w->flood.class[TESTING_NTP].rate,
			    sizeof(back->class[0].rate));
	free(other);
	free(scratch);
	free(back);
	free(w);
}

static void changed_bytes_leave_a_sane_state(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));
	struct flood *scratch = calloc(2, sizeof(*scratch));
	static uint8_t bytes[FLOOD_BYTES_MAX];
	struct prng r = prng_of(7, 0);

	world_init(w, 3);
	(void)usual(w, 3000, 3000);
	size_t len = flood_write(&w->flood, &w->classes, bytes);
	for (int i = 0; i < 3000; i++) {
		size_t at = prng_below(&r, (uint32_t)len);
		uint8_t was = bytes[at];

		bytes[at] = (uint8_t)prng_u64(&r);
		if (flood_read(&w->flood, scratch, &w->plan, &w->classes, bytes, len, NULL) ==
		    WD_OK) {
			w->at = w->flood.last;
			(void)usual(w, 3000, 3);
			assert_false(isnan(w->reading.log10_return));
		}
		bytes[at] = was;
	}
	free(scratch);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_traffic_raises_nothing),
		cmocka_unit_test(ten_times_usual_opens_within_three_ticks),
		cmocka_unit_test(two_fifths_more_opens_within_seven_ticks),
		cmocka_unit_test(small_traffic_pages_nobody),
		cmocka_unit_test(a_single_tick_opens_nothing),
		cmocka_unit_test(a_flood_that_ends_is_calm_and_leaves_the_usual_as_it_was),
		cmocka_unit_test(answers_in_fragments_leave_a_new_service_its_usual),
		cmocka_unit_test(pulses_are_one_flood),
		cmocka_unit_test(a_carpet_is_seen_as_one),
		cmocka_unit_test(several_classes_are_named_heaviest_first),
		cmocka_unit_test(answers_that_were_asked_for_are_none),
		cmocka_unit_test(sampling_makes_careful),
		cmocka_unit_test(a_drop_is_told_and_opens_nothing),
		cmocka_unit_test(quiet_is_zero_and_a_gap_is_not),
		cmocka_unit_test(what_does_not_flood_is_learned_beside_a_flood),
		cmocka_unit_test(what_a_person_accepts_is_usual),
		cmocka_unit_test(state_survives_bytes),
		cmocka_unit_test(changed_bytes_leave_a_sane_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
