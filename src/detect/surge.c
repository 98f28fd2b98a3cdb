/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/surge.h"

#include <math.h>
#include <string.h>

static const float margin = 0.25F; /* less than a quarter above usual is never an outage */
/* Nor is fewer than this many counts a minute in a series that nobody knows yet (about four
 * in a quarter of an hour). The floor halves in the first week, and so on as 1 / age. */
static const double null_min_a_minute = 0.25, floor_days = 7;
/* What stands out by more than this many standard deviations is learned as if it did not. */
static const float habit_sd = 1.25F;
static const double count_max = 1e9;
static const float counts_min = 3;  /* an alarm stands on at least three reports */

static uint32_t samples_in(wd_span span, wd_span step, uint32_t low, uint32_t high)
{
	int64_t n = (span.ns + step.ns - 1) / step.ns;

	return n < low ? low : n > high ? high : (uint32_t)n;
}

void surge_plan_init(struct surge_plan *plan, wd_span step, enum surge_kind kind)
{
	step.ns = step.ns < WD_NS_PER_S           ? WD_NS_PER_S
		  : step.ns > 86400 * WD_NS_PER_S ? 86400 * WD_NS_PER_S
						  : step.ns;
	memset(plan, 0, sizeof(*plan));
	plan->kind = kind;
	plan->step = step;
	baseline_plan_init(&plan->baseline, step);
	double minutes = (double)step.ns / (60.0 * WD_NS_PER_S);

	plan->cap = (float)(6 * sqrt(minutes));
	plan->cap = plan->cap < 1 ? 1 : plan->cap > 40 ? 40 : plan->cap;
	plan->null_min = (float)(null_min_a_minute * minutes);
	plan->null_min_fade = (float)(minutes / (floor_days * 1440));
	plan->warm = samples_in(span_s(1800), step, 8, 120);
	plan->hits_min = step.ns < 150 * WD_NS_PER_S ? 2 : 1;
	plan->hits_apart = samples_in(span_s(180), step, 1, 180);
	plan->calm_min = samples_in(span_s(600), step, 2, 600);
	plan->frozen_max = samples_in(span_s(86400), step, 2, 86400);
	float pace = (float)samples_in(span_s(600), step, 1, 600);

	plan->pace_gain = 1 / pace;
}

void surge_init(struct surge *s, const struct surge_plan *plan)
{
	(void)plan;
	memset(s, 0, sizeof(*s));
	baseline_init(&s->baseline);
	calibrate_init(&s->calibrate, 1, 0.43429448F);
}

/* Ends of the usual band by the square-root transform, which keeps a count's skewness. */
static void band(const struct baseline_now *now, struct surge_band *ret)
{
	float root = sqrtf(now->mean + 0.375F);
	float reach = sqrtf(now->mean * (1 + now->noise)) / root;
	float low = root > reach ? root - reach : 0, high = root + reach;

	ret->expected = now->mean;
	ret->low = low * low - 0.375F;
	ret->low = ret->low > 0 ? ret->low : 0;
	ret->high = high * high - 0.375F;
}

void surge_forecast(const struct surge *s, const struct surge_plan *plan, uint16_t minute,
		    bool weekend, struct surge_band *ret)
{
	struct baseline copy = s->baseline;
	struct baseline_now now;

	baseline_at(&copy, &plan->baseline, minute % 1440, weekend, &now);
	band(&now, ret);
}

static void rearm(struct surge *s)
{
	memset(&s->evidence, 0, sizeof(s->evidence));
	s->hits = 0;
	s->hit_counts = 0;
	s->calm = 0;
}

static void thaw(struct surge *s, const struct surge_plan *plan, const struct surge_sample *sample,
		 float factor)
{
	if (!sample->frozen) {
		if (s->frozen > 0)
			rearm(s);
		s->frozen = 0;
		return;
	}
	if (s->frozen < plan->frozen_max && ++s->frozen == plan->frozen_max) {
		baseline_restart(&s->baseline, s->pace / (factor > 0.01F ? factor : 0.01F));
		rearm(s);
	}
}

void surge_step(struct surge *s, const struct surge_plan *plan, const struct surge_sample *sample,
		struct surge_reading *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->began = sample->bin;
	if (!isfinite(sample->observed) || sample->observed < 0 ||
	    (s->seen > 0 && sample->bin <= s->last))
		return;
	ret->taken = true;
	float count = (float)(sample->observed < count_max ? sample->observed : count_max);
	struct baseline_now now;

	baseline_at(&s->baseline, &plan->baseline, sample->minute % 1440U, sample->weekend, &now);
	thaw(s, plan, sample, now.factor);
	bool slow = sample->frozen && s->frozen < plan->frozen_max;
	float usual_mean = now.mean * now.lift;
	float null_mean = usual_mean * (1 + margin);

	float floor = plan->null_min / (1 + (float)s->seen * plan->null_min_fade);
	null_mean = null_mean > floor ? null_mean : floor;

	ret->observed = count;
	struct surge_band usual;
	band(&now, &usual);
	ret->expected = usual.expected;
	ret->low = usual.low;
	ret->high = usual.high;
	ret->above = count > null_mean;
	ret->side = ret->above;
	s->pace += plan->pace_gain * (count - s->pace);
	if (s->seen >= plan->warm) {
		struct evidence_sample es = {.count = count,
					     .null_mean = null_mean,
					     .size = null_mean / now.noise,
					     .cap = plan->cap};
		float together = evidence_step(&s->evidence, &es);
		float alone = evidence_surprise(&es);
		float decades = together > alone ? together : alone;

		ret->log10_return = calibrate_step(&s->calibrate, decades, slow);
		uint32_t age = evidence_age(&s->evidence);

		if (age == 0) {
			s->hits = 0;
			s->hit_counts = 0;
		} else {
			ret->began = sample->bin - (int64_t)age + 1;
		}
		s->unhit++;
		if (ret->above) {
			s->hits++;
			s->unhit = 0;
			s->hit_counts += count;
		}
		ret->sustained = s->hits >= plan->hits_min && s->unhit < plan->hits_apart &&
				 s->hit_counts >= counts_min;
	}
	s->calm = s->pace <= null_mean ? s->calm + (s->calm < UINT32_MAX) : 0;
	ret->calm = s->calm >= plan->calm_min;
	if (ret->calm && !ret->above && s->hits > 0) {
		uint32_t calm = s->calm;
		rearm(s);
		s->calm = calm;
	}
	float usual_max = usual_mean + habit_sd * sqrtf(usual_mean * (1 + now.noise)) + 1;

	usual_max = usual_max > null_mean ? usual_max : null_mean;
	float learned = s->seen < plan->warm || count < usual_max ? count : usual_max;
	baseline_learn(&s->baseline, &plan->baseline, &now, learned, slow);
	s->seen++;
	s->last = sample->bin;
}

void surge_peek(const struct surge *s, const struct surge_plan *plan,
		const struct surge_sample *sample, struct surge_reading *ret)
{
	struct surge copy = *s;

	surge_step(&copy, plan, sample, ret);
}
