/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/calibrate.h"

#include <math.h>
#include <string.h>

static const float prior_count = 10;      /* excursions the theory counts for */
static const float prior_samples = 10000; /* and samples */
static const float memory = 1 - 1.0F / 200000;
static const float count_memory = 100; /* excursions */
static const float excess_max = 8;     /* in means: one outage does not make a habit */
static const float shape_max = 0.2F;

void calibrate_init(struct calibrate *c, float above, float scale_min)
{
	memset(c, 0, sizeof(*c));
	c->above = above;
	c->scale_min = scale_min;
}

static float mean_of(const struct calibrate *c)
{
	float mean = (c->excess + prior_count * c->scale_min) / (c->count + prior_count);

	return mean > c->scale_min ? mean : c->scale_min;
}

static float log10_rate(const struct calibrate *c)
{
	float floor = -c->above;

	if (c->count == 0)
		return floor;
	float rate =
		log10f((c->count + prior_samples * powf(10, floor)) / (c->samples + prior_samples));
	return rate > floor ? rate < 0 ? rate : 0 : floor;
}

float calibrate_read(const struct calibrate *c, float evidence)
{
	if (evidence <= 0)
		return 0;
	float rate = log10_rate(c);
	float excess = evidence - c->above;

	if (excess <= 0)
		return -rate * evidence / c->above;
	float mean = mean_of(c), shape = 0;

	if (c->count > 0) {
		float square = (c->square + prior_count * 2 * c->scale_min * c->scale_min) /
			       (c->count + prior_count);
		float variance = square - mean * mean;

		shape = variance > 0 ? 0.5F * (1 - mean * mean / variance) : 0;
		shape = shape < 0 ? 0 : shape > shape_max ? shape_max : shape;
	}
	float scale = mean * (1 - shape);
	float nats = shape > 0.001F ? log1pf(shape * excess / scale) / shape : excess / scale;

	float a = 0.43429448F * nats - rate;
	float seen = log10f(c->samples + prior_samples);

	/* Nobody has seen more than the series has lasted: past that the fit is extrapolation,
	 * and each decade of it counts for half of one. */
	return a > seen ? seen + 0.5F * (a - seen) : a;
}

float calibrate_step(struct calibrate *c, float evidence, int frozen)
{
	float excess = evidence - c->above;

	if (!frozen) {
		c->samples = c->samples * memory + 1;
		c->count *= memory;
		c->excess *= memory;
		c->square *= memory;
	}
	if (excess > c->peak) {
		c->peak = excess;
	} else if (excess <= 0 && c->peak > 0) {
		float cap = excess_max * mean_of(c);
		float x = c->peak < cap ? c->peak : cap;

		if (c->count > count_memory) {
			float keep = count_memory / c->count;
			(void)keep;
		}
		c->count += 1;
		c->excess += x;
		c->square += x * x;
		c->peak = 0;
	}
	return calibrate_read(c, evidence);
}
