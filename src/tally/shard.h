/* SPDX-License-Identifier: Apache-2.0 */
/* shard: the hot path: flows in, a tick of each service out. One thread owns a shard and
 * shares nothing; several shards' ticks of one service are merged by whoever gets them.
 *
 * - A record counts for the service of its destination (in) and for that of its source (out),
 *   and for the services whose shorter prefixes lie around it: the owner of a /16 sees what is
 *   spread over the services inside.
 * - It counts when it arrives: a record of a long flow comes when the flow is over, and what
 *   it says of times is for showing only.
 * - An exporter that meters both sides of a router reports everything twice. Of the records
 *   that say "going out" (FLOW_EGRESS) those are left alone and counted that are no more than
 *   twice what came to the same service without that mark during the last half second or so:
 *   what is seen mostly or only on the way out still counts.
 *
 * - Some connections of TCP are watched packet for packet, of the innermost service alone:
 *   whether what comes in is answered (tally/talk.h).
 *
 * Memory is taken at shard_open: sizeof(struct traffic_tick) for each service and each spare
 * tick, 1.3 KB a service, and 140 KB for connections. What was never touched costs no memory of
 * the machine. */
#ifndef WD_TALLY_SHARD_H
#define WD_TALLY_SHARD_H

#include "tally/prefix.h"
#include "tally/traffic.h"

struct shard_options {
	const struct traffic_rules *rules;   /* borrowed, like all below, until shard_close */
	const struct prefix_table *prefixes; /* its values are indices of `services` */
	const char *const *services;         /* ids */
	uint32_t service_count;
	uint32_t spares; /* how many sealed ticks can be in other hands; at least 1 */
	uint64_t seed;   /* of the sample; random */
};

struct shard_counters {
	uint64_t records;    /* all that came */
	uint64_t elsewhere;  /* neither from nor to a service */
	uint64_t duplicates; /* seen on the way in and out: left out the second time */
	uint64_t held;       /* ticks that went on being filled, because all spares were out */
};

struct shard;

enum wd_err shard_open(const struct shard_options *options, struct shard **ret_shard,
		       struct wd_why *why) WD_MUST_CHECK;
void shard_close(struct shard *s); /* NULL is fine; ticks in other hands become invalid */

/* Counts a batch, and writes each record's class into it. `now` is when it arrived,
 * by a clock that does not go back. */
void shard_add(struct shard *s, struct flow *batch, size_t count, wd_wall now);

/* Ends the tick at the last whole TRAFFIC_TICK_NS before or at `now` and hands out the ticks
 * of the services that saw something, at most `room`; the others saw nothing, so that quiet
 * services cost nothing and a missing tick is a zero. A tick that finds no room or no spare
 * goes on being filled: its `at` stays and its width grows. Returns how many; if that is not 0,
 * there may be more: ask again once some were taken back, until it is. */
size_t shard_seal(struct shard *s, wd_wall now, struct traffic_tick **ret_ticks, size_t room);
/* A sealed tick is no longer needed. Called by the thread that owns the shard. */
void shard_take_back(struct shard *s, struct traffic_tick *tick);

const struct shard_counters *shard_counters(const struct shard *s);
size_t shard_memory(const struct shard *s); /* bytes */

#endif
