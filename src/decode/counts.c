/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/counts.h"

#include "base/check.h"
#include "base/text.h"
#include "decode/counts_time.h"
#include "decode/number.h"
#include "decode/words.h"

#include <string.h>

/* A field with its quotes taken off. */
struct field { char text[COUNTS_FIELD_MAX + 1]; size_t len; bool cut; };

/* What follows a field. */
enum after { AFTER_COMMA, AFTER_LINE, AFTER_BROKEN };

/* `at` may be on an earlier line than where a quoted field ended: then the line is what counts. */
static enum wd_err fail_at(struct counts *c, const char *at, const char *what, struct wd_why *why)
{
	c->line = c->next_line;
	c->column = at < c->line_start ? 1 : (size_t)(at - c->line_start) + 1;
	return wd_fail(why, WD_MALFORMED, (uint32_t)c->line, what);
}

static void field_add(struct field *f, char byte)
{
	if (f->len < COUNTS_FIELD_MAX)
		f->text[f->len++] = byte;
	else
		f->cut = true;
}

/* From the opening quote to behind the closing one. A line end within is text. */
static bool quoted_field(struct counts *c, struct field *f)
{
	for (c->at++; c->at < c->end; c->at++) {
		if (*c->at == '"') {
			c->at++;
			if (c->at == c->end || *c->at != '"')
				return true;
		} else if (*c->at == '\n') {
			c->next_line++;
			c->line_start = c->at + 1;
		}
		field_add(f, *c->at);
	}
	return false;
}

/* One field and what ends it. *ret_broken says what is wrong after AFTER_BROKEN. */
static enum after read_field(struct counts *c, struct field *f, const char **ret_broken)
{
	f->len = 0;
	f->cut = false;
	if (c->at < c->end && *c->at == '"') {
		if (!quoted_field(c, f)) {
			*ret_broken =
				"a quoted field does not end: a quote within it is written twice";
			return AFTER_BROKEN;
		}
	} else {
		for (; c->at < c->end && *c->at != c->separator && *c->at != '\n' && *c->at != '\r';
		     c->at++) {
			if (*c->at == '"') {
				*ret_broken =
					"a quote within a field: the whole field must be quoted";
				return AFTER_BROKEN;
			}
			field_add(f, *c->at);
		}
	}
	f->text[f->len] = '\0';
	if (c->at == c->end)
		return AFTER_LINE;
	if (*c->at == c->separator) {
		c->at++;
		return AFTER_COMMA;
	}
	if (*c->at == '\r' && c->end - c->at > 1 && c->at[1] == '\n')
		c->at++;
	if (*c->at != '\n') {
		*ret_broken = *c->at == '\r'
				      ? "a carriage return without a line feed"
				      : "text after a closing quote: what ends a field is missing";
		return AFTER_BROKEN;
	}
	c->at++;
	return AFTER_LINE;
}

/* Called when a row is read whole. */
static void next_line(struct counts *c)
{
	c->line = c->next_line++;
	c->line_start = c->at;
}

/* Space around a field that we use is a common slip, and never meant. */
static void trim(struct field *f)
{
	size_t begin = 0;
	while (f->len > 0 && f->text[f->len - 1] == ' ')
		f->len--;
	while (begin < f->len && f->text[begin] == ' ')
		begin++;
	memmove(f->text, f->text + begin, f->len - begin);
	f->len -= begin;
	f->text[f->len] = '\0';
}

static bool is_time(const char *name)
{
	return text_same_nocase(name, "time") || text_same_nocase(name, "timestamp");
}

/* Where the column that is called so belongs; NULL if nobody asks for it. */
static size_t *column_named(struct counts *c, const char *name, size_t *value, size_t *kind)
{
	if (is_time(name))
		return &c->time;
	if (text_same_nocase(name, "service"))
		return &c->service;
	if (text_same_nocase(name, "step"))
		return &c->step;
	if (text_same_nocase(name, "reports"))
		return &c->number;
	if (text_same_nocase(name, "kind"))
		return kind;
	return text_same_nocase(name, "value") ? value : NULL;
}

/* Would the header's fields, ended so, name a column of times? */
static bool ends_fields(const struct counts *begun, char separator)
{
	struct counts c = *begun;
	struct field f;
	const char *broken;
	enum after after;

	c.separator = separator;
	do {
		after = read_field(&c, &f, &broken);
		trim(&f);
		if (after != AFTER_BROKEN && is_time(f.text))
			return true;
	} while (after == AFTER_COMMA);
	return false;
}

/* What ends the header's fields ends all. */
static char separator_of(const struct counts *begun)
{
	return ends_fields(begun, ',')	  ? ','
	       : ends_fields(begun, ';')  ? ';'
	       : ends_fields(begun, '\t') ? '\t'
					  : ',';
}

enum wd_err counts_begin(struct counts *c, const char *bytes, size_t len,
			 const struct counts_options *options, struct wd_why *why)
{
	struct field f;
	enum after after;
	const char *broken;
	size_t value = SIZE_MAX, kind = SIZE_MAX;

	*c = (struct counts){
		.at = bytes, .end = bytes + len, .line_start = bytes, .next_line = 1,
		.time = SIZE_MAX, .service = SIZE_MAX, .number = SIZE_MAX, .step = SIZE_MAX,
	};
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		c->at = c->line_start = bytes + 3;
	const char *header = c->line_start;
	c->separator = separator_of(c);
	do {
		const char *begin = c->at;
		after = read_field(c, &f, &broken);
		if (after == AFTER_BROKEN)
			return fail_at(c, c->at, broken, why);
		trim(&f);
		size_t *column = column_named(c, f.text, &value, &kind);
		if (column != NULL && *column != SIZE_MAX)
			return fail_at(c, begin, "the header names a column twice", why);
		if (column != NULL)
			*column = c->column_count;
		if (++c->column_count > COUNTS_COLUMNS_MAX)
			return fail_at(c, begin, "the header has more than 64 columns", why);
	} while (after == AFTER_COMMA);

	if (c->number == SIZE_MAX && kind != SIZE_MAX)
		return fail_at(c, header,
			       "single reports, as `whydown export --format csv` writes them: "
			       "replay reads them as NDJSON, its other format", why);
	c->metric = c->number == SIZE_MAX && !options->value_is_reports;
	if (c->number == SIZE_MAX)
		c->number = value;
	if (c->time == SIZE_MAX)
		return fail_at(c, header, "the header names no column time or timestamp", why);
	if (c->number == SIZE_MAX)
		return fail_at(c, header,
			       "the header names no column reports (counts) or value (a metric)",
			       why);
	if (c->service == SIZE_MAX && options->service == NULL)
		return fail_at(c, header,
			       "the header names no column service, and no service was given", why);
	if (c->service == SIZE_MAX) {
		size_t name_len = strlen(options->service);
		if (name_len == 0 || !words_are_line(options->service, name_len, SERVICE_ID_MAX))
			return fail_at(c, header,
				       "the service given is not one line of 1 to 64 bytes", why);
		memcpy(c->service_name, options->service, name_len + 1);
	}
	next_line(c);
	return WD_OK;
}

bool counts_name_times(const struct counts *c) { return c->time != SIZE_MAX; }

/* `why` holds the text that is returned. */
static const char *set_time(struct counts *c, struct counts_row *row, const struct field *f,
			    struct wd_why *why)
{
	wd_wall at = {-1};
	if (c->days == DAYS_UNKNOWN)
		c->days = counts_time_is_day_number(f->text, f->len) ? DAYS_ARE_NUMBERS
								     : DAYS_ARE_NOT;
	enum wd_err err = counts_time_read(f->text, f->len, c->days == DAYS_ARE_NUMBERS, &at, why);
	if (err != WD_OK && is_time(f->text))
		return "the header stands here again: give files one by one, not joined";
	if (err != WD_OK)
		return why->what;
	if (f->cut || at.ns < 0 || at.ns >= OBSERVATION_AT_MAX_S * WD_NS_PER_S)
		return "time is in the years 1970 to 2199";
	row->at.ns = at.ns - at.ns % 1000000;
	return NULL;
}

static const char *set_service(struct counts *c, struct counts_row *row, const struct field *f)
{
	if (f->len == 0 || f->cut || !words_are_line(f->text, f->len, SERVICE_ID_MAX))
		return "service is one line of text of 1 to 64 bytes";
	memcpy(c->service_name, f->text, f->len + 1);
	row->service = c->service_name;
	return NULL;
}

/* "12", or "12.0" as programs write that keep all numbers as reals. */
static bool is_count(const struct number *n)
{
	return n->value >= 0 && n->value <= OBSERVATION_COUNT_MAX &&
	       n->value == (double)(uint32_t)n->value;
}

static bool means_unknown(const struct field *f)
{
	return f->len == 0 || text_same_nocase(f->text, "nan") ||
	       text_same_nocase(f->text, "null") || text_same_nocase(f->text, "na");
}

static const char *set_step(struct counts_row *row, const struct field *f)
{
	struct number n = {.value = 0};
	if (f->len > 0 && (f->cut || number_read(f->text, f->len, &n) != f->len ||
			   !(n.value >= 0 && n.value <= OBSERVATION_STEP_MAX_S)))
		return "step is the bucket's width in seconds, up to 31 days, or nothing if the "
		       "distances of the rows say it";
	row->step = span_ms((int64_t)(n.value * 1000 + 0.5));
	return NULL;
}

/* Where commas do not end fields they are decimal. */
static void use_point(struct field *f)
{
	char *comma = strchr(f->text, ',');
	if (comma != NULL && strchr(f->text, '.') == NULL && strchr(comma + 1, ',') == NULL)
		*comma = '.';
}

static const char *set_number(const struct counts *c, struct counts_row *row, struct field *f)
{
	struct number n;
	if (c->separator != ',')
		use_point(f);
	bool read = !f->cut && number_read(f->text, f->len, &n) == f->len;
	if (!row->metric && (!read || !is_count(&n)))
		return "reports is a whole number from 0 to 1000000000, or nothing if it is not "
		       "known";
	if (!read)
		return "value is a number like 12.5 or 1e-3, or nothing if it is not known";
	if (row->metric)
		row->value = n.value;
	else
		row->reports = (uint32_t)n.value;
	return NULL;
}

/* One row; *ret_gap if its number is empty. */
static enum wd_err read_row(struct counts *c, struct counts_row *row, bool *ret_gap,
			    struct wd_why *why)
{
	struct field f;
	struct wd_why time_why = {0};
	enum after after = AFTER_COMMA;
	const char *broken = NULL;

	*ret_gap = false;
	for (size_t i = 0; after == AFTER_COMMA; i++) {
		const char *begin = c->at;
		if (i == c->column_count)
			return fail_at(c, begin, "the row has more fields than the header", why);
		after = read_field(c, &f, &broken);
		if (after == AFTER_BROKEN)
			return fail_at(c, c->at, broken, why);
		trim(&f);
		if (i == c->time)
			broken = set_time(c, row, &f, &time_why);
		else if (i == c->service)
			broken = set_service(c, row, &f);
		else if (i == c->step)
			broken = set_step(row, &f);
		else if (i == c->number && means_unknown(&f))
			*ret_gap = true;
		else if (i == c->number)
			broken = set_number(c, row, &f);
		if (broken != NULL)
			return fail_at(c, begin, broken, why);
		if (after == AFTER_LINE && i + 1 < c->column_count)
			return fail_at(c, begin, "the row has fewer fields than the header", why);
	}
	next_line(c);
	return WD_OK;
}

static bool only_line_ends_left(const struct counts *c)
{
	for (const char *p = c->at; p < c->end; p++) {
		if (*p != '\n' && *p != '\r')
			return false;
	}
	return true;
}

enum wd_err counts_next(struct counts *c, struct counts_row *ret_row, bool *ret_end,
			struct wd_why *why)
{
	struct counts_row row;
	bool gap;

	do {
		if (c->at == c->end || *c->at == '\n' || *c->at == '\r') {
			if (!only_line_ends_left(c))
				return fail_at(c, c->at,
					       "a blank line: rows must follow each other", why);
			*ret_end = true;
			return WD_OK;
		}
		row = (struct counts_row){.service = c->service_name, .metric = c->metric};
		enum wd_err err = read_row(c, &row, &gap, why);
		if (err != WD_OK)
			return err;
		c->gaps += gap;
	} while (gap);
	*ret_row = row;
	*ret_end = false;
	return WD_OK;
}

void counts_more(struct counts *c, const char *bytes, size_t len)
{
	c->at = c->line_start = bytes;
	c->end = bytes + len;
}

struct observation counts_observation(const struct counts_row *row, wd_span step)
{
	struct observation o =
		observation_blank(row->metric ? OBSERVATION_METRIC : OBSERVATION_COUNT);
	o.at = row->at;
	o.step = step;
	o.service = row->service;
	o.count = row->reports;
	o.value = row->value;
	return o;
}
