/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/packet.h"

#include "base/wire.h"
#include "decode/packet_inner.h"
#include "decode/packet_plain.h"

#include <string.h>

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	LENGTH_MAX = 65535,

	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_DCCP = 33,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_NONE = 59,
	PROTOCOL_OPTIONS = 60,
	PROTOCOL_SCTP = 132,
	PROTOCOL_MOBILITY = 135,
	PROTOCOL_UDP_LITE = 136,
	PROTOCOL_HIP = 139,
	PROTOCOL_SHIM6 = 140,
};

/* Sixteen bytes at a time, written out: of memset() of this size compilers make an instruction
 * (rep stos) that takes longer than all the rest of the parsing. */
static inline void flow_clear(struct flow *f)
{
	typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
	_Static_assert(sizeof(struct flow) == 7 * sizeof(pair), "seven pairs");
	pair *p = (pair *)f;
	const pair zero = {0, 0};
	p[0] = zero;
	p[1] = zero;
	p[2] = zero;
	p[3] = zero;
	p[4] = zero;
	p[5] = zero;
	p[6] = zero;
}

static inline void payload_at(struct flow *f, const struct part *p, uint32_t header)
{
	if (p->seen <= header)
		return;
	uint32_t len = p->seen - header;
	f->payload = p->at + header;
	f->payload_len = (uint16_t)(len < LENGTH_MAX ? len : LENGTH_MAX);
}

static inline void tcp(struct flow *f, const struct part *p)
{
	const uint8_t *t = p->at;
	if (p->seen < 16) {
		/* Sequence and window are not known: then nothing of the one packet is. */
		f->known &= (uint8_t)~FLOW_PACKET;
		f->length = 0;
		if (p->seen < 14)
			return;
	}
	f->tcp_flags = t[13];
	f->known |= FLOW_FLAGS;
	if (p->seen < 16)
		return;
	f->sequence = wire_u32(t + 4);
	f->window = wire_u16(t + 14);
	uint32_t header = (uint32_t)(t[12] >> 4) * 4;
	if (header < 20)
		return;
	f->options_len = (uint8_t)(header - 20);
	payload_at(f, p, header);
}

/* Ports, flags and payload, as far as they can be read. */
static inline void transport(struct flow *f, const struct part *p)
{
	const uint8_t *t = p->at;
	switch (f->protocol) {
	case PROTOCOL_TCP:
		if (p->seen >= 4) {
			f->sport = wire_u16(t);
			f->dport = wire_u16(t + 2);
		}
		tcp(f, p);
		return;
	case PROTOCOL_UDP:
		if (p->seen < 4)
			return;
		f->sport = wire_u16(t);
		f->dport = wire_u16(t + 2);
		if (p->seen > 8) {
			struct part datagram = *p;
			uint32_t len = wire_u16(t + 4);
			/* 0 and less than its own header: then the IP header's length stands. */
			if (len >= 8 && len < datagram.seen)
				datagram.seen = len;
			payload_at(f, &datagram, 8);
		}
		return;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMP6:
		if (p->seen < 2)
			return;
		f->dport = (uint16_t)(t[0] << 8 | t[1]);
		payload_at(f, p, 8);
		return;
	case PROTOCOL_SCTP:
	case PROTOCOL_DCCP:
	case PROTOCOL_UDP_LITE:
		if (p->seen < 4)
			return;
		f->sport = wire_u16(t);
		f->dport = wire_u16(t + 2);
		return;
	default:
		return;
	}
}

/* Cuts the part down to an IP packet of `total` bytes and passes over its header, of which
 * the capture may miss the end. */
static inline struct part above_of(const struct part *p, uint32_t total, uint32_t header)
{
	struct part above = {p->at, p->seen < total ? p->seen : total, total};
	if (above.seen < header) {
		above.whole = 0;
		above.seen = 0;
		return above;
	}
	above.at += header;
	above.seen -= header;
	above.whole -= header;
	return above;
}

static inline enum wd_err ipv4(const struct part *p, struct flow *f, struct part *ret_above)
{
	const uint8_t *ip = p->at;
	if (p->seen < IPV4_HEADER)
		return WD_SHORT;
	uint32_t header = (uint32_t)(ip[0] & 15) * 4;
	uint32_t total = wire_u16(ip + 2);
	if (ip[0] >> 4 != 4 || header < IPV4_HEADER)
		return WD_MALFORMED;
	uint32_t length = total;
	if (total == 0) {
		total = p->whole;
		length = total < LENGTH_MAX ? total : LENGTH_MAX;
	} else if (total > p->whole) {
		total = p->whole;
	}
	if (length < header || total < header)
		return WD_MALFORMED;

	flow_clear(f);
	memcpy(f->src, ip + 12, 4);
	memcpy(f->dst, ip + 16, 4);
	f->packets = 1;
	f->bytes = total;
	f->sampling = 1;
	f->length = (uint16_t)length;
	f->family = 4;
	f->protocol = ip[9];
	f->ttl = ip[8];
	f->known = FLOW_TTL | FLOW_PACKET;
	*ret_above = above_of(p, total, header);

	uint32_t fragment = wire_u16(ip + 6) & 0x3fff; /* "more" and the offset */
	if (fragment != 0) {
		f->fragment = fragment & 0x1fff ? FLOW_FRAGMENT_LATER : FLOW_FRAGMENT_FIRST;
		if (f->fragment == FLOW_FRAGMENT_LATER)
			return WD_OK;
	}
	transport(f, ret_above);
	return WD_OK;
}

/* Passes over IPv6 extension headers. False: what follows cannot be read. */
static bool extensions(struct flow *f, struct part *p)
{
	for (uint32_t i = 0;; i++) {
		const uint8_t *header = p->at;
		uint32_t len;
		switch (f->protocol) {
		case PROTOCOL_HOP_BY_HOP:
		case PROTOCOL_ROUTING:
		case PROTOCOL_OPTIONS:
		case PROTOCOL_MOBILITY:
		case PROTOCOL_HIP:
		case PROTOCOL_SHIM6:
			if (p->seen < 2)
				return false;
			len = (header[1] + 1u) * 8;
			break;
		case PROTOCOL_AH:
			if (p->seen < 2)
				return false;
			len = (header[1] + 2u) * 4;
			break;
		case PROTOCOL_FRAGMENT:
			if (p->seen < 8)
				return false;
			len = 8;
			/* An offset, else "more"; neither is a whole packet (RFC 6946). */
			if (wire_u16(header + 2) & 0xfff8)
				f->fragment = FLOW_FRAGMENT_LATER;
			else if (header[3] & 1)
				f->fragment = FLOW_FRAGMENT_FIRST;
			break;
		default:
			return true;
		}
		if (i == PACKET_EXTENSIONS_MAX)
			return false;
		f->protocol = header[0];
		if (f->fragment == FLOW_FRAGMENT_LATER || !part_skip(p, len))
			return false;
	}
}

static enum wd_err ipv6(const struct part *p, struct flow *f, struct part *ret_above)
{
	const uint8_t *ip = p->at;
	if (p->seen < IPV6_HEADER)
		return WD_SHORT;
	if (ip[0] >> 4 != 6)
		return WD_MALFORMED;
	uint32_t payload = wire_u16(ip + 4);
	uint32_t total = payload + IPV6_HEADER;
	/* 0: a jumbogram, or left to the network card; unless nothing is to follow. */
	if (payload == 0 && ip[6] != PROTOCOL_NONE)
		total = p->whole;
	uint32_t length = total < LENGTH_MAX ? total : LENGTH_MAX;
	if (total > p->whole)
		total = p->whole;

	flow_clear(f);
	memcpy(f->src, ip + 8, 16);
	memcpy(f->dst, ip + 24, 16);
	f->packets = 1;
	f->bytes = total;
	f->sampling = 1;
	f->length = (uint16_t)length;
	f->family = 6;
	f->protocol = ip[6];
	f->ttl = ip[7];
	f->known = FLOW_TTL | FLOW_PACKET;
	*ret_above = above_of(p, total, IPV6_HEADER);
	if (extensions(f, ret_above))
		transport(f, ret_above);
	else
		ret_above->seen = 0;
	return WD_OK;
}

static inline enum wd_err ip(const struct part *p, uint16_t type, struct flow *f,
			     struct part *ret_above)
{
	return type == ETHERTYPE_IPV4 ? ipv4(p, f, ret_above) : ipv6(p, f, ret_above);
}

/* What is sent to a tunnel's end inside of the tunnel comes out of none: a flood made it up. */
static bool to_its_own_end(const struct flow *outer, const struct flow *inside)
{
	return outer->family == inside->family &&
	       memcmp(outer->dst, inside->dst, sizeof(outer->dst)) == 0;
}

/* Which of the packets inside each other counts: see struct packet_options. */
static __attribute__((noinline)) void tunnels(const struct packet_options *o,
					      const struct part *above_outer, struct flow *ret)
{
	struct part above = *above_outer;
	struct flow outer = *ret;
	for (uint32_t i = 0; i < PACKET_TUNNELS_MAX && packet_is_tunnel(&outer); i++) {
		struct part next;
		struct flow inside;
		uint16_t type;
		if (packet_tunnel_open(&outer, &above, &type) != WD_OK ||
		    ip(&above, type, &inside, &next) != WD_OK)
			return;
		if (o == NULL || o->watched == NULL || !o->watched(o->context, ret) ||
		    (o->watched(o->context, &inside) && !to_its_own_end(ret, &inside)))
			*ret = inside;
		outer = inside;
		above = next;
	}
}

enum wd_err packet_walk(const struct packet *packet, const struct packet_options *o,
			struct flow *ret)
{
	uint32_t whole = packet_whole(packet->wire_length, packet->captured);
	struct part p = {packet->bytes, packet->captured, whole};
	struct part above;
	uint16_t type = 0;
	enum wd_err err = WD_OK;
	if (packet->linktype == PACKET_ETHERNET && p.seen >= 14 &&
	    wire_u16(p.at + 12) == ETHERTYPE_IPV4) {
		type = ETHERTYPE_IPV4; /* the most of what is not plain */
		p.at += 14;
		p.seen -= 14;
		p.whole -= 14;
	} else {
		err = packet_link_open(&p, packet->linktype, &type);
	}
	if (err == WD_OK)
		err = ip(&p, type, ret, &above);
	if (err != WD_OK)
		return err;
	if (packet_is_tunnel(ret) && (o == NULL || o->decapsulate))
		tunnels(o, &above, ret);
	if (packet->at.ns != 0) {
		ret->first_ms = ret->last_ms = floor_div(packet->at.ns, 1000000);
		ret->known |= FLOW_TIMES;
	}
	return WD_OK;
}

enum wd_err packet_parse(const struct packet *p, const struct packet_options *o,
			 struct flow *ret)
{
	if (p->linktype == PACKET_ETHERNET &&
	    packet_plain(p->bytes, p->captured, packet_whole(p->wire_length, p->captured),
			 plain_time(p->at), ret))
		return WD_OK;
	return packet_walk(p, o, ret);
}
