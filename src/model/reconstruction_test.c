/* SPDX-License-Identifier: Apache-2.0 */
#include "model/reconstruction.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void only_an_address_of_the_web_is_a_source(void **state)
{
	static const char *const sound[] = {
		"https://rud.is/b/?p=24570", "http://news.example/a,b;c=1#part",
		"https://xn--bcher-kva.example/%C3%BC?q=1&r=(2)", "https://192.0.2.1:8080/",
	};
	static const char *const unsound[] = {
		"", "https://", "http:///path", "javascript:alert(1)", "JAVASCRIPT:alert(1)",
		"data:text/html,<script>", "//news.example/", "/i/x", "ftp://news.example/",
		"https://a b", "https://a\"onclick=", "https://a<b>", "https://a'\\b", "https://a\x01",
		"https://b\303\274cher.example/", "https://bank.example@evil.example/",
		" https://news.example/", "https:news.example",
	};
	char longest[RECONSTRUCTION_URL_MAX + 2] = "https://";
	(void)state;

	for (size_t i = 0; i < WD_COUNT(sound); i++)
		assert_true(reconstruction_url_is_sound(sound[i], strlen(sound[i])));
	for (size_t i = 0; i < WD_COUNT(unsound); i++)
		assert_false(reconstruction_url_is_sound(unsound[i], strlen(unsound[i])));
	memset(longest + 8, 'a', sizeof(longest) - 9);
	assert_true(reconstruction_url_is_sound(longest, RECONSTRUCTION_URL_MAX));
	assert_false(reconstruction_url_is_sound(longest, RECONSTRUCTION_URL_MAX + 1));
}

static void a_scenario_without_a_name_is_never_found(void **state)
{
	struct reconstruction two[2] = {{.scenario = ""}, {.scenario = "x"}};
	const struct reconstructions all = {two, 2};
	(void)state;
	assert_null(reconstruction_find(&all, ""));
	assert_null(reconstruction_find(&all, "y"));
	assert_null(reconstruction_find(NULL, "x"));
	assert_ptr_equal(reconstruction_find(&all, "x"), &two[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_an_address_of_the_web_is_a_source),
		cmocka_unit_test(a_scenario_without_a_name_is_never_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
