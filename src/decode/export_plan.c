/* SPDX-License-Identifier: Apache-2.0 */
/* The table of information elements, and a template's way into a plan.
 * Source of numbers and widths: IANA "IP Flow Information Export (IPFIX) Entities"; NetFlow v9
 * uses the same below 128 (RFC 3954, 8; RFC 7012, 4). */
#include "decode/export_plan.h"

#include "base/check.h"
#include "decode/export_codes.h"

#include <string.h>

#define TO(member)                                                                                 \
	(uint8_t) offsetof(struct flow, member), (uint8_t)sizeof(((struct flow *)0)->member)

/* Of two elements of one group in a template the lower rank is read. */
enum group {
	ALONE,
	BYTES,
	PACKETS,
	SPORT,
	DPORT,
	TTL,
	FIRST,
	LAST,
	DURATION,
	ICMP,
	LENGTH,
	RATE,
	ONE_SAMPLER,
	FRAME,
	GROUPS,
};

struct element {
	uint16_t number;
	uint8_t code;
	uint8_t to, to_width;
	uint16_t width_min, width_max; /* reduced-size encoding: RFC 7011, 6.2 */
	uint8_t group, rank;
	uint8_t known; /* that every flow of it then has */
	bool reverse;  /* of the other direction, without RFC 5103 */
};

static const struct element elements[] = {
	{1, PLAN_UINT, TO(bytes), 1, 8, BYTES, 0},
	{2, PLAN_UINT, TO(packets), 1, 8, PACKETS, 0},
	{4, PLAN_UINT, TO(protocol), 1, 4},
	{6, PLAN_UINT, TO(tcp_flags), 1, 4, .known = FLOW_FLAGS},
	{7, PLAN_UINT, TO(sport), 1, 4, SPORT, 0},
	{8, PLAN_ADDRESS4, TO(src), 4, 4},
	{10, PLAN_INTERFACE, 0, 0, 1, 8},
	{11, PLAN_UINT, TO(dport), 1, 4, DPORT, 0},
	{12, PLAN_ADDRESS4, TO(dst), 4, 4},
	{16, PLAN_UINT, TO(src_as), 1, 4, .known = FLOW_AS},
	{17, PLAN_UINT, TO(dst_as), 1, 4, .known = FLOW_AS},
	{21, PLAN_TIME_UPTIME, TO(last_ms), 4, 4, LAST, 6},
	{22, PLAN_TIME_UPTIME, TO(first_ms), 4, 4, FIRST, 6},
	{23, PLAN_UINT, TO(bytes), 1, 8, BYTES, 4},
	{24, PLAN_UINT, TO(packets), 1, 8, PACKETS, 4},
	{25, PLAN_UINT, TO(length), 1, 8, LENGTH, 1},
	{26, PLAN_UINT, TO(length), 1, 8, LENGTH, 2},
	{27, PLAN_ADDRESS6, TO(src), 16, 16},
	{28, PLAN_ADDRESS6, TO(dst), 16, 16},
	{32, PLAN_ICMP, 0, 0, 2, 2, ICMP, 0},
	{34, PLAN_RATE, 0, 0, 1, 8, RATE, 0},
	{48, PLAN_SAMPLER, 0, 0, 1, 8, ONE_SAMPLER, 0},
	{50, PLAN_RATE, 0, 0, 1, 8, RATE, 1},
	{52, PLAN_TTL, 0, 0, 1, 1, TTL, 1},
	{53, PLAN_TTL, 0, 0, 1, 1, TTL, 2},
	{61, PLAN_DIRECTION, 0, 0, 1, 4},
	{85, PLAN_UINT, TO(bytes), 1, 8, BYTES, 1},
	{86, PLAN_UINT, TO(packets), 1, 8, PACKETS, 1},
	{88, PLAN_FRAGMENT_OFFSET, 0, 0, 1, 2},
	{89, PLAN_FORWARDING, 0, 0, 1, 4},
	{103, PLAN_FRAME_SIZE, 0, 0, 1, 8},
	{104, PLAN_FRAME, PACKET_ETHERNET, 0, 1, 65534, FRAME, 1},
	{139, PLAN_ICMP, 0, 0, 2, 2, ICMP, 1},
	{150, PLAN_TIME_S, TO(first_ms), 4, 8, FIRST, 5},
	{151, PLAN_TIME_S, TO(last_ms), 4, 8, LAST, 5},
	{152, PLAN_TIME_MS, TO(first_ms), 8, 8, FIRST, 0},
	{153, PLAN_TIME_MS, TO(last_ms), 8, 8, LAST, 0},
	{154, PLAN_TIME_NTP, offsetof(struct flow, first_ms), 1, 8, 8, FIRST, 1},
	{155, PLAN_TIME_NTP, offsetof(struct flow, last_ms), 1, 8, 8, LAST, 1},
	{156, PLAN_TIME_NTP, offsetof(struct flow, first_ms), 2, 8, 8, FIRST, 2},
	{157, PLAN_TIME_NTP, offsetof(struct flow, last_ms), 2, 8, 8, LAST, 2},
	{158, PLAN_TIME_BEFORE_US, TO(first_ms), 4, 4, FIRST, 3},
	{159, PLAN_TIME_BEFORE_US, TO(last_ms), 4, 4, LAST, 3},
	{160, PLAN_START_MS, 0, 0, 8, 8},
	{161, PLAN_DURATION, 0, 0, 4, 4, DURATION, 0},
	{162, PLAN_DURATION, 1, 0, 4, 4, DURATION, 1},
	{171, PLAN_UINT, TO(bytes), 1, 8, BYTES, 5},
	{172, PLAN_UINT, TO(packets), 1, 8, PACKETS, 5},
	{176, PLAN_ICMP_TYPE, 0, 0, 1, 1},
	{177, PLAN_ICMP_CODE, 0, 0, 1, 1},
	{178, PLAN_ICMP_TYPE, 0, 0, 1, 1},
	{179, PLAN_ICMP_CODE, 0, 0, 1, 1},
	{180, PLAN_UINT, TO(sport), 2, 2, SPORT, 1},
	{181, PLAN_UINT, TO(dport), 2, 2, DPORT, 1},
	{182, PLAN_UINT, TO(sport), 2, 2, SPORT, 2},
	{183, PLAN_UINT, TO(dport), 2, 2, DPORT, 2},
	{184, PLAN_UINT, TO(sequence), 4, 4},
	{186, PLAN_UINT, TO(window), 2, 2},
	{188, PLAN_TCP_HEADER, 0, 0, 1, 1},
	{192, PLAN_TTL, 0, 0, 1, 1, TTL, 0},
	{197, PLAN_FRAGMENT_FLAGS, 0, 0, 1, 1},
	{224, PLAN_UINT, TO(length), 1, 8, LENGTH, 0},
	{231, PLAN_UINT, TO(bytes), 1, 8, BYTES, 2},
	{232, PLAN_UINT, TO(bytes), 1, 8, BYTES, 1, .reverse = true},
	{233, PLAN_EVENT, 0, 0, 1, 1},
	{298, PLAN_UINT, TO(packets), 1, 8, PACKETS, 2},
	{299, PLAN_UINT, TO(packets), 1, 8, PACKETS, 1, .reverse = true},
	{302, PLAN_SAMPLER, 0, 0, 1, 8, ONE_SAMPLER, 1},
	{312, PLAN_FRAME_SIZE, 0, 0, 1, 8},
	{313, PLAN_FRAME, PACKET_RAW, 0, 1, 65534, FRAME, 2},
	{315, PLAN_FRAME, PACKET_ETHERNET, 0, 1, 65534, FRAME, 0},
	{322, PLAN_TIME_S, TO(first_ms), 4, 8, FIRST, 10},
	{323, PLAN_TIME_MS, TO(first_ms), 8, 8, FIRST, 7},
	{324, PLAN_TIME_NTP, offsetof(struct flow, first_ms), 1, 8, 8, FIRST, 8},
	{325, PLAN_TIME_NTP, offsetof(struct flow, first_ms), 2, 8, 8, FIRST, 9},
	{352, PLAN_UINT, TO(bytes), 1, 8, BYTES, 6},
	{353, PLAN_UINT, TO(bytes), 1, 8, BYTES, 7},
};

static const struct element *element_of(uint16_t number)
{
	size_t low = 0, high = WD_COUNT(elements);
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (elements[mid].number == number)
			return &elements[mid];
		if (elements[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* A plan in the making. */
struct draft {
	struct plan *plan;
	const struct element *of[PLAN_OPS_MAX]; /* of each op; NULL = an end */
	bool seen[2][WD_COUNT(elements)];
	bool full;
	bool tunnel; /* the protocol stands there twice */
};

static void add(struct draft *d, struct plan_op op, const struct element *element)
{
	if (d->plan->op_count == PLAN_OPS_MAX) {
		d->full = true;
		return;
	}
	d->of[d->plan->op_count] = element;
	d->plan->ops[d->plan->op_count++] = op;
}

/* A number that is wider than its place is read by its low bytes. */
static struct plan_op sized(struct plan_op op)
{
	if (op.code != PLAN_UINT)
		return op;
	if (op.width > op.to_width) {
		op.at = (uint16_t)(op.at + op.width - op.to_width);
		op.width = op.to_width;
	}
	if (op.width == op.to_width)
		op.code = op.width == 1   ? PLAN_8
			  : op.width == 2 ? PLAN_16
			  : op.width == 4 ? PLAN_32
					  : PLAN_64;
	else if (op.width == 2 && op.to_width == 4)
		op.code = PLAN_16_32;
	else if (op.width == 4 && op.to_width == 8)
		op.code = PLAN_32_64;
	return op;
}

/* What makes sense of the other direction: addresses and ports are swapped instead. */
static bool may_be_reverse(const struct element *e)
{
	if (e->code == PLAN_UINT)
		return e->group == BYTES || e->group == PACKETS || e->known == FLOW_FLAGS;
	return e->group == TTL || e->group == FIRST || e->group == LAST;
}

/* Of a tunnel, exporters give the outer packet's elements and then the same of the inner one
 * (RFC 7011, 8: order tells). As decode/packet does, we take what is inside. */
static bool names_the_flow(const struct element *e)
{
	return e->code == PLAN_ADDRESS4 || e->code == PLAN_ADDRESS6 || e->number == 4 ||
	       e->number == 6 || e->number == 7 || e->number == 11;
}

static void move_inside(struct draft *d, const struct element *e, uint16_t width, size_t at,
			size_t segment)
{
	for (size_t i = 0; i < d->plan->op_count; i++) {
		struct plan_op *op = &d->plan->ops[i];
		if (d->of[i] != e || op->reverse)
			continue;
		op->at = (uint16_t)at;
		op->segment = (uint8_t)segment;
		op->width = width;
		d->tunnel |= e->number == 4;
	}
}

static void add_field(struct draft *d, const struct plan_field *f, size_t at, size_t segment,
		      bool variable)
{
	const struct element *e = NULL;
	bool reverse = f->enterprise == PLAN_REVERSE_PEN;
	if (f->enterprise == 0 || reverse)
		e = element_of(f->element);
	if (e == NULL || f->width < e->width_min || f->width > e->width_max || at > UINT16_MAX)
		return;
	if (reverse && !may_be_reverse(e))
		return;
	reverse = reverse || e->reverse;
	if (d->seen[reverse][e - elements]) {
		if (names_the_flow(e) && !reverse && !variable)
			move_inside(d, e, f->width, at, segment);
		return;
	}
	d->seen[reverse][e - elements] = true;
	struct plan_op op = {.at = (uint16_t)at,
			     .code = e->code,
			     .width = variable ? 0 : f->width,
			     .segment = (uint8_t)segment,
			     .to = e->to,
			     .to_width = e->to_width,
			     .reverse = reverse};
	add(d, op, e);
}

/* Lays the fields out. */
static enum wd_err lay_out(struct draft *d, const struct plan_field *fields, size_t count,
			   struct wd_why *why)
{
	struct plan *p = d->plan;
	size_t at = 0, record = 0;
	p->segment_count = 1;
	for (size_t i = 0; i < count; i++) {
		if (fields[i].width != PLAN_VARIABLE) {
			add_field(d, &fields[i], at, p->segment_count - 1, false);
			at += fields[i].width;
			record += fields[i].width;
			continue;
		}
		struct plan_field packet = fields[i];
		const struct element *e = element_of(packet.element);
		packet.width = 1; /* a packet's bytes alone are read where they vary */
		if (packet.enterprise == 0 && e != NULL && e->code == PLAN_FRAME)
			add_field(d, &packet, at, p->segment_count - 1, true);
		if (p->segment_count == PLAN_SEGMENTS_MAX)
			return wd_fail(why, WD_FULL, (uint32_t)i,
				       "too many fields of variable length");
		if (at > UINT16_MAX)
			return wd_fail(why, WD_MALFORMED, (uint32_t)i,
				       "a record exceeds a datagram");
		p->segments[p->segment_count++ - 1] = (uint16_t)at;
		p->variable = true;
		record++;
		at = 0;
	}
	if (record == 0)
		return wd_fail(why, WD_MALFORMED, 0, "records would be empty");
	if (record > UINT16_MAX)
		return wd_fail(why, WD_MALFORMED, 0, "a record exceeds a datagram");
	p->segments[p->segment_count - 1] = (uint16_t)at;
	p->record_min = (uint16_t)record;
	return WD_OK;
}

static bool has_group(const struct draft *d, unsigned group, bool reverse)
{
	for (size_t i = 0; i < d->plan->op_count; i++)
		if (d->of[i]->group == group && d->plan->ops[i].reverse == reverse)
			return true;
	return false;
}

/* One element a group stays: the one of the lowest rank. Of counters the others stand in where
 * that one is 0; several are filled by turns by some exporters. A packet's bytes say its length
 * themselves, and a frame's size is of use to them alone. */
static void choose(struct draft *d)
{
	struct plan *p = d->plan;
	bool dropped[PLAN_OPS_MAX] = {false};
	size_t kept = 0;
	bool frame = has_group(d, FRAME, false);
	for (size_t i = 0; i < p->op_count; i++) {
		const struct element *e = d->of[i];
		bool best = true;
		for (size_t k = 0; k < p->op_count && e->group != ALONE; k++)
			if (d->of[k]->group == e->group && d->of[k]->rank < e->rank &&
			    p->ops[k].reverse == p->ops[i].reverse)
				best = false;
		if (frame ? e->group == LENGTH : e->code == PLAN_FRAME_SIZE)
			dropped[i] = true;
		else if (best)
			p->ops[i] = sized(p->ops[i]);
		else if (e->group == BYTES || e->group == PACKETS)
			p->ops[i].code = PLAN_UINT_ELSE;
		else
			dropped[i] = true;
	}
	for (size_t i = 0; i < p->op_count; i++)
		if (!dropped[i]) {
			p->ops[kept] = p->ops[i];
			d->of[kept++] = d->of[i];
		}
	p->op_count = (uint8_t)kept;
}

static bool has_code(const struct plan *p, unsigned low, unsigned high)
{
	for (size_t i = 0; i < p->op_count; i++)
		if (p->ops[i].code >= low && p->ops[i].code <= high)
			return true;
	return false;
}

static bool has(const struct draft *d, uint16_t number)
{
	return d->seen[0][element_of(number) - elements];
}

/* Both times of one of the usual forms, and no other: one step does all. */
static bool join_times(struct draft *d)
{
	struct plan *p = d->plan;
	size_t at[2], count = 0;
	for (size_t i = 0; i < p->op_count; i++)
		if (p->ops[i].code >= PLAN_START_MS && p->ops[i].code <= PLAN_DURATION) {
			if (count == 2)
				return false;
			at[count++] = i;
		}
	if (count != 2)
		return false;
	struct plan_op *first = &p->ops[at[0]], *last = &p->ops[at[1]];
	if (first->code != last->code || first->to == last->to || first->reverse || last->reverse ||
	    first->segment != last->segment ||
	    (first->code != PLAN_TIME_UPTIME && first->code != PLAN_TIME_MS))
		return false;
	if (first->to != offsetof(struct flow, first_ms)) {
		struct plan_op *swap = first;
		first = last;
		last = swap;
	}
	first->code = first->code == PLAN_TIME_MS ? PLAN_TIMES_MS : PLAN_TIMES_UPTIME;
	first->at2 = last->at;
	size_t gone = (size_t)(last - p->ops);
	p->op_count--;
	for (size_t i = gone; i < p->op_count; i++) {
		p->ops[i] = p->ops[i + 1];
		d->of[i] = d->of[i + 1];
	}
	return !p->both_ways;
}

static void add_ends(struct draft *d)
{
	struct plan *p = d->plan;
	bool counts[2]; /* a direction has bytes and no packets */
	for (unsigned reverse = 0; reverse < 2; reverse++)
		counts[reverse] = has_group(d, BYTES, reverse) && !has_group(d, PACKETS, reverse);
	bool tcp = has(d, 184) && has(d, 186) && has(d, 188), length = has_group(d, LENGTH, false);
	bool times = has_code(p, PLAN_TIME_UPTIME, PLAN_DURATION) && !join_times(d);
	for (unsigned reverse = 0; reverse <= p->both_ways; reverse++) {
		if (times)
			add(d, (struct plan_op){.code = PLAN_END_TIMES, .reverse = reverse}, NULL);
		add(d, (struct plan_op){.code = PLAN_END_PORTS, .reverse = reverse}, NULL);
		if (counts[reverse])
			add(d, (struct plan_op){.code = PLAN_END_COUNTS, .reverse = reverse}, NULL);
	}
	if (length || has(d, 184) || has(d, 186) || has(d, 188))
		add(d, (struct plan_op){.code = PLAN_END_PACKET, .to = tcp && length}, NULL);
}

/* Which addresses there are decides on the family. */
static void settle_addresses(struct draft *d)
{
	struct plan *p = d->plan;
	bool v4 = has(d, 8) || has(d, 12), v6 = has(d, 27) || has(d, 28);
	bool packets = has_code(p, PLAN_FRAME, PLAN_FRAME);
	p->is_flow = packets || has_code(p, PLAN_ADDRESS4, PLAN_ADDRESS6);
	p->only_packets = packets && !has_code(p, PLAN_ADDRESS4, PLAN_ADDRESS6);
	p->blank.family = v6 && !v4 ? 6 : 4;
	if (!v4 || !v6)
		return;
	/* Usually one of the two is zeros. Both are there of a tunnel: the last is inside. */
	unsigned last4 = 0, last6 = 0;
	for (size_t i = 0; i < p->op_count; i++) {
		const struct plan_op *op = &p->ops[i];
		unsigned at = (unsigned)op->segment << 16 | op->at;
		if (op->code == PLAN_ADDRESS4)
			last4 = at > last4 ? at : last4;
		else if (op->code == PLAN_ADDRESS6)
			last6 = at > last6 ? at : last6;
	}
	bool inner4 = d->tunnel && last4 > last6;
	p->blank.family = inner4 ? 6 : 4;
	for (size_t i = 0; i < p->op_count; i++)
		if (p->ops[i].code == PLAN_ADDRESS6 && !inner4)
			p->ops[i].code = PLAN_ADDRESS6_ELSE;
		else if (p->ops[i].code == PLAN_ADDRESS4 && inner4)
			p->ops[i].code = PLAN_ADDRESS4_ELSE;
}

/* The step that fills this place of a flow by that code, or NULL. */
static struct plan_op *step_to(struct plan *p, unsigned code, size_t to)
{
	for (size_t i = 0; i < p->op_count; i++)
		if (p->ops[i].code == code && p->ops[i].to == to && !p->ops[i].reverse)
			return &p->ops[i];
	return NULL;
}

/* Takes the steps of the core out of the list, if all are there. */
static void take_core(struct plan *p)
{
	struct plan_core *c = &p->core;
	unsigned address = p->blank.family == 4 ? PLAN_ADDRESS4 : PLAN_ADDRESS6;
	c->wide_packets = step_to(p, PLAN_64, offsetof(struct flow, packets)) != NULL;
	c->wide_bytes = step_to(p, PLAN_64, offsetof(struct flow, bytes)) != NULL;
	const struct { unsigned code; size_t to; uint16_t *at; } parts[] = {
		{address, offsetof(struct flow, src), &c->src},
		{address, offsetof(struct flow, dst), &c->dst},
		{PLAN_16, offsetof(struct flow, sport), &c->sport},
		{PLAN_16, offsetof(struct flow, dport), &c->dport},
		{PLAN_8, offsetof(struct flow, protocol), &c->protocol},
		{PLAN_8, offsetof(struct flow, tcp_flags), &c->flags},
		{c->wide_packets ? PLAN_64 : PLAN_32_64, offsetof(struct flow, packets),
		 &c->packets},
		{c->wide_bytes ? PLAN_64 : PLAN_32_64, offsetof(struct flow, bytes), &c->bytes},
	};
	if (p->variable || p->both_ways)
		return;
	for (size_t i = 0; i < WD_COUNT(parts); i++)
		if (step_to(p, parts[i].code, parts[i].to) == NULL)
			return;
	for (size_t i = 0; i < WD_COUNT(parts); i++) {
		struct plan_op *op = step_to(p, parts[i].code, parts[i].to);
		*parts[i].at = op->at;
		memmove(op, op + 1, (size_t)(p->ops + --p->op_count - op) * sizeof(*op));
	}
	struct plan_op *ports = step_to(p, PLAN_END_PORTS, 0);
	memmove(ports, ports + 1, (size_t)(p->ops + --p->op_count - ports) * sizeof(*ports));
	c->is_there = true;
}

/* Two steps of one kind become one: half the jumps, and the processor overlaps them. */
static void pair_ops(struct plan *p)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->op_count; i++) {
		struct plan_op *op = &p->ops[i], *last = kept > 0 ? &p->ops[kept - 1] : NULL;
		if (last != NULL && last->code == op->code && !last->pair && !op->reverse &&
		    !last->reverse && last->segment == op->segment &&
		    (op->code <= PLAN_32_64 && op->code != PLAN_ADDRESS6_ELSE &&
		     op->code != PLAN_ADDRESS4_ELSE)) {
			last->pair = true;
			last->to2 = op->to;
			last->at2 = op->at;
			continue;
		}
		p->ops[kept++] = *op;
	}
	p->op_count = (uint8_t)kept;
}

static void sort_ops(struct plan *p)
{
	for (size_t i = 1; i < p->op_count; i++)
		for (size_t k = i; k > 0 && p->ops[k].code < p->ops[k - 1].code; k--) {
			struct plan_op swap = p->ops[k];
			p->ops[k] = p->ops[k - 1];
			p->ops[k - 1] = swap;
		}
}

enum wd_err plan_compile(const struct plan_field *fields, size_t count, struct plan *ret_plan,
			 struct wd_why *why)
{
	struct plan plan = {.blank = {.sampling = 1}};
	struct draft d = {.plan = &plan};
	enum wd_err err = lay_out(&d, fields, count, why);
	if (err != WD_OK)
		return err;
	choose(&d);
	settle_addresses(&d);
	for (size_t i = 0; i < plan.op_count; i++) {
		plan.both_ways |= plan.ops[i].reverse;
		if (!plan.ops[i].reverse)
			plan.blank.known |= d.of[i]->known;
	}
	add_ends(&d);
	if (d.full)
		return wd_fail(why, WD_FULL, 0, "too many fields to read");
	sort_ops(&plan);
	take_core(&plan);
	pair_ops(&plan);
	*ret_plan = plan;
	return WD_OK;
}
