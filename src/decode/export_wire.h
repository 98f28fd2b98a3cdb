/* SPDX-License-Identifier: Apache-2.0 */
/* export_wire: numbers in network order at checked places. Each compiles to a load and a swap.
 * Internal to the decoders of exports. */
#ifndef WD_DECODE_EXPORT_WIRE_H
#define WD_DECODE_EXPORT_WIRE_H

#include "model/flow.h"

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

/* A flow from its pattern, in seven stores: compilers make a slow string instruction of memset
 * and of memcpy here, and the pattern once more a flow of an initialiser. */
static inline void wire_flow_copy(struct flow *to, const struct flow *from)
{
	typedef uint64_t two __attribute__((vector_size(16), aligned(8), may_alias));
	two *t = (two *)(void *)to;
	const two *f = (const two *)(const void *)from;
	two a = f[0], b = f[1], c = f[2], d = f[3], e = f[4], g = f[5], h = f[6];
	_Static_assert(sizeof(*to) == 7 * sizeof(two), "all of it");
	t[0] = a;
	t[1] = b;
	t[2] = c;
	t[3] = d;
	t[4] = e;
	t[5] = g;
	t[6] = h;
}

#endif
