/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/evidence.h"

#include <math.h>

static const float effect[EVIDENCE_SIZES] = {1.5F, 2.5F, 5, 12};
static const float effect_ln[EVIDENCE_SIZES] = {0.405465F, 0.916291F, 1.609438F, 2.484907F};
static const float leak = 0.98F;
static const float nats_max = 200;
static const float log10_e = 0.43429448F;

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

	if (top <= 0)
		return 0;
	for (int k = 0; k < EVIDENCE_SIZES; k++)
		sum += expf(e->nats[k] - top);
	float nats = top + logf(sum / EVIDENCE_SIZES);
	return nats > 0 ? nats * log10_e : 0;
}

float evidence_step(struct evidence *e, const struct evidence_sample *s)
{
	if (s->count <= s->null_mean && e->nats[largest(e)] <= 0)
		return 0; /* every likelihood ratio is below 1 */

	for (int k = 0; k < EVIDENCE_SIZES; k++) {
		float gain = s->count * effect_ln[k] -
			     (s->count + s->size) * log1pf((effect[k] - 1) * s->null_mean /
							   (s->size + s->null_mean));
		float nats = leak * e->nats[k] + (gain < s->cap ? gain : s->cap);

		e->nats[k] = nats > 0 ? nats < nats_max ? nats : nats_max : 0;
		e->age[k] = nats > 0 ? e->age[k] + (e->age[k] < UINT32_MAX) : 0;
	}
	return pooled(e);
}

float evidence_surprise(const struct evidence_sample *s)
{
	float y = s->count, m = s->null_mean, r = s->size;

	if (y <= m || y < 1)
		return 0;
	/* The tail as a geometric series from its first term; the term by Stirling's formula,
	 * whose error for small r overstates it. */
	float divergence = y * logf(y / m) - (y + r) * log1pf((y - m) / (m + r));
	float ratio = (y + r) / (y + 1) * m / (m + r);
	float nats = divergence + 0.5F * logf(6.2831853F * y * (1 + y / r));

	if (ratio < 0.999F)
		nats += logf(1 - ratio);
	nats = nats < s->cap ? nats : s->cap;
	return nats > 0 ? nats * log10_e : 0;
}

uint32_t evidence_age(const struct evidence *e)
{
	return e->age[largest(e)];
}
