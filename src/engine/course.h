/* SPDX-License-Identifier: Apache-2.0 */
/* course: how one rate of a service went, for its charts: means of seconds in two rings, with
 * what was usual. Internal to the engine.
 *
 * A bucket of a ring is three numbers of 16 bits, 1024 steps to the power of two: within 0.04 %
 * of what it was, from 0.001 to 10^16. What is below that is 0. */
#ifndef WD_ENGINE_COURSE_H
#define WD_ENGINE_COURSE_H

#include "base/bytes.h"
#include "base/units.h"
#include "model/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

enum course_span {
	COURSE_RECENT, /* six minutes of seconds */
	COURSE_DAY,    /* of five minutes */
	COURSE_SPANS,
};

enum { COURSE_RECENT_COUNT = 361, COURSE_DAY_COUNT = 289,
       COURSE_CELLS = COURSE_RECENT_COUNT + COURSE_DAY_COUNT };

enum { COURSE_NOTHING = 65535 };
uint16_t course_pack(float x); /* never COURSE_NOTHING */
float course_unpack(uint16_t n);

struct course_cell { uint16_t observed, expected, high; };

struct course_ring {
	int64_t last; /* the newest bucket's number (begin / step); INT64_MIN = none yet */
	uint32_t samples; /* what came in it so far, summed up */
	float observed, expected, above2; /* squares of what the usual band is high */
};

struct course {
	struct course_cell *cells; /* owned; COURSE_CELLS, ring behind ring; NULL = not open */
	struct course_ring rings[COURSE_SPANS];
	int64_t second;         /* the running one */
	float covered_s;        /* of it */
	float sum, usual, high; /* weighed by the time they hold for */
};

bool course_open(struct course *r); /* one that is open stays; false if memory ran out */
void course_close(struct course *r);

/* A rate of [at, at + width): observed, expected and high. */
void course_add(struct course *r, wd_wall at, wd_span width, const struct point *p);
/* The buckets up to `now`. False if memory ran out; the caller frees ret->points. */
bool course_show(const struct course *r, enum course_span span, wd_wall now, struct series *ret);

/* An open one as bytes and back; what cannot be makes c bad. `wide`: as it was written before it
 * was kept in 16 bits. */
void course_write(const struct course *r, struct out *o);
void course_read(struct course *r, struct cur *c, bool wide);

#endif
