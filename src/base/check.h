/* SPDX-License-Identifier: Apache-2.0 */
/* check: assertions that stay on in release. Input can never fail a WD_CHECK;
 * only a bug of ours can. A failed check aborts; the supervisor restarts us. */
#ifndef WD_BASE_CHECK_H
#define WD_BASE_CHECK_H

_Noreturn void wd_check_failed(const char *condition, const char *file, int line);

#define WD_CHECK(condition)                                                                        \
	((condition) ? (void)0 : wd_check_failed(#condition, __FILE__, __LINE__))

#define WD_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
