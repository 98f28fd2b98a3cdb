/* SPDX-License-Identifier: Apache-2.0 */
/* deviation: how far a metric (any real number) is from itself, to either side. Three
 * residuals, each in units of its own robust scale:
 *
 *	jump:   from a level of the last one or two samples,
 *	local:  from a level of the last 31 samples,
 *	season: from the mean of this half hour of the week.
 *
 * Each side of each has its own tail, learned as it streams: a quantile that one sample in 82
 * exceeds, and a generalised Pareto fit of what exceeds it. The least likely of the three
 * heats a short memory:
 *
 *	heat <- 0.7 heat + max(0, max_j -log10 p_j - 0.57)
 *
 * Most constants were fitted once on public labelled series (NAB, KPI, Microsoft cloud
 * monitoring together); the memory is longer than theirs, so that a lasting shift of a series
 * with heavy tails is found too. Heat is no probability before it is calibrated (calibrate.h).
 * Plain values; units: the metric's, or decades. */
#ifndef WD_DETECT_DEVIATION_H
#define WD_DETECT_DEVIATION_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEVIATION_KINDS = 3, DEVIATION_SIDES = 2, DEVIATION_BINS = 96 };

struct deviation_tail {
	float from;   /* quantile, in scales */
	float excess; /* mean of what is beyond it, */
	float square; /* and of its square */
	float count;  /* how many were beyond, up to the memory */
};

struct deviation {
	float fast, local, slow;      /* levels */
	float scale[DEVIATION_KINDS]; /* mean absolute residual */
	struct deviation_tail tail[DEVIATION_KINDS][DEVIATION_SIDES];
	float heat[DEVIATION_SIDES]; /* decades, >= 0: above, below */
	uint32_t age[DEVIATION_SIDES]; /* bins since the heat left 0 */
	uint32_t seen;                 /* samples learned, up to 2^24 */
	float offset[DEVIATION_BINS];  /* mean of value - slow */
	uint16_t visits[DEVIATION_BINS];
};

struct deviation_now {
	float expected;  /* slow level and season */
	float reach;     /* half width of the usual band */
	float heat;      /* decades: the hotter side's */
	int8_t side;     /* 1 above, -1 below, 0 neither */
	uint32_t age;    /* bins since it began; 0 when there is none */
	bool far;        /* this sample itself is beyond its tail's quantile */
	bool near;       /* this sample is as usual */
};

void deviation_init(struct deviation *d);
void deviation_expect(const struct deviation *d, unsigned minute, bool weekend,
		      struct deviation_now *ret);
/* Judges the value, then learns it. `frozen`: something is wrong with the service, so only
 * the levels move, and 20 times slower. */
void deviation_step(struct deviation *d, float value, unsigned minute, bool weekend, bool frozen,
		    struct deviation_now *ret);
/* Bins without a value: they say nothing, but time goes on. */
void deviation_skip(struct deviation *d, uint32_t bins);
/* Forgets the heat. */
void deviation_cool(struct deviation *d);
/* It is calm again: the level of the last samples went along with what was unusual and would take a
 * sample for each scale to come back, so it goes to where `value` is: to what is expected or to
 * the local level, whichever is nearer. Forgets the heat. */
void deviation_settle(struct deviation *d, float value, unsigned minute, bool weekend);
/* What is now is normal. */
void deviation_restart(struct deviation *d, unsigned minute, bool weekend);

#endif
