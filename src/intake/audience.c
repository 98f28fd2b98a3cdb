/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/audience.h"

#include "base/check.h"
#include "base/text.h"
#include "model/country.h"
#include "model/service.h"

#include <stdlib.h>
#include <string.h>

static bool country_of(struct slice s, char dst[3])
{
	if (s.len != 2)
		return false;
	memcpy(dst, s.text, 2);
	dst[2] = '\0';
	return country_is_known(dst);
}

/* "AS2856" */
static bool network_of(struct slice s, uint32_t *ret_network)
{
	uint64_t n = 0;
	if (s.len < 3 || s.len > 12 || s.text[0] != 'A' || s.text[1] != 'S')
		return false;
	for (size_t i = 2; i < s.len; i++) {
		if (s.text[i] < '0' || s.text[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(s.text[i] - '0');
	}
	if (n == 0 || n > UINT32_MAX)
		return false;
	*ret_network = (uint32_t)n;
	return true;
}

/* What stands for one value of a dimension; `at` is where, for the message. */
void audience_read_value(struct prose *w, enum dimension d, struct slice s, size_t at,
			 struct portion *p)
{
	static const char *const whats[DIMENSION_COUNT] = {
		[DIMENSION_SURFACE] = "here stands a surface's id, like: app",
		[DIMENSION_PROBLEM] = "here stands a problem's id, like: login",
		[DIMENSION_COUNTRY] =
			"here stands a country's two capital letters (ISO 3166-1), like: GB",
		[DIMENSION_CITY] = "here stands a city with its country, like: GB/London",
		[DIMENSION_NETWORK] = "here stands a network with its country, like: GB/AS2856",
	};
	bool ok = false;
	*p = (struct portion){0};
	if (d == DIMENSION_CITY || d == DIMENSION_NETWORK) {
		ok = s.len > 3 && s.text[2] == '/' &&
		     country_of((struct slice){s.text, 2}, p->country);
		s = (struct slice){s.text + 3, ok ? s.len - 3 : 0};
	}
	switch (d) {
	case DIMENSION_SURFACE:
	case DIMENSION_PROBLEM: ok = text_is_id(s.text, s.len, SERVICE_WORD_MAX); break;
	case DIMENSION_COUNTRY: ok = country_of(s, p->country); break;
	case DIMENSION_CITY: /* its signal is named "GB/London": three bytes more */
		ok = ok && s.len <= SIGNAL_VALUE_MAX - 3 && text_is_utf8(s.text, s.len);
		break;
	case DIMENSION_NETWORK:
		ok = ok && network_of(s, &p->network);
		s.len = 0;
		break;
	default: WD_CHECK(false);
	}
	if (!ok) {
		prose_fail_at(w, WD_MALFORMED, at, whats[d]);
		return;
	}
	memcpy(p->name, s.text, s.len);
	p->name[s.len] = '\0';
}

static bool portion_same(const struct portion *a, const struct portion *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->country, b->country) == 0 &&
	       a->network == b->network;
}

/* The shares of one country's cities (or networks), or of the whole. */
static double mix_sum(const struct mix *m, const char *country)
{
	double sum = 0;
	for (size_t i = 0; i < m->count; i++)
		sum += country == NULL || strcmp(m->items[i].country, country) == 0
			       ? m->items[i].share
			       : 0;
	return sum;
}

/* One item up to its comma: "US/New York 9%" is a name that may have blanks, and a share.
 * False after the last one. */
static bool take_item(struct prose *w, struct slice *ret_name, struct slice *ret_share)
{
	prose_skip_blanks(w);
	size_t begin = w->at, end = begin;
	while (end < w->line_end && w->text[end] != ',')
		end++;
	w->at = end + (end < w->line_end);
	bool more = end < w->line_end;

	while (end > begin && slice_blank(w->text[end - 1]))
		end--;
	size_t share = end;
	while (share > begin && !slice_blank(w->text[share - 1]))
		share--;
	*ret_share = (struct slice){w->text + share, end - share};
	while (share > begin && slice_blank(w->text[share - 1]))
		share--;
	*ret_name = (struct slice){w->text + begin, share - begin};
	return more;
}

void audience_read_mix(struct prose *w, enum dimension d, struct mix *m)
{
	bool of_country = d == DIMENSION_CITY || d == DIMENSION_NETWORK, more = true;
	struct portion items[AUDIENCE_PORTIONS_MAX];
	struct mix read = {items, 0};

	if (m->count > 0)
		prose_fail(w, "this list stands twice in its block: make one of the two");
	while (w->err == WD_OK && more) {
		struct slice name, share;
		more = take_item(w, &name, &share);
		size_t at = (size_t)(name.text - w->text);
		if (read.count == AUDIENCE_PORTIONS_MAX) {
			prose_fail_at(w, WD_FULL, at, "a list has at most 64 items");
			return;
		}
		struct portion *p = &items[read.count];
		double part = 0;
		if (!slice_percent(share, 1.0, &part))
			prose_fail_at(
				w, WD_MALFORMED, (size_t)(share.text - w->text),
				"after the name stands its share, at most 100%, like: app 56%");
		audience_read_value(w, d, name, at, p);
		p->share = part;
		for (size_t i = 0; i < read.count; i++) {
			if (portion_same(&items[i], p))
				prose_fail_at(w, WD_MALFORMED, at,
					      "this stands twice in the list: add the shares up");
		}
		read.count++;
		if (mix_sum(&read, of_country ? p->country : NULL) > 1.0 + 1e-9)
			prose_fail_at(w, WD_MALFORMED, at,
				      "up to here the shares (of one country, for cities and "
				      "networks) add up to more than 100%");
	}
	if (w->err != WD_OK)
		return;
	m->items = malloc(read.count * sizeof(*items));
	if (m->items == NULL) {
		prose_fail_at(w, WD_NOMEM, w->at, "memory ran out");
		return;
	}
	memcpy(m->items, items, read.count * sizeof(*items));
	m->count = read.count;
}

void mixes_free(struct mix mixes[DIMENSION_COUNT])
{
	for (int d = 0; d < DIMENSION_COUNT; d++)
		free(mixes[d].items);
}
