/* SPDX-License-Identifier: Apache-2.0 */
/* The engine on who took part in floods: who is new, and who was in an earlier one. */
#include "engine/inner.h"
#include "engine/traffic_testing.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Nothing has to be learned for an hour of traffic to count as such: at these rates more than
 * a tick in a hundred is out of the usual. */
enum { LEARNING_S = 70 * 60, FLOOD_S = 15 };

static const struct scene calm[] = {{"x", 4000}, {"y", 2000}, {"z", 1000}};

static void play_calm(struct world *w, double seconds)
{
	world_play(w, seconds, calm, WD_COUNT(calm));
}

/* A flood of one of the three services, then half a minute of quiet. */
static void play_flood(struct world *w, const char *service, double dns, double bots, uint32_t crowd)
{
	struct scene flood[WD_COUNT(calm)];
	memcpy(flood, calm, sizeof(calm));
	for (size_t n = 0; n < WD_COUNT(calm); n++) {
		if (strcmp(flood[n].service, service) != 0)
			continue;
		flood[n].dns = dns;
		flood[n].bots = bots;
		flood[n].crowd = crowd;
	}
	size_t opened = w->opened;
	world_play(w, FLOOD_S, flood, WD_COUNT(flood));
	assert_int_equal(w->opened, opened + 1);
	assert_string_equal(w->last.service, service);
	play_calm(w, 30);
}

/* Of its latest incident; NULL if there is none. */
static const struct trace *trace_of(struct world *w, const char *service)
{
	size_t len = strlen(service);
	const struct trace *found = NULL;
	for (size_t n = 0; n < w->e->trace_count; n++) {
		const struct trace *t = shared_trace_of(w->e->traces[n]);
		bool of = strncmp(t->incident, service, len) == 0 && t->incident[len] == '-';
		if (of && (found == NULL || wall_before(found->changed_at, t->changed_at)))
			found = t;
	}
	return found;
}

static const struct trace_link *link_to(const struct trace *t, const struct trace *other)
{
	for (uint32_t n = 0; n < t->link_count; n++) {
		if (strcmp(t->links[n].incident, other->incident) == 0)
			return &t->links[n];
	}
	return NULL;
}

static void a_botnet_that_comes_again_is_known_and_another_is_not(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 11);
	play_calm(&w, LEARNING_S);
	assert_int_equal(w.opened, 0);
	play_flood(&w, "x", 0, 40000, 1);
	const struct trace *x = trace_of(&w, "x");
	assert_non_null(x);
	assert_int_equal(x->status, SOURCE_PROVED);
	assert_true(x->vectors[0].new_share > 0);
	assert_int_equal(x->link_count, 0);
	play_flood(&w, "y", 0, 40000, 1);
	const struct trace_link *link = link_to(trace_of(&w, "y"), trace_of(&w, "x"));
	assert_non_null(link);
	assert_true(link->shared > 0.6f); /* users that were not seen before take part, too */
	play_flood(&w, "z", 0, 40000, 2);
	assert_int_equal(trace_of(&w, "z")->link_count == 0 ||
			 trace_of(&w, "z")->links[0].shared == 0, 1);
	world_close(&w);
}

static void the_same_list_of_reflectors_is_known_without_learning(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 12);
	play_calm(&w, 600);
	play_flood(&w, "x", 40000, 0, 1);
	play_flood(&w, "y", 40000, 0, 2);
	play_flood(&w, "z", 40000, 0, 1);
	const struct trace *x = trace_of(&w, "x"), *y = trace_of(&w, "y"), *z = trace_of(&w, "z");
	assert_int_equal(x->status, SOURCE_REFLECTOR);
	assert_true(link_to(y, x) == NULL || link_to(y, x)->shared == 0);
	assert_non_null(link_to(z, x));
	assert_true(link_to(z, x)->shared > 0.6f); /* either saw 2,100 of the 3,000 */
	assert_true(link_to(z, y) == NULL || link_to(z, y)->shared == 0);
	assert_true(x->vectors[0].new_share < 0); /* ten minutes are too few to say so */
	world_close(&w);
}

/* Users that nobody learned are in two floods as they are on any day: no lineage. */
static void users_make_no_lineage(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 13);
	play_calm(&w, 600);
	play_flood(&w, "x", 0, 8000, 1);
	play_flood(&w, "y", 0, 8000, 2);
	const struct trace *y = trace_of(&w, "y");
	for (uint32_t n = 0; n < y->link_count; n++)
		assert_true(y->links[n].shared == 0);
	world_close(&w);
}

static void new_sources_are_those_that_quiet_times_did_not_have(void **state)
{
	struct world w, again;
	(void)state;
	world_open(&w, 14);
	world_open(&again, 14);
	play_calm(&w, LEARNING_S);
	world_restart(&w, &again); /* what was learned outlives a restart */
	play_flood(&w, "x", 40000, 0, 1);
	play_flood(&again, "x", 40000, 0, 1);
	assert_true(trace_of(&w, "x")->vectors[0].new_share > 0.95f);
	assert_true(trace_of(&again, "x")->vectors[0].new_share > 0.95f);
	/* The users themselves, ten times as many packets of each. */
	const struct scene crowd[] = {{"x", 4000}, {"y", 30000}, {"z", 1000}};
	world_play(&w, FLOOD_S, crowd, 3);
	assert_string_equal(w.last.service, "y");
	assert_true(trace_of(&w, "y")->vectors[0].new_share >= 0);
	assert_true(trace_of(&w, "y")->vectors[0].new_share < 0.3f);
	/* The resolvers were not learned while they flooded: another incident, hours later. */
	static struct trace before;
	before = *trace_of(&w, "x");
	play_calm(&w, 4.6 * 3600);
	play_flood(&w, "x", 40000, 0, 1);
	assert_true(trace_of(&w, "x")->vectors[0].new_share > 0.95f);
	const struct trace_link *link = link_to(trace_of(&w, "x"), &before);
	assert_non_null(link);
	assert_true(link->shared > 0.6f);
	/* Lineage, too, outlives a restart; of another key nothing is known. */
	engine_close(again.e);
	struct engine_options o = world_options(&w);
	assert_int_equal(engine_open(&o, &again.e, NULL), WD_OK);
	world_restart(&w, &again);
	assert_int_equal(again.e->lineage->count, w.e->lineage->count);
	assert_int_equal(w.e->lineage->count, 2); /* of users nothing is kept */
	engine_close(again.e);
	struct address_key other = address_key_of(&(struct hash_key){"another"});
	o.source_key = &other;
	assert_int_equal(engine_open(&o, &again.e, NULL), WD_OK);
	world_restart(&w, &again);
	assert_int_equal(again.e->lineage->count, 0);
	for (size_t n = 0; n < again.e->track_count; n++)
		assert_null(usual_memory(again.e->tracks[n].watch->usual));
	world_close(&again);
	world_close(&w);
}

/* Whoever was there before it was forgotten must not be called new. */
static void after_weeks_without_traffic_an_hour_is_learned_again(void **state)
{
	static struct traffic_tick tick;
	struct address_key key = address_key_of(&(struct hash_key){"usual"});
	struct usual *u = calloc(1, sizeof(*u));
	wd_wall at = wall_s(START_S);
	(void)state;
	assert_non_null(u);
	tick.sample_count = 1;
	tick.sample[0].family = 4;
	for (int part = 0; part < 2; part++) {
		for (int n = 0; n < 3700; n++) {
			if (n < 50)
				assert_null(usual_memory(u));
			if (n > 3650)
				assert_non_null(usual_memory(u));
			tick.at = at = wall_add(at, span_s(1));
			tick.sample[0].src[3] = (uint8_t)n;
			usual_tick(u, &tick, &key);
		}
		at = wall_add(at, span_s(INT64_C(6) * 7 * 86400));
		if (part == 0) { /* it has a first word again: the weeks are over */
			for (int n = 0; n < 20; n++) {
				tick.at = at = wall_add(at, span_s(1));
				usual_tick(u, &tick, &key);
			}
		}
	}
	free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_botnet_that_comes_again_is_known_and_another_is_not),
		cmocka_unit_test(the_same_list_of_reflectors_is_known_without_learning),
		cmocka_unit_test(users_make_no_lineage),
		cmocka_unit_test(new_sources_are_those_that_quiet_times_did_not_have),
		cmocka_unit_test(after_weeks_without_traffic_an_hour_is_learned_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
