/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, spans, odds and rates: the same in HTML and in text. */
#include "publish/words.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whole from 10 on, one decimal below (but no ".0"), thousands apart. */
void words_count(struct buf *b, double n)
{
	char digits[32];

	if (!isfinite(n) || n < 0)
		n = 0;
	if (n > 9e15)
		n = 9e15;
	double tenths = round(n * 10);
	if (n < 10 && fmod(tenths, 10) != 0) {
		buf_fmt(b, "%.1f", tenths / 10);
		return;
	}
	int len = snprintf(digits, sizeof(digits), "%.0f", round(n));
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_char(b, ',');
		buf_char(b, digits[i]);
	}
}

void words_number(struct buf *b, double n)
{
	if (!isfinite(n))
		n = 0;
	if (fabs(n) < 999.5) {
		buf_fmt(b, "%.3g", n == 0 ? 0 : n); /* no "-0" */
		return;
	}
	buf_str(b, n < 0 ? "-" : "");
	words_count(b, fabs(n));
}

void words_ratio(struct buf *b, double observed, double expected)
{
	/* Below one in ten a ratio would say more than is known. */
	double ratio = observed / fmax(expected, 0.1);
	words_count(b, ratio < 10 ? ratio : round(ratio));
}

void words_times(struct buf *b, double observed, double expected)
{
	words_ratio(b, observed, expected);
	buf_str(b, " × usual");
}

void words_span(struct buf *b, wd_span d)
{
	int64_t minutes = (span_to_s(d) + 30) / 60;

	if (minutes < 1)
		buf_str(b, "under a minute");
	else if (minutes < 60)
		buf_fmt(b, "%d min", (int)minutes);
	else if (minutes < 48 * 60 && minutes % 60 == 0)
		buf_fmt(b, "%d h", (int)(minutes / 60));
	else if (minutes < 48 * 60)
		buf_fmt(b, "%d h %d min", (int)(minutes / 60), (int)(minutes % 60));
	else
		buf_fmt(b, "%d d %d h", (int)(minutes / 1440), (int)(minutes % 1440 / 60));
}

void words_odds(struct buf *b, double log10_return, wd_span step)
{
	static const struct {
		double s;
		const char *one, *many;
	} units[] = {
		{365.25 * 86400, "a year", "years"},
		{30.44 * 86400, "a month", "months"},
		{86400, "a day", "days"},
		{3600, "an hour", "hours"},
		{60, "a minute", "minutes"},
	};
	double s = pow(10, fmin(log10_return, 30)) * (double)step.ns / 1e9;

	if (s >= 1000 * units[0].s) {
		buf_str(b, "less than once in 1,000 years");
		return;
	}
	for (size_t i = 0; i < WD_COUNT(units); i++) {
		double n = round(s / units[i].s);
		if (n < 1)
			continue;
		if (n < 2) {
			buf_fmt(b, "once %s", units[i].one);
			return;
		}
		buf_str(b, "once in ");
		words_count(b, n);
		buf_fmt(b, " %s", units[i].many);
		return;
	}
	buf_str(b, "all the time");
}

void words_place(struct buf *b, size_t place)
{
	static const char *const ends[] = {"th", "st", "nd", "rd"};
	bool teen = place % 100 / 10 == 1;

	if (place == 1)
		return;
	buf_u64(b, place);
	buf_str(b, !teen && place % 10 < 4 ? ends[place % 10] : "th");
	buf_char(b, ' ');
}

void words_rate(struct buf *b, double a_second, const char *unit)
{
	static const char *const prefixes[] = {"", "k", "M", "G", "T"};
	bool bits = strncmp(unit, "bit", 3) == 0;
	double scaled = isfinite(a_second) && a_second > 0 ? a_second : 0;
	size_t p = 0;

	if (scaled <= 0 || (!bits && scaled < 1e6)) {
		words_count(b, scaled);
		buf_fmt(b, " %s", unit);
		return;
	}
	for (; scaled >= 999.5 && p + 1 < sizeof(prefixes) / sizeof(prefixes[0]); p++)
		scaled /= 1000;
	buf_fmt(b, scaled < 9.95 ? "%.1f" : "%.0f", scaled);
	buf_fmt(b, bits ? " %s%s" : p > 0 ? " %s %s" : "%s %s", prefixes[p], unit);
}
