/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/ranges.h"

#include "base/check.h"

#include <stdlib.h>

enum { TOP = 1 << 16 };

/* What the recursion carries along. */
struct builder {
	struct ranges *r;
	const struct range *ranges;
	size_t slice_max; /* 0: nodes all the way */
	size_t memory_max;
	enum wd_err err;
};

/* Entries of a node or of the top while it is being made: equal neighbours are one. */
struct row { uint32_t entries[256]; uint64_t begins[4]; uint32_t count; };

uint32_t range_slice_find(const struct ranges *r, uint32_t entry, const uint8_t address[16])
{
	struct range_key key = range_key_of(address);
	uint32_t count = (entry >> 2 & 7) + 1, first = entry >> 5, below = 0;
	for (uint32_t i = 0; i < count; i++)
		below += range_key_compare(r->starts[first + i], key) <= 0;
	return r->values[first + below - 1]; /* the first start of all is 0 and in no slice */
}

static uint8_t byte_of(struct range_key k, unsigned at)
{
	return (uint8_t)(at < 8 ? k.high >> (56 - 8 * at) : k.low >> (120 - 8 * at));
}

/* All bytes after `at` are 0. */
static bool ends_at(struct range_key k, unsigned at)
{
	if (at < 7)
		return k.high << (8 * (at + 1)) == 0 && k.low == 0;
	return at == 15 || k.low << (8 * (at - 7)) == 0;
}

static void row_add(struct row *row, uint32_t from, uint32_t entry)
{
	if (row->count > 0 && (entry & RANGES_TAG) == RANGES_IS_VALUE &&
	    row->entries[row->count - 1] == entry)
		return;
	row->entries[row->count++] = entry;
	row->begins[from >> 6] |= UINT64_C(1) << (from & 63);
}

static void *grown(struct builder *b, void *array, size_t *room, size_t need, size_t size)
{
	if (need <= *room)
		return array;
	size_t wanted = *room * 2 > need ? *room * 2 : need + 64;
	if (ranges_memory(b->r) + (wanted - *room) * size > b->memory_max) {
		b->err = WD_FULL;
		return NULL;
	}
	void *larger = realloc(array, wanted * size);
	if (larger == NULL)
		b->err = WD_NOMEM;
	else
		*room = wanted;
	return larger;
}

/* The entry of a new node; 0 after a failure, which sticks. */
static uint32_t node_add(struct builder *b, const struct row *row)
{
	struct ranges *r = b->r;
	void *nodes = grown(b, r->nodes, &r->node_room, r->node_count + 1, sizeof(*r->nodes));
	if (nodes == NULL)
		return 0;
	r->nodes = nodes;
	void *entries = grown(b, r->entries, &r->entry_room, r->entry_count + row->count,
			      sizeof(*r->entries));
	if (entries == NULL)
		return 0;
	r->entries = entries;

	struct range_node *n = &r->nodes[r->node_count];
	uint32_t before = 0;
	for (size_t i = 0; i < 4; i++) {
		n->begins[i] = row->begins[i];
		n->before[i] = (uint8_t)before; /* at most 192 */
		before += range_bits(row->begins[i]);
	}
	n->first = (uint32_t)r->entry_count;
	memcpy(r->entries + r->entry_count, row->entries, row->count * sizeof(uint32_t));
	r->entry_count += row->count;
	return (uint32_t)r->node_count++ << 2 | RANGES_IS_NODE;
}

/* The entry for the addresses whose first `at` bytes are given: ranges[first..end) begin
 * inside of these, after their first address, which belongs to ranges[first - 1]. */
static uint32_t build(struct builder *b, size_t first, size_t end, unsigned at)
{
	if (b->err != WD_OK)
		return 0;
	if (first == end)
		return b->ranges[first - 1].value << 2;
	if (end - first <= b->slice_max)
		return (uint32_t)(first << 5 | (end - first - 1) << 2 | RANGES_IS_SLICE);

	struct row row = {.count = 0};
	uint32_t next = 0;
	for (size_t i = first; i < end;) {
		uint32_t byte = byte_of(b->ranges[i].start, at);
		if (next < byte)
			row_add(&row, next, b->ranges[i - 1].value << 2);
		i += ends_at(b->ranges[i].start, at);
		size_t inside = i;
		while (i < end && byte_of(b->ranges[i].start, at) == byte)
			i++;
		row_add(&row, byte, build(b, inside, i, at + 1));
		next = byte + 1;
	}
	if (next < 256)
		row_add(&row, next, b->ranges[end - 1].value << 2);
	return node_add(b, &row);
}

static void build_top(struct builder *b, size_t count)
{
	size_t i = 0;
	for (uint32_t high = 0; high < TOP; high++) {
		struct range_key start = {(uint64_t)high << 48, 0};
		if (i < count && range_key_compare(b->ranges[i].start, start) == 0)
			i++;
		size_t inside = i;
		while (i < count && b->ranges[i].start.high >> 48 == high)
			i++;
		b->r->top[high] = build(b, inside, i, 2);
	}
}

/* Gives back what growing took in advance. */
static void shrink(struct ranges *r)
{
	void *nodes = realloc(r->nodes, (r->node_count + 1) * sizeof(*r->nodes));
	void *entries = realloc(r->entries, (r->entry_count + 1) * sizeof(*r->entries));
	r->nodes = nodes != NULL ? nodes : r->nodes;
	r->entries = entries != NULL ? entries : r->entries;
	r->node_room = r->node_count + 1;
	r->entry_room = r->entry_count + 1;
}

static enum wd_err check(const struct range *ranges, size_t count, unsigned bits,
			 struct wd_why *why)
{
	if (count == 0 || ranges[0].start.high != 0 || ranges[0].start.low != 0)
		return wd_fail(why, WD_MALFORMED, 0, "the first range begins at address 0");
	if (count > RANGES_COUNT_MAX)
		return wd_fail(why, WD_FULL, RANGES_COUNT_MAX, "more than 2^27 ranges");
	for (size_t i = 0; i < count; i++) {
		struct range_key k = ranges[i].start;
		if (ranges[i].value > RANGES_VALUE_MAX)
			return wd_fail(why, WD_MALFORMED, (uint32_t)i, "a value is below 2^30");
		if (i > 0 && range_key_compare(ranges[i - 1].start, k) >= 0)
			return wd_fail(why, WD_MALFORMED, (uint32_t)i, "ranges rise strictly");
		if (bits == 32 && (k.low != 0 || (k.high & UINT32_MAX) != 0))
			return wd_fail(why, WD_MALFORMED, (uint32_t)i, "an address has 32 bits");
	}
	return WD_OK;
}

static bool keep_starts(struct ranges *r, const struct range *ranges, size_t count)
{
	r->starts = malloc(count * sizeof(*r->starts));
	r->values = malloc(count * sizeof(*r->values));
	if (r->starts == NULL || r->values == NULL)
		return false;
	r->start_count = count;
	for (size_t i = 0; i < count; i++) {
		r->starts[i] = ranges[i].start;
		r->values[i] = ranges[i].value;
	}
	return true;
}

enum wd_err ranges_open(const struct range *ranges, size_t count, unsigned bits, size_t memory_max,
			struct ranges **ret_ranges, struct wd_why *why)
{
	WD_CHECK(bits == 32 || bits == 128);
	enum wd_err err = check(ranges, count, bits, why);
	if (err != WD_OK)
		return err;
	struct ranges *r = calloc(1, sizeof(*r));
	struct builder b = {.r = r, .ranges = ranges, .memory_max = memory_max};

	if (r == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open a table of ranges");
	b.slice_max = bits == 128 ? RANGES_SLICE : 0;
	r->top = malloc(TOP * sizeof(*r->top));
	if (r->top == NULL || (bits == 128 && !keep_starts(r, ranges, count)))
		b.err = WD_NOMEM;
	else if (ranges_memory(r) > memory_max)
		b.err = WD_FULL;
	else
		build_top(&b, count);
	if (b.err == WD_OK) {
		shrink(r);
		*ret_ranges = r;
		return WD_OK;
	}
	ranges_close(r);
	return wd_fail(why, b.err, 0, "a table of ranges does not fit into its memory");
}

void ranges_close(struct ranges *r)
{
	if (r == NULL)
		return;
	free(r->top);
	free(r->nodes);
	free(r->entries);
	free(r->starts);
	free(r->values);
	free(r);
}

size_t ranges_memory(const struct ranges *r)
{
	return sizeof(*r) + TOP * sizeof(*r->top) + r->node_room * sizeof(*r->nodes) +
	       r->entry_room * sizeof(*r->entries) +
	       r->start_count * (sizeof(*r->starts) + sizeof(*r->values));
}
