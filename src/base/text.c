/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* Length of the sequence that starts at p (left bytes remain); 0 if it is not one. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	if (p[0] < 0x80)
		return p[0] == 0 ? 0 : 1;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < len)
		return 0;
	uint32_t code = p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	bool surrogate = code >= 0xd800 && code <= 0xdfff;
	bool nonchar = (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
	if (code < least[len] || code > 0x10ffff || surrogate || nonchar)
		return 0;
	return len;
}

bool text_is_utf8(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	for (size_t at = 0; at < len;) {
		size_t step = utf8_sequence(p + at, len - at);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

size_t text_deceives(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (p[0] == 0xc2) /* U+0080 to U+009F: controls */
		return p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
	/* U+2028 to U+202E: separators, overrides; U+2066 to U+2069: isolates; U+FEFF */
	bool turns = p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae;
	bool isolates = p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
	bool mark = p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
	return turns || isolates || mark ? 3 : 0;
}

size_t text_character(const char *text, bool *ret_plain)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = utf8_sequence(p, 4);

	*ret_plain = len > 1 ? text_deceives(text) == 0 : len == 1 && *p >= ' ' && *p != 0x7f;
	return len > 0 ? len : 1;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Of an ASCII character as UTF-16 the other byte is 0. */
static bool is_wide(char zero, char letter) { return zero == 0 && letter >= ' ' && letter <= '~'; }

bool text_begins_utf16(const char *bytes, size_t len)
{
	if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
		return true;
	return len >= 4 && ((is_wide(bytes[0], bytes[1]) && is_wide(bytes[2], bytes[3])) ||
			    (is_wide(bytes[1], bytes[0]) && is_wide(bytes[3], bytes[2])));
}

bool text_is_id(const char *text, size_t len, size_t len_max)
{
	if (len == 0 || len > len_max || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(text[i]) && text[i] != '.' && text[i] != '_' && text[i] != '-')
			return false;
	}
	return true;
}

bool text_copy(char *dst, size_t dst_size, const char *src)
{
	size_t len = strlen(src);
	bool whole = len < dst_size;
	if (!whole) {
		len = dst_size - 1;
		while (len > 0 && ((unsigned char)src[len] & 0xc0) == 0x80)
			len--; /* src[len] continues a sequence: leave the whole of it out */
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
	return whole;
}

char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_same_nocase(const char *a, const char *b)
{
	while (*a != '\0' && text_lower(*a) == text_lower(*b)) {
		a++;
		b++;
	}
	return *a == '\0' && *b == '\0';
}
