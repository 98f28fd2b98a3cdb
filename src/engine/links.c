/* SPDX-License-Identifier: Apache-2.0 */
/* links: what an incident has in common with others: the tool, or those who took part. */
#include "engine/inner.h"

#include "base/text.h"

#include <string.h>

static bool same_fingerprint(const struct trace *a, const struct trace *b)
{
	for (uint32_t n = 0; n < a->vector_count; n++) {
		for (uint32_t m = 0; m < b->vector_count; m++) {
			if (a->vectors[n].fingerprint != 0 &&
			    a->vectors[n].fingerprint == b->vectors[m].fingerprint)
				return true;
		}
	}
	return false;
}

/* Where one more link goes: a place of its own, or the weakest one's; NULL if it is weaker. */
static struct trace_link *place_for(struct trace *t, float shared)
{
	struct trace_link *weakest = &t->links[0];
	if (t->link_count < TRACE_LINKS_MAX)
		return &t->links[t->link_count++];
	for (uint32_t n = 1; n < TRACE_LINKS_MAX; n++)
		weakest = t->links[n].shared < weakest->shared ? &t->links[n] : weakest;
	return weakest->shared < shared ? weakest : NULL;
}

static void add_link(struct trace *t, const char *incident, float shared, bool fingerprint)
{
	for (uint32_t n = 0; n < t->link_count; n++) {
		if (strcmp(t->links[n].incident, incident) != 0)
			continue;
		t->links[n].shared = shared > t->links[n].shared ? shared : t->links[n].shared;
		t->links[n].fingerprint |= fingerprint;
		return;
	}
	struct trace_link *l = place_for(t, shared);
	if (l == NULL)
		return;
	*l = (struct trace_link){.shared = shared, .fingerprint = fingerprint};
	text_copy(l->incident, sizeof(l->incident), incident);
}

/* Who took part, as far as their being there says something (lineage.h). */
static void keep_sources(struct engine *e, const struct tracer *tracer,
			 const struct source_memory *usual, const struct trace *t)
{
	struct source_set sources;
	tracer_sources(tracer, &sources);
	if (t->status != SOURCE_REFLECTOR && usual != NULL)
		source_set_without(&sources, usual);
	if (t->status == SOURCE_SPOOFED || (t->status != SOURCE_REFLECTOR && usual == NULL))
		sources.count = 0;
	if (sources.count > 0 || lineage_find(e->lineage, t->incident) != NULL)
		lineage_keep(e->lineage, t->incident, t->changed_at, &sources);
}

void engine_find_links(struct engine *e, const struct tracer *tracer,
		       const struct source_memory *usual, struct trace *t)
{
	t->link_count = 0;
	for (size_t n = 0; n < e->trace_count; n++) {
		const struct trace *other = shared_trace_of(e->traces[n]);
		if (strcmp(other->incident, t->incident) != 0 && same_fingerprint(t, other))
			add_link(t, other->incident, 0, true);
	}
	if (e->lineage == NULL)
		return;
	keep_sources(e, tracer, usual, t);
	const struct forebear *mine = lineage_find(e->lineage, t->incident), *f;
	uint32_t at = 0;
	float shared;
	while (mine != NULL && (f = lineage_next(e->lineage, mine, &at, &shared)) != NULL)
		add_link(t, f->incident, shared, false);
}
