/* SPDX-License-Identifier: Apache-2.0 */
/* spool: a file as bytes in memory, for a reader that goes through it once: mapped if it is plain;
 * if it is compressed (intake/unpack.h), unpacked ahead of the reader and given back behind it, so
 * that only what is being looked at takes memory, whatever the file unpacks to. */
#ifndef WD_INTAKE_SPOOL_H
#define WD_INTAKE_SPOOL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPOOL_AHEAD_MAX = 64 << 20 }; /* unpacked bytes ahead of what was given back */

struct spool {
	const uint8_t *bytes; /* from the file's begin */
	size_t len;           /* that there are so far */
	bool whole;           /* there are no more */
	int64_t changed_s;    /* when the file was last changed, since 1970 */
	/* The spool's own business: */
	struct unpack *unpack; /* NULL: mapped */
	size_t reserved, given_back, file_len;
};

/* WD_UNKNOWN: not a file; WD_SHORT: it is empty. */
enum wd_err spool_open(struct spool *s, const char *path, struct wd_why *why) WD_MUST_CHECK;
void spool_close(struct spool *s); /* zeros are fine */

/* At least `len` bytes from the begin on, if the file has them. WD_FULL: that is more than
 * SPOOL_AHEAD_MAX ahead. Others as unpack_read: what came before them is there. */
enum wd_err spool_need(struct spool *s, size_t len, struct wd_why *why) WD_MUST_CHECK;
/* Bytes before `at` are not looked at any more, but for the first page. */
void spool_give_back(struct spool *s, size_t at);
double spool_progress(const struct spool *s, size_t at); /* 0 … 1 */

#endif
