/* SPDX-License-Identifier: Apache-2.0 */
/* traffic_inner: the arithmetic that the plain and the fast way of counting share. */
#ifndef WD_TALLY_TRAFFIC_INNER_H
#define WD_TALLY_TRAFFIC_INNER_H

#include "tally/traffic.h"

/* Sums stay at their end instead of beginning anew: exporters can name any number. */
static inline uint64_t traffic_plus(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;
	return sum < a ? UINT64_MAX : sum;
}

static inline uint64_t traffic_scale(uint64_t n, uint32_t sampling)
{
	uint64_t product;
	return __builtin_mul_overflow(n, (uint64_t)sampling, &product) ? UINT64_MAX : product;
}

static inline void traffic_sum_add(struct traffic_sum *s, const struct flow *f)
{
	s->packets = traffic_plus(s->packets, traffic_scale(f->packets, f->sampling));
	s->bytes = traffic_plus(s->bytes, traffic_scale(f->bytes, f->sampling));
	s->seen = traffic_plus(s->seen, f->packets);
	s->records++;
}

static inline void traffic_sent_add(struct traffic_sent *s, const struct flow *f)
{
	s->packets = traffic_plus(s->packets, traffic_scale(f->packets, f->sampling));
	s->bytes = traffic_plus(s->bytes, traffic_scale(f->bytes, f->sampling));
}

/* A record of the class found no place among those whose sources are counted apart. */
static inline void traffic_lose(struct traffic_tick *t, uint8_t class)
{
	t->class_lost[class / 64] |= UINT64_C(1) << (class % 64);
}

/* packets / u, u uniform in (0, 1] from 53 bits: at most 2^64 * 2^53, which a float holds. */
static inline float traffic_priority(uint64_t packets, uint64_t random)
{
	double u = (double)((random >> 11) + 1) * 0x1p-53;
	return (float)((double)packets / u);
}

/* The sample's priorities side by side, since the least of them is looked for again and again:
 * of[i] is that of sample[i]. Whoever adds many records to a tick keeps it beside the tick. */
struct traffic_keys {
	float of[TRAFFIC_SAMPLES];         /* INFINITY where the sample has none */
	float least[TRAFFIC_SAMPLES / 16]; /* of each sixteen */
};

void traffic_keys_of(const struct traffic_tick *t, struct traffic_keys *ret_keys);

/* Takes the record in, if there is room or one of lower priority; `priority` is above the
 * tick's threshold. */
void traffic_sample(struct traffic_tick *t, struct traffic_keys *keys, const struct flow *f,
		    uint8_t class, float priority);

#endif
