/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* London's two changes of 2025. */
static const struct zone london = {
	.name = "Europe/London",
	.east_s = 0,
	.count = 2,
	.changes = {{1743296400, 3600}, {1761440400, 0}},
};

static void an_offset_holds_from_its_change_on(void **state)
{
	static const struct { int64_t t_s, east_s; } cases[] = {
		{INT64_C(-2000000000), 0}, {0, 0},          {1743296399, 0}, {1743296400, 3600},
		{1743296401, 3600},        {1761440399, 3600}, {1761440400, 0}, {4000000000, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wd_wall local = zone_local(&london, wall_s(cases[i].t_s));
		assert_int_equal(wall_to_s(local) - cases[i].t_s, cases[i].east_s);
	}
}

static void a_fraction_of_a_second_before_a_change_is_before_it(void **state)
{
	(void)state;
	wd_wall t = {INT64_C(1743296400) * WD_NS_PER_S - 1};
	assert_int_equal(zone_local(&london, t).ns, t.ns);
}

static void every_change_of_a_full_table_is_found(void **state)
{
	struct zone full = {.name = "Test/Full", .east_s = -7, .count = ZONE_CHANGES_MAX};
	(void)state;
	for (size_t i = 0; i < full.count; i++)
		full.changes[i] = (struct zone_change){(int64_t)i * 10, (int32_t)i};
	assert_int_equal(wall_to_s(zone_local(&full, wall_s(-1))), -8);
	for (int64_t i = 0; i < ZONE_CHANGES_MAX; i++) {
		assert_int_equal(wall_to_s(zone_local(&full, wall_s(i * 10))), i * 10 + i);
		assert_int_equal(wall_to_s(zone_local(&full, wall_s(i * 10 + 9))), i * 10 + 9 + i);
	}
}

static void utc_is_not_moved(void **state)
{
	(void)state;
	struct zone *utc = zone_new_utc();
	assert_non_null(utc);
	assert_string_equal(utc->name, "UTC");
	assert_int_equal(zone_local(utc, wall_s(1741600000)).ns, wall_s(1741600000).ns);
	free(utc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offset_holds_from_its_change_on),
		cmocka_unit_test(a_fraction_of_a_second_before_a_change_is_before_it),
		cmocka_unit_test(every_change_of_a_full_table_is_found),
		cmocka_unit_test(utc_is_not_moved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
