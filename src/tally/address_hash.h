/* SPDX-License-Identifier: Apache-2.0 */
/* address_hash: a keyed 64-bit hash of an IP address, for sketches (tally/hll.h,
 * tally/source_set.h): two or three multiplications, each 64 x 64 -> 128 bits folded in half.
 *
 * What it resists: whoever does not know the key cannot choose addresses that fall into one
 * register or that look like many or few, except with the chance that random addresses have;
 * sequential and strided addresses count like random ones (tested). What it does not: it is
 * no cryptographic hash. Who sees hashes could find the key; so a hash is never published,
 * and it hides no address. The same key gives the same hashes on every machine and after
 * every restart, so that sketches of different shards and weeks can be joined. */
#ifndef WD_TALLY_ADDRESS_HASH_H
#define WD_TALLY_ADDRESS_HASH_H

#include "base/hash.h"

#include <stdint.h>
#include <string.h>

struct address_key { uint64_t k[4]; };

/* Drawn from the secret by SipHash. */
struct address_key address_key_of(const struct hash_key *secret);

static inline uint64_t address_fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* `address` as struct flow has it: IPv4 in the first four bytes, then zeros. */
static inline uint64_t address_hash(const struct address_key *key, const uint8_t address[16],
				    uint8_t family)
{
	uint64_t low, high;
	memcpy(&low, address, sizeof(low));
	memcpy(&high, address + 8, sizeof(high));
	uint64_t h = address_fold(low ^ key->k[0], high ^ family ^ key->k[1]);
	return address_fold(h ^ key->k[2], key->k[3]);
}

#endif
