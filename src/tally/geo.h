/* SPDX-License-Identifier: Apache-2.0 */
/* geo: country and network of an address, from ranges that an edge reads out of its place
 * files (intake/geo_read.h). Built once, never changed; any thread. At most GEO_MEMORY_MAX. */
#ifndef WD_TALLY_GEO_H
#define WD_TALLY_GEO_H

#include "base/err.h"
#include "tally/ranges.h"

#include <stddef.h>
#include <stdint.h>

enum { GEO_MEMORY_MAX = 64 << 20 };

struct geo_place {
	uint32_t network; /* AS number; 0 = not known */
	char country[2];  /* ISO 3166-1 alpha-2; NULs = not known */
	uint16_t zero;
};

/* From this address to where the next begins (tally/ranges.h). */
struct geo_range { struct range_key start; struct geo_place place; };
struct geo_ranges { struct geo_range *items; size_t count; };

struct geo_address { uint8_t address[16], family; }; /* as in struct flow */

struct geo;

/* Each list begins at address 0, or is empty: then nothing of that family is known. */
enum wd_err geo_open(const struct geo_ranges *v4, const struct geo_ranges *v6,
		     struct geo **ret_geo, struct wd_why *why) WD_MUST_CHECK;
void geo_close(struct geo *g); /* NULL is fine */
size_t geo_memory(const struct geo *g);

struct geo_place geo_find(const struct geo *g, uint8_t family, const uint8_t address[16]);
/* Several at once: they wait for memory together. */
void geo_find_many(const struct geo *g, const struct geo_address *addresses, size_t count,
		   struct geo_place *ret_places);

#endif
