/* SPDX-License-Identifier: Apache-2.0 */
/* clock: the system's clocks, for the live program; the core is told the time. */
#ifndef WD_COMMAND_CLOCK_H
#define WD_COMMAND_CLOCK_H

#include "base/units.h"

#include <time.h>

static inline wd_wall wall_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return wall_of_clock(t.tv_sec, t.tv_nsec);
}

static inline wd_mono mono_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (wd_mono){(int64_t)t.tv_sec * WD_NS_PER_S + t.tv_nsec};
}

#endif
