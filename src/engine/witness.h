/* SPDX-License-Identifier: Apache-2.0 */
/* witness: who tells of traffic (an exporter, an interface), and whether it still does. That
 * nothing came for a service is a zero only if somebody watched who would have told of it: a
 * witness that goes on speaking, of whatever. One that is silent for longer than it ever was of
 * late may be dead, and then nothing is known. So
 *
 * - a time without traffic is a zero once a witness of the service has spoken after it, and before
 *   it not longer ago than its patience;
 * - its patience is three times its longest silence of the last hours, 10 s to 5 min, and in its
 *   first ten minutes at least 75 s: what comes in bursts of a minute is not silent between them;
 * - a service's witnesses are those that told of a tenth or more of its packets, of late.
 *
 * Pure, plain values. Internal to the engine. */
#ifndef WD_ENGINE_WITNESS_H
#define WD_ENGINE_WITNESS_H

#include "base/bytes.h"
#include "base/units.h"
#include "model/witness.h"
#include "tally/traffic.h"

#include <stdbool.h>
#include <stdint.h>

enum { WITNESS_PATIENCE_MAX_S = 300, TOLD_ROWS = 8 };

struct witness {
	char name[WITNESS_NAME_MAX + 1]; /* "" = a free place */
	wd_wall began;   /* its first word */
	wd_wall heard;   /* end of the last tick in which it spoke */
	wd_wall since;   /* its words follow each other since then; INT64_MAX: since the restart it
			  * has not spoken */
	float longest_s; /* silence, of late */
};

struct witnesses {
	struct witness all[WITNESSES_MAX];
	uint8_t slots[WITNESSES_MAX]; /* what records call it: its place + 1; 0 = nobody's */
	uint64_t known;  /* bit a place: is taken */
	uint64_t silent; /* … and who has it has been silent for longer than its patience */
	wd_wall until;   /* as of then; 0: nobody has told yet */
};

/* It spoke in a tick that ended then. Returns the place that another lost to it, or -1. */
int witnesses_hear(struct witnesses *w, uint32_t slot, const char *name, wd_wall at);
void witnesses_until(struct witnesses *w, wd_wall until);
wd_span witness_patience(const struct witness *w);
/* As readers see them; returns how many. */
size_t witnesses_show(const struct witnesses *w, struct witness_state ret[WITNESSES_MAX]);

/* Who tells of one service: the heaviest of late. */
struct told {
	float packets[TOLD_ROWS];  /* of the last hour of ticks */
	uint8_t places[TOLD_ROWS]; /* whose row it is, + 1; 0 = free */
	uint64_t by;               /* bit a place: its witnesses; 0: not known */
};
void told_tick(struct told *t, const struct witnesses *w, const struct traffic_tick *tick);
void told_forget(struct told *t, size_t place);

enum hearing_state {
	HEARD,         /* of its witnesses, or nothing is known of any */
	HEARD_PARTLY,  /* some of them are silent */
	HEARD_NOTHING, /* all are */
};

struct hearing {
	enum hearing_state state;
	wd_wall since; /* last word: of all; if only some are silent, of the first of these, … */
	wd_wall last;  /* … and of the last */
	wd_wall from, until; /* between these what did not come is a zero */
};
struct hearing told_hearing(const struct told *t, const struct witnesses *w);

void witnesses_write(const struct witnesses *w, struct out *o);
void witnesses_read(struct witnesses *w, struct cur *c); /* nobody has spoken since */
void told_write(const struct told *t, struct out *o);
void told_read(struct told *t, struct cur *c);

#endif
