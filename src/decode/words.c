/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/words.h"

#include "base/text.h"

#include <string.h>

size_t words_deceiving(const char *text)
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

static bool words(const char *text, size_t len, size_t len_max, const char *controls)
{
	bool ascii = true;
	if (len > len_max)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x80)
			ascii = false;
		else if (c == 0 || c == 0x7f || (c < 0x20 && strchr(controls, c) == NULL))
			return false;
	}
	if (ascii)
		return true;
	if (!text_is_utf8(text, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0xc2 && words_deceiving(text + i) > 0)
			return false;
	}
	return true;
}

bool words_are_line(const char *text, size_t len, size_t len_max)
{
	return words(text, len, len_max, "");
}

bool words_are_comment(const char *text, size_t len, size_t len_max)
{
	return words(text, len, len_max, "\n\r\t");
}
