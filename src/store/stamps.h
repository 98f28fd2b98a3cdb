/* SPDX-License-Identifier: Apache-2.0 */
/* stamps: readings of the system's two clocks in, the program's time out. Decisions are
 * made by stamps, so they must be fit for that: a stamp is never before the last one, and
 * a minute of stamps is nearly a minute of real time. Pure; one thread at a time.
 *
 * Between two readings a stamp moves as far as the monotonic clock did. What the wall clock
 * differs is made up at a tenth of the time passed (SLEW): 6 seconds a minute. That is well
 * below the quarter above usual at which reports begin to count, so no correction looks
 * like a surge. Hence
 *   - small differences vanish unseen;
 *   - a wall clock set back never turns a stamp back: stamps run on, a tenth slower, until
 *     the wall clock has come up (an hour back takes ten hours);
 *   - a wall clock set forward by up to 10 minutes is followed at a tenth faster;
 *   - one set forward by more (or a machine that slept) is believed when it has said so
 *     for a minute; then stamps jump. A glitch of seconds leaves no trace.
 * The first reading after a start is believed at once if it is ahead of the last stamp on
 * disk. If it is behind, stamps go on from that one: a clock that was years ahead when it
 * was believed can be put right only by a new data folder. One that says 2200 or later, a time
 * that no observation can have, is never believed: stamps go on as if it stood still (from 1970 on
 * in a new folder), and are right soon after it is. */
#ifndef WD_STORE_STAMPS_H
#define WD_STORE_STAMPS_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

struct stamps {
	wd_wall last;
	wd_mono last_mono;
	wd_mono ahead_since; /* the wall clock has been far ahead for so long */
	bool started, ahead;
	wd_span off;    /* wall clock minus stamp at the last reading */
	uint64_t jumps; /* how often stamps jumped forward */
};

void stamps_init(struct stamps *s, wd_wall not_before);
wd_wall stamps_next(struct stamps *s, wd_wall wall, wd_mono mono);

#endif
