/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/json_text.h"

#include "base/text.h"

#include <string.h>

const int8_t json_hex_digits[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,	['6'] = 7,
	['7'] = 8,  ['8'] = 9,	['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14,
	['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15,
	['F'] = 16,
};

struct scan { char *at, *end; };

/* The four digits of a \u escape, or -1. */
static int32_t take_hex4(struct scan *s)
{
	int32_t code = 0;
	if (s->end - s->at < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int digit = json_hex_digit(*s->at++);
		if (digit < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

/* Writes a code point at dst, where the escape it came from left more room than it needs. */
static char *put_utf8(char *dst, uint32_t code)
{
	if (code < 0x80) {
		*dst++ = (char)code;
	} else if (code < 0x800) {
		*dst++ = (char)(0xc0 | code >> 6);
		*dst++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*dst++ = (char)(0xe0 | code >> 12);
		*dst++ = (char)(0x80 | (code >> 6 & 0x3f));
		*dst++ = (char)(0x80 | (code & 0x3f));
	} else {
		*dst++ = (char)(0xf0 | code >> 18);
		*dst++ = (char)(0x80 | (code >> 12 & 0x3f));
		*dst++ = (char)(0x80 | (code >> 6 & 0x3f));
		*dst++ = (char)(0x80 | (code & 0x3f));
	}
	return dst;
}

/* What stands after "\u", a surrogate pair as one code point. 0 if it is not one (U+0000,
 * too, which no text of ours can hold). */
static uint32_t take_code_point(struct scan *s)
{
	int32_t high = take_hex4(s);
	if (high <= 0 || (high & 0xfc00) == 0xdc00)
		return 0;
	if ((high & 0xfc00) != 0xd800)
		return (uint32_t)high;
	if (s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u')
		return 0;
	s->at += 2;
	int32_t low = take_hex4(s);
	if (low < 0 || (low & 0xfc00) != 0xdc00)
		return 0;
	return 0x10000 + ((uint32_t)(high & 0x3ff) << 10) + (uint32_t)(low & 0x3ff);
}

/* One escape, from after its backslash, to dst. */
static char *take_escape(struct scan *s, char *dst)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	if (s->at == s->end || *s->at == '\0')
		return NULL;
	char c = *s->at++;
	if (c == 'u') {
		uint32_t code = take_code_point(s);
		return code == 0 ? NULL : put_utf8(dst, code);
	}
	const char *name = strchr(names, c);
	if (name == NULL)
		return NULL;
	*dst++ = bytes[name - names];
	return dst;
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Has one of the eight bytes the value `byte`? (Sean Anderson, "Bit Twiddling Hacks".) */
static bool has_byte(uint64_t eight, uint8_t byte)
{
	uint64_t ones = UINT64_C(0x0101010101010101), x = eight ^ (ones * byte);
	return ((x - ones) & ~x & (ones << 7)) != 0;
}

/* Are the eight bytes all plain? Bytes below 0x20 and above 0x7f show in the high bit of
 * one of the two terms. */
static bool are_plain(const char *at)
{
	uint64_t eight, ones = UINT64_C(0x0101010101010101);
	memcpy(&eight, at, sizeof(eight));
	bool controls_or_high = (((eight - ones * 0x20) | eight) & (ones << 7)) != 0;
	return !controls_or_high && !has_byte(eight, '"') && !has_byte(eight, '\\') &&
	       !has_byte(eight, 0x7f);
}

/* To the closing quote; what is broken, or NULL. */
static const char *scan_text(struct scan *s, struct json_text *ret_text)
{
	char *begin = s->at, *dst;
	while (s->end - s->at >= 8 && are_plain(s->at))
		s->at += 8;
	while (s->at < s->end && is_plain(*s->at))
		s->at++;
	bool plain = s->at < s->end && *s->at == '"';
	dst = s->at;
	while (s->at < s->end && *s->at != '"') {
		if ((unsigned char)*s->at < 0x20)
			return "a control character in a string must be escaped";
		if (*s->at != '\\') {
			*dst++ = *s->at++;
			continue;
		}
		s->at++;
		dst = take_escape(s, dst);
		if (dst == NULL)
			return "the escape is none of JSON's, or U+0000, or half a surrogate pair";
	}
	if (s->at == s->end)
		return "the string does not end";
	s->at++;
	*dst = '\0'; /* at the latest on the closing quote */
	*ret_text = (struct json_text){begin, (size_t)(dst - begin), plain};
	return plain || text_is_utf8(begin, ret_text->len) ? NULL : "the string is not UTF-8";
}

bool json_text_take(char **at, char *end, struct json_text *ret_text, const char **ret_rule)
{
	if (*at == end || **at != '"')
		return false;
	struct scan s = {*at + 1, end};
	const char *rule = scan_text(&s, ret_text);
	*at = s.at;
	if (rule != NULL)
		*ret_rule = rule;
	return rule == NULL;
}
