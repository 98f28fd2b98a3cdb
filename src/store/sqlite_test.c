/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite.h"
#include "store/testing.h"

#include <stdio.h>
#include <unistd.h>

static void what_was_appended_is_told_again_in_order(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	(void)state;
	append_reports(s, 100, 1, 3);
	append_reports(s, 105, 4, 1);
	store_close(s);
	s = store_must_open(&f);
	struct store_position end = story_tell(s, &story, (struct store_position){0});
	assert_string_equal(story.text, "advance 100\nreport 1\nreport 2\nreport 3\n"
					"advance 105\nreport 4\n");
	assert_int_equal(end.seq, 2);
	assert_int_equal(end.clock.ns, wall_s(105).ns);
	/* From the middle: only what came after. */
	story_tell(s, &story, (struct store_position){1, wall_s(100)});
	assert_string_equal(story.text, "advance 105\nreport 4\n");
	store_close(s);
	folder_remove(&f);
}

static void ticks_before_a_batch_are_told_again(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	struct frames none = {.len = 0};
	(void)state;
	append_reports(s, 100, 1, 1);
	struct store_batch b = frames_batch(&none, 0, 103);
	b.stamp = (wd_wall){103500000000};
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	struct store_position end = story_tell(s, &story, (struct store_position){0});
	assert_string_equal(story.text, "advance 100\nreport 1\nadvance 101\nadvance 102\n"
					"advance 103\nadvance 103.5\n");
	assert_int_equal(end.clock.ns, 103500000000);
	store_close(s);
	folder_remove(&f);
}

static uint32_t duplicates[8], duplicate_count;
static void on_duplicate(void *ctx, uint32_t index)
{
	(void)ctx;
	duplicates[duplicate_count++] = index;
}

static void an_id_is_taken_once(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	static struct frames frames;
	(void)state;
	frames = (struct frames){.len = 0};
	duplicate_count = 0;
	frames_add(&frames, 1, 71, "");
	frames_add(&frames, 2, 0, "");
	frames_add(&frames, 3, 71, ""); /* twice in one batch */
	frames_add(&frames, 4, 0, "");
	struct store_batch b = frames_batch(&frames, 100, 0);
	assert_int_equal(store_append(s, &b, on_duplicate, NULL, NULL), WD_OK);
	assert_int_equal(duplicate_count, 1);
	assert_int_equal(duplicates[0], 2);
	assert_int_equal(b.count, 3);
	store_close(s);

	/* And again, after a restart. */
	s = store_must_open(&f);
	frames = (struct frames){.len = 0};
	duplicate_count = 0;
	frames_add(&frames, 5, 71, "never filed");
	frames_add(&frames, 6, 72, "");
	b = frames_batch(&frames, 101, 0);
	assert_int_equal(store_append(s, &b, on_duplicate, NULL, NULL), WD_OK);
	assert_int_equal(duplicate_count, 1);
	assert_int_equal(duplicates[0], 0);
	story_tell(s, &story, (struct store_position){0});
	assert_string_equal(story.text, "advance 100\nreport 1\nreport 2\nreport 4\nadvance 101\nreport 6\n");
	int64_t comments = -1;
	assert_int_equal(store_exec_int(s->db, "SELECT count(*) FROM comment", &comments, "", NULL), WD_OK);
	assert_int_equal(comments, 0);
	store_close(s);
	folder_remove(&f);
}

static void a_batch_with_a_damaged_frame_leaves_nothing(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	static struct frames frames;
	struct wd_why why = {0};
	(void)state;
	frames = (struct frames){.len = 0};
	frames_add(&frames, 1, 71, "");
	size_t second = frames.len;
	frames_add(&frames, 2, 72, "");
	frames.bytes[second + 20] ^= 1;
	struct store_batch b = frames_batch(&frames, 100, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, &why), WD_SHORT);
	assert_int_equal(why.at, 1);
	/* Its first id was not remembered either. */
	frames = (struct frames){.len = 0};
	frames_add(&frames, 3, 71, "");
	b = frames_batch(&frames, 100, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	assert_int_equal(b.seq, 1);
	story_tell(s, &story, (struct store_position){0});
	assert_string_equal(story.text, "advance 100\nreport 3\n");
	store_close(s);
	folder_remove(&f);
}

static void a_second_program_is_refused_and_told_whose_folder_it_is(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f), *second = NULL;
	struct wd_why why = {0};
	(void)state;
	assert_int_equal(store_open(&(struct store_options){.folder = f.path}, &second, &why), WD_FULL);
	assert_null(second);
	assert_int_equal(why.at, getpid());
	assert_string_equal(why.what, "another whydown uses the data folder");
	store_close(s);
	store_close(store_must_open(&f));
	folder_remove(&f);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct wd_why why = {0};
	(void)state;
	store_close(s);
	run_sql(folder_file(&f, "whydown.db"), "PRAGMA user_version = 1000");
	s = NULL;
	assert_int_equal(store_open(&(struct store_options){.folder = f.path}, &s, &why), WD_UNKNOWN);
	assert_null(s);
	assert_int_equal(why.at, 1000);
	run_sql(folder_file(&f, "whydown.db"), "SELECT count(*) FROM journal");
	folder_remove(&f);
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
	struct folder f = folder_make();
	struct store *s = NULL;
	struct wd_why why = {0};
	(void)state;
	run_sql(folder_file(&f, "whydown.db"), "CREATE TABLE songs(name)");
	assert_int_equal(store_open(&(struct store_options){.folder = f.path}, &s, &why), WD_MALFORMED);
	assert_string_equal(why.what, "whydown.db is another program's database");
	run_sql(folder_file(&f, "whydown.db"), "INSERT INTO songs VALUES('kept')");
	folder_remove(&f);
}

/* Each version as it was released, with a row in the journal, is brought up to date. */
static void every_older_schema_is_brought_up_to_date(void **state)
{
	static struct story story;
	(void)state;
	for (int version = 0; version <= schema_version_latest(); version++) {
		struct folder f = folder_make();
		const char *path = folder_file(&f, "whydown.db");
		char sql[256];
		snprintf(sql, sizeof(sql), "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d",
			 STORE_APPLICATION_ID);
		run_sql(path, sql);
		for (int i = 0; i < version; i++)
			run_sql(path, schema_step(i));
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
		run_sql(path, sql);
		if (version > 0) {
			snprintf(sql, sizeof(sql), "INSERT INTO journal VALUES(7, 100000000000, 0, 0, %u, x'')",
				 journal_row_checksum(7, wall_s(100), wall_s(0), 0, "", 0));
			run_sql(path, sql);
			run_sql(path, "INSERT INTO comment VALUES(9, 1, 2, 'x', '', '', '', 'hm', 7, 0, 0)");
		}
		struct store *s = store_must_open(&f);
		append_reports(s, 100, 5, 1);
		story_tell(s, &story, (struct store_position){0});
		assert_string_equal(story.text, version > 0 ? "advance 100\nadvance 100\nreport 5\n"
							    : "advance 100\nreport 5\n");
		int64_t now = 0;
		assert_int_equal(store_exec_int(s->db, "PRAGMA user_version", &now, "", NULL), WD_OK);
		assert_int_equal(now, schema_version_latest());
		assert_int_equal(store_exec_int(s->db, "SELECT count(*) FROM sqlite_schema WHERE type = 'index'"
						" AND tbl_name = 'comment'", &now, "", NULL), WD_OK);
		assert_int_equal(now, 4);
		assert_int_equal(store_exec_int(s->db, "SELECT count(*) FROM comment WHERE number = 9"
						" AND received_ns = 2 AND text = 'hm' AND seq = 7", &now, "",
						NULL), WD_OK);
		assert_int_equal(now, version > 0);
		store_close(s);
		folder_remove(&f);
	}
}

static void a_commit_syncs_the_log(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	int64_t value = 0;
	(void)state;
	assert_int_equal(store_exec_int(s->db, "PRAGMA synchronous", &value, "", NULL), WD_OK);
	assert_int_equal(value, 2); /* FULL */
	assert_int_equal(store_exec_int(s->db, "PRAGMA auto_vacuum", &value, "", NULL), WD_OK);
	assert_int_equal(value, 2); /* INCREMENTAL */
	assert_true(file_size(folder_file(&f, "whydown.db-wal")) >= 0);
	store_close(s);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_appended_is_told_again_in_order),
		cmocka_unit_test(ticks_before_a_batch_are_told_again),
		cmocka_unit_test(an_id_is_taken_once),
		cmocka_unit_test(a_batch_with_a_damaged_frame_leaves_nothing),
		cmocka_unit_test(a_second_program_is_refused_and_told_whose_folder_it_is),
		cmocka_unit_test(a_newer_schema_is_refused_and_left_alone),
		cmocka_unit_test(another_programs_database_is_refused_and_left_alone),
		cmocka_unit_test(every_older_schema_is_brought_up_to_date),
		cmocka_unit_test(a_commit_syncs_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
