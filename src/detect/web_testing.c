/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/web_testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct web_agents agents;
static const struct address_key key = {{42, 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
					0x94d049bb133111eb}};

void world_init(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->prng = prng_of(seed, 7);
	w->second = 1700000000 / 86400 * 86400;
	w->assets = 8;
	w->pages_per_s = 1;
	w->day = 0.6;
	w->missing = 0.01;
}

/* 0 … n - 1, k about 1 / (k + 1) often. */
static int zipf(struct prng *p, int n)
{
	int k = (int)exp(prng_unit(p) * log((double)n + 1)) - 1;

	return k < n ? k : n - 1;
}

struct made { struct request r; char path[64], query[64], agent[96]; };

static void finish(struct made *m, struct world *w, struct web_tick *t)
{
	m->r.at = wall_s(w->second);
	m->r.path = (struct text_span){m->path, (uint32_t)strlen(m->path)};
	m->r.query = (struct text_span){m->query[0] ? m->query : NULL, (uint32_t)strlen(m->query)};
	m->r.agent = (struct text_span){m->agent[0] ? m->agent : NULL, (uint32_t)strlen(m->agent)};
	const struct web_facts facts = web_facts_of(&agents, &key, &m->r);
	web_add(t, &key, &m->r, &facts, prng_u64(&w->prng));
}

static void blank(struct made *m, int client)
{
	memset(m, 0, sizeof(*m));
	m->r.family = 4;
	memcpy(m->r.client, &client, sizeof(client));
	m->r.client[3] |= 10;
	m->r.method = REQUEST_GET;
	m->r.protocol = REQUEST_H2;
	m->r.status = 200;
	m->r.bytes = 9000;
	m->r.duration_us = 40000;
}

static void agent_of(struct made *m, int client)
{
	struct prng own = prng_of((uint64_t)client, 3); /* a client keeps its agent */

	snprintf(m->agent, sizeof(m->agent), "Mozilla/5.0 (X11; rv:%d.0) Firefox",
		 zipf(&own, 150));
}

static void page(struct world *w, struct web_tick *t, int which, int client, bool letter)
{
	static const char *const keys[] = {"id", "q", "utm_source", "page",
					   "fbclid", "ref", "sort"};
	struct made m;

	blank(&m, client);
	agent_of(&m, client);
	bool missing = prng_unit(&w->prng) < w->missing;
	m.r.status = missing ? 404 : 200;
	m.r.duration_us = (int64_t)(20000 * exp(prng_normal(&w->prng)));
	snprintf(m.path, sizeof(m.path), "/%s/%d", missing ? "gone" : "page", which);
	if (prng_below(&w->prng, 4) == 0)
		snprintf(m.query, sizeof(m.query), "%s=%u", keys[zipf(&w->prng, 7)],
			 prng_below(&w->prng, 5000));
	if (prng_below(&w->prng, 50) == 0) {
		m.r.method = REQUEST_POST;
		snprintf(m.path, sizeof(m.path), prng_below(&w->prng, 4) ? "/form" : "/login");
	}
	if (w->slow > 0) {
		m.r.status = (uint16_t)w->slow;
		m.r.duration_us = 20000000;
		m.r.bytes = w->slow == 200 ? 2000 : 160;
	}
	if (letter && w->browsers > 0)
		snprintf(m.agent, sizeof(m.agent), "Mozilla/5.0 (Windows; %d)",
			 client % w->browsers);
	if (letter)
		snprintf(m.query, sizeof(m.query), "letter=%u", prng_below(&w->prng, 1 << 30));
	finish(&m, w, t);
	int later = (int)((w->second + prng_below(&w->prng, 2)) % WORLD_SECONDS);
	if (w->assets > 0 && w->waves[later] < 256) {
		int i = w->waves[later]++;
		w->wave[later][i].count = 1 + (int)prng_below(&w->prng, (uint32_t)(2 * w->assets));
		w->wave[later][i].page = which;
		w->wave[later][i].client = client;
	}
}

static void assets(struct world *w, struct web_tick *t)
{
	int slot = (int)(w->second % WORLD_SECONDS);

	for (int i = 0; i < w->waves[slot]; i++)
		for (int k = 0; k < w->wave[slot][i].count; k++) {
			struct made m;
			blank(&m, w->wave[slot][i].client);
			agent_of(&m, w->wave[slot][i].client);
			m.r.duration_us = 3000;
			if (k < 4)
				snprintf(m.path, sizeof(m.path), "/static/%d.js", k);
			else
				snprintf(m.path, sizeof(m.path), "/i/%d-%d.jpg",
					 w->wave[slot][i].page, k);
			finish(&m, w, t);
		}
	w->waves[slot] = 0;
}

void world_second(struct world *w, struct web_tick *t)
{
	double hour = (double)(w->second % 86400) / 3600;
	double season = 1 - w->day * cos(2 * M_PI * (hour - 4) / 24);

	web_clear(t, "shop", wall_s(w->second));
	w->drift = 0.99 * w->drift + w->bursty * sqrt(1 - 0.99 * 0.99) * prng_normal(&w->prng);
	uint64_t pages = prng_poisson(&w->prng, w->pages_per_s * season * exp(w->drift));
	for (uint64_t i = 0; i < pages; i++)
		page(w, t, w->home > 0 && prng_unit(&w->prng) < w->home ? 1 : zipf(&w->prng, 500),
		     (int)prng_below(&w->prng, 1 << 18), false);
	uint64_t crowd = prng_poisson(&w->prng, w->crowd_pages_per_s);
	for (uint64_t i = 0; i < crowd; i++)
		page(w, t, prng_below(&w->prng, 10) ? 7777 : zipf(&w->prng, 500),
		     (int)prng_below(&w->prng, 1 << 18), w->letters);
	assets(w, t);
	w->second++;
}

const char *attack_vector(enum attack a)
{
	static const char *const names[ATTACKS] = {
		[ATTACK_GET] = "http.get",           [ATTACK_ONE] = "http.get",
		[ATTACK_POST] = "http.post",         [ATTACK_BUST] = "http.cachebust",
		[ATTACK_PATHS] = "http.cachebust",   [ATTACK_LOGIN] = "http.login",
		[ATTACK_PINGBACK] = "http.pingback", [ATTACK_SLOW] = "slow.headers",
		[ATTACK_READ] = "slow.read",         [ATTACK_SEARCH] = "http.api",
		[ATTACK_CRAWLER] = "http.scrape",    [ATTACK_SCANNER] = "http.probe",
		[ATTACK_WORDS] = "http.cachebust",   [ATTACK_SPOTS] = "http.probe",
		[ATTACK_GONE] = "http.probe",        [ATTACK_HALF] = "slow.headers",
		[ATTACK_LARGE] = "http.get",         [ATTACK_MIXED] = "http.cachebust",
		[ATTACK_SOCKET] = "ws.flood",        [ATTACK_SENT] = "http.post",
		[ATTACK_HELD] = "slow.read",         [ATTACK_GUESS] = "http.login",
		[ATTACK_SWARM] = "http.scrape",      [ATTACK_DIGESTS] = "http.probe",
		[ATTACK_NUMBERS] = "http.probe",     [ATTACK_SHIFT] = "http.crowd",
		[ATTACK_ASKED] = "http.crowd",       [ATTACK_EXPIRED] = "http.crowd",
		[ATTACK_LINKED] = "http.crowd",
	};
	return names[a];
}

static void attack_request(struct world *w, struct made *m, enum attack a)
{
	uint32_t draw = prng_below(&w->prng, 1 << 30);

	switch (a) {
	case ATTACK_POST:
		m->r.method = REQUEST_POST;
		snprintf(m->path, sizeof(m->path), "/form");
		break;
	case ATTACK_BUST:
		snprintf(m->query, sizeof(m->query), "%c%c%x=%x", 'A' + draw % 26,
			 'A' + draw / 26 % 26, draw, draw / 7);
		break;
	case ATTACK_PATHS:
		snprintf(m->path, sizeof(m->path), "/%08x", draw);
		m->r.status = 404;
		break;
	case ATTACK_LOGIN:
		m->r.method = REQUEST_POST;
		m->r.status = 401;
		snprintf(m->path, sizeof(m->path), "/login");
		break;
	case ATTACK_PINGBACK:
		snprintf(m->agent, sizeof(m->agent),
			 "WordPress/6.%u; https://b%u.example; verifying pingback from 192.0.2.1",
			 draw % 5, draw % 2000);
		break;
	case ATTACK_SLOW:
		m->r.malformed = true;
		m->r.status = 408;
		m->path[0] = m->agent[0] = '\0';
		break;
	case ATTACK_READ:
	case ATTACK_HELD:
		if (a == ATTACK_HELD)
			snprintf(m->agent, sizeof(m->agent), "Mozilla/5.0 (Slow)");
		m->r.duration_us = 30000000;
		m->r.bytes = 300;
		break;
	case ATTACK_SEARCH:
		snprintf(m->path, sizeof(m->path), "/search");
		snprintf(m->query, sizeof(m->query), "q=%u", draw % 50);
		m->r.duration_us = 2000000;
		break;
	case ATTACK_CRAWLER:
		snprintf(m->path, sizeof(m->path), "/page/%u", draw % 500);
		snprintf(m->agent, sizeof(m->agent), "Bot/1.0 (+http://bot.example/about)");
		break;
	case ATTACK_SCANNER:
		snprintf(m->path, sizeof(m->path), "/%08x", draw);
		snprintf(m->agent, sizeof(m->agent), "gobuster/3.6");
		m->r.status = 404;
		break;
	case ATTACK_WORDS:
		snprintf(m->path, sizeof(m->path), "/%.*s", 5 + (int)(draw % 7), "abcdefghijk");
		for (char *p = m->path + 1; *p != '\0'; p++)
			*p = (char)('a' + prng_below(&w->prng, 26));
		m->r.status = 404;
		break;
	case ATTACK_GONE:
		draw = (uint32_t)zipf(&w->prng, 300);
		snprintf(m->path, sizeof(m->path), "/article-%.*s%u", (int)(draw % 7), "abcdefg",
			 draw);
		m->r.status = 404;
		break;
	case ATTACK_SPOTS:
		snprintf(m->path, sizeof(m->path), "/%x/.%x", draw % 977, draw % 89);
		snprintf(m->agent, sizeof(m->agent), "Mozilla/5.0 (%u)", draw);
		m->r.status = 404;
		break;
	case ATTACK_SOCKET:
		snprintf(m->path, sizeof(m->path), "/socket");
		m->r.status = 101;
		m->r.duration_us = 3000000;
		break;
	case ATTACK_SENT:
		m->r.method = REQUEST_POST;
		snprintf(m->path, sizeof(m->path), "/form");
		snprintf(m->query, sizeof(m->query), "%x=%x", draw, draw / 7);
		break;
	case ATTACK_GUESS:
		m->r.status = 401;
		snprintf(m->path, sizeof(m->path), "/admin");
		snprintf(m->agent, sizeof(m->agent), "Mozilla/5.0 (Hydra)");
		break;
	case ATTACK_SWARM:
		m->r.client[2] = m->r.client[0];
		m->r.client[0] = 57;
		m->r.client[1] = 141;
		snprintf(m->path, sizeof(m->path), "/page/%u", draw % 5000);
		snprintf(m->agent, sizeof(m->agent), "Bot/1.0 (+http://bot.example/about)");
		break;
	case ATTACK_DIGESTS:
		snprintf(m->path, sizeof(m->path), "/cas/%08x%08x%08x%08x", draw, draw / 3,
			 draw / 7, draw);
		snprintf(m->agent, sizeof(m->agent), "builder/6.4");
		m->r.status = 404;
		break;
	case ATTACK_NUMBERS:
		snprintf(m->path, sizeof(m->path), "/%06u", draw % 1000000);
		m->r.status = 410;
		break;
	case ATTACK_EXPIRED:
		snprintf(m->path, sizeof(m->path), "/api/feed/%u", draw % 5);
		m->r.status = 401;
		break;
	case ATTACK_SHIFT:
		m->r.method = REQUEST_POST;
		m->r.status = draw % 4 ? 302 : 200;
		snprintf(m->path, sizeof(m->path), "/login");
		break;
	case ATTACK_ASKED:
		m->r.status = draw % 2 ? 207 : 401;
		snprintf(m->path, sizeof(m->path), "/dav/%u", draw % 300);
		break;
	case ATTACK_LINKED:
		snprintf(m->path, sizeof(m->path), "/i/%u.jpg", draw % 100);
		m->r.status = 403;
		break;
	case ATTACK_HALF:
		snprintf(m->query, sizeof(m->query), "%u", draw);
		m->r.status = 408;
		m->r.bytes = 0;
		m->r.duration_us = 30000000;
		break;
	case ATTACK_LARGE:
		m->r.bytes = 300000000;
		m->r.duration_us = 30000000;
		snprintf(m->path, sizeof(m->path), "/files/release.iso");
		break;
	case ATTACK_MIXED:
		snprintf(m->query, sizeof(m->query), "%x=%x", draw, draw / 7);
		if (draw % 2 == 0)
			break;
		snprintf(m->path, sizeof(m->path), "/%.*s%x", 1 + (int)(draw % 9), "bcdefghijk",
			 draw);
		m->r.status = 404;
		break;
	case ATTACK_GET:
	case ATTACK_ONE:
	case ATTACKS:
		break;
	}
}

void app_second(struct world *w, struct web_tick *t, int requests, int first, int clients)
{
	for (int i = 0; i < requests; i++) {
		struct made m;
		int who = clients > 0 ? (int)prng_below(&w->prng, (uint32_t)clients) : i;

		blank(&m, (1 << 21) + first + who);
		w->second--; /* the tick's own second */
		snprintf(m.path, sizeof(m.path), "/api/feed");
		snprintf(m.agent, sizeof(m.agent), "Example/5.1 CFNetwork/1410 Darwin/22.6");
		m.r.bytes = 1000 + prng_below(&w->prng, 9000);
		finish(&m, w, t);
		w->second++;
	}
}

void reload_second(struct world *w, struct web_tick *t, int requests, int first)
{
	for (int i = 0; i < requests; i++) {
		struct made m;

		blank(&m, (1 << 21) + first + i);
		w->second--; /* the tick's own second */
		snprintf(m.path, sizeof(m.path), "/");
		agent_of(&m, first + i);
		m.r.status = 502;
		finish(&m, w, t);
		w->second++;
	}
}

void preview_second(struct world *w, struct web_tick *t, int requests, int first)
{
	for (int i = 0; i < requests; i++) {
		struct made m;

		blank(&m, (1 << 21) + first + i);
		w->second--; /* the tick's own second */
		snprintf(m.path, sizeof(m.path), "/page/7777");
		snprintf(m.agent, sizeof(m.agent),
			 "http.rb/5.1 (Mastodon/4.2; +https://m%d.example/) Bot", first + i);
		finish(&m, w, t);
		w->second++;
	}
}

static uint32_t clients_of(enum attack a)
{
	switch (a) {
	case ATTACK_ONE: return 1;
	case ATTACK_HELD: return 5;
	case ATTACK_CRAWLER: case ATTACK_SCANNER: return 8;
	case ATTACK_GUESS: case ATTACK_ASKED: return 10;
	case ATTACK_WORDS: case ATTACK_DIGESTS: return 20;
	case ATTACK_EXPIRED: return 600;
	case ATTACK_SHIFT: return 1 << 18;
	default: return 300;
	}
}

void attack_second(struct world *w, struct web_tick *t, enum attack a, int requests)
{
	for (int i = 0; i < requests; i++) {
		struct made m;
		int client = (1 << 20) + (int)prng_below(&w->prng, clients_of(a));
		blank(&m, client);
		w->second--; /* the tick's own second */
		snprintf(m.path, sizeof(m.path), "/");
		snprintf(m.agent, sizeof(m.agent), "Mozilla/5.0 (%u) Bot",
			 prng_below(&w->prng, 20));
		attack_request(w, &m, a);
		finish(&m, w, t);
		w->second++;
	}
}
