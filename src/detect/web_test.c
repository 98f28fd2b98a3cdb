/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/web.h"

#include "base/check.h"
#include "detect/web_testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct run {
	struct world world;
	struct web_watch watch;
	struct web_tick tick;
	struct web_reading last;
	bool open;
	int opened, load_seconds;
	char why[WEB_WHY_MAX + 1]; /* of the last attack */
	char vectors[128]; /* of attacks seen, in order of first sight */
	float most; /* the highest A of what would be attack */
};

static struct run *run_new(uint64_t seed)
{
	struct run *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	world_init(&r->world, seed);
	web_watch_init(&r->watch);
	return r;
}

static void judge(struct run *r)
{
	web_watch_step(&r->watch, &r->tick, r->open, &r->last);
	if (!r->open && r->last.attack) {
		r->open = true;
		r->opened++;
		memcpy(r->why, r->last.findings[0].why, sizeof(r->why));
	} else if (r->open && r->last.calm) {
		r->open = false;
	}
	r->most = fmaxf(r->most, r->last.log10_return);
	r->load_seconds += r->last.load_return >= WEB_OPEN;
	for (uint32_t i = 0; i < r->last.finding_count; i++)
		if (strstr(r->vectors, r->last.findings[i].vector) == NULL)
			snprintf(r->vectors + strlen(r->vectors),
				 sizeof(r->vectors) - strlen(r->vectors), "%s ",
				 r->last.findings[i].vector);
}

static void live(struct run *r, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		world_second(&r->world, &r->tick);
		judge(r);
	}
}

/* Seconds until an attack opens an incident; -1 if not within `most`. */
static int attacked(struct run *r, enum attack a, int requests, int most)
{
	int before = r->opened;

	for (int i = 0; i < most; i++) {
		world_second(&r->world, &r->tick);
		attack_second(&r->world, &r->tick, a, requests);
		judge(r);
		if (r->opened > before)
			return i + 1;
	}
	return -1;
}

static void visitors_raise_nothing(void **state)
{
	static const struct { double pages, bursty; int assets; } cases[] = {
		{0.05, 0, 8}, {1, 0, 8}, {1, 0.3, 8}, {20, 0, 8}, {40, 0.3, 0},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct run *r = run_new(100 + i);
		r->world.pages_per_s = cases[i].pages;
		r->world.bursty = cases[i].bursty;
		r->world.assets = cases[i].assets;
		live(r, cases[i].pages > 10 ? 10000 : 40000);
		if (r->opened > 0)
			fail_msg("world %zu: %d, %s", i, r->opened, r->vectors);
		free(r);
	}
}

static void a_crowd_is_load(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct run *r = run_new(seed);
		r->world.pages_per_s = seed <= 2 ? 2 : 10;
		live(r, 3600);
		for (int ramp = 1; ramp <= 60; ramp++) {
			r->world.crowd_pages_per_s = r->world.pages_per_s * 15 * ramp / 60;
			live(r, 1);
		}
		live(r, 300);
		if (r->opened > 0)
			fail_msg("%s", r->why);
		assert_true(r->load_seconds > 200);
		assert_true(r->last.finding_count > 0);
		/* Nor is anything else on the way up and down that who opens earlier would take. */
		for (int ramp = 120; ramp > 0; ramp--) {
			r->world.crowd_pages_per_s = r->world.pages_per_s * 15 * ramp / 120;
			live(r, 1);
		}
		live(r, 120);
		if (r->most >= 5)
			fail_msg("%g: %s %s (seed %d)", (double)r->most, r->vectors, r->why, (int)seed);
		assert_non_null(strstr(r->vectors, "http.crowd"));
		assert_false(r->last.attack);
		assert_int_equal(r->opened, 0);
		free(r);
	}
}

/* One page, and no two requests for it alike: but what belongs to it is fetched, too. */
static void readers_of_a_letter_are_load(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct run *r = run_new(seed);
		r->world.pages_per_s = 2;
		r->world.letters = true;
		/* Where all ask for one page anyway, it is no sign; readers may have few browsers. */
		r->world.home = seed > 4 ? 0.8 : 0;
		r->world.browsers = seed > 4 ? 2 : 0;
		live(r, 3600);
		r->world.crowd_pages_per_s = 40;
		live(r, 60);
		if (r->opened > 0)
			fail_msg("%s %s", r->vectors, r->why);
		assert_non_null(strstr(r->vectors, "http.crowd"));
		r->world.crowd_pages_per_s = 0;
		live(r, 120);
		assert_int_equal(r->opened, 0);
		free(r);
	}
}

/* Seconds of an app's requests until an incident opens; -1: none did. */
static int woken(struct run *r, int seconds, double a_second, double tail_s, int clients, bool blind)
{
	int before = r->opened, next = 0;

	for (int i = 0; i < seconds; i++) {
		double mean = tail_s > 0 ? a_second * exp(-i / tail_s) : a_second;
		int n = (int)prng_poisson(&r->world.prng, mean);

		world_second(&r->world, &r->tick);
		app_second(&r->world, &r->tick, n, blind ? 0 : next, blind ? clients : 0);
		next = (next + n) % (clients > 0 ? clients : 1 << 20);
		judge(r);
		if (r->opened > before)
			return i + 1;
	}
	return -1;
}

static struct run *run_pages(uint64_t seed, double pages_per_s)
{
	struct run *r = run_new(seed);

	r->world.pages_per_s = pages_per_s;
	live(r, 1800);
	return r;
}

/* A message on thousands of telephones: each asks once, and soon all have. */
static void an_app_that_wakes_is_load(void **state)
{
	static const struct { double pages, a_second, tail_s; int seconds; } cases[] = {
		{25, 450, 20, 120}, {10, 225, 0, 20}, {10, 225, 40, 180}, {10, 300, 30, 150},
		{2, 225, 0, 20},   {2, 225, 40, 180}, {2, 450, 20, 120}, {2, 225, 15, 90},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct run *r = run_pages(i, cases[i].pages);
		for (int again = 0; again < 2; again++) {
			int after = woken(r, cases[i].seconds, cases[i].a_second, cases[i].tail_s,
					  0, false);
			if (after != -1)
				fail_msg("%zu: after %d s, %s", i, after, r->why);
			live(r, 900);
			assert_int_equal(r->opened, 0);
		}
		assert_non_null(strstr(r->vectors, "http.crowd"));
		free(r);
	}
}

/* Something broke: people ask for the page again, a few times each. */
static void a_page_that_fails_is_load(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		int a_second = 80 + 5 * (int)seed;
		struct run *r = run_pages(seed, 5);
		for (int i = 0; i < 240; i++) {
			world_second(&r->world, &r->tick);
			reload_second(&r->world, &r->tick, a_second, i / 4 * a_second);
			judge(r);
		}
		if (r->opened > 0)
			fail_msg("%s", r->why);
		assert_non_null(strstr(r->vectors, "http.crowd"));
		/* Who asks on and on is none of them. */
		int after = -1;
		free(r);
		r = run_pages(seed, 5);
		for (int i = 0; i < 120 && after < 0; i++) {
			world_second(&r->world, &r->tick);
			reload_second(&r->world, &r->tick, a_second, 0);
			judge(r);
			after = r->opened > 0 ? i : -1;
		}
		assert_in_range(after, 0, 90);
		free(r);
	}
}

/* Whoever asks waits, or gives up: nobody reads slowly. */
static void a_slow_server_is_no_flood(void **state)
{
	static const int statuses[] = {200, 499, 504};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(statuses); i++) {
		struct run *r = run_pages(60 + i, 20);
		r->world.slow = statuses[i];
		live(r, 300);
		if (r->opened > 0)
			fail_msg("%d: %s", statuses[i], r->why);
		free(r);
	}
	/* Few clients do, beside many visitors. */
	struct run *r = run_pages(70, 20);
	assert_in_range(attacked(r, ATTACK_HELD, 30, 30), 1, 20);
	assert_string_equal(r->last.findings[0].vector, "slow.read");
	free(r);
}

/* A link is shared, and each server that hears of it fetches a preview and says who it is. */
static void previews_are_load(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct run *r = run_pages(seed, seed <= 2 ? 2 : 5);
		for (int i = 0, first = 0; i < 120; i++) {
			int requests = (int)(150 * exp(-i / 25.0));
			world_second(&r->world, &r->tick);
			preview_second(&r->world, &r->tick, requests, first);
			first += requests;
			judge(r);
		}
		if (r->opened > 0)
			fail_msg("%s", r->why);
		assert_non_null(strstr(r->vectors, "http.crowd"));
		free(r);
	}
}

/* What looks like it and asks again and again. */
static void a_flood_of_an_app_s_requests_is_one(void **state)
{
	static const struct { double a_second; int clients; bool blind; int most; } cases[] = {
		{225, 1500, true, 10}, {225, 1500, false, 12}, {400, 1500, true, 8},
		{600, 300, false, 6},  {225, 500, true, 8},    {225, 4000, true, 20},
		{300, 0, false, 46}, /* each but once, but it does not end */
	};
	(void)state;
	for (size_t i = 0; i < 2 * WD_COUNT(cases); i++) {
		struct run *r = run_pages(20 + i, i % 2 ? 10 : 2);
		int after = woken(r, 120, cases[i / 2].a_second, 0, cases[i / 2].clients,
				  cases[i / 2].blind);
		if (after < 0 || after > cases[i / 2].most)
			fail_msg("%g/s of %d: after %d s, %s", cases[i / 2].a_second,
				 cases[i / 2].clients, after, r->vectors);
		assert_non_null(strstr(r->vectors, "http.get"));
		free(r);
	}
}

/* Nor does it hide by stopping now and then. */
static void floods_in_bursts_are_seen(void **state)
{
	struct run *r = run_pages(7, 2);
	int after = -1, bursts = 0;
	(void)state;
	for (; bursts < 3 && after < 0; bursts++) {
		after = woken(r, 6, 225, 0, 1500, false);
		if (after < 0)
			live(r, 60);
	}
	if (after < 0)
		fail_msg("%s", r->vectors);
	free(r);
}

static void floods_are_named(void **state)
{
	(void)state;
	for (int a = 0; a < ATTACK_SPOTS; a++) {
		struct run *r = run_new(50 + (uint64_t)a);
		r->world.pages_per_s = 2; /* 18 requests a second */
		live(r, 3600);
		assert_string_equal(r->vectors, "");
		int delay = attacked(r, (enum attack)a, 200, 30);
		bool load = a == ATTACK_CRAWLER || a == ATTACK_SCANNER || a == ATTACK_SWARM;
		if (load ? delay != -1 : delay < 1 || delay > 8)
			fail_msg("%s: after %d s, %s", attack_vector((enum attack)a), delay,
				 r->vectors);
		assert_true(r->last.finding_count > 0);
		const struct web_finding *f = &r->last.findings[0];
		if (strcmp(f->vector, attack_vector((enum attack)a)) != 0)
			fail_msg("%d: %s is not %s: %s", a, f->vector,
				 attack_vector((enum attack)a), f->why);
		assert_int_equal(f->attack, !load);
		assert_true(f->share > 0.4F && f->why[0] != '\0');
		/* Of what it is, not of all that it looks like besides. */
		if (a >= ATTACK_HALF && a != ATTACK_SOCKET && strlen(r->vectors) != strlen(f->vector) + 1)
			fail_msg("%s: also %s", f->vector, r->vectors);
		assert_true(wall_sub(r->tick.at, r->last.began).ns <=
			    (load ? 40 : delay + 3) * WD_NS_PER_S);
		/* It ends, and is over. */
		live(r, 400);
		assert_false(r->open);
		assert_true(r->last.calm);
		free(r);
	}
}

/* A log of which only this is known. */
static void signatures_need_no_history(void **state)
{
	static const struct { enum attack attack; bool named; } cases[] = {
		{ATTACK_BUST, true}, {ATTACK_PATHS, true}, {ATTACK_PINGBACK, true},
		{ATTACK_LOGIN, true}, {ATTACK_SLOW, true},
		{ATTACK_GET, false}, {ATTACK_CRAWLER, false}, {ATTACK_READ, false},
		{ATTACK_SCANNER, false}, {ATTACK_SPOTS, false},
		{ATTACK_WORDS, true}, {ATTACK_GONE, false},
		{ATTACK_GUESS, true}, {ATTACK_DIGESTS, false},
		{ATTACK_NUMBERS, false}, {ATTACK_EXPIRED, false},
		{ATTACK_LINKED, false}, {ATTACK_SWARM, false},
		{ATTACK_SHIFT, false}, {ATTACK_ASKED, false},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct run *r = run_new(i);
		r->world.pages_per_s = 0;
		int delay = attacked(r, cases[i].attack, 100, 10);
		assert_true(r->last.cold);
		if (cases[i].named && (delay < 1 || delay > 9))
			fail_msg("%s: %d s", attack_vector(cases[i].attack), delay);
		if (!cases[i].named && delay != -1)
			fail_msg("%s: %s", attack_vector(cases[i].attack), r->vectors);
		free(r);
	}
}

/* A busy service that is seen for the first time is not attacked. */
static void beginnings_raise_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct run *r = run_new(seed);
		r->world.pages_per_s = seed < 10 ? 5 : 60;
		r->world.assets = seed % 2 ? 8 : 0;
		r->world.second += (int64_t)seed * 3600;
		live(r, 400);
		assert_string_equal(r->vectors, "");
		free(r);
	}
}

/* Half of a run, to bytes, and on from them: the same as in one piece. */
static void state_survives(void **state)
{
	struct run *r = run_new(3), *again = calloc(1, sizeof(*again));
	uint8_t bytes[WEB_WATCH_BYTES];
	(void)state;
	live(r, 700);
	assert_int_equal(attacked(r, ATTACK_BUST, 100, 5) > 0, 1);
	assert_non_null(again);
	*again = *r;
	web_watch_write(&r->watch, bytes);
	memset(&again->watch, 0xa5, sizeof(again->watch));
	assert_int_equal(web_watch_read(&again->watch, bytes, sizeof(bytes), NULL), WD_OK);
	assert_memory_equal(&again->watch, &r->watch, sizeof(r->watch));
	for (int i = 0; i < 200; i++) {
		live(r, 1);
		live(again, 1);
		assert_int_equal(r->last.finding_count, again->last.finding_count);
		assert_true(r->last.log10_return == again->last.log10_return);
	}
	struct web_watch w;
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_int_not_equal(web_watch_read(&w, bytes, len, NULL), WD_OK);
	bytes[3] = 3;
	assert_int_equal(web_watch_read(&w, bytes, sizeof(bytes), NULL), WD_UNKNOWN);
	bytes[3] = 1; /* had no rush at its end */
	size_t old = sizeof(bytes) - sizeof(w.rush);
	assert_int_equal(web_watch_read(&w, bytes, old, NULL), WD_OK);
	assert_int_equal(w.rush.seconds, 0);
	assert_int_not_equal(web_watch_read(&w, bytes, sizeof(bytes), NULL), WD_OK);
	bytes[3] = 2;
	struct prng p = prng_of(8, 8);
	for (int i = 0; i < 20000; i++) { /* whatever is read can be gone on with */
		uint8_t damaged[WEB_WATCH_BYTES];
		memcpy(damaged, bytes, sizeof(bytes));
		damaged[4 + prng_below(&p, sizeof(bytes) - 4)] ^= 1 << prng_below(&p, 8);
		if (web_watch_read(&w, damaged, sizeof(damaged), NULL) == WD_OK)
			web_watch_step(&w, &r->tick, false, &r->last);
	}
	free(r);
	free(again);
}

static void time_may_jump(void **state)
{
	struct run *r = run_new(1);
	(void)state;
	live(r, 1000);
	struct web_watch before = r->watch;
	r->world.second -= 500;
	world_second(&r->world, &r->tick);
	web_watch_step(&r->watch, &r->tick, false, &r->last);
	assert_false(r->last.taken);
	assert_memory_equal(&before, &r->watch, sizeof(before));
	r->world.second += 10 * 86400;
	live(r, 1000);
	assert_int_equal(r->opened, 0);
	r->tick.width = span_s(60);
	r->tick.at = wall_s(INT64_MAX / WD_NS_PER_S - 100);
	web_watch_step(&r->watch, &r->tick, false, &r->last);
	assert_true(r->last.taken);
	free(r);
}

/* Ticks come only of seconds with requests: here one of ten, while an incident is open. */
static void what_lasts_a_day_is_usual_however_few_its_ticks(void **state)
{
	struct run *r = run_new(4);
	float after_23_h = 0;
	(void)state;
	for (int n = 0; n < 25 * 360; n++) {
		if (n == 23 * 360)
			after_23_h = r->last.usual_per_s;
		world_second(&r->world, &r->tick);
		r->world.second += 9;
		attack_second(&r->world, &r->tick, ATTACK_GET, n < 60 ? 0 : 200);
		web_watch_step(&r->watch, &r->tick, n >= 60, &r->last);
	}
	assert_true(after_23_h < 10);
	assert_true(r->last.usual_per_s > 15);
	free(r);
}

/* The same seconds without a line, where many would have come and where none would. */
static void a_log_that_stops_is_no_service_without_visitors(void **state)
{
	(void)state;
	for (int minutes = 10; minutes <= 59; minutes += 49) {
		struct run *r = run_new(7);
		r->world.pages_per_s = 5;
		r->world.assets = 4;
		live(r, 900);
		float usual = r->last.usual_per_s;
		uint64_t seen = r->watch.seen;
		int64_t last = r->watch.last;
		assert_false(web_watch_misses(&r->watch, last + 60));
		assert_true(web_watch_misses(&r->watch, last + 60 * minutes));
		r->world.second += 60 * minutes;
		live(r, 1);
		assert_int_equal(r->watch.seen, seen + 1);
		assert_true(fabsf(r->last.usual_per_s - usual) < .05F * usual);
		live(r, 60);
		assert_int_equal(r->opened, 0);
		assert_true(r->most < 3);
		free(r);
	}
	struct run *r = run_new(8);
	r->world.pages_per_s = .01;
	live(r, 7200);
	uint64_t seen = r->watch.seen;
	r->world.second += 1800;
	live(r, 1);
	assert_int_equal(r->watch.seen, seen + 1801); /* nobody came */
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_that_stops_is_no_service_without_visitors),
		cmocka_unit_test(visitors_raise_nothing),
		cmocka_unit_test(a_crowd_is_load),
		cmocka_unit_test(readers_of_a_letter_are_load),
		cmocka_unit_test(an_app_that_wakes_is_load),
		cmocka_unit_test(a_page_that_fails_is_load),
		cmocka_unit_test(a_slow_server_is_no_flood),
		cmocka_unit_test(previews_are_load),
		cmocka_unit_test(a_flood_of_an_app_s_requests_is_one),
		cmocka_unit_test(floods_in_bursts_are_seen),
		cmocka_unit_test(floods_are_named),
		cmocka_unit_test(signatures_need_no_history),
		cmocka_unit_test(beginnings_raise_nothing),
		cmocka_unit_test(what_lasts_a_day_is_usual_however_few_its_ticks),
		cmocka_unit_test(state_survives),
		cmocka_unit_test(time_may_jump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
