/* SPDX-License-Identifier: Apache-2.0 */
/* flood_testing: classes and ticks for tests and benchmarks of detect/flood. Not part of the
 * program. */
#ifndef WD_DETECT_FLOOD_TESTING_H
#define WD_DETECT_FLOOD_TESTING_H

#include "base/prng.h"
#include "model/vector.h"
#include "tally/traffic.h"

#include <stdint.h>

enum testing_class {
	TESTING_OTHER, TESTING_DNS, TESTING_NTP, TESTING_SNMP, TESTING_SYN, TESTING_SYNACK,
	TESTING_RST, TESTING_STREAM, TESTING_UDP, TESTING_FRAGMENT, TESTING_ICMP, TESTING_CLASSES,
};

void testing_classes(struct vector_classes *ret);

/* Traffic of one class in one tick. */
struct testing_traffic {
	enum testing_class class;
	double packets;       /* as they were; a whole number */
	float size;           /* bytes, mean */
	float size_scatter;   /* 0: all alike; else even between (1 - this) and (1 + this) times */
	uint32_t sources;     /* addresses that it comes from, even chances */
	uint32_t targets;     /* 0 and 1: one */
	uint32_t sampling;    /* 0 and 1: every packet is looked at */
	uint32_t records;     /* at most as many into the sample and the counts of sources */
	uint8_t flags, ttl;   /* ttl 0: scattered */
	uint16_t sport;       /* 0: scattered */
	bool scatter_ports;   /* of the targets */
	bool single;          /* records are of one packet each; the tick has no other traffic */
	const char *payload;  /* what each begins with; NULL: none is seen */
};

/* Adds it to the tick; with sampling the packets looked at are drawn. */
void testing_add(struct traffic_tick *t, struct prng *r, const struct testing_traffic *traffic);
/* The same going out: counts only, under the class of its answer. */
void testing_add_out(struct traffic_tick *t, enum testing_class class, double packets, float size);

#endif
