/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/rollup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void minutes_join_to_wider_buckets(void **state)
{
	struct rollup r;
	struct point out[4];
	(void)state;
	assert_int_equal(rollup_open(&r, span_s(60), 100), WD_OK);
	for (int n = 0; n < 10; n++)
		rollup_add(&r, wall_s(n * 60 + 7), &(struct point){(float)n, 2, 1, 5});
	rollup_read(&r, wall_s(0), span_s(300), 4, false, out);
	assert_true(out[0].observed == 0 + 1 + 2 + 3 + 4 && out[1].observed == 5 + 6 + 7 + 8 + 9);
	assert_true(out[0].expected == 10);
	assert_true(fabsf(out[0].high - (10 + 3 * sqrtf(5))) < 1e-4f);
	assert_true(fabsf(out[0].low - (10 - sqrtf(5))) < 1e-4f);
	assert_true(out[2].observed == -1 && out[3].observed == -1);
	rollup_read(&r, wall_s(0), span_s(300), 1, true, out);
	assert_true(out[0].observed == 2 && out[0].expected == 2);
	rollup_close(&r);
}

static void what_is_older_than_the_ring_is_gone_and_gaps_show(void **state)
{
	struct rollup r;
	struct point out[6];
	(void)state;
	assert_int_equal(rollup_open(&r, span_s(60), 4), WD_OK);
	for (int n = 0; n < 3; n++)
		rollup_add(&r, wall_s(n * 60), &(struct point){1, 1, 0, 2});
	rollup_add(&r, wall_s(4 * 60), &(struct point){9, 1, 0, 2}); /* minute 3 was not seen */
	rollup_add(&r, wall_s(0), &(struct point){1, 1, 0, 2});      /* too old by now */
	rollup_read(&r, wall_s(-60), span_s(60), 6, false, out);
	const float expected[] = {-1, -1, 1, 1, -1, 9};
	for (int n = 0; n < 6; n++)
		assert_true(out[n].observed == expected[n]);
	struct point p = {.observed = 7};
	for (int n = 1; n < 6; n++) { /* the same one by one, from anywhere inside */
		bool known = rollup_at(&r, wall_s(60 * n - 60 + 11 * n), &p);
		assert_int_equal(known, expected[n] >= 0);
		assert_true(!known || p.observed == expected[n]);
	}
	rollup_add(&r, wall_s(1000000), &(struct point){2, 1, 0, 2});
	rollup_read(&r, wall_s(0), span_s(60), 6, false, out);
	for (int n = 0; n < 6; n++)
		assert_true(out[n].observed == -1);
	rollup_close(&r);
}

static void a_ring_survives_writing_and_cuts_are_noticed(void **state)
{
	struct rollup r, back;
	struct out o, again;
	(void)state;
	assert_int_equal(rollup_open(&r, span_s(60), 50), WD_OK);
	assert_int_equal(rollup_open(&back, span_s(60), 50), WD_OK);
	for (int n = 0; n < 70; n += 3)
		rollup_add(&r, wall_s(n * 60), &(struct point){(float)n, 2, 1, 3});
	out_init(&o, 100000);
	out_init(&again, 100000);
	rollup_write(&r, &o);
	struct cur c = cur_over(o.bytes, o.len);
	rollup_load(&back, &c);
	assert_false(c.bad);
	rollup_write(&back, &again);
	assert_int_equal(o.len, again.len);
	assert_memory_equal(o.bytes, again.bytes, o.len);
	for (size_t len = 0; len < o.len; len++) {
		c = cur_over(o.bytes, len);
		rollup_load(&back, &c);
		assert_true(c.bad);
		assert_true(back.last == INT64_MIN);
	}
	out_done(&o);
	out_done(&again);
	rollup_close(&r);
	rollup_close(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minutes_join_to_wider_buckets),
		cmocka_unit_test(what_is_older_than_the_ring_is_gone_and_gaps_show),
		cmocka_unit_test(a_ring_survives_writing_and_cuts_are_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
