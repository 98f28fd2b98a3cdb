/* SPDX-License-Identifier: Apache-2.0 */
/* talk: does the service answer what comes in over TCP? Some connections are watched packet for
 * packet, in both directions: those whose keyed hash is at most `limit`, so that each is watched
 * from its first packet on or never, and what is seen of them stands for the rest. It is halved
 * when there are too many, so the memory is fixed and the connections stay a fair sample:
 * P. Flajolet, "On adaptive sampling", Computing 43, 1990.
 *
 * Of packets alone that were looked at one by one: of what is sampled, or summed up, nobody can
 * tell whether it was answered. A thread that sees one direction only says that nothing was;
 * whoever reads it must hold that against what else talks (detect/flood_cold.h).
 *
 * A packet that comes in is judged when its connection was watched for another tick after it: by
 * then it is answered, or never will be. What was answered in the last two seconds is answered
 * (the server may have spoken first); a reset is no answer. */
#ifndef WD_TALLY_TALK_H
#define WD_TALLY_TALK_H

#include "model/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	TALKS_MAX = 2048,      /* watched at a time, by one thread */
	TALK_SLOTS = 4096,
	TALK_PART = 4,         /* one connection in so many is watched, or fewer */
	TALK_FEW = 3,          /* packets: who sends no more in half a second need not wait */
	TALK_ALONE_CLASSES = 4,
	TALK_OPENERS = 1 << 18, /* who opened connections lately: bits */
	TALK_OPENERS_TICKS = 4, /* two sets of as many take turns */
};

/* What a tick says of connections (packets and connections that they stand for, estimated). */
struct talk_sum {
	float unit;    /* connections that one stands for; 0: nothing was watched */
	float talking, deaf; /* more than a few packets in: answered, or not */
	float old;     /* of `talking`: those that were not seen to be opened */
	float thin;    /* few packets, answered */
	float anew;    /* of `alone`: from who lately opened a connection, too */
	/* Few packets, of no connection that was seen to be opened, and not answered, by class. */
	struct talk_alone { float packets, bytes; uint8_t class; } alone[TALK_ALONE_CLASSES];
};
_Static_assert(sizeof(struct talk_sum) <= 80, "part of a tick");

struct talk {
	uint64_t key;
	uint32_t service;
	uint16_t bytes;    /* of what came in since it was last judged */
	uint8_t in;        /* packets, as well */
	uint8_t class;     /* of the first of them */
	uint8_t waits;     /* ticks since that */
	uint8_t quiet;     /* ticks since any packet */
	uint8_t answered;  /* ticks since the service said something; TALK_NEVER */
	bool opened;       /* by a SYN, since it is watched */
	uint32_t from;     /* the sender, as talk_opener has it */
};

struct talks {
	uint64_t limit;
	uint32_t count, ticks; /* ticks since all of this range are watched */
	uint32_t turn;
	struct talk held[TALKS_MAX];
	uint16_t slots[TALK_SLOTS]; /* index + 1 in `held`, by key */
	uint8_t openers[2][TALK_OPENERS / 8];
};

void talks_init(struct talks *t);
/* One packet of a connection within the limit. */
void talks_add(struct talks *t, uint64_t key, const struct flow *f, uint32_t service, bool out,
	       uint32_t from);
/* Somebody opens a connection. */
void talks_open(struct talks *t, uint32_t from);
/* A tick is over: of the services that have `sums` (NULL: none), adds what is ripe; then all are a
 * tick older. */
void talks_seal(struct talks *t, struct talk_sum *(*sum_of)(void *context, uint32_t service),
		void *context);
/* Is it watched, not opened, and not answered so far? */
bool talks_alone(const struct talks *t, uint64_t key);

/* The same for both directions of a connection; of IPv4 each has a number of its own. `odd` is
 * secret. */
static inline uint64_t talk_key(uint64_t odd, const uint8_t src[16], const uint8_t dst[16],
				uint8_t family, uint16_t ports)
{
	uint64_t a, b;

	memcpy(&a, src, sizeof(a)); /* IPv4: the rest are zeros */
	memcpy(&b, dst, sizeof(b));
	uint64_t x = a ^ b ^ (uint64_t)ports << 32;
	if (__builtin_expect(family == 6, 0)) {
		memcpy(&a, src + 8, sizeof(a));
		memcpy(&b, dst + 8, sizeof(b));
		x ^= (a ^ b) << 7 ^ (a ^ b) >> 5;
	}
	return x * odd;
}

static inline uint16_t talk_ports(uint16_t sport, uint16_t dport)
{
	return sport ^ dport;
}

/* Can it be told whether it is answered? */
static inline bool talk_counts(const struct flow *f)
{
	return (f->known & FLOW_PACKET) != 0 && f->sampling == 1;
}

/* Of a keyed hash of the sender's address. */
static inline uint32_t talk_opener(uint64_t hash) { return (uint32_t)(hash >> 20); }

static inline bool talk_opens(const struct flow *f)
{
	return (f->tcp_flags & (FLOW_TCP_SYN | FLOW_TCP_ACK)) == FLOW_TCP_SYN;
}

void talk_sum_merge(struct talk_sum *s, const struct talk_sum *other);
/* Of one class; zeros if there are none. */
struct talk_alone talk_alone_of(const struct talk_sum *s, uint8_t class);

#endif
