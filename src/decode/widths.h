/* SPDX-License-Identifier: Apache-2.0 */
/* widths: how wide the buckets of each service are, worked out from the times of its rows,
 * for files that do not say. It is the most frequent distance between neighbouring rows if
 * a quarter of them agree and nine tenths are multiples of it (so rows that were left out
 * because nothing was reported do no harm, nor one that stands wrong). Of a file with few rows,
 * where that may be several buckets, it is the greatest common divisor of the distances, if that
 * is a width that somebody chose (ten seconds or more, a part of a day or whole days), and either
 * two rows are that near, or the distances are scattered as rows left out scatter them. Else
 * times jitter, and it is the most frequent distance if a quarter agree, or the median. The first
 * WIDTHS_GAPS distances of a service are looked at. */
#ifndef WD_DECODE_WIDTHS_H
#define WD_DECODE_WIDTHS_H

#include "base/err.h"
#include "base/units.h"

#include <stddef.h>

enum { WIDTHS_GAPS = 63 };

struct widths;

enum wd_err widths_open(size_t services_max, struct widths **ret_widths) WD_MUST_CHECK;
void widths_close(struct widths *w);

/* A row of that service. Rows of one service come in rising time; a row that goes back, or
 * is more than OBSERVATION_STEP_MAX_S after the last, tells nothing. WD_FULL: one service
 * too many. */
enum wd_err widths_add(struct widths *w, const char *service, wd_wall at) WD_MUST_CHECK;

/* 0 if fewer than two rows were told. */
wd_span widths_of(const struct widths *w, const char *service);

#endif
