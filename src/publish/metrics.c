/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/metrics.h"

#include "base/check.h"
#include "publish/render.h"
#include "publish/words.h"

#include <math.h>

struct declared {
	const char *name, *type, *unit, *meaning;
};

static const struct declared metrics[METRIC_COUNT] = {
#define METRIC(id, name, type, unit, meaning) {name, #type, unit, meaning},
#include "publish/metrics.def"
#undef METRIC
};

/* Prometheus wants a counter's name to end in _total. */
#define SUFFIX_counter "_total"
#define SUFFIX_gauge   ""

static const struct declared http_metrics[] = {
#define HTTP_METRIC(name, type, meaning) {"whydown_http_" #name SUFFIX_##type, #type, "", meaning},
	HTTP_COUNTERS(HTTP_METRIC)
#undef HTTP_METRIC
};

/* Three gauges a service: they carry its id as a label. */
static const struct declared of_service[] = {
	{"whydown_service_status", "gauge", "", "0 learning, 1 usual, 2 unusual, 3 incident."},
	{"whydown_service_reports", "gauge", "reports",
	 "Reports in the last whole bucket of the day's series."},
	{"whydown_service_reports_usual", "gauge", "reports", "What is usual there and then."},
};

/* Of exporters, for the operator. */
static const struct declared of_exporter[] = {
	{"whydown_exporter_flows_total", "counter", "records", "Flow records of this exporter."},
	{"whydown_exporter_lost_total", "counter", "",
	 "Lost by its sequence numbers: datagrams of NetFlow 9, records of others."},
	{"whydown_exporter_sampling", "gauge", "packets",
	 "One packet in so many was looked at, as it says."},
	{"whydown_exporter_clock_skew_seconds", "gauge", "seconds", "Its clock less ours."},
};

/* Of those and of interfaces. */
static const struct declared of_sender[] = {
	{"whydown_sender_heard_timestamp_seconds", "gauge", "seconds since 1970",
	 "Its last word, of whatever."},
	{"whydown_sender_silent", "gauge", "",
	 "1: it is silent for longer than it was of late; what it told of is not known."},
};

void metrics_init(struct metrics *m)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
		m->value[i] = NAN;
	m->http = NULL;
	m->exporters = NULL;
}

static void from_snapshot(struct metrics *m, const struct snapshot *s)
{
	const struct engine_counters *c = &s->counters;
	size_t unusual = 0, incident = 0;

	for (size_t i = 0; i < s->service_count; i++) {
		unusual += s->services[i]->status == STATUS_UNUSUAL;
		incident += s->services[i]->status == STATUS_INCIDENT;
	}
	m->value[METRIC_OBSERVATIONS] = (double)c->observations;
	m->value[METRIC_REPORTS] = (double)c->reports;
	m->value[METRIC_COUNTS] = (double)c->counts;
	m->value[METRIC_METRICS] = (double)c->metrics;
	m->value[METRIC_DUPLICATES] = (double)c->duplicates;
	m->value[METRIC_LATE] = (double)c->late;
	m->value[METRIC_EARLY] = (double)c->early;
	m->value[METRIC_UNKNOWN_SERVICE] = (double)c->unknown_service;
	m->value[METRIC_DIMENSIONS_DROPPED] = (double)c->dimensions_dropped;
	m->value[METRIC_PERSONS_UNTRACKED] = (double)c->persons_untracked;
	m->value[METRIC_SAMPLES] = (double)c->samples;
	m->value[METRIC_INCIDENTS_OPENED] = (double)c->incidents_opened;
	m->value[METRIC_UNTRACED] = (double)c->untraced;
	m->value[METRIC_COORDINATED] = (double)c->coordinated;
	m->value[METRIC_SIGNALS] = (double)c->signals;
	m->value[METRIC_SERVICES] = (double)s->service_count;
	m->value[METRIC_SERVICES_UNUSUAL] = (double)unusual;
	m->value[METRIC_SERVICES_INCIDENT] = (double)incident;
	m->value[METRIC_INCIDENTS] = (double)s->incident_count;
	size_t silent = 0;
	for (size_t i = 0; i < s->witness_count; i++)
		silent += s->witnesses[i].silent;
	if (s->witness_count > 0) {
		m->value[METRIC_SENDERS] = (double)s->witness_count;
		m->value[METRIC_SENDERS_SILENT] = (double)silent;
	}
	m->value[METRIC_SNAPSHOT_TIME] = (double)s->now.ns / 1e9;
}

static void head(struct buf *b, const struct declared *d)
{
	buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", d->name, d->meaning, d->name, d->type);
}

static void put(struct buf *b, const struct declared *d, double value)
{
	if (isnan(value))
		return;
	head(b, d);
	buf_fmt(b, "%s %.17g\n", d->name, value);
}

static void put_services(struct buf *b, const struct snapshot *s)
{
	for (size_t d = 0; d < sizeof(of_service) / sizeof(of_service[0]); d++) {
		head(b, &of_service[d]);
		for (size_t i = 0; i < s->service_count; i++) {
			const struct service_state *state = s->services[i];
			struct now now = service_now(state);
			const double value[] = {state->status, now.observed, now.expected};
			/* An id (text_is_id) has no character that a label must escape. */
			if (d == 0 || now.seen)
				buf_fmt(b, "%s{service=\"%s\"} %.9g\n", of_service[d].name,
					state->service->id, value[d]);
		}
	}
}

static void put_exporters(struct buf *b, const struct exporters *all)
{
	for (size_t d = 0; all->count > 0 && d < WD_COUNT(of_exporter); d++) {
		head(b, &of_exporter[d]);
		for (size_t i = 0; i < all->count; i++) {
			const struct exporter_row *e = &all->rows[i];
			const double value[] = {(double)e->flows, (double)e->lost, e->sampling,
						(double)e->skew.ns / 1e9};
			char address[46];
			exporters_address_text(&e->address, address);
			buf_fmt(b, "%s{exporter=\"%s\",id=\"%u\",version=\"%u\"} %.9g\n",
				of_exporter[d].name, address, e->source_id, e->version, value[d]);
		}
	}
}

static void put_senders(struct buf *b, const struct snapshot *s)
{
	for (size_t d = 0; s->witness_count > 0 && d < WD_COUNT(of_sender); d++) {
		head(b, &of_sender[d]);
		for (size_t i = 0; i < s->witness_count; i++) {
			const struct witness_state *w = &s->witnesses[i];
			const double value[] = {(double)w->heard.ns / 1e9, w->silent};
			buf_fmt(b, "%s{sender=\"%s\"} %.13g\n", of_sender[d].name, w->name,
				value[d]);
		}
	}
}

void metrics_write(struct buf *b, const struct metrics *m, const struct snapshot *snapshot)
{
	struct metrics all;

	if (m != NULL)
		all = *m;
	else
		metrics_init(&all);
	from_snapshot(&all, snapshot);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		put(b, &metrics[i], all.value[i]);
	if (all.http != NULL) {
		size_t i = 0;
#define HTTP_METRIC(name, type, meaning) put(b, &http_metrics[i++], (double)all.http->name);
		HTTP_COUNTERS(HTTP_METRIC)
#undef HTTP_METRIC
	}
	if (all.exporters != NULL) {
		put_exporters(b, all.exporters);
		put_senders(b, snapshot);
	}
	put_services(b, snapshot);
}

void metrics_text(const struct render *r)
{
	metrics_write(r->out, r->request->metrics, r->snapshot);
}

static void rows(struct buf *b, const struct declared *d, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_fmt(b, "| `%s` | %s | %s | %s |\n", d[i].name, d[i].type, d[i].unit,
			d[i].meaning);
}

void metrics_document(struct buf *b)
{
	buf_str(b, "# Metrics\n\n`GET /metrics`, Prometheus text format 0.0.4. A value that is not "
		   "known is "
		   "left out.\nMade from `src/publish/metrics.def`; a test says when this file is "
		   "old.\n\n"
		   "| name | type | unit | meaning |\n|---|---|---|---|\n");
	rows(b, metrics, METRIC_COUNT);
	buf_str(b, "\n## The HTTP server\n\n| name | type | unit | meaning |\n|---|---|---|---|\n");
	rows(b, http_metrics, sizeof(http_metrics) / sizeof(http_metrics[0]));
	buf_str(b, "\n## Per service\n\nWith the label `service`, its id.\n\n"
		   "| name | type | unit | meaning |\n|---|---|---|---|\n");
	rows(b, of_service, sizeof(of_service) / sizeof(of_service[0]));
	buf_str(b, "\n## Per exporter of flows\n\nOnly to who sends the operator's token "
		   "(`admin_token`), because the labels are addresses: `exporter`, `id`, its "
		   "source id or observation domain, and `version`. At most 256.\n\n"
		   "| name | type | unit | meaning |\n|---|---|---|---|\n");
	rows(b, of_exporter, WD_COUNT(of_exporter));
	buf_str(b, "\n## Per sender of flows or packets\n\nTo the operator, too. The label "
		   "`sender` is an exporter's address or an interface; "
		   "[telemetry.md](telemetry.md) says when one is called silent. At most 64.\n\n"
		   "| name | type | unit | meaning |\n|---|---|---|---|\n");
	rows(b, of_sender, WD_COUNT(of_sender));
}
