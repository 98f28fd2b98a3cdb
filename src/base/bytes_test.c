/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void write_all(struct out *o)
{
	out_u8(o, 0xfe);
	out_u16(o, 0xfedc);
	out_u32(o, 0xfedcba98);
	out_u64(o, UINT64_C(0xfedcba9876543210));
	out_i64(o, -5);
	out_f32(o, -1.5f);
	out_text(o, "text");
}

static void what_is_written_reads_back(void **state)
{
	struct out o;
	char text[5];
	(void)state;
	out_init(&o, 100);
	write_all(&o);
	assert_false(o.bad);
	struct cur c = cur_over(o.bytes, o.len);
	assert_int_equal(cur_u8(&c), 0xfe);
	assert_int_equal(cur_u16(&c), 0xfedc);
	assert_int_equal(cur_u32(&c), 0xfedcba98);
	assert_true(cur_u64(&c) == UINT64_C(0xfedcba9876543210));
	assert_int_equal(cur_i64(&c), -5);
	assert_true(cur_f32(&c) == -1.5f);
	cur_text(&c, text, sizeof(text));
	assert_string_equal(text, "text");
	assert_false(c.bad);
	assert_int_equal(cur_left(&c), 0);
	assert_int_equal(cur_u64(&c), 0);
	assert_true(c.bad);
	out_done(&o);
}

static void a_text_that_does_not_fit_is_bad(void **state)
{
	struct out o;
	char text[4];
	(void)state;
	out_init(&o, 100);
	out_text(&o, "text");
	struct cur c = cur_over(o.bytes, o.len);
	cur_text(&c, text, sizeof(text));
	assert_true(c.bad);
	assert_string_equal(text, "");
	out_done(&o);
}

static void past_the_maximum_nothing_is_written(void **state)
{
	struct out o;
	(void)state;
	out_init(&o, 3);
	out_u32(&o, 1);
	assert_true(o.bad);
	out_u8(&o, 1);
	assert_true(o.bad);
	assert_int_equal(o.len, 0);
	out_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(a_text_that_does_not_fit_is_bad),
		cmocka_unit_test(past_the_maximum_nothing_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
