/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/sflow.h"

#include "base/wire.h"
#include "decode/packet_plain.h"
#include "decode/sflow_records.h"
#include "decode/sflow_seats.h"

#include <stdlib.h>
#include <string.h>

enum {
	SFLOW_VERSION = 5,

	SAMPLE_FLOW = 1,
	SAMPLE_COUNTERS = 2,
	SAMPLE_FLOW_EXPANDED = 3,
	SAMPLE_COUNTERS_EXPANDED = 4,
	SAMPLE_DROPPED = 5,

	COUNTERS_INTERFACE = 1,
	COUNTERS_INTERFACE_LEN = 88,

	OUTPUT_DISCARDED = 1,
};

/* Compared and hashed as bytes: without padding. */
struct agent_id {
	uint8_t sender[16], agent[16];
	uint32_t sub_agent;
	uint8_t sender_family, agent_family, zero[2];
};
_Static_assert(sizeof(struct agent_id) == 40, "no padding");

struct sflow {
	struct sflow_counts counts;
	struct agent_id id; /* of the last datagram, and its key: mostly the next one's */
	uint64_t id_key;
	struct sflow_seats seats;
	struct hash_key key;
	const struct packet_options *packet;
};

/* One datagram on its way through. */
struct decoding {
	struct sflow *s;
	wd_wall now;
	struct plain_time at; /* the same, as flows have it */
	struct flow *next, *end; /* room for flows */
	uint64_t agent_key;
	bool broken; /* something was */
};

/* The part of a flow sample ahead of its records. */
struct sample {
	uint32_t sequence, type, index, sampling, pool, drops;
	uint32_t input, output; /* interfaces */
	uint32_t records;
	bool dropped;
};

enum wd_err sflow_open(const struct sflow_limits *limits, const struct hash_key *key,
		       struct sflow **ret_s)
{
	struct sflow *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return WD_NOMEM;
	s->key = *key;
	enum wd_err err = sflow_seats_open(&s->seats, limits->sources);
	if (err != WD_OK) {
		sflow_close(s);
		return err;
	}
	*ret_s = s;
	return WD_OK;
}

size_t sflow_memory(const struct sflow_limits *limits)
{
	return sizeof(struct sflow) + sflow_seats_memory(limits->sources);
}

void sflow_close(struct sflow *s)
{
	if (s == NULL)
		return;
	sflow_seats_done(&s->seats);
	free(s);
}

void sflow_set_packet_options(struct sflow *s, const struct packet_options *options)
{
	s->packet = options;
}

struct sflow_counts sflow_counts(const struct sflow *s)
{
	struct sflow_counts counts = s->counts;
	counts.seats_taken_over = s->seats.taken_over;
	return counts;
}

void sflow_each(const struct sflow *s,
		void (*each)(void *context, const struct sflow_source *source), void *context)
{
	size_t count = ((size_t)s->seats.mask + 1) * SFLOW_SEATS_A_SET;
	for (size_t i = 0; i < count; i++)
		if (s->seats.keys[i] != 0 && !s->seats.seats[i].is_agent)
			each(context, &s->seats.seats[i].source);
}

static uint64_t key_of(const struct decoding *d, uint32_t type, uint32_t index)
{
	uint64_t id = ((uint64_t)type << 32 | index) + 1;
	return hash_mix(d->agent_key ^ id);
}

/* Does the agent send samples of this data source's packets? */
static bool is_sampled(const struct decoding *d, uint32_t type, uint32_t index)
{
	const struct sflow_seat *seat = sflow_seat_find(&d->s->seats, key_of(d, type, index));
	return seat != NULL && seat->source.sampling != 0;
}

/* What is known of a data source, or of the agent itself, at first. */
static __attribute__((noinline)) void source_begin(const struct decoding *d, uint32_t type,
						   uint32_t index, struct sflow_source *ret)
{
	const struct agent_id *id = &d->s->id;
	*ret = (struct sflow_source){
		.sender_family = id->sender_family, .agent_family = id->agent_family,
		.sub_agent = id->sub_agent, .type = type, .index = index,
	};
	memcpy(ret->sender, id->sender, sizeof(ret->sender));
	memcpy(ret->agent, id->agent, sizeof(ret->agent));
}

static inline struct sflow_seat *seat_of(struct decoding *d, uint32_t type, uint32_t index)
{
	bool is_new;
	struct sflow_seat *seat = sflow_seat_of(&d->s->seats, key_of(d, type, index), &is_new);
	if (__builtin_expect(is_new, 0))
		source_begin(d, type, index, &seat->source);
	seat->source.seen = d->now;
	return seat;
}

/* A number that is not the next one. False: it is late, and the source's counters have been further
 * on already. */
static __attribute__((noinline)) bool samples_jump(struct decoding *d, struct sflow_seat *seat,
						   struct sflow_row *row, uint32_t sequence)
{
	uint32_t lost;
	enum sflow_step step = sflow_row_jump(row, sequence, &lost);
	if (step == STEP_LATE && seat->source.lost > 0) {
		seat->source.lost--;
		d->s->counts.lost_samples--;
	}
	seat->source.lost += lost;
	d->s->counts.lost_samples += lost;
	return step != STEP_LATE;
}

static inline bool samples_step(struct decoding *d, struct sflow_seat *seat, struct sflow_row *row,
				uint32_t sequence)
{
	seat->source.samples++;
	return sflow_row_next(row, sequence) || samples_jump(d, seat, row, sequence);
}

/* Where a sample's one header is, if nothing else of what its records tell is of use here; NULL:
 * go through them. */
static inline const uint8_t *only_header(const struct cur *c, uint32_t count)
{
	const uint8_t *at = c->at, *header = NULL;
	for (uint32_t i = 0; i < count; i++) {
		size_t left = (size_t)(c->end - at);
		if (left < 8)
			return NULL;
		uint32_t format = wire_u32(at), len = wire_u32(at + 4);
		if (len > left - 8)
			return NULL;
		if (format == RECORD_HEADER) {
			if (header != NULL || len < 16 || wire_u32(at + 8 + 12) > len - 16)
				return NULL;
			header = at + 8;
		} else if (format == RECORD_IPV4 || format == RECORD_IPV6 ||
			   format == RECORD_GATEWAY) {
			return NULL;
		}
		size_t step = 8 + (size_t)len + (-len & 3u);
		at += step < left ? step : left;
	}
	return header;
}

/* Nearly every sample: the header of a plain packet. False: nothing was done. */
static inline bool sample_plain(struct decoding *d, const struct cur *c, uint32_t count)
{
	const uint8_t *header = only_header(c, count);
	if (header == NULL || wire_u32(header) != HEADER_ETHERNET)
		return false;
	uint32_t frame = wire_u32(header + 4), stripped = wire_u32(header + 8);
	uint32_t len = wire_u32(header + 12);
	uint32_t whole = frame > stripped ? frame - stripped : 0;
	return packet_plain(header + 16, len, packet_whole(whole, len), d->at, d->next);
}

/* What the sample knows of its flow beside the packet. */
static inline uint8_t known_of(const struct sample *m)
{
	bool egress = m->type == 0 && m->index == m->output && m->index != m->input;
	return (uint8_t)((egress ? FLOW_EGRESS : 0) | (m->dropped ? FLOW_DROPPED : 0));
}

/* Makes a flow of what the records of a sample say. */
static __attribute__((noinline)) bool sample_walk(struct decoding *d, struct cur *c,
						  const struct sample *m)
{
	struct sflow_counts *counts = &d->s->counts;
	struct sflow_found found = {0};
	if (d->next == d->end) {
		counts->flows_cut++;
		return true;
	}
	const struct sflow_reading r = {d->now, d->at, d->s->packet};
	bool sound = sflow_records(&r, c, m->records, d->next, &found);
	if (!found.flow) {
		if (!found.header)
			counts->no_packet++;
		else if (found.err == WD_UNKNOWN)
			counts->not_ip++;
		else
			counts->headers_bad++;
		return sound;
	}
	struct flow *f = d->next++;
	f->sampling = m->sampling;
	f->known |= known_of(m);
	if (found.as) {
		f->src_as = found.src_as;
		f->dst_as = found.dst_as;
		f->known |= FLOW_AS;
	}
	return sound;
}

static inline struct sample sample_at(const uint8_t *p, bool expanded)
{
	struct sample m = {.sequence = wire_u32(p)};
	if (expanded) {
		m.type = wire_u32(p + 4);
		m.index = wire_u32(p + 8);
		p += 4;
	} else {
		m.type = p[4];
		m.index = wire_u32(p + 4) & 0xffffff;
	}
	m.sampling = wire_u32(p + 8);
	m.sampling += m.sampling == 0;
	m.pool = wire_u32(p + 12);
	m.drops = wire_u32(p + 16);
	if (expanded) {
		m.input = wire_u32(p + 24);
		m.dropped = wire_u32(p + 28) == OUTPUT_DISCARDED;
		m.output = wire_u32(p + 32);
		m.records = wire_u32(p + 36);
	} else {
		m.input = wire_u32(p + 20) & 0x3fffffff;
		m.dropped = p[24] >> 6 == OUTPUT_DISCARDED;
		m.output = wire_u32(p + 24) & 0x3fffffff;
		m.records = wire_u32(p + 28);
	}
	return m;
}

/* Samples that the agent had no room for. */
static __attribute__((noinline)) void count_drops(struct decoding *d, struct sflow_seat *seat,
						  struct sflow_meter *meter, uint32_t value)
{
	uint32_t drops = sflow_meter_grown(meter, value);
	seat->source.drops += drops;
	d->s->counts.agent_drops += drops;
}

/* The accounts of the sample's source. */
static inline void sample_count(struct decoding *d, const struct sample *m)
{
	struct sflow_counts *counts = &d->s->counts;
	struct sflow_seat *seat = seat_of(d, m->type, m->index);
	seat->source.sampling = m->sampling;
	counts->flow_samples++;
	if (!samples_step(d, seat, &seat->samples, m->sequence))
		return;
	uint32_t pool = sflow_meter_grown(&seat->pool, m->pool);
	seat->source.pool += pool;
	counts->pool += pool;
	if (__builtin_expect(!sflow_meter_stands(&seat->drops, m->drops), 0))
		count_drops(d, seat, &seat->drops, m->drops);
}

/* The packet first, then the accounts, so that each field is read where it is needed: they are more
 * than a processor has registers. */
static inline __attribute__((always_inline)) bool sample_take(struct decoding *d, struct cur *c,
							      bool expanded)
{
	const uint8_t *p = cur_bytes(c, expanded ? 44 : 32);
	if (p == NULL)
		return false;
	bool plain = d->next < d->end && sample_plain(d, c, wire_u32(p + (expanded ? 40 : 28)));
	const struct sample m = sample_at(p, expanded);
	sample_count(d, &m);
	if (__builtin_expect(!plain, 0)) {
		const struct sample again = sample_at(p, expanded);
		struct cur rest = *c;
		return sample_walk(d, &rest, &again);
	}
	struct flow *f = d->next++;
	f->sampling = m.sampling;
	f->known |= known_of(&m);
	return true;
}

/* A packet that the agent dropped: each one is told, as far as its limit of them goes. Where the
 * agent samples what comes in, it is among what the samples stand for. */
static __attribute__((noinline)) bool drop_notice(struct decoding *d, struct cur *c)
{
	const uint8_t *p = cur_bytes(c, 32);
	if (p == NULL)
		return false;
	struct sample m = {
		.sequence = wire_u32(p),
		.type = wire_u32(p + 4),
		.index = wire_u32(p + 8),
		.sampling = 1,
		.drops = wire_u32(p + 12),
		.input = wire_u32(p + 16),
		.output = wire_u32(p + 20),
		.records = wire_u32(p + 28),
		.dropped = true,
	};
	struct sflow_seat *seat = seat_of(d, m.type, m.index);
	d->s->counts.drop_notices++;
	if (samples_step(d, seat, &seat->notices, m.sequence))
		count_drops(d, seat, &seat->notice_drops, m.drops);
	if (is_sampled(d, 0, m.input) || is_sampled(d, m.type, m.index)) {
		d->s->counts.drops_sampled++;
		return true;
	}
	return sample_walk(d, c, &m);
}

static __attribute__((noinline)) bool counter_sample(struct decoding *d, struct cur *c,
						     bool expanded)
{
	const uint8_t *p = cur_bytes(c, expanded ? 16 : 12);
	if (p == NULL)
		return false;
	uint32_t type = expanded ? wire_u32(p + 4) : p[4];
	uint32_t index = expanded ? wire_u32(p + 8) : wire_u32(p + 4) & 0xffffff;
	uint32_t count = wire_u32(p + (expanded ? 12 : 8));
	d->s->counts.counter_samples++;
	for (uint32_t i = 0; i < count; i++) {
		struct cur body = {0};
		uint32_t format = 0;
		if (!sflow_item(c, &format, &body))
			return false;
		if (format != COUNTERS_INTERFACE || cur_left(&body) < COUNTERS_INTERFACE_LEN)
			continue;
		struct sflow_seat *seat = seat_of(d, type, index);
		uint32_t in = sflow_meter_grown(&seat->discards_in, wire_u32(body.at + 44));
		uint32_t out = sflow_meter_grown(&seat->discards_out, wire_u32(body.at + 76));
		seat->source.discards_in += in;
		seat->source.discards_out += out;
		d->s->counts.discards += (uint64_t)in + out;
	}
	return true;
}

static __attribute__((noinline)) bool sample_other(struct decoding *d, uint32_t format,
						   struct cur body)
{
	switch (format) {
	case SAMPLE_FLOW_EXPANDED:
		return sample_take(d, &body, true);
	case SAMPLE_COUNTERS:
	case SAMPLE_COUNTERS_EXPANDED:
		return counter_sample(d, &body, format == SAMPLE_COUNTERS_EXPANDED);
	case SAMPLE_DROPPED:
		return drop_notice(d, &body);
	default:
		d->s->counts.unknown_samples++;
		return true;
	}
}

/* What is broken within a sample costs its rest; false: the next one cannot be found. */
static inline bool sample(struct decoding *d, struct cur *c)
{
	struct cur body = {0};
	uint32_t format = 0;
	if (!sflow_item(c, &format, &body))
		return false;
	if (!(format == SAMPLE_FLOW ? sample_take(d, &body, false) : sample_other(d, format, body)))
		d->broken = true;
	return true;
}

/* A datagram that is not the agent's next one. */
static __attribute__((noinline)) void agent_jump(struct sflow_counts *counts,
						 struct sflow_seat *seat, uint32_t sequence)
{
	uint32_t lost;
	enum sflow_step step = sflow_row_jump(&seat->samples, sequence, &lost);
	if (step == STEP_LATE) {
		counts->late++;
		if (seat->source.lost > 0) {
			seat->source.lost--;
			counts->lost_datagrams--;
		}
	}
	counts->restarts += step == STEP_RESTART;
	seat->source.lost += lost;
	counts->lost_datagrams += lost;
}

/* Finds the agent's seat and counts what was lost since its last datagram. */
static void agent_step(struct decoding *d, const struct agent_id *id, uint32_t sequence)
{
	if (memcmp(id, &d->s->id, sizeof(*id)) != 0) {
		d->s->id = *id;
		d->s->id_key = hash_bytes(&d->s->key, id, sizeof(*id));
	}
	d->agent_key = d->s->id_key;

	bool is_new;
	struct sflow_seat *seat = sflow_seat_of(&d->s->seats, d->agent_key, &is_new);
	seat->is_agent = true;
	if (!sflow_row_next(&seat->samples, sequence))
		agent_jump(&d->s->counts, seat, sequence);
}

enum wd_err sflow_decode(struct sflow *s, const struct exporter_address *from,
			 const uint8_t *datagram, size_t len, wd_wall now, struct flow *out,
			 size_t cap, size_t *ret_count, struct wd_why *why)
{
	struct decoding d = {.s = s, .now = now, .at = plain_time(now), .next = out,
			     .end = cap > 0 ? out + cap : out}; /* `out` may be NULL then */
	struct cur c = cur_over(datagram, len);
	uint32_t version = cur_be32(&c), kind = cur_be32(&c);
	s->counts.datagrams++;
	s->counts.bytes += len;
	if (c.bad) {
		s->counts.too_short++;
		return wd_fail(why, WD_SHORT, 0, "the datagram ends within its header");
	}
	if (version != SFLOW_VERSION || kind > ADDRESS_IPV6) {
		s->counts.unknown_version++;
		return version != SFLOW_VERSION
			       ? wd_fail(why, WD_UNKNOWN, 0, "a version of sFlow that is not 5")
			       : wd_fail(why, WD_UNKNOWN, 4, "an agent's address of no known kind");
	}
	size_t width = kind == ADDRESS_IPV4 ? 4 : kind == ADDRESS_IPV6 ? 16 : 0;
	struct agent_id id = {
		.sender_family = from->family,
		.agent_family = kind == ADDRESS_IPV4 ? 4 : kind == ADDRESS_IPV6 ? 6 : 0,
	};
	memcpy(id.sender, from->bytes, sizeof(id.sender));
	cur_copy(&c, id.agent, width);
	id.sub_agent = cur_be32(&c);
	uint32_t sequence = cur_be32(&c);
	cur_be32(&c); /* uptime */
	uint32_t samples = cur_be32(&c);
	if (c.bad) {
		s->counts.too_short++;
		return wd_fail(why, WD_SHORT, 0, "the datagram ends within its header");
	}
	s->seats.clock++;
	agent_step(&d, &id, sequence);
	for (uint32_t i = 0; i < samples; i++) {
		if (!sample(&d, &c)) {
			d.broken = true;
			break;
		}
	}
	size_t count = (size_t)(d.next - out);
	s->counts.malformed += d.broken;
	s->counts.flows += count;
	*ret_count = count;
	return WD_OK;
}
