/* SPDX-License-Identifier: Apache-2.0 */
/* hash: for tables that hostile input may fill. SipHash-2-4 (libsodium) under a key
 * the caller draws once, so that nobody outside can aim at one bucket. hash_mix is
 * for integers of our own making. */
#ifndef WD_BASE_HASH_H
#define WD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key { uint8_t bytes[16]; };

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len);

/* Murmur3's 64-bit finaliser: a bijection whose every output bit depends on every
 * input bit. */
static inline uint64_t hash_mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	x ^= x >> 33;
	return x;
}

#endif
