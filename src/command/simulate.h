/* SPDX-License-Identifier: Apache-2.0 */
/* simulate: a scenario file in, a recording out. docs/replay.md has its options. */
#ifndef WD_COMMAND_SIMULATE_H
#define WD_COMMAND_SIMULATE_H

#include "intake/scenario.h"

/* `whydown simulate …`: argv[0] is "simulate". Returns the exit status. */
int command_simulate(int argc, char **argv);

/* Reads the scenario of this path or of this name in the program's own folder. NULL on failure,
 * told on stderr with file, line, column and what would be right. */
struct scenario *scenario_load(const char *path_or_name);

#endif
