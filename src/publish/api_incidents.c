/* SPDX-License-Identifier: Apache-2.0 */
/* JSON about incidents: a filtered list in parts, and one. */
#include "publish/api.h"
#include "publish/incident_series.h"
#include "publish/page_traffic.h"

#include "base/text.h"
#include "base/timetext.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 200 };

struct filter {
	const char *service, *state, *vector; /* "" = any */
	uint32_t kinds;              /* one of these carries it; 0 = any */
	wd_wall since;               /* began then or later; 0 = any */
	size_t limit;
	size_t first; /* index of the first that may be shown */
};

/* False if a parameter is wrong: then the answer says so. */
static bool read_filter(const struct render *r, struct filter *f)
{
	const char *since = query_value(r, "since"), *limit = query_value(r, "limit");
	const char *cursor = query_value(r, "cursor");
	bool known = false;

	*f = (struct filter){.service = query_value(r, "service"),
			     .state = query_value(r, "state"),
			     .vector = query_value(r, "vector"),
			     .kinds = incident_kind_of(query_value(r, "kind")),
			     .limit = LIMIT_DEFAULT};
	if (f->service[0] != '\0' && snapshot_service(r->snapshot, f->service) == NULL) {
		api_refuse(r, "service", "there is no service with this id");
		return false;
	}
	for (int s = INCIDENT_SUSPECTED; s <= INCIDENT_CLOSED; s++)
		known = known || strcmp(f->state, incident_state_name((enum incident_state)s)) == 0;
	if (f->state[0] != '\0' && !known) {
		api_refuse(r, "state", "a state is suspected, open, recovering or closed");
		return false;
	}
	if (query_value(r, "kind")[0] != '\0' && f->kinds == 0) {
		api_refuse(r, "kind", "a kind is reports, traffic or requests");
		return false;
	}
	if (since[0] != '\0' && timetext_read(since, strlen(since), &f->since, NULL) != WD_OK) {
		api_refuse(r, "since", "a time is RFC 3339, as in 2025-03-10T09:45:00Z");
		return false;
	}
	if (limit[0] != '\0') {
		char *end;
		unsigned long n = limit[0] >= '0' && limit[0] <= '9' ? strtoul(limit, &end, 10) : 0;
		if (n < 1 || n > LIMIT_MAX || *end != '\0') {
			api_refuse(r, "limit", "a limit is a whole number from 1 to 200");
			return false;
		}
		f->limit = n;
	}
	if (cursor[0] != '\0') {
		const struct incident *after = snapshot_incident(r->snapshot, cursor);
		if (after == NULL) {
			api_refuse(r, "cursor",
				   "the cursor is not one that an answer gave as \"next\"");
			return false;
		}
		f->first = (size_t)(after - r->snapshot->incidents) + 1;
	}
	return true;
}

static bool passes(const struct filter *f, const struct incident *i)
{
	return (f->service[0] == '\0' || strcmp(f->service, i->service) == 0) &&
	       (f->state[0] == '\0' || strcmp(f->state, incident_state_name(i->state)) == 0) &&
	       (f->kinds == 0 || (incident_kinds(i) & f->kinds) != 0) &&
	       (f->vector[0] == '\0' || incident_has_vector(i, f->vector)) &&
	       (f->since.ns == 0 || !wall_before(i->began_at, f->since));
}

void api_incidents(const struct render *r)
{
	const struct snapshot *s = r->snapshot;
	const char *next = NULL, *last = NULL;
	struct filter filter;
	size_t shown = 0;

	if (!read_filter(r, &filter))
		return;
	wd_json_open(r->out, NULL, '{');
	wd_json_time(r->out, "now", s->now);
	wd_json_open(r->out, "incidents", '[');
	for (size_t i = filter.first; i < s->incident_count; i++) {
		if (!passes(&filter, &s->incidents[i]))
			continue;
		if (shown == filter.limit) {
			next = last;
			break;
		}
		api_incident_object(r, &s->incidents[i]);
		last = s->incidents[i].id;
		shown++;
	}
	wd_json_close(r->out, ']');
	wd_json_string(r->out, "next", next);
	wd_json_close(r->out, '}');
	buf_char(r->out, '\n');
}

void api_incident(const struct render *r)
{
	struct incident_series series = incident_series_open(r, r->incident);

	wd_json_open(r->out, NULL, '{');
	wd_json_name(r->out, "incident");
	api_incident_object(r, r->incident);
	api_made_from(r);
	wd_json_open(r->out, "series", '{');
	api_series_members(r->out, &series.series, series.unfinished);
	wd_json_close(r->out, '}');
	wd_json_close(r->out, '}');
	buf_char(r->out, '\n');
	incident_series_close(&series);
}

void api_trace(const struct render *r)
{
	struct page_trace found = page_trace_open(r, r->incident);
	struct trace *none = NULL;
	if (found.trace == NULL) { /* no traffic is known of it: an empty trace says so */
		none = calloc(1, sizeof(*none));
		if (none == NULL)
			return;
		text_copy(none->incident, sizeof(none->incident), r->incident->id);
		none->sources = -1;
	}
	trace_to_json(r->out, found.trace != NULL ? found.trace : none);
	free(none);
	page_trace_close(&found);
}
