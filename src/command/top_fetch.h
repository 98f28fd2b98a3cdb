/* SPDX-License-Identifier: Apache-2.0 */
/* top_fetch: asks a server for one path at a time, over one connection, while keys are waited for.
 * One thread. An answer is limited in length and time; redirections are not followed. */
#ifndef WD_COMMAND_TOP_FETCH_H
#define WD_COMMAND_TOP_FETCH_H

#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>

struct top_fetch;

/* Holds until the next question. */
struct top_answer {
	const char *error; /* "" = there is an answer */
	long status;       /* of HTTP */
	wd_wall date;      /* the server's clock; 0 = it did not tell */
	const char *body;  /* never NULL */
	size_t len;
};

/* WD_MALFORMED: the server is no http or https URL. */
enum wd_err top_fetch_open(const char *server, struct top_fetch **ret_fetch,
			   struct wd_why *why) WD_MUST_CHECK;
void top_fetch_close(struct top_fetch *f); /* NULL is fine */

/* "/api/v1/services". A question that is still open is dropped. */
void top_fetch_ask(struct top_fetch *f, const char *path);
/* Waits for the answer, until `fd` can be read (-1 = no such), a signal, or for wait_ms. True once,
 * when there is an answer. */
bool top_fetch_wait(struct top_fetch *f, int fd, int wait_ms, struct top_answer *ret_answer);

#endif
