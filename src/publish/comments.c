/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/comments.h"

#include "base/check.h"
#include "base/text.h"
#include "publish/json_out.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
	[COMMENT_HELD] = "held",
	[COMMENT_PUBLISHED] = "published",
	[COMMENT_REJECTED] = "rejected",
};

const char *comment_state_name(enum comment_status status)
{
	WD_CHECK((unsigned)status < WD_COUNT(state_names));
	return state_names[status];
}

/* ---- told ---- */

static void known(struct buf *b, const char *name, const char *text)
{
	wd_json_string(b, name, text[0] != '\0' ? text : NULL);
}

static void what_and_where(struct buf *b, const struct comment *c)
{
	known(b, "surface", c->surface);
	known(b, "problem", c->problem);
	known(b, "country", c->country);
	wd_json_string(b, "text", c->text);
}

void comment_public_json(struct buf *b, const struct comment *c)
{
	wd_json_open(b, NULL, '{');
	wd_json_time(b, "at", c->at);
	what_and_where(b, c);
	wd_json_close(b, '}');
}

void comment_operator_json(struct buf *b, const struct comment *c)
{
	wd_json_open(b, NULL, '{');
	wd_json_count(b, "id", (uint64_t)c->number);
	wd_json_string(b, "state", comment_state_name(c->status));
	wd_json_time(b, "at", c->at);
	wd_json_time(b, "received_at", c->received_at);
	wd_json_time(b, "decided_at", c->decided_at);
	wd_json_string(b, "service", c->service);
	what_and_where(b, c);
	wd_json_close(b, '}');
}

void decision_json(struct buf *b, int64_t number, const struct comment_decision *d)
{
	wd_json_open(b, NULL, '{');
	wd_json_count(b, "id", (uint64_t)number);
	wd_json_string(b, "state", comment_state_name(d->status));
	wd_json_time(b, "decided_at", d->at);
	wd_json_close(b, '}');
	buf_char(b, '\n');
}

/* ---- asked ---- */

/* A whole number from `least` to `most`, without a sign. */
static bool read_number(const char *text, int64_t least, int64_t most, int64_t *ret_n)
{
	char *end;
	errno = 0;
	long long n = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &end, 10) : -1;
	if (n < least || n > most || errno != 0 || *end != '\0')
		return false;
	*ret_n = n;
	return true;
}

bool comment_path(const char *path, int64_t *ret_number)
{
	static const char front[] = "/api/v1/comments/";
	return strncmp(path, front, sizeof(front) - 1) == 0 &&
	       read_number(path + sizeof(front) - 1, 1, INT64_MAX, ret_number);
}

static bool wrong(struct problem_document *p, const char *field, const char *detail)
{
	*p = (struct problem_document){
		.status = 400, .title = "Bad request", .detail = detail, .field = field};
	return false;
}

bool comments_query_read(const char *(*query)(const void *ctx, const char *name), const void *ctx,
			 struct comment_query *ret_query, struct problem_document *problem)
{
	const char *state = query(ctx, "state"), *service = query(ctx, "service");
	const char *after = query(ctx, "after"), *limit = query(ctx, "limit");
	struct comment_query q = {.status = COMMENT_HELD, .limit = COMMENTS_LISTED_DEFAULT};
	int64_t n = COMMENTS_LISTED_DEFAULT;
	size_t status = COMMENT_HELD;

	for (; state != NULL && status < WD_COUNT(state_names); status++) {
		if (strcmp(state, state_names[status]) == 0)
			break;
	}
	if (status == WD_COUNT(state_names))
		return wrong(problem, "state", "a state is held, published or rejected");
	q.status = (enum comment_status)status;
	if (service != NULL && !text_is_id(service, strlen(service), SERVICE_ID_MAX))
		return wrong(problem, "service", "a service's id is a-z 0-9 . _ -");
	q.service = service;
	if (after != NULL && !read_number(after, 0, INT64_MAX, &q.after))
		return wrong(problem, "after", "the id of a comment: those after it are told");
	if (limit != NULL && !read_number(limit, 1, COMMENTS_LISTED_MAX, &n))
		return wrong(problem, "limit", "a limit is a whole number from 1 to 200");
	q.limit = (size_t)n;
	*ret_query = q;
	return true;
}

/* ---- decided ---- */

static bool not_a_decision(struct problem_document *p, int status, const char *detail)
{
	*p = (struct problem_document){
		.status = status,
		.title = status == 400 ? "The decision cannot be read" : "Not a decision",
		.detail = detail,
		.field = status == 400 ? "" : "decision",
	};
	return false;
}

bool decision_read(const char *body, size_t len, enum comment_status *ret_status,
		   struct problem_document *problem)
{
	json_t *json = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	const char *word = json_string_value(json_object_get(json, "decision"));
	bool alone = json_object_size(json) == 1, object = json_is_object(json);
	bool publish = word != NULL && strcmp(word, "publish") == 0;
	bool reject = word != NULL && strcmp(word, "reject") == 0;

	json_decref(json);
	if (!object)
		return not_a_decision(problem, 400, "the body is {\"decision\":\"publish\"}");
	if (!publish && !reject)
		return not_a_decision(problem, 422, "decision is \"publish\" or \"reject\"");
	if (!alone)
		return not_a_decision(problem, 422, "there is no member beside decision");
	*ret_status = publish ? COMMENT_PUBLISHED : COMMENT_REJECTED;
	return true;
}
