/* SPDX-License-Identifier: Apache-2.0 */
/* silence: what no tick of traffic came for. It is a zero where a witness of the service watched
 * (engine/witness.h), and not known where none did: a tick that is missing changes nothing. Where
 * some of its witnesses are silent, what the others tell is judged, but nothing is learned of it:
 * it is a part. */
#include "engine/inner.h"

#include <stdlib.h>

/* Of whom nobody knows who tells of it: a longer time without a tick is a gap, not silence. */
static const wd_span FILL_MAX = {60 * WD_NS_PER_S};
/* Longer than anybody's patience: one that engine_resume made may have ended long ago. */
static const wd_span FILL_TOLD_MAX = {(WITNESS_PATIENCE_MAX_S + 10) * WD_NS_PER_S};


void engine_heard(struct engine *e, uint32_t slot, const char *name, wd_wall at)
{
	int lost = witnesses_hear(&e->witnesses, slot, name, at);

	for (size_t n = 0; lost >= 0 && n < e->track_count; n++) {
		if (e->tracks[n].watch != NULL)
			told_forget(&e->tracks[n].watch->told, (size_t)lost);
	}
}

/* ---- zeros ---- */

static void fill(struct engine *e, struct track *t, const struct hearing *h, wd_wall until)
{
	const wd_span tick = {TRAFFIC_TICK_NS};
	wd_wall at = t->watch->kinds[WATCH_FLOWS].end;
	wd_span most = t->watch->told.by != 0 ? FILL_TOLD_MAX : FILL_MAX;

	/* One that engine_resume made may have had no tick yet, and no charts. */
	if (at.ns == 0 || !watch_open_rates(t->watch, WATCH_FLOWS))
		return;
	if (wall_before(at, h->from))
		at = h->from;
	if (wall_before(h->until, until))
		until = h->until;
	if (!wall_before(at, until) || wall_sub(until, at).ns > most.ns)
		return;
	for (; !wall_before(until, wall_add(at, tick)); at = wall_add(at, tick)) {
		if (engine_step_flows(e, t, NULL, at, tick) != ENGINE_COUNTED)
			return;
	}
}

/* ---- who is silent ---- */

/* The incident says since when part of its traffic, or all, is not seen. */
static void tell_silence(struct engine *e, struct track *t)
{
	const struct hearing *h = &t->watch->hearing;
	struct incident_traffic *x = &t->episode.incident.traffic;
	bool part = h->state == HEARD_PARTLY;

	if (!track_is_on(t) || (t->episode.incident.kinds & INCIDENT_TRAFFIC) == 0 ||
	    x->ended_at.ns != 0 || (x->silent_since.ns == h->since.ns && x->silent_partly == part))
		return;
	x->silent_since = h->since;
	x->silent_partly = part;
	engine_tell(e, t, EFFECT_INCIDENT_CHANGED);
}

static void hear(struct engine *e, struct track *t)
{
	enum hearing_state before = t->watch->hearing.state;

	t->watch->hearing = told_hearing(&t->watch->told, &e->witnesses);
	if (t->watch->hearing.state != before)
		engine_touch(e, t);
	tell_silence(e, t);
}

/* After a day others may tell of what they told of. */
static void forget_silent(struct engine *e, struct track *t)
{
	const struct witnesses *w = &e->witnesses;

	for (uint64_t bits = t->watch->told.by & w->silent; bits != 0; bits &= bits - 1) {
		size_t place = (size_t)__builtin_ctzll(bits);
		if (wall_sub(w->until, w->all[place].heard).ns > WATCH_SILENT_S * WD_NS_PER_S)
			told_forget(&t->watch->told, place);
	}
}

void engine_hear_tick(struct engine *e, struct track *t, const struct traffic_tick *tick)
{
	if (t->watch->told.by == 0)
		return; /* engine_traffic_until has said what was before */
	if (t->watch->hearing.state != HEARD)
		forget_silent(e, t);
	t->watch->hearing = told_hearing(&t->watch->told, &e->witnesses);
	fill(e, t, &t->watch->hearing, tick->at);
}

void engine_note_witnesses(struct engine *e, struct track *t, const struct traffic_tick *tick)
{
	struct watch *w = t->watch;
	bool quiet = t->episode.state == INCIDENT_CLOSED && !w->flows.above;

	if (w->told.by == 0 || (quiet && w->hearing.state == HEARD))
		told_tick(&w->told, &e->witnesses, tick);
}

/* ---- requests ---- */

void engine_hear_log(struct engine *e, struct track *t, wd_wall now)
{
	struct watch *w = t->watch;
	struct incident_requests *x = &t->episode.incident.requests;
	wd_wall end = w->kinds[WATCH_REQUESTS].end;
	bool silent = end.ns != 0 && web_watch_misses(&w->web, wall_to_s(now));
	wd_wall since = silent ? end : (wd_wall){0};

	if (silent != w->log_silent)
		engine_touch(e, t);
	w->log_silent = silent;
	if (!track_is_on(t) || (t->episode.incident.kinds & INCIDENT_REQUESTS) == 0 ||
	    x->ended_at.ns != 0 || x->silent_since.ns == since.ns)
		return;
	x->silent_since = since;
	engine_tell(e, t, EFFECT_INCIDENT_CHANGED);
}

/* ---- all that came until then ---- */

/* Readers see who falls silent at once, and else now and then when each was heard. */
static void look_around(struct engine *e, wd_wall until)
{
	uint64_t silent = e->witnesses.silent;

	witnesses_until(&e->witnesses, until);
	if (e->witnesses.known == 0 ||
	    (silent == e->witnesses.silent &&
	     wall_sub(until, e->witnesses_shown).ns < SHOW_EVERY.ns))
		return;
	e->witnesses_shown = until;
	e->changed = true;
}

void engine_traffic_until(struct engine *e, wd_wall until)
{
	look_around(e, until);
	for (size_t n = 0; e->watched > 0 && n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (t->watch == NULL || t->service == NULL)
			continue; /* of what is not looked at nothing is known */
		hear(e, t);
		fill(e, t, &t->watch->hearing, until);
	}
}
