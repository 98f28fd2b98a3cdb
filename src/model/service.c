/* SPDX-License-Identifier: Apache-2.0 */
/* service: the catalogue. One table holds every word a service is known by (id, name,
 * aliases), without regard to case; each word belongs to one service only, so a look-up has
 * one answer. Open addressing with linear probing, at most half full. */
#include "model/service.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = SERVICE_NAME_MAX }; /* nothing longer is a word of ours */
static_assert((int)SERVICE_ID_MAX <= (int)WORD_MAX, "ids are words");

struct slot { const char *word; uint32_t service; }; /* word NULL = free */

struct catalogue {
	struct service *services;
	size_t count;
	struct slot *slots;
	size_t slot_mask; /* number of slots - 1; a power of two */
	int references;
};

/* The key may be public: strangers look words up, but only the configuration adds any. */
static uint64_t word_hash(const char *word)
{
	static const struct hash_key key = {"catalogue words"};
	char folded[WORD_MAX];
	size_t len = 0;

	for (; word[len] != '\0' && len < WORD_MAX; len++)
		folded[len] = text_lower(word[len]);
	return hash_bytes(&key, folded, len);
}

/* The slot that holds the word, or the free one where it belongs. */
static struct slot *slot_of(const struct catalogue *c, const char *word)
{
	size_t at = word_hash(word) & c->slot_mask;
	while (c->slots[at].word != NULL && !text_same_nocase(c->slots[at].word, word))
		at = (at + 1) & c->slot_mask;
	return &c->slots[at];
}

/* False if the word is another service's. */
static bool word_add(struct catalogue *c, const char *word, uint32_t service)
{
	struct slot *slot = slot_of(c, word);
	if (slot->word != NULL)
		return slot->service == service;
	*slot = (struct slot){word, service};
	return true;
}

static enum wd_err add_ids(struct catalogue *c, struct wd_why *why)
{
	for (uint32_t i = 0; i < c->count; i++) {
		const struct service *s = &c->services[i];
		WD_CHECK(s->id != NULL && s->name != NULL && s->zone != NULL);
		if (strlen(s->id) > SERVICE_ID_MAX || strlen(s->name) > SERVICE_NAME_MAX)
			return wd_fail(why, WD_FULL, i, "an id or a name is too long");
		if (slot_of(c, s->id)->word != NULL)
			return wd_fail(why, WD_MALFORMED, i, "an id is there twice");
		(void)word_add(c, s->id, i);
	}
	return WD_OK;
}

static enum wd_err add_names(struct catalogue *c, struct wd_why *why)
{
	for (uint32_t i = 0; i < c->count; i++) {
		const struct service *s = &c->services[i];
		if (!word_add(c, s->name, i))
			return wd_fail(why, WD_MALFORMED, i,
				       "a name is another service's id, name or alias");
		for (size_t k = 0; k < s->aliases.count; k++) {
			if (strlen(s->aliases.items[k]) > SERVICE_NAME_MAX)
				return wd_fail(why, WD_FULL, i, "an alias is too long");
			if (!word_add(c, s->aliases.items[k], i))
				return wd_fail(why, WD_MALFORMED, i,
					       "an alias is another service's id, name or alias");
		}
	}
	return WD_OK;
}

static enum wd_err check_relies(const struct catalogue *c, struct wd_why *why)
{
	for (uint32_t i = 0; i < c->count; i++) {
		const struct text_list *relies = &c->services[i].relies_on;
		for (size_t k = 0; k < relies->count; k++) {
			if (catalogue_index(c, relies->items[k]) == SIZE_MAX)
				return wd_fail(why, WD_UNKNOWN, i,
					       "relies on a service that is not there");
		}
	}
	return WD_OK;
}

enum wd_err catalogue_open(struct service *services, size_t count, struct catalogue **ret_catalogue,
			   struct wd_why *why)
{
	enum wd_err err = WD_NOMEM;
	struct catalogue *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		services_free(services, count);
		return wd_fail(why, err, 0, "memory for a catalogue");
	}
	*c = (struct catalogue){.services = services, .count = count, .references = 1};
	if (count > SERVICES_MAX) {
		err = wd_fail(why, WD_FULL, SERVICES_MAX, "too many services");
		goto fail;
	}
	size_t words = 1;
	for (size_t i = 0; i < count; i++)
		words += 2 + services[i].aliases.count;
	size_t slots = 2;
	while (slots < 2 * words)
		slots *= 2;
	c->slot_mask = slots - 1;
	c->slots = calloc(slots, sizeof(*c->slots));
	if (c->slots == NULL) {
		err = wd_fail(why, WD_NOMEM, 0, "memory for a catalogue");
		goto fail;
	}
	/* All ids first: an id in use is the plainer mistake to tell. */
	if ((err = add_ids(c, why)) != WD_OK || (err = add_names(c, why)) != WD_OK ||
	    (err = check_relies(c, why)) != WD_OK)
		goto fail;
	*ret_catalogue = c;
	return WD_OK;
fail:
	catalogue_release(c);
	return err;
}

struct catalogue *catalogue_hold(struct catalogue *c)
{
	__atomic_fetch_add(&c->references, 1, __ATOMIC_RELAXED);
	return c;
}

void catalogue_release(struct catalogue *c)
{
	if (c == NULL || __atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	services_free(c->services, c->count);
	free(c->slots);
	free(c);
}

size_t catalogue_count(const struct catalogue *c)
{
	return c->count;
}

const struct service *catalogue_at(const struct catalogue *c, size_t index)
{
	WD_CHECK(index < c->count);
	return &c->services[index];
}

const struct service *catalogue_find(const struct catalogue *c, const char *id_or_alias)
{
	const struct slot *slot = slot_of(c, id_or_alias);
	return slot->word == NULL ? NULL : &c->services[slot->service];
}

size_t catalogue_index(const struct catalogue *c, const char *id)
{
	const struct slot *slot = slot_of(c, id);
	if (slot->word == NULL || strcmp(c->services[slot->service].id, id) != 0)
		return SIZE_MAX;
	return slot->service;
}

static const struct term *term_find(const struct term *terms, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(terms[i].id, id) == 0)
			return &terms[i];
	}
	return NULL;
}

const struct term *service_surface(const struct service *s, const char *id)
{
	return term_find(s->surfaces, s->surface_count, id);
}

const struct term *service_problem(const struct service *s, const char *id)
{
	return term_find(s->problems, s->problem_count, id);
}

static void text_list_done(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

static void terms_free(struct term *terms, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(terms[i].id);
		free(terms[i].name);
	}
	free(terms);
}

static void service_done(struct service *s)
{
	free(s->id);
	free(s->name);
	free(s->category);
	text_list_done(&s->aliases);
	terms_free(s->surfaces, s->surface_count);
	terms_free(s->problems, s->problem_count);
	for (size_t i = 0; i < s->link_count; i++) {
		free(s->links[i].name);
		free(s->links[i].url);
	}
	free(s->links);
	text_list_done(&s->relies_on);
	free(s->addresses);
	text_list_done(&s->hosts);
}

static int by_zone(const void *a, const void *b)
{
	uintptr_t za = (uintptr_t)((const struct service *)a)->zone;
	uintptr_t zb = (uintptr_t)((const struct service *)b)->zone;
	return (za > zb) - (za < zb);
}

void services_free(struct service *services, size_t count)
{
	if (services == NULL)
		return;
	/* Side by side, so that a zone which several share is freed once. */
	qsort(services, count, sizeof(*services), by_zone);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 == count || services[i + 1].zone != services[i].zone)
			free(services[i].zone);
		service_done(&services[i]);
	}
	free(services);
}
