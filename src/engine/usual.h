/* SPDX-License-Identifier: Apache-2.0 */
/* usual: the sources that a service has in quiet times, so that those of a flood can be told to be
 * new. Learned from the ticks' samples, and only what stood through USUAL_WAIT of quiet after it:
 * the first seconds of a flood, which nobody knows for one yet, are not. Internal to the engine.
 *
 * It says nothing before an hour of quiet traffic was learned, nor once a week brought more
 * sources than it holds (tally/source_set.h: about 22,000): then who is new is not known. */
#ifndef WD_ENGINE_USUAL_H
#define WD_ENGINE_USUAL_H

#include "tally/source_set.h"
#include "tally/traffic.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	USUAL_WAIT_S = 5,
	USUAL_GATHERED = 256, /* sources in such a time; what is more of them is left out */
	USUAL_LEARNED_S = 3600,
};

struct usual {
	struct source_memory memory;
	uint64_t learned_s; /* of quiet traffic */
	wd_wall window;     /* begin of what is gathered; 0 = nothing is */
	uint32_t gathered_count, waiting_count;
	uint64_t gathered[USUAL_GATHERED], waiting[USUAL_GATHERED];
};

/* All bytes 0 is one that knows nobody. */
void usual_tick(struct usual *u, const struct traffic_tick *tick, const struct address_key *key);
/* Something stirs: what is not learned yet is dropped. */
void usual_stir(struct usual *u);
/* NULL: it cannot tell. `u` may be NULL. */
const struct source_memory *usual_memory(const struct usual *u);

/* What tells hashes of one key from those of another. */
uint64_t usual_mark(const struct address_key *key);
/* With a mark of the key: of another one it knows nobody. */
void usual_write(const struct usual *u, const struct address_key *key, struct out *o);
void usual_read(struct usual *u, const struct address_key *key, struct cur *c);

#endif
