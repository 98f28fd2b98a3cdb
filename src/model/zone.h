/* SPDX-License-Identifier: Apache-2.0 */
/* zone: a time zone as a table of offsets, made by an edge that may read the system's
 * zone data, so that the core can say what time it is for a service's audience. */
#ifndef WD_MODEL_ZONE_H
#define WD_MODEL_ZONE_H

#include "base/units.h"

#include <stddef.h>

enum { ZONE_NAME_MAX = 48, ZONE_CHANGES_MAX = 256 };

struct zone_change { int64_t at_s; int32_t east_s; }; /* from at_s on, this far east of UTC */

struct zone {
	char name[ZONE_NAME_MAX + 1]; /* "Europe/London", or "UTC" */
	int32_t east_s;               /* before the first change */
	size_t count;
	struct zone_change changes[ZONE_CHANGES_MAX]; /* rising at_s */
};

/* What the clock on the wall shows there at t. */
wd_wall zone_local(const struct zone *z, wd_wall t);

/* Caller frees; NULL if memory ran out. */
struct zone *zone_new_utc(void);

#endif
