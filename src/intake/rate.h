/* SPDX-License-Identifier: Apache-2.0 */
/* rate: how much each client, and all together, may send. Token buckets in the form of
 * GCRA (ITU-T I.371): of each client one number is kept, the time at which its bucket will be
 * full again. Memory is fixed: a table of sets of RATE_WAYS clients; in a full set the one
 * whose bucket is fullest is forgotten, so a client that sends much is kept and one that was
 * idle goes. Pure: no clock, no lock. */
#ifndef WD_INTAKE_RATE_H
#define WD_INTAKE_RATE_H

#include "base/err.h"
#include "base/units.h"

#include <stddef.h>
#include <stdint.h>

enum { RATE_WAYS = 8 };

struct rate_limits {
	double client_per_s; /* 0 = no limit, here and below */
	double client_burst; /* so many at once before that rate holds; at least 1 */
	double all_per_s;    /* with a second's worth at once */
};

enum rate_verdict { RATE_PASSES, RATE_CLIENT_OVER, RATE_ALL_OVER };

struct rate;

/* Remembers at least `clients` (rounded up to sets and a power of two): 16 bytes each. */
enum wd_err rate_open(size_t clients, struct rate **ret_rate) WD_MUST_CHECK;
void rate_close(struct rate *r); /* NULL is fine */

/* Takes `cost` from the client's bucket and from the common one if neither is empty: what is
 * larger than what is left is let through and paid off later. Otherwise takes nothing, and
 * *ret_wait_s is the whole seconds, at least 1, after which it makes sense to ask again.
 * `client` is a keyed hash, so that nobody can aim at a set; not 0. `now` never goes back. */
enum rate_verdict rate_take(struct rate *r, const struct rate_limits *limits, uint64_t client,
			    uint32_t cost, wd_mono now, uint32_t *ret_wait_s);

/* How many clients were forgotten while they were still paying off. */
uint64_t rate_forgotten(const struct rate *r);

#endif
