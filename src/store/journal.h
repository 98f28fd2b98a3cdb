/* SPDX-License-Identifier: Apache-2.0 */
/* journal: many threads' observations in, one durable order out. Its writer thread takes all
 * that has come since the last commit, stamps it, writes it in one transaction (store_append)
 * and then
 *   1. puts the batch into the queue of the consumer (the engine's thread), and
 *   2. calls on_done once with the tokens of all who wait, who may now answer 202.
 * There is no timer in it: a commit starts when something has come and the last one is done,
 * so batches grow with the load.
 *
 * Time: each whole second that passes goes into the same queue as an item of its own, also when
 * nothing comes. The consumer knows no other clock. The rule that makes a restart decide as the
 * live program did (store.h): seconds are given out in a row, a batch's row says up to which one,
 * and nothing is given out that the disk does not know of or could not be told of again:
 *   - the first item after a start is a batch, empty or not, on disk;
 *   - while commits fail, no seconds are given out: the consumer's time stands;
 *   - a jump of more than a minute (sleep, a clock put right, a disk that was full) is told by
 *     an empty batch and no seconds between, for nobody watched;
 *   - after a quiet minute an empty batch says that somebody did.
 * Stamps come from stamps.h.
 *
 * Failure: if a commit fails, all in it are told so, and until one works again journal_append
 * refuses with the same error. The writer tries again on its own, after 0.1 s, 0.2 s … 5 s; a
 * damaged database is repaired first (store_repair). Nothing waits for ever and nothing is
 * answered that is not on disk. An observation that was refused may, if the power fails right then,
 * still be found on disk: who sends it again gives it an id.
 *
 * Memory: fixed at start: batches × (batch_bytes + 16 bytes a ticket). A batch belongs to the
 * consumer until journal_give; if it keeps all, journal_append says WD_FULL: the bound. */
#ifndef WD_STORE_JOURNAL_H
#define WD_STORE_JOURNAL_H

#include "base/err.h"
#include "base/units.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;
struct journal_batch; /* the consumer's claim on an item's memory */

struct journal_ticket {
	void *token;
	uint32_t count;      /* observations it brought */
	uint32_t duplicates; /* of them, taken before */
};

struct journal_done {
	enum wd_err err; /* WD_OK: all tickets' observations are durable. Else none is */
	const char *what; /* the reason if not */
	wd_wall stamp;
	const struct journal_ticket *tickets;
	size_t count;
};

struct journal_clock {
	wd_wall (*wall)(void *ctx);
	wd_mono (*mono)(void *ctx);
	void *ctx;
};

enum { JOURNAL_BATCH_BYTES = 4 << 20 }; /* of frames in one commit, unless told otherwise */

struct journal_options {
	struct store *store; /* outlives the journal */
	/* On the writer's thread, without a lock held; must not block. May be NULL. */
	void (*on_done)(void *ctx, const struct journal_done *done);
	void *ctx;
	/* 0 = the default, here and below. */
	size_t batch_bytes;     /* JOURNAL_BATCH_BYTES; more than that at once never finds room */
	size_t batches;         /* 8 */
	size_t tickets;         /* per batch: 65536 */
	wd_span gather;         /* least time from one commit's begin to the next's: 2 ms */
	wd_span poll;           /* how often the clock is read when nothing happens: 1 s */
	struct journal_clock clock; /* the system's */
};

/* Starts the writer. Stamps begin at the store's end (store_end): replay up to there first. */
enum wd_err journal_open(const struct journal_options *options, struct journal **ret_journal,
			 struct wd_why *why) WD_MUST_CHECK;
/* Takes no more, commits what came, answers it, ends the writer. The queue can still be read. */
void journal_stop(struct journal *j);
void journal_close(struct journal *j); /* stops if need be; NULL is fine */

/* Copies `count` whole frames; their token comes back through on_done once, whatever happens,
 * if this returns WD_OK; else never. It may be NULL.
 * WD_FULL: the bound, or no space on the disk; WD_OS, WD_MALFORMED: commits fail. In each case
 * nothing was taken and it makes sense to try again in a while. */
enum wd_err journal_append(struct journal *j, const uint8_t *frames, size_t len, uint32_t count,
			   void *token, struct wd_why *why) WD_MUST_CHECK;

/* The time by stamps, for those who must agree with the engine about "now". */
wd_wall journal_now(struct journal *j);

struct journal_item {
	wd_wall now;  /* first advance to it, then observe the frames */
	uint64_t seq; /* of the batch; 0 = a second passed */
	const uint8_t *frames;
	size_t len;
	uint32_t count;
	struct journal_batch *batch;
};

/* The next item in order; waits up to `patience`. False: nothing came, or the journal was
 * stopped and all is told (journal_is_told). One consumer. */
bool journal_take(struct journal *j, wd_span patience, struct journal_item *ret_item);
/* The consumer has something else to do: journal_take returns at once, this time or the next,
 * with nothing if there is nothing. Any thread. */
void journal_wake(struct journal *j);
void journal_give(struct journal *j, struct journal_item *item); /* done with its frames */
/* The database is damaged where the journal itself does not come (store_is_damaged): the writer
 * repairs it before its next commit. Any thread. */
void journal_repair(struct journal *j);
bool journal_is_told(struct journal *j);

struct journal_counters {
	uint64_t commits, observations, bytes, duplicates;
	uint64_t refused;    /* journal_append said no */
	uint64_t failures;   /* commits that failed */
	uint64_t repairs;
	wd_span commit_last, commit_max; /* how long store_append took */
	size_t queued;       /* items the consumer has not taken */
	wd_span clock_off;   /* wall clock minus stamps */
	uint64_t clock_jumps;
	enum wd_err err;     /* WD_OK, or why commits fail now */
	int os_errno;
	const char *what;
};

struct journal_counters journal_count(struct journal *j);

#endif
