/* SPDX-License-Identifier: Apache-2.0 */
/* lineage: which sources took part in the latest incidents, as keyed hashes, so that a later one
 * with the same ones is known for that. A table of fixed size, the oldest makes room. Internal to
 * the engine.
 *
 * Of reflectors all sources are kept: sharing them means the same list. Of others those that the
 * service does not usually have, because its users take part in no attack; where who is usual is
 * not known, none. Forged addresses say nothing and are not kept. */
#ifndef WD_ENGINE_LINEAGE_H
#define WD_ENGINE_LINEAGE_H

#include "model/trace.h"
#include "tally/source_set.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LINEAGE_MAX = 128,        /* incidents: 1 MB */
	LINEAGE_SOURCES_MIN = 16, /* fewer sampled sources of an incident are compared to none */
};

struct forebear {
	char incident[INCIDENT_ID_MAX + 1];
	wd_wall at; /* last changed */
	struct source_set sources;
};

struct lineage {
	uint32_t count;
	struct forebear list[LINEAGE_MAX];
};

/* The incident's sources so far. */
void lineage_keep(struct lineage *l, const char *incident, wd_wall at,
		  const struct source_set *sources);
/* What share of the sources of `mine` another incident had: the next one after *at from which a
 * share worth telling comes; NULL when there is none. *at = 0 begins. */
const struct forebear *lineage_next(const struct lineage *l, const struct forebear *mine,
				    uint32_t *at, float *ret_shared);
const struct forebear *lineage_find(const struct lineage *l, const char *incident);

void lineage_write(const struct lineage *l, struct out *o);
void lineage_read(struct lineage *l, struct cur *c);

#endif
