/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite: opening and closing, the folder's lock, statements and transactions.
 *
 * Durability: WAL with synchronous=FULL syncs the log in every commit. EXTRA would add
 * nothing: it differs only where a rollback journal is deleted, and WAL has none. */
#include "store/sqlite.h"

#include "base/check.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MARK_LEN = 10 + 1 + 20 + 1 + 20 + 1, /* whydown.lock: process, seq, stamp */
	LOG_MARK_LEN = 10 + 1 + 20 + 1,      /* the line after it: the log's frames, and salts */
	LOG_SALTS_AT = 16,                   /* wal.c names the source */
};

static const char *const statement_texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_JOURNAL_ADD] = "INSERT INTO journal(seq, stamp_ns, ticked_ns, count, checksum, body)"
			    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_SEEN_ADD] = "INSERT OR IGNORE INTO seen(id, day) VALUES(?1, ?2)",
	[SQL_COMMENT_ADD] = "INSERT INTO comment(at_ns, received_ns, service, surface, problem,"
			    " country, text, seq, status, decided_ns)"
			    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0)",
	[SQL_STATE_ADD] =
		"INSERT INTO state(generation, service, checksum, bytes) VALUES(?1, ?2, ?3, ?4)",
	[SQL_STATE_WHOLE_ADD] =
		"INSERT INTO state_whole(generation, seq, clock_ns, services, checksum,"
		" bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_INCIDENT_PUT] = "INSERT INTO incident(id, service, began_ns, ended_ns, severity, json)"
			     " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(id) DO UPDATE SET"
			     " began_ns = ?3, ended_ns = ?4, severity = ?5, json = ?6",
	[SQL_SERIES_PUT] = "INSERT OR REPLACE INTO incident_series(id, bytes) VALUES(?1, ?2)",
	[SQL_TRACE_PUT] = "INSERT INTO trace(incident, changed_ns, json) VALUES(?1, ?2, ?3)"
			  " ON CONFLICT(incident) DO UPDATE SET changed_ns = ?2, json = ?3",
	[SQL_EFFECT_ADD] = "INSERT INTO effect(at_ns, kind, service, incident, json)"
			   " SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM effect WHERE"
			   " incident = ?4 AND at_ns = ?1 AND kind = ?2 AND service = ?3)",
	[SQL_COMMENT_FIND] = "SELECT status, decided_ns, seq, service FROM comment"
			     " WHERE number = ?1 AND status < 3",
	[SQL_COMMENT_DECIDE] = "UPDATE comment SET status = ?2, decided_ns = ?3,"
			       " text = CASE ?2 WHEN 2 THEN '' ELSE text END WHERE number = ?1",
	[SQL_COMMENT_KEPT] = "SELECT 1 FROM comment WHERE seq = ?1 AND at_ns = ?2"
			     " AND service = ?3 AND text = ?4",
	[SQL_COMMENT_TRIM] = "UPDATE comment SET status = 3, text = '' WHERE number IN (SELECT"
			     " number FROM comment WHERE status = 0 ORDER BY number DESC"
			     " LIMIT -1 OFFSET ?1)",
	[SQL_COMMENT_DELETE] = "DELETE FROM comment WHERE number = ?1",
	[SQL_JOURNAL_FIND] = "SELECT stamp_ns, ticked_ns, count, checksum, body FROM journal"
			     " WHERE seq = ?1",
	[SQL_JOURNAL_CHANGE] = "UPDATE journal SET checksum = ?2, body = ?3 WHERE seq = ?1",
	/* What is still so at the next start is one note. */
	[SQL_DAMAGE_ADD] = "INSERT INTO damage(found_ns, text, kept) SELECT ?1, ?2, ?3 WHERE NOT"
			   " EXISTS (SELECT 1 FROM damage WHERE text = ?2 AND kept = ?3)",
};

void turn_take(struct turn *t)
{
	pthread_mutex_lock(&t->lock);
	uint64_t mine = t->next++;
	while (t->serving != mine)
		pthread_cond_wait(&t->moved, &t->lock);
	pthread_mutex_unlock(&t->lock);
}

void turn_give(struct turn *t)
{
	pthread_mutex_lock(&t->lock);
	t->serving++;
	pthread_cond_broadcast(&t->moved);
	pthread_mutex_unlock(&t->lock);
}

static const char damaged[] = "the database file is damaged";
static const char unrepaired[] = "the database is damaged, not yet repaired";

bool store_is_damaged(const struct wd_why *why)
{
	return why->err == WD_MALFORMED && (why->what == damaged || why->what == unrepaired);
}

enum wd_err store_sql_fail(sqlite3 *db, int rc, const char *what, struct wd_why *why)
{
	int os_errno = db != NULL ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return wd_fail(why, WD_FULL, 0, "no space left on the disk of the data folder");
	case SQLITE_NOMEM:
		return wd_fail(why, WD_NOMEM, 0, what);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return wd_fail(why, WD_MALFORMED, 0, damaged);
	case SQLITE_READONLY:
		return wd_fail_os(why, EROFS, what);
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return wd_fail_os(why, EACCES, what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return wd_fail_os(why, EBUSY, what);
	default:
		/* A write that fails for want of space can come as an I/O error, too. */
		if (os_errno == ENOSPC || os_errno == EDQUOT || os_errno == EFBIG)
			return wd_fail(why, WD_FULL, 0,
				       "no space left on the disk of the data folder");
		return wd_fail_os(why, os_errno != 0 ? os_errno : EIO, what);
	}
}

sqlite3_stmt *store_statement(struct store *s, enum statement id)
{
	if (s->statements[id] == NULL && s->db != NULL)
		sqlite3_prepare_v3(s->db, statement_texts[id], -1, SQLITE_PREPARE_PERSISTENT,
				   &s->statements[id], NULL);
	return s->statements[id];
}

int store_step(sqlite3_stmt *stmt)
{
	if (stmt == NULL)
		return SQLITE_ERROR;
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc;
}

enum wd_err store_exec(sqlite3 *db, const char *sql, const char *what, struct wd_why *why)
{
	int rc = db == NULL ? SQLITE_CANTOPEN : sqlite3_exec(db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? WD_OK : store_sql_fail(db, rc, what, why);
}

enum wd_err store_exec_int(sqlite3 *db, const char *sql, int64_t *ret_value, const char *what,
			   struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc = db == NULL ? SQLITE_CANTOPEN : sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? WD_OK : store_sql_fail(db, rc, what, why);
}

/* SQLite goes on with files that have lost their names, where nobody would find again what is
 * written. They may come back. */
static bool is_removed(const struct store *s)
{
	char path[STORE_PATH_MAX];
	struct stat st;

	if (s->inode == 0 || store_path(s, "whydown.db", path, NULL) != WD_OK)
		return false;
	if (stat(path, &st) != 0 ? errno == ENOENT : st.st_ino != s->inode)
		return true;
	return s->log_fd >= 0 && fstat(s->log_fd, &st) == 0 && st.st_nlink == 0;
}

enum wd_err store_begin(struct store *s, struct wd_why *why)
{
	/* Not a reader's: store_repair failed, and may be tried again. */
	if (s->db == NULL && s->lock_fd >= 0)
		return wd_fail(why, WD_MALFORMED, 0, unrepaired);
	if (is_removed(s))
		return wd_fail_os(why, ENOENT, "the database was removed or replaced while in use");
	int rc = store_step(store_statement(s, SQL_BEGIN));
	return rc == SQLITE_DONE ? WD_OK : store_sql_fail(s->db, rc, "start a transaction", why);
}

/* How long the log is now: what is beyond that after a kill was never committed. */
static void mark_log(struct store *s)
{
	char text[LOG_MARK_LEN + 2], path[STORE_PATH_MAX];
	uint64_t salts = 0;
	uint32_t frames = s->checkpointer.frames;

	if (frames == 0)
		return; /* nothing was changed */
	s->checkpointer.frames = 0;
	if (s->log_fd < 0 && store_path(s, "whydown.db-wal", path, NULL) == WD_OK)
		s->log_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(s->log_fd, &salts, sizeof(salts), LOG_SALTS_AT) != sizeof(salts))
		frames = 0;
	snprintf(text, sizeof(text), "%10u %20llu\n", frames, (unsigned long long)salts);
	if (pwrite(s->lock_fd, text, LOG_MARK_LEN, MARK_LEN) != LOG_MARK_LEN) {
		/* As of store_mark_end. */
	}
}

enum wd_err store_commit(struct store *s, struct wd_why *why)
{
	int rc = store_step(store_statement(s, SQL_COMMIT));
	if (rc == SQLITE_DONE) {
		mark_log(s);
		return WD_OK;
	}
	enum wd_err err = store_sql_fail(s->db, rc, "commit", why);
	store_rollback(s);
	return err;
}

void store_rollback(struct store *s)
{
	/* Some errors have rolled back already. */
	if (!sqlite3_get_autocommit(s->db))
		store_step(store_statement(s, SQL_ROLLBACK));
}

enum wd_err store_finish(struct store *s, enum wd_err err, struct wd_why *why)
{
	if (err == WD_OK)
		return store_commit(s, why);
	store_rollback(s);
	return err;
}

sqlite3_stmt *store_read(struct store *s, const char *sql, struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	pthread_mutex_lock(&s->reading);
	int rc = s->reader == NULL ? SQLITE_CANTOPEN :
		 sqlite3_prepare_v2(s->reader, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		return stmt;
	(void)store_sql_fail(s->reader, rc, "read the database", why);
	pthread_mutex_unlock(&s->reading);
	return NULL;
}

enum wd_err store_read_done(struct store *s, sqlite3_stmt *stmt, int rc, const char *what,
			    struct wd_why *why)
{
	enum wd_err err = rc == SQLITE_DONE || rc == SQLITE_ROW ? WD_OK :
			  store_sql_fail(s->reader, rc, what, why);
	sqlite3_finalize(stmt);
	pthread_mutex_unlock(&s->reading);
	return err;
}

void store_bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

enum wd_err store_path(const struct store *s, const char *name, char *dst, struct wd_why *why)
{
	int len = snprintf(dst, STORE_PATH_MAX, "%s/%s", s->folder, name);
	if (len < 0 || len >= STORE_PATH_MAX)
		return wd_fail_os(why, ENAMETOOLONG, "open data folder");
	return WD_OK;
}

/* A file lock, not one of SQLite's: readers such as `whydown export` must get in, a second
 * server must not. The kernel lets go of it however the process ends. The file's one line says
 * who has it, and the last batch and stamp on disk. */
static enum wd_err lock_folder(struct store *s, struct wd_why *why)
{
	char path[STORE_PATH_MAX], text[MARK_LEN + LOG_MARK_LEN + 1] = "", *at = text;
	enum wd_err err = store_path(s, "whydown.lock", path, why);
	if (err != WD_OK)
		return err;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (s->lock_fd < 0)
		return wd_fail_os(why, errno, "open whydown.lock in the data folder");
	bool locked = flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0;
	if (!locked && errno != EWOULDBLOCK)
		return wd_fail_os(why, errno, "lock the data folder");
	ssize_t got = pread(s->lock_fd, text, sizeof(text) - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	unsigned long pid = strtoul(at, &at, 10);
	if (!locked)
		return wd_fail(why, WD_FULL, (uint32_t)pid, "another whydown uses the data folder");
	s->marked.seq = strtoull(at, &at, 10);
	s->marked.clock.ns = strtoll(at, &at, 10);
	s->marked_log.frames = (uint32_t)strtoul(at, &at, 10);
	s->marked_log.salts = strtoull(at, &at, 10);
	return WD_OK;
}

void store_mark_end(struct store *s)
{
	char text[MARK_LEN + 2];
	snprintf(text, sizeof(text), "%10d %20llu %20lld\n", (int)getpid(),
		 (unsigned long long)s->end.seq, (long long)s->end.clock.ns);
	if (pwrite(s->lock_fd, text, MARK_LEN, 0) != MARK_LEN) {
		/* A full disk, at the very first: nothing is less safe for it. */
	}
}

/* So that a new file's name is on disk before anything in it counts as durable. */
static enum wd_err sync_folder(const struct store *s, struct wd_why *why)
{
	int fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return wd_fail_os(why, errno, "open data folder");
	int failed = fsync(fd) != 0 ? errno : 0;
	close(fd);
	return failed == 0 ? WD_OK : wd_fail_os(why, failed, "sync data folder");
}

static enum wd_err open_database(struct store *s, struct wd_why *why)
{
	char path[STORE_PATH_MAX];
	enum wd_err err = store_path(s, "whydown.db", path, why);
	if (err != WD_OK)
		return err;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE;
	int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
	if (rc != SQLITE_OK)
		return store_sql_fail(s->db, rc, "open whydown.db", why);
	sqlite3_busy_timeout(s->db, 2000); /* only a back-up or an export can be in the way */
	if ((err = schema_update(s->db, why)) != WD_OK)
		return err;
	/* The log is moved by checkpoint.c. */
	err = store_exec(s->db,
			 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			 "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = FAST",
			 "set up database", why);
	if (err != WD_OK)
		return err;
	return sync_folder(s, why);
}

enum wd_err store_open_reader(struct store *s, struct wd_why *why)
{
	char path[STORE_PATH_MAX];
	enum wd_err err = store_path(s, "whydown.db", path, why);
	if (err != WD_OK)
		return err;
	int rc = sqlite3_open_v2(path, &s->reader, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
				 SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return store_sql_fail(s->reader, rc, "open whydown.db to read", why);
	sqlite3_busy_timeout(s->reader, 2000);
	return WD_OK;
}

static enum wd_err read_end(struct store *s, struct wd_why *why)
{
	int64_t seq, clock;
	enum wd_err err;
	if ((err = store_exec_int(s->db, "SELECT ifnull(max(seq), 0) FROM journal", &seq,
				  "read journal", why)) != WD_OK ||
	    (err = store_exec_int(
		     s->db,
		     "SELECT max(ifnull((SELECT stamp_ns FROM journal ORDER BY seq DESC LIMIT 1), "
		     "0),"
		     " ifnull((SELECT max(clock_ns) FROM state_whole), 0),"
		     " ifnull((SELECT at_ns FROM effect ORDER BY number DESC LIMIT 1), 0))",
		     &clock, "read journal", why)) != WD_OK)
		return err;
	s->end = (struct store_position){(uint64_t)seq, {clock}};
	return WD_OK;
}

static ino_t inode_of(const struct store *s)
{
	char path[STORE_PATH_MAX];
	struct stat st;
	bool known = store_path(s, "whydown.db", path, NULL) == WD_OK && stat(path, &st) == 0;
	return known ? st.st_ino : 0;
}

enum wd_err store_open_files(struct store *s, struct wd_why *why)
{
	enum wd_err err = open_database(s, why);
	if (err == WD_OK)
		err = read_end(s, why);
	if (err == WD_OK)
		err = store_open_reader(s, why);
	if (err == WD_OK) {
		checkpoint_watch(s);
		s->inode = inode_of(s);
	}
	return err;
}

void store_close_files(struct store *s)
{
	for (size_t i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	sqlite3_close(s->reader);
	sqlite3_close(s->db);
	s->reader = s->db = NULL;
	if (s->log_fd >= 0)
		close(s->log_fd);
	s->log_fd = -1;
	s->inode = 0;
}

/* Of what SQLite will leave out nothing was ever committed, as far as the mark knows. */
static bool was_never_committed(const struct store *s, const struct wal_state *w)
{
	const struct log_mark *m = &s->marked_log;
	return m->frames > 0 && w->salts != 0 &&
	       (w->salts != m->salts || w->good_frames >= m->frames);
}

/* SQLite takes the log up to the first damage and forgets the rest; we keep it. */
static enum wd_err inspect_log(struct store *s, wd_wall now, struct wal_state *ret_wal,
			       char *ret_kept, struct wd_why *why)
{
	char path[STORE_PATH_MAX];
	enum wd_err err = store_path(s, "whydown.db-wal", path, why);
	if (err != WD_OK || (err = wal_inspect(path, ret_wal, why)) != WD_OK ||
	    (!ret_wal->damaged && !ret_wal->torn))
		return err;
	if (was_never_committed(s, ret_wal)) {
		ret_wal->damaged = ret_wal->torn = false;
		return WD_OK;
	}
	return check_keep_file(s, now, "whydown.db-wal", ret_kept, why);
}

/* A commit that was killed at its last page is no damage if nobody was told of it: the mark, which
 * is written before anybody is, has no batch that is missing. (So for marks of an earlier version;
 * for others was_never_committed has said it before.) */
static void note_log(struct store *s, const struct wal_state *wal, wd_wall now, const char *kept)
{
	char text[160], path[STORE_PATH_MAX];
	bool marked = s->marked_log.frames > 0 || s->marked.seq > s->end.seq;

	if (wal->damaged || (wal->torn && marked)) {
		snprintf(text, sizeof(text),
			 "the write-ahead log is damaged at byte %llu of %llu: what was written "
			 "after that is lost here",
			 (unsigned long long)wal->good_bytes, (unsigned long long)wal->bytes);
		store_note_damage(s, now, text, kept);
	} else if (kept[0] != '\0' && store_path(s, kept, path, NULL) == WD_OK) {
		unlink(path);
	}
}

/* Batches that were on disk and are not any more. Their numbers are not given out again. */
static void compare_with_mark(struct store *s, wd_wall now)
{
	char text[160];
	if (s->marked.seq > s->end.seq) {
		snprintf(text, sizeof(text), "batches %llu to %llu were on disk and are missing",
			 (unsigned long long)s->end.seq + 1, (unsigned long long)s->marked.seq);
		store_note_damage(s, now, text, "");
		s->end.seq = s->marked.seq;
	}
	if (wall_before(s->end.clock, s->marked.clock) && s->marked.seq > 0)
		s->end.clock = s->marked.clock;
}

static enum wd_err check_and_open(struct store *s, wd_wall now, struct wd_why *why)
{
	char kept[STORE_KEPT_MAX] = "";
	struct wal_state wal = {0};
	struct wd_why reason = {0};
	int64_t state_seq, notes;
	enum wd_err err;

	if ((err = repair_finish(s, why)) != WD_OK ||
	    (err = inspect_log(s, now, &wal, kept, why)) != WD_OK)
		return err;
	if ((err = store_open_files(s, &reason)) == WD_OK)
		err = store_exec_int(s->db,
				     "SELECT ifnull(min(seq), 0) FROM (SELECT seq FROM state_whole"
				     " ORDER BY generation DESC LIMIT 2)",
				     &state_seq, "read state", &reason);
	if (err == WD_OK)
		err = store_exec_int(s->db, "SELECT count(*) FROM damage", &notes,
				     "read the notes of damage", &reason);
	if (err == WD_OK)
		err = check_batches(s, (uint64_t)state_seq, false, now, &reason);
	if (err == WD_OK)
		err = read_end(s, &reason); /* a mended batch may have another stamp */
	/* Another program's database is no damage: at = 1. */
	if (err == WD_MALFORMED && reason.at == 0) {
		store_close_files(s);
		if ((err = repair_files(s, now, &reason)) == WD_OK)
			err = store_open_files(s, &reason);
	}
	if (err != WD_OK) {
		if (why != NULL)
			*why = reason;
		return err;
	}
	note_log(s, &wal, now, kept);
	compare_with_mark(s, now);
	store_mark_end(s);
	s->found = s->end.clock;
	return WD_OK;
}

enum wd_err store_open(const struct store_options *options, struct store **ret_store,
		       struct wd_why *why)
{
	enum wd_err err;
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open store");
	s->lock_fd = s->log_fd = -1;
	s->opened_at = options->now;
	pthread_mutex_init(&s->turn.lock, NULL);
	pthread_cond_init(&s->turn.moved, NULL);
	pthread_mutex_init(&s->reading, NULL);
	pthread_mutex_init(&s->checkpointer.lock, NULL);
	pthread_cond_init(&s->checkpointer.due, NULL);
	if (!text_copy(s->folder, sizeof(s->folder), options->folder)) {
		err = wd_fail_os(why, ENAMETOOLONG, "open data folder");
		goto fail;
	}
	if ((err = lock_folder(s, why)) != WD_OK ||
	    (err = check_and_open(s, options->now, why)) != WD_OK ||
	    (err = checkpoint_start(s, why)) != WD_OK)
		goto fail;
	*ret_store = s;
	return WD_OK;
fail:
	store_close(s);
	return err;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	checkpoint_stop(s);
	store_close_files(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_cond_destroy(&s->checkpointer.due);
	pthread_mutex_destroy(&s->checkpointer.lock);
	pthread_mutex_destroy(&s->reading);
	pthread_cond_destroy(&s->turn.moved);
	pthread_mutex_destroy(&s->turn.lock);
	free(s);
}

struct store_position store_end(struct store *s)
{
	turn_take(&s->turn);
	struct store_position end = s->end;
	turn_give(&s->turn);
	return end;
}

enum wd_err store_repair(struct store *s, wd_wall now, struct wd_why *why)
{
	checkpoint_stop(s);
	turn_take(&s->turn);
	pthread_mutex_lock(&s->reading);
	struct store_position end = s->end;
	s->marked = end; /* nothing on disk is later, and all of this run is before it */
	store_close_files(s);
	enum wd_err err = repair_finish(s, why); /* one before that was not put in place */
	if (err == WD_OK)
		err = repair_files(s, now, why);
	if (err == WD_OK)
		err = store_open_files(s, why);
	if (err != WD_OK)
		store_close_files(s);
	/* What was given out stays given out. */
	if (end.seq > s->end.seq)
		s->end.seq = end.seq;
	if (wall_before(s->end.clock, end.clock))
		s->end.clock = end.clock;
	pthread_mutex_unlock(&s->reading);
	turn_give(&s->turn);
	if (err == WD_OK)
		(void)!checkpoint_start(s, NULL); /* else commits move the log */
	return err;
}
