/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void known_times_are_read(void **state)
{
	static const struct { const char *text; int64_t ns; } cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2025-03-10T09:45:00Z", 1741599900 * WD_NS_PER_S},
		{"2025-03-10 05:45:00-04:00", 1741599900 * WD_NS_PER_S},
		{"2025-03-10T15:15:00.5+05:30", 1741599900 * WD_NS_PER_S + 500000000},
		{"2025-03-10T09:45Z", 1741599900 * WD_NS_PER_S},
		{"1741599900", 1741599900 * WD_NS_PER_S},
		{"1741599900.25", 1741599900 * WD_NS_PER_S + 250000000},
		{"2024-02-29T23:59:60Z", 1709251200 * WD_NS_PER_S},
		{"1969-12-31T23:59:59Z", -WD_NS_PER_S},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wd_wall t = {-1};
		assert_int_equal(timetext_read(cases[i].text, strlen(cases[i].text), &t, NULL), WD_OK);
		assert_int_equal(t.ns, cases[i].ns);
	}
}

static void what_is_no_time_is_refused_and_leaves_the_result_alone(void **state)
{
	static const char *const cases[] = {
		"", "x", "2025", "2025-", "2025-03-10", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z",
		"2025-03-10T24:00:00Z", "2025-03-10T09:45:00Zx", "2025-03-10T09:45:00.Z", "9999999999999",
		"2025-03-10T09:45:00+24:00", "17415999 00", "1741599900.", "-5", "0001-01-01T00:00:00Z",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wd_wall t = {42};
		struct wd_why why;
		if (strcmp(cases[i], "2025") == 0)
			continue; /* that is 2025 seconds after 1970 */
		assert_int_equal(timetext_read(cases[i], strlen(cases[i]), &t, &why), WD_MALFORMED);
		assert_int_equal(t.ns, 42);
		assert_non_null(why.what);
	}
}

static void what_is_written_reads_back_as_the_same_time(void **state)
{
	char text[TIMETEXT_LEN_MAX];
	(void)state;
	for (int64_t s = -8000000000; s < 7000000000; s += 86399 * 13) {
		wd_wall t = wall_add(wall_s(s), span_ms(s & 1 ? 123 : 0)), back;
		timetext_write(text, t);
		assert_int_equal(timetext_read(text, strlen(text), &back, NULL), WD_OK);
		assert_int_equal(back.ns, t.ns);
		struct civil c = civil_of(t);
		assert_int_equal(civil_to_wall(&c).ns, wall_s(s).ns);
	}
}

static void a_wait_is_told_in_words_and_never_too_short(void **state)
{
	static const struct { uint32_t seconds; const char *text; } cases[] = {
		{0, "0 seconds"}, {1, "1 second"}, {2, "2 seconds"}, {119, "119 seconds"}, {120, "2 minutes"},
		{121, "3 minutes"}, {7199, "120 minutes"}, {7200, "2 hours"}, {7201, "3 hours"}, {86400, "24 hours"},
		{UINT32_MAX, "1193047 hours"},
	};
	char text[TIMETEXT_LEN_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		timetext_write_wait(text, cases[i].seconds);
		assert_string_equal(text, cases[i].text);
	}
}

static void weekdays_are_right(void **state)
{
	(void)state;
	assert_int_equal(civil_weekday(wall_s(0)), 3);           /* a Thursday */
	assert_int_equal(civil_weekday(wall_s(-1)), 2);          /* a Wednesday */
	assert_int_equal(civil_weekday(wall_s(1741599900)), 0); /* a Monday */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_times_are_read),
		cmocka_unit_test(what_is_no_time_is_refused_and_leaves_the_result_alone),
		cmocka_unit_test(what_is_written_reads_back_as_the_same_time),
		cmocka_unit_test(a_wait_is_told_in_words_and_never_too_short),
		cmocka_unit_test(weekdays_are_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
