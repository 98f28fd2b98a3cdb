/* SPDX-License-Identifier: Apache-2.0 */
/* What a request counts for, by what it gives away. */
#include "base/check.h"
#include "detect/conduct_inner.h"
#include "tally/web_mark.h"

#include <string.h>

/* - PROBE: nine different things that are not there, faster than one in ten seconds, three that
 *   only a search asks for, or one that is an attack by itself. Links that broke are few, or are
 *   followed once.
 * - LOGIN: ten failed sign-ins, faster than one in ten seconds. People fail three times, and not
 *   twice within a second. A program whose password has expired is refused at a steady pace: a
 *   refusal (401) of the same thing counts little unless there are several in a second.
 * - SCRAPE: forty different pages that no page led to, faster than one in two seconds.
 * - HAMMER: two hundred times the same, faster than five a second; fewer of what nobody sends. */
const struct conduct_bucket conduct_buckets[CLIENT_KINDS] = {
	[CLIENT_PROBE] = {8.5F, 0.1F}, [CLIENT_LOGIN] = {9.5F, 0.1F},
	[CLIENT_SCRAPE] = {40, 0.5F},	[CLIENT_HAMMER] = {200, 5},
};

/* The same of all clients together, where success takes twice as much out as failure brings in:
 * more than two thirds of all sign-ins must fail; and more than half of all requests must be
 * repetitions within a second, a thousand of them. Five clients whose first word is an attack,
 * faster than one in a minute. */
static const struct conduct_bucket buckets_all[CLIENT_KINDS] = {
	[CLIENT_PROBE] = {4.1F, 1 / 60.0F},
	[CLIENT_LOGIN] = {60, 0.5F}, [CLIENT_HAMMER] = {1000, 20},
};
static const float succeeded = -2, other = -1;

static const float failed = 1, perhaps_failed = 0.5F, refused = 0.05F, turned_away = 0.75F;
static const float seldom_failed = 0.25F; /* an API that answers 200, too: most do if all is well */
static const float at_once = 2; /* so many times that: faster than people type */
/* In units of HAMMER: a version of HTTP that there is not; a query whose name is new each time,
 * which no link has; and a new agent each time. */
static const float odd_version = 25, made_up = 8, masked = 18;
static const int64_t page_bytes_min = 64; /* a beacon is answered with less */
static const uint8_t run_min = 5;
static const unsigned masks_min = 12, masks_max = 64; /* then half of them is forgotten */
static const float masks_share = 0.85F;
/* So much of what a client asks for must count, for it to be no user who also errs. */
static const float share_probe = 0.4F, share_login = 0.4F, share_led = 0.1F;
static const float share_lost = 0.25F, stands_out = 3; /* of a search */
static const uint32_t others_min = 16, others_max = 64; /* then half of them is forgotten */
/* More are mistaken for each other too often. */
static const unsigned seen_max = 96;

/* Was it not seen before? */
bool conduct_is_new(struct conduct_client *k, uint64_t hash)
{
	if (k->seen_count == 0)
		memset(k->seen, 0, sizeof(k->seen));
	uint64_t *word = &k->seen[hash >> 8 & 3], bit = UINT64_C(1) << (hash & 63);
	bool fresh = (*word & bit) == 0;

	*word |= bit;
	k->seen_count = (uint8_t)(k->seen_count + fresh);
	if (k->seen_count > seen_max)
		k->seen_count = 0;
	return fresh;
}

bool conduct_is_missing(const struct request *r)
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
	if (k->level[CLIENT_PROBE] >= stands_out)
		return;
	c->all.pages++;
	c->all.missing += conduct_is_missing(r);
	if (c->all.pages > others_max) {
		c->all.pages /= 2;
		c->all.missing /= 2;
	}
}

static bool is_convincing(const struct conduct *c, const struct conduct_client *k,
			  enum client_kind kind)
{
	float pages = max_of((float)k->pages, 1);

	if (kind == CLIENT_PROBE && k->marked < 3 && k->missing >= k->marked && is_lost(c))
		return false;
	if (kind == CLIENT_PROBE)
		return (float)(k->missing + k->marked) >= share_probe * pages || k->marked >= 5;
	if (kind == CLIENT_LOGIN)
		return (float)k->hits[kind] >= share_login * pages;
	return (float)k->led <= share_led * pages;
}

void conduct_add(struct conduct *c, struct conduct_client *k, enum client_kind kind, float weight,
		 const struct request *r)
{
	const struct conduct_bucket *b = &conduct_buckets[kind];
	bool noted = conduct_note_of(c, k, kind, r) != NULL;

	if (k->level[kind] <= 0 && !noted) {
		k->hits[kind] = 0;
		k->since[kind] = (uint32_t)k->at;
	}
	k->hits[kind]++;
	k->level[kind] = min_of(k->level[kind] + weight, 2 * b->capacity);
	if (noted || (k->level[kind] > b->capacity && is_convincing(c, k, kind)))
		conduct_note(c, k, kind, r);
}

/* All together: level up or down, and a note when it is full. */
void conduct_add_all(struct conduct *c, enum client_kind kind, float weight,
		     const struct request *r)
{
	struct conduct_client *k = &c->all;
	const struct conduct_bucket *b = &buckets_all[kind];

	conduct_drain(k, buckets_all, wall_to_s(r->at));
	if (weight > 0 && k->level[kind] <= 0 && conduct_note_of(c, k, kind, r) == NULL) {
		k->hits[kind] = 0;
		k->since[kind] = (uint32_t)wall_to_s(r->at);
	}
	k->hits[kind] += weight > 0;
	k->level[kind] = min_of(max_of(k->level[kind] + weight, 0), 2 * b->capacity);
	if (weight > 0 && k->level[kind] > b->capacity)
		conduct_note(c, k, kind, r);
}

/* ---- sign-ins ---- */

/* What the last page of the client was, and how soon this one came. */
struct before { bool again, altered, tried, challenged, soon, same_second; int64_t at; };

/* WordPress answers 200 to a wrong password alone: the right one leads on. */
static bool fails_with_200(const struct request *r)
{
	return span_ends(r->path, "/wp-login.php") &&
	       (r->query.len == 0 || memmem(r->query.at, r->query.len, "action=", 7) == NULL);
}

static bool is_program(const struct conduct_look *look)
{
	return look->tool != CONDUCT_BROWSER && look->tool != CONDUCT_LOADER;
}

/* A POST to a login that was not refused: a form answers 200 with itself to a wrong password, an
 * API to a right one, and others lead back to the form. Who comes again at once was not let in. */
static float weight_answered(const struct conduct_look *look, const struct before *b)
{
	const struct request *r = look->r;
	bool api = web_is_api(r->path), page = conduct_is_script(r->path);
	bool program = is_program(look) && (look->tool != CONDUCT_UNTOLD || api);

	if (r->status == 200 && span_ends(r->path, "token"))
		return 0; /* what it asked for */
	if (r->status == 200 && program && api)
		return seldom_failed;
	if (r->status == 200)
		return b->tried && (!program || page) ? failed : perhaps_failed;
	if (r->status < 300 || r->status >= 400 || !b->tried)
		return 0;
	return program ? perhaps_failed : turned_away;
}

static void see_sign_in(struct conduct *c, struct conduct_client *k,
			const struct conduct_look *look, const struct before *b)
{
	const struct request *r = look->r;
	bool fails = r->status == 401 || r->status == 403 || r->status == 422 ||
		     r->status == 429 || r->status == 400 || r->status == 405 ||
		     (r->status == 200 && fails_with_200(r));
	float weight = fails ? failed : weight_answered(look, b);

	if (fails || (r->status != 200 && weight <= 0))
		conduct_add_all(c, CLIENT_LOGIN, fails ? failed : succeeded, r);
	if (b->tried && b->soon && (fails || !is_program(look)))
		weight *= at_once;
	if (weight > 0)
		conduct_add(c, k, CLIENT_LOGIN, weight, r);
}

/* 401 to what does not say that it is a login, and 403 to a POST. */
static void see_refusal(struct conduct *c, struct conduct_client *k,
			struct conduct_look *look, const struct before *b)
{
	const struct request *r = look->r;
	bool posts = r->method == REQUEST_POST && !is_program(look);
	bool named = look->tool == CONDUCT_CRAWLER; /* a server that talks to servers */
	float weight = b->again && b->same_second && !named ? perhaps_failed : refused;

	if (r->status == 401 && b->again && conduct_spot_seen(c, look) != CONDUCT_NONE)
		weight = turned_away;
	else if (posts && r->referer.len > 0)
		weight = max_of(weight, seldom_failed);
	else if (posts)
		weight = b->again && b->same_second ? at_once * turned_away : turned_away;
	else if (r->status == 403)
		return;
	conduct_add(c, k, CLIENT_LOGIN, weight, r);
}

/* Some of the agent's bits, to tell people behind one address apart. */
static unsigned last_agent(const struct conduct_look *look)
{
	return (unsigned)(look->agent << 1 & 0xff) & ~3U; /* its lowest bit is always set */
}

static bool is_login(const struct conduct *c, const struct request *r)
{
	enum conduct_sort sort = conduct_login_of(&c->table->lists, r->path, r->query);
	bool denied = r->status == 401 || r->status == 403 || r->status == 422;

	return sort == CONDUCT_SURE ||
	       (sort == CONDUCT_PERHAPS && denied && r->method == REQUEST_POST);
}

static void see_login(struct conduct *c, struct conduct_client *k, struct conduct_look *look,
		      const struct before *b)
{
	const struct request *r = look->r;
	bool posts = r->method == REQUEST_POST;
	bool login = (posts || b->tried) && is_login(c, r);

	k->last = login ? (uint8_t)(1 << CONDUCT_TRIED | last_agent(look)) : 0;
	if (login && posts)
		see_sign_in(c, k, look, b);
	else if (r->status == 401 || (posts && r->status == 403))
		see_refusal(c, k, look, b);
	else if (b->challenged && b->again && r->status < 400)
		/* It was asked for its password, and had it. */
		k->level[CLIENT_LOGIN] = max_of(k->level[CLIENT_LOGIN] - failed, 0);
	if (r->status == 401)
		k->last |= 1 << CONDUCT_REFUSED;
}

/* ---- many requests ---- */

/* One client, one page, and an agent that it did not have before, most of the time. Where many
 * stand behind one address, some agents are common. */
static bool is_masked(struct conduct_client *k, const struct conduct_look *look)
{
	bool fresh = conduct_is_new(k, look->agent >> 1); /* its lowest bit is always set */

	k->masks++;
	k->masks_new = (uint8_t)(k->masks_new + fresh);
	if (k->masks > masks_max) {
		k->masks /= 2;
		k->masks_new /= 2;
	}
	return fresh && k->masks >= masks_min &&
	       (float)k->masks_new >= masks_share * (float)k->masks;
}

/* Has its query a name that none had before? */
static bool is_made_up(struct conduct_client *k, const struct request *r)
{
	bool reads = r->method == REQUEST_GET || r->method == REQUEST_HEAD;
	struct text_span key = reads && r->query.len > 0 ? web_key_of(r)
							  : (struct text_span){NULL, 0};

	return key.len > 0 && conduct_is_new(k, conduct_quick(key) + 1);
}

/* Once a request. */
static bool is_poll(struct conduct_look *look)
{
	if (look->poll == 0)
		look->poll = 1 + web_is_poll(look->r);
	return look->poll == 2;
}

/* Is it one more page of many? Files are what is fetched by links of other programs; a query that
 * is the time of day asks for the same again. */
static bool is_copied(const struct conduct *c, struct conduct_client *k,
		      struct conduct_look *look)
{
	const struct request *r = look->r;
	bool nothing = r->method == REQUEST_GET && r->status < 300 && r->bytes >= 0 &&
		       r->bytes < page_bytes_min;

	if (r->status < 200 || r->status >= 400 || nothing || r->referer.len > 0 ||
	    web_is_api(r->path) || look->tool == CONDUCT_FETCHER ||
	    look->tool >= CONDUCT_SCANNER || look->injection || conduct_is_file(r->path) ||
	    is_poll(look))
		return false;
	return conduct_is_new(k, conduct_path_hash(c, look) + 3 * conduct_quick(r->query));
}

/* What a page leads to says so; a browser that asks for one thing again and again without is
 * none. Where a log tells neither agent nor referer, nothing is said. */
static void see_volume(struct conduct *c, struct conduct_client *k, struct conduct_look *look,
		       const struct before *b)
{
	const struct request *r = look->r;
	bool reads = r->method == REQUEST_GET || r->method == REQUEST_HEAD;
	bool poses = look->tool == CONDUCT_BROWSER || look->tool == CONDUCT_LOADER;
	bool alone = b->again && r->referer.len == 0, again = alone && poses;
	/* Who is turned away from all and comes back at once asks nothing. */
	float weight = again || (poses && reads && r->status == 403 && r->referer.len == 0);

	if (again && b->soon)
		c->all.query = b->altered;
	/* What is new since then: a page that waits asks so, once a second at most. */
	bool waits = again && !b->same_second && is_poll(look);
	conduct_add_all(c, CLIENT_HAMMER, again && b->soon && !waits ? 1 : other, r);
	if (r->protocol == REQUEST_ODD && !r->malformed)
		weight = odd_version;
	else if (alone && look->agent != 0 && is_masked(k, look))
		weight = masked;
	else if (look->tool == CONDUCT_CRAWLER)
		return;
	else if (alone && (poses || look->tool == CONDUCT_UNTOLD) && is_made_up(k, r))
		weight = made_up;
	else if (reads && look->tool != CONDUCT_UNTOLD && !r->unreferred && is_copied(c, k, look))
		conduct_add(c, k, CLIENT_SCRAPE, 1, r);
	if (weight > 0)
		conduct_add(c, k, CLIENT_HAMMER, weight, r);
}

/* Does it ask for one page six times in a row and more, hardly two seconds between two, with
 * another query each time, and no page leads there? Pages that wait for news say the time. Who has
 * a browser and reads or types is slower, asks for what belongs to the page, or comes from it. */
static bool is_running(struct conduct_client *k, struct conduct_look *look,
		       const struct before *b)
{
	const struct request *r = look->r;
	bool reads = r->method == REQUEST_GET || r->method == REQUEST_HEAD;
	bool goes_on = b->again && b->altered && reads && look->tool == CONDUCT_BROWSER &&
		       r->query.len > 0 && r->referer.len == 0 && wall_to_s(r->at) <= b->at + 2 &&
		       !is_poll(look);

	k->run = goes_on ? (uint8_t)(k->run + (k->run < UINT8_MAX)) : 0;
	return k->run >= run_min;
}

bool conduct_judge(struct conduct *c, struct conduct_client *k, struct conduct_look *look)
{
	const struct request *r = look->r;
	int64_t now = wall_to_s(r->at), at = k->at;

	conduct_drain(k, conduct_buckets, now);
	k->pages += !look->asset;
	k->led += !look->asset && r->referer.len > 0;
	conduct_see_probe(c, k, look);
	if (look->asset)
		return false;
	see_others(c, k, r);
	uint64_t path = conduct_quick(r->path) + r->method;
	uint32_t query = (uint32_t)conduct_quick(r->query);
	const struct before b = {
		.again = k->pages > 1 && path == k->path,
		.altered = query != k->query,
		.at = at,
		.tried = (k->last & 1 << CONDUCT_TRIED) && (k->last & ~3U) == last_agent(look),
		.challenged = k->last & 1 << CONDUCT_REFUSED,
		.soon = now <= at + 1,
		.same_second = now <= at,
	};
	see_login(c, k, look, &b);
	see_volume(c, k, look, &b);
	bool running = is_running(k, look, &b);
	k->path = path;
	k->query = query;
	return running;
}
