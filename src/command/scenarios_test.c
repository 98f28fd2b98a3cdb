/* SPDX-License-Identifier: Apache-2.0 */
/* The scenarios that come with the program, played through the real engine on its own clock:
 * what has to be found is found, in time, and nothing else. */
#include "command/scenario_file.h"

#include "base/check.h"
#include "base/timetext.h"
#include "engine/engine.h"
#include "intake/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct outcome {
	struct snapshot *snapshot; /* at the end */
	size_t coordinated;        /* effects */
	struct coordinated heaviest; /* of them, by reports */
};

static struct scenario *load(const char *name)
{
	struct scenario *s = scenario_load(name);
	if (s == NULL)
		fail_msg("the scenario %s is not there or not right", name);
	return s;
}

static struct engine *open_engine(void)
{
	struct engine_options options = engine_defaults();
	struct engine *e = NULL;
	struct catalogue *c = NULL;
	options.adopt_services = true;
	assert_int_equal(engine_open(&options, &e, NULL), WD_OK);
	assert_int_equal(catalogue_open(NULL, 0, &c, NULL), WD_OK);
	assert_int_equal(engine_configure(e, c, NULL), WD_OK);
	catalogue_release(c);
	return e;
}

static struct outcome play(const struct scenario *s, uint64_t seed)
{
	struct engine *e = open_engine();
	struct simulation *m = NULL;
	struct outcome result = {0};
	struct observation o;
	bool more = true;

	assert_int_equal(simulation_open(s, seed, &m, NULL), WD_OK);
	while (simulation_next(m, &o, &more, NULL) == WD_OK && more) {
		engine_advance(e, o.at);
		assert_true(engine_observe(e, &o) <= ENGINE_DUPLICATE);
		size_t count;
		const struct effect *effects = engine_effects(e, &count);
		for (size_t i = 0; i < count; i++) {
			if (effects[i].kind != EFFECT_COORDINATED)
				continue;
			result.coordinated++;
			if (effects[i].coordinated.observed > result.heaviest.observed)
				result.heaviest = effects[i].coordinated;
		}
		if (count > 0)
			engine_effects_drop(e);
	}
	engine_finish(e);
	result.snapshot = engine_snapshot(e);
	assert_non_null(result.snapshot);
	simulation_close(m);
	engine_close(e);
	return result;
}

/* The incident that was on at that time, or NULL. */
static const struct incident *at(const struct outcome *o, const char *time)
{
	wd_wall t = {0};
	assert_int_equal(timetext_read(time, strlen(time), &t, NULL), WD_OK);
	for (size_t i = 0; i < o->snapshot->incident_count; i++) {
		const struct incident *x = &o->snapshot->incidents[i];
		if (x->began_at.ns <= t.ns && (x->ended_at.ns == 0 || x->ended_at.ns > t.ns))
			return x;
	}
	return NULL;
}

static bool in_scope(const struct incident *i, enum dimension d, const char *value)
{
	for (uint32_t n = 0; n < i->scope_count; n++) {
		if (i->scopes[n].dimension == d && (value == NULL || strcmp(i->scopes[n].value, value) == 0))
			return true;
	}
	return false;
}

static size_t scopes_of(const struct incident *i, enum dimension d)
{
	size_t count = 0;
	for (uint32_t n = 0; n < i->scope_count; n++)
		count += i->scopes[n].dimension == d;
	return count;
}

/* Minutes from `from` to t. */
static double minutes_after(wd_wall t, const char *from)
{
	wd_wall f = {0};
	assert_int_equal(timetext_read(from, strlen(from), &f, NULL), WD_OK);
	return (double)wall_sub(t, f).ns / 60e9;
}

#define assert_within(x, low, high)                                                                \
	do {                                                                                       \
		double x_ = (x);                                                                   \
		if (!(x_ >= (low) && x_ <= (high)))                                                \
			fail_msg("%s is %g, not in %g … %g", #x, x_, (double)(low), (double)(high)); \
	} while (0)

static void x_of_10_march_2025_is_one_incident_of_three_waves(void **state)
{
	(void)state;
	struct scenario *s = load("x-2025-03-10");
	struct outcome o = play(s, s->seed);
	const struct incident *i = at(&o, "2025-03-10T14:00:00Z");

	assert_non_null(i);
	assert_string_equal(i->service, "x");
	assert_true(i->reconstruction);
	assert_int_equal(i->state, INCIDENT_CLOSED);
	assert_int_equal(incident_severity_word(i), SEVERITY_SEVERE);
	/* The first reports come at 09:25 from India, most from 09:30. */
	assert_within(minutes_after(i->began_at, "2025-03-10T09:25Z"), -2, 10);
	assert_within(minutes_after(i->decided_at, "2025-03-10T09:30Z"), -5, 4);
	assert_within((double)incident_duration(i, i->ended_at).ns / 3600e9, 8.5, 10);
	assert_int_equal(i->wave_count, 3);
	assert_within(minutes_after(i->waves[0].peak_at, "2025-03-10T10:00Z"), -10, 20);
	assert_within(minutes_after(i->waves[1].peak_at, "2025-03-10T14:00Z"), -15, 20);
	assert_within(minutes_after(i->waves[2].peak_at, "2025-03-10T15:45Z"), -20, 25);
	/* Reports a minute of all countries: a fifteenth of the published peaks, and some. */
	assert_within((double)i->waves[0].peak_observed, 2000, 2600);
	assert_within((double)i->waves[1].peak_observed, 3300, 4000);
	assert_within((double)i->waves[2].peak_observed, 2400, 3000);
	static const char *const cities[] = {"GB/London", "GB/Birmingham", "US/New York", "US/Los Angeles"};
	for (size_t n = 0; n < WD_COUNT(cities); n++)
		assert_true(in_scope(i, DIMENSION_CITY, cities[n]));
	assert_true(in_scope(i, DIMENSION_COUNTRY, "US") && in_scope(i, DIMENSION_COUNTRY, "GB"));
	assert_true(in_scope(i, DIMENSION_SURFACE, "app") && in_scope(i, DIMENSION_SURFACE, "website") &&
		    in_scope(i, DIMENSION_SURFACE, "server-connection"));
	snapshot_release(o.snapshot);
	scenario_free(s);
}

static void a_slow_ramp_is_found_and_its_begin_is_not_the_alarm(void **state)
{
	(void)state;
	struct scenario *s = load("slow-ramp");
	struct outcome o = play(s, s->seed);
	const struct incident *i = at(&o, "2025-05-19T15:00:00Z");
	assert_non_null(i);
	/* Before it has reached its six times the usual at 14:00: twice at 09:12, thrice at 10:24. */
	assert_within(minutes_after(i->decided_at, "2025-05-19T08:00Z"), 30, 360);
	assert_within((double)wall_sub(i->decided_at, i->began_at).ns / 60e9, 5, 360);
	assert_within(minutes_after(i->ended_at, "2025-05-19T16:00Z"), 30, 240);
	snapshot_release(o.snapshot);
	scenario_free(s);
}

static void a_flood_from_one_network_is_evidence_and_no_incident(void **state)
{
	(void)state;
	struct scenario *s = load("one-network-flood");
	for (uint64_t seed = s->seed; seed < s->seed + 3; seed++) {
		struct outcome o = play(s, seed);
		assert_null(at(&o, "2025-05-19T12:30:00Z"));
		assert_null(at(&o, "2025-05-19T13:25:00Z"));
		assert_true(o.coordinated >= 1);
		assert_string_equal(o.heaviest.service, "shop");
		assert_string_equal(o.heaviest.top_network, "AS64500");
		assert_within((double)o.heaviest.top_share, 0.5, 1);
		assert_within(minutes_after(o.heaviest.began_at, "2025-05-19T12:00Z"), -5, 10);
		snapshot_release(o.snapshot);
	}
	scenario_free(s);
}

static void a_crowd_on_one_surface_has_only_that_surface_in_scope(void **state)
{
	(void)state;
	struct scenario *s = load("crowd-on-one-surface");
	for (uint64_t seed = s->seed; seed < s->seed + 3; seed++) {
		struct outcome o = play(s, seed);
		const struct incident *i = at(&o, "2025-05-19T17:30:00Z");
		assert_non_null(i);
		assert_true(in_scope(i, DIMENSION_SURFACE, "app"));
		assert_int_equal(scopes_of(i, DIMENSION_SURFACE), 1);
		assert_int_equal(o.coordinated, 0);
		assert_within(minutes_after(i->decided_at, "2025-05-19T17:00Z"), 0, 10);
		snapshot_release(o.snapshot);
	}
	scenario_free(s);
}

static void an_outage_in_one_city_has_only_that_city_in_scope(void **state)
{
	(void)state;
	struct scenario *s = load("outage-in-one-city");
	for (uint64_t seed = s->seed; seed < s->seed + 3; seed++) {
		struct outcome o = play(s, seed);
		const struct incident *i = at(&o, "2025-05-19T16:30:00Z");
		assert_non_null(i);
		assert_true(in_scope(i, DIMENSION_CITY, "GB/Birmingham"));
		assert_int_equal(scopes_of(i, DIMENSION_CITY), 1);
		assert_int_equal(o.coordinated, 0); /* what rises slowly is not made by few */
		assert_within(minutes_after(i->decided_at, "2025-05-19T15:30Z"), 0, 12);
		assert_within(minutes_after(i->ended_at, "2025-05-19T17:33Z"), -15, 45);
		snapshot_release(o.snapshot);
	}
	scenario_free(s);
}

/* What opens or reopens it is seen before its minutes are sealed, and those sealed are still calm. */
static void each_rise_is_one_wave_however_early_it_is_seen(void **state)
{
	static const char text[] = "title Nine rises\nbegins 2025-05-12 00:00 UTC\nlasts 8 days\nservice x\n"
				   "  usually 3 reports a minute\noutage of x\n  begins 2025-05-19 13:00 UTC\n"
				   "  rises for 10 minutes\n  stays for 15 minutes\n  falls for 10 minutes\n"
				   "  repeats 9 times every 75 minutes\n  peaks at 15 times the usual\n";
	(void)state;
	struct scenario *s = NULL;
	assert_int_equal(scenario_read(text, sizeof(text) - 1, &s, NULL), WD_OK);
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct outcome o = play(s, seed);
		const struct incident *i = at(&o, "2025-05-19T18:00:00Z");
		assert_non_null(i);
		assert_int_equal(i->wave_count, 9);
		const struct wave *last = &i->waves[i->wave_count - 1];
		assert_true(i->ended_at.ns != 0 && last->ended_at.ns <= i->ended_at.ns);
		snapshot_release(o.snapshot);
	}
	scenario_free(s);
}

/* Three days of it: the month is bench/replay_bench.c's. */
static void quiet_services_raise_no_more_than_the_stated_false_incidents(void **state)
{
	(void)state;
	struct scenario *s = load("quiet-month");
	s->lasts = span_s(3 * 86400);
	struct outcome o = play(s, s->seed);
	const struct snapshot *n = o.snapshot;
	assert_int_equal(n->budget.series, 100);
	assert_true(n->counters.samples > 15000000); /* 50 signals a service by then */
	double accepted = n->budget.false_a_month * 3 / 30;
	assert_within((double)n->counters.incidents_opened, 0, accepted);
	snapshot_release(o.snapshot);
	scenario_free(s);
}

static void scenarios_are_all_there(void **state)
{
	(void)state;
	static const char *const names[] = {"x-2025-03-10", "quiet-month", "slow-ramp", "one-network-flood",
					    "crowd-on-one-surface", "outage-in-one-city"};
	for (size_t i = 0; i < WD_COUNT(names); i++) {
		struct scenario *s = load(names[i]);
		assert_true(strlen(s->title) > 10);
		scenario_free(s);
	}
	assert_null(scenario_load("no-such-scenario"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenarios_are_all_there),
		cmocka_unit_test(x_of_10_march_2025_is_one_incident_of_three_waves),
		cmocka_unit_test(a_slow_ramp_is_found_and_its_begin_is_not_the_alarm),
		cmocka_unit_test(a_flood_from_one_network_is_evidence_and_no_incident),
		cmocka_unit_test(a_crowd_on_one_surface_has_only_that_surface_in_scope),
		cmocka_unit_test(an_outage_in_one_city_has_only_that_city_in_scope),
		cmocka_unit_test(each_rise_is_one_wave_however_early_it_is_seen),
		cmocka_unit_test(quiet_services_raise_no_more_than_the_stated_false_incidents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
