/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/geo.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCK = 32 };

struct geo {
	struct ranges *v4, *v6;
	struct geo_place *places; /* each once; ranges say which */
	size_t place_count;
};

/* Places by what they are, while the table is built. */
struct index {
	struct geo_place *places;
	uint32_t *slots; /* of 2^bits: place + 1 */
	unsigned bits;
	size_t count;
};

static uint64_t place_bits(struct geo_place p)
{
	uint64_t bits;
	static_assert(sizeof(p) == sizeof(bits), "a place is one word");
	memcpy(&bits, &p, sizeof(bits));
	return bits;
}

static uint32_t index_of(struct index *x, struct geo_place p)
{
	uint64_t bits = place_bits(p);
	size_t mask = ((size_t)1 << x->bits) - 1, at = hash_mix(bits) & mask;
	while (x->slots[at] != 0 && place_bits(x->places[x->slots[at] - 1]) != bits)
		at = (at + 1) & mask;
	if (x->slots[at] == 0) {
		x->places[x->count++] = p;
		x->slots[at] = (uint32_t)x->count;
	}
	return x->slots[at] - 1;
}

static enum wd_err family_open(struct index *x, const struct geo_ranges *from, unsigned bits,
			       struct ranges **ret_ranges, struct wd_why *why)
{
	struct range *ranges = malloc((from->count + 1) * sizeof(*ranges));
	size_t count = 0;
	if (ranges == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open the table of places");
	if (from->count == 0)
		ranges[count++] = (struct range){{0, 0}, index_of(x, (struct geo_place){0})};
	for (size_t i = 0; i < from->count; i++) {
		uint32_t value = index_of(x, from->items[i].place);
		if (count == 0 || ranges[count - 1].value != value)
			ranges[count++] = (struct range){from->items[i].start, value};
	}
	enum wd_err err = ranges_open(ranges, count, bits, GEO_MEMORY_MAX / 2, ret_ranges, why);
	free(ranges);
	return err;
}

enum wd_err geo_open(const struct geo_ranges *v4, const struct geo_ranges *v6,
		     struct geo **ret_geo, struct wd_why *why)
{
	enum wd_err err = WD_NOMEM;
	struct geo *g = calloc(1, sizeof(*g));
	struct index x = {.bits = 4};
	size_t most = v4->count + v6->count + 2;

	if (most > RANGES_COUNT_MAX) {
		free(g);
		return wd_fail(why, WD_FULL, 0, "more than 2^27 ranges of places");
	}
	while ((size_t)1 << x.bits < 2 * most)
		x.bits++;
	x.places = malloc(most * sizeof(*x.places));
	x.slots = calloc((size_t)1 << x.bits, sizeof(*x.slots));
	if (g == NULL || x.places == NULL || x.slots == NULL) {
		wd_fail(why, WD_NOMEM, 0, "open the table of places");
		goto fail;
	}
	err = family_open(&x, v4, 32, &g->v4, why);
	if (err == WD_OK)
		err = family_open(&x, v6, 128, &g->v6, why);
	if (err != WD_OK)
		goto fail;
	void *fewer = realloc(x.places, x.count * sizeof(*x.places));
	g->places = fewer != NULL ? fewer : x.places;
	g->place_count = x.count;
	free(x.slots);
	if (geo_memory(g) > GEO_MEMORY_MAX) {
		geo_close(g);
		return wd_fail(why, WD_FULL, 0, "the table of places takes more than 64 MB");
	}
	*ret_geo = g;
	return WD_OK;
fail:
	free(x.places);
	free(x.slots);
	geo_close(g);
	return err;
}

void geo_close(struct geo *g)
{
	if (g == NULL)
		return;
	ranges_close(g->v4);
	ranges_close(g->v6);
	free(g->places);
	free(g);
}

size_t geo_memory(const struct geo *g)
{
	return sizeof(*g) + ranges_memory(g->v4) + ranges_memory(g->v6) +
	       g->place_count * sizeof(*g->places);
}

struct geo_place geo_find(const struct geo *g, uint8_t family, const uint8_t address[16])
{
	return g->places[ranges_find(family == 4 ? g->v4 : g->v6, address)];
}

/* IPv4 in steps, each of which asks for the memory of the next. */
static void find4(const struct geo *g, const struct geo_address *addresses, size_t count,
		  struct geo_place *ret_places)
{
	const struct ranges *r = g->v4;
	uint32_t entries[BLOCK];
	uint8_t open[BLOCK]; /* those that are not at their value yet */
	size_t open_count = 0;

	for (size_t i = 0; i < count; i++) {
		entries[i] = r->top[range_top_of(addresses[i].address)];
		open[open_count] = (uint8_t)i;
		open_count += (entries[i] & RANGES_TAG) == RANGES_IS_NODE;
		__builtin_prefetch(range_node_of(r, entries[i] & ~3u)); /* or nothing */
	}
	for (size_t at = 2; open_count > 0; at++) {
		const uint32_t *next[BLOCK];
		size_t left = 0;
		for (size_t k = 0; k < open_count; k++) {
			uint8_t i = open[k];
			next[k] = range_entry_of(r, entries[i], addresses[i].address[at]);
			__builtin_prefetch(next[k]);
		}
		for (size_t k = 0; k < open_count; k++) {
			uint8_t i = open[k];
			entries[i] = *next[k];
			open[left] = i;
			left += (entries[i] & RANGES_TAG) == RANGES_IS_NODE;
			__builtin_prefetch(range_node_of(r, entries[i] & ~3u));
		}
		open_count = left;
	}
	for (size_t i = 0; i < count; i++)
		ret_places[i] = g->places[entries[i] >> 2];
}

void geo_find_many(const struct geo *g, const struct geo_address *addresses, size_t count,
		   struct geo_place *ret_places)
{
	for (size_t i = 0; i < count;) {
		size_t n = 0;
		while (n < BLOCK && i + n < count && addresses[i + n].family == 4)
			n++;
		find4(g, addresses + i, n, ret_places + i);
		i += n;
		for (; i < count && addresses[i].family != 4; i++)
			ret_places[i] = geo_find(g, addresses[i].family, addresses[i].address);
	}
}
