/* SPDX-License-Identifier: Apache-2.0 */
/* The first days of a service: series of 17 days that begin cold, of services that are used by
 * day, with and without an outage among the first hours. docs/detector.md says what came of it. */
#include "base/prng.h"
#include "detect/budget.h"
#include "detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR = 60, DAY = 24 * HOUR, DAYS = 17, OUTAGES_MAX = 3, OUTAGE = 2 * HOUR };

static const int widths_s[] = {900, 300};
static const double rates[] = {0.3, 3, 40};          /* reports a minute */
static const double ratios[] = {3, 10, 30};          /* the busiest hour by the quietest */
static const double weekends[] = {0.3, 0.6, 1.2};    /* of a weekday */
static const int begins[] = {0, 2 * DAY + 12 * HOUR, 4 * DAY, 5 * DAY}; /* of the week */
enum { A_SET = 2 * 3 * 3 * 3 * 4 };

enum form { COSINE, LOG_COSINE, PLATEAU, FORMS };
static const char *const form_names[FORMS] = {"cosine", "log-cosine", "plateau"};

struct maker {
	enum form form;
	bool negative_binomial; /* variance = mean + 0.1 mean^2; else Poisson */
	int width_s, begin;     /* minute of the week */
	double rate, ratio, weekend;
	struct prng prng;
};

static struct maker maker_of(enum form form, bool negative_binomial, unsigned which)
{
	struct maker m = {.form = form, .negative_binomial = negative_binomial,
			  .prng = prng_of(1, which)};

	m.begin = begins[which % 4];
	m.weekend = weekends[which / 4 % 3];
	m.ratio = ratios[which / 12 % 3];
	m.rate = rates[which / 36 % 3];
	m.width_s = widths_s[which / 108];
	return m;
}

/* The quietest is at four in the morning. */
static double season(const struct maker *m, int local)
{
	double wave = -cos(2 * M_PI * (local % DAY - 4 * HOUR) / DAY), factor;

	if (m->form == COSINE) {
		factor = 1 + (m->ratio - 1) / (m->ratio + 1) * wave;
	} else if (m->form == LOG_COSINE) {
		factor = exp(0.5 * log(m->ratio) * wave);
	} else {
		double low = 1 / (1 + exp(4));
		double day = (1 / (1 + exp(-4 * wave)) - low) / (1 - 2 * low);

		factor = 2 * (1 + (m->ratio - 1) * day) / (1 + m->ratio);
	}
	return local / DAY % 7 >= 5 ? factor * m->weekend : factor;
}

static double draw(struct maker *m, int local, double times)
{
	double mean = m->rate * m->width_s / 60 * times;

	mean *= season(m, local + m->width_s / 120);
	if (m->negative_binomial)
		mean *= gamma_draw(&m->prng, 10) / 10;
	return (double)prng_poisson(&m->prng, mean);
}

/* Outages: `times` usual, from hours after the first sample on. The first may be at the very
 * begin, where nobody can tell. What opens within two hours after one is not false. */
struct scenario {
	const char *name;
	int outages, at[OUTAGES_MAX];
	int first_hours; /* how long the first lasts, else two hours */
	double first_times;
};

static const struct scenario scenarios[] = {
	{.name = "quiet"},
	{.name = "outages after 28 and 52 hours", .outages = 2, .at = {28, 52}},
	{.name = "outages after 36 and 60 hours", .outages = 2, .at = {36, 60}},
	{.name = "outages after 44 and 68 hours", .outages = 2, .at = {44, 68}},
	{.name = "begun in two hours of ten times, outages after 24 and 55 hours", .outages = 3,
	 .at = {0, 24, 55}},
	{.name = "begun in five hours of twenty times, outages after 29 and 55 hours", .outages = 3,
	 .at = {0, 29, 55}, .first_hours = 5, .first_times = 20},
	{.name = "outages after 6, 30 and 54 hours", .outages = 3, .at = {6, 30, 54}},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

struct tally { int series, opened, found[OUTAGES_MAX]; };

static void series_run(const struct scenario *s, struct maker m, struct tally *sum)
{
	const int minutes = m.width_s / 60;
	bool found[OUTAGES_MAX] = {false}, open_before[OUTAGES_MAX] = {false};
	struct surge_plan plan;
	struct watch w;

	surge_plan_init(&plan, span_s(m.width_s), SURGE_COUNTS);
	watch_init(&w, &plan, budget_threshold(plan.step, 1, BUDGET_FALSE_A_MONTH, 1));
	for (int t = 0; t < DAYS * DAY; t += minutes) {
		int local = m.begin + t, in = -1;
		bool over = false;

		for (int k = 0; k < s->outages; k++) {
			int from = s->at[k] * HOUR;
			bool longer = k == 0 && s->first_hours > 0;
			int until = from + (longer ? s->first_hours * HOUR : OUTAGE);

			in = t >= from && t < until ? k : in;
			over |= t >= until && t < until + OUTAGE;
		}
		double times = in < 0 ? 1 : in == 0 && s->first_times > 0 ? s->first_times : 10;
		struct surge_sample sample = {.bin = t / minutes,
					      .observed = draw(&m, local, times),
					      .minute = (uint16_t)(local % DAY),
					      .weekend = local / DAY % 7 >= 5};
		bool was_open = w.open, opened = watch_step(&w, &plan, sample);

		if (in < 0) {
			sum->opened += opened && !over;
			continue;
		}
		open_before[in] |= was_open && t == s->at[in] * HOUR;
		found[in] |= w.open && !was_open && !open_before[in];
	}
	sum->series++;
	for (int k = 0; k < s->outages; k++)
		sum->found[k] += found[k];
}

/* The 216 series of each of six kinds of days. */
static struct tally sets_run(const struct scenario *s)
{
	struct tally all = {0};

	for (int kind = 0; kind < 2 * FORMS; kind++) {
		struct tally set = {0};

		for (unsigned which = 0; which < A_SET; which++)
			series_run(s, maker_of((enum form)(kind / 2), kind % 2 == 1, which), &set);
		fprintf(stderr, "first days, %s, %s, %s: %d false in %d series\n", s->name,
			form_names[kind / 2], kind % 2 == 1 ? "negative binomial" : "Poisson",
			set.opened, set.series);
		all.series += set.series;
		all.opened += set.opened;
		for (int k = 0; k < OUTAGES_MAX; k++)
			all.found[k] += set.found[k];
	}
	return all;
}

/* An incident that was open before an outage has not found it. */
void bench_first_days(void)
{
	char name[160];

	for (int i = 0; i < SCENARIOS; i++) {
		const struct scenario *s = &scenarios[i];
		struct tally all = sets_run(s);

		snprintf(name, sizeof(name), "first days, %s: false incidents (stated: 1)",
			 s->name);
		row(name, "a series and month", all.opened / (all.series * DAYS / 30.0), "-", 0, 0);
		for (int k = 0; k < s->outages; k++) {
			if (s->at[k] == 0)
				continue;
			snprintf(name, sizeof(name), "first days, %s: found of that after %d hours",
				 s->name, s->at[k]);
			row(name, "%", 100.0 * all.found[k] / all.series, "-", 0, 0);
		}
	}
}
