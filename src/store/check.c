/* SPDX-License-Identifier: Apache-2.0 */
/* check: finds damaged batches, keeps their bytes in a file and what is good of them in the
 * journal. Each observation's frame has a checksum of its own: one bad byte costs one. */
#include "store/sqlite.h"

#include "base/timetext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void store_note_damage(struct store *s, wd_wall now, const char *text, const char *kept)
{
	s->counters.damages++;
	sqlite3_stmt *stmt = store_statement(s, SQL_DAMAGE_ADD);
	if (stmt == NULL)
		return;
	sqlite3_bind_int64(stmt, 1, now.ns);
	store_bind_text(stmt, 2, text);
	store_bind_text(stmt, 3, kept);
	store_step(stmt);
}

void check_name(const struct store *s, wd_wall now, const char *name, char *ret_name)
{
	struct civil c = civil_of(now);
	char path[STORE_PATH_MAX];
	int len = snprintf(ret_name, STORE_KEPT_MAX, "damaged-%04d%02d%02dT%02d%02d%02dZ-%s",
			   c.year, c.month, c.day, c.hour, c.minute, c.second, name);
	for (int i = 2; i < 1000; i++) {
		if (store_path(s, ret_name, path, NULL) != WD_OK || access(path, F_OK) != 0)
			return;
		snprintf(ret_name + len, STORE_KEPT_MAX - (size_t)len, "-%d", i);
	}
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);
		if (put < 0 && errno != EINTR)
			return errno;
		if (put > 0) {
			bytes += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

enum wd_err check_set_aside(struct store *s, wd_wall now, const char *name, const void *bytes,
			    size_t len, char *ret_name, struct wd_why *why)
{
	char path[STORE_PATH_MAX];
	check_name(s, now, name, ret_name);
	enum wd_err err = store_path(s, ret_name, path, why);
	if (err != WD_OK)
		return err;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return wd_fail_os(why, errno, "set damaged data aside");
	int failed = write_all(fd, bytes, len);
	if (failed == 0 && fsync(fd) != 0)
		failed = errno;
	close(fd);
	return failed == 0 ? WD_OK : wd_fail_os(why, failed, "set damaged data aside");
}

enum wd_err check_keep_file(struct store *s, wd_wall now, const char *file, char *ret_name,
			    struct wd_why *why)
{
	static const size_t block = 1 << 16;
	char from[STORE_PATH_MAX], to[STORE_PATH_MAX];
	int in = -1, out = -1, failed = 0;
	enum wd_err err;

	check_name(s, now, file, ret_name);
	if ((err = store_path(s, file, from, why)) != WD_OK ||
	    (err = store_path(s, ret_name, to, why)) != WD_OK)
		return err;
	uint8_t *bytes = malloc(block);
	if (bytes == NULL)
		return wd_fail(why, WD_NOMEM, 0, "set damaged data aside");
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (out < 0)
		failed = errno;
	for (ssize_t got = 1; failed == 0 && got > 0;) {
		got = read(in, bytes, block);
		failed = got < 0 ? errno : write_all(out, bytes, (size_t)got);
	}
	if (failed == 0 && fsync(out) != 0)
		failed = errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(bytes);
	return failed == 0 ? WD_OK : wd_fail_os(why, failed, "set damaged data aside");
}

/* A row as it is on disk; the body is borrowed from the statement. */
struct row {
	uint64_t seq;
	wd_wall stamp, ticked;
	uint32_t count, checksum;
	const uint8_t *body;
	size_t len;
};

static struct row read_row(sqlite3_stmt *stmt)
{
	return (struct row){
		.seq = (uint64_t)sqlite3_column_int64(stmt, 0),
		.stamp = {sqlite3_column_int64(stmt, 1)},
		.ticked = {sqlite3_column_int64(stmt, 2)},
		.count = (uint32_t)sqlite3_column_int64(stmt, 3),
		.checksum = (uint32_t)sqlite3_column_int64(stmt, 4),
		.body = sqlite3_column_blob(stmt, 5),
		.len = (size_t)sqlite3_column_bytes(stmt, 5),
	};
}

/* Copies the frames that are whole to dst, from wherever one begins; returns their length. */
static size_t pick_frames(const struct row *r, uint8_t *dst, uint32_t *ret_count)
{
	size_t len = 0;
	*ret_count = 0;
	for (size_t at = 0; at < r->len;) {
		struct observation o;
		size_t frame;
		if (observation_decode(r->body + at, r->len - at, &o, &frame, NULL) != WD_OK) {
			at++;
			continue;
		}
		memcpy(dst + len, r->body + at, frame);
		len += frame;
		at += frame;
		(*ret_count)++;
	}
	return len;
}

/* Times that a damaged row may have lost: at least they must be in order. */
static void mend_times(struct row *r, wd_wall before, wd_wall latest)
{
	if (wall_before(r->stamp, before) || wall_before(latest, r->stamp))
		r->stamp = before;
	if (wall_before(r->ticked, (wd_wall){0}) || wall_before(r->stamp, r->ticked))
		r->ticked = (wd_wall){0};
}

static int replace_row(struct store *s, const struct row *r, const uint8_t *body, size_t len,
		       uint32_t count)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db,
				    "UPDATE journal SET stamp_ns = ?2, ticked_ns = ?3, count = ?4,"
				    " checksum = ?5, body = ?6 WHERE seq = ?1",
				    -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, (int64_t)r->seq);
		sqlite3_bind_int64(stmt, 2, r->stamp.ns);
		sqlite3_bind_int64(stmt, 3, r->ticked.ns);
		sqlite3_bind_int64(stmt, 4, count);
		sqlite3_bind_int64(
			stmt, 5,
			journal_row_checksum(r->seq, r->stamp, r->ticked, count, body, len));
		sqlite3_bind_blob64(stmt, 6, body, len, SQLITE_STATIC);
		rc = sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static enum wd_err mend_row(struct store *s, struct row *r, wd_wall before, wd_wall now,
			    struct wd_why *why)
{
	char name[40], kept[STORE_KEPT_MAX], text[160];
	uint32_t good = 0;
	/* A damaged end: no stamp was later than the mark, if there is one. */
	wd_wall latest = s->marked.clock.ns != 0 ? s->marked.clock : now;
	uint8_t *body = malloc(r->len + 1);
	if (body == NULL)
		return wd_fail(why, WD_NOMEM, 0, "check the journal");
	size_t len = pick_frames(r, body, &good);
	snprintf(name, sizeof(name), "batch-%llu", (unsigned long long)r->seq);
	enum wd_err err = check_set_aside(s, now, name, r->body, r->len, kept, why);
	if (err == WD_OK) {
		snprintf(text, sizeof(text),
			 "batch %llu of the journal is damaged: %u of %u observations are good",
			 (unsigned long long)r->seq, good, r->count);
		mend_times(r, before, latest);
		int rc = replace_row(s, r, body, len, good);
		if (rc != SQLITE_DONE)
			err = store_sql_fail(s->db, rc, "mend the journal", why);
		else
			store_note_damage(s, now, text, kept);
	}
	free(body);
	return err;
}

static enum wd_err remember_ids(struct store *s, const struct row *r, struct wd_why *why)
{
	for (size_t at = 0, len; at < r->len; at += len) {
		struct observation o;
		if (observation_decode(r->body + at, r->len - at, &o, &len, NULL) != WD_OK)
			break;
		if (observation_id_is_none(&o.id))
			continue;
		sqlite3_stmt *stmt = store_statement(s, SQL_SEEN_ADD);
		if (stmt != NULL) {
			sqlite3_bind_blob(stmt, 1, o.id.bytes, sizeof(o.id.bytes), SQLITE_STATIC);
			sqlite3_bind_int64(stmt, 2, wall_to_s(r->stamp) / 86400);
		}
		int rc = store_step(stmt);
		if (rc != SQLITE_DONE)
			return store_sql_fail(s->db, rc, "remember ids", why);
	}
	return WD_OK;
}

enum wd_err check_batches(struct store *s, uint64_t from, bool ids, wd_wall now, struct wd_why *why)
{
	sqlite3_stmt *stmt = NULL;
	wd_wall before = {0};
	enum wd_err err = WD_OK;
	int rc = sqlite3_prepare_v2(s->db,
				    "SELECT seq, stamp_ns, ticked_ns, count, checksum, body"
				    " FROM journal WHERE seq > ?1 ORDER BY seq",
				    -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, (int64_t)from);
		while (err == WD_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			struct row r = read_row(stmt);
			if (ids)
				err = remember_ids(s, &r, why);
			if (err == WD_OK &&
			    r.checksum != journal_row_checksum(r.seq, r.stamp, r.ticked, r.count,
							       r.body, r.len))
				err = mend_row(s, &r, before, now, why);
			before = r.stamp;
		}
	}
	sqlite3_finalize(stmt);
	if (err == WD_OK && rc != SQLITE_DONE)
		err = store_sql_fail(s->db, rc, "check the journal", why);
	return err;
}
