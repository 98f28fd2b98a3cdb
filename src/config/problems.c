/* SPDX-License-Identifier: Apache-2.0 */
#include "config/problems.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void problems_init(struct problems *p)
{
	memset(p, 0, sizeof(*p));
}

void problems_done(struct problems *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i].file);
	problems_init(p);
}

/* Cut at a UTF-8 boundary; what is not plain becomes question marks. */
static void copy_printable(char dst[PROBLEM_TEXT_MAX], const char *src)
{
	(void)text_copy(dst, PROBLEM_TEXT_MAX, src);
	for (size_t len; *dst != '\0'; dst += len) {
		bool plain;
		len = text_character(dst, &plain);
		if (!plain)
			memset(dst, '?', len);
	}
}

__attribute__((format(printf, 5, 0)))
static void add(struct problems *p, bool warning, struct problem_at at, const char *right,
		const char *what, va_list args)
{
	char text[2 * PROBLEM_TEXT_MAX];

	p->errors += !warning;
	if (problems_full(p)) {
		p->dropped++;
		return;
	}
	struct problem *problem = &p->items[p->count];
	*problem = (struct problem){.warning = warning, .line = at.line};
	problem->file = strdup(at.file == NULL ? "" : at.file);
	if (problem->file == NULL) {
		p->dropped++;
		return;
	}
	vsnprintf(text, sizeof(text), what, args);
	copy_printable(problem->what, text);
	copy_printable(problem->right, right == NULL ? "" : right);
	p->count++;
}

void problems_add(struct problems *p, struct problem_at at, const char *right, const char *what,
		  ...)
{
	va_list args;
	va_start(args, what);
	add(p, false, at, right, what, args);
	va_end(args);
}

void problems_warn(struct problems *p, struct problem_at at, const char *right, const char *what,
		   ...)
{
	va_list args;
	va_start(args, what);
	add(p, true, at, right, what, args);
	va_end(args);
}

bool problems_full(const struct problems *p)
{
	return p->count == PROBLEMS_MAX;
}

static int by_place(const void *a, const void *b)
{
	const struct problem *pa = a, *pb = b;
	int order = strcmp(pa->file, pb->file);
	return order != 0 ? order : (pa->line > pb->line) - (pa->line < pb->line);
}

void problems_sort(struct problems *p)
{
	if (p->count > 0)
		qsort(p->items, p->count, sizeof(p->items[0]), by_place);
}

void problem_write(struct buf *b, const struct problem *problem)
{
	if (problem->file[0] != '\0') {
		buf_str(b, problem->file);
		if (problem->line > 0)
			buf_fmt(b, ":%u", problem->line);
		buf_str(b, ": ");
	}
	if (problem->warning)
		buf_str(b, "warning: ");
	buf_str(b, problem->what);
	if (problem->right[0] != '\0')
		buf_fmt(b, " (would be right: %s)", problem->right);
}

/* Edits (insert, delete, replace one, swap two neighbours) from a to b: the restricted
 * Damerau-Levenshtein distance. Only words of up to WORD_MAX bytes are compared. */
enum { WORD_MAX = 64 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return WORD_MAX;
	for (unsigned k = 0; k <= b_len; k++)
		last[k] = k;
	for (unsigned i = 1; i <= a_len; i++) {
		now[0] = i;
		for (size_t k = 1; k <= b_len; k++) {
			bool same = text_lower(a[i - 1]) == text_lower(b[k - 1]);
			now[k] = least(least(now[k - 1], last[k]) + 1, last[k - 1] + !same);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
		unsigned *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	unsigned nearest_distance = (unsigned)(strlen(word) / 3 + 1); /* further is another word */

	for (size_t i = 0; i < count; i++) {
		unsigned d = distance(word, words[i]);
		if (d > nearest_distance || (nearest != NULL && d == nearest_distance))
			continue;
		nearest = words[i];
		nearest_distance = d;
	}
	return nearest;
}
