/* SPDX-License-Identifier: Apache-2.0 */
/* flood_names: of the queries that a name server gets, how many are for names that nobody asked
 * for a moment ago, below the zone that has most of these? A flood of random names below one zone
 * ("water torture") is hidden in what a busy server gets anyway, and is answered in proportion, as
 * a crowd is: only its names tell.
 *
 * They tell nothing by themselves: what lists of addresses, of hashes and of files' marks are asked
 * for is all different, below one zone, and comes from resolvers everywhere, too. So nothing is
 * said by names until ten minutes of them were learned, and then only of what is far more than
 * usual; and where more than half of the queries are usually of new names, names name nothing.
 *
 * "A moment ago": among about the last thousand sampled queries. Only what shows packets has
 * names; flow exports have none. */
#ifndef WD_DETECT_FLOOD_NAMES_H
#define WD_DETECT_FLOOD_NAMES_H

#include "detect/flood_meter.h"

#include <stdint.h>

enum { FLOOD_NAMES_TAGS = 1024 };

struct flood_names {
	uint32_t ticks;           /* learned from */
	uint32_t known;           /* names that `tags` took in; not kept over a restart, nor is */
	uint8_t tags[FLOOD_NAMES_TAGS]; /* which they were: a byte of the hash, where the rest says.
					 * One new name of 256 looks known */
	struct flood_meter meter; /* new ones of that zone, packets a tick */
};

struct flood_step;
struct flood_names_reading {
	float log10_return; /* A of the new names alone */
	bool above;         /* this tick is */
	bool named;         /* what is above usual of the class is new names below one zone */
};
/* Of class `c`, before the class itself learns; does the class run above usual? Then no first
 * names are learned: they may be a flood's. */
void flood_names_step(struct flood_step *s, int c, bool learn, bool runs,
		      struct flood_names_reading *ret);

#endif
