/* SPDX-License-Identifier: Apache-2.0 */
/* serve_http: a request to a page, a stream, or the intake. */
#include "base/check.h"
#include "command/clock.h"
#include "command/server.h"
#include "publish/client_notes.h"
#include "publish/exporters.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool is_ready(const struct server *s)
{
	return __atomic_load_n(&s->ready, __ATOMIC_ACQUIRE);
}

/* The header Allow of what is there: the same in a 405 and in the answer to OPTIONS. */
static const char *allowed_at(const char *path)
{
	if (intake_is_at(path))
		return "POST, OPTIONS";
	if (strcmp(path, "/api/v1/events") == 0)
		return "GET, OPTIONS"; /* a stream has no end for HEAD to tell of */
	return desk_is_at(path) ? desk_allows(path) : "GET, HEAD, OPTIONS";
}

/* What is answered here is no page of the site. */
static bool is_there(struct server *s, const char *path)
{
	static const char *const OURS[] = {
		"/api/v1/events", "/api/v1/exporters", "/api/v1/clients"};

	for (size_t i = 0; i < WD_COUNT(OURS); i++)
		if (strcmp(path, OURS[i]) == 0)
			return true;
	struct snapshot *snapshot = pilot_snapshot(s->pilot);
	bool there = intake_is_at(path) || site_has(snapshot, path);
	snapshot_release(snapshot);
	return there;
}

static struct http_response *begin(void *app, const struct http_request *req, size_t *body_max)
{
	struct server *s = app;
	if (!is_ready(s))
		return http_response_problem(503, "The server is starting.");
	if (intake_takes(req))
		return intake_begin(s, req, body_max);
	if (desk_takes(req))
		return desk_begin(s, req, body_max);
	if (req->method == HTTP_OPTIONS || (req->method == HTTP_GET && !intake_is_at(req->path)))
		return NULL;
	if (!is_there(s, req->path))
		return http_response_problem(404, "There is nothing at this address.");
	return http_response_not_allowed(allowed_at(req->path));
}

static const char *query(const void *ctx, const char *name)
{
	return http_request_query(ctx, name);
}

static struct site_health health_of(struct server *s)
{
	struct journal_counters j = journal_count(s->journal);
	wd_mono now = mono_now();
	return (struct site_health){
		.journal_writes = j.err == WD_OK,
		.journal_error = j.err == WD_OK || j.what == NULL ? "" : j.what,
		.snapshot_age = pilot_snapshot_age(s->pilot),
		.uptime = mono_sub(now, s->started),
	};
}

struct http_response *server_answer(const struct http_response_options *o)
{
	struct http_response *r = NULL;
	return http_response_make(o, &r, NULL) == WD_OK ? r : NULL;
}

static struct http_response *exporters(struct server *s, const struct http_request *req)
{
	struct http_response *refusal = server_refuse_stranger(s, req);
	struct buf b;
	if (refusal != NULL)
		return refusal;
	struct exporters *list = malloc(sizeof(*list));
	if (list == NULL)
		return NULL;
	telemetry_exporters(s->telemetry, list);
	struct snapshot *snapshot = pilot_snapshot(s->pilot);
	list->sender_count = snapshot->witness_count;
	memcpy(list->senders, snapshot->witnesses, sizeof(list->senders));
	snapshot_release(snapshot);
	buf_init(&b, 1 << 20);
	exporters_json(&b, list);
	free(list);
	struct http_response *r = server_operators_json(&b);
	buf_done(&b);
	return r;
}

/* What holds addresses of clients: made anew for each request, kept nowhere. */
static struct http_response *clients(struct server *s, const struct http_request *req)
{
	struct http_response *refusal = server_refuse_stranger(s, req);
	struct buf b;
	if (refusal != NULL)
		return refusal;
	struct snapshot *snapshot = pilot_snapshot(s->pilot);
	buf_init(&b, 4 << 20);
	client_notes_json(&b, snapshot);
	snapshot_release(snapshot);
	struct http_response *r = server_operators_json(&b);
	buf_done(&b);
	return r;
}

static struct http_response *rendered(struct server *s, const struct site_request *request)
{
	struct snapshot *snapshot = pilot_snapshot(s->pilot);
	struct http_response *r = page_cache_answer(s->cache, &s->site, snapshot, request);
	snapshot_release(snapshot);
	return r;
}

static struct http_response *metrics(struct server *s, const struct http_request *req)
{
	struct site_request request = {.path = req->path, .query = query, .ctx = req};
	struct metrics metrics;
	bool operator = false;

	struct http_response *refusal = server_refuse_guesser(s, req, &operator);
	if (refusal != NULL)
		return refusal;
	server_metrics(s, &metrics);
	struct http_counters http = http_counters_read(s->http);
	metrics.http = &http;
	struct exporters *list = operator ? malloc(sizeof(*list)) : NULL;
	if (list != NULL)
		telemetry_exporters(s->telemetry, list);
	metrics.exporters = list;
	request.metrics = &metrics;
	struct http_response *r = rendered(s, &request);
	free(list);
	return r;
}

static struct http_response *page(struct server *s, const struct http_request *req)
{
	struct site_request request = {.path = req->path, .query = query, .ctx = req};
	struct site_health health;

	if (strcmp(req->path, "/healthz") == 0) {
		health = health_of(s);
		request.health = &health;
	}
	return rendered(s, &request);
}

static struct http_response *handle(void *app, struct http_request *req)
{
	struct server *s = app;
	if (req->method == HTTP_OPTIONS)
		return http_response_allowed(allowed_at(req->path));
	if (intake_takes(req))
		return intake_handle(s, req);
	if (desk_takes(req))
		return desk_handle(s, req);
	if (strcmp(req->path, "/api/v1/events") == 0)
		return http_stream(req);
	if (strcmp(req->path, "/api/v1/exporters") == 0)
		return exporters(s, req);
	if (strcmp(req->path, "/api/v1/clients") == 0)
		return clients(s, req);
	if (strcmp(req->path, "/metrics") == 0)
		return metrics(s, req);
	return page(s, req);
}

struct http_handler server_handler(struct server *s)
{
	return (struct http_handler){begin, handle, s};
}

/* ---- what Prometheus asks ---- */

static double open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double count = -3; /* . and .. and the folder itself */
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static double resident_bytes(void)
{
	/* "size resident …", in pages */
	char line[100] = "", *rest;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	strtoul(line, &rest, 10);
	return (double)strtoul(rest, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

void server_metrics(struct server *s, struct metrics *m)
{
	struct journal_counters j = journal_count(s->journal);
	struct rusage used;

	metrics_init(m);
	m->value[METRIC_JOURNAL_COMMITS] = (double)j.commits;
	m->value[METRIC_JOURNAL_BYTES] = (double)j.bytes;
	m->value[METRIC_JOURNAL_ERRORS] = (double)j.failures;
	m->value[METRIC_CLOCK_OFFSET] = (double)j.clock_off.ns / WD_NS_PER_S;
	m->value[METRIC_CLOCK_JUMPS] = (double)j.clock_jumps;
	m->value[METRIC_HTTP_RENDERED] = (double)page_cache_rendered(s->cache);
	m->value[METRIC_START_TIME] = (double)wall_to_s(s->started_at);
	m->value[METRIC_RESIDENT_MEMORY] = resident_bytes();
	m->value[METRIC_OPEN_FILES] = open_files();
	if (getrusage(RUSAGE_SELF, &used) == 0)
		m->value[METRIC_CPU_TIME] =
			(double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	intake_metrics(s, m);
	telemetry_metrics(s->telemetry, m);
}
