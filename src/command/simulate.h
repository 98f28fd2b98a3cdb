/* SPDX-License-Identifier: Apache-2.0 */
/* simulate: a scenario file in, a recording out. docs/replay.md has its options. */
#ifndef WD_COMMAND_SIMULATE_H
#define WD_COMMAND_SIMULATE_H

/* `whydown simulate …`: argv[0] is "simulate". Returns the exit status. */
int command_simulate(int argc, char **argv);

#endif
