/* SPDX-License-Identifier: Apache-2.0 */
/* timing: clocks in s, and the median of what they measured. */
#ifndef WD_BENCH_TIMING_H
#define WD_BENCH_TIMING_H

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

static inline double clock_s(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Of the program on the cores, so that a busy machine does not count. */
static inline double cpu_s(void)
{
	return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

/* Since some start: for waiting. */
static inline double mono_s(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

/* For qsort. */
static inline int rising(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Sorts them. */
static inline double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), rising);
	return values[count / 2];
}

#endif
