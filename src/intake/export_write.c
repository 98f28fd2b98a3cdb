/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/export_write.h"

#include "base/check.h"
#include "base/wire_put.h"
#include "intake/packet_write.h"

#include <stdbool.h>
#include <string.h>

enum {
	TEMPLATE4 = 256,
	TEMPLATE6 = 257,
	OPTIONS = 258,
	NETFLOW5_HEAD = 24,
	NETFLOW5_RECORD = 48, /* 30 fill a datagram */
	HEAD_ROOM = 260, /* head, templates and set headers, at most */
};

/* One information element of a template: number and bytes. NetFlow v9 and IPFIX number
 * these alike; times are told in another way (below). */
struct element { uint16_t id, len; };

enum {
	IE_BYTES = 1,
	IE_PACKETS = 2,
	IE_PROTOCOL = 4,
	IE_TCP_FLAGS = 6,
	IE_SPORT = 7,
	IE_SRC4 = 8,
	IE_DPORT = 11,
	IE_DST4 = 12,
	IE_SRC_AS = 16,
	IE_DST_AS = 17,
	IE_LAST_UPTIME = 21,
	IE_FIRST_UPTIME = 22,
	IE_SRC6 = 27,
	IE_DST6 = 28,
	IE_ICMP4 = 32,
	IE_SAMPLING = 34,
	IE_SAMPLING_ALGORITHM = 35,
	IE_DIRECTION = 61,
	IE_ICMP6 = 139,
	IE_EXPORTER = 144,
	IE_FIRST_MS = 152,
	IE_LAST_MS = 153,
	IE_SELECTOR = 304,
	IE_SAMPLED = 305,
	IE_SPACED = 306,
};

static const struct element elements9[] = {
	{IE_SRC4, 4},     {IE_DST4, 4},         {IE_SPORT, 2},       {IE_DPORT, 2},
	{IE_PROTOCOL, 1}, {IE_TCP_FLAGS, 1},    {IE_ICMP4, 2},       {IE_PACKETS, 4},
	{IE_BYTES, 4},    {IE_FIRST_UPTIME, 4}, {IE_LAST_UPTIME, 4}, {IE_SRC_AS, 4},
	{IE_DST_AS, 4},   {IE_DIRECTION, 1},
};
static const struct element elements10[] = {
	{IE_SRC4, 4},      {IE_DST4, 4},  {IE_SPORT, 2},   {IE_DPORT, 2}, {IE_PROTOCOL, 1},
	{IE_TCP_FLAGS, 1}, {IE_ICMP4, 2}, {IE_PACKETS, 4}, {IE_BYTES, 8}, {IE_FIRST_MS, 8},
	{IE_LAST_MS, 8},   {IE_SRC_AS, 4}, {IE_DST_AS, 4}, {IE_DIRECTION, 1},
};
_Static_assert(WD_COUNT(elements9) == WD_COUNT(elements10), "one loop writes both");

static const struct element *elements(const struct export_writer *w)
{
	return w->format == EXPORT_NETFLOW9 ? elements9 : elements10;
}

/* The same element for IPv6. */
static struct element for_family(struct element e, uint8_t family)
{
	if (family == 4)
		return e;
	switch (e.id) {
	case IE_SRC4:
		return (struct element){IE_SRC6, 16};
	case IE_DST4:
		return (struct element){IE_DST6, 16};
	case IE_ICMP4:
		return (struct element){IE_ICMP6, 2};
	default:
		return e;
	}
}

static uint32_t uptime_ms(const struct export_writer *w, int64_t at_ms)
{
	int64_t up = at_ms - w->boot.ns / 1000000;
	return up < 0 ? 0 : (uint32_t)up;
}

static int64_t first_ms(const struct flow *f, wd_wall at)
{
	return f->known & FLOW_TIMES ? f->first_ms : at.ns / 1000000;
}

static int64_t last_ms(const struct flow *f, wd_wall at)
{
	return f->known & FLOW_TIMES ? f->last_ms : at.ns / 1000000;
}

static uint64_t element_value(const struct export_writer *w, const struct flow *f, wd_wall at,
			      uint16_t id)
{
	bool icmp = f->protocol == 1 || f->protocol == 58;
	switch (id) {
	case IE_SPORT:
		return f->sport;
	case IE_DPORT:
		return f->dport;
	case IE_PROTOCOL:
		return f->protocol;
	case IE_TCP_FLAGS:
		return f->tcp_flags;
	case IE_ICMP4:
	case IE_ICMP6:
		return icmp ? f->dport : 0;
	case IE_PACKETS:
		return f->packets;
	case IE_BYTES:
		return f->bytes;
	case IE_FIRST_UPTIME:
		return uptime_ms(w, first_ms(f, at));
	case IE_LAST_UPTIME:
		return uptime_ms(w, last_ms(f, at));
	case IE_FIRST_MS:
		return (uint64_t)first_ms(f, at);
	case IE_LAST_MS:
		return (uint64_t)last_ms(f, at);
	case IE_SRC_AS:
		return f->src_as;
	case IE_DST_AS:
		return f->dst_as;
	case IE_DIRECTION:
		return f->known & FLOW_EGRESS ? 1 : 0;
	default:
		return 0;
	}
}

/* ---- NetFlow v9 and IPFIX ---- */

static uint8_t *put_record(const struct export_writer *w, uint8_t *p, const struct flow *f,
			   wd_wall at)
{
	for (size_t n = 0; n < WD_COUNT(elements9); n++) {
		struct element e = for_family(elements(w)[n], f->family);
		if (e.id == IE_SRC4 || e.id == IE_SRC6 || e.id == IE_DST4 || e.id == IE_DST6) {
			memcpy(p, e.id == IE_SRC4 || e.id == IE_SRC6 ? f->src : f->dst, e.len);
			p += e.len;
		} else {
			p = wire_put(p, element_value(w, f, at, e.id), e.len);
		}
	}
	return p;
}

static uint8_t *put_template(const struct export_writer *w, uint8_t *p, uint16_t id, uint8_t family)
{
	p = wire_put(p, id, 2);
	p = wire_put(p, WD_COUNT(elements9), 2);
	for (size_t n = 0; n < WD_COUNT(elements9); n++) {
		struct element e = for_family(elements(w)[n], family);
		p = wire_put(p, e.id, 2);
		p = wire_put(p, e.len, 2);
	}
	return p;
}

/* The sampling: an options template and its one record. */
static uint8_t *put_sampling9(const struct export_writer *w, uint8_t *p)
{
	p = wire_put(p, 1, 2);  /* an options template's set */
	p = wire_put(p, 24, 2); /* its length, with two bytes of padding */
	p = wire_put(p, OPTIONS, 2);
	p = wire_put(p, 4, 2); /* bytes of scope fields */
	p = wire_put(p, 8, 2); /* bytes of option fields */
	p = wire_put(p, 1, 2); /* scope: the system */
	p = wire_put(p, 4, 2);
	p = wire_put(p, IE_SAMPLING, 2);
	p = wire_put(p, 4, 2);
	p = wire_put(p, IE_SAMPLING_ALGORITHM, 2);
	p = wire_put(p, 1, 2);
	p = wire_put(p, 0, 2);
	p = wire_put(p, OPTIONS, 2);
	p = wire_put(p, 16, 2);
	p = wire_put(p, 0, 4);
	p = wire_put(p, w->sampling, 4);
	p = wire_put(p, 2, 1); /* at random */
	return wire_put(p, 0, 3);
}

static uint8_t *put_sampling10(const struct export_writer *w, uint8_t *p)
{
	p = wire_put(p, 3, 2);
	p = wire_put(p, 28, 2);
	p = wire_put(p, OPTIONS, 2);
	p = wire_put(p, 4, 2); /* fields in all */
	p = wire_put(p, 1, 2); /* of which scope */
	p = wire_put(p, IE_EXPORTER, 2);
	p = wire_put(p, 4, 2);
	p = wire_put(p, IE_SELECTOR, 2);
	p = wire_put(p, 2, 2);
	p = wire_put(p, IE_SAMPLED, 2);
	p = wire_put(p, 4, 2);
	p = wire_put(p, IE_SPACED, 2);
	p = wire_put(p, 4, 2);
	p = wire_put(p, 0, 2);
	p = wire_put(p, OPTIONS, 2);
	p = wire_put(p, 4 + 14, 2);
	p = wire_put(p, 1, 4);
	p = wire_put(p, 1, 2); /* systematic, by count */
	p = wire_put(p, 1, 4);
	return wire_put(p, w->sampling - 1, 4);
}

static uint8_t *put_templates(const struct export_writer *w, uint8_t *p)
{
	uint8_t *set = p;
	p = wire_put(p, w->format == EXPORT_NETFLOW9 ? 0 : 2, 2);
	p += 2;
	p = put_template(w, p, TEMPLATE4, 4);
	p = put_template(w, p, TEMPLATE6, 6);
	wire_put(set + 2, (uint64_t)(p - set), 2);
	return w->format == EXPORT_NETFLOW9 ? put_sampling9(w, p) : put_sampling10(w, p);
}

static uint8_t *put_set(uint8_t *p, uint16_t id, const uint8_t *records, size_t len)
{
	if (len == 0)
		return p;
	size_t padding = (4 - len % 4) % 4;
	p = wire_put(p, id, 2);
	p = wire_put(p, 4 + len + padding, 2);
	memcpy(p, records, len);
	memset(p + len, 0, padding);
	return p + len + padding;
}

static size_t write_sets(struct export_writer *w, uint8_t *dst, wd_wall at)
{
	bool nine = w->format == EXPORT_NETFLOW9;
	bool templates = w->datagrams % EXPORT_WRITE_REFRESH == 0;
	uint8_t *p = dst + (nine ? 20 : 16);
	if (templates)
		p = put_templates(w, p);
	p = put_set(p, TEMPLATE4, w->records4, w->len4);
	p = put_set(p, TEMPLATE6, w->records6, w->len6);

	uint8_t *h = wire_put(dst, nine ? 9 : 10, 2);
	if (nine) {
		h = wire_put(h, w->count + (templates ? 4 : 0), 2);
		h = wire_put(h, uptime_ms(w, at.ns / 1000000), 4);
	} else {
		h = wire_put(h, (uint64_t)(p - dst), 2);
	}
	h = wire_put(h, (uint64_t)wall_to_s(at), 4);
	h = wire_put(h, w->sequence, 4);
	wire_put(h, w->domain, 4);
	/* v9 counts datagrams, IPFIX data records (the option is one). */
	w->sequence += nine ? 1 : w->count + (templates ? 1 : 0);
	return (size_t)(p - dst);
}

/* ---- NetFlow v5 ---- */

static uint8_t *put_record5(const struct export_writer *w, uint8_t *p, const struct flow *f,
			    wd_wall at)
{
	memcpy(p, f->src, 4);
	memcpy(p + 4, f->dst, 4);
	p = wire_put(p + 8, 0, 8); /* next hop, interfaces */
	p = wire_put(p, f->packets < UINT32_MAX ? f->packets : UINT32_MAX, 4);
	p = wire_put(p, f->bytes < UINT32_MAX ? f->bytes : UINT32_MAX, 4);
	p = wire_put(p, uptime_ms(w, first_ms(f, at)), 4);
	p = wire_put(p, uptime_ms(w, last_ms(f, at)), 4);
	p = wire_put(p, f->sport, 2);
	p = wire_put(p, f->dport, 2);
	p = wire_put(p, 0, 1);
	p = wire_put(p, f->tcp_flags, 1);
	p = wire_put(p, f->protocol, 1);
	p = wire_put(p, 0, 1);
	p = wire_put(p, f->src_as <= 65535 ? f->src_as : 23456, 2); /* RFC 6793: AS_TRANS */
	p = wire_put(p, f->dst_as <= 65535 ? f->dst_as : 23456, 2);
	return wire_put(p, 0, 4); /* masks, padding */
}

static size_t write5(struct export_writer *w, uint8_t *dst, wd_wall at)
{
	uint8_t *h = wire_put(dst, 5, 2);
	h = wire_put(h, w->count, 2);
	h = wire_put(h, uptime_ms(w, at.ns / 1000000), 4);
	h = wire_put(h, (uint64_t)wall_to_s(at), 4);
	h = wire_put(h, (uint64_t)(at.ns - wall_to_s(at) * WD_NS_PER_S), 4);
	h = wire_put(h, w->sequence, 4);
	h = wire_put(h, w->domain & 0xffff, 2);
	/* The upper two bits are the mode: 1, every Nth packet. */
	uint32_t interval = w->sampling < 0x4000 ? w->sampling : 0x3fff;
	h = wire_put(h, w->sampling > 1 ? 0x4000 | interval : 0, 2);
	memcpy(h, w->records4, w->len4);
	w->sequence += w->count;
	return NETFLOW5_HEAD + w->len4;
}

/* ---- sFlow v5 ---- */

static uint8_t *put_sample(struct export_writer *w, uint8_t *p, const struct flow *f)
{
	uint8_t header[EXPORT_WRITE_HEADER];
	size_t len = packet_write(f, header, sizeof(header)), padded = (len + 3) / 4 * 4;

	w->pool += w->sampling;
	p = wire_put(p, 1, 4); /* a flow sample */
	p = wire_put(p, 32 + 8 + 16 + padded, 4);
	p = wire_put(p, ++w->samples, 4);
	p = wire_put(p, 1, 4);           /* source: interface 1 */
	p = wire_put(p, w->sampling, 4);
	p = wire_put(p, w->pool, 4);
	p = wire_put(p, 0, 4); /* drops */
	p = wire_put(p, 1, 4);
	p = wire_put(p, 0, 4);
	p = wire_put(p, 1, 4); /* records */
	p = wire_put(p, 1, 4); /* a sampled header */
	p = wire_put(p, 16 + padded, 4);
	p = wire_put(p, 1, 4); /* Ethernet */
	p = wire_put(p, packet_write_length(f) + 4, 4); /* with its check sequence, … */
	p = wire_put(p, 4, 4);                          /* which was stripped */
	p = wire_put(p, len, 4);
	memcpy(p, header, len);
	memset(p + len, 0, padded - len);
	return p + padded;
}

static size_t write_sflow(struct export_writer *w, uint8_t *dst, wd_wall at)
{
	uint8_t *h = wire_put(dst, 5, 4);
	h = wire_put(h, 1, 4);
	h = wire_put(h, UINT32_C(0xc0000201), 4); /* agent 192.0.2.1 (RFC 5737) */
	h = wire_put(h, w->domain, 4);
	h = wire_put(h, ++w->sequence, 4);
	h = wire_put(h, uptime_ms(w, at.ns / 1000000), 4);
	h = wire_put(h, w->count, 4);
	memcpy(h, w->records4, w->len4);
	return 28 + w->len4;
}

/* ---- all ---- */

void export_writer_init(struct export_writer *w, enum export_format format, uint32_t sampling,
			wd_wall boot,
			void (*send)(void *ctx, const uint8_t *datagram, size_t len, wd_wall at),
			void *ctx)
{
	WD_CHECK(sampling >= 1);
	memset(w, 0, sizeof(*w));
	w->format = format;
	w->sampling = sampling;
	w->domain = 1;
	w->boot = boot;
	w->send = send;
	w->ctx = ctx;
}

void export_writer_flush(struct export_writer *w, wd_wall at)
{
	uint8_t datagram[EXPORT_WRITE_MAX + HEAD_ROOM];
	size_t len;

	if (w->count == 0)
		return;
	if (w->format == EXPORT_NETFLOW5)
		len = write5(w, datagram, at);
	else if (w->format == EXPORT_SFLOW)
		len = write_sflow(w, datagram, at);
	else
		len = write_sets(w, datagram, at);
	w->datagrams++;
	w->records += w->count;
	w->count = 0;
	w->len4 = w->len6 = 0;
	w->send(w->ctx, datagram, len, at);
}

/* Bytes that a record of this family takes, at most. */
static size_t record_room(const struct export_writer *w, const struct flow *f)
{
	switch (w->format) {
	case EXPORT_NETFLOW5:
		return NETFLOW5_RECORD;
	case EXPORT_SFLOW:
		return 8 + 32 + 8 + 16 + EXPORT_WRITE_HEADER;
	default: {
		size_t len = 0;
		for (size_t n = 0; n < WD_COUNT(elements9); n++)
			len += for_family(elements(w)[n], f->family).len;
		return len;
	}
	}
}

void export_writer_add(struct export_writer *w, const struct flow *f, wd_wall at)
{
	if (w->format == EXPORT_NETFLOW5 && f->family != 4) {
		w->skipped++;
		return;
	}
	size_t head = w->format == EXPORT_NETFLOW5			? NETFLOW5_HEAD
		      : w->datagrams % EXPORT_WRITE_REFRESH == 0 ? HEAD_ROOM
								 : HEAD_ROOM / 4;
	if (w->len4 + w->len6 + record_room(w, f) > EXPORT_WRITE_MAX - head)
		export_writer_flush(w, at);
	if (w->format == EXPORT_NETFLOW5)
		w->len4 = (size_t)(put_record5(w, w->records4 + w->len4, f, at) - w->records4);
	else if (w->format == EXPORT_SFLOW)
		w->len4 = (size_t)(put_sample(w, w->records4 + w->len4, f) - w->records4);
	else if (f->family == 4)
		w->len4 = (size_t)(put_record(w, w->records4 + w->len4, f, at) - w->records4);
	else
		w->len6 = (size_t)(put_record(w, w->records6 + w->len6, f, at) - w->records6);
	w->count++;
}

const char *export_format_name(enum export_format format)
{
	static const char *const names[] = {"netflow5", "netflow9", "ipfix", "sflow"};
	return names[format];
}
