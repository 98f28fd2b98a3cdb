/* SPDX-License-Identifier: Apache-2.0 */
/* top_screen: the terminal, by curses. One at a time. */
#ifndef WD_COMMAND_TOP_SCREEN_H
#define WD_COMMAND_TOP_SCREEN_H

#include "command/top_view.h"

/* False: no. Else the terminal is ours until the close. */
bool top_screen_open(void);
void top_screen_close(void);

void top_screen_size(unsigned *ret_columns, unsigned *ret_rows);
void top_screen_show(const struct top_page *p);
/* The next key that was typed; TOP_KEY_NONE: none, or the size is another one. */
int top_screen_key(void);
/* Nobody can type any more. */
bool top_screen_is_gone(void);

#endif
