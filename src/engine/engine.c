/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/inner.h"

#include "base/check.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t MINUTE_NS = 60 * WD_NS_PER_S;
/* Bounds the work of one engine_advance; a longer silence is a gap. */
static const int64_t SILENCE_MINUTES_MAX = 7 * 24 * 60;
static const int64_t LEAD_MINUTES = 2; /* how far in the future an observation may be */

struct engine_options engine_defaults(void)
{
	return (struct engine_options){
		.services_max = 10000, .signals_a_service = 64, .persons_max = 1 << 20,
		.incidents_max = 10000, .persons_floor = 5, .networks_floor = 3,
		.services_watched_max = 1000, .tracers_max = 32, .traces_max = 48,
	};
}

enum wd_err engine_open(const struct engine_options *options, struct engine **ret_engine,
			struct wd_why *why)
{
	struct engine_options o = *options, d = engine_defaults();
	o.services_max = o.services_max > 0 ? o.services_max : d.services_max;
	o.signals_a_service = o.signals_a_service > 0 ? o.signals_a_service : d.signals_a_service;
	o.persons_max = o.persons_max > 0 ? o.persons_max : d.persons_max;
	o.incidents_max = o.incidents_max > 0 ? o.incidents_max : d.incidents_max;
	o.services_watched_max =
		o.services_watched_max > 0 ? o.services_watched_max : d.services_watched_max;
	o.tracers_max = o.tracers_max > 0 ? o.tracers_max : d.tracers_max;
	o.traces_max = o.traces_max > 0 ? o.traces_max : d.traces_max;
	if (o.services_max > SERVICES_MAX || o.signals_a_service > SIGNALS_MAX ||
	    !(o.false_a_month >= 0) || !(o.packets_floor >= 0) || !(o.bits_floor >= 0))
		return wd_fail(why, WD_MALFORMED, 0, "engine options are out of range");

	struct engine *e = calloc(1, sizeof(*e));
	if (e == NULL)
		return wd_fail(why, WD_NOMEM, 0, "engine");
	e->options = o;
	once_init(&e->once, o.persons_max);
	if (o.classes != NULL) {
		flood_plan_init(&e->flood_plan, o.classes);
		if (o.packets_floor > 0 || o.bits_floor > 0)
			flood_plan_floors(
				&e->flood_plan,
				o.packets_floor > 0 ? o.packets_floor : e->flood_plan.packets_floor,
				o.bits_floor > 0 ? o.bits_floor : e->flood_plan.bits_floor);
	}
	if (engine_traces_open(e) != WD_OK) {
		engine_close(e);
		return wd_fail(why, WD_NOMEM, 0, "engine");
	}
	*ret_engine = e;
	return WD_OK;
}

void engine_close(struct engine *e)
{
	if (e == NULL)
		return;
	for (size_t n = 0; n < e->track_count; n++)
		track_done(&e->tracks[n]);
	engine_effects_drop(e);
	engine_traces_close(e);
	once_done(&e->once);
	snapshot_release(e->last);
	incident_list_release(e->list);
	catalogue_release(e->catalogue);
	free(e->tracks);
	free(e->by_id);
	free(e->by_catalogue);
	free(e->headroom);
	free(e->incidents);
	free(e->effects);
	free(e);
}

wd_wall engine_now(const struct engine *e)
{
	return e->now;
}

/* ---- tracks ---- */

const struct surge_plan *engine_plan(struct engine *e, wd_span step, bool metric, uint8_t *ret_plan)
{
	for (size_t n = 0; n < e->plan_count; n++) {
		if (e->plans[n].step.ns == step.ns && e->plans[n].metric == metric) {
			*ret_plan = (uint8_t)n;
			return &e->plans[n].plan;
		}
	}
	if (e->plan_count == PLANS_MAX)
		return NULL;
	struct plan_slot *slot = &e->plans[e->plan_count];
	*slot = (struct plan_slot){.step = step, .metric = metric};
	surge_plan_init(&slot->plan, step, metric ? SURGE_METRIC : SURGE_COUNTS);
	*ret_plan = (uint8_t)e->plan_count++;
	return &slot->plan;
}

void engine_touch(struct engine *e, struct track *t)
{
	t->version = ++e->versions;
	service_state_release(t->shown);
	t->shown = NULL;
	e->changed = true;
}

/* From here on the service's total is followed, minute by minute unless `whole`. */
static bool start(struct engine *e, struct track *t, wd_wall at, wd_span step, bool whole,
		  bool metric)
{
	const struct surge_plan *plan = engine_plan(e, step, metric, &t->plan);
	uint64_t dropped = 0;
	if (plan == NULL)
		return false;
	/* A catalogue's service that nobody observed yet may turn out to be another kind. */
	t->signal_count = 0;
	memset(t->lookup, 0, sizeof(t->lookup));
	t->step = step;
	t->whole = whole;
	t->metric = metric;
	t->phase = whole ? at : (wd_wall){0};
	t->next = whole ? 0 : track_bin(t, at) - LATENESS_BINS;
	t->since = track_bin_begin(t, t->next);
	if (track_signal(t, plan, &e->options.key, DIMENSION_TOTAL, "", 1, &dropped) < 0)
		return false;
	t->started = true;
	return true;
}

/* ---- services ---- */

enum wd_err engine_configure(struct engine *e, struct catalogue *c, struct wd_why *why)
{
	size_t count = catalogue_count(c);
	size_t *by_catalogue = calloc(count + 1, sizeof(*by_catalogue));
	if (by_catalogue == NULL)
		return wd_fail(why, WD_NOMEM, 0, "services");
	enum wd_err err = engine_make_room(e, c, why);
	if (err != WD_OK) {
		free(by_catalogue);
		return err;
	}
	for (size_t n = 0; n < e->track_count; n++)
		e->tracks[n].service = e->tracks[n].adopted;
	for (size_t n = 0; n < count; n++) {
		const struct service *s = catalogue_at(c, n);
		struct track *t = engine_track(e, s->id);
		if (t == NULL)
			t = engine_add_track(e, s->id);
		WD_CHECK(t != NULL);
		t->service = s;
		by_catalogue[n] = (size_t)(t - e->tracks);
	}
	for (size_t n = 0; n < e->track_count; n++) {
		engine_touch(e, &e->tracks[n]);
		if (e->tracks[n].service == NULL)
			engine_forget_clients(e, &e->tracks[n]);
	}
	free(e->by_catalogue);
	e->by_catalogue = by_catalogue;
	catalogue_release(e->catalogue);
	e->catalogue = catalogue_hold(c);
	return WD_OK;
}

/* A service that only the recording names: its id is its name. */
bool engine_adopt(struct engine *e, struct track *t)
{
	struct service *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return false;
	*s = (struct service){.id = strdup(t->id), .name = strdup(t->id), .category = strdup(""),
			      .zone = calloc(1, sizeof(struct zone))};
	t->adopted = s; /* track_done frees it, half-built or not */
	if (s->id == NULL || s->name == NULL || s->category == NULL || s->zone == NULL)
		return false;
	memcpy(s->zone->name, "UTC", 4);
	t->service = s;
	engine_touch(e, t);
	return true;
}

/* ---- observations ---- */

static void score(struct engine *e, const struct track *t, int64_t bin)
{
	const struct signal *s = &t->signals[0];
	struct score out = {t->id,   track_bin_begin(t, bin), s->observed, s->expected, s->low,
			    s->high, s->log10_return};
	if (e->on_score != NULL && (t->first_seen.ns != 0 || t->whole))
		e->on_score(e->on_score_ctx, &out);
}

/* It ends where it can count no further. */
static void count_pending(struct signal *s, int64_t bin, uint32_t count)
{
	uint32_t *pending = &s->pending[bin & (PENDING_BINS - 1)];
	*pending = *pending > UINT32_MAX - count ? UINT32_MAX : *pending + count;
}

static void count_dimension(struct engine *e, struct track *t, enum dimension d, const char *value,
			    int64_t bin, uint32_t count)
{
	if (value[0] == '\0')
		return;
	int n = track_signal(t, &e->plans[t->plan].plan, &e->options.key, d, value,
			     e->options.signals_a_service, &e->counters.dimensions_dropped);
	if (n >= 0)
		count_pending(&t->signals[n], bin, count);
}

static enum engine_verdict observe_report(struct engine *e, struct track *t,
					  const struct observation *o)
{
	/* What comes from the future is counted now: a user's clock is not evidence. */
	wd_wall at = wall_before(e->now, o->at) ? e->now : o->at;
	int64_t bin = track_bin(t, at);
	int64_t quarter = once_quarter_of(at);
	char place[SIGNAL_VALUE_MAX + 1];

	if (wall_sub(o->at, e->now).ns > LEAD_MINUTES * MINUTE_NS)
		e->counters.early++;
	if (bin < t->next) {
		e->counters.late++;
		return ENGINE_LATE;
	}
	if (o->person != 0 && !once_first(&e->once, quarter, o->person ^ t->salt)) {
		e->counters.duplicates++;
		return ENGINE_DUPLICATE;
	}
	if (t->crowd == NULL && (t->crowd = calloc(1, sizeof(*t->crowd))) != NULL)
		crowd_init(t->crowd);
	if (t->crowd != NULL)
		crowd_add(t->crowd, quarter, bin, o->network, o->person != 0);

	count_pending(&t->signals[0], bin, 1);
	count_dimension(e, t, DIMENSION_SURFACE, o->surface, bin, 1);
	count_dimension(e, t, DIMENSION_PROBLEM, o->problem, bin, 1);
	count_dimension(e, t, DIMENSION_COUNTRY, o->country, bin, 1);
	if (o->city[0] != '\0') {
		snprintf(place, sizeof(place), "%s/%.*s", o->country, SIGNAL_VALUE_MAX - 3,
			 o->city);
		count_dimension(e, t, DIMENSION_CITY, place, bin, 1);
	}
	if (o->network != 0 && o->network < NETWORK_UNNAMED_MIN) {
		snprintf(place, sizeof(place), "AS%u", o->network);
		count_dimension(e, t, DIMENSION_NETWORK, place, bin, 1);
	}
	e->counters.reports++;
	t->observed_total++;
	return ENGINE_COUNTED;
}

/* A bucket that is whole: sealed at once, judged at the next engine_advance. */
static enum engine_verdict observe_bucket(struct engine *e, struct track *t,
					  const struct observation *o)
{
	int64_t bin = track_bin(t, o->at);
	double value = t->metric ? o->value : o->count;
	e->counters.widths_differ += o->step.ns != t->step.ns;
	if (bin < t->next) {
		e->counters.late++;
		return ENGINE_LATE;
	}
	e->counters.samples += t->signal_count;
	track_seal(t, &e->plans[t->plan].plan, bin, &value);
	e->due += t->due_at.ns == 0;
	t->due_at = wall_before(e->now, o->at) ? o->at : e->now;
	score(e, t, bin);
	engine_follow(e, t, track_bin_begin(t, bin));
	t->observed_total += t->metric ? 1 : o->count;
	if (t->metric)
		e->counters.metrics++;
	else
		e->counters.counts++;
	return ENGINE_COUNTED;
}

/* Counts of whole minutes for a service whose reports come one by one join them. */
static enum engine_verdict observe_minute_count(struct engine *e, struct track *t,
						const struct observation *o)
{
	int64_t bin = track_bin(t, wall_before(e->now, o->at) ? e->now : o->at);
	if (o->kind != OBSERVATION_COUNT || o->step.ns != MINUTE_NS || bin < t->next) {
		e->counters.late++;
		return ENGINE_LATE;
	}
	count_pending(&t->signals[0], bin, o->count);
	count_dimension(e, t, DIMENSION_SURFACE, o->surface, bin, o->count);
	count_dimension(e, t, DIMENSION_PROBLEM, o->problem, bin, o->count);
	e->counters.counts++;
	t->observed_total += o->count;
	return ENGINE_COUNTED;
}

enum engine_verdict engine_observe(struct engine *e, const struct observation *o)
{
	bool report = o->kind == OBSERVATION_REPORT;
	wd_span step = report ? (wd_span){MINUTE_NS} : o->step;
	struct track *t = engine_track(e, o->service);

	e->counters.observations++;
	if (e->now.ns == 0)
		engine_advance(e, o->at);
	if (t == NULL && e->options.adopt_services &&
	    text_is_utf8(o->service, strlen(o->service))) {
		t = engine_add_track(e, o->service);
		if (t == NULL || !engine_adopt(e, t))
			return ENGINE_FULL;
	}
	if (t == NULL || t->service == NULL) {
		e->counters.unknown_service++;
		return ENGINE_UNKNOWN_SERVICE;
	}
	/* The first observation decides whether buckets arrive whole. */
	bool fits = t->started && t->whole != report;
	if (!fits && t->first_seen.ns == 0) {
		wd_wall first = report ? e->now : o->at;
		bool metric = o->kind == OBSERVATION_METRIC;
		uint8_t plan;
		if (step.ns < WD_NS_PER_S || step.ns > 366 * 86400 * WD_NS_PER_S ||
		    engine_plan(e, step, metric, &plan) == NULL)
			return ENGINE_WIDTH;
		if (!start(e, t, first, step, !report, metric))
			return ENGINE_FULL;
	}
	if (!track_open_history(t))
		return ENGINE_FULL;
	/* 0.5 s is no half report: what came first is what the service is. */
	if (t->whole && !report && t->metric != (o->kind == OBSERVATION_METRIC))
		return ENGINE_OTHER;
	enum engine_verdict verdict = t->whole && !report ? observe_bucket(e, t, o) :
				      !t->whole && !report ? observe_minute_count(e, t, o) :
				      !t->whole ? observe_report(e, t, o) : ENGINE_LATE;
	if (verdict == ENGINE_COUNTED) {
		if (t->first_seen.ns == 0)
			t->first_seen = o->at;
		t->last_seen = e->now;
		t->reconstruction = (o->flags & OBSERVATION_RECONSTRUCTION) != 0;
		memcpy(t->scenario, o->scenario, strlen(o->scenario) + 1);
	}
	engine_touch(e, t);
	return verdict;
}

/* ---- the clock ---- */

/* The configuration does not name the service any more: nobody follows it. */
static void leave(struct engine *e, struct track *t)
{
	if (t->started && !t->whole)
		track_skip(t, e->minute);
	t->coordinated_on = false;
	engine_abandon(e, t);
}

/* A minute begins: what is before `open` is sealed, the rest up to `seen`, the last minute that
 * somebody watched, is looked at. */
static void turn_minute(struct engine *e, int64_t open, int64_t seen)
{
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (t->service == NULL)
			leave(e, t);
		if (t->service == NULL || t->whole)
			continue;
		if (!t->started && !start(e, t, e->now, (wd_span){MINUTE_NS}, false, false))
			continue;
		const struct surge_plan *plan = &e->plans[t->plan].plan;
		for (; t->next < open; e->counters.samples += t->signal_count) {
			int64_t bin = t->next;
			track_seal(t, plan, bin, NULL);
			score(e, t, bin);
			engine_follow(e, t, track_bin_begin(t, bin));
		}
		track_peek(t, plan, seen);
		if (t->crowd != NULL)
			crowd_move(t->crowd, once_quarter_of(e->now), e->minute);
		if (t->first_seen.ns != 0)
			engine_touch(e, t);
	}
	engine_judge(e, false);
	engine_watch_minute(e);
}

/* The next minute begins, and may still bring reports of the two before it. */
static void turn(struct engine *e)
{
	e->minute++;
	e->now = wall_s(e->minute * 60);
	turn_minute(e, e->minute - LATENESS_BINS, e->minute - 1);
}

/* Nobody watched from within the running minute until `minute`: what is pending is sealed, the
 * minutes between are missing. Of those two themselves a part was seen, which counts. */
static void jump(struct engine *e, int64_t minute)
{
	int64_t last = e->minute, end = last + LATENESS_BINS + 1;
	end = end < minute ? end : minute;
	while (e->minute < end) {
		e->minute++;
		e->now = wall_s(e->minute * 60);
		turn_minute(e, e->minute < end ? e->minute - LATENESS_BINS : last + 1, last);
	}
	e->minute = minute;
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (t->started && !t->whole)
			track_skip(t, minute);
	}
}

void engine_gap(struct engine *e, wd_wall now)
{
	int64_t minute = now.ns / MINUTE_NS;
	if (e->now.ns != 0 && minute - e->minute > 1)
		jump(e, minute);
	engine_advance(e, now);
}

void engine_advance(struct engine *e, wd_wall now)
{
	if (!wall_before(e->now, now))
		goto judge;
	int64_t minute = now.ns / MINUTE_NS;
	if (e->now.ns == 0) {
		e->minute = minute;
		e->now = now;
		turn_minute(e, minute - LATENESS_BINS, minute - 1);
		goto judge;
	}
	if (minute - e->minute > SILENCE_MINUTES_MAX)
		jump(e, minute);
	while (e->minute < minute)
		turn(e);
	e->now = now;
judge:
	if (e->due > 0)
		engine_judge(e, true);
	e->due = 0;
}

void engine_finish(struct engine *e)
{
	if (e->now.ns == 0)
		return;
	engine_advance(e, e->now);
	engine_watch_finish(e);
	for (int n = 0; n <= LATENESS_BINS; n++)
		engine_advance(e, wall_s((e->minute + 1) * 60));
	for (size_t i = 0; i < e->track_count; i++)
		engine_trace_end(e, &e->tracks[i], false); /* with the last ticks in them */
}

void engine_on_score(struct engine *e, void (*on_score)(void *, const struct score *), void *ctx)
{
	e->on_score = on_score;
	e->on_score_ctx = ctx;
}

const struct effect *engine_effects(const struct engine *e, size_t *ret_count)
{
	*ret_count = e->effect_count;
	return e->effects;
}

void engine_effects_drop(struct engine *e)
{
	for (size_t n = 0; n < e->effect_count; n++)
		shared_trace_release(e->effects[n].held);
	e->effect_count = 0;
}
