/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timetext.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Days since 1970-01-01 of a civil date. The year begins in March, so that the leap day
 * is its last (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

struct civil civil_of(wd_wall t)
{
	int64_t s = wall_to_s(t);
	int64_t days = floor_div(s, 86400);
	int64_t of_day = s - days * 86400;
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	return (struct civil){
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(of_day / 3600),
		.minute = (int)(of_day / 60 % 60),
		.second = (int)(of_day % 60),
	};
}

wd_wall civil_to_wall(const struct civil *c)
{
	return wall_s(days_of(c->year, c->month, c->day) * 86400 + c->hour * 3600 +
		      c->minute * 60 + c->second);
}

int civil_weekday(wd_wall t)
{
	int64_t days = floor_div(wall_to_s(t), 86400);
	return (int)(((days + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static char *put_digits(char *at, int n, int count)
{
	for (int i = count; i-- > 0; n /= 10)
		at[i] = (char)('0' + n % 10);
	return at + count;
}

void timetext_write(char *dst, wd_wall t)
{
	struct civil c = civil_of(t);
	int ms = (int)((t.ns - wall_to_s(t) * WD_NS_PER_S) / 1000000);

	if (c.year < 0 || c.year > 9999) {
		memcpy(dst, "invalid", sizeof("invalid"));
		return;
	}
	/* Without printf: every row of every table has a time. */
	static const char separators[] = "--T::";
	const int parts[] = {c.month, c.day, c.hour, c.minute, c.second};
	char *at = put_digits(dst, c.year, 4);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*at++ = separators[i];
		at = put_digits(at, parts[i], 2);
	}
	if (ms > 0) {
		*at++ = '.';
		at = put_digits(at, ms, 3);
	}
	memcpy(at, "Z", 2);
}

struct reader { const char *text; size_t len, at; };

static bool digits(struct reader *r, size_t count, int *ret_value)
{
	int value = 0;
	if (r->len - r->at < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		char c = r->text[r->at + i];
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	r->at += count;
	*ret_value = value;
	return true;
}

static bool one_of(struct reader *r, const char *set)
{
	if (r->at == r->len || r->text[r->at] == '\0' || strchr(set, r->text[r->at]) == NULL)
		return false;
	r->at++;
	return true;
}

/* The digits after a point, as ns; digits past the ninth are read and dropped. */
static bool fraction(struct reader *r, int64_t *ret_ns)
{
	int64_t ns = 0, unit = WD_NS_PER_S / 10;
	int digit;
	if (!digits(r, 1, &digit))
		return false;
	do {
		ns += digit * unit;
		unit /= 10;
	} while (digits(r, 1, &digit));
	*ret_ns = ns;
	return true;
}

static bool offset_s(struct reader *r, int64_t *ret_s)
{
	int hours, minutes = 0;
	*ret_s = 0;
	if (r->at == r->len || one_of(r, "Zz"))
		return true;
	char sign = r->text[r->at];
	if (!one_of(r, "+-") || !digits(r, 2, &hours))
		return false;
	one_of(r, ":");
	if (!digits(r, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret_s = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

/* Seconds since 1970, up to 11 digits and a fraction: to the year 2262, where 64 bits of ns end. */
static bool read_epoch(struct reader *r, wd_wall *ret_t)
{
	int64_t s = 0, ns = 0;
	int digit, count = 0;
	while (count < 12 && digits(r, 1, &digit)) {
		s = s * 10 + digit;
		count++;
	}
	if (count == 0 || count > 11)
		return false;
	if (one_of(r, ".") && !fraction(r, &ns))
		return false;
	if (r->at != r->len || s > INT64_MAX / WD_NS_PER_S - 1)
		return false;
	*ret_t = wall_add(wall_s(s), (wd_span){ns});
	return true;
}

enum wd_err timetext_read(const char *text, size_t len, wd_wall *ret_t, struct wd_why *why)
{
	struct reader r = {text, len, 0};
	struct civil c = {0};
	int64_t ns = 0, east = 0;

	if (len < 5 || text[4] != '-') {
		if (read_epoch(&r, ret_t))
			return WD_OK;
		return wd_fail(why, WD_MALFORMED, (uint32_t)r.at,
			       "time is neither RFC 3339 nor seconds since 1970");
	}
	bool ok = digits(&r, 4, &c.year) && one_of(&r, "-") && digits(&r, 2, &c.month) &&
		  one_of(&r, "-") && digits(&r, 2, &c.day) && one_of(&r, "Tt ") &&
		  digits(&r, 2, &c.hour) && one_of(&r, ":") && digits(&r, 2, &c.minute);
	if (ok && one_of(&r, ":"))
		ok = digits(&r, 2, &c.second) && (!one_of(&r, ".") || fraction(&r, &ns));
	ok = ok && offset_s(&r, &east) && r.at == r.len;
	if (!ok)
		return wd_fail(why, WD_MALFORMED, (uint32_t)r.at,
			       "time is not RFC 3339, like 2025-03-10T09:45:00Z");
	if (c.year < 1700 || c.year > 2200 || c.month < 1 || c.month > 12 || c.day < 1 ||
	    c.day > days_in_month(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 60)
		return wd_fail(why, WD_MALFORMED, 0,
			       "time does not exist (or is not in the years 1700 to 2200)");
	*ret_t = wall_add(civil_to_wall(&c), (wd_span){ns - east * WD_NS_PER_S});
	return WD_OK;
}

void timetext_write_wait(char *dst, uint32_t seconds)
{
	static const struct { uint32_t s, from; const char *name; } units[] = {
		{3600, 2 * 3600, "hour"}, {60, 120, "minute"}, {1, 0, "second"}};
	size_t i = 0;

	while (seconds < units[i].from)
		i++;
	uint32_t n = seconds / units[i].s + (seconds % units[i].s > 0);
	snprintf(dst, TIMETEXT_LEN_MAX, "%u %s%s", n, units[i].name, n == 1 ? "" : "s");
}
