/* SPDX-License-Identifier: Apache-2.0 */
/* exporter: who sent a datagram of telemetry, by its address. Plain values. */
#ifndef WD_DECODE_EXPORTER_H
#define WD_DECODE_EXPORTER_H

#include "base/hash.h"

#include <stdint.h>
#include <string.h>

/* Network order, IPv4 in the first four bytes, then zeros (as in struct flow). */
struct exporter_address {
	uint8_t bytes[16];
	uint8_t family; /* 4 or 6 */
};

/* For small tables that may forget: not keyed. */
static inline uint64_t exporter_address_hash(const struct exporter_address *a)
{
	uint64_t halves[2];
	memcpy(halves, a->bytes, sizeof(halves));
	return hash_mix(halves[0] ^ hash_mix(halves[1]));
}

#endif
