/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/baseline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOUR = 60, DAY = 24 * HOUR, QUARTER = 15 };

struct world {
	struct baseline_plan plan;
	struct baseline b;
};

static void init(struct world *w)
{
	baseline_plan_init(&w->plan, span_s(QUARTER * 60));
	baseline_init(&w->b);
}

/* Quarters of an hour from one minute on up to another; weekdays. */
static void feed(struct world *w, int from, int until, float count, bool slowly)
{
	struct baseline_now now;

	for (int t = from; t < until; t += QUARTER) {
		baseline_at(&w->b, &w->plan, (unsigned)(t % DAY), false, &now);
		if (slowly)
			baseline_learn_slowly(&w->b, &w->plan, &now, count);
		else
			baseline_learn(&w->b, &w->plan, &now,
				       &(struct baseline_count){.habit = count, .scatter = count});
	}
}

static float expected_at(const struct world *w, int t, bool weekend)
{
	struct baseline copy = w->b;
	struct baseline_now now;

	baseline_at(&copy, &w->plan, (unsigned)(t % DAY), weekend, &now);
	return now.mean;
}

static void a_night_is_not_a_level_that_was_too_high(void **state)
{
	(void)state;
	struct world w;

	init(&w);
	feed(&w, 12 * HOUR, 24 * HOUR, 900, false);
	feed(&w, DAY, DAY + 8 * HOUR, 30, false);
	assert_true(w.b.level > 300);
	assert_true(expected_at(&w, 14 * HOUR, false) > 700); /* a day is expected as it was */
	assert_true(expected_at(&w, 3 * HOUR, false) < 60);   /* and a night */
	assert_true(expected_at(&w, 9 * HOUR, false) > 300);  /* nobody knows */
}

static void by_day_a_level_that_is_too_high_begins_anew(void **state)
{
	(void)state;
	struct world w;

	init(&w);
	feed(&w, 9 * HOUR, 11 * HOUR, 900, false);
	feed(&w, 11 * HOUR, 16 * HOUR, 30, false);
	assert_true(expected_at(&w, 17 * HOUR, false) < 60);
	assert_true(expected_at(&w, 12 * HOUR, false) < 60); /* measured by the level that was wrong */
}

static void by_night_one_that_no_night_is_so_far_below_does_too(void **state)
{
	(void)state;
	struct world w;

	init(&w);
	feed(&w, 12 * HOUR, 22 * HOUR, 90000, false);
	feed(&w, 22 * HOUR, DAY + 8 * HOUR, 30, false); /* no night has so little */
	assert_true(expected_at(&w, 9 * HOUR, false) < 60);
}

static void hours_that_are_known_keep_their_counts_as_the_level_rises(void **state)
{
	(void)state;
	struct world w;

	init(&w);
	feed(&w, 0, 6 * HOUR, 30, false);
	feed(&w, 6 * HOUR, 24 * HOUR, 300, false);
	assert_true(w.b.level > 150);
	assert_true(expected_at(&w, 3 * HOUR, false) < 45);
	assert_true(expected_at(&w, 15 * HOUR, false) > 240);
}

/* A night, then an incident from morning on that lasts all day: it was the day. */
static void hours_first_seen_in_a_long_incident_are_learned(void **state)
{
	(void)state;

	for (int usual = 0; usual < 2; usual++) {
		struct world w;

		init(&w);
		feed(&w, 0, 8 * HOUR, 30, false);
		feed(&w, 8 * HOUR, 22 * HOUR, 600, true);
		assert_true(expected_at(&w, 15 * HOUR, false) < 60);
		baseline_thaw(&w.b, &w.plan, usual == 1);
		float day = expected_at(&w, 15 * HOUR, false), night = expected_at(&w, 3 * HOUR, false);

		assert_true(usual ? day > 400 && day < 800 : day < 60);
		assert_true(night > 15 && night < 60);
		assert_true(usual ? expected_at(&w, 15 * HOUR, true) > 300 : true); /* the weekend too */
	}
}

static void what_stood_out_of_the_day_is_not(void **state)
{
	(void)state;
	struct world w;

	init(&w);
	feed(&w, 0, 8 * HOUR, 30, false);
	feed(&w, 8 * HOUR, 13 * HOUR, 300, true);
	feed(&w, 13 * HOUR, 15 * HOUR, 3000, true);
	feed(&w, 15 * HOUR, 22 * HOUR, 300, true);
	baseline_thaw(&w.b, &w.plan, true);
	assert_true(expected_at(&w, 14 * HOUR, false) < 450);
	assert_true(expected_at(&w, 11 * HOUR, false) > 200);
}

static void hours_that_were_known_are_not_learned_in_an_incident(void **state)
{
	(void)state;
	struct world w;

	init(&w);
	feed(&w, 0, 24 * HOUR, 30, false);
	feed(&w, DAY + 8 * HOUR, DAY + 20 * HOUR, 600, true);
	baseline_thaw(&w.b, &w.plan, true);
	assert_true(expected_at(&w, 15 * HOUR, false) < 60);
}

/* Six times as many by day as by night, each quarter of an hour exactly as expected of a crowd. */
static void feed_days(struct world *w, int from_day, int until_day, float a_quarter)
{
	for (int t = from_day * DAY; t < until_day * DAY; t += QUARTER) {
		double wave = -cos(2 * M_PI * (t % DAY - 240) / DAY);
		float mean = (float)(a_quarter * (1 + 0.7 * wave)), sd = sqrtf(mean);

		feed(w, t, t + QUARTER, t / QUARTER % 2 == 0 ? mean + sd : mean - sd, false);
	}
}

static void the_way_to_the_days_shape_is_no_scatter(void **state)
{
	(void)state;
	struct world w;

	init(&w);
	feed_days(&w, 0, 1, 300);
	assert_true(w.b.noise > 100); /* so wide is what nobody knows */
	feed_days(&w, 1, 4, 300);
	assert_true(w.b.noise < 20);
	feed_days(&w, 4, 7, 300);
	assert_true(w.b.noise < 4);
}

/* Minutes of a known day: three times usual for hours, as far as that is taken for a habit. */
static void what_lasts_in_known_hours_is_no_scatter(void **state)
{
	(void)state;

	for (int lasting = 0; lasting < 2; lasting++) {
		struct world w;
		struct baseline_now now;

		baseline_plan_init(&w.plan, span_s(60));
		baseline_init(&w.b);
		for (int t = 0; t < 9 * DAY + 14 * HOUR; t++) {
			bool ramp = t >= 9 * DAY + 8 * HOUR;
			float count = (ramp ? 60 : 20) + (t % 2 == 0 ? 4 : -4);

			baseline_at(&w.b, &w.plan, (unsigned)(t % DAY), false, &now);
			baseline_learn(&w.b, &w.plan, &now,
				       &(struct baseline_count){.habit = count, .scatter = count,
								.lasting = ramp && lasting == 1});
		}
		assert_true(lasting == 1 ? w.b.noise < 0.1F : w.b.noise > 0.1F);
		assert_true(w.b.noise < 2); /* three standard deviations a quarter of an hour */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_night_is_not_a_level_that_was_too_high),
		cmocka_unit_test(by_day_a_level_that_is_too_high_begins_anew),
		cmocka_unit_test(by_night_one_that_no_night_is_so_far_below_does_too),
		cmocka_unit_test(hours_that_are_known_keep_their_counts_as_the_level_rises),
		cmocka_unit_test(hours_first_seen_in_a_long_incident_are_learned),
		cmocka_unit_test(what_stood_out_of_the_day_is_not),
		cmocka_unit_test(hours_that_were_known_are_not_learned_in_an_incident),
		cmocka_unit_test(the_way_to_the_days_shape_is_no_scatter),
		cmocka_unit_test(what_lasts_in_known_hours_is_no_scatter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
