/* SPDX-License-Identifier: Apache-2.0 */
/* export_plan: a template's fields → a short list of loads, made once; then records are read
 * by it. A template whose records are all of one length is run column by column over blocks
 * of records: one jump a field and block instead of one a field and record. One with fields of
 * variable length is cut into segments between them, and run record by record.
 * Internal to the decoders of exports. */
#ifndef WD_DECODE_EXPORT_PLAN_H
#define WD_DECODE_EXPORT_PLAN_H

#include "base/err.h"
#include "decode/packet.h"
#include "model/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PLAN_OPS_MAX = 64,
	PLAN_SEGMENTS_MAX = 64,   /* fields of variable length, and one */
	PLAN_VARIABLE = 65535,    /* as a width: the record says (RFC 7011, 7) */
	PLAN_REVERSE_PEN = 29305, /* RFC 5103 */
};

struct plan_field {
	uint32_t enterprise; /* 0 = IANA's */
	uint16_t element;
	uint16_t width;
};

struct plan_op {
	uint16_t at;   /* from the segment's start */
	uint8_t code;  /* enum plan_code, in the order in which they must run */
	uint16_t width; /* of the field; 0 = variable, at the segment's end */
	uint8_t segment;
	uint8_t to; /* offset in struct flow, or a code's own number */
	uint8_t to_width;
	bool reverse; /* writes into the flow of the other direction */
	bool pair;    /* a second step of the same kind is run beside it: */
	uint8_t to2;
	uint16_t at2;
};

/* What nearly every template has, read in one go where all of it is there in its usual widths:
 * where in the record it stands. */
struct plan_core {
	bool is_there, wide_packets, wide_bytes; /* wide: of 8 bytes, else of 4 */
	uint16_t src, dst, sport, dport, protocol, flags, packets, bytes;
};

struct plan {
	struct plan_core core;
	struct flow blank;   /* what every flow begins as */
	uint16_t record_min; /* bytes; at least 1 */
	bool is_flow;        /* has an address, or a packet's bytes */
	bool variable;
	bool both_ways; /* some op is reverse */
	bool only_packets; /* nothing but a packet's bytes says from where to where */
	uint8_t op_count, segment_count;
	uint16_t segments[PLAN_SEGMENTS_MAX]; /* fixed bytes before the next variable field */
	struct plan_op ops[PLAN_OPS_MAX];
};

/* Whose rate applies, in order: a record's own, its sampler's, its interface's, the default. */
enum plan_sampler { PLAN_BY_SAMPLER, PLAN_BY_INTERFACE };

/* What the datagram and its exporter say, beside the record. */
struct plan_context {
	int64_t export_ms;  /* header's time */
	int64_t start_ms;   /* when the exporter's uptime was 0; INT64_MIN = not known */
	uint32_t uptime_ms; /* with has_uptime: at export_ms */
	bool has_uptime;
	bool by_sampler, by_interface; /* such rates are known */
	uint32_t sampling;             /* the default */
	/* The rate of a sampler or interface; 0 = not known. */
	uint32_t (*rate)(void *arg, enum plan_sampler kind, uint64_t id);
	void *arg;
	const struct packet_options *packets; /* of sampled packets' bytes */
	uint64_t sampling_unknown; /* counted here */
};

/* WD_MALFORMED if a record could be empty, WD_FULL if there is too much to read. A field of an
 * impossible width is passed over. */
enum wd_err plan_compile(const struct plan_field *fields, size_t count, struct plan *ret_plan,
			 struct wd_why *why) WD_MUST_CHECK;

struct plan_done {
	size_t flows, records;
	size_t used; /* bytes */
	size_t cut;  /* flows that found no room */
};

/* Reads records from the bytes of a set until fewer than one are left. */
struct plan_done plan_run(const struct plan *p, struct plan_context *context, const uint8_t *bytes,
			  size_t len, struct flow *out, size_t cap);

/* Where a record's segments begin, and its length; 0 if the bytes end before it does. */
size_t plan_walk(const struct plan *p, const uint8_t *bytes, size_t len,
		 const uint8_t *bases[PLAN_SEGMENTS_MAX]);

#endif
