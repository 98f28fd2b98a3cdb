/* SPDX-License-Identifier: Apache-2.0 */
/* trace: what the traffic of one incident was: which vectors, what the source addresses
 * prove, and where they are. A plain value, made by explain/tracer, shown on the incident's
 * page, kept in the store as JSON with a version (docs/formats.md).
 *
 * Rates and sums have the sampling undone. A place is only as good as the status of the
 * vector it belongs to: `mappable` says whether any of it may be shown as "came from". */
#ifndef WD_MODEL_TRACE_H
#define WD_MODEL_TRACE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/units.h"
#include "model/incident.h"
#include "model/vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRACE_VECTORS_MAX = 12,
	TRACE_PLACES_MAX = 20,  /* prefixes, networks, sources */
	TRACE_COUNTRIES_MAX = 40,
	TRACE_POINTS_MAX = 360,
	TRACE_BEFORE_MAX = 180,
	TRACE_EVIDENCE_MAX = 200,
	TRACE_LINKS_MAX = 4,
	TRACE_TEXT_MAX = 159,   /* bytes */
	TRACE_PLACE_MAX = 47,
	TRACE_JSON_MAX = 1 << 19, /* bytes of the fullest one as JSON */
};

enum trace_pattern {
	PATTERN_CARPET = 1, /* spread over a prefix: each host below what would be noticed alone */
	PATTERN_PULSE = 2,  /* on and off */
	PATTERN_MULTI = 4,  /* two vectors or more at one time */
};

struct trace_vector {
	char id[VECTOR_ID_MAX + 1];     /* "unknown" where nothing matched */
	char name[VECTOR_NAME_MAX + 1];
	enum source_status status;
	char why[TRACE_TEXT_MAX + 1];   /* the status, in words with its numbers */
	char rule[TRACE_TEXT_MAX + 1];  /* shortest covering rule: "udp from 53, ttl 52-58" */
	uint64_t fingerprint;           /* equal for what the same tool made; 0 = none */
	bool unverified;                /* its row has no public source yet */
	wd_wall first_at, last_at;
	double packets, bytes, records; /* above usual is not taken off */
	double peak_packets_per_s, peak_bits_per_s;
	double usual_packets_per_s;     /* of the class, before */
	uint64_t seen;                  /* packets looked at; below 30: "seen", not "measured" */
	double sources;                 /* distinct; < 0 not known */
	float sources_error;            /* standard error, share */
	float share;                    /* of the incident's packets, 0..1 */
	float octet_entropy;            /* bits, of the sources' first eight bits; < 0 not known */
	float hop_entropy;              /* bits, of the inferred hop count; < 0 not known */
	float new_share; /* sources not seen in the weeks before, 0..1; < 0 not known */
};

struct trace_place {
	char name[TRACE_PLACE_MAX + 1]; /* "DE", "AS3320", "192.0.2.0/24", "192.0.2.7" */
	double packets, bytes;          /* estimated from the sample */
	double sources;                 /* distinct in the sample */
	float share, share_error;       /* of the packets; standard error */
};

/* One second, or several: what the charts are made of. */
struct trace_point {
	float packets_per_s, bits_per_s, records_per_s, sources;
	float requests_per_s;           /* of access logs; 0 = none */
	float usual_packets_per_s, usual_bits_per_s;
	float vector_packets_per_s[6];  /* of the first six vectors */
	float vector_bits_per_s[6];
};

/* What came before the first point, and what was usual then; < 0 not known. */
struct trace_before_point {
	float packets_per_s, bits_per_s, records_per_s, requests_per_s;
	float usual_packets_per_s, usual_bits_per_s;
};

/* The last step may reach into the first point. */
struct trace_before {
	wd_wall begin;
	wd_span step;
	uint32_t count;
	struct trace_before_point points[TRACE_BEFORE_MAX];
};

struct trace_link { char incident[INCIDENT_ID_MAX + 1]; float shared; bool fingerprint; };

struct trace {
	char incident[INCIDENT_ID_MAX + 1];
	wd_wall changed_at;
	uint32_t patterns;              /* enum trace_pattern */
	uint32_t sampling;              /* the coarsest 1:N that was undone */
	double packets, bytes, records, requests, sources;
	float sources_error;
	enum source_status status;      /* of the heaviest vector */
	bool mappable;                  /* some of the traffic is from proved addresses */
	char not_mappable[TRACE_TEXT_MAX + 1]; /* else why */
	uint32_t targets;               /* distinct destinations */
	uint32_t vector_count, country_count, network_count, prefix_count, source_count;
	uint32_t link_count, point_count, evidence_count;
	struct trace_vector vectors[TRACE_VECTORS_MAX]; /* heaviest first */
	/* Of the vectors whose addresses are proved, if mappable; else of all. */
	struct trace_place countries[TRACE_COUNTRIES_MAX];
	struct trace_place networks[TRACE_PLACES_MAX], prefixes[TRACE_PLACES_MAX],
		sources_top[TRACE_PLACES_MAX];
	struct trace_link links[TRACE_LINKS_MAX];
	wd_wall begin;                  /* of points[0] */
	wd_span step;
	struct trace_point points[TRACE_POINTS_MAX];
	struct trace_before before;
	char evidence[TRACE_EVIDENCE_MAX][TRACE_TEXT_MAX + 1]; /* sample records, as text */
};

void trace_to_json(struct buf *b, const struct trace *t);
/* Unknown members are left alone; a higher version is WD_UNKNOWN. */
enum wd_err trace_from_json(const char *text, size_t len, struct trace *ret_t,
			    struct wd_why *why) WD_MUST_CHECK;

#endif
