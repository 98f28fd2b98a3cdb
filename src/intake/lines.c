/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/lines.h"

#include "base/text.h"
#include "intake/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the rest of a line before what is read next. */
enum { READ_MAX = 1 << 17, BUFFER_SIZE = LINES_LEN_MAX + READ_MAX };

struct lines {
	struct unpack *file;
	char *buffer;
	size_t at, end; /* of what is read and not yet handed out */
	bool ended;     /* the file has no more */
	bool too_long;  /* what is left of a line that was too long is passed over */
	uint64_t number;
	double size; /* of the file as it lies on disk; 0 = not known */
};

enum wd_err lines_open(const char *path, struct lines **ret_lines, struct wd_why *why)
{
	struct stat info;
	struct lines *l = calloc(1, sizeof(*l));
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	enum wd_err err;

	if (fd < 0) {
		err = wd_fail_os(why, errno, "open");
		goto fail;
	}
	if (fstat(fd, &info) != 0) {
		err = wd_fail_os(why, errno, "stat");
		goto fail;
	}
	if (S_ISDIR(info.st_mode)) {
		err = wd_fail_os(why, EISDIR, "open");
		goto fail;
	}
	if (l == NULL || (l->buffer = malloc(BUFFER_SIZE)) == NULL) {
		err = wd_fail(why, WD_NOMEM, 0, "memory ran out");
		goto fail;
	}
	l->size = S_ISREG(info.st_mode) ? (double)info.st_size : 0;
	err = unpack_open(fd, &l->file, why);
	if (err != WD_OK)
		goto fail;
	*ret_lines = l;
	return WD_OK;
fail:
	if (fd >= 0 && (l == NULL || l->file == NULL))
		close(fd);
	lines_close(l);
	return err;
}

void lines_close(struct lines *l)
{
	if (l == NULL)
		return;
	unpack_close(l->file);
	free(l->buffer);
	free(l);
}

/* Reads more behind what is left, which moves to the front. */
static enum wd_err fill(struct lines *l, struct wd_why *why)
{
	size_t got;

	memmove(l->buffer, l->buffer + l->at, l->end - l->at);
	l->end -= l->at;
	l->at = 0;
	enum wd_err err = unpack_read(l->file, l->buffer + l->end, BUFFER_SIZE - l->end, &got, why);
	if (err != WD_OK)
		return err;
	l->ended = got == 0;
	bool at_front = l->number == 0 && l->end == 0;
	l->end += got;
	if (at_front && text_begins_utf16(l->buffer, l->end))
		return wd_fail(why, WD_MALFORMED, 0, TEXT_UTF16);
	if (at_front && l->end >= 3 && memcmp(l->buffer, "\xef\xbb\xbf", 3) == 0)
		l->at = 3;
	return WD_OK;
}

enum wd_err lines_next(struct lines *l, char **ret_line, size_t *ret_len, struct wd_why *why)
{
	for (size_t seen = 0;;) {
		char *from = l->buffer + l->at;
		char *newline = memchr(from + seen, '\n', l->end - l->at - seen);
		seen = l->end - l->at;
		if (newline == NULL && seen <= LINES_LEN_MAX && !l->ended) {
			enum wd_err err = fill(l, why);
			if (err != WD_OK)
				return err;
			continue;
		}
		if (newline == NULL && seen == 0) {
			*ret_line = NULL;
			return WD_OK;
		}
		size_t len = newline != NULL ? (size_t)(newline - from) : seen;
		bool rest_of_long = l->too_long;
		l->at += len + (newline != NULL);
		l->too_long = newline == NULL && !l->ended;
		seen = 0;
		if (rest_of_long)
			continue;
		l->number++;
		if (len > LINES_LEN_MAX)
			return wd_fail(why, WD_MALFORMED, LINES_LEN_MAX,
				       "a line has at most 65536 bytes");
		*ret_len = len - (len > 0 && from[len - 1] == '\r');
		*ret_line = from;
		return WD_OK;
	}
}

uint64_t lines_number(const struct lines *l)
{
	return l->number;
}

enum wd_err lines_peek(struct lines *l, int *ret_byte, struct wd_why *why)
{
	for (;;) {
		for (size_t i = l->at; i < l->end; i++) {
			if (strchr(" \t\r\n", l->buffer[i]) == NULL || l->buffer[i] == '\0') {
				*ret_byte = (unsigned char)l->buffer[i];
				return WD_OK;
			}
		}
		if (l->ended || l->end - l->at >= LINES_LEN_MAX) {
			*ret_byte = -1;
			return WD_OK;
		}
		enum wd_err err = fill(l, why);
		if (err != WD_OK)
			return err;
	}
}

double lines_progress(struct lines *l)
{
	return l->size > 0 ? (double)unpack_taken(l->file) / l->size : -1;
}
