/* SPDX-License-Identifier: Apache-2.0 */
/* A minute at a time: how many reports each service and each surge makes, then when in the
 * minute and of which part of the audience, then all of them sorted by time. */
#include "intake/simulation.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/prng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	MINUTE_S = 60,
	SMALL_NETWORKS = 400,           /* a country has */
	PRIVATE_NETWORKS_FROM = 420000, /* x 10000: RFC 6996, 4200000000 to 4294967294 */
	REPORTS_A_MINUTE_MAX = 8000000, /* of all services together */
};

/* A report before it is written out: who is by index, not by pointer. */
struct draft {
	int64_t at_ns;
	uint64_t order; /* ties keep the order in which they were made */
	uint64_t person;
	uint32_t network;
	uint32_t service;                                         /* index into actors */
	const struct portion *surface, *problem, *country, *city; /* NULL = not known */
};

struct actor {
	char id[SERVICE_ID_MAX + 1];
	const struct scenario_service *plan;
	double usually;   /* reports a minute */
	double log_noise; /* the state of its noise */
	double remember;  /* of it from minute to minute */
	struct prng prng;
};

struct simulation {
	const struct scenario *s;
	uint64_t seed;
	wd_wall minute, end;
	struct actor *actors;
	size_t actor_count;
	struct prng *surge_prngs;
	size_t *surge_actors; /* index of each surge's service */
	struct draft *drafts;
	size_t draft_count, draft_at, draft_cap;
	size_t last;
	uint64_t made;
};

enum wd_err simulation_open(const struct scenario *s, uint64_t seed,
			    struct simulation **ret_simulation, struct wd_why *why)
{
	struct simulation *m = calloc(1, sizeof(*m));
	size_t count = 0;

	if (m == NULL)
		goto nomem;
	for (size_t i = 0; i < s->service_count; i++)
		count += s->services[i].copies;
	m->s = s;
	m->seed = seed;
	m->minute = s->begins;
	m->end = wall_add(s->begins, s->lasts);
	m->actors = calloc(count, sizeof(*m->actors));
	m->surge_prngs = calloc(s->surge_count + 1, sizeof(*m->surge_prngs));
	m->surge_actors = calloc(s->surge_count + 1, sizeof(*m->surge_actors));
	if (m->actors == NULL || m->surge_prngs == NULL || m->surge_actors == NULL)
		goto nomem;

	for (size_t i = 0; i < s->service_count; i++) {
		const struct scenario_service *plan = &s->services[i];
		for (size_t copy = 0; copy < plan->copies; copy++) {
			struct actor *a = &m->actors[m->actor_count];
			scenario_copy_id(plan, copy, a->id);
			double part =
				plan->copies > 1 ? (double)copy / (double)(plan->copies - 1) : 0;
			double low = fmax(plan->usually_low, plan->usually_high * 1e-6);
			a->usually = plan->copies > 1 ? low * pow(plan->usually_high / low, part)
						      : plan->usually_high;
			a->plan = plan;
			a->prng = prng_of(seed, (uint64_t)i << 32 | copy);
			if (plan->noise > 0) {
				a->remember = exp(-MINUTE_S / plan->noise_s);
				a->log_noise = plan->noise * prng_normal(&a->prng);
			}
			m->actor_count++;
		}
	}
	for (size_t i = 0; i < s->surge_count; i++) {
		m->surge_prngs[i] = prng_of(seed, UINT64_C(1) << 63 | i);
		while (strcmp(m->actors[m->surge_actors[i]].id, s->surges[i].service) != 0) {
			m->surge_actors[i]++;
			WD_CHECK(m->surge_actors[i] < m->actor_count); /* the parser looked it up */
		}
	}
	*ret_simulation = m;
	return WD_OK;
nomem:
	simulation_close(m);
	return wd_fail(why, WD_NOMEM, 0, "memory ran out");
}

void simulation_close(struct simulation *m)
{
	if (m == NULL)
		return;
	free(m->actors);
	free(m->surge_prngs);
	free(m->surge_actors);
	free(m->drafts);
	free(m);
}

/* ---- rates ---- */

/* The level at a minute of the day, between the two points around it. */
static double day_level(const struct scenario_service *v, double minute)
{
	size_t after = 0;
	if (v->day_count == 0)
		return 1;
	while (after < v->day_count && v->day[after].minute <= minute)
		after++;
	const struct day_point *to = &v->day[after % v->day_count];
	const struct day_point *from = &v->day[(after + v->day_count - 1) % v->day_count];
	double length = fmod(to->minute - from->minute + 1440.0, 1440.0);
	double into = fmod(minute - from->minute + 1440.0, 1440.0);
	if (length <= 0)
		return from->level;
	return from->level + (to->level - from->level) * into / length;
}

/* Reports a minute in the minute from t, without surges. */
static double usual_rate(const struct actor *a, wd_wall t)
{
	wd_wall local = wall_add(t, span_s(a->plan->east_s));
	int64_t s = wall_to_s(local);
	int64_t day = s / 86400;
	bool weekend =
		(day + 3) % 7 >= 5; /* 1970-01-01 was a Thursday; a scenario begins after it */
	double rate = a->usually * day_level(a->plan, (double)(s % 86400) / 60 + 0.5);

	if (weekend)
		rate *= a->plan->weekend;
	if (a->plan->noise > 0) /* a log-normal factor of mean 1 */
		rate *= exp(a->log_noise - a->plan->noise * a->plan->noise / 2);
	return fmin(rate, 10.0 * SCENARIO_RATE_MAX);
}

static void noise_moves(struct actor *a)
{
	double p = a->remember;
	if (a->plan->noise > 0)
		a->log_noise =
			p * a->log_noise + sqrt(1 - p * p) * a->plan->noise * prng_normal(&a->prng);
}

/* 0 … 1: how far up a surge is at the middle of the minute from t. */
static double surge_level(const struct surge *g, wd_wall t)
{
	double into = (double)wall_sub(t, g->begins).ns + 30e9;
	double rises = (double)g->rises.ns, stays = (double)g->stays.ns,
	       falls = (double)g->falls.ns;
	double level = 0;

	for (uint32_t k = 0; k < g->repeats && into >= 0; k++, into -= (double)g->every.ns) {
		double left = rises + stays + falls - into;
		if (left <= 0)
			continue;
		double here = into < rises ? into / rises : left < falls ? left / falls : 1;
		level = fmax(level, here);
	}
	return level;
}

static const struct portion *mix_find(const struct mix *m, const struct portion *p)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct portion *item = &m->items[i];
		if (strcmp(item->name, p->name) == 0 && strcmp(item->country, p->country) == 0 &&
		    item->network == p->network)
			return item;
	}
	return NULL;
}

/* Which part of the service's usual reports is what the surge is limited to. A city's or
 * network's share is of its country. */
static double limited_share(const struct surge *g, const struct scenario_service *v)
{
	double share = 1;
	char country[3] = "";

	for (enum dimension d = DIMENSION_SURFACE; d < DIMENSION_COUNT; d++) {
		if (g->only[d].share <= 0)
			continue;
		const struct portion *p = mix_find(&v->mixes[d], &g->only[d]);
		share *= p == NULL ? 0 : p->share;
		if (g->only[d].country[0] != '\0')
			memcpy(country, g->only[d].country, sizeof(country));
	}
	if (country[0] != '\0' && g->only[DIMENSION_COUNTRY].share <= 0) {
		struct portion whole = {.share = 1};
		memcpy(whole.name, country, sizeof(country));
		memcpy(whole.country, country, sizeof(country));
		const struct portion *p = mix_find(&v->mixes[DIMENSION_COUNTRY], &whole);
		share *= p == NULL ? 0 : p->share;
	}
	return share;
}

static double surge_rate(const struct surge *g, const struct actor *a, wd_wall t)
{
	double level = surge_level(g, t);
	if (level <= 0)
		return 0;
	if (g->peak_rate > 0)
		return g->peak_rate * level;
	return (g->peak_times - 1) * usual_rate(a, t) * limited_share(g, a->plan) * level;
}

/* ---- reports ---- */

/* One item by its share, of those of one country if it is given; NULL = none of them. */
static const struct portion *mix_draw(const struct mix *m, const char *country, struct prng *r)
{
	double at = prng_unit(r);
	for (size_t i = 0; i < m->count; i++) {
		if (country != NULL && strcmp(m->items[i].country, country) != 0)
			continue;
		at -= m->items[i].share;
		if (at < 0)
			return &m->items[i];
	}
	return NULL;
}

/* One of the country's many small networks, the first ones being a little less small. */
static uint32_t small_network(const char *country, struct prng *r)
{
	double u = prng_unit(r);
	uint32_t which = (uint32_t)(u * u * SMALL_NETWORKS);
	uint32_t of_country = country[0] == '\0' ? 0
						 : (uint32_t)(country[0] - 'A') * 26 +
							   (uint32_t)(country[1] - 'A') + 1;
	return UINT32_C(10000) * PRIVATE_NETWORKS_FROM + of_country * SMALL_NETWORKS + which;
}

static void draw(struct simulation *m, const struct surge *g, size_t actor, struct prng *times,
		 struct draft *d)
{
	const struct actor *a = &m->actors[actor];
	const struct mix *mixes[DIMENSION_COUNT];
	const struct portion *drawn[DIMENSION_COUNT] = {NULL};
	struct prng person, *r = times;

	*d = (struct draft){
		.at_ns = m->minute.ns + (int64_t)(prng_unit(times) * 60000) * 1000000,
		.order = m->made++,
		.service = (uint32_t)actor,
	};
	if (g != NULL && g->persons > 0) {
		/* A person is the same on every visit: place and network come from who it is. */
		uint32_t who = prng_below(times, g->persons);
		person = prng_of(m->seed ^ UINT64_C(0x706572736f6e),
				 (uint64_t)(g - m->s->surges) << 32 | who);
		r = &person;
	}
	d->person = prng_u64(r) | 1;
	for (enum dimension i = DIMENSION_SURFACE; i < DIMENSION_COUNT; i++) {
		mixes[i] = g != NULL && g->mixes[i].count > 0 ? &g->mixes[i] : &a->plan->mixes[i];
		if (g != NULL && g->only[i].share > 0)
			drawn[i] = &g->only[i];
	}
	if (drawn[DIMENSION_SURFACE] == NULL)
		drawn[DIMENSION_SURFACE] = mix_draw(mixes[DIMENSION_SURFACE], NULL, r);
	if (drawn[DIMENSION_PROBLEM] == NULL)
		drawn[DIMENSION_PROBLEM] = mix_draw(mixes[DIMENSION_PROBLEM], NULL, r);
	if (drawn[DIMENSION_COUNTRY] == NULL) /* a city or network says its country */
		drawn[DIMENSION_COUNTRY] = drawn[DIMENSION_CITY] != NULL ? drawn[DIMENSION_CITY]
					   : drawn[DIMENSION_NETWORK] != NULL
						   ? drawn[DIMENSION_NETWORK]
						   : mix_draw(mixes[DIMENSION_COUNTRY], NULL, r);
	const char *country =
		drawn[DIMENSION_COUNTRY] == NULL ? "" : drawn[DIMENSION_COUNTRY]->country;
	if (drawn[DIMENSION_CITY] == NULL)
		drawn[DIMENSION_CITY] = mix_draw(mixes[DIMENSION_CITY], country, r);
	if (drawn[DIMENSION_NETWORK] == NULL)
		drawn[DIMENSION_NETWORK] = mix_draw(mixes[DIMENSION_NETWORK], country, r);
	d->network = drawn[DIMENSION_NETWORK] == NULL ? small_network(country, r)
						      : drawn[DIMENSION_NETWORK]->network;
	d->surface = drawn[DIMENSION_SURFACE];
	d->problem = drawn[DIMENSION_PROBLEM];
	d->country = drawn[DIMENSION_COUNTRY];
	d->city = drawn[DIMENSION_CITY];
}

static bool in_gap(const struct simulation *m, size_t actor, wd_wall from, wd_wall to)
{
	for (size_t i = 0; i < m->s->gap_count; i++) {
		const struct gap *g = &m->s->gaps[i];
		bool of_it = g->service[0] == '\0' || strcmp(g->service, m->actors[actor].id) == 0;
		if (of_it && wall_before(g->begins, to) &&
		    wall_before(from, wall_add(g->begins, g->lasts)))
			return true;
	}
	return false;
}

bool simulation_has_gap(const struct simulation *m, size_t index, wd_wall from, wd_wall to)
{
	WD_CHECK(index < m->actor_count);
	return in_gap(m, index, from, to);
}

static bool make(struct simulation *m, const struct surge *g, size_t actor, double rate,
		 struct prng *r)
{
	uint64_t count = prng_poisson(r, rate);

	if (count == 0)
		return true;
	if (count > REPORTS_A_MINUTE_MAX - m->draft_count)
		count = REPORTS_A_MINUTE_MAX - m->draft_count;
	if (m->draft_count + count > m->draft_cap) {
		size_t cap = (m->draft_count + count) * 2 + 64;
		struct draft *more = reallocarray(m->drafts, cap, sizeof(*more));
		if (more == NULL)
			return false;
		m->drafts = more;
		m->draft_cap = cap;
	}
	for (uint64_t i = 0; i < count; i++) {
		struct draft *d = &m->drafts[m->draft_count];
		draw(m, g, actor, r, d);
		/* Drawn all the same, so that a gap changes nothing around it. */
		if (m->s->gap_count == 0 ||
		    !in_gap(m, actor, (wd_wall){d->at_ns}, (wd_wall){d->at_ns + 1}))
			m->draft_count++;
	}
	return true;
}

static int earlier(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* All reports of the minute m->minute; false if memory ran out. */
static bool play_minute(struct simulation *m)
{
	bool ok = true;

	m->draft_at = m->draft_count = 0;
	for (size_t i = 0; ok && i < m->s->surge_count; i++) {
		const struct actor *a = &m->actors[m->surge_actors[i]];
		double rate = surge_rate(&m->s->surges[i], a, m->minute);
		ok = make(m, &m->s->surges[i], m->surge_actors[i], rate, &m->surge_prngs[i]);
	}
	for (size_t i = 0; ok && i < m->actor_count; i++) {
		struct actor *a = &m->actors[i];
		ok = make(m, NULL, i, usual_rate(a, m->minute), &a->prng);
		noise_moves(a);
	}
	if (ok && m->draft_count > 1)
		qsort(m->drafts, m->draft_count, sizeof(*m->drafts), earlier);
	m->minute = wall_add(m->minute, span_s(MINUTE_S));
	return ok;
}

enum wd_err simulation_next(struct simulation *m, struct observation *ret_o, bool *ret_more,
			    struct wd_why *why)
{
	while (m->draft_at == m->draft_count && wall_before(m->minute, m->end)) {
		if (!play_minute(m))
			return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	}
	*ret_more = m->draft_at < m->draft_count;
	if (!*ret_more)
		return WD_OK;

	const struct draft *d = &m->drafts[m->draft_at++];
	struct observation o = observation_blank(OBSERVATION_REPORT);
	uint64_t id[2] = {hash_mix(m->seed ^ hash_mix(d->order + 1)),
			  hash_mix(d->order ^ d->person)};
	memcpy(o.id.bytes, id, sizeof(o.id.bytes));
	o.flags = m->s->reconstruction ? OBSERVATION_RECONSTRUCTION : 0;
	o.scenario = m->s->reconstruction ? m->s->made_from.scenario : "";
	o.at.ns = d->at_ns;
	o.person = d->person;
	o.network = d->network;
	o.service = m->actors[d->service].id;
	if (d->surface != NULL)
		o.surface = d->surface->name;
	if (d->problem != NULL)
		o.problem = d->problem->name;
	if (d->country != NULL)
		memcpy(o.country, d->country->country, sizeof(o.country));
	if (d->city != NULL)
		o.city = d->city->name;
	m->last = d->service;
	*ret_o = o;
	return WD_OK;
}

size_t simulation_service(const struct simulation *m)
{
	return m->last;
}
size_t simulation_service_count(const struct simulation *m)
{
	return m->actor_count;
}

const char *simulation_service_id(const struct simulation *m, size_t index)
{
	WD_CHECK(index < m->actor_count);
	return m->actors[index].id;
}
