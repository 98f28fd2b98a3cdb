/* SPDX-License-Identifier: Apache-2.0 */
/* Any flows at any times, counted the fast way (a shard) and the plain way: the sums of all ticks
 * are the same, each tick has a width, and no tick is lost, however far the clock jumps. The input
 * is a list of flows of 24 bytes. */
#include "tally/shard.h"

#include "base/check.h"
#include "tally/address_hash.h"
#include "tally/traffic_inner.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SERVICES = 3, CLASSES = 8, RECORD = 24 };

static struct vector_classes classes;
static struct traffic_tick sum, plain;

static const struct prefix prefixes[] = {
	{.family = 4, .address = {10}, .len = 8, .value = 0},
	{.family = 4, .address = {10, 1}, .len = 16, .value = 1},
	{.family = 6, .address = {0x20, 1}, .len = 16, .value = 2},
};

static void classes_make(void)
{
	classes.count = CLASSES;
	for (unsigned i = 0; i < 256; i++)
		classes.protocol[i] = classes.tcp[i] = classes.icmp4[i] = classes.icmp6[i] =
			(uint8_t)(i % CLASSES);
	for (unsigned i = 0; i < 65536; i++)
		port_class_set(&classes.udp_from, (uint16_t)i, (uint8_t)(i % CLASSES));
}

/* A number of any size out of two bytes. */
static uint64_t number(const uint8_t *p)
{
	return (uint64_t)(p[1] + 1) << (p[0] % 57);
}

static struct flow flow_of(const uint8_t *p)
{
	struct flow f = {
		.family = p[0] & 1 ? 6 : 4,
		.protocol = p[0] & 2 ? 17 : p[0] & 4 ? 6 : p[1],
		.packets = number(p + 2),
		.bytes = number(p + 4),
		.sampling = (uint32_t)number(p + 6) | 1,
		.sport = p[8],
		.dport = p[9],
		.tcp_flags = p[10],
		.fragment = p[11] % 3,
		.known = p[12] & (FLOW_TTL | FLOW_EGRESS | FLOW_FLAGS),
	};
	memcpy(f.src, p + 13, 3);
	memcpy(f.dst, p + 16, 3);
	f.src[0] |= 0x80; /* nobody's, so that all comes in */
	if (f.dst[0] == 10 && f.dst[1] == 1) /* counts for two services: see below */
		f.known &= ~FLOW_EGRESS;
	return f;
}

/* What every tick of a service adds up to. */
static void take(struct shard *s, wd_wall now, size_t room, uint64_t *records)
{
	struct traffic_tick *ticks[SERVICES];
	size_t count;
	while ((count = shard_seal(s, now, ticks, room)) > 0)
		for (size_t i = 0; i < count; i++) {
			WD_CHECK(ticks[i]->width.ns > 0);
			WD_CHECK(ticks[i]->sample_count <= TRAFFIC_SAMPLES);
			for (size_t class = 0; class < VECTOR_CLASSES_MAX; class++)
				records[ticks[i]->index] += ticks[i]->in[class].records;
			if (ticks[i]->index == 0)
				traffic_merge(&sum, ticks[i]);
			shard_take_back(s, ticks[i]);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const services[SERVICES] = {"a", "b", "c"};
	static struct prefix_table *table;
	static struct traffic_rules rules;
	uint64_t records[SERVICES] = {0}, expected[SERVICES] = {0};
	struct shard *s;
	wd_wall now = wall_s(1700000000);

	if (table == NULL) {
		classes_make();
		rules = (struct traffic_rules){&classes, address_key_of(&(struct hash_key){{1}})};
		WD_CHECK(prefix_open(prefixes, WD_COUNT(prefixes), &table, NULL) == WD_OK);
	}
	const struct shard_options o = {.rules = &rules, .prefixes = table, .services = services,
					.service_count = SERVICES, .spares = 1, .seed = 7};
	WD_CHECK(shard_open(&o, &s, NULL) == WD_OK);
	traffic_clear(&sum, "a", now);
	traffic_clear(&plain, "a", now);
	for (; size >= RECORD; data += RECORD, size -= RECORD) {
		struct flow f = flow_of(data);
		bool zero = f.family == 4 && f.dst[0] == 10;
		uint64_t duplicates = shard_counters(s)->duplicates;
		shard_add(s, &f, 1, now);
		bool counted = shard_counters(s)->duplicates == duplicates; /* by the one service */
		if (counted && zero) {
			expected[0]++;
			expected[1] += f.dst[1] == 1;
			traffic_add(&plain, &rules, &f, false, 1);
		}
		if (counted)
			expected[2] += f.family == 6 && f.dst[0] == 0x20 && f.dst[1] == 1;
		/* The clock goes on, and now and then it jumps. */
		int8_t step = (int8_t)data[19];
		now.ns += step > 120 ? 3600 * WD_NS_PER_S : (step & 3) * (TRAFFIC_TICK_NS / 3);
		if (data[20] & 1)
			take(s, now, 1 + (data[20] & 2), records);
		WD_CHECK((f.known & FLOW_EGRESS) || counted);
	}
	now.ns += TRAFFIC_TICK_NS;
	take(s, now, SERVICES, records);
	WD_CHECK(records[0] == expected[0] && records[1] == expected[1] &&
		 records[2] == expected[2]);
	for (size_t class = 0; class < VECTOR_CLASSES_MAX; class++)
		WD_CHECK(memcmp(&sum.in[class], &plain.in[class], sizeof(sum.in[class])) == 0);
	WD_CHECK(memcmp(sum.sources, plain.sources, sizeof(sum.sources)) == 0);
	shard_close(s);
	return 0;
}
