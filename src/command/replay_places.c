/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_places.h"

#include "base/hash.h"
#include "intake/geo_read.h"

#include <stdlib.h>
#include <string.h>

enum { KNOWN_BITS = 15 };

/* What was answered last, by the address's hash: an incident's sample is asked for again and
 * again. */
struct known { uint8_t address[16], family; struct geo_place place; };

struct replay_places {
	struct replay_places *self; /* what callbacks are given, whose context is constant */
	char *country, *network;    /* paths, owned */
	struct places *files;
	struct geo *table; /* NULL: not made yet */
	bool no_table;     /* it cannot be made */
	uint64_t asked;
	struct known known[1 << KNOWN_BITS];
};

static bool copy_path(const char *path, char **ret_copy)
{
	if (path != NULL && path[0] != '\0')
		*ret_copy = strdup(path);
	return path == NULL || path[0] == '\0' || *ret_copy != NULL;
}

enum wd_err replay_places_open(const struct place_files *files, struct replay_places **ret_places,
			       struct wd_why *why)
{
	struct replay_places *p = calloc(1, sizeof(*p));
	enum wd_err err = WD_NOMEM;
	if (p == NULL)
		return wd_fail(why, err, 0, "memory for places");
	p->self = p;
	if (copy_path(files->country, &p->country) && copy_path(files->network, &p->network)) {
		const struct place_files own = {.country = p->country, .network = p->network};
		err = places_open(&own, &p->files, why);
	} else {
		wd_fail(why, err, 0, "memory for places");
	}
	if (err != WD_OK) {
		replay_places_close(p);
		return err;
	}
	*ret_places = p;
	return WD_OK;
}

void replay_places_close(struct replay_places *p)
{
	if (p == NULL)
		return;
	places_close(p->files);
	geo_close(p->table);
	free(p->country);
	free(p->network);
	free(p);
}

static struct geo_place ask_files(struct replay_places *p, const uint8_t *address, uint8_t family)
{
	uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
	struct geo_place found = {0};
	if (family == 4)
		memcpy(mapped + 12, address, 4);
	else
		memcpy(mapped, address, 16);
	struct place place = places_find(p->files, mapped);
	found.network = place.network;
	memcpy(found.country, place.country, sizeof(found.country));
	return found;
}

static void make_table(struct replay_places *p)
{
	const struct place_files own = {.country = p->country, .network = p->network};
	p->no_table = geo_read(&own, &p->table, NULL) != WD_OK;
}

static struct geo_place find(struct replay_places *p, const uint8_t *address, uint8_t family)
{
	uint64_t words[2];
	memcpy(words, address, sizeof(words));
	size_t at = hash_mix(words[0] ^ hash_mix(words[1] + family)) >> (64 - KNOWN_BITS);
	struct known *k = &p->known[at];
	if (p->table != NULL)
		return geo_find(p->table, family, address);
	if (k->family == family && memcmp(k->address, address, sizeof(k->address)) == 0)
		return k->place;
	if (++p->asked > REPLAY_PLACES_ASKED && !p->no_table)
		make_table(p);
	if (p->table != NULL)
		return geo_find(p->table, family, address);
	*k = (struct known){.family = family, .place = ask_files(p, address, family)};
	memcpy(k->address, address, sizeof(k->address));
	return k->place;
}

static bool find_country(const void *context, const uint8_t *address, uint8_t family, char ret[3])
{
	struct replay_places *const *self = context;
	struct geo_place place = find(*self, address, family);
	memcpy(ret, place.country, 2);
	ret[2] = '\0';
	return ret[0] != '\0';
}

static uint32_t find_network(const void *context, const uint8_t *address, uint8_t family)
{
	struct replay_places *const *self = context;
	return find(*self, address, family).network;
}

struct tracer_places replay_places_of(struct replay_places *p)
{
	return (struct tracer_places){&p->self, find_country, find_network, NULL};
}

bool replay_places_has_table(const struct replay_places *p)
{
	return p->table != NULL;
}
