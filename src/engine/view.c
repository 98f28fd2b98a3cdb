/* SPDX-License-Identifier: Apache-2.0 */
/* view: the engine's state as readers see it (model/snapshot.h). */
#include "engine/inner.h"

#include "base/check.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ticks after which what is usual of a service's traffic is known: half a minute. */
enum { FLOWS_KNOWN = 120 };
enum { DAY_BUCKETS = 288, WEEK_BUCKETS = 168, QUARTER_BUCKETS = 360, SERIES_MAX = 360 };

/* The last `count` buckets of a ring up to and with the one that holds `now`, in buckets of
 * `step` or of the service's own width if that is larger. */
static bool read_series(const struct track *t, const struct rollup *r, wd_wall now, wd_span step,
			size_t count, struct series *ret)
{
	wd_span width = step;
	if (r->step.ns > step.ns) {
		width = r->step;
		int64_t whole = (int64_t)count * step.ns / width.ns;
		count = whole < 1 ? 1 : (size_t)whole;
	}
	int64_t last = floor_div(now.ns, width.ns);
	struct point *points = calloc(count, sizeof(*points));
	if (points == NULL)
		return false;
	*ret = (struct series){.begin = {(last - (int64_t)count + 1) * width.ns}, .step = width,
			       .count = count, .points = points};
	rollup_read(r, ret->begin, width, count, t->metric, points);
	return true;
}

/* Minutes that are not sealed yet belong on the chart, too. */
static void add_pending(const struct engine *e, const struct track *t, struct series *s)
{
	const struct signal *total = &t->signals[0];
	for (int64_t bin = t->next; !t->whole && bin <= e->minute; bin++) {
		int64_t n = floor_div(track_bin_begin(t, bin).ns - s->begin.ns, s->step.ns);
		if (n < 0 || n >= (int64_t)s->count)
			continue;
		struct point *p = &s->points[n];
		if (p->observed < 0)
			*p = (struct point){0};
		float half_above = p->high - p->expected, half_below = p->expected - p->low;
		float above = total->high - total->expected, below = total->expected - total->low;
		p->observed += (float)total->pending[bin & (PENDING_BINS - 1)];
		p->expected += total->expected;
		p->high = p->expected + sqrtf(half_above * half_above + above * above);
		p->low = fmaxf(0, p->expected - sqrtf(half_below * half_below + below * below));
	}
}

/* ---- the course of an incident ---- */

static bool incident_series(const struct engine *e, const struct track *t,
			    const struct incident *i, struct series *ret_series)
{
	wd_wall begin = wall_back(i->began_at, span_s(7200));
	wd_wall end = i->ended_at.ns != 0 ? wall_add(i->ended_at, span_s(3600)) : e->now;
	if (wall_before(e->now, end))
		end = e->now;
	/* The finest ring that reaches back, joined so that it fits. */
	const struct rollup *rings[] = {&t->history->bins, &t->history->fives, &t->history->hours,
					&t->history->quarters};
	size_t ring = 0;
	while (ring < 3 && rings[ring]->last != INT64_MIN &&
	       (rings[ring]->last - (int64_t)rings[ring]->count) * rings[ring]->step.ns > begin.ns)
		ring++;
	const struct rollup *r = rings[ring];
	begin.ns = floor_div(begin.ns, r->step.ns) * r->step.ns;
	int64_t buckets = wall_sub(end, begin).ns / r->step.ns + 1;
	if (buckets < 1)
		return false;
	int64_t join = (buckets + SERIES_MAX - 1) / SERIES_MAX;
	size_t count = (size_t)((buckets + join - 1) / join);
	struct point *points = calloc(count, sizeof(*points));
	if (points == NULL)
		return false;
	*ret_series = (struct series){begin, {join * r->step.ns}, count, points};
	rollup_read(r, begin, ret_series->step, count, t->metric, points);
	if (ring <= 1)
		add_pending(e, t, ret_series);
	return true;
}

/* ---- a service ---- */

static int by_dimension_then_day(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	if (x->dimension != y->dimension)
		return (int)x->dimension - (int)y->dimension;
	if (x->observed_24h != y->observed_24h)
		return x->observed_24h < y->observed_24h ? 1 : -1;
	return strcmp(x->value, y->value);
}

static bool add_shares(const struct track *t, struct service_state *s)
{
	s->shares = calloc(t->signal_count, sizeof(*s->shares));
	if (s->shares == NULL)
		return false;
	for (uint32_t n = 1; n < t->signal_count; n++) {
		const struct signal *from = &t->signals[n];
		struct share *to = &s->shares[s->share_count++];
		to->dimension = (enum dimension)from->dimension;
		text_copy(to->value, sizeof(to->value), from->value);
		for (size_t h = 0; h < WD_COUNT(from->hours); h++)
			to->observed_24h += from->hours[h];
		for (size_t b = 0; b < PENDING_BINS; b++)
			to->observed_24h += (float)from->pending[b];
		to->observed_now = from->observed;
		to->expected_now = from->expected;
		to->log10_return = from->log10_return;
		to->significant = from->in_scope;
	}
	if (s->share_count > 1)
		qsort(s->shares, s->share_count, sizeof(*s->shares), by_dimension_then_day);
	return true;
}

static enum status status_of(const struct engine *e, const struct track *t)
{
	enum incident_state state = t->episode.state;
	if (incident_is_on(state))
		return STATUS_INCIDENT;
	const struct watch *w = t->watch;
	bool flows_known = w != NULL && w->flood.ticks >= FLOWS_KNOWN && !w->flows.cold;
	if (watch_is_suspicious(t, e->now))
		return STATUS_UNUSUAL;
	if (t->first_seen.ns == 0 || !t->started)
		return flows_known ? STATUS_USUAL : STATUS_UNKNOWN;
	if (state == INCIDENT_SUSPECTED || t->coordinated_on)
		return STATUS_UNUSUAL;
	if (flows_known)
		return STATUS_USUAL;
	return t->signals[0].surge.seen < e->plans[t->plan].plan.warm ? STATUS_UNKNOWN
								      : STATUS_USUAL;
}

static size_t index_of(const struct incident_list *l, const char *id)
{
	for (size_t n = 0; n < l->count; n++) {
		if (strcmp(l->incidents[n].id, id) == 0)
			return n;
	}
	return SIZE_MAX;
}

static struct service_state *show(const struct engine *e, const struct track *t)
{
	struct service_state *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	*s = (struct service_state){
		.service = t->service, .status = status_of(e, t), .metric = t->metric,
		.whole = t->whole,
		.reconstruction = t->reconstruction,
		.first_seen_at = t->first_seen, .last_seen_at = t->last_seen,
		.log10_return = t->log10_return, .observed_total = t->observed_total,

		.incident = SIZE_MAX, .version = t->version, .references = 1,
	};
	s->clients = client_notes_hold(t->clients);
	if (s->status == STATUS_INCIDENT)
		s->incident = index_of(e->list, t->episode.incident.id);
	if (wall_sub(e->now, t->coordinated.last_at).ns < 24 * 3600 * WD_NS_PER_S)
		s->coordinated = t->coordinated;
	if (t->started) {
		const struct signal *total = &t->signals[0];
		s->observed_now = t->whole ? total->observed :
				  (float)total->pending[(e->minute - 1) & (PENDING_BINS - 1)];
		s->step_now = t->whole ? t->step : (wd_span){60 * WD_NS_PER_S};
		s->expected_now = total->expected;
		s->low_now = total->low;
		s->high_now = total->high;
	}
	if (t->watch != NULL && (s->traffic = watch_show(t->watch, &e->flood_plan,
							 e->options.classes,
							 watch_time(t, e->now))) == NULL) {
		service_state_release(s);
		return NULL;
	}
	if (t->history == NULL)
		return s;
	const struct history *h = t->history;
	if (!add_shares(t, s) ||
	    !read_series(t, &h->fives, e->now, span_s(300), DAY_BUCKETS, &s->day) ||
	    !read_series(t, &h->hours, e->now, span_s(3600), WEEK_BUCKETS, &s->week) ||
	    !read_series(t, &h->quarters, e->now, span_s(6 * 3600), QUARTER_BUCKETS, &s->quarter)) {
		service_state_release(s);
		return NULL;
	}
	add_pending(e, t, &s->day);
	if (s->status == STATUS_INCIDENT) /* without it pages show the day's */
		(void)incident_series(e, t, &t->episode.incident, &s->leading);
	return s;
}

/* ---- incidents ---- */

void incident_list_release(struct incident_list *l)
{
	if (l != NULL && __atomic_sub_fetch(&l->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(l);
}

static int latest_first(const void *a, const void *b)
{
	const struct incident *x = a, *y = b;
	if (x->began_at.ns != y->began_at.ns)
		return x->began_at.ns < y->began_at.ns ? 1 : -1;
	return strcmp(x->id, y->id);
}

static bool renew_list(struct engine *e)
{
	if (e->list != NULL && !e->incidents_changed)
		return true;
	struct incident_list *l = malloc(sizeof(*l) + e->incident_count * sizeof(struct incident));
	if (l == NULL)
		return false;
	l->references = 1;
	l->count = e->incident_count;
	if (l->count > 0)
		memcpy(l->incidents, e->incidents, l->count * sizeof(struct incident));
	qsort(l->incidents, l->count, sizeof(struct incident), latest_first);
	incident_list_release(e->list);
	e->list = l;
	e->incidents_changed = false;
	/* Who points into the list must point into the new one. */
	for (size_t n = 0; n < e->track_count; n++) {
		struct track *t = &e->tracks[n];
		if (t->shown != NULL && t->shown->status == STATUS_INCIDENT) {
			service_state_release(t->shown);
			t->shown = NULL;
		}
	}
	return true;
}

static wd_wall tracked_since(const struct engine *e)
{
	wd_wall since = e->now;
	for (size_t n = 0; n < e->track_count; n++) {
		wd_wall first = e->tracks[n].first_seen;
		if (first.ns != 0 && wall_before(first, since))
			since = first;
	}
	for (size_t n = 0; n < e->incident_count; n++) {
		if (wall_before(e->incidents[n].began_at, since))
			since = e->incidents[n].began_at;
	}
	return since;
}

/* ---- the snapshot ---- */

static bool fill(struct engine *e, struct snapshot *s)
{
	for (size_t n = 0; n < catalogue_count(e->catalogue); n++) {
		struct track *t = &e->tracks[e->by_catalogue[n]];
		if (t->shown == NULL || t->shown->version != t->version) {
			service_state_release(t->shown);
			t->shown = show(e, t);
		}
		if (t->shown == NULL)
			return false;
		__atomic_fetch_add(&t->shown->references, 1, __ATOMIC_RELAXED);
		s->services[s->service_count++] = t->shown;
	}
	return true;
}

static bool show_traces(const struct engine *e, struct snapshot *s)
{
	s->traces = calloc(e->trace_count + 1, sizeof(struct shared_trace *));
	if (s->traces == NULL)
		return false;
	for (; s->trace_count < e->trace_count; s->trace_count++)
		s->traces[s->trace_count] = shared_trace_hold(e->traces[s->trace_count]);
	return true;
}

struct snapshot *engine_snapshot(struct engine *e)
{
	if (e->last != NULL && !e->changed)
		return snapshot_hold(e->last);
	struct snapshot *s = calloc(1, sizeof(*s));
	if (s == NULL || e->catalogue == NULL || !renew_list(e)) {
		free(s);
		return NULL;
	}
	/* Counters go with it: they are sums over what is followed now. */
	e->counters.persons_untracked = e->once.untracked;
	e->counters.signals = 0;
	for (size_t n = 0; n < e->track_count; n++)
		e->counters.signals += e->tracks[n].signal_count;
	*s = (struct snapshot){
		.version = e->last != NULL ? e->last->version + 1 : 1,
		.now = e->now,
		.since = tracked_since(e),
		.catalogue = catalogue_hold(e->catalogue),
		.services =
			calloc(catalogue_count(e->catalogue) + 1, sizeof(struct service_state *)),
		.incident_count = e->list->count,
		.incidents = e->list->incidents,
		.incident_owner = e->list,
		.incident_release = incident_list_release,
		.book = e->options.book,
		.budget = e->budget,
		.counters = e->counters,
		.references = 1,
	};
	__atomic_fetch_add(&e->list->references, 1, __ATOMIC_RELAXED);
	s->witness_count = witnesses_show(&e->witnesses, s->witnesses);
	if (s->services == NULL || !fill(e, s) || !show_traces(e, s)) {
		snapshot_release(s);
		return NULL;
	}
	snapshot_release(e->last);
	e->last = snapshot_hold(s);
	e->changed = false;
	return s;
}

bool engine_incident_series(const struct engine *e, const struct incident *i,
			    struct series *ret_series)
{
	const struct track *t = NULL;
	for (size_t n = 0; n < e->track_count && t == NULL; n++) {
		if (strcmp(e->tracks[n].id, i->service) == 0)
			t = &e->tracks[n];
	}
	return t != NULL && t->history != NULL && incident_series(e, t, i, ret_series);
}
