/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/counts_time.h"

#include "base/check.h"
#include "base/timetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void one_moment_is_read_however_it_is_written(void **state)
{
	static const char *const texts[] = {
		"2025-03-10T09:45:00Z", "2025-03-10 09:45", "1741599900", "1741599900.0",
		"1741599900000", "1741599900000.0", "1741599900000000", "1741599900000000000",
		"2025/03/10 09:45", "2025/03/10T09:45:00Z", "20250310T0945Z", "20250310T094500",
		"20250310 0945", "20250310094500", "10.03.2025 09:45", "10.03.2025 9:45:00",
		"2025-03-10 09:45:00+00", "2025-03-10 10:45:00+01", "2025-03-10 10:45:00 +01:00",
		"2025-03-10 04:45:00 -0500", "2025-03-10 09:45:00 UTC", "2025-03-10 09:45 GMT",
		"2025-03-10 09:45:00 +0000 UTC", "2025-03-10 09:45:00.000000 UTC",
		"2025-03-10 09:45:00,000", "2025-03-10 09:45 Z", "20250310T151500+0530",
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(texts); i++) {
		wd_wall at = {0};
		struct wd_why why = {0};
		if (counts_time_read(texts[i], strlen(texts[i]), false, &at, &why) != WD_OK)
			fail_msg("%s: %s", texts[i], why.what);
		if (at.ns != wall_s(1741599900).ns)
			fail_msg("%s: %lld", texts[i], (long long)at.ns);
	}
}

static void parts_of_a_second_and_of_a_day_are_read(void **state)
{
	static const struct { const char *text; int64_t ns; } cases[] = {
		{"1741599900123", INT64_C(1741599900123000000)},
		{"1741599900123456", INT64_C(1741599900123456000)},
		{"1741599900123456789", INT64_C(1741599900123456789)},
		{"100000000000", INT64_C(100000000000000000)}, /* ms: March 1973 */
		{"99999999999", -1},
		{"20250310T094500.25Z", INT64_C(1741599900250000000)},
		{"2025-03-10T09", INT64_C(1741597200000000000)},
		{"10.03.2025", INT64_C(1741564800000000000)},
		{"2025-03-10", INT64_C(1741564800000000000)},
		{"2025/03/10", INT64_C(1741564800000000000)},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		wd_wall at = {-1};
		enum wd_err err =
			counts_time_read(cases[i].text, strlen(cases[i].text), false, &at, NULL);
		assert_int_equal(err, cases[i].ns < 0 ? WD_MALFORMED : WD_OK);
		if (at.ns != cases[i].ns)
			fail_msg("%s: %lld", cases[i].text, (long long)at.ns);
	}
}

static void what_could_mean_two_things_or_none_is_refused(void **state)
{
	static const char *const texts[] = {
		"", " ", "T", "2025-03", "03/10/2025", "3/10/2025 09:45", "10/03/25", "10.3.2025",
		"2025-03/10", "2025/03-10", "2025-03-10T", "2025-03-10 9", "2025-03-10 09:4", "2025-03-10 09:45:0",
		"2025-03-10 09:45 PM", "2025-03-10 09:45 CET", "2025-03-10 09:45:00 Europe/London",
		"2025-03-10 09:45+1", "2025-03-10 09:45+01:0", "2025-03-10 09:45+01 GMT", "20251310T0945Z",
		"20250230", "17415999000000", "17415999000000000", "1741599900000.", "1741599900000.5s",
		"9999999999999999999", "31.02.2025", "2025-03-10  09:45", "20250310T", "20250310T09450",
		"2025-03-10 09:45:00.", "0x67ceb5dc",
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(texts); i++) {
		wd_wall at;
		struct wd_why why = {0};
		if (counts_time_read(texts[i], strlen(texts[i]), true, &at, &why) == WD_OK)
			fail_msg("%s was read", texts[i]);
		assert_non_null(why.what);
	}
}

/* Every front of a time is read or refused, never beyond its end. */
static void fronts_of_times_are_read_to_their_end(void **state)
{
	static const char *const texts[] = {"2025-03-10 04:45:00.123456 -0500 UTC", "20250310T094500.25+01:30",
					    "10.03.2025 09:45:00,5 GMT", "1741599900123456789.00"};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(texts); i++) {
		for (size_t len = 0; len <= strlen(texts[i]); len++) {
			char *copy = test_malloc(len + 1); /* ends at a guard */
			wd_wall at;
			memcpy(copy, texts[i], len);
			(void)!counts_time_read(copy, len, false, &at, NULL);
			(void)counts_time_is_day_number(copy, len);
			test_free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_moment_is_read_however_it_is_written),
		cmocka_unit_test(parts_of_a_second_and_of_a_day_are_read),
		cmocka_unit_test(what_could_mean_two_things_or_none_is_refused),
		cmocka_unit_test(fronts_of_times_are_read_to_their_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
