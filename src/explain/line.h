/* SPDX-License-Identifier: Apache-2.0 */
/* line: text into a given place, cut at its end: what is written for every open incident about
 * once a second, without printf's reading of formats. */
#ifndef WD_EXPLAIN_LINE_H
#define WD_EXPLAIN_LINE_H

#include <stddef.h>
#include <stdint.h>

struct line { char *dst; size_t size, used; }; /* used < size: a NUL follows */

static inline struct line line_at(char *dst, size_t size)
{
	dst[0] = '\0';
	return (struct line){dst, size, 0};
}

void line_text(struct line *l, const char *text);
void line_number(struct line *l, uint64_t n);
/* At least so many digits. */
void line_hex(struct line *l, unsigned n, size_t least);

#endif
