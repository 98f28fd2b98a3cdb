/* SPDX-License-Identifier: Apache-2.0 */
#include "config/catalogue_collect.h"

#include "base/text.h"
#include "config/checks.h"
#include "config/setting.h"
#include "model/service.h"

#include <stdlib.h>
#include <string.h>

static const char *const field_keys[FIELDS] = {"name",     "aliases", "category",  "surfaces",
					       "problems", "links",   "relies_on", "time_zone",
					       "addresses", "hosts"};

static bool is_word(const struct doc_node *n, const char *text)
{
	return n->kind != DOC_LIST && text_is_id(text, strlen(text), SERVICE_WORD_MAX);
}

static void collect_words(struct collection *c, const struct doc_node *map, struct words *words)
{
	for (const struct doc_node *n = map->first; n != NULL; n = n->next) {
		if (!is_word(n, n->key) || n->kind != DOC_SCALAR ||
		    !is_line(n->text, SERVICE_NAME_MAX)) {
			problems_add(c->problems, n->at,
				     "`id: name`, the id of a-z, 0-9 and . _ - inside",
				     "`%s` in `%s`", n->key, map->key);
			continue;
		}
		size_t i = 0;
		while (i < words->count && strcmp(words->items[i].id, n->key) != 0)
			i++;
		if (i == WORDS_MAX) {
			problems_add(c->problems, n->at, "at most 400", "too many %s", map->key);
			return;
		}
		words->items[i] = (struct word){n->key, n->text};
		words->count += i == words->count;
	}
}

const struct category *collection_category(const struct collection *c, const char *id)
{
	for (size_t i = 0; i < c->category_count; i++) {
		if (strcmp(c->categories[i].id, id) == 0)
			return &c->categories[i];
	}
	return NULL;
}

/* The category of that id, new if need be; NULL (told) if there are too many. */
static struct category *category_open(struct collection *c, const struct doc_node *n)
{
	for (size_t i = 0; i < c->category_count; i++) {
		if (strcmp(c->categories[i].id, n->key) == 0)
			return &c->categories[i];
	}
	if (c->category_count == CATEGORIES_MAX) {
		problems_add(c->problems, n->at, "at most 400", "too many categories");
		return NULL;
	}
	c->categories[c->category_count] = (struct category){.id = n->key};
	return &c->categories[c->category_count++];
}

static void collect_category(struct collection *c, const struct doc_node *n)
{
	if (n->kind != DOC_MAP || !is_word(n, n->key)) {
		problems_add(c->problems, n->at,
			     "`id: {surfaces: […], problems: […], time_zone: …}`", "category `%s`",
			     n->key);
		return;
	}
	settings_check_keys(c->problems, "categories{}.", n);
	struct category *category = category_open(c, n);
	if (category == NULL)
		return;
	const struct doc_node *said;
	if ((said = doc_member(n, "surfaces")) != NULL)
		category->surfaces = said;
	if ((said = doc_member(n, "problems")) != NULL)
		category->problems = said;
	if ((said = doc_member(n, "time_zone")) != NULL)
		category->time_zone = said;
}

static void collect_entry(struct collection *c, const struct doc_node *n, size_t document)
{
	if (n->kind != DOC_MAP) {
		problems_add(c->problems, n->at, "`id: …`, `name: …` and so on",
			     "a service that is not a mapping");
		return;
	}
	settings_check_keys(c->problems, "services[].", n);
	const struct doc_node *id = doc_member(n, "id");
	if (id == NULL || id->kind != DOC_SCALAR ||
	    !text_is_id(id->text, strlen(id->text), SERVICE_ID_MAX)) {
		problems_add(c->problems, id == NULL ? n->at : id->at,
			     "`id:` and 1 to 64 of a-z, 0-9 and, not first or last, . _ -",
			     id == NULL ? "a service without an id"
					: "a service's id of another form");
		return;
	}
	if (c->entry_count == c->entry_cap) {
		size_t cap = c->entry_cap == 0 ? 256 : c->entry_cap * 2;
		struct entry *grown = realloc(c->entries, cap * sizeof(*grown));
		if (grown == NULL) {
			c->nomem = true;
			return;
		}
		c->entries = grown;
		c->entry_cap = cap;
	}
	struct entry *entry = &c->entries[c->entry_count];
	*entry = (struct entry){
		.id = id->text, .order = c->entry_count, .document = document, .at = n->at};
	for (size_t i = 0; i < FIELDS; i++)
		entry->fields[i] = doc_member(n, field_keys[i]);
	c->entry_count++;
}

/* The part of the document with that key if something of that kind is said there. */
static const struct doc_node *part(struct collection *c, const struct doc_node *root,
				   const char *key, enum doc_kind kind, const char *right)
{
	const struct doc_node *n = doc_member(root, key);
	if (n == NULL || n->kind == kind)
		return n;
	if (n->kind != DOC_SCALAR || n->text[0] != '\0')
		problems_add(c->problems, n->at, right, "`%s` is not a %s", key,
			     kind == DOC_MAP ? "mapping" : "list");
	return NULL;
}

void collection_add(struct collection *c, const struct doc_node *root, size_t document)
{
	const struct doc_node *n;

	if ((n = part(c, root, "surfaces", DOC_MAP, "lines of `id: name`")) != NULL)
		collect_words(c, n, &c->surfaces);
	if ((n = part(c, root, "problems", DOC_MAP, "lines of `id: name`")) != NULL)
		collect_words(c, n, &c->kinds);
	n = part(c, root, "categories", DOC_MAP, "lines of `id: {…}`");
	for (n = n == NULL ? NULL : n->first; n != NULL; n = n->next)
		collect_category(c, n);
	n = part(c, root, "services", DOC_LIST, "a list, each with `- id: …`");
	for (n = n == NULL ? NULL : n->first; n != NULL; n = n->next)
		collect_entry(c, n, document);
}

static int by_id(const void *a, const void *b)
{
	const struct entry *ea = a, *eb = b;
	int order = strcmp(ea->id, eb->id);
	return order != 0 ? order : (ea->order > eb->order) - (ea->order < eb->order);
}

/* Entries sorted by id; of one id a single entry stays, with the latest word on each field. */
void collection_merge(struct collection *c)
{
	size_t kept = 0;

	if (c->entry_count > 0)
		qsort(c->entries, c->entry_count, sizeof(*c->entries), by_id);
	for (size_t i = 0; i < c->entry_count; i++) {
		const struct entry *next = &c->entries[i];
		struct entry *last = kept == 0 ? NULL : &c->entries[kept - 1];
		if (last == NULL || strcmp(last->id, next->id) != 0) {
			c->entries[kept++] = *next;
			continue;
		}
		if (last->document == next->document) {
			problems_add(c->problems, next->at,
				     "another id, or one entry with the keys of both",
				     "service `%s` is already in line %u", next->id, last->at.line);
			continue;
		}
		last->document = next->document;
		last->at = next->at;
		for (size_t k = 0; k < FIELDS; k++) {
			if (next->fields[k] != NULL)
				last->fields[k] = next->fields[k];
		}
	}
	c->entry_count = kept;
}

const struct entry *collection_entry(const struct collection *c, const char *id)
{
	size_t low = 0, high = c->entry_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(c->entries[middle].id, id);
		if (order == 0)
			return &c->entries[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
