/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/rate.h"

#include "base/hash.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static wd_mono at_ms(int64_t ms)
{
	return (wd_mono){ms * 1000000};
}

static struct rate *open_rate(size_t clients)
{
	struct rate *r = NULL;
	assert_int_equal(rate_open(clients, &r), WD_OK);
	return r;
}

static void a_burst_passes_and_then_the_rate_holds(void **state)
{
	static const struct rate_limits limits = {.client_per_s = 2, .client_burst = 5};
	struct rate *r = open_rate(64);
	uint32_t wait = 0;
	int passed = 0;
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(1000), &wait), RATE_PASSES);
	assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(1000), &wait), RATE_CLIENT_OVER);
	assert_int_equal(wait, 1);
	/* Another client has its own bucket. */
	assert_int_equal(rate_take(r, &limits, 8, 1, at_ms(1000), &wait), RATE_PASSES);
	for (int ms = 1001; ms <= 61000; ms++)
		passed += rate_take(r, &limits, 7, 1, at_ms(ms), &wait) == RATE_PASSES;
	assert_in_range(passed, 119, 121);
	rate_close(r);
}

static void who_waits_as_told_passes(void **state)
{
	static const struct rate_limits limits = {.client_per_s = 1.0 / 60, .client_burst = 3};
	struct rate *r = open_rate(64);
	uint32_t wait = 0;
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(0), &wait), RATE_PASSES);
	for (int64_t ms = 0, i = 0; i < 50; i++) {
		assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(ms), &wait), RATE_CLIENT_OVER);
		assert_in_range(wait, 1, 60);
		ms += wait * 1000;
		assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(ms), &wait), RATE_PASSES);
	}
	rate_close(r);
}

static void all_together_have_a_rate_too(void **state)
{
	static const struct rate_limits limits = {.client_per_s = 1, .client_burst = 1, .all_per_s = 100};
	struct rate *r = open_rate(1024);
	uint32_t wait = 0;
	int passed = 0;
	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		passed += rate_take(r, &limits, i, 1, at_ms(5), &wait) == RATE_PASSES;
	assert_int_equal(passed, 100);
	assert_int_equal(rate_take(r, &limits, 5000, 1, at_ms(5), &wait), RATE_ALL_OVER);
	assert_int_equal(wait, 1);
	/* Who was refused for the others' sake paid nothing. */
	assert_int_equal(rate_take(r, &limits, 5000, 1, at_ms(1005), &wait), RATE_PASSES);
	rate_close(r);
}

static void a_large_cost_is_let_through_once_and_paid_off(void **state)
{
	static const struct rate_limits limits = {.client_per_s = 100, .client_burst = 100};
	struct rate *r = open_rate(64);
	uint32_t wait = 0;
	(void)state;
	assert_int_equal(rate_take(r, &limits, 7, 1000, at_ms(0), &wait), RATE_PASSES);
	assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(0), &wait), RATE_CLIENT_OVER);
	assert_int_equal(wait, 9 + 1);
	assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(8900), &wait), RATE_CLIENT_OVER);
	assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(9100), &wait), RATE_PASSES);
	assert_int_equal(rate_take(r, &limits, 7, UINT32_MAX, at_ms(99999), &wait), RATE_PASSES);
	assert_int_equal(rate_take(r, &limits, 7, 1, at_ms(99999), &wait), RATE_CLIENT_OVER);
	assert_int_equal(wait, 86400);
	rate_close(r);
}

static void no_limit_means_none(void **state)
{
	static const struct rate_limits none;
	struct rate *r = open_rate(64);
	uint32_t wait = 0;
	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_int_equal(rate_take(r, &none, 7, 1, at_ms(0), &wait), RATE_PASSES);
	rate_close(r);
}

static void a_hundred_thousand_senders_take_no_more_memory(void **state)
{
	static const struct rate_limits limits = {.client_per_s = 1, .client_burst = 2};
	struct rate *r = open_rate(1024);
	uint32_t wait = 0;
	size_t before = mallinfo2().uordblks;
	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		(void)rate_take(r, &limits, hash_mix(i), 1, at_ms((int64_t)i), &wait);
	assert_int_equal(mallinfo2().uordblks, before);
	rate_close(r);
}

static void who_sends_too_much_is_remembered_among_many_who_do_not(void **state)
{
	static const struct rate_limits limits = {.client_per_s = 1, .client_burst = 5};
	struct rate *r = open_rate(1024);
	uint32_t wait = 0;
	uint64_t other = 1;
	int passed = 0;
	(void)state;
	/* Ten seconds: one sender tries each ms, 100 others a second send once and go. */
	for (int64_t ms = 0; ms < 10000; ms++) {
		passed += rate_take(r, &limits, 7, 1, at_ms(ms), &wait) == RATE_PASSES;
		if (ms % 10 == 0)
			(void)rate_take(r, &limits, hash_mix(++other), 1, at_ms(ms), &wait);
	}
	assert_in_range(passed, 14, 16);
	rate_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_then_the_rate_holds),
		cmocka_unit_test(who_waits_as_told_passes),
		cmocka_unit_test(all_together_have_a_rate_too),
		cmocka_unit_test(a_large_cost_is_let_through_once_and_paid_off),
		cmocka_unit_test(no_limit_means_none),
		cmocka_unit_test(a_hundred_thousand_senders_take_no_more_memory),
		cmocka_unit_test(who_sends_too_much_is_remembered_among_many_who_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
