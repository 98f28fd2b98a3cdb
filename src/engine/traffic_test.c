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

/* Snapshots show a catalogue. */
static void configure(struct engine *e)
{
	static const char *const ids[] = {"x", "y", "z"};
	struct service *services = calloc(3, sizeof(*services));
	struct catalogue *c;
	assert_non_null(services);
	for (int n = 0; n < 3; n++)
		services[n] = (struct service){.id = strdup(ids[n]), .name = strdup(ids[n]),
					       .category = strdup(""), .zone = zone_new_utc()};
	assert_int_equal(catalogue_open(services, 3, &c, NULL), WD_OK);
	assert_int_equal(engine_configure(e, c, NULL), WD_OK);
	catalogue_release(c);
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
	configure(w->e);
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
	assert_true(w.traces >= 1);
	assert_string_equal(w.trace->incident, w.last.id);
	assert_true(w.trace->vector_count >= 1);
	assert_string_equal(w.trace->vectors[0].id, "amp.dns");
	play(&w, 9, &(struct scene){"x", 4000, 36000}, 1);
	assert_true(w.last.traffic.peak_packets_per_s > 35000 && w.last.traffic.peak_packets_per_s < 45000);
	assert_true(fabsf(w.last.traffic.usual_packets_per_s - 4000) < 800);

	struct snapshot *s = engine_snapshot(w.e);
	assert_non_null(s);
	const struct trace *trace = snapshot_trace(s, w.last.id);
	assert_non_null(trace);
	assert_true(trace->point_count > 5 && trace->packets > 300000);
	assert_null(snapshot_trace(s, "y-1"));
	const struct service_state *x = s->services[0], *y = s->services[1];
	assert_int_equal(x->status, STATUS_INCIDENT);
	assert_null(y->traffic);
	assert_true(x->traffic->packets_per_s > 35000 && x->traffic->usual_packets_per_s < 5000);
	assert_string_equal(x->traffic->top.id, "amp.dns");
	const struct series *day = &x->traffic->day_packets, *recent = &x->traffic->recent_packets;
	assert_true(fabsf(day->points[day->count - 3].observed - 4000) < 400);
	assert_true(recent->points[recent->count - 3].observed > 35000);
	snapshot_release(s);
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

static void reports_and_a_flood_are_one_incident_of_both_kinds(void **state)
{
	(void)state;
	for (int reports_first = 0; reports_first < 2; reports_first++) {
		struct world w;
		world_open(&w, 3);
		for (int n = 0; n < 60; n++) { /* a report every other minute, for an hour */
			minutes(&w, 1, &(struct scene){"x", 4000, 0});
			if (n % 2 == 0)
				report(&w, "x");
		}
		for (int n = 0; n < 8; n++) {
			bool flood = reports_first ? n >= 4 : true;
			for (int k = 0; k < 60; k++) {
				play(&w, 1, &(struct scene){"x", 4000, flood ? 36000 : 0}, 1);
				if (reports_first || n >= 1)
					report(&w, "x");
			}
		}
		assert_int_equal(w.opened, 1);
		assert_int_equal(w.last.kinds, INCIDENT_REPORTS | INCIDENT_TRAFFIC);
		assert_int_equal(w.last.state, INCIDENT_OPEN);
		assert_true(w.last.peak_observed > 40 && w.last.networks >= 10);
		assert_true(w.last.traffic.peak_packets_per_s > 35000);
		float ratio = w.last.peak_observed / fmaxf(w.last.peak_expected, .5f);
		float hours = (float)span_to_s(incident_duration(&w.last, w.last.changed_at)) / 3600;
		assert_true(w.last.severity > 1.5f * log2f(1 + ratio) * hours); /* and traffic */
		/* Both must be calm before it recovers. */
		for (int n = 0; n < 5; n++)
			minutes(&w, 1, &(struct scene){"x", 4000, 36000});
		assert_int_equal(w.last.state, INCIDENT_OPEN);
		minutes(&w, 20, &(struct scene){"x", 4000, 0});
		assert_int_equal(w.last.state, INCIDENT_RECOVERING);
		assert_true(w.last.traffic.ended_at.ns > 0 &&
			    !wall_before(w.last.ended_at, w.last.traffic.ended_at));
		world_close(&w);
	}
}

static void two_services_have_an_incident_each(void **state)
{
	struct world w;
	struct scene calm[] = {{"x", 4000, 0}, {"y", 2000, 0}, {"z", 1000, 0}};
	struct scene flood[] = {{"x", 4000, 36000}, {"y", 2000, 30000}, {"z", 1000, 0}};
	(void)state;
	world_open(&w, 4);
	play(&w, 600, calm, 3);
	play(&w, 5, flood, 3);
	assert_int_equal(w.opened, 2);
	struct snapshot *s = engine_snapshot(w.e);
	assert_int_equal(s->incident_count, 2);
	assert_int_equal(s->trace_count, 2);
	assert_int_equal(s->incidents[0].related_count + s->incidents[1].related_count, 2);
	snapshot_release(s);
	world_close(&w);
}

static void ticks_out_of_time_are_counted_and_change_nothing(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 5);
	minutes(&w, 1, &(struct scene){"x", 4000, 0});
	wd_wall now = engine_now(w.e);
	traffic_clear(w.tick, "x", wall_back(now, span_s(1)));
	w.tick->width = span_ms(250);
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_LATE);
	w.tick->at = wall_add(now, span_s(121));
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_EARLY);
	w.tick->at = wall_add(now, span_s(60)); /* the caller's clock may lag */
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_COUNTED);
	assert_int_equal(engine_now(w.e).ns, now.ns);
	world_close(&w);
}

static void made_up_services_are_refused_and_take_no_memory(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 6);
	minutes(&w, 1, &(struct scene){"x", 4000, 0});
	struct engine_options o = options(&w);
	o.services_watched_max = 10;
	for (int adopt = 0; adopt < 2; adopt++) {
		struct engine *e;
		size_t counted = 0, before = 0;
		o.adopt_services = adopt != 0;
		assert_int_equal(engine_open(&o, &e, NULL), WD_OK);
		engine_advance(e, wall_s(START_S));
		for (int n = 0; n < 100000; n++) {
			traffic_clear(w.tick, "", wall_s(START_S));
			snprintf(w.tick->service, sizeof(w.tick->service), "made-up-%d", n);
			w.tick->width = span_ms(250);
			counted += engine_traffic(e, w.tick) == ENGINE_COUNTED;
			if (n == 1000)
				before = mallinfo2().uordblks + mallinfo2().hblkhd;
		}
		assert_int_equal(counted, adopt ? 10 : 0);
		assert_true(mallinfo2().uordblks + mallinfo2().hblkhd <= before + 4096);
		engine_close(e);
	}
	world_close(&w);
}

/* Both engines go on with the same ticks from here. */
static void restart_into(const struct world *from, struct world *to)
{
	uint8_t *bytes;
	const char *id;
	size_t len;
	struct wd_why why = {0};
	assert_int_equal(engine_write(from->e, &bytes, &len), WD_OK);
	assert_int_equal(engine_read(to->e, bytes, len, &why), WD_OK);
	free(bytes);
	for (size_t n = 0; n < engine_service_count(from->e); n++) {
		assert_int_equal(engine_write_service(from->e, n, &id, &bytes, &len), WD_OK);
		assert_int_equal(engine_read_service(to->e, bytes, len, &why), WD_OK);
		free(bytes);
	}
	to->random = from->random;
	to->at_ms = from->at_ms;
	to->persons = from->persons;
}

static void assert_same_state(const struct world *a, const struct world *b)
{
	for (size_t n = 0; n < engine_service_count(a->e); n++) {
		uint8_t *x, *y;
		const char *id;
		size_t x_len, y_len;
		assert_int_equal(engine_write_service(a->e, n, &id, &x, &x_len), WD_OK);
		assert_int_equal(engine_write_service(b->e, n, &id, &y, &y_len), WD_OK);
		assert_int_equal(x_len, y_len);
		assert_memory_equal(x, y, x_len);
		free(x);
		free(y);
	}
}

static void a_restart_in_the_middle_of_an_incident_decides_the_same_to_the_byte(void **state)
{
	struct world a, b;
	(void)state;
	world_open(&a, 7);
	world_open(&b, 7);
	minutes(&a, 10, &(struct scene){"x", 4000, 0});
	play(&a, 20.5, &(struct scene){"x", 4000, 36000}, 1);
	assert_int_equal(a.opened, 1);
	restart_into(&a, &b);
	assert_same_state(&a, &b);
	buf_reset(&a.told);
	struct world *worlds[] = {&a, &b};
	for (int n = 0; n < 2; n++) {
		play(worlds[n], 40, &(struct scene){"x", 4000, 80000}, 1);
		minutes(worlds[n], 50, &(struct scene){"x", 4000, 0});
		assert_int_equal(worlds[n]->closed, 1);
	}
	assert_true(a.told.len > 1000);
	assert_string_equal(a.told.data, b.told.data);
	assert_same_state(&a, &b);
	world_close(&a);
	world_close(&b);
}

/* The state is from before the flood; the store knows the incident. */
static void an_incident_that_only_the_store_knows_goes_on(void **state)
{
	struct world a, b, c;
	(void)state;
	world_open(&a, 8);
	world_open(&b, 8);
	world_open(&c, 8);
	minutes(&a, 10, &(struct scene){"x", 4000, 0});
	restart_into(&a, &b);
	restart_into(&a, &c);
	play(&a, 20, &(struct scene){"x", 4000, 36000}, 1);
	struct incident known = a.last;
	assert_int_equal(known.state, INCIDENT_OPEN);

	/* Ticks go on: so does the incident, and ends. */
	assert_int_equal(engine_resume(b.e, &known), WD_OK);
	b.at_ms = a.at_ms + 5000;
	play(&b, 10, &(struct scene){"x", 4000, 36000}, 1);
	minutes(&b, 5, &(struct scene){"x", 4000, 0});
	assert_int_equal(b.opened, 0);
	assert_string_equal(b.last.id, known.id);
	assert_int_equal(b.last.state, INCIDENT_RECOVERING);

	/* Nobody watches any more: it does not stay open for ever. */
	assert_int_equal(engine_resume(c.e, &known), WD_OK);
	for (int n = 0; n < 60; n++) {
		engine_advance(c.e, wall_add(known.changed_at, span_s(60 * (n + 1))));
		collect(&c);
	}
	assert_int_equal(c.closed, 1);
	assert_string_equal(c.last.id, known.id);
	assert_int_equal(c.last.ended_at.ns, known.changed_at.ns);
	world_close(&a);
	world_close(&b);
	world_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_alone_opens_an_incident_within_a_second),
		cmocka_unit_test(reports_and_a_flood_are_one_incident_of_both_kinds),
		cmocka_unit_test(two_services_have_an_incident_each),
		cmocka_unit_test(ticks_out_of_time_are_counted_and_change_nothing),
		cmocka_unit_test(made_up_services_are_refused_and_take_no_memory),
		cmocka_unit_test(a_restart_in_the_middle_of_an_incident_decides_the_same_to_the_byte),
		cmocka_unit_test(an_incident_that_only_the_store_knows_goes_on),
		cmocka_unit_test(the_end_of_a_flood_is_told_and_then_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
