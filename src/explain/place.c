/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/place.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ipv6_text(char *dst, const uint8_t *a)
{
	int run = -1, run_len = 1, used = 0;
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
			used += snprintf(dst + used, (size_t)(ADDRESS_TEXT_MAX - used), "::");
			i += run_len - 1;
			continue;
		}
		bool colon = used > 0 && dst[used - 1] != ':';
		used += snprintf(dst + used, (size_t)(ADDRESS_TEXT_MAX - used), "%s%x",
				 colon ? ":" : "", w[i]);
	}
}

void address_text(char dst[ADDRESS_TEXT_MAX], const uint8_t *address, uint8_t family)
{
	if (family == 6)
		ipv6_text(dst, address);
	else
		snprintf(dst, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", address[0], address[1], address[2],
			 address[3]);
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

struct item {
	uint8_t key[16], address[16];
	double packets, bytes, variance;
	uint8_t family; /* 0 = not known */
};

static int by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = (x->family > y->family) - (x->family < y->family);
	order = order != 0 ? order : memcmp(x->key, y->key, sizeof(x->key));
	return order != 0 ? order : memcmp(x->address, y->address, sizeof(x->address));
}

static int by_packets(const void *a, const void *b)
{
	const struct trace_place *x = a, *y = b;
	return (x->packets < y->packets) - (x->packets > y->packets);
}

static void put_key(struct item *item, const struct tracer_place *p, enum kind kind,
		    const struct tracer_places *where)
{
	uint32_t as = p->as;

	memcpy(item->key, p->address, sizeof(item->key));
	switch (kind) {
	case BY_SOURCE:
		break;
	case BY_PREFIX:
		memset(item->key + (p->family == 6 ? 6 : 3), 0, p->family == 6 ? 10 : 13);
		break;
	case BY_NETWORK:
		if (where != NULL && where->network != NULL) {
			uint32_t known = where->network(where->context, p->address, p->family);
			as = known != 0 ? known : as;
		}
		memset(item->key, 0, sizeof(item->key));
		memcpy(item->key, &as, sizeof(as));
		item->family = as == 0 ? 0 : 4; /* networks have no family */
		break;
	case BY_COUNTRY:
		memset(item->key, 0, sizeof(item->key));
		item->family = 0;
		char code[3] = "";
		if (where != NULL && where->country != NULL &&
		    where->country(where->context, p->address, p->family, code)) {
			memcpy(item->key, code, sizeof(code));
			item->family = 4;
		}
		break;
	}
}

static void put_name(char *dst, const struct item *item, enum kind kind)
{
	char text[ADDRESS_TEXT_MAX];
	uint32_t as;

	switch (kind) {
	case BY_SOURCE:
		address_text(text, item->key, item->family);
		snprintf(dst, TRACE_PLACE_MAX + 1, "%s", text);
		break;
	case BY_PREFIX:
		address_text(text, item->key, item->family);
		snprintf(dst, TRACE_PLACE_MAX + 1, "%.43s/%d", text, item->family == 6 ? 48 : 24);
		break;
	case BY_NETWORK:
		memcpy(&as, item->key, sizeof(as));
		snprintf(dst, TRACE_PLACE_MAX + 1, "AS%u", as);
		break;
	case BY_COUNTRY:
		snprintf(dst, TRACE_PLACE_MAX + 1, "%.2s", (const char *)item->key);
		break;
	}
}

/* A sorted run of one key into one place. */
static struct trace_place sum_up(const struct item *items, size_t count, enum kind kind)
{
	struct trace_place place = {0};
	double variance = 0;

	put_name(place.name, &items[0], kind);
	for (size_t i = 0; i < count; i++) {
		place.packets += items[i].packets;
		place.bytes += items[i].bytes;
		variance += items[i].variance;
		place.sources += i == 0 || memcmp(items[i].address, items[i - 1].address,
						  sizeof(items[i].address)) != 0;
	}
	place.share_error = (float)variance; /* for now */
	return place;
}

/* Keeps the heaviest `max` of what it is shown. */
static void keep(struct trace_place *places, uint32_t *count, uint32_t max,
		 const struct trace_place *place)
{
	uint32_t lightest = 0;
	if (*count < max) {
		places[(*count)++] = *place;
		return;
	}
	for (uint32_t i = 1; i < max; i++)
		lightest = places[i].packets < places[lightest].packets ? i : lightest;
	if (place->packets > places[lightest].packets)
		places[lightest] = *place;
}

static void count_kind(struct item *items, size_t count, enum kind kind, double sampling,
		       struct trace_place *places, uint32_t *ret_count, uint32_t max)
{
	double total = 0;

	*ret_count = 0;
	if (count == 0)
		return;
	qsort(items, count, sizeof(*items), by_key);
	for (size_t i = 0; i < count; i++)
		total += items[i].packets;
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && items[end].family == items[i].family &&
				  memcmp(items[end].key, items[i].key, sizeof(items[i].key)) == 0;)
			end++;
		if (items[i].family == 0)
			continue;
		struct trace_place place = sum_up(&items[i], end - i, kind);
		keep(places, ret_count, max, &place);
	}
	for (uint32_t i = 0; i < *ret_count; i++) {
		struct trace_place *p = &places[i];
		double share = total > 0 ? p->packets / total : 0;
		double thinned = total > 0 ? (double)p->share_error / (total * total) : 0;
		/* What an exporter's sampling leaves unsure, at most. */
		double sampled = sampling > 1.5 ? share * (1 - share) / (double)count : 0;
		p->share = (float)fmin(1, share);
		p->share_error = (float)sqrt(fmax(0, thinned + sampled));
	}
	qsort(places, *ret_count, sizeof(*places), by_packets);
}

/* A sampled record stands for max(packets, threshold) packets, with the variance
 * threshold x max(0, threshold - packets): Duffield, Lund, Thorup, section 2. */
static size_t take_items(const struct tracer *t, uint32_t slots, enum kind kind,
			 const struct tracer_places *where, struct item *items)
{
	size_t count = 0;
	for (uint32_t i = 0; i < t->place_count; i++) {
		const struct tracer_place *p = &t->places[i];
		if ((slots >> p->slot & 1) == 0 || !(p->packets > 0))
			continue;
		double packets = (double)p->packets, tau = (double)t->place_threshold;
		double stands_for = fmax(packets, tau);
		struct item *item = &items[count++];
		*item = (struct item){
			.family = p->family,
			.packets = stands_for,
			.bytes = (double)p->bytes * stands_for / packets,
			.variance = tau * fmax(0, tau - packets),
		};
		memcpy(item->address, p->address, sizeof(item->address));
		put_key(item, p, kind, where);
	}
	return count;
}

void places_count(const struct tracer *t, uint32_t slots, const struct tracer_places *where,
		  struct trace *ret)
{
	struct item items[TRACER_PLACES];
	struct { enum kind kind; struct trace_place *places; uint32_t *count, max; } kinds[] = {
		{BY_SOURCE, ret->sources_top, &ret->source_count, TRACE_PLACES_MAX},
		{BY_PREFIX, ret->prefixes, &ret->prefix_count, TRACE_PLACES_MAX},
		{BY_NETWORK, ret->networks, &ret->network_count, TRACE_PLACES_MAX},
		{BY_COUNTRY, ret->countries, &ret->country_count, TRACE_COUNTRIES_MAX},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t count = take_items(t, slots, kinds[i].kind, where, items);
		count_kind(items, count, kinds[i].kind, t->sampling, kinds[i].places,
			   kinds[i].count, kinds[i].max);
	}
}
