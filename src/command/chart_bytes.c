/* SPDX-License-Identifier: Apache-2.0 */
#include "command/chart_bytes.h"

#include <stdlib.h>

enum { CHART_VERSION = 1, POINT_BYTES = 16 };

void chart_write(const struct series *s, struct out *o)
{
	out_u8(o, CHART_VERSION);
	out_i64(o, s->begin.ns);
	out_i64(o, s->step.ns);
	out_u32(o, (uint32_t)s->count);
	for (size_t n = 0; n < s->count; n++) {
		out_f32(o, s->points[n].observed);
		out_f32(o, s->points[n].expected);
		out_f32(o, s->points[n].low);
		out_f32(o, s->points[n].high);
	}
}

enum wd_err chart_read(const uint8_t *bytes, size_t len, struct series *ret_series,
		       struct wd_why *why)
{
	struct cur c = cur_over(bytes, len);
	uint8_t version = cur_u8(&c);
	struct series s = {.begin = {cur_i64(&c)}, .step = {0}};
	s.step.ns = cur_i64(&c);
	s.count = cur_u32(&c);
	if (c.bad)
		return wd_fail(why, WD_SHORT, (uint32_t)cur_offset(&c), "chart ends early");
	if (version > CHART_VERSION)
		return wd_fail(why, WD_UNKNOWN, 0, "chart has a later version than this program");
	if (version == 0 || s.count == 0 || s.count > CHART_POINTS_MAX || s.step.ns <= 0 ||
	    cur_left(&c) != s.count * POINT_BYTES)
		return wd_fail(why, WD_MALFORMED, 0, "chart is damaged");
	s.points = calloc(s.count, sizeof(*s.points));
	if (s.points == NULL)
		return wd_fail(why, WD_NOMEM, 0, "chart");
	for (size_t n = 0; n < s.count; n++) {
		struct point *p = &s.points[n];
		p->observed = cur_f32(&c);
		p->expected = cur_f32(&c);
		p->low = cur_f32(&c);
		p->high = cur_f32(&c);
	}
	*ret_series = s;
	return WD_OK;
}
