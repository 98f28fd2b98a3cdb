/* SPDX-License-Identifier: Apache-2.0 */
/* inflate: a body that was sent as gzip (RFC 1952), as it was before, up to a stated size. It is
 * unpacked a piece at a time into memory that grows with what has come out, so a small body that
 * would become a huge one costs no more than the largest that may be sent plain. That bounds the
 * ratio, too: deflate reaches 1032 at most, and lines that repeat themselves come near a hundred,
 * so a limit of its own would only refuse what is good. */
#ifndef WD_INTAKE_INFLATE_H
#define WD_INTAKE_INFLATE_H

#include "base/err.h"

#include <stddef.h>

/* The bytes of all members, one after the other, and a NUL behind them; the caller frees them.
 * WD_FULL: they would be more than `max`; WD_SHORT: the body ends within a member, or has none;
 * WD_MALFORMED: it is damaged, or something else stands behind a member; WD_NOMEM. */
enum wd_err inflate_body(const char *body, size_t len, size_t max, char **ret_bytes,
			 size_t *ret_len, struct wd_why *why) WD_MUST_CHECK;

#endif
