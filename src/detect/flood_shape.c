/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood_shape.h"

#include "base/hash.h"
#include "detect/flood.h"

#include <string.h>

enum { PLACES = 256, TALKS = 512, PORTS_FEW = 4, TCP = 6, UDP = 17, TALK_PACKETS = 4 };

/* Weights by a hash of the thing. Two things in one place look like one: with n places the
 * effective number is at most about n, which is all that is asked. */
struct spread { float weight[PLACES], all; };

static int place_of(uint64_t thing)
{
	return (int)(hash_mix(thing) % PLACES);
}

static void spread_add(struct spread *s, uint64_t thing, float weight)
{
	s->weight[place_of(thing)] += weight;
	s->all += weight;
}

static int spread_heaviest(const struct spread *s)
{
	int top = 0;

	for (int i = 1; i < PLACES; i++)
		top = s->weight[i] > s->weight[top] ? i : top;
	return top;
}

static float spread_top(const struct spread *s)
{
	return s->all > 0 ? s->weight[spread_heaviest(s)] / s->all : 0;
}

static float spread_effective(const struct spread *s)
{
	float squares = 0;

	for (int i = 0; i < PLACES; i++)
		squares += s->weight[i] * s->weight[i];
	return squares > 0 ? s->all * s->all / squares : 0;
}

static uint64_t address(const uint8_t a[16])
{
	uint64_t high, low;

	memcpy(&high, a, 8);
	memcpy(&low, a + 8, 8);
	return hash_mix(high) ^ low;
}

static uint32_t sample_count(const struct traffic_tick *t)
{
	return t->sample_count < TRAFFIC_SAMPLES ? t->sample_count : TRAFFIC_SAMPLES;
}

static float stands_for(const struct traffic_tick *t, const struct traffic_record *r)
{
	double w = traffic_stands_for(t, r);

	return w > 0 && w < 1e30 ? (float)w : 0;
}

/* Packets looked at that the record is summed up of. */
static double summed(const struct traffic_tick *t, const struct traffic_record *r)
{
	const struct traffic_sum *in = &t->in[r->class % VECTOR_CLASSES_MAX];
	double each = in->seen > 0 ? (double)in->packets / (double)in->seen : 1;

	return (double)r->packets > each ? (double)r->packets / each : 1;
}

struct counts {
	struct spread source, source_bytes, target, size, port;
	float hop[256], hop_all;
	struct { uint64_t source, ports; } last[PLACES];
	uint64_t talk[TALKS];
	uint32_t pairs, same, again, ported, packets;
};

/* Nobody answers to port 0, nor to the address of who has none yet (RFC 768, RFC 1122). */
static bool answerable(const struct traffic_record *r)
{
	static const uint8_t none[16];
	bool ports = r->protocol == TCP || r->protocol == UDP;

	if ((r->known & FLOW_PACKET) == 0) /* an exporter may not tell all */
		return true;
	return memcmp(r->src, none, sizeof(none)) != 0 &&
	       !(ports && (r->sport == 0 || r->dport == 0));
}

/* Whoever talks to the service does so between the same two ports for a while; what makes up
 * its packets mostly makes up the ports, too. A record of several packets is a talk by itself.
 * One source may have many talks at a time, as a telephone exchange has: `again` counts them. */
static void count_pair(struct counts *n, const struct traffic_tick *t,
		       const struct traffic_record *r)
{
	uint64_t source = address(r->src) | 1;
	uint64_t ports = hash_mix(address(r->dst)) ^ ((uint64_t)r->sport << 16 | r->dport);
	uint64_t talk = hash_mix(source ^ ports) | 1;
	uint64_t *had = &n->talk[talk / 2 % TALKS];
	int at = place_of(source);

	if (!answerable(r)) {
		n->pairs++;
	} else if (summed(t, r) >= TALK_PACKETS) {
		n->pairs++;
		n->same++;
		n->again++;
	} else if (n->last[at].source == source) {
		n->pairs++;
		n->same += n->last[at].ports == ports;
		n->again += *had == talk;
	}
	*had = talk;
	n->last[at].source = source;
	n->last[at].ports = ports;
}

static void count_one(struct counts *n, const struct traffic_tick *t,
		      const struct traffic_record *r)
{
	float w = stands_for(t, r);
	float size = r->packets > 0 ? (float)(r->bytes / r->packets) : 0;

	spread_add(&n->source, address(r->src), w);
	spread_add(&n->source_bytes, address(r->src), w * size);
	spread_add(&n->target, address(r->dst), w);
	spread_add(&n->size, (uint64_t)(size < 65536 ? size : 65536), w);
	spread_add(&n->port, r->dport, w);
	count_pair(n, t, r);
	n->ported += r->protocol == TCP || r->protocol == UDP;
	n->packets += (r->known & FLOW_PACKET) != 0;
	if (r->known & FLOW_TTL) {
		n->hop[r->ttl] += w;
		n->hop_all += w;
	}
}

static float two_hops(const struct counts *n)
{
	float first = 0, second = 0;

	for (int i = 0; i < 256; i++) {
		if (n->hop[i] > first) {
			second = first;
			first = n->hop[i];
		} else if (n->hop[i] > second) {
			second = n->hop[i];
		}
	}
	return n->hop_all > 0 ? (first + second) / n->hop_all : -1;
}

/* Several talks of one source at a time have a port of ours each; a flood to one port that takes
 * turns between a few of its own is none. */
static float same_talk(const struct counts *n)
{
	bool turns = n->again > n->same && spread_top(&n->port) < 0.8F;
	float same = (float)(turns ? n->again : n->same);

	return n->pairs > 0 ? same / (float)n->pairs : 0;
}

static bool closes(const struct traffic_record *r)
{
	return r->protocol == TCP && (r->tcp_flags & (FLOW_TCP_FIN | FLOW_TCP_RST));
}

/* What the class's heaviest source does. */
static void heaviest(const struct traffic_tick *t, uint8_t class, int top, struct flood_shape *ret)
{
	struct spread from = {0}, to = {0};
	uint32_t records = 0;

	for (uint32_t i = 0; i < sample_count(t); i++) {
		const struct traffic_record *r = &t->sample[i];

		if (place_of(address(r->src)) != top)
			continue;
		if (closes(r))
			ret->top_closes += stands_for(t, r);
		if (r->class != class)
			continue;
		spread_add(&from, r->sport, 1);
		spread_add(&to, address(r->dst) + r->dport, 1);
		records++;
	}
	float most = (float)(records < 200 ? records : 200);
	ret->top_roams = records >= 8 && spread_effective(&to) >= 0.3F * most;
	ret->top_scan = ret->top_roams && spread_effective(&from) <= PORTS_FEW;
}

static void shape_of(const struct traffic_tick *t, uint8_t class, bool alone,
		     struct flood_shape *ret)
{
	struct counts n = {0};
	uint32_t records = 0;

	for (uint32_t i = 0; i < sample_count(t); i++) {
		if (t->sample[i].class != class || (alone && !t->sample[i].alone))
			continue;
		count_one(&n, t, &t->sample[i]);
		records++;
	}
	int top = spread_heaviest(&n.source);

	*ret = (struct flood_shape){
		.records = records,
		.sources = spread_effective(&n.source),
		.top_source = spread_top(&n.source),
		.targets = spread_effective(&n.target),
		.top_target = spread_top(&n.target),
		.one_size = spread_top(&n.size),
		.one_hop = two_hops(&n),
		.top_size = n.source.weight[top] > 0
				    ? n.source_bytes.weight[top] / n.source.weight[top]
				    : 0,
		.top_port = spread_top(&n.port),
		.ports = spread_effective(&n.port),
		.has_ports = n.ported > 0,
		.packets = records > 0 && n.packets == records,
		.pairs = n.pairs,
		.same_talk = same_talk(&n),
	};
	heaviest(t, class, top, ret);
}

void flood_shape_of(const struct traffic_tick *t, uint8_t class, struct flood_shape *ret)
{
	shape_of(t, class, false, ret);
}

void flood_shape_alone(const struct traffic_tick *t, uint8_t class, struct flood_shape *ret)
{
	shape_of(t, class, true, ret);
}

static bool fits(const struct traffic_record *r, const struct vector_mark *m)
{
	size_t end = (size_t)m->at + m->len;

	if ((m->class != 0 ? m->class != r->class : r->protocol != UDP) || end > r->payload_len ||
	    end > TRAFFIC_PAYLOAD || m->len > VECTOR_PAYLOAD_MAX ||
	    (m->length_max > 0 && (r->length < m->length_min || r->length > m->length_max)))
		return false;
	return vector_payload_fits(r->payload + m->at, m->payload, m->mask, m->len);
}

float flood_shape_marked(const struct traffic_tick *t, const struct flood_plan *plan,
			 uint8_t class, bool own)
{
	float all = 0, marked = 0;

	for (uint32_t i = 0; i < sample_count(t); i++) {
		const struct traffic_record *r = &t->sample[i];
		bool any = false;

		if (r->class != class)
			continue;
		for (size_t k = 0; k < plan->mark_count && !any; k++)
			any = (!own || plan->marks[k].class == class) &&
			      fits(r, &plan->marks[k]);
		float w = stands_for(t, r);
		all += w;
		marked += any ? w : 0;
	}
	return all > 0 ? marked / all : 0;
}

void flood_shape_targets(const struct traffic_tick *t, const uint64_t classes[2],
			 struct flood_shape *ret)
{
	struct spread target = {0};

	*ret = (struct flood_shape){0};
	for (uint32_t i = 0; i < sample_count(t); i++) {
		const struct traffic_record *r = &t->sample[i];

		if (r->class >= VECTOR_CLASSES_MAX ||
		    !(classes[r->class / 64] >> (r->class % 64) & 1))
			continue;
		spread_add(&target, address(r->dst), stands_for(t, r));
		ret->records++;
	}
	ret->targets = spread_effective(&target);
	ret->top_target = spread_top(&target);
}

struct flood_ends flood_shape_ends(const struct traffic_tick *t)
{
	struct flood_ends all = {0};

	for (uint32_t i = 0; i < sample_count(t); i++) {
		const struct traffic_record *r = &t->sample[i];

		if (!closes(r))
			continue;
		double packets = summed(t, r), w = stands_for(t, r);
		all.packets += w;
		all.connections += w / (packets >= TALK_PACKETS ? packets : 1);
	}
	return all;
}
