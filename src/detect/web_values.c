/* SPDX-License-Identifier: Apache-2.0 */
/* Random values of one name: `GET /?q=3f2a91…`, so that no cache has the page. Many honest programs
 * send such values too: beacons, what a page asks for while somebody types, nonces of an API, links
 * in a letter. What they ask for answers by the value, or with next to nothing, and is never asked
 * for without one. A flood asks for a page: the front one, or one that others ask for plainly;
 * it answers all values alike, with as much as a page has. */
#include "detect/web_inner.h"

#include <string.h>

static const uint32_t asked_min = 12, value_min = 6;
static const uint8_t tiny_size = 32; /* 512 bytes */
static const float most_are = 0.8F, none_alike = 0.95F, size_alike = 0.4F;
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

bool web_values_random(const struct web_picked *pages, const struct web_record *path)
{
	uint32_t random = 0, tiny = 0, sizes[256] = {0}, firsts[256] = {0};
	bool page = strcmp(path->path, "/") == 0;
	struct web_picked asked = {0};

	for (uint32_t i = 0; i < pages->count; i++) {
		const struct web_record *r = pages->all[i];
		bool same = r->hash[WEB_PATH] == path->hash[WEB_PATH];
		page |= same && r->hash[WEB_KEY] == 0;
		web_pick(&asked, r, same && r->hash[WEB_KEY] != 0);
	}
	if (!page || asked.count < asked_min)
		return false;
	for (uint32_t i = 0; i < asked.count; i++) {
		const struct web_record *r = asked.all[i];
		const char *value = value_of(r);
		sizes[r->size]++;
		tiny += r->size < tiny_size && r->status / 100 == 2;
		if (value == NULL || !is_random(value))
			continue;
		random++;
		firsts[(uint8_t)*value]++;
	}
	float all = (float)asked.count;
	return (float)random >= most_are * all &&
	       (float)most_of(firsts) <= first_alike * (float)random &&
	       (float)most_of(sizes) >= size_alike * all && (float)tiny < most_are * all &&
	       (float)web_variety_of(&asked, WEB_KEY).most >= most_are * all &&
	       (float)web_variety_of(&asked, WEB_TARGET).different >= none_alike * all;
}
