/* SPDX-License-Identifier: Apache-2.0 */
/* ranges: address -> number, from ranges that cover all addresses of a family: what the
 * prefix table and the table of places are made of. Built once, never changed; any thread.
 *
 *   top[first 16 bits] -> number, or a node -> number, or a node for the next 8 bits …
 *
 * A node keeps one bit for each value of its byte (set where something else begins) and one
 * entry for each set bit, so that a node with two neighbours in it costs 48 bytes and not a
 * kilobyte, and the whole stays in the caches. Idea: H. Asai, Y. Ohara, "Poptrie", SIGCOMM
 * 2015. In IPv6, where a lone address would cost a chain of nodes, eight starts or fewer are
 * searched in their list instead.
 *
 * IPv4 addresses are as in struct flow: in the first four bytes. */
#ifndef WD_TALLY_RANGES_H
#define WD_TALLY_RANGES_H

#include "base/err.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	RANGES_VALUE_MAX = (1 << 30) - 1,
	RANGES_SLICE = 8,
	RANGES_TAG = 3, /* of an entry's lowest two bits */
	RANGES_IS_VALUE = 0,
	RANGES_IS_NODE = 1,
	RANGES_IS_SLICE = 2, /* then (count - 1) in three bits, then the first start's index */
	RANGES_COUNT_MAX = 1 << 27, /* so that index, count and tag fit into 32 bits */
};

struct range_key { uint64_t high, low; };

/* From this address to where the next begins. */
struct range { struct range_key start; uint32_t value; };

struct range_node {
	uint64_t begins[4];
	uint32_t first;    /* entry of the first set bit */
	uint8_t before[4]; /* bits set in the words before */
};

struct ranges {
	uint32_t *top;
	struct range_node *nodes;
	uint32_t *entries;
	struct range_key *starts; /* IPv6 only; values[i] holds from starts[i] */
	uint32_t *values;
	size_t node_count, entry_count, start_count;
	size_t node_room, entry_room;
};

/* `ranges` rise strictly; the first begins at 0; of IPv4 only the upper 32 bits of `high` are
 * used. bits = 32 or 128. WD_FULL: more than `memory_max` bytes; WD_MALFORMED: not so. */
enum wd_err ranges_open(const struct range *ranges, size_t count, unsigned bits, size_t memory_max,
			struct ranges **ret_ranges, struct wd_why *why) WD_MUST_CHECK;
void ranges_close(struct ranges *r); /* NULL is fine */
size_t ranges_memory(const struct ranges *r);

static inline struct range_key range_key_of(const uint8_t address[16])
{
	struct range_key k;
	memcpy(&k, address, sizeof(k));
	return (struct range_key){be64toh(k.high), be64toh(k.low)};
}

static inline int range_key_compare(struct range_key a, struct range_key b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

static inline uint32_t range_top_of(const uint8_t address[16])
{
	return (uint32_t)address[0] << 8 | address[1];
}

/* Bits set; the instruction is not there on every machine we are built for. */
static inline uint32_t range_bits(uint64_t x)
{
#ifdef __POPCNT__
	return (uint32_t)__builtin_popcountll(x);
#else
	x -= x >> 1 & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(x * UINT64_C(0x0101010101010101) >> 56);
#endif
}

static inline const struct range_node *range_node_of(const struct ranges *r, uint32_t entry)
{
	return &r->nodes[entry >> 2];
}

/* Where the entry for that byte is. */
static inline const uint32_t *range_entry_of(const struct ranges *r, uint32_t entry, uint8_t byte)
{
	const struct range_node *n = range_node_of(r, entry);
	uint64_t upto = n->begins[byte >> 6] << (63 - (byte & 63));
	return &r->entries[n->first + n->before[byte >> 6] + range_bits(upto) - 1];
}

uint32_t range_slice_find(const struct ranges *r, uint32_t entry, const uint8_t address[16]);

static inline uint32_t ranges_find(const struct ranges *r, const uint8_t address[16])
{
	uint32_t entry = r->top[range_top_of(address)];
	for (size_t at = 2; (entry & RANGES_TAG) == RANGES_IS_NODE; at++)
		entry = *range_entry_of(r, entry, address[at]);
	if ((entry & RANGES_TAG) == RANGES_IS_SLICE)
		return range_slice_find(r, entry, address);
	return entry >> 2;
}

#endif
