/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood_meter.h"

#include "detect/fastmath.h"

#include <math.h>
#include <string.h>

/* All in ticks of 250 ms. */
static const float recent_gain = 1 / 120.0F;  /* half a minute */
static const float hours_gain = 1 / 86400.0F; /* six hours */
static const float spread_gain = 1 / 40000.0F;
static const float spread_prior = 0.25F;      /* e to the half: what an unknown rate does */
static const float spread_prior_weight = 60;
static const float hours_prior_weight = 14400;
static const float spread_max = 4;            /* what scatters more hides everything */
static const float spread_min = 0.0009F;      /* 3 %: nothing is steadier than this */
static const float mean_gain[METER_MEANS] = {0.4F, 0.15F, 0.04F};
static const float capped = 2.7182818F;       /* what one tick counts for, in levels, */
static const float capped_again = 1.5F;       /* or in ticks before it */
static const float top_rise = 2.8e-5F;        /* half as much again an hour */
static const float top_fall = 64 / 4838400.0F; /* two weeks; taken every 64 ticks */
static const float top_margin = 1.05F;
static const float scales_lost = 0.7F;        /* decades: the best of several lengths */
static const float evidence_max = 300;
static const uint32_t top_from = 120, hours_from = 2400;
static const float log10_e = 0.43429448F;

void flood_meter_init(struct flood_meter *m, const struct flood_meter_plan *plan)
{
	memset(m, 0, sizeof(*m));
	calibrate_init(&m->calibrate, &plan->calibrate);
}

static float faster(float gain, uint64_t ticks, float prior)
{
	float early = 1 / ((float)ticks + 1 + prior);

	return early > gain ? early : gain;
}

/* The service has been watched, and this rate has been 0 all the time. */
static void first_use(struct flood_meter *m, uint64_t ticks)
{
	float n = (float)(ticks < (1 << 20) ? ticks : 1 << 20);
	float share = spread_prior_weight / (n + spread_prior_weight);

	for (int i = 0; i < METER_RATES; i++)
		for (int k = 0; k < METER_SPREADS; k++)
			m->rate[i].spread[k] = spread_prior * share;
	m->used = true;
}

/* -log10 of the chance of a normal deviate of z or more. */
static float decades(float z_square)
{
	if (z_square < 1)
		return 0;
	float e = log10_e * (0.5F * z_square + 0.5F * fast_ln(z_square) + 0.919F);

	return e < evidence_max ? e : evidence_max;
}

static float over(float value, float level, float c)
{
	return fast_ln((value + c) / (level + c));
}

struct deviations { float d[METER_SPREADS], value[METER_SPREADS]; };

static void means_step(struct flood_rate *r, float value, float c)
{
	float cap = capped * (r->recent + c);

	cap = cap > capped_again * r->last ? cap : capped_again * r->last;
	float y = value < cap ? value : cap;

	for (int k = 0; k < METER_MEANS; k++)
		r->mean[k] += mean_gain[k] * (y - r->mean[k]);
}

static void deviate(const struct flood_rate *r, float value, float c, struct deviations *ret)
{
	ret->value[0] = value < r->last ? value : r->last;
	ret->d[0] = over(ret->value[0], r->recent, c);
	for (int k = 0; k < METER_MEANS; k++) {
		ret->value[k + 1] = r->mean[k];
		ret->d[k + 1] = over(r->mean[k], r->recent, c);
	}
	ret->value[METER_SPREADS - 1] = r->mean[METER_MEANS - 1];
	ret->d[METER_SPREADS - 1] =
		over(r->mean[METER_MEANS - 1], r->hours > r->top ? r->hours : r->top, c);
}

/* The largest evidence of one rate over its lengths. */
static float weigh(const struct flood_rate *r, const struct deviations *v,
		   const struct flood_meter_sample *s, int i, float *ret_now)
{
	float best = 0;
	float known = r->top * top_margin;

	for (int k = 0; k < METER_SPREADS; k++) {
		bool hours = k == METER_SPREADS - 1;
		float gain = k == 0 ? 1 : mean_gain[hours ? METER_MEANS - 1 : k - 1];
		float d = v->d[k] - s->discount[i];

		bool silent = hours && (!s->slow || s->ticks < hours_from);
		if (d <= 0 || v->value[k] <= known || silent)
			continue;
		float variance = r->spread[k] + spread_min + s->error[i] * gain / (2 - gain);
		float e = decades(d * d / variance);

		if (k == 0)
			*ret_now = e > *ret_now ? e : *ret_now;
		best = e > best ? e : best;
	}
	return best;
}

static void learn_spreads(struct flood_rate *r, const struct deviations *v, uint64_t ticks)
{
	float gain = faster(spread_gain, ticks, spread_prior_weight);
	float gain_hours = faster(spread_gain, ticks, hours_prior_weight);

	for (int k = 0; k < METER_SPREADS; k++) {
		float square = v->d[k] * v->d[k], most = 9 * r->spread[k] + spread_min;

		square = square < most ? square : most;
		r->spread[k] += (k == METER_SPREADS - 1 ? gain_hours : gain) *
				(square - r->spread[k]);
		r->spread[k] = r->spread[k] < spread_max ? r->spread[k] : spread_max;
	}
}

static void learn_levels(struct flood_rate *r, float value, float c,
			 const struct flood_meter_sample *s)
{
	float most = (r->recent + c) / fast_exp(-3 * sqrtf(r->spread[1] + spread_min));
	float y = s->ticks < 20 || value < most ? value : most;

	r->recent += faster(recent_gain, s->ticks, 0) * (y - r->recent);
	r->hours += faster(hours_gain, s->ticks, 0) * (y - r->hours);
	if (s->ticks < top_from)
		return;
	if ((s->ticks & 63) == 0 && r->top > r->recent)
		r->top -= top_fall * (r->top - r->recent);
	if (r->recent > r->top) {
		float rise = r->recent - r->top, rise_max = top_rise * (r->top + c);

		r->top += s->slow && s->ticks > hours_from && rise > rise_max ? rise_max : rise;
	}
}

static void read_rate(const struct flood_rate *r, const struct deviations *v, float value,
		      float floor, int i, struct flood_meter_reading *ret)
{
	float c = floor * 0.25F;
	float sd = sqrtf(r->spread[0] + spread_min);
	float top = v->value[1] > v->value[0] ? v->value[1] : v->value[0];

	ret->usual[i] = r->recent;
	ret->high[i] = (r->recent + c) / fast_exp(-2 * sd) - c;
	ret->above[i] = value > ret->high[i] && value > r->recent + c;
	ret->over_floor[i] = top - r->recent >= floor;
	ret->rise[i] = v->d[1];
	ret->below |= r->recent > floor && v->d[2] < -0.7F && v->d[2] < -4 * sd;
}

void flood_meter_step(struct flood_meter *m, const struct flood_meter_plan *plan,
		      const struct flood_meter_sample *s, struct flood_meter_reading *ret)
{
	float evidence = 0;

	*ret = (struct flood_meter_reading){0};
	if (!m->used) {
		if (!(s->value[0] > 0 || s->value[1] > 0))
			return;
		first_use(m, s->ticks);
	}
	for (int i = 0; i < METER_RATES; i++) {
		struct flood_rate *r = &m->rate[i];
		float c = plan->floor[i] * 0.25F;
		struct deviations v;

		means_step(r, s->value[i], c);
		deviate(r, s->value[i], c, &v);
		read_rate(r, &v, s->value[i], plan->floor[i], i, ret);
		float e = ret->over_floor[i] ? weigh(r, &v, s, i, &ret->now) : 0;
		if (e > evidence) {
			evidence = e;
			ret->carrier = (uint8_t)i;
		}
		r->last = s->value[i];
		r->peak = s->learn ? 0 : s->value[i] > r->peak ? s->value[i] : r->peak;
		if (s->learn) {
			learn_spreads(r, &v, s->ticks);
			learn_levels(r, s->value[i], c, s);
		}
	}
	evidence = evidence > scales_lost ? evidence - scales_lost : 0;
	ret->evidence = evidence;
	ret->log10_return = calibrate_read(&m->calibrate, &plan->calibrate, evidence);
	if (s->learn)
		calibrate_learn(&m->calibrate, &plan->calibrate, evidence, false);
	else
		m->calibrate.peak = 0; /* an attack is no excursion of normal traffic */
}

void flood_meter_accept(struct flood_meter *m)
{
	for (int i = 0; i < METER_RATES; i++) {
		struct flood_rate *r = &m->rate[i];

		r->top = r->peak > r->top ? r->peak : r->top;
	}
}
