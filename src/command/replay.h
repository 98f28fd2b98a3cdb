/* SPDX-License-Identifier: Apache-2.0 */
/* replay: recordings in, through the same engine as a live server's, incidents out.
 * docs/replay.md has its options. */
#ifndef WD_COMMAND_REPLAY_H
#define WD_COMMAND_REPLAY_H

/* `whydown replay …`: argv[0] is "replay". Returns the exit status. */
int command_replay(int argc, char **argv);

#endif
