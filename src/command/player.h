/* SPDX-License-Identifier: Apache-2.0 */
/* player: plays a scenario into a fresh server, so that somebody who has just installed it sees
 * an incident with its history. Its times are moved so that the scenario's last surge has just
 * reached its peak. What lies before now goes straight into the engine; the rest comes through
 * the journal as it falls due, like anybody's reports. All of it is marked as a reconstruction. */
#ifndef WD_COMMAND_PLAYER_H
#define WD_COMMAND_PLAYER_H

#include "base/err.h"
#include "command/pilot.h"
#include "intake/scenario.h"
#include "store/journal.h"
#include "store/store.h"

struct player;

/* NULL on failure, told on stderr. */
struct player *player_open(const char *scenario);
/* Nothing is played into a data folder that is not empty: real reports and played ones must not
 * mix. That is told in the log, and so is each service that `catalogue` does not name: its reports
 * count nowhere. */
enum wd_err player_preload(struct player *p, struct pilot *pilot, struct store *store,
			   const struct catalogue *catalogue, struct wd_why *why) WD_MUST_CHECK;
enum wd_err player_start(struct player *p, struct journal *journal,
			 struct wd_why *why) WD_MUST_CHECK;
const struct scenario *player_scenario(const struct player *p);
void player_stop(struct player *p);  /* NULL is fine */
void player_close(struct player *p); /* NULL is fine */

#endif
