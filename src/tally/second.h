/* SPDX-License-Identifier: Apache-2.0 */
/* second: rates of the last second, from ticks. A tick alone is too short for a peak: exporters
 * send what they saw in bursts, so a quarter of a second holds twice the mean one time and
 * nothing the next. All zero is a valid start. */
#ifndef WD_TALLY_SECOND_H
#define WD_TALLY_SECOND_H

#include "base/bytes.h"
#include "base/units.h"

#include <stddef.h>
#include <stdint.h>

enum {
	SECOND_TICKS = 4,  /* of 250 ms; wider ones need fewer */
	SECOND_VALUES = 4, /* that are followed together */
};

struct second {
	int64_t end_ns[SECOND_TICKS];
	float seconds[SECOND_TICKS]; /* width; 0 = no tick */
	float value[SECOND_TICKS][SECOND_VALUES];
	uint32_t next;
};

/* Takes what `count` values came to in the tick [at, at + width), which is not before the last
 * one; gives each as a mean a second over the last second (over the tick, where that is longer).
 * In the first second it is what came so far. */
void second_add(struct second *s, wd_wall at, wd_span width, const double *values, size_t count,
		double *ret_per_s);

void second_write(const struct second *s, struct out *o);
void second_read(struct second *s, struct cur *c); /* what is short marks the cursor bad */

#endif
