/* SPDX-License-Identifier: Apache-2.0 */
/* report_client: asks a whydown over HTTP and posts bodies to it, and again when the server is
 * busy or the network fails: safe, since everything sent has an id or says what is to hold. One
 * thread. */
#ifndef WD_COMMAND_REPORT_CLIENT_H
#define WD_COMMAND_REPORT_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	CLIENT_REPLY_MAX = 1 << 20,
	CLIENT_TOKEN_MAX = 256,
	CLIENT_TOKEN_ROOM = CLIENT_TOKEN_MAX + 2,
};

struct report_client;

/* Is it a URL that paths can be put after: http or https, printable, not too long? */
bool report_client_is_server(const char *url);

/* The first line of a file. False, told on stderr, if there is none. */
bool report_client_token(const char *path, char token[CLIENT_TOKEN_ROOM]);

struct report_client_options {
	const char *server; /* "http://127.0.0.1:8080"; a slash at its end is fine */
	const char *token;  /* a feeder's or the operator's; "" = none */
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
	const char *body;            /* NULL = GET: there is nothing to post */
	size_t len;
};

/* Posts until there is an answer that trying again would not change; *ret_status is its HTTP
 * status and `reply` its body (empty if it was too long). Between tries it waits as long as the
 * server says (Retry-After), or 0.5, 1, 2 … 30 s. False, told on stderr, if no try was answered. */
bool report_client_post(struct report_client *c, const struct report_post *post, long *ret_status,
			struct buf *reply);

/* What a problem document says, on stderr, a line each: "not taken (422): …". */
void report_client_tell(const char *what, long status, const struct buf *reply);

/* A stranger's text for a terminal and for programs that read lines: control characters, tabs, line
 * ends, backslashes, what is not UTF-8 and what is invisible or turns the direction of writing are
 * written as \t, \n, \r, \\, \xNN and \u{NNNN}. */
void report_client_text(struct buf *b, const char *text);
/* The same, to standard error. */
void report_client_print(const char *text);

#endif
