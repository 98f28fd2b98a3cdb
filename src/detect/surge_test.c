/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/surge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct surge_reading feed(struct surge *s, const struct surge_plan *plan, int64_t bin,
				 double observed)
{
	struct surge_sample sample = {
		.bin = bin, .observed = observed, .minute = (uint16_t)(bin % 1440)};
	struct surge_reading reading;

	surge_step(s, plan, &sample, &reading);
	return reading;
}

static void a_steady_series_is_never_unusual(void **state)
{
	(void)state;
	struct surge_plan plan;
	struct surge s;

	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	surge_init(&s, &plan);
	for (int64_t t = 0; t < 3000; t++) {
		struct surge_reading r = feed(&s, &plan, t, 1 + t % 3);

		assert_true(r.taken);
		assert_true(r.log10_return < 2);
	}
	struct surge_reading r = feed(&s, &plan, 3000, 2);
	assert_true(fabsf(r.expected - 2) < 0.3F);
	assert_true(r.low < 2 && r.high > 2);
	assert_true(r.calm);
}

static void ten_times_usual_is_found_in_three_minutes_and_dated(void **state)
{
	(void)state;
	struct surge_plan plan;
	struct surge s;
	struct surge_reading r;

	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	surge_init(&s, &plan);
	for (int64_t t = 0; t < 3000; t++)
		feed(&s, &plan, t, 2 + t % 2);
	r = feed(&s, &plan, 3000, 25);
	assert_true(r.above);
	assert_false(r.sustained); /* one minute is not enough, whatever it holds */
	feed(&s, &plan, 3001, 25);
	r = feed(&s, &plan, 3002, 25);
	assert_true(r.sustained);
	assert_true(r.log10_return > 4.64F);
	assert_int_equal(r.began, 3000);
}

static void what_is_not_a_number_or_not_new_is_refused(void **state)
{
	(void)state;
	static const double bad[] = {NAN, INFINITY, -INFINITY, -1, -1e300};
	struct surge_plan plan;
	struct surge s, before;

	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	surge_init(&s, &plan);
	feed(&s, &plan, 10, 1);
	before = s;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(feed(&s, &plan, 11, bad[i]).taken);
	assert_false(feed(&s, &plan, 10, 1).taken);
	assert_false(feed(&s, &plan, -5, 1).taken);
	assert_memory_equal(&s, &before, sizeof(s));
}

static void state_survives_writing_and_reading(void **state)
{
	(void)state;
	struct surge_plan plan;
	struct surge s, again;
	uint8_t bytes[SURGE_BYTES];

	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	surge_init(&s, &plan);
	for (int64_t t = 0; t < 5000; t++)
		feed(&s, &plan, t, t % 7 == 0 ? 9 : t % 3);
	surge_write(&s, &plan, bytes);
	assert_int_equal(surge_read(&again, &plan, bytes, sizeof(bytes), NULL), WD_OK);
	for (int64_t t = 5000; t < 5100; t++) {
		struct surge_reading a = feed(&s, &plan, t, t % 5), b = feed(&again, &plan, t, t % 5);

		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void a_damaged_state_is_refused_and_nothing_written(void **state)
{
	(void)state;
	struct surge_plan plan;
	struct surge s, out;
	uint8_t bytes[SURGE_BYTES];
	struct wd_why why;

	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	surge_init(&s, &plan);
	feed(&s, &plan, 1, 1);
	surge_write(&s, &plan, bytes);
	memset(&out, 7, sizeof(out));
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_int_equal(surge_read(&out, &plan, bytes, len, &why), WD_SHORT);
	bytes[3]++;
	assert_int_equal(surge_read(&out, &plan, bytes, sizeof(bytes), &why), WD_UNKNOWN);
	bytes[3]--;
	memset(bytes + 37, 0xff, 4); /* a NaN */
	assert_int_equal(surge_read(&out, &plan, bytes, sizeof(bytes), &why), WD_MALFORMED);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(((unsigned char *)&out)[i], 7);
}

/* More samples than a count ever keeps would not fit into the 32 bits that they are turned into. */
static void a_state_of_too_many_samples_is_refused(void **state)
{
	(void)state;
	struct surge_plan plan;
	struct surge s, out;
	uint8_t bytes[SURGE_BYTES];
	struct wd_why why;

	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	surge_init(&s, &plan);
	s.calibrate.samples = 1e6F;
	surge_write(&s, &plan, bytes);
	assert_int_equal(surge_read(&out, &plan, bytes, sizeof(bytes), &why), WD_OK);
	size_t at = 5 + 8 + 8 + 4 * 4 + 3 * 4 + 4 * 4; /* behind what stands ahead of it */
	float many = 1e12F, kept;
	memcpy(&kept, bytes + at, sizeof(kept));
	assert_true(fabsf(kept - 1e6F) < 1);
	memcpy(bytes + at, &many, sizeof(many));
	assert_int_equal(surge_read(&out, &plan, bytes, sizeof(bytes), &why), WD_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_series_is_never_unusual),
		cmocka_unit_test(ten_times_usual_is_found_in_three_minutes_and_dated),
		cmocka_unit_test(what_is_not_a_number_or_not_new_is_refused),
		cmocka_unit_test(state_survives_writing_and_reading),
		cmocka_unit_test(a_damaged_state_is_refused_and_nothing_written),
		cmocka_unit_test(a_state_of_too_many_samples_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
