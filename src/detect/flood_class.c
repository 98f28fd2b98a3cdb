/* SPDX-License-Identifier: Apache-2.0 */
/* One class of a tick. */
#include "detect/flood_inner.h"
#include "detect/flood_shape.h"

#include <math.h>
#include <string.h>

static const float ticks_per_s = 4;
static const float second_gain = 0.15F; /* running mean of about a second */
static const float seen_keep = 0.9F;    /* sum of about ten ticks */
static const uint64_t settled = 20;     /* ticks: what is usual is no guess */
static const float less_before = 1 / 3.0F;
static const float answers_asked = 3;   /* packets that may come back for one, */
static const float answers_fetched = 30; /* where a packet may acknowledge many */
static const int64_t run_gap_ns = 5 * TRAFFIC_TICK_NS; /* does not end a run */
static const float begins_floors = 0.05F, begins_times = 3; /* packets, floors and usual */
static const float fragments_beside = 0.05F; /* of an answer's packets */
static const uint64_t told_late = 5;      /* ticks */
static const float transfer_size = 400, transfer_answered = 0.02F;

void flood_run(const struct flood_step *s, int64_t *began, int64_t *last)
{
	int64_t at = s->sample->at.ns;

	if (*began == 0 || at - *last > run_gap_ns)
		*began = at;
	*last = at;
}

static void values(struct flood_step *s, int c)
{
	struct flood *f = s->f;
	const struct traffic_sum zero = {0};
	const struct traffic_sum *in = s->tick ? &s->tick->in[c] : &zero;
	float packets = flood_clean((double)in->packets * (double)s->scale);
	float bytes = flood_clean((double)in->bytes * (double)s->scale);

	f->class_seen[c] = f->class_seen[c] * seen_keep + flood_clean((double)in->seen);
	if (s->plan->nature[c] == FLOOD_ANSWER) {
		uint64_t out = s->tick ? s->tick->out[c].packets : 0;
		float asked = flood_clean((double)out * (double)s->scale);
		/* Answers come a little later. */
		f->asked[c] = asked > f->asked[c] ? asked : f->asked[c] * seen_keep;
		f->asked[c] = f->asked[c] > 0.01F ? f->asked[c] : 0;
		float each = s->plan->habit[c] == FLOOD_BULK ? answers_fetched : answers_asked;
		float left = fmaxf(packets - each * f->asked[c], 0);
		float left_bytes = packets > 0 ? bytes * (left / packets) : 0;
		s->asked[0] += packets - left;
		s->asked[1] += bytes - left_bytes;
		packets = left;
		bytes = left_bytes;
	}
	s->now[c].value[0] = packets;
	s->now[c].value[1] = bytes;
	s->now[c].used = packets > 0 || bytes > 0 || f->class[c].used;
}

static enum flood_cold_verdict cold_judge(struct flood_step *s, int c)
{
	struct flood *f = s->f;
	float packets = s->now[c].value[0], bytes = s->now[c].value[1];
	bool fragments = s->plan->nature[c] == FLOOD_ANSWER && packets > 0;
	float all = fragments ? packets + s->fragments : packets;
	float all_bytes = fragments ? bytes + s->fragment_bytes : bytes;

	f->cold_rate[c] += second_gain * (all - f->cold_rate[c]);
	f->cold_bytes[c] += second_gain * (all_bytes - f->cold_bytes[c]);
	if (s->tick == NULL || f->ticks >= s->plan->cold)
		return FLOOD_COLD_NO;
	int reply = s->plan->nature[c] == FLOOD_STREAM ? s->plan->stream_class : c;
	struct flood_cold cold = {
		.talk = &f->talk,
		.tick = s->tick,
		.class = (uint8_t)c,
		.packets = packets,
		.bytes = bytes,
		.seen = f->class_seen[c] + (fragments ? f->class_seen[s->plan->fragment_class] : 0),
		.packets_mean = f->cold_rate[c],
		.bytes_mean = f->cold_bytes[c],
		.fragments = fragments ? s->fragments : 0,
		.tcp = s->tcp,
		.all = s->packets,
		.scale = s->scale,
		.out_seen = flood_out_seen(s),
		.out = flood_clean((double)s->tick->out[reply].packets * (double)s->scale),
		.usual = f->class[c].rate[0].recent,
		.out_more = s->out_packets - (f->ticks < settled ? 0 : s->out_usual),
		.syn = flood_clean((double)s->tick->in[s->plan->syn_class].packets *
				   (double)s->scale),
		.syn_out = flood_clean((double)s->tick->out[s->plan->synack_class].packets *
				       (double)s->scale),
		.first = f->ticks < 2,
	};

	return flood_cold_judge(s->plan, &cold);
}

/* What was learned before the first verdict may have been the flood: forgotten, unless it was
 * learned for a while and is much less than what the flood makes of it. */
static void forget(struct flood *f, const struct flood_plan *plan, int c, float packets)
{
	if (f->ticks >= settled && f->class[c].rate[0].recent < less_before * packets)
		return;
	for (int i = 0; i < METER_RATES; i++) {
		struct flood_rate *whole = &f->whole[0].rate[i];
		const struct flood_rate *class = &f->class[c].rate[i];

		whole->recent = fmaxf(whole->recent - class->recent, 0);
		whole->hours = fmaxf(whole->hours - class->hours, 0);
		whole->top = fmaxf(whole->top - class->top, 0);
	}
	flood_meter_init(&f->class[c], &plan->meter);
	f->class[c].used = true;
}

/* Traffic that is no part of what may be usual: later fragments once, whether a rule names them
 * or they go with answers. */
static void name_cold(struct flood_step *s, int c, const float value[METER_RATES])
{
	if (c == s->plan->fragment_class && c != 0) {
		if (s->cold_fragments_counted)
			return;
		s->cold_fragments_counted = true;
	}
	for (int i = 0; i < METER_RATES; i++)
		s->cold[i] += value[i];
}

/* Large answers are mostly later fragments, which no rule names by themselves: they are no rest
 * that is usual. */
static void with_fragments(struct flood_step *s, int c)
{
	int later = s->plan->fragment_class;

	if (later == 0 || s->fragments <= s->now[c].value[0] * fragments_beside)
		return;
	s->cold_fragments = true;
	if (!s->f->cold_fired[later])
		forget(s->f, s->plan, later, 0);
	s->f->cold_fired[later] = true;
	name_cold(s, later, (const float[]){s->fragments, s->fragment_bytes});
}

/* Of a class in which others talk, what nobody answers. */
static void take_part(struct flood_step *s, int c)
{
	struct flood_class_now *now = &s->now[c];

	now->part[0] = now->part[1] = 1;
	if (now->cold != FLOOD_COLD_ALONE)
		return;
	struct talk_alone alone = talk_alone_of(&s->tick->talk, (uint8_t)c);
	const float of[METER_RATES] = {alone.packets * s->scale, alone.bytes * s->scale};
	for (int i = 0; i < METER_RATES; i++)
		now->part[i] = now->value[i] > 0 ? fminf(of[i] / now->value[i], 1) : 0;
}

void flood_class_look(struct flood_step *s, int c)
{
	struct flood *f = s->f;

	values(s, c);
	f->awake[c / 64] |= UINT64_C(1) << (c % 64);
	if (!s->now[c].used)
		return;
	s->now[c].cold = cold_judge(s, c);
	take_part(s, c);
	if (s->now[c].cold == FLOOD_COLD_NO)
		return;
	/* One tick may be chance: without what was learned the next would all look like floods. */
	if (!f->cold_fired[c] && (f->hits > 0 || s->now[c].cold == FLOOD_COLD_OVER)) {
		forget(f, s->plan, c, s->now[c].value[0]);
		f->cold_fired[c] = true;
	}
	f->cold_open = true;
	const struct flood_class_now *now = &s->now[c];
	name_cold(s, c,
		  (const float[]){now->part[0] * now->value[0], now->part[1] * now->value[1]});
	if (s->plan->nature[c] == FLOOD_ANSWER && !s->cold_fragments)
		with_fragments(s, c);
}

/* Long packets that are acknowledged, or short ones that acknowledge what goes out: somebody
 * brings or fetches a lot. */
static bool transfer(const struct flood_step *s, const struct flood_shape *shape, float packets)
{
	if (flood_out_seen(s) && s->out_packets < transfer_answered * shape->top_source * packets)
		return false;
	return shape->top_size >= transfer_size || s->out_bytes >= 4 * s->bytes;
}

/* Is what is above usual the harmless doing of one peer: a transfer, or a scan? */
static bool one_peer(struct flood_step *s, int c, const float value[METER_RATES],
		     const float usual[METER_RATES])
{
	struct flood_shape shape;
	enum flood_nature nature = s->plan->nature[c];
	bool any = false;

	if (s->tick == NULL || (nature != FLOOD_STREAM && nature != FLOOD_SYN))
		return false;
	flood_shape_of(s->tick, (uint8_t)c, &shape);
	const float top[METER_RATES] = {shape.top_source * value[0],
					shape.top_source * value[0] * shape.top_size};
	for (int i = 0; i < METER_RATES; i++) {
		float more = value[i] - usual[i];
		if (more >= s->plan->meter.floor[i] * 0.5F && top[i] < flood_one_peer * more)
			return false;
	}
	if (shape.records < 4 || (nature == FLOOD_STREAM
					  ? !transfer(s, &shape, value[0])
					  : !flood_cold_scans(s->plan, &shape, value[0])))
		return false;
	for (int i = 0; i < METER_RATES; i++) {
		s->one_peer[i] += fmaxf(value[i] - usual[i], 0);
		any |= s->one_peer[i] > 0;
	}
	return any;
}

static void list_class(struct flood_step *s, int c, float a, const struct flood_meter_reading *r,
		       bool new_names)
{
	const float *value = s->now[c].value, *part = s->now[c].part;
	struct flood_reading *ret = s->ret;
	struct flood_class entry = {
		.class = (uint8_t)c,
		.log10_return = a,
		.packets_per_s = part[0] * value[0] * ticks_per_s,
		.usual_packets_per_s = r->usual[0] * ticks_per_s,
		.bits_per_s = part[1] * value[1] * 8 * ticks_per_s,
		.usual_bits_per_s = r->usual[1] * 8 * ticks_per_s,
		.sources = s->tick ? (float)traffic_class_sources(s->tick, (uint8_t)c) : 0,
		.alone = s->now[c].cold == FLOOD_COLD_ALONE,
		.new_names = new_names,
		.began = {s->f->class_began[c]},
	};
	uint32_t at = ret->class_count;

	while (at > 0 && ret->classes[at - 1].packets_per_s < entry.packets_per_s)
		at--;
	if (at >= FLOOD_CLASSES_MAX)
		return;
	uint32_t moved = ret->class_count < FLOOD_CLASSES_MAX ? ret->class_count
							      : FLOOD_CLASSES_MAX - 1;
	memmove(&ret->classes[at + 1], &ret->classes[at], (moved - at) * sizeof(entry));
	ret->classes[at] = entry;
	ret->class_count = moved + 1;
	s->flooding[c / 64] |= UINT64_C(1) << (c % 64);
}

/* Was it above usual a moment ago? */
static bool runs(const struct flood_step *s, int c)
{
	const struct flood *f = s->f;

	return f->class_last[c] != 0 && s->sample->at.ns - f->class_last[c] <= run_gap_ns;
}

static bool learns(const struct flood_step *s, int c)
{
	return s->now[c].cold == FLOOD_COLD_NO && (s->learn || (s->learn_cold && !runs(s, c)));
}

/* A of the class, if enough packets were looked at and no single peer explains it. */
static float weigh(struct flood_step *s, int c, const struct flood_meter_reading *r)
{
	const float *value = s->now[c].value;
	float more = value[r->carrier] > 0 ? 1 - r->usual[r->carrier] / value[r->carrier] : 0;
	float seen = s->f->class_seen[c] * fmaxf(more, 0);

	if (s->now[c].cold != FLOOD_COLD_NO)
		return flood_cold_log10;
	if (!(r->above[0] || r->above[1]) || seen < (float)s->plan->seen_min)
		return 0;
	if (r->log10_return >= flood_hot && one_peer(s, c, value, r->usual))
		return 0;
	return r->log10_return;
}

/* That something is not answered is told up to a second after a recording's first packet. */
static bool told_later(const struct flood_step *s, int c, float packets)
{
	return s->f->ticks < told_late && s->plan->nature[c] == FLOOD_STREAM && s->tick != NULL &&
	       s->tick->in[c].packets < 2 * s->tick->in[c].seen &&
	       packets >= s->plan->meter.floor[0];
}

/* Much more of it than a moment ago, or answers that nobody asked for, too few yet to be named by
 * a rule: a flood that is named soon began here. */
static bool may_begin(const struct flood_step *s, int c, const float usual[METER_RATES])
{
	const float *value = s->now[c].value;

	if (s->f->ticks >= s->plan->cold)
		return false;
	if (s->plan->nature[c] == FLOOD_ANSWER &&
	    (double)value[1] * 32 >= 0.25 * s->plan->answers_bits_floor)
		return true;
	if (told_later(s, c, value[0]))
		return true;
	return value[0] > begins_floors * s->plan->meter.floor[0] &&
	       value[0] > begins_times * usual[0];
}

void flood_class_step(struct flood_step *s, int c)
{
	struct flood *f = s->f;
	struct flood_class_now *now = &s->now[c];
	enum flood_nature nature = s->plan->nature[c];
	struct flood_meter_reading r;

	if (!now->used)
		return;
	s->used++;
	struct flood_meter_sample m = flood_meter_sample(s, now->value);
	m.learn = learns(s, c);
	m.slow = nature != FLOOD_STREAM;
	if (nature == FLOOD_STREAM || nature == FLOOD_SYN || nature == FLOOD_DATAGRAM)
		memcpy(m.discount, s->discount, sizeof(m.discount));
	const float usual[METER_RATES] = {f->class[c].rate[0].recent, f->class[c].rate[1].recent};
	struct flood_names_reading names = {0};
	if (c == s->plan->query_class && c != 0) {
		flood_names_step(s, c, m.learn, runs(s, c), &names);
		s->used++;
	}
	flood_meter_step(&f->class[c], &s->plan->meter, &m, &r);
	bool cold = now->cold != FLOOD_COLD_NO;
	bool above = r.above[0] || r.above[1] || names.above;
	float a = fmaxf(weigh(s, c, &r), names.log10_return);

	s->ret->cold |= cold;
	s->over |= now->cold == FLOOD_COLD_OVER;
	bool begins = may_begin(s, c, usual);
	s->ret->stirs |= begins;
	s->ret->stirring[c / 64] |= (uint64_t)begins << (c % 64);
	if (above || cold || begins)
		flood_run(s, &f->class_began[c], &f->class_last[c]);
	s->calm &= (!above || fmaxf(r.log10_return, names.log10_return) < 1) && !cold;
	if (a < flood_hot)
		return;
	list_class(s, c, a, &r, names.named);
	if (s->began == 0 || f->class_began[c] < s->began)
		s->began = f->class_began[c];
	s->class_best = a > s->class_best ? a : s->class_best;
}
