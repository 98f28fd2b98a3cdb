/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/source_set.h"

#include "base/check.h"
#include "base/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct source_set a, b;

/* The sources first … first + count - 1 of the world of that seed. */
static void add(struct source_set *s, uint64_t seed, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		source_set_add(s, hash_mix((seed + 1) << 32 | i));
}

static void fill(struct source_set *s, uint64_t seed, uint32_t first, uint32_t count)
{
	memset(s, 0, sizeof(*s));
	add(s, seed, first, count);
}

static void few_sources_are_counted_exactly(void **state)
{
	(void)state;
	fill(&a, 1, 0, 600);
	for (uint32_t i = 0; i < 600; i++) /* again */
		source_set_add(&a, hash_mix(UINT64_C(2) << 32 | i));
	fill(&b, 1, 400, 400);
	assert_true(source_set_count(&a) == 600);
	assert_true(source_set_shared(&a, &b) == 200.0 / 600);
	assert_true(source_set_shared(&b, &a) == 0.5);
	memset(&b, 0, sizeof(b));
	assert_true(source_set_count(&b) == 0);
	assert_true(source_set_shared(&b, &a) == 0 && source_set_shared(&a, &b) == 0);
	assert_true(source_set_shared(&b, &b) == 0);
	source_set_add(&b, UINT64_MAX);
	source_set_add(&b, 0);
	assert_true(source_set_count(&b) == 2 && source_set_shared(&b, &b) == 1);
}

/* 63 % of a's 20,000 are also b's, which has 30,000 more of its own. */
static void errors_are_as_stated_over_many_seeds(void **state)
{
	(void)state;
	enum { SEEDS = 200, A = 20000, SHARED = 12600, B_OWN = 30000 };
	double count = 0, counts = 0, share = 0, shares = 0, compared = 0;
	const double p = (double)SHARED / A;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		fill(&a, seed, 0, A);
		fill(&b, seed, A - SHARED, SHARED + B_OWN);
		double e = source_set_count(&a) / A - 1, d = source_set_shared(&a, &b) - p;
		count += e;
		counts += e * e;
		share += d;
		shares += d * d;
		assert_true(b.below < a.below); /* it is the fuller one */
		compared += source_set_place(&a, b.below);
	}
	double stated = 1 / sqrt(1022), stated_p = sqrt(p * (1 - p) / (compared / SEEDS));
	double slack = 1 + 4 / sqrt(2.0 * SEEDS);
	assert_true(sqrt(counts / SEEDS) < stated * slack);
	assert_true(fabs(count / SEEDS) < stated * 4 / sqrt(SEEDS));
	assert_true(sqrt(shares / SEEDS) < stated_p * slack);
	assert_true(fabs(share / SEEDS) < stated_p * 4 / sqrt(SEEDS));
}

/* What is taken out of two samples leaves them comparable. */
static void usual_sources_can_be_taken_out(void **state)
{
	(void)state;
	struct source_memory *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	for (uint32_t i = 0; i < 3000; i++) /* users of both times */
		source_memory_add(m, hash_mix(UINT64_C(4) << 32 | i), (wd_wall){1});
	fill(&a, 3, 0, 9000);     /* 3000 users, 6000 others */
	fill(&b, 3, 0, 3000);     /* the same users, */
	add(&b, 3, 7000, 6000);   /* 2000 of the others, 4000 more */
	assert_true(source_set_shared(&a, &b) > 0.45); /* (3000 + 2000) / 9000 */
	source_set_without(&a, m);
	source_set_without(&b, m);
	assert_true(fabs(source_set_count(&a) / 6000 - 1) < 0.15);
	assert_true(fabs(source_set_count(&b) / 6000 - 1) < 0.15);
	assert_true(fabs(source_set_shared(&a, &b) - 2.0 / 6) < 0.08);
	assert_true(fabs(source_set_shared(&b, &a) - 2.0 / 6) < 0.08);
	free(m);
}

static void both_survive_writing_and_reading(void **state)
{
	(void)state;
	struct source_memory *m = calloc(1, sizeof(*m)), *again = calloc(1, sizeof(*m));
	struct out o;
	assert_true(m != NULL && again != NULL);
	for (uint32_t i = 0; i < 3000; i++)
		source_memory_add(m, hash_mix(i), (wd_wall){(int64_t)i * 900 * WD_NS_PER_S});
	fill(&a, 5, 0, 5000);
	out_init(&o, 1 << 20);
	source_set_write(&a, &o);
	source_memory_write(m, &o);
	struct cur c = cur_over(o.bytes, o.len);
	memset(&b, 0, sizeof(b));
	source_set_read(&b, &c);
	source_memory_read(again, &c);
	assert_true(!c.bad && cur_left(&c) == 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_equal(m, again, sizeof(*m));
	for (size_t len = 0; len < o.len; len += len < 100 ? 1 : 97) { /* cut, it is none */
		c = cur_over(o.bytes, len);
		source_set_read(&b, &c);
		source_memory_read(again, &c);
		assert_true(c.bad);
		assert_int_equal(again->set[0] + again->set[1] + again->set[2] + again->set[3], 0);
	}
	out_done(&o);
	free(m);
	free(again);
}

static const wd_wall start = {1741600000 * WD_NS_PER_S};

static wd_wall weeks_on(int64_t weeks)
{
	return wall_add(start, span_s(weeks * 7 * 86400));
}

static void what_was_here_is_known_for_weeks_and_then_forgotten(void **state)
{
	(void)state;
	struct source_memory *m = calloc(1, sizeof(*m));
	assert_true(source_memory_new_share(m, 0, 10) == -1);
	for (uint64_t i = 0; i < 5000; i++)
		source_memory_add(m, hash_mix(i + 1), start);
	for (int64_t week = 0; week < SOURCE_MEMORY_WEEKS; week++) {
		source_memory_advance(m, weeks_on(week));
		for (uint64_t i = 0; i < 5000; i++)
			assert_true(source_memory_has(m, hash_mix(i + 1)));
	}
	source_memory_advance(m, weeks_on(SOURCE_MEMORY_WEEKS));
	for (uint64_t i = 0; i < 5000; i++)
		assert_false(source_memory_has(m, hash_mix(i + 1)));
	source_memory_add(m, 1, weeks_on(100));
	assert_true(source_memory_has(m, 1));
	free(m);
}

static void false_yes_is_as_often_as_it_says(void **state)
{
	(void)state;
	enum { ASKED = 200000 };
	struct source_memory *m = calloc(1, sizeof(*m));
	uint64_t next = 1;
	for (int64_t week = 0; week < SOURCE_MEMORY_WEEKS; week++) {
		for (int i = 0; i < 9000 * (week + 1); i++)
			source_memory_add(m, hash_mix(next++), weeks_on(week));
	}
	assert_true(m->refused > 0); /* 36,000 in the last week */
	double stated = source_memory_false(m);
	assert_true(stated > 0.3 && stated < 0.7);
	uint64_t yes = 0;
	for (uint64_t i = 0; i < ASKED; i++)
		yes += source_memory_has(m, hash_mix(UINT64_C(1) << 40 | i));
	assert_true(fabs((double)yes / ASKED - stated) < 0.01);
	/* A crowd of which 70 % is new, among known ones of the first week. */
	yes = 0;
	for (uint64_t i = 0; i < 9000; i++)
		yes += source_memory_has(m, hash_mix(i < 2700 ? i + 1 : UINT64_C(1) << 41 | i));
	assert_true(fabs(source_memory_new_share(m, yes, 9000) - 0.7) < 0.04);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_sources_are_counted_exactly),
		cmocka_unit_test(errors_are_as_stated_over_many_seeds),
		cmocka_unit_test(usual_sources_can_be_taken_out),
		cmocka_unit_test(both_survive_writing_and_reading),
		cmocka_unit_test(what_was_here_is_known_for_weeks_and_then_forgotten),
		cmocka_unit_test(false_yes_is_as_often_as_it_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
