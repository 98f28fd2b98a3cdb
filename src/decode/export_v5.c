/* SPDX-License-Identifier: Apache-2.0 */
/* NetFlow v5: a header of 24 bytes, then records of 48. */
#include "decode/export_read.h"
#include "decode/export_wire.h"

enum { HEADER = 24, RECORD = 48, ICMP = 1, SAMPLING_MASK = 0x3fff };

static inline void read_record(const struct export_read *r, const struct flow *blank,
			       const uint8_t *p, struct flow *f)
{
	const struct plan_context *c = &r->context;
	int64_t at = c->export_ms;
	wire_flow_copy(f, blank);
	memcpy(f->src, p, 4);
	memcpy(f->dst, p + 4, 4);
	f->packets = wire_u32(p + 16);
	f->bytes = wire_u32(p + 20);
	/* Uptimes: differences, so that a wrap between them does not matter. */
	int64_t first = at - (int32_t)(c->uptime_ms - wire_u32(p + 24));
	int64_t last = at - (int32_t)(c->uptime_ms - wire_u32(p + 28));
	f->first_ms = first < last ? first : last;
	f->last_ms = last;
	f->protocol = p[38];
	f->sport = f->protocol == ICMP ? 0 : wire_u16(p + 32);
	f->dport = wire_u16(p + 34);
	f->tcp_flags = p[37];
	f->src_as = wire_u16(p + 40);
	f->dst_as = wire_u16(p + 42);
}

enum wd_err read_v5(struct export_read *r, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	size_t count = wire_u16(bytes + 2), fit = r->cap;
	if (count == 0)
		return wd_fail(why, WD_MALFORMED, 2, "no records");
	if ((len - HEADER) / RECORD < count)
		return wd_fail(why, WD_SHORT, 2, "fewer records than it says");
	uint32_t sampling = wire_u16(bytes + 22) & SAMPLING_MASK;
	sampling = sampling > 0 ? sampling : 1;
	const struct flow blank = {.family = 4, .sampling = sampling,
				   .known = FLOW_TIMES | FLOW_FLAGS | FLOW_AS};
	if (fit > count)
		fit = count;
	for (size_t i = 0; i < fit; i++)
		read_record(r, &blank, bytes + HEADER + i * RECORD, &r->out[i]);
	struct exporter *x = read_exporter(r);
	x->sampling = sampling;
	x->counts.flows_cut += count - fit;
	x->counts.records += count;
	r->flows = fit;
	r->records = count;
	r->useful = true;
	return WD_OK;
}
