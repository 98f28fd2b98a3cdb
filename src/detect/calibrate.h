/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate: evidence into A = log10 of its return period in samples ("normal traffic does
 * this once in 10^A samples"). Excursions of the evidence above `above` decades are counted
 * and the excess of their peaks fitted with a generalised Pareto tail (J. Pickands, "Statistical
 * Inference Using Extreme Order Statistics", 1975; fitted by its moments):
 *
 *	A = log10((1 + shape (E - above) / scale)^(1 / shape)) - log10(rate)
 *
 * The fit starts from a prior worth 10 excursions and 10,000 samples, and never undercuts the
 * floor. Where theory bounds the evidence (evidence.h: an excess that decays tenfold a decade,
 * excursions at most once in 10^above samples) it is prior and floor, so that a series that
 * behaves keeps A = E, and one that is burstier loses power instead of raising false alarms.
 *
 * Nobody has seen more than a series has lasted: past that the fit is extrapolation, and each
 * decade of it counts for `unseen` of one. */
#ifndef WD_DETECT_CALIBRATE_H
#define WD_DETECT_CALIBRATE_H

#include <stdbool.h>

struct calibrate_plan {
	float above;                   /* decades: where an excursion begins, > 0 */
	float scale_prior, scale_min;  /* decades of excess */
	float log10_rate_prior;        /* excursions a sample; also the floor */
	float unseen;                  /* what a decade counts that is longer than has been seen */
};

struct calibrate {
	float peak;     /* of the running excursion, in excess of `above`; 0 outside one */
	float excess;   /* sum of the excursions' excesses, */
	float square;   /* of their squares, */
	float count;    /* excursions, */
	float samples;  /* samples: all four are halved when the memory is full */
	/* What follows from them, refreshed when an excursion ends and now and then. */
	float scale, shape, log10_rate, log10_seen;
};

void calibrate_init(struct calibrate *c, const struct calibrate_plan *plan);
/* Learns one sample's evidence (decades, >= 0). `frozen`: what happens is not normal, so the
 * time does not count. */
void calibrate_learn(struct calibrate *c, const struct calibrate_plan *plan, float evidence,
		     bool frozen);
float calibrate_read(const struct calibrate *c, const struct calibrate_plan *plan,
		     float evidence);

#endif
