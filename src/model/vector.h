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
 * port as destination port only.
 *
 * Classes of TCP (by flags), ICMP (by type), other protocols and fragments are fixed in
 * vector.c; those of UDP come from the rows. */
#ifndef WD_MODEL_VECTOR_H
#define WD_MODEL_VECTOR_H

#include "model/flow.h"
#include "model/port_class.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VECTOR_ID_MAX = 31, /* bytes: "amp.dns", "syn.spoof" */
	VECTOR_NAME_MAX = 63,
	VECTOR_CLASSES_MAX = 128,
	VECTOR_ROWS_MAX = 255,
	VECTOR_PORTS_MAX = 6,    /* ranges of one row */
	VECTOR_PAYLOAD_MAX = 16, /* bytes of a payload's pattern */
	VECTOR_MARKS_MAX = 64,
	VECTOR_SOURCE_MAX = 191,
	VECTOR_DATE_MAX = 10,
	VECTOR_FLAGS_FLOW = FLOW_TCP_SYN | FLOW_TCP_ACK | FLOW_TCP_PSH, /* of a connection */
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

/* How an answer of third parties begins that comes in a class of other things, too: SSDP from any
 * port, a web page that nobody asked for, a handshake of QUIC. */
struct vector_mark {
	uint8_t class; /* 0: all of UDP that is not from an amplifier's port */
	uint8_t at, len; /* of the payload */
	uint16_t length_min, length_max; /* of IP; 0 and 0 = any */
	uint8_t payload[VECTOR_PAYLOAD_MAX], mask[VECTOR_PAYLOAD_MAX];
};

/* Do these bytes begin as the pattern says, where the mask is set? `len` of each. */
bool vector_payload_fits(const uint8_t *bytes, const uint8_t *payload, const uint8_t *mask,
			 size_t len);

enum vector_ask {
	VECTOR_ASK_NEVER,
	VECTOR_ASK_SEVERAL, /* of several packets */
	VECTOR_ASK_ONE,     /* of one packet */
};

/* Compiled once from the rows; 0 everywhere = "other". Plain values, no pointers. */
struct vector_classes {
	struct port_classes udp_from; /* by source port; 0: look at the destination port */
	struct port_classes udp_to;
	uint8_t tcp[256];        /* by flags */
	uint8_t tcp_ask[256];    /* enum vector_ask: these flags ask vector_class_asked */
	uint8_t icmp4[256];      /* by type */
	uint8_t icmp6[256];
	uint8_t protocol[256];   /* the rest */
	uint8_t fragment;        /* later fragments, which have no ports */
	uint8_t count;           /* of classes, "other" included */
	char id[VECTOR_CLASSES_MAX][VECTOR_ID_MAX + 1];
	uint8_t status[VECTOR_CLASSES_MAX]; /* enum source_status, as its row states */
	struct vector_mark marks[VECTOR_MARKS_MAX];
	uint8_t mark_count;
};

enum vector_family {
	VECTOR_AMPLIFICATION, /* UDP answers of third parties, larger than what was asked */
	VECTOR_REFLECTION,    /* TCP answers of third parties */
	VECTOR_FLOOD,         /* sent straight at the service: layers 3 and 4 */
	VECTOR_APPLICATION,   /* layer 7: told from access logs, not from packets */
	VECTOR_PATTERN,       /* how another vector is spread over time and addresses */
};

/* What a row asks of a record beyond its class, or of all its records together. */
enum vector_sign {
	SIGN_NO_OPTIONS = 1,       /* a TCP header of 20 bytes */
	SIGN_OPTIONS = 2,
	SIGN_SEQUENCE_TARGET = 4,  /* TCP sequence number = destination address (IPv4) */
	SIGN_EMPTY = 8,            /* no payload, or zeros only */
	SIGN_SAME_PORTS = 16,      /* source port = destination port */
	SIGN_NO_DATA = 32,         /* carries no payload */
	SIGN_WINDOW_ZERO = 64,     /* TCP */
	SIGN_SEQUENCE_ZERO = 128,  /* TCP: so a RST answers a SYN (RFC 9293 section 3.5.2) */
	/* From here on: of all records together. */
	SIGN_FORGED = 256,         /* the source addresses are judged to be forged */
	SIGN_TRUE_SOURCES = 512,   /* many, and judged not to be forged */
	SIGN_FEW_SOURCES = 1024,   /* at most 16 */
	SIGN_RANDOM_PORTS = 2048,  /* destination ports all over */
	SIGN_ONE_LENGTH = 4096,    /* nine packets of ten have one length */
	SIGN_MANY_SOURCES = 8192,  /* more than 16 */
	SIGN_NEW_NAMES = 16384,    /* DNS: of names that nobody asked for before, in one zone */
	SIGN_CONNECTED = 32768,    /* handshakes were completed (SOURCE_PROVED) */
};
enum { SIGNS_OF_RECORDS = 255 };

struct vector_ports { uint16_t low, high; };

/* One way to flood. Plain values: a book can be copied. */
struct vector_row {
	char id[VECTOR_ID_MAX + 1], name[VECTOR_NAME_MAX + 1];
	char class[VECTOR_ID_MAX + 1]; /* "" = is not told by packets */
	char source[VECTOR_SOURCE_MAX + 1]; /* the documents behind it */
	char date[VECTOR_DATE_MAX + 1];     /* "2014-01-17", "2014-02" or "2014" */
	enum vector_family family;
	enum source_status status; /* what its addresses prove if nothing else speaks */
	bool unverified;           /* no document has been cited yet */
	bool any_port;             /* told by its payload on other UDP ports too */
	uint8_t protocol;          /* IANA; 0 = any */
	uint8_t from_count, to_count;
	struct vector_ports from[VECTOR_PORTS_MAX], to[VECTOR_PORTS_MAX];
	int16_t icmp_type, icmp_code;    /* -1 = any; both 0 unless the protocol is ICMP */
	uint16_t length_min, length_max; /* of IP; 0 and 0 = any */
	uint16_t signs;                  /* enum vector_sign */
	uint8_t payload_at, payload_len; /* of UDP, TCP or ICMP; len 0 = any */
	uint8_t payload[VECTOR_PAYLOAD_MAX], mask[VECTOR_PAYLOAD_MAX];
	float factor_min, factor_max; /* bandwidth amplification; 0 = not known */
};

struct vector_book {
	uint32_t count;
	struct vector_row rows[VECTOR_ROWS_MAX];
};

/* NULL if there is none of that id. */
const struct vector_row *vector_book_find(const struct vector_book *b, const char *id);
/* Classes that need no row: TCP by flags, ICMP by type, the other protocols. */
bool vector_class_is_fixed(const char *id);
/* Compiles the classes. Rows past the limit of classes share "amp.rare" (amplifiers) or
 * "udp.other"; of two rows with one port the first has it. A book without rows is fine. */
void vector_book_compile(const struct vector_book *b, struct vector_classes *ret_classes);
/* The number of a class; 0 if there is none of that id. */
uint8_t vector_class_find(const struct vector_classes *c, const char *id);

/* UDP between two ports: what the one it comes from tells, else the one it goes to. */
static inline uint8_t vector_class_udp(const struct vector_classes *c, uint16_t from, uint16_t to)
{
	uint8_t class = port_class(&c->udp_from, from);
	return class != 0 ? class : port_class(&c->udp_to, to);
}

/* The class of a record of several packets with SYN and ACK or RST: each packet had them all (its
 * size says that all may be alike), or together they are a connection's. One packet that has the
 * flags of a whole connection is none. */
uint8_t vector_class_asked(const struct vector_classes *c, const struct flow *f);

static inline uint8_t vector_class_tcp(const struct vector_classes *c, const struct flow *f)
{
	uint8_t ask = c->tcp_ask[f->tcp_flags];
	if (ask != VECTOR_ASK_NEVER &&
	    __builtin_expect(ask == VECTOR_ASK_ONE ? f->packets == 1 : f->packets > 1, 0))
		return vector_class_asked(c, f);
	return c->tcp[f->tcp_flags];
}

static inline uint8_t vector_class(const struct vector_classes *c, const struct flow *f)
{
	if (f->fragment == FLOW_FRAGMENT_LATER)
		return c->fragment;
	switch (f->protocol) {
	case 17:
		return vector_class_udp(c, f->sport, f->dport);
	case 6:
		return vector_class_tcp(c, f);
	case 1:
		return c->icmp4[f->dport >> 8];
	case 58:
		return c->icmp6[f->dport >> 8];
	default:
		return c->protocol[f->protocol];
	}
}

#endif
