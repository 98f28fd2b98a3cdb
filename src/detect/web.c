/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/web.h"

#include "detect/web_inner.h"

#include <math.h>
#include <string.h>

/* Floors are requests (or different things) a second that even a service nobody knows may see
 * without being flooded. Signatures may convince in one second, volume takes a few. */
const struct web_rule web_rules[WEB_SIGNALS] = {
	[WEB_S_REQUESTS] = {20, 8, 0},	   [WEB_S_POSTS] = {10, 8, 0},
	[WEB_S_TARGETS] = {20, 8, 0},	   [WEB_S_CLIENT] = {20, 8, 0},
	[WEB_S_KEYS] = {2, 40, 0.05F},	   [WEB_S_MISSING] = {2, 40, 0.1F},
	[WEB_S_MASKS] = {2, 40, 0.1F},	   [WEB_S_DENIED] = {5, 8, 0.1F},
	[WEB_S_TIMEOUTS] = {2, 8, 0.05F}, [WEB_S_STALLED] = {2, 8, 0.05F},
	[WEB_S_MARKED] = {1, 20, 0.05F},
};

/* Half above usual is never a flood, and more where little is known yet. */
static const float margin = 1.5F, margin_young_s = 30;
static const float fast_s = 300, slow_s = 6 * 3600, scatter_s = 3600, usual_ticks = 600;
static const float now_gain = 0.3F;
/* Scatter, as a share squared, before any is known; its weight in seconds; and its bounds. */
static const float phi_prior = 0.5F, phi_prior_s = 60, phi_min = 0.02F, phi_max = 4;
static const float learn_sd = 4;
static const float slower = 20;      /* while an incident is open */
static const uint32_t frozen_max_s = 86400; /* then what is now is normal */
static const uint32_t calm_s = 60;
static const int64_t gap_max_s = 3600, gap_min_s = 120; /* web.h */
static const int64_t idle_steps_max = 120; /* zeros after which no evidence is left */
static const float held_min = 3, risen = 2; /* requests of a client; decades */
static const float excited = 1;      /* decades: what is learned of then is not usual */
/* A signature's share of the tick: without history it must be most of it; with, more than
 * it usually is, so that a crowd does not raise it with everything else. */
static const float alone_min = 1.4F; /* requests a client and second */
static const float cold_share = 0.5F, usual_share_times = 1.5F, share_max = 0.9F;
static const uint64_t mix_requests_min = 5;
static const double count_max = 1e9;

static const struct calibrate_plan plan = {.above = 1, .scale_prior = 0.43429448F,
					   .scale_min = 0.43429448F, .log10_rate_prior = -1,
					   .unseen = 0.5F};

void web_watch_init(struct web_watch *w)
{
	memset(w, 0, sizeof(*w));
	for (unsigned i = 0; i < WEB_SIGNALS; i++)
		calibrate_init(&w->levels[i].calibrate, &plan);
}

/* ---- what is usual ---- */

static float level_of(const struct web_level *l)
{
	return l->fast > l->slow ? l->fast : l->slow;
}

static float null_of(const struct web_watch *w, const struct web_level *l, float floor)
{
	float young = margin_young_s / (1 + (float)w->seen);
	float mean = level_of(l) * (margin + young);

	return mean > floor ? mean : floor;
}

static float phi_of(const struct web_level *l, float mean)
{
	float prior = phi_prior_s * (mean * mean + 1);
	float phi = (l->excess + phi_prior * prior) / (l->sum + prior);

	return phi < phi_min ? phi_min : phi > phi_max ? phi_max : phi;
}

static float gain_of(float memory_s, uint64_t seen, float seconds)
{
	float gain = fmaxf(1 / memory_s, 1 / (float)(seen + 1)) * seconds;

	return gain < 1 ? gain : 1;
}

static void level_learn(struct web_watch *w, struct web_level *l, float per_s, float seconds,
			bool slow_only, float floor)
{
	float mean = level_of(l), null = null_of(w, l, floor);
	float most = null + learn_sd * sqrtf(null + phi_of(l, null) * null * null);
	float keep = 1 - fminf(seconds / scatter_s, 1);

	if (per_s > most)
		per_s = most;
	if (slow_only) {
		l->slow += (per_s - l->slow) * gain_of(slow_s * slower, UINT32_MAX, seconds);
		return;
	}
	l->excess = keep * l->excess + seconds * ((per_s - mean) * (per_s - mean) - mean);
	l->sum = keep * l->sum + seconds * mean * mean;
	if (l->excess < 0)
		l->excess = 0;
	l->fast += (per_s - l->fast) * gain_of(fast_s, w->seen, seconds);
	l->slow += (per_s - l->slow) * gain_of(slow_s, w->seen, seconds);
}

/* ---- one signal ---- */

static float level_judge(const struct web_watch *w, struct web_level *l, unsigned signal,
			 float count, float seconds)
{
	const struct web_rule *rule = &web_rules[signal];
	float mean = null_of(w, l, rule->floor) * seconds;
	float size = 1 / phi_of(l, mean / seconds);
	struct evidence_sample s = {
		.count = count, .null_mean = mean, .size = size,
		.far_mean = mean, .far_size = size, .cap = rule->cap,
	};

	return evidence_step(&l->evidence, &s);
}

/* A server that is slow lets all wait who ask anyway, each for a page or two. Who reads slowly
 * comes on top, or holds several connections. */
static bool are_held(const struct web_seen *seen, const struct web_judged *j)
{
	return seen->stalled_each >= held_min || j->a[WEB_S_REQUESTS] >= risen;
}

static bool is_heard(const struct web_watch *w, unsigned signal, const struct web_seen *seen,
		     const struct web_judged *j)
{
	float share = web_rules[signal].share, all = level_of(&w->levels[WEB_S_REQUESTS]);

	if (share <= 0)
		return w->seen >= WEB_WARM;
	if (w->seen < WEB_WARM)
		/* Who keeps a connection waiting shows only with time: signal STALLED is usual for
		 * services that answer late by design. */
		return signal != WEB_S_STALLED &&
		       seen->count[signal] >= cold_share * seen->count[WEB_S_REQUESTS];
	if (signal == WEB_S_STALLED && !are_held(seen, j))
		return false;
	if (all > 0)
		share = fmaxf(share, usual_share_times * level_of(&w->levels[signal]) / all);
	return seen->count[signal] >= fminf(share, share_max) * seen->count[WEB_S_REQUESTS];
}

/* What may be a flood that begins is no excursion of what is usual. */
static void calibrate(const struct web_watch *w, struct web_level *l, float decades, bool frozen)
{
	if (w->rush.held != 0)
		l->calibrate.peak = 0;
	else
		calibrate_learn(&l->calibrate, &plan, decades, frozen);
}

static void judge_all(struct web_watch *w, const struct web_seen *seen, bool frozen,
		      struct web_judged *j)
{
	float union_bound = log10f(WEB_SIGNALS);

	for (unsigned i = 0; i < WEB_SIGNALS; i++) {
		struct web_level *l = &w->levels[i];
		j->usual[i] = level_of(l);
		float count = is_heard(w, i, seen, j) ? seen->count[i] : 0;
		float decades = level_judge(w, l, i, count, seen->seconds);
		j->a[i] = fmaxf(calibrate_read(&l->calibrate, &plan, decades) - union_bound, 0);
		calibrate(w, l, decades, frozen);
	}
}

static void learn_all(struct web_watch *w, const struct web_seen *seen, const struct web_judged *j,
		      bool frozen, uint64_t requests)
{
	bool any = false;

	for (unsigned i = 0; i < WEB_SIGNALS; i++) {
		bool excites = j->a[i] > excited;
		any |= excites;
		level_learn(w, &w->levels[i], seen->count[i] / seen->seconds, seen->seconds,
			    frozen || excites, web_rules[i].floor);
	}
	if (requests < mix_requests_min)
		return;
	if (w->mixes == 0) {
		w->now = w->usual = web_mix_unknown;
		w->usual.assets = seen->mix.assets;
	}
	web_mix_towards(&w->now, &seen->mix, now_gain);
	if (!frozen && !any) {
		w->mixes += w->mixes < UINT32_MAX;
		web_mix_towards(&w->usual, &seen->mix,
				fmaxf(1 / usual_ticks, 1 / (float)w->mixes));
	}
}

/* ---- time ---- */

static uint32_t longer(uint32_t lasted_s, int64_t seconds)
{
	return seconds < UINT32_MAX - lasted_s ? lasted_s + (uint32_t)seconds : UINT32_MAX;
}

/* Seconds without a request: zeros for all, which is quick to count. */
static void idle(struct web_watch *w, int64_t seconds, bool frozen)
{
	for (unsigned i = 0; i < WEB_SIGNALS; i++) {
		struct web_level *l = &w->levels[i];
		int64_t n = seconds < idle_steps_max ? seconds : idle_steps_max;

		for (int64_t k = 0; k < n && evidence_age(&l->evidence) > 0; k++)
			level_judge(w, l, i, 0, 1);
		if (seconds >= idle_steps_max)
			memset(&l->evidence, 0, sizeof(l->evidence));
		calibrate(w, l, 0, frozen);
		if (!frozen)
			level_learn(w, l, 0, (float)seconds, false, web_rules[i].floor);
	}
	web_rush_idle(&w->rush, seconds);
	w->seen += (uint64_t)seconds;
	w->calm = longer(w->calm, seconds);
}

/* Nobody watched: what was going on is over or unknown; what is usual stays. */
static void forget_evidence(struct web_watch *w)
{
	for (unsigned i = 0; i < WEB_SIGNALS; i++)
		memset(&w->levels[i].evidence, 0, sizeof(w->levels[i].evidence));
	memset(&w->rush, 0, sizeof(w->rush));
}

bool web_watch_misses(const struct web_watch *w, int64_t second)
{
	const struct web_level *l = &w->levels[WEB_S_REQUESTS];
	int64_t gap = second - w->last;

	if (w->seen == 0 || gap < gap_min_s)
		return false;
	return gap > gap_max_s || (float)gap * fminf(l->fast, l->slow) > WEB_MISSED;
}

static wd_wall began_at(const struct web_watch *w, const struct web_judged *j,
			const struct web_tick *t)
{
	unsigned best = 0;

	for (unsigned i = 1; i < WEB_SIGNALS; i++)
		if (j->a[i] > j->a[best])
			best = i;
	uint32_t age = j->a[best] > 0 ? evidence_age(&w->levels[best].evidence) : 0;
	return age > 1 ? wall_back(t->at, span_s(age - 1)) : t->at;
}

static void calm_count(struct web_watch *w, const struct web_judged *j, float seconds)
{
	float most = 0;

	for (unsigned i = 0; i < WEB_SIGNALS; i++)
		most = fmaxf(most, j->a[i]);
	w->calm = most > excited ? 0 : longer(w->calm, (int64_t)seconds);
}

/* Random values count like random names where they are most of what there is: fewer may be one
 * program's, and what a flood does while it rises is not to be learned as usual. */
static void take_made_up(const struct web_watch *w, struct web_seen *seen)
{
	/* Those without a name are of a letter's readers, too, who ask once each. */
	if (w->seen >= WEB_WARM || seen->alone >= alone_min * seen->clients * seen->seconds)
		seen->count[WEB_S_KEYS] += seen->alone;
	if (seen->again >= cold_share * seen->count[WEB_S_REQUESTS])
		seen->count[WEB_S_KEYS] = fmaxf(seen->count[WEB_S_KEYS], seen->again);
}

void web_watch_step(struct web_watch *w, const struct web_tick *t, bool frozen,
		    struct web_reading *ret)
{
	int64_t begin = wall_to_s(t->at), since = w->seen > 0 ? begin - w->last : 0;
	bool stopped = frozen;
	struct web_seen seen;
	struct web_judged judged;

	memset(ret, 0, sizeof(*ret));
	ret->began = t->at;
	if (since < 0 || (double)t->requests > count_max)
		return;
	frozen = frozen && w->frozen < frozen_max_s;
	if (web_watch_misses(w, begin))
		forget_evidence(w);
	else if (since > 0)
		idle(w, since, frozen);
	web_see(t, w->mixes > 0 ? &w->usual : &web_mix_unknown, &seen);
	take_made_up(w, &seen);
	ret->taken = true;
	ret->cold = w->seen < WEB_WARM;
	ret->requests_per_s = (float)t->requests / seen.seconds;
	ret->usual_per_s = level_of(&w->levels[WEB_S_REQUESTS]);
	ret->clients = seen.clients;
	judge_all(w, &seen, frozen, &judged);
	web_rush_step(&w->rush, &seen, t, &judged);
	learn_all(w, &seen, &judged, frozen, t->requests);
	ret->began = began_at(w, &judged, t);
	calm_count(w, &judged, seen.seconds);
	ret->calm = w->calm >= calm_s;
	if (web_name(w, &seen, &judged, t, ret))
		w->rush.held = 1;
	w->seen += (uint64_t)seen.seconds;
	w->last = begin + (int64_t)seen.seconds;
	w->frozen = stopped ? longer(w->frozen, since + (int64_t)seen.seconds) : 0;
}
