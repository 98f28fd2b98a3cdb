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
#include "model/observation.h"

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

/* Damage. */

struct store_damage {
	wd_wall found_at;
	const char *text; /* one line: what, where, how much was saved */
	const char *kept; /* file of the data folder with the damaged part, "" if none */
};

/* All that was ever found, oldest first; strings live for the call. */
enum wd_err store_each_damage(struct store *s, void (*each)(void *ctx, const struct store_damage *),
			      void *ctx, struct wd_why *why) WD_MUST_CHECK;

#endif
