/* SPDX-License-Identifier: Apache-2.0 */
#include "command/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Whoever reads the log reads it in a terminal. */
static void text_from_outside_steers_nothing(void **state)
{
	static const struct { const char *text, *shown; } cases[] = {
		{"plain words", "\"plain words\""},
		{"caf\xc3\xa9 \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
		{"a\"b\\c\n\x1b\x7f", "\"a\\\"b\\\\c\\x0a\\x1b\\x7f\""},
		{"\xc2\x9b" "31m", "\"\\xc2\\x9b31m\""},
		{"\xe2\x80\xae" "x", "\"\\xe2\\x80\\xaex\""},
		{"\x9b\xc3", "\"\\x9b\\xc3\""},
	};
	char text[64];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(log_text(text, sizeof(text), cases[i].text), cases[i].shown);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	char text[64], dst[20];
	(void)state;
	for (size_t before = 0; before < 12; before++) {
		memset(text, 'a', before);
		snprintf(text + before, sizeof(text) - before, "%s",
			 "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\x1b\x1b\x1b");
		log_text(dst, sizeof(dst), text);
		size_t len = strlen(dst);
		assert_true(len < sizeof(dst) && dst[0] == '"' && dst[len - 1] == '"');
		for (size_t i = before + 1; i + 1 < len && dst[i] != '\\'; i += 4)
			assert_memory_equal(dst + i, "\xf0\x9f\x98\x80", 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_from_outside_steers_nothing),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
