/* SPDX-License-Identifier: Apache-2.0 */
/* unpack: a file or pipe as it was before somebody compressed it: gzip (several members, too) and
 * zstd (several frames), told by their first bytes; anything else as it is. A piece at a time, so
 * that a small file that unpacks to a huge one costs time and no memory: 256 KB, and of zstd what
 * its window needs, at most 128 MB. One thread. */
#ifndef WD_INTAKE_UNPACK_H
#define WD_INTAKE_UNPACK_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum unpack_kind { UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZSTD };

struct unpack;

/* Takes the file descriptor over, if it succeeds. */
enum wd_err unpack_open(int fd, struct unpack **ret_unpack, struct wd_why *why) WD_MUST_CHECK;
void unpack_close(struct unpack *u); /* NULL is fine */

enum unpack_kind unpack_kind(const struct unpack *u);
/* Some bytes, at most `room` (at least 1); *ret_got is 0 at the end only. WD_SHORT: the file ends
 * within what is compressed; WD_MALFORMED: it is damaged, or asks for more memory than 128 MB. */
enum wd_err unpack_read(struct unpack *u, void *dst, size_t room, size_t *ret_got,
			struct wd_why *why) WD_MUST_CHECK;
/* Bytes of the file that were read so far. */
uint64_t unpack_taken(const struct unpack *u);

#endif
