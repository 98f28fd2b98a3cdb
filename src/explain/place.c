/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/place.h"

#include "explain/line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void ipv6_text(struct line *l, const uint8_t *a)
{
	int run = -1, run_len = 1;
	unsigned w[8];

	for (int i = 0; i < 8; i++)
		w[i] = (unsigned)a[2 * i] << 8 | a[2 * i + 1];
	for (int i = 0; i < 8; i++) { /* the first of the longest runs of two zeros or more */
		int len = 0;
		while (i + len < 8 && w[i + len] == 0)
			len++;
		if (len > run_len) {
			run = i;
			run_len = len;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == run) {
			line_text(l, "::");
			i += run_len - 1;
			continue;
		}
		if (l->used > 0 && l->dst[l->used - 1] != ':')
			line_text(l, ":");
		line_hex(l, w[i], 1);
	}
}

void address_text(char dst[ADDRESS_TEXT_MAX], const uint8_t *address, uint8_t family)
{
	struct line l = line_at(dst, ADDRESS_TEXT_MAX);
	if (family == 6) {
		ipv6_text(&l, address);
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		line_text(&l, i == 0 ? "" : ".");
		line_number(&l, address[i]);
	}
}

static bool geo_country(const void *context, const uint8_t *address, uint8_t family, char ret[3])
{
	struct geo_place place = geo_find(context, family, address);
	ret[0] = place.country[0];
	ret[1] = place.country[1];
	ret[2] = '\0';
	return place.country[0] != '\0';
}

static uint32_t geo_network(const void *context, const uint8_t *address, uint8_t family)
{
	return geo_find(context, family, address).network;
}

struct tracer_places tracer_places_of(const struct geo *g)
{
	return g == NULL ? (struct tracer_places){NULL, NULL, NULL, NULL}
			 : (struct tracer_places){g, geo_country, geo_network, NULL};
}

enum kind { BY_SOURCE, BY_PREFIX, BY_NETWORK, BY_COUNTRY };

/* One sampled record. A record stands for max(packets, threshold) packets, with the variance
 * threshold x max(0, threshold - packets): Duffield, Lund, Thorup, section 2. */
struct item {
	const struct tracer_place *place;
	double packets, bytes, variance;
	uint32_t source;  /* its number among the distinct ones */
	uint32_t known;   /* network by the table of places; 0 = not known, as below */
	uint32_t network; /* this one, or what the exporter said */
	uint16_t country; /* two letters */
};

/* The items of one key, or so far the heaviest keys. */
struct sum { const struct item *of; double packets, bytes, variance; uint32_t sources; };

struct counting {
	struct item items[TRACER_PLACES]; /* by address */
	const struct item *order[TRACER_PLACES];
	size_t count;
	double packets, sampling;
};

/* ---- by address ---- */

struct sorted { uint64_t high, low; const struct tracer_place *place; };

static int by_address(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	if (x->place->family != y->place->family)
		return x->place->family > y->place->family ? 1 : -1;
	if (x->high != y->high)
		return x->high > y->high ? 1 : -1;
	return (x->low > y->low) - (x->low < y->low);
}

static uint64_t big_endian(const uint8_t *bytes)
{
	uint64_t x = 0;
	for (size_t i = 0; i < 8; i++)
		x = x << 8 | bytes[i];
	return x;
}

static void look_up(struct item *item, const struct tracer_places *where)
{
	const struct tracer_place *p = item->place;
	char code[3] = "";
	if (where != NULL && where->network != NULL)
		item->known = where->network(where->context, p->address, p->family);
	if (where != NULL && where->country != NULL &&
	    where->country(where->context, p->address, p->family, code))
		item->country = (uint16_t)((uint8_t)code[0] << 8 | (uint8_t)code[1]);
}

static bool is_of(const struct tracer_place *p, const struct places_of *of)
{
	uint8_t only = of->only[p->slot];
	bool told = only != TRACER_NO_BUCKET && p->bucket != TRACER_NO_BUCKET;
	return (of->slots >> p->slot & 1) != 0 && (!told || p->bucket == only);
}

static void take_items(const struct tracer *t, const struct places_of *of,
		       const struct tracer_places *where, struct counting *c)
{
	struct sorted keys[TRACER_PLACES];
	double tau = (double)t->place_threshold;
	size_t count = 0;

	for (uint32_t i = 0; i < t->place_count; i++) {
		const struct tracer_place *p = &t->places[i];
		if (is_of(p, of) && p->packets > 0)
			keys[count++] = (struct sorted){big_endian(p->address),
							     big_endian(p->address + 8), p};
	}
	qsort(keys, count, sizeof(*keys), by_address);
	c->count = count;
	c->packets = 0;
	c->sampling = t->sampling;
	for (size_t i = 0; i < count; i++) {
		const struct tracer_place *p = keys[i].place;
		double packets = (double)p->packets, stands_for = fmax(packets, tau);
		struct item *item = &c->items[i];
		*item = (struct item){
			.place = p,
			.packets = stands_for,
			.bytes = (double)p->bytes * stands_for / packets,
			.variance = tau * fmax(0, tau - packets),
		};
		c->packets += stands_for;
		if (i > 0 && by_address(&keys[i - 1], &keys[i]) == 0) {
			item->source = item[-1].source;
			item->country = item[-1].country;
			item->known = item[-1].known;
		} else {
			item->source = (uint32_t)i;
			look_up(item, where);
		}
		item->network = item->known != 0 ? item->known : p->as;
	}
}

/* ---- by any key ---- */

static int by_network(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
	if (x->network != y->network)
		return x->network > y->network ? 1 : -1;
	return (x > y) - (x < y);
}

static int by_country(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
	if (x->country != y->country)
		return x->country > y->country ? 1 : -1;
	return (x > y) - (x < y);
}

static bool is_known(const struct item *x, enum kind kind)
{
	return kind == BY_NETWORK ? x->network != 0 : kind != BY_COUNTRY || x->country != 0;
}

static bool is_same(const struct item *x, const struct item *y, enum kind kind)
{
	switch (kind) {
	case BY_SOURCE:
		return x->source == y->source;
	case BY_PREFIX:
		return x->place->family == y->place->family &&
		       memcmp(x->place->address, y->place->address,
			      x->place->family == 6 ? 6 : 3) == 0;
	case BY_NETWORK:
		return x->network == y->network;
	case BY_COUNTRY:
		break;
	}
	return x->country == y->country;
}

static void put_name(char *dst, const struct item *x, enum kind kind)
{
	struct line l = line_at(dst, TRACE_PLACE_MAX + 1);
	uint8_t prefix[16] = {0};
	char text[ADDRESS_TEXT_MAX];
	uint8_t family = x->place->family;

	switch (kind) {
	case BY_SOURCE:
		address_text(text, x->place->address, family);
		line_text(&l, text);
		break;
	case BY_PREFIX:
		memcpy(prefix, x->place->address, family == 6 ? 6 : 3);
		address_text(text, prefix, family);
		line_text(&l, text);
		line_text(&l, family == 6 ? "/48" : "/24");
		break;
	case BY_NETWORK:
		line_text(&l, "AS");
		line_number(&l, x->network);
		break;
	case BY_COUNTRY:
		line_text(&l, (const char[]){(char)(x->country >> 8), (char)x->country, '\0'});
		break;
	}
}

/* Keeps the heaviest `max` of what it is shown. */
static void keep(struct sum *sums, uint32_t *count, uint32_t max, const struct sum *sum)
{
	uint32_t lightest = 0;
	if (*count < max) {
		sums[(*count)++] = *sum;
		return;
	}
	for (uint32_t i = 1; i < max; i++)
		lightest = sums[i].packets < sums[lightest].packets ? i : lightest;
	if (sum->packets > sums[lightest].packets)
		sums[lightest] = *sum;
}

/* Heaviest first; of equal ones whichever was found first. */
static void sort_sums(struct sum *sums, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct sum s = sums[i];
		uint32_t k = i;
		for (; k > 0 && sums[k - 1].packets < s.packets; k--)
			sums[k] = sums[k - 1];
		sums[k] = s;
	}
}

static struct trace_place place_of(const struct counting *c, const struct sum *s, enum kind kind)
{
	double share = c->packets > 0 ? s->packets / c->packets : 0;
	double thinned = c->packets > 0 ? s->variance / (c->packets * c->packets) : 0;
	/* What an exporter's sampling leaves unsure, at most. */
	double sampled = c->sampling > 1.5 ? share * (1 - share) / (double)c->count : 0;
	struct trace_place place = {
		.packets = s->packets,
		.bytes = s->bytes,
		.sources = s->sources,
		.share = (float)fmin(1, share),
		.share_error = (float)sqrt(fmax(0, thinned + sampled)),
	};
	put_name(place.name, s->of, kind); /* only of those that are shown */
	return place;
}

/* c->order has those of one key side by side, and of these those of one source. */
static uint32_t count_kind(const struct counting *c, enum kind kind, struct trace_place *places,
			   uint32_t max)
{
	struct sum sums[TRACE_COUNTRIES_MAX];
	uint32_t count = 0;

	for (size_t i = 0, end; i < c->count; i = end) {
		struct sum sum = {.of = c->order[i]};
		for (end = i; end < c->count && is_same(c->order[i], c->order[end], kind); end++) {
			const struct item *x = c->order[end];
			sum.packets += x->packets;
			sum.bytes += x->bytes;
			sum.variance += x->variance;
			sum.sources += end == i || x->source != c->order[end - 1]->source;
		}
		if (is_known(sum.of, kind))
			keep(sums, &count, max, &sum);
	}
	sort_sums(sums, count);
	for (uint32_t i = 0; i < count; i++)
		places[i] = place_of(c, &sums[i], kind);
	return count;
}
_Static_assert((int)TRACE_PLACES_MAX <= (int)TRACE_COUNTRIES_MAX, "room for either");

void places_count(const struct tracer *t, const struct places_of *of,
		  const struct tracer_places *where, struct trace *ret)
{
	struct counting c;

	take_items(t, of, where, &c);
	for (size_t i = 0; i < c.count; i++)
		c.order[i] = &c.items[i];
	ret->source_count = count_kind(&c, BY_SOURCE, ret->sources_top, TRACE_PLACES_MAX);
	ret->prefix_count = count_kind(&c, BY_PREFIX, ret->prefixes, TRACE_PLACES_MAX);
	qsort(c.order, c.count, sizeof(c.order[0]), by_network);
	ret->network_count = count_kind(&c, BY_NETWORK, ret->networks, TRACE_PLACES_MAX);
	qsort(c.order, c.count, sizeof(c.order[0]), by_country);
	ret->country_count = count_kind(&c, BY_COUNTRY, ret->countries, TRACE_COUNTRIES_MAX);
}
