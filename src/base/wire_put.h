/* SPDX-License-Identifier: Apache-2.0 */
/* wire_put: numbers into bytes in network order; the caller has made the room. The reading
 * half is base/wire.h. */
#ifndef WD_BASE_WIRE_PUT_H
#define WD_BASE_WIRE_PUT_H

#include <stddef.h>
#include <stdint.h>

/* The low `len` bytes of x (1 to 8); returns what stands behind them. */
static inline uint8_t *wire_put(uint8_t *dst, uint64_t x, size_t len)
{
	for (size_t i = len; i-- > 0; x >>= 8)
		dst[i] = (uint8_t)x;
	return dst + len;
}

#endif
