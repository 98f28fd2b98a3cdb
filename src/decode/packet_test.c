/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/packet.h"

#include "base/check.h"
#include "decode/traffic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Read from an exact copy, so that the sanitizer sees a read past the end. */
static enum wd_err parse_cut(const struct fixture *f, size_t captured, uint32_t linktype, const struct packet_options *o,
			     struct flow *ret)
{
	uint8_t *exact = malloc(captured > 0 ? captured : 1);
	assert_non_null(exact);
	memcpy(exact, f->bytes, captured);
	struct packet p = {exact, (uint32_t)captured, (uint32_t)f->len, linktype, {0}};
	enum wd_err err = packet_parse(&p, o, ret);
	if (err == WD_OK && ret->payload != NULL) {
		assert_true(ret->payload >= exact && ret->payload + ret->payload_len <= exact + captured);
		assert_true(ret->payload_len > 0);
		ret->payload = f->bytes + (ret->payload - exact);
	}
	free(exact);
	return err;
}

static struct flow parse(const struct fixture *f, uint32_t linktype)
{
	struct flow flow;
	assert_int_equal(parse_cut(f, f->len, linktype, NULL, &flow), WD_OK);
	return flow;
}

static void udp_in_ipv4(struct fixture *f, uint8_t from, const char *payload)
{
	fixture_ipv4(f, 17, 8 + strlen(payload), from);
	fixture_udp(f, 53, 4444, strlen(payload));
	fixture_bytes(f, payload, strlen(payload));
}

static void the_fields_of_a_udp_packet(void **state)
{
	struct fixture f = {0};
	(void)state;
	fixture_ethernet(&f, 0x0800);
	udp_in_ipv4(&f, 7, "hello");
	fixture_hex(&f, "00 00 00 00 00 00 00 00"); /* Ethernet's padding */
	struct packet p = {f.bytes, (uint32_t)f.len, 0, PACKET_ETHERNET, {1700000000123456789}};
	struct flow flow;
	assert_int_equal(packet_parse(&p, NULL, &flow), WD_OK);
	assert_memory_equal(flow.src, "\xc6\x33\x64\x07\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(flow.dst, "\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(flow.packets, 1);
	assert_int_equal(flow.bytes, 33);
	assert_int_equal(flow.length, 33);
	assert_int_equal(flow.sampling, 1);
	assert_int_equal(flow.family, 4);
	assert_int_equal(flow.protocol, 17);
	assert_int_equal(flow.sport, 53);
	assert_int_equal(flow.dport, 4444);
	assert_int_equal(flow.ttl, 64);
	assert_int_equal(flow.fragment, FLOW_WHOLE);
	assert_int_equal(flow.known, FLOW_TTL | FLOW_PACKET | FLOW_TIMES);
	assert_int_equal(flow.first_ms, 1700000000123);
	assert_int_equal(flow.last_ms, 1700000000123);
	assert_int_equal(flow.payload_len, 5);
	assert_memory_equal(flow.payload, "hello", 5);
}

static void the_fields_of_a_tcp_packet(void **state)
{
	struct fixture f = {0};
	(void)state;
	fixture_ethernet(&f, 0x86dd);
	fixture_ipv6(&f, 6, 20 + 8 + 3, 9);
	fixture_tcp(&f, 1234, 443, FLOW_TCP_SYN | FLOW_TCP_ECE, 8);
	fixture_bytes(&f, "abc", 3);
	struct flow flow = parse(&f, PACKET_ETHERNET);
	assert_int_equal(flow.family, 6);
	assert_memory_equal(flow.src, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09", 16);
	assert_int_equal(flow.bytes, 71);
	assert_int_equal(flow.sport, 1234);
	assert_int_equal(flow.dport, 443);
	assert_int_equal(flow.tcp_flags, FLOW_TCP_SYN | FLOW_TCP_ECE);
	assert_int_equal(flow.sequence, 0x01020304);
	assert_int_equal(flow.window, 1024);
	assert_int_equal(flow.options_len, 8);
	assert_int_equal(flow.ttl, 63);
	assert_int_equal(flow.known, FLOW_TTL | FLOW_PACKET | FLOW_FLAGS);
	assert_int_equal(flow.payload_len, 3);
	assert_memory_equal(flow.payload, "abc", 3);
}

static void the_padding_of_a_short_frame_is_no_payload(void **state)
{
	struct fixture f = {0};
	(void)state;
	fixture_ethernet(&f, 0x0800);
	fixture_ipv4(&f, 6, 20, 7);
	fixture_tcp(&f, 1234, 443, FLOW_TCP_ACK, 0);
	fixture_hex(&f, "00 00 00 00 00 00");
	struct flow flow = parse(&f, PACKET_ETHERNET);
	assert_null(flow.payload);
	assert_int_equal(flow.payload_len, 0);
	assert_int_equal(flow.bytes, 40);
}

static void icmp_has_its_type_and_code_as_destination_port(void **state)
{
	struct fixture f = {0};
	(void)state;
	fixture_ipv4(&f, 1, 8 + 28, 3);
	fixture_hex(&f, "03 01 00 00 00 00 00 00");
	udp_in_ipv4(&f, 8, "");
	struct flow flow = parse(&f, PACKET_RAW);
	assert_int_equal(flow.sport, 0);
	assert_int_equal(flow.dport, 0x0301);
	assert_int_equal(flow.payload_len, 28);
}

/* What stands ahead of the same IP packet, by link type: all lead to it. */
static void every_link_layer_leads_to_the_packet(void **state)
{
	static const struct { uint32_t linktype; bool ipv6; const char *head; } cases[] = {
		{PACKET_RAW, false, ""},
		{PACKET_RAW, true, ""},
		{PACKET_RAW_BSD, false, ""},
		{PACKET_RAW_OPENBSD, true, ""},
		{PACKET_IPV4, false, ""},
		{PACKET_IPV6, true, ""},
		{PACKET_NULL, false, "02 00 00 00"},
		{PACKET_NULL, false, "00 00 00 02"},
		{PACKET_NULL, true, "1e 00 00 00"},
		{PACKET_LOOP, true, "00 00 00 18"},
		{PACKET_LINUX_SLL, false, "00 00 00 01 00 06 00 00 00 00 00 01 00 00 08 00"},
		{PACKET_LINUX_SLL2, true, "86 dd 00 00 00 00 00 02 00 01 00 06 00 00 00 00 00 01 00 00"},
		{PACKET_CISCO_HDLC, false, "0f 00 08 00"},
		{PACKET_PPP, false, "00 21"},
		{PACKET_PPP, true, "ff 03 00 57"},
		{PACKET_PPP, false, "21"},
		{PACKET_PPP_HDLC, false, "ff 03 00 21"},
		{PACKET_PPPOE, false, "11 00 00 01 00 23 00 21"},
		{PACKET_MPLS, false, "00 01 01 40"},
		{PACKET_MPLS, true, "00 01 00 40 00 02 01 40"},
		/* Ethernet: plain, one tag, two in all their ways, a tag and MPLS, PPPoE, SNAP */
		{PACKET_ETHERNET, false, "020000000001 020000000002 0800"},
		{PACKET_ETHERNET, false, "020000000001 020000000002 8100 0005 0800"},
		{PACKET_ETHERNET, true, "020000000001 020000000002 88a8 0005 8100 0006 86dd"},
		{PACKET_ETHERNET, true, "020000000001 020000000002 9100 0005 9200 0006 9300 0001 86dd"},
		{PACKET_ETHERNET, false, "020000000001 020000000002 8100 0005 8847 00010140"},
		{PACKET_ETHERNET, false, "020000000001 020000000002 8864 1100 0001 0023 0021"},
		{PACKET_ETHERNET, true, "020000000001 020000000002 8100 0007 8864 1100 0001 0037 0057"},
		{PACKET_ETHERNET, false, "020000000001 020000000002 0029 aaaa03 000000 0800"},
		/* A pseudowire in MPLS, with and without its control word */
		{PACKET_ETHERNET, false, "020000000001 020000000002 8847 00010140 00000000 020000000003 020000000004 0800"},
		{PACKET_ETHERNET, true, "020000000001 020000000002 8848 00010140 a20000000003 020000000004 86dd"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct fixture f = {0};
		fixture_hex(&f, cases[i].head);
		if (cases[i].ipv6) {
			fixture_ipv6(&f, 17, 8 + 5, 7);
			fixture_udp(&f, 53, 4444, 5);
			fixture_bytes(&f, "hello", 5);
		} else {
			udp_in_ipv4(&f, 7, "hello");
		}
		struct flow flow = parse(&f, cases[i].linktype);
		assert_int_equal(flow.family, cases[i].ipv6 ? 6 : 4);
		assert_int_equal(flow.bytes, cases[i].ipv6 ? 53 : 33);
		assert_int_equal(flow.dport, 4444);
		assert_int_equal(flow.payload_len, 5);
	}
}

static void what_is_not_ip_is_unknown(void **state)
{
	static const struct { uint32_t linktype; const char *bytes; } cases[] = {
		{PACKET_ETHERNET, "ffffffffffff 020000000002 0806 0001 0800 0604 0001"}, /* ARP */
		{PACKET_ETHERNET, "0180c2000000 020000000002 0026 424203 0000 00 00 0000"}, /* spanning tree */
		{PACKET_ETHERNET, "020000000001 020000000002 8863 1109 0000 0004 0101 0000"}, /* PPPoE discovery */
		{PACKET_ETHERNET, "020000000001 020000000002 8864 1100 0001 0004 c021 0000"}, /* PPP's own */
		{PACKET_NULL, "07 00 00 00 45"},
		{PACKET_RAW, "00 00 00 00"},
		{147, "45 00"}, /* a link type of one's own */
		{UINT32_MAX, "45 00"},
		/* More tags and labels than anybody has. */
		{PACKET_ETHERNET, "020000000001 020000000002 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001"
				  "8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 0800"},
		{PACKET_MPLS, "00010040 00010040 00010040 00010040 00010040 00010040 00010040 00010040 00010040"
			      "00010040 00010040 00010040 00010040 00010040 00010040 00010040 00010140 45"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct fixture f = {0};
		struct flow flow;
		fixture_hex(&f, cases[i].bytes);
		assert_int_equal(parse_cut(&f, f.len, cases[i].linktype, NULL, &flow), WD_UNKNOWN);
	}
}

static void a_header_that_cannot_be_is_malformed(void **state)
{
	static const char *const cases[] = {
		"44000020 00010000 40110000 c6336407 c0000201", /* a header of 16 bytes */
		"45000013 00010000 40110000 c6336407 c0000201", /* a packet shorter than its header */
		"4f000020 00010000 40110000 c6336407 c0000201", /* a header longer than the packet */
		"65000020 00010000 40110000 c6336407 c0000201", /* not version 4 */
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct fixture f = {0};
		struct flow flow = {.class = 77};
		fixture_hex(&f, cases[i]);
		assert_int_equal(parse_cut(&f, f.len, PACKET_IPV4, NULL, &flow), WD_MALFORMED);
		assert_int_equal(flow.class, 77);
	}
}

static void fragments_have_ports_only_at_first(void **state)
{
	struct fixture first = {0}, later = {0}, first6 = {0}, later6 = {0}, atom6 = {0};
	(void)state;
	udp_in_ipv4(&first, 7, "hello");
	first.bytes[6] = 0x20;
	struct flow flow = parse(&first, PACKET_RAW);
	assert_int_equal(flow.fragment, FLOW_FRAGMENT_FIRST);
	assert_int_equal(flow.sport, 53);
	udp_in_ipv4(&later, 7, "hello");
	later.bytes[7] = 0xb9;
	flow = parse(&later, PACKET_RAW);
	assert_int_equal(flow.fragment, FLOW_FRAGMENT_LATER);
	assert_int_equal(flow.sport | flow.dport, 0);
	assert_null(flow.payload);

	fixture_ipv6(&first6, 44, 8 + 8, 7);
	fixture_hex(&first6, "11 00 00 01 00 00 00 01");
	fixture_udp(&first6, 53, 4444, 2000);
	flow = parse(&first6, PACKET_RAW);
	assert_int_equal(flow.fragment, FLOW_FRAGMENT_FIRST);
	assert_int_equal(flow.protocol, 17);
	assert_int_equal(flow.sport, 53);
	fixture_ipv6(&later6, 44, 8 + 8, 7);
	fixture_hex(&later6, "11 00 00 b9 00 00 00 01 00 35 00 35 00 35 00 35");
	flow = parse(&later6, PACKET_RAW);
	assert_int_equal(flow.fragment, FLOW_FRAGMENT_LATER);
	assert_int_equal(flow.protocol, 17);
	assert_int_equal(flow.sport, 0);
	fixture_ipv6(&atom6, 44, 8 + 8, 7);
	fixture_hex(&atom6, "11 00 00 00 00 00 00 01");
	fixture_udp(&atom6, 53, 4444, 0);
	flow = parse(&atom6, PACKET_RAW);
	assert_int_equal(flow.fragment, FLOW_WHOLE);
	assert_int_equal(flow.sport, 53);
}

static void extension_headers_are_passed_over_up_to_a_limit(void **state)
{
	(void)state;
	for (size_t n = 1; n <= PACKET_EXTENSIONS_MAX + 1; n++) {
		struct fixture f = {0};
		fixture_ipv6(&f, 0, 8 * n + 8, 7);
		for (size_t i = 0; i < n; i++)
			fixture_hex(&f, i + 1 < n ? "3c 00 01 04 00 00 00 00" : "11 00 01 04 00 00 00 00");
		fixture_udp(&f, 53, 4444, 0);
		struct flow flow = parse(&f, PACKET_RAW);
		assert_int_equal(flow.protocol, n <= PACKET_EXTENSIONS_MAX ? 17 : 60);
		assert_int_equal(flow.sport, n <= PACKET_EXTENSIONS_MAX ? 53 : 0);
	}
	/* A header that is longer than the packet: nothing can be said of what is behind. */
	struct fixture f = {0};
	fixture_ipv6(&f, 43, 16, 7);
	fixture_hex(&f, "11 ff 00 00 00 00 00 00 00 35 00 35 00 08 00 00");
	struct flow flow = parse(&f, PACKET_RAW);
	assert_int_equal(flow.protocol, 17);
	assert_int_equal(flow.sport, 0);
}

static void lengths_come_from_the_header_as_far_as_the_wire_goes(void **state)
{
	struct fixture f = {0};
	(void)state;
	fixture_ethernet(&f, 0x0800);
	udp_in_ipv4(&f, 7, "hello");
	f.bytes[16] = f.bytes[17] = 0; /* left to the network card */
	struct flow flow;
	struct packet p = {f.bytes, (uint32_t)f.len, 3014, PACKET_ETHERNET, {0}};
	assert_int_equal(packet_parse(&p, NULL, &flow), WD_OK);
	assert_int_equal(flow.bytes, 3000);
	assert_int_equal(flow.length, 3000);
	f.bytes[16] = f.bytes[17] = 0xff; /* more than there was */
	assert_int_equal(packet_parse(&p, NULL, &flow), WD_OK);
	assert_int_equal(flow.bytes, 3000);
	assert_int_equal(flow.length, 65535);
	f.bytes[16] = 0;
	f.bytes[17] = 33;
	p.wire_length = UINT32_MAX;
	assert_int_equal(packet_parse(&p, NULL, &flow), WD_OK);
	assert_int_equal(flow.bytes, 33);
	f.bytes[14 + 20 + 5] = 10; /* UDP's own length ends the payload earlier */
	assert_int_equal(packet_parse(&p, NULL, &flow), WD_OK);
	assert_int_equal(flow.payload_len, 2);
}

static void a_packet_cut_short_gives_what_is_there(void **state)
{
	struct fixture f = {0};
	struct flow flow;
	(void)state;
	fixture_ethernet(&f, 0x0800);
	fixture_ipv4(&f, 6, 20 + 4 + 3, 7);
	fixture_tcp(&f, 1234, 443, FLOW_TCP_SYN, 4);
	fixture_bytes(&f, "abc", 3);
	for (size_t len = 0; len <= f.len; len++) {
		enum wd_err err = parse_cut(&f, len, PACKET_ETHERNET, NULL, &flow);
		assert_int_equal(err, len < 34 ? WD_SHORT : WD_OK);
		if (err != WD_OK)
			continue;
		assert_int_equal(flow.bytes, 47);
		assert_int_equal(flow.dport, len >= 38 ? 443 : 0);
		assert_int_equal(flow.known & FLOW_FLAGS, len >= 48 ? FLOW_FLAGS : 0);
		assert_int_equal(flow.known & FLOW_PACKET, len >= 50 ? FLOW_PACKET : 0);
		assert_int_equal(flow.window, len >= 50 ? 1024 : 0);
		assert_int_equal(flow.length, len >= 50 ? 47 : 0);
		assert_int_equal(flow.payload_len, len > 58 ? len - 58 : 0);
	}
}

/* Heads ahead of the same inner packet; the outer one is from …1 to 192.0.2.1. */
struct tunnel { uint8_t protocol; const char *head; bool ipv6; };
static const struct tunnel tunnel_cases[] = {
	{4, "", false},
	{41, "", true},
	{47, "0000 0800", false},
	{47, "8000 0800 12340000", false},
	{47, "2000 0800 00000001", false},
	{47, "b000 86dd 12340000 00000001 00000002", true},
	{47, "0000 6558 020000000001 020000000002 0800", false},
	{47, "0000 6558 020000000001 020000000002 8100 0005 0800", false},
	{47, "0000 8847 00010140", false},
	{47, "3001 880b 00290001 00000001 ff03 0021", false}, /* PPTP */
	{47, "3081 880b 00290001 00000001 00000002 21", false},
	{47, "1000 88be 00000001 10010001 00000000 020000000001 020000000002 0800", false}, /* a mirror's */
	{47, "0000 88be 020000000001 020000000002 0800", false},
	{47, "1000 22eb 00000001 20010001 00000000 00000000 020000000001 020000000002 0800", false},
	{47, "1000 22eb 00000001 20010001 00000000 00000001 00000000 00000000 020000000001 020000000002 0800", false},
	{97, "3000 020000000001 020000000002 0800", false},
	{137, "00010140", false},
	{17, "1234 12b5 0000 0000 08000000 00000100 020000000001 020000000002 0800", false}, /* VXLAN */
	{17, "1234 2118 0000 0000 08000000 00000100 020000000001 020000000002 86dd", true},
	{17, "1234 17c1 0000 0000 0000 6558 00000100 020000000001 020000000002 0800", false}, /* Geneve */
	{17, "1234 17c1 0000 0000 0100 0800 00000100 01020304", false},
	{17, "1234 12b5 0000 0000 88000007 00000100 020000000001 020000000002 0800", false}, /* a group's */
	{17, "1234 12b6 0000 0000 0c000001 00000100", false}, /* VXLAN-GPE */
	{17, "1234 12b6 0000 0000 0c000002 00000100", true},
	{17, "1234 12b6 0000 0000 0c000003 00000100 020000000001 020000000002 0800", false},
	{17, "1234 12b6 0000 0000 0c000004 00000100 0fc60101 00000aff 00000000 00000000 00000000 00000000", false},
	{17, "1234 12b6 0000 0000 0c000005 00000100 00010140", false},
	{47, "0000 894f 0fc20202 00000aff", true}, /* NSH in GRE */
	{17, "1234 0868 0000 0000 30ff0021 00000001", false}, /* GTP-U */
	{17, "1234 0868 0000 0000 32ff0021 00000001 00070000", false},
	{17, "1234 0868 0000 0000 34ff0021 00000001 00000085 01100500", true},
	{17, "1234 0868 0000 0000 36ff0021 00000001 000700c0 0100 0185 02000000 00000000", false},
	{17, "1234 0868 0000 0000 30ff0021 00000001 020000000001 020000000002 0800", false},
	{17, "1234 06a5 0000 0000 0002 0001 0002 ff03 0021", false}, /* L2TP */
	{17, "1234 06a5 0000 0000 4802 0031 0001 0002 00000000 0057", true},
	{17, "1234 06a5 0000 0000 4a02 0031 0001 0002 00000000 0002 0000 21", false},
	{17, "1234 9090 0000 0000 01000001 01 020000000001 020000000002 0800", false}, /* TZSP */
	{17, "1234 9090 0000 0000 01000001 00 0a01d4 2904 01020304 01 020000000001 020000000002 0800", false},
};

static void tunnel_frame(struct fixture *f, const struct tunnel *t)
{
	struct fixture inside = {0};
	fixture_hex(&inside, t->head);
	if (t->ipv6) {
		fixture_ipv6(&inside, 17, 8 + 5, 9);
		fixture_udp(&inside, 53, 4444, 5);
		fixture_bytes(&inside, "hello", 5);
	} else {
		udp_in_ipv4(&inside, 9, "hello");
	}
	fixture_ethernet(f, 0x0800);
	fixture_ipv4(f, t->protocol, inside.len, 1);
	fixture_bytes(f, inside.bytes, inside.len);
}

static void tunnels_are_opened_unless_that_is_not_wanted(void **state)
{
	static const struct packet_options closed = {.decapsulate = false};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(tunnel_cases); i++) {
		const struct tunnel *t = &tunnel_cases[i];
		struct fixture f = {0};
		tunnel_frame(&f, t);
		struct flow flow = parse(&f, PACKET_ETHERNET);
		assert_int_equal(flow.family, t->ipv6 ? 6 : 4);
		assert_int_equal(flow.protocol, 17);
		assert_int_equal(flow.sport, 53);
		assert_int_equal(flow.dport, 4444);
		assert_int_equal(flow.bytes, t->ipv6 ? 53 : 33);
		assert_int_equal(flow.src[t->ipv6 ? 15 : 3], 9);
		assert_memory_equal(flow.payload, "hello", 5);
		assert_int_equal(parse_cut(&f, f.len, PACKET_ETHERNET, &closed, &flow), WD_OK);
		assert_int_equal(flow.protocol, t->protocol);
		assert_int_equal(flow.src[3], 1);
	}
}

static void a_tunnel_that_does_not_open_is_the_packet_that_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < WD_COUNT(tunnel_cases); i++) {
		struct fixture f = {0};
		tunnel_frame(&f, &tunnel_cases[i]);
		for (size_t len = 34; len <= f.len; len++) {
			struct flow flow;
			assert_int_equal(parse_cut(&f, len, PACKET_ETHERNET, NULL, &flow), WD_OK);
			bool outer = flow.src[3] == 1 && flow.family == 4;
			assert_true(outer || flow.src[flow.family == 6 ? 15 : 3] == 9);
			assert_int_equal(flow.bytes, outer ? f.len - 14 : flow.family == 6 ? 53 : 33);
		}
	}
	struct fixture f = {0};
	fixture_ethernet(&f, 0x0800);
	fixture_ipv4(&f, 47, 4 + 20, 1);
	fixture_hex(&f, "0000 0800 ffffffff ffffffff ffffffff ffffffff ffffffff");
	assert_int_equal(parse(&f, PACKET_ETHERNET).protocol, 47);
}

/* Heads of tunnels' ports that carry no packet of a network: what is behind them stays closed. */
static void what_only_looks_like_a_tunnel_stays_closed(void **state)
{
	static const struct tunnel cases[] = {
		{17, "1234 12b6 0000 0000 08000001 00000100", false}, /* does not say what comes next */
		{17, "1234 12b6 0000 0000 0d000001 00000100", false}, /* for its ends */
		{17, "1234 12b6 0000 0000 0c000006 00000100", false},
		{47, "0000 894f 0fc10201 00000aff", false}, /* a length that cannot be */
		{47, "0000 894f 4fc20201 00000aff", false}, /* of a later version */
		{17, "1234 0868 0000 0000 30010021 00000001", false}, /* an echo */
		{17, "1234 0868 0000 0000 20ff0021 00000001", false}, /* of charging */
		{17, "1234 0868 0000 0000 50ff0021 00000001", false}, /* of a later version */
		{17, "1234 0868 0000 0000 34ff0021 00000001 00000085 00100500", false},
		{17, "1234 0868 0000 0000 34ff0021 00000001 00000085 01000085 01000085 01000085 01000085 01000000", false},
		{17, "1234 06a5 0000 0000 c802 0031 0001 0002 00000000 ff03 0021", false}, /* control */
		{17, "1234 06a5 0000 0000 0003 0000 00000002", false}, /* version 3 */
		{17, "1234 06a5 0000 0000 0002 0001 0002 ff03 c021", false}, /* an echo of PPP's own */
		{17, "1234 9090 0000 0000 01040001 01 020000000001 020000000002 0800", false}, /* alive */
		{17, "1234 9090 0000 0000 01000012 01 020000000001 020000000002 0800", false}, /* Wi-Fi */
		{17, "1234 9090 0000 0000 02000001 01 020000000001 020000000002 0800", false},
	};

	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct fixture f = {0};
		tunnel_frame(&f, &cases[i]);
		struct flow flow = parse(&f, PACKET_ETHERNET);
		assert_int_equal(flow.protocol, cases[i].protocol);
		assert_int_equal(flow.src[3], 1);
	}
	/* More tags than anybody sends. */
	struct fixture f = {0};
	fixture_ethernet(&f, 0x0800);
	fixture_ipv4(&f, 17, 8 + 4 + 40, 1);
	fixture_hex(&f, "1234 9090 0000 0000 01000001");
	for (int i = 0; i < 40; i++)
		fixture_hex(&f, "00");
	assert_int_equal(parse(&f, PACKET_ETHERNET).dport, 37008);
}

static void tunnels_in_tunnels_are_opened_up_to_a_limit(void **state)
{
	(void)state;
	for (uint8_t n = 0; n <= PACKET_TUNNELS_MAX + 2; n++) {
		struct fixture f = {0};
		for (uint8_t i = 0; i < n; i++)
			fixture_ipv4(&f, 4, (size_t)(n - i - 1) * 20 + 28, (uint8_t)(100 + i));
		udp_in_ipv4(&f, 9, "");
		struct flow flow = parse(&f, PACKET_RAW);
		assert_int_equal(flow.protocol, n <= PACKET_TUNNELS_MAX ? 17 : 4);
		assert_int_equal(flow.src[3], n <= PACKET_TUNNELS_MAX ? 9 : 100 + PACKET_TUNNELS_MAX);
	}
}

/* Watched is what ends in the number that the context points at. */
static bool watched(const void *context, const struct flow *f)
{
	const uint8_t *last = context;
	return f->dst[3] == *last;
}

static void a_flood_of_tunnel_packets_at_a_watched_service_stays_what_it_is(void **state)
{
	struct fixture f = {0};
	struct flow flow;
	(void)state;
	tunnel_frame(&f, &tunnel_cases[2]);
	f.bytes[14 + 19] = 5;                /* the outer destination */
	f.bytes[14 + 20 + 4 + 19] = 6;       /* the inner one */
	static const struct { uint8_t watched, protocol; } cases[] = {
		{5, 47}, /* the tunnel's end is watched: a flood of GRE */
		{6, 17}, /* what is inside is watched: a tunnel like others */
		{7, 17}, /* neither */
	};
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct packet_options o = {true, watched, &cases[i].watched};
		assert_int_equal(parse_cut(&f, f.len, PACKET_ETHERNET, &o, &flow), WD_OK);
		assert_int_equal(flow.protocol, cases[i].protocol);
	}
	/* What is sent to a tunnel's own end inside of it, as some floods are. */
	memcpy(f.bytes + 14 + 20 + 4 + 16, f.bytes + 14 + 16, 4);
	struct packet_options o = {true, watched, &cases[0].watched};
	assert_int_equal(parse_cut(&f, f.len, PACKET_ETHERNET, &o, &flow), WD_OK);
	assert_int_equal(flow.protocol, 47);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fields_of_a_udp_packet),
		cmocka_unit_test(the_fields_of_a_tcp_packet),
		cmocka_unit_test(the_padding_of_a_short_frame_is_no_payload),
		cmocka_unit_test(icmp_has_its_type_and_code_as_destination_port),
		cmocka_unit_test(every_link_layer_leads_to_the_packet),
		cmocka_unit_test(what_is_not_ip_is_unknown),
		cmocka_unit_test(a_header_that_cannot_be_is_malformed),
		cmocka_unit_test(fragments_have_ports_only_at_first),
		cmocka_unit_test(extension_headers_are_passed_over_up_to_a_limit),
		cmocka_unit_test(lengths_come_from_the_header_as_far_as_the_wire_goes),
		cmocka_unit_test(a_packet_cut_short_gives_what_is_there),
		cmocka_unit_test(tunnels_are_opened_unless_that_is_not_wanted),
		cmocka_unit_test(a_tunnel_that_does_not_open_is_the_packet_that_it_is),
		cmocka_unit_test(what_only_looks_like_a_tunnel_stays_closed),
		cmocka_unit_test(tunnels_in_tunnels_are_opened_up_to_a_limit),
		cmocka_unit_test(a_flood_of_tunnel_packets_at_a_watched_service_stays_what_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
