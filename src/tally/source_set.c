/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/source_set.h"

#include "base/hash.h"

#include <math.h>
#include <string.h>

#define WEEK_NS (7 * 86400 * WD_NS_PER_S)

enum { BITS = 1 << SOURCE_MEMORY_BITS };

/* Where the hash is, or would be. */
static uint32_t place_of(const struct source_set *s, uint64_t hash)
{
	uint32_t low = 0, high = s->count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (s->hashes[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void source_set_add(struct source_set *s, uint64_t hash)
{
	uint32_t at = place_of(s, hash);
	if (at == SOURCE_SET_MAX || (at < s->count && s->hashes[at] == hash))
		return;
	uint32_t kept = s->count < SOURCE_SET_MAX ? s->count : SOURCE_SET_MAX - 1;
	memmove(&s->hashes[at + 1], &s->hashes[at], (kept - at) * sizeof(s->hashes[0]));
	s->hashes[at] = hash;
	s->count = kept + 1;
}

void source_set_merge(struct source_set *s, const struct source_set *other)
{
	for (uint32_t i = 0; i < other->count; i++)
		source_set_add(s, other->hashes[i]);
}

/* How many there are, if `highest` is the count-th lowest hash and there may be more. */
static double estimate(uint32_t count, uint64_t highest)
{
	if (count < SOURCE_SET_MAX)
		return count;
	return (count - 1) / (((double)highest + 1) * 0x1p-64);
}

double source_set_count(const struct source_set *s)
{
	return s->count == 0 ? 0 : estimate(s->count, s->hashes[s->count - 1]);
}

/* The lowest hashes of both sets together: how many, how many are in both, and the highest. */
struct both { uint32_t count, shared; uint64_t highest; };

static struct both both_of(const struct source_set *a, const struct source_set *b)
{
	struct both both = {0, 0, 0};
	uint32_t i = 0, k = 0;
	while (both.count < SOURCE_SET_MAX && (i < a->count || k < b->count)) {
		uint64_t x = i < a->count ? a->hashes[i] : UINT64_MAX;
		uint64_t y = k < b->count ? b->hashes[k] : UINT64_MAX;
		bool from_a = i < a->count && x <= y, from_b = k < b->count && y <= x;
		both.highest = x < y ? x : y;
		both.shared += from_a && from_b;
		both.count++;
		i += from_a;
		k += from_b;
	}
	return both;
}

double source_set_jaccard(const struct source_set *a, const struct source_set *b)
{
	struct both both = both_of(a, b);
	return both.count == 0 ? 0 : (double)both.shared / both.count;
}

double source_set_shared(const struct source_set *a, const struct source_set *b)
{
	struct both both = both_of(a, b);
	double count = source_set_count(a);
	if (count <= 0)
		return 0;
	double all = estimate(both.count, both.highest);
	return fmin(1, all * both.shared / both.count / count);
}

void source_memory_advance(struct source_memory *m, wd_wall now)
{
	wd_wall week = {floor_div(now.ns, WEEK_NS) * WEEK_NS};
	if (m->begin.ns == 0)
		m->begin = week;
	int64_t weeks = (week.ns - m->begin.ns) / WEEK_NS;
	if (weeks <= 0)
		return;
	for (int64_t i = 0; i < weeks && i < SOURCE_MEMORY_WEEKS; i++) {
		m->at = (m->at + 1) % SOURCE_MEMORY_WEEKS;
		m->set[m->at] = 0;
		memset(m->weeks[m->at], 0, sizeof(m->weeks[m->at]));
	}
	m->begin = week;
}

/* Two bits, from two parts of the hash that sketches by its highest bits do not share. */
static uint32_t bit_of(uint64_t hash, unsigned which)
{
	uint64_t mixed = hash_mix(hash);
	return (uint32_t)(mixed >> (which * SOURCE_MEMORY_BITS)) & (BITS - 1);
}

void source_memory_add(struct source_memory *m, uint64_t hash, wd_wall now)
{
	source_memory_advance(m, now);
	uint64_t *week = m->weeks[m->at];
	if (m->set[m->at] >= BITS / 2) {
		m->refused++;
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		uint32_t bit = bit_of(hash, i);
		m->set[m->at] += (week[bit / 64] >> bit % 64 & 1) == 0;
		week[bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

bool source_memory_has(const struct source_memory *m, uint64_t hash)
{
	uint32_t a = bit_of(hash, 0), b = bit_of(hash, 1);
	for (size_t i = 0; i < SOURCE_MEMORY_WEEKS; i++) {
		const uint64_t *week = m->weeks[i];
		if ((week[a / 64] >> a % 64 & week[b / 64] >> b % 64 & 1) != 0)
			return true;
	}
	return false;
}

double source_memory_false(const struct source_memory *m)
{
	double no = 1;
	for (size_t i = 0; i < SOURCE_MEMORY_WEEKS; i++) {
		double full = (double)m->set[i] / BITS;
		no *= 1 - full * full;
	}
	return 1 - no;
}

double source_memory_new_share(const struct source_memory *m, uint64_t known, uint64_t count)
{
	bool empty = true;
	for (size_t i = 0; i < SOURCE_MEMORY_WEEKS; i++)
		empty = empty && m->set[i] == 0;
	if (count == 0 || empty)
		return -1;
	/* yes = old + new * false */
	double unknown = 1 - (double)known / (double)count;
	return fmin(1, unknown / (1 - source_memory_false(m)));
}
