/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/capture_file.h"

#include "base/check.h"
#include "base/wire.h"
#include "decode/pcap.h"
#include "intake/datagrams.h"
#include "intake/spool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_AT = 1000, /* IP packets, to tell exports from packets */
	LOOK_AT_BYTES = 8 << 20,    /* … of a compressed file in so many at most */
	DATAGRAMS_AHEAD = 1 << 18, /* a datagram and the begin of the next are in so many */
	SOURCES = 4096, /* of sFlow */
	STEP_MS = 50,
	/* Flows of a batch: what is decoded is still near when it is counted. A datagram more. */
	ENOUGH = 512,
	PROTOCOL_UDP = 17,
	LOOK_AHEAD = 8, /* packets, to tell a wrong time from a clock that was set */
	LOOK_AHEAD_BYTES = 1 << 20, /* … of a compressed file, if they are in so many */
};
/* Packets of several queues are written a little out of order. Nothing is late by more. */
#define LATE_NS WD_NS_PER_S
#define FAR_NS (3600 * WD_NS_PER_S)
/* 0 is "no time" everywhere: a clock that begins there is taken to begin a second later. */
#define EARLY_NS WD_NS_PER_S
#define TIME_MAX_NS (INT64_C(7258118400) * WD_NS_PER_S) /* the year 2200: decode/packet.h */

/* A file is replayed the same way each time, so its tables have one key for ever: who makes a
 * file to fill one bucket of them makes its own replay slow. */
static const struct hash_key file_key = {{0x77, 0x68, 0x79, 0x64, 0x6f, 0x77, 0x6e}};

struct capture_file {
	struct capture_options options;
	struct capture_counters counters;
	enum capture_kind kind;
	struct spool file;
	size_t offset; /* of datagrams */
	struct pcap pcap;
	struct packet next; /* read ahead, with has_next */
	bool has_next, held, ended;
	enum wd_err err; /* how it ended, told once */
	struct wd_why why;
	wd_wall clock; /* of the last batch */
	int64_t last_ns, shift_ns; /* of the last packet, as shifted; 0 = none yet */
	bool begun; /* a packet was read */
	uint32_t uptime; /* of the first sFlow datagram, with has_uptime */
	bool has_uptime;
	struct exports *exports, *own_exports;
	struct sflow *sflow, *own_sflow;
};

const char *capture_kind_name(enum capture_kind kind)
{
	static const char *const names[] = {"any", "packets", "exports", "datagrams"};
	return names[kind];
}

enum capture_kind capture_kind(const struct capture_file *c)
{
	return c->kind;
}

struct capture_counters capture_counters(const struct capture_file *c)
{
	return c->counters;
}

static size_t offset_of(const struct capture_file *c)
{
	return c->kind == CAPTURE_DATAGRAMS ? c->offset : (size_t)c->pcap.offset;
}

double capture_progress(const struct capture_file *c)
{
	return c->ended ? 1 : spool_progress(&c->file, offset_of(c));
}

/* Are at least half of the first packets exports? */
static bool holds_exports(const struct capture_file *c)
{
	struct pcap p;
	struct packet packet;
	struct flow f;
	bool end = false;
	uint32_t flows = 0, exports = 0;
	if (pcap_begin(&p, c->file.bytes, c->file.len, NULL) != WD_OK)
		return false;
	while (flows < LOOK_AT && pcap_next(&p, &packet, &end, NULL) == WD_OK && !end) {
		if (packet_parse(&packet, c->options.packet, &f) != WD_OK)
			continue;
		flows++;
		exports += f.protocol == PROTOCOL_UDP && f.fragment != FLOW_FRAGMENT_LATER &&
			   datagram_is_export(f.payload, f.payload_len);
	}
	return exports > 0 && exports * 2 >= flows;
}

/* What it is, by its first bytes. */
static enum wd_err recognise(struct capture_file *c, struct wd_why *why)
{
	enum capture_kind want = c->options.kind;
	if (pcap_is(c->file.bytes, c->file.len) && want != CAPTURE_DATAGRAMS) {
		c->kind = want != CAPTURE_ANY	? want
			  : holds_exports(c) ? CAPTURE_EXPORTS
						: CAPTURE_PACKETS;
		return pcap_begin(&c->pcap, c->file.bytes, c->file.len, why);
	}
	if ((want != CAPTURE_ANY && want != CAPTURE_DATAGRAMS) ||
	    export_version(c->file.bytes, c->file.len) == 0)
		return wd_fail(why, WD_UNKNOWN, 0,
			       "neither pcap nor datagrams of NetFlow, IPFIX or sFlow");
	c->kind = CAPTURE_DATAGRAMS;
	return WD_OK;
}

static enum wd_err decoders(struct capture_file *c)
{
	struct exports_limits limits = exports_limits_default();
	struct sflow_limits sflow_limits = {SOURCES};
	enum wd_err err = WD_OK;
	if (c->kind == CAPTURE_PACKETS)
		return WD_OK;
	c->exports = c->options.exports;
	c->sflow = c->options.sflow;
	if (c->exports == NULL) {
		err = exports_open(&limits, &file_key, &c->own_exports);
		if (err != WD_OK)
			return err;
		c->exports = c->own_exports;
		exports_packets(c->exports, c->options.packet);
	}
	if (c->sflow == NULL) {
		err = sflow_open(&sflow_limits, &file_key, &c->own_sflow);
		if (err != WD_OK)
			return err;
		c->sflow = c->own_sflow;
		sflow_set_packet_options(c->sflow, c->options.packet);
	}
	return WD_OK;
}

enum wd_err capture_open(const char *path, const struct capture_options *options,
			 struct capture_file **ret_c, struct wd_why *why)
{
	struct capture_file *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return wd_fail(why, WD_NOMEM, 0, "no memory for a capture");
	c->options = *options;
	if (c->options.step.ns <= 0)
		c->options.step = span_ms(STEP_MS);
	c->clock.ns = INT64_MIN;
	enum wd_err err = spool_open(&c->file, path, why);
	if (err == WD_OK)
		err = spool_need(&c->file, LOOK_AT_BYTES, why);
	if (c->options.begin.ns == 0)
		c->options.begin = wall_s(c->file.changed_s);
	/* What is damaged further on is told when it is reached. */
	if (err == WD_OK || ((err == WD_SHORT || err == WD_MALFORMED) && c->file.len > 0))
		err = recognise(c, why);
	if (err == WD_OK) {
		err = decoders(c);
		if (err != WD_OK)
			(void)wd_fail(why, err, 0, "no memory for decoders");
	}
	if (err != WD_OK) {
		capture_close(c);
		return err;
	}
	*ret_c = c;
	return WD_OK;
}

void capture_close(struct capture_file *c)
{
	if (c == NULL)
		return;
	exports_close(c->own_exports);
	sflow_close(c->own_sflow);
	spool_close(&c->file);
	free(c);
}

/* A batch on its way: room, and the step of time it stands in. */
struct batch {
	struct flow *out;
	size_t cap, count;
	wd_wall at; /* of its last packet */
	bool begun;
};

/* May what came at this time join the batch? The clock never goes back. */
static bool joins(const struct capture_file *c, struct batch *b, wd_wall at)
{
	int64_t step = c->options.step.ns;
	if (at.ns == 0 || at.ns < c->clock.ns)
		at = c->clock;
	if (at.ns == INT64_MIN)
		at = (wd_wall){0};
	if (b->begun && at.ns < b->at.ns)
		at = b->at;
	if (b->begun && b->count > 0 && floor_div(at.ns, step) != floor_div(b->at.ns, step))
		return false;
	b->at = at;
	b->begun = true;
	return true;
}

static void end_with(struct capture_file *c, enum wd_err err)
{
	c->ended = true;
	c->err = err;
}

/* A packet's time on the clock that goes on where it was set back; 0: not told. That clock, too,
 * ends with the year 2199: a file may set it back again and again. */
static int64_t time_on(const struct capture_file *c, wd_wall at)
{
	return at.ns == 0 || at.ns >= TIME_MAX_NS - c->shift_ns ? 0 : at.ns + c->shift_ns;
}

/* Does one of the next packets have a time in [from, to)? */
static bool comes_back(const struct capture_file *c, int64_t from, int64_t to)
{
	struct pcap p = c->pcap;
	struct packet packet;
	bool end = false;
	for (int n = 0; n < LOOK_AHEAD; n++) {
		if (pcap_next(&p, &packet, &end, NULL) != WD_OK || end)
			return false;
		int64_t at = time_on(c, packet.at);
		if (at != 0 && at >= from && at < to)
			return true;
	}
	return false;
}

/* The first of the next packets' times that is not early; 0: none. */
static int64_t time_ahead(const struct capture_file *c)
{
	struct pcap p = c->pcap;
	struct packet packet;
	bool end = false;
	for (int n = 0; n < LOOK_AHEAD; n++) {
		if (pcap_next(&p, &packet, &end, NULL) != WD_OK || end)
			return 0;
		if (packet.at.ns >= EARLY_NS)
			return packet.at.ns;
	}
	return 0;
}

/* A first packet from the beginning of 1970: a wrong time, or times since the file's begin, or none
 * at all. */
static void begin_time(struct capture_file *c)
{
	if (c->begun || c->kind != CAPTURE_PACKETS)
		return;
	c->begun = true;
	if (c->next.at.ns < 0 || c->next.at.ns >= EARLY_NS)
		return;
	int64_t ahead = time_ahead(c);
	if (ahead >= FAR_NS) {
		c->counters.times_mended++;
		c->next.at.ns = ahead;
	} else {
		c->shift_ns = EARLY_NS;
		c->last_ns = EARLY_NS;
		c->next.at.ns = c->next.at.ns > 0 ? c->next.at.ns : 1;
	}
}

/* The time of the next packet: a single wrong one is that of the packet before, and where the
 * clock was set back it goes on from there, so that no two hours are counted as one. */
static void keep_time(struct capture_file *c)
{
	int64_t at = time_on(c, c->next.at), last = c->last_ns;
	if (at == 0) {
		c->next.at.ns = c->next.at.ns == 0 ? 0 : last;
		return;
	}
	if (last == 0 && !comes_back(c, at - FAR_NS, at + FAR_NS)) {
		struct pcap p = c->pcap;
		struct packet second;
		bool end = false;
		if (pcap_next(&p, &second, &end, NULL) == WD_OK && !end && second.at.ns != 0)
			at = second.at.ns;
	} else if (last != 0 && at < last - LATE_NS) {
		c->counters.times_mended++;
		c->shift_ns += comes_back(c, last - LATE_NS, last + FAR_NS) ? 0 : last - at;
		at = last;
	} else if (last != 0 && at > last + FAR_NS &&
		   comes_back(c, last - LATE_NS, last + FAR_NS)) {
		c->counters.times_mended++;
		at = last;
	}
	c->last_ns = at > last ? at : last;
	c->next.at.ns = at;
}

static bool next_packet(struct capture_file *c)
{
	bool end = false;
	if (c->has_next)
		return true;
	/* Of a compressed file there may be more. A few packets are looked at ahead of time; what
	 * is wrong there is told when it is reached. */
	enum wd_err err = spool_need(&c->file, offset_of(c) + LOOK_AHEAD_BYTES, NULL);
	c->pcap.len = c->file.len;
	err = pcap_next(&c->pcap, &c->next, &end, &c->why);
	while ((err == WD_SHORT || (err == WD_OK && end)) && !c->file.whole) {
		size_t there = c->file.len;
		enum wd_err more = spool_need(&c->file, there + 1, &c->why);
		c->pcap.len = c->file.len;
		err = more != WD_OK ? more : pcap_next(&c->pcap, &c->next, &end, &c->why);
		if (more != WD_OK)
			break;
	}
	if (err != WD_OK || end) {
		end_with(c, err);
		return false;
	}
	c->has_next = true;
	begin_time(c);
	keep_time(c);
	return true;
}

static void batch_of_packets(struct capture_file *c, struct batch *b)
{
	while (b->count < ENOUGH && next_packet(c) && joins(c, b, c->next.at)) {
		enum wd_err err =
			packet_parse(&c->next, c->options.packet, &b->out[b->count]);
		c->has_next = false;
		c->counters.packets++;
		b->count += err == WD_OK;
		c->counters.not_ip += err == WD_UNKNOWN;
		c->counters.broken += err != WD_OK && err != WD_UNKNOWN;
	}
}

/* Data whose template has come at last. Its bytes are the decoder's, so no payload is kept. */
static void take_held(struct capture_file *c, struct batch *b)
{
	wd_wall came;
	while (c->held && b->cap - b->count >= EXPORT_FLOWS_MAX) {
		struct flow *out = b->out + b->count;
		size_t count = 0;
		c->held = exports_held(c->exports, b->at, out, b->cap - b->count, &count, &came);
		for (size_t i = 0; c->held && i < count; i++) {
			out[i].payload = NULL;
			out[i].payload_len = 0;
		}
		b->count += c->held ? count : 0;
	}
}

/* Decodes one datagram into the batch. */
static void datagram(struct capture_file *c, struct batch *b, const struct exporter_address *from,
		     const uint8_t *bytes, size_t len)
{
	struct flow *out = b->out + b->count;
	size_t room = b->cap - b->count, count = 0;
	enum wd_err err;
	if (export_version(bytes, len) == EXPORT_SFLOW5) {
		err = sflow_decode(c->sflow, from, bytes, len, b->at, out, room, &count, NULL);
	} else {
		err = exports_decode(c->exports, from, bytes, len, b->at, out, room, &count, NULL);
		c->held = true;
	}
	c->counters.datagrams += err == WD_OK;
	c->counters.broken += err != WD_OK;
	b->count += count;
	take_held(c, b);
}

/* Room for whatever a datagram of this length can hold. */
static bool has_room(const struct batch *b, size_t len)
{
	return b->count == 0 || b->cap - b->count >= len / 4 + 1;
}

static void batch_of_exports(struct capture_file *c, struct batch *b)
{
	struct flow f;
	while (!c->held && b->count < ENOUGH && next_packet(c)) {
		enum wd_err err = packet_parse(&c->next, c->options.packet, &f);
		bool useful = err == WD_OK && f.protocol == PROTOCOL_UDP &&
			      f.fragment != FLOW_FRAGMENT_LATER &&
			      export_version(f.payload, f.payload_len) != 0;
		if (useful && (!has_room(b, f.payload_len) || !joins(c, b, c->next.at)))
			return;
		c->has_next = false;
		c->counters.packets++;
		c->counters.not_ip += err == WD_UNKNOWN;
		c->counters.broken += err != WD_OK && err != WD_UNKNOWN;
		c->counters.other += err == WD_OK && !useful;
		if (!useful)
			continue;
		c->counters.cut += f.fragment != FLOW_WHOLE ||
				   c->next.captured < c->next.wire_length;
		struct exporter_address from = {.family = f.family};
		memcpy(from.bytes, f.src, sizeof(from.bytes));
		datagram(c, b, &from, f.payload, f.payload_len);
	}
}

/* When a datagram was sent, by itself. */
static wd_wall time_of(struct capture_file *c, const uint8_t *bytes, size_t len)
{
	wd_wall at = c->options.begin;
	uint32_t uptime;
	if (datagram_time(bytes, len, &at) || !datagram_uptime(bytes, len, &uptime))
		return at;
	if (!c->has_uptime)
		c->uptime = uptime;
	c->has_uptime = true;
	return wall_add(at, span_ms(uptime >= c->uptime ? uptime - c->uptime : 0));
}

static void batch_of_datagrams(struct capture_file *c, struct batch *b)
{
	/* Whom they came from is not told; the sources' own numbers tell them apart. */
	static const struct exporter_address nobody = {.family = 4};
	while (!c->held && b->count < ENOUGH && !c->ended) {
		/* What came before a damaged place counts. */
		enum wd_err err = spool_need(&c->file, c->offset + DATAGRAMS_AHEAD, &c->why);
		const uint8_t *bytes = c->file.bytes + c->offset;
		size_t left = c->file.len - c->offset;
		while (left > 0 && *bytes == 0 && export_version(bytes, left) == 0) {
			bytes++;
			left--;
			c->offset++;
		}
		if (left == 0) {
			end_with(c, err);
			return;
		}
		if (export_version(bytes, left) == 0) {
			uint64_t at = c->offset < UINT32_MAX ? c->offset : UINT32_MAX;
			end_with(c, wd_fail(&c->why, WD_MALFORMED, (uint32_t)at,
					    "what follows a datagram is none"));
			return;
		}
		size_t len = datagram_length(bytes, left);
		if (!has_room(b, len) || !joins(c, b, time_of(c, bytes, len)))
			return;
		c->offset += len;
		datagram(c, b, &nobody, bytes, len);
	}
}

enum wd_err capture_next(struct capture_file *c, struct flow *out, size_t cap, size_t *ret_count,
			 wd_wall *ret_at, struct wd_why *why)
{
	struct batch b = {.out = out, .cap = cap, .at = c->clock};
	WD_CHECK(cap >= EXPORT_FLOWS_MAX);
	/* A packet that was read ahead is still to be looked at. */
	spool_give_back(&c->file,
			c->has_next ? (size_t)(c->next.bytes - c->file.bytes) : offset_of(c));
	take_held(c, &b);
	while (b.count == 0 && !c->ended) {
		if (c->kind == CAPTURE_PACKETS)
			batch_of_packets(c, &b);
		else if (c->kind == CAPTURE_EXPORTS)
			batch_of_exports(c, &b);
		else
			batch_of_datagrams(c, &b);
	}
	if (b.count == 0 && c->err != WD_OK) {
		enum wd_err err = c->err;
		c->err = WD_OK;
		return wd_fail(why, err, c->why.at, c->why.what);
	}
	c->clock = b.at;
	c->counters.flows += b.count;
	*ret_count = b.count;
	*ret_at = b.at.ns == INT64_MIN ? (wd_wall){0} : b.at;
	return WD_OK;
}
