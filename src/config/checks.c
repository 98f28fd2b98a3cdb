/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

enum { ADDRESS_LEN_MAX = INET6_ADDRSTRLEN };

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (text_lower(c) >= 'a' && text_lower(c) <= 'z');
}

/* Decimal digits without a needless 0 in front, at most `max`. */
static bool is_number(const char *text, unsigned max)
{
	unsigned n = 0;
	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (unsigned)(*text - '0');
		if (n > max)
			return false;
	}
	return true;
}

bool is_line(const char *text, size_t len_max)
{
	size_t len = strlen(text);
	if (len == 0 || len > len_max || text[0] == ' ' || text[len - 1] == ' ')
		return false;
	bool plain = true;
	for (const char *c = text; *c != '\0' && plain;)
		c += text_character(c, &plain);
	return plain;
}

/* Copies the len bytes at `from` if they can be an address at all. */
static bool cut(char dst[ADDRESS_LEN_MAX], const char *from, size_t len)
{
	if (len >= ADDRESS_LEN_MAX)
		return false;
	memcpy(dst, from, len);
	dst[len] = '\0';
	return true;
}

/* The address as bytes; 4, 16 or 0 (it is none). */
static size_t address_bytes(const char *text, unsigned char bytes[16])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

/* Letters, digits and hyphens between dots; at most 253 bytes. */
static bool is_host_name(const char *text, size_t len)
{
	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = i == 0 || i + 1 == len || text[i - 1] == '.' || text[i + 1] == '.';
		if (!is_alnum(text[i]) && (edge || (text[i] != '-' && text[i] != '.')))
			return false;
	}
	return true;
}

/* host or host:port, host being a name, an IPv4 address or an IPv6 one in brackets. */
static bool is_authority(const char *text, size_t len)
{
	char host[ADDRESS_LEN_MAX], port[8] = "0";
	unsigned char bytes[16];
	const char *colon;
	bool host_fits;

	if (text[0] == '[') {
		const char *end = memchr(text, ']', len);
		if (end == NULL || !cut(host, text + 1, (size_t)(end - text - 1)))
			return false;
		colon = end + 1;
		host_fits = address_bytes(host, bytes) == 16;
	} else {
		colon = memchr(text, ':', len);
		colon = colon == NULL ? text + len : colon;
		host_fits = is_host_name(text, (size_t)(colon - text));
	}
	size_t rest = len - (size_t)(colon - text);
	if (rest > 0) {
		if (*colon != ':' || rest > sizeof(port))
			return false;
		memcpy(port, colon + 1, rest - 1);
		port[rest - 1] = '\0';
	}
	return host_fits && is_number(port, 65535);
}

bool is_http_url(const char *text, size_t len_max)
{
	if (strlen(text) > len_max || strchr(text, '\\') != NULL)
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("\"<>`{}|^", *c) != NULL)
			return false;
	}
	if (strncmp(text, "https://", 8) == 0)
		text += 8;
	else if (strncmp(text, "http://", 7) == 0)
		text += 7;
	else
		return false;
	return is_authority(text, strcspn(text, "/?#"));
}

bool is_mail(const char *text, size_t len_max)
{
	const char *at = strchr(text, '@');
	return at != NULL && at != text && is_line(text, len_max) &&
	       text[strcspn(text, " \"'<>(),:;\\")] == '\0' && is_host_name(at + 1, strlen(at + 1));
}

bool is_listen(const char *text)
{
	char address[ADDRESS_LEN_MAX];
	unsigned char bytes[16];
	const char *colon = strrchr(text, ':');

	if (colon == NULL || !is_number(colon + 1, 65535))
		return false;
	size_t len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
		return cut(address, text + 1, len - 2) && address_bytes(address, bytes) == 16;
	return cut(address, text, len) && address_bytes(address, bytes) == 4;
}

/* Of an address of `size` bytes: nothing behind the first `bits`. */
static bool is_clear_behind(const unsigned char *bytes, size_t size, unsigned bits)
{
	for (unsigned bit = bits; bit < size * 8; bit++) {
		if (bytes[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

bool block_read(const char *text, struct address_block *ret_block)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	char address[ADDRESS_LEN_MAX];
	struct address_block b = {{0}};
	size_t len = strcspn(text, "/");
	size_t size = cut(address, text, len) ? address_bytes(address, b.address) : 0;
	unsigned bits = (unsigned)size * 8;

	if (size == 0)
		return false;
	if (text[len] == '/') {
		if (!is_number(text + len + 1, bits))
			return false;
		bits = 0;
		for (const char *c = text + len + 1; *c != '\0'; c++)
			bits = bits * 10 + (unsigned)(*c - '0');
	}
	if (!is_clear_behind(b.address, size, bits))
		return false;
	if (size == 16 && bits >= 96 && memcmp(b.address, mapped, sizeof(mapped)) == 0) {
		memmove(b.address, b.address + 12, 4);
		memset(b.address + 4, 0, 12);
		size = 4;
		bits -= 96;
	}
	b.family = size == 4 ? 4 : 6;
	b.bits = (uint8_t)bits;
	*ret_block = b;
	return true;
}

bool is_prefix(const char *text)
{
	struct address_block block;
	return block_read(text, &block);
}

bool is_host(const char *text)
{
	return is_host_name(text, strlen(text));
}

bool is_token(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(text[i]) && (text[i] == '\0' || strchr("-._~+/", text[i]) == NULL))
			return false;
	}
	return len > 0;
}

bool is_zone_name(const char *text, size_t len_max)
{
	size_t len = strlen(text);
	if (len == 0 || len > len_max || !is_alnum(text[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(text[i]) && strchr("_+-/", text[i]) == NULL)
			return false;
	}
	return true;
}
