/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/sflow_records.h"

enum {
	LENGTH_MAX = 65535,
	SEGMENTS_MAX = 64, /* of an AS path; a path is a few */
};

/* The link type under which packet_parse knows a sampled header; UINT32_MAX = it does not. */
static uint32_t linktype_of(uint32_t protocol)
{
	static const uint8_t links[] = {
		[1] = PACKET_ETHERNET, [7] = PACKET_PPP,   [10] = PACKET_RAW,
		[11] = PACKET_IPV4,    [12] = PACKET_IPV6, [13] = PACKET_MPLS,
		[14] = PACKET_PPP_HDLC, /* packet over SONET */
	};
	if (protocol >= sizeof(links) || links[protocol] == 0)
		return UINT32_MAX;
	return links[protocol];
}

static bool header_record(const struct sflow_reading *reading, struct cur *c, struct flow *ret,
			  struct sflow_found *found)
{
	const uint8_t *head = cur_bytes(c, 16);
	if (head == NULL)
		return false;
	uint32_t frame = wire_u32(head + 4), stripped = wire_u32(head + 8);
	uint32_t len = wire_u32(head + 12);
	const uint8_t *bytes = cur_bytes(c, len);
	if (bytes == NULL)
		return false;
	struct packet packet = {
		.bytes = bytes,
		.captured = len,
		.wire_length = frame > stripped ? frame - stripped : 0,
		.linktype = linktype_of(wire_u32(head)),
		.at = reading->now,
	};
	found->err = packet_parse(&packet, reading->packet, ret);
	found->header = true;
	found->flow = found->flow || found->err == WD_OK;
	return true;
}

/* What a switch that keeps no header says of an IP packet. */
static bool ip_record(const struct sflow_reading *reading, struct cur *c, uint8_t family,
		      struct flow *ret, struct sflow_found *found)
{
	size_t width = family == 4 ? 4 : 16;
	const uint8_t *r = cur_bytes(c, 8 + 2 * width + 16);
	if (r == NULL)
		return false;
	if (found->flow)
		return true;
	uint32_t length = wire_u32(r), protocol = wire_u32(r + 4);
	const uint8_t *ports = r + 8 + 2 * width;
	struct flow f = {
		.packets = 1,
		.bytes = length < LENGTH_MAX ? length : LENGTH_MAX,
		.sampling = 1,
		.family = family,
		.protocol = (uint8_t)protocol,
		.sport = (uint16_t)wire_u32(ports),
		.dport = (uint16_t)wire_u32(ports + 4),
	};
	memcpy(f.src, r + 8, width);
	memcpy(f.dst, r + 8 + width, width);
	if (protocol == 6) {
		f.tcp_flags = (uint8_t)wire_u32(ports + 8);
		f.known |= FLOW_FLAGS;
	}
	if (reading->at.known != 0) {
		f.first_ms = f.last_ms = reading->at.ms;
		f.known |= FLOW_TIMES;
	}
	*ret = f;
	found->flow = true;
	return true;
}

/* The address of the next hop, our AS, the source's, its peer's, the path to the destination,
 * of which the last is the destination's. */
static bool gateway_record(struct cur *c, struct sflow_found *found)
{
	uint32_t kind = cur_be32(c), last = 0;
	cur_bytes(c, kind == ADDRESS_IPV4 ? 4 : kind == ADDRESS_IPV6 ? 16 : 0);
	const uint8_t *as = cur_bytes(c, 12);
	uint32_t segments = cur_be32(c);
	if (as == NULL || segments > SEGMENTS_MAX)
		return false;
	for (uint32_t i = 0; i < segments; i++) {
		cur_be32(c); /* a set or a sequence */
		uint32_t count = cur_be32(c);
		const uint8_t *path = count <= cur_left(c) / 4 ? cur_bytes(c, count * 4) : NULL;
		if (path == NULL)
			return false;
		if (count > 0)
			last = wire_u32(path + (count - 1) * 4);
	}
	found->as = true;
	found->src_as = wire_u32(as + 4);
	found->dst_as = last;
	return !c->bad;
}

bool sflow_records(const struct sflow_reading *reading, struct cur *c, uint32_t count,
		   struct flow *ret, struct sflow_found *found)
{
	for (uint32_t i = 0; i < count; i++) {
		struct cur body = {0};
		uint32_t format = 0;
		bool sound = true;
		if (!sflow_item(c, &format, &body))
			return false;
		switch (format) {
		case RECORD_HEADER:
			sound = header_record(reading, &body, ret, found);
			break;
		case RECORD_IPV4:
			sound = ip_record(reading, &body, 4, ret, found);
			break;
		case RECORD_IPV6:
			sound = ip_record(reading, &body, 6, ret, found);
			break;
		case RECORD_GATEWAY:
			sound = gateway_record(&body, found);
			break;
		default:
			break;
		}
		if (!sound)
			return false;
	}
	return true;
}

