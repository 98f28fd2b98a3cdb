/* SPDX-License-Identifier: Apache-2.0 */
/* packet_plain: the flow of what nearly every packet is: Ethernet, at most one VLAN tag, IPv4
 * without options or IPv6 without extension headers, no fragment, TCP or UDP whose header is
 * all there, and no tunnel. All of it is checked at a few places and the rest is straight
 * through, TCP or UDP alike, since which of them comes next cannot be foreseen.
 *
 * What it takes it takes exactly as packet_walk does; packet_plain_test and packet_fuzz
 * compare the two. Internal to decode/packet and decode/sflow. */
#ifndef WD_DECODE_PACKET_PLAIN_H
#define WD_DECODE_PACKET_PLAIN_H

#include "base/units.h"
#include "base/wire.h"
#include "decode/packet_inner.h"
#include "model/flow.h"

#include <stddef.h>
#include <string.h>

enum {
	PLAIN_ETHERNET = 14,
	PLAIN_TAG = 4,
	PLAIN_IPV4 = 20,
	PLAIN_IPV6 = 40,
	PLAIN_TCP = 20,
	PLAIN_UDP = 8,
};

/* When a packet came: FLOW_TIMES, or 0 where that is not told. */
struct plain_time { int64_t ms; uint8_t known; };

static inline struct plain_time plain_time(wd_wall at)
{
	return (struct plain_time){floor_div(at.ns, 1000000), at.ns != 0 ? FLOW_TIMES : 0};
}

/* An IP header that was looked at, and what stands above it. */
struct plain {
	const uint8_t *above; /* PLAIN_TCP bytes can be read, whatever they belong to */
	uint32_t seen;        /* bytes of the packet from there on */
	uint32_t total;       /* of the packet, its header with it */
	uint8_t family, protocol, ttl;
};

/* False if what is above IP is something else. */
static inline bool plain_finish(const struct plain *p, struct plain_time at, struct flow *f)
{
	const uint8_t *t = p->above;
	uint32_t is_tcp = p->protocol == PROTOCOL_TCP, is_udp = is_tcp ^ 1;
	uint32_t tcp = 0 - is_tcp, udp = ~tcp; /* masks: a choice without a jump */
	uint16_t dport = wire_u16(t + 2);
	uint32_t least = PLAIN_UDP + (tcp & (PLAIN_TCP - PLAIN_UDP));
	uint32_t header = (tcp & t[12] >> 2 & 0x3c) | (udp & PLAIN_UDP);
	uint32_t other = is_udp & (p->protocol != PROTOCOL_UDP);
	uint32_t tunnel = is_udp & packet_is_tunnel_port(dport);
	if (__builtin_expect((p->seen < least) | (header < least) | other | tunnel, 0))
		return false;
	/* UDP's own length, where it is no less than its header (less is a great number here) and
	 * less than what there is. */
	uint32_t words = wire_u32(t + 4), datagram = (words >> 16) | tcp;
	uint32_t end = datagram - PLAIN_UDP < p->seen - PLAIN_UDP ? datagram : p->seen;
	uint64_t has = 0 - (uint64_t)(end > header);

	f->packets = 1;
	f->bytes = p->total;
	f->first_ms = f->last_ms = at.ms;
	f->payload = (const uint8_t *)((uintptr_t)(t + header) & has);
	f->sampling = 1;
	f->src_as = f->dst_as = 0;
	f->sequence = words & tcp;
	f->sport = wire_u16(t);
	f->dport = dport;
	f->length = (uint16_t)p->total;
	f->window = (uint16_t)(wire_u16(t + 14) & tcp);
	f->payload_len = (uint16_t)((end - header) & has);
	f->options_len = (uint8_t)(header - least);
	f->family = p->family;
	f->protocol = p->protocol;
	f->tcp_flags = (uint8_t)(t[13] & tcp);
	f->ttl = p->ttl;
	f->fragment = FLOW_WHOLE;
	f->known = (uint8_t)(FLOW_TTL | FLOW_PACKET | (FLOW_FLAGS & tcp) | at.known);
	f->class = 0;
	return true;
}

static inline bool plain_ipv4(const uint8_t *ip, uint32_t seen, uint32_t whole,
			      struct plain_time at, struct flow *f)
{
	if (__builtin_expect(seen < PLAIN_IPV4 + PLAIN_TCP, 0))
		return false;
	uint32_t total = wire_u16(ip + 2), fragment = wire_u16(ip + 6) & 0x3fff;
	if (__builtin_expect(ip[0] != 0x45 || fragment != 0 || total < PLAIN_IPV4 ||
			     total > whole, 0))
		return false;
	const struct plain p = {
		.above = ip + PLAIN_IPV4,
		.seen = (seen < total ? seen : total) - PLAIN_IPV4,
		.total = total,
		.family = 4,
		.protocol = ip[9],
		.ttl = ip[8],
	};
	memset(f->src, 0, sizeof(f->src));
	memset(f->dst, 0, sizeof(f->dst));
	memcpy(f->src, ip + 12, 4);
	memcpy(f->dst, ip + 16, 4);
	return plain_finish(&p, at, f);
}

static inline bool plain_ipv6(const uint8_t *ip, uint32_t seen, uint32_t whole,
			      struct plain_time at, struct flow *f)
{
	if (__builtin_expect(seen < PLAIN_IPV6 + PLAIN_TCP, 0))
		return false;
	/* A payload of 0 says something else (packet.c), and so does a length past 65,535. */
	uint32_t total = wire_u16(ip + 4) + PLAIN_IPV6;
	if (__builtin_expect(ip[0] >> 4 != 6 || total == PLAIN_IPV6 || total > whole ||
			     total > UINT16_MAX, 0))
		return false;
	const struct plain p = {
		.above = ip + PLAIN_IPV6,
		.seen = (seen < total ? seen : total) - PLAIN_IPV6,
		.total = total,
		.family = 6,
		.protocol = ip[6],
		.ttl = ip[7],
	};
	memcpy(f->src, ip + 8, 16);
	memcpy(f->dst, ip + 24, 16);
	return plain_finish(&p, at, f);
}

/* An Ethernet frame of which `seen` bytes are there of `whole` on the wire (at least `seen`).
 * False: it is something else; *f was written to only if packet_walk gives a flow. */
static inline bool packet_plain(const uint8_t *frame, uint32_t seen, uint32_t whole,
				struct plain_time at, struct flow *f)
{
	if (__builtin_expect(seen < PLAIN_ETHERNET + PLAIN_TAG, 0))
		return false;
	uint16_t type = wire_u16(frame + 12);
	uint32_t head = PLAIN_ETHERNET;
	if (type == ETHERTYPE_VLAN) {
		type = wire_u16(frame + 16);
		head += PLAIN_TAG;
	}
	if (type == ETHERTYPE_IPV4)
		return plain_ipv4(frame + head, seen - head, whole - head, at, f);
	if (type == ETHERTYPE_IPV6)
		return plain_ipv6(frame + head, seen - head, whole - head, at, f);
	return false;
}

#endif
