/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes written to a log in any pieces, which is truncated now and then: the lines that come
 * are the lines that were written, as far as the file was left alone. The input is a list of
 * pieces: one byte that says what to do, one of length, and that many bytes. */
#include "intake/logtail.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 17, BEGIN_ANEW = 8 };

struct writer {
	int fd;
	uint8_t bytes[FILE_MAX]; /* written since the file began anew */
	size_t len, told;        /* … and handed on */
	bool cut; /* the rest of a line that was handed on cut is to be passed over */
};

static const uint8_t *line_end(const struct writer *w)
{
	return memchr(w->bytes + w->told, '\n', w->len - w->told);
}

static void pass_over_cut(struct writer *w)
{
	const uint8_t *stop = line_end(w);
	if (!w->cut)
		return;
	w->told = stop != NULL ? (size_t)(stop + 1 - w->bytes) : w->len;
	w->cut = stop == NULL;
}

static void line(void *context, const char *text, size_t len)
{
	struct writer *w = context;
	pass_over_cut(w);
	const uint8_t *at = w->bytes + w->told, *stop = line_end(w);
	size_t whole = stop != NULL ? (size_t)(stop - at) : w->len - w->told;
	size_t kept = whole < LOGTAIL_LINE_MAX ? whole : LOGTAIL_LINE_MAX;
	WD_CHECK(stop != NULL || whole > LOGTAIL_LINE_MAX);
	kept -= kept > 0 && at[kept - 1] == '\r';
	WD_CHECK(len == kept && memcmp(at, text, len) == 0);
	w->cut = stop == NULL;
	w->told += whole + (stop != NULL);
}

static void append(struct writer *w, const uint8_t *bytes, size_t len, size_t times)
{
	for (; times > 0 && len > 0 && w->len + len <= FILE_MAX; times--) {
		WD_CHECK(pwrite(w->fd, bytes, len, (off_t)w->len) == (ssize_t)len);
		memcpy(w->bytes + w->len, bytes, len);
		w->len += len;
	}
}

static void poll(struct logtail *t, struct writer *w, wd_mono *now)
{
	*now = mono_add(*now, span_ms(250));
	while (logtail_poll(t, *now, line, w)) {
	}
	pass_over_cut(w);
	WD_CHECK(line_end(w) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct writer w;
	static char path[32];
	struct logtail *t;
	wd_mono now = {WD_NS_PER_S};

	if (w.fd == 0) {
		w.fd = memfd_create("log", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", w.fd);
	}
	w.len = w.told = 0;
	w.cut = false;
	WD_CHECK(w.fd > 0 && ftruncate(w.fd, 0) == 0);
	WD_CHECK(logtail_open(path, LOGTAIL_BEGIN, &t, NULL) == WD_OK);
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;
		if (data[0] % 16 == BEGIN_ANEW) {
			poll(t, &w, &now);
			WD_CHECK(ftruncate(w.fd, 0) == 0);
			w.len = w.told = 0;
			w.cut = false;
			poll(t, &w, &now); /* it is seen: only then is nothing lost */
		}
		append(&w, data + 2, len, data[0] & 128 ? 300 : 1);
		if (data[0] & 64)
			poll(t, &w, &now);
		data += 2 + len;
		size -= 2 + len;
	}
	append(&w, (const uint8_t *)"\n", 1, 1);
	poll(t, &w, &now);
	WD_CHECK(w.told == w.len || w.len == FILE_MAX);
	logtail_close(t);
	return 0;
}
