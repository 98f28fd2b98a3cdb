/* SPDX-License-Identifier: Apache-2.0 */
/* incidents: `incident` has each as it is now, `effect` every version that was told. */
#include "store/sqlite.h"

#include "base/text.h"
#include "base/timetext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_MAX = 1 << 16 };

static int add_effect(struct store *s, wd_wall at, const char *kind, const char *service,
		      const char *incident, const char *json)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_EFFECT_ADD);
	if (stmt == NULL)
		return SQLITE_ERROR;
	sqlite3_bind_int64(stmt, 1, at.ns);
	store_bind_text(stmt, 2, kind);
	store_bind_text(stmt, 3, service);
	store_bind_text(stmt, 4, incident);
	store_bind_text(stmt, 5, json);
	return store_step(stmt);
}

static int put_incident(struct store *s, const struct incident *i, const char *json)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_INCIDENT_PUT);
	if (stmt == NULL)
		return SQLITE_ERROR;
	store_bind_text(stmt, 1, i->id);
	store_bind_text(stmt, 2, i->service);
	sqlite3_bind_int64(stmt, 3, i->began_at.ns);
	sqlite3_bind_int64(stmt, 4, i->ended_at.ns);
	sqlite3_bind_double(stmt, 5, (double)i->severity);
	store_bind_text(stmt, 6, json);
	return store_step(stmt);
}

static int put_series(struct store *s, const char *id, const struct store_change *change)
{
	sqlite3_stmt *stmt = store_statement(s, SQL_SERIES_PUT);
	if (stmt == NULL)
		return SQLITE_ERROR;
	store_bind_text(stmt, 1, id);
	sqlite3_bind_blob64(stmt, 2, change->series, change->series_len, SQLITE_STATIC);
	return store_step(stmt);
}

/* Ends a transaction that has come to `rc`, and lets go of the turn. */
static enum wd_err finish(struct store *s, int rc, wd_wall at, struct wd_why *why)
{
	enum wd_err err = WD_OK;
	if (rc != SQLITE_DONE)
		err = store_sql_fail(s->db, rc, "write an incident", why);
	err = store_finish(s, err, why);
	if (err == WD_OK && wall_before(s->end.clock, at))
		s->end.clock = at;
	turn_give(&s->turn);
	return err;
}

enum wd_err store_put_incident(struct store *s, const struct incident *i,
			       const struct store_change *change, struct wd_why *why)
{
	struct buf json;
	buf_init(&json, JSON_MAX);
	incident_to_json(&json, i);
	if (json.bad) {
		buf_done(&json);
		return wd_fail(why, WD_NOMEM, 0, "write an incident");
	}
	turn_take(&s->turn);
	enum wd_err err = store_begin(s, why);
	if (err != WD_OK) {
		turn_give(&s->turn);
	} else {
		int rc = put_incident(s, i, json.data);
		if (rc == SQLITE_DONE && change->series != NULL)
			rc = put_series(s, i->id, change);
		if (rc == SQLITE_DONE)
			rc = add_effect(s, change->at, change->change, i->service, i->id,
					json.data);
		err = finish(s, rc, change->at, why);
	}
	buf_done(&json);
	return err;
}

enum wd_err store_put_coordinated(struct store *s, const struct coordinated *c, wd_wall at,
				  struct wd_why *why)
{
	char began[TIMETEXT_LEN_MAX], last[TIMETEXT_LEN_MAX];
	struct buf json;

	timetext_write(began, c->began_at);
	timetext_write(last, c->last_at);
	buf_init(&json, JSON_MAX);
	buf_str(&json, "{\"v\":1,\"service\":\"");
	buf_json(&json, c->service);
	buf_fmt(&json,
		"\",\"began_at\":\"%s\",\"last_at\":\"%s\",\"observed\":%.9g,\"expected\":%.9g,"
		"\"persons\":%u,\"networks\":%u,\"top_network\":\"",
		began, last, (double)c->observed, (double)c->expected, c->persons, c->networks);
	buf_json(&json, c->top_network);
	buf_fmt(&json, "\",\"top_share\":%.9g}", (double)c->top_share);
	if (json.bad) {
		buf_done(&json);
		return wd_fail(why, WD_NOMEM, 0, "write evidence");
	}
	turn_take(&s->turn);
	enum wd_err err = store_begin(s, why);
	if (err != WD_OK)
		turn_give(&s->turn);
	else
		err = finish(s, add_effect(s, at, "coordinated", c->service, "", json.data), at,
			     why);
	buf_done(&json);
	return err;
}

/* The turn must not be asked for while reading: who repairs has it and waits for the reader. */
static void note_unread(struct store *s, const char *id)
{
	char text[INCIDENT_ID_MAX + 64];
	snprintf(text, sizeof(text), "incident %s cannot be read and is left out", id);
	turn_take(&s->turn);
	store_note_damage(s, s->opened_at, text, "");
	turn_give(&s->turn);
}

/* *ret_unread: of the first that cannot be read; "" as it was if all can. */
static enum wd_err tell_incidents(struct store *s, void (*each)(void *ctx, const struct incident *),
				  void *ctx, char ret_unread[INCIDENT_ID_MAX + 1],
				  struct wd_why *why)
{
	int rc;
	struct incident *i = malloc(sizeof(*i));
	if (i == NULL)
		return wd_fail(why, WD_NOMEM, 0, "read incidents");
	sqlite3_stmt *stmt =
		store_read(s, "SELECT json, id FROM incident ORDER BY began_ns, id", why);
	if (stmt == NULL) {
		free(i);
		return why != NULL ? why->err : WD_OS;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *json = (const char *)sqlite3_column_text(stmt, 0);
		size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
		const char *id = (const char *)sqlite3_column_text(stmt, 1);
		struct wd_why unread;
		if (json != NULL && incident_from_json(json, len, i, &unread) == WD_OK) {
			each(ctx, i);
			continue;
		}
		if (ret_unread[0] == '\0')
			(void)text_copy(ret_unread, INCIDENT_ID_MAX + 1, id != NULL ? id : "?");
		s->unread++;
	}
	free(i);
	return store_read_done(s, stmt, rc, "read incidents", why);
}

enum wd_err store_each_incident(struct store *s, void (*each)(void *ctx, const struct incident *),
				void *ctx, struct wd_why *why)
{
	char unread[INCIDENT_ID_MAX + 1] = "";
	enum wd_err err = tell_incidents(s, each, ctx, unread, why);
	if (unread[0] != '\0')
		note_unread(s, unread);
	return err;
}

enum wd_err store_incident_series(struct store *s, const char *id, uint8_t **ret_bytes,
				  size_t *ret_len, struct wd_why *why)
{
	uint8_t *copy = NULL;
	size_t len = 0;
	sqlite3_stmt *stmt = store_read(s, "SELECT bytes FROM incident_series WHERE id = ?1", why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	store_bind_text(stmt, 1, id);
	int rc = sqlite3_step(stmt);
	bool found = rc == SQLITE_ROW;
	if (found) {
		len = (size_t)sqlite3_column_bytes(stmt, 0);
		copy = malloc(len > 0 ? len : 1);
		if (copy != NULL && len > 0)
			memcpy(copy, sqlite3_column_blob(stmt, 0), len);
	}
	enum wd_err err = store_read_done(s, stmt, rc, "read an incident's chart", why);
	if (err == WD_OK && !found)
		err = wd_fail(why, WD_UNKNOWN, 0, "no chart of this incident");
	if (err == WD_OK && copy == NULL)
		err = wd_fail(why, WD_NOMEM, 0, "read an incident's chart");
	if (err != WD_OK) {
		free(copy);
		return err;
	}
	*ret_bytes = copy;
	*ret_len = len;
	return WD_OK;
}

enum wd_err store_each_version(struct store *s, const struct store_versions *which,
			       void (*each)(void *ctx, const struct store_version *), void *ctx,
			       struct wd_why *why)
{
	int rc;
	sqlite3_stmt *stmt = store_read(s,
					"SELECT at_ns, kind, json FROM effect WHERE incident = ?1"
					" ORDER BY number LIMIT ?2 OFFSET ?3",
					why);
	if (stmt == NULL)
		return why != NULL ? why->err : WD_OS;
	store_bind_text(stmt, 1, which->incident);
	sqlite3_bind_int64(stmt, 2, which->limit);
	sqlite3_bind_int64(stmt, 3, which->after);
	for (uint32_t n = 1; (rc = sqlite3_step(stmt)) == SQLITE_ROW; n++) {
		struct store_version version = {
			.number = which->after + n,
			.at = {sqlite3_column_int64(stmt, 0)},
			.change = (const char *)sqlite3_column_text(stmt, 1),
			.json = (const char *)sqlite3_column_text(stmt, 2),
		};
		each(ctx, &version);
	}
	return store_read_done(s, stmt, rc, "read an incident's versions", why);
}
