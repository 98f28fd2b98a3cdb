/* SPDX-License-Identifier: Apache-2.0 */
/* What is simulated is read back by the decoders: packet by packet, and flow by flow. */
#include "intake/traffic_world.h"

#include "base/check.h"
#include "decode/export.h"
#include "decode/packet.h"
#include "intake/export_write.h"
#include "intake/flow_meter.h"
#include "intake/packet_write.h"
#include "intake/traffic_recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char head[] = "begins 2026-11-02 12:00 UTC\n"
			   "lasts 1 minute\n"
			   "service shop\n"
			   "  usually 1 report a minute\n"
			   "traffic of shop\n"
			   "  addresses 198.51.100.0/24\n"
			   "  usually 500 packets a second\n";

static struct scenario *scenario_of(const char *text)
{
	struct scenario *s = NULL;
	struct wd_why why = {0};
	if (scenario_read(text, strlen(text), &s, &why) != WD_OK)
		fail_msg("byte %u: %s", why.at, why.what);
	return s;
}

static struct traffic_world *world_of(const struct scenario *s, uint64_t seed)
{
	struct traffic_world *w = NULL;
	assert_int_equal(traffic_world_open(s, seed, &w, NULL), WD_OK);
	return w;
}

static void rates_and_times_follow_the_scenario(void **state)
{
	(void)state;
	char text[1024];
	snprintf(text, sizeof(text),
		 "%sattack on shop\n vector syn.spoof\n begins after 20 seconds\n rises for 10 "
		 "seconds\n stays for 10 seconds\n falls for 10 seconds\n"
		 " peaks at 1000 packets a second\n repeats 1 times every 1 minute\n",
		 head);
	struct scenario *s = scenario_of(text);
	struct traffic_world *w = world_of(s, 1);
	struct traffic_packet p;
	unsigned usual = 0, attack[6] = {0};
	wd_wall last = s->begins;

	while (traffic_world_next(w, &p)) {
		assert_false(wall_before(p.at, last));
		last = p.at;
		if (p.vector[0] == '\0')
			usual++;
		else
			attack[wall_sub(p.at, s->begins).ns / (10 * WD_NS_PER_S)]++;
	}
	/* Five standard deviations of a Poisson count. */
	assert_in_range(usual, 30000 - 870, 30000 + 870);
	assert_int_equal(attack[0] + attack[1] + attack[5], 0);
	assert_in_range(attack[2], 5000 - 360, 5000 + 360);
	assert_in_range(attack[3], 10000 - 500, 10000 + 500);
	assert_in_range(attack[4], 5000 - 360, 5000 + 360);
	traffic_world_close(w);
	scenario_free(s);
}

static void the_same_seed_gives_the_same_packets(void **state)
{
	(void)state;
	struct scenario *s = scenario_of(head);
	struct traffic_world *a = world_of(s, 5), *b = world_of(s, 5), *c = world_of(s, 6);
	struct traffic_packet p, q, r;
	unsigned differ = 0;

	for (int n = 0; n < 2000; n++) {
		assert_true(traffic_world_next(a, &p) && traffic_world_next(b, &q) &&
			    traffic_world_next(c, &r));
		assert_int_equal(p.at.ns, q.at.ns);
		assert_memory_equal(p.flow.src, q.flow.src, 16);
		differ += memcmp(p.flow.src, r.flow.src, 16) != 0;
	}
	assert_true(differ > 1000);
	traffic_world_close(a);
	traffic_world_close(b);
	traffic_world_close(c);
	scenario_free(s);
}

static void check_frame(const struct flow *f, const char *id)
{
	static uint8_t frame[PACKET_WRITE_MAX];
	size_t len = packet_write(f, frame, sizeof(frame));
	struct packet p = {frame, (uint32_t)len, (uint32_t)len, PACKET_ETHERNET, {0}};
	struct packet_options closed = {0};
	struct flow read;

	assert_int_equal(len, packet_write_length(f));
	if (packet_parse(&p, &closed, &read) != WD_OK)
		fail_msg("%s: its packet is not read back", id);
	assert_memory_equal(read.src, f->src, 16);
	assert_memory_equal(read.dst, f->dst, 16);
	assert_int_equal(read.family, f->family);
	assert_int_equal(read.protocol, f->protocol);
	assert_int_equal(read.sport, f->sport);
	assert_int_equal(read.dport, f->dport);
	assert_int_equal(read.tcp_flags, f->tcp_flags);
	assert_int_equal(read.ttl, f->ttl);
	assert_int_equal(read.fragment, f->fragment);
	assert_int_equal(read.bytes, f->bytes);
	if (f->protocol == 6) {
		assert_int_equal(read.sequence, f->sequence);
		assert_int_equal(read.options_len, f->options_len);
	}
	bool transport = f->protocol == 6 || f->protocol == 17 || f->protocol == 1;
	if (f->payload_len > 0 && transport) {
		assert_int_equal(read.payload_len, f->payload_len);
		assert_memory_equal(read.payload, f->payload, f->payload_len);
	}
}

/* A packet decoder that knows nothing of the recipes reads what they are. */
static void every_recipe_is_read_back_from_its_frames(void **state)
{
	(void)state;
	uint8_t payload[RECIPE_PAYLOAD_MAX];
	struct flow burst[RECIPE_BURST], target = {.family = 4, .dst = {198, 51, 100, 7}};
	struct flow target6 = {.family = 6, .dst = {0x20, 1, 0x0d, 0xb8, 0, 7}};
	struct prng random = prng_of(1, 1);

	assert_true(recipe_count() > 40);
	for (size_t n = 0; n < recipe_count(); n++) {
		const struct recipe *r = recipe_at(n);
		assert_ptr_equal(recipe_find(r->id), r);
		for (int k = 0; k < 50; k++) {
			const struct flow *to = k % 5 == 4 && r->protocol != 2 ? &target6 : &target;
			size_t count = recipe_make(r, &random, 9, 0, to, payload, burst);
			assert_in_range(count, 1, RECIPE_BURST);
			for (size_t i = 0; i < count; i++)
				check_frame(&burst[i], r->id);
		}
	}
}

struct sums { uint64_t packets, bytes, flows; };

static void count_flow(void *ctx, const struct flow *f, wd_wall at)
{
	(void)at;
	struct sums *s = ctx;
	s->packets += f->packets;
	s->bytes += f->bytes;
	s->flows++;
}

static void the_meter_loses_no_packet(void **state)
{
	(void)state;
	struct scenario *s = scenario_of(head);
	struct traffic_world *w = world_of(s, 3);
	struct sums flows = {0}, packets = {0};
	struct flow_meter m;
	struct traffic_packet p;

	assert_true(flow_meter_open(&m, span_s(1), count_flow, &flows));
	while (traffic_world_next(w, &p)) {
		count_flow(&packets, &p.flow, p.at);
		flow_meter_add(&m, &p.flow, p.at);
	}
	flow_meter_flush(&m, p.at);
	assert_int_equal(flows.packets, packets.packets);
	assert_int_equal(flows.bytes, packets.bytes);
	assert_true(flows.flows < packets.flows);
	flow_meter_close(&m);
	traffic_world_close(w);
	scenario_free(s);
}

/* ---- exports ---- */

enum { FLOWS = 4000 };

struct reader {
	struct exports *exports;
	struct flow got[FLOWS];
	size_t count;
};

static void read_datagram(void *ctx, const uint8_t *datagram, size_t len, wd_wall at)
{
	static struct flow flows[EXPORT_FLOWS_MAX];
	struct reader *r = ctx;
	struct exporter_address from = {{192, 0, 2, 1}, 4};
	struct wd_why why = {0};
	size_t count = 0;

	assert_true(len <= EXPORT_WRITE_MAX);
	if (exports_decode(r->exports, &from, datagram, len, at, flows, EXPORT_FLOWS_MAX, &count,
			   &why) != WD_OK)
		fail_msg("byte %u: %s", why.at, why.what);
	for (size_t n = 0; n < count && r->count < FLOWS; n++)
		r->got[r->count++] = flows[n];
}

static struct flow made_flow(struct prng *random, bool six)
{
	static const uint8_t protocols[] = {6, 17, 1};
	struct flow f = {.family = six ? 6 : 4, .sampling = 100, .known = FLOW_TIMES};
	recipe_address(1, prng_u64(random), f.family, f.src);
	recipe_address(2, prng_u64(random), f.family, f.dst);
	f.protocol = protocols[prng_below(random, 3)];
	if (f.protocol == 1)
		f.protocol = six ? 58 : 1;
	bool ports = f.protocol == 6 || f.protocol == 17;
	f.sport = ports ? (uint16_t)prng_u64(random) : 0;
	f.dport = ports ? (uint16_t)prng_u64(random) : (uint16_t)(8 << 8);
	f.tcp_flags = f.protocol == 6 ? (uint8_t)prng_u64(random) : 0;
	f.packets = 1 + prng_below(random, 1000);
	f.bytes = f.packets * (40 + prng_below(random, 1400));
	f.first_ms = INT64_C(1793620800000) + prng_below(random, 100000);
	f.last_ms = f.first_ms + prng_below(random, 60000);
	return f;
}

static void check_format(enum export_format format)
{
	struct exports_limits limits = exports_limits_default();
	struct hash_key key = {{7}};
	static struct reader r;
	static struct export_writer w;
	static struct flow made[FLOWS];
	struct prng random = prng_of(11, 2);
	wd_wall at = wall_s(1793621000);

	r.count = 0;
	assert_int_equal(exports_open(&limits, &key, &r.exports), WD_OK);
	export_writer_init(&w, format, 100, wall_s(1793610000), read_datagram, &r);
	for (size_t n = 0; n < FLOWS; n++) {
		bool six = format != EXPORT_NETFLOW5 && prng_below(&random, 4) == 0;
		made[n] = made_flow(&random, six);
		export_writer_add(&w, &made[n], at);
		/* Within a datagram the families stand apart: one at a time keeps the order. */
		if (format != EXPORT_NETFLOW5 && n % 7 == 0)
			export_writer_flush(&w, at);
	}
	export_writer_flush(&w, at);
	assert_int_equal(r.count, FLOWS);
	assert_int_equal(w.records, FLOWS);
	struct sums sent = {0}, got = {0};
	for (size_t n = 0; n < FLOWS; n++) {
		count_flow(&sent, &made[n], at);
		count_flow(&got, &r.got[n], at);
		assert_int_equal(r.got[n].sampling, 100);
	}
	assert_int_equal(got.packets, sent.packets);
	assert_int_equal(got.bytes, sent.bytes);
	for (size_t n = 0; format == EXPORT_NETFLOW5 && n < FLOWS; n++) {
		const struct flow *a = &made[n], *b = &r.got[n];
		assert_memory_equal(a->src, b->src, 32);
		assert_int_equal(a->sport, b->sport);
		assert_int_equal(a->dport, b->dport);
		assert_int_equal(a->tcp_flags, b->tcp_flags);
		assert_int_equal(a->first_ms, b->first_ms);
		assert_int_equal(a->last_ms, b->last_ms);
	}
	struct export_totals totals;
	exports_totals(r.exports, &totals);
	assert_int_equal(totals.counts.malformed, 0);
	assert_int_equal(totals.counts.lost, 0);
	exports_close(r.exports);
}

static void netflow5_is_read_back(void **state)
{
	(void)state;
	check_format(EXPORT_NETFLOW5);
}
static void netflow9_is_read_back(void **state)
{
	(void)state;
	check_format(EXPORT_NETFLOW9);
}
static void ipfix_is_read_back(void **state)
{
	(void)state;
	check_format(EXPORT_IPFIX);
}

static void mistakes_in_traffic_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *more, *what;
	} cases[] = {
		{"attack on shop\n peaks at 5 packets a second\n begins after 1 second\n stays for "
		 "1 second\n",
		 "this lacks its vector, like: vector amp.dns"},
		{"attack on shop\n vector amp.nothing\n",
		 "here stands a vector that can be simulated, like: vector amp.dns (docs/replay.md "
		 "lists them)"},
		{"service x\n usually 1 report a minute\nattack on x\n",
		 "of this service no traffic stands above, like: traffic of x"},
		{"traffic of shop\n", "this service's traffic stands above"},
		{"service x\n usually 1 report a minute\ntraffic of x\n addresses 10.0.0.0/33\n",
		 "here stands a prefix, like: addresses 198.51.100.0/28"},
		{"service x\n usually 1 report a minute\ntraffic of x\n usually 5 packets a "
		 "second\n",
		 "this lacks its addresses, like: addresses 198.51.100.0/28"},
	};
	for (size_t n = 0; n < WD_COUNT(cases); n++) {
		char text[1024];
		struct scenario *s = NULL;
		struct wd_why why = {0};
		snprintf(text, sizeof(text), "%s%s", head, cases[n].more);
		assert_int_not_equal(scenario_read(text, strlen(text), &s, &why), WD_OK);
		assert_string_equal(why.what, cases[n].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_and_times_follow_the_scenario),
		cmocka_unit_test(the_same_seed_gives_the_same_packets),
		cmocka_unit_test(every_recipe_is_read_back_from_its_frames),
		cmocka_unit_test(the_meter_loses_no_packet),
		cmocka_unit_test(netflow5_is_read_back),
		cmocka_unit_test(netflow9_is_read_back),
		cmocka_unit_test(ipfix_is_read_back),
		cmocka_unit_test(mistakes_in_traffic_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
