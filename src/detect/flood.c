/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood.h"

#include "detect/flood_cold.h"
#include "detect/flood_shape.h"

#include <math.h>
#include <string.h>

static const double tick_ns = TRAFFIC_TICK_NS;
static const float ticks_per_s = 4;
static const float hot = 3;             /* decades: from here on something is going on */
static const float cold_log10 = 12;     /* A of what an absolute rule names: a stated value */
static const float second_gain = 0.15F; /* running mean of about a second */
static const float seen_keep = 0.9F;    /* sum of about ten ticks */
static const float answers_asked = 3;   /* packets that may come back for one */
static const float discount_share = 0.8F, discount_max = 1.0986F; /* ln 3 */
static const uint32_t hits_min = 2, hits_apart = 8; /* ticks */
static const int64_t run_gap_ns = TRAFFIC_TICK_NS * 5; /* ticks that do not end a run */
static const uint32_t pulse_quiet = 4; /* ticks: as long a flood must pause */
static const float carpet_targets = 16, carpet_top = 0.25F;
static const float one_peer_share = 0.6F, transfer_size = 400, transfer_answered = 0.02F;

/* One step: what is computed of a tick and thrown away. */
struct step {
	struct flood *f;
	const struct flood_plan *plan;
	const struct flood_sample *sample;
	const struct traffic_tick *tick; /* NULL: all zeros */
	struct flood_reading *ret;
	float scale;    /* a tick over the sample's width */
	float packets, bytes, records, seen, out_packets, out_bytes, tcp;
	float fragments, fragment_bytes;
	float discount[METER_RATES];
	float best;     /* A of the whole, weighted */
	float class_best; /* the classes' largest A */
	float one_peer[METER_RATES]; /* what single peers explain, above usual */
	uint32_t used;  /* classes in use */
	uint64_t flooding[2]; /* bit a class */
	bool over;      /* one tick is enough */
	bool calm;      /* nothing of what is above usual is left */
	int64_t began;  /* of the earliest flooding class; 0 = none */
};

void flood_init(struct flood *f, const struct flood_plan *plan)
{
	memset(f, 0, sizeof(*f));
	f->sampling = 1;
	flood_meter_init(&f->whole[0], &plan->meter);
	flood_meter_init(&f->whole[1], &plan->meter_other);
	flood_meter_init(&f->out, &plan->meter);
	for (int c = 0; c < VECTOR_CLASSES_MAX; c++)
		flood_meter_init(&f->class[c], &plan->meter);
}

static float clean(double x)
{
	return x > 0 && x < 1e18 ? (float)x : x > 0 ? 1e18F : 0;
}

static void totals(struct step *s)
{
	const struct traffic_tick *t = s->tick;

	if (t == NULL)
		return;
	double packets = 0, bytes = 0, records = 0, seen = 0, out = 0, out_bytes = 0, tcp = 0;

	for (int c = 0; c < s->plan->class_count; c++) {
		packets += (double)t->in[c].packets;
		bytes += (double)t->in[c].bytes;
		records += (double)t->in[c].records;
		seen += (double)t->in[c].seen;
		out += (double)t->out[c].packets;
		out_bytes += (double)t->out[c].bytes;
		enum flood_nature nature = s->plan->nature[c];
		if (nature == FLOOD_SYN || nature == FLOOD_STRAY || nature == FLOOD_STREAM)
			tcp += (double)t->in[c].packets;
	}
	s->packets = clean(packets * s->scale);
	s->bytes = clean(bytes * s->scale);
	s->records = clean(records * s->scale);
	s->seen = clean(seen);
	s->out_packets = clean(out * s->scale);
	s->out_bytes = clean(out_bytes * s->scale);
	s->tcp = clean(tcp * s->scale);
	const struct traffic_sum *later = &t->in[s->plan->fragment_class];
	if (s->plan->fragment_class != 0) {
		s->fragments = clean((double)later->packets * s->scale);
		s->fragment_bytes = clean((double)later->bytes * s->scale);
	}
	if (seen > 0)
		s->f->sampling += 0.1F * (clean(packets / seen) - s->f->sampling);
}

static struct flood_meter_sample meter_sample(const struct step *s, float first, float second)
{
	float n = s->f->sampling;

	return (struct flood_meter_sample){
		.value = {first, second},
		.error = {n / (first + n), 2 * n / (first + n)},
		.ticks = s->f->ticks,
		.learn = !s->sample->frozen || s->f->frozen >= s->plan->frozen_max,
	};
}

/* What goes out shows a crowd that is served: as far as it rises too, more coming in is
 * no surprise. */
static void step_out(struct step *s)
{
	struct flood_meter_sample m = meter_sample(s, s->out_packets, s->out_bytes);
	struct flood_meter_reading r;

	flood_meter_step(&s->f->out, &s->plan->meter, &m, &r);
	float rise = r.rise[1] * discount_share;
	rise = rise < discount_max ? rise : discount_max;
	s->discount[0] = s->discount[1] = rise > 0 ? rise : 0;
	if (s->packets > 0)
		s->f->out_share += 0.01F * (fminf(s->out_packets / s->packets, 100) -
					    s->f->out_share);
	if (s->f->ticks == 0 && s->packets > 0)
		s->f->out_share = s->out_packets / s->packets;
}

static bool out_seen(const struct step *s)
{
	return s->f->out_share > 0.01F;
}

/* The classes' common tests are a union: each has its share of the errors. */
static float weighted(float a, float share)
{
	float w = a + log10f(share);

	return w > 0 ? w : 0;
}

static void read_whole(struct step *s, const struct flood_meter_reading *r, float *ret_a)
{
	struct flood_reading *ret = s->ret;

	ret->packets_per_s = s->packets * ticks_per_s;
	ret->bits_per_s = s->bytes * 8 * ticks_per_s;
	ret->usual_packets_per_s = r->usual[0] * ticks_per_s;
	ret->usual_bits_per_s = r->usual[1] * 8 * ticks_per_s;
	ret->high_packets_per_s = r->high[0] * ticks_per_s;
	ret->high_bits_per_s = r->high[1] * 8 * ticks_per_s;
	ret->side = r->below ? -1 : 0;
	*ret_a = r->above[r->carrier] ? weighted(r->log10_return, 0.4F) : 0;
	s->calm &= !(r->above[0] || r->above[1]) || r->log10_return < 1;
}

static void step_whole(struct step *s)
{
	struct flood_meter_sample m = meter_sample(s, s->packets, s->bytes);
	struct flood_meter_reading r;
	float a, b;

	memcpy(m.discount, s->discount, sizeof(m.discount));
	flood_meter_step(&s->f->whole[0], &s->plan->meter, &m, &r);
	read_whole(s, &r, &a);
	float sources = s->f->whole[1].rate[1].last;
	if (s->tick == NULL)
		sources = 0;
	else if ((s->f->ticks & 7) == 0 || a >= hot)
		sources = clean(traffic_sources(s->tick));
	m = meter_sample(s, s->records, sources);
	memcpy(m.discount, s->discount, sizeof(m.discount));
	flood_meter_step(&s->f->whole[1], &s->plan->meter_other, &m, &r);
	s->ret->records_per_s = s->records * ticks_per_s;
	s->ret->usual_records_per_s = r.usual[0] * ticks_per_s;
	s->ret->sources = sources;
	s->ret->usual_sources = r.usual[1];
	b = r.above[r.carrier] ? weighted(r.log10_return, 0.1F) : 0;
	s->best = a > b ? a : b;
}

/* Long packets that are acknowledged, or short ones that acknowledge what goes out: somebody
 * brings or fetches a lot. */
static bool transfer(const struct step *s, const struct flood_shape *shape, float packets)
{
	if (out_seen(s) && s->out_packets < transfer_answered * shape->top_source * packets)
		return false;
	return shape->top_size >= transfer_size || s->out_bytes >= 4 * s->bytes;
}

/* Is what is above usual the harmless doing of one peer: a transfer, or a scan? */
static bool one_peer(struct step *s, int c, const float value[METER_RATES],
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
		if (more >= s->plan->meter.floor[i] * 0.5F && top[i] < one_peer_share * more)
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

/* The same of the whole: nothing that is above usual there is left unexplained. */
static bool one_peer_is_all(const struct step *s)
{
	const float value[METER_RATES] = {s->packets, s->bytes};

	for (int i = 0; i < METER_RATES; i++) {
		float more = value[i] - s->f->whole[0].rate[i].recent;
		if (more >= s->plan->meter.floor[i] * 0.5F &&
		    s->one_peer[i] < one_peer_share * more)
			return false;
	}
	return s->one_peer[0] > 0 || s->one_peer[1] > 0;
}

static void list_class(struct step *s, int c, float a, const struct flood_meter_reading *r,
		       float packets, float bytes)
{
	struct flood_reading *ret = s->ret;
	struct flood_class entry = {
		.class = (uint8_t)c,
		.log10_return = a,
		.packets_per_s = packets * ticks_per_s,
		.usual_packets_per_s = r->usual[0] * ticks_per_s,
		.bits_per_s = bytes * 8 * ticks_per_s,
		.usual_bits_per_s = r->usual[1] * 8 * ticks_per_s,
		.sources = s->tick ? (float)traffic_class_sources(s->tick, (uint8_t)c) : 0,
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

static void run_track(struct step *s, int c, bool above)
{
	struct flood *f = s->f;
	int64_t at = s->sample->at.ns;

	if (!above)
		return;
	if (f->class_began[c] == 0 || at - f->class_last[c] > run_gap_ns)
		f->class_began[c] = at;
	f->class_last[c] = at;
}

/* The absolute rules for a class, in a service's first minutes. */
static enum flood_cold_verdict cold_class(struct step *s, int c, float packets, float bytes)
{
	struct flood *f = s->f;
	bool answer = s->plan->nature[c] == FLOOD_ANSWER;
	float all = answer && packets > 0 ? packets + s->fragments : packets;
	float all_bytes = answer && packets > 0 ? bytes + s->fragment_bytes : bytes;

	f->cold_rate[c] += second_gain * (all - f->cold_rate[c]);
	f->cold_bytes[c] += second_gain * (all_bytes - f->cold_bytes[c]);
	if (s->tick == NULL || f->ticks >= s->plan->cold)
		return FLOOD_COLD_NO;
	int reply = s->plan->nature[c] == FLOOD_STREAM ? s->plan->stream_class : c;
	struct flood_cold cold = {
		.tick = s->tick, .class = (uint8_t)c, .packets = packets, .bytes = bytes,
		.fragments = s->fragments, .fragment_bytes = s->fragment_bytes,
		.seen = f->class_seen[c],
		.packets_mean = f->cold_rate[c], .bytes_mean = f->cold_bytes[c],
		.tcp = s->tcp, .scale = s->scale, .out_seen = out_seen(s),
		.out = clean((double)s->tick->out[reply].packets * s->scale),
	};

	return flood_cold_judge(s->plan, &cold);
}

/* A rate that was learned from the flood itself is taken out of the levels again. */
static void unlearn(struct flood *f, const struct flood_plan *plan, int c)
{
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

static bool class_values(struct step *s, int c, float *packets, float *bytes)
{
	struct flood *f = s->f;
	const struct traffic_sum zero = {0};
	const struct traffic_sum *in = s->tick ? &s->tick->in[c] : &zero;
	const struct traffic_sum *out = s->tick ? &s->tick->out[c] : &zero;

	*packets = clean((double)in->packets * s->scale);
	*bytes = clean((double)in->bytes * s->scale);
	f->class_seen[c] = f->class_seen[c] * seen_keep + clean((double)in->seen);
	if (s->plan->nature[c] == FLOOD_ANSWER) {
		float asked = clean((double)out->packets * s->scale);
		/* Answers come a little later. */
		f->asked[c] = asked > f->asked[c] ? asked : f->asked[c] * seen_keep;
		float left = fmaxf(*packets - answers_asked * f->asked[c], 0);
		*bytes = *packets > 0 ? *bytes * (left / *packets) : 0;
		*packets = left;
	}
	return *packets > 0 || *bytes > 0 || f->class[c].used;
}

static void step_class(struct step *s, int c)
{
	struct flood *f = s->f;
	float packets, bytes;
	struct flood_meter_reading r;

	if (!class_values(s, c, &packets, &bytes))
		return;
	s->used++;
	struct flood_meter_sample m = meter_sample(s, packets, bytes);
	enum flood_nature nature = s->plan->nature[c];
	m.slow = nature != FLOOD_STREAM;
	if (nature == FLOOD_STREAM || nature == FLOOD_SYN || nature == FLOOD_DATAGRAM)
		memcpy(m.discount, s->discount, sizeof(m.discount));
	enum flood_cold_verdict cold = cold_class(s, c, packets, bytes);
	if (cold != FLOOD_COLD_NO && !f->cold_fired[c]) {
		unlearn(f, s->plan, c);
		f->cold_fired[c] = true;
	}
	m.learn &= cold == FLOOD_COLD_NO;
	flood_meter_step(&f->class[c], &s->plan->meter, &m, &r);
	bool above = r.above[0] || r.above[1];
	float more = m.value[r.carrier] > 0 ? 1 - r.usual[r.carrier] / m.value[r.carrier] : 0;
	float seen_more = f->class_seen[c] * fmaxf(more, 0);
	float a = above && seen_more >= (float)s->plan->seen_min ? r.log10_return : 0;

	if (a >= hot && one_peer(s, c, m.value, r.usual))
		a = 0;
	if (cold != FLOOD_COLD_NO) {
		a = cold_log10;
		s->ret->cold = true;
		s->over |= cold == FLOOD_COLD_OVER;
	}
	run_track(s, c, above || cold != FLOOD_COLD_NO);
	s->calm &= (!above || r.log10_return < 1) && cold == FLOOD_COLD_NO;
	if (a < hot)
		return;
	list_class(s, c, a, &r, packets, bytes);
	if (s->began == 0 || f->class_began[c] < s->began)
		s->began = f->class_began[c];
	s->class_best = a > s->class_best ? a : s->class_best;
}

static void join(struct step *s)
{
	float a = s->class_best > 0 ? weighted(s->class_best, 0.5F / (float)(s->used | 1)) : 0;

	if (s->ret->cold)
		a = cold_log10;
	if (one_peer_is_all(s))
		s->best = 0;
	s->ret->log10_return = a > s->best ? a : s->best;
	s->ret->above = s->ret->log10_return >= hot;
	if (s->ret->above)
		s->ret->side = 1;
}

/* Hits, begin, calm, pulses: what is remembered from tick to tick. */
static void track(struct step *s)
{
	struct flood *f = s->f;
	struct flood_reading *ret = s->ret;
	int64_t at = s->sample->at.ns;

	f->calm = s->calm ? f->calm + 1 : 0;
	if (ret->above) {
		if (f->quiet >= pulse_quiet && f->hot_last != 0)
			f->pulses++;
		if (f->quiet >= hits_apart && !s->sample->frozen)
			f->hits = 0;
		f->hits++;
		f->quiet = 0;
		f->hot_last = at;
		int64_t began = s->began != 0 ? s->began : at;
		if (f->began == 0 || began < f->began)
			f->began = began;
	} else {
		f->quiet++;
		if (f->quiet >= s->plan->join_max || (!s->sample->frozen && f->hits < hits_min &&
						      f->quiet >= hits_apart)) {
			f->began = 0;
			f->hot_last = 0;
			f->hits = 0;
			f->pulses = 0;
		}
	}
	ret->sustained = f->hits >= hits_min || s->over;
	ret->calm = f->calm >= s->plan->calm_min;
	ret->pulse = f->pulses >= FLOOD_PULSES_MIN;
	ret->began.ns = f->began != 0 ? f->began : at;
}

static void carpet(struct step *s)
{
	struct flood_shape shape;

	if (!s->ret->above || s->tick == NULL || s->ret->class_count == 0)
		return;
	flood_shape_targets(s->tick, s->flooding, &shape);
	s->ret->carpet = shape.records >= 30 && shape.targets >= carpet_targets &&
			 shape.top_target <= carpet_top;
}

void flood_step(struct flood *f, const struct flood_plan *plan, const struct flood_sample *sample,
		struct flood_reading *ret)
{
	int64_t width = sample->width.ns > 0 ? sample->width.ns : TRAFFIC_TICK_NS;
	struct step s = {.f = f, .plan = plan, .sample = sample, .tick = sample->tick, .ret = ret,
			 .scale = (float)(tick_ns / (double)width), .calm = true};

	*ret = (struct flood_reading){.began = sample->at};
	if (f->last != 0 && sample->at.ns < f->last)
		return;
	ret->taken = true;
	totals(&s);
	step_out(&s);
	step_whole(&s);
	for (int c = 0; c < plan->class_count; c++)
		step_class(&s, c);
	join(&s);
	track(&s);
	carpet(&s);
	f->last = sample->at.ns + width;
	f->frozen = sample->frozen ? f->frozen + 1 : 0;
	if (!sample->frozen || f->frozen > plan->frozen_max)
		f->ticks++;
}

void flood_accept(struct flood *f)
{
	flood_meter_accept(&f->whole[0]);
	flood_meter_accept(&f->whole[1]);
	for (int c = 0; c < VECTOR_CLASSES_MAX; c++)
		flood_meter_accept(&f->class[c]);
}
