/* SPDX-License-Identifier: Apache-2.0 */
/* The engine with traffic, on a virtual clock: ticks made of flows, a service's users and a flood. */
#include "engine/engine.h"

#include "base/prng.h"

#include <malloc.h>
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
	struct vector_book *book;
	struct vector_classes *classes;
	struct traffic_tick *tick;
	struct traffic_rules rules;
	uint64_t random;
	int64_t at_ms; /* since START_S: all ticks before were given */
	uint64_t persons;
	size_t opened, changed, closed, traces;
	wd_wall opened_at; /* engine clock's, as the effect tells */
	struct incident last;
	struct trace *trace; /* the last that was told */
	struct buf told;
};

static uint64_t next(struct world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

static double uniform(struct world *w)
{
	return (double)(next(w) >> 11) * 0x1p-53;
}

/* Near a Poisson count of this mean, for means that are not small. */
static double noisy(struct world *w, double mean)
{
	double sum = 0;
	for (int n = 0; n < 12; n++)
		sum += uniform(w);
	return fmax(0, round(mean + (sum - 6) * sqrt(mean)));
}

static struct engine_options options(const struct world *w)
{
	struct engine_options o = engine_defaults();
	o.adopt_services = true;
	o.classes = w->classes;
	o.book = w->book;
	return o;
}

/* One row is enough: DNS amplification; TCP needs none. */
static void make_book(struct vector_book *b)
{
	b->count = 1;
	b->rows[0] = (struct vector_row){
		.id = "amp.dns", .name = "DNS amplification", .class = "amp.dns",
		.family = VECTOR_AMPLIFICATION, .status = SOURCE_REFLECTOR, .protocol = 17,
		.from_count = 1, .from = {{53, 53}}, .icmp_type = -1, .icmp_code = -1,
	};
}

static void world_open(struct world *w, uint64_t seed)
{
	*w = (struct world){.random = seed * 2654435769u + 1};
	w->book = calloc(1, sizeof(*w->book));
	w->classes = calloc(1, sizeof(*w->classes));
	w->tick = calloc(1, sizeof(*w->tick));
	w->trace = calloc(1, sizeof(*w->trace));
	assert_true(w->book && w->classes && w->tick && w->trace);
	make_book(w->book);
	vector_book_compile(w->book, w->classes);
	w->rules = (struct traffic_rules){w->classes, address_key_of(&(struct hash_key){"test"})};
	buf_init(&w->told, 1 << 24);
	struct engine_options o = options(w);
	assert_int_equal(engine_open(&o, &w->e, NULL), WD_OK);
}

static void world_close(struct world *w)
{
	engine_close(w->e);
	free(w->book);
	free(w->classes);
	free(w->tick);
	free(w->trace);
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
		w->traces += x->kind == EFFECT_TRACE;
		buf_fmt(&w->told, "%d ", (int)x->kind);
		if (x->kind == EFFECT_TRACE) {
			*w->trace = *x->trace;
			trace_to_json(&w->told, x->trace);
		} else if (x->kind != EFFECT_COORDINATED) {
			w->last = x->incident;
			incident_to_json(&w->told, &x->incident);
		}
		buf_char(&w->told, '\n');
	}
	engine_effects_drop(w->e);
}

/* ---- traffic ---- */

static void add(struct world *w, struct flow *f, double packets, uint64_t bytes_each, bool out)
{
	if (packets < 1)
		return;
	f->packets = (uint64_t)packets;
	f->bytes = f->packets * bytes_each;
	f->sampling = 1;
	traffic_add(w->tick, &w->rules, f, out, next(w));
}

/* Many users, a connection each: data and acknowledgements. */
static void add_users(struct world *w, double packets_per_s)
{
	double left = noisy(w, packets_per_s / 4);
	for (int n = 0; n < 40 && left > 0; n++) {
		struct flow f = {.family = 4, .protocol = 6, .tcp_flags = 0x1b, .dport = 443,
				 .sport = (uint16_t)(1024 + next(w) % 60000), .known = FLOW_FLAGS};
		uint32_t src = 0x0a000000u | (uint32_t)(next(w) % 5000);
		memcpy(f.src, &src, 4);
		add(w, &f, left / 40, 600, false);
		f.tcp_flags = 0x1a;
		add(w, &f, left / 40, 900, true);
	}
}

/* Answers of a few thousand open resolvers that nobody asked for. */
static void add_dns(struct world *w, double packets_per_s)
{
	double left = noisy(w, packets_per_s / 4);
	for (int n = 0; n < 60 && left > 0; n++) {
		struct flow f = {.family = 4, .protocol = 17, .sport = 53,
				 .dport = (uint16_t)(1024 + next(w) % 60000), .ttl = 54, .known = FLOW_TTL};
		uint32_t src = (uint32_t)next(w) % 3000 * 2654435761u;
		memcpy(f.src, &src, 4);
		add(w, &f, left / 60, 1400, false);
	}
}

struct scene { const char *service; double users, dns; };

/* One tick of each service, then the clock. */
static void tick(struct world *w, const struct scene *scenes, size_t count)
{
	wd_wall at = wall_add(wall_s(START_S), span_ms(w->at_ms));
	w->at_ms += 250;
	for (size_t n = 0; n < count; n++) {
		traffic_clear(w->tick, scenes[n].service, at);
		w->tick->width = span_ms(250);
		add_users(w, scenes[n].users);
		add_dns(w, scenes[n].dns);
		assert_int_equal(engine_traffic(w->e, w->tick), ENGINE_COUNTED);
	}
	wd_wall end = wall_add(wall_s(START_S), span_ms(w->at_ms));
	if (w->at_ms % 1000 == 0)
		engine_advance(w->e, end);
	collect(w);
}

static void play(struct world *w, double seconds, const struct scene *scenes, size_t count)
{
	for (int n = 0; n < (int)(seconds * 4); n++)
		tick(w, scenes, count);
}

/* Whole minutes of one scene. */
static void minutes(struct world *w, int count, const struct scene *scene)
{
	for (int n = 0; n < count; n++)
		play(w, 60, scene, 1);
}

static enum engine_verdict report(struct world *w, const char *service)
{
	struct observation o = observation_blank(OBSERVATION_REPORT);
	o.service = service;
	o.at = wall_add(wall_s(START_S), span_ms(w->at_ms));
	o.person = 1000000 + w->persons++;
	o.network = 100 + (uint32_t)(next(w) % 20);
	return engine_observe(w->e, &o);
}

/* ---- what it must do ---- */

static void a_flood_alone_opens_an_incident_within_a_second(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 1);
	minutes(&w, 15, &(struct scene){"x", 4000, 0});
	assert_int_equal(w.opened, 0);
	wd_wall flood = wall_add(wall_s(START_S), span_ms(w.at_ms));
	play(&w, 1, &(struct scene){"x", 4000, 36000}, 1);
	assert_int_equal(w.opened, 1);
	assert_true(wall_sub(w.last.decided_at, flood).ns <= WD_NS_PER_S);
	assert_true(llabs(wall_sub(w.last.began_at, flood).ns) <= WD_NS_PER_S);
	assert_int_equal(w.last.kinds, INCIDENT_TRAFFIC);
	assert_string_equal(w.last.traffic.vectors[0].id, "amp.dns");
	assert_int_equal(w.last.traffic.status, SOURCE_REFLECTOR);
	play(&w, 9, &(struct scene){"x", 4000, 36000}, 1);
	assert_true(w.last.traffic.peak_packets_per_s > 35000 && w.last.traffic.peak_packets_per_s < 45000);
	assert_true(fabsf(w.last.traffic.usual_packets_per_s - 4000) < 800);
	world_close(&w);
}

static void the_end_of_a_flood_is_told_and_then_closed(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 2);
	minutes(&w, 10, &(struct scene){"x", 4000, 0});
	play(&w, 120, &(struct scene){"x", 4000, 36000}, 1);
	wd_wall ended = wall_add(wall_s(START_S), span_ms(w.at_ms));
	minutes(&w, 10, &(struct scene){"x", 4000, 0});
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	assert_true(llabs(wall_sub(w.last.ended_at, ended).ns) <= 3 * WD_NS_PER_S);
	assert_int_equal(w.last.ended_at.ns, w.last.traffic.ended_at.ns);
	assert_int_equal(w.last.wave_count, 1);
	assert_true(w.last.waves[0].peak_packets_per_s > 35000);
	minutes(&w, 25, &(struct scene){"x", 4000, 0});
	assert_int_equal(w.closed, 1);
	assert_int_equal(w.opened, 1);
	/* Again within four hours: the same incident, another wave. */
	play(&w, 10, &(struct scene){"x", 4000, 36000}, 1);
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	assert_int_equal(w.last.wave_count, 2);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_alone_opens_an_incident_within_a_second),
		cmocka_unit_test(the_end_of_a_flood_is_told_and_then_closed),
	};
	(void)report;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
