/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a conversation of exporters: no crash, it ends, memory keeps its bounds, and
 * every flow is sound. The input is cut into datagrams: one byte whose bits choose the exporter
 * and how far the clock goes on, two bytes of length, then that many. */
#include "decode/export_fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t check_flows(const struct flow *flows, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		const struct flow *f = &flows[i];
		WD_CHECK((f->known & FLOW_TTL) || f->ttl == 0);
		WD_CHECK(!(f->known & FLOW_PACKET) == (f->length == 0));
		WD_CHECK(f->fragment <= FLOW_FRAGMENT_LATER);
		sum += export_fuzz_flow(f);
	}
	return sum;
}

static void check_counts(const struct exports *e)
{
	struct export_totals t;
	exports_totals(e, &t);
	WD_CHECK(t.exporters <= export_fuzz_limits.exporters &&
		 t.templates <= export_fuzz_limits.templates);
	WD_CHECK(t.counts.held >= t.counts.held_used + t.counts.held_dropped);
	WD_CHECK(t.counts.records >= t.counts.records_not_flows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct flow flows[EXPORT_FLOWS_MAX];
	static const struct hash_key key = {{7}};
	struct exports *e;
	wd_wall now = wall_s(1700000000), at;
	volatile uint64_t seen = 0;
	size_t n;

	if (size > 1 << 17 || exports_open(&export_fuzz_limits, &key, &e) != WD_OK)
		return 0;
	while (size >= 3) {
		size_t len = (size_t)data[1] << 8 | data[2];
		struct exporter_address from = {.family = data[0] & 16 ? 6 : 4,
						.bytes = {data[0] & 15}};
		now = wall_add(now, span_s((data[0] >> 5) * 30));
		data += 3;
		size -= 3;
		len = len < size ? len : size;
		uint8_t *exact = malloc(len > 0 ? len : 1);
		WD_CHECK(exact != NULL);
		for (size_t i = 0; i < len; i++)
			exact[i] = data[i];
		if (exports_decode(e, &from, exact, len, now, flows, EXPORT_FLOWS_MAX, &n, NULL) ==
		    WD_OK) {
			WD_CHECK(n <= EXPORT_FLOWS_MAX);
			seen += check_flows(flows, n);
		}
		while (exports_held(e, now, flows, EXPORT_FLOWS_MAX, &n, &at))
			seen += check_flows(flows, n);
		free(exact);
		data += len;
		size -= len;
		check_counts(e);
	}
	exports_close(e);
	(void)seen;
	return 0;
}
