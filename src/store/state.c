/* SPDX-License-Identifier: Apache-2.0 */
/* state: the engine's blobs. A generation is a set of rows of `state` that share a number,
 * and its row in `state_whole`, which is written last and makes it count. What a start that was
 * killed left of an unfinished one is swept up by retention. */
#include "store/sqlite.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK_BYTES = 1 << 20, CHUNK_ROWS = 4096 };

struct row { char service[SERVICE_ID_MAX + 1]; size_t at, len; };

struct store_state {
	struct store *store;
	struct store_position at;
	int64_t generation, services;
	uint8_t *bytes; /* of the rows not yet written */
	size_t len, cap;
	struct row *rows;
	size_t row_count;
};

static uint32_t state_checksum(const char *service, const void *bytes, size_t len)
{
	uLong sum = crc32(0, (const Bytef *)service, (uInt)strlen(service) + 1);
	return (uint32_t)(len > 0 ? crc32(sum, bytes, (uInt)len) : sum);
}

enum wd_err store_state_begin(struct store *s, struct store_position at,
			      struct store_state **ret_state, struct wd_why *why)
{
	struct store_state *w = calloc(1, sizeof(*w));
	if (w == NULL || (w->rows = calloc(CHUNK_ROWS, sizeof(*w->rows))) == NULL) {
		free(w);
		return wd_fail(why, WD_NOMEM, 0, "write state");
	}
	w->store = s;
	w->at = at;
	turn_take(&s->turn);
	WD_CHECK(!s->state_open);
	WD_CHECK(at.seq <= s->end.seq);
	enum wd_err err =
		store_exec_int(s->db,
			       "SELECT 1 + max(ifnull((SELECT max(generation) FROM state), 0),"
			       " ifnull((SELECT max(generation) FROM state_whole), 0))",
			       &w->generation, "read state", why);
	s->state_open = err == WD_OK;
	turn_give(&s->turn);
	if (err != WD_OK) {
		free(w->rows);
		free(w);
		return err;
	}
	*ret_state = w;
	return WD_OK;
}

void store_state_drop(struct store_state *w)
{
	if (w == NULL)
		return;
	turn_take(&w->store->turn);
	w->store->state_open = false;
	turn_give(&w->store->turn);
	free(w->bytes);
	free(w->rows);
	free(w);
}

static int add_row(struct store *s, int64_t generation, const struct row *row, const uint8_t *bytes)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_STATE_ADD);
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, generation);
	store_bind_text(stmt, 2, row->service);
	sqlite3_bind_int64(stmt, 3, state_checksum(row->service, bytes, row->len));
	sqlite3_bind_blob64(stmt, 4, bytes, row->len, SQLITE_STATIC);
	return store_step(stmt);
}

/* One transaction: what is pending and, with `whole`, the row that makes it count. */
static enum wd_err write_out(struct store_state *w, const uint8_t *whole, size_t len,
			     struct wd_why *why)
{
	struct store *s = w->store;
	int rc = SQLITE_DONE;

	turn_take(&s->turn);
	enum wd_err err = store_begin(s, why);
	if (err != WD_OK)
		goto out;
	for (size_t i = 0; i < w->row_count && rc == SQLITE_DONE; i++)
		rc = add_row(s, w->generation, &w->rows[i], w->bytes + w->rows[i].at);
	sqlite3_stmt *stmt = whole != NULL ? store_statement(s, SQL_STATE_WHOLE_ADD) : NULL;
	if (rc == SQLITE_DONE && stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, w->generation);
		sqlite3_bind_int64(stmt, 2, (int64_t)w->at.seq);
		sqlite3_bind_int64(stmt, 3, w->at.clock.ns);
		sqlite3_bind_int64(stmt, 4, w->services);
		sqlite3_bind_int64(stmt, 5, state_checksum("", whole, len));
		sqlite3_bind_blob64(stmt, 6, whole, len, SQLITE_STATIC);
		rc = store_step(stmt);
	} else if (whole != NULL && rc == SQLITE_DONE) {
		rc = SQLITE_ERROR;
	}
	if (rc != SQLITE_DONE)
		err = store_sql_fail(s->db, rc, "write state", why);
	err = store_finish(s, err, why);
	if (err == WD_OK && whole != NULL && wall_before(s->end.clock, w->at.clock))
		s->end.clock = w->at.clock;
out:
	turn_give(&s->turn);
	w->row_count = 0;
	w->len = 0;
	return err;
}

enum wd_err store_state_add(struct store_state *w, const char *service, const uint8_t *bytes,
			    size_t len, struct wd_why *why)
{
	if (w->row_count == CHUNK_ROWS || (w->len > 0 && len > CHUNK_BYTES - w->len)) {
		enum wd_err err = write_out(w, NULL, 0, why);
		if (err != WD_OK)
			return err;
	}
	if (w->len + len > w->cap) {
		size_t cap = w->len + len < CHUNK_BYTES ? CHUNK_BYTES : w->len + len;
		uint8_t *grown = realloc(w->bytes, cap);
		if (grown == NULL)
			return wd_fail(why, WD_NOMEM, 0, "write state");
		w->bytes = grown;
		w->cap = cap;
	}
	struct row *row = &w->rows[w->row_count++];
	bool fits = text_copy(row->service, sizeof(row->service), service);
	WD_CHECK(fits);
	row->at = w->len;
	row->len = len;
	if (len > 0)
		memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
	w->services++;
	return WD_OK;
}

enum wd_err store_state_end(struct store_state *w, const uint8_t *whole, size_t len,
			    struct wd_why *why)
{
	/* Big ones go out first, so that the one that counts is short. */
	enum wd_err err = w->row_count > 0 ? write_out(w, NULL, 0, why) : WD_OK;
	if (err == WD_OK)
		err = write_out(w, len > 0 ? whole : (const uint8_t *)"", len, why);
	store_state_drop(w);
	return err;
}

/* ---- reading ---- */

struct generation { int64_t number, services; struct store_position at; };

/* Goes through one generation, checking; with a handler it also tells. *ret_good: nothing of
 * it is damaged. */
static enum wd_err go_through(struct store *s, const struct generation *g,
			      const struct store_state_handler *h, bool *ret_good,
			      struct wd_why *why)
{
	enum wd_err err = WD_OK;
	bool good = true;
	int64_t services = 0;
	int rc;
	sqlite3_stmt *stmt =
		store_read(s,
			   "SELECT '', checksum, bytes FROM state_whole WHERE generation = ?1"
			   " UNION ALL SELECT service, checksum, bytes FROM"
			   " (SELECT * FROM state WHERE generation = ?1 ORDER BY service)",
			   why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	sqlite3_bind_int64(stmt, 1, g->number);
	while (err == WD_OK && good && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *service = (const char *)sqlite3_column_text(stmt, 0);
		const uint8_t *bytes = sqlite3_column_blob(stmt, 2);
		size_t len = (size_t)sqlite3_column_bytes(stmt, 2);
		good = (uint32_t)sqlite3_column_int64(stmt, 1) ==
		       state_checksum(service, bytes, len);
		bool whole = service[0] == '\0';
		services += !whole;
		if (good && h != NULL)
			err = (whole ? h->whole : h->service)(h->ctx, bytes, len, why);
	}
	if (err != WD_OK || !good) {
		(void)!store_read_done(s, stmt, SQLITE_DONE, "read state", NULL);
	} else {
		err = store_read_done(s, stmt, rc, "read state", why);
		good = services == g->services;
	}
	*ret_good = good;
	return err;
}

/* The latest generation before `before` that was finished; number 0 = none. */
static enum wd_err find_generation(struct store *s, int64_t before, struct generation *ret_g,
				   struct wd_why *why)
{
	struct generation g = {0};
	sqlite3_stmt *stmt =
		store_read(s,
			   "SELECT generation, services, seq, clock_ns FROM state_whole"
			   " WHERE generation < ?1 ORDER BY generation DESC LIMIT 1",
			   why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	sqlite3_bind_int64(stmt, 1, before);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		g.number = sqlite3_column_int64(stmt, 0);
		g.services = sqlite3_column_int64(stmt, 1);
		g.at.seq = (uint64_t)sqlite3_column_int64(stmt, 2);
		g.at.clock = (wd_wall){sqlite3_column_int64(stmt, 3)};
	}
	enum wd_err err = store_read_done(s, stmt, rc, "read state", why);
	if (err == WD_OK)
		*ret_g = g;
	return err;
}

static void note_damaged(struct store *s, const struct generation *g)
{
	char text[160];
	snprintf(text, sizeof(text),
		 "the engine's state as of batch %llu is damaged: an earlier one is used, or all "
		 "of the journal",
		 (unsigned long long)g->at.seq);
	turn_take(&s->turn);
	store_note_damage(s, s->opened_at, text, "");
	turn_give(&s->turn);
}

enum wd_err store_read_state(struct store *s, const struct store_state_handler *handler,
			     struct store_position *ret_at, struct wd_why *why)
{
	struct generation g = {.number = INT64_MAX};
	bool good = false;

	while (!good) {
		enum wd_err err = find_generation(s, g.number, &g, why);
		if (err == WD_OK && g.number != 0)
			err = go_through(s, &g, NULL, &good, why);
		if (err != WD_OK)
			return err;
		if (g.number == 0)
			break;
		if (!good)
			note_damaged(s, &g);
	}
	if (good) {
		enum wd_err err = go_through(s, &g, handler, &good, why);
		if (err != WD_OK)
			return err;
	}
	*ret_at = g.at;
	return WD_OK;
}
