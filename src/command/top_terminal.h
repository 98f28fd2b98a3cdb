/* SPDX-License-Identifier: Apache-2.0 */
/* top_terminal: what standard output is. */
#ifndef WD_COMMAND_TOP_TERMINAL_H
#define WD_COMMAND_TOP_TERMINAL_H

#include <stdbool.h>

/* Can lines be put anywhere on it, as TERM says? */
bool top_terminal_can(void);

#endif
