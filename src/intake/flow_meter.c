/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/flow_meter.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 100 }; /* of a hundredth of the table each, in one timeout */

bool flow_meter_open(struct flow_meter *m, wd_span timeout,
		     void (*ended)(void *ctx, const struct flow *f, wd_wall at), void *ctx)
{
	*m = (struct flow_meter){.timeout = timeout, .ended = ended, .ctx = ctx};
	m->places = calloc(FLOW_METER_PLACES, sizeof(*m->places));
	return m->places != NULL;
}

void flow_meter_close(struct flow_meter *m)
{
	free(m->places);
	m->places = NULL;
}

static uint32_t place_of(const struct flow *f)
{
	uint64_t words[4], h = (uint64_t)f->sport << 32 | (uint64_t)f->dport << 16 |
			       (uint64_t)f->protocol << 8 | f->fragment;
	memcpy(words, f->src, 16);
	memcpy(words + 2, f->dst, 16);
	for (int n = 0; n < 4; n++)
		h = hash_mix(h ^ words[n]);
	return (uint32_t)(h % FLOW_METER_PLACES);
}

static bool same_flow(const struct flow *a, const struct flow *b)
{
	return memcmp(a->src, b->src, 16) == 0 && memcmp(a->dst, b->dst, 16) == 0 &&
	       a->sport == b->sport && a->dport == b->dport && a->protocol == b->protocol &&
	       a->family == b->family && a->fragment == b->fragment;
}

static void end(struct flow_meter *m, struct flow *f, wd_wall at)
{
	m->ended(m->ctx, f, at);
	f->packets = 0;
}

static void sweep(struct flow_meter *m, wd_wall at)
{
	int64_t pace = m->timeout.ns / SWEEPS;
	if (m->hand_ns == 0)
		m->hand_ns = at.ns;
	for (; m->hand_ns + pace <= at.ns; m->hand_ns += pace) {
		for (int n = 0; n < FLOW_METER_PLACES / SWEEPS + 1; n++) {
			struct flow *f = &m->places[m->hand++ % FLOW_METER_PLACES];
			if (f->packets > 0 && at.ns / 1000000 - f->first_ms >=
						      m->timeout.ns / 1000000)
				end(m, f, at);
		}
	}
}

void flow_meter_add(struct flow_meter *m, const struct flow *f, wd_wall at)
{
	sweep(m, at);
	struct flow *place = &m->places[place_of(f)];
	if (place->packets > 0 && !same_flow(place, f))
		end(m, place, at);
	if (place->packets == 0) {
		*place = *f;
		/* What a summed-up flow does not tell. */
		place->known &= FLOW_TIMES | FLOW_FLAGS | FLOW_AS | FLOW_EGRESS;
		place->payload = NULL;
		place->payload_len = 0;
		return;
	}
	place->packets += f->packets;
	place->bytes += f->bytes;
	place->tcp_flags |= f->tcp_flags;
	place->last_ms = f->last_ms;
}

void flow_meter_flush(struct flow_meter *m, wd_wall at)
{
	for (size_t n = 0; n < FLOW_METER_PLACES; n++) {
		if (m->places[n].packets > 0)
			end(m, &m->places[n], at);
	}
}
