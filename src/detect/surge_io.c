/* SPDX-License-Identifier: Apache-2.0 */
/* The stable form of struct surge: "WDS", version, kind, then every field in the order below,
 * little-endian, floats as their IEEE 754 bits, then zeros up to SURGE_BYTES. One list of
 * fields serves both directions. */
#include "base/check.h"
#include "detect/surge.h"
#include "detect/walk.h"

#include <string.h>

enum { VERSION = 1, HEAD = 5 };

static const char ends[] = "a series' state ends early";
static const float big = 1e37F;

static void half(struct walk *io, uint16_t *x)
{
	*x = (uint16_t)walk_bits(io, *x, 2);
}

static void common(struct walk *io, struct surge *s)
{
	s->seen = walk_bits(io, s->seen, 8);
	s->last = (int64_t)walk_bits(io, (uint64_t)s->last, 8);
	walk_whole(io, &s->hits, UINT32_MAX);
	walk_whole(io, &s->unhit, UINT32_MAX);
	walk_whole(io, &s->calm, UINT32_MAX);
	walk_whole(io, &s->frozen, UINT32_MAX);
	walk_real(io, &s->hit_counts, 0, big);
	walk_real(io, &s->pace, 0, big);
	walk_real(io, &s->floor, 0, big);
	walk_calibrate(io, &s->calibrate, big, big);
}

static void counts(struct walk *io, struct surge *s)
{
	struct baseline *b = &s->baseline;

	for (int k = 0; k < EVIDENCE_SIZES; k++) {
		walk_real(io, &s->evidence.nats[k], 0, 1e4F);
		walk_whole(io, &s->evidence.age[k], UINT32_MAX);
	}
	walk_real(io, &b->level, 1e-12F, big);
	walk_real(io, &b->weight, 0.01F, big);
	walk_real(io, &b->below, 0, big);
	walk_real(io, &b->below_counts, 0, big);
	walk_real(io, &b->below_factors, 0, big);
	walk_real(io, &b->excess, -big, big);
	walk_real(io, &b->sum, 0, big);
	walk_real(io, &b->recent, 0, big);
	walk_real(io, &b->recent_mean, 0, big);
	walk_real(io, &b->block_sum, 0, big);
	walk_real(io, &b->block_mean, 0, big);
	walk_real(io, &b->blocks_excess, -big, big);
	walk_real(io, &b->blocks_sum, 0, big);
	half(io, &b->block_samples);
	half(io, &b->visit_samples);
	walk_real(io, &b->visit_sum, 0, big);
	walk_real(io, &b->visit_level, 0, big);
	b->visit_bin = (uint8_t)walk_bits(io, b->visit_bin, 1);
	if (b->visit_bin >= BASELINE_BINS)
		walk_broken(io, WD_MALFORMED, "no such half hour");
	b->stretch = (uint8_t)walk_bits(io, b->stretch, 1);
	walk_real(io, &b->shape_from, 0, big);
	walk_real(io, &b->shape_to, 0, big);
	walk_real(io, &b->noise, 1e-6F, big);
	walk_real(io, &b->noise_alone, 1e-6F, big);
	walk_real(io, &b->wander, 0, big);
	for (int i = 0; i < BASELINE_BINS; i++) {
		walk_real(io, &b->shape[i], 0, big);
		half(io, &b->samples[i]);
	}
}

static void metric(struct walk *io, struct deviation *d)
{
	walk_real(io, &d->fast, -big, big);
	walk_real(io, &d->local, -big, big);
	walk_real(io, &d->slow, -big, big);
	for (int j = 0; j < DEVIATION_KINDS; j++) {
		walk_real(io, &d->scale[j], 0, big);
		for (int side = 0; side < DEVIATION_SIDES; side++) {
			walk_real(io, &d->tail[j][side].from, -big, big);
			walk_real(io, &d->tail[j][side].excess, 0, big);
			walk_real(io, &d->tail[j][side].square, 0, big);
			walk_real(io, &d->tail[j][side].count, 0, big);
		}
	}
	for (int side = 0; side < DEVIATION_SIDES; side++) {
		walk_real(io, &d->heat[side], 0, big);
		walk_whole(io, &d->age[side], UINT32_MAX);
	}
	walk_whole(io, &d->seen, 1 << 24);
	for (int i = 0; i < DEVIATION_BINS; i++) {
		walk_real(io, &d->offset[i], -big, big);
		half(io, &d->visits[i]);
	}
}

static void fields(struct walk *io, struct surge *s, enum surge_kind kind)
{
	common(io, s);
	if (kind == SURGE_COUNTS)
		counts(io, s);
	else
		metric(io, &s->deviation);
	while (io->at < SURGE_BYTES)
		if (walk_bits(io, 0, 1) != 0)
			walk_broken(io, WD_MALFORMED, "a byte behind the last field is not 0");
}

void surge_write(const struct surge *s, const struct surge_plan *plan, uint8_t bytes[SURGE_BYTES])
{
	struct surge copy = *s;
	struct walk io = {.write = bytes, .at = HEAD, .len = SURGE_BYTES, .ends = ends};

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
	struct walk io = {.read = bytes, .at = HEAD, .len = SURGE_BYTES, .ends = ends};

	if (len < HEAD)
		return wd_fail(why, WD_SHORT, (uint32_t)len, "a series' state ends in its head");
	if (memcmp(bytes, "WDS", 3) != 0)
		return wd_fail(why, WD_MALFORMED, 0, "not a series' state");
	if (bytes[3] != VERSION)
		return wd_fail(why, WD_UNKNOWN, 3, "a series' state of an unknown version");
	if (bytes[4] != (uint8_t)plan->kind)
		return wd_fail(why, WD_MALFORMED, 4, "a series' state of another kind");
	if (len < SURGE_BYTES)
		return wd_fail(why, WD_SHORT, (uint32_t)len, ends);
	if (len > SURGE_BYTES)
		return wd_fail(why, WD_MALFORMED, SURGE_BYTES, "bytes after a series' state");
	surge_init(&s, plan);
	fields(&io, &s, plan->kind);
	if (io.broken)
		return wd_fail(why, WD_MALFORMED, io.broken_at, io.broken);
	*ret_s = s;
	return WD_OK;
}
