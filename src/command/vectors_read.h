/* SPDX-License-Identifier: Apache-2.0 */
/* vectors_read: the bytes of a file of vectors (data/vectors.yaml; docs/vectors.md) in, rows
 * out. Pure. */
#ifndef WD_COMMAND_VECTORS_READ_H
#define WD_COMMAND_VECTORS_READ_H

#include "base/err.h"
#include "config/problems.h"
#include "model/vector.h"

#include <stddef.h>

/* Adds the file's rows to the book; a row whose id is there already takes its place. What
 * is wrong is told in `problems` with its line, all of it (up to their maximum), and then
 * the book is left as it was: WD_MALFORMED; WD_NOMEM. */
enum wd_err vectors_read(const char *file, const char *bytes, size_t len, struct vector_book *book,
			 struct problems *problems) WD_MUST_CHECK;

/* The rows that come with the program, which are in it. */
void vectors_builtin(struct vector_book *ret_book);

#endif
