/* SPDX-License-Identifier: Apache-2.0 */
/* replay_job: what the command line of `whydown replay` asks for. */
#ifndef WD_COMMAND_REPLAY_JOB_H
#define WD_COMMAND_REPLAY_JOB_H

#include "command/replay_targets.h"
#include "intake/recording.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SCORES };

struct job {
	struct recording_options recording;
	char **paths;
	size_t path_count;
	const char *config_file;
	const char *log_format; /* of access logs; NULL: each line tells */
	struct targets *targets; /* of --service */
	uint32_t sampling;
	double false_a_month;
	enum format format;
	bool quiet, help;
};

extern const char replay_usage[];

/* Into a job whose targets are open. 0, or the exit status after telling what is wrong. */
int replay_job_read(int argc, char **argv, struct job *job);

#endif
