/* SPDX-License-Identifier: Apache-2.0 */
/* rows: the buckets of many services, in any order → in the order of time. 24 bytes a row, the
 * same again while they are put in order, and the names once. */
#ifndef WD_INTAKE_ROWS_H
#define WD_INTAKE_ROWS_H

#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row {
	int64_t at_ns;
	double value;     /* a count, or a metric's */
	uint32_t service; /* index */
	uint32_t line;    /* where it stands; rows of one time keep this order */
};

struct rows;

struct rows *rows_open(size_t rows_max); /* NULL if memory ran out */
void rows_close(struct rows *r);         /* NULL is fine */

/* `row` without its service, which is given by name; `step` is what the row says of its bucket's
 * width, 0 = nothing. WD_FULL at rows_max rows or SERVICES_MAX services; WD_MALFORMED, and the row
 * is not taken: another row of the service says another width. */
enum wd_err rows_add(struct rows *r, const char *service, const struct row *row, wd_span step,
		     struct wd_why *why) WD_MUST_CHECK;

/* Puts them in order: after the last rows_add, before the first rows_next. Of rows of one service
 * and time the first stays; *ret_line is where such a second one stands, 0 = there is none. */
enum wd_err rows_sort(struct rows *r, uint32_t *ret_line, struct wd_why *why) WD_MUST_CHECK;
/* NULL after the last. */
const struct row *rows_next(struct rows *r);

size_t rows_count(const struct rows *r); /* 1 or more, without those of one time */
size_t rows_dropped(const struct rows *r);
const char *rows_service(const struct rows *r, uint32_t service);
/* The width of this service's buckets: as its rows say, or else by their distances
 * (decode/widths.h); with one row only, the median of the
 * other services'; a minute if none has two. */
wd_span rows_step(const struct rows *r, uint32_t service);

#endif
