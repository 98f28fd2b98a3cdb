/* SPDX-License-Identifier: Apache-2.0 */
/* By itself, as <term.h> has a macro for hundreds of common words. */
#include "command/top_terminal.h"

#include <curses.h>
#include <stddef.h>
#include <term.h>
#include <unistd.h>

bool top_terminal_can(void)
{
	int error;
	if (setupterm(NULL, STDOUT_FILENO, &error) == ERR)
		return false;
	const char *moves = tigetstr("cup"); /* (char *)-1 for what is no text */
	bool can = moves != NULL && moves != (char *)-1;
	(void)del_curterm(cur_term);
	return can;
}
