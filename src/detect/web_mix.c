/* SPDX-License-Identifier: Apache-2.0 */
/* A tick → the counts that are judged, and what its requests are like. */
#include "detect/web_inner.h"

#include <math.h>
#include <string.h>

/* A client that asks for one thing under many agents wears masks, if it takes them from a list:
 * each about as often. Where many people stand behind one address, some agents are common. */
static const float masks_one_target = 0.9F, masks_uneven = 2.5F;
static const uint32_t masks_min = 10, masks_count_min = 3;
/* Fewer different missing paths are links that broke. Made-up ones: most are of one length and
 * without a point, or come under an agent each. */
static const uint32_t missing_paths_min = 10;
static const float random_like = 0.8F, random_agents = 0.5F;

static bool is_page(const struct web_record *r)
{
	return !(r->marks & 1 << WEB_ASSET);
}

static bool has_mark(const struct web_record *r, enum web_mark mark)
{
	return r->marks & 1 << mark;
}

/* Of the sample, pages only: how many there are of the heaviest, and one of it. */
static uint32_t heaviest(const struct web_tick *t, enum web_kind kind,
			 const struct web_record **ret)
{
	struct { uint64_t hash; uint32_t count; } slots[2 * WEB_SAMPLES];
	const uint32_t size = 2 * WEB_SAMPLES;
	uint32_t best = 0;

	memset(slots, 0, sizeof(slots));
	*ret = NULL;
	for (uint32_t i = 0; i < t->sample_count; i++) {
		const struct web_record *r = &t->sample[i];
		uint64_t hash = r->hash[kind];
		uint32_t at = (uint32_t)(hash >> 32) % size;

		if (hash == 0 || !is_page(r))
			continue;
		while (slots[at].hash != 0 && slots[at].hash != hash)
			at = (at + 1) % size;
		slots[at].hash = hash;
		if (++slots[at].count > best) {
			best = slots[at].count;
			*ret = r;
		}
	}
	return best;
}

/* How many different hashes of a kind are among the records that `keep` takes, and how many
 * there are of the most frequent. */
struct variety { uint32_t different, most, all; };

static struct variety variety_of(const struct web_tick *t, enum web_kind kind,
				 bool (*keep)(const struct web_record *, uint64_t), uint64_t about)
{
	struct { uint64_t hash; uint32_t count; } slots[2 * WEB_SAMPLES];
	const uint32_t size = 2 * WEB_SAMPLES;
	struct variety v = {0};

	memset(slots, 0, sizeof(slots));
	for (uint32_t i = 0; i < t->sample_count; i++) {
		uint64_t hash = t->sample[i].hash[kind];
		uint32_t at = (uint32_t)(hash >> 32) % size;

		if (hash == 0 || !keep(&t->sample[i], about))
			continue;
		while (slots[at].hash != 0 && slots[at].hash != hash)
			at = (at + 1) % size;
		v.all++;
		v.different += slots[at].hash == 0;
		slots[at].hash = hash;
		if (++slots[at].count > v.most)
			v.most = slots[at].count;
	}
	return v;
}

static bool keep_page(const struct web_record *r, uint64_t about)
{
	(void)about;
	return is_page(r);
}

static bool keep_missing(const struct web_record *r, uint64_t about)
{
	(void)about;
	return r->hash[WEB_MISSING] != 0;
}

static bool keep_of_client(const struct web_record *r, uint64_t client)
{
	return is_page(r) && r->hash[WEB_CLIENT] == client;
}

/* Does the client that asks most hide who it is? */
static bool is_masked(const struct web_tick *t, const struct web_record *client)
{
	if (client == NULL)
		return false;
	uint64_t who = client->hash[WEB_CLIENT];
	struct variety targets = variety_of(t, WEB_TARGET, keep_of_client, who);
	struct variety agents = variety_of(t, WEB_AGENT, keep_of_client, who);
	float even = masks_uneven * (float)agents.all / fmaxf((float)agents.different, 1);

	return (float)targets.most >= masks_one_target * (float)targets.all &&
	       agents.different >= masks_min &&
	       (agents.most <= masks_count_min || (float)agents.most <= even);
}

static void look_at_missing(const struct web_tick *t, struct web_seen *s)
{
	uint32_t lengths[WEB_PATH_MAX + 1] = {0}, crawlers = 0, most = 0;
	struct variety paths = variety_of(t, WEB_MISSING, keep_missing, 0);
	struct variety agents = variety_of(t, WEB_AGENT, keep_missing, 0);

	if (paths.different < missing_paths_min)
		return;
	for (uint32_t i = 0; i < t->sample_count; i++) {
		const struct web_record *r = &t->sample[i];
		if (!keep_missing(r, 0))
			continue;
		crawlers += has_mark(r, WEB_CRAWLER);
		if (strchr(r->path, '.') == NULL && ++lengths[strlen(r->path)] > most)
			most = lengths[strlen(r->path)];
	}
	s->count[WEB_S_MISSING] =
		(float)paths.all / (float)t->sample_count * (float)t->requests;
	s->random_paths = (float)most >= random_like * (float)paths.all ||
			  (float)agents.different >= random_agents * (float)paths.all;
	s->missed_by_crawlers = (float)crawlers >= random_like * (float)paths.all;
}

static void mix_of(const struct web_tick *t, struct web_seen *s)
{
	uint32_t sampled = t->sample_count, pages = 0, crawlers = 0;
	float all = (float)t->requests, page_requests = all - (float)t->marks[WEB_ASSET];
	float scale = sampled > 0 ? 1 / (float)sampled : 0;

	for (uint32_t i = 0; i < sampled; i++) {
		pages += is_page(&t->sample[i]);
		crawlers += has_mark(&t->sample[i], WEB_CRAWLER);
	}
	float of_pages = pages > 0 ? 1 / (float)pages : 0;
	uint32_t client = heaviest(t, WEB_CLIENT, &s->client);
	float page_clients = (float)variety_of(t, WEB_CLIENT, keep_page, 0).different;

	/* Beyond the sample's size only the registers know, and they count assets' clients too. */
	if (page_clients > 0.5F * WEB_SAMPLES)
		page_clients = s->clients;
	s->count[WEB_S_CLIENT] = (float)client * of_pages * page_requests;
	s->mix = (struct web_mix){
		.assets = all > 0 ? (float)t->marks[WEB_ASSET] / all : 0,
		.path = (float)heaviest(t, WEB_PATH, &s->path) * of_pages,
		.agent = (float)heaviest(t, WEB_AGENT, &s->agent) * of_pages,
		.client = (float)client * of_pages,
		.posts = all > 0 ? (float)t->methods[REQUEST_POST] / all : 0,
		.logins = all > 0 ? (float)t->marks[WEB_LOGIN] / all : 0,
		.crawlers = (float)crawlers * scale,
		.apart = page_requests > 0 ? fminf(s->count[WEB_S_TARGETS] / page_requests, 1) : 0,
		.per_client = page_clients > 0 ? page_requests / page_clients / s->seconds : 0,
		.ms = t->timed > 0 ? (float)t->busy_ms / (float)t->timed : 0,
	};
}

void web_see(const struct web_tick *t, struct web_seen *s)
{
	float denied = (float)(t->statuses[WEB_401] + t->statuses[WEB_403]);
	float logins = (float)t->marks[WEB_LOGIN];

	memset(s, 0, sizeof(*s));
	s->seconds = fmaxf((float)((double)t->width.ns / WD_NS_PER_S), 1);
	s->clients = (float)web_distinct(t, WEB_CLIENT);
	s->agents = (float)web_distinct(t, WEB_AGENT);
	s->count[WEB_S_REQUESTS] = (float)t->requests;
	s->count[WEB_S_POSTS] = (float)t->methods[REQUEST_POST];
	s->count[WEB_S_TARGETS] = (float)web_distinct(t, WEB_TARGET);
	s->count[WEB_S_KEYS] = (float)web_distinct(t, WEB_KEY);
	s->count[WEB_S_DENIED] = denied > logins ? denied : logins;
	s->count[WEB_S_TIMEOUTS] = (float)t->statuses[WEB_408];
	s->count[WEB_S_STALLED] = (float)t->marks[WEB_STALLED];
	s->count[WEB_S_MARKED] = (float)(t->marks[WEB_PINGBACK] + t->marks[WEB_LOIC] +
					 t->marks[WEB_ODD]);
	mix_of(t, s);
	if (is_masked(t, s->client))
		s->count[WEB_S_MASKS] = s->count[WEB_S_CLIENT];
	look_at_missing(t, s);
}

void web_mix_towards(struct web_mix *m, const struct web_mix *to, float gain)
{
	m->assets += gain * (to->assets - m->assets);
	m->path += gain * (to->path - m->path);
	m->agent += gain * (to->agent - m->agent);
	m->client += gain * (to->client - m->client);
	m->posts += gain * (to->posts - m->posts);
	m->logins += gain * (to->logins - m->logins);
	m->crawlers += gain * (to->crawlers - m->crawlers);
	m->apart += gain * (to->apart - m->apart);
	m->per_client += gain * (to->per_client - m->per_client);
	m->ms += gain * (to->ms - m->ms);
}
