/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_compress.h"

#include <brotli/encode.h>
#include <setjmp.h>
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

/* Debian's brotli ends the whole program when its allocator gives nothing
 * (BROTLI_ENCODER_EXIT_ON_OOM in its encode.c). So ours does not return then: it jumps back, and
 * all that was given is freed. */
struct heap { struct block *first; jmp_buf no_memory; };
struct block { struct block *next, *before; _Alignas(max_align_t) char bytes[]; };

static void *heap_take(void *opaque, size_t size)
{
	struct heap *h = opaque;
	struct block *b = malloc(sizeof(*b) + size);
	if (b == NULL)
		longjmp(h->no_memory, 1);
	*b = (struct block){.next = h->first};
	if (h->first != NULL)
		h->first->before = b;
	h->first = b;
	return b->bytes;
}

static void heap_give(void *opaque, void *bytes)
{
	struct heap *h = opaque;
	if (bytes == NULL)
		return;
	struct block *b = (struct block *)((char *)bytes - offsetof(struct block, bytes));
	if (b->next != NULL)
		b->next->before = b->before;
	if (b->before != NULL)
		b->before->next = b->next;
	else
		h->first = b->next;
	free(b);
}

static bool brotli_on(struct heap *h, int level, const void *body, size_t len, char *to,
		      size_t *used)
{
	const uint8_t *from = body;
	uint8_t *at = (uint8_t *)to;
	size_t room = *used, left = len;
	BrotliEncoderState *b = BrotliEncoderCreateInstance(heap_take, heap_give, h);

	if (b == NULL)
		return false;
	BrotliEncoderSetParameter(b, BROTLI_PARAM_QUALITY, (uint32_t)level);
	BrotliEncoderSetParameter(b, BROTLI_PARAM_LGWIN, BROTLI_DEFAULT_WINDOW);
	BrotliEncoderSetParameter(b, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT);
	BrotliEncoderSetParameter(b, BROTLI_PARAM_SIZE_HINT, (uint32_t)len);
	bool whole = BrotliEncoderCompressStream(b, BROTLI_OPERATION_FINISH, &left, &from, &room,
						 &at, NULL) &&
		     BrotliEncoderIsFinished(b);
	*used -= room;
	BrotliEncoderDestroyInstance(b);
	return whole;
}

static bool brotli(int level, const void *body, size_t len, char *to, size_t *used)
{
	struct heap h = {0};

	if (setjmp(h.no_memory) == 0)
		return brotli_on(&h, level, body, len, to, used);
	while (h.first != NULL)
		heap_give(&h, h.first->bytes);
	return false;
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
		whole = brotli(LEVELS[level].brotli, body, len, to, &used);
	if (!whole) {
		free(to);
		return NULL;
	}
	char *exact = realloc(to, used);
	*ret_len = used;
	return exact != NULL ? exact : to;
}
