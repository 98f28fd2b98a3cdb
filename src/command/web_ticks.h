/* SPDX-License-Identifier: Apache-2.0 */
/* web_ticks: memory for the seconds of requests that are open or on their way to the engine, shared
 * by all services: one without requests has none. The thread that reads lines takes, the engine's
 * gives back. Never more than is allowed: once half of that is out, seconds are small ones, with a
 * sample of 16 requests. */
#ifndef WD_COMMAND_WEB_TICKS_H
#define WD_COMMAND_WEB_TICKS_H

#include "base/err.h"
#include "model/service.h"
#include "tally/web.h"

enum {
	WEB_TICKS_BYTES = 6 << 20,    /* for all: 54 whole and 264 small ones */
	WEB_TICKS_SMALL = 16,         /* samples; 12 KB */
	WEB_TICKS_ALONE = 2 * 58 * 1000, /* and for each service that has no addresses: nothing is
					  * counted of its traffic, which takes more */
};

struct web_ticks;

enum wd_err web_ticks_open(struct web_ticks **ret) WD_MUST_CHECK;
void web_ticks_close(struct web_ticks *t); /* all were given back; NULL is fine */
/* So many for these services, of which `watched_max` are watched. */
void web_ticks_allow(struct web_ticks *t, const struct catalogue *c, size_t watched_max);

/* NULL: there is none; as web_room.take */
struct web_tick *web_ticks_take(void *web_ticks, uint32_t *ret_samples);
void web_ticks_give(struct web_ticks *t, struct web_tick *tick); /* as it was cleared */
/* The next would be a small one: who can shall give back early. */
bool web_ticks_scarce(struct web_ticks *t);

#endif
