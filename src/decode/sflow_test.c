/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/sflow.h"

#include "base/check.h"
#include "decode/pcap.h"
#include "decode/testdata.h"
#include "decode/traffic_fixture.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash_key key = {{1, 2, 3}};
static const struct exporter_address sender = {{10, 0, 0, 1}, 4};
static const wd_wall now = {1700000000000000000};

static struct sflow *open_small(uint32_t sources)
{
	struct sflow_limits limits = {sources};
	struct sflow *s;
	assert_int_equal(sflow_open(&limits, &key, &s), WD_OK);
	return s;
}

/* From an exact copy, so that the sanitizer sees a read past the end; payloads are cleared. */
static size_t decode(struct sflow *s, const uint8_t *bytes, size_t len, struct flow *out, size_t cap)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	size_t count = 0;
	assert_non_null(exact);
	memcpy(exact, bytes, len);
	enum wd_err err = sflow_decode(s, &sender, exact, len, now, out, cap, &count, NULL);
	if (err != WD_OK)
		assert_int_equal(count, 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(out[i].payload == NULL || (out[i].payload >= exact && out[i].payload + out[i].payload_len <= exact + len));
		out[i].payload = NULL;
	}
	free(exact);
	return count;
}

static void frame_of(struct fixture *f, uint8_t from)
{
	*f = (struct fixture){0};
	fixture_ethernet(f, 0x0800);
	fixture_ipv4(f, 17, 8 + 1000, from);
	fixture_udp(f, 53, 4444, 1000);
	fixture_hex(f, "aa bb cc dd ee");
}

static void flows_of_sampled_headers(void **state)
{
	struct sflow *s = open_small(64);
	struct fixture f = {0}, frame;
	struct flow out[8];
	(void)state;
	fixture_sflow(&f, 1, 2);
	frame_of(&frame, 7);
	fixture_sflow_sample(&f, 10, 400, &frame);
	frame_of(&frame, 8);
	fixture_sflow_sample(&f, 11, 400, &frame);
	assert_int_equal(decode(s, f.bytes, f.len, out, 8), 2);
	assert_int_equal(out[0].src[3], 7);
	assert_int_equal(out[1].src[3], 8);
	assert_int_equal(out[0].packets, 1);
	assert_int_equal(out[0].bytes, 1028);
	assert_int_equal(out[0].sampling, 400);
	assert_int_equal(out[0].sport, 53);
	assert_int_equal(out[0].payload_len, 5);
	assert_int_equal(out[0].first_ms, 1700000000000);
	assert_int_equal(out[0].known, FLOW_TTL | FLOW_PACKET | FLOW_TIMES);
	struct sflow_counts c = sflow_counts(s);
	assert_int_equal(c.flows, 2);
	assert_int_equal(c.flow_samples, 2);
	assert_int_equal(c.pool, 400);
	assert_int_equal(c.malformed + c.lost_samples + c.lost_datagrams, 0);
	sflow_close(s);
}

/* Expanded, with an agent of no known address, a gateway's record and IPv4's own. */
static void flows_of_records_without_a_header(void **state)
{
	struct sflow *s = open_small(64);
	struct fixture f = {0};
	struct flow out[8];
	(void)state;
	fixture_hex(&f, "00000005 00000000 00000007 00000001 0000ea60 00000002");
	fixture_hex(&f, "00000003"); /* expanded flow sample */
	size_t len_at = f.len;
	fixture_hex(&f, "00000000 0000000a 00000000 00000004 00000064 00000000 00000000");
	fixture_hex(&f, "00000000 00000003 00000000 00000004 00000002");
	fixture_hex(&f, "000003eb 00000030 00000001 c0000209 0000fde8 0000fde9 0000fdea 00000001 00000002 00000002 0000fdeb"
			"0000fdec 00000000 00000064");
	fixture_hex(&f, "00000003 00000020 000001f4 00000006 c6336407 c0000201 00000400 00000050 00000012 00000000");
	fixture_close32(&f, len_at, len_at + 4, 0);
	fixture_hex(&f, "00000001"); /* a plain one that was discarded */
	len_at = f.len;
	fixture_hex(&f, "00000000 0000000b 00000004 00000000 00000064 00000000 00000003 40000102 00000001");
	fixture_hex(&f, "00000004 00000038 ffffffff 00000011 20010db8000000000000000000000007 20010db8000000000000000000000001"
			"00000035 0000115c 00000000 00000000");
	fixture_close32(&f, len_at, len_at + 4, 0);
	assert_int_equal(decode(s, f.bytes, f.len, out, 8), 2);
	assert_int_equal(out[0].bytes, 500);
	assert_int_equal(out[0].protocol, 6);
	assert_int_equal(out[0].tcp_flags, FLOW_TCP_SYN | FLOW_TCP_ACK);
	assert_int_equal(out[0].sport, 1024);
	assert_int_equal(out[0].dport, 80);
	assert_int_equal(out[0].sampling, 100);
	assert_int_equal(out[0].src_as, 65001);
	assert_int_equal(out[0].dst_as, 65004);
	assert_int_equal(out[0].known, FLOW_AS | FLOW_FLAGS | FLOW_TIMES | FLOW_EGRESS);
	assert_int_equal(out[1].family, 6);
	assert_int_equal(out[1].src[15], 7);
	assert_int_equal(out[1].bytes, 65535); /* no packet has 2^32 - 1 */
	assert_int_equal(out[1].sampling, 1);
	assert_int_equal(out[1].known, FLOW_DROPPED | FLOW_TIMES);
	sflow_close(s);
}

/* Of a packet that was dropped as it came in by this interface. */
static void notice_of(struct fixture *f, uint32_t sequence, uint32_t input)
{
	struct fixture frame;
	frame_of(&frame, 9);
	fixture_u32(f, 5);
	size_t len_at = f->len;
	fixture_u32(f, 0);
	fixture_u32(f, sequence);
	fixture_u32(f, 0);
	fixture_u32(f, input);
	fixture_u32(f, 0);
	fixture_u32(f, input);
	fixture_hex(f, "00000000 00000106 00000001 00000001");
	fixture_u32(f, (uint32_t)(16 + ((frame.len + 3) & ~(size_t)3)));
	fixture_hex(f, "00000001 000005ee 00000000");
	fixture_u32(f, (uint32_t)frame.len);
	fixture_bytes(f, frame.bytes, frame.len);
	while ((f->len & 3) != 0)
		fixture_u8(f, 0);
	fixture_close32(f, len_at, len_at + 4, 0);
}

static void a_dropped_packet_that_samples_stand_for_is_not_counted_again(void **state)
{
	struct sflow *s = open_small(64);
	struct fixture f = {0}, frame;
	struct flow out[8];
	(void)state;
	fixture_sflow(&f, 1, 2); /* from two interfaces that are not sampled (so far) */
	notice_of(&f, 1, 3);
	notice_of(&f, 1, 5);
	assert_int_equal(decode(s, f.bytes, f.len, out, 8), 2);
	assert_int_equal(out[0].src[3], 9);
	assert_int_equal(out[0].sampling, 1);
	assert_true(out[0].known & FLOW_DROPPED);
	f = (struct fixture){0};
	fixture_sflow(&f, 2, 3); /* a sample of interface 3's packets: now they are */
	frame_of(&frame, 7);
	fixture_sflow_sample(&f, 10, 400, &frame);
	notice_of(&f, 2, 3);
	notice_of(&f, 2, 5);
	assert_int_equal(decode(s, f.bytes, f.len, out, 8), 2);
	assert_int_equal(out[0].src[3], 7);
	assert_int_equal(out[1].src[3], 9);
	struct sflow_counts c = sflow_counts(s);
	assert_int_equal(c.drop_notices, 4);
	assert_int_equal(c.drops_sampled, 1);
	assert_int_equal(c.flows, 4);
	assert_int_equal(c.malformed + c.lost_samples, 0);
	sflow_close(s);
}

static void counted(void *context, const struct sflow_source *source)
{
	struct sflow_source *last = context;
	*last = *source;
}

static void losses_are_told_by_the_numbers(void **state)
{
	/* number of the datagram, number of the sample, then what is lost in all */
	static const struct { uint32_t datagram, sample; uint64_t lost_datagrams, lost_samples, late, restarts; } steps[] = {
		{UINT32_MAX - 1, 100, 0, 0, 0, 0},
		{UINT32_MAX, 101, 0, 0, 0, 0},
		{0, 102, 0, 0, 0, 0},  /* round the end */
		{3, 110, 2, 7, 0, 0},  /* a gap */
		{2, 109, 1, 6, 1, 0},  /* out of order */
		{4, 111, 1, 6, 1, 0},
		{4000000, 5, 1, 6, 1, 1}, /* begun anew */
		{4000001, 6, 1, 6, 1, 1},
	};
	struct sflow *s = open_small(64);
	struct flow out[2];
	struct sflow_source last = {0};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(steps); i++) {
		struct fixture f = {0}, frame;
		frame_of(&frame, 7);
		fixture_sflow(&f, steps[i].datagram, 1);
		fixture_sflow_sample(&f, steps[i].sample, 10, &frame);
		assert_int_equal(decode(s, f.bytes, f.len, out, 2), 1);
		struct sflow_counts c = sflow_counts(s);
		assert_int_equal(c.lost_datagrams, steps[i].lost_datagrams);
		assert_int_equal(c.lost_samples, steps[i].lost_samples);
		assert_int_equal(c.late, steps[i].late);
		assert_int_equal(c.restarts, steps[i].restarts);
	}
	sflow_each(s, counted, &last);
	assert_int_equal(last.index, 3);
	assert_int_equal(last.sub_agent, 7);
	assert_memory_equal(last.agent, "\x0a\x00\x00\x01", 4);
	assert_memory_equal(last.sender, "\x0a\x00\x00\x01", 4);
	assert_int_equal(last.samples, WD_COUNT(steps));
	assert_int_equal(last.lost, 6);
	assert_int_equal(last.sampling, 10);
	sflow_close(s);
}

/* What comes out of order tells of a time that has been counted. */
static void a_late_sample_moves_no_counter_back(void **state)
{
	static const uint32_t samples[] = {10, 11, 13, 12, 14};
	struct sflow *s = open_small(64);
	struct flow out[1];
	struct sflow_source last = {0};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(samples); i++) {
		struct fixture f = {0}, frame;
		frame_of(&frame, 7);
		fixture_sflow(&f, samples[i], 1);
		fixture_sflow_sample(&f, samples[i], 100, &frame);
		assert_int_equal(decode(s, f.bytes, f.len, out, 1), 1);
	}
	sflow_each(s, counted, &last);
	assert_int_equal(last.pool, 400);
	assert_int_equal(sflow_counts(s).pool, 400);
	assert_int_equal(sflow_counts(s).lost_samples, 0);
	sflow_close(s);
}

static void discards_of_interfaces_are_what_they_grew_by(void **state)
{
	static const uint32_t values[] = {1000, 1010, 1010, UINT32_MAX, 5, 8};
	static const uint64_t sums[] = {0, 10, 10, 10, 10, 13};
	struct sflow *s = open_small(64);
	struct sflow_source last = {0};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(values); i++) {
		struct fixture f = {0};
		fixture_sflow(&f, (uint32_t)i, 1);
		fixture_hex(&f, "00000002 0000006c 00000001 00000003 00000001 00000001 00000058");
		size_t at = f.len;
		for (size_t k = 0; k < 22; k++)
			fixture_u32(&f, 0xffffffff);
		f.len = at + 44;
		fixture_u32(&f, values[i]);
		f.len = at + 88;
		assert_int_equal(decode(s, f.bytes, f.len, NULL, 0), 0);
		assert_int_equal(sflow_counts(s).discards, sums[i]);
		assert_int_equal(sflow_counts(s).counter_samples, i + 1);
	}
	sflow_each(s, counted, &last);
	assert_int_equal(last.discards_in, 13);
	assert_int_equal(last.discards_out, 0);
	sflow_close(s);
}

static void a_broken_sample_costs_no_other_one(void **state)
{
	struct sflow *s = open_small(64);
	struct fixture f = {0}, frame;
	struct flow out[8];
	(void)state;
	frame_of(&frame, 7);
	fixture_sflow(&f, 1, 3);
	size_t first = f.len;
	fixture_sflow_sample(&f, 1, 10, &frame);
	fixture_hex(&f, "00001001 00000004 12345678"); /* of some enterprise */
	fixture_sflow_sample(&f, 2, 10, &frame);
	f.bytes[first + 8 + 32 + 4 + 2] = 0x7f; /* a record longer than its sample */
	assert_int_equal(decode(s, f.bytes, f.len, out, 8), 1);
	struct sflow_counts c = sflow_counts(s);
	assert_int_equal(c.malformed, 1);
	assert_int_equal(c.unknown_samples, 1);
	assert_int_equal(c.no_packet, 1);
	sflow_close(s);
}

static void what_is_not_sflow_5_fails_and_leaves_the_results_alone(void **state)
{
	static const struct { const char *bytes; enum wd_err err; } cases[] = {
		{"", WD_SHORT},
		{"00000005", WD_SHORT},
		{"00000005 00000001 0a000001 00000000 00000001 00000000 000000", WD_SHORT},
		{"00000004 00000001 0a000001 00000000 00000001 00000000 00000000", WD_UNKNOWN},
		{"00000005 00000003 0a000001 00000000 00000001 00000000 00000000", WD_UNKNOWN},
	};
	struct sflow *s = open_small(64);
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct fixture f = {0};
		size_t count = 77;
		struct wd_why why = {0};
		fixture_hex(&f, cases[i].bytes);
		assert_int_equal(sflow_decode(s, &sender, f.bytes, f.len, now, NULL, 0, &count, &why), cases[i].err);
		assert_int_equal(why.err, cases[i].err);
		assert_int_equal(count, 77);
	}
	sflow_close(s);
}

static void flows_without_room_are_counted(void **state)
{
	struct sflow *s = open_small(64);
	struct fixture f = {0}, frame;
	struct flow out[1];
	(void)state;
	frame_of(&frame, 7);
	fixture_sflow(&f, 1, 3);
	for (uint32_t i = 0; i < 3; i++)
		fixture_sflow_sample(&f, i, 10, &frame);
	assert_int_equal(decode(s, f.bytes, f.len, out, 1), 1);
	assert_int_equal(sflow_counts(s).flows_cut, 2);
	assert_int_equal(sflow_counts(s).flow_samples, 3);
	sflow_close(s);
}

static void memory_stays_what_it_was_whoever_sends(void **state)
{
	struct sflow *s = open_small(16);
	struct fixture f = {0}, frame;
	struct flow out[1];
	(void)state;
	frame_of(&frame, 7);
	fixture_sflow(&f, 1, 1);
	fixture_sflow_sample(&f, 1, 10, &frame);
	for (uint32_t i = 0; i < 10000; i++) {
		f.bytes[10] = (uint8_t)(i >> 8);
		f.bytes[11] = (uint8_t)i;
		assert_int_equal(decode(s, f.bytes, f.len, out, 1), 1);
	}
	struct sflow_counts c = sflow_counts(s);
	assert_int_equal(c.seats_taken_over, 20000 - 16);
	sflow_close(s);
}

/* --- what others decoded of real datagrams ------------------------------------------------ */

static bool field_of(const char *line, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);
	for (const char *at = strstr(line, name); at != NULL; at = strstr(at + 1, name)) {
		if ((at[-1] != ',' && at[-1] != ' ') || at[len] != '=')
			continue;
		at += len + 1;
		at += *at == '"';
		size_t n = strcspn(at, "\", ");
		assert_true(n < size);
		memcpy(value, at, n);
		value[n] = '\0';
		return true;
	}
	return false;
}

static uint64_t number_of(const char *line, const char *name)
{
	char value[64];
	return field_of(line, name, value, sizeof(value)) ? strtoull(value, NULL, 10) : 0;
}

static void assert_address(const char *line, const char *name, const uint8_t *bytes, uint8_t family)
{
	char theirs[64], ours[64];
	assert_true(field_of(line, name, theirs, sizeof(theirs)));
	assert_non_null(inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes, ours, sizeof(ours)));
	assert_string_equal(ours, theirs);
}

/* Telegraf's line of one flow. It differs where it should:
 * - ip_total_len of IPv6 is what the header says, without the header's 40 bytes; ours has them;
 * - protocol "hopopt" is IPv6's first extension header; ours is the first that is none (here
 *   ICMPv6, whose type then is the destination port). */
static void assert_same(const char *line, const struct flow *f)
{
	char protocol[32];
	assert_address(line, "src", f->src, f->family);
	assert_address(line, "dst", f->dst, f->family);
	assert_true(field_of(line, "protocol", protocol, sizeof(protocol)));
	if (strcmp(protocol, "hopopt") == 0) {
		assert_int_equal(f->family, 6);
		assert_int_equal(f->protocol, 58);
	} else {
		assert_int_equal(f->protocol, strcmp(protocol, "udp") == 0 ? 17 : strcmp(protocol, "tcp") == 0 ? 6 : 255);
		assert_int_equal(f->sport, number_of(line, "src_port"));
		assert_int_equal(f->dport, number_of(line, "dst_port"));
	}
	assert_int_equal(f->bytes, f->family == 4 ? number_of(line, "ipv4_total_len") : number_of(line, "ipv6_total_len") + 40);
	assert_int_equal(f->ttl, number_of(line, "ttl"));
	assert_int_equal(f->sampling, number_of(line, "sampling_interval"));
}

static void telegraf_decodes_the_same(void **state)
{
	static const struct { const char *datagram, *expected; size_t flows; } cases[] = {
		{"flow/telegraf/sflow_issue_15918/message.bin", "flow/telegraf/sflow_issue_15918/expected.out", 6},
		{"flow/telegraf/sflow_issue_18876/message.bin", "flow/telegraf/sflow_issue_18876/expected.out", 0},
		{"flow/telegraf/sflow_v5_example/sflow_v5.bin", "flow/telegraf/sflow_v5_example/expected.out", 0},
		/* A notice without the packet's header: counted, no flow. */
		{"flow/telegraf/sflow_issue_15375/sflow_drop_1036.bin", "flow/telegraf/sflow_issue_15375/expected.out", 0},
	};
	struct flow *out = calloc(SFLOW_FLOWS_MAX, sizeof(*out));
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		size_t len, text_len, seen = 0, lines = 0;
		uint8_t *bytes = testdata_load(cases[i].datagram, &len);
		uint8_t *text = testdata_load(cases[i].expected, &text_len);
		if (bytes == NULL || text == NULL) {
			free(bytes);
			free(text);
			continue;
		}
		struct sflow *s = open_small(64);
		size_t count = decode(s, bytes, len, out, SFLOW_FLOWS_MAX);
		struct sflow_counts c = sflow_counts(s);
		for (const uint8_t *at = text; at < text + text_len;) {
			char line[8192], src[64];
			const uint8_t *end = memchr(at, '\n', (size_t)(text + text_len - at));
			size_t n = (size_t)((end == NULL ? text + text_len : end) - at);
			assert_true(n < sizeof(line));
			memcpy(line, at, n);
			line[n] = '\0';
			at += n + 1;
			lines += n > 0;
			if (field_of(line, "src", src, sizeof(src))) {
				assert_true(seen < count);
				assert_same(line, &out[seen++]);
			}
		}
		assert_int_equal(seen, cases[i].flows);
		assert_int_equal(count, seen);
		assert_int_equal(c.flow_samples + c.counter_samples + c.drop_notices, lines);
		assert_int_equal(c.malformed, 0);
		sflow_close(s);
		free(bytes);
		free(text);
	}
	free(out);
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;
	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

/* tcpdump prints what a datagram is made of; the sums must be ours. */
static void tcpdump_counts_the_same(void **state)
{
	static const struct { const char *name; bool broken; } cases[] = {
		{"sflow-print-v6", false},
		{"sflow_expanded", false},
		{"sflow_multiple_counter_30_pdus", false},
		{"sflow_print-segv", true},
	};
	struct flow *out = calloc(SFLOW_FLOWS_MAX, sizeof(*out));
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		char name[128];
		size_t len, text_len;
		snprintf(name, sizeof(name), "flow/tcpdump-sflow/%s.pcap", cases[i].name);
		uint8_t *bytes = testdata_load(name, &len);
		snprintf(name, sizeof(name), "flow/tcpdump-sflow/%s.out", cases[i].name);
		uint8_t *out_text = testdata_load(name, &text_len);
		if (bytes == NULL || out_text == NULL) {
			free(bytes);
			free(out_text);
			continue;
		}
		char *text = strndup((char *)out_text, text_len);
		struct sflow *s = open_small(4096);
		struct pcap p;
		struct packet packet;
		struct flow outer;
		bool end = false;
		assert_int_equal(pcap_begin(&p, bytes, len, NULL), WD_OK);
		while (assert_int_equal(pcap_next(&p, &packet, &end, NULL), WD_OK), !end)
			if (packet_parse(&packet, NULL, &outer) == WD_OK && outer.dport == 6343)
				decode(s, outer.payload, outer.payload_len, out, SFLOW_FLOWS_MAX);
		struct sflow_counts c = sflow_counts(s);
		assert_int_equal(c.flow_samples, times(text, "flow sample ("));
		assert_int_equal(c.counter_samples, times(text, "counter sample ("));
		assert_int_equal(c.datagrams - c.unknown_version, times(text, "sFlowv5"));
		assert_int_equal(c.too_short + c.malformed > 0, cases[i].broken);
		sflow_close(s);
		free(bytes);
		free(out_text);
		free(text);
	}
	free(out);
}

static void every_prefix_is_safe(void **state)
{
	struct fixture f = {0}, frame;
	struct flow out[8];
	(void)state;
	frame_of(&frame, 7);
	fixture_sflow(&f, 1, 3);
	for (uint32_t i = 0; i < 3; i++)
		fixture_sflow_sample(&f, i, 10, &frame);
	for (size_t len = 0; len <= f.len; len++) {
		struct sflow *s = open_small(16);
		size_t count = decode(s, f.bytes, len, out, 8);
		assert_true(count <= 3);
		assert_int_equal(count == 3, len == f.len);
		assert_true(count == 0 || out[0].sampling == 10);
		sflow_close(s);
	}
}

/* Each file's bytes as they are, and as what follows a sound header. */
static void visit_malformed(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	struct sflow *s = context;
	struct fixture f = {0};
	static struct flow out[SFLOW_FLOWS_MAX];
	(void)path;
	assert_int_equal(decode(s, bytes, len, out, SFLOW_FLOWS_MAX), 0);
	fixture_sflow(&f, 1, 5);
	fixture_bytes(&f, bytes, len < 1400 ? len : 1400);
	assert_true(decode(s, f.bytes, f.len, out, SFLOW_FLOWS_MAX) <= 5);
}

static void what_broke_others_breaks_nothing(void **state)
{
	struct sflow *s = open_small(64);
	(void)state;
	size_t files = testdata_each("malformed", visit_malformed, s);
	assert_int_equal(sflow_counts(s).datagrams, 2 * files);
	sflow_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_broke_others_breaks_nothing),
		cmocka_unit_test(flows_of_sampled_headers),
		cmocka_unit_test(flows_of_records_without_a_header),
		cmocka_unit_test(a_dropped_packet_that_samples_stand_for_is_not_counted_again),
		cmocka_unit_test(losses_are_told_by_the_numbers),
		cmocka_unit_test(a_late_sample_moves_no_counter_back),
		cmocka_unit_test(discards_of_interfaces_are_what_they_grew_by),
		cmocka_unit_test(a_broken_sample_costs_no_other_one),
		cmocka_unit_test(what_is_not_sflow_5_fails_and_leaves_the_results_alone),
		cmocka_unit_test(flows_without_room_are_counted),
		cmocka_unit_test(memory_stays_what_it_was_whoever_sends),
		cmocka_unit_test(telegraf_decodes_the_same),
		cmocka_unit_test(tcpdump_counts_the_same),
		cmocka_unit_test(every_prefix_is_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
