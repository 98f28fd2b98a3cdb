/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that Atlassian Statuspage gives under /api/v2, so that programs which read such pages
 * read this one. A service is a component, an incident an incident; there is no maintenance.
 * Source: Statuspage "Status API" (summary, status, components, incidents). Its words:
 * indicator none, minor, major, critical; component operational, degraded_performance,
 * partial_outage, major_outage; incident investigating, identified, monitoring, resolved. */
#include "publish/api.h"

#include <string.h>

enum { INCIDENTS_MAX = 50 };

static const char *impact_of(const struct incident *i)
{
	switch (incident_severity_word(i)) {
	case SEVERITY_MINOR: return "minor";
	case SEVERITY_MODERATE: return "minor";
	case SEVERITY_MAJOR: return "major";
	case SEVERITY_SEVERE: return "critical";
	}
	return "none";
}

/* "identified" would mean a known cause: whydown never says so here. */
static const char *state_of(const struct incident *i)
{
	return i->state == INCIDENT_CLOSED       ? "resolved"
	       : i->state == INCIDENT_RECOVERING ? "monitoring"
						 : "investigating";
}

static const struct incident *open_incident(const struct snapshot *s,
					    const struct service_state *state)
{
	return state->incident < s->incident_count ? &s->incidents[state->incident] : NULL;
}

static const char *component_status(const struct snapshot *s, const struct service_state *state)
{
	const struct incident *i = open_incident(s, state);

	if (i == NULL)
		return state->status == STATUS_UNUSUAL ? "degraded_performance" : "operational";
	enum severity severity = incident_severity_word(i);
	return severity >= SEVERITY_MAJOR ? "major_outage" : "partial_outage";
}

static void page_object(const struct render *r)
{
	json_open(r->out, "page", '{');
	json_string(r->out, "id", "whydown");
	json_string(r->out, "name", r->site->name);
	json_url(r->out, "url", r->site->base_url, "/", "");
	json_string(r->out, "time_zone", "Etc/UTC");
	json_time(r->out, "updated_at", r->snapshot->now);
	json_close(r->out, '}');
}

static void status_object(const struct render *r)
{
	static const char *const indicators[] = {"none", "minor", "major", "critical"};
	const struct snapshot *s = r->snapshot;
	size_t open = 0, worst = 0;

	for (size_t i = 0; i < s->service_count; i++) {
		const struct incident *incident = open_incident(s, s->services[i]);
		if (incident == NULL)
			continue;
		open++;
		for (size_t n = worst; n < 4; n++) {
			if (strcmp(indicators[n], impact_of(incident)) == 0)
				worst = n;
		}
	}
	json_open(r->out, "status", '{');
	json_string(r->out, "indicator", indicators[worst]);
	json_name(r->out, "description");
	if (open == 0)
		buf_str(r->out, "\"Nothing is down\"");
	else
		buf_fmt(r->out, "\"%zu service%s\"", open,
			open == 1 ? " has an incident" : "s have an incident");
	json_close(r->out, '}');
}

static void component(const struct render *r, const struct service_state *state, size_t position)
{
	struct buf *b = r->out;

	json_open(b, NULL, '{');
	json_string(b, "id", state->service->id);
	json_string(b, "name", state->service->name);
	json_string(b, "status", component_status(r->snapshot, state));
	bool seen = state->first_seen_at.ns != 0; /* readers expect a time in any case */
	json_time(b, "created_at", seen ? state->first_seen_at : r->snapshot->now);
	json_time(b, "updated_at", seen ? state->last_seen_at : r->snapshot->now);
	json_count(b, "position", position);
	api_service_sentence(r, "description", words_status, state);
	json_truth(b, "showcase", true);
	json_null(b, "start_date");
	json_null(b, "group_id");
	json_string(b, "page_id", "whydown");
	json_truth(b, "group", false);
	json_truth(b, "only_show_if_degraded", false);
	json_close(b, '}');
}

static void components(const struct render *r)
{
	json_open(r->out, "components", '[');
	for (size_t i = 0; i < r->snapshot->service_count; i++)
		component(r, r->snapshot->services[i], i + 1);
	json_close(r->out, ']');
}

static void incident(const struct render *r, const struct incident *i)
{
	const struct service_state *state = snapshot_service(r->snapshot, i->service);
	struct buf *b = r->out;

	json_open(b, NULL, '{');
	json_string(b, "id", i->id);
	api_incident_sentence(r, "name", words_headline, i);
	json_string(b, "status", state_of(i));
	json_time(b, "created_at", i->decided_at);
	json_time(b, "updated_at", i->changed_at);
	json_null(b, "monitoring_at");
	json_time(b, "resolved_at", i->ended_at);
	json_string(b, "impact", impact_of(i));
	json_url(b, "shortlink", r->site->base_url, "/i/", i->id);
	json_time(b, "started_at", i->began_at);
	json_string(b, "page_id", "whydown");
	json_truth(b, "reconstruction", i->reconstruction);
	json_open(b, "incident_updates", '[');
	json_open(b, NULL, '{');
	json_string(b, "id", i->id);
	json_string(b, "status", state_of(i));
	api_incident_sentence(r, "body", words_incident, i);
	json_string(b, "incident_id", i->id);
	json_time(b, "created_at", i->changed_at);
	json_time(b, "updated_at", i->changed_at);
	json_time(b, "display_at", i->changed_at);
	json_close(b, '}');
	json_close(b, ']');
	json_open(b, "components", '[');
	if (state != NULL)
		component(r, state, catalogue_index(r->snapshot->catalogue, i->service) + 1);
	json_close(b, ']');
	json_close(b, '}');
}

static void incidents(const struct render *r, bool open_only)
{
	size_t listed = 0;

	json_open(r->out, "incidents", '[');
	for (size_t i = 0; i < r->snapshot->incident_count && listed < INCIDENTS_MAX; i++) {
		const struct incident *item = &r->snapshot->incidents[i];
		if (item->state == INCIDENT_SUSPECTED ||
		    (open_only && item->state == INCIDENT_CLOSED))
			continue;
		incident(r, item);
		listed++;
	}
	json_close(r->out, ']');
}

static void begin(const struct render *r)
{
	json_open(r->out, NULL, '{');
	page_object(r);
}

static void end(const struct render *r)
{
	json_close(r->out, '}');
	buf_char(r->out, '\n');
}

void statuspage_summary(const struct render *r)
{
	begin(r);
	status_object(r);
	components(r);
	incidents(r, true);
	json_open(r->out, "scheduled_maintenances", '[');
	json_close(r->out, ']');
	end(r);
}

void statuspage_status(const struct render *r)
{
	begin(r);
	status_object(r);
	end(r);
}

void statuspage_components(const struct render *r)
{
	begin(r);
	components(r);
	end(r);
}

void statuspage_incidents(const struct render *r)
{
	begin(r);
	incidents(r, false);
	end(r);
}

void statuspage_unresolved(const struct render *r)
{
	begin(r);
	incidents(r, true);
	end(r);
}
