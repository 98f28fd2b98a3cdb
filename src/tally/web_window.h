/* SPDX-License-Identifier: Apache-2.0 */
/* web_window: requests of one service, not quite in order of time, into ticks in order. Servers
 * stamp a request when it begins and log it when it ends, so lines come late by what they took.
 *
 *	while ((t = web_window_due(&w, wall_to_s(request.at))) != NULL)
 *		judge(t), give back(t);
 *	web_window_add(&w, &key, &request, &facts, prng_u64(&random));
 *
 * The last `count` seconds are open; a second that falls out is due. What is even later counts in
 * the oldest open second when the log is followed as it is written (it has just ended: that is
 * when it matters), and is dropped and counted when a file is read (its order means nothing).
 * The caller keeps times of the future out, and has the memory: a second without a request needs
 * none, and a tick that is due is the caller's again. */
#ifndef WD_TALLY_WEB_WINDOW_H
#define WD_TALLY_WEB_WINDOW_H

#include "tally/web.h"

enum {
	WEB_WINDOW_LIVE = 3,     /* seconds for a log that is followed: 174 KB where all are used */
	WEB_WINDOW_REPLAY = 128, /* for a file: 7.4 MB */
};

struct web_room {
	/* Whatever is in it, with room for so many samples; NULL: there is none. */
	struct web_tick *(*take)(void *ctx, uint32_t *ret_samples);
	void *ctx;
};

struct web_window {
	struct web_tick **ticks; /* [count], borrowed; NULL: no request yet */
	uint32_t count;
	bool live;
	bool begun;
	char service[SERVICE_ID_MAX + 1];
	int64_t oldest, newest; /* seconds that are open */
	int64_t last_s;         /* whose tick is: */
	struct web_tick *last;  /* that of the last request; NULL: none */
	struct web_room room;
	uint64_t late;          /* requests later than the window */
};

void web_window_init(struct web_window *w, struct web_tick **ticks, uint32_t count,
		     const char *service, bool live, struct web_room room);
/* The next tick that is over now that `second` has come, oldest first; only those in which
 * there was a request. NULL: no more. */
struct web_tick *web_window_due(struct web_window *w, int64_t second);
/* The same, where memory is short: all before `second` is over. */
struct web_tick *web_window_seal(struct web_window *w, int64_t second);
/* Counts one; its second must have been asked for with web_window_due. False: there was no
 * memory for it. */
bool web_window_add(struct web_window *w, const struct address_key *key, const struct request *r,
		    const struct web_facts *facts, uint64_t random);
/* What else was found out about the request that was added last: counted in its second. */
void web_window_tell(struct web_window *w, const struct request *r, enum web_mark mark);
/* The end: what is still open, as web_window_due. */
struct web_tick *web_window_end(struct web_window *w);

#endif
