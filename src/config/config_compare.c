/* SPDX-License-Identifier: Apache-2.0 */
/* config_compare: what a reload changed, in words. */
#include "config/config.h"
#include "config/setting.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 100, LINE_LEN_MAX = 1000, IDS_SHOWN = 8 };

static bool line_add(struct text_list *list, struct buf *line)
{
	if (list->items == NULL)
		list->items = calloc(LINES_MAX, sizeof(*list->items));
	if (list->items == NULL)
		return false;
	if (list->count == LINES_MAX) /* more than there are settings: cannot happen today */
		return true;
	if (line->bad) { /* a list too long to show */
		buf_reset(line);
		buf_str(line, "a long list changed");
	}
	list->items[list->count] = buf_take(line, NULL);
	return list->items[list->count] != NULL && ++list->count > 0;
}

static bool setting_compare(const struct setting *s, const struct config *before,
			    const struct config *after, struct config_changes *changes)
{
	struct buf line;
	const void *old_value = (const char *)before + s->offset;
	const void *new_value = (const char *)after + s->offset;

	if (s->type == NULL || s->type->same == NULL || s->type->same(old_value, new_value))
		return true;
	buf_init(&line, LINE_LEN_MAX);
	buf_fmt(&line, "%s: ", s->key);
	s->type->write(&line, old_value);
	buf_str(&line, " -> ");
	s->type->write(&line, new_value);
	bool well = line_add(s->restart ? &changes->restart : &changes->live, &line);
	buf_done(&line);
	return well;
}

/* Ids that changed in one way: the first few of them and how many there are. */
struct ids { struct buf shown; size_t count; };

static void ids_add(struct ids *ids, const char *id)
{
	if (ids->count++ < IDS_SHOWN)
		buf_fmt(&ids->shown, "%s%s", ids->shown.len > 0 ? ", " : "", id);
	else if (ids->count == IDS_SHOWN + 1)
		buf_str(&ids->shown, ", …");
}

/* "what: 2 added (a, b), 1 removed (c), 3 changed (…)" if there is any. */
static bool ids_line(struct config_changes *changes, const char *what, struct ids ids[3])
{
	static const char *const ways[3] = {"added", "removed", "changed"};
	struct buf line;

	buf_init(&line, LINE_LEN_MAX);
	for (size_t i = 0; i < 3; i++) {
		if (ids[i].count > 0)
			buf_fmt(&line, "%s %zu %s (%s)", line.len == 0 ? what : ",", ids[i].count,
				ways[i], ids[i].shown.bad ? "…" : ids[i].shown.data);
		buf_done(&ids[i].shown);
	}
	bool well = line.len == 0 || line_add(&changes->live, &line);
	buf_done(&line);
	return well;
}

static void ids_init(struct ids ids[3])
{
	for (size_t i = 0; i < 3; i++) {
		buf_init(&ids[i].shown, LINE_LEN_MAX / 4);
		ids[i].count = 0;
	}
}

static const struct feeder *feeder_named(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->feeder_count; i++) {
		if (strcmp(c->feeders[i].name, name) == 0)
			return &c->feeders[i];
	}
	return NULL;
}

static bool feeders_compare(const struct config *before, const struct config *after,
			    struct config_changes *changes)
{
	struct ids ids[3];
	ids_init(ids);
	for (size_t i = 0; i < after->feeder_count; i++) {
		const struct feeder *now = &after->feeders[i],
				    *was = feeder_named(before, now->name);
		if (was == NULL)
			ids_add(&ids[0], now->name);
		else if (!setting_token.same(&was->token, &now->token))
			ids_add(&ids[2], now->name);
	}
	for (size_t i = 0; i < before->feeder_count; i++) {
		if (feeder_named(after, before->feeders[i].name) == NULL)
			ids_add(&ids[1], before->feeders[i].name);
	}
	return ids_line(changes, "feeders:", ids);
}

/* ---- services ----------------------------------------------------------------------------- */

static bool lists_same(const struct text_list *a, const struct text_list *b)
{
	return setting_listen.same(a, b); /* a list of texts like any other */
}

static bool terms_same(const struct term *a, size_t a_count, const struct term *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++) {
		if (strcmp(a[i].id, b[i].id) != 0 || strcmp(a[i].name, b[i].name) != 0)
			return false;
	}
	return true;
}

static bool links_same(const struct service *a, const struct service *b)
{
	if (a->link_count != b->link_count)
		return false;
	for (size_t i = 0; i < a->link_count; i++) {
		if (strcmp(a->links[i].name, b->links[i].name) != 0 ||
		    strcmp(a->links[i].url, b->links[i].url) != 0)
			return false;
	}
	return true;
}

static bool addresses_same(const struct service *a, const struct service *b)
{
	return a->address_count == b->address_count &&
	       (a->address_count == 0 ||
		memcmp(a->addresses, b->addresses, a->address_count * sizeof(*a->addresses)) == 0);
}

static bool services_same(const struct service *a, const struct service *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->category, b->category) == 0 &&
	       strcmp(a->zone->name, b->zone->name) == 0 && lists_same(&a->aliases, &b->aliases) &&
	       lists_same(&a->relies_on, &b->relies_on) && links_same(a, b) &&
	       lists_same(&a->hosts, &b->hosts) && addresses_same(a, b) &&
	       terms_same(a->surfaces, a->surface_count, b->surfaces, b->surface_count) &&
	       terms_same(a->problems, a->problem_count, b->problems, b->problem_count);
}

static bool catalogues_compare(const struct catalogue *before, const struct catalogue *after,
			       struct config_changes *changes)
{
	struct ids ids[3];
	ids_init(ids);
	for (size_t i = 0; i < catalogue_count(after); i++) {
		const struct service *now = catalogue_at(after, i);
		size_t was = catalogue_index(before, now->id);
		if (was == SIZE_MAX)
			ids_add(&ids[0], now->id);
		else if (!services_same(catalogue_at(before, was), now))
			ids_add(&ids[2], now->id);
	}
	for (size_t i = 0; i < catalogue_count(before); i++) {
		if (catalogue_index(after, catalogue_at(before, i)->id) == SIZE_MAX)
			ids_add(&ids[1], catalogue_at(before, i)->id);
	}
	return ids_line(changes, "services:", ids);
}

enum wd_err config_compare(const struct config *started, const struct config *before,
			   const struct config *after, struct config_changes *ret_changes)
{
	struct config_changes changes = {{NULL, 0}, {NULL, 0}};
	bool well = true;

	for (size_t i = 0; i < setting_count; i++)
		well = well && setting_compare(&settings[i], settings[i].restart ? started : before,
					       after, &changes);
	well = well && feeders_compare(before, after, &changes);
	well = well && catalogues_compare(before->catalogue, after->catalogue, &changes);
	if (!well) {
		config_changes_done(&changes);
		return WD_NOMEM;
	}
	*ret_changes = changes;
	return WD_OK;
}

void config_changes_done(struct config_changes *changes)
{
	setting_listen.done(&changes->live);
	setting_listen.done(&changes->restart);
}
