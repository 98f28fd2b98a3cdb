/* SPDX-License-Identifier: Apache-2.0 */
/* tell: the list of incidents, the effects, and which incidents are related. */
#include "engine/inner.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Incidents of other services that began this close in time are related. */
static const wd_span RELATED_WITHIN = {900 * WD_NS_PER_S};
static const float SPILLOVER_RATIO = 10;

/* ---- effects and the list of incidents ---- */

struct effect *engine_add_effect(struct engine *e, enum effect_kind kind)
{
	if (e->effect_count == e->effect_cap) {
		size_t cap = e->effect_cap == 0 ? 16 : 2 * e->effect_cap;
		struct effect *effects = realloc(e->effects, cap * sizeof(*effects));
		if (effects == NULL) {
			e->effects_lost++;
			return NULL;
		}
		e->effects = effects;
		e->effect_cap = cap;
	}
	struct effect *x = &e->effects[e->effect_count++];
	*x = (struct effect){.kind = kind, .at = e->now};
	return x;
}

struct incident *engine_find_incident(struct engine *e, const char *id)
{
	for (size_t n = e->incident_count; n-- > 0;) {
		if (strcmp(e->incidents[n].id, id) == 0)
			return &e->incidents[n];
	}
	return NULL;
}

bool engine_id_taken(void *ctx, const char *id)
{
	return engine_find_incident(ctx, id) != NULL;
}

/* Room for one more: the least severe closed one goes when the table is full. */
static struct incident *make_room(struct engine *e)
{
	if (e->incident_count < e->incident_cap)
		return &e->incidents[e->incident_count++];
	if (e->incident_cap < e->options.incidents_max) {
		size_t cap = e->incident_cap == 0 ? 16 : 2 * e->incident_cap;
		if (cap > e->options.incidents_max)
			cap = e->options.incidents_max;
		struct incident *incidents = realloc(e->incidents, cap * sizeof(*incidents));
		if (incidents != NULL) {
			e->incidents = incidents;
			e->incident_cap = cap;
			return &e->incidents[e->incident_count++];
		}
	}
	struct incident *least = NULL;
	for (size_t n = 0; n < e->incident_count; n++) {
		struct incident *i = &e->incidents[n];
		if (i->state == INCIDENT_CLOSED && (least == NULL || i->severity < least->severity))
			least = i;
	}
	return least;
}

enum wd_err engine_remember(struct engine *e, const struct incident *i)
{
	struct incident *place = engine_find_incident(e, i->id);
	if (place == NULL)
		place = make_room(e);
	if (place == NULL)
		return WD_FULL;
	*place = *i;
	e->incidents_changed = e->changed = true;
	return WD_OK;
}

void engine_remember_open(struct engine *e)
{
	for (size_t n = 0; n < e->track_count; n++) {
		const struct episode *ep = &e->tracks[n].episode;
		if (ep->known && engine_remember(e, &ep->incident) != WD_OK)
			e->effects_lost++;
	}
}

void engine_tell(struct engine *e, struct track *t, enum effect_kind kind)
{
	episode_order_scope(&t->episode);
	t->episode.incident.changed_at = watch_time(t, e->now);
	struct effect *x = engine_add_effect(e, kind);
	if (x != NULL)
		x->incident = t->episode.incident;
	if (engine_remember(e, &t->episode.incident) != WD_OK)
		e->effects_lost++;
	engine_touch(e, t);
}

/* ---- related incidents ---- */

static bool list_has(const struct text_list *list, const char *id)
{
	for (size_t n = 0; n < list->count; n++) {
		if (strcmp(list->items[n], id) == 0)
			return true;
	}
	return false;
}

static bool share_provider(const struct service *a, const struct service *b)
{
	if (list_has(&a->relies_on, b->id) || list_has(&b->relies_on, a->id))
		return true;
	for (size_t n = 0; n < a->relies_on.count; n++) {
		if (list_has(&b->relies_on, a->relies_on.items[n]))
			return true;
	}
	return false;
}

static void relate(struct incident *i, const char *id, enum relation relation)
{
	for (uint32_t n = 0; n < i->related_count; n++) {
		if (strcmp(i->related[n].id, id) == 0)
			return; /* in an earlier wave */
	}
	if (i->related_count == INCIDENT_RELATED_MAX)
		return;
	struct related *r = &i->related[i->related_count++];
	text_copy(r->id, sizeof(r->id), id);
	r->relation = relation;
}

void engine_find_related(struct engine *e, struct track *t)
{
	struct incident *mine = &t->episode.incident;
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *other = &e->tracks[n];
		struct incident *theirs = &other->episode.incident;
		bool on = track_is_on(other);
		if (other == t || !on || other->service == NULL || t->service == NULL ||
		    llabs(wall_sub(mine->began_at, theirs->began_at).ns) > RELATED_WITHIN.ns)
			continue;
		bool spill = (mine->kinds & theirs->kinds & INCIDENT_REPORTS) != 0 &&
			     theirs->began_at.ns <= mine->began_at.ns &&
			     theirs->peak_observed > SPILLOVER_RATIO * mine->peak_observed;
		enum relation r = share_provider(t->service, other->service)
					  ? RELATION_SHARED_PROVIDER
				  : spill ? RELATION_SPILLOVER
					  : RELATION_SAME_TIME;
		relate(mine, theirs->id, r);
		relate(theirs, mine->id, r == RELATION_SPILLOVER ? RELATION_SAME_TIME : r);
		engine_tell(e, other, EFFECT_INCIDENT_CHANGED);
	}
}
