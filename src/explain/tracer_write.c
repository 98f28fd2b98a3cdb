/* SPDX-License-Identifier: Apache-2.0 */
/* tracer: from what was added up to the trace. */
#include "explain/place.h"
#include "explain/record_line.h"
#include "explain/source.h"
#include "explain/tracer.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NEW_NAMES_TICKS = 2 };
#define PURE 0.9         /* share of a class from which its counts are the bucket's */
#define ALMOST_PURE 0.98 /* … from which they are all of it, within a sample's error */
#define NEW_NAMES 0.3    /* share of the ticks in which such names were seen to flood */
#define FEW 16.0         /* sources that a sample shows all of */
#define JOINED_ALONG 0.7 /* share of the sources of what comes along with answers */
#define JOINED 0.3       /* share of the fragments' sources that also sent first fragments */
#define JOINED_TOO 0.15  /* … of a second vector, which then has a part of them; of those that a
			  * sampled recording shows, which has seen of few sources both */
#define ATTACK_MIN 0.15  /* share of the class that is at least taken as above usual */
#define OF_THE_TIME 0.05 /* share of the longest vector's ticks: less is chance */
#define OF_ATTACK 0.4    /* share of that from which a telling bucket names the class */

/* A slot and what it turned out to be. */
struct named {
	uint8_t slot;
	uint32_t slots;  /* bits: with the fragments that belong to it, and its other classes */
	uint32_t fragments; /* the fragments' alone: in `slots` too if all of them are its */
	double part;        /* of the fragments */
	double few;         /* its sources in the sample, of a class with others too; else < 0 */
	uint8_t only;       /* of its own slot this bucket; TRACER_NO_BUCKET: all of it */
	const struct tracer_bucket *bucket;
	const struct vector_row *row;
	struct source_finding found;
	double packets, bytes;
};

static double attack_share(const struct tracer_slot *s)
{
	double seconds = (double)(s->last_ns - s->first_ns) / WD_NS_PER_S;
	double usual = s->usual_ticks > 0 ? s->usual_packets_per_s / s->usual_ticks : 0;
	double rate = seconds > 0 ? s->packets / seconds : 0;
	return rate > usual ? fmax(ATTACK_MIN, 1 - usual / rate) : ATTACK_MIN;
}

/* Is it only what nobody answers that floods? */
static bool is_alone(const struct tracer_slot *s)
{
	return s->alone_ticks > 0 && s->beside_packets > 0;
}

/* Of the class's packets, as many as flood. */
static double own_share(const struct tracer_slot *s)
{
	if (!is_alone(s) || s->packets <= 0)
		return 1;
	double untold = s->before_packets + (s->alone ? s->last_packets : 0);
	double packets = s->alone_packets * (1 + untold / s->beside_packets);
	return fmin(1, packets / s->packets);
}

/* A bucket that usual traffic does not fill: a sign that honest clients do not show. */
static bool telling(const struct vector_index *ix, const struct tracer_bucket *b)
{
	if (b->row == VECTOR_NONE || b->row >= ix->book->count)
		return false;
	const struct vector_row *row = &ix->book->rows[b->row];
	return (row->signs & SIGNS_OF_RECORDS & ~(SIGN_OPTIONS | SIGN_NO_DATA)) != 0 ||
	       (row->payload_len > 0 && row->from_count == 0);
}

/* Named by its content among what has other ports: the rest of the class is something else. */
static bool elsewhere(const struct vector_index *ix, const struct tracer_bucket *b, uint8_t class)
{
	return b->row != VECTOR_NONE && b->row < ix->book->count &&
	       ix->book->rows[b->row].any_port && ix->class_of[b->row] != class;
}

/* The heaviest, or a telling one that could be most of what is above usual. */
static const struct tracer_bucket *main_bucket(const struct tracer *t,
					       const struct vector_index *ix, uint8_t slot,
					       double *ret_share)
{
	const struct tracer_bucket *heaviest = NULL, *tells = NULL;
	double weight = 0;

	for (uint32_t i = 0; i < t->bucket_count; i++) {
		const struct tracer_bucket *b = &t->buckets[i];
		if (b->slot != slot)
			continue;
		weight += b->profile.weight;
		if (heaviest == NULL || b->profile.weight > heaviest->profile.weight)
			heaviest = b;
		if (telling(ix, b) &&
		    (tells == NULL || b->profile.weight > tells->profile.weight))
			tells = b;
	}
	if (tells != NULL &&
	    tells->profile.weight >= OF_ATTACK * attack_share(&t->slots[slot]) * weight)
		heaviest = tells;
	*ret_share = heaviest == NULL ? 0 : profile_share(heaviest->profile.weight, weight);
	return heaviest;
}

static double slot_sources(const struct tracer_slot *s)
{
	return s->sources_lost ? -1 : hll_estimate(s->sources, TRAFFIC_CLASS_BITS);
}

static void name_slot(const struct tracer *t, const struct vector_index *ix, uint8_t slot,
		      struct named *n)
{
	const struct tracer_slot *s = &t->slots[slot];
	double share;

	*n = (struct named){.slot = slot, .slots = 1U << slot, .packets = s->packets,
			    .bytes = s->bytes, .few = -1, .only = TRACER_NO_BUCKET};
	n->bucket = main_bucket(t, ix, slot, &share);
	if (n->bucket == NULL) {
		n->found = (struct source_finding){.octet_entropy = -1, .hop_entropy = -1};
		(void)text_copy(n->found.why, sizeof(n->found.why), "no record was sampled");
		n->row = ix->general[s->class] == VECTOR_NONE
				 ? NULL
				 : &ix->book->rows[ix->general[s->class]];
		return;
	}
	const struct profile *p = &n->bucket->profile;
	bool alone = is_alone(s);
	n->packets *= own_share(s);
	if (alone && s->alone_packets > 0)
		n->bytes = n->packets * s->alone_bytes / s->alone_packets;
	struct source_facts facts = {.profile = p, .packets = s->packets, .seen = s->seen,
				     .sources = slot_sources(s), .asked = s->asked,
				     .acknowledged = profile_share(s->continued, s->tcp)};
	facts.new_names = s->new_names >= NEW_NAMES_TICKS &&
			  s->new_names >= NEW_NAMES * s->usual_ticks;
	if (share < PURE || alone) { /* the class holds others too: what the sample alone shows */
		facts.packets = p->weight;
		facts.seen = p->records;
		facts.sources = hll_estimate(p->sources, PROFILE_BITS);
	}
	bool among = elsewhere(ix, n->bucket, s->class);
	if (share < ALMOST_PURE && (among || telling(ix, n->bucket))) { /* the rest is another's */
		n->packets *= share;
		n->bytes *= share;
		n->only = (uint8_t)(n->bucket - t->buckets);
		n->few = hll_estimate(p->sources, PROFILE_BITS);
		facts.sources = n->few <= FEW ? n->few : facts.sources;
	}
	if (among) /* the rest may be what the service sent so much for */
		facts.asked = fmax(0, s->asked - (1 - share) * s->packets);
	/* Once for the signs that rows ask for, then with the row that they lead to. */
	source_judge(&facts, &n->found);
	n->row = vector_refine(ix, s->class, n->bucket->row, p, &n->found);
	facts.row = n->row;
	source_judge(&facts, &n->found);
}

/* ---- fragments ---- */

/* The share of the fragments' sources that are sources of the slot too. */
static double shared_sources(const struct tracer_slot *fragments, const struct tracer_slot *s)
{
	uint8_t both[1 << TRAFFIC_CLASS_BITS];
	double a = slot_sources(fragments), b = slot_sources(s);
	if (a <= 0 || b <= 0)
		return 0;
	memcpy(both, fragments->sources, sizeof(both));
	hll_merge(both, s->sources, TRAFFIC_CLASS_BITS);
	return (a + b - hll_estimate(both, TRAFFIC_CLASS_BITS)) / a;
}

/* Of later fragments, the share that are from sources of this one; 0 if they cannot be its. */
static double claim(const struct tracer *t, const struct named *n,
		    const struct tracer_slot *fragments)
{
	const struct tracer_slot *s = &t->slots[n->slot];
	bool fits = s != fragments &&
		    (s->first_fragments ||
		     (n->row != NULL && n->row->family == VECTOR_AMPLIFICATION));
	return fits ? shared_sources(fragments, s) : 0;
}

static void give(struct named *n, const struct tracer_slot *fragments, uint32_t slots, double part)
{
	n->fragments = slots;
	n->part = part;
	n->packets += part * fragments->packets;
	n->bytes += part * fragments->bytes;
}

/* Two vectors with first fragments, each from sources of its own: each has as many later ones as
 * its share of the first ones. False: there is no second one. */
static bool give_parts(const struct tracer *t, struct named *list, uint32_t count,
		       const double claims[TRACER_SLOTS], const struct tracer_slot *fragments,
		       uint32_t slots)
{
	double weight[TRACER_SLOTS] = {0}, all = 0;
	uint32_t claimants = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct tracer_slot *s = &t->slots[list[i].slot];
		if (claims[i] < JOINED_TOO || !s->first_fragments)
			continue;
		double share = claims[i] * slot_sources(fragments) / slot_sources(s);
		weight[i] = s->packets * fmin(share, 1);
		all += weight[i];
		claimants++;
	}
	if (claimants < 2)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (weight[i] > 0)
			give(&list[i], fragments, slots, weight[i] / all);
	}
	return true;
}

/* Joins later fragments with what their first ones are; returns how many are left. */
static uint32_t join_fragments(const struct tracer *t, const struct vector_index *ix,
			       struct named *list, uint32_t count)
{
	double claims[TRACER_SLOTS] = {0};
	uint32_t f = 0, best = 0;
	while (f < count && t->slots[list[f].slot].class != ix->classes->fragment)
		f++;
	if (f == count)
		return count;
	const struct tracer_slot *fragments = &t->slots[list[f].slot];
	uint32_t slots = list[f].slots;
	for (uint32_t i = 0; i < count; i++) {
		claims[i] = claim(t, &list[i], fragments);
		best = claims[i] > claims[best] ? i : best;
	}
	if (claims[best] <= (t->sampling > 1 ? JOINED_TOO : JOINED))
		return count;
	if (!give_parts(t, list, count, claims, fragments, slots)) {
		give(&list[best], fragments, slots, 1);
		list[best].slots |= slots;
	}
	memmove(&list[f], &list[f + 1], (count - f - 1) * sizeof(*list));
	return count - 1;
}

/* ---- what is one ---- */

static uint32_t take_in(struct named *list, uint32_t count, uint32_t i, uint32_t k)
{
	list[i].slots |= list[k].slots;
	list[i].fragments |= list[k].fragments;
	list[i].part += list[k].part;
	list[i].packets += list[k].packets;
	list[i].bytes += list[k].bytes;
	memmove(&list[k], &list[k + 1], (--count - k) * sizeof(*list));
	return count;
}

/* Whoever was made to answer goes on: who sent a SYN-ACK in vain resets the connection, and
 * routers on the way report errors. No vector of their own, if their sources are those of it. */
static bool comes_along(const struct tracer *t, const struct vector_index *ix,
			const struct named *with, const struct named *what)
{
	const struct tracer_slot *s = &t->slots[what->slot];
	uint8_t rst = ix->classes->tcp[FLOW_TCP_RST], error = ix->classes->icmp4[3];

	return with->found.status == SOURCE_REFLECTOR && what->packets < with->packets &&
	       (s->class == rst || s->class == error) &&
	       shared_sources(s, &t->slots[with->slot]) >= JOINED_ALONG;
}

/* One vector may come in several classes: an amplifier that answers from other ports, too. */
static bool is_one(const struct named *a, const struct named *b)
{
	return a->row != NULL && b->row == a->row && b->found.status == a->found.status;
}

/* The list is sorted: the heaviest says how it looks. */
static uint32_t join_classes(const struct tracer *t, const struct vector_index *ix,
			     struct named *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = i + 1; k < count;) {
			if (is_one(&list[i], &list[k]) || comes_along(t, ix, &list[i], &list[k]))
				count = take_in(list, count, i, k);
			else
				k++;
		}
	}
	return count;
}

/* ---- one vector ---- */

static void put_sources(const struct tracer *t, const struct named *n, struct trace_vector *v)
{
	uint8_t sources[1 << TRAFFIC_CLASS_BITS] = {0};
	bool lost = false;

	for (uint32_t i = 0; i < t->slot_count; i++) {
		if ((n->slots >> i & 1) == 0)
			continue;
		lost |= t->slots[i].sources_lost || is_alone(&t->slots[i]); /* others are there */
		hll_merge(sources, t->slots[i].sources, TRAFFIC_CLASS_BITS);
	}
	double count = hll_estimate_part(sources, TRAFFIC_CLASS_BITS, t->sources,
					 TRAFFIC_SOURCES_BITS, &v->sources_error);
	v->sources = lost ? -1 : count;
	if (n->few >= 0 && n->few <= FEW) {
		v->sources = n->few;
		v->sources_error = (float)hll_error(PROFILE_BITS);
	}
}

/* Of the sampled sources the share that the weeks before did not have. */
static float new_share(const struct who *w, uint8_t slot, const struct source_memory *memory)
{
	uint64_t known = 0, count = 0;
	if (memory == NULL)
		return -1;
	for (uint32_t i = 0; i < w->set.count; i++) {
		if ((w->slots[i] >> slot & 1) == 0)
			continue;
		known += source_memory_has(memory, w->set.hashes[i]);
		count++;
	}
	return (float)source_memory_new_share(memory, known, count);
}

/* Times and rates of one of its classes. Peaks are added: they are of one attack. */
static void put_class(const struct tracer_slot *s, double part, struct trace_vector *v)
{
	double fragments = s->peak_fragments_per_s - s->peak_packets_per_s;
	double bits = s->peak_fragment_bits_per_s - s->peak_bits_per_s;

	v->first_at.ns = s->first_ns < v->first_at.ns ? s->first_ns : v->first_at.ns;
	v->last_at.ns = s->last_ns > v->last_at.ns ? s->last_ns : v->last_at.ns;
	v->usual_packets_per_s +=
		s->usual_ticks > 0 ? s->usual_packets_per_s / s->usual_ticks : 0;
	v->peak_packets_per_s += own_share(s) * s->peak_packets_per_s + part * fragments;
	v->peak_bits_per_s += own_share(s) * s->peak_bits_per_s + part * bits;
}

static void put_vector(const struct tracer *t, const struct named *n, struct trace_vector *v)
{
	const struct tracer_slot *s = &t->slots[n->slot];

	*v = (struct trace_vector){
		.status = n->found.status,
		.first_at.ns = s->first_ns,
		.last_at.ns = s->last_ns,
		.packets = n->packets,
		.bytes = n->bytes,
		.share = t->packets > 0 ? (float)fmin(1, n->packets / t->packets) : 0,
		.octet_entropy = n->found.octet_entropy,
		.hop_entropy = n->found.hop_entropy,
		.new_share = -1,
		.unverified = n->row != NULL && n->row->unverified,
	};
	double seen = 0;
	for (uint32_t i = 0; i < t->slot_count; i++) {
		if ((n->slots >> i & 1) == 0)
			continue;
		v->records += t->slots[i].records;
		seen += t->slots[i].seen;
		if ((n->fragments >> i & 1) == 0)
			put_class(&t->slots[i], i == n->slot ? n->part : 0, v);
	}
	v->seen = seen < 1e18 ? (uint64_t)seen : UINT64_C(1000000000000000000);
	(void)text_copy(v->id, sizeof(v->id), n->row == NULL ? "unknown" : n->row->id);
	(void)text_copy(v->name, sizeof(v->name), n->row == NULL ? "Unknown" : n->row->name);
	(void)text_copy(v->why, sizeof(v->why), n->found.why);
	if (n->bucket != NULL) {
		vector_rule(&n->bucket->profile, v->rule, sizeof(v->rule));
		v->fingerprint = vector_fingerprint(&n->bucket->profile, n->row);
	}
	if (n->fragments != 0) {
		size_t used = strlen(v->rule);
		snprintf(v->rule + used, sizeof(v->rule) - used, ", and its fragments");
	}
	put_sources(t, n, v);
}

/* ---- series, evidence, the whole ---- */

/* Of what is in the slot. */
static float has_part(const struct named *n, uint32_t slot)
{
	if ((n->slots >> slot & 1) != 0)
		return 1;
	return (n->fragments >> slot & 1) != 0 ? (float)n->part : 0;
}

static void put_points(const struct tracer *t, const struct named *list, uint32_t count,
		       struct trace *ret)
{
	float seconds = (float)((double)t->step_ns / WD_NS_PER_S);
	struct trace_point *last = &ret->points[t->point_count > 0 ? t->point_count - 1 : 0];

	ret->begin.ns = t->begin_ns;
	ret->before = t->before;
	ret->step.ns = t->step_ns;
	ret->point_count = t->point_count;
	for (uint32_t i = 0; i < t->point_count; i++) {
		const struct tracer_sums *p = &t->points[i];
		struct trace_point *x = &ret->points[i];
		float ticks = p->ticks > 0 ? p->ticks : 1;
		*x = (struct trace_point){
			.packets_per_s = p->packets / seconds,
			.bits_per_s = p->bits / seconds,
			.records_per_s = p->records / seconds,
			.requests_per_s = p->requests / seconds,
			.sources = p->sources,
			.usual_packets_per_s = p->usual_packets / ticks,
			.usual_bits_per_s = p->usual_bits / ticks,
		};
		for (uint32_t k = 0; k < count && k < 6; k++) {
			for (uint32_t s = 0; s < t->slot_count; s++) {
				float part = has_part(&list[k], s) / seconds *
					     (float)own_share(&t->slots[s]);
				x->vector_packets_per_s[k] += p->slot_packets[s] * part;
				x->vector_bits_per_s[k] += p->slot_bits[s] * part;
			}
		}
	}
	if (t->point_count > 0) /* of the last they are not counted yet */
		last->sources = fmaxf(last->sources, (float)hll_estimate(t->point_sources,
									 TRAFFIC_SOURCES_BITS));
}

static bool has_class(const struct tracer *t, const struct named *n, uint8_t class)
{
	for (uint32_t i = 0; i < t->slot_count; i++) {
		if (((n->slots | n->fragments) >> i & 1) != 0 && t->slots[i].class == class)
			return true;
	}
	return false;
}

/* Is the record of the part of its class that floods? */
static bool is_part(const struct tracer *t, const struct vector_index *ix,
		    const struct places_of *of, const struct traffic_record *r)
{
	for (uint32_t i = 0; i < t->slot_count; i++) {
		uint8_t only = of->only[i];
		if (t->slots[i].class == r->class && only != TRACER_NO_BUCKET)
			return vector_match(ix, r) == t->buckets[only].row;
	}
	return true;
}

static void put_evidence(const struct tracer *t, const struct vector_index *ix,
			 const struct named *list, uint32_t count, const struct places_of *of,
			 struct trace *ret)
{
	for (uint32_t i = 0; i < t->record_count; i++) {
		const struct traffic_record *r = &t->evidence[i].record;
		for (uint32_t k = 0; k < count; k++) {
			if (!has_class(t, &list[k], r->class))
				continue;
			if (is_part(t, ix, of, r))
				record_line(&t->evidence[i], list[k].row,
					    ret->evidence[ret->evidence_count++]);
			break;
		}
	}
}

/* Why no place is shown, by the bits of the statuses that are there. */
static const char *not_mappable(unsigned statuses)
{
	enum { UNKNOWN = 1 << SOURCE_UNKNOWN, REFLECTOR = 1 << SOURCE_REFLECTOR,
	       SPOOFED = 1 << SOURCE_SPOOFED };

	switch (statuses) {
	case REFLECTOR:
		return "the sources are abused third parties; whoever attacks is elsewhere";
	case SPOOFED:
		return "the source addresses are forged and prove nothing";
	case REFLECTOR | SPOOFED:
		return "the sources are abused third parties, or forged; "
		       "whoever attacks is elsewhere";
	case UNKNOWN | REFLECTOR:
		return "the sources are abused third parties, or not known to be real";
	case UNKNOWN | SPOOFED:
		return "the source addresses are forged, or not known to be real";
	case UNKNOWN | REFLECTOR | SPOOFED:
		return "the sources are abused third parties, forged, or not known to be real";
	default:
		return "it is not known whether the source addresses are real";
	}
}

/* Returns the slots whose places are told: of proved addresses alone where there are any. */
static uint32_t put_status(const struct named *list, uint32_t count, struct trace *ret)
{
	uint32_t all = 0, proved = 0;
	unsigned statuses = 0;

	for (uint32_t i = 0; i < count; i++) {
		all |= list[i].slots | list[i].fragments;
		if (list[i].found.status == SOURCE_PROVED)
			proved |= list[i].slots;
		statuses |= 1U << list[i].found.status;
	}
	ret->status = count > 0 ? list[0].found.status : SOURCE_UNKNOWN;
	ret->mappable = proved != 0;
	if (!ret->mappable)
		(void)text_copy(ret->not_mappable, sizeof(ret->not_mappable),
				not_mappable(statuses));
	return ret->mappable ? proved : all;
}

static void heaviest_first(struct named *list, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct named n = list[i];
		uint32_t k = i;
		for (; k > 0 && list[k - 1].packets < n.packets; k--)
			list[k] = list[k - 1];
		list[k] = n;
	}
}

/* Does it flood, or the fragments that are its: of large datagrams most packets are those. */
static bool floods(const struct tracer *t, const struct named *n, double most)
{
	double ticks = 0;
	bool flooded = false;
	for (uint32_t i = 0; i < t->slot_count; i++) {
		if (((n->slots | n->fragments) >> i & 1) == 0)
			continue;
		flooded |= t->slots[i].flooded;
		ticks = fmax(ticks, t->slots[i].usual_ticks);
	}
	return flooded && ticks >= OF_THE_TIME * most;
}

static uint32_t name_all(const struct tracer *t, const struct vector_index *ix, struct named *list,
			 struct places_of *of)
{
	uint32_t count = 0, kept = 0;
	bool any = false;
	double most = 0;
	for (uint32_t i = 0; i < t->slot_count; i++) {
		any |= t->slots[i].flooded;
		most = fmax(most, t->slots[i].usual_ticks);
		of->only[i] = TRACER_NO_BUCKET;
		if (t->slots[i].packets <= 0)
			continue;
		name_slot(t, ix, (uint8_t)i, &list[count]);
		of->only[i] = list[count++].only;
	}
	count = join_fragments(t, ix, list, count);
	for (uint32_t i = 0; i < count; i++) {
		if (!any || floods(t, &list[i], most))
			list[kept++] = list[i];
	}
	count = kept;
	heaviest_first(list, count);
	count = join_classes(t, ix, list, count);
	heaviest_first(list, count);
	return count;
}

void tracer_write(const struct tracer *t, const struct vector_index *ix,
		  const struct tracer_places *places, struct trace *ret)
{
	struct named list[TRACER_SLOTS];
	struct places_of of;
	uint32_t count = name_all(t, ix, list, &of);

	memset(ret, 0, sizeof(*ret));
	(void)text_copy(ret->incident, sizeof(ret->incident), t->incident);
	ret->changed_at.ns = t->end_ns;
	ret->patterns = t->patterns | (count >= 2 ? PATTERN_MULTI : 0);
	ret->sampling = t->sampling < 1e9 ? (uint32_t)lround(t->sampling) : 1000000000;
	ret->packets = t->packets;
	ret->bytes = t->bytes;
	ret->records = t->records;
	ret->requests = t->requests;
	ret->sources = hll_estimate(t->sources, TRAFFIC_SOURCES_BITS);
	ret->sources_error = (float)hll_error(TRAFFIC_SOURCES_BITS);
	ret->targets = (uint32_t)lround(hll_estimate(t->targets, TRAFFIC_TARGETS_BITS));
	for (uint32_t i = 0; i < count; i++) {
		put_vector(t, &list[i], &ret->vectors[i]);
		ret->vectors[i].new_share = new_share(
			&t->who, list[i].slot, places == NULL ? NULL : places->memory);
	}
	ret->vector_count = count;
	put_points(t, list, count, ret);
	put_evidence(t, ix, list, count, &of, ret);
	of.slots = put_status(list, count, ret);
	places_count(t, &of, places, ret);
}
