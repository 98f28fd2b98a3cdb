/* SPDX-License-Identifier: Apache-2.0 */
#include "command/clock_watch.h"

#include "command/log.h"

static const int64_t BEHIND_S = 60, AGAIN_S = 1;

void clock_watch(struct clock_watch *w, wd_span off, uint64_t jumps)
{
	int64_t ahead_s = -span_to_s(off);

	if (jumps != w->jumps) /* what lay between was not watched */
		log_line(LOG_LEVEL_WARNING, "clock_jumped", "times=%llu",
			 (unsigned long long)jumps);
	w->jumps = jumps;
	if (!w->behind && ahead_s > BEHIND_S) { /* time goes on a tenth slower meanwhile */
		w->behind = true;
		log_line(LOG_LEVEL_WARNING, "clock_behind", "seconds=%lld", (long long)ahead_s);
	} else if (w->behind && ahead_s <= AGAIN_S) {
		w->behind = false;
		log_line(LOG_LEVEL_INFO, "clock_right", "seconds=%lld", (long long)ahead_s);
	}
}
