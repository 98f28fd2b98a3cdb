/* SPDX-License-Identifier: Apache-2.0 */
/* recording: a file of observations → observations in the order of time, each with the time at
 * which the engine's clock stood when it came in. What a file is, its content says, not its
 * name; each may be gzip.
 *
 * NDJSON (docs/formats.md) is handed out as it lies there, a line at a time; the clock is
 * `received`, or `at` where that is not stated, and never goes back.
 *
 * CSV rows (decode/counts.h) are buckets. Files are often grouped by service, so all rows are
 * read first (24 bytes a row, up to `rows_max`) and merged by time. The width of a service's
 * buckets is worked out from its rows (decode/widths.h); what is missing between them is not
 * known, which is not 0. The clock is the row's time. */
#ifndef WD_INTAKE_RECORDING_H
#define WD_INTAKE_RECORDING_H

#include "base/err.h"
#include "base/units.h"
#include "model/observation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDING_ROWS_MAX = 100000000 };

struct recording_options {
	const char *path;      /* "-" is standard input; borrowed */
	bool skip_bad;         /* lines that are wrong are counted and passed over */
	bool value_is_reports; /* a CSV column `value` holds counts of reports */
	size_t rows_max;       /* of CSV; 0 = RECORDING_ROWS_MAX */
	wd_wall from, to;      /* only what happened in [from, to); 0 = no limit */
};

struct recorded { struct observation observation; wd_wall clock; };

struct recording_counters {
	uint64_t read;    /* lines or rows that were right */
	uint64_t bad;     /* and wrong: passed over */
	uint64_t outside; /* of [from, to) */
	/* The first of the wrong ones, if any: line and column from 1, what is wrong with it. */
	uint64_t bad_line;
	uint32_t bad_column;
	const char *bad_what;
};

struct recording;

enum wd_err recording_open(const struct recording_options *options,
			   struct recording **ret_recording, struct wd_why *why) WD_MUST_CHECK;
void recording_close(struct recording *r); /* NULL is fine */

/* The next one, whose strings are borrowed until the next call; *ret_more is false (and *ret_o
 * untouched) at the end. at = column from 1, and recording_line() the line, both 0 if none. */
enum wd_err recording_next(struct recording *r, struct recorded *ret_o, bool *ret_more,
			   struct wd_why *why) WD_MUST_CHECK;

/* Is it a recording, whatever is wrong with it? That is so once a line of it, or a header that
 * names a column of times, was read. */
bool recording_is_one(const struct recording *r);
uint64_t recording_line(const struct recording *r);
const char *recording_path(const struct recording *r);
struct recording_counters recording_counters(const struct recording *r);
/* 0 … 1 of what there is to do; negative if that is not known. */
double recording_progress(struct recording *r);

#endif
