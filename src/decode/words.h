/* SPDX-License-Identifier: Apache-2.0 */
/* words: what text from outside may hold before it stands on a page, whoever sent it.
 * Refused everywhere: bad UTF-8, control characters, and what makes text look different
 * from what it is (bidirectional overrides, line separators, byte-order marks). */
#ifndef WD_DECODE_WORDS_H
#define WD_DECODE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* One line of text: a name, a place. Empty is fine. */
bool words_are_line(const char *text, size_t len, size_t len_max);
/* The same with line ends and tabs: a comment. */
bool words_are_comment(const char *text, size_t len, size_t len_max);

#endif
