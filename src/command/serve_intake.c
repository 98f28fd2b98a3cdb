/* SPDX-License-Identifier: Apache-2.0 */
/* serve_intake: requests that bring observations, from the HTTP server through intake/reports
 * into the journal, and the journal's answer back. */
#include "base/check.h"
#include "base/timetext.h"
#include "command/clock.h"
#include "command/log.h"
#include "command/server.h"
#include "intake/person.h"
#include "intake/place.h"
#include "intake/reports.h"
#include "publish/http_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINISH_AT_ONCE = 4096, RETRY_AFTER_S = 5 };

struct intake {
	struct persons *persons;
	struct places *places;
	struct reports *reports;
	struct http_response *accepted;    /* 202 of a report */
	struct http_response *unavailable; /* 503: it could not be kept */
	struct http_response *unavailable_page; /* the same for people */
	uint64_t accepted_count, limited, refused, unavailable_count;
	struct http_finished finished[FINISH_AT_ONCE]; /* the journal's thread */
};

/* Who waits for a commit. One small allocation a request, as the HTTP library makes for it. */
struct waiting {
	struct http_token token;
	struct http_response *then;  /* what to answer; NULL: `accepted`, or the batch's */
	bool from_form;
	struct reports_batch *batch; /* owned; NULL for a report */
};

static void count(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* ---- answers ---- */

static struct http_response *accepted_response(void)
{
	static const char body[] = "{\"status\":\"accepted\"}";
	return server_answer(&(struct http_response_options){
		.status = 202, .content_type = "application/json", .cache_control = "no-store",
		.body = body, .body_len = sizeof(body) - 1, .no_etag = true});
}

/* Back to the service's page, which says thank you. */
static struct http_response *back_to_page(const char *service)
{
	char location[SERVICE_ID_MAX + 32];
	snprintf(location, sizeof(location), "/s/%s?reported=1", service);
	const struct http_field field = {"Location", location};
	return server_answer(&(struct http_response_options){
		.status = 303, .cache_control = "no-store", .fields = &field, .field_count = 1});
}

/* As a sentence; most begin with the field's name by themselves. */
static void add_error(struct buf *b, const struct report_error *e)
{
	size_t name = strlen(e->field), len = strlen(e->detail);

	if (b->len > 0)
		buf_char(b, ' ');
	if (strncmp(e->detail, e->field, name) != 0)
		buf_fmt(b, "%s: ", e->field);
	buf_str(b, e->detail);
	if (len == 0 || e->detail[len - 1] != '?')
		buf_char(b, '.');
}

/* A page for those who sent a form: what is wrong, and the way back. */
static bool refusal_page(struct server *s, const struct reports_refusal *refusal, struct buf *ret_b)
{
	struct buf detail;
	struct site_page page;
	buf_init(&detail, 1 << 16);
	buf_str(&detail, refusal->detail);
	for (size_t n = 0; n < refusal->errors.count; n++) {
		const struct report_error *e = &refusal->errors.items[n];
		add_error(&detail, e);
	}
	struct snapshot *snapshot = pilot_snapshot(s->pilot);
	const struct site_refusal r = {.status = refusal->status,
				       .title = refusal->title,
				       .detail = detail.len > 0 && !detail.bad ? detail.data : "",
				       .back = ""};
	bool rendered = site_render_refusal(&s->site, snapshot, &r, &page, NULL) == WD_OK;
	snapshot_release(snapshot);
	buf_done(&detail);
	if (rendered)
		*ret_b = page.body;
	return rendered;
}

static struct http_response *refusal_response(struct server *s,
					      const struct reports_refusal *refusal)
{
	struct http_field fields[3];
	size_t field_count = 0;
	char seconds[16];
	struct buf b;

	if (refusal->retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%u", refusal->retry_after_s);
		fields[field_count++] = (struct http_field){"Retry-After", seconds};
	}
	if (refusal->challenge)
		fields[field_count++] = (struct http_field){"WWW-Authenticate", "Bearer"};
	if (refusal->accept_encoding != NULL)
		fields[field_count++] =
			(struct http_field){"Accept-Encoding", refusal->accept_encoding};
	buf_init(&b, 1 << 18);
	if (!refusal->from_form)
		reports_refusal_json(&b, refusal);
	else if (!refusal_page(s, refusal, &b))
		return NULL;
	struct http_response *r =
		b.bad ? NULL
		      : server_answer(&(struct http_response_options){
				.status = refusal->status,
				.cache_control = "no-store",
				.body = b.data,
				.body_len = b.len,
				.content_type = refusal->from_form ? "text/html; charset=utf-8"
								   : "application/problem+json",
				.fields = fields,
				.field_count = field_count,
				.no_etag = true});
	buf_done(&b);
	return r;
}

static struct http_response *refuse(struct server *s, const struct reports_refusal *refusal)
{
	struct intake *i = s->intake;
	count(refusal->status == 429 ? &i->limited : &i->refused, 1);
	return refusal_response(s, refusal);
}

/* 503 for programs and, as a page, for who sent a form: made once, for when nothing goes well. */
static void unavailable_responses(struct server *s)
{
	char wait[TIMETEXT_LEN_MAX], detail[64 + TIMETEXT_LEN_MAX];
	struct reports_refusal refusal = {
		.status = 503, .type = "/problems/unavailable",
		.title = "The report could not be kept", .detail = detail,
		.retry_after_s = RETRY_AFTER_S};
	timetext_write_wait(wait, RETRY_AFTER_S);
	snprintf(detail, sizeof(detail), "Nothing was counted. Please send it again in %s.", wait);
	s->intake->unavailable = refusal_response(s, &refusal);
	refusal.from_form = true;
	s->intake->unavailable_page = refusal_response(s, &refusal);
}

static struct http_response *not_kept(struct intake *i, bool from_form)
{
	count(&i->unavailable_count, 1);
	return http_response_ref(from_form ? i->unavailable_page : i->unavailable);
}

/* ---- requests ---- */

bool intake_is_at(const char *path)
{
	return strcmp(path, "/api/v1/reports") == 0 || strcmp(path, "/api/v1/observations") == 0;
}

bool intake_takes(const struct http_request *req)
{
	return req->method == HTTP_POST && intake_is_at(req->path);
}

static const char *field(const struct http_request *req, const char *name)
{
	const char *value = http_request_field(req, name);
	return value != NULL ? value : "";
}

static struct reports_request request_of(const struct server *s, const struct http_request *req)
{
	bool one = strcmp(req->path, "/api/v1/reports") == 0;
	return (struct reports_request){
		.kind = one ? REPORTS_ONE : REPORTS_BATCH, .content_type = req->content_type,
		.content_encoding = field(req, "Content-Encoding"),
		.authorization = field(req, "Authorization"),
		.idempotency_key = one ? field(req, "Idempotency-Key") : "",
		.address = req->client.bytes, .now = journal_now(s->journal), .mono = mono_now(),
	};
}

/* Another site must not make its visitors' browsers report. */
static bool is_from_another_site(const struct server *s, const struct http_request *req)
{
	return http_origin_is_another_site(&(struct http_origin){
		.fetch_site = field(req, "Sec-Fetch-Site"), .origin = field(req, "Origin"),
		.referer = field(req, "Referer"), .host = field(req, "Host"),
		.forwarded_host = field(req, "X-Forwarded-Host"), .site_url = s->site.base_url});
}

struct http_response *intake_begin(struct server *s, const struct http_request *req,
				   size_t *body_max)
{
	static _Thread_local struct reports_refusal refusal;
	struct intake *i = s->intake;
	if (is_from_another_site(s, req)) {
		count(&i->refused, 1);
		return http_response_problem(
			403, "A report is sent from this site's own pages, or by a program.");
	}
	struct reports_request r = request_of(s, req);
	r.body_len = req->content_length;
	pthread_rwlock_rdlock(&s->lock);
	*body_max = r.kind == REPORTS_ONE ? s->config->limits.report_bytes_max :
					    s->config->limits.observations_bytes_max;
	pthread_rwlock_unlock(&s->lock);
	return reports_begin(i->reports, &r, &refusal) ? NULL : refuse(s, &refusal);
}

static void waiting_free(struct waiting *w)
{
	if (w->batch != NULL)
		reports_batch_done(w->batch);
	free(w->batch);
	http_response_unref(w->then);
	free(w);
}

/* Into the journal; the answer comes when it is on disk. */
static struct http_response *keep(struct server *s, struct http_request *req, struct waiting *w,
				  const uint8_t *frames, size_t len, uint32_t observations)
{
	struct wd_why why;
	/* The answer may come before journal_append returns: the token must be there. */
	w->token = http_defer(req);
	if (journal_append(s->journal, frames, len, observations, w, &why) == WD_OK)
		return NULL;
	const struct http_finished no = {w->token, not_kept(s->intake, w->from_form)};
	http_finish(s->http, &no, 1);
	waiting_free(w);
	return NULL;
}

static struct http_response *take_one(struct server *s, struct http_request *req,
				      const struct reports_request *r)
{
	static _Thread_local struct reports_refusal refusal;
	uint8_t frame[OBSERVATION_FRAME_MAX];
	size_t len;
	struct observation o;

	if (!reports_take(s->intake->reports, r, frame, &len, &refusal))
		return refuse(s, &refusal);
	bool from_form = reports_is_form(r);
	struct waiting *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return not_kept(s->intake, from_form);
	w->from_form = from_form;
	if (from_form && observation_decode(frame, len, &o, &len, NULL) == WD_OK)
		w->then = back_to_page(o.service);
	return keep(s, req, w, frame, len, 1);
}

static struct http_response *batch_response(const struct waiting *w, uint32_t duplicates)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	reports_batch_json(&b, w->batch, duplicates);
	struct http_response *r = b.bad ? NULL : server_answer(&(struct http_response_options){
		.status = 202, .content_type = "application/json", .cache_control = "no-store",
		.body = b.data, .body_len = b.len, .no_etag = true});
	buf_done(&b);
	return r;
}

static struct http_response *take_batch(struct server *s, struct http_request *req,
					const struct reports_request *r)
{
	static _Thread_local struct reports_refusal refusal;
	struct waiting *w = calloc(1, sizeof(*w));
	if (w == NULL || (w->batch = calloc(1, sizeof(*w->batch))) == NULL) {
		free(w);
		return not_kept(s->intake, false);
	}
	if (!reports_take_batch(s->intake->reports, r, w->batch, &refusal)) {
		free(w->batch); /* untouched on failure */
		free(w);
		return refuse(s, &refusal);
	}
	if (w->batch->count == 0) { /* nothing to keep: every line was refused, or there is none */
		struct http_response *none = batch_response(w, 0);
		waiting_free(w);
		return none;
	}
	return keep(s, req, w, w->batch->frames.bytes, w->batch->frames.len, w->batch->count);
}

struct http_response *intake_handle(struct server *s, struct http_request *req)
{
	struct reports_request r = request_of(s, req);
	r.body = req->body;
	r.body_len = req->body_len;
	return r.kind == REPORTS_ONE ? take_one(s, req, &r) : take_batch(s, req, &r);
}

/* ---- the journal's answer ---- */

static struct http_response *answer(struct intake *i, struct waiting *w,
				    const struct journal_ticket *t, bool kept)
{
	if (!kept)
		return not_kept(i, w->from_form);
	count(&i->accepted_count, t->count - t->duplicates);
	if (w->batch != NULL)
		return batch_response(w, t->duplicates);
	return http_response_ref(w->then != NULL ? w->then : i->accepted);
}

void intake_done(void *ctx, const struct journal_done *done)
{
	struct server *s = ctx;
	struct intake *i = s->intake;
	size_t waiting = 0;

	if (done->err != WD_OK)
		log_line(LOG_LEVEL_ERROR, "commit_failed", "error=\"%s\" what=\"%s\" requests=%zu",
			 wd_err_name(done->err), done->what != NULL ? done->what : "", done->count);
	for (size_t n = 0; n < done->count; n++) {
		struct waiting *w = done->tickets[n].token;
		if (w == NULL)
			continue; /* nobody waits for what the program plays itself */
		struct http_response *r = answer(i, w, &done->tickets[n], done->err == WD_OK);
		i->finished[waiting++] = (struct http_finished){w->token, r};
		waiting_free(w);
		if (waiting == FINISH_AT_ONCE) {
			http_finish(s->http, i->finished, waiting);
			waiting = 0;
		}
	}
	if (waiting > 0)
		http_finish(s->http, i->finished, waiting);
}

/* ---- start, reload, stop ---- */

static enum wd_err configure(struct server *s, bool first, struct wd_why *why)
{
	const struct config *c = s->config;
	struct intake *i = s->intake;
	struct reports_feeder *feeders = calloc(c->feeder_count + 1, sizeof(*feeders));
	if (feeders == NULL)
		return wd_fail(why, WD_NOMEM, 0, "feeders");
	for (size_t n = 0; n < c->feeder_count; n++) {
		feeders[n].name = c->feeders[n].name;
		memcpy(feeders[n].token_hash, c->feeders[n].token.hash,
		       sizeof(feeders[n].token_hash));
	}
	const struct reports_options o = {
		.catalogue = c->catalogue, .feeders = feeders, .feeder_count = c->feeder_count,
		.report_bytes_max = c->limits.report_bytes_max,
		.batch_bytes_max = c->limits.observations_bytes_max,
		.frames_bytes_max = JOURNAL_BATCH_BYTES,
		.reports_per_client_per_min = c->limits.reports_per_address_per_min_max,
		.reports_burst_per_client = c->limits.reports_burst_per_address,
		.reports_per_s = c->limits.reports_per_s_max,
		.observations_per_feeder_per_s = c->limits.observations_per_feeder_per_s_max,
	};
	const struct reports_parts parts = {.persons = i->persons, .places = i->places};
	enum wd_err err =
		first ? reports_open(&parts, &o, &i->reports) : reports_configure(i->reports, &o);
	free(feeders);
	return err == WD_OK ? WD_OK : wd_fail(why, err, 0, "intake of reports");
}

static struct place_files files_of(const struct config *c)
{
	return (struct place_files){.city = c->places.city_file, .country = c->places.country_file,
				    .network = c->places.network_file};
}

enum wd_err intake_open(struct server *s, struct wd_why *why)
{
	struct intake *i = s->intake = calloc(1, sizeof(*i));
	if (i == NULL)
		return wd_fail(why, WD_NOMEM, 0, "intake");
	struct place_files files = files_of(s->config);
	enum wd_err err =
		persons_open(s->config->data_folder, journal_now(s->journal), &i->persons, why);
	if (err == WD_OK)
		err = places_open(&files, &i->places, why);
	if (err == WD_OK)
		err = configure(s, true, why);
	i->accepted = accepted_response();
	unavailable_responses(s);
	if (err == WD_OK &&
	    (i->accepted == NULL || i->unavailable == NULL || i->unavailable_page == NULL))
		err = wd_fail(why, WD_NOMEM, 0, "answers");
	return err;
}

void intake_close(struct intake *i)
{
	if (i == NULL)
		return;
	reports_close(i->reports);
	places_close(i->places);
	persons_close(i->persons);
	http_response_unref(i->accepted);
	http_response_unref(i->unavailable);
	http_response_unref(i->unavailable_page);
	free(i);
}

void intake_reload(struct server *s)
{
	struct wd_why why = {0};
	struct place_files files = files_of(s->config);
	if (places_reload(s->intake->places, &files, &why) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "place_files_not_reloaded", &why);
	if (configure(s, false, &why) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "intake_not_reloaded", &why);
}

void intake_day(struct server *s)
{
	struct wd_why why = {0};
	if (persons_advance(s->intake->persons, journal_now(s->journal), &why) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "secret_not_kept", &why);
}

void intake_metrics(struct server *s, struct metrics *m)
{
	struct intake *i = s->intake;
	struct reports_counters c = reports_count(i->reports);
	m->value[METRIC_INTAKE_ACCEPTED] =
		(double)__atomic_load_n(&i->accepted_count, __ATOMIC_RELAXED);
	m->value[METRIC_INTAKE_REFUSED] = (double)__atomic_load_n(&i->refused, __ATOMIC_RELAXED);
	m->value[METRIC_INTAKE_LINES_REFUSED] = (double)c.refused_lines;
	m->value[METRIC_REFUSED_TYPE] = (double)c.refused_type;
	m->value[METRIC_REFUSED_CODING] = (double)c.refused_coding;
	m->value[METRIC_REFUSED_GZIP] = (double)c.refused_gzip;
	m->value[METRIC_REFUSED_SIZE] = (double)c.refused_size;
	m->value[METRIC_REFUSED_TOKEN] = (double)c.refused_token;
	m->value[METRIC_REFUSED_KEY] = (double)c.refused_key;
	m->value[METRIC_REFUSED_SYNTAX] = (double)c.refused_syntax;
	m->value[METRIC_REFUSED_FIELDS] = (double)c.refused_fields;
	m->value[METRIC_REFUSED_MEMORY] = (double)c.refused_memory;
	m->value[METRIC_LIMITED_CLIENT] = (double)c.refused_client_rate;
	m->value[METRIC_LIMITED_ALL] = (double)c.refused_all_rate;
	m->value[METRIC_RATE_FORGOTTEN] = (double)c.rate_forgotten;
	m->value[METRIC_INTAKE_LIMITED] = (double)__atomic_load_n(&i->limited, __ATOMIC_RELAXED);
	m->value[METRIC_INTAKE_UNAVAILABLE] =
		(double)__atomic_load_n(&i->unavailable_count, __ATOMIC_RELAXED);
}
