/* SPDX-License-Identifier: Apache-2.0 */
/* timing: processor time of the program, and the order of doubles for medians. */
#ifndef WD_BENCH_TIMING_H
#define WD_BENCH_TIMING_H

#include <time.h>

static inline double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* For qsort. */
static inline int rising(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

#endif
