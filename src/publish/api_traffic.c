/* SPDX-License-Identifier: Apache-2.0 */
/* JSON about what a service receives: its rates now, and the last minutes or the day of them. */
#include "publish/api.h"

#include <string.h>

static void rate(struct buf *b, const char *name, wd_wall at, float rate)
{
	if (at.ns == 0)
		wd_json_null(b, name);
	else
		wd_json_number(b, name, (double)rate);
}

static void part(struct buf *b, const char *name, const struct part *p)
{
	if (p->id[0] == '\0') {
		wd_json_null(b, name);
		return;
	}
	wd_json_open(b, name, '{');
	wd_json_string(b, "id", p->id);
	wd_json_number(b, "share", (double)p->share);
	wd_json_close(b, '}');
}

void api_traffic_member(struct buf *b, const struct traffic_state *t)
{
	if (t == NULL) {
		wd_json_null(b, "traffic");
		return;
	}
	wd_json_open(b, "traffic", '{');
	wd_json_time(b, "flows_at", t->flows_at);
	wd_json_time(b, "silent_since", t->silent_since);
	wd_json_truth(b, "silent_partly", t->silent_partly);
	rate(b, "packets_per_s", t->flows_at, t->packets_per_s);
	rate(b, "usual_packets_per_s", t->flows_at, t->usual_packets_per_s);
	rate(b, "bits_per_s", t->flows_at, t->bits_per_s);
	rate(b, "usual_bits_per_s", t->flows_at, t->usual_bits_per_s);
	rate(b, "records_per_s", t->flows_at, t->records_per_s);
	rate(b, "sources", t->flows_at, t->sources);
	part(b, "top", &t->top);
	wd_json_number(b, "log10_return", (double)t->log10_return);
	wd_json_truth(b, "cold", t->cold);
	wd_json_time(b, "requests_at", t->requests_at);
	wd_json_time(b, "requests_silent_since", t->requests_silent_since);
	rate(b, "requests_per_s", t->requests_at, t->requests_per_s);
	rate(b, "usual_requests_per_s", t->requests_at, t->usual_requests_per_s);
	rate(b, "clients", t->requests_at, t->clients);
	part(b, "finding", &t->finding);
	wd_json_number(b, "requests_log10_return", (double)t->requests_log10_return);
	wd_json_number(b, "learned_s", (double)t->learned.ns / 1e9);
	wd_json_truth(b, "requests_cold", t->requests_cold);
	wd_json_number(b, "requests_learned_s", (double)t->requests_learned.ns / 1e9);
	wd_json_close(b, '}');
}

/* By column: a point a second for minutes is long otherwise. */
static void column(struct buf *b, const char *name, const struct series *s, bool usual)
{
	wd_json_open(b, name, '[');
	for (size_t i = 0; i < s->count; i++) {
		if (s->points[i].observed < 0)
			wd_json_null(b, NULL);
		else
			wd_json_number(b, NULL, (double)(usual ? s->points[i].expected
							    : s->points[i].observed));
	}
	wd_json_close(b, ']');
}

static void series(struct buf *b, const char *name, const struct series *s)
{
	if (s == NULL || s->count == 0) {
		wd_json_null(b, name);
		return;
	}
	wd_json_open(b, name, '{');
	wd_json_time(b, "begin", s->begin);
	wd_json_number(b, "step_s", (double)s->step.ns / 1e9);
	column(b, "observed", s, false);
	column(b, "usual", s, true);
	wd_json_close(b, '}');
}

void api_traffic(const struct render *r)
{
	const struct traffic_state *t = r->service->traffic;
	bool day = strcmp(query_value(r, "range"), "24h") == 0;
	struct buf *b = r->out;

	wd_json_open(b, NULL, '{');
	wd_json_time(b, "now", r->snapshot->now);
	wd_json_string(b, "service", r->service->service->id);
	wd_json_string(b, "range", day ? "24h" : "6m");
	api_traffic_member(b, t);
	series(b, "packets_per_s", t == NULL ? NULL : day ? &t->day_packets : &t->recent_packets);
	series(b, "bits_per_s", t == NULL ? NULL : day ? &t->day_bits : &t->recent_bits);
	series(b, "requests_per_s",
	       t == NULL ? NULL : day ? &t->day_requests : &t->recent_requests);
	wd_json_close(b, '}');
	buf_char(b, '\n');
}
