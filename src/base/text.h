/* SPDX-License-Identifier: Apache-2.0 */
/* text: checks on text that came from outside. */
#ifndef WD_BASE_TEXT_H
#define WD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF),
 * without NUL and without noncharacters (U+FFFE, U+FFFF …), which XML cannot carry. */
bool text_is_utf8(const char *bytes, size_t len);

/* Bytes of the character at `text` if it has more than one and makes text look different from what
 * it is, or steers what shows it: C1 controls, separators of lines, embeddings, overrides and
 * isolates of the direction of writing, a byte-order mark. Else 0. Reads no further than a 0
 * byte. */
size_t text_deceives(const char *text);

/* Bytes of the character at `text`, which is not its end; 1 if there is none. *ret_plain: it may be
 * shown in a line, for nothing of it moves a terminal. Reads no further than a 0 byte. */
size_t text_character(const char *text, bool *ret_plain);

/* Begins with the byte-order mark of UTF-16, as what some editors call "Unicode" does, or without
 * one with two ASCII characters that are two bytes each. */
bool text_begins_utf16(const char *bytes, size_t len);
#define TEXT_UTF16 "the file is UTF-16: save it as UTF-8"

/* An identifier: 1 to len_max of a-z 0-9 and, not first or last, . _ - */
bool text_is_id(const char *text, size_t len, size_t len_max);

/* Copies src into dst of dst_size bytes, cut at a UTF-8 boundary, always ended.
 * False if it was cut. dst_size is at least 1. */
bool text_copy(char *dst, size_t dst_size, const char *src);

/* ASCII case folding, for names and aliases. */
char text_lower(char c);
bool text_same_nocase(const char *a, const char *b);

#endif
