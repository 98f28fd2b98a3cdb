/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/second.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double add(struct second *s, int64_t ms, int64_t wide, double value)
{
	double per_s;
	second_add(s, (wd_wall){ms * 1000000}, (wd_span){wide * 1000000}, &value, 1, &per_s);
	return per_s;
}

static void bursts_are_evened_out(void **state)
{
	(void)state;
	struct second s = {0};
	double last = 0;
	for (int64_t ms = 0; ms < 10000; ms += 250)
		last = add(&s, ms, 250, ms % 1000 == 0 ? 1000 : 0);
	assert_float_equal(last, 1000, 1e-6);
	assert_float_equal(add(&s, 10000, 250, 500), 500, 1e-6);
}

static void the_first_second_is_what_came_so_far(void **state)
{
	(void)state;
	struct second s = {0};
	assert_float_equal(add(&s, 5000, 250, 100), 100, 1e-6);
	assert_float_equal(add(&s, 5250, 250, 100), 200, 1e-6);
}

static void what_is_older_than_a_second_is_gone(void **state)
{
	(void)state;
	struct second s = {0};
	add(&s, 0, 250, 1000);
	assert_float_equal(add(&s, 750, 250, 10), 1010, 1e-6);
	assert_float_equal(add(&s, 1500, 250, 10), 20, 1e-6);
	assert_float_equal(add(&s, 9000, 250, 10), 10, 1e-6);
}

static void a_wide_tick_is_its_own_mean(void **state)
{
	(void)state;
	struct second s = {0};
	add(&s, 0, 250, 1000);
	assert_float_equal(add(&s, 250, 4000, 8000), 2000, 1e-6);
}

static void a_clock_that_went_back_gives_no_more_than_came(void **state)
{
	(void)state;
	struct second s = {0};
	add(&s, 100000, 250, 1000);
	assert_float_equal(add(&s, 0, 250, 10), 10, 1e-6);
	assert_float_equal(add(&s, 250, 0, 10), 20, 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bursts_are_evened_out),
		cmocka_unit_test(the_first_second_is_what_came_so_far),
		cmocka_unit_test(what_is_older_than_a_second_is_gone),
		cmocka_unit_test(a_wide_tick_is_its_own_mean),
		cmocka_unit_test(a_clock_that_went_back_gives_no_more_than_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
