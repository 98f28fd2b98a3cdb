/* SPDX-License-Identifier: Apache-2.0 */
/* pilot: the thread that drives the engine live. It restores the engine from the store, takes
 * the journal's items in order, hands out snapshots, keeps incidents and state in the store,
 * and tells event streams what changed. The only thread that touches the engine. */
#ifndef WD_COMMAND_PILOT_H
#define WD_COMMAND_PILOT_H

#include "base/err.h"
#include "command/telemetry.h"
#include "config/config.h"
#include "model/observation.h"
#include "model/snapshot.h"
#include "publish/http.h"
#include "store/journal.h"
#include "store/store.h"

struct pilot;

struct pilot_options {
	struct store *store;
	const struct config *config; /* for the time of the call; the catalogue is held */
	struct telemetry *telemetry; /* its ticks are taken, too; outlives the pilot */
	wd_wall now;                 /* what readers are shown before the first item */
};

/* Restores the engine up to the end of the store. */
enum wd_err pilot_open(const struct pilot_options *options, struct pilot **ret_pilot,
		       struct wd_why *why) WD_MUST_CHECK;
/* Tells a fresh engine what `next` gives (false = no more), each at its own time, and keeps the
 * state; none of it passes through the journal. */
enum wd_err pilot_preload(struct pilot *p,
			  bool (*next)(void *ctx, struct observation *ret_o, struct wd_why *why),
			  void *ctx, struct wd_why *why) WD_MUST_CHECK;
/* From here on it takes the journal's items. `http` gets the events. */
enum wd_err pilot_start(struct pilot *p, struct journal *journal, struct http *http,
			struct wd_why *why) WD_MUST_CHECK;
/* After telemetry_stop and journal_stop: takes what is left, writes the state, ends the thread. */
void pilot_stop(struct pilot *p);
void pilot_close(struct pilot *p); /* NULL is fine */

/* A new catalogue and retention, at the next item. Any thread. */
void pilot_configure(struct pilot *p, const struct config *config);

/* The latest snapshot, held for the caller; never NULL after pilot_open. Any thread. */
struct snapshot *pilot_snapshot(struct pilot *p);
/* Since it was last all that the engine has to show. */
wd_span pilot_snapshot_age(struct pilot *p);

#endif
