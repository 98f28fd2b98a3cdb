/* SPDX-License-Identifier: Apache-2.0 */
/* The prefix table beside a list that is searched from end to end. */
#include "tally/prefix.h"

#include "base/check.h"
#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static bool covers(const struct prefix *p, uint8_t family, const uint8_t *address)
{
	if (p->family != family)
		return false;
	for (unsigned bit = 0; bit < p->len; bit++) {
		if (((p->address[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8) & 1) != 0)
			return false;
	}
	return true;
}

/* The values of the prefixes around an address, longest first, equal neighbours once. */
static size_t naive(const struct prefix *all, size_t count, uint8_t family, const uint8_t *address,
		    uint32_t *ret_values, size_t room)
{
	size_t n = 0;
	for (int len = 128; len >= 0; len--) {
		for (size_t i = 0; i < count; i++) {
			if (all[i].len != len || !covers(&all[i], family, address))
				continue;
			if (n == 0 || ret_values[n - 1] != all[i].value) {
				assert_true(n < room);
				ret_values[n++] = all[i].value;
			}
			break;
		}
	}
	return n;
}

static void compare(const struct prefix_table *t, const struct prefix *all, size_t count,
		    uint8_t family, const uint8_t *address)
{
	uint32_t values[130];
	size_t n = naive(all, count, family, address, values, WD_COUNT(values));
	uint32_t entry = prefix_find(t, family, address);
	for (size_t i = 0; i < n; i++) {
		assert_true(entry != PREFIX_NONE);
		assert_int_equal(prefix_value(t, entry), values[i]);
		entry = prefix_parent(t, entry);
	}
	assert_true(entry == PREFIX_NONE);
}

static void mask(struct prefix *p)
{
	for (unsigned bit = p->len; bit < 128; bit++)
		p->address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

/* Addresses from few different bytes, so that prefixes nest and touch. */
static void address_random(struct prng *r, uint8_t family, uint8_t *address)
{
	static const uint8_t bytes[] = {0, 1, 127, 128, 254, 255};
	memset(address, 0, 16);
	bool wild = prng_below(r, 3) == 0;
	for (size_t i = 0; i < (family == 4 ? 4 : 16); i++)
		address[i] = wild ? (uint8_t)prng_u64(r) : bytes[prng_below(r, sizeof(bytes))];
}

static struct prefix prefix_random(struct prng *r)
{
	struct prefix p = {.family = prng_below(r, 2) ? 4 : 6, .value = prng_below(r, 7)};
	unsigned bits = p.family == 4 ? 32 : 128;
	p.len = (uint8_t)(prng_below(r, 4) == 0 ? bits : prng_below(r, bits + 1));
	address_random(r, p.family, p.address);
	mask(&p);
	return p;
}

static void finds_what_a_list_finds(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct prng r = prng_of(seed, 1);
		struct prefix all[60];
		size_t count = 0, wanted = prng_below(&r, WD_COUNT(all) + 1);
		while (count < wanted) {
			struct prefix p = prefix_random(&r);
			for (size_t i = 0; i < count; i++) { /* one value a prefix */
				if (all[i].family == p.family && all[i].len == p.len &&
				    memcmp(all[i].address, p.address, 16) == 0)
					p.value = all[i].value;
			}
			all[count++] = p;
		}
		struct prefix_table *t = NULL;
		assert_int_equal(prefix_open(all, count, &t, NULL), WD_OK);
		for (size_t i = 0; i < 300; i++) {
			uint8_t address[16], family = i % 2 ? 4 : 6;
			address_random(&r, family, address);
			compare(t, all, count, family, address);
		}
		for (size_t i = 0; i < count; i++) { /* the first and last of each, and beside */
			uint8_t address[16];
			memcpy(address, all[i].address, 16);
			compare(t, all, count, all[i].family, address);
			int bits = all[i].family == 4 ? 32 : 128;
			for (int step = 0; step < 2; step++) {
				for (int bit = bits - 1; bit >= (step ? 0 : all[i].len); bit--) {
					uint8_t one = (uint8_t)(0x80 >> bit % 8);
					address[bit / 8] ^= one;
					if (step == 1 && (address[bit / 8] & one) != 0)
						break; /* carried: one after the last */
				}
				compare(t, all, count, all[i].family, address);
			}
		}
		prefix_close(t);
	}
}

static void a_hundred_thousand_prefixes_fit(void **state)
{
	(void)state;
	static struct prefix all[PREFIXES_MAX];
	static const unsigned kinds[][2] = {{4, 32}, {4, 24}, {6, 128}, {6, 48}};
	for (size_t kind = 0; kind < WD_COUNT(kinds); kind++) {
		struct prng r = prng_of(kind, 2);
		size_t count = 100000;
		for (size_t i = 0; i < count; i++) {
			all[i] = (struct prefix){.family = (uint8_t)kinds[kind][0],
						 .len = (uint8_t)kinds[kind][1]};
			for (size_t k = 0; k < (all[i].family == 4 ? 4 : 16); k++)
				all[i].address[k] = (uint8_t)prng_u64(&r);
			mask(&all[i]);
			all[i].value = (uint32_t)all[i].address[1];
		}
		struct prefix_table *t = NULL;
		assert_int_equal(prefix_open(all, count, &t, NULL), WD_OK);
		print_message("100,000 random IPv%u /%u: %zu KB\n", kinds[kind][0], kinds[kind][1],
			      prefix_memory(t) >> 10);
		assert_true(prefix_memory(t) <= PREFIX_MEMORY_MAX);
		for (size_t i = 0; i < count; i++) {
			uint32_t entry = prefix_find(t, all[i].family, all[i].address);
			assert_true(entry != PREFIX_NONE);
			assert_int_equal(prefix_value(t, entry), all[i].value);
		}
		prefix_close(t);
	}
}

static void refused(const struct prefix *all, size_t count, uint32_t at, enum wd_err expected)
{
	struct prefix_table *t = NULL;
	struct wd_why why = {0};
	assert_int_equal(prefix_open(all, count, &t, &why), expected);
	assert_int_equal(why.at, at);
	assert_null(t);
}

static void what_is_no_prefix_is_refused_with_its_index(void **state)
{
	(void)state;
	struct prefix good = {.address = {10}, .family = 4, .len = 8, .value = 1};
	struct prefix all[2] = {good, good};
	all[1].len = 33;
	refused(all, 2, 1, WD_MALFORMED);
	all[1] = (struct prefix){.address = {10, 1}, .family = 4, .len = 8, .value = 1};
	refused(all, 2, 1, WD_MALFORMED);
	all[1] = (struct prefix){.address = {[8] = 1}, .family = 6, .len = 64, .value = 1};
	refused(all, 2, 1, WD_MALFORMED);
	all[1] = (struct prefix){.address = {[15] = 1}, .family = 4, .len = 32, .value = 1};
	refused(all, 2, 1, WD_MALFORMED);
	all[1] = good;
	all[1].family = 5;
	refused(all, 2, 1, WD_MALFORMED);
	all[1] = good;
	all[1].value = 2;
	refused(all, 2, 1, WD_MALFORMED);
	all[1].value = UINT32_MAX;
	refused(all, 2, 1, WD_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_list_finds),
		cmocka_unit_test(a_hundred_thousand_prefixes_fit),
		cmocka_unit_test(what_is_no_prefix_is_refused_with_its_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
