/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_bench: how fast a core tallies flow records and finds addresses, from memory.
 * Prints rows for the bench table. Each figure is the median of ROUNDS, in CPU time.
 *
 * tally: 256 protected addresses of 16 services, 200,000 sources by Zipf's law, the ports and
 * protocols of traffic_testing; and with it a flood of 1.3 M sources seen once each.
 * places: random IPv4 addresses, of build/country.mmdb; the peer is libmaxminddb. */
#include "base/check.h"
#include "intake/geo_read.h"
#include "tally/shard.h"
#include "tally/traffic_testing.h"
#include "timing.h"

#include <math.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROUNDS = 7, RECORDS = 2500000, SPOOFED = 1300000, ZIPF = 200000, SERVICES = 16,
	BATCH = 512, ADDRESSES = 1 << 22, TICKS = 2,
};

static void row(const char *name, const char *unit, double ours)
{
	printf("%s\t%s\t%.3g\t-\t-\t-\n", name, unit, ours);
}

static struct prefix_table *table_make(void)
{
	struct prefix prefixes[SERVICES];
	struct prefix_table *t = NULL;
	for (uint8_t i = 0; i < SERVICES; i++)
		prefixes[i] = (struct prefix){{10, 1, 2, (uint8_t)(i * 16)}, 4, 28, i};
	WD_CHECK(prefix_open(prefixes, SERVICES, &t, NULL) == WD_OK);
	return t;
}

/* Source ranks by Zipf's law with exponent 1: the inverse of its distribution, log-uniform. */
static void flows_make(struct flow *flows, size_t count, bool spoofed)
{
	struct prng r = prng_of(1, spoofed);
	for (size_t i = 0; i < count; i++) {
		uint32_t rank = (uint32_t)exp(prng_unit(&r) * log(ZIPF));
		uint32_t src = (uint32_t)hash_mix(rank);
		uint32_t dst = 0x0a010200 + prng_below(&r, 256);
		bool flood = spoofed && i % RECORDS < SPOOFED;
		if (flood)
			src = (uint32_t)prng_u64(&r);
		flows[i] = testing_flow4(&r, src, dst);
		if (flood) {
			flows[i].protocol = 6;
			flows[i].tcp_flags = FLOW_TCP_SYN;
			flows[i].packets = 1;
		}
	}
	for (size_t i = count - 1; i > 0; i--) { /* shuffled */
		size_t k = prng_below(&r, (uint32_t)i + 1);
		struct flow swap = flows[i];
		flows[i] = flows[k];
		flows[k] = swap;
	}
}

/* Millions a second. The ticks are those of ten million records
 * a second. */
static double tally(const struct shard_options *options, struct flow *flows)
{
	double speeds[ROUNDS];
	static struct traffic_tick *sealed[SERVICES];
	for (int round = 0; round < ROUNDS; round++) {
		struct shard *s = NULL;
		WD_CHECK(shard_open(options, &s, NULL) == WD_OK);
		wd_wall now = wall_s(1000);
		double start = cpu_s();
		for (int tick = 0; tick < TICKS; tick++) {
			for (size_t i = 0; i < RECORDS; i += BATCH) {
				size_t left = RECORDS - i;
				shard_add(s, flows + i, left < BATCH ? left : BATCH, now);
			}
			now = wall_add(now, span_ms(250));
			size_t n = shard_seal(s, now, sealed, SERVICES);
			while (n > 0)
				shard_take_back(s, sealed[--n]);
		}
		speeds[round] = (double)TICKS * RECORDS / (cpu_s() - start) / 1e6;
		shard_close(s);
	}
	return median(speeds, ROUNDS);
}

static double places_by_table(const struct geo *g, const struct geo_address *a, bool many)
{
	double speeds[ROUNDS];
	static struct geo_place places[BATCH];
	uint64_t known = 0;
	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_s();
		for (size_t i = 0; i < ADDRESSES; i += BATCH) {
			if (many)
				geo_find_many(g, a + i, BATCH, places);
			for (size_t k = 0; k < BATCH; k++) {
				if (!many)
					places[k] = geo_find(g, 4, a[i + k].address);
				known += places[k].country[0] != 0;
			}
		}
		speeds[round] = ADDRESSES / (cpu_s() - start) / 1e6;
	}
	WD_CHECK(known > 0);
	return median(speeds, ROUNDS);
}

/* The library's part alone: which record an address has, not what the record says. */
static double places_by_library(const MMDB_s *mmdb, const struct geo_address *a)
{
	enum { SOME = ADDRESSES / 4 };
	double speeds[ROUNDS];
	uint64_t known = 0;
	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_s();
		for (size_t i = 0; i < SOME; i++) {
			struct sockaddr_in in = {.sin_family = AF_INET};
			int error;
			memcpy(&in.sin_addr, a[i].address, 4);
			const void *any = &in;
			known += MMDB_lookup_sockaddr(mmdb, any, &error).found_entry;
		}
		speeds[round] = SOME / (cpu_s() - start) / 1e6;
	}
	WD_CHECK(known > 0);
	return median(speeds, ROUNDS);
}

static void place_row(const char *name, double ours, double library)
{
	printf("telemetry: places, %s\tM addresses/s\t%.1f\tlibmaxminddb\t%.1f\t%.1f\n", name, ours,
	       library, ours / library);
}

static void places_rows(void)
{
	static struct geo_address addresses[ADDRESSES];
	struct place_files files = {.country = "build/country.mmdb"};
	struct prng r = prng_of(1, 7);
	MMDB_s mmdb;
	struct geo *g = NULL;
	double start = cpu_s();
	bool made = geo_read(&files, &g, NULL) == WD_OK;
	double took = cpu_s() - start;
	if (!made || MMDB_open(files.country, MMDB_MODE_MMAP, &mmdb) != MMDB_SUCCESS) {
		fprintf(stderr, "no build/country.mmdb: places not measured\n");
		geo_close(g);
		return;
	}
	row("telemetry: table of places, made in", "s", took);
	row("telemetry: table of places", "MB", (double)geo_memory(g) / 1e6);
	for (size_t i = 0; i < ADDRESSES; i++) {
		uint64_t random = prng_u64(&r);
		memcpy(addresses[i].address, &random, 4);
		addresses[i].family = 4;
	}
	double library = places_by_library(&mmdb, addresses);
	place_row("one by one", places_by_table(g, addresses, false), library);
	place_row("in batches", places_by_table(g, addresses, true), library);
	geo_close(g);
	MMDB_close(&mmdb);
}

int main(void)
{
	static struct vector_classes classes;
	static const char *const names[SERVICES] = {"a", "b", "c", "d", "e", "f", "g", "h",
						    "i", "j", "k", "l", "m", "n", "o", "p"};
	struct hash_key secret = {{1}};
	testing_classes(&classes);
	struct traffic_rules rules = {&classes, address_key_of(&secret)};
	struct prefix_table *table = table_make();
	struct shard_options o = {&rules, table, names, SERVICES, SERVICES, 1};
	struct flow *flows = calloc(RECORDS, sizeof(*flows));

	WD_CHECK(flows != NULL);
	flows_make(flows, RECORDS, false);
	row("telemetry: tally, 200,000 sources", "M records/s", tally(&o, flows));
	flows_make(flows, RECORDS, true);
	row("telemetry: tally, and 1.3 M spoofed", "M records/s", tally(&o, flows));
	free(flows);
	places_rows();
	prefix_close(table);
	return 0;
}
