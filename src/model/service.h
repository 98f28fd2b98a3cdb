/* SPDX-License-Identifier: Apache-2.0 */
/* service: something people depend on, as the configuration tells it. A catalogue is
 * made once, never changed and shared by reference; a reload makes a new one.
 * Everything a catalogue points at is owned by it. Services may share a zone. */
#ifndef WD_MODEL_SERVICE_H
#define WD_MODEL_SERVICE_H

#include "base/err.h"
#include "model/zone.h"

#include <stddef.h>
#include <stdint.h>

enum {
	SERVICES_MAX = 100000,
	SERVICE_ID_MAX = 64,    /* bytes, without the NUL, here and below */
	SERVICE_NAME_MAX = 96,
	SERVICE_WORD_MAX = 48,  /* a surface, problem or category id */
	SERVICE_URL_MAX = 512,
	SERVICE_ALIASES_MAX = 16,
	SERVICE_SURFACES_MAX = 16,
	SERVICE_PROBLEMS_MAX = 24,
	SERVICE_LINKS_MAX = 8,
	SERVICE_RELIES_MAX = 16,
	SERVICE_ADDRESSES_MAX = 4096,
	SERVICE_HOSTS_MAX = 256,
	SERVICE_HOST_MAX = 253,
	CATALOGUE_ADDRESSES_MAX = 100000, /* of all services together */
};

struct text_list { char **items; size_t count; };

/* A surface or a kind of problem: the id stands in URLs and data, the name on pages. */
struct term { char *id; char *name; };

struct link { char *name; char *url; };

/* The addresses that share their first `bits`; no bit is set behind them. */
struct address_block {
	uint8_t address[16]; /* network order; IPv4 in the first four bytes, then zeros */
	uint8_t family;      /* 4 or 6 */
	uint8_t bits;        /* 0 … 32 or 128 */
};

struct service {
	char *id;   /* text_is_id */
	char *name; /* as people write it */
	char *category;
	struct text_list aliases;
	struct term *surfaces;
	size_t surface_count;
	struct term *problems;
	size_t problem_count;
	struct link *links;
	size_t link_count;
	struct text_list relies_on; /* ids of services of the same catalogue */
	struct address_block *addresses; /* traffic to these is its own: the longest block wins */
	size_t address_count;
	struct text_list hosts;     /* of access logs: requests to these are its own; lower case */
	struct zone *zone;          /* where most of its audience lives; never NULL */
};

struct catalogue;

/* Takes over `services` (malloc'd, as is all they point at) whatever the outcome. at = index
 * of the service at fault: an id twice, a name or alias that is also another service's,
 * relies_on that names none (WD_UNKNOWN), too many or too long (WD_FULL). */
enum wd_err catalogue_open(struct service *services, size_t count, struct catalogue **ret_catalogue,
			   struct wd_why *why) WD_MUST_CHECK;
/* Frees what was not handed to a catalogue; members may be NULL. */
void services_free(struct service *services, size_t count);
struct catalogue *catalogue_hold(struct catalogue *c); /* one more reference */
void catalogue_release(struct catalogue *c);           /* NULL is fine */

size_t catalogue_count(const struct catalogue *c);
const struct service *catalogue_at(const struct catalogue *c, size_t index);
/* By id, or by name or alias without regard to case; NULL if there is none. */
const struct service *catalogue_find(const struct catalogue *c, const char *id_or_alias);
/* Index of the service with exactly this id; SIZE_MAX if there is none. */
size_t catalogue_index(const struct catalogue *c, const char *id);

const struct term *service_surface(const struct service *s, const char *id); /* or NULL */
const struct term *service_problem(const struct service *s, const char *id); /* or NULL */

#endif
