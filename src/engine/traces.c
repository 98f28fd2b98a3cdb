/* SPDX-License-Identifier: Apache-2.0 */
/* traces: who is traced (explain/tracer.h), and what readers see of it.
 *
 * A tracer is taken as soon as a service's traffic leaves the usual, and given back if nothing
 * comes of it: when the alarm comes, the seconds before it are in it already. All tracers are as
 * many as engine_options says; then what only stirs makes room for an incident, and the least
 * severe incident for a more severe one. */
#include "engine/inner.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Evidence at which a service is traced ahead of an alarm, and below which it is not any more. */
static const float STIRS = 2, SETTLES = 1;
static const wd_span REFRESH_EVERY = {WD_NS_PER_S};
static const wd_span REFRESH_MAX = {10 * WD_NS_PER_S}; /* of one that lasts long */
static const wd_span TELL_EVERY = {30 * WD_NS_PER_S};
/* What comes long after the last tick out of the usual is not the incident's; a pause between two
   bursts, and the stragglers after the last one, are. */
static const wd_span TAIL = {30 * WD_NS_PER_S};

/* ---- tracers ---- */

static struct tracing *tracing_of(const struct engine *e, const struct track *t)
{
	return t->watch != NULL && t->watch->tracing > 0 ? &e->tracings[t->watch->tracing - 1]
							 : NULL;
}

static void give_back(struct engine *e, struct tracing *g)
{
	e->tracks[g->track].watch->tracing = 0;
	g->used = false;
}

static float worth(const struct engine *e, const struct tracing *g)
{
	const struct track *t = &e->tracks[g->track];
	return g->real ? t->episode.incident.severity : -1 / (1 + t->watch->flows.log10_return);
}

/* A free one, or of those in use the one that matters least, if less than `worth_min`. */
static struct tracing *find_tracing(struct engine *e, float worth_min)
{
	struct tracing *least = NULL;
	for (size_t n = 0; n < e->options.tracers_max; n++) {
		struct tracing *g = &e->tracings[n];
		if (!g->used && (g->tracer != NULL || (g->tracer = malloc(sizeof(*g->tracer)))))
			return g;
		if (g->used && (least == NULL || worth(e, g) < worth(e, least)))
			least = g;
	}
	if (least == NULL || worth(e, least) >= worth_min)
		return NULL;
	if (least->real)
		e->counters.untraced++;
	give_back(e, least);
	return least;
}

static struct tracing *take_tracing(struct engine *e, struct track *t, wd_wall at, bool real)
{
	struct tracing *g = find_tracing(e, real ? t->episode.incident.severity : -1);
	if (g == NULL) {
		/* Once an incident: it asks again with every tick. */
		e->counters.untraced += real && !t->watch->untraced;
		t->watch->untraced = real;
		return NULL;
	}
	*g = (struct tracing){.tracer = g->tracer, .used = true,
			      .track = (size_t)(t - e->tracks)};
	tracer_begin(g->tracer, real ? t->episode.incident.id : "", at);
	before_read(&t->watch->before, at, &g->tracer->before);
	t->watch->tracing = (uint32_t)(g - e->tracings) + 1;
	return g;
}

static void feed(struct engine *e, const struct track *t, struct tracing *g,
		 const struct traffic_tick *tick, wd_span width)
{
	struct tracer_class classes[FLOOD_CLASSES_MAX];
	const struct flood_reading *r = &t->watch->flows;
	const struct watch_kind *k = &t->watch->kinds[WATCH_REQUESTS];
	struct tracer_input in = {
		.tick = tick, .classes = classes, .class_count = r->class_count,
		.usual_packets_per_s = (double)r->usual_packets_per_s,
		.usual_bits_per_s = (double)r->usual_bits_per_s, .carpet = r->carpet,
		.pulse = r->pulse, .key = e->options.source_key,
		.stirring = {r->stirring[0], r->stirring[1]},
	};
	for (uint32_t n = 0; n < r->class_count; n++) {
		const struct flood_class *c = &r->classes[n];
		classes[n] = (struct tracer_class){
			.class = c->class,
			.began = c->began,
			.usual_packets_per_s = (double)c->usual_packets_per_s,
			.usual_bits_per_s = (double)c->usual_bits_per_s,
			.new_names = c->new_names,
			.alone = c->alone,
		};
	}
	/* Requests are counted by the second, and may be one behind. */
	if (tick == e->blank)
		in.requests = (double)t->watch->requests.requests_per_s * (double)width.ns /
			      (double)WD_NS_PER_S;
	else if (k->end.ns != 0 && wall_sub(tick->at, k->end).ns < 2 * WD_NS_PER_S)
		in.requests = (double)t->watch->requests.requests_per_s * (double)width.ns /
			      (double)WD_NS_PER_S;
	tracer_add(g->tracer, &e->index, &in);
}

/* ---- traces ---- */

static size_t find_trace(const struct engine *e, const char *incident)
{
	size_t n = 0;
	while (n < e->trace_count &&
	       strcmp(shared_trace_of(e->traces[n])->incident, incident) != 0)
		n++;
	return n;
}

static size_t oldest_trace(const struct engine *e)
{
	size_t oldest = 0;
	for (size_t n = 1; n < e->trace_count; n++) {
		if (wall_before(shared_trace_of(e->traces[n])->changed_at,
				shared_trace_of(e->traces[oldest])->changed_at))
			oldest = n;
	}
	return oldest;
}

/* Takes over the reference; the one that changed longest ago makes room. */
static void keep_trace(struct engine *e, struct shared_trace *s)
{
	size_t at = find_trace(e, shared_trace_of(s)->incident);
	if (at == e->trace_count && e->trace_count < e->options.traces_max)
		e->traces[e->trace_count++] = NULL;
	else if (at == e->trace_count)
		at = oldest_trace(e);
	shared_trace_release(e->traces[at]);
	e->traces[at] = s;
	e->changed = true;
}

enum wd_err engine_remember_trace(struct engine *e, const struct trace *t)
{
	size_t at = find_trace(e, t->incident);
	if (at < e->trace_count && shared_trace_of(e->traces[at])->packets >= t->packets)
		return WD_OK;
	struct shared_trace *s = shared_trace_new(t);
	if (s == NULL)
		return WD_NOMEM;
	keep_trace(e, s);
	return WD_OK;
}

/* The incident names the vectors that the trace found. */
static void name_vectors(struct incident_traffic *x, const struct trace *t)
{
	if (t->vector_count == 0)
		return;
	x->vector_count = 0;
	x->status = t->status;
	for (uint32_t n = 0; n < t->vector_count && n < INCIDENT_PARTS_MAX; n++) {
		struct part *p = &x->vectors[x->vector_count++];
		text_copy(p->id, sizeof(p->id), t->vectors[n].id);
		p->share = t->vectors[n].share;
	}
}

static struct shared_trace *refresh(struct engine *e, struct track *t, struct tracing *g)
{
	struct trace *scratch = e->trace_scratch;
	wd_wall now = watch_time(t, e->now);
	g->traced_at = now;
	*scratch = (struct trace){{0}};
	struct tracer_places places = {.context = NULL};
	if (e->options.places != NULL)
		places = *e->options.places;
	places.memory = usual_memory(t->watch->usual);
	tracer_write(g->tracer, &e->index, &places, scratch);
	text_copy(scratch->incident, sizeof(scratch->incident), t->episode.incident.id);
	scratch->changed_at = now;
	engine_find_links(e, g->tracer, places.memory, scratch);
	name_vectors(&t->episode.incident.traffic, scratch);
	t->watch->traced = scratch->vector_count > 0;
	/* After a restart that lost the tracer: what is known from before is not thrown away. */
	size_t at = find_trace(e, scratch->incident);
	if (at < e->trace_count &&
	    shared_trace_of(e->traces[at])->packets > scratch->packets)
		return NULL;
	struct shared_trace *s = shared_trace_new(scratch);
	if (s == NULL) {
		e->effects_lost++;
		return NULL;
	}
	keep_trace(e, s);
	return s;
}

static void tell_trace(struct engine *e, const struct track *t, struct tracing *g,
		       struct shared_trace *s)
{
	struct effect *x = s != NULL ? engine_add_effect(e, EFFECT_TRACE) : NULL;
	g->told_at = watch_time(t, e->now);
	if (x != NULL)
		x->trace = shared_trace_of(shared_trace_hold(s));
	if (x != NULL)
		x->held = s;
}

/* ---- along with the ticks ---- */

static wd_span refresh_every(const struct incident *i, wd_wall now)
{
	wd_span every = {incident_duration(i, now).ns / 60};
	return every.ns < REFRESH_EVERY.ns ? REFRESH_EVERY :
	       every.ns > REFRESH_MAX.ns ? REFRESH_MAX : every;
}

void engine_trace_tick(struct engine *e, struct track *t, const struct traffic_tick *tick,
		       wd_span width)
{
	const struct flood_reading *r = &t->watch->flows;
	const struct incident *i = &t->episode.incident;
	uint32_t kind = tick == e->blank ? INCIDENT_REQUESTS : INCIDENT_TRAFFIC;
	wd_wall ended = tick == e->blank ? i->requests.ended_at : i->traffic.ended_at;
	bool real = t->episode.state == INCIDENT_OPEN && (i->kinds & kind) != 0;
	bool stirs = tick != e->blank && (r->above || r->stirs || r->log10_return >= STIRS);
	struct tracing *g = tracing_of(e, t);

	if (e->tracings == NULL)
		return;
	if (g == NULL && (real ? ended.ns == 0 : stirs))
		g = take_tracing(e, t, tick->at, real);
	if (g == NULL)
		return;
	if (!real && !g->real && !stirs && r->log10_return < SETTLES) {
		give_back(e, g);
		return;
	}
	if (real && !g->real)
		text_copy(g->tracer->incident, sizeof(g->tracer->incident), i->id);
	g->real = g->real || real;
	wd_wall above = t->watch->kinds[tick == e->blank ? WATCH_REQUESTS : WATCH_FLOWS].last_above;
	if (g->real && (!real || ended.ns != 0 || wall_sub(tick->at, above).ns > TAIL.ns))
		return; /* it is back to usual */
	feed(e, t, g, tick, width);
	wd_wall now = watch_time(t, e->now);
	if (!real || wall_sub(now, g->traced_at).ns < refresh_every(i, now).ns)
		return;
	bool was_traced = t->watch->traced;
	struct shared_trace *s = refresh(e, t, g);
	if (!was_traced && t->watch->traced)
		engine_tell(e, t, EFFECT_INCIDENT_CHANGED); /* it has its vectors now */
	if (wall_sub(now, g->told_at).ns >= TELL_EVERY.ns)
		tell_trace(e, t, g, s);
}

void engine_trace_end(struct engine *e, struct track *t, bool last)
{
	struct tracing *g = tracing_of(e, t);
	if (g == NULL || !g->real)
		return;
	tell_trace(e, t, g, refresh(e, t, g));
	if (last)
		give_back(e, g);
}

void engine_tell_traces(struct engine *e)
{
	for (size_t n = 0; e->tracings != NULL && n < e->options.tracers_max; n++) {
		struct tracing *g = &e->tracings[n];
		struct track *t = &e->tracks[g->track];
		if (g->used && g->real)
			tell_trace(e, t, g, refresh(e, t, g));
	}
}

void engine_trace_stop(struct engine *e, struct track *t)
{
	struct tracing *g = tracing_of(e, t);
	if (g != NULL)
		give_back(e, g);
}

/* ---- to bytes and back ---- */

void engine_tracing_write(const struct engine *e, const struct track *t, struct out *o)
{
	const struct tracing *g = tracing_of(e, t);
	out_u8(o, g == NULL ? 0 : g->real ? 2 : 1);
	if (g == NULL)
		return;
	out_i64(o, g->traced_at.ns);
	out_i64(o, g->told_at.ns);
	tracer_write_state(g->tracer, &e->index, o);
}

/* What cannot be taken over is traced from now on. */
void engine_tracing_read(struct engine *e, struct track *t, struct cur *c)
{
	uint8_t kind = cur_u8(c);
	wd_wall traced_at = {cur_i64(c)}, told_at = {cur_i64(c)};
	if (c->bad || kind == 0 || kind > 2 || e->tracings == NULL)
		return;
	struct tracing *g = take_tracing(e, t, e->now, kind == 2);
	if (g == NULL)
		return;
	g->real = kind == 2;
	g->traced_at = traced_at;
	g->told_at = told_at;
	if (tracer_read_state(g->tracer, &e->index, c, NULL) != WD_OK)
		give_back(e, g);
}

void engine_trace_requests(struct engine *e, struct track *t, wd_wall at, wd_span width)
{
	uint32_t kinds = t->episode.incident.kinds;
	if (e->tracings == NULL || t->episode.state != INCIDENT_OPEN ||
	    (kinds & INCIDENT_REQUESTS) == 0 || (kinds & INCIDENT_TRAFFIC) != 0)
		return;
	traffic_clear(e->blank, t->id, at);
	e->blank->width = width;
	engine_trace_tick(e, t, e->blank, width);
}

enum wd_err engine_traces_open(struct engine *e)
{
	e->traces = calloc(e->options.traces_max, sizeof(struct shared_trace *));
	if (e->traces == NULL)
		return WD_NOMEM;
	if (e->options.book == NULL || e->options.classes == NULL)
		return WD_OK;
	vector_index_init(&e->index, e->options.book, e->options.classes);
	e->tracings = calloc(e->options.tracers_max, sizeof(*e->tracings));
	e->trace_scratch = malloc(sizeof(*e->trace_scratch));
	e->blank = calloc(1, sizeof(*e->blank));
	bool all = e->tracings != NULL && e->blank != NULL && e->trace_scratch != NULL;
	if (e->options.source_key != NULL) {
		e->lineage = calloc(1, sizeof(*e->lineage));
		all = all && e->lineage != NULL;
	}
	return all ? WD_OK : WD_NOMEM;
}

void engine_traces_close(struct engine *e)
{
	for (size_t n = 0; e->tracings != NULL && n < e->options.tracers_max; n++)
		free(e->tracings[n].tracer);
	for (size_t n = 0; n < e->trace_count; n++)
		shared_trace_release(e->traces[n]);
	free(e->tracings);
	free(e->traces);
	free(e->trace_scratch);
	free(e->blank);
	free(e->lineage);
}
