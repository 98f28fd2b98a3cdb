/* SPDX-License-Identifier: Apache-2.0 */
/* web_inner: what the files of detect/web share. */
#ifndef WD_DETECT_WEB_INNER_H
#define WD_DETECT_WEB_INNER_H

#include "detect/web.h"

/* How a signal is judged; web.c has the table. */
struct web_rule {
	float floor; /* a second: the null is never below it */
	float cap;   /* nats that one tick may add */
	float share; /* of the tick's requests, below which a signature is none; 0: volume */
};
extern const struct web_rule web_rules[WEB_SIGNALS];

/* A crawler works from few networks; what comes from many may be said by anybody. */
enum { WEB_NETWORKS_MAX = 32 };

/* What one tick says. */
struct web_seen {
	float seconds;
	float count[WEB_SIGNALS];
	struct web_mix mix;
	float clients;          /* different ones */
	float crawlers;         /* networks of those that say they are one; see WEB_NETWORKS_MAX */
	float upgraded;         /* share of the answers: 101 */
	bool random_paths;      /* the missing paths look made up, not searched for */
	bool missed_by_crawlers;
	bool scanned;           /* half or more by programs that search for weak spots and say so */
	float failed;           /* share of the answers: 5xx */
	float bytes;            /* of an answer, in the mean */
	float stalled_each;     /* of a client, of those that took long for next to nothing */
	float alone;            /* requests with a query without a name, made up */
	float again;            /* requests with a random value, of clients that ask on and on */
	const struct web_record *path, *client; /* the heaviest; NULL if there is none */
	float path_share;       /* of pages */
};

/* Requests of a sort, in the sample's order. */
struct web_picked { uint32_t count; const struct web_record *all[WEB_SAMPLES]; };

/* No branch: which sort a request is, is chance. */
static inline void web_pick(struct web_picked *p, const struct web_record *r, bool is)
{
	p->all[p->count] = r;
	p->count += is;
}

/* How many different hashes of a kind are among them, and how many there are of the most
 * frequent. */
struct web_variety {
	uint32_t different, most, all;
	uint32_t pairs;                 /* of equal ones */
	const struct web_record *first; /* one of the most frequent */
};
struct web_variety web_variety_of(const struct web_picked *p, enum web_kind kind);

/* Are the queries for its heaviest path values of one name that a program makes up, for a page that
 * does not look at them? (web_values.c) */
bool web_values_random(const struct web_picked *pages, const struct web_record *path);
/* The same of queries without a name: how many in the sample; 0 if not. */
uint32_t web_values_alone(const struct web_picked *pages, const struct web_record *path);
/* Is its query, which it has, of the form name=value? Else all of it is the key. */
static inline bool web_is_named(const struct web_record *r)
{
	return r->hash[WEB_TARGET] != web_target_of(r->hash[WEB_PATH], r->hash[WEB_KEY]);
}

/* How many requests guess at passwords. (web_login.c) */
float web_guesses(const struct web_tick *t, const struct web_picked *pages);

/* `usual` is what the requests are like otherwise. */
void web_see(const struct web_tick *t, const struct web_mix *usual, struct web_seen *ret);
void web_mix_towards(struct web_mix *m, const struct web_mix *to, float gain);

struct web_judged { float a[WEB_SIGNALS], usual[WEB_SIGNALS]; };

/* Adds a tick up, if it has more than usual. */
void web_rush_step(struct web_rush *r, const struct web_seen *seen, const struct web_tick *t,
		   const struct web_judged *j);
void web_rush_idle(struct web_rush *r, int64_t seconds);
/* Has each client asked but once, and been answered, and is it short or over its height? */
bool web_rush_is(const struct web_rush *r);
/* Requests of a client since it began; 0 where nothing rises. */
float web_rush_each(const struct web_rush *r);

/* Of a service nobody knows. */
extern const struct web_mix web_mix_unknown;

/* Fills findings, their count, and the two returns. Returns whether some of it would be a flood if
 * it were no rush. */
bool web_name(const struct web_watch *w, const struct web_seen *seen, const struct web_judged *j,
	      const struct web_tick *t, struct web_reading *ret);

#endif
