/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood.h"

#include "detect/flood_inner.h"
#include "detect/flood_shape.h"

#include <math.h>
#include <string.h>

static const double tick_ns = TRAFFIC_TICK_NS;
static const float ticks_per_s = 4;
static const float discount_share = 0.8F, discount_max = 1.0986F; /* ln 3 */
static const uint32_t hits_min = 2, hits_apart = 8; /* ticks */
static const uint32_t pulse_quiet = 4; /* ticks: as long a flood must pause */
static const float talk_keep = 0.9F; /* sums of about ten ticks */
static const float carpet_targets = 16, carpet_top = 0.25F;
/* How the service's share of errors is divided: the whole's packets and bits, its records and
 * sources, all classes together. */
static const float whole_share = 0.4F, others_share = 0.1F, classes_share = 0.5F;
static const uint64_t guessed = 20; /* ticks: as long what is beside a flood is a guess */
static const uint64_t sources_every = 16; /* ticks: counting registers costs more than a tick */

void flood_init(struct flood *f, const struct flood_plan *plan)
{
	memset(f, 0, sizeof(*f));
	f->sampling = 1;
	flood_meter_init(&f->whole[0], &plan->meter);
	flood_meter_init(&f->whole[1], &plan->meter_other);
	flood_meter_init(&f->out, &plan->meter);
	flood_meter_init(&f->names.meter, &plan->meter);
	for (int c = 0; c < VECTOR_CLASSES_MAX; c++)
		flood_meter_init(&f->class[c], &plan->meter);
}

static void totals(struct flood_step *s)
{
	const struct traffic_tick *t = s->tick;

	if (t == NULL)
		return;
	double packets = 0, bytes = 0, records = 0, seen = 0, out = 0, out_bytes = 0, tcp = 0;

	for (int c = 0; c < s->plan->class_count; c++) {
		const struct traffic_sum *in = &t->in[c];
		const struct traffic_sent *sent = &t->out[c];
		if (in->packets == 0 && sent->packets == 0)
			continue; /* most are not there */
		out += (double)sent->packets;
		out_bytes += (double)sent->bytes;
		s->here[c / 64] |= UINT64_C(1) << (c % 64);
		enum flood_nature nature = s->plan->nature[c];
		packets += (double)in->packets;
		bytes += (double)in->bytes;
		records += (double)in->records;
		seen += (double)in->seen;
		if (nature == FLOOD_SYN || nature == FLOOD_STRAY || nature == FLOOD_STREAM)
			tcp += (double)in->packets;
	}
	s->packets = flood_clean(packets * s->scale);
	s->bytes = flood_clean(bytes * s->scale);
	s->records = flood_clean(records * s->scale);
	s->out_packets = flood_clean(out * s->scale);
	s->out_bytes = flood_clean(out_bytes * s->scale);
	s->tcp = flood_clean(tcp * s->scale);
	const struct traffic_sum *later = &t->in[s->plan->fragment_class];
	if (s->plan->fragment_class != 0) {
		s->fragments = flood_clean((double)later->packets * s->scale);
		s->fragment_bytes = flood_clean((double)later->bytes * s->scale);
	}
	if (seen > 0)
		s->f->sampling += 0.1F * (fmaxf(flood_clean(packets / seen), 1) - s->f->sampling);
}

struct flood_meter_sample flood_meter_sample(const struct flood_step *s,
					     const float value[METER_RATES])
{
	float n = s->f->sampling;

	return (struct flood_meter_sample){
		.value = {value[0], value[1]},
		.error = {n / (value[0] + n), 2 * n / (value[0] + n)},
		.ticks = s->f->ticks,
		.learn = s->learn || s->learn_cold,
	};
}

static void step_talk(struct flood_step *s)
{
	struct flood_talk *have = &s->f->talk;
	const struct talk_sum *t = s->tick != NULL ? &s->tick->talk : NULL;
	float one = t != NULL && t->unit > 0 ? 1 / t->unit : 0;

	have->talking = have->talking * talk_keep + (one > 0 ? t->talking * one : 0);
	have->deaf = have->deaf * talk_keep + (one > 0 ? t->deaf * one : 0);
	have->old = have->old * talk_keep + (one > 0 ? (t->old + t->thin) * one : 0);
}

/* What goes out shows a crowd that is served: as far as it rises too, more coming in is
 * no surprise. */
static void step_out(struct flood_step *s)
{
	const float out[METER_RATES] = {s->out_packets, s->out_bytes};
	struct flood_meter_sample m = flood_meter_sample(s, out);
	struct flood_meter_reading r;

	s->out_usual = s->f->out.rate[0].recent;
	flood_meter_step(&s->f->out, &s->plan->meter, &m, &r);
	float rise = r.rise[1] * discount_share;
	rise = rise < discount_max ? rise : discount_max;
	s->discount[0] = s->discount[1] = rise > 0 ? rise : 0;
	if (s->packets > 0)
		s->f->out_share += 0.01F * (fminf(s->out_packets / s->packets, 100) -
					    s->f->out_share);
	if (s->f->ticks == 0 && s->packets > 0)
		s->f->out_share = fminf(s->out_packets / s->packets, 100);
}

bool flood_out_seen(const struct flood_step *s)
{
	return s->f->out_share > 0.01F;
}

/* The classes' common tests are a union: each has its share of the errors. */
static float weighted(float a, float share)
{
	float w = a + log10f(share);

	return w > 0 ? w : 0;
}

static void read_whole(struct flood_step *s, const struct flood_meter_reading *r, float *ret_a)
{
	struct flood_reading *ret = s->ret;

	ret->packets_per_s = s->packets * ticks_per_s;
	ret->bits_per_s = s->bytes * 8 * ticks_per_s;
	ret->usual_packets_per_s = r->usual[0] * ticks_per_s;
	ret->usual_bits_per_s = r->usual[1] * 8 * ticks_per_s;
	ret->high_packets_per_s = r->high[0] * ticks_per_s;
	ret->high_bits_per_s = r->high[1] * 8 * ticks_per_s;
	ret->side = r->below ? -1 : 0;
	if (r->above[0] || r->above[1])
		flood_run(s, &s->f->whole_began, &s->f->whole_last);
	*ret_a = r->above[r->carrier] ? weighted(r->log10_return, whole_share) : 0;
	s->calm &= !(r->above[0] || r->above[1]) || r->log10_return < 1;
}

static float sources_of(const struct flood_step *s, float a)
{
	if (s->tick == NULL)
		return 0;
	if (s->f->ticks % sources_every == 0 || a >= flood_hot)
		return flood_clean(traffic_sources(s->tick));
	return s->f->whole[1].rate[1].last;
}

static void step_whole(struct flood_step *s)
{
	/* What an absolute rule has named is no part of what may be usual, and what was asked
	 * for no surprise. */
	/* Parts of great sums: rounding may leave less than nothing of them. */
	const float traffic[METER_RATES] = {fmaxf(s->packets - s->cold[0] - s->asked[0], 0),
					    fmaxf(s->bytes - s->cold[1] - s->asked[1], 0)};
	struct flood_meter_sample m = flood_meter_sample(s, traffic);
	struct flood_meter_reading r;
	float a, b;

	memcpy(m.discount, s->discount, sizeof(m.discount));
	flood_meter_step(&s->f->whole[0], &s->plan->meter, &m, &r);
	read_whole(s, &r, &a);
	float sources = sources_of(s, a);
	float unasked = s->packets > 0 ? fmaxf(1 - s->asked[0] / s->packets, 0) : 1;
	m = flood_meter_sample(s, (const float[]){s->records * unasked, sources});
	m.learn &= s->cold[0] <= 0;
	memcpy(m.discount, s->discount, sizeof(m.discount));
	flood_meter_step(&s->f->whole[1], &s->plan->meter_other, &m, &r);
	s->ret->records_per_s = s->records * ticks_per_s;
	s->ret->usual_records_per_s = r.usual[0] * ticks_per_s;
	s->ret->sources = sources;
	s->ret->usual_sources = r.usual[1];
	b = r.above[r.carrier] ? weighted(r.log10_return, others_share) : 0;
	s->best = a > b ? a : b;
}

/* The same of the whole: nothing that is above usual there is left unexplained. */
static bool one_peer_is_all(const struct flood_step *s)
{
	const float value[METER_RATES] = {s->packets, s->bytes};

	for (int i = 0; i < METER_RATES; i++) {
		float more = value[i] - s->f->whole[0].rate[i].recent;
		if (more >= s->plan->meter.floor[i] * 0.5F &&
		    s->one_peer[i] < flood_one_peer * more)
			return false;
	}
	return s->one_peer[0] > 0 || s->one_peer[1] > 0;
}

static void join(struct flood_step *s)
{
	float share = classes_share / (float)(s->used > 0 ? s->used : 1);
	float a = s->class_best > 0 ? weighted(s->class_best, share) : 0;

	if (s->ret->cold)
		a = flood_cold_log10;
	if (one_peer_is_all(s))
		s->best = 0;
	s->ret->log10_return = a > s->best ? a : s->best;
	s->ret->above = s->ret->log10_return >= flood_hot;
	if (s->ret->above)
		s->ret->side = 1;
}

static int64_t began_now(const struct flood_step *s)
{
	if (s->began != 0)
		return s->began;
	return s->f->whole_last == s->sample->at.ns ? s->f->whole_began : s->sample->at.ns;
}

/* Hits, begin, calm, pulses: what is remembered from tick to tick. */
static void track(struct flood_step *s)
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
		int64_t began = began_now(s);
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
			f->cold_open = false;
		}
	}
	ret->sustained = f->hits >= hits_min || s->over;
	ret->calm = f->calm >= s->plan->calm_min;
	ret->pulse = f->pulses >= FLOOD_PULSES_MIN;
	ret->began.ns = f->began != 0 ? f->began : at;
}

/* What began with the first tick has nothing before it: what was learned since may be part of it,
 * until there was time to tell what comes beside it. */
static void nothing_before(struct flood_step *s)
{
	struct flood_reading *ret = s->ret;

	if (!ret->cold || s->f->ticks >= guessed) /* a state may say any number */
		return;
	int64_t watched = (int64_t)s->f->ticks * TRAFFIC_TICK_NS;
	if (wall_sub(s->sample->at, ret->began).ns < watched - TRAFFIC_TICK_NS)
		return;
	ret->usual_packets_per_s = ret->usual_bits_per_s = 0;
	ret->high_packets_per_s = ret->high_bits_per_s = 0;
}

static void carpet(struct flood_step *s)
{
	struct flood_shape shape;

	if (!s->ret->above || s->tick == NULL || s->ret->class_count == 0)
		return;
	flood_shape_targets(s->tick, s->flooding, &shape);
	s->ret->carpet = shape.records >= 30 && shape.targets >= carpet_targets &&
			 shape.top_target <= carpet_top;
}

/* Those that have traffic or had some. */
static void each_class(struct flood_step *s, void (*what)(struct flood_step *, int))
{
	for (int half = 0; half < 2; half++)
		for (uint64_t bits = s->here[half] | s->f->awake[half]; bits != 0; bits &= bits - 1)
			what(s, half * 64 + __builtin_ctzll(bits));
}

void flood_step(struct flood *f, const struct flood_plan *plan, const struct flood_sample *sample,
		struct flood_reading *ret)
{
	int64_t width = sample->width.ns > 0 ? sample->width.ns : TRAFFIC_TICK_NS;
	struct flood_step s = {.f = f, .plan = plan, .sample = sample,
			 .tick = sample->tick, .ret = ret,
			 .scale = (float)(tick_ns / (double)width), .calm = true};

	*ret = (struct flood_reading){.began = sample->at};
	if (f->last != 0 && sample->at.ns < f->last)
		return;
	ret->taken = true;
	s.learn = !sample->frozen || f->frozen >= plan->frozen_max;
	s.learn_cold = f->cold_open && f->ticks < plan->cold;
	totals(&s);
	step_talk(&s);
	step_out(&s);
	each_class(&s, flood_class_look);
	step_whole(&s);
	each_class(&s, flood_class_step);
	join(&s);
	track(&s);
	nothing_before(&s);
	carpet(&s);
	f->last = sample->at.ns + width;
	f->frozen = sample->frozen ? f->frozen + 1 : 0;
	f->ticks += s.learn || s.learn_cold;
}

void flood_accept(struct flood *f)
{
	flood_meter_accept(&f->whole[0]);
	flood_meter_accept(&f->whole[1]);
	flood_meter_accept(&f->names.meter);
	for (int c = 0; c < VECTOR_CLASSES_MAX; c++)
		flood_meter_accept(&f->class[c]);
}
