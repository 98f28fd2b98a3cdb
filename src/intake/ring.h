/* SPDX-License-Identifier: Apache-2.0 */
/* ring: messages from one thread to one other, without a lock: a collector's sealed ticks to
 * the engine's thread. All memory is taken at open. A message lies in one piece, so that it is
 * written and read in place. Where there is no room the producer keeps what it has and the
 * refusal is counted. */
#ifndef WD_INTAKE_RING_H
#define WD_INTAKE_RING_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct ring;

enum { RING_ALIGNMENT = 64 }; /* of every message */

/* At least `bytes` of room; a message may take at most half of that. */
enum wd_err ring_open(size_t bytes, struct ring **ret_ring) WD_MUST_CHECK;
void ring_close(struct ring *r); /* NULL is fine; both threads are gone */

/* The producer: room for len_max bytes, or NULL (counted). What was written into it is a
 * message once it is sent; room that is never sent was never taken. len is at most the
 * len_max of the room. */
void *ring_room(struct ring *r, size_t len_max);
void ring_send(struct ring *r, uint32_t kind, size_t len);

/* So many messages of at most len_max bytes surely find room now. */
size_t ring_fits(struct ring *r, size_t len_max);

/* The consumer: the oldest message, or NULL; it stays until it is dropped. */
const void *ring_first(struct ring *r, uint32_t *ret_kind, size_t *ret_len);
void ring_drop(struct ring *r);

/* Any thread. */
uint64_t ring_refused(const struct ring *r);

#endif
