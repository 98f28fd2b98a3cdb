/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/widths.h"

#include "base/check.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct widths *open_widths(size_t services_max)
{
	struct widths *w = NULL;
	assert_int_equal(widths_open(services_max, &w), WD_OK);
	return w;
}

static void each_service_has_its_own_width(void **state)
{
	struct widths *w = open_widths(4);
	(void)state;
	for (int64_t i = 0; i < 100; i++) {
		assert_int_equal(widths_add(w, "x", wall_s(i * 60)), WD_OK);
		if (i % 15 == 0)
			assert_int_equal(widths_add(w, "barclays", wall_s(i * 60 + 24)), WD_OK);
	}
	assert_int_equal(widths_of(w, "x").ns, 60 * WD_NS_PER_S);
	assert_int_equal(widths_of(w, "barclays").ns, 900 * WD_NS_PER_S);
	assert_int_equal(widths_of(w, "other").ns, 0);
	widths_close(w);
}

static void rows_left_out_do_not_widen_it(void **state)
{
	struct widths *w = open_widths(1);
	(void)state;
	/* Three of five minutes have no row: the median distance would be two minutes. */
	for (uint64_t i = 0; i < 500; i++) {
		if (hash_mix(i + 1) % 5 < 2)
			assert_int_equal(widths_add(w, "x", wall_s((int64_t)i * 60)), WD_OK);
	}
	assert_int_equal(widths_of(w, "x").ns, 60 * WD_NS_PER_S);
	widths_close(w);
}

static void times_that_jitter_give_their_median(void **state)
{
	struct widths *w = open_widths(1);
	(void)state;
	for (int64_t i = 0; i < 50; i++)
		assert_int_equal(widths_add(w, "x", wall_add(wall_s(i * 300), span_ms(i * i % 17))), WD_OK);
	int64_t off = widths_of(w, "x").ns - 300 * WD_NS_PER_S;
	assert_true(off > -20000000 && off < 20000000);
	widths_close(w);
}

/* The width of rows at these times, in units of so many seconds. */
static int64_t width_s(const int64_t *at, size_t count, int64_t unit_s)
{
	struct widths *w = open_widths(1);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(widths_add(w, "x", wall_s(1741600000 + at[i] * unit_s)), WD_OK);
	int64_t ns = widths_of(w, "x").ns;
	widths_close(w);
	assert_int_equal(ns % WD_NS_PER_S, 0);
	return ns / WD_NS_PER_S;
}

static void few_rows_are_not_wider_than_their_buckets(void **state)
{
	static const int64_t units[] = {10, 60, 300, 900, 3600, 86400};
	static const uint64_t one_in[] = {2, 5, 20, 50};
	(void)state;
	for (size_t u = 0; u < WD_COUNT(units); u++) {
		for (size_t k = 0; k < WD_COUNT(one_in) && units[u] * (int64_t)one_in[k] <= 20 * 86400 / 10; k++) {
			int64_t at[64];
			size_t count = 0;
			for (uint64_t i = 0; count < 64; i++)
				if (hash_mix(i + 1000 * k) % one_in[k] == 0)
					at[count++] = (int64_t)i;
			if (width_s(at, 64, units[u]) != units[u])
				fail_msg("%zu %zu: %ld", u, k, (long)width_s(at, 64, units[u]));
		}
	}
	/* Quarters of an hour, of which mostly the full hour has a row. */
	static const int64_t hourly[] = {0, 4, 8, 11, 12, 16, 20, 23, 24, 28, 30, 32, 36, 40, 41, 44};
	assert_int_equal(width_s(hourly, WD_COUNT(hourly), 900), 900);
}

static void one_row_that_stands_wrong_makes_nothing_narrow(void **state)
{
	int64_t at[64];
	(void)state;
	for (int64_t i = 0; i < 64; i++)
		at[i] = i * 15 + (i == 20);
	assert_int_equal(width_s(at, 64, 60), 900);
	for (int64_t i = 0; i < 64; i++) /* and one too many */
		at[i] = i < 20 ? i * 15 : i == 20 ? 286 : (i - 1) * 15;
	assert_int_equal(width_s(at, 64, 60), 900);
}

static void whole_minutes_that_jitter_are_no_narrow_buckets(void **state)
{
	static const int64_t months[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int64_t at[64];
	(void)state;
	for (int64_t i = 0; i < 64; i++)
		at[i] = i * 15 + (int64_t)(hash_mix((uint64_t)i) % 3);
	assert_in_range(width_s(at, 64, 60), 13 * 60, 17 * 60);
	assert_int_equal(width_s(months, WD_COUNT(months), 86400), 31 * 86400);
}

static void going_back_and_long_pauses_tell_nothing(void **state)
{
	struct widths *w = open_widths(1);
	(void)state;
	assert_int_equal(widths_add(w, "x", wall_s(6000)), WD_OK);
	assert_int_equal(widths_of(w, "x").ns, 0);
	assert_int_equal(widths_add(w, "x", wall_s(10)), WD_OK);
	assert_int_equal(widths_add(w, "x", wall_s(10)), WD_OK);
	assert_int_equal(widths_add(w, "x", wall_s(40 * 86400)), WD_OK);
	assert_int_equal(widths_of(w, "x").ns, 0);
	assert_int_equal(widths_add(w, "x", wall_s(40 * 86400 + 7)), WD_OK);
	assert_int_equal(widths_of(w, "x").ns, 7 * WD_NS_PER_S);
	widths_close(w);
}

static void one_service_too_many_is_refused(void **state)
{
	struct widths *w = open_widths(1000);
	char name[16];
	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(widths_add(w, name, wall_s(1)), i < 1000 ? WD_OK : WD_FULL);
	}
	assert_int_equal(widths_add(w, "s999", wall_s(61)), WD_OK);
	assert_int_equal(widths_of(w, "s999").ns, 60 * WD_NS_PER_S);
	widths_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_service_has_its_own_width),
		cmocka_unit_test(rows_left_out_do_not_widen_it),
		cmocka_unit_test(times_that_jitter_give_their_median),
		cmocka_unit_test(few_rows_are_not_wider_than_their_buckets),
		cmocka_unit_test(one_row_that_stands_wrong_makes_nothing_narrow),
		cmocka_unit_test(whole_minutes_that_jitter_are_no_narrow_buckets),
		cmocka_unit_test(going_back_and_long_pauses_tell_nothing),
		cmocka_unit_test(one_service_too_many_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
