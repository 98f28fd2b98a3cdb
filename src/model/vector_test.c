/* SPDX-License-Identifier: Apache-2.0 */
#include "model/vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct vector_book book;
static struct vector_classes classes;

static void add_udp(const char *id, const char *class, uint16_t from, uint16_t to)
{
	struct vector_row *row = &book.rows[book.count++];
	memset(row, 0, sizeof(*row));
	snprintf(row->id, sizeof(row->id), "%s", id);
	snprintf(row->class, sizeof(row->class), "%s", class);
	row->protocol = 17;
	row->family = from != 0 ? VECTOR_AMPLIFICATION : VECTOR_FLOOD;
	row->status = from != 0 ? SOURCE_REFLECTOR : SOURCE_UNKNOWN;
	if (from != 0)
		row->from[row->from_count++] = (struct vector_ports){from, from};
	if (to != 0)
		row->to[row->to_count++] = (struct vector_ports){to, to};
}

static const char *class_of(struct flow f)
{
	return classes.id[vector_class(&classes, &f)];
}

static const char *class_of_tcp(uint8_t flags)
{
	return class_of((struct flow){.protocol = 6, .tcp_flags = flags, .sport = 53, .dport = 53});
}

static const char *class_of_udp(uint16_t sport, uint16_t dport)
{
	return class_of((struct flow){.protocol = 17, .sport = sport, .dport = dport});
}

static void setup_book(void)
{
	memset(&book, 0, sizeof(book));
	add_udp("amp.dns", "amp.dns", 53, 0);
	add_udp("amp.ntp", "amp.ntp", 123, 0);
	add_udp("amp.ntp6", "amp.ntp", 123, 0);
	add_udp("dns.query", "dns.query", 0, 53);
	vector_book_compile(&book, &classes);
}

static void a_port_counts_as_source_for_answers_and_as_destination_for_requests(void **state)
{
	(void)state;
	setup_book();
	assert_string_equal(class_of_udp(53, 40000), "amp.dns");
	assert_string_equal(class_of_udp(40000, 53), "dns.query");
	assert_string_equal(class_of_udp(53, 53), "amp.dns");
	assert_string_equal(class_of_udp(40000, 123), "udp.other");
	assert_string_equal(class_of_udp(123, 40000), "amp.ntp");
	assert_string_equal(class_of_udp(40000, 40000), "udp.other");
	assert_int_equal(classes.status[vector_class_find(&classes, "amp.dns")], SOURCE_REFLECTOR);
	assert_int_equal(classes.status[vector_class_find(&classes, "dns.query")], SOURCE_UNKNOWN);
}

static void what_has_no_ports_is_a_fragment(void **state)
{
	(void)state;
	setup_book();
	assert_string_equal(class_of_udp(0, 0), "frag");
	struct flow f = {.protocol = 6, .fragment = FLOW_FRAGMENT_LATER};
	assert_string_equal(class_of(f), "frag");
	f = (struct flow){.protocol = 17, .fragment = FLOW_FRAGMENT_FIRST, .sport = 53, .dport = 9};
	assert_string_equal(class_of(f), "amp.dns");
}

static void tcp_is_told_by_its_flags(void **state)
{
	static const struct { uint8_t flags; const char *class; } cases[] = {
		{0x02, "tcp.syn"}, {0x42, "tcp.syn"}, {0xc2, "tcp.synecn"}, {0x12, "tcp.synack"}, {0x52, "tcp.synack"},
		{0x04, "tcp.rst"}, {0x14, "tcp.rst"}, {0x10, "tcp.ack"}, {0x90, "tcp.ack"}, {0x18, "tcp.data"},
		{0x01, "tcp.fin"}, {0x11, "tcp.fin"}, {0x19, "tcp.fin"}, {0x30, "tcp.urg"}, {0x20, "tcp.urg"},
		{0x00, "tcp.null"}, {0x29, "tcp.xmas"}, {0x3f, "tcp.xmas"}, {0xff, "tcp.xmas"}, {0x03, "tcp.synfin"},
		{0x1b, "tcp.flow"}, {0x1a, "tcp.flow"}, {0x13, "tcp.flow"}, {0x16, "tcp.flow"}, {0x1e, "tcp.flow"},
		{0x06, "tcp.odd"}, {0x08, "tcp.odd"},
	};
	(void)state;
	setup_book();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(class_of_tcp(cases[i].flags), cases[i].class);
	for (unsigned flags = 0; flags < 256; flags++)
		assert_int_not_equal(classes.tcp[flags], 0);
}

static const char *class_of_sum(uint8_t flags, uint16_t sport, uint64_t packets, uint64_t bytes)
{
	return class_of((struct flow){.protocol = 6, .tcp_flags = flags, .sport = sport, .dport = 443,
				      .packets = packets, .bytes = bytes});
}

/* A record of several packets has the flags of all of them. */
static void a_connection_s_flags_together_are_no_packet_s(void **state)
{
	static const struct {
		uint8_t flags; uint16_t sport; uint64_t packets, bytes; const char *class;
	} cases[] = {
		{0x12, 80, 1, 1500, "tcp.synack"},  {0x12, 80, 3, 3 * 44, "tcp.synack"},
		{0x12, 80, 6, 6 * 60, "tcp.synack"}, {0x12, 8291, 2, 2 * 80, "tcp.synack"},
		{0x12, 80, 5, 5 * 74, "tcp.synack"}, {0x12, 80, 5, 0, "tcp.synack"},
		{0x52, 80, 2, 2 * 52, "tcp.synack"}, {0x12, 50000, 1, 44, "tcp.synack"},
		{0x12, 80, 4, 60 + 3 * 1500, "tcp.flow"}, {0x12, 80, 3, 60 + 2 * 52, "tcp.flow"},
		{0x12, 80, 2, 52 + 40, "tcp.flow"}, {0x12, 50000, 2, 60 + 52, "tcp.flow"},
		{0x12, 80, UINT64_MAX, UINT64_MAX, "tcp.flow"}, {0x12, 80, 2, UINT64_MAX, "tcp.flow"},
		{0x3b, 50000, 20, 9000, "tcp.flow"}, {0x3b, 50000, 20, 800, "tcp.xmas"},
		{0x3b, 50000, 1, 400, "tcp.xmas"},  {0x29, 50000, 20, 9000, "tcp.xmas"},
		{0x06, 50000, 2, 44 + 40, "tcp.flow"}, {0x06, 50000, 2, 80, "tcp.odd"},
		{0x02, 50000, 3, 180, "tcp.syn"},   {0x1b, 50000, 9, 4000, "tcp.flow"},
		{0x1a, 50000, 1, 500, "tcp.odd"},   {0x1a, 50000, 4, 900, "tcp.flow"},
		{0x13, 50000, 1, 40, "tcp.odd"},    {0x56, 80, 1, 40, "tcp.odd"},
		{0x1a, 50000, 0, 0, "tcp.flow"},
	};
	(void)state;
	setup_book();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(class_of_sum(cases[i].flags, cases[i].sport, cases[i].packets,
						 cases[i].bytes), cases[i].class);
}

static void icmp_and_other_protocols_have_classes_without_rows(void **state)
{
	(void)state;
	memset(&book, 0, sizeof(book));
	vector_book_compile(&book, &classes);
	assert_string_equal(class_of((struct flow){.protocol = 1, .dport = 8 << 8}), "icmp.echo");
	assert_string_equal(class_of((struct flow){.protocol = 1, .dport = 3 << 8 | 3}), "icmp.unreachable");
	assert_string_equal(class_of((struct flow){.protocol = 58, .dport = 128 << 8}), "icmp.echo");
	assert_string_equal(class_of((struct flow){.protocol = 58, .dport = 135 << 8}), "icmp.other");
	assert_string_equal(class_of((struct flow){.protocol = 47}), "gre");
	assert_string_equal(class_of((struct flow){.protocol = 132}), "proto.other");
	assert_true(vector_class_is_fixed("tcp.syn"));
	assert_false(vector_class_is_fixed("other"));
	assert_false(vector_class_is_fixed("amp.dns"));
}

static void rows_past_the_limit_of_classes_share_one(void **state)
{
	(void)state;
	memset(&book, 0, sizeof(book));
	for (uint16_t i = 0; i < 200; i++) {
		char id[VECTOR_ID_MAX + 1];
		snprintf(id, sizeof(id), "amp.n%u", i);
		add_udp(id, id, (uint16_t)(1000 + i), 0);
	}
	vector_book_compile(&book, &classes);
	assert_int_equal(classes.count, VECTOR_CLASSES_MAX);
	assert_string_equal(class_of_udp(1000, 9), "amp.n0");
	assert_string_equal(class_of_udp(1199, 9), "amp.rare");
	assert_int_equal(classes.status[vector_class_find(&classes, "amp.rare")], SOURCE_REFLECTOR);
}

static void statuses_and_families_have_words(void **state)
{
	(void)state;
	assert_string_equal(source_status_name(SOURCE_UNKNOWN), "unknown");
	assert_string_equal(source_status_name(SOURCE_REFLECTOR), "reflector");
	assert_string_equal(source_status_name(SOURCE_SPOOFED), "spoofed");
	assert_string_equal(source_status_name(SOURCE_PROVED), "proved");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_counts_as_source_for_answers_and_as_destination_for_requests),
		cmocka_unit_test(what_has_no_ports_is_a_fragment),
		cmocka_unit_test(tcp_is_told_by_its_flags),
		cmocka_unit_test(a_connection_s_flags_together_are_no_packet_s),
		cmocka_unit_test(icmp_and_other_protocols_have_classes_without_rows),
		cmocka_unit_test(rows_past_the_limit_of_classes_share_one),
		cmocka_unit_test(statuses_and_families_have_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
