/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/ring.h"

#include "base/prng.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void messages_come_out_as_they_went_in(void **state)
{
	struct ring *r;
	uint32_t kind;
	size_t len;
	(void)state;
	assert_int_equal(ring_open(4096, &r), WD_OK);
	assert_null(ring_first(r, &kind, &len));
	for (unsigned round = 0; round < 1000; round++) { /* many times around */
		size_t want = round * 37 % 1900;
		uint8_t *room = ring_room(r, 1984);
		assert_non_null(room);
		assert_int_equal((uintptr_t)room % RING_ALIGNMENT, 0);
		memset(room, (int)round, want);
		ring_send(r, round, want);
		const uint8_t *got = ring_first(r, &kind, &len);
		assert_non_null(got);
		assert_int_equal(kind, round);
		assert_int_equal(len, want);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(got[i], (uint8_t)round);
		ring_drop(r);
		assert_null(ring_first(r, &kind, &len));
	}
	assert_int_equal(ring_refused(r), 0);
	ring_close(r);
}

static void a_full_ring_refuses_and_counts_and_has_room_again(void **state)
{
	struct ring *r;
	uint32_t kind;
	size_t len;
	unsigned sent = 0;
	(void)state;
	assert_int_equal(ring_open(4096, &r), WD_OK);
	for (uint8_t *room; (room = ring_room(r, 500)) != NULL; sent++) {
		room[0] = (uint8_t)sent;
		ring_send(r, 1, 500);
	}
	assert_int_equal(sent, 7); /* 64 + 512 bytes each */
	assert_int_equal(ring_refused(r), 1);
	for (unsigned i = 0; i < sent; i++) {
		const uint8_t *got = ring_first(r, &kind, &len);
		assert_non_null(got);
		assert_int_equal(got[0], i);
		ring_drop(r);
	}
	assert_null(ring_first(r, &kind, &len));
	assert_non_null(ring_room(r, 500));
	ring_close(r);
}

static void as_many_fit_as_it_says(void **state)
{
	struct ring *r;
	uint32_t kind;
	size_t len;
	(void)state;
	assert_int_equal(ring_open(1 << 16, &r), WD_OK);
	for (unsigned round = 0; round < 300; round++) {
		size_t each = 100 + round * 7, fits = ring_fits(r, each);
		for (size_t i = 0; i < fits; i++) {
			assert_non_null(ring_room(r, each));
			ring_send(r, 0, each);
		}
		assert_true(ring_fits(r, each) <= 1);
		assert_true(fits > 0 || round > 0);
		while (ring_first(r, &kind, &len) != NULL)
			ring_drop(r);
	}
	assert_int_equal(ring_refused(r), 0);
	ring_close(r);
}

static void room_that_is_not_sent_was_not_taken(void **state)
{
	struct ring *r;
	uint32_t kind;
	size_t len;
	(void)state;
	assert_int_equal(ring_open(4096, &r), WD_OK);
	for (unsigned i = 0; i < 100; i++)
		assert_non_null(ring_room(r, 1900));
	assert_null(ring_first(r, &kind, &len));
	ring_close(r);
}

/* Two threads: every message whole and in order, though the ring is often full. */
enum { MESSAGES = 200000 };

static void *produce(void *arg)
{
	struct ring *r = arg;
	struct prng random = prng_of(7, 0);
	for (uint32_t n = 0; n < MESSAGES;) {
		uint32_t *room = ring_room(r, 400);
		if (room == NULL) {
			sched_yield();
			continue;
		}
		size_t words = 1 + prng_u64(&random) % 100;
		for (size_t i = 0; i < words; i++)
			room[i] = n;
		ring_send(r, n, words * sizeof(*room));
		n++;
	}
	return NULL;
}

static void two_threads_see_every_message_whole_and_in_order(void **state)
{
	struct ring *r;
	pthread_t thread;
	uint32_t kind, n = 0;
	size_t len, wrong = 0;
	(void)state;
	assert_int_equal(ring_open(4096, &r), WD_OK);
	assert_int_equal(pthread_create(&thread, NULL, produce, r), 0);
	while (n < MESSAGES) {
		const uint32_t *got = ring_first(r, &kind, &len);
		if (got == NULL) {
			sched_yield();
			continue;
		}
		wrong += kind != n || len == 0;
		for (size_t i = 0; i < len / sizeof(*got); i++)
			wrong += got[i] != n;
		ring_drop(r);
		n++;
	}
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
	assert_null(ring_first(r, &kind, &len));
	ring_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_out_as_they_went_in),
		cmocka_unit_test(a_full_ring_refuses_and_counts_and_has_room_again),
		cmocka_unit_test(as_many_fit_as_it_says),
		cmocka_unit_test(room_that_is_not_sent_was_not_taken),
		cmocka_unit_test(two_threads_see_every_message_whole_and_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
