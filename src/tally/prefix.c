/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/prefix.h"

#include "base/check.h"

#include <stdlib.h>

enum { DEPTH_MAX = 129 }; /* prefixes around one address: lengths 0 to 128 */

struct sorted { struct range_key first, last; uint32_t entry, index; uint8_t len; };

static struct range_key last_of(struct range_key first, unsigned len)
{
	struct range_key last = first;
	if (len < 64)
		last.high |= UINT64_MAX >> len;
	if (len <= 64)
		last.low = UINT64_MAX;
	else if (len < 128)
		last.low |= UINT64_MAX >> (len - 64);
	return last;
}

/* IPv4 addresses stand in the upper 32 bits, so that lengths mean the same in both. */
static enum wd_err prefix_check(const struct prefix *p, uint32_t at, struct wd_why *why)
{
	if (p->family != 4 && p->family != 6)
		return wd_fail(why, WD_MALFORMED, at, "a prefix is of family 4 or 6");
	if (p->len > (p->family == 4 ? 32 : 128))
		return wd_fail(why, WD_MALFORMED, at, "a prefix is longer than an address");
	if (p->value >= RANGES_VALUE_MAX)
		return wd_fail(why, WD_MALFORMED, at, "a value is below 2^30 - 1");
	struct range_key first = range_key_of(p->address);
	bool beyond = p->len < 64 ? (first.high << p->len) != 0 || first.low != 0
				  : p->len < 128 && (first.low << (p->len - 64)) != 0;
	if (beyond || (p->family == 4 && (first.low != 0 || (uint32_t)first.high != 0)))
		return wd_fail(why, WD_MALFORMED, at, "bits are set after the prefix's length");
	return WD_OK;
}

static int rising(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int order = range_key_compare(x->first, y->first);
	if (order != 0)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Makes of nested prefixes ranges that follow each other: an open prefix goes on where one
 * inside of it ends. */
struct sweep {
	struct range *ranges;
	size_t count;
	const struct sorted *open[DEPTH_MAX];
	size_t depth;
};

static void sweep_range(struct sweep *s, struct range_key start, uint32_t value)
{
	if (s->count > 0 && range_key_compare(s->ranges[s->count - 1].start, start) == 0)
		s->count--; /* a longer prefix, or the next, begins at the same address */
	if (s->count == 0 || s->ranges[s->count - 1].value != value)
		s->ranges[s->count++] = (struct range){start, value};
}

/* Closes what ends before `next`, or everything. */
static void sweep_close(struct sweep *s, unsigned bits, const struct range_key *next)
{
	while (s->depth > 0) {
		struct range_key end = s->open[s->depth - 1]->last;
		if (next != NULL && range_key_compare(end, *next) >= 0)
			return;
		s->depth--;
		if (end.high == UINT64_MAX && (bits == 32 || end.low == UINT64_MAX))
			continue; /* up to the last address: nothing goes on after it */
		if (bits == 32)
			end = (struct range_key){end.high + 1, 0};
		else
			end = (struct range_key){end.high + (end.low == UINT64_MAX), end.low + 1};
		sweep_range(s, end, s->depth > 0 ? s->open[s->depth - 1]->entry + 1 : 0);
	}
}

static enum wd_err sweep_all(struct prefix_table *t, const struct prefix *prefixes,
			     struct sorted *sorted, size_t count, struct sweep *s, unsigned bits,
			     struct wd_why *why)
{
	sweep_range(s, (struct range_key){0, 0}, 0);
	for (size_t i = 0; i < count; i++) {
		struct sorted *p = &sorted[i];
		uint32_t value = prefixes[p->index].value;
		sweep_close(s, bits, &p->first);
		const struct sorted *around = s->depth > 0 ? s->open[s->depth - 1] : NULL;
		if (around != NULL && around->len == p->len) {
			if (t->values[around->entry] != value)
				return wd_fail(why, WD_MALFORMED, p->index,
					       "a prefix is given to two services");
			continue;
		}
		p->entry = t->count++;
		t->values[p->entry] = value;
		t->parents[p->entry] = around != NULL ? around->entry : PREFIX_NONE;
		if (around != NULL && t->values[around->entry] == value)
			t->parents[p->entry] = t->parents[around->entry];
		sweep_range(s, p->first, p->entry + 1);
		WD_CHECK(s->depth < DEPTH_MAX);
		s->open[s->depth++] = p;
	}
	sweep_close(s, bits, NULL);
	return WD_OK;
}

static void mark_ours(uint64_t *ours, const struct ranges *r)
{
	for (uint32_t top = 0; top < 1 << 16; top++)
		ours[top >> 6] |= (uint64_t)(r->top[top] != 0) << (top & 63);
}

static enum wd_err family_open(struct prefix_table *t, const struct prefix *prefixes, size_t count,
			       unsigned family, struct wd_why *why)
{
	enum wd_err err = WD_NOMEM;
	struct sorted *sorted = calloc(count + 1, sizeof(*sorted));
	struct sweep s = {.ranges = calloc(2 * count + 2, sizeof(*s.ranges))};
	size_t n = 0;

	if (sorted == NULL || s.ranges == NULL) {
		wd_fail(why, WD_NOMEM, 0, "open the prefix table");
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		if (prefixes[i].family != family)
			continue;
		struct sorted *p = &sorted[n++];
		p->index = (uint32_t)i;
		p->len = prefixes[i].len;
		p->first = range_key_of(prefixes[i].address);
		p->last = last_of(p->first, p->len);
	}
	qsort(sorted, n, sizeof(*sorted), rising);
	unsigned bits = family == 4 ? 32 : 128;
	err = sweep_all(t, prefixes, sorted, n, &s, bits, why);
	if (err != WD_OK)
		goto done;
	struct ranges **ranges = family == 4 ? &t->v4 : &t->v6;
	err = ranges_open(s.ranges, s.count, bits, PREFIX_MEMORY_MAX / 2, ranges, why);
	if (err == WD_OK)
		mark_ours(family == 4 ? t->ours4 : t->ours6, *ranges);
done:
	free(sorted);
	free(s.ranges);
	return err;
}

enum wd_err prefix_open(const struct prefix *prefixes, size_t count,
			struct prefix_table **ret_table, struct wd_why *why)
{
	if (count > PREFIXES_MAX)
		return wd_fail(why, WD_FULL, PREFIXES_MAX, "more than 200,000 prefixes");
	for (size_t i = 0; i < count; i++) {
		enum wd_err err = prefix_check(&prefixes[i], (uint32_t)i, why);
		if (err != WD_OK)
			return err;
	}
	struct prefix_table *t = calloc(1, sizeof(*t));
	enum wd_err err = WD_NOMEM;
	if (t == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open the prefix table");
	t->values = calloc(count + 1, sizeof(*t->values));
	t->parents = calloc(count + 1, sizeof(*t->parents));
	if (t->values == NULL || t->parents == NULL) {
		wd_fail(why, WD_NOMEM, 0, "open the prefix table");
		goto fail;
	}
	err = family_open(t, prefixes, count, 4, why);
	if (err == WD_OK)
		err = family_open(t, prefixes, count, 6, why);
	if (err != WD_OK)
		goto fail;
	*ret_table = t;
	return WD_OK;
fail:
	prefix_close(t);
	return err;
}

void prefix_close(struct prefix_table *t)
{
	if (t == NULL)
		return;
	ranges_close(t->v4);
	ranges_close(t->v6);
	free(t->values);
	free(t->parents);
	free(t);
}

size_t prefix_memory(const struct prefix_table *t)
{
	return sizeof(*t) + ranges_memory(t->v4) + ranges_memory(t->v6) +
	       ((size_t)t->count + 1) * (sizeof(*t->values) + sizeof(*t->parents));
}
