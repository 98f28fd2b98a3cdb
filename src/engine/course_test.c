/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/course.h"

#include "tally/rollup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { START_S = 1741564800 };

static struct course rate, other;

static int open_courses(void **state)
{
	(void)state;
	rate = other = (struct course){0};
	return course_open(&rate) && course_open(&other) ? 0 : -1;
}

static int close_courses(void **state)
{
	(void)state;
	course_close(&rate);
	course_close(&other);
	return 0;
}

static void add(int64_t second, float observed, float expected, float high)
{
	const struct point p = {observed, expected, expected, high};
	for (int quarter = 0; quarter < 4; quarter++)
		course_add(&rate, wall_add(wall_s(START_S + second), span_ms(250 * quarter)),
			 span_ms(250), &p);
}

static struct series show(const struct course *r, enum course_span span, int64_t second)
{
	struct series s;
	assert_true(course_show(r, span, wall_s(START_S + second), &s));
	return s;
}

static bool is_near(float x, float y)
{
	return fabsf(x - y) <= 4e-4f * fabsf(y);
}

static void seconds_and_their_means_are_what_came(void **state)
{
	(void)state;
	for (int64_t n = 0; n < 900; n++)
		add(n, (float)(1000 + n), 1000, 1300);
	struct series s = show(&rate, COURSE_RECENT, 900);
	assert_int_equal(s.count, COURSE_RECENT_COUNT);
	assert_int_equal(wall_to_s(s.begin), START_S + 900 - COURSE_RECENT_COUNT + 1);
	assert_true(s.points[s.count - 1].observed < 0); /* nothing came in it */
	for (size_t n = 0; n + 2 < s.count; n++)
		assert_true(is_near(s.points[n].observed,
				    (float)(1000 + 900 - COURSE_RECENT_COUNT + 1 + (int)n)));
	assert_true(is_near(s.points[7].expected, 1000) && is_near(s.points[7].high, 1300) &&
		    s.points[7].low == s.points[7].expected);
	free(s.points);
	s = show(&rate, COURSE_DAY, 900);
	assert_true(is_near(s.points[s.count - 3].observed, 1000 + 300 + 149.5f));
	assert_true(s.points[s.count - 5].observed < 0); /* before it began */
	/* The band of a mean is narrower: 300 / sqrt(300). */
	assert_true(is_near(s.points[s.count - 3].high, 1000 + 300 / sqrtf(300)));
	free(s.points);
}

static void all_rates_there_can_be_are_kept_within_the_stated_error(void **state)
{
	static const float rates[] = {.001f, .37f, 1, 12345, 9.9e9f, 1.4e13f, 1e16f};
	(void)state;
	for (size_t n = 0; n < sizeof(rates) / sizeof(rates[0]); n++)
		add((int64_t)n, rates[n], 0, 0);
	add(7, 0, 0, 0);
	add(8, INFINITY, NAN, -1);
	add(10, 1, 1, 1); /* 9 is missing */
	add(11, 1, 1, 1);
	struct series s = show(&rate, COURSE_RECENT, 10);
	const struct point *first = &s.points[s.count - 11];
	for (size_t n = 0; n < sizeof(rates) / sizeof(rates[0]); n++)
		assert_true(is_near(first[n].observed, rates[n]));
	assert_true(first[7].observed == 0);
	assert_true(isfinite(first[8].observed) && isfinite(first[8].high));
	assert_true(first[9].observed == -1);
	free(s.points);
}

static void assert_same(enum course_span span, int64_t second)
{
	struct series a = show(&rate, span, second), b = show(&other, span, second);
	assert_memory_equal(a.points, b.points, a.count * sizeof(*a.points));
	free(a.points);
	free(b.points);
}

static void what_was_written_goes_on_and_what_is_cut_is_bad(void **state)
{
	struct out o;
	(void)state;
	for (int64_t n = 0; n < 1000; n += 1 + n % 3)
		add(n, (float)(n % 77), 40, 80);
	out_init(&o, 1 << 20);
	course_write(&rate, &o);
	struct cur c = cur_over(o.bytes, o.len);
	course_read(&other, &c, false);
	assert_true(!c.bad && cur_left(&c) == 0);
	struct course_cell *cells = other.cells;
	for (int64_t n = 1000; n < 1100; n++) {
		add(n, 5, 40, 80);
		const struct point p = {5, 40, 40, 80};
		for (int k = 0; k < 4; k++)
			course_add(&other, wall_add(wall_s(START_S + n), span_ms(250 * k)),
				 span_ms(250), &p);
	}
	assert_ptr_equal(cells, other.cells);
	assert_same(COURSE_RECENT, 1100);
	assert_same(COURSE_DAY, 1100);
	for (size_t len = 0; len < o.len; len += 7) {
		c = cur_over(o.bytes, len);
		course_read(&other, &c, false);
		assert_true(c.bad);
	}
	out_done(&o);
}

/* Three of four seconds, also as it was written once: two rollups and the running second. */
static void what_was_written_before_is_read(void **state)
{
	struct rollup day, recent;
	struct out o;
	(void)state;
	assert_int_equal(rollup_open(&day, span_s(300), COURSE_DAY_COUNT), WD_OK);
	assert_int_equal(rollup_open(&recent, span_s(1), COURSE_RECENT_COUNT), WD_OK);
	for (int64_t n = 0; n < 1000; n++) {
		const struct point p = {(float)n, 500, 500, 700};
		if (n % 4 == 3)
			continue;
		add(n, p.observed, p.expected, p.high);
		rollup_add(&day, wall_s(START_S + n), &p);
		rollup_add(&recent, wall_s(START_S + n), &p);
	}
	add(1000, 1, 1, 1); /* the running one */
	out_init(&o, 1 << 20);
	rollup_write(&day, &o);
	rollup_write(&recent, &o);
	out_i64(&o, rate.second);
	out_f32(&o, rate.covered_s);
	out_f32(&o, rate.sum);
	out_f32(&o, rate.usual);
	out_f32(&o, rate.high);
	struct cur c = cur_over(o.bytes, o.len);
	course_read(&other, &c, true);
	assert_true(!c.bad && cur_left(&c) == 0);
	assert_same(COURSE_RECENT, 1000);
	assert_same(COURSE_DAY, 1000);
	for (size_t n = 0; n < COURSE_SPANS; n++)
		assert_memory_equal(&rate.rings[n], &other.rings[n], sizeof(rate.rings[n]));
	assert_true(rate.sum == other.sum && rate.covered_s == other.covered_s);
	rollup_close(&day);
	rollup_close(&recent);
	out_done(&o);
}

int main(void)
{
#define WITH_COURSES(test) cmocka_unit_test_setup_teardown(test, open_courses, close_courses)
	const struct CMUnitTest tests[] = {
		WITH_COURSES(seconds_and_their_means_are_what_came),
		WITH_COURSES(all_rates_there_can_be_are_kept_within_the_stated_error),
		WITH_COURSES(what_was_written_goes_on_and_what_is_cut_is_bad),
		WITH_COURSES(what_was_written_before_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
