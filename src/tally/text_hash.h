/* SPDX-License-Identifier: Apache-2.0 */
/* text_hash: a keyed 64-bit hash of a text, for counting how many different ones there are:
 * sixteen bytes a multiplication, 64 x 64 -> 128 bits folded in half. What it resists and what
 * it does not is said in tally/address_hash.h, whose key it takes. */
#ifndef WD_TALLY_TEXT_HASH_H
#define WD_TALLY_TEXT_HASH_H

#include "tally/address_hash.h"

#include <stddef.h>

static inline uint64_t text_hash(const struct address_key *key, const char *text, size_t len)
{
	uint64_t h = key->k[2] ^ len, a, b;
	const char *at = text, *end = text + len;

	for (; end - at > 16; at += 16) {
		memcpy(&a, at, 8);
		memcpy(&b, at + 8, 8);
		h = address_fold(a ^ key->k[0], b ^ h);
	}
	/* The last 1 to 16 bytes: overlapping where there are enough, so that nothing is copied
	 * by a length that the compiler does not know. */
	if (len >= 16) {
		memcpy(&a, end - 16, 8);
		memcpy(&b, end - 8, 8);
	} else if (len >= 8) {
		memcpy(&a, text, 8);
		memcpy(&b, end - 8, 8);
	} else if (len >= 4) {
		uint32_t low, high;
		memcpy(&low, text, 4);
		memcpy(&high, end - 4, 4);
		a = low;
		b = high;
	} else {
		a = len > 0 ? (uint64_t)(uint8_t)text[0] << 16 |
				      (uint64_t)(uint8_t)text[len / 2] << 8 | (uint8_t)end[-1]
			    : 0;
		b = 0;
	}
	h = address_fold(a ^ key->k[0], b ^ h);
	return address_fold(h ^ key->k[1], key->k[3]);
}

#endif
