/* SPDX-License-Identifier: Apache-2.0 */
/* Times, in the forms in which servers write them:
 *	17/May/2015:10:05:03 +0000	Apache, nginx; also with .123 and without a zone (HAProxy)
 *	2015-05-17T10:05:03.123+00:00	RFC 3339 and its cousins; a space, 'Z' or no zone
 *	1431857103[.123]		seconds since 1970; 13, 16 and 19 digits are ms, us, ns
 * Neighbouring lines have the same second, so the last one's is kept as text and as number. */
#include "base/timetext.h"
#include "decode/accesslog_field.h"

static bool two(const char *p, int *ret)
{
	*ret = (p[0] - '0') * 10 + (p[1] - '0');
	return is_digit(p[0]) && is_digit(p[1]);
}

static int month_of(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, p, 3) == 0)
			return i + 1;
	return 0;
}

static bool civil_is_sound(const struct civil *c)
{
	return c->year >= 1971 && c->year <= 2199 && c->month >= 1 && c->month <= 12 &&
	       c->day >= 1 && c->day <= 31 && c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

/* "17/May/2015:10:05:03" */
static bool read_clf(const char *p, struct civil *c)
{
	int century, year;

	if (!two(p, &c->day) || p[2] != '/' || (c->month = month_of(p + 3)) == 0 || p[6] != '/' ||
	    !two(p + 7, &century) || !two(p + 9, &year) || p[11] != ':' ||
	    !two(p + 12, &c->hour) || p[14] != ':' || !two(p + 15, &c->minute) || p[17] != ':' ||
	    !two(p + 18, &c->second))
		return false;
	c->year = century * 100 + year;
	return civil_is_sound(c);
}

/* "2015-05-17T10:05:03" */
static bool read_iso(const char *p, struct civil *c)
{
	int century, year;

	if (!two(p, &century) || !two(p + 2, &year) || p[4] != '-' || !two(p + 5, &c->month) ||
	    p[7] != '-' || !two(p + 8, &c->day) || (p[10] != 'T' && p[10] != ' ') ||
	    !two(p + 11, &c->hour) || p[13] != ':' || !two(p + 14, &c->minute) || p[16] != ':' ||
	    !two(p + 17, &c->second))
		return false;
	c->year = century * 100 + year;
	return civil_is_sound(c);
}

/* ".123" in ns; *at moves behind it. */
static int64_t fraction(const char **at, const char *end)
{
	int64_t ns = 0, unit = WD_NS_PER_S / 10;
	const char *p = *at;

	if (p == end || (*p != '.' && *p != ','))
		return 0;
	for (p++; p < end && is_digit(*p); p++, unit /= 10)
		ns += (*p - '0') * unit;
	*at = p;
	return ns;
}

/* " +0100", "+01:00", "Z" or nothing. */
static bool offset(const char *p, const char *end, wd_span usual, int64_t *ret_s)
{
	int hours, minutes, sign;

	*ret_s = span_to_s(usual);
	if (p < end && *p == ' ')
		p++;
	if (p == end)
		return true;
	*ret_s = 0;
	if (end - p == 1)
		return *p == 'Z';
	sign = *p == '-' ? -1 : 1;
	if ((*p != '+' && *p != '-') || (end - p != 5 && (end - p != 6 || p[3] != ':')) ||
	    !two(p + 1, &hours) || !two(end - 2, &minutes))
		return false;
	*ret_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool since_1970(const char *p, const char *end, wd_wall *ret)
{
	const int64_t s_max = INT64_C(7258118400); /* the year 2200 */
	int64_t n = 0;
	const char *begin = p;

	for (; p < end && is_digit(*p) && p - begin < 19; p++) {
		if (n > INT64_MAX / 10 - 1)
			return false;
		n = n * 10 + (*p - '0');
	}
	int64_t digits = p - begin;
	int64_t rest = fraction(&p, end);
	if (p != end || digits == 0)
		return false;
	if (digits <= 10 && n < s_max)
		ret->ns = n * WD_NS_PER_S + rest;
	else if (digits == 13 && n < s_max * 1000)
		ret->ns = n * 1000000 + rest / 1000;
	else if (digits == 16 && n < s_max * 1000000)
		ret->ns = n * 1000;
	else if (digits == 19 && n < s_max * WD_NS_PER_S)
		ret->ns = n;
	else
		return false;
	return true;
}

static bool read_time(struct accesslog *a, const char *at, const char *end, wd_wall *ret)
{
	size_t len = (size_t)(end - at);
	struct civil c;
	int64_t offset_s;

	if (len >= 2 && *at == '[' && end[-1] == ']') {
		at++;
		end--;
		len -= 2;
	}
	size_t head = len > 4 && at[4] == '-' ? 19 : 20;
	if (len < head || is_digit(at[2]) != (head == 19))
		return since_1970(at, end, ret);
	if (a->time_head != head || memcmp(a->time_text, at, head) != 0) {
		if (head == 19 ? !read_iso(at, &c) : !read_clf(at, &c))
			return false;
		a->time_s = wall_to_s(civil_to_wall(&c));
		a->time_head = (uint8_t)head;
		a->time_len = 0;
		memcpy(a->time_text, at, head);
	}
	const char *rest = at + head;
	int64_t ns = fraction(&rest, end);
	if (!offset(rest, end, a->zone, &offset_s))
		return false;
	ret->ns = (a->time_s - offset_s) * WD_NS_PER_S + ns;
	if (len <= sizeof(a->time_text)) {
		memcpy(a->time_text + head, at + head, len - head);
		a->time_len = (uint8_t)len;
		a->time = *ret;
		a->time_zone = a->zone;
	}
	return true;
}

bool accesslog_time(struct accesslog *a, const char *at, const char *end, wd_wall *ret)
{
	if (a->time_len > 0 && (size_t)(end - at) == a->time_len &&
	    a->time_zone.ns == a->zone.ns && memcmp(a->time_text, at, a->time_len) == 0) {
		*ret = a->time;
		return true;
	}
	return read_time(a, at, end, ret);
}
