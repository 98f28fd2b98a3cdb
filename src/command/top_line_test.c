/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_line.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct top_line line;

static const char *added(const char *text, unsigned columns, bool utf8)
{
	top_line_init(&line, columns, utf8);
	top_line_add(&line, TOP_PLAIN, text);
	assert_true(line.columns <= columns);
	assert_int_equal(strlen(line.text), line.len);
	return line.text;
}

static void plain_text_stays(void **state)
{
	(void)state;
	assert_string_equal(added("Shop 100 %", 40, true), "Shop 100 %");
	assert_int_equal(line.columns, 10);
	assert_string_equal(added("Café 東京", 40, true), "Café 東京");
	assert_int_equal(line.columns, 9);
}

static void what_steers_a_terminal_is_replaced(void **state)
{
	(void)state;
	assert_string_equal(added("a\x1b[2Jb", 40, false), "a?[2Jb");
	assert_string_equal(added("a\x1b[2Jb", 40, true), "a\xef\xbf\xbd[2Jb");
	assert_string_equal(added("\a\b\t\n\r\x7f", 40, false), "??????");
	assert_string_equal(added("\xc2\x9b" "31m", 40, false), "?31m");       /* CSI in one character */
	assert_string_equal(added("a\xe2\x80\xae" "b", 40, true), "a\xef\xbf\xbd" "b"); /* U+202E */
	assert_string_equal(added("a\xf3\xa0\x80\xa1", 40, true), "a\xef\xbf\xbd");     /* a tag */
}

static void bytes_that_are_no_utf8_are_replaced(void **state)
{
	static const char *const wrong[] = {"\x80", "\xff", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80",
					    "\xf4\x90\x80\x80", "\xc3", "\xf0\x9f"};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(wrong); i++) {
		const char *text = added(wrong[i], 40, false);
		assert_true(line.len >= 1);
		assert_int_equal(strspn(text, "?"), line.len);
	}
}

static void a_terminal_without_utf8_gets_ascii(void **state)
{
	(void)state;
	assert_string_equal(added("Café", 40, false), "Caf?");
	assert_string_equal(added("東京", 40, false), "??");
	assert_string_equal(added("too long", 5, false), "too ~");
}

static void what_is_too_long_ends_with_a_mark(void **state)
{
	(void)state;
	assert_string_equal(added("12345", 5, true), "12345");
	assert_string_equal(added("123456", 5, true), "1234…");
	/* Half of a wide character does not fit. */
	assert_string_equal(added("東京東京", 6, true), "東京 …");
	assert_int_equal(line.columns, 6);
	assert_string_equal(added("x", 0, true), "");
}

/* However many marks stand on one letter, it takes a line's bytes only. */
static void marks_without_end_have_one(void **state)
{
	char text[9000] = "a";
	(void)state;
	for (size_t i = 0; i < 4000; i++)
		memcpy(text + 1 + 2 * i, "\xcc\x81", 2);
	added(text, TOP_COLUMNS_MAX, true);
	assert_int_equal(line.columns, 1);
	assert_int_equal(line.len, 1 + 2 * 2);
}

static void fields_are_as_wide_as_they_should(void **state)
{
	(void)state;
	top_line_init(&line, 40, true);
	top_line_field(&line, TOP_PLAIN, "Shop", 6, false);
	top_line_add(&line, TOP_PLAIN, "|");
	top_line_field(&line, TOP_BOLD, "1.2k", 6, true);
	top_line_add(&line, TOP_PLAIN, "|");
	top_line_field(&line, TOP_PLAIN, "東京都庁", 5, false);
	top_line_add(&line, TOP_PLAIN, "|");
	assert_string_equal(line.text, "Shop  |  1.2k|東京…|");
	assert_int_equal(line.run_count, 3);
	assert_int_equal(line.runs[2].end, line.len);
}

static void styles_beyond_the_last_run_are_dropped_not_the_text(void **state)
{
	(void)state;
	top_line_init(&line, 200, true);
	for (int i = 0; i < 60; i++)
		top_line_add(&line, i % 2 == 0 ? TOP_PLAIN : TOP_BOLD, "x");
	assert_int_equal(line.len, 60);
	assert_int_equal(line.run_count, TOP_RUNS_MAX);
	assert_int_equal(line.runs[TOP_RUNS_MAX - 1].end, 60);
}

static void numbers_take_six_columns(void **state)
{
	static const struct { double n; const char *text; } rows[] = {
		{-1, "-"},       {0, "0"},         {0.04, "0.0"},    {7.5, "7.5"},     {7, "7"},
		{9.96, "10"},    {999, "999"},     {999.4, "999"},   {999.6, "1.0k"},  {1234, "1.2k"},
		{12345, "12k"},  {999499, "999k"}, {999500, "1.0M"}, {2.5e9, "2.5G"},  {1e18, "1.0E"},
		{1e30, "1000000E"},
	};
	char text[TOP_NUMBER_MAX];
	(void)state;
	for (size_t i = 0; i < WD_COUNT(rows); i++) {
		top_number(text, rows[i].n);
		assert_string_equal(text, rows[i].text);
	}
	top_number(text, strtod("nan", NULL));
	assert_string_equal(text, "-");
	top_number(text, strtod("inf", NULL));
	assert_string_equal(text, "1000000E");
}

static void percentages_stay_short(void **state)
{
	static const struct { double n; const char *text; } rows[] = {
		{-1, "? %"},      {0, "0 %"},      {0.0001, "<0.1 %"}, {0.042, "4.2 %"},
		{0.0994, "9.9 %"}, {0.0996, "10 %"}, {0.62, "62 %"},     {1, "100 %"}, {1e30, "100 %"},
	};
	char text[TOP_NUMBER_MAX];
	(void)state;
	for (size_t i = 0; i < WD_COUNT(rows); i++) {
		top_percent(text, rows[i].n);
		assert_string_equal(text, rows[i].text);
	}
	top_percent(text, strtod("nan", NULL));
	assert_string_equal(text, "? %");
}

static void bars_are_as_high_as_their_values(void **state)
{
	static const float values[] = {0, 4, 8, 16, -1};
	(void)state;
	top_line_init(&line, 40, true);
	top_line_bars(&line, TOP_PLAIN, values, WD_COUNT(values), 16, 0, 2);
	assert_string_equal(line.text, "▁▄██ ");
	top_line_init(&line, 40, true);
	top_line_bars(&line, TOP_PLAIN, values, WD_COUNT(values), 16, 1, 2);
	assert_string_equal(line.text, "   █ ");
	top_line_init(&line, 40, false);
	top_line_bars(&line, TOP_PLAIN, values, WD_COUNT(values), 16, 0, 2);
	assert_string_equal(line.text, ".:## ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays),
		cmocka_unit_test(what_steers_a_terminal_is_replaced),
		cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
		cmocka_unit_test(a_terminal_without_utf8_gets_ascii),
		cmocka_unit_test(what_is_too_long_ends_with_a_mark),
		cmocka_unit_test(marks_without_end_have_one),
		cmocka_unit_test(fields_are_as_wide_as_they_should),
		cmocka_unit_test(styles_beyond_the_last_run_are_dropped_not_the_text),
		cmocka_unit_test(numbers_take_six_columns),
		cmocka_unit_test(percentages_stay_short),
		cmocka_unit_test(bars_are_as_high_as_their_values),
	};
	setenv("LC_ALL", "C.UTF-8", 1);
	WD_CHECK(top_line_locale());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
