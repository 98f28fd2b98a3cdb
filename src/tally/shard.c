/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes over each few records: the first finds class and services and asks for the
 * memory that the second will need, so that the second does not wait for it. */
#include "tally/shard.h"

#include "base/check.h"
#include "tally/traffic_inner.h"

#include <stdlib.h>

enum {
	BLOCK = 32, /* records between the passes: as many cache misses as a core can wait for */
	/* Classes that keep their place for distinct sources in the next tick; the other places
	 * are free for what is new. */
	HEAVY = TRAFFIC_CLASS_SOURCES - 2,
	RECENT_BITS = 9,
};

/* Destinations are few, or what they are is the attack: the last ones' entries and hashes. */
struct recent { uint64_t low, high, hash; uint32_t entry; uint8_t family; /* 0 = free */ };

/* Packets by the mark of their records, halved with every tick. */
struct sides { uint64_t ingress, egress; };

struct live {
	struct traffic_tick *tick; /* NULL: nothing seen since the last seal */
	struct sides in, out;
	float threshold;      /* of the last tick's sample */
	uint8_t heavy[HEAVY]; /* class + 1, of the last tick */
	uint8_t place[VECTOR_CLASSES_MAX]; /* of the class in tick->class_of, + 1 */
	uint8_t unused[10];                /* to whole cache lines */
};
_Static_assert(sizeof(struct live) == 200, "shard.h states it");

struct shard {
	struct shard_options o;
	struct live *live;           /* by service */
	struct traffic_tick *ticks;  /* all, in one piece */
	struct traffic_tick **spare; /* a stack */
	uint32_t *active;            /* services that have a tick */
	size_t tick_count, spare_count, active_count;
	wd_wall begin; /* of the tick that is being filled */
	bool more; /* ticks of the last seal that found no spare or room */
	bool begun;
	uint64_t random;
	struct recent recent[1 << RECENT_BITS];
	struct shard_counters counters;
};

/* One inbound record between the passes. */
struct arrival { uint32_t at, entry; uint64_t source, target; };

enum wd_err shard_open(const struct shard_options *o, struct shard **ret_shard, struct wd_why *why)
{
	WD_CHECK(o->spares >= 1);
	for (uint32_t i = 0; i < o->prefixes->count; i++) {
		if (o->prefixes->values[i] >= o->service_count)
			return wd_fail(why, WD_UNKNOWN, i, "a prefix names no service");
	}
	struct shard *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open a shard");
	s->o = *o;
	s->random = o->seed;
	s->tick_count = (size_t)o->service_count + o->spares;
	size_t services = (size_t)o->service_count + 1;
	s->live = calloc(services, sizeof(*s->live));
	s->ticks = calloc(s->tick_count, sizeof(*s->ticks));
	s->spare = calloc(s->tick_count, sizeof(struct traffic_tick *));
	s->active = calloc(services, sizeof(*s->active));
	if (s->live == NULL || s->ticks == NULL || s->spare == NULL || s->active == NULL) {
		shard_close(s);
		return wd_fail(why, WD_NOMEM, 0, "open a shard");
	}
	for (size_t i = s->tick_count; i > 0; i--) /* the lowest is taken first */
		s->spare[s->spare_count++] = &s->ticks[i - 1];
	*ret_shard = s;
	return WD_OK;
}

void shard_close(struct shard *s)
{
	if (s == NULL)
		return;
	free(s->live);
	free(s->ticks);
	free(s->spare);
	free(s->active);
	free(s);
}

size_t shard_memory(const struct shard *s)
{
	size_t services = (size_t)s->o.service_count + 1;
	return sizeof(*s) + services * (sizeof(*s->live) + sizeof(*s->active)) +
	       s->tick_count * (sizeof(*s->ticks) + sizeof(*s->spare));
}

const struct shard_counters *shard_counters(const struct shard *s)
{
	return &s->counters;
}

static wd_wall tick_begin(wd_wall now)
{
	return (wd_wall){floor_div(now.ns, TRAFFIC_TICK_NS) * TRAFFIC_TICK_NS};
}

/* A service that saw nothing sees something: shard_seal left a spare for each of these. */
static __attribute__((noinline)) struct traffic_tick *tick_start(struct shard *s, uint32_t service)
{
	struct live *l = &s->live[service];
	WD_CHECK(s->spare_count > 0);
	struct traffic_tick *t = s->spare[--s->spare_count];
	traffic_clear(t, s->o.services[service], s->begin);
	t->index = service;
	memset(l->place, 0, sizeof(l->place));
	/* What the last tick says about this one saves most of the sample's coming and going. It
	 * was chosen before these records were seen, so no record is preferred (no bias). */
	t->threshold = l->threshold / 4;
	l->threshold = 0;
	for (uint8_t i = 0; i < HEAVY && l->heavy[i] != 0; i++) {
		t->class_of[i] = l->heavy[i];
		l->place[l->heavy[i] - 1] = i + 1;
	}
	l->tick = t;
	s->active[s->active_count++] = service;
	return t;
}

static inline struct traffic_tick *tick_of(struct shard *s, uint32_t service)
{
	struct traffic_tick *t = s->live[service].tick;
	return __builtin_expect(t != NULL, 1) ? t : tick_start(s, service);
}

static inline uint64_t random_next(struct shard *s)
{
	s->random += UINT64_C(0xa0761d6478bd642f);
	return address_fold(s->random, s->random ^ UINT64_C(0xe7037ed1a0b428db));
}

static inline bool is_duplicate(struct sides *sides, const struct flow *f)
{
	if ((f->known & FLOW_EGRESS) == 0) {
		sides->ingress = traffic_plus(sides->ingress, f->packets);
		return false;
	}
	sides->egress = traffic_plus(sides->egress, f->packets);
	return sides->egress / 2 <= sides->ingress && sides->ingress != 0;
}

/* Where the class's registers are; the first time in a tick it takes a place. */
static inline uint8_t *class_registers(struct live *l, struct traffic_tick *t, uint8_t class)
{
	uint8_t place = l->place[class];
	if (__builtin_expect(place == 0, 0)) {
		while (place < TRAFFIC_CLASS_SOURCES && t->class_of[place] != 0)
			place++;
		if (place == TRAFFIC_CLASS_SOURCES)
			return NULL;
		t->class_of[place++] = class + 1;
		l->place[class] = place;
	}
	return t->class_sources[place - 1];
}

static inline void add_in(struct shard *s, uint32_t service, const struct flow *f,
			  const struct arrival *a)
{
	struct live *l = &s->live[service];
	if (is_duplicate(&l->in, f)) {
		s->counters.duplicates++;
		return;
	}
	struct traffic_tick *t = tick_of(s, service);
	traffic_sum_add(&t->in[f->class], f);
	hll_add(t->sources, TRAFFIC_SOURCES_BITS, a->source);
	hll_add(t->targets, TRAFFIC_TARGETS_BITS, a->target);
	uint8_t *registers = class_registers(l, t, f->class);
	if (registers != NULL)
		hll_add(registers, TRAFFIC_CLASS_BITS, a->source);
	else
		t->class_sources_lost++;

	/* packets / u > threshold, without the division; a little too often, never too seldom. */
	uint64_t random = random_next(s), packets = traffic_scale(f->packets, f->sampling);
	double u = (double)((random >> 11) + 1) * 0x1p-53;
	if (__builtin_expect((double)packets * (1 + 1e-9) >= u * (double)t->threshold, 0)) {
		float priority = traffic_priority(packets, random);
		if (priority > t->threshold)
			traffic_sample(t, f, f->class, priority);
	}
}

static void add_out(struct shard *s, uint32_t first, const struct flow *f)
{
	const struct prefix_table *p = s->o.prefixes;
	uint8_t class = traffic_answer_class(s->o.rules->classes, f);
	for (uint32_t e = first; e != PREFIX_NONE; e = prefix_next(p, first, e)) {
		uint32_t service = prefix_value(p, e);
		if (is_duplicate(&s->live[service].out, f))
			s->counters.duplicates++;
		else
			traffic_sum_add(&tick_of(s, service)->out[class], f);
	}
}

static inline void prefetch(const struct shard *s, const struct flow *f, const struct arrival *a)
{
	const struct live *l = &s->live[prefix_value(s->o.prefixes, a->entry)];
	const struct traffic_tick *t = l->tick;
	if (t == NULL)
		return;
	__builtin_prefetch(&t->in[f->class], 1);
	__builtin_prefetch(&t->sources[a->source >> (64 - TRAFFIC_SOURCES_BITS)], 1);
	uint8_t place = l->place[f->class];
	if (place != 0) {
		const uint8_t *registers = t->class_sources[place - 1];
		__builtin_prefetch(&registers[a->source >> (64 - TRAFFIC_CLASS_BITS)], 1);
	}
}

/* The destination's entry; *ret_hash is left alone where there is none. */
static inline uint32_t target_find(struct shard *s, const struct flow *f, uint64_t *ret_hash)
{
	uint64_t low, high;
	memcpy(&low, f->dst, sizeof(low));
	memcpy(&high, f->dst + 8, sizeof(high));
	uint64_t mixed = (low ^ (high >> 7) ^ (high << 23)) * s->o.rules->key.k[0];
	struct recent *r = &s->recent[mixed >> (64 - RECENT_BITS)];
	if (r->low == low && r->high == high && r->family == f->family) {
		*ret_hash = r->hash;
		return r->entry;
	}
	uint32_t entry = prefix_find(s->o.prefixes, f->family, f->dst);
	if (entry != PREFIX_NONE) { /* what is nobody's is found fast anyway */
		uint64_t hash = address_hash(&s->o.rules->key, f->dst, f->family);
		*r = (struct recent){low, high, hash, entry, f->family};
		*ret_hash = hash;
	}
	return entry;
}

static void add_block(struct shard *s, struct flow *batch, uint32_t count)
{
	const struct traffic_rules *rules = s->o.rules;
	const struct prefix_table *p = s->o.prefixes;
	struct arrival arrivals[BLOCK];
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct flow *f = &batch[i];
		struct arrival *a = &arrivals[n];
		uint32_t to = target_find(s, f, &a->target);
		uint32_t from = prefix_find(p, f->family, f->src);
		f->class = vector_class(rules->classes, f);
		if (to != PREFIX_NONE) {
			n++;
			a->at = i;
			a->entry = to;
			a->source = address_hash(&rules->key, f->src, f->family);
			prefetch(s, f, a);
		}
		if (from != PREFIX_NONE)
			add_out(s, from, f);
		else
			s->counters.elsewhere += to == PREFIX_NONE;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct arrival *a = &arrivals[i];
		for (uint32_t e = a->entry; e != PREFIX_NONE; e = prefix_next(p, a->entry, e))
			add_in(s, prefix_value(p, e), &batch[a->at], a);
	}
}

static void begin_at(struct shard *s, wd_wall now)
{
	s->begin = tick_begin(now);
	s->begun = true;
}

void shard_add(struct shard *s, struct flow *batch, size_t count, wd_wall now)
{
	if (!s->begun)
		begin_at(s, now);
	s->counters.records += count;
	for (size_t i = 0; i < count; i += BLOCK)
		add_block(s, batch + i, (uint32_t)(count - i < BLOCK ? count - i : BLOCK));
}

bool shard_is_due(const struct shard *s, wd_wall now)
{
	return s->begun && wall_before(s->begin, tick_begin(now));
}

/* The heaviest classes keep their places in the service's next tick. */
static void heavy_find(struct live *l, const struct traffic_tick *t)
{
	memset(l->heavy, 0, sizeof(l->heavy));
	for (size_t class = 0; class < VECTOR_CLASSES_MAX; class++) {
		if (t->in[class].records == 0)
			continue;
		size_t at = HEAVY;
		while (at > 0 && (l->heavy[at - 1] == 0 ||
				  t->in[l->heavy[at - 1] - 1].packets < t->in[class].packets))
			at--;
		if (at == HEAVY)
			continue;
		memmove(l->heavy + at + 1, l->heavy + at, HEAVY - at - 1);
		l->heavy[at] = (uint8_t)(class + 1);
	}
}

static void sides_halve(struct sides *sides)
{
	sides->ingress /= 2;
	sides->egress /= 2;
}

size_t shard_seal(struct shard *s, wd_wall now, struct traffic_tick **ret_ticks, size_t room)
{
	wd_wall end = tick_begin(now);
	size_t sealed = 0, kept = 0;

	if (!s->begun || (!wall_before(s->begin, end) && !s->more))
		return 0;
	for (size_t i = 0; i < s->active_count; i++) {
		uint32_t service = s->active[i];
		struct live *l = &s->live[service];
		/* Every service without a tick must find a spare at any time. */
		size_t without = s->o.service_count - (s->active_count - sealed);
		if (sealed == room || !wall_before(l->tick->at, end) ||
		    s->spare_count < without + 1) {
			s->active[kept++] = service;
			continue;
		}
		sides_halve(&l->in);
		sides_halve(&l->out);
		l->tick->width = wall_sub(end, l->tick->at);
		heavy_find(l, l->tick);
		bool one = l->tick->width.ns == TRAFFIC_TICK_NS;
		l->threshold = one ? l->tick->threshold : 0;
		ret_ticks[sealed++] = l->tick;
		l->tick = NULL;
	}
	s->active_count = kept;
	s->begin = end;
	s->more = sealed > 0 && kept > 0; /* asked again, the rest may find room */
	s->counters.held += s->more ? 0 : kept;
	return sealed;
}

void shard_take_back(struct shard *s, struct traffic_tick *tick)
{
	WD_CHECK(tick >= s->ticks && tick < s->ticks + s->tick_count);
	WD_CHECK(s->spare_count < s->tick_count);
	s->spare[s->spare_count++] = tick;
}
