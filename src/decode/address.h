/* SPDX-License-Identifier: Apache-2.0 */
/* address: an IPv4 or IPv6 address as text → bytes. */
#ifndef WD_DECODE_ADDRESS_H
#define WD_DECODE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" (which is IPv4), each also with a port
 * ("192.0.2.1:443", "[2001:db8::1]:443"), brackets or a zone ("fe80::1%eth0"). All `len` bytes
 * must be of it. Fills 16 bytes (IPv4 in the first four, then zeros); returns 4, 6, or 0 for
 * what is no address (the bytes are then left alone). */
uint8_t address_read(const char *text, size_t len, uint8_t bytes[16]);

/* "192.0.2.1" at the begin of a longer text: the place after it; NULL if none stands there. */
const char *address_octets(const char *at, const char *end, uint8_t bytes[4]);

#endif
