/* SPDX-License-Identifier: Apache-2.0 */
/* forget: a comment's text leaves the journal when it leaves its row. Everything else of a batch
 * stays as it was: what a replay tells of it is the same. */
#include "store/sqlite.h"

#include <stdlib.h>
#include <string.h>

struct batch_row {
	wd_wall stamp, ticked;
	uint32_t count;
	uint8_t *body; /* owned */
	size_t len;
};

/* WD_UNKNOWN: it is no more, or its checksum is wrong. */
static enum wd_err read_row(struct store *s, int64_t seq, struct batch_row *ret_row,
			    struct wd_why *why)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_JOURNAL_FIND);
	enum wd_err err = WD_UNKNOWN;
	if (stmt != NULL)
		sqlite3_bind_int64(stmt, 1, seq);
	int rc = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
	if (rc == SQLITE_ROW) {
		struct batch_row row = {
			.stamp = {sqlite3_column_int64(stmt, 0)},
			.ticked = {sqlite3_column_int64(stmt, 1)},
			.count = (uint32_t)sqlite3_column_int64(stmt, 2),
			.len = (size_t)sqlite3_column_bytes(stmt, 4),
		};
		const void *body = sqlite3_column_blob(stmt, 4);
		uint32_t sum = journal_row_checksum((uint64_t)seq, row.stamp, row.ticked, row.count,
						    body, row.len);
		if (row.len > 0 && sqlite3_column_int64(stmt, 3) == (int64_t)sum) {
			row.body = malloc(row.len);
			err = row.body != NULL ? WD_OK
					       : wd_fail(why, WD_NOMEM, 0, "forget a comment");
		}
		if (err == WD_OK) {
			memcpy(row.body, body, row.len);
			*ret_row = row;
		}
	} else if (rc != SQLITE_DONE) {
		err = store_sql_fail(s->db, rc, "read the journal", why);
	}
	sqlite3_reset(stmt);
	return err;
}

/* Has its row the text still? */
static enum wd_err is_kept(struct store *s, int64_t seq, const struct observation *o,
			   bool *ret_kept, struct wd_why *why)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_COMMENT_KEPT);
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, seq);
		sqlite3_bind_int64(stmt, 2, o->at.ns);
		sqlite3_bind_text(stmt, 3, o->service, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 4, o->comment, -1, SQLITE_STATIC);
	}
	int rc = store_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_sql_fail(s->db, rc, "read comments", why);
	*ret_kept = rc == SQLITE_ROW;
	return WD_OK;
}

/* The body without what is to be forgotten; *ret_len is 0 if all of it stays. */
static enum wd_err rewrite(struct store *s, int64_t seq, const struct batch_row *row, uint8_t *dst,
			   size_t *ret_len, struct wd_why *why)
{
	size_t at = 0, written = 0, forgotten = 0, len;
	struct observation o;

	for (; at < row->len; at += len) {
		bool kept = true;
		enum wd_err err;
		if (observation_decode(row->body + at, row->len - at, &o, &len, NULL) != WD_OK) {
			*ret_len = 0;
			return WD_OK;
		}
		if (o.comment[0] != '\0' && (err = is_kept(s, seq, &o, &kept, why)) != WD_OK)
			return err;
		if (kept) {
			memcpy(dst + written, row->body + at, len);
			written += len;
		} else {
			o.comment = "";
			written += observation_encode(&o, dst + written);
			forgotten++;
		}
	}
	*ret_len = forgotten > 0 ? written : 0;
	return WD_OK;
}

/* Pages that the row gives back are overwritten, too (elsewhere FAST leaves them until used). */
static enum wd_err change_row(struct store *s, int64_t seq, const struct batch_row *row,
			      const uint8_t *body, size_t len, struct wd_why *why)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_JOURNAL_CHANGE);
	enum wd_err err = store_exec(s->db, "PRAGMA secure_delete = ON", "forget a comment", why);
	if (err != WD_OK)
		return err;
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, seq);
		sqlite3_bind_int64(stmt, 2,
				   journal_row_checksum((uint64_t)seq, row->stamp, row->ticked,
							row->count, body, len));
		sqlite3_bind_blob64(stmt, 3, body, len, SQLITE_STATIC);
	}
	int rc = store_step(stmt);
	err = rc == SQLITE_DONE ? WD_OK : store_sql_fail(s->db, rc, "forget a comment", why);
	if (stmt != NULL)
		sqlite3_clear_bindings(stmt);
	if (store_exec(s->db, "PRAGMA secure_delete = FAST", "forget a comment",
		       err == WD_OK ? why : NULL) != WD_OK && err == WD_OK)
		err = why != NULL ? why->err : WD_OS;
	return err;
}

enum wd_err forget_comments(struct store *s, int64_t seq, struct wd_why *why)
{
	struct batch_row row = {.body = NULL};
	size_t len = 0;
	enum wd_err err = read_row(s, seq, &row, why);
	if (err != WD_OK)
		return err == WD_UNKNOWN ? WD_OK : err;
	/* A frame is not longer than it was; OBSERVATION_FRAME_MAX is what encode may touch. */
	uint8_t *body = malloc(row.len + OBSERVATION_FRAME_MAX);
	err = body != NULL ? rewrite(s, seq, &row, body, &len, why)
			   : wd_fail(why, WD_NOMEM, 0, "forget a comment");
	if (err == WD_OK && len > 0)
		err = change_row(s, seq, &row, body, len, why);
	free(body);
	free(row.body);
	return err;
}
