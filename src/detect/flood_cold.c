/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood_cold.h"

#include "detect/flood_shape.h"

static const float overwhelming = 4;  /* floors, of many sources, in one tick */
static const float datagram_floors = 10, stream_floors = 5, few_floors = 4;
static const float large = 700;       /* bytes: mean of an answer that amplifies */
static const float closes_min = 1 / 3.0F; /* of opened connections, in usual traffic */
static const uint32_t records_min = 8;

struct sight {
	struct flood_shape shape;
	float floors;  /* this tick, in packet floors */
	float floors_mean;
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
	if (s->floors_mean < 1 && s->floors < 1)
		return FLOOD_COLD_NO;
	if (s->many && (c->out_seen || s->shape.one_size >= 0.5F ||
			s->shape.sources >= 0.3F * (float)s->shape.records))
		return many_or_hit(s);
	return size >= large && s->floors >= few_floors ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

static enum flood_cold_verdict opening(const struct flood_cold *c, const struct sight *s)
{
	if (s->floors < 1)
		return FLOOD_COLD_NO;
	bool unclosed = (float)flood_shape_closes(c->tick) * c->scale < closes_min * c->packets;

	if (!s->many)
		return s->floors >= few_floors && unclosed && !s->shape.scan ? FLOOD_COLD_HIT
									      : FLOOD_COLD_NO;
	if (unclosed || c->packets >= 0.5F * c->tcp || s->shape.one_hop >= 0.9F)
		return many_or_hit(s);
	return FLOOD_COLD_NO;
}

static enum flood_cold_verdict stray(const struct sight *s)
{
	if (s->floors < 1 || s->shape.scan)
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

	if (floors < datagram_floors || s->shape.scan)
		return FLOOD_COLD_NO;
	if (c->out_seen && c->out * 10 >= c->packets)
		return FLOOD_COLD_NO;
	bool spread = s->many && s->shape.sources >= 0.3F * (float)s->shape.records;

	if (spread || (equal && s->floors >= datagram_floors))
		return FLOOD_COLD_OVER;
	return c->out_seen ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

static enum flood_cold_verdict streams(const struct flood_cold *c, const struct sight *s)
{
	if (s->floors < stream_floors || !s->many || s->shape.one_size < 0.8F)
		return FLOOD_COLD_NO;
	if (s->shape.sources < 0.3F * (float)s->shape.records)
		return FLOOD_COLD_NO;
	return c->out_seen && c->out * 10 >= c->packets ? FLOOD_COLD_NO : many_or_hit(s);
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
	if (s.shape.records < records_min)
		return FLOOD_COLD_NO;
	s.many = many_sources(c, &s.shape);
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
