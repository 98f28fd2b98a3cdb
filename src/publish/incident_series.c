/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/incident_series.h"

#include "publish/words.h"

#include <stdlib.h>
#include <string.h>

enum { BEFORE_S = 2 * 3600, AFTER_S = 3600 };

/* The part of `whole` from two hours before the incident to one hour after it. */
static struct series cut(const struct series *whole, const struct incident *i)
{
	int64_t from = wall_sub(wall_back(i->began_at, span_s(BEFORE_S)), whole->begin).ns;
	int64_t first = from > 0 ? from / whole->step.ns : 0;
	int64_t count = (int64_t)whole->count;

	if (i->ended_at.ns != 0) {
		wd_wall end = wall_add(i->ended_at, span_s(AFTER_S));
		int64_t last = wall_sub(end, whole->begin).ns / whole->step.ns + 1;
		count = last < count ? last : count;
	}
	if (first >= count)
		return (struct series){.step = whole->step};
	return (struct series){
		.begin = wall_add(whole->begin, (wd_span){first * whole->step.ns}),
		.step = whole->step,
		.count = (size_t)(count - first),
		.points = whole->points + first,
	};
}

struct incident_series incident_series_open(const struct render *r, const struct incident *i)
{
	const struct service_state *s = snapshot_service(r->snapshot, i->service);
	struct incident_series found = {.series = {.step = i->step}};

	if (r->site->incident_series != NULL &&
	    r->site->incident_series(r->site->ctx, i, &found.series)) {
		found.owned = found.series.points;
		return found;
	}
	if (s == NULL)
		return found;
	if (s->incident < r->snapshot->incident_count &&
	    strcmp(r->snapshot->incidents[s->incident].id, i->id) == 0 && s->leading.count > 0) {
		found.series = s->leading;
		found.unfinished = true;
		return found;
	}
	const struct series *const choices[] = {&s->day, &s->week, &s->quarter};
	for (size_t n = 0; n < 3; n++) {
		const struct series *whole = choices[n];
		if (whole->count == 0 || wall_before(i->began_at, whole->begin))
			continue;
		found.series = cut(whole, i);
		found.unfinished =
			n == 0 && found.series.count > 0 &&
			found.series.points + found.series.count == whole->points + whole->count;
		return found;
	}
	return found;
}

void incident_series_close(struct incident_series *s)
{
	free(s->owned);
	*s = (struct incident_series){0};
}
