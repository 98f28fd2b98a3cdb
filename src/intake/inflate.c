/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/inflate.h"

#include "base/check.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

enum {
	GZIP_WINDOW = 15 + 16, /* any window of zlib's, and a header of gzip's */
	FIRST_ROOM = 1 << 14,  /* bytes; doubled as they are filled */
};

struct growing { char *bytes; size_t len, room, max; };

/* Room for at least one more byte; one beyond `max` tells that there is more. */
static enum wd_err grow(struct growing *g, struct wd_why *why)
{
	size_t room = g->room == 0 ? FIRST_ROOM : 2 * g->room;

	if (g->len < g->room)
		return WD_OK;
	if (g->len > g->max)
		return wd_fail(why, WD_FULL, 0, "the body unpacks to more than it may");
	if (room > g->max + 1)
		room = g->max + 1;
	char *bytes = realloc(g->bytes, room + 1); /* and the NUL */
	if (bytes == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	g->bytes = bytes;
	g->room = room;
	return WD_OK;
}

/* All members. `z` is open. */
static enum wd_err inflate_all(z_stream *z, struct growing *g, struct wd_why *why)
{
	for (;;) {
		enum wd_err err = grow(g, why);
		if (err != WD_OK)
			return err;
		size_t room = g->room - g->len;
		z->next_out = (Bytef *)g->bytes + g->len;
		z->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
		uInt wanted = z->avail_out;
		int code = inflate(z, Z_NO_FLUSH);
		g->len += wanted - z->avail_out;
		if (code == Z_MEM_ERROR)
			return wd_fail(why, WD_NOMEM, 0, "memory ran out");
		if (code == Z_STREAM_END && z->avail_in == 0 && g->len <= g->max)
			return WD_OK;
		if (code == Z_STREAM_END)
			code = inflateReset(z); /* the next member */
		else if (code == Z_BUF_ERROR || (code == Z_OK && z->avail_in == 0 &&
						 z->avail_out > 0))
			return wd_fail(why, WD_SHORT, 0, "the gzip body ends early");
		if (code != Z_OK)
			return wd_fail(why, WD_MALFORMED, 0, "the body is not gzip, or is damaged");
	}
}

enum wd_err inflate_body(const char *body, size_t len, size_t max, char **ret_bytes,
			 size_t *ret_len, struct wd_why *why)
{
	struct growing g = {.max = max};
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)body, .avail_in = (uInt)len};

	WD_CHECK(len <= UINT_MAX && max < SIZE_MAX / 4);
	if (len == 0)
		return wd_fail(why, WD_SHORT, 0, "the gzip body is empty");
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	enum wd_err err = inflate_all(&z, &g, why);
	inflateEnd(&z);
	if (err != WD_OK) {
		free(g.bytes);
		return err;
	}
	g.bytes[g.len] = '\0';
	*ret_bytes = g.bytes;
	*ret_len = g.len;
	return WD_OK;
}
