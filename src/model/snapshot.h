/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot: what everybody may read of the engine at one moment. Immutable and shared by
 * reference: the engine hands one out a second, pages are rendered from it once.
 *
 * Counts are floats because expected values are; an observed count is whole. A bucket that
 * was not seen (the program was off, a feed had a gap) has a negative observed. */
#ifndef WD_MODEL_SNAPSHOT_H
#define WD_MODEL_SNAPSHOT_H

#include "base/units.h"
#include "model/client_note.h"
#include "model/incident.h"
#include "model/service.h"
#include "model/signal.h"
#include "model/vector.h"
#include "model/witness.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status {
	STATUS_UNKNOWN,  /* nothing was ever observed, or the baseline is not learned yet */
	STATUS_USUAL,    /* nothing out of the ordinary */
	STATUS_UNUSUAL,  /* suspected: above usual, not past the budget; or reports.coordinated */
	STATUS_INCIDENT, /* an incident is open or recovering */
};

/* What was not seen has -1 and zeros; a metric may be below 0, but then something is usual. */
struct point { float observed, expected, low, high; };

/* Is it known what is usual? */
static inline bool point_is_known(const struct point *p)
{
	return p->expected != 0 || p->low != 0 || p->high != 0;
}

static inline bool point_is_seen(const struct point *p)
{
	return p->observed >= 0 || (p->observed < 0 && point_is_known(p));
}

struct series {
	wd_wall begin; /* of points[0] */
	wd_span step;
	size_t count;
	struct point *points;
};

/* One surface, problem, place or network of a service over the last 24 h. */
struct share {
	enum dimension dimension;
	char value[SIGNAL_VALUE_MAX + 1];
	float observed_24h;
	float observed_now, expected_now, log10_return; /* the last whole bucket */
	bool significant;
};

/* What a service receives now. Rates are means of the last second, usual ones of its tick. */
struct traffic_state {
	wd_wall flows_at, requests_at; /* end of the last tick; 0 = none ever came */
	float packets_per_s, usual_packets_per_s;
	float bits_per_s, usual_bits_per_s;
	float records_per_s, sources; /* sources: distinct in the last tick */
	float requests_per_s, usual_requests_per_s, clients;
	struct part top;           /* the heaviest class or vector of what floods; id "" = none */
	struct part finding;       /* the strongest of the requests; id "" = none */
	float log10_return, requests_log10_return; /* in their own ticks */
	/* Nobody who told of its traffic has spoken since, or (partly) some have not; 0 = all. */
	wd_wall silent_since;
	bool silent_partly;
	wd_wall requests_silent_since; /* no log that told of its requests has had a line since */
	bool cold;                 /* too little history to say what is usual of it */
	bool requests_cold;
	wd_span learned, requests_learned; /* history behind what is usual, floods left out */
	/* Mean rates: of the day in five minutes, and of the last minutes in seconds. */
	struct series day_packets, day_bits, day_requests;
	struct series recent_packets, recent_bits, recent_requests;
};

struct service_state {
	const struct service *service; /* of the snapshot's catalogue */
	enum status status;
	bool metric;           /* values of a metric, not counts of reports */
	bool whole;            /* buckets arrive whole: single reports do not count */
	bool reconstruction;   /* what was last seen of it was played, not observed */
	wd_wall first_seen_at; /* first observation ever; 0 = none */
	wd_wall last_seen_at;
	float observed_now, expected_now, low_now, high_now; /* of the last whole bucket, */
	wd_span step_now;   /* which is so wide */
	float log10_return; /* of the service's evidence together */
	uint64_t observed_total;
	struct series day;     /* last 24 h in 5-minute buckets, the last one unfinished */
	struct series week;    /* last 7 d, hours */
	struct series quarter; /* last 90 d, 6-hour buckets */
	struct series leading; /* from two hours before the open incident on, in the finest
				* buckets kept, the last one unfinished; count 0 = none open */
	size_t share_count;
	struct share *shares; /* by dimension, then by observed_24h falling */
	size_t incident;      /* index of the open one in snapshot.incidents; SIZE_MAX = none */
	struct coordinated coordinated; /* the latest; service "" = none within a day */
	struct traffic_state *traffic;  /* NULL = not watched */
	struct client_notes *clients;   /* held; latest first; NULL = nothing is noted */
	uint64_t version;               /* changes whenever anything above does */
	int references;                 /* the snapshot's business */
};

struct engine_counters {
	uint64_t observations, reports, counts, metrics;
	uint64_t duplicates;   /* same person, service and quarter of an hour */
	uint64_t late;         /* more than two minutes: kept, not counted in a signal */
	uint64_t early;        /* more than two minutes in the future: counted now */
	uint64_t unknown_service;
	uint64_t dimensions_dropped; /* a value beyond a service's signals */
	uint64_t persons_untracked;  /* counted without de-duplication: the table is full */
	uint64_t signals, samples, incidents_opened, coordinated;
	uint64_t ticks, web_ticks; /* of traffic and of requests, taken */
	uint64_t ticks_late;       /* not after the last, or two minutes behind the clock */
	uint64_t ticks_early;      /* two minutes ahead of it */
	uint64_t ticks_unknown;    /* of a service nobody knows */
	uint64_t ticks_unwatched;  /* beyond services_watched_max */
	uint64_t untraced;         /* incidents that found no tracer */
	uint64_t widths_differ; /* buckets of another width than the service's first: taken for its
				 */
};

/* Odds the reader is told: among `series` services, `false_a_month` false incidents are
 * accepted in all; an incident opens at log10_return >= open_at. */
struct budget_stated { size_t series; double false_a_month; double open_at; };

/* A trace that several snapshots show. */
struct trace;
struct shared_trace;

struct snapshot {
	uint64_t version; /* rises by one with each snapshot */
	wd_wall now;      /* the engine's clock */
	wd_wall since;    /* what is tracked goes back to here */
	struct catalogue *catalogue; /* held */
	size_t service_count;
	struct service_state **services; /* same order as the catalogue */
	size_t incident_count;
	struct incident *incidents; /* all tracked, latest begin first */
	struct incident_list *incident_owner; /* they are shared between snapshots */
	void (*incident_release)(struct incident_list *owner);
	size_t trace_count;
	struct shared_trace **traces; /* held; of the latest incidents with traffic */
	/* Names of vectors; outlives the snapshot. NULL: ids are shown. */
	const struct vector_book *book;
	/* Who tells of traffic, for the operator alone: names are addresses. */
	size_t witness_count;
	struct witness_state witnesses[WITNESSES_MAX];
	struct budget_stated budget;
	struct engine_counters counters;
	int references;
};

struct snapshot *snapshot_hold(struct snapshot *s);
void snapshot_release(struct snapshot *s); /* NULL is fine; any thread */
void service_state_release(struct service_state *s);
void traffic_state_free(struct traffic_state *t); /* NULL is fine */

/* By incident id; NULL if none. */
const struct incident *snapshot_incident(const struct snapshot *s, const char *id);
/* What the traffic of that incident was; NULL if it is not in memory: the store may have it. */
const struct trace *snapshot_trace(const struct snapshot *s, const char *incident);
/* A copy of *t with one reference; NULL if memory ran out. Any thread may hold and release. */
struct shared_trace *shared_trace_new(const struct trace *t);
struct shared_trace *shared_trace_hold(struct shared_trace *t);
void shared_trace_release(struct shared_trace *t); /* NULL is fine */
const struct trace *shared_trace_of(const struct shared_trace *t);

/* The place of `i` among all tracked incidents of its service (1 = longest), how many there
 * are, and the same by severity. */
struct rank { size_t by_duration, by_severity, of; };
struct rank snapshot_rank(const struct snapshot *s, const struct incident *i);

#endif
