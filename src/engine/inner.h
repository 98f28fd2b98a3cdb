/* SPDX-License-Identifier: Apache-2.0 */
/* inner: what the engine's own files share, and nobody else sees. */
#ifndef WD_ENGINE_INNER_H
#define WD_ENGINE_INNER_H

#include "detect/budget.h"
#include "engine/engine.h"
#include "engine/lineage.h"
#include "engine/once.h"
#include "engine/track.h"
#include "engine/witness.h"
#include "explain/tracer.h"
#include "incident/lifecycle.h"

enum {
	PLANS_MAX = 64, /* distinct bucket widths and kinds at one time */
};

/* How often what is usual is shown anew. */
static const wd_span SHOW_EVERY = {5 * WD_NS_PER_S};
/* The closing and reopening times, in the larger of time and buckets. */
static const wd_span CLOSE_AFTER = {1800 * WD_NS_PER_S};
static const wd_span REOPEN_WITHIN = {4 * 3600 * WD_NS_PER_S};
/* Suspected: this many decades short of the budget. */
static const float SUSPECT_DECADES = 2;

/* A tracer and whose it is. */
struct tracing {
	struct tracer *tracer; /* owned, once it was needed */
	size_t track;          /* index */
	bool used;
	bool real;             /* of an incident; else its service only stirs */
	wd_wall traced_at, told_at;
};

struct plan_slot { wd_span step; bool metric; struct surge_plan plan; };

/* Incidents as readers see them: replaced whole when one changes. */
struct incident_list { int references; size_t count; struct incident incidents[]; };

struct engine {
	struct engine_options options;
	wd_wall now;
	int64_t minute; /* the running minute; valid when now is not 0 */
	struct catalogue *catalogue;

	struct track *tracks;
	size_t track_count, track_cap;
	uint32_t *by_id; /* 1 + index of track, open addressing */
	size_t by_id_size;
	size_t *by_catalogue; /* index of the track of each service of the catalogue */

	struct plan_slot plans[PLANS_MAX];
	size_t plan_count;
	struct once once;
	struct flood_plan flood_plan; /* if options.classes is not NULL */
	struct witnesses witnesses;
	wd_wall witnesses_shown;      /* as of then readers know them */
	size_t watched;               /* services that have a watch */
	bool may_drop;                /* of them, some may be of services that nobody follows */
	struct shared_trace **traces; /* up to options.traces_max; held */
	size_t trace_count;
	/* If options.book is not NULL: */
	struct vector_index index;
	struct tracing *tracings;     /* options.tracers_max */
	struct trace *trace_scratch;
	struct traffic_tick *blank;   /* without flows: only requests are told of it */
	struct lineage *lineage;      /* NULL without options.source_key */

	struct incident *incidents; /* all tracked; those of open episodes are refreshed */
	size_t incident_count, incident_cap;
	bool incidents_changed;
	struct incident_list *list; /* as last handed out; held */

	struct effect *effects;
	size_t effect_count, effect_cap;
	uint64_t effects_lost; /* memory ran out */

	void (*on_score)(void *ctx, const struct score *);
	void *on_score_ctx;

	size_t client_note_count; /* of all services */
	size_t due; /* whole-bucket services to judge at the next advance */
	struct engine_counters counters;
	struct budget_stated budget;
	uint64_t versions; /* of service states */
	bool changed;      /* since the last snapshot */
	struct snapshot *last;
	float *headroom; /* scratch, track_cap of them: what budget_open is given */
};

/* judge.c: decides about all services that were sealed since; `whole` picks those whose
 * buckets arrive whole. */
void engine_judge(struct engine *e, bool whole);
/* A bucket of `t` was sealed: the episode's numbers follow. */
void engine_follow(struct engine *e, struct track *t, wd_wall bucket_at);
/* What is stated of the budget, for the services there are now. */
void engine_state_budget(struct engine *e);
/* Takes an event of the service's incident; `c` says what made it and when. */
void engine_live(struct engine *e, struct track *t, enum lifecycle_event event,
		 const struct cause *c);
void engine_open_incident(struct engine *e, struct track *t, const struct cause *c);
/* The open incident is carried by this, too, or again. */
void engine_join_incident(struct engine *e, struct track *t, const struct cause *c);
/* Nobody follows the service: its incident is over, as far as is known since it was last seen. */
void engine_abandon(struct engine *e, struct track *t);
/* Every signal that carries the incident is back to usual. */
bool engine_is_calm(const struct engine *e, const struct track *t);

/* clients.c: nothing is noted of the service's clients any more. */
void engine_forget_clients(struct engine *e, struct track *t);

/* alarm.c: has a watch from here on; false if there is no room. */
bool engine_make_watch(struct engine *e, struct track *t);
/* Traffic or requests carry the incident from here on, with their numbers so far. */
void engine_carry(struct engine *e, struct track *t, const struct cause *c);
/* A minute passed, for services that are not judged every minute. */
void engine_watch_minute(struct engine *e);
/* Tells of peaks that were not told yet: nothing else will come. */
void engine_watch_finish(struct engine *e);

/* `tick` may be NULL: nothing came. */
enum engine_verdict engine_step_flows(struct engine *e, struct track *t,
				      const struct traffic_tick *tick, wd_wall at, wd_span width);

/* silence.c: before the tick is judged: what came before it, and who tells of it. */
void engine_hear_tick(struct engine *e, struct track *t, const struct traffic_tick *tick);
/* After it was. */
void engine_note_witnesses(struct engine *e, struct track *t, const struct traffic_tick *tick);
/* Once a minute, and with a second of requests: whether its log has fallen silent. */
void engine_hear_log(struct engine *e, struct track *t, wd_wall now);

/* traces.c */
enum wd_err engine_traces_open(struct engine *e) WD_MUST_CHECK;
void engine_traces_close(struct engine *e);
/* After the tick was judged. */
void engine_trace_tick(struct engine *e, struct track *t, const struct traffic_tick *tick,
		       wd_span width);
/* Of an incident that only requests carry: how many they were. */
void engine_trace_requests(struct engine *e, struct track *t, wd_wall at, wd_span width);
/* A tracer's state, at the end of its service's. */
void engine_tracing_write(const struct engine *e, const struct track *t, struct out *o);
void engine_tracing_read(struct engine *e, struct track *t, struct cur *c);
/* The service's tracer, if it has one, is free again. */
void engine_trace_stop(struct engine *e, struct track *t);
/* The incident's traffic is back to usual, or (last) the incident is closed. */
void engine_trace_end(struct engine *e, struct track *t, bool last);

/* links.c: keeps who took part, and fills in the links; `usual` may be NULL. */
void engine_find_links(struct engine *e, const struct tracer *tracer,
		       const struct source_memory *usual, struct trace *t);

/* tell.c */
struct effect *engine_add_effect(struct engine *e, enum effect_kind kind); /* NULL: no memory */
struct incident *engine_find_incident(struct engine *e, const char *id);
bool engine_id_taken(void *engine, const char *id);
void engine_find_related(struct engine *e, struct track *t);
/* The incident changed: an effect, and what readers see. */
void engine_tell(struct engine *e, struct track *t, enum effect_kind kind);

void incident_list_release(struct incident_list *l);

const struct surge_plan *engine_plan(struct engine *e, wd_span step, bool metric,
				     uint8_t *ret_plan);
/* seats.c */
struct track *engine_track(struct engine *e, const char *id);
/* A new one of that id; NULL if there is no room. */
struct track *engine_add_track(struct engine *e, const char *id);
/* Seats for all services of the catalogue; if it fails, nothing has changed. */
enum wd_err engine_make_room(struct engine *e, const struct catalogue *c,
			     struct wd_why *why) WD_MUST_CHECK;
/* Room for one more watch. */
bool engine_watch_room(struct engine *e);

/* Takes it for a service of its own, named by its id. False if memory ran out. */
bool engine_adopt(struct engine *e, struct track *t);
void engine_touch(struct engine *e, struct track *t);

#endif
