/* SPDX-License-Identifier: Apache-2.0 */
/* lines: a file (or standard input), plain or compressed (intake/unpack.h), a line at a time.
 * Memory is one buffer, taken at open, and what unpacking needs. One thread. */
#ifndef WD_INTAKE_LINES_H
#define WD_INTAKE_LINES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINES_LEN_MAX = 64 << 10 }; /* bytes of one line */

struct lines;

/* "-" is standard input. A byte-order mark at the front is passed over. */
enum wd_err lines_open(const char *path, struct lines **ret_lines,
		       struct wd_why *why) WD_MUST_CHECK;
void lines_close(struct lines *l); /* NULL is fine */

/* The next line without its line end (LF or CR LF), which may be changed and is valid until the
 * next call; *ret_line is NULL at the end. WD_MALFORMED for a line that is too long (it is
 * passed over by the next call), a file of UTF-16 or a damaged compressed file, WD_SHORT if that
 * ends early. */
enum wd_err lines_next(struct lines *l, char **ret_line, size_t *ret_len,
		       struct wd_why *why) WD_MUST_CHECK;
/* From 1: of the last line. */
uint64_t lines_number(const struct lines *l);

/* The first byte that is not white space, without moving; -1 if there is none in the first
 * LINES_LEN_MAX bytes. */
enum wd_err lines_peek(struct lines *l, int *ret_byte, struct wd_why *why) WD_MUST_CHECK;

/* How much of the file is read, 0 … 1; negative if its size is not known. */
double lines_progress(struct lines *l);

#endif
