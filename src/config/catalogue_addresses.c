/* SPDX-License-Identifier: Apache-2.0 */
#include "config/catalogue_addresses.h"

#include "base/text.h"
#include "config/checks.h"

#include <stdlib.h>
#include <string.h>

static const char block_right[] = "an address or a prefix, such as 192.0.2.7 or 2001:db8::/32";
static const char host_right[] = "a host name, such as www.example.org";

/* The list, or NULL: nothing said, or told that it is none. */
static const struct doc_node *list_of(struct problems *p, const struct entry *entry,
				      enum field field, size_t max, const char *each)
{
	const struct doc_node *n = entry->fields[field];
	if (n == NULL || (n->kind == DOC_LIST && n->count <= max) ||
	    (n->kind == DOC_SCALAR && n->text[0] == '\0'))
		return n == NULL || n->kind == DOC_SCALAR ? NULL : n;
	problems_add(p, n->at, each, "`%s` of `%s`%s", n->key, entry->id,
		     n->kind == DOC_LIST ? " is too long" : " is not a list");
	return NULL;
}

bool addresses_build(struct problems *p, const struct entry *entry, struct service *s)
{
	const struct doc_node *blocks =
		list_of(p, entry, ADDRESSES, SERVICE_ADDRESSES_MAX, block_right);
	const struct doc_node *hosts = list_of(p, entry, HOSTS, SERVICE_HOSTS_MAX, host_right);

	s->addresses = calloc(blocks == NULL ? 1 : blocks->count + 1, sizeof(*s->addresses));
	s->hosts.items = calloc(hosts == NULL ? 1 : hosts->count + 1, sizeof(*s->hosts.items));
	if (s->addresses == NULL || s->hosts.items == NULL)
		return false;
	for (const struct doc_node *n = blocks == NULL ? NULL : blocks->first; n; n = n->next) {
		if (n->kind == DOC_SCALAR && block_read(n->text, &s->addresses[s->address_count]))
			s->address_count++;
		else
			problems_add(p, n->at, block_right, "`%s` as an address of `%s`",
				     n->kind == DOC_SCALAR ? n->text : "…", entry->id);
	}
	for (const struct doc_node *n = hosts == NULL ? NULL : hosts->first; n; n = n->next) {
		if (n->kind != DOC_SCALAR || !is_host(n->text)) {
			problems_add(p, n->at, host_right, "`%s` as a host of `%s`",
				     n->kind == DOC_SCALAR ? n->text : "…", entry->id);
			continue;
		}
		char *host = strdup(n->text);
		if (host == NULL)
			return false;
		for (char *c = host; *c != '\0'; c++)
			*c = text_lower(*c);
		s->hosts.items[s->hosts.count++] = host;
	}
	return true;
}

/* ---- none is two services' ---- */

struct claim {
	struct address_block block; /* family 0: the host `node->text` */
	const struct doc_node *node;
	const struct entry *entry;
};

static int compare_text(const char *a, const char *b)
{
	while (*a != '\0' && text_lower(*a) == text_lower(*b)) {
		a++;
		b++;
	}
	return (unsigned char)text_lower(*a) - (unsigned char)text_lower(*b);
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
	return memcmp(&a->block, &b->block, sizeof(a->block)) == 0 &&
	       (a->block.family != 0 || text_same_nocase(a->node->text, b->node->text));
}

static int by_claim(const void *a, const void *b)
{
	const struct claim *ca = a, *cb = b;
	int order = memcmp(&ca->block, &cb->block, sizeof(ca->block));
	if (order == 0 && ca->block.family == 0)
		order = compare_text(ca->node->text, cb->node->text);
	if (order == 0)
		order = (ca->entry->order > cb->entry->order) -
			(ca->entry->order < cb->entry->order);
	if (order == 0)
		order = (ca->node->at.line > cb->node->at.line) -
			(ca->node->at.line < cb->node->at.line);
	return order;
}

static size_t claim_members(const struct entry *e, enum field field, struct claim *to)
{
	const struct doc_node *list = e->fields[field];
	size_t count = 0;
	for (const struct doc_node *n = list == NULL ? NULL : list->first; n; n = n->next) {
		struct claim c = {.node = n, .entry = e};
		if (n->kind != DOC_SCALAR ||
		    (field == ADDRESSES ? !block_read(n->text, &c.block) : !is_host(n->text)))
			continue;
		to[count++] = c;
	}
	return count;
}

static void tell_twice(struct problems *p, const struct claim *first, const struct claim *second)
{
	if (first->entry == second->entry)
		problems_add(p, second->node->at, "each once", "`%s` stands twice in `%s` (%s:%u)",
			     second->node->text, first->entry->id, first->node->at.file,
			     first->node->at.line);
	else
		problems_add(p, second->node->at, "each with one service only",
			     "`%s` is both `%s`'s (%s:%u) and `%s`'s", second->node->text,
			     first->entry->id, first->node->at.file, first->node->at.line,
			     second->entry->id);
}

bool addresses_check(struct problems *p, const struct collection *c)
{
	size_t max = 1, count = 0, blocks = 0;
	for (size_t i = 0; i < c->entry_count; i++) {
		for (int field = ADDRESSES; field <= HOSTS; field++) {
			const struct doc_node *list = c->entries[i].fields[field];
			max += list == NULL ? 0 : list->count;
		}
	}
	struct claim *claims = calloc(max, sizeof(*claims));
	if (claims == NULL)
		return false;
	for (size_t i = 0; i < c->entry_count; i++) {
		size_t own = claim_members(&c->entries[i], ADDRESSES, claims + count);
		count += own;
		blocks += own;
		if (blocks - own <= CATALOGUE_ADDRESSES_MAX && blocks > CATALOGUE_ADDRESSES_MAX)
			problems_add(p, c->entries[i].fields[ADDRESSES]->at, "at most 100000",
				     "too many addresses, all services together");
		count += claim_members(&c->entries[i], HOSTS, claims + count);
	}
	qsort(claims, count, sizeof(*claims), by_claim);
	for (size_t i = 1; i < count; i++) {
		if (same_claim(&claims[i - 1], &claims[i]))
			tell_twice(p, &claims[i - 1], &claims[i]);
	}
	free(claims);
	return true;
}
