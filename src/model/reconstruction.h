/* SPDX-License-Identifier: Apache-2.0 */
/* reconstruction: what a scenario that was made from published figures was made from, and what of
 * it is assumed. Its text comes from a scenario file (docs/replay.md), never from a recording: a
 * recording has the scenario's name alone. Plain values. */
#ifndef WD_MODEL_RECONSTRUCTION_H
#define WD_MODEL_RECONSTRUCTION_H

#include "base/units.h"
#include "model/observation.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	RECONSTRUCTION_TITLE_MAX = 200, /* bytes, here and below */
	RECONSTRUCTION_NAME_MAX = 48,
	RECONSTRUCTION_URL_MAX = 300,
	RECONSTRUCTION_TEXT_MAX = 500,
	RECONSTRUCTION_SOURCES_MAX = 20,
	RECONSTRUCTION_ASSUMED_MAX = 20,
};

struct reconstruction_source {
	char name[RECONSTRUCTION_NAME_MAX + 1];
	char url[RECONSTRUCTION_URL_MAX + 1];    /* sound, see below */
	char taken[RECONSTRUCTION_TEXT_MAX + 1]; /* what was taken from it */
};

struct reconstruction {
	char scenario[OBSERVATION_SCENARIO_MAX + 1]; /* its name; "" = it has none */
	char title[RECONSTRUCTION_TITLE_MAX + 1];
	wd_wall began_at, ended_at; /* what happened, at the times of the scenario; 0 = nothing */
	struct reconstruction_source sources[RECONSTRUCTION_SOURCES_MAX];
	char assumed[RECONSTRUCTION_ASSUMED_MAX][RECONSTRUCTION_TEXT_MAX + 1];
	size_t source_count, assumed_count;
};

/* Those that came with the program. */
struct reconstructions { struct reconstruction *items; size_t count; };

/* NULL if it is not known. */
const struct reconstruction *reconstruction_find(const struct reconstructions *all,
						 const char *scenario);

/* An absolute http or https URL (RFC 3986) of printable ASCII that names a host, within its limit:
 * what may be a link on a page. */
bool reconstruction_url_is_sound(const char *url, size_t len);

#endif
