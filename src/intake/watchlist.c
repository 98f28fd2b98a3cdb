/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/watchlist.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct watchlist {
	struct catalogue *catalogue;
	struct prefix_table *prefixes;
	struct senders *senders;
	const struct traffic_rules *rules;
	const char **services;
	uint32_t service_count;
	atomic_int references;
};

struct watchlist_box {
	pthread_mutex_t lock;
	struct watchlist *current;
	_Atomic uint32_t generation;
};

static void count_addresses(const struct catalogue *c, size_t *ret_services, size_t *ret_prefixes)
{
	*ret_services = *ret_prefixes = 0;
	for (size_t i = 0; i < catalogue_count(c); i++) {
		const struct service *s = catalogue_at(c, i);
		*ret_services += s->address_count > 0;
		*ret_prefixes += s->address_count;
	}
}

static enum wd_err build_table(struct watchlist *w, size_t prefix_count, struct wd_why *why)
{
	struct prefix *prefixes = calloc(prefix_count + 1, sizeof(*prefixes));
	size_t at = 0;

	if (prefixes == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for the table of prefixes");
	for (size_t i = 0; i < catalogue_count(w->catalogue); i++) {
		const struct service *s = catalogue_at(w->catalogue, i);
		if (s->address_count == 0)
			continue;
		for (size_t k = 0; k < s->address_count; k++) {
			const struct address_block *b = &s->addresses[k];
			struct prefix *p = &prefixes[at++];
			memcpy(p->address, b->address, sizeof(p->address));
			p->family = b->family;
			p->len = b->bits;
			p->value = w->service_count;
		}
		w->services[w->service_count++] = s->id;
	}
	enum wd_err err = prefix_open(prefixes, at, &w->prefixes, why);
	free(prefixes);
	return err;
}

enum wd_err watchlist_open(const struct watchlist_parts *parts, struct watchlist **ret_watch,
		       struct wd_why *why)
{
	size_t services, prefixes;
	enum wd_err err = WD_NOMEM;
	struct watchlist *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return wd_fail(why, err, 0, "memory for what is watched");
	atomic_init(&w->references, 1);
	w->catalogue = catalogue_hold(parts->catalogue);
	w->rules = parts->rules;
	count_addresses(w->catalogue, &services, &prefixes);
	w->services = calloc(services + 1, sizeof(*w->services));
	if (w->services == NULL ||
	    senders_open(parts->senders, parts->sender_count, &w->senders) != WD_OK)
		err = wd_fail(why, err, 0, "memory for what is watched");
	else
		err = build_table(w, prefixes, why);
	if (err != WD_OK) {
		watchlist_release(w);
		return err;
	}
	*ret_watch = w;
	return WD_OK;
}

struct watchlist *watchlist_hold(struct watchlist *w)
{
	atomic_fetch_add_explicit(&w->references, 1, memory_order_relaxed);
	return w;
}

void watchlist_release(struct watchlist *w)
{
	if (w == NULL || atomic_fetch_sub_explicit(&w->references, 1, memory_order_acq_rel) > 1)
		return;
	prefix_close(w->prefixes);
	senders_close(w->senders);
	catalogue_release(w->catalogue);
	free(w->services);
	free(w);
}

const struct prefix_table *watchlist_prefixes(const struct watchlist *w) { return w->prefixes; }
const struct senders *watchlist_senders(const struct watchlist *w) { return w->senders; }
const struct traffic_rules *watchlist_rules(const struct watchlist *w) { return w->rules; }

const char *const *watchlist_services(const struct watchlist *w, uint32_t *ret_count)
{
	*ret_count = w->service_count;
	return w->services;
}

/* ---- the one in force ---- */

enum wd_err watchlist_box_open(struct watchlist *first, struct watchlist_box **ret_box)
{
	struct watchlist_box *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return WD_NOMEM;
	pthread_mutex_init(&b->lock, NULL);
	b->current = watchlist_hold(first);
	atomic_init(&b->generation, 1);
	*ret_box = b;
	return WD_OK;
}

void watchlist_box_close(struct watchlist_box *b)
{
	if (b == NULL)
		return;
	watchlist_release(b->current);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void watchlist_box_put(struct watchlist_box *b, struct watchlist *w)
{
	pthread_mutex_lock(&b->lock);
	struct watchlist *before = b->current;
	b->current = w;
	atomic_fetch_add_explicit(&b->generation, 1, memory_order_release);
	pthread_mutex_unlock(&b->lock);
	watchlist_release(before);
}

struct watchlist *watchlist_box_get(struct watchlist_box *b, uint32_t *ret_generation)
{
	pthread_mutex_lock(&b->lock);
	struct watchlist *w = watchlist_hold(b->current);
	*ret_generation = atomic_load_explicit(&b->generation, memory_order_relaxed);
	pthread_mutex_unlock(&b->lock);
	return w;
}

uint32_t watchlist_box_generation(const struct watchlist_box *b)
{
	return atomic_load_explicit(&b->generation, memory_order_acquire);
}
