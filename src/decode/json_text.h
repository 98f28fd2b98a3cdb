/* SPDX-License-Identifier: Apache-2.0 */
/* json_text: one JSON string (RFC 8259, section 7), unescaped and ended where it stands; spaces
 * and words. For the scanners of flat objects, which know what they look for and build no tree.
 * Pure. */
#ifndef WD_DECODE_JSON_TEXT_H
#define WD_DECODE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `plain`: printable ASCII only, which needs no second look. Ended by a NUL; holds none. */
struct json_text { const char *at; size_t len; bool plain; };

/* *at stands where the opening quote should; moves it past the closing one. The bytes are changed,
 * also on failure. False and *ret_rule, what is broken at *at, in good UTF-8; where there is no
 * quote, *ret_rule and all else is left alone. A string that is not UTF-8 (text_is_utf8), or says
 * U+0000 or half a surrogate pair, is refused. */
bool json_text_take(char **at, char *end, struct json_text *ret_text, const char **ret_rule);

static inline void json_skip_space(char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n'))
		++*at;
}

/* Moves *at past `word`, or says that it is not there. */
static inline bool json_take_word(char **at, const char *end, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(end - *at) < len || memcmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

extern const int8_t json_hex_digits[256]; /* the digit's value plus 1; 0 = none */

static inline int json_hex_digit(char c) /* -1 = none */
{
	return json_hex_digits[(uint8_t)c] - 1;
}

#endif
