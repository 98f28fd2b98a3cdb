/* SPDX-License-Identifier: Apache-2.0 */
/* repair: a new database from what can be read of a damaged one. Tables are read in small ranges
 * of row numbers, each from both its ends, so that a damaged page costs the rows on it.
 *
 * It can be killed at any moment: the new file is made as whydown.repairing.db and becomes
 * whydown.repaired.db when it is whole and on disk. From then on repair_finish, here or at the
 * next start, moves the damaged file and its log aside (the log first: it must never meet
 * the new file) and gives the new one its name. */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANGE = 64, COLUMNS_MAX = 16 };

/* In the order of their use: the notes of damage come last, on top of those that are copied. */
static const char *const tables[] = {"journal",         "state_whole", "state",   "incident",
				     "incident_series", "trace",       "effect",  "comment",
				     "retained",        "damage"};

struct repair {
	struct store *store;
	wd_wall now;
	sqlite3 *from, *to;
	int64_t copied, holes; /* rows; ranges in which something could not be read */
};

/* Says nothing of the old file: with more memory or descriptors, or when nobody is in the way, it
 * can be read. What is taken for damage then would leave out what is whole. */
static bool is_passing(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
	case SQLITE_CANTOPEN:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
	case SQLITE_PERM:
	case SQLITE_AUTH: return true;
	default: return rc == SQLITE_IOERR_NOMEM;
	}
}

static int copy_row(struct repair *r, sqlite3_stmt *row, const char *table)
{
	char sql[128], marks[2 * COLUMNS_MAX] = "?";
	sqlite3_stmt *stmt = NULL;
	int columns = sqlite3_column_count(row);

	for (int i = 1; i < columns && i < COLUMNS_MAX; i++)
		snprintf(marks + 2 * i - 1, sizeof(marks) - (size_t)(2 * i - 1), ",?");
	snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES(%s)", table, marks);
	int rc = sqlite3_prepare_v2(r->to, sql, -1, &stmt, NULL);
	for (int i = 0; i < columns && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_value(stmt, i + 1, sqlite3_column_value(row, i));
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	r->copied += sqlite3_changes(r->to);
	sqlite3_finalize(stmt);
	/* A damaged row may break the new table's rules: it is not a row any more. */
	return rc == SQLITE_DONE || (rc & 0xff) == SQLITE_CONSTRAINT ? SQLITE_OK : rc;
}

/* One direction through a range. *ret_read: it came to its end. Errors of the new file count, and
 * of the old one those that pass. */
static int copy_range(struct repair *r, const char *table, int64_t low, const char *order,
		      bool *ret_read)
{
	char sql[160];
	sqlite3_stmt *stmt = NULL;
	int rc, written = SQLITE_OK;

	snprintf(sql, sizeof(sql),
		 "SELECT * FROM %s WHERE rowid >= %lld AND rowid < %lld ORDER BY rowid %s", table,
		 (long long)low, (long long)low + RANGE, order);
	rc = sqlite3_prepare_v2(r->from, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		while (written == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
			written = copy_row(r, stmt, table);
	}
	sqlite3_finalize(stmt);
	*ret_read = rc == SQLITE_DONE;
	return written == SQLITE_OK && is_passing(rc) ? rc : written;
}

/* The highest row number; if that cannot be read, the most there can be in the file. */
static int64_t last_row(struct repair *r, const char *table)
{
	char sql[64];
	int64_t last, pages = 0;
	snprintf(sql, sizeof(sql), "SELECT ifnull(max(rowid), 0) FROM %s", table);
	if (store_exec_int(r->from, sql, &last, "", NULL) == WD_OK)
		return last;
	/* The mark tells of the journal; other rows fill more than 64 bytes. */
	(void)!store_exec_int(r->from, "PRAGMA page_count", &pages, "", NULL);
	last = pages * 64;
	return last > (int64_t)r->store->marked.seq ? last : (int64_t)r->store->marked.seq;
}

static int64_t first_row(struct repair *r, const char *table)
{
	char sql[64];
	int64_t first;
	snprintf(sql, sizeof(sql), "SELECT ifnull(min(rowid), 0) FROM %s", table);
	return store_exec_int(r->from, sql, &first, "", NULL) == WD_OK ? first : 0;
}

/* The old one may be of an earlier version, in which there was no such table. */
static bool is_missing(struct repair *r, const char *table)
{
	char sql[96];
	int64_t count;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM sqlite_schema WHERE name = '%s'", table);
	return store_exec_int(r->from, sql, &count, "", NULL) == WD_OK && count == 0;
}

static int copy_table(struct repair *r, const char *table)
{
	if (is_missing(r, table))
		return SQLITE_OK;
	int64_t last = last_row(r, table);
	for (int64_t low = first_row(r, table); low <= last; low += RANGE) {
		bool read;
		int rc = copy_range(r, table, low, "ASC", &read);
		if (rc == SQLITE_OK && !read) {
			r->holes++;
			rc = copy_range(r, table, low, "DESC", &read);
		}
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

/* `seen` has no row numbers: from both ends. What is lost in the middle is found again in the
 * journal by check_batches. */
static int copy_seen(struct repair *r)
{
	static const char *const orders[] = {"SELECT * FROM seen ORDER BY id",
					     "SELECT * FROM seen ORDER BY id DESC"};
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *stmt = NULL;
		int written = SQLITE_OK,
		    rc = sqlite3_prepare_v2(r->from, orders[i], -1, &stmt, NULL);
		while (rc == SQLITE_OK && written == SQLITE_OK &&
		       (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			written = copy_row(r, stmt, "seen");
			rc = SQLITE_OK;
		}
		sqlite3_finalize(stmt);
		if (written != SQLITE_OK || is_passing(rc))
			return written != SQLITE_OK ? written : rc;
		if (rc == SQLITE_DONE)
			return SQLITE_OK;
		r->holes++;
	}
	return SQLITE_OK;
}

/* How far comments were numbered, where that can still be read. */
static int copy_numbering(struct repair *r)
{
	char sql[240];
	int64_t last = 0;

	(void)!store_exec_int(r->from, "SELECT max(seq) FROM sqlite_sequence", &last, "", NULL);
	snprintf(sql, sizeof(sql),
		 "DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence(name, seq)"
		 " SELECT 'comment', max(%lld, ifnull(max(number), 0)) FROM comment",
		 (long long)last);
	return sqlite3_exec(r->to, sql, NULL, NULL, NULL);
}

static int note(struct repair *r, const char *kept)
{
	char text[200];
	sqlite3_stmt *stmt = NULL;
	snprintf(text, sizeof(text),
		 "the database was damaged in %lld places: a new one was made of the %lld rows"
		 " that could be read",
		 (long long)r->holes, (long long)r->copied);
	int rc = sqlite3_prepare_v2(r->to,
				    "INSERT INTO damage(found_ns, text, kept) VALUES(?1, ?2, ?3)",
				    -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, r->now.ns);
		store_bind_text(stmt, 2, text);
		store_bind_text(stmt, 3, kept);
		rc = sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static enum wd_err copy_all(struct repair *r, const char *kept, struct wd_why *why)
{
	enum wd_err err = schema_update(r->to, why);
	if (err == WD_OK)
		err = store_exec(r->to, "PRAGMA synchronous = OFF; BEGIN", "make a new database",
				 why);
	if (err != WD_OK)
		return err;
	int rc = SQLITE_OK;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && rc == SQLITE_OK; i++)
		rc = copy_table(r, tables[i]);
	if (rc == SQLITE_OK)
		rc = copy_seen(r);
	if (rc == SQLITE_OK)
		rc = copy_numbering(r);
	if (rc == SQLITE_OK)
		rc = note(r, kept);
	if (rc != SQLITE_OK)
		return store_sql_fail(r->to, rc, "make a new database", why);
	return store_exec(r->to, "COMMIT", "make a new database", why);
}

/* The name under which the damaged file is kept; the same one before and after a kill, because
 * it is made from the time of the repaired file. */
static void kept_name(struct store *s, wd_wall at, char *ret_name)
{
	check_name(s, at, "whydown.db", ret_name);
}

static enum wd_err sync_file(const char *path, wd_wall time, struct wd_why *why)
{
	struct timespec times[2] = {{.tv_sec = wall_to_s(time)}, {.tv_sec = wall_to_s(time)}};
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return wd_fail_os(why, errno, "sync the new database");
	int failed = futimens(fd, times) != 0 || fsync(fd) != 0 ? errno : 0;
	close(fd);
	return failed == 0 ? WD_OK : wd_fail_os(why, failed, "sync the new database");
}

/* If the damaged one is no database any more, or is not there, nothing is copied from it. */
static enum wd_err open_damaged(struct repair *r, const char *path, struct wd_why *why)
{
	int rc = sqlite3_open_v2(path, &r->from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
				 SQLITE_OPEN_EXRESCODE, NULL);
	if (is_passing(rc) && access(path, F_OK) == 0)
		return store_sql_fail(r->from, rc, "read the damaged database", why);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(r->from, 2000);
		sqlite3_db_config(r->from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	}
	return WD_OK;
}

/* What was not finished takes room on a disk that may be full because of it. */
static bool drop(const char *making)
{
	char log[STORE_PATH_MAX + 10];
	snprintf(log, sizeof(log), "%s-journal", making);
	return (unlink(making) == 0 || errno == ENOENT) && (unlink(log) == 0 || errno == ENOENT);
}

enum wd_err repair_files(struct store *s, wd_wall now, struct wd_why *why)
{
	struct repair r = {.store = s, .now = now};
	char damaged[STORE_PATH_MAX], making[STORE_PATH_MAX], made[STORE_PATH_MAX],
		kept[STORE_KEPT_MAX];
	enum wd_err err;

	if ((err = store_path(s, "whydown.db", damaged, why)) != WD_OK ||
	    (err = store_path(s, "whydown.repairing.db", making, why)) != WD_OK ||
	    (err = store_path(s, "whydown.repaired.db", made, why)) != WD_OK)
		return err;
	if (!drop(making))
		return wd_fail_os(why, errno, "make a new database");
	kept_name(s, now, kept);
	if ((err = open_damaged(&r, damaged, why)) == WD_OK) {
		int rc = sqlite3_open_v2(making, &r.to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					 SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
		err = rc == SQLITE_OK ? copy_all(&r, kept, why) :
		      store_sql_fail(r.to, rc, "make a new database", why);
	}
	sqlite3_close(r.from);
	sqlite3_close(r.to);
	if (err != WD_OK || (err = sync_file(making, now, why)) != WD_OK) {
		(void)drop(making);
		return err;
	}
	if (rename(making, made) != 0)
		return wd_fail_os(why, errno, "make a new database");
	if ((err = repair_finish(s, why)) != WD_OK || (err = store_open_files(s, why)) != WD_OK)
		return err;
	err = check_batches(s, 0, true, now, why);
	store_close_files(s);
	return err;
}

/* Renaming what is not there any more is what a second try does. */
static bool move(const struct store *s, const char *from, const char *to)
{
	char from_path[STORE_PATH_MAX], to_path[STORE_PATH_MAX];
	if (store_path(s, from, from_path, NULL) != WD_OK ||
	    store_path(s, to, to_path, NULL) != WD_OK)
		return false;
	return rename(from_path, to_path) == 0 || errno == ENOENT;
}

enum wd_err repair_finish(struct store *s, struct wd_why *why)
{
	char made[STORE_PATH_MAX], path[STORE_PATH_MAX], kept[STORE_KEPT_MAX],
		kept_log[STORE_KEPT_MAX + 8];
	struct stat st;
	enum wd_err err = store_path(s, "whydown.repaired.db", made, why);
	if (err == WD_OK)
		err = store_path(s, "whydown.repairing.db", path, why);
	if (err != WD_OK)
		return err;
	(void)drop(path); /* of one that was killed: it begins anew if it must */
	if (stat(made, &st) != 0)
		return errno == ENOENT ? WD_OK
				       : wd_fail_os(why, errno, "look for a repaired database");
	kept_name(s, wall_s(st.st_mtim.tv_sec), kept);
	snprintf(kept_log, sizeof(kept_log), "%s-wal", kept);
	if ((err = store_path(s, "whydown.db-shm", path, why)) != WD_OK)
		return err;
	if (!move(s, "whydown.db-wal", kept_log) || (unlink(path) != 0 && errno != ENOENT) ||
	    !move(s, "whydown.db", kept) || !move(s, "whydown.repaired.db", "whydown.db"))
		return wd_fail_os(why, errno, "put the repaired database in place");
	return WD_OK;
}
