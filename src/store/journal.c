/* SPDX-License-Identifier: Apache-2.0 */
/* journal: one mutex guards all but the batch being committed, which is the writer's alone.
 *
 *   free ──► filling ──► (committing) ──► queue ──► (consumer) ──► free
 */
#include "store/journal.h"

#include "base/check.h"
#include "store/stamps.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	QUEUE_MAX = 1024, /* items; seconds wait for room, batches have theirs reserved */
	QUIET_S = 60,     /* then an empty batch; also the longest time told by single seconds */
	BACKOFF_MS = 100,
	BACKOFF_MS_MAX = 5000,
};

struct journal_batch {
	struct journal_batch *next; /* in the free list */
	uint8_t *bytes;
	size_t len;
	uint32_t count;
};

/* Two, changing places: one fills while the other is answered. */
struct ticket_list { struct journal_ticket *items; size_t count; };

struct journal {
	struct journal_options options;
	pthread_mutex_t lock;
	pthread_cond_t work;    /* the writer waits here */
	pthread_cond_t arrived; /* the consumer waits here */
	pthread_t writer;
	bool writing; /* the thread exists */
	bool stop, stopped;
	bool woken; /* the consumer, who has not looked yet */
	bool idle; /* the writer waits: whoever brings work wakes it */
	bool damaged; /* the database: somebody else found it so */
	struct journal_batch *batches, *free, *filling;
	struct ticket_list tickets[2];
	int ticket_side; /* the one that fills */
	struct journal_item queue[QUEUE_MAX];
	size_t queue_first, queue_count;
	struct stamps stamps;
	wd_wall given; /* the latest time in the queue; 0 = none yet */
	struct journal_counters counters;
	/* The writer's own. */
	wd_wall committed;  /* stamp of the last batch */
	wd_wall ticked;     /* last second given out */
	bool present;       /* a batch was committed since the start */
	wd_mono next_try;
	int64_t backoff_ms; /* 0 = commits work */
	wd_mono commit_begun;
};

static wd_wall system_wall(void *ctx)
{
	struct timespec t;
	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &t);
	return wall_of_clock(t.tv_sec, t.tv_nsec);
}

static wd_mono system_mono(void *ctx)
{
	struct timespec t;
	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (wd_mono){t.tv_sec * WD_NS_PER_S + t.tv_nsec};
}

/* With the lock held: readings and their use must not overtake each other. */
static wd_wall stamp_now(struct journal *j)
{
	const struct journal_clock *c = &j->options.clock;
	return stamps_next(&j->stamps, c->wall(c->ctx), c->mono(c->ctx));
}

/* Waits on the real clock, whatever clock stamps are made from. */
static void wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, wd_span patience)
{
	wd_mono until = mono_add(system_mono(NULL), patience);
	struct timespec t = {until.ns / WD_NS_PER_S, until.ns % WD_NS_PER_S};
	pthread_cond_timedwait(cond, lock, &t);
}

static void queue_add(struct journal *j, struct journal_item item)
{
	WD_CHECK(j->queue_count < QUEUE_MAX);
	WD_CHECK(!wall_before(item.now, j->given));
	j->queue[(j->queue_first + j->queue_count++) % QUEUE_MAX] = item;
	j->given = item.now;
	pthread_cond_signal(&j->arrived);
}

/* Gives out the whole seconds up to now that are due. Without room, or after a jump, they are
 * left out: the next batch tells. */
static void give_ticks(struct journal *j, wd_wall now)
{
	if (!j->present || j->backoff_ms != 0 ||
	    wall_sub(now, j->given).ns > QUIET_S * WD_NS_PER_S)
		return;
	for (wd_wall t = store_tick_after(j->given); !wall_before(now, t);
	     t = store_tick_after(t)) {
		if (j->queue_count + j->options.batches >= QUEUE_MAX)
			return;
		queue_add(j, (struct journal_item){.now = t});
		j->ticked = t;
	}
}

/* Finds the ticket of an observation by its place in the batch; places come in rising order. */
struct duplicate_finder { struct ticket_list *tickets; size_t at; uint32_t begin; };

static void count_duplicate(void *ctx, uint32_t index)
{
	struct duplicate_finder *f = ctx;
	struct ticket_list *list = f->tickets;
	while (f->at < list->count && index >= f->begin + list->items[f->at].count)
		f->begin += list->items[f->at++].count;
	if (f->at < list->count)
		list->items[f->at].duplicates++;
}

static void note_time(struct journal *j, wd_span took)
{
	j->counters.commit_last = took;
	if (took.ns > j->counters.commit_max.ns)
		j->counters.commit_max = took;
}

static void note_failure(struct journal *j, const struct wd_why *why)
{
	j->counters.failures++;
	j->counters.err = why->err;
	j->counters.os_errno = why->os_errno;
	j->counters.what = why->what;
	j->backoff_ms = j->backoff_ms == 0 ? BACKOFF_MS :
			j->backoff_ms * 2 < BACKOFF_MS_MAX ? j->backoff_ms * 2 : BACKOFF_MS_MAX;
	j->next_try = mono_add(system_mono(NULL), span_ms(j->backoff_ms));
}

static void note_success(struct journal *j, const struct journal_batch *b, uint32_t brought)
{
	j->counters.commits++;
	j->counters.observations += b->count;
	j->counters.bytes += b->len;
	j->counters.duplicates += brought - b->count;
	j->counters.err = WD_OK;
	j->counters.os_errno = 0;
	j->counters.what = NULL;
	j->backoff_ms = 0;
	j->present = true;
}

static void release(struct journal *j, struct journal_batch *b)
{
	b->len = 0;
	b->count = 0;
	if (j->filling == NULL) {
		j->filling = b;
	} else {
		b->next = j->free;
		j->free = b;
	}
	if (j->idle)
		pthread_cond_signal(&j->work);
}

/* Outside the lock: the slow part. */
static enum wd_err write_batch(struct journal *j, struct store_batch *row,
			       struct ticket_list *tickets, struct wd_why *why)
{
	struct duplicate_finder finder = {.tickets = tickets};
	j->commit_begun = system_mono(NULL);
	return store_append(j->options.store, row, count_duplicate, &finder, why);
}

/* Commits what is filled, hands it on and answers. Called and returns with the lock held. */
static void commit(struct journal *j)
{
	struct journal_batch *b = j->filling;
	struct ticket_list *tickets = &j->tickets[j->ticket_side];
	uint32_t brought = b->count;
	struct wd_why why = {0};

	j->filling = j->free;
	if (j->free != NULL)
		j->free = j->free->next;
	j->ticket_side ^= 1;
	wd_wall stamp = stamp_now(j);
	give_ticks(j, stamp);
	struct store_batch row = {.stamp = stamp, .ticked = j->ticked, .frames = b->bytes,
				  .len = b->len, .count = b->count};
	pthread_mutex_unlock(&j->lock);
	enum wd_err err = write_batch(j, &row, tickets, &why);
	pthread_mutex_lock(&j->lock);
	note_time(j, mono_sub(system_mono(NULL), j->commit_begun));
	if (err == WD_OK) {
		b->len = row.len;
		b->count = row.count;
		note_success(j, b, brought);
		j->committed = stamp;
		queue_add(j, (struct journal_item){.now = stamp, .seq = row.seq, .frames = b->bytes,
						   .len = b->len, .count = b->count, .batch = b});
	} else {
		note_failure(j, &why);
		release(j, b);
	}
	pthread_mutex_unlock(&j->lock);
	if (j->options.on_done != NULL && tickets->count > 0)
		j->options.on_done(j->options.ctx, &(struct journal_done){
			.err = err, .what = why.what, .stamp = stamp,
			.tickets = tickets->items, .count = tickets->count});
	pthread_mutex_lock(&j->lock);
	tickets->count = 0;
}

static bool has_work(const struct journal *j)
{
	return j->filling != NULL && j->tickets[j->ticket_side].count > 0;
}

/* An empty batch is due: the first, the one of a quiet minute, a jump, or a try after a failure. */
static bool wants_batch(const struct journal *j, wd_wall now)
{
	return !j->present || j->backoff_ms != 0 || j->damaged ||
	       wall_sub(now, j->committed).ns >= QUIET_S * WD_NS_PER_S ||
	       wall_sub(now, j->given).ns > QUIET_S * WD_NS_PER_S;
}

/* How long the writer must wait before its next commit; 0 or less = none. */
static wd_span commit_wait(const struct journal *j)
{
	wd_mono now = system_mono(NULL);
	wd_mono due = mono_add(j->commit_begun, j->options.gather);
	if (j->backoff_ms != 0 && due.ns < j->next_try.ns)
		due = j->next_try;
	return mono_sub(due, now);
}

static void wait_for_work(struct journal *j, wd_span patience)
{
	j->idle = true;
	wait_for(&j->work, &j->lock, patience);
	j->idle = false;
}

/* Unless the database is damaged, there is nothing to do but to try again. */
static void mend(struct journal *j, wd_wall now)
{
	if (j->counters.err != WD_MALFORMED && !j->damaged)
		return;
	j->damaged = false; /* where it stays so the commit says it */
	j->counters.repairs++;
	pthread_mutex_unlock(&j->lock);
	struct wd_why why;
	enum wd_err err = store_repair(j->options.store, now, &why);
	pthread_mutex_lock(&j->lock);
	/* Where it was not mended the commit says so. */
	if (err == WD_OK && j->counters.err == WD_MALFORMED)
		j->counters.err = WD_OS;
}

static void *write_on(void *ctx)
{
	struct journal *j = ctx;

	pthread_mutex_lock(&j->lock);
	while (!j->stop) {
		wd_wall now = stamp_now(j);
		if ((has_work(j) || wants_batch(j, now)) && j->filling != NULL) {
			wd_span wait = commit_wait(j);
			if (wait.ns <= 0) {
				mend(j, now);
				commit(j);
			} else {
				/* Not to be woken by each who brings work. */
				wait_for(&j->work, &j->lock, wait);
			}
			continue;
		}
		give_ticks(j, now);
		wd_span patience = wall_sub(store_tick_after(now), now);
		if (patience.ns > j->options.poll.ns)
			patience = j->options.poll;
		wait_for_work(j, patience);
	}
	if (has_work(j))
		commit(j);
	j->stopped = true;
	pthread_cond_signal(&j->arrived);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

static enum wd_err allocate(struct journal *j, struct wd_why *why)
{
	struct journal_options *o = &j->options;
	j->batches = calloc(o->batches, sizeof(*j->batches));
	if (j->batches == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open journal");
	for (size_t i = 0; i < o->batches; i++) {
		j->batches[i].bytes = malloc(o->batch_bytes);
		if (j->batches[i].bytes == NULL)
			return wd_fail(why, WD_NOMEM, 0, "open journal");
		release(j, &j->batches[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		j->tickets[i].items = calloc(o->tickets, sizeof(struct journal_ticket));
		if (j->tickets[i].items == NULL)
			return wd_fail(why, WD_NOMEM, 0, "open journal");
	}
	return WD_OK;
}

static void set_defaults(struct journal_options *o)
{
	if (o->batch_bytes == 0)
		o->batch_bytes = JOURNAL_BATCH_BYTES;
	if (o->batches == 0)
		o->batches = 8;
	if (o->tickets == 0)
		o->tickets = 65536;
	if (o->gather.ns == 0)
		o->gather = span_ms(2);
	if (o->poll.ns == 0)
		o->poll = span_s(1);
	if (o->clock.wall == NULL)
		o->clock = (struct journal_clock){system_wall, system_mono, NULL};
	WD_CHECK(o->batch_bytes <= STORE_BODY_MAX && o->batches >= 2 &&
		 o->batches <= QUEUE_MAX / 2);
}

enum wd_err journal_open(const struct journal_options *options, struct journal **ret_journal,
			 struct wd_why *why)
{
	struct journal *j = calloc(1, sizeof(*j));
	pthread_condattr_t monotonic;

	if (j == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open journal");
	j->options = *options;
	set_defaults(&j->options);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->work, &monotonic);
	pthread_cond_init(&j->arrived, &monotonic);
	pthread_condattr_destroy(&monotonic);

	struct store_position end = store_end(options->store);
	stamps_init(&j->stamps, end.clock);
	j->given = j->ticked = j->committed = end.clock;
	enum wd_err err = allocate(j, why);
	if (err != WD_OK)
		goto fail;
	int failed = pthread_create(&j->writer, NULL, write_on, j);
	if (failed != 0) {
		err = wd_fail_os(why, failed, "start the journal's thread");
		goto fail;
	}
	j->writing = true;
	*ret_journal = j;
	return WD_OK;
fail:
	journal_close(j);
	return err;
}

void journal_stop(struct journal *j)
{
	if (!j->writing)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_signal(&j->work);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->writer, NULL);
	j->writing = false;
}

void journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	journal_stop(j);
	for (size_t i = 0; j->batches != NULL && i < j->options.batches; i++)
		free(j->batches[i].bytes);
	free(j->batches);
	free(j->tickets[0].items);
	free(j->tickets[1].items);
	pthread_cond_destroy(&j->arrived);
	pthread_cond_destroy(&j->work);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* Why nothing can be taken now; WD_OK if it can. */
static enum wd_err refusal(const struct journal *j, size_t len, struct wd_why *why)
{
	if (j->stop)
		return wd_fail(why, WD_FULL, 0, "the server is stopping");
	if (j->backoff_ms != 0) {
		enum wd_err err = wd_fail(why, j->counters.err, 0, j->counters.what);
		if (why != NULL)
			why->os_errno = j->counters.os_errno;
		return err;
	}
	if (j->filling == NULL || len > j->options.batch_bytes - j->filling->len ||
	    j->tickets[j->ticket_side].count == j->options.tickets)
		return wd_fail(why, WD_FULL, 0, "more comes in than can be written");
	return WD_OK;
}

enum wd_err journal_append(struct journal *j, const uint8_t *frames, size_t len, uint32_t count,
			   void *token, struct wd_why *why)
{
	pthread_mutex_lock(&j->lock);
	enum wd_err err = refusal(j, len, why);
	if (err != WD_OK) {
		j->counters.refused++;
		pthread_mutex_unlock(&j->lock);
		return err;
	}
	struct journal_batch *b = j->filling;
	struct ticket_list *tickets = &j->tickets[j->ticket_side];
	memcpy(b->bytes + b->len, frames, len);
	b->len += len;
	b->count += count;
	tickets->items[tickets->count++] = (struct journal_ticket){.token = token, .count = count};
	if (j->idle) {
		j->idle = false;
		pthread_cond_signal(&j->work);
	}
	pthread_mutex_unlock(&j->lock);
	return WD_OK;
}

wd_wall journal_now(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	wd_wall now = stamp_now(j);
	pthread_mutex_unlock(&j->lock);
	return now;
}

bool journal_take(struct journal *j, wd_span patience, struct journal_item *ret_item)
{
	bool got = false;
	wd_mono until = mono_add(system_mono(NULL), patience);

	pthread_mutex_lock(&j->lock);
	while (j->queue_count == 0 && !j->stopped && !j->woken) {
		wd_span left = mono_sub(until, system_mono(NULL));
		if (left.ns <= 0)
			break;
		wait_for(&j->arrived, &j->lock, left);
	}
	j->woken = false;
	if (j->queue_count > 0) {
		*ret_item = j->queue[j->queue_first];
		j->queue_first = (j->queue_first + 1) % QUEUE_MAX;
		j->queue_count--;
		got = true;
	}
	pthread_mutex_unlock(&j->lock);
	return got;
}

void journal_wake(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	j->woken = true;
	pthread_cond_signal(&j->arrived);
	pthread_mutex_unlock(&j->lock);
}

void journal_give(struct journal *j, struct journal_item *item)
{
	if (item->batch == NULL)
		return;
	pthread_mutex_lock(&j->lock);
	release(j, item->batch);
	pthread_mutex_unlock(&j->lock);
	*item = (struct journal_item){.now = item->now};
}

void journal_repair(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	j->damaged = true;
	pthread_cond_signal(&j->work);
	pthread_mutex_unlock(&j->lock);
}

bool journal_is_told(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	bool told = j->stopped && j->queue_count == 0;
	pthread_mutex_unlock(&j->lock);
	return told;
}

struct journal_counters journal_count(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	struct journal_counters counters = j->counters;
	counters.queued = j->queue_count;
	counters.clock_off = j->stamps.off;
	counters.clock_jumps = j->stamps.jumps;
	pthread_mutex_unlock(&j->lock);
	return counters;
}
