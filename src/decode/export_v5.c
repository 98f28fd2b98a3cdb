/* SPDX-License-Identifier: Apache-2.0 */
/* NetFlow v5: a header of 24 bytes, then records of 48. */
#include "decode/export_read.h"
#include "decode/export_wire.h"

enum { HEADER = 24, RECORD = 48, ICMP = 1, SAMPLING_MASK = 0x3fff };

static void read_record(const struct export_read *r, const uint8_t *p, struct flow *f)
{
	const struct plan_context *c = &r->context;
	memcpy(f->src, p, 4);
	memcpy(f->dst, p + 4, 4);
	f->packets = wire_u32(p + 16);
	f->bytes = wire_u32(p + 20);
	/* Uptimes: differences, so that a wrap between them does not matter. */
	f->first_ms = c->export_ms - (int32_t)(c->uptime_ms - wire_u32(p + 24));
	f->last_ms = c->export_ms - (int32_t)(c->uptime_ms - wire_u32(p + 28));
	if (f->first_ms > f->last_ms)
		f->first_ms = f->last_ms;
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
	struct flow blank = {.family = 4,
			     .sampling = sampling > 0 ? sampling : 1,
			     .known = FLOW_TIMES | FLOW_FLAGS | FLOW_AS};
	if (fit > count)
		fit = count;
	for (size_t i = 0; i < fit; i++) {
		r->out[i] = blank;
		read_record(r, bytes + HEADER + i * RECORD, &r->out[i]);
	}
	struct exporter *x = read_exporter(r);
	x->sampling = blank.sampling;
	x->counts.flows_cut += count - fit;
	x->counts.records += count;
	r->flows = fit;
	r->records = count;
	r->useful = true;
	return WD_OK;
}
