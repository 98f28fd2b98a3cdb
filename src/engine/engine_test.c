/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a small world ---- */

static const int64_t START_S = 1741564800; /* 2025-03-10T00:00:00Z */

struct world {
	struct engine *e;
	uint64_t random, persons;
	size_t opened, changed, closed, coordinated;
	struct incident last;
	struct coordinated evidence;
	struct buf told; /* every effect as text */
};

static double uniform(struct world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (double)(w->random >> 11) * 0x1p-53;
}

static int poisson(struct world *w, double mean)
{
	double limit = exp(-mean), product = uniform(w);
	int n = 0;
	for (; product > limit; n++)
		product *= uniform(w);
	return n;
}

static struct engine_options options(void)
{
	struct engine_options o = engine_defaults();
	o.adopt_services = true;
	return o;
}

static void world_open(struct world *w, uint64_t seed)
{
	struct engine_options o = options();
	*w = (struct world){.random = seed * 2 + 1};
	buf_init(&w->told, 1 << 24);
	assert_int_equal(engine_open(&o, &w->e, NULL), WD_OK);
}

static void world_close(struct world *w)
{
	engine_close(w->e);
	buf_done(&w->told);
}

static void collect(struct world *w)
{
	size_t count;
	const struct effect *effects = engine_effects(w->e, &count);
	for (size_t n = 0; n < count; n++) {
		const struct effect *x = &effects[n];
		w->opened += x->kind == EFFECT_INCIDENT_OPENED;
		w->changed += x->kind == EFFECT_INCIDENT_CHANGED;
		w->closed += x->kind == EFFECT_INCIDENT_CLOSED;
		w->coordinated += x->kind == EFFECT_COORDINATED;
		if (x->kind == EFFECT_COORDINATED)
			w->evidence = x->coordinated;
		else
			w->last = x->incident;
		buf_fmt(&w->told, "%d ", (int)x->kind);
		if (x->kind != EFFECT_COORDINATED)
			incident_to_json(&w->told, &x->incident);
		buf_char(&w->told, '\n');
	}
	engine_effects_drop(w->e);
}

struct source { const char *surface, *city; uint32_t network; int persons; /* 0 = ever new */ };

static enum engine_verdict report(struct world *w, const char *service, int64_t at_s, const struct source *from)
{
	static const char *const surfaces[] = {"app", "website", "api"};
	static const char *const cities[] = {"London", "Birmingham", "Leeds", "Glasgow"};
	struct observation o = observation_blank(OBSERVATION_REPORT);
	double pick = uniform(w);
	o.service = service;
	o.at = wall_s(at_s);
	o.person = from->persons > 0 ? 1 + (uint64_t)(uniform(w) * from->persons) : 1000000 + w->persons++;
	o.surface = from->surface != NULL ? from->surface : surfaces[pick < .5 ? 0 : pick < .8 ? 1 : 2];
	memcpy(o.country, "GB", 3);
	o.city = from->city != NULL ? from->city : cities[(int)(uniform(w) * 4)];
	o.network = from->network != 0 ? from->network : 100 + (uint32_t)(uniform(w) * 20);
	return engine_observe(w->e, &o);
}

/* Minutes [from, to) with `usual` reports a minute from everywhere and `extra` from `source`. */
static void play(struct world *w, const char *service, int from, int to, double usual, double extra,
		 const struct source *source)
{
	static const struct source anywhere = {0};
	for (int minute = from; minute < to; minute++) {
		int a = poisson(w, usual), b = extra > 0 ? poisson(w, extra) : 0;
		for (int n = 0; n < a + b; n++) {
			int64_t at = START_S + minute * 60 + (int64_t)n * 60 / (a + b);
			engine_advance(w->e, wall_s(at));
			report(w, service, at, n < a ? &anywhere : source);
		}
		engine_advance(w->e, wall_s(START_S + (minute + 1) * 60));
		collect(w);
	}
}

/* ---- what it must do ---- */

static void a_surge_of_many_persons_is_one_incident_with_its_begin_and_end(void **state)
{
	struct world w;
	struct source anywhere = {0};
	(void)state;
	world_open(&w, 1);
	play(&w, "x", 0, 2880, 2, 0, NULL);
	assert_int_equal(w.opened, 0);
	play(&w, "x", 2880, 2940, 2, 40, &anywhere);
	assert_int_equal(w.opened, 1);
	play(&w, "x", 2940, 3100, 2, 0, NULL);
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.closed, 1);
	assert_true(llabs(wall_to_s(w.last.began_at) - (START_S + 2880 * 60)) <= 120);
	assert_true(llabs(wall_to_s(w.last.ended_at) - (START_S + 2940 * 60)) <= 300);
	assert_true(wall_to_s(w.last.decided_at) - (START_S + 2880 * 60) <= 240);
	assert_true(fabsf(w.last.excess - 60 * 40) < 300);
	assert_true(w.last.peak_observed > 40 && w.last.peak_expected < 4);
	assert_int_equal(w.last.wave_count, 1);
	assert_int_equal(w.last.networks, 20);
	assert_string_equal(w.last.service, "x");
	world_close(&w);
}

static void two_surges_within_hours_are_two_waves_of_one_incident(void **state)
{
	struct world w;
	struct source anywhere = {0};
	(void)state;
	world_open(&w, 2);
	play(&w, "x", 0, 2880, 2, 0, NULL);
	play(&w, "x", 2880, 2920, 2, 40, &anywhere);
	play(&w, "x", 2920, 3060, 2, 0, NULL);
	play(&w, "x", 3060, 3100, 2, 60, &anywhere);
	play(&w, "x", 3100, 3300, 2, 0, NULL);
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.closed, 2);
	assert_int_equal(w.last.wave_count, 2);
	assert_true(llabs(wall_to_s(w.last.waves[1].began_at) - (START_S + 3060 * 60)) <= 180);
	assert_true(w.last.waves[1].peak_observed > w.last.waves[0].peak_observed);
	world_close(&w);
}

static void what_one_network_reports_is_evidence_and_no_incident(void **state)
{
	struct world w;
	struct source flood = {.network = 64500};
	(void)state;
	world_open(&w, 3);
	play(&w, "x", 0, 2880, 2, 0, NULL);
	play(&w, "x", 2880, 2940, 2, 60, &flood);
	play(&w, "x", 2940, 3100, 2, 0, NULL);
	assert_int_equal(w.opened, 0);
	assert_true(w.coordinated >= 1);
	assert_string_equal(w.evidence.top_network, "AS64500");
	assert_true(w.evidence.top_share > 0.8f);
	world_close(&w);
}

static void what_few_persons_report_counts_few_times(void **state)
{
	struct world w;
	struct source four = {.persons = 4};
	struct snapshot *s;
	(void)state;
	world_open(&w, 4);
	play(&w, "x", 0, 2880, 0.02, 0, NULL);
	play(&w, "x", 2880, 2940, 0.02, 100, &four);
	assert_int_equal(w.opened, 0);
	(void)s;
	world_close(&w);
}

static void a_person_counts_once_a_service_and_quarter_of_an_hour(void **state)
{
	struct world w;
	struct observation o = observation_blank(OBSERVATION_REPORT);
	(void)state;
	world_open(&w, 5);
	o.service = "x";
	o.person = 7;
	o.at = wall_s(START_S);
	engine_advance(w.e, o.at);
	assert_int_equal(engine_observe(w.e, &o), ENGINE_COUNTED);
	assert_int_equal(engine_observe(w.e, &o), ENGINE_DUPLICATE);
	o.service = "y";
	assert_int_equal(engine_observe(w.e, &o), ENGINE_COUNTED);
	o.service = "x";
	o.at = wall_s(START_S + 899);
	engine_advance(w.e, o.at);
	assert_int_equal(engine_observe(w.e, &o), ENGINE_DUPLICATE);
	o.at = wall_s(START_S + 900);
	engine_advance(w.e, o.at);
	assert_int_equal(engine_observe(w.e, &o), ENGINE_COUNTED);
	world_close(&w);
}

static void a_late_report_finds_its_own_minute_and_a_later_one_is_late(void **state)
{
	struct world w;
	struct observation o = observation_blank(OBSERVATION_REPORT);
	(void)state;
	world_open(&w, 6);
	o.service = "x";
	engine_advance(w.e, wall_s(START_S));
	for (int n = 0; n <= 10; n++) {
		engine_advance(w.e, wall_s(START_S + n * 60));
		o.at = wall_s(START_S + n * 60);
		o.person = 100 + (uint64_t)n;
		assert_int_equal(engine_observe(w.e, &o), ENGINE_COUNTED);
	}
	o.at = wall_s(START_S + 480);
	o.person = 1;
	assert_int_equal(engine_observe(w.e, &o), ENGINE_COUNTED);
	o.at = wall_s(START_S + 479);
	o.person = 2;
	assert_int_equal(engine_observe(w.e, &o), ENGINE_LATE);
	world_close(&w);
}

static void only_the_surface_that_fails_is_in_scope(void **state)
{
	struct world w;
	struct source api = {.surface = "api"};
	bool found = false;
	(void)state;
	world_open(&w, 7);
	play(&w, "x", 0, 4320, 4, 0, NULL);
	play(&w, "x", 4320, 4400, 4, 40, &api);
	assert_int_equal(w.opened, 1);
	for (uint32_t n = 0; n < w.last.scope_count; n++) {
		const struct scope *s = &w.last.scopes[n];
		if (s->dimension == DIMENSION_SURFACE) {
			assert_string_equal(s->value, "api");
			found = true;
		}
	}
	assert_true(found);
	world_close(&w);
}

static void made_up_places_do_not_grow_memory(void **state)
{
	struct world w;
	char city[32];
	struct source from = {.city = city};
	(void)state;
	world_open(&w, 8);
	play(&w, "x", 0, 30, 2, 0, NULL);
	for (int n = 0; n < 100000; n++) {
		snprintf(city, sizeof(city), "Nowhere %d", n / 2); /* each twice: still no candidate */
		report(&w, "x", START_S + 30 * 60, &from);
	}
	uint8_t *bytes;
	const char *id;
	size_t len;
	assert_int_equal(engine_write_service(w.e, 0, &id, &bytes, &len), WD_OK);
	assert_true(len < 200000);
	free(bytes);
	world_close(&w);
}

static void counts_of_a_quarter_of_an_hour_are_judged_as_they_come(void **state)
{
	static const uint32_t counts[] = {0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
					  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 30, 73, 81,
					  89, 94, 23, 11, 6, 2, 2, 0, 1, 1, 1, 1, 0, 1, 0, 0, 1};
	struct world w;
	struct observation o = observation_blank(OBSERVATION_COUNT);
	(void)state;
	world_open(&w, 9);
	o.service = "event";
	o.step = span_s(900);
	for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++) {
		o.at = wall_s(START_S + 1584 + (int64_t)n * 900 + (n % 3)); /* odd phase, jitter */
		o.count = counts[n];
		assert_int_equal(engine_observe(w.e, &o), ENGINE_COUNTED);
		engine_advance(w.e, o.at);
		collect(&w);
	}
	assert_int_equal(w.opened, 1);
	assert_true(llabs(wall_to_s(w.last.decided_at) - (START_S + 1584 + 46 * 900)) <= 900);
	assert_true(w.last.peak_observed == 94);
	world_close(&w);
}

static void reload(struct world *w)
{
	struct engine_options o = options();
	struct engine *fresh;
	uint8_t *bytes;
	size_t len;
	const char *id;
	assert_int_equal(engine_open(&o, &fresh, NULL), WD_OK);
	assert_int_equal(engine_write(w->e, &bytes, &len), WD_OK);
	assert_int_equal(engine_read(fresh, bytes, len, NULL), WD_OK);
	free(bytes);
	for (size_t n = 0; n < engine_service_count(w->e); n++) {
		assert_int_equal(engine_write_service(w->e, n, &id, &bytes, &len), WD_OK);
		assert_int_equal(engine_read_service(fresh, bytes, len, NULL), WD_OK);
		free(bytes);
	}
	engine_close(w->e);
	w->e = fresh;
}

static void a_restart_changes_no_decision(void **state)
{
	struct world a, b;
	struct source anywhere = {0};
	(void)state;
	world_open(&a, 10);
	world_open(&b, 10);
	for (int part = 0; part < 12; part++) {
		bool outage = part == 8 || part == 9;
		struct world *both[] = {&a, &b};
		for (int n = 0; n < 2; n++) {
			play(both[n], "x", part * 150, part * 150 + 150, 2, outage ? 30 : 0, &anywhere);
			play(both[n], "y", part * 150, part * 150, 2, 0, NULL);
		}
		reload(&b);
	}
	assert_true(a.opened == 1 && a.told.len > 1000);
	assert_string_equal(a.told.data, b.told.data);
	world_close(&a);
	world_close(&b);
}

/* Three services; with `shared`, the first two rely on the third. */
static void configure_three(struct world *w, bool shared)
{
	static const char *const ids[] = {"a", "b", "cdn"};
	struct service *services = calloc(3, sizeof(*services));
	struct catalogue *c;
	assert_non_null(services);
	for (int n = 0; n < 3; n++) {
		services[n] = (struct service){.id = strdup(ids[n]), .name = strdup(ids[n]),
					       .category = strdup("x"), .zone = zone_new_utc()};
		if (shared && n < 2) {
			services[n].relies_on.items = calloc(1, sizeof(char *));
			assert_non_null(services[n].relies_on.items);
			services[n].relies_on.items[0] = strdup("cdn");
			services[n].relies_on.count = 1;
		}
	}
	assert_int_equal(catalogue_open(services, 3, &c, NULL), WD_OK);
	assert_int_equal(engine_configure(w->e, c, NULL), WD_OK);
	catalogue_release(c);
}

/* Minutes [from, to) of "a" and "b" together, each with so many reports a minute. */
static void play_pair(struct world *w, int from, int to, double a, double b)
{
	static const struct source anywhere = {0};
	for (int minute = from; minute < to; minute++) {
		int64_t at = START_S + minute * 60;
		engine_advance(w->e, wall_s(at));
		for (int n = poisson(w, a); n > 0; n--)
			report(w, "a", at, &anywhere);
		for (int n = poisson(w, b); n > 0; n--)
			report(w, "b", at, &anywhere);
		collect(w);
	}
	engine_advance(w->e, wall_s(START_S + to * 60));
	collect(w);
}

static const struct incident *incident_of(const struct snapshot *s, const char *service)
{
	for (size_t n = 0; n < s->incident_count; n++) {
		if (strcmp(s->incidents[n].service, service) == 0)
			return &s->incidents[n];
	}
	return NULL;
}

static void services_that_rely_on_the_same_one_fail_together(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 13);
	configure_three(&w, true);
	play_pair(&w, 0, 1440, 2, 2);
	play_pair(&w, 1440, 1460, 40, 40);
	struct snapshot *s = engine_snapshot(w.e);
	const struct incident *a = incident_of(s, "a"), *b = incident_of(s, "b");
	assert_true(a != NULL && b != NULL);
	assert_int_equal(a->related_count, 1);
	assert_string_equal(a->related[0].id, b->id);
	assert_int_equal(a->related[0].relation, RELATION_SHARED_PROVIDER);
	assert_string_equal(b->related[0].id, a->id);
	snapshot_release(s);
	world_close(&w);
}

static void a_small_rise_after_a_large_one_elsewhere_is_likely_spillover(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 14);
	configure_three(&w, false);
	play_pair(&w, 0, 1440, 2, 2);
	play_pair(&w, 1440, 1444, 400, 2);
	play_pair(&w, 1444, 1460, 400, 25);
	struct snapshot *s = engine_snapshot(w.e);
	const struct incident *a = incident_of(s, "a"), *b = incident_of(s, "b");
	assert_true(a != NULL && b != NULL);
	assert_int_equal(b->related[0].relation, RELATION_SPILLOVER);
	assert_int_equal(a->related[0].relation, RELATION_SAME_TIME);
	snapshot_release(s);
	world_close(&w);
}

static void a_snapshot_shows_the_running_minute_the_status_and_the_rank(void **state)
{
	struct world w;
	struct source anywhere = {0};
	(void)state;
	world_open(&w, 15);
	configure_three(&w, false);
	play_pair(&w, 0, 1440, 2, 2);
	struct snapshot *before = engine_snapshot(w.e);
	float shown = before->services[0]->day.points[before->services[0]->day.count - 1].observed;
	assert_int_equal(before->services[0]->status, STATUS_USUAL);
	assert_int_equal(before->services[2]->status, STATUS_UNKNOWN); /* nobody ever reported it */
	report(&w, "a", START_S + 1440 * 60, &anywhere);
	struct snapshot *after = engine_snapshot(w.e);
	const struct series *day = &after->services[0]->day;
	assert_true(day->points[day->count - 1].observed == fmaxf(shown, 0) + 1);
	assert_ptr_equal(after->services[1], before->services[1]); /* what did not change is shared */
	snapshot_release(before);
	snapshot_release(after);

	play_pair(&w, 1440, 1480, 40, 2);
	play_pair(&w, 1480, 2000, 2, 2);
	play_pair(&w, 2000, 2100, 40, 2);
	struct snapshot *s = engine_snapshot(w.e);
	assert_int_equal(s->services[0]->status, STATUS_INCIDENT);
	assert_int_equal(s->incident_count, 2);
	struct rank rank = snapshot_rank(s, &s->incidents[s->services[0]->incident]);
	assert_int_equal(rank.of, 2);
	assert_int_equal(rank.by_duration, 1);
	snapshot_release(s);
	world_close(&w);
}

static void an_open_incident_is_shown_by_the_minute_from_two_hours_before_it(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 16);
	configure_three(&w, false);
	play_pair(&w, 0, 1440, 2, 2);
	struct snapshot *s = engine_snapshot(w.e);
	assert_int_equal(s->services[0]->leading.count, 0);
	snapshot_release(s);
	play_pair(&w, 1440, 1446, 40, 2);
	s = engine_snapshot(w.e);
	const struct series *leading = &s->services[0]->leading;
	const struct incident *i = incident_of(s, "a");
	assert_int_equal(s->services[0]->status, STATUS_INCIDENT);
	assert_int_equal(s->services[1]->leading.count, 0);
	assert_int_equal(span_to_s(leading->step), 60);
	assert_int_equal(wall_sub(i->began_at, leading->begin).ns, span_s(7200).ns);
	/* The minutes before are usual ones, those of it are not, and the last is the running one. */
	size_t first = 120, last = leading->count - 1;
	assert_in_range(last - first, 4, 7);
	for (size_t n = 0; n < last; n++)
		assert_true(n < first ? leading->points[n].observed < 15
				      : leading->points[n].observed > 15);
	wd_wall end = wall_add(leading->begin, (wd_span){(int64_t)leading->count * leading->step.ns});
	assert_true(wall_before(s->now, end) && !wall_before(s->now, wall_back(end, leading->step)));
	snapshot_release(s);
	world_close(&w);
}

static void damaged_state_is_refused(void **state)
{
	struct world w;
	struct engine_options o = options();
	struct engine *fresh;
	uint8_t *bytes;
	size_t len;
	const char *id;
	(void)state;
	world_open(&w, 11);
	play(&w, "x", 0, 60, 5, 0, NULL);
	assert_int_equal(engine_open(&o, &fresh, NULL), WD_OK);
	assert_int_equal(engine_write_service(w.e, 0, &id, &bytes, &len), WD_OK);
	for (size_t at = 0; at < len; at += 1 + len / 500) {
		bytes[at] ^= 0x40;
		assert_int_not_equal(engine_read_service(fresh, bytes, len, NULL), WD_OK);
		assert_int_not_equal(engine_read_service(fresh, bytes, at, NULL), WD_OK);
		bytes[at] ^= 0x40;
	}
	assert_int_equal(engine_service_count(fresh), 0);
	assert_int_equal(engine_read_service(fresh, bytes, len, NULL), WD_OK);
	free(bytes);
	engine_close(fresh);
	world_close(&w);
}

static void a_long_silence_of_the_clock_is_a_gap(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 12);
	play(&w, "x", 0, 600, 5, 0, NULL);
	engine_advance(w.e, wall_s(START_S + 86400 * 400));
	play(&w, "x", 1440 * 400 + 1, 1440 * 400 + 200, 5, 0, NULL);
	assert_int_equal(w.opened, 0);
	engine_gap(w.e, wall_s(START_S + 86400 * 401));
	play(&w, "x", 1440 * 401 + 1, 1440 * 401 + 200, 5, 0, NULL);
	assert_int_equal(w.opened, 0);
	engine_advance(w.e, wall_s(0)); /* and it never goes back */
	assert_true(wall_to_s(engine_now(w.e)) > START_S + 86400 * 400);
	world_close(&w);
}

struct sealed { float observed[80]; bool told[80]; }; /* by minute since the start */

static void take_score(void *ctx, const struct score *score)
{
	struct sealed *s = ctx;
	int64_t minute = (wall_to_s(score->at) - START_S) / 60;
	if (minute < 0 || minute >= 80)
		return;
	assert_false(s->told[minute]);
	s->told[minute] = true;
	s->observed[minute] = score->observed;
}

/* One report a second, but for the time between. */
static void minutes_that_nobody_watched_are_missing_and_no_others(void **state)
{
	static const struct { int from_s, to_s; } cases[] = {
		{1230, 1232},	       /* within a minute */
		{1230, 1291},	       /* over one end of a minute */
		{1259, 1320},	       /* exactly one minute */
		{1230, 1330},	       {1230, 1390}, {1200, 1440}, {1230, 1500}, {1230, 1501},
		{1230, 1559},	       {1259, 3000},
	};
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct sealed s = {0};
		struct world w;
		int reports[80] = {0};
		struct source anywhere = {0};
		world_open(&w, 1);
		engine_on_score(w.e, take_score, &s);
		for (int at = 0; at < 4800; at++) {
			if (at > cases[c].from_s && at < cases[c].to_s)
				continue;
			if (at == cases[c].to_s)
				engine_gap(w.e, wall_s(START_S + at));
			engine_advance(w.e, wall_s(START_S + at));
			assert_int_equal(report(&w, "x", START_S + at, &anywhere), ENGINE_COUNTED);
			reports[at / 60]++;
		}
		for (int minute = 0; minute < 77; minute++) {
			assert_int_equal(s.told[minute], reports[minute] > 0);
			if (s.told[minute])
				assert_float_equal(s.observed[minute], reports[minute], 0);
		}
		world_close(&w);
	}
}

/* Reports that come at the same rate before and after an absence: what was above usual stays. */
static void an_absence_takes_no_evidence_away(void **state)
{
	(void)state;
	for (int minutes = 2; minutes <= 12; minutes += 2) {
		struct source anywhere = {0};
		struct world w;
		world_open(&w, 7);
		play(&w, "x", 0, 2880, 2, 0, NULL);
		play(&w, "x", 2880, 2895, 2, 40, &anywhere);
		assert_int_equal(w.opened, 1);
		engine_gap(w.e, wall_s(START_S + (2895 + minutes) * 60));
		play(&w, "x", 2895 + minutes, 2925, 2, 40, &anywhere);
		assert_int_equal(w.opened, 1);
		assert_int_equal(w.last.state, INCIDENT_OPEN);
		assert_int_equal(w.last.wave_count, 1);
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_surge_of_many_persons_is_one_incident_with_its_begin_and_end),
		cmocka_unit_test(two_surges_within_hours_are_two_waves_of_one_incident),
		cmocka_unit_test(what_one_network_reports_is_evidence_and_no_incident),
		cmocka_unit_test(what_few_persons_report_counts_few_times),
		cmocka_unit_test(a_person_counts_once_a_service_and_quarter_of_an_hour),
		cmocka_unit_test(a_late_report_finds_its_own_minute_and_a_later_one_is_late),
		cmocka_unit_test(only_the_surface_that_fails_is_in_scope),
		cmocka_unit_test(made_up_places_do_not_grow_memory),
		cmocka_unit_test(counts_of_a_quarter_of_an_hour_are_judged_as_they_come),
		cmocka_unit_test(a_restart_changes_no_decision),
		cmocka_unit_test(services_that_rely_on_the_same_one_fail_together),
		cmocka_unit_test(a_small_rise_after_a_large_one_elsewhere_is_likely_spillover),
		cmocka_unit_test(a_snapshot_shows_the_running_minute_the_status_and_the_rank),
		cmocka_unit_test(an_open_incident_is_shown_by_the_minute_from_two_hours_before_it),
		cmocka_unit_test(damaged_state_is_refused),
		cmocka_unit_test(a_long_silence_of_the_clock_is_a_gap),
		cmocka_unit_test(minutes_that_nobody_watched_are_missing_and_no_others),
		cmocka_unit_test(an_absence_takes_no_evidence_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
