/* SPDX-License-Identifier: Apache-2.0 */
/* export: one datagram of NetFlow v5, NetFlow v9 or IPFIX in, flows out.
 * Sources: Cisco "NetFlow Export Datagram Format" (v5), RFC 3954 (v9), RFC 7011 (IPFIX),
 * RFC 5103 (flows of both directions in one record), RFC 5476/5477 (sampling), IANA "IPFIX
 * Information Elements".
 *
 * struct exports remembers what later datagrams need: templates (compiled once into a plan),
 * sampling rates, sequence numbers, and data whose template has not come yet. One collector
 * shard owns one, without a lock. All its memory is taken at open; whatever arrives, it does
 * not grow. What is remembered belongs to an exporter: its address, source id (of v5: engine
 * type << 8 | engine id) and version; the UDP port says nothing.
 *
 * Anyone can forge an exporter's address. A new exporter competes with other new ones for
 * room and never with one that has been useful for EXPORT_PROOF_MINUTES different minutes,
 * unless that one has been silent for EXPORT_SILENCE. Only a list of allowed exporters, which
 * the collector keeps, keeps forged ones out. */
#ifndef WD_DECODE_EXPORT_H
#define WD_DECODE_EXPORT_H

#include "base/err.h"
#include "base/hash.h"
#include "base/units.h"
#include "decode/exporter.h"
#include "decode/packet.h"
#include "model/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EXPORT_FLOWS_MAX = 16384, /* of one datagram (65,535 bytes over 4 of one address) */
	EXPORT_PROOF_MINUTES = 5,
	EXPORT_SILENCE_S = 3600,
	EXPORT_FIELDS_MAX = 1024, /* of one template; longer ones are refused */
};

struct exports;

struct exports_limits {
	uint32_t exporters;              /* at least 8 */
	uint32_t templates;              /* of all exporters */
	uint32_t templates_per_exporter; /* the least recently used makes room */
	uint32_t samplers;               /* sampling rates by sampler or interface, of all */
	uint32_t samplers_per_exporter;
	uint32_t held_bytes;   /* of data whose template has not come */
	wd_span held_life;     /* … and for how long */
	wd_span template_life; /* since it was last announced */
};

/* 256 exporters, 4096 templates, …: 7.0 MB. */
struct exports_limits exports_limits_default(void);
/* Bytes that exports_open takes for these. */
size_t exports_memory(const struct exports_limits *limits);

/* What happened, of one exporter or of all. Only grows. */
struct export_counts {
	uint64_t datagrams, bytes;
	uint64_t flows;
	uint64_t flows_cut;         /* no room in the caller's array */
	uint64_t records;           /* of data, flows or not, without options */
	uint64_t records_not_flows; /* of a template without addresses */
	uint64_t options;           /* records of options */
	uint64_t malformed;         /* datagrams in which something was broken */
	uint64_t lost;              /* v9: datagrams; v5, IPFIX: records, by sequence number */
	uint64_t late;              /* datagrams out of order, no longer counted as lost */
	uint64_t restarts;          /* the exporter began anew */
	uint64_t templates_new, templates_changed, templates_withdrawn, templates_expired;
	uint64_t templates_evicted; /* for want of room */
	uint64_t templates_refused; /* broken, too long, or no room */
	uint64_t held, held_used;   /* sets of data put by; later decoded */
	uint64_t held_dropped;      /* … or not: too old, no room */
	uint64_t sampling_unknown;  /* flows whose sampler has not been described: taken as 1:1 */
	uint64_t samplers_refused;
};

struct export_totals {
	struct export_counts counts; /* of all exporters, also of forgotten ones */
	uint64_t unknown_version;
	uint64_t too_short; /* not even a header */
	uint64_t exporters_new, exporters_evicted, exporters_refused;
	uint32_t exporters, templates; /* now */
};

/* An exporter as it stands. */
struct export_view {
	struct exporter_address address;
	uint32_t source_id;
	uint16_t version;
	bool proven; /* cannot be pushed out by new ones */
	uint32_t templates;
	uint32_t sampling; /* for records that name no sampler */
	wd_wall seen;      /* last datagram */
	wd_span skew;      /* its clock minus ours, at the last datagram */
	struct export_counts counts;
};

/* What a datagram begins with: 5, 9 or 10 (IPFIX), EXPORT_SFLOW5, or 0 for none of them. */
enum { EXPORT_SFLOW5 = 0x10005 };
uint32_t export_version(const uint8_t *bytes, size_t len);

/* `key` is drawn once by the caller, so that nobody outside can aim at one bucket. */
enum wd_err exports_open(const struct exports_limits *limits, const struct hash_key *key,
			 struct exports **ret_exports) WD_MUST_CHECK;
void exports_close(struct exports *e);

/* How the bytes of sampled packets are parsed, where an exporter sends them (IE 104, 313, 315).
 * Borrowed; NULL, as it is at first, opens every tunnel. */
void exports_packets(struct exports *e, const struct packet_options *options);

/* Decodes a datagram that came at `now`; flows that do not fit into `cap` are dropped and
 * counted. A broken part costs that part: what is sound before it is decoded, and counted as
 * malformed. Fails only if nothing can be read: WD_UNKNOWN version, WD_SHORT or WD_MALFORMED
 * header, WD_FULL if there is no room for one more exporter; at = offset. Payloads borrow
 * from the datagram. */
enum wd_err exports_decode(struct exports *e, const struct exporter_address *from,
			   const uint8_t *datagram, size_t len, wd_wall now, struct flow *out,
			   size_t cap, size_t *ret_count, struct wd_why *why) WD_MUST_CHECK;

/* After a datagram: data held until now whose template it brought, one set at a time, and when
 * that came. False when there is none (almost always; then it costs a comparison). Payloads
 * borrow until the next exports_decode. */
bool exports_held(struct exports *e, wd_wall now, struct flow *out, size_t cap, size_t *ret_count,
		  wd_wall *ret_at);

void exports_totals(const struct exports *e, struct export_totals *ret_totals);
void exports_each(const struct exports *e, void (*each)(void *arg, const struct export_view *view),
		  void *arg);

#endif
