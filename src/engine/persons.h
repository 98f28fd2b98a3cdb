/* SPDX-License-Identifier: Apache-2.0 */
/* persons: one count per person, service and quarter of an hour. An exact set of the
 * current quarter and the one before (late reports belong there), open addressing, growing
 * to a stated maximum; past it persons are counted without being remembered, and that is
 * counted too. 8 bytes an entry at half load. */
#ifndef WD_ENGINE_PERSONS_H
#define WD_ENGINE_PERSONS_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct persons_quarter {
	int64_t quarter; /* time / 15 min; valid when slots is not NULL */
	uint64_t *slots; /* owned; 0 = free */
	size_t size;     /* a power of two */
	size_t used;
};

struct persons {
	size_t used_max;
	struct persons_quarter quarters[2]; /* quarter q is in [q & 1] */
	uint64_t untracked;
};

int64_t persons_quarter_of(wd_wall t);

void persons_init(struct persons *p, size_t used_max);
void persons_done(struct persons *p);

/* True if this key (a hash of person and service) was not there in that quarter. */
bool persons_first(struct persons *p, int64_t quarter, uint64_t key);

void persons_write(const struct persons *p, struct out *o);
void persons_read(struct persons *p, struct cur *c);

#endif
