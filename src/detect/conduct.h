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
 * Who is looked at stands in a table, of one service (a replayed log) or of many together (live):
 * a client of two services is two. No clock: a request's own time counts. A request of an unknown
 * client takes the place of the client with the least in its buckets among four that share a row,
 * so ordinary clients cannot push out one that stands out. Memory is taken when a table is opened;
 * what belongs to one service is plain memory of 5 KB. */
#ifndef WD_DETECT_CONDUCT_H
#define WD_DETECT_CONDUCT_H

#include "base/err.h"
#include "base/units.h"
#include "model/client_note.h"
#include "model/request.h"
#include "tally/web.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONDUCT_WAYS = 4,
	CONDUCT_ROWS = 256,       /* of a service's own table: 1,024 clients, 152 KB */
	CONDUCT_ROWS_LIVE = 4096, /* of all services: 16,384 clients, 2.4 MB */
};

struct conduct_table;

/* `rows` is a power of 2. */
enum wd_err conduct_table_open(const struct address_key *key, size_t rows,
			       struct conduct_table **ret_table) WD_MUST_CHECK;
void conduct_table_close(struct conduct_table *t); /* NULL is fine */

enum conduct_last {
	CONDUCT_TRIED,   /* a sign-in, and since then nothing but pages for it */
	CONDUCT_REFUSED, /* 401 */
};

/* What nearly every request needs stands first, in one line of cache. */
struct conduct_client {
	int64_t at;    /* the row's, while a request is looked at */
	float level[CLIENT_KINDS];
	uint64_t path;  /* the last one, quickly hashed; */
	uint32_t query; /* its query, too */
	uint8_t run;    /* requests for it in a row, another query each time: see is_running() */
	uint32_t pages, led; /* requests that are no assets; those that a page led to (referer) */
	uint32_t missing, marked;
	uint8_t noted[CLIENT_KINDS]; /* place in notes + 1; may be another's by now */
	uint8_t seen_count;
	uint8_t last; /* 1 << enum conduct_last: what the last page leaves open; bits of its
		       * agent */
	uint8_t masks, masks_new; /* requests that repeat one; those under an agent of their own */
	/* Only with seen_count: which different things it asked for, a bit each. */
	uint64_t seen[4];
	/* Only with a level: requests that count since the bucket was empty, and since when. */
	uint32_t hits[CLIENT_KINDS];
	uint32_t since[CLIENT_KINDS]; /* the lowest bits of that second */
};
_Static_assert(sizeof(struct conduct_client) == 128, "the first of two lines of cache is hot");

/* Who stands in a row. Most requests need no more of a client: its record is not touched by
 * those for assets while its buckets are empty. */
enum conduct_state {
	CONDUCT_BLANK,  /* nothing is known; the record holds another's */
	CONDUCT_IDLE,   /* nothing is in its buckets */
	CONDUCT_LOADED, /* the only one with this bit */
};
struct conduct_row {
	uint32_t tag[CONDUCT_WAYS];  /* a part of the client's hash; 0: free */
	uint8_t state[CONDUCT_WAYS]; /* enum conduct_state */
	int64_t at[CONDUCT_WAYS];    /* second of the last request */
	uint64_t unused;
};
_Static_assert(sizeof(struct conduct_row) == 64, "a line of cache");

/* Of one service. */
struct conduct {
	struct conduct_table *table; /* borrowed */
	uint64_t salt;               /* tells its clients from those of other services */
	struct conduct_client all;   /* of many clients together: LOGIN and HAMMER */
	struct client_note notes[CLIENT_NOTES_MAX]; /* in use are those with requests */
	uint32_t note_count;
	uint64_t notes_dropped;
	int64_t dropped_at;          /* the last of these */
	uint64_t changes;            /* rises with what is noted */
};

void conduct_init(struct conduct *c, struct conduct_table *t, const char *service);
/* `facts` with the table's key. What stands about a client lies where chance has it: conduct_expect
 * asks for that memory, some work before conduct_see needs it. */
void conduct_expect(const struct conduct *c, const struct web_facts *facts);
/* True: the client asks for one path on and on, with another query each time (WEB_AGAIN). */
bool conduct_see(struct conduct *c, const struct request *r, const struct web_facts *facts);
/* Forgets notes whose last request was before that second. */
void conduct_forget(struct conduct *c, int64_t before);
/* Those in use, in dst; how many. */
size_t conduct_notes(const struct conduct *c, struct client_note dst[CLIENT_NOTES_MAX]);

/* ---- what one request gives away (conduct_mark.c) ---- */

/* Of an agent that has words of several the highest is told. */
enum conduct_agent {
	CONDUCT_UNTOLD, CONDUCT_BROWSER, CONDUCT_LIBRARY,
	CONDUCT_FETCHER, /* a program that fetches many things: packages, sources, folders */
	CONDUCT_CRAWLER,
	CONDUCT_LOADER,   /* names a tool that makes load */
	CONDUCT_SCANNER,  /* names a tool that searches for weak spots */
	CONDUCT_INJECTED, /* names nothing: an injection stands there */
};
/* How sure a word in a path or query makes. */
enum conduct_sort {
	CONDUCT_NONE,
	CONDUCT_TYPED, /* an injection, where people type what they look for */
	CONDUCT_PERHAPS, CONDUCT_PRODUCT, CONDUCT_SURE, CONDUCT_HOLE,
};
enum { CONDUCT_LIST_MAX = 255, CONDUCT_CHAINS = 512, CONDUCT_TEXT_MAX = 512 };
struct conduct_word { const char *text; uint8_t sort; }; /* enum conduct_sort or conduct_agent */
/* Words to be looked for all at once. */
struct conduct_list {
	uint8_t first[CONDUCT_CHAINS],
		next[CONDUCT_LIST_MAX]; /* chains by the first two bytes: place + 1 */
	uint8_t highest; /* sort */
	const struct conduct_word *words;
};
struct conduct_lists {
	struct conduct_list spots, products, injections, logins, login_values, agents;
};
void conduct_lists_prepare(struct conduct_lists *l); /* once */
enum conduct_agent conduct_agent_of(const struct conduct_lists *l, struct text_span agent);
/* What only somebody who searches asks for: perhaps, or of a product, if it is refused; for sure;
 * or a hole that attacks on one product begin with. */
enum conduct_sort conduct_spot_of(const struct conduct_lists *l, struct text_span path);
/* Typed; perhaps: people may write it; sure: they do not. */
enum conduct_sort conduct_injection_of(const struct conduct_lists *l, struct text_span path,
				       struct text_span query);
/* Where people sign in; perhaps: only if it is refused. */
enum conduct_sort conduct_login_of(const struct conduct_lists *l, struct text_span path,
				   struct text_span query);
bool conduct_is_usual_miss(struct text_span path); /* what browsers ask for unasked */
bool conduct_is_script(struct text_span path);     /* names a program: x.php */
bool conduct_is_file(struct text_span path);       /* has the ending of what is no page: x.deb */

#endif
