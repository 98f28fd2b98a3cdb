/* SPDX-License-Identifier: Apache-2.0 */
/* chart_bytes: an incident's chart as the store keeps it: u8 version (1) · i64 begin ns · i64
 * step ns · u32 count · count x 4 x f32 (observed, expected, low, high). */
#ifndef WD_COMMAND_CHART_BYTES_H
#define WD_COMMAND_CHART_BYTES_H

#include "base/bytes.h"
#include "base/err.h"
#include "model/snapshot.h"

enum { CHART_POINTS_MAX = 4096 };

void chart_write(const struct series *s, struct out *o);
/* Caller frees ret_series->points. */
enum wd_err chart_read(const uint8_t *bytes, size_t len, struct series *ret_series,
		       struct wd_why *why) WD_MUST_CHECK;

#endif
