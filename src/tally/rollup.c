/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/rollup.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct rollup_cell *cell_of(const struct rollup *r, int64_t bucket)
{
	int64_t n = bucket % (int64_t)r->count;
	return &r->cells[n < 0 ? n + (int64_t)r->count : n];
}

enum wd_err rollup_open(struct rollup *r, wd_span step, uint32_t count)
{
	WD_CHECK(step.ns > 0 && count > 0);
	struct rollup_cell *cells = calloc(count, sizeof(*cells));
	if (cells == NULL)
		return WD_NOMEM;
	*r = (struct rollup){.step = step, .last = INT64_MIN, .count = count, .cells = cells};
	return WD_OK;
}

void rollup_close(struct rollup *r)
{
	free(r->cells);
	*r = (struct rollup){0};
}

/* Makes `bucket` the newest, emptying those skipped. */
static void move_to(struct rollup *r, int64_t bucket)
{
	if (r->last == INT64_MIN || bucket - r->last >= (int64_t)r->count) {
		memset(r->cells, 0, r->count * sizeof(*r->cells));
	} else {
		for (int64_t n = r->last + 1; n <= bucket; n++)
			*cell_of(r, n) = (struct rollup_cell){0};
	}
	r->last = bucket;
}

void rollup_add(struct rollup *r, wd_wall at, const struct point *p)
{
	int64_t bucket = floor_div(at.ns, r->step.ns);
	if (r->last == INT64_MIN || bucket > r->last)
		move_to(r, bucket);
	else if (r->last - bucket >= (int64_t)r->count)
		return;
	struct rollup_cell *c = cell_of(r, bucket);
	float below = p->expected - p->low, above = p->high - p->expected;
	c->observed += p->observed;
	c->expected += p->expected;
	c->below2 += below * below;
	c->above2 += above * above;
	c->samples++;
}

bool rollup_at(const struct rollup *r, wd_wall at, struct point *ret_point)
{
	wd_wall begin = {floor_div(at.ns, r->step.ns) * r->step.ns};
	int64_t bucket = begin.ns / r->step.ns;
	bool kept = r->last != INT64_MIN && bucket <= r->last &&
		    r->last - bucket < (int64_t)r->count;
	if (!kept || cell_of(r, bucket)->samples == 0)
		return false;
	rollup_read(r, begin, r->step, 1, true, ret_point);
	return true;
}

void rollup_read(const struct rollup *r, wd_wall begin, wd_span step, size_t count, bool mean,
		 struct point *ret_points)
{
	WD_CHECK(step.ns > 0);
	int64_t first = r->last == INT64_MIN ? 0 : r->last - (int64_t)r->count + 1;
	/* The first bucket that begins at or after `begin`. */
	int64_t bucket = -floor_div(-begin.ns, r->step.ns);
	if (bucket < first)
		bucket = first;

	for (size_t n = 0; n < count; n++) {
		struct rollup_cell sum = {0};
		int64_t end_ns = begin.ns + (int64_t)(n + 1) * step.ns;
		for (; r->last != INT64_MIN && bucket <= r->last && bucket * r->step.ns < end_ns;
		     bucket++) {
			const struct rollup_cell *c = cell_of(r, bucket);
			sum.observed += c->observed;
			sum.expected += c->expected;
			sum.below2 += c->below2;
			sum.above2 += c->above2;
			sum.samples += c->samples;
		}
		if (sum.samples == 0) {
			ret_points[n] = (struct point){.observed = -1};
			continue;
		}
		float over = mean ? (float)sum.samples : 1;
		float low = sum.expected - sqrtf(sum.below2);
		ret_points[n] = (struct point){
			.observed = sum.observed / over,
			.expected = sum.expected / over,
			.low = (mean || low > 0 ? low : 0) / over,
			.high = (sum.expected + sqrtf(sum.above2)) / over,
		};
	}
}

void rollup_write(const struct rollup *r, struct out *o)
{
	out_i64(o, r->step.ns);
	out_u32(o, r->count);
	out_i64(o, r->last);
	for (uint32_t n = 0; r->last != INT64_MIN && n < r->count; n++) {
		const struct rollup_cell *c = cell_of(r, r->last - n);
		out_u32(o, c->samples);
		if (c->samples == 0)
			continue;
		out_f32(o, c->observed);
		out_f32(o, c->expected);
		out_f32(o, c->below2);
		out_f32(o, c->above2);
	}
}

void rollup_load(struct rollup *r, struct cur *c)
{
	int64_t step_ns = cur_i64(c);
	uint32_t count = cur_u32(c);
	int64_t last = cur_i64(c);
	bool sane = last == INT64_MIN || (last > INT64_MIN / 4 && last < INT64_MAX / 4);
	if (step_ns != r->step.ns || count != r->count || !sane)
		c->bad = true;
	memset(r->cells, 0, r->count * sizeof(*r->cells));
	r->last = c->bad ? INT64_MIN : last;
	for (uint32_t n = 0; r->last != INT64_MIN && n < r->count; n++) {
		struct rollup_cell *cell = cell_of(r, r->last - n);
		cell->samples = cur_u32(c);
		if (cell->samples == 0)
			continue;
		cell->observed = cur_f32(c);
		cell->expected = cur_f32(c);
		cell->below2 = cur_f32(c);
		cell->above2 = cur_f32(c);
	}
	if (c->bad) {
		memset(r->cells, 0, r->count * sizeof(*r->cells));
		r->last = INT64_MIN;
	}
}
