/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/hll.h"

#include "base/check.h"
#include "base/prng.h"
#include "tally/address_hash.h"

#include <endian.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The root mean square of the relative error and its mean, over seeds: beside the stated
 * standard error, and no bias. */
static void error_is_as_stated(unsigned bits, uint64_t n, unsigned seeds)
{
	static uint8_t registers[1 << HLL_BITS_MAX];
	double squares = 0, sum = 0, stated = hll_error(bits);
	for (uint64_t seed = 0; seed < seeds; seed++) {
		struct prng r = prng_of(seed, bits);
		memset(registers, 0, sizeof(registers));
		for (uint64_t i = 0; i < n; i++)
			hll_add(registers, bits, prng_u64(&r));
		double error = hll_estimate(registers, bits) / (double)n - 1;
		squares += error * error;
		sum += error;
	}
	double rms = sqrt(squares / seeds), mean = sum / seeds;
	/* 4 standard deviations of both statistics; small counts are better than stated. */
	assert_true(rms < stated * (1 + 4 / sqrt(2.0 * seeds)));
	assert_true(fabs(mean) < stated * 4 / sqrt(seeds));
}

static void the_error_is_as_stated_over_many_seeds(void **state)
{
	(void)state;
	static const unsigned bits[] = {HLL_BITS_MIN, 8, 10, 11, 14};
	static const uint64_t counts[] = {1, 2, 10, 100, 1000, 5000, 20000, 200000};
	for (size_t b = 0; b < WD_COUNT(bits); b++) {
		for (size_t c = 0; c < WD_COUNT(counts); c++)
			error_is_as_stated(bits[b], counts[c], counts[c] > 20000 ? 40 : 200);
	}
}

static void folded_registers_are_those_of_fewer(void **state)
{
	(void)state;
	for (unsigned more = 0; more <= 4; more++) {
		uint8_t many[1 << 11] = {0}, few[1 << 11] = {0}, folded[1 << 11] = {0};
		struct prng r = prng_of(more, 3);
		for (unsigned i = 0; i < 3000; i++) {
			uint64_t hash = i % 50 == 0 ? prng_u64(&r) >> (64 - 11 + more) << 53
						    : prng_u64(&r);
			hll_add(many, 11, hash);
			hll_add(few, 11 - more, hash);
			if (i % 1000 != 999)
				continue;
			hll_fold(folded, 11 - more, many, 11);
			assert_memory_equal(folded, few, (size_t)1 << (11 - more));
		}
	}
}

/* Over many seeds: as wrong as it says, without a bias, and never more than the whole. */
static void a_part_is_as_wrong_as_it_says(void **state)
{
	(void)state;
	enum { PART = 9, WHOLE = 11, SEEDS = 300 };
	static const struct {
		uint64_t part, rest;
	} counts[] = {{20000, 0}, {20000, 200},	  {20000, 5000}, {20000, 20000}, {2000, 60000},
		      {300, 0},	  {300, 300},	  {100, 100000}, {3, 0},	 {3, 7}};
	for (size_t c = 0; c < WD_COUNT(counts); c++) {
		double squares = 0, sum = 0, stated = 0;
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct prng r = prng_of(seed, c);
			uint8_t part[1 << PART] = {0}, whole[1 << WHOLE] = {0};
			for (uint64_t i = 0; i < counts[c].part + counts[c].rest; i++) {
				uint64_t hash = prng_u64(&r);
				hll_add(whole, WHOLE, hash);
				if (i < counts[c].part)
					hll_add(part, PART, hash);
			}
			float says;
			double n = hll_estimate_part(part, PART, whole, WHOLE, &says);
			double error = n / (double)counts[c].part - 1;
			squares += error * error;
			sum += error;
			stated += says * says;
			double all = hll_estimate(whole, WHOLE);
			assert_true(n <= all);
			assert_true(counts[c].rest > 0 || n > 0.999999 * all);
		}
		double rms = sqrt(squares / SEEDS), says = sqrt(stated / SEEDS);
		assert_true(rms < says * (1 + 4 / sqrt(2.0 * SEEDS)));
		assert_true(fabs(sum / SEEDS) < says * 4 / sqrt(SEEDS));
	}
}

static void a_part_of_nothing_is_nothing(void **state)
{
	(void)state;
	uint8_t part[1 << 10] = {0}, whole[1 << 12] = {0};
	float error;
	assert_true(hll_estimate_part(part, 10, whole, 12, &error) == 0);
	assert_true(error > 0.0324F && error < 0.0326F);
	memset(part, 64 - 10 + 1, sizeof(part)); /* damaged: not of the whole */
	assert_true(hll_estimate_part(part, 10, whole, 12, &error) > 1e18);
	memset(whole, 64 - 12 + 1, sizeof(whole));
	assert_true(hll_estimate_part(part, 10, whole, 12, &error) > 1e18);
}

static void nothing_is_none_and_full_registers_are_finite(void **state)
{
	(void)state;
	static uint8_t registers[1 << 10];
	assert_true(hll_estimate(registers, 10) == 0);
	memset(registers, 64 - 10 + 1, sizeof(registers));
	assert_true(hll_estimate(registers, 10) > 1e18);
	memset(registers, 255, sizeof(registers)); /* damaged */
	assert_true(hll_estimate(registers, 10) > 1e18);
	memset(registers, 0, sizeof(registers));
	hll_add(registers, 10, 0);
	assert_int_equal(registers[0], 55); /* 54 zeros and the end */
}

static void merging_is_as_if_one_had_seen_all(void **state)
{
	(void)state;
	static uint8_t a[2048], b[2048], c[2048], all[2048], left[2048], right[2048];
	uint8_t *const parts[] = {a, b, c};
	struct prng r = prng_of(7, 7);
	for (size_t i = 0; i < 30000; i++) {
		uint64_t hash = prng_u64(&r);
		hll_add(parts[prng_below(&r, 3)], 11, hash);
		hll_add(all, 11, hash);
	}
	memcpy(left, a, sizeof(a)); /* (a + b) + c */
	hll_merge(left, b, 11);
	hll_merge(left, c, 11);
	memcpy(right, c, sizeof(c)); /* (c + b) + a, twice */
	hll_merge(right, b, 11);
	hll_merge(right, a, 11);
	hll_merge(right, a, 11);
	assert_memory_equal(left, all, sizeof(all));
	assert_memory_equal(right, all, sizeof(all));
}

/* Addresses in a row, in strides, of one bit each … count like random ones: over keys, the
 * hash shows no more error than the sketch states. */
static void addresses_with_a_pattern_count_like_random_ones(void **state)
{
	(void)state;
	enum { COUNT = 20000, KEYS = 100 };
	static const uint64_t strides[] = {1, 2, 256, 257, 65536, 0x10001, UINT64_C(1) << 40};
	for (size_t family = 4; family <= 6; family += 2) {
		for (size_t s = 0; s < WD_COUNT(strides); s++) {
			double squares = 0, sum = 0;
			for (uint64_t k = 0; k < KEYS; k++) {
				struct hash_key secret = {{(uint8_t)k, (uint8_t)s}};
				struct address_key key = address_key_of(&secret);
				uint8_t registers[1 << 11] = {0};
				for (uint64_t i = 0; i < COUNT; i++) {
					uint8_t address[16] = {0};
					uint64_t x = i * strides[s];
					if (family == 4 && strides[s] >> 32 != 0)
						x = (i << 18) ^ (i >> 14);
					uint64_t big = htobe64(family == 4 ? x << 32 : x);
					memcpy(address + (family == 4 ? 0 : 8), &big, family == 4 ? 4 : 8);
					uint64_t hash = address_hash(&key, address, (uint8_t)family);
					hll_add(registers, 11, hash);
				}
				double error = hll_estimate(registers, 11) / COUNT - 1;
				squares += error * error;
				sum += error;
			}
			double stated = hll_error(11);
			assert_true(sqrt(squares / KEYS) < stated * (1 + 4 / sqrt(2.0 * KEYS)));
			assert_true(fabs(sum / KEYS) < stated * 4 / sqrt(KEYS));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_error_is_as_stated_over_many_seeds),
		cmocka_unit_test(folded_registers_are_those_of_fewer),
		cmocka_unit_test(a_part_is_as_wrong_as_it_says),
		cmocka_unit_test(a_part_of_nothing_is_nothing),
		cmocka_unit_test(nothing_is_none_and_full_registers_are_finite),
		cmocka_unit_test(merging_is_as_if_one_had_seen_all),
		cmocka_unit_test(addresses_with_a_pattern_count_like_random_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
