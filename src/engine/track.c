/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/track.h"

#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The nearest bin where buckets arrive whole, because their labels jitter. */
int64_t track_bin(const struct track *t, wd_wall at)
{
	int64_t from = t->phase.ns - (t->whole ? t->step.ns / 2 : 0);
	return floor_div(at.ns - from, t->step.ns);
}

wd_wall track_bin_begin(const struct track *t, int64_t bin)
{
	return (wd_wall){t->phase.ns + bin * t->step.ns};
}

static struct surge_sample sample_of(const struct track *t, int64_t bin)
{
	wd_wall local = track_bin_begin(t, bin);
	if (t->service != NULL)
		local = zone_local(t->service->zone, local);
	int64_t s = wall_to_s(local);
	return (struct surge_sample){
		.bin = bin,
		.minute = (uint16_t)((s - floor_div(s, 86400) * 86400) / 60),
		.weekend = civil_weekday(local) >= 5,
		.frozen = t->episode.state == INCIDENT_OPEN || t->coordinated_on,
	};
}

/* ---- signals ---- */

static uint64_t value_hash(const struct hash_key *key, enum dimension d, const char *value)
{
	char text[SIGNAL_VALUE_MAX + 2];
	size_t len = strlen(value);
	text[0] = (char)d;
	memcpy(text + 1, value, len);
	return hash_bytes(key, text, len + 1);
}

static int find(const struct track *t, uint64_t hash, enum dimension d, const char *value)
{
	for (size_t at = hash % SIGNAL_LOOKUP; t->lookup[at] != 0; at = (at + 1) % SIGNAL_LOOKUP) {
		const struct signal *s = &t->signals[t->lookup[at] - 1];
		if (s->dimension == d && strcmp(s->value, value) == 0)
			return t->lookup[at] - 1;
	}
	return -1;
}

static void index_signal(struct track *t, uint64_t hash, uint32_t n)
{
	size_t at = hash % SIGNAL_LOOKUP;
	while (t->lookup[at] != 0)
		at = (at + 1) % SIGNAL_LOOKUP;
	t->lookup[at] = (uint8_t)(n + 1);
}

static bool room(struct track *t)
{
	if (t->signal_count < t->signal_cap)
		return true;
	uint32_t cap = t->signal_cap == 0 ? 1 : t->signal_cap + 4;
	struct signal *signals = realloc(t->signals, cap * sizeof(*signals));
	if (signals == NULL)
		return false;
	t->signals = signals;
	t->signal_cap = cap;
	return true;
}

static void take(struct signal *s, const struct surge_reading *r)
{
	s->observed = r->observed;
	s->expected = r->expected;
	s->low = r->low;
	s->high = r->high;
	s->log10_return = r->log10_return;
	s->began = r->began;
	s->above = r->above;
	s->sustained = r->sustained;
}

/* A place that nobody reported from while the service was watched had no reports: the new
 * signal learns that before its first one. */
static void lead_in(struct track *t, struct signal *s, const struct surge_plan *plan)
{
	struct surge_reading r;
	int64_t first = track_bin(t, t->since);
	if (t->next - first > LEAD_IN_BINS)
		first = t->next - LEAD_IN_BINS;
	for (int64_t bin = first; bin < t->next; bin++) {
		struct surge_sample sample = sample_of(t, bin);
		sample.frozen = false;
		surge_step(&s->surge, plan, &sample, &r);
		take(s, &r);
	}
}

/* Made-up values must not fill the table: places and networks wait here until a few
 * reports have named them. */
static bool candidate_is_ready(struct track *t, uint64_t hash)
{
	struct candidate *least = &t->candidates[0];
	for (size_t n = 0; n < CANDIDATES; n++) {
		struct candidate *c = &t->candidates[n];
		if (c->hash == hash && c->reports > 0)
			return ++c->reports >= CANDIDATE_REPORTS;
		if (c->reports < least->reports)
			least = c;
	}
	/* Space-saving (Metwally et al. 2005), without inheriting the count: a stream of ever
	 * new names must not lift any of them. */
	if (least->reports > 1)
		least->reports--;
	else
		*least = (struct candidate){hash, 1};
	return false;
}

/* A quiet place or network of yesterday makes room; -1 if there is none. */
static int least_active(const struct track *t)
{
	int least = -1;
	float fewest = CANDIDATE_REPORTS;
	for (uint32_t n = 1; n < t->signal_count; n++) {
		const struct signal *s = &t->signals[n];
		float day = 0;
		if (s->dimension < DIMENSION_COUNTRY || s->in_scope)
			continue;
		for (size_t h = 0; h < WD_COUNT(s->hours); h++)
			day += s->hours[h];
		for (size_t b = 0; b < PENDING_BINS; b++)
			day += (float)s->pending[b];
		if (day < fewest) {
			fewest = day;
			least = (int)n;
		}
	}
	return least;
}

void track_reindex(struct track *t, const struct hash_key *key)
{
	memset(t->lookup, 0, sizeof(t->lookup));
	for (uint32_t n = 0; n < t->signal_count; n++) {
		const struct signal *s = &t->signals[n];
		index_signal(t, value_hash(key, (enum dimension)s->dimension, s->value), n);
	}
}

int track_signal(struct track *t, const struct surge_plan *plan, const struct hash_key *key,
		 enum dimension d, const char *value, size_t signals_max, uint64_t *dropped)
{
	if (strlen(value) > SIGNAL_VALUE_MAX) {
		++*dropped;
		return -1;
	}
	uint64_t hash = value_hash(key, d, value);
	int found = find(t, hash, d, value);
	if (found >= 0)
		return found;
	if (d >= DIMENSION_COUNTRY && !candidate_is_ready(t, hash))
		return -1;

	uint32_t at = t->signal_count;
	if (at >= signals_max || at >= SIGNALS_MAX) {
		int quiet = least_active(t);
		if (quiet < 0) {
			++*dropped;
			return -1;
		}
		at = (uint32_t)quiet;
	} else if (!room(t)) {
		++*dropped;
		return -1;
	} else {
		t->signal_count++;
	}
	struct signal *s = &t->signals[at];
	*s = (struct signal){.dimension = (uint8_t)d};
	text_copy(s->value, sizeof(s->value), value);
	surge_init(&s->surge, plan);
	lead_in(t, s, plan);
	track_reindex(t, key);
	return (int)at;
}

/* ---- buckets ---- */

static wd_span wider(wd_span a, wd_span b)
{
	return a.ns > b.ns ? a : b;
}

static void close_history(struct history *h)
{
	rollup_close(&h->bins);
	rollup_close(&h->fives);
	rollup_close(&h->hours);
	rollup_close(&h->quarters);
	free(h);
}

bool track_open_history(struct track *t)
{
	if (t->history != NULL)
		return true;
	struct history *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return false;
	if (rollup_open(&h->bins, t->step, HISTORY_BINS) == WD_OK &&
	    rollup_open(&h->fives, wider(t->step, span_s(300)), HISTORY_FIVES) == WD_OK &&
	    rollup_open(&h->hours, wider(t->step, span_s(3600)), 7 * 24 + 1) == WD_OK &&
	    rollup_open(&h->quarters, wider(t->step, span_s(6 * 3600)), 90 * 4 + 1) == WD_OK) {
		t->history = h;
		return true;
	}
	close_history(h);
	return false;
}

static void record(struct track *t, int64_t bin, const struct signal *total)
{
	if (t->history == NULL)
		return;
	wd_wall at = track_bin_begin(t, bin);
	struct point p = {total->observed, total->expected, total->low, total->high};
	rollup_add(&t->history->bins, at, &p);
	rollup_add(&t->history->fives, at, &p);
	rollup_add(&t->history->hours, at, &p);
	rollup_add(&t->history->quarters, at, &p);
}

/* The place of an hour since 1970; a bucket that is looked back at may begin before that. */
static size_t hour_place(int64_t hour)
{
	return (size_t)(hour - floor_div(hour, HOURS_KEPT) * HOURS_KEPT);
}

/* Sums since the evidence was next to nothing, so that a signal that joins the scope late
 * still brings what led there; and the sum by hour. */
static void sum_up(struct signal *s, wd_wall at)
{
	if (s->log10_return < 0.5f && !s->in_scope)
		s->run_observed = s->run_expected = 0;
	s->run_observed += s->observed;
	s->run_expected += s->expected;
	s->hours[hour_place(floor_div(wall_to_s(at), 3600))] += s->observed;
}

/* The hours that began since the last bin take the places of those HOURS_KEPT before them. */
static void turn_hours(struct track *t, int64_t bin)
{
	int64_t hour = floor_div(wall_to_s(track_bin_begin(t, bin)), 3600);
	int64_t last = floor_div(wall_to_s(track_bin_begin(t, t->next - 1)), 3600);
	for (int64_t h = hour - last > HOURS_KEPT ? hour - HOURS_KEPT + 1 : last + 1; h <= hour;
	     h++) {
		for (uint32_t n = 0; n < t->signal_count; n++)
			t->signals[n].hours[hour_place(h)] = 0;
	}
}

void track_skip(struct track *t, int64_t next)
{
	if (next <= t->next)
		return;
	turn_hours(t, next - 1);
	for (int64_t bin = t->next; bin < next && bin < t->next + PENDING_BINS; bin++) {
		for (uint32_t n = 0; n < t->signal_count; n++)
			t->signals[n].pending[bin & (PENDING_BINS - 1)] = 0;
	}
	t->next = next;
}

static int64_t calm_bins(wd_span step)
{
	int64_t bins = span_s(600).ns / step.ns;
	return bins < 2 ? 2 : bins > CALM_BINS ? CALM_BINS : bins;
}

/* The mean of the last ten minutes of which something is known is within what is usual of such a
 * mean: the band's half width shrinks with the root of the number of buckets. */
static bool is_back(const struct signal *s, int64_t bins)
{
	float sum = 0;
	for (int64_t n = CALM_BINS - bins; n < CALM_BINS; n++)
		sum += s->recent[n];
	return sum / (float)bins <=
	       1.1f * s->expected + (s->high - s->expected) / sqrtf((float)bins);
}

void track_seal(struct track *t, const struct surge_plan *plan, int64_t bin, const double *observed)
{
	struct surge_sample sample = sample_of(t, bin);
	wd_wall at = track_bin_begin(t, bin);
	int64_t bins = calm_bins(t->step);
	struct surge_reading r;

	turn_hours(t, bin);
	t->most = 0;
	for (uint32_t n = 0; n < t->signal_count; n++) {
		struct signal *s = &t->signals[n];
		uint32_t *pending = &s->pending[bin & (PENDING_BINS - 1)];
		sample.observed = n == 0 && observed != NULL ? *observed : *pending;
		*pending = 0;
		surge_step(&s->surge, plan, &sample, &r);
		take(s, &r);
		memmove(s->recent, s->recent + 1, sizeof(s->recent) - sizeof(s->recent[0]));
		s->recent[CALM_BINS - 1] = s->observed;
		s->calm = t->metric ? r.calm : is_back(s, bins);
		sum_up(s, at);
		t->most = fmaxf(t->most, s->log10_return);
	}
	record(t, bin, &t->signals[0]);
	t->next = bin + 1;
}

void track_peek(struct track *t, const struct surge_plan *plan, int64_t last_whole_bin)
{
	bool open = track_is_on(t);

	for (uint32_t n = 0; n < t->signal_count; n++) {
		struct signal *s = &t->signals[n];
		float usual = fmaxf(s->high, 2);
		bool stands_out = n == 0 && open;
		for (int64_t bin = t->next; bin <= last_whole_bin; bin++)
			stands_out =
				stands_out || (float)s->pending[bin & (PENDING_BINS - 1)] > usual;
		if (!stands_out)
			continue;
		struct surge copy = s->surge;
		struct surge_reading r = {0};
		for (int64_t bin = t->next; bin <= last_whole_bin; bin++) {
			struct surge_sample sample = sample_of(t, bin);
			sample.observed = s->pending[bin & (PENDING_BINS - 1)];
			surge_step(&copy, plan, &sample, &r);
		}
		take(s, &r);
		t->most = fmaxf(t->most, s->log10_return);
	}
}

void track_done(struct track *t)
{
	if (t->history != NULL)
		close_history(t->history);
	free(t->crowd);
	watch_close(t->watch);
	client_notes_release(t->clients);
	free(t->signals);
	service_state_release(t->shown);
	if (t->adopted != NULL) {
		free(t->adopted->id);
		free(t->adopted->name);
		free(t->adopted->category);
		free(t->adopted->zone);
		free(t->adopted);
	}
	*t = (struct track){0};
}
