/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/counts_time.h"

#include "base/timetext.h"

#include <string.h>

enum { TEXT_MAX = 64 };

/* What is read, and the same as RFC 3339 has it. */
struct writing { const char *at, *end; char text[TEXT_MAX]; size_t len; };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits_at(const char *at, const char *end)
{
	const char *p = at;
	while (p < end && is_digit(*p))
		p++;
	return (size_t)(p - at);
}

static void put(struct writing *w, const char *text, size_t len)
{
	if (w->len + len < TEXT_MAX)
		memcpy(w->text + w->len, text, len);
	w->len += len; /* too long is seen at the end */
}

static void move(struct writing *w, size_t len)
{
	put(w, w->at, len);
	w->at += len;
}

static bool one_of(struct writing *w, const char *set)
{
	if (w->at == w->end || *w->at == '\0' || strchr(set, *w->at) == NULL)
		return false;
	w->at++;
	return true;
}

/* ---- since 1970, finer than seconds ---- */

static bool read_fine_epoch(const char *text, size_t len, wd_wall *ret_at)
{
	static const struct { size_t digits; int64_t unit_ns; } units[] = {
		{12, 1000000}, {13, 1000000}, {15, 1000}, {16, 1000}, {18, 1}, {19, 1}};
	size_t digits = digits_at(text, text + len);
	int64_t value = 0;

	/* As programs write it that keep all numbers as reals. */
	bool rest = digits == len || (text[digits] == '.' && digits + 1 < len &&
				      digits_at(text + digits + 1, text + len) == len - digits - 1);
	for (size_t i = 0; rest && i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].digits != digits)
			continue;
		for (size_t k = 0; k < digits; k++) {
			if (__builtin_mul_overflow(value, 10, &value) ||
			    __builtin_add_overflow(value, text[k] - '0', &value))
				return false;
		}
		return !__builtin_mul_overflow(value, units[i].unit_ns, &ret_at->ns);
	}
	return false;
}

/* ---- as a calendar has it ---- */

/* 2025-03-10, 2025/03/10, 20250310 or 10.03.2025. */
static bool read_date(struct writing *w)
{
	const char *p = w->at;
	size_t left = (size_t)(w->end - p), first = digits_at(p, w->end);

	if (left >= 10 && first == 4 && (p[4] == '-' || p[4] == '/') && p[7] == p[4]) {
		put(w, p, 4);
		put(w, "-", 1);
		put(w, p + 5, 2);
		put(w, "-", 1);
		put(w, p + 8, 2);
		w->at += 10;
		return true;
	}
	if (first == 8 || first == 14) {
		move(w, 4);
		put(w, "-", 1);
		move(w, 2);
		put(w, "-", 1);
		move(w, 2);
		return true;
	}
	if (left >= 10 && first == 2 && p[2] == '.' && p[5] == '.') {
		put(w, p + 6, 4);
		put(w, "-", 1);
		put(w, p + 3, 2);
		put(w, "-", 1);
		put(w, p, 2);
		w->at += 10;
		return true;
	}
	return false;
}

/* Nothing, 09, 9:45, 09:45, 0945, 09:45:00, 094500, and what follows a point or a comma. */
static bool read_clock(struct writing *w)
{
	put(w, "T", 1);
	if (w->at == w->end) {
		put(w, "00:00", 5);
		return true;
	}
	bool joined = digits_at(w->at, w->end) == 6; /* 20250310094500 */
	if (!one_of(w, "Tt ") && !joined)
		return false;
	size_t digits = digits_at(w->at, w->end);
	if (digits == 1 && w->at + 1 < w->end && w->at[1] == ':') {
		put(w, "0", 1);
		move(w, 1);
		digits = 2;
	} else if (digits == 2 || digits == 4 || digits == 6)
		move(w, 2);
	else
		return false;
	if (digits == 2 && !one_of(w, ":")) {
		put(w, ":00", 3);
		return true;
	}
	put(w, ":", 1);
	move(w, digits_at(w->at, w->end) < 2 ? 0 : 2);
	if (digits == 6 || (digits == 2 && one_of(w, ":"))) {
		put(w, ":", 1);
		move(w, digits_at(w->at, w->end) < 2 ? 0 : 2);
		if (one_of(w, ".,")) {
			put(w, ".", 1);
			move(w, digits_at(w->at, w->end));
		}
	}
	return true;
}

static bool word_is(struct writing *w, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(w->end - w->at) != len || strncmp(w->at, word, len) != 0)
		return false;
	w->at += len;
	return true;
}

/* Nothing, Z, UTC, GMT, +01, +0100, +01:00, also after a blank, and "+0000 UTC" as Go writes it. */
static bool read_zone(struct writing *w)
{
	(void)one_of(w, " ");
	if (w->at < w->end && (*w->at == '+' || *w->at == '-')) {
		move(w, 1);
		size_t digits = digits_at(w->at, w->end);
		if (digits != 2 && digits != 4)
			return false;
		move(w, 2);
		put(w, ":", 1);
		if (digits == 2 && !one_of(w, ":"))
			put(w, "00", 2);
		else
			move(w, digits_at(w->at, w->end) < 2 ? 0 : 2);
		return w->at == w->end || word_is(w, " UTC");
	}
	put(w, "Z", 1);
	return w->at == w->end || word_is(w, "Z") || word_is(w, "z") || word_is(w, "UTC") ||
	       word_is(w, "GMT");
}

static enum wd_err read_calendar(const char *text, size_t len, wd_wall *ret_at)
{
	struct writing w = {.at = text, .end = text + len};
	if (!read_date(&w) || !read_clock(&w) || !read_zone(&w) || w.at != w.end ||
	    w.len >= TEXT_MAX)
		return WD_MALFORMED;
	return timetext_read(w.text, w.len, ret_at, NULL);
}

bool counts_time_is_day_number(const char *text, size_t len)
{
	wd_wall at;
	return len == 8 && digits_at(text, text + len) == 8 &&
	       read_calendar(text, len, &at) == WD_OK && at.ns >= 0;
}

enum wd_err counts_time_read(const char *text, size_t len, bool day_numbers, wd_wall *ret_at,
			     struct wd_why *why)
{
	bool is_day = day_numbers && len == 8;
	if (!is_day && timetext_read(text, len, ret_at, NULL) == WD_OK)
		return WD_OK;
	if (read_fine_epoch(text, len, ret_at) || read_calendar(text, len, ret_at) == WD_OK)
		return WD_OK;
	size_t month = digits_at(text, text + len);
	if (month > 0 && month <= 2 && text[month] == '/')
		return wd_fail(why, WD_MALFORMED, 0,
			       "a day like 3/10/2025 is in March or in October: write it as "
			       "2025-03-10 09:45");
	return wd_fail(why, WD_MALFORMED, 0,
		       "time is one like 2025-03-10T09:45:00Z, 2025-03-10 09:45 or 1741599900");
}
