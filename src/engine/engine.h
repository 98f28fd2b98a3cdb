/* SPDX-License-Identifier: Apache-2.0 */
/* engine: observations in, effects out. The only file that wires the core. Pure: its clock
 * is `now`, which never goes back; the same calls in the same order give the same effects
 * to the byte, live, in replay and in tests. One thread.
 *
 * Time: an observation counts in the bucket it happened in. A bucket is sealed LATENESS after
 * its end; until then it is looked at ahead of time at every bucket's end, so that a decision
 * waits for nobody, and late observations still find their own bucket. Observations of
 * buckets of another width than a minute (OBSERVATION_COUNT, _METRIC) are whole when they
 * arrive and are sealed at once.
 *
 * Traffic comes as ticks that are whole (engine_traffic, engine_web), is judged at once and by the
 * ticks' own time: an incident that traffic opens was decided at the end of a tick. A tick never
 * moves the clock. A service that ticks come for costs ENGINE_SERVICE_BYTES_MAX, whatever arrives;
 * with its ticks of two collecting threads that is less than 256 KB (docs/telemetry.md,
 * tests/memory_test.c). What is traced are at most tracers_max open incidents of all services
 * together, a struct tracer each: where they are fewer than incidents, the most severe have them.
 * Who took part in the latest incidents is another MB.
 *
 * Memory: sized by `struct engine_options`; every table has a maximum, and what does not
 * fit is counted (struct engine_counters). */
#ifndef WD_ENGINE_ENGINE_H
#define WD_ENGINE_ENGINE_H

#include "base/err.h"
#include "base/hash.h"
#include "base/units.h"
#include "model/incident.h"
#include "model/observation.h"
#include "model/service.h"
#include "model/snapshot.h"
#include "model/trace.h"
#include "model/vector.h"
#include "tally/traffic.h"
#include "tally/web.h"

#include <stddef.h>
#include <stdint.h>

/* Of a service's traffic and requests, with what the last snapshot shows of it. */
enum { ENGINE_SERVICE_BYTES_MAX = 108 * 1024 };

struct engine_options {
	double false_a_month;      /* accepted false incidents a month, all services together; 0 =
				    * one per service that was ever observed */
	size_t services_max;       /* default 10000 */
	size_t signals_a_service;  /* default 64, the total included */
	size_t persons_max;        /* tracked per quarter of an hour, default 1 << 20 */
	size_t incidents_max;      /* kept, default 10000 a program; the least severe go first */
	uint32_t persons_floor;    /* an incident needs this many distinct persons, default 5 */
	uint32_t networks_floor;   /* in this many networks, default 3 */
	/* Of traffic. Borrowed, and outlive the engine. */
	const struct vector_classes *classes; /* as the ticks were counted; NULL: no traffic */
	const struct vector_book *book;       /* NULL: nothing is traced */
	const struct tracer_places *places;   /* explain/tracer.h; NULL: traces name no places */
	/* What sources are remembered by: one that outlives restarts (traffic_rules). NULL: nobody
	 * is called new, and incidents have no sources in common. */
	const struct address_key *source_key;
	double packets_floor, bits_floor; /* a second above usual, less is no flood; 0 = default */
	size_t services_watched_max;      /* ticks come for, default 1000 */
	size_t tracers_max;               /* open incidents traced at once, default 32 */
	size_t traces_max;                /* kept in memory, default 48; the oldest go first */
	bool adopt_services;       /* a service no catalogue names is taken as it comes (replay) */
	struct hash_key key;       /* for its tables: random live, fixed in replay */
};

struct engine_options engine_defaults(void);

enum effect_kind {
	EFFECT_INCIDENT_OPENED,
	EFFECT_INCIDENT_CHANGED, /* a wave, the scope, the state, a number worth telling */
	EFFECT_INCIDENT_CLOSED,
	EFFECT_COORDINATED, /* evidence `reports.coordinated` on a service */
	EFFECT_TRACE,       /* what the traffic of an incident is, so far or at its end */
};

struct effect {
	enum effect_kind kind;
	wd_wall at; /* the engine's clock */
	struct incident incident;       /* of the first three kinds */
	struct coordinated coordinated; /* of coordinated */
	const struct trace *trace;      /* of a trace; until the effects are dropped */
	struct shared_trace *held;      /* the engine's */
};

/* One value of one total, as it was judged: `replay --format scores`. */
struct score {
	const char *service; /* borrowed until the next call */
	wd_wall at;          /* begin of the bucket */
	float observed, expected, low, high, log10_return;
};

struct engine;

enum wd_err engine_open(const struct engine_options *options, struct engine **ret_engine,
			struct wd_why *why) WD_MUST_CHECK;
void engine_close(struct engine *e);

/* From now on these services are known (the engine holds the catalogue). What is known of a
 * service that is still there stays; of one that is gone, too, until it is asked for again: the
 * time between is missing, and its incident closes at the next minute. Where services_max or
 * services_watched_max leave no room for one that is there, what is known of who is gone and was
 * seen longest ago is given up. WD_FULL: more than services_max; if it fails, all is as before. */
enum wd_err engine_configure(struct engine *e, struct catalogue *c,
			     struct wd_why *why) WD_MUST_CHECK;

enum engine_verdict {
	ENGINE_COUNTED,
	ENGINE_DUPLICATE, /* this person was counted for this service and quarter of an hour */
	ENGINE_LATE,      /* kept by the caller, part of no signal */
	ENGINE_UNKNOWN_SERVICE,
	ENGINE_FULL,  /* no room for one more service */
	ENGINE_WIDTH, /* buckets under a second or over 366 days wide, or of a 65th width */
	ENGINE_OTHER, /* a metric of a service of counts, or counts of one of a metric: part of no
			 signal */
	ENGINE_EARLY, /* a tick more than two minutes ahead of the clock: refused */
};

enum engine_verdict engine_observe(struct engine *e, const struct observation *o);

/* One tick of a service: counted, judged, traced. ENGINE_LATE: not after the service's last one,
 * or more than two minutes behind the clock. */
enum engine_verdict engine_traffic(struct engine *e, const struct traffic_tick *tick);
enum engine_verdict engine_web(struct engine *e, const struct web_tick *tick);
/* What is noted of a service's clients (detect/conduct.h) from now on, at most CLIENT_NOTES_MAX;
 * all services together have room for ENGINE_CLIENT_NOTES_MAX, and what does not fit is counted
 * in `more`. It is no evidence, in no state and no effect: readers are shown it, that is all. */
enum { ENGINE_CLIENT_NOTES_MAX = 4096 };
enum engine_verdict engine_clients(struct engine *e, const char *service,
				   const struct client_note *notes, size_t count, uint64_t more);
/* The witness that records call by this slot (struct flow) spoke, of whatever, in a tick that ended
 * then: before the tick itself is told. `name` tells it from others, also after a restart. */
void engine_heard(struct engine *e, uint32_t slot, const char *name, wd_wall at);
/* All that came until then was told: a service that no tick came for had nothing, as far as its
 * witnesses speak (engine/witness.h); where none is known, for certain. Without it, what no tick
 * tells of is not known, and an incident takes ten minutes of that for its end. While its
 * witnesses are silent it stays open, a day at most. */
void engine_traffic_until(struct engine *e, wd_wall until);

/* Moves the clock; a `now` before the engine's clock does nothing. The time between was
 * watched: minutes without reports count as zero (more than a week is taken for a gap). */
void engine_advance(struct engine *e, wd_wall now);
/* The same, but nobody watched: the minutes between are missing, not zero, and reports of them
 * are late. Of the minutes in which it began and ended counts what was seen. */
void engine_gap(struct engine *e, wd_wall now);
wd_wall engine_now(const struct engine *e);
/* At the end of a recording: seals and judges all that is pending, as if time went on. Floods that
 * have been calm for half a minute by then are over. */
void engine_finish(struct engine *e);

/* Before the program ends: the traces of all incidents that go on, as they are now, are effects
 * (else one is told every half minute). */
void engine_tell_traces(struct engine *e);

/* Effects since the last engine_effects_drop, oldest first. */
const struct effect *engine_effects(const struct engine *e, size_t *ret_count);
void engine_effects_drop(struct engine *e);

/* Called for every sealed bucket of every total, in order. */
void engine_on_score(struct engine *e, void (*on_score)(void *ctx, const struct score *),
		     void *ctx);

/* A new reference; services that did not change share their state with the last snapshot.
 * NULL if memory ran out. */
struct snapshot *engine_snapshot(struct engine *e);

/* The chart of an incident: from two hours before its begin to its end (or now), in at most
 * 360 points. Caller frees ret_series->points. False if nothing is known any more. */
bool engine_incident_series(const struct engine *e, const struct incident *i,
			    struct series *ret_series);

/* State: one blob for the engine as a whole (clock, persons, budget) and one a service, each
 * with a version and a checksum. The order is fixed, so equal engines give equal bytes. */
enum wd_err engine_write(const struct engine *e, uint8_t **ret_bytes,
			 size_t *ret_len) WD_MUST_CHECK;
size_t engine_service_count(const struct engine *e);
/* *ret_id is borrowed from the engine. */
enum wd_err engine_write_service(const struct engine *e, size_t index, const char **ret_id,
				 uint8_t **ret_bytes, size_t *ret_len) WD_MUST_CHECK;
/* Into a fresh engine: first the whole, then the services in any order. A damaged blob
 * leaves the engine as it was. at = byte offset. Services that the catalogue does not have are
 * read as far as there is room for them. */
enum wd_err engine_read(struct engine *e, const uint8_t *bytes, size_t len,
			struct wd_why *why) WD_MUST_CHECK;
enum wd_err engine_read_service(struct engine *e, const uint8_t *bytes, size_t len,
				struct wd_why *why) WD_MUST_CHECK;
/* An incident of the past, from the store: for ranks and history. */
enum wd_err engine_remember(struct engine *e, const struct incident *i) WD_MUST_CHECK;
/* The same of an incident that the store has open and the state may not know: ticks are in no
 * journal, so what they decided after the state was written is not decided again. The service goes
 * on with it; a state that knows the incident takes over what the store knows of its traffic.
 * Before the journal is replayed. */
enum wd_err engine_resume(struct engine *e, const struct incident *i) WD_MUST_CHECK;
/* A trace of the past, from the store, latest last. Of one that is known already the fuller
 * stays. */
enum wd_err engine_remember_trace(struct engine *e, const struct trace *t) WD_MUST_CHECK;
/* After that: what the state knows of an incident is later than what the store remembers. */
void engine_remember_open(struct engine *e);

#endif
