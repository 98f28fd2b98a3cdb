/* SPDX-License-Identifier: Apache-2.0 */
/* comments: what people wrote with their reports, as pages and the API show it, and what the
 * operator asks and decides about it: plain values in, bytes out. */
#ifndef WD_PUBLISH_COMMENTS_H
#define WD_PUBLISH_COMMENTS_H

#include "base/buf.h"
#include "publish/problem.h"
#include "store/store.h"

#include <stdbool.h>

enum {
	COMMENTS_SHOWN_MAX = 20,      /* on a page */
	COMMENTS_LISTED_DEFAULT = 100, /* to the operator, at once */
	COMMENTS_LISTED_MAX = 200,
	DECISION_BYTES_MAX = 1024,
};

/* "held", "published", "rejected". */
const char *comment_state_name(enum comment_status status);

/* What anybody is told of a comment: no number, and no place but the country. */
void comment_public_json(struct buf *b, const struct comment *c);
/* What the operator is told. */
void comment_operator_json(struct buf *b, const struct comment *c);

/* The number in "/api/v1/comments/12"; false if the path is another. */
bool comment_path(const char *path, int64_t *ret_number);

/* Query parameters: state (held), service (all), after (0), limit. Strings are the query's. */
bool comments_query_read(const char *(*query)(const void *ctx, const char *name), const void *ctx,
			 struct comment_query *ret_query, struct problem_document *ret_problem);

/* {"decision":"publish"} or {"decision":"reject"}. */
bool decision_read(const char *body, size_t len, enum comment_status *ret_status,
		   struct problem_document *ret_problem);
/* {"id":12,"state":"published","decided_at":…} */
void decision_json(struct buf *b, int64_t number, const struct comment_decision *d);

#endif
