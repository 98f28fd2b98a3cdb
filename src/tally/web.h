/* SPDX-License-Identifier: Apache-2.0 */
/* web: the HTTP requests of one service in one tick (a second), counted, sealed and judged.
 * Three parts, each with its stated error:
 *
 * - sums (requests, bytes, by status, method, duration …): exact;
 * - how many different clients, paths, targets, query keys, missing paths: HyperLogLog
 *   (tally/hll.h), standard error 2.3 % for clients and 3.3 % for the others; exact while the
 *   sample holds every request;
 * - a *uniform sample* of at most WEB_SAMPLES requests (fewer where memory is short) with the
 *   beginnings of their texts, for all that asks who and what: a share p has standard error
 *   sqrt(p (1 - p) / WEB_SAMPLES), at most 3.2 percent points.
 *
 * About 58 KB; plain values; no allocation. */
#ifndef WD_TALLY_WEB_H
#define WD_TALLY_WEB_H

#include "base/hash.h"
#include "base/units.h"
#include "model/request.h"
#include "model/service.h"
#include "tally/address_hash.h"
#include "tally/hll.h"
#include "tally/web_agent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WEB_SAMPLES = 256,
	WEB_PATH_MAX = 47,  /* bytes that a sampled request keeps, without the NUL */
	WEB_QUERY_MAX = 23,
	WEB_AGENT_MAX = 47,
	WEB_DURATIONS = 24, /* [i]: 2^i ms and more (from 0 in [0]); the last: 2.3 hours */
	WEB_CLIENTS_BITS = 11,
	WEB_OTHERS_BITS = 10,
};
#define WEB_TICK_NS WD_NS_PER_S

/* Answers that are counted apart. */
enum web_status {
	WEB_401, WEB_403, WEB_404, WEB_408, WEB_429, WEB_499, WEB_503,
	WEB_STATUSES,
};

/* What one request alone shows. A request may have several. */
enum web_mark {
	WEB_ASSET,     /* a picture, script, style, font …: what a page makes a browser fetch */
	WEB_QUERIED,   /* has a query */
	WEB_MALFORMED, /* its request line was none */
	WEB_ODD,       /* a version of HTTP that there is not: a tool's mistake */
	WEB_LOGIN,     /* POST to what looks like a login */
	WEB_PINGBACK,  /* a WordPress site sent here by somebody: its agent says so */
	WEB_LOIC,      /* the marker texts that LOIC's and HOIC's kind leave in target or agent */
	WEB_CRAWLER,   /* says that it is one */
	WEB_STALLED,   /* took WEB_STALLED_MS or longer for less than WEB_STALLED_BYTES */
	WEB_SCANNER,   /* its agent names a program that searches for weak spots */
	WEB_AGAIN,     /* its client asks on and on for the path, with another query each time: what
			* detect/conduct says (web_window_tell); of no request in the sample */
	WEB_MARKS,
};
enum { WEB_STALLED_MS = 10000, WEB_STALLED_BYTES = 4096 };

/* Of what the sample and the registers count how many different there are. */
enum web_kind {
	WEB_CLIENT,
	WEB_PATH,
	WEB_TARGET,  /* path and query of what is no asset */
	WEB_KEY,     /* of what is no asset: the name of a query's first parameter, or all of the
		      * query if it has no '='; the time of day, as pages add it, is one key */
	WEB_MISSING, /* path answered 400, 404 or 410 */
	WEB_AGENT,   /* in the sample only */
	WEB_KINDS,
};

struct web_record {
	uint64_t hash[WEB_KINDS]; /* keyed; 0 = it has none (no query, not missing …) */
	uint8_t client[16];
	uint8_t family, method;
	uint16_t status;
	uint16_t marks;           /* 1 << enum web_mark */
	bool query_cut;           /* so is the text */
	uint8_t size;             /* of the answer: web_size_of() */
	char path[WEB_PATH_MAX + 1], query[WEB_QUERY_MAX + 1], agent[WEB_AGENT_MAX + 1];
};

struct web_draw { uint32_t draw; uint32_t slot; };

struct web_tick {
	char service[SERVICE_ID_MAX + 1];
	wd_wall at;    /* begin */
	wd_span width;
	uint64_t requests, bytes;
	uint64_t classes[6];  /* by status / 100; [0]: none */
	uint64_t statuses[WEB_STATUSES];
	uint64_t methods[REQUEST_METHODS];
	uint64_t protocols[5]; /* enum request_protocol */
	uint64_t marks[WEB_MARKS];
	uint64_t timed;       /* requests whose duration is told */
	uint64_t busy_ms;     /* the sum of those, each cut to a minute */
	uint64_t duration[WEB_DURATIONS];
	uint8_t clients[1 << WEB_CLIENTS_BITS];
	uint8_t others[WEB_MISSING][1 << WEB_OTHERS_BITS]; /* [kind - 1], up to WEB_MISSING */
	uint32_t sample_max; /* so many the memory behind it holds: WEB_SAMPLES, or fewer */
	uint32_t sample_count;
	struct web_draw draws[WEB_SAMPLES]; /* of those; when full a heap, largest first */
	struct web_record sample[WEB_SAMPLES];
};
_Static_assert(sizeof(struct web_tick) <= 64 * 1024, "a service's memory is planned by it");

void web_clear(struct web_tick *t, const char *service, wd_wall at);
/* Where memory is short: a sample of fewer requests, and no memory behind it. */
void web_clear_small(struct web_tick *t, const char *service, wd_wall at, uint32_t sample_max);
static inline size_t web_tick_bytes(uint32_t sample_max)
{
	return offsetof(struct web_tick, sample) + sample_max * sizeof(struct web_record);
}
/* What several want to know of one request. */
struct web_facts {
	uint64_t client; /* its address_hash */
	uint16_t marks;  /* 1 << enum web_mark */
	struct web_agent *agent; /* until the next request */
};
struct web_facts web_facts_of(struct web_agents *agents, const struct address_key *key,
			      const struct request *r);
/* `random` is uniform: a prng's next. */
void web_add(struct web_tick *t, const struct address_key *key, const struct request *r,
	     const struct web_facts *facts, uint64_t random);
/* The hash of a path with its query (0: it has none). */
static inline uint64_t web_target_of(uint64_t path, uint64_t query)
{
	return query != 0 ? hash_mix(path + query) | 1 : path;
}
/* How large an answer is: four numbers each time it doubles (8: 8 bytes, 32: 512, 36: 1 KB), below
 * 8 the bytes themselves; of -1 WEB_SIZE_UNTOLD. */
enum { WEB_SIZE_UNTOLD = 255 };
uint8_t web_size_of(int64_t bytes);
/* How many different. Of WEB_AGENT: in the sample, so at most WEB_SAMPLES. */
double web_distinct(const struct web_tick *t, enum web_kind kind);

#endif
