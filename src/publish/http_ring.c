/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_ring.h"

#include "base/buf.h"
#include "base/check.h"
#include "publish/http.h"

#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_KEPT = 4096 }; /* whose ids can be resumed from */

struct http_ring {
	pthread_rwlock_t lock;
	size_t size;
	atomic_uint_fast64_t head; /* written under the lock */
	/* Ids are "run-number": one of another run of the server is not ours to resume. */
	uint32_t run;
	atomic_uint_fast64_t next_id; /* written under the lock; the first is 1 */
	uint64_t ends[EVENTS_KEPT];   /* of event id % EVENTS_KEPT: the position behind it */
	struct buf text;              /* the event being written */
	char bytes[];
};

enum wd_err http_ring_open(size_t bytes, struct http_ring **ret_ring)
{
	pthread_rwlockattr_t attr;

	WD_CHECK(bytes >= 4 * HTTP_EVENT_MAX && bytes <= 1u << 30);
	struct http_ring *r = calloc(1, sizeof(*r) + bytes);
	if (r == NULL)
		return WD_NOMEM;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&r->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	r->size = bytes;
	r->run = randombytes_random();
	r->next_id = 1;
	buf_init(&r->text, 2 * HTTP_EVENT_MAX);
	*ret_ring = r;
	return WD_OK;
}

void http_ring_close(struct http_ring *r)
{
	if (r == NULL)
		return;
	pthread_rwlock_destroy(&r->lock);
	buf_done(&r->text);
	free(r);
}

static void append_locked(struct http_ring *r, const char *bytes, size_t len)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t at = head % r->size;
	size_t first = len < r->size - at ? len : r->size - at;

	memcpy(r->bytes + at, bytes, first);
	memcpy(r->bytes, bytes + first, len - first);
	atomic_store_explicit(&r->head, head + len, memory_order_release);
}

/* Every line of data needs its own "data: "; CR, LF and CR LF all end a line. */
static void write_data(struct buf *b, const char *data, size_t len)
{
	size_t from = 0;

	for (;;) {
		size_t to = from;
		while (to < len && data[to] != '\n' && data[to] != '\r')
			to++;
		buf_str(b, "data: ");
		buf_add(b, data + from, to - from);
		buf_char(b, '\n');
		if (to >= len)
			return;
		from = to + 1;
		if (data[to] == '\r' && from < len && data[from] == '\n')
			from++;
	}
}

enum wd_err http_ring_publish(struct http_ring *r, const char *name, const char *data, size_t len)
{
	enum wd_err err = WD_FULL;

	if (len > HTTP_EVENT_MAX || (name != NULL && strpbrk(name, "\r\n") != NULL))
		return WD_FULL;
	pthread_rwlock_wrlock(&r->lock);
	uint64_t number = atomic_load_explicit(&r->next_id, memory_order_relaxed);
	buf_reset(&r->text);
	buf_fmt(&r->text, "id: %08" PRIx32 "-%" PRIu64 "\n", r->run, number);
	if (name != NULL)
		buf_fmt(&r->text, "event: %s\n", name);
	write_data(&r->text, data, len);
	buf_char(&r->text, '\n');
	if (!r->text.bad) {
		append_locked(r, r->text.data, r->text.len);
		r->ends[number % EVENTS_KEPT] =
			atomic_load_explicit(&r->head, memory_order_relaxed);
		atomic_store_explicit(&r->next_id, number + 1, memory_order_relaxed);
		err = WD_OK;
	}
	pthread_rwlock_unlock(&r->lock);
	return err;
}

void http_ring_heartbeat(struct http_ring *r, uint64_t since)
{
	pthread_rwlock_wrlock(&r->lock);
	if (atomic_load_explicit(&r->head, memory_order_relaxed) == since)
		append_locked(r, ":\n\n", 3);
	pthread_rwlock_unlock(&r->lock);
}

uint64_t http_ring_head(const struct http_ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_acquire);
}

uint64_t http_ring_events(const struct http_ring *r)
{
	return atomic_load_explicit(&r->next_id, memory_order_relaxed) - 1;
}

/* "run-number": eight hexadecimal digits and a decimal number, and nothing else. */
static bool id_read(const char *id, uint32_t *ret_run, uint64_t *ret_number)
{
	enum { RUN_LEN = 8, NUMBER_LEN_MAX = 19 };
	size_t number_len = strspn(id, "0123456789abcdef") == RUN_LEN && id[RUN_LEN] == '-'
				    ? strspn(id + RUN_LEN + 1, "0123456789")
				    : 0;

	if (number_len == 0 || number_len > NUMBER_LEN_MAX ||
	    id[RUN_LEN + 1 + number_len] != '\0')
		return false;
	*ret_run = (uint32_t)strtoul(id, NULL, 16);
	*ret_number = strtoull(id + RUN_LEN + 1, NULL, 10);
	return true;
}

bool http_ring_after(struct http_ring *r, const char *id, uint64_t *ret_position)
{
	uint32_t run;
	uint64_t number;
	bool held = false;

	if (!id_read(id, &run, &number))
		return false;
	pthread_rwlock_rdlock(&r->lock);
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint64_t next_id = atomic_load_explicit(&r->next_id, memory_order_relaxed);
	if (run == r->run && number > 0 && number < next_id && next_id - number <= EVENTS_KEPT) {
		uint64_t end = r->ends[number % EVENTS_KEPT];
		held = head - end <= r->size;
		if (held)
			*ret_position = end;
	}
	pthread_rwlock_unlock(&r->lock);
	return held;
}

void http_ring_read_lock(struct http_ring *r)
{
	pthread_rwlock_rdlock(&r->lock);
}

void http_ring_read_unlock(struct http_ring *r)
{
	pthread_rwlock_unlock(&r->lock);
}

int http_ring_span(const struct http_ring *r, uint64_t position, struct iovec ret_pieces[2])
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint64_t len = head - position;
	size_t at = position % r->size;
	size_t first = len < r->size - at ? (size_t)len : r->size - at;
	/* sendmsg takes what it only reads as void *. */
	char *bytes = (char *)(uintptr_t)r->bytes;

	WD_CHECK(position <= head);
	if (len > r->size)
		return -1;
	if (len == 0)
		return 0;
	ret_pieces[0] = (struct iovec){bytes + at, first};
	if (first == len)
		return 1;
	ret_pieces[1] = (struct iovec){bytes, (size_t)len - first};
	return 2;
}
