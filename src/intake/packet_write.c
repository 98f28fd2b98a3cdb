/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/packet_write.h"

#include "base/wire_put.h"

#include <stdbool.h>
#include <string.h>

enum {
	ETHERNET = 14,
	ICMP = 1,
	TCP = 6,
	UDP = 17,
	ICMP6 = 58,
	DONT_FRAGMENT = 0x4000,
	MORE_FRAGMENTS = 0x2000,
	IPV6_FRAGMENT = 44,
};

static size_t ip_header(const struct flow *f)
{
	if (f->family == 4)
		return 20;
	return 40 + (f->fragment != FLOW_WHOLE ? 8 : 0);
}

static size_t transport_header(const struct flow *f)
{
	if (f->fragment == FLOW_FRAGMENT_LATER)
		return 0;
	switch (f->protocol) {
	case TCP:
		return 20 + (f->options_len + 3u) / 4 * 4;
	case UDP:
	case ICMP:
	case ICMP6:
		return 8;
	default:
		return 0;
	}
}

static size_t ip_length(const struct flow *f)
{
	size_t least = ip_header(f) + transport_header(f) + f->payload_len;
	size_t length = f->length > least ? f->length : least;
	return length < 65535 ? length : 65535;
}

size_t packet_write_length(const struct flow *f)
{
	return ETHERNET + ip_length(f);
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (len % 2 != 0)
		sum += (uint32_t)bytes[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint8_t *put_ip4(uint8_t *p, const struct flow *f)
{
	uint8_t *begin = p;
	uint32_t offset = f->fragment == FLOW_FRAGMENT_LATER ? f->sequence / 8 : 0;
	uint32_t flags = f->fragment == FLOW_WHOLE	    ? DONT_FRAGMENT
			 : f->fragment == FLOW_FRAGMENT_FIRST ? MORE_FRAGMENTS
							      : 0;
	p = wire_put(p, 0x4500, 2);
	p = wire_put(p, ip_length(f), 2);
	p = wire_put(p, f->src[3] << 8 | f->dst[3], 2); /* identification */
	p = wire_put(p, flags | (offset & 0x1fff), 2);
	p = wire_put(p, f->ttl, 1);
	p = wire_put(p, f->protocol, 1);
	p = wire_put(p, 0, 2);
	memcpy(p, f->src, 4);
	memcpy(p + 4, f->dst, 4);
	wire_put(begin + 10, fold(add_words(0, begin, 20)), 2);
	return p + 8;
}

static uint8_t *put_ip6(uint8_t *p, const struct flow *f)
{
	bool fragment = f->fragment != FLOW_WHOLE;
	p = wire_put(p, UINT32_C(0x60000000), 4);
	p = wire_put(p, ip_length(f) - 40, 2);
	p = wire_put(p, fragment ? IPV6_FRAGMENT : f->protocol, 1);
	p = wire_put(p, f->ttl, 1);
	memcpy(p, f->src, 16);
	memcpy(p + 16, f->dst, 16);
	p += 32;
	if (!fragment)
		return p;
	uint32_t offset = f->fragment == FLOW_FRAGMENT_LATER ? f->sequence & 0xfff8 : 1;
	p = wire_put(p, f->protocol, 1);
	p = wire_put(p, 0, 1);
	p = wire_put(p, offset, 2);
	return wire_put(p, f->dst[15], 4);
}

static uint8_t *put_transport(uint8_t *p, const struct flow *f, size_t length)
{
	size_t header = transport_header(f);
	memset(p, 0, header);
	if (header == 0)
		return p;
	if (f->protocol == ICMP || f->protocol == ICMP6) {
		wire_put(p, f->dport, 2);
		return p + header;
	}
	wire_put(p, f->sport, 2);
	wire_put(p + 2, f->dport, 2);
	if (f->protocol == UDP) {
		wire_put(p + 4, length, 2);
		return p + header;
	}
	wire_put(p + 4, f->sequence, 4);
	p[12] = (uint8_t)(header / 4 << 4);
	p[13] = f->tcp_flags;
	wire_put(p + 14, f->window, 2);
	if (header > 20) /* a maximum segment size, then no-operations */
		memset(p + 20, 1, header - 20);
	if (header >= 24)
		wire_put(p + 20, UINT32_C(0x020405b4), 4);
	return p + header;
}

/* Of whole packets only: a fragment has none of its own. */
static void put_checksum(uint8_t *transport, const struct flow *f, size_t length)
{
	size_t at;
	uint32_t sum = 0;
	switch (f->protocol) {
	case TCP:
		at = 16;
		break;
	case UDP:
		at = 6;
		break;
	case ICMP:
	case ICMP6:
		at = 2;
		break;
	default:
		return;
	}
	if (f->protocol != ICMP) {
		size_t address = f->family == 4 ? 4 : 16;
		sum = add_words(add_words(0, f->src, address), f->dst, address);
		sum += (uint32_t)length + f->protocol;
	}
	uint16_t word = fold(add_words(sum, transport, length));
	wire_put(transport + at, word == 0 && f->protocol == UDP ? 0xffff : word, 2);
}

size_t packet_write(const struct flow *f, uint8_t *dst, size_t cap)
{
	uint8_t whole[PACKET_WRITE_MAX];
	size_t length = packet_write_length(f);
	uint8_t *p = whole;

	p = wire_put(p, UINT64_C(0x020000000002), 6); /* locally administered addresses */
	p = wire_put(p, UINT64_C(0x020000000001), 6);
	p = wire_put(p, f->family == 4 ? 0x0800 : 0x86dd, 2);
	p = f->family == 4 ? put_ip4(p, f) : put_ip6(p, f);
	uint8_t *transport = p;
	p = put_transport(p, f, length - (size_t)(p - whole));
	size_t left = length - (size_t)(p - whole);
	size_t payload = f->payload_len < left ? f->payload_len : left;
	if (payload > 0)
		memcpy(p, f->payload, payload);
	memset(p + payload, 0, left - payload);
	if (f->fragment == FLOW_WHOLE)
		put_checksum(transport, f, length - (size_t)(transport - whole));
	size_t n = length < cap ? length : cap;
	memcpy(dst, whole, n);
	return n;
}

void pcap_write_head(uint8_t dst[PCAP_WRITE_HEAD])
{
	uint8_t *p = wire_put(dst, UINT32_C(0xa1b23c4d), 4);
	p = wire_put(p, 2, 2);
	p = wire_put(p, 4, 2);
	p = wire_put(p, 0, 8);
	p = wire_put(p, PACKET_WRITE_MAX, 4);
	wire_put(p, 1, 4); /* Ethernet */
}

void pcap_write_record(uint8_t dst[PCAP_WRITE_RECORD], wd_wall at, uint32_t captured,
		       uint32_t length)
{
	int64_t s = wall_to_s(at);
	uint8_t *p = wire_put(dst, (uint64_t)s, 4);
	p = wire_put(p, (uint64_t)(at.ns - s * WD_NS_PER_S), 4);
	p = wire_put(p, captured, 4);
	wire_put(p, length, 4);
}
