/* SPDX-License-Identifier: Apache-2.0 */
/* prefix: whose is an address? The longest of up to 200,000 prefixes that covers it. Built
 * once, never changed; any thread. Memory: 0.6 MB empty; at most PREFIX_MEMORY_MAX.
 *
 * Most addresses of a flow are nobody's: 2^16 bits a family, which stay in the first cache,
 * say so by an address's first 16 bits. An *entry* is one prefix; prefix_value names its
 * service, prefix_parent the entry of the shorter prefix around it, so that the owner of
 * 10.0.0.0/16 can see what goes to the services inside. */
#ifndef WD_TALLY_PREFIX_H
#define WD_TALLY_PREFIX_H

#include "tally/ranges.h"

#include <stdbool.h>

enum {
	PREFIXES_MAX = 200000,
	PREFIX_MEMORY_MAX = 64 << 20, /* bytes */
};
#define PREFIX_NONE UINT32_MAX

struct prefix {
	uint8_t address[16]; /* as in struct flow; bits after `len` are 0 */
	uint8_t family;      /* 4 or 6 */
	uint8_t len;         /* bits */
	uint32_t value;      /* the service's index */
};

struct prefix_table {
	uint64_t ours4[1 << 10], ours6[1 << 10]; /* by the first 16 bits: some prefix is there */
	struct ranges *v4, *v6;                  /* -> entry + 1 */
	uint32_t *values, *parents;
	uint32_t count;
};

/* The prefixes are copied. at = index of the prefix at fault: malformed, or given to two
 * values. The same prefix twice with the same value is one. */
enum wd_err prefix_open(const struct prefix *prefixes, size_t count,
			struct prefix_table **ret_table, struct wd_why *why) WD_MUST_CHECK;
void prefix_close(struct prefix_table *t); /* NULL is fine */
size_t prefix_memory(const struct prefix_table *t);

/* The entry of the longest prefix around the address, or PREFIX_NONE. */
static inline uint32_t prefix_find(const struct prefix_table *t, uint8_t family,
				   const uint8_t address[16])
{
	uint32_t top = range_top_of(address);
	const uint64_t *ours = family == 4 ? t->ours4 : t->ours6;
	if ((ours[top >> 6] >> (top & 63) & 1) == 0)
		return PREFIX_NONE;
	return ranges_find(family == 4 ? t->v4 : t->v6, address) - 1;
}

static inline uint32_t prefix_value(const struct prefix_table *t, uint32_t entry)
{
	return t->values[entry];
}

/* The entry of the next shorter prefix around it that has another value, or PREFIX_NONE. */
static inline uint32_t prefix_parent(const struct prefix_table *t, uint32_t entry)
{
	return t->parents[entry];
}

/* Goes through the values around an address, each once, though a service may own prefixes
 * inside and around another's: for (e = first; e != PREFIX_NONE; e = prefix_next(t, first, e)) */
static inline uint32_t prefix_next(const struct prefix_table *t, uint32_t first, uint32_t entry)
{
	for (entry = prefix_parent(t, entry); entry != PREFIX_NONE;
	     entry = prefix_parent(t, entry)) {
		uint32_t before = first;
		while (before != entry && prefix_value(t, before) != prefix_value(t, entry))
			before = prefix_parent(t, before);
		if (before == entry)
			return entry;
	}
	return PREFIX_NONE;
}

#endif
