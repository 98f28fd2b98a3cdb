/* SPDX-License-Identifier: Apache-2.0 */
/* usage: what every command says when it is called in a way that it does not know, and how it
 * reads a number that it is given. */
#ifndef WD_COMMAND_USAGE_H
#define WD_COMMAND_USAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Says what is wrong, and which --help tells how it is right. `what` NULL: getopt has said it.
 * Returns 2, the exit status of wrong usage. */
int usage_wrong(const char *command, const char *what);

/* Digits only, and a number from `least` to `most`; else false. */
bool usage_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_n);

#endif
