/* SPDX-License-Identifier: Apache-2.0 */
/* traffic_recipe: how the packets of an attack (or of a usual day) look from where they
 * arrive, for simulations. Written from what was published of each vector (docs/vectors.md),
 * apart from the rules that name them, so that the one tests the other. Addresses are drawn
 * at random from public unicast space and belong to nobody in particular. */
#ifndef WD_INTAKE_TRAFFIC_RECIPE_H
#define WD_INTAKE_TRAFFIC_RECIPE_H

#include "base/prng.h"
#include "model/flow.h"
#include "model/vector.h"

#include <stddef.h>
#include <stdint.h>

enum recipe_sources {
	RECIPE_REFLECTORS, /* real machines that answer somebody else: TTLs as paths are long */
	RECIPE_SPOOFED,    /* a new address each packet, one path: one or two TTLs */
	RECIPE_BOTS,       /* real machines */
};

enum recipe_mark {
	RECIPE_SEQUENCE_LOW_ZERO = 1, /* the lower half of the sequence number */
	RECIPE_SEQUENCE_TARGET = 2,   /* it is the destination's address */
	RECIPE_RANDOM_DPORT = 4,
	RECIPE_FRAGMENTS = 16,        /* answers of several fragments: 1500, 1500, the rest */
	RECIPE_RANDOM_PAYLOAD = 32,
};

struct recipe {
	const char *id; /* of the vector */
	uint8_t protocol, tcp_flags, options_len;
	uint8_t sources; /* enum recipe_sources */
	uint16_t sport, dport;
	uint16_t length_min, length_max; /* of IP */
	uint16_t window;
	uint16_t marks; /* enum recipe_mark */
	const char *payload; /* what it begins with */
	uint8_t payload_len;
	uint32_t sources_usual; /* where nobody says how many */
};

/* NULL if there is none of this id. */
const struct recipe *recipe_find(const char *id);
size_t recipe_count(void);
const struct recipe *recipe_at(size_t index);

enum { RECIPE_PAYLOAD_MAX = 1472, RECIPE_BURST = 3 };

/* Address number `index` of a pool: the same each time. IPv4 in the first four bytes. */
void recipe_address(uint64_t pool, uint64_t index, uint8_t family, uint8_t dst[16]);
/* The TTL that packets of this address arrive with. */
uint8_t recipe_ttl(const uint8_t address[16]);

/* The packets of one event (a fragmented answer is several): at most RECIPE_BURST. `target`
 * is filled in by the caller beforehand (dst, family); payload is room that lives as long as
 * the flows do. `sources` is the size of the pool. */
size_t recipe_make(const struct recipe *r, struct prng *random, uint64_t pool, uint32_t sources,
		   const struct flow *target, uint8_t payload[RECIPE_PAYLOAD_MAX],
		   struct flow ret[RECIPE_BURST]);

/* A packet of a usual day to a service that serves the web over `clients` clients, or (*ret
 * from the service) of its answers. */
void recipe_usual(struct prng *random, uint64_t pool, uint32_t clients, const struct flow *target,
		  uint8_t payload[RECIPE_PAYLOAD_MAX], struct flow *ret);

#endif
