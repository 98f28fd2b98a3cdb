/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a gzip body: what comes out keeps its limit, and a larger limit changes nothing but
 * that; a smaller one refuses it. */
#include "intake/inflate.h"

#include "base/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = NULL, *again = NULL;
	size_t len = 0, again_len = 0;
	enum wd_err err = inflate_body((const char *)data, size, 1 << 16, &bytes, &len, NULL);

	if (err != WD_OK) {
		WD_CHECK(bytes == NULL && len == 0);
		return 0;
	}
	WD_CHECK(len <= 1 << 16 && bytes[len] == '\0');
	err = inflate_body((const char *)data, size, len, &again, &again_len, NULL);
	WD_CHECK(err == WD_OK && again_len == len && memcmp(bytes, again, len) == 0);
	free(again);
	if (len > 0)
		WD_CHECK(inflate_body((const char *)data, size, len - 1, &again, &again_len,
				      NULL) == WD_FULL);
	free(bytes);
	return 0;
}
