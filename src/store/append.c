/* SPDX-License-Identifier: Apache-2.0 */
/* append: one batch into the journal, its ids into `seen`, its comments into `comment`. */
#include "store/sqlite.h"

#include "base/check.h"

#include <endian.h>
#include <string.h>
#include <zlib.h>

enum { TRIM_EVERY = 1000 }; /* comments filed between two looks at how many are held */

uint32_t journal_row_checksum(uint64_t seq, wd_wall stamp, wd_wall ticked, uint32_t count,
			      const void *body, size_t len)
{
	uint64_t head[4] = {htole64(seq), htole64((uint64_t)stamp.ns), htole64((uint64_t)ticked.ns),
			    htole64(count)};
	uLong sum = crc32(0, (const Bytef *)head, sizeof(head));
	/* zlib takes a NULL body, which SQLite gives for an empty one, as "start over". */
	return (uint32_t)(len > 0 ? crc32(sum, body, (uInt)len) : sum);
}

/* *ret_new: the id was not there before. */
static enum wd_err remember_id(struct store *s, const struct observation *o, wd_wall stamp,
			       bool *ret_new, struct wd_why *why)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_SEEN_ADD);
	if (stmt != NULL) {
		sqlite3_bind_blob(stmt, 1, o->id.bytes, sizeof(o->id.bytes), SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 2, wall_to_s(stamp) / 86400);
	}
	int rc = store_step(stmt);
	if (rc != SQLITE_DONE)
		return store_sql_fail(s->db, rc, "remember an observation's id", why);
	*ret_new = sqlite3_changes(s->db) > 0;
	return WD_OK;
}

static enum wd_err file_comment(struct store *s, const struct observation *o, wd_wall stamp,
				uint64_t seq, struct wd_why *why)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_COMMENT_ADD);
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, o->at.ns);
		sqlite3_bind_int64(stmt, 2, stamp.ns);
		sqlite3_bind_text(stmt, 3, o->service, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 4, o->surface, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 5, o->problem, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 6, o->country, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 7, o->comment, -1, SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 8, (int64_t)seq);
	}
	int rc = store_step(stmt);
	if (rc == SQLITE_DONE && ++s->comments_filed % TRIM_EVERY == 0 &&
	    (stmt = store_statement(s, SQL_COMMENT_TRIM)) != NULL) {
		sqlite3_bind_int64(stmt, 1, STORE_HELD_MAX);
		rc = store_step(stmt);
	}
	return rc == SQLITE_DONE ? WD_OK : store_sql_fail(s->db, rc, "file a comment", why);
}

struct kept { size_t len; uint32_t count; };

/* Goes through the frames, moves those to keep to the front. */
static enum wd_err sort_frames(struct store *s, struct store_batch *b, uint64_t seq,
			       void (*on_duplicate)(void *ctx, uint32_t index), void *ctx,
			       struct kept *ret_kept, struct wd_why *why)
{
	struct kept kept = {0, 0};
	size_t at = 0;

	for (uint32_t i = 0; i < b->count; i++) {
		struct observation o;
		size_t len;
		bool is_new = true;
		enum wd_err err = observation_decode(b->frames + at, b->len - at, &o, &len, NULL);
		if (err != WD_OK)
			return wd_fail(why, WD_SHORT, i, "a frame of the batch is not whole");
		if (!observation_id_is_none(&o.id) &&
		    (err = remember_id(s, &o, b->stamp, &is_new, why)) != WD_OK)
			return err;
		if (is_new && o.comment[0] != '\0' &&
		    (err = file_comment(s, &o, b->stamp, seq, why)) != WD_OK)
			return err;
		if (is_new) {
			memmove(b->frames + kept.len, b->frames + at, len);
			kept.len += len;
			kept.count++;
		} else if (on_duplicate != NULL) {
			on_duplicate(ctx, i);
		}
		at += len;
	}
	if (at != b->len)
		return wd_fail(why, WD_SHORT, b->count, "the batch has more bytes than frames");
	*ret_kept = kept;
	return WD_OK;
}

static enum wd_err add_row(struct store *s, const struct store_batch *b, uint64_t seq,
			   struct kept kept, struct wd_why *why)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_JOURNAL_ADD);
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, (int64_t)seq);
		sqlite3_bind_int64(stmt, 2, b->stamp.ns);
		sqlite3_bind_int64(stmt, 3, b->ticked.ns);
		sqlite3_bind_int64(stmt, 4, kept.count);
		sqlite3_bind_int64(stmt, 5,
				   journal_row_checksum(seq, b->stamp, b->ticked, kept.count,
							b->frames, kept.len));
		sqlite3_bind_blob64(stmt, 6, kept.len > 0 ? (const void *)b->frames : "", kept.len,
				    SQLITE_STATIC);
	}
	int rc = store_step(stmt);
	return rc == SQLITE_DONE ? WD_OK : store_sql_fail(s->db, rc, "write the journal", why);
}

enum wd_err store_append(struct store *s, struct store_batch *b,
			 void (*on_duplicate)(void *ctx, uint32_t index), void *ctx,
			 struct wd_why *why)
{
	struct kept kept = {0, 0};
	enum wd_err err;

	WD_CHECK(b->len <= STORE_BODY_MAX);
	turn_take(&s->turn);
	WD_CHECK(!wall_before(b->stamp, s->end.clock));
	uint64_t seq = s->end.seq + 1;
	if ((err = store_begin(s, why)) != WD_OK)
		goto out;
	if ((err = sort_frames(s, b, seq, on_duplicate, ctx, &kept, why)) == WD_OK)
		err = add_row(s, b, seq, kept, why);
	if ((err = store_finish(s, err, why)) != WD_OK)
		goto out;
	b->len = kept.len;
	b->count = kept.count;
	b->seq = seq;
	s->end = (struct store_position){seq, b->stamp};
	store_mark_end(s);
out:
	turn_give(&s->turn);
	return err;
}
