/* SPDX-License-Identifier: Apache-2.0 */
/* baseline: what a series of counts usually is. Counts per bin in; the expected
 * count, how far to trust it, and how far the counts scatter out.
 *
 *	expected = level * shape(half hour of the local day, weekday or weekend)
 *
 * The level is a mean over about a week. The shape is one factor a half hour and day
 * type, interpolated between half hours, and pulled towards 1 by 30 counts of doubt, so
 * that a sparse series keeps a flat day. Scatter: the variance of a count with mean m is
 * m (1 + noise), which is what reports that come several at a time do. The last three
 * hours are kept beside it: where the day's shape is not known yet, or today is not like other
 *days, they say by how much.
 *
 * Plain values: no pointers, nothing owned, copy freely. Units: counts a bin. */
#ifndef WD_TALLY_BASELINE_H
#define WD_TALLY_BASELINE_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

enum { BASELINE_BINS = 96 }; /* 48 half hours of a weekday, then 48 of a weekend day */

/* What follows from the width of a bin alone. All memories in samples. */
struct baseline_plan {
	float level_memory;   /* about a week */
	float scatter_memory; /* about two weeks */
	float shape_memory;   /* 20 visits to a half hour */
	float relearn_memory; /* what stays of the level's weight when it is found to be too high */
	float recent_keep;    /* what the next sample leaves of the last three hours */
	float scatter_keep, blocks_keep;
	uint32_t block; /* samples of a block */
	bool interpolate;     /* bins shorter than half an hour */
};

struct baseline {
	float level;  /* mean count of a bin, over the whole week */
	float weight; /* samples behind the level */
	float excess; /* sums over the scatter's memory: squared residual less its mean, */
	float sum;    /* means */
	float below;  /* evidence that the level is too high, natural log, >= 0 */
	float recent, recent_mean; /* about three hours' counts, and what was expected of them */
	/* The running visit to one half hour, booked into its bin when it ends. */
	float visit_sum, visit_level;
	/* The running block of a few minutes, and excess and sum of the whole blocks so far. */
	float block_sum, block_mean, blocks_excess, blocks_sum;
	uint32_t block_samples;
	uint16_t visit_samples;
	uint8_t visit_bin;
	/* Refreshed when the local time enters another stretch between bin centres. */
	uint8_t stretch;
	float shape_from, shape_to; /* factors at the ends of the stretch */
	float shape[BASELINE_BINS];
	uint16_t samples[BASELINE_BINS];
};

struct baseline_now {
	float mean;        /* expected count of this bin */
	float factor;      /* shape: mean = level * factor */
	float noise;       /* variance of a count = mean * (1 + noise) */
	float lift;        /* >= 1: how far the last hours ran above expectation */
};

void baseline_plan_init(struct baseline_plan *plan, wd_span step);
void baseline_init(struct baseline *b);

/* The expectation at a local time. `minute` is 0 to 1439. Refreshes the cached stretch. */
void baseline_at(struct baseline *b, const struct baseline_plan *plan, unsigned minute,
		 bool weekend, struct baseline_now *ret);

/* Learns one count that `now` was made for. `count` must be finite and >= 0. `slow`:
 * something is wrong with the service, so only the level moves, 20 times slower. */
void baseline_learn(struct baseline *b, const struct baseline_plan *plan,
		    const struct baseline_now *now, float count, bool slow);

/* Forgets the level (not the shape): what is now is normal. */
void baseline_restart(struct baseline *b, float level);


#endif
