/* SPDX-License-Identifier: Apache-2.0 */
/* Damage of every kind to the files: what was good is used, what was not is kept and noted. */
#include "store/sqlite.h"
#include "store/testing.h"

#include <stdio.h>
#include <unistd.h>

/* ---- helpers ---- */

struct notes { char text[4096], kept[256]; int count; };

static void take_note(void *ctx, const struct store_damage *d)
{
	struct notes *n = ctx;
	size_t len = strlen(n->text);
	snprintf(n->text + len, sizeof(n->text) - len, "%s\n", d->text);
	snprintf(n->kept, sizeof(n->kept), "%s", d->kept);
	n->count++;
}

static struct notes notes_of(struct store *s)
{
	struct notes n = {.count = 0};
	assert_int_equal(store_each_damage(s, take_note, &n, NULL), WD_OK);
	return n;
}

static void run(struct store *s, const char *sql)
{
	if (store_exec(s->db, sql, "", NULL) != WD_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
}

/* What a kill leaves: the files as they are, none closed. The new folder's lock says what the
 * old one's did. */
static struct folder folder_killed(const struct folder *f)
{
	static const char *const names[] = {"whydown.db", "whydown.db-wal", "whydown.lock"};
	struct folder copy = folder_make();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char from[512];
		snprintf(from, sizeof(from), "%s", folder_file(f, names[i]));
		file_copy(from, folder_file(&copy, names[i]));
	}
	return copy;
}

/* ---- one kind at a time ---- */

static void one_damaged_observation_costs_one(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	(void)state;
	append_reports(s, 100, 1, 1);
	append_reports(s, 101, 2, 3);
	append_reports(s, 102, 5, 1);
	int64_t len = 0;
	assert_int_equal(store_exec_int(s->db, "SELECT length(body) FROM journal WHERE seq = 2", &len, "",
					NULL), WD_OK);
	/* A byte in the second of its three observations. */
	char sql[200];
	snprintf(sql, sizeof(sql), "UPDATE journal SET body = CAST(substr(body, 1, %lld) || x'55' ||"
		 " substr(body, %lld) AS BLOB) WHERE seq = 2", (long long)len / 2, (long long)len / 2 + 2);
	run(s, sql);
	store_close(s);

	s = store_must_open(&f);
	story_tell(s, &story, (struct store_position){0});
	assert_string_equal(story.text, "advance 100\nreport 1\nadvance 101\nreport 2\nreport 4\n"
					"advance 102\nreport 5\n");
	struct notes n = notes_of(s);
	assert_string_equal(n.text, "batch 2 of the journal is damaged: 2 of 3 observations are good\n");
	assert_int_equal(file_size(folder_file(&f, n.kept)), len);
	/* Once. */
	store_close(s);
	s = store_must_open(&f);
	assert_int_equal(notes_of(s).count, 1);
	append_reports(s, 103, 6, 1);
	assert_int_equal(store_end(s).seq, 4);
	store_close(s);
	folder_remove(&f);
}

static void a_damaged_stamp_keeps_its_order_and_its_observations(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	(void)state;
	append_reports(s, 100, 1, 1);
	append_reports(s, 101, 2, 1);
	run(s, "UPDATE journal SET stamp_ns = 1 << 62, count = 77 WHERE seq = 2");
	store_close(s);
	s = store_must_open(&f);
	story_tell(s, &story, (struct store_position){0});
	/* The mark in whydown.lock still knows the time, so it goes on from there. */
	assert_string_equal(story.text, "advance 100\nreport 1\nadvance 100\nreport 2\nadvance 101\n");
	assert_int_equal(store_end(s).clock.ns, wall_s(101).ns);
	assert_int_equal(notes_of(s).count, 1);
	store_close(s);
	folder_remove(&f);
}

static void a_damaged_log_is_used_up_to_the_damage_and_kept(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	long sizes[12];
	(void)state;
	for (int i = 1; i <= 10; i++) {
		append_reports(s, 100 + i, (uint64_t)i, 1);
		sizes[i] = file_size(folder_file(&f, "whydown.db-wal"));
	}
	struct folder killed = folder_killed(&f);
	store_close(s);
	folder_remove(&f);
	/* In what the sixth commit wrote. */
	file_damage(folder_file(&killed, "whydown.db-wal"), sizes[5] + 200);
	long whole = file_size(folder_file(&killed, "whydown.db-wal"));
	s = store_must_open(&killed);
	story_tell(s, &story, (struct store_position){0});
	assert_int_equal(story.reports, 5);
	assert_int_equal(story.sum, 1 + 2 + 3 + 4 + 5);
	struct notes n = notes_of(s);
	char expected[300];
	snprintf(expected, sizeof(expected),
		 "the write-ahead log is damaged at byte %ld of %ld: what was written after that is lost here\n"
		 "batches 6 to 10 were on disk and are missing\n", sizes[5], whole);
	assert_string_equal(n.text, expected);
	assert_int_equal(folder_count(&killed, "damaged-"), 1);
	/* Numbers and stamps of what is missing are not given out again. */
	append_reports(s, 110, 11, 1);
	assert_int_equal(store_end(s).seq, 11);
	store_close(s);
	folder_remove(&killed);
}

static void a_log_cut_short_or_lost_is_noticed(void **state)
{
	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		struct folder f = folder_make();
		struct store *s = store_must_open(&f);
		static struct story story;
		append_reports(s, 101, 1, 1);
		long size = file_size(folder_file(&f, "whydown.db-wal"));
		append_reports(s, 102, 2, 1);
		append_reports(s, 103, 3, 1);
		struct folder killed = folder_killed(&f);
		store_close(s);
		folder_remove(&f);
		assert_int_equal(truncate(folder_file(&killed, "whydown.db-wal"), lost ? 0 : size), 0);
		s = store_must_open(&killed);
		story_tell(s, &story, (struct store_position){0});
		assert_int_equal(story.sum, lost ? 0 : 1);
		assert_string_equal(notes_of(s).text, lost ? "batches 1 to 3 were on disk and are missing\n"
							   : "batches 2 to 3 were on disk and are missing\n");
		store_close(s);
		folder_remove(&killed);
	}
}

/* The mark as it is after the first commit. */
static void mark_first_commit(const struct folder *f)
{
	FILE *lock = fopen(folder_file(f, "whydown.lock"), "wb");
	assert_non_null(lock);
	fprintf(lock, "%10d %20d %20lld\n", 1, 1, (long long)wall_s(101).ns);
	fclose(lock);
}

static void a_killed_unfinished_commit_is_no_damage(void **state)
{
	const long frame = 24 + 4096;
	(void)state;
	/* Its first two pages came to the disk; all but the page of its last frame did, which holds
	 * what was there before. Nobody was answered. */
	for (int last = 0; last < 2; last++) {
		struct folder f = folder_make();
		struct store *s = store_must_open(&f);
		static struct story story;
		append_reports(s, 101, 1, 1);
		long size = file_size(folder_file(&f, "whydown.db-wal"));
		append_reports(s, 102, 2, 60); /* many pages */
		long size_after = file_size(folder_file(&f, "whydown.db-wal"));
		struct folder killed = folder_killed(&f);
		store_close(s);
		folder_remove(&f);
		assert_true(size_after >= size + 3 * frame);
		assert_int_equal(truncate(folder_file(&killed, "whydown.db-wal"),
					  last ? size_after - 4096 : size + 2 * frame + 100), 0);
		if (last)
			assert_int_equal(truncate(folder_file(&killed, "whydown.db-wal"), size_after), 0);
		mark_first_commit(&killed);
		s = store_must_open(&killed);
		story_tell(s, &story, (struct store_position){0});
		assert_int_equal(story.sum, 1);
		assert_int_equal(notes_of(s).count, 0);
		assert_int_equal(folder_count(&killed, "damaged-"), 0);
		store_close(s);
		folder_remove(&killed);
	}
}

/* A page of the journal's tree becomes noise: the batches on it are lost, no other. */
static void a_damaged_file_is_made_anew(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	static struct frames frames;
	(void)state;
	for (int i = 1; i <= 200; i++)
		append_reports(s, 100 + i, (uint64_t)i, 2);
	frames = (struct frames){.len = 0};
	frames_add(&frames, 1000, 77, "kept");
	struct store_batch b = frames_batch(&frames, 400, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	int64_t root = 0, page = 0;
	assert_int_equal(store_exec_int(s->db, "SELECT rootpage FROM sqlite_schema WHERE name = 'journal'",
					&root, "", NULL), WD_OK);
	/* A leaf: the roots of all tables come before. */
	assert_int_equal(store_exec_int(s->db, "PRAGMA page_count", &page, "", NULL), WD_OK);
	store_close(s);
	page -= 5;
	assert_true(page > root);
	for (int i = 0; i < 100; i++)
		file_damage(folder_file(&f, "whydown.db"), (page - 1) * 4096 + i);

	s = store_must_open(&f);
	story_tell(s, &story, (struct store_position){0});
	struct notes n = notes_of(s);
	assert_true(n.count >= 1);
	assert_non_null(strstr(n.text, "a new one was made"));
	assert_true(file_size(folder_file(&f, n.kept)) > 0);
	assert_true(story.reports >= 350 && story.reports < 401);
	assert_non_null(strstr(story.text, "report 1000\n"));
	assert_non_null(strstr(story.text, "report 1\n"));
	/* Ids are still known, and it goes on. */
	frames = (struct frames){.len = 0};
	frames_add(&frames, 1001, 77, "");
	b = frames_batch(&frames, 500, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	assert_int_equal(b.count, 0);
	int64_t comments = 0;
	assert_int_equal(store_exec_int(s->db, "SELECT count(*) FROM comment", &comments, "", NULL), WD_OK);
	assert_int_equal(comments, 1);
	store_close(s);
	folder_remove(&f);
}

static void a_repair_that_was_killed_is_ended_at_the_next_start(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	char from[512];
	(void)state;
	append_reports(s, 101, 1, 1);
	store_close(s);
	snprintf(from, sizeof(from), "%s", folder_file(&f, "whydown.db"));
	file_copy(from, folder_file(&f, "whydown.repaired.db"));
	FILE *noise = fopen(from, "wb");
	assert_non_null(noise);
	fputs("noise", noise);
	fclose(noise);
	s = store_must_open(&f);
	story_tell(s, &story, (struct store_position){0});
	assert_string_equal(story.text, "advance 101\nreport 1\n");
	assert_int_equal(folder_count(&f, "whydown.repaired"), 0);
	assert_int_equal(folder_count(&f, "damaged-"), 1);
	store_close(s);
	folder_remove(&f);
}

static void a_repair_that_was_killed_half_made_leaves_nothing(void **state)
{
	static const char *const names[] = {"whydown.repairing.db", "whydown.repairing.db-journal"};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	(void)state;
	append_reports(s, 101, 1, 1);
	store_close(s);
	for (int i = 0; i < 2; i++) {
		FILE *half = fopen(folder_file(&f, names[i]), "wb");
		assert_non_null(half);
		fputs("half", half);
		fclose(half);
	}
	s = store_must_open(&f);
	story_tell(s, &story, (struct store_position){0});
	assert_string_equal(story.text, "advance 101\nreport 1\n");
	assert_int_equal(folder_count(&f, "whydown.repairing"), 0);
	store_close(s);
	folder_remove(&f);
}

static void damage_found_while_running_is_repaired(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	(void)state;
	append_reports(s, 101, 1, 1);
	append_reports(s, 102, 2, 1);
	assert_int_equal(store_repair(s, wall_s(103), NULL), WD_OK);
	append_reports(s, 103, 3, 1);
	story_tell(s, &story, (struct store_position){0});
	assert_int_equal(story.sum, 6);
	assert_int_equal(store_end(s).seq, 3);
	assert_int_equal(notes_of(s).count, 1);
	store_close(s);
	folder_remove(&f);
}

/* The page of the journal's last rows, which tells how far they go. */
static int64_t last_leaf(struct store *s, const struct folder *f)
{
	uint8_t root_page[12];
	int64_t root = 0;
	assert_int_equal(store_exec_int(s->db, "SELECT rootpage FROM sqlite_schema WHERE name = 'journal'",
					&root, "", NULL), WD_OK);
	FILE *file = fopen(folder_file(f, "whydown.db"), "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, (root - 1) * 4096, SEEK_SET), 0);
	assert_int_equal(fread(root_page, 1, sizeof(root_page), file), sizeof(root_page));
	fclose(file);
	assert_int_equal(root_page[0], 5); /* an inner page: its last child stands at byte 8 */
	return (int64_t)root_page[8] << 24 | root_page[9] << 16 | root_page[10] << 8 | root_page[11];
}

/* Numbers are far above the rows there are: retention has deleted those before. */
static void batches_of_this_run_outlive_a_damaged_end_of_the_journal(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	(void)state;
	s->end.seq = 1000000;
	for (int i = 1; i <= 400; i++)
		append_reports(s, 100 + i, (uint64_t)i, 1);
	run(s, "PRAGMA wal_checkpoint(TRUNCATE)");
	int64_t page = last_leaf(s, &f);
	for (int i = 0; i < 100; i++)
		file_damage(folder_file(&f, "whydown.db"), (page - 1) * 4096 + i);
	assert_int_equal(store_repair(s, wall_s(600), NULL), WD_OK);
	story_tell(s, &story, (struct store_position){0});
	assert_true(story.reports >= 300 && story.reports < 400);
	assert_int_equal(store_end(s).seq, 1000400);
	append_reports(s, 601, 401, 1);
	store_close(s);
	folder_remove(&f);
}

/* Of version 4, which knew no table `retained` and cannot be brought up to date as it is: what was not
 * there yet is no damage. */
static void a_damaged_file_of_an_older_version_is_made_anew(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	static struct frames frames;
	int64_t root = 0, pages = 0;
	(void)state;
	for (int i = 0; i < 100; i++) {
		frames = (struct frames){.len = 0};
		frames_add(&frames, 1, 0, "a comment");
		struct store_batch b = frames_batch(&frames, 100 + i, 0);
		assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	}
	run(s, "DROP TABLE retained; PRAGMA user_version = 4; PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(store_exec_int(s->db, "SELECT rootpage FROM sqlite_schema WHERE name = 'comment'",
					&root, "", NULL), WD_OK);
	assert_int_equal(store_exec_int(s->db, "PRAGMA page_count", &pages, "", NULL), WD_OK);
	store_close(s);
	file_damage(folder_file(&f, "whydown.db"), (root - 1) * 4096);
	s = store_must_open(&f);
	story_tell(s, &story, (struct store_position){0});
	assert_int_equal(story.reports, 100);
	/* No more places than the one table can have, each of 64 rows. */
	struct notes n = notes_of(s);
	const char *places = strstr(n.text, "was damaged in ");
	assert_non_null(places);
	assert_in_range(strtol(places + strlen("was damaged in "), NULL, 10), 1, pages + 1);
	store_close(s);
	folder_remove(&f);
}

/* ---- any byte ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

enum { REPORTS = 400 };
static int seen_reports[REPORTS + 1];

static void see_advance(void *ctx, wd_wall now) { (void)ctx; (void)now; }
static void see_report(void *ctx, const struct observation *o)
{
	(void)ctx;
	assert_true(o->person >= 1 && o->person <= REPORTS);
	seen_reports[o->person]++;
}

/* What is missing must be noted; nothing is told twice or made up; no crash. */
static void check_damaged(const struct folder *f, uint32_t seed)
{
	struct store *s = NULL;
	struct store_position at = {0};
	struct wd_why why = {0};
	int missing = 0;
	enum wd_err err = store_open(&(struct store_options){.folder = f->path, .now = wall_s(5000)}, &s, &why);
	if (err != WD_OK) {
		/* The head of the file may say that it is not ours, or of the future: then it is
		 * left alone, which is no loss. */
		if (err != WD_UNKNOWN && !(err == WD_MALFORMED && why.at == 1))
			fail_msg("seed %u: %s (%d)", seed, why.what, why.os_errno);
		return;
	}
	memset(seen_reports, 0, sizeof(seen_reports));
	struct store_replay h = {see_advance, see_report, NULL};
	if (store_replay(s, &h, &at, &why) != WD_OK)
		fail_msg("seed %u: replay: %s", seed, why.what);
	for (int i = 1; i <= REPORTS; i++) {
		if (seen_reports[i] > 1)
			fail_msg("seed %u: report %d twice", seed, i);
		missing += seen_reports[i] == 0;
	}
	if (missing > 0 && notes_of(s).count == 0)
		fail_msg("seed %u: %d reports are missing without a word", seed, missing);
	if (missing > 0 && folder_count(f, "damaged-") == 0)
		fail_msg("seed %u: %d reports are missing and nothing was kept", seed, missing);
	/* And it works. */
	store_close(s);
	s = store_must_open(f);
	store_close(s);
}

static void no_damaged_byte_loses_anything_in_silence(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	const char *rounds_text = getenv("WHYDOWN_DAMAGE_ROUNDS");
	int rounds = rounds_text != NULL ? (int)strtol(rounds_text, NULL, 10) : 40;
	(void)state;
	for (int i = 0; i < REPORTS / 8; i++) {
		append_reports(s, 1000 + i, (uint64_t)i * 8 + 1, 8);
		if (i == REPORTS / 16)
			run(s, "PRAGMA wal_checkpoint(TRUNCATE)"); /* half in the file, half in the log */
	}
	struct folder whole = folder_killed(&f);
	store_close(s);
	folder_remove(&f);
	check_damaged(&whole, 0); /* without damage nothing is missing */
	for (int i = 1; i <= REPORTS; i++)
		assert_int_equal(seen_reports[i], 1);
	folder_remove(&whole);

	f = folder_make();
	s = store_must_open(&f);
	for (int i = 0; i < REPORTS / 8; i++) {
		append_reports(s, 1000 + i, (uint64_t)i * 8 + 1, 8);
		if (i == REPORTS / 16)
			run(s, "PRAGMA wal_checkpoint(TRUNCATE)");
	}
	for (uint32_t round = 1; round <= (uint32_t)rounds; round++) {
		uint32_t seed = round;
		struct folder killed = folder_killed(&f);
		const char *path = folder_file(&killed, round % 2 ? "whydown.db" : "whydown.db-wal");
		long size = file_size(path);
		assert_true(size > 8192);
		uint32_t bytes = 1 + next_random(&seed) % 4;
		for (uint32_t i = 0; i < bytes; i++)
			file_damage(path, (long)(next_random(&seed) % (uint32_t)size));
		check_damaged(&killed, round);
		folder_remove(&killed);
	}
	store_close(s);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_damaged_observation_costs_one),
		cmocka_unit_test(a_damaged_stamp_keeps_its_order_and_its_observations),
		cmocka_unit_test(a_damaged_log_is_used_up_to_the_damage_and_kept),
		cmocka_unit_test(a_log_cut_short_or_lost_is_noticed),
		cmocka_unit_test(a_killed_unfinished_commit_is_no_damage),
		cmocka_unit_test(a_damaged_file_is_made_anew),
		cmocka_unit_test(a_repair_that_was_killed_is_ended_at_the_next_start),
		cmocka_unit_test(a_repair_that_was_killed_half_made_leaves_nothing),
		cmocka_unit_test(damage_found_while_running_is_repaired),
		cmocka_unit_test(batches_of_this_run_outlive_a_damaged_end_of_the_journal),
		cmocka_unit_test(a_damaged_file_of_an_older_version_is_made_anew),
		cmocka_unit_test(no_damaged_byte_loses_anything_in_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
