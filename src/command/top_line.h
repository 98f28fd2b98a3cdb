/* SPDX-License-Identifier: Apache-2.0 */
/* top_line: one line of a terminal as styled UTF-8 text of a known width. All text goes through
 * here, so that nothing from the network can steer a terminal: control characters, bytes that are
 * no UTF-8, and characters that turn the direction of writing become "?" or U+FFFD. On a terminal
 * without UTF-8 so does every character that is not ASCII. */
#ifndef WD_COMMAND_TOP_LINE_H
#define WD_COMMAND_TOP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOP_COLUMNS_MAX = 300, TOP_RUNS_MAX = 24, TOP_BYTES_MAX = TOP_COLUMNS_MAX * 12 };

enum top_style { TOP_PLAIN, TOP_DIM, TOP_BOLD, TOP_BAR, TOP_GOOD, TOP_WARN, TOP_BAD, TOP_STYLES };

struct top_run { uint16_t end; uint8_t style; }; /* up to byte `end` */

struct top_line {
	uint16_t columns, columns_max, len, run_count;
	bool utf8;
	bool chosen; /* the whole line is marked */
	struct top_run runs[TOP_RUNS_MAX]; /* the last one goes on when they are used up */
	char text[TOP_BYTES_MAX + 1];
};

/* True if the terminal takes UTF-8, as LC_ALL, LC_CTYPE or LANG say. Then this thread's
 * characters are UTF-8 from here on, for wcwidth() and curses; numbers stay as they are. */
bool top_line_locale(void);

void top_line_init(struct top_line *l, unsigned columns, bool utf8);
/* Cut at the line's end, the last column then being "…" or "~". */
void top_line_add(struct top_line *l, enum top_style style, const char *text);
void top_line_fmt(struct top_line *l, enum top_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* `text` cut or filled up to `width` columns, at its right side or, if it is a number, at its
 * left. */
void top_line_field(struct top_line *l, enum top_style style, const char *text, unsigned width,
		    bool number);
/* Columns that a text takes, if there is room. */
unsigned top_line_width(const struct top_line *l, const char *text);
void top_line_fill(struct top_line *l, enum top_style style, unsigned column);

enum { TOP_NUMBER_MAX = 12 };
/* "0", "7.5", "999", "1.2k", "12k", "1.2M" …; "-" if n < 0. */
void top_number(char dst[TOP_NUMBER_MAX], double n);
/* Of 0..1: "62 %", "4.2 %", "<0.1 %", "0 %"; "? %" if it is < 0. */
void top_percent(char dst[TOP_NUMBER_MAX], double share);

/* A row of a bar chart: column i shows values[i] / max, of `rows` rows the one `row` from below;
 * < 0 is a gap. */
void top_line_bars(struct top_line *l, enum top_style style, const float *values, size_t count,
		   double max, unsigned row, unsigned rows);

#endif
