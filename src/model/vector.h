/* SPDX-License-Identifier: Apache-2.0 */
/* vector: the ways a service is flooded, as data (data/vectors.yaml; docs/vectors.md).
 *
 * Two steps, because the first is taken for every record and the second once a tick:
 * 1. *class*: by protocol, ports, flags and ICMP type alone, from a table compiled at
 *    start-up. Every record has one; a class is traffic that would be a certain vector, or
 *    one of a few, if there were too much of it (class 0 is "other"). Counted exactly.
 * 2. *vector*: of a class that floods, told apart by what a sample of its records shows
 *    (sizes, TTLs, TCP options, payload): explain/.
 *
 * Direction first: an amplifier's port counts as source port only (an answer), a service's
 * port as destination port only. */
#ifndef WD_MODEL_VECTOR_H
#define WD_MODEL_VECTOR_H

#include "model/flow.h"

#include <stddef.h>
#include <stdint.h>

enum {
	VECTOR_ID_MAX = 31, /* bytes: "amp.dns", "syn.spoof" */
	VECTOR_NAME_MAX = 63,
	VECTOR_CLASSES_MAX = 128,
};

/* What the addresses prove; decided before anything is said of places. */
enum source_status {
	SOURCE_UNKNOWN,   /* not enough to tell */
	SOURCE_REFLECTOR, /* abused third parties; the attacker is elsewhere */
	SOURCE_SPOOFED,   /* the addresses prove nothing */
	SOURCE_PROVED,    /* a handshake was completed: machines that took part; not people */
};

/* "unknown", "reflector", "spoofed", "proved" */
const char *source_status_name(enum source_status s);

/* Compiled once from the rows; 0 everywhere = "other". Plain values, no pointers. */
struct vector_classes {
	uint8_t udp_from[65536]; /* by source port; 0: look at the destination port */
	uint8_t udp_to[65536];
	uint8_t tcp[256];        /* by flags */
	uint8_t icmp4[256];      /* by type */
	uint8_t icmp6[256];
	uint8_t protocol[256];   /* the rest */
	uint8_t fragment;        /* later fragments, which have no ports */
	uint8_t count;           /* of classes, "other" included */
	char id[VECTOR_CLASSES_MAX][VECTOR_ID_MAX + 1];
	uint8_t status[VECTOR_CLASSES_MAX]; /* enum source_status, as its row states */
};

static inline uint8_t vector_class(const struct vector_classes *c, const struct flow *f)
{
	if (f->fragment == FLOW_FRAGMENT_LATER)
		return c->fragment;
	switch (f->protocol) {
	case 17: {
		uint8_t from = c->udp_from[f->sport];
		return from != 0 ? from : c->udp_to[f->dport];
	}
	case 6:
		return c->tcp[f->tcp_flags];
	case 1:
		return c->icmp4[f->dport >> 8];
	case 58:
		return c->icmp6[f->dport >> 8];
	default:
		return c->protocol[f->protocol];
	}
}

#endif
