/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tzrule.h"

#include "base/timetext.h"

#include <string.h>

/* What is left of the text; sticks at bad. */
struct scan { const char *at, *end; bool bad; };

static bool next_is(struct scan *s, char c)
{
	if (s->bad || s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static void expect(struct scan *s, char c)
{
	s->bad |= !next_is(s, c);
}

static int number(struct scan *s, int max)
{
	int n = 0;
	const char *begin = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9' && n <= max)
		n = n * 10 + (*s->at++ - '0');
	s->bad |= s->at == begin || n > max;
	return n;
}

/* "EST" or "<+0530>": at least three characters, which we have no use for. */
static void designation(struct scan *s)
{
	const char *begin = s->at;
	if (next_is(s, '<')) {
		while (s->at < s->end && *s->at != '>')
			s->at++;
		expect(s, '>');
		return;
	}
	while (s->at < s->end &&
	       ((*s->at >= 'A' && *s->at <= 'Z') || (*s->at >= 'a' && *s->at <= 'z')))
		s->at++;
	s->bad |= s->at - begin < 3;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static int32_t hours(struct scan *s, int hours_max)
{
	bool negative = next_is(s, '-');
	if (!negative)
		(void)next_is(s, '+');
	int32_t time_s = number(s, hours_max) * 3600;
	if (next_is(s, ':')) {
		time_s += number(s, 59) * 60;
		if (next_is(s, ':'))
			time_s += number(s, 59);
	}
	return negative ? -time_s : time_s;
}

static struct tzrule_date date(struct scan *s)
{
	struct tzrule_date d = {.kind = '0', .time_s = 2 * 3600};
	expect(s, ',');
	if (next_is(s, 'M')) {
		d.kind = 'M';
		d.month = number(s, 12);
		expect(s, '.');
		d.week = number(s, 5);
		expect(s, '.');
		d.day = number(s, 6);
		s->bad |= d.month == 0 || d.week == 0;
	} else if (next_is(s, 'J')) {
		d.kind = 'J';
		d.day = number(s, 365);
		s->bad |= d.day == 0;
	} else {
		d.day = number(s, 365);
	}
	if (next_is(s, '/'))
		d.time_s = hours(s, 167);
	return d;
}

bool tzrule_read(const char *text, size_t len, struct tzrule *ret_rule)
{
	struct scan s = {text, text + len, false};
	struct tzrule rule = {.daylight = false};

	designation(&s);
	rule.standard_east_s = -hours(&s, 24); /* POSIX counts west of Greenwich */
	if (!s.bad && s.at < s.end) {
		rule.daylight = true;
		designation(&s);
		rule.daylight_east_s = rule.standard_east_s + 3600;
		if (!s.bad && s.at < s.end && *s.at != ',')
			rule.daylight_east_s = -hours(&s, 24);
		rule.begin = date(&s);
		rule.end = date(&s);
	}
	if (s.bad || s.at != s.end)
		return false;
	*ret_rule = rule;
	return true;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Begin of that day in that year, in seconds since 1970, as if it were UTC. */
static int64_t date_s(const struct tzrule_date *d, int year)
{
	struct civil first = {.year = year, .month = d->kind == 'M' ? d->month : 1, .day = 1};
	int64_t first_s = wall_to_s(civil_to_wall(&first));
	int day = d->day; /* since `first`, from here on */

	if (d->kind == 'J') {
		day = d->day - 1 + (is_leap(year) && d->day >= 60);
	} else if (d->kind == 'M') {
		static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
		int month_days = lengths[d->month - 1] + (d->month == 2 && is_leap(year));
		int sunday_based = (civil_weekday(wall_s(first_s)) + 1) % 7;
		day = (d->day - sunday_based + 7) % 7 + (d->week - 1) * 7;
		if (day >= month_days)
			day -= 7; /* week 5 is the last one, which may be the fourth */
	}
	return first_s + day * INT64_C(86400);
}

void tzrule_year(const struct tzrule *rule, int year, struct zone_change ret_changes[2])
{
	struct zone_change begin = {
		date_s(&rule->begin, year) + rule->begin.time_s - rule->standard_east_s,
		rule->daylight_east_s};
	struct zone_change end = {date_s(&rule->end, year) + rule->end.time_s -
					  rule->daylight_east_s,
				  rule->standard_east_s};
	bool in_order = begin.at_s <= end.at_s; /* not so in the south */
	ret_changes[0] = in_order ? begin : end;
	ret_changes[1] = in_order ? end : begin;
}
