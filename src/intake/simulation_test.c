/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/simulation.h"

#include "base/check.h"
#include "base/timetext.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TOP "begins 2025-03-10 00:00 UTC\n" /* a Monday */

static struct scenario *read_ok(const char *text)
{
	struct scenario *s = NULL;
	struct wd_why why = {0};
	if (scenario_read(text, strlen(text), &s, &why) != WD_OK)
		fail_msg("byte %u: %s", why.at, why.what);
	return s;
}

/* What is counted of a played scenario. */
struct tally {
	uint64_t all, surface_app, gb, london, network, in[24 * 14]; /* by hour */
	uint64_t persons[64], person_count;                          /* the first distinct ones */
	uint64_t hash;
};

static void count(struct tally *t, const struct observation *o, wd_wall begin)
{
	int64_t hour = span_to_s(wall_sub(o->at, begin)) / 3600;
	size_t i = 0;

	assert_true(observation_is_sound(o, NULL));
	t->all++;
	t->surface_app += strcmp(o->surface, "app") == 0;
	t->gb += strcmp(o->country, "GB") == 0;
	t->london += strcmp(o->city, "London") == 0;
	t->network += o->network == 64500;
	if (hour < 24 * 14)
		t->in[hour]++;
	while (i < t->person_count && t->persons[i] != o->person)
		i++;
	if (i == t->person_count && i < WD_COUNT(t->persons))
		t->persons[t->person_count++] = o->person;
	t->hash = t->hash * 1099511628211u + (uint64_t)o->at.ns + o->person + o->network +
		  o->id.bytes[3] + (uint64_t)o->city[0];
}

static struct tally play(const char *text, uint64_t seed)
{
	struct scenario *s = read_ok(text);
	struct simulation *m = NULL;
	struct tally t = {0};
	struct observation o;
	bool more = true;
	wd_wall last = s->begins;

	assert_int_equal(simulation_open(s, seed, &m, NULL), WD_OK);
	for (;;) {
		assert_int_equal(simulation_next(m, &o, &more, NULL), WD_OK);
		if (!more)
			break;
		assert_true(o.at.ns >= last.ns && o.at.ns < wall_add(s->begins, s->lasts).ns);
		last = o.at;
		count(&t, &o, s->begins);
	}
	simulation_close(m);
	scenario_free(s);
	return t;
}

/* Within five standard deviations of a Poisson count. */
#define assert_about(count, mean) assert_true(fabs((double)(count) - (mean)) < 5 * sqrt(mean))

static void the_same_seed_gives_the_same_reports(void **state)
{
	(void)state;
	const char *text =
		TOP "lasts 1 day\nservice x\nusually 5 reports a minute\n"
		    "countries GB 50%\ncities GB/London 30%\nnoise 30% over 10 minutes\n";
	struct tally a = play(text, 1), b = play(text, 1), other = play(text, 2);
	assert_int_equal(a.hash, b.hash);
	assert_int_not_equal(a.hash, other.hash);
	assert_int_equal(a.person_count, WD_COUNT(a.persons)); /* everyone is someone else */
}

static void rates_and_shares_are_as_written(void **state)
{
	(void)state;
	struct tally t = play(
		TOP "lasts 5 days\nservice x\nusually 10 reports a minute\nsurfaces app 56%\n"
		    "countries GB 40%, US 20%\ncities GB/London 25%\nnetworks GB/AS64500 50%\n",
		3);
	assert_about(t.all, 72000.0);
	assert_about(t.surface_app, 72000.0 * 0.56);
	assert_about(t.gb, 72000.0 * 0.4);
	assert_about(t.london, 72000.0 * 0.4 * 0.25);
	assert_about(t.network, 72000.0 * 0.4 * 0.5);
}

static void day_week_and_clock_shape_the_rate(void **state)
{
	(void)state;
	struct tally t = play(TOP "lasts 7 days\nservice x\nusually 20 reports a minute\n"
				  "day 50% at 04:00, 150% at 16:00\nclock UTC-02:00\nweekend 50%\n",
			      4);
	/* 04:00 there is 06:00 UTC; half an hour on either side is nearly the point itself. */
	double low = 20 * 60 * (0.5 + 0.25 / 12), high = 20 * 60 * (1.5 - 0.25 / 12);
	assert_about(t.in[5] + t.in[6], 2 * (low + 20 * 60 * 0.25 / 12));
	assert_about(t.in[17] + t.in[18], 2 * (high - 20 * 60 * 0.25 / 12));
	/* Saturday, the sixth day, at half. */
	assert_about(t.in[5 * 24 + 17] + t.in[5 * 24 + 18], high - 20 * 60 * 0.25 / 12);
}

static void noise_keeps_the_mean_and_adds_variance(void **state)
{
	(void)state;
	struct tally t = play(TOP "lasts 14 days\nservice x\nusually 10 reports a minute\nnoise "
				  "50% over 30 minutes\n",
			      5);
	double mean = (double)t.all / (14 * 24), variance = 0;
	for (int i = 0; i < 14 * 24; i++)
		variance += pow((double)t.in[i] - mean, 2) / (14 * 24 - 1);
	assert_true(fabs(mean - 600) < 60);
	assert_true(variance > 10 * mean); /* without noise it would be about the mean */
}

static void a_surge_rises_stays_falls_and_repeats(void **state)
{
	(void)state;
	struct tally t = play(
		TOP
		"lasts 1 day\nservice x\nusually 1 reports a minute\nsurfaces app 50%, web 50%\n"
		"countries GB 50%, US 50%\ncities GB/London 20%\n"
		"outage of x\nbegins after 2 hours\nrises for 2 hours\nstays for 1 hour\nfalls for "
		"1 hour\n"
		"peaks at 1500 reports in 15 minutes\nrepeats 2 times every 10 hours\n"
		"only surface app\nonly city GB/London\n",
		6);
	static const double per_hour[] = {0, 0, 0.25, 0.75, 1,    0.5, 0,   0, 0,
					  0, 0, 0,    0.25, 0.75, 1,   0.5, 0};
	for (size_t i = 0; i < WD_COUNT(per_hour); i++)
		assert_about(t.in[i], 60 + 6000 * per_hour[i]);
	double surge = 2 * 2.5 * 6000;
	assert_about(t.surface_app, surge + 1440 * 0.5);
	assert_about(t.london, surge + 1440 * 0.1);
	assert_about(t.gb, surge + 1440 * 0.5);
}

static void times_the_usual_means_of_what_it_is_limited_to(void **state)
{
	(void)state;
	/* London usually makes 100 x 50 % x 20 % = 10 a minute; 11 times that is 100 more. */
	struct tally t = play(
		TOP "lasts 2 hours\nservice x\nusually 100 reports a minute\ncountries GB 50%\n"
		    "cities GB/London 20%\noutage of x\nbegins after 1 hour\nstays for 1 hour\n"
		    "peaks at 11 times the usual\nonly city GB/London\n",
		7);
	assert_about(t.in[0], 6000.0);
	assert_about(t.in[1], 12000.0);
	assert_about(t.london, 600.0 + 6600.0);
}

static void a_flood_by_few_persons_comes_from_few_persons(void **state)
{
	(void)state;
	struct tally t = play(
		TOP "lasts 1 hour\nservice x\nusually 0.001 reports a minute\ncountries DE 100%\n"
		    "flood of x\nbegins after 0 minutes\nstays for 1 hour\npeaks at 100 reports a "
		    "minute\n"
		    "only network DE/AS64500\nby 40 persons\n",
		8);
	assert_in_range(t.person_count, 40, 42); /* 40 and the odd usual one */
	assert_in_range(t.all - t.network, 0, 2);
	assert_about(t.all, 6000.0);
}

static void a_gap_loses_its_reports_and_changes_no_others(void **state)
{
	(void)state;
	const char *plain = TOP "lasts 3 hours\nservice x\nusually 10 reports a minute\n";
	const char *gappy = TOP "lasts 3 hours\nservice x\nusually 10 reports a minute\n"
				"gap of x\nbegins after 1 hour\nlasts 1 hour\n";
	struct tally a = play(plain, 9), b = play(gappy, 9);
	assert_int_equal(b.in[1], 0);
	assert_int_equal(a.in[0], b.in[0]);
	assert_int_equal(a.in[2], b.in[2]);
	assert_true(a.in[1] > 0);

	struct scenario *s = read_ok(gappy);
	struct simulation *m = NULL;
	assert_int_equal(simulation_open(s, 9, &m, NULL), WD_OK);
	wd_wall b0 = s->begins;
	assert_false(simulation_has_gap(m, 0, b0, wall_add(b0, span_s(3600))));
	assert_true(simulation_has_gap(m, 0, b0, wall_add(b0, span_s(3601))));
	assert_true(
		simulation_has_gap(m, 0, wall_add(b0, span_s(7199)), wall_add(b0, span_s(9000))));
	assert_false(
		simulation_has_gap(m, 0, wall_add(b0, span_s(7200)), wall_add(b0, span_s(9000))));
	simulation_close(m);
	scenario_free(s);
}

static void numbered_services_spread_on_a_log_scale_and_draw_on_their_own(void **state)
{
	(void)state;
	struct scenario *s = read_ok(
		TOP "lasts 1 day\nservices 3 named q\nusually 0.1 to 10 reports a minute\n");
	struct simulation *m = NULL;
	struct observation o;
	bool more;
	uint64_t counts[3] = {0};

	assert_int_equal(simulation_open(s, 10, &m, NULL), WD_OK);
	assert_int_equal(simulation_service_count(m), 3);
	assert_string_equal(simulation_service_id(m, 2), "q-003");
	while (simulation_next(m, &o, &more, NULL) == WD_OK && more) {
		assert_string_equal(o.service, simulation_service_id(m, simulation_service(m)));
		counts[simulation_service(m)]++;
	}
	assert_about(counts[0], 144.0);
	assert_about(counts[1], 1440.0);
	assert_about(counts[2], 14400.0);
	simulation_close(m);
	scenario_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_seed_gives_the_same_reports),
		cmocka_unit_test(rates_and_shares_are_as_written),
		cmocka_unit_test(day_week_and_clock_shape_the_rate),
		cmocka_unit_test(noise_keeps_the_mean_and_adds_variance),
		cmocka_unit_test(a_surge_rises_stays_falls_and_repeats),
		cmocka_unit_test(times_the_usual_means_of_what_it_is_limited_to),
		cmocka_unit_test(a_flood_by_few_persons_comes_from_few_persons),
		cmocka_unit_test(a_gap_loses_its_reports_and_changes_no_others),
		cmocka_unit_test(numbered_services_spread_on_a_log_scale_and_draw_on_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
