/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/widths.h"

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
		cmocka_unit_test(going_back_and_long_pauses_tell_nothing),
		cmocka_unit_test(one_service_too_many_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
