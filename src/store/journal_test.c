/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal.h"
#include "store/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* A clock the test moves. Both readings from one number, so that they cannot disagree. */
static _Atomic int64_t clock_ns;
static wd_wall test_wall(void *ctx) { (void)ctx; return (wd_wall){atomic_load(&clock_ns)}; }
static wd_mono test_mono(void *ctx) { (void)ctx; return (wd_mono){atomic_load(&clock_ns)}; }

static void set_clock(double s) { atomic_store(&clock_ns, (int64_t)(s * 1e9)); }

struct answers {
	_Atomic uint64_t calls, tickets, failed, duplicates, observations;
};

static void on_done(void *ctx, const struct journal_done *done)
{
	struct answers *a = ctx;
	for (size_t i = 0; i < done->count; i++) {
		atomic_fetch_add(&a->failed, done->err != WD_OK);
		atomic_fetch_add(&a->duplicates, done->tickets[i].duplicates);
		atomic_fetch_add(&a->observations, done->tickets[i].count);
		/* A token is where its owner wants the answer. */
		if (done->tickets[i].token != NULL)
			atomic_store((_Atomic int *)done->tickets[i].token, done->err == WD_OK ? 1 : -1);
	}
	atomic_fetch_add(&a->tickets, done->count);
	atomic_fetch_add(&a->calls, 1);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static struct journal *open_journal(struct store *s, struct answers *a)
{
	struct journal *j = NULL;
	struct journal_options options = {
		.store = s, .on_done = on_done, .ctx = a, .poll = span_ms(1),
		.batch_bytes = 1 << 16, .batches = 4, .tickets = 64,
		.clock = {test_wall, test_mono, NULL},
	};
	assert_int_equal(journal_open(&options, &j, NULL), WD_OK);
	return j;
}

static void append(struct journal *j, uint64_t number, uint64_t id, void *token)
{
	static struct frames f;
	f = (struct frames){.len = 0};
	frames_add(&f, number, id, "");
	assert_int_equal(journal_append(j, f.bytes, f.len, f.count, token, NULL), WD_OK);
}

/* What an engine would see, written down as a replay is. Waits until `advances` calls of
 * advance have been told. */
static void consume(struct journal *j, struct story *story, uint64_t advances)
{
	struct store_replay h = story_handler(story);
	struct journal_item item;
	while (story->advances < advances && journal_take(j, span_s(10), &item)) {
		h.advance(h.ctx, item.now);
		for (size_t at = 0; at < item.len;) {
			struct observation o;
			size_t len;
			assert_int_equal(observation_decode(item.frames + at, item.len - at, &o, &len, NULL),
					 WD_OK);
			h.observe(h.ctx, &o);
			at += len;
		}
		journal_give(j, &item);
	}
	assert_int_equal(story->advances, advances);
}

static void what_is_answered_is_on_disk_and_told_in_order(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	static struct story live, again;
	_Atomic int answered = 0;
	(void)state;
	live = (struct story){.len = 0};
	set_clock(100.5);
	struct journal *j = open_journal(s, &a);
	consume(j, &live, 1);
	append(j, 7, 0, &answered);
	consume(j, &live, 2);
	while (atomic_load(&answered) == 0)
		nap();
	assert_int_equal(atomic_load(&answered), 1);
	assert_string_equal(live.text, "advance 100.5\nadvance 100.5\nreport 7\n");
	journal_close(j);
	store_close(s);
	s = store_must_open(&f);
	story_tell(s, &again, (struct store_position){0});
	assert_string_equal(again.text, live.text);
	store_close(s);
	folder_remove(&f);
}

/* Seconds with nothing in them, a restart, a jump: the replay makes the calls that were made. */
static void a_replay_makes_the_calls_the_live_program_made(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	static struct story live, again;
	(void)state;
	live = (struct story){.len = 0};
	set_clock(100.5);
	struct journal *j = open_journal(s, &a);
	consume(j, &live, 1);
	set_clock(103.2);
	consume(j, &live, 4);
	append(j, 1, 0, NULL);
	consume(j, &live, 5);
	set_clock(104.9);
	consume(j, &live, 6);
	append(j, 2, 0, NULL);
	consume(j, &live, 7);
	journal_close(j);
	store_close(s);

	s = store_must_open(&f);
	set_clock(500); /* off for a while */
	j = open_journal(s, &a);
	consume(j, &live, 8);
	set_clock(501.1);
	consume(j, &live, 9);
	set_clock(700.1); /* it slept: told as one, without the seconds between */
	consume(j, &live, 10);
	journal_close(j);
	assert_string_equal(live.text,
			    "advance 100.5\nadvance 101\nadvance 102\nadvance 103\n"
			    "advance 103.2\nreport 1\nadvance 104\nadvance 104.9\nreport 2\n"
			    "advance 500\nadvance 501\nadvance 700.1\n");
	story_tell(s, &again, (struct store_position){0});
	assert_string_equal(again.text, live.text);
	store_close(s);
	folder_remove(&f);
}

static void a_quiet_minute_is_on_disk(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	static struct story live, again;
	(void)state;
	live = (struct story){.len = 0};
	set_clock(1000);
	struct journal *j = open_journal(s, &a);
	consume(j, &live, 1);
	for (int i = 1; i <= 59; i++) {
		set_clock(1000 + i);
		consume(j, &live, (uint64_t)i + 1);
	}
	set_clock(1060);
	consume(j, &live, 62); /* second 1060 and the empty batch */
	assert_int_equal(store_end(s).seq, 2);
	story_tell(s, &again, (struct store_position){0});
	assert_string_equal(again.text, live.text);
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

static void each_is_told_of_its_own_duplicates(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	static struct frames frames;
	(void)state;
	set_clock(100);
	struct journal *j = open_journal(s, &a);
	frames = (struct frames){.len = 0};
	for (uint64_t i = 1; i <= 5; i++)
		frames_add(&frames, i, i, "");
	assert_int_equal(journal_append(j, frames.bytes, frames.len, 5, NULL, NULL), WD_OK);
	append(j, 6, 3, NULL);
	append(j, 7, 9, NULL);
	while (atomic_load(&a.tickets) < 3)
		nap();
	assert_int_equal(atomic_load(&a.observations), 7);
	assert_int_equal(atomic_load(&a.duplicates), 1);
	assert_int_equal(journal_count(j).duplicates, 1);
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

static void at_the_bound_it_refuses_and_goes_on_when_there_is_room(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	static struct frames frames;
	struct wd_why why = {0};
	uint32_t taken = 0;
	enum wd_err err;
	(void)state;
	set_clock(100);
	struct journal *j = open_journal(s, &a);
	frames = (struct frames){.len = 0};
	for (uint64_t i = 0; i < 64; i++)
		frames_add(&frames, i, 0, "");
	/* Nobody consumes: four batches of 64 KB can be taken, and no more. */
	for (;;) {
		err = journal_append(j, frames.bytes, frames.len, frames.count, NULL, &why);
		if (err == WD_OK) {
			taken++;
		} else if (journal_count(j).queued == 4) {
			break;
		} else {
			nap();
		}
		assert_true(taken * frames.len <= 4 << 16);
	}
	assert_int_equal(err, WD_FULL);
	assert_string_equal(why.what, "more comes in than can be written");
	assert_true(journal_count(j).refused > 0);
	struct journal_item item;
	assert_true(journal_take(j, span_s(10), &item));
	journal_give(j, &item);
	assert_int_equal(journal_append(j, frames.bytes, frames.len, frames.count, NULL, NULL), WD_OK);
	journal_close(j);
	assert_int_equal(atomic_load(&a.tickets), taken + 1);
	assert_int_equal(atomic_load(&a.failed), 0);
	store_close(s);
	folder_remove(&f);
}

enum { WRITERS = 4, EACH = 500 };
struct writer { struct journal *j; uint64_t first; _Atomic int answered[EACH]; };

static void *write_reports(void *ctx)
{
	struct writer *w = ctx;
	for (uint64_t i = 0; i < EACH; i++) {
		struct observation o = observation_blank(OBSERVATION_REPORT);
		uint8_t frame[OBSERVATION_FRAME_MAX];
		o.service = "x";
		o.person = w->first + i;
		size_t len = observation_encode(&o, frame);
		while (journal_append(w->j, frame, len, 1, &w->answered[i], NULL) != WD_OK)
			nap();
	}
	return NULL;
}

static void many_threads_lose_nothing(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	static struct writer writers[WRITERS];
	static struct story live, again;
	pthread_t threads[WRITERS];
	struct journal_item item;
	(void)state;
	live = (struct story){.quiet = true};
	struct journal *j = NULL;
	assert_int_equal(journal_open(&(struct journal_options){.store = s, .on_done = on_done, .ctx = &a},
				      &j, NULL), WD_OK);
	for (uint64_t i = 0; i < WRITERS; i++) {
		writers[i].j = j;
		writers[i].first = 1 + i * EACH;
		assert_int_equal(pthread_create(&threads[i], NULL, write_reports, &writers[i]), 0);
	}
	struct store_replay h = story_handler(&live);
	uint64_t seq = 0;
	while (live.reports < WRITERS * EACH && journal_take(j, span_s(20), &item)) {
		if (item.seq != 0)
			assert_int_equal(item.seq, ++seq);
		for (size_t at = 0, len; at < item.len; at += len) {
			struct observation o;
			assert_int_equal(observation_decode(item.frames + at, item.len - at, &o, &len, NULL),
					 WD_OK);
			h.observe(h.ctx, &o);
		}
		journal_give(j, &item);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	journal_stop(j);
	for (int i = 0; i < WRITERS; i++)
		for (int k = 0; k < EACH; k++)
			assert_int_equal(atomic_load(&writers[i].answered[k]), 1);
	uint64_t n = WRITERS * EACH;
	assert_int_equal(live.reports, n);
	assert_int_equal(live.sum, n * (n + 1) / 2);
	again.quiet = true;
	story_tell(s, &again, (struct store_position){0});
	assert_int_equal(again.reports, n);
	assert_int_equal(again.sum, n * (n + 1) / 2);
	/* They shared commits. */
	assert_true(journal_count(j).commits < n / 2);
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

static void stopping_answers_all_and_takes_no_more(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	struct journal_item item;
	_Atomic int answered = 0;
	uint64_t observations = 0;
	(void)state;
	set_clock(100);
	struct journal *j = open_journal(s, &a);
	append(j, 1, 0, &answered);
	journal_stop(j);
	assert_int_equal(atomic_load(&answered), 1);
	assert_int_equal(journal_append(j, NULL, 0, 0, NULL, NULL), WD_FULL);
	assert_false(journal_is_told(j));
	while (journal_take(j, span_s(10), &item)) {
		observations += item.count;
		journal_give(j, &item);
	}
	assert_true(journal_is_told(j));
	assert_int_equal(observations, 1);
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_answered_is_on_disk_and_told_in_order),
		cmocka_unit_test(a_replay_makes_the_calls_the_live_program_made),
		cmocka_unit_test(a_quiet_minute_is_on_disk),
		cmocka_unit_test(each_is_told_of_its_own_duplicates),
		cmocka_unit_test(at_the_bound_it_refuses_and_goes_on_when_there_is_room),
		cmocka_unit_test(many_threads_lose_nothing),
		cmocka_unit_test(stopping_answers_all_and_takes_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
