/* SPDX-License-Identifier: Apache-2.0 */
/* reports_internal: what reports.c and reports_batch.c share. */
#ifndef WD_INTAKE_REPORTS_INTERNAL_H
#define WD_INTAKE_REPORTS_INTERNAL_H

#include "intake/rate.h"
#include "intake/reports.h"

#include <pthread.h>

enum { REPORTS_HASH_LEN = 32 };

struct feeder { char name[OBSERVATION_FEEDER_MAX + 1]; uint8_t token_hash[REPORTS_HASH_LEN]; };

struct reports {
	struct persons *persons;
	struct places *places;
	pthread_rwlock_t lock; /* of options and feeders: read by requests, written by a reload */
	struct reports_options options;
	struct feeder *feeders;
	pthread_mutex_t rate_lock;
	struct rate *rate;
	struct reports_counters counters; /* added to atomically */
};

#define COUNT(r, name, n) ((void)__atomic_fetch_add(&(r)->counters.name, (n), __ATOMIC_RELAXED))

struct refusal_kind { int status; const char *type, *title; };

/* Fills everything but the errors. Always false, for `return refuse(…)`. */
bool reports_refuse(const struct reports_request *req, const struct refusal_kind *kind,
		    const char *detail, struct reports_refusal *ret_refusal);

/* Each refuses, counts and returns false, or returns true. r->lock is held. *ret_feeder is NULL
 * for anybody. */
bool reports_check_size(struct reports *r, const struct reports_request *req,
			struct reports_refusal *ret_refusal);
/* The body is gzip, as the head says. */
bool reports_is_packed(const struct reports_request *req);
/* Too large: false. */
bool reports_refuse_size(struct reports *r, const struct reports_request *req,
			 struct reports_refusal *ret_refusal);
bool reports_check_sender(struct reports *r, const struct reports_request *req,
			  const struct feeder **ret_feeder, struct reports_refusal *ret_refusal);
bool reports_check_rate(struct reports *r, const struct reports_request *req,
			const struct feeder *feeder, uint32_t cost,
			struct reports_refusal *ret_refusal);

/* The id of what this sender (up to 255 bytes) calls so; never none. */
struct observation_id reports_id(const void *sender, size_t sender_len, const void *name,
				 size_t name_len);
/* So far in the future that it must be a mistake. */
bool reports_is_early(wd_wall at, wd_wall now);

#endif
