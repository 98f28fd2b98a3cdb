/* SPDX-License-Identifier: Apache-2.0 */
/* JSON about services: now, all, one, its series. */
#include "publish/api.h"

#include <string.h>

static void end(struct buf *b)
{
	json_close(b, '}');
	buf_char(b, '\n');
}

static void budget(struct buf *b, const struct budget_stated *stated)
{
	json_open(b, "budget", '{');
	json_count(b, "series", stated->series);
	json_number(b, "false_a_month", stated->false_a_month);
	json_number(b, "open_at", stated->open_at);
	json_close(b, '}');
}

static void counts(const struct render *r)
{
	size_t of[4] = {0};

	for (size_t i = 0; i < r->snapshot->service_count; i++)
		of[r->snapshot->services[i]->status]++;
	json_open(r->out, "counts", '{');
	json_count(r->out, "services", r->snapshot->service_count);
	for (int status = STATUS_UNKNOWN; status <= STATUS_INCIDENT; status++)
		json_count(r->out, status_name((enum status)status), of[status]);
	json_close(r->out, '}');
}

void api_now(const struct render *r)
{
	const struct snapshot *s = r->snapshot;
	struct buf *b = r->out;

	json_open(b, NULL, '{');
	json_time(b, "now", s->now);
	json_count(b, "version", s->version);
	json_time(b, "since", s->since);
	counts(r);
	budget(b, &s->budget);
	json_open(b, "incidents", '[');
	for (size_t i = 0; i < s->service_count; i++) {
		if (s->services[i]->incident < s->incident_count)
			api_incident_object(r, &s->incidents[s->services[i]->incident]);
	}
	json_close(b, ']');
	json_open(b, "unusual", '[');
	for (size_t i = 0; i < s->service_count; i++) {
		if (s->services[i]->status != STATUS_UNUSUAL)
			continue;
		json_open(b, NULL, '{');
		api_service_members(r, s->services[i]);
		json_close(b, '}');
	}
	json_close(b, ']');
	end(b);
}

void api_services(const struct render *r)
{
	json_open(r->out, NULL, '{');
	json_time(r->out, "now", r->snapshot->now);
	json_open(r->out, "services", '[');
	for (size_t i = 0; i < r->snapshot->service_count; i++) {
		json_open(r->out, NULL, '{');
		api_service_members(r, r->snapshot->services[i]);
		json_close(r->out, '}');
	}
	json_close(r->out, ']');
	end(r->out);
}

static void texts(struct buf *b, const char *name, const struct text_list *list)
{
	json_open(b, name, '[');
	for (size_t i = 0; i < list->count; i++)
		json_string(b, NULL, list->items[i]);
	json_close(b, ']');
}

static void terms(struct buf *b, const char *name, const struct term *list, size_t count)
{
	json_open(b, name, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(b, NULL, '{');
		json_string(b, "id", list[i].id);
		json_string(b, "name", list[i].name);
		json_close(b, '}');
	}
	json_close(b, ']');
}

static void shares(struct buf *b, const struct service_state *s)
{
	json_open(b, "shares", '[');
	for (size_t i = 0; i < s->share_count; i++) {
		const struct share *share = &s->shares[i];
		json_open(b, NULL, '{');
		json_string(b, "dimension", dimension_name(share->dimension));
		json_string(b, "value", share->value);
		json_number(b, "observed_24h", share->observed_24h);
		json_number(b, "observed_now", share->observed_now);
		json_number(b, "expected_now", share->expected_now);
		json_number(b, "log10_return", share->log10_return);
		json_truth(b, "significant", share->significant);
		json_close(b, '}');
	}
	json_close(b, ']');
}

static void coordinated(struct buf *b, const struct coordinated *c)
{
	if (c->service[0] == '\0') {
		json_null(b, "coordinated");
		return;
	}
	json_open(b, "coordinated", '{');
	json_time(b, "began_at", c->began_at);
	json_time(b, "last_at", c->last_at);
	json_number(b, "observed", c->observed);
	json_number(b, "expected", c->expected);
	json_count(b, "persons", c->persons);
	json_count(b, "networks", c->networks);
	json_string(b, "top_network", c->top_network[0] != '\0' ? c->top_network : NULL);
	json_number(b, "top_share", c->top_share);
	json_close(b, '}');
}

static void incidents_of(const struct render *r)
{
	enum { LISTED_MAX = 20 };
	size_t listed = 0;

	json_open(r->out, "incidents", '[');
	for (size_t i = 0; i < r->snapshot->incident_count && listed < LISTED_MAX; i++) {
		const struct incident *incident = &r->snapshot->incidents[i];
		if (strcmp(incident->service, r->service->service->id) != 0)
			continue;
		json_string(r->out, NULL, incident->id);
		listed++;
	}
	json_close(r->out, ']');
}

void api_service(const struct render *r)
{
	const struct service_state *s = r->service;
	struct buf *b = r->out;

	json_open(b, NULL, '{');
	api_service_members(r, s);
	api_service_sentence(r, "odds", words_status_odds, s);
	texts(b, "aliases", &s->service->aliases);
	terms(b, "surfaces", s->service->surfaces, s->service->surface_count);
	terms(b, "problems", s->service->problems, s->service->problem_count);
	json_open(b, "links", '[');
	for (size_t i = 0; i < s->service->link_count; i++) {
		json_open(b, NULL, '{');
		json_string(b, "name", s->service->links[i].name);
		json_string(b, "url", s->service->links[i].url);
		json_close(b, '}');
	}
	json_close(b, ']');
	texts(b, "relies_on", &s->service->relies_on);
	json_truth(b, "metric", s->metric);
	json_time(b, "first_seen_at", s->first_seen_at);
	json_time(b, "last_seen_at", s->last_seen_at);
	json_count(b, "observed_total", s->observed_total);
	json_number(b, "log10_return", s->log10_return);
	shares(b, s);
	coordinated(b, &s->coordinated);
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

	json_open(r->out, NULL, '{');
	json_string(r->out, "service", s->service->id);
	json_string(r->out, "range", range[0] != '\0' ? range : "24h");
	api_series_members(r->out, series, series->count > 0);
	end(r->out);
}
