/* SPDX-License-Identifier: Apache-2.0 */
/* export_bench: how many records a core decodes from memory, by format. Rows as in decode_bench:
 * name, unit, ours, -, -, -; each the median of ROUNDS, and by our own time on the core. The
 * datagrams are of Ethernet's size, and as many that they do not fit into the inner caches. */
#include "base/check.h"
#include "decode/export_fixture.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATAGRAMS = 2000, ROUNDS = 7, REPEATS = 20, SIZE = 1500 };

struct stream {
	uint8_t (*bytes)[SIZE];
	size_t *lens;
	size_t records;
};

static size_t width(const struct datagram_field *fields, size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += fields[i].width;
	return sum;
}

static struct stream stream_make(uint16_t version, const struct datagram_field *fields,
				 size_t count)
{
	struct stream s = {malloc((size_t)DATAGRAMS * SIZE), malloc(DATAGRAMS * sizeof(size_t)), 0};
	struct datagram *d = malloc(sizeof(*d));
	size_t per = version == 5 ? 30 : (SIZE - 60) / width(fields, count);
	WD_CHECK(s.bytes != NULL && s.lens != NULL && d != NULL);
	for (size_t i = 0; i < DATAGRAMS; i++) {
		struct datagram_header h = {.version = version,
					    .at_s = 1700000000,
					    .uptime_ms = 60000,
					    .sequence = (uint32_t)(version == 9 ? i : i * per)};
		datagram_begin(d, &h);
		if (version == 5)
			for (size_t k = 0; k < per; k++)
				datagram_v5(d, (uint32_t)hash_mix(s.records + k), 0xc0000201, 53,
					    80, 17, 2, 999);
		else {
			datagram_set(d, 300);
			fixture_records(d, fields, count, per, s.records);
			datagram_end(d);
		}
		WD_CHECK(d->len <= SIZE);
		memcpy(s.bytes[i], d->bytes, d->len);
		s.lens[i] = d->len;
		s.records += per;
	}
	free(d);
	return s;
}

static void bench(const char *name, uint16_t version, const struct datagram_field *fields,
		  size_t count)
{
	static struct flow flows[EXPORT_FLOWS_MAX];
	struct stream s = stream_make(version, fields, count);
	struct exports *e = fixture_exports();
	struct exporter_address from = fixture_exporter(0xc0000201);
	double rounds[ROUNDS];
	size_t n;
	if (version != 5) {
		struct datagram *d = malloc(sizeof(*d));
		WD_CHECK(d != NULL);
		datagram_begin(d,
			       &(struct datagram_header){.version = version, .at_s = 1700000000});
		datagram_set(d, version == 9 ? 0 : 2);
		datagram_template(d, 300, fields, count);
		datagram_end(d);
		WD_CHECK(exports_decode(e, &from, d->bytes, d->len, wall_s(1700000000), flows,
					EXPORT_FLOWS_MAX, &n, NULL) == WD_OK);
		free(d);
	}
	for (size_t k = 0; k < ROUNDS; k++) {
		uint64_t sum = 0;
		double begin = cpu_s();
		for (size_t i = 0; i < (size_t)DATAGRAMS * REPEATS; i++) {
			WD_CHECK(exports_decode(e, &from, s.bytes[i % DATAGRAMS],
						s.lens[i % DATAGRAMS], wall_s(1700000000), flows,
						EXPORT_FLOWS_MAX, &n, NULL) == WD_OK);
			sum += n;
		}
		rounds[k] = (double)sum / (cpu_s() - begin);
		WD_CHECK(sum == s.records * REPEATS);
	}
	printf("%s\trecords/s\t%.0f\t-\t-\t-\n", name, median(rounds, ROUNDS));
	exports_close(e);
	free(s.bytes);
	free(s.lens);
}

int main(void)
{
	bench("export: NetFlow v5", 5, NULL, 0);
	bench("export: NetFlow v9, 18 fields", 9, fixture_v9_fields, 18);
	bench("export: IPFIX, 14 fields", 10, fixture_ipfix_fields, 14);
	bench("export: IPFIX IPv6, 12 fields", 10, fixture_ipfix6_fields, 12);
	return 0;
}
