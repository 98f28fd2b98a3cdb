/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/baseline.h"

#include <math.h>
#include <string.h>

/* Weakly informative starting points. A report rarely comes alone: before anything is
 * learned a count scatters 2.5 times as widely as a Poisson one, believed as firmly as 20
 * reports' worth of data. The level starts at half a count, believed as one sample. */
static const float noise_prior = 1.5F, noise_prior_counts = 20, blocks_prior_counts = 100;
static const float noise_min = 0.01F, wander_max = 1;
static const float level_prior = 0.5F, level_prior_samples = 1;
static const float level_min = 1e-6F, level_max = 1e9F, factor_max = 1000, noise_max = 1e4F;
static const float weight_min = 0.1F; /* of a sample from an hour in which nothing happens */
static const float shape_prior_counts = 30, recent_prior_counts = 5;
static const float slow = 1.0F / 20;
static const float block_sd = 2.5F, relearn_max = 0.5F;
/* An outage at the start must not hide the next one: when a fifth of the level would have
 * brought more than there was, for two hours, the level is too high. */
static const float too_high = 0.2F;
/* Unless it is night and the level is that of a day: by night there are down to a fiftieth. */
static const float night_min = 0.02F;
/* Half hours: 22:00, 9:00, and how many known ones are a day. */
enum { EVENING = 44, MORNING = 18, DAY_SEEN = 8 };
/* Of what was seen in an incident no half hour is believed to have more than this times the
 * higher of those three hours before and after it: a day is wider than most outages. */
static const float hump_max = 1.25F;
enum { HUMP_BINS = 6 };

enum { MINUTES_A_BIN = 30, BINS_A_DAY = 48, WEEKEND = 64, NO_STRETCH = 255 };
enum { YOUNG_SAMPLES = 256 }; /* until then the noise is refreshed with every sample */

static float within(float x, float low, float high)
{
	return x < low ? low : x > high ? high : x;
}

static float between(double x, double low, double high)
{
	return (float)(x < low ? low : x > high ? high : x);
}

void baseline_plan_init(struct baseline_plan *plan, wd_span step)
{
	double step_s = (double)step.ns / WD_NS_PER_S;
	double visit = between(MINUTES_A_BIN * 60 / step_s, 1, 1800);
	float scatter = between(14 * 86400 / step_s, 60, 1209600);

	plan->level_memory = between(7 * 86400 / step_s, 30, 604800);
	plan->below_max = between(2 * 3600 / step_s, 8, 120);
	plan->below_keep = 1 - 1 / plan->below_max;
	plan->visit = (float)visit;
	plan->shape_memory = (float)(20 * visit);
	plan->block = (uint32_t)between(900 / step_s, 1, 900);
	plan->scatter_keep = 1 - 1 / scatter;
	plan->blocks_keep = 1 - (float)plan->block / scatter;
	plan->relearn = (float)(8 * step_s / 86400);
	plan->recent_keep = 1 - 1 / between(3 * 3600 / step_s, 4, 10800);
	plan->interpolate = visit > 1;
}

void baseline_init(struct baseline *b)
{
	memset(b, 0, sizeof(*b));
	b->level = level_prior;
	b->weight = level_prior_samples;
	b->noise = b->noise_alone = noise_prior;
	b->stretch = NO_STRETCH;
	for (int i = 0; i < BASELINE_BINS; i++)
		b->shape[i] = 1;
}

void baseline_restart(struct baseline *b, float level)
{
	b->level = within(level, level_min, level_max);
	b->weight = level_prior_samples;
	b->below = b->below_counts = b->below_factors = 0;
	b->recent = b->recent_mean = 0; /* measured by a level that was another */
}

/* Until its own counts say, a half hour of a weekend is as that of a weekday, and the other way
 * round: the first weekend's night must not look as if the level were too high. */
static float shape_of(const struct baseline *b, int bin)
{
	int other = (bin + BINS_A_DAY) % BASELINE_BINS;
	float n = b->samples[bin], m = b->samples[other], doubt = shape_prior_counts / b->level;
	float guess = (m * b->shape[other] + doubt) / (m + doubt);

	return (n * b->shape[bin] + doubt * guess) / (n + doubt);
}

/* Stretch i ends at the centre of bin i (of bins a half hour wide or more: is bin i). */
static void stretch_enter(struct baseline *b, const struct baseline_plan *plan, unsigned stretch,
			  bool weekend)
{
	int day = weekend ? BINS_A_DAY : 0;
	int to = day + (int)(stretch % BINS_A_DAY);
	int from = plan->interpolate ? day + (int)((stretch + BINS_A_DAY - 1) % BINS_A_DAY) : to;

	b->shape_from = shape_of(b, from);
	b->shape_to = shape_of(b, to);
}

static void visit_end(struct baseline *b, const struct baseline_plan *plan)
{
	float k = b->visit_samples;

	if (k > 0 && b->visit_level > 0) {
		float n = b->samples[b->visit_bin];
		float *mean = &b->shape[b->visit_bin];

		*mean += k / (n + k) * (b->visit_sum / b->visit_level - *mean);
		*mean = within(*mean, 0, factor_max);
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
	uint8_t here = (uint8_t)((weekend ? WEEKEND : 0) + stretch);

	if (b->visit_bin != bin || !plan->interpolate) {
		visit_end(b, plan);
		b->visit_bin = bin;
	}
	if (b->stretch != here || !plan->interpolate) {
		b->stretch = here;
		stretch_enter(b, plan, stretch, weekend);
	}
	float along = (float)(shifted - stretch * MINUTES_A_BIN) * (1.0F / MINUTES_A_BIN);

	ret->factor = b->shape_from + along * (b->shape_to - b->shape_from);
	ret->passed = (float)(minute % MINUTES_A_BIN) * (1.0F / MINUTES_A_BIN);
	ret->mean = within(b->level * ret->factor, 0, level_max);
	ret->noise = b->noise;
	ret->noise_alone = b->noise_alone;
	ret->wander = b->wander;
	ret->drift = (b->recent + recent_prior_counts) / (b->recent_mean + recent_prior_counts);
	ret->drift = ret->drift < factor_max ? ret->drift : factor_max;
}

static bool known(const struct baseline *b)
{
	return b->samples[b->visit_bin] > 0;
}

/* What so many samples leave of the scatter: `keep`, or less while the day is new. */
static float scatter_keep(const struct baseline *b, const struct baseline_plan *plan, float keep,
			  uint32_t samples)
{
	if (!known(b))
		return keep;
	float visits = 1 + b->samples[b->visit_bin] / plan->visit;
	float take = plan->relearn * (float)samples / (visits * visits);

	return fminf(keep, 1 - fminf(take, relearn_max));
}

/* A known quarter of an hour that stands out far is learned as if it stood out less: else a slow
 * ramp would be the scatter that hides it. */
static void block_end(struct baseline *b, const struct baseline_plan *plan, bool lasting)
{
	float keep = scatter_keep(b, plan, plan->blocks_keep, plan->block);
	float off = b->block_sum - b->block_mean;

	if (off > 0 && known(b))
		off = fminf(off, block_sd * sqrtf(b->block_mean * (1 + b->noise)));
	if (!lasting) {
		b->blocks_excess = b->blocks_excess * keep + off * off - b->block_mean;
		b->blocks_sum = b->blocks_sum * keep + b->block_mean;
	}
	b->block_sum = b->block_mean = 0;
	b->block_samples = 0;
}

static void noise_refresh(struct baseline *b, const struct baseline_plan *plan)
{
	float alone =
		(b->excess + noise_prior * noise_prior_counts) / (b->sum + noise_prior_counts);
	float together =
		plan->block > 1 ? b->blocks_excess / (b->blocks_sum + blocks_prior_counts) : 0;
	float shared = together - alone; /* by a whole block: its rate has wandered */

	b->noise_alone = within(alone, noise_min, noise_max);
	b->noise = within(shared > 0 ? together : alone, noise_min, noise_max);
	b->wander = shared > 0 ? sqrtf(shared / ((float)plan->block * b->level)) : 0;
	b->wander = b->wander < wander_max ? b->wander : wander_max;
}

/* While a half hour is not known, what moves the level may be the day's shape. The hours that are
 * known keep their counts as it rises; as it falls only the low ones, so that what an outage at the
 * start left in the high ones fades with it. `by`: the old level by the new one. */
static void shape_keep(struct baseline *b, float by)
{
	for (int i = 0; i < BASELINE_BINS; i++)
		if (b->samples[i] > 0 && (by < 1 || b->shape[i] < 2))
			b->shape[i] = within(b->shape[i] * by, 0, factor_max);
}

/* Half hours seen once that were low by a level that was wrong: they keep their counts. */
static void shape_correct(struct baseline *b, const struct baseline_plan *plan, float by)
{
	for (int i = 0; i < BASELINE_BINS; i++)
		if (b->samples[i] > 0 && b->samples[i] <= plan->visit && b->shape[i] < 0.5F)
			b->shape[i] = within(b->shape[i] * by, 0, factor_max);
}

/* True where what is missing may be the night's: it is night, and hours of a day are known. */
static bool may_be_night(const struct baseline *b)
{
	int seen = 0, half_hour = b->visit_bin % BINS_A_DAY;

	if (half_hour >= MORNING && half_hour < EVENING)
		return false;
	for (int i = MORNING; i < EVENING; i++)
		seen += b->samples[i] > 0 || b->samples[BINS_A_DAY + i] > 0;
	return seen >= DAY_SEEN && b->below_counts > night_min * b->level * b->below_factors;
}

static void level_restart(struct baseline *b, const struct baseline_plan *plan)
{
	float was = b->level;
	float factors = b->below_factors > weight_min ? b->below_factors : weight_min;

	baseline_restart(b, b->below_counts / factors);
	b->weight = factors;
	shape_correct(b, plan, was / b->level);
	b->visit_level = b->level * b->visit_samples;
	b->stretch = NO_STRETCH;
}

/* True if what the old level expected says nothing of the scatter. */
static bool level_learn(struct baseline *b, const struct baseline_plan *plan,
			const struct baseline_now *now, float count)
{
	float was = b->level;

	b->weight += now->factor > weight_min ? now->factor : weight_min;
	b->weight = b->weight < plan->level_memory ? b->weight : plan->level_memory;
	b->level += (count - now->mean) / b->weight;
	b->level = within(b->level, level_min, level_max);
	if (b->samples[b->visit_bin] == 0)
		shape_keep(b, was / b->level);

	float missing = now->mean * too_high - count;

	b->below += missing < 1 ? missing : 1;
	if (b->below <= 0) {
		b->below = b->below_counts = b->below_factors = 0;
		return false;
	}
	b->below_counts = plan->below_keep * b->below_counts + count;
	b->below_factors = plan->below_keep * b->below_factors + now->factor;
	if (b->below <= plan->below_max)
		return false;
	if (may_be_night(b))
		b->below = b->below_counts = b->below_factors = 0;
	else
		level_restart(b, plan);
	b->excess = b->sum = b->blocks_excess = b->blocks_sum = 0;
	b->block_sum = b->block_mean = 0;
	b->block_samples = 0;
	return true;
}

void baseline_learn(struct baseline *b, const struct baseline_plan *plan,
		    const struct baseline_now *now, const struct baseline_count *count)
{
	bool lasting = count->lasting && known(b);
	float mean = now->mean * now->drift;
	float off = (known(b) ? count->scatter : count->habit) - mean;
	float keep = scatter_keep(b, plan, plan->scatter_keep, 1);

	bool anew = level_learn(b, plan, now, count->habit);

	b->visit_sum += count->habit;
	b->visit_level += b->level;
	b->visit_samples += b->visit_samples < 1800;
	if (anew) {
		noise_refresh(b, plan);
		return;
	}
	if (!lasting) {
		b->excess = keep * b->excess + off * off - mean;
		b->sum = keep * b->sum + mean;
	}
	b->recent = plan->recent_keep * b->recent + count->habit;
	b->recent_mean = plan->recent_keep * b->recent_mean + now->mean;
	b->block_sum += count->habit;
	b->block_mean += mean;
	if (++b->block_samples >= plan->block) {
		block_end(b, plan, lasting);
		noise_refresh(b, plan);
	} else if (b->weight < YOUNG_SAMPLES) {
		noise_refresh(b, plan);
	}
}

/* What a half hour that is not known yet had is kept in its factor, without weight. */
void baseline_learn_slowly(struct baseline *b, const struct baseline_plan *plan,
			   const struct baseline_now *now, float count)
{
	float *factor = &b->shape[b->visit_bin];

	if (b->samples[b->visit_bin] == 0) {
		*factor += (count / b->level - *factor) / (1 + now->passed * plan->visit);
		*factor = within(*factor, 0, factor_max);
		return;
	}
	b->level += slow / (b->weight + now->factor) * (count - now->mean);
	b->level = within(b->level, level_min, level_max);
}

/* The factor `away` half hours from a bin, be it believed or not; the largest if there is none. */
static float factor_near(const struct baseline *b, int bin, int away)
{
	int i = bin / BINS_A_DAY * BINS_A_DAY + (bin + BINS_A_DAY + away) % BINS_A_DAY;

	if (b->samples[i] > 0)
		return shape_of(b, i);
	return b->shape[i] == 1 ? factor_max : b->shape[i];
}

/* The level is the mean of the day again. */
static void recentre(struct baseline *b)
{
	float sum = 0;

	for (int i = 0; i < BASELINE_BINS; i++)
		sum += shape_of(b, i);
	float mean = within(sum / BASELINE_BINS, 0.01F, factor_max);

	for (int i = 0; i < BASELINE_BINS; i++)
		if (b->samples[i] > 0)
			b->shape[i] = within(b->shape[i] / mean, 0, factor_max);
	b->level = within(b->level * mean, level_min, level_max);
	b->below_factors /= mean;
	b->visit_level *= mean;
	b->stretch = NO_STRETCH;
}

void baseline_thaw(struct baseline *b, const struct baseline_plan *plan, bool usual)
{
	float top[BASELINE_BINS];
	bool any = false;

	for (int i = 0; usual && i < BASELINE_BINS; i++)
		top[i] = hump_max * fmaxf(factor_near(b, i, -HUMP_BINS),
					  factor_near(b, i, HUMP_BINS));
	for (int i = 0; i < BASELINE_BINS; i++) {
		if (b->samples[i] > 0 || b->shape[i] == 1)
			continue;
		if (usual) {
			b->shape[i] = fminf(b->shape[i], top[i]);
			b->samples[i] = (uint16_t)plan->visit;
			any = true;
		} else {
			b->shape[i] = 1;
		}
	}
	if (any)
		recentre(b);
}
