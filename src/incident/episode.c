/* SPDX-License-Identifier: Apache-2.0 */
#include "incident/episode.h"

#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An expected count below this is not told from this: nobody has "a thousand times usual"
 * because two people wrote where nobody does. */
static const float EXPECTED_LEAST = 0.5f;     /* reports */
static const float LOW_UP_TO = 1.5f; /* times the usual band's upper end: no wave is so low */
static const float METRIC_RATIO_MAX = 1000; /* of a metric that is usually near 0 */
/* The same of traffic, a second. */
static const float PACKETS_LEAST = 100, BITS_LEAST = 1e5f, REQUESTS_LEAST = 1;

void episode_init(struct episode *e)
{
	*e = (struct episode){.state = INCIDENT_CLOSED};
}

static void make_id(char *dst, const char *service, wd_wall began,
		    bool (*taken)(void *, const char *), void *ctx)
{
	struct civil c = civil_of(began);
	int len = snprintf(dst, INCIDENT_ID_MAX + 1, "%s-%04d%02d%02d-%02d%02d", service,
			   c.year % 10000, c.month, c.day, c.hour, c.minute);
	WD_CHECK(len > 0 && len <= INCIDENT_ID_MAX - 8);
	for (int n = 2; n < 100 && taken(ctx, dst); n++)
		snprintf(dst + len, (size_t)(INCIDENT_ID_MAX + 1 - len), "-%d", n);
}

static struct wave *last_wave(struct episode *e)
{
	struct incident *i = &e->incident;
	return i->wave_count > 0 ? &i->waves[i->wave_count - 1] : NULL;
}

static void wave_begin(struct episode *e, wd_wall began_at, wd_wall now)
{
	struct incident *i = &e->incident;
	e->in_wave = true;
	e->wave_peak = 0;
	if (i->wave_count == INCIDENT_WAVES_MAX) {
		i->waves_dropped++; /* its numbers go into the last wave that fits */
		last_wave(e)->ended_at = (wd_wall){0};
		return;
	}
	struct wave *before = last_wave(e);
	if (before != NULL && before->ended_at.ns == 0)
		before->ended_at = began_at;
	if (before != NULL && wall_before(began_at, before->ended_at))
		began_at = before->ended_at;
	i->waves[i->wave_count++] =
		(struct wave){.began_at = began_at, .decided_at = now, .peak_at = began_at};
}

static void wave_end(struct episode *e, wd_wall at)
{
	struct wave *w = last_wave(e);
	if (w != NULL && w->ended_at.ns == 0)
		w->ended_at = wall_before(at, w->began_at) ? w->began_at : at;
	e->in_wave = false;
	e->valley_last_at = at;
}

void episode_open(struct episode *e, const char *service, wd_span step, wd_wall began_at,
		  wd_wall now, float log10_return, bool (*taken)(void *, const char *), void *ctx)
{
	episode_init(e);
	e->state = INCIDENT_OPEN;
	e->known = true;
	struct incident *i = &e->incident;
	*i = (struct incident){.state = INCIDENT_OPEN, .kinds = INCIDENT_REPORTS, .step = step,
			       .began_at = began_at,
			       .decided_at = now, .changed_at = now, .log10_return = log10_return,
			       .log10_return_decided = log10_return, .peak_at = began_at};
	WD_CHECK(text_copy(i->service, sizeof(i->service), service));
	make_id(i->id, service, began_at, taken, ctx);
	wave_begin(e, began_at, now);
}

void episode_reopen(struct episode *e, wd_wall began_at, wd_wall now)
{
	WD_CHECK(e->known);
	e->state = e->incident.state = INCIDENT_OPEN;
	e->incident.ended_at = (wd_wall){0};
	e->incident.changed_at = now;
	e->calm_since = (wd_wall){0};
	e->recent_count = 0;
	if (!e->in_wave)
		wave_begin(e, began_at, now);
}

void episode_wave(struct episode *e, wd_wall began_at, wd_wall now)
{
	WD_CHECK(e->known && !e->in_wave);
	wave_begin(e, began_at, now);
}

struct wave *episode_wave_now(struct episode *e)
{
	return e->in_wave ? last_wave(e) : NULL;
}

/* Buckets the rate is smoothed over. */
static uint32_t smooth_buckets(wd_span step)
{
	int64_t n = span_s(300).ns / (step.ns > 0 ? step.ns : 1);
	return n < 1 ? 1 : n > EPISODE_SMOOTH_MAX ? EPISODE_SMOOTH_MAX : (uint32_t)n;
}

static float smoothed(struct episode *e, float observed, uint32_t over)
{
	if (e->recent_count >= over) {
		memmove(e->recent, e->recent + 1, sizeof(e->recent) - sizeof(e->recent[0]));
		e->recent_count = over - 1;
	}
	e->recent[e->recent_count++] = observed;
	float sum = 0;
	for (uint32_t n = 0; n < e->recent_count; n++)
		sum += e->recent[n];
	return sum / (float)e->recent_count;
}

static void follow_waves(struct episode *e, const struct episode_bucket *b, wd_wall now)
{
	uint32_t over = smooth_buckets(e->incident.step);
	float rate = smoothed(e, b->observed, over);
	wd_wall end = wall_add(b->at, e->incident.step);

	if (e->in_wave) {
		e->wave_peak = fmaxf(e->wave_peak, rate);
		e->peak_of_peaks = fmaxf(e->peak_of_peaks, rate);
		if (rate < e->wave_peak / 3 && !e->held) {
			/* A bucket that is not smoothed is itself the low one. */
			wave_end(e, over == 1 ? b->at : end);
			e->valley_last_at = end;
			e->valley = rate;
		}
		return;
	}
	if (rate < e->valley)
		e->valley = rate;
	float low = fmaxf(e->valley, b->high);
	float counts_low = low * (float)over;
	if (rate <= LOW_UP_TO * low) {
		e->valley_last_at = end;
		return;
	}
	bool higher = rate >= 3 * low && rate >= e->peak_of_peaks / 10;
	if (higher && rate * (float)over - counts_low > 5 * sqrtf(counts_low + 1)) {
		wave_begin(e, e->valley_last_at, now);
		e->wave_peak = rate;
	}
}

/* How high a bucket is: its count, or how far a metric is from what is usual. */
static float reach(const struct episode *e, float observed, float expected)
{
	return e->metric ? fabsf(observed - expected) : observed;
}

static void raise_peak(struct episode *e, const struct episode_bucket *b)
{
	struct incident *i = &e->incident;
	struct wave *w = last_wave(e);
	bool first = i->peak_observed == 0 && i->peak_expected == 0;
	/* After a wave, where what is usual has become more: high, but not far above it. */
	if (!first && !e->in_wave && !e->metric && b->observed <= LOW_UP_TO * b->high)
		return;
	if (first ||
	    reach(e, b->observed, b->expected) > reach(e, i->peak_observed, i->peak_expected)) {
		i->peak_observed = b->observed;
		i->peak_expected = b->expected;
		i->peak_at = b->at;
	}
	if (w != NULL && e->in_wave &&
	    (first ||
	     reach(e, b->observed, b->expected) > reach(e, w->peak_observed, w->peak_expected))) {
		w->peak_observed = b->observed;
		w->peak_expected = b->expected;
		w->peak_at = b->at;
	}
}

static float excess_of(const struct episode *e, const struct episode_bucket *b)
{
	return b->observed > b->expected || e->metric ? fabsf(b->observed - b->expected) : 0;
}

void episode_add(struct episode *e, const struct episode_bucket *b, wd_wall now)
{
	WD_CHECK(e->known);
	if (!e->metric)
		follow_waves(e, b, now);
	raise_peak(e, b);
	e->excess += excess_of(e, b);
	e->incident.excess = e->excess;
	e->incident.severity = episode_severity(&e->incident, now);
}

void episode_peek(struct episode *e, const struct episode_bucket *buckets, size_t count)
{
	WD_CHECK(e->known);
	e->incident.excess = e->excess;
	for (size_t n = 0; n < count; n++) {
		raise_peak(e, &buckets[n]);
		e->incident.excess += excess_of(e, &buckets[n]);
	}
}

void episode_recover(struct episode *e, wd_wall since, wd_wall now)
{
	struct incident *i = &e->incident;
	e->state = i->state = INCIDENT_RECOVERING;
	if (wall_before(since, i->began_at))
		since = i->began_at;
	e->calm_since = i->ended_at = since;
	i->changed_at = now;
	wave_end(e, since);
	struct wave *w = last_wave(e);
	if (w != NULL && wall_before(since, w->ended_at)) /* smoothing saw its end late */
		w->ended_at = wall_before(since, w->began_at) ? w->began_at : since;
	i->severity = episode_severity(i, now);
}

void episode_close(struct episode *e, wd_wall now)
{
	struct incident *i = &e->incident;
	e->state = INCIDENT_CLOSED;
	if (e->known) {
		i->state = INCIDENT_CLOSED;
		if (i->ended_at.ns == 0)
			i->ended_at = now;
		i->changed_at = now;
		i->severity = episode_severity(i, now);
	}
}

/* The same whatever unit the metric is in, so without a least value; a fall is turned round, and
 * what changes its sign counts by how far it went. */
static float metric_ratio(float observed, float expected)
{
	if (expected == 0)
		return METRIC_RATIO_MAX;
	float ratio = observed / expected;
	if (ratio < 0)
		ratio = 1 + fabsf(observed - expected) / fabsf(expected);
	return fminf(ratio < 1 ? 1 / ratio : ratio, METRIC_RATIO_MAX);
}

static float reports_weight(const struct incident *i)
{
	return log2f(1 + (i->metric ? metric_ratio(i->peak_observed, i->peak_expected)
				    : i->peak_observed / fmaxf(i->peak_expected, EXPECTED_LEAST)));
}

/* By packets or bits, whichever rose more. */
static float traffic_weight(const struct incident_traffic *t)
{
	float packets = t->peak_packets_per_s / fmaxf(t->usual_packets_per_s, PACKETS_LEAST);
	float bits = t->peak_bits_per_s / fmaxf(t->usual_bits_per_s, BITS_LEAST);
	return log2f(1 + fmaxf(packets, bits));
}

static float requests_weight(const struct incident_requests *r)
{
	return log2f(1 + r->peak_requests_per_s / fmaxf(r->usual_requests_per_s, REQUESTS_LEAST));
}

float episode_severity(const struct incident *i, wd_wall now)
{
	uint32_t kinds = incident_kinds(i);
	float weight = (kinds & INCIDENT_REPORTS) != 0 ? reports_weight(i) : 0;
	if ((kinds & INCIDENT_TRAFFIC) != 0)
		weight += traffic_weight(&i->traffic);
	if ((kinds & INCIDENT_REQUESTS) != 0)
		weight += requests_weight(&i->requests);
	wd_span span = incident_duration(i, now);
	if (span.ns < i->step.ns)
		span = i->step;
	float hours = (float)((double)span.ns / (3600.0 * (double)WD_NS_PER_S));
	return weight * hours;
}

void episode_scope(struct episode *e, enum dimension dimension, const char *value, float observed,
		   float expected, float log10_return)
{
	struct incident *i = &e->incident;
	struct scope *s = NULL;
	for (uint32_t n = 0; n < i->scope_count && s == NULL; n++) {
		if (i->scopes[n].dimension == dimension && strcmp(i->scopes[n].value, value) == 0)
			s = &i->scopes[n];
	}
	if (s == NULL && i->scope_count == INCIDENT_SCOPE_MAX) {
		i->scope_dropped++;
		return;
	}
	if (s == NULL) {
		s = &i->scopes[i->scope_count++];
		*s = (struct scope){.dimension = dimension, .log10_return = log10_return};
		text_copy(s->value, sizeof(s->value), value);
	}
	s->observed += observed;
	s->expected += expected;
	s->log10_return = fmaxf(s->log10_return, log10_return);
}

static int by_dimension_then_count(const void *a, const void *b)
{
	const struct scope *x = a, *y = b;
	if (x->dimension != y->dimension)
		return (int)x->dimension - (int)y->dimension;
	if (x->observed != y->observed)
		return x->observed < y->observed ? 1 : -1;
	return strcmp(x->value, y->value);
}

void episode_order_scope(struct episode *e)
{
	struct incident *i = &e->incident;
	qsort(i->scopes, i->scope_count, sizeof(i->scopes[0]), by_dimension_then_count);
}

/* The incident travels as its JSON, which has a version and is read with suspicion. Buckets that
 * are not whole come again. */
void episode_write(const struct episode *e, struct out *o)
{
	struct buf json;
	buf_init(&json, 1 << 20);
	if (e->known) {
		struct incident whole = e->incident;
		whole.excess = e->excess;
		incident_to_json(&json, &whole);
	}
	out_u8(o, (uint8_t)e->state);
	out_u8(o, e->known);
	out_u8(o, e->metric);
	out_u8(o, e->in_wave);
	out_u32(o, json.bad ? 0 : (uint32_t)json.len);
	out_bytes(o, json.data, json.bad ? 0 : json.len);
	o->bad = o->bad || json.bad;
	buf_done(&json);
	out_i64(o, e->calm_since.ns);
	out_u32(o, e->recent_count);
	for (size_t n = 0; n < EPISODE_SMOOTH_MAX; n++)
		out_f32(o, e->recent[n]);
	out_f32(o, e->wave_peak);
	out_f32(o, e->peak_of_peaks);
	out_f32(o, e->valley);
	out_i64(o, e->valley_last_at.ns);
}

void episode_read(struct episode *e, struct cur *c)
{
	uint8_t state = cur_u8(c);
	episode_init(e);
	e->known = cur_u8(c) == 1;
	e->metric = cur_u8(c) == 1;
	e->in_wave = cur_u8(c) == 1;
	uint32_t len = cur_u32(c);
	const uint8_t *json = cur_bytes(c, len);
	if (e->known && (json == NULL ||
			 incident_from_json((const char *)json, len, &e->incident, NULL) != WD_OK))
		c->bad = true;
	e->excess = e->incident.excess;
	e->calm_since.ns = cur_i64(c);
	e->recent_count = cur_u32(c);
	for (size_t n = 0; n < EPISODE_SMOOTH_MAX; n++)
		e->recent[n] = cur_f32(c);
	e->wave_peak = cur_f32(c);
	e->peak_of_peaks = cur_f32(c);
	e->valley = cur_f32(c);
	e->valley_last_at.ns = cur_i64(c);
	if (state > INCIDENT_CLOSED || e->recent_count > EPISODE_SMOOTH_MAX ||
	    (incident_is_on((enum incident_state)state) && !e->known))
		c->bad = true;
	if (c->bad)
		episode_init(e);
	else
		e->state = (enum incident_state)state;
}
