/* SPDX-License-Identifier: Apache-2.0 */
/* web: are the requests of one service a flood, and of which kind? One tick in, a reading out.
 *
 *	A = log10_return: "normal traffic does this once in 10^A ticks (seconds)".
 *
 * A tick is judged as a handful of counts (enum web_signal), each against what is usual for
 * this service with an e-detector (detect/evidence.h), calibrated to the service's own
 * excursions (detect/calibrate.h). A is that of the strongest less log10 of their number (a
 * union bound), so one stated rate holds for the service: opening at A >= WEB_OPEN gives at
 * most one false flood in 10^WEB_OPEN seconds.
 *
 * Without history (the first WEB_WARM seconds) nobody knows what is usual. Then only what a
 * visitor's browser does not do counts: signals that are signatures, against stated floors;
 * many requests alone are no finding. `cold` says so.
 *
 * Load is not attack: many different clients that fetch pages with what belongs to them are a
 * crowd, and crawlers that say so are crawlers; the finding names it, `attack` stays false.
 * Sources of every http.* and slow.* finding are `proved`: a handshake was completed. That
 * is a machine, not a person. What access logs cannot show (rapid reset and other floods of
 * HTTP/2 frames, TLS handshakes, connections that never become a request) is not judged.
 *
 * Pure; plain values, copy freely; docs/weblog.md has the method and its measured errors. */
#ifndef WD_DETECT_WEB_H
#define WD_DETECT_WEB_H

#include "base/err.h"
#include "base/units.h"
#include "detect/calibrate.h"
#include "detect/evidence.h"
#include "model/vector.h"
#include "tally/web.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	WEB_FINDINGS_MAX = 4,
	WEB_WHY_MAX = 159,
	WEB_OPEN = 7,   /* decades of seconds: once in four months */
	WEB_NAMED = 6,  /* from here on there is a finding: others open earlier */
	WEB_WARM = 120, /* seconds of history without which volume is no evidence */
};

enum web_signal {
	WEB_S_REQUESTS, /* all */
	WEB_S_POSTS,
	WEB_S_TARGETS,  /* different targets that are no assets */
	WEB_S_CLIENT,   /* requests, assets aside, of the heaviest client */
	WEB_S_KEYS,     /* with a first query parameter that no other has: random queries */
	WEB_S_MISSING,  /* for many different paths that are not there: random paths */
	WEB_S_MASKS,    /* of one client for one thing under many agents, none its usual one */
	WEB_S_DENIED,   /* POSTs to a login; or 401, where clients have several a second */
	WEB_S_TIMEOUTS, /* 408: the request never came whole */
	WEB_S_STALLED,  /* took long for next to nothing */
	WEB_S_MARKED,   /* that name their tool: pingback, LOIC, odd versions */
	WEB_SIGNALS,
};

struct web_finding {
	char vector[VECTOR_ID_MAX + 1]; /* "http.cachebust" */
	bool attack;                    /* false: load: http.crowd, http.scrape, http.probe */
	float share;                    /* of the tick's requests, 0..1 */
	float strength;                 /* A of the signal that carries it */
	float per_s, usual_per_s;       /* of that signal */
	char why[WEB_WHY_MAX + 1];      /* in words with its numbers */
};

struct web_reading {
	float log10_return; /* A of what is attack, or would be; 0: nothing unusual */
	float load_return;  /* A of what is load */
	wd_wall began;      /* of the strongest evidence; the tick's own if there is none */
	bool cold;          /* no history yet: floors and signatures only */
	bool attack;        /* A >= WEB_OPEN: open an incident */
	bool calm;          /* back to usual for a minute: close it */
	bool taken;         /* false: not after the last tick; nothing changed */
	float requests_per_s, usual_per_s, clients;
	uint32_t finding_count;
	struct web_finding findings[WEB_FINDINGS_MAX]; /* attacks first, strongest first */
};

struct web_level {
	float fast, slow;  /* means a second, over five minutes and over six hours */
	float excess, sum; /* of scatter: squared residuals less means; squared means */
	struct evidence evidence;
	struct calibrate calibrate;
};

/* What the requests are like: shares of them, unless said otherwise. */
struct web_mix {
	float assets;
	/* Of two that are no assets, picked blindly: how often they have it in common. That is at
	 * least the square of the heaviest's share, and the same however few there are. */
	float path, agent, client, key;
	float posts, logins, crawlers;
	float apart;      /* different targets by requests, assets aside: 1 = no two alike */
	float per_client; /* requests a second, assets aside */
	float ms;         /* mean duration; 0 not told */
	/* Sampled, assets aside, and of these with a query: below 2, and for `apart` 20, nothing
	 * is told. */
	uint32_t pages, queried;
};

enum { WEB_RUSH_BITS = 8 }; /* 256 registers: 6.5 % */

/* Seconds with more than usual since it began: do so many different clients ask once each? */
struct web_rush {
	uint32_t seconds, quiet; /* of it; since the last of them */
	uint32_t held;           /* 1: it was one, and nothing of it is learned as usual */
	float pages, requests, refused;
	float now, peak;         /* requests a second above usual, over three */
	uint8_t clients[1 << WEB_RUSH_BITS];
};

struct web_watch {
	uint64_t seen;    /* seconds; 0: the rest is blank */
	int64_t last;     /* end of the last tick: the second after it */
	uint32_t calm;    /* calm seconds in a row */
	uint32_t frozen;  /* seconds since learning stopped */
	uint32_t mixes;   /* ticks behind `usual` */
	struct web_mix now, usual; /* over seconds; over ten minutes of ticks with requests */
	struct web_level levels[WEB_SIGNALS];
	struct web_rush rush;
};

void web_watch_init(struct web_watch *w);
/* Ticks in order of time. Seconds that are missing before t had no requests, unless nobody can have
 * watched (web_watch_misses). `frozen`: an incident is open; only the slow level
 * learns, and that 20 times slower. */
void web_watch_step(struct web_watch *w, const struct web_tick *t, bool frozen,
		    struct web_reading *ret);

/* Nothing came from the last tick on until that second: then nobody watched? Yes if that is more
 * than an hour, or two minutes and more in which WEB_MISSED requests would have come as they did of
 * late (a visit may be ten): a log that stopped, not a service that nobody asks. */
enum { WEB_MISSED = 500 };
bool web_watch_misses(const struct web_watch *w, int64_t second);

/* State to bytes and back: web_watch_write fills WEB_WATCH_BYTES. web_watch_read checks what it
 * reads (WD_SHORT, WD_MALFORMED, or WD_UNKNOWN for a version of the future) and on failure
 * leaves *ret alone. */
enum { WEB_WATCH_BYTES = 28 + 2 * 52 + WEB_SIGNALS * 84 + 32 + (1 << WEB_RUSH_BITS) };
void web_watch_write(const struct web_watch *w, uint8_t bytes[WEB_WATCH_BYTES]);
enum wd_err web_watch_read(struct web_watch *ret, const uint8_t *bytes, size_t len,
			   struct wd_why *why) WD_MUST_CHECK;

#endif
