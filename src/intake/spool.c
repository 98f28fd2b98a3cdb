/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacked bytes stand in one reserved range of addresses, which costs nothing until it is used:
 * so a reader may hold pointers, and offsets are those of the unpacked file. */
#include "intake/spool.h"

#include "base/check.h"
#include "intake/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 1 << 20, PAGES = 1 << 16 /* no page is larger */ };

static void *pointer(const struct spool *s, size_t at)
{
	return (void *)(uintptr_t)(s->bytes + at);
}

static enum wd_err map(struct spool *s, int fd, struct wd_why *why)
{
	void *at = mmap(NULL, s->file_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return wd_fail_os(why, errno, "map the file");
	s->bytes = at;
	s->len = s->reserved = s->file_len;
	s->whole = true;
	(void)madvise(at, s->len, MADV_SEQUENTIAL);
	return WD_OK;
}

/* As much as there may be: a limit on addresses may leave less. */
static enum wd_err reserve(struct spool *s, struct wd_why *why)
{
	static const size_t sizes[] = {(size_t)1 << 44, (size_t)1 << 40, (size_t)1 << 36,
				       (size_t)1 << 32, (size_t)1 << 30};
	for (size_t i = 0; i < WD_COUNT(sizes); i++) {
		void *at = mmap(NULL, sizes[i], PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (at == MAP_FAILED)
			continue;
		s->bytes = at;
		s->reserved = sizes[i];
		return WD_OK;
	}
	return wd_fail_os(why, errno, "reserve addresses");
}

static enum wd_err open_fd(struct spool *s, int fd, struct wd_why *why)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return wd_fail_os(why, errno, "look at the file");
	if (!S_ISREG(st.st_mode))
		return wd_fail(why, WD_UNKNOWN, 0, "not a file that can be mapped");
	if (st.st_size == 0)
		return wd_fail(why, WD_SHORT, 0, "the file is empty");
	s->file_len = (size_t)st.st_size;
	s->changed_s = st.st_mtim.tv_sec;
	int own = dup(fd);
	if (own < 0)
		return wd_fail_os(why, errno, "open the file");
	enum wd_err err = unpack_open(own, &s->unpack, why);
	if (err != WD_OK) {
		close(own);
		return err;
	}
	if (unpack_kind(s->unpack) != UNPACK_PLAIN)
		return reserve(s, why);
	unpack_close(s->unpack);
	s->unpack = NULL;
	return map(s, fd, why);
}

enum wd_err spool_open(struct spool *s, const char *path, struct wd_why *why)
{
	*s = (struct spool){.bytes = NULL};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return wd_fail_os(why, errno, "open the file");
	enum wd_err err = open_fd(s, fd, why);
	close(fd);
	if (err != WD_OK)
		spool_close(s);
	return err;
}

void spool_close(struct spool *s)
{
	if (s->bytes != NULL)
		munmap(pointer(s, 0), s->reserved);
	unpack_close(s->unpack);
	*s = (struct spool){.bytes = NULL};
}

/* One step more of the range can be written. */
static enum wd_err extend(struct spool *s, struct wd_why *why)
{
	if (s->reserved - s->len < STEP || s->len - s->given_back > SPOOL_AHEAD_MAX - STEP)
		return wd_fail(why, WD_FULL, 0, "a piece of the file is too long");
	size_t from = s->len & ~(size_t)(PAGES - 1);
	if (mprotect(pointer(s, from), s->len - from + STEP, PROT_READ | PROT_WRITE) != 0)
		return wd_fail_os(why, errno, "memory for the unpacked file");
	return WD_OK;
}

enum wd_err spool_need(struct spool *s, size_t len, struct wd_why *why)
{
	while (s->len < len && !s->whole) {
		size_t got;
		enum wd_err err = extend(s, why);
		if (err == WD_OK)
			err = unpack_read(s->unpack, pointer(s, s->len), STEP, &got, why);
		if (err != WD_OK)
			return err;
		s->len += got;
		s->whole = got == 0;
	}
	return WD_OK;
}

/* In larger pieces: a call of the system each. */
void spool_give_back(struct spool *s, size_t at)
{
	size_t to = at & ~(size_t)(STEP - 1);
	if (s->unpack == NULL || to <= s->given_back)
		return;
	size_t from = s->given_back < PAGES ? PAGES : s->given_back;
	if (to > from)
		(void)madvise(pointer(s, from), to - from, MADV_DONTNEED);
	s->given_back = to;
}

double spool_progress(const struct spool *s, size_t at)
{
	double done = s->unpack == NULL ? (double)at : (double)unpack_taken(s->unpack);
	return s->file_len == 0 ? 1 : done / (double)s->file_len;
}
