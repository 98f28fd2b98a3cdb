/* SPDX-License-Identifier: Apache-2.0 */
/* What of a request says that somebody searches for weak spots, and how much. */
#include "base/check.h"
#include "detect/conduct_inner.h"
#include "tally/web_mark.h"

#include <string.h>

/* What is an attack by itself: one request is enough. */
static const float attack = 9;
static const float weak_spot = 3, half_spot = 1.5F, hole = 4.5F, missed = 1, missed_twice = 2,
		   missed_half = 0.5F;
/* An injection that a page led to may be what somebody typed there. */
static const float hostile = 5, injected_led = 4, injected_again = 2, attacked_again = 4;
/* Two that were typed are not enough, one with another sign is. */
static const float typed = 4.2F, typed_there = 2, asked_again = 0.5F;
static const float named_user = 2; /* ?author=7 asks for the name of a user */

/* Letters and digits at `at`: how many; is it a number of base 16, as ids have? Letters alone are
 * from `word_max` on. */
static uint32_t piece_of(struct text_span path, uint32_t at, uint32_t word_max, bool *ret_number)
{
	uint32_t i = at;
	bool digits = false, others = false;

	for (; i < path.len; i++) {
		char c = path.at[i], low = (char)(c | 0x20);
		bool digit = c >= '0' && c <= '9', letter = low >= 'a' && low <= 'z';
		if (!digit && !letter)
			break;
		digits |= digit;
		others |= letter && low > 'f';
	}
	*ret_number = !others && (digits || i - at >= word_max);
	return i - at;
}

/* Of what sort a path is: numbers are left out, so that /user/17 and /user/18, which an API may
 * miss both, are one; and of an API all below its third folder. */
static uint64_t sort_of(struct text_span path)
{
	uint32_t folders = web_is_api(path) ? 4 : UINT32_MAX;
	uint32_t word_max = conduct_is_script(path) ? 4 : 1; /* a.php, b.php */
	uint64_t h = 0;
	bool number;

	for (uint32_t i = 0; i < path.len && i < 128;) {
		uint32_t len = piece_of(path, i, word_max, &number), end = i + (len > 0 ? len : 1);
		if (path.at[i] == '/' && --folders == 0)
			break;
		for (; i < end; i++) {
			char c = path.at[i];
			if (!number && c != '-' && (c < '0' || c > '9'))
				h = (h + (uint8_t)c) * UINT64_C(0x9e3779b97f4a7c15);
		}
	}
	return hash_mix(h);
}

static bool is_refused(const struct request *r)
{
	return r->status >= 400 && r->status < 500 && r->status != 401;
}

/* Asks a web server for what only a proxy has. */
static bool is_for_proxy(const struct request *r)
{
	return is_refused(r) && (r->method == REQUEST_CONNECT || (r->absolute && !r->malformed &&
								 r->protocol == REQUEST_H1));
}

bool conduct_asset_counts(const struct conduct_look *look)
{
	return look->tool >= CONDUCT_SCANNER || look->injection ||
	       (look->r->method == REQUEST_CONNECT && is_refused(look->r));
}

/* The list of users, or who the user with this number is. */
static bool is_user_search(const struct request *r)
{
	bool list = span_ends(r->path, "/wp/v2/users") || span_ends(r->path, "/wp/v2/users/") ||
		    span_starts(r->query, "rest_route=/wp/v2/users");
	bool one = r->path.len <= 10 && r->query.len > 7 && span_starts(r->query, "author=") &&
		   r->query.at[7] >= '0' && r->query.at[7] <= '9';

	return (list || one) && r->referer.len == 0 && r->status < 500;
}

/* "${jndi:…" and "() { :;}" where a page should stand. */
static bool is_trap(const struct conduct *c, struct text_span referer)
{
	const char *at = referer.len > 1 ? memchr(referer.at, '$', referer.len - 1) : NULL;

	if (at != NULL && at[1] == '{')
		return conduct_injection_of(&c->table->lists, (struct text_span){NULL, 0},
					    referer) == CONDUCT_SURE;
	return referer.len > 1 && memcmp(referer.at, "()", 2) == 0;
}

/* Of this service's clients: hashed once a request. */
uint64_t conduct_path_hash(const struct conduct *c, struct conduct_look *look)
{
	const struct request *r = look->r;

	if (look->path == 0 && r->path.len > 0)
		look->path = text_hash(&c->table->key, r->path.at, r->path.len);
	return look->path;
}

/* Paths come again, so what one is is kept of those seen lately. */
enum conduct_sort conduct_spot_seen(const struct conduct *c, struct conduct_look *look)
{
	const uint64_t sorts = 7;
	uint64_t hash = conduct_path_hash(c, look) & ~sorts;
	uint64_t *kept = &c->table->spots[hash >> 32 & (CONDUCT_SPOTS_KEPT - 1)];

	if (hash == 0 || (*kept & ~sorts) != hash)
		*kept = hash | (uint64_t)conduct_spot_of(&c->table->lists, look->r->path);
	return (enum conduct_sort)(*kept & sorts);
}

static enum conduct_sort spot_that_counts(const struct conduct *c, struct conduct_look *look)
{
	const struct request *r = look->r;
	bool led = r->referer.len > 0, refused_it = is_refused(r) || (r->status >= 500 && !led);

	if (!refused_it && (led || look->tool == CONDUCT_CRAWLER))
		return CONDUCT_NONE;
	enum conduct_sort sort = conduct_spot_seen(c, look);
	bool counts = sort >= (refused_it ? CONDUCT_PERHAPS : CONDUCT_SURE);
	/* A backup or a copy has a file of every name. */
	if (look->tool == CONDUCT_FETCHER && sort < CONDUCT_HOLE)
		return CONDUCT_NONE;
	return counts && !conduct_is_usual_miss(r->path) ? sort : CONDUCT_NONE;
}

/* Who has a product asks where it is: a host that does not know it was asked by somebody who
 * searches. A page may lead to what is not there, and crawlers do not tell which did. */
static float weight_spot(const struct conduct_look *look, enum conduct_sort sort)
{
	const struct request *r = look->r;
	bool led = r->referer.len > 0, gone = (r->status == 404 || r->status == 410) && !led;
	bool crawls = look->tool == CONDUCT_CRAWLER;

	if (sort == CONDUCT_HOLE)
		return gone && !crawls && look->tool != CONDUCT_FETCHER ? attack : hole;
	if (sort < CONDUCT_SURE && (led || crawls))
		return led ? missed : half_spot;
	if (sort == CONDUCT_PRODUCT)
		return gone ? hole : weak_spot;
	return sort == CONDUCT_SURE && is_refused(r) && !led && !crawls ? hole : weak_spot;
}

/* A program that is to be put there. */
static bool is_upload(const struct conduct_look *look)
{
	static const char *const programs[] = {".jsp", ".php", ".asp"};
	const struct request *r = look->r;
	bool found = false;

	if (r->method != REQUEST_PUT || !is_refused(r) || look->tool == CONDUCT_FETCHER)
		return false;
	for (size_t i = 0; i < WD_COUNT(programs) && r->path.len > 0; i++)
		found |= memmem(r->path.at, r->path.len, programs[i], 4) != NULL;
	return found;
}

static float weight_injected(struct conduct_client *k, const struct conduct_look *look)
{
	const struct request *r = look->r;
	bool sure = look->injection == CONDUCT_SURE, led = r->referer.len > 0;
	/* Where the log does not tell, a page may have led there. */
	bool untold = r->unreferred || look->tool == CONDUCT_UNTOLD;
	bool named = look->tool == CONDUCT_CRAWLER || look->tool == CONDUCT_FETCHER;

	if (!conduct_is_new(k, conduct_quick(r->path) + conduct_quick(r->query)))
		return sure ? attacked_again : led ? asked_again : injected_again;
	if (sure)
		return led || named ? hostile : attack;
	if (look->injection == CONDUCT_TYPED)
		return led ? typed_there : typed;
	return led || untold ? injected_led : hostile;
}

/* Words of the path that only a search has, if they count; 0: none. */
static float weight_named(const struct conduct *c, struct conduct_client *k,
			  struct conduct_look *look)
{
	const struct request *r = look->r;
	enum conduct_sort sort = spot_that_counts(c, look);
	/* Owners ask for a page and send a form there; of others' products each counts. */
	uint64_t way = sort == CONDUCT_PRODUCT || sort == CONDUCT_HOLE ? r->method : 0;

	return sort != CONDUCT_NONE && conduct_is_new(k, sort_of(r->path) + way)
		       ? weight_spot(look, sort)
		       : 0;
}

/* What says by itself that somebody searches; 0: nothing. Signs of different kinds add up. */
static float weight_marked(const struct conduct *c, struct conduct_client *k,
			   struct conduct_look *look)
{
	const struct request *r = look->r;
	bool plain = !r->malformed && !look->asset;
	float weight =
		look->tool == CONDUCT_INJECTED || (plain && is_trap(c, r->referer)) ? attack : 0;

	if (look->tool == CONDUCT_SCANNER || (r->method == REQUEST_CONNECT && is_refused(r)))
		weight = hostile;
	if (look->injection != CONDUCT_NONE)
		weight += weight_injected(k, look);
	if (!plain)
		return weight;
	if (is_for_proxy(r) &&
	    conduct_is_new(k, conduct_quick(r->host))) /* some logs have it always */
		weight += weak_spot;
	if (is_user_search(r))
		return weight + (conduct_is_new(k, conduct_quick(r->query)) ? named_user : 0);
	if (is_upload(look) && conduct_is_new(k, conduct_quick(r->path)))
		weight += weak_spot;
	return weight + weight_named(c, k, look);
}

/* What may be an error, but not often. */
static float weight_missed(struct conduct_client *k, const struct conduct_look *look)
{
	const struct request *r = look->r;
	bool led = r->referer.len > 0;

	if (r->malformed)
		/* A balancer's health check connects and says nothing: that is no word. */
		return r->path.len > 0 && conduct_is_missing(r) &&
		       conduct_is_new(k, conduct_quick(r->path));
	if (look->asset || look->tool == CONDUCT_CRAWLER || look->tool == CONDUCT_FETCHER)
		return 0;
	if (r->method == REQUEST_OTHER)
		return r->status == 400 || r->status == 405 || r->status == 501 ? missed_half : 0;
	if (r->method == REQUEST_OPTIONS || r->method == REQUEST_CONNECT ||
	    (!conduct_is_missing(r) && (r->status != 401 || led)) ||
	    conduct_is_usual_miss(r->path) || !conduct_is_new(k, sort_of(r->path)))
		return 0;
	if (r->status == 401)
		return missed_half;
	/* Forms have a page; what programs send is mostly an API. */
	bool sent = r->method == REQUEST_POST && !web_is_api(r->path);
	bool script = conduct_is_script(r->path);
	return led || (!sent && !script) ? missed : sent && script ? weak_spot : missed_twice;
}

void conduct_see_probe(struct conduct *c, struct conduct_client *k, struct conduct_look *look)
{
	float weight = weight_marked(c, k, look);

	if (weight >= hostile && look->injection == CONDUCT_SURE && k->marked == 0)
		conduct_add_all(c, CLIENT_PROBE, 1, look->r);
	if (weight > 0)
		k->marked++;
	else if ((weight = weight_missed(k, look)) > 0)
		k->missing++;
	if (weight > 0)
		conduct_add(c, k, CLIENT_PROBE, weight, look->r);
}
