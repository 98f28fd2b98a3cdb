/* SPDX-License-Identifier: Apache-2.0 */
/* http_address: addresses and prefixes from text and from sockets, and who is the client
 * behind trusted proxies. Pure. */
#ifndef WD_PUBLISH_HTTP_ADDRESS_H
#define WD_PUBLISH_HTTP_ADDRESS_H

#include "publish/http.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct http_prefix {
	struct http_address address;
	unsigned bits; /* of the mapped form: 96 + 8 for 10.0.0.0/8 */
};

/* "192.0.2.1" or "2001:db8::1", exactly len bytes. */
bool http_address_read(const char *text, size_t len, struct http_address *ret_address);
/* The same, with or without "/bits". */
bool http_prefix_read(const char *text, struct http_prefix *ret_prefix);
bool http_prefix_has(const struct http_prefix *p, const struct http_address *a);
bool http_prefix_any(const struct http_prefix *p, size_t count, const struct http_address *a);

struct http_address http_address_of(const struct sockaddr_storage *ss);
/* "127.0.0.1:80" or "[::1]:80". */
bool http_listen_read(const char *text, struct sockaddr_storage *ret_ss, socklen_t *ret_len);

/* The last address in X-Forwarded-For (NULL = absent) that is not itself a trusted proxy;
 * peer when peer is not trusted or the field says nothing readable. */
struct http_address http_address_client(const struct http_address *peer, const char *forwarded,
					const struct http_prefix *trusted, size_t trusted_count);

#endif
