/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/second.h"

#include "base/check.h"

#include <math.h>

void second_add(struct second *s, wd_wall at, wd_span width, const double *values, size_t count,
		double *ret_per_s)
{
	uint32_t now = s->next % SECOND_TICKS;
	int64_t end = wall_add(at, width).ns;
	double seconds = 0;

	WD_CHECK(count <= SECOND_VALUES);
	s->next = now + 1;
	s->end_ns[now] = end;
	s->seconds[now] = (float)width.ns / (float)WD_NS_PER_S;
	for (size_t n = 0; n < count; n++) {
		s->value[now][n] = (float)values[n];
		ret_per_s[n] = 0;
	}
	for (uint32_t i = 0; i < SECOND_TICKS; i++) {
		/* A tick counts as a whole if its beginning lies within the second. */
		double began = ((double)s->end_ns[i] - (double)end) / (double)WD_NS_PER_S -
			       s->seconds[i];
		if (i != now && (!(s->seconds[i] > 0) || began < -1.001 || began > 0))
			continue;
		seconds += s->seconds[i];
		for (size_t n = 0; n < count; n++)
			ret_per_s[n] += (double)s->value[i][n];
	}
	for (size_t n = 0; n < count; n++)
		ret_per_s[n] /= fmax(1, seconds);
}

void second_write(const struct second *s, struct out *o)
{
	out_u8(o, (uint8_t)(s->next % SECOND_TICKS));
	for (uint32_t i = 0; i < SECOND_TICKS; i++) {
		out_i64(o, s->end_ns[i]);
		out_f32(o, s->seconds[i]);
		for (uint32_t n = 0; n < SECOND_VALUES; n++)
			out_f32(o, s->value[i][n]);
	}
}

void second_read(struct second *s, struct cur *c)
{
	s->next = cur_u8(c);
	for (uint32_t i = 0; i < SECOND_TICKS; i++) {
		s->end_ns[i] = cur_i64(c);
		s->seconds[i] = cur_f32(c);
		for (uint32_t n = 0; n < SECOND_VALUES; n++)
			s->value[i][n] = cur_f32(c);
	}
}
