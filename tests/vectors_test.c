/* SPDX-License-Identifier: Apache-2.0 */
/* Every family of vectors, made here, through classes, tally and tracer to its name and to
 * what its sources prove. */
#include "trace_fixture.h"

#include "model/address_space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* How a made-up flood looks; zero is the plain choice. */
struct made {
	uint32_t count;      /* packets; 0 = 4000 */
	uint32_t sources;    /* 0 = a new one for each packet, from all of the Internet */
	uint8_t protocol, flags, type, code;
	uint16_t from, to;   /* 0 = random */
	uint16_t length;     /* 0 = 60 to 1000 */
	uint8_t options;
	bool one_place;      /* all TTLs 242 or 244; else as from everywhere */
	bool any_ttl;        /* a random one each packet */
	bool senders;        /* sources that do not exist are of /8s that send, at least */
	bool sequence_low_zero, sequence_target, sequence_zero, window_zero;
	bool flow;           /* as an exporter sums up: no payload, TTL, options, sequence */
	uint32_t packets;    /* of such a flow; 0 = 1 */
	uint8_t fragment;
	const void *payload;
	size_t payload_len;
	bool payload_random;
};

enum { SECONDS_MS = 2000 };
static const int64_t begin_ms = INT64_C(1795255200000);
static const uint8_t target[4] = {192, 0, 2, 80};

static void address_of(struct trace_fixture *x, const struct made *m, uint32_t i, uint8_t *src)
{
	uint32_t n = m->sources == 0 ? (uint32_t)prng_u64(&x->random) : (i % m->sources) * 2654435761U;
	src[0] = (uint8_t)(1 + (n >> 24) % 222);
	src[0] = src[0] == 127 ? 126 : src[0];
	/* Of all that send. */
	if (m->senders && address_space_is_silent(src[0]))
		src[0] = 60;
	/* What really exists crowds into few networks. */
	if (m->sources != 0)
		src[0] = (uint8_t)(src[0] % 40 + 60);
	src[1] = (uint8_t)(n >> 16);
	src[2] = (uint8_t)(n >> 8);
	src[3] = (uint8_t)n;
}

static struct flow packet_of(struct trace_fixture *x, const struct made *m, uint32_t i, uint8_t *payload)
{
	struct flow f = {.family = 4, .protocol = m->protocol, .sampling = 1, .packets = m->packets == 0 ? 1 : m->packets,
			 .tcp_flags = m->flags, .fragment = m->fragment};
	bool tcp = m->protocol == 6 && m->fragment != FLOW_FRAGMENT_LATER;
	uint32_t count = m->count == 0 ? 4000 : m->count;
	address_of(x, m, i, f.src);
	memcpy(f.dst, target, 4);
	f.length = m->length != 0 ? m->length : (uint16_t)(60 + prng_below(&x->random, 940));
	f.bytes = f.packets * f.length;
	f.first_ms = f.last_ms = begin_ms + (int64_t)i * SECONDS_MS / count;
	f.known = FLOW_TIMES | (tcp ? FLOW_FLAGS : 0);
	if (m->protocol == 1) {
		f.dport = (uint16_t)(m->type << 8 | m->code);
	} else if ((m->protocol == 6 || m->protocol == 17) && m->fragment != FLOW_FRAGMENT_LATER) {
		f.sport = m->from != 0 ? m->from : (uint16_t)(1024 + prng_below(&x->random, 64000));
		f.dport = m->to != 0 ? m->to : (uint16_t)(1024 + prng_below(&x->random, 64000));
	}
	if (m->flow) {
		f.length = 0;
		return f;
	}
	f.known |= FLOW_PACKET | FLOW_TTL;
	/* As from everywhere: by the address, so that a source is always as far away. */
	f.ttl = m->one_place ? (prng_below(&x->random, 2) == 0 ? 242 : 244)
			     : (uint8_t)((f.src[2] % 3 == 0 ? 128 : 64) - 4 - (f.src[3] + f.src[1]) % 20);
	if (m->any_ttl)
		f.ttl = (uint8_t)(40 + prng_below(&x->random, 215));
	f.sequence = (uint32_t)prng_u64(&x->random);
	if (m->sequence_low_zero)
		f.sequence &= 0xffff0000;
	if (m->sequence_target)
		f.sequence = 0xc0000250;
	if (m->sequence_zero)
		f.sequence = 0;
	f.window = m->window_zero ? 0 : 29200;
	f.options_len = m->options;
	if (m->payload_random) {
		for (size_t k = 0; k < 24; k++)
			payload[k] = (uint8_t)(prng_u64(&x->random) >> 5);
		f.payload = payload;
		f.payload_len = 24;
	} else if (m->payload_len > 0) {
		f.payload = m->payload;
		f.payload_len = (uint16_t)m->payload_len;
	}
	return f;
}

static void add_flood(struct trace_fixture *x, const struct made *m)
{
	uint32_t count = m->count == 0 ? 4000 : m->count;
	uint8_t payload[24];
	for (uint32_t i = 0; i < count; i++) {
		struct flow f = packet_of(x, m, i, payload);
		fixture_packet(x, &f, false);
	}
}

static void assert_names(const struct made *m, const char *id, enum source_status status)
{
	struct trace_fixture *x = fixture_new();
	add_flood(x, m);
	fixture_write(x);
	if (x->trace.vector_count != 1 || strcmp(x->trace.vectors[0].id, id) != 0 ||
	    x->trace.vectors[0].status != status) {
		fixture_print(x);
		fail_msg("not %s, %s", id, source_status_name(status));
	}
	const struct trace_vector *v = &x->trace.vectors[0];
	double packets = (m->count == 0 ? 4000 : m->count) * (double)(m->packets == 0 ? 1 : m->packets);
	assert_float_equal(v->packets, packets, packets / 200); /* random ports may be an amplifier's */
	assert_true(v->why[0] != '\0' && v->rule[0] != '\0');
	assert_true(v->peak_packets_per_s > packets / 4 && v->peak_packets_per_s < packets);
	assert_true(x->trace.evidence_count > 50 && x->trace.point_count == 2);
	assert_int_equal(x->trace.mappable, status == SOURCE_PROVED);
	free(x);
}

/* The payload of a row's pattern, padded. */
static size_t payload_of(const struct vector_row *row, uint8_t *payload)
{
	memset(payload, 0x55, 24);
	for (size_t i = 0; i < row->payload_len; i++)
		payload[row->payload_at + i] = (uint8_t)(row->payload[i] | (0x55 & ~row->mask[i]));
	return 24;
}

static void every_amplifier_is_named_by_its_port_and_content(void **state)
{
	struct trace_fixture *x = fixture_new();
	size_t tried = 0;
	(void)state;
	for (uint32_t i = 0; i < x->book.count; i++) {
		const struct vector_row *row = &x->book.rows[i];
		uint8_t payload[24];
		if (row->family != VECTOR_AMPLIFICATION || row->from_count == 0)
			continue;
		/* LDAP over UDP answers like CLDAP, which stands before it. */
		const char *id = strcmp(row->id, "amp.ldap") == 0 ? "amp.cldap" : row->id;
		struct made m = {.protocol = 17, .from = row->from[0].low, .sources = 800, .count = 1000,
				 .payload = payload, .length = 480, .to = 4444,
				 .payload_len = payload_of(strcmp(id, row->id) == 0 ? row : vector_book_find(&x->book, id), payload)};
		assert_names(&m, id, SOURCE_REFLECTOR);
		tried++;
	}
	assert_true(tried > 50);
	free(x);
}

static void an_amplifier_in_flows_is_the_first_of_its_port(void **state)
{
	(void)state;
	assert_names(&(struct made){.protocol = 17, .from = 123, .sources = 800, .flow = true, .packets = 20}, "amp.ntp",
		     SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 17, .from = 389, .sources = 800, .flow = true, .packets = 20}, "amp.cldap",
		     SOURCE_REFLECTOR);
}

static void an_amplifier_s_port_with_other_content_is_a_plain_flood(void **state)
{
	(void)state;
	assert_names(&(struct made){.protocol = 17, .from = 53, .sources = 2000, .length = 500, .to = 80, .payload_random = true},
		     "udp.fixed", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 17, .from = 123, .sources = 2000, .to = 80, .payload_random = true}, "udp",
		     SOURCE_UNKNOWN);
}

static void requests_from_an_amplifier_s_port_go_by_their_target(void **state)
{
	static const struct { uint16_t port; const char *payload, *id; } kinds[] = {
		{123, "\x1b\0\0\0\0\0\0\0\0\0\0", "ntp.request"},
		{53, "\x12\x34\1\0\0\1\0\0\0\0\0", "dns.query"},
		{5060, "INVITE sip:", "sip.request"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct made m = {.protocol = 17, .from = kinds[i].port, .to = kinds[i].port, .sources = 800, .length = 76,
				 .payload = kinds[i].payload, .payload_len = 12};
		assert_names(&m, kinds[i].id, SOURCE_UNKNOWN);
		m.one_place = true;
		m.sources = 0;
		assert_names(&m, kinds[i].id, SOURCE_SPOOFED);
	}
}

static void answers_that_were_asked_for_are_not_called_reflection(void **state)
{
	static const uint8_t answer[12] = {1, 2, 0x81, 0x80};
	struct trace_fixture *x = fixture_new();
	(void)state;
	for (uint32_t i = 0; i < 2000; i++) {
		struct flow f = packet_of(x, &(struct made){.protocol = 17, .from = 53, .sources = 4, .payload = answer,
							    .payload_len = 12, .count = 2000}, i, NULL);
		struct flow query = f;
		memcpy(query.src, f.dst, 16);
		memcpy(query.dst, f.src, 16);
		query.sport = f.dport;
		query.dport = 53;
		fixture_packet(x, &query, true);
		fixture_packet(x, &f, false);
	}
	fixture_write(x);
	const struct trace_vector *v = fixture_vector(x, "amp.dns");
	assert_non_null(v);
	assert_int_equal(v->status, SOURCE_UNKNOWN);
	assert_non_null(strstr(v->why, "asked"));
	free(x);
}

static void syn_floods_are_told_apart(void **state)
{
	(void)state;
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 40, .one_place = true, .sequence_low_zero = true,
				    .window_zero = true, .to = 443}, "syn.spoof", SOURCE_SPOOFED);
	/* Forged, with random sequence numbers. */
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 40, .one_place = true, .to = 443}, "syn.spoof",
		     SOURCE_SPOOFED);
	/* Forged, with random TTLs: no path is as long as those say. */
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 40, .any_ttl = true, .to = 443}, "syn.spoof",
		     SOURCE_SPOOFED);
	/* Real machines: many packets each, from everywhere. */
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 60, .options = 20, .sources = 300, .to = 443}, "syn.real",
		     SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 40, .sources = 300, .to = 443}, "syn", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 40, .sources = 300, .sequence_target = true, .to = 23},
		     "syn.mirai", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 6, .flags = 0xc2, .length = 40, .one_place = true, .sequence_low_zero = true,
				    .to = 80}, "syn.dominate", SOURCE_SPOOFED);
	/* One sender: could be anybody. */
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 40, .sources = 1, .to = 80}, "syn", SOURCE_UNKNOWN);
}

/* How many packets a source sent cannot be seen then: from everywhere and yet from one place is enough, or from
 * everywhere and also from where nobody is. */
static void sampled_forgeries_are_known_by_where_they_seem_to_be(void **state)
{
	static const uint8_t flags[] = {2, 16, 4};
	static const char *const forged[] = {"syn.spoof", "ack", "rst"}, *const unknown[] = {"syn", "ack", "rst"};
	static const struct { bool one_place, senders; } cases[] = {{true, true}, {false, false}, {false, true}};
	(void)state;
	for (size_t i = 0; i < 3 * 3; i++) {
		struct made m = {.protocol = 6, .flags = flags[i / 3], .length = 40, .one_place = cases[i % 3].one_place,
				 .senders = cases[i % 3].senders, .to = 443, .count = 30000};
		bool told = i % 3 < 2;
		const char *id = told ? forged[i / 3] : unknown[i / 3];
		struct trace_fixture *x = fixture_new();
		x->sampling = 50;
		add_flood(x, &m);
		fixture_write(x);
		const struct trace_vector *v = fixture_vector(x, id);
		if (v == NULL || v->status != (told ? SOURCE_SPOOFED : SOURCE_UNKNOWN)) {
			fixture_print(x);
			fail_msg("case %zu: not %s", i, id);
		}
		free(x);
	}
}

static void a_syn_flood_in_flows_goes_by_the_size_of_its_packets(void **state)
{
	(void)state;
	assert_names(&(struct made){.protocol = 6, .flags = 2, .sources = 300, .flow = true, .to = 80}, "syn", SOURCE_UNKNOWN);
	/* Each source once, spread evenly: forged even without TTLs; options stay unknown. */
	assert_names(&(struct made){.protocol = 6, .flags = 2, .flow = true, .to = 80}, "syn", SOURCE_SPOOFED);
	/* At 40 bytes a packet there is no room for options: that much a flow shows. */
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 40, .flow = true, .to = 80}, "syn.spoof",
		     SOURCE_SPOOFED);
	assert_names(&(struct made){.protocol = 6, .flags = 2, .length = 44, .flow = true, .to = 80}, "syn", SOURCE_SPOOFED);
}

static void other_tcp_floods_go_by_their_flags(void **state)
{
	static const struct { uint8_t flags; const char *id; } cases[] = {
		{0x10, "ack"}, {0x18, "ack.push"}, {0x11, "fin"}, {0x20, "urg"}, {0x04, "rst"}, {0x00, "tcp.null"},
		{0x29, "tcp.xmas"}, {0x03, "tcp.synfin"}, {0x06, "tcp.odd"}};
	static const char page[] = "HTTP/1.1 403 Forbidden\r\n";
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_names(&(struct made){.protocol = 6, .flags = cases[i].flags, .sources = 10, .to = 80, .payload = "abcd",
					    .payload_len = 4}, cases[i].id, SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 6, .flags = 0x12, .from = 443, .sources = 500, .length = 44}, "tcp.synack",
		     SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 6, .flags = 0x12, .from = 21, .to = 21, .sources = 500, .length = 44},
		     "tcp.synack.same", SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 6, .flags = 0x14, .from = 80, .sources = 500, .length = 40, .sequence_zero = true},
		     "tcp.rst", SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 6, .flags = 0x14, .to = 80, .sources = 500, .length = 40}, "rst", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 6, .flags = 0x18, .from = 80, .sources = 500, .payload = page, .payload_len = 24},
		     "tcp.middlebox", SOURCE_REFLECTOR);
	/* Flags that the exporter does not know are not "no flags". */
	struct trace_fixture *x = fixture_new();
	for (uint32_t i = 0; i < 1000; i++) {
		struct flow f = packet_of(x, &(struct made){.protocol = 6, .flow = true, .count = 1000, .sources = 50, .to = 80}, i, NULL);
		f.known &= (uint8_t)~FLOW_FLAGS;
		fixture_packet(x, &f, false);
	}
	fixture_write(x);
	assert_string_equal(x->trace.vectors[0].id, "tcp");
	free(x);
}

static void udp_floods_are_told_apart(void **state)
{
	static const uint8_t zeros[24];
	(void)state;
	assert_names(&(struct made){.protocol = 17, .sources = 100, .to = 9999, .length = 28}, "udp.null", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 17, .sources = 100, .to = 9999, .payload = zeros, .payload_len = 24}, "udp.null",
		     SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 17, .sources = 100, .payload_random = true}, "udp.random", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 17, .sources = 100, .to = 9999, .length = 540, .payload_random = true}, "udp.fixed",
		     SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 17, .sources = 100, .to = 9999, .payload_random = true}, "udp", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 17, .to = 9999, .one_place = true, .payload_random = true, .length = 540},
		     "udp.fixed", SOURCE_SPOOFED);
	/* Told by its content on a port that is no amplifier's. */
	assert_names(&(struct made){.protocol = 17, .from = 49200, .sources = 700, .payload = "HTTP/1.1 200 OK\r\nST:", .payload_len = 20},
		     "amp.ssdp", SOURCE_REFLECTOR);
}

static void floods_at_a_service_s_own_port_are_named_by_it(void **state)
{
	struct trace_fixture *x = fixture_new();
	(void)state;
	for (uint32_t i = 0; i < x->book.count; i++) {
		const struct vector_row *row = &x->book.rows[i];
		uint8_t payload[24];
		if (row->to_count == 0 || row->signs != 0)
			continue;
		assert_names(&(struct made){.protocol = 17, .to = row->to[0].low, .sources = 100, .payload = payload, .from = 40001,
					    .payload_len = payload_of(row, payload)}, row->id, SOURCE_UNKNOWN);
	}
	free(x);
}

static void the_rest_goes_by_its_protocol(void **state)
{
	(void)state;
	assert_names(&(struct made){.protocol = 1, .type = 8, .sources = 50, .length = 84}, "icmp.echo", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 1, .type = 8, .sources = 50, .length = 1480}, "icmp.large", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 1, .type = 3, .code = 3, .sources = 2, .length = 56}, "icmp.blacknurse",
		     SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 1, .type = 3, .code = 3, .sources = 800, .length = 56}, "icmp.error",
		     SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 1, .type = 0, .sources = 800, .length = 84}, "icmp.smurf", SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 1, .type = 11, .sources = 800, .length = 56}, "icmp.exceeded", SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 1, .type = 13, .sources = 8}, "icmp", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 47, .sources = 100}, "gre", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 4, .sources = 100}, "ipip", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 2, .sources = 10}, "igmp", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 50, .sources = 10}, "esp", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 50, .sources = 600}, "amp.esp", SOURCE_REFLECTOR);
	assert_names(&(struct made){.protocol = 132, .sources = 10}, "rndproto", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 17, .sources = 100, .fragment = FLOW_FRAGMENT_LATER}, "frag", SOURCE_UNKNOWN);
	assert_names(&(struct made){.protocol = 6, .sources = 100, .fragment = FLOW_FRAGMENT_LATER}, "frag", SOURCE_UNKNOWN);
}

static void later_fragments_join_their_first_ones(void **state)
{
	static const uint8_t answer[12] = {1, 2, 0x81, 0x80};
	struct trace_fixture *x = fixture_new();
	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		struct made m = {.protocol = 17, .from = 53, .sources = 100, .count = 3000, .length = 1500, .payload = answer,
				 .payload_len = 12, .fragment = i % 3 == 0 ? FLOW_FRAGMENT_FIRST : FLOW_FRAGMENT_LATER};
		struct flow f = packet_of(x, &m, i / 3 * 3, NULL);
		fixture_packet(x, &f, false);
	}
	fixture_write(x);
	assert_int_equal(x->trace.vector_count, 1);
	const struct trace_vector *v = fixture_vector(x, "amp.dns");
	assert_non_null(v);
	assert_float_equal(v->packets, 3000, 0.5);
	assert_float_equal(v->bytes, 3000 * 1500.0, 0.5);
	assert_float_equal(v->sources, 100, 15);
	assert_float_equal(x->trace.points[0].vector_packets_per_s[0], 1500, 15);
	assert_non_null(strstr(v->rule, "fragments"));
	assert_int_equal(x->trace.patterns & PATTERN_MULTI, 0);
	free(x);
}

/* Two amplifications at once, each in fragments from servers of its own: none gets the other's. */
static void later_fragments_are_shared_out_by_their_sources(void **state)
{
	static const uint8_t dns[12] = {1, 2, 0x81, 0x80}, ldap[12] = {0x30, 0x84};
	struct trace_fixture *x = fixture_new();
	(void)state;
	for (uint32_t i = 0; i < 6000; i++) {
		bool other = i % 5 < 2; /* of five packets two are LDAP's, a first and a later one */
		bool first = i % 5 == 0 || i % 5 == 2;
		struct made m = {.protocol = 17, .from = other ? 389 : 53, .sources = 199, .count = 6000, .length = 1500,
				 .payload = other ? ldap : dns, .payload_len = 12,
				 .fragment = first ? FLOW_FRAGMENT_FIRST : FLOW_FRAGMENT_LATER};
		struct flow f = packet_of(x, &m, i / 5 * 5, NULL);
		f.src[0] = (uint8_t)(f.src[0] + (other ? 60 : 0));
		fixture_packet(x, &f, false);
	}
	fixture_write(x);
	assert_int_equal(x->trace.vector_count, 2);
	const struct trace_vector *a = fixture_vector(x, "amp.dns"), *b = fixture_vector(x, "amp.cldap");
	assert_non_null(a);
	assert_non_null(b);
	/* 1200 first ones each: how many parts each answer has, nobody can see. */
	assert_float_equal(a->packets, 1200 + 1800, 200);
	assert_float_equal(b->packets, 1200 + 1800, 200);
	assert_float_equal(a->packets + b->packets, 6000, 1);
	assert_float_equal(a->sources, 199, 25);
	assert_float_equal(b->sources, 199, 25);
	assert_non_null(strstr(a->rule, "fragments"));
	assert_non_null(strstr(b->rule, "fragments"));
	free(x);
}

static void a_completed_handshake_proves_the_machines(void **state)
{
	(void)state;
	/* As an exporter sums it up. */
	assert_names(&(struct made){.protocol = 6, .flags = 0x1b, .sources = 400, .flow = true, .packets = 9, .to = 443},
		     "tcp.connect", SOURCE_PROVED);
	/* As packets: SYN, then ACKs that go on from its sequence number. */
	struct trace_fixture *x = fixture_new();
	for (uint32_t i = 0; i < 2000; i++) {
		struct made m = {.protocol = 6, .flags = 2, .sources = 60, .count = 2000, .options = 20, .to = 443, .from = 50000};
		struct flow f = packet_of(x, &m, i, NULL);
		f.sequence = 77 + f.src[3];
		if (i >= 60) {
			f.tcp_flags = FLOW_TCP_ACK | FLOW_TCP_PSH;
			f.sequence += 1 + i;
		}
		fixture_packet(x, &f, false);
	}
	fixture_write(x);
	const struct trace_vector *v = fixture_vector(x, "ack.push");
	assert_non_null(v);
	assert_int_equal(v->status, SOURCE_PROVED);
	assert_true(x->trace.mappable);
	free(x);
}

/* Ten times as many packets of a service's usual day: clients that open connections with
 * options and talk, QUIC, DNS answers it asked for. */
static void add_usual(struct trace_fixture *x, uint32_t count, uint32_t flood_count, const struct made *m)
{
	static const struct made kinds[] = {
		{.protocol = 6, .flags = 0x10, .sources = 700, .to = 443, .length = 52, .options = 12},
		{.protocol = 6, .flags = 0x18, .sources = 700, .to = 443, .options = 12, .payload_random = true},
		{.protocol = 6, .flags = 0x02, .sources = 700, .to = 443, .length = 60, .options = 20},
		{.protocol = 17, .sources = 500, .to = 443, .payload_random = true},
		{.protocol = 6, .flags = 0x11, .sources = 700, .to = 443, .length = 52, .options = 12},
	};
	uint8_t payload[24], flood_payload[24];
	for (uint32_t i = 0, k = 0; i < count; i++) {
		struct made usual = kinds[i % 20 == 0 ? 2 : i % 20 == 1 ? 4 : i % 20 < 4 ? 3 : i % 2];
		usual.count = count;
		struct flow f = packet_of(x, &usual, i, payload);
		fixture_packet(x, &f, false);
		while ((uint64_t)k * count <= (uint64_t)i * flood_count && k < flood_count) {
			struct made flood = *m;
			flood.count = flood_count;
			f = packet_of(x, &flood, k++, flood_payload);
			fixture_packet(x, &f, false);
		}
	}
}

static void a_flood_is_named_inside_ten_times_as_much_usual_traffic(void **state)
{
	static const uint8_t answer[12] = {1, 2, 0x81, 0x80};
	static const struct { struct made m; const char *id; enum source_status status; } cases[] = {
		{{.protocol = 6, .flags = 2, .length = 40, .one_place = true, .sequence_low_zero = true, .window_zero = true, .to = 443},
		 "syn.spoof", SOURCE_SPOOFED},
		{{.protocol = 17, .from = 53, .sources = 900, .payload = answer, .payload_len = 12, .length = 1400}, "amp.dns",
		 SOURCE_REFLECTOR},
		{{.protocol = 6, .flags = 0x12, .from = 443, .sources = 900, .length = 44}, "tcp.synack", SOURCE_REFLECTOR},
		{{.protocol = 6, .flags = 2, .length = 40, .sources = 1, .to = 443}, "syn", SOURCE_UNKNOWN},
	};
	(void)state;
	for (uint32_t sampling = 1; sampling <= 100; sampling *= 100) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct trace_fixture *x = fixture_new();
			x->sampling = sampling;
			/* What the detector knows: how many SYNs there usually are. */
			uint32_t flood = 20000;
			x->flood_share = 0.02;
			for (size_t c = 0; c < VECTOR_CLASSES_MAX; c++)
				x->usual[c] = 1e12;
			x->usual[vector_class_find(&x->classes, "tcp.syn")] = 10.0 * flood / 20 / (SECONDS_MS / 1000.0);
			x->usual[vector_class_find(&x->classes, "amp.dns")] = 0;
			x->usual[vector_class_find(&x->classes, "tcp.synack")] = 0;
			add_usual(x, 10 * flood, flood, &cases[i].m);
			fixture_write(x);
			const struct trace_vector *v = fixture_vector(x, cases[i].id);
			if (v == NULL || v->status != cases[i].status) {
				fixture_print(x);
				fail_msg("%s, sampled 1:%u", cases[i].id, sampling);
			}
			assert_int_equal(x->trace.sampling, sampling);
			assert_true(cases[i].m.sources != 1 || v->sources < 2); /* not the usual SYNs' */
			free(x);
		}
	}
}

static void one_tool_has_one_fingerprint_whatever_its_target(void **state)
{
	uint64_t fingerprints[4];
	const struct made floods[4] = {
		{.protocol = 6, .flags = 2, .length = 40, .one_place = true, .sequence_low_zero = true, .window_zero = true, .to = 443},
		{.protocol = 6, .flags = 2, .length = 40, .sequence_low_zero = true, .window_zero = true, .to = 25565, .count = 900},
		{.protocol = 6, .flags = 2, .length = 60, .options = 20, .sources = 300, .to = 443},
		{.protocol = 17, .sources = 100, .to = 9999, .length = 540, .payload = "tool-1", .payload_len = 6},
	};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct trace_fixture *x = fixture_new();
		add_flood(x, &floods[i]);
		fixture_write(x);
		fingerprints[i] = x->trace.vectors[0].fingerprint;
		free(x);
	}
	assert_true(fingerprints[0] != 0 && fingerprints[0] == fingerprints[1]);
	assert_true(fingerprints[2] != fingerprints[0]);
	assert_true(fingerprints[3] != 0 && fingerprints[3] != fingerprints[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_amplifier_is_named_by_its_port_and_content),
		cmocka_unit_test(an_amplifier_in_flows_is_the_first_of_its_port),
		cmocka_unit_test(an_amplifier_s_port_with_other_content_is_a_plain_flood),
		cmocka_unit_test(requests_from_an_amplifier_s_port_go_by_their_target),
		cmocka_unit_test(answers_that_were_asked_for_are_not_called_reflection),
		cmocka_unit_test(syn_floods_are_told_apart),
		cmocka_unit_test(sampled_forgeries_are_known_by_where_they_seem_to_be),
		cmocka_unit_test(a_syn_flood_in_flows_goes_by_the_size_of_its_packets),
		cmocka_unit_test(other_tcp_floods_go_by_their_flags),
		cmocka_unit_test(udp_floods_are_told_apart),
		cmocka_unit_test(floods_at_a_service_s_own_port_are_named_by_it),
		cmocka_unit_test(the_rest_goes_by_its_protocol),
		cmocka_unit_test(later_fragments_join_their_first_ones),
		cmocka_unit_test(later_fragments_are_shared_out_by_their_sources),
		cmocka_unit_test(a_completed_handshake_proves_the_machines),
		cmocka_unit_test(a_flood_is_named_inside_ten_times_as_much_usual_traffic),
		cmocka_unit_test(one_tool_has_one_fingerprint_whatever_its_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
