/* SPDX-License-Identifier: Apache-2.0 */
/* seats: which services are followed: found by their ids, and given a place and, when ticks come, a
 * watch. Of both there are as many as the options say. What is known of a service that the
 * configuration no longer names keeps its places until they are needed; who was seen longest ago
 * goes first. */
#include "engine/inner.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *slot_of(const struct engine *e, const char *id)
{
	size_t at = hash_bytes(&e->options.key, id, strlen(id)) & (e->by_id_size - 1);
	while (e->by_id[at] != 0 && strcmp(e->tracks[e->by_id[at] - 1].id, id) != 0)
		at = (at + 1) & (e->by_id_size - 1);
	return &e->by_id[at];
}

struct track *engine_track(struct engine *e, const char *id)
{
	if (e->by_id_size == 0)
		return NULL;
	uint32_t n = *slot_of(e, id);
	return n == 0 ? NULL : &e->tracks[n - 1];
}

static void index_tracks(struct engine *e)
{
	memset(e->by_id, 0, e->by_id_size * sizeof(*e->by_id));
	for (size_t n = 0; n < e->track_count; n++)
		*slot_of(e, e->tracks[n].id) = (uint32_t)n + 1;
}

static bool grow_tracks(struct engine *e)
{
	size_t cap = e->track_cap == 0 ? 16 : 2 * e->track_cap;
	struct track *tracks = realloc(e->tracks, cap * sizeof(*tracks));
	if (tracks == NULL)
		return false;
	e->tracks = tracks;
	float *headroom = realloc(e->headroom, cap * sizeof(*headroom));
	uint32_t *by_id = malloc(4 * cap * sizeof(*by_id));
	if (headroom != NULL)
		e->headroom = headroom;
	if (headroom == NULL || by_id == NULL) {
		free(by_id);
		return false;
	}
	free(e->by_id);
	e->by_id = by_id;
	e->by_id_size = 4 * cap;
	e->track_cap = cap;
	index_tracks(e);
	return true;
}

/* Tells the same person's reports on two services apart; the same in every run. */
static uint64_t salt_of(const char *id)
{
	static const struct hash_key key = {"persons"};
	return hash_bytes(&key, id, strlen(id));
}

struct track *engine_add_track(struct engine *e, const char *id)
{
	if (e->track_count >= e->options.services_max ||
	    (e->track_count == e->track_cap && !grow_tracks(e)))
		return NULL;
	struct track *t = &e->tracks[e->track_count];
	*t = (struct track){.step = span_s(60)};
	if (!text_copy(t->id, sizeof(t->id), id) || t->id[0] == '\0')
		return NULL;
	t->salt = salt_of(t->id);
	episode_init(&t->episode);
	*slot_of(e, id) = (uint32_t)++e->track_count;
	engine_touch(e, t);
	return t;
}

/* ---- who makes room ---- */

static wd_wall last_seen(const struct track *t)
{
	return watch_time(t, t->last_seen);
}

/* Its incident is over; what is usual of its traffic is not known any more. */
static void drop_watch(struct engine *e, struct track *t)
{
	if (t->watch == NULL)
		return;
	engine_abandon(e, t);
	engine_trace_stop(e, t);
	watch_close(t->watch);
	t->watch = NULL;
	e->watched--;
}

/* A recording's, or the configuration's. */
static bool stays(const struct track *t, const struct catalogue *c)
{
	return t->adopted != NULL || catalogue_index(c, t->id) != SIZE_MAX;
}

bool engine_watch_room(struct engine *e)
{
	struct track *last = NULL;
	if (e->watched < e->options.services_watched_max)
		return true;
	for (size_t n = 0; e->may_drop && n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (t->service == NULL && t->watch != NULL &&
		    (last == NULL || wall_before(last_seen(t), last_seen(last))))
			last = t;
	}
	e->may_drop = last != NULL; /* so that not every tick looks for one */
	if (last != NULL)
		drop_watch(e, last);
	return last != NULL;
}

/* What is not there any more, and when it was last seen. */
struct gone { wd_wall seen; size_t track; };

static int longest_ago(const void *a, const void *b)
{
	const struct gone *x = a, *y = b;
	if (x->seen.ns != y->seen.ns)
		return x->seen.ns < y->seen.ns ? -1 : 1;
	return (x->track > y->track) - (x->track < y->track);
}

/* The others move up, in their order. */
static void close_ranks(struct engine *e)
{
	size_t count = 0;
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (t->id[0] == '\0')
			continue;
		if (t->watch != NULL && t->watch->tracing > 0)
			e->tracings[t->watch->tracing - 1].track = count;
		e->tracks[count++] = *t;
	}
	e->track_count = count;
	index_tracks(e);
}

/* So many of those that `c` does not have. */
static bool drop_tracks(struct engine *e, const struct catalogue *c, size_t count)
{
	struct gone *gone = malloc(e->track_count * sizeof(*gone));
	size_t gone_count = 0;
	if (gone == NULL)
		return false;
	for (size_t n = 0; n < e->track_count; n++) {
		if (!stays(&e->tracks[n], c))
			gone[gone_count++] = (struct gone){last_seen(&e->tracks[n]), n};
	}
	WD_CHECK(count <= gone_count);
	qsort(gone, gone_count, sizeof(*gone), longest_ago);
	for (size_t n = 0; n < count; n++) {
		struct track *t = &e->tracks[gone[n].track];
		engine_abandon(e, t);
		drop_watch(e, t);
		engine_forget_clients(e, t);
		track_done(t); /* it has no id any more */
	}
	free(gone);
	close_ranks(e);
	return true;
}

enum wd_err engine_make_room(struct engine *e, const struct catalogue *c, struct wd_why *why)
{
	size_t max = e->options.services_max, stay = 0, all = e->track_count;
	for (size_t n = 0; n < catalogue_count(c); n++)
		all += engine_track(e, catalogue_at(c, n)->id) == NULL;
	for (size_t n = 0; n < e->track_count; n++)
		stay += stays(&e->tracks[n], c);
	if (all - (e->track_count - stay) > max)
		return wd_fail(why, WD_FULL, (uint32_t)max, "more services than services_max");
	while (e->track_cap < (all < max ? all : max)) {
		if (!grow_tracks(e))
			return wd_fail(why, WD_NOMEM, 0, "services");
	}
	if (all > max && !drop_tracks(e, c, all - max))
		return wd_fail(why, WD_NOMEM, 0, "services");
	e->may_drop = true;
	return WD_OK;
}
