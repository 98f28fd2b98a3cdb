/* SPDX-License-Identifier: Apache-2.0 */
/* Exporters that fall silent, on a virtual clock: what came of nobody is not known. */
#include "engine/traffic_testing.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { A = 1, B = 2, BOTH = A | B, NOBODY = 0 }; /* bit a slot */

static const struct scene calm = {"x", 4000, 0, 0, 0, {1, 1}};
static const struct scene flood = {"x", 4000, 36000, 0, 0, {1, 1}};
static const struct scene calm_of_both = {"x", 4000, 0, 0, 0, {1, 2}};
static const struct scene half_of_b = {"x", 2000, 0, 0, 0, {2, 2}};

/* As the live program has it: who spoke, the ticks, and until when all has been told. `scene` may
 * be NULL: no tick came. */
static void live(struct world *w, double seconds, const struct scene *scene, unsigned speak)
{
	static const char *const names[] = {"192.0.2.1", "192.0.2.2"};
	for (int n = 0; n < (int)(4 * seconds); n++) {
		wd_wall end = wall_add(world_now(w), span_ms(250));
		for (uint32_t slot = 0; slot < 2; slot++) {
			if ((speak & 1U << slot) != 0)
				engine_heard(w->e, slot, names[slot], end);
		}
		world_play(w, .25, scene, scene != NULL);
		engine_traffic_until(w->e, end);
		world_collect(w);
	}
}

static struct traffic_state traffic_of(struct world *w)
{
	struct snapshot *s = engine_snapshot(w->e);
	assert_non_null(s);
	assert_non_null(s->services[0]->traffic);
	struct traffic_state t = *s->services[0]->traffic;
	snapshot_release(s);
	return t; /* its charts are gone */
}

static float usual_of(struct world *w) { return traffic_of(w).usual_packets_per_s; }

static void what_is_usual_survives_an_exporters_silence(void **state)
{
	static const int learned[] = {2, 11, 40}, silent[] = {1, 10, 60, 1440};
	(void)state;
	for (size_t l = 0; l < WD_COUNT(learned); l++) {
		for (size_t n = 0; n < WD_COUNT(silent); n++) {
			struct world w;
			if (learned[l] == 2 && silent[n] == 1)
				continue; /* an exporter that is new may speak once a minute */
			world_open(&w, 1 + n);
			live(&w, 60 * learned[l], &calm, A);
			float usual = usual_of(&w);
			live(&w, 60 * silent[n], NULL, NOBODY);
			live(&w, .25, &calm, A);
			assert_true(fabsf(usual_of(&w) - usual) < .01f * usual);
			live(&w, 60, &calm, A);
			assert_int_equal(w.opened, 0);
			/* And it is not blunt: the flood is found as if nothing had been. */
			live(&w, 1, &flood, A);
			assert_int_equal(w.opened, 1);
			assert_true(w.last.traffic.usual_packets_per_s > 3000 ||
				    w.last.traffic.cold);
			world_close(&w);
		}
	}
}

static void a_service_without_traffic_is_zero_as_long_as_its_exporter_speaks(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 2);
	live(&w, 600, &calm, A);
	live(&w, 300, NULL, A); /* of other services */
	struct traffic_state t = traffic_of(&w);
	assert_int_equal(t.flows_at.ns, world_now(&w).ns);
	assert_true(t.packets_per_s < 1 && t.usual_packets_per_s < 100);
	world_close(&w);
}

static void bursts_of_a_minute_are_learned_with_the_zeros_between_them(void **state)
{
	const struct scene burst = {"x", 240000, 0, 0, 0, {1, 1}};
	struct scene unknown = burst;
	struct world w, v; /* with and without knowing who tells */
	(void)state;
	world_open(&w, 3);
	world_open(&v, 3);
	unknown.told[0] = unknown.told[1] = 0;
	for (int n = 0; n < 30; n++) {
		live(&w, 59.75, NULL, NOBODY);
		live(&w, .25, &burst, A);
		live(&v, 59.75, NULL, NOBODY);
		live(&v, .25, &unknown, NOBODY);
	}
	assert_true(usual_of(&v) > 1 && usual_of(&w) == usual_of(&v));
	assert_int_equal(w.opened, 0);
	/* From then on longer ones: silences at first, then its way. */
	float before = usual_of(&w);
	for (int n = 0; n < 20; n++) {
		live(&w, 239.75, NULL, NOBODY);
		live(&w, .25, &burst, A);
	}
	assert_true(usual_of(&w) < before && usual_of(&w) > 0);
	world_close(&w);
	world_close(&v);
}

static void another_exporter_does_not_speak_for_this_one(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 4);
	live(&w, 600, &calm, BOTH);
	wd_wall silent = world_now(&w);
	float usual = usual_of(&w);
	live(&w, 3600, NULL, B);
	struct traffic_state t = traffic_of(&w);
	assert_int_equal(t.flows_at.ns, silent.ns);
	assert_int_equal(t.silent_since.ns, silent.ns);
	assert_false(t.silent_partly);
	live(&w, .25, &calm, BOTH);
	assert_true(fabsf(usual_of(&w) - usual) < .01f * usual);
	assert_int_equal(traffic_of(&w).silent_since.ns, 0);
	world_close(&w);
}

static void of_two_exporters_the_one_that_is_left_teaches_nothing(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 5);
	live(&w, 660, &calm_of_both, BOTH);
	wd_wall silent = world_now(&w);
	float usual = usual_of(&w);
	live(&w, 3600, &half_of_b, B);
	struct traffic_state t = traffic_of(&w);
	assert_int_equal(t.silent_since.ns, silent.ns);
	assert_true(t.silent_partly);
	/* What was learned before its silence was noticed is little, and comes to nothing. */
	assert_true(t.usual_packets_per_s > .8f * usual);
	live(&w, 120, &calm_of_both, BOTH);
	assert_int_equal(w.opened, 0);
	/* A flood that only the other sees is found while one is silent. */
	live(&w, 60, &half_of_b, B);
	const struct scene seen_by_b = {"x", 2000, 36000, 0, 0, {2, 2}};
	live(&w, 2, &seen_by_b, B);
	assert_int_equal(w.opened, 1);
	world_close(&w);
}

static void a_flood_that_kills_the_exporter_stays_open(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 6);
	live(&w, 600, &calm, A);
	live(&w, 30, &flood, A);
	assert_int_equal(w.opened, 1);
	wd_wall silent = world_now(&w);
	live(&w, 6 * 3600, NULL, NOBODY);
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	assert_int_equal(w.last.traffic.silent_since.ns, silent.ns);
	assert_false(w.last.traffic.silent_partly);
	/* It goes on. */
	live(&w, 30, &flood, A);
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	assert_int_equal(w.last.traffic.silent_since.ns, 0);
	assert_int_equal(w.opened, 1);
	wd_wall ended = world_now(&w);
	live(&w, 300, NULL, NOBODY);
	assert_int_equal(w.last.traffic.silent_since.ns, ended.ns);
	/* And when it is heard again it is over. */
	live(&w, 300, &calm, A);
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	assert_true(llabs(wall_sub(w.last.ended_at, ended).ns) <= 3 * WD_NS_PER_S);
	assert_int_equal(w.last.traffic.silent_since.ns, 0);
	world_close(&w);
}

static void after_a_day_of_silence_nobody_knows_of_a_flood(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 7);
	live(&w, 600, &calm, A);
	live(&w, 30, &flood, A);
	wd_wall silent = world_now(&w);
	live(&w, 86400 - 120, NULL, NOBODY);
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	live(&w, 300, NULL, NOBODY);
	assert_int_equal(w.last.state, INCIDENT_CLOSED);
	assert_true(llabs(wall_sub(w.last.ended_at, silent).ns) <= 3 * WD_NS_PER_S);
	world_close(&w);
}

static void a_flood_seen_by_one_that_dies_is_not_ended_by_the_other(void **state)
{
	const struct scene both = {"x", 4000, 36000, 0, 0, {1, 2}};
	struct world w;
	(void)state;
	world_open(&w, 8);
	live(&w, 600, &calm_of_both, BOTH);
	live(&w, 30, &both, BOTH);
	assert_int_equal(w.opened, 1);
	wd_wall silent = world_now(&w);
	live(&w, 3600, &half_of_b, B);
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	assert_int_equal(w.last.traffic.silent_since.ns, silent.ns);
	assert_true(w.last.traffic.silent_partly);
	live(&w, 300, &calm_of_both, BOTH);
	assert_int_equal(w.last.state, INCIDENT_CLOSED); /* its end is long ago */
	/* One that fell silent before it began keeps nothing open. */
	live(&w, 3600, &half_of_b, B);
	const struct scene seen_by_b = {"x", 2000, 36000, 0, 0, {2, 2}};
	live(&w, 30, &seen_by_b, B);
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	live(&w, 300, &half_of_b, B);
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	world_close(&w);
}

static void the_time_between_two_runs_is_missing(void **state)
{
	(void)state;
	for (int seconds = 5; seconds <= 3600; seconds *= 12) {
		struct world a, b;
		world_open(&a, 9);
		world_open(&b, 9);
		live(&a, 600, &calm, A);
		world_restart(&a, &b);
		float usual = usual_of(&a);
		/* Nobody listens; then it does, but the exporter's templates are not here yet. */
		b.at_ms += seconds * 1000;
		engine_gap(b.e, world_now(&b));
		live(&b, 20, NULL, NOBODY);
		live(&b, .25, &calm, A);
		assert_true(fabsf(usual_of(&b) - usual) < .01f * usual);
		live(&b, 60, &calm, A);
		assert_int_equal(b.opened, 0);
		world_close(&a);
		world_close(&b);
	}
}

/* The same calls give the same, also over a restart in the middle of a silence. */
static void silence_survives_a_restart(void **state)
{
	struct world a, b;
	(void)state;
	world_open(&a, 10);
	world_open(&b, 10);
	live(&a, 600, &calm, A);
	live(&a, 30, &flood, A);
	wd_wall silent = world_now(&a);
	live(&a, 1200, NULL, NOBODY);
	assert_int_equal(a.last.state, INCIDENT_OPEN);
	world_restart(&a, &b);
	live(&b, 1200, NULL, NOBODY);
	struct snapshot *s = engine_snapshot(b.e);
	assert_int_equal(s->incident_count, 1);
	assert_int_equal(s->incidents[0].state, INCIDENT_OPEN);
	assert_int_equal(s->incidents[0].traffic.silent_since.ns, silent.ns);
	assert_int_equal(s->witness_count, 1);
	assert_string_equal(s->witnesses[0].name, "192.0.2.1");
	assert_true(s->witnesses[0].silent && s->witnesses[0].heard.ns == silent.ns);
	snapshot_release(s);
	live(&b, 300, &calm, A);
	assert_int_equal(b.last.state, INCIDENT_CLOSED); /* its end is long ago */
	assert_true(llabs(wall_sub(b.last.ended_at, silent).ns) <= 3 * WD_NS_PER_S);
	world_close(&a);
	world_close(&b);
}

/* As long as an hour: a log without a line may also be one without visitors. */
static void a_flood_of_requests_whose_log_stops_stays_open(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 11);
	for (int n = 0; n < 900; n++)
		world_web(&w, 40, n < 840 ? 0 : 800);
	assert_int_equal(w.opened, 1);
	wd_wall silent = world_now(&w);
	for (int n = 0; n < 55; n++) {
		w.at_ms += 60000;
		engine_advance(w.e, world_now(&w));
		world_collect(&w);
	}
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	assert_int_equal(w.last.requests.silent_since.ns, silent.ns);
	assert_int_equal(traffic_of(&w).requests_silent_since.ns, silent.ns);
	for (int n = 0; n < 180; n++)
		world_web(&w, 40, 0);
	assert_int_equal(w.last.requests.silent_since.ns, 0);
	assert_int_equal(traffic_of(&w).requests_silent_since.ns, 0);
	assert_true(w.last.state != INCIDENT_OPEN);
	assert_true(llabs(wall_sub(w.last.ended_at, silent).ns) <= 5 * WD_NS_PER_S);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_usual_survives_an_exporters_silence),
		cmocka_unit_test(a_service_without_traffic_is_zero_as_long_as_its_exporter_speaks),
		cmocka_unit_test(bursts_of_a_minute_are_learned_with_the_zeros_between_them),
		cmocka_unit_test(another_exporter_does_not_speak_for_this_one),
		cmocka_unit_test(of_two_exporters_the_one_that_is_left_teaches_nothing),
		cmocka_unit_test(a_flood_that_kills_the_exporter_stays_open),
		cmocka_unit_test(after_a_day_of_silence_nobody_knows_of_a_flood),
		cmocka_unit_test(a_flood_seen_by_one_that_dies_is_not_ended_by_the_other),
		cmocka_unit_test(the_time_between_two_runs_is_missing),
		cmocka_unit_test(silence_survives_a_restart),
		cmocka_unit_test(a_flood_of_requests_whose_log_stops_stays_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
