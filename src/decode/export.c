/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram's header, its sets, and the account of its exporter. */
#include "decode/export.h"

#include "base/check.h"
#include "decode/export_read.h"
#include "decode/export_wire.h"

enum {
	V5 = 5,
	V9 = 9,
	IPFIX = 10,
	V5_HEADER = 24,
	V9_HEADER = 20,
	IPFIX_HEADER = 16,
	SET_HEADER = 4,
	/* Sequence numbers: by how much one may be ahead (lost) or behind (late); beyond, the
	 * exporter has begun anew. v9 counts datagrams, the others records. */
	AHEAD_DATAGRAMS = 100000,
	AHEAD_RECORDS = 10000000,
	LATE_DATAGRAMS = 128,
	LATE_RECORDS = 8192,
	/* Datagrams may overtake each other by so much without its being a new start. */
	UPTIME_BACK_MS = 60000,
};

uint32_t export_version(const uint8_t *bytes, size_t len)
{
	if (len < 4)
		return 0;
	uint16_t version = wire_u16(bytes);
	if (version == V5 || version == V9 || version == IPFIX)
		return version;
	return wire_u32(bytes) == 5 ? EXPORT_SFLOW5 : 0;
}

void read_uptime(struct export_read *r, uint32_t uptime_ms)
{
	struct exporter *x = read_exporter(r);
	int32_t on = (int32_t)(uptime_ms - x->uptime_ms);
	if (x->uptime_known && on < -UPTIME_BACK_MS) {
		x->counts.restarts += x->sequence_known;
		x->sequence_known = false;
	}
	if (!x->uptime_known || on > 0 || on < -UPTIME_BACK_MS)
		x->uptime_ms = uptime_ms;
	x->uptime_known = true;
}

void read_sequence(struct export_read *r, uint32_t sequence, uint32_t step)
{
	struct exporter *x = read_exporter(r);
	int32_t ahead = (int32_t)(sequence - x->sequence);
	int32_t ahead_max = r->version == V9 ? AHEAD_DATAGRAMS : AHEAD_RECORDS;
	int32_t late_max = r->version == V9 ? LATE_DATAGRAMS : LATE_RECORDS;
	if (x->sequence_known && ahead < 0 && ahead >= -late_max) {
		x->counts.late++;
		x->counts.lost -= x->counts.lost < step ? x->counts.lost : step;
		return;
	}
	if (x->sequence_known && ahead > 0 && ahead <= ahead_max)
		x->counts.lost += (uint32_t)ahead;
	else if (x->sequence_known && ahead != 0)
		x->counts.restarts++;
	x->sequence = sequence + step;
	x->sequence_known = true;
}

static uint32_t rate(void *arg, enum plan_sampler kind, uint64_t id)
{
	struct export_read *r = arg;
	return store_rate(r->e, r->exporter, kind, id);
}

/* What of the exporter's the records need. */
static void fill_context(struct export_read *r)
{
	const struct exporter *x = read_exporter(r);
	r->context.start_ms = x->start_ms;
	r->context.by_sampler = x->samplers_of[PLAN_BY_SAMPLER] > 0;
	r->context.by_interface = x->samplers_of[PLAN_BY_INTERFACE] > 0;
	r->context.sampling = x->sampling > 0       ? x->sampling
			      : x->sampler_only > 0 ? x->sampler_only
						    : 1;
	r->context.rate = rate;
	r->context.arg = r;
	r->context.packets = r->e->packets;
}

static void read_data(struct export_read *r, const struct template *t, const uint8_t *bytes,
		      size_t len)
{
	struct export_counts *c = &read_exporter(r)->counts;
	if (t->options.is_options) {
		read_options(r, t, bytes, len);
		return;
	}
	fill_context(r);
	struct plan_done done =
		plan_run(&t->plan, &r->context, bytes, len, r->out + r->flows, r->cap - r->flows);
	c->records += done.records;
	c->records_not_flows += t->plan.is_flow ? 0 : done.records;
	c->flows_cut += done.cut;
	r->flows += done.flows;
	r->records += done.records;
	r->useful |= done.records > 0;
	r->malformed |= done.records == 0 || len - done.used >= t->plan.record_min;
}

static void hold(struct export_read *r, uint16_t id, const uint8_t *bytes, size_t len)
{
	struct held h = {
		.exporter = r->exporter,
		.generation = read_exporter(r)->generation,
		.len = (uint32_t)len,
		.template_id = id,
		.has_uptime = r->context.has_uptime,
		.uptime_ms = r->context.uptime_ms,
		.export_ms = r->context.export_ms,
		.at = r->now,
	};
	store_hold(r->e, &h, bytes);
	r->uncounted = true;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Sets begin before `said`, where the header says that the message ends; the last may go on to
 * the datagram's end, since some exporters leave their own padding out of that length. */
static void read_sets(struct export_read *r, const uint8_t *bytes, size_t len, size_t said)
{
	uint16_t templates = r->version == V9 ? 0 : 2, options = r->version == V9 ? 1 : 3;
	size_t at = 0;
	while (at < said && len - at >= SET_HEADER) {
		uint16_t id = wire_u16(bytes + at);
		size_t size = wire_u16(bytes + at + 2), body = size - SET_HEADER;
		if (size < SET_HEADER || size > len - at) {
			/* Some exporters fill a datagram up with zeros. */
			r->malformed |= !all_zero(bytes + at, len - at);
			return;
		}
		const uint8_t *inside = bytes + at + SET_HEADER;
		at += size;
		if (id == templates || id == options) {
			read_templates(r, inside, body, id == options);
			continue;
		}
		if (id < 256)
			continue; /* reserved */
		const struct template *t = store_template(r->e, r->exporter, id, r->now);
		if (t != NULL)
			read_data(r, t, inside, body);
		else if (body > 0)
			hold(r, id, inside, body);
	}
}

/* The header, and whose it is. */
static enum wd_err begin(struct export_read *r, const struct exporter_address *from,
			 const uint8_t *p, size_t len, struct wd_why *why)
{
	struct exporter_key key = {.version = r->version, .family = from->family};
	size_t header = r->version == V5 ? V5_HEADER : r->version == V9 ? V9_HEADER : IPFIX_HEADER;
	if (len < header) {
		r->e->totals.too_short++;
		return wd_fail(why, WD_SHORT, (uint32_t)len, "the header is cut short");
	}
	memcpy(key.address, from->bytes, sizeof(key.address));
	if (r->version == IPFIX) {
		key.source_id = wire_u32(p + 12);
		r->context.export_ms = (int64_t)wire_u32(p + 4) * 1000;
	} else {
		key.source_id = r->version == V9 ? wire_u32(p + 16) : wire_u16(p + 20);
		r->context.has_uptime = true;
		r->context.uptime_ms = wire_u32(p + 4);
		r->context.export_ms = (int64_t)wire_u32(p + 8) * 1000;
		if (r->version == V5)
			r->context.export_ms += wire_u32(p + 12) / 1000000;
	}
	r->exporter = store_exporter(r->e, &key, r->now);
	if (r->exporter == NONE)
		return wd_fail(why, WD_FULL, 0, "no room for one more exporter");
	struct exporter *x = read_exporter(r);
	x->seen = r->now;
	x->skew = (wd_span){r->context.export_ms * 1000000 - r->now.ns};
	x->counts.datagrams++;
	x->counts.bytes += len;
	return WD_OK;
}

static enum wd_err read_body(struct export_read *r, const uint8_t *p, size_t len,
			     struct wd_why *why)
{
	struct exporter *x = read_exporter(r);
	if (r->version == V5) {
		enum wd_err err = read_v5(r, p, len, why);
		if (err != WD_OK)
			return err;
		read_uptime(r, r->context.uptime_ms);
		read_sequence(r, wire_u32(p + 16), (uint32_t)r->records);
		return WD_OK;
	}
	if (r->version == V9) {
		read_uptime(r, r->context.uptime_ms);
		read_sequence(r, wire_u32(p + 12), 1);
		read_sets(r, p + V9_HEADER, len - V9_HEADER, len);
		return WD_OK;
	}
	size_t said = wire_u16(p + 2);
	if (said < IPFIX_HEADER)
		return wd_fail(why, WD_MALFORMED, 2, "shorter than its header");
	r->malformed = said > len;
	read_sets(r, p + IPFIX_HEADER, len - IPFIX_HEADER, said - IPFIX_HEADER);
	read_sequence(r, wire_u32(p + 8), (uint32_t)r->records);
	if (r->uncounted || r->malformed)
		x->sequence_known = false; /* where it goes on is not known */
	return WD_OK;
}

enum wd_err exports_decode(struct exports *e, const struct exporter_address *from,
			   const uint8_t *datagram, size_t len, wd_wall now, struct flow *out,
			   size_t cap, size_t *ret_count, struct wd_why *why)
{
	uint32_t version = export_version(datagram, len);
	struct export_read r = {
		.e = e, .version = (uint16_t)version, .now = now, .out = out, .cap = cap};
	WD_CHECK(from->family == 4 || from->family == 6);
	if (version != V5 && version != V9 && version != IPFIX) {
		e->totals.unknown_version++;
		return wd_fail(why, WD_UNKNOWN, 0, "neither NetFlow v5, v9 nor IPFIX");
	}
	enum wd_err err = begin(&r, from, datagram, len, why);
	if (err != WD_OK)
		return err;
	struct export_counts *c = &read_exporter(&r)->counts;
	err = read_body(&r, datagram, len, why);
	c->malformed += err != WD_OK || r.malformed;
	if (err != WD_OK)
		return err;
	c->flows += r.flows;
	c->sampling_unknown += r.context.sampling_unknown;
	if (r.useful)
		store_useful(e, r.exporter, now);
	*ret_count = r.flows;
	return WD_OK;
}

void exports_packets(struct exports *e, const struct packet_options *options)
{
	e->packets = options;
}

bool exports_held(struct exports *e, wd_wall now, struct flow *out, size_t cap, size_t *ret_count,
		  wd_wall *ret_at)
{
	if (!e->ready)
		return false;
	struct held *h = store_held_next(e, now);
	if (h == NULL)
		return false;
	const struct exporter *x = &e->exporters[h->exporter];
	struct export_read r = {.e = e,
				.exporter = h->exporter,
				.version = x->key.version,
				.now = now,
				.out = out,
				.cap = cap};
	r.context.export_ms = h->export_ms;
	r.context.has_uptime = h->has_uptime;
	r.context.uptime_ms = h->uptime_ms;
	const struct template *t = store_template(e, h->exporter, h->template_id, now);
	WD_CHECK(t != NULL);
	read_data(&r, t, (const uint8_t *)(h + 1), h->len);
	struct export_counts *c = &read_exporter(&r)->counts;
	c->malformed += r.malformed;
	c->flows += r.flows;
	c->sampling_unknown += r.context.sampling_unknown;
	store_held_done(e, h);
	*ret_count = r.flows;
	*ret_at = h->at;
	return true;
}
