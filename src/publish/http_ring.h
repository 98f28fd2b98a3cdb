/* SPDX-License-Identifier: Apache-2.0 */
/* http_ring: the last events, as bytes ready to be sent, once for all readers. Positions
 * are counts of bytes since the ring was opened and never wrap; the ring holds the last
 * `bytes` of them. Writers exclude readers by a lock that prefers writers. */
#ifndef WD_PUBLISH_HTTP_RING_H
#define WD_PUBLISH_HTTP_RING_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct http_ring;

/* bytes: at least four of the largest event, up to 2^30. */
enum wd_err http_ring_open(size_t bytes, struct http_ring **ret_ring) WD_MUST_CHECK;
void http_ring_close(struct http_ring *r);

/* Appends "id, event, data" lines; name may be NULL. WD_FULL if it is too large. */
enum wd_err http_ring_publish(struct http_ring *r, const char *name, const char *data, size_t len)
	WD_MUST_CHECK;
/* Appends a comment, which clients ignore, unless something was appended since `since`. */
void http_ring_heartbeat(struct http_ring *r, uint64_t since);

/* Where the next byte will stand; without the lock, so perhaps already past. */
uint64_t http_ring_head(const struct http_ring *r);
uint64_t http_ring_events(const struct http_ring *r); /* published so far */
/* The position behind the event with that id (Last-Event-ID). False if the ring does not
 * hold it any more or it is not one of ours. */
bool http_ring_after(struct http_ring *r, const char *id, uint64_t *ret_position);

/* Between lock and unlock nothing is overwritten. */
void http_ring_read_lock(struct http_ring *r);
void http_ring_read_unlock(struct http_ring *r);
/* The bytes from there to the head, in one or two pieces; the number of pieces, 0 when
 * there are none, -1 when the ring has lost some of them. */
int http_ring_span(const struct http_ring *r, uint64_t position, struct iovec ret_pieces[2]);

#endif
