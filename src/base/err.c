/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stddef.h>

enum wd_err wd_fail(struct wd_why *why, enum wd_err err, uint32_t at, const char *what)
{
	if (why != NULL)
		*why = (struct wd_why){.err = err, .at = at, .what = what};
	return err;
}

enum wd_err wd_fail_os(struct wd_why *why, int os_errno, const char *what)
{
	if (why != NULL)
		*why = (struct wd_why){.err = WD_OS, .os_errno = os_errno, .what = what};
	return WD_OS;
}

const char *wd_err_name(enum wd_err err)
{
	switch (err) {
	case WD_OK: return "ok";
	case WD_SHORT: return "short";
	case WD_MALFORMED: return "malformed";
	case WD_UNKNOWN: return "unknown";
	case WD_FULL: return "full";
	case WD_NOMEM: return "out of memory";
	case WD_OS: return "system error";
	}
	return "invalid error code";
}
