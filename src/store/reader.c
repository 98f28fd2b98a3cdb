/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reader.h"

#include "base/text.h"
#include "store/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_A_VIEW = 256, WATCHED_S = 90 };

/* A folder that cannot be written and that no server uses has no shared memory for the log, and
 * none can be made; without a log the file alone is the whole truth. */
static int open_unchanging(const struct store *s, const char *path, sqlite3 **ret_db)
{
	char log[STORE_PATH_MAX], uri[3 * STORE_PATH_MAX + 32] = "file:";
	if (store_path(s, "whydown.db-wal", log, NULL) != WD_OK || access(log, F_OK) == 0)
		return SQLITE_CANTOPEN;
	size_t len = strlen(uri);
	for (const char *p = path; *p != '\0'; p++)
		len += (size_t)snprintf(uri + len, sizeof(uri) - len,
					strchr("%?#", *p) != NULL ? "%%%02X" : "%c", *p);
	snprintf(uri + len, sizeof(uri) - len, "?immutable=1");
	return sqlite3_open_v2(uri, ret_db,
			       SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
				       SQLITE_OPEN_URI,
			       NULL);
}

static enum wd_err check_version(sqlite3 *db, struct wd_why *why)
{
	int64_t application = 0, version = 0;
	enum wd_err err =
		store_exec_int(db, "PRAGMA application_id", &application, "read database", why);
	if (err == WD_OK)
		err = store_exec_int(db, "PRAGMA user_version", &version, "read database", why);
	if (err != WD_OK)
		return err;
	if (application != STORE_APPLICATION_ID)
		return wd_fail(why, WD_MALFORMED, 1, "whydown.db is another program's database");
	if (version > schema_version_latest())
		return wd_fail(why, WD_UNKNOWN, (uint32_t)version,
			       "the data folder was written by a newer whydown");
	if (version < schema_version_latest())
		return wd_fail(
			why, WD_UNKNOWN, (uint32_t)version,
			"the data folder was written by an older whydown: start the server once");
	return WD_OK;
}

enum wd_err reader_open(const char *folder, struct store **ret_store, struct wd_why *why)
{
	char path[STORE_PATH_MAX];
	struct wd_why reason = {0};
	enum wd_err err;
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open data folder");
	s->lock_fd = -1;
	pthread_mutex_init(&s->turn.lock, NULL);
	pthread_cond_init(&s->turn.moved, NULL);
	pthread_mutex_init(&s->reading, NULL);
	pthread_mutex_init(&s->checkpointer.lock, NULL);
	pthread_cond_init(&s->checkpointer.due, NULL);
	if (!text_copy(s->folder, sizeof(s->folder), folder)) {
		err = wd_fail_os(why, ENAMETOOLONG, "open data folder");
		goto fail;
	}
	if ((err = store_path(s, "whydown.db", path, why)) != WD_OK)
		goto fail;
	if (access(path, F_OK) != 0) {
		err = errno == ENOENT ? wd_fail(why, WD_UNKNOWN, 0, "there is no whydown.db") :
					wd_fail_os(why, errno, "open whydown.db");
		goto fail;
	}
	err = store_open_reader(s, &reason);
	if (err == WD_OK)
		err = check_version(s->reader, &reason);
	if (err == WD_OS) {
		sqlite3_close(s->reader);
		s->reader = NULL;
		if (open_unchanging(s, path, &s->reader) == SQLITE_OK)
			err = check_version(s->reader, &reason);
	}
	if (err != WD_OK) {
		if (why != NULL)
			*why = reason;
		goto fail;
	}
	*ret_store = s;
	return WD_OK;
fail:
	store_close(s);
	return err;
}

/* ---- observations ---- */

struct walk {
	const struct reader_query *query;
	bool (*each)(void *ctx, wd_wall received, const struct observation *o);
	void *ctx;
	sqlite3_stmt *rows, *approved;
	uint64_t damaged;
	bool ended;
};

static bool is_approved(struct walk *w, uint64_t seq, const struct observation *o)
{
	sqlite3_bind_int64(w->approved, 1, (int64_t)seq);
	sqlite3_bind_int64(w->approved, 2, o->at.ns);
	store_bind_text(w->approved, 3, o->service);
	store_bind_text(w->approved, 4, o->comment);
	int rc = sqlite3_step(w->approved);
	sqlite3_reset(w->approved);
	return rc == SQLITE_ROW;
}

static void tell(struct walk *w, uint64_t seq, wd_wall stamp, struct observation *o)
{
	const struct reader_query *q = w->query;
	if (wall_before(o->at, q->from) || (q->to.ns != 0 && !wall_before(o->at, q->to)) ||
	    (q->service != NULL && strcmp(q->service, o->service) != 0))
		return;
	if (!q->all_comments && o->comment[0] != '\0' && !is_approved(w, seq, o))
		o->comment = "";
	w->ended = !w->each(w->ctx, stamp, o);
}

/* One batch; in a damaged one what is good up to the damage is told. */
static void tell_row(struct walk *w)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(w->rows, 0);
	wd_wall stamp = {sqlite3_column_int64(w->rows, 1)};
	const uint8_t *body = sqlite3_column_blob(w->rows, 2);
	size_t left = (size_t)sqlite3_column_bytes(w->rows, 2), len;

	for (; left > 0 && !w->ended; body += len, left -= len) {
		struct observation o;
		if (observation_decode(body, left, &o, &len, NULL) != WD_OK) {
			w->damaged++;
			return;
		}
		tell(w, seq, stamp, &o);
	}
}

/* All rows, a view at a time; on_row gets each. */
static enum wd_err each_row(struct store *s, const char *sql, sqlite3_stmt **rows,
			    void (*on_row)(void *ctx), void *ctx, const bool *ended,
			    struct wd_why *why)
{
	int64_t seq = 0;
	int got = ROWS_A_VIEW, rc = sqlite3_prepare_v2(s->reader, sql, -1, rows, NULL);

	while (rc == SQLITE_OK && got == ROWS_A_VIEW && !*ended) {
		sqlite3_bind_int64(*rows, 1, seq);
		sqlite3_bind_int64(*rows, 2, ROWS_A_VIEW);
		for (got = 0; !*ended && (rc = sqlite3_step(*rows)) == SQLITE_ROW; got++) {
			seq = sqlite3_column_int64(*rows, 0);
			on_row(ctx);
		}
		if (*ended || rc == SQLITE_DONE)
			rc = SQLITE_OK;
		sqlite3_reset(*rows);
	}
	sqlite3_finalize(*rows);
	*rows = NULL;
	return rc == SQLITE_OK ? WD_OK : store_sql_fail(s->reader, rc, "read the journal", why);
}

static void tell_walk_row(void *ctx)
{
	tell_row(ctx);
}

enum wd_err reader_each(struct store *s, const struct reader_query *query,
			bool (*each)(void *ctx, wd_wall received, const struct observation *o),
			void *ctx, uint64_t *ret_damaged, struct wd_why *why)
{
	struct walk w = {.query = query, .each = each, .ctx = ctx};
	pthread_mutex_lock(&s->reading);
	int rc = sqlite3_prepare_v2(s->reader,
				    "SELECT 1 FROM comment WHERE seq = ?1 AND at_ns = ?2"
				    " AND service = ?3 AND text = ?4 AND status = 1",
				    -1, &w.approved, NULL);
	enum wd_err err = rc == SQLITE_OK ? each_row(s,
						     "SELECT seq, stamp_ns, body FROM journal "
						     "WHERE seq > ?1 ORDER BY seq LIMIT ?2",
						     &w.rows, tell_walk_row, &w, &w.ended, why)
					  : store_sql_fail(s->reader, rc, "read comments", why);
	sqlite3_finalize(w.approved);
	pthread_mutex_unlock(&s->reading);
	if (err == WD_OK)
		*ret_damaged = w.damaged;
	return err;
}

/* ---- counts ---- */

/* A database of its own, in memory and beyond that in a temporary file: there may be more
 * services and buckets than memory. */
struct tally {
	sqlite3 *db;
	sqlite3_stmt *add, *watch, *rows;
	wd_span bucket;
	wd_wall stamp; /* of the row before */
	int64_t watched; /* the bucket that was last noted */
	int rc;
	bool ended;
};

static int64_t bucket_of(const struct tally *t, wd_wall at)
{
	return floor_div(at.ns, t->bucket.ns);
}

static bool add_report(void *ctx, wd_wall received, const struct observation *o)
{
	struct tally *t = ctx;
	(void)received;
	if (o->kind != OBSERVATION_REPORT && o->kind != OBSERVATION_COUNT)
		return true;
	sqlite3_bind_int64(t->add, 1, bucket_of(t, o->at));
	store_bind_text(t->add, 2, o->service);
	sqlite3_bind_int64(t->add, 3, o->count);
	t->rc = store_step(t->add);
	return t->rc == SQLITE_DONE;
}

/* Two batches with less than WATCHED_S between: somebody watched from the one to the other. */
static void note_watch(void *ctx)
{
	struct tally *t = ctx;
	wd_wall stamp = {sqlite3_column_int64(t->rows, 1)};
	int64_t first = bucket_of(t, stamp), last = first;
	if (t->stamp.ns != 0 && wall_sub(stamp, t->stamp).ns <= WATCHED_S * WD_NS_PER_S)
		first = bucket_of(t, t->stamp);
	t->stamp = stamp;
	for (int64_t b = first <= t->watched ? t->watched + 1 : first; b <= last && !t->ended;
	     b++) {
		sqlite3_bind_int64(t->watch, 1, b);
		t->rc = store_step(t->watch);
		t->ended = t->rc != SQLITE_DONE;
		t->watched = b;
	}
}

static enum wd_err tally_open(struct tally *t, struct wd_why *why)
{
	int rc = sqlite3_open_v2("", &t->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
			t->db,
			"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
			"CREATE TABLE n(bucket, service, reports, PRIMARY KEY(bucket, service))"
			" WITHOUT ROWID;"
			"CREATE TABLE watched(bucket INTEGER PRIMARY KEY)",
			NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(t->db,
					"INSERT INTO n VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE"
					" SET reports = reports + ?3",
					-1, &t->add, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(t->db, "INSERT OR IGNORE INTO watched VALUES(?1)", -1,
					&t->watch, NULL);
	return rc == SQLITE_OK ? WD_OK : store_sql_fail(t->db, rc, "count reports", why);
}

static enum wd_err tell_counts(struct tally *t, const struct reader_query *query,
			       bool (*each)(void *ctx, wd_wall at, const char *service,
					    uint64_t reports),
			       void *ctx, struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
		t->db,
		"SELECT bucket, service, reports FROM n UNION ALL"
		" SELECT w.bucket, f.service, 0 FROM watched w, (SELECT service, min(bucket) AS "
		"first"
		"  FROM n GROUP BY service) f WHERE w.bucket > f.first AND w.bucket >= ?1 AND"
		"  (?2 IS NULL OR w.bucket < ?2) AND NOT EXISTS"
		"  (SELECT 1 FROM n WHERE n.bucket = w.bucket AND n.service = f.service)"
		" ORDER BY 1, 2",
		-1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, bucket_of(t, query->from));
		if (query->to.ns != 0)
			sqlite3_bind_int64(stmt, 2, bucket_of(t, query->to));
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			wd_wall at = {sqlite3_column_int64(stmt, 0) * t->bucket.ns};
			if (!each(ctx, at, (const char *)sqlite3_column_text(stmt, 1),
				  (uint64_t)sqlite3_column_int64(stmt, 2)))
				break;
		}
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW
		       ? WD_OK
		       : store_sql_fail(t->db, rc, "count reports", why);
}

enum wd_err reader_each_count(struct store *s, const struct reader_query *query, wd_span bucket,
			      bool (*each)(void *ctx, wd_wall at, const char *service,
					   uint64_t reports),
			      void *ctx, uint64_t *ret_damaged, struct wd_why *why)
{
	struct tally t = {.bucket = bucket, .rc = SQLITE_DONE, .watched = INT64_MIN};
	struct reader_query all_comments = *query;
	all_comments.all_comments = true; /* not asked for each */
	enum wd_err err = tally_open(&t, why);

	if (err == WD_OK)
		err = reader_each(s, &all_comments, add_report, &t, ret_damaged, why);
	if (err == WD_OK) {
		pthread_mutex_lock(&s->reading);
		err = each_row(
			s, "SELECT seq, stamp_ns FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2",
			&t.rows, note_watch, &t, &t.ended, why);
		pthread_mutex_unlock(&s->reading);
	}
	if (err == WD_OK && t.rc != SQLITE_DONE)
		err = store_sql_fail(t.db, t.rc, "count reports", why);
	if (err == WD_OK)
		err = tell_counts(&t, query, each, ctx, why);
	sqlite3_finalize(t.add);
	sqlite3_finalize(t.watch);
	sqlite3_close(t.db);
	return err;
}
