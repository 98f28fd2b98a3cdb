/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_read: collect what each document says (catalogue_collect.c), build a service of
 * each entry, check what only holds between services. */
#include "config/catalogue_read.h"

#include "base/text.h"
#include "config/catalogue_addresses.h"
#include "config/catalogue_collect.h"
#include "config/checks.h"
#include "model/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZONES_MAX = 1000, NEAR_IDS_MAX = 20000 };

struct builder {
	struct problems *problems;
	const struct config_source *source;
	struct collection from;
	struct service *services; /* one for each entry, in its order */
	size_t service_count;
	struct zone *zones[ZONES_MAX]; /* each owned by the services that point to it */
	size_t zone_count;
	bool zones_missed; /* told once that there is no zone data */
	bool nomem;
};

/* Enough to name a service and take reports without any catalogue. */
static const char builtin[] =
	"surfaces: {app: App, website: Website, login: Sign-in, api: API}\n"
	"problems: {unreachable: Does not open or load, slow: Slow, errors: Shows errors,"
	" login: Cannot sign in, other: Something else}\n"
	"categories:\n"
	"  other: {surfaces: [app, website], problems: [unreachable, slow, errors, login, "
	"other]}\n";

static char *copy(struct builder *c, const char *text)
{
	char *s = strdup(text);
	c->nomem |= s == NULL;
	return s;
}

/* The members of a list that is said of `entry`, at most max; NULL if it is none. */
static const struct doc_node *items(struct builder *c, const struct entry *entry,
				    const struct doc_node *n, size_t max, const char *each)
{
	if (n->kind == DOC_LIST && n->count <= max)
		return n->first;
	char right[PROBLEM_TEXT_MAX];
	if (n->kind == DOC_SCALAR && n->text[0] == '\0')
		return NULL;
	snprintf(right, sizeof(right), "a list of at most %zu, each %s", max, each);
	problems_add(c->problems, n->at, right, "`%s` of `%s`%s", n->key, entry->id,
		     n->kind == DOC_LIST ? " is too long" : " is not a list");
	return NULL;
}

static void build_list(struct builder *c, const struct doc_node *first, size_t count,
		       struct text_list *list)
{
	if (first == NULL)
		return;
	list->items = calloc(count, sizeof(*list->items));
	c->nomem |= list->items == NULL;
	for (const struct doc_node *n = first; list->items != NULL && n != NULL; n = n->next) {
		char *text = copy(c, n->text);
		if (text != NULL)
			list->items[list->count++] = text;
	}
}

static void tell_unknown_word(struct builder *c, const struct doc_node *n, const char *what,
			      const struct words *words)
{
	const char *ids[WORDS_MAX];
	char right[PROBLEM_TEXT_MAX];

	if (n->kind != DOC_SCALAR) {
		snprintf(right, sizeof(right), "ids alone, and their names under `%s:`", what);
		problems_add(c->problems, n->at, right, "`%s` has something else than an id", what);
		return;
	}
	size_t count = problems_full(c->problems) ? 0 : words->count;
	for (size_t i = 0; i < count; i++)
		ids[i] = words->items[i].id;
	const char *nearest = nearest_word(n->text, ids, count);
	if (nearest != NULL)
		snprintf(right, sizeof(right), "did you mean `%s`?", nearest);
	else
		snprintf(right, sizeof(right), "an id that stands under `%s:`", what);
	problems_add(c->problems, n->at, right, "no `%s` in `%s`", n->text, what);
}

static struct term *build_terms(struct builder *c, const struct entry *entry,
				const struct doc_node *list, size_t max, const char *what,
				const struct words *words, size_t *ret_count)
{
	*ret_count = 0;
	if (list == NULL)
		return NULL;
	const struct doc_node *first = items(c, entry, list, max, "an id");
	if (first == NULL)
		return NULL;
	struct term *terms = calloc(list->count, sizeof(*terms));
	c->nomem |= terms == NULL;
	for (const struct doc_node *n = first; !c->nomem && n != NULL; n = n->next) {
		size_t i = 0;
		while (i < words->count && strcmp(words->items[i].id, n->text) != 0)
			i++;
		bool twice = false;
		for (size_t k = 0; k < *ret_count; k++)
			twice |= strcmp(terms[k].id, n->text) == 0;
		if (i == words->count) {
			tell_unknown_word(c, n, what, words);
		} else if (twice) {
			problems_add(c->problems, n->at, "each once", "`%s` twice in `%s`", n->text,
				     what);
		} else {
			struct term *term = &terms[(*ret_count)++];
			term->id = copy(c, words->items[i].id);
			term->name = copy(c, words->items[i].name);
		}
	}
	return terms;
}

static void build_links(struct builder *c, const struct entry *entry, struct service *s)
{
	const struct doc_node *map = entry->fields[LINKS];
	if (map == NULL || (map->kind == DOC_SCALAR && map->text[0] == '\0'))
		return;
	if (map->kind != DOC_MAP || map->count > SERVICE_LINKS_MAX) {
		problems_add(c->problems, map->at, "at most 8 of `name: address`",
			     "`links` of `%s`", entry->id);
		return;
	}
	s->links = calloc(map->count + 1, sizeof(*s->links));
	c->nomem |= s->links == NULL;
	for (const struct doc_node *n = map->first; s->links != NULL && n != NULL; n = n->next) {
		if (n->kind != DOC_SCALAR || !is_http_url(n->text, SERVICE_URL_MAX) ||
		    !is_line(n->key, SERVICE_NAME_MAX)) {
			problems_add(c->problems, n->at,
				     "a name and an address such as https://status.example.org",
				     "link `%s` of `%s`", n->key, entry->id);
			continue;
		}
		struct link *link = &s->links[s->link_count++];
		link->name = copy(c, n->key);
		link->url = copy(c, n->text);
	}
}

static struct zone *new_zone(struct builder *c, const char *name, struct problem_at at)
{
	struct zone *zone = NULL;
	struct wd_why why = {.what = "cannot be read"};
	enum wd_err err = WD_MALFORMED;

	if (strcmp(name, "UTC") == 0)
		err = (zone = zone_new_utc()) == NULL ? WD_NOMEM : WD_OK;
	else if (is_zone_name(name, ZONE_NAME_MAX))
		err = c->source->zone(c->source->ctx, name, &zone, &why);
	else
		why.what = "not a time zone's name";
	if (err == WD_OS && !c->zones_missed) {
		c->zones_missed = true;
		problems_warn(c->problems, at, "install the package tzdata",
			      "no time zone data on this system: every zone is taken as UTC");
	}
	if (err == WD_OS && (zone = zone_new_utc()) != NULL) {
		(void)text_copy(zone->name, sizeof(zone->name), name);
		return zone;
	}
	c->nomem |= err == WD_NOMEM || err == WD_OS;
	if (err != WD_OK && err != WD_NOMEM && err != WD_OS)
		problems_add(c->problems, at, "a name such as Europe/London, or UTC",
			     "time zone `%s`: %s", name, why.what);
	return zone;
}

/* Zones are shared: ten thousand services in London need one table. */
static struct zone *build_zone(struct builder *c, const struct doc_node *n, struct problem_at at)
{
	const char *name = n == NULL ? "UTC" : n->text;
	if (n != NULL)
		at = n->at;
	for (size_t i = 0; i < c->zone_count; i++) {
		if (strcmp(c->zones[i]->name, name) == 0)
			return c->zones[i];
	}
	if (c->zone_count == ZONES_MAX) {
		problems_add(c->problems, at, "at most 1000", "too many time zones");
		return NULL;
	}
	struct zone *zone = new_zone(c, name, at);
	if (zone != NULL)
		c->zones[c->zone_count++] = zone;
	return zone;
}

/* What services take over from a category is checked once, on a service that nobody sees, whether
 * any does or not. What is wrong is told here, so it is taken away. */
static void check_category(struct builder *c, struct category *category)
{
	const struct entry as_entry = {.id = category->id};
	struct service *s = calloc(1, sizeof(*s));
	size_t errors = c->problems->errors;

	c->nomem |= s == NULL;
	if (s == NULL)
		return;
	s->surfaces = build_terms(c, &as_entry, category->surfaces, SERVICE_SURFACES_MAX,
				  "surfaces", &c->from.surfaces, &s->surface_count);
	s->problems = build_terms(c, &as_entry, category->problems, SERVICE_PROBLEMS_MAX,
				  "problems", &c->from.kinds, &s->problem_count);
	if (category->time_zone != NULL)
		s->zone = new_zone(c, category->time_zone->text, category->time_zone->at);
	services_free(s, 1);
	if (c->problems->errors > errors)
		category->surfaces = category->problems = category->time_zone = NULL;
}

static void build_name(struct builder *c, const struct entry *entry, struct service *s)
{
	const struct doc_node *name = entry->fields[NAME];
	if (name == NULL)
		problems_add(c->problems, entry->at, "`name:` and the name as people write it",
			     "service `%s` has no name", entry->id);
	else if (name->kind != DOC_SCALAR || !is_line(name->text, SERVICE_NAME_MAX))
		problems_add(c->problems, name->at, "one line of 1 to 96 bytes", "the name of `%s`",
			     entry->id);
	else
		s->name = copy(c, name->text);
}

static const struct category *build_category(struct builder *c, const struct entry *entry,
					     struct service *s)
{
	const struct doc_node *n = entry->fields[CATEGORY];
	const char *id = n == NULL ? "other" : n->text;
	const struct category *category = collection_category(&c->from, id);
	char right[PROBLEM_TEXT_MAX] = "an id that stands under `categories:`";

	if (category != NULL) {
		s->category = copy(c, id);
		return category;
	}
	const char *ids[CATEGORIES_MAX];
	size_t count = problems_full(c->problems) ? 0 : c->from.category_count;
	for (size_t i = 0; i < count; i++)
		ids[i] = c->from.categories[i].id;
	const char *nearest = nearest_word(id, ids, count);
	if (nearest != NULL)
		snprintf(right, sizeof(right), "did you mean `%s`?", nearest);
	problems_add(c->problems, n == NULL ? entry->at : n->at, right, "no category `%s`", id);
	return NULL;
}

static void tell_unknown_service(struct builder *c, const struct entry *entry,
				 const struct doc_node *n)
{
	size_t count = c->from.entry_count < NEAR_IDS_MAX ? c->from.entry_count : NEAR_IDS_MAX;
	if (problems_full(c->problems))
		count = 0;
	const char **ids = calloc(count + 1, sizeof(*ids));
	char right[PROBLEM_TEXT_MAX] =
		"the id of a service that stands here or in a catalogue file";

	if (ids == NULL) {
		c->nomem = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		ids[i] = c->from.entries[i].id;
	const char *nearest = nearest_word(n->text, ids, count);
	if (nearest != NULL)
		snprintf(right, sizeof(right), "did you mean `%s`?", nearest);
	problems_add(c->problems, n->at, right, "`%s` relies on `%s`, which is not there",
		     entry->id, n->text);
	free(ids);
}

static void build_texts(struct builder *c, const struct entry *entry, struct service *s)
{
	const struct doc_node *list = entry->fields[ALIASES], *first;

	first = list == NULL ? NULL : items(c, entry, list, SERVICE_ALIASES_MAX, "a name");
	for (const struct doc_node *n = first; n != NULL; n = n->next) {
		if (n->kind != DOC_SCALAR || !is_line(n->text, SERVICE_NAME_MAX))
			problems_add(c->problems, n->at, "one line of 1 to 96 bytes",
				     "an alias of `%s`", entry->id);
	}
	build_list(c, first, first == NULL ? 0 : list->count, &s->aliases);

	list = entry->fields[RELIES_ON];
	first = list == NULL ? NULL
			     : items(c, entry, list, SERVICE_RELIES_MAX, "an id of a service");
	for (const struct doc_node *n = first; n != NULL; n = n->next) {
		if (strcmp(n->text, entry->id) == 0)
			problems_add(c->problems, n->at, "other services", "`%s` relies on itself",
				     entry->id);
		else if (collection_entry(&c->from, n->text) == NULL)
			tell_unknown_service(c, entry, n);
	}
	build_list(c, first, first == NULL ? 0 : list->count, &s->relies_on);
}

static const struct doc_node *said(const struct entry *entry, enum field field,
				   const struct doc_node *by_category)
{
	return entry->fields[field] != NULL ? entry->fields[field] : by_category;
}

static void build_service(struct builder *c, const struct entry *entry, struct service *s)
{
	static const struct category none = {.id = ""};

	s->id = copy(c, entry->id);
	build_name(c, entry, s);
	const struct category *category = build_category(c, entry, s);
	if (category == NULL)
		category = &none;
	build_texts(c, entry, s);
	build_links(c, entry, s);
	c->nomem |= !addresses_build(c->problems, entry, s);
	s->surfaces =
		build_terms(c, entry, said(entry, SURFACES, category->surfaces),
			    SERVICE_SURFACES_MAX, "surfaces", &c->from.surfaces, &s->surface_count);
	s->problems =
		build_terms(c, entry, said(entry, PROBLEMS, category->problems),
			    SERVICE_PROBLEMS_MAX, "problems", &c->from.kinds, &s->problem_count);
	s->zone = build_zone(c, said(entry, TIME_ZONE, category->time_zone), entry->at);
}

/* ---- check between services -------------------------------------------------------------- */

/* A word somebody may look a service up by. */
struct known_as { const char *text; const struct entry *entry; struct problem_at at; };

static int by_text(const void *a, const void *b)
{
	const struct known_as *ka = a, *kb = b;
	const char *ta = ka->text, *tb = kb->text;
	while (*ta != '\0' && text_lower(*ta) == text_lower(*tb)) {
		ta++;
		tb++;
	}
	int order = (unsigned char)text_lower(*ta) - (unsigned char)text_lower(*tb);
	if (order != 0)
		return order;
	return (ka->entry->order > kb->entry->order) - (ka->entry->order < kb->entry->order);
}

static void check_names(struct builder *c)
{
	size_t count = 0;
	struct known_as *all =
		calloc(c->from.entry_count * (2 + SERVICE_ALIASES_MAX) + 1, sizeof(*all));
	if (all == NULL) {
		c->nomem = true;
		return;
	}
	for (size_t i = 0; i < c->from.entry_count; i++) {
		const struct entry *e = &c->from.entries[i];
		const struct doc_node *name = e->fields[NAME], *aliases = e->fields[ALIASES];
		all[count++] = (struct known_as){e->id, e, e->at};
		if (name != NULL)
			all[count++] = (struct known_as){name->text, e, name->at};
		if (aliases == NULL || aliases->count > SERVICE_ALIASES_MAX)
			continue;
		for (const struct doc_node *n = aliases->first; n != NULL; n = n->next)
			all[count++] = (struct known_as){n->text, e, n->at};
	}
	qsort(all, count, sizeof(*all), by_text);
	for (size_t i = 1; i < count; i++) {
		const struct known_as *first = &all[i - 1], *second = &all[i];
		if (first->entry != second->entry && text_same_nocase(first->text, second->text))
			problems_add(c->problems, second->at, "a word that only one service has",
				     "`%s` means both `%s` (%s:%u) and `%s`", second->text,
				     first->entry->id, first->at.file, first->at.line,
				     second->entry->id);
	}
	free(all);
}

/* Entries are sorted by id: the last in the files is where there are too many. */
static struct problem_at written_last(const struct collection *c)
{
	const struct entry *last = &c->entries[0];
	for (size_t i = 1; i < c->entry_count; i++) {
		if (c->entries[i].document > last->document ||
		    (c->entries[i].document == last->document && c->entries[i].order > last->order))
			last = &c->entries[i];
	}
	return last->at;
}

static void build_all(struct builder *c)
{
	c->services = calloc(c->from.entry_count + 1, sizeof(*c->services));
	if (c->services == NULL) {
		c->nomem = true;
		return;
	}
	c->service_count = c->from.entry_count;
	for (size_t i = 0; i < c->from.category_count && !c->nomem; i++)
		check_category(c, &c->from.categories[i]);
	for (size_t i = 0; i < c->from.entry_count && !c->nomem; i++)
		build_service(c, &c->from.entries[i], &c->services[i]);
}

enum wd_err catalogue_read(const struct doc_node *const *roots, size_t root_count,
			   const struct config_source *source, struct problems *problems,
			   struct catalogue **ret_catalogue)
{
	struct doc *doc = NULL;
	size_t errors_before = problems->errors;
	enum wd_err err = WD_NOMEM;
	struct wd_why why = {.what = ""};
	struct builder *c = calloc(1, sizeof(*c));

	if (c == NULL || doc_read("", builtin, sizeof(builtin) - 1, &doc, problems) != WD_OK)
		goto done;
	c->problems = c->from.problems = problems;
	c->source = source;
	collection_add(&c->from, doc_root(doc), 0);
	for (size_t i = 0; i < root_count; i++)
		collection_add(&c->from, roots[i], i + 1);
	collection_merge(&c->from);
	if (c->from.entry_count > SERVICES_MAX)
		problems_add(problems, written_last(&c->from), "at most 100000",
			     "too many services");
	else
		build_all(c);
	if (!c->nomem && problems->errors == errors_before)
		check_names(c);
	c->nomem |= !addresses_check(c->problems, &c->from);
	if (c->nomem || c->from.nomem)
		goto done;
	err = WD_MALFORMED;
	if (problems->errors > errors_before)
		goto done;
	err = catalogue_open(c->services, c->service_count, ret_catalogue, &why);
	c->services = NULL;
	if (err != WD_OK)
		problems_add(problems, (struct problem_at){roots[0]->at.file, 0}, "",
			     "the catalogue: %s", why.what);
done:
	if (c != NULL) {
		services_free(c->services, c->service_count);
		free(c->from.entries);
		free(c);
	}
	doc_free(doc);
	return err;
}
