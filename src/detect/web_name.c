/* SPDX-License-Identifier: Apache-2.0 */
/* What the evidence is of: attack or load, which vector, and why, in words. */
#include "detect/web_inner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 24, SIGNS_MIN = 2 };

static const float expensive_ms = 500, large_bytes = 1e6F, most_part = 0.6F;
static const float volume_times = 1.5F; /* the margin of what is judged */
static const float few_clients = 32;
static const uint32_t mixes_min = 60; /* ticks behind what is usual */
/* People whose page fails ask again: not much more than usual in all, and not for long each. */
static const float failed_min = 1 / 3.0F, failed_now = 0.2F, reloads_times = 6, reloads_each = 10;
static const float part_min = 0.8F; /* of a signature's requests: they are another's */
static const float named_min = 0.2F, named_part = 0.5F; /* of all, and of what is more than usual */
static const float fetched_min = 2 / 3.0F; /* of the usual assets: whose pages are looked at */
static const float page_min = 0.5F;        /* of two pages: how often they are the same */

/* Text of strangers, for a page: cut, and printable ASCII only. */
static void shown(char dst[SHOWN_MAX + 4], const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0' && n < SHOWN_MAX; n++)
		dst[n] = text[n] > ' ' && text[n] < 0x7f ? text[n] : '?';
	memcpy(dst + n, text[n] != '\0' ? "..." : "", text[n] != '\0' ? 4 : 1);
}

static int percent(float share)
{
	return (int)(fminf(fmaxf(share, 0), 1) * 100 + 0.5F);
}

/* ---- volume: attack or load? ---- */

struct signs {
	unsigned count;
	bool app; /* an app's clients have no others: no assets, one path and one agent */
	bool page; /* nor have people who look at one page: not one agent, not few */
	char text[96];
};

static void sign(struct signs *s, bool is, const char *what)
{
	size_t len = strlen(s->text);

	if (!is)
		return;
	snprintf(s->text + len, sizeof(s->text) - len, "%s%s", len > 0 ? ", " : "", what);
	s->count++;
}

/* Crawlers that say so. */
static bool is_crawled(const struct web_watch *w, const struct web_seen *seen)
{
	return w->now.crawlers >= 0.5F && seen->crawlers <= WEB_NETWORKS_MAX;
}

/* The same of scanners: nobody floods in their name. */
static bool is_scanned(const struct web_seen *seen)
{
	return seen->scanned && seen->clients <= few_clients;
}

/* Evidence outlasts what made it, and a quiet second looks like nothing in particular. */
static bool is_more_than_usual(const struct web_seen *seen, const struct web_judged *j,
			       enum web_signal signal)
{
	return seen->count[signal] / seen->seconds >= volume_times * j->usual[signal];
}

/* More of the usual is load. A flood differs in what is asked for, by whom, and how often:
 * two signs make it one. */
static void signs_of(const struct web_watch *w, const struct web_judged *j,
		     const struct web_seen *seen, struct signs *s)
{
	const struct web_mix *now = &w->now;
	const struct web_mix *usual = w->mixes >= mixes_min ? &w->usual : &web_mix_unknown;
	float rate = seen->count[WEB_S_REQUESTS] / seen->seconds;
	float before = fminf(j->usual[WEB_S_REQUESTS], rate);
	/* Of what came on top of the usual. */
	float extra_assets = (now->assets * rate - usual->assets * before) /
			     fmaxf(rate - before, 1);
	bool one_path = now->path >= 2 * usual->path + 0.15F;
	bool one_agent = now->agent >= 2 * usual->agent + 0.15F;
	bool fetched = usual->assets >= 0.1F && extra_assets >= fetched_min * usual->assets;
	float crawlers = fmaxf(now->crawlers, seen->mix.crawlers);
	bool named = crawlers >= named_min &&
		     crawlers * rate >= named_part * (rate - before);
	bool few = now->client >= 2 * usual->client + 0.05F;
	bool apart = now->apart >= 0.5F * (1 + usual->apart) && seen->count[WEB_S_TARGETS] > 20;

	memset(s, 0, sizeof(*s));
	sign(s, usual->assets >= 0.1F && extra_assets < usual->assets / 3, "no assets");
	sign(s, one_path, "one path");
	/* One page, also where most ask for one page anyway, with what belongs to it. */
	bool read = fetched && (one_path || now->path >= page_min);
	/* Where all but a few of the requests are assets, the few pages are soon alike. */
	sign(s, one_agent && !read, "one agent");
	unsigned apps = s->count;
	sign(s, few, "few clients");
	sign(s, now->per_client >= 3 * usual->per_client, "many a client");
	/* A newsletter's links lead all readers to one page, and each has a query of its own. */
	sign(s, apart && !read, "no two alike");
	sign(s, now->posts >= 0.5F * (1 + usual->posts), "POSTs");
	/* Programs that fetch a preview of what somebody has shared name themselves. */
	s->app = (one_agent || named) && s->count == apps;
	s->page = !one_agent && !few;
}

static bool is_reloaded(const struct web_watch *w, const struct web_seen *seen,
			const struct web_judged *j, const struct signs *s)
{
	return s->page && seen->failed >= failed_now &&
	       w->rush.refused >= failed_min * w->rush.requests &&
	       w->rush.now <= (reloads_times - 1) * j->usual[WEB_S_REQUESTS] &&
	       web_rush_each(&w->rush) <= reloads_each;
}

static bool is_rush(const struct web_watch *w, const struct signs *s)
{
	return s->count >= SIGNS_MIN && s->app && web_rush_is(&w->rush);
}

/* Is most of what came on top of the usual of this signal? */
static bool is_mostly(const struct web_seen *seen, const struct web_judged *j,
		      enum web_signal signal)
{
	float seconds = seen->seconds;
	float extra = seen->count[WEB_S_REQUESTS] - j->usual[WEB_S_REQUESTS] * seconds;

	return extra > 0 && seen->count[signal] - j->usual[signal] * seconds >= most_part * extra;
}

static const char *volume_vector(const struct web_watch *w, const struct web_seen *seen,
				 const struct web_judged *j)
{
	const struct web_mix *now = &w->now;
	const struct web_mix *usual = w->mixes >= mixes_min ? &w->usual : &web_mix_unknown;

	/* What holds connections takes long, whatever the page costs. */
	if (is_mostly(seen, j, WEB_S_TIMEOUTS))
		return "slow.headers";
	if (is_mostly(seen, j, WEB_S_DENIED))
		return "http.login";
	if (now->posts >= 0.5F)
		return now->logins >= 0.5F ? "http.login" : "http.post";
	if (now->apart >= 0.8F && usual->apart < 0.7F && seen->count[WEB_S_TARGETS] > 20)
		return "http.cachebust";
	/* A connection that became another one lives as long as it likes. */
	if (seen->upgraded >= 0.5F)
		return "ws.flood";
	if (is_mostly(seen, j, WEB_S_STALLED))
		return "slow.read";
	/* What is large takes its time whatever it costs to make. */
	if (seen->bytes < large_bytes && usual->ms > 0 &&
	    now->ms >= fmaxf(4 * usual->ms, expensive_ms) && now->path >= 0.25F)
		return "http.api";
	return "http.get";
}

/* ---- findings ---- */

static struct web_finding *finding_add(struct web_reading *ret, const char *vector, bool attack,
				       float strength)
{
	struct web_finding *f = NULL;

	for (uint32_t i = 0; i < ret->finding_count; i++)
		if (strcmp(ret->findings[i].vector, vector) == 0)
			f = &ret->findings[i];
	if (f != NULL && f->strength >= strength)
		return NULL;
	if (f == NULL) {
		if (ret->finding_count == WEB_FINDINGS_MAX)
			return NULL;
		f = &ret->findings[ret->finding_count++];
	}
	memset(f, 0, sizeof(*f));
	memcpy(f->vector, vector, strlen(vector));
	f->attack = attack;
	f->strength = strength;
	return f;
}

static void numbers(struct web_finding *f, const struct web_seen *seen,
		    const struct web_judged *j, enum web_signal signal)
{
	f->per_s = seen->count[signal] / seen->seconds;
	f->usual_per_s = j->usual[signal];
	f->share = fminf(seen->count[signal] / fmaxf(seen->count[WEB_S_REQUESTS], 1), 1);
	if (signal == WEB_S_REQUESTS) /* the usual ones are among them */
		f->share = fmaxf(1 - f->usual_per_s / fmaxf(f->per_s, 1), 0);
}

static const char *marked_vector(const struct web_tick *t)
{
	if (t->marks[WEB_PINGBACK] >= t->marks[WEB_LOIC] + t->marks[WEB_ODD])
		return "http.pingback";
	return t->marks[WEB_LOIC] >= t->marks[WEB_ODD] ? "http.loic" : "http.get";
}

static const char *marked_words(const struct web_tick *t)
{
	if (t->marks[WEB_PINGBACK] >= t->marks[WEB_LOIC] + t->marks[WEB_ODD])
		return "sent by WordPress sites that verify a pingback";
	return t->marks[WEB_LOIC] >= t->marks[WEB_ODD]
		       ? "with the query that LOIC in a browser makes"
		       : "in a version of HTTP that there is not: a tool, no browser";
}

/* What searches for weak spots makes up queries, too, but fewer than paths. */
static bool searched(const struct web_seen *seen)
{
	return is_scanned(seen) ||
	       (!seen->random_paths && seen->clients <= few_clients &&
		seen->count[WEB_S_MISSING] >= 2 * seen->count[WEB_S_KEYS]);
}

/* The vector of a signature, in words; false if it is none. */
static bool signature(enum web_signal signal, const struct web_seen *seen,
		      const struct web_tick *t, const char **ret_vector, const char **ret_words,
		      bool *ret_attack)
{
	*ret_attack = true;
	switch (signal) {
	case WEB_S_KEYS:
		*ret_vector = "http.cachebust";
		*ret_words = "with a query that no other has, against caches";
		if (searched(seen)) {
			*ret_attack = false;
			*ret_vector = "http.probe";
			*ret_words = "with a query that no other has, beside missing paths";
		} else if (seen->count[WEB_S_MARKED] >= part_min * seen->count[WEB_S_KEYS]) {
			*ret_vector = marked_vector(t);
			*ret_words = marked_words(t);
		} else if (seen->count[WEB_S_TIMEOUTS] >= part_min * seen->count[WEB_S_KEYS]) {
			*ret_vector = "slow.headers";
			*ret_words = "that never came whole (408)";
		} else if (seen->count[WEB_S_POSTS] >= part_min * seen->count[WEB_S_KEYS]) {
			*ret_vector = "http.post";
			*ret_words = "POSTs with a query that no other has";
		}
		return true;
	case WEB_S_MISSING:
		*ret_attack = seen->random_paths;
		*ret_vector = seen->random_paths        ? "http.cachebust"
			      : seen->missed_by_crawlers ? "http.scrape"
							 : "http.probe";
		*ret_words = seen->random_paths ? "for made-up paths that no cache holds"
						: "for paths that are not there";
		return true;
	case WEB_S_MASKS:
		*ret_vector = "http.get";
		*ret_words = "of one client for one thing under changing user agents";
		return true;
	case WEB_S_DENIED:
		*ret_vector = "http.login";
		*ret_words = "sent to a login, or refused (401) again and again";
		return true;
	case WEB_S_TIMEOUTS:
		*ret_vector = "slow.headers";
		*ret_words = "that never came whole (408)";
		return true;
	case WEB_S_STALLED:
		*ret_vector = "slow.read";
		*ret_words = "that took 10 s or longer for under 4 KB";
		return true;
	case WEB_S_MARKED:
		*ret_vector = marked_vector(t);
		*ret_words = marked_words(t);
		return true;
	default:
		return false;
	}
}

/* Who floods with made-up queries may make up paths, too, now and then: no search of its own. */
static bool is_missed_by_queries(const struct web_seen *seen, const struct web_judged *j)
{
	return !seen->random_paths && j->a[WEB_S_KEYS] >= WEB_NAMED && !searched(seen) &&
	       seen->count[WEB_S_KEYS] >= seen->count[WEB_S_MISSING];
}

static void name_signature(const struct web_seen *seen, const struct web_judged *j,
			   enum web_signal signal, const struct web_tick *t,
			   struct web_reading *ret)
{
	const char *vector, *words;
	bool attack;

	if (!signature(signal, seen, t, &vector, &words, &attack) ||
	    (signal == WEB_S_MISSING && is_missed_by_queries(seen, j)))
		return;
	struct web_finding *f = finding_add(ret, vector, attack, j->a[signal]);
	if (f == NULL)
		return;
	numbers(f, seen, j, signal);
	snprintf(f->why, sizeof(f->why),
		 "%.0f/s (usual %.1f), %d %% of the requests, %s; %.0f clients",
		 (double)f->per_s, (double)f->usual_per_s, percent(f->share), words,
		 (double)seen->clients);
}

/* True if it is a rush. */
static bool name_volume(const struct web_watch *w, const struct web_seen *seen,
			const struct web_judged *j, enum web_signal signal,
			struct web_reading *ret)
{
	struct signs s;
	char path[SHOWN_MAX + 4] = "";
	const char *vector = volume_vector(w, seen, j);

	signs_of(w, j, seen, &s);
	bool rush = is_rush(w, &s);
	bool again = !rush && is_reloaded(w, seen, j, &s);
	bool attack = s.count >= SIGNS_MIN && !rush && !again &&
		      is_more_than_usual(seen, j, signal);
	const char *words = attack  ? s.text
			    : rush  ? "each but once"
			    : again ? "for what fails, a few times each"
				    : "like the usual ones";
	if (is_crawled(w, seen)) {
		attack = false;
		vector = "http.scrape";
	} else if (is_scanned(seen)) {
		attack = false;
		vector = "http.probe";
	} else if (!attack) {
		vector = "http.crowd";
	}
	struct web_finding *f = finding_add(ret, vector, attack, j->a[signal]);
	if (f == NULL)
		return rush;
	numbers(f, seen, j, signal);
	if (seen->path != NULL)
		shown(path, seen->path->path);
	snprintf(f->why, sizeof(f->why), "%.0f/s (usual %.1f) of %.0f clients; %s; %d %% for %s",
		 (double)f->per_s, (double)f->usual_per_s, (double)seen->clients,
		 words, percent(seen->path_share), path);
	return rush;
}

static void sort_findings(struct web_reading *ret)
{
	for (uint32_t i = 1; i < ret->finding_count; i++)
		for (uint32_t k = i; k > 0; k--) {
			struct web_finding *a = &ret->findings[k - 1], *b = &ret->findings[k];
			if (a->attack > b->attack ||
			    (a->attack == b->attack && a->strength >= b->strength))
				break;
			struct web_finding moved = *a;
			*a = *b;
			*b = moved;
		}
}

/* Of evidence that is not enough for a finding: would it be one of load? What is not decided yet
 * must not open an incident of what will turn out to be a crowd, nor keep one when that goes. */
static bool is_load(const struct web_watch *w, const struct web_seen *seen,
		    const struct web_judged *j, enum web_signal signal)
{
	struct signs s;

	if (signal == WEB_S_MISSING)
		return !seen->random_paths;
	if (signal == WEB_S_KEYS)
		return searched(seen);
	if (signal > WEB_S_CLIENT)
		return false;
	if (is_crawled(w, seen) || is_scanned(seen) || !is_more_than_usual(seen, j, signal))
		return true;
	signs_of(w, j, seen, &s);
	return s.count < SIGNS_MIN || is_rush(w, &s) || is_reloaded(w, seen, j, &s);
}

bool web_name(const struct web_watch *w, const struct web_seen *seen, const struct web_judged *j,
	      const struct web_tick *t, struct web_reading *ret)
{
	bool rush = false;

	for (unsigned i = 0; i < WEB_SIGNALS; i++) {
		bool volume = i <= WEB_S_CLIENT;
		if (j->a[i] < WEB_NAMED) {
			bool load = j->a[i] > 0 && is_load(w, seen, j, (enum web_signal)i);
			float *most = load ? &ret->load_return : &ret->log10_return;
			*most = fmaxf(*most, j->a[i]);
			continue;
		}
		if (volume)
			rush |= name_volume(w, seen, j, (enum web_signal)i, ret);
		else
			name_signature(seen, j, (enum web_signal)i, t, ret);
	}
	sort_findings(ret);
	for (uint32_t i = 0; i < ret->finding_count; i++) {
		const struct web_finding *f = &ret->findings[i];
		float *most = f->attack ? &ret->log10_return : &ret->load_return;
		*most = fmaxf(*most, f->strength);
		ret->attack |= f->attack && f->strength >= WEB_OPEN;
	}
	return rush;
}
