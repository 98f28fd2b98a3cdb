/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/json_out.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Numbers that are whole stay what they are: counts, seconds, bits. */
static void whole_numbers_are_not_rounded(void **state)
{
	static const struct { double n; const char *text; } cases[] = {
		{0, "0"}, {-3, "-3"}, {0.25, "0.25"}, {1.0 / 3, "0.333333"}, {1234567, "1234567"},
		{1209601, "1209601"}, {7300000001, "7300000001"}, {123456.75, "123457"},
		{1e15, "1e+15"}, {-1234567, "-1234567"}, {HUGE_VAL, "null"}, {NAN, "null"},
	};

	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct buf b;
		buf_init(&b, 1000);
		wd_json_number(&b, NULL, cases[i].n);
		assert_string_equal(b.data, cases[i].text);
		buf_done(&b);
	}
}

static void a_comma_is_put_where_one_is_due(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	wd_json_open(&b, NULL, '{');
	wd_json_open(&b, "a", '[');
	wd_json_string(&b, NULL, ",{\"");
	wd_json_string(&b, NULL, NULL);
	wd_json_close(&b, ']');
	wd_json_truth(&b, "b\n", true);
	wd_json_time(&b, "c", (wd_wall){0});
	wd_json_url(&b, "d", "http://x", "/s/", "y");
	wd_json_close(&b, '}');
	assert_string_equal(b.data, "{\"a\":[\",{\\\"\",null],\"b\\n\":true,\"c\":null,\"d\":\"http://x/s/y\"}");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_are_not_rounded),
		cmocka_unit_test(a_comma_is_put_where_one_is_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
