/* SPDX-License-Identifier: Apache-2.0 */
/* judge: from the readings of signals to what becomes of an incident. */
#include "engine/inner.h"

#include "base/check.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A network's share must leave this much above usual without it. */
static const float REST_ABOVE_USUAL = 1.25f;
static const float REST_DEVIATIONS = 4;
static const float REST_REPORTS_MIN = 3;

static wd_span larger(wd_span a, int64_t buckets, wd_span step)
{
	wd_span b = {buckets * step.ns};
	return a.ns > b.ns ? a : b;
}

/* ---- evidence ---- */

/* The service's evidence: the strongest of its signals, each less the weight it has in the
 * budget (detect/budget.h). A signal counts when separate samples carry it. */
static void combine(struct track *t)
{
	float all[SIGNALS_MAX];
	size_t count = t->most > 0 ? t->signal_count : 0, carrier;

	for (size_t n = 0; n < count; n++)
		all[n] = t->signals[n].log10_return;
	t->log10_return = budget_service(all, count, &carrier);
	t->sustained = t->log10_return > 0 && t->signals[carrier].sustained;
	if (t->log10_return > 0)
		t->began = track_bin_begin(t, t->signals[carrier].began);
}

/* ---- who reports ---- */

static float usual_share(const struct track *t, uint32_t network)
{
	char name[16];
	snprintf(name, sizeof(name), "AS%u", network);
	for (uint32_t n = 1; n < t->signal_count; n++) {
		const struct signal *s = &t->signals[n];
		if (s->dimension == DIMENSION_NETWORK && strcmp(s->value, name) == 0)
			return t->signals[0].expected > 0
				       ? fminf(1, s->expected / t->signals[0].expected)
				       : 0;
	}
	return 0;
}

enum reporters {
	REPORTERS_MANY,
	REPORTERS_FEW,     /* few persons or networks, or one network makes half of what is above */
	REPORTERS_PENDING, /* many, by no network in particular: not enough yet to stand out */
};

/* Enough persons in enough networks, and still above usual without the heaviest network.
 * What is not known is not held against anybody. */
static enum reporters who_report(const struct engine *e, const struct track *t,
				 struct crowd_word *ret_word)
{
	*ret_word = (struct crowd_word){0};
	if (t->whole || t->crowd == NULL)
		return REPORTERS_MANY;
	*ret_word = crowd_judge(t->crowd);
	const struct crowd_word *w = ret_word;
	if (w->persons_known && w->persons < e->options.persons_floor)
		return REPORTERS_FEW;
	if (!w->networks_known || e->options.networks_floor == 0)
		return REPORTERS_MANY;
	if (w->networks < e->options.networks_floor)
		return REPORTERS_FEW;
	float usual = CROWD_BINS * t->signals[0].expected, share = usual_share(t, w->top_network);
	float rest = (float)(w->recent - w->recent_top), usual_rest = usual * (1 - share);
	if (rest >= REST_REPORTS_MIN &&
	    rest > REST_ABOVE_USUAL * usual_rest + REST_DEVIATIONS * sqrtf(usual_rest))
		return REPORTERS_MANY;
	float above = (float)w->recent - usual, above_top = (float)w->recent_top - usual * share;
	return 2 * above_top >= above ? REPORTERS_FEW : REPORTERS_PENDING;
}

static void coordinated(struct engine *e, struct track *t, const struct crowd_word *w)
{
	struct coordinated *c = &t->coordinated;
	bool news = !t->coordinated_on;
	if (news) {
		*c = (struct coordinated){.began_at = t->began};
		text_copy(c->service, sizeof(c->service), t->id);
	}
	t->coordinated_on = true;
	c->last_at = e->now;
	c->observed = fmaxf(c->observed, (float)w->recent);
	c->expected = CROWD_BINS * t->signals[0].expected;
	c->persons = w->persons;
	c->networks = w->networks;
	c->top_share = w->recent > 0 ? (float)w->recent_top / (float)w->recent : 0;
	c->top_network[0] = '\0';
	if (w->top_network != 0 && w->top_network < NETWORK_UNNAMED_MIN)
		snprintf(c->top_network, sizeof(c->top_network), "AS%u", w->top_network);
	if (!news)
		return;
	e->counters.coordinated++;
	struct effect *x = engine_add_effect(e, EFFECT_COORDINATED);
	if (x != NULL)
		x->coordinated = *c;
}

/* ---- the episode ---- */

/* Hands over the buckets since the begin, as far back as they are kept. */
static void catch_up(struct engine *e, struct track *t, wd_wall began)
{
	int64_t bin = track_bin(t, began), first = t->next - HISTORY_BINS;
	for (bin = bin > first ? bin : first; bin < t->next; bin++) {
		wd_wall at = track_bin_begin(t, bin);
		struct point p;
		if (!rollup_at(&t->history->bins, at, &p))
			continue;
		struct episode_bucket b = {at, p.observed, p.expected, p.high};
		episode_add(&t->episode, &b, e->now);
	}
}

/* Minutes that are not sealed may already hold the peak, and count to what is above usual. */
static void peek(const struct engine *e, struct track *t)
{
	const struct signal *total = &t->signals[0];
	struct episode_bucket buckets[PENDING_BINS];
	size_t count = 0;
	if ((t->episode.incident.kinds & INCIDENT_REPORTS) == 0)
		return;
	for (int64_t bin = t->next; !t->whole && bin < e->minute && count < PENDING_BINS; bin++)
		buckets[count++] = (struct episode_bucket){
			track_bin_begin(t, bin), (float)total->pending[bin & (PENDING_BINS - 1)],
			total->expected, total->high};
	episode_peek(&t->episode, buckets, count);
}

/* Reports carry the incident from here on: their numbers since it began are its own. `followed`:
 * what they had above usual was added as they came. */
static void take_reports(struct engine *e, struct track *t, const struct cause *c, wd_wall began,
			 bool followed)
{
	struct episode *ep = &t->episode;
	struct incident *i = &ep->incident;
	float excess = ep->excess;
	i->kinds |= INCIDENT_REPORTS;
	i->metric = t->metric;
	i->reports_log10_return = fmaxf(i->reports_log10_return, c->log10_return);
	if (t->history != NULL)
		catch_up(e, t, began);
	if (followed)
		ep->excess = excess;
	peek(e, t);
	t->last_above = track_bin_begin(t, t->next);
}

void engine_open_incident(struct engine *e, struct track *t, const struct cause *c)
{
	struct episode *ep = &t->episode;
	wd_span reopen = larger(REOPEN_WITHIN, 8, t->step);
	wd_wall began = c->began;
	bool again = ep->known && wall_sub(began, ep->incident.ended_at).ns < reopen.ns;
	bool followed = ep->state == INCIDENT_RECOVERING &&
			(ep->incident.kinds & INCIDENT_REPORTS) != 0;

	if (again) {
		if (wall_before(began, ep->incident.ended_at))
			began = ep->incident.ended_at;
		episode_reopen(ep, began, c->now);
		ep->incident.log10_return = fmaxf(ep->incident.log10_return, c->log10_return);
	} else {
		for (uint32_t n = 0; n < t->signal_count; n++)
			t->signals[n].in_scope = false;
		episode_open(ep, t->id, t->step, began, c->now, c->log10_return, engine_id_taken,
			     e);
		ep->incident.kinds = c->kind;
		ep->incident.reconstruction = t->reconstruction;
		memcpy(ep->incident.scenario, t->scenario, sizeof(t->scenario));
		ep->metric = t->metric;
		e->counters.incidents_opened++;
	}
	if (c->kind == INCIDENT_REPORTS) {
		t->began = began;
		take_reports(e, t, c, began, again && followed);
	} else {
		engine_carry(e, t, c);
	}
	engine_find_related(e, t);
	engine_tell(e, t, again ? EFFECT_INCIDENT_CHANGED : EFFECT_INCIDENT_OPENED);
}

void engine_join_incident(struct engine *e, struct track *t, const struct cause *c)
{
	struct episode *ep = &t->episode;
	struct incident *i = &ep->incident;
	if (wall_before(c->began, i->began_at) && i->wave_count <= 1) {
		i->began_at = c->began;
		i->waves[0].began_at = c->began;
	}
	i->log10_return = fmaxf(i->log10_return, c->log10_return);
	if (!ep->in_wave)
		episode_wave(ep, c->began, c->now);
	if (c->kind == INCIDENT_REPORTS)
		take_reports(e, t, c, i->began_at, false);
	else
		engine_carry(e, t, c);
	i->severity = episode_severity(i, c->now);
	engine_tell(e, t, EFFECT_INCIDENT_CHANGED);
}

/* Signals that are themselves significant. */
static bool widen_scope(const struct engine *e, struct track *t)
{
	float all[SIGNALS_MAX];
	bool named[SIGNALS_MAX], widened = false;
	wd_span lasted = incident_duration(&t->episode.incident, e->now);

	for (uint32_t n = 0; n < t->signal_count; n++)
		all[n] = t->signals[n].log10_return;
	budget_scope(all, t->signal_count, 1 + (double)lasted.ns / (double)t->step.ns, named);
	for (uint32_t n = 1; n < t->signal_count; n++) {
		struct signal *s = &t->signals[n];
		if (!named[n] || !s->sustained)
			continue;
		bool joins = !s->in_scope;
		s->in_scope = true;
		widened = widened || joins;
		episode_scope(&t->episode, (enum dimension)s->dimension, s->value,
			      joins ? s->run_observed : 0, joins ? s->run_expected : 0,
			      s->log10_return);
	}
	return widened;
}

/* Half as far again from what is usual as the usual band reaches: of a quiet service's
 * buckets few do that by chance, so the last one that did tells the end. */
static bool stands_out(const struct signal *s)
{
	return s->observed > s->expected + 1.5f * (s->high - s->expected) &&
	       s->observed >= REST_REPORTS_MIN;
}

void engine_follow(struct engine *e, struct track *t, wd_wall bucket_at)
{
	struct episode *ep = &t->episode;
	const struct signal *total = &t->signals[0];
	if (!incident_is_on(ep->state) || (ep->incident.kinds & INCIDENT_REPORTS) == 0)
		return;
	struct episode_bucket b = {bucket_at, total->observed, total->expected, total->high};
	episode_add(ep, &b, e->now);
	bool above = t->metric ? total->above : stands_out(total);
	for (uint32_t n = 1; n < t->signal_count; n++) {
		const struct signal *s = &t->signals[n];
		if (!s->in_scope)
			continue;
		episode_scope(ep, (enum dimension)s->dimension, s->value, s->observed, s->expected,
			      0);
		above = above || stands_out(s);
	}
	if (above)
		t->last_above = wall_add(bucket_at, t->step);
}

/* Every signal that carries the incident is back to usual. */
bool engine_is_calm(const struct engine *e, const struct track *t)
{
	uint32_t kinds = t->episode.incident.kinds;
	bool calm = watch_is_calm(t, e->now);
	if ((kinds & INCIDENT_REPORTS) == 0)
		return calm;
	calm = calm && t->signals[0].calm;
	for (uint32_t n = 1; n < t->signal_count; n++)
		calm = calm && (!t->signals[n].in_scope || t->signals[n].calm);
	return calm;
}

/* The end of what carries it: the latest of all kinds. */
static wd_wall last_above(const struct track *t)
{
	wd_wall last = watch_last_above(t);
	bool reports = (t->episode.incident.kinds & INCIDENT_REPORTS) != 0;
	return reports && wall_before(last, t->last_above) ? t->last_above : last;
}

static void still_open(struct engine *e, struct track *t)
{
	struct episode *ep = &t->episode;
	struct incident *i = &ep->incident;
	uint32_t waves = i->wave_count;
	float peak = i->peak_observed, odds = i->log10_return;

	peek(e, t);
	if ((i->kinds & INCIDENT_REPORTS) == 0)
		return; /* its ticks follow it */
	i->log10_return = fmaxf(i->log10_return, t->log10_return);
	i->reports_log10_return = fmaxf(i->reports_log10_return, t->log10_return);
	i->severity = episode_severity(i, e->now);
	if (t->crowd != NULL && !t->whole) {
		struct crowd_word w = crowd_judge(t->crowd);
		i->persons = w.persons > i->persons ? w.persons : i->persons;
		i->networks = w.networks > i->networks ? w.networks : i->networks;
	}
	bool widened = widen_scope(e, t);
	bool news = widened || i->wave_count != waves || i->peak_observed > 1.1f * peak ||
		    i->log10_return > odds + 1;
	if (news)
		engine_tell(e, t, EFFECT_INCIDENT_CHANGED);
	else if (engine_remember(e, i) != WD_OK)
		e->effects_lost++;
}

static enum lifecycle_event event_of(struct engine *e, struct track *t, float open_at)
{
	bool on = track_is_on(t);
	bool significant = t->log10_return >= open_at && t->sustained;
	bool suspicious = t->log10_return >= open_at - SUSPECT_DECADES && t->sustained;

	if (significant && t->episode.state != INCIDENT_OPEN) {
		struct crowd_word w;
		enum reporters who = who_report(e, t, &w);
		if (who == REPORTERS_MANY) {
			t->coordinated_on = false;
			return LIFE_SIGNIFICANT;
		}
		if (who == REPORTERS_FEW)
			coordinated(e, t, &w);
		return LIFE_SUSPICIOUS;
	}
	if (!suspicious)
		t->coordinated_on = false;
	/* Calm is what sealed minutes say; evidence may already hold what comes after them. */
	bool ahead = significant && !t->whole;
	if (on && !ahead && engine_is_calm(e, t)) {
		wd_span close = larger(CLOSE_AFTER, 2, t->step);
		bool for_long = t->episode.state == INCIDENT_RECOVERING &&
				wall_sub(e->now, t->episode.calm_since).ns >= close.ns;
		return for_long ? LIFE_CALM_LONG : LIFE_CALM;
	}
	return suspicious || watch_is_suspicious(t, e->now) ? LIFE_SUSPICIOUS : LIFE_QUIET;
}

void engine_live(struct engine *e, struct track *t, enum lifecycle_event event,
		 const struct cause *c)
{
	struct episode *ep = &t->episode;
	enum incident_state before = ep->state;
	enum incident_state after = incident_after(before, event);

	if (after == INCIDENT_OPEN && before != INCIDENT_OPEN) {
		engine_open_incident(e, t, c);
	} else if (after == INCIDENT_RECOVERING && before == INCIDENT_OPEN) {
		episode_recover(ep, last_above(t), c->now);
		watch_let_go(t);
		engine_trace_end(e, t, false);
		engine_tell(e, t, EFFECT_INCIDENT_CHANGED);
	} else if (after == INCIDENT_CLOSED && before == INCIDENT_RECOVERING) {
		episode_close(ep, c->now);
		engine_trace_end(e, t, true);
		engine_tell(e, t, EFFECT_INCIDENT_CLOSED);
		for (uint32_t n = 0; n < t->signal_count; n++)
			t->signals[n].in_scope = false;
	} else if (after != before) {
		ep->state = after; /* suspected, or not any more */
		engine_touch(e, t);
	}
}

void engine_abandon(struct engine *e, struct track *t)
{
	struct cause c = {.now = e->now};
	engine_live(e, t, LIFE_CALM, &c);
	engine_live(e, t, LIFE_CALM_LONG, &c);
}

/* Reports that are significant join an incident that traffic opened. */
static void maybe_join(struct engine *e, struct track *t, float open_at, const struct cause *c)
{
	struct crowd_word w;
	if ((t->episode.incident.kinds & INCIDENT_REPORTS) == 0 && t->sustained &&
	    t->log10_return >= open_at && who_report(e, t, &w) == REPORTERS_MANY)
		engine_join_incident(e, t, c);
}

static void live_on(struct engine *e, struct track *t, float open_at)
{
	struct cause c = {INCIDENT_REPORTS, t->began, t->whole ? t->due_at : e->now,
			  t->log10_return};
	engine_live(e, t, event_of(e, t, open_at), &c);
	if (t->episode.state == INCIDENT_OPEN)
		maybe_join(e, t, open_at, &c);
	if (t->episode.state == INCIDENT_OPEN)
		still_open(e, t);
}

/* ---- the budget ---- */

void engine_state_budget(struct engine *e)
{
	size_t series = 0;
	for (size_t n = 0; n < e->track_count; n++) {
		const struct track *t = &e->tracks[n];
		series += t->service != NULL && (t->first_seen.ns != 0 || t->watch != NULL);
	}
	series = series > 0 ? series : 1;
	double accepted = e->options.false_a_month > 0 ? e->options.false_a_month :
			  BUDGET_FALSE_A_MONTH * (double)series;
	e->budget = (struct budget_stated){series, accepted,
					   budget_threshold(span_s(60), series, accepted, 1)};
}

/* Those whose buckets are due now. */
static bool is_judged(const struct track *t, bool whole)
{
	return t->started && t->service != NULL && t->whole == whole &&
	       (!whole || t->due_at.ns != 0);
}

void engine_judge(struct engine *e, bool whole)
{
	size_t count = 0;
	engine_state_budget(e);
	const struct budget_stated *b = &e->budget;
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (!is_judged(t, whole))
			continue;
		combine(t);
		if (t->log10_return > 0) {
			double one = budget_threshold(t->step, b->series, b->false_a_month, 1);
			e->headroom[count++] = t->log10_return - (float)one - watch_log10_kinds(t);
		}
	}
	size_t k = budget_open(e->headroom, count);
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (is_judged(t, whole))
			live_on(e, t, (float)budget_threshold(t->step, b->series,
							      b->false_a_month, k) +
				      watch_log10_kinds(t));
		if (whole) /* also where nobody follows the service any more */
			t->due_at = (wd_wall){0};
	}
}
