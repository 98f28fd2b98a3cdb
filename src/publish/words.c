/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/words.h"

#include "base/check.h"
#include "base/timetext.h"
#include "model/country.h"
#include "publish/words_traffic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char words_reconstruction[] =
	"Reconstruction: played from a scenario, not observed by this site.";

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void words_text(const struct words *w, const char *text)
{
	if (w->html)
		buf_html(w->out, text);
	else
		buf_str(w->out, text);
}

/* Hebrew, Arabic, Syriac, Thaana, NKo … and their presentation forms; all of UTF-8. */
static bool is_from_right(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if ((*p == 0xd6 && p[1] >= 0x90) || (*p >= 0xd7 && *p <= 0xdf) ||
		    (*p == 0xe0 &&
		     (p[1] == 0xa0 || p[1] == 0xa1 || p[1] == 0xa2 || p[1] == 0xa3)) ||
		    (*p == 0xef &&
		     ((p[1] >= 0xac && p[1] <= 0xb7) || (p[1] >= 0xb9 && p[1] <= 0xbb))) ||
		    (*p == 0xf0 && ((p[1] == 0x90 && p[2] >= 0xa0) || p[1] == 0x9e)))
			return true;
	}
	return false;
}

void words_name(const struct words *w, const char *name)
{
	bool apart = is_from_right(name);

	if (apart) /* U+2068 and U+2069 */
		buf_str(w->out, w->html ? "<bdi>" : "\xe2\x81\xa8");
	words_text(w, name);
	if (apart)
		buf_str(w->out, w->html ? "</bdi>" : "\xe2\x81\xa9");
}

static void time_open(const struct words *w, wd_wall t, const char *class)
{
	char iso[TIMETEXT_LEN_MAX];
	if (!w->html)
		return;
	timetext_write(iso, wall_s(wall_to_s(t)));
	buf_fmt(w->out, "<time class=\"%s\" datetime=\"%s\">", class, iso);
}

static void time_close(const struct words *w)
{
	if (w->html)
		buf_str(w->out, "</time>");
}

void words_time(const struct words *w, wd_wall t)
{
	struct civil c = civil_of(t), today = civil_of(w->now);
	bool same_day = !w->dated && c.year == today.year && c.month == today.month &&
			c.day == today.day;

	time_open(w, t, w->dated ? "whole" : same_day ? "h" : "dh");
	if (!same_day)
		buf_fmt(w->out, "%d %s %d, ", c.day, months[c.month - 1], c.year);
	buf_fmt(w->out, "%02d:%02d UTC", c.hour, c.minute);
	time_close(w);
}

void words_second(const struct words *w, wd_wall t)
{
	struct civil c = civil_of(t), today = civil_of(w->now);
	bool same_day = !w->dated && c.year == today.year && c.month == today.month &&
			c.day == today.day;

	time_open(w, t, w->dated ? "wholes" : same_day ? "hs" : "dhs");
	if (!same_day)
		buf_fmt(w->out, "%d %s %d, ", c.day, months[c.month - 1], c.year);
	buf_fmt(w->out, "%02d:%02d:%02d UTC", c.hour, c.minute, c.second);
	time_close(w);
}

void words_date(const struct words *w, wd_wall t)
{
	struct civil c = civil_of(t);
	time_open(w, t, "d");
	buf_fmt(w->out, "%d %s %d", c.day, months[c.month - 1], c.year);
	time_close(w);
}

/* "2026-01" */
static void write_month(struct buf *b, wd_wall t)
{
	struct civil c = civil_of(t);
	buf_fmt(b, "%04d-%02d", c.year, c.month);
}

/* A count of reports or a value. */
static void put_number(struct buf *b, bool metric, double n)
{
	if (metric)
		words_number(b, n);
	else
		words_count(b, n);
}

static void where_usual(struct buf *b, double observed, double expected)
{
	words_number(b, observed);
	buf_str(b, " where ");
	words_number(b, expected);
	buf_str(b, " is usual");
}

const char *status_name(enum status s)
{
	static const char *const names[] = {"unknown", "usual", "unusual", "incident"};
	WD_CHECK((unsigned)s < WD_COUNT(names));
	return names[s];
}

const char *status_label(enum status s)
{
	return s == STATUS_UNKNOWN ? "learning" : status_name(s);
}

const struct service_state *snapshot_service(const struct snapshot *snapshot, const char *id)
{
	size_t index = catalogue_index(snapshot->catalogue, id);
	return index < snapshot->service_count ? snapshot->services[index] : NULL;
}

const char *service_title(const struct snapshot *snapshot, const char *id)
{
	const struct service_state *s = snapshot_service(snapshot, id);
	return s != NULL ? s->service->name : id;
}

/* The last bucket of the day is unfinished: the one before it is what happened. */
struct now service_now(const struct service_state *s)
{
	if (s->day.count >= 2) {
		const struct point *p = &s->day.points[s->day.count - 2];
		return (struct now){point_is_seen(p), p->observed, p->expected, p->low, p->high,
				    s->day.step, {0}};
	}
	return (struct now){s->first_seen_at.ns != 0, s->observed_now, s->expected_now,
			    s->low_now, s->high_now, span_s(60), {0}};
}

/* The newest value among the last of the day; the running bucket may have one already. */
static struct now newest_value(const struct service_state *s, struct now now)
{
	enum { BACK_MAX = 3 };

	for (size_t back = 2; !now.seen && back <= 2 + BACK_MAX && back <= s->day.count; back++) {
		size_t n = s->day.count - back;
		const struct point *p = &s->day.points[n];
		if (!point_is_seen(p))
			continue;
		now = (struct now){true, p->observed, p->expected, p->low, p->high, s->day.step,
				   wall_add(s->day.begin,
					    (wd_span){s->day.step.ns * (int64_t)(n + 1)})};
	}
	return now;
}

struct now service_newest(const struct service_state *s)
{
	struct now now = service_now(s);

	if (s->metric)
		return newest_value(s, now);
	if (s->status != STATUS_INCIDENT || s->day.count < 2 ||
	    s->step_now.ns <= 0 || s->step_now.ns >= s->day.step.ns ||
	    !(s->day.points[s->day.count - 1].observed > now.observed))
		return now;
	return (struct now){true, s->observed_now, s->expected_now, s->low_now, s->high_now,
			    s->step_now, {0}};
}

void words_unit(char dst[WORDS_UNIT_MAX], const struct service_state *s,
		const struct series *series)
{
	int minutes = (int)(span_to_s(series->step) / 60);
	const char *what = "reports";

	if (s->metric && minutes < 60)
		snprintf(dst, WORDS_UNIT_MAX, "(means of %d min)", minutes > 0 ? minutes : 1);
	else if (s->metric)
		snprintf(dst, WORDS_UNIT_MAX, "(means of %d h)", minutes / 60);
	else if (minutes == 60)
		snprintf(dst, WORDS_UNIT_MAX, "%s an hour", what);
	else if (minutes > 60 && minutes % 60 == 0)
		snprintf(dst, WORDS_UNIT_MAX, "%s in %d hours", what, minutes / 60);
	else
		snprintf(dst, WORDS_UNIT_MAX, "%s in %d minutes", what, minutes);
}

static void now_counts(const struct words *w, const struct service_state *s)
{
	struct now now = service_newest(s);

	if (!now.seen) {
		buf_str(w->out, s->metric ? "no value came" : "nothing was seen");
		return;
	}
	put_number(w->out, s->metric, now.observed);
	buf_str(w->out, now.until.ns != 0 ? " in the "
			: s->metric       ? " over the last "
					  : " in the last ");
	int64_t minutes = span_to_s(now.step) / 60;
	if (minutes <= 1)
		buf_str(w->out, "minute");
	else if (minutes < 60)
		buf_fmt(w->out, "%d minutes", (int)minutes);
	else
		words_span(w->out, now.step);
	if (now.until.ns != 0) {
		buf_str(w->out, " until ");
		words_time(w, now.until);
	}
	buf_str(w->out, ", ");
	put_number(w->out, s->metric, now.expected);
	buf_str(w->out, " is usual");
}

static void status_coordinated(const struct words *w, const struct service_state *s)
{
	const struct coordinated *c = &s->coordinated;

	words_text(w, "Reports about ");
	words_name(w, s->service->name);
	words_text(w, " rose at ");
	words_time(w, c->began_at);
	words_text(w, ", but not broadly enough to call it an incident: ");
	buf_u64(w->out, c->persons);
	words_text(w, c->persons == 1 ? " person in " : " persons in ");
	buf_u64(w->out, c->networks);
	words_text(w, c->networks == 1 ? " network made them" : " networks made them");
	if (c->networks > 1 && c->top_share > 0) {
		buf_fmt(w->out, ", %.0f %% of the last minutes' in one network",
			(double)c->top_share * 100);
		words_text(w, c->top_network[0] != '\0' ? ", " : "");
		words_text(w, c->top_network);
	}
	words_text(w, ".");
}

void words_status(const struct words *w, const struct snapshot *snapshot,
		  const struct service_state *s)
{
	if (words_traffic_status(w, snapshot, s))
		return;
	switch (s->status) {
	case STATUS_UNKNOWN:
		words_text(w, s->first_seen_at.ns == 0 ? "No report about " : "What is usual for ");
		words_name(w, s->service->name);
		words_text(w, s->first_seen_at.ns == 0
				      ? " yet. What is usual is learned from the first ones."
				      : " is still being learned.");
		return;
	case STATUS_USUAL:
		words_text(w, s->metric ? "Nothing unusual at "
					: "User reports indicate no current problems at ");
		words_name(w, s->service->name);
		words_text(w, ": ");
		break;
	case STATUS_UNUSUAL:
		if (s->coordinated.service[0] != '\0' &&
		    wall_sub(snapshot->now, s->coordinated.last_at).ns < span_s(3600).ns) {
			status_coordinated(w, s);
			return;
		}
		words_text(w, s->metric ? "Unusual values at "
					: "More user reports than usual about ");
		words_name(w, s->service->name);
		words_text(w, ", not enough to call it an incident: ");
		break;
	case STATUS_INCIDENT: {
		const struct incident *i = s->incident < snapshot->incident_count
						   ? &snapshot->incidents[s->incident]
						   : NULL;
		bool recovering = i != NULL && i->state == INCIDENT_RECOVERING;
		if (s->metric)
			words_text(w, recovering ? "Back to usual: " : "Far from usual: ");
		else
			words_text(w, recovering
					      ? "User reports are back to usual after problems at "
					      : "User reports indicate problems at ");
		words_name(w, s->service->name);
		if (i != NULL) {
			words_text(w, " since ");
			words_time(w, i->began_at);
		}
		words_text(w, ": ");
		break;
	}
	}
	now_counts(w, s);
	buf_char(w->out, '.');
}

void words_status_odds(const struct words *w, const struct snapshot *snapshot,
		       const struct service_state *s)
{
	if (s->status == STATUS_INCIDENT && s->incident < snapshot->incident_count)
		words_incident_odds(w, &snapshot->incidents[s->incident]);
	else if (words_traffic_odds(w, s))
		return;
	else if (s->status == STATUS_UNUSUAL && s->log10_return > 0) {
		words_text(w, s->metric ? "What is normal does this " : "Normal reports do this ");
		words_odds(w->out, s->log10_return, span_s(60));
		words_text(w, ".");
	}
}

/* Which kind of signal stands for an incident where there is room for one number: reports if
 * they carry it, else the traffic, else the requests. */
static enum incident_kind main_kind(const struct incident *i)
{
	uint32_t kinds = incident_kinds(i);
	return kinds & INCIDENT_REPORTS	  ? INCIDENT_REPORTS
	       : kinds & INCIDENT_TRAFFIC ? INCIDENT_TRAFFIC
					  : INCIDENT_REQUESTS;
}

/* In seconds where a report's minute does not set the grain. */
static void words_duration(struct buf *b, const struct incident *i, wd_wall now)
{
	wd_span d = incident_duration(i, now);
	if (incident_kinds(i) & INCIDENT_REPORTS)
		words_span(b, d);
	else
		words_seconds(b, d);
}

void words_strength(struct buf *b, const struct incident *i)
{
	switch (main_kind(i)) {
	case INCIDENT_TRAFFIC:
		words_rate(b, i->traffic.peak_packets_per_s, "packets/s");
		return;
	case INCIDENT_REQUESTS:
		words_rate(b, i->requests.peak_requests_per_s, "requests/s");
		return;
	default:
		if (i->metric)
			where_usual(b, i->peak_observed, i->peak_expected);
		else
			words_times(b, i->peak_observed, i->peak_expected);
	}
}

static bool is_of_values(const struct incident *i)
{
	return i->metric && main_kind(i) == INCIDENT_REPORTS;
}

const char *words_strength_label(const struct incident *i)
{
	return is_of_values(i) ? "Farthest from usual" : "Peak";
}

/* ", DNS amplification", if it is known */
static void headline_vector(const struct words *w, const struct snapshot *snapshot,
			    const struct incident *i)
{
	bool named = (incident_kinds(i) & INCIDENT_TRAFFIC && i->traffic.vector_count > 0) ||
		     (incident_kinds(i) & INCIDENT_REQUESTS && i->requests.finding_count > 0);
	words_text(w, named ? ", " : "");
	words_main_vector(w, snapshot, i);
}

void words_headline(const struct words *w, const struct snapshot *snapshot,
		    const struct incident *i)
{
	words_name(w, service_title(snapshot, i->service));
	if (i->state == INCIDENT_CLOSED) {
		words_text(w, ": incident of ");
		words_duration(w->out, i, w->now);
		words_text(w, " on ");
		words_date(w, i->began_at);
		headline_vector(w, snapshot, i);
		return;
	}
	words_text(w, i->state == INCIDENT_RECOVERING ? ": recovering, incident since "
						      : ": incident since ");
	words_time(w, i->began_at);
	headline_vector(w, snapshot, i);
	words_text(w, ", ");
	words_strength(w->out, i);
	words_text(w, is_of_values(i) ? " at the farthest" : " at its peak");
}

void words_rank(const struct words *w, const struct snapshot *snapshot, const struct incident *i)
{
	struct rank rank = snapshot_rank(snapshot, i);

	if (rank.of <= 1) {
		words_text(w, "The only incident of ");
		words_name(w, service_title(snapshot, i->service));
	} else {
		words_place(w->out, rank.by_duration);
		words_text(w, rank.by_duration == 1 ? "Longest and " : "longest and ");
		words_place(w->out, rank.by_severity);
		words_text(w, "most severe of ");
		buf_u64(w->out, rank.of);
		words_text(w, " for ");
		words_name(w, service_title(snapshot, i->service));
	}
	words_text(w, " since ");
	write_month(w->out, snapshot->since);
}

static void words_reports_peak(const struct words *w, const struct incident *i)
{
	if (i->metric) {
		where_usual(w->out, i->peak_observed, i->peak_expected);
		words_text(w, " (");
		words_span(w->out, i->step);
		words_text(w, ")");
		return;
	}
	words_count(w->out, i->peak_observed);
	words_text(w, " in ");
	words_span(w->out, i->step);
	words_text(w, " where ");
	words_count(w->out, i->peak_expected);
	words_text(w, " is usual");
}

void words_peak(const struct words *w, const struct incident *i)
{
	enum incident_kind kind = main_kind(i);

	words_text(w, is_of_values(i) ? "Farthest from usual, " : "At its peak, ");
	words_time(w, kind == INCIDENT_TRAFFIC	  ? i->traffic.peak_at
		      : kind == INCIDENT_REQUESTS ? i->requests.peak_at
						  : i->peak_at);
	words_text(w, ", ");
	if (kind == INCIDENT_TRAFFIC)
		words_traffic_peak(w, &i->traffic);
	else if (kind == INCIDENT_REQUESTS)
		words_requests_peak(w, &i->requests);
	else
		words_reports_peak(w, i);
	words_text(w, "; ");
	words_duration(w->out, i, w->now);
	words_text(w, i->ended_at.ns == 0 ? " so far" : " in all");
	if (i->wave_count > 1) {
		words_text(w, " in ");
		buf_u64(w->out, i->wave_count);
		words_text(w, " waves");
	}
	words_text(w, ".");
}

void words_incident(const struct words *w, const struct snapshot *snapshot,
		    const struct incident *i)
{
	words_peak(w, i);
	words_text(w, " ");
	size_t before = w->out->len;
	words_attack(w, snapshot, i);
	words_text(w, w->out->len > before ? " " : "");
	words_rank(w, snapshot, i);
	words_text(w, ".");
	if (i->reconstruction) {
		words_text(w, " ");
		words_text(w, words_reconstruction);
	}
}

void words_value(const struct words *w, const struct service *s, enum dimension d,
		 const char *value)
{
	const struct term *term = NULL;

	if (s != NULL && d == DIMENSION_SURFACE)
		term = service_surface(s, value);
	if (s != NULL && d == DIMENSION_PROBLEM)
		term = service_problem(s, value);
	if (term != NULL) {
		words_text(w, term->name);
		return;
	}
	const char *slash = strchr(value, '/');
	if (d == DIMENSION_CITY && slash != NULL) {
		words_text(w, slash + 1);
		words_text(w, ", ");
		char country[8];
		snprintf(country, sizeof(country), "%.*s", (int)(slash - value), value);
		words_text(w, country);
		return;
	}
	if (d == DIMENSION_COUNTRY)
		value = country_name(value);
	words_text(w, value[0] != '\0' ? value : "everywhere");
}

const char *dimension_label(enum dimension d)
{
	static const char *const labels[DIMENSION_COUNT] = {
		[DIMENSION_TOTAL] = "All reports", [DIMENSION_SURFACE] = "Surfaces",
		[DIMENSION_PROBLEM] = "Problems",  [DIMENSION_COUNTRY] = "Countries",
		[DIMENSION_CITY] = "Cities",       [DIMENSION_NETWORK] = "Networks",
	};
	WD_CHECK((unsigned)d < DIMENSION_COUNT);
	return labels[d];
}
