/* SPDX-License-Identifier: Apache-2.0 */
/* episode: the numbers of one service's current (or last) incident, kept bucket by bucket:
 * peak, excess, severity, waves, scope. Pure; the caller judges significance.
 *
 * Waves. The rate is smoothed over five minutes (one bucket where buckets are wider). A wave
 * ends when the rate falls below a third of the wave's peak; the next begins when it is
 * three times its lowest since, a tenth of the highest peak, and more above that lowest than
 * five standard deviations of a Poisson count. */
#ifndef WD_INCIDENT_EPISODE_H
#define WD_INCIDENT_EPISODE_H

#include "base/bytes.h"
#include "base/units.h"
#include "model/incident.h"

#include <stdbool.h>

enum { EPISODE_SMOOTH_MAX = 5 };

struct episode {
	enum incident_state state;
	bool metric; /* of values, not counts: both sides count, waves are not told apart */
	bool known;               /* `incident` holds one: the open one or the last */
	struct incident incident;
	wd_wall calm_since;       /* RECOVERING: since when; else 0 */
	float excess;             /* the incident's, of whole buckets */
	/* wave tracking */
	bool in_wave;
	bool held;                /* by traffic that is not calm: a lull of reports ends no wave */
	uint32_t recent_count;    /* buckets in recent[] */
	float recent[EPISODE_SMOOTH_MAX];
	float wave_peak;          /* of the smoothed rate, in this wave */
	float peak_of_peaks;
	float valley;             /* lowest smoothed rate since the last wave ended */
	wd_wall valley_last_at;   /* end of the last bucket near the valley */
};

/* One bucket as the detector saw it. */
struct episode_bucket { wd_wall at; float observed, expected, high; };

void episode_init(struct episode *e);

/* A new incident of `service`, decided at `now`. The id is made from the begin; `taken` says
 * whether an id is in use. The caller then hands over the buckets since `began_at`. */
void episode_open(struct episode *e, const char *service, wd_span step, wd_wall began_at,
		  wd_wall now, float log10_return, bool (*taken)(void *ctx, const char *id),
		  void *ctx);
/* The last incident goes on in a new wave that began at `began_at`. */
void episode_reopen(struct episode *e, wd_wall began_at, wd_wall now);
/* Another wave of one that is open: by what its buckets do not show. */
void episode_wave(struct episode *e, wd_wall began_at, wd_wall now);
/* The wave that is on; NULL between two. */
struct wave *episode_wave_now(struct episode *e);
/* One more bucket of an open or recovering incident, in order. */
void episode_add(struct episode *e, const struct episode_bucket *b, wd_wall now);
/* Those after the last whole bucket, which are over: one may already be the highest, and what they
 * have above usual counts until they are whole. */
void episode_peek(struct episode *e, const struct episode_bucket *buckets, size_t count);
/* Calm since `since`: the incident ended then, as far as is known. */
void episode_recover(struct episode *e, wd_wall since, wd_wall now);
void episode_close(struct episode *e, wd_wall now);
/* A signal that is itself significant. Sums are added; log10_return is a maximum. */
void episode_scope(struct episode *e, enum dimension dimension, const char *value, float observed,
		   float expected, float log10_return);
/* The scope by dimension, the most reports first: for those who read it. */
void episode_order_scope(struct episode *e);
/* Severity of an incident as it stands at now: log2(1 + peak ratio) x hours. Each kind of signal
 * that carries it brings a ratio, and the logarithms add up: what traffic and reports both say
 * weighs more than either. */
float episode_severity(const struct incident *i, wd_wall now);

void episode_write(const struct episode *e, struct out *o);
/* Leaves *e initialised and c bad if the bytes are not an episode. */
void episode_read(struct episode *e, struct cur *c);

#endif
