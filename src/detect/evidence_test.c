/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prng.h"
#include "detect/calibrate.h"
#include "detect/evidence.h"
#include "detect/fastmath.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void logarithm_and_exponential_are_accurate(void **state)
{
	(void)state;
	for (double t = 1e-9; t < 1e20; t *= 1.7) {
		double error = fabs((double)fast_log1p((float)t) / log1p((double)(float)t) - 1);

		assert_true(error < 1e-6);
		assert_true(fabs((double)fast_ln((float)t) - log((double)(float)t)) < 1e-5);
	}
	assert_true(fast_log1p(0) == 0);
	for (double x = -79; x <= 0; x += 0.37)
		assert_true(fabs((double)fast_exp((float)x) / exp((double)(float)x) - 1) < 1e-5);
	assert_true(fast_exp(-1000) < 1e-34F);
}

/* The sum of the negative binomial's probabilities from y up. */
static double tail(int y, double mean, double size)
{
	double q = mean / (mean + size), sum = 0;

	for (int k = y; k < y + 100000; k++)
		sum += exp(lgamma(k + size) - lgamma(size) - lgamma(k + 1) + size * log(1 - q) +
			   k * log(q));
	return sum;
}

static void surprise_is_the_tails_probability(void **state)
{
	(void)state;
	static const struct { int y; double mean, size; } cases[] = {
		{8, 2, 4}, {20, 2, 1}, {40, 10, 3}, {30, 10, 1000}, {300, 150, 50}, {24, 4, 2}, {8860, 6184, 6}, {20000, 6000, 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evidence_sample s = {.count = (float)cases[i].y, .cap = 100,
					    .null_mean = (float)cases[i].mean,
					    .size = (float)cases[i].size};
		double exact = -log10(tail(cases[i].y, cases[i].mean, cases[i].size));

		assert_true(fabs(evidence_surprise(&s) - exact) < 0.15);
	}
}

static void surprise_stops_at_the_cap_and_below_the_null(void **state)
{
	(void)state;
	struct evidence_sample s = {.count = 500, .null_mean = 2, .size = 3, .cap = 6};

	assert_true(fabsf(evidence_surprise(&s) - 6 * 0.4343F) < 0.01F);
	s.count = 2;
	assert_true(evidence_surprise(&s) == 0);
}

/* The promise of evidence.h: at the null, 10^h is crossed at most once in 10^h samples. */
static void at_the_null_evidence_crosses_as_seldom_as_stated(void **state)
{
	(void)state;
	static const double means[] = {0.05, 1, 30};

	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		struct prng prng = prng_of(3, i);
		struct evidence e = {{0}, {0}};
		struct evidence_sample s = {
			.null_mean = (float)means[i], .size = (float)means[i] * 100, .cap = 40,
			.far_mean = (float)means[i], .far_size = (float)means[i] * 100};
		int crossings[3] = {0, 0, 0};
		bool over[3] = {false, false, false};

		for (int t = 0; t < 200000; t++) {
			s.count = (float)prng_poisson(&prng, means[i]);
			float decades = evidence_step(&e, &s);

			for (int h = 0; h < 3; h++) {
				crossings[h] += decades >= h + 1 && !over[h];
				over[h] = decades >= h + 1;
			}
		}
		assert_in_range(crossings[0], 0, 20000);
		assert_in_range(crossings[1], 0, 2000);
		assert_in_range(crossings[2], 0, 200);
	}
}

static void the_age_goes_on_over_missing_bins_and_ends_with_the_evidence(void **state)
{
	(void)state;
	struct evidence e = {{0}, {0}};
	struct evidence_sample s = {.count = 20, .null_mean = 2, .size = 5, .far_mean = 2,
				    .far_size = 5, .cap = 6};

	evidence_step(&e, &s);
	assert_int_equal(evidence_age(&e), 1);
	evidence_skip(&e, 7);
	evidence_step(&e, &s);
	assert_int_equal(evidence_age(&e), 9);
	s.count = 0;
	for (int i = 0; i < 1000; i++)
		evidence_step(&e, &s);
	assert_int_equal(evidence_age(&e), 0);
}

static const struct calibrate_plan theory = {
	.above = 1, .scale_prior = 0.4343F, .scale_min = 0.4343F, .log10_rate_prior = -1,
	.unseen = 0.25F};

static void a_series_that_behaves_keeps_its_evidence(void **state)
{
	(void)state;
	struct calibrate c;

	calibrate_init(&c, &theory);
	for (int i = 0; i < 100000; i++)
		calibrate_learn(&c, &theory, i % 500 == 0 ? 1.2F : 0, false);
	for (float e = 0.1F; e < 4.5F; e += 0.1F)
		assert_true(fabsf(calibrate_read(&c, &theory, e) - e) < 0.02F);
}

static void a_bursty_series_loses_power_and_one_outage_does_not_count(void **state)
{
	(void)state;
	struct calibrate bursty, struck;

	calibrate_init(&bursty, &theory);
	calibrate_init(&struck, &theory);
	for (int i = 0; i < 100000; i++) {
		calibrate_learn(&bursty, &theory, i % 300 == 0 ? 1 + (float)(i % 7) : 0, false);
		calibrate_learn(&struck, &theory, i == 5000 ? 80 : 0, false);
	}
	assert_true(calibrate_read(&bursty, &theory, 6) < 3.5F);
	assert_true(calibrate_read(&struck, &theory, 4) > 2);
	float before = 0;

	for (float e = 0; e < 30; e += 0.1F) { /* more evidence is never less unusual */
		float a = calibrate_read(&bursty, &theory, e);

		assert_true(a >= before);
		before = a;
	}
}

static void beyond_what_was_seen_a_decade_counts_less(void **state)
{
	(void)state;
	struct calibrate c;

	calibrate_init(&c, &theory);
	float a = calibrate_read(&c, &theory, 6), b = calibrate_read(&c, &theory, 8);

	assert_true(fabsf(a - 4.5F) < 0.05F); /* 10,000 samples of prior: 4, and a quarter of 2 */
	assert_true(fabsf(b - a - 0.5F) < 0.05F);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithm_and_exponential_are_accurate),
		cmocka_unit_test(surprise_is_the_tails_probability),
		cmocka_unit_test(surprise_stops_at_the_cap_and_below_the_null),
		cmocka_unit_test(at_the_null_evidence_crosses_as_seldom_as_stated),
		cmocka_unit_test(the_age_goes_on_over_missing_bins_and_ends_with_the_evidence),
		cmocka_unit_test(a_series_that_behaves_keeps_its_evidence),
		cmocka_unit_test(a_bursty_series_loses_power_and_one_outage_does_not_count),
		cmocka_unit_test(beyond_what_was_seen_a_decade_counts_less),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
