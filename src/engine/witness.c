/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/witness.h"

#include "base/text.h"

#include <string.h>

static const float patience_times = 3;
static const float patience_min_s = 10;
static const float patience_new_s = 75; /* with who speaks for the first ten minutes */
static const wd_span new_for = {600 * WD_NS_PER_S};
static const float longest_rise = 2;   /* a silence makes it so many times as long at most, … */
static const float longest_from_s = 1; /* … or of this */
static const float longest_life_s = 6 * 3600;
static const float tick_gain = 1 / 14400.0F; /* an hour of ticks */
static const float witness_share = 0.1F;
static const int64_t not_yet = INT64_MAX;

/* ---- its words ---- */

static float longest_max(void)
{
	return (float)WITNESS_PATIENCE_MAX_S / patience_times;
}

wd_span witness_patience(const struct witness *w)
{
	float s = patience_times * w->longest_s;

	float least = wall_sub(w->heard, w->began).ns < new_for.ns ? patience_new_s
								   : patience_min_s;
	s = s > least ? s : least;
	s = s < WITNESS_PATIENCE_MAX_S ? s : WITNESS_PATIENCE_MAX_S;
	return (wd_span){(int64_t)((double)s * (double)WD_NS_PER_S)};
}

/* One that becomes slower is silent a few times, until that is its way. */
static void learn_silence(struct witness *w, wd_span silence)
{
	float s = (float)((double)silence.ns / (double)WD_NS_PER_S);
	float keep = 1 - s / longest_life_s;
	float most = longest_rise * (w->longest_s > longest_from_s ? w->longest_s : longest_from_s);

	w->longest_s *= keep > 0 ? keep : 0;
	s = s < most ? s : most;
	s = s < longest_max() ? s : longest_max();
	if (s > w->longest_s)
		w->longest_s = s;
}

static bool is_taken(const struct witness *w) { return w->name[0] != '\0'; }

/* Its place; of one that is new a free one, else that of who has been silent the longest. */
static size_t place_of(const struct witnesses *w, const char *name)
{
	size_t place = 0;

	for (size_t n = 0; n < WITNESSES_MAX; n++) {
		if (strcmp(w->all[n].name, name) == 0)
			return n;
		if (is_taken(&w->all[place]) &&
		    (!is_taken(&w->all[n]) || wall_before(w->all[n].heard, w->all[place].heard)))
			place = n;
	}
	return place;
}

int witnesses_hear(struct witnesses *w, uint32_t slot, const char *name, wd_wall at)
{
	const wd_span tick = {TRAFFIC_TICK_NS};
	int lost = -1;

	if (slot >= WITNESSES_MAX || name[0] == '\0')
		return lost;
	size_t place = place_of(w, name);
	struct witness *x = &w->all[place];
	if (strcmp(x->name, name) != 0) {
		lost = is_taken(x) ? (int)place : -1;
		for (size_t n = 0; n < WITNESSES_MAX; n++)
			w->slots[n] = w->slots[n] == place + 1 ? 0 : w->slots[n];
		*x = (struct witness){.began = at, .heard = at, .since = wall_back(at, tick)};
		text_copy(x->name, sizeof(x->name), name);
	}
	w->slots[slot] = (uint8_t)(place + 1);
	w->known |= UINT64_C(1) << place;
	wd_span silence = wall_sub(at, x->heard);
	bool resumed = x->since.ns == not_yet;
	if (resumed || silence.ns > witness_patience(x).ns)
		x->since = wall_back(at, tick);
	if (silence.ns > 0 && !resumed)
		learn_silence(x, silence);
	if (resumed || silence.ns > 0)
		x->heard = at;
	w->silent &= ~(UINT64_C(1) << place);
	return lost;
}

void witnesses_until(struct witnesses *w, wd_wall until)
{
	w->until = until;
	w->silent = 0;
	for (size_t n = 0; n < WITNESSES_MAX; n++) {
		const struct witness *x = &w->all[n];
		if (is_taken(x) && wall_sub(until, x->heard).ns > witness_patience(x).ns)
			w->silent |= UINT64_C(1) << n;
	}
}

size_t witnesses_show(const struct witnesses *w, struct witness_state ret[WITNESSES_MAX])
{
	size_t count = 0;

	for (size_t n = 0; n < WITNESSES_MAX; n++) {
		const struct witness *x = &w->all[n];
		if (!is_taken(x))
			continue;
		struct witness_state *s = &ret[count++];
		*s = (struct witness_state){.heard = x->heard, .patience = witness_patience(x),
					    .silent = (w->silent & UINT64_C(1) << n) != 0};
		text_copy(s->name, sizeof(s->name), x->name);
	}
	return count;
}

/* ---- of a service ---- */

/* Its row; a new one takes a free one, or the lightest. */
static size_t row_of(struct told *t, size_t place)
{
	size_t row = 0;

	for (size_t n = 0; n < TOLD_ROWS; n++) {
		if (t->places[n] == place + 1)
			return n;
		if (t->packets[n] < t->packets[row])
			row = n;
	}
	t->packets[row] = 0;
	t->places[row] = (uint8_t)(place + 1);
	return row;
}

static void find_witnesses(struct told *t)
{
	float all = 0;

	t->by = 0;
	for (size_t n = 0; n < TOLD_ROWS; n++)
		all += t->packets[n];
	for (size_t n = 0; n < TOLD_ROWS; n++) {
		if (t->packets[n] > 0 && t->packets[n] >= witness_share * all)
			t->by |= UINT64_C(1) << (t->places[n] - 1);
	}
}

void told_tick(struct told *t, const struct witnesses *w, const struct traffic_tick *tick)
{
	float packets[WITNESSES_MAX + 1] = {0}; /* by slot; those of nobody at 0 */

	for (uint32_t n = 0; n < tick->sample_count; n++) {
		const struct traffic_record *r = &tick->sample[n];
		uint8_t slot = r->witness <= WITNESSES_MAX ? r->witness : 0;
		packets[slot] += (float)traffic_stands_for(tick, r);
	}
	for (size_t n = 0; n < TOLD_ROWS; n++)
		t->packets[n] *= 1 - tick_gain;
	for (size_t slot = 1; slot <= WITNESSES_MAX; slot++) {
		if (packets[slot] > 0 && w->slots[slot - 1] != 0)
			t->packets[row_of(t, w->slots[slot - 1] - 1U)] += packets[slot];
	}
	find_witnesses(t);
}

void told_forget(struct told *t, size_t place)
{
	for (size_t n = 0; n < TOLD_ROWS; n++) {
		if (t->places[n] != place + 1)
			continue;
		t->packets[n] = 0;
		t->places[n] = 0;
	}
	find_witnesses(t);
}

static wd_wall later(wd_wall a, wd_wall b) { return wall_before(a, b) ? b : a; }
static wd_wall earlier(wd_wall a, wd_wall b) { return wall_before(b, a) ? b : a; }

struct hearing told_hearing(const struct told *t, const struct witnesses *w)
{
	uint64_t by = t->by & w->known, silent = by & w->silent;
	wd_wall first = {INT64_MAX};
	struct hearing h = {.from = {INT64_MAX}};

	if (by == 0)
		return (struct hearing){.until = w->until};
	for (uint64_t bits = by; bits != 0; bits &= bits - 1) {
		const struct witness *x = &w->all[__builtin_ctzll(bits)];
		bool is_silent = (silent & bits & -bits) != 0;
		if (is_silent) {
			h.last = later(h.last, x->heard);
			first = earlier(first, x->heard);
		}
		if (!is_silent || silent == by) {
			h.until = later(h.until, x->heard);
			h.from = earlier(h.from, x->since);
		}
	}
	if (silent != 0) {
		h.state = silent == by ? HEARD_NOTHING : HEARD_PARTLY;
		h.since = silent == by ? h.last : first;
	}
	return h;
}

/* ---- to bytes and back ---- */

void witnesses_write(const struct witnesses *w, struct out *o)
{
	out_u8(o, WITNESSES_MAX);
	for (size_t n = 0; n < WITNESSES_MAX; n++) {
		out_text(o, w->all[n].name);
		out_i64(o, w->all[n].began.ns);
		out_i64(o, w->all[n].heard.ns);
		out_f32(o, w->all[n].longest_s);
	}
}

void witnesses_read(struct witnesses *w, struct cur *c)
{
	size_t count = cur_u8(c);

	*w = (struct witnesses){0};
	for (size_t n = 0; n < count && !c->bad; n++) {
		struct witness x = {.since = {not_yet}};
		cur_text(c, x.name, sizeof(x.name));
		x.began.ns = cur_i64(c);
		x.heard.ns = cur_i64(c);
		x.longest_s = cur_f32(c);
		if (!(x.longest_s >= 0 && x.longest_s <= longest_max()) ||
		    x.began.ns < 0 || x.heard.ns < x.began.ns)
			c->bad = true;
		if (c->bad || n >= WITNESSES_MAX || !is_taken(&x))
			continue;
		w->all[n] = x;
		w->known |= UINT64_C(1) << n;
	}
	if (c->bad)
		*w = (struct witnesses){0};
}

void told_write(const struct told *t, struct out *o)
{
	out_u8(o, TOLD_ROWS);
	for (size_t n = 0; n < TOLD_ROWS; n++) {
		out_u8(o, t->places[n]);
		out_f32(o, t->packets[n]);
	}
}

void told_read(struct told *t, struct cur *c)
{
	size_t count = cur_u8(c);

	*t = (struct told){0};
	for (size_t n = 0; n < count && !c->bad; n++) {
		uint8_t place = cur_u8(c);
		float packets = cur_f32(c);
		if (place > WITNESSES_MAX || !(packets >= 0 && packets < 1e30F))
			c->bad = true;
		if (c->bad || n >= TOLD_ROWS || place == 0)
			continue;
		t->places[n] = place;
		t->packets[n] = packets;
	}
	find_witnesses(t);
}
