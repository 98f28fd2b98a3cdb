/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/number.h"

#include "base/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void what_is_read_is_what_the_library_reads(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200000; seed++) {
		char text[64];
		uint64_t bits = hash_mix(seed + 1);
		double value;
		memcpy(&value, &bits, sizeof(value));
		if (seed % 3 != 0)
			value = (double)(int64_t)(bits % 2000000007) / (double)(1 + bits % 997);
		static const int digits[] = {17, 6, 15, 3, 0};
		int len = snprintf(text, sizeof(text), seed % 2 ? "%.*g" : "%.*f", digits[seed % 5], value);
		struct number n;
		if (len > NUMBER_LEN_MAX || !isfinite(strtod(text, NULL)))
			continue;
		assert_int_equal(number_read(text, (size_t)len, &n), len);
		assert_true(n.value == strtod(text, NULL));
	}
}

static void a_whole_number_is_exact_up_to_eighteen_digits(void **state)
{
	struct number n;
	(void)state;
	assert_int_equal(number_read("999999999999999999,", 19, &n), 18);
	assert_true(n.is_whole);
	assert_true(n.whole == UINT64_C(999999999999999999));
	assert_int_equal(number_read("1000000000000000000", 19, &n), 19);
	assert_false(n.is_whole);
	assert_true(n.value == 1e18);
	assert_int_equal(number_read("12.0", 4, &n), 4);
	assert_false(n.is_whole);
	assert_int_equal(number_read("-1", 2, &n), 2);
	assert_false(n.is_whole);
	assert_int_equal(number_read("-0", 2, &n), 2);
	assert_true(n.is_whole && n.whole == 0);
	assert_false(signbit(n.value));
}

static void what_json_does_not_call_a_number_is_none(void **state)
{
	static const char *const cases[] = {
		"", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "nan", "inf", "0x10", "1.e5",
		"1e309", "-1e999999999999", " 1",
		"1111111111222222222233333333334444444444555555555566666666667777",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct number n = {.value = 42};
		size_t len = number_read(cases[i], strlen(cases[i]), &n);
		if (strcmp(cases[i], "0x10") == 0) {
			assert_int_equal(len, 1); /* the x is for the caller to refuse */
			continue;
		}
		assert_int_equal(len, 0);
		assert_true(n.value == 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_what_the_library_reads),
		cmocka_unit_test(a_whole_number_is_exact_up_to_eighteen_digits),
		cmocka_unit_test(what_json_does_not_call_a_number_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
