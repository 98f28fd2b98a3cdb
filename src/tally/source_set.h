/* SPDX-License-Identifier: Apache-2.0 */
/* source_set: who was there, small enough to keep. Both take hashes of addresses under one
 * key that outlives restarts (tally/address_hash.h); both are plain values without pointers.
 *
 * - source_set, of an incident: the SOURCE_SET_MAX lowest hashes. Exact up to so many sources;
 *   beyond, a uniform sample of the *distinct* ones, whatever they sent: counts with a standard
 *   error of 1/sqrt(1022) = 3.1 %, a share p of its sources that another set has, too, with
 *   sqrt(p (1 - p) / n), n its hashes below what either set left out. Source: Z. Bar-Yossef et
 *   al., "Counting Distinct Elements in a Data Stream", RANDOM 2002; K. Beyer et al., SIGMOD
 *   2007 (unbiased form). It knows only of sources it was given: of a sample by packets, those
 *   that sent most.
 * - source_memory, of a service: a bit field a week (Bloom's, two bits a source) and the last
 *   four of these: "was it here in the last weeks?" Never a false no for what was added;
 *   source_memory_false says how often a false yes. A week that is half full takes no more. */
#ifndef WD_TALLY_SOURCE_SET_H
#define WD_TALLY_SOURCE_SET_H

#include "base/bytes.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SOURCE_SET_MAX = 1024,
	SOURCE_MEMORY_WEEKS = 4,
	SOURCE_MEMORY_BITS = 16, /* 2^16 bits, 8 KB a week: about 22,000 sources to the half */
};

struct source_set {
	uint32_t count;
	uint64_t below; /* hashes from here on were left out; 0 = none was */
	uint64_t hashes[SOURCE_SET_MAX]; /* rising */
};

void source_set_add(struct source_set *s, uint64_t hash);
/* Where the hash is, or would be. */
uint32_t source_set_place(const struct source_set *s, uint64_t hash);
double source_set_count(const struct source_set *s); /* distinct sources */
/* The share of a's sources that are b's too, 0..1; 0 if a is empty. */
double source_set_shared(const struct source_set *a, const struct source_set *b);

struct source_memory {
	wd_wall begin;    /* of the week in weeks[at]; 0 = nothing was added yet */
	uint32_t at;
	uint32_t set[SOURCE_MEMORY_WEEKS]; /* bits set */
	uint64_t refused; /* added to a week that was half full */
	uint64_t weeks[SOURCE_MEMORY_WEEKS][(1 << SOURCE_MEMORY_BITS) / 64];
};

/* All bytes 0 is an empty one. `now` does not go back. While an incident is open its sources
 * are better not added: they would be known ones the next time. */
void source_memory_add(struct source_memory *m, uint64_t hash, wd_wall now);
/* Moves on to the week of `now`; what is older than the weeks kept is forgotten. */
void source_memory_advance(struct source_memory *m, wd_wall now);
bool source_memory_has(const struct source_memory *m, uint64_t hash);
/* Takes those out of s that m has. */
void source_set_without(struct source_set *s, const struct source_memory *m);
/* A week took no more: sources that were there may be called new. */
bool source_memory_is_full(const struct source_memory *m);
/* The chance that it says yes to a source that was never added. */
double source_memory_false(const struct source_memory *m);
/* The share of new sources among `count`, of which it said yes to `known`: false yes taken
 * out. -1 if it can not tell: nothing was asked, or nothing was ever added. */
double source_memory_new_share(const struct source_memory *m, uint64_t known, uint64_t count);

/* To bytes and back; what cannot be makes c bad, and then they are empty. A week is as long as it
 * is full, at most 10 KB. */
void source_set_write(const struct source_set *s, struct out *o);
void source_set_read(struct source_set *s, struct cur *c);
void source_memory_write(const struct source_memory *m, struct out *o);
void source_memory_read(struct source_memory *m, struct cur *c);

#endif
