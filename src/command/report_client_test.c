/* SPDX-License-Identifier: Apache-2.0 */
#include "command/report_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_becomes(const char *text, const char *shown)
{
	struct buf b;
	buf_init(&b, 1000);
	report_client_text(&b, text);
	assert_false(b.bad);
	assert_string_equal(b.data != NULL ? b.data : "", shown);
	buf_done(&b);
}

static void nothing_in_a_text_can_steer_a_terminal(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"it is slow", "it is slow"},
		{"a\tb\nc\rd\\n", "a\\tb\\nc\\rd\\\\n"},
		{"\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f"},
		{"\xc2\x9b" "2J", "\\u{9b}2J"}, /* CSI in one character */
		{"\xe2\x80\xae" "exe.txt\xe2\x81\xa9", "\\u{202e}exe.txt\\u{2069}"},
		{"\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "\\u{200b}\\u{feff}\\u{ad}"},
		{"\xf3\xa0\x81\x81", "\\u{e0041}"}, /* a tag */
		{"Z\xc3\xbcrich \xd9\x84\xd8\xa7 \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
		 "Z\xc3\xbcrich \xd9\x84\xd8\xa7 \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"},
		{"\xff\x80", "\\xff\\x80"},
		{"\xc3", "\\xc3"},
		{"\xe2\x80", "\\xe2\\x80"},
		{"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
		{"\xf0\x9f\x91", "\\xf0\\x9f\\x91"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *alone = strdup(cases[i][0]); /* so that a step beyond its end is seen */
		text_becomes(alone, cases[i][1]);
		free(alone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_a_text_can_steer_a_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
