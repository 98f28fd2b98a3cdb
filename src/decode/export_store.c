/* SPDX-License-Identifier: Apache-2.0 */
/* Exporters, templates and sampling rates: see export_store.h. */
#include "decode/export_store.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 16;
	while (p < n)
		p *= 2;
	return p;
}

struct exports_limits exports_limits_default(void)
{
	return (struct exports_limits){
		.exporters = 256,
		.templates = 3072,
		.templates_per_exporter = 512,
		.samplers = 8192,
		.samplers_per_exporter = 2048,
		.held_bytes = 1 << 20,
		.held_life = span_s(60),
		.template_life = span_s(24 * 3600),
	};
}

size_t exports_memory(const struct exports_limits *l)
{
	return sizeof(struct exports) + l->exporters * sizeof(struct exporter) +
	       l->templates * sizeof(struct template) + l->samplers * sizeof(struct sampler) +
	       l->held_bytes +
	       sizeof(uint32_t) * ((size_t)power_of_two(l->exporters) + power_of_two(l->templates) +
				   power_of_two(l->samplers));
}

static uint32_t *buckets_new(uint32_t count, uint32_t *ret_mask)
{
	uint32_t size = power_of_two(count), *buckets = malloc(size * sizeof(*buckets));
	if (buckets != NULL)
		memset(buckets, 0xff, size * sizeof(*buckets));
	*ret_mask = size - 1;
	return buckets;
}

static void list_remove(struct list *l, struct link *link, struct link *next, struct link *previous)
{
	if (previous != NULL)
		previous->next = link->next;
	else
		l->first = link->next;
	if (next != NULL)
		next->previous = link->previous;
	else
		l->last = link->previous;
	*link = (struct link){NONE, NONE};
}

static struct link *rank_link(struct exports *e, uint32_t i, enum having what)
{
	return i == NONE ? NULL : &e->exporters[i].by_rank[what];
}

static void rank_join(struct exports *e, uint32_t i, enum having what)
{
	struct list *to = &e->ranks[e->exporters[i].rank][what];
	e->exporters[i].by_rank[what] = (struct link){to->first, NONE};
	if (to->first != NONE)
		e->exporters[to->first].by_rank[what].previous = i;
	else
		to->last = i;
	to->first = i;
}

static void rank_leave(struct exports *e, uint32_t i, enum having what)
{
	struct exporter *x = &e->exporters[i];
	struct link *link = &x->by_rank[what];
	list_remove(&e->ranks[x->rank][what], link, rank_link(e, link->next, what),
		    rank_link(e, link->previous, what));
}

/* First of that rank. */
static void rank_set(struct exports *e, uint32_t i, enum rank rank)
{
	struct exporter *x = &e->exporters[i];
	const bool in[HAVINGS] = {true, x->template_count > 0, x->sampler_count > 0};
	e->proven += (rank == RANK_PROVEN) - (x->rank == RANK_PROVEN);
	for (enum having what = ANYTHING; what < HAVINGS; what++)
		if (in[what])
			rank_leave(e, i, what);
	x->rank = (uint8_t)rank;
	for (enum having what = ANYTHING; what < HAVINGS; what++)
		if (in[what])
			rank_join(e, i, what);
}

/* The one of a lower rank than this one's that makes room; NONE if none has any. */
static uint32_t least_deserving(const struct exports *e, const struct exporter *x,
				enum having what)
{
	uint32_t i = NONE;
	for (enum rank r = RANK_NEWCOMER; r < (enum rank)x->rank && i == NONE; r++)
		i = e->ranks[r][what].last;
	return i;
}

static void fill(struct exports *e)
{
	const struct exports_limits *l = &e->limits;
	for (size_t i = 0; i < RANKS; i++)
		for (size_t what = 0; what < HAVINGS; what++)
			e->ranks[i][what] = (struct list){NONE, NONE};
	for (uint32_t i = l->exporters; i-- > 0;) { /* the lowest is taken first */
		rank_join(e, i, ANYTHING);
		e->exporters[i].templates = e->exporters[i].samplers = (struct list){NONE, NONE};
	}
	for (uint32_t i = 0; i < l->templates; i++)
		e->templates[i].bucket_next = i + 1 < l->templates ? i + 1 : NONE;
	for (uint32_t i = 0; i < l->samplers; i++)
		e->samplers[i].bucket_next = i + 1 < l->samplers ? i + 1 : NONE;
	e->last_exporter = e->last_sampler = NONE;
	e->round = 1;
	e->proven_max = l->exporters - l->exporters / 8;
}

enum wd_err exports_open(const struct exports_limits *limits, const struct hash_key *key,
			 struct exports **ret_exports)
{
	WD_CHECK(limits->exporters >= 8 && limits->templates > 0 && limits->samplers > 0);
	WD_CHECK(limits->held_bytes % 8 == 0 && limits->held_bytes < UINT32_MAX / 2);
	struct exports *e = calloc(1, sizeof(*e));
	if (e == NULL)
		return WD_NOMEM;
	e->limits = *limits;
	e->key = *key;
	e->secret = hash_bytes(key, "templates", 9);
	e->exporters = calloc(limits->exporters, sizeof(*e->exporters));
	e->templates = calloc(limits->templates, sizeof(*e->templates));
	e->samplers = calloc(limits->samplers, sizeof(*e->samplers));
	e->ring = malloc(limits->held_bytes + 8);
	e->exporter_buckets = buckets_new(limits->exporters, &e->exporter_mask);
	e->template_buckets = buckets_new(limits->templates, &e->template_mask);
	e->sampler_buckets = buckets_new(limits->samplers, &e->sampler_mask);
	if (e->exporters == NULL || e->templates == NULL || e->samplers == NULL ||
	    e->ring == NULL || e->exporter_buckets == NULL || e->template_buckets == NULL ||
	    e->sampler_buckets == NULL) {
		exports_close(e);
		return WD_NOMEM;
	}
	fill(e);
	*ret_exports = e;
	return WD_OK;
}

void exports_close(struct exports *e)
{
	if (e == NULL)
		return;
	free(e->exporters);
	free(e->templates);
	free(e->samplers);
	free(e->ring);
	free(e->exporter_buckets);
	free(e->template_buckets);
	free(e->sampler_buckets);
	free(e);
}

static uint32_t *exporter_bucket(struct exports *e, const struct exporter_key *key)
{
	return &e->exporter_buckets[hash_bytes(&e->key, key, sizeof(*key)) & e->exporter_mask];
}

static uint32_t *template_bucket(struct exports *e, uint32_t exporter, uint16_t id)
{
	uint64_t h = hash_mix(e->secret ^ ((uint64_t)exporter << 16 | id));
	return &e->template_buckets[h & e->template_mask];
}

static uint32_t *sampler_bucket(struct exports *e, uint32_t exporter, unsigned kind, uint64_t id)
{
	uint64_t h = hash_mix(hash_mix(e->secret ^ id) ^ ((uint64_t)exporter << 1 | kind));
	return &e->sampler_buckets[h & e->sampler_mask];
}

/* Templates. */

static struct link *template_link(struct exports *e, uint32_t i)
{
	return i == NONE ? NULL : &e->templates[i].in_exporter;
}

static void template_first(struct exports *e, uint32_t i)
{
	struct template *t = &e->templates[i];
	struct list *l = &e->exporters[t->exporter].templates;
	t->in_exporter = (struct link){l->first, NONE};
	if (l->first != NONE)
		e->templates[l->first].in_exporter.previous = i;
	else
		l->last = i;
	l->first = i;
}

static void template_unlink(struct exports *e, struct template *t)
{
	list_remove(&e->exporters[t->exporter].templates, &t->in_exporter,
		    template_link(e, t->in_exporter.next),
		    template_link(e, t->in_exporter.previous));
}

void store_template_forget(struct exports *e, struct template *t)
{
	uint32_t i = (uint32_t)(t - e->templates), *at = template_bucket(e, t->exporter, t->id);
	while (*at != i)
		at = &e->templates[*at].bucket_next;
	*at = t->bucket_next;
	template_unlink(e, t);
	if (--e->exporters[t->exporter].template_count == 0)
		rank_leave(e, t->exporter, TEMPLATES);
	e->totals.templates--;
	t->bucket_next = e->templates_free;
	e->templates_free = i;
}

struct template *store_template(struct exports *e, uint32_t exporter, uint16_t id, wd_wall now)
{
	uint32_t i = *template_bucket(e, exporter, id);
	while (i != NONE && (e->templates[i].exporter != exporter || e->templates[i].id != id))
		i = e->templates[i].bucket_next;
	if (i == NONE)
		return NULL;
	struct template *t = &e->templates[i];
	if (wall_sub(now, t->announced).ns > e->limits.template_life.ns) {
		e->exporters[exporter].counts.templates_expired++;
		store_template_forget(e, t);
		return NULL;
	}
	if (e->exporters[exporter].templates.first != i) {
		template_unlink(e, t);
		template_first(e, i);
	}
	return t;
}

/* Takes one from the least deserving: an exporter of a lower rank than this one, else itself. */
static bool template_make_room(struct exports *e, uint32_t exporter)
{
	struct exporter *x = &e->exporters[exporter];
	if (x->template_count < e->limits.templates_per_exporter && e->templates_free != NONE)
		return true;
	uint32_t from = NONE;
	if (x->template_count < e->limits.templates_per_exporter)
		from = least_deserving(e, x, TEMPLATES);
	if (from == NONE)
		from = exporter;
	if (e->exporters[from].templates.last == NONE)
		return false;
	e->exporters[from].counts.templates_evicted++;
	store_template_forget(e, &e->templates[e->exporters[from].templates.last]);
	return true;
}

struct template *store_template_new(struct exports *e, uint32_t exporter, uint16_t id)
{
	if (!template_make_room(e, exporter))
		return NULL;
	uint32_t i = e->templates_free, *bucket = template_bucket(e, exporter, id);
	struct template *t = &e->templates[i];
	e->templates_free = t->bucket_next;
	t->bucket_next = *bucket;
	*bucket = i;
	t->exporter = exporter;
	t->id = id;
	template_first(e, i);
	if (e->exporters[exporter].template_count++ == 0)
		rank_join(e, exporter, TEMPLATES);
	e->totals.templates++;
	return t;
}

/* Sampling. */

static struct sampler *sampler_find(struct exports *e, uint32_t exporter, unsigned kind,
				    uint64_t id)
{
	if (e->last_sampler != NONE) {
		struct sampler *s = &e->samplers[e->last_sampler];
		if (s->exporter == exporter && s->kind == kind && s->id == id)
			return s;
	}
	uint32_t i = *sampler_bucket(e, exporter, kind, id);
	for (; i != NONE; i = e->samplers[i].bucket_next) {
		struct sampler *s = &e->samplers[i];
		if (s->exporter == exporter && s->kind == kind && s->id == id) {
			e->last_sampler = i;
			return s;
		}
	}
	return NULL;
}

uint32_t store_rate(struct exports *e, uint32_t exporter, enum plan_sampler kind, uint64_t id)
{
	const struct sampler *s = sampler_find(e, exporter, kind, id);
	return s == NULL ? 0 : s->rate;
}

/* The one rate of all samplers, if it is one: n samplers have the same rate if and only if
 * n times the sum of the squares is the square of the sum (Cauchy and Schwarz). */
static void sampler_only(struct exporter *x, uint32_t before, uint32_t rate)
{
	x->rate_sum += (uint64_t)rate - before;
	x->rate_squares += (export_wide)rate * rate - (export_wide)before * before;
	export_wide n = x->samplers_of[PLAN_BY_SAMPLER], sum = x->rate_sum;
	x->sampler_only = n * x->rate_squares == sum * sum ? rate : 0;
}

static void samplers_forget(struct exports *e, struct exporter *x)
{
	uint32_t i = x->samplers.first;
	while (i != NONE) {
		struct sampler *s = &e->samplers[i];
		uint32_t *at = sampler_bucket(e, s->exporter, s->kind, s->id), next = s->next;
		while (*at != i)
			at = &e->samplers[*at].bucket_next;
		*at = s->bucket_next;
		s->exporter = NONE;
		s->bucket_next = e->samplers_free;
		e->samplers_free = i;
		i = next;
	}
	if (x->sampler_count > 0)
		rank_leave(e, (uint32_t)(x - e->exporters), SAMPLERS);
	x->samplers.first = NONE;
	x->sampler_count = x->sampler_only = 0;
	x->samplers_of[0] = x->samplers_of[1] = 0;
	x->rate_sum = 0;
	x->rate_squares = 0;
	e->last_sampler = NONE;
}

/* Where there is none, an exporter of a lower rank loses all of its. */
static bool sampler_make_room(struct exports *e, const struct exporter *x)
{
	if (x->sampler_count >= e->limits.samplers_per_exporter)
		return false;
	uint32_t from = e->samplers_free == NONE ? least_deserving(e, x, SAMPLERS) : NONE;
	if (from != NONE)
		samplers_forget(e, &e->exporters[from]);
	return e->samplers_free != NONE;
}

void store_sampler(struct exports *e, uint32_t exporter, enum plan_sampler kind, uint64_t id,
		   uint32_t rate)
{
	struct exporter *x = &e->exporters[exporter];
	struct sampler *s = sampler_find(e, exporter, kind, id);
	if (s != NULL && s->rate == rate)
		return;
	if (s == NULL) {
		if (!sampler_make_room(e, x)) {
			x->counts.samplers_refused++;
			return;
		}
		uint32_t i = e->samplers_free, *bucket = sampler_bucket(e, exporter, kind, id);
		s = &e->samplers[i];
		e->samplers_free = s->bucket_next;
		*s = (struct sampler){*bucket, x->samplers.first, exporter, 0, id, (uint8_t)kind};
		*bucket = i;
		x->samplers.first = i;
		if (x->sampler_count++ == 0)
			rank_join(e, exporter, SAMPLERS);
		x->samplers_of[kind]++;
	}
	if (kind == PLAN_BY_SAMPLER)
		sampler_only(x, s->rate, rate);
	s->rate = rate;
}

/* Exporters. */

static void counts_add(struct export_counts *to, const struct export_counts *from)
{
	/* Every member is a uint64_t. */
	uint64_t sum[sizeof(*to) / sizeof(uint64_t)], more[sizeof(*to) / sizeof(uint64_t)];
	_Static_assert(sizeof(sum) == sizeof(*to), "counts and nothing else");
	memcpy(sum, to, sizeof(sum));
	memcpy(more, from, sizeof(more));
	for (size_t i = 0; i < WD_COUNT(sum); i++)
		sum[i] += more[i];
	memcpy(to, sum, sizeof(sum));
}

static void exporter_forget(struct exports *e, uint32_t i)
{
	struct exporter *x = &e->exporters[i];
	uint32_t *at = exporter_bucket(e, &x->key);
	while (*at != i)
		at = &e->exporters[*at].bucket_next;
	*at = x->bucket_next;
	while (x->templates.first != NONE)
		store_template_forget(e, &e->templates[x->templates.first]);
	samplers_forget(e, x);
	counts_add(&e->totals.counts, &x->counts);
	rank_set(e, i, RANK_FREE);
	e->totals.exporters--;
	e->last_exporter = NONE;
}

static bool make_room(struct exports *e, wd_wall now)
{
	if (e->ranks[RANK_FREE][ANYTHING].first != NONE)
		return true;
	uint32_t i = e->ranks[RANK_NEWCOMER][ANYTHING].last;
	if (i == NONE)
		i = e->ranks[RANK_RETURNED][ANYTHING].last;
	if (i == NONE) {
		i = e->ranks[RANK_PROVEN][ANYTHING].last;
		if (wall_sub(now, e->exporters[i].useful).ns < span_s(EXPORT_SILENCE_S).ns)
			return false;
	}
	exporter_forget(e, i);
	e->totals.exporters_evicted++;
	return true;
}

uint32_t store_exporter(struct exports *e, const struct exporter_key *key, wd_wall now)
{
	if (e->last_exporter != NONE &&
	    memcmp(&e->exporters[e->last_exporter].key, key, sizeof(*key)) == 0)
		return e->last_exporter;
	uint32_t i = *exporter_bucket(e, key);
	while (i != NONE && memcmp(&e->exporters[i].key, key, sizeof(*key)) != 0)
		i = e->exporters[i].bucket_next;
	if (i == NONE) {
		if (!make_room(e, now)) {
			e->totals.exporters_refused++;
			return NONE;
		}
		i = e->ranks[RANK_FREE][ANYTHING].first;
		struct exporter *x = &e->exporters[i];
		uint32_t *bucket = exporter_bucket(e, key);
		*x = (struct exporter){.key = *key,
				       .by_rank[ANYTHING] = x->by_rank[ANYTHING],
				       .generation = x->generation + 1,
				       .templates = {NONE, NONE},
				       .samplers = {NONE, NONE},
				       .bucket_next = *bucket,
				       .start_ms = INT64_MIN,
				       .useful_minute = INT64_MIN,
				       .useful = now};
		*bucket = i;
		rank_set(e, i, RANK_NEWCOMER);
		e->totals.exporters++;
		e->totals.exporters_new++;
	}
	e->last_exporter = i;
	return i;
}

void store_useful(struct exports *e, uint32_t i, wd_wall now)
{
	struct exporter *x = &e->exporters[i];
	int64_t minute = floor_div(now.ns, 60 * WD_NS_PER_S);
	enum rank rank = x->rank;
	bool again = x->useful_minute != INT64_MIN;
	x->useful = now;
	if (minute != x->useful_minute) {
		x->useful_minute = minute;
		x->useful_minutes += x->useful_minutes < UINT8_MAX;
	}
	if (rank == RANK_NEWCOMER && again)
		rank = RANK_RETURNED;
	if (rank == RANK_RETURNED && x->useful_minutes >= EXPORT_PROOF_MINUTES &&
	    e->proven < e->proven_max)
		rank = RANK_PROVEN;
	if (rank != x->rank || e->ranks[rank][ANYTHING].first != i)
		rank_set(e, i, rank);
}

/* Seen from outside. */

void exports_totals(const struct exports *e, struct export_totals *ret_totals)
{
	struct export_totals t = e->totals;
	for (uint32_t i = 0; i < e->limits.exporters; i++)
		if (e->exporters[i].rank != RANK_FREE)
			counts_add(&t.counts, &e->exporters[i].counts);
	*ret_totals = t;
}

void exports_each(const struct exports *e, void (*each)(void *arg, const struct export_view *view),
		  void *arg)
{
	for (uint32_t i = 0; i < e->limits.exporters; i++) {
		const struct exporter *x = &e->exporters[i];
		if (x->rank == RANK_FREE)
			continue;
		struct export_view view = {
			.address = {.family = x->key.family},
			.source_id = x->key.source_id,
			.version = x->key.version,
			.proven = x->rank == RANK_PROVEN,
			.templates = x->template_count,
			.sampling = x->sampling > 0       ? x->sampling
				    : x->sampler_only > 0 ? x->sampler_only
							  : 1,
			.seen = x->seen,
			.skew = x->skew,
			.counts = x->counts,
		};
		memcpy(view.address.bytes, x->key.address, 16);
		each(arg, &view);
	}
}
