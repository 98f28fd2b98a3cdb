/* SPDX-License-Identifier: Apache-2.0 */
/* Made worlds: minutes of a calm one (negative binomial) and a bursty one (the rate wanders by
 * a log-AR(1) of standard deviation 0.5, and reports repeat themselves by a Pareto law), both
 * with a deep night and a quiet weekend. Four weeks are learned, four are counted; then ten
 * times usual begins. And what a sample costs. */
#include "base/check.h"
#include "base/prng.h"
#include "detect/budget.h"
#include "detector.h"
#include "timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 1440, WEEK = 7 * DAY, LEARN = 4 * WEEK, COUNT = 4 * WEEK };
enum { SERIES = 40, SERIES_MANY = 400, SERIES_MAX = 100000 };
enum { OUTAGES = 5, OUTAGE_MINUTES = 120, LATE = 999 };

struct world { bool bursty; double base, wander; struct prng prng; };

static double rate_of(const struct world *w, int t)
{
	double season = 1 - 0.7 * cos(2 * M_PI * (t % DAY - 240) / DAY);

	if (t / DAY % 7 >= 5)
		season *= 0.7;
	return w->base * season / 0.914; /* so that the mean of a week is the base */
}

/* Marsaglia and Tsang, "A simple method for generating gamma variables", 2000. */
double gamma_draw(struct prng *r, double shape)
{
	double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);

	for (;;) {
		double x = prng_normal(r), v = 1 + c * x;

		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(prng_unit(r)) < 0.5 * x * x + d - d * v + d * log(v))
			return d * v;
	}
}

static double draw(struct world *w, int t, double times)
{
	double mean = rate_of(w, t) * times;

	if (!w->bursty) /* variance = mean + 0.1 mean^2 */
		return (double)prng_poisson(&w->prng, mean * gamma_draw(&w->prng, 10) / 10);
	const double keep = exp(-1.0 / 30);

	w->wander = keep * w->wander + 0.5 * sqrt(1 - keep * keep) * prng_normal(&w->prng);
	mean *= exp(w->wander - 0.125);
	double count = 0;

	for (uint64_t n = prng_poisson(&w->prng, mean / 1.64); n > 0; n--) /* zeta(2) = 1.64 */
		count += fmin(floor(1 / sqrt(prng_unit(&w->prng))), 1000);
	return count;
}

static struct surge_sample sample_of(int t, double count)
{
	return (struct surge_sample){.bin = t, .observed = count, .minute = (uint16_t)(t % DAY),
				     .weekend = t / DAY % 7 >= 5};
}

static int rising_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int median_int(int *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), rising_ints);
	return values[count / 2];
}

/* What one world gave: false incidents per series and month, and median delays of ten times
 * usual, at one false incident a month and series and at five a month over 5,000 series. */
struct outcome {
	double false_one, false_many, false_naive;
	int delay_one, delay_many, delay_naive;
};

static int naive_delay(struct naive n, struct world w, int from)
{
	for (int i = 0; i < OUTAGE_MINUTES; i++)
		if (naive_step(&n, draw(&w, from + i, 10)) < pow(10, -4.64))
			return i + 1;
	return LATE;
}

static int delay(struct watch watch, const struct surge_plan *plan, struct world w, int from,
		 double open_at)
{
	watch.open_at = open_at;
	watch.open = false;
	watch.incidents = 0;
	for (int i = 0; i < OUTAGE_MINUTES; i++)
		if (watch_step(&watch, plan, sample_of(from + i, draw(&w, from + i, 10))))
			return i + 1;
	return LATE;
}

static struct outcome world_run(bool bursty, double base, int series_count)
{
	int *delays[3], count = 0, naive_false = 0, one_false = 0, many_false = 0;
	struct surge_plan plan;

	for (int i = 0; i < 3; i++) {
		delays[i] = calloc((size_t)series_count * OUTAGES, sizeof(int));
		WD_CHECK(delays[i] != NULL);
	}
	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	const double one = budget_threshold(plan.step, 1, 1, 1);
	const double many = budget_threshold(plan.step, 5000, 5, 1);

	for (int series = 0; series < series_count; series++) {
		struct world w = {.bursty = bursty,
				  .base = base,
				  .prng = prng_of((uint64_t)series + 1, bursty)};
		struct watch a, b;
		struct naive n;
		bool naive_open = false;
		int t = 0;

		watch_init(&a, &plan, one);
		watch_init(&b, &plan, many);
		naive_init(&n, plan.step);
		for (; t < LEARN + COUNT; t++) {
			double y = draw(&w, t, 1);
			bool counted = t >= LEARN;

			one_false += watch_step(&a, &plan, sample_of(t, y)) && counted;
			many_false += watch_step(&b, &plan, sample_of(t, y)) && counted;
			bool over = naive_step(&n, y) < pow(10, -4.64);

			naive_false += over && !naive_open && counted;
			naive_open = over;
		}
		for (int k = 0; k < OUTAGES; k++, count++) { /* at five times of the day */
			for (int until = t + 293; t < until; t++) {
				double y = draw(&w, t, 1);

				watch_step(&a, &plan, sample_of(t, y));
				naive_step(&n, y);
			}
			delays[0][count] = delay(a, &plan, w, t, one);
			delays[1][count] = delay(a, &plan, w, t, many);
			delays[2][count] = naive_delay(n, w, t);
		}
	}
	const double months = series_count * 28 / 30.0;

	const struct outcome o = {.false_one = one_false / months,
				  .false_many = many_false / months,
				  .false_naive = naive_false / months,
				  .delay_one = median_int(delays[0], count),
				  .delay_many = median_int(delays[1], count),
				  .delay_naive = median_int(delays[2], count)};
	for (int i = 0; i < 3; i++)
		free(delays[i]);
	return o;
}

/* What happens once in a thousand months takes more series to see: WHYDOWN_SERIES. */
static int series_many(void)
{
	const char *text = getenv("WHYDOWN_SERIES");
	long count = text != NULL ? strtol(text, NULL, 10) : 0;

	return count > 0 && count <= SERIES_MAX ? (int)count : SERIES_MANY;
}

void bench_worlds(void)
{
	static const double bases[] = {0.02, 0.2, 2, 20};
	static const char *const names[] = {"calm", "bursty"};
	static const char peer[] = "naive, 10^-4.64";
	char name[128];

	for (int bursty = 0; bursty < 2; bursty++) {
		for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
			struct outcome o = world_run(bursty, bases[i],
						     bases[i] == 2 ? series_many() : SERIES);

			snprintf(name, sizeof(name),
				 "%s world, %g a minute, false incidents (stated: 1)",
				 names[bursty], bases[i]);
			row(name, "a series and month", o.false_one, peer, o.false_naive,
			    o.false_naive / o.false_one);
			fprintf(stderr, "%s %g a minute: at 7.64 decades %.3f false, "
				"ten times usual found in %d and %d minutes, naive %d\n",
				names[bursty], bases[i], o.false_many, o.delay_one, o.delay_many,
				o.delay_naive);
			if (bases[i] != 2)
				continue;
			snprintf(name, sizeof(name),
				 "%s world, ten times 2 a minute, one false a month",
				 names[bursty]);
			row(name, "minutes (median)", o.delay_one, peer, o.delay_naive,
			    (double)o.delay_naive / o.delay_one);
			snprintf(name, sizeof(name),
				 "%s world, ten times 2 a minute, five a month over 5000 series",
				 names[bursty]);
			row(name, "minutes (median)", o.delay_many, "-", 0, 0);
			snprintf(name, sizeof(name),
				 "%s world, 2 a minute, false incidents (stated: 0.001)",
				 names[bursty]);
			row(name, "in a thousand series-months", 1000 * o.false_many, "-", 0, 0);
		}
	}
}

/* ---- cost ---- */

void bench_cost(void)
{
	enum { HERD = 50, MINUTES = 2 * WEEK, ROUNDS = 5 };
	static const double bases[] = {0.02, 2};
	static struct surge herd[HERD];
	static uint16_t counts[MINUTES];
	struct surge_plan plan;
	char name[64];

	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
	for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
		struct world w = {.base = bases[b], .prng = prng_of(7, b)};
		int ns[ROUNDS];

		for (int t = 0; t < MINUTES; t++)
			counts[t] = (uint16_t)draw(&w, t, 1);
		for (int i = 0; i < HERD; i++)
			surge_init(&herd[i], &plan);
		for (int round = 0; round < ROUNDS; round++) {
			double before = cpu_s();

			for (int t = 0; t < MINUTES; t++)
				for (int i = 0; i < HERD; i++) {
					struct surge_sample sample =
						sample_of(t, counts[(t + i * DAY) % MINUTES]);
					struct surge_reading r;

					sample.bin += (int64_t)round * MINUTES;
					surge_step(&herd[i], &plan, &sample, &r);
				}
			double each = (cpu_s() - before) / ((double)MINUTES * HERD);
			ns[round] = (int)(each * 1e9 + 0.5);
		}
		snprintf(name, sizeof(name), "a sample, %g a minute", bases[b]);
		row(name, "ns of a core", median_int(ns, ROUNDS), "-", 0, 0);
	}
	row("a series", "bytes", sizeof(struct surge), "-", 0, 0);
}
