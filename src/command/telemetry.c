/* SPDX-License-Identifier: Apache-2.0 */
#include "command/telemetry.h"

#include "base/check.h"
#include "command/clock.h"
#include "command/log.h"
#include "command/vectors_read.h"
#include "command/weblogs.h"
#include "intake/collector.h"
#include "intake/tap.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAPS_MAX = 2 * CONFIG_INTERFACES_MAX };

struct telemetry {
	struct traffic_book book;
	struct watchlist_box *box;
	struct witness_list *witnesses; /* who sends flows and packets */
	struct collector *collector; /* NULL: none wanted */
	struct tap *taps[TAPS_MAX];
	size_t tap_count;
	struct weblogs *logs;  /* NULL: none wanted */
	struct gather *gather; /* of all their lanes; NULL: no source */
	struct telemetry_calls calls;

	pthread_mutex_t lock; /* of what follows: the pilot's thread writes it */
	struct gather_counts gathered;
};

static wd_wall time_now(const struct telemetry *t)
{
	return t->calls.clock != NULL ? t->calls.clock(t->calls.ctx) : wall_now();
}

/* ---- what is watched ---- */

static enum wd_err make_watch(const struct telemetry *t, const struct config *c,
			      struct watchlist **ret_watch, struct wd_why *why)
{
	const struct config_exporters *e = &c->telemetry.exporters;
	struct sender_rule *rules = calloc(e->count + 1, sizeof(*rules));
	if (rules == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for what is watched");
	for (size_t i = 0; i < e->count; i++)
		rules[i] = (struct sender_rule){e->items[i].block, e->items[i].sampling};
	const struct watchlist_parts parts = {.catalogue = c->catalogue, .senders = rules,
					  .sender_count = e->count, .rules = &t->book.rules};
	enum wd_err err = watchlist_open(&parts, ret_watch, why);
	free(rules);
	return err;
}

void telemetry_reload(struct telemetry *t, const struct config *config)
{
	struct wd_why why = {0};
	struct watchlist *watch;
	if (make_watch(t, config, &watch, &why) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "addresses_not_taken", &why);
	else
		watchlist_box_put(t->box, watch);
	if (t->logs != NULL)
		weblogs_reload(t->logs, config);
}

static void tell_watch(const struct watchlist *w)
{
	uint32_t services;
	(void)watchlist_services(w, &services);
	if (services == 0)
		log_line(LOG_LEVEL_WARNING, "no_addresses",
			 "what=\"no service has `addresses`: traffic is nobody's\"");
	else
		log_line(LOG_LEVEL_INFO, "watching", "services=%u prefixes=%u", services,
			 watchlist_prefixes(w)->count);
}

/* ---- sources ---- */

static enum wd_err open_collector(struct telemetry *t, const struct config_telemetry *c,
				  const struct lane_options *lane, struct wd_why *why)
{
	struct udp_address addresses[CONFIG_LISTEN_MAX];
	struct collector_options o = {
		.addresses = addresses, .address_count = c->listen.count, .threads = c->threads,
		.receive_buffer_bytes = c->receive_buffer_bytes,
		.exporters_max = c->exporters_max, .lane = *lane,
	};
	char text[64];

	for (size_t i = 0; i < c->listen.count; i++)
		WD_CHECK(udp_address_read(c->listen.items[i], &addresses[i]));
	randombytes_buf(&o.key, sizeof(o.key));
	enum wd_err err = collector_open(&o, &t->collector, why);
	if (err != WD_OK) {
		log_line(LOG_LEVEL_ERROR, "cannot_collect", "address=%s",
			 why->at < c->listen.count ? c->listen.items[why->at] : "?");
		return err;
	}
	if (collector_buffer(t->collector) < c->receive_buffer_bytes)
		log_line(LOG_LEVEL_WARNING, "receive_buffer_small",
			 "wanted=%u granted=%u remedy=\"sysctl net.core.rmem_max, or "
			 "CAP_NET_ADMIN\"",
			 c->receive_buffer_bytes, collector_buffer(t->collector));
	for (size_t i = 0; i < c->listen.count; i++) {
		const char *colon = strrchr(c->listen.items[i], ':');
		snprintf(text, sizeof(text), "%.*s:%u", (int)(colon - c->listen.items[i]),
			 c->listen.items[i], collector_port(t->collector, i));
		log_line(LOG_LEVEL_INFO, "collecting", "udp=%s threads=%zu", text,
			 collector_threads(t->collector));
	}
	return WD_OK;
}

static enum wd_err open_tap(struct telemetry *t, const struct tap_options *o, struct wd_why *why)
{
	struct tap **tap = &t->taps[t->tap_count];
	enum wd_err err = tap_open(o, tap, why);
	if (err != WD_OK) {
		log_line(LOG_LEVEL_ERROR, "cannot_capture", "interface=%s%s%s", o->interface,
			 o->xdp ? " by=xdp" : "",
			 why->os_errno != EPERM ? ""
			 : o->xdp		? " remedy=CAP_NET_ADMIN,CAP_BPF,CAP_NET_RAW"
						: " remedy=CAP_NET_RAW");
		return err;
	}
	t->tap_count++;
	log_line(LOG_LEVEL_INFO, "capturing", "interface=%s threads=%zu%s", o->interface,
		 tap_threads(*tap), o->xdp ? " by=xdp" : "");
	return WD_OK;
}

static enum wd_err open_taps(struct telemetry *t, const struct config_telemetry *c,
			     const struct lane_options *lane, struct wd_why *why)
{
	struct tap_options o = {
		.threads = c->capture_threads, .ring_bytes = c->capture_ring_bytes,
		.promiscuous = c->capture_promiscuous, .lane = *lane,
	};
	enum wd_err err = WD_OK;

	for (size_t i = 0; err == WD_OK && i < c->capture.count; i++) {
		o.interface = c->capture.items[i];
		err = open_tap(t, &o, why);
	}
	o.xdp = true;
	for (size_t i = 0; err == WD_OK && i < c->capture_xdp.count; i++) {
		o.interface = c->capture_xdp.items[i];
		err = open_tap(t, &o, why);
	}
	return err;
}

static enum wd_err open_gather(struct telemetry *t, size_t services_max, struct wd_why *why)
{
	struct lane *lanes[COLLECTOR_THREADS_MAX + TAPS_MAX * TAP_THREADS_MAX];
	size_t count = 0;
	for (size_t n = 0; t->collector != NULL && n < collector_threads(t->collector); n++)
		lanes[count++] = collector_lane(t->collector, n);
	for (size_t i = 0; i < t->tap_count; i++) {
		for (size_t n = 0; n < tap_threads(t->taps[i]); n++)
			lanes[count++] = tap_lane(t->taps[i], n);
	}
	if (count == 0)
		return WD_OK;
	if (gather_open(lanes, count, services_max, &t->gather) != WD_OK)
		return wd_fail(why, WD_NOMEM, 0, "memory for ticks");
	return WD_OK;
}

/* ---- start and stop ---- */

static void make_rules(struct telemetry *t, const struct config *config)
{
	const struct config_telemetry *c = &config->telemetry;
	const struct place_files files = {.country = config->places.country_file,
					  .network = config->places.network_file};
	struct wd_why why = {0};
	struct hash_key key = {{0}};
	bool used = c->listen.count + c->capture.count + c->capture_xdp.count + c->logs.count +
			    c->syslog.count >
		    0;

	if (used)
		key = traffic_key(config->data_folder, &why);
	if (why.err != WD_OK)
		log_why(LOG_LEVEL_WARNING, "traffic_key_not_kept", &why);
	/* The table of places takes memory and a tenth of a second: only where it is used. */
	traffic_book_open(&t->book, &key, used ? &files : NULL);
}

static enum wd_err open_all(struct telemetry *t, const struct config *config,
			    struct lane_options *lane, struct wd_why *why)
{
	const struct config_telemetry *c = &config->telemetry;
	struct watchlist *watch;
	make_rules(t, config);
	enum wd_err err = make_watch(t, config, &watch, why);
	if (err != WD_OK)
		return err;
	if (c->listen.count + c->capture.count + c->capture_xdp.count > 0)
		tell_watch(watch);
	err = watchlist_box_open(watch, &t->box);
	watchlist_release(watch);
	if (err != WD_OK)
		return wd_fail(why, err, 0, "memory for what is watched");
	if (witness_list_open(&t->witnesses) != WD_OK)
		return wd_fail(why, WD_NOMEM, 0, "memory for who sends telemetry");
	lane->box = t->box;
	lane->witnesses = t->witnesses;
	if (c->listen.count > 0)
		err = open_collector(t, c, lane, why);
	if (err == WD_OK)
		err = open_taps(t, c, lane, why);
	const struct weblogs_options logs = {config, &t->book.rules.key, lane->wake, lane->clock,
					     lane->ctx};
	if (err == WD_OK)
		err = weblogs_open(&logs, &t->logs, why);
	return err != WD_OK ? err : open_gather(t, config->detection.services_watched_max, why);
}

enum wd_err telemetry_open(const struct config *config, const struct telemetry_calls *calls,
			   struct telemetry **ret_telemetry, struct wd_why *why)
{
	struct telemetry *t = calloc(1, sizeof(*t));
	struct lane_options lane = {
		.ring_bytes = config->telemetry.ticks_bytes, .wake = calls->wake,
		.clock = calls->clock, .ctx = calls->ctx};

	if (t == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for telemetry");
	t->calls = *calls;
	pthread_mutex_init(&t->lock, NULL);
	randombytes_buf(&lane.seed, sizeof(lane.seed));
	enum wd_err err = open_all(t, config, &lane, why);
	if (err != WD_OK) {
		telemetry_close(t);
		return err;
	}
	*ret_telemetry = t;
	return WD_OK;
}

enum wd_err telemetry_start(struct telemetry *t, struct wd_why *why)
{
	enum wd_err err = t->collector == NULL ? WD_OK : collector_start(t->collector, why);
	for (size_t i = 0; err == WD_OK && i < t->tap_count; i++)
		err = tap_start(t->taps[i], why);
	if (err == WD_OK && t->logs != NULL)
		err = weblogs_start(t->logs, why);
	return err;
}

void telemetry_stop(struct telemetry *t)
{
	if (t->collector != NULL)
		collector_stop(t->collector);
	for (size_t i = 0; i < t->tap_count; i++)
		tap_stop(t->taps[i]);
	if (t->logs != NULL)
		weblogs_stop(t->logs);
}

void telemetry_close(struct telemetry *t)
{
	if (t == NULL)
		return;
	telemetry_stop(t);
	gather_close(t->gather);
	weblogs_close(t->logs);
	collector_close(t->collector);
	for (size_t i = 0; i < TAPS_MAX; i++)
		tap_close(t->taps[i]);
	watchlist_box_close(t->box);
	witness_list_close(t->witnesses);
	traffic_book_close(&t->book); /* the engine that looked into it is closed before */
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- the pilot's thread ---- */

const struct traffic_book *telemetry_book(const struct telemetry *t) { return &t->book; }

const char *telemetry_witness(const struct telemetry *t, uint32_t slot)
{
	return witness_list_name(t->witnesses, slot);
}

bool telemetry_take(struct telemetry *t, const struct telemetry_handler *handler, bool last)
{
	const struct weblogs_handler logs = {handler->requests, handler->clients,
					     handler->traffic.ctx};
	bool any = t->logs != NULL && weblogs_take(t->logs, &logs);
	if (t->gather == NULL)
		return any;
	any |= gather_run(t->gather, time_now(t), &handler->traffic);
	if (last)
		gather_end(t->gather, &handler->traffic);
	pthread_mutex_lock(&t->lock);
	t->gathered = gather_count(t->gather);
	pthread_mutex_unlock(&t->lock);
	return any || last;
}

/* ---- what the operator asks ---- */

static struct exporters_address address_of(const uint8_t bytes[16], uint8_t family)
{
	struct exporters_address a = {.family = family};
	memcpy(a.bytes, bytes, sizeof(a.bytes));
	return a;
}

static void list_exporters(struct collector *c, struct exporters *e)
{
	struct export_view views[EXPORTERS_ROWS_MAX];
	e->count = collector_exporters(c, views, WD_COUNT(views));
	for (size_t i = 0; i < e->count; i++) {
		const struct export_view *v = &views[i];
		e->rows[i] = (struct exporter_row){
			.address = address_of(v->address.bytes, v->address.family),
			.version = v->version, .source_id = v->source_id,
			.templates = v->templates, .sampling = v->sampling, .seen = v->seen,
			.skew = v->skew,
#define EXPORTER_COUNT(name) .name = v->counts.name,
			EXPORTER_COUNTS(EXPORTER_COUNT)
#undef EXPORTER_COUNT
		};
	}
}

static void list_sflow(struct collector *c, struct exporters *e)
{
	struct sflow_source sources[EXPORTERS_ROWS_MAX];
	e->sflow_count = collector_sflow(c, sources, WD_COUNT(sources));
	for (size_t i = 0; i < e->sflow_count; i++) {
		const struct sflow_source *s = &sources[i];
		e->sflow[i] = (struct sflow_row){
			.sender = address_of(s->sender, s->sender_family),
			.agent = address_of(s->agent, s->agent_family),
			.sub_agent = s->sub_agent, .type = s->type, .index = s->index,
			.sampling = s->sampling, .seen = s->seen, .samples = s->samples,
			.lost = s->lost, .pool = s->pool, .drops = s->drops,
			.discards_in = s->discards_in, .discards_out = s->discards_out,
		};
	}
}

void telemetry_exporters(struct telemetry *t, struct exporters *e)
{
	struct collector_counts counts;
	struct collector_refused refused[EXPORTERS_REFUSED_MAX];
	memset(e, 0, sizeof(*e));
	e->now = time_now(t);
	if (t->collector == NULL)
		return;
	list_exporters(t->collector, e);
	list_sflow(t->collector, e);
	e->refused_count = collector_refused(t->collector, refused, WD_COUNT(refused));
	for (size_t i = 0; i < e->refused_count; i++)
		e->refused[i] = (struct refused_row){
			address_of(refused[i].address.bytes, refused[i].address.family),
			refused[i].datagrams, refused[i].seen};
	collector_count(t->collector, &counts);
	e->receive_buffer_bytes = collector_buffer(t->collector);
	e->kernel_drops = counts.dropped;
	e->refused_datagrams = counts.refused;
}

/* ---- what Prometheus asks ---- */

static void collector_metrics(struct telemetry *t, struct metrics *m)
{
	struct collector_counts c;

	collector_count(t->collector, &c);
	const struct export_counts *e = &c.exports.counts;
	m->value[METRIC_EXPORTS_DATAGRAMS] = (double)c.datagrams;
	m->value[METRIC_EXPORTS_BYTES] = (double)c.bytes;
	m->value[METRIC_EXPORTS_REFUSED] = (double)c.refused;
	m->value[METRIC_EXPORTS_KERNEL_DROPS] = (double)c.dropped;
	m->value[METRIC_EXPORTS_FLOWS] = (double)c.flows;
	m->value[METRIC_EXPORTS_UNKNOWN] = (double)c.unknown;
	m->value[METRIC_EXPORTS_BROKEN] = (double)(c.broken + e->malformed + c.sflow.malformed);
	m->value[METRIC_EXPORTS_CUT] = (double)c.cut;
	m->value[METRIC_EXPORTS_NO_ROOM] = (double)c.no_room;
	m->value[METRIC_EXPORTS_NOT_FLOWS] = (double)e->records_not_flows;
	m->value[METRIC_EXPORTS_SAMPLING_UNKNOWN] = (double)e->sampling_unknown;
	m->value[METRIC_EXPORTS_LOST] = (double)e->lost;
	m->value[METRIC_EXPORTS_HELD] = (double)e->held;
	m->value[METRIC_EXPORTS_HELD_DROPPED] = (double)e->held_dropped;
	m->value[METRIC_EXPORTS_TEMPLATES] = (double)c.exports.templates;
	m->value[METRIC_EXPORTS_TEMPLATES_REFUSED] =
		(double)(e->templates_refused + e->templates_evicted);
	m->value[METRIC_EXPORTS_EXPORTERS] = (double)c.exports.exporters;
	m->value[METRIC_SFLOW_SAMPLES] = (double)c.sflow.flow_samples;
	m->value[METRIC_SFLOW_LOST] = (double)c.sflow.lost_samples;
	m->value[METRIC_SFLOW_UNUSABLE] =
		(double)(c.sflow.not_ip + c.sflow.headers_bad + c.sflow.no_packet);
	m->value[METRIC_EXPORTS_BUFFER] = collector_buffer(t->collector);
	m->value[METRIC_EXPORTS_LATE] = (double)e->late;
	m->value[METRIC_EXPORTS_RESTARTS] = (double)e->restarts;
	m->value[METRIC_SFLOW_LOST_DATAGRAMS] = (double)c.sflow.lost_datagrams;
	m->value[METRIC_SFLOW_AGENT_DROPS] = (double)c.sflow.agent_drops;
	m->value[METRIC_SFLOW_NOTICES] = (double)c.sflow.drop_notices;
	m->value[METRIC_SFLOW_NOTICES_SAMPLED] = (double)c.sflow.drops_sampled;
	m->value[METRIC_EXPORTS_SKEW] = (double)c.skew_ns_max / 1e9;
}

static void tap_metrics(struct telemetry *t, struct metrics *m)
{
	struct tap_counts sum = {0};
	for (size_t i = 0; i < t->tap_count; i++)
		tap_count(t->taps[i], &sum);
	m->value[METRIC_CAPTURE_PACKETS] = (double)sum.packets;
	m->value[METRIC_CAPTURE_BYTES] = (double)sum.bytes;
	m->value[METRIC_CAPTURE_DROPS] = (double)sum.dropped;
	m->value[METRIC_CAPTURE_DOWN] = (double)sum.down;
	m->value[METRIC_CAPTURE_NOT_IP] = (double)sum.other;
	m->value[METRIC_CAPTURE_BROKEN] = (double)sum.broken;
}

static void log_metrics(struct telemetry *t, struct metrics *m)
{
	struct weblogs_counts c;
	weblogs_count(t->logs, &c);
	m->value[METRIC_LOGS_LINES] = (double)c.lines;
	m->value[METRIC_LOGS_BYTES] = (double)c.bytes;
	m->value[METRIC_LOGS_REQUESTS] = (double)c.requests;
	m->value[METRIC_LOGS_NOBODYS] = (double)c.nobodys;
	m->value[METRIC_LOGS_MALFORMED] = (double)c.malformed;
	m->value[METRIC_LOGS_OTHERS] = (double)c.others;
	m->value[METRIC_LOGS_LATE] = (double)c.late;
	m->value[METRIC_LOGS_CUT] = (double)c.cut;
	m->value[METRIC_LOGS_NO_ROOM] = (double)c.no_room;
	m->value[METRIC_LOGS_TICKS_DROPPED] = (double)c.ticks_dropped;
	m->value[METRIC_SYSLOG_REFUSED] = (double)c.refused;
}

void telemetry_metrics(struct telemetry *t, struct metrics *m)
{
	if (t->logs != NULL)
		log_metrics(t, m);
	if (t->collector != NULL)
		collector_metrics(t, m);
	if (t->tap_count > 0)
		tap_metrics(t, m);
	if (t->gather == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	struct gather_counts g = t->gathered;
	pthread_mutex_unlock(&t->lock);
	m->value[METRIC_TRAFFIC_RECORDS] = (double)g.shards.records;
	m->value[METRIC_TRAFFIC_ELSEWHERE] = (double)g.shards.elsewhere;
	m->value[METRIC_TRAFFIC_TWICE] = (double)g.shards.duplicates;
	m->value[METRIC_TRAFFIC_TICKS] = (double)g.ticks;
	m->value[METRIC_TRAFFIC_TICKS_HELD] = (double)g.shards.held;
	m->value[METRIC_TRAFFIC_TICKS_LATE] = (double)g.late;
	m->value[METRIC_TRAFFIC_TICKS_DROPPED] = (double)g.no_room;
}
