/* SPDX-License-Identifier: Apache-2.0 */
/* watch: what is watched: whose an address is, who may send telemetry. Made of a
 * configuration, never changed, shared by reference; a reload makes a new one, and each
 * collecting thread takes it over at the end of its tick. */
#ifndef WD_INTAKE_WATCH_H
#define WD_INTAKE_WATCH_H

#include "base/err.h"
#include "intake/senders.h"
#include "model/service.h"
#include "tally/prefix.h"
#include "tally/traffic.h"

#include <stddef.h>
#include <stdint.h>

struct watch;

struct watch_parts {
	struct catalogue *catalogue; /* is held: those of its services that have addresses */
	const struct sender_rule *senders; /* copied */
	size_t sender_count;
	const struct traffic_rules *rules; /* borrowed for as long as any watch lives */
};

/* at = index of the prefix at fault, in the order of the services (WD_FULL: too many). */
enum wd_err watch_open(const struct watch_parts *parts, struct watch **ret_watch,
		       struct wd_why *why) WD_MUST_CHECK;
struct watch *watch_hold(struct watch *w);
void watch_release(struct watch *w); /* NULL is fine */

const struct prefix_table *watch_prefixes(const struct watch *w);
const struct senders *watch_senders(const struct watch *w);
const struct traffic_rules *watch_rules(const struct watch *w);
/* Ids of the services that have addresses; the prefixes' values are indices of these. */
const char *const *watch_services(const struct watch *w, uint32_t *ret_count);

/* Where the one in force lies. */
struct watch_box;

enum wd_err watch_box_open(struct watch *first, struct watch_box **ret_box) WD_MUST_CHECK;
void watch_box_close(struct watch_box *b); /* NULL is fine */
void watch_box_put(struct watch_box *b, struct watch *w); /* takes the reference over */
struct watch *watch_box_get(struct watch_box *b, uint32_t *ret_generation); /* held */
/* Rises with each put; cheap. */
uint32_t watch_box_generation(const struct watch_box *b);

#endif
