/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/budget.h"

#include <math.h>

static const double total_share = 0.8;
static const double scope_wrong = 0.05;
static const double threshold_min = 1;

float budget_log10_weight(size_t signal, size_t signals)
{
	if (signals <= 1)
		return 0;
	return (float)log10(signal == 0 ? total_share : (1 - total_share) / (double)(signals - 1));
}

float budget_service(const float *log10_return, size_t signals, size_t *ret_carrier)
{
	float best = 0, total = budget_log10_weight(0, signals);
	float other = budget_log10_weight(1, signals);
	size_t carrier = 0;

	for (size_t i = 0; i < signals; i++) {
		float a = log10_return[i] + (i == 0 ? total : other);

		if (a > best) {
			best = a;
			carrier = i;
		}
	}
	if (ret_carrier)
		*ret_carrier = carrier;
	return best;
}

double budget_threshold(wd_span step, size_t services, double false_a_month, size_t k)
{
	double month = 30 * 86400.0 * WD_NS_PER_S / (step.ns > 0 ? (double)step.ns : 1);
	double a = log10(month * (double)services / (false_a_month * (double)(k > 0 ? k : 1)));

	return a > threshold_min ? a : threshold_min; /* also when false_a_month is no number */
}

/* The largest k with at least k values over threshold(k): start from all and come down;
 * each round removes values that no admissible k could keep. */
static size_t step_up(const float *a, size_t n, double threshold_one, double threshold_least)
{
	size_t k = n;

	while (k > 0) {
		double threshold = fmax(threshold_one - log10((double)k), threshold_least);
		size_t over = 0;

		for (size_t i = 0; i < n; i++)
			over += a[i] >= threshold;
		if (over >= k)
			return k;
		k = over;
	}
	return 0;
}

size_t budget_open(const float *headroom, size_t count)
{
	return step_up(headroom, count, 0, -INFINITY);
}

size_t budget_scope(const float *log10_return, size_t signals, double samples, bool *named)
{
	double one = log10((double)(signals > 0 ? signals : 1) * fmax(samples, 1) / scope_wrong);
	size_t k = step_up(log10_return, signals, one, 0);
	double threshold = one - log10((double)(k > 0 ? k : 1));

	for (size_t i = 0; i < signals; i++)
		named[i] = k > 0 && log10_return[i] >= threshold;
	return k;
}
