/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/geo_read.h"

#include "base/check.h"
#include "intake/place_inner.h"

#include <stdlib.h>
#include <string.h>

enum {
	NODE_SEPARATOR = 16, /* bytes between tree and data, which records count along */
	CACHE = 1 << 16,
};

static const uint32_t NOTHING = UINT32_MAX; /* no data; an offset is below 2^32 - 16 */

struct list { struct geo_range *items; size_t count, room; };

/* Many nodes lead to the same data: the last ones read, by offset. */
struct cached { uint32_t offset; bool full; struct geo_place place; };

struct walk {
	const MMDB_s *mmdb;
	struct list *to;
	struct cached *cache;
	unsigned bits;
	uint32_t offset; /* of the last range, to join it with the next */
	size_t visits, visits_max;
	enum wd_err err;
};

static bool list_add(struct list *l, struct range_key start, struct geo_place place)
{
	if (l->count > 0 && memcmp(&l->items[l->count - 1].place, &place, sizeof(place)) == 0)
		return true;
	if (l->count == l->room) {
		size_t room = l->room * 2 + 1024;
		struct geo_range *larger = realloc(l->items, room * sizeof(*larger));
		if (larger == NULL)
			return false;
		l->items = larger;
		l->room = room;
	}
	l->items[l->count++] = (struct geo_range){start, place};
	return true;
}

static struct geo_place place_at(struct walk *w, uint32_t offset)
{
	if (offset == NOTHING)
		return (struct geo_place){0};
	struct cached *c = &w->cache[(offset * UINT32_C(0x9e3779b1)) >> 16];
	if (!c->full || c->offset != offset) {
		MMDB_entry_s entry = {w->mmdb, offset};
		struct place place = {0};
		place_find_country(&entry, &place);
		place_find_network(&entry, &place);
		*c = (struct cached){.offset = offset, .full = true};
		c->place.network = place.network;
		memcpy(c->place.country, place.country, 2);
	}
	return c->place;
}

static void emit(struct walk *w, struct range_key start, uint32_t offset)
{
	if (w->to->count > 0 && w->offset == offset)
		return;
	w->offset = offset;
	if (w->to->count >= GEO_RANGES_MAX)
		w->err = WD_FULL;
	else if (!list_add(w->to, start, place_at(w, offset)))
		w->err = WD_NOMEM;
}

/* Everything below one record, in the order of addresses. */
static void walk(struct walk *w, uint64_t record, int type, uint32_t offset, struct range_key start,
		 unsigned depth)
{
	if (w->err != WD_OK)
		return;
	MMDB_search_node_s node;
	if (type != MMDB_RECORD_TYPE_SEARCH_NODE || depth == w->bits) {
		emit(w, start, type == MMDB_RECORD_TYPE_DATA ? offset : NOTHING);
		return;
	}
	if (++w->visits > w->visits_max) {
		w->err = WD_FULL;
		return;
	}
	if (MMDB_read_node(w->mmdb, (uint32_t)record, &node) != MMDB_SUCCESS) {
		emit(w, start, NOTHING); /* damaged */
		return;
	}
	struct range_key right = start;
	if (depth < 64)
		right.high |= UINT64_C(1) << (63 - depth);
	else
		right.low |= UINT64_C(1) << (127 - depth);
	walk(w, node.left_record, node.left_record_type, node.left_record_entry.offset, start,
	     depth + 1);
	walk(w, node.right_record, node.right_record_type, node.right_record_entry.offset, right,
	     depth + 1);
}

static enum wd_err walk_family(const MMDB_s *mmdb, struct cached *cache, unsigned bits,
			       struct list *to)
{
	struct walk w = {.mmdb = mmdb, .to = to, .cache = cache, .bits = bits};
	uint64_t root = 0, nodes = mmdb->metadata.node_count;
	w.visits_max = nodes < GEO_VISITS_MAX / GEO_VISITS_EACH ? nodes * GEO_VISITS_EACH
								: GEO_VISITS_MAX;
	int type = MMDB_RECORD_TYPE_SEARCH_NODE;
	uint32_t offset = NOTHING;

	if (bits == 128 && mmdb->metadata.ip_version == 4)
		return WD_OK; /* knows nothing of these */
	if (bits == 32 && mmdb->metadata.ip_version == 6)
		root = mmdb->ipv4_start_node.node_value;
	if (root >= nodes) { /* all of IPv4 is one record */
		bool data = root >= nodes + NODE_SEPARATOR;
		type = data ? MMDB_RECORD_TYPE_DATA : MMDB_RECORD_TYPE_EMPTY;
		offset = data ? (uint32_t)(root - nodes - NODE_SEPARATOR) : NOTHING;
	}
	walk(&w, root, type, offset, (struct range_key){0, 0}, 0);
	return w.err;
}

static struct geo_place joined(struct geo_place first, struct geo_place second)
{
	if (first.country[0] == '\0')
		memcpy(first.country, second.country, 2);
	if (first.network == 0)
		first.network = second.network;
	return first;
}

/* `to` learns what `more` knows where itself knows nothing. */
static enum wd_err list_join(struct list *to, const struct list *more)
{
	struct list all = {0};
	size_t i = 0, k = 0;

	if (more->count == 0)
		return WD_OK;
	while (i < to->count || k < more->count) {
		int order = i == to->count	? 1
			    : k == more->count ? -1
					       : range_key_compare(to->items[i].start,
								   more->items[k].start);
		struct range_key start = order <= 0 ? to->items[i].start : more->items[k].start;
		i += order <= 0;
		k += order >= 0;
		struct geo_place a = {0}, b = {0};
		if (i > 0)
			a = to->items[i - 1].place;
		if (k > 0)
			b = more->items[k - 1].place;
		if (!list_add(&all, start, joined(a, b))) {
			free(all.items);
			return WD_NOMEM;
		}
	}
	free(to->items);
	*to = all;
	return WD_OK;
}

static void address_of(struct range_key key, unsigned bits, uint8_t address[16])
{
	uint64_t high = htobe64(key.high), low = htobe64(key.low);
	memset(address, 0, 16);
	if (bits == 32) {
		address[10] = address[11] = 0xff;
		memcpy(address + 12, &high, 4);
	} else {
		memcpy(address, &high, 8);
		memcpy(address + 8, &low, 8);
	}
}

/* Where address_is_private may change its mind: the first address of each block that it
 * knows, and the first after it. */
struct edge { uint64_t high, low; };
static const struct edge edges4[] = {
	{UINT64_C(0x01000000) << 32, 0}, {UINT64_C(0x0a000000) << 32, 0},
	{UINT64_C(0x0b000000) << 32, 0}, {UINT64_C(0x64400000) << 32, 0},
	{UINT64_C(0x64800000) << 32, 0}, {UINT64_C(0x7f000000) << 32, 0},
	{UINT64_C(0x80000000) << 32, 0}, {UINT64_C(0xa9fe0000) << 32, 0},
	{UINT64_C(0xa9ff0000) << 32, 0}, {UINT64_C(0xac100000) << 32, 0},
	{UINT64_C(0xac200000) << 32, 0}, {UINT64_C(0xc0a80000) << 32, 0},
	{UINT64_C(0xc0a90000) << 32, 0}, {UINT64_C(0xe0000000) << 32, 0},
};
static const struct edge edges6[] = {
	{0, 1},
	{0, 2},
	{UINT64_C(0xfc00) << 48, 0},
	{UINT64_C(0xfe00) << 48, 0},
	{UINT64_C(0xfe80) << 48, 0},
	{UINT64_C(0xfec0) << 48, 0},
	{UINT64_C(0xff00) << 48, 0},
};

/* Nothing is known of private addresses, whatever the files say. */
static enum wd_err list_hide_private(struct list *to, unsigned bits)
{
	const struct edge *edges = bits == 32 ? edges4 : edges6;
	size_t edge_count = bits == 32 ? WD_COUNT(edges4) : WD_COUNT(edges6), i = 0, k = 0;
	struct list all = {0};

	while (i < to->count || k < edge_count) {
		struct range_key edge = {0, 0}, start;
		if (k < edge_count)
			edge = (struct range_key){edges[k].high, edges[k].low};
		int order = i == to->count	? 1
			    : k == edge_count ? -1
					      : range_key_compare(to->items[i].start, edge);
		start = order <= 0 ? to->items[i].start : edge;
		i += order <= 0;
		k += order >= 0;
		uint8_t address[16];
		address_of(start, bits, address);
		struct geo_place place = {0};
		if (!address_is_private(address))
			place = to->items[i - 1].place;
		if (!list_add(&all, start, place)) {
			free(all.items);
			return WD_NOMEM;
		}
	}
	free(to->items);
	*to = all;
	return WD_OK;
}

static enum wd_err file_add(const char *path, uint32_t at, struct cached *cache,
			    struct list to[2], struct wd_why *why)
{
	MMDB_s mmdb;
	enum wd_err err = place_file_open(path, at, &mmdb, why);
	if (err != WD_OK)
		return err;
	memset(cache, 0, CACHE * sizeof(*cache));
	for (size_t family = 0; family < 2 && err == WD_OK; family++) {
		struct list more = {0};
		err = walk_family(&mmdb, cache, family == 0 ? 32 : 128, &more);
		if (err == WD_OK)
			err = list_join(&to[family], &more);
		free(more.items);
	}
	MMDB_close(&mmdb);
	if (err != WD_OK)
		return wd_fail(why, err, at,
			       "a place file is too large for a table, or leads in circles");
	return WD_OK;
}

enum wd_err geo_read_ranges(const struct place_files *files, struct geo_ranges ret_ranges[2],
			    struct wd_why *why)
{
	const char *const names[] = {files->city, files->country, files->network};
	struct list lists[2] = {0};
	struct cached *cache = malloc(CACHE * sizeof(*cache));
	enum wd_err err = WD_OK;

	if (cache == NULL)
		return wd_fail(why, WD_NOMEM, 0, "read the place files");
	for (uint32_t i = 0; i < WD_COUNT(names) && err == WD_OK; i++) {
		if (names[i] != NULL && names[i][0] != '\0')
			err = file_add(names[i], i, cache, lists, why);
	}
	free(cache);
	for (size_t family = 0; family < 2 && err == WD_OK; family++) {
		if (lists[family].count == 0)
			continue;
		err = list_hide_private(&lists[family], family == 0 ? 32 : 128);
		if (err != WD_OK)
			wd_fail(why, err, 0, "read the place files");
	}
	for (size_t family = 0; family < 2; family++) {
		if (err == WD_OK)
			ret_ranges[family] =
				(struct geo_ranges){lists[family].items, lists[family].count};
		else
			free(lists[family].items);
	}
	return err;
}

enum wd_err geo_read(const struct place_files *files, struct geo **ret_geo, struct wd_why *why)
{
	struct geo_ranges ranges[2];
	enum wd_err err = geo_read_ranges(files, ranges, why);
	if (err != WD_OK)
		return err;
	err = geo_open(&ranges[0], &ranges[1], ret_geo, why);
	free(ranges[0].items);
	free(ranges[1].items);
	return err;
}
