/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/logtail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 4 * LOGTAIL_LINE_MAX, SEEN = 64 };

struct logtail {
	char *path;
	int fd; /* -1: none */
	struct stat file;        /* of fd when it was opened */
	uint64_t offset;         /* of the end of what is in the buffer */
	bool skip;               /* what the file holds that is opened first was there before us */
	bool passing;            /* over the rest of a line that was cut */
	bool leaving;            /* another file has our name, */
	wd_mono quiet_since;     /* and ours was quiet since then */
	char seen[SEEN];         /* the last bytes before offset */
	uint32_t seen_len;
	struct logtail_counters counters;
	size_t len;              /* bytes in the buffer: a line's beginning */
	char buffer[BUFFER];
};

void logtail_close(struct logtail *t)
{
	if (t == NULL)
		return;
	if (t->fd >= 0)
		close(t->fd);
	free(t->path);
	free(t);
}

static void from_start(struct logtail *t)
{
	t->offset = 0;
	t->len = 0;
	t->seen_len = 0;
	t->passing = false;
}

/* A line may have begun before the end: its rest is not one. */
static void from_end(struct logtail *t)
{
	uint64_t size = (uint64_t)t->file.st_size;
	char last = '\n';

	from_start(t);
	t->offset = size;
	if (size > 0 && pread(t->fd, &last, 1, (off_t)(size - 1)) == 1)
		t->passing = last != '\n';
}

static bool open_file(struct logtail *t)
{
	t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (t->fd < 0)
		return false;
	if (fstat(t->fd, &t->file) != 0 || !S_ISREG(t->file.st_mode)) {
		close(t->fd);
		t->fd = -1;
		t->counters.errors++;
		errno = EINVAL;
		return false;
	}
	if (t->skip)
		from_end(t);
	else
		from_start(t);
	t->skip = t->leaving = false;
	return true;
}

enum wd_err logtail_open(const char *path, enum logtail_from from, struct logtail **ret_tail,
			 struct wd_why *why)
{
	struct logtail *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->path = strdup(path)) == NULL) {
		free(t);
		return wd_fail(why, WD_NOMEM, 0, "to follow a log file");
	}
	t->skip = from == LOGTAIL_END;
	if (!open_file(t) && errno == ENOENT)
		t->skip = false; /* one that is made from now on is new from its start */
	*ret_tail = t;
	return WD_OK;
}

static void hand_on(struct logtail *t, const char *text, size_t len,
		    void (*line)(void *, const char *, size_t), void *context)
{
	if (len > 0 && text[len - 1] == '\r')
		len--;
	t->counters.lines++;
	line(context, text, len);
}

/* Whole lines out of the buffer; what is left moves to its front. */
static void lines_out(struct logtail *t, void (*line)(void *, const char *, size_t), void *context)
{
	char *at = t->buffer, *end = t->buffer + t->len, *stop;

	while ((stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		size_t len = (size_t)(stop - at);
		if (!t->passing) {
			t->counters.cut += len > LOGTAIL_LINE_MAX;
			hand_on(t, at, len < LOGTAIL_LINE_MAX ? len : LOGTAIL_LINE_MAX, line,
				context);
		}
		t->passing = false;
		at = stop + 1;
	}
	if (t->passing) {
		at = end;
	} else if (end - at > LOGTAIL_LINE_MAX) {
		t->counters.cut++;
		hand_on(t, at, LOGTAIL_LINE_MAX, line, context);
		t->passing = true;
		at = end;
	}
	t->len = (size_t)(end - at);
	memmove(t->buffer, at, t->len);
}

static void remember(struct logtail *t, const char *bytes, size_t len)
{
	if (len >= SEEN) {
		memcpy(t->seen, bytes + len - SEEN, SEEN);
		t->seen_len = SEEN;
		return;
	}
	size_t keep = t->seen_len + len > SEEN ? SEEN - len : t->seen_len;
	memmove(t->seen, t->seen + t->seen_len - keep, keep);
	memcpy(t->seen + keep, bytes, len);
	t->seen_len = (uint32_t)(keep + len);
}

/* Are the bytes before our place still those that we read? */
static bool is_as_seen(const struct logtail *t)
{
	char now[SEEN];

	return t->seen_len == 0 ||
	       (pread(t->fd, now, t->seen_len, (off_t)(t->offset - t->seen_len)) ==
			(ssize_t)t->seen_len &&
		memcmp(now, t->seen, t->seen_len) == 0);
}

static void look_for_truncation(struct logtail *t)
{
	struct stat now;

	if (fstat(t->fd, &now) != 0)
		return;
	bool grown = (uint64_t)now.st_size > t->offset;
	if ((uint64_t)now.st_size < t->offset || (grown && !is_as_seen(t))) {
		t->counters.truncated++;
		from_start(t);
	}
}

/* Returns bytes that were read; 0 at the end. */
static size_t read_some(struct logtail *t)
{
	ssize_t n = pread(t->fd, t->buffer + t->len, BUFFER - t->len, (off_t)t->offset);

	if (n < 0) {
		t->counters.errors += errno != EINTR && errno != EAGAIN;
		return 0;
	}
	remember(t, t->buffer + t->len, (size_t)n);
	t->len += (size_t)n;
	t->offset += (uint64_t)n;
	t->counters.bytes += (uint64_t)n;
	return (size_t)n;
}

/* At the end of the file: does our name belong to another by now? */
static void look_for_rotation(struct logtail *t, wd_mono now,
			      void (*line)(void *, const char *, size_t), void *context)
{
	struct stat named;

	if (stat(t->path, &named) != 0)
		return; /* renamed, and the new one not made yet: ours may still grow */
	if (named.st_ino == t->file.st_ino && named.st_dev == t->file.st_dev) {
		t->leaving = false;
		return;
	}
	if (!t->leaving) {
		t->leaving = true;
		t->quiet_since = now;
	}
	if (mono_sub(now, t->quiet_since).ns < LOGTAIL_LINGER)
		return;
	if (t->len > 0 && !t->passing) /* a last line without its end */
		hand_on(t, t->buffer, t->len, line, context);
	close(t->fd);
	t->fd = -1;
	if (open_file(t))
		t->counters.rotations++;
}

bool logtail_poll(struct logtail *t, wd_mono now,
		  void (*line)(void *context, const char *text, size_t len), void *context)
{
	size_t total = 0, n;

	if (t->fd < 0 && !open_file(t))
		return false;
	look_for_truncation(t);
	while (total < LOGTAIL_POLL_MAX && (n = read_some(t)) > 0) {
		total += n;
		lines_out(t, line, context);
	}
	if (total > 0)
		t->quiet_since = now;
	if (total >= LOGTAIL_POLL_MAX)
		return true;
	look_for_rotation(t, now, line, context);
	return false;
}

struct logtail_counters logtail_counters(const struct logtail *t) { return t->counters; }

bool logtail_is_there(const struct logtail *t) { return t->fd >= 0; }
