/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/widths.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/observation.h"
#include "model/service.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, CHOSEN_MIN_MS = 10000 };

struct service_gaps {
	char service[SERVICE_ID_MAX + 1];
	int64_t last_ms;
	uint32_t count;
	uint32_t gaps_ms[WIDTHS_GAPS];
};
static_assert(OBSERVATION_STEP_MAX_S * INT64_C(1000) < UINT32_MAX, "a width in ms fits");

struct widths {
	size_t count, max, mask;
	struct service_gaps *services; /* pages of it are taken as services come */
	uint32_t *slots;               /* index + 1 into services; 0 = free; mask + 1 of them */
};

enum wd_err widths_open(size_t services_max, struct widths **ret_widths)
{
	struct widths *w = calloc(1, sizeof(*w));
	size_t slots = 16;

	WD_CHECK(services_max > 0 && services_max <= SERVICES_MAX);
	while (slots < services_max * 2)
		slots *= 2;
	if (w == NULL)
		return WD_NOMEM;
	w->max = services_max;
	w->mask = slots - 1;
	w->services = calloc(services_max, sizeof(*w->services));
	w->slots = calloc(slots, sizeof(*w->slots));
	if (w->services == NULL || w->slots == NULL) {
		widths_close(w);
		return WD_NOMEM;
	}
	*ret_widths = w;
	return WD_OK;
}

void widths_close(struct widths *w)
{
	if (w == NULL)
		return;
	free(w->services);
	free(w->slots);
	free(w);
}

/* Where the service stands, or the free slot where it would. A file of one's own needs no
 * secret key. */
static uint32_t *find_slot(const struct widths *w, const char *service)
{
	static const struct hash_key key;
	size_t i = hash_bytes(&key, service, strlen(service)) & w->mask;
	while (w->slots[i] != 0 && strcmp(w->services[w->slots[i] - 1].service, service) != 0)
		i = (i + 1) & w->mask;
	return &w->slots[i];
}

enum wd_err widths_add(struct widths *w, const char *service, wd_wall at)
{
	uint32_t *slot = find_slot(w, service);
	int64_t at_ms = at.ns / 1000000;

	if (*slot == 0) {
		if (w->count == w->max)
			return WD_FULL;
		struct service_gaps *new = &w->services[w->count++];
		if (!text_copy(new->service, sizeof(new->service), service)) {
			w->count--;
			return WD_MALFORMED;
		}
		new->last_ms = at_ms;
		*slot = (uint32_t)w->count;
		return WD_OK;
	}
	struct service_gaps *s = &w->services[*slot - 1];
	int64_t gap = at_ms - s->last_ms;
	if (gap > 0 && gap <= OBSERVATION_STEP_MAX_S * INT64_C(1000) && s->count < WIDTHS_GAPS)
		s->gaps_ms[s->count++] = (uint32_t)gap;
	s->last_ms = at_ms;
	return WD_OK;
}

static int rising(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* The commonest of sorted gaps, and of two as common the narrower; how common in *ret_run. */
static uint32_t commonest(const uint32_t *gaps, uint32_t count, uint32_t *ret_run)
{
	uint32_t best = 0, best_run = 0;
	for (uint32_t i = 0, run = 0; i < count; i++) {
		run = i > 0 && gaps[i] == gaps[i - 1] ? run + 1 : 1;
		if (run > best_run) {
			best = gaps[i];
			best_run = run;
		}
	}
	*ret_run = best_run;
	return best;
}

static uint32_t greatest_divisor(const uint32_t *gaps, uint32_t count)
{
	uint32_t divisor = gaps[0];
	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t rest = gaps[i]; rest != 0;) {
			uint32_t next = divisor % rest;
			divisor = rest;
			rest = next;
		}
	}
	return divisor;
}

/* Clocks and people choose such widths; what chance leaves as a divisor is hardly one. */
static bool is_chosen(uint32_t ms)
{
	return ms >= CHOSEN_MIN_MS && (DAY_MS % ms == 0 || ms % DAY_MS == 0);
}

/* Do half of the sorted gaps lie farther than a quarter from their middle? */
static bool is_scattered(const uint32_t *gaps, uint32_t count)
{
	uint32_t middle = gaps[count / 2], near = 0;
	for (uint32_t i = 0; i < count; i++)
		near += gaps[i] >= middle - middle / 4 && gaps[i] - middle / 4 <= middle;
	return near * 2 <= count;
}

wd_span widths_of(const struct widths *w, const char *service)
{
	uint32_t slot = *find_slot(w, service), gaps[WIDTHS_GAPS], run, multiples = 0;
	if (slot == 0 || w->services[slot - 1].count == 0)
		return (wd_span){0};
	const struct service_gaps *s = &w->services[slot - 1];
	memcpy(gaps, s->gaps_ms, s->count * sizeof(*gaps));
	qsort(gaps, s->count, sizeof(*gaps), rising);

	uint32_t common = commonest(gaps, s->count, &run);
	for (uint32_t i = 0; i < s->count; i++)
		multiples += gaps[i] % common == 0;
	bool is_common = run * 4 >= s->count;
	if (is_common && multiples * 10 >= s->count * 9)
		return span_ms(common);
	uint32_t divisor = greatest_divisor(gaps, s->count);
	if (is_chosen(divisor) && (gaps[0] == divisor || is_scattered(gaps, s->count)))
		return span_ms(divisor);
	return span_ms(is_common ? common : gaps[s->count / 2]);
}
