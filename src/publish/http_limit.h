/* SPDX-License-Identifier: Apache-2.0 */
/* http_limit: how much one client address may hold and how fast it may come. An IPv4
 * address or an IPv6 /64 counts as one client: a /64 is what one household gets.
 *
 * A fixed table of sets of eight under a keyed hash, two sets an address, shared by the
 * workers under one lock. Entries that hold no connection make room for others; when all
 * sixteen hold some the address is refused, so hostile addresses cannot grow it. */
#ifndef WD_PUBLISH_HTTP_LIMIT_H
#define WD_PUBLISH_HTTP_LIMIT_H

#include "base/err.h"
#include "publish/http.h"

#include <stdbool.h>
#include <stdint.h>

enum http_limit_verdict { LIMIT_OK, LIMIT_FULL, LIMIT_ADDRESS, LIMIT_RATE };

struct http_limit_options {
	uint32_t connections_max, connections_per_address_max;
	uint32_t accepts_per_s_max, accepts_per_address_per_s_max;
	uint32_t streams_max, streams_per_address_max;
};

struct http_limit;

#define LIMIT_EXEMPT UINT32_MAX /* the entry of a connection that is in no set */

enum wd_err http_limit_open(const struct http_limit_options *o, struct http_limit **ret_limit)
	WD_MUST_CHECK;
void http_limit_close(struct http_limit *l);

/* Room for one connection from there? `exempt` addresses count towards the total only.
 * *ret_entry is what the two release functions and the stream function want. */
enum http_limit_verdict http_limit_connect(struct http_limit *l, const struct http_address *from,
					   bool exempt, uint64_t now_ms, uint32_t *ret_entry);
void http_limit_disconnect(struct http_limit *l, uint32_t entry);
/* One of the connections of the entry becomes a stream, and stops being one. */
enum http_limit_verdict http_limit_stream(struct http_limit *l, uint32_t entry);
void http_limit_stream_end(struct http_limit *l, uint32_t entry);

#endif
