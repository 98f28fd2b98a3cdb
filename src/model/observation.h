/* SPDX-License-Identifier: Apache-2.0 */
/* observation: one thing seen at one time. It has two serialised forms, both with a
 * version: a binary frame (the journal) and a line of JSON (recordings, feeders, export;
 * docs/formats.md). Times are whole milliseconds, so that both forms hold the same.
 *
 * A frame, little-endian: u16 length of what follows the checksum · u16 the same with every
 * bit flipped · u32 CRC-32 (zlib's) of what follows · u8 version (1 or 2) · u8 kind · u8 flags ·
 * u8 0 · i64 at_ns · i64 step_ns · u8 id[16] · u64 person · u32 network · u32 count ·
 * f64 value · u8 country[2] · seven strings, each a u16 length, its bytes and a NUL:
 * service surface problem region city comment feeder, and of version 2 an eighth: scenario. A frame
 * is of version 2 only if it has one. The second length tells a damaged
 * length from a frame that was cut short: a cut one is the journal's torn tail.
 * Reading needs no copy: the strings of a decoded observation point into the frame. */
#ifndef WD_MODEL_OBSERVATION_H
#define WD_MODEL_OBSERVATION_H

#include "base/buf.h"
#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum observation_kind {
	OBSERVATION_REPORT = 1, /* one user's report */
	OBSERVATION_COUNT = 2,  /* `count` reports in [at, at + step): no persons, no networks */
	OBSERVATION_METRIC = 3, /* `value` of a metric over [at, at + step) */
};

enum {
	OBSERVATION_COMMENT_MAX = 500, /* bytes */
	OBSERVATION_PLACE_MAX = 64,    /* bytes of a region's or city's name */
	OBSERVATION_FEEDER_MAX = 48,
	OBSERVATION_SCENARIO_MAX = 48,
	OBSERVATION_FRAME_MAX = 1200,
	OBSERVATION_STEP_MAX_S = 31 * 86400,
	/* Of a bucket: detection takes more for this many (detect/surge.c), so readers refuse it.
	 * What a journal holds from before is left as it is. */
	OBSERVATION_COUNT_MAX = 1000000000,
};
#define OBSERVATION_AT_MAX_S INT64_C(7258118400) /* 2200-01-01: before it; not before 1970 */

enum observation_flag {
	OBSERVATION_RECONSTRUCTION = 1, /* made from what was published, not observed */
};

/* Where no file names the network of an address, a keyed hash of its prefix (IPv4 /16, IPv6
 * /32) stands for it, in the range that RFC 6996 keeps for private use: networks can still
 * be told apart and counted, but are never shown. */
#define NETWORK_UNNAMED_MIN UINT32_C(4200000000)

struct observation_id { uint8_t bytes[16]; };

struct observation {
	enum observation_kind kind;
	uint8_t flags;
	wd_wall at;   /* when it happened; whole milliseconds, the years 1970 to 2199 */
	wd_span step; /* width of the bucket, above 0; 0 for a report */
	struct observation_id id;
	uint64_t person;  /* keyed daily hash of who reports; 0 = not known */
	uint32_t network; /* AS number; 0 = not known */
	uint32_t count;   /* 1 for a report */
	double value;     /* a metric's */
	char country[3];  /* ISO 3166-1 alpha-2 (or what a recording has: model/country.h), or "" */
	/* Borrowed, never NULL, "" = not known. */
	const char *service, *surface, *problem, *region, *city, *comment, *feeder;
	const char *scenario; /* that it was played from, an id; only of a reconstruction */
};

/* All fields "not known"; the count of a report is 1. */
struct observation observation_blank(enum observation_kind kind);

const char *observation_kind_name(enum observation_kind kind); /* "report", "count", "metric" */

/* Whether every field keeps to its limits (lengths, country, step, finite value, milliseconds):
 * what observation_encode demands. On false *ret_field names the first that does not. */
bool observation_is_sound(const struct observation *o, const char **ret_field);

/* Writes a frame to dst (OBSERVATION_FRAME_MAX bytes); returns its length. The observation
 * must be sound: that is checked where it comes in. */
size_t observation_encode(const struct observation *o, uint8_t *dst);

/* Reads the frame at the front of `bytes`; *ret_len is its length. WD_SHORT if it ends
 * early (a torn tail), WD_MALFORMED if a length, the checksum or a field is wrong,
 * WD_UNKNOWN if a later version wrote it. */
enum wd_err observation_decode(const uint8_t *bytes, size_t len, struct observation *ret_o,
			       size_t *ret_len, struct wd_why *why) WD_MUST_CHECK;

/* One JSON object without a line end (docs/formats.md), of a sound observation. Fields that
 * are not known are left out, as is `received` if it is 0. */
void observation_to_json(struct buf *b, const struct observation *o, wd_wall received);

void observation_id_text(const struct observation_id *id, char dst[33]); /* hex */
/* All zero: nobody gave it an id. */
bool observation_id_is_none(const struct observation_id *id);

#endif
