/* SPDX-License-Identifier: Apache-2.0 */
/* Records → flows by a plan. The hot path of every NetFlow v9 and IPFIX exporter. */
#include "base/check.h"
#include "decode/export_codes.h"
#include "decode/export_plan.h"
#include "decode/export_wire.h"

#include <string.h>

enum {
	BLOCK = 32, /* records at a time: their flows (3584 bytes) stay in the first cache */
	ICMP = 1,
	TCP = 6,
	ICMP6 = 58,
	MORE_FRAGMENTS = 0x20,  /* IE 197 */
	FIREWALL_DENIED = 3,    /* IE 233 */
	FORWARDING_DROPPED = 2, /* IE 89, its upper two bits */
};

/* Times beyond the year 9999 are not times. */
static const int64_t ms_max = INT64_C(253402300799999);
/* From 1900, where NTP counts from, to 1970: RFC 5905, figure 4. */
static const uint32_t ntp_1970 = UINT32_C(2208988800);

struct run {
	struct plan_context *context;
	struct flow blank;
	int64_t start_ms[BLOCK]; /* by PLAN_START_MS */
	bool started;
};

struct raw16 { uint64_t half[2]; };

static inline struct raw16 raw16(const uint8_t *p)
{
	struct raw16 x;
	memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint32_t raw4(const uint8_t *p)
{
	uint32_t x;
	memcpy(&x, p, sizeof(x));
	return x;
}

static inline int64_t sane_ms(uint64_t ms)
{
	return ms > (uint64_t)ms_max ? 0 : (int64_t)ms;
}

static int64_t ntp_ms(uint64_t x, unsigned unit)
{
	uint32_t seconds = (uint32_t)(x >> 32);
	/* Before 1970: an exporter that writes plain us or ns since 1970 into it. */
	if (seconds < ntp_1970)
		return sane_ms(unit == 1 ? x / 1000 : x / 1000000);
	return (int64_t)(seconds - ntp_1970) * 1000 + (int64_t)((x & UINT32_MAX) * 1000 >> 32);
}

/* Uptime wraps after 49.7 days: of all times that it may mean the one next to the export. */
static int64_t uptime_ms(const struct run *r, size_t i, uint32_t uptime)
{
	const struct plan_context *c = r->context;
	if (uptime == 0)
		return 0;
	if (c->has_uptime)
		return c->export_ms - (int32_t)(c->uptime_ms - uptime);
	int64_t start = r->started ? r->start_ms[i] : c->start_ms;
	if (start <= 0)
		return 0;
	int64_t apart = c->export_ms - (start + uptime);
	return c->export_ms - (int32_t)(uint32_t)(uint64_t)apart;
}

static void put_ms(uint8_t *to, int64_t ms)
{
	memcpy(to, &ms, sizeof(ms));
}

/* An uptime of 0 is a time where the other is not 0, and the exporter is young. */
static inline bool told(uint32_t x, uint32_t other, uint32_t now)
{
	return x != 0 || (other != 0 && now < 3600000);
}

static int64_t *place_ms(const struct plan_op *op, struct flow *f)
{
	return op->to == offsetof(struct flow, first_ms) ? &f->first_ms : &f->last_ms;
}

static void put(struct flow *f, const struct plan_op *op, uint64_t x)
{
	uint8_t *to = (uint8_t *)f + op->to;
	uint8_t x8 = (uint8_t)x;
	uint16_t x16 = (uint16_t)x;
	uint32_t x32 = (uint32_t)x;
	switch (op->to_width) {
	case 1: memcpy(to, &x8, 1); break;
	case 2: memcpy(to, &x16, 2); break;
	case 4: memcpy(to, &x32, 4); break;
	default: memcpy(to, &x, 8);
	}
}

static void put_else(struct flow *f, const struct plan_op *op, uint64_t x)
{
	uint64_t there;
	memcpy(&there, (uint8_t *)f + op->to, sizeof(there));
	if (there == 0)
		put(f, op, x);
}

/* One of two families in a template: where it is not zeros it is the flow's. */
static void address_else(struct flow *f, const struct plan_op *op, const uint8_t *p, uint8_t family)
{
	static const uint8_t none[16];
	size_t len = family == 4 ? 4 : 16;
	if (memcmp(p, none, len) == 0)
		return;
	if (f->family != family) {
		f->family = family;
		memset(f->src, 0, 16);
		memset(f->dst, 0, 16);
	}
	memcpy((uint8_t *)f + op->to, p, len);
}

static void sampler(struct run *r, struct flow *f, enum plan_sampler kind, uint64_t id)
{
	struct plan_context *c = r->context;
	bool any = kind == PLAN_BY_SAMPLER ? c->by_sampler : c->by_interface;
	uint32_t rate = any ? c->rate(c->arg, kind, id) : 0;
	if (rate > 0)
		f->sampling = rate;
	else if (kind == PLAN_BY_SAMPLER && id == 0)
		f->sampling = c->by_sampler ? 1 : c->sampling; /* 0: this flow was not sampled */
	else if (kind == PLAN_BY_SAMPLER && f->sampling <= 1)
		c->sampling_unknown++;
}

static bool is_icmp(const struct flow *f)
{
	return f->protocol == ICMP || f->protocol == ICMP6;
}

static inline void times(struct flow *f, int64_t first, int64_t last)
{
	last = last != 0 ? last : first;
	f->first_ms = first != 0 && first < last ? first : last;
	f->last_ms = last;
	f->known = (uint8_t)((f->known & ~FLOW_TIMES) | (last != 0 ? FLOW_TIMES : 0));
}

/* Of ICMP there is no source port. Without a branch: what comes next is not to be guessed. */
static inline void end_ports(struct flow *f)
{
	unsigned icmp = (f->protocol == ICMP) | (f->protocol == ICMP6);
	f->sport &= (uint16_t)(icmp - 1);
}

static void end_packet(struct flow *f, bool tcp_complete)
{
	if (f->known & FLOW_PACKET) /* the packet's own bytes said it */
		return;
	if (f->packets == 1 && f->length > 0 && (f->protocol != TCP || tcp_complete)) {
		f->known |= FLOW_PACKET;
		return;
	}
	f->length = f->window = 0;
	f->sequence = 0;
	f->options_len = 0;
}

/* The bytes of a packet where its length is told before it. plan_walk has seen them. */
static const uint8_t *variable_bytes(const uint8_t *p, size_t *ret_len)
{
	*ret_len = p[0] < 255 ? p[0] : wire_u16(p + 1);
	return p[0] < 255 ? p + 1 : p + 3;
}

/* The packet itself says more than the exporter's sums of it. Its size on the wire, which a
 * PLAN_FRAME_SIZE may have put into `length`, bounds what the header says of it. */
static void frame(struct run *r, const struct plan_op *op, const uint8_t *p, struct flow *f)
{
	enum { SIZE_MAX_SANE = 1 << 17 };
	size_t len = op->width;
	if (len == 0)
		p = variable_bytes(p, &len);
	struct packet packet = {.bytes = p, .captured = (uint32_t)len, .linktype = op->to,
				.wire_length = f->length > len ? f->length : SIZE_MAX_SANE};
	struct flow parsed;
	f->length = 0;
	if (packet_parse(&packet, r->context->packets, &parsed) != WD_OK)
		return;
	parsed.sampling = f->sampling;
	parsed.first_ms = f->first_ms;
	parsed.last_ms = f->last_ms;
	parsed.src_as = f->src_as;
	parsed.dst_as = f->dst_as;
	parsed.known |= f->known & (FLOW_TIMES | FLOW_EGRESS | FLOW_AS | FLOW_DROPPED);
	*f = parsed;
}

/* The rare steps, a record at a time. `p` is the field. */
static __attribute__((noinline)) void run_rare(struct run *r, const struct plan_op *op, size_t i,
					       const uint8_t *p, struct flow *f)
{
	uint64_t x = op->width <= 8 ? wire_uint(p, op->width) : 0;
	switch (op->code) {
	case PLAN_ADDRESS6_ELSE: address_else(f, op, p, 6); break;
	case PLAN_ADDRESS4_ELSE: address_else(f, op, p, 4); break;
	case PLAN_UINT: put(f, op, x); break;
	case PLAN_UINT_ELSE: put_else(f, op, x); break;
	case PLAN_START_MS: r->start_ms[i] = sane_ms(x); break;
	case PLAN_TIME_S: *place_ms(op, f) = sane_ms(x > (uint64_t)ms_max ? x : x * 1000); break;
	case PLAN_TIME_NTP: *place_ms(op, f) = ntp_ms(x, op->to_width); break;
	case PLAN_TIME_BEFORE_US:
		*place_ms(op, f) = r->context->export_ms - (int64_t)(x / 1000);
		break;
	case PLAN_DURATION:
		if (f->first_ms != 0 && f->last_ms == 0)
			f->last_ms = f->first_ms + (int64_t)(op->to == 0 ? x : x / 1000);
		break;
	case PLAN_FORWARDING:
		f->known |= (x & 255) >> 6 == FORWARDING_DROPPED ? FLOW_DROPPED : 0;
		break;
	case PLAN_EVENT:
		if (x == FIREWALL_DENIED) {
			f->known |= FLOW_DROPPED;
			f->packets += f->packets == 0;
		}
		break;
	case PLAN_TCP_HEADER: f->options_len = (uint8_t)(x > 20 && x <= 60 ? x - 20 : 0); break;
	case PLAN_SAMPLER: sampler(r, f, PLAN_BY_SAMPLER, x); break;
	case PLAN_RATE: f->sampling = x > 0 && x <= UINT32_MAX ? (uint32_t)x : f->sampling; break;
	case PLAN_ICMP_TYPE:
		f->dport = (uint16_t)(is_icmp(f) ? (f->dport & 255) | x << 8 : f->dport);
		break;
	case PLAN_ICMP_CODE:
		f->dport = (uint16_t)(is_icmp(f) ? (f->dport & 0xff00) | x : f->dport);
		break;
	case PLAN_FRAGMENT_OFFSET:
		if ((x & 0x1fff) != 0) {
			f->fragment = FLOW_FRAGMENT_LATER;
			f->sport = f->dport = 0;
		}
		break;
	case PLAN_FRAGMENT_FLAGS:
		if ((x & MORE_FRAGMENTS) && f->fragment == FLOW_WHOLE)
			f->fragment = FLOW_FRAGMENT_FIRST;
		break;
	case PLAN_FRAME_SIZE: f->length = (uint16_t)(x > UINT16_MAX ? UINT16_MAX : x); break;
	case PLAN_FRAME: frame(r, op, p, f); break;
	case PLAN_END_COUNTS: f->packets += f->packets == 0 && f->bytes > 0; break;
	case PLAN_END_PACKET: end_packet(f, op->to); break;
	default: WD_CHECK(!"a step that is none");
	}
}

/* Steps that many templates have; without a branch, as end_ports. */
static inline void icmp_of(struct flow *f, uint16_t x)
{
	unsigned icmp = (f->protocol == ICMP) | (f->protocol == ICMP6);
	uint16_t take = (uint16_t)(0 - (icmp & (x != 0)));
	f->dport = (uint16_t)((f->dport & ~take) | (x & take));
}

static inline void ttl_of(struct flow *f, uint8_t x)
{
	f->ttl = x;
	f->known |= x != 0 ? FLOW_TTL : 0;
}

static inline void direction_of(struct flow *f, uint8_t x)
{
	f->known |= x == 1 ? FLOW_EGRESS : 0;
}

/* One step over n records, `stride` bytes apart. */
static void run_op(struct run *r, const struct plan_op *op, const uint8_t *p, size_t stride,
		   struct flow *f, size_t n)
{
	uint8_t *to = (uint8_t *)f + op->to;
	switch (op->code) {
#define EACH(statement)                                                                            \
	for (size_t i = 0; i < n; i++, p += stride, to += sizeof(*f)) {                            \
		statement;                                                                         \
	}                                                                                          \
	break
#define LOAD(type, load)                                                                           \
	if (op->pair) {                                                                            \
		const uint8_t *p2 = p - op->at + op->at2;                                          \
		uint8_t *to2 = (uint8_t *)f + op->to2;                                             \
		for (size_t i = 0; i < n; i++) {                                                   \
			type x = load(p), y = load(p2);                                            \
			memcpy(to, &x, sizeof(x));                                                 \
			memcpy(to2, &y, sizeof(y));                                                \
			p += stride;                                                               \
			p2 += stride;                                                              \
			to += sizeof(*f);                                                          \
			to2 += sizeof(*f);                                                         \
		}                                                                                  \
		break;                                                                             \
	}                                                                                          \
	EACH(type x = load(p); memcpy(to, &x, sizeof(x)))
	case PLAN_ADDRESS4: LOAD(uint32_t, raw4);
	case PLAN_ADDRESS6: LOAD(struct raw16, raw16);
	case PLAN_8: LOAD(uint8_t, *);
	case PLAN_16: LOAD(uint16_t, wire_u16);
	case PLAN_32: LOAD(uint32_t, wire_u32);
	case PLAN_64: LOAD(uint64_t, wire_u64);
	case PLAN_16_32: LOAD(uint32_t, wire_u16);
	case PLAN_32_64: LOAD(uint64_t, wire_u32);
	case PLAN_TIME_MS: EACH(put_ms(to, sane_ms(wire_u64(p))));
	case PLAN_TIMES_MS:
		EACH(times(&f[i], sane_ms(wire_u64(p)), sane_ms(wire_u64(p - op->at + op->at2))));
	case PLAN_TIMES_UPTIME:
		if (r->context->has_uptime) {
			int64_t at = r->context->export_ms;
			uint32_t now = r->context->uptime_ms, x, y;
			EACH(x = wire_u32(p); y = wire_u32(p - op->at + op->at2);
			     times(&f[i], told(x, y, now) ? at - (int32_t)(now - x) : 0,
				   told(y, x, now) ? at - (int32_t)(now - y) : 0));
		}
		EACH(times(&f[i], uptime_ms(r, i, wire_u32(p)),
			   uptime_ms(r, i, wire_u32(p - op->at + op->at2))));
	case PLAN_TIME_UPTIME:
		if (r->context->has_uptime) {
			int64_t at = r->context->export_ms;
			uint32_t now = r->context->uptime_ms, x;
			EACH(x = wire_u32(p); put_ms(to, x == 0 ? 0 : at - (int32_t)(now - x)));
		}
		EACH(put_ms(to, uptime_ms(r, i, wire_u32(p))));
	case PLAN_INTERFACE:
		if (!r->context->by_interface)
			break;
		EACH(sampler(r, &f[i], PLAN_BY_INTERFACE, wire_uint(p, op->width)));
	case PLAN_TTL: EACH(ttl_of(&f[i], *p));
	case PLAN_DIRECTION: EACH(direction_of(&f[i], p[op->width - 1]));
	case PLAN_ICMP: EACH(icmp_of(&f[i], wire_u16(p)));
	case PLAN_END_TIMES: EACH(times(&f[i], f[i].first_ms, f[i].last_ms));
	case PLAN_END_PORTS: EACH(end_ports(&f[i]));
	default: EACH(run_rare(r, op, i, p, &f[i]));
#undef LOAD
#undef EACH
	}
}

/* The flows of the other direction, of those that were seen. */
static struct flow swapped(const struct flow *f)
{
	struct flow s = *f;
	memcpy(s.src, f->dst, 16);
	memcpy(s.dst, f->src, 16);
	s.sport = f->dport;
	s.dport = f->sport;
	s.src_as = f->dst_as;
	s.dst_as = f->src_as;
	if (is_icmp(f))
		s.sport = s.dport = 0;
	s.packets = s.bytes = 0;
	s.tcp_flags = s.ttl = s.options_len = 0;
	s.sequence = 0;
	s.length = s.window = 0;
	s.known &= FLOW_AS | FLOW_TIMES | FLOW_DROPPED;
	return s;
}

/* Its branches are known where it is called, and are gone there. */
static inline __attribute__((always_inline)) void
core_as(const struct plan_core *c, bool wide_packets, bool wide_bytes, bool v6,
	const struct flow *blank, const uint8_t *p, size_t stride, struct flow *f, size_t n)
{
	struct plan_core at = *c;
	struct flow b = *blank;
	for (size_t i = 0; i < n; i++, p += stride, f++) {
		wire_flow_copy(f, &b);
		memcpy(f->src, p + at.src, v6 ? 16 : 4);
		memcpy(f->dst, p + at.dst, v6 ? 16 : 4);
		f->packets = wide_packets ? wire_u64(p + at.packets) : wire_u32(p + at.packets);
		f->bytes = wide_bytes ? wire_u64(p + at.bytes) : wire_u32(p + at.bytes);
		f->sport = wire_u16(p + at.sport);
		f->dport = wire_u16(p + at.dport);
		f->protocol = p[at.protocol];
		f->tcp_flags = p[at.flags];
		end_ports(f);
	}
}

static void run_core(const struct plan_core *c, const struct flow *blank, const uint8_t *p,
		     size_t stride, struct flow *f, size_t n)
{
	switch ((blank->family == 6) << 2 | c->wide_packets << 1 | c->wide_bytes) {
	case 0: core_as(c, false, false, false, blank, p, stride, f, n); break;
	case 1: core_as(c, false, true, false, blank, p, stride, f, n); break;
	case 2: core_as(c, true, false, false, blank, p, stride, f, n); break;
	case 3: core_as(c, true, true, false, blank, p, stride, f, n); break;
	case 4: core_as(c, false, false, true, blank, p, stride, f, n); break;
	case 5: core_as(c, false, true, true, blank, p, stride, f, n); break;
	case 6: core_as(c, true, false, true, blank, p, stride, f, n); break;
	default: core_as(c, true, true, true, blank, p, stride, f, n);
	}
}

/* n forward flows stand in out; returns how many of both directions do in the end. Where a
 * record's segments begin: bases[segment], further records `stride` bytes on. */
static size_t run_block(struct run *r, const struct plan *p, const uint8_t *const *bases,
			size_t stride, struct flow *out, size_t n)
{
	if (p->core.is_there)
		run_core(&p->core, &r->blank, bases[0], stride, out, n);
	for (size_t i = 0; i < n && !p->core.is_there; i++)
		wire_flow_copy(&out[i], &r->blank);
	for (size_t k = 0; k < p->op_count; k++)
		if (!p->ops[k].reverse)
			run_op(r, &p->ops[k], bases[p->ops[k].segment] + p->ops[k].at, stride, out,
			       n);
	if (p->only_packets) { /* what is not IP is no flow */
		size_t kept = 0;
		for (size_t i = 0; i < n; i++)
			if (out[i].packets != 0)
				out[kept++] = out[i];
		return kept;
	}
	if (!p->both_ways)
		return n;
	size_t kept = n;
	for (size_t i = 0; i < n; i++)
		out[n + i] = swapped(&out[i]);
	for (size_t k = 0; k < p->op_count; k++)
		if (p->ops[k].reverse) {
			const struct plan_op *op = &p->ops[k];
			run_op(r, op, bases[op->segment] + op->at, stride, out + n, n);
			for (size_t i = 0; op->to == offsetof(struct flow, tcp_flags) &&
					   op->code == PLAN_8 && i < n;
			     i++)
				out[n + i].known |= FLOW_FLAGS;
		}
	for (size_t i = n; i < 2 * n; i++)
		if (out[i].packets != 0 || out[i].bytes != 0)
			out[kept++] = out[i];
	return kept;
}

static struct plan_done run_fixed(struct run *r, const struct plan *p, const uint8_t *bytes,
				  size_t len, struct flow *out, size_t cap)
{
	struct plan_done done = {0};
	size_t stride = p->record_min, ways = 1 + p->both_ways, left = len / stride;
	done.records = left;
	done.used = left * stride;
	while (left > 0) {
		size_t n = left < BLOCK ? left : BLOCK;
		if (n > (cap - done.flows) / ways)
			n = (cap - done.flows) / ways;
		if (n == 0) {
			done.cut = left;
			break;
		}
		done.flows += run_block(r, p, &bytes, stride, out + done.flows, n);
		bytes += n * stride;
		left -= n;
	}
	return done;
}

size_t plan_walk(const struct plan *p, const uint8_t *bytes, size_t len,
		 const uint8_t *bases[PLAN_SEGMENTS_MAX])
{
	size_t at = 0;
	for (size_t s = 0;; s++) {
		if (p->segments[s] > len - at)
			return 0;
		bases[s] = bytes + at;
		at += p->segments[s];
		if (s + 1 == p->segment_count)
			return at;
		if (len - at < 1)
			return 0;
		size_t width = bytes[at++];
		if (width == 255) {
			if (len - at < 2)
				return 0;
			width = wire_u16(bytes + at);
			at += 2;
		}
		if (width > len - at)
			return 0;
		at += width;
	}
}

static struct plan_done run_variable(struct run *r, const struct plan *p, const uint8_t *bytes,
				     size_t len, struct flow *out, size_t cap)
{
	struct plan_done done = {0};
	const uint8_t *bases[PLAN_SEGMENTS_MAX];
	size_t ways = 1 + p->both_ways;
	while (len - done.used >= p->record_min) {
		size_t record = plan_walk(p, bytes + done.used, len - done.used, bases);
		if (record == 0)
			break;
		done.used += record;
		done.records++;
		if (!p->is_flow)
			continue;
		if (cap - done.flows < ways)
			done.cut++;
		else
			done.flows += run_block(r, p, bases, 0, out + done.flows, 1);
	}
	return done;
}

struct plan_done plan_run(const struct plan *p, struct plan_context *context, const uint8_t *bytes,
			  size_t len, struct flow *out, size_t cap)
{
	struct run r; /* start_ms stays as it is: what is read of it is written first */
	r.context = context;
	r.blank = p->blank;
	r.started = false;
	r.blank.sampling = context->sampling > 0 ? context->sampling : 1;
	for (size_t k = 0; k < p->op_count; k++)
		r.started |= p->ops[k].code == PLAN_START_MS;
	if (p->variable)
		return run_variable(&r, p, bytes, len, out, cap);
	if (!p->is_flow)
		return (struct plan_done){.records = len / p->record_min,
					  .used = len - len % p->record_min};
	return run_fixed(&r, p, bytes, len, out, cap);
}
