/* SPDX-License-Identifier: Apache-2.0 */
/* logtail: a log file as it grows, a line at a time, across rotation. Asked again and again
 * (logtail_poll, every quarter of a second or so) it looks with stat, which also works where no
 * kernel tells of changes (network file systems, overlays):
 *
 * - renamed and made anew: the old file is read on until nobody has written to it for
 *   LOGTAIL_LINGER, because writers go on for a while; then the new one from its start;
 * - copied and truncated: seen by its size, or by the bytes before the place we are at being
 *   others than those we read; reading goes on from the start;
 * - not there (yet): asked for again each time.
 *
 * A line is handed on when its end is there. One longer than LOGTAIL_LINE_MAX is handed on cut and
 * counted, its rest passed over. One thread; memory is one buffer. */
#ifndef WD_INTAKE_LOGTAIL_H
#define WD_INTAKE_LOGTAIL_H

#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOGTAIL_LINE_MAX = 64 << 10, /* bytes */
	LOGTAIL_POLL_MAX = 16 << 20, /* bytes a call reads: then others get their turn */
};
#define LOGTAIL_LINGER (WD_NS_PER_S)

struct logtail;

struct logtail_counters {
	uint64_t bytes, lines;
	uint64_t cut;       /* lines longer than the maximum */
	uint64_t rotations; /* new files under the name */
	uint64_t truncated; /* times that the file began anew */
	uint64_t errors;    /* reads that failed */
};

enum logtail_from {
	LOGTAIL_END,   /* only what is written from now on */
	LOGTAIL_BEGIN, /* the whole file, too */
};

/* The file need not be there: one that is made later is read from its start. */
enum wd_err logtail_open(const char *path, enum logtail_from from, struct logtail **ret_tail,
			 struct wd_why *why) WD_MUST_CHECK;
void logtail_close(struct logtail *t); /* NULL is fine */

/* Hands on the lines that have come, without their LF or CR LF; a line is valid during the call.
 * Returns true if there may be more right now. */
bool logtail_poll(struct logtail *t, wd_mono now,
		  void (*line)(void *context, const char *text, size_t len), void *context);

struct logtail_counters logtail_counters(const struct logtail *t);
bool logtail_is_there(const struct logtail *t); /* the file could be opened */

#endif
