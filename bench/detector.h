/* SPDX-License-Identifier: Apache-2.0 */
/* detector: what the parts of the detector's quality bench share. Every part prints rows of
 * the bench table (scripts/bench); docs/detector.md says what the rows mean. */
#ifndef WD_BENCH_DETECTOR_H
#define WD_BENCH_DETECTOR_H

#include "base/prng.h"
#include "detect/surge.h"

#include <stdio.h>

/* A series and the incidents that A over `open_at` makes of it: opened when the evidence is
 * sustained, closed when it is calm, opened again within half an hour it is the same one. */
struct watch {
	struct surge surge;
	double open_at;
	bool open;
	int64_t closed; /* bin; valid when incidents > 0 and not open */
	int incidents;
	struct surge_reading last;
};

void watch_init(struct watch *w, const struct surge_plan *plan, double open_at);
/* True if an incident opened now. */
bool watch_step(struct watch *w, const struct surge_plan *plan, struct surge_sample sample);

/* The naive detector, a peer: mean and variance of the last 10 hours, and the chance of the
 * count or more under a negative binomial that has them. */
enum { NAIVE_SAMPLES_MAX = 600 };
struct naive {
	double counts[NAIVE_SAMPLES_MAX];
	int size, filled, at;
	double sum, square;
};
void naive_init(struct naive *n, wd_span step);
double naive_step(struct naive *n, double count); /* the chance; 1 in the first 8 samples */

/* A row of the table; a ratio of 0 prints as "-". */
void row(const char *name, const char *unit, double ours, const char *peer, double theirs,
	 double ratio);
void row_missing(const char *name, const char *unit);

/* A draw of a gamma variable of mean `shape`, for negative binomials. */
double gamma_draw(struct prng *r, double shape);

/* Opens a file of the real inputs; NULL if they are not there. */
FILE *input_open(const char *path);

void bench_downdetector(void);
void bench_mentions(void);
void bench_worlds(void);
void bench_first_days(void);
void bench_ages(void);
void bench_cost(void);

#endif
