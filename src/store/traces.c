/* SPDX-License-Identifier: Apache-2.0 */
/* traces: a row an incident, as JSON with its version. */
#include "store/sqlite.h"

#include <stdlib.h>

enum wd_err store_trace_put(struct store *s, const struct trace *t, struct wd_why *why)
{
	struct buf json;
	buf_init(&json, TRACE_JSON_MAX);
	trace_to_json(&json, t);
	if (json.bad) {
		buf_done(&json);
		return wd_fail(why, WD_NOMEM, 0, "write a trace");
	}
	turn_take(&s->turn);
	enum wd_err err = store_begin(s, why);
	if (err == WD_OK) {
		int rc = SQLITE_ERROR;
		sqlite3_stmt *stmt = store_statement(s, SQL_TRACE_PUT);
		if (stmt != NULL) {
			store_bind_text(stmt, 1, t->incident);
			sqlite3_bind_int64(stmt, 2, t->changed_at.ns);
			store_bind_text(stmt, 3, json.data);
			rc = store_step(stmt);
		}
		if (rc != SQLITE_DONE)
			err = store_sql_fail(s->db, rc, "write a trace", why);
		err = store_finish(s, err, why);
	}
	turn_give(&s->turn);
	buf_done(&json);
	return err;
}

enum wd_err store_trace_get(struct store *s, const char *incident, struct trace *ret_t,
			    struct wd_why *why)
{
	enum wd_err read = wd_fail(why, WD_UNKNOWN, 0, "no trace of this incident");
	sqlite3_stmt *stmt = store_read(s, "SELECT json FROM trace WHERE incident = ?1", why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	store_bind_text(stmt, 1, incident);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const char *json = (const char *)sqlite3_column_text(stmt, 0);
		size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
		read = json == NULL ? wd_fail(why, WD_NOMEM, 0, "read a trace")
				    : trace_from_json(json, len, ret_t, why);
	}
	enum wd_err err = store_read_done(s, stmt, rc, "read a trace", why);
	return err != WD_OK ? err : read;
}

enum wd_err store_each_trace(struct store *s, size_t limit,
			     void (*each)(void *ctx, const struct trace *), void *ctx,
			     struct wd_why *why)
{
	int rc;
	struct trace *t = malloc(sizeof(*t));
	if (t == NULL)
		return wd_fail(why, WD_NOMEM, 0, "read traces");
	sqlite3_stmt *stmt = store_read(s,
					"SELECT json FROM (SELECT * FROM trace ORDER BY changed_ns"
					" DESC, incident LIMIT ?1) ORDER BY changed_ns, incident",
					why);
	if (stmt == NULL) {
		free(t);
		return why != NULL ? why->err : WD_OS;
	}
	sqlite3_bind_int64(stmt, 1, limit > 0 ? (sqlite3_int64)limit : -1);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *json = (const char *)sqlite3_column_text(stmt, 0);
		size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
		struct wd_why unread;
		if (json != NULL && trace_from_json(json, len, t, &unread) == WD_OK)
			each(ctx, t);
		else
			s->unread++;
	}
	free(t);
	return store_read_done(s, stmt, rc, "read traces", why);
}
