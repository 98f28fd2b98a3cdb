/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/words.h"

#include "base/text.h"

#include <string.h>

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
		if ((unsigned char)text[i] >= 0xc2 && text_deceives(text + i) > 0)
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
