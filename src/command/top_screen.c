/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_screen.h"

#include <curses.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { ESCAPE_MS = 50, PAIR_GOOD = 1, PAIR_WARN, PAIR_BAD };

static SCREEN *screen;
static chtype styles[TOP_STYLES];

/* https://no-color.org: set and not empty. */
static bool wants_colour(void)
{
	const char *none = getenv("NO_COLOR");
	return none == NULL || none[0] == '\0';
}

static void choose_styles(void)
{
	static const chtype plain[TOP_STYLES] = {
		[TOP_PLAIN] = A_NORMAL, [TOP_DIM] = A_DIM,   [TOP_BOLD] = A_BOLD,
		[TOP_BAR] = A_REVERSE,  [TOP_GOOD] = A_NORMAL, [TOP_WARN] = A_BOLD,
		[TOP_BAD] = A_BOLD,
	};
	for (int i = 0; i < TOP_STYLES; i++)
		styles[i] = plain[i];
	if (!wants_colour() || !has_colors() || start_color() == ERR)
		return;
	short back = use_default_colors() == OK ? -1 : COLOR_BLACK;
	if (init_pair(PAIR_GOOD, COLOR_GREEN, back) == ERR ||
	    init_pair(PAIR_WARN, COLOR_YELLOW, back) == ERR ||
	    init_pair(PAIR_BAD, COLOR_RED, back) == ERR)
		return;
	styles[TOP_GOOD] = (chtype)COLOR_PAIR(PAIR_GOOD);
	styles[TOP_WARN] = (chtype)COLOR_PAIR(PAIR_WARN);
	styles[TOP_BAD] = (chtype)COLOR_PAIR(PAIR_BAD) | A_BOLD;
}

bool top_screen_open(void)
{
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL)
		return false;
	use_legacy_coding(0); /* it looks at the process's locale; ours is the thread's */
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	choose_styles();
	return true;
}

void top_screen_close(void)
{
	if (screen == NULL)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void top_screen_size(unsigned *ret_columns, unsigned *ret_rows)
{
	*ret_columns = (unsigned)getmaxx(stdscr);
	*ret_rows = (unsigned)getmaxy(stdscr);
}

static void show_line(const struct top_line *l, int y)
{
	chtype chosen = l->chosen ? A_REVERSE : 0;
	unsigned at = 0;

	move(y, 0);
	for (unsigned i = 0; i < l->run_count; i++) {
		attrset((int)(styles[l->runs[i].style] | chosen));
		addnstr(l->text + at, (int)(l->runs[i].end - at));
		at = l->runs[i].end;
	}
	attrset((int)chosen);
	for (unsigned column = l->columns; l->chosen && column < l->columns_max; column++)
		addch(' ');
	attrset(0);
}

void top_screen_show(const struct top_page *p)
{
	erase();
	for (unsigned y = 0; y < p->count; y++)
		show_line(&p->lines[y], (int)y);
	refresh();
}

int top_screen_key(void)
{
	int key = getch();
	switch (key) {
	case ERR:
	case KEY_RESIZE: return TOP_KEY_NONE;
	case '\r':
	case KEY_ENTER: return TOP_KEY_ENTER;
	case '\b':
	case KEY_BACKSPACE: return TOP_KEY_BACKSPACE;
	case KEY_UP: return TOP_KEY_UP;
	case KEY_DOWN: return TOP_KEY_DOWN;
	case KEY_PPAGE: return TOP_KEY_PAGE_UP;
	case KEY_NPAGE: return TOP_KEY_PAGE_DOWN;
	case KEY_HOME: return TOP_KEY_HOME;
	case KEY_END: return TOP_KEY_END;
	default: return key < KEY_MIN ? key : TOP_KEY_NONE;
	}
}

bool top_screen_is_gone(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	return poll(&in, 1, 0) > 0 && (in.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}
