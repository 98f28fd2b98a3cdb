/* SPDX-License-Identifier: Apache-2.0 */
/* evidence: counts against "the rate is at most null_mean", in nats. An e-detector of
 * CUSUM form (Shin, Ramdas & Rinaldo, "E-detectors", 2022): for each of a few effect
 * sizes L
 *
 *	W <- max(0, 0.98 W + min(cap, ln NB(y; L mean) / NB(y; mean)))
 *
 * The likelihood ratio of two negative binomials of one size grows convexly in y, so its
 * mean is at most 1 for every rate up to the null and every scatter up to the assumed one.
 * The mean of the e^W is then crossed by 10^h at most once in 10^h samples; the cap, the
 * leak and every reset only make that rarer. A rate that wanders breaks the assumption that
 * samples are independent: small effects are then judged with the scatter of a quarter of an
 * hour, large ones against a null beyond what the rate wanders. That is no proof any more;
 * calibrate.h takes over. */
#ifndef WD_DETECT_EVIDENCE_H
#define WD_DETECT_EVIDENCE_H

#include <stdint.h>

enum { EVIDENCE_SIZES = 4 };

struct evidence {
	float nats[EVIDENCE_SIZES];    /* W, >= 0 */
	uint32_t age[EVIDENCE_SIZES]; /* bins since W left 0; 0 where W is 0 */
};

struct evidence_sample {
	float count;
	float null_mean;
	float size; /* of the negative binomial: variance = mean + mean^2 / size */
	/* The same for large effects: a null so far out that the rate hardly wanders there, and
	 * with that put aside less scatter. */
	float far_mean, far_size;
	float cap;  /* nats one sample may add */
};

/* Adds one sample. Returns log10 of the mean of e^W: 0 when there is no evidence. */
float evidence_step(struct evidence *e, const struct evidence_sample *s);

/* The surprise of one sample alone: -log10 of the chance of s->count or more under the
 * null, 0 when it is not above it, at most the cap. */
float evidence_surprise(const struct evidence_sample *s);

/* Bins without a sample: they say nothing, but time goes on. */
void evidence_skip(struct evidence *e, uint32_t bins);

/* Bins since the evidence began, that is since the largest W left 0; 0 if none. */
uint32_t evidence_age(const struct evidence *e);

#endif
