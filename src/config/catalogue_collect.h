/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_collect: what several documents say of services, put together by id: a later
 * document has the last word on each key it gives. Nothing is built yet, all is borrowed
 * from the documents. Used by catalogue_read only. */
#ifndef WD_CONFIG_CATALOGUE_COLLECT_H
#define WD_CONFIG_CATALOGUE_COLLECT_H

#include "config/doc.h"

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_MAX = 400, CATEGORIES_MAX = 400 };

enum field { NAME, ALIASES, CATEGORY, SURFACES, PROBLEMS, LINKS, RELIES_ON, TIME_ZONE,
	     ADDRESSES, HOSTS, FIELDS };

/* What the documents said of one service; a NULL field was not said. */
struct entry {
	const char *id;
	size_t order, document; /* of appearance */
	struct problem_at at;
	const struct doc_node *fields[FIELDS];
};

/* A surface or a kind of problem that services may have. */
struct word { const char *id, *name; };
struct words { struct word items[WORDS_MAX]; size_t count; };

struct category {
	const char *id;
	const struct doc_node *surfaces, *problems, *time_zone;
};

struct collection {
	struct problems *problems;
	struct words surfaces, kinds; /* kinds of problem */
	struct category categories[CATEGORIES_MAX];
	size_t category_count;
	struct entry *entries; /* owned; after collection_merge sorted by id, one each */
	size_t entry_count, entry_cap;
	bool nomem;
};

/* Of a zeroed collection with problems set. `document` rises with each call. */
void collection_add(struct collection *c, const struct doc_node *root, size_t document);
void collection_merge(struct collection *c);

const struct entry *collection_entry(const struct collection *c, const char *id);   /* or NULL */
const struct category *collection_category(const struct collection *c,
					   const char *id); /* or NULL */

#endif
