/* SPDX-License-Identifier: Apache-2.0 */
/* packet: one frame or IP packet, as captured or as a switch sampled it -> one flow of one
 * packet. Pure; no memory is taken; no byte is read beyond `captured`.
 *
 * Below IP: Ethernet (802.3 with SNAP too), VLAN tags, MPLS, PPPoE and PPP, Linux cooked
 * captures, loopback and raw IP. Above: tunnels (IP in IP, GRE and what it carries, EtherIP,
 * MPLS in IP, VXLAN, Geneve, GTP-U, L2TP, TZSP) are opened as far as what is inside reads as
 * IP; what does not is the outer packet itself. Sources: RFC 791, 8200, 2784, 2890, 2637, 7348,
 * 8926, 8300, 2661, 3378, 4023, 3032, 2516; 3GPP TS 29.281; draft-ietf-nvo3-vxlan-gpe-13; IEEE
 * 802.1Q; the list of link types of the tcpdump project.
 *
 * A packet cut short by the capture gives what is there: without its ports they are 0, without
 * its flags FLOW_FLAGS is missing, and without its TCP header FLOW_PACKET is. */
#ifndef WD_DECODE_PACKET_H
#define WD_DECODE_PACKET_H

#include "base/err.h"
#include "base/units.h"
#include "model/flow.h"

#include <stdbool.h>
#include <stdint.h>

/* Link types as capture files number them. Others are WD_UNKNOWN. */
enum packet_link {
	PACKET_NULL = 0, /* BSD loopback: address family in the byte order of the sender */
	PACKET_ETHERNET = 1,
	PACKET_PPP = 9,
	PACKET_RAW_BSD = 12, /* raw IP under its older numbers */
	PACKET_RAW_OPENBSD = 14,
	PACKET_PPP_HDLC = 50,
	PACKET_PPPOE = 51,
	PACKET_RAW = 101, /* IPv4 or IPv6 by its first four bits */
	PACKET_CISCO_HDLC = 104,
	PACKET_LOOP = 108, /* OpenBSD loopback: address family in network order */
	PACKET_LINUX_SLL = 113,
	PACKET_MPLS = 219,
	PACKET_IPV4 = 228,
	PACKET_IPV6 = 229,
	PACKET_LINUX_SLL2 = 276,
};

enum {
	PACKET_TAGS_MAX = 8,       /* VLAN tags and other shims, one after the other */
	PACKET_LABELS_MAX = 16,    /* of one MPLS stack */
	PACKET_EXTENSIONS_MAX = 8, /* IPv6 extension headers */
	PACKET_TUNNELS_MAX = 4,    /* one inside the other; the rest stays closed */
	PACKET_WIRE_MAX = 1 << 20, /* bytes; more than any network card hands over at once */
};

struct packet {
	const uint8_t *bytes;
	uint32_t captured;    /* bytes there are */
	uint32_t wire_length; /* bytes it had; at least captured, or 0 = the same */
	uint32_t linktype;    /* enum packet_link */
	wd_wall at;           /* 0 = not told: the flow has no FLOW_TIMES then; up to 2199 */
};

/* Zeros: leave tunnels closed. NULL for packet_parse: open them all. */
struct packet_options {
	bool decapsulate;
	/* Is the flow's destination watched? Asked of tunnels only. A flood of tunnel packets at
	 * a service (GRE floods carry random addresses inside) is told from a tunnel by it: what
	 * is inside counts, unless only the outer destination is watched or both are one address.
	 * NULL: inside counts. */
	bool (*watched)(const void *context, const struct flow *flow);
	const void *context;
};

/* flow.bytes is the IP packet's length by its header, at most what was on the wire; where the
 * header says 0 (segmentation left to the network card) it is that of the wire.
 * WD_UNKNOWN: not IP, or a link type that we do not have. WD_SHORT: the capture ends before the
 * IP header does. WD_MALFORMED: an IP header that cannot be. */
enum wd_err packet_parse(const struct packet *p, const struct packet_options *options,
			 struct flow *ret) WD_MUST_CHECK;

#endif
