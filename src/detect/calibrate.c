/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/calibrate.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const float prior_count = 10, prior_samples = 10000;
static const float samples_max = 400000; /* the memory: then everything counts for half */
static const uint32_t refresh_samples = 1024; /* a power of 2 */
static const float excess_max = 8; /* in scales: one outage does not make a habit */
static const float shape_max = 0.2F;
static const float log10_e = 0.43429448F;

static void refresh(struct calibrate *c, const struct calibrate_plan *plan)
{
	float count = c->count + prior_count;
	float mean = (c->excess + prior_count * plan->scale_prior) / count;
	float square =
		(c->square + 2 * prior_count * plan->scale_prior * plan->scale_prior) / count;

	mean = mean > plan->scale_min ? mean : plan->scale_min;
	float variance = square - mean * mean;
	float shape = variance > 0 ? 0.5F * (1 - mean * mean / variance) : 0;

	c->shape = shape < 0 ? 0 : shape > shape_max ? shape_max : shape;
	c->scale = mean * (1 - c->shape);
	c->log10_seen = log10f(c->samples + prior_samples);
	float rate = log10f(c->count + prior_samples * powf(10, plan->log10_rate_prior)) -
		     c->log10_seen;
	c->log10_rate = rate < plan->log10_rate_prior ? plan->log10_rate_prior
			: rate < 0                    ? rate
						      : 0;
}

void calibrate_init(struct calibrate *c, const struct calibrate_plan *plan)
{
	memset(c, 0, sizeof(*c));
	refresh(c, plan);
}

float calibrate_read(const struct calibrate *c, const struct calibrate_plan *plan, float evidence)
{
	if (evidence <= 0)
		return 0;
	float excess = evidence - plan->above;

	if (excess <= 0)
		return -c->log10_rate * evidence / plan->above;
	float nats = c->shape > 0.001F ? log1pf(c->shape * excess / c->scale) / c->shape
				       : excess / c->scale;
	float a = log10_e * nats - c->log10_rate;

	return a > c->log10_seen ? c->log10_seen + plan->unseen * (a - c->log10_seen) : a;
}

static void excursion_end(struct calibrate *c, const struct calibrate_plan *plan)
{
	float cap = excess_max * c->scale;
	float x = c->peak < cap ? c->peak : cap;

	c->count += 1;
	c->excess += x;
	c->square += x * x;
	c->peak = 0;
	refresh(c, plan);
}

void calibrate_learn(struct calibrate *c, const struct calibrate_plan *plan, float evidence,
		     bool frozen)
{
	float excess = evidence - plan->above;

	if (excess > c->peak)
		c->peak = excess;
	else if (excess <= 0 && c->peak > 0)
		excursion_end(c, plan);
	if (frozen)
		return;
	c->samples += 1;
	if (c->samples >= samples_max) {
		c->samples *= 0.5F;
		c->count *= 0.5F;
		c->excess *= 0.5F;
		c->square *= 0.5F;
	}
	if (((uint32_t)c->samples & (refresh_samples - 1)) == 0)
		refresh(c, plan);
}
