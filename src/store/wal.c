/* SPDX-License-Identifier: Apache-2.0 */
/* wal: reads a write-ahead log as SQLite's recovery does, to see what it will leave out.
 * Source: "Database File Format", section 4 (sqlite.org/fileformat2.html): a 32-byte header,
 * then frames of a 24-byte header and a page; all numbers big-endian; each frame's checksum
 * continues the one before, in the byte order that the magic number names.
 *
 * A frame whose salts are not the header's is of an earlier round: the end. A frame that has
 * the salts but not the checksum is torn or damaged. If the program was killed in the middle
 * of a transaction that nobody was told of, nothing whole comes after it. If a frame does that
 * ends a transaction and agrees with the checksum of the frame before it, something that was
 * written whole is left out. If the torn frame itself ends a transaction, its head was written and
 * its page was not, or it was damaged later: only who knows what was answered can tell. */
#include "store/sqlite.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WAL_HEAD = 32,
	FRAME_HEAD = 24,
	PAGE_MAX = 65536,
	WAL_MAGIC = 0x377f0682,
	WAL_VERSION = 3007000
};

struct sums { uint32_t a, b; };

static uint32_t get(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

/* len is a multiple of 8. */
static struct sums add_up(struct sums s, const uint8_t *p, size_t len, bool big_endian)
{
	for (size_t i = 0; i < len; i += 8) {
		uint32_t x[2];
		memcpy(x, p + i, sizeof(x));
		if (big_endian) {
			x[0] = be32toh(x[0]);
			x[1] = be32toh(x[1]);
		} else {
			x[0] = le32toh(x[0]);
			x[1] = le32toh(x[1]);
		}
		s.a += x[0] + s.b;
		s.b += x[1] + s.a;
	}
	return s;
}

static bool head_is_good(const uint8_t *head, bool *ret_big_endian, uint32_t *ret_page,
			 struct sums *ret_sums)
{
	uint32_t page = get(head + 8);
	if ((get(head) & ~1U) != WAL_MAGIC || get(head + 4) != WAL_VERSION || page < 512 ||
	    page > PAGE_MAX || (page & (page - 1)) != 0)
		return false;
	*ret_big_endian = (get(head) & 1) != 0;
	*ret_page = page;
	*ret_sums = add_up((struct sums){0, 0}, head, 24, *ret_big_endian);
	return ret_sums->a == get(head + 24) && ret_sums->b == get(head + 28);
}

/* Goes through the frames; `frame` holds one. */
static void walk(int fd, const uint8_t *head, uint8_t *frame, struct wal_state *w)
{
	bool big_endian, unbroken = true;
	uint32_t page;
	struct sums sums;

	if (!head_is_good(head, &big_endian, &page, &sums)) {
		w->damaged = true;
		return;
	}
	w->good_bytes = WAL_HEAD;
	memcpy(&w->salts, head + 16, sizeof(w->salts));
	struct sums before = sums; /* what the frame before says */
	size_t size = FRAME_HEAD + page;
	for (uint64_t at = WAL_HEAD; at + size <= w->bytes; at += size) {
		if (pread(fd, frame, size, (off_t)at) != (ssize_t)size)
			break;
		bool of_this_round = memcmp(frame + 8, head + 16, 8) == 0;
		bool ends_transaction = get(frame + 4) != 0;
		sums = add_up(before, frame, 8, big_endian);
		sums = add_up(sums, frame + FRAME_HEAD, page, big_endian);
		before = (struct sums){get(frame + 16), get(frame + 20)};
		bool whole = of_this_round && sums.a == before.a && sums.b == before.b;

		if (unbroken && !whole) {
			unbroken = false;
			w->torn = of_this_round && ends_transaction;
		} else if (unbroken && ends_transaction) {
			w->good_bytes = at + size;
			w->good_frames = (uint32_t)((w->good_bytes - WAL_HEAD) / size);
		} else if (whole && ends_transaction) {
			w->damaged = true;
		}
	}
}

enum wd_err wal_inspect(const char *path, struct wal_state *ret_state, struct wd_why *why)
{
	struct wal_state w = {0};
	uint8_t head[WAL_HEAD];
	struct stat st;
	enum wd_err err = WD_OK;

	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*ret_state = w;
		return WD_OK;
	}
	uint8_t *frame = malloc(FRAME_HEAD + PAGE_MAX);
	if (fd < 0 || fstat(fd, &st) != 0)
		err = wd_fail_os(why, errno, "read the write-ahead log");
	else if (frame == NULL)
		err = wd_fail(why, WD_NOMEM, 0, "read the write-ahead log");
	else
		w.bytes = (uint64_t)st.st_size;
	/* Without a whole frame there is nothing in it. */
	if (err == WD_OK && w.bytes > WAL_HEAD + FRAME_HEAD &&
	    pread(fd, head, WAL_HEAD, 0) == WAL_HEAD)
		walk(fd, head, frame, &w);
	free(frame);
	if (fd >= 0)
		close(fd);
	if (err == WD_OK)
		*ret_state = w;
	return err;
}
