/* SPDX-License-Identifier: Apache-2.0 */
/* A tick → the counts that are judged, and what its requests are like. */
#include "base/check.h"
#include "detect/web_inner.h"

#include <math.h>
#include <string.h>

/* A client that asks for one thing under many agents wears masks, if it takes them from a list:
 * each about as often. Where many people stand behind one address, some agents are common. */
static const float masks_one_target = 0.9F, masks_uneven = 2.5F;
static const uint32_t masks_min = 10, masks_count_min = 3;
/* Fewer different missing paths are links that broke. Made-up ones: most are of one length and
 * without a point, or of one word and under an agent each; not where the agents are scanners'. */
static const uint32_t missing_paths_min = 10;
static const uint32_t mix_apart_pages = 20;
static const float random_like = 0.8F, random_agents = 0.5F, scanners_min = 0.5F;
/* Nor do many search together and find no word twice, as fast as that. */
static const float random_apart = 0.95F;
static const uint32_t random_clients = 10, random_paths_min = 50;

const struct web_mix web_mix_unknown = {.path = 0.1F, .agent = 0.1F, .client = 0.02F,
					.key = 0.1F, .apart = 0.5F, .per_client = 2};

enum { AHEAD = 8 }; /* so many records ahead is memory asked for */

static bool is_page(const struct web_record *r)
{
	return !(r->marks & 1 << WEB_ASSET);
}

static bool has_mark(const struct web_record *r, enum web_mark mark)
{
	return r->marks & 1 << mark;
}

/* All that the sample is looked through for. Once, with memory asked for ahead: a tick that is due
 * was filled long ago. */
struct sorts { struct web_picked pages, named, crawlers, missing; };

static void sort_out(const struct web_tick *t, struct sorts *s)
{
	s->pages.count = s->named.count = s->crawlers.count = s->missing.count = 0;
	for (uint32_t i = 0; i < t->sample_count; i++) {
		const struct web_record *r = &t->sample[i];
		const struct web_record *later = &t->sample[(i + AHEAD) % WEB_SAMPLES];
		__builtin_prefetch(later->hash);
		__builtin_prefetch(&later->marks);
		web_pick(&s->pages, r, is_page(r));
		web_pick(&s->named, r, is_page(r) && r->hash[WEB_KEY] != 0 && web_is_named(r));
		web_pick(&s->crawlers, r, has_mark(r, WEB_CRAWLER));
		web_pick(&s->missing, r, r->hash[WEB_MISSING] != 0);
	}
}

struct web_variety web_variety_of(const struct web_picked *p, enum web_kind kind)
{
	struct { uint64_t hash; uint32_t count; } seen[2 * WEB_SAMPLES] = {0}; /* hash 0: free */
	struct web_variety v = {0};

	for (uint32_t i = 0; i < p->count; i++) {
		uint64_t hash = p->all[i]->hash[kind];
		uint32_t at = (uint32_t)(hash >> 32) % WD_COUNT(seen);

		if (hash == 0)
			continue;
		while ((seen[at].hash != 0) & (seen[at].hash != hash))
			at = (at + 1) % WD_COUNT(seen);
		seen[at].hash = hash;
		v.all++;
		v.different += seen[at].count == 0;
		v.pairs += seen[at].count;
		if (++seen[at].count > v.most) {
			v.most = seen[at].count;
			v.first = p->all[i];
		}
	}
	return v;
}

/* Does the client that asks most hide who it is? */
static bool is_masked(const struct web_picked *pages, const struct web_record *client)
{
	struct web_picked own = {0};

	if (client == NULL)
		return false;
	for (uint32_t i = 0; i < pages->count; i++)
		web_pick(&own, pages->all[i],
		     pages->all[i]->hash[WEB_CLIENT] == client->hash[WEB_CLIENT]);
	struct web_variety targets = web_variety_of(&own, WEB_TARGET);
	struct web_variety agents = web_variety_of(&own, WEB_AGENT);
	float even = masks_uneven * (float)agents.all / fmaxf((float)agents.different, 1);

	return (float)targets.most >= masks_one_target * (float)targets.all &&
	       agents.different >= masks_min &&
	       (agents.most <= masks_count_min || (float)agents.most <= even);
}

/* One word, no file and no number: what is searched for is mostly of a folder, or hidden, or a
 * script; what is looked up by its digest (caches of builds, pictures of people) is in a folder;
 * and old pages have numbers. */
static bool is_plain(const char *path)
{
	return path[0] == '/' && strpbrk(path + 1, "/.") == NULL &&
	       path[1 + strspn(path + 1, "0123456789")] != '\0';
}

static void look_at_missing(const struct web_tick *t, const struct web_picked *missing,
			    struct web_seen *s)
{
	uint32_t lengths[WEB_PATH_MAX + 1] = {0}, crawlers = 0, scanners = 0, plain = 0, most = 0;
	struct web_variety paths = web_variety_of(missing, WEB_MISSING);
	struct web_variety agents = web_variety_of(missing, WEB_AGENT);
	struct web_variety clients = web_variety_of(missing, WEB_CLIENT);

	if (paths.different < missing_paths_min)
		return;
	for (uint32_t i = 0; i < missing->count; i++) {
		const struct web_record *r = missing->all[i];
		crawlers += has_mark(r, WEB_CRAWLER);
		scanners += has_mark(r, WEB_SCANNER);
		plain += is_plain(r->path);
		if (strchr(r->path, '.') == NULL && ++lengths[strlen(r->path)] > most)
			most = lengths[strlen(r->path)];
	}
	s->count[WEB_S_MISSING] =
		(float)paths.all / (float)t->sample_count * (float)t->requests;
	bool many = clients.different >= random_clients && paths.all >= random_paths_min &&
		    (float)paths.different >= random_apart * (float)paths.all &&
		    (float)crawlers < scanners_min * (float)paths.all;
	bool masked = (float)agents.different >= random_agents * (float)paths.all;
	bool alike = (float)most >= random_like * (float)paths.all;
	s->random_paths = (alike || many || masked) &&
			  (float)plain >= random_like * (float)paths.all;
	s->random_paths &= (float)scanners < scanners_min * (float)paths.all;
	s->missed_by_crawlers = (float)crawlers >= random_like * (float)paths.all;
}

static float in_common(const struct web_variety *v)
{
	return v->all >= 2 ? 2 * (float)v->pairs / ((float)v->all * (float)(v->all - 1)) : 0;
}

/* Requests whose query has a name of its own making: of two queries fewer have one in common
 * than usual, by the square of the share that is not made up. */
static float made_up(const struct web_variety *key, float usual, float requests, float different)
{
	float alike = key->all >= 2 ? in_common(key) : usual;
	float share = 1 - sqrtf(fminf(alike / fmaxf(usual, 0.001F), 1));

	return fminf(share * requests, different);
}

/* Different networks of crawlers: /16, or /32 of IPv6. Counted up to what is too many. */
static float networks_of(const struct web_picked *crawlers)
{
	const struct web_record *seen[WEB_NETWORKS_MAX + 1];
	uint32_t count = 0;

	for (uint32_t i = 0; i < crawlers->count && count <= WEB_NETWORKS_MAX; i++) {
		const struct web_record *r = crawlers->all[i];
		size_t bytes = r->family == 4 ? 2 : 4;
		uint32_t k = 0;
		while (k < count && (seen[k]->family != r->family ||
				     memcmp(seen[k]->client, r->client, bytes) != 0))
			k++;
		if (k == count)
			seen[count++] = r;
	}
	return (float)count;
}

static void mix_of(const struct web_tick *t, const struct sorts *of, const struct web_mix *usual,
		   struct web_seen *s)
{
	float all = fmaxf((float)t->requests, 1), pages = all - (float)t->marks[WEB_ASSET];
	struct web_variety path = web_variety_of(&of->pages, WEB_PATH);
	struct web_variety agent = web_variety_of(&of->pages, WEB_AGENT);
	struct web_variety client = web_variety_of(&of->pages, WEB_CLIENT);
	struct web_variety key = web_variety_of(&of->named, WEB_KEY);
	float clients = (float)client.different;

	/* Beyond the sample only the registers know, and they count assets' clients too. */
	if (t->requests > t->sample_count)
		clients = s->clients;
	s->crawlers = networks_of(&of->crawlers);
	s->path = path.first;
	s->client = client.first;
	s->path_share = path.all > 0 ? (float)path.most / (float)path.all : 0;
	s->count[WEB_S_CLIENT] =
		client.all > 0 ? (float)client.most / (float)client.all * pages : 0;
	if (client.all > 0)
		s->count[WEB_S_KEYS] = made_up(&key, usual->key,
					       (float)key.all / (float)client.all * pages,
					       (float)web_distinct(t, WEB_KEY));
	s->mix = (struct web_mix){
		.assets = (float)t->marks[WEB_ASSET] / all,
		.path = in_common(&path),
		.agent = in_common(&agent),
		.client = in_common(&client),
		.key = in_common(&key),
		.queried = key.all,
		.posts = (float)t->methods[REQUEST_POST] / all,
		.logins = (float)t->marks[WEB_LOGIN] / all,
		.crawlers = (float)of->crawlers.count / fmaxf((float)t->sample_count, 1),
		.apart = pages > 0 ? fminf(s->count[WEB_S_TARGETS] / pages, 1) : 0,
		.per_client = clients > 0 ? pages / clients / s->seconds : 0,
		.ms = t->timed > 0 ? (float)t->busy_ms / (float)t->timed : 0,
		.pages = client.all,
	};
}

static float stalled_each(const struct web_tick *t)
{
	struct web_picked stalled = {0};

	for (uint32_t i = 0; i < t->sample_count; i++)
		web_pick(&stalled, &t->sample[i], has_mark(&t->sample[i], WEB_STALLED));
	struct web_variety clients = web_variety_of(&stalled, WEB_CLIENT);
	return clients.all > 0 ? (float)clients.all / (float)clients.different : 0;
}

void web_see(const struct web_tick *t, const struct web_mix *usual, struct web_seen *s)
{
	struct sorts of;

	memset(s, 0, sizeof(*s));
	s->seconds = fmaxf((float)((double)t->width.ns / WD_NS_PER_S), 1);
	s->clients = (float)web_distinct(t, WEB_CLIENT);
	s->count[WEB_S_REQUESTS] = (float)t->requests;
	s->count[WEB_S_POSTS] = (float)t->methods[REQUEST_POST];
	s->count[WEB_S_TARGETS] = (float)web_distinct(t, WEB_TARGET);
	s->count[WEB_S_TIMEOUTS] = (float)t->statuses[WEB_408];
	s->count[WEB_S_STALLED] = (float)t->marks[WEB_STALLED];
	s->count[WEB_S_MARKED] = (float)(t->marks[WEB_PINGBACK] + t->marks[WEB_LOIC] +
					 t->marks[WEB_ODD]);
	s->scanned = (float)t->marks[WEB_SCANNER] >= scanners_min * fmaxf((float)t->requests, 1);
	s->bytes = (float)t->bytes / fmaxf((float)t->requests, 1);
	s->failed = (float)t->classes[5] / fmaxf((float)t->requests, 1);
	if (t->marks[WEB_STALLED] > 0)
		s->stalled_each = stalled_each(t);
	s->upgraded = (float)t->classes[1] / fmaxf((float)t->requests, 1);
	sort_out(t, &of);
	s->count[WEB_S_DENIED] = web_guesses(t, &of.pages);
	mix_of(t, &of, usual, s);
	/* Those alone whose clients ask on and on: an address that somebody was sent has a value of
	 * its own, too. */
	if (t->marks[WEB_AGAIN] > 0 && web_values_random(&of.pages, s->path))
		s->again = (float)t->marks[WEB_AGAIN];
	if (s->path != NULL)
		s->alone = (float)web_values_alone(&of.pages, s->path) / (float)t->sample_count *
			   (float)t->requests;
	if (is_masked(&of.pages, s->client))
		s->count[WEB_S_MASKS] = s->count[WEB_S_CLIENT];
	look_at_missing(t, &of.missing, s);
}

void web_mix_towards(struct web_mix *m, const struct web_mix *to, float gain)
{
	m->assets += gain * (to->assets - m->assets);
	m->posts += gain * (to->posts - m->posts);
	m->logins += gain * (to->logins - m->logins);
	m->crawlers += gain * (to->crawlers - m->crawlers);
	m->ms += gain * (to->ms - m->ms);
	if (to->pages >= 2) {
		m->path += gain * (to->path - m->path);
		m->agent += gain * (to->agent - m->agent);
		m->client += gain * (to->client - m->client);
		m->per_client += gain * (to->per_client - m->per_client);
	}
	if (to->queried >= 2)
		m->key += gain * (to->key - m->key);
	if (to->pages >= mix_apart_pages)
		m->apart += gain * (to->apart - m->apart);
	m->pages = to->pages;
	m->queried = to->queried;
}
