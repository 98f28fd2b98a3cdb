/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/traffic_testing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t world_next(struct world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

static double uniform(struct world *w)
{
	return (double)(world_next(w) >> 11) * 0x1p-53;
}

/* Near a Poisson count of this mean, for means that are not small. */
double world_noisy(struct world *w, double mean)
{
	double sum = 0;
	for (int n = 0; n < 12; n++)
		sum += uniform(w);
	return fmax(0, round(mean + (sum - 6) * sqrt(mean)));
}

struct engine_options world_options(const struct world *w)
{
	struct engine_options o = engine_defaults();
	o.adopt_services = true;
	o.classes = w->classes;
	o.book = w->book;
	o.source_key = &w->rules.key;
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

enum wd_err world_configure(struct world *w, const char *ids)
{
	struct service *services = calloc(strlen(ids), sizeof(*services));
	struct catalogue *c;
	size_t count = 0;
	assert_non_null(services);
	for (size_t len; *ids != '\0'; ids += len + (ids[len] == ' ')) {
		len = strcspn(ids, " ");
		services[count++] = (struct service){.id = strndup(ids, len),
						     .name = strndup(ids, len),
						     .category = strdup(""),
						     .zone = zone_new_utc()};
	}
	assert_int_equal(catalogue_open(services, count, &c, NULL), WD_OK);
	enum wd_err err = engine_configure(w->e, c, NULL);
	catalogue_release(c);
	return err;
}

void world_open(struct world *w, uint64_t seed)
{
	*w = (struct world){.random = seed * 2654435769u + 1};
	w->book = calloc(1, sizeof(*w->book));
	w->classes = calloc(1, sizeof(*w->classes));
	w->tick = calloc(1, sizeof(*w->tick));
	w->trace = calloc(1, sizeof(*w->trace));
	w->web = calloc(1, sizeof(*w->web));
	assert_true(w->book && w->classes && w->tick && w->trace && w->web);
	make_book(w->book);
	vector_book_compile(w->book, w->classes);
	w->rules = (struct traffic_rules){w->classes, address_key_of(&(struct hash_key){"test"})};
	buf_init(&w->told, 1 << 24);
	struct engine_options o = world_options(w);
	assert_int_equal(engine_open(&o, &w->e, NULL), WD_OK);
	assert_int_equal(world_configure(w, "x y z"), WD_OK); /* snapshots show a catalogue */
}

void world_close(struct world *w)
{
	engine_close(w->e);
	free(w->book);
	free(w->classes);
	free(w->tick);
	free(w->web);
	free(w->trace);
	buf_done(&w->told);
}

wd_wall world_now(const struct world *w)
{
	return wall_add(wall_s(START_S), span_ms(w->at_ms));
}

void world_collect(struct world *w)
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

void world_restart(const struct world *from, struct world *to)
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

/* ---- traffic ---- */

static void add(struct world *w, struct flow *f, double packets, uint64_t bytes_each, bool out)
{
	if (packets < 1)
		return;
	f->packets = (uint64_t)packets;
	f->bytes = f->packets * bytes_each;
	f->sampling = 1;
	f->witness = w->witnesses[w->turn++ / 2 % 2]; /* each in and out */
	traffic_add(w->tick, &w->rules, f, out, world_next(w));
}

/* Many users, a connection each: data and acknowledgements. */
static void add_users(struct world *w, double packets_per_s)
{
	double left = world_noisy(w, packets_per_s / 4);
	for (int n = 0; n < 40 && left > 0; n++) {
		struct flow f = {.family = 4, .protocol = 6, .tcp_flags = 0x1b, .dport = 443,
				 .sport = (uint16_t)(1024 + world_next(w) % 60000),
				 .known = FLOW_FLAGS};
		uint32_t src = (uint32_t)(world_next(w) % 5000);
		memcpy(f.src + 1, &src, 2);
		f.src[0] = (uint8_t)(60 + src % 40); /* networks that exist */
		add(w, &f, left / 40, 600, false);
		f.tcp_flags = 0x1a;
		add(w, &f, left / 40, 900, true);
	}
}

/* Another crowd has none of this one's. */
static uint32_t member(uint32_t crowd, uint32_t n)
{
	return (crowd * 100000 + n) * 2654435761u;
}

/* Bots that open connections and send; machines of a dozen networks that exist. */
static void add_bots(struct world *w, double packets_per_s, uint32_t crowd)
{
	double left = world_noisy(w, packets_per_s / 4);
	for (int n = 0; n < 60 && left > 0; n++) {
		struct flow f = {.family = 4, .protocol = 6, .tcp_flags = 0x1a, .dport = 443,
				 .sport = (uint16_t)(1024 + world_next(w) % 60000),
				 .known = FLOW_FLAGS | FLOW_TTL};
		uint32_t src = member(crowd, (uint32_t)(world_next(w) % 700));
		memcpy(f.src, &src, 4);
		f.src[0] = (uint8_t)(45 + src % 12 * 11);
		f.ttl = (uint8_t)(40 + src % 24);
		add(w, &f, left / 60, 120, false);
	}
}

/* Answers of a few thousand open resolvers that nobody asked for. */
static void add_dns(struct world *w, double packets_per_s, uint32_t crowd)
{
	double left = world_noisy(w, packets_per_s / 4);
	for (int n = 0; n < 60 && left > 0; n++) {
		struct flow f = {.family = 4, .protocol = 17, .sport = 53,
				 .dport = (uint16_t)(1024 + world_next(w) % 60000), .ttl = 54,
				 .known = FLOW_TTL};
		uint32_t src = member(crowd, (uint32_t)world_next(w) % 3000);
		memcpy(f.src, &src, 4);
		add(w, &f, left / 60, 1400, false);
	}
}


/* One tick of each service, then the clock. */
static void tick(struct world *w, const struct scene *scenes, size_t count)
{
	wd_wall at = world_now(w);
	w->at_ms += 250;
	for (size_t n = 0; n < count; n++) {
		traffic_clear(w->tick, scenes[n].service, at);
		w->tick->width = span_ms(250);
		memcpy(w->witnesses, scenes[n].told, sizeof(w->witnesses));
		add_users(w, scenes[n].users);
		add_dns(w, scenes[n].dns, scenes[n].crowd);
		add_bots(w, scenes[n].bots, scenes[n].crowd);
		assert_int_equal(engine_traffic(w->e, w->tick), ENGINE_COUNTED);
	}
	wd_wall end = world_now(w);
	if (w->at_ms % 1000 == 0)
		engine_advance(w->e, end);
	world_collect(w);
}

void world_play(struct world *w, double seconds, const struct scene *scenes, size_t count)
{
	for (int n = 0; n < (int)(seconds * 4); n++)
		tick(w, scenes, count);
}

/* Whole minutes of one scene. */
void world_minutes(struct world *w, int count, const struct scene *scene)
{
	for (int n = 0; n < count; n++)
		world_play(w, 60, scene, 1);
}

enum engine_verdict world_report(struct world *w, const char *service)
{
	struct observation o = observation_blank(OBSERVATION_REPORT);
	o.service = service;
	o.at = world_now(w);
	o.person = 1000000 + w->persons++;
	o.network = 100 + (uint32_t)(world_next(w) % 20);
	return engine_observe(w->e, &o);
}

void world_web(struct world *w, double visits, int attack)
{
	static struct web_agents agents;
	const struct address_key key = address_key_of(&(struct hash_key){"web"});
	static const char *const paths[] = {"/", "/news", "/style.css", "/logo.png", "/about"};
	wd_wall at = wall_add(wall_s(START_S), span_ms(w->at_ms));
	web_clear(w->web, "x", at);
	w->web->width = span_s(1);
	int normal = (int)world_noisy(w, visits);
	for (int n = 0; n < normal + attack; n++) {
		char query[24];
		bool bad = n >= normal;
		int len = snprintf(query, sizeof(query), "%llx=1",
				   (unsigned long long)world_next(w));
		const char *path = bad ? "/search" : paths[world_next(w) % 5];
		struct request r = {.at = at, .family = 4, .method = REQUEST_GET,
				    .protocol = REQUEST_H1, .status = 200,
				    .path = {path, (uint32_t)strlen(path)},
				    .agent = {"Mozilla/5.0", 11}, .bytes = 1000,
				    .duration_us = -1};
		uint32_t client = bad ? 0x0100007f + (uint32_t)(n % 3)
				      : (uint32_t)(world_next(w) % 4000) << 8 | 10;
		memcpy(r.client, &client, 4);
		if (bad)
			r.query = (struct text_span){query, (uint32_t)len};
		const struct web_facts facts = web_facts_of(&agents, &key, &r);
		web_add(w->web, &key, &r, &facts, world_next(w));
	}
	w->at_ms += 1000;
	assert_int_equal(engine_web(w->e, w->web), ENGINE_COUNTED);
	engine_advance(w->e, wall_add(wall_s(START_S), span_ms(w->at_ms)));
	world_collect(w);
}
