/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/who.h"

#include "base/prng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct who who;
static struct source_set set, apart[3];

/* Each slot's sources are what a set of its own would have of those below the common bound. */
static void sources_of_a_slot_are_those_that_took_part_in_it(void **state)
{
	struct prng r = prng_of(5, 5);
	uint64_t some[5000];
	(void)state;
	memset(&who, 0, sizeof(who));
	memset(apart, 0, sizeof(apart));
	for (size_t n = 0; n < 5000; n++)
		some[n] = prng_u64(&r) | 1;
	for (uint32_t n = 0; n < 60000; n++) {
		/* Slot 0 has all of them, 1 the first thousand, 2 the last hundred. */
		uint32_t slot = prng_below(&r, 3);
		uint64_t hash = slot == 0 ? some[prng_below(&r, 5000)]
					  : slot == 1 ? some[prng_below(&r, 1000)]
						      : some[4900 + prng_below(&r, 100)];
		who_add(&who, hash, (uint8_t)(1U << slot));
		source_set_add(&apart[slot], hash);
	}
	assert_int_equal(who.set.count, SOURCE_SET_MAX);
	for (uint32_t n = 1; n < who.set.count; n++)
		assert_true(who.set.hashes[n - 1] < who.set.hashes[n]);
	for (uint8_t slot = 0; slot < 3; slot++) {
		who_of(&who, (uint8_t)(1U << slot), &set);
		assert_true(set.below == who.set.below && set.below != 0);
		for (uint32_t n = 0; n < set.count; n++)
			assert_true(set.hashes[n] == apart[slot].hashes[n]);
		assert_true(set.count == apart[slot].count ||
			    apart[slot].hashes[set.count] >= set.below);
	}
	who_of(&who, 1, &set);
	assert_true(fabs(source_set_count(&set) - 5000) < 4 * 5000 / sqrt(1022));
	who_of(&who, 2, &set);
	assert_true(fabs(source_set_count(&set) - 1000) < 4 * 1000 / sqrt(set.count));
	who_of(&who, 2 | 4, &set);
	assert_true(fabs(source_set_count(&set) - 1100) < 4 * 1100 / sqrt(set.count));
	who_of(&who, 8, &set);
	assert_int_equal(set.count, 0);
}

static void a_set_is_taken_in_with_its_bound(void **state)
{
	struct prng r = prng_of(6, 6);
	(void)state;
	memset(&who, 0, sizeof(who));
	memset(&apart[0], 0, sizeof(apart[0]));
	for (uint64_t n = 0; n < 40; n++)
		who_add(&who, UINT64_MAX / 64 * (n + 1), 1);
	for (uint32_t n = 0; n < 4 * SOURCE_SET_MAX; n++)
		source_set_add(&apart[0], prng_u64(&r));
	who_merge(&who, &apart[0], 2);
	assert_int_equal(who.set.count, SOURCE_SET_MAX);
	assert_true(who.set.below <= apart[0].below);
	for (uint32_t n = 0; n < who.set.count; n++)
		assert_true(who.set.hashes[n] < who.set.below &&
			    (who.slots[n] == 1 || who.slots[n] == 2));
	who_of(&who, 1, &set);
	assert_true(set.count > 10 && set.count < 40); /* what lay above is gone */
	for (uint32_t n = 0; n < set.count; n++)
		assert_true(set.hashes[n] == UINT64_MAX / 64 * (n + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_of_a_slot_are_those_that_took_part_in_it),
		cmocka_unit_test(a_set_is_taken_in_with_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
