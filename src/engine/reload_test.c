/* SPDX-License-Identifier: Apache-2.0 */
/* A service that is not followed for a while: the configuration dropped it, or nothing ran. */
#include "engine/traffic_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void configure(struct world *w, const char *ids)
{
	assert_int_equal(world_configure(w, ids), WD_OK);
}

/* Nobody sends a thing, and it is told that there was nothing. */
static void quiet(struct world *w, int seconds)
{
	for (int n = 0; n < seconds; n++) {
		w->at_ms += 1000;
		engine_advance(w->e, world_now(w));
		engine_traffic_until(w->e, world_now(w));
		world_collect(w);
	}
}

static void reports(struct world *w, int minutes, int each)
{
	for (int n = 0; n < minutes; n++) {
		for (int k = 0; k < each; k++)
			assert_int_equal(world_report(w, "x"), ENGINE_COUNTED);
		quiet(w, 60);
	}
}

static void the_time_without_it_is_missing_and_not_zero(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 1);
	configure(&w, "x");
	engine_advance(w.e, world_now(&w));
	reports(&w, 60, 2);
	configure(&w, "other");
	quiet(&w, 30);
	assert_int_equal(world_report(&w, "x"), ENGINE_UNKNOWN_SERVICE);
	quiet(&w, 7170);
	configure(&w, "x");
	assert_int_equal(world_report(&w, "x"), ENGINE_COUNTED);
	struct observation o = observation_blank(OBSERVATION_REPORT);
	o.service = "x";
	o.at = wall_back(world_now(&w), span_s(1800));
	assert_int_equal(engine_observe(w.e, &o), ENGINE_LATE);
	for (int n = 0; n < 2; n++) { /* at once, and when the minute is judged */
		struct snapshot *s = engine_snapshot(w.e);
		const struct series *day = &s->services[0]->day;
		float sum = 0;
		size_t known = 0;
		for (size_t k = 0; k < day->count; k++) {
			known += day->points[k].observed >= 0;
			sum += day->points[k].observed >= 0 ? day->points[k].observed : 0;
		}
		assert_true(sum >= 117 && sum <= 121); /* two minutes may be lost with it */
		assert_in_range(known, 12, 15); /* of an hour, and what is now */
		assert_true(day->points[day->count - 1].observed == 1);
		snapshot_release(s);
		quiet(&w, 240);
	}
	world_close(&w);
}

static void take_score(void *ctx, const struct score *score)
{
	wd_wall *first = ctx;
	if (first->ns == 0 && strcmp(score->service, "x") == 0)
		*first = score->at;
}

static void its_first_minute_after_that_is_the_one_in_which_it_came_back(void **state)
{
	struct world w;
	wd_wall first = {0};
	(void)state;
	world_open(&w, 1);
	configure(&w, "x");
	engine_advance(w.e, world_now(&w));
	reports(&w, 60, 2);
	configure(&w, "other");
	quiet(&w, 7200 + 30);
	configure(&w, "x");
	engine_on_score(w.e, take_score, &first);
	int64_t back = wall_to_s(world_now(&w)) / 60;
	reports(&w, 10, 2);
	assert_int_equal(wall_to_s(first), back * 60);
	world_close(&w);
}

static void what_is_usual_of_its_traffic_stays(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 2);
	configure(&w, "x");
	world_minutes(&w, 15, &(struct scene){"x", 8000, 0});
	configure(&w, "other");
	quiet(&w, 2 * 86400);
	configure(&w, "x");
	world_minutes(&w, 5, &(struct scene){"x", 8000, 0});
	assert_int_equal(w.opened, 0);
	world_close(&w);
}

static void its_incident_ends_where_it_was_last_seen(void **state)
{
	(void)state;
	for (int flood = 0; flood < 2; flood++) {
		struct world w;
		world_open(&w, 3);
		configure(&w, "x");
		engine_advance(w.e, world_now(&w));
		if (flood) {
			world_minutes(&w, 10, &(struct scene){"x", 4000, 0});
			world_play(&w, 120, &(struct scene){"x", 4000, 36000}, 1);
		} else {
			reports(&w, 240, 1);
			reports(&w, 10, 40);
		}
		wd_wall gone = world_now(&w);
		assert_int_equal(w.opened, 1);
		assert_int_equal(w.last.state, INCIDENT_OPEN);
		configure(&w, "other");
		quiet(&w, 120);
		assert_int_equal(w.closed, 1);
		assert_int_equal(w.last.state, INCIDENT_CLOSED);
		assert_false(wall_before(gone, w.last.ended_at));
		assert_true(wall_sub(gone, w.last.ended_at).ns <= 300 * WD_NS_PER_S);
		struct snapshot *s = engine_snapshot(w.e);
		assert_int_equal(s->incident_count, 1);
		assert_int_equal(s->incidents[0].state, INCIDENT_CLOSED);
		snapshot_release(s);
		world_close(&w);
	}
}

/* Buckets of a quarter of an hour, which are judged when the clock goes on. */
static void quarter_of_an_hour(struct world *w, uint32_t count)
{
	struct observation o = observation_blank(OBSERVATION_COUNT);
	o.service = "x";
	o.at = world_now(w);
	o.step = span_s(900);
	o.count = count;
	assert_int_equal(engine_observe(w->e, &o), ENGINE_COUNTED);
}

static void a_bucket_that_was_due_then_keeps_no_later_one_from_being_judged(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 4);
	configure(&w, "x");
	engine_advance(w.e, world_now(&w));
	for (uint32_t n = 0; n < 96; n++) {
		quarter_of_an_hour(&w, 20 + n % 7);
		if (n == 50) { /* before the clock goes on */
			configure(&w, "other");
			engine_advance(w.e, wall_add(world_now(&w), span_s(1)));
			configure(&w, "x");
		}
		quiet(&w, 900);
	}
	for (int n = 0; n < 3; n++) {
		quarter_of_an_hour(&w, 900);
		quiet(&w, 900);
	}
	assert_int_equal(w.opened, 1);
	world_close(&w);
}

static void a_day_later_nothing_counts_to_the_last_24_hours(void **state)
{
	struct world w;
	struct observation o = observation_blank(OBSERVATION_REPORT);
	(void)state;
	world_open(&w, 5);
	configure(&w, "x");
	engine_advance(w.e, world_now(&w));
	o.service = "x";
	o.surface = "app";
	for (int n = 0; n < 61; n++) {
		if (n == 60) {
			w.at_ms += 30 * 3600 * 1000;
			engine_gap(w.e, world_now(&w));
		}
		o.at = world_now(&w);
		assert_int_equal(engine_observe(w.e, &o), ENGINE_COUNTED);
		quiet(&w, 60);
	}
	struct snapshot *s = engine_snapshot(w.e);
	assert_int_equal(s->services[0]->share_count, 1);
	assert_float_equal(s->services[0]->shares[0].observed_24h, 1, 0);
	snapshot_release(s);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_without_it_is_missing_and_not_zero),
		cmocka_unit_test(its_first_minute_after_that_is_the_one_in_which_it_came_back),
		cmocka_unit_test(what_is_usual_of_its_traffic_stays),
		cmocka_unit_test(its_incident_ends_where_it_was_last_seen),
		cmocka_unit_test(a_bucket_that_was_due_then_keeps_no_later_one_from_being_judged),
		cmocka_unit_test(a_day_later_nothing_counts_to_the_last_24_hours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
