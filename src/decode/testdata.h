/* SPDX-License-Identifier: Apache-2.0 */
/* testdata: real inputs, for tests: files of $WHYDOWN_TEST_DATA, or of ../shared/data from the
 * project's root. Where a file is not there, the test says so and goes on without. */
#ifndef WD_DECODE_TESTDATA_H
#define WD_DECODE_TESTDATA_H

#include <stddef.h>
#include <stdint.h>

/* The caller frees. NULL, with a line that says so, if the file is not there. */
uint8_t *testdata_load(const char *name, size_t *ret_len);
/* Every file below a folder, in the order of their names; returns how many there were. */
size_t testdata_each(const char *folder,
		     void (*visit)(void *context, const char *path, const uint8_t *bytes,
				   size_t len),
		     void *context);

#endif
