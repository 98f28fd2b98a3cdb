/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/report.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"
#include "decode/json_text.h"
#include "decode/words.h"
#include "model/country.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum field {
	F_SERVICE,
	F_SURFACE,
	F_PROBLEM,
	F_COMMENT,
	F_COUNTRY,
	F_REGION,
	F_CITY,
	F_AT,
	FIELDS
};

static const struct { const char *name; size_t len_max; } fields[FIELDS] = {
	[F_SERVICE] = {"service", SERVICE_NAME_MAX},
	[F_SURFACE] = {"surface", SERVICE_NAME_MAX},
	[F_PROBLEM] = {"problem", SERVICE_NAME_MAX},
	[F_COMMENT] = {"comment", OBSERVATION_COMMENT_MAX},
	[F_COUNTRY] = {"country", 2},
	[F_REGION] = {"region", OBSERVATION_PLACE_MAX},
	[F_CITY] = {"city", OBSERVATION_PLACE_MAX},
	[F_AT] = {"at", TIMETEXT_LEN_MAX},
};
#define FIELD_NAMES "service, surface, problem, comment, country, region, city, at"

/* The fields as text, in report.text; "" = not there. */
struct values { const char *text[FIELDS]; size_t len[FIELDS]; bool seen[FIELDS]; };

/* Where the next text goes. What is read is never longer than what it was read from. */
struct room { char *at, *end; };

__attribute__((format(printf, 3, 4))) static void
add_error(struct report_errors *errors, const char *field, const char *fmt, ...)
{
	va_list args;
	if (errors->count == REPORT_ERRORS_MAX)
		return; /* the reader has enough to put right */
	struct report_error *e = &errors->items[errors->count++];
	e->field = field;
	va_start(args, fmt);
	vsnprintf(e->detail, sizeof(e->detail), fmt, args);
	va_end(args);
}

static enum field find_field(const char *name, size_t len)
{
	for (enum field f = 0; f < FIELDS; f++) {
		if (strlen(fields[f].name) == len && memcmp(fields[f].name, name, len) == 0)
			return f;
	}
	return FIELDS;
}

/* JSON. */

/* jansson's own words may quote the input, cut anywhere; these do not. */
static const char *json_mistake(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_invalid_utf8: return "it is not UTF-8";
	case json_error_premature_end_of_input: return "it ends early";
	case json_error_end_of_input_expected: return "something follows its end";
	case json_error_duplicate_key: return "a member is there twice";
	case json_error_stack_overflow: return "it is nested too deep";
	case json_error_null_character:
	case json_error_null_byte_in_key: return "it holds U+0000";
	case json_error_numeric_overflow: return "a number is too large";
	default: return "its syntax is wrong";
	}
}

static void take_json_member(enum field f, const json_t *value, struct values *values,
			     struct room *room, struct report_errors *errors)
{
	if (json_is_null(value))
		return;
	if (!json_is_string(value)) {
		add_error(errors, fields[f].name, "%s is a string", fields[f].name);
		return;
	}
	size_t len = json_string_length(value);
	WD_CHECK(len < (size_t)(room->end - room->at));
	memcpy(room->at, json_string_value(value), len + 1);
	values->text[f] = room->at;
	values->len[f] = len;
	room->at += len + 1;
}

/* Passes over c and the space around it. */
static bool take_mark(char **at, const char *end, char c)
{
	json_skip_space(at, end);
	if (*at == end || **at != c)
		return false;
	++*at;
	json_skip_space(at, end);
	return true;
}

/* A member that is known, not there twice, and a text or null. */
static bool take_flat_member(char **at, char *end, struct values *values)
{
	struct json_text name, value = {"", 0, true};
	const char *rule = NULL;
	if (!json_text_take(at, end, &name, &rule) || !take_mark(at, end, ':'))
		return false;
	if (!json_text_take(at, end, &value, &rule) &&
	    (rule != NULL || !json_take_word(at, end, "null")))
		return false;
	enum field f = find_field(name.at, name.len);
	if (f == FIELDS || values->seen[f])
		return false;
	values->seen[f] = true;
	values->text[f] = value.at;
	values->len[f] = value.len;
	return true;
}

/* What every good report is: an object of such members, read in a copy of the body. False for all
 * else, which jansson reads again and says what is wrong with it. */
static bool take_flat_json(const struct report_source *source, struct values *values,
			   const struct room *room)
{
	struct values found = *values;
	char *at = room->at, *end = at + source->len;

	WD_CHECK(source->len < (size_t)(room->end - room->at));
	memcpy(at, source->body, source->len);
	if (!take_mark(&at, end, '{'))
		return false;
	do {
		if (!take_flat_member(&at, end, &found))
			return false;
	} while (take_mark(&at, end, ','));
	if (!take_mark(&at, end, '}') || at != end)
		return false;
	*values = found;
	return true;
}

static enum wd_err take_json(const struct report_source *source, struct values *values,
			     struct room *room, struct report_errors *errors)
{
	json_error_t error;
	const char *name;
	json_t *json, *value;

	if (take_flat_json(source, values, room))
		return WD_OK;
	if (memchr(source->body, '\0', source->len) != NULL) {
		/* jansson passes over one that follows a number. */
		add_error(errors, "", "the body is not JSON: it holds U+0000");
		return WD_MALFORMED;
	}
	json = json_loadb(source->body, source->len, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL) {
		add_error(errors, "", "the body is not JSON: %s (line %d, column %d)",
			  json_mistake(&error), error.line, error.column);
		return WD_MALFORMED;
	}
	if (!json_is_object(json)) {
		add_error(errors, "", "the body is not a JSON object, like {\"service\":\"x\"}");
		json_decref(json);
		return WD_MALFORMED;
	}
	json_object_foreach(json, name, value)
	{
		enum field f = find_field(name, strlen(name));
		if (f == FIELDS)
			add_error(errors, "", "the body has a member that is none of " FIELD_NAMES);
		else
			take_json_member(f, value, values, room, errors);
	}
	json_decref(json);
	return WD_OK;
}

/* Forms (URL Standard, 5.1): name=value&name=value, with + for space and %XX. */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes up to any of `ends` (or the end); false if a % is not followed by two hex digits. */
static bool take_form_text(const char **at, const char *end, const char *ends, struct room *room)
{
	while (*at < end && (**at == '\0' || strchr(ends, **at) == NULL)) {
		char c = *(*at)++;
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = end - *at >= 2 ? hex_digit((*at)[0]) : -1;
			int low = high >= 0 ? hex_digit((*at)[1]) : -1;
			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			*at += 2;
		}
		*room->at++ = c;
	}
	*room->at++ = '\0';
	return true;
}

static enum wd_err take_form(const struct report_source *source, struct values *values,
			     struct room *room, struct report_errors *errors)
{
	const char *at = source->body, *end = at + source->len;

	while (at < end) {
		struct room name = *room;
		if (!take_form_text(&at, end, "=&", room))
			goto broken;
		enum field f = find_field(name.at, (size_t)(room->at - name.at - 1));
		room->at = name.at; /* the name is known by now */
		struct room value = *room;
		if (at < end && *at == '=') {
			at++;
			if (!take_form_text(&at, end, "&", room))
				goto broken;
		} else {
			*room->at++ = '\0';
		}
		if (at < end)
			at++;
		if (f == FIELDS) {
			room->at = value.at;
			continue;
		}
		if (values->seen[f]) {
			add_error(errors, fields[f].name, "%s is there twice", fields[f].name);
			return WD_MALFORMED;
		}
		values->seen[f] = true;
		values->text[f] = value.at;
		values->len[f] = (size_t)(room->at - value.at - 1);
	}
	return WD_OK;
broken:
	add_error(errors, "", "the form has a %% that two hex digits do not follow");
	return WD_MALFORMED;
}

/* What both have in common. */

/* False if there is any error by now, also one found before. */
static bool check_words(const struct values *values, struct report_errors *errors)
{
	for (enum field f = 0; f < FIELDS; f++) {
		size_t len = values->len[f], len_max = fields[f].len_max;
		if (len > len_max)
			add_error(errors, fields[f].name, "%s has %zu bytes; up to %zu are taken",
				  fields[f].name, len, len_max);
		else if (f == F_COMMENT && !words_are_comment(values->text[f], len, len_max))
			add_error(errors, "comment", "comment is not plain UTF-8 text");
		else if (f != F_COMMENT && !words_are_line(values->text[f], len, len_max))
			add_error(errors, fields[f].name, "%s is not one line of plain UTF-8 text",
				  fields[f].name);
	}
	return errors->count == 0;
}

static const struct term *find_term(const struct term *terms, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (text_same_nocase(terms[i].id, text) || text_same_nocase(terms[i].name, text))
			return &terms[i];
	}
	return NULL;
}

/* The id of what is called so, or "" and an error that lists what there is. */
static const char *term_of(const struct service *s, enum field f, const struct values *values,
			   struct report_errors *errors)
{
	const struct term *terms = f == F_SURFACE ? s->surfaces : s->problems;
	size_t count = f == F_SURFACE ? s->surface_count : s->problem_count;
	const struct term *term = find_term(terms, count, values->text[f]);
	struct buf list;

	if (values->len[f] == 0)
		return "";
	if (term != NULL)
		return term->id;
	buf_init(&list, REPORT_DETAIL_MAX - 300);
	for (size_t i = 0; i < count; i++) {
		buf_str(&list, i > 0 ? ", " : "");
		buf_str(&list, terms[i].id);
	}
	add_error(errors, fields[f].name, "%s has no %s \"%s\"; it has: %s", s->name,
		  fields[f].name, values->text[f],
		  list.bad     ? "too many to list"
		  : count == 0 ? "none"
			       : list.data);
	buf_done(&list);
	return "";
}

static void set_service(struct observation *o, const struct report_source *source,
			const struct values *values, struct report_errors *errors)
{
	if (values->len[F_SERVICE] == 0) {
		add_error(errors, "service", "service is missing: which service is it about?");
		return;
	}
	const struct service *s = catalogue_find(source->catalogue, values->text[F_SERVICE]);
	if (s == NULL) {
		add_error(errors, "service",
			  "there is no service \"%s\" here; GET /api/v1/services lists all",
			  values->text[F_SERVICE]);
		return;
	}
	o->service = s->id;
	o->surface = term_of(s, F_SURFACE, values, errors);
	o->problem = term_of(s, F_PROBLEM, values, errors);
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void set_country(struct observation *o, const struct values *values,
			struct report_errors *errors)
{
	if (values->len[F_COUNTRY] == 0)
		return;
	const char *sent = values->text[F_COUNTRY];
	const char code[3] = {upper(sent[0]), upper(sent[1]), '\0'};
	if (!country_is_known(code)) {
		add_error(errors, "country",
			  "there is no country \"%s\"; it is two letters, like GB (ISO 3166-1 "
			  "alpha-2)",
			  sent);
		return;
	}
	memcpy(o->country, code, sizeof(code));
}

static void set_at(struct observation *o, const struct report_source *source,
		   const struct values *values, struct report_errors *errors)
{
	wd_wall at;
	if (values->len[F_AT] == 0)
		return;
	if (!source->from_feeder)
		add_error(errors, "at", "at is for feeders: a report counts when it is sent");
	else if (timetext_read(values->text[F_AT], values->len[F_AT], &at, NULL) != WD_OK ||
		 at.ns < 0 || at.ns >= OBSERVATION_AT_MAX_S * WD_NS_PER_S)
		add_error(errors, "at", "at is a time like 2025-03-10T09:45:00Z");
	else
		o->at.ns = at.ns - at.ns % 1000000;
}

enum wd_err report_read(const struct report_source *source, struct report *ret_report,
			struct report_errors *ret_errors)
{
	struct observation *o = &ret_report->observation;
	struct room room = {ret_report->text, ret_report->text + sizeof(ret_report->text)};
	struct values values = {0};

	*o = observation_blank(OBSERVATION_REPORT);
	ret_errors->count = 0;
	for (enum field f = 0; f < FIELDS; f++)
		values.text[f] = "";
	if (source->len > REPORT_BODY_MAX) {
		add_error(ret_errors, "", "the body has %zu bytes; up to %d are taken", source->len,
			  REPORT_BODY_MAX);
		return WD_MALFORMED;
	}
	enum wd_err err = source->form == REPORT_JSON
				  ? take_json(source, &values, &room, ret_errors)
				  : take_form(source, &values, &room, ret_errors);
	if (err != WD_OK)
		return err;
	if (!check_words(&values, ret_errors))
		return WD_UNKNOWN; /* what the details below quote must be clean */
	set_service(o, source, &values, ret_errors);
	set_country(o, &values, ret_errors);
	set_at(o, source, &values, ret_errors);
	o->comment = values.text[F_COMMENT];
	o->region = values.text[F_REGION];
	o->city = values.text[F_CITY];
	if (ret_errors->count > 0)
		return WD_UNKNOWN;
	WD_CHECK(observation_is_sound(o, NULL));
	return WD_OK;
}
