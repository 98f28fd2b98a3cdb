/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite: the inside of the store, shared by the files of this folder only.
 *
 * Two connections: `db` writes, under the queue `turn`; `reader` reads, under `reading`.
 * Statements are prepared once and reset after use. */
#ifndef WD_STORE_SQLITE_H
#define WD_STORE_SQLITE_H

#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>

enum {
	STORE_APPLICATION_ID = 0x77646f77, /* "wdow" */
	STORE_PATH_MAX = 4096,
};

/* First come, first served: a plain mutex lets a busy journal starve everybody else. */
struct turn {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t next, serving;
};

enum statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_JOURNAL_ADD,
	SQL_SEEN_ADD,
	SQL_COMMENT_ADD,
	SQL_DAMAGE_ADD,
	SQL_COUNT,
};

struct store {
	char folder[STORE_PATH_MAX];
	int lock_fd;
	struct turn turn;
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT];
	struct store_position end; /* under turn */
	pthread_mutex_t reading;
	sqlite3 *reader;
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
enum wd_err store_exec(sqlite3 *db, const char *sql, const char *what, struct wd_why *why);
enum wd_err store_exec_int(sqlite3 *db, const char *sql, int64_t *ret_value, const char *what,
			   struct wd_why *why);

enum wd_err store_begin(struct store *s, struct wd_why *why);
enum wd_err store_commit(struct store *s, struct wd_why *why); /* rolls back if it fails */
void store_rollback(struct store *s);

enum wd_err store_path(const struct store *s, const char *name, char *dst, struct wd_why *why);

/* schema.c: makes or migrates. */
enum wd_err schema_update(sqlite3 *db, struct wd_why *why);
int schema_version_latest(void);
/* For tests: the SQL that leads from `version` to the next, NULL at the end. */
const char *schema_step(int version);

/* The row's checksum: CRC-32 of seq, stamp, ticked, count (little-endian) and body. */
uint32_t journal_row_checksum(uint64_t seq, wd_wall stamp, wd_wall ticked, uint32_t count,
			      const void *body, size_t len);

#endif
