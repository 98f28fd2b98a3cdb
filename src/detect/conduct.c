/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/conduct.h"

#include "base/cache_line.h"
#include "base/check.h"
#include "detect/conduct_inner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t forget_s = 1800; /* of quiet; then a client begins anew */

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
	conduct_lists_prepare(&t->lists);
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
		float left = level - conduct_buckets[i].drain_s * (float)(now - row->at[way]);
		most = max_of(most, left / conduct_buckets[i].capacity);
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
	unsigned ways = 0; /* that have the tag, a bit each: which it is, is chance */

	for (unsigned i = 0; i < CONDUCT_WAYS; i++)
		ways |= (unsigned)(row->tag[i] == tag) << i;
	if (ways != 0) {
		p.way = (unsigned)__builtin_ctz(ways);
		return p;
	}
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
	k->path = 0;
	k->query = 0;
	k->run = 0;
	k->pages = k->led = k->missing = k->marked = 0;
	memset(k->noted, 0, sizeof(k->noted));
	k->seen_count = k->last = k->masks = k->masks_new = 0;
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

/* ---- notes ---- */

static int64_t since_of(const struct conduct_client *k, enum client_kind kind)
{
	return k->at - (int64_t)((uint32_t)k->at - k->since[kind]);
}

struct client_note *conduct_note_of(struct conduct *c, struct conduct_client *k,
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

static void note_dropped(struct conduct *c, int64_t now)
{
	c->notes_dropped++;
	c->dropped_at = now;
	c->changes++;
}

/* A free place, else that of who asked but once, longest ago; NULL if there is none. */
static struct client_note *note_room(struct conduct *c, int64_t now)
{
	struct client_note *oldest = NULL;

	for (uint32_t i = 0; i < c->note_count; i++) {
		struct client_note *n = &c->notes[i];
		if (n->requests == 0)
			return n;
		if (n->requests == 1 && (oldest == NULL || wall_before(n->last, oldest->last)))
			oldest = n;
	}
	if (c->note_count < CLIENT_NOTES_MAX)
		return &c->notes[c->note_count++];
	if (oldest != NULL)
		note_dropped(c, now);
	return oldest;
}

void conduct_note(struct conduct *c, struct conduct_client *k, enum client_kind kind,
		  const struct request *r)
{
	struct client_note *n = conduct_note_of(c, k, kind, r);
	bool many = k == &c->all;

	if (n == NULL && (n = note_room(c, k->at)) == NULL) {
		note_dropped(c, k->at);
		k->level[kind] = 0;
		return;
	}
	if (k->noted[kind] == 0) {
		*n = (struct client_note){
			.kind = (uint8_t)kind, .family = r->family, .many = many,
			.queries = many ? c->all.query != 0
					: k->query != (uint32_t)conduct_quick(r->query),
			.requests = k->hits[kind] - 1,
			.posts = r->method == REQUEST_POST, .began = wall_s(since_of(k, kind))};
		if (!many)
			memcpy(n->client, r->client, sizeof(n->client));
		k->noted[kind] = (uint8_t)(n - c->notes + 1);
	}
	n->requests++;
	n->missing = many ? 0 : k->missing;
	n->marked = !many ? k->marked : kind == CLIENT_PROBE ? n->requests : 0;
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

static void see_agent(const struct conduct_table *t, struct web_agent *agent,
		      struct conduct_look *look)
{
	if (agent->tool == CONDUCT_UNTOLD && agent->len > 0)
		agent->tool = (uint8_t)conduct_agent_of(&t->lists, look->r->agent);
	look->agent = agent->hash;
	look->tool = agent->tool;
}

/* "x.php/.css": a program, and an ending that lets it pass as an asset. */
static bool is_disguised(const struct request *r)
{
	return r->status >= 400 && r->path.len > 6 && r->referer.len == 0 &&
	       memmem(r->path.at, r->path.len, ".php/.", 6) != NULL;
}

void conduct_expect(const struct conduct *c, const struct web_facts *facts)
{
	size_t at = row_of(c->table, facts->client ^ c->salt);

	__builtin_prefetch(&c->table->rows[at], 1);
	for (unsigned i = 0; i < CONDUCT_WAYS; i++) /* which of them it is, only the row tells */
		__builtin_prefetch(&c->table->clients[at][i], 1);
}

bool conduct_see(struct conduct *c, const struct request *r, const struct web_facts *facts)
{
	int64_t now = wall_to_s(r->at);
	struct conduct_table *t = c->table;
	uint64_t hash = facts->client ^ c->salt;
	struct conduct_look look = {.r = r};

	look.asset = facts->marks & 1 << WEB_ASSET && !is_disguised(r);
	struct place p = place_of(t, hash, now);
	int64_t *at = &p.row->at[p.way];
	uint8_t *state = &p.row->state[p.way];

	see_agent(t, facts->agent, &look);
	if (now - *at > forget_s) {
		*state = CONDUCT_BLANK;
		*at = now;
	}
	look.injection = (uint8_t)conduct_injection_of(&t->lists, r->path, r->query);
	if (look.asset && *state != CONDUCT_LOADED && !conduct_asset_counts(&look)) {
		*at = now > *at ? now : *at;
		return false;
	}
	struct conduct_client *k = place_take(p);
	bool again = conduct_judge(c, k, &look);
	place_keep(p);
	return again;
}
