/* SPDX-License-Identifier: Apache-2.0 */
/* Sampled connections that an exporter sums up, as a service's very first traffic. A record has the
 * flags of all its packets that were looked at: what is no SYN-ACK may look like some. */
#include "base/check.h"
#include "base/hash.h"
#include "base/prng.h"
#include "detect/budget.h"
#include "detect/flood.h"
#include "tally/traffic.h"


#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SYN = FLOW_TCP_SYN, ACK = FLOW_TCP_ACK, PSH = FLOW_TCP_PSH, FIN = FLOW_TCP_FIN };
enum { SECONDS = 20 };

/* Clients of the service: what one connection sends to it. */
struct clients {
	double a_second;   /* connections */
	double packets;    /* median, between SYN and FIN */
	double data;       /* share of them with data; the others acknowledge */
	double push;       /* share of data that has PSH */
	uint16_t syn, ack; /* bytes */
	uint32_t sampling;
	bool both_ways;    /* what the service sends is seen, too */
	bool shared;       /* addresses: half of the ports are not those of systems */
};

/* Answers of third parties to SYNs with our address. */
struct reflectors {
	double a_second;    /* records */
	uint32_t sources;
	uint16_t size;
	uint32_t most;      /* packets of one record: 1 to this */
	uint32_t sampling;
};

struct world {
	struct vector_classes classes;
	struct traffic_rules rules;
	struct flood_plan plan;
	struct flood flood;
	struct traffic_tick tick;
	struct prng prng;
};

static struct world *world_new(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct vector_book *book = calloc(1, sizeof(*book));

	assert_non_null(w);
	assert_non_null(book);
	book->count = 1;
	book->rows[0] = (struct vector_row){.id = "tcp.synack", .class = "tcp.synack",
					    .protocol = 6, .status = SOURCE_REFLECTOR};
	vector_book_compile(book, &w->classes);
	free(book);
	w->rules = (struct traffic_rules){.classes = &w->classes, .key = {{1, 2, 3, 4}}};
	flood_plan_init(&w->plan, &w->classes);
	flood_init(&w->flood, &w->plan);
	w->prng = prng_of(seed, 5);
	return w;
}

static void add(struct world *w, struct flow *f, bool out)
{
	traffic_add(&w->tick, &w->rules, f, out, prng_u64(&w->prng));
}

static struct flow record(uint32_t from, uint32_t sampling)
{
	struct flow f = {.family = 4, .protocol = 6, .sampling = sampling, .known = FLOW_FLAGS,
			 .dst = {192, 0, 2, 1}};
	uint64_t hash = hash_mix(from + 77);

	memcpy(f.src, &hash, 4);
	return f;
}

static uint64_t looked_at(struct world *w, double packets, uint32_t sampling)
{
	return prng_poisson(&w->prng, packets / sampling);
}

static uint16_t port_of(struct world *w, const struct clients *c)
{
	bool any = c->shared && prng_below(&w->prng, 2) == 0;

	return (uint16_t)(any ? 1024 + prng_below(&w->prng, 64000) : 32768 + prng_below(&w->prng, 28000));
}

/* One connection, or nothing of it. */
static void connection(struct world *w, const struct clients *c)
{
	struct flow f = record(prng_below(&w->prng, 1 << 24), c->sampling);
	double packets = c->packets * exp(0.8 * prng_normal(&w->prng));
	uint64_t pushes = looked_at(w, packets * c->data * c->push, c->sampling);
	uint64_t data = looked_at(w, packets * c->data * (1 - c->push), c->sampling);
	uint64_t acks = looked_at(w, packets * (1 - c->data), c->sampling);
	bool syn = prng_below(&w->prng, c->sampling) == 0;
	bool fin = prng_below(&w->prng, c->sampling) == 0;

	f.packets = pushes + data + acks + syn + fin;
	f.bytes = pushes * 900 + data * 1500 + (acks + fin) * c->ack + syn * c->syn;
	f.tcp_flags = (uint8_t)((pushes ? PSH | ACK : 0) | (data || acks ? ACK : 0) |
				(syn ? SYN : 0) | (fin ? FIN | ACK : 0));
	f.sport = port_of(w, c);
	f.dport = 443;
	if (f.packets > 0)
		add(w, &f, false);
	if (!c->both_ways)
		return;
	struct flow back = f;
	memcpy(back.src, f.dst, 16);
	memcpy(back.dst, f.src, 16);
	back.sport = f.dport;
	back.dport = f.sport;
	back.packets = looked_at(w, packets * 0.6 + 2, c->sampling);
	back.bytes = back.packets * (c->data > 0.5 ? c->ack : 1400);
	back.tcp_flags = PSH | ACK;
	if (back.packets > 0)
		add(w, &back, true);
}

static void reflected(struct world *w, const struct reflectors *r)
{
	struct flow f = record(prng_below(&w->prng, r->sources) + (1 << 25), r->sampling);

	f.packets = 1 + prng_below(&w->prng, r->most);
	f.bytes = f.packets * r->size;
	f.tcp_flags = SYN | ACK;
	f.sport = 443;
	f.dport = (uint16_t)prng_below(&w->prng, 65536);
	add(w, &f, false);
}

/* The heaviest class of the incident that opens within so many seconds; "" if none does. */
static void named(uint64_t seed, const struct clients *c, const struct reflectors *r,
		  char ret[VECTOR_ID_MAX + 1])
{
	struct world *w = world_new(seed);
	double threshold = budget_threshold((wd_span){TRAFFIC_TICK_NS}, 1, BUDGET_FALSE_A_MONTH, 1);
	wd_wall at = wall_s(1700000000);
	bool open = false;

	ret[0] = '\0';
	for (int i = 0; i < 4 * SECONDS && !open; i++) {
		struct flood_sample sample = {.tick = &w->tick, .at = at,
					      .width = {TRAFFIC_TICK_NS}};
		struct flood_reading reading;

		traffic_clear(&w->tick, "web", at);
		for (uint64_t n = c ? prng_poisson(&w->prng, c->a_second / 4) : 0; n > 0; n--)
			connection(w, c);
		for (uint64_t n = r ? prng_poisson(&w->prng, r->a_second / 4) : 0; n > 0; n--)
			reflected(w, r);
		flood_step(&w->flood, &w->plan, &sample, &reading);
		open = reading.sustained && (double)reading.log10_return >= threshold;
		if (open)
			snprintf(ret, VECTOR_ID_MAX + 1, "%s",
				 reading.class_count > 0 ? w->classes.id[reading.classes[0].class]
							 : "whole");
		at = wall_add(at, sample.width);
	}
	free(w);
}

static const struct clients kinds[] = {
	{.a_second = 300, .packets = 300, .data = 0.95, .push = 0.03},  /* uploads */
	{.a_second = 1000, .packets = 50, .data = 0.9, .push = 0.05},
	{.a_second = 1000, .packets = 60, .data = 0.05, .push = 1},    /* downloads */
	{.a_second = 300, .packets = 500, .data = 0.01, .push = 1},
	{.a_second = 5000, .packets = 10, .data = 0.2, .push = 1},     /* pages */
};
static const struct { uint16_t syn, ack; } stacks[] = {{60, 52}, {52, 40}};

static void each_kind(bool shared)
{
	static const uint32_t samplings[] = {1, 4, 10, 30, 100};
	char class[VECTOR_ID_MAX + 1];

	for (unsigned k = 0; k < WD_COUNT(kinds); k++)
		for (unsigned i = 0; i < 4 * WD_COUNT(samplings); i++) {
			struct clients c = kinds[k];
			c.syn = stacks[i % 2].syn;
			c.ack = stacks[i % 2].ack;
			c.both_ways = i % 4 / 2;
			c.sampling = samplings[i / 4];
			c.shared = shared;
			named(100 * k + i, &c, NULL, class);
			if (class[0] != '\0')
				fail_msg("kind %u, 1:%u, SYNs of %u bytes%s: %s", k, c.sampling,
					 c.syn, c.both_ways ? ", both ways" : "", class);
		}
}

static void connections_summed_up_are_no_reflection(void **state)
{
	(void)state;
	each_kind(false);
}

static void nor_are_those_of_many_behind_one_address(void **state)
{
	(void)state;
	each_kind(true);
}

static void answers_summed_up_are_a_reflection(void **state)
{
	static const struct { uint16_t size; uint32_t most, sampling; } cases[] = {
		{44, 1, 1}, {44, 6, 1}, {60, 4, 1}, {40, 2, 10}, {44, 3, 10}, {52, 6, 10},
		{44, 2, 30}, {60, 6, 100},
	};
	char class[VECTOR_ID_MAX + 1];
	(void)state;
	for (unsigned i = 0; i < 2 * WD_COUNT(cases); i++) {
		struct clients c = kinds[4];
		struct reflectors r = {.sources = 2000, .size = cases[i / 2].size,
				       .most = cases[i / 2].most,
				       .sampling = cases[i / 2].sampling};
		r.a_second = 40000.0 / (r.most + 1) / r.sampling;
		c.a_second = 200; /* beside usual traffic */
		c.syn = 60;
		c.ack = 52;
		c.sampling = r.sampling;
		named(i, i % 2 ? &c : NULL, &r, class);
		if (strcmp(class, "tcp.synack") != 0)
			fail_msg("%u bytes, 1 to %u packets, 1:%u%s: \"%s\"", r.size, r.most,
				 r.sampling, i % 2 ? ", beside others" : "", class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_summed_up_are_no_reflection),
		cmocka_unit_test(nor_are_those_of_many_behind_one_address),
		cmocka_unit_test(answers_summed_up_are_a_reflection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
