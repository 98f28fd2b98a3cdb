/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/pcap.h"

#include "base/check.h"
#include "decode/testdata.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_attacks_have_the_numbers_that_are_known_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
