/* SPDX-License-Identifier: Apache-2.0 */
/* gather: what several lanes counted of one tick, put together: one tick a service, in the
 * order of time, as the engine wants it. Runs in the engine's thread.
 *
 * A tick is handed on when every lane has sealed it. A lane that has said nothing for
 * GATHER_PATIENCE is not waited for; what it hands over later is counted with the tick that is
 * being gathered then. */
#ifndef WD_INTAKE_GATHER_H
#define WD_INTAKE_GATHER_H

#include "base/err.h"
#include "base/units.h"
#include "intake/lane.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATHER_PATIENCE ((wd_span){WD_NS_PER_S / 2})

struct gather_handler {
	/* One tick of a service; none of it overlaps the service's last one. */
	void (*tick)(void *ctx, const struct traffic_tick *tick);
	/* All lanes have told what they saw until then. */
	void (*until)(void *ctx, wd_wall until);
	void *ctx;
	/* Before the ticks of that time: which witnesses spoke, bit a slot. May be NULL. */
	void (*heard)(void *ctx, uint64_t slots, wd_wall until);
};

struct gather_counts {
	uint64_t ticks;    /* handed on */
	uint64_t late;     /* of lanes that were not waited for */
	uint64_t no_room;  /* ticks of services beyond the maximum: dropped */
	struct shard_counters shards; /* of all lanes */
};

struct gather;

/* services_max: ticks being gathered at one time, each sizeof(struct traffic_tick), taken when
 * first needed. The lanes are borrowed. */
enum wd_err gather_open(struct lane *const *lanes, size_t lane_count, size_t services_max,
			struct gather **ret_gather) WD_MUST_CHECK;
void gather_close(struct gather *g); /* NULL is fine */

/* Takes what lies in the rings; true if anything was handed on. */
bool gather_run(struct gather *g, wd_wall now, const struct gather_handler *handler);
/* At the end: hands on what is left, without waiting for any lane. */
void gather_end(struct gather *g, const struct gather_handler *handler);

struct gather_counts gather_count(const struct gather *g);

#endif
