/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/capture_file.h"

#include "base/check.h"
#include "decode/testdata.h"
#include "decode/traffic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CAP = 2 * EXPORT_FLOWS_MAX };

static struct flow *flows;

/* Writes bytes to a file of their own; the caller removes it. */
static void file_of(char *path, const uint8_t *bytes, size_t len)
{
	memcpy(path, "/tmp/whydown-capture-XXXXXX", 28);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

struct read {
	enum capture_kind kind;
	struct capture_counters counters;
	enum wd_err err;
	size_t batches, count[64];
	wd_wall at[64];
};

static struct read read_bytes(const uint8_t *bytes, size_t len, const struct capture_options *options)
{
	static const struct capture_options plain = {0};
	struct read r = {0};
	struct capture_file *c = NULL;
	struct wd_why why = {0};
	char path[32];
	size_t count = 0;
	wd_wall at = {0}, before = {INT64_MIN};
	file_of(path, bytes, len);
	r.err = capture_open(path, options == NULL ? &plain : options, &c, &why);
	unlink(path);
	if (r.err != WD_OK) {
		assert_non_null(why.what);
		return r;
	}
	while ((r.err = capture_next(c, flows, CAP, &count, &at, &why)) == WD_OK && count > 0) {
		assert_true(count <= CAP && at.ns >= before.ns);
		before = at;
		r.at[r.batches % 64] = at;
		r.count[r.batches++ % 64] = count;
	}
	if (r.err != WD_OK) {
		assert_non_null(why.what);
		assert_int_equal(capture_next(c, flows, CAP, &count, &at, &why), WD_OK); /* told once */
		assert_int_equal(count, 0);
	}
	r.kind = capture_kind(c);
	r.counters = capture_counters(c);
	assert_true(capture_progress(c) == 1);
	capture_close(c);
	return r;
}

static void little32(struct fixture *f, uint32_t x)
{
	for (size_t i = 0; i < 4; i++)
		fixture_u8(f, x >> (8 * i) & 0xff);
}

static void pcap_head(struct fixture *f)
{
	fixture_hex(f, "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000");
}

/* A UDP datagram to a port, at a time in ms. */
static void pcap_udp(struct fixture *f, uint32_t ms, uint16_t dport, const struct fixture *payload)
{
	little32(f, ms / 1000);
	little32(f, ms % 1000 * 1000);
	little32(f, (uint32_t)(14 + 20 + 8 + payload->len));
	little32(f, (uint32_t)(14 + 20 + 8 + payload->len));
	fixture_ethernet(f, 0x0800);
	fixture_ipv4(f, 17, 8 + payload->len, 7);
	fixture_udp(f, 40000, dport, payload->len);
	fixture_bytes(f, payload->bytes, payload->len);
}

/* NetFlow v5 with one record, sent at a second. */
static void put_v5(struct fixture *f, uint32_t s, uint32_t sequence)
{
	fixture_hex(f, "0005 0001 0000ea60");
	fixture_u32(f, s);
	fixture_u32(f, 0);
	fixture_u32(f, sequence);
	fixture_hex(f, "00000000 c6336407 c0000201 00000000 00010002 00000005 000001f4 0000c350 0000d6d8"
		       "0035 115c 00 00 11 00 0000 0000 00 00 0000");
}

static void put_sflow(struct fixture *f, uint32_t sequence)
{
	struct fixture frame = {0};
	fixture_ethernet(&frame, 0x0800);
	fixture_ipv4(&frame, 17, 8, 9);
	fixture_udp(&frame, 53, 4444, 0);
	fixture_sflow(f, sequence, 1);
	fixture_sflow_sample(f, sequence, 100, &frame);
}

/* Version 9: a template and, if wanted, one record of it: source, destination, packets, bytes. */
static void put_v9(struct fixture *f, uint32_t s, uint32_t sequence, bool template, bool data)
{
	fixture_u16(f, 9);
	fixture_u16(f, (uint32_t)template + data);
	fixture_u32(f, 60000);
	fixture_u32(f, s);
	fixture_u32(f, sequence);
	fixture_u32(f, 1);
	if (template)
		fixture_hex(f, "0000 0018 0100 0004 0008 0004 000c 0004 0002 0004 0001 0004");
	if (data)
		fixture_hex(f, "0100 0014 c6336407 c0000201 00000003 00000300");
}

static void packets_come_in_batches_of_one_step_of_time(void **state)
{
	struct fixture f = {0}, empty = {0};
	(void)state;
	pcap_head(&f);
	pcap_udp(&f, 1000000, 80, &empty);
	pcap_udp(&f, 1000049, 80, &empty);
	pcap_udp(&f, 1000050, 80, &empty);
	pcap_udp(&f, 1000010, 80, &empty); /* out of order: time does not go back */
	pcap_udp(&f, 1000700, 80, &empty);
	struct read r = read_bytes(f.bytes, f.len, NULL);
	assert_int_equal(r.err, WD_OK);
	assert_int_equal(r.kind, CAPTURE_PACKETS);
	assert_int_equal(r.counters.packets, 5);
	assert_int_equal(r.counters.flows, 5);
	assert_int_equal(r.batches, 3);
	assert_int_equal(r.count[0], 2);
	assert_int_equal(r.count[1], 2);
	assert_int_equal(r.at[0].ns, 1000049 * INT64_C(1000000));
	assert_int_equal(r.at[1].ns, 1000050 * INT64_C(1000000));
	assert_int_equal(r.at[2].ns, 1000700 * INT64_C(1000000));
}

/* A clock that is set back from 2096 again and again would go on past all years there are. */
static void a_clock_that_is_set_back_often_ends_with_the_year_2199(void **state)
{
	static const uint32_t seconds[] = {4000000000, 10, 4100000000, 20, 4200000000, 30};
	struct fixture f = {0}, empty = {0};
	(void)state;
	pcap_head(&f);
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 20; k++) {
			size_t at = f.len;
			pcap_udp(&f, 0, 80, &empty);
			for (size_t n = 0; n < 4; n++)
				f.bytes[at + n] = (uint8_t)(seconds[i] >> (8 * n));
		}
	struct read r = read_bytes(f.bytes, f.len, NULL);
	assert_int_equal(r.err, WD_OK);
	assert_int_equal(r.counters.flows, 120);
	assert_true(r.counters.times_mended > 0);
	for (size_t i = 0; i < r.batches; i++) {
		assert_true(wall_to_s(r.at[i]) < INT64_C(7258118400));
		assert_true(i == 0 || r.at[i].ns >= r.at[i - 1].ns);
	}
}

static struct read read_times(const uint32_t *ms, size_t count)
{
	struct fixture f = {0}, empty = {0};
	pcap_head(&f);
	for (size_t i = 0; i < count; i++)
		pcap_udp(&f, ms[i], 80, &empty);
	struct read r = read_bytes(f.bytes, f.len, NULL);
	assert_int_equal(r.err, WD_OK);
	assert_int_equal(r.counters.flows, count);
	return r;
}

static void times_that_begin_with_the_file_are_times(void **state)
{
	(void)state;
	struct read r = read_times((const uint32_t[]){0, 0, 10, 120, 700}, 5);
	assert_int_equal(r.batches, 3); /* a second later each: 0 would be none */
	assert_int_equal(r.count[0], 3);
	assert_int_equal(r.at[1].ns, 1120 * INT64_C(1000000));
	assert_int_equal(r.at[2].ns, 1700 * INT64_C(1000000));
	r = read_times((const uint32_t[]){0, 0, 0, 0}, 4); /* all at once */
	assert_int_equal(r.batches, 1);
	assert_int_equal(wall_to_s(r.at[0]), 1);
	/* One that is wrong does not make all others come later. */
	r = read_times((const uint32_t[]){0, 1000000000, 1000000010, 1000000020}, 4);
	assert_int_equal(r.batches, 1);
	assert_int_equal(r.at[0].ns, 1000000020 * INT64_C(1000000));
	assert_int_equal(r.counters.times_mended, 1);
}

static void a_capture_of_exports_gives_their_flows(void **state)
{
	struct fixture f = {0}, v5 = {0}, v9 = {0}, sflow = {0}, other = {0};
	(void)state;
	put_v5(&v5, 1000, 0);
	put_v9(&v9, 1000, 1, true, true);
	put_sflow(&sflow, 1);
	fixture_hex(&other, "0005 0000"); /* begins like one, and is none */
	pcap_head(&f);
	pcap_udp(&f, 1000000, 2055, &v5);
	pcap_udp(&f, 1000001, 2055, &v9);
	pcap_udp(&f, 1000002, 6343, &sflow);
	pcap_udp(&f, 1000003, 53, &other);
	struct read r = read_bytes(f.bytes, f.len, NULL);
	assert_int_equal(r.kind, CAPTURE_EXPORTS);
	assert_int_equal(r.counters.datagrams, 3);
	assert_int_equal(r.counters.flows, 3);
	assert_int_equal(r.counters.broken, 1);
	assert_int_equal(r.batches, 1);
	struct capture_options packets = {.kind = CAPTURE_PACKETS};
	r = read_bytes(f.bytes, f.len, &packets);
	assert_int_equal(r.kind, CAPTURE_PACKETS);
	assert_int_equal(r.counters.flows, 4);
}

static void packets_that_only_begin_like_exports_are_packets(void **state)
{
	struct fixture f = {0}, payload = {0};
	(void)state;
	fixture_hex(&payload, "0009 ffff 12345678 12345678 12345678 12345678 00020003");
	pcap_head(&f);
	for (uint32_t i = 0; i < 10; i++)
		pcap_udp(&f, 1000000 + i, 2055, &payload);
	assert_int_equal(read_bytes(f.bytes, f.len, NULL).kind, CAPTURE_PACKETS);
}

static void data_ahead_of_its_template_is_not_lost(void **state)
{
	struct fixture f = {0}, early = {0}, late = {0};
	(void)state;
	put_v9(&early, 1000, 1, false, true);
	put_v9(&late, 1001, 2, true, false);
	pcap_head(&f);
	pcap_udp(&f, 1000000, 2055, &early);
	pcap_udp(&f, 1001000, 2055, &late);
	struct read r = read_bytes(f.bytes, f.len, &(struct capture_options){.kind = CAPTURE_EXPORTS});
	assert_int_equal(r.counters.datagrams, 2);
	assert_int_equal(r.counters.flows, 1);
	assert_int_equal(r.at[0].ns, 1001 * WD_NS_PER_S);
}

static void datagrams_one_after_the_other_are_told_apart(void **state)
{
	struct fixture f = {0};
	(void)state;
	put_v5(&f, 1000, 0);
	put_v9(&f, 1001, 1, true, true);
	put_v9(&f, 1002, 2, false, true);
	put_sflow(&f, 1);
	put_v5(&f, 1003, 1);
	fixture_hex(&f, "00000000 0000"); /* filling */
	struct capture_options o = {.begin = {1002 * WD_NS_PER_S + 5}};
	struct read r = read_bytes(f.bytes, f.len, &o);
	assert_int_equal(r.err, WD_OK);
	assert_int_equal(r.kind, CAPTURE_DATAGRAMS);
	assert_int_equal(r.counters.datagrams, 5);
	assert_int_equal(r.counters.flows, 5);
	assert_int_equal(r.batches, 4);
	assert_int_equal(r.at[0].ns, 1000 * WD_NS_PER_S);
	assert_int_equal(r.at[2].ns, 1002 * WD_NS_PER_S + 5);
	assert_int_equal(r.at[3].ns, 1003 * WD_NS_PER_S);
}

static void files_can_share_what_they_teach(void **state)
{
	struct fixture template = {0}, data = {0};
	struct exports_limits limits = exports_limits_default();
	struct hash_key key = {{0}};
	struct exports *e;
	(void)state;
	put_v9(&template, 1000, 1, true, false);
	put_v9(&data, 1001, 2, false, true);
	assert_int_equal(exports_open(&limits, &key, &e), WD_OK);
	struct capture_options o = {.exports = e};
	assert_int_equal(read_bytes(template.bytes, template.len, &o).counters.flows, 0);
	assert_int_equal(read_bytes(data.bytes, data.len, &o).counters.flows, 1);
	assert_int_equal(read_bytes(data.bytes, data.len, NULL).counters.flows, 0);
	exports_close(e);
}

static void what_it_is_not_is_said(void **state)
{
	static const char *const cases[] = {"", "x", "time,service,reports\n", "{\"service\":\"x\"}", "\x1f\x8b\x08\x00"};
	struct capture_file *c;
	struct wd_why why;
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		enum wd_err err = read_bytes((const uint8_t *)cases[i], strlen(cases[i]), NULL).err;
		assert_int_equal(err, i == 0 || i == 4 ? WD_SHORT : WD_UNKNOWN); /* 4: gzip, cut */
	}
	assert_int_equal(capture_open("/nowhere/at/all", &(struct capture_options){0}, &c, &why), WD_OS);
	assert_int_equal(capture_open("/tmp", &(struct capture_options){0}, &c, &why), WD_UNKNOWN);
}

static void every_prefix_gives_what_came_before(void **state)
{
	struct fixture f = {0}, v5 = {0}, raw = {0};
	(void)state;
	put_v5(&v5, 1000, 0);
	pcap_head(&f);
	pcap_udp(&f, 1000000, 2055, &v5);
	size_t one = f.len;
	pcap_udp(&f, 1000001, 2055, &v5);
	for (size_t len = 24; len <= f.len; len++) {
		struct read r = read_bytes(f.bytes, len, &(struct capture_options){.kind = CAPTURE_EXPORTS});
		assert_int_equal(r.err, len == 24 || len == one || len == f.len ? WD_OK : WD_SHORT);
		assert_int_equal(r.counters.flows, len == f.len ? 2 : len >= one ? 1 : 0);
	}
	put_v5(&raw, 1000, 0);
	put_v9(&raw, 1001, 1, true, true);
	put_sflow(&raw, 1);
	for (size_t len = 4; len <= raw.len; len++)
		assert_true(read_bytes(raw.bytes, len, NULL).counters.flows <= 3);
}

/* --- real files --------------------------------------------------------------------------- */

struct kinds { size_t files[4], unknown; uint64_t flows[4]; };

static void visit(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	struct kinds *k = context;
	struct read r = read_bytes(bytes, len, NULL);
	k->files[r.kind]++;
	k->flows[r.kind] += r.counters.flows;
	k->unknown += r.kind == CAPTURE_ANY;
	(void)path;
}

static void real_files_are_what_they_are(void **state)
{
	static const struct { const char *folder; enum capture_kind kind; } cases[] = {
		{"ddos", CAPTURE_PACKETS},
		{"flow/logstash-pcap", CAPTURE_EXPORTS},
		{"flow/logstash", CAPTURE_DATAGRAMS},
		{"malformed", CAPTURE_PACKETS},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct kinds k = {0};
		size_t files = testdata_each(cases[i].folder, visit, &k);
		if (files == 0)
			continue;
		/* Odd ones beside: a list of what is expected; captures without an export in them. */
		assert_true(k.files[cases[i].kind] + 3 >= files);
		assert_true(k.flows[cases[i].kind] > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_come_in_batches_of_one_step_of_time),
		cmocka_unit_test(a_clock_that_is_set_back_often_ends_with_the_year_2199),
		cmocka_unit_test(times_that_begin_with_the_file_are_times),
		cmocka_unit_test(a_capture_of_exports_gives_their_flows),
		cmocka_unit_test(packets_that_only_begin_like_exports_are_packets),
		cmocka_unit_test(data_ahead_of_its_template_is_not_lost),
		cmocka_unit_test(datagrams_one_after_the_other_are_told_apart),
		cmocka_unit_test(files_can_share_what_they_teach),
		cmocka_unit_test(what_it_is_not_is_said),
		cmocka_unit_test(every_prefix_gives_what_came_before),
		cmocka_unit_test(real_files_are_what_they_are),
	};
	flows = calloc(CAP, sizeof(*flows));
	int failed = flows == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	free(flows);
	return failed;
}
