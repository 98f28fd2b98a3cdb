/* SPDX-License-Identifier: Apache-2.0 */
/* Positions only rise (64 bits: never wrap); a position's place is position & mask. A message
 * is a head of RING_ALIGNMENT bytes and its body, rounded up to RING_ALIGNMENT. Where it
 * would reach over the end of the memory, a head with kind PAD fills the rest. */
#include "intake/ring.h"

#include "base/check.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PAD = INT32_MAX }; /* no kind of message */

struct head { uint64_t len; uint32_t kind; };
static_assert(sizeof(struct head) <= RING_ALIGNMENT, "a head fits before its body");

struct ring {
	uint8_t *bytes;
	uint64_t mask;
	/* Each thread's own line, and its copy of where the other one was last seen. */
	_Alignas(128) _Atomic uint64_t written;
	uint64_t read_seen, room_at, room_len;
	_Atomic uint64_t refused;
	_Alignas(128) _Atomic uint64_t read;
	uint64_t written_seen;
};

static uint64_t padded(uint64_t len)
{
	return (len + RING_ALIGNMENT - 1) / RING_ALIGNMENT * RING_ALIGNMENT;
}

static struct head *head_at(struct ring *r, uint64_t position)
{
	return (struct head *)(void *)(r->bytes + (position & r->mask));
}

enum wd_err ring_open(size_t bytes, struct ring **ret_ring)
{
	size_t size = 4096;
	while (size < bytes)
		size *= 2;
	struct ring *r = aligned_alloc(128, sizeof(*r));
	if (r == NULL)
		return WD_NOMEM;
	*r = (struct ring){.mask = size - 1};
	r->bytes = aligned_alloc(4096, size);
	if (r->bytes == NULL) {
		free(r);
		return WD_NOMEM;
	}
	*ret_ring = r;
	return WD_OK;
}

void ring_close(struct ring *r)
{
	if (r == NULL)
		return;
	free(r->bytes);
	free(r);
}

/* ---- the producer ---- */

static bool has_room(struct ring *r, uint64_t end)
{
	if (end - r->read_seen <= r->mask + 1)
		return true;
	r->read_seen = atomic_load_explicit(&r->read, memory_order_acquire);
	return end - r->read_seen <= r->mask + 1;
}

void *ring_room(struct ring *r, size_t len_max)
{
	uint64_t need = RING_ALIGNMENT + padded(len_max), size = r->mask + 1;
	uint64_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
	uint64_t to_end = size - (at & r->mask), pad = need <= to_end ? 0 : to_end;

	WD_CHECK(need <= size / 2);
	if (!has_room(r, at + pad + need)) {
		atomic_fetch_add_explicit(&r->refused, 1, memory_order_relaxed);
		return NULL;
	}
	if (pad > 0)
		*head_at(r, at) = (struct head){pad - RING_ALIGNMENT, PAD};
	r->room_at = at + pad;
	r->room_len = len_max;
	return (uint8_t *)head_at(r, r->room_at) + RING_ALIGNMENT;
}

/* One message's worth may be lost where the memory ends. */
size_t ring_fits(struct ring *r, size_t len_max)
{
	uint64_t each = RING_ALIGNMENT + padded(len_max);
	r->read_seen = atomic_load_explicit(&r->read, memory_order_acquire);
	uint64_t used = atomic_load_explicit(&r->written, memory_order_relaxed) - r->read_seen;
	uint64_t fits = (r->mask + 1 - used) / each;
	return fits > 0 ? fits - 1 : 0;
}

void ring_send(struct ring *r, uint32_t kind, size_t len)
{
	WD_CHECK(len <= r->room_len && kind != PAD);
	*head_at(r, r->room_at) = (struct head){len, kind};
	r->room_len = 0;
	atomic_store_explicit(&r->written, r->room_at + RING_ALIGNMENT + padded(len),
			      memory_order_release);
}

/* ---- the consumer ---- */

const void *ring_first(struct ring *r, uint32_t *ret_kind, size_t *ret_len)
{
	for (;;) {
		uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
		if (at == r->written_seen)
			r->written_seen = atomic_load_explicit(&r->written, memory_order_acquire);
		if (at == r->written_seen)
			return NULL;
		const struct head *head = head_at(r, at);
		if (head->kind != PAD) {
			*ret_kind = head->kind;
			*ret_len = head->len;
			return (const uint8_t *)head + RING_ALIGNMENT;
		}
		ring_drop(r);
	}
}

void ring_drop(struct ring *r)
{
	uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
	uint64_t len = head_at(r, at)->len;
	WD_CHECK(at != r->written_seen);
	atomic_store_explicit(&r->read, at + RING_ALIGNMENT + padded(len), memory_order_release);
}

uint64_t ring_refused(const struct ring *r)
{
	return atomic_load_explicit(&r->refused, memory_order_relaxed);
}
