/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/traffic.h"

#include "base/check.h"
#include "base/text.h"
#include "model/witness.h"
#include "tally/query_name.h"
#include "tally/traffic_inner.h"

#include <math.h>
#include <string.h>

/* To a request comes its reply; what has none answers itself. */
static uint8_t reply4(uint8_t type)
{
	switch (type) {
	case 8: /* echo */
		return 0;
	case 10: /* router solicitation */
		return 9;
	case 13: /* timestamp */
	case 15: /* information */
	case 17: /* address mask */
		return type + 1;
	default:
		return type;
	}
}

static uint8_t reply6(uint8_t type)
{
	return type == 128 /* echo */ ? 129 : type;
}

static uint8_t reply_tcp(uint8_t flags)
{
	bool opens = (flags & FLOW_TCP_SYN) != 0 && (flags & (FLOW_TCP_ACK | FLOW_TCP_RST)) == 0;
	return opens ? FLOW_TCP_SYN | FLOW_TCP_ACK : FLOW_TCP_ACK;
}

uint8_t traffic_answer_class(const struct vector_classes *c, const struct flow *f)
{
	if (f->fragment == FLOW_FRAGMENT_LATER)
		return c->fragment;
	switch (f->protocol) {
	case 17:
		return vector_class_udp(c, f->dport, f->sport);
	case 6:
		return c->tcp[reply_tcp(f->tcp_flags)];
	case 1:
		return c->icmp4[reply4((uint8_t)(f->dport >> 8))];
	case 58:
		return c->icmp6[reply6((uint8_t)(f->dport >> 8))];
	default:
		return c->protocol[f->protocol];
	}
}

void traffic_clear(struct traffic_tick *t, const char *service, wd_wall at)
{
	memset(t, 0, offsetof(struct traffic_tick, sample));
	(void)text_copy(t->service, sizeof(t->service), service);
	t->index = UINT32_MAX;
	t->at = at;
	t->width.ns = TRAFFIC_TICK_NS;
}

/* The registers of the class; NULL if there is no place. */
static uint8_t *class_registers(struct traffic_tick *t, uint8_t class)
{
	for (size_t i = 0; i < TRAFFIC_CLASS_SOURCES; i++) {
		if (t->class_of[i] == 0)
			t->class_of[i] = class + 1;
		if (t->class_of[i] == class + 1)
			return t->class_sources[i];
	}
	return NULL;
}

void traffic_add(struct traffic_tick *t, const struct traffic_rules *rules, const struct flow *f,
		 bool outbound, uint64_t random)
{
	if (outbound) {
		traffic_sent_add(&t->out[traffic_answer_class(rules->classes, f)], f);
		return;
	}
	uint8_t class = vector_class(rules->classes, f);
	uint64_t hash = address_hash(&rules->key, f->src, f->family);
	uint8_t *registers = class_registers(t, class);

	traffic_sum_add(&t->in[class], f);
	hll_add(t->sources, TRAFFIC_SOURCES_BITS, hash);
	hll_add(t->targets, TRAFFIC_TARGETS_BITS, address_hash(&rules->key, f->dst, f->family));
	if (registers != NULL)
		hll_add(registers, TRAFFIC_CLASS_BITS, hash);
	else
		traffic_lose(t, class);
	float priority = traffic_priority(traffic_scale(f->packets, f->sampling), random);
	if (priority > t->threshold) {
		struct traffic_keys keys;
		traffic_keys_of(t, &keys);
		traffic_sample(t, &keys, f, class, priority);
	}
}

/* Is more of the packet's payload missing than the capture kept? IP options and IPv6's further
 * headers are taken for payload: then what was kept is not all, which is said of too many. */
static bool payload_is_cut(const struct flow *f)
{
	enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };
	uint32_t headers = f->family == 4 ? 20 : 40;

	if ((f->known & FLOW_PACKET) == 0 || f->fragment == FLOW_FRAGMENT_LATER)
		return false;
	if (f->protocol == TCP)
		headers += 20 + f->options_len;
	else if (f->protocol == UDP || f->protocol == ICMP || f->protocol == ICMP6)
		headers += 8;
	else
		return false;
	return f->length > headers + f->payload_len;
}

/* Datagrams have no such numbers of their own, but some exports tell them of all. Before the
 * payload is cut. */
static void name_fill(struct traffic_record *r, const struct flow *f)
{
	struct query_name asked = {0, 0};

	if (f->payload != NULL)
		(void)query_name_read(f->payload, f->payload_len, &asked);
	r->sequence = asked.name;
	r->window = asked.zone;
}

static void record_fill(struct traffic_record *r, const struct flow *f, uint8_t class,
			float priority)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->src, f->src, sizeof(r->src));
	memcpy(r->dst, f->dst, sizeof(r->dst));
	r->packets = (float)traffic_scale(f->packets, f->sampling);
	r->bytes = (float)traffic_scale(f->bytes, f->sampling);
	r->priority = priority;
	r->sequence = f->sequence;
	r->src_as = f->src_as;
	r->sport = f->sport;
	r->dport = f->dport;
	r->length = f->length;
	r->window = f->window;
	r->family = f->family;
	r->protocol = f->protocol;
	r->tcp_flags = f->tcp_flags;
	r->ttl = f->ttl;
	r->options_len = f->options_len;
	r->known = f->known;
	r->fragment = f->fragment;
	r->class = class;
	_Static_assert(WITNESSES_MAX < 128, "slot + 1 has seven bits");
	r->witness = f->witness & 127;
	if (payload_is_cut(f))
		r->known |= FLOW_CUT;
	if (f->protocol == 17 && f->dport == QUERY_NAME_PORT)
		name_fill(r, f);
	if (f->payload == NULL)
		return;
	r->payload_whole = f->payload_len;
	bool whole = f->payload_len < TRAFFIC_PAYLOAD;
	r->payload_len = whole ? (uint8_t)f->payload_len : TRAFFIC_PAYLOAD;
	memcpy(r->payload, f->payload, r->payload_len);
}

/* Four priorities at a time, and what comparing them gives: all bits or none of each. */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t lane_bits __attribute__((vector_size(16)));
enum { STEP = 16, STEPS = TRAFFIC_SAMPLES / STEP };
_Static_assert(TRAFFIC_SAMPLES % STEP == 0 && STEPS == 16, "two levels of sixteen");

static inline lanes lesser(lanes a, lanes b)
{
	lane_bits is = a < b;
	return (lanes)(((lane_bits)a & is) | ((lane_bits)b & ~is));
}

static inline float least_of_16(const float *x)
{
	const lanes *of = (const void *)x;
	lanes a = lesser(lesser(of[0], of[1]), lesser(of[2], of[3]));
	float y = a[0] < a[1] ? a[0] : a[1], z = a[2] < a[3] ? a[2] : a[3];
	return y < z ? y : z;
}

static void keys_look(struct traffic_keys *k, uint32_t step)
{
	k->least[step] = least_of_16(&k->of[step * STEP]);
}

void traffic_keys_of(const struct traffic_tick *t, struct traffic_keys *ret_keys)
{
	for (uint32_t i = 0; i < TRAFFIC_SAMPLES; i++)
		ret_keys->of[i] = i < t->sample_count ? t->sample[i].priority : INFINITY;
	for (uint32_t step = 0; step < STEPS; step++)
		keys_look(ret_keys, step);
}

/* The last one takes its place. */
static void sample_drop(struct traffic_tick *t, struct traffic_keys *k, uint32_t i)
{
	uint32_t last = --t->sample_count;
	t->sample[i] = t->sample[last];
	k->of[i] = k->of[last];
	k->of[last] = INFINITY;
	keys_look(k, i / STEP);
	keys_look(k, last / STEP);
}

/* Takes out what is not above the threshold. */
static void sample_thin(struct traffic_tick *t, struct traffic_keys *k)
{
	for (uint32_t step = STEPS; step-- > 0;) {
		if (k->least[step] > t->threshold)
			continue;
		/* From the end: what takes the place of one that goes has been looked at. */
		for (uint32_t i = (step + 1) * STEP; i-- > step * STEP;) {
			if (k->of[i] <= t->threshold)
				sample_drop(t, k, i);
		}
	}
}

/* Where the least priority is, if no other is as low; else TRAFFIC_SAMPLES. */
static uint32_t keys_only(const struct traffic_keys *k, float least)
{
	uint32_t step = 0, steps = 0, at = 0, count = 0;
	for (uint32_t i = 0; i < STEPS; i++) { /* no branch: where it is is chance */
		step = k->least[i] == least ? i : step;
		steps += k->least[i] == least;
	}
	const float *of = &k->of[step * STEP];
	for (uint32_t i = 0; i < STEP; i++) {
		at = of[i] == least ? i : at;
		count += of[i] == least;
	}
	return steps == 1 && count == 1 ? step * STEP + at : TRAFFIC_SAMPLES;
}

/* Room for a record of that priority, which is above the threshold; NULL if it is itself
 * what must go. Whatever the order of the records, the threshold becomes the highest
 * priority that found no room, and the sample all that is above it: equal ones go together,
 * so that joining samples in any order gives the same. */
static struct traffic_record *sample_room(struct traffic_tick *t, struct traffic_keys *k,
					  float priority)
{
	if (t->sample_count == TRAFFIC_SAMPLES) {
		float least = least_of_16(k->least);
		t->threshold = priority < least ? priority : least;
		if (priority < least)
			return NULL;
		uint32_t at = priority > least ? keys_only(k, least) : TRAFFIC_SAMPLES;
		if (at < TRAFFIC_SAMPLES) { /* mostly */
			k->of[at] = priority;
			keys_look(k, at / STEP);
			return &t->sample[at];
		}
		sample_thin(t, k);
		if (priority == least)
			return NULL;
	}
	if (t->sample_count == 0) /* what is left of another tick */
		traffic_keys_of(t, k);
	float *least_here = &k->least[t->sample_count / STEP];
	*least_here = priority < *least_here ? priority : *least_here;
	k->of[t->sample_count] = priority;
	return &t->sample[t->sample_count++];
}

void traffic_sample(struct traffic_tick *t, struct traffic_keys *keys, const struct flow *f,
		    uint8_t class, float priority)
{
	struct traffic_record *r = sample_room(t, keys, priority);
	if (r != NULL)
		record_fill(r, f, class, priority);
}

static void sums_merge(struct traffic_sum *sums, const struct traffic_sum *other)
{
	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++) {
		sums[i].packets = traffic_plus(sums[i].packets, other[i].packets);
		sums[i].bytes = traffic_plus(sums[i].bytes, other[i].bytes);
		sums[i].seen = traffic_plus(sums[i].seen, other[i].seen);
		sums[i].records = traffic_plus(sums[i].records, other[i].records);
	}
}

static void sent_merge(struct traffic_sent *sent, const struct traffic_sent *other)
{
	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++) {
		sent[i].packets = traffic_plus(sent[i].packets, other[i].packets);
		sent[i].bytes = traffic_plus(sent[i].bytes, other[i].bytes);
	}
}

/* Of the two classes the one that gives up its place first. */
static bool class_is_lighter(const struct traffic_tick *t, uint8_t a, uint8_t b)
{
	if (t->in[a].packets != t->in[b].packets)
		return t->in[a].packets < t->in[b].packets;
	return a > b;
}

static bool is_lost(const struct traffic_tick *t, uint8_t class)
{
	return t->class_lost[class / 64] >> (class % 64) & 1;
}

/* The last one takes its place. */
static void place_free(struct traffic_tick *t, size_t i)
{
	size_t last = i;
	while (last + 1 < TRAFFIC_CLASS_SOURCES && t->class_of[last + 1] != 0)
		last++;
	t->class_of[i] = t->class_of[last];
	memcpy(t->class_sources[i], t->class_sources[last], sizeof(t->class_sources[i]));
	t->class_of[last] = 0;
	memset(t->class_sources[last], 0, sizeof(t->class_sources[last]));
}

/* Of what one of the two did not count all, an estimate would be too low. */
static void lost_merge(struct traffic_tick *t, const struct traffic_tick *other)
{
	for (size_t i = 0; i < WD_COUNT(t->class_lost); i++)
		t->class_lost[i] |= other->class_lost[i];
	for (size_t i = TRAFFIC_CLASS_SOURCES; i-- > 0;) {
		if (t->class_of[i] != 0 && is_lost(t, t->class_of[i] - 1))
			place_free(t, i);
	}
}

/* No place is free for a class of the other's: the lightest of all loses its own, or is not let
 * in. */
static void class_displace(struct traffic_tick *t, uint8_t class, const uint8_t *registers)
{
	size_t lightest = 0;
	for (size_t i = 1; i < TRAFFIC_CLASS_SOURCES; i++) {
		if (class_is_lighter(t, t->class_of[i] - 1, t->class_of[lightest] - 1))
			lightest = i;
	}
	uint8_t loser = t->class_of[lightest] - 1;
	if (class_is_lighter(t, class, loser)) {
		loser = class;
	} else {
		t->class_of[lightest] = class + 1;
		memcpy(t->class_sources[lightest], registers, sizeof(t->class_sources[lightest]));
	}
	if (t->in[loser].records > 0) /* some have a place ahead of time (tally/shard.c) */
		traffic_lose(t, loser);
}

/* Where more classes than places come together, the heaviest of both keep theirs (the sums
 * are merged before). */
static void classes_merge(struct traffic_tick *t, const struct traffic_tick *other)
{
	lost_merge(t, other);
	for (size_t i = 0; i < TRAFFIC_CLASS_SOURCES; i++) {
		if (other->class_of[i] == 0 || is_lost(t, other->class_of[i] - 1))
			continue;
		uint8_t class = other->class_of[i] - 1;
		uint8_t *registers = class_registers(t, class);
		if (registers != NULL)
			hll_merge(registers, other->class_sources[i], TRAFFIC_CLASS_BITS);
		else
			class_displace(t, class, other->class_sources[i]);
	}
}

static void samples_merge(struct traffic_tick *t, const struct traffic_tick *other)
{
	struct traffic_keys keys;
	traffic_keys_of(t, &keys);
	if (other->threshold > t->threshold) {
		t->threshold = other->threshold;
		sample_thin(t, &keys);
	}
	for (uint32_t i = 0; i < other->sample_count; i++) {
		const struct traffic_record *theirs = &other->sample[i];
		struct traffic_record *r = NULL;
		if (theirs->priority > t->threshold)
			r = sample_room(t, &keys, theirs->priority);
		if (r != NULL)
			*r = *theirs;
	}
}

void traffic_merge(struct traffic_tick *t, const struct traffic_tick *other)
{
	wd_wall end = wall_add(t->at, t->width), other_end = wall_add(other->at, other->width);

	if (wall_before(other->at, t->at))
		t->at = other->at;
	t->width = wall_sub(wall_before(end, other_end) ? other_end : end, t->at);
	sums_merge(t->in, other->in);
	sent_merge(t->out, other->out);
	hll_merge(t->sources, other->sources, TRAFFIC_SOURCES_BITS);
	hll_merge(t->targets, other->targets, TRAFFIC_TARGETS_BITS);
	classes_merge(t, other);
	samples_merge(t, other);
	talk_sum_merge(&t->talk, &other->talk);
}

double traffic_sources(const struct traffic_tick *t)
{
	return hll_estimate(t->sources, TRAFFIC_SOURCES_BITS);
}

double traffic_class_sources(const struct traffic_tick *t, uint8_t class)
{
	for (size_t i = 0; i < TRAFFIC_CLASS_SOURCES; i++) {
		if (t->class_of[i] == class + 1)
			return hll_estimate(t->class_sources[i], TRAFFIC_CLASS_BITS);
	}
	return t->in[class].records == 0 ? 0 : -1;
}
