/* SPDX-License-Identifier: Apache-2.0 */
/* How soon a busy series is known: its band by the band of its counts' own scatter, outages and
 * slow ramps found, at several ages. Series with nights (cosine), Poisson and negative binomial. */
#include "base/check.h"
#include "detect/budget.h"
#include "detector.h"

#include <math.h>
#include <stdlib.h>

enum { HOUR = 60, DAY = 24 * HOUR, AGES = 4, A_DAY = 6, SERIES = 3 * 3 * 2 * 4 };
enum { LOOKS = SERIES * A_DAY };

static const int ages[AGES] = {3, 7, 14, 28};
static const int widths_s[] = {60, 300, 900};
static const double rates[] = {2, 20, 200}; /* reports a minute */
static const double ratios[] = {3, 10, 30}; /* the busiest hour by the quietest */
static const int begins[] = {0, 2 * DAY + 12 * HOUR, 4 * DAY, 5 * DAY};

struct maker {
	bool negative_binomial; /* variance = mean + 0.1 mean^2; else Poisson */
	int width_s, begin;
	double rate, ratio;
	struct prng prng;
};

/* What came of the looks at one age: six a day, of each series. */
struct looks { double band[LOOKS]; int count, outages, ramps, ramps_tried; };

static double mean_of(const struct maker *m, int local)
{
	double middle = local + m->width_s / 120.0;
	double wave = -cos(2 * M_PI * (fmod(middle, DAY) - 4 * HOUR) / DAY);
	double season = 1 + (m->ratio - 1) / (m->ratio + 1) * wave;

	return m->rate * m->width_s / 60 * season * (local / DAY % 7 >= 5 ? 0.7 : 1);
}

static bool step(struct watch *w, const struct surge_plan *plan, struct maker *m, int t,
		 double times)
{
	int local = m->begin + t;
	double mean = mean_of(m, local) * times;

	if (m->negative_binomial)
		mean *= gamma_draw(&m->prng, 10) / 10;
	struct surge_sample sample = {.bin = t / (m->width_s / 60),
				      .observed = (double)prng_poisson(&m->prng, mean),
				      .minute = (uint16_t)(local % DAY),
				      .weekend = local / DAY % 7 >= 5};

	return watch_step(w, plan, sample);
}

/* True if what rises to `times` usual in so many minutes and stays for two hours is found. */
static bool found(struct watch w, const struct surge_plan *plan, struct maker m, int t, int rise,
		  double times)
{
	const int minutes = m.width_s / 60;

	if (w.open)
		return false;
	for (int u = 0; u < rise + 2 * HOUR; u += minutes) {
		double now = u < rise ? 1 + (times - 1) * u / rise : times;

		if (step(&w, plan, &m, t + u, now))
			return true;
	}
	return false;
}

static void look(struct looks *l, const struct watch *w, const struct surge_plan *plan,
		 const struct maker *m, int t)
{
	double mean = mean_of(m, m->begin + t), noise = m->negative_binomial ? 0.1 * mean : 0;
	double sd = sqrt(mean * (1 + noise));
	double band = mean + 2 * sd + 1 + noise - fmax(0, mean - 2 * sd + 1 + noise);
	struct watch copy = *w;
	struct maker same = *m;

	step(&copy, plan, &same, t, 1);
	WD_CHECK(l->count < LOOKS);
	l->band[l->count++] = ((double)copy.last.high - (double)copy.last.low) / band;
	l->outages += found(*w, plan, *m, t, 0, 3);
	if (l->count % A_DAY == 0) {
		l->ramps += found(*w, plan, *m, t, 6 * HOUR, 6);
		l->ramps_tried++;
	}
}

static void series_run(struct maker m, struct looks all[AGES])
{
	const int minutes = m.width_s / 60;
	struct surge_plan plan;
	struct watch w;
	int age = 0;

	surge_plan_init(&plan, span_s(m.width_s), SURGE_COUNTS);
	watch_init(&w, &plan, budget_threshold(plan.step, 1, BUDGET_FALSE_A_MONTH, 1));
	for (int t = 0; t < ages[AGES - 1] * DAY; t += minutes) {
		age += t >= ages[age] * DAY;
		if (t >= (ages[age] - 1) * DAY && t % (DAY / A_DAY) == 0)
			look(&all[age], &w, &plan, &m, t);
		step(&w, &plan, &m, t, 1);
	}
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_ages(void)
{
	static struct looks all[AGES];
	char name[96];

	for (size_t k = 0; k < sizeof(widths_s) / sizeof(widths_s[0]); k++) {
		for (int age = 0; age < AGES; age++)
			all[age] = (struct looks){.count = 0};
		for (unsigned which = 0; which < SERIES; which++)
			series_run((struct maker){.negative_binomial = which % 2 == 1,
						  .begin = begins[which / 2 % 4],
						  .ratio = ratios[which / 8 % 3],
						  .rate = rates[which / 24],
						  .width_s = widths_s[k],
						  .prng = prng_of(k + 1, which)},
				   all);
		for (int age = 0; age < AGES; age++) {
			struct looks *l = &all[age];

			qsort(l->band, (size_t)l->count, sizeof(l->band[0]), rising);
			snprintf(name, sizeof(name), "busy series, %d s, day %d: band by its truth",
				 widths_s[k], ages[age]);
			row(name, "ratio (median)", l->band[l->count / 2], "-", 0, 0);
			snprintf(name, sizeof(name),
				 "busy series, %d s, day %d: three times usual found", widths_s[k],
				 ages[age]);
			row(name, "%", 100.0 * l->outages / l->count, "-", 0, 0);
			snprintf(name, sizeof(name),
				 "busy series, %d s, day %d: ramps of six hours found", widths_s[k],
				 ages[age]);
			row(name, "%", 100.0 * l->ramps / l->ramps_tried, "-", 0, 0);
		}
	}
}
