/* SPDX-License-Identifier: Apache-2.0 */
#include "config/problems.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_nearest_word_is_the_one_a_typing_mistake_away(void **state)
{
	static const char *const words[] = {"listen", "log_level", "limits", "services", "services_from"};
	static const struct { const char *typed, *meant; } cases[] = {
		{"lisen", "listen"},       {"lsiten", "listen"},  {"LISTEN", "listen"},
		{"loglevel", "log_level"}, {"service", "services"}, {"services_form", "services_from"},
		{"colour", NULL},          {"", NULL},            {"l", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *nearest = nearest_word(cases[i].typed, words, 5);
		if (cases[i].meant == NULL)
			assert_null(nearest);
		else
			assert_string_equal(nearest, cases[i].meant);
	}
}

static void words_longer_than_any_key_have_no_neighbour(void **state)
{
	char word[5000];
	const char *const words[] = {word + 1};
	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	const char *nearest = nearest_word(word, words, 1);
	assert_true(nearest == NULL || nearest == word + 1); /* and nothing was overrun */
}

static void a_problem_is_one_printable_line(void **state)
{
	struct problems p;
	struct buf b;
	(void)state;
	problems_init(&p);
	problems_add(&p, (struct problem_at){"a.yaml", 7}, "plain words", "`%s`",
		     "\x1b[31m\nx\xc2\x9b" "y\x7f\xe2\x80\xaez\x80");
	buf_init(&b, 1000);
	problem_write(&b, &p.items[0]);
	assert_string_equal(b.data, "a.yaml:7: `?[31m?x??y????z?` (would be right: plain words)");
	buf_done(&b);
	problems_done(&p);
}

static void what_does_not_fit_is_counted(void **state)
{
	struct problems p;
	char long_text[4000];
	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	problems_init(&p);
	for (unsigned i = 0; i < PROBLEMS_MAX + 5; i++)
		problems_add(&p, (struct problem_at){"a.yaml", i}, long_text, "%s", long_text);
	assert_int_equal(p.count, PROBLEMS_MAX);
	assert_int_equal(p.errors, PROBLEMS_MAX + 5);
	assert_int_equal(p.dropped, 5);
	assert_int_equal(strlen(p.items[3].what), PROBLEM_TEXT_MAX - 1);
	problems_done(&p);
}

static void a_warning_is_no_error(void **state)
{
	struct problems p;
	struct buf b;
	(void)state;
	problems_init(&p);
	problems_warn(&p, (struct problem_at){"", 0}, "", "only %d", 1);
	assert_int_equal(p.errors, 0);
	buf_init(&b, 1000);
	problem_write(&b, &p.items[0]);
	assert_string_equal(b.data, "warning: only 1");
	buf_done(&b);
	problems_done(&p);
}

static void problems_are_told_in_the_order_of_lines(void **state)
{
	static const unsigned lines[] = {5, 3, 9, 1};
	struct problems p;
	(void)state;
	problems_init(&p);
	for (size_t i = 0; i < 4; i++)
		problems_add(&p, (struct problem_at){"a.yaml", lines[i]}, "", "x");
	problems_sort(&p);
	for (size_t i = 1; i < 4; i++)
		assert_true(p.items[i - 1].line < p.items[i].line);
	problems_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_word_is_the_one_a_typing_mistake_away),
		cmocka_unit_test(words_longer_than_any_key_have_no_neighbour),
		cmocka_unit_test(a_problem_is_one_printable_line),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(a_warning_is_no_error),
		cmocka_unit_test(problems_are_told_in_the_order_of_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
