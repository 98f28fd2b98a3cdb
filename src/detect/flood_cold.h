/* SPDX-License-Identifier: Apache-2.0 */
/* flood_cold: what floods even where nothing is known of the usual traffic: a service watched
 * for less than ten minutes, or a recording that begins with the attack. Not statistics but
 * rules, each "well above the floors, and of a shape that usual traffic does not have":
 *
 * answers  nobody asked for, above a megabit/s and large, or above the packet floor, from many;
 * opening  connections above the floor from many sources, of which few are closed again, or that
 *          all came over the same distance; from few sources only for longer and if no scan;
 * stray    TCP packets above the floor from many sources, or equal ones;
 * datagrams ten times above a floor, one way, equal in size or from many sources;
 * streams  five times above the packet floor, of one size, and from many sources over the same
 *          distance, or with hardly any data, end or answer. */
#ifndef WD_DETECT_FLOOD_COLD_H
#define WD_DETECT_FLOOD_COLD_H

#include "detect/flood.h"

#include <stdbool.h>

struct flood_cold {
	const struct traffic_tick *tick;
	uint8_t class;
	float packets, bytes; /* of the class, a tick: less what was asked for */
	float seen;           /* packets looked at within about a second */
	float packets_mean, bytes_mean; /* of about a second; fragments included for answers */
	float tcp;            /* TCP packets, a tick */
	float out;            /* of the class's answers, a tick */
	float scale;          /* a tick over this tick's width */
	bool out_seen;        /* the service's other direction is visible at all */
};

enum flood_cold_verdict {
	FLOOD_COLD_NO,
	FLOOD_COLD_HIT,  /* counts towards sustained */
	FLOOD_COLD_OVER, /* one tick is enough */
};

struct flood_shape;
/* Do `packets` a tick of opened connections look like a scan by the heaviest source, not so
 * heavy that its reason would not matter? */
bool flood_cold_scans(const struct flood_plan *plan, const struct flood_shape *shape,
		      float packets);

enum flood_cold_verdict flood_cold_judge(const struct flood_plan *plan,
					 const struct flood_cold *c);

#endif
