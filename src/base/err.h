/* SPDX-License-Identifier: Apache-2.0 */
/* err: the one error convention. A function that can fail returns `enum wd_err`,
 * hands results through `ret_` parameters that stay untouched on failure, and
 * explains itself through an optional last `struct wd_why *`. The explanation is
 * a static string, so error paths allocate nothing. */
#ifndef WD_BASE_ERR_H
#define WD_BASE_ERR_H

#include <stdint.h>

enum wd_err {
	WD_OK,
	WD_SHORT,     /* the input ends before the thing does */
	WD_MALFORMED, /* the input breaks its format's rules */
	WD_UNKNOWN,   /* well-formed, but names something we do not have */
	WD_FULL,      /* a stated limit is reached; nothing was taken */
	WD_NOMEM,
	WD_OS, /* the operating system said no: see os_errno */
};

struct wd_why {
	enum wd_err err;
	int os_errno;     /* 0 unless err is WD_OS */
	uint32_t at;      /* byte offset, line or index: the function says which */
	const char *what; /* static text: the broken rule, or what was attempted */
};

#define WD_MUST_CHECK __attribute__((warn_unused_result))

/* Fills *why when it is given; returns err, so that `return wd_fail(…)` reads well. */
enum wd_err wd_fail(struct wd_why *why, enum wd_err err, uint32_t at, const char *what);

/* The same for a failed system or library call; `os_errno` is errno as it was. */
enum wd_err wd_fail_os(struct wd_why *why, int os_errno, const char *what);

/* A short word for an error: "malformed", "full", … Never NULL. */
const char *wd_err_name(enum wd_err err);

#endif
