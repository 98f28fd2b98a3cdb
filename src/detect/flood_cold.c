/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood_cold.h"

#include "detect/flood_shape.h"

#include <math.h>

static const float overwhelming = 4;  /* floors, of many sources, in one tick */
static const float datagram_floors = 10, stream_floors = 5, few_floors = 4;
static const float few_sources = 16;
static const float roam_floors = 10, scan_floors = 50;
static const float large = 700;       /* bytes: mean of an answer that amplifies */
static const float closes_min = 1 / 3.0F; /* of opened connections, in usual traffic */
static const uint32_t records_min = 12, records_few = 4;

struct sight {
	struct flood_shape shape;
	float floors;  /* this tick, in packet floors */
	float floors_mean;
	float unit;    /* packets a tick that a record of the sample stands for */
	bool many;     /* sources: at least a hundred, or one for every two packets seen */
};

static bool many_sources(const struct flood_cold *c, const struct flood_shape *shape)
{
	double sources = traffic_class_sources(c->tick, c->class);
	double seen = (double)c->tick->in[c->class].seen;

	if (sources < 0) /* found no place */
		sources = shape->sources;
	return sources >= 100 || (sources >= 8 && sources >= 0.5 * seen);
}

static bool scans(const struct sight *s)
{
	return s->shape.top_source >= 0.5F && s->shape.top_scan;
}

static enum flood_cold_verdict many_or_hit(const struct sight *s)
{
	return s->many && s->floors >= overwhelming ? FLOOD_COLD_OVER : FLOOD_COLD_HIT;
}

static enum flood_cold_verdict answers(const struct flood_plan *plan, const struct flood_cold *c,
				       const struct sight *s)
{
	float bits_per_s = c->bytes_mean * 32;
	float size = c->packets_mean > 0 ? c->bytes_mean / c->packets_mean : 0;

	if (bits_per_s >= plan->answers_bits_floor && size >= large && s->shape.sources >= 2)
		return many_or_hit(s);
	if ((s->floors_mean < 1 && s->floors < 1) || s->shape.records < records_min)
		return FLOOD_COLD_NO;
	if (s->many && (c->out_seen || s->shape.one_size >= 0.5F ||
			s->shape.sources >= 0.3F * (float)s->shape.records))
		return many_or_hit(s);
	return size >= large && s->floors >= few_floors ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

/* Are clearly fewer connections ended than opened? Packets of the sample stand for `unit`
 * each; as many as three standard deviations could be missing from it by chance. */
static bool unclosed(float closes, float opens, float unit)
{
	float n = unit > 0 ? closes / unit : 0;

	return unit > 0 && (n + 3 * sqrtf(n + 1)) * unit < closes_min * opens;
}

/* One source that opens connections by the thousand and ends few. It may be looking around:
 * then more is asked of it, most where it does so from a few ports of its own. */
static float alone_floors(const struct flood_shape *shape)
{
	return shape->top_scan ? scan_floors : shape->top_roams ? roam_floors : few_floors;
}

bool flood_cold_scans(const struct flood_plan *plan, const struct flood_shape *shape,
		      float packets)
{
	float floors = shape->top_source * packets * 4 / (float)plan->packets_floor;

	return shape->top_roams && floors < alone_floors(shape);
}

static bool opens_alone(const struct flood_cold *c, const struct sight *s)
{
	float packets = s->shape.top_source * c->packets;

	return s->shape.top_source * s->floors >= alone_floors(&s->shape) &&
	       unclosed(s->shape.top_closes * c->scale, packets, s->unit);
}

/* All but one source that stands out. */
static enum flood_cold_verdict opening(const struct flood_cold *c, const struct sight *s)
{
	float top = s->shape.top_source >= 0.2F ? s->shape.top_source : 0;
	float packets = (1 - top) * c->packets, floors = (1 - top) * s->floors;
	float closes = (float)flood_shape_closes(c->tick) - (top > 0 ? s->shape.top_closes : 0);
	bool left_open = unclosed(closes * c->scale, packets, s->unit);

	if (opens_alone(c, s))
		return FLOOD_COLD_HIT;
	if (floors < 1)
		return FLOOD_COLD_NO;
	if (s->many && (left_open || s->shape.one_hop >= 0.9F ||
			packets >= 0.5F * (c->tcp - top * c->packets)))
		return many_or_hit(s);
	return floors >= few_floors && left_open ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

static enum flood_cold_verdict stray(const struct sight *s)
{
	if (s->floors < 1 || scans(s))
		return FLOOD_COLD_NO;
	if (s->many)
		return many_or_hit(s);
	return s->floors >= few_floors && s->shape.one_size >= 0.8F ? FLOOD_COLD_HIT
								     : FLOOD_COLD_NO;
}

static enum flood_cold_verdict datagrams(const struct flood_plan *plan, const struct flood_cold *c,
					 const struct sight *s)
{
	float bit_floors = c->bytes * 32 / (float)plan->bits_floor;
	float floors = s->floors > bit_floors ? s->floors : bit_floors;
	bool equal = s->shape.one_size >= 0.8F;

	if (floors < datagram_floors || scans(s))
		return FLOOD_COLD_NO;
	if (c->out_seen && c->out * 10 >= c->packets)
		return FLOOD_COLD_NO;
	if (equal && s->floors >= datagram_floors)
		return FLOOD_COLD_OVER;
	/* Video and games come in all sizes from many sources too. */
	bool one_way_in = s->shape.one_hop >= 0.9F && s->shape.sources >= few_sources;
	if (s->many && (c->out_seen || one_way_in))
		return FLOOD_COLD_OVER;
	return c->out_seen ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

/* Acknowledgements of usual traffic are of one size too, but they come over all distances,
 * among data and closed connections, and are answered. */
static enum flood_cold_verdict streams(const struct flood_cold *c, const struct sight *s)
{
	if (s->floors < stream_floors || s->shape.one_size < 0.8F)
		return FLOOD_COLD_NO;
	if (s->many && s->shape.one_hop >= 0.9F && s->shape.sources >= few_sources)
		return many_or_hit(s);
	if (c->packets < 0.9F * c->tcp || (c->out_seen && c->out * 10 >= c->packets))
		return FLOOD_COLD_NO;
	float closes = (float)flood_shape_closes(c->tick) * c->scale;
	if (closes > 0.01F * c->packets)
		return FLOOD_COLD_NO;
	return many_or_hit(s);
}

enum flood_cold_verdict flood_cold_judge(const struct flood_plan *plan, const struct flood_cold *c)
{
	struct sight s = {.floors = c->packets * 4 / (float)plan->packets_floor,
			  .floors_mean = c->packets_mean * 4 / (float)plan->packets_floor};
	enum flood_nature nature = plan->nature[c->class];
	float bits = c->bytes_mean * 32, bits_now = c->bytes * 32;

	if (c->seen < (float)plan->seen_min || nature == FLOOD_FRAGMENT)
		return FLOOD_COLD_NO;
	if (s.floors < 1 && s.floors_mean < 1 && bits_now < (float)plan->bits_floor &&
	    !(nature == FLOOD_ANSWER && bits >= (float)plan->answers_bits_floor))
		return FLOOD_COLD_NO;
	flood_shape_of(c->tick, c->class, &s.shape);
	if (s.shape.records < (nature == FLOOD_ANSWER ? records_few : records_min))
		return FLOOD_COLD_NO;
	s.many = many_sources(c, &s.shape);
	s.unit = c->packets / (float)s.shape.records;
	switch (nature) {
	case FLOOD_ANSWER:
		return answers(plan, c, &s);
	case FLOOD_SYN:
		return opening(c, &s);
	case FLOOD_STRAY:
		return stray(&s);
	case FLOOD_STREAM:
		return streams(c, &s);
	case FLOOD_FRAGMENT:
	case FLOOD_DATAGRAM:
		break;
	}
	return datagrams(plan, c, &s);
}
