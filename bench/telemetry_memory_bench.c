/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_memory_bench: flow exports from memory through decoder and tally, as a collecting
 * thread does it: datagram by datagram, a few hundred flows at a time. No kernel, no detection
 * (those are in bench/telemetry.py). The load is bench/flow_load.h's to 16 services; a tick
 * (250 ms) is as many records as a rate of RATE makes. Each figure is the median of ROUNDS, in
 * CPU time of the thread. */
#include "base/check.h"
#include "command/traffic_rules.h"
#include "decode/export.h"
#include "decode/sflow.h"
#include "flow_load.h"
#include "tally/shard.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROUNDS = 7, RECORDS = 2500000, SAMPLES = 1000000, SERVICES = 16, GATHER = 256,
	RATE = 10000000, /* records a second */
	FLOWS = GATHER + EXPORT_FLOWS_MAX,
};

struct reader {
	struct exports *exports;
	struct sflow *sflow;
	struct shard *shard;
	struct flow *flows;
	size_t count; /* of flows that wait */
	uint64_t tallied, since_seal;
	wd_wall now;
};

static double thread_s(void)
{
	return clock_s(CLOCK_THREAD_CPUTIME_ID);
}

static void seal(struct reader *r)
{
	static struct traffic_tick *sealed[SERVICES];
	r->since_seal = 0;
	r->now = wall_add(r->now, span_ms(250));
	size_t n = shard_seal(r->shard, r->now, sealed, SERVICES);
	while (n > 0)
		shard_take_back(r->shard, sealed[--n]);
}

static void flush(struct reader *r)
{
	shard_add(r->shard, r->flows, r->count, r->now);
	r->tallied += r->count;
	r->since_seal += r->count;
	r->count = 0;
	if (r->since_seal >= RATE / 4)
		seal(r);
}

static void take(struct reader *r, enum export_format format, const uint8_t *bytes, size_t len)
{
	static const struct exporter_address exporter = {{192, 0, 2, 1}, 4};
	size_t n = 0, room = FLOWS - r->count;
	struct flow *out = r->flows + r->count;
	enum wd_err err = format == EXPORT_SFLOW
				  ? sflow_decode(r->sflow, &exporter, bytes, len, r->now, out, room,
						 &n, NULL)
				  : exports_decode(r->exports, &exporter, bytes, len, r->now, out,
						   room, &n, NULL);
	WD_CHECK(err == WD_OK);
	r->count += n;
	if (r->count >= GATHER)
		flush(r);
}

/* The least time that each part of the load ever took: what other work on the machine does not
 * touch. For comparing two versions; the rows say the median. */
enum { PART = 512, PARTS_MAX = 1024 };
static double least[PARTS_MAX];

static double read_all(struct reader *r, const struct flow_load *load, enum export_format format)
{
	double begin = thread_s(), before = begin;
	size_t at = 0;
	for (size_t n = 0; n < load->count; at += load->lens[n++]) {
		take(r, format, load->bytes + at, load->lens[n]);
		size_t part = n / PART;
		if (n % PART != PART - 1 || part >= PARTS_MAX)
			continue;
		double now = thread_s(), took = now - before;
		least[part] = least[part] > 0 && least[part] < took ? least[part] : took;
		before = now;
	}
	flush(r);
	return thread_s() - begin;
}

static double least_sum(size_t datagrams)
{
	double sum = 0;
	for (size_t part = 0; part < datagrams / PART && part < PARTS_MAX; part++)
		sum += least[part];
	return sum;
}

static double run(const struct shard_options *o, const struct flow_load *load,
		  enum export_format format, uint64_t records)
{
	double speeds[ROUNDS];
	static const struct hash_key key = {{3}};
	const struct exports_limits limits = exports_limits_default();
	const struct sflow_limits sflow = {64};
	struct reader r = {.flows = calloc(FLOWS, sizeof(struct flow))};

	WD_CHECK(r.flows != NULL);
	WD_CHECK(exports_open(&limits, &key, &r.exports) == WD_OK);
	WD_CHECK(sflow_open(&sflow, &key, &r.sflow) == WD_OK);
	WD_CHECK(shard_open(o, &r.shard, NULL) == WD_OK);
	r.now = wall_s(1793620800);
	for (int round = -1; round < ROUNDS; round++) { /* the first one warms up */
		if (round == 0)
			memset(least, 0, sizeof(least));
		double took = read_all(&r, load, format);
		WD_CHECK(r.tallied == records);
		r.tallied = 0;
		if (round >= 0)
			speeds[round] = (double)records / took / 1e6;
	}
	free(r.flows);
	exports_close(r.exports);
	sflow_close(r.sflow);
	shard_close(r.shard);
	double middle = median(speeds, ROUNDS);
	fprintf(stderr, "%s: %.2f to %.2f; undisturbed %.2f\n", export_format_name(format),
		speeds[0], speeds[ROUNDS - 1],
		(double)records / least_sum(load->count) / 1e6);
	return middle;
}

static struct prefix_table *table_make(void)
{
	struct prefix prefixes[SERVICES];
	struct prefix_table *t = NULL;
	for (uint8_t i = 0; i < SERVICES; i++)
		prefixes[i] = (struct prefix){{198, 51, 100, (uint8_t)(i * 16)}, 4, 28, i};
	WD_CHECK(prefix_open(prefixes, SERVICES, &t, NULL) == WD_OK);
	return t;
}

int main(int argc, char **argv)
{
	static struct traffic_book book;
	static const struct hash_key secret = {{1}};
	static const char *const names[SERVICES] = {"a", "b", "c", "d", "e", "f", "g", "h",
						    "i", "j", "k", "l", "m", "n", "o", "p"};
	static const struct row { enum export_format format; bool spoofed; const char *name; }
	rows[] = {
		{EXPORT_NETFLOW5, false, "NetFlow v5"},
		{EXPORT_NETFLOW9, false, "NetFlow v9"},
		{EXPORT_IPFIX, false, "IPFIX"},
		{EXPORT_IPFIX, true, "IPFIX of forged sources alone"},
		{EXPORT_SFLOW, false, "sFlow samples"},
	};
	traffic_book_open(&book, &secret, NULL);
	struct prefix_table *table = table_make();
	const struct shard_options o = {&book.rules, table, names, SERVICES, SERVICES, 1};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum export_format format = rows[i].format;
		if (argc > 1 && strcmp(argv[1], export_format_name(format)) != 0)
			continue;
		uint64_t records = format == EXPORT_SFLOW ? SAMPLES : RECORDS;
		struct flow_load load =
			flow_load_make(format, records, rows[i].spoofed, wall_s(1793620800));
		printf("telemetry: %s from memory, decoded and tallied\tM records/CPU s\t%.1f"
		       "\t-\t-\t-\n", rows[i].name, run(&o, &load, format, records));
		flow_load_free(&load);
	}
	prefix_close(table);
	traffic_book_close(&book);
	return 0;
}
