/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lineage.h"

#include "base/text.h"

#include <string.h>

/* Bots come and go within weeks, and two botnets have some machines in common. */
static const float SHARED_MIN = 0.25f;

const struct forebear *lineage_find(const struct lineage *l, const char *incident)
{
	for (uint32_t n = 0; n < l->count; n++) {
		if (strcmp(l->list[n].incident, incident) == 0)
			return &l->list[n];
	}
	return NULL;
}

static uint32_t oldest(const struct lineage *l)
{
	uint32_t at = 0;
	for (uint32_t n = 1; n < l->count; n++) {
		if (wall_before(l->list[n].at, l->list[at].at))
			at = n;
	}
	return at;
}

void lineage_keep(struct lineage *l, const char *incident, wd_wall at,
		  const struct source_set *sources)
{
	const struct forebear *known = lineage_find(l, incident);
	uint32_t n = known != NULL ? (uint32_t)(known - l->list)
		     : l->count < LINEAGE_MAX ? l->count : oldest(l);
	struct forebear *f = &l->list[n];
	l->count += n == l->count;
	text_copy(f->incident, sizeof(f->incident), incident);
	f->at = at;
	f->sources = *sources;
}

const struct forebear *lineage_next(const struct lineage *l, const struct forebear *mine,
				    uint32_t *at, float *ret_shared)
{
	while (mine->sources.count >= LINEAGE_SOURCES_MIN && *at < l->count) {
		const struct forebear *f = &l->list[(*at)++];
		if (f == mine || f->sources.count < LINEAGE_SOURCES_MIN)
			continue;
		float shared = (float)source_set_shared(&mine->sources, &f->sources);
		if (shared < SHARED_MIN)
			continue;
		*ret_shared = shared;
		return f;
	}
	return NULL;
}

void lineage_write(const struct lineage *l, struct out *o)
{
	out_u32(o, l->count);
	for (uint32_t n = 0; n < l->count; n++) {
		out_text(o, l->list[n].incident);
		out_i64(o, l->list[n].at.ns);
		source_set_write(&l->list[n].sources, o);
	}
}

void lineage_read(struct lineage *l, struct cur *c)
{
	uint32_t count = cur_u32(c);
	if (count > LINEAGE_MAX)
		c->bad = true;
	for (l->count = 0; l->count < count && !c->bad; l->count++) {
		struct forebear *f = &l->list[l->count];
		cur_text(c, f->incident, sizeof(f->incident));
		f->at.ns = cur_i64(c);
		source_set_read(&f->sources, c);
	}
	if (c->bad)
		l->count = 0;
}
