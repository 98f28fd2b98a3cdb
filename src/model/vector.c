/* SPDX-License-Identifier: Apache-2.0 */
#include "model/vector.h"

#include "base/check.h"
#include "base/text.h"

#include <string.h>

static const char *const status_names[] = {"unknown", "reflector", "spoofed", "proved"};

const char *source_status_name(enum source_status s)
{
	WD_CHECK((unsigned)s < WD_COUNT(status_names));
	return status_names[s];
}

const struct vector_row *vector_book_find(const struct vector_book *b, const char *id)
{
	for (uint32_t i = 0; i < b->count; i++) {
		if (strcmp(b->rows[i].id, id) == 0)
			return &b->rows[i];
	}
	return NULL;
}

/* The classes every table has, in this order from 0 on. */
enum fixed {
	OTHER, TCP_SYN, TCP_SYNECN, TCP_SYNACK, TCP_RST, TCP_ACK, TCP_DATA, TCP_FIN, TCP_URG,
	TCP_NULL, TCP_XMAS, TCP_SYNFIN, TCP_FLOW, TCP_ODD, ICMP_ECHO, ICMP_REPLY,
	ICMP_UNREACHABLE, ICMP_EXCEEDED, ICMP_OTHER, GRE, ESP, IPIP, IGMP, PROTO_OTHER, FRAG,
	UDP_OTHER, AMP_RARE, FIXED
};
static const char fixed_ids[FIXED][18] = {
	"other",     "tcp.syn",   "tcp.synecn",       "tcp.synack",    "tcp.rst",
	"tcp.ack",   "tcp.data",  "tcp.fin",          "tcp.urg",       "tcp.null",
	"tcp.xmas",  "tcp.synfin", "tcp.flow",        "tcp.odd",       "icmp.echo",
	"icmp.reply", "icmp.unreachable", "icmp.exceeded", "icmp.other", "gre",
	"esp",       "ipip",      "igmp",             "proto.other",   "frag",
	"udp.other", "amp.rare",
};

bool vector_class_is_fixed(const char *id)
{
	for (size_t i = 1; i < FIXED; i++) {
		if (strcmp(fixed_ids[i], id) == 0)
			return true;
	}
	return false;
}

/* The class of TCP flags, which may be one packet's or or'ed over a flow's packets. ECN's
 * two bits count only in a SYN, where DOMINATE-like tools set both; so does an honest
 * client, but never without TCP options (RFC 3168 section 6.1.1). */
static enum fixed class_of_flags(unsigned flags)
{
	enum { F = FLOW_TCP_FIN, S = FLOW_TCP_SYN, R = FLOW_TCP_RST, P = FLOW_TCP_PSH,
	       A = FLOW_TCP_ACK, U = FLOW_TCP_URG, ECN = FLOW_TCP_ECE | FLOW_TCP_CWR };
	unsigned f = flags & ~(unsigned)ECN;

	if (f == 0)
		return TCP_NULL; /* or flags that the exporter does not know */
	if (f == S)
		return (flags & ECN) == ECN ? TCP_SYNECN : TCP_SYN;
	if (f == (S | A))
		return TCP_SYNACK;
	if ((f & (F | P | U)) == (F | P | U) && (f & (A | S)) != A)
		return TCP_XMAS; /* 0x29, 0x3f; with ACK alone it is a connection's end */
	if ((f & S) != 0 && (f & A) != 0)
		return TCP_FLOW; /* a SYN and what came after it: summed up */
	if ((f & S) != 0)
		return (f & F) != 0 ? TCP_SYNFIN : TCP_ODD;
	if ((f & R) != 0)
		return TCP_RST;
	if ((f & U) != 0)
		return TCP_URG;
	if ((f & F) != 0)
		return TCP_FIN;
	if ((f & A) != 0)
		return (f & P) != 0 ? TCP_DATA : TCP_ACK;
	return TCP_ODD; /* PSH alone */
}

static void compile_fixed(struct vector_classes *c)
{
	for (size_t i = 0; i < FIXED; i++)
		(void)text_copy(c->id[i], sizeof(c->id[i]), fixed_ids[i]);
	c->count = FIXED;
	for (unsigned flags = 0; flags < 256; flags++) {
		c->tcp[flags] = (uint8_t)class_of_flags(flags);
		if ((flags & FLOW_TCP_SYN) != 0 && (flags & (FLOW_TCP_ACK | FLOW_TCP_RST)) != 0)
			c->tcp_ask[flags] = c->tcp[flags] == TCP_FLOW ? VECTOR_ASK_ONE
								      : VECTOR_ASK_SEVERAL;
	}
	memset(c->icmp4, ICMP_OTHER, sizeof(c->icmp4));
	c->icmp4[8] = ICMP_ECHO;
	c->icmp4[0] = ICMP_REPLY;
	c->icmp4[3] = ICMP_UNREACHABLE;
	c->icmp4[11] = ICMP_EXCEEDED;
	memset(c->icmp6, ICMP_OTHER, sizeof(c->icmp6));
	c->icmp6[128] = ICMP_ECHO;
	c->icmp6[129] = ICMP_REPLY;
	c->icmp6[1] = ICMP_UNREACHABLE;
	c->icmp6[3] = ICMP_EXCEEDED;
	memset(c->protocol, PROTO_OTHER, sizeof(c->protocol));
	c->protocol[47] = GRE;
	c->protocol[50] = ESP;
	c->protocol[4] = c->protocol[41] = IPIP;
	c->protocol[2] = IGMP;
	c->fragment = FRAG;
	port_class_fill(&c->udp_from, 0);
	port_class_fill(&c->udp_to, UDP_OTHER);
	/* Exporters that do not tell fragments give those without ports port 0 on both sides. */
	port_class_set(&c->udp_to, 0, FRAG);
}

enum {
	BARE_MIN = 54,    /* bytes: headers of Ethernet (where that is counted), IPv4 and TCP */
	BARE_MAX = 98,    /* a link's, IPv6's, and TCP's with twenty bytes of options */
	EPHEMERAL = 32768 /* ports that systems connect from, mostly; hardly any answers a SYN */
};

/* May all packets of the record be alike, with no data? Headers are multiples of four bytes; an
 * Ethernet header of 14 or 18 on top leaves two. */
static bool may_be_alike(const struct flow *f)
{
	uint64_t size = f->bytes / f->packets;

	return size <= BARE_MAX && f->bytes % f->packets == 0 &&
	       (size % 4 == 0 || (size % 4 == 2 && size >= BARE_MIN));
}

/* A SYN-ACK is sent from the port of a service. Told by it are a SYN of 60 bytes and an ACK of 52,
 * which are 56 in the mean, or 52 and twice 40. */
static bool is_client(const struct flow *f)
{
	return f->sport >= EPHEMERAL && f->dport < EPHEMERAL;
}

uint8_t vector_class_asked(const struct vector_classes *c, const struct flow *f)
{
	if (f->packets == 1)
		return TCP_ODD;
	bool synack = c->tcp[f->tcp_flags] == c->tcp[FLOW_TCP_SYN | FLOW_TCP_ACK];
	bool alike = may_be_alike(f) && !(synack && is_client(f));

	return c->tcp[alike ? f->tcp_flags : VECTOR_FLAGS_FLOW];
}

uint8_t vector_class_find(const struct vector_classes *c, const char *id)
{
	for (uint8_t i = 1; i < c->count; i++) {
		if (strcmp(c->id[i], id) == 0)
			return i;
	}
	return 0;
}

/* The class of a row, new if need be. */
static uint8_t class_open(struct vector_classes *c, const struct vector_row *row)
{
	uint8_t class = vector_class_find(c, row->class);
	if (class != 0)
		return class;
	if (c->count == VECTOR_CLASSES_MAX)
		return row->family == VECTOR_AMPLIFICATION ? AMP_RARE : UDP_OTHER;
	(void)text_copy(c->id[c->count], sizeof(c->id[0]), row->class);
	return c->count++;
}

static void take_ports(struct port_classes *table, const struct vector_ports *ports, size_t count,
		       uint8_t free, uint8_t class)
{
	for (size_t i = 0; i < count; i++) {
		for (unsigned port = ports[i].low; port <= ports[i].high; port++) {
			if (port_class(table, (uint16_t)port) == free)
				port_class_set(table, (uint16_t)port, class);
		}
	}
}

bool vector_payload_fits(const uint8_t *bytes, const uint8_t *payload, const uint8_t *mask,
			 size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((bytes[i] & mask[i]) != payload[i])
			return false;
	}
	return true;
}

/* Rows past the maximum are told by their ports alone. */
static void take_mark(struct vector_classes *c, const struct vector_row *row)
{
	uint8_t class = row->any_port ? 0 : vector_class_find(c, row->class);

	if (row->status != SOURCE_REFLECTOR || row->payload_len == 0 ||
	    (class == 0 && !row->any_port) || c->mark_count == VECTOR_MARKS_MAX)
		return;
	struct vector_mark *m = &c->marks[c->mark_count++];
	*m = (struct vector_mark){.class = class, .at = row->payload_at, .len = row->payload_len,
				  .length_min = row->length_min, .length_max = row->length_max};
	memcpy(m->payload, row->payload, sizeof(m->payload));
	memcpy(m->mask, row->mask, sizeof(m->mask));
}

void vector_book_compile(const struct vector_book *b, struct vector_classes *ret_classes)
{
	struct vector_classes *c = ret_classes;

	memset(c, 0, sizeof(*c));
	compile_fixed(c);
	for (uint32_t i = 0; i < b->count; i++) {
		const struct vector_row *row = &b->rows[i];
		if (row->class[0] == '\0' || row->protocol != 17)
			continue;
		uint8_t class = class_open(c, row);
		take_ports(&c->udp_from, row->from, row->from_count, 0, class);
		take_ports(&c->udp_to, row->to, row->to_count, UDP_OTHER, class);
	}
	c->status[AMP_RARE] = SOURCE_REFLECTOR;
	for (uint32_t i = b->count; i-- > 0;) { /* the first row of a class has the last word */
		uint8_t class = vector_class_find(c, b->rows[i].class);
		if (class != 0)
			c->status[class] = (uint8_t)b->rows[i].status;
	}
	for (uint32_t i = 0; i < b->count; i++)
		take_mark(c, &b->rows[i]);
}
