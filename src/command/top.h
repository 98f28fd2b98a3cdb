/* SPDX-License-Identifier: Apache-2.0 */
/* top: `whydown top`, a running server's services, their traffic and what floods them, in a
 * terminal. It reads the server's HTTP API as any other reader does: top_fetch asks, top_reader
 * knows what to ask, top_read makes structs of answers, top_view makes lines of those, and
 * top_screen shows them. docs/top.md is for its users. */
#ifndef WD_COMMAND_TOP_H
#define WD_COMMAND_TOP_H

int command_top(int argc, char **argv);

#endif
