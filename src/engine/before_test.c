/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/before.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { START_S = 1741564800 };

static struct before before;
static struct trace_before found;

static wd_wall at(double second)
{
	return (wd_wall){START_S * WD_NS_PER_S + (int64_t)(second * (double)WD_NS_PER_S)};
}

/* A quarter of a second of that many packets. */
static void flows(double second, float packets)
{
	const struct flood_reading r = {
		.packets_per_s = packets, .bits_per_s = 8000 * packets, .records_per_s = packets / 10,
		.usual_packets_per_s = 90, .usual_bits_per_s = 1e6f};
	before_flows(&before, at(second), span_ms(250), &r);
}

static bool is_near(float x, float y)
{
	return fabsf(x - y) <= 4e-4f * fabsf(y);
}

static void nothing_is_told_of_what_was_not_seen(void **state)
{
	(void)state;
	before = (struct before){0};
	before_read(&before, at(0), &found);
	assert_int_equal(found.count, 0);
	before_requests(&before, at(100), span_s(1), 7);
	before_read(&before, at(101), &found);
	assert_int_equal(found.count, 1);
	assert_true(is_near(found.points[0].requests_per_s, 7));
	assert_true(found.points[0].packets_per_s < 0 && found.points[0].usual_bits_per_s < 0);
	/* Of another time nothing is known. */
	before_read(&before, at(100 + 2 * 1800), &found);
	assert_int_equal(found.count, 0);
	before_read(&before, at(50), &found);
	assert_int_equal(found.count, 0);
}

static void steps_are_means_of_the_last_half_hour(void **state)
{
	(void)state;
	before = (struct before){0};
	for (double s = 0; s < 4000; s += .25)
		flows(s, s < 3995 ? (float)((int)s / 10) : 1e6f);
	before_read(&before, at(4000), &found);
	assert_int_equal(found.count, TRACE_BEFORE_MAX);
	assert_int_equal(found.step.ns, BEFORE_STEP_S * WD_NS_PER_S);
	assert_int_equal(found.begin.ns, at(4000 - 1800).ns);
	for (uint32_t n = 0; n + 1 < found.count; n++) {
		const struct trace_before_point *p = &found.points[n];
		assert_true(is_near(p->packets_per_s, (float)(220 + n)));
		assert_true(is_near(p->bits_per_s, 8000 * (float)(220 + n)));
		assert_true(is_near(p->records_per_s, (float)(220 + n) / 10));
		assert_true(is_near(p->usual_packets_per_s, 90) && p->requests_per_s < 0);
	}
	/* The running step as far as it is: half of it has come. */
	assert_true(is_near(found.points[found.count - 1].packets_per_s, (1e6f + 399) / 2));
	before_read(&before, at(3990), &found); /* nothing of later */
	assert_true(is_near(found.points[found.count - 1].packets_per_s, 398));
}

static void a_pause_stays_one(void **state)
{
	(void)state;
	before = (struct before){0};
	flows(5, 100);
	flows(47, 200);
	flows(41, 300); /* late within its step */
	flows(12, 400); /* of a step that is over */
	before_read(&before, at(48), &found);
	assert_int_equal(found.count, 5);
	assert_true(is_near(found.points[0].packets_per_s, 100));
	for (size_t n = 1; n < 4; n++)
		assert_true(found.points[n].packets_per_s < 0);
	assert_true(is_near(found.points[4].packets_per_s, 250));
}

static void what_was_written_goes_on(void **state)
{
	static struct before other;
	struct trace_before again;
	struct out o;
	(void)state;
	before = (struct before){0};
	for (double s = 0; s < 333; s += .25)
		flows(s, (float)s);
	out_init(&o, 1 << 16);
	before_write(&before, &o);
	struct cur c = cur_over(o.bytes, o.len);
	before_load(&other, &c);
	assert_true(!c.bad && cur_left(&c) == 0);
	for (double s = 333; s < 400; s += .25) {
		flows(s, 7);
		const struct flood_reading r = {.packets_per_s = 7, .bits_per_s = 56000,
						.records_per_s = .7f, .usual_packets_per_s = 90,
						.usual_bits_per_s = 1e6f};
		before_flows(&other, at(s), span_ms(250), &r);
	}
	before_read(&before, at(400), &found);
	before_read(&other, at(400), &again);
	assert_memory_equal(&found, &again, sizeof(found));
	for (size_t len = 0; len < o.len; len += 3) {
		c = cur_over(o.bytes, len);
		before_load(&other, &c);
		assert_true(c.bad);
	}
	out_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_told_of_what_was_not_seen),
		cmocka_unit_test(steps_are_means_of_the_last_half_hour),
		cmocka_unit_test(a_pause_stays_one),
		cmocka_unit_test(what_was_written_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
