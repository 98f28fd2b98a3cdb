/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways of docs/storage.md to copy the database while the journal writes. */
#include "store/journal.h"
#include "store/sqlite.h"
#include "store/testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic uint64_t answered;
static _Atomic int stop;

static void on_done(void *ctx, const struct journal_done *done)
{
	(void)ctx;
	if (done->err == WD_OK)
		atomic_fetch_add(&answered, done->count);
}

static void *write_on(void *ctx)
{
	for (uint64_t n = 1; !atomic_load(&stop); n++) {
		uint8_t frame[OBSERVATION_FRAME_MAX];
		struct journal_item item;
		struct observation o = observation_blank(OBSERVATION_REPORT);
		o.service = "x";
		o.person = n;
		size_t len = observation_encode(&o, frame);
		while (journal_append(ctx, frame, len, 1, NULL, NULL) != WD_OK)
			;
		while (journal_take(ctx, (wd_span){0}, &item))
			journal_give(ctx, &item);
	}
	return NULL;
}

static void copy_by_vacuum(const struct folder *from, const char *to)
{
	sqlite3 *db;
	char sql[600];
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", to);
	assert_int_equal(sqlite3_open_v2(folder_file(from, "whydown.db"), &db, SQLITE_OPEN_READWRITE, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* What back-up programs do through SQLite's own interface. */
static void copy_by_backup(const struct folder *from, const char *to)
{
	sqlite3 *source, *copy;
	int rc;
	assert_int_equal(sqlite3_open_v2(folder_file(from, "whydown.db"), &source, SQLITE_OPEN_READWRITE, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_open(to, &copy), SQLITE_OK);
	sqlite3_backup *backup = sqlite3_backup_init(copy, "main", source, "main");
	assert_non_null(backup);
	rc = sqlite3_backup_step(backup, -1); /* all at once: step by step, each commit begins it anew */
	assert_int_equal(rc, SQLITE_DONE);
	sqlite3_backup_finish(backup);
	sqlite3_close(copy);
	sqlite3_close(source);
}

/* All that was answered when it began is in it, in order and once, without a gap. */
static void check_copy(const struct folder *copy, uint64_t at_least)
{
	struct store *s = store_must_open(copy);
	static struct story story;
	story.quiet = true;
	story_tell(s, &story, (struct store_position){0});
	assert_true(story.reports >= at_least);
	assert_int_equal(story.sum, story.reports * (story.reports + 1) / 2);
	assert_int_equal(store_count(s).damages, 0);
	store_close(s);
}

static void a_copy_made_while_writing_is_whole(void **state)
{
	static void (*const ways[])(const struct folder *, const char *) = {copy_by_vacuum, copy_by_backup};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct journal *j = NULL;
	pthread_t writer;
	(void)state;
	assert_int_equal(journal_open(&(struct journal_options){.store = s, .on_done = on_done}, &j, NULL), WD_OK);
	assert_int_equal(pthread_create(&writer, NULL, write_on, j), 0);
	for (int i = 0; i < 6; i++) {
		struct folder copy = folder_make();
		char to[512];
		snprintf(to, sizeof(to), "%s", folder_file(&copy, "whydown.db"));
		while (atomic_load(&answered) < (uint64_t)(i + 1) * 2000)
			;
		uint64_t before = atomic_load(&answered);
		ways[i % 2](&f, to);
		check_copy(&copy, before);
		folder_remove(&copy);
	}
	atomic_store(&stop, 1);
	pthread_join(writer, NULL);
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_copy_made_while_writing_is_whole)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
