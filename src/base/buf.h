/* SPDX-License-Identifier: Apache-2.0 */
/* buf: text that grows up to a stated maximum. Errors stick: after the first
 * failure every append does nothing, so that a page is written without a check a
 * line and judged once at the end. */
#ifndef WD_BASE_BUF_H
#define WD_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* owned; NUL-terminated whenever it is not NULL */
	size_t len; /* without the NUL */
	size_t cap;
	size_t len_max;
	bool bad; /* the maximum or the memory ran out; data is cut and must not be used */
};

void buf_init(struct buf *b, size_t len_max);
void buf_done(struct buf *b);
/* Empties it and forgets the error; keeps the memory. */
void buf_reset(struct buf *b);
/* Takes the text out (caller frees), leaving an empty buf. NULL if it went bad. */
char *buf_take(struct buf *b, size_t *ret_len);

void buf_add(struct buf *b, const char *bytes, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t n); /* decimal, without printf */

/* The text with what its place forbids replaced: HTML text and attributes, XML
 * (which also cannot hold most control characters: they become U+FFFD), a JSON
 * string without its quotes, one CSV field with its quotes where needed (a leading
 * = + - @ gets an apostrophe, so that no spreadsheet runs it), and one query value. */
void buf_html(struct buf *b, const char *text);
void buf_xml(struct buf *b, const char *text);
void buf_json(struct buf *b, const char *text);
void buf_csv(struct buf *b, const char *text);

#endif
