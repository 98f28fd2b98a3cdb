/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate: evidence into A = log10 of its return period in samples ("normal traffic does
 * this once in 10^A samples"). Excursions of the evidence above `above` decades are counted
 * and the excess of their peaks fitted with a generalised Pareto tail:
 *
 *	A = log10((1 + shape (E - above) / scale)^(1 / shape)) - log10(rate)
 *
 * Theory (see evidence.h) is where the fit starts and what it may never undercut: excursions
 * at most once in 10^above samples, an excess that decays tenfold a decade. So a series that
 * behaves keeps A = E, and one that is burstier than assumed loses power instead of raising
 * false alarms. */
#ifndef WD_DETECT_CALIBRATE_H
#define WD_DETECT_CALIBRATE_H

struct calibrate {
	float peak;     /* of the running excursion, in excess of `above`; 0 outside one */
	float excess;   /* sum of the excursions' excesses */
	float square;   /* sum of their squares */
	float count;    /* excursions */
	float samples;  /* samples seen; all four with forgetting */
	float above;    /* decades: where an excursion begins */
	float scale_min; /* decades: what the tail may not undercut; 0: nothing */
};

void calibrate_init(struct calibrate *c, float above, float scale_min);
/* Learns one sample's evidence (in decades) and returns its A. `frozen`: learn nothing. */
float calibrate_step(struct calibrate *c, float evidence, int frozen);
/* A of some evidence, without learning. */
float calibrate_read(const struct calibrate *c, float evidence);

#endif
