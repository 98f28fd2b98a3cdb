/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: RFC 1952 (gzip), RFC 8878 (zstd). */
#include "intake/unpack.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT_BYTES = 1 << 18, WINDOW_LOG_MAX = 27, GZIP_WINDOW = 15 + 16 };

struct unpack {
	int fd;
	enum unpack_kind kind;
	uint8_t input[INPUT_BYTES];
	size_t at, end;  /* of what was read and is not unpacked yet */
	bool over;       /* the file has no more */
	bool within;     /* a member or frame is not finished */
	uint64_t taken;
	struct wd_why failed; /* once broken, it stays so */
	z_stream gzip;   /* with `gzip_open` */
	bool gzip_open;
	ZSTD_DStream *zstd;
};

/* Reads behind what is left, until there are `least` bytes or the file ends. */
static enum wd_err fill(struct unpack *u, size_t least, struct wd_why *why)
{
	memmove(u->input, u->input + u->at, u->end - u->at);
	u->end -= u->at;
	u->at = 0;
	while (u->end < least && !u->over) {
		ssize_t got = read(u->fd, u->input + u->end, INPUT_BYTES - u->end);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return wd_fail_os(why, errno, "read");
		u->over = got == 0;
		u->end += (size_t)got;
		u->taken += (uint64_t)got;
	}
	return WD_OK;
}

static bool begins_gzip(const struct unpack *u)
{
	const uint8_t *b = u->input + u->at;
	return u->end - u->at >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8;
}

/* With a frame to be skipped, too, as pzstd puts one before each (RFC 8878, 3.1.2). */
static bool begins_zstd(const struct unpack *u)
{
	static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd}, skipped[3] = {0x2a, 0x4d, 0x18};
	const uint8_t *b = u->input + u->at;
	return u->end - u->at >= 4 &&
	       (memcmp(b, magic, sizeof(magic)) == 0 ||
		(b[0] >> 4 == 5 && memcmp(b + 1, skipped, sizeof(skipped)) == 0));
}

enum wd_err unpack_open(int fd, struct unpack **ret_unpack, struct wd_why *why)
{
	struct unpack *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	u->fd = fd;
	enum wd_err err = fill(u, 4, why);
	if (err != WD_OK)
		goto fail;
	u->kind = begins_gzip(u) ? UNPACK_GZIP : begins_zstd(u) ? UNPACK_ZSTD : UNPACK_PLAIN;
	if (u->kind == UNPACK_GZIP)
		u->gzip_open = inflateInit2(&u->gzip, GZIP_WINDOW) == Z_OK;
	if (u->kind == UNPACK_ZSTD)
		u->zstd = ZSTD_createDStream();
	if ((u->kind == UNPACK_GZIP && !u->gzip_open) ||
	    (u->kind == UNPACK_ZSTD &&
	     (u->zstd == NULL ||
	      ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax,
						  WINDOW_LOG_MAX))))) {
		err = wd_fail(why, WD_NOMEM, 0, "memory ran out");
		goto fail;
	}
	*ret_unpack = u;
	return WD_OK;
fail:
	u->fd = -1; /* stays the caller's */
	unpack_close(u);
	return err;
}

void unpack_close(struct unpack *u)
{
	if (u == NULL)
		return;
	if (u->gzip_open)
		inflateEnd(&u->gzip);
	ZSTD_freeDStream(u->zstd);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

enum unpack_kind unpack_kind(const struct unpack *u) { return u->kind; }
uint64_t unpack_taken(const struct unpack *u) { return u->taken; }

/* What was read to see what kind it is; then without a copy. */
static enum wd_err read_plain(struct unpack *u, void *dst, size_t room, size_t *ret_got,
			      struct wd_why *why)
{
	ssize_t got = 0;
	if (u->at < u->end) {
		*ret_got = u->end - u->at < room ? u->end - u->at : room;
		memcpy(dst, u->input + u->at, *ret_got);
		u->at += *ret_got;
		return WD_OK;
	}
	do
		got = u->over ? 0 : read(u->fd, dst, room);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return wd_fail_os(why, errno, "read");
	u->over = got == 0;
	u->taken += (uint64_t)got;
	*ret_got = (size_t)got;
	return WD_OK;
}

/* One step of unpacking. */
static enum wd_err inflate_some(struct unpack *u, void *dst, size_t room, size_t *ret_got,
				struct wd_why *why)
{
	u->gzip.next_in = u->input + u->at;
	u->gzip.avail_in = (uInt)(u->end - u->at);
	u->gzip.next_out = dst;
	u->gzip.avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
	uInt wanted = u->gzip.avail_out;
	int code = inflate(&u->gzip, Z_NO_FLUSH);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return wd_fail(why, WD_MALFORMED, 0, "the gzip file is damaged");
	u->at = u->end - u->gzip.avail_in;
	u->within = code != Z_STREAM_END;
	*ret_got = wanted - u->gzip.avail_out;
	if (code == Z_STREAM_END)
		(void)inflateReset(&u->gzip);
	return WD_OK;
}

static enum wd_err zstd_some(struct unpack *u, void *dst, size_t room, size_t *ret_got,
			     struct wd_why *why)
{
	ZSTD_inBuffer in = {u->input, u->end, u->at};
	ZSTD_outBuffer out = {dst, room, 0};
	size_t left = ZSTD_decompressStream(u->zstd, &out, &in);
	if (ZSTD_isError(left))
		return wd_fail(why, WD_MALFORMED, 0, "the zstd file is damaged, or its window is "
						     "more than 128 MB");
	u->at = in.pos;
	u->within = left != 0;
	*ret_got = out.pos;
	return WD_OK;
}

/* Between two members: is there another? What else stands behind a gzip file is passed over, as
 * gzip does. */
static bool goes_on(const struct unpack *u)
{
	return u->within || (u->kind == UNPACK_GZIP ? begins_gzip(u) : u->end > u->at);
}

static enum wd_err read_packed(struct unpack *u, void *dst, size_t room, size_t *ret_got,
			       struct wd_why *why)
{
	for (;;) {
		size_t got = 0, before = u->end - u->at;
		enum wd_err err = before >= 4 ? WD_OK : fill(u, 4, why);
		if (err != WD_OK)
			return err;
		before = u->end - u->at;
		if (!goes_on(u)) {
			*ret_got = 0;
			return WD_OK;
		}
		err = u->kind == UNPACK_GZIP ? inflate_some(u, dst, room, &got, why)
					     : zstd_some(u, dst, room, &got, why);
		if (err != WD_OK)
			return err;
		if (got > 0) {
			*ret_got = got;
			return WD_OK;
		}
		if (u->within && u->over && u->end - u->at == before)
			return wd_fail(why, WD_SHORT, 0, u->kind == UNPACK_GZIP
					       ? "the gzip file ends early"
					       : "the zstd file ends early");
	}
}

enum wd_err unpack_read(struct unpack *u, void *dst, size_t room, size_t *ret_got,
			struct wd_why *why)
{
	enum wd_err err = u->failed.err;
	if (u->kind == UNPACK_PLAIN)
		return read_plain(u, dst, room, ret_got, why);
	if (err == WD_OK)
		err = read_packed(u, dst, room, ret_got, &u->failed);
	if (err != WD_OK && why != NULL)
		*why = u->failed;
	return err;
}
