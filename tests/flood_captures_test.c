/* SPDX-License-Identifier: Apache-2.0 */
/* Real captures through decoder, tally and flood detector, as a service's very first traffic:
 * attacks open an incident, alone and within ten times as much usual traffic, sampled or not;
 * what is no attack does not. The captures are not part of the project: where they are
 * missing, the tests say so and are skipped. */
#include "base/prng.h"
#include "command/vectors_read.h"
#include "decode/packet.h"
#include "decode/pcap.h"
#include "detect/budget.h"
#include "detect/flood.h"
#include "tally/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FILE_MAX = 8 << 20, PACKETS_MAX = 60000 };

struct capture {
	uint8_t *bytes;
	struct flow *flows;
	uint32_t count;
	uint8_t target[16]; /* whose traffic it is */
	int64_t begin, end; /* ns */
};

struct world {
	struct traffic_rules rules;
	struct flood_plan plan;
	struct flood flood;
	struct traffic_tick tick;
	struct flood_reading reading, opened;
	struct prng prng;
	uint32_t sampling;
	int64_t at, opened_at;
	bool open;
};

static struct vector_book book;
static struct vector_classes classes;

static uint8_t *load(const char *name, size_t *ret_len)
{
	const char *folder = getenv("WHYDOWN_TEST_DATA"), *source = getenv("SOURCE");
	char path[4096];

	if (folder != NULL)
		snprintf(path, sizeof(path), "%s/ddos/%s", folder, name);
	else
		snprintf(path, sizeof(path), "%s/../shared/data/ddos/%s",
			 source != NULL ? source : "..", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		print_message("skipped: no %s\n", path);
		return NULL;
	}
	uint8_t *bytes = malloc(FILE_MAX);
	assert_non_null(bytes);
	*ret_len = fread(bytes, 1, FILE_MAX, f);
	fclose(f);
	return bytes;
}

/* The address that most packets go to, unless it is told. */
static void find_target(struct capture *c)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < c->count; i += 1 + c->count / 50) {
		uint32_t n = 0;
		for (uint32_t j = 0; j < c->count; j++)
			n += memcmp(c->flows[i].dst, c->flows[j].dst, 16) == 0;
		if (n > best) {
			best = n;
			memcpy(c->target, c->flows[i].dst, 16);
		}
	}
}

static bool capture_open(struct capture *c, const char *name)
{
	size_t len = 0;
	struct pcap p;
	struct packet packet;
	bool end = false;

	memset(c, 0, sizeof(*c));
	c->bytes = load(name, &len);
	if (c->bytes == NULL)
		return false;
	c->flows = calloc(PACKETS_MAX, sizeof(*c->flows));
	assert_int_equal(pcap_begin(&p, c->bytes, len, NULL), WD_OK);
	while (pcap_next(&p, &packet, &end, NULL) == WD_OK && !end && c->count < PACKETS_MAX) {
		struct flow *f = &c->flows[c->count];
		if (packet_parse(&packet, NULL, f) != WD_OK)
			continue;
		f->first_ms = packet.at.ns / 1000000;
		c->begin = c->count == 0 || packet.at.ns < c->begin ? packet.at.ns : c->begin;
		c->end = packet.at.ns > c->end ? packet.at.ns : c->end;
		c->count++;
	}
	assert_true(c->count > 0);
	find_target(c);
	return true;
}

static void capture_close(struct capture *c)
{
	free(c->bytes);
	free(c->flows);
}

static void world_init(struct world *w, uint32_t sampling, int64_t at)
{
	memset(w, 0, sizeof(*w));
	vectors_builtin(&book);
	vector_book_compile(&book, &classes);
	w->rules.classes = &classes;
	w->rules.key = address_key_of(&(struct hash_key){.bytes = {1}});
	flood_plan_init(&w->plan, &classes);
	flood_init(&w->flood, &w->plan);
	w->prng = prng_of(11, sampling);
	w->sampling = sampling;
	w->at = at;
	traffic_clear(&w->tick, "web", (wd_wall){at});
}

static void add(struct world *w, struct flow *f, bool outbound)
{
	if (w->sampling > 1 && prng_below(&w->prng, w->sampling) != 0)
		return;
	f->sampling = w->sampling;
	traffic_add(&w->tick, &w->rules, f, outbound, prng_u64(&w->prng));
}

static void end_tick(struct world *w)
{
	double threshold =
		budget_threshold((wd_span){TRAFFIC_TICK_NS}, 1, BUDGET_FALSE_A_MONTH, 1);
	struct flood_sample s = {.tick = &w->tick, .at = {w->at}, .width = {TRAFFIC_TICK_NS},
				 .frozen = w->open};

	flood_step(&w->flood, &w->plan, &s, &w->reading);
	w->at += TRAFFIC_TICK_NS;
	if (!w->open && w->reading.sustained && (double)w->reading.log10_return >= threshold) {
		w->open = true;
		w->opened = w->reading;
		w->opened_at = w->at;
	}
	traffic_clear(&w->tick, "web", (wd_wall){w->at});
}

static void person(struct world *w, struct flow *f, uint32_t people)
{
	uint32_t who = prng_below(&w->prng, people) * 2654435761U;

	memset(f, 0, sizeof(*f));
	memcpy(f->src, &who, 4);
	f->family = 4;
	f->packets = 1;
	f->protocol = 6;
	f->ttl = (uint8_t)((who & 1 ? 64 : 128) - 5 - (who >> 8) % 20);
	f->known = FLOW_TTL | FLOW_PACKET | FLOW_FLAGS;
	f->sport = (uint16_t)(1024 + prng_below(&w->prng, 60000));
	f->dport = 443;
}

/* One packet of usual web traffic and what is sent back for it. */
static void usual_packet(struct world *w, const uint8_t target[16], bool both_ways)
{
	static const uint8_t flags[] = {
		FLOW_TCP_SYN, FLOW_TCP_ACK, FLOW_TCP_ACK, FLOW_TCP_ACK, FLOW_TCP_ACK, FLOW_TCP_ACK,
		FLOW_TCP_ACK, FLOW_TCP_ACK | FLOW_TCP_PSH, FLOW_TCP_ACK | FLOW_TCP_PSH,
		FLOW_TCP_ACK | FLOW_TCP_PSH, FLOW_TCP_ACK | FLOW_TCP_PSH,
		FLOW_TCP_ACK | FLOW_TCP_FIN,
	};
	struct flow f;

	person(w, &f, 3000);
	memcpy(f.dst, target, 16);
	f.tcp_flags = flags[prng_below(&w->prng, sizeof(flags))];
	f.options_len = f.tcp_flags == FLOW_TCP_SYN ? 20 : 12;
	f.bytes = 40U + f.options_len;
	if (f.tcp_flags & FLOW_TCP_PSH)
		f.bytes += 50 + prng_below(&w->prng, 1350);
	if (prng_below(&w->prng, 12) == 0) { /* QUIC */
		f.protocol = 17;
		f.tcp_flags = 0;
		f.bytes = 60 + prng_below(&w->prng, 1200);
	}
	f.length = (uint16_t)f.bytes;
	add(w, &f, false);
	if (!both_ways)
		return;
	struct flow back = f;
	memcpy(back.src, f.dst, 16);
	memcpy(back.dst, f.src, 16);
	back.sport = f.dport;
	back.dport = f.sport;
	back.tcp_flags = f.tcp_flags == FLOW_TCP_SYN ? FLOW_TCP_SYN | FLOW_TCP_ACK : FLOW_TCP_ACK;
	back.bytes = f.tcp_flags == FLOW_TCP_SYN ? 60 : 900;
	add(w, &back, true);
}

struct mix { uint32_t sampling, usual; bool both_ways; }; /* usual: times the capture's packets */

/* Plays a capture from its first packet on. */
static bool play(struct world *w, const struct capture *c, const struct mix *mix)
{
	int64_t ticks = (c->end - c->begin) / TRAFFIC_TICK_NS + 1;
	double usual_a_tick = (double)mix->usual * c->count / (double)ticks, debt = 0;
	uint32_t next = 0;

	world_init(w, mix->sampling, c->begin);
	for (int64_t t = 0; t < ticks; t++) {
		/* Order within a capture may be off by a little: a tick takes what is before its
		 * end. */
		for (; next < c->count; next++) {
			struct flow f = c->flows[next];
			if (f.first_ms * 1000000 >= w->at + TRAFFIC_TICK_NS)
				break;
			if (memcmp(f.dst, c->target, 16) == 0)
				add(w, &f, false);
			else if (memcmp(f.src, c->target, 16) == 0)
				add(w, &f, true);
		}
		for (debt += usual_a_tick; debt >= 1; debt--)
			usual_packet(w, c->target, mix->both_ways);
		end_tick(w);
	}
	return w->open;
}

struct attack {
	const char *file, *class;
	uint32_t sampling_max; /* more leaves too few packets to say anything */
};
static const struct attack attacks[] = {
	{"stopddos/amp.UDP.snmp.src161.pcapng", "amp.snmp", 100},
	{"stopddos/amp.UDP.isakmp.pcap", "amp.ike", 100},
	{"stopddos/amp.dns.RRSIG.fragmented.pcap", "amp.dns", 1},
	{"stopddos/pkt.TCP.synflood.spoofed.pcap", "tcp.syn", 100},
	{"lab/CIC-DDoS-2019-SynFlood.pcap", "tcp.syn", 100},
	{"lab/dhcp-flood-zero-timespan.pcap", NULL, 100},
};

static void attacks_open_an_incident(void **state)
{
	static const struct mix mixes[] = {
		{1, 0, false}, {1, 10, true}, {1, 10, false}, {10, 0, false}, {10, 10, true},
		{100, 0, false}, {100, 10, true}, {100, 10, false}, {1000, 0, false},
	};
	struct world *w = calloc(1, sizeof(*w));
	struct capture c;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		const struct attack *a = &attacks[i];
		if (!capture_open(&c, a->file))
			continue;
		for (size_t m = 0; m < sizeof(mixes) / sizeof(mixes[0]); m++) {
			bool open = play(w, &c, &mixes[m]);
			const char *class = classes.id[w->opened.classes[0].class];
			bool due = mixes[m].sampling <= a->sampling_max;
			bool right = open && (a->class == NULL || strcmp(class, a->class) == 0);
			if (due && !right)
				wrong++;
			print_message("%-40s 1:%-4u +%ux%s: %s %s after %.2f s, began %.2f%s\n",
				      a->file, mixes[m].sampling, mixes[m].usual,
				      mixes[m].both_ways ? " both ways" : "",
				      open ? "opens" : "nothing", open ? class : "",
				      open ? (double)(w->opened_at - c.begin) / 1e9 : 0.0,
				      open ? (double)(w->opened.began.ns - c.begin) / 1e9 : 0.0,
				      due ? right ? "" : "  WRONG" : "  (too few packets)");
		}
		capture_close(&c);
	}
	free(w);
	assert_int_equal(wrong, 0);
}

static void what_is_no_attack_opens_nothing(void **state)
{
	static const char *const files[] = {
		"lab/control-port-scan.pcap", "lab/control-one-lan-host.pcap",
		"lab/small-syn-below-threshold.pcap", "lab/cldap-one-exchange.pcap",
		"lab/ntp-monlist-one-answer.pcap",
	};
	static const struct mix mixes[] = {
		{1, 0, false}, {1, 10, true}, {1, 10, false}, {10, 0, true}, {100, 0, false},
		{1000, 10, true},
	};
	struct world *w = calloc(1, sizeof(*w));
	struct capture c;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!capture_open(&c, files[i]))
			continue;
		for (size_t m = 0; m < sizeof(mixes) / sizeof(mixes[0]); m++)
			if (play(w, &c, &mixes[m]))
				fail_msg("%s opens, 1:%u +%ux: %s", files[i], mixes[m].sampling,
					 mixes[m].usual,
					 classes.id[w->opened.classes[0].class]);
		capture_close(&c);
	}
	free(w);
}

/* Usual traffic alone, from the first packet on, up to what a large service gets. */
static void a_new_service_opens_nothing(void **state)
{
	static const double rates[] = {100, 2500, 25000};
	static const uint32_t samplings[] = {1, 100};
	struct world *w = calloc(1, sizeof(*w));
	uint8_t target[16] = {10, 10, 10, 10};

	(void)state;
	for (size_t i = 0; i < 3 * 2 * 2; i++) {
		uint32_t sampling = samplings[i / 3 % 2];
		double rate = rates[i % 3] * sampling;
		world_init(w, sampling, wall_s(1700000000).ns);
		w->sampling = 1; /* what is drawn is looked at already */
		for (int t = 0; t < 40; t++) {
			uint64_t n = prng_poisson(&w->prng, rate / 4 / sampling);
			for (uint64_t p = 0; p < n; p++)
				usual_packet(w, target, i >= 6);
			end_tick(w);
			assert_false(w->open);
		}
	}
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attacks_open_an_incident),
		cmocka_unit_test(what_is_no_attack_opens_nothing),
		cmocka_unit_test(a_new_service_opens_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
