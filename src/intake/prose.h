/* SPDX-License-Identifier: Apache-2.0 */
/* prose: the small language of scenario files, a word at a time: one statement a line, blanks
 * between the words, # begins a comment. Errors stick: after the first nothing more is read,
 * so that a statement is written as one run of expectations. `what` says what would be right. */
#ifndef WD_INTAKE_PROSE_H
#define WD_INTAKE_PROSE_H

#include "base/err.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice { const char *text; size_t len; }; /* borrowed from the text */

struct prose {
	const char *text;
	size_t len, at, line_end; /* line_end: without the comment and the blanks before it */
	size_t next_line;
	enum wd_err err;
	struct wd_why *why; /* at = byte offset */
};

void prose_fail_at(struct prose *p, enum wd_err err, size_t at, const char *what);
void prose_fail(struct prose *p, const char *what); /* malformed, here */

/* Goes to the next line that says something; false at the end or after an error. */
bool prose_next_line(struct prose *p);
void prose_skip_blanks(struct prose *p);

/* A word ends at a blank or a comma; it is empty at the end of the line. */
struct slice prose_peek(struct prose *p);
struct slice prose_take(struct prose *p);
bool prose_take_if(struct prose *p, const char *word);
void prose_expect(struct prose *p, const char *word, const char *what);
struct slice prose_rest(struct prose *p); /* of the line */
/* Into dst, ended; 1 to dst_size - 1 bytes. */
void prose_copy(struct prose *p, struct slice s, char *dst, size_t dst_size, const char *what);

bool slice_blank(char c); /* parts words */
bool slice_is(struct slice s, const char *word);
/* "12", "0.5": at most 12 digits before the point and 9 after. */
bool slice_number(struct slice s, double *ret_value);
/* "56%" as 0.56 */
bool slice_percent(struct slice s, double max, double *ret_share);

double prose_take_number(struct prose *p, double max, const char *what);
double prose_take_percent(struct prose *p, double max, const char *what);
wd_span prose_take_span(struct prose *p); /* "2 days 6 hours and 30 minutes" */
int prose_take_minute(struct prose *p);   /* "09:45" as minutes of the day */
/* The rest of the line: "2025-03-10 09:45 UTC", or "after 2 days" counted from `from`, which
 * may be NULL. */
wd_wall prose_take_time(struct prose *p, const wd_wall *from);

/* Line and column (in bytes), from 1, of a byte offset. */
struct text_place { uint32_t line, column; };
struct text_place text_place_of(const char *text, size_t len, size_t offset);

#endif
