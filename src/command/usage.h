/* SPDX-License-Identifier: Apache-2.0 */
/* usage: what every command says when it is called in a way that it does not know. */
#ifndef WD_COMMAND_USAGE_H
#define WD_COMMAND_USAGE_H

/* Says what is wrong, and which --help tells how it is right. `what` NULL: getopt has said it.
 * Returns 2, the exit status of wrong usage. */
int usage_wrong(const char *command, const char *what);

#endif
