/* SPDX-License-Identifier: Apache-2.0 */
/* problems: what is wrong with a configuration, in words for the one who wrote it: where,
 * what, and what would be right. All of a file's mistakes are told, up to a maximum. */
#ifndef WD_CONFIG_PROBLEMS_H
#define WD_CONFIG_PROBLEMS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROBLEMS_MAX = 20, PROBLEM_TEXT_MAX = 300 };

struct problem {
	bool warning;  /* the configuration can be used all the same */
	char *file;    /* owned; "" if it has no file */
	uint32_t line; /* from 1; 0 = the file as a whole */
	char what[PROBLEM_TEXT_MAX];  /* printable: nothing of the file's can move a terminal */
	char right[PROBLEM_TEXT_MAX]; /* what would be right; "" if there is nothing to say */
};

struct problems {
	struct problem items[PROBLEMS_MAX];
	size_t count;
	size_t errors;   /* of all, kept or not; warnings are not counted */
	size_t dropped;  /* did not fit */
};

void problems_init(struct problems *p);
void problems_done(struct problems *p);

/* `right` and `what` are cut at PROBLEM_TEXT_MAX. */
struct problem_at { const char *file; uint32_t line; };
void problems_add(struct problems *p, struct problem_at at, const char *right, const char *what,
		  ...) __attribute__((format(printf, 4, 5)));
void problems_warn(struct problems *p, struct problem_at at, const char *right, const char *what,
		   ...) __attribute__((format(printf, 4, 5)));

/* What is added now is only counted: no need to search for what would be right. */
bool problems_full(const struct problems *p);

/* By file and line, as people look for them. */
void problems_sort(struct problems *p);

/* "file:line: what (would be right: …)", no line end. */
void problem_write(struct buf *b, const struct problem *problem);

/* The word of `words` that was most likely meant, or NULL if none is near. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
