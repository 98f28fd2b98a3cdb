/* SPDX-License-Identifier: Apache-2.0 */
/* who: the distinct sources of an incident and which of its vectors they took part in: one
 * source_set for all (tally/source_set.h has the errors), with the slots of each source as bits.
 * The sources of some slots are a sample of the distinct ones of these as good as its size. */
#ifndef WD_EXPLAIN_WHO_H
#define WD_EXPLAIN_WHO_H

#include "tally/source_set.h"

struct who {
	struct source_set set;
	uint8_t slots[SOURCE_SET_MAX]; /* of set.hashes: bit a slot */
};

void who_add(struct who *w, uint64_t hash, uint8_t slots);
/* w takes in a set whose sources all took part in these slots. */
void who_merge(struct who *w, const struct source_set *set, uint8_t slots);
/* The sources of any of these slots. */
void who_of(const struct who *w, uint8_t slots, struct source_set *ret);

#endif
