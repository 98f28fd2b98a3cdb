/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(sizeof(struct hash_key) == crypto_shorthash_KEYBYTES, "SipHash takes 16 bytes");

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t hash;

	crypto_shorthash(out, bytes, len, key->bytes);
	memcpy(&hash, out, sizeof(hash));
	return hash;
}
