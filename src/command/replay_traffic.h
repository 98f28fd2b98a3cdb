/* SPDX-License-Identifier: Apache-2.0 */
/* replay_traffic: recordings of traffic into the engine: captures of packets, captures and
 * files of flow exports (intake/capture_file.h), access logs (decode/accesslog.h). What a file
 * is, its content says. One thread. */
#ifndef WD_COMMAND_REPLAY_TRAFFIC_H
#define WD_COMMAND_REPLAY_TRAFFIC_H

#include "command/traffic_rules.h"
#include "base/err.h"
#include "base/units.h"
#include "command/replay_targets.h"
#include "detect/conduct.h"
#include "engine/engine.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- a file ---- */

struct traffic_input;

struct traffic_input_options {
	const char *path;
	wd_wall from, to;  /* only what came in [from, to); 0 = no limit */
	uint32_t sampling; /* thin out: one packet in so many; 1 = all */
	bool skip_bad;     /* a file that is broken ends there */
	const struct packet_options *packet; /* how tunnels are read; borrowed, NULL = all open */
	const char *log_format; /* of access logs, as their server's has it; or NULL */
};

struct traffic_input_counts {
	uint64_t packets;    /* in captures */
	uint64_t records;    /* flows, or requests */
	uint64_t bad;        /* packets, datagrams and lines that could not be read */
	uint64_t outside;    /* of [from, to) */
	uint64_t mended;     /* times of packets that could not be */
	uint64_t elsewhere;  /* lines of a log that are no requests; packets beside exports */
};

/* WD_UNKNOWN: neither a capture nor datagrams nor an access log; at = its first line that is no
 * request, with why. */
enum wd_err traffic_input_open(const struct traffic_input_options *options,
			       struct traffic_input **ret_input, struct wd_why *why) WD_MUST_CHECK;
void traffic_input_close(struct traffic_input *in); /* NULL is fine */
/* Reads on; *ret_at is when it came in, which never goes back. */
enum wd_err traffic_input_next(struct traffic_input *in, wd_wall *ret_at, bool *ret_more,
			       struct wd_why *why) WD_MUST_CHECK;
/* "packets", "exports", "datagrams", "common or combined" … */
const char *traffic_input_kind(const struct traffic_input *in);
bool traffic_input_is_log(const struct traffic_input *in);
struct traffic_input_counts traffic_input_count(const struct traffic_input *in);
double traffic_input_progress(const struct traffic_input *in);
/* All of a capture's flows to `t`, from its begin. */
enum wd_err traffic_input_survey(const struct traffic_input_options *options, struct targets *t,
				 struct wd_why *why) WD_MUST_CHECK;

/* ---- all of them, into the engine ---- */

struct traffic_play;

/* The book and the classes for engine_options; they live as long as the play. */
/* Where addresses are is in `files`, which may be NULL. */
enum wd_err traffic_play_open(const struct place_files *files,
			      struct traffic_play **ret_play) WD_MUST_CHECK;
void traffic_play_close(struct traffic_play *p); /* NULL is fine; after the engine */
const struct traffic_book *traffic_play_book(const struct traffic_play *p);
/* Whose the traffic is; the targets and the catalogue (for hosts of logs; may be NULL) are
 * borrowed. */
enum wd_err traffic_play_target(struct traffic_play *p, struct targets *t,
				const struct catalogue *catalogue,
				struct wd_why *why) WD_MUST_CHECK;

/* How tunnels are to be read: a packet whose outer address alone is a target's stays closed. To
 * be given to the inputs, before or after the targets are known. */
const struct packet_options *traffic_play_packets(const struct traffic_play *p);

/* What the input has read last, at its time; moves the engine's clock. Returns the number of
 * records. */
size_t traffic_play_take(struct traffic_play *p, struct traffic_input *in, wd_wall at,
			 struct engine *e);
/* The end: what is still being counted. */
void traffic_play_end(struct traffic_play *p, struct engine *e);
/* What clients of the i-th service with requests did; NULL: there are no more. */
const struct conduct *traffic_play_conduct(const struct traffic_play *p, size_t i,
					   const char **ret_service);
/* Records whose addresses are nobody's; requests of no service for want of room. */
uint64_t traffic_play_elsewhere(const struct traffic_play *p);

#endif
