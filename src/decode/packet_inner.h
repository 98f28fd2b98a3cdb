/* SPDX-License-Identifier: Apache-2.0 */
/* packet_inner: what the files of decode/packet share. */
#ifndef WD_DECODE_PACKET_INNER_H
#define WD_DECODE_PACKET_INNER_H

#include "decode/packet.h"

#include <stdbool.h>
#include <stdint.h>

/* What is left of a packet from here on: how much of it can be read, and how much there was
 * on the wire. whole >= seen. */
struct part {
	const uint8_t *at;
	uint32_t seen, whole;
};

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UPSTREAM = 0x8848,
	ETHERTYPE_NSH = 0x894f,
	ETHERTYPE_BRIDGED = 0x6558, /* an Ethernet frame inside */

	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
};

/* How long a packet was on the wire: no shorter than what is there of it. */
static inline uint32_t packet_whole(uint32_t wire_length, uint32_t captured)
{
	uint32_t whole = wire_length < PACKET_WIRE_MAX ? wire_length : PACKET_WIRE_MAX;
	return whole > captured ? whole : captured;
}

/* False if fewer bytes can be read. */
static inline bool part_skip(struct part *p, uint32_t len)
{
	if (p->seen < len)
		return false;
	p->at += len;
	p->seen -= len;
	p->whole -= len;
	return true;
}

/* packet_parse, for all packets alike. */
enum wd_err packet_walk(const struct packet *p, const struct packet_options *options,
			struct flow *ret) WD_MUST_CHECK;

/* To the IP header behind a link layer; the type is ETHERTYPE_IPV4 or ETHERTYPE_IPV6. */
enum wd_err packet_link_open(struct part *p, uint32_t linktype,
			     uint16_t *ret_type) WD_MUST_CHECK;
/* The same from behind an EtherType on. */
enum wd_err packet_type_open(struct part *p, uint16_t *type) WD_MUST_CHECK;
/* The EtherType of what a network service header, or VXLAN-GPE, says comes next. */
enum wd_err packet_service_type(uint8_t next, uint16_t *ret_type) WD_MUST_CHECK;
/* The same from a PPP header on. */
enum wd_err packet_ppp_open(struct part *p, uint16_t *ret_type) WD_MUST_CHECK;

enum {
	PORT_L2TP = 1701,
	PORT_GTP_U = 2152,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_GENEVE = 6081,
	PORT_VXLAN_LINUX = 8472,
	PORT_TZSP = 37008,
};

static inline bool packet_is_tunnel_port(uint16_t port)
{
	return (port == PORT_VXLAN) | (port == PORT_VXLAN_GPE) | (port == PORT_VXLAN_LINUX) |
	       (port == PORT_GENEVE) | (port == PORT_GTP_U) | (port == PORT_L2TP) |
	       (port == PORT_TZSP);
}

/* Could this flow be a tunnel? Cheap; most are not. */
static inline bool packet_is_tunnel(const struct flow *f)
{
	switch (f->protocol) {
	case 4:
	case 41:
	case 47:
	case 97:
	case 137:
		return f->fragment != FLOW_FRAGMENT_LATER;
	case 17:
		return packet_is_tunnel_port(f->dport) && f->payload_len >= 8;
	default:
		return false;
	}
}

/* From what is above the IP header of such a flow to the IP header inside, if there is one. */
enum wd_err packet_tunnel_open(const struct flow *f, struct part *p,
			       uint16_t *ret_type) WD_MUST_CHECK;

#endif
