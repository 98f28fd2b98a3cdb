/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stamps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

/* To a tenth of a millisecond. */
#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-4)

enum { T0 = 1000000 };

/* The clocks at `s` seconds after the start, the wall clock being `off` seconds off. */
static double at(struct stamps *s, double seconds, double off)
{
	wd_wall wall = {(int64_t)((T0 + seconds + off) * 1e9)};
	wd_mono mono = {(int64_t)((5 + seconds) * 1e9)};
	return (double)stamps_next(s, wall, mono).ns / 1e9 - T0;
}

static void in_step_stamps_are_the_wall_clock(void **state)
{
	struct stamps s;
	(void)state;
	stamps_init(&s, wall_s(0));
	assert_near(at(&s, 0, 0), 0);
	assert_near(at(&s, 0.25, 0), 0.25);
	assert_near(at(&s, 3600, 0), 3600);
}

static void a_clock_of_a_time_that_nothing_can_have_is_never_believed(void **state)
{
	static const double years = 174 * 31557600.0; /* from 2026 on, and T0 is in 1970 */
	struct stamps s;
	(void)state;
	stamps_init(&s, wall_s(0));
	assert_near(at(&s, 0, 60 * 31557600.0 + years), -T0); /* where a new folder begins */
	assert_near(at(&s, 100, 60 * 31557600.0 + years), 100 - T0);
	at(&s, 101, 0); /* put right: a jump like any other */
	assert_near(at(&s, 162, 0), 162);
	for (int i = 163; i < 400; i++)
		assert_near(at(&s, i, 60 * 31557600.0 + years), i);
	assert_near(at(&s, 400, 0), 400);
	assert_int_equal(s.jumps, 1);
}

static void small_differences_vanish_a_tenth_at_a_time(void **state)
{
	struct stamps s;
	(void)state;
	stamps_init(&s, wall_s(0));
	at(&s, 0, 0);
	assert_near(at(&s, 1, 0.5), 1.1);
	assert_near(at(&s, 2, 0.5), 2.2);
	assert_near(at(&s, 5, 0.5), 5.5);
	assert_near(at(&s, 6, 0.5), 6.5);
}

static void a_step_back_never_turns_a_stamp_back(void **state)
{
	struct stamps s;
	double last = 0;
	(void)state;
	stamps_init(&s, wall_s(0));
	at(&s, 0, 0);
	for (int i = 1; i <= 72000; i++) {
		double now = at(&s, i / 2.0, -3600);
		assert_true(now > last);
		last = now;
	}
	/* An hour back is made up within ten hours, at nine tenths of the speed. */
	assert_near(last, 36000 - 3600);
	assert_near(at(&s, 36010, -3600), 36010 - 3600);
	assert_int_equal(s.jumps, 0);
}

static void a_jump_forward_is_believed_when_it_has_lasted(void **state)
{
	struct stamps s;
	(void)state;
	stamps_init(&s, wall_s(0));
	at(&s, 0, 0);
	assert_near(at(&s, 1, 86400), 1);
	assert_near(at(&s, 60, 86400), 60);
	assert_near(at(&s, 61, 86400), 86461);
	assert_int_equal(s.jumps, 1);
	assert_near(at(&s, 62, 86400), 86462);
}

static void a_glitch_forward_leaves_no_trace(void **state)
{
	struct stamps s;
	(void)state;
	stamps_init(&s, wall_s(0));
	at(&s, 0, 0);
	for (int minute = 0; minute < 5; minute++) {
		assert_near(at(&s, 60 * minute + 1, 86400), 60 * minute + 1);
		assert_near(at(&s, 60 * minute + 59, 86400), 60 * minute + 59);
		assert_near(at(&s, 60 * minute + 60, 0), 60 * minute + 60);
	}
	assert_int_equal(s.jumps, 0);
}

static void ten_minutes_forward_are_followed_slowly(void **state)
{
	struct stamps s;
	(void)state;
	stamps_init(&s, wall_s(0));
	at(&s, 0, 0);
	assert_near(at(&s, 60, 599), 66);
	assert_near(at(&s, 5990, 599), 6589);
	assert_int_equal(s.jumps, 0);
}

static void a_start_goes_on_from_what_is_on_disk(void **state)
{
	struct stamps s;
	(void)state;
	/* The wall clock is 100 s behind the last stamp. */
	stamps_init(&s, wall_s(T0 + 100));
	assert_near(at(&s, 0, 0), 100);
	assert_near(at(&s, 10, 0), 109);
	/* It is a week ahead: the program was off. */
	stamps_init(&s, wall_s(T0 - 7 * 86400));
	assert_near(at(&s, 0, 0), 0);
}

static void readings_out_of_order_do_not_turn_it_back(void **state)
{
	struct stamps s;
	(void)state;
	stamps_init(&s, wall_s(0));
	at(&s, 0, 0);
	double later = at(&s, 2, 0);
	assert_near(at(&s, 1.5, 0), later);
	assert_near(at(&s, 3, 0), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_step_stamps_are_the_wall_clock),
		cmocka_unit_test(a_clock_of_a_time_that_nothing_can_have_is_never_believed),
		cmocka_unit_test(small_differences_vanish_a_tenth_at_a_time),
		cmocka_unit_test(a_step_back_never_turns_a_stamp_back),
		cmocka_unit_test(a_jump_forward_is_believed_when_it_has_lasted),
		cmocka_unit_test(a_glitch_forward_leaves_no_trace),
		cmocka_unit_test(ten_minutes_forward_are_followed_slowly),
		cmocka_unit_test(a_start_goes_on_from_what_is_on_disk),
		cmocka_unit_test(readings_out_of_order_do_not_turn_it_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
