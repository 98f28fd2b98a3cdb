/* SPDX-License-Identifier: Apache-2.0 */
/* More services in the course of time than there are seats or watches at one time. */
#include "engine/traffic_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Room for so many, and no others than the configuration names. */
static void open_small(struct world *w, size_t services, size_t watched, const char *ids)
{
	world_open(w, 1);
	engine_close(w->e);
	struct engine_options o = world_options(w);
	o.adopt_services = false;
	o.services_max = services;
	o.services_watched_max = watched;
	assert_int_equal(engine_open(&o, &w->e, NULL), WD_OK);
	assert_int_equal(world_configure(w, ids), WD_OK);
	engine_advance(w->e, wall_s(START_S));
}

static void minute(struct world *w)
{
	w->at_ms += 60000;
	engine_advance(w->e, world_now(w));
	world_collect(w);
}

static void report_each(struct world *w, const char *letters)
{
	for (const char *at = letters; *at != '\0'; at++)
		assert_int_equal(world_report(w, (char[]){*at, '\0'}), ENGINE_COUNTED);
	minute(w);
}

static bool is_known(struct world *w, const char *id)
{
	struct snapshot *s = engine_snapshot(w->e);
	bool known = false, found = false;
	assert_non_null(s);
	for (size_t n = 0; n < s->service_count; n++) {
		if (strcmp(s->services[n]->service->id, id) != 0)
			continue;
		found = true;
		known = s->services[n]->first_seen_at.ns != 0;
	}
	assert_true(found);
	snapshot_release(s);
	return known;
}

static void who_is_gone_and_was_seen_longest_ago_makes_room(void **state)
{
	struct world w;
	(void)state;
	open_small(&w, 3, 3, "a b c");
	report_each(&w, "b");
	report_each(&w, "a");
	report_each(&w, "c");
	assert_int_equal(world_configure(&w, "c"), WD_OK);
	assert_int_equal(world_configure(&w, "c d"), WD_OK); /* b makes room */
	assert_int_equal(engine_service_count(w.e), 3);
	report_each(&w, "dc");
	assert_int_equal(world_configure(&w, "a b c"), WD_OK); /* d does, however new it is */
	assert_true(is_known(&w, "a"));
	assert_false(is_known(&w, "b"));
	assert_true(is_known(&w, "c"));
	for (char id = 'e'; id < 'z'; id += 2)
		assert_int_equal(world_configure(&w, (char[]){'c', ' ', id, ' ', id + 1, '\0'}), WD_OK);
	assert_true(is_known(&w, "c"));
	assert_int_equal(engine_service_count(w.e), 3);
	world_close(&w);
}

static void more_than_there_are_seats_for_change_nothing(void **state)
{
	struct world w;
	(void)state;
	open_small(&w, 3, 3, "a b c");
	assert_int_equal(world_report(&w, "a"), ENGINE_COUNTED);
	assert_int_equal(world_configure(&w, "b c d e"), WD_FULL);
	assert_int_equal(world_report(&w, "a"), ENGINE_COUNTED);
	assert_int_equal(world_report(&w, "d"), ENGINE_UNKNOWN_SERVICE);
	assert_true(is_known(&w, "a"));
	world_close(&w);
}

/* It starts with another service than it was stopped with. */
static void a_state_of_services_that_are_gone_is_read_as_far_as_there_is_room(void **state)
{
	struct world a, b;
	(void)state;
	open_small(&a, 3, 2, "a b c");
	world_play(&a, 2, (struct scene[]){{"a", 400, 0}, {"b", 400, 0}}, 2);
	report_each(&a, "abc");
	open_small(&b, 3, 2, "b c d");
	world_restart(&a, &b);
	assert_int_equal(engine_service_count(b.e), 3);
	assert_true(is_known(&b, "b"));
	assert_true(is_known(&b, "c"));
	assert_false(is_known(&b, "d"));
	world_play(&b, 2, (struct scene[]){{"b", 400, 0}, {"d", 400, 0}}, 2);
	world_close(&a);
	world_close(&b);
}

static void a_watch_of_who_is_gone_is_free_for_others(void **state)
{
	struct world w;
	(void)state;
	open_small(&w, 9, 2, "x y z");
	world_minutes(&w, 1, &(struct scene){"x", 400, 0});
	world_minutes(&w, 1, &(struct scene){"y", 400, 0});
	traffic_clear(w.tick, "z", world_now(&w));
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_FULL);
	assert_int_equal(world_configure(&w, "y z"), WD_OK);
	world_minutes(&w, 1, &(struct scene){"z", 400, 0});
	world_minutes(&w, 1, &(struct scene){"y", 400, 0});
	assert_int_equal(world_configure(&w, "x y z"), WD_OK);
	traffic_clear(w.tick, "x", world_now(&w));
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_FULL);
	/* It may also be the state that has them. */
	struct world again;
	assert_int_equal(world_configure(&w, "y z"), WD_OK);
	open_small(&again, 9, 2, "x");
	world_restart(&w, &again);
	world_minutes(&again, 1, &(struct scene){"x", 400, 0});
	world_close(&w);
	world_close(&again);
}

/* What is traced goes on where its service moves up; what makes room is told to be over. */
static void floods_of_those_before_and_behind_are_followed_right(void **state)
{
	struct world w;
	(void)state;
	open_small(&w, 3, 3, "x y z");
	world_minutes(&w, 10, &(struct scene){"x", 4000, 0});
	for (int n = 0; n < 10; n++)
		world_play(&w, 60, (struct scene[]){{"x", 4000, 0}, {"z", 4000, 0}}, 2);
	world_play(&w, 10, (struct scene[]){{"x", 4000, 36000}, {"z", 4000, 0}}, 2);
	assert_int_equal(w.opened, 1);
	assert_string_equal(w.last.service, "x");
	world_play(&w, 10, (struct scene[]){{"x", 4000, 36000}, {"z", 4000, 0, 36000}}, 2);
	assert_int_equal(w.opened, 2);
	assert_int_equal(world_configure(&w, "y z a"), WD_OK);
	world_collect(&w);
	assert_int_equal(w.closed, 1);
	assert_string_equal(w.last.service, "x");
	assert_int_equal(w.last.state, INCIDENT_CLOSED);
	size_t traces = w.traces;
	world_play(&w, 60, &(struct scene){"z", 4000, 0, 36000}, 1);
	assert_true(w.traces > traces);
	assert_non_null(strstr(w.trace->incident, "z-"));
	assert_int_equal(w.trace->vector_count, 1);
	assert_string_equal(w.trace->vectors[0].id, "unknown");
	world_minutes(&w, 50, &(struct scene){"z", 4000, 0});
	assert_int_equal(w.closed, 2);
	world_close(&w);
}

static void the_budget_is_of_who_is_followed(void **state)
{
	struct world w;
	(void)state;
	open_small(&w, 9, 9, "a b c");
	report_each(&w, "abc");
	for (int n = 0; n < 2; n++) {
		struct snapshot *s = engine_snapshot(w.e);
		assert_int_equal(s->budget.series, n == 0 ? 3 : 1);
		snapshot_release(s);
		assert_int_equal(world_configure(&w, "b"), WD_OK);
		minute(&w);
	}
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_gone_and_was_seen_longest_ago_makes_room),
		cmocka_unit_test(more_than_there_are_seats_for_change_nothing),
		cmocka_unit_test(a_state_of_services_that_are_gone_is_read_as_far_as_there_is_room),
		cmocka_unit_test(a_watch_of_who_is_gone_is_free_for_others),
		cmocka_unit_test(floods_of_those_before_and_behind_are_followed_right),
		cmocka_unit_test(the_budget_is_of_who_is_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
