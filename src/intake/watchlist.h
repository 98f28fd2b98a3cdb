/* SPDX-License-Identifier: Apache-2.0 */
/* watchlist: what is watched: whose an address is, who may send telemetry. Made of a
 * configuration, never changed, shared by reference; a reload makes a new one, and each
 * collecting thread takes it over at the end of its tick. */
#ifndef WD_INTAKE_WATCHLIST_H
#define WD_INTAKE_WATCHLIST_H

#include "base/err.h"
#include "intake/senders.h"
#include "model/service.h"
#include "tally/prefix.h"
#include "tally/traffic.h"

#include <stddef.h>
#include <stdint.h>

struct watchlist;

struct watchlist_parts {
	struct catalogue *catalogue; /* is held: those of its services that have addresses */
	const struct sender_rule *senders; /* copied */
	size_t sender_count;
	const struct traffic_rules *rules; /* borrowed for as long as any watch lives */
};

/* at = index of the prefix at fault, in the order of the services (WD_FULL: too many). */
enum wd_err watchlist_open(const struct watchlist_parts *parts, struct watchlist **ret_watch,
		       struct wd_why *why) WD_MUST_CHECK;
struct watchlist *watchlist_hold(struct watchlist *w);
void watchlist_release(struct watchlist *w); /* NULL is fine */

const struct prefix_table *watchlist_prefixes(const struct watchlist *w);
const struct senders *watchlist_senders(const struct watchlist *w);
const struct traffic_rules *watchlist_rules(const struct watchlist *w);
/* Ids of the services that have addresses; the prefixes' values are indices of these. */
const char *const *watchlist_services(const struct watchlist *w, uint32_t *ret_count);

/* Where the one in force lies. */
struct watchlist_box;

enum wd_err watchlist_box_open(struct watchlist *first,
			       struct watchlist_box **ret_box) WD_MUST_CHECK;
void watchlist_box_close(struct watchlist_box *b); /* NULL is fine */
void watchlist_box_put(struct watchlist_box *b, struct watchlist *w); /* takes the reference over */
struct watchlist *watchlist_box_get(struct watchlist_box *b,
				    uint32_t *ret_generation); /* held */
/* Rises with each put; cheap. */
uint32_t watchlist_box_generation(const struct watchlist_box *b);

#endif
