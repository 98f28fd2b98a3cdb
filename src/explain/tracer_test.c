/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/place.h"
#include "explain/tracer.h"

#include "base/prng.h"
#include "tally/address_hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static struct vector_book book;
static struct vector_classes classes;
static struct vector_index ix;
static struct traffic_rules rules;
static struct tracer tracer, other;
static struct trace trace, trace_after;
static struct traffic_tick tick;
static struct prng rng;

static struct vector_row *add_row(const char *id, const char *class, enum vector_family family, uint8_t protocol)
{
	struct vector_row *row = &book.rows[book.count++];
	*row = (struct vector_row){.family = family, .protocol = protocol};
	snprintf(row->id, sizeof(row->id), "%s", id);
	snprintf(row->name, sizeof(row->name), "%s", id);
	snprintf(row->class, sizeof(row->class), "%s", class);
	return row;
}

static void setup_rows(void)
{
	book.count = 0;
	struct vector_row *dns = add_row("amp.dns", "amp.dns", VECTOR_AMPLIFICATION, 17);
	dns->from[dns->from_count++] = (struct vector_ports){53, 53};
	dns->status = SOURCE_REFLECTOR;
	add_row("syn", "tcp.syn", VECTOR_FLOOD, 6);
	add_row("udp", "udp.other", VECTOR_FLOOD, 17);
	vector_book_compile(&book, &classes);
	vector_index_init(&ix, &book, &classes);
	rules = (struct traffic_rules){&classes, address_key_of(&(struct hash_key){{1}})};
	rng = prng_of(3, 1);
	tracer_begin(&tracer, "x-1", wall_s(1000));
}

static struct flow packet(uint8_t protocol, uint16_t from, uint32_t src, uint16_t length)
{
	struct flow f = {.family = 4, .protocol = protocol, .sport = from, .dport = 443, .packets = 1, .bytes = length,
			 .length = length, .sampling = 1, .ttl = 50, .tcp_flags = protocol == 6 ? FLOW_TCP_SYN : 0,
			 .known = FLOW_PACKET | FLOW_TTL | FLOW_FLAGS, .dst = {192, 0, 2, 1}};
	for (int i = 0; i < 4; i++)
		f.src[i] = (uint8_t)(src >> (24 - 8 * i));
	return f;
}

static void begin_tick(int64_t ms)
{
	traffic_clear(&tick, "x", wall_add(wall_s(1000), span_ms(ms)));
}

static void add(struct flow f)
{
	traffic_add(&tick, &rules, &f, false, prng_u64(&rng));
}

static void end_tick(const char *class, double usual)
{
	struct tracer_class c = {vector_class_find(&classes, class), tick.at, usual, usual * 800};
	tracer_add(&tracer, &ix, &(struct tracer_input){.tick = &tick, .classes = &c, .class_count = 1,
							.usual_packets_per_s = usual, .requests = 3, .key = &rules.key});
}

/* A tick of two vectors, so many seconds after the begin. */
static void usual_tick(int64_t ms)
{
	begin_tick(ms);
	for (uint32_t i = 0; i < 60; i++)
		add(packet(17, 53, 0x0a000000 + prng_below(&rng, 1000), 1000));
	for (uint32_t i = 0; i < 20; i++)
		add(packet(6, 4000, 0x14000000 + prng_below(&rng, 50), 40));
	struct tracer_class c[2] = {{vector_class_find(&classes, "amp.dns"), tick.at, 1, 800},
				    {vector_class_find(&classes, "tcp.syn"), tick.at, 2, 640}};
	tracer_add(&tracer, &ix, &(struct tracer_input){.tick = &tick, .classes = c, .class_count = 2,
							.usual_packets_per_s = 3, .carpet = ms == 500});
}

static void sums_peaks_and_shares_are_those_of_the_ticks(void **state)
{
	(void)state;
	setup_rows();
	for (int64_t ms = 0; ms < 5000; ms += 250)
		usual_tick(ms);
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_int_equal(trace.vector_count, 2);
	assert_string_equal(trace.vectors[0].id, "amp.dns");
	assert_string_equal(trace.vectors[1].id, "syn");
	assert_float_equal(trace.vectors[0].packets, 1200, 0);
	assert_float_equal(trace.vectors[0].bytes, 1200e3, 0);
	assert_float_equal(trace.vectors[0].share, 0.75, 1e-6);
	assert_float_equal(trace.vectors[0].peak_packets_per_s, 240, 1e-9);
	assert_float_equal(trace.vectors[0].peak_bits_per_s, 240 * 8000.0, 1e-6);
	assert_float_equal(trace.vectors[1].usual_packets_per_s, 2, 1e-9);
	assert_int_equal(trace.vectors[0].seen, 1200);
	assert_int_equal(trace.vectors[0].first_at.ns, wall_s(1000).ns);
	assert_int_equal(trace.vectors[0].last_at.ns, wall_s(1005).ns);
	assert_int_equal(trace.patterns, PATTERN_CARPET | PATTERN_MULTI);
	assert_int_equal(trace.point_count, 5);
	assert_float_equal(trace.points[2].packets_per_s, 320, 1e-3);
	assert_float_equal(trace.points[2].vector_packets_per_s[0], 240, 1e-3);
	assert_float_equal(trace.points[2].usual_packets_per_s, 3, 1e-3);
	assert_float_equal(trace.packets, 1600, 0);
	assert_int_equal(trace.targets, 1);
}

static void what_stirs_before_it_is_named_is_counted(void **state)
{
	(void)state;
	setup_rows();
	uint8_t dns = vector_class_find(&classes, "amp.dns"), syn = vector_class_find(&classes, "tcp.syn");
	for (int64_t ms = 0; ms < 1000; ms += 250) {
		begin_tick(ms);
		for (uint32_t i = 0; i < 50; i++) /* more of what is usual */
			add(packet(17, 4000, 0x0a000000 + i, 900));
		for (uint32_t i = 0; i < 30; i++)
			add(packet(17, 53, 0x14000000 + i, 1400));
		for (uint32_t i = 0; i < 20; i++)
			add(packet(6, 4000, 0x1e000000 + i, 40));
		struct tracer_class c = {dns, wall_s(1000), 0, 0};
		struct tracer_input in = {.tick = &tick, .classes = &c, .class_count = ms > 0};
		in.stirring[dns / 64] |= UINT64_C(1) << (dns % 64);
		in.stirring[syn / 64] |= UINT64_C(1) << (syn % 64);
		tracer_add(&tracer, &ix, &in);
	}
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_int_equal(trace.vector_count, 1); /* the other only stirred */
	assert_string_equal(trace.vectors[0].id, "amp.dns");
	assert_float_equal(trace.vectors[0].packets, 120, 0);
	assert_int_equal(trace.vectors[0].first_at.ns, wall_s(1000).ns);
}

static void a_long_incident_keeps_its_whole_series_in_wider_steps(void **state)
{
	(void)state;
	setup_rows();
	for (int64_t s = 0; s < 3000; s++) {
		begin_tick(s * 1000);
		for (uint32_t i = 0; i < 10; i++)
			add(packet(17, 53, prng_below(&rng, 1000) << 8, 500));
		end_tick("amp.dns", 0);
	}
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_int_equal(trace.step.ns, 16 * WD_NS_PER_S);
	assert_int_equal(trace.point_count, 188);
	double packets = 0;
	for (uint32_t i = 0; i < trace.point_count; i++)
		packets += (double)trace.points[i].packets_per_s * 16;
	assert_float_equal(packets, 30000, 1);
	assert_float_equal(trace.points[3].requests_per_s, 3, 1e-3);
	assert_true(trace.evidence_count > TRACE_EVIDENCE_MAX / 2 && trace.evidence_count <= TRACE_EVIDENCE_MAX);
	/* The evidence is from all of the time. */
	assert_memory_equal(trace.evidence[0], "1970-01-01T00:16:40", 19);
	assert_memory_equal(trace.evidence[trace.evidence_count - 1], "1970-01-01T01:0", 15);
}

/* Networks: the first byte; countries: the second's lowest bit. */
static bool country_of(const void *context, const uint8_t *address, uint8_t family, char ret[3])
{
	(void)context, (void)family;
	memcpy(ret, (address[1] & 1) != 0 ? "DE" : "FR", 3);
	return address[0] != 30;
}

static uint32_t network_of(const void *context, const uint8_t *address, uint8_t family)
{
	(void)context, (void)family;
	return address[0];
}

/* Half of the packets from 10.1/16, a third from 20.0/16, one source with a tenth. */
static void places_have_the_shares_that_they_had_within_their_errors(void **state)
{
	unsigned far = 0, tried = 0;
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		setup_rows();
		rng = prng_of(seed, 9);
		for (int64_t ms = 0; ms < 4000; ms += 250) {
			begin_tick(ms);
			for (uint32_t i = 0; i < 3000; i++) {
				uint32_t kind = i % 10;
				uint32_t low = prng_below(&rng, 65536);
				add(packet(17, 53, kind < 5 ? 0x0a010000 | low : kind < 8 ? 0x14000000 | low :
					   kind < 9 ? 0x1e000001 : 0x28010000 | low, 700));
			}
			end_tick("amp.dns", 0);
		}
		struct tracer_places where = {NULL, country_of, network_of, NULL};
		tracer_write(&tracer, &ix, &where, &trace);
		assert_string_equal(trace.networks[0].name, "AS10");
		assert_string_equal(trace.networks[1].name, "AS20");
		assert_string_equal(trace.countries[0].name, "DE");
		assert_string_equal(trace.sources_top[0].name, "30.0.0.1");
		assert_string_equal(trace.prefixes[0].name, "30.0.0.0/24");
		const double shares[][2] = {{(double)trace.networks[0].share, 0.5}, {(double)trace.networks[1].share, 0.3},
					    {(double)trace.countries[0].share, 0.6}, {(double)trace.sources_top[0].share, 0.1}};
		const double errors[] = {(double)trace.networks[0].share_error, (double)trace.networks[1].share_error,
					 (double)trace.countries[0].share_error, (double)trace.sources_top[0].share_error};
		for (size_t i = 0; i < 4; i++) {
			assert_true(errors[i] > 0 && errors[i] < 0.05);
			far += fabs(shares[i][0] - shares[i][1]) > 2 * errors[i];
			tried++;
		}
		assert_int_equal(trace.country_count, 2); /* of 30/8 it is not known */
	}
	assert_true(far <= tried / 8); /* one in twenty would be */
}

static void distinct_sources_are_those_of_all_ticks_together(void **state)
{
	(void)state;
	setup_rows();
	for (int64_t ms = 0; ms < 5000; ms += 250) {
		begin_tick(ms);
		for (uint32_t i = 0; i < 1000; i++)
			add(packet(17, 53, prng_below(&rng, 5000) * 7919, 700));
		end_tick("amp.dns", 0);
	}
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_float_equal(trace.vectors[0].sources, 4900, 3 * 0.033 * 4900);
	assert_float_equal(trace.sources, 4900, 3 * 0.023 * 4900);
}

static void addresses_are_written_as_rfc_5952_has_them(void **state)
{
	static const struct { uint8_t a[16], family; const char *text; } cases[] = {
		{{192, 0, 2, 7}, 4, "192.0.2.7"},
		{{0x20, 1, 0xd, 0xb8}, 6, "2001:db8::"},
		{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, 6, "2001:db8:0:1::1"},
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 6, "::1"},
		{{0x20, 1, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}, 6, "2001:0:3:4:5:6:7:8"},
	};
	char text[ADDRESS_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		address_text(text, cases[i].a, cases[i].family);
		assert_string_equal(text, cases[i].text);
	}
}

static void write_state(struct out *o)
{
	out_init(o, TRACER_STATE_MAX);
	tracer_write_state(&tracer, &ix, o);
	assert_false(o->bad);
}

static void what_was_written_goes_on_as_if_nothing_had_happened(void **state)
{
	struct out o;
	(void)state;
	setup_rows();
	for (int64_t ms = 0; ms < 20000; ms += 250)
		usual_tick(ms);
	tracer.before = (struct trace_before){.begin = wall_s(980), .step = span_s(10), .count = 2,
					      .points = {{100, 80000, 10, -1, 90, 70000}, {.bits_per_s = -1}}};
	write_state(&o);
	memset(&other, 0xaa, sizeof(other));
	struct cur c = cur_over(o.bytes, o.len);
	assert_int_equal(tracer_read_state(&other, &ix, &c, NULL), WD_OK);
	assert_int_equal(cur_left(&c), 0);
	struct prng same = rng;
	usual_tick(20000);
	tracer_write(&tracer, &ix, NULL, &trace);
	rng = same;
	tracer = other;
	usual_tick(20000);
	tracer_write(&tracer, &ix, NULL, &trace_after);
	assert_memory_equal(&trace, &trace_after, sizeof(trace));
	out_done(&o);
}

static void a_state_cut_or_changed_is_refused_and_changes_nothing(void **state)
{
	struct out o;
	(void)state;
	setup_rows();
	for (int64_t ms = 0; ms < 1000; ms += 250)
		usual_tick(ms);
	write_state(&o);
	memset(&other, 0x55, sizeof(other));
	for (size_t len = 0; len < o.len; len += len < 300 ? 1 : 97) {
		struct cur c = cur_over(o.bytes, len);
		assert_int_equal(tracer_read_state(&other, &ix, &c, NULL), WD_SHORT);
	}
	for (size_t i = 4; i < o.len; i += 61) {
		o.bytes[i] ^= 0x81;
		struct cur c = cur_over(o.bytes, o.len);
		enum wd_err err = tracer_read_state(&other, &ix, &c, NULL);
		assert_true(err == WD_MALFORMED || err == WD_SHORT);
		o.bytes[i] ^= 0x81;
	}
	o.bytes[0]++;
	struct cur c = cur_over(o.bytes, o.len);
	assert_int_equal(tracer_read_state(&other, &ix, &c, NULL), WD_UNKNOWN);
	for (size_t i = 0; i < sizeof(other); i++)
		assert_int_equal(((const uint8_t *)&other)[i], 0x55);
	out_done(&o);
}

/* Version 2: see tracer_io.c. */
static void as_version_2(const struct out *state, struct out *ret)
{
	enum { SLOT = 1 + 2 * 8 + 14 * 8 + (4 + SECOND_TICKS * (8 + 4 + 4 * SECOND_VALUES)) + 3,
	       HEAD = INCIDENT_ID_MAX + 1 + 3 * 8 + 5 * 8 + 8 + 4 + 5 * 4 + 8 + 4 + 4,
	       BEFORE = 8 + 8 + 4, /* without a point */
	       REGISTERS = 2 * (1 << TRAFFIC_SOURCES_BITS) + (1 << TRAFFIC_TARGETS_BITS) };
	struct cur c = cur_over(state->bytes, state->len - 4);
	char id[VECTOR_ID_MAX + 1];
	out_init(ret, TRACER_STATE_MAX);
	assert_int_equal(cur_u32(&c), 7);
	for (int part = 0; part < 2; part++) {
		for (unsigned n = cur_u8(&c); n > 0; n--)
			cur_text(&c, id, sizeof(id));
	}
	cur_bytes(&c, HEAD + REGISTERS);
	out_u32(ret, 2);
	out_bytes(ret, state->bytes + 4, (size_t)(c.at - state->bytes) - 4);
	for (uint32_t i = 0; i < tracer.slot_count; i++) {
		struct source_set set;
		who_of(&tracer.who, (uint8_t)(1U << i), &set);
		out_bytes(ret, cur_bytes(&c, SLOT), SLOT);
		for (size_t r = 0; r < 1 << TRAFFIC_CLASS_BITS; r++) {
			uint8_t rank = cur_u8(&c);
			out_u8(ret, rank > 1 ? rank - 1 : 0);
			out_u8(ret, rank == 1);
		}
		cur_bytes(&c, 8); /* ticks of new names */
		cur_bytes(&c, 6 * 8 + 2); /* what is not answered */
		out_u32(ret, set.count);
		out_u64(ret, set.below);
		for (uint32_t n = 0; n < set.count; n++)
			out_u64(ret, set.hashes[n]);
	}
	cur_bytes(&c, 12 + 9 * (size_t)tracer.who.set.count);
	out_bytes(ret, c.at, cur_left(&c) - BEFORE - tracer.place_count);
	assert_false(c.bad || ret->bad);
	out_u32(ret, (uint32_t)crc32_z(0, ret->bytes, ret->len));
}

static void a_state_of_the_version_before_is_read(void **state)
{
	struct out o, old;
	(void)state;
	setup_rows();
	for (int64_t ms = 0; ms < 20000; ms += 250)
		usual_tick(ms);
	write_state(&o);
	as_version_2(&o, &old);
	struct cur c = cur_over(old.bytes, old.len);
	assert_int_equal(tracer_read_state(&other, &ix, &c, NULL), WD_OK);
	assert_int_equal(cur_left(&c), 0);
	for (uint32_t i = 0; i < tracer.place_count; i++) {
		assert_true(tracer.places[i].bucket < tracer.bucket_count);
		tracer.places[i].bucket = TRACER_NO_BUCKET;
	}
	for (uint32_t i = 0; i < tracer.slot_count; i++)
		tracer.slots[i].before_packets = tracer.slots[i].last_packets = 0;
	assert_memory_equal(&tracer, &other, sizeof(tracer));
	out_done(&o);
	out_done(&old);
}

static void a_state_finds_its_rows_in_another_book(void **state)
{
	struct out o;
	(void)state;
	setup_rows();
	for (int64_t ms = 0; ms < 1000; ms += 250)
		usual_tick(ms);
	write_state(&o);
	book.count = 0;
	add_row("syn", "tcp.syn", VECTOR_FLOOD, 6);
	struct vector_row *dns = add_row("amp.dns", "amp.dns", VECTOR_AMPLIFICATION, 17);
	dns->from[dns->from_count++] = (struct vector_ports){53, 53};
	dns->status = SOURCE_REFLECTOR;
	vector_book_compile(&book, &classes);
	vector_index_init(&ix, &book, &classes);
	struct cur c = cur_over(o.bytes, o.len);
	assert_int_equal(tracer_read_state(&tracer, &ix, &c, NULL), WD_OK);
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_string_equal(trace.vectors[0].id, "amp.dns");
	assert_string_equal(trace.vectors[1].id, "syn");
	out_done(&o);
}

static void the_fullest_state_fits_its_bound(void **state)
{
	struct out o;
	(void)state;
	setup_rows();
	usual_tick(0);
	tracer.slot_count = TRACER_SLOTS;
	tracer.who.set.count = SOURCE_SET_MAX;
	tracer.bucket_count = TRACER_BUCKETS;
	tracer.place_count = TRACER_PLACES;
	tracer.record_count = TRACE_EVIDENCE_MAX;
	tracer.point_count = TRACE_POINTS_MAX;
	tracer.before = (struct trace_before){.step = span_s(10), .count = TRACE_BEFORE_MAX};
	write_state(&o);
	print_message("tracer %zu bytes, as state %zu\n", sizeof(tracer), o.len);
	assert_true(o.len + 40 * (VECTOR_ROWS_MAX + VECTOR_CLASSES_MAX) <= TRACER_STATE_MAX);
	out_done(&o);
}

/* Before the alarm nobody knows yet what floods: what was heaviest then is no vector. */
static void only_what_was_said_to_flood_is_a_vector(void **state)
{
	(void)state;
	setup_rows();
	for (int64_t ms = 0; ms < 10000; ms += 250) {
		begin_tick(ms);
		for (uint32_t i = 0; i < 50; i++)
			add(packet(6, 4000, 0x14000000 + i, 40));
		if (ms == 0) {
			tracer_add(&tracer, &ix, &(struct tracer_input){.tick = &tick});
			tracer_write(&tracer, &ix, NULL, &trace);
			assert_int_equal(trace.vector_count, 1);
			assert_string_equal(trace.vectors[0].id, "syn");
			continue;
		}
		for (uint32_t i = 0; i < 40; i++)
			add(packet(17, 53, 0x0a000000 + i, 1000));
		/* Once something is taken for a flood by chance. */
		struct tracer_class c[2] = {{vector_class_find(&classes, "amp.dns"), tick.at, 1, 800},
					    {vector_class_find(&classes, "udp.other"), tick.at, 1, 800}};
		add(packet(17, 999, 5, 100));
		tracer_add(&tracer, &ix, &(struct tracer_input){.tick = &tick, .classes = c, .class_count = ms == 7000 ? 2 : 1});
	}
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_int_equal(trace.vector_count, 1);
	assert_string_equal(trace.vectors[0].id, "amp.dns");
}

static void the_table_of_places_names_network_and_country(void **state)
{
	struct geo_range v4[3] = {{.place = {0}}, {.place = {64500, {'D', 'E'}, 0}}, {.place = {0}}};
	struct geo *g;
	(void)state;
	v4[1].start = range_key_of((const uint8_t[16]){10, 1});
	v4[2].start = range_key_of((const uint8_t[16]){10, 2});
	assert_int_equal(geo_open(&(struct geo_ranges){v4, 3}, &(struct geo_ranges){NULL, 0}, &g, NULL), WD_OK);
	setup_rows();
	begin_tick(0);
	for (uint32_t i = 0; i < 30; i++)
		add(packet(17, 53, i < 20 ? 0x0a010000 + i : 0x0b000000 + i, 1000));
	end_tick("amp.dns", 0);
	struct tracer_places where = tracer_places_of(g);
	tracer_write(&tracer, &ix, &where, &trace);
	assert_int_equal(trace.country_count, 1);
	assert_string_equal(trace.countries[0].name, "DE");
	assert_string_equal(trace.networks[0].name, "AS64500");
	assert_float_equal(trace.countries[0].share, 2.0 / 3, 1e-6);
	geo_close(g);
	where = tracer_places_of(NULL);
	tracer_write(&tracer, &ix, &where, &trace);
	assert_int_equal(trace.country_count, 0);
}

/* Proved machines in 20/8 beside reflectors in 10/8: only of the former a place is told. */
static void places_are_those_of_proved_addresses_where_there_are_any(void **state)
{
	struct tracer_places where = {NULL, country_of, network_of, NULL};

	(void)state;
	setup_rows();
	add_row("flow", "tcp.flow", VECTOR_FLOOD, 6);
	vector_book_compile(&book, &classes);
	vector_index_init(&ix, &book, &classes);
	for (int proved = 0; proved <= 1; proved++) {
		tracer_begin(&tracer, "x-1", wall_s(1000));
		begin_tick(0);
		for (uint32_t i = 0; i < 300; i++)
			add(packet(17, 53, 0x0a000000 + i, 1000));
		for (uint32_t i = 0; i < 100; i++) {
			struct flow f = packet(6, (uint16_t)(4000 + i), 0x14000000 + 977 * i, 600);
			if (proved) {
				f.known = FLOW_FLAGS | FLOW_TTL;
				f.tcp_flags = FLOW_TCP_SYN | FLOW_TCP_ACK | FLOW_TCP_PSH;
				f.packets = 2;
				f.ttl = (uint8_t)(40 + i % 20);
			}
			add(f);
		}
		struct tracer_class c[2] = {
			{vector_class_find(&classes, "amp.dns"), tick.at, 0, 0},
			{vector_class_find(&classes, proved ? "tcp.flow" : "tcp.syn"), tick.at, 0, 0}};
		tracer_add(&tracer, &ix, &(struct tracer_input){.tick = &tick, .classes = c, .class_count = 2});
		tracer_write(&tracer, &ix, &where, &trace);
		assert_int_equal(trace.status, SOURCE_REFLECTOR);
		assert_int_equal(trace.vectors[1].status == SOURCE_PROVED, proved);
		assert_int_equal(trace.mappable, proved);
		assert_int_equal(trace.network_count, proved ? 1 : 2);
		assert_string_equal(trace.networks[0].name, proved ? "AS20" : "AS10");
		assert_string_equal(trace.not_mappable,
				    proved ? "" : "the sources are abused third parties, or not known to be real");
	}
}

/* Half of the class is what it always has: told from the flood by what no client sends. */
static void places_and_evidence_are_those_of_the_flood_and_not_of_its_class(void **state)
{
	struct tracer_places where = {NULL, country_of, network_of, NULL};

	(void)state;
	setup_rows();
	add_row("syn.bare", "tcp.syn", VECTOR_FLOOD, 6)->signs = SIGN_NO_OPTIONS;
	vector_book_compile(&book, &classes);
	vector_index_init(&ix, &book, &classes);
	for (int64_t ms = 0; ms < 2000; ms += 250) {
		begin_tick(ms);
		for (uint32_t i = 0; i < 200; i++) {
			struct flow f = packet(6, 4000, 0x0a000000 + prng_below(&rng, 1000), 40);
			if (prng_below(&rng, 2) == 0) {
				f.src[0] = 20;
				f.options_len = 20;
			}
			add(f);
		}
		end_tick("tcp.syn", 400);
	}
	struct out o;
	write_state(&o);
	struct cur c = cur_over(o.bytes, o.len);
	assert_int_equal(tracer_read_state(&other, &ix, &c, NULL), WD_OK);
	for (int again = 0; again < 2; again++) {
		tracer_write(again ? &other : &tracer, &ix, &where, &trace);
		assert_int_equal(trace.vector_count, 1);
		assert_string_equal(trace.vectors[0].id, "syn.bare");
		assert_float_equal(trace.vectors[0].packets, 800, 100);
		assert_int_equal(trace.network_count, 1);
		assert_string_equal(trace.networks[0].name, "AS10");
		assert_float_equal(trace.networks[0].packets, 800, 100);
		assert_in_range(trace.evidence_count, 50, 120);
		for (uint32_t i = 0; i < trace.evidence_count; i++)
			assert_null(strstr(trace.evidence[i], " 20."));
	}
	out_done(&o);
}

static void sources_of_the_weeks_before_are_not_new(void **state)
{
	static struct source_memory memory;
	static struct source_set first, second;
	(void)state;
	setup_rows();
	memset(&memory, 0, sizeof(memory));
	for (uint32_t i = 0; i < 300; i++) {
		struct flow f = packet(17, 53, 0x0a000000 + i, 1000);
		source_memory_add(&memory, address_hash(&rules.key, f.src, 4), wall_s(900));
	}
	for (uint32_t i = 0; i < 400; i++) { /* a quarter was here before */
		if (i % 200 == 0)
			begin_tick(i);
		add(packet(17, 53, 0x0a000000 + 200 + i, 1000));
		if (i % 200 == 199)
			end_tick("amp.dns", 0);
	}
	struct tracer_places where = {.memory = &memory};
	tracer_write(&tracer, &ix, &where, &trace);
	assert_float_equal(trace.vectors[0].new_share, 0.75, 0.02);
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_true(trace.vectors[0].new_share < 0);
	tracer_sources(&tracer, &first);
	assert_int_equal(first.count, 400);
	/* Another incident of half the same sources. */
	tracer_begin(&tracer, "x-2", wall_s(1000));
	for (uint32_t i = 0; i < 400; i++) {
		if (i % 200 == 0)
			begin_tick(i);
		add(packet(17, 53, 0x0a000000 + 400 + i, 1000));
		if (i % 200 == 199)
			end_tick("amp.dns", 0);
	}
	tracer_sources(&tracer, &second);
	assert_float_equal(source_set_shared(&first, &second), 0.5, 0.01);
}

static void odd_ticks_do_no_harm(void **state)
{
	(void)state;
	setup_rows();
	begin_tick(0);
	end_tick("amp.dns", 0); /* nothing in it */
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_int_equal(trace.vector_count, 0);
	begin_tick(-5000); /* before the begin */
	add(packet(17, 53, 1, 100));
	tick.width.ns = 0;
	end_tick("amp.dns", NAN);
	begin_tick(INT64_C(86400000) * 3650); /* years later */
	struct flow f = packet(17, 53, 2, 100);
	f.packets = UINT64_MAX;
	f.sampling = UINT32_MAX;
	f.bytes = UINT64_MAX;
	add(f);
	end_tick("amp.dns", 0);
	tracer_write(&tracer, &ix, NULL, &trace);
	assert_int_equal(trace.vector_count, 1);
	assert_true(trace.point_count <= TRACE_POINTS_MAX);
	assert_true(isfinite(trace.packets) && isfinite(trace.vectors[0].peak_packets_per_s));
	assert_true(isfinite(trace.vectors[0].usual_packets_per_s));
	for (uint32_t i = 0; i < trace.point_count; i++)
		assert_true(isfinite(trace.points[i].packets_per_s) && isfinite(trace.points[i].usual_packets_per_s));
	struct out o;
	write_state(&o); /* and it can be kept */
	struct cur c = cur_over(o.bytes, o.len);
	assert_int_equal(tracer_read_state(&other, &ix, &c, NULL), WD_OK);
	out_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_peaks_and_shares_are_those_of_the_ticks),
		cmocka_unit_test(what_stirs_before_it_is_named_is_counted),
		cmocka_unit_test(a_long_incident_keeps_its_whole_series_in_wider_steps),
		cmocka_unit_test(places_have_the_shares_that_they_had_within_their_errors),
		cmocka_unit_test(distinct_sources_are_those_of_all_ticks_together),
		cmocka_unit_test(addresses_are_written_as_rfc_5952_has_them),
		cmocka_unit_test(what_was_written_goes_on_as_if_nothing_had_happened),
		cmocka_unit_test(a_state_cut_or_changed_is_refused_and_changes_nothing),
		cmocka_unit_test(a_state_of_the_version_before_is_read),
		cmocka_unit_test(a_state_finds_its_rows_in_another_book),
		cmocka_unit_test(the_fullest_state_fits_its_bound),
		cmocka_unit_test(only_what_was_said_to_flood_is_a_vector),
		cmocka_unit_test(places_are_those_of_proved_addresses_where_there_are_any),
		cmocka_unit_test(the_table_of_places_names_network_and_country),
		cmocka_unit_test(places_and_evidence_are_those_of_the_flood_and_not_of_its_class),
		cmocka_unit_test(sources_of_the_weeks_before_are_not_new),
		cmocka_unit_test(odd_ticks_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
