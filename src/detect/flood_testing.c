/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood_testing.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

static const struct { const char *id; enum source_status status; } rows[TESTING_CLASSES] = {
	[TESTING_OTHER] = {"other", SOURCE_UNKNOWN},
	[TESTING_DNS] = {"amp.dns", SOURCE_REFLECTOR},
	[TESTING_NTP] = {"amp.ntp", SOURCE_REFLECTOR},
	[TESTING_SNMP] = {"amp.snmp", SOURCE_REFLECTOR},
	[TESTING_SYN] = {"syn", SOURCE_UNKNOWN},
	[TESTING_SYNACK] = {"tcp.synack", SOURCE_REFLECTOR},
	[TESTING_RST] = {"tcp.rst", SOURCE_UNKNOWN},
	[TESTING_STREAM] = {"ack", SOURCE_UNKNOWN},
	[TESTING_UDP] = {"udp", SOURCE_UNKNOWN},
	[TESTING_FRAGMENT] = {"frag", SOURCE_UNKNOWN},
	[TESTING_ICMP] = {"icmp", SOURCE_UNKNOWN},
};

void testing_classes(struct vector_classes *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->count = TESTING_CLASSES;
	for (int i = 0; i < TESTING_CLASSES; i++) {
		(void)snprintf(ret->id[i], sizeof(ret->id[i]), "%s", rows[i].id);
		ret->status[i] = (uint8_t)rows[i].status;
	}
	port_class_fill(&ret->udp_to, TESTING_UDP);
	port_class_set(&ret->udp_from, 53, TESTING_DNS);
	port_class_set(&ret->udp_from, 123, TESTING_NTP);
	port_class_set(&ret->udp_from, 161, TESTING_SNMP);
	for (int flags = 0; flags < 256; flags++)
		ret->tcp[flags] = flags & FLOW_TCP_RST ? TESTING_RST : TESTING_STREAM;
	ret->tcp[FLOW_TCP_SYN] = TESTING_SYN;
	ret->tcp[FLOW_TCP_SYN | FLOW_TCP_ECE | FLOW_TCP_CWR] = TESTING_SYN;
	ret->tcp[FLOW_TCP_SYN | FLOW_TCP_ACK] = TESTING_SYNACK;
	memset(ret->icmp4, TESTING_ICMP, sizeof(ret->icmp4));
	ret->fragment = TESTING_FRAGMENT;
}

static uint8_t protocol_of(enum testing_class class)
{
	switch (class) {
	case TESTING_SYN:
	case TESTING_SYNACK:
	case TESTING_RST:
	case TESTING_STREAM:
		return 6;
	case TESTING_ICMP:
		return 1;
	default:
		return 17;
	}
}

static uint64_t address_of(uint8_t address[16], uint32_t number, uint64_t salt)
{
	uint64_t hash = hash_mix(number + (salt << 32) + 1);

	memcpy(address, &hash, 4);
	return hash_mix(hash + 7);
}

static void record_add(struct traffic_tick *t, struct prng *r, const struct testing_traffic *f,
		       float weight, float size)
{
	struct traffic_record rec = {
		.packets = weight, .bytes = weight * size, .priority = weight,
		.sport = f->sport ? f->sport : (uint16_t)prng_below(r, 65536),
		.dport = f->scatter_ports ? (uint16_t)prng_below(r, 65536) : 443,
		.length = (uint16_t)size, .family = 4, .protocol = protocol_of(f->class),
		.tcp_flags = f->flags, .ttl = f->ttl ? f->ttl : (uint8_t)(40 + prng_below(r, 24)),
		.known = FLOW_TTL | FLOW_PACKET, .class = (uint8_t)f->class,
	};
	if (f->single) {
		rec.packets = f->sampling > 1 ? (float)f->sampling : 1;
		rec.bytes = rec.packets * size;
		t->threshold = weight;
	}
	if (f->payload != NULL) {
		rec.payload_len = (uint8_t)strnlen(f->payload, TRAFFIC_PAYLOAD);
		memcpy(rec.payload, f->payload, rec.payload_len);
	}
	uint32_t sources = f->sources > 0 ? f->sources : 1, targets = f->targets ? f->targets : 1;
	uint64_t from = address_of(rec.src, prng_below(r, sources), f->class);
	uint64_t to = address_of(rec.dst, prng_below(r, targets), 99);

	hll_add(t->sources, TRAFFIC_SOURCES_BITS, from);
	hll_add(t->targets, TRAFFIC_TARGETS_BITS, to);
	for (int i = 0; i < TRAFFIC_CLASS_SOURCES; i++) {
		if (t->class_of[i] == 0)
			t->class_of[i] = (uint8_t)(f->class + 1);
		if (t->class_of[i] == f->class + 1) {
			hll_add(t->class_sources[i], TRAFFIC_CLASS_BITS, from);
			break;
		}
	}
	if (t->sample_count < TRAFFIC_SAMPLES)
		t->sample[t->sample_count++] = rec;
}

void testing_add(struct traffic_tick *t, struct prng *r, const struct testing_traffic *f)
{
	uint32_t n = f->sampling > 1 ? f->sampling : 1;
	double seen = n > 1 ? (double)prng_poisson(r, f->packets / n) : f->packets;
	double records = seen < f->records ? seen : f->records;
	struct traffic_sum *in = &t->in[f->class];

	if (seen < 1)
		return;
	in->packets += (uint64_t)(seen * n);
	in->seen += (uint64_t)seen;
	in->records += (uint64_t)seen;
	in->bytes += (uint64_t)(seen * n * (double)f->size);
	for (uint32_t i = 0; i < (uint32_t)records; i++) {
		float scatter = f->size_scatter * (float)(2 * prng_unit(r) - 1);
		record_add(t, r, f, (float)(seen * n / records), f->size * (1 + scatter));
	}
}

void testing_add_out(struct traffic_tick *t, enum testing_class class, double packets, float size)
{
	t->out[class].packets += (uint64_t)packets;
	t->out[class].bytes += (uint64_t)(packets * (double)size);
}
