/* SPDX-License-Identifier: Apache-2.0 */
/* store: what the program knows, in one file of its data folder (whydown.db, SQLite in WAL
 * mode; docs/storage.md). Whatever a function here says is written is on the disk when it
 * returns: a kill, a crash or a power cut after that loses nothing.
 *
 * Threads: every function may be called from any thread. Writers take turns in order of
 * arrival; readers use a connection of their own and do not wait for a commit.
 *
 * Replay is exact. The engine sees time only through calls of advance(), and the journal keeps
 * enough to make the very same calls again: a live program calls, in this order,
 *   advance(t) for whole seconds t in a row, up to some second `ticked`,
 *   advance(stamp) of the next batch, observe() for each of its observations,
 * and the batch's row has both `stamp` and `ticked`. store_replay makes the same calls in the
 * same order; so a restart decides what the live program decided, at the same stamps.
 *
 * Ids: an observation whose id is not all zero was given it by its sender, and is taken
 * once: a second one with that id is dropped (and the caller told) as long as the id is
 * remembered (store_policy.ids_kept). One without an id is always taken: the server gives
 * none itself, since it would protect from nothing and cost a table row a report. */
#ifndef WD_STORE_STORE_H
#define WD_STORE_STORE_H

#include "base/err.h"
#include "base/units.h"
#include "model/incident.h"
#include "model/observation.h"
#include "model/service.h"
#include "model/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum { STORE_BODY_MAX = 64 << 20 }; /* bytes of one batch */

struct store_options {
	const char *folder; /* must exist; the files in it are ours alone */
	wd_wall now;        /* for the notes about what was found */
};

/* Opens the folder's database, making it if there is none, bringing an older one up to date,
 * and checking the part that a restart needs; what is damaged is set aside in a file of the
 * folder and noted (store_each_damage), and the rest is used.
 * WD_FULL: another program uses the folder (at = its process id).
 * WD_UNKNOWN: a newer whydown wrote it (at = its schema version).
 * WD_MALFORMED: whydown.db is some other program's database. WD_OS: see os_errno. */
enum wd_err store_open(const struct store_options *options, struct store **ret_store,
		       struct wd_why *why) WD_MUST_CHECK;
void store_close(struct store *s); /* NULL is fine */

/* The journal. */

/* One group commit. Frames are whole observations as observation_encode writes them. */
struct store_batch {
	wd_wall stamp;  /* not before that of the batch before */
	wd_wall ticked; /* the last whole second told to the engine before this batch; 0 = none */
	uint8_t *frames;
	size_t len;
	uint32_t count;
	uint64_t seq; /* out */
};

/* Writes a batch in one transaction; it is durable on return. Observations whose id was seen
 * before are taken out of frames, len and count, and on_duplicate (may be NULL) gets the
 * index each had. An empty batch is fine: it says that the program was there. Comments are
 * filed for moderation in the same transaction.
 * On failure nothing was written and `frames` holds nothing of use.
 * WD_FULL: no space left on the disk. WD_OS: see os_errno; EROFS = read-only database.
 * WD_MALFORMED: the database is damaged (store_repair). WD_SHORT: a frame is not whole
 * (at = its index). */
enum wd_err store_append(struct store *s, struct store_batch *b,
			 void (*on_duplicate)(void *ctx, uint32_t index), void *ctx,
			 struct wd_why *why) WD_MUST_CHECK;

/* When the first batch that is still kept was written; 0 if none is. */
enum wd_err store_journal_begin(struct store *s, wd_wall *ret_begin,
				struct wd_why *why) WD_MUST_CHECK;

/* How far something has come: all batches up to seq, and all seconds up to clock. */
struct store_position { uint64_t seq; wd_wall clock; };

/* The end of what is on disk: the last batch, and the latest time anything on disk speaks of.
 * No later stamp was ever given out, apart from seconds in which nothing happened. */
struct store_position store_end(struct store *s);

/* The first whole second after t: when the next advance is due if nothing comes before. */
static inline wd_wall store_tick_after(wd_wall t)
{
	return wall_s(wall_to_s(t) + 1);
}

struct store_replay {
	void (*advance)(void *ctx, wd_wall now);
	void (*observe)(void *ctx, const struct observation *o);
	void *ctx;
};

/* Tells everything after *at, and moves *at to the end. A batch that turned out damaged since
 * store_open ends it with WD_MALFORMED (*at = the last good one). */
enum wd_err store_replay(struct store *s, const struct store_replay *handler,
			 struct store_position *at, struct wd_why *why) WD_MUST_CHECK;

/* The engine's state: one blob for the whole and one a service, as of a position in the journal.
 * It is written in small transactions between which the journal goes on, and counts when the
 * last is done; the one before is kept, in case this one turns out damaged. */

struct store_state;

enum wd_err store_state_begin(struct store *s, struct store_position at,
			      struct store_state **ret_state, struct wd_why *why) WD_MUST_CHECK;
/* Copies the bytes. After a failure only store_state_drop makes sense. */
enum wd_err store_state_add(struct store_state *w, const char *service, const uint8_t *bytes,
			    size_t len, struct wd_why *why) WD_MUST_CHECK;
/* Makes it count, and frees w whatever the outcome. */
enum wd_err store_state_end(struct store_state *w, const uint8_t *whole, size_t len,
			    struct wd_why *why) WD_MUST_CHECK;
void store_state_drop(struct store_state *w); /* NULL is fine */

struct store_state_handler {
	enum wd_err (*whole)(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why);
	enum wd_err (*service)(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why);
	void *ctx;
};

/* Tells the latest state that is whole, the whole first, and where it stands: what to replay
 * from. There being none is fine: *ret_at is the beginning and nothing is told. An error of the
 * handler's ends it and is returned. */
enum wd_err store_read_state(struct store *s, const struct store_state_handler *handler,
			     struct store_position *ret_at, struct wd_why *why) WD_MUST_CHECK;

/* Incidents: as they are now, and each version that was ever told. */

/* Keeps the incident, with `change` ("opened", "changed", "closed") of the time `at` (the engine's
 * clock) as one more version. `series`: its chart, in the caller's form; NULL leaves what is there.
 * Once more with the same id, at and change, as a replay does, changes nothing twice. */
struct store_change {
	const char *change;
	wd_wall at;
	const uint8_t *series;
	size_t series_len;
};
enum wd_err store_put_incident(struct store *s, const struct incident *i,
			       const struct store_change *change, struct wd_why *why) WD_MUST_CHECK;
/* Evidence `reports.coordinated`. */
enum wd_err store_put_coordinated(struct store *s, const struct coordinated *c, wd_wall at,
				  struct wd_why *why) WD_MUST_CHECK;

/* All incidents, by begin. Those that cannot be read are left out, and the first of them is noted
 * as damage. */
enum wd_err store_each_incident(struct store *s, void (*each)(void *ctx, const struct incident *),
				void *ctx, struct wd_why *why) WD_MUST_CHECK;
/* Caller frees. WD_UNKNOWN if none is kept. */
enum wd_err store_incident_series(struct store *s, const char *id, uint8_t **ret_bytes,
				  size_t *ret_len, struct wd_why *why) WD_MUST_CHECK;
/* Numbered from 1 in the order they were told; the number of one never changes. */
struct store_version { uint32_t number; wd_wall at; const char *change, *json; };
/* The versions of one incident after that number, oldest first, at most `limit`; strings live for
 * the call. */
struct store_versions { const char *incident; uint32_t after, limit; };
enum wd_err store_each_version(struct store *s, const struct store_versions *which,
			       void (*each)(void *ctx, const struct store_version *), void *ctx,
			       struct wd_why *why) WD_MUST_CHECK;

/* What the traffic of an incident was, in place of what was kept of it before. */
enum wd_err store_trace_put(struct store *s, const struct trace *t,
			    struct wd_why *why) WD_MUST_CHECK;
/* WD_UNKNOWN if none is kept, or one that a newer program wrote. */
enum wd_err store_trace_get(struct store *s, const char *incident, struct trace *ret_t,
			    struct wd_why *why) WD_MUST_CHECK;
/* The `limit` that changed last (0 = all), the earliest of them first. One that cannot be read is
 * left out, and counted. */
enum wd_err store_each_trace(struct store *s, size_t limit,
			     void (*each)(void *ctx, const struct trace *), void *ctx,
			     struct wd_why *why) WD_MUST_CHECK;

/* Comments: filed by store_append, shown to nobody before somebody published them. A comment's
 * text stands in its row and in the journal; it leaves the journal when it leaves its row. */

enum comment_status {
	COMMENT_HELD,
	COMMENT_PUBLISHED,
	COMMENT_REJECTED, /* what is left is that it was: its text is deleted with the decision */
	COMMENT_DROPPED,  /* over STORE_HELD_MAX: its text goes with the next steps of retention */
};

enum { STORE_HELD_MAX = 100000 }; /* beyond, the oldest held ones are dropped and counted */

struct comment {
	int64_t number;
	wd_wall at, received_at, decided_at; /* decided_at 0 = held */
	enum comment_status status;
	/* Strings live for the call. */
	const char *service, *surface, *problem, *country, *text;
};

struct comment_query {
	enum comment_status status;
	const char *service;  /* NULL = all */
	int64_t after;        /* only numbers above it; 0 = from the first */
	size_t limit;         /* 0 = all */
};

/* In the order they came. */
enum wd_err store_each_comment(struct store *s, const struct comment_query *query,
			       void (*each)(void *ctx, const struct comment *), void *ctx,
			       struct wd_why *why) WD_MUST_CHECK;

struct comment_window {
	const char *service;
	wd_wall from, to; /* of when it happened, from <= at < to */
	size_t limit;
};

/* The published ones of a service, the latest first. */
enum wd_err store_each_published(struct store *s, const struct comment_window *window,
				 void (*each)(void *ctx, const struct comment *), void *ctx,
				 struct wd_why *why) WD_MUST_CHECK;

/* How a comment stands. */
struct comment_decision {
	enum comment_status status;
	wd_wall at;   /* when that was decided */
	bool changed; /* just now */
	char service[SERVICE_ID_MAX + 1];
};

/* Publishes (COMMENT_PUBLISHED) or rejects (COMMENT_REJECTED). Deciding the same once more changes
 * nothing; a published one can still be rejected; a rejected one stays so, since its text is gone:
 * *ret_decision says how it stands now. WD_UNKNOWN if there is no such comment. */
enum wd_err store_decide_comment(struct store *s, int64_t number, enum comment_status status,
				 wd_wall at, struct comment_decision *ret_decision,
				 struct wd_why *why) WD_MUST_CHECK;

/* Retention. */

struct store_policy {
	wd_span journal_kept;  /* single observations; default 35 days */
	wd_span ids_kept;      /* ids given by senders; default 7 days */
	wd_span comments_kept; /* default 365 days; that one was rejected: a tenth of it */
	wd_span traces_kept;   /* default 365 days: they name addresses */
};

struct store_policy store_policy_default(void);

/* Deletes a little of what is older than the policy says and gives the space back to the
 * disk; *ret_more: there is more, call again soon. Of the journal only what a whole state
 * includes, and never its last batch. A step takes some milliseconds: the journal goes on
 * between steps. Incidents are kept for ever. */
enum wd_err store_retain(struct store *s, wd_wall now, const struct store_policy *policy,
			 bool *ret_more, struct wd_why *why) WD_MUST_CHECK;

/* The time for store_retain: `now`, but at most a day on for each hour of `passed`, the real time
 * since the last call. So a clock that is wrong by years deletes a day in an hour, and after an
 * absence of a month what is old goes within a day and a half. The database keeps it. */
enum wd_err store_retain_time(struct store *s, wd_wall now, wd_span passed, wd_wall *ret_time,
			      struct wd_why *why) WD_MUST_CHECK;

struct store_counters {
	uint64_t file_bytes; /* whydown.db */
	uint64_t deleted_batches, deleted_ids, deleted_comments, deleted_traces;
	uint64_t damages; /* notes of damage, all in all */
	uint64_t unread;  /* incidents and traces that were left out since it was opened */
};

struct store_counters store_count(struct store *s);

/* Damage. */

/* Makes a new database of all that can be read of a damaged one, which is kept as
 * damaged-TIME-whydown.db. Takes long; store_append meanwhile waits. If it fails, whatever writes
 * says WD_MALFORMED until one works: the damaged database is still there to try again with. */
enum wd_err store_repair(struct store *s, wd_wall now, struct wd_why *why) WD_MUST_CHECK;
/* Was it that a call failed of? WD_MALFORMED has other reasons, too. */
bool store_is_damaged(const struct wd_why *why);

struct store_damage {
	wd_wall found_at;
	const char *text; /* one line: what, where, how much was saved */
	const char *kept; /* file of the data folder with the damaged part, "" if none */
};

/* All that was ever found, oldest first; strings live for the call. */
enum wd_err store_each_damage(struct store *s, void (*each)(void *ctx, const struct store_damage *),
			      void *ctx, struct wd_why *why) WD_MUST_CHECK;

#endif
