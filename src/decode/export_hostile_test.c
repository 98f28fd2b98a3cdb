/* SPDX-License-Identifier: Apache-2.0 */
/* What an exporter that means harm, or a forged one, may send. */
#include "decode/export_fixture.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { T0 = 1700000000, US = 0x0a000001 };

static struct flow flows[EXPORT_FLOWS_MAX];
static struct datagram d;

static size_t decode(struct exports *e, uint32_t address, int64_t now_s)
{
	struct exporter_address from = fixture_exporter(address);
	size_t n = 0;
	datagram_end(&d);
	assert_int_equal(exports_decode(e, &from, d.bytes, d.len, wall_s(now_s), flows,
					EXPORT_FLOWS_MAX, &n, NULL), WD_OK);
	return n;
}

static struct export_counts counts(const struct exports *e)
{
	struct export_totals t;
	exports_totals(e, &t);
	return t.counts;
}

static void begin(uint16_t set)
{
	datagram_begin(&d, &(struct datagram_header){.version = 10, .at_s = T0});
	datagram_set(&d, set);
}

/* One record of these fields: a number each, of 0 the packet. */
static struct flow flow_of(const struct datagram_field *fields, size_t count,
			   const uint64_t *values, const uint8_t *packet)
{
	struct exports *e = fixture_exports();
	begin(2);
	datagram_template(&d, 256, fields, count);
	datagram_set(&d, 256);
	for (size_t i = 0; i < count; i++)
		if (fields[i].element == 315)
			datagram_bytes(&d, packet, fields[i].width);
		else
			datagram_uint(&d, values[i], fields[i].width);
	assert_int_equal(decode(e, US, T0), 1);
	exports_close(e);
	return flows[0];
}

static void a_frames_size_is_no_length_of_ip(void **state)
{
	(void)state;
	const struct datagram_field bare[] = {{8, 4}, {12, 4}, {2, 4}, {4, 1}, {103, 8}, {312, 2}};
	const struct datagram_field both[] = {{8, 4}, {12, 4}, {2, 4}, {4, 1}, {312, 2}, {224, 2}};
	const uint64_t values[] = {1, 2, 1, 17, 1514, 1500};
	struct flow f = flow_of(bare, 6, values, NULL);
	assert_int_equal(f.length, 0);
	assert_int_equal(f.known & FLOW_PACKET, 0);
	f = flow_of(both, 6, values, NULL);
	assert_int_equal(f.length, 1500);
	assert_int_equal(f.known & FLOW_PACKET, FLOW_PACKET);
}

static void what_a_packet_says_of_itself_stands(void **state)
{
	(void)state;
	static const uint8_t packet[] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, /* Ethernet */
		0x45, 0, 5, 0xdc, 0, 1, 0, 0, 57, 6, 0, 0, 192, 0, 2, 7, 192, 0, 2, 9,
		0, 53, 0x9c, 0x40, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0};
	const struct datagram_field fields[] = {{184, 4}, {224, 2}, {315, sizeof(packet)}};
	const uint64_t values[] = {99, 1400, 0};
	struct flow f = flow_of(fields, 3, values, packet);
	assert_int_equal(f.known & FLOW_PACKET, FLOW_PACKET);
	assert_int_equal(f.length, 1500);
	assert_int_equal(f.bytes, 1500);
	assert_int_equal(f.sequence, 0x01020304);
	assert_int_equal(f.window, 0x2000);
}

static const struct datagram_field sampler_fields[] = {{302, 4}, {34, 4}};

static void send_samplers(struct exports *e, uint32_t address, uint32_t from, size_t count,
			  uint32_t rate, int64_t now_s)
{
	begin(3);
	datagram_options(&d, 257, sampler_fields, 2, 1);
	datagram_set(&d, 257);
	for (uint32_t i = 0; i < count; i++) {
		datagram_uint(&d, from + i, 4);
		datagram_uint(&d, rate, 4);
	}
	assert_int_equal(decode(e, address, now_s), 0);
}

static uint32_t rate_of(struct exports *e, uint32_t address, uint32_t sampler, int64_t now_s)
{
	const struct datagram_field fields[] = {{8, 4}, {302, 4}};
	begin(2);
	datagram_template(&d, 256, fields, 2);
	datagram_set(&d, 256);
	datagram_uint(&d, 1, 4);
	datagram_uint(&d, sampler, 4);
	assert_int_equal(decode(e, address, now_s), 1);
	return flows[0].sampling;
}

static void forged_exporters_do_not_use_up_the_samplers(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	for (int minute = 0; minute < EXPORT_PROOF_MINUTES; minute++)
		rate_of(e, US, 7, T0 + 60 * minute);
	for (uint32_t i = 0; i < 6; i++) /* of 8192 places 2048 each */
		send_samplers(e, 0xc0000200 + i, 0, 2500, 9, T0 + 300);
	assert_true(counts(e).samplers_refused > 0);
	send_samplers(e, US, 7, 1, 1000, T0 + 301);
	assert_int_equal(rate_of(e, US, 7, T0 + 301), 1000);
	/* And among themselves it stays as it was. */
	assert_int_equal(rate_of(e, 0xc0000203, 2047, T0 + 302), 9);
	send_samplers(e, US, 100, 3000, 1000, T0 + 303);
	assert_int_equal(rate_of(e, US, 100 + 2046, T0 + 303), 1000);
	exports_close(e);
}

/* Where all room is taken by the others of its rank, no record of it costs a look at each of 65,536
 * exporters: then this would take minutes. */
static void what_finds_no_room_costs_little(void **state)
{
	enum { EXPORTERS = 65536, FULL = 4, ATTACKER = 0x0a0b0c0d };
	(void)state;
	const struct datagram_field field = {8, 4};
	const struct hash_key key = {{1}};
	struct exports_limits limits = exports_limits_default();
	struct exports *e;
	limits.exporters = EXPORTERS;
	assert_int_equal(exports_open(&limits, &key, &e), WD_OK);
	for (uint32_t i = 0; i < FULL; i++) {
		send_samplers(e, 0xc0000200 + i, 0, 2048, 9, T0);
		send_samplers(e, 0xc0000200 + i, 0, 1, 9, T0);
	}
	for (uint32_t i = 0; i < EXPORTERS - 10; i++) {
		begin(300);
		datagram_uint(&d, 0, 4);
		decode(e, 0x0b000000 + i, T0);
	}
	send_samplers(e, ATTACKER, 0, 1, 9, T0);
	uint64_t refused = counts(e).samplers_refused;
	for (uint32_t i = 0; i < 20; i++)
		send_samplers(e, ATTACKER, i * 8000, 8000, 9, T0);
	assert_int_equal(counts(e).samplers_refused, refused + 20 * 8000);
	for (int i = 0; i < 20; i++) {
		begin(2);
		for (uint16_t id = 0; id < 5000; id++)
			datagram_template(&d, 300 + id, &field, 1);
		decode(e, ATTACKER, T0);
	}
	struct export_totals t;
	exports_totals(e, &t);
	assert_int_equal(t.exporters, EXPORTERS - 10 + FULL + 1);
	assert_int_equal(t.templates, limits.templates_per_exporter + FULL);
	exports_close(e);
}

/* Room for 65,536, and so many that have nothing. */
static struct exports *many_exporters(uint32_t templates, uint32_t count)
{
	const struct hash_key key = {{1}};
	struct exports_limits limits = exports_limits_default();
	struct exports *e;
	limits.exporters = 65536;
	limits.templates = templates;
	assert_int_equal(exports_open(&limits, &key, &e), WD_OK);
	for (uint32_t i = 0; i < count; i++) {
		begin(300);
		datagram_uint(&d, 0, 4);
		decode(e, 0x0b000000 + i, T0);
	}
	return e;
}

static void send_templates(struct exports *e, uint32_t address, uint16_t count)
{
	const struct datagram_field field = {8, 4};
	begin(2);
	for (uint16_t id = 0; id < count; id++)
		datagram_template(&d, 300 + id, &field, 1);
	decode(e, address, T0);
}

static void withdraw_all(struct exports *e, uint32_t address)
{
	begin(2);
	datagram_uint(&d, 2, 2);
	datagram_uint(&d, 0, 2);
	decode(e, address, T0);
}

/* Nor does what finds room, where of 65,536 exporters only those that came last have any. */
static void what_makes_room_costs_little(void **state)
{
	enum { NOTHING = 55000, ROUNDS = 100, EACH = 512, ATTACKER = 0x0a0b0c0d, LATE = 0x0c000000 };
	(void)state;
	struct exports *e = many_exporters(4 * EACH, NOTHING);
	uint32_t late = LATE;
	for (int n = 0; n < 2; n++) /* of use again: it ranks higher */
		send_templates(e, ATTACKER, 1);
	for (int n = 0; n < 4; n++)
		send_templates(e, late++, EACH);
	for (int n = 0; n < ROUNDS; n++) {
		send_templates(e, ATTACKER, EACH);
		withdraw_all(e, ATTACKER);
		send_templates(e, late++, EACH);
	}
	assert_in_range(counts(e).templates_evicted, (ROUNDS - 1) * EACH, (ROUNDS + 1) * EACH);
	exports_close(e);

	uint32_t samplers = exports_limits_default().samplers;
	e = many_exporters(2 * samplers, NOTHING);
	for (uint32_t n = 0; n < samplers; n++)
		send_samplers(e, LATE + n, 0, 1, 9, T0);
	for (uint32_t n = 0; n < 4; n++)
		for (int again = 0; again < 3; again++)
			send_samplers(e, ATTACKER + n, 0, again > 1 ? samplers / 4 : 1, 9, T0);
	assert_int_equal(rate_of(e, ATTACKER, samplers / 4 - 1, T0), 9);
	assert_int_equal(rate_of(e, LATE, 0, T0), 1);
	exports_close(e);
}

/* A flow of a sampler that was not told of goes by the rate of all others, if that is one. */
static void the_one_rate_of_all_samplers_is_known_at_any_time(void **state)
{
	(void)state;
	struct exports *e = fixture_exports();
	send_samplers(e, US, 0, 2000, UINT32_MAX, T0);
	assert_int_equal(rate_of(e, US, 5000, T0), UINT32_MAX);
	send_samplers(e, US, 1234, 1, UINT32_MAX - 1, T0);
	assert_int_equal(rate_of(e, US, 5000, T0), 1);
	send_samplers(e, US, 1234, 1, UINT32_MAX, T0);
	assert_int_equal(rate_of(e, US, 5000, T0), UINT32_MAX);
	send_samplers(e, US, 0, 2000, 3, T0);
	assert_int_equal(rate_of(e, US, 5000, T0), 3);
	exports_close(e);
}

/* Its records would be read as something else. */
static void a_template_that_is_refused_ends_the_one_before_it(void **state)
{
	(void)state;
	static struct datagram_field many[EXPORT_FIELDS_MAX + 1];
	const struct datagram_field few[] = {{8, 4}, {12, 4}, {2, 4}};
	struct exports *e = fixture_exports();
	for (size_t i = 0; i < WD_COUNT(many); i++)
		many[i] = (struct datagram_field){.element = 210, .width = 1};
	for (size_t refused = 0; refused < 2; refused++) {
		begin(2);
		datagram_template(&d, 256, few, WD_COUNT(few));
		if (refused)
			datagram_template(&d, 256, many, WD_COUNT(many));
		datagram_set(&d, 256);
		fixture_records(&d, few, WD_COUNT(few), 2, 1);
		assert_int_equal(decode(e, US, T0), refused ? 0 : 2);
	}
	assert_int_equal(counts(e).templates_refused, 1);
	assert_int_equal(counts(e).held, 1);
	exports_close(e);
}

static void all_may_be_withdrawn_many_times(void **state)
{
	(void)state;
	const struct datagram_field fields[] = {{8, 4}};
	struct exports *e = fixture_exports();
	begin(2);
	for (uint16_t id = 256; id < 256 + 500; id++)
		datagram_template(&d, id, fields, 1);
	for (int i = 0; i < 3; i++) {
		datagram_template(&d, 2, NULL, 0);
		datagram_template(&d, 2, NULL, 0);
		datagram_template(&d, 300, fields, 1);
	}
	datagram_template(&d, 2, NULL, 0);
	decode(e, US, T0);
	assert_int_equal(counts(e).templates_new, 503);
	assert_int_equal(counts(e).templates_withdrawn, 503);
	exports_close(e);
}

/* The ring is full of what four of them sent, and goes round; each gets its own, in order. */
static void held_data_is_found_wherever_it_stands(void **state)
{
	(void)state;
	const struct datagram_field fields[] = {{8, 4}};
	struct exports *e = fixture_exports();
	size_t n, used;
	wd_wall at;
	for (uint32_t round = 0; round < 3; round++) {
		int64_t now = T0 + 100 * round;
		for (uint32_t i = 0; i < 1000; i++)
			for (uint32_t x = 0; x < 4; x++) {
				begin((uint16_t)(300 + round));
				datagram_uint(&d, i, 4);
				decode(e, US + x, now);
			}
		for (uint32_t x = 4; x-- > 0;) {
			begin(2);
			datagram_template(&d, (uint16_t)(300 + round), fields, 1);
			decode(e, US + x, now);
			for (used = 0; exports_held(e, wall_s(now), flows, EXPORT_FLOWS_MAX, &n, &at);
			     used++) {
				assert_int_equal(n, 1);
				assert_int_equal(flows[0].src[2] << 8 | flows[0].src[3], used);
			}
			assert_int_equal(used, 1000);
		}
	}
	assert_int_equal(counts(e).held_used, 12000);
	assert_int_equal(counts(e).held_dropped, 0);
	exports_close(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frames_size_is_no_length_of_ip),
		cmocka_unit_test(what_a_packet_says_of_itself_stands),
		cmocka_unit_test(forged_exporters_do_not_use_up_the_samplers),
		cmocka_unit_test(what_finds_no_room_costs_little),
		cmocka_unit_test(what_makes_room_costs_little),
		cmocka_unit_test(the_one_rate_of_all_samplers_is_known_at_any_time),
		cmocka_unit_test(a_template_that_is_refused_ends_the_one_before_it),
		cmocka_unit_test(all_may_be_withdrawn_many_times),
		cmocka_unit_test(held_data_is_found_wherever_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
