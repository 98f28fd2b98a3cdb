/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void wd_check_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "whydown: bug: %s does not hold at %s:%d\n", condition, file, line);
	abort();
}
