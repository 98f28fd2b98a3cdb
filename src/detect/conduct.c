/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/conduct.h"

#include "base/check.h"
#include "tally/text_hash.h"
#include "tally/web_mark.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Capacity, and what drains in a second. More than that is noted.
 * - PROBE: nine different things that are not there, faster than one in ten seconds, or three
 *   that only a search asks for. Links that broke are few, or are followed once.
 * - LOGIN: ten failed sign-ins, faster than one in ten seconds. People fail three times.
 *   A program whose password has expired is refused at a steady pace: a refusal (401) of the same
 *   thing counts little unless there are several in a second.
 * - SCRAPE: forty different pages that no page led to, faster than one in two seconds.
 * - HAMMER: two hundred times the same, faster than five a second. */
struct bucket { float capacity, drain_s; };
static const struct bucket buckets[CLIENT_KINDS] = {
	[CLIENT_PROBE] = {8.5F, 0.1F}, [CLIENT_LOGIN] = {9.5F, 0.1F},
	[CLIENT_SCRAPE] = {40, 0.5F},	[CLIENT_HAMMER] = {200, 5},
};

/* The same of all clients together, where success takes twice as much out as failure brings in:
 * more than two thirds of all sign-ins must fail; and more than half of all requests must be
 * repetitions within a second, a thousand of them. */
static const struct bucket buckets_all[CLIENT_KINDS] = {
	[CLIENT_LOGIN] = {60, 0.5F}, [CLIENT_HAMMER] = {1000, 20},
};
static const float succeeded = -2, other = -1;

static const float weak_spot = 3, injected = 4, injected_again = 2, missed = 1;
static const float failed = 1, perhaps_failed = 0.5F, refused = 0.05F;
/* So much of what a client asks for must count, for it to be no user who also errs. */
static const float share_probe = 0.4F, share_login = 0.4F, share_led = 0.1F;
static const float share_lost = 0.25F;
static const uint32_t others_min = 16, others_max = 64; /* then half of them is forgotten */
static const int64_t forget_s = 1800; /* of quiet; then a client begins anew */

struct conduct_table {
	struct address_key key;
	uint64_t mask; /* of rows */
	struct conduct_row *rows;
	struct conduct_client (*clients)[CONDUCT_WAYS]; /* a row's */
	struct { uint64_t agent; uint8_t tool; } agents[256]; /* looked up lately; they repeat */
	void *memory; /* of both, owned */
};

enum { CACHE_LINE = 64 };

enum wd_err conduct_table_open(const struct address_key *key, size_t rows,
			       struct conduct_table **ret_table)
{
	struct conduct_table *t = calloc(1, sizeof(*t));

	WD_CHECK(rows > 0 && (rows & (rows - 1)) == 0);
	if (t == NULL)
		return WD_NOMEM;
	t->memory = calloc(1, rows * (sizeof(*t->rows) + sizeof(*t->clients)) + CACHE_LINE);
	if (t->memory == NULL) {
		free(t);
		return WD_NOMEM;
	}
	uint8_t *begin = t->memory;
	begin += -(uintptr_t)begin & (CACHE_LINE - 1);
	t->rows = (void *)begin;
	t->clients = (void *)(begin + rows * sizeof(*t->rows));
	t->key = *key;
	t->mask = rows - 1;
	*ret_table = t;
	return WD_OK;
}

void conduct_table_close(struct conduct_table *t)
{
	if (t != NULL)
		free(t->memory);
	free(t);
}

void conduct_init(struct conduct *c, struct conduct_table *t, const char *service)
{
	memset(c, 0, sizeof(*c));
	c->table = t;
	c->salt = text_hash(&t->key, service, strlen(service));
}

/* Which text it is, by its ends: for "the same as before?", not for counting. */
static uint64_t quick(struct text_span s)
{
	uint64_t first = 0, last = 0;

	if (s.len >= 8) {
		memcpy(&first, s.at, 8);
		memcpy(&last, s.at + s.len - 8, 8);
	} else {
		for (uint32_t i = 0; i < s.len; i++)
			first = first << 8 | (uint8_t)s.at[i];
	}
	return hash_mix(hash_mix(first + s.len) ^ last);
}

/* Of what sort a path is: digits, and letters that numbers of base 16 have, are left out, so that
 * /user/17 and /user/18, which an API may miss both, are one. */
static uint64_t sort_of(struct text_span path)
{
	uint64_t h = 0;

	for (uint32_t i = 0; i < path.len && i < 128; i++) {
		char c = path.at[i];
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
		if (!digit)
			h = (h + (uint8_t)c) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return hash_mix(h);
}

/* Was it not seen before? Forgets all when most bits are set. */
static bool is_new(struct conduct_client *k, uint64_t hash)
{
	if (k->seen_count == 0)
		memset(k->seen, 0, sizeof(k->seen));
	uint64_t *word = &k->seen[hash >> 8 & 3], bit = UINT64_C(1) << (hash & 63);
	bool fresh = (*word & bit) == 0;

	*word |= bit;
	k->seen_count += fresh;
	if (k->seen_count > 192)
		k->seen_count = 0;
	return fresh;
}

/* Levels are numbers: what fmaxf() does for others costs a call. */
static float max_of(float a, float b) { return a > b ? a : b; }
static float min_of(float a, float b) { return a < b ? a : b; }

/* ---- the table ---- */

struct place { struct conduct_row *row; struct conduct_client *clients; unsigned way; };

static float standing(const struct conduct_row *row, const struct conduct_client *client,
		      unsigned way, int64_t now)
{
	float most = 0;

	if (row->tag[way] == 0)
		return -1;
	if (row->state[way] != CONDUCT_LOADED && now >= row->at[way])
		return 0;
	for (unsigned i = 0; i < CLIENT_KINDS; i++) {
		float level = row->state[way] == CONDUCT_LOADED ? client[way].level[i] : 0;
		float left = level - buckets[i].drain_s * (float)(now - row->at[way]);
		most = max_of(most, left / buckets[i].capacity);
	}
	return most;
}

static size_t row_of(const struct conduct_table *t, uint64_t hash)
{
	return hash >> 32 & t->mask;
}

/* Mostly nobody in the row stands out: then the one that was quiet longest. Of a free place `at`
 * is 0. */
static unsigned quietest(const struct conduct_row *row)
{
	unsigned a = row->at[1] < row->at[0], b = 2 + (row->at[3] < row->at[2]);

	return row->at[b] < row->at[a] ? b : a;
}

static unsigned least_of(const struct conduct_row *row, const struct conduct_client *clients,
			 int64_t now)
{
	float lowest = INFINITY;
	unsigned least = 0, loaded = 0;
	int64_t later = 0; /* below 0: some are after this request */

	for (unsigned i = 0; i < CONDUCT_WAYS; i++) {
		loaded |= row->state[i] & CONDUCT_LOADED;
		later |= now - row->at[i];
	}
	if (loaded == 0 && later >= 0)
		return quietest(row);
	for (unsigned i = 0; i < CONDUCT_WAYS; i++) {
		float s = standing(row, clients, i, now);
		if (s < lowest || (s <= lowest && row->at[i] < row->at[least])) {
			lowest = s;
			least = i;
		}
	}
	return least;
}
_Static_assert(CONDUCT_WAYS == 4, "quietest() looks at four");

static struct place place_of(struct conduct_table *t, uint64_t hash, int64_t now)
{
	size_t at = row_of(t, hash);
	struct place p = {&t->rows[at], t->clients[at], 0};
	struct conduct_row *row = p.row;
	uint32_t tag = (uint32_t)hash | 1;

	for (; p.way < CONDUCT_WAYS; p.way++)
		if (row->tag[p.way] == tag)
			return p;
	p.way = least_of(row, p.clients, now);
	row->tag[p.way] = tag;
	row->at[p.way] = now;
	row->state[p.way] = CONDUCT_BLANK;
	return p;
}

/* The record, made one of nothing known if it is another's. Member by member: a compiler makes
 * a slow instruction of a memset of this length. */
static struct conduct_client *place_take(struct place p)
{
	struct conduct_client *k = &p.clients[p.way];

	k->at = p.row->at[p.way];
	if (p.row->state[p.way] != CONDUCT_BLANK)
		return k;
	memset(k->level, 0, sizeof(k->level));
	k->path = k->query = 0;
	k->pages = k->led = k->missing = k->marked = 0;
	memset(k->noted, 0, sizeof(k->noted));
	k->seen_count = 0;
	return k; /* is_new() and add() begin with the rest */
}

static void place_keep(struct place p)
{
	const struct conduct_client *k = &p.clients[p.way];
	bool loaded = false;

	for (unsigned i = 0; i < CLIENT_KINDS; i++)
		loaded |= k->level[i] > 0;
	p.row->at[p.way] = k->at;
	p.row->state[p.way] = loaded ? CONDUCT_LOADED : CONDUCT_IDLE;
}

static void drain(struct conduct_client *k, const struct bucket *all, int64_t now)
{
	if (now <= k->at)
		return;
	float seconds = (float)(now - k->at);

	for (unsigned i = 0; i < CLIENT_KINDS; i++)
		k->level[i] = max_of(k->level[i] - all[i].drain_s * seconds, 0);
	k->at = now;
}

/* ---- notes ---- */

static int64_t since_of(const struct conduct_client *k, enum client_kind kind)
{
	return k->at - (int64_t)((uint32_t)k->at - k->since[kind]);
}

/* Its note; NULL if there is none, or not any more. */
static struct client_note *note_of(struct conduct *c, struct conduct_client *k,
				   enum client_kind kind, const struct request *r)
{
	if (k->noted[kind] == 0)
		return NULL;
	struct client_note *n = &c->notes[k->noted[kind] - 1];
	bool many = k == &c->all;
	bool same = many || (n->family == r->family &&
			     memcmp(n->client, r->client, sizeof(n->client)) == 0);

	if (n->requests > 0 && n->kind == kind && n->many == many && same)
		return n;
	k->noted[kind] = 0;
	return NULL;
}

/* A free place; NULL if there is none. */
static struct client_note *note_room(struct conduct *c)
{
	for (uint32_t i = 0; i < c->note_count; i++)
		if (c->notes[i].requests == 0)
			return &c->notes[i];
	return c->note_count < CLIENT_NOTES_MAX ? &c->notes[c->note_count++] : NULL;
}

static void note(struct conduct *c, struct conduct_client *k, enum client_kind kind,
		 const struct request *r)
{
	struct client_note *n = note_of(c, k, kind, r);
	bool many = k == &c->all;

	if (n == NULL && (n = note_room(c)) == NULL) {
		c->notes_dropped++;
		c->dropped_at = k->at;
		c->changes++;
		k->level[kind] = 0;
		return;
	}
	if (k->noted[kind] == 0) {
		*n = (struct client_note){
			.kind = (uint8_t)kind, .family = r->family, .many = many,
			.queries = many ? c->all.query != 0 : k->query != quick(r->query),
			.requests = k->hits[kind] - 1,
			.posts = r->method == REQUEST_POST, .began = wall_s(since_of(k, kind))};
		if (!many)
			memcpy(n->client, r->client, sizeof(n->client));
		k->noted[kind] = (uint8_t)(n - c->notes + 1);
	}
	n->requests++;
	n->missing = k->missing;
	n->marked = k->marked;
	n->last = wall_s(k->at);
	c->changes++;
}
_Static_assert(CLIENT_NOTES_MAX < UINT8_MAX, "a note's place is kept in a byte");

void conduct_forget(struct conduct *c, int64_t before)
{
	for (uint32_t i = 0; i < c->note_count; i++) {
		struct client_note *n = &c->notes[i];
		if (n->requests == 0 || wall_to_s(n->last) >= before)
			continue;
		n->requests = 0;
		c->changes++;
	}
	if (c->notes_dropped > 0 && c->dropped_at < before) {
		c->notes_dropped = 0;
		c->changes++;
	}
}

size_t conduct_notes(const struct conduct *c, struct client_note dst[CLIENT_NOTES_MAX])
{
	size_t count = 0;

	for (uint32_t i = 0; i < c->note_count; i++)
		if (c->notes[i].requests > 0)
			dst[count++] = c->notes[i];
	return count;
}

static bool is_missing(const struct request *r)
{
	return r->status == 404 || r->status == 400 || r->status == 410 || r->status == 403 ||
	       r->status == 405 || r->status == 501;
}

/* Where those miss much who do not stand out, the service has lost its pages. */
static bool is_lost(const struct conduct *c)
{
	return c->all.pages >= others_min &&
	       (float)c->all.missing >= share_lost * (float)c->all.pages;
}

static void see_others(struct conduct *c, const struct conduct_client *k, const struct request *r)
{
	if (k->level[CLIENT_PROBE] >= weak_spot)
		return;
	c->all.pages++;
	c->all.missing += is_missing(r);
	if (c->all.pages > others_max) {
		c->all.pages /= 2;
		c->all.missing /= 2;
	}
}

static bool is_convincing(const struct conduct *c, const struct conduct_client *k,
			  enum client_kind kind)
{
	float pages = max_of((float)k->pages, 1);

	if (kind == CLIENT_PROBE && k->marked < 3 && is_lost(c))
		return false;
	if (kind == CLIENT_PROBE)
		return (float)(k->missing + k->marked) >= share_probe * pages || k->marked >= 5;
	if (kind == CLIENT_LOGIN)
		return (float)k->hits[kind] >= share_login * pages;
	return (float)k->led <= share_led * pages;
}

static void add(struct conduct *c, struct conduct_client *k, enum client_kind kind, float weight,
		const struct request *r)
{
	bool noted = note_of(c, k, kind, r) != NULL;

	if (k->level[kind] <= 0 && !noted) {
		k->hits[kind] = 0;
		k->since[kind] = (uint32_t)k->at;
	}
	k->hits[kind]++;
	k->level[kind] = min_of(k->level[kind] + weight, 2 * buckets[kind].capacity);
	if (noted ||
	    (k->level[kind] > buckets[kind].capacity && is_convincing(c, k, kind)))
		note(c, k, kind, r);
}

/* ---- the rules ---- */

static bool is_refused(const struct request *r)
{
	return r->status >= 400 && r->status < 500 && r->status != 401;
}

/* All for which see_probe() counts an asset. */
static bool asset_counts(uint8_t tool, const struct request *r, bool injection)
{
	return tool == CONDUCT_SCANNER || injection ||
	       (r->method == REQUEST_CONNECT && is_refused(r));
}

static void see_probe(struct conduct *c, struct conduct_client *k, const struct request *r,
		      bool asset, bool injection)
{
	bool refused_it = is_refused(r);
	bool fetches = r->method == REQUEST_GET || r->method == REQUEST_HEAD ||
		       r->method == REQUEST_POST;
	bool hidden = r->path.len > 1 && r->path.at[1] == '.';
	float weight = 0;

	if (k->tool == CONDUCT_SCANNER || (r->method == REQUEST_CONNECT && refused_it))
		weight = injected;
	else if (injection)
		weight = is_new(k, quick(r->path) + quick(r->query)) ? injected : injected_again;
	else if (r->malformed)
		/* A balancer's health check connects and says nothing: that is no word. */
		weight = r->path.len > 0 && is_missing(r) && is_new(k, quick(r->path)) ? missed : 0;
	else if ((refused_it || hidden) && !asset && !conduct_is_usual_miss(r->path) &&
		 conduct_is_weak_spot(r->path) && is_new(k, sort_of(r->path)))
		weight = weak_spot;
	if (weight > missed)
		k->marked++;
	else if (weight > 0)
		k->missing++;
	if (weight <= 0 && is_missing(r) && fetches && !asset && k->tool != CONDUCT_CRAWLER &&
	    !conduct_is_usual_miss(r->path) && is_new(k, sort_of(r->path))) {
		k->missing++;
		weight = missed;
	}
	if (weight > 0)
		add(c, k, CLIENT_PROBE, weight, r);
}

/* All together: level up or down, and a note when it is full. */
static void add_all(struct conduct *c, enum client_kind kind, float weight,
		    const struct request *r)
{
	struct conduct_client *k = &c->all;
	const struct bucket *b = &buckets_all[kind];

	drain(k, buckets_all, wall_to_s(r->at));
	if (weight > 0 && k->level[kind] <= 0 && note_of(c, k, kind, r) == NULL) {
		k->hits[kind] = 0;
		k->since[kind] = (uint32_t)wall_to_s(r->at);
	}
	k->hits[kind] += weight > 0;
	k->level[kind] = min_of(max_of(k->level[kind] + weight, 0), 2 * b->capacity);
	if (weight > 0 && k->level[kind] > b->capacity)
		note(c, k, kind, r);
}

static void see_login(struct conduct *c, struct conduct_client *k, const struct request *r,
		      bool again)
{
	bool login = r->method == REQUEST_POST && conduct_is_login(r->path);
	bool refusal = r->status == 401 || r->status == 403 || r->status == 422 ||
		       r->status == 429 || r->status == 400;

	if (login && refusal) {
		add(c, k, CLIENT_LOGIN, failed, r);
		add_all(c, CLIENT_LOGIN, failed, r);
	} else if (login && r->status == 200) {
		add(c, k, CLIENT_LOGIN, perhaps_failed, r);
	} else if (login) {
		add_all(c, CLIENT_LOGIN, succeeded, r);
	} else if (r->status == 401) {
		add(c, k, CLIENT_LOGIN, again ? perhaps_failed : refused, r);
	}
}

/* What a page leads to says so; a browser that asks for one thing again and again without is
 * none. Where a log tells neither agent nor referer, nothing is said. */
static void see_volume(struct conduct *c, struct conduct_client *k, const struct request *r,
		       bool again, bool at_once)
{
	bool fetched = r->status >= 200 && r->status < 400 && r->referer.len == 0;
	bool reads = r->method == REQUEST_GET || r->method == REQUEST_HEAD;
	bool poses = k->tool == CONDUCT_BROWSER || k->tool == CONDUCT_LOADER;
	bool api = r->path.len > 4 && (memcmp(r->path.at, "/api", 4) == 0 ||
				       memcmp(r->path.at, "/v1/", 4) == 0 ||
				       memcmp(r->path.at, "/v2/", 4) == 0);

	again &= poses && r->referer.len == 0;
	if (again && at_once)
		c->all.query = k->query != quick(r->query);
	add_all(c, CLIENT_HAMMER, again && at_once ? 1 : other, r);
	if (k->tool == CONDUCT_UNTOLD || k->tool == CONDUCT_CRAWLER)
		return;
	if (fetched && reads && !api && is_new(k, quick(r->path) + 3 * quick(r->query)))
		add(c, k, CLIENT_SCRAPE, 1, r);
	if (again)
		add(c, k, CLIENT_HAMMER, 1, r);
}

/* By a keyed hash of all of it: who could make another agent that is taken for a browser's would
 * have all of that browser's users taken for a scanner. */
static uint8_t tool_of(struct conduct_table *t, struct text_span agent)
{
	uint64_t hash = agent.len > 0 ? text_hash(&t->key, agent.at, agent.len) : 0;
	size_t at = hash >> 32 & (WD_COUNT(t->agents) - 1);

	if (agent.len == 0)
		return CONDUCT_UNTOLD;
	if (t->agents[at].agent != hash) {
		t->agents[at].agent = hash;
		t->agents[at].tool = (uint8_t)conduct_agent_of(agent);
	}
	return t->agents[at].tool;
}

static void see_client(struct conduct *c, struct conduct_client *k, const struct request *r,
		       bool asset, bool injection)
{
	int64_t now = wall_to_s(r->at), before = k->at;

	drain(k, buckets, now);
	k->pages += !asset;
	k->led += !asset && r->referer.len > 0;
	see_probe(c, k, r, asset, injection);
	if (asset)
		return;
	see_others(c, k, r);
	uint64_t path = quick(r->path) + r->method;
	bool again = k->pages > 1 && path == k->path;
	see_login(c, k, r, again && now <= before);
	see_volume(c, k, r, again, now <= before + 1);
	k->path = path;
	k->query = quick(r->query);
}

/* Memory is asked for before it is needed: what clients a row and a record hold is for chance to
 * say, and the wait for both was a third of all time here. */
void conduct_see(struct conduct *c, const struct request *r)
{
	int64_t now = wall_to_s(r->at);
	struct conduct_table *t = c->table;
	uint64_t hash = address_hash(&t->key, r->client, r->family) ^ c->salt;

	__builtin_prefetch(&t->rows[row_of(t, hash)], 1);
	bool asset = web_is_asset(r);
	uint8_t tool = tool_of(t, r->agent);
	struct place p = place_of(t, hash, now);
	int64_t *at = &p.row->at[p.way];
	uint8_t *state = &p.row->state[p.way];

	if (!asset || *state == CONDUCT_LOADED)
		__builtin_prefetch(&p.clients[p.way], 1);
	if (now - *at > forget_s) {
		*state = CONDUCT_BLANK;
		*at = now;
	}
	bool injection = conduct_is_injection(r->path, r->query);
	if (asset && *state != CONDUCT_LOADED && !asset_counts(tool, r, injection)) {
		*at = now > *at ? now : *at;
		return;
	}
	struct conduct_client *k = place_take(p);
	k->tool = tool;
	see_client(c, k, r, asset, injection);
	place_keep(p);
}
