/* SPDX-License-Identifier: Apache-2.0 */
/* packet_tunnel: from what an IP packet carries to the IP packet inside that. */
#include "base/wire.h"
#include "decode/packet_inner.h"

enum {
	PROTOCOL_IPIP = 4,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_GRE = 47,
	PROTOCOL_ETHERIP = 97,
	PROTOCOL_MPLS = 137,

	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACKNOWLEDGED = 0x0080,
	GRE_VERSION = 7,
	GRE_PPP = 0x880b,
	GRE_ERSPAN = 0x88be,   /* type II with a sequence number and a header, type I without */
	GRE_ERSPAN_3 = 0x22eb,

	GTP_VERSION_1 = 0x30, /* of the first four bits; the last of them tells GTP from GTP' */
	GTP_OPTIONAL = 0x07,  /* one of these, and there are four bytes more */
	GTP_EXTENDED = 0x04,
	GTP_PACKET = 255,
	GTP_EXTENSIONS_MAX = 4,

	L2TP_CONTROL = 0x8000,
	L2TP_LENGTH = 0x4000,
	L2TP_SEQUENCE = 0x0800,
	L2TP_OFFSET = 0x0200,
	L2TP_VERSION = 0x000f,

	TZSP_RECEIVED = 0,
	TZSP_ETHERNET = 1,
	TZSP_PADDING = 0, /* these two tags have no length */
	TZSP_END = 1,
	TZSP_TAGS_MAX = 32,
};

/* RFC 2637: GRE as PPTP uses it. */
static enum wd_err gre_ppp(struct part *p, uint16_t flags, uint16_t *ret_type)
{
	uint32_t len = 4;
	len += flags & GRE_SEQUENCE ? 4 : 0;
	len += flags & GRE_ACKNOWLEDGED ? 4 : 0;
	if (!(flags & GRE_KEY) || *ret_type != GRE_PPP)
		return WD_UNKNOWN;
	return part_skip(p, len) ? packet_ppp_open(p, ret_type) : WD_SHORT;
}

/* draft-foschiano-erspan-03: the header ahead of a mirrored frame. */
static enum wd_err erspan(struct part *p, uint16_t flags, uint16_t *ret_type)
{
	uint32_t len = 0;
	if (*ret_type == GRE_ERSPAN_3) {
		if (p->seen < 12)
			return WD_SHORT;
		len = p->at[11] & 1 ? 20 : 12;
	} else if (flags & GRE_SEQUENCE) {
		len = 8;
	}
	*ret_type = ETHERTYPE_BRIDGED;
	return part_skip(p, len) ? packet_type_open(p, ret_type) : WD_SHORT;
}

static enum wd_err gre(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 4))
		return WD_SHORT;
	uint16_t flags = wire_u16(header);
	*ret_type = wire_u16(header + 2);
	if ((flags & GRE_VERSION) == 1)
		return gre_ppp(p, flags, ret_type);
	if ((flags & GRE_VERSION) != 0 || flags & GRE_ROUTING)
		return WD_UNKNOWN;
	uint32_t len = 0;
	len += flags & GRE_CHECKSUM ? 4 : 0;
	len += flags & GRE_KEY ? 4 : 0;
	len += flags & GRE_SEQUENCE ? 4 : 0;
	if (!part_skip(p, len))
		return WD_SHORT;
	if (*ret_type == GRE_ERSPAN || *ret_type == GRE_ERSPAN_3)
		return erspan(p, flags, ret_type);
	return packet_type_open(p, ret_type);
}

/* VXLAN (RFC 7348): a flag that the network's number is valid, perhaps one for a group's policy,
 * and no other; then a frame. */
static enum wd_err vxlan(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 8))
		return WD_SHORT;
	if ((header[0] & 0x7f) != 0x08 || header[7] != 0)
		return WD_UNKNOWN;
	*ret_type = ETHERTYPE_BRIDGED;
	return packet_type_open(p, ret_type);
}

/* draft-ietf-nvo3-vxlan-gpe-13: the flags say that the network's number and what comes next are
 * valid. */
static enum wd_err vxlan_gpe(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 8))
		return WD_SHORT;
	if (header[0] != 0x0c || header[7] != 0)
		return WD_UNKNOWN;
	enum wd_err err = packet_service_type(header[3], ret_type);
	return err == WD_OK ? packet_type_open(p, ret_type) : err;
}

/* RFC 8926. */
static enum wd_err geneve(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 8))
		return WD_SHORT;
	if (header[0] >> 6 != 0 || header[7] != 0)
		return WD_UNKNOWN;
	*ret_type = wire_u16(header + 2);
	if (*ret_type < 0x0600)
		return WD_UNKNOWN;
	return part_skip(p, (header[0] & 0x3fu) * 4) ? packet_type_open(p, ret_type) : WD_SHORT;
}

/* 3GPP TS 29.281: what a phone sends and gets. Inside is IP, or the frame of an Ethernet session.
 */
static enum wd_err gtp(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 8))
		return WD_SHORT;
	if ((header[0] & 0xf0) != GTP_VERSION_1 || header[1] != GTP_PACKET)
		return WD_UNKNOWN;
	uint8_t next = 0;
	if (header[0] & GTP_OPTIONAL) {
		if (!part_skip(p, 4))
			return WD_SHORT;
		next = header[0] & GTP_EXTENDED ? header[11] : 0;
	}
	/* An extension says how many words of four bytes it has; its last byte names the next. */
	for (uint32_t i = 0; next != 0; i++) {
		if (p->seen < 4)
			return WD_SHORT;
		uint32_t len = p->at[0] * 4u;
		if (len == 0 || i == GTP_EXTENSIONS_MAX)
			return WD_UNKNOWN;
		if (!part_skip(p, len))
			return WD_SHORT;
		next = p->at[-1];
	}
	if (p->seen < 1)
		return WD_SHORT;
	uint8_t version = p->at[0] >> 4;
	*ret_type = version == 4   ? ETHERTYPE_IPV4
		    : version == 6 ? ETHERTYPE_IPV6
				   : ETHERTYPE_BRIDGED;
	return packet_type_open(p, ret_type);
}

/* RFC 2661: data of a session. Of version 3 only its ends know how long the head is. */
static enum wd_err l2tp(struct part *p, uint16_t *ret_type)
{
	if (p->seen < 2)
		return WD_SHORT;
	uint16_t flags = wire_u16(p->at);
	uint32_t len = 6;
	if (flags & L2TP_CONTROL || (flags & L2TP_VERSION) != 2)
		return WD_UNKNOWN;
	len += flags & L2TP_LENGTH ? 2 : 0;
	len += flags & L2TP_SEQUENCE ? 4 : 0;
	if (!part_skip(p, len))
		return WD_SHORT;
	if (flags & L2TP_OFFSET) {
		if (p->seen < 2)
			return WD_SHORT;
		if (!part_skip(p, 2u + wire_u16(p->at)))
			return WD_SHORT;
	}
	return packet_ppp_open(p, ret_type);
}

/* TZSP: a frame that a router mirrors, behind tags of a type, a length and so many bytes. */
static enum wd_err tzsp(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 4))
		return WD_SHORT;
	if (header[0] != 1 || header[1] != TZSP_RECEIVED || wire_u16(header + 2) != TZSP_ETHERNET)
		return WD_UNKNOWN;
	for (uint32_t i = 0; i < TZSP_TAGS_MAX; i++) {
		const uint8_t *tag = p->at;
		if (!part_skip(p, 1))
			return WD_SHORT;
		if (tag[0] == TZSP_END) {
			*ret_type = ETHERTYPE_BRIDGED;
			return packet_type_open(p, ret_type);
		}
		if (tag[0] != TZSP_PADDING && (p->seen < 1 || !part_skip(p, 1u + tag[1])))
			return WD_SHORT;
	}
	return WD_UNKNOWN;
}

static enum wd_err over_udp(uint16_t port, struct part *p, uint16_t *ret_type)
{
	switch (port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return vxlan(p, ret_type);
	case PORT_VXLAN_GPE:
		return vxlan_gpe(p, ret_type);
	case PORT_GENEVE:
		return geneve(p, ret_type);
	case PORT_GTP_U:
		return gtp(p, ret_type);
	case PORT_L2TP:
		return l2tp(p, ret_type);
	case PORT_TZSP:
		return tzsp(p, ret_type);
	default:
		return WD_UNKNOWN;
	}
}

enum wd_err packet_tunnel_open(const struct flow *f, struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	switch (f->protocol) {
	case PROTOCOL_IPIP:
		*ret_type = ETHERTYPE_IPV4;
		return WD_OK;
	case PROTOCOL_IPV6:
		*ret_type = ETHERTYPE_IPV6;
		return WD_OK;
	case PROTOCOL_GRE:
		return gre(p, ret_type);
	case PROTOCOL_MPLS:
		*ret_type = ETHERTYPE_MPLS;
		return packet_type_open(p, ret_type);
	case PROTOCOL_ETHERIP:
		if (!part_skip(p, 2))
			return WD_SHORT;
		if (header[0] != 0x30)
			return WD_UNKNOWN;
		*ret_type = ETHERTYPE_BRIDGED;
		return packet_type_open(p, ret_type);
	case PROTOCOL_UDP:
		return part_skip(p, 8) ? over_udp(f->dport, p, ret_type) : WD_SHORT;
	default:
		return WD_UNKNOWN;
	}
}
