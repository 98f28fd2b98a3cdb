/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/words.h"

#include "base/check.h"
#include "model/country.h"

#include "publish/embedded.h"
#include "publish/site_fixture.h"

#include "base/timetext.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void numbers_have_thousands_and_one_decimal_below_ten(void **state)
{
	static const struct {
		double n;
		const char *text;
	} cases[] = {
		{0, "0"},          {0.04, "0"},        {0.3, "0.3"},
		{0.96, "1"},       {4, "4"},           {9.94, "9.9"},
		{9.96, "10"},      {312, "312"},       {999.6, "1,000"},
		{20400, "20,400"}, {1e6, "1,000,000"}, {-1, "0"},
		{NAN, "0"},        {INFINITY, "0"},    {1e300, "9,000,000,000,000,000"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;
		buf_init(&b, 100);
		words_count(&b, cases[i].n);
		assert_string_equal(b.data, cases[i].text);
		buf_done(&b);
	}
}

static void a_ratio_to_almost_nothing_stays_modest(void **state)
{
	static const struct {
		double observed, expected;
		const char *text;
	} cases[] = {
		{312, 4, "78 × usual"},
		{5, 0, "50 × usual"},
		{6, 4, "1.5 × usual"},
		{0, 4, "0 × usual"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;
		buf_init(&b, 100);
		words_times(&b, cases[i].observed, cases[i].expected);
		assert_string_equal(b.data, cases[i].text);
		buf_done(&b);
	}
}

static void durations_are_told_in_the_units_people_use(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} cases[] = {
		{0, "under a minute"}, {29, "under a minute"}, {30, "1 min"},
		{59 * 60, "59 min"},   {3600, "1 h"},          {22320, "6 h 12 min"},
		{47 * 3600, "47 h"},   {50 * 3600, "2 d 2 h"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;
		buf_init(&b, 100);
		words_span(&b, span_s(cases[i].s));
		assert_string_equal(b.data, cases[i].text);
		buf_done(&b);
	}
}

static void odds_are_told_as_how_often_it_would_happen(void **state)
{
	static const struct {
		double log10_return;
		int64_t step_s;
		const char *text;
	} cases[] = {
		{0, 60, "once a minute"},
		{1, 60, "once in 10 minutes"},
		{1.7782, 60, "once an hour"},
		{4.64, 60, "once a month"},
		{6.2, 60, "once in 3 years"},
		{9, 60, "less than once in 1,000 years"},
		{400, 60, "less than once in 1,000 years"},
		{2, 900, "once a day"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;
		buf_init(&b, 100);
		words_odds(&b, cases[i].log10_return, span_s(cases[i].step_s));
		assert_string_equal(b.data, cases[i].text);
		buf_done(&b);
	}
}

static void places_are_ordinals_and_the_first_needs_none(void **state)
{
	static const struct {
		size_t n;
		const char *text;
	} cases[] = {{2, "2nd "},   {3, "3rd "},   {4, "4th "},   {11, "11th "},   {12, "12th "},
		     {13, "13th "}, {21, "21st "}, {22, "22nd "}, {111, "111th "}, {103, "103rd "}};
	struct buf none;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;
		buf_init(&b, 100);
		words_place(&b, cases[i].n);
		assert_string_equal(b.data, cases[i].text);
		buf_done(&b);
	}
	buf_init(&none, 100);
	words_place(&none, 1);
	assert_int_equal(none.len, 0);
}

static void a_time_of_another_day_carries_its_date(void **state)
{
	wd_wall t = civil_to_wall(&(struct civil){2025, 3, 10, 9, 45, 0});
	struct buf b;
	struct words w = {.out = &b, .now = wall_add(t, span_s(3600))};
	(void)state;
	buf_init(&b, 1000);
	words_time(&w, t);
	assert_string_equal(b.data, "09:45 UTC");
	buf_reset(&b);
	w.now = wall_add(t, span_s(86400));
	words_time(&w, t);
	assert_string_equal(b.data, "10 Mar 2025, 09:45 UTC");
	buf_reset(&b);
	w.html = true;
	words_time(&w, t);
	assert_string_equal(b.data, "<time class=\"dh\" datetime=\"2025-03-10T09:45:00Z\">"
				    "10 Mar 2025, 09:45 UTC</time>");
	buf_done(&b);
}

static void an_incident_is_told_with_its_rank_and_what_it_is(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	struct buf b;
	struct words w = {.out = &b, .now = s->now};
	(void)state;
	buf_init(&b, 1000);
	words_headline(&w, s, &s->incidents[0]);
	assert_string_equal(b.data, "X: incident since 09:45 UTC, 43 × usual at its peak");
	buf_reset(&b);
	words_incident(&w, s, &s->incidents[0]);
	assert_string_equal(
		b.data,
		"At its peak, 11:55 UTC, 1,712 in 5 min where 40 is usual; 5 h 52 min so far in 3 "
		"waves. Longest and most severe of 15 for X since 2024-11. Reconstruction: played "
		"from a scenario, not observed by this site.");
	buf_reset(&b);
	words_rank(&w, s, &s->incidents[2]);
	assert_string_equal(b.data, "6th longest and 3rd most severe of 15 for X since 2024-11");
	buf_done(&b);
	snapshot_release(s);
}

/* The first minutes of an incident are not in the last whole five. */
static void reports_that_still_rise_are_told_by_the_minute(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct buf text;
	struct words w = {.out = &text, .now = snapshot->now};
	size_t told = 0, others = 0;
	(void)state;
	buf_init(&text, 4096);
	for (size_t i = 0; i < snapshot->service_count; i++) {
		struct service_state *s = snapshot->services[i];
		if (s->day.count < 2)
			continue;
		struct point *running = &s->day.points[s->day.count - 1];
		s->step_now = span_s(60);
		s->observed_now = 777;
		s->expected_now = 8;
		running->observed = running[-1].observed + 1; /* it rises */
		text.len = 0;
		words_status(&w, snapshot, s);
		buf_char(&text, '\0');
		bool by_minute = strstr(text.data, "777 in the last minute, 8 is usual.") != NULL;
		assert_true(by_minute == (s->status == STATUS_INCIDENT));
		assert_true(service_now(s).step.ns == span_s(300).ns);
		running->observed = 0; /* it falls */
		assert_true(service_newest(s).step.ns == span_s(300).ns);
		told += by_minute;
		others += !by_minute;
	}
	assert_true(told > 0 && others > 0);
	buf_done(&text);
	snapshot_release(snapshot);
}

/* Sorted, as the search needs it: each is found by what it says of itself. */
static void every_country_of_the_map_has_a_name(void **state)
{
	const struct embedded *map = embedded_find("world.tsv");
	(void)state;
	assert_non_null(map);
	size_t named = 0;
	const char *end = (const char *)map->bytes + map->len;
	for (const char *at = (const char *)map->bytes; end - at > 2;) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		char code[3] = {at[0], at[1], '\0'};
		if (code[0] >= 'A' && code[0] <= 'Z') { /* other land has none */
			assert_string_not_equal(country_name(code), code);
			named++;
		}
		at = next != NULL ? next + 1 : end;
	}
	assert_true(named > 150);
}

static void places_and_terms_have_their_names(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_HOSTILE);
	const struct service *x = s->services[0]->service;
	struct buf b;
	struct words w = {.out = &b, .html = true, .now = s->now};
	(void)state;
	buf_init(&b, 1000);
	words_value(&w, x, DIMENSION_CITY, "GB/London");
	assert_string_equal(b.data, "London, GB");
	buf_reset(&b);
	static const char *const countries[][2] = {
		{"AD", "Andorra"}, {"GB", "United Kingdom"}, {"ZW", "Zimbabwe"}, {"XK", "Kosovo"},
		{"QZ", "QZ"},	   {"A", "A"},		     {"<b", "&lt;b"},	 {"", "everywhere"}};
	for (size_t i = 0; i < WD_COUNT(countries); i++) {
		words_value(&w, x, DIMENSION_COUNTRY, countries[i][0]);
		assert_string_equal(b.data, countries[i][1]);
		buf_reset(&b);
	}
	words_value(&w, x, DIMENSION_SURFACE, "website");
	assert_string_equal(b.data, "Website");
	buf_reset(&b);
	words_value(&w, x, DIMENSION_SURFACE, "<gone>");
	assert_string_equal(b.data, "&lt;gone&gt;");
	buf_reset(&b);
	words_value(&w, NULL, DIMENSION_CITY, "GB/<i>");
	assert_string_equal(b.data, "&lt;i&gt;, GB");
	buf_done(&b);
	snapshot_release(s);
}

static void a_name_from_right_to_left_is_kept_apart(void **state)
{
	static const struct { const char *name, *html, *plain; } cases[] = {
		{"X & Y", "X &amp; Y", "X & Y"},
		{"\xd7\x93\xd7\x95", "<bdi>\xd7\x93\xd7\x95</bdi>", "\342\201\250\xd7\x93\xd7\x95\342\201\251"},
		{"\xd8\xa8", "<bdi>\xd8\xa8</bdi>", "\342\201\250\xd8\xa8\342\201\251"},
		{"\xef\xba\x8d", "<bdi>\xef\xba\x8d</bdi>", "\342\201\250\xef\xba\x8d\342\201\251"},
		{"\xe6\x97\xa5", "\xe6\x97\xa5", "\xe6\x97\xa5"},
		{"\xd0\x96\xc3\xa9\xd6\x8d", "\xd0\x96\xc3\xa9\xd6\x8d", "\xd0\x96\xc3\xa9\xd6\x8d"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		for (int html = 0; html < 2; html++) {
			struct buf b;
			buf_init(&b, 100);
			words_name(&(struct words){.out = &b, .html = html}, cases[i].name);
			assert_string_equal(b.data, html ? cases[i].html : cases[i].plain);
			buf_done(&b);
		}
	}
}

static void a_value_has_three_digits_and_its_sign(void **state)
{
	static const struct { double n; const char *text; } cases[] = {
		{0, "0"}, {-0.0, "0"}, {0.0371, "0.0371"}, {-12.54, "-12.5"}, {99.26, "99.3"},
		{342.4, "342"}, {999.6, "1,000"}, {-20417, "-20,417"}, {NAN, "0"}, {1e300, "9,000,000,000,000,000"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct buf b;
		buf_init(&b, 100);
		words_number(&b, cases[i].n);
		assert_string_equal(b.data, cases[i].text);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_from_right_to_left_is_kept_apart),
		cmocka_unit_test(a_value_has_three_digits_and_its_sign),
		cmocka_unit_test(numbers_have_thousands_and_one_decimal_below_ten),
		cmocka_unit_test(a_ratio_to_almost_nothing_stays_modest),
		cmocka_unit_test(durations_are_told_in_the_units_people_use),
		cmocka_unit_test(odds_are_told_as_how_often_it_would_happen),
		cmocka_unit_test(places_are_ordinals_and_the_first_needs_none),
		cmocka_unit_test(a_time_of_another_day_carries_its_date),
		cmocka_unit_test(an_incident_is_told_with_its_rank_and_what_it_is),
		cmocka_unit_test(reports_that_still_rise_are_told_by_the_minute),
		cmocka_unit_test(every_country_of_the_map_has_a_name),
		cmocka_unit_test(places_and_terms_have_their_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
