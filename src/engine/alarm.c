/* SPDX-License-Identifier: Apache-2.0 */
/* alarm: ticks of traffic and requests in, and what they decide at once: by the tick's own time,
 * against the same budget as reports (detect/budget.h, for the tick's width). */
#include "engine/inner.h"

#include "base/check.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How far a tick may be from the clock. */
static const wd_span OFF_MAX = {120 * WD_NS_PER_S};
static const float STIRS_DECADES = 3; /* once in four minutes of ticks of 250 ms */
static const wd_span TELL_EVERY = {5 * WD_NS_PER_S};
static const wd_span KEEP_EVERY = {WD_NS_PER_S};
static const float NEWS_PEAK = 1.1f;
static const float ABOVE_USUAL = 1.5f;
/* Until a recording's end; else it takes two minutes of flows, and one of requests. */
static const wd_span CALM_AT_END = {30 * WD_NS_PER_S};

/* ---- whose tick ---- */

bool engine_make_watch(struct engine *e, struct track *t)
{
	if (t->watch != NULL)
		return true;
	if (e->options.classes == NULL || !engine_watch_room(e))
		return false;
	t->watch = watch_open(&e->flood_plan);
	if (t->watch == NULL)
		return false;
	e->watched++;
	engine_state_budget(e);
	return true;
}

static enum engine_verdict find_watch(struct engine *e, const char *service, wd_wall at,
				      enum watched kind, struct track **ret_t)
{
	if (e->options.classes == NULL || memchr(service, '\0', SERVICE_ID_MAX + 1) == NULL)
		return ENGINE_UNKNOWN_SERVICE;
	if (e->now.ns == 0)
		engine_advance(e, at);
	struct track *t = engine_track(e, service);
	bool room = e->watched < e->options.services_watched_max;
	if (t == NULL && e->options.adopt_services && room &&
	    text_is_utf8(service, strlen(service))) {
		t = engine_add_track(e, service);
		if (t == NULL || !engine_adopt(e, t))
			return ENGINE_FULL;
	}
	if (t == NULL && e->options.adopt_services && !room) {
		e->counters.ticks_unwatched++;
		return ENGINE_FULL;
	}
	if (t == NULL || t->service == NULL) {
		e->counters.ticks_unknown++;
		return ENGINE_UNKNOWN_SERVICE;
	}
	if (!engine_make_watch(e, t) || !watch_open_rates(t->watch, kind)) {
		e->counters.ticks_unwatched++;
		return ENGINE_FULL;
	}
	*ret_t = t;
	return ENGINE_COUNTED;
}

/* Whether it is about now, and after the service's last one. */
static enum engine_verdict check_time(struct engine *e, const struct watch_kind *w, wd_wall at,
				      wd_wall end)
{
	if (wall_sub(at, e->now).ns > OFF_MAX.ns) {
		e->counters.ticks_early++;
		return ENGINE_EARLY;
	}
	if (wall_sub(e->now, end).ns > OFF_MAX.ns || wall_before(at, w->end)) {
		e->counters.ticks_late++;
		return ENGINE_LATE;
	}
	return ENGINE_COUNTED;
}

/* ---- the incident's numbers ---- */

static void raise(float *x, float y)
{
	*x = fmaxf(*x, y);
}

/* The strongest second since there is evidence, also from before it sufficed. */
static void note_peak(struct watch_kind *w, wd_wall at, wd_span width, const float *per_s,
		      const float *usual, bool carried)
{
	double seconds = (double)width.ns / (double)WD_NS_PER_S;
	const double came[2] = {(double)per_s[0] * seconds, (double)per_s[1] * seconds};
	const double *now = w->per_s;

	second_add(&w->second, at, width, came, 2, w->per_s);
	if (w->log10_return <= 0 && !carried)
		w->peak[0] = w->peak[1] = 0;
	for (size_t n = 0; n < 2; n++) {
		if (now[n] <= (double)w->peak[n])
			continue;
		w->peak[n] = (float)now[n];
		w->usual[n] = usual[n];
		w->peak_at = n == 0 ? at : w->peak_at;
	}
}

/* By class, until a trace names the vectors. */
static void name_classes(const struct engine *e, const struct flood_reading *r,
			 struct incident_traffic *x)
{
	const struct vector_classes *c = e->options.classes;
	x->vector_count = 0;
	for (uint32_t n = 0; n < r->class_count && x->vector_count < INCIDENT_PARTS_MAX; n++) {
		struct part *p = &x->vectors[x->vector_count++];
		const struct flood_class *from = &r->classes[n];
		text_copy(p->id, sizeof(p->id), c->id[from->class]);
		p->share = r->packets_per_s > 0
				   ? fminf(1, from->packets_per_s / r->packets_per_s)
				   : 0;
	}
	if (r->class_count > 0)
		x->status = (enum source_status)c->status[r->classes[0].class];
}

/* A wave's strongest second, which is that of the whole incident if that is in it. Where reports
 * carry the incident, or traffic beside requests, the time of the peak is theirs. */
static void follow_wave(struct wave *wave, float *peak, const struct watch_kind *k, wd_span tick,
			bool dated)
{
	bool highest = !wall_before(k->peak_at, wave->began_at);
	float per_s = highest ? k->peak[0] : (float)k->per_s[0];

	if (per_s <= *peak)
		return;
	*peak = per_s;
	if (dated)
		wave->peak_at = highest ? k->peak_at : wall_back(k->end, tick);
}

static void follow_flows(struct engine *e, struct track *t)
{
	struct watch *w = t->watch;
	const struct watch_kind *k = &w->kinds[WATCH_FLOWS];
	struct incident_traffic *x = &t->episode.incident.traffic;
	struct wave *wave = episode_wave_now(&t->episode);

	if (k->peak[0] > x->peak_packets_per_s) {
		x->peak_packets_per_s = k->peak[0];
		x->usual_packets_per_s = k->usual[0];
		x->peak_at = k->peak_at;
		if (!w->traced)
			name_classes(e, &w->flows, x);
	}
	if (k->peak[1] > x->peak_bits_per_s) {
		x->peak_bits_per_s = k->peak[1];
		x->usual_bits_per_s = k->usual[1];
	}
	if (x->peak_at.ns == 0)
		x->peak_at = x->began_at;
	raise(&x->log10_return, k->log10_return);
	if (wave != NULL && x->ended_at.ns == 0) {
		follow_wave(wave, &wave->peak_packets_per_s, k, (wd_span){TRAFFIC_TICK_NS},
			    (t->episode.incident.kinds & INCIDENT_REPORTS) == 0);
		raise(&wave->peak_bits_per_s, (float)k->per_s[1]);
	}
}

static void follow_requests(struct track *t)
{
	struct watch *w = t->watch;
	const struct watch_kind *k = &w->kinds[WATCH_REQUESTS];
	const struct web_reading *r = &w->requests;
	struct incident_requests *x = &t->episode.incident.requests;
	struct wave *wave = episode_wave_now(&t->episode);

	if (k->peak[0] > x->peak_requests_per_s) {
		x->peak_requests_per_s = k->peak[0];
		x->usual_requests_per_s = k->usual[0];
		x->peak_at = k->peak_at;
	}
	if (x->peak_at.ns == 0)
		x->peak_at = x->began_at;
	if (r->finding_count > 0 && (x->finding_count == 0 || k->log10_return > x->log10_return)) {
		x->finding_count = 0;
		for (uint32_t n = 0; n < r->finding_count; n++) {
			struct part *p = &x->findings[x->finding_count++];
			text_copy(p->id, sizeof(p->id), r->findings[n].vector);
			p->share = r->findings[n].share;
			text_copy(x->why[n], sizeof(x->why[n]), r->findings[n].why);
		}
	}
	raise(&x->log10_return, k->log10_return);
	if (wave != NULL && x->ended_at.ns == 0)
		follow_wave(wave, &wave->peak_requests_per_s, k, (wd_span){WEB_TICK_NS},
			    t->episode.incident.kinds == INCIDENT_REQUESTS);
}
_Static_assert((int)WEB_FINDINGS_MAX <= (int)INCIDENT_PARTS_MAX, "findings fit");
_Static_assert((int)WEB_WHY_MAX == (int)INCIDENT_WHY_MAX, "so do their reasons");

static void follow_numbers(struct engine *e, struct track *t, enum watched kind)
{
	struct incident *i = &t->episode.incident;
	if (kind == WATCH_FLOWS)
		follow_flows(e, t);
	else
		follow_requests(t);
	if ((i->kinds & INCIDENT_REPORTS) == 0) /* whose peak it is otherwise */
		i->peak_at = (i->kinds & INCIDENT_TRAFFIC) != 0 ? i->traffic.peak_at
								: i->requests.peak_at;
	i->severity = episode_severity(i, watch_time(t, e->now));
}

void engine_carry(struct engine *e, struct track *t, const struct cause *c)
{
	watch_carry(t, c);
	follow_numbers(e, t, c->kind == INCIDENT_TRAFFIC ? WATCH_FLOWS : WATCH_REQUESTS);
}

/* While it lasts: numbers follow every tick, readers hear of them now and then. */
static void follow(struct engine *e, struct track *t, enum watched kind, const struct cause *c)
{
	struct watch *w = t->watch;
	struct incident *i = &t->episode.incident;
	wd_wall now = watch_time(t, e->now);

	follow_numbers(e, t, kind);
	if (!(kind == WATCH_FLOWS ? i->traffic.cold : i->requests.cold))
		raise(&i->log10_return, c->log10_return);
	float peak = kind == WATCH_FLOWS ? i->traffic.peak_packets_per_s
					 : i->requests.peak_requests_per_s;
	if (peak > NEWS_PEAK * w->told_peak[kind] &&
	    wall_sub(now, w->told_at).ns >= TELL_EVERY.ns) {
		w->told_at = w->kept_at = now;
		w->told_peak[kind] = peak;
		engine_tell(e, t, EFFECT_INCIDENT_CHANGED);
	} else if (wall_sub(now, w->kept_at).ns >= KEEP_EVERY.ns) {
		w->kept_at = now;
		if (engine_remember(e, i) != WD_OK)
			e->effects_lost++;
	}
}

/* ---- what is decided ---- */

/* It was calm, or other signals carried the incident until now. */
static void begin(struct engine *e, struct track *t, const struct cause *c)
{
	struct incident *i = &t->episode.incident;
	wd_wall ended = c->kind == INCIDENT_TRAFFIC ? i->traffic.ended_at : i->requests.ended_at;
	if (t->episode.state != INCIDENT_OPEN)
		engine_live(e, t, LIFE_SIGNIFICANT, c);
	else if ((i->kinds & c->kind) == 0 || ended.ns != 0)
		engine_join_incident(e, t, c);
	else
		return;
	if (c->kind == INCIDENT_TRAFFIC)
		t->watch->flood_began = c->began;
	t->watch->told_at = c->now;
	enum watched kind = c->kind == INCIDENT_TRAFFIC ? WATCH_FLOWS : WATCH_REQUESTS;
	t->watch->told_peak[kind] = t->watch->kinds[kind].peak[0];
}

/* This kind is back to usual; others may go on. */
static void end(struct engine *e, struct track *t, enum watched kind)
{
	struct incident *i = &t->episode.incident;
	wd_wall *ended = kind == WATCH_FLOWS ? &i->traffic.ended_at : &i->requests.ended_at;
	if (ended->ns == 0) {
		wd_wall began = kind == WATCH_FLOWS ? i->traffic.began_at : i->requests.began_at;
		*ended = t->watch->kinds[kind].last_above;
		if (wall_before(*ended, began))
			*ended = began;
		t->episode.held = !watch_is_calm(t, e->now);
		engine_trace_end(e, t, false);
		if (t->episode.state == INCIDENT_OPEN && !engine_is_calm(e, t))
			engine_tell(e, t, EFFECT_INCIDENT_CHANGED);
	}
	struct cause c = {.now = watch_time(t, e->now)};
	if (t->episode.state == INCIDENT_OPEN && engine_is_calm(e, t))
		engine_live(e, t, LIFE_CALM, &c);
}

static void decide(struct engine *e, struct track *t, enum watched kind, wd_span width,
		   bool sustained)
{
	struct watch_kind *w = &t->watch->kinds[kind];
	enum incident_kind bit = kind == WATCH_FLOWS ? INCIDENT_TRAFFIC : INCIDENT_REQUESTS;
	float open_at = (float)budget_threshold(width, e->budget.series, e->budget.false_a_month,
						1) + watch_log10_kinds(t);
	w->significant = sustained && w->log10_return >= open_at;
	w->suspicious = sustained && w->log10_return >= open_at - SUSPECT_DECADES;
	struct cause c = {bit, w->began, w->end,
			  w->log10_return - log10f((float)((double)t->step.ns / (double)width.ns))};

	if (w->significant)
		begin(e, t, &c);
	bool carried = track_is_on(t) && (t->episode.incident.kinds & bit) != 0;
	if (carried)
		follow(e, t, kind, &c);
	if (carried && w->calm && !w->significant)
		end(e, t, kind);
	else if (w->suspicious && t->episode.state == INCIDENT_CLOSED)
		engine_live(e, t, LIFE_SUSPICIOUS, &c);
	wd_span every = track_is_on(t) || w->suspicious ? KEEP_EVERY : SHOW_EVERY;
	if (wall_sub(w->end, t->watch->shown_at).ns >= every.ns) {
		t->watch->shown_at = w->end;
		engine_touch(e, t);
	}
}

void engine_watch_minute(struct engine *e)
{
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		struct episode *ep = &t->episode;
		if (t->watch != NULL)
			engine_hear_log(e, t, e->now);
		if (t->watch == NULL || !t->whole)
			continue; /* the others are judged every minute */
		struct cause c = {.now = e->now};
		bool calm = track_is_on(t) && engine_is_calm(e, t);
		if (calm && ep->state == INCIDENT_RECOVERING &&
		    wall_sub(e->now, ep->calm_since).ns >= CLOSE_AFTER.ns)
			engine_live(e, t, LIFE_CALM_LONG, &c);
		else if (calm)
			engine_live(e, t, LIFE_CALM, &c);
		else if (ep->state == INCIDENT_SUSPECTED && t->log10_return <= 0 &&
			 !watch_is_suspicious(t, e->now))
			engine_live(e, t, LIFE_QUIET, &c);
	}
}

/* A recording may end before it has been calm for as long as it takes: what was back to usual by
 * then is over as far as it shows. */
static void end_what_is_calm(struct engine *e, struct track *t, enum watched kind)
{
	struct watch_kind *w = &t->watch->kinds[kind];
	uint32_t bit = kind == WATCH_FLOWS ? INCIDENT_TRAFFIC : INCIDENT_REQUESTS;

	if ((t->episode.incident.kinds & bit) == 0 || w->calm ||
	    wall_sub(w->end, w->last_above).ns < CALM_AT_END.ns)
		return;
	w->calm = true;
	end(e, t, kind);
}

void engine_watch_finish(struct engine *e)
{
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (t->watch == NULL || !track_is_on(t))
			continue;
		engine_tell(e, t, EFFECT_INCIDENT_CHANGED); /* with its last numbers */
		for (int kind = 0; kind < WATCH_KINDS; kind++)
			end_what_is_calm(e, t, (enum watched)kind);
	}
}

/* ---- flows ---- */

/* Who is usual is learned from quiet times only. */
static void learn_sources(struct engine *e, struct track *t, const struct traffic_tick *tick)
{
	struct watch *w = t->watch;
	bool quiet = t->episode.state == INCIDENT_CLOSED && !w->flows.above &&
		     w->flows.log10_return < STIRS_DECADES;
	if (e->options.source_key == NULL)
		return;
	if (w->usual == NULL)
		w->usual = calloc(1, sizeof(*w->usual)); /* without memory nobody is usual */
	if (w->usual != NULL && quiet)
		usual_tick(w->usual, tick, e->options.source_key);
	else if (w->usual != NULL)
		usual_stir(w->usual);
}

enum engine_verdict engine_step_flows(struct engine *e, struct track *t,
				      const struct traffic_tick *tick, wd_wall at, wd_span width)
{
	struct watch *w = t->watch;
	struct watch_kind *k = &w->kinds[WATCH_FLOWS];
	struct flood_sample s = {.tick = tick, .at = at, .width = width,
				 .frozen = t->episode.state == INCIDENT_OPEN ||
					   w->hearing.state != HEARD};
	struct flood_reading *r = &w->flows;

	flood_step(&w->flood, &e->flood_plan, &s, r);
	if (!r->taken) {
		e->counters.ticks_late++;
		return ENGINE_LATE;
	}
	bool carried = track_is_on(t) && (t->episode.incident.kinds & INCIDENT_TRAFFIC) != 0;
	k->end = wall_add(at, width);
	k->began = r->began;
	k->log10_return = r->log10_return;
	k->calm = r->calm && !watch_misses(w, &t->episode.incident);
	if (r->above || k->last_above.ns == 0)
		k->last_above = k->end;
	note_peak(k, at, width, (const float[]){r->packets_per_s, r->bits_per_s},
		  (const float[]){r->usual_packets_per_s, r->usual_bits_per_s}, carried);
	struct point packets = {r->packets_per_s, r->usual_packets_per_s, 0, r->high_packets_per_s};
	struct point bits = {r->bits_per_s, r->usual_bits_per_s, 0, r->high_bits_per_s};
	course_add(&w->rates[RATE_PACKETS], at, width, &packets);
	course_add(&w->rates[RATE_BITS], at, width, &bits);
	decide(e, t, WATCH_FLOWS, width, r->sustained);
	if (tick != NULL) {
		learn_sources(e, t, tick);
		engine_trace_tick(e, t, tick, width);
	}
	before_flows(&w->before, at, width, r); /* a trace that began now has its own */
	return ENGINE_COUNTED;
}

enum engine_verdict engine_traffic(struct engine *e, const struct traffic_tick *tick)
{
	struct track *t;
	wd_span width = tick->width.ns > 0 ? tick->width : (wd_span){TRAFFIC_TICK_NS};
	enum engine_verdict v = find_watch(e, tick->service, tick->at, WATCH_FLOWS, &t);
	if (v == ENGINE_COUNTED)
		v = check_time(e, &t->watch->kinds[WATCH_FLOWS], tick->at,
			       wall_add(tick->at, width));
	if (v == ENGINE_COUNTED)
		engine_hear_tick(e, t, tick);
	if (v == ENGINE_COUNTED)
		v = engine_step_flows(e, t, tick, tick->at, width);
	if (v == ENGINE_COUNTED)
		engine_note_witnesses(e, t, tick);
	e->counters.ticks += v == ENGINE_COUNTED;
	return v;
}

/* ---- requests ---- */

/* Evidence outlasts what made it; this second is out of the usual if what a finding counts is. */
static bool is_above(const struct web_reading *r)
{
	for (uint32_t n = 0; n < r->finding_count; n++) {
		const struct web_finding *f = &r->findings[n];
		if (f->attack && f->per_s > ABOVE_USUAL * f->usual_per_s)
			return true;
	}
	return false;
}

static enum engine_verdict step_requests(struct engine *e, struct track *t,
					 const struct web_tick *tick)
{
	struct watch *w = t->watch;
	struct watch_kind *k = &w->kinds[WATCH_REQUESTS];
	struct web_reading *r = &w->requests;
	wd_span width = tick->width.ns > 0 ? tick->width : (wd_span){WEB_TICK_NS};

	web_watch_step(&w->web, tick, t->episode.state == INCIDENT_OPEN, r);
	if (!r->taken) {
		e->counters.ticks_late++;
		return ENGINE_LATE;
	}
	bool carried = track_is_on(t) && (t->episode.incident.kinds & INCIDENT_REQUESTS) != 0;
	k->end = wall_add(tick->at, width);
	if (w->log_silent)
		engine_hear_log(e, t, k->end);
	k->began = r->began;
	k->log10_return = r->log10_return;
	k->calm = r->calm;
	if (is_above(r) || k->last_above.ns == 0)
		k->last_above = k->end;
	note_peak(k, tick->at, width, (const float[]){r->requests_per_s, 0},
		  (const float[]){r->usual_per_s, 0}, carried);
	struct point p = {r->requests_per_s, r->usual_per_s, 0, r->usual_per_s};
	course_add(&w->rates[RATE_REQUESTS], tick->at, width, &p);
	decide(e, t, WATCH_REQUESTS, (wd_span){WEB_TICK_NS}, true);
	engine_trace_requests(e, t, tick->at, width);
	before_requests(&w->before, tick->at, width, r->requests_per_s);
	return ENGINE_COUNTED;
}

enum engine_verdict engine_web(struct engine *e, const struct web_tick *tick)
{
	struct track *t;
	wd_span width = tick->width.ns > 0 ? tick->width : (wd_span){WEB_TICK_NS};
	enum engine_verdict v = find_watch(e, tick->service, tick->at, WATCH_REQUESTS, &t);
	if (v == ENGINE_COUNTED)
		v = check_time(e, &t->watch->kinds[WATCH_REQUESTS], tick->at,
			       wall_add(tick->at, width));
	if (v == ENGINE_COUNTED)
		v = step_requests(e, t, tick);
	e->counters.web_ticks += v == ENGINE_COUNTED;
	return v;
}
