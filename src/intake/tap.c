/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/tap.h"

#include "base/check.h"
#include "intake/tap_inner.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- packets ---- */

void tap_flush(struct tap_worker *w)
{
	if (w->flow_count > 0)
		lane_flows(w->lane, w->flows, w->flow_count);
	w->counts.flows += w->flow_count;
	w->flow_count = 0;
}

void tap_take(struct tap_worker *w, const struct packet *p)
{
	w->counts.packets++;
	w->counts.bytes += p->wire_length;
	enum wd_err err = packet_parse(p, &w->parsing, &w->flows[w->flow_count]);
	if (err == WD_UNKNOWN)
		w->counts.other++;
	else if (err != WD_OK)
		w->counts.broken++;
	else {
		w->flows[w->flow_count].witness = (uint8_t)(w->witness + 1);
		if (++w->flow_count == TAP_GATHER)
			tap_flush(w);
	}
}

/* ---- the thread ---- */

static void tell(struct tap_worker *w, wd_wall now)
{
	if (now.ns >= w->told_at.ns && wall_sub(now, w->told_at).ns < WD_NS_PER_S)
		return;
	w->told_at = now;
	w->counts.dropped += w->tap->way->dropped(w);
	pthread_mutex_lock(&w->lock);
	w->told = w->counts;
	pthread_mutex_unlock(&w->lock);
}

/* Until there may be something to do. Returns false while the interface is gone. */
static bool rest(struct tap_worker *w, bool gone, wd_wall now)
{
	wd_span wait = lane_wait(w->lane, now);
	struct timespec t = {wait.ns / WD_NS_PER_S, wait.ns % WD_NS_PER_S};
	struct pollfd p = {.fd = gone ? -1 : w->fd, .events = POLLIN | POLLERR};

	bool error = ppoll(&p, 1, &t, NULL) > 0 && (p.revents & POLLERR) != 0;
	if (error) {
		w->counts.down++;
		nanosleep(&t, NULL);
	}
	return error || gone ? w->tap->way->mend(w) : true;
}

static void *run(void *arg)
{
	struct tap_worker *w = arg;
	bool gone = false;

	lane_clock(w->lane, lane_now(w->lane)); /* what has come already has its time */
	while (!__atomic_load_n(&w->tap->stop, __ATOMIC_RELAXED)) {
		bool more = !gone && w->tap->way->take(w);
		wd_wall now = lane_now(w->lane);
		if (w->counts.packets != w->heard && w->witness != WITNESS_NONE)
			lane_heard(w->lane, w->witness);
		w->heard = w->counts.packets;
		lane_clock(w->lane, now);
		tell(w, now);
		if (!more)
			gone = !rest(w, gone, now);
	}
	lane_end(w->lane, lane_now(w->lane));
	w->told_at.ns = 0;
	tell(w, lane_now(w->lane));
	return NULL;
}

/* ---- start and stop ---- */

static bool is_watched(const void *context, const struct flow *f)
{
	return lane_watches(context, f);
}

static enum wd_err open_worker(struct tap_worker *w, const struct tap_options *o,
			       struct wd_why *why)
{
	enum wd_err err = lane_open(&o->lane, &w->lane, why);
	if (err != WD_OK)
		return err;
	w->witness = witness_list_interface(lane_witnesses(w->lane), w->tap->interface);
	w->parsing = (struct packet_options){
		.decapsulate = true, .watched = is_watched, .context = w->lane};
	return w->tap->way->open(w, why);
}

static enum wd_err open_workers(struct tap *t, const struct tap_options *options,
				struct wd_why *why)
{
	t->workers = calloc(t->threads, sizeof(*t->workers));
	if (t->workers == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for a tap");
	for (size_t n = 0; n < t->threads; n++) {
		t->workers[n].tap = t;
		t->workers[n].number = (uint32_t)n;
		t->workers[n].fd = -1;
		pthread_mutex_init(&t->workers[n].lock, NULL);
	}
	enum wd_err err = t->way->open_all(t, options, why);
	for (size_t n = 0; err == WD_OK && n < t->threads; n++)
		err = open_worker(&t->workers[n], options, why);
	return err;
}

enum wd_err tap_open(const struct tap_options *options, struct tap **ret_tap,
		     struct wd_why *why)
{
	struct tap *t = calloc(1, sizeof(*t));

	WD_CHECK(options->threads >= 1 && options->threads <= TAP_THREADS_MAX);
	WD_CHECK(strlen(options->interface) < sizeof(t->interface));
	if (t == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for a tap");
	memcpy(t->interface, options->interface, strlen(options->interface));
	t->way = options->xdp ? &tap_xdp : &tap_ring;
	t->threads = t->way->threads(options);
	t->promiscuous = options->promiscuous;
	enum wd_err err = open_workers(t, options, why);
	if (err != WD_OK) {
		tap_close(t);
		return err;
	}
	*ret_tap = t;
	return WD_OK;
}

enum wd_err tap_start(struct tap *t, struct wd_why *why)
{
	for (size_t n = 0; n < t->threads; n++) {
		struct tap_worker *w = &t->workers[n];
		int failed = pthread_create(&w->thread, NULL, run, w);
		if (failed != 0)
			return wd_fail_os(why, failed, "start a tap's thread");
		w->started = true;
	}
	return WD_OK;
}

void tap_stop(struct tap *t)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_RELAXED);
	for (size_t n = 0; t->workers != NULL && n < t->threads; n++) {
		if (t->workers[n].started)
			pthread_join(t->workers[n].thread, NULL);
		t->workers[n].started = false;
	}
}

void tap_close(struct tap *t)
{
	if (t == NULL)
		return;
	tap_stop(t);
	for (size_t n = 0; t->workers != NULL && n < t->threads; n++) {
		struct tap_worker *w = &t->workers[n];
		t->way->close(w);
		lane_close(w->lane);
		pthread_mutex_destroy(&w->lock);
	}
	t->way->close_all(t);
	free(t->workers);
	free(t);
}

size_t tap_threads(const struct tap *t) { return t->threads; }

struct lane *tap_lane(struct tap *t, size_t thread)
{
	WD_CHECK(thread < t->threads);
	return t->workers[thread].lane;
}

void tap_count(struct tap *t, struct tap_counts *sum)
{
	for (size_t n = 0; n < t->threads; n++) {
		struct tap_worker *w = &t->workers[n];
		pthread_mutex_lock(&w->lock);
		struct tap_counts told = w->told;
		pthread_mutex_unlock(&w->lock);
		sum->packets += told.packets;
		sum->bytes += told.bytes;
		sum->dropped += told.dropped;
		sum->flows += told.flows;
		sum->other += told.other;
		sum->broken += told.broken;
		sum->down += told.down;
	}
}
