/* SPDX-License-Identifier: Apache-2.0 */
/* export_wire: what the decoders of exports read and write beside base/wire.h. */
#ifndef WD_DECODE_EXPORT_WIRE_H
#define WD_DECODE_EXPORT_WIRE_H

#include "base/wire.h"
#include "model/flow.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
