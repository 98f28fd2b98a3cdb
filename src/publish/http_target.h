/* SPDX-License-Identifier: Apache-2.0 */
/* http_target: a request's target in, its path and query parameters out, decoded in place
 * and checked. Pure. RFC 9112 3.2.1 and 3.2.2 (origin form and absolute form, of which scheme and
 * host change nothing: all hosts have the same pages), RFC 3986 2.1, 3.2 and 3.3, and the URL
 * standard's form decoding for the query. */
#ifndef WD_PUBLISH_HTTP_TARGET_H
#define WD_PUBLISH_HTTP_TARGET_H

#include "publish/http.h"

#include <stdbool.h>
#include <stddef.h>

struct http_target {
	char *path; /* borrows from the text it was read from, like all below */
	size_t count;
	struct http_field parameters[HTTP_PARAMETERS_MAX];
};

/* `text` is changed. False if the target breaks a rule that http.h states; parts of
 * *ret_target may then be filled. */
bool http_target_read(char *text, struct http_target *ret_target);

#endif
