/* SPDX-License-Identifier: Apache-2.0 */
/* rollup: a ring of the last `count` buckets of a series, each the sum of the samples that
 * fell into it, with what was expected and the usual band. Merging buckets is exact for
 * counts and expectations; the band of a sum is that of independent samples (half-widths
 * add as squares). 20 bytes a bucket. */
#ifndef WD_TALLY_ROLLUP_H
#define WD_TALLY_ROLLUP_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/units.h"
#include "model/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rollup_cell {
	float observed, expected;
	float below2, above2; /* squares of the band's half-widths, summed */
	uint32_t samples;     /* 0 = nothing was seen */
};

struct rollup {
	wd_span step;
	int64_t last; /* number of the newest bucket (begin / step); INT64_MIN = none yet */
	uint32_t count;
	struct rollup_cell *cells; /* owned; bucket n is cells[n mod count] */
};

enum wd_err rollup_open(struct rollup *r, wd_span step, uint32_t count) WD_MUST_CHECK;
void rollup_close(struct rollup *r); /* also of a zeroed one */

/* Adds one sample of the bucket that `at` falls into. A bucket older than the ring is
 * dropped, a newer one empties what lies between. */
void rollup_add(struct rollup *r, wd_wall at, const struct point *p);

/* The bucket that holds `at`, as one sample's; false if nothing was seen in it. */
bool rollup_at(const struct rollup *r, wd_wall at, struct point *ret_point);
/* The buckets of [begin, begin + count * step) joined to `step` (a multiple of the ring's,
 * else buckets go where they begin). observed is -1 where nothing was seen. `mean` divides
 * by the number of samples: for metrics. */
void rollup_read(const struct rollup *r, wd_wall begin, wd_span step, size_t count, bool mean,
		 struct point *ret_points);

void rollup_write(const struct rollup *r, struct out *o);
/* Into an open ring of the same step and count; else c goes bad and *r is empty. */
void rollup_load(struct rollup *r, struct cur *c);

#endif
