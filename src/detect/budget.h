/* SPDX-License-Identifier: Apache-2.0 */
/* budget: the stated number of false incidents a month, kept across the signals of one
 * service and across all services. Pure functions over arrays of A = log10_return (surge.h).
 *
 * Signals of one service depend on each other in ways nobody knows, so they are joined by
 * the union bound: weights sum to 1, and the service's A is the largest A + log10(weight).
 * If each signal reaches its A once in 10^A samples, the service reaches its own at most
 * once in 10^A samples, whatever the dependence. */
#ifndef WD_DETECT_BUDGET_H
#define WD_DETECT_BUDGET_H

#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>

/* The default: false incidents accepted per service and 30 days. */
#define BUDGET_FALSE_A_MONTH 1.0

/* log10 of the weight of the total (signal 0) and of each other of `signals` signals.
 * The total takes four fifths (all, when it is alone); the others share the rest. */
float budget_log10_weight(size_t signal, size_t signals);

/* A of a service whose signal 0 is its total. *ret_carrier (may be NULL) is the signal that
 * gives it. 0 when there is no signal or no evidence. */
float budget_service(const float *log10_return, size_t signals, size_t *ret_carrier);

/* The A that opens an incident when k of `services` services are to be open at once and
 * `false_a_month` false incidents are accepted in all: log10(samples a month * services /
 * (false_a_month * k)), never under 1. */
double budget_threshold(wd_span step, size_t services, double false_a_month, size_t k);

/* The step-up rule: how many of `count` services may be open now, each given by its headroom, A
 * less what it needs when it alone opens: the largest k of which k reach budget_threshold(…, k).
 * Their steps may differ. */
size_t budget_open(const float *headroom, size_t count);

/* The scope of an incident that has lasted `samples` samples: which signals are themselves
 * significant, so that of those named 1 in 20 is wrong on average (step-up over the signals,
 * each given `samples` chances). Writes named[signals], returns how many. */
size_t budget_scope(const float *log10_return, size_t signals, double samples, bool *named);

#endif
