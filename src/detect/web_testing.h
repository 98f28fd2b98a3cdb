/* SPDX-License-Identifier: Apache-2.0 */
/* web_testing: made-up visitors and attackers of a web service, for tests and benchmarks. */
#ifndef WD_DETECT_WEB_TESTING_H
#define WD_DETECT_WEB_TESTING_H

#include "base/prng.h"
#include "tally/web.h"

#include <stdbool.h>

enum { WORLD_PENDING = 16384, WORLD_SECONDS = 8 };

struct world {
	double pages_per_s; /* mean of a day */
	double day;         /* depth of the night, 0 … 1 */
	double bursty;      /* standard deviation of the log of the rate over minutes */
	int assets;         /* a page brings; 0: an API */
	double missing;     /* share of pages that are not there */
	/* A crowd on top: so many pages a second, most of them one page. */
	double crowd_pages_per_s;
	bool letters;       /* each of them came by a link of its own */
	int browsers;       /* so many different ones these readers have; 0: as others */
	int slow;           /* pages take 20 s and are short; answered with this (0: they do not) */
	double home;        /* share of the other pages that are one and the same */
	/* The world's own: */
	struct prng prng;
	double drift;
	int64_t second;
	struct { int count, page, client; } wave[WORLD_SECONDS][256]; /* assets still to come */
	int waves[WORLD_SECONDS];
};

void world_init(struct world *w, uint64_t seed);
/* The visitors' requests of the next second; the tick is cleared first. */
void world_second(struct world *w, struct web_tick *t);

enum attack {
	ATTACK_GET, /* a botnet for one page */
	ATTACK_ONE, /* one client */
	ATTACK_POST,
	ATTACK_BUST,  /* a random query each */
	ATTACK_PATHS, /* a random path each */
	ATTACK_LOGIN,
	ATTACK_PINGBACK,
	ATTACK_SLOW,    /* 408 */
	ATTACK_READ,    /* half a minute for nothing */
	ATTACK_SEARCH,  /* an expensive page */
	ATTACK_CRAWLER, /* says that it is one: load */
	ATTACK_SCANNER, /* the same, of random paths */
	ATTACK_WORDS,   /* a path of random letters each, of twenty clients */
	ATTACK_HELD,    /* as READ, of five clients */
	ATTACK_HALF,    /* a request line, and then nothing for half a minute: 408 */
	ATTACK_LARGE,   /* a large file, which takes its time */
	ATTACK_MIXED,   /* a random query each, and for every second a random path */
	ATTACK_SOCKET,  /* 101 */
	ATTACK_SENT,    /* POSTs with a random query each */
	ATTACK_GUESS,   /* 401, of few clients */
	ATTACK_SWARM,   /* a crawler of many addresses in one network: load */
	ATTACK_SPOTS,   /* files that are not there, each under an agent of its own: load */
	/* Looked up, and mostly not there: */
	ATTACK_DIGESTS, /* what builds keep by its digest */
	ATTACK_NUMBERS, /* old pages by number */
	ATTACK_EXPIRED, /* an app's clients, whose tokens are no longer taken: 401 */
	ATTACK_SHIFT,   /* an office signs in at nine, each once */
	ATTACK_ASKED,   /* 401 first, and then the password: every other request */
	ATTACK_LINKED,  /* pictures that others show: 403 */
	ATTACK_GONE,    /* visitors of a service that has lost its pages: load */
	ATTACKS,
};
const char *attack_vector(enum attack a);
/* An app's clients ask for one thing with one agent: so many requests, of clients numbered on from
 * `first`, or of `clients` picked blindly (0: the former). */
void app_second(struct world *w, struct web_tick *t, int requests, int first, int clients);
/* What people and their programs ask for together, of clients numbered on from `first`, each once:
 * a page that fails; a preview of one that was shared. */
void reload_second(struct world *w, struct web_tick *t, int requests, int first);
void preview_second(struct world *w, struct web_tick *t, int requests, int first);
/* So many requests of it into the tick. */
void attack_second(struct world *w, struct web_tick *t, enum attack a, int requests);

#endif
