/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/before.h"

#include "engine/course.h"

#include <math.h>
#include <string.h>

enum { COUNT = TRACE_BEFORE_MAX };

static const wd_span STEP = {BEFORE_STEP_S * WD_NS_PER_S};

static uint16_t *step_of(struct before *b, int64_t step)
{
	int64_t n = step % COUNT;
	return b->steps[n < 0 ? n + COUNT : n];
}

static void forget(uint16_t *step)
{
	for (size_t k = 0; k < BEFORE_RATES; k++)
		step[k] = COURSE_NOTHING;
}

/* The running step is over. */
static void keep(struct before *b)
{
	uint16_t *step = step_of(b, b->last);
	for (size_t k = 0; k < BEFORE_RATES; k++) {
		float seconds = k == BEFORE_REQUESTS ? b->requests_s : b->flows_s;
		if (seconds > 0)
			step[k] = course_pack(b->sums[k] / seconds);
	}
}

/* Is that the running step, made so if need be? */
static bool begin(struct before *b, wd_wall at)
{
	int64_t step = floor_div(at.ns, STEP.ns);
	if (step <= b->last)
		return step == b->last;
	keep(b);
	int64_t first = step - b->last >= COUNT ? step - COUNT + 1 : b->last + 1;
	for (int64_t n = first; n <= step; n++)
		forget(step_of(b, n));
	b->last = step;
	b->flows_s = b->requests_s = 0;
	memset(b->sums, 0, sizeof(b->sums));
	return true;
}

static float seconds_of(wd_span width)
{
	return (float)((double)width.ns / (double)WD_NS_PER_S);
}

void before_flows(struct before *b, wd_wall at, wd_span width, const struct flood_reading *r)
{
	float seconds = seconds_of(width);
	if (!begin(b, at))
		return;
	b->flows_s += seconds;
	b->sums[BEFORE_PACKETS] += r->packets_per_s * seconds;
	b->sums[BEFORE_BITS] += r->bits_per_s * seconds;
	b->sums[BEFORE_RECORDS] += r->records_per_s * seconds;
	b->sums[BEFORE_USUAL_PACKETS] += r->usual_packets_per_s * seconds;
	b->sums[BEFORE_USUAL_BITS] += r->usual_bits_per_s * seconds;
}

void before_requests(struct before *b, wd_wall at, wd_span width, float requests_per_s)
{
	float seconds = seconds_of(width);
	if (!begin(b, at))
		return;
	b->requests_s += seconds;
	b->sums[BEFORE_REQUESTS] += requests_per_s * seconds;
}

static float known(uint16_t n)
{
	return n == COURSE_NOTHING ? -1 : course_unpack(n);
}

void before_read(const struct before *b, wd_wall until, struct trace_before *ret)
{
	struct before now = *b; /* with the running step as far as it is */
	int64_t end = -floor_div(-until.ns, STEP.ns), first = end - COUNT;
	*ret = (struct trace_before){.step = STEP};
	if (b->last == 0)
		return;
	keep(&now);
	if (first <= now.last - COUNT)
		first = now.last - COUNT + 1;
	for (int64_t n = first; n < end && n <= now.last; n++) {
		const uint16_t *step = step_of(&now, n);
		bool any = step[BEFORE_PACKETS] != COURSE_NOTHING ||
			   step[BEFORE_REQUESTS] != COURSE_NOTHING;
		if (!any && ret->count == 0)
			continue;
		if (ret->count == 0)
			ret->begin = (wd_wall){n * STEP.ns};
		ret->points[ret->count++] = (struct trace_before_point){
			.packets_per_s = known(step[BEFORE_PACKETS]),
			.bits_per_s = known(step[BEFORE_BITS]),
			.records_per_s = known(step[BEFORE_RECORDS]),
			.requests_per_s = known(step[BEFORE_REQUESTS]),
			.usual_packets_per_s = known(step[BEFORE_USUAL_PACKETS]),
			.usual_bits_per_s = known(step[BEFORE_USUAL_BITS]),
		};
	}
}

void before_write(const struct before *b, struct out *o)
{
	out_i64(o, b->last);
	out_f32(o, b->flows_s);
	out_f32(o, b->requests_s);
	for (size_t k = 0; k < BEFORE_RATES; k++)
		out_f32(o, b->sums[k]);
	for (size_t n = 0; n < COUNT; n++) {
		for (size_t k = 0; k < BEFORE_RATES; k++)
			out_u16(o, b->steps[n][k]);
	}
}

void before_load(struct before *b, struct cur *c)
{
	b->last = cur_i64(c);
	b->flows_s = cur_f32(c);
	b->requests_s = cur_f32(c);
	for (size_t k = 0; k < BEFORE_RATES; k++)
		b->sums[k] = cur_f32(c);
	for (size_t n = 0; n < COUNT; n++) {
		for (size_t k = 0; k < BEFORE_RATES; k++)
			b->steps[n][k] = cur_u16(c);
	}
	if (b->last < INT64_MIN / STEP.ns || b->last > INT64_MAX / STEP.ns)
		c->bad = true;
}
