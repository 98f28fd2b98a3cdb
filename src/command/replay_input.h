/* SPDX-License-Identifier: Apache-2.0 */
/* replay_input: the inside of a struct traffic_input, for replay_traffic.c alone. */
#ifndef WD_COMMAND_REPLAY_INPUT_H
#define WD_COMMAND_REPLAY_INPUT_H

#include "base/prng.h"
#include "command/replay_traffic.h"
#include "decode/accesslog.h"
#include "intake/capture_file.h"
#include "intake/lines.h"

struct traffic_input {
	struct traffic_input_options options;
	struct capture_file *capture; /* or a log: */
	struct lines *lines;
	struct accesslog log;
	struct request request;       /* the last */
	struct flow *flows;           /* the last */
	size_t flow_count;
	wd_wall at;
	struct prng random;
	struct traffic_input_counts counts;
	char service[SERVICE_ID_MAX + 1]; /* of requests that are nobody else's */
};

#endif
