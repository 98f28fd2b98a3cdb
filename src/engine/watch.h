/* SPDX-License-Identifier: Apache-2.0 */
/* watch: what is followed of one service's traffic and requests: what is usual, the last reading,
 * the rates for charts, and what it means for the service's incident. Made by the first tick;
 * at most WATCH_BYTES_MAX, whatever arrives. Internal to the engine. */
#ifndef WD_ENGINE_WATCH_H
#define WD_ENGINE_WATCH_H

#include "detect/flood.h"
#include "detect/web.h"
#include "engine/before.h"
#include "engine/course.h"
#include "engine/engine.h"
#include "engine/usual.h"
#include "engine/witness.h"
#include "model/incident.h"
#include "tally/second.h"

#include <stdbool.h>
#include <stdint.h>

struct track;

enum watched { WATCH_FLOWS, WATCH_REQUESTS, WATCH_KINDS };
enum watch_rate { RATE_PACKETS, RATE_BITS, RATE_REQUESTS, WATCH_RATES };

enum {
	WATCH_SILENCE_S = 600,  /* without a tick for so long, nothing is known to go on, … */
	WATCH_SILENT_S = 86400, /* … and so long where it is known who would tell of it */
	WATCH_LOG_SILENT_S = 3600, /* of requests: its log may have no visitors to tell of */
	WATCH_FRESH_S = 60,     /* the last reading speaks of now for so long */
	WATCH_BYTES_MAX = 77 * 1024, /* with its charts; a tracer is extra */
};

struct watch_kind {
	wd_wall end;          /* of the last tick; 0 = none ever came */
	wd_wall began;        /* estimate, when there is evidence */
	wd_wall last_above;   /* end of the last tick out of the usual */
	float log10_return;   /* of the last tick */
	bool significant, suspicious, calm;
	struct second second;
	double per_s[2]; /* packets and bits, or requests, of the last second */
	/* The strongest second since there is evidence. */
	wd_wall peak_at;
	float peak[2], usual[2]; /* packets and bits, or requests, a second */
};

struct watch {
	struct watch_kind kinds[WATCH_KINDS];
	struct course rates[WATCH_RATES]; /* opened when the first tick of its kind comes */
	struct flood_reading flows;     /* the last */
	struct web_reading requests;
	wd_wall told_at, kept_at, shown_at; /* so that a tick is not news four times a second */
	float told_peak[WATCH_KINDS];       /* packets, requests a second, as last told */
	uint32_t tracing; /* 1 + index of the engine's tracings; 0 = none */
	bool traced;      /* the incident's vectors are the trace's */
	bool untraced;    /* no tracer was free for it */
	bool log_silent;  /* no line comes where many would (web_watch_misses) */
	struct usual *usual; /* NULL without a key, or while nothing came */
	struct told told;       /* who tells of its traffic */
	struct hearing hearing; /* and whether they do, now */
	wd_wall flood_began;    /* of what carries the incident, again or from its begin; 0: that */
	struct before before;
	struct flood flood;
	struct web_watch web;
};
_Static_assert(sizeof(struct watch) + sizeof(struct usual) +
	       WATCH_RATES * COURSE_CELLS * sizeof(struct course_cell) <=
	       WATCH_BYTES_MAX, "the stated bound");
_Static_assert(WATCH_BYTES_MAX + sizeof(struct traffic_state) +
	       WATCH_RATES * COURSE_CELLS * sizeof(struct point) <= ENGINE_SERVICE_BYTES_MAX,
	       "the stated bound, with what readers see");

/* What makes an incident begin, or joins it. */
struct cause {
	enum incident_kind kind;
	wd_wall began, now;
	float log10_return; /* in buckets of the service's width */
};

struct watch *watch_open(const struct flood_plan *plan); /* NULL if memory ran out */
void watch_close(struct watch *w); /* NULL is fine */
bool watch_open_rates(struct watch *w, enum watched kind);

/* As readers see it; NULL if memory ran out. */
struct traffic_state *watch_show(const struct watch *w, const struct flood_plan *plan,
				 const struct vector_classes *classes, wd_wall now);

/* `key` of the sources; may be NULL. */
void watch_write(const struct watch *w, const struct vector_classes *classes,
		 const struct address_key *key, struct out *o);
/* NULL, and c bad, if the bytes are not a watch or memory ran out. */
struct watch *watch_read(const struct flood_plan *plan, const struct vector_classes *classes,
			 const struct address_key *key, struct cur *c);

/* ---- what it means for the incident; each is as if nothing were watched without a watch ---- */

/* log10 of how many kinds of signal the service's budget is shared by, equally: each one's
 * threshold is higher by that (a union bound). 0 for reports alone. */
float watch_log10_kinds(const struct track *t);
/* The cause is of traffic or requests: the incident has its numbers from here on. */
void watch_carry(struct track *t, const struct cause *c);
/* The incident recovers. */
void watch_let_go(struct track *t);
/* Of the kinds that carry the incident. */
bool watch_is_calm(const struct track *t, wd_wall now);
wd_wall watch_last_above(const struct track *t);
/* Some that saw the incident's traffic are silent since: that it looks calm says nothing. */
bool watch_misses(const struct watch *w, const struct incident *i);
bool watch_is_suspicious(const struct track *t, wd_wall now);
/* The later of the clock and the ticks: when what is known now was known. */
wd_wall watch_time(const struct track *t, wd_wall now);

#endif
