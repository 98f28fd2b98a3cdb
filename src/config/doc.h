/* SPDX-License-Identifier: Apache-2.0 */
/* doc: the bytes of a YAML file in, a tree of nodes that know their line out. Pure.
 *
 * libyaml does the scanning. What a configuration has no use for is refused, which also
 * keeps the tree as small as the file: anchors and aliases, tags, a second document, keys
 * that are no words, a key twice. Limits: DOC_* below. */
#ifndef WD_CONFIG_DOC_H
#define WD_CONFIG_DOC_H

#include "base/err.h"
#include "config/problems.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DOC_DEPTH_MAX = 12,
	DOC_NODES_MAX = 2000000,
	DOC_MAP_MAX = 400, /* keys of one mapping */
};

enum doc_kind { DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc_node {
	enum doc_kind kind;
	bool plain;              /* a scalar without quotes: `5`, not `"5"` */
	struct problem_at at;    /* of the key, if it has one */
	const char *key;         /* its name in the mapping it is in; NULL elsewhere */
	const char *text;        /* a scalar's, UTF-8 without NUL; never NULL */
	size_t count;            /* of members */
	struct doc_node *first, *next; /* first member; next member beside this one */
};

struct doc;

/* `file` is for problems and is copied. On failure (WD_MALFORMED, WD_NOMEM) `problems` says
 * why: the first mistake of that kind. A key twice is told too, but the tree is handed out
 * (with the first of the two), so that the caller can tell what else is wrong. */
enum wd_err doc_read(const char *file, const char *bytes, size_t len, struct doc **ret_doc,
		     struct problems *problems) WD_MUST_CHECK;
void doc_free(struct doc *d); /* NULL is fine */

/* A mapping (empty for an empty file), or what else the file holds at its top. */
const struct doc_node *doc_root(const struct doc *d);

/* The member with that key, or NULL. */
const struct doc_node *doc_member(const struct doc_node *map, const char *key);

/* "a list", "a mapping", "nothing", or "`the text`" (cut), for telling what stands there. */
void doc_describe(struct buf *b, const struct doc_node *n);

#endif
