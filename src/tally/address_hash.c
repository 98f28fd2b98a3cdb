/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/address_hash.h"

struct address_key address_key_of(const struct hash_key *secret)
{
	static const char label[] = "address";
	struct address_key key;
	for (uint8_t i = 0; i < 4; i++) {
		uint8_t text[sizeof(label)];
		memcpy(text, label, sizeof(label));
		text[sizeof(label) - 1] = i;
		/* Odd, so that no factor is 0. */
		key.k[i] = hash_bytes(secret, text, sizeof(text)) | 1;
	}
	return key;
}
