/* SPDX-License-Identifier: Apache-2.0 */
/* profile: what the sampled records of one vector show, added up: where they come from, how
 * far they travelled, which sizes, ports, flags and payloads. Plain values; a fixed size.
 *
 * Each record counts by the packets it stands for (traffic_stands_for), so shares are of
 * packets and unbiased. `effective` is how many equal records would be as sure: Kish's
 * (sum of weights)^2 / sum of squared weights. */
#ifndef WD_EXPLAIN_PROFILE_H
#define WD_EXPLAIN_PROFILE_H

#include "tally/traffic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum profile_octets { OCTETS_NONE, OCTETS_IPV4, OCTETS_IPV6 };
enum { PROFILE_TOP = 8, PROFILE_BITS = 8, PROFILE_PAYLOAD = 12 };

/* The heaviest values of one field: Metwally, Agrawal, El Abbadi, "Space saving", ICDT 2005.
 * A share is too high by at most the lightest entry's. */
struct profile_top {
	float weight[PROFILE_TOP];
	uint16_t value[PROFILE_TOP];
	uint8_t count;
};

struct profile {
	double weight, squares; /* packets; of squared weights */
	uint32_t records;
	float octets[256];      /* of sources by their first eight bits: IPv4 if there are any */
	float ttls[256];        /* where it is known */
	struct profile_top length, sport, dport;
	uint8_t dports[1 << PROFILE_BITS], sports[1 << PROFILE_BITS]; /* distinct: tally/hll.h */
	uint8_t sources[1 << PROFILE_BITS];
	float length_weight;    /* whose length is known */
	float packet_weight;    /* of TCP, one packet each: options and sequence known */
	float options, no_options, window_zero, sequence_low_zero, sequence_target;
	float flags_weight;     /* of TCP whose flags are known */
	float payload_weight;   /* whose payload is seen, or known to be empty */
	float empty;
	float proved;           /* packets of flows with a SYN and what follows it in one */
	uint8_t flags_or, protocol, family;
	uint8_t octets_seen;    /* whose: enum profile_octets */
	uint8_t payload[PROFILE_PAYLOAD], payload_len; /* what all seen payloads begin with */
	bool payload_any;
	uint16_t length_min, length_max;
};

/* `several`: of TCP, unless the class says that it is one packet alone, with odd flags. */
void profile_add(struct profile *p, const struct traffic_record *r, double weight, bool several);

/* Bits, of the sources' first eight bits and of the inferred number of hops: initial TTL (the
 * next of 32, 64, 128, 255) less TTL. Corrected for the sample's size: A. Chao, T.-J. Shen,
 * Environmental and Ecological Statistics 10, 2003. Negative: too few to tell. */
double profile_octet_entropy(const struct profile *p);
double profile_hop_entropy(const struct profile *p);
/* Share of packets whose TTL is that of no path: more hops than the Internet has, from any initial
 * TTL. 0..1; 0 too if no TTL is known. */
double profile_too_far(const struct profile *p);
/* 1 / sum of squared shares of the first eight bits, unbiased: how many equally busy ones
 * there would be. Works from about 30 records. Negative: too few. */
double profile_octets_effective(const struct profile *p);
/* Share of sources that cannot be on the Internet: of IPv4 0/8, 127/8, 224/4 and above; of IPv6
 * blocks that nobody was ever given (model/address_space.h). */
double profile_unroutable(const struct profile *p);
/* In how many different such blocks of eight bits IPv6's are. */
unsigned profile_reserved_blocks(const struct profile *p);
/* Share of IPv4 sources in /8s from which nothing is sent (model/address_space.h). */
double profile_silent(const struct profile *p);
/* The heaviest value's share, 0..1. */
double profile_top_share(const struct profile_top *t, double weight, uint16_t *ret_value);
static inline double profile_share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

#endif
