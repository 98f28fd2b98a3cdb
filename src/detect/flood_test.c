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
		.flags = FLOW_TCP_SYN});
	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = TESTING_STREAM, .packets = data, .size = 300, .size_scatter = 0.8F,
		.sources = 3000, .records = 64, .flags = FLOW_TCP_ACK});
	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = TESTING_STREAM, .packets = close, .size = 52, .sources = 3000,
		.records = 16, .flags = FLOW_TCP_ACK | FLOW_TCP_FIN});
	if (!w->one_way)
		testing_add_out(&w->tick, TESTING_STREAM, data, 1000);
}

static void flood_of(struct world *w, enum testing_class class, double pps, float size,
		     uint32_t sources)
{
	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = class, .packets = (double)prng_poisson(&w->prng, pps / 4), .size = size,
		.sources = sources, .records = 200,
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
		cmocka_unit_test(state_survives_bytes),
		cmocka_unit_test(changed_bytes_leave_a_sane_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
