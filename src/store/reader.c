/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reader.h"

#include "base/check.h"
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
	s->lock_fd = s->log_fd = -1;
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

/* How a service's buckets lie. */
struct buckets {
	char service[SERVICE_ID_MAX + 1];
	bool fed; /* its first was a count */
	int64_t width_ns, phase_ns;
};

/* A database of its own, in memory and beyond that in a temporary file: there may be more
 * services and buckets than memory. */
struct tally {
	sqlite3 *db;
	sqlite3_stmt *find, *found, *add, *watch, *rows;
	wd_span bucket;
	struct buckets last; /* of the service asked for last: they mostly come in a row */
	wd_wall stamp; /* of the row before */
	int64_t watched; /* the bucket that was last noted */
	uint64_t left_out;
	int rc;
	bool ended;
};

static int64_t bucket_of(const struct tally *t, wd_wall at)
{
	return floor_div(at.ns, t->bucket.ns);
}

/* Notes how the buckets of a service lie of which nothing came before `o`. */
static int found_service(struct tally *t, const struct observation *o)
{
	struct buckets *b = &t->last;
	b->fed = o->kind == OBSERVATION_COUNT;
	b->width_ns = t->bucket.ns;
	b->phase_ns = 0;
	if (b->fed && o->step.ns > t->bucket.ns) {
		b->width_ns = o->step.ns;
		b->phase_ns = o->at.ns;
	}
	store_bind_text(t->found, 1, b->service);
	sqlite3_bind_int64(t->found, 2, b->fed);
	sqlite3_bind_int64(t->found, 3, b->width_ns);
	sqlite3_bind_int64(t->found, 4, b->phase_ns);
	return store_step(t->found);
}

/* Into t->last; SQLITE_DONE or what went wrong. */
static int find_service(struct tally *t, const struct observation *o)
{
	struct buckets *b = &t->last;
	if (b->width_ns != 0 && strcmp(b->service, o->service) == 0)
		return SQLITE_DONE;
	if (!text_copy(b->service, sizeof(b->service), o->service))
		return SQLITE_TOOBIG; /* a frame has no longer one */
	store_bind_text(t->find, 1, b->service);
	int rc = sqlite3_step(t->find);
	if (rc == SQLITE_ROW) {
		b->fed = sqlite3_column_int(t->find, 0) != 0;
		b->width_ns = sqlite3_column_int64(t->find, 1);
		b->phase_ns = sqlite3_column_int64(t->find, 2);
	}
	sqlite3_reset(t->find);
	return rc == SQLITE_DONE ? found_service(t, o) : rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static bool add_report(void *ctx, wd_wall received, const struct observation *o)
{
	struct tally *t = ctx;
	const struct buckets *b = &t->last;
	(void)received;
	if (o->kind != OBSERVATION_REPORT && o->kind != OBSERVATION_COUNT)
		return true;
	t->rc = find_service(t, o);
	if (t->rc != SQLITE_DONE)
		return false;
	if (o->step.ns > b->width_ns) {
		t->left_out++;
		return true;
	}
	int64_t n = floor_div(o->at.ns - b->phase_ns, b->width_ns);
	sqlite3_bind_int64(t->add, 1, b->phase_ns + n * b->width_ns);
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
		sqlite3_bind_int64(t->watch, 1, b * t->bucket.ns);
		t->rc = store_step(t->watch);
		t->ended = t->rc != SQLITE_DONE;
		t->watched = b;
	}
}

static enum wd_err tally_open(struct tally *t, struct wd_why *why)
{
	const struct { sqlite3_stmt **stmt; const char *sql; } all[] = {
		{&t->find, "SELECT fed, width_ns, phase_ns FROM service WHERE id = ?1"},
		{&t->found, "INSERT INTO service VALUES(?1, ?2, ?3, ?4)"},
		{&t->add, "INSERT INTO n VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE"
			  " SET reports = reports + ?3"},
		{&t->watch, "INSERT OR IGNORE INTO watched VALUES(?1)"},
	};
	int rc = sqlite3_open_v2("", &t->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
			t->db,
			"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
			"CREATE TABLE service(id PRIMARY KEY, fed, width_ns, phase_ns)"
			" WITHOUT ROWID;"
			"CREATE TABLE n(at_ns, service, reports, PRIMARY KEY(at_ns, service))"
			" WITHOUT ROWID;"
			"CREATE TABLE watched(at_ns INTEGER PRIMARY KEY)",
			NULL, NULL, NULL);
	for (size_t i = 0; i < WD_COUNT(all) && rc == SQLITE_OK; i++)
		rc = sqlite3_prepare_v2(t->db, all[i].sql, -1, all[i].stmt, NULL);
	return rc == SQLITE_OK ? WD_OK : store_sql_fail(t->db, rc, "count reports", why);
}

static void tally_close(struct tally *t)
{
	sqlite3_finalize(t->find);
	sqlite3_finalize(t->found);
	sqlite3_finalize(t->add);
	sqlite3_finalize(t->watch);
	sqlite3_close(t->db);
}

static enum wd_err tell_counts(struct tally *t, const struct reader_query *query,
			       bool (*each)(void *ctx, const struct reader_count *count),
			       void *ctx, struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
		t->db,
		"SELECT n.at_ns, n.service, n.reports, s.width_ns FROM n"
		" JOIN service s ON s.id = n.service UNION ALL"
		" SELECT w.at_ns, f.service, 0, f.width_ns FROM watched w,"
		"  (SELECT n.service, min(n.at_ns) AS first, s.width_ns FROM n"
		"   JOIN service s ON s.id = n.service AND NOT s.fed GROUP BY n.service) f"
		" WHERE w.at_ns > f.first AND w.at_ns >= ?1 AND (?2 IS NULL OR w.at_ns < ?2)"
		"  AND NOT EXISTS"
		"  (SELECT 1 FROM n WHERE n.at_ns = w.at_ns AND n.service = f.service)"
		" ORDER BY 1, 2",
		-1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, bucket_of(t, query->from) * t->bucket.ns);
		if (query->to.ns != 0)
			sqlite3_bind_int64(stmt, 2, bucket_of(t, query->to) * t->bucket.ns);
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			const struct reader_count count = {
				.at = {sqlite3_column_int64(stmt, 0)},
				.step = {sqlite3_column_int64(stmt, 3)},
				.service = (const char *)sqlite3_column_text(stmt, 1),
				.reports = (uint64_t)sqlite3_column_int64(stmt, 2),
			};
			if (!each(ctx, &count))
				break;
		}
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW
		       ? WD_OK
		       : store_sql_fail(t->db, rc, "count reports", why);
}

enum wd_err reader_each_count(struct store *s, const struct reader_query *query, wd_span bucket,
			      bool (*each)(void *ctx, const struct reader_count *count),
			      void *ctx, struct reader_counted *ret_counted, struct wd_why *why)
{
	struct tally t = {.bucket = bucket, .rc = SQLITE_DONE, .watched = INT64_MIN};
	struct reader_query all_comments = *query;
	uint64_t damaged = 0;
	all_comments.all_comments = true; /* not asked for each */
	enum wd_err err = tally_open(&t, why);

	if (err == WD_OK)
		err = reader_each(s, &all_comments, add_report, &t, &damaged, why);
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
	tally_close(&t);
	if (err == WD_OK)
		*ret_counted = (struct reader_counted){damaged, t.left_out};
	return err;
}
