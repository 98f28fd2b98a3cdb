/* SPDX-License-Identifier: Apache-2.0 */
/* packet_link: from a link layer to the IP header behind it. */
#include "base/check.h"
#include "base/wire.h"
#include "decode/packet_inner.h"

enum {
	ETHERTYPE_MIN = 0x0600, /* below: the length of an IEEE 802.3 frame */
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100, /* and 0x9200, 0x9300: before 802.1ad had its own */
	ETHERTYPE_QINQ_OLD_2 = 0x9200,
	ETHERTYPE_QINQ_OLD_3 = 0x9300,

	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
	PPP_MPLS_UPSTREAM = 0x0283,
};

/* Two bytes that are `at` bytes into the next `len`, which are passed over. */
static enum wd_err type_within(struct part *p, uint32_t len, uint32_t at, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, len))
		return WD_SHORT;
	*ret_type = wire_u16(header + at);
	return WD_OK;
}

enum wd_err packet_ppp_open(struct part *p, uint16_t *ret_type)
{
	uint16_t protocol;
	if (p->seen >= 2 && p->at[0] == 0xff && p->at[1] == 0x03 && !part_skip(p, 2))
		return WD_SHORT;
	if (p->seen < 1)
		return WD_SHORT;
	/* Compressed to one byte where that byte is odd (RFC 1661, 6.5). */
	if (p->at[0] & 1) {
		protocol = p->at[0];
		if (!part_skip(p, 1))
			return WD_SHORT;
	} else if (type_within(p, 2, 0, &protocol) != WD_OK) {
		return WD_SHORT;
	}
	switch (protocol) {
	case PPP_IPV4:
		*ret_type = ETHERTYPE_IPV4;
		return WD_OK;
	case PPP_IPV6:
		*ret_type = ETHERTYPE_IPV6;
		return WD_OK;
	case PPP_MPLS:
	case PPP_MPLS_UPSTREAM:
		*ret_type = ETHERTYPE_MPLS;
		return packet_type_open(p, ret_type);
	default:
		return WD_UNKNOWN;
	}
}

/* What follows the labels is not named: IP by its first four bits; else a pseudowire, whose
 * control word begins with 0 (RFC 4385); else a frame at once. */
static enum wd_err mpls(struct part *p, uint16_t *ret_type)
{
	for (uint32_t labels = 0;; labels++) {
		const uint8_t *label = p->at;
		if (labels == PACKET_LABELS_MAX)
			return WD_UNKNOWN;
		if (!part_skip(p, 4))
			return WD_SHORT;
		if (label[2] & 1)
			break;
	}
	if (p->seen < 1)
		return WD_SHORT;
	switch (p->at[0] >> 4) {
	case 4:
		*ret_type = ETHERTYPE_IPV4;
		return WD_OK;
	case 6:
		*ret_type = ETHERTYPE_IPV6;
		return WD_OK;
	case 0:
		*ret_type = ETHERTYPE_BRIDGED;
		return part_skip(p, 4) ? WD_OK : WD_SHORT;
	default:
		*ret_type = ETHERTYPE_BRIDGED;
		return WD_OK;
	}
}

/* An IEEE 802.3 frame: behind the length an LLC header, of which SNAP alone can name IP. */
static enum wd_err snap(struct part *p, uint16_t *ret_type)
{
	const uint8_t *llc = p->at;
	if (!part_skip(p, 8))
		return WD_SHORT;
	if (llc[0] != 0xaa || llc[1] != 0xaa || llc[2] != 0x03 || (llc[3] | llc[4] | llc[5]) != 0)
		return WD_UNKNOWN;
	*ret_type = wire_u16(llc + 6);
	return *ret_type < ETHERTYPE_MIN ? WD_UNKNOWN : WD_OK;
}

static enum wd_err pppoe(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 6))
		return WD_SHORT;
	if (header[0] != 0x11 || header[1] != 0) /* version 1, type 1, a session's data */
		return WD_UNKNOWN;
	return packet_ppp_open(p, ret_type);
}

enum wd_err packet_service_type(uint8_t next, uint16_t *ret_type)
{
	static const uint16_t types[] = {
		[1] = ETHERTYPE_IPV4, [2] = ETHERTYPE_IPV6, [3] = ETHERTYPE_BRIDGED,
		[4] = ETHERTYPE_NSH,  [5] = ETHERTYPE_MPLS,
	};
	if (next == 0 || next >= WD_COUNT(types))
		return WD_UNKNOWN;
	*ret_type = types[next];
	return WD_OK;
}

/* A network service header (RFC 8300), which says itself how long it is. */
static enum wd_err nsh(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (p->seen < 4)
		return WD_SHORT;
	uint32_t words = header[1] & 0x3f;
	if (header[0] >> 6 != 0 || words < 2)
		return WD_UNKNOWN;
	return part_skip(p, words * 4) ? packet_service_type(header[3], ret_type) : WD_SHORT;
}

enum wd_err packet_type_open(struct part *p, uint16_t *type)
{
	enum wd_err err = WD_OK;
	for (uint32_t tags = 0; err == WD_OK && tags <= PACKET_TAGS_MAX; tags++) {
		switch (*type) {
		case ETHERTYPE_IPV4:
		case ETHERTYPE_IPV6:
			return WD_OK;
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
		case ETHERTYPE_QINQ_OLD_2:
		case ETHERTYPE_QINQ_OLD_3:
			err = type_within(p, 4, 2, type);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_UPSTREAM:
			err = mpls(p, type);
			break;
		case ETHERTYPE_NSH:
			err = nsh(p, type);
			break;
		case ETHERTYPE_PPPOE:
			return pppoe(p, type);
		case ETHERTYPE_BRIDGED:
			err = type_within(p, 14, 12, type);
			break;
		default:
			if (*type >= ETHERTYPE_MIN)
				return WD_UNKNOWN;
			err = snap(p, type);
			break;
		}
	}
	return err == WD_OK ? WD_UNKNOWN : err;
}

/* The numbers of address families differ between systems; those of IPv6: 10 Linux, 24 NetBSD
 * and OpenBSD, 28 FreeBSD, 30 Darwin. */
static enum wd_err loopback(struct part *p, uint16_t *ret_type)
{
	const uint8_t *header = p->at;
	if (!part_skip(p, 4))
		return WD_SHORT;
	uint32_t family = wire_u32(header);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	if (family == 2)
		*ret_type = ETHERTYPE_IPV4;
	else if (family == 10 || family == 24 || family == 28 || family == 30)
		*ret_type = ETHERTYPE_IPV6;
	else
		return WD_UNKNOWN;
	return WD_OK;
}

static enum wd_err raw(struct part *p, uint16_t *ret_type)
{
	if (p->seen < 1)
		return WD_SHORT;
	if (p->at[0] >> 4 == 4)
		*ret_type = ETHERTYPE_IPV4;
	else if (p->at[0] >> 4 == 6)
		*ret_type = ETHERTYPE_IPV6;
	else
		return WD_UNKNOWN;
	return WD_OK;
}

enum wd_err packet_link_open(struct part *p, uint32_t linktype, uint16_t *ret_type)
{
	enum wd_err err = WD_OK;
	switch (linktype) {
	case PACKET_ETHERNET:
		err = type_within(p, 14, 12, ret_type);
		break;
	case PACKET_RAW:
	case PACKET_RAW_BSD:
	case PACKET_RAW_OPENBSD:
		return raw(p, ret_type);
	case PACKET_IPV4:
		*ret_type = ETHERTYPE_IPV4;
		return WD_OK;
	case PACKET_IPV6:
		*ret_type = ETHERTYPE_IPV6;
		return WD_OK;
	case PACKET_NULL:
	case PACKET_LOOP:
		return loopback(p, ret_type);
	case PACKET_LINUX_SLL:
		err = type_within(p, 16, 14, ret_type);
		break;
	case PACKET_LINUX_SLL2:
		err = type_within(p, 20, 0, ret_type);
		break;
	case PACKET_PPP:
	case PACKET_PPP_HDLC:
		return packet_ppp_open(p, ret_type);
	case PACKET_PPPOE:
		return pppoe(p, ret_type);
	case PACKET_CISCO_HDLC:
		err = type_within(p, 4, 2, ret_type);
		break;
	case PACKET_MPLS:
		*ret_type = ETHERTYPE_MPLS;
		break;
	default:
		return WD_UNKNOWN;
	}
	return err == WD_OK ? packet_type_open(p, ret_type) : err;
}
