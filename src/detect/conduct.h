/* SPDX-License-Identifier: Apache-2.0 */
/* conduct: what single clients of one service do over minutes, far below any flood: does one
 * search for weak spots, try passwords, copy the site, ask for one thing again and again?
 *
 * Each kind is a leaky bucket per client: a request adds a weight by what it gives away (see
 * conduct.c for the rules and their reasons), time drains it, and more than the capacity is a
 * note. A note is no incident and no probability: it says what was seen, of whom, and how
 * often. Clients that say they are crawlers, health checks, pollers and many people behind one
 * address are what the rules are made to leave alone.
 *
 * Plain memory (about 180 KB), no allocation, no clock: a request's own time counts. A request
 * of an unknown client takes the place of the client with the least in its buckets among four
 * that share a row, so ordinary clients cannot push out one that stands out. */
#ifndef WD_DETECT_CONDUCT_H
#define WD_DETECT_CONDUCT_H

#include "base/units.h"
#include "model/request.h"
#include "tally/address_hash.h"

#include <stdbool.h>
#include <stdint.h>

enum conduct_kind {
	CONDUCT_PROBE,  /* searches for weak spots: http.probe */
	CONDUCT_LOGIN,  /* tries passwords: http.login */
	CONDUCT_SCRAPE, /* copies page after page and does not say that it is a crawler: load */
	CONDUCT_HAMMER, /* asks for one thing again and again: http.get, http.post, and with
			 * another query each time http.cachebust */
	CONDUCT_KINDS,
};

enum {
	CONDUCT_ROWS = 256,
	CONDUCT_WAYS = 4,
	CONDUCT_NOTES = 64, /* further ones are counted */
	CONDUCT_AGENT = 47,
};

struct conduct_note {
	uint8_t kind;    /* enum conduct_kind */
	uint8_t family;  /* of the client; 0: a name stood there */
	bool many;       /* not one client but many together; `client` is blank */
	bool posts;      /* CONDUCT_HAMMER: they were POSTs */
	bool queries;    /* CONDUCT_HAMMER: each with another query */
	uint8_t client[16];
	wd_wall began, last; /* of the requests that count */
	uint64_t requests;   /* that count for it */
	/* Of these: for things that are not there; known weak spots, injections and tools. */
	uint64_t missing, marked;
};

/* What nearly every request needs stands first, in one line of cache. */
struct conduct_client {
	int64_t at;    /* the row's, while a request is looked at */
	float level[CONDUCT_KINDS];
	uint64_t path, query; /* the last ones, quickly hashed */
	uint32_t pages, led; /* requests that are no assets; those that a page led to (referer) */
	uint32_t missing, marked;
	uint8_t tool;           /* enum conduct_agent of the last agent */
	uint8_t noted[CONDUCT_KINDS]; /* place in notes + 1 */
	uint8_t seen_count;
	/* Only with seen_count: which different things it asked for, a bit each. */
	uint64_t seen[4];
	/* Only with a level: requests that count since the bucket was empty, and since when. */
	uint32_t hits[CONDUCT_KINDS];
	uint32_t since[CONDUCT_KINDS]; /* the lowest bits of that second */
};
_Static_assert(sizeof(struct conduct_client) == 128, "the first of two lines of cache is hot");

/* Who stands in a row. Most requests need no more of a client: its record is not touched by
 * those for assets while its buckets are empty. */
enum conduct_state {
	CONDUCT_BLANK,  /* nothing is known; the record holds another's */
	CONDUCT_IDLE,   /* nothing is in its buckets */
	CONDUCT_LOADED,
};
struct conduct_row {
	uint32_t tag[CONDUCT_WAYS];  /* a part of the client's hash; 0: free */
	uint8_t state[CONDUCT_WAYS]; /* enum conduct_state */
	int64_t at[CONDUCT_WAYS];    /* second of the last request */
	uint64_t unused;
};
_Static_assert(sizeof(struct conduct_row) == 64, "a line of cache");

struct conduct {
	struct address_key key;
	_Alignas(64) struct conduct_row rows[CONDUCT_ROWS];
	_Alignas(64) struct conduct_client clients[CONDUCT_ROWS][CONDUCT_WAYS];
	struct conduct_client all; /* of many clients together: LOGIN and HAMMER */
	struct { uint64_t agent; uint8_t tool; } agents[256]; /* looked up lately; they repeat */
	struct conduct_note notes[CONDUCT_NOTES];
	uint32_t note_count;
	uint64_t notes_dropped;
};

void conduct_init(struct conduct *c, const struct address_key *key);
void conduct_see(struct conduct *c, const struct request *r);

/* "http.probe" … */
const char *conduct_vector(const struct conduct_note *n);
/* What was seen, in words; dst has room for CONDUCT_WORDS_MAX. */
enum { CONDUCT_WORDS_MAX = 160 };
void conduct_words(const struct conduct_note *n, char dst[CONDUCT_WORDS_MAX]);

/* ---- what one request gives away (conduct_mark.c) ---- */

enum conduct_agent {
	CONDUCT_UNTOLD, CONDUCT_BROWSER, CONDUCT_CRAWLER, CONDUCT_LIBRARY,
	CONDUCT_SCANNER, /* names a tool that searches for weak spots */
	CONDUCT_LOADER,  /* names a tool that makes load */
};
enum conduct_agent conduct_agent_of(struct text_span agent);
bool conduct_is_weak_spot(struct text_span path); /* what only somebody who searches asks for */
bool conduct_is_injection(struct text_span path, struct text_span query);
bool conduct_is_usual_miss(struct text_span path); /* what browsers ask for unasked */
bool conduct_is_login(struct text_span path);      /* where people sign in */

#endif
