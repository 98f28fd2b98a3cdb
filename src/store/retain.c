/* SPDX-License-Identifier: Apache-2.0 */
/* retain: forgetting, a little at a time. */
#include "store/sqlite.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* Sized so that a step stays within some milliseconds: a batch may be megabytes. */
enum { STEP_BATCHES = 16, STEP_IDS = 4096, STEP_ROWS = 256, STEP_TRACES = 16, STEP_PAGES = 512 };

static const int64_t HURRY = 24; /* times real time */

struct store_policy store_policy_default(void)
{
	return (struct store_policy){span_s(35 * 86400), span_s(7 * 86400), span_s(365 * 86400),
				     span_s(365 * 86400)};
}

/* Runs a DELETE with up to four numbers; *ret_deleted rows are gone. */
static enum wd_err delete_some(struct store *s, const char *sql, const int64_t *numbers, int count,
			       int64_t *ret_deleted, struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		for (int i = 0; i < count; i++)
			sqlite3_bind_int64(stmt, i + 1, numbers[i]);
		rc = sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return store_sql_fail(s->db, rc, "delete what is old", why);
	*ret_deleted = sqlite3_changes(s->db);
	return WD_OK;
}

/* Old batches that a state includes which has a whole one before it: should the last state be
 * damaged, the one before it and the journal after it still tell all. */
static enum wd_err retain_journal(struct store *s, wd_wall now, const struct store_policy *p,
				  bool *more, struct wd_why *why)
{
	int64_t deleted = 0;
	enum wd_err err = delete_some(s,
		"DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE stamp_ns < ?1"
		" AND seq <= (SELECT CASE WHEN count(*) = 2 THEN min(seq) END FROM (SELECT seq"
		"  FROM state_whole ORDER BY generation DESC LIMIT 2))"
		" AND seq < (SELECT max(seq) FROM journal) ORDER BY seq LIMIT ?2)",
		(int64_t[]){wall_back(now, p->journal_kept).ns, STEP_BATCHES}, 2, &deleted, why);
	if (err == WD_OK) {
		s->counters.deleted_batches += (uint64_t)deleted;
		*more = *more || deleted == STEP_BATCHES;
	}
	return err;
}

/* `seen` has no order in time: a step looks at the next few thousand ids, round and round. */
static enum wd_err retain_ids(struct store *s, wd_wall now, const struct store_policy *p,
			      struct wd_why *why)
{
	static const char *const range =
		"SELECT id FROM seen WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2";
	struct observation_id end;
	sqlite3_stmt *stmt = NULL;

	memset(&end, 0xff, sizeof(end));
	int rc = sqlite3_prepare_v2(s->db, range, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_blob(stmt, 1, s->ids_swept.bytes, sizeof(end), SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, STEP_IDS - 1);
		rc = sqlite3_step(stmt);
	}
	bool last = rc == SQLITE_DONE;
	if (rc == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == sizeof(end))
		memcpy(&end, sqlite3_column_blob(stmt, 0), sizeof(end));
	sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_sql_fail(s->db, rc, "forget old ids", why);

	stmt = NULL;
	rc = sqlite3_prepare_v2(s->db, "DELETE FROM seen WHERE id > ?1 AND id <= ?2 AND day < ?3",
				-1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_blob(stmt, 1, s->ids_swept.bytes, sizeof(end), SQLITE_STATIC);
		sqlite3_bind_blob(stmt, 2, end.bytes, sizeof(end), SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 3, wall_to_s(wall_back(now, p->ids_kept)) / 86400);
		rc = sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return store_sql_fail(s->db, rc, "forget old ids", why);
	s->counters.deleted_ids += (uint64_t)sqlite3_changes(s->db);
	s->ids_swept = end;
	if (last)
		memset(&s->ids_swept, 0, sizeof(s->ids_swept));
	return WD_OK;
}

/* Comments that are old, and the batches that they came with. */
struct old_comments { int64_t numbers[STEP_ROWS], seqs[STEP_BATCHES]; size_t rows, batches; };

/* The first of `sql`, which tells number, seq and received_ns by number, as many as a step takes
 * and as were received before then: stamps never go back, so the first that is younger ends it. */
static enum wd_err find_old_comments(struct store *s, const char *sql, wd_wall before,
				     struct old_comments *old, struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	for (; rc == SQLITE_ROW && old->rows < STEP_ROWS; rc = sqlite3_step(stmt)) {
		int64_t seq = sqlite3_column_int64(stmt, 1);
		bool another = old->batches == 0 || old->seqs[old->batches - 1] != seq;
		if (sqlite3_column_int64(stmt, 2) >= before.ns ||
		    (another && old->batches == STEP_BATCHES))
			break;
		if (another)
			old->seqs[old->batches++] = seq;
		old->numbers[old->rows++] = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE
		       ? WD_OK
		       : store_sql_fail(s->db, rc, "find old comments", why);
}

static enum wd_err delete_comments(struct store *s, const struct old_comments *old,
				   struct wd_why *why)
{
	enum wd_err err = WD_OK;
	for (size_t i = 0; err == WD_OK && i < old->rows; i++) {
		sqlite3_stmt *stmt = store_statement(s, SQL_COMMENT_DELETE);
		if (stmt != NULL)
			sqlite3_bind_int64(stmt, 1, old->numbers[i]);
		int rc = store_step(stmt);
		if (rc != SQLITE_DONE)
			err = store_sql_fail(s->db, rc, "delete what is old", why);
	}
	for (size_t i = 0; err == WD_OK && i < old->batches; i++)
		err = forget_comments(s, old->seqs[i], why);
	return err;
}

static enum wd_err retain_comments(struct store *s, wd_wall now, const struct store_policy *p,
				   bool *more, struct wd_why *why)
{
#define COMMENTS "SELECT number, seq, received_ns FROM comment "
	const struct { const char *sql; wd_wall before; } kinds[] = {
		{COMMENTS "WHERE status = 3 ORDER BY number", {INT64_MAX}},
		{COMMENTS "WHERE status = 2 ORDER BY number",
		 wall_back(now, (wd_span){p->comments_kept.ns / 10})},
		{COMMENTS "ORDER BY number", wall_back(now, p->comments_kept)},
	};
#undef COMMENTS
	enum wd_err err = WD_OK;
	for (size_t i = 0; err == WD_OK && i < WD_COUNT(kinds); i++) {
		struct old_comments old = {.rows = 0};
		err = find_old_comments(s, kinds[i].sql, kinds[i].before, &old, why);
		if (err == WD_OK)
			err = delete_comments(s, &old, why);
		if (err == WD_OK)
			s->counters.deleted_comments += old.rows;
		*more = *more || old.rows == STEP_ROWS || old.batches == STEP_BATCHES;
	}
	return err;
}

static enum wd_err retain_traces(struct store *s, wd_wall now, const struct store_policy *p,
				 bool *more, struct wd_why *why)
{
	int64_t deleted = 0;
	enum wd_err err = delete_some(
		s,
		"DELETE FROM trace WHERE incident IN (SELECT incident FROM trace"
		" WHERE changed_ns < ?1 ORDER BY changed_ns LIMIT ?2)",
		(int64_t[]){wall_back(now, p->traces_kept).ns, STEP_TRACES}, 2, &deleted, why);
	if (err == WD_OK) {
		s->counters.deleted_traces += (uint64_t)deleted;
		*more = *more || deleted == STEP_TRACES;
	}
	return err;
}

/* All generations but the last two whole ones, and the one being written. */
static enum wd_err retain_state(struct store *s, bool *more, struct wd_why *why)
{
	int64_t deleted = 0, wholes = 0;
	enum wd_err err = delete_some(s,
		"DELETE FROM state WHERE rowid IN (SELECT rowid FROM state WHERE generation NOT IN"
		" (SELECT generation FROM state_whole ORDER BY generation DESC LIMIT 2)"
		" AND (?1 = 0 OR generation < (SELECT max(generation) FROM state_whole)) LIMIT ?2)",
		(int64_t[]){s->state_open, STEP_ROWS}, 2, &deleted, why);
	if (err == WD_OK && deleted == 0)
		err = delete_some(s,
			"DELETE FROM state_whole WHERE generation NOT IN"
			" (SELECT generation FROM state_whole ORDER BY generation DESC LIMIT 2)",
			NULL, 0, &wholes, why);
	*more = *more || deleted > 0;
	return err;
}

/* Hands free pages back to the file system. */
static enum wd_err shrink(struct store *s, bool *more, struct wd_why *why)
{
	char sql[64];
	int64_t pages = 0;
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA incremental_vacuum(%d)", STEP_PAGES);
	enum wd_err err = store_exec(s->db, sql, "give back free space", why);
	if (err == WD_OK)
		err = store_exec_int(s->db, "PRAGMA freelist_count", &pages, "give back free space",
				     why);
	*more = *more || pages > 0;
	return err;
}

enum wd_err store_retain(struct store *s, wd_wall now, const struct store_policy *policy,
			 bool *ret_more, struct wd_why *why)
{
	bool more = false;
	turn_take(&s->turn);
	enum wd_err err = store_begin(s, why);
	if (err == WD_OK) {
		if ((err = retain_journal(s, now, policy, &more, why)) == WD_OK &&
		    (err = retain_ids(s, now, policy, why)) == WD_OK &&
		    (err = retain_comments(s, now, policy, &more, why)) == WD_OK &&
		    (err = retain_traces(s, now, policy, &more, why)) == WD_OK &&
		    (err = retain_state(s, &more, why)) == WD_OK)
			err = shrink(s, &more, why);
		err = store_finish(s, err, why);
	}
	turn_give(&s->turn);
	if (err == WD_OK)
		*ret_more = more;
	return err;
}

enum wd_err store_retain_time(struct store *s, wd_wall now, wd_span passed, wd_wall *ret_time,
			      struct wd_why *why)
{
	char sql[256];
	wd_wall time = {0};
	wd_span most = {passed.ns * HURRY};

	turn_take(&s->turn);
	/* The first time: a database of before the table, or that lost it, has a time, too. */
	wd_wall first = s->found.ns == 0 ? now : wall_add(s->found, most);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO retained VALUES(1, min(%lld, %lld)) ON CONFLICT(number) DO UPDATE"
		 " SET now_ns = min(%lld, now_ns + %lld)",
		 (long long)now.ns, (long long)first.ns, (long long)now.ns, (long long)most.ns);
	enum wd_err err = store_begin(s, why);
	if (err == WD_OK) {
		if ((err = store_exec(s->db, sql, "keep the time", why)) == WD_OK)
			err = store_exec_int(s->db, "SELECT now_ns FROM retained", &time.ns,
					     "read the time", why);
		err = store_finish(s, err, why);
	}
	turn_give(&s->turn);
	if (err == WD_OK)
		*ret_time = time;
	return err;
}

struct store_counters store_count(struct store *s)
{
	int64_t pages = 0, page_size = 0, damages = 0;
	turn_take(&s->turn);
	struct store_counters counters = s->counters;
	turn_give(&s->turn);
	pthread_mutex_lock(&s->reading);
	(void)!(store_exec_int(s->reader, "PRAGMA page_count", &pages, "", NULL) == WD_OK &&
		store_exec_int(s->reader, "PRAGMA page_size", &page_size, "", NULL) == WD_OK &&
		store_exec_int(s->reader, "SELECT count(*) FROM damage", &damages, "", NULL) ==
			WD_OK);
	counters.unread = s->unread;
	pthread_mutex_unlock(&s->reading);
	counters.file_bytes = (uint64_t)(pages * page_size);
	counters.damages = (uint64_t)damages;
	return counters;
}
