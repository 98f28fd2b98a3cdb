/* SPDX-License-Identifier: Apache-2.0 */
/* bytes: little-endian reading and writing of our own binary forms, with errors that stick.
 *
 * struct cur reads: past the end it goes bad, stays bad, and every read gives 0; the reader
 * checks once a record. struct out writes into memory that grows up to a maximum; the
 * writer checks once at the end. No length is used before it is compared with what is left. */
#ifndef WD_BASE_BYTES_H
#define WD_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cur { const uint8_t *start, *at, *end; bool bad; };

static inline struct cur cur_over(const uint8_t *bytes, size_t len)
{
	return (struct cur){bytes, bytes, bytes + len, false};
}

static inline size_t cur_left(const struct cur *c) { return c->bad ? 0 : (size_t)(c->end - c->at); }
static inline size_t cur_offset(const struct cur *c) { return (size_t)(c->at - c->start); }

/* The next len bytes, or NULL (and bad from here on). */
static inline const uint8_t *cur_bytes(struct cur *c, size_t len)
{
	if (c->bad || (size_t)(c->end - c->at) < len) {
		c->bad = true;
		return NULL;
	}
	const uint8_t *p = c->at;
	c->at += len;
	return p;
}

/* Copies len bytes out; zeros when bad, so that nothing is left uninitialised. */
static inline void cur_copy(struct cur *c, void *dst, size_t len)
{
	const uint8_t *p = cur_bytes(c, len);
	if (p != NULL)
		memcpy(dst, p, len);
	else
		memset(dst, 0, len);
}

static inline uint8_t cur_u8(struct cur *c) { uint8_t x; cur_copy(c, &x, sizeof(x)); return x; }

static inline uint64_t cur_uint(struct cur *c, size_t len)
{
	uint8_t b[8] = {0};
	uint64_t x = 0;
	cur_copy(c, b, len);
	for (size_t i = len; i-- > 0;)
		x = x << 8 | b[i];
	return x;
}

static inline uint16_t cur_u16(struct cur *c) { return (uint16_t)cur_uint(c, 2); }
static inline uint32_t cur_u32(struct cur *c) { return (uint32_t)cur_uint(c, 4); }
static inline uint64_t cur_u64(struct cur *c) { return cur_uint(c, 8); }
static inline int64_t cur_i64(struct cur *c) { return (int64_t)cur_uint(c, 8); }
static inline float cur_f32(struct cur *c)
{
	uint32_t bits = cur_u32(c);
	float x;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

struct out { uint8_t *bytes; size_t len, cap, len_max; bool bad; };

void out_init(struct out *o, size_t len_max);
void out_done(struct out *o);
/* Room for len more bytes, already counted as written; NULL if it went bad. */
uint8_t *out_room(struct out *o, size_t len);

static inline void out_bytes(struct out *o, const void *src, size_t len)
{
	uint8_t *p = out_room(o, len);
	if (p != NULL && len > 0)
		memcpy(p, src, len);
}

static inline void out_uint(struct out *o, uint64_t x, size_t len)
{
	uint8_t *p = out_room(o, len);
	for (size_t i = 0; p != NULL && i < len; i++)
		p[i] = (uint8_t)(x >> (8 * i));
}

static inline void out_u8(struct out *o, uint8_t x) { out_uint(o, x, 1); }
static inline void out_u16(struct out *o, uint16_t x) { out_uint(o, x, 2); }
static inline void out_u32(struct out *o, uint32_t x) { out_uint(o, x, 4); }
static inline void out_u64(struct out *o, uint64_t x) { out_uint(o, x, 8); }
static inline void out_i64(struct out *o, int64_t x) { out_uint(o, (uint64_t)x, 8); }
static inline void out_f32(struct out *o, float x)
{
	uint32_t bits;
	memcpy(&bits, &x, sizeof(bits));
	out_u32(o, bits);
}

/* A string of at most 65,535 bytes: u16 length, then the bytes. */
void out_text(struct out *o, const char *text);
/* Reads one into dst (dst_size bytes, ended); bad if it does not fit or holds a NUL. */
void cur_text(struct cur *c, char *dst, size_t dst_size);

#endif
