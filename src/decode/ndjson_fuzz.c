/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a line: no crash, the same answer as jansson's, and what is accepted is
 * written and read again without a change. */
#include "decode/ndjson_reference.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ndjson line, again;
	struct buf first, second;
	char *copy;

	if (size > NDJSON_LINE_MAX || !ndjson_reference_agrees((const char *)data, size))
		return 0;
	copy = malloc(size);
	WD_CHECK(copy != NULL);
	memcpy(copy, data, size);
	WD_CHECK(ndjson_read(copy, size, &line, NULL) == WD_OK);
	buf_init(&first, 1 << 16);
	buf_init(&second, 1 << 16);
	observation_to_json(&first, &line.observation, line.received);
	size_t len;
	char *text = buf_take(&first, &len), *kept = strdup(text);
	WD_CHECK(text != NULL && kept != NULL && ndjson_read(text, len, &again, NULL) == WD_OK);
	observation_to_json(&second, &again.observation, again.received);
	WD_CHECK(strcmp(kept, second.data) == 0);
	buf_done(&second);
	free(kept);
	free(text);
	free(copy);
	return 0;
}
