/* SPDX-License-Identifier: Apache-2.0 */
/* keeper: what the engine decided goes into the store. What cannot be written (a full disk, another
 * program's lock) is written again later, as it is then: the engine has all of it in memory, so
 * nothing piles up. What is lost meanwhile are the versions between, evidence of coordinated
 * reports, and the last trace of an incident that ended. The pilot's thread only. */
#ifndef WD_COMMAND_KEEPER_H
#define WD_COMMAND_KEEPER_H

#include "engine/engine.h"
#include "store/store.h"

/* The journal has no ticks: what they decide is not decided again by a replay. */
static inline bool keeper_by_ticks(const struct incident *i)
{
	return (incident_kinds(i) & (INCIDENT_TRAFFIC | INCIDENT_REQUESTS)) != 0;
}

struct keeper {
	struct store *store;
	struct engine *engine;
	wd_wall missed; /* incidents that changed since then may be missing; 0 = none is */
	wd_mono again;  /* not before that */
	bool damaged;   /* the database (keeper_failed): whoever reads this has it repaired */
};

/* Writes the engine's effects and drops them. True: an incident was opened that the journal does
 * not tell of. */
bool keeper_keep(struct keeper *k);
/* Tries what could not be written once more, if it is time; `last`: it is. True: now all of it is
 * written. */
bool keeper_again(struct keeper *k, bool last);
/* The store failed: marks the database as damaged if that is why. */
void keeper_failed(struct keeper *k, const struct wd_why *why);

#endif
