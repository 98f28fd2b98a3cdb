/* SPDX-License-Identifier: Apache-2.0 */
/* The stable form of struct surge: "WDS", version, kind, then every field in the order below,
 * little-endian, floats as their IEEE 754 bits, then zeros up to SURGE_BYTES. One list of
 * fields serves both directions. */
#include "base/check.h"
#include "detect/surge.h"

#include <string.h>

enum { VERSION = 1, HEAD = 5 };

struct io {
	uint8_t *write; /* NULL when reading */
	const uint8_t *read;
	uint32_t at;
	const char *broken; /* the first broken rule */
	uint32_t broken_at;
};

static const float big = 1e37F;

static void broken(struct io *io, const char *what)
{
	if (!io->broken) {
		io->broken = what;
		io->broken_at = io->at;
	}
}

static uint64_t bits(struct io *io, uint64_t value, int bytes)
{
	uint64_t got = 0;

	for (int i = 0; i < bytes; i++, io->at++) {
		if (io->write)
			io->write[io->at] = (uint8_t)(value >> (8 * i));
		else
			got |= (uint64_t)io->read[io->at] << (8 * i);
	}
	return io->write ? value : got;
}

static void real(struct io *io, float *x, float low, float high)
{
	uint32_t u;

	memcpy(&u, x, sizeof(u));
	u = (uint32_t)bits(io, u, 4);
	memcpy(x, &u, sizeof(u));
	if (!(*x >= low && *x <= high)) /* also what is no number */
		broken(io, "a number is out of its range");
}

static void whole(struct io *io, uint32_t *x, uint32_t high)
{
	*x = (uint32_t)bits(io, *x, 4);
	if (*x > high)
		broken(io, "a count is out of its range");
}

static void half(struct io *io, uint16_t *x)
{
	*x = (uint16_t)bits(io, *x, 2);
}

static void common(struct io *io, struct surge *s)
{
	struct calibrate *c = &s->calibrate;

	s->seen = bits(io, s->seen, 8);
	s->last = (int64_t)bits(io, (uint64_t)s->last, 8);
	whole(io, &s->hits, UINT32_MAX);
	whole(io, &s->unhit, UINT32_MAX);
	whole(io, &s->calm, UINT32_MAX);
	whole(io, &s->frozen, UINT32_MAX);
	real(io, &s->hit_counts, 0, big);
	real(io, &s->pace, 0, big);
	real(io, &s->floor, 0, big);
	real(io, &c->peak, 0, big);
	real(io, &c->excess, 0, big);
	real(io, &c->square, 0, big);
	real(io, &c->count, 0, big);
	real(io, &c->samples, 0, 1e6F); /* calibrate.c halves it at 400,000 */
	real(io, &c->scale, 1e-6F, big);
	real(io, &c->shape, 0, 1);
	real(io, &c->log10_rate, -100, 0);
	real(io, &c->log10_seen, 0, 100);
}

static void counts(struct io *io, struct surge *s)
{
	struct baseline *b = &s->baseline;

	for (int k = 0; k < EVIDENCE_SIZES; k++) {
		real(io, &s->evidence.nats[k], 0, 1e4F);
		whole(io, &s->evidence.age[k], UINT32_MAX);
	}
	real(io, &b->level, 1e-12F, big);
	real(io, &b->weight, 0.01F, big);
	real(io, &b->below, 0, big);
	real(io, &b->below_counts, 0, big);
	real(io, &b->below_factors, 0, big);
	real(io, &b->excess, -big, big);
	real(io, &b->sum, 0, big);
	real(io, &b->recent, 0, big);
	real(io, &b->recent_mean, 0, big);
	real(io, &b->block_sum, 0, big);
	real(io, &b->block_mean, 0, big);
	real(io, &b->blocks_excess, -big, big);
	real(io, &b->blocks_sum, 0, big);
	half(io, &b->block_samples);
	half(io, &b->visit_samples);
	real(io, &b->visit_sum, 0, big);
	real(io, &b->visit_level, 0, big);
	b->visit_bin = (uint8_t)bits(io, b->visit_bin, 1);
	if (b->visit_bin >= BASELINE_BINS)
		broken(io, "no such half hour");
	b->stretch = (uint8_t)bits(io, b->stretch, 1);
	real(io, &b->shape_from, 0, big);
	real(io, &b->shape_to, 0, big);
	real(io, &b->noise, 1e-6F, big);
	real(io, &b->noise_alone, 1e-6F, big);
	real(io, &b->wander, 0, big);
	for (int i = 0; i < BASELINE_BINS; i++) {
		real(io, &b->shape[i], 0, big);
		half(io, &b->samples[i]);
	}
}

static void metric(struct io *io, struct deviation *d)
{
	real(io, &d->fast, -big, big);
	real(io, &d->local, -big, big);
	real(io, &d->slow, -big, big);
	for (int j = 0; j < DEVIATION_KINDS; j++) {
		real(io, &d->scale[j], 0, big);
		for (int side = 0; side < DEVIATION_SIDES; side++) {
			real(io, &d->tail[j][side].from, -big, big);
			real(io, &d->tail[j][side].excess, 0, big);
			real(io, &d->tail[j][side].square, 0, big);
			real(io, &d->tail[j][side].count, 0, big);
		}
	}
	for (int side = 0; side < DEVIATION_SIDES; side++) {
		real(io, &d->heat[side], 0, big);
		whole(io, &d->age[side], UINT32_MAX);
	}
	whole(io, &d->seen, 1 << 24);
	for (int i = 0; i < DEVIATION_BINS; i++) {
		real(io, &d->offset[i], -big, big);
		half(io, &d->visits[i]);
	}
}

static void fields(struct io *io, struct surge *s, enum surge_kind kind)
{
	common(io, s);
	if (kind == SURGE_COUNTS)
		counts(io, s);
	else
		metric(io, &s->deviation);
	while (io->at < SURGE_BYTES)
		if (bits(io, 0, 1) != 0)
			broken(io, "a byte behind the last field is not 0");
}

void surge_write(const struct surge *s, const struct surge_plan *plan, uint8_t bytes[SURGE_BYTES])
{
	struct surge copy = *s;
	struct io io = {.write = bytes, .at = HEAD};

	memcpy(bytes, "WDS", 3);
	bytes[3] = VERSION;
	bytes[4] = (uint8_t)plan->kind;
	fields(&io, &copy, plan->kind);
	WD_CHECK(io.at == SURGE_BYTES && !io.broken);
}

enum wd_err surge_read(struct surge *ret_s, const struct surge_plan *plan, const uint8_t *bytes,
		       size_t len, struct wd_why *why)
{
	struct surge s;
	struct io io = {.read = bytes, .at = HEAD};

	if (len < HEAD)
		return wd_fail(why, WD_SHORT, (uint32_t)len, "a series' state ends in its head");
	if (memcmp(bytes, "WDS", 3) != 0)
		return wd_fail(why, WD_MALFORMED, 0, "not a series' state");
	if (bytes[3] != VERSION)
		return wd_fail(why, WD_UNKNOWN, 3, "a series' state of an unknown version");
	if (bytes[4] != (uint8_t)plan->kind)
		return wd_fail(why, WD_MALFORMED, 4, "a series' state of another kind");
	if (len < SURGE_BYTES)
		return wd_fail(why, WD_SHORT, (uint32_t)len, "a series' state ends early");
	if (len > SURGE_BYTES)
		return wd_fail(why, WD_MALFORMED, SURGE_BYTES, "bytes after a series' state");
	surge_init(&s, plan);
	fields(&io, &s, plan->kind);
	if (io.broken)
		return wd_fail(why, WD_MALFORMED, io.broken_at, io.broken);
	*ret_s = s;
	return WD_OK;
}
