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
#include <unistd.h>

enum { CHECKPOINT_PAGES = 4000 };

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
	[SQL_DAMAGE_ADD] = "INSERT INTO damage(found_ns, text, kept) VALUES(?1, ?2, ?3)",
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
		return wd_fail(why, WD_MALFORMED, 0, "the database file is damaged");
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
			return wd_fail(why, WD_FULL, 0, "no space left on the disk of the data folder");
		return wd_fail_os(why, os_errno != 0 ? os_errno : EIO, what);
	}
}

sqlite3_stmt *store_statement(struct store *s, enum statement id)
{
	if (s->statements[id] == NULL)
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
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? WD_OK : store_sql_fail(db, rc, what, why);
}

enum wd_err store_exec_int(sqlite3 *db, const char *sql, int64_t *ret_value, const char *what,
			   struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret_value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? WD_OK : store_sql_fail(db, rc, what, why);
}

enum wd_err store_begin(struct store *s, struct wd_why *why)
{
	int rc = store_step(store_statement(s, SQL_BEGIN));
	return rc == SQLITE_DONE ? WD_OK : store_sql_fail(s->db, rc, "start a transaction", why);
}

enum wd_err store_commit(struct store *s, struct wd_why *why)
{
	int rc = store_step(store_statement(s, SQL_COMMIT));
	if (rc == SQLITE_DONE)
		return WD_OK;
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

enum wd_err store_path(const struct store *s, const char *name, char *dst, struct wd_why *why)
{
	int len = snprintf(dst, STORE_PATH_MAX, "%s/%s", s->folder, name);
	if (len < 0 || len >= STORE_PATH_MAX)
		return wd_fail_os(why, ENAMETOOLONG, "open data folder");
	return WD_OK;
}

/* A file lock, not one of SQLite's: readers such as `whydown export` must get in, a second
 * server must not. The kernel lets go of it however the process ends. */
static enum wd_err lock_folder(struct store *s, struct wd_why *why)
{
	char path[STORE_PATH_MAX], text[32] = "";
	enum wd_err err = store_path(s, "whydown.lock", path, why);
	if (err != WD_OK)
		return err;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (s->lock_fd < 0)
		return wd_fail_os(why, errno, "open whydown.lock in the data folder");
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return wd_fail_os(why, errno, "lock the data folder");
		ssize_t got = pread(s->lock_fd, text, sizeof(text) - 1, 0);
		text[got > 0 ? got : 0] = '\0';
		return wd_fail(why, WD_FULL, (uint32_t)strtoul(text, NULL, 10),
			       "another whydown uses the data folder");
	}
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, text, (size_t)len, 0) != len) {
		/* Only the message of a second program is poorer for it: a full disk must not
		 * keep the first from starting. */
	}
	return WD_OK;
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
	char path[STORE_PATH_MAX], sql[128];
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
	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		 "PRAGMA wal_autocheckpoint = %d; PRAGMA secure_delete = FAST", CHECKPOINT_PAGES);
	if ((err = store_exec(s->db, sql, "set up database", why)) != WD_OK)
		return err;
	return sync_folder(s, why);
}

static enum wd_err open_reader(struct store *s, struct wd_why *why)
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
	    (err = store_exec_int(s->db,
				  "SELECT max(ifnull((SELECT stamp_ns FROM journal ORDER BY seq DESC LIMIT 1), 0),"
				  " ifnull((SELECT max(clock_ns) FROM state_whole), 0),"
				  " ifnull((SELECT at_ns FROM effect ORDER BY number DESC LIMIT 1), 0))",
				  &clock, "read journal", why)) != WD_OK)
		return err;
	s->end = (struct store_position){(uint64_t)seq, {clock}};
	return WD_OK;
}

enum wd_err store_open(const struct store_options *options, struct store **ret_store,
		       struct wd_why *why)
{
	enum wd_err err;
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open store");
	s->lock_fd = -1;
	pthread_mutex_init(&s->turn.lock, NULL);
	pthread_cond_init(&s->turn.moved, NULL);
	pthread_mutex_init(&s->reading, NULL);
	if (!text_copy(s->folder, sizeof(s->folder), options->folder)) {
		err = wd_fail_os(why, ENAMETOOLONG, "open data folder");
		goto fail;
	}
	if ((err = lock_folder(s, why)) != WD_OK || (err = open_database(s, why)) != WD_OK ||
	    (err = read_end(s, why)) != WD_OK || (err = open_reader(s, why)) != WD_OK)
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
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->reader);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
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
