/* SPDX-License-Identifier: Apache-2.0 */
/* serve: the live program. Threads: HTTP workers (publish/http.h), the journal's writer
 * (store/journal.h), the pilot who drives the engine (pilot.h), and the main thread, which
 * waits for signals. What they share is in struct server. */
#ifndef WD_COMMAND_SERVE_H
#define WD_COMMAND_SERVE_H

/* `whydown serve …`: argv[0] is "serve". Returns the exit status. */
int command_serve(int argc, char **argv);

#endif
