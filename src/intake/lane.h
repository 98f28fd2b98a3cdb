/* SPDX-License-Identifier: Apache-2.0 */
/* lane: what one collecting thread counts into, and the way from there to the engine's
 * thread: a shard of tallies, a ring, and the clock of the ticks. At the end of a tick each
 * service's tick is copied into the ring. Where the ring is full a tick goes on being filled
 * and is handed over later, wider: the engine sees less often, but all of it. */
#ifndef WD_INTAKE_LANE_H
#define WD_INTAKE_LANE_H

#include "base/err.h"
#include "base/units.h"
#include "intake/ring.h"
#include "intake/watchlist.h"
#include "intake/witness_list.h"
#include "model/flow.h"
#include "tally/shard.h"
#include "tally/traffic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lane_options {
	struct watchlist_box *box;   /* outlives the lane */
	struct witness_list *witnesses; /* likewise; NULL: who tells of what is not noted */
	size_t ring_bytes;
	uint64_t seed;           /* random; lanes of one program may share it */
	void (*wake)(void *ctx); /* the engine's thread has something to read; may be NULL */
	/* What the time is; it must not go back, and be the engine's, which refuses ticks of
	 * other times. NULL: the system's wall clock. */
	wd_wall (*clock)(void *ctx);
	void *ctx;
};

/* Messages of the ring. */
enum lane_message {
	LANE_TICK,   /* a struct traffic_tick, as far as its sample_count goes */
	LANE_SEALED, /* struct lane_sealed: what was counted before has been handed over */
};

struct lane_sealed {
	wd_wall at;  /* end of the tick */
	bool held;   /* some ticks found no room and come later */
	uint64_t heard; /* bit a slot: the witnesses that spoke (intake/witness_list.h) */
	struct shard_counters counters;
};

struct lane;

enum wd_err lane_open(const struct lane_options *options, struct lane **ret_lane,
		      struct wd_why *why) WD_MUST_CHECK;
size_t lane_memory(const struct lane_options *options); /* bytes; services' own ticks apart */
void lane_close(struct lane *l); /* NULL is fine; nobody reads its ring any more */

/* ---- the collecting thread ---- */

/* Counts them, at the time of the last lane_clock. Writes into them. */
void lane_flows(struct lane *l, struct flow *flows, size_t count);
/* Who has that slot spoke, of whatever. */
void lane_heard(struct lane *l, uint32_t slot);
/* By its clock. */
wd_wall lane_now(const struct lane *l);
/* What time it is: at the end of a tick hands it over, and takes a new watch. */
void lane_clock(struct lane *l, wd_wall now);
/* At the end of all: hands over what is left, also of a tick that is not over. */
void lane_end(struct lane *l, wd_wall now);
/* How long nothing may be done before lane_clock is due. */
wd_span lane_wait(const struct lane *l, wd_wall now);
struct witness_list *lane_witnesses(const struct lane *l);
/* The watch that it uses, and its number. */
const struct senders *lane_senders(const struct lane *l);
uint32_t lane_generation(const struct lane *l);
/* Is the flow's destination watched? */
bool lane_watches(const struct lane *l, const struct flow *f);

/* ---- the engine's thread ---- */

struct ring *lane_ring(struct lane *l);

#endif
