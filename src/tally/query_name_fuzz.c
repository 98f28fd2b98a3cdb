/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a DNS query: what is told of a name is told of every longer message that begins the
 * same, and upper case changes nothing. */
#include "base/check.h"
#include "tally/query_name.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_LOOKED_AT = 600 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct query_name whole = {0, 0}, part;

	if (size > SIZE_MAX_LOOKED_AT)
		return 0;
	bool told = query_name_read(data, size, &whole);
	WD_CHECK(!told || whole.name != 0);
	for (size_t len = 0; len <= size; len++) {
		uint8_t *exact = malloc(len + 1); /* so that the sanitizer sees a read past it */
		if (exact == NULL)
			abort();
		memcpy(exact + 1, data, len);
		if (query_name_read(exact + 1, len, &part))
			WD_CHECK(told && part.name == whole.name && part.zone == whole.zone);
		free(exact);
	}
	return 0;
}
