/* SPDX-License-Identifier: Apache-2.0 */
/* track: all that is followed of one service: its signals with their pending minutes, the
 * rings its charts are made of, who reports, and its current incident. Internal to the
 * engine; not seen by anybody else. */
#ifndef WD_ENGINE_TRACK_H
#define WD_ENGINE_TRACK_H

#include "base/hash.h"
#include "detect/surge.h"
#include "engine/crowd.h"
#include "engine/engine.h"
#include "engine/watch.h"
#include "incident/episode.h"
#include "tally/rollup.h"

enum {
	PENDING_BINS = 4,      /* minutes not sealed: the running one and LATENESS before it */
	LATENESS_BINS = 2,
	CALM_BINS = 10,        /* back to usual: over ten minutes, and at least two bins */
	SIGNAL_LOOKUP = 256,   /* at most half full */
	SIGNALS_MAX = 120,
	CANDIDATES = 32,       /* places and networks not yet worth a signal */
	CANDIDATE_REPORTS = 3, /* reports that make them so */
	HISTORY_BINS = 240,    /* in the service's own width: what led up to an incident */
	HISTORY_FIVES = 324,   /* 27 h of five minutes: the chart of a day, and a lead-in */
	HOURS_KEPT = 25,
	LEAD_IN_BINS = 240,    /* zeros a new signal of a known service begins with, at most */
};

struct signal {
	struct surge surge;
	float observed, expected, low, high; /* the last judged bucket */
	float log10_return;
	int64_t began;
	bool above, sustained, calm;
	bool in_scope;
	uint8_t dimension;
	uint32_t pending[PENDING_BINS];       /* bin b is in [b mod 4] */
	float recent[CALM_BINS];              /* the last sealed counts, the newest last */
	float run_observed, run_expected;     /* since its evidence was last next to nothing */
	float hours[HOURS_KEPT];              /* observed by hour, hour h in [h mod HOURS_KEPT] */
	char value[SIGNAL_VALUE_MAX + 1];
};

struct candidate { uint64_t hash; uint32_t reports; };

struct history {
	struct rollup bins, fives, hours, quarters; /* in the service's own step; 5 min; 1 h; 6 h */
};

struct track {
	char id[SERVICE_ID_MAX + 1];
	uint64_t salt;                 /* of the persons who report on it */
	const struct service
		*service; /* of the engine's catalogue, or `adopted`; NULL = not there now */
	struct service *adopted;       /* owned */
	bool started;                  /* its total has been followed since `since` */
	bool whole;                    /* buckets arrive whole: sealed at once */
	bool metric;
	bool reconstruction;
	char scenario[OBSERVATION_SCENARIO_MAX + 1]; /* of that; "" = not known */
	uint8_t plan;                  /* of the engine's plans */
	wd_span step;
	wd_wall phase;                 /* bin b covers [phase + b step, phase + (b + 1) step) */
	int64_t next;                  /* first bin not sealed */
	wd_wall since, first_seen, last_seen;
	wd_wall due_at;                /* whole: the newest label not judged yet; 0 = none */
	uint64_t observed_total;

	struct signal *signals; /* signals[0] is the total */
	uint32_t signal_count, signal_cap;
	uint8_t lookup[SIGNAL_LOOKUP]; /* 1 + index into signals; 0 = free */
	struct candidate candidates[CANDIDATES];

	struct history *history; /* NULL until something was observed */
	struct crowd *crowd;     /* likewise, of reports */
	struct watch *watch;     /* NULL until a tick of traffic came */
	struct client_notes *clients; /* held; NULL = nothing is noted of any */

	struct episode episode;
	float most;              /* the highest log10_return of a signal */
	float log10_return;      /* of all signals together */
	bool sustained;
	wd_wall began;           /* estimate, when there is evidence */
	wd_wall last_above; /* end of the last bucket out of the usual, while an incident is on */
	struct coordinated coordinated;
	bool coordinated_on;

	uint64_t version;
	struct service_state *shown; /* of the last snapshot; NULL = stale */
};

/* Its incident is open or recovering. */
static inline bool track_is_on(const struct track *t)
{
	return incident_is_on(t->episode.state);
}

/* Bin arithmetic. */
int64_t track_bin(const struct track *t, wd_wall at);
wd_wall track_bin_begin(const struct track *t, int64_t bin);

/* The index of a signal, made if need be; -1 if there is no room (or it is only a candidate
 * so far). `now_bin` is the running bin. */
int track_signal(struct track *t, const struct surge_plan *plan, const struct hash_key *key,
		 enum dimension d, const char *value, size_t signals_max, uint64_t *dropped);

/* Seals one bin of every signal. `observed` is the total's for whole services; else NULL and
 * the pending counts are used. */
void track_seal(struct track *t, const struct surge_plan *plan, int64_t bin,
		const double *observed);
/* Nobody watched until bin `next`: what was pending is dropped, the rest is missing. */
void track_skip(struct track *t, int64_t next);
/* Judges ahead of time those signals whose unsealed, finished bins stand out. */
void track_peek(struct track *t, const struct surge_plan *plan, int64_t last_whole_bin);

bool track_open_history(struct track *t);
void track_done(struct track *t);

/* After signals were read: finds them by name again. */
void track_reindex(struct track *t, const struct hash_key *key);

#endif
