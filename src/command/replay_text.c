/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_text.h"

#include "base/text.h"
#include "base/timetext.h"
#include "command/replay_trace.h"
#include "publish/words.h"
#include "publish/words_traffic.h"

#include <math.h>

void replay_text_plain(struct buf *b, const char *text)
{
	for (size_t len; *text != '\0'; text += len) {
		bool plain;
		len = text_character(text, &plain);
		buf_add(b, plain ? text : " ", plain ? len : 1);
	}
}

/* "2025-03-10 09:45" */
static void add_time(struct buf *b, wd_wall t)
{
	struct civil c = civil_of(t);
	buf_fmt(b, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
}

/* "09:45", or the whole date where the day is another one */
static void add_time_after(struct buf *b, wd_wall t, wd_wall before)
{
	struct civil c = civil_of(t), d = civil_of(before);
	if (c.year == d.year && c.month == d.month && c.day == d.day)
		buf_fmt(b, "%02d:%02d", c.hour, c.minute);
	else
		add_time(b, t);
}

/* "8 h 35 min" */
static void add_span(struct buf *b, wd_span span)
{
	int64_t minutes = (span_to_s(span) + 30) / 60;
	if (span_to_s(span) < 120) {
		words_seconds(b, span);
		return;
	}
	if (minutes >= 1440)
		buf_fmt(b, "%lld d ", (long long)(minutes / 1440));
	if (minutes >= 60)
		buf_fmt(b, "%lld h ", (long long)(minutes / 60 % 24));
	buf_fmt(b, "%lld min", (long long)(minutes % 60));
}

static void add_number(struct buf *b, float x)
{
	buf_fmt(b, fabsf(x) < 10 && x != floorf(x) ? "%.1f" : "%.0f", (double)x);
}

static void add_value(struct buf *b, const struct incident *i, float x)
{
	if (i->metric)
		words_number(b, (double)x);
	else
		add_number(b, x);
}

/* How often normal reports do this: 10^log10_return buckets. */
static void add_odds(struct buf *b, float log10_return, wd_span step)
{
	double years = pow(10, (double)log10_return) * (double)step.ns / (365.25 * 86400e9);
	if (years >= 1e6)
		buf_str(b, "less than once in a million years");
	else if (years >= 2)
		buf_fmt(b, "once in %.0f years", years);
	else if (years * 365.25 >= 2)
		buf_fmt(b, "once in %.0f days", years * 365.25);
	else
		buf_fmt(b, "once in %.0f hours", years * 365.25 * 24);
}

static void add_waves(struct buf *b, const struct incident *i)
{
	if (i->wave_count < 2)
		return;
	buf_fmt(b, "  %u waves:", i->wave_count + i->waves_dropped);
	for (uint32_t n = 0; n < i->wave_count; n++) {
		const struct wave *w = &i->waves[n];
		buf_str(b, n == 0 ? " " : "; ");
		add_time_after(b, w->began_at, n == 0 ? i->began_at : i->waves[n - 1].began_at);
		if (w->ended_at.ns != 0) {
			buf_str(b, " to ");
			add_time_after(b, w->ended_at, w->began_at);
		}
		if (i->metric && w->peak_packets_per_s <= 0 && w->peak_requests_per_s <= 0) {
			buf_str(b, ", farthest ");
			add_value(b, i, w->peak_observed);
		} else if (w->peak_observed > 0) {
			buf_str(b, ", peak ");
			add_number(b, w->peak_observed);
		} else if (w->peak_packets_per_s > 0) {
			buf_str(b, ", peak ");
			words_rate(b, (double)w->peak_packets_per_s, "packets/s");
		} else if (w->peak_requests_per_s > 0) {
			buf_str(b, ", peak ");
			words_rate(b, (double)w->peak_requests_per_s, "requests/s");
		}
	}
	buf_char(b, '\n');
}

static void add_scope(struct buf *b, const struct incident *i)
{
	if (i->scope_count == 0)
		return;
	buf_str(b, "  scope:");
	for (uint32_t n = 0; n < i->scope_count; n++) {
		const struct scope *s = &i->scopes[n];
		buf_fmt(b, "%s %s ", n == 0 ? "" : ",", dimension_name(s->dimension));
		replay_text_plain(b, s->value);
	}
	if (i->scope_dropped > 0)
		buf_fmt(b, " and %u more", i->scope_dropped);
	buf_char(b, '\n');
}

/* Was it the reports that decided, not a flood that was there before them? */
static bool reports_decided(const struct incident *i)
{
	uint32_t kinds = incident_kinds(i);
	return ((kinds & INCIDENT_TRAFFIC) == 0 || i->traffic.decided_at.ns != i->decided_at.ns) &&
	       ((kinds & INCIDENT_REQUESTS) == 0 || i->requests.decided_at.ns != i->decided_at.ns);
}

static void add_reports(struct buf *b, const struct incident *i)
{
	if (reports_decided(i)) {
		buf_str(b, "  decided ");
		add_time_after(b, i->decided_at, i->began_at);
		buf_str(b, ": by chance ");
		add_odds(b, i->log10_return_decided, i->step);
		buf_char(b, '\n');
	}
	/* A metric may have fallen: then its farthest value is at no peak. */
	buf_str(b, i->metric ? "  farthest from usual " : "  peak ");
	add_value(b, i, i->peak_observed);
	buf_str(b, " in ");
	add_span(b, i->step);
	buf_str(b, " at ");
	add_time_after(b, i->peak_at, i->began_at);
	buf_str(b, ", usual ");
	add_value(b, i, i->peak_expected);
	if (i->persons > 0)
		buf_fmt(b, "; %u persons in %u networks", i->persons, i->networks);
	buf_char(b, '\n');
}

void replay_text_incident(struct buf *b, const struct incident *i, const struct trace *trace,
			  const struct vector_book *book)
{
	replay_text_plain(b, i->service);
	buf_str(b, ": ");
	add_time(b, i->began_at);
	if (i->ended_at.ns != 0) {
		buf_str(b, " to ");
		add_time_after(b, i->ended_at, i->began_at);
		buf_str(b, " UTC, ");
		add_span(b, incident_duration(i, i->ended_at));
	} else
		buf_str(b, " UTC, still on at the end of the recording");
	buf_fmt(b, ", %s%s\n", severity_name(incident_severity_word(i)),
		i->reconstruction ? " (a reconstruction)" : "");

	if ((incident_kinds(i) & INCIDENT_REPORTS) != 0)
		add_reports(b, i);
	add_waves(b, i);
	add_scope(b, i);
	replay_text_trace(b, i, trace, book);
}

void replay_text_coordinated(struct buf *b, const struct coordinated *c)
{
	replay_text_plain(b, c->service);
	buf_str(b, ": ");
	add_time(b, c->began_at);
	buf_str(b, " UTC, reports.coordinated: no incident\n  ");
	add_number(b, c->observed);
	buf_str(b, " reports in 4 min, usual ");
	add_number(b, c->expected);
	if (c->top_share > 0) {
		buf_fmt(b, "; %.0f%% of them from ", 100 * (double)c->top_share);
		replay_text_plain(b, c->top_network[0] != '\0' ? c->top_network : "one network");
	}
	buf_fmt(b, "; in up to half an hour %u person%s in %u network%s\n", c->persons,
		c->persons == 1 ? "" : "s", c->networks, c->networks == 1 ? "" : "s");
}
