/* SPDX-License-Identifier: Apache-2.0 */
/* What surge promises, held over many seeds: worlds are made, and the promise counted. */
#include "base/prng.h"
#include "detect/surge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 1440, WEEK = 7 * DAY };

struct world {
	double base;   /* counts a minute */
	double day;    /* depth of the night: 0 flat, 0.7 deep */
	double growth; /* a week */
	int shift_at;  /* minute from which local time is an hour later, 0: never */
};

static double rate_of(const struct world *w, int t)
{
	int local = t + (w->shift_at > 0 && t >= w->shift_at ? 60 : 0);
	double season = 1 - w->day * cos(2 * M_PI * (local % DAY - 240) / DAY);

	if (local / DAY % 7 >= 5)
		season *= 0.7;
	return w->base * season * pow(1 + w->growth, (double)t / WEEK);
}

static struct surge_sample sample_of(const struct world *w, int t, double observed)
{
	int local = t + (w->shift_at > 0 && t >= w->shift_at ? 60 : 0);

	return (struct surge_sample){.bin = t, .observed = observed,
				     .minute = (uint16_t)(local % DAY),
				     .weekend = local / DAY % 7 >= 5};
}

struct run {
	struct surge surge;
	struct surge_plan plan;
	struct prng prng;
	bool open;
	int opened; /* incidents so far */
	struct surge_reading last;
};

static void run_init(struct run *r, wd_span step, uint64_t seed)
{
	memset(r, 0, sizeof(*r));
	surge_plan_init(&r->plan, step, SURGE_COUNTS);
	surge_init(&r->surge, &r->plan);
	r->prng = prng_of(seed, 1);
}

static const float once_a_month = 4.64F; /* of minutes */

static void run_minute(struct run *r, const struct world *w, int t, double times)
{
	double y = (double)prng_poisson(&r->prng, rate_of(w, t) * times);
	struct surge_sample sample = sample_of(w, t, y);

	sample.frozen = r->open;
	surge_step(&r->surge, &r->plan, &sample, &r->last);
	if (!r->open && r->last.sustained && r->last.log10_return >= once_a_month) {
		r->open = true;
		r->opened++;
	} else if (r->open && r->last.calm) {
		r->open = false;
	}
}

/* Minutes until an outage of `times` usual that begins at t0 is decided, 0: not in an hour. */
static int delay_of(struct run *r, const struct world *w, int t0, double times)
{
	int before = r->opened;

	for (int t = t0; t < t0 + 60; t++) {
		run_minute(r, w, t, times);
		if (r->opened > before)
			return t - t0 + 1;
	}
	return 0;
}

static void quiet_weeks_raise_no_more_than_stated(void **state)
{
	(void)state;
	static const double bases[] = {0.02, 0.2, 2, 20};
	int opened = 0, series = 0;

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		for (uint64_t seed = 1; seed <= 4; seed++, series++) {
			struct world w = {.base = bases[i], .day = 0.7};
			struct run r;

			run_init(&r, span_s(60), seed * 100 + i);
			for (int t = 0; t < 3 * WEEK; t++)
				run_minute(&r, &w, t, 1);
			opened += r.opened;
		}
	assert_in_range(opened, 0, series * 3 / 4); /* one a month each; nearly always none */
}

static void ten_times_usual_is_found_within_minutes(void **state)
{
	(void)state;
	int late = 0;

	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct world w = {.base = 2, .day = 0.5};
		struct run r;

		run_init(&r, span_s(60), seed);
		for (int t = 0; t < 2 * WEEK; t++)
			run_minute(&r, &w, t, 1);
		int delay = delay_of(&r, &w, 2 * WEEK, 10);
		late += delay == 0 || delay > 5;
	}
	assert_in_range(late, 0, 1);
}

static void an_outage_in_the_past_does_not_hide_the_next(void **state)
{
	(void)state;
	int late = 0;

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct world w = {.base = 2, .day = 0.5};
		struct run r;

		run_init(&r, span_s(60), seed);
		for (int t = 0; t < 2 * WEEK; t++) /* three outages a week, of two hours each */
			run_minute(&r, &w, t, t % (WEEK / 3) > WEEK / 6 &&
						       t % (WEEK / 3) < WEEK / 6 + 120 ? 20 : 1);
		int delay = delay_of(&r, &w, 2 * WEEK, 10);
		late += delay == 0 || delay > 15;
	}
	assert_in_range(late, 0, 1);
}

static void a_series_that_starts_within_an_outage_recovers(void **state)
{
	(void)state;
	struct world w = {.base = 2};
	struct run r;

	run_init(&r, span_s(60), 5);
	for (int t = 0; t < 120; t++)
		run_minute(&r, &w, t, 50);
	for (int t = 120; t < 2 * DAY; t++)
		run_minute(&r, &w, t, 1);
	assert_true(r.last.expected < 4);
	assert_in_range(delay_of(&r, &w, 2 * DAY, 10), 1, 5);
}

/* Quarter hours that begin in an outage which fades for five hours: what it left in level and
 * scatter must not hide the next one. */
static void an_outage_that_fades_at_the_start_does_not_hide_the_next(void **state)
{
	(void)state;
	int found = 0, alarms = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct surge_plan plan;
		struct surge s;
		struct surge_reading r;
		struct prng prng = prng_of(seed, 4);
		bool seen = false;

		surge_plan_init(&plan, span_s(900), SURGE_COUNTS);
		surge_init(&s, &plan);
		for (int t = 0; t < 52; t++) {
			double rate = t < 48 ? 3 + 500 * exp(-t / 4.0) : 30;
			struct surge_sample sample = {
				.bin = t, .observed = (double)prng_poisson(&prng, rate),
				.minute = (uint16_t)(t * 15 % DAY)};

			surge_step(&s, &plan, &sample, &r);
			bool alarm = r.sustained && r.log10_return >= 3.46F;

			alarms += alarm && t < 48;
			seen |= alarm && t >= 48;
		}
		found += seen;
	}
	assert_int_equal(alarms, 0);
	assert_in_range(found, 18, 20);
}

static void growth_gaps_and_summer_time_raise_nothing(void **state)
{
	(void)state;
	int opened = 0;

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct world w = {.base = 5, .day = 0.7, .growth = 0.2, .shift_at = 2 * WEEK};
		struct run r;

		run_init(&r, span_s(60), seed);
		for (int t = 0; t < 4 * WEEK; t++) {
			bool hole = t % 1000 < 40 || prng_below(&r.prng, 50) == 0;

			if (!hole)
				run_minute(&r, &w, t, 1);
		}
		opened += r.opened;
	}
	assert_in_range(opened, 0, 3);
}

static struct surge_reading expected_at(const struct run *r, uint16_t minute, bool weekend)
{
	struct surge copy = r->surge;
	struct surge_sample sample = {.bin = copy.last + 1, .minute = minute, .weekend = weekend};
	struct surge_reading reading;

	surge_step(&copy, &r->plan, &sample, &reading);
	return reading;
}

static void the_shape_of_the_day_and_the_weekend_is_learned(void **state)
{
	(void)state;
	struct world w = {.base = 10, .day = 0.7};
	struct run r;

	run_init(&r, span_s(60), 3);
	for (int t = 0; t < 4 * WEEK; t++)
		run_minute(&r, &w, t, 1);
	struct surge_reading night = expected_at(&r, 240, false);
	struct surge_reading noon = expected_at(&r, 960, false);
	struct surge_reading weekend = expected_at(&r, 960, true);
	assert_true(night.expected > 2 && night.expected < 4.5F);
	assert_true(noon.expected > 15 && noon.expected < 19);
	assert_true(weekend.expected > 10 && weekend.expected < 14);
	assert_true(noon.low < noon.expected && noon.expected < noon.high);
}

/* Quarter hours of a busy service that few use at night, from its first hour on. */
static void the_first_weekend_is_expected_to_be_like_the_days_before(void **state)
{
	(void)state;
	struct surge_plan plan;
	int alarms = 0;

	surge_plan_init(&plan, span_s(900), SURGE_COUNTS);
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct world w = {.base = 600, .day = 0.94}; /* 30 times as many by day */
		struct prng prng = prng_of(seed, 6);
		struct surge s;
		struct surge_reading r;

		surge_init(&s, &plan);
		for (int t = 0; t < 2 * WEEK; t += 15) {
			double y = (double)prng_poisson(&prng, rate_of(&w, t));
			struct surge_sample sample = sample_of(&w, t, y);

			sample.bin = t / 15;
			surge_step(&s, &plan, &sample, &r);
			alarms += r.sustained && r.log10_return >= 3.46F;
		}
	}
	assert_int_equal(alarms, 0);
}

/* The same begun at a Wednesday's noon, and at midnight before any day was seen: the nights are no
 * reason to begin anew, and what is open all day is learned. Outages on the second and the third
 * day, at the same time, are found. */
static void the_first_days_open_few_incidents_and_hide_no_outage(void **state)
{
	(void)state;
	struct surge_plan plan;
	int false_ones = 0, found[2] = {0};

	surge_plan_init(&plan, span_s(900), SURGE_COUNTS);
	for (uint64_t seed = 1; seed <= 24; seed++) {
		struct world w = {.base = seed % 3 == 0 ? 45 : 600, .day = 0.94};
		struct prng prng = prng_of(seed, 8);
		struct surge s;
		struct surge_reading r;
		bool open = false;
		int begin = seed % 2 == 0 ? 2 * DAY + 720 : 0;

		surge_init(&s, &plan);
		for (int t = begin; t < begin + 17 * DAY; t += 15) {
			int hour = (t - begin) / 60, which = hour >= 52;
			bool outage = seed > 12 && (hour == 28 || hour == 29 || hour == 52 || hour == 53);
			double y = (double)prng_poisson(&prng, rate_of(&w, t) * (outage ? 10 : 1));
			struct surge_sample sample = sample_of(&w, t, y);

			sample.bin = t / 15;
			sample.frozen = open;
			surge_step(&s, &plan, &sample, &r);
			bool opens = !open && r.sustained && r.log10_return >= 3.46F;

			false_ones += opens && !outage;
			found[which] += opens && outage;
			open = opens || (open && !r.calm);
		}
	}
	assert_in_range(false_ones, 0, 3);
	assert_in_range(found[0], 6, 12);
	assert_in_range(found[1], 5, 12);
}

/* Busy services with a deep night: a week after their begin their band is that of their counts, and
 * three times usual for an hour is found; nothing was opened after the first two days. */
static void a_busy_service_is_known_within_a_week(void **state)
{
	(void)state;
	static const struct { int width; double base; } kinds[] = {{1, 20}, {5, 20}, {15, 20}, {15, 2}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const int width = kinds[i].width;
		const float open_at = once_a_month - log10f((float)width);
		int found = 0, false_ones = 0;

		for (uint64_t seed = 1; seed <= 6; seed++) {
			struct world w = {.base = kinds[i].base * width, .day = 0.8};
			struct run r;
			bool seen = false;

			run_init(&r, span_s(60 * width), seed * 10 + i);
			for (int t = 0; t < 7 * DAY + 13 * 60; t += width) {
				bool outage = t >= 7 * DAY + 12 * 60;
				double rate = rate_of(&w, t) * (outage ? 3 : 1);
				double y = (double)prng_poisson(&r.prng, rate);
				struct surge_sample sample = sample_of(&w, t, y);

				sample.bin = t / width;
				surge_step(&r.surge, &r.plan, &sample, &r.last);
				bool alarm = r.last.sustained && r.last.log10_return >= open_at;

				if (t == 7 * DAY + 12 * 60 - width) {
					double sd = sqrt((double)r.last.expected);

					assert_true(r.last.high < r.last.expected + 4 * sd);
				}
				seen |= alarm && outage;
				false_ones += alarm && !outage && t >= 2 * DAY;
			}
			found += seen;
		}
		assert_int_equal(found, 6);
		assert_int_equal(false_ones, 0);
	}
}

static void after_a_day_open_what_is_now_is_normal(void **state)
{
	(void)state;
	struct world w = {.base = 2};
	struct run r;

	run_init(&r, span_s(60), 9);
	for (int t = 0; t < 3 * DAY; t++)
		run_minute(&r, &w, t, 1);
	for (int t = 3 * DAY; t < 5 * DAY; t++)
		run_minute(&r, &w, t, 10);
	assert_false(r.open);
	assert_true(r.last.expected > 12);
	assert_in_range(r.opened, 1, 2);
}

static void a_missing_minute_is_not_a_zero(void **state)
{
	(void)state;
	struct world w = {.base = 20};
	struct run r;

	run_init(&r, span_s(60), 2);
	for (int t = 0; t < 5 * DAY; t++)
		if (t % 3 == 0)
			run_minute(&r, &w, t, 1);
	assert_true(r.last.expected > 16 && r.last.expected < 24);
}

static void the_begin_is_the_first_minute_not_the_alarm(void **state)
{
	(void)state;
	int right = 0;

	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct world w = {.base = 1};
		struct run r;

		run_init(&r, span_s(60), seed);
		for (int t = 0; t < WEEK; t++)
			run_minute(&r, &w, t, 1);
		run_minute(&r, &w, WEEK, 8);
		run_minute(&r, &w, WEEK + 5, 8); /* with a gap */
		for (int t = WEEK + 6; t < WEEK + 15; t++)
			run_minute(&r, &w, t, 8);
		right += llabs(r.last.began - WEEK) <= 3;
	}
	assert_in_range(right, 8, 10);
}

/* Widths from a second to a day: quiet stays quiet, thirty times usual is found, while a quarter of
 * it is still to come. */
static void every_bin_width_works(void **state)
{
	(void)state;
	static const int64_t steps[] = {1, 10, 60, 300, 900, 3600, 86400};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct surge_plan plan;
		struct surge s;
		struct surge_reading r;
		struct prng prng = prng_of(11, i);
		int alarms = 0, found = 0, length = steps[i] < 3600 ? 30 : 6;

		surge_plan_init(&plan, span_s(steps[i]), SURGE_COUNTS);
		surge_init(&s, &plan);
		for (int64_t t = 0; t < 3000; t++) {
			bool outage = t >= 3000 - length;
			struct surge_sample sample = {
				.bin = t, .observed = (double)prng_poisson(&prng, outage ? 150 : 5),
				.minute = (uint16_t)(t * steps[i] / 60 % DAY),
				.weekend = t * steps[i] / 86400 % 7 >= 5};

			surge_step(&s, &plan, &sample, &r);
			if (r.sustained && r.log10_return >= 5)
				*(outage ? &found : &alarms) += 1;
		}
		assert_int_equal(alarms, 0);
		assert_in_range(found, length / 4, length);
		assert_in_range(r.began, 2999 - length, 3002 - length);
	}
}

static void a_metric_alarms_to_either_side_and_rarely_when_quiet(void **state)
{
	(void)state;
	int alarms = 0, found = 0;

	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct surge_plan plan;
		struct surge s;
		struct surge_reading r;
		struct prng prng = prng_of(seed, 2);
		int side = seed % 2 == 0 ? 1 : -1;
		double drift = 0;

		surge_plan_init(&plan, span_s(60), SURGE_METRIC);
		surge_init(&s, &plan);
		for (int64_t t = 0; t < 4 * WEEK; t++) {
			drift = 0.99 * drift + 0.3 * prng_normal(&prng);
			bool outage = t >= 4 * WEEK - 5;
			double x = -40 + 5 * sin(2 * M_PI * (double)t / DAY) + drift +
				   prng_normal(&prng) + (outage ? side * 25 : 0);
			struct surge_sample sample = {.bin = t, .observed = x,
						      .minute = (uint16_t)(t % DAY),
						      .weekend = t / DAY % 7 >= 5};

			surge_step(&s, &plan, &sample, &r);
			bool alarm = r.sustained && r.log10_return >= once_a_month;

			if (outage && alarm && r.side == side) {
				found++;
				break;
			}
			alarms += alarm && !outage;
		}
	}
	assert_in_range(alarms, 0, 8);
	assert_in_range(found, 7, 8);
}

/* A share that stays at 99.5: the half hour in which the series began is as usual as any other. */
static void a_flat_metric_is_usual_at_every_time_of_the_week(void **state)
{
	struct prng prng = prng_of(5, 4);
	struct surge_plan plan;
	struct surge s;
	struct surge_reading r;
	(void)state;

	surge_plan_init(&plan, span_s(300), SURGE_METRIC);
	surge_init(&s, &plan);
	for (int64_t t = 0; t < 3 * WEEK / 5; t++) {
		struct surge_sample sample = {.bin = t, .observed = 99.5 + 0.15 * prng_normal(&prng),
					      .minute = (uint16_t)(t * 5 % DAY),
					      .weekend = t * 5 / DAY % 7 < 2};

		surge_step(&s, &plan, &sample, &r);
		if (t > 0 && fabsf(r.expected - 99.5F) > 1)
			fail_msg("bucket %d: usual is %g", (int)t, (double)r.expected);
		assert_false(r.sustained && r.log10_return >= once_a_month);
	}
}

/* Response times: positive, with a long tail. Six times the median, for as long as it lasts. */
static void a_lasting_shift_is_found_in_spite_of_heavy_tails(void **state)
{
	(void)state;
	int alarms = 0, found = 0;

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct surge_plan plan;
		struct surge s;
		struct surge_reading r;
		struct prng prng = prng_of(seed, 3);

		surge_plan_init(&plan, span_s(60), SURGE_METRIC);
		surge_init(&s, &plan);
		for (int64_t t = 0; t < 4 * WEEK; t++) {
			bool outage = t >= 4 * WEEK - 15;
			double x = 50 * exp(0.6 * prng_normal(&prng)) + (outage ? 250 : 0);
			struct surge_sample sample = {.bin = t, .observed = x,
						      .minute = (uint16_t)(t % DAY),
						      .weekend = t / DAY % 7 >= 5};

			surge_step(&s, &plan, &sample, &r);
			bool alarm = r.sustained && r.log10_return >= once_a_month;

			found += alarm && outage && r.side == 1;
			alarms += alarm && !outage;
			if (alarm && outage)
				break;
		}
	}
	assert_in_range(alarms, 0, 6);
	assert_in_range(found, 5, 6);
}

/* A shift of 200 buckets, up, down or far: once it is over the incident ends, and what comes after is
 * usual. */
static void coming_back_from_a_long_shift_is_no_shift(void **state)
{
	(void)state;
	static const double levels[] = {400, -320, 1000};
	static const int widths[] = {2, 10, 30, 60, 90, 300};
	enum { BEGIN = 8500, END = 8700, LAST = 10500, WIDTHS = sizeof(widths) / sizeof(widths[0]) };
	int late = 0;

	for (uint64_t seed = 0; seed < 3 * WIDTHS; seed++) {
		struct surge_plan plan;
		struct surge s;
		struct surge_reading r;
		struct prng prng = prng_of(seed, 6);
		int step = widths[seed / 3], opened_in = 0, closed_at = 0;
		bool open = false;

		surge_plan_init(&plan, span_s(step), SURGE_METRIC);
		surge_init(&s, &plan);
		for (int64_t t = 0; t < LAST; t++) {
			bool shifted = t >= BEGIN && t < END;
			double x = (shifted ? levels[seed % 3] : 40) + 6 * prng_normal(&prng);
			struct surge_sample sample = {.bin = t, .observed = x, .frozen = open,
						      .minute = (uint16_t)(t * step / 60 % DAY)};

			surge_step(&s, &plan, &sample, &r);
			if (open && r.calm) {
				open = false;
				closed_at = closed_at == 0 && t >= END ? (int)t : closed_at;
			} else if (!open && r.sustained && r.log10_return >= log10f(2592000.0F / (float)step)) {
				open = true;
				opened_in += shifted;
				late += t >= END;
			}
		}
		assert_int_equal(opened_in, 1);
		if (closed_at == 0 || closed_at > END + 2 + 2 * 600 / step)
			fail_msg("buckets of %d s: over at %d", step, closed_at);
	}
	assert_in_range(late, 0, 1);
}

/* Hostile values, jumps and flags in any order: the state stays fit to be written. */
static void any_input_leaves_a_sane_state(void **state)
{
	(void)state;
	static const double odd[] = {NAN, INFINITY, -INFINITY, -1, 0, 1e-300, 0.5, 1, 1e6,
				     1e15, 1e300, -1e300, 4e-324};
	static const int64_t steps[] = {1, 60, 900, 86400};

	for (uint64_t seed = 0; seed < 24; seed++) {
		struct prng prng = prng_of(seed, 7);
		struct surge_plan plan;
		struct surge s, again;
		struct surge_reading r;
		uint8_t bytes[SURGE_BYTES];
		int64_t bin = seed % 3 == 0 ? INT64_MIN : seed % 3 == 1 ? 0 : INT64_MAX - 9000;

		surge_plan_init(&plan, span_s(steps[seed % 4]),
				seed / 4 % 2 == 0 ? SURGE_COUNTS : SURGE_METRIC);
		surge_init(&s, &plan);
		for (int i = 0; i < 6000; i++) {
			uint32_t dice = prng_below(&prng, 100);
			struct surge_sample sample = {
				.bin = bin,
				.observed = dice < 60 ? (double)prng_below(&prng, 20)
						      : odd[prng_below(&prng, 13)],
				.minute = (uint16_t)(dice < 95 ? (unsigned)i % DAY : prng_below(&prng, 65536)),
				.weekend = prng_below(&prng, 2), .frozen = prng_below(&prng, 9) == 0};

			surge_step(&s, &plan, &sample, &r);
			assert_true(isfinite(r.log10_return) && r.log10_return >= 0);
			assert_true(isfinite(r.expected) && isfinite(r.low) && isfinite(r.high));
			assert_true(r.began <= sample.bin);
			uint64_t jump = dice < 90 ? 1 : dice < 98 ? 3 : prng_u64(&prng) >> 1;

			if ((uint64_t)INT64_MAX - (uint64_t)bin > jump)
				bin = (int64_t)((uint64_t)bin + jump);
		}
		surge_write(&s, &plan, bytes);
		assert_int_equal(surge_read(&again, &plan, bytes, sizeof(bytes), NULL), WD_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_weeks_raise_no_more_than_stated),
		cmocka_unit_test(ten_times_usual_is_found_within_minutes),
		cmocka_unit_test(an_outage_in_the_past_does_not_hide_the_next),
		cmocka_unit_test(a_series_that_starts_within_an_outage_recovers),
		cmocka_unit_test(an_outage_that_fades_at_the_start_does_not_hide_the_next),
		cmocka_unit_test(growth_gaps_and_summer_time_raise_nothing),
		cmocka_unit_test(the_shape_of_the_day_and_the_weekend_is_learned),
		cmocka_unit_test(the_first_weekend_is_expected_to_be_like_the_days_before),
		cmocka_unit_test(the_first_days_open_few_incidents_and_hide_no_outage),
		cmocka_unit_test(a_busy_service_is_known_within_a_week),
		cmocka_unit_test(after_a_day_open_what_is_now_is_normal),
		cmocka_unit_test(a_missing_minute_is_not_a_zero),
		cmocka_unit_test(the_begin_is_the_first_minute_not_the_alarm),
		cmocka_unit_test(every_bin_width_works),
		cmocka_unit_test(a_metric_alarms_to_either_side_and_rarely_when_quiet),
		cmocka_unit_test(a_flat_metric_is_usual_at_every_time_of_the_week),
		cmocka_unit_test(a_lasting_shift_is_found_in_spite_of_heavy_tails),
		cmocka_unit_test(coming_back_from_a_long_shift_is_no_shift),
		cmocka_unit_test(any_input_leaves_a_sane_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
