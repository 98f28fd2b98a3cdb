/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/pcap.h"

#include "base/check.h"
#include "decode/testdata.h"
#include "decode/traffic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What is counted of a real capture, and what SOURCES.md beside it says. `quoted` are packets that
 * match inside ICMP errors: a display filter counts them, so SOURCES.md's 4108 SNMP answers are
 * 4079 and 29 quoted ones. */
struct facts {
	const char *file;
	uint64_t packets, matching, quoted, sources, sources_all, fragments, later, icmp;
	uint16_t sport;      /* matching: UDP from this port; 0 = TCP with exactly these flags */
	uint8_t flags, ttl[2]; /* of what matches; 0 = any */
};

struct counted {
	uint64_t packets, flows, matching, quoted, sources, sources_all, fragments, later, icmp,
		other_ttl;
};

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static uint64_t distinct(uint8_t (*addresses)[16], uint64_t count)
{
	uint64_t n = 0;
	qsort(addresses, count, 16, by_bytes);
	for (uint64_t i = 0; i < count; i++)
		n += i == 0 || memcmp(addresses[i], addresses[i - 1], 16) != 0;
	return n;
}

static bool matches(const struct facts *facts, const struct flow *f)
{
	return facts->sport != 0 ? f->protocol == 17 && f->sport == facts->sport
				 : f->protocol == 6 && f->tcp_flags == facts->flags;
}

static struct counted count_file(const uint8_t *bytes, size_t len, const struct facts *facts)
{
	struct counted c = {0};
	struct pcap p;
	struct packet packet;
	struct flow f, inner;
	bool end = false;
	uint8_t (*sources)[16] = calloc(1 << 16, 16), (*all)[16] = calloc(1 << 16, 16);
	assert_non_null(sources);
	assert_non_null(all);
	assert_int_equal(pcap_begin(&p, bytes, len, NULL), WD_OK);
	while (assert_int_equal(pcap_next(&p, &packet, &end, NULL), WD_OK), !end) {
		c.packets++;
		if (packet_parse(&packet, NULL, &f) != WD_OK)
			continue;
		assert_true(c.flows < 1 << 16);
		memcpy(all[c.flows++], f.src, 16);
		c.fragments += f.fragment != FLOW_WHOLE;
		c.later += f.fragment == FLOW_FRAGMENT_LATER;
		if (f.protocol == 1) {
			struct packet quote = {f.payload, f.payload_len, 0, PACKET_IPV4, {0}};
			c.icmp++;
			c.quoted += packet_parse(&quote, NULL, &inner) == WD_OK && matches(facts, &inner);
		}
		if (!matches(facts, &f))
			continue;
		c.other_ttl += facts->ttl[0] != 0 && f.ttl != facts->ttl[0] && f.ttl != facts->ttl[1];
		memcpy(sources[c.matching++], f.src, 16);
	}
	c.sources = distinct(sources, c.matching);
	c.sources_all = distinct(all, c.flows);
	free(sources);
	free(all);
	return c;
}

static void real_attacks_have_the_numbers_that_are_known_of_them(void **state)
{
	static const struct facts cases[] = {
		{"ddos/stopddos/amp.UDP.snmp.src161.pcapng", .packets = 4373, .matching = 4108 - 29, .quoted = 29,
		 .sources_all = 4276, .icmp = 294, .sport = 161},
		{"ddos/stopddos/amp.UDP.isakmp.pcap", .packets = 3984, .matching = 3984, .sources = 2767, .sport = 4500},
		/* Counted by hand from the IP headers: 483 first fragments, 726 later ones; SOURCES.md says 871 and 726. */
		{"ddos/stopddos/amp.dns.RRSIG.fragmented.pcap", .matching = 547, .fragments = 1209, .later = 726, .sport = 53},
		{"ddos/stopddos/pkt.TCP.synflood.spoofed.pcap", .packets = 37841, .matching = 37841, .sources = 37623,
		 .flags = FLOW_TCP_SYN, .ttl = {242, 244}},
		{"ddos/lab/CIC-DDoS-2019-SynFlood.pcap", .matching = 18778, .flags = FLOW_TCP_SYN},
		{"ddos/lab/CIC-DDoS-2019-SynFlood.pcap", .matching = 7538, .flags = FLOW_TCP_RST | FLOW_TCP_ACK},
		{"ddos/lab/small-syn-below-threshold.pcap", .matching = 200, .sources = 1, .flags = FLOW_TCP_SYN},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		size_t len;
		uint8_t *bytes = testdata_load(cases[i].file, &len);
		if (bytes == NULL)
			continue;
		struct counted c = count_file(bytes, len, &cases[i]);
		assert_int_equal(c.matching, cases[i].matching);
		assert_int_equal(c.quoted, cases[i].quoted);
		assert_int_equal(c.other_ttl, 0);
		assert_true(cases[i].packets == 0 || c.packets == cases[i].packets);
		assert_true(cases[i].sources == 0 || c.sources == cases[i].sources);
		assert_true(cases[i].sources_all == 0 || c.sources_all == cases[i].sources_all);
		assert_true(cases[i].fragments == 0 || c.fragments == cases[i].fragments);
		assert_true(cases[i].later == 0 || c.later == cases[i].later);
		assert_true(cases[i].icmp == 0 || c.icmp == cases[i].icmp);
		free(bytes);
	}
}

/* --- files of our own --------------------------------------------------------------------- */

/* Numbers in the file's own byte order. */
struct maker { struct fixture f; bool little; };

static void put(struct maker *m, uint64_t x, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fixture_u8(&m->f, (uint32_t)(x >> 8 * (m->little ? i : len - 1 - i)) & 0xff);
}

static void put_frame(struct maker *m, uint8_t from)
{
	fixture_ethernet(&m->f, 0x0800);
	fixture_ipv4(&m->f, 17, 8, from);
	fixture_udp(&m->f, 53, 4444, 0);
}

enum { FRAME = 14 + 20 + 8 };

static void put_pcap_head(struct maker *m, uint32_t magic)
{
	put(m, magic, 4);
	put(m, 2, 2);
	put(m, 4, 2);
	put(m, 0, 8);
	put(m, 65535, 4);
	put(m, 0x14000001, 4); /* Ethernet, with a checksum of 4 bytes behind */
}

static void put_pcap_record(struct maker *m, uint32_t magic, uint32_t s, uint32_t fraction, uint8_t from)
{
	put(m, s, 4);
	put(m, fraction, 4);
	put(m, FRAME, 4);
	put(m, FRAME + 4, 4);
	if (magic == 0xa1b2cd34)
		put(m, 0, 8);
	put_frame(m, from);
}

/* From an exact copy. Returns the failure, or WD_OK at the end; counts what came before. */
static enum wd_err read_all(const struct fixture *f, size_t len, struct packet *packets, size_t cap, size_t *ret_count,
			    struct wd_why *why)
{
	static uint8_t *kept;
	struct pcap p;
	struct packet packet;
	bool end = false;
	free(kept);
	kept = malloc(len > 0 ? len : 1);
	assert_non_null(kept);
	memcpy(kept, f->bytes, len);
	*ret_count = 0;
	enum wd_err err = pcap_begin(&p, kept, len, why);
	while (err == WD_OK && (err = pcap_next(&p, &packet, &end, why)) == WD_OK && !end) {
		assert_true(*ret_count < cap);
		assert_true(packet.bytes >= kept && packet.bytes + packet.captured <= kept + len);
		packets[(*ret_count)++] = packet;
	}
	if (err != WD_OK && *ret_count > 0) {
		struct wd_why again = {0};
		assert_int_equal(pcap_next(&p, &packet, &end, &again), err); /* it stays so */
		assert_ptr_equal(again.what, why->what);
		assert_int_equal(again.at, why->at);
	}
	return err;
}

static void all_kinds_of_pcap_are_read(void **state)
{
	static const struct { uint32_t magic; uint32_t fraction; } cases[] = {
		{0xa1b2c3d4, 123456}, {0xa1b23c4d, 123456000}, {0xa1b2cd34, 123456},
	};
	(void)state;
	for (size_t i = 0; i < 2 * WD_COUNT(cases); i++) {
		struct maker m = {.little = i % 2};
		struct packet packets[4];
		size_t count;
		put_pcap_head(&m, cases[i / 2].magic);
		put_pcap_record(&m, cases[i / 2].magic, 1700000000, cases[i / 2].fraction, 7);
		put_pcap_record(&m, cases[i / 2].magic, 1700000001, 0, 8);
		assert_int_equal(read_all(&m.f, m.f.len, packets, 4, &count, NULL), WD_OK);
		assert_int_equal(count, 2);
		assert_int_equal(packets[0].at.ns, 1700000000123456000);
		assert_int_equal(packets[1].at.ns, 1700000001000000000);
		assert_int_equal(packets[0].captured, FRAME);
		assert_int_equal(packets[0].wire_length, FRAME + 4);
		assert_int_equal(packets[0].linktype, PACKET_ETHERNET);
		assert_int_equal(packets[1].bytes[14 + 15], 8);
	}
}

static void put_block(struct maker *m, uint32_t type, const struct maker *body)
{
	uint32_t padding = -(uint32_t)body->f.len & 3u;
	uint32_t len = (uint32_t)body->f.len + padding + 12;
	put(m, type, 4);
	put(m, len, 4);
	fixture_bytes(&m->f, body->f.bytes, body->f.len);
	put(m, 0, padding);
	put(m, len, 4);
}

static void put_section(struct maker *m)
{
	struct maker body = {.little = m->little};
	put(&body, 0x1a2b3c4d, 4);
	put(&body, 1, 2);
	put(&body, 0, 2);
	put(&body, UINT64_MAX, 8);
	put_block(m, 0x0a0d0d0a, &body);
}

/* resolution 0xff = none is told */
static void put_interface(struct maker *m, uint16_t linktype, uint8_t resolution, int64_t offset_s)
{
	struct maker body = {.little = m->little};
	put(&body, linktype, 2);
	put(&body, 0, 2);
	put(&body, 65535, 4);
	put(&body, 2, 2); /* its name, which is of no use */
	put(&body, 5, 2);
	fixture_bytes(&body.f, "eth0\0\0\0\0", 8);
	if (resolution != 0xff) {
		put(&body, 9, 2);
		put(&body, 1, 2);
		put(&body, resolution, 1);
		put(&body, 0, 3);
	}
	put(&body, 14, 2);
	put(&body, 8, 2);
	put(&body, (uint64_t)offset_s, 8);
	put(&body, 0, 4);
	put_block(m, 1, &body);
}

static void put_packet(struct maker *m, uint32_t type, uint32_t interface, uint64_t ticks, uint8_t from)
{
	struct maker body = {.little = m->little};
	if (type == 6) {
		put(&body, interface, 4);
	} else if (type == 2) {
		put(&body, interface, 2);
		put(&body, 0, 2);
	}
	if (type != 3) {
		put(&body, ticks >> 32, 4);
		put(&body, ticks & UINT32_MAX, 4);
		put(&body, FRAME, 4);
	}
	put(&body, FRAME + 4, 4);
	put_frame(&body, from);
	put_block(m, type, &body);
}

static void blocks_of_pcapng_are_read_and_others_passed_over(void **state)
{
	struct maker m = {.little = true}, other = {.little = true};
	struct packet packets[16];
	size_t count;
	(void)state;
	put_section(&m);
	put(&other, 0x1234, 5);
	put_block(&m, 0x0bad, &other);
	put_interface(&m, 1, 0xff, 0);
	put_interface(&m, 101, 9, 3600);
	put_interface(&m, 1, 0x80 | 20, 0);
	put_interface(&m, 1, 12, -1);
	put_packet(&m, 6, 0, 1700000000123456, 1);
	put_packet(&m, 6, 1, 1700000000123456789, 2);
	put_packet(&m, 2, 2, (UINT64_C(1700000000) << 20) + (1 << 19), 3);
	put_packet(&m, 6, 3, UINT64_C(12) * 1000000000000 + 5000, 4);
	put_packet(&m, 3, 0, 0, 5);
	m.little = false; /* a section of a machine of the other kind */
	put_section(&m);
	put_interface(&m, 228, 3, 0);
	put_packet(&m, 6, 0, 1700000000123, 6);
	assert_int_equal(read_all(&m.f, m.f.len, packets, 16, &count, NULL), WD_OK);
	assert_int_equal(count, 6);
	static const struct { uint32_t linktype, wire_length; int64_t ns; } expected[] = {
		{1, FRAME + 4, 1700000000123456000},
		{101, FRAME + 4, 1700003600123456789},
		{1, FRAME + 4, 1700000000500000000},
		{1, FRAME + 4, 11000000005},
		{1, FRAME + 4, 0},
		{228, FRAME + 4, 1700000000123000000},
	};
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(packets[i].linktype, expected[i].linktype);
		assert_int_equal(packets[i].captured >= FRAME && packets[i].captured <= FRAME + 3, true);
		assert_int_equal(packets[i].wire_length, expected[i].wire_length);
		assert_int_equal(packets[i].at.ns, expected[i].ns);
		assert_int_equal(packets[i].bytes[14 + 15], i + 1);
	}
}

static void times_beyond_all_measure_are_not_told(void **state)
{
	static const struct { uint8_t resolution; uint64_t ticks; int64_t offset; } cases[] = {
		{0, UINT64_MAX, 0}, {0, UINT64_MAX, INT64_MAX}, {0, 0, INT64_MIN}, {0x80, UINT64_MAX, 0},
		{0xfe, UINT64_MAX, INT64_MAX}, {0xbf, UINT64_MAX, INT64_MIN}, {0xc0, UINT64_MAX, INT64_MAX},
		{0, 1, -2}, {0, UINT64_C(7258118400), 0}, {0, UINT64_C(7258118399), 1}, {0, 0, -1},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct maker m = {0};
		struct packet packets[1];
		size_t count;
		put_section(&m);
		put_interface(&m, 1, cases[i].resolution, cases[i].offset);
		put_packet(&m, 6, 0, cases[i].ticks, 1);
		assert_int_equal(read_all(&m.f, m.f.len, packets, 1, &count, NULL), WD_OK);
		assert_int_equal(count, 1);
		assert_int_equal(packets[0].at.ns, 0);
	}
}

static void times_are_told_up_to_the_year_2199(void **state)
{
	static const struct { uint8_t resolution; uint64_t ticks; int64_t offset, ns; } cases[] = {
		{0, UINT64_C(7258118399), 0, INT64_C(7258118399000000000)},
		{0, 5, -5, 0},
		{0, 5, INT64_C(7258118394), INT64_C(7258118399000000000)},
		{0x80, UINT64_C(7258118400), -1, INT64_C(7258118399000000000)}, /* 2^0 a second */
		{18, UINT64_MAX, 0, INT64_C(18446744073)}, {0xc0, UINT64_MAX, 0, 999999999}, /* 2^-64 s */
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct maker m = {0};
		struct packet packets[1];
		size_t count;
		put_section(&m);
		put_interface(&m, 1, cases[i].resolution, cases[i].offset);
		put_packet(&m, 6, 0, cases[i].ticks, 1);
		assert_int_equal(read_all(&m.f, m.f.len, packets, 1, &count, NULL), WD_OK);
		assert_int_equal(packets[0].at.ns, cases[i].ns);
	}
}

static void a_torn_file_says_where_and_what_came_before_counts(void **state)
{
	struct maker pcap = {.little = true}, blocks = {0};
	struct packet packets[4];
	struct wd_why why;
	size_t count;
	(void)state;
	put_pcap_head(&pcap, 0xa1b2c3d4);
	put_pcap_record(&pcap, 0xa1b2c3d4, 1, 0, 7);
	size_t second = pcap.f.len;
	put_pcap_record(&pcap, 0xa1b2c3d4, 2, 0, 8);
	for (size_t len = 0; len < pcap.f.len; len++) {
		enum wd_err err = read_all(&pcap.f, len, packets, 4, &count, &why);
		bool whole = len == 24 || len == second;
		assert_int_equal(err, whole ? WD_OK : WD_SHORT);
		assert_int_equal(count, len >= second);
		if (!whole)
			assert_int_equal(why.at, len < 24 ? 0 : len < second ? 24 : second);
	}
	put_section(&blocks);
	put_interface(&blocks, 1, 9, 0);
	size_t ends[3] = {28, blocks.f.len};
	put_packet(&blocks, 6, 0, 5, 7);
	ends[2] = blocks.f.len;
	for (size_t len = 4; len < blocks.f.len; len++) {
		enum wd_err err = read_all(&blocks.f, len, packets, 4, &count, &why);
		assert_int_equal(err, len == ends[0] || len == ends[1] ? WD_OK : WD_SHORT);
		assert_int_equal(count, 0);
	}
	assert_int_equal(read_all(&blocks.f, ends[2], packets, 4, &count, &why), WD_OK);
	assert_int_equal(count, 1);
}

static void a_broken_file_says_what_is_wrong(void **state)
{
	/* A byte of the file that is changed, and what is said then. */
	static const struct { bool blocks; size_t at; uint8_t value; enum wd_err err; size_t where; } cases[] = {
		{false, 0, 0x77, WD_UNKNOWN, 0},
		{false, 5, 3, WD_UNKNOWN, 4},         /* version */
		{false, 24 + 8, 0x7f, WD_MALFORMED, 24}, /* captured */
		{true, 8, 0, WD_MALFORMED, 0},        /* byte order */
		{true, 13, 9, WD_UNKNOWN, 0},         /* version */
		{true, 7, 30, WD_MALFORMED, 0},       /* length of the section's block */
		{true, 27, 32, WD_MALFORMED, 0},      /* … and at its end */
		{true, 28 + 8 + 8 + 3, 250, WD_MALFORMED, 28}, /* length of an option */
		{true, 28 + 56 + 11, 1, WD_MALFORMED, 84}, /* a packet's interface */
		{true, 28 + 56 + 8 + 15, 250, WD_MALFORMED, 84}, /* its captured length */
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct maker m = {0};
		struct packet packets[4];
		struct wd_why why = {0};
		size_t count;
		if (cases[i].blocks) {
			put_section(&m);
			put_interface(&m, 1, 9, 0);
			assert_int_equal(m.f.len, 28 + 56);
			put_packet(&m, 6, 0, 5, 7);
		} else {
			put_pcap_head(&m, 0xa1b2c3d4);
			put_pcap_record(&m, 0xa1b2c3d4, 1, 0, 7);
		}
		m.f.bytes[cases[i].at] = cases[i].value;
		assert_int_equal(read_all(&m.f, m.f.len, packets, 4, &count, &why), cases[i].err);
		assert_int_equal(why.err, cases[i].err);
		assert_int_equal(why.at, cases[i].where);
		assert_non_null(why.what);
		assert_int_equal(count, 0);
	}
}

static void packets_of_interfaces_beyond_the_maximum_are_counted(void **state)
{
	struct maker m = {0};
	struct pcap p;
	struct packet packet;
	bool end = false;
	(void)state;
	put_section(&m);
	for (size_t i = 0; i <= PCAP_INTERFACES_MAX; i++)
		put_interface(&m, 1, 9, 0);
	put_packet(&m, 6, PCAP_INTERFACES_MAX, 5, 7);
	put_packet(&m, 6, PCAP_INTERFACES_MAX - 1, 6, 8);
	assert_int_equal(pcap_begin(&p, m.f.bytes, m.f.len, NULL), WD_OK);
	assert_int_equal(pcap_next(&p, &packet, &end, NULL), WD_OK);
	assert_int_equal(packet.at.ns, 6);
	assert_int_equal(p.skipped, 1);
}

/* Through all that reads packets; a crash or a read past the end is the failure. */
static void visit_malformed(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	struct pcap p;
	struct packet packet;
	struct flow f;
	struct wd_why why = {0};
	bool end = false;
	size_t *packets = context;
	assert_int_equal(pcap_begin(&p, bytes, len, &why), WD_OK);
	enum wd_err err;
	while ((err = pcap_next(&p, &packet, &end, &why)) == WD_OK && !end) {
		++*packets;
		for (uint32_t cut = 0; cut <= packet.captured && cut < 400; cut++) {
			uint8_t *exact = malloc(cut > 0 ? cut : 1);
			struct packet part = packet;
			assert_non_null(exact);
			memcpy(exact, packet.bytes, cut);
			part.bytes = exact;
			part.captured = cut;
			if (packet_parse(&part, NULL, &f) == WD_OK)
				assert_true(f.family == 4 || f.family == 6);
			free(exact);
		}
	}
	if (err != WD_OK)
		assert_true(p.offset <= len && why.what != NULL);
	(void)path;
}

static void packets_that_broke_others_break_nothing(void **state)
{
	size_t packets = 0;
	(void)state;
	if (testdata_each("malformed", visit_malformed, &packets) > 0)
		assert_true(packets > 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds_of_pcap_are_read),
		cmocka_unit_test(blocks_of_pcapng_are_read_and_others_passed_over),
		cmocka_unit_test(times_beyond_all_measure_are_not_told),
		cmocka_unit_test(times_are_told_up_to_the_year_2199),
		cmocka_unit_test(a_torn_file_says_where_and_what_came_before_counts),
		cmocka_unit_test(a_broken_file_says_what_is_wrong),
		cmocka_unit_test(packets_of_interfaces_beyond_the_maximum_are_counted),
		cmocka_unit_test(packets_that_broke_others_break_nothing),
		cmocka_unit_test(real_attacks_have_the_numbers_that_are_known_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
