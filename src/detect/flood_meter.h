/* SPDX-License-Identifier: Apache-2.0 */
/* flood_meter: two rates that belong together (packets and bytes; records and sources) against
 * what they usually are, in decades of evidence.
 *
 * Each rate has a level of the last half minute, a level of hours, and a mark of the highest
 * half minute of the last weeks. The deviation is looked at over several lengths at once (the
 * lower of the last two ticks; running means of about 4, 12 and 50 ticks), each as
 * ln((mean + c) / (level + c)) over its own learned spread, so that however the traffic wanders,
 * the spread of that length knows it. c is a fourth of the floor: traffic far below the floor
 * deviates from nothing. No single tick counts in the running means with more than e times the
 * level, unless the one before it was as high. What exceeds the normal tail in fact is learned
 * by detect/calibrate.h. */
#ifndef WD_DETECT_FLOOD_METER_H
#define WD_DETECT_FLOOD_METER_H

#include "detect/calibrate.h"

#include <stdbool.h>
#include <stdint.h>

enum { METER_MEANS = 3, METER_SPREADS = METER_MEANS + 2, METER_RATES = 2 };

struct flood_meter_plan {
	float floor[METER_RATES];   /* a tick, above usual */
	struct calibrate_plan calibrate;
};

struct flood_rate {
	float last;                  /* of the tick before */
	float peak;                  /* highest tick since learning stopped */
	float mean[METER_MEANS];     /* running means, each tick capped */
	float recent, hours, top;    /* levels, a tick */
	float spread[METER_SPREADS]; /* mean square of the deviation: pair, means, hours */
};

struct flood_meter {
	struct flood_rate rate[METER_RATES];
	struct calibrate calibrate;
	bool used;                   /* false: nothing but zeros so far */
};

struct flood_meter_sample {
	float value[METER_RATES];     /* a tick */
	float error[METER_RATES];     /* sampling: relative variance of one tick's value */
	float discount[METER_RATES];  /* ln: so much of the rise is accounted for otherwise */
	uint64_t ticks;               /* the service has learned */
	bool learn;
	bool slow;                    /* slow rises count too, and are learned only slowly */
};

struct flood_meter_reading {
	float log10_return;           /* A */
	float evidence;               /* decades before calibration */
	float now;                    /* the same of the pair of ticks alone */
	bool above[METER_RATES];      /* this tick is beyond two spreads and a fourth of a floor */
	bool over_floor[METER_RATES]; /* and the run is a whole floor above usual */
	float rise[METER_RATES];      /* ln of the shortest mean over its level */
	bool below;
	uint8_t carrier;              /* the rate that gives A */
	float usual[METER_RATES], high[METER_RATES];
};

void flood_meter_init(struct flood_meter *m, const struct flood_meter_plan *plan);
void flood_meter_step(struct flood_meter *m, const struct flood_meter_plan *plan,
		      const struct flood_meter_sample *s, struct flood_meter_reading *ret);
/* Its highest of late is usual from now on. */
void flood_meter_accept(struct flood_meter *m);

#endif
