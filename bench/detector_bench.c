/* SPDX-License-Identifier: Apache-2.0 */
/* detector_bench: how good the detector's decisions are, and what they cost. */
#include "detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t reopen_s = 1800;

void watch_init(struct watch *w, const struct surge_plan *plan, double open_at)
{
	memset(w, 0, sizeof(*w));
	surge_init(&w->surge, plan);
	w->open_at = open_at;
}

bool watch_step(struct watch *w, const struct surge_plan *plan, struct surge_sample sample)
{
	sample.frozen = w->open;
	surge_step(&w->surge, plan, &sample, &w->last);
	if (!w->last.taken)
		return false;
	if (w->open) {
		if (w->last.calm) {
			w->open = false;
			w->closed = sample.bin;
		}
		return false;
	}
	if (!w->last.sustained || w->last.log10_return < w->open_at)
		return false;
	bool again = w->incidents > 0 &&
		     sample.bin - w->closed <= reopen_s / span_to_s(plan->step);

	w->open = true;
	w->incidents += !again;
	return !again;
}

void naive_init(struct naive *n, wd_span step)
{
	memset(n, 0, sizeof(*n));
	int64_t size = 36000 / span_to_s(step);

	n->size = size < NAIVE_SAMPLES_MAX ? (int)size : NAIVE_SAMPLES_MAX;
}

static double tail(double y, double mean, double variance)
{
	if (y <= mean || y < 1)
		return 1;
	mean = fmax(mean, 0.1);
	variance = fmax(variance, mean * 1.0001);
	double r = mean * mean / (variance - mean), q = mean / (mean + r);
	double term = exp(lgamma(y + r) - lgamma(r) - lgamma(y + 1) + r * log(1 - q) + y * log(q));
	double sum = 0;

	for (double k = y; term > sum * 1e-9 && k < y + 100000; k++) {
		sum += term;
		term *= (k + r) / (k + 1) * q;
	}
	return fmin(sum, 1);
}

double naive_step(struct naive *n, double count)
{
	double p = 1;

	if (n->filled >= 8) {
		double mean = n->sum / n->filled;
		double variance = (n->square - n->sum * mean) / (n->filled - 1);

		p = tail(count, mean, variance);
	}
	if (n->filled == n->size) {
		n->sum -= n->counts[n->at];
		n->square -= n->counts[n->at] * n->counts[n->at];
	} else {
		n->filled++;
	}
	n->counts[n->at] = count;
	n->sum += count;
	n->square += count * count;
	n->at = (n->at + 1) % n->size;
	return p;
}

void row(const char *name, const char *unit, double ours, const char *peer, double theirs,
	 double ratio)
{
	char figure[2][32] = {"-", "-"};

	if (peer[0] != '-')
		snprintf(figure[0], sizeof(figure[0]), "%.2f", theirs);
	if (ratio > 0 && isfinite(ratio))
		snprintf(figure[1], sizeof(figure[1]), "%.2f", ratio);
	printf("detector: %s\t%s\t%.2f\t%s\t%s\t%s\n", name, unit, ours, peer, figure[0],
	       figure[1]);
}

void row_missing(const char *name, const char *unit)
{
	printf("detector: %s\t%s\tno data\t-\t-\t-\n", name, unit);
}

FILE *input_open(const char *path)
{
	const char *given = getenv("WHYDOWN_TEST_DATA"), *source = getenv("SOURCE");
	char full[4096];

	if (given)
		snprintf(full, sizeof(full), "%s/%s", given, path);
	else
		snprintf(full, sizeof(full), "%s/../shared/data/%s", source ? source : ".", path);
	return fopen(full, "r");
}

int main(void)
{
	bench_downdetector();
	bench_mentions();
	bench_first_days();
	bench_ages();
	bench_worlds();
	bench_cost();
	return 0;
}
