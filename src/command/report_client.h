/* SPDX-License-Identifier: Apache-2.0 */
/* report_client: posts bodies to a whydown over HTTP, and posts them again when the server is
 * busy or the network fails: safe, since everything sent has an id. One thread. */
#ifndef WD_COMMAND_REPORT_CLIENT_H
#define WD_COMMAND_REPORT_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_REPLY_MAX = 1 << 20, CLIENT_TOKEN_MAX = 256 };

struct report_client;

/* Is it a URL that paths can be put after: http or https, printable, not too long? */
bool report_client_is_server(const char *url);

struct report_client_options {
	const char *server; /* "http://127.0.0.1:8080"; a slash at its end is fine */
	const char *token;  /* a feeder's; "" = none */
	unsigned tries;     /* at most so many times each, at least 1 */
	bool quiet;         /* say nothing about waiting */
};

/* WD_MALFORMED: the server is no http or https URL, or the token cannot stand in a header. */
enum wd_err report_client_open(const struct report_client_options *options,
			       struct report_client **ret_client, struct wd_why *why) WD_MUST_CHECK;
void report_client_close(struct report_client *c); /* NULL is fine */

struct report_post {
	const char *path; /* "/api/v1/reports" */
	const char *content_type;
	const char *idempotency_key; /* "" = none */
	const char *body;
	size_t len;
};

/* Posts until there is an answer that trying again would not change; *ret_status is its HTTP
 * status and `reply` its body (empty if it was too long). Between tries it waits as long as the
 * server says (Retry-After), or 0.5, 1, 2 … 30 s. False, told on stderr, if no try was answered. */
bool report_client_post(struct report_client *c, const struct report_post *post, long *ret_status,
			struct buf *reply);

#endif
