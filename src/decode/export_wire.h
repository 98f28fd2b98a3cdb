/* SPDX-License-Identifier: Apache-2.0 */
/* export_wire: numbers in network order at checked places. Each compiles to a load and a swap.
 * Internal to the decoders of exports. */
#ifndef WD_DECODE_EXPORT_WIRE_H
#define WD_DECODE_EXPORT_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t wire_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t wire_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t wire_u64(const uint8_t *p)
{
	return (uint64_t)wire_u32(p) << 32 | wire_u32(p + 4);
}

/* The low 64 bits of any width. */
static inline uint64_t wire_uint(const uint8_t *p, size_t width)
{
	uint64_t x = 0;
	for (size_t i = 0; i < width; i++)
		x = x << 8 | p[i];
	return x;
}

#endif
