/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/prose.h"

#include "base/check.h"
#include "base/timetext.h"

#include <string.h>

void prose_fail_at(struct prose *p, enum wd_err err, size_t at, const char *what)
{
	if (p->err == WD_OK)
		p->err = wd_fail(p->why, err, (uint32_t)at, what);
}

void prose_fail(struct prose *p, const char *what)
{
	prose_fail_at(p, WD_MALFORMED, p->at, what);
}

bool slice_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

void prose_skip_blanks(struct prose *p)
{
	while (p->at < p->line_end && slice_blank(p->text[p->at]))
		p->at++;
}

/* Goes to the next line that says something; false at the end. */
bool prose_next_line(struct prose *p)
{
	while (p->err == WD_OK && p->next_line < p->len) {
		const char *line = p->text + p->next_line;
		const char *newline = memchr(line, '\n', p->len - p->next_line);
		size_t end = newline == NULL ? p->len : (size_t)(newline - p->text);

		p->at = p->line_end = p->next_line;
		p->next_line = end + (newline != NULL);
		/* A comment begins with # at the front of a line or after a blank. */
		while (p->line_end < end &&
		       !(p->text[p->line_end] == '#' &&
			 (p->line_end == p->at || slice_blank(p->text[p->line_end - 1]))))
			p->line_end++;
		while (p->line_end > p->at && slice_blank(p->text[p->line_end - 1]))
			p->line_end--;
		prose_skip_blanks(p);
		if (p->at < p->line_end)
			return true;
	}
	return false;
}

bool slice_is(struct slice s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.text, word, s.len) == 0;
}

/* The next word without moving; empty at the end of the line. */
struct slice prose_peek(struct prose *p)
{
	prose_skip_blanks(p);
	size_t end = p->at;
	while (end < p->line_end && !slice_blank(p->text[end]) && p->text[end] != ',')
		end++;
	return (struct slice){p->text + p->at, end - p->at};
}

struct slice prose_take(struct prose *p)
{
	struct slice s = prose_peek(p);
	p->at += s.len;
	return s;
}

bool prose_take_if(struct prose *p, const char *word)
{
	struct slice s = prose_peek(p);
	if (p->err != WD_OK || !slice_is(s, word))
		return false;
	p->at += s.len;
	return true;
}

void prose_expect(struct prose *p, const char *word, const char *what)
{
	if (!prose_take_if(p, word))
		prose_fail(p, what);
}

struct slice prose_rest(struct prose *p)
{
	prose_skip_blanks(p);
	struct slice s = {p->text + p->at, p->line_end - p->at};
	p->at = p->line_end;
	return s;
}

void prose_copy(struct prose *p, struct slice s, char *dst, size_t dst_size, const char *what)
{
	if (p->err != WD_OK)
		return;
	if (s.len == 0 || s.len >= dst_size) {
		prose_fail(p, what);
		return;
	}
	memcpy(dst, s.text, s.len);
	dst[s.len] = '\0';
}

/* "12", "0.5": at most 12 digits before the point and 9 after. */
bool slice_number(struct slice s, double *ret_value)
{
	double value = 0, unit = 1;
	size_t whole = 0, part = 0, i = 0;

	for (; i < s.len && s.text[i] >= '0' && s.text[i] <= '9'; i++, whole++)
		value = value * 10 + (s.text[i] - '0');
	if (i < s.len && s.text[i] == '.') {
		for (i++; i < s.len && s.text[i] >= '0' && s.text[i] <= '9'; i++, part++) {
			unit /= 10;
			value += (s.text[i] - '0') * unit;
		}
		if (part == 0)
			return false;
	}
	if (i < s.len || whole == 0 || whole > 12 || part > 9)
		return false;
	*ret_value = value;
	return true;
}

double prose_take_number(struct prose *p, double max, const char *what)
{
	double value = 0;
	struct slice s = prose_peek(p);
	if (!slice_number(s, &value) || value > max) {
		prose_fail(p, what);
		return 0;
	}
	p->at += s.len;
	return value;
}

bool slice_percent(struct slice s, double max, double *ret_share)
{
	double value;
	if (s.len < 2 || s.text[s.len - 1] != '%' ||
	    !slice_number((struct slice){s.text, s.len - 1}, &value) || value / 100 > max)
		return false;
	*ret_share = value / 100;
	return true;
}

double prose_take_percent(struct prose *p, double max, const char *what)
{
	double share = 0;
	struct slice s = prose_peek(p);
	if (!slice_percent(s, max, &share)) {
		prose_fail(p, what);
		return 0;
	}
	p->at += s.len;
	return share;
}

/* "2 days 6 hours and 30 minutes": one or more, at most ten years in all. */
wd_span prose_take_span(struct prose *p)
{
	static const struct {
		const char *one, *many;
		int64_t s;
	} units[] = {
		{"second", "seconds", 1}, {"minute", "minutes", 60}, {"hour", "hours", 3600},
		{"day", "days", 86400},   {"week", "weeks", 604800},
	};
	const double s_max = 10 * 366 * 86400.0;
	const char *what =
		"here stands a duration, like: 2 days 6 hours (seconds, minutes, hours, days, "
		"weeks; at most ten years)";
	double s = 0, value;
	bool any = false;

	while (p->err == WD_OK &&
	       (!any || slice_number(prose_peek(p), &value) || prose_take_if(p, "and"))) {
		value = prose_take_number(p, s_max, what);
		struct slice unit = prose_peek(p);
		size_t u = 0;
		while (u < WD_COUNT(units) && !slice_is(unit, units[u].one) &&
		       !slice_is(unit, units[u].many))
			u++;
		if (u == WD_COUNT(units) || s + value * (double)units[u].s > s_max) {
			prose_fail(p, what);
			break;
		}
		p->at += unit.len;
		s += value * (double)units[u].s;
		any = true;
	}
	return span_s((int64_t)(s + 0.5));
}

/* "2025-03-10 09:45 UTC", any RFC 3339 time, or "after 14 days 9 hours". */
wd_wall prose_take_time(struct prose *p, const wd_wall *from)
{
	wd_wall t = {0};
	if (prose_take_if(p, "after")) {
		if (from == NULL)
			prose_fail(p, "\"after\" counts from the scenario's begin: say that first");
		wd_span after = prose_take_span(p);
		return from == NULL ? t : wall_add(*from, after);
	}
	prose_skip_blanks(p);
	size_t at = p->at;
	struct slice s = prose_rest(p);
	if (s.len > 4 && memcmp(s.text + s.len - 4, " UTC", 4) == 0)
		s.len -= 4;
	if (timetext_read(s.text, s.len, &t, NULL) != WD_OK)
		prose_fail_at(p, WD_MALFORMED, at,
			      "here stands a time, like: 2025-03-10 09:45 UTC");
	return t;
}

/* "09:45" as minutes. */
int prose_take_minute(struct prose *p)
{
	const char *what = "here stands a time of day, like: 09:45";
	struct slice s = prose_peek(p);
	if (s.len != 5 || s.text[2] != ':') {
		prose_fail(p, what);
		return 0;
	}
	for (int i = 0; i < 5; i++) {
		if (i != 2 && (s.text[i] < '0' || s.text[i] > '9')) {
			prose_fail(p, what);
			return 0;
		}
	}
	int hour = (s.text[0] - '0') * 10 + s.text[1] - '0';
	int minute = (s.text[3] - '0') * 10 + s.text[4] - '0';
	if (hour > 23 || minute > 59) {
		prose_fail(p, what);
		return 0;
	}
	p->at += s.len;
	return hour * 60 + minute;
}

struct text_place text_place_of(const char *text, size_t len, size_t offset)
{
	struct text_place p = {1, 1};
	for (size_t i = 0; i < offset && i < len; i++) {
		if (text[i] == '\n')
			p = (struct text_place){p.line + 1, 1};
		else
			p.column++;
	}
	return p;
}
