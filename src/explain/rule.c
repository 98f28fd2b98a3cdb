/* SPDX-License-Identifier: Apache-2.0 */
/* explain/vector: the rule and the fingerprint. */
#include "explain/vector.h"

#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PORTS_SAID = 3, TTLS_SAID = 3, FINGERPRINT_MIN = 30 };
#define COVERS 0.9

static void say(char *dst, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void say(char *dst, size_t size, const char *fmt, ...)
{
	size_t used = strlen(dst);
	va_list args;
	va_start(args, fmt);
	vsnprintf(dst + used, size - used, fmt, args);
	va_end(args);
}

static void say_protocol(const struct profile *p, char *dst, size_t size)
{
	static const struct { uint8_t flag; const char *name; } flags[] = {
		{FLOW_TCP_SYN, "syn"}, {FLOW_TCP_ACK, "ack"}, {FLOW_TCP_PSH, "psh"},
		{FLOW_TCP_RST, "rst"}, {FLOW_TCP_FIN, "fin"}, {FLOW_TCP_URG, "urg"},
		{FLOW_TCP_ECE, "ece"}, {FLOW_TCP_CWR, "cwr"}};
	static const struct { uint8_t number; const char *name; } names[] = {
		{17, "udp"}, {6, "tcp"}, {1, "icmp"}, {58, "icmp6"}, {47, "gre"}, {50, "esp"}};
	size_t i = 0;

	while (i < sizeof(names) / sizeof(names[0]) && names[i].number != p->protocol)
		i++;
	if (i < sizeof(names) / sizeof(names[0]))
		say(dst, size, "%s", names[i].name);
	else
		say(dst, size, "protocol %u", p->protocol);
	if (p->protocol != 6 || p->flags_weight <= 0)
		return;
	if (p->flags_or == 0)
		say(dst, size, " without flags");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if ((p->flags_or & flags[i].flag) != 0)
			say(dst, size, " %s", flags[i].name);
	}
}

/* "from 53", if at most three ports cover it. */
static void say_ports(const struct profile_top *t, double weight, const char *word, char *dst,
		      size_t size)
{
	bool said[PROFILE_TOP] = {false};
	uint16_t ports[PORTS_SAID];
	double covered = 0;
	size_t count = 0;

	while (count < PORTS_SAID && covered < COVERS * weight) {
		size_t best = PROFILE_TOP;
		for (size_t i = 0; i < t->count; i++) {
			if (!said[i] && (best == PROFILE_TOP || t->weight[i] > t->weight[best]))
				best = i;
		}
		if (best == PROFILE_TOP)
			break;
		said[best] = true;
		ports[count++] = t->value[best];
		covered += (double)t->weight[best];
	}
	if (covered < COVERS * weight)
		return;
	for (size_t i = 0; i < count; i++)
		say(dst, size, "%s%u", i == 0 ? word : ",", ports[i]);
}

static void say_ttl(const struct profile *p, char *dst, size_t size)
{
	double sum = 0, below = 0;
	unsigned used = 0, values[TTLS_SAID], low = 256, high = 0;

	for (unsigned i = 0; i < 256; i++) {
		sum += (double)p->ttls[i];
		if (p->ttls[i] > 0 && used++ < TTLS_SAID)
			values[used - 1] = i;
	}
	if (used == 0 || sum < COVERS * p->weight)
		return;
	if (used <= TTLS_SAID) {
		for (unsigned i = 0; i < used; i++)
			say(dst, size, "%s%u", i == 0 ? ", ttl " : ",", values[i]);
		return;
	}
	for (unsigned i = 0; i < 256; i++) { /* without a twentieth on each side */
		below += (double)p->ttls[i];
		if (low == 256 && below > sum * (1 - COVERS) / 2)
			low = i;
		if (p->ttls[i] > 0 && below - (double)p->ttls[i] < sum * (1 + COVERS) / 2)
			high = i;
	}
	say(dst, size, ", ttl %u-%u", low, high);
}

void vector_rule(const struct profile *p, char *dst, size_t size)
{
	uint16_t length;

	dst[0] = '\0';
	say_protocol(p, dst, size);
	if (p->protocol == 17 || p->protocol == 6) {
		say_ports(&p->sport, p->weight, " from ", dst, size);
		say_ports(&p->dport, p->weight, " to ", dst, size);
	} else if (p->protocol == 1 || p->protocol == 58) {
		if (profile_top_share(&p->dport, p->weight, &length) >= COVERS)
			say(dst, size, " type %u code %u", length >> 8, length & 0xff);
	}
	if (p->length_weight > 0 &&
	    profile_top_share(&p->length, (double)p->length_weight, &length) >= COVERS)
		say(dst, size, ", length %u", length);
	else if (p->length_weight > 0)
		say(dst, size, ", length %u-%u", p->length_min, p->length_max);
	say_ttl(p, dst, size);
	if (p->payload_any && p->payload_len >= 2 &&
	    (double)p->payload_weight >= COVERS * p->weight) {
		say(dst, size, ", begins ");
		for (size_t i = 0; i < p->payload_len && i < 8; i++)
			say(dst, size, "%02x", p->payload[i]);
	}
}

static void mix(uint64_t *h, unsigned what, uint64_t value, unsigned *features)
{
	*h = hash_mix(*h ^ hash_mix((uint64_t)what << 56 ^ value));
	++*features;
}

uint64_t vector_fingerprint(const struct profile *p, const struct vector_row *row)
{
	uint64_t h = UINT64_C(0x77646670); /* changes when the shape's meaning does */
	unsigned features = 0;
	uint16_t value;
	double tcp = (double)p->packet_weight;

	if (p->records < FINGERPRINT_MIN || (row != NULL && row->status == SOURCE_REFLECTOR))
		return 0; /* what reflectors answer with is theirs, not the tool's */
	mix(&h, 0, (uint64_t)p->protocol << 8 | (p->protocol == 6 ? p->flags_or : 0), &features);
	features = 0;
	if (p->length_weight > 0 &&
	    profile_top_share(&p->length, (double)p->length_weight, &value) >= COVERS)
		mix(&h, 1, value, &features);
	if (profile_top_share(&p->sport, p->weight, &value) >= COVERS && p->protocol != 1)
		mix(&h, 2, value, &features);
	if (tcp > 0) {
		if ((double)p->no_options >= COVERS * tcp)
			mix(&h, 3, 0, &features);
		if ((double)p->window_zero >= COVERS * tcp)
			mix(&h, 4, 0, &features);
		if ((double)p->sequence_low_zero >= COVERS * tcp)
			mix(&h, 5, 0, &features);
		if ((double)p->sequence_target >= COVERS * tcp)
			mix(&h, 6, 0, &features);
	}
	if (p->payload_any && p->payload_len >= 4 &&
	    (double)p->payload_weight >= COVERS * p->weight) {
		uint64_t start = 0;
		for (size_t i = 0; i < 4; i++)
			start = start << 8 | p->payload[i];
		mix(&h, 7, start, &features);
	}
	return features >= 2 ? (h == 0 ? 1 : h) : 0;
}
