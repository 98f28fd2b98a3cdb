/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void text_and_numbers_are_those_of_printf(void **state)
{
	static const uint64_t numbers[] = {0, 7, 10, 255, 4294967296, UINT64_MAX};
	char dst[200], expected[200];
	(void)state;
	for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
		struct line l = line_at(dst, sizeof(dst));
		line_text(&l, "a ");
		line_number(&l, numbers[n]);
		line_text(&l, ":");
		line_hex(&l, (unsigned)numbers[n], 1);
		line_hex(&l, (unsigned)numbers[n], 2);
		snprintf(expected, sizeof(expected), "a %llu:%x%02x",
			 (unsigned long long)numbers[n], (unsigned)numbers[n],
			 (unsigned)numbers[n]);
		assert_string_equal(dst, expected);
		assert_int_equal(l.used, strlen(expected));
	}
}

static void what_does_not_fit_is_cut(void **state)
{
	char dst[12];
	(void)state;
	for (size_t size = 1; size <= 10; size++) {
		memset(dst, 'x', sizeof(dst));
		struct line l = line_at(dst, size);
		line_text(&l, "abc");
		line_number(&l, 123456);
		line_hex(&l, 0xfe, 2);
		assert_int_equal(strlen(dst), size - 1);
		assert_memory_equal(dst, "abc123456f", size - 1);
		assert_int_equal(dst[size], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_numbers_are_those_of_printf),
		cmocka_unit_test(what_does_not_fit_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
