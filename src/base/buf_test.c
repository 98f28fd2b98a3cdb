/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_past_the_maximum_makes_it_bad_for_good(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 8);
	buf_str(&b, "12345678");
	assert_false(b.bad);
	buf_char(&b, '9');
	assert_true(b.bad);
	assert_null(buf_take(&b, NULL));
}

static void an_empty_buf_is_an_empty_string(void **state)
{
	struct buf b;
	size_t len = 1;
	(void)state;
	buf_init(&b, 8);
	char *text = buf_take(&b, &len);
	assert_string_equal(text, "");
	assert_int_equal(len, 0);
	free(text);
}

static void each_place_gets_its_own_escapes(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1000);
	buf_html(&b, "<a href='x'>&\"\x01");
	assert_string_equal(b.data, "&lt;a href=&#39;x&#39;&gt;&amp;&#34;\xef\xbf\xbd");
	buf_reset(&b);
	buf_json(&b, "a\"b\\c\n\x01</script>");
	assert_string_equal(b.data, "a\\\"b\\\\c\\n\\u0001\\u003c/script>");
	buf_reset(&b);
	buf_csv(&b, "=1+1,\"x\"");
	assert_string_equal(b.data, "\"'=1+1,\"\"x\"\"\"");
	buf_reset(&b);
	buf_csv(&b, "plain");
	assert_string_equal(b.data, "plain");
	buf_done(&b);
}

static void numbers_are_written_whole(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1000);
	buf_u64(&b, 0);
	buf_char(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	buf_fmt(&b, " %d", -5);
	assert_string_equal(b.data, "0 18446744073709551615 -5");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_past_the_maximum_makes_it_bad_for_good),
		cmocka_unit_test(an_empty_buf_is_an_empty_string),
		cmocka_unit_test(each_place_gets_its_own_escapes),
		cmocka_unit_test(numbers_are_written_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
