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
	wd_json_open(r->out, "page", '{');
	wd_json_string(r->out, "id", "whydown");
	wd_json_string(r->out, "name", r->site->name);
	wd_json_url(r->out, "url", r->site->base_url, "/", "");
	wd_json_string(r->out, "time_zone", "Etc/UTC");
	wd_json_time(r->out, "updated_at", r->snapshot->now);
	wd_json_close(r->out, '}');
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
	wd_json_open(r->out, "status", '{');
	wd_json_string(r->out, "indicator", indicators[worst]);
	wd_json_name(r->out, "description");
	if (open == 0)
		buf_str(r->out, "\"No incident now\"");
	else
		buf_fmt(r->out, "\"%zu service%s\"", open,
			open == 1 ? " has an incident" : "s have an incident");
	wd_json_close(r->out, '}');
}

static void component(const struct render *r, const struct service_state *state, size_t position)
{
	struct buf *b = r->out;

	wd_json_open(b, NULL, '{');
	wd_json_string(b, "id", state->service->id);
	wd_json_string(b, "name", state->service->name);
	wd_json_string(b, "status", component_status(r->snapshot, state));
	/* Readers expect a time in any case, and one that stays. */
	bool seen = state->first_seen_at.ns != 0;
	wd_wall since = r->snapshot->since.ns != 0 ? r->snapshot->since : r->snapshot->now;
	wd_json_time(b, "created_at", seen ? state->first_seen_at : since);
	wd_json_time(b, "updated_at", seen ? state->last_seen_at : since);
	wd_json_count(b, "position", position);
	api_service_sentence(r, "description", words_status, state);
	wd_json_truth(b, "showcase", true);
	wd_json_null(b, "start_date");
	wd_json_null(b, "group_id");
	wd_json_string(b, "page_id", "whydown");
	wd_json_truth(b, "group", false);
	wd_json_truth(b, "only_show_if_degraded", false);
	wd_json_close(b, '}');
}

static void components(const struct render *r)
{
	wd_json_open(r->out, "components", '[');
	for (size_t i = 0; i < r->snapshot->service_count; i++)
		component(r, r->snapshot->services[i], i + 1);
	wd_json_close(r->out, ']');
}

static void incident(const struct render *r, const struct incident *i)
{
	const struct service_state *state = snapshot_service(r->snapshot, i->service);
	struct buf *b = r->out;

	wd_json_open(b, NULL, '{');
	wd_json_string(b, "id", i->id);
	api_incident_sentence(r, "name", words_headline, i);
	wd_json_string(b, "status", state_of(i));
	wd_json_time(b, "created_at", i->decided_at);
	wd_json_time(b, "updated_at", i->changed_at);
	if (i->state == INCIDENT_RECOVERING)
		wd_json_time(b, "monitoring_at", i->changed_at);
	else
		wd_json_null(b, "monitoring_at");
	if (i->state == INCIDENT_CLOSED)
		wd_json_time(b, "resolved_at", i->ended_at);
	else
		wd_json_null(b, "resolved_at");
	wd_json_string(b, "impact", impact_of(i));
	wd_json_url(b, "shortlink", r->site->base_url, "/i/", i->id);
	wd_json_time(b, "started_at", i->began_at);
	wd_json_string(b, "page_id", "whydown");
	wd_json_truth(b, "reconstruction", i->reconstruction);
	wd_json_open(b, "incident_updates", '[');
	wd_json_open(b, NULL, '{');
	wd_json_string(b, "id", i->id);
	wd_json_string(b, "status", state_of(i));
	api_incident_sentence(r, "body", words_incident, i);
	wd_json_string(b, "incident_id", i->id);
	wd_json_time(b, "created_at", i->changed_at);
	wd_json_time(b, "updated_at", i->changed_at);
	wd_json_time(b, "display_at", i->changed_at);
	wd_json_close(b, '}');
	wd_json_close(b, ']');
	wd_json_open(b, "components", '[');
	if (state != NULL)
		component(r, state, catalogue_index(r->snapshot->catalogue, i->service) + 1);
	wd_json_close(b, ']');
	wd_json_close(b, '}');
}

static void incidents(const struct render *r, bool open_only)
{
	size_t listed = 0;

	wd_json_open(r->out, "incidents", '[');
	for (size_t i = 0; i < r->snapshot->incident_count && listed < INCIDENTS_MAX; i++) {
		const struct incident *item = &r->snapshot->incidents[i];
		if (item->state == INCIDENT_SUSPECTED ||
		    (open_only && item->state == INCIDENT_CLOSED))
			continue;
		incident(r, item);
		listed++;
	}
	wd_json_close(r->out, ']');
}

static void begin(const struct render *r)
{
	wd_json_open(r->out, NULL, '{');
	page_object(r);
}

static void end(const struct render *r)
{
	wd_json_close(r->out, '}');
	buf_char(r->out, '\n');
}

void statuspage_summary(const struct render *r)
{
	begin(r);
	status_object(r);
	components(r);
	incidents(r, true);
	wd_json_open(r->out, "scheduled_maintenances", '[');
	wd_json_close(r->out, ']');
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
