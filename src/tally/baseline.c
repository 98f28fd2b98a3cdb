/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/baseline.h"

#include <math.h>
#include <string.h>

/* Weakly informative starting points. A report rarely comes alone: before anything is
 * learned a count scatters 2.5 times as widely as a Poisson one, believed as firmly as 20
 * reports' worth of data. The level starts at half a count, believed as one sample. */
static const float noise_prior = 1.5F, noise_prior_counts = 20;
static const float level_prior = 0.5F, level_prior_samples = 1;
static const float shape_prior_counts = 30;
static const float noise_min = 0.01F, recent_prior_counts = 5;
static const float slow = 1.0F / 20;
static const float below_max = 6; /* natural log: about one mistake in 400 */

enum { MINUTES_A_DAY = 1440, MINUTES_A_BIN = 30, BINS_A_DAY = 48, NO_STRETCH = 255 };

static float between(double x, double low, double high)
{
	return (float)(x < low ? low : x > high ? high : x);
}

void baseline_plan_init(struct baseline_plan *plan, wd_span step)
{
	double step_s = (double)step.ns / WD_NS_PER_S;
	double visit = between(MINUTES_A_BIN * 60 / step_s, 1, 1800);

	plan->level_memory = between(7 * 86400 / step_s, 30, 604800);
	plan->scatter_memory = between(14 * 86400 / step_s, 60, 1209600);
	plan->scatter_keep = 1 - 1 / plan->scatter_memory;
	plan->block = (uint32_t)between(900 / step_s, 1, 3600);
	plan->blocks_keep = 1 - (float)plan->block / plan->scatter_memory;
	plan->recent_keep = 1 - 1 / between(3 * 3600 / step_s, 4, 10800);
	plan->shape_memory = (float)(20 * visit);
	plan->relearn_memory = between(4 * 3600 / step_s, 8, 240);
	plan->interpolate = visit > 1;
}

void baseline_init(struct baseline *b)
{
	memset(b, 0, sizeof(*b));
	b->level = level_prior;
	b->weight = level_prior_samples;
	b->stretch = NO_STRETCH;
	for (int i = 0; i < BASELINE_BINS; i++)
		b->shape[i] = 1;
}

void baseline_restart(struct baseline *b, float level)
{
	b->level = level;
	b->weight = level_prior_samples;
	b->below = 0;
}

static float shape_of(const struct baseline *b, int bin)
{
	float n = b->samples[bin], doubt = shape_prior_counts / (b->level + 1e-6F);

	return (n * b->shape[bin] + doubt) / (n + doubt);
}

/* Stretch 0 lies between the centres of the day's last and first bin; wider bins than
 * half an hour use stretch i for bin i. */
static void stretch_enter(struct baseline *b, const struct baseline_plan *plan, unsigned stretch,
			  bool weekend)
{
	int day = weekend ? BINS_A_DAY : 0;
	int to = day + (int)(stretch % BINS_A_DAY);
	int from = plan->interpolate ? day + (int)((stretch + BINS_A_DAY - 1) % BINS_A_DAY) : to;

	b->stretch = (uint8_t)((weekend ? 64 : 0) + stretch);
	b->shape_from = shape_of(b, from);
	b->shape_to = shape_of(b, to);
}

/* Books the visit that ended into its half hour. */
static void visit_end(struct baseline *b, const struct baseline_plan *plan)
{
	float k = b->visit_samples;

	if (k > 0 && b->visit_level > 0) {
		float n = b->samples[b->visit_bin];
		float *mean = &b->shape[b->visit_bin];

		*mean += k / (n + k) * (b->visit_sum / b->visit_level - *mean);
		n = n + k < plan->shape_memory ? n + k : plan->shape_memory;
		b->samples[b->visit_bin] = (uint16_t)n;
	}
	b->visit_sum = b->visit_level = 0;
	b->visit_samples = 0;
}

void baseline_at(struct baseline *b, const struct baseline_plan *plan, unsigned minute,
		 bool weekend, struct baseline_now *ret)
{
	unsigned shifted = plan->interpolate ? minute + MINUTES_A_BIN / 2 : minute;
	unsigned stretch = shifted / MINUTES_A_BIN;

	uint8_t bin = (uint8_t)((weekend ? BINS_A_DAY : 0) + minute / MINUTES_A_BIN);

	if (b->visit_bin != bin || !plan->interpolate) {
		visit_end(b, plan);
		b->visit_bin = bin;
	}
	if (b->stretch != (weekend ? 64U : 0U) + stretch)
		stretch_enter(b, plan, stretch, weekend);
	float along = (float)(shifted - stretch * MINUTES_A_BIN) * (1.0F / MINUTES_A_BIN);

	ret->factor = b->shape_from + along * (b->shape_to - b->shape_from);
	ret->mean = b->level * ret->factor;
	ret->noise = (b->excess + noise_prior * noise_prior_counts) / (b->sum + noise_prior_counts);
	ret->noise = ret->noise > noise_min ? ret->noise : noise_min;
	float together = b->blocks_excess / (b->blocks_sum + noise_prior_counts * 5);

	ret->noise = ret->noise > together ? ret->noise : together;
	ret->lift = (b->recent + recent_prior_counts) / (b->recent_mean + recent_prior_counts);
	ret->lift = ret->lift > 1 ? ret->lift : 1;
}

void baseline_learn(struct baseline *b, const struct baseline_plan *plan,
		    const struct baseline_now *now, float count, bool is_slow)
{
	float off = count - now->mean;

	if (is_slow) {
		b->level += slow / (b->weight + now->factor) * off;
		b->level = b->level > 0 ? b->level : 0;
		return;
	}
	b->weight += now->factor;
	if (b->weight > plan->level_memory)
		b->weight = plan->level_memory;
	b->level += off / b->weight;
	b->level = b->level > 1e-6F ? b->level : 1e-6F;

	/* Would a third of the level explain the counts better? ln 3 and 2/3: Poisson, thinned
	 * by the scatter. An outage at the start must not hide the next one. */
	b->below += (now->mean * 0.6667F - count * 1.0986F) / (1 + now->noise);
	b->below = b->below > 0 ? b->below : 0;
	if (b->below > below_max) {
		if (b->weight > plan->relearn_memory)
			b->weight = plan->relearn_memory;
		b->below = 0;
	}

	float keep = plan->scatter_keep, lifted = count - now->mean * now->lift;

	b->excess = keep * b->excess + lifted * lifted - now->mean * now->lift;
	b->sum = keep * b->sum + now->mean * now->lift;

	b->recent = plan->recent_keep * b->recent + count;
	b->recent_mean = plan->recent_keep * b->recent_mean + now->mean;
	b->visit_sum += count;
	b->visit_level += b->level;
	b->block_sum += count;
	b->block_mean += now->mean * now->lift;
	if (++b->block_samples >= plan->block) {
		float apart = b->block_sum - b->block_mean;

		b->blocks_excess =
			b->blocks_excess * plan->blocks_keep + apart * apart - b->block_mean;
		b->blocks_sum = b->blocks_sum * plan->blocks_keep + b->block_mean;
		b->block_sum = b->block_mean = 0;
		b->block_samples = 0;
	}
	b->visit_samples += b->visit_samples < 1800;
}
