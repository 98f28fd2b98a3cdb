/* SPDX-License-Identifier: Apache-2.0 */
/* comments: what people wrote with their reports, and what a moderator decided. */
#include "store/sqlite.h"

#include "base/text.h"

#define COLUMNS                                                                                    \
	"SELECT number, at_ns, received_ns, decided_ns, status, service, surface, problem,"       \
	" country, text FROM comment "

static void tell_row(sqlite3_stmt *stmt, void (*each)(void *ctx, const struct comment *), void *ctx)
{
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

enum wd_err store_each_comment(struct store *s, const struct comment_query *query,
			       void (*each)(void *ctx, const struct comment *), void *ctx,
			       struct wd_why *why)
{
	static const char all[] =
		COLUMNS "WHERE status = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
	static const char of_service[] = COLUMNS
		"WHERE status = ?1 AND number > ?2 AND service = ?4 ORDER BY number LIMIT ?3";
	int rc;
	sqlite3_stmt *stmt = store_read(s, query->service == NULL ? all : of_service, why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	sqlite3_bind_int64(stmt, 1, query->status);
	sqlite3_bind_int64(stmt, 2, query->after);
	sqlite3_bind_int64(stmt, 3, query->limit != 0 ? (int64_t)query->limit : -1);
	if (query->service != NULL)
		store_bind_text(stmt, 4, query->service);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		tell_row(stmt, each, ctx);
	return store_read_done(s, stmt, rc, "read comments", why);
}

enum wd_err store_each_published(struct store *s, const struct comment_window *window,
				 void (*each)(void *ctx, const struct comment *), void *ctx,
				 struct wd_why *why)
{
	int rc;
	sqlite3_stmt *stmt = store_read(s,
					COLUMNS "WHERE status = 1 AND service = ?1 AND at_ns >= ?2"
						" AND at_ns < ?3 ORDER BY at_ns DESC LIMIT ?4",
					why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	store_bind_text(stmt, 1, window->service);
	sqlite3_bind_int64(stmt, 2, window->from.ns);
	sqlite3_bind_int64(stmt, 3, window->to.ns);
	sqlite3_bind_int64(stmt, 4, (int64_t)window->limit);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		tell_row(stmt, each, ctx);
	return store_read_done(s, stmt, rc, "read comments", why);
}

static enum wd_err find(struct store *s, int64_t number, struct comment_decision *ret_d,
			int64_t *ret_seq, struct wd_why *why)
{
	enum wd_err err = WD_OK;
	sqlite3_stmt *stmt = store_statement(s, SQL_COMMENT_FIND);
	if (stmt != NULL)
		sqlite3_bind_int64(stmt, 1, number);
	int rc = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
	if (rc == SQLITE_ROW) {
		ret_d->status = (enum comment_status)sqlite3_column_int(stmt, 0);
		ret_d->at.ns = sqlite3_column_int64(stmt, 1);
		*ret_seq = sqlite3_column_int64(stmt, 2);
		(void)text_copy(ret_d->service, sizeof(ret_d->service),
				(const char *)sqlite3_column_text(stmt, 3));
	} else {
		err = rc == SQLITE_DONE ? wd_fail(why, WD_UNKNOWN, 0, "no such comment")
					: store_sql_fail(s->db, rc, "read a comment", why);
	}
	sqlite3_reset(stmt);
	return err;
}

static enum wd_err decide(struct store *s, int64_t number, enum comment_status status, wd_wall at,
			  struct comment_decision *d, struct wd_why *why)
{
	int64_t seq = 0;
	enum wd_err err = find(s, number, d, &seq, why);
	if (err != WD_OK || d->status == status || d->status == COMMENT_REJECTED)
		return err;
	sqlite3_stmt *stmt = store_statement(s, SQL_COMMENT_DECIDE);
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, number);
		sqlite3_bind_int64(stmt, 2, status);
		sqlite3_bind_int64(stmt, 3, at.ns);
	}
	int rc = store_step(stmt);
	if (rc != SQLITE_DONE)
		return store_sql_fail(s->db, rc, "decide on a comment", why);
	d->status = status;
	d->at = at;
	d->changed = true;
	return status == COMMENT_REJECTED ? forget_comments(s, seq, why) : WD_OK;
}

enum wd_err store_decide_comment(struct store *s, int64_t number, enum comment_status status,
				 wd_wall at, struct comment_decision *ret_decision,
				 struct wd_why *why)
{
	struct comment_decision d = {.changed = false};
	turn_take(&s->turn);
	enum wd_err err = store_begin(s, why);
	if (err == WD_OK) {
		err = decide(s, number, status, at, &d, why);
		if (err == WD_OK && d.changed)
			err = store_commit(s, why);
		else
			store_rollback(s);
	}
	turn_give(&s->turn);
	if (err == WD_OK)
		*ret_decision = d;
	return err;
}
