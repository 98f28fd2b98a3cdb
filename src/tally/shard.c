/* SPDX-License-Identifier: Apache-2.0 */
/* Three passes over each few records: the first finds whose they are and their class; the
 * second finds the places in the services' ticks that they count in and asks for that memory;
 * the third counts. Each is short, so that the processor works on several records at a time
 * and waits for no memory. */
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
	TCP = 6,
};

/* Where a hash counts in registers, and what (tally/hll.h). */
struct spot { uint8_t at, rank; };

/* Destinations are few, or what they are is the attack: the last ones' entries, and where they
 * count in a tick's `targets`. IPv4 alone: four of them to a cache line. */
struct recent { uint32_t address, entry; struct spot target; bool taken; };

/* Packets by the mark of their records, halved with every tick. */
struct sides { uint64_t ingress, egress; };

struct live {
	struct traffic_tick *tick; /* NULL: nothing seen since the last seal */
	struct sides in, out;
	float threshold;      /* of the last tick's sample */
	uint8_t heavy[HEAVY]; /* class + 1, of the last tick */
	uint8_t place[VECTOR_CLASSES_MAX]; /* of the class in tick->class_of, + 1 */
	struct traffic_keys keys;          /* of the tick's sample */
};
_Static_assert(sizeof(struct live) <= 1280, "shard.h states it");

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
	uint64_t talk_factor;   /* odd, */
	uint32_t recent_factor; /* too, and nobody outside knows it */
	struct recent recent[1 << RECENT_BITS];
	uint8_t nowhere; /* a register that nobody reads */
	struct shard_counters counters;
	struct talks talks;
};

/* One inbound record after the first pass, … */
struct arrival { const struct flow *flow; uint32_t entry; struct spot target; uint64_t source; };

/* … and with one of its services, after the second. */
struct count {
	const struct flow *flow;
	struct live *live;
	struct traffic_sum *sum;
	uint8_t *source, *target, *class_source; /* registers */
	uint8_t source_rank, target_rank, class_rank;
};

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
	s->recent_factor = (uint32_t)o->rules->key.k[0] | 1;
	s->talk_factor = o->rules->key.k[2] | 1;
	talks_init(&s->talks);
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

/* Whether the record is shown (priority sampling, tally/traffic.h). */
static inline void sample(struct shard *s, const struct count *c)
{
	struct traffic_tick *t = c->live->tick;
	/* packets / u > threshold, without the division; a little too often, never too seldom. */
	uint64_t random = random_next(s);
	uint64_t packets = traffic_scale(c->flow->packets, c->flow->sampling);
	double u = (double)((random >> 11) + 1) * 0x1p-53;
	if (__builtin_expect((double)packets * (1 + 1e-9) >= u * (double)t->threshold, 0)) {
		float priority = traffic_priority(packets, random);
		if (priority > t->threshold)
			traffic_sample(t, &c->live->keys, c->flow, c->flow->class, priority);
	}
}

static inline void raise(uint8_t *r, uint8_t rank)
{
	*r = rank > *r ? rank : *r;
}

static void count_all(struct shard *s, const struct count *counts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct count *c = &counts[i];
		raise(c->source, c->source_rank);
		raise(c->class_source, c->class_rank);
		raise(c->target, c->target_rank);
		traffic_sum_add(c->sum, c->flow);
	}
	for (size_t i = 0; i < n; i++)
		sample(s, &counts[i]);
}

/* Where the record counts in that service's tick; false if it was counted already. */
static inline bool count_find(struct shard *s, const struct arrival *a, uint32_t service,
			      struct count *ret_count)
{
	const struct flow *f = a->flow;
	struct live *l = &s->live[service];
	if (is_duplicate(&l->in, f)) {
		s->counters.duplicates++;
		return false;
	}
	struct traffic_tick *t = tick_of(s, service);
	uint8_t *registers = class_registers(l, t, f->class);
	if (__builtin_expect(registers == NULL, 0))
		traffic_lose(t, f->class);
	*ret_count = (struct count){
		.flow = f, .live = l, .sum = &t->in[f->class],
		.source = &t->sources[a->source >> (64 - TRAFFIC_SOURCES_BITS)],
		.target = &t->targets[a->target.at],
		.class_source = registers != NULL
					? &registers[a->source >> (64 - TRAFFIC_CLASS_BITS)]
					: &s->nowhere,
		.source_rank = hll_rank(a->source, TRAFFIC_SOURCES_BITS),
		.target_rank = a->target.rank,
		.class_rank = hll_rank(a->source, TRAFFIC_CLASS_BITS),
	};
	__builtin_prefetch(ret_count->sum, 1);
	__builtin_prefetch(ret_count->source, 1);
	__builtin_prefetch(ret_count->class_source, 1);
	return true;
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
			traffic_sent_add(&tick_of(s, service)->out[class], f);
	}
}

static inline struct spot target_spot(const struct shard *s, const struct flow *f)
{
	uint64_t hash = address_hash(&s->o.rules->key, f->dst, f->family);
	return (struct spot){(uint8_t)(hash >> (64 - TRAFFIC_TARGETS_BITS)),
			     hll_rank(hash, TRAFFIC_TARGETS_BITS)};
}

/* The destination's entry; *ret_spot is left alone where there is none. */
static inline uint32_t target_find(struct shard *s, const struct flow *f, struct spot *ret_spot)
{
	uint32_t address;
	memcpy(&address, f->dst, sizeof(address));
	struct recent *r = &s->recent[address * s->recent_factor >> (32 - RECENT_BITS)];
	if (r->address == address && r->taken && f->family == 4) {
		*ret_spot = r->target;
		return r->entry;
	}
	uint32_t entry = prefix_find(s->o.prefixes, f->family, f->dst);
	if (entry != PREFIX_NONE) { /* what is nobody's is found fast anyway */
		*ret_spot = target_spot(s, f);
		if (f->family == 4)
			*r = (struct recent){address, entry, *ret_spot, true};
	}
	return entry;
}

/* Connections that are watched packet for packet: few of them are. */
static __attribute__((noinline)) void watch_talk(struct shard *s, const struct flow *f,
						 uint64_t key, const struct arrival *a,
						 uint32_t from)
{
	const struct prefix_table *p = s->o.prefixes;

	if (!talk_counts(f))
		return;
	uint32_t sender = talk_opener(a->source);
	if (a->entry != PREFIX_NONE)
		talks_add(&s->talks, key, f, prefix_value(p, a->entry), false, sender);
	if (from != PREFIX_NONE)
		talks_add(&s->talks, key, f, prefix_value(p, from), true, sender);
}

static void add_block(struct shard *s, struct flow *batch, uint32_t count)
{
	const struct traffic_rules *rules = s->o.rules;
	const struct prefix_table *p = s->o.prefixes;
	struct arrival arrivals[BLOCK];
	struct count counts[BLOCK];
	size_t n = 0, ready = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct flow *f = &batch[i];
		struct arrival *a = &arrivals[n];
		a->entry = target_find(s, f, &a->target);
		uint32_t from = prefix_find(p, f->family, f->src);
		f->class = vector_class(rules->classes, f);
		a->flow = f;
		a->source = address_hash(&rules->key, f->src, f->family);
		n += a->entry != PREFIX_NONE;
		if (__builtin_expect(from != PREFIX_NONE, 0))
			add_out(s, from, f);
		else
			s->counters.elsewhere += a->entry == PREFIX_NONE;
		if (f->protocol != TCP)
			continue;
		uint64_t key = talk_key(s->talk_factor, f->src, f->dst, f->family,
					talk_ports(f->sport, f->dport));
		if (__builtin_expect(key <= s->talks.limit, 0))
			watch_talk(s, f, key, a, from);
		if (__builtin_expect(talk_opens(f), 0) && a->entry != PREFIX_NONE)
			talks_open(&s->talks, talk_opener(a->source));
	}
	for (size_t i = 0; i < n; i++) {
		const struct arrival *a = &arrivals[i];
		for (uint32_t e = a->entry; e != PREFIX_NONE; e = prefix_next(p, a->entry, e)) {
			ready += count_find(s, a, prefix_value(p, e), &counts[ready]);
			if (ready == BLOCK) { /* services inside of services */
				count_all(s, counts, ready);
				ready = 0;
			}
		}
	}
	count_all(s, counts, ready);
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

static struct talk_sum *talk_sum_of(void *context, uint32_t service)
{
	const struct shard *s = context;
	return s->live[service].tick != NULL ? &s->live[service].tick->talk : NULL;
}

/* Which of the sampled packets nobody answers. */
static void mark_alone(const struct shard *s, struct traffic_tick *t)
{
	for (uint32_t i = 0; i < t->sample_count; i++) {
		struct traffic_record *r = &t->sample[i];
		if (r->protocol == TCP && (r->known & FLOW_PACKET) != 0)
			r->alone = talks_alone(&s->talks,
					       talk_key(s->talk_factor, r->src, r->dst, r->family,
							talk_ports(r->sport, r->dport)));
	}
}

static void seal_talks(struct shard *s)
{
	for (size_t i = 0; i < s->active_count; i++)
		mark_alone(s, s->live[s->active[i]].tick);
	talks_seal(&s->talks, talk_sum_of, s);
}

size_t shard_seal(struct shard *s, wd_wall now, struct traffic_tick **ret_ticks, size_t room)
{
	wd_wall end = tick_begin(now);
	size_t sealed = 0, kept = 0;

	if (!s->begun || (!wall_before(s->begin, end) && !s->more))
		return 0;
	if (wall_before(s->begin, end))
		seal_talks(s);
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
