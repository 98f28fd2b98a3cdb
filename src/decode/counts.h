/* SPDX-License-Identifier: Apache-2.0 */
/* counts: a CSV file (RFC 4180) of counts or of a metric → rows. The first line names the
 * columns, in any order and any case: `time` (or `timestamp`), `service`, and `reports` (a
 * whole number: counts) or `value` (a metric). A column `step` says the width of the row's bucket
 * in seconds, where it is not empty or 0. Other columns are left alone. Fields may be
 * quoted; lines end with LF or CRLF; a byte-order mark and blank lines at the end are fine.
 * A row whose number is empty says that nothing is known of that time: it is passed over.
 * Fields end with commas; with semicolons or tabs if only so the header names a column of times,
 * and then a number may have a decimal comma. Times are read as counts_time.h says: without a zone
 * they are UTC, a day alone is its midnight; they are cut to milliseconds. Whether eight digits are
 * a day or seconds since 1970, the file's first row decides. Pure; no memory is taken. */
#ifndef WD_DECODE_COUNTS_H
#define WD_DECODE_COUNTS_H

#include "base/err.h"
#include "base/units.h"
#include "model/observation.h"
#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	COUNTS_COLUMNS_MAX = 64,
	COUNTS_FIELD_MAX = 256, /* bytes of a field that is used, unquoted */
};

struct counts_options {
	const char *service;   /* for a file without that column; NULL = the column must be there */
	bool value_is_reports; /* a column `value` holds counts of reports */
};

struct counts_row {
	wd_wall at;
	const char *service; /* borrowed until the next call */
	bool metric;
	uint32_t reports; /* unless metric */
	double value;     /* if metric */
	wd_span step;     /* 0 = the row does not say */
};

struct counts {
	size_t line;   /* from 1: of the row last read, or at fault */
	size_t column; /* from 1, in bytes: where a failed call stopped */
	uint64_t gaps; /* rows passed over because their number is empty */
	/* The reader's own business: */
	const char *at, *end, *line_start;
	size_t next_line, column_count, time, service, number, step; /* SIZE_MAX = no such column */
	bool metric;
	char separator;
	enum { DAYS_UNKNOWN, DAYS_ARE_NUMBERS, DAYS_ARE_NOT } days; /* times of eight digits */
	char service_name[COUNTS_FIELD_MAX + 1];
};

/* Reads the header. The bytes are borrowed for as long as rows are read. at = line; the
 * column is in c->column. */
enum wd_err counts_begin(struct counts *c, const char *bytes, size_t len,
			 const struct counts_options *options, struct wd_why *why) WD_MUST_CHECK;

/* Does the header name a column of times? Also after counts_begin failed. */
bool counts_name_times(const struct counts *c);

/* The next row, or *ret_end. After a failure reading cannot go on. at = line. */
enum wd_err counts_next(struct counts *c, struct counts_row *ret_row, bool *ret_end,
			struct wd_why *why) WD_MUST_CHECK;

/* Goes on with more bytes of the same file, which begin at a row, also after a failure: for
 * who reads a line at a time (then a quoted field cannot hold a line end). */
void counts_more(struct counts *c, const char *bytes, size_t len);

/* The row as an observation of a bucket of that width (widths_of). Borrows what the row does. */
struct observation counts_observation(const struct counts_row *row, wd_span step);

#endif
