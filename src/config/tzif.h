/* SPDX-License-Identifier: Apache-2.0 */
/* tzif: a compiled time zone file in, the table of its offsets over some years out. Pure.
 * Read rather than asked of the C library, whose zone is one for the whole process and
 * cannot be changed safely while threads run.
 * Source: RFC 8536; for the rule at its end, POSIX.1 "TZ" with RFC 8536 section 3.3.1. */
#ifndef WD_CONFIG_TZIF_H
#define WD_CONFIG_TZIF_H

#include "base/err.h"
#include "model/zone.h"

#include <stddef.h>
#include <stdint.h>

enum { TZIF_BYTES_MAX = 1 << 20, TZIF_YEAR_FIRST = 2015, TZIF_YEAR_LAST = 2040 };

/* Changes of offset from the begin of TZIF_YEAR_FIRST to the end of TZIF_YEAR_LAST. Leaves
 * ret_zone->name alone. WD_FULL if there are more than ZONE_CHANGES_MAX. at = byte offset. */
enum wd_err tzif_read(const uint8_t *bytes, size_t len, struct zone *ret_zone, struct wd_why *why)
	WD_MUST_CHECK;

#endif
