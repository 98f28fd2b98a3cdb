/* SPDX-License-Identifier: Apache-2.0 */
/* The disk says no: the nth write fails, is full, is read-only. What was answered is there. */
#include "store/fault.h"
#include "store/journal.h"
#include "store/sqlite.h"
#include "store/testing.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 6 };

static int told[1024];

static void see_advance(void *ctx, wd_wall now) { (void)ctx; (void)now; }
static void see_report(void *ctx, const struct observation *o)
{
	(void)ctx;
	assert_true(o->person < 1024);
	told[o->person]++;
}

static void read_back(struct store *s)
{
	struct store_position at = {0};
	memset(told, 0, sizeof(told));
	struct store_replay h = {see_advance, see_report, NULL};
	assert_int_equal(store_replay(s, &h, &at, NULL), WD_OK);
}

/* Opens, appends batches of one report each, writes a state, retains, closes, with the fault in
 * the way. acked[i]: report i was said to be durable. Returns how many appends failed. */
static int work(const struct folder *f, bool acked[BATCHES + 1])
{
	struct store *s = NULL;
	struct store_state *w = NULL;
	int failed = 0;
	bool more;
	if (store_open(&(struct store_options){.folder = f->path, .now = wall_s(50)}, &s, NULL) != WD_OK)
		return BATCHES;
	for (int i = 1; i <= BATCHES; i++) {
		static struct frames frames;
		frames = (struct frames){.len = 0};
		frames_add(&frames, (uint64_t)i, (uint64_t)i, "c");
		struct store_batch b = frames_batch(&frames, 100 + i, 0);
		acked[i] = store_append(s, &b, NULL, NULL, NULL) == WD_OK;
		failed += !acked[i];
	}
	if (store_state_begin(s, (struct store_position){store_end(s).seq, store_end(s).clock}, &w, NULL) == WD_OK) {
		if (store_state_add(w, "x", (const uint8_t *)"x", 1, NULL) != WD_OK)
			store_state_drop(w);
		else
			(void)!store_state_end(w, (const uint8_t *)"w", 1, NULL);
	}
	(void)!store_retain(s, wall_s(100), &(struct store_policy){{1}, {1}, {1}}, &more, NULL);
	store_close(s);
	return failed;
}

/* With the nth write failing, once or for good, for every n there is. */
static void a_failed_write_loses_nothing_that_was_answered(void **state)
{
	static const struct { int code; const char *name; } codes[] = {
		{SQLITE_FULL, "full"}, {SQLITE_IOERR_WRITE, "I/O error"}, {SQLITE_IOERR_FSYNC, "sync"},
	};
	(void)state;
	for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++) {
		int stays = c == 0, failures = 0;
		for (int nth = 1, met = 1; met; nth++) {
			struct folder f = folder_make();
			bool acked[BATCHES + 1] = {false};
			fault_set(nth, codes[c].code, stays);
			failures += work(&f, acked) > 0;
			met = fault_count() >= nth;
			fault_set(0, 0, 0);
			struct store *s = store_must_open(&f);
			read_back(s);
			for (int i = 1; i <= BATCHES; i++) {
				if (told[i] > 1 || (acked[i] && told[i] != 1))
					fail_msg("%s at write %d: report %d acknowledged %d, there %d times",
						 codes[c].name, nth, i, acked[i], told[i]);
			}
			int64_t comments = 0, ids = 0, reports = 0;
			for (int i = 1; i <= BATCHES; i++)
				reports += told[i];
			assert_int_equal(store_exec_int(s->db, "SELECT count(*) FROM seen", &ids, "", NULL), WD_OK);
			assert_int_equal(store_exec_int(s->db, "SELECT count(*) FROM comment", &comments, "", NULL), WD_OK);
			assert_int_equal(ids, reports);
			assert_int_equal(comments, reports);
			append_reports(s, 900, 900, 1);
			store_close(s);
			folder_remove(&f);
		}
		assert_true(failures > BATCHES); /* it did get in the way */
	}
}

static bool has_text(struct store *s, const char *sql)
{
	int64_t n = -1;
	assert_int_equal(store_exec_int(s->db, sql, &n, "", NULL), WD_OK);
	return n > 0;
}

/* With the nth write failing, for every n there is: a text leaves its row and the journal, or neither. */
static void a_failed_rejection_is_none(void **state)
{
	static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC};
	(void)state;
	for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++) {
		int failures = 0;
		for (int nth = 1, met = 1; met; nth++) {
			struct folder f = folder_make();
			struct store *s = store_must_open(&f);
			struct comment_decision d;
			static struct frames frames;
			frames = (struct frames){.len = 0};
			frames_add(&frames, 1, 0, "stays");
			frames_add(&frames, 2, 0, "goes");
			struct store_batch b = frames_batch(&frames, 100, 0);
			assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
			fault_set(nth, codes[c], c == 0);
			bool done = store_decide_comment(s, 2, COMMENT_REJECTED, wall_s(101), &d, NULL) == WD_OK;
			met = fault_count() >= nth;
			fault_set(0, 0, 0);
			store_close(s);
			s = store_must_open(&f);
			bool row = has_text(s, "SELECT count(*) FROM comment WHERE text = 'goes'");
			bool journal = has_text(s, "SELECT instr(body, CAST('goes' AS BLOB)) FROM journal");
			assert_true(row == journal && !(done && row));
			assert_true(has_text(s, "SELECT instr(body, CAST('stays' AS BLOB)) FROM journal"));
			failures += !done;
			if (row) /* the disk is well again */
				assert_int_equal(store_decide_comment(s, 2, COMMENT_REJECTED, wall_s(102), &d,
								      NULL), WD_OK);
			read_back(s);
			assert_true(told[1] == 1 && told[2] == 1);
			store_close(s);
			folder_remove(&f);
		}
		assert_true(failures > 0);
	}
}

struct answers { _Atomic int good, bad; };

static void on_done(void *ctx, const struct journal_done *done)
{
	struct answers *a = ctx;
	atomic_fetch_add(done->err == WD_OK ? &a->good : &a->bad, (int)done->count);
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static enum wd_err try_append(struct journal *j, uint64_t number, struct wd_why *why)
{
	static struct frames f;
	f = (struct frames){.len = 0};
	frames_add(&f, number, 0, "");
	return journal_append(j, f.bytes, f.len, 1, NULL, why);
}

/* Takes all there is, so that batches are never what is short; counts seconds given out. */
static int drain(struct journal *j)
{
	struct journal_item item;
	int ticks = 0;
	while (journal_take(j, (wd_span){0}, &item)) {
		ticks += item.seq == 0;
		journal_give(j, &item);
	}
	return ticks;
}

/* Report 1 is in it, and on disk. */
static struct journal *journal_with_one(struct store *s, struct answers *a)
{
	struct journal *j = NULL;
	assert_int_equal(journal_open(&(struct journal_options){.store = s, .on_done = on_done, .ctx = a}, &j,
				      NULL), WD_OK);
	assert_int_equal(try_append(j, 1, NULL), WD_OK);
	while (atomic_load(&a->good) < 1)
		nap();
	return j;
}

static void the_journal_refuses_while_it_cannot_write_and_recovers_by_itself(void **state)
{
	static const struct { int code; enum wd_err err; int os_errno; } cases[] = {
		{SQLITE_FULL, WD_FULL, 0}, {SQLITE_READONLY, WD_OS, EROFS}, {SQLITE_IOERR_WRITE, WD_OS, EIO},
	};
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct folder f = folder_make();
		struct store *s = store_must_open(&f);
		struct answers a = {0};
		struct wd_why why = {0};
		struct journal *j = journal_with_one(s, &a);
		drain(j);
		fault_set(1, cases[c].code, 1);
		assert_int_equal(try_append(j, 2, NULL), WD_OK);
		while (atomic_load(&a.bad) < 1)
			nap();
		/* Nothing is taken now, and the reason is told. */
		assert_int_equal(try_append(j, 3, &why), cases[c].err);
		assert_int_equal(why.os_errno, cases[c].os_errno);
		struct journal_counters n = journal_count(j);
		assert_int_equal(n.err, cases[c].err);
		assert_true(n.refused >= 1 && n.failures >= 1);
		/* The consumer's time stands meanwhile. */
		drain(j);
		nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 200000000}, NULL);
		assert_int_equal(drain(j), 0);
		fault_set(0, 0, 0);
		for (int i = 0; journal_count(j).err != WD_OK; i++) {
			assert_true(i < 5000);
			nap();
		}
		assert_int_equal(try_append(j, 4, NULL), WD_OK);
		while (atomic_load(&a.good) < 2)
			nap();
		assert_int_equal(atomic_load(&a.bad), 1);
		journal_close(j);
		store_close(s);
		s = store_must_open(&f);
		read_back(s);
		assert_int_equal(told[1], 1);
		assert_int_equal(told[2], 0);
		assert_int_equal(told[3], 0);
		assert_int_equal(told[4], 1);
		store_close(s);
		folder_remove(&f);
	}
}

/* SQLite says the file is damaged while running: a new one is made, nothing answered is lost. */
static void count_note(void *ctx, const struct store_damage *d)
{
	(void)d;
	++*(int *)ctx;
}

/* As after a kill: the three files as they are, without what only lives in memory. */
static struct folder killed(const struct folder *f)
{
	static const char *const names[] = {"whydown.db", "whydown.db-wal", "whydown.lock"};
	struct folder copy = folder_make();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char from[100];
		snprintf(from, sizeof(from), "%s", folder_file(f, names[i]));
		file_copy(from, folder_file(&copy, names[i]));
	}
	return copy;
}

/* A commit of many pages fails at its sync, and the log is written over from its begin by a small one:
 * beyond that, pages of the first stand whole, and its end. */
static void what_is_left_of_a_failed_commit_is_no_damage(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct frames frames;
	struct wal_state wal;
	struct wd_why why;
	int notes = 0;
	(void)state;
	append_reports(s, 101, 1, 1);
	fault_set(0, 0, 0);
	append_reports(s, 102, 2, 60);
	int writes = fault_count();
	frames = (struct frames){.len = 0};
	for (uint64_t n = 62; n < 122; n++)
		frames_add(&frames, n, 0, "");
	struct store_batch b = frames_batch(&frames, 103, 0);
	fault_set(writes, SQLITE_IOERR_FSYNC, 0); /* its last is the sync */
	assert_int_equal(store_append(s, &b, NULL, NULL, &why), WD_OS);
	fault_set(0, 0, 0);
	append_reports(s, 104, 122, 1);
	struct folder copy = killed(&f);
	store_close(s);
	folder_remove(&f);
	assert_int_equal(wal_inspect(folder_file(&copy, "whydown.db-wal"), &wal, &why), WD_OK);
	assert_true(wal.damaged); /* it looks so */
	s = store_must_open(&copy);
	read_back(s);
	for (int n = 1; n <= 122; n++)
		assert_int_equal(told[n], n < 62 || n == 122);
	assert_int_equal(store_each_damage(s, count_note, &notes, NULL), WD_OK);
	assert_int_equal(notes, 0);
	assert_int_equal(folder_count(&copy, "damaged-"), 0);
	store_close(s);
	folder_remove(&copy);
}

static enum wd_err append_one(struct store *s, int64_t stamp_s, uint64_t number)
{
	static struct frames frames;
	frames = (struct frames){.len = 0};
	frames_add(&frames, number, 0, "");
	struct store_batch b = frames_batch(&frames, stamp_s, 0);
	return store_append(s, &b, NULL, NULL, NULL);
}

/* Somebody moves a file of the database away, or another one in its place: what is said to be durable
 * must be found again. */
static void a_database_without_its_name_takes_nothing(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	char path[100], log[110], away[110];
	(void)state;
	snprintf(path, sizeof(path), "%s", folder_file(&f, "whydown.db"));
	snprintf(log, sizeof(log), "%s-wal", path);
	snprintf(away, sizeof(away), "%s-away", path);
	assert_int_equal(append_one(s, 101, 1), WD_OK);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(append_one(s, 102, 2), WD_OS);
	file_copy(away, path);
	assert_int_equal(append_one(s, 103, 3), WD_OS);
	assert_int_equal(rename(away, path), 0);
	assert_int_equal(append_one(s, 104, 4), WD_OK);
	assert_int_equal(rename(log, away), 0);
	assert_int_equal(append_one(s, 105, 5), WD_OK); /* it still has a name */
	assert_int_equal(rename(away, log), 0);
	store_close(s);
	s = store_must_open(&f);
	assert_int_equal(append_one(s, 106, 6), WD_OK);
	read_back(s);
	for (int n = 1; n <= 6; n++)
		assert_int_equal(told[n], n == 1 || n >= 4);
	assert_int_equal(unlink(log), 0);
	assert_int_equal(append_one(s, 107, 7), WD_OS);
	store_close(s);
	folder_remove(&f);
}

static void the_journal_repairs_a_damaged_database(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	struct journal *j = journal_with_one(s, &a);
	(void)state;
	fault_set(1, SQLITE_CORRUPT, 0);
	assert_int_equal(try_append(j, 2, NULL), WD_OK);
	while (atomic_load(&a.bad) + atomic_load(&a.good) < 2)
		nap();
	for (int i = 0; journal_count(j).err != WD_OK; i++) {
		assert_true(i < 5000);
		nap();
	}
	assert_int_equal(journal_count(j).repairs, 1);
	drain(j);
	assert_int_equal(try_append(j, 3, NULL), WD_OK);
	while (atomic_load(&a.good) < 2)
		nap();
	read_back(s);
	assert_int_equal(told[1], 1);
	assert_int_equal(told[2], 0);
	assert_int_equal(told[3], 1);
	assert_int_equal(folder_count(&f, "damaged-"), 2); /* the file and its log */
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

/* No new database can be made either: it is tried again until one can. */
static void a_repair_that_fails_is_tried_again(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	struct journal *j = journal_with_one(s, &a);
	(void)state;
	drain(j);
	fault_set(1, SQLITE_CORRUPT, 1);
	assert_int_equal(try_append(j, 2, NULL), WD_OK);
	while (atomic_load(&a.bad) < 1 || journal_count(j).repairs < 2)
		nap();
	assert_int_equal(journal_count(j).err, WD_MALFORMED);
	fault_set(0, 0, 0);
	for (int i = 0; journal_count(j).err != WD_OK; i++) {
		assert_true(i < 5000);
		nap();
	}
	drain(j);
	assert_int_equal(try_append(j, 3, NULL), WD_OK);
	while (atomic_load(&a.good) < 2)
		nap();
	read_back(s);
	assert_int_equal(told[1], 1);
	assert_int_equal(told[2], 0);
	assert_int_equal(told[3], 1);
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

/* Somebody else found it damaged, where the journal itself is whole. */
static void a_repair_that_fails_leaves_nothing_half_made(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	(void)state;
	append_reports(s, 101, 1, 60);
	for (int nth = 1; nth < 12; nth++) {
		fault_set(nth, SQLITE_FULL, 1);
		assert_int_not_equal(store_repair(s, wall_s(102), NULL), WD_OK);
		assert_int_equal(folder_count(&f, "whydown.repairing"), 0);
	}
	fault_set(0, 0, 0);
	assert_int_equal(store_repair(s, wall_s(103), NULL), WD_OK);
	read_back(s);
	for (int n = 1; n <= 60; n++)
		assert_int_equal(told[n], 1);
	store_close(s);
	folder_remove(&f);
}

static void a_repair_that_was_asked_for_is_made_once(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct answers a = {0};
	struct journal *j = journal_with_one(s, &a);
	(void)state;
	journal_repair(j);
	for (int i = 0; journal_count(j).repairs == 0; i++) {
		assert_true(i < 5000);
		nap();
	}
	drain(j);
	assert_int_equal(try_append(j, 2, NULL), WD_OK);
	while (atomic_load(&a.good) < 2)
		nap();
	assert_int_equal(journal_count(j).err, WD_OK);
	assert_int_equal(journal_count(j).repairs, 1);
	read_back(s);
	assert_int_equal(told[1] + told[2], 2);
	assert_int_equal(atomic_load(&a.bad), 0);
	journal_close(j);
	store_close(s);
	folder_remove(&f);
}

/* More than two rounds of the log. */
static void append_much(struct store *s, int64_t from_s)
{
	static struct frames frames;
	for (int i = 0; i < 120; i++) {
		char comment[401];
		memset(comment, 'c', sizeof(comment) - 1);
		comment[sizeof(comment) - 1] = '\0';
		frames = (struct frames){.len = 0};
		for (int k = 0; k < 60; k++)
			frames_add(&frames, 1000, 0, comment);
		struct store_batch b = frames_batch(&frames, from_s + i, 0);
		assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	}
}

/* With the nth opening of a file failing, for every n there is: a repair succeeds, or does when it is
 * tried again, loses nothing, and afterwards the log does not grow for ever. */
static void a_repair_that_cannot_open_a_file_leaves_a_store_that_works(void **state)
{
	bool met = true;
	int alone = 0;
	(void)state;
	for (int nth = 1; met; nth++) {
		struct folder f = folder_make();
		struct store *s = store_must_open(&f);
		append_reports(s, 100, 1, 1);
		fault_set_open(nth);
		enum wd_err err = store_repair(s, wall_s(101), NULL);
		met = fault_count_open() >= nth;
		fault_set_open(0);
		if (err != WD_OK)
			assert_int_equal(store_repair(s, wall_s(102), NULL), WD_OK);
		if (!s->checkpointer.running) {
			alone++;
			append_much(s, 200);
			assert_true(file_size(folder_file(&f, "whydown.db-wal")) < 5 << 20);
		}
		read_back(s);
		assert_int_equal(told[1], 1);
		store_close(s);
		folder_remove(&f);
	}
	assert_true(alone > 0); /* without the thread that moves the log */
}

/* A disk of 700 KB, in a process with file systems of its own. */
enum { NOT_ALLOWED = 200, WRONG = 201 };

static int fill_up(const struct folder *f)
{
	struct store *s = NULL;
	struct wd_why why = {0};
	enum wd_err err = WD_OK;
	int good = 0;

	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", f->path, "tmpfs", 0, "size=700k") != 0)
		return NOT_ALLOWED;
	if (store_open(&(struct store_options){.folder = f->path}, &s, NULL) != WD_OK)
		return WRONG;
	for (uint32_t i = 0; i < 50 && err == WD_OK; i++) {
		static struct frames frames;
		frames = (struct frames){.len = 0};
		for (int k = 0; k < 60; k++)
			frames_add(&frames, i, 0, "a comment that takes room");
		struct store_batch b = frames_batch(&frames, 100 + i, 0);
		err = store_append(s, &b, NULL, NULL, &why);
		good += err == WD_OK;
	}
	if (err != WD_FULL || strcmp(why.what, "no space left on the disk of the data folder") != 0)
		return WRONG + 1;
	if (mount("none", f->path, "tmpfs", MS_REMOUNT, "size=10m") != 0)
		return WRONG + 2;
	struct frames none = {.len = 0};
	struct store_batch b = frames_batch(&none, 900, 0);
	if (store_append(s, &b, NULL, NULL, NULL) != WD_OK)
		return WRONG + 3;
	store_close(s);
	if (store_open(&(struct store_options){.folder = f->path}, &s, NULL) != WD_OK)
		return WRONG + 4;
	read_back(s);
	for (int i = 0; i < 50; i++)
		if (told[i] != (i < good ? 60 : 0))
			return WRONG + 5;
	return good;
}

static void a_full_disk_is_told_and_left_when_there_is_room(void **state)
{
	struct folder f = folder_make();
	int status = 0;
	(void)state;
	pid_t child = fork();
	if (child == 0)
		_exit(fill_up(&f));
	assert_int_equal(waitpid(child, &status, 0), child);
	folder_remove(&f);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_ALLOWED) {
		print_message("skip - only root may mount a small disk\n");
		skip();
	}
	if (WEXITSTATUS(status) <= 2 || WEXITSTATUS(status) >= 50)
		fail_msg("went wrong at %d", WEXITSTATUS(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_write_loses_nothing_that_was_answered),
		cmocka_unit_test(a_failed_rejection_is_none),
		cmocka_unit_test(the_journal_refuses_while_it_cannot_write_and_recovers_by_itself),
		cmocka_unit_test(what_is_left_of_a_failed_commit_is_no_damage),
		cmocka_unit_test(a_database_without_its_name_takes_nothing),
		cmocka_unit_test(the_journal_repairs_a_damaged_database),
		cmocka_unit_test(a_repair_that_fails_is_tried_again),
		cmocka_unit_test(a_repair_that_fails_leaves_nothing_half_made),
		cmocka_unit_test(a_repair_that_was_asked_for_is_made_once),
		cmocka_unit_test(a_repair_that_cannot_open_a_file_leaves_a_store_that_works),
		cmocka_unit_test(a_full_disk_is_told_and_left_when_there_is_room),
	};
	fault_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
