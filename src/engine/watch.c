/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/watch.h"

#include "base/check.h"
#include "base/text.h"
#include "engine/track.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct watch *watch_open(const struct flood_plan *plan)
{
	struct watch *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	flood_init(&w->flood, plan);
	web_watch_init(&w->web);
	return w;
}

void watch_close(struct watch *w)
{
	if (w == NULL)
		return;
	for (size_t n = 0; n < WATCH_RATES; n++)
		course_close(&w->rates[n]);
	free(w->usual);
	free(w);
}

bool watch_open_rates(struct watch *w, enum watched kind)
{
	size_t first = kind == WATCH_FLOWS ? RATE_PACKETS : RATE_REQUESTS;
	size_t last = kind == WATCH_FLOWS ? RATE_BITS : RATE_REQUESTS;
	for (size_t n = first; n <= last; n++) {
		if (!course_open(&w->rates[n]))
			return false;
	}
	return true;
}

/* ---- as readers see it ---- */

static bool show_rates(const struct watch *w, wd_wall now, struct traffic_state *s)
{
	struct series *const days[] = {&s->day_packets, &s->day_bits, &s->day_requests};
	struct series *const recent[] = {&s->recent_packets, &s->recent_bits,
					 &s->recent_requests};
	for (size_t n = 0; n < WATCH_RATES; n++) {
		const struct course *r = &w->rates[n];
		if (r->cells == NULL)
			continue;
		if (!course_show(r, COURSE_DAY, now, days[n]) ||
		    !course_show(r, COURSE_RECENT, now, recent[n]))
			return false;
	}
	return true;
}

struct traffic_state *watch_show(const struct watch *w, const struct flood_plan *plan,
				 const struct vector_classes *classes, wd_wall now)
{
	const struct flood_reading *f = &w->flows;
	const struct web_reading *q = &w->requests;
	struct traffic_state *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	*s = (struct traffic_state){
		.flows_at = w->kinds[WATCH_FLOWS].end, .requests_at = w->kinds[WATCH_REQUESTS].end,
		.packets_per_s = (float)w->kinds[WATCH_FLOWS].per_s[0],
		.usual_packets_per_s = f->usual_packets_per_s,
		.bits_per_s = (float)w->kinds[WATCH_FLOWS].per_s[1],
		.usual_bits_per_s = f->usual_bits_per_s, .records_per_s = f->records_per_s,
		.sources = f->sources,
		.requests_per_s = (float)w->kinds[WATCH_REQUESTS].per_s[0],
		.usual_requests_per_s = q->usual_per_s, .clients = q->clients,
		.log10_return = f->log10_return, .requests_log10_return = q->log10_return,
		.silent_since = w->hearing.since,
		.silent_partly = w->hearing.state == HEARD_PARTLY,
		.requests_silent_since = w->log_silent ? w->kinds[WATCH_REQUESTS].end
						       : (wd_wall){0},
		.cold = w->flood.ticks < plan->cold, .requests_cold = w->web.seen < WEB_WARM,
		.learned.ns = (int64_t)w->flood.ticks * TRAFFIC_TICK_NS,
		.requests_learned = span_s((int64_t)w->web.seen),
	};
	if (f->class_count > 0) {
		const struct flood_class *c = &f->classes[0];
		text_copy(s->top.id, sizeof(s->top.id), classes->id[c->class]);
		s->top.share = f->packets_per_s > 0
				       ? fminf(1, c->packets_per_s / f->packets_per_s)
				       : 0;
	}
	if (q->finding_count > 0) {
		text_copy(s->finding.id, sizeof(s->finding.id), q->findings[0].vector);
		s->finding.share = q->findings[0].share;
	}
	if (!show_rates(w, now, s)) {
		traffic_state_free(s);
		return NULL;
	}
	return s;
}

/* ---- what it means for the incident ---- */

static const enum incident_kind kind_bits[WATCH_KINDS] = {INCIDENT_TRAFFIC, INCIDENT_REQUESTS};

float watch_log10_kinds(const struct track *t)
{
	if (t->watch == NULL)
		return 0;
	unsigned kinds = 1;
	for (size_t k = 0; k < WATCH_KINDS; k++)
		kinds += t->watch->kinds[k].end.ns != 0;
	return log10f((float)kinds);
}

static bool carries(const struct track *t, size_t k)
{
	return t->watch != NULL && (t->episode.incident.kinds & kind_bits[k]) != 0;
}

/* For so long that nothing is known to go on. */
static bool is_silent(const struct watch *w, size_t k, wd_wall now)
{
	int64_t most_s = k == WATCH_REQUESTS ? WATCH_LOG_SILENT_S
			 : w->told.by != 0   ? WATCH_SILENT_S
					     : WATCH_SILENCE_S;
	return wall_sub(now, w->kinds[k].end).ns > most_s * WD_NS_PER_S;
}

bool watch_misses(const struct watch *w, const struct incident *i)
{
	const struct hearing *h = &w->hearing;
	const wd_span slack = {WITNESS_PATIENCE_MAX_S * WD_NS_PER_S};
	wd_wall began = w->flood_began.ns != 0 ? w->flood_began : i->traffic.began_at;
	return h->state == HEARD_PARTLY && (i->kinds & INCIDENT_TRAFFIC) != 0 &&
	       wall_before(began, wall_add(h->last, slack)) &&
	       wall_sub(w->kinds[WATCH_FLOWS].end, h->last).ns <= WATCH_SILENT_S * WD_NS_PER_S;
}

bool watch_is_calm(const struct track *t, wd_wall now)
{
	for (size_t k = 0; k < WATCH_KINDS; k++) {
		if (carries(t, k) && !t->watch->kinds[k].calm &&
		    !is_silent(t->watch, k, now))
			return false;
	}
	return true;
}

wd_wall watch_last_above(const struct track *t)
{
	const struct incident *i = &t->episode.incident;
	wd_wall last = {0};
	/* It was resumed, and nobody watches any more. */
	if (t->watch == NULL && (i->kinds & (INCIDENT_TRAFFIC | INCIDENT_REQUESTS)) != 0)
		return i->changed_at;
	for (size_t k = 0; k < WATCH_KINDS; k++) {
		if (carries(t, k) && wall_before(last, t->watch->kinds[k].last_above))
			last = t->watch->kinds[k].last_above;
	}
	return last;
}

bool watch_is_suspicious(const struct track *t, wd_wall now)
{
	for (size_t k = 0; t->watch != NULL && k < WATCH_KINDS; k++) {
		const struct watch_kind *w = &t->watch->kinds[k];
		if (w->suspicious && wall_sub(now, w->end).ns <= WATCH_FRESH_S * WD_NS_PER_S)
			return true;
	}
	return false;
}

wd_wall watch_time(const struct track *t, wd_wall now)
{
	for (size_t k = 0; t->watch != NULL && k < WATCH_KINDS; k++) {
		if (wall_before(now, t->watch->kinds[k].end))
			now = t->watch->kinds[k].end;
	}
	return now;
}

void watch_carry(struct track *t, const struct cause *c)
{
	struct incident *i = &t->episode.incident;
	size_t k = c->kind == INCIDENT_TRAFFIC ? WATCH_FLOWS : WATCH_REQUESTS;
	const struct watch_kind *w = &t->watch->kinds[k];
	bool first = (i->kinds & c->kind) == 0 ||
		     (k == WATCH_FLOWS ? i->traffic.decided_at : i->requests.decided_at).ns == 0;

	if (first && k == WATCH_FLOWS)
		t->watch->traced = t->watch->untraced = false;
	i->kinds |= c->kind;
	t->episode.held = true;
	if (k == WATCH_FLOWS) {
		struct incident_traffic *x = &i->traffic;
		if (first)
			*x = (struct incident_traffic){.began_at = c->began, .decided_at = c->now,
						       .cold = t->watch->flows.cold};
		x->ended_at = (wd_wall){0};
		x->log10_return = fmaxf(x->log10_return, w->log10_return);
	} else {
		struct incident_requests *x = &i->requests;
		if (first)
			*x = (struct incident_requests){.began_at = c->began, .decided_at = c->now,
							.cold = t->watch->requests.cold};
		x->ended_at = (wd_wall){0};
		x->log10_return = fmaxf(x->log10_return, w->log10_return);
	}
}

void watch_let_go(struct track *t)
{
	struct incident *i = &t->episode.incident;
	t->episode.held = false;
	if (carries(t, WATCH_FLOWS) && i->traffic.ended_at.ns == 0)
		i->traffic.ended_at = t->watch->kinds[WATCH_FLOWS].last_above;
	if (carries(t, WATCH_REQUESTS) && i->requests.ended_at.ns == 0)
		i->requests.ended_at = t->watch->kinds[WATCH_REQUESTS].last_above;
}
