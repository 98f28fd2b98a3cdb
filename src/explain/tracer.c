/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/tracer.h"

#include "base/hash.h"
#include "base/text.h"
#include "tally/address_hash.h"

#include <math.h>
#include <string.h>

enum { NO_SLOT = 255, FRAGMENTS_SHARE = 20, PAST_SYN_MAX = 1 << 24 };
enum { TOLD_SOON = 3 }; /* ticks */
enum { STIRRING_SLOTS = 4 }; /* the others are for what is named later */

void tracer_begin(struct tracer *t, const char *incident, wd_wall at)
{
	memset(t, 0, sizeof(*t));
	(void)text_copy(t->incident, sizeof(t->incident), incident);
	t->begin_ns = t->end_ns = at.ns;
	t->step_ns = WD_NS_PER_S;
	t->record_stride = 1;
	t->sampling = 1;
}

/* What a caller worked out, if it is an amount. */
static double amount(double x)
{
	return isfinite(x) && x > 0 ? x : 0;
}

static wd_span width_of(const struct traffic_tick *tick)
{
	return tick->width.ns > 0 ? tick->width : (wd_span){TRAFFIC_TICK_NS};
}

/* ---- slots ---- */

static struct tracer_slot *slot_of(struct tracer *t, uint8_t class)
{
	for (uint32_t i = 0; i < t->slot_count; i++) {
		if (t->slots[i].class == class)
			return &t->slots[i];
	}
	return NULL;
}

static struct tracer_slot *slot_open(struct tracer *t, uint8_t class, int64_t first_ns)
{
	struct tracer_slot *s = slot_of(t, class);
	if (s != NULL || t->slot_count == TRACER_SLOTS)
		return s;
	s = &t->slots[t->slot_count++];
	*s = (struct tracer_slot){.class = class, .first_ns = first_ns, .last_ns = first_ns};
	return s;
}

static uint8_t heaviest_class(const struct traffic_tick *tick)
{
	uint8_t best = 0;
	for (uint8_t i = 1; i < VECTOR_CLASSES_MAX; i++)
		best = tick->in[i].packets > tick->in[best].packets ? i : best;
	return best;
}

/* What may be named soon is counted from now on, the heaviest first: a short flood would lose much
 * with its first tick. */
static void open_stirring(struct tracer *t, const struct tracer_input *in)
{
	while (t->slot_count < STIRRING_SLOTS) {
		int best = -1;
		for (int i = 0; i < VECTOR_CLASSES_MAX; i++) {
			bool stirs = in->stirring[i / 64] >> (i % 64) & 1;
			if (stirs && slot_of(t, (uint8_t)i) == NULL &&
			    (best < 0 || in->tick->in[i].packets > in->tick->in[best].packets))
				best = i;
		}
		if (best < 0 || in->tick->in[best].packets == 0)
			return;
		(void)slot_open(t, (uint8_t)best, in->tick->at.ns);
	}
}

static void sink(struct tracer_place *heap, uint32_t count, uint32_t i)
{
	for (;;) {
		uint32_t least = i, left = 2 * i + 1;
		if (left < count && heap[left].priority < heap[least].priority)
			least = left;
		if (left + 1 < count && heap[left + 1].priority < heap[least].priority)
			least = left + 1;
		if (least == i)
			return;
		struct tracer_place kept = heap[i];
		heap[i] = heap[least];
		heap[least] = kept;
		i = least;
	}
}

/* What the sample showed of the class before was of others, too. */
static void begin_alone(struct tracer *t, struct tracer_slot *s)
{
	uint8_t slot = (uint8_t)(s - t->slots);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->bucket_count; i++) {
		struct tracer_bucket *b = &t->buckets[i];
		if (b->slot == slot)
			memset(&b->profile, 0, sizeof(b->profile));
	}
	for (uint32_t i = 0; i < t->place_count; i++) {
		if (t->places[i].slot != slot)
			t->places[kept++] = t->places[i];
	}
	t->place_count = kept;
	for (uint32_t i = kept / 2; i-- > 0;)
		sink(t->places, kept, i);
	kept = 0;
	for (uint32_t i = 0; i < t->record_count; i++) {
		if (t->evidence[i].record.class != s->class)
			t->evidence[kept++] = t->evidence[i];
	}
	t->record_count = kept;
}

static void flood_slot(struct tracer *t, struct tracer_slot *s, const struct tracer_class *c)
{
	s->alone = s->alone_ticks > 0 || (c->alone && s->usual_ticks <= 0);
	if (s->alone && s->alone_ticks <= 0)
		begin_alone(t, s);
	s->alone_ticks += s->alone;
	s->flooded = true;
	s->usual_packets_per_s += amount(c->usual_packets_per_s);
	s->usual_bits_per_s += amount(c->usual_bits_per_s);
	s->usual_ticks++;
	s->new_names += c->new_names;
}

static void open_slots(struct tracer *t, const struct vector_index *ix,
		       const struct tracer_input *in)
{
	const struct traffic_tick *tick = in->tick;
	int64_t end_ns = tick->at.ns + tick->width.ns;
	uint8_t fragment = ix->classes->fragment;
	double packets = 0;

	for (uint32_t i = 0; i < t->slot_count; i++)
		t->slots[i].alone = false;
	for (size_t i = 0; i < in->class_count; i++) {
		const struct tracer_class *c = &in->classes[i];
		if (c->class >= VECTOR_CLASSES_MAX)
			continue;
		struct tracer_slot *s = slot_open(t, c->class, c->began.ns);
		if (s == NULL)
			continue;
		flood_slot(t, s, c);
		s->last_ns = end_ns > s->last_ns ? end_ns : s->last_ns;
	}
	open_stirring(t, in);
	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++)
		packets += (double)tick->in[i].packets;
	if (t->slot_count == 0 && packets > 0)
		(void)slot_open(t, heaviest_class(tick), tick->at.ns);
	/* Fragments belong to whatever floods: kept from the time that they are not few. */
	if ((double)tick->in[fragment].packets * FRAGMENTS_SHARE > packets) {
		struct tracer_slot *s = slot_open(t, fragment, tick->at.ns);
		if (s != NULL)
			s->last_ns = end_ns > s->last_ns ? end_ns : s->last_ns;
	}
}

static void merge_sources(struct tracer_slot *s, const struct traffic_tick *tick)
{
	for (size_t i = 0; i < TRAFFIC_CLASS_SOURCES; i++) {
		if (tick->class_of[i] == s->class + 1) {
			hll_merge(s->sources, tick->class_sources[i], TRAFFIC_CLASS_BITS);
			return;
		}
	}
	s->sources_lost |= tick->in[s->class].packets > 0;
}

static void add_peaks(struct tracer_slot *s, const struct traffic_tick *tick, double packets,
		      double bits, const struct traffic_sum *fragments)
{
	const double came[SECOND_VALUES] = {packets, bits, packets + (double)fragments->packets,
					    bits + 8 * (double)fragments->bytes};
	double per_s[SECOND_VALUES];

	second_add(&s->second, tick->at, width_of(tick), came, SECOND_VALUES, per_s);
	s->peak_packets_per_s = fmax(s->peak_packets_per_s, per_s[0]);
	s->peak_bits_per_s = fmax(s->peak_bits_per_s, per_s[1]);
	s->peak_fragments_per_s = fmax(s->peak_fragments_per_s, per_s[2]);
	s->peak_fragment_bits_per_s = fmax(s->peak_fragment_bits_per_s, per_s[3]);
}

/* Of the tick before it is told what was not answered, but not of the first ones. If it floods soon
 * after it can be told, it did before. */
static void add_alone(struct tracer_slot *s, const struct traffic_tick *tick, double packets)
{
	struct talk_alone alone = talk_alone_of(&tick->talk, s->class);

	if (s->alone && s->last_packets > 0) {
		s->alone_packets += (double)alone.packets;
		s->alone_bytes += (double)alone.bytes;
		s->beside_packets += s->last_packets;
	} else if (s->alone_ticks <= 0) {
		s->told += s->told < TOLD_SOON && tick->talk.unit > 0;
		s->before_packets = s->told < TOLD_SOON ? s->before_packets + s->last_packets : 0;
	}
	s->last_packets = packets;
}

static void add_sums(struct tracer *t, const struct vector_index *ix,
		     const struct traffic_tick *tick)
{
	const struct traffic_sum *fragments = &tick->in[ix->classes->fragment];

	for (uint32_t i = 0; i < t->slot_count; i++) {
		struct tracer_slot *s = &t->slots[i];
		const struct traffic_sum *in = &tick->in[s->class];
		double packets = (double)in->packets, bits = 8 * (double)in->bytes;
		s->packets += packets;
		s->bytes += (double)in->bytes;
		s->records += (double)in->records;
		s->seen += (double)in->seen;
		s->asked += (double)tick->out[s->class].packets;
		add_alone(s, tick, packets);
		add_peaks(s, tick, packets, bits, fragments);
		merge_sources(s, tick);
	}
	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++) {
		const struct traffic_sum *in = &tick->in[i];
		t->packets += (double)in->packets;
		t->bytes += (double)in->bytes;
		t->records += (double)in->records;
		if (in->seen > 0)
			t->sampling = fmax(t->sampling, (double)in->packets / (double)in->seen);
	}
	hll_merge(t->sources, tick->sources, TRAFFIC_SOURCES_BITS);
	hll_merge(t->targets, tick->targets, TRAFFIC_TARGETS_BITS);
}

/* ---- the series ---- */

/* Of the last point's ticks together. */
static float last_sources(const struct tracer *t)
{
	return fmaxf(t->points[t->point_count - 1].sources,
		     (float)hll_estimate(t->point_sources, TRAFFIC_SOURCES_BITS));
}

static void halve_points(struct tracer *t)
{
	for (size_t i = 0; i < TRACE_POINTS_MAX; i++) {
		struct tracer_sums sum = {0};
		for (size_t k = 2 * i; k < 2 * i + 2 && k < t->point_count; k++) {
			const struct tracer_sums *p = &t->points[k];
			sum.packets += p->packets;
			sum.bits += p->bits;
			sum.records += p->records;
			sum.requests += p->requests;
			sum.usual_packets += p->usual_packets;
			sum.usual_bits += p->usual_bits;
			sum.ticks += p->ticks;
			/* Of two halves no more is known than that it was at least this. */
			sum.sources = fmaxf(sum.sources, p->sources);
			for (size_t s = 0; s < TRACER_SLOTS; s++) {
				sum.slot_packets[s] += p->slot_packets[s];
				sum.slot_bits[s] += p->slot_bits[s];
			}
		}
		t->points[i] = sum;
	}
	t->point_count = (t->point_count + 1) / 2;
	t->step_ns *= 2;
}

/* The point that a tick at this time belongs to. */
static struct tracer_sums *point_at(struct tracer *t, int64_t at_ns)
{
	int64_t since = at_ns > t->begin_ns ? at_ns - t->begin_ns : 0;
	while (since / t->step_ns >= TRACE_POINTS_MAX && t->step_ns < INT64_MAX / 2)
		halve_points(t);
	uint32_t i = (uint32_t)(since / t->step_ns);
	if (i >= t->point_count) {
		if (t->point_count > 0)
			t->points[t->point_count - 1].sources = last_sources(t);
		t->point_count = i + 1;
		memset(t->point_sources, 0, sizeof(t->point_sources));
	}
	return &t->points[i];
}

static void add_point(struct tracer *t, const struct tracer_input *in)
{
	const struct traffic_tick *tick = in->tick;
	struct tracer_sums *p = point_at(t, tick->at.ns);

	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++) {
		p->packets += (float)tick->in[i].packets;
		p->bits += 8 * (float)tick->in[i].bytes;
		p->records += (float)tick->in[i].records;
	}
	for (uint32_t i = 0; i < t->slot_count; i++) {
		const struct traffic_sum *sum = &tick->in[t->slots[i].class];
		p->slot_packets[i] += (float)sum->packets;
		p->slot_bits[i] += 8 * (float)sum->bytes;
	}
	p->requests += (float)amount(in->requests);
	p->usual_packets += (float)amount(in->usual_packets_per_s);
	p->usual_bits += (float)amount(in->usual_bits_per_s);
	p->ticks++;
	if (p == &t->points[t->point_count - 1])
		hll_merge(t->point_sources, tick->sources, TRAFFIC_SOURCES_BITS);
}

/* ---- the sample ---- */

static struct tracer_bucket *bucket_of(struct tracer *t, uint8_t slot, uint8_t row)
{
	struct tracer_bucket *first = NULL;
	for (uint32_t i = 0; i < t->bucket_count; i++) {
		struct tracer_bucket *b = &t->buckets[i];
		if (b->slot == slot && b->row == row)
			return b;
		first = first == NULL && b->slot == slot ? b : first;
	}
	if (t->bucket_count == TRACER_BUCKETS) {
		t->samples_dropped++;
		return first;
	}
	struct tracer_bucket *b = &t->buckets[t->bucket_count++];
	memset(b, 0, sizeof(*b));
	b->slot = slot;
	b->row = row;
	return b;
}

static void raise_threshold(struct tracer *t, float threshold)
{
	t->place_threshold = fmaxf(t->place_threshold, threshold);
	while (t->place_count > 0 && t->places[0].priority <= t->place_threshold) {
		t->places[0] = t->places[--t->place_count];
		sink(t->places, t->place_count, 0);
	}
}

static void add_place(struct tracer *t, const struct traffic_record *r, uint8_t slot,
		      const struct tracer_bucket *bucket)
{
	struct tracer_place place = {.packets = r->packets, .bytes = r->bytes,
				     .priority = r->priority, .as = r->src_as,
				     .family = r->family, .slot = slot,
				     .bucket = bucket == NULL ? TRACER_NO_BUCKET
							      : (uint8_t)(bucket - t->buckets)};
	memcpy(place.address, r->src, sizeof(place.address));
	if (!(place.priority > t->place_threshold))
		return;
	if (t->place_count == TRACER_PLACES) {
		raise_threshold(t, fminf(place.priority, t->places[0].priority));
		if (!(place.priority > t->place_threshold))
			return;
	}
	uint32_t i = t->place_count++;
	while (i > 0 && t->places[(i - 1) / 2].priority > place.priority) {
		t->places[i] = t->places[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	t->places[i] = place;
}

/* One of every so many; when it is full, every other one goes. */
static void add_evidence(struct tracer *t, const struct traffic_record *r, int64_t at_ns)
{
	if (t->record_number++ % t->record_stride != 0)
		return;
	if (t->record_count == TRACE_EVIDENCE_MAX) {
		for (uint32_t i = 0; i < TRACE_EVIDENCE_MAX / 2; i++)
			t->evidence[i] = t->evidence[2 * i];
		t->record_count = TRACE_EVIDENCE_MAX / 2;
		t->record_stride = t->record_stride < 1U << 30 ? t->record_stride * 2
							       : t->record_stride;
	}
	t->evidence[t->record_count++] = (struct tracer_record){at_ns, *r};
}

static uint64_t hash_flow(const struct traffic_record *r)
{
	uint64_t words[4];
	memcpy(words, r->src, 16);
	memcpy(words + 2, r->dst, 16);
	uint64_t h = (uint64_t)r->sport << 16 | r->dport;
	for (size_t i = 0; i < 4; i++)
		h = hash_mix(h ^ words[i]);
	return h | 1;
}

/* A SYN is kept; a later packet whose sequence number goes on from it belongs to a connection
 * that somebody really holds at that address. */
static bool continues(struct tracer *t, const struct traffic_record *r)
{
	if (r->protocol != 6 || (r->known & FLOW_PACKET) == 0)
		return false;
	uint64_t flow = hash_flow(r);
	struct tracer_opening *o = &t->openings[flow % TRACER_OPENINGS];
	if ((r->tcp_flags & (FLOW_TCP_SYN | FLOW_TCP_ACK | FLOW_TCP_RST)) == FLOW_TCP_SYN) {
		*o = (struct tracer_opening){flow, r->sequence};
		return false;
	}
	uint32_t past = r->sequence - o->sequence;
	return (r->tcp_flags & FLOW_TCP_ACK) != 0 && o->flow == flow && past >= 1 &&
	       past < PAST_SYN_MAX;
}

static void add_samples(struct tracer *t, const struct vector_index *ix,
			const struct tracer_input *in)
{
	const struct traffic_tick *tick = in->tick;
	uint8_t slots[VECTOR_CLASSES_MAX];
	uint32_t count = tick->sample_count < TRAFFIC_SAMPLES ? tick->sample_count
							      : TRAFFIC_SAMPLES;
	uint8_t odd =
		ix->classes->tcp[FLOW_TCP_PSH]; /* flags that no connection has in one packet */

	memset(slots, NO_SLOT, sizeof(slots));
	for (uint32_t i = 0; i < t->slot_count; i++)
		slots[t->slots[i].class] = (uint8_t)i;
	raise_threshold(t, tick->threshold);
	for (uint32_t i = 0; i < count; i++) {
		const struct traffic_record *r = &tick->sample[i];
		double weight = (double)traffic_stands_for(tick, r);
		uint8_t slot = slots[r->class % VECTOR_CLASSES_MAX];
		bool goes_on = continues(t, r);
		if (slot == NO_SLOT || !(weight > 0 && weight < 1e30))
			continue;
		struct tracer_slot *s = &t->slots[slot];
		if (s->alone_ticks > 0 && !r->alone)
			continue;
		if (r->protocol == 6 && (r->known & FLOW_PACKET) != 0)
			s->tcp += weight;
		s->continued += goes_on ? weight : 0;
		s->first_fragments |= r->fragment == FLOW_FRAGMENT_FIRST;
		struct tracer_bucket *b = bucket_of(t, slot, vector_match(ix, r));
		if (b != NULL)
			profile_add(&b->profile, r, weight, r->class != odd);
		if (in->key != NULL)
			who_add(&t->who, address_hash(in->key, r->src, r->family),
				(uint8_t)(1U << slot));
		add_place(t, r, slot, b);
		add_evidence(t, r, tick->at.ns);
	}
}

void tracer_add(struct tracer *t, const struct vector_index *ix, const struct tracer_input *in)
{
	const struct traffic_tick *tick = in->tick;
	int64_t end_ns = tick->at.ns + tick->width.ns;

	t->end_ns = end_ns > t->end_ns ? end_ns : t->end_ns;
	t->requests += amount(in->requests);
	t->patterns |= in->carpet ? PATTERN_CARPET : 0;
	t->patterns |= in->pulse ? PATTERN_PULSE : 0;
	open_slots(t, ix, in);
	add_sums(t, ix, tick);
	add_point(t, in);
	add_samples(t, ix, in);
}

void tracer_sources(const struct tracer *t, struct source_set *ret)
{
	uint8_t flooded = 0;
	for (uint32_t i = 0; i < t->slot_count; i++)
		flooded |= (uint8_t)(t->slots[i].flooded << i);
	who_of(&t->who, flooded, ret);
}
