/* SPDX-License-Identifier: Apache-2.0 */
/* traffic: what one service received and sent in one tick (250 ms), counted by one thread
 * alone, sealed, merged and judged. Three parts, each with its stated error:
 *
 * - packets, bytes, records by class of vector and direction: exact (sampling undone);
 * - distinct sources and destinations: HyperLogLog (tally/hll.h);
 * - a *weighted sample* of at most TRAFFIC_SAMPLES records, for all that asks who, which size,
 *   which TTL: any share of the packets computed from it is unbiased, with a standard error of
 *   about share / sqrt(sampled of it). Priority sampling: N. Duffield, C. Lund, M. Thorup,
 *   "Priority sampling for estimation of arbitrary subset sums", J. ACM 54(6), 2007.
 *
 * Merging two ticks of a service: sums add, HyperLogLog takes the maximum, samples are
 * joined and thinned out again: the same as if one thread had seen both. Only the sources of
 * single classes, for which there are few places, are not known of a class that one had no
 * place for. */
#ifndef WD_TALLY_TRAFFIC_H
#define WD_TALLY_TRAFFIC_H

#include "base/units.h"
#include "model/flow.h"
#include "model/service.h"
#include "model/vector.h"
#include "tally/address_hash.h"
#include "tally/hll.h"
#include "tally/talk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRAFFIC_SAMPLES = 256,     /* a tick: a thousand a second */
	TRAFFIC_PAYLOAD = 24,      /* bytes of a sampled payload that are kept */
	TRAFFIC_CLASS_SOURCES = 12, /* classes whose distinct sources are counted apart */
	TRAFFIC_SOURCES_BITS = 12, /* 4096 registers: standard error 1.6 % */
	TRAFFIC_CLASS_BITS = 10,   /* 3.3 % */
	TRAFFIC_TARGETS_BITS = 8,  /* 6.5 % */
};
#define TRAFFIC_TICK_NS (WD_NS_PER_S / 4)

struct traffic_sum {
	uint64_t packets, bytes; /* sampling undone */
	uint64_t seen;           /* packets that were looked at: the error is 196 / sqrt(seen) % */
	uint64_t records;
};

struct traffic_sent { uint64_t packets, bytes; }; /* sampling undone */

/* One sampled inbound record. Single precision is enough for a sample (24 bits). */
struct traffic_record {
	uint8_t src[16], dst[16];
	float packets, bytes; /* of this record, sampling undone */
	float priority;       /* packets / uniform: how the sample is thinned out */
	uint32_t sequence; /* of a DNS query: query_name's name, 0 = not told */
	uint32_t src_as; /* if the exporter knew it (FLOW_AS) */
	uint16_t sport, dport, length;
	uint16_t window; /* of a DNS query: query_name's zone */
	uint8_t family, protocol, tcp_flags, ttl, options_len, known, fragment, class;
	uint16_t payload_whole; /* of the packet; with FLOW_CUT of what was captured */
	uint8_t payload_len;    /* of what is kept */
	uint8_t witness : 7;    /* as in struct flow */
	uint8_t alone : 1;      /* TCP: not answered (tally/talk.h); 0: or nobody knows */
	uint8_t payload[TRAFFIC_PAYLOAD];
};
_Static_assert(sizeof(struct traffic_record) == 96, "memory a service is stated by it");

struct traffic_tick {
	char service[SERVICE_ID_MAX + 1];
	uint32_t index; /* of the service: what the prefix table says; UINT32_MAX = not told */
	wd_wall at;     /* begin */
	wd_span width; /* how long was counted: several ticks, when nothing sealed between */
	struct traffic_sum in[VECTOR_CLASSES_MAX];
	struct traffic_sent out[VECTOR_CLASSES_MAX]; /* by the class of the answer: see below */
	uint8_t class_of[TRAFFIC_CLASS_SOURCES]; /* whose sources: class + 1; 0 = free */
	uint8_t sources[1 << TRAFFIC_SOURCES_BITS];
	uint8_t targets[1 << TRAFFIC_TARGETS_BITS]; /* distinct destinations */
	uint8_t class_sources[TRAFFIC_CLASS_SOURCES][1 << TRAFFIC_CLASS_BITS];
	uint64_t class_lost[VECTOR_CLASSES_MAX / 64]; /* bit a class: some record found no place */
	struct talk_sum talk;        /* of connections, as far as they were watched */
	float threshold;             /* priorities up to it were thinned out; 0 = none were */
	uint32_t sample_count;       /* less than TRAFFIC_SAMPLES after two equal priorities */
	struct traffic_record sample[TRAFFIC_SAMPLES];
};

_Static_assert(sizeof(struct traffic_tick) <= 47600, "memory a service is stated by it");

/* Sources, targets and the sample are of what came in. `out` counts what the service sent,
 * under the class that the *answer* to it has (traffic_answer_class). */

/* What every tally of one program has in common, so that their ticks can be merged. */
struct traffic_rules {
	const struct vector_classes *classes;
	struct address_key key;
};

/* The class of what would come back: ports change sides; to a SYN comes a SYN+ACK, to other
 * TCP an ACK, to an ICMP request its reply. A DNS query that the service sends counts in
 * out[amp.dns], so in[amp.dns] less a few times out[amp.dns] was never asked for. */
uint8_t traffic_answer_class(const struct vector_classes *c, const struct flow *f);

void traffic_clear(struct traffic_tick *t, const char *service, wd_wall at);
/* Adds one record to a tick: slow and plain; what tests and engines use. The fast path
 * (tally/shard.h) gives the same sums and registers, and samples by the same law. `random`
 * is uniform over 64 bits. */
void traffic_add(struct traffic_tick *t, const struct traffic_rules *rules, const struct flow *f,
		 bool outbound, uint64_t random);
/* t of the same service takes in what `other` counted. Ticks that were counted at one time
 * (by two threads) and ticks that follow each other are merged alike: t begins with the
 * earlier and ends with the later. */
void traffic_merge(struct traffic_tick *t, const struct traffic_tick *other);

double traffic_sources(const struct traffic_tick *t);
/* Of one class; negative if not each of its records found a place. */
double traffic_class_sources(const struct traffic_tick *t, uint8_t class);
/* How many packets a sampled record stands for. */
static inline double traffic_stands_for(const struct traffic_tick *t,
					const struct traffic_record *r)
{
	return r->packets > t->threshold ? r->packets : t->threshold;
}

#endif
