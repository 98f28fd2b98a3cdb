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
	PORT_GENEVE = 6081,

	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACKNOWLEDGED = 0x0080,
	GRE_VERSION = 7,
	GRE_PPP = 0x880b,
	GRE_ERSPAN = 0x88be,   /* type II with a sequence number and a header, type I without */
	GRE_ERSPAN_3 = 0x22eb,
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

/* VXLAN: a flag that the network's number is valid, and no other; then a frame. */
static enum wd_err vxlan(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 8))
		return WD_SHORT;
	if (header[0] != 0x08 || header[7] != 0)
		return WD_UNKNOWN;
	*ret_type = ETHERTYPE_BRIDGED;
	return packet_type_open(p, ret_type);
}

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
		if (!part_skip(p, 8))
			return WD_SHORT;
		return f->dport == PORT_GENEVE ? geneve(p, ret_type) : vxlan(p, ret_type);
	default:
		return WD_UNKNOWN;
	}
}
