/* SPDX-License-Identifier: Apache-2.0 */
/* One statement a line; the first word says which. A block ("service", "outage", …) lasts
 * until the next block. The reader is sticky: after the first mistake it reads nothing more,
 * so that each statement is written as one run of expectations. */
#include "intake/scenario_inner.h"

#include "base/check.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void take_service_id(struct reader *r, char dst[SERVICE_ID_MAX + 1])
{
	const char *what =
		"here stands a service's id: small letters, digits, and inside . _ or -, like: x";
	struct slice s = prose_peek(&r->p);
	if (!text_is_id(s.text, s.len, SERVICE_ID_MAX))
		prose_fail(&r->p, what);
	prose_copy(&r->p, prose_take(&r->p), dst, SERVICE_ID_MAX + 1, what);
}

/* ---- statements ---- */

static void say_title(struct reader *r)
{
	size_t at = r->p.at;
	struct slice s = prose_rest(&r->p);
	if (!text_is_utf8(s.text, s.len))
		prose_fail_at(&r->p, WD_MALFORMED, at, "the title is not UTF-8");
	prose_copy(&r->p, s, r->s->title, sizeof(r->s->title), "a title has 1 to 200 bytes");
}

static void say_begins(struct reader *r)
{
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	wd_wall t = prose_take_time(&r->p, scenario_from(r));
	if (r->p.err == WD_OK && (t.ns % (60 * WD_NS_PER_S) != 0 || t.ns < 0))
		prose_fail_at(&r->p, WD_MALFORMED, at,
			      "a scenario begins at a whole minute after 1970");
	r->s->begins = t;
	r->begins = true;
}

static void say_lasts(struct reader *r)
{
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	r->s->lasts = prose_take_span(&r->p);
	if (r->p.err == WD_OK && (r->s->lasts.ns <= 0 || r->s->lasts.ns % (60 * WD_NS_PER_S) != 0))
		prose_fail_at(&r->p, WD_MALFORMED, at,
			      "a scenario lasts one or more whole minutes");
	r->lasts = true;
}

static void say_seed(struct reader *r)
{
	r->s->seed = (uint64_t)prose_take_number(&r->p, 999999999999.0,
						 "a seed is a whole number, like: 20250310");
}

static void say_reconstruction(struct reader *r)
{
	r->s->reconstruction = true;
}

static void say_usually(struct reader *r)
{
	const char *what =
		"here stands a rate of at most 1000000, like: usually 6 reports a minute, or: "
		"usually 0.1 to 20 reports a minute";
	struct scenario_service *v = r->service;
	v->usually_low = v->usually_high = prose_take_number(&r->p, SCENARIO_RATE_MAX, what);
	if (prose_take_if(&r->p, "to"))
		v->usually_high = prose_take_number(&r->p, SCENARIO_RATE_MAX, what);
	if (!prose_take_if(&r->p, "report"))
		prose_expect(&r->p, "reports", what);
	prose_expect(&r->p, "a", what);
	prose_expect(&r->p, "minute", what);
	if (v->usually_low > v->usually_high)
		prose_fail(&r->p, "the first rate is above the second");
}

static void say_day(struct reader *r)
{
	struct scenario_service *v = r->service;
	const char *what =
		"here stand levels by time of day, like: day 40% at 04:00, 150% at 20:00";

	v->day_count = 0;
	do {
		if (v->day_count == SCENARIO_DAY_POINTS_MAX) {
			prose_fail_at(&r->p, WD_FULL, r->p.at, "a day has at most 48 points");
			return;
		}
		struct day_point *p = &v->day[v->day_count];
		p->level = prose_take_percent(&r->p, 100, what);
		prose_expect(&r->p, "at", what);
		p->minute = prose_take_minute(&r->p);
		if (v->day_count > 0 && r->p.err == WD_OK && p->minute <= p[-1].minute)
			prose_fail(&r->p, "the times of day have to rise");
		v->day_count++;
		prose_skip_blanks(&r->p);
	} while (r->p.err == WD_OK && r->p.at < r->p.line_end && r->p.text[r->p.at] == ',' &&
		 ++r->p.at);
}

/* "UTC-05:00", "UTC+1", "UTC" */
static void say_clock(struct reader *r)
{
	const char *what = "here stands an offset from UTC, like: clock UTC-05:00";
	struct slice s = prose_peek(&r->p);
	int hours = 0, minutes = 0;
	size_t i = 4;

	if (s.len < 3 || memcmp(s.text, "UTC", 3) != 0 ||
	    (s.len > 3 && ((s.text[3] != '+' && s.text[3] != '-') || s.len == 4))) {
		prose_fail(&r->p, what);
		return;
	}
	for (; i < s.len && i < 6 && s.text[i] >= '0' && s.text[i] <= '9'; i++)
		hours = hours * 10 + s.text[i] - '0';
	if (i < s.len && s.text[i] == ':' && s.len == i + 3 && s.text[i + 1] >= '0' &&
	    s.text[i + 1] <= '5' && s.text[i + 2] >= '0' && s.text[i + 2] <= '9') {
		minutes = (s.text[i + 1] - '0') * 10 + s.text[i + 2] - '0';
		i += 3;
	}
	if ((s.len > 3 && i != s.len) || hours > 14) {
		prose_fail(&r->p, what);
		return;
	}
	r->service->east_s =
		(hours * 3600 + minutes * 60) * (s.len > 3 && s.text[3] == '-' ? -1 : 1);
	r->p.at += s.len;
}

static void say_weekend(struct reader *r)
{
	r->service->weekend =
		prose_take_percent(&r->p, 100, "here stands a percentage, like: weekend 70%");
}

static void say_noise(struct reader *r)
{
	const char *what = "here stands how bursty the usual is, like: noise 30% over 20 minutes";
	r->service->noise = prose_take_percent(&r->p, 3, what);
	prose_expect(&r->p, "over", what);
	r->service->noise_s = (double)prose_take_span(&r->p).ns / (double)WD_NS_PER_S;
	if (r->p.err == WD_OK && r->service->noise_s < 60)
		prose_fail(&r->p, "noise lasts a minute or more");
}

static void say_surfaces(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_SURFACE, &r->service->mixes[DIMENSION_SURFACE]);
}
static void say_problems(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_PROBLEM, &r->service->mixes[DIMENSION_PROBLEM]);
}
static void say_countries(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_COUNTRY, &r->service->mixes[DIMENSION_COUNTRY]);
}
static void say_cities(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_CITY, &r->service->mixes[DIMENSION_CITY]);
}
static void say_networks(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_NETWORK, &r->service->mixes[DIMENSION_NETWORK]);
}

static void say_gap_begins(struct reader *r)
{
	r->gap->begins = prose_take_time(&r->p, scenario_from(r));
}
static void say_gap_lasts(struct reader *r)
{
	r->gap->lasts = prose_take_span(&r->p);
}

/* ---- blocks ---- */

void *scenario_grow(struct reader *r, void *items, size_t count, size_t size)
{
	if (count == SCENARIO_BLOCKS_MAX) {
		prose_fail_at(&r->p, WD_FULL, r->p.at,
			      "a scenario has at most 1000 blocks of a kind");
		return NULL;
	}
	void *more = reallocarray(items, count + 1, size);
	if (more == NULL)
		prose_fail_at(&r->p, WD_NOMEM, r->p.at, "memory ran out");
	else
		memset((char *)more + count * size, 0, size);
	return more;
}

static void begin_service(struct reader *r, bool numbered)
{
	struct scenario *s = r->s;
	struct scenario_service *more =
		scenario_grow(r, s->services, s->service_count, sizeof(*more));
	if (more == NULL)
		return;
	s->services = more;
	r->service = &more[s->service_count++];
	r->service->weekend = 1;
	r->service->copies = 1;
	r->service->numbered = numbered;
	if (numbered) {
		const char *what = "here stands how many and what their ids begin with, like: "
				   "services 100 named quiet";
		double copies = prose_take_number(&r->p, SCENARIO_SERVICES_MAX, what);
		prose_expect(&r->p, "named", what);
		if (r->p.err == WD_OK && (copies < 1 || copies != (double)(size_t)copies))
			prose_fail(&r->p, what);
		else
			r->service->copies = (size_t)copies;
	}
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	take_service_id(r, r->service->id);
	if (numbered && strlen(r->service->id) + sizeof("-00000") - 1 > SERVICE_ID_MAX)
		prose_fail_at(&r->p, WD_MALFORMED, at,
			      "with its number the id is longer than 64 bytes");
	r->copies += r->service->copies;
	if (r->copies > SCENARIO_SERVICES_MAX)
		prose_fail_at(&r->p, WD_FULL, at, "a scenario has at most 10000 services");
	for (size_t i = 0; i + 1 < s->service_count; i++) {
		if (strcmp(s->services[i].id, r->service->id) == 0)
			prose_fail_at(&r->p, WD_MALFORMED, at, "a service of this id stands above");
	}
}

static void begin_one_service(struct reader *r)
{
	begin_service(r, false);
}
static void begin_many_services(struct reader *r)
{
	begin_service(r, true);
}

void scenario_copy_id(const struct scenario_service *s, size_t copy, char dst[SERVICE_ID_MAX + 1])
{
	if (s->numbered) /* begin_service left room for the number */
		snprintf(dst, SERVICE_ID_MAX + 1, "%.58s-%03" PRIu16, s->id, (uint16_t)(copy + 1));
	else
		memcpy(dst, s->id, sizeof(s->id));
}

/* Is `id` a service that was defined above, or one of its numbered copies? */
static bool is_defined(const struct scenario *s, const char *id)
{
	for (size_t i = 0; i < s->service_count; i++) {
		const struct scenario_service *v = &s->services[i];
		size_t len = strlen(v->id);
		if (!v->numbered && strcmp(v->id, id) == 0)
			return true;
		if (v->numbered && strncmp(v->id, id, len) == 0 && id[len] == '-') {
			double n;
			struct slice digits = {id + len + 1, strlen(id + len + 1)};
			if (digits.len >= 3 && digits.len <= 5 && slice_number(digits, &n) &&
			    n >= 1 && n <= (double)v->copies &&
			    (digits.len == 3 || digits.text[0] != '0'))
				return true;
		}
	}
	return false;
}

void scenario_take_service(struct reader *r, char dst[SERVICE_ID_MAX + 1])
{
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	take_service_id(r, dst);
	if (r->p.err == WD_OK && !is_defined(r->s, dst))
		prose_fail_at(&r->p, WD_UNKNOWN, at,
			      "no service of this id stands above (a numbered one is named like "
			      "quiet-007)");
}

static void begin_surge(struct reader *r)
{
	struct scenario *s = r->s;
	struct surge *more = scenario_grow(r, s->surges, s->surge_count, sizeof(*more));
	if (more == NULL)
		return;
	s->surges = more;
	r->surge = &more[s->surge_count++];
	r->surge->repeats = 1;
	r->surge->begins.ns = INT64_MIN;
	prose_expect(&r->p, "of", "here stands: of, and the service's id, like: outage of x");
	scenario_take_service(r, r->surge->service);
}

static void begin_gap(struct reader *r)
{
	struct scenario *s = r->s;
	struct gap *more = scenario_grow(r, s->gaps, s->gap_count, sizeof(*more));
	if (more == NULL)
		return;
	s->gaps = more;
	r->gap = &more[s->gap_count++];
	r->gap->begins.ns = INT64_MIN;
	prose_expect(&r->p, "of", "here stands: of, and a service's id or: all, like: gap of x");
	if (!prose_take_if(&r->p, "all"))
		scenario_take_service(r, r->gap->service);
}

static const struct statement top_statements[] = {
	{"title", say_title},
	{"begins", say_begins},
	{"lasts", say_lasts},
	{"seed", say_seed},
	{"reconstruction", say_reconstruction},
	{"source", scenario_say_source},
	{"assumed", scenario_say_assumed},
};
static const struct statement blocks[] = {
	{"service", begin_one_service}, {"services", begin_many_services},
	{"outage", begin_surge},        {"flood", begin_surge},
	{"crowd", begin_surge},         {"gap", begin_gap},
	{"traffic", traffic_begin},     {"attack", attack_begin},
};
static const struct statement service_statements[] = {
	{"usually", say_usually},   {"day", say_day},
	{"clock", say_clock},       {"weekend", say_weekend},
	{"noise", say_noise},       {"surfaces", say_surfaces},
	{"problems", say_problems}, {"countries", say_countries},
	{"cities", say_cities},     {"networks", say_networks},
};
static const struct statement gap_statements[] = {{"begins", say_gap_begins},
						  {"lasts", say_gap_lasts}};

static const struct statements top = {top_statements, WD_COUNT(top_statements)};
static const struct statements all_blocks = {blocks, WD_COUNT(blocks)};
static const struct statements of_service = {service_statements, WD_COUNT(service_statements)};
static const struct statements of_gap = {gap_statements, WD_COUNT(gap_statements)};

static const struct statement *find(const struct statements *s, struct slice word)
{
	for (size_t i = 0; i < s->count; i++) {
		if (slice_is(word, s->items[i].word))
			return &s->items[i];
	}
	return NULL;
}

/* What a block must have said by its end. */
static void end_block(struct reader *r)
{
	const struct surge *g = r->surge;
	if (r->p.err != WD_OK)
		return;
	if (r->service != NULL && r->service->usually_high <= 0)
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this service lacks its rate, like: usually 6 reports a minute");
	if (g != NULL && g->begins.ns == INT64_MIN)
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this lacks its begin, like: begins 2025-03-10 09:45 UTC");
	if (g != NULL && r->attack == NULL && g->peak_rate <= 0 && g->peak_times <= 0)
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this lacks its peak, like: peaks at 12 times the usual");
	if (g != NULL && g->rises.ns + g->stays.ns + g->falls.ns <= 0)
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this lacks how long it is, like: stays for 40 minutes");
	if (r->gap != NULL && (r->gap->begins.ns == INT64_MIN || r->gap->lasts.ns <= 0))
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "a gap needs two lines: begins (a time) and lasts (a duration)");
	traffic_end(r);
	r->service = NULL;
	r->surge = NULL;
	r->gap = NULL;
	r->traffic = NULL;
	r->attack = NULL;
}

static void read_statement(struct reader *r)
{
	size_t at = r->p.at;
	struct slice word = prose_take(&r->p);
	const struct statement *found = find(&all_blocks, word);
	const char *what;

	if (found != NULL) {
		end_block(r);
		r->block_at = at;
		what = "";
	} else if (r->service != NULL) {
		found = find(&of_service, word);
		what = "a service says: usually, day, clock, weekend, noise, surfaces, problems, "
		       "countries, cities, "
		       "networks";
	} else if (r->traffic != NULL) {
		found = find(&traffic_statements, word);
		what = "traffic says: addresses, usually, from";
	} else if (r->attack != NULL) {
		found = find(&attack_statements, word);
		what = "an attack says: vector, begins, rises, stays, falls, repeats, peaks, from, "
		       "on";
	} else if (r->surge != NULL) {
		found = find(&surge_statements, word);
		what = "an outage, flood or crowd says: begins, rises, stays, falls, peaks, "
		       "repeats, only, by, "
		       "surfaces, problems, countries, cities, networks";
	} else if (r->gap != NULL) {
		found = find(&of_gap, word);
		what = "a gap says: begins, lasts";
	} else {
		found = find(&top, word);
		what = "a scenario begins with: title, begins, lasts, seed, reconstruction, "
		       "source, assumed; then "
		       "come its blocks: "
		       "service, services, outage, flood, crowd, gap, traffic, attack";
	}
	if (found == NULL) {
		prose_fail_at(&r->p, WD_MALFORMED, at, what);
		return;
	}
	if (r->p.err == WD_OK)
		found->say(r);
	prose_skip_blanks(&r->p);
	if (r->p.err == WD_OK && r->p.at < r->p.line_end)
		prose_fail(&r->p, "the statement ends before this: one statement a line");
}

enum wd_err scenario_read(const char *text, size_t len, struct scenario **ret_scenario,
			  struct wd_why *why)
{
	struct reader r = {.p = {.text = text, .len = len, .why = why}};

	if (len > SCENARIO_BYTES_MAX)
		return wd_fail(why, WD_FULL, SCENARIO_BYTES_MAX, "a scenario has at most 1 MiB");
	if (text_begins_utf16(text, len))
		return wd_fail(why, WD_MALFORMED, 0, TEXT_UTF16);
	r.s = calloc(1, sizeof(*r.s));
	if (r.s == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	while (prose_next_line(&r.p))
		read_statement(&r);
	end_block(&r);
	if (!r.begins)
		prose_fail_at(&r.p, WD_MALFORMED, 0,
			      "the scenario lacks its begin, like: begins 2025-03-10 00:00 UTC");
	if (!r.lasts)
		prose_fail_at(&r.p, WD_MALFORMED, 0,
			      "the scenario lacks its length, like: lasts 14 days");
	if (r.s->service_count == 0)
		prose_fail_at(&r.p, WD_MALFORMED, len,
			      "the scenario has no service, like: service x");
	scenario_end_sources(&r);
	if (r.p.err != WD_OK) {
		scenario_free(r.s);
		return r.p.err;
	}
	*ret_scenario = r.s;
	return WD_OK;
}

void scenario_free(struct scenario *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->service_count; i++)
		mixes_free(s->services[i].mixes);
	for (size_t i = 0; i < s->surge_count; i++)
		mixes_free(s->surges[i].mixes);
	free(s->services);
	free(s->surges);
	free(s->gaps);
	free(s->traffics);
	free(s->attacks);
	free(s);
}
