/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a screen, and words that several of its parts use. */
#include "command/top_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool top_page_open(struct top_page *p, unsigned rows)
{
	*p = (struct top_page){.rows = rows};
	p->lines = calloc(rows, sizeof(*p->lines));
	return p->lines != NULL;
}

void top_page_close(struct top_page *p)
{
	free(p->lines);
	p->lines = NULL;
}

struct top_line *top_page_line(struct top_page *p)
{
	struct top_line *l = &p->spare;
	if (p->skip > 0)
		p->skip--;
	else if (p->count < p->rows)
		l = &p->lines[p->count++];
	else
		p->more = true;
	top_line_init(l, p->columns, p->utf8);
	return l;
}

void top_page_wrap(struct top_page *p, enum top_style style, unsigned indent, const char *text)
{
	struct top_line *l = top_page_line(p);
	char word[256];

	top_line_fill(l, TOP_PLAIN, indent);
	for (bool first = true; *text != '\0'; first = false) {
		size_t len = strcspn(text, " ");
		if (strncmp(text + len, " %", 2) == 0) /* a number and its unit stay together */
			len += 1 + strcspn(text + len + 1, " ");
		snprintf(word, sizeof(word), "%.*s", (int)(len < 250 ? len : 250), text);
		text += len;
		text += strspn(text, " ");
		if (!first && l->columns + 1 + top_line_width(l, word) > l->columns_max) {
			l = top_page_line(p);
			top_line_fill(l, TOP_PLAIN, indent);
		} else if (!first) {
			top_line_add(l, style, " ");
		}
		top_line_add(l, style, word);
	}
}

const char *top_source_word(enum source_status s)
{
	static const char *const words[] = {
		[SOURCE_UNKNOWN] = "not known",
		[SOURCE_REFLECTOR] = "reflectors",
		[SOURCE_SPOOFED] = "forged",
		[SOURCE_PROVED] = "proved",
	};
	return words[s];
}

const char *top_source_words(enum source_status s)
{
	static const char *const words[] = {
		[SOURCE_UNKNOWN] = "not known: the addresses may be forged",
		[SOURCE_REFLECTOR] = "reflectors: abused third parties, the attacker is elsewhere",
		[SOURCE_SPOOFED] = "forged: the addresses prove nothing",
		[SOURCE_PROVED] = "proved by handshake: machines that took part, not people",
	};
	return words[s];
}

const char *top_status_word(enum top_status s)
{
	static const char *const words[] = {"learning", "usual", "unusual", "incident"};
	return words[s];
}

void top_time(char dst[TIMETEXT_LEN_MAX], wd_wall t, wd_wall now)
{
	char text[TIMETEXT_LEN_MAX], today[TIMETEXT_LEN_MAX];

	timetext_write(text, wall_s(wall_to_s(t)));
	timetext_write(today, wall_s(wall_to_s(now)));
	if (t.ns == 0 || strlen(text) != sizeof("2025-03-10T09:45:12Z") - 1) {
		snprintf(dst, TIMETEXT_LEN_MAX, "?");
		return;
	}
	text[10] = ' ', text[19] = '\0';
	snprintf(dst, TIMETEXT_LEN_MAX, "%s", strncmp(text, today, 10) == 0 ? text + 11 : text);
}
