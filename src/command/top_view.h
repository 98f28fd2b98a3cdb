/* SPDX-License-Identifier: Apache-2.0 */
/* top_view: what is known and what was typed → the lines of a screen. Pure: no terminal, no
 * clock, no network. */
#ifndef WD_COMMAND_TOP_VIEW_H
#define WD_COMMAND_TOP_VIEW_H

#include "base/timetext.h"
#include "command/top_line.h"
#include "command/top_read.h"

enum { TOP_ROWS_MAX = 300, TOP_FILTER_MAX = 63, TOP_TROUBLE_MAX = 255 };

/* Keys beside ASCII, which stand for themselves. */
enum top_key {
	TOP_KEY_NONE = 0,
	TOP_KEY_ENTER = 10,
	TOP_KEY_ESCAPE = 27,
	TOP_KEY_BACKSPACE = 127,
	TOP_KEY_UP = 256, TOP_KEY_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_HOME,
	TOP_KEY_END,
};

/* What the reader is looking at. */
struct top_view {
	unsigned sort; /* top_sort_name() */
	char filter[TOP_FILTER_MAX + 1];
	bool typing, help, paused, quit;
	char chosen[SERVICE_ID_MAX + 1];  /* the marked row; "" = the first */
	char service[SERVICE_ID_MAX + 1]; /* whose details are shown; "" = the table */
	unsigned first, scroll;           /* of the table; of the details or the help */
	unsigned body;                    /* lines that there were room for, as last drawn */
	bool more;                        /* lines did not fit below, as last drawn */
	uint16_t order[TOP_SERVICES_MAX]; /* rows that pass the filter, sorted */
	size_t order_count;
};

/* What there is to show. */
struct top_data {
	char server[256]; /* as it is shown: without a password */
	struct top_services services;
	struct top_open open;
	struct top_detail detail;
	char trouble[TOP_TROUBLE_MAX + 1]; /* "" = none; of the last try */
	double age_s;     /* of what is shown; < 0 = nothing came yet */
	double waiting_s; /* since the server was asked; 0 = it answered */
};

/* Lines from the top. */
struct top_page {
	unsigned columns, rows;
	bool utf8;
	unsigned count, skip; /* lines before the first that is shown */
	bool more;            /* did not fit */
	struct top_line spare; /* what is not shown is written there */
	struct top_line *lines; /* owned: `rows` of them */
};

bool top_page_open(struct top_page *p, unsigned rows); /* false: no memory */
void top_page_close(struct top_page *p);
/* The next line, empty. */
struct top_line *top_page_line(struct top_page *p);
/* Words over as many lines as they need, broken at spaces, after `indent` columns. */
void top_page_wrap(struct top_page *p, enum top_style style, unsigned indent, const char *text);

/* What services can be sorted by: "status", "ratio", "packets" …; NULL past the last. */
const char *top_sort_name(unsigned sort);

/* Fills the page anew; v learns what is on it. */
void top_view_draw(struct top_view *v, const struct top_data *d, struct top_page *p);
/* Lines that all of it takes, if there is room. */
unsigned top_view_rows(const struct top_data *d);
/* What a key does. */
void top_view_key(struct top_view *v, const struct top_data *d, int key);

/* What the addresses prove: one word or two, and a sentence's worth. */
const char *top_source_word(enum source_status s);
const char *top_source_words(enum source_status s);
const char *top_status_word(enum top_status s);

/* "09:45:12", with the day before it if that is not the day of `now`; "?" if it is 0. */
void top_time(char dst[TIMETEXT_LEN_MAX], wd_wall t, wd_wall now);

/* One service, below the first lines. */
void top_detail_draw(const struct top_view *v, const struct top_data *d, struct top_page *p);

#endif
