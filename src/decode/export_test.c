/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/export_fixture.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { T0 = 1700000000 };

static struct flow flows[EXPORT_FLOWS_MAX];
static struct datagram d;

static size_t decode_from(struct exports *e, uint32_t address, int64_t now_s)
{
	struct exporter_address from = fixture_exporter(address);
	size_t n = 77777;
	datagram_end(&d);
	/* An exact copy, so that a sanitizer sees a read past the end. */
	uint8_t *exact = malloc(d.len);
	assert_non_null(exact);
	memcpy(exact, d.bytes, d.len);
	assert_int_equal(exports_decode(e, &from, exact, d.len, wall_s(now_s), flows,
					EXPORT_FLOWS_MAX, &n, NULL), WD_OK);
	free(exact);
	return n;
}

static size_t decode(struct exports *e) { return decode_from(e, 0xc0000201, T0); }

static struct export_totals totals(const struct exports *e)
{
	struct export_totals t;
	exports_totals(e, &t);
	return t;
}

static struct export_counts counts(const struct exports *e) { return totals(e).counts; }

static void begin(uint16_t version)
{
	datagram_begin(&d, &(struct datagram_header){.version = version, .at_s = T0, .uptime_ms = 60000});
}

static void send_template(struct exports *e, uint16_t version, uint16_t id,
			  const struct datagram_field *fields, size_t count)
{
	begin(version);
	datagram_set(&d, version == 9 ? 0 : 2);
	datagram_template(&d, id, fields, count);
	assert_int_equal(decode(e), 0);
}

/* A template of these fields; the record's values, by the fields' widths. */
static struct flow one_flow(uint16_t version, const struct datagram_field *fields, size_t count,
			    const uint64_t *values, size_t want)
{
	struct exports *e = fixture_exports();
	send_template(e, version, 256, fields, count);
	begin(version);
	datagram_set(&d, 256);
	for (size_t i = 0; i < count; i++)
		datagram_uint(&d, values[i], fields[i].width);
	assert_int_equal(decode(e), want);
	exports_close(e);
	return flows[0];
}

static uint32_t address4(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void v5_is_read(void **state)
{
	struct exports *e = fixture_exports();
	(void)state;
	datagram_begin(&d, &(struct datagram_header){.version = 5, .at_s = T0, .uptime_ms = 1000,
						     .sampling = 1 << 14 | 100});
	datagram_v5(&d, 0x0a000001, 0xc0000202, 40000, 443, 6, 3, 1500);
	datagram_v5(&d, 0x0a000002, 0xc0000202, 40000, 0x0800, 1, 1, 84);
	assert_int_equal(export_version(d.bytes, d.len), 5);
	assert_int_equal(decode(e), 2);
	struct flow *f = &flows[0];
	assert_int_equal(address4(f->src), 0x0a000001);
	assert_int_equal(address4(f->dst), 0xc0000202);
	assert_int_equal(f->family, 4);
	assert_int_equal(f->sport, 40000);
	assert_int_equal(f->dport, 443);
	assert_int_equal(f->protocol, 6);
	assert_int_equal(f->packets, 3);
	assert_int_equal(f->bytes, 1500);
	assert_int_equal(f->tcp_flags, FLOW_TCP_SYN | FLOW_TCP_ACK);
	assert_int_equal(f->src_as, 64500);
	assert_int_equal(f->dst_as, 64501);
	assert_int_equal(f->sampling, 100);
	assert_int_equal(f->first_ms, T0 * INT64_C(1000) - 100);
	assert_int_equal(f->last_ms, T0 * INT64_C(1000) - 50);
	assert_int_equal(f->known, FLOW_TIMES | FLOW_FLAGS | FLOW_AS);
	assert_int_equal(flows[1].sport, 0);
	assert_int_equal(flows[1].dport, 0x0800);
	exports_close(e);
}

static void a_template_is_read_wherever_it_stands(void **state)
{
	static const uint16_t versions[] = {9, 10};
	(void)state;
	for (size_t v = 0; v < WD_COUNT(versions); v++)
		for (size_t same = 0; same < 2; same++) {
			struct exports *e = fixture_exports();
			begin(versions[v]);
			datagram_set(&d, versions[v] == 9 ? 0 : 2);
			datagram_template(&d, 300, fixture_v9_fields, 18);
			if (!same) {
				assert_int_equal(decode(e), 0);
				begin(versions[v]);
			}
			datagram_set(&d, 300);
			fixture_records(&d, fixture_v9_fields, 18, 40, 1);
			datagram_uint(&d, 0, 3); /* padding */
			assert_int_equal(decode(e), 40);
			for (size_t i = 0; i < 40; i++) {
				assert_int_equal(address4(flows[i].dst), 0xc0000200 + 1 + i);
				assert_int_equal(flows[i].sport, 1024 + 1 + i);
				assert_int_equal(flows[i].bytes, 100 + 1 + i);
				assert_int_equal(flows[i].src_as, 64500);
				assert_int_equal(flows[i].sampling, 1);
				if (versions[v] == 9)
					assert_int_equal(flows[i].first_ms, T0 * INT64_C(1000) - 2000);
			}
			assert_int_equal(counts(e).records, 40);
			assert_int_equal(counts(e).flows, 40);
			assert_int_equal(counts(e).malformed, 0);
			exports_close(e);
		}
}

static void ipv6_is_read(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	send_template(e, 10, 300, fixture_ipfix6_fields, 12);
	begin(10);
	datagram_set(&d, 300);
	fixture_records(&d, fixture_ipfix6_fields, 12, 70, 1);
	assert_int_equal(decode(e), 70);
	for (size_t i = 0; i < 70; i++) {
		assert_int_equal(flows[i].family, 6);
		assert_int_equal(flows[i].src[15], 1 + i);
		assert_int_equal(flows[i].src[0], 0);
		assert_int_equal(flows[i].dst[15], 1 + i);
		assert_int_equal(flows[i].protocol, (1 + i) % 5 == 0 ? 6 : 17);
		assert_int_equal(flows[i].sport, 1025 + i);
		assert_int_equal(flows[i].dport, (1 + i) % 2 ? 443 : 53);
		assert_int_equal(flows[i].bytes, 101 + i);
		assert_int_equal(flows[i].packets, 1 + (1 + i) % 3);
		assert_int_equal(flows[i].tcp_flags, FLOW_TCP_ACK);
		assert_int_equal(flows[i].first_ms, INT64_C(1700000000001) + (int64_t)i);
		assert_int_equal(flows[i].known, FLOW_TIMES | FLOW_FLAGS);
	}
	exports_close(e);
}

static void data_before_its_template_is_held(void **state)
{
	static struct flow direct[40];
	(void)state;
	struct exports *e = fixture_exports();
	size_t n;
	wd_wall at;
	send_template(e, 10, 300, fixture_ipfix_fields, 14);
	begin(10);
	datagram_set(&d, 300);
	fixture_records(&d, fixture_ipfix_fields, 14, 40, 1);
	assert_int_equal(decode(e), 40);
	memcpy(direct, flows, sizeof(direct));
	exports_close(e);

	e = fixture_exports();
	assert_int_equal(decode(e), 0);
	assert_false(exports_held(e, wall_s(T0), flows, EXPORT_FLOWS_MAX, &n, &at));
	assert_int_equal(counts(e).held, 1);
	send_template(e, 10, 300, fixture_ipfix_fields, 14);
	assert_true(exports_held(e, wall_s(T0 + 5), flows, EXPORT_FLOWS_MAX, &n, &at));
	assert_int_equal(n, 40);
	assert_int_equal(at.ns, wall_s(T0).ns);
	assert_memory_equal(direct, flows, sizeof(direct));
	assert_false(exports_held(e, wall_s(T0 + 5), flows, EXPORT_FLOWS_MAX, &n, &at));
	assert_int_equal(counts(e).held_used, 1);
	assert_int_equal(counts(e).held_dropped, 0);
	exports_close(e);
}

static void held_data_is_bounded_in_bytes_and_time(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	size_t n, used = 0;
	wd_wall at;
	for (uint32_t i = 0; i < 5000; i++) {
		begin(9);
		datagram_set(&d, 300);
		fixture_records(&d, fixture_v9_fields, 18, 1 + i % 40, 1);
		assert_int_equal(decode_from(e, 0xc0000200 + i % 7, T0), 0);
	}
	assert_int_equal(counts(e).held, 5000);
	assert_true(counts(e).held_dropped > 3000);
	send_template(e, 9, 300, fixture_v9_fields, 18); /* of 192.0.2.1 */
	while (exports_held(e, wall_s(T0), flows, EXPORT_FLOWS_MAX, &n, &at))
		used++;
	assert_true(used > 50);
	assert_int_equal(counts(e).held_used, used);
	/* Those of the others are too old by now. */
	begin(9);
	datagram_set(&d, 0);
	datagram_template(&d, 300, fixture_v9_fields, 18);
	assert_int_equal(decode_from(e, 0xc0000202, T0 + 61), 0);
	assert_false(exports_held(e, wall_s(T0 + 61), flows, EXPORT_FLOWS_MAX, &n, &at));
	assert_int_equal(counts(e).held_used + counts(e).held_dropped, 5000);
	exports_close(e);
}

static void templates_belong_to_address_and_source_id(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	send_template(e, 9, 300, fixture_v9_fields, 18);
	begin(9);
	datagram_set(&d, 300);
	fixture_records(&d, fixture_v9_fields, 18, 1, 1);
	assert_int_equal(decode(e), 1);
	assert_int_equal(decode_from(e, 0xc0000209, T0), 0);
	d.bytes[19] = 1; /* the source id */
	assert_int_equal(decode(e), 0);
	assert_int_equal(totals(e).exporters, 3);
	exports_close(e);
}

static void a_template_changes_and_is_withdrawn(void **state)
{
	(void)state;
	static const struct datagram_field other[] = {{8, 4}, {12, 4}, {2, 4}};
	struct exports *e = fixture_exports();
	send_template(e, 10, 300, fixture_ipfix_fields, 14);
	send_template(e, 10, 300, fixture_ipfix_fields, 14);
	assert_int_equal(counts(e).templates_changed, 0);
	send_template(e, 10, 300, other, 3);
	assert_int_equal(counts(e).templates_changed, 1);
	begin(10);
	datagram_set(&d, 300);
	fixture_records(&d, other, 3, 2, 1);
	assert_int_equal(decode(e), 2);
	send_template(e, 10, 300, NULL, 0);
	assert_int_equal(counts(e).templates_withdrawn, 1);
	assert_int_equal(totals(e).templates, 0);
	send_template(e, 10, 301, other, 3);
	send_template(e, 10, 302, other, 3);
	send_template(e, 10, 2, NULL, 0); /* all */
	assert_int_equal(counts(e).templates_withdrawn, 3);
	/* Not announced for too long. */
	send_template(e, 10, 300, other, 3);
	begin(10);
	datagram_set(&d, 300);
	fixture_records(&d, other, 3, 2, 1);
	assert_int_equal(decode_from(e, 0xc0000201, T0 + 25 * 3600), 0);
	assert_int_equal(counts(e).templates_expired, 1);
	exports_close(e);
}

static void numbers_of_any_width_are_read(void **state)
{
	(void)state;
	for (uint16_t w = 1; w <= 8; w++) {
		const struct datagram_field fields[] = {{8, 4}, {12, 4}, {1, w}, {2, w}, {4, 1}};
		const uint64_t values[] = {1, 2, 0xf1, 200, 17};
		struct flow f = one_flow(10, fields, 5, values, 1);
		assert_int_equal(f.bytes, 0xf1);
		assert_int_equal(f.packets, 200);
		assert_int_equal(f.protocol, 17);
	}
	/* A width that cannot be is passed over, and the rest is read. */
	const struct datagram_field odd[] = {{8, 4}, {12, 4}, {1, 9}, {2, 0}, {7, 2}, {86, 3}};
	const uint64_t values[] = {1, 2, 0xf1, 0, 53, 4};
	struct flow f = one_flow(10, odd, 6, values, 1);
	assert_int_equal(f.bytes, 0);
	assert_int_equal(f.packets, 4);
	assert_int_equal(f.sport, 53);
}

static void times_come_in_many_forms(void **state)
{
	(void)state;
	const uint64_t s = T0 - 7, ntp = (s + UINT64_C(2208988800)) << 32 | 0x80000000;
	const int64_t ms = (int64_t)s * 1000;
	const struct { uint16_t first, last, width; uint64_t value; int64_t ms; } forms[] = {
		{150, 151, 4, s, ms},
		{152, 153, 8, s * 1000 + 3, ms + 3},
		{154, 155, 8, ntp, ms + 500},
		{156, 157, 8, ntp, ms + 500},
		{154, 155, 8, s * 1000000 + 4000, ms + 4}, /* not as the RFC says, but seen */
		{156, 157, 8, s * 1000000000 + 5000000, ms + 5},
		{158, 159, 4, 7000000, ms},
		{152, 153, 8, UINT64_MAX, 0},
	};
	for (size_t i = 0; i < WD_COUNT(forms); i++) {
		const struct datagram_field fields[] = {
			{8, 4}, {12, 4}, {forms[i].first, forms[i].width}, {forms[i].last, forms[i].width}};
		const uint64_t values[] = {1, 2, forms[i].value, forms[i].value};
		struct flow f = one_flow(10, fields, 4, values, 1);
		assert_int_equal(f.first_ms, forms[i].ms);
		assert_int_equal(f.last_ms, forms[i].ms);
		assert_int_equal(f.known & FLOW_TIMES, forms[i].ms != 0 ? FLOW_TIMES : 0);
	}
	/* Uptimes, with the start in the record; the uptime has wrapped since. */
	const struct datagram_field fields[] = {{8, 4}, {12, 4}, {160, 8}, {22, 4}, {21, 4}};
	const uint64_t start = (uint64_t)ms - (UINT64_C(1) << 32) - 5000;
	const uint64_t values[] = {1, 2, start, 5000, 6000};
	struct flow f = one_flow(10, fields, 5, values, 1);
	assert_int_equal(f.first_ms, ms);
	assert_int_equal(f.last_ms, ms + 1000);
	/* v9: against the header, also across a wrap. */
	const struct datagram_field v9[] = {{8, 4}, {12, 4}, {22, 4}, {21, 4}};
	const uint64_t around[] = {1, 2, (uint32_t)(60000 - 70000), 59000};
	f = one_flow(9, v9, 4, around, 1);
	assert_int_equal(f.first_ms, T0 * INT64_C(1000) - 70000);
	assert_int_equal(f.last_ms, T0 * INT64_C(1000) - 1000);
}

static void small_fields_end_where_they_belong(void **state)
{
	(void)state;
	const struct datagram_field fields[] = {
		{8, 4}, {12, 4}, {4, 1}, {2, 4}, {1, 4}, {32, 2}, {7, 2}, {11, 2}, {61, 1}, {89, 1},
		{52, 1}, {53, 1}, {6, 2}, {224, 8}, {88, 2}, {197, 1}};
	uint64_t v[] = {1, 2, 1, 1, 84, 0x0301, 9, 9, 1, 0x82, 57, 64, 0, 84, 0, 0x20};
	struct flow f = one_flow(10, fields, WD_COUNT(fields), v, 1);
	assert_int_equal(f.sport, 0);
	assert_int_equal(f.dport, 0x0301);
	assert_int_equal(f.ttl, 57);
	assert_int_equal(f.length, 84);
	assert_int_equal(f.fragment, FLOW_FRAGMENT_FIRST);
	assert_int_equal(f.known, FLOW_EGRESS | FLOW_DROPPED | FLOW_TTL | FLOW_PACKET | FLOW_FLAGS);
	v[2] = 6;    /* TCP: ports stay; without its header fields it is no packet */
	v[12] = 0x102; /* nine bits of flags: the ninth is not kept */
	v[8] = 0;
	v[9] = 0x40;
	f = one_flow(10, fields, WD_COUNT(fields), v, 1);
	assert_int_equal(f.sport, 9);
	assert_int_equal(f.dport, 9);
	assert_int_equal(f.tcp_flags, FLOW_TCP_SYN);
	assert_int_equal(f.length, 0);
	assert_int_equal(f.known, FLOW_TTL | FLOW_FLAGS);
	v[14] = 100; /* a later fragment */
	f = one_flow(10, fields, WD_COUNT(fields), v, 1);
	assert_int_equal(f.fragment, FLOW_FRAGMENT_LATER);
	assert_int_equal(f.sport | f.dport, 0);
}

static void variable_lengths_and_unknown_enterprises_are_passed_over(void **state)
{
	(void)state;
	const struct datagram_field fields[] = {{82, 65535}, {8, 4}, {371, 65535, 9999}, {12, 4},
						{2, 4}, {1, 8, 9999}, {100, 65535}};
	uint8_t text[300] = {0};
	struct exports *e = fixture_exports();
	send_template(e, 10, 256, fields, WD_COUNT(fields));
	begin(10);
	datagram_set(&d, 256);
	for (uint32_t i = 0; i < 3; i++) {
		datagram_uint(&d, i, 1);
		datagram_bytes(&d, text, i);
		datagram_uint(&d, 77 + i, 4);
		datagram_uint(&d, 255, 1);
		datagram_uint(&d, 300, 2);
		datagram_bytes(&d, text, 300);
		datagram_uint(&d, 88, 4);
		datagram_uint(&d, 5, 4);
		datagram_uint(&d, 99, 8);
		datagram_uint(&d, 0, 1);
	}
	datagram_uint(&d, 0, 2);
	assert_int_equal(decode(e), 3);
	assert_int_equal(address4(flows[2].src), 79);
	assert_int_equal(address4(flows[2].dst), 88);
	assert_int_equal(flows[2].packets, 5);
	assert_int_equal(flows[2].bytes, 0);
	assert_int_equal(counts(e).malformed, 0);
	exports_close(e);
}

static void sampled_packets_are_parsed(void **state)
{
	static const uint8_t bytes[] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, /* Ethernet */
		0x45, 0, 5, 0xdc, 0, 1, 0, 0, 57, 17, 0, 0, 192, 0, 2, 7, 192, 0, 2, 9,
		0, 53, 0x9c, 0x40, 5, 0xc8, 0, 0, 1, 2, 3, 4, /* UDP, and the first of its payload */
	};
	static const struct datagram_field frames[] = {{34, 4}, {312, 2}, {315, 65535}, {61, 1}};
	static const struct datagram_field headers[] = {{313, sizeof(bytes) - 14}, {61, 1}};
	(void)state;
	struct exports *e = fixture_exports();
	send_template(e, 10, 256, frames, 4);
	send_template(e, 10, 257, headers, 2);
	begin(10);
	datagram_set(&d, 256);
	for (size_t i = 0; i < 2; i++) {
		datagram_uint(&d, 100, 4);
		datagram_uint(&d, 1514, 2);
		datagram_uint(&d, sizeof(bytes), 1);
		if (i == 0)
			datagram_bytes(&d, bytes, sizeof(bytes));
		else
			datagram_uint(&d, 0, sizeof(bytes)); /* not IP */
		datagram_uint(&d, 1, 1);
	}
	datagram_set(&d, 257);
	datagram_bytes(&d, bytes + 14, sizeof(bytes) - 14);
	datagram_uint(&d, 0, 1);
	struct exporter_address from = fixture_exporter(0xc0000201);
	size_t n;
	datagram_end(&d);
	assert_int_equal(exports_decode(e, &from, d.bytes, d.len, wall_s(T0), flows,
					EXPORT_FLOWS_MAX, &n, NULL), WD_OK);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(address4(flows[i].dst), 0xc0000209);
		assert_int_equal(flows[i].sport, 53);
		assert_int_equal(flows[i].packets, 1);
		assert_int_equal(flows[i].bytes, 1500);
		assert_int_equal(flows[i].length, 1500);
		assert_int_equal(flows[i].sampling, i == 0 ? 100 : 1);
		assert_int_equal(flows[i].ttl, 57);
		assert_int_equal(flows[i].known & FLOW_EGRESS, i == 0 ? FLOW_EGRESS : 0);
		assert_int_equal(flows[i].payload_len, 4);
		assert_memory_equal(flows[i].payload, bytes + sizeof(bytes) - 4, 4);
	}
	exports_close(e);
}

static void a_record_of_both_directions_is_two_flows(void **state)
{
	(void)state;
	const struct datagram_field fields[] = {
		{8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {1, 4}, {2, 4}, {6, 1},
		{1, 4, 29305}, {2, 4, 29305}, {6, 1, 29305}};
	uint64_t v[] = {1, 2, 1000, 80, 6, 500, 5, 2, 9000, 7, 0x12};
	struct flow f = one_flow(10, fields, WD_COUNT(fields), v, 2);
	assert_int_equal(f.bytes, 500);
	assert_int_equal(f.tcp_flags, 2);
	assert_int_equal(address4(flows[1].src), 2);
	assert_int_equal(address4(flows[1].dst), 1);
	assert_int_equal(flows[1].sport, 80);
	assert_int_equal(flows[1].dport, 1000);
	assert_int_equal(flows[1].bytes, 9000);
	assert_int_equal(flows[1].packets, 7);
	assert_int_equal(flows[1].tcp_flags, 0x12);
	assert_int_equal(flows[1].protocol, 6);
	v[8] = v[9] = 0; /* nothing came back */
	one_flow(10, fields, WD_COUNT(fields), v, 1);
	/* Back, the bytes alone are counted: somebody sent them. */
	const struct datagram_field bytes_back[] = {{8, 4}, {12, 4}, {4, 1}, {1, 4}, {2, 4}, {232, 4}};
	const uint64_t w[] = {1, 2, 6, 500, 5, 9000};
	f = one_flow(10, bytes_back, WD_COUNT(bytes_back), w, 2);
	assert_int_equal(f.packets, 5);
	assert_int_equal(flows[1].bytes, 9000);
	assert_int_equal(flows[1].packets, 1);
}

static void a_template_of_both_families_follows_the_addresses(void **state)
{
	(void)state;
	const struct datagram_field fields[] = {{8, 4}, {12, 4}, {27, 16}, {28, 16}, {2, 4}};
	uint64_t v[] = {1, 2, 0, 0, 5};
	struct flow f = one_flow(9, fields, 5, v, 1);
	assert_int_equal(f.family, 4);
	assert_int_equal(address4(f.dst), 2);
	uint64_t six[] = {0, 0, 3, 4, 5};
	f = one_flow(9, fields, 5, six, 1);
	assert_int_equal(f.family, 6);
	assert_int_equal(f.src[15], 3);
	assert_int_equal(f.dst[15], 4);
}

static void of_a_tunnel_the_inside_is_the_flow(void **state)
{
	(void)state;
	const struct datagram_field fields[] = {{27, 16}, {28, 16}, {4, 1}, {7, 2}, {11, 2}, {2, 4},
						{8, 4}, {12, 4}, {4, 1}, {7, 2}, {11, 2}};
	uint64_t v[] = {3, 4, 4, 0, 0, 5, 1, 2, 17, 53, 99};
	struct flow f = one_flow(10, fields, WD_COUNT(fields), v, 1);
	assert_int_equal(f.family, 4);
	assert_int_equal(address4(f.src), 1);
	assert_int_equal(address4(f.dst), 2);
	assert_int_equal(f.protocol, 17);
	assert_int_equal(f.sport, 53);
	assert_int_equal(f.dport, 99);
	assert_int_equal(f.packets, 5);
	v[6] = v[7] = 0; /* nothing inside that is told */
	f = one_flow(10, fields, WD_COUNT(fields), v, 1);
	assert_int_equal(f.family, 6);
	assert_int_equal(f.dst[15], 4);
}

/* Options of these fields, one record; then a flow that names sampler 7 and interface 3. */
static uint32_t sampling_after(uint16_t version, const struct datagram_field *fields, size_t count,
			       size_t scopes, const uint64_t *values)
{
	static const struct datagram_field flow_fields[] = {{8, 4}, {12, 4}, {48, 1}, {10, 4}};
	struct exports *e = fixture_exports();
	begin(version);
	datagram_set(&d, version == 9 ? 1 : 3);
	datagram_options(&d, 257, fields, count, scopes);
	datagram_set(&d, 257);
	for (size_t i = 0; i < count; i++)
		datagram_uint(&d, values[i], fields[i].width);
	assert_int_equal(decode(e), 0);
	assert_int_equal(counts(e).options, 1);
	send_template(e, version, 256, flow_fields, 4);
	begin(version);
	datagram_set(&d, 256);
	datagram_uint(&d, 1, 4);
	datagram_uint(&d, 2, 4);
	datagram_uint(&d, 7, 1);
	datagram_uint(&d, 3, 4);
	assert_int_equal(decode(e), 1);
	uint32_t sampling = flows[0].sampling;
	assert_int_equal(counts(e).sampling_unknown, sampling == 1);
	exports_close(e);
	return sampling;
}

static void sampling_is_learned_from_options(void **state)
{
	(void)state;
	const struct datagram_field sampler[] = {{1, 4}, {48, 1}, {49, 1}, {50, 4}};
	const struct datagram_field general[] = {{1, 4}, {34, 4}, {35, 1}};
	const struct datagram_field interface[] = {{2, 4}, {34, 4}};
	const uint64_t by_sampler[] = {0, 7, 2, 1000}, other_sampler[] = {0, 8, 2, 1000};
	const uint64_t by_default[] = {0, 512, 1}, by_interface[] = {3, 64};
	assert_int_equal(sampling_after(9, sampler, 4, 1, by_sampler), 1000);
	assert_int_equal(sampling_after(9, general, 3, 1, by_default), 512);
	assert_int_equal(sampling_after(9, interface, 2, 1, by_interface), 64);
	/* The only sampler there is; taken for a flow that names another. */
	assert_int_equal(sampling_after(9, sampler, 4, 1, other_sampler), 1000);

	const struct datagram_field systematic[] = {{302, 8}, {304, 2}, {305, 4}, {306, 4}};
	const struct datagram_field of[] = {{302, 4}, {309, 4}, {310, 4}};
	const struct datagram_field probability[] = {{302, 4}, {311, 8}};
	const struct datagram_field at_interface[] = {{10, 4}, {305, 4}, {306, 4}};
	const uint64_t each_100[] = {7, 1, 1, 99}, of_1000[] = {7, 2, 1000}, half[] = {7, 0x3fe0000000000000};
	const uint64_t interface_32[] = {3, 1, 31}, never[] = {7, 0, 0};
	assert_int_equal(sampling_after(10, systematic, 4, 1, each_100), 100);
	assert_int_equal(sampling_after(10, of, 3, 1, of_1000), 500);
	assert_int_equal(sampling_after(10, probability, 2, 1, half), 2);
	assert_int_equal(sampling_after(10, at_interface, 3, 1, interface_32), 32);
	assert_int_equal(sampling_after(10, of, 3, 1, never), 1);
}

static void send_v9(struct exports *e, uint32_t sequence, uint32_t uptime)
{
	static const struct datagram_field fields[] = {{8, 4}, {12, 4}};
	datagram_begin(&d, &(struct datagram_header){.version = 9, .at_s = T0, .sequence = sequence,
						     .uptime_ms = uptime});
	datagram_set(&d, 0);
	datagram_template(&d, 256, fields, 2);
	decode(e);
}

static void losses_are_counted_by_sequence_numbers(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	send_v9(e, UINT32_MAX - 1, 1000000);
	send_v9(e, UINT32_MAX, 1000000);
	send_v9(e, 0, 1000000); /* it wraps */
	assert_int_equal(counts(e).lost, 0);
	send_v9(e, 5, 1000000);
	assert_int_equal(counts(e).lost, 4);
	send_v9(e, 3, 1000000);
	assert_int_equal(counts(e).lost, 3);
	assert_int_equal(counts(e).late, 1);
	send_v9(e, 6, 1000000);
	send_v9(e, 1, 500); /* the router has been switched off and on */
	assert_int_equal(counts(e).lost, 3);
	assert_int_equal(counts(e).restarts, 1);
	send_v9(e, 2, 600);
	assert_int_equal(counts(e).lost, 3);
	exports_close(e);

	e = fixture_exports();
	for (uint32_t i = 0; i < 4; i++) { /* v5 counts records: two datagrams of three are missing */
		datagram_begin(&d, &(struct datagram_header){.version = 5, .at_s = T0, .uptime_ms = 1000,
							     .sequence = i < 2 ? i * 3 : i * 3 + 6});
		for (size_t k = 0; k < 3; k++)
			datagram_v5(&d, 1, 2, 3, 4, 17, 1, 100);
		decode(e);
	}
	assert_int_equal(counts(e).lost, 6);
	exports_close(e);
}

static void one_exporter_has_a_bounded_share_of_templates(void **state)
{
	static const struct datagram_field fields[] = {{8, 4}, {12, 4}};
	(void)state;
	struct exports *e = fixture_exports();
	for (uint32_t id = 256; id < 65536;) {
		begin(10);
		datagram_set(&d, 2);
		for (size_t k = 0; k < 1000 && id < 65536; k++)
			datagram_template(&d, (uint16_t)id++, fields, 2);
		decode(e);
	}
	assert_int_equal(totals(e).templates, 512);
	assert_int_equal(counts(e).templates_new, 65536 - 256);
	assert_int_equal(counts(e).templates_evicted, 65536 - 256 - 512);
	exports_close(e);
}

static void forged_exporters_do_not_push_out_one_that_is_known(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	for (int minute = 0; minute < EXPORT_PROOF_MINUTES; minute++) {
		begin(9);
		datagram_set(&d, 0);
		datagram_template(&d, 300, fixture_v9_fields, 18);
		decode_from(e, 0xc0000201, T0 + 60 * minute);
		decode_from(e, 0xc0000201, T0 + 60 * minute);
	}
	begin(9);
	datagram_set(&d, 0);
	datagram_template(&d, 300, fixture_v9_fields, 18);
	decode_from(e, 0xc0000209, T0 + 300); /* not yet proven, but seen again */
	decode_from(e, 0xc0000209, T0 + 300);
	for (uint32_t i = 0; i < 100000; i++) { /* each with templates, too */
		begin(9);
		datagram_set(&d, 0);
		for (uint16_t id = 256; id < 256 + 20; id++)
			datagram_template(&d, id, fixture_v9_fields, 1 + i % 18);
		decode_from(e, 0x0a000000 + i, T0 + 300 + i / 1000);
	}
	assert_int_equal(totals(e).exporters, 256);
	assert_int_equal(totals(e).templates, exports_limits_default().templates);
	assert_true(totals(e).exporters_evicted > 99000);
	for (uint32_t i = 0; i < 2; i++) {
		begin(9);
		datagram_set(&d, 300);
		fixture_records(&d, fixture_v9_fields, 18, 3, 1);
		assert_int_equal(decode_from(e, i ? 0xc0000201 : 0xc0000209, T0 + 401), 3);
	}
	exports_close(e);
}

static void what_is_broken_ends_and_costs_only_itself(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	static const struct datagram_field empty[] = {{8, 0}, {12, 0}};
	static const struct datagram_field huge[] = {{8, 4}, {12, 65534}, {95, 65534}};
	send_template(e, 9, 256, empty, 2);
	send_template(e, 9, 257, huge, 3);
	assert_int_equal(counts(e).templates_refused, 2);
	send_template(e, 9, 300, fixture_v9_fields, 18);
	/* A set of length 0 in the middle: what stood before it counts. */
	begin(9);
	datagram_set(&d, 300);
	fixture_records(&d, fixture_v9_fields, 18, 2, 1);
	datagram_set(&d, 301);
	datagram_end(&d);
	d.bytes[d.len - 1] = 0;
	d.set = 0;
	datagram_uint(&d, 7, 4);
	assert_int_equal(decode(e), 2);
	assert_int_equal(counts(e).malformed, 1);
	/* Zeros up to the end are no fault. */
	begin(9);
	datagram_set(&d, 300);
	fixture_records(&d, fixture_v9_fields, 18, 2, 1);
	datagram_end(&d);
	d.set = 0;
	for (size_t i = 0; i < 200; i++)
		datagram_uint(&d, 0, 4);
	assert_int_equal(decode(e), 2);
	assert_int_equal(counts(e).malformed, 1);
	/* A set that is too short for one record. */
	begin(9);
	datagram_set(&d, 300);
	datagram_uint(&d, 7, 4);
	assert_int_equal(decode(e), 0);
	assert_int_equal(counts(e).malformed, 2);
	exports_close(e);
}

static void the_largest_datagram_fits(void **state)
{
	static const struct datagram_field tiny[] = {{12, 4}};
	(void)state;
	struct exports *e = fixture_exports();
	send_template(e, 10, 256, tiny, 1);
	begin(10);
	datagram_set(&d, 256);
	while (d.len + 4 <= sizeof(d.bytes))
		datagram_uint(&d, 1, 4);
	assert_true(decode(e) > 16370);
	assert_int_equal(counts(e).flows_cut, 0);
	struct exporter_address from = fixture_exporter(0xc0000201);
	size_t n;
	assert_int_equal(exports_decode(e, &from, d.bytes, d.len, wall_s(T0), flows, 100, &n, NULL), WD_OK);
	assert_int_equal(n, 100);
	assert_true(counts(e).flows_cut > 16000);
	exports_close(e);
}

/* Every prefix of datagrams of every kind, against a store that knows their templates. */
static void every_prefix_is_safe(void **state)
{
	(void)state;
	static const uint16_t versions[] = {5, 9, 10};
	struct exporter_address from = fixture_exporter(0xc0000201);
	for (size_t v = 0; v < 3; v++) {
		begin(versions[v]);
		for (size_t i = 0; v == 0 && i < 3; i++)
			datagram_v5(&d, 1, 2, 3, 4, 17, 1, 100);
		if (v > 0) {
			static const struct datagram_field options[] = {{1, 4}, {302, 4}, {82, 65535}, {50, 4}};
			datagram_set(&d, v == 1 ? 0 : 2);
			datagram_template(&d, 300, fixture_v9_fields, 18);
			datagram_set(&d, v == 1 ? 1 : 3);
			datagram_options(&d, 301, options, 4, 1);
			datagram_set(&d, 300);
			fixture_records(&d, fixture_v9_fields, 18, 3, 1);
			datagram_set(&d, 301);
			datagram_uint(&d, 1, 8);
			datagram_uint(&d, 2 << 16, 3);
			datagram_uint(&d, 9, 4);
			datagram_end(&d);
		}
		for (size_t fresh = 0; fresh < 2; fresh++) {
			struct exports *e = fixture_exports();
			size_t n, most = 0;
			for (size_t len = d.len + 1; len-- > 0;) {
				uint8_t *exact = malloc(len + 1);
				memcpy(exact + 1, d.bytes, len);
				n = 0;
				if (exports_decode(e, &from, exact + 1, len, wall_s(T0), flows,
						   EXPORT_FLOWS_MAX, &n, NULL) == WD_OK && n > most)
					most = n;
				free(exact);
				if (fresh) {
					exports_close(e);
					e = fixture_exports();
				}
			}
			assert_int_equal(most, 3);
			exports_close(e);
		}
	}
}

static void other_things_are_told_apart(void **state)
{
	(void)state;
	const uint8_t sflow[] = {0, 0, 0, 5}, v7[] = {0, 7, 0, 1, 2};
	struct exporter_address from = fixture_exporter(1);
	struct exports *e = fixture_exports();
	struct wd_why why;
	size_t n = 5;
	assert_int_equal(export_version(sflow, 4), EXPORT_SFLOW5);
	assert_int_equal(export_version(sflow, 3), 0);
	assert_int_equal(export_version(v7, 5), 0);
	assert_int_equal(exports_decode(e, &from, v7, 5, wall_s(T0), flows, 1, &n, &why), WD_UNKNOWN);
	begin(5);
	assert_int_equal(exports_decode(e, &from, d.bytes, 24, wall_s(T0), flows, 1, &n, &why), WD_MALFORMED);
	d.bytes[3] = 2;
	assert_int_equal(exports_decode(e, &from, d.bytes, 24 + 95, wall_s(T0), flows, 1, &n, &why), WD_SHORT);
	assert_int_equal(n, 5);
	assert_int_equal(totals(e).unknown_version, 1);
	assert_true(exports_memory(&(struct exports_limits){.exporters = 8, .templates = 8, .samplers = 8}) < 64000);
	exports_close(e);
}

static void see(void *arg, const struct export_view *view)
{
	*(struct export_view *)arg = *view;
}

static void an_exporter_can_be_looked_at(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	struct export_view view = {0};
	begin(9);
	datagram_set(&d, 0);
	datagram_template(&d, 300, fixture_v9_fields, 18);
	decode_from(e, 0xc0000201, T0 + 90);
	exports_each(e, see, &view);
	assert_int_equal(address4(view.address.bytes), 0xc0000201);
	assert_int_equal(view.version, 9);
	assert_int_equal(view.templates, 1);
	assert_int_equal(view.skew.ns, -90 * WD_NS_PER_S);
	assert_int_equal(view.counts.datagrams, 1);
	assert_int_equal(view.sampling, 1);
	assert_false(view.proven);
	exports_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v5_is_read),
		cmocka_unit_test(a_template_is_read_wherever_it_stands),
		cmocka_unit_test(ipv6_is_read),
		cmocka_unit_test(data_before_its_template_is_held),
		cmocka_unit_test(held_data_is_bounded_in_bytes_and_time),
		cmocka_unit_test(templates_belong_to_address_and_source_id),
		cmocka_unit_test(a_template_changes_and_is_withdrawn),
		cmocka_unit_test(numbers_of_any_width_are_read),
		cmocka_unit_test(times_come_in_many_forms),
		cmocka_unit_test(small_fields_end_where_they_belong),
		cmocka_unit_test(variable_lengths_and_unknown_enterprises_are_passed_over),
		cmocka_unit_test(sampled_packets_are_parsed),
		cmocka_unit_test(a_record_of_both_directions_is_two_flows),
		cmocka_unit_test(a_template_of_both_families_follows_the_addresses),
		cmocka_unit_test(of_a_tunnel_the_inside_is_the_flow),
		cmocka_unit_test(sampling_is_learned_from_options),
		cmocka_unit_test(losses_are_counted_by_sequence_numbers),
		cmocka_unit_test(one_exporter_has_a_bounded_share_of_templates),
		cmocka_unit_test(forged_exporters_do_not_push_out_one_that_is_known),
		cmocka_unit_test(what_is_broken_ends_and_costs_only_itself),
		cmocka_unit_test(the_largest_datagram_fits),
		cmocka_unit_test(every_prefix_is_safe),
		cmocka_unit_test(other_things_are_told_apart),
		cmocka_unit_test(an_exporter_can_be_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
