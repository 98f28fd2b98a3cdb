/* SPDX-License-Identifier: Apache-2.0 */
/* resume: incidents that ticks decided after the state was written. The journal has no ticks, so
 * its replay does not decide them again: they go on from what the store has of them. */
#include "engine/inner.h"

#include <string.h>

/* From now on as if its ticks had stopped when it last changed. */
static void go_on(struct engine *e, struct track *t)
{
	static const uint32_t bits[WATCH_KINDS] = {INCIDENT_TRAFFIC, INCIDENT_REQUESTS};
	const struct incident *i = &t->episode.incident;
	wd_wall ended[WATCH_KINDS] = {i->traffic.ended_at, i->requests.ended_at};

	if (!engine_make_watch(e, t))
		return; /* then it is calm at the next minute */
	for (size_t n = 0; n < WATCH_KINDS; n++) {
		struct watch_kind *k = &t->watch->kinds[n];
		if ((i->kinds & bits[n]) == 0 || !wall_before(k->end, i->changed_at))
			continue;
		*k = (struct watch_kind){
			.end = i->changed_at, .calm = ended[n].ns != 0,
			.last_above = ended[n].ns != 0 ? ended[n] : i->changed_at,
		};
	}
	t->episode.held = t->episode.state == INCIDENT_OPEN && !watch_is_calm(t, e->now);
}

/* What reports brought comes again with the journal: they join it anew. */
static void without_reports(struct incident *i)
{
	i->kinds &= INCIDENT_TRAFFIC | INCIDENT_REQUESTS;
	i->peak_observed = i->peak_expected = i->excess = i->reports_log10_return = 0;
	i->scope_count = 0;
}

static void install(struct track *t, const struct incident *i)
{
	struct episode *ep = &t->episode;
	episode_init(ep);
	ep->state = i->state;
	ep->known = true;
	ep->incident = *i;
	without_reports(&ep->incident);
	ep->metric = t->metric;
	ep->calm_since = i->state == INCIDENT_RECOVERING ? i->ended_at : (wd_wall){0};
	if (i->wave_count > 0 && i->waves[i->wave_count - 1].ended_at.ns == 0) {
		ep->in_wave = true;
		ep->wave_peak = ep->peak_of_peaks = i->waves[i->wave_count - 1].peak_observed;
	}
}

/* Reports up to here come again with the journal; only what ticks brought is taken over. */
static void take_over(struct track *t, const struct incident *i)
{
	struct episode *ep = &t->episode;
	if (!wall_before(ep->incident.changed_at, i->changed_at))
		return;
	ep->incident.kinds |= i->kinds & (INCIDENT_TRAFFIC | INCIDENT_REQUESTS);
	ep->incident.traffic = i->traffic;
	ep->incident.requests = i->requests;
	if (ep->state == INCIDENT_OPEN || i->state != INCIDENT_OPEN)
		return;
	ep->state = ep->incident.state = INCIDENT_OPEN;
	ep->incident.ended_at = ep->calm_since = (wd_wall){0};
	if (!ep->in_wave)
		episode_wave(ep, i->changed_at, i->changed_at);
}

/* The service has another one by now: this one is over. */
static enum wd_err close(struct engine *e, const struct incident *i)
{
	struct incident over = *i;
	over.state = INCIDENT_CLOSED;
	if (over.ended_at.ns == 0)
		over.ended_at = over.changed_at;
	struct effect *x = engine_add_effect(e, EFFECT_INCIDENT_CLOSED);
	if (x != NULL)
		x->incident = over;
	return engine_remember(e, &over);
}

enum wd_err engine_resume(struct engine *e, const struct incident *i)
{
	bool on = incident_is_on(i->state);
	struct track *t = engine_track(e, i->service);
	if (!on || (incident_kinds(i) & (INCIDENT_TRAFFIC | INCIDENT_REQUESTS)) == 0)
		return WD_OK;
	if (t == NULL)
		return close(e, i);
	struct episode *ep = &t->episode;
	bool same = ep->known && strcmp(ep->incident.id, i->id) == 0;
	bool busy = incident_is_on(ep->state);
	if (!same && busy)
		return close(e, i);
	if (same)
		take_over(t, i);
	else
		install(t, i);
	go_on(e, t);
	engine_touch(e, t);
	return engine_remember(e, &ep->incident);
}
