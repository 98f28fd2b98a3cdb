/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/lane.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sealed ticks that can be on their way into the ring at one time. */
enum { SPARES_MAX = 16 };

struct lane {
	struct lane_options o;
	struct ring *ring;
	struct watchlist *watch;
	uint32_t generation;
	struct shard *shard;
	uint32_t spares;
	struct traffic_tick **sealed; /* SPARES_MAX */
	wd_wall now, tick; /* begin of the one that is being filled */
	uint64_t heard; /* since it was told */
	struct shard_counters before; /* of shards that are gone */
};

static enum wd_err open_shard(const struct lane *l, const struct watchlist *w,
			      struct shard **ret_shard, struct wd_why *why)
{
	uint32_t count;
	const char *const *services = watchlist_services(w, &count);
	const struct shard_options o = {
		.rules = watchlist_rules(w),
		.prefixes = watchlist_prefixes(w),
		.services = services,
		.service_count = count,
		.spares = count == 0 ? 1 : count < SPARES_MAX ? count : SPARES_MAX,
		.seed = l->o.seed ^ hash_mix((uintptr_t)l),
	};
	return shard_open(&o, ret_shard, why);
}

static size_t ring_bytes(const struct lane_options *o)
{
	size_t least = 4 * sizeof(struct traffic_tick);
	return o->ring_bytes > least ? o->ring_bytes : least;
}

size_t lane_memory(const struct lane_options *options)
{
	return sizeof(struct lane) + ring_bytes(options) +
	       SPARES_MAX * (sizeof(struct traffic_tick) + 2 * sizeof(struct traffic_tick *));
}

enum wd_err lane_open(const struct lane_options *options, struct lane **ret_lane,
		      struct wd_why *why)
{
	enum wd_err err = WD_NOMEM;
	struct lane *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return wd_fail(why, err, 0, "memory for a lane");
	l->o = *options;
	l->sealed = calloc(SPARES_MAX, sizeof(struct traffic_tick *));
	if (l->sealed == NULL || ring_open(ring_bytes(options), &l->ring) != WD_OK)
		err = wd_fail(why, err, 0, "memory for a lane");
	else {
		l->watch = watchlist_box_get(options->box, &l->generation);
		err = open_shard(l, l->watch, &l->shard, why);
	}
	if (err != WD_OK) {
		lane_close(l);
		return err;
	}
	*ret_lane = l;
	return WD_OK;
}

void lane_close(struct lane *l)
{
	if (l == NULL)
		return;
	shard_close(l->shard);
	watchlist_release(l->watch);
	ring_close(l->ring);
	free(l->sealed);
	free(l);
}

/* ---- handing over ---- */

static wd_wall tick_of(wd_wall now)
{
	return (wd_wall){floor_div(now.ns, TRAFFIC_TICK_NS) * TRAFFIC_TICK_NS};
}

static size_t used_of(const struct traffic_tick *t)
{
	return offsetof(struct traffic_tick, sample) + t->sample_count * sizeof(t->sample[0]);
}

static struct shard_counters counters_of(const struct lane *l)
{
	struct shard_counters sum = l->before;
	const struct shard_counters *c = shard_counters(l->shard);
	sum.records += c->records;
	sum.elsewhere += c->elsewhere;
	sum.duplicates += c->duplicates;
	sum.held += c->held;
	return sum;
}

/* One message is left for LANE_SEALED. */
static size_t room_for_ticks(struct lane *l)
{
	size_t fits = ring_fits(l->ring, sizeof(struct traffic_tick));
	return fits <= 1 ? 0 : fits - 1 < SPARES_MAX ? fits - 1 : SPARES_MAX;
}

/* Returns false if some ticks found no room. */
static bool hand_over(struct lane *l, wd_wall until)
{
	uint64_t held = shard_counters(l->shard)->held;
	size_t count;

	while ((count = shard_seal(l->shard, until, l->sealed, room_for_ticks(l))) > 0) {
		for (size_t i = 0; i < count; i++) {
			size_t len = used_of(l->sealed[i]);
			void *room = ring_room(l->ring, len);
			WD_CHECK(room != NULL); /* room_for_ticks counted it */
			memcpy(room, l->sealed[i], len);
			ring_send(l->ring, LANE_TICK, len);
			shard_take_back(l->shard, l->sealed[i]);
		}
	}
	held = shard_counters(l->shard)->held - held;
	struct lane_sealed *s = ring_room(l->ring, sizeof(*s));
	if (s != NULL) {
		*s = (struct lane_sealed){tick_of(until), held > 0, l->heard, counters_of(l)};
		ring_send(l->ring, LANE_SEALED, sizeof(*s));
		l->heard = 0;
	}
	if (l->o.wake != NULL)
		l->o.wake(l->o.ctx);
	return held == 0;
}

/* After all of the old shard was handed over. */
static void renew(struct lane *l)
{
	struct wd_why why;
	struct shard *shard;
	uint32_t generation;
	struct watchlist *watch = watchlist_box_get(l->o.box, &generation);

	if (open_shard(l, watch, &shard, &why) != WD_OK) {
		watchlist_release(watch); /* no memory: the old one goes on until there is some */
		return;
	}
	l->generation = generation;
	l->before = counters_of(l);
	shard_close(l->shard);
	watchlist_release(l->watch);
	l->shard = shard;
	l->watch = watch;
}

wd_wall lane_now(const struct lane *l)
{
	struct timespec t;
	if (l->o.clock != NULL)
		return l->o.clock(l->o.ctx);
	clock_gettime(CLOCK_REALTIME, &t);
	return wall_of_clock(t.tv_sec, t.tv_nsec);
}

void lane_clock(struct lane *l, wd_wall now)
{
	wd_wall tick = tick_of(now);
	l->now = now;
	/* Also where nothing came: that it was watched is worth telling. */
	if (tick.ns == l->tick.ns)
		return;
	bool first = l->tick.ns == 0;
	l->tick = tick;
	if (!first && hand_over(l, now) && l->generation != watchlist_box_generation(l->o.box))
		renew(l);
}

void lane_end(struct lane *l, wd_wall now)
{
	const wd_span tick = {TRAFFIC_TICK_NS};
	hand_over(l, wall_add(tick_of(now), tick));
}

wd_span lane_wait(const struct lane *l, wd_wall now)
{
	(void)l;
	return (wd_span){tick_of(now).ns + TRAFFIC_TICK_NS - now.ns};
}

/* ---- counting ---- */

void lane_flows(struct lane *l, struct flow *flows, size_t count)
{
	WD_CHECK(l->now.ns != 0); /* else a tick would begin in 1970 */
	shard_add(l->shard, flows, count, l->now);
}

void lane_heard(struct lane *l, uint32_t slot)
{
	WD_CHECK(slot < WITNESSES_MAX);
	l->heard |= UINT64_C(1) << slot;
}

struct witness_list *lane_witnesses(const struct lane *l) { return l->o.witnesses; }
const struct senders *lane_senders(const struct lane *l) { return watchlist_senders(l->watch); }
uint32_t lane_generation(const struct lane *l) { return l->generation; }
struct ring *lane_ring(struct lane *l) { return l->ring; }

bool lane_watches(const struct lane *l, const struct flow *f)
{
	return prefix_find(watchlist_prefixes(l->watch), f->family, f->dst) != PREFIX_NONE;
}
