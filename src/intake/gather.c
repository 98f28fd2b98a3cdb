/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/gather.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

struct pending {
	struct traffic_tick *tick; /* owned; taken once, used again */
	bool filled;
	wd_wall until; /* what was handed on of this service */
};

struct source {
	struct lane *lane;
	wd_wall sealed; /* until then it has told all */
	wd_wall heard;  /* when it last did, by our clock */
	struct shard_counters counters;
};

struct gather {
	struct source *sources;
	size_t source_count;
	struct pending *pending; /* by the hash of the service's id, open addressing */
	size_t mask, used, max;
	wd_wall until; /* handed on */
	uint64_t heard; /* bit a slot of who spoke, not handed on yet */
	struct gather_counts counts;
};

enum wd_err gather_open(struct lane *const *lanes, size_t lane_count, size_t services_max,
			struct gather **ret_gather)
{
	struct gather *g = calloc(1, sizeof(*g));
	size_t slots = 16;
	if (g == NULL)
		return WD_NOMEM;
	while (slots < 2 * services_max)
		slots *= 2;
	g->mask = slots - 1;
	g->max = services_max;
	g->source_count = lane_count;
	g->sources = calloc(lane_count + 1, sizeof(*g->sources));
	g->pending = calloc(slots, sizeof(*g->pending));
	if (g->sources == NULL || g->pending == NULL) {
		gather_close(g);
		return WD_NOMEM;
	}
	for (size_t i = 0; i < lane_count; i++)
		g->sources[i].lane = lanes[i];
	*ret_gather = g;
	return WD_OK;
}

void gather_close(struct gather *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; g->pending != NULL && i <= g->mask; i++)
		free(g->pending[i].tick);
	free(g->pending);
	free(g->sources);
	free(g);
}

/* ---- one service ---- */

/* Where it is, or would be. The ids are the configuration's: the key may be public. */
static struct pending *place_of(const struct gather *g, struct pending *all, const char *service)
{
	static const struct hash_key key = {"gathered ticks"};
	size_t at = hash_bytes(&key, service, strlen(service)) & g->mask;

	while (all[at].tick != NULL && strcmp(all[at].tick->service, service) != 0)
		at = (at + 1) & g->mask;
	return &all[at];
}

/* Services that a reload took away would keep their places for ever: what has nothing to hand on
 * makes room. */
static void forget_quiet(struct gather *g)
{
	struct pending *now = calloc(g->mask + 1, sizeof(*now));
	if (now == NULL)
		return;
	for (size_t i = 0; i <= g->mask; i++) {
		struct pending *p = &g->pending[i];
		if (p->filled) {
			*place_of(g, now, p->tick->service) = *p;
		} else if (p->tick != NULL) {
			free(p->tick);
			g->used--;
		}
	}
	free(g->pending);
	g->pending = now;
}

static struct pending *pending_of(struct gather *g, const char *service)
{
	struct pending *p = place_of(g, g->pending, service);

	if (p->tick != NULL)
		return p;
	if (g->used == g->max) {
		forget_quiet(g);
		p = place_of(g, g->pending, service);
	}
	if (g->used == g->max || (p->tick = malloc(sizeof(*p->tick))) == NULL)
		return NULL;
	g->used++;
	traffic_clear(p->tick, service, (wd_wall){0});
	return p;
}

static void copy_tick(struct traffic_tick *to, const struct traffic_tick *from, size_t len)
{
	memcpy(to, from, len);
}

static void take_tick(struct gather *g, const struct traffic_tick *t, size_t len)
{
	struct pending *p = pending_of(g, t->service);
	if (p == NULL) {
		g->counts.no_room++;
		return;
	}
	if (p->filled)
		traffic_merge(p->tick, t);
	else
		copy_tick(p->tick, t, len);
	p->filled = true;
}

/* ---- handing on ---- */

/* Of what came late the begin is moved behind what was handed on before. */
static void place(struct gather *g, struct pending *p, wd_wall until)
{
	struct traffic_tick *t = p->tick;
	wd_wall end = wall_add(t->at, t->width);
	if (wall_before(t->at, p->until)) {
		g->counts.late++;
		t->at = p->until;
		if (!wall_before(t->at, end))
			end = wall_before(t->at, until)
				      ? until
				      : wall_add(t->at, (wd_span){TRAFFIC_TICK_NS});
		t->width = wall_sub(end, t->at);
	}
	p->until = end;
}

static void hand_on(struct gather *g, wd_wall until, const struct gather_handler *h)
{
	if (h->heard != NULL && g->heard != 0)
		h->heard(h->ctx, g->heard, until);
	g->heard = 0;
	for (size_t i = 0; i <= g->mask && g->used > 0; i++) {
		struct pending *p = &g->pending[i];
		if (!p->filled)
			continue;
		place(g, p, until);
		h->tick(h->ctx, p->tick);
		p->filled = false;
		g->counts.ticks++;
	}
	h->until(h->ctx, until);
	g->until = until;
}

/* Until when all lanes that are waited for have told. */
static wd_wall sealed_by_all(const struct gather *g, wd_wall now)
{
	wd_wall least = {INT64_MAX};
	for (size_t i = 0; i < g->source_count; i++) {
		const struct source *s = &g->sources[i];
		bool waited = wall_sub(now, s->heard).ns < GATHER_PATIENCE.ns;
		if (waited && wall_before(s->sealed, least))
			least = s->sealed;
	}
	return least.ns == INT64_MAX ? (wd_wall){0} : least;
}

/* Reads a lane up to its next LANE_SEALED; false if there was nothing. */
static bool read_source(struct gather *g, struct source *s, wd_wall now)
{
	struct ring *ring = lane_ring(s->lane);
	uint32_t kind;
	size_t len;
	bool any = false;

	for (const void *m; (m = ring_first(ring, &kind, &len)) != NULL; ring_drop(ring)) {
		any = true;
		if (kind == LANE_TICK) {
			take_tick(g, m, len);
			continue;
		}
		struct lane_sealed sealed;
		WD_CHECK(kind == LANE_SEALED && len == sizeof(sealed));
		memcpy(&sealed, m, sizeof(sealed));
		ring_drop(ring);
		s->sealed = sealed.at;
		s->heard = now;
		s->counters = sealed.counters;
		g->heard |= sealed.heard;
		return true;
	}
	return any;
}

/* The one that is furthest behind and has something to say. */
static bool read_furthest_behind(struct gather *g, wd_wall now)
{
	struct source *behind = NULL;
	uint32_t kind;
	size_t len;
	for (size_t i = 0; i < g->source_count; i++) {
		struct source *s = &g->sources[i];
		if (ring_first(lane_ring(s->lane), &kind, &len) != NULL &&
		    (behind == NULL || wall_before(s->sealed, behind->sealed)))
			behind = s;
	}
	return behind != NULL && read_source(g, behind, now);
}

bool gather_run(struct gather *g, wd_wall now, const struct gather_handler *handler)
{
	bool any = false;
	for (size_t i = 0; i < g->source_count; i++) {
		if (g->sources[i].heard.ns == 0)
			g->sources[i].heard = now; /* each is waited for at first */
	}
	for (;;) {
		bool read = read_furthest_behind(g, now);
		wd_wall all = sealed_by_all(g, now);
		/* A lane that comes back after a pause may be behind what was handed on. */
		if (wall_before(g->until, all)) {
			hand_on(g, all, handler);
			any = true;
		}
		if (!read)
			return any;
	}
}

void gather_end(struct gather *g, const struct gather_handler *handler)
{
	wd_wall last = g->until;
	while (read_furthest_behind(g, (wd_wall){0})) {
	}
	for (size_t i = 0; i < g->source_count; i++)
		last = wall_before(last, g->sources[i].sealed) ? g->sources[i].sealed : last;
	hand_on(g, last, handler);
}

struct gather_counts gather_count(const struct gather *g)
{
	struct gather_counts c = g->counts;
	for (size_t i = 0; i < g->source_count; i++) {
		const struct shard_counters *s = &g->sources[i].counters;
		c.shards.records += s->records;
		c.shards.elsewhere += s->elsewhere;
		c.shards.duplicates += s->duplicates;
		c.shards.held += s->held;
	}
	return c;
}
