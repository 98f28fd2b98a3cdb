/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/scenario.h"

#include "base/check.h"
#include "base/timetext.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char whole[] = "# a comment\n"
			    "title Two services   # and another\n"
			    "begins 2025-03-10 00:00 UTC\n"
			    "lasts 2 days 6 hours and 30 minutes\n"
			    "seed 77\n"
			    "reconstruction\n"
			    "source times https://times.example/a,b#c  over 40,000, at 14:00 # [t]\n"
			    "source rud http://rud.example/?p=1 three waves\n"
			    "assumed the usual rate, for no \"source\" has it\n"
			    "\n"
			    "service x\r\n"
			    "\tusually 6 reports a minute\n"
			    "  day 40% at 04:00, 150% at 20:30\n"
			    "  clock UTC-05:30\n"
			    "  weekend 70%\n"
			    "  noise 25% over 20 minutes\n"
			    "  surfaces app 56%, website 33.5%\n"
			    "  countries GB 60%, US 40%\n"
			    "  cities GB/London 30%, US/New York 9%\n"
			    "  networks GB/AS64500 22%\n"
			    "services 12 named quiet\n"
			    "  usually 0.1 to 20 reports a minute\n"
			    "outage of x\n"
			    "  begins after 1 day 9 hours\n"
			    "  rises for 20 minutes\n"
			    "  stays for 1 hour\n"
			    "  falls for 90 seconds\n"
			    "  peaks at 30000 reports in 15 minutes\n"
			    "  repeats 3 times every 4 hours\n"
			    "  only city US/New York\n"
			    "  surfaces app 100%\n"
			    "flood of quiet-007\n"
			    "  begins 2025-03-11T10:00+01:00\n"
			    "  stays for 1 hour\n"
			    "  peaks at 12 times the usual\n"
			    "  by 40 persons\n"
			    "gap of all\n"
			    "  begins after 3 hours\n"
			    "  lasts 5 minutes\n";

static struct scenario *read_ok(const char *text)
{
	struct scenario *s = NULL;
	struct wd_why why = {0};
	if (scenario_read(text, strlen(text), &s, &why) != WD_OK)
		fail_msg("byte %u: %s", why.at, why.what);
	return s;
}

static void every_statement_is_read(void **state)
{
	(void)state;
	struct scenario *s = read_ok(whole);
	char time[TIMETEXT_LEN_MAX];

	assert_string_equal(s->title, "Two services");
	timetext_write(time, s->begins);
	assert_string_equal(time, "2025-03-10T00:00:00Z");
	assert_int_equal(span_to_s(s->lasts), 2 * 86400 + 6 * 3600 + 1800);
	assert_int_equal(s->seed, 77);
	assert_true(s->reconstruction);

	const struct reconstruction *m = &s->made_from;
	assert_int_equal(m->source_count, 2);
	assert_string_equal(m->sources[0].name, "times");
	assert_string_equal(m->sources[0].url, "https://times.example/a,b#c");
	assert_string_equal(m->sources[0].taken, "over 40,000, at 14:00");
	assert_string_equal(m->sources[1].taken, "three waves");
	assert_int_equal(m->assumed_count, 1);
	assert_string_equal(m->assumed[0], "the usual rate, for no \"source\" has it");
	assert_string_equal(m->title, "Two services");
	timetext_write(time, m->began_at);
	assert_string_equal(time, "2025-03-11T09:00:00Z");
	timetext_write(time, m->ended_at);
	assert_string_equal(time, "2025-03-11T18:21:30Z");

	assert_int_equal(s->service_count, 2);
	const struct scenario_service *x = &s->services[0], *quiet = &s->services[1];
	assert_string_equal(x->id, "x");
	assert_int_equal(x->copies, 1);
	assert_true(x->usually_low == 6 && x->usually_high == 6);
	assert_int_equal(x->day_count, 2);
	assert_int_equal(x->day[1].minute, 20 * 60 + 30);
	assert_true(x->day[1].level == 1.5);
	assert_int_equal(x->east_s, -(5 * 3600 + 1800));
	assert_true(x->weekend == 0.7 && x->noise == 0.25 && x->noise_s == 1200);
	const struct mix *surfaces = &x->mixes[DIMENSION_SURFACE];
	assert_int_equal(surfaces->count, 2);
	assert_string_equal(surfaces->items[1].name, "website");
	assert_true(fabs(surfaces->items[1].share - 0.335) < 1e-12);
	const struct portion *city = &x->mixes[DIMENSION_CITY].items[1];
	assert_string_equal(city->name, "New York");
	assert_string_equal(city->country, "US");
	const struct portion *network = &x->mixes[DIMENSION_NETWORK].items[0];
	assert_int_equal(network->network, 64500);
	assert_string_equal(network->country, "GB");
	assert_int_equal(quiet->copies, 12);
	assert_true(quiet->usually_low == 0.1 && quiet->usually_high == 20);

	assert_int_equal(s->surge_count, 2);
	const struct surge *outage = &s->surges[0], *flood = &s->surges[1];
	timetext_write(time, outage->begins);
	assert_string_equal(time, "2025-03-11T09:00:00Z");
	assert_int_equal(span_to_s(outage->rises), 1200);
	assert_int_equal(span_to_s(outage->stays), 3600);
	assert_int_equal(span_to_s(outage->falls), 90);
	assert_true(outage->peak_rate == 2000);
	assert_int_equal(outage->repeats, 3);
	assert_int_equal(span_to_s(outage->every), 4 * 3600);
	assert_string_equal(outage->only[DIMENSION_CITY].name, "New York");
	assert_int_equal(outage->mixes[DIMENSION_SURFACE].count, 1);
	assert_string_equal(flood->service, "quiet-007");
	timetext_write(time, flood->begins);
	assert_string_equal(time, "2025-03-11T09:00:00Z");
	assert_true(flood->peak_times == 12);
	assert_int_equal(flood->persons, 40);
	assert_int_equal(s->gap_count, 1);
	assert_string_equal(s->gaps[0].service, "");
	assert_int_equal(span_to_s(s->gaps[0].lasts), 300);
	scenario_free(s);
}

/* In every case one statement is wrong; the mark shows where the reader has to point. */
static void a_mistake_is_told_with_its_place_and_what_would_be_right(void **state)
{
	(void)state;
#define TOP "begins 2025-03-10 00:00 UTC\nlasts 1 day\n"
#define ONE TOP "service x\nusually 1 reports a minute\n"
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *right;
	} cases[] = {
		{"", 1, 1, "begins 2025-03-10"},
		{"begins 2025-03-10 00:00 UTC\nservice x\nusually 1 report a minute\n", 1, 1,
		 "lasts 14 days"},
		{TOP, 3, 1, "service x"},
		{"begin 2025-03-10\n", 1, 1, "title, begins, lasts"},
		{"begins yesterday\n", 1, 8, "2025-03-10 09:45 UTC"},
		{"begins after 2 days\n", 1, 13, "begin"},
		{"begins 2025-03-10 00:00:30 UTC\n", 1, 8, "whole minute"},
		{"begins 2025-03-10 25:00 UTC\n", 1, 8, "2025-03-10 09:45 UTC"},
		{"lasts long\n", 1, 7, "2 days 6 hours"},
		{"lasts 2 fortnights\n", 1, 9, "2 days 6 hours"},
		{"lasts 90 seconds\n", 1, 7, "whole minutes"},
		{"lasts 4000 days\n", 1, 12, "ten years"},
		{"lasts 1 day extra\n", 1, 13, "one statement a line"},
		{"seed many\n", 1, 6, "20250310"},
		{"source times\n", 1, 13, "https://times.example/x"},
		{"source times javascript:alert(1) more\n", 1, 14, "http or https"},
		{"source times https:// more\n", 1, 14, "http or https"},
		{"source times https://times.example/x\n", 1, 37, "what was taken"},
		{"source \x01 https://times.example/x more\n", 1, 8, "source times"},
		{"source t https://times.example/x a\342\200\256b\n", 1, 34, "source times"},
		{"assumed\n", 1, 8, "1 to 500 bytes"},
		{ONE "outage of x\nassumed more\n", 6, 1, "an outage, flood or crowd says"},
		{"assumed more\n" ONE, 1, 1, "that line is missing"},
		{TOP "service X\n", 3, 9, "small letters"},
		{TOP "service\n", 3, 8, "small letters"},
		{TOP "service x\n", 3, 1, "usually 6 reports a minute"},
		{ONE "service x\n", 5, 9, "stands above"},
		{ONE "usually lots\n", 5, 9, "usually 6 reports a minute"},
		{ONE "usually 2 reports an hour\n", 5, 19, "a minute"},
		{ONE "usually 2 to 1 reports a minute\n", 5, 32, "above the second"},
		{ONE "usually 2000000 reports a minute\n", 5, 9, "at most 1000000"},
		{ONE "day 40 at 04:00\n", 5, 5, "40% at 04:00"},
		{ONE "day 40% at 4\n", 5, 12, "09:45"},
		{ONE "day 40% at 04:00, 50% at 04:00\n", 5, 31, "rise"},
		{ONE "clock London\n", 5, 7, "UTC-05:00"},
		{ONE "clock UTC+25\n", 5, 7, "UTC-05:00"},
		{ONE "clock UTC+\n", 5, 7, "UTC-05:00"},
		{ONE "noise 20%\n", 5, 10, "over 20 minutes"},
		{ONE "surfaces app\n", 5, 10, "app 56%"},
		{ONE "surfaces app 56%, 33%\n", 5, 19, "a surface's id"},
		{ONE "surfaces app 56%,\n", 5, 18, "app 56%"},
		{ONE "surfaces app 56%, website 50%\n", 5, 19, "100%"},
		{ONE "surfaces app 56%, app 3%\n", 5, 19, "add the shares up"},
		{ONE "surfaces app 5%\nsurfaces web 5%\n", 6, 9, "stands twice"},
		{ONE "countries England 5%\n", 5, 11, "ISO 3166-1"},
		{ONE "countries UK 5%\n", 5, 11, "ISO 3166-1"},
		{ONE "cities UK/London 5%\n", 5, 8, "GB/London"},
		{ONE "cities London 5%\n", 5, 8, "GB/London"},
		{ONE "cities GB/London 60%, US/Paris 60%, GB/Leeds 50%\n", 5, 37, "100%"},
		{ONE "networks GB/2856 5%\n", 5, 10, "GB/AS2856"},
		{ONE "networks GB/AS4294967296 5%\n", 5, 10, "GB/AS2856"},
		{ONE "peaks at 3\n", 5, 1, "a service says"},
		{ONE "outage x\n", 5, 8, "outage of x"},
		{ONE "outage of y\n", 5, 11, "no service of this id"},
		{ONE "outage of x\n", 5, 1, "begins 2025-03-10 09:45 UTC"},
		{ONE "outage of x\nbegins after 1 hour\n", 5, 1, "peaks at"},
		{ONE "outage of x\nbegins after 1 hour\npeaks at 2 times usual\n", 5, 1,
		 "stays for"},
		{ONE "outage of x\npeaks at 1 times the usual\n", 6, 10, "more than 1"},
		{ONE "outage of x\npeaks at 100 reports in 0 minutes\n", 6, 10, "reports a minute"},
		{ONE "outage of x\npeaks at 100 reports\n", 6, 21, "in 15 minutes"},
		{ONE "outage of x\nrises 5 minutes\n", 6, 7, "for 20 minutes"},
		{ONE "outage of x\nrepeats 0 times every 4 hours\n", 6, 30, "repeats 3 times"},
		{ONE "outage of x\nonly town London\n", 6, 6, "only surface app"},
		{ONE "outage of x\nonly city GB/A\nonly city GB/B\n", 7, 11, "two blocks"},
		{ONE "outage of x\nby 1.5 persons\n", 6, 15, "by 40 persons"},
		{ONE "gap of x\nbegins after 1 hour\n", 5, 1, "a gap needs two lines"},
		{TOP "services 3 named q\nusually 1 reports a minute\noutage of q-004\n", 5, 11,
		 "quiet-007"},
		{TOP "services 0 named q\n", 3, 17, "services 100 named quiet"},
		{TOP "services 20000 named q\n", 3, 10, "services 100 named quiet"},
	};
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct scenario *s = NULL;
		struct wd_why why = {0};
		size_t len = strlen(cases[i].text);
		if (scenario_read(cases[i].text, len, &s, &why) == WD_OK) {
			scenario_free(s);
			fail_msg("case %zu was accepted: %s", i, cases[i].text);
		}
		assert_null(s);
		struct text_place p = text_place_of(cases[i].text, len, why.at);
		if (p.line != cases[i].line || p.column != cases[i].column ||
		    strstr(why.what, cases[i].right) == NULL)
			fail_msg("case %zu: %u:%u: %s\nin: %s", i, p.line, p.column, why.what,
				 cases[i].text);
	}
}

static void every_cut_of_a_scenario_is_told_or_read(void **state)
{
	(void)state;
	size_t refused = 0;
	for (size_t len = 0; len < sizeof(whole); len++) {
		struct scenario *s = NULL;
		char *exact = malloc(len + 1);
		assert_non_null(exact);
		memcpy(exact, whole, len);
		enum wd_err err = scenario_read(exact, len, &s, NULL);
		assert_true((err == WD_OK) == (s != NULL));
		refused += err != WD_OK;
		scenario_free(s);
		free(exact);
	}
	assert_in_range(refused, sizeof(whole) / 2, sizeof(whole) - 10);
}

static void what_grows_has_a_maximum(void **state)
{
	(void)state;
	static char text[SCENARIO_BYTES_MAX + 100];
	struct scenario *s = NULL;
	struct wd_why why = {0};

	size_t at = 0;
	for (int i = 0; i <= RECONSTRUCTION_SOURCES_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "source t https://t.example/ a\n");
	assert_int_equal(scenario_read(text, at, &s, &why), WD_FULL);
	at = 0;
	for (int i = 0; i <= RECONSTRUCTION_ASSUMED_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "assumed a\n");
	assert_int_equal(scenario_read(text, at, &s, &why), WD_FULL);
	memset(text, '#', sizeof(text));
	assert_int_equal(scenario_read(text, SCENARIO_BYTES_MAX + 1, &s, &why), WD_FULL);
	size_t len = (size_t)snprintf(text, sizeof(text), TOP);
	for (int i = 0; i <= SCENARIO_BLOCKS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"gap of all\nbegins after 1 hour\nlasts 1 hour\n");
	assert_int_equal(scenario_read(text, len, &s, &why), WD_FULL);
	len = (size_t)snprintf(text, sizeof(text),
			       TOP "service x\nusually 1 report a minute\nsurfaces a 1%%");
	for (int i = 1; i <= AUDIENCE_PORTIONS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", s%d 1%%", i);
	assert_int_equal(scenario_read(text, len, &s, &why), WD_FULL);
	len = (size_t)snprintf(
		text, sizeof(text),
		TOP "services 9999 named a\nusually 1 reports a minute\nservices 2 named b\n");
	assert_int_equal(scenario_read(text, len, &s, &why), WD_FULL);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_is_read),
		cmocka_unit_test(a_mistake_is_told_with_its_place_and_what_would_be_right),
		cmocka_unit_test(every_cut_of_a_scenario_is_told_or_read),
		cmocka_unit_test(what_grows_has_a_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
