/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint: moves the log into the database file, beside the commits and not within them: a
 * commit that had to do it would keep everybody waiting for it.
 *
 * First without the turn: most pages, and the slow syncs. What was committed meanwhile is then
 * moved with the turn held, which is little; so all of the log is moved, and the next
 * commit begins it again from the front. A log that stays small is written over the same blocks
 * of the disk again and again, which a sync has less work with than with a file that grows.
 * Without that second step the log would grow for as long as reports keep coming.
 *
 * Where the thread could not be started again after a repair, commits move the log: whoever waits
 * for them waits longer, and the log stays small all the same. */
#include "store/sqlite.h"

enum { CHECKPOINT_PAGES = 1000 };

/* After each commit, on the committing thread. */
static int on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct checkpointer *c = ctx;
	pthread_mutex_lock(&c->lock);
	bool alone = !c->running;
	c->pages = pages;
	c->frames = (uint32_t)pages;
	if (pages >= CHECKPOINT_PAGES)
		pthread_cond_signal(&c->due);
	pthread_mutex_unlock(&c->lock);
	if (alone && pages >= CHECKPOINT_PAGES)
		(void)sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

void checkpoint_watch(struct store *s)
{
	sqlite3_wal_hook(s->db, on_commit, &s->checkpointer);
}

/* A full disk or a reader in the way: the next commit asks again. */
static void move_log(struct store *s)
{
	sqlite3 *db = s->checkpointer.db;
	(void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	turn_take(&s->turn);
	(void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	turn_give(&s->turn);
}

static void *checkpoint_on(void *ctx)
{
	struct store *s = ctx;
	struct checkpointer *c = &s->checkpointer;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		if (c->pages < CHECKPOINT_PAGES) {
			pthread_cond_wait(&c->due, &c->lock);
			continue;
		}
		c->pages = 0;
		pthread_mutex_unlock(&c->lock);
		move_log(s);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static enum wd_err start_thread(struct store *s, struct wd_why *why)
{
	struct checkpointer *c = &s->checkpointer;
	pthread_mutex_lock(&c->lock);
	c->stop = false;
	c->pages = 0;
	int failed = pthread_create(&c->thread, NULL, checkpoint_on, s);
	c->running = failed == 0;
	pthread_mutex_unlock(&c->lock);
	return failed == 0 ? WD_OK
			   : wd_fail_os(why, failed, "start the thread that moves the log");
}

enum wd_err checkpoint_start(struct store *s, struct wd_why *why)
{
	struct checkpointer *c = &s->checkpointer;
	char path[STORE_PATH_MAX];
	enum wd_err err = store_path(s, "whydown.db", path, why);
	if (err != WD_OK)
		return err;
	int rc = sqlite3_open_v2(
		path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		NULL);
	err = rc == SQLITE_OK
		      ? store_exec(c->db, "PRAGMA synchronous = FULL", "set up database", why)
		      : store_sql_fail(c->db, rc, "open whydown.db to move its log", why);
	if (err == WD_OK)
		err = start_thread(s, why);
	if (err != WD_OK)
		checkpoint_stop(s);
	return err;
}

void checkpoint_stop(struct store *s)
{
	struct checkpointer *c = &s->checkpointer;
	pthread_mutex_lock(&c->lock);
	bool running = c->running;
	c->running = false;
	c->stop = true;
	pthread_cond_signal(&c->due);
	pthread_mutex_unlock(&c->lock);
	if (running)
		pthread_join(c->thread, NULL);
	sqlite3_close(c->db);
	c->db = NULL;
}
