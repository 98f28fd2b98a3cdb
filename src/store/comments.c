/* SPDX-License-Identifier: Apache-2.0 */
/* comments: what people wrote with their reports, and what a moderator decided. */
#include "store/sqlite.h"

enum wd_err store_each_comment(struct store *s, const struct comment_query *query,
			       void (*each)(void *ctx, const struct comment *), void *ctx,
			       struct wd_why *why)
{
	int rc;
	sqlite3_stmt *stmt = store_read(
		s,
		"SELECT number, at_ns, received_ns, decided_ns, status, service, surface, problem,"
		" country, text FROM comment WHERE status = ?1 AND (?2 IS NULL OR service = ?2)"
		" AND number < ?3 AND at_ns >= ?4 AND at_ns < ?5 ORDER BY number DESC LIMIT ?6",
		why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	sqlite3_bind_int64(stmt, 1, query->status);
	if (query->service != NULL)
		store_bind_text(stmt, 2, query->service);
	sqlite3_bind_int64(stmt, 3, query->before != 0 ? query->before : INT64_MAX);
	sqlite3_bind_int64(stmt, 4, query->from.ns);
	sqlite3_bind_int64(stmt, 5, query->to.ns != 0 ? query->to.ns : INT64_MAX);
	sqlite3_bind_int64(stmt, 6, query->limit != 0 ? (int64_t)query->limit : -1);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct comment c = {
			.number = sqlite3_column_int64(stmt, 0),
			.at = {sqlite3_column_int64(stmt, 1)},
			.received_at = {sqlite3_column_int64(stmt, 2)},
			.decided_at = {sqlite3_column_int64(stmt, 3)},
			.status = (enum comment_status)sqlite3_column_int(stmt, 4),
			.service = (const char *)sqlite3_column_text(stmt, 5),
			.surface = (const char *)sqlite3_column_text(stmt, 6),
			.problem = (const char *)sqlite3_column_text(stmt, 7),
			.country = (const char *)sqlite3_column_text(stmt, 8),
			.text = (const char *)sqlite3_column_text(stmt, 9),
		};
		each(ctx, &c);
	}
	return store_read_done(s, stmt, rc, "read comments", why);
}

enum wd_err store_decide_comment(struct store *s, int64_t number, enum comment_status status,
				 wd_wall at, struct wd_why *why)
{
	enum wd_err err = WD_OK;
	turn_take(&s->turn);
	sqlite3_stmt *stmt = store_statement(s, SQL_COMMENT_DECIDE);
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, number);
		sqlite3_bind_int64(stmt, 2, status);
		sqlite3_bind_int64(stmt, 3, status == COMMENT_HELD ? 0 : at.ns);
	}
	int rc = store_step(stmt);
	if (rc != SQLITE_DONE)
		err = store_sql_fail(s->db, rc, "decide on a comment", why);
	else if (sqlite3_changes(s->db) == 0)
		err = wd_fail(why, WD_UNKNOWN, 0, "no such comment");
	turn_give(&s->turn);
	return err;
}
