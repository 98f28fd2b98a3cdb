/* SPDX-License-Identifier: Apache-2.0 */
/* serve_comments: the operator reads comments and decides which are shown. A decision waits for
 * the disk on a thread of its own, so that no reader waits with it. */
#include "base/check.h"
#include "command/log.h"
#include "command/server.h"
#include "publish/comments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAITING_MAX = 256, /* decisions that wait for the disk */
	LIST_BYTES_MAX = 1 << 20,
};

struct decision { struct http_token token; int64_t number; enum comment_status status; };

struct desk {
	struct server *s;
	uint64_t version; /* atomic: how many decisions changed what is shown */

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	bool stop;
	size_t first, count;
	struct decision waiting[WAITING_MAX];
};

/* ---- answers ---- */

static struct http_response *missing(void)
{
	static const struct problem_document p = {.status = 404, .title = "No such comment"};
	return server_problem(&p, NULL);
}

/* ---- a request ---- */

static const char desk_path[] = "/api/v1/comments";

bool desk_is_at(const char *path)
{
	size_t len = sizeof(desk_path) - 1;
	return strncmp(path, desk_path, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

const char *desk_allows(const char *path)
{
	return strcmp(path, desk_path) == 0 ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
}

bool desk_takes(const struct http_request *req)
{
	return req->method != HTTP_OPTIONS && desk_is_at(req->path);
}

struct http_response *desk_begin(struct server *s, const struct http_request *req, size_t *body_max)
{
	bool list = strcmp(req->path, desk_path) == 0;
	struct http_response *refusal = server_refuse_stranger(s, req);
	int64_t number;

	if (refusal != NULL)
		return refusal;
	if (!list && !comment_path(req->path, &number))
		return missing();
	if (req->method != (list ? HTTP_GET : HTTP_POST))
		return http_response_not_allowed(desk_allows(req->path));
	if (!list && strcmp(req->content_type, "application/json") != 0)
		return http_response_problem(415, "The type is application/json.");
	if (!list && http_request_field(req, "Content-Encoding") != NULL)
		return server_problem(&(struct problem_document){
			.status = 415, .title = "Unsupported content coding",
			.detail = "A decision is sent as it is, without a Content-Encoding."},
			&(struct http_field){"Accept-Encoding", "identity"});
	*body_max = list ? 0 : DECISION_BYTES_MAX;
	return NULL;
}

/* ---- listing ---- */

struct page { struct buf b; size_t limit, told; int64_t last; bool more; };

static void list_comment(void *ctx, const struct comment *c)
{
	struct page *p = ctx;
	p->more = p->told == p->limit;
	if (p->more)
		return;
	comment_operator_json(&p->b, c);
	p->told++;
	p->last = c->number;
}

static const char *query_of(const void *ctx, const char *name)
{
	return http_request_query(ctx, name);
}

static struct http_response *list(struct server *s, const struct http_request *req)
{
	struct comment_query query;
	struct problem_document wrong;
	struct wd_why why = {0};

	if (!comments_query_read(query_of, req, &query, &wrong))
		return server_problem(&wrong, NULL);
	struct page p = {.limit = query.limit++}; /* one more says whether there is a next page */
	buf_init(&p.b, LIST_BYTES_MAX);
	buf_str(&p.b, "{\"comments\":[");
	if (store_each_comment(s->store, &query, list_comment, &p, &why) != WD_OK) {
		log_why(LOG_LEVEL_ERROR, "comments_not_read", &why);
		buf_done(&p.b);
		return http_response_problem(503, "The database cannot be read.");
	}
	buf_str(&p.b, "],\"next\":");
	if (p.more)
		buf_u64(&p.b, (uint64_t)p.last);
	else
		buf_str(&p.b, "null");
	buf_str(&p.b, "}\n");
	struct http_response *r = server_operators_json(&p.b);
	buf_done(&p.b);
	return r;
}

/* ---- deciding ---- */

/* The answer comes from the thread. */
static struct http_response *decide_later(struct desk *d, struct http_request *req, int64_t number,
					  enum comment_status status)
{
	struct http_response *full = NULL;
	pthread_mutex_lock(&d->lock);
	if (d->count < WAITING_MAX && !d->stop) {
		d->waiting[(d->first + d->count++) % WAITING_MAX] =
			(struct decision){http_defer(req), number, status};
		pthread_cond_signal(&d->changed);
	} else {
		full = http_response_problem(503, "Too many decisions wait for the disk.");
	}
	pthread_mutex_unlock(&d->lock);
	return full;
}

struct http_response *desk_handle(struct server *s, struct http_request *req)
{
	struct problem_document wrong;
	enum comment_status status;
	int64_t number;

	if (req->method == HTTP_GET)
		return list(s, req);
	if (!comment_path(req->path, &number))
		return missing();
	if (!decision_read(req->body, req->body_len, &status, &wrong))
		return server_problem(&wrong, NULL);
	return decide_later(s->desk, req, number, status);
}

/* Pages that show it are made anew, and those that are open hear of it. */
static void tell(struct desk *d, const struct comment_decision *now)
{
	char name[SERVICE_ID_MAX + 16], data[32];
	uint64_t version = __atomic_add_fetch(&d->version, 1, __ATOMIC_RELEASE);
	int len = snprintf(data, sizeof(data), "{\"comments\": %llu}", (unsigned long long)version);
	snprintf(name, sizeof(name), "service.%s", now->service);
	if (http_stream_publish(d->s->http, name, data, (size_t)len) != WD_OK)
		log_line(LOG_LEVEL_WARNING, "event_not_sent", "bytes=%d", len);
}

static struct http_response *decide(struct desk *d, const struct decision *x)
{
	struct comment_decision now;
	struct wd_why why = {0};
	struct buf b;
	enum wd_err err = store_decide_comment(d->s->store, x->number, x->status,
					       journal_now(d->s->journal), &now, &why);
	if (err == WD_UNKNOWN)
		return missing();
	if (err != WD_OK) {
		log_why(LOG_LEVEL_ERROR, "comment_not_decided", &why);
		return http_response_problem(503, "It could not be written; nothing was decided.");
	}
	if (now.status != x->status)
		return server_problem(&(struct problem_document){
			.status = 409, .title = "The comment was rejected",
			.detail = "Its text is deleted, so there is nothing to publish."}, NULL);
	if (now.changed) {
		tell(d, &now);
		log_line(LOG_LEVEL_INFO, "comment_decided", "id=%lld state=%s service=%s",
			 (long long)x->number, comment_state_name(now.status), now.service);
	}
	buf_init(&b, 1 << 12);
	decision_json(&b, x->number, &now);
	struct http_response *r = server_operators_json(&b);
	buf_done(&b);
	return r;
}

static void *run(void *ctx)
{
	struct desk *d = ctx;
	pthread_mutex_lock(&d->lock);
	while (d->count > 0 || !d->stop) {
		if (d->count == 0) {
			pthread_cond_wait(&d->changed, &d->lock);
			continue;
		}
		struct decision x = d->waiting[d->first];
		d->first = (d->first + 1) % WAITING_MAX;
		d->count--;
		pthread_mutex_unlock(&d->lock);
		const struct http_finished done = {x.token, decide(d, &x)};
		http_finish(d->s->http, &done, 1);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* ---- what pages show ---- */

void desk_published(void *ctx, const struct comment_window *window,
		    void (*each)(void *each_ctx, const struct comment *c), void *each_ctx)
{
	struct server *s = ctx;
	struct wd_why why = {0};
	if (store_each_published(s->store, window, each, each_ctx, &why) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "comments_not_read", &why);
}

uint64_t desk_version(void *ctx)
{
	return __atomic_load_n(&((struct server *)ctx)->desk->version, __ATOMIC_ACQUIRE);
}

/* ---- start and stop ---- */

enum wd_err desk_open(struct server *s, struct wd_why *why)
{
	struct desk *d = s->desk = calloc(1, sizeof(*d));
	if (d == NULL)
		return wd_fail(why, WD_NOMEM, 0, "comments");
	d->s = s;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	int failed = pthread_create(&d->thread, NULL, run, d);
	if (failed != 0)
		return wd_fail_os(why, failed, "start the thread of comments");
	d->started = true;
	return WD_OK;
}

void desk_stop(struct desk *d)
{
	if (d == NULL || !d->started)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->changed);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	d->started = false;
}

void desk_close(struct desk *d)
{
	if (d == NULL)
		return;
	desk_stop(d);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->changed);
	free(d);
}
