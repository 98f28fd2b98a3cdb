/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/once.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_FIRST = 4096 };

int64_t once_quarter_of(wd_wall t)
{
	int64_t s = wall_to_s(t);
	return floor_div(s, 900);
}

void once_init(struct once *p, size_t used_max)
{
	*p = (struct once){.used_max = used_max};
}

void once_done(struct once *p)
{
	free(p->quarters[0].slots);
	free(p->quarters[1].slots);
	once_init(p, p->used_max);
}

/* The slot that holds key, or the free one where it belongs. */
static uint64_t *slot_of(struct once_quarter *q, uint64_t key)
{
	size_t at = (size_t)hash_mix(key) & (q->size - 1);
	while (q->slots[at] != 0 && q->slots[at] != key)
		at = (at + 1) & (q->size - 1);
	return &q->slots[at];
}

static bool grow(struct once_quarter *q, size_t size)
{
	struct once_quarter larger = {q->quarter, calloc(size, sizeof(*q->slots)), size, q->used};
	if (larger.slots == NULL)
		return false;
	for (size_t n = 0; n < q->size; n++) {
		if (q->slots[n] != 0)
			*slot_of(&larger, q->slots[n]) = q->slots[n];
	}
	free(q->slots);
	*q = larger;
	return true;
}

/* The set of a quarter, emptied if it held another one; NULL if memory ran out. */
static struct once_quarter *quarter_of(struct once *p, int64_t quarter)
{
	struct once_quarter *q = &p->quarters[quarter & 1];
	if (q->slots == NULL && !grow(q, SIZE_FIRST))
		return NULL;
	if (q->quarter != quarter || q->used == 0) {
		if (q->used > 0)
			memset(q->slots, 0, q->size * sizeof(*q->slots));
		q->used = 0;
		q->quarter = quarter;
	}
	return q;
}

bool once_first(struct once *p, int64_t quarter, uint64_t key)
{
	struct once_quarter *q = quarter_of(p, quarter);
	if (q == NULL) {
		p->untracked++;
		return true;
	}
	key += key == 0; /* 0 marks a free slot */
	uint64_t *slot = slot_of(q, key);
	if (*slot == key)
		return false;
	if (q->used >= p->used_max || (2 * (q->used + 1) > q->size && !grow(q, 2 * q->size))) {
		p->untracked++;
		return true;
	}
	*slot_of(q, key) = key; /* growing moved it */
	q->used++;
	return true;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

void once_write(const struct once *p, struct out *o)
{
	out_u64(o, p->untracked);
	for (size_t n = 0; n < 2; n++) {
		const struct once_quarter *q = &p->quarters[n];
		uint64_t *sorted = calloc(q->used + 1, sizeof(*sorted));
		size_t used = 0;
		if (sorted == NULL) {
			o->bad = true;
			return;
		}
		for (size_t at = 0; at < q->size; at++) {
			if (q->slots[at] != 0)
				sorted[used++] = q->slots[at];
		}
		qsort(sorted, used, sizeof(*sorted), compare_u64); /* equal sets, equal bytes */
		out_i64(o, q->quarter);
		out_u64(o, used);
		for (size_t at = 0; at < used; at++)
			out_u64(o, sorted[at]);
		free(sorted);
	}
}

void once_read(struct once *p, struct cur *c)
{
	once_done(p);
	p->untracked = cur_u64(c);
	for (size_t n = 0; n < 2; n++) {
		int64_t quarter = cur_i64(c);
		uint64_t used = cur_u64(c);
		if (used > cur_left(c) / 8 || (used > 0 && (quarter & 1) != (int64_t)n))
			c->bad = true;
		for (uint64_t at = 0; !c->bad && at < used; at++)
			once_first(p, quarter, cur_u64(c));
	}
	if (c->bad)
		once_done(p);
}
