/* SPDX-License-Identifier: Apache-2.0 */
/* replay: the journal, told again. */
#include "store/sqlite.h"

/* All whole seconds after `clock` up to `last`. */
static wd_wall tick(const struct store_replay *h, wd_wall clock, wd_wall last)
{
	for (wd_wall t = store_tick_after(clock); !wall_before(last, t); t = store_tick_after(t)) {
		h->advance(h->ctx, t);
		clock = t;
	}
	return clock;
}

/* One row. The clock starts at 0 before anything was seen: then there were no ticks. */
static enum wd_err tell(sqlite3_stmt *stmt, const struct store_replay *h, struct store_position *at,
			struct wd_why *why)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(stmt, 0);
	wd_wall stamp = {sqlite3_column_int64(stmt, 1)}, ticked = {sqlite3_column_int64(stmt, 2)};
	uint32_t count = (uint32_t)sqlite3_column_int64(stmt, 3);
	uint32_t checksum = (uint32_t)sqlite3_column_int64(stmt, 4);
	const uint8_t *body = sqlite3_column_blob(stmt, 5);
	size_t left = (size_t)sqlite3_column_bytes(stmt, 5);

	if (checksum != journal_row_checksum(seq, stamp, ticked, count, body, left))
		return wd_fail(why, WD_MALFORMED, (uint32_t)seq,
			       "a batch of the journal is damaged");
	if (at->clock.ns != 0)
		tick(h, at->clock, ticked);
	h->advance(h->ctx, stamp);
	for (uint32_t i = 0; i < count; i++) {
		struct observation o;
		size_t len;
		if (observation_decode(body, left, &o, &len, why) != WD_OK)
			return wd_fail(why, WD_MALFORMED, (uint32_t)seq,
				       "a batch of the journal is damaged");
		h->observe(h->ctx, &o);
		body += len;
		left -= len;
	}
	*at = (struct store_position){seq, stamp};
	return WD_OK;
}

enum wd_err store_replay(struct store *s, const struct store_replay *handler,
			 struct store_position *at, struct wd_why *why)
{
	struct store_position end = store_end(s), p = *at;
	sqlite3_stmt *stmt = NULL;
	enum wd_err err = WD_OK;

	pthread_mutex_lock(&s->reading);
	int rc = sqlite3_prepare_v2(s->reader,
				    "SELECT seq, stamp_ns, ticked_ns, count, checksum, body"
				    " FROM journal WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
				    -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, (int64_t)p.seq);
		sqlite3_bind_int64(stmt, 2, (int64_t)end.seq);
		while (err == WD_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
			err = tell(stmt, handler, &p, why);
	}
	if (err == WD_OK && rc != SQLITE_DONE)
		err = store_sql_fail(s->reader, rc, "read the journal", why);
	sqlite3_finalize(stmt);
	pthread_mutex_unlock(&s->reading);
	if (err == WD_OK) {
		/* What was decided in quiet seconds after the last batch is on disk, too. */
		if (p.clock.ns != 0)
			p.clock = tick(handler, p.clock, end.clock);
		p.seq = end.seq;
	}
	*at = p;
	return err;
}

enum wd_err store_journal_begin(struct store *s, wd_wall *ret_begin, struct wd_why *why)
{
	pthread_mutex_lock(&s->reading);
	enum wd_err err = store_exec_int(s->reader,
					 "SELECT ifnull((SELECT stamp_ns FROM journal ORDER BY seq"
					 " LIMIT 1), 0)",
					 &ret_begin->ns, "read the journal", why);
	pthread_mutex_unlock(&s->reading);
	return err;
}

enum wd_err store_each_damage(struct store *s, void (*each)(void *ctx, const struct store_damage *),
			      void *ctx, struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	pthread_mutex_lock(&s->reading);
	int rc = sqlite3_prepare_v2(s->reader,
				    "SELECT found_ns, text, kept FROM damage ORDER BY number", -1,
				    &stmt, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct store_damage damage = {
			.found_at = {sqlite3_column_int64(stmt, 0)},
			.text = (const char *)sqlite3_column_text(stmt, 1),
			.kept = (const char *)sqlite3_column_text(stmt, 2),
		};
		each(ctx, &damage);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	enum wd_err err = rc == SQLITE_DONE ? WD_OK :
			  store_sql_fail(s->reader, rc, "read the notes of damage", why);
	pthread_mutex_unlock(&s->reading);
	return err;
}
