/* SPDX-License-Identifier: Apache-2.0 */
/* Data whose template has not come yet, in a ring: what is oldest goes first, and no exporter
 * has more than a quarter of it. */
#include "base/check.h"
#include "decode/export_store.h"

#include <string.h>

/* What an entry takes at least, so that a full ring is soon looked through. */
enum { ENTRY_MIN = 256 };

static struct held *entry(struct exports *e, uint32_t at)
{
	return (struct held *)(void *)(e->ring + at);
}

/* Its exporter, or NULL if that has been forgotten since. */
static struct exporter *owner(struct exports *e, const struct held *h)
{
	struct exporter *x = &e->exporters[h->exporter];
	return x->rank != RANK_FREE && x->generation == h->generation ? x : NULL;
}

static void drop_oldest(struct exports *e)
{
	struct held *h = entry(e, e->ring_tail);
	if (h->size == 0) {
		e->ring_used -= e->limits.held_bytes - e->ring_tail;
		e->ring_tail = 0;
		return;
	}
	struct exporter *x = owner(e, h);
	if (!h->used) {
		struct export_counts *c = x != NULL ? &x->counts : &e->totals.counts;
		c->held_dropped++;
	}
	if (x != NULL)
		x->held_bytes -= h->size;
	e->ring_used -= h->size;
	e->ring_tail += h->size;
	if (e->ring_tail == e->limits.held_bytes)
		e->ring_tail = 0;
}

/* Drops from the tail what has been used or is too old. */
static void tidy(struct exports *e, wd_wall now)
{
	while (e->ring_used > 0) {
		const struct held *h = entry(e, e->ring_tail);
		if (h->size != 0 && !h->used && wall_sub(now, h->at).ns <= e->limits.held_life.ns)
			return;
		drop_oldest(e);
	}
}

void store_hold(struct exports *e, const struct held *what, const uint8_t *bytes)
{
	struct exporter *x = &e->exporters[what->exporter];
	uint32_t size = (uint32_t)(sizeof(*what) + (what->len + 7) / 8 * 8);
	uint32_t ring = e->limits.held_bytes;
	size = size < ENTRY_MIN ? ENTRY_MIN : size;
	tidy(e, what->at);
	if (size + sizeof(*what) > ring || x->held_bytes + size > ring / 4) {
		x->counts.held_dropped++;
		x->counts.held++;
		return;
	}
	if (ring - e->ring_head < size) { /* the rest of the ring stays empty */
		uint32_t rest = ring - e->ring_head;
		while (ring - e->ring_used < rest)
			drop_oldest(e);
		memset(e->ring + e->ring_head, 0, 8);
		e->ring_used += rest;
		e->ring_head = 0;
	}
	while (ring - e->ring_used < size)
		drop_oldest(e);
	struct held *h = entry(e, e->ring_head);
	*h = *what;
	h->size = size;
	memcpy(h + 1, bytes, what->len);
	e->ring_head = e->ring_head + size == ring ? 0 : e->ring_head + size;
	e->ring_used += size;
	e->held_left = e->ring_used;
	x->held_bytes += size;
	x->counts.held++;
}

void store_held_ready(struct exports *e, uint32_t exporter)
{
	struct exporter *x = &e->exporters[exporter];
	if (x->held_bytes == 0)
		return;
	e->ready = true;
	x->ready = e->round;
	e->held_left = e->ring_used;
}

/* It goes on where it stood: held_left counts from the head, so that what goes at the tail does
 * not matter. */
struct held *store_held_next(struct exports *e, wd_wall now)
{
	uint32_t ring = e->limits.held_bytes;
	tidy(e, now);
	e->held_left = e->held_left < e->ring_used ? e->held_left : e->ring_used;
	while (e->held_left > 0) {
		uint32_t head = e->ring_head, left = e->held_left;
		struct held *h = entry(e, head >= left ? head - left : head + (ring - left));
		bool filled = h->size != 0;
		e->held_left -= filled ? h->size : left - head;
		if (!filled || h->used)
			continue;
		const struct exporter *x = owner(e, h);
		if (x != NULL && x->ready == e->round &&
		    store_template(e, h->exporter, h->template_id, now) != NULL)
			return h;
	}
	e->ready = false;
	e->round += e->round == UINT32_MAX ? 2 : 1;
	return NULL;
}

void store_held_done(struct exports *e, struct held *h)
{
	struct exporter *x = owner(e, h);
	WD_CHECK(x != NULL && !h->used);
	h->used = true;
	x->counts.held_used++;
}
