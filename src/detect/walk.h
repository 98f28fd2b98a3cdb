/* SPDX-License-Identifier: Apache-2.0 */
/* walk: over the fields of a state in one fixed order, to write them as bytes or to read them
 * back, so that one list of fields serves both. Little-endian, floats as their IEEE 754 bits.
 * What is read out of its range is told once, with its place, and the walk goes on. Internal. */
#ifndef WD_DETECT_WALK_H
#define WD_DETECT_WALK_H

#include "base/err.h"
#include "detect/calibrate.h"

#include <stdint.h>
#include <string.h>

struct walk {
	uint8_t *write; /* NULL when reading */
	const uint8_t *read;
	uint32_t at, len;   /* len: of what is read, or room to write */
	const char *broken; /* the first broken rule */
	uint32_t broken_at;
	enum wd_err err;
	const char *ends; /* what is told where the bytes end early */
};

static inline void walk_broken(struct walk *w, enum wd_err err, const char *what)
{
	if (!w->broken) {
		w->broken = what;
		w->broken_at = w->at;
		w->err = err;
	}
}

/* The low bytes of value, or what was read: then `value` does not matter. */
static inline uint64_t walk_bits(struct walk *w, uint64_t value, uint32_t bytes)
{
	uint64_t got = 0;

	if (w->len - w->at < bytes) {
		walk_broken(w, WD_SHORT, w->ends);
		return 0;
	}
	for (uint32_t i = 0; i < bytes; i++, w->at++) {
		if (w->write)
			w->write[w->at] = (uint8_t)(value >> (8 * i));
		else
			got |= (uint64_t)w->read[w->at] << (8 * i);
	}
	return w->write ? value : got;
}

static inline void walk_real(struct walk *w, float *x, float low, float high)
{
	uint32_t u;

	memcpy(&u, x, sizeof(u));
	u = (uint32_t)walk_bits(w, u, 4);
	memcpy(x, &u, sizeof(u));
	if (!(*x >= low && *x <= high)) /* also what is no number */
		walk_broken(w, WD_MALFORMED, "a number is out of its range");
}

static inline void walk_whole(struct walk *w, uint32_t *x, uint32_t high)
{
	*x = (uint32_t)walk_bits(w, *x, 4);
	if (*x > high)
		walk_broken(w, WD_MALFORMED, "a count is out of its range");
}

/* Amounts up to `big`, counts up to count_max. */
static inline void walk_calibrate(struct walk *w, struct calibrate *c, float big, float count_max)
{
	walk_real(w, &c->peak, 0, big);
	walk_real(w, &c->excess, 0, big);
	walk_real(w, &c->square, 0, big);
	walk_real(w, &c->count, 0, count_max);
	walk_real(w, &c->samples, 0, 1e6F); /* calibrate.c halves it at 400,000 */
	walk_real(w, &c->scale, 1e-6F, big);
	walk_real(w, &c->shape, 0, 1);
	walk_real(w, &c->log10_rate, -100, 0);
	walk_real(w, &c->log10_seen, 0, 100);
}

#endif
