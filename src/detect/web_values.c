/* SPDX-License-Identifier: Apache-2.0 */
/* Random values of one name, `GET /?q=3f2a91…`, or of none, `/?81943`, so that no cache has the
 * page. Many honest programs send such values too: beacons, what a page asks for while somebody
 * types, nonces of an API, links in a letter. What they ask for answers by the value, or with next
 * to nothing, and is never asked for without one. A flood asks for a page: the front one, or one
 * that others ask for plainly; it answers all values alike, with as much as a page has. */
#include "detect/web_inner.h"

#include <string.h>

static const uint32_t asked_min = 12, value_min = 6;
static const uint8_t tiny_size = 32; /* 512 bytes */
static const float most_are = 0.8F, none_alike = 0.95F, size_alike = 0.3F;
static const float first_alike = 0.5F; /* ids and times in order begin alike */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }

/* The first value of a query; NULL: it has none. */
static const char *value_of(const struct web_record *r)
{
	const char *value = strchr(r->query, '=');

	if (value == NULL)
		return NULL;
	value++;
	return strncmp(value, "0.", 2) == 0 ? value + 2 : value;
}

/* Numbers, or letters and digits (or capitals and others) in turn: what is typed or named has them
 * side by side once. */
static bool is_random(const char *value)
{
	uint32_t len = 0, turns = 0, digits = 0;

	for (; value[len] != '\0' && value[len] != '&'; len++) {
		char c = value[len], before = len > 0 ? value[len - 1] : c;
		if (!is_digit(c) && !is_letter(c) && c != '-' && c != '_')
			return false;
		digits += is_digit(c);
		turns += is_digit(c) ? is_letter(before)
				     : is_letter(c) && (is_digit(before) ||
							(is_upper(c) && is_letter(before) &&
							 !is_upper(before)));
	}
	return len >= value_min && (digits == len || turns >= 2);
}

static uint32_t most_of(const uint32_t count[256])
{
	uint32_t most = 0;

	for (unsigned i = 0; i < 256; i++)
		most = count[i] > most ? count[i] : most;
	return most;
}

/* What requests for one path have in common. */
struct asked {
	struct web_picked all; /* those with a query: of the form name=value, or of another */
	uint32_t random, tiny, sizes[256], firsts[256];
	bool page; /* it is the front page, or some ask for it plainly */
};

static void look_at(struct asked *a, const struct web_picked *pages, const struct web_record *path,
		    bool named)
{
	memset(a, 0, sizeof(*a));
	a->page = strcmp(path->path, "/") == 0;
	for (uint32_t i = 0; i < pages->count; i++) {
		const struct web_record *r = pages->all[i];
		bool same = r->hash[WEB_PATH] == path->hash[WEB_PATH];
		bool queried = r->hash[WEB_KEY] != 0;
		a->page |= same && !queried;
		web_pick(&a->all, r, same && queried && web_is_named(r) == named);
	}
	for (uint32_t i = 0; i < a->all.count; i++) {
		const struct web_record *r = a->all.all[i];
		const char *value = value_of(r);
		a->sizes[r->size]++;
		a->tiny += r->size < tiny_size && r->status / 100 == 2;
		if (value == NULL || !is_random(value))
			continue;
		a->random++;
		a->firsts[(uint8_t)*value]++;
	}
}

/* Is it a page that answers all of them alike, and no two of them are? */
static bool is_ignored(const struct asked *a)
{
	float all = (float)a->all.count;

	return a->page && a->all.count >= asked_min &&
	       (float)most_of(a->sizes) >= size_alike * all && (float)a->tiny < most_are * all &&
	       (float)web_variety_of(&a->all, WEB_TARGET).different >= none_alike * all;
}

bool web_values_random(const struct web_picked *pages, const struct web_record *path)
{
	struct asked a;

	look_at(&a, pages, path, true);
	return is_ignored(&a) && (float)a.random >= most_are * (float)a.all.count &&
	       (float)most_of(a.firsts) <= first_alike * (float)a.random &&
	       (float)web_variety_of(&a.all, WEB_KEY).most >= most_are * (float)a.all.count;
}

uint32_t web_values_alone(const struct web_picked *pages, const struct web_record *path)
{
	struct asked a;

	look_at(&a, pages, path, false);
	return is_ignored(&a) ? a.all.count : 0;
}
