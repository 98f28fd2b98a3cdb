/* SPDX-License-Identifier: Apache-2.0 */
/* web_ticks: memory for the seconds of requests that are open or on their way to the engine, shared
 * by all services: one without requests has none. The thread that reads lines takes, the engine's
 * gives back. Made when it is first needed, never more than is allowed. */
#ifndef WD_COMMAND_WEB_TICKS_H
#define WD_COMMAND_WEB_TICKS_H

#include "base/err.h"
#include "model/service.h"
#include "tally/web.h"

enum {
	WEB_TICKS_SHARED = 96, /* for all; 5.7 MB */
	WEB_TICKS_ALONE = 2,   /* and for each service that has no addresses: nothing is counted of
				* its traffic, which takes more */
};

struct web_ticks;

enum wd_err web_ticks_open(struct web_ticks **ret) WD_MUST_CHECK;
void web_ticks_close(struct web_ticks *t); /* all were given back; NULL is fine */
/* So many for these services, of which `watched_max` are watched. */
void web_ticks_allow(struct web_ticks *t, const struct catalogue *c, size_t watched_max);

struct web_tick *web_ticks_take(void *web_ticks); /* NULL: there is none; as web_room.take */
void web_ticks_give(struct web_ticks *t, struct web_tick *tick);
/* More than half are out: who can shall give back early. */
bool web_ticks_scarce(struct web_ticks *t);

#endif
