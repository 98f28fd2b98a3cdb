/* SPDX-License-Identifier: Apache-2.0 */
/* checks: is this text what it should be? Pure; addresses are never looked up. */
#ifndef WD_CONFIG_CHECKS_H
#define WD_CONFIG_CHECKS_H

#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>

/* One line people can read: UTF-8 without control characters and without what makes text look
 * different from what it is (text_character), spaces only inside, 1 to len_max bytes. */
bool is_line(const char *text, size_t len_max);

/* http:// or https://, a host (name, IPv4 or [IPv6]), perhaps a port, perhaps a path;
 * no user, no spaces; at most len_max bytes. */
bool is_http_url(const char *text, size_t len_max);

/* "name@host", no spaces. */
bool is_mail(const char *text, size_t len_max);

/* "127.0.0.1:8080" or "[::1]:8080": an IP address, not a name, and a port (0 = any). */
bool is_listen(const char *text);

/* "10.1.2.3", "10.0.0.0/8", "2001:db8::/32": no bit set behind the prefix. */
bool is_prefix(const char *text);
/* The same, as a block; an IPv6 one that is IPv4 inside (::ffff:192.0.2.0/120) as IPv4. */
bool block_read(const char *text, struct address_block *ret_block);

/* Letters, digits and hyphens between dots; at most 253 bytes. */
bool is_host(const char *text);

/* Characters of a bearer token (RFC 6750 section 2.1: b64token). */
bool is_token(const char *text, size_t len);

/* Shaped like a name of the tz database: no way out of its folder. */
bool is_zone_name(const char *text, size_t len_max);

#endif
