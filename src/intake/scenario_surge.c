/* SPDX-License-Identifier: Apache-2.0 */
/* What an outage, flood or crowd of reports says. */
#include "intake/scenario_inner.h"

#include "base/check.h"

void surge_say_begins(struct reader *r)
{
	r->surge->begins = prose_take_time(&r->p, scenario_from(r));
}

static wd_span take_for_span(struct reader *r)
{
	prose_expect(&r->p, "for", "here stands: for, and a duration, like: for 20 minutes");
	return prose_take_span(&r->p);
}

void surge_say_rises(struct reader *r)
{
	r->surge->rises = take_for_span(r);
}
void surge_say_stays(struct reader *r)
{
	r->surge->stays = take_for_span(r);
}
void surge_say_falls(struct reader *r)
{
	r->surge->falls = take_for_span(r);
}

/* "peaks at 20000 reports in 15 minutes", "peaks at 12 times the usual" */
static void say_peaks(struct reader *r)
{
	const char *what =
		"here stands a peak, like: peaks at 20000 reports in 15 minutes, or: peaks at 12 "
		"times the usual";
	prose_expect(&r->p, "at", what);
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	double value = prose_take_number(&r->p, 1e12, what);
	r->surge->peak_rate = r->surge->peak_times = 0;
	if (prose_take_if(&r->p, "times")) {
		prose_take_if(&r->p, "the");
		prose_expect(&r->p, "usual", what);
		r->surge->peak_times = value;
		if (r->p.err == WD_OK && (value <= 1 || value > 1e6))
			prose_fail_at(&r->p, WD_MALFORMED, at,
				      "a peak is more than 1 and at most 1000000 times the usual");
		return;
	}
	if (!prose_take_if(&r->p, "report"))
		prose_expect(&r->p, "reports", what);
	double minutes = 1;
	if (prose_take_if(&r->p, "a"))
		prose_expect(&r->p, "minute", what);
	else {
		prose_expect(&r->p, "in", what);
		minutes = (double)prose_take_span(&r->p).ns / 60e9;
	}
	if (r->p.err == WD_OK &&
	    (value <= 0 || minutes <= 0 || value / minutes > SCENARIO_RATE_MAX))
		prose_fail_at(&r->p, WD_MALFORMED, at,
			      "a peak is above 0 and at most 1000000 reports a minute");
	else if (r->p.err == WD_OK)
		r->surge->peak_rate = value / minutes;
}

void surge_say_repeats(struct reader *r)
{
	const char *what = "here stands how often, like: repeats 3 times every 4 hours";
	double times = prose_take_number(&r->p, 10000, what);
	prose_expect(&r->p, "times", what);
	prose_expect(&r->p, "every", what);
	r->surge->every = prose_take_span(&r->p);
	if (r->p.err == WD_OK &&
	    (times < 1 || times != (double)(uint32_t)times || r->surge->every.ns <= 0))
		prose_fail(&r->p, what);
	else if (r->p.err == WD_OK)
		r->surge->repeats = (uint32_t)times;
}

static void say_only(struct reader *r)
{
	const char *what =
		"here stands what it is limited to, like: only surface app (surface, problem, "
		"country, city or network)";
	struct slice word = prose_take(&r->p);
	enum dimension d = DIMENSION_SURFACE;
	while (d < DIMENSION_COUNT && !slice_is(word, dimension_name(d)))
		d++;
	if (d == DIMENSION_COUNT) {
		r->p.at -= word.len;
		prose_fail(&r->p, what);
		return;
	}
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	if (r->surge->only[d].share > 0)
		prose_fail(&r->p, "it is limited to two values of one kind: write two blocks");
	struct portion p;
	audience_read_value(&r->p, d, prose_rest(&r->p), at, &p);
	p.share = 1;
	if (r->p.err == WD_OK)
		r->surge->only[d] = p;
}

static void say_by(struct reader *r)
{
	const char *what = "here stands by how many, like: by 40 persons";
	double persons = prose_take_number(&r->p, 1e9, what);
	if (!prose_take_if(&r->p, "person"))
		prose_expect(&r->p, "persons", what);
	if (r->p.err == WD_OK && (persons < 1 || persons != (double)(uint32_t)persons))
		prose_fail(&r->p, what);
	else if (r->p.err == WD_OK)
		r->surge->persons = (uint32_t)persons;
}

static void say_surfaces(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_SURFACE, &r->surge->mixes[DIMENSION_SURFACE]);
}
static void say_problems(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_PROBLEM, &r->surge->mixes[DIMENSION_PROBLEM]);
}
static void say_countries(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_COUNTRY, &r->surge->mixes[DIMENSION_COUNTRY]);
}
static void say_cities(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_CITY, &r->surge->mixes[DIMENSION_CITY]);
}
static void say_networks(struct reader *r)
{
	audience_read_mix(&r->p, DIMENSION_NETWORK, &r->surge->mixes[DIMENSION_NETWORK]);
}

static const struct statement statements[] = {
	{"begins", surge_say_begins},
	{"rises", surge_say_rises},
	{"stays", surge_say_stays},
	{"falls", surge_say_falls},
	{"peaks", say_peaks},
	{"repeats", surge_say_repeats},
	{"only", say_only},
	{"by", say_by},
	{"surfaces", say_surfaces},
	{"problems", say_problems},
	{"countries", say_countries},
	{"cities", say_cities},
	{"networks", say_networks},
};
const struct statements surge_statements = {statements, WD_COUNT(statements)};
