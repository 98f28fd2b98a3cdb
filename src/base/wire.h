/* SPDX-License-Identifier: Apache-2.0 */
/* wire: numbers in network order (most significant byte first), from bytes whose length the
 * caller has checked (wire_) or through a cursor that checks it (cur_be). */
#ifndef WD_BASE_WIRE_H
#define WD_BASE_WIRE_H

#include "base/bytes.h"

#include <stdint.h>
#include <string.h>

static inline uint16_t wire_u16(const uint8_t *p)
{
	uint16_t x;
	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	x = __builtin_bswap16(x);
#endif
	return x;
}

static inline uint32_t wire_u32(const uint8_t *p)
{
	uint32_t x;
	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	x = __builtin_bswap32(x);
#endif
	return x;
}

static inline uint64_t wire_u64(const uint8_t *p)
{
	return (uint64_t)wire_u32(p) << 32 | wire_u32(p + 4);
}

static inline uint32_t cur_be32(struct cur *c)
{
	const uint8_t *p = cur_bytes(c, 4);
	return p == NULL ? 0 : wire_u32(p);
}

#endif
