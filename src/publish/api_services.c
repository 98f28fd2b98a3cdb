/* SPDX-License-Identifier: Apache-2.0 */
/* JSON about services: now, all, one, its series. */
#include "publish/api.h"
#include "publish/client_notes.h"

#include <string.h>

static void end(struct buf *b)
{
	wd_json_close(b, '}');
	buf_char(b, '\n');
}

static void budget(struct buf *b, const struct budget_stated *stated)
{
	wd_json_open(b, "budget", '{');
	wd_json_count(b, "series", stated->series);
	wd_json_number(b, "false_a_month", stated->false_a_month);
	wd_json_number(b, "open_at", stated->open_at);
	wd_json_close(b, '}');
}

static void counts(const struct render *r)
{
	size_t of[4] = {0};

	for (size_t i = 0; i < r->snapshot->service_count; i++)
		of[r->snapshot->services[i]->status]++;
	wd_json_open(r->out, "counts", '{');
	wd_json_count(r->out, "services", r->snapshot->service_count);
	for (int status = STATUS_UNKNOWN; status <= STATUS_INCIDENT; status++)
		wd_json_count(r->out, status_name((enum status)status), of[status]);
	wd_json_close(r->out, '}');
}

void api_now(const struct render *r)
{
	const struct snapshot *s = r->snapshot;
	struct buf *b = r->out;

	wd_json_open(b, NULL, '{');
	wd_json_time(b, "now", s->now);
	wd_json_count(b, "version", s->version);
	wd_json_time(b, "since", s->since);
	counts(r);
	budget(b, &s->budget);
	wd_json_open(b, "incidents", '[');
	for (size_t i = 0; i < s->service_count; i++) {
		if (s->services[i]->incident < s->incident_count)
			api_incident_object(r, &s->incidents[s->services[i]->incident]);
	}
	wd_json_close(b, ']');
	wd_json_open(b, "unusual", '[');
	for (size_t i = 0; i < s->service_count; i++) {
		if (s->services[i]->status != STATUS_UNUSUAL)
			continue;
		wd_json_open(b, NULL, '{');
		api_service_members(r, s->services[i]);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
	end(b);
}

void api_services(const struct render *r)
{
	wd_json_open(r->out, NULL, '{');
	wd_json_time(r->out, "now", r->snapshot->now);
	wd_json_open(r->out, "services", '[');
	for (size_t i = 0; i < r->snapshot->service_count; i++) {
		wd_json_open(r->out, NULL, '{');
		api_service_members(r, r->snapshot->services[i]);
		wd_json_close(r->out, '}');
	}
	wd_json_close(r->out, ']');
	end(r->out);
}

static void texts(struct buf *b, const char *name, const struct text_list *list)
{
	wd_json_open(b, name, '[');
	for (size_t i = 0; i < list->count; i++)
		wd_json_string(b, NULL, list->items[i]);
	wd_json_close(b, ']');
}

static void terms(struct buf *b, const char *name, const struct term *list, size_t count)
{
	wd_json_open(b, name, '[');
	for (size_t i = 0; i < count; i++) {
		wd_json_open(b, NULL, '{');
		wd_json_string(b, "id", list[i].id);
		wd_json_string(b, "name", list[i].name);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
}

static void shares(struct buf *b, const struct service_state *s)
{
	wd_json_open(b, "shares", '[');
	for (size_t i = 0; i < s->share_count; i++) {
		const struct share *share = &s->shares[i];
		wd_json_open(b, NULL, '{');
		wd_json_string(b, "dimension", dimension_name(share->dimension));
		wd_json_string(b, "value", share->value);
		wd_json_number(b, "observed_24h", share->observed_24h);
		wd_json_number(b, "observed_now", share->observed_now);
		wd_json_number(b, "expected_now", share->expected_now);
		wd_json_number(b, "log10_return", share->log10_return);
		wd_json_truth(b, "significant", share->significant);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
}

static void coordinated(struct buf *b, const struct coordinated *c)
{
	if (c->service[0] == '\0') {
		wd_json_null(b, "coordinated");
		return;
	}
	wd_json_open(b, "coordinated", '{');
	wd_json_time(b, "began_at", c->began_at);
	wd_json_time(b, "last_at", c->last_at);
	wd_json_number(b, "observed", c->observed);
	wd_json_number(b, "expected", c->expected);
	wd_json_count(b, "persons", c->persons);
	wd_json_count(b, "networks", c->networks);
	wd_json_string(b, "top_network", c->top_network[0] != '\0' ? c->top_network : NULL);
	wd_json_number(b, "top_share", c->top_share);
	wd_json_close(b, '}');
}

static void incidents_of(const struct render *r)
{
	enum { LISTED_MAX = 20 };
	size_t listed = 0;

	wd_json_open(r->out, "incidents", '[');
	for (size_t i = 0; i < r->snapshot->incident_count && listed < LISTED_MAX; i++) {
		const struct incident *incident = &r->snapshot->incidents[i];
		if (strcmp(incident->service, r->service->service->id) != 0)
			continue;
		wd_json_string(r->out, NULL, incident->id);
		listed++;
	}
	wd_json_close(r->out, ']');
}

void api_service(const struct render *r)
{
	const struct service_state *s = r->service;
	struct buf *b = r->out;

	wd_json_open(b, NULL, '{');
	api_service_members(r, s);
	api_service_sentence(r, "odds", words_status_odds, s);
	texts(b, "aliases", &s->service->aliases);
	terms(b, "surfaces", s->service->surfaces, s->service->surface_count);
	terms(b, "problems", s->service->problems, s->service->problem_count);
	wd_json_open(b, "links", '[');
	for (size_t i = 0; i < s->service->link_count; i++) {
		wd_json_open(b, NULL, '{');
		wd_json_string(b, "name", s->service->links[i].name);
		wd_json_string(b, "url", s->service->links[i].url);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
	texts(b, "relies_on", &s->service->relies_on);
	wd_json_truth(b, "metric", s->metric);
	wd_json_time(b, "first_seen_at", s->first_seen_at);
	wd_json_time(b, "last_seen_at", s->last_seen_at);
	wd_json_count(b, "observed_total", s->observed_total);
	wd_json_number(b, "log10_return", s->log10_return);
	shares(b, s);
	coordinated(b, &s->coordinated);
	api_clients_members(r);
	incidents_of(r);
	end(b);
}

void api_series(const struct render *r)
{
	const char *range = query_value(r, "range");
	const struct service_state *s = r->service;
	const struct series *series = strcmp(range, "7d") == 0    ? &s->week
				      : strcmp(range, "90d") == 0 ? &s->quarter
								  : &s->day;

	wd_json_open(r->out, NULL, '{');
	wd_json_string(r->out, "service", s->service->id);
	wd_json_string(r->out, "range", range[0] != '\0' ? range : "24h");
	api_series_members(r->out, series, series->count > 0);
	end(r->out);
}
