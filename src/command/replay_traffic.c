/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_traffic.h"

#include "base/hash.h"
#include "base/text.h"
#include "command/log.h"
#include "command/replay_input.h"
#include "command/replay_places.h"
#include "command/vectors_read.h"
#include "tally/shard.h"
#include "tally/web_window.h"

#include <stdlib.h>
#include <string.h>

enum { SITES_MAX = 1000, SPARES_MAX = 1024, SPARES_WEB = 16 };

/* Requests of one service. */
struct site {
	struct web_window window;
	struct web_tick *ticks[WEB_WINDOW_REPLAY];
	struct conduct_table *clients;
	struct conduct conduct;
};

struct traffic_play {
	struct traffic_book book;
	struct replay_places *places; /* NULL: no address has one */
	struct shard *shard; /* NULL: no target */
	struct traffic_tick **sealed;
	size_t spares;
	wd_wall begin; /* of the tick that is being counted; 0 = none yet */
	const struct catalogue *catalogue;
	struct hash_key key;
	struct prng random;
	struct web_agents agents;
	struct packet_options packets;
	const struct prefix_table *prefixes; /* the targets' */
	struct site *sites;
	size_t site_count;
	struct web_tick *spare[SPARES_WEB]; /* those that were judged; owned */
	size_t spare_count;
	struct site *last_site; /* that of last_service; lines repeat it */
	const char *last_service;
	uint64_t no_room;
};

static bool is_target(const void *context, const struct flow *f)
{
	const struct traffic_play *p = context;
	return p->prefixes != NULL &&
	       prefix_find(p->prefixes, f->family, f->dst) != PREFIX_NONE;
}

/* Everything drawn is drawn the same each time: a replay can be repeated. */
enum wd_err traffic_play_open(const struct place_files *files, struct traffic_play **ret_play)
{
	struct traffic_play *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return WD_NOMEM;
	p->key = (struct hash_key){"replayed traffic"};
	traffic_book_open(&p->book, &p->key, NULL);
	struct wd_why why = {0};
	if (replay_places_open(files, &p->places, &why) == WD_OK)
		p->book.places = replay_places_of(p->places);
	else
		log_why(LOG_LEVEL_ERROR, "places_of_traffic_not_read", &why);
	p->random = prng_of(1, 1);
	p->packets = (struct packet_options){
		.decapsulate = true, .watched = is_target, .context = p};
	p->sites = calloc(SITES_MAX, sizeof(*p->sites));
	p->sealed = calloc(SPARES_MAX, sizeof(struct traffic_tick *));
	if (p->sites == NULL || p->sealed == NULL) {
		traffic_play_close(p);
		return WD_NOMEM;
	}
	*ret_play = p;
	return WD_OK;
}

void traffic_play_close(struct traffic_play *p)
{
	if (p == NULL)
		return;
	shard_close(p->shard);
	traffic_book_close(&p->book);
	replay_places_close(p->places);
	for (size_t i = 0; p->sites != NULL && i < p->site_count; i++) {
		for (size_t k = 0; k < WEB_WINDOW_REPLAY; k++)
			free(p->sites[i].ticks[k]);
		conduct_table_close(p->sites[i].clients);
	}
	while (p->spare_count > 0)
		free(p->spare[--p->spare_count]);
	free(p->sites);
	free(p->sealed);
	free(p);
}

const struct traffic_book *traffic_play_book(const struct traffic_play *p) { return &p->book; }

const struct packet_options *traffic_play_packets(const struct traffic_play *p)
{
	return &p->packets;
}

enum wd_err traffic_play_target(struct traffic_play *p, struct targets *t,
				const struct catalogue *catalogue, struct wd_why *why)
{
	struct shard_options o = {.rules = &p->book.rules, .seed = 1};
	p->catalogue = catalogue;
	enum wd_err err =
		targets_table(t, &o.prefixes, &o.services, &o.service_count, why);
	if (err != WD_OK || o.service_count == 0)
		return err;
	p->prefixes = o.prefixes;
	p->spares = o.service_count < SPARES_MAX ? o.service_count : SPARES_MAX;
	o.spares = (uint32_t)p->spares;
	return shard_open(&o, &p->shard, why);
}

/* ---- flows ---- */

static wd_wall tick_of(wd_wall at)
{
	return (wd_wall){floor_div(at.ns, TRAFFIC_TICK_NS) * TRAFFIC_TICK_NS};
}

static void hand_over(struct traffic_play *p, wd_wall end, struct engine *e)
{
	size_t count;
	while ((count = shard_seal(p->shard, end, p->sealed, p->spares)) > 0) {
		for (size_t i = 0; i < count; i++) {
			(void)engine_traffic(
				e, p->sealed[i]); /* what does not count is counted there */
			shard_take_back(p->shard, p->sealed[i]);
		}
	}
	engine_traffic_until(e, end);
}

/* The tick is over; what comes next begins at `next`. */
static void seal(struct traffic_play *p, wd_wall next, struct engine *e)
{
	wd_wall end = wall_add(p->begin, (wd_span){TRAFFIC_TICK_NS});
	engine_advance(e, end);
	hand_over(p, end, e);
	if (wall_before(end, next)) { /* nothing came between */
		engine_advance(e, next);
		hand_over(p, next, e);
	}
	p->begin = next;
}

static size_t take_flows(struct traffic_play *p, struct traffic_input *in, wd_wall at,
			 struct engine *e)
{
	wd_wall tick = tick_of(at);
	if (p->shard == NULL)
		return in->flow_count;
	if (p->begin.ns != 0 && wall_before(p->begin, tick))
		seal(p, tick, e);
	if (p->begin.ns == 0)
		p->begin = tick;
	shard_add(p->shard, in->flows, in->flow_count, at);
	return in->flow_count;
}

/* ---- requests ---- */

static const char *service_of(const struct traffic_play *p, const struct traffic_input *in)
{
	const struct text_span *host = &in->request.host;
	char name[SERVICE_HOST_MAX + 1];
	size_t len = 0;

	while (len < host->len && len < SERVICE_HOST_MAX && host->at[len] != ':') {
		name[len] = text_lower(host->at[len]);
		len++;
	}
	name[len] = '\0';
	for (size_t i = 0; p->catalogue != NULL && len > 0 && i < catalogue_count(p->catalogue);
	     i++) {
		const struct service *s = catalogue_at(p->catalogue, i);
		for (size_t k = 0; k < s->hosts.count; k++) {
			if (strcmp(s->hosts.items[k], name) == 0)
				return s->id;
		}
	}
	return in->service;
}

/* A second that has requests takes memory, and what was judged is used again. */
static struct web_tick *tick_take(void *play, uint32_t *ret_samples)
{
	struct traffic_play *p = play;
	*ret_samples = WEB_SAMPLES;
	return p->spare_count > 0 ? p->spare[--p->spare_count] : malloc(sizeof(struct web_tick));
}

static struct site *find_site(struct traffic_play *p, const char *service)
{
	for (size_t i = 0; i < p->site_count; i++) {
		if (strcmp(p->sites[i].window.service, service) == 0)
			return &p->sites[i];
	}
	if (p->site_count == SITES_MAX)
		return NULL;
	struct site *s = &p->sites[p->site_count];
	if (conduct_table_open(&p->book.rules.key, CONDUCT_ROWS, &s->clients) != WD_OK)
		return NULL;
	conduct_init(&s->conduct, s->clients, service);
	web_window_init(&s->window, s->ticks, WEB_WINDOW_REPLAY, service, false,
			(struct web_room){tick_take, p});
	p->site_count++;
	return s;
}

static struct site *site_of(struct traffic_play *p, const char *service)
{
	if (p->last_site != NULL && p->last_service == service) /* names outlive the play */
		return p->last_site;
	p->last_site = find_site(p, service);
	p->last_service = service;
	return p->last_site;
}

static void judge(struct traffic_play *p, struct web_tick *t, struct engine *e)
{
	engine_advance(e, wall_add(t->at, t->width));
	(void)engine_web(e, t); /* what does not count is counted there */
	if (p->spare_count < SPARES_WEB)
		p->spare[p->spare_count++] = t;
	else
		free(t);
}

static size_t take_request(struct traffic_play *p, struct traffic_input *in, struct engine *e)
{
	const struct request *r = &in->request;
	struct site *s = site_of(p, r->host.len > 0 ? service_of(p, in) : in->service);
	if (s == NULL) {
		p->no_room++;
		return 1;
	}
	for (struct web_tick *t; (t = web_window_due(&s->window, wall_to_s(r->at))) != NULL;)
		judge(p, t, e);
	const struct web_facts facts = web_facts_of(&p->agents, &p->book.rules.key, r);
	conduct_expect(&s->conduct, &facts);
	if (!web_window_add(&s->window, &p->book.rules.key, r, &facts, prng_u64(&p->random)))
		p->no_room++;
	if (conduct_see(&s->conduct, r, &facts))
		web_window_tell(&s->window, r, WEB_AGAIN);
	return 1;
}

size_t traffic_play_take(struct traffic_play *p, struct traffic_input *in, wd_wall at,
			 struct engine *e)
{
	return in->capture != NULL ? take_flows(p, in, at, e) : take_request(p, in, e);
}

void traffic_play_end(struct traffic_play *p, struct engine *e)
{
	if (p->shard != NULL && p->begin.ns != 0)
		seal(p, wall_add(p->begin, (wd_span){TRAFFIC_TICK_NS}), e);
	for (size_t i = 0; i < p->site_count; i++) {
		for (struct web_tick *t; (t = web_window_end(&p->sites[i].window)) != NULL;)
			judge(p, t, e);
	}
}

const struct conduct *traffic_play_conduct(const struct traffic_play *p, size_t i,
					   const char **ret_service)
{
	if (i >= p->site_count)
		return NULL;
	*ret_service = p->sites[i].window.service;
	return &p->sites[i].conduct;
}

uint64_t traffic_play_elsewhere(const struct traffic_play *p)
{
	return p->no_room + (p->shard == NULL ? 0 : shard_counters(p->shard)->elsewhere);
}
