/* SPDX-License-Identifier: Apache-2.0 */
/* clock_watch: tells the log when the program's time, which never goes back (store/stamps.h), is
 * not the system's. */
#ifndef WD_COMMAND_CLOCK_WATCH_H
#define WD_COMMAND_CLOCK_WATCH_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

struct clock_watch {
	uint64_t jumps;
	bool behind;
};

/* `off`: the system's clock less the program's; `jumps`: how often that followed it by more than
 * ten minutes since the start. Both of struct journal_counters. */
void clock_watch(struct clock_watch *w, wd_span off, uint64_t jumps);

#endif
