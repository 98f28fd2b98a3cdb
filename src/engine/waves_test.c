/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents that go on after they seemed to be over. */
#include "engine/traffic_testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* So many reports at the begin of each minute. */
static void reports(struct world *w, int minutes, int each)
{
	for (int n = 0; n < minutes; n++) {
		for (int k = 0; k < each; k++)
			assert_int_equal(world_report(w, "x"), ENGINE_COUNTED);
		w->at_ms += 60000;
		engine_advance(w->e, world_now(w));
		world_collect(w);
	}
}

static const struct incident *incident_of(const struct snapshot *s, const char *service)
{
	for (size_t n = 0; n < s->incident_count; n++) {
		if (strcmp(s->incidents[n].service, service) == 0)
			return &s->incidents[n];
	}
	return NULL;
}

static void a_further_wave_is_related_to_no_incident_twice(void **state)
{
	struct world w;
	struct scene calm[] = {{"x", 4000, 0}, {"y", 4000, 0}};
	struct scene both[] = {{"x", 4000, 36000}, {"y", 4000, 36000}};
	struct scene one[] = {{"x", 4000, 0}, {"y", 4000, 36000}};
	(void)state;
	world_open(&w, 1);
	world_play(&w, 600, calm, 2);
	for (int wave = 0; wave < 3; wave++) {
		world_play(&w, 5, both, 2);
		world_play(&w, 200, one, 2);
	}
	struct snapshot *s = engine_snapshot(w.e);
	const struct incident *x = incident_of(s, "x"), *y = incident_of(s, "y");
	assert_true(x != NULL && y != NULL);
	assert_int_equal(x->wave_count, 3);
	assert_int_equal(x->related_count, 1);
	assert_int_equal(y->related_count, 1);
	assert_string_equal(x->related[0].id, y->id);
	snapshot_release(s);
	world_close(&w);
}

static const struct incident *only_incident(struct world *w, struct snapshot **ret_s)
{
	*ret_s = engine_snapshot(w->e);
	assert_non_null(*ret_s);
	assert_int_equal((*ret_s)->incident_count, 1);
	return &(*ret_s)->incidents[0];
}

static void reports_above_usual_count_once(void **state)
{
	struct world w;
	struct snapshot *s;
	(void)state;
	world_open(&w, 2);
	engine_advance(w.e, world_now(&w));
	reports(&w, 300, 4);
	reports(&w, 10, 60);
	reports(&w, 16, 4);
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	reports(&w, 60, 20);
	const struct incident *i = only_incident(&w, &s);
	assert_int_equal(i->wave_count, 2);
	/* Expected are four a minute, and while it recovers a few more are learned. */
	assert_true(i->excess <= 10 * 56 + 60 * 16 + 5 && i->excess > 10 * 56 + 60 * 14);
	snapshot_release(s);
	world_close(&w);
}

/* The peak stands beside them. */
static void reports_above_usual_are_told_up_to_the_last_minute(void **state)
{
	struct world w, again;
	struct snapshot *s;
	(void)state;
	world_open(&w, 3);
	world_open(&again, 3);
	engine_advance(w.e, world_now(&w));
	reports(&w, 300, 4);
	for (int n = 1; n <= 12; n++) {
		reports(&w, 1, 60);
		if (w.opened == 0)
			continue;
		const struct incident *i = only_incident(&w, &s);
		assert_true(i->peak_observed == 60);
		assert_true(fabsf(i->excess - (float)n * 56) < 3);
		snapshot_release(s);
	}
	assert_int_equal(w.opened, 1);
	world_restart(&w, &again);
	reports(&again, 1, 60);
	const struct incident *i = only_incident(&again, &s);
	assert_true(fabsf(i->excess - 13 * 56) < 3);
	snapshot_release(s);
	world_close(&again);
	world_close(&w);
}

/* Rows of a quarter of an hour each, of which the first says at which minute they begin. */
static void row(struct world *w, bool metric, double value)
{
	struct observation o = observation_blank(metric ? OBSERVATION_METRIC : OBSERVATION_COUNT);
	o.service = "x";
	o.at = world_now(w);
	o.step = span_s(900);
	o.count = metric ? 1 : (uint32_t)value;
	o.value = metric ? value : 0;
	assert_int_equal(engine_observe(w->e, &o), ENGINE_COUNTED);
	w->at_ms += 900000;
	engine_advance(w->e, world_now(w));
	world_collect(w);
}

static void the_first_bucket_is_the_peak_wherever_buckets_begin(void **state)
{
	(void)state;
	for (int metric = 0; metric < 2; metric++) {
		for (int first = 0; first < 15; first++) {
			struct world w;
			world_open(&w, 4);
			w.at_ms = first * 60000;
			for (int n = 0; n < 400; n++)
				row(&w, metric, metric ? (n % 7) * .01 : 20 + n % 7);
			wd_wall began = world_now(&w);
			for (int n = 0; n < 8 && w.opened == 0; n++)
				row(&w, metric, metric ? .9 : 900);
			assert_int_equal(w.opened, 1);
			assert_true(w.last.peak_observed == (metric ? .9f : 900));
			assert_int_equal(w.last.peak_at.ns, began.ns);
			assert_int_equal(w.last.began_at.ns, began.ns);
			world_close(&w);
		}
	}
}

/* The buckets since it began are handed over; of some nothing is known. */
static void what_is_missing_is_no_peak_of_a_metric(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 5);
	for (int n = 0; n < 400; n++)
		row(&w, true, (n % 7) * .001);
	for (int n = 0; n < 12 && w.opened == 0; n++) {
		row(&w, true, .0125);
		if (n % 2 == 1)
			w.at_ms += 900000;
	}
	assert_int_equal(w.opened, 1);
	assert_true(w.last.peak_observed > 0);
	world_close(&w);
}

/* A minute of a flood and of reports; the journal that is replayed has the reports alone. */
static void bad_minute(struct world *w, bool ticks)
{
	for (int n = 0; n < 30; n++)
		assert_int_equal(world_report(w, "x"), ENGINE_COUNTED);
	if (ticks) {
		world_minutes(w, 1, &(struct scene){"x", 4000, 36000});
		return;
	}
	w->at_ms += 60000;
	engine_advance(w->e, world_now(w));
	world_collect(w);
}

static void what_the_store_and_the_journal_both_tell_counts_once(void **state)
{
	struct world a, b;
	struct snapshot *s;
	(void)state;
	world_open(&a, 6);
	world_open(&b, 6);
	for (int n = 0; n < 90; n++) {
		world_report(&a, "x");
		world_minutes(&a, 1, &(struct scene){"x", 4000, 0});
	}
	world_restart(&a, &b);
	for (int n = 0; n < 15; n++)
		bad_minute(&a, true);
	float excess = only_incident(&a, &s)->excess;
	struct incident known = s->incidents[0];
	snapshot_release(s);
	assert_int_equal(known.kinds, INCIDENT_REPORTS | INCIDENT_TRAFFIC);
	assert_true(excess > 14 * 28 && excess < 15 * 30);
	assert_true(known.reports_log10_return > 0);
	assert_int_equal(engine_resume(b.e, &known), WD_OK);
	const struct incident *i = only_incident(&b, &s);
	assert_int_equal(i->kinds, INCIDENT_TRAFFIC);
	assert_true(i->reports_log10_return == 0);
	snapshot_release(s);
	for (int n = 0; n < 15; n++)
		bad_minute(&b, false);
	i = only_incident(&b, &s);
	assert_int_equal(i->kinds, known.kinds);
	assert_true(fabsf(i->excess - excess) < 10);
	snapshot_release(s);
	world_close(&a);
	world_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_further_wave_is_related_to_no_incident_twice),
		cmocka_unit_test(reports_above_usual_count_once),
		cmocka_unit_test(reports_above_usual_are_told_up_to_the_last_minute),
		cmocka_unit_test(the_first_bucket_is_the_peak_wherever_buckets_begin),
		cmocka_unit_test(what_is_missing_is_no_peak_of_a_metric),
		cmocka_unit_test(what_the_store_and_the_journal_both_tell_counts_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
