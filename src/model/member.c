/* SPDX-License-Identifier: Apache-2.0 */
#include "model/member.h"

#include "base/text.h"
#include "base/timetext.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double NUMBER_MAX = 1e30;

/* ---- to JSON ---- */

void member_put_time(struct buf *b, const char *name, wd_wall t)
{
	char text[TIMETEXT_LEN_MAX];
	if (t.ns == 0) {
		buf_fmt(b, "\"%s\":null", name);
		return;
	}
	timetext_write(text, t);
	buf_fmt(b, "\"%s\":\"%s\"", name, text);
}

/* JSON has no infinities; what is not finite is a bug upstream, but must not break a reader. */
void member_put_number(struct buf *b, const char *name, float x)
{
	char text[32];
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, isfinite(x) ? (double)x : 0);
		if (strtof(text, NULL) == x)
			break;
	}
	buf_fmt(b, "\"%s\":%s", name, text);
}

void member_put_double(struct buf *b, const char *name, double x)
{
	char text[40];
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, isfinite(x) ? x : 0);
		if (strtod(text, NULL) == x)
			break;
	}
	buf_fmt(b, "\"%s\":%s", name, text);
}

void member_put_text(struct buf *b, const char *name, const char *text)
{
	buf_fmt(b, "\"%s\":\"", name);
	buf_json(b, text);
	buf_char(b, '"');
}

/* ---- from JSON ---- */

void member_get_time(struct members *r, const json_t *o, const char *name, wd_wall *ret_t)
{
	json_t *v = json_object_get(o, name);
	if (v == NULL || json_is_null(v))
		*ret_t = (wd_wall){0};
	else if (!json_is_string(v) || timetext_read(json_string_value(v), json_string_length(v),
						     ret_t, NULL) != WD_OK)
		r->wrong = "a time is not RFC 3339";
}

double member_get_double(struct members *r, const json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	if (!json_is_number(v)) {
		r->wrong = "a number is missing";
		return 0;
	}
	double x = json_number_value(v);
	if (fabs(x) > NUMBER_MAX) {
		r->wrong = "a number is too large";
		return 0;
	}
	return x;
}

float member_get_number(struct members *r, const json_t *o, const char *name)
{
	return (float)member_get_double(r, o, name);
}

uint32_t member_get_count(struct members *r, const json_t *o, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(o, name)); /* 0 if it is not there */
	if (n < 0 || n > UINT32_MAX) {
		r->wrong = "a count is out of range";
		return 0;
	}
	return (uint32_t)n;
}

void member_get_text(struct members *r, const json_t *o, const char *name, char *dst,
		     size_t dst_size)
{
	const char *text = json_string_value(json_object_get(o, name));
	if (text == NULL || !text_copy(dst, dst_size, text))
		r->wrong = "a text is missing or too long";
}

unsigned member_get_word(struct members *r, const json_t *o, const char *name,
			 const char *const *words, size_t count)
{
	const char *text = json_string_value(json_object_get(o, name));
	for (size_t n = 0; text != NULL && n < count; n++) {
		if (strcmp(words[n], text) == 0)
			return (unsigned)n;
	}
	r->wrong = "a word is not one of those it may be";
	return 0;
}

size_t member_get_list(struct members *r, const json_t *list, size_t max)
{
	size_t count = json_array_size(list);
	if (count <= max)
		return count;
	r->wrong = "a list is too long";
	return 0;
}
