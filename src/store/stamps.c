/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stamps.h"

#include "model/observation.h"

enum { SLEW = 10, JUMP_S = 600, LASTED_S = 60 };

void stamps_init(struct stamps *s, wd_wall not_before)
{
	*s = (struct stamps){.last = not_before};
}

static int64_t clamp(int64_t x, int64_t limit)
{
	return x > limit ? limit : x < -limit ? -limit : x;
}

wd_wall stamps_next(struct stamps *s, wd_wall wall, wd_mono mono)
{
	bool believed = wall.ns < OBSERVATION_AT_MAX_S * WD_NS_PER_S;
	if (!s->started) {
		s->started = true;
		if (believed && wall_before(s->last, wall))
			s->last = wall;
		s->last_mono = mono;
		s->off = wall_sub(wall, s->last);
		return s->last;
	}
	int64_t passed = mono_sub(mono, s->last_mono).ns;
	if (passed < 0)
		passed = 0; /* readings of two threads, taken in one order and brought in the other
			     */
	else
		s->last_mono = mono;
	wd_wall next = wall_add(s->last, (wd_span){passed});
	int64_t off = wall_sub(wall, next).ns;
	bool was_ahead = s->ahead;

	s->ahead = off > JUMP_S * WD_NS_PER_S;
	if (!believed) {
		s->ahead = false;
	} else if (!s->ahead) {
		next = wall_add(next, (wd_span){clamp(off, passed / SLEW)});
	} else if (!was_ahead) {
		s->ahead_since = s->last_mono;
	} else if (mono_sub(s->last_mono, s->ahead_since).ns >= LASTED_S * WD_NS_PER_S) {
		next = wall;
		s->ahead = false;
		s->jumps++;
	}
	s->last = next;
	s->off = wall_sub(wall, next);
	return next;
}
