/* SPDX-License-Identifier: Apache-2.0 */
/* Flows through lanes and their rings into one tick a service. */
#include "intake/gather.h"
#include "intake/lane.h"
#include "intake/watchlist.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LANES = 3 };
static const int64_t TICK = TRAFFIC_TICK_NS;
static struct vector_classes classes;
static struct traffic_rules rules = {.classes = &classes};

/* Two services: "a" has 192.0.2.0/24, "b" 198.51.100.0/24; or only "b" with both. */
static struct watchlist *make_watch(bool only_b)
{
	static const uint8_t first[] = {192, 0, 2}, second[] = {198, 51, 100};
	size_t count = only_b ? 1 : 2;
	struct service *services = calloc(count, sizeof(*services));
	struct catalogue *catalogue;
	struct watchlist *w;
	for (size_t i = 0; i < count; i++) {
		struct service *s = &services[i];
		s->id = strdup(only_b || i == 1 ? "b" : "a");
		s->name = strdup(s->id);
		s->category = strdup("other");
		s->zone = zone_new_utc();
		s->addresses = calloc(2, sizeof(*s->addresses));
		if (only_b || i == 0) {
			memcpy(s->addresses[s->address_count].address, first, sizeof(first));
			s->addresses[s->address_count++].bits = 24;
		}
		if (only_b || i == 1) {
			memcpy(s->addresses[s->address_count].address, second, sizeof(second));
			s->addresses[s->address_count++].bits = 24;
		}
		for (size_t k = 0; k < s->address_count; k++)
			s->addresses[k].family = 4;
	}
	assert_int_equal(catalogue_open(services, count, &catalogue, NULL), WD_OK);
	const struct watchlist_parts parts = {.catalogue = catalogue, .rules = &rules};
	assert_int_equal(watchlist_open(&parts, &w, NULL), WD_OK);
	catalogue_release(catalogue);
	return w;
}

struct world {
	struct watchlist_box *box;
	struct lane *lanes[LANES];
	struct gather *gather;
	unsigned woken;
	/* What came out. */
	struct { char service[SERVICE_ID_MAX + 1]; int64_t at, width; uint64_t packets; } ticks[64];
	size_t tick_count;
	int64_t until;
};

static void wake(void *ctx) { ((struct world *)ctx)->woken++; }

static void on_tick(void *ctx, const struct traffic_tick *t)
{
	struct world *w = ctx;
	assert_true(w->tick_count < 64);
	memcpy(w->ticks[w->tick_count].service, t->service, sizeof(t->service));
	w->ticks[w->tick_count].at = t->at.ns;
	w->ticks[w->tick_count].width = t->width.ns;
	w->ticks[w->tick_count].packets = 0;
	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++)
		w->ticks[w->tick_count].packets += t->in[i].packets;
	w->tick_count++;
}

static void on_until(void *ctx, wd_wall until) { ((struct world *)ctx)->until = until.ns; }

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct watchlist *watch = make_watch(false);
	assert_int_equal(watchlist_box_open(watch, &w->box), WD_OK);
	watchlist_release(watch);
	struct lane_options o = {.box = w->box, .ring_bytes = 1 << 20, .seed = 1, .wake = wake,
				 .ctx = w};
	for (size_t i = 0; i < LANES; i++)
		assert_int_equal(lane_open(&o, &w->lanes[i], NULL), WD_OK);
	assert_int_equal(gather_open(w->lanes, LANES, 10, &w->gather), WD_OK);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	gather_close(w->gather);
	for (size_t i = 0; i < LANES; i++)
		lane_close(w->lanes[i]);
	watchlist_box_close(w->box);
	free(w);
	return 0;
}

static void see(struct lane *l, uint8_t net, uint64_t packets)
{
	struct flow f = {.dst = {net, net == 192 ? 0 : 51, net == 192 ? 2 : 100, 7},
			 .src = {10, 0, 0, 1}, .packets = packets, .bytes = packets * 100,
			 .sampling = 1, .family = 4, .protocol = 17};
	lane_flows(l, &f, 1);
}

static void clock_all(struct world *w, int64_t ns)
{
	for (size_t i = 0; i < LANES; i++)
		lane_clock(w->lanes[i], (wd_wall){ns});
}

static bool run(struct world *w, int64_t ns)
{
	const struct gather_handler h = {on_tick, on_until, w, NULL};
	return gather_run(w->gather, (wd_wall){ns}, &h);
}

static void lanes_of_one_tick_are_put_together(void **state)
{
	struct world *w = *state;
	int64_t begin = 1000 * TICK;
	clock_all(w, begin + 5);
	see(w->lanes[0], 192, 10);
	see(w->lanes[1], 192, 20);
	see(w->lanes[2], 198, 5);
	see(w->lanes[2], 203, 9999); /* nobody's */
	assert_false(run(w, begin + TICK - 1)); /* the tick is not over */
	clock_all(w, begin + TICK + 1);
	assert_int_equal(w->woken, LANES);
	assert_true(run(w, begin + TICK + 1));
	assert_int_equal(w->until, begin + TICK);
	assert_int_equal(w->tick_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(w->ticks[i].at, begin);
		assert_int_equal(w->ticks[i].width, TICK);
		assert_int_equal(w->ticks[i].packets, w->ticks[i].service[0] == 'a' ? 30 : 5);
	}
	assert_int_equal(gather_count(w->gather).shards.records, 4);
	assert_int_equal(gather_count(w->gather).shards.elsewhere, 1);
}

static void quiet_time_is_told_too(void **state)
{
	struct world *w = *state;
	int64_t begin = 1000 * TICK;
	for (int64_t n = 0; n < 10; n++) {
		clock_all(w, begin + n * TICK);
		run(w, begin + n * TICK);
	}
	assert_int_equal(w->tick_count, 0);
	assert_int_equal(w->until, begin + 9 * TICK);
}

static void a_slow_lane_is_waited_for_and_a_dead_one_is_not(void **state)
{
	struct world *w = *state;
	int64_t begin = 1000 * TICK;
	clock_all(w, begin);
	clock_all(w, begin + TICK);
	run(w, begin + TICK);
	assert_int_equal(w->until, begin + TICK);
	for (size_t i = 0; i < 2; i++) { /* the third says nothing */
		see(w->lanes[i], 192, 1);
		lane_clock(w->lanes[i], (wd_wall){begin + 2 * TICK});
	}
	assert_false(run(w, begin + 2 * TICK));
	assert_int_equal(w->tick_count, 0);
	see(w->lanes[2], 192, 40);
	assert_true(run(w, begin + TICK + GATHER_PATIENCE.ns));
	assert_int_equal(w->tick_count, 1);
	assert_int_equal(w->ticks[0].packets, 2);
	/* Back again: nothing of it is lost, and no tick goes back in time. */
	clock_all(w, begin + 5 * TICK);
	assert_true(run(w, begin + 5 * TICK));
	assert_int_equal(w->tick_count, 2);
	assert_int_equal(w->ticks[1].packets, 40);
	assert_true(w->ticks[1].at >= w->ticks[0].at + w->ticks[0].width);
	assert_int_equal(w->until, begin + 5 * TICK);
}

static void an_engine_that_is_stuck_gets_all_of_it_later(void **state)
{
	struct world *w = *state;
	int64_t begin = 1000 * TICK;
	uint64_t sent = 0, got = 0;
	clock_all(w, begin);
	for (int64_t n = 1; n <= 200; n++) { /* the ring holds about 50 of these */
		see(w->lanes[0], 192, 3);
		sent += 3;
		clock_all(w, begin + n * TICK);
	}
	run(w, begin + 200 * TICK);
	see(w->lanes[0], 192, 3);
	sent += 3;
	clock_all(w, begin + 201 * TICK);
	assert_true(run(w, begin + 201 * TICK));
	for (size_t i = 0; i < w->tick_count; i++) {
		got += w->ticks[i].packets;
		assert_true(i == 0 || w->ticks[i].at == w->ticks[i - 1].at + w->ticks[i - 1].width);
	}
	assert_int_equal(got, sent);
	assert_true(w->tick_count < 201);
	assert_true(w->ticks[w->tick_count - 1].width > TICK);
	assert_true(gather_count(w->gather).shards.held > 0);
}

static void a_new_watch_holds_from_the_next_tick_on(void **state)
{
	struct world *w = *state;
	int64_t begin = 1000 * TICK;
	clock_all(w, begin);
	see(w->lanes[0], 192, 1);
	watchlist_box_put(w->box, make_watch(true)); /* in the middle of a tick */
	see(w->lanes[0], 192, 1);
	clock_all(w, begin + TICK);
	see(w->lanes[0], 192, 7);
	clock_all(w, begin + 2 * TICK);
	run(w, begin + 2 * TICK);
	assert_int_equal(w->tick_count, 2);
	assert_string_equal(w->ticks[0].service, "a");
	assert_int_equal(w->ticks[0].packets, 2);
	assert_string_equal(w->ticks[1].service, "b");
	assert_int_equal(w->ticks[1].packets, 7);
	assert_int_equal(gather_count(w->gather).shards.records, 3);
}

static void services_that_are_gone_make_room(void **state)
{
	struct world *w = *state;
	int64_t begin = 1000 * TICK;
	gather_close(w->gather);
	assert_int_equal(gather_open(w->lanes, LANES, 1, &w->gather), WD_OK);
	clock_all(w, begin);
	for (int64_t n = 1; n <= 4; n++) {
		see(w->lanes[0], n % 2 ? 192 : 198, 1);
		clock_all(w, begin + n * TICK);
		run(w, begin + n * TICK);
	}
	assert_int_equal(w->tick_count, 4);
	assert_string_equal(w->ticks[3].service, "b");
	assert_int_equal(gather_count(w->gather).no_room, 0);
	see(w->lanes[0], 192, 1); /* both at once are beyond the maximum */
	see(w->lanes[0], 198, 1);
	clock_all(w, begin + 5 * TICK);
	run(w, begin + 5 * TICK);
	assert_int_equal(w->tick_count, 5);
	assert_int_equal(gather_count(w->gather).no_room, 1);
}

static void what_is_left_at_the_end_is_handed_on(void **state)
{
	struct world *w = *state;
	const struct gather_handler h = {on_tick, on_until, w, NULL};
	int64_t begin = 1000 * TICK;
	clock_all(w, begin);
	see(w->lanes[0], 192, 1);
	see(w->lanes[1], 192, 1);
	lane_end(w->lanes[0], (wd_wall){begin + 7});
	lane_end(w->lanes[1], (wd_wall){begin + 7});
	gather_end(w->gather, &h);
	assert_int_equal(w->tick_count, 1);
	assert_int_equal(w->ticks[0].packets, 2);
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(lanes_of_one_tick_are_put_together),
		WITH_WORLD(quiet_time_is_told_too),
		WITH_WORLD(a_slow_lane_is_waited_for_and_a_dead_one_is_not),
		WITH_WORLD(an_engine_that_is_stuck_gets_all_of_it_later),
		WITH_WORLD(a_new_watch_holds_from_the_next_tick_on),
		WITH_WORLD(services_that_are_gone_make_room),
		WITH_WORLD(what_is_left_at_the_end_is_handed_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
