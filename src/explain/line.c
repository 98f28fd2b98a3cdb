/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/line.h"

#include <string.h>

static void add(struct line *l, const char *text, size_t len)
{
	size_t room = l->size - l->used - 1;
	len = len < room ? len : room;
	memcpy(l->dst + l->used, text, len);
	l->used += len;
	l->dst[l->used] = '\0';
}

void line_text(struct line *l, const char *text)
{
	add(l, text, strlen(text));
}

void line_number(struct line *l, uint64_t n)
{
	char digits[20], *at = digits + sizeof(digits);
	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	add(l, at, (size_t)(digits + sizeof(digits) - at));
}

void line_hex(struct line *l, unsigned n, size_t least)
{
	char digits[8], *at = digits + sizeof(digits);
	while (n > 0 || at > digits + sizeof(digits) - least) {
		*--at = "0123456789abcdef"[n % 16];
		n /= 16;
	}
	add(l, at, (size_t)(digits + sizeof(digits) - at));
}
