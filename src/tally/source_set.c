/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/source_set.h"

#include "base/hash.h"

#include <math.h>
#include <string.h>

#define WEEK_NS (7 * 86400 * WD_NS_PER_S)

enum { BITS = 1 << SOURCE_MEMORY_BITS };

uint32_t source_set_place(const struct source_set *s, uint64_t hash)
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
	uint32_t at = source_set_place(s, hash);
	if ((s->below != 0 && hash >= s->below) || (at < s->count && s->hashes[at] == hash))
		return;
	if (s->count == SOURCE_SET_MAX) {
		s->below = at == SOURCE_SET_MAX ? hash : s->hashes[SOURCE_SET_MAX - 1];
		if (at == SOURCE_SET_MAX)
			return;
		s->count--;
	}
	memmove(&s->hashes[at + 1], &s->hashes[at], (s->count - at) * sizeof(s->hashes[0]));
	s->hashes[at] = hash;
	s->count++;
}

double source_set_count(const struct source_set *s)
{
	return s->below == 0 ? s->count : s->count / ((double)s->below * 0x1p-64);
}

double source_set_shared(const struct source_set *a, const struct source_set *b)
{
	/* Of the hashes that both would have kept. */
	uint64_t below = a->below == 0 || (b->below != 0 && b->below < a->below) ? b->below
										 : a->below;
	uint32_t a_count = below == 0 ? a->count : source_set_place(a, below);
	uint32_t b_count = below == 0 ? b->count : source_set_place(b, below);
	uint32_t shared = 0;

	for (uint32_t i = 0, k = 0; i < a_count && k < b_count;) {
		uint64_t of_a = a->hashes[i], of_b = b->hashes[k];
		shared += of_a == of_b;
		i += of_a <= of_b;
		k += of_b <= of_a;
	}
	return a_count == 0 ? 0 : (double)shared / a_count;
}

void source_set_without(struct source_set *s, const struct source_memory *m)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		if (!source_memory_has(m, s->hashes[i]))
			s->hashes[kept++] = s->hashes[i];
	}
	s->count = kept;
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

bool source_memory_is_full(const struct source_memory *m)
{
	bool full = false;
	for (size_t i = 0; i < SOURCE_MEMORY_WEEKS; i++)
		full = full || m->set[i] >= BITS / 2;
	return full;
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

/* ---- to bytes and back ---- */

void source_set_write(const struct source_set *s, struct out *o)
{
	out_u32(o, s->count);
	out_u64(o, s->below);
	for (uint32_t i = 0; i < s->count; i++)
		out_u64(o, s->hashes[i]);
}

void source_set_read(struct source_set *s, struct cur *c)
{
	uint32_t count = cur_u32(c);
	s->below = cur_u64(c);
	if (count > SOURCE_SET_MAX)
		c->bad = true;
	for (s->count = 0; s->count < count && !c->bad; s->count++) {
		uint64_t hash = cur_u64(c);
		bool rises = s->count == 0 || hash > s->hashes[s->count - 1];
		if (!rises || (s->below != 0 && hash >= s->below))
			c->bad = true;
		s->hashes[s->count] = hash;
	}
	if (c->bad)
		s->count = 0;
}

enum { WORDS = BITS / 64 };

/* Only words that are not 0: most weeks of most services are nearly empty. */
void source_memory_write(const struct source_memory *m, struct out *o)
{
	out_i64(o, m->begin.ns);
	out_u8(o, (uint8_t)m->at);
	out_u64(o, m->refused);
	for (size_t i = 0; i < SOURCE_MEMORY_WEEKS; i++) {
		uint16_t count = 0;
		for (size_t n = 0; n < WORDS; n++)
			count = (uint16_t)(count + (m->weeks[i][n] != 0));
		out_u16(o, count);
		for (uint16_t n = 0; n < WORDS; n++) {
			if (m->weeks[i][n] == 0)
				continue;
			out_u16(o, n);
			out_u64(o, m->weeks[i][n]);
		}
	}
}

void source_memory_read(struct source_memory *m, struct cur *c)
{
	*m = (struct source_memory){.begin = {cur_i64(c)}, .at = cur_u8(c), .refused = cur_u64(c)};
	for (size_t i = 0; i < SOURCE_MEMORY_WEEKS && !c->bad; i++) {
		uint16_t count = cur_u16(c);
		for (uint16_t n = 0; n < count && !c->bad; n++) {
			uint16_t at = cur_u16(c);
			uint64_t word = cur_u64(c);
			if (at >= WORDS || m->weeks[i][at] != 0)
				c->bad = true;
			else
				m->weeks[i][at] = word;
			for (; word != 0; word &= word - 1)
				m->set[i]++;
		}
	}
	if (m->at >= SOURCE_MEMORY_WEEKS || m->begin.ns < 0)
		c->bad = true;
	if (c->bad)
		*m = (struct source_memory){.at = 0};
}
