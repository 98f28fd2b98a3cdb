/* SPDX-License-Identifier: Apache-2.0 */
/* server: what the live program's parts share. Internal to serve. */
#ifndef WD_COMMAND_SERVER_H
#define WD_COMMAND_SERVER_H

#include "command/page_cache.h"
#include "command/pilot.h"
#include "command/telemetry.h"
#include "config/config.h"
#include "publish/http.h"
#include "publish/metrics.h"
#include "publish/problem.h"
#include "publish/site.h"
#include "store/journal.h"
#include "store/store.h"

#include <pthread.h>
#include <stdbool.h>

struct intake; /* serve_intake.c: who may report, and what becomes of a report */
struct desk;   /* serve_comments.c: what the operator decides */
struct door;   /* serve_operator.c: who the operator is */

struct server {
	struct config *config;        /* in force; replaced by a reload, under `lock` */
	struct config *running;       /* what needs a restart is as here; NULL: config */
	const struct arguments *arguments; /* of the command line, for a reload */
	struct store *store;
	struct journal *journal;
	struct telemetry *telemetry;
	struct pilot *pilot;
	struct http *http;
	struct page_cache *cache;
	struct intake *intake;
	struct desk *desk;
	struct door *door;
	struct site site;
	char *measured;               /* the detector's measured error rates; owned */
	char *measured_traffic; /* the same of floods */
	struct reconstructions reconstructions; /* whose sources are known */
	wd_mono started;
	wd_wall started_at;
	bool ready;                   /* all of the above is there: requests are answered */
	pthread_rwlock_t lock;        /* of config, for those who read it while serving */
};

/* serve_http.c */
struct http_handler server_handler(struct server *s);
void server_metrics(struct server *s, struct metrics *m);
/* NULL when there is no memory for it, here and below. */
struct http_response *server_answer(const struct http_response_options *o);

/* serve_operator.c: what only the operator may ask for. Not by address: a proxy makes everybody
 * local. */
enum wd_err door_open(struct server *s, struct wd_why *why) WD_MUST_CHECK;
void door_close(struct door *d); /* NULL is fine */
/* NULL for the operator; 401, or 429 for who asks too often: wrong tokens are counted by
 * address, whatever they ask for. */
struct http_response *server_refuse_stranger(struct server *s, const struct http_request *req);
/* Where anybody is answered and the operator is told more: the same 429, else NULL. */
struct http_response *server_refuse_guesser(struct server *s, const struct http_request *req,
					    bool *ret_operator);
/* For the operator, kept by nobody: 200, or a problem with one more header field or none (NULL). */
struct http_response *server_operators_json(const struct buf *b);
struct http_response *server_problem(const struct problem_document *p,
				     const struct http_field *field);

/* serve_intake.c */
enum wd_err intake_open(struct server *s, struct wd_why *why) WD_MUST_CHECK;
void intake_close(struct intake *i);
/* After a reload: the place files and the rates may be others. */
void intake_reload(struct server *s);
bool intake_is_at(const char *path);
/* Is this request the intake's? */
bool intake_takes(const struct http_request *req);
/* Before the body: NULL or a refusal. */
struct http_response *intake_begin(struct server *s, const struct http_request *req,
				   size_t *body_max);
struct http_response *intake_handle(struct server *s, struct http_request *req);
/* The journal's answer to a batch. */
void intake_done(void *ctx, const struct journal_done *done);
/* Ends yesterday's secret if nobody has reported since midnight. */
void intake_day(struct server *s);
void intake_metrics(struct server *s, struct metrics *m);

/* serve_comments.c: GET /api/v1/comments, POST /api/v1/comments/ID */
enum wd_err desk_open(struct server *s, struct wd_why *why) WD_MUST_CHECK;
/* After http_stop, before http_close: decides what is waiting, ends the thread. */
void desk_stop(struct desk *d); /* NULL is fine, here and below */
void desk_close(struct desk *d);
bool desk_takes(const struct http_request *req);
bool desk_is_at(const char *path);
const char *desk_allows(const char *path); /* the header Allow of what is there */
/* Before the body: NULL or a refusal. */
struct http_response *desk_begin(struct server *s, const struct http_request *req,
				 size_t *body_max);
struct http_response *desk_handle(struct server *s, struct http_request *req);
/* What pages show: struct site has these two. */
void desk_published(void *ctx, const struct comment_window *window,
		    void (*each)(void *each_ctx, const struct comment *c), void *each_ctx);
uint64_t desk_version(void *ctx);

#endif
