/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct form { int64_t step_s; uint32_t count, first; } forms[COURSE_SPANS] = {
	[COURSE_RECENT] = {1, COURSE_RECENT_COUNT, 0},
	[COURSE_DAY] = {300, COURSE_DAY_COUNT, COURSE_RECENT_COUNT},
};

/* ---- 16 bits ---- */

enum { NOTHING = COURSE_NOTHING, STEPS = 1024, BELOW_ONE = 10 * STEPS };

uint16_t course_pack(float x)
{
	if (!(x > 0))
		return 0;
	double steps = log2((double)x) * STEPS + BELOW_ONE;
	return steps < 0.5 ? 0 : steps > NOTHING - 1 ? NOTHING - 1 : (uint16_t)lrint(steps);
}

float course_unpack(uint16_t n)
{
	return n == 0 ? 0 : (float)exp2((n - BELOW_ONE) / (double)STEPS);
}

/* ---- a ring ---- */

static struct course_cell *cell_of(const struct course *r, const struct form *f, int64_t bucket)
{
	int64_t n = bucket % (int64_t)f->count;
	return &r->cells[f->first + (uint32_t)(n < 0 ? n + (int64_t)f->count : n)];
}

static void clear(struct course *r, const struct form *f)
{
	for (uint32_t n = 0; n < f->count; n++)
		r->cells[f->first + n] = (struct course_cell){.observed = NOTHING};
}

/* Makes `bucket` the newest; those skipped are empty. */
static void move_to(struct course *r, enum course_span span, int64_t bucket)
{
	const struct form *f = &forms[span];
	struct course_ring *ring = &r->rings[span];
	if (ring->last == INT64_MIN || bucket - ring->last >= (int64_t)f->count) {
		clear(r, f);
	} else {
		for (int64_t n = ring->last + 1; n <= bucket; n++)
			*cell_of(r, f, n) = (struct course_cell){.observed = NOTHING};
	}
	*ring = (struct course_ring){.last = bucket};
}

static void put(struct course *r, enum course_span span)
{
	const struct course_ring *ring = &r->rings[span];
	float n = (float)ring->samples;
	*cell_of(r, &forms[span], ring->last) = (struct course_cell){
		course_pack(ring->observed / n), course_pack(ring->expected / n),
		course_pack((ring->expected + sqrtf(ring->above2)) / n)};
}

/* One second's. */
static void take(struct course *r, enum course_span span, int64_t second, const struct point *p)
{
	struct course_ring *ring = &r->rings[span];
	int64_t bucket = floor_div(second, forms[span].step_s);
	float above = p->high - p->expected;
	if (ring->last == INT64_MIN || bucket > ring->last)
		move_to(r, span, bucket);
	if (bucket != ring->last)
		return; /* the clock does not go back */
	ring->observed += p->observed;
	ring->expected += p->expected;
	ring->above2 += above * above;
	ring->samples++;
	put(r, span);
}

/* ---- all of it ---- */

bool course_open(struct course *r)
{
	if (r->cells != NULL)
		return true;
	r->cells = malloc(COURSE_CELLS * sizeof(*r->cells));
	for (size_t n = 0; r->cells != NULL && n < COURSE_SPANS; n++) {
		r->rings[n] = (struct course_ring){.last = INT64_MIN};
		clear(r, &forms[n]);
	}
	return r->cells != NULL;
}

void course_close(struct course *r)
{
	free(r->cells);
	r->cells = NULL;
}

/* The running second is over. */
static void flush(struct course *r)
{
	if (r->covered_s <= 0)
		return;
	const struct point p = {.observed = r->sum / r->covered_s,
				.expected = r->usual / r->covered_s,
				.high = r->high / r->covered_s};
	for (size_t n = 0; n < COURSE_SPANS; n++)
		take(r, (enum course_span)n, r->second, &p);
	r->covered_s = r->sum = r->usual = r->high = 0;
}

void course_add(struct course *r, wd_wall at, wd_span width, const struct point *p)
{
	float covered = (float)((double)width.ns / (double)WD_NS_PER_S);
	int64_t second = wall_to_s(at);
	if (second != r->second)
		flush(r);
	r->second = second;
	r->covered_s += covered;
	r->sum += p->observed * covered;
	r->usual += p->expected * covered;
	r->high += p->high * covered;
}

static struct point point_of(const struct course_cell *c)
{
	if (c->observed == NOTHING)
		return (struct point){.observed = -1};
	float expected = course_unpack(c->expected);
	return (struct point){course_unpack(c->observed), expected, expected,
			      course_unpack(c->high)};
}

bool course_show(const struct course *r, enum course_span span, wd_wall now, struct series *ret)
{
	const struct form *f = &forms[span];
	int64_t last = r->rings[span].last;
	int64_t first = floor_div(wall_to_s(now), f->step_s) - (int64_t)f->count + 1;
	struct point *points = calloc(f->count, sizeof(*points));
	if (points == NULL)
		return false;
	for (uint32_t n = 0; n < f->count; n++) {
		int64_t bucket = first + n;
		bool there = last != INT64_MIN && bucket <= last &&
			     last - bucket < (int64_t)f->count;
		points[n] = there ? point_of(cell_of(r, f, bucket))
				  : (struct point){.observed = -1};
	}
	*ret = (struct series){.begin = wall_s(first * f->step_s), .step = span_s(f->step_s),
			       .count = f->count, .points = points};
	return true;
}

/* ---- as bytes ---- */

static void write_ring(const struct course *r, enum course_span span, struct out *o)
{
	const struct course_ring *ring = &r->rings[span];
	out_i64(o, ring->last);
	if (ring->last == INT64_MIN)
		return;
	out_f32(o, ring->observed);
	out_f32(o, ring->expected);
	out_f32(o, ring->above2);
	out_u32(o, ring->samples);
	for (uint32_t n = 0; n < forms[span].count; n++) {
		const struct course_cell *c = cell_of(r, &forms[span], ring->last - n);
		out_u16(o, c->observed);
		if (c->observed == NOTHING)
			continue;
		out_u16(o, c->expected);
		out_u16(o, c->high);
	}
}

static int64_t read_last(struct cur *c)
{
	int64_t last = cur_i64(c);
	if (last != INT64_MIN && (last < INT64_MIN / 4 || last > INT64_MAX / 4))
		c->bad = true;
	return c->bad ? INT64_MIN : last;
}

static void read_ring(struct course *r, enum course_span span, struct cur *c)
{
	struct course_ring *ring = &r->rings[span];
	ring->last = read_last(c);
	if (ring->last == INT64_MIN)
		return;
	ring->observed = cur_f32(c);
	ring->expected = cur_f32(c);
	ring->above2 = cur_f32(c);
	ring->samples = cur_u32(c);
	for (uint32_t n = 0; n < forms[span].count; n++) {
		struct course_cell *cell = cell_of(r, &forms[span], ring->last - n);
		cell->observed = cur_u16(c);
		if (cell->observed == NOTHING)
			continue;
		cell->expected = cur_u16(c);
		cell->high = cur_u16(c);
	}
}

/* A tally/rollup: its step, count and last bucket, and the buckets' sums, newest first. */
static void read_wide_ring(struct course *r, enum course_span span, struct cur *c)
{
	struct course_ring newest = {.last = INT64_MIN};
	c->bad |= cur_i64(c) != forms[span].step_s * WD_NS_PER_S;
	c->bad |= cur_u32(c) != forms[span].count;
	int64_t last = read_last(c);
	for (uint32_t n = 0; last != INT64_MIN && n < forms[span].count; n++) {
		struct course_ring *ring = &r->rings[span];
		*ring = (struct course_ring){.last = last - n, .samples = cur_u32(c)};
		if (ring->samples != 0) {
			ring->observed = cur_f32(c);
			ring->expected = cur_f32(c);
			cur_f32(c); /* the band's other side */
			ring->above2 = cur_f32(c);
			put(r, span);
		}
		newest = n == 0 ? *ring : newest;
	}
	r->rings[span] = newest;
}

void course_write(const struct course *r, struct out *o)
{
	/* As it ever was: the day first. */
	write_ring(r, COURSE_DAY, o);
	write_ring(r, COURSE_RECENT, o);
	out_i64(o, r->second);
	out_f32(o, r->covered_s);
	out_f32(o, r->sum);
	out_f32(o, r->usual);
	out_f32(o, r->high);
}

void course_read(struct course *r, struct cur *c, bool wide)
{
	void (*const read)(struct course *, enum course_span, struct cur *) =
		wide ? read_wide_ring : read_ring;
	read(r, COURSE_DAY, c);
	read(r, COURSE_RECENT, c);
	r->second = cur_i64(c);
	r->covered_s = cur_f32(c);
	r->sum = cur_f32(c);
	r->usual = cur_f32(c);
	r->high = cur_f32(c);
}
