/* SPDX-License-Identifier: Apache-2.0 */
/* Options: what an exporter says of itself. Sampling rates, by sampler, interface or in
 * general (RFC 3954, 6.1; RFC 5476, 6.5; RFC 5477, 8), and when it started. */
#include "decode/export_read.h"
#include "decode/export_wire.h"

#include "base/check.h"

#include <math.h>

enum {
	V9 = 9,
	SCOPE_INTERFACE = 2, /* of v9, whose scopes have numbers of their own */
	INTERFACE = 10,
	SAMPLING_INTERVAL = 34,
	SAMPLER_ID = 48,
	SAMPLER_INTERVAL = 50,
	START_MS = 160,
	SELECTOR_ID = 302,
	PACKET_INTERVAL = 305,
	PACKET_SPACE = 306,
	SIZE = 309,
	POPULATION = 310,
	PROBABILITY = 311,
};

static bool is_read(uint16_t element, bool scope)
{
	static const uint16_t read[] = {SAMPLING_INTERVAL, SAMPLER_ID,  SAMPLER_INTERVAL,
					START_MS,          SELECTOR_ID, PACKET_INTERVAL,
					PACKET_SPACE,      SIZE,        POPULATION,
					PROBABILITY};
	for (size_t i = 0; i < WD_COUNT(read); i++)
		if (element == read[i])
			return true;
	return scope && element == INTERFACE;
}

void option_compile(const struct plan_field *fields, size_t count, size_t scopes, uint16_t version,
		    struct option_plan *ret_options)
{
	struct option_plan o = {.is_options = true};
	size_t at = 0, segment = 0;
	for (size_t i = 0; i < count; i++) {
		uint16_t element = fields[i].element, width = fields[i].width;
		bool scope = i < scopes;
		if (scope && version == V9)
			element = element == SCOPE_INTERFACE ? INTERFACE : 0;
		if (width == PLAN_VARIABLE) {
			segment++;
			at = 0;
			continue;
		}
		if (fields[i].enterprise == 0 && width >= 1 && width <= 8 && at <= UINT16_MAX &&
		    o.count < OPTION_FIELDS_MAX && is_read(element, scope)) {
			o.fields[o.count].element = element;
			o.fields[o.count].at = (uint16_t)at;
			o.fields[o.count].width = (uint8_t)width;
			o.fields[o.count].segment = (uint8_t)segment;
			o.fields[o.count++].scope = scope;
		}
		at += width;
	}
	*ret_options = o;
}

/* What a record says; 0 = nothing of that. */
struct said {
	uint64_t rate, id, start_ms, interval, space, size, population;
	double probability;
	bool has_sampler, has_interface, has_space;
};

static double real_of(const uint8_t *p, size_t width)
{
	double x = 0;
	float x32;
	uint64_t bits = wire_uint(p, width);
	uint32_t bits32 = (uint32_t)bits;
	if (width == 8) {
		memcpy(&x, &bits, sizeof(x));
	} else if (width == 4) {
		memcpy(&x32, &bits32, sizeof(x32));
		x = (double)x32;
	}
	return isfinite(x) ? x : 0;
}

static void hear(struct said *s, uint16_t element, const uint8_t *p, size_t width)
{
	uint64_t x = wire_uint(p, width);
	switch (element) {
	case INTERFACE:
		s->id = s->has_sampler ? s->id : x;
		s->has_interface = true;
		break;
	case SAMPLER_ID:
	case SELECTOR_ID:
		s->id = x;
		s->has_sampler = true;
		break;
	case SAMPLING_INTERVAL: s->rate = s->rate > 0 ? s->rate : x; break;
	case SAMPLER_INTERVAL: s->rate = x; break;
	case START_MS: s->start_ms = x; break;
	case PACKET_INTERVAL: s->interval = x; break;
	case PACKET_SPACE:
		s->space = x;
		s->has_space = true;
		break;
	case SIZE: s->size = x; break;
	case POPULATION: s->population = x; break;
	default: s->probability = real_of(p, width);
	}
}

/* One in how many, rounded; 0 = it does not say. */
static uint32_t rate_of(const struct said *s)
{
	double rate = (double)s->rate;
	if (s->interval > 0 && s->has_space)
		rate = ((double)s->interval + (double)s->space) / (double)s->interval;
	else if (s->interval > 1) /* alone: exporters mean one in so many */
		rate = (double)s->interval;
	else if (s->size > 0 && s->population >= s->size)
		rate = (double)s->population / (double)s->size;
	else if (s->probability > 0 && s->probability <= 1)
		rate = 1 / s->probability;
	return rate >= 1 && rate <= (double)UINT32_MAX ? (uint32_t)llround(rate) : 0;
}

static void read_one(struct export_read *r, const struct template *t, const uint8_t *const *bases)
{
	struct exporter *x = read_exporter(r);
	struct said s = {0};
	for (size_t i = 0; i < t->options.count; i++)
		hear(&s, t->options.fields[i].element,
		     bases[t->options.fields[i].segment] + t->options.fields[i].at,
		     t->options.fields[i].width);
	uint32_t rate = rate_of(&s);
	if (rate > 0 && s.has_sampler)
		store_sampler(r->e, r->exporter, PLAN_BY_SAMPLER, s.id, rate);
	else if (rate > 0 && s.has_interface)
		store_sampler(r->e, r->exporter, PLAN_BY_INTERFACE, s.id, rate);
	else if (rate > 0)
		x->sampling = rate;
	if (s.start_ms > 0 && s.start_ms < UINT64_C(253402300800000))
		x->start_ms = (int64_t)s.start_ms;
}

void read_options(struct export_read *r, const struct template *t, const uint8_t *bytes, size_t len)
{
	const uint8_t *bases[PLAN_SEGMENTS_MAX];
	size_t at = 0;
	while (len - at >= t->plan.record_min) {
		size_t record = plan_walk(&t->plan, bytes + at, len - at, bases);
		if (record == 0) {
			r->malformed = true;
			return;
		}
		read_one(r, t, bases);
		at += record;
		r->records++;
		read_exporter(r)->counts.options++;
	}
	r->useful = true;
}
