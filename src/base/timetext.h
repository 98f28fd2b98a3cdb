/* SPDX-License-Identifier: Apache-2.0 */
/* timetext: wd_wall to and from text. No time zone data is used: RFC 3339 times carry
 * their offset, and a time without one is taken as UTC. */
#ifndef WD_BASE_TIMETEXT_H
#define WD_BASE_TIMETEXT_H

#include "base/err.h"
#include "base/units.h"

#include <stddef.h>

enum { TIMETEXT_LEN_MAX = 32 };

/* "2025-03-10T09:45:00Z", or with ".123Z" when it is not a whole second (cut to ms).
 * dst holds at least TIMETEXT_LEN_MAX bytes. Years 0000 to 9999; else "invalid". */
void timetext_write(char *dst, wd_wall t);

/* How long to wait, as people say it: "1 second", "40 seconds", "3 minutes", "2 hours"; rather
 * longer than shorter. dst holds at least TIMETEXT_LEN_MAX bytes. */
void timetext_write_wait(char *dst, uint32_t seconds);

/* Reads RFC 3339 ("T" or a space between; fraction to ns; "Z", "+01:00", "+0100" or no
 * offset = UTC; seconds may be left out) or a plain decimal number of seconds since 1970. `len`
 * bytes, all of which must be used. 23:59:60 is read as the next second. at = byte offset. */
enum wd_err timetext_read(const char *text, size_t len, wd_wall *ret_t, struct wd_why *why)
	WD_MUST_CHECK;

struct civil { int year, month, day, hour, minute, second; }; /* month and day from 1 */
/* UTC calendar of t, and back (proleptic Gregorian). */
struct civil civil_of(wd_wall t);
wd_wall civil_to_wall(const struct civil *c);
/* 0 = Monday … 6 = Sunday. */
int civil_weekday(wd_wall t);

#endif
