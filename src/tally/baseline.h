/* SPDX-License-Identifier: Apache-2.0 */
/* baseline: what a series of counts usually is. Counts per bin in; the expected
 * count, how far to trust it, and how far the counts scatter out.
 *
 *	expected = level * shape(half hour of the local day, weekday or weekend)
 *
 * The level is a mean over about a week. The shape is one factor a half hour and day type,
 * interpolated between half hours; 30 counts of doubt pull it towards that of the other day
 * type, and that one towards 1, so that a sparse series keeps a flat day. Scatter: the
 * variance of a count with mean m is m (1 + noise), which is what reports that come several
 * at a time do; the noise is the larger of that of a sample and that of a quarter of an
 * hour, because a crowd that lingers makes neighbouring samples repeat each other. The last
 * three hours are kept beside it: where the day's shape is not known yet, or today is not
 * like other days, they say by how much. What a day looked like before it was known is no scatter:
 * at a half hour that was visited v times the scatter's memory is (v + 1)^2 / 8 days, two weeks
 * at most. Nor is there what has stood out for an hour.
 *
 * Plain values: no pointers, nothing owned, copy freely. Units: counts a bin. */
#ifndef WD_TALLY_BASELINE_H
#define WD_TALLY_BASELINE_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

enum { BASELINE_BINS = 96 }; /* 48 half hours of a weekday, then 48 of a weekend day */

/* What follows from the width of a bin alone. Memories in samples; a "keep" is what one
 * more sample leaves of a sum. */
struct baseline_plan {
	float level_memory;    /* about a week */
	float below_max;       /* about two hours */
	float below_keep;      /* the same */
	float visit;           /* half an hour */
	float shape_memory;    /* 20 visits to a half hour */
	float scatter_keep;    /* about two weeks */
	float blocks_keep;     /* the same, of a block */
	float relearn;         /* a sample by an eighth of a day */
	float recent_keep;     /* about three hours */
	uint32_t block;        /* samples of a quarter of an hour, at least 1 */
	bool interpolate;      /* bins shorter than half an hour */
};

struct baseline {
	float level;  /* mean count of a bin, over the whole week */
	float weight; /* samples behind the level */
	float below;  /* counts that a fifth of the level would have brought too many, >= 0 */
	/* What came and the shape's factors since it left 0, the last two hours above all. */
	float below_counts, below_factors;
	float excess, sum;         /* of samples: squared residuals less their means; means */
	float recent, recent_mean; /* of three hours: counts; what was expected of them */
	/* The running quarter of an hour, and the sums of the whole ones so far. */
	float block_sum, block_mean, blocks_excess, blocks_sum;
	uint16_t block_samples;
	/* The running visit to one half hour, booked into its bin when it ends. */
	uint16_t visit_samples;
	float visit_sum, visit_level;
	uint8_t visit_bin;
	/* Refreshed when the local time enters another stretch between two bins' centres … */
	uint8_t stretch;
	float shape_from, shape_to; /* factors at its ends */
	float noise, noise_alone, wander; /* … and when a block ends */
	/* Where samples is 0 and the shape is not 1, an incident left it there: of no weight. */
	float shape[BASELINE_BINS];
	uint16_t samples[BASELINE_BINS];
};

struct baseline_now {
	float mean;   /* expected count of this bin */
	float factor; /* shape: mean = level * factor */
	float passed; /* of the half hour: 0 to 1 */
	float noise;  /* variance of a count = mean * (1 + noise), neighbours' likeness included; */
	float noise_alone; /* of a sample by itself, <= noise */
	float wander; /* how far (relative, one standard deviation) the rate itself wanders */
	float drift;  /* how the last hours ran: counts by expectation */
};

void baseline_plan_init(struct baseline_plan *plan, wd_span step);
void baseline_init(struct baseline *b);

/* The expectation at a local time. `minute` is 0 to 1439. Books the visit that ended. */
void baseline_at(struct baseline *b, const struct baseline_plan *plan, unsigned minute,
		 bool weekend, struct baseline_now *ret);

/* A count as far as it is believed to be usual; finite, 0 <= habit <= scatter. */
struct baseline_count {
	float habit; /* for level and shape, and in half hours that are not known for the scatter */
	float scatter; /* in those that are known */
	bool lasting;  /* it has stood out for an hour: no scatter in those that are known */
};

/* Learns one count that `now` was made for. */
void baseline_learn(struct baseline *b, const struct baseline_plan *plan,
		    const struct baseline_now *now, const struct baseline_count *count);

/* The same while something is wrong with the service: only the level moves, 20 times slower. What
 * half hours have that were not known before is remembered, and believed if that turns out to
 * have been usual. */
void baseline_learn_slowly(struct baseline *b, const struct baseline_plan *plan,
			   const struct baseline_now *now, float count);
/* Nothing is wrong any more, or nothing was: `usual`. */
void baseline_thaw(struct baseline *b, const struct baseline_plan *plan, bool usual);

/* Forgets the level (not the shape): what is now is normal. */
void baseline_restart(struct baseline *b, float level);

#endif
