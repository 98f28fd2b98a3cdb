/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_internal.h"

#include "base/check.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- options -------------------------------------------------------------------------- */

struct http_options http_options_default(void)
{
	static const char *const LISTEN[] = {"127.0.0.1:8080"};

	return (struct http_options){
		.listen = LISTEN,
		.listen_count = 1,
		.workers = 2,
		.connections_max = 16384,
		.connections_per_address_max = 64,
		.accepts_per_s_max = 20000,
		.accepts_per_address_per_s_max = 100,
		.streams_max = 12000,
		.streams_per_address_max = 16,
		.body_max = 16384,
		.bodies_max = 64u << 20,
		.head_ms = 10000,
		.idle_ms = 30000,
		.body_ms = 20000,
		.answer_ms = 10000,
		.write_ms = 30000,
		.heartbeat_ms = 15000,
		.ring_bytes = 1u << 20,
	};
}

static enum wd_err options_check(const struct http_options *o, struct wd_why *why)
{
	if (o->listen_count < 1 || o->listen_count > LISTEN_MAX)
		return wd_fail(why, WD_MALFORMED, 0, "listen addresses: 1 to 16");
	if (o->workers < 1 || o->workers > WORKERS_MAX)
		return wd_fail(why, WD_MALFORMED, 0, "workers: 1 to 64");
	if (o->connections_max < 1 || o->connections_max > 1u << 20)
		return wd_fail(why, WD_MALFORMED, 0, "connections_max: 1 to 1048576");
	if (o->ring_bytes < 4 * HTTP_EVENT_MAX || o->ring_bytes > 1u << 30)
		return wd_fail(why, WD_MALFORMED, 0, "ring_bytes: 64 KiB to 1 GiB");
	if (o->head_ms == 0 || o->idle_ms == 0 || o->body_ms == 0 || o->answer_ms == 0 ||
	    o->write_ms == 0 || o->heartbeat_ms == 0)
		return wd_fail(why, WD_MALFORMED, 0, "deadlines are at least 1 ms");
	return WD_OK;
}

/* Descriptors the rest of the program needs: the store, logs, the workers' own. */
enum { DESCRIPTORS_KEPT = 128 };

static uint32_t connections_allowed(uint32_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	    wanted + DESCRIPTORS_KEPT <= limit.rlim_cur)
		return wanted;
	return limit.rlim_cur > 2 * DESCRIPTORS_KEPT ? (uint32_t)limit.rlim_cur - DESCRIPTORS_KEPT
						     : DESCRIPTORS_KEPT;
}

/* ---- opening ----------------------------------------------------------------------------- */

static enum wd_err addresses_read(struct http *h, struct wd_why *why)
{
	const struct http_options *o = &h->o;

	for (size_t i = 0; i < o->listen_count; i++)
		if (!http_listen_read(o->listen[i], &h->listen[i], &h->listen_len[i]))
			return wd_fail(why, WD_MALFORMED, (uint32_t)i,
				       "listen address: want 127.0.0.1:8080 or [::]:8080");
	h->listen_count = o->listen_count;
	h->trusted = calloc(o->trusted_count + 1, sizeof(*h->trusted));
	if (h->trusted == NULL)
		return wd_fail(why, WD_NOMEM, 0, "trusted proxies");
	for (size_t i = 0; i < o->trusted_count; i++)
		if (!http_prefix_read(o->trusted[i], &h->trusted[i]))
			return wd_fail(why, WD_MALFORMED, (uint32_t)i,
				       "trusted proxy: want 192.0.2.1, 10.0.0.0/8 or ::1");
	h->trusted_count = o->trusted_count;
	return WD_OK;
}

static enum wd_err shared_open(struct http *h, struct wd_why *why)
{
	static const int STATUS[REFUSALS] = {400, 405, 411, 412, 413, 429, 431, 500, 501, 503};
	struct http_limit_options l = {
		.connections_max = h->o.connections_max,
		.connections_per_address_max = h->o.connections_per_address_max,
		.accepts_per_s_max = h->o.accepts_per_s_max,
		.accepts_per_address_per_s_max = h->o.accepts_per_address_per_s_max,
		.streams_max = h->o.streams_max,
		.streams_per_address_max = h->o.streams_per_address_max,
	};

	if (http_limit_open(&l, &h->limit) != WD_OK ||
	    http_ring_open(h->o.ring_bytes, &h->ring) != WD_OK)
		return wd_fail(why, WD_NOMEM, 0, "limits and event ring");
	for (size_t i = 0; i < REFUSALS; i++)
		if ((h->refusals[i] = STATUS[i] == 405 ?
					      http_response_not_allowed("GET, OPTIONS") :
					      http_response_problem(STATUS[i], NULL)) == NULL)
			return wd_fail(why, WD_NOMEM, 0, "refusals");
	return WD_OK;
}

static enum wd_err workers_start(struct http *h, struct wd_why *why)
{
	sigset_t all, before;
	int failed = 0;

	/* Signals are for the main thread; SIGPIPE for nobody. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < h->worker_count && failed == 0; i++) {
		struct worker *w = &h->workers[i];
		failed = pthread_create(&w->thread, NULL, worker_main, w);
		w->started = failed == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0 ? WD_OK : wd_fail_os(why, failed, "start worker thread");
}

enum wd_err http_open(const struct http_options *o, const struct http_handler *handler,
		      struct http **ret_http, struct wd_why *why)
{
	enum wd_err err = options_check(o, why);
	struct http *h;

	if (err != WD_OK)
		return err;
	if (sodium_init() < 0 || (h = calloc(1, sizeof(*h))) == NULL)
		return wd_fail(why, WD_NOMEM, 0, "server");
	h->o = *o;
	h->handler = *handler;
	h->o.connections_max = connections_allowed(o->connections_max);
	h->workers = calloc(o->workers, sizeof(*h->workers));
	if (h->workers == NULL) {
		err = wd_fail(why, WD_NOMEM, 0, "workers");
		goto fail;
	}
	h->worker_count = o->workers;
	for (unsigned i = 0; i < h->worker_count; i++) {
		struct worker *w = &h->workers[i];
		w->http = h;
		w->index = i;
		w->epoll = w->wake = -1;
		/* The kernel spreads connections by hash, not evenly: any worker may be given
		 * them all, and the limits count the sum. Unused slots cost no memory. */
		w->conns_max = h->o.connections_max;
		pthread_mutex_init(&w->finish_lock, NULL);
	}
	if ((err = addresses_read(h, why)) != WD_OK || (err = shared_open(h, why)) != WD_OK ||
	    (err = listen_open(h, why)) != WD_OK)
		goto fail;
	for (unsigned i = 0; i < h->worker_count; i++)
		if ((err = worker_open(&h->workers[i], why)) != WD_OK)
			goto fail;
	atomic_store(&h->workers[0].counters[COUNTER_INDEX(connections_max)],
		     h->o.connections_max);
	if ((err = workers_start(h, why)) != WD_OK)
		goto fail;
	*ret_http = h;
	return WD_OK;
fail:
	http_close(h);
	return err;
}

uint16_t http_port(const struct http *h, size_t listen_index)
{
	const struct sockaddr_storage *ss = &h->listen[listen_index];

	WD_CHECK(listen_index < h->listen_count);
	return ntohs(ss->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)ss)->sin6_port
					       : ((const struct sockaddr_in *)ss)->sin_port);
}

/* ---- closing ------------------------------------------------------------------------------- */

void http_stop(struct http *h, uint32_t grace_ms)
{
	if (h->stopped)
		return;
	atomic_store(&h->stop_at_ms, clock_ms() + grace_ms);
	atomic_store(&h->stopping, 1);
	for (unsigned i = 0; i < h->worker_count; i++)
		if (h->workers[i].started)
			worker_wake(&h->workers[i]);
	for (unsigned i = 0; i < h->worker_count; i++)
		if (h->workers[i].started)
			pthread_join(h->workers[i].thread, NULL);
	h->stopped = true;
}

void http_close(struct http *h)
{
	if (h == NULL)
		return;
	http_stop(h, 0);
	for (unsigned i = 0; i < h->worker_count; i++)
		worker_close(&h->workers[i]);
	for (size_t i = 0; i < REFUSALS; i++)
		http_response_unref(h->refusals[i]);
	http_ring_close(h->ring);
	http_limit_close(h->limit);
	free(h->trusted);
	free(h->workers);
	free(h);
}

/* ---- deferred answers ------------------------------------------------------------------- */

/* A token: worker in 8 bits, slot in 24, generation of the slot in 32. */
enum { SLOT_BITS = 24 };

void worker_wake(struct worker *w)
{
	uint64_t one = 1;

	/* It fails only when the counter is full: then the worker is being woken anyway. */
	if (write(w->wake, &one, sizeof(one)) < 0)
		return;
}

struct http_token conn_defer(struct conn *c)
{
	struct worker *w = c->worker;
	uint64_t slot = (uint64_t)(c - w->conns);

	pthread_mutex_lock(&w->finish_lock);
	c->generation++;
	c->deferred = true;
	c->finished = false;
	c->answer = NULL;
	c->answer_came = false;
	uint64_t id = ((uint64_t)w->index << SLOT_BITS | slot) << 32 | c->generation;
	pthread_mutex_unlock(&w->finish_lock);
	COUNT(w, deferred);
	COUNT(w, deferred_open);
	return (struct http_token){id};
}

void conn_wait(struct conn *c)
{
	struct worker *w = c->worker;

	if (w->asking == ASKING_MAX) {
		MHD_suspend_connection(c->mhd);
		return;
	}
	c->asking = true;
	w->asking++;
}

bool conn_is_waiting(const struct conn *c)
{
	return c->asking && !c->answer_came;
}

/* Takes the answer if the connection still waits for it. */
static bool finish_locked(struct worker *w, struct conn *c, struct http_response *answer)
{
	if (!c->deferred || c->finished)
		return false;
	c->finished = true;
	c->answer = answer;
	c->next_finished = NULL;
	if (w->finished_last != NULL)
		w->finished_last->next_finished = c;
	else
		w->finished_first = c;
	w->finished_last = c;
	return true;
}

bool conn_finish_inside(struct conn *c, struct http_response *answer)
{
	pthread_mutex_lock(&c->worker->finish_lock);
	bool taken = finish_locked(c->worker, c, answer);
	pthread_mutex_unlock(&c->worker->finish_lock);
	if (!taken)
		http_response_unref(answer);
	return taken;
}

static unsigned token_worker(struct http_token t)
{
	return (unsigned)(t.id >> (32 + SLOT_BITS));
}

/* The batch's answers for one worker, under one lock and with one wake-up. */
static void finish_worker(struct worker *w, const struct http_finished *batch, size_t count)
{
	bool any = false;

	pthread_mutex_lock(&w->finish_lock);
	for (size_t i = 0; i < count; i++) {
		uint64_t id = batch[i].token.id;
		uint32_t slot = (id >> 32) & ((1u << SLOT_BITS) - 1);
		if (token_worker(batch[i].token) != w->index)
			continue;
		WD_CHECK(slot < w->conns_max);
		if (w->conns[slot].generation == (uint32_t)id &&
		    finish_locked(w, &w->conns[slot], batch[i].response))
			any = true;
		else
			http_response_unref(batch[i].response);
	}
	pthread_mutex_unlock(&w->finish_lock);
	if (any)
		worker_wake(w);
}

void http_finish(struct http *h, const struct http_finished *batch, size_t count)
{
	bool used[WORKERS_MAX] = {false};

	for (size_t i = 0; i < count; i++) {
		WD_CHECK(token_worker(batch[i].token) < h->worker_count);
		used[token_worker(batch[i].token)] = true;
	}
	for (unsigned i = 0; i < h->worker_count; i++)
		if (used[i])
			finish_worker(&h->workers[i], batch, count);
}

size_t worker_resume_finished(struct worker *w)
{
	size_t count = 0;

	pthread_mutex_lock(&w->finish_lock);
	struct conn *c = w->finished_first;
	w->finished_first = w->finished_last = NULL;
	pthread_mutex_unlock(&w->finish_lock);
	/* The links stay: a finished connection enters no list before its answer is taken. */
	for (; c != NULL; c = c->next_finished, count++) {
		c->answer_came = true;
		if (!c->asking)
			MHD_resume_connection(c->mhd);
	}
	return count;
}

/* The client went just when the answer came. */
static void leave_finished_locked(struct worker *w, struct conn *c)
{
	struct conn *before = NULL;

	for (struct conn *i = w->finished_first; i != c; i = i->next_finished)
		before = i;
	if (before != NULL)
		before->next_finished = c->next_finished;
	else
		w->finished_first = c->next_finished;
	if (w->finished_last == c)
		w->finished_last = before;
}

bool conn_take_answer(struct conn *c, struct http_response **ret_answer)
{
	struct worker *w = c->worker;

	pthread_mutex_lock(&w->finish_lock);
	bool taken = c->deferred && c->finished;
	if (taken) {
		*ret_answer = c->answer;
		c->answer = NULL;
	}
	if (c->finished && !c->answer_came)
		leave_finished_locked(w, c);
	c->deferred = c->finished = false;
	pthread_mutex_unlock(&w->finish_lock);
	w->asking -= c->asking;
	c->asking = false;
	COUNT_DOWN(w, deferred_open);
	return taken;
}

/* ---- events and counters ---------------------------------------------------------------- */

enum wd_err http_stream_publish(struct http *h, const char *name, const char *data, size_t len)
{
	enum wd_err err = http_ring_publish(h->ring, name, data, len);

	if (err != WD_OK)
		return err;
	for (unsigned i = 0; i < h->worker_count; i++)
		worker_wake(&h->workers[i]);
	return WD_OK;
}

struct http_counters http_counters_read(const struct http *h)
{
	struct http_counters sum;
	uint64_t sums[sizeof(sum) / sizeof(uint64_t)] = {0};

	for (unsigned i = 0; i < h->worker_count; i++)
		for (size_t k = 0; k < WD_COUNT(sums); k++)
			sums[k] += atomic_load_explicit(&h->workers[i].counters[k],
							memory_order_relaxed);
	memcpy(&sum, sums, sizeof(sum));
	sum.stream_events = http_ring_events(h->ring);
	return sum;
}
