/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/traffic_recipe.h"

#include "base/check.h"
#include "base/hash.h"
#include "model/address_space.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { TCP = 6, UDP = 17, SYN = FLOW_TCP_SYN, ACK = FLOW_TCP_ACK, RST = FLOW_TCP_RST };

#define BYTES(text) .payload = text, .payload_len = sizeof(text) - 1

/* Each of these takes at least one more field: C11 knows no empty list. */

/* A UDP answer from a port: id, port, bytes, reflectors, what it begins with. */
#define ANSWER(name, port, low, high, many, ...)                                                   \
	{.id = name, .protocol = UDP, .sport = port, .length_min = low, .length_max = high,        \
	 .sources_usual = many, .marks = RECIPE_RANDOM_DPORT, __VA_ARGS__}
/* TCP segments at a web server from made-up addresses. */
#define SPOOFED_TCP(name, flags, ...)                                                              \
	{.id = name, .protocol = TCP, .tcp_flags = flags, .dport = 443, .length_min = 40,          \
	 .length_max = 40, .sources = RECIPE_SPOOFED, __VA_ARGS__}
#define SPOOFED_UDP(name, port, low, high, ...)                                                    \
	{.id = name, .protocol = UDP, .dport = port, .length_min = low, .length_max = high,        \
	 .sources = RECIPE_SPOOFED, __VA_ARGS__}
#define FLOOD(name, number, low, high, from, ...)                                                  \
	{.id = name, .protocol = number, .length_min = low, .length_max = high, .sources = from,   \
	 .sources_usual = 400, __VA_ARGS__}

static const struct recipe recipes[] = {
	{.id = "amp.dns",
	 .protocol = UDP,
	 .sport = 53,
	 .length_min = 3300,
	 .length_max = 4096,
	 .sources_usual = 2000,
	 .marks = RECIPE_RANDOM_DPORT | RECIPE_FRAGMENTS,
	 BYTES("\x4a\x31\x83\x80\x00\x01\x00\x07\x00\x00\x00\x01")},
	ANSWER("amp.ntp", 123, 468, 468, 900, BYTES("\xd7\x00\x03\x2a\x00\x06\x00\x48")),
	ANSWER("amp.snmp", 161, 62, 1396, 4000,
	       BYTES("\x30\x82\x05\x20\x02\x01\x01\x04\x06public")),
	ANSWER("amp.netbios", 137, 229, 229, 900, BYTES("\x80\x94\x84\x00\x00\x00\x00\x01")),
	ANSWER("amp.ssdp", 1900, 290, 380, 3000,
	       BYTES("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age")),
	ANSWER("amp.chargen", 19, 1020, 1052, 500,
	       BYTES("!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFG")),
	ANSWER("amp.qotd", 17, 90, 400, 300, BYTES("\"A quotation of the day")),
	ANSWER("amp.quake3", 27960, 600, 1300, 400, BYTES("\xff\xff\xff\xffstatusResponse\n")),
	ANSWER("amp.steam", 27015, 90, 300, 800,
	       BYTES("\xff\xff\xff\xff"
		     "I\x11")),
	ANSWER("amp.rip", 520, 532, 532, 500, BYTES("\x02\x01\x00\x00\x00\x02\x00\x00")),
	ANSWER("amp.mdns", 5353, 120, 500, 900, BYTES("\x00\x00\x84\x00\x00\x00\x00\x04")),
	ANSWER("amp.portmap", 111, 400, 640, 900, BYTES("\x65\x72\x0a\x01\x00\x00\x00\x01")),
	ANSWER("amp.cldap", 389, 1400, 1500, 1200,
	       BYTES("\x30\x84\x00\x00\x0b\x8a\x02\x01\x07\x64\x84")),
	ANSWER("amp.memcached", 11211, 1428, 1428, 200,
	       BYTES("\x00\x00\x00\x01\x00\x20\x00\x00VALUE a 0 1048576\r\n")),
	ANSWER("amp.wsd", 3702, 700, 1400, 1200,
	       BYTES("<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP")),
	ANSWER("amp.arms", 3283, 1062, 1062, 400, BYTES("\x00\x01\x03\xf0\x00\x01\x00\x00")),
	ANSWER("amp.coap", 5683, 400, 1100, 900,
	       BYTES("\x60\x45\xa1\xb2\xc1\x28\xff</.well-known")),
	ANSWER("amp.stun", 3478, 88, 140, 900, BYTES("\x01\x01\x00\x44\x21\x12\xa4\x42")),
	ANSWER("amp.mssql", 1434, 300, 660, 500, BYTES("\x05\x58\x02ServerName;")),
	ANSWER("amp.slp", 427, 1200, 1500, 300, BYTES("\x02\x02\x00\x05\x78\x00\x00\x00")),
	ANSWER("amp.dahua", 37810, 739, 799, 500,
	       BYTES("\x20\x00\x00\x00"
		     "DHIP")),
	ANSWER("amp.bacnet", 47808, 124, 124, 300, BYTES("\x81\x0a\x00\x60")),
	ANSWER("amp.openvpn", 1194, 54, 70, 800, BYTES("\x40")),
	ANSWER("amp.rdp", 3389, 1260, 1260, 500, .payload_len = 0),
	ANSWER("amp.ike", 4500, 232, 232, 2500, BYTES("\x00\x00\x00\x00\x5e\x1d\x77\x20")),
	ANSWER("amp.ubnt", 10001, 140, 220, 500, BYTES("\x01\x00\x00\x90")),
	ANSWER("amp.sip", 5060, 350, 600, 500, BYTES("SIP/2.0 401 Unauthorized\r\n")),

	{.id = "tcp.synack",
	 .protocol = TCP,
	 .tcp_flags = SYN | ACK,
	 .sport = 443,
	 .options_len = 4,
	 .length_min = 44,
	 .length_max = 44,
	 .window = 29200,
	 .sources_usual = 3000,
	 .marks = RECIPE_RANDOM_DPORT},
	{.id = "tcp.rst",
	 .protocol = TCP,
	 .tcp_flags = RST | ACK,
	 .sport = 80,
	 .length_min = 40,
	 .length_max = 40,
	 .sources_usual = 3000,
	 .marks = RECIPE_RANDOM_DPORT},
	{.id = "tcp.middlebox",
	 .protocol = TCP,
	 .tcp_flags = FLOW_TCP_PSH | ACK,
	 .sport = 80,
	 .length_min = 700,
	 .length_max = 1500,
	 .sources_usual = 1500,
	 .marks = RECIPE_RANDOM_DPORT,
	 BYTES("HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n")},

	SPOOFED_TCP("syn.spoof", SYN, .marks = RECIPE_SEQUENCE_LOW_ZERO),
	SPOOFED_TCP("syn.dominate", SYN | FLOW_TCP_ECE | FLOW_TCP_CWR, .window = 65535,
		    .marks = RECIPE_SEQUENCE_LOW_ZERO),
	{.id = "syn.real",
	 .protocol = TCP,
	 .tcp_flags = SYN,
	 .dport = 443,
	 .options_len = 20,
	 .length_min = 60,
	 .length_max = 60,
	 .window = 64240,
	 .sources = RECIPE_BOTS,
	 .sources_usual = 4000},
	{.id = "syn.mirai",
	 .protocol = TCP,
	 .tcp_flags = SYN,
	 .dport = 80,
	 .length_min = 40,
	 .length_max = 40,
	 .window = 14600,
	 .sources = RECIPE_BOTS,
	 .sources_usual = 4000,
	 .marks = RECIPE_SEQUENCE_TARGET},
	SPOOFED_TCP("ack", ACK, .window = 512),
	SPOOFED_TCP("rst", RST, .window = 0),
	SPOOFED_TCP("fin", FLOW_TCP_FIN, .window = 0),
	SPOOFED_TCP("urg", FLOW_TCP_URG, .window = 0),
	SPOOFED_TCP("tcp.null", 0, .window = 0),
	SPOOFED_TCP("xmas", FLOW_TCP_FIN | FLOW_TCP_PSH | FLOW_TCP_URG, .window = 0),
	SPOOFED_TCP("synfin", SYN | FLOW_TCP_FIN, .window = 0),

	SPOOFED_UDP("udp.random", 0, 60, 1400,
		    .marks = RECIPE_RANDOM_DPORT | RECIPE_RANDOM_PAYLOAD),
	SPOOFED_UDP("udp.fixed", 9000, 540, 540, .marks = RECIPE_RANDOM_PAYLOAD),
	SPOOFED_UDP("udp.null", 9000, 28, 28, .payload_len = 0),
	{.id = "udp.vse",
	 .protocol = UDP,
	 .dport = 27015,
	 .length_min = 53,
	 .length_max = 53,
	 .sources = RECIPE_BOTS,
	 .sources_usual = 2000,
	 BYTES("\xff\xff\xff\xffTSource Engine Query\0")},
	{.id = "dns.query",
	 .protocol = UDP,
	 .dport = 53,
	 .length_min = 60,
	 .length_max = 74,
	 .sources = RECIPE_BOTS,
	 .sources_usual = 3000,
	 BYTES("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00")},
	FLOOD("icmp.echo", 1, 84, 84, RECIPE_BOTS, .dport = 8 << 8),
	FLOOD("icmp.large", 1, 1420, 1420, RECIPE_BOTS, .dport = 8 << 8),
	FLOOD("icmp.blacknurse", 1, 56, 56, RECIPE_BOTS, .dport = 3 << 8 | 3),
	FLOOD("igmp", 2, 28, 28, RECIPE_SPOOFED, .dport = 0),
	FLOOD("gre", 47, 540, 540, RECIPE_BOTS, BYTES("\x00\x00\x08\x00")),
	FLOOD("ipip", 4, 60, 400, RECIPE_SPOOFED, .marks = RECIPE_RANDOM_PAYLOAD),
	FLOOD("esp", 50, 300, 1400, RECIPE_SPOOFED, .marks = RECIPE_RANDOM_PAYLOAD),
};

size_t recipe_count(void)
{
	return WD_COUNT(recipes);
}

const struct recipe *recipe_at(size_t index)
{
	return &recipes[index];
}

const struct recipe *recipe_find(const char *id)
{
	for (size_t n = 0; n < WD_COUNT(recipes); n++) {
		if (strcmp(recipes[n].id, id) == 0)
			return &recipes[n];
	}
	return NULL;
}

/* ---- addresses ---- */

/* Not public unicast: RFC 6890, and what documentation uses (RFC 5737). */
static bool is_special(uint32_t a)
{
	uint32_t top = a >> 24, two = a >> 16;
	return top == 0 || top == 10 || top == 127 || top >= 224 || (two & 0xffc0) == 0x6440 ||
	       two == 0xa9fe || (two & 0xfff0) == 0xac10 || two == 0xc0a8 || two == 0xc000 ||
	       (two & 0xfffe) == 0xc612 || two == 0xc633 || two == 0xcb00;
}

/* `real`: of a machine that there might be; else whatever somebody makes up. */
static void address_of(uint64_t h, bool real, uint8_t family, uint8_t dst[16])
{
	memset(dst, 0, 16);
	if (family == 4) {
		while (is_special((uint32_t)h) ||
		       (real && address_space_is_silent((uint8_t)(h >> 24))))
			h = hash_mix(h);
		for (int n = 0; n < 4; n++)
			dst[n] = (uint8_t)(h >> (24 - 8 * n));
		return;
	}
	uint64_t low = hash_mix(h);
	for (int n = 0; n < 8; n++) {
		dst[n] = (uint8_t)(h >> (56 - 8 * n));
		dst[8 + n] = (uint8_t)(low >> (56 - 8 * n));
	}
	dst[0] = 0x20 | (dst[0] & 0x0f); /* global unicast */
}

void recipe_address(uint64_t pool, uint64_t index, uint8_t family, uint8_t dst[16])
{
	address_of(hash_mix(pool + hash_mix(index + 1)), true, family, dst);
}

uint8_t recipe_ttl(const uint8_t address[16])
{
	static const uint8_t initial[] = {64, 64, 64, 128, 128, 255};
	uint64_t h = 0;
	memcpy(&h, address, 8);
	h = hash_mix(h);
	return (uint8_t)(initial[h % WD_COUNT(initial)] - 6 - (h >> 32) % 18);
}

/* ---- attacks ---- */

static uint16_t between(struct prng *random, uint16_t low, uint16_t high)
{
	return (uint16_t)(low + prng_below(random, (uint32_t)(high - low) + 1));
}

static uint16_t high_port(struct prng *random)
{
	return between(random, 1024, 65535);
}

static void choose_source(const struct recipe *r, struct prng *random, uint64_t pool,
			  uint32_t sources, struct flow *f)
{
	if (sources == 0)
		sources = r->sources_usual;
	if (r->sources == RECIPE_SPOOFED && sources == 0) {
		address_of(prng_u64(random), false, f->family, f->src);
		f->ttl = (uint8_t)(242 + 2 * prng_below(random, 2));
		return;
	}
	recipe_address(pool, prng_below(random, sources), f->family, f->src);
	f->ttl = r->sources == RECIPE_SPOOFED ? 242 : recipe_ttl(f->src);
}

static void choose_ports(const struct recipe *r, struct prng *random, struct flow *f)
{
	if (r->protocol != TCP && r->protocol != UDP) {
		f->dport = r->dport;
		return;
	}
	f->sport = r->sport != 0 ? r->sport : high_port(random);
	f->dport = r->marks & RECIPE_RANDOM_DPORT ? high_port(random) : r->dport;
}

static uint32_t choose_sequence(const struct recipe *r, struct prng *random, const struct flow *f)
{
	if (r->protocol != TCP)
		return 0;
	if (r->marks & RECIPE_SEQUENCE_TARGET)
		return (uint32_t)f->dst[0] << 24 | (uint32_t)f->dst[1] << 16 |
		       (uint32_t)f->dst[2] << 8 | f->dst[3];
	uint32_t sequence = (uint32_t)prng_u64(random);
	return r->marks & RECIPE_SEQUENCE_LOW_ZERO ? sequence & 0xffff0000 : sequence;
}

static uint16_t headers(const struct flow *f)
{
	uint16_t ip = f->family == 4 ? 20 : 40;
	switch (f->protocol) {
	case TCP:
		return (uint16_t)(ip + 20 + (f->options_len + 3) / 4 * 4);
	case UDP:
	case 1:
	case 58:
		return (uint16_t)(ip + 8);
	default:
		return ip;
	}
}

/* Fills the payload that `length` leaves room for. */
static void fill(const struct recipe *r, struct prng *random, uint8_t *payload, struct flow *f)
{
	uint16_t head = headers(f);
	size_t room = f->length > head ? (size_t)f->length - head : 0;
	if (room > RECIPE_PAYLOAD_MAX)
		room = RECIPE_PAYLOAD_MAX;
	size_t begin = r->payload_len < room ? r->payload_len : room;
	memset(payload, 0, room);
	if (r->marks & RECIPE_RANDOM_PAYLOAD) {
		for (size_t n = 0; n < room; n++)
			payload[n] = (uint8_t)prng_u64(random);
	}
	if (begin > 0)
		memcpy(payload, r->payload, begin);
	f->payload = payload;
	f->payload_len = (uint16_t)room;
}

static void finish(struct flow *f)
{
	f->packets = 1;
	f->bytes = f->length;
	f->sampling = 1;
	f->known = FLOW_TTL | FLOW_PACKET | (f->protocol == TCP ? FLOW_FLAGS : 0);
}

/* An answer longer than a frame: the first fragment, then those without ports. */
static size_t make_fragments(uint16_t length, struct flow ret[RECIPE_BURST])
{
	enum { PART = 1480 };
	size_t count = 1;
	uint32_t left = length - 20u - PART, offset = PART;

	ret[0].fragment = FLOW_FRAGMENT_FIRST;
	ret[0].length = ret[0].bytes = 20 + PART;
	for (; left > 0 && count < RECIPE_BURST; count++) {
		uint32_t part = left < PART ? left : PART;
		struct flow *f = &ret[count];
		*f = ret[0];
		f->fragment = FLOW_FRAGMENT_LATER;
		f->sport = f->dport = 0;
		f->length = (uint16_t)(20 + part);
		f->bytes = f->length;
		f->sequence = offset;
		f->payload = NULL;
		f->payload_len = 0;
		offset += part;
		left -= part;
	}
	return count;
}

size_t recipe_make(const struct recipe *r, struct prng *random, uint64_t pool, uint32_t sources,
		   const struct flow *target, uint8_t payload[RECIPE_PAYLOAD_MAX],
		   struct flow ret[RECIPE_BURST])
{
	struct flow *f = &ret[0];
	*f = *target;
	f->protocol = r->protocol == 1 && f->family == 6 ? 58 : r->protocol;
	f->tcp_flags = r->tcp_flags;
	f->options_len = r->options_len;
	f->window = r->window;
	choose_source(r, random, pool, sources, f);
	choose_ports(r, random, f);
	f->sequence = choose_sequence(r, random, f);
	uint16_t length = between(random, r->length_min, r->length_max);
	bool fragments = r->marks & RECIPE_FRAGMENTS && length > 1500 && f->family == 4;
	f->length = length > 1500 ? 1500 : length;
	if (f->length < headers(f))
		f->length = headers(f);
	fill(r, random, payload, f);
	finish(f);
	return fragments ? make_fragments(length, ret) : 1;
}

/* ---- a usual day ---- */

/* What a packet is, with its share in percent: a web server's mix of TCP and QUIC. */
struct kind {
	uint8_t percent, protocol, flags, options_len;
	bool outbound;
	uint16_t service_port, length_min, length_max;
};

static const struct kind kinds[] = {
	{3, TCP, SYN, 20, false, 443, 60, 60},
	{3, TCP, SYN | ACK, 20, true, 443, 60, 60},
	{17, TCP, ACK, 12, false, 443, 52, 52},
	{11, TCP, ACK | FLOW_TCP_PSH, 12, false, 443, 150, 1200},
	{26, TCP, ACK, 12, true, 443, 1500, 1500},
	{8, TCP, ACK | FLOW_TCP_PSH, 12, true, 443, 100, 1500},
	{2, TCP, ACK | FLOW_TCP_FIN, 12, false, 443, 52, 52},
	{2, TCP, ACK | FLOW_TCP_FIN, 12, true, 443, 52, 52},
	{1, TCP, RST, 0, false, 443, 40, 40},
	{10, UDP, 0, 0, false, 443, 60, 1280},
	{16, UDP, 0, 0, true, 443, 60, 1280},
	{1, 1, 0, 0, false, 0, 84, 84},
};

void recipe_usual(struct prng *random, uint64_t pool, uint32_t clients, const struct flow *target,
		  uint8_t payload[RECIPE_PAYLOAD_MAX], struct flow *ret)
{
	static const struct recipe noise = {.marks = RECIPE_RANDOM_PAYLOAD};
	uint32_t draw = prng_below(random, 100);
	const struct kind *k = kinds;
	uint8_t client[16];

	while (draw >= k->percent)
		draw -= k++->percent;
	*ret = *target;
	/* The n-th most active client: as often as 1 / n, roughly. */
	uint32_t index = (uint32_t)(pow(clients, prng_unit(random)) - 1);
	recipe_address(pool, index, ret->family, client);
	ret->protocol = k->protocol == 1 && ret->family == 6 ? 58 : k->protocol;
	ret->tcp_flags = k->flags;
	ret->options_len = k->options_len;
	ret->window = 64240;
	ret->sequence = k->protocol == TCP ? (uint32_t)prng_u64(random) : 0;
	uint16_t port = (uint16_t)(32768 + hash_mix(index + draw) % 28000);
	if (k->outbound) {
		memcpy(ret->src, ret->dst, 16);
		memcpy(ret->dst, client, 16);
		ret->sport = k->service_port;
		ret->dport = port;
		ret->ttl = 64;
	} else {
		memcpy(ret->src, client, 16);
		ret->sport = k->protocol == 1 ? 0 : port;
		ret->dport = k->protocol == 1 ? 8 << 8 : k->service_port;
		ret->ttl = recipe_ttl(client);
	}
	ret->length = between(random, k->length_min, k->length_max);
	if (ret->length < headers(ret))
		ret->length = headers(ret);
	fill(&noise, random, payload, ret);
	finish(ret);
}
