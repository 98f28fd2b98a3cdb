/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/surge.h"

#include "model/observation.h"

#include <math.h>
#include <string.h>

/* Less than a quarter above usual is never an outage. */
static const float margin = 0.25F;
/* Nor is fewer than this many counts a minute in a series that nobody knows yet (about four
 * in a quarter of an hour). The floor halves in the first week, and so on as 1 / age. */
static const double null_min_a_minute = 0.25, floor_days = 7;
/* A rate that wanders is given two standard deviations before a large effect is seen in it. */
static const float wander_sd = 2;
static const float counts_min = 3; /* an alarm stands on at least three reports */
/* What a metric's value that is not near usual takes back of calm: of usual ones, too, one in
 * twenty is not, so that hundreds in a row hardly ever are. */
enum { CALM_LOST = 4 };
/* What stands out by more than this many standard deviations is learned as if it did not. */
static const float habit_sd = 1.25F;
/* And for the scatter of buckets that can open an incident alone by more than this many. */
static const float scatter_sd = 2;
/* One bucket alone: what many scatter by more than half of their mean is a day that is not known
 * yet (as many as 30 stand for one are believed in any case). */
static const float alone_size = 4, alone_noise = 30;
/* A decade past what was seen: with 0.28, series whose rate wanders opened twice as many false
 * incidents as the one in a thousand months that was stated, with 0.24 a quarter more, which is
 * within chance (docs/detector.md). */
static const float unseen = 0.24F, unseen_metric = 0.28F;
/* What stood out for so long, at hours that nobody had seen before, is taken for the day. */
enum { DAY_S = 6 * 3600 };
static const float stands_out_sd = 2; /* of less than this one sample alone is no news */
/* Readers refuse larger counts; sums of several feeders end here. */
static const double count_max = OBSERVATION_COUNT_MAX, metric_max = 1e15;

enum { FLOOR_SAMPLES = 64 }; /* the floor is refreshed every so many (a power of 2) */

static uint32_t samples_in(int64_t seconds, wd_span step, uint32_t low, uint32_t high)
{
	int64_t n = (span_s(seconds).ns + step.ns - 1) / step.ns;

	return n < low ? low : n > high ? high : (uint32_t)n;
}

void surge_plan_init(struct surge_plan *plan, wd_span step, enum surge_kind kind)
{
	if (step.ns < span_s(1).ns)
		step = span_s(1);
	if (step.ns > span_s(86400).ns)
		step = span_s(86400);
	memset(plan, 0, sizeof(*plan));
	plan->kind = kind;
	plan->step = step;
	baseline_plan_init(&plan->baseline, step);
	/* Theory for counts (evidence.h); for a metric only what is usual, and no floor to speak
	 * of, because its heat is no probability. */
	plan->calibrate = kind == SURGE_COUNTS
				  ? (struct calibrate_plan){.above = 1, .scale_prior = 0.43429448F,
							    .scale_min = 0.43429448F,
							    .log10_rate_prior = -1,
							    .unseen = unseen}
				  : (struct calibrate_plan){.above = 2, .scale_prior = 1,
							    .scale_min = 0.3F,
							    .log10_rate_prior = -2,
							    .unseen = unseen_metric};
	double minutes = (double)step.ns / (60.0 * WD_NS_PER_S);

	/* Six nats (2.6 decades) a minute: no single minute can open an incident. Wider bins
	 * hold more independent reports: as the square root of the width. */
	plan->cap = (float)fmin(fmax(6 * sqrt(minutes), 1), 40);
	plan->null_min = (float)(null_min_a_minute * minutes);
	plan->null_min_fade = (float)(minutes / (floor_days * 1440));
	plan->pace_gain = 1 / (float)samples_in(600, step, 1, 600);
	plan->warm = samples_in(1800, step, 8, 120);
	plan->hits_min = step.ns < span_s(150).ns ? 2 : 1;
	plan->hits_apart = samples_in(180, step, 1, 180);
	plan->calm_min = samples_in(600, step, 2, 600);
	plan->lasting = samples_in(3600, step, 1, 3600);
	plan->gap_max = samples_in(3 * 3600, step, 1, 3 * 3600);
	plan->day_min = samples_in(DAY_S, step, 1, DAY_S);
	plan->frozen_max = samples_in(86400, step, 2, 86400);
}

void surge_init(struct surge *s, const struct surge_plan *plan)
{
	memset(s, 0, sizeof(*s));
	calibrate_init(&s->calibrate, &plan->calibrate);
	if (plan->kind == SURGE_COUNTS)
		baseline_init(&s->baseline);
	else
		deviation_init(&s->deviation);
}

/* ---- counts ---- */

/* The ends of the usual band by the square-root transform, which keeps a count's skewness. */
struct band { float expected, low, high; };
static void band(float mean, float variance, float sd, struct band *ret)
{
	float skew = variance / (mean + 0.375F);

	ret->expected = mean;
	ret->high = mean + 2 * sd + skew;
	ret->low = mean + 0.375F > skew && mean + skew > 2 * sd ? mean - 2 * sd + skew : 0;
}

static void evidence_drop(struct surge *s, const struct surge_plan *plan)
{
	if (plan->kind == SURGE_COUNTS)
		memset(&s->evidence, 0, sizeof(s->evidence));
	else
		deviation_cool(&s->deviation);
	s->hits = 0;
	s->hit_counts = 0;
}

/* Keeps track of how long the series has been frozen; true while it is to stay so. */
static bool stay_frozen(struct surge *s, const struct surge_plan *plan, bool frozen)
{
	s->frozen = frozen ? s->frozen + (s->frozen < UINT32_MAX) : 0;
	return frozen && s->frozen < plan->frozen_max;
}

static float null_of(struct surge *s, const struct surge_plan *plan, float usual)
{
	if ((s->seen & (FLOOR_SAMPLES - 1)) == 0)
		s->floor = plan->null_min / (1 + (float)s->seen * plan->null_min_fade);
	float null_mean = usual * (1 + margin);

	return null_mean > s->floor ? null_mean : s->floor;
}

/* Of a bucket that is judged alone. Where that may open an incident, it scatters as much more by
 * day as there is more to scatter: that is so where the rate itself varies. */
static float size_alone(const struct surge_plan *plan, const struct baseline_now *now,
			float null_mean)
{
	float size = null_mean / now->noise;

	if (plan->hits_min > 1)
		return size;
	size = fmaxf(size, fminf(alone_size, null_mean / alone_noise));
	return now->factor > 1 ? size / now->factor : size;
}

static void hits_count(struct surge *s, float count, bool above, uint32_t age)
{
	if (age == 0) {
		s->hits = 0;
		s->hit_counts = 0;
	}
	s->unhit++;
	if (above) {
		s->hits++;
		s->hit_counts += count;
		s->unhit = 0;
	}
}

static void counts_step(struct surge *s, const struct surge_plan *plan,
			const struct surge_sample *sample, struct surge_reading *ret)
{
	float count = (float)(sample->observed < count_max ? sample->observed : count_max);
	bool was_frozen = s->frozen > 0;
	bool day = s->frozen >= plan->day_min && s->frozen < plan->frozen_max;
	bool slow = stay_frozen(s, plan, sample->frozen);
	struct baseline_now now;

	if (was_frozen && !sample->frozen)
		baseline_thaw(&s->baseline, &plan->baseline, day);
	baseline_at(&s->baseline, &plan->baseline, sample->minute, sample->weekend, &now);
	if (was_frozen && !sample->frozen)
		evidence_drop(s, plan);
	if (s->frozen == plan->frozen_max) {
		baseline_restart(&s->baseline, s->pace / fmaxf(now.factor, 0.01F));
		evidence_drop(s, plan);
	}
	float lift = now.drift > 1 ? now.drift : 1; /* today may be busier, never quieter */
	float usual = now.mean * lift, null_mean = null_of(s, plan, usual);
	float variance = now.mean * (1 + now.noise), sd = sqrtf(variance);
	float usual_sd = lift > 1 ? sqrtf(variance * lift) : sd;
	struct band usually;

	band(now.mean, variance, sd, &usually);
	ret->observed = count;
	ret->expected = usually.expected;
	ret->low = usually.low;
	ret->high = usually.high;
	ret->above = count > null_mean;
	ret->side = ret->above;
	s->pace += plan->pace_gain * (count - s->pace);
	if (s->seen >= plan->warm) {
		struct evidence_sample e = {.count = count, .null_mean = null_mean,
					    .size = null_mean / now.noise, .cap = plan->cap};

		e.far_mean = null_mean * (1 + wander_sd * now.wander);
		e.far_size = e.far_mean / now.noise_alone;
		float together = evidence_step(&s->evidence, &e);
		e.size = size_alone(plan, &now, null_mean);
		float alone = count > usual + stands_out_sd * usual_sd ? evidence_surprise(&e) : 0;
		float decades = together > alone ? together : alone;
		uint32_t age = evidence_age(&s->evidence);

		calibrate_learn(&s->calibrate, &plan->calibrate, decades, slow);
		ret->log10_return = calibrate_read(&s->calibrate, &plan->calibrate, decades);
		ret->began -= age > 0 ? (int64_t)age - 1 : 0;
		hits_count(s, count, ret->above, age);
		ret->sustained = s->hits >= plan->hits_min && s->unhit < plan->hits_apart &&
				 s->hit_counts >= counts_min;
	}
	s->calm = s->pace <= null_mean ? s->calm + (s->calm < UINT32_MAX) : 0;
	ret->calm = s->calm >= plan->calm_min;
	if (ret->calm && !ret->above && s->hits > 0)
		evidence_drop(s, plan);
	if (slow) {
		baseline_learn_slowly(&s->baseline, &plan->baseline, &now, count);
		return;
	}
	float habit = fmaxf(usual + habit_sd * usual_sd + 1, null_mean);
	float scatter = plan->hits_min > 1 ? habit : fmaxf(habit, usual + scatter_sd * usual_sd);

	if (s->seen < plan->warm)
		habit = scatter = count;
	baseline_learn(&s->baseline, &plan->baseline, &now,
		       &(struct baseline_count){
			       .habit = fminf(count, habit),
			       .scatter = fminf(count, scatter),
			       .lasting = evidence_age(&s->evidence) >= plan->lasting});
}

/* ---- metrics ---- */

static void metric_step(struct surge *s, const struct surge_plan *plan,
			const struct surge_sample *sample, struct surge_reading *ret)
{
	float value = (float)fmin(fmax(sample->observed, -metric_max), metric_max);
	bool was_frozen = s->frozen > 0, slow = stay_frozen(s, plan, sample->frozen);
	struct deviation_now now;

	if (was_frozen && !sample->frozen) {
		evidence_drop(s, plan);
		deviation_settle(&s->deviation, value, sample->minute, sample->weekend);
	}
	if (s->frozen == plan->frozen_max)
		deviation_restart(&s->deviation, sample->minute, sample->weekend);
	deviation_step(&s->deviation, value, sample->minute, sample->weekend, slow, &now);
	ret->observed = value;
	ret->expected = now.expected;
	ret->low = now.expected - now.reach;
	ret->high = now.expected + now.reach;
	ret->side = now.side;
	ret->above = now.far;
	if (now.near)
		s->calm = s->calm < plan->calm_min ? s->calm + 1 : plan->calm_min;
	else
		s->calm = s->calm > CALM_LOST ? s->calm - CALM_LOST : 0;
	ret->calm = s->calm >= plan->calm_min;
	if (s->seen < plan->warm)
		return;
	calibrate_learn(&s->calibrate, &plan->calibrate, now.heat, slow);
	ret->log10_return = calibrate_read(&s->calibrate, &plan->calibrate, now.heat);
	ret->began -= now.age > 0 ? (int64_t)now.age - 1 : 0;
	hits_count(s, 0, now.far, now.age);
	ret->sustained = s->hits >= plan->hits_min && s->unhit < plan->hits_apart;
}

/* ---- both ---- */

/* A gap only advances the clock; after three hours nobody knows what happened in it. */
static void skip(struct surge *s, const struct surge_plan *plan, uint64_t bins)
{
	if (bins > plan->gap_max)
		evidence_drop(s, plan);
	else if (plan->kind == SURGE_COUNTS)
		evidence_skip(&s->evidence, (uint32_t)bins);
	else
		deviation_skip(&s->deviation, (uint32_t)bins);
}

void surge_step(struct surge *s, const struct surge_plan *plan, const struct surge_sample *sample,
		struct surge_reading *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->began = sample->bin;
	if (!isfinite(sample->observed) || (s->seen > 0 && sample->bin <= s->last) ||
	    sample->minute >= 1440 || (plan->kind == SURGE_COUNTS && sample->observed < 0))
		return;
	ret->taken = true;
	uint64_t missing = s->seen > 0 ? (uint64_t)sample->bin - (uint64_t)s->last - 1 : 0;

	if (missing > 0)
		skip(s, plan, missing);
	if (plan->kind == SURGE_COUNTS)
		counts_step(s, plan, sample, ret);
	else
		metric_step(s, plan, sample, ret);
	s->seen++;
	s->last = sample->bin;
}
