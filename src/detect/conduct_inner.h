/* SPDX-License-Identifier: Apache-2.0 */
/* conduct_inner: what the files of detect/conduct share. */
#ifndef WD_DETECT_CONDUCT_INNER_H
#define WD_DETECT_CONDUCT_INNER_H

#include "detect/conduct.h"
#include "tally/text_hash.h"

enum { CONDUCT_SPOTS_KEPT = 8192 }; /* a power of 2; 64 KB */

struct conduct_table {
	struct address_key key;
	uint64_t mask; /* of rows */
	struct conduct_row *rows;
	struct conduct_client (*clients)[CONDUCT_WAYS]; /* a row's */
	struct conduct_lists lists;
	/* Paths that were looked at lately, as keyed hashes: the lowest three bits say which sort
	 * of weak spot (enum conduct_sort). */
	uint64_t spots[CONDUCT_SPOTS_KEPT];
	void *memory; /* of both, owned */
};

/* Capacity, and what drains in a second. More than that is noted. */
struct conduct_bucket { float capacity, drain_s; };
extern const struct conduct_bucket conduct_buckets[CLIENT_KINDS];

/* A request, and what was found out about it on the way. */
struct conduct_look {
	const struct request *r;
	uint64_t agent; /* hashed; 0: none */
	uint64_t path;  /* hashed with the table's key; 0: none yet */
	uint8_t tool;   /* enum conduct_agent */
	uint8_t injection; /* enum conduct_sort */
	uint8_t poll; /* 1 + web_is_poll(); 0: not looked at yet */
	bool asset;
};

/* ---- texts and words ---- */

/* Lower case, %xx, \xNN and \u00NN undone (twice, for those who escape twice), '+' as a space;
 * its length. */
size_t conduct_plain(char dst[CONDUCT_TEXT_MAX + 1], struct text_span s);
static inline unsigned conduct_chain_of(const char *at)
{
	return ((uint8_t)at[0] * 37U + (uint8_t)at[1]) % CONDUCT_CHAINS;
}
static inline bool conduct_begins_with(const char *at, const char *word)
{
	while (*word != '\0' && *at == *word) {
		at++;
		word++;
	}
	return *word == '\0';
}
void conduct_list_make(struct conduct_list *l, const struct conduct_word *words, size_t count);
/* The highest sort of a word that is in the text. */
unsigned conduct_list_find(const struct conduct_list *l, const char *text);
void conduct_injections_prepare(struct conduct_lists *l);
void conduct_logins_prepare(struct conduct_lists *l);
void conduct_agents_prepare(struct conduct_lists *l);

/* ---- rules ---- */

/* So much more in its bucket, or in that of all; noted if it is full. */
void conduct_add(struct conduct *c, struct conduct_client *k, enum client_kind kind, float weight,
		 const struct request *r);
void conduct_add_all(struct conduct *c, enum client_kind kind, float weight,
		     const struct request *r);
/* Was it not seen of this client before? */
bool conduct_is_new(struct conduct_client *k, uint64_t hash);
bool conduct_is_missing(const struct request *r);
/* Of this service's clients: hashed once a request. */
uint64_t conduct_path_hash(const struct conduct *c, struct conduct_look *look);
/* Paths come again, so what one is is kept of those seen lately. */
enum conduct_sort conduct_spot_seen(const struct conduct *c, struct conduct_look *look);
void conduct_see_probe(struct conduct *c, struct conduct_client *k, struct conduct_look *look);

/* All for which an asset counts, too. */
bool conduct_asset_counts(const struct conduct_look *look);
/* What conduct_see() says. */
bool conduct_judge(struct conduct *c, struct conduct_client *k, struct conduct_look *look);

/* Its note; NULL if there is none, or not any more. */
struct client_note *conduct_note_of(struct conduct *c, struct conduct_client *k,
				    enum client_kind kind, const struct request *r);
void conduct_note(struct conduct *c, struct conduct_client *k, enum client_kind kind,
		  const struct request *r);

/* Which text it is, by its ends and its middle: for "the same as before?", not for counting.
 * Names of files differ in the middle, between the folder and the ending. */
static inline uint64_t conduct_quick(struct text_span s)
{
	uint64_t first = 0, last = 0;

	if (s.len >= 8) {
		uint64_t middle, late;
		memcpy(&first, s.at, 8);
		memcpy(&middle, s.at + (s.len - 8) / 2, 8);
		memcpy(&late, s.at + (s.len >= 20 ? s.len - 20 : 0), 8);
		memcpy(&last, s.at + s.len - 8, 8);
		first = hash_mix(first ^ hash_mix(middle + (late << 1)));
	} else {
		for (uint32_t i = 0; i < s.len; i++)
			first = first << 8 | (uint8_t)s.at[i];
	}
	return hash_mix(hash_mix(first + s.len) ^ last);
}

/* Levels are numbers: what fmaxf() does for others costs a call. */
static inline float max_of(float a, float b) { return a > b ? a : b; }
static inline float min_of(float a, float b) { return a < b ? a : b; }

static inline void conduct_drain(struct conduct_client *k, const struct conduct_bucket *all,
				 int64_t now)
{
	if (now <= k->at)
		return;
	float seconds = (float)(now - k->at);

	for (unsigned i = 0; i < CLIENT_KINDS; i++)
		k->level[i] = max_of(k->level[i] - all[i].drain_s * seconds, 0);
	k->at = now;
}

#endif
