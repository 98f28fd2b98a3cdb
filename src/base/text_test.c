/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void broken_utf8_is_refused(void **state)
{
	static const char *const good[] = {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd"};
	static const char *const bad[] = {
		"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xff", "\xe2\x82", "a\xc3(", "\xef\xbf\xbf", "\xef\xb7\x90", "\xf8\x88\x80\x80\x80",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
	assert_false(text_is_utf8("a\0b", 3));
}

static void what_steers_or_deceives_is_not_plain(void **state)
{
	static const struct { const char *text; size_t len; bool plain; } cases[] = {
		{"a", 1, true}, {" ", 1, true}, {"\xc3\xa9x", 2, true}, {"\xe2\x82\xac", 3, true},
		{"\xf0\x9f\x98\x80", 4, true}, {"\xc2\xa0", 2, true}, {"\xe2\x80\x8d", 3, true},
		{"\x1b[31m", 1, false}, {"\n", 1, false}, {"\x7f", 1, false}, {"\xc2\x9b" "31m", 2, false},
		{"\xe2\x80\xa8", 3, false}, {"\xe2\x80\xae", 3, false}, {"\xe2\x81\xa9", 3, false},
		{"\xef\xbb\xbf", 3, false}, {"\x9b" "31m", 1, false}, {"\xe2\x80", 1, false}, {"\xc3", 1, false},
		{"\xf0\x9f\x98", 1, false}, {"\xe2" "a", 1, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool plain = !cases[i].plain;
		if (text_character(cases[i].text, &plain) != cases[i].len || plain != cases[i].plain)
			fail_msg("case %zu is %s", i, plain ? "plain" : "not plain");
	}
	assert_int_equal(text_deceives("\xc2\x85"), 2);
	assert_int_equal(text_deceives("\xe2\x80\xab"), 3);
	assert_int_equal(text_deceives("\xe2\x80\xaf"), 0);
	assert_int_equal(text_deceives("\x1b"), 0);
}

static void utf16_is_told_by_its_mark_or_its_zeros(void **state)
{
	(void)state;
	assert_true(text_begins_utf16("\xff\xfe", 2));
	assert_true(text_begins_utf16("\xfe\xff" "a", 3));
	assert_false(text_begins_utf16("\xff\xfe", 1));
	assert_false(text_begins_utf16("", 0));
	assert_false(text_begins_utf16("\xef\xbb\xbf", 3));
	assert_true(text_begins_utf16("\0t\0i", 4));
	assert_true(text_begins_utf16("t\0i\0", 4));
	assert_false(text_begins_utf16("t\0i\0", 3));
	assert_false(text_begins_utf16("ti\0\0", 4));
	assert_false(text_begins_utf16("\0\5\0\36", 4)); /* of a datagram */
}

static void ids_are_short_lowercase_and_plain(void **state)
{
	static const char *const good[] = {"x", "aws-s3", "bbc.co.uk", "a_b", "9gag"};
	static const char *const bad[] = {"", "X", "-a", "a-", "a b", "a/b", "../a", "\xc3\xa9", "aaaaaaaaa"};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_id(good[i], strlen(good[i]), 64));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_id(bad[i], strlen(bad[i]), 8));
}

static void a_cut_copy_ends_between_characters(void **state)
{
	char dst[4];
	(void)state;
	assert_true(text_copy(dst, sizeof(dst), "abc"));
	assert_string_equal(dst, "abc");
	assert_false(text_copy(dst, sizeof(dst), "ab\xc3\xa9"));
	assert_string_equal(dst, "ab");
	assert_false(text_copy(dst, sizeof(dst), "\xf0\x9f\x98\x80"));
	assert_string_equal(dst, "");
}

static void names_match_without_case(void **state)
{
	(void)state;
	assert_true(text_same_nocase("Barclays", "bArCLAYS"));
	assert_false(text_same_nocase("Barclays", "Barclay"));
	assert_false(text_same_nocase("", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_utf8_is_refused),
		cmocka_unit_test(what_steers_or_deceives_is_not_plain),
		cmocka_unit_test(utf16_is_told_by_its_mark_or_its_zeros),
		cmocka_unit_test(ids_are_short_lowercase_and_plain),
		cmocka_unit_test(a_cut_copy_ends_between_characters),
		cmocka_unit_test(names_match_without_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
