/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/address.h"

#include <string.h>

/* One to three digits of at most 255; the place after them, or NULL. */
static const char *octet(const char *p, const char *end, uint8_t *ret)
{
	unsigned n = 0, digits = 0;

	for (; p + digits < end && p[digits] >= '0' && p[digits] <= '9' && digits < 3;)
		n = n * 10 + (unsigned)(p[digits++] - '0');
	*ret = (uint8_t)n;
	return digits > 0 && n <= 255 ? p + digits : NULL;
}

/* The same where four bytes may be read: all at once, as how many digits there are is chance, which
 * a branch would guess wrong. */
static inline const char *octet_at_once(const char *p, uint8_t *ret)
{
	uint32_t x; /* the first byte lowest */

	memcpy(&x, p, sizeof(x));
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		x = __builtin_bswap32(x);
	x ^= 0x30303030;
	uint32_t others = ((x + 0x76767676) | x | 0x80000000) & 0x80808080;
	unsigned bits = (unsigned)__builtin_ctz(others) & 24; /* eight for each digit */
	uint32_t digits = (uint32_t)((uint64_t)x << (32 - bits));
	unsigned n = (digits >> 8 & 255) * 100 + (digits >> 16 & 255) * 10 + (digits >> 24);

	*ret = (uint8_t)n;
	return bits > 0 && n <= 255 ? p + bits / 8 : NULL;
}

const char *address_octets(const char *p, const char *end, uint8_t bytes[4])
{
	if (end - p >= 16) { /* "255.255.255.255", and one more */
		for (int i = 0; i < 4; i++) {
			p = octet_at_once(p, &bytes[i]);
			if (p == NULL || (i < 3 && *p++ != '.'))
				return NULL;
		}
		return p;
	}
	for (int i = 0; i < 4; i++) {
		p = octet(p, end, &bytes[i]);
		if (p == NULL || (i < 3 && (p == end || *p++ != '.')))
			return NULL;
	}
	return p;
}

static bool is_port(const char *p, const char *end)
{
	if (p == end)
		return true;
	if (*p++ != ':' || p == end || end - p > 5)
		return false;
	for (; p < end; p++)
		if (*p < '0' || *p > '9')
			return false;
	return true;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One group of hexadecimal digits; NULL if there is none. */
static const char *group(const char *p, const char *end, uint8_t bytes[2])
{
	unsigned n = 0, digits = 0;

	for (; p < end && digits < 4 && hex_of(*p) >= 0; p++, digits++)
		n = n << 4 | (unsigned)hex_of(*p);
	bytes[0] = (uint8_t)(n >> 8);
	bytes[1] = (uint8_t)n;
	return digits > 0 ? p : NULL;
}

static bool groups(const char *p, const char *end, uint8_t bytes[16])
{
	uint8_t b[16] = {0};
	size_t n = 0, gap = SIZE_MAX;

	if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (p < end) {
		const char *after = n <= 12 ? address_octets(p, end, b + n) : NULL;
		if (after == end && (n == 12 || gap != SIZE_MAX)) {
			n += 4;
			p = end;
			break;
		}
		if (n >= 16 || (after = group(p, end, b + n)) == NULL)
			return false;
		n += 2;
		p = after;
		if (p == end)
			break;
		if (*p++ != ':' || p == end)
			return false;
		if (*p == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = n;
			p++;
		}
	}
	if (gap == SIZE_MAX ? n != 16 : n > 14)
		return false;
	memset(bytes, 0, 16);
	if (gap == SIZE_MAX)
		gap = n;
	memcpy(bytes, b, gap);
	memcpy(bytes + 16 - (n - gap), b + gap, n - gap);
	return true;
}

uint8_t address_read(const char *text, size_t len, uint8_t bytes[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const char *end = text + len, *p;
	uint8_t four[4], sixteen[16];

	if (len < 2)
		return 0;
	if ((p = address_octets(text, end, four)) != NULL && is_port(p, end)) {
		memset(bytes, 0, 16);
		memcpy(bytes, four, 4);
		return 4;
	}
	if (*text == '[') {
		const char *close = memchr(text, ']', len);
		if (close == NULL || !is_port(close + 1, end))
			return 0;
		text++;
		end = close;
	}
	if ((p = memchr(text, '%', (size_t)(end - text))) != NULL)
		end = p;
	if (!groups(text, end, sixteen))
		return 0;
	memset(bytes, 0, 16);
	if (memcmp(sixteen, mapped, sizeof(mapped)) == 0) {
		memcpy(bytes, sixteen + 12, 4);
		return 4;
	}
	memcpy(bytes, sixteen, 16);
	return 6;
}
