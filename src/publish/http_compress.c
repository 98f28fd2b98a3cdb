/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_compress.h"

#include <brotli/encode.h>
#include <stdlib.h>
#include <zlib.h>

/* Brotli's 11 is an order of magnitude slower than 9 and worth it only once. */
static const struct { int gzip, brotli; } LEVELS[] = {
	[HTTP_COMPRESS_FAST] = {1, 1},
	[HTTP_COMPRESS_PAGE] = {6, 5},
	[HTTP_COMPRESS_BEST] = {9, 11},
};

static bool gzip(int level, const void *body, size_t len, char *to, size_t room, size_t *ret_len)
{
	enum { WINDOW_GZIP = 15 + 16, MEMORY = 8 };
	z_stream z = {0};

	if (len > UINT32_MAX || deflateInit2(&z, level, Z_DEFLATED, WINDOW_GZIP, MEMORY,
					     Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	z.next_in = (Bytef *)(uintptr_t)body; /* zlib only reads it */
	z.avail_in = (uInt)len;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)room;
	bool whole = deflate(&z, Z_FINISH) == Z_STREAM_END;
	*ret_len = z.total_out;
	deflateEnd(&z);
	return whole;
}

char *http_compress(enum http_encoding encoding, enum http_compress level, const void *body,
		    size_t len, size_t *ret_len)
{
	size_t room = len - len / 10;
	size_t used = room;
	bool whole = false;

	if (level == HTTP_COMPRESS_NONE || len < HTTP_COMPRESS_MIN)
		return NULL;
	char *to = malloc(room);
	if (to == NULL)
		return NULL;
	if (encoding == HTTP_GZIP)
		whole = gzip(LEVELS[level].gzip, body, len, to, room, &used);
	else if (encoding == HTTP_BROTLI)
		whole = BrotliEncoderCompress(LEVELS[level].brotli, BROTLI_DEFAULT_WINDOW,
					      BROTLI_MODE_TEXT, len, body, &used,
					      (uint8_t *)to);
	if (!whole) {
		free(to);
		return NULL;
	}
	char *exact = realloc(to, used);
	*ret_len = used;
	return exact != NULL ? exact : to;
}
