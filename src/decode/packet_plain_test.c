/* SPDX-License-Identifier: Apache-2.0 */
/* The short way against the long one: what packet_plain takes, packet_walk must make the same
 * flow of; and a sample of sFlow must give the same whichever way it is read. */
#include "decode/packet_plain.h"

#include "base/check.h"
#include "base/prng.h"
#include "decode/pcap.h"
#include "decode/sflow.h"
#include "decode/testdata.h"
#include "decode/traffic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLOW_USED = offsetof(struct flow, class) + 1 }; /* what follows is padding */

struct tally { size_t packets, flows, plain; };

static bool is_watched(const void *context, const struct flow *f)
{
	(void)context;
	return f->dst[3] & 1;
}

/* Compares the two on an exact copy, so that the sanitizer sees a read past the end. */
static void compare(struct tally *t, const struct packet *given)
{
	static const struct packet_options closed = {0}, some = {true, is_watched, NULL};
	const struct packet_options *options[] = {NULL, &closed, &some};
	struct packet p = *given;
	uint8_t *exact = malloc(p.captured > 0 ? p.captured : 1);
	assert_non_null(exact);
	memcpy(exact, p.bytes, p.captured);
	p.bytes = exact;
	for (size_t i = 0; i < WD_COUNT(options); i++) {
		struct flow parsed = {.class = 77}, walked = {.class = 77};
		enum wd_err err = packet_walk(&p, options[i], &walked);
		assert_int_equal(packet_parse(&p, options[i], &parsed), err);
		assert_memory_equal(&parsed, &walked, FLOW_USED);
		t->flows += err == WD_OK;
	}
	struct flow f;
	uint32_t whole = packet_whole(p.wire_length, p.captured);
	t->plain += p.linktype == PACKET_ETHERNET &&
		    packet_plain(exact, p.captured, whole, plain_time(p.at), &f);
	t->packets++;
	free(exact);
}

/* A frame of one of the kinds that are plain, or nearly. */
static void frame_make(struct prng *r, struct fixture *f)
{
	static const size_t vxlan = 8 + 14 + 20 + 8;
	bool six = prng_below(r, 3) == 0, tcp = prng_below(r, 2) == 0;
	bool tunnel = !tcp && prng_below(r, 10) == 0;
	size_t payload = tunnel ? vxlan : prng_below(r, 60), options = tcp ? 4 * prng_below(r, 4) : 0;
	size_t above = (tcp ? 20 + options : 8) + payload;
	f->len = 0;
	fixture_ethernet(f, six ? 0x86dd : 0x0800);
	for (uint32_t tags = prng_below(r, 4); tags > 1; tags--) {
		f->len -= 2;
		fixture_hex(f, "8100 0007");
		fixture_u16(f, six ? 0x86dd : 0x0800);
	}
	if (six)
		fixture_ipv6(f, tcp ? 6 : 17, above, 7);
	else
		fixture_ipv4(f, tcp ? 6 : 17, above, 7);
	if (tcp)
		fixture_tcp(f, 1234, 443, FLOW_TCP_SYN, options);
	else
		fixture_udp(f, 53, tunnel ? 4789 : 4444, payload);
	if (tunnel) {
		fixture_hex(f, "08000000 00000700");
		fixture_ethernet(f, 0x0800);
		fixture_ipv4(f, 17, 8, (uint8_t)prng_below(r, 256));
		fixture_udp(f, 1, 2, 0);
	}
	for (size_t i = 0; i < payload && !tunnel; i++)
		fixture_u8(f, prng_below(r, 256));
	for (uint32_t padding = prng_below(r, 3) * 6; padding > 0; padding--)
		fixture_u8(f, 0);
}

/* Some bits of the headers otherwise. */
static void frame_spoil(struct prng *r, struct fixture *f)
{
	static const uint8_t telling[] = {0, 1, 4, 5, 6, 8, 17, 20, 28, 0x40, 0x45, 0x46, 0xff};
	size_t head = f->len < 90 ? f->len : 90;
	for (uint32_t n = prng_below(r, 4); n > 0; n--) {
		uint8_t *at = &f->bytes[prng_below(r, (uint32_t)head)];
		if (prng_below(r, 2) == 0)
			*at ^= (uint8_t)(1 << prng_below(r, 8));
		else
			*at = telling[prng_below(r, WD_COUNT(telling))];
	}
	if (prng_below(r, 20) == 0) /* a length, of either family, that says something else */
		memset(f->bytes + (prng_below(r, 2) == 0 ? 16 : 18), prng_below(r, 2) == 0 ? 0 : 0xff, 2);
}

static struct packet packet_cut(struct prng *r, const struct fixture *f)
{
	uint32_t len = (uint32_t)f->len;
	struct packet p = {f->bytes, len, 0, PACKET_ETHERNET, {0}};
	if (prng_below(r, 3) == 0)
		p.captured = prng_below(r, len + 1);
	if (prng_below(r, 2) == 0)
		p.wire_length = p.captured + prng_below(r, 100);
	if (prng_below(r, 4) == 0)
		p.wire_length = (uint32_t)prng_u64(r);
	if (prng_below(r, 2) == 0)
		p.at.ns = (int64_t)(prng_u64(r) >> prng_below(r, 62) >> 2);
	return p;
}

static void random_packets_both_ways(void **state)
{
	enum { ROUNDS = 200000 };
	struct prng r = prng_of(7, 1);
	struct fixture f;
	struct tally t = {0};
	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		frame_make(&r, &f);
		frame_spoil(&r, &f);
		struct packet p = packet_cut(&r, &f);
		compare(&t, &p);
	}
	assert_true(t.plain > ROUNDS / 4 && t.plain < t.packets);
	assert_true(t.flows > 2 * t.plain);
}

static void visit_capture(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	struct pcap p;
	struct packet packet;
	bool end = false;
	(void)path;
	if (!pcap_is(bytes, len) || pcap_begin(&p, bytes, len, NULL) != WD_OK)
		return;
	while (pcap_next(&p, &packet, &end, NULL) == WD_OK && !end && p.packets < 20000)
		compare(context, &packet);
}

static void real_packets_both_ways(void **state)
{
	struct tally t = {0};
	(void)state;
	testdata_each("ddos", visit_capture, &t);
	testdata_each("flow", visit_capture, &t);
	testdata_each("malformed", visit_capture, &t);
	if (t.packets > 0)
		assert_true(t.plain > 100);
}

/* A second header, the same once more, is what the short way leaves to the long one. */
static size_t sample_decode(struct sflow *s, const struct fixture *frame, const char *around,
			    bool twice, uint32_t stripped, struct flow *ret)
{
	static const struct exporter_address sender = {{10, 0, 0, 1}, 4};
	struct fixture f = {0};
	size_t count = 0;
	fixture_sflow(&f, 1, 1);
	fixture_u32(&f, 1);
	size_t len_at = f.len;
	fixture_hex(&f, "00000000 00000001 00000003 0000000a 00000000 00000000 00000002 40000003");
	fixture_u32(&f, 1 + (uint32_t)twice + (strlen(around) > 0 ? 2 : 0));
	fixture_hex(&f, around);
	for (int n = 0; n < 1 + twice; n++) {
		fixture_u32(&f, 1);
		size_t record_at = f.len;
		fixture_hex(&f, "00000000 00000001 000005ee");
		fixture_u32(&f, stripped);
		fixture_u32(&f, (uint32_t)frame->len);
		fixture_bytes(&f, frame->bytes, frame->len);
		fixture_close32(&f, record_at, record_at + 4, 0);
		while (f.len % 4 != 0)
			fixture_u8(&f, 0);
	}
	fixture_hex(&f, around);
	fixture_close32(&f, len_at, len_at + 4, 0);
	assert_int_equal(sflow_decode(s, &sender, f.bytes, f.len, wall_s(1700000000), ret, 1,
				      &count, NULL), WD_OK);
	if (count == 1 && ret->payload != NULL) { /* of the datagram, which is gone */
		assert_true(ret->payload >= f.bytes && ret->payload + ret->payload_len <= f.bytes + f.len);
		ret->payload = frame->bytes;
	}
	return count;
}

static void samples_both_ways(void **state)
{
	/* Nothing; a switch's record (1001) and one of somebody's own (4413:1), 3 bytes long. */
	static const char *const around[] = {
		"", "000003e9 00000010 00000001 00000000 00000001 00000000",
		"0113d001 00000003 01020300",
	};
	static const struct hash_key key = {{9}};
	const struct sflow_limits limits = {16};
	struct prng r = prng_of(7, 2);
	struct fixture frame;
	struct sflow *one, *two;
	size_t flows = 0;
	(void)state;
	assert_int_equal(sflow_open(&limits, &key, &one), WD_OK);
	assert_int_equal(sflow_open(&limits, &key, &two), WD_OK);
	for (size_t i = 0; i < 30000; i++) {
		struct flow a = {0}, b = {0};
		const char *rest = around[prng_below(&r, WD_COUNT(around))];
		uint32_t stripped = prng_below(&r, 8) == 0 ? (uint32_t)prng_u64(&r) : 4;
		frame_make(&r, &frame);
		frame_spoil(&r, &frame);
		frame.len = prng_below(&r, 3) == 0 ? prng_below(&r, (uint32_t)frame.len + 1) : frame.len;
		size_t count = sample_decode(one, &frame, rest, false, stripped, &a);
		assert_int_equal(sample_decode(two, &frame, rest, true, stripped, &b), count);
		if (count == 1)
			assert_memory_equal(&a, &b, FLOW_USED);
		flows += count;
	}
	struct sflow_counts a = sflow_counts(one), b = sflow_counts(two);
	b.bytes = a.bytes;
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.flows, flows);
	assert_true(flows > 15000);
	assert_int_equal(a.malformed, 0);
	sflow_close(one);
	sflow_close(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_packets_both_ways),
		cmocka_unit_test(real_packets_both_ways),
		cmocka_unit_test(samples_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
