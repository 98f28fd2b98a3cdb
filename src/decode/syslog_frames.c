/* SPDX-License-Identifier: Apache-2.0 */
/* Each way of framing takes what it can off the front and says how much; 0 = wait. */
#include "decode/syslog_frames.h"

#include <string.h>

typedef void handler(void *context, const char *text, size_t len);

enum { DIGITS_MAX = SYSLOG_ROOM - SYSLOG_MESSAGE_MAX - 1 };

/* "LEN MSG". *broken: the length is none. */
static size_t take_counted(struct syslog_frames *f, const char *at, size_t left, handler *message,
			   void *context, bool *broken)
{
	uint64_t len = 0;
	size_t digits = 0;

	while (digits < left && digits <= DIGITS_MAX && at[digits] >= '0' && at[digits] <= '9')
		len = len * 10 + (uint64_t)(at[digits++] - '0');
	if (digits > DIGITS_MAX || (digits < left && (at[digits] != ' ' || len == 0))) {
		*broken = true;
		return 0;
	}
	size_t head = digits + 1, fits = len < SYSLOG_MESSAGE_MAX ? len : SYSLOG_MESSAGE_MAX;
	if (left < head + fits)
		return 0;
	f->cut += len > fits;
	message(context, at + head, fits);
	f->passing = len - fits;
	return head + fits;
}

static size_t take_line(struct syslog_frames *f, const char *at, size_t left, handler *message,
			void *context)
{
	const char *lf = memchr(at, '\n', left), *end = lf;
	const char *nul = memchr(at, '\0', lf != NULL ? (size_t)(lf - at) : left);

	if (nul != NULL)
		end = nul;
	if (end == NULL && left < SYSLOG_MESSAGE_MAX)
		return 0;
	size_t len = end != NULL ? (size_t)(end - at) : left;
	if (!f->to_line_end) {
		f->cut += len > SYSLOG_MESSAGE_MAX || end == NULL;
		message(context, at, len < SYSLOG_MESSAGE_MAX ? len : SYSLOG_MESSAGE_MAX);
	}
	f->to_line_end = end == NULL;
	return len + (end != NULL);
}

static bool is_counted(const char *at) { return *at >= '1' && *at <= '9'; }

bool syslog_frames_take(struct syslog_frames *f, handler *message, void *context)
{
	size_t at = 0, took = 1;
	bool broken = false;

	while (at < f->len && took > 0 && !broken) {
		size_t left = f->len - at;
		if (f->passing > 0) {
			took = left < f->passing ? left : (size_t)f->passing;
			f->passing -= took;
		} else if (!f->to_line_end && is_counted(f->buffer + at)) {
			took = take_counted(f, f->buffer + at, left, message, context, &broken);
		} else {
			took = take_line(f, f->buffer + at, left, message, context);
		}
		at += took;
	}
	f->len -= at;
	memmove(f->buffer, f->buffer + at, f->len);
	return !broken;
}

void syslog_frames_end(struct syslog_frames *f, handler *message, void *context)
{
	if (!f->to_line_end && f->passing == 0 && f->len > 0 && !is_counted(f->buffer))
		message(context, f->buffer, f->len);
	f->len = 0;
}
