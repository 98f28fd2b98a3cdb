/* SPDX-License-Identifier: Apache-2.0 */
/* Time goes in slices: for each slice and each source of packets a Poisson number of moments
 * is drawn, and the moments are sorted; the packets are made when they are asked for. */
#include "intake/traffic_world.h"

#include "base/hash.h"
#include "base/prng.h"
#include "intake/traffic_recipe.h"

#include <stdlib.h>
#include <string.h>

#define SLICE_NS INT64_C(10000000)

/* Who sends: the usual clients of a service, or one attack. */
struct sender {
	const struct scenario_traffic *traffic; /* of the service */
	const struct attack *attack;            /* NULL = the usual */
	const struct recipe *recipe;
	struct prng random;
	uint64_t pool;
};

struct moment { int64_t at_ns; uint32_t sender, order; };

struct traffic_world {
	const struct scenario *scenario;
	int64_t slice_ns, end_ns; /* begin of the slice that is drawn next */
	struct sender *senders;
	size_t sender_count;
	struct moment *moments;
	size_t moment_count, moment_cap, moment_next;
	struct flow burst[RECIPE_BURST];
	size_t burst_count, burst_next;
	struct moment now; /* of the burst */
	uint8_t payload[RECIPE_PAYLOAD_MAX];
};

static const struct scenario_traffic *traffic_of(const struct scenario *s, const char *service)
{
	size_t n = 0;
	while (strcmp(s->traffics[n].service, service) != 0)
		n++;
	return &s->traffics[n];
}

static void add_sender(struct traffic_world *w, const struct scenario_traffic *t,
		       const struct attack *a, uint64_t seed)
{
	struct sender *d = &w->senders[w->sender_count];
	d->traffic = t;
	d->attack = a;
	d->recipe = a != NULL ? recipe_find(a->vector) : NULL;
	d->random = prng_of(seed, w->sender_count);
	d->pool = hash_mix(seed + w->sender_count);
	w->sender_count++;
}

enum wd_err traffic_world_open(const struct scenario *s, uint64_t seed,
			       struct traffic_world **ret_world, struct wd_why *why)
{
	struct traffic_world *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	w->scenario = s;
	w->slice_ns = s->begins.ns;
	w->end_ns = wall_add(s->begins, s->lasts).ns;
	w->senders = calloc(s->traffic_count + s->attack_count + 1, sizeof(*w->senders));
	if (w->senders == NULL) {
		traffic_world_close(w);
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	}
	for (size_t n = 0; n < s->traffic_count; n++)
		add_sender(w, &s->traffics[n], NULL, seed);
	for (size_t n = 0; n < s->attack_count; n++)
		add_sender(w, traffic_of(s, s->attacks[n].service), &s->attacks[n], seed);
	*ret_world = w;
	return WD_OK;
}

void traffic_world_close(struct traffic_world *w)
{
	if (w == NULL)
		return;
	free(w->senders);
	free(w->moments);
	free(w);
}

/* 0 to 1: how far an attack has risen at a moment. */
static double level(const struct surge *g, int64_t at_ns)
{
	int64_t since = at_ns - g->begins.ns;
	if (since < 0)
		return 0;
	if (g->repeats > 1) {
		if (since / g->every.ns >= g->repeats)
			return 0;
		since %= g->every.ns;
	}
	if (since < g->rises.ns)
		return (double)since / (double)g->rises.ns;
	since -= g->rises.ns;
	if (since < g->stays.ns)
		return 1;
	since -= g->stays.ns;
	return since < g->falls.ns ? 1 - (double)since / (double)g->falls.ns : 0;
}

static double rate(const struct sender *d, int64_t at_ns)
{
	return d->attack == NULL ? d->traffic->packets_per_s
				 : d->attack->packets_per_s * level(&d->attack->shape, at_ns);
}

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->sender != y->sender)
		return x->sender < y->sender ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* False if memory ran out: the slice is left with fewer packets. */
static bool room(struct traffic_world *w, size_t more)
{
	if (w->moment_count + more <= w->moment_cap)
		return true;
	size_t cap = 2 * (w->moment_count + more);
	struct moment *m = reallocarray(w->moments, cap, sizeof(*m));
	if (m == NULL)
		return false;
	w->moments = m;
	w->moment_cap = cap;
	return true;
}

static void draw_slice(struct traffic_world *w)
{
	w->moment_count = w->moment_next = 0;
	for (size_t n = 0; n < w->sender_count; n++) {
		struct sender *d = &w->senders[n];
		double mean = rate(d, w->slice_ns) * (double)SLICE_NS / 1e9;
		uint64_t count = mean > 0 ? prng_poisson(&d->random, mean) : 0;
		if (!room(w, count))
			continue;
		for (uint64_t k = 0; k < count; k++)
			w->moments[w->moment_count++] = (struct moment){
				w->slice_ns + (int64_t)(prng_unit(&d->random) * (double)SLICE_NS),
				(uint32_t)n, (uint32_t)k};
	}
	if (w->moment_count > 1)
		qsort(w->moments, w->moment_count, sizeof(*w->moments), compare_moments);
	w->slice_ns += SLICE_NS;
}

/* Address number `index` of the service's prefix. */
static void target_address(const struct scenario_traffic *t, uint32_t index, struct flow *f)
{
	unsigned bits = t->family == 4 ? 32 : 128, free_bits = bits - t->prefix_len;
	memset(f, 0, sizeof(*f));
	f->family = t->family;
	memcpy(f->dst, t->address, 16);
	if (free_bits < 32)
		index &= (UINT32_C(1) << free_bits) - 1;
	for (unsigned n = 0; n < 4; n++)
		f->dst[bits / 8 - 1 - n] |= (uint8_t)(index >> (8 * n));
}

static void make(struct traffic_world *w)
{
	struct sender *d = &w->senders[w->now.sender];
	const struct attack *a = d->attack;
	struct flow target;
	uint32_t targets = a == NULL ? 4 : a->targets > 0 ? a->targets : 1;

	target_address(d->traffic, prng_below(&d->random, targets), &target);
	w->burst_next = 0;
	w->burst_count = 1;
	if (a == NULL)
		recipe_usual(&d->random, d->pool, d->traffic->clients, &target, w->payload,
			     &w->burst[0]);
	else
		w->burst_count = recipe_make(d->recipe, &d->random, d->pool, a->sources, &target,
					     w->payload, w->burst);
}

bool traffic_world_next(struct traffic_world *w, struct traffic_packet *ret)
{
	while (w->burst_next == w->burst_count) {
		while (w->moment_next == w->moment_count) {
			if (w->slice_ns >= w->end_ns)
				return false;
			draw_slice(w);
		}
		w->now = w->moments[w->moment_next++];
		make(w);
	}
	const struct sender *d = &w->senders[w->now.sender];
	ret->flow = w->burst[w->burst_next++];
	ret->at = (wd_wall){w->now.at_ns};
	ret->flow.first_ms = ret->flow.last_ms = floor_div(w->now.at_ns, 1000000);
	ret->flow.known |= FLOW_TIMES;
	ret->service = d->traffic->service;
	ret->vector = d->attack != NULL ? d->attack->vector : "";
	return true;
}
