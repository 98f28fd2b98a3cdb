/* SPDX-License-Identifier: Apache-2.0 */
/* counts_time: the times that stand in people's files of counts, where they can mean only one
 * thing. Beside RFC 3339 and seconds since 1970 (base/timetext.h): milliseconds, microseconds and
 * nanoseconds since 1970, told by their digits (12 or 13, 15 or 16, 18 or 19: the years 1973 to
 * 2200); 20250310T0945Z and 20250310094500; 2025/03/10; 10.03.2025; a day or an hour alone; a zone
 * after a blank, as +01 or as UTC, as databases write it. Without a zone it is UTC. Not read is
 * 03/10/2025, which is March to some and October to others. Pure. */
#ifndef WD_DECODE_COUNTS_TIME_H
#define WD_DECODE_COUNTS_TIME_H

#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>

/* Is it eight digits that are a day, as 20250310? They might be seconds since 1970, too: who reads
 * a file asks this of its first row. */
bool counts_time_is_day_number(const char *text, size_t len);

/* day_numbers: eight digits are a day. `why` says what would be right (at is not set). */
enum wd_err counts_time_read(const char *text, size_t len, bool day_numbers, wd_wall *ret_at,
			     struct wd_why *why) WD_MUST_CHECK;

#endif
