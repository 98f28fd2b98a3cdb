/* SPDX-License-Identifier: Apache-2.0 */
/* schema: the tables, as a list of steps. PRAGMA user_version says how many a file has had;
 * a step, once released, is never changed. docs/storage.md tells what the tables are for. */
#include "store/sqlite.h"

#include "base/check.h"

#include <stdio.h>

static const char *const steps[] = {
	/* 0 → 1 */
	"CREATE TABLE journal("
	" seq INTEGER PRIMARY KEY, stamp_ns INTEGER NOT NULL, ticked_ns INTEGER NOT NULL,"
	" count INTEGER NOT NULL, checksum INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE TABLE seen("
	" id BLOB PRIMARY KEY, day INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE state_whole("
	" generation INTEGER PRIMARY KEY, seq INTEGER NOT NULL, clock_ns INTEGER NOT NULL,"
	" services INTEGER NOT NULL, checksum INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;"
	"CREATE TABLE state("
	" generation INTEGER NOT NULL, service TEXT NOT NULL, checksum INTEGER NOT NULL,"
	" bytes BLOB NOT NULL, UNIQUE(generation, service)) STRICT;"
	"CREATE TABLE incident("
	" id TEXT PRIMARY KEY, service TEXT NOT NULL, began_ns INTEGER NOT NULL,"
	" ended_ns INTEGER NOT NULL, severity REAL NOT NULL, json TEXT NOT NULL) STRICT;"
	"CREATE INDEX incident_began ON incident(began_ns);"
	"CREATE TABLE incident_series("
	" id TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
	"CREATE TABLE effect("
	" number INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind TEXT NOT NULL,"
	" service TEXT NOT NULL, incident TEXT NOT NULL, json TEXT NOT NULL) STRICT;"
	"CREATE INDEX effect_incident ON effect(incident);"
	"CREATE TABLE comment("
	" number INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, received_ns INTEGER NOT NULL,"
	" service TEXT NOT NULL, surface TEXT NOT NULL, problem TEXT NOT NULL,"
	" country TEXT NOT NULL, text TEXT NOT NULL, seq INTEGER NOT NULL,"
	" status INTEGER NOT NULL, decided_ns INTEGER NOT NULL) STRICT;"
	"CREATE INDEX comment_status ON comment(status, number);"
	"CREATE INDEX comment_service ON comment(service, status, number);"
	"CREATE TABLE damage("
	" number INTEGER PRIMARY KEY, found_ns INTEGER NOT NULL, text TEXT NOT NULL,"
	" kept TEXT NOT NULL) STRICT;",
	/* 1 → 2: export asks for the comment of an observation. */
	"CREATE INDEX comment_seq ON comment(seq);",
	/* 2 → 3: what the traffic of an incident was. */
	"CREATE TABLE trace("
	" incident TEXT PRIMARY KEY, changed_ns INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"
	"CREATE INDEX trace_changed ON trace(changed_ns);",
	/* 3 → 4: pages ask for a service's latest published comments. */
	"CREATE INDEX comment_published ON comment(service, at_ns) WHERE status = 1;",
	/* 4 → 5: a comment's number is never given again, also when the last one was deleted: an
	 * operator decides by it, and asks for what came after it. */
	"PRAGMA secure_delete = ON;" /* of the copies that are left behind */
	"ALTER TABLE comment RENAME TO comment_before;"
	"CREATE TABLE comment("
	" number INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL,"
	" received_ns INTEGER NOT NULL, service TEXT NOT NULL, surface TEXT NOT NULL,"
	" problem TEXT NOT NULL, country TEXT NOT NULL, text TEXT NOT NULL,"
	" seq INTEGER NOT NULL, status INTEGER NOT NULL, decided_ns INTEGER NOT NULL) STRICT;"
	"INSERT INTO comment SELECT * FROM comment_before;"
	"DROP TABLE comment_before;"
	"CREATE INDEX comment_status ON comment(status, number);"
	"CREATE INDEX comment_service ON comment(service, status, number);"
	"CREATE INDEX comment_seq ON comment(seq);"
	"CREATE INDEX comment_published ON comment(service, at_ns) WHERE status = 1;",
	/* 5 → 6: the time that retention goes by, one row. */
	"CREATE TABLE retained(number INTEGER PRIMARY KEY, now_ns INTEGER NOT NULL) STRICT;",
};

int schema_version_latest(void)
{
	return (int)WD_COUNT(steps);
}

const char *schema_step(int version)
{
	return version < schema_version_latest() ? steps[version] : NULL;
}

/* A new file: what cannot be changed once there are tables. */
static enum wd_err prepare(sqlite3 *db, struct wd_why *why)
{
	char sql[128];
	/* VACUUM, since a start that was cut off may have left a first page without it. */
	enum wd_err err =
		store_exec(db, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM", "set up database", why);
	if (err != WD_OK)
		return err;
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", STORE_APPLICATION_ID);
	return store_exec(db, sql, "set up database", why);
}

static enum wd_err migrate(sqlite3 *db, int version, struct wd_why *why)
{
	char sql[64];
	enum wd_err err = store_exec(db, "BEGIN IMMEDIATE", "start migration", why);
	if (err != WD_OK)
		return err;
	err = store_exec(db, steps[version], "migrate database", why);
	if (err == WD_OK) {
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version + 1);
		err = store_exec(db, sql, "migrate database", why);
	}
	if (err == WD_OK)
		err = store_exec(db, "COMMIT", "commit migration", why);
	if (err != WD_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

enum wd_err schema_update(sqlite3 *db, struct wd_why *why)
{
	int64_t version, application, tables;
	enum wd_err err;

	if ((err = store_exec_int(db, "SELECT count(*) FROM sqlite_schema", &tables,
				  "read database", why)) != WD_OK ||
	    (err = store_exec_int(db, "PRAGMA user_version", &version, "read schema version",
				  why)) != WD_OK ||
	    (err = store_exec_int(db, "PRAGMA application_id", &application, "read database",
				  why)) != WD_OK)
		return err;
	/* One without tables is new, or ours from a start that was cut off. */
	if (version == 0 && (tables == 0 || application == STORE_APPLICATION_ID)) {
		if ((err = prepare(db, why)) != WD_OK)
			return err;
	} else if (application != STORE_APPLICATION_ID) {
		return wd_fail(why, WD_MALFORMED, 1, "whydown.db is another program's database");
	}
	if (version > schema_version_latest())
		return wd_fail(why, WD_UNKNOWN, (uint32_t)version,
			       "the data folder was written by a newer whydown");
	for (; version < schema_version_latest(); version++) {
		if ((err = migrate(db, (int)version, why)) != WD_OK)
			return err;
	}
	return WD_OK;
}
