/* SPDX-License-Identifier: Apache-2.0 */
/* flow: traffic from one address to another, as an exporter summed it up or as one packet
 * shows it (packets = 1). What every traffic decoder writes and every tally reads.
 *
 * An array of them is a batch: sized at start-up, filled, tallied and filled again. Borrowed
 * bytes (payload) live as long as the input they point into. Two cache lines. */
#ifndef WD_MODEL_FLOW_H
#define WD_MODEL_FLOW_H

#include <stdint.h>

enum flow_fragment {
	FLOW_WHOLE,          /* not a fragment, or not told */
	FLOW_FRAGMENT_FIRST, /* has ports */
	FLOW_FRAGMENT_LATER, /* has none: sport and dport are 0 */
};

/* What is known; a field whose bit is missing is 0. */
enum flow_known {
	FLOW_TTL = 1,    /* ttl */
	FLOW_TIMES = 2,  /* first_ms, last_ms */
	FLOW_PACKET = 4, /* one packet: length, and of TCP sequence, window, options */
	FLOW_EGRESS = 8, /* the exporter says that it saw it going out */
	FLOW_FLAGS = 16, /* tcp_flags */
	FLOW_AS = 32,    /* src_as, dst_as */
	FLOW_DROPPED = 64, /* by the exporter, which says so */
	FLOW_CUT = 128,    /* of a tally's sample: the payload was longer than what was captured */
};

enum {
	FLOW_TCP_FIN = 1,
	FLOW_TCP_SYN = 2,
	FLOW_TCP_RST = 4,
	FLOW_TCP_PSH = 8,
	FLOW_TCP_ACK = 16,
	FLOW_TCP_URG = 32,
	FLOW_TCP_ECE = 64,
	FLOW_TCP_CWR = 128,
};

struct flow {
	uint8_t src[16], dst[16];  /* network order; IPv4 in the first four bytes, then zeros */
	uint64_t packets, bytes;   /* as seen; times `sampling` = as it was. IP header included */
	int64_t first_ms, last_ms; /* since 1970, UTC */
	const uint8_t *payload;    /* above UDP, TCP or ICMP, borrowed; NULL = none seen */
	uint32_t sampling;         /* one in so many packets was looked at; at least 1 */
	uint32_t src_as, dst_as;
	uint32_t sequence;         /* TCP */
	uint16_t sport, dport;     /* of ICMP: sport 0, dport = type << 8 | code */
	uint16_t length;           /* of IP, as its header says; > 0 with FLOW_PACKET alone */
	uint16_t window;           /* TCP */
	uint16_t payload_len;
	uint8_t options_len;       /* TCP */
	uint8_t family;            /* 4 or 6 */
	uint8_t protocol;          /* IANA; of IPv6 the first that is no extension header */
	uint8_t tcp_flags;         /* of a summed-up flow all flags of its packets together */
	uint8_t ttl;               /* or hop limit */
	uint8_t fragment;          /* enum flow_fragment */
	uint8_t known;             /* enum flow_known */
	uint8_t class;             /* candidate vector (model/vector.h); the tally fills it in */
	uint8_t witness;           /* who told it: slot + 1, model/witness.h; 0 = not told */
};
_Static_assert(sizeof(struct flow) == 112, "a batch is sized by it");

#endif
