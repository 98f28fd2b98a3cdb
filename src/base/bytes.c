/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include "base/check.h"

#include <stdlib.h>

void out_init(struct out *o, size_t len_max)
{
	*o = (struct out){.len_max = len_max};
}

void out_done(struct out *o)
{
	free(o->bytes);
	*o = (struct out){.len_max = o->len_max};
}

uint8_t *out_room(struct out *o, size_t len)
{
	if (o->bad || len > o->len_max - o->len) {
		o->bad = true;
		return NULL;
	}
	if (o->len + len > o->cap || o->bytes == NULL) {
		size_t cap = o->cap < 1024 ? 1024 : o->cap;
		while (cap < o->len + len)
			cap *= 2;
		uint8_t *bytes = realloc(o->bytes, cap);
		if (bytes == NULL) {
			o->bad = true;
			return NULL;
		}
		o->bytes = bytes;
		o->cap = cap;
	}
	uint8_t *p = o->bytes + o->len;
	o->len += len;
	return p;
}

void out_text(struct out *o, const char *text)
{
	size_t len = strlen(text);
	WD_CHECK(len <= UINT16_MAX);
	out_u16(o, (uint16_t)len);
	out_bytes(o, text, len);
}

void cur_text(struct cur *c, char *dst, size_t dst_size)
{
	size_t len = cur_u16(c);
	const uint8_t *p = cur_bytes(c, len);
	if (p == NULL || len >= dst_size || (len > 0 && memchr(p, 0, len) != NULL)) {
		c->bad = true;
		dst[0] = '\0';
		return;
	}
	memcpy(dst, p, len);
	dst[len] = '\0';
}
