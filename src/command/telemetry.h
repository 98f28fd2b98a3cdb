/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry: what the live program sees of traffic: collectors of flow exports, taps of
 * interfaces and access logs, as the configuration says, and their ticks, which the pilot's
 * thread takes.
 * (docs/telemetry.md) */
#ifndef WD_COMMAND_TELEMETRY_H
#define WD_COMMAND_TELEMETRY_H

#include "base/err.h"
#include "command/traffic_rules.h"
#include "command/weblogs.h"
#include "config/config.h"
#include "intake/gather.h"
#include "publish/metrics.h"
#include "tally/web.h"

#include <stdbool.h>

struct telemetry;

/* Called by the collecting threads. */
struct telemetry_calls {
	void (*wake)(void *ctx);     /* there is something to take; may be NULL */
	wd_wall (*clock)(void *ctx); /* the engine's, which never goes back; NULL: the system's */
	void *ctx;
};

/* What is watched is kept; sockets are opened. What cannot be opened is logged with its
 * reason, and the failure returned. With no source configured it does nothing. No call is made
 * before telemetry_start. */
enum wd_err telemetry_open(const struct config *config, const struct telemetry_calls *calls,
			   struct telemetry **ret_telemetry, struct wd_why *why) WD_MUST_CHECK;
enum wd_err telemetry_start(struct telemetry *t, struct wd_why *why) WD_MUST_CHECK;
/* Ends the collecting threads; what they counted can still be taken. */
void telemetry_stop(struct telemetry *t);
void telemetry_close(struct telemetry *t); /* NULL is fine */

/* Whose addresses are whose, and who may send, from the next tick on. */
void telemetry_reload(struct telemetry *t, const struct config *config);

/* How traffic is told apart; lives as long as the telemetry. */
const struct traffic_book *telemetry_book(const struct telemetry *t);

/* Who has that slot (struct gather_handler): an address or an interface. NULL: nobody. */
const char *telemetry_witness(const struct telemetry *t, uint32_t slot);

struct telemetry_handler {
	struct gather_handler traffic;
	void (*requests)(void *ctx, const struct web_tick *tick); /* with traffic.ctx */
	void (*clients)(void *ctx, const struct weblogs_clients *c); /* likewise */
};

/* The pilot's thread. True if anything was handed on. `last`: the collecting threads have
 * ended, hand on all that is left. */
bool telemetry_take(struct telemetry *t, const struct telemetry_handler *handler, bool last);

void telemetry_metrics(struct telemetry *t, struct metrics *m);
/* Any thread. */
void telemetry_exporters(struct telemetry *t, struct exporters *ret_exporters);

#endif
