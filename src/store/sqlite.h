/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite: the inside of the store, shared by the files of this folder only.
 *
 * Three connections: `db` writes, under the queue `turn`; `reader` reads, under `reading`; the
 * checkpointer's moves the log into the file, on a thread of its own.
 * Statements are prepared once and reset after use. */
#ifndef WD_STORE_SQLITE_H
#define WD_STORE_SQLITE_H

#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

enum {
	STORE_APPLICATION_ID = 0x77646f77, /* "wdow" */
	STORE_PATH_MAX = 4096,
	STORE_KEPT_MAX = 96,
};

/* First come, first served: a plain mutex lets a busy journal starve everybody else. */
struct turn {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t next, serving;
};

/* checkpoint.c */
struct checkpointer {
	pthread_mutex_t lock;
	pthread_cond_t due;
	pthread_t thread;
	bool running, stop; /* with the lock */
	int pages; /* of the log, at the last commit */
	uint32_t frames; /* the same for the committing thread, until it has marked it; else 0 */
	sqlite3 *db;
};

enum statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_JOURNAL_ADD,
	SQL_SEEN_ADD,
	SQL_COMMENT_ADD,
	SQL_DAMAGE_ADD,
	SQL_STATE_ADD,
	SQL_STATE_WHOLE_ADD,
	SQL_INCIDENT_PUT,
	SQL_SERIES_PUT,
	SQL_TRACE_PUT,
	SQL_EFFECT_ADD,
	SQL_COMMENT_FIND,
	SQL_COMMENT_DECIDE,
	SQL_COMMENT_KEPT,
	SQL_COMMENT_TRIM,
	SQL_COMMENT_DELETE,
	SQL_JOURNAL_FIND,
	SQL_JOURNAL_CHANGE,
	SQL_COUNT,
};

struct store {
	char folder[STORE_PATH_MAX];
	int lock_fd;
	wd_wall opened_at; /* as the caller told it: no clock is asked here */
	wd_wall found; /* the latest time that anything on disk spoke of then; 0 = a new folder */
	struct turn turn;
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT];
	struct store_position end; /* under turn */
	/* What whydown.lock says was on disk at last: a log cut short or lost shows against it. */
	struct store_position marked;
	/* And how many frames the log had, in which round, whatever was committed in them; 0 = not
	 * known: an earlier version wrote the mark. */
	struct log_mark { uint32_t frames; uint64_t salts; } marked_log;
	int log_fd; /* to read the log's salts; -1 = not open */
	ino_t inode; /* of whydown.db as it was opened; 0 = not open */
	pthread_mutex_t reading;
	sqlite3 *reader;
	uint64_t unread; /* under reading: rows that could not be read */
	struct checkpointer checkpointer;
	struct store_counters counters; /* under turn */
	uint64_t comments_filed;        /* since the held ones were last trimmed */
	bool state_open;                /* one store_state at a time */
	struct observation_id ids_swept; /* retention has come so far in `seen` */
};

void turn_take(struct turn *t);
void turn_give(struct turn *t);

/* Our error for one of SQLite's. Static texts; `what` says what was attempted. */
enum wd_err store_sql_fail(sqlite3 *db, int rc, const char *what, struct wd_why *why);
/* Prepares on first use; NULL if it cannot (the reason is the connection's). */
sqlite3_stmt *store_statement(struct store *s, enum statement id);
/* Runs a statement that returns no rows, and resets it. SQLITE_DONE is the good answer. */
int store_step(sqlite3_stmt *stmt);
/* Runs SQL text without results. */
enum wd_err store_exec(sqlite3 *db, const char *sql, const char *what, struct wd_why *why)
	WD_MUST_CHECK;
enum wd_err store_exec_int(sqlite3 *db, const char *sql, int64_t *ret_value, const char *what,
			   struct wd_why *why) WD_MUST_CHECK;

enum wd_err store_begin(struct store *s, struct wd_why *why) WD_MUST_CHECK;
/* Rolls back if it fails. */
enum wd_err store_commit(struct store *s, struct wd_why *why) WD_MUST_CHECK;
void store_rollback(struct store *s);
/* The one or the other: by what has come of the transaction. */
enum wd_err store_finish(struct store *s, enum wd_err err, struct wd_why *why) WD_MUST_CHECK;

/* A reader's statement; with the reader's lock held until store_read_done. NULL on failure,
 * then the lock is not held. */
sqlite3_stmt *store_read(struct store *s, const char *sql, struct wd_why *why);
/* Finalizes, lets go; `rc` is the last answer of sqlite3_step. */
enum wd_err store_read_done(struct store *s, sqlite3_stmt *stmt, int rc, const char *what,
			    struct wd_why *why) WD_MUST_CHECK;
void store_bind_text(sqlite3_stmt *stmt, int at, const char *text);

enum wd_err store_path(const struct store *s, const char *name, char *dst, struct wd_why *why)
	WD_MUST_CHECK;

/* schema.c: makes or migrates. */
enum wd_err schema_update(sqlite3 *db, struct wd_why *why) WD_MUST_CHECK;
int schema_version_latest(void);
/* For tests: the SQL that leads from `version` to the next, NULL at the end. */
const char *schema_step(int version);

/* With the turn: notes what was found. Failing to is no reason to stop: damage is also counted. */
void store_note_damage(struct store *s, wd_wall now, const char *text, const char *kept);

/* Writes `end` to whydown.lock, without waiting for the disk. The line after it, which says how
 * long the log is, is written by every commit. */
void store_mark_end(struct store *s);

/* checkpoint.c. Has a connection that was just opened tell how long the log is. */
void checkpoint_watch(struct store *s);
/* Without the turn. Stopping what was not started is fine. */
enum wd_err checkpoint_start(struct store *s, struct wd_why *why) WD_MUST_CHECK;
void checkpoint_stop(struct store *s);

/* sqlite.c: connections, and where the disk ends. */
enum wd_err store_open_reader(struct store *s, struct wd_why *why) WD_MUST_CHECK;
enum wd_err store_open_files(struct store *s, struct wd_why *why) WD_MUST_CHECK;
void store_close_files(struct store *s);

/* check.c. The turn is taken, or there is one thread only. */
/* Goes through the batches after `from`; sets aside what is damaged in a batch and puts back what
 * of it is good. `ids`: remembers their ids again. WD_MALFORMED: the file itself is damaged. */
enum wd_err check_batches(struct store *s, uint64_t from, bool ids, wd_wall now,
			  struct wd_why *why) WD_MUST_CHECK;
/* Writes bytes to a new file of the folder, "damaged-TIME-name"; `ret_name` has STORE_KEPT_MAX. */
enum wd_err check_set_aside(struct store *s, wd_wall now, const char *name, const void *bytes,
			    size_t len, char *ret_name, struct wd_why *why) WD_MUST_CHECK;
/* The same with a copy of a file of the folder. */
enum wd_err check_keep_file(struct store *s, wd_wall now, const char *file, char *ret_name,
			    struct wd_why *why) WD_MUST_CHECK;
/* "damaged-20250310T094500Z-name", with a number if that is taken. */
void check_name(const struct store *s, wd_wall now, const char *name, char *ret_name);

/* wal.c: what SQLite will take of a write-ahead log, and whether it will leave whole
 * transactions behind. It would do so without a word. */
struct wal_state {
	uint64_t bytes;
	uint64_t good_bytes; /* up to the end of the last transaction in the unbroken row */
	uint64_t salts;       /* of its round; 0 = the head is not whole */
	uint32_t good_frames; /* those in good_bytes */
	/* A whole transaction stands beyond the damage, or the head is damaged. Where the mark
	 * knows that nothing there was committed, it is left of one that failed, or that was killed
	 * while another program had the database open: SQLite writes over such ones. */
	bool damaged;
	bool torn; /* the first frame not whole ends a transaction: killed there, or damaged */
};
enum wd_err wal_inspect(const char *path, struct wal_state *ret_state, struct wd_why *why)
	WD_MUST_CHECK;

/* forget.c, inside a transaction: of the batch's comments, those stay that their rows still have.
 * A batch that is damaged, or is no more, is left as it is. */
enum wd_err forget_comments(struct store *s, int64_t seq, struct wd_why *why) WD_MUST_CHECK;

/* repair.c, with the connections closed. */
enum wd_err repair_files(struct store *s, wd_wall now, struct wd_why *why) WD_MUST_CHECK;
/* Ends a repair that was interrupted when its result was already whole. */
enum wd_err repair_finish(struct store *s, struct wd_why *why) WD_MUST_CHECK;

/* The row's checksum: CRC-32 of seq, stamp, ticked, count (little-endian) and body. */
uint32_t journal_row_checksum(uint64_t seq, wd_wall stamp, wd_wall ticked, uint32_t count,
			      const void *body, size_t len);

#endif
