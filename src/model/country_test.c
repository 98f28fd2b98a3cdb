/* SPDX-License-Identifier: Apache-2.0 */
#include "model/country.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The search needs the order: whoever is out of it is not found. */
static void all_codes_of_the_standard_and_three_more_are_found(void **state)
{
	size_t known = 0;
	(void)state;
	for (char a = 'A'; a <= 'Z'; a++) {
		for (char b = 'A'; b <= 'Z'; b++) {
			const char code[] = {a, b, '\0'};
			bool named = strcmp(country_name(code), code) != 0;
			assert_int_equal(country_is_known(code), named);
			known += named;
		}
	}
	assert_int_equal(known, 249 + 3);
	assert_string_equal(country_name("GB"), "United Kingdom");
	assert_string_equal(country_name("XK"), "Kosovo");
}

static void anything_else_is_none_and_its_own_name(void **state)
{
	static const char *const others[] = {"", "G", "GBR", "gb", "UK", "ZZ", "1!", "\xc3\xa9"};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(others); i++) {
		assert_false(country_is_known(others[i]));
		assert_ptr_equal(country_name(others[i]), others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_codes_of_the_standard_and_three_more_are_found),
		cmocka_unit_test(anything_else_is_none_and_its_own_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
