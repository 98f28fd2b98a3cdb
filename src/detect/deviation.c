/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/deviation.h"

#include "detect/fastmath.h"

#include <math.h>
#include <string.h>

static const float local_memory = 31, slow_memory = 5000, scale_memory = 16000;
static const float fast_gain = 1 / 1.5F, fast_clip = 1; /* in scales */
static const float season_memory = 60;   /* samples of a half hour */
static const float season_known = 11;    /* before that the season is not used */
static const float habit = 5; /* scales: what is further out is learned as if it were not */
static const float scale_floor = 0.0067F; /* of the level */
static const float beyond = 0.0122F;     /* share of samples beyond a tail's quantile */
static const float tail_prior = 5, tail_memory = 500; /* excesses */
static const float excess_max = 37, shape_max = 0.53F;
static const float keep = 0.7F, dull = 0.57F;
static const float heat_min = 0.1F, heat_max = 100;
static const float slow_down = 1.0F / 20;
static const float log10_e = 0.43429448F, log10_beyond = -1.9136F;
static const float sds = 2.5F; /* two standard deviations of a normal, in mean absolute residuals */

enum { YOUNG = 8, SEEN_MAX = 1 << 24, BINS_A_DAY = 48, MINUTES_A_BIN = 30 };

void deviation_init(struct deviation *d)
{
	memset(d, 0, sizeof(*d));
	for (int j = 0; j < DEVIATION_KINDS; j++)
		for (int side = 0; side < DEVIATION_SIDES; side++)
			d->tail[j][side] =
				(struct deviation_tail){.from = 3, .excess = 1, .square = 2};
}

static int bin_of(unsigned minute, bool weekend)
{
	return (weekend ? BINS_A_DAY : 0) + (int)(minute / MINUTES_A_BIN);
}

static float clip(float x, float limit)
{
	return x > limit ? limit : x < -limit ? -limit : x;
}

void deviation_expect(const struct deviation *d, unsigned minute, bool weekend,
		      struct deviation_now *ret)
{
	int bin = bin_of(minute, weekend);

	memset(ret, 0, sizeof(*ret));
	ret->expected = d->visits[bin] >= season_known ? d->slow + d->offset[bin] : d->local;
	ret->reach = sds * d->scale[2];
}

/* -log10 of the chance of a residual of z scales or more to this side. */
static float surprise(const struct deviation_tail *t, float z)
{
	if (z <= t->from)
		return 0;
	float count = t->count + tail_prior;
	float mean =
		(t->excess * t->count + tail_prior) / count; /* prior: exponential, one scale */
	float variance = (t->square * t->count + 2 * tail_prior) / count - mean * mean;
	float shape = variance > 0 ? 0.5F * (1 - mean * mean / variance) : 0;

	shape = shape < 0.001F ? 0.001F : shape > shape_max ? shape_max : shape;
	float x = (z - t->from) / (mean * (1 - shape));

	return log10_e * fast_log1p(shape * x) / shape - log10_beyond;
}

static void tail_learn(struct deviation_tail *t, float z, float gain)
{
	if (z <= t->from) {
		t->from -= gain * beyond;
		return;
	}
	float x = z - t->from < excess_max ? z - t->from : excess_max;

	t->count = t->count < tail_memory ? t->count + 1 : tail_memory;
	t->excess += (x - t->excess) / t->count;
	t->square += (x * x - t->square) / t->count;
	t->from += gain * (1 - beyond);
}

/* The hotter side's heat after the residuals z. */
static void heat_up(struct deviation *d, const float z[DEVIATION_KINDS],
		    struct deviation_now *ret)
{
	for (int side = 0; side < DEVIATION_SIDES; side++) {
		float most = 0;

		for (int j = 0; j < DEVIATION_KINDS; j++) {
			float s = surprise(&d->tail[j][side], side == 0 ? z[j] : -z[j]);

			most = s > most ? s : most;
		}
		float heat = keep * d->heat[side] + (most > dull ? most - dull : 0);

		heat = heat < heat_min ? 0 : heat < heat_max ? heat : heat_max;
		d->heat[side] = heat;
		d->age[side] = heat > 0 ? d->age[side] + 1 : 0;
		if (heat > ret->heat) {
			ret->heat = heat;
			ret->side = side == 0 ? 1 : -1;
			ret->age = d->age[side];
			ret->far = most > 0;
		}
	}
}

static void learn(struct deviation *d, int bin, float value, const float z[DEVIATION_KINDS],
		  const float r[DEVIATION_KINDS])
{
	float n = (float)d->seen + 1;
	float gain = n < scale_memory ? 1 / n : 1 / scale_memory;

	for (int j = 0; j < DEVIATION_KINDS; j++) {
		float size = fabsf(r[j]), most = habit * d->scale[j];

		if (d->seen >= YOUNG && size > most)
			size = most;
		d->scale[j] += gain * (size - d->scale[j]);
		if (d->seen < YOUNG)
			continue;
		for (int side = 0; side < DEVIATION_SIDES; side++)
			tail_learn(&d->tail[j][side], side == 0 ? z[j] : -z[j],
				   n < 500 ? 50 / n : 0.1F);
	}
	float visits = d->visits[bin] < season_memory ? (float)d->visits[bin] + 1 : season_memory;

	d->visits[bin] = (uint16_t)visits;
	float far = d->seen < YOUNG ? INFINITY : habit * d->scale[2];

	if (d->seen > 0) /* the first value is the level: it says nothing of its half hour */
		d->offset[bin] += clip(value - d->slow - d->offset[bin], far) / visits;
	d->seen += d->seen < SEEN_MAX;
}

static void levels_learn(struct deviation *d, float value, float speed)
{
	if (d->seen <= 1) { /* the first one: there is no level before it */
		d->slow = d->local = d->fast = value;
		return;
	}
	float n = (float)d->seen + 1;
	float far = d->seen < YOUNG ? INFINITY : habit * d->scale[1];
	float near = d->seen < YOUNG ? INFINITY : fast_clip * d->scale[0] + 1e-30F;

	d->slow += speed / (n < slow_memory ? n : slow_memory) * clip(value - d->slow, far);
	d->local += speed / (n < local_memory ? n : local_memory) * clip(value - d->local, far);
	d->fast += fast_gain * clip(value - d->fast, near);
}

void deviation_step(struct deviation *d, float value, unsigned minute, bool weekend, bool frozen,
		    struct deviation_now *ret)
{
	deviation_expect(d, minute, weekend, ret);
	const float r[DEVIATION_KINDS] = {value - d->fast, value - d->local, value - ret->expected};
	float floor = scale_floor * fabsf(d->slow) + 1e-12F, z[DEVIATION_KINDS];

	for (int j = 0; j < DEVIATION_KINDS; j++)
		z[j] = r[j] / (d->scale[j] > floor ? d->scale[j] : floor);
	ret->near = fabsf(z[2]) <= sds || fabsf(z[1]) <= sds;
	if (d->seen >= YOUNG)
		heat_up(d, z, ret);
	if (!frozen)
		learn(d, bin_of(minute, weekend), value, z, r);
	levels_learn(d, value, frozen ? slow_down : 1);
}

void deviation_skip(struct deviation *d, uint32_t bins)
{
	for (int side = 0; side < DEVIATION_SIDES; side++)
		d->age[side] += d->age[side] > 0 ? bins : 0;
}

void deviation_cool(struct deviation *d)
{
	memset(d->heat, 0, sizeof(d->heat));
	memset(d->age, 0, sizeof(d->age));
}

void deviation_settle(struct deviation *d, float value, unsigned minute, bool weekend)
{
	struct deviation_now now;
	deviation_expect(d, minute, weekend, &now);
	d->fast = fabsf(value - now.expected) < fabsf(value - d->local) ? now.expected : d->local;
	deviation_cool(d);
}

void deviation_restart(struct deviation *d, unsigned minute, bool weekend)
{
	d->local = d->fast;
	d->slow = d->fast - d->offset[bin_of(minute, weekend)];
	deviation_cool(d);
}
