/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prng.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void same_seed_and_stream_give_the_same_numbers(void **state)
{
	(void)state;
	struct prng a = prng_of(7, 3), b = prng_of(7, 3), other = prng_of(7, 4),
		    seed = prng_of(8, 3);
	int same_stream = 0, same_seed = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t n = prng_u64(&a);
		assert_true(n == prng_u64(&b));
		same_stream += n == prng_u64(&other);
		same_seed += n == prng_u64(&seed);
	}
	assert_int_equal(same_stream, 0);
	assert_int_equal(same_seed, 0);
}

/* The first outputs of xoshiro256** for the state {1, 2, 3, 4}, worked out from the
 * published algorithm: 2*5 rotl 7 * 9 = 11520; then the state is {7, 0, 262146, …}. */
static void the_generator_is_xoshiro256_starstar(void **state)
{
	(void)state;
	struct prng r = {{1, 2, 3, 4}};
	assert_true(prng_u64(&r) == 11520);
	assert_true(prng_u64(&r) == 0);
	assert_true(prng_u64(&r) == 1509978240);
}

static void below_reaches_all_and_only_what_is_below(void **state)
{
	(void)state;
	struct prng r = prng_of(1, 1);
	int seen[7] = {0};
	for (int i = 0; i < 7000; i++) {
		uint32_t n = prng_below(&r, 7);
		assert_in_range(n, 0, 6);
		seen[n]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(prng_below(&r, 1), 0);
}

static void poisson_has_its_mean_and_variance_in_both_branches(void **state)
{
	(void)state;
	static const double means[] = {0.02, 1.0, 9.0, 29.9, 30.1, 250.0, 40000.0};
	for (size_t m = 0; m < WD_COUNT(means); m++) {
		struct prng r = prng_of(99, m);
		double sum = 0, squares = 0, n = 200000;
		for (int i = 0; i < 200000; i++) {
			double x = (double)prng_poisson(&r, means[m]) - means[m];
			sum += x;
			squares += x * x;
		}
		double mean_error = sum / n, variance = squares / n;
		/* Five standard errors. */
		assert_true(fabs(mean_error) < 5 * sqrt(means[m] / n));
		assert_true(fabs(variance / means[m] - 1) < 5 * sqrt((2 + 1 / means[m]) / n));
	}
}

static void a_mean_that_is_no_rate_is_taken_as_the_nearest(void **state)
{
	(void)state;
	struct prng r = prng_of(5, 5);
	assert_true(prng_poisson(&r, -3.0) == 0);
	assert_true(prng_poisson(&r, 0.0) == 0);
	assert_true(prng_poisson(&r, NAN) == 0);
	assert_true(prng_poisson(&r, INFINITY) < 1001000000);
}

static void normal_has_mean_0_and_variance_1(void **state)
{
	(void)state;
	struct prng r = prng_of(2, 2);
	double sum = 0, squares = 0;
	for (int i = 0; i < 200000; i++) {
		double x = prng_normal(&r);
		sum += x;
		squares += x * x;
	}
	assert_true(fabs(sum / 200000) < 0.012);
	assert_true(fabs(squares / 200000 - 1) < 0.016);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_and_stream_give_the_same_numbers),
		cmocka_unit_test(the_generator_is_xoshiro256_starstar),
		cmocka_unit_test(below_reaches_all_and_only_what_is_below),
		cmocka_unit_test(poisson_has_its_mean_and_variance_in_both_branches),
		cmocka_unit_test(a_mean_that_is_no_rate_is_taken_as_the_nearest),
		cmocka_unit_test(normal_has_mean_0_and_variance_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
