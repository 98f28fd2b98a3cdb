/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets of single services: what of them is missing, and what is more than can be. */
#include "engine/traffic_testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum engine_verdict count(struct world *w, const char *surface, uint32_t n)
{
	struct observation o = observation_blank(OBSERVATION_COUNT);
	o.service = "x";
	o.at = world_now(w);
	o.step = span_s(60);
	o.count = n;
	o.surface = surface;
	return engine_observe(w->e, &o);
}

/* A minute's count, where only every so many of them are known. */
static void minutes(struct world *w, int from, int to, int every, uint32_t n)
{
	for (int minute = from; minute < to; minute++) {
		if (minute % every == 0)
			assert_int_equal(count(w, "", n), ENGINE_COUNTED);
		w->at_ms += 60000;
		engine_advance(w->e, world_now(w));
		world_collect(w);
	}
}

static void it_recovers_though_every_other_minute_is_missing_from_then_on(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 1);
	engine_advance(w.e, world_now(&w));
	minutes(&w, 0, 600, 1, 4);
	minutes(&w, 600, 630, 1, 80);
	assert_int_equal(w.opened, 1);
	minutes(&w, 630, 660, 2, 4);
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	minutes(&w, 660, 700, 2, 4);
	assert_int_equal(w.closed, 1);
	world_close(&w);
}

static void counts_of_a_minute_do_not_begin_anew(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 2);
	engine_advance(w.e, world_now(&w));
	world_report(&w, "x"); /* one by one: counts of minutes join them */
	for (int n = 0; n < 6; n++)
		assert_int_equal(count(&w, "app", 1000000000), ENGINE_COUNTED);
	world_report(&w, "x");
	struct snapshot *s = engine_snapshot(w.e);
	assert_int_equal(s->services[0]->share_count, 1);
	assert_true(s->services[0]->shares[0].observed_24h > 4e9f);
	const struct series *day = &s->services[0]->day;
	assert_true(day->points[day->count - 1].observed > 4e9f);
	snapshot_release(s);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_recovers_though_every_other_minute_is_missing_from_then_on),
		cmocka_unit_test(counts_of_a_minute_do_not_begin_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
