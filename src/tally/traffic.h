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
 * joined and thinned out again: the same as if one thread had seen both. */
#ifndef WD_TALLY_TRAFFIC_H
#define WD_TALLY_TRAFFIC_H

#include "base/units.h"
#include "model/flow.h"
#include "model/service.h"
#include "model/vector.h"
#include "tally/hll.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRAFFIC_SAMPLES = 512,
	TRAFFIC_PAYLOAD = 24,      /* bytes of a sampled payload that are kept */
	TRAFFIC_CLASS_SOURCES = 8, /* classes whose distinct sources are counted apart */
	TRAFFIC_SOURCES_BITS = 11, /* 2048 registers: standard error 2.3 % */
	TRAFFIC_CLASS_BITS = 10,   /* 3.3 % */
	TRAFFIC_TARGETS_BITS = 8,  /* 6.5 % */
};
#define TRAFFIC_TICK_NS (WD_NS_PER_S / 4)

struct traffic_sum {
	uint64_t packets, bytes; /* sampling undone */
	uint64_t seen;           /* packets that were looked at: the error is 196 / sqrt(seen) % */
	uint64_t records;
};

struct traffic_record {
	uint8_t src[16], dst[16];
	double packets, bytes; /* of this record, sampling undone */
	float weight;          /* it stands for max(packets, weight) packets */
	float priority;        /* packets / uniform: how the sample is thinned out */
	uint32_t sequence;
	uint16_t sport, dport, length, window;
	uint8_t family, protocol, tcp_flags, ttl, options_len, known, fragment, class;
	uint8_t payload_len;   /* of what is kept */
	uint8_t payload[TRAFFIC_PAYLOAD];
	uint16_t payload_whole; /* of the packet */
};

struct traffic_tick {
	char service[SERVICE_ID_MAX + 1];
	wd_wall at;    /* begin */
	wd_span width; /* how long was counted: several ticks, when nothing sealed between */
	struct traffic_sum in[VECTOR_CLASSES_MAX];
	struct traffic_sum out[VECTOR_CLASSES_MAX]; /* by the class of the answer: see below */
	uint8_t class_of[TRAFFIC_CLASS_SOURCES]; /* whose sources: class + 1; 0 = free */
	uint8_t sources[1 << TRAFFIC_SOURCES_BITS];
	uint8_t targets[1 << TRAFFIC_TARGETS_BITS]; /* distinct destinations */
	uint8_t class_sources[TRAFFIC_CLASS_SOURCES][1 << TRAFFIC_CLASS_BITS];
	uint64_t class_sources_lost; /* records of classes that found no place */
	float threshold;             /* of the sample: records below it were thinned out */
	uint32_t sample_count;
	struct traffic_record sample[TRAFFIC_SAMPLES];
};

/* `out` counts what the service sent, under the class that the *answer* to it has: a DNS
 * query sent from the service counts in out[amp.dns], so in[amp.dns] less a few times
 * out[amp.dns] was never asked for. */

void traffic_clear(struct traffic_tick *t, const char *service, wd_wall at);
/* Adds one record to a tick: slow and plain; what tests and engines use. The fast path
 * (tally/shard.h) gives the same sums, registers and sample law. `random` is uniform. */
void traffic_add(struct traffic_tick *t, const struct vector_classes *classes, const struct flow *f,
		 bool outbound, uint64_t random);
/* t of the same service takes in what `other` counted. */
void traffic_merge(struct traffic_tick *t, const struct traffic_tick *other);

double traffic_sources(const struct traffic_tick *t);
double traffic_targets(const struct traffic_tick *t);
/* Of one class; negative if it found no place. */
double traffic_class_sources(const struct traffic_tick *t, uint8_t class);
/* How many packets a sampled record stands for. */
static inline double traffic_stands_for(const struct traffic_tick *t,
					const struct traffic_record *r)
{
	return r->packets > t->threshold ? r->packets : t->threshold;
}

#endif
