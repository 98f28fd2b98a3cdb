/* SPDX-License-Identifier: Apache-2.0 */
#include "command/usage.h"

#include <stdio.h>

int usage_wrong(const char *command, const char *what)
{
	if (what != NULL)
		fprintf(stderr, "whydown %s: %s\n", command, what);
	fprintf(stderr, "`whydown %s --help` tells how it is used\n", command);
	return 2;
}
