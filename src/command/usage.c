/* SPDX-License-Identifier: Apache-2.0 */
#include "command/usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int usage_wrong(const char *command, const char *what)
{
	if (what != NULL)
		fprintf(stderr, "whydown %s: %s\n", command, what);
	fprintf(stderr, "`whydown %s --help` tells how it is used\n", command);
	return 2;
}

bool usage_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_n)
{
	char *end;
	errno = 0;
	uint64_t n = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || n < least || n > most)
		return false;
	*ret_n = n;
	return true;
}
