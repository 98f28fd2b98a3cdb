/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/evidence.h"

#include "detect/fastmath.h"

#include <stdbool.h>

static const float effect[EVIDENCE_SIZES] = {1.5F, 2.5F, 5, 12};
static const float effect_ln[EVIDENCE_SIZES] = {0.405465F, 0.916291F, 1.609438F, 2.484907F};
static const float leak = 0.98F; /* a sample: what happened an hour ago is another matter */
static const float nats_max = 200;
static const float log10_e = 0.43429448F;
static const float pooled_min =
	1.3862944F; /* ln EVIDENCE_SIZES: below it there is nothing to say */

static int largest(const struct evidence *e)
{
	int best = 0;

	for (int k = 1; k < EVIDENCE_SIZES; k++)
		if (e->nats[k] > e->nats[best])
			best = k;
	return best;
}

/* log10 of the mean of e^W over the sizes. */
static float pooled(const struct evidence *e)
{
	float top = e->nats[largest(e)], sum = 0;

	if (top < pooled_min)
		return 0;
	for (int k = 0; k < EVIDENCE_SIZES; k++)
		sum += fast_exp(e->nats[k] - top);
	return log10_e * (top + fast_log1p(sum - 1) - pooled_min);
}

float evidence_step(struct evidence *e, const struct evidence_sample *s)
{
	bool running = false;

	for (int k = 0; k < EVIDENCE_SIZES; k++)
		running |= e->nats[k] > 0;
	if (s->count <= s->null_mean && !running)
		return 0; /* every likelihood ratio is below 1 */

	const float mean[EVIDENCE_SIZES] = {s->null_mean, s->null_mean, s->far_mean, s->far_mean};
	const float size[EVIDENCE_SIZES] = {s->size, s->size, s->far_size, s->far_size};

	for (int k = 0; k < EVIDENCE_SIZES; k++) {
		float share = mean[k] / (size[k] + mean[k]);
		float gain = s->count * effect_ln[k] -
			     (s->count + size[k]) * fast_log1p((effect[k] - 1) * share);
		float nats = leak * e->nats[k] + (gain < s->cap ? gain : s->cap);

		nats = nats > 0 ? nats : 0;
		e->nats[k] = nats < nats_max ? nats : nats_max;
		e->age[k] = nats > 0 ? e->age[k] + 1 : 0;
	}
	return pooled(e);
}

float evidence_surprise(const struct evidence_sample *s)
{
	float y = s->count, m = s->null_mean, r = s->size;

	if (y <= m || y < 1)
		return 0;
	/* The tail as a geometric series from its first term; the term by Stirling's formula,
	 * which overstates it where r is small. */
	float divergence = y * fast_log1p((y - m) / m) - (y + r) * fast_log1p((y - m) / (m + r));
	float fall = (r * (y - m + 1) + m) / ((y + 1) * (m + r)); /* 1 - the series' ratio */
	float inverse_square = 6.2831853F * y * (1 + y / r) * fall * fall;

	float nats = divergence + 0.5F * fast_ln(inverse_square);

	nats = nats < s->cap ? nats : s->cap;
	return nats > 0 ? nats * log10_e : 0;
}

void evidence_skip(struct evidence *e, uint32_t bins)
{
	for (int k = 0; k < EVIDENCE_SIZES; k++)
		e->age[k] += e->age[k] > 0 ? bins : 0;
}

uint32_t evidence_age(const struct evidence *e)
{
	return e->age[largest(e)];
}
