/* SPDX-License-Identifier: Apache-2.0 */
/* once: one count per person, service and quarter of an hour. An exact set of the
 * current quarter and the one before (late reports belong there), open addressing, growing
 * to a stated maximum; past it persons are counted without being remembered, and that is
 * counted too. 8 bytes an entry at half load. */
#ifndef WD_ENGINE_ONCE_H
#define WD_ENGINE_ONCE_H

#include "base/bytes.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct once_quarter {
	int64_t quarter; /* time / 15 min; valid when slots is not NULL */
	uint64_t *slots; /* owned; 0 = free */
	size_t size;     /* a power of two */
	size_t used;
};

struct once {
	size_t used_max;
	struct once_quarter quarters[2]; /* quarter q is in [q & 1] */
	uint64_t untracked;
};

int64_t once_quarter_of(wd_wall t);

void once_init(struct once *p, size_t used_max);
void once_done(struct once *p);

/* True if this key (a hash of person and service) was not there in that quarter. */
bool once_first(struct once *p, int64_t quarter, uint64_t key);

void once_write(const struct once *p, struct out *o);
void once_read(struct once *p, struct cur *c);

#endif
