/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that come later, from another thread. */
#include "publish/http_testing.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { TOKENS_MAX = 4096 };

static struct testing_answer answer;

/* What a group commit is: tokens gather, somebody answers them all. */
static struct {
	pthread_mutex_t lock;
	struct http_token tokens[TOKENS_MAX];
	size_t count;
} waiting = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct http_response *handle(void *app, struct http_request *req)
{
	(void)app;
	if (strcmp(req->path, "/now") == 0)
		return http_response_problem(404, NULL);
	struct http_token token = http_defer(req);
	pthread_mutex_lock(&waiting.lock);
	if (waiting.count < TOKENS_MAX)
		waiting.tokens[waiting.count++] = token;
	pthread_mutex_unlock(&waiting.lock);
	return NULL;
}

static size_t waiting_count(void)
{
	pthread_mutex_lock(&waiting.lock);
	size_t count = waiting.count;
	pthread_mutex_unlock(&waiting.lock);
	return count;
}

static void assert_all_have_gone(struct http *h)
{
	for (int i = 0; i < 500 && http_counters_read(h).connections > 0; i++)
		testing_sleep_ms(2);
	assert_int_equal(http_counters_read(h).connections, 0);
	assert_int_equal(http_counters_read(h).deferred_open, 0);
}

static bool wait_for(size_t count)
{
	for (int i = 0; i < 2000 && waiting_count() < count; i++)
		testing_sleep_ms(2);
	return waiting_count() == count;
}

static struct http_response *accepted(void)
{
	struct http_response *r = NULL;
	struct http_response_options o = {.status = 202, .body = "ok", .body_len = 2};

	assert_int_equal(http_response_make(&o, &r, NULL), WD_OK);
	return r;
}

static void finish_all(struct http *h, struct http_response *r)
{
	static struct http_finished batch[TOKENS_MAX];

	pthread_mutex_lock(&waiting.lock);
	size_t count = waiting.count;
	for (size_t i = 0; i < count; i++)
		batch[i] = (struct http_finished){waiting.tokens[i], http_response_ref(r)};
	waiting.count = 0;
	pthread_mutex_unlock(&waiting.lock);
	http_finish(h, batch, count);
}

static struct http *open_with(uint32_t answer_ms, unsigned workers)
{
	struct http_handler handler = {.handle = handle};
	struct http_options o = testing_options();

	o.answer_ms = answer_ms;
	o.workers = workers;
	waiting.count = 0;
	return testing_open(&o, &handler);
}

#define POST "POST /r HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

static void a_batch_answers_all_who_wait(void **state)
{
	struct http *h = open_with(60000, 3);
	struct http_response *r = accepted();
	static int fds[500];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 500; i++) {
			if (round == 0)
				fds[i] = testing_connect(h, NULL);
			testing_send(fds[i], POST);
		}
		assert_true(wait_for(500));
		assert_int_equal(http_counters_read(h).deferred_open, 500);
		finish_all(h, r);
		for (size_t i = 0; i < 500; i++) {
			testing_read(fds[i], &answer, true);
			assert_int_equal(answer.status, 202);
			assert_string_equal(testing_body(&answer), "ok");
		}
	}
	for (size_t i = 0; i < 500; i++)
		close(fds[i]);
	assert_int_equal(http_counters_read(h).deferred, 1500);
	http_close(h);
	http_response_unref(r);
}

/* One worker asks of 512 of them each turn and lets the others rest (ASKING_MAX). */
static void more_may_wait_than_are_asked(void **state)
{
	enum { MANY = 640 };
	static int fds[MANY];
	static char body[16001];
	struct rlimit files;
	struct http *h;
	struct http_response *r = accepted();

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = 4096;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		skip(); /* the user's limit is lower */
	h = open_with(60000, 1);
	memset(body, 'b', sizeof(body) - 1);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < MANY; i++) {
			if (round == 0)
				fds[i] = testing_connect(h, NULL);
			testing_send(fds[i], POST);
		}
		assert_true(wait_for(MANY));
		/* Those who do not wait get on: a page, and a body of several readings. */
		testing_ask(h, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
		assert_int_equal(answer.status, 404);
		int large = testing_connect(h, NULL);
		testing_send(large, "POST /r HTTP/1.1\r\nHost: a\r\nContent-Length: 16000\r\n\r\n");
		testing_send(large, body);
		assert_true(wait_for(MANY + 1));
		finish_all(h, r);
		testing_read(large, &answer, true);
		assert_int_equal(answer.status, 202);
		close(large);
		for (size_t i = 0; i < MANY; i++) {
			testing_read(fds[i], &answer, true);
			assert_int_equal(answer.status, 202);
		}
	}
	for (size_t i = 0; i < MANY; i++)
		close(fds[i]);
	http_close(h);
	http_response_unref(r);
}

static void *finish_one_by_one(void *arg)
{
	struct http_response *r = accepted();

	for (size_t i = waiting.count; i-- > 0;) {
		struct http_finished one = {waiting.tokens[i], http_response_ref(r)};
		http_finish(arg, &one, 1);
	}
	http_response_unref(r);
	return NULL;
}

/* Clients go before, while and after their answer is on its way to them, and others come. */
static void clients_may_go_while_the_answer_comes(void **state)
{
	enum { CLIENTS = 200, ROUNDS = 20 };
	struct http *h = open_with(60000, 1);
	struct http_response *r = accepted();
	struct linger now = {.l_onoff = 1};
	pthread_t thread;
	int fds[CLIENTS];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		/* The first answer, so that the library watches them all. */
		for (size_t i = 0; i < CLIENTS; i++) {
			fds[i] = testing_connect(h, NULL);
			testing_send(fds[i], POST);
		}
		assert_true(wait_for(CLIENTS));
		finish_all(h, r);
		for (size_t i = 0; i < CLIENTS; i++) {
			testing_read(fds[i], &answer, true);
			testing_send(fds[i], POST);
		}
		assert_true(wait_for(CLIENTS));
		assert_int_equal(pthread_create(&thread, NULL, finish_one_by_one, h), 0);
		for (size_t i = 0; i < CLIENTS; i++) {
			if (i % 10 == 0)
				continue;
			setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
			close(fds[i]);
		}
		pthread_join(thread, NULL);
		waiting.count = 0;
		for (size_t i = 0; i < CLIENTS; i += 10) {
			testing_read(fds[i], &answer, true);
			assert_int_equal(answer.status, 202);
			close(fds[i]);
		}
	}
	assert_all_have_gone(h);
	http_close(h);
	http_response_unref(r);
}

static void finishing_after_the_client_has_gone_is_harmless(void **state)
{
	struct http *h = open_with(60000, 1);
	struct http_response *r = accepted();

	(void)state;
	for (int i = 0; i < 100; i++) {
		int fd = testing_connect(h, NULL);
		struct linger now = {.l_onoff = 1};
		testing_send(fd, POST);
		assert_true(wait_for((size_t)i + 1));
		if (i % 2 == 0) /* half of them by reset */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
	finish_all(h, r);
	testing_ask(h, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_int_equal(answer.status, 404);
	assert_all_have_gone(h);
	http_close(h);
	http_response_unref(r);
}

static void a_late_answer_was_a_503_and_is_dropped(void **state)
{
	struct http *h = open_with(100, 1);
	struct http_response *r = accepted();
	int fd = testing_connect(h, NULL);

	(void)state;
	testing_send(fd, POST);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 503);
	assert_string_equal(testing_field(&answer, "Retry-After"), "10");
	/* The same connection waits again when the old token is finished. */
	struct http_token old = waiting.tokens[0];
	waiting.count = 0;
	testing_send(fd, POST);
	assert_true(wait_for(1));
	struct http_finished late = {old, http_response_ref(r)};
	http_finish(h, &late, 1);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 503);
	assert_int_equal(http_counters_read(h).deferred_late, 2);
	close(fd);
	finish_all(h, r);
	http_close(h);
	http_response_unref(r);
}

static void a_pipelined_request_waits_for_the_one_before(void **state)
{
	struct http *h = open_with(60000, 1);
	struct http_response *r = accepted();
	int fd = testing_connect(h, NULL);

	(void)state;
	testing_send(fd, POST "GET /now HTTP/1.1\r\nHost: a\r\n\r\n" POST);
	assert_true(wait_for(1));
	testing_sleep_ms(20);
	assert_int_equal(waiting_count(), 1);
	finish_all(h, r);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 202);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 404);
	assert_true(wait_for(1));
	finish_all(h, r);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 202);
	close(fd);
	http_close(h);
	http_response_unref(r);
}

static void no_response_is_a_500(void **state)
{
	struct http *h = open_with(60000, 1);
	int fd = testing_connect(h, NULL);

	(void)state;
	testing_send(fd, POST);
	assert_true(wait_for(1));
	http_finish(h, &(struct http_finished){waiting.tokens[0], NULL}, 1);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 500);
	close(fd);
	http_close(h);
}

static void closing_answers_503_to_those_who_still_wait(void **state)
{
	struct http *h = open_with(60000, 2);
	struct http_response *r = accepted();
	int fds[20];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		fds[i] = testing_connect(h, NULL);
		testing_send(fds[i], POST POST);
	}
	assert_true(wait_for(20));
	uint64_t before = testing_now_ms();
	http_stop(h, 50);
	assert_true(testing_now_ms() - before < 5000);
	for (size_t i = 0; i < 20; i++) {
		testing_read(fds[i], &answer, true);
		assert_int_equal(answer.status, 503);
		close(fds[i]);
	}
	finish_all(h, r); /* stopped, not closed: dropped */
	http_close(h);
	http_response_unref(r);
}

static void *finish_soon(void *arg)
{
	struct http_response *r = accepted();

	testing_sleep_ms(100);
	finish_all(arg, r);
	http_response_unref(r);
	return NULL;
}

static void a_graceful_stop_waits_for_answers(void **state)
{
	struct http *h = open_with(60000, 2);
	pthread_t thread;
	int fd = testing_connect(h, NULL), idle = testing_connect(h, NULL);

	(void)state;
	testing_send(fd, POST);
	assert_true(wait_for(1));
	assert_int_equal(pthread_create(&thread, NULL, finish_soon, h), 0);
	uint64_t before = testing_now_ms();
	http_stop(h, 10000);
	assert_true(testing_now_ms() - before < 5000);
	pthread_join(thread, NULL);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 202);
	assert_true(testing_closes(idle, 1000));
	close(fd);
	close(idle);
	http_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_answers_all_who_wait),
		cmocka_unit_test(more_may_wait_than_are_asked),
		cmocka_unit_test(clients_may_go_while_the_answer_comes),
		cmocka_unit_test(finishing_after_the_client_has_gone_is_harmless),
		cmocka_unit_test(a_late_answer_was_a_503_and_is_dropped),
		cmocka_unit_test(a_pipelined_request_waits_for_the_one_before),
		cmocka_unit_test(no_response_is_a_500),
		cmocka_unit_test(closing_answers_503_to_those_who_still_wait),
		cmocka_unit_test(a_graceful_stop_waits_for_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
