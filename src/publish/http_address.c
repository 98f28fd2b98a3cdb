/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool http_address_is_v4(const struct http_address *a)
{
	return memcmp(a->bytes, MAPPED, sizeof(MAPPED)) == 0;
}

void http_address_text(const struct http_address *a, char dst[46])
{
	if (http_address_is_v4(a))
		inet_ntop(AF_INET, a->bytes + 12, dst, 46);
	else
		inet_ntop(AF_INET6, a->bytes, dst, 46);
}

bool http_address_read(const char *text, size_t len, struct http_address *ret_address)
{
	struct http_address a;
	char copy[46];

	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, a.bytes + 12) == 1)
		memcpy(a.bytes, MAPPED, sizeof(MAPPED));
	else if (inet_pton(AF_INET6, copy, a.bytes) != 1)
		return false;
	*ret_address = a;
	return true;
}

bool http_prefix_read(const char *text, struct http_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct http_prefix p = {.bits = 128};

	if (!http_address_read(text, len, &p.address))
		return false;
	if (slash != NULL) {
		/* "::ffff:10.0.0.0/104" is IPv6 notation: its bits are of 128. */
		unsigned offset = memchr(text, ':', len) == NULL ? 96 : 0;
		char *end;
		unsigned long bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > 128 - offset)
			return false;
		p.bits = (unsigned)bits + offset;
	}
	*ret_prefix = p;
	return true;
}

bool http_prefix_has(const struct http_prefix *p, const struct http_address *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (memcmp(p->address.bytes, a->bytes, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));
	return ((p->address.bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}

bool http_prefix_any(const struct http_prefix *p, size_t count, const struct http_address *a)
{
	for (size_t i = 0; i < count; i++)
		if (http_prefix_has(&p[i], a))
			return true;
	return false;
}

struct http_address http_address_of(const struct sockaddr_storage *ss)
{
	struct http_address a = {{0}};

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
		memcpy(a.bytes, MAPPED, sizeof(MAPPED));
		memcpy(a.bytes + 12, &in->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
		memcpy(a.bytes, &in6->sin6_addr, 16);
	}
	return a;
}

bool http_listen_read(const char *text, struct sockaddr_storage *ret_ss, socklen_t *ret_len)
{
	const char *colon = strrchr(text, ':');
	bool v6 = text[0] == '[';
	struct sockaddr_storage ss = {0};
	struct http_address a;
	char *end;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return false;
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port > 65535)
		return false;
	if (v6 && (colon == text || colon[-1] != ']'))
		return false;
	const char *host = text + v6;
	size_t host_len = (size_t)(colon - host) - v6;
	if (!http_address_read(host, host_len, &a))
		return false;
	if (v6 != (memchr(host, ':', host_len) != NULL))
		return false;
	if (v6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		memcpy(&in6->sin6_addr, a.bytes, 16);
		*ret_len = sizeof(*in6);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&ss;
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		memcpy(&in->sin_addr, a.bytes + 12, 4);
		*ret_len = sizeof(*in);
	}
	*ret_ss = ss;
	return true;
}

struct http_address http_address_client(const struct http_address *peer, const char *forwarded,
					const struct http_prefix *trusted, size_t trusted_count)
{
	struct http_address client = *peer;

	if (forwarded == NULL)
		return client;
	/* From the right: each hop is believed only as long as a trusted one wrote it. */
	const char *end = forwarded + strlen(forwarded);
	while (http_prefix_any(trusted, trusted_count, &client)) {
		const char *start = end;
		while (start > forwarded && start[-1] != ',')
			start--;
		const char *a = start, *b = end;
		while (a < b && (*a == ' ' || *a == '\t'))
			a++;
		while (b > a && (b[-1] == ' ' || b[-1] == '\t'))
			b--;
		if (!http_address_read(a, (size_t)(b - a), &client))
			break;
		if (start == forwarded)
			break;
		end = start - 1;
	}
	return client;
}
