/* SPDX-License-Identifier: Apache-2.0 */
/* tracer: the ticks of one open incident in, its trace out (model/trace.h): vectors, source
 * status, places, series and sample records.
 *
 *	tracer_begin(t, incident, at);
 *	each tick of the incident: tracer_add(t, &index, &input);
 *	whenever it is to be shown: tracer_write(t, &index, &places, &trace);
 *
 * A plain value of fixed size (TRACER_SIZE_MAX), so that the caller allocates it once; no
 * pointer in it. It survives a restart as bytes (tracer_io.c). Any ticks leave a sane state.
 *
 * Places come from a *sample over the whole incident*: the ticks' priority samples joined and
 * thinned out again to TRACER_PLACES records, which leaves them a priority sample (see
 * tally/traffic.h): shares are unbiased, with the standard error told beside them. */
#ifndef WD_EXPLAIN_TRACER_H
#define WD_EXPLAIN_TRACER_H

#include "base/bytes.h"
#include "base/err.h"
#include "explain/profile.h"
#include "explain/vector.h"
#include "explain/who.h"
#include "model/trace.h"
#include "tally/geo.h"
#include "tally/second.h"
#include "tally/traffic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRACER_SLOTS = 8,     /* classes that flooded; later ones are in the sums only */
	TRACER_BUCKETS = 24,  /* slot and row together */
	TRACER_NO_BUCKET = 255,
	TRACER_PLACES = 1024,
	TRACER_OPENINGS = 256, /* SYNs seen, to be matched with what continues them */
	TRACER_SIZE_MAX = 199 * 1024,
	TRACER_STATE_MAX = 212 * 1024, /* bytes */
};

/* A class that floods in this tick, and what it usually has. */
struct tracer_class {
	uint8_t class;
	wd_wall began;
	double usual_packets_per_s, usual_bits_per_s;
	bool new_names, alone; /* as in flood_class */
};

struct tracer_input {
	const struct traffic_tick *tick;
	const struct tracer_class *classes; /* heaviest first; none yet: a stand-in is kept */
	size_t class_count;
	uint64_t stirring[2]; /* bit a class: may be named soon, as flooding since now */
	double usual_packets_per_s, usual_bits_per_s; /* of all that comes in */
	double requests; /* of access logs in this time; 0 = none */
	bool carpet, pulse;
	const struct address_key *key; /* one for all incidents; NULL: no sets of sources */
};

/* Where an address is; either may be NULL: not known. `address` as struct flow has it.
 * tracer_places_of makes one. */
struct tracer_places {
	const void *context;
	bool (*country)(const void *context, const uint8_t *address, uint8_t family, char ret[3]);
	uint32_t (*network)(const void *context, const uint8_t *address, uint8_t family); /* AS */
	const struct source_memory *memory; /* who was there in the weeks before; may be NULL */
};

struct tracer_slot {
	uint8_t class;
	int64_t first_ns, last_ns;
	double packets, bytes, records, seen;
	double asked;          /* packets that the service sent and that ask for such answers */
	struct second second; /* the four that follow, of the running second */
	double peak_packets_per_s, peak_bits_per_s;
	double peak_fragments_per_s, peak_fragment_bits_per_s; /* together with fragments */
	double usual_packets_per_s, usual_bits_per_s, usual_ticks;
	double new_names;      /* ticks of these whose flood was of new names */
	/* Of the ticks in which only what nobody answers floods: how many, what that was, and all
	 * of the class; packets of before anything could be told of answers, if it flooded then,
	 * and of the last tick. */
	double alone_ticks, alone_packets, alone_bytes, beside_packets;
	double before_packets, last_packets;
	bool alone;            /* in this tick */
	uint8_t told;          /* ticks that could tell of answers; at most a few */
	double tcp, continued; /* sampled packets of TCP; of connections whose SYN was sampled */
	bool flooded;          /* said so; else it is fragments, or a stand-in for want of any */
	bool sources_lost;     /* in some tick the class found no place */
	bool first_fragments;  /* seen in the sample */
	uint8_t sources[1 << TRAFFIC_CLASS_BITS];
};

struct tracer_bucket { uint8_t slot, row; struct profile profile; };

struct tracer_place {
	uint8_t address[16];
	float packets, bytes, priority;
	uint32_t as; /* as the exporter said; 0 = not told */
	uint8_t family, slot;
	uint8_t bucket; /* index; TRACER_NO_BUCKET = not known */
};

struct tracer_record { int64_t at_ns; struct traffic_record record; };

struct tracer_sums {
	float packets, bits, records, sources, requests, usual_packets, usual_bits, ticks;
	float slot_packets[TRACER_SLOTS], slot_bits[TRACER_SLOTS];
};

struct tracer_opening { uint64_t flow; uint32_t sequence; };

struct tracer {
	char incident[INCIDENT_ID_MAX + 1];
	int64_t begin_ns, end_ns, step_ns;
	double packets, bytes, records, requests, sampling;
	uint64_t samples_dropped;  /* found no bucket of their own */
	uint32_t patterns;
	uint32_t slot_count, bucket_count, place_count, record_count, record_stride;
	uint64_t record_number;
	float place_threshold;
	uint32_t point_count;
	uint8_t sources[1 << TRAFFIC_SOURCES_BITS];
	uint8_t targets[1 << TRAFFIC_TARGETS_BITS];
	uint8_t point_sources[1 << TRAFFIC_SOURCES_BITS]; /* of the last point */
	struct tracer_slot slots[TRACER_SLOTS];
	struct who who; /* of the sampled records */
	struct tracer_bucket buckets[TRACER_BUCKETS];
	struct tracer_place places[TRACER_PLACES]; /* a heap: lowest priority first */
	struct tracer_record evidence[TRACE_EVIDENCE_MAX];
	struct tracer_sums points[TRACE_POINTS_MAX];
	struct tracer_opening openings[TRACER_OPENINGS];
	struct trace_before before; /* the caller's, as tracer_begin leaves it empty */
};
_Static_assert(sizeof(struct tracer) <= TRACER_SIZE_MAX, "the stated bound of an incident");

void tracer_begin(struct tracer *t, const char *incident, wd_wall at);
void tracer_add(struct tracer *t, const struct vector_index *ix, const struct tracer_input *in);
/* `places` may be NULL. Links are the caller's. */
void tracer_write(const struct tracer *t, const struct vector_index *ix,
		  const struct tracer_places *places, struct trace *ret);

/* Who took part, for what incidents have in common (source_set_shared): of the sample. */
void tracer_sources(const struct tracer *t, struct source_set *ret);

/* Out of the table of places; g may be NULL. */
struct tracer_places tracer_places_of(const struct geo *g);

/* The state as bytes with a version; class and row go by their ids, so that a changed book
 * finds what it still has. Reading leaves *t untouched on failure: WD_UNKNOWN for another
 * version, WD_SHORT or WD_MALFORMED. */
void tracer_write_state(const struct tracer *t, const struct vector_index *ix, struct out *o);
enum wd_err tracer_read_state(struct tracer *t, const struct vector_index *ix, struct cur *c,
			      struct wd_why *why) WD_MUST_CHECK;

#endif
