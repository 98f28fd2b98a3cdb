/* SPDX-License-Identifier: Apache-2.0 */
#include "command/log.h"

#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"
#include "command/clock.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS = 64, REPEATS_MAX = 10 };

struct repeat { const char *event; int64_t minute; uint32_t count, held_back; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level_max = LOG_LEVEL_INFO; /* atomic: a reload sets it */
static struct repeat repeats[EVENTS];

void log_level_set(enum log_level level)
{
	__atomic_store_n(&level_max, level, __ATOMIC_RELAXED);
}

/* The line's own counter, found by the address of its name (it is static text). */
static struct repeat *repeat_of(const char *event)
{
	struct repeat *oldest = &repeats[0];
	for (size_t n = 0; n < EVENTS; n++) {
		if (repeats[n].event == event)
			return &repeats[n];
		if (repeats[n].minute < oldest->minute)
			oldest = &repeats[n];
	}
	*oldest = (struct repeat){.event = event};
	return oldest;
}

/* False if this event has had its lines for this minute. */
static bool may_write(const char *event, int64_t minute, uint32_t *ret_held_back)
{
	struct repeat *r = repeat_of(event);
	*ret_held_back = 0;
	if (r->minute != minute) {
		*ret_held_back = r->held_back;
		*r = (struct repeat){.event = event, .minute = minute};
	}
	if (r->count++ < REPEATS_MAX)
		return true;
	r->held_back++;
	return false;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	char line[1024], at[TIMETEXT_LEN_MAX];
	wd_wall now = wall_now();
	uint32_t held_back;
	va_list args;

	WD_CHECK((unsigned)level < WD_COUNT(names));
	if (level > __atomic_load_n(&level_max, __ATOMIC_RELAXED))
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	timetext_write(at, now);
	pthread_mutex_lock(&lock);
	if (may_write(event, wall_to_s(now) / 60, &held_back)) {
		if (held_back > 0)
			fprintf(stderr, "%s %s event=%s %s held_back=%u\n", at, names[level], event,
				line, held_back);
		else
			fprintf(stderr, "%s %s event=%s %s\n", at, names[level], event, line);
	}
	pthread_mutex_unlock(&lock);
}

void log_why(enum log_level level, const char *event, const struct wd_why *why)
{
	char what[256];
	log_text(what, sizeof(what), why->what != NULL ? why->what : "");
	if (why->err == WD_OS)
		log_line(level, event, "error=\"%s\" what=%s errno=%d (%s)", wd_err_name(why->err),
			 what, why->os_errno, strerrordesc_np(why->os_errno));
	else
		log_line(level, event, "error=\"%s\" what=%s at=%u", wd_err_name(why->err), what,
			 why->at);
}

const char *log_text(char *dst, size_t dst_size, const char *text)
{
	size_t at = 0;
	WD_CHECK(dst_size >= 8);
	dst[at++] = '"';
	for (const char *p = text; *p != '\0' && at + 6 < dst_size;) {
		bool plain;
		size_t len = text_character(p, &plain);
		if (!plain) {
			at += (size_t)snprintf(dst + at, dst_size - at, "\\x%02x",
					       (unsigned char)*p++);
			continue; /* the rest of a character that is not plain is none */
		}
		if (*p == '"' || *p == '\\')
			dst[at++] = '\\';
		memcpy(dst + at, p, len);
		at += len;
		p += len;
	}
	dst[at++] = '"';
	dst[at] = '\0';
	return dst;
}
