/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are rows or refused with a problem; what was read compiles. */
#include "base/check.h"
#include "command/vectors_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vector_book book;
	static struct vector_classes classes;
	struct problems p;

	book.count = 0;
	problems_init(&p);
	enum wd_err err = vectors_read("v", (const char *)data, size, &book, &p);
	WD_CHECK((err == WD_OK) == (p.errors == 0));
	WD_CHECK(err == WD_OK || book.count == 0);
	problems_done(&p);
	if (err == WD_OK) {
		vector_book_compile(&book, &classes);
		WD_CHECK(classes.count <= VECTOR_CLASSES_MAX);
	}
	return 0;
}
