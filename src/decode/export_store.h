/* SPDX-License-Identifier: Apache-2.0 */
/* export_store: what struct exports remembers, in pools of fixed size linked by index.
 * Internal to the decoders of exports.
 *
 *   ranks of exporters, each a list from the most to the least recently useful (and one of those
 *   of them that have templates, and one of those that have samplers):
 *
 *      newcomer --useful again--> returned --useful in 5 minutes--> proven
 *
 * Room is made at the end of the lowest rank that has any; a proven one goes only after
 * EXPORT_SILENCE, and an eighth of the room is never theirs. So a flood of forged exporters
 * seen once each pushes out only its own. */
#ifndef WD_DECODE_EXPORT_STORE_H
#define WD_DECODE_EXPORT_STORE_H

#include "decode/export.h"
#include "decode/export_plan.h"

#define NONE UINT32_MAX /* no index */

enum rank { RANK_FREE, RANK_NEWCOMER, RANK_RETURNED, RANK_PROVEN, RANKS };
enum having { ANYTHING, TEMPLATES, SAMPLERS, HAVINGS };

struct link {
	uint32_t next, previous;
};
struct list {
	uint32_t first, last;
};

struct exporter_key {
	uint8_t address[16];
	uint32_t source_id;
	uint16_t version;
	uint8_t family, zero;
};
_Static_assert(sizeof(struct exporter_key) == 24, "hashed and compared as bytes");

__extension__ typedef unsigned __int128 export_wide;

struct exporter {
	struct exporter_key key;
	struct link by_rank[HAVINGS];
	struct list templates; /* most recently used first */
	struct list samplers;
	uint32_t bucket_next;
	uint32_t generation; /* changes when the place is given to another */
	uint32_t template_count, sampler_count, held_bytes;
	uint32_t sampling;            /* the default, from options; 0 = not told */
	uint32_t sampler_only;        /* the one rate of all its samplers; 0 = none, or several */
	uint32_t samplers_of[2];      /* how many of each enum plan_sampler */
	uint64_t rate_sum;            /* of those of PLAN_BY_SAMPLER, and of the squares: */
	export_wide rate_squares;
	uint32_t sequence, uptime_ms; /* expected next, last */
	bool sequence_known, uptime_known;
	uint32_t ready; /* exports.round: a template came while data was held */
	uint8_t rank, useful_minutes;
	int64_t useful_minute;
	int64_t start_ms; /* systemInitTime; INT64_MIN = not told */
	wd_wall seen, useful;
	wd_span skew;
	struct export_counts counts;
};

enum { OPTION_FIELDS_MAX = 16 };

/* What is read of a record of options. */
struct option_plan {
	bool is_options;
	uint8_t count;
	struct {
		uint16_t element, at;
		uint8_t width, segment;
		bool scope;
	} fields[OPTION_FIELDS_MAX];
};

struct template
{
	struct link in_exporter;
	uint32_t bucket_next;
	uint32_t exporter;
	uint16_t id;
	uint64_t fingerprint; /* of the definition as it came */
	wd_wall announced;
	struct option_plan options;
	struct plan plan;
};

struct sampler {
	uint32_t bucket_next, next; /* next of its exporter, or free */
	uint32_t exporter;
	uint32_t rate;
	uint64_t id;
	uint8_t kind;
};

/* Data put by. Followed by its bytes; both in multiples of 8. */
struct held {
	uint32_t size; /* with this header; 0 = the ring goes on at its start */
	uint32_t exporter, generation;
	uint32_t len;
	uint16_t template_id;
	bool used;
	bool has_uptime;
	uint32_t uptime_ms;
	int64_t export_ms;
	wd_wall at;
};

struct exports {
	struct exports_limits limits;
	struct hash_key key;
	uint64_t secret; /* of hash_mix */
	struct exporter *exporters;
	struct template *templates;
	struct sampler *samplers;
	uint8_t *ring;
	uint32_t *exporter_buckets, *template_buckets, *sampler_buckets;
	uint32_t exporter_mask, template_mask, sampler_mask;
	struct list ranks[RANKS][HAVINGS];
	uint32_t templates_free, samplers_free; /* singly linked by bucket_next */
	uint32_t proven, proven_max;
	uint32_t last_exporter, last_sampler;
	uint32_t ring_head, ring_tail, ring_used;    /* write, read, bytes between */
	uint32_t held_left;                          /* bytes before the head to look at */
	const struct packet_options *packets;
	bool ready;                                  /* for what is held templates came */
	uint32_t round;                              /* of looking for it; never 0 */
	struct export_totals totals;                 /* counts: of forgotten exporters */
	struct plan_field fields[EXPORT_FIELDS_MAX]; /* of the template being read */
};

/* The exporter of that key, known or new; NONE = no room. */
uint32_t store_exporter(struct exports *e, const struct exporter_key *key, wd_wall now);
/* It sent something that could be used. */
void store_useful(struct exports *e, uint32_t exporter, wd_wall now);

/* NULL if not known; an expired one is forgotten. Found = used. */
struct template *store_template(struct exports *e, uint32_t exporter, uint16_t id, wd_wall now);
/* A place for a new one of that id; NULL = no room. The caller fills it in. */
struct template *store_template_new(struct exports *e, uint32_t exporter, uint16_t id);
void store_template_forget(struct exports *e, struct template *t);

void store_sampler(struct exports *e, uint32_t exporter, enum plan_sampler kind, uint64_t id,
		   uint32_t rate);
uint32_t store_rate(struct exports *e, uint32_t exporter, enum plan_sampler kind, uint64_t id);

/* Puts a set's bytes by. Too much for its exporter's share: dropped, and counted. */
void store_hold(struct exports *e, const struct held *what, const uint8_t *bytes);
/* A template of that exporter came. */
void store_held_ready(struct exports *e, uint32_t exporter);
/* The oldest that is still held and of a template that is now known; NULL = none. */
struct held *store_held_next(struct exports *e, wd_wall now);
void store_held_done(struct exports *e, struct held *h);

#endif
