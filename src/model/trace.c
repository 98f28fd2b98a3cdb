/* SPDX-License-Identifier: Apache-2.0 */
/* trace: to JSON and back. Plain members stand in tables, which both ways go through; series are
 * lists by column. What is not known (negative in the struct) is null. */
#include "model/trace.h"

#include "base/check.h"
#include "base/text.h"
#include "model/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_VERSION = 1, CHARTED_VECTORS = 6 };

enum member_type { F32, F64, KNOWN_F32, KNOWN_F64, U32, U64, HEX64, TIME, TEXT, BOOLEAN, STATUS };

struct member_row { const char *name; size_t offset; enum member_type type; size_t size; };

#define ROW(type, of, member) {#member, offsetof(struct of, member), type, \
			       sizeof(((struct of *)NULL)->member)}

static const struct member_row trace_rows[] = {
	ROW(TEXT, trace, incident), ROW(TIME, trace, changed_at), ROW(U32, trace, sampling),
	ROW(F64, trace, packets), ROW(F64, trace, bytes), ROW(F64, trace, records),
	ROW(F64, trace, requests), ROW(KNOWN_F64, trace, sources), ROW(F32, trace, sources_error),
	ROW(STATUS, trace, status), ROW(BOOLEAN, trace, mappable), ROW(TEXT, trace, not_mappable),
	ROW(U32, trace, targets), ROW(TIME, trace, begin),
};

static const struct member_row vector_rows[] = {
	ROW(TEXT, trace_vector, id), ROW(TEXT, trace_vector, name),
	ROW(STATUS, trace_vector, status), ROW(TEXT, trace_vector, why),
	ROW(TEXT, trace_vector, rule),
	ROW(HEX64, trace_vector, fingerprint), ROW(BOOLEAN, trace_vector, unverified),
	ROW(TIME, trace_vector, first_at), ROW(TIME, trace_vector, last_at),
	ROW(F64, trace_vector, packets), ROW(F64, trace_vector, bytes),
	ROW(F64, trace_vector, records), ROW(F64, trace_vector, peak_packets_per_s),
	ROW(F64, trace_vector, peak_bits_per_s), ROW(F64, trace_vector, usual_packets_per_s),
	ROW(U64, trace_vector, seen), ROW(KNOWN_F64, trace_vector, sources),
	ROW(F32, trace_vector, sources_error), ROW(F32, trace_vector, share),
	ROW(KNOWN_F32, trace_vector, octet_entropy), ROW(KNOWN_F32, trace_vector, hop_entropy),
	ROW(KNOWN_F32, trace_vector, new_share),
};

static const struct member_row place_rows[] = {
	ROW(TEXT, trace_place, name), ROW(F64, trace_place, packets), ROW(F64, trace_place, bytes),
	ROW(F64, trace_place, sources), ROW(F32, trace_place, share),
	ROW(F32, trace_place, share_error),
};

static const struct member_row link_rows[] = {
	ROW(TEXT, trace_link, incident), ROW(F32, trace_link, shared),
	ROW(BOOLEAN, trace_link, fingerprint),
};

static const struct member_row point_rows[] = {
	ROW(F32, trace_point, packets_per_s), ROW(F32, trace_point, bits_per_s),
	ROW(F32, trace_point, records_per_s), ROW(F32, trace_point, sources),
	ROW(F32, trace_point, requests_per_s), ROW(F32, trace_point, usual_packets_per_s),
	ROW(F32, trace_point, usual_bits_per_s),
};

static const struct member_row before_rows[] = {
	ROW(F32, trace_before_point, packets_per_s), ROW(F32, trace_before_point, bits_per_s),
	ROW(F32, trace_before_point, records_per_s), ROW(F32, trace_before_point, requests_per_s),
	ROW(F32, trace_before_point, usual_packets_per_s),
	ROW(F32, trace_before_point, usual_bits_per_s),
};

static const char *const pattern_names[] = {"carpet", "pulse", "multi"};

/* The lists of places, and where each one's length is. */
static const struct { const char *name; size_t places, count, max; } place_lists[] = {
	{"countries", offsetof(struct trace, countries), offsetof(struct trace, country_count),
	 TRACE_COUNTRIES_MAX},
	{"networks", offsetof(struct trace, networks), offsetof(struct trace, network_count),
	 TRACE_PLACES_MAX},
	{"prefixes", offsetof(struct trace, prefixes), offsetof(struct trace, prefix_count),
	 TRACE_PLACES_MAX},
	{"sources_top", offsetof(struct trace, sources_top), offsetof(struct trace, source_count),
	 TRACE_PLACES_MAX},
};

/* ---- to JSON ---- */

static void put_known(struct buf *b, const char *name, double x, bool single)
{
	if (x < 0)
		buf_fmt(b, "\"%s\":null", name);
	else if (single)
		member_put_number(b, name, (float)x);
	else
		member_put_double(b, name, x);
}

static void put_row(struct buf *b, const struct member_row *row, const void *from)
{
	const char *at = (const char *)from + row->offset;
	const void *p = at;
	switch (row->type) {
	case F32:
		member_put_number(b, row->name, *(const float *)p);
		break;
	case F64:
		member_put_double(b, row->name, *(const double *)p);
		break;
	case KNOWN_F32:
		put_known(b, row->name, (double)*(const float *)p, true);
		break;
	case KNOWN_F64:
		put_known(b, row->name, *(const double *)p, false);
		break;
	case U32:
		buf_fmt(b, "\"%s\":%u", row->name, *(const uint32_t *)p);
		break;
	case U64:
		buf_fmt(b, "\"%s\":%llu", row->name, (unsigned long long)*(const uint64_t *)p);
		break;
	case HEX64:
		buf_fmt(b, "\"%s\":\"%016llx\"", row->name,
			(unsigned long long)*(const uint64_t *)p);
		break;
	case TIME:
		member_put_time(b, row->name, *(const wd_wall *)p);
		break;
	case TEXT:
		member_put_text(b, row->name, at);
		break;
	case BOOLEAN:
		buf_fmt(b, "\"%s\":%s", row->name, *(const bool *)p ? "true" : "false");
		break;
	case STATUS:
		member_put_text(b, row->name,
				source_status_name(*(const enum source_status *)p));
		break;
	}
}

static void put_rows(struct buf *b, const struct member_row *rows, size_t count, const void *from)
{
	for (size_t n = 0; n < count; n++) {
		buf_str(b, n > 0 ? "," : "");
		put_row(b, &rows[n], from);
	}
}

static void put_objects(struct buf *b, const char *name, const struct member_row *rows,
			size_t row_count, const void *items, size_t item_size, uint32_t count)
{
	buf_fmt(b, ",\"%s\":[", name);
	for (uint32_t n = 0; n < count; n++) {
		buf_str(b, n > 0 ? ",{" : "{");
		put_rows(b, rows, row_count, (const char *)items + n * item_size);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* One member of all points. */
static void put_column(struct buf *b, const struct trace *t, size_t offset)
{
	char text[32];
	buf_char(b, '[');
	for (uint32_t n = 0; n < t->point_count; n++) {
		float x;
		memcpy(&x, (const char *)&t->points[n] + offset, sizeof(x));
		snprintf(text, sizeof(text), "%s%.6g", n > 0 ? "," : "", (double)x);
		buf_str(b, text);
	}
	buf_char(b, ']');
}

static uint32_t charted(const struct trace *t)
{
	return t->vector_count < CHARTED_VECTORS ? t->vector_count : CHARTED_VECTORS;
}

static void put_columns(struct buf *b, const char *name, const struct trace *t, size_t offset)
{
	buf_fmt(b, ",\"%s\":[", name);
	for (uint32_t v = 0; v < charted(t); v++) {
		buf_str(b, v > 0 ? "," : "");
		put_column(b, t, offset + v * sizeof(float));
	}
	buf_char(b, ']');
}

static void put_series(struct buf *b, const struct trace *t)
{
	buf_fmt(b, ",\"series\":{\"step_s\":%.9g", (double)t->step.ns / (double)WD_NS_PER_S);
	for (size_t n = 0; n < WD_COUNT(point_rows); n++) {
		buf_fmt(b, ",\"%s\":", point_rows[n].name);
		put_column(b, t, point_rows[n].offset);
	}
	put_columns(b, "vector_packets_per_s", t,
		    offsetof(struct trace_point, vector_packets_per_s));
	put_columns(b, "vector_bits_per_s", t, offsetof(struct trace_point, vector_bits_per_s));
	buf_char(b, '}');
}

static void put_before(struct buf *b, const struct trace_before *before)
{
	char text[32];
	if (before->count == 0)
		return;
	buf_str(b, ",\"before\":{");
	member_put_time(b, "begin", before->begin);
	buf_fmt(b, ",\"step_s\":%.9g", (double)before->step.ns / (double)WD_NS_PER_S);
	for (size_t k = 0; k < WD_COUNT(before_rows); k++) {
		buf_fmt(b, ",\"%s\":[", before_rows[k].name);
		for (uint32_t n = 0; n < before->count; n++) {
			float x;
			memcpy(&x, (const char *)&before->points[n] + before_rows[k].offset,
			       sizeof(x));
			snprintf(text, sizeof(text), "%.5g", (double)x);
			buf_str(b, n > 0 ? "," : "");
			buf_str(b, x < 0 ? "null" : text);
		}
		buf_char(b, ']');
	}
	buf_char(b, '}');
}

void trace_to_json(struct buf *b, const struct trace *t)
{
	const char *comma = "";
	buf_fmt(b, "{\"v\":%d,", TRACE_VERSION);
	put_rows(b, trace_rows, WD_COUNT(trace_rows), t);
	buf_str(b, ",\"patterns\":[");
	for (unsigned n = 0; n < WD_COUNT(pattern_names); n++) {
		if ((t->patterns & 1u << n) == 0)
			continue;
		buf_fmt(b, "%s\"%s\"", comma, pattern_names[n]);
		comma = ",";
	}
	buf_char(b, ']');
	put_objects(b, "vectors", vector_rows, WD_COUNT(vector_rows), t->vectors,
		    sizeof(t->vectors[0]), t->vector_count);
	for (size_t n = 0; n < WD_COUNT(place_lists); n++) {
		uint32_t count;
		memcpy(&count, (const char *)t + place_lists[n].count, sizeof(count));
		put_objects(b, place_lists[n].name, place_rows, WD_COUNT(place_rows),
			    (const char *)t + place_lists[n].places, sizeof(struct trace_place),
			    count);
	}
	put_objects(b, "links", link_rows, WD_COUNT(link_rows), t->links, sizeof(t->links[0]),
		    t->link_count);
	put_series(b, t);
	put_before(b, &t->before);
	buf_str(b, ",\"evidence\":[");
	for (uint32_t n = 0; n < t->evidence_count; n++) {
		buf_str(b, n > 0 ? ",\"" : "\"");
		buf_json(b, t->evidence[n]);
		buf_char(b, '"');
	}
	buf_str(b, "]}");
}

/* ---- from JSON ---- */

static double get_known(struct members *r, const json_t *o, const char *name)
{
	return json_is_null(json_object_get(o, name)) ? -1 : member_get_double(r, o, name);
}

static uint64_t get_hex(struct members *r, const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));
	char *end;
	if (text == NULL || strlen(text) != 16) {
		r->wrong = "a hash is missing";
		return 0;
	}
	uint64_t x = strtoull(text, &end, 16);
	if (*end != '\0')
		r->wrong = "a hash is not hexadecimal";
	return x;
}

static uint64_t get_u64(struct members *r, const json_t *o, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(o, name));
	if (n < 0)
		r->wrong = "a count is out of range";
	return n < 0 ? 0 : (uint64_t)n;
}

static enum source_status get_status(struct members *r, const json_t *o, const char *name)
{
	const char *words[SOURCE_PROVED + 1];
	for (unsigned n = 0; n < WD_COUNT(words); n++)
		words[n] = source_status_name((enum source_status)n);
	return (enum source_status)member_get_word(r, o, name, words, WD_COUNT(words));
}

static void get_row(struct members *r, const struct member_row *row, const json_t *o, void *to)
{
	char *at = (char *)to + row->offset;
	void *p = at;
	switch (row->type) {
	case F32:
		*(float *)p = member_get_number(r, o, row->name);
		break;
	case F64:
		*(double *)p = member_get_double(r, o, row->name);
		break;
	case KNOWN_F32:
		*(float *)p = (float)get_known(r, o, row->name);
		break;
	case KNOWN_F64:
		*(double *)p = get_known(r, o, row->name);
		break;
	case U32:
		*(uint32_t *)p = member_get_count(r, o, row->name);
		break;
	case U64:
		*(uint64_t *)p = get_u64(r, o, row->name);
		break;
	case HEX64:
		*(uint64_t *)p = get_hex(r, o, row->name);
		break;
	case TIME:
		member_get_time(r, o, row->name, p);
		break;
	case TEXT:
		member_get_text(r, o, row->name, at, row->size);
		break;
	case BOOLEAN:
		*(bool *)p = json_is_true(json_object_get(o, row->name));
		break;
	case STATUS:
		*(enum source_status *)p = get_status(r, o, row->name);
		break;
	}
}

static void get_rows(struct members *r, const struct member_row *rows, size_t count,
		     const json_t *o, void *to)
{
	for (size_t n = 0; n < count; n++)
		get_row(r, &rows[n], o, to);
}

static uint32_t get_objects(struct members *r, const json_t *list, const struct member_row *rows,
			    size_t row_count, void *items, size_t item_size, size_t max)
{
	size_t count = member_get_list(r, list, max);
	for (size_t n = 0; n < count; n++)
		get_rows(r, rows, row_count, json_array_get(list, n),
			 (char *)items + n * item_size);
	return (uint32_t)count;
}

/* All columns have the length of the first. */
static void get_column(struct members *r, const json_t *list, struct trace *t, size_t offset)
{
	size_t count = member_get_list(r, list, TRACE_POINTS_MAX);
	if (offset == 0)
		t->point_count = (uint32_t)count;
	if (count != t->point_count)
		r->wrong = "series of one trace differ in length";
	for (size_t n = 0; n < count && n < t->point_count; n++) {
		double x = json_number_value(json_array_get(list, n));
		float f = x > -1e30 && x < 1e30 ? (float)x : 0;
		memcpy((char *)&t->points[n] + offset, &f, sizeof(f));
	}
}

static void get_columns(struct members *r, const json_t *lists, struct trace *t, size_t offset)
{
	size_t count = member_get_list(r, lists, CHARTED_VECTORS);
	for (size_t v = 0; v < count; v++)
		get_column(r, json_array_get(lists, v), t, offset + v * sizeof(float));
}

static wd_span get_step(struct members *r, const json_t *o)
{
	double step_s = json_number_value(json_object_get(o, "step_s"));
	if (step_s >= 0 && step_s <= 366 * 86400.0)
		return (wd_span){(int64_t)(step_s * (double)WD_NS_PER_S + 0.5)};
	r->wrong = "step_s is not a width";
	return (wd_span){0};
}

static void get_before(struct members *r, const json_t *o, struct trace_before *before)
{
	if (o == NULL)
		return; /* as it was written before there was any */
	before->step = get_step(r, o);
	member_get_time(r, o, "begin", &before->begin);
	before->count = (uint32_t)member_get_list(
		r, json_object_get(o, before_rows[0].name), TRACE_BEFORE_MAX);
	if (before->count > 0 && before->step.ns <= 0)
		r->wrong = "step_s is not a width";
	for (size_t k = 0; k < WD_COUNT(before_rows); k++) {
		const json_t *list = json_object_get(o, before_rows[k].name);
		if (member_get_list(r, list, TRACE_BEFORE_MAX) != before->count)
			r->wrong = "series of one trace differ in length";
		for (uint32_t n = 0; n < before->count; n++) {
			const json_t *number = json_array_get(list, n);
			double x = json_number_value(number);
			float f = json_is_number(number) && x >= 0 && x < 1e30 ? (float)x : -1;
			memcpy((char *)&before->points[n] + before_rows[k].offset, &f, sizeof(f));
		}
	}
}

static void get_series(struct members *r, const json_t *o, struct trace *t)
{
	t->step = get_step(r, o);
	_Static_assert(offsetof(struct trace_point, packets_per_s) == 0, "the first column");
	for (size_t n = 0; n < WD_COUNT(point_rows); n++)
		get_column(r, json_object_get(o, point_rows[n].name), t, point_rows[n].offset);
	get_columns(r, json_object_get(o, "vector_packets_per_s"), t,
		    offsetof(struct trace_point, vector_packets_per_s));
	get_columns(r, json_object_get(o, "vector_bits_per_s"), t,
		    offsetof(struct trace_point, vector_bits_per_s));
}

static void get_patterns(const json_t *list, struct trace *t)
{
	for (size_t n = 0; n < json_array_size(list); n++) {
		const char *name = json_string_value(json_array_get(list, n));
		for (unsigned k = 0; name != NULL && k < WD_COUNT(pattern_names); k++) {
			if (strcmp(name, pattern_names[k]) == 0)
				t->patterns |= 1u << k;
		}
	}
}

static void get_evidence(struct members *r, const json_t *list, struct trace *t)
{
	t->evidence_count = (uint32_t)member_get_list(r, list, TRACE_EVIDENCE_MAX);
	for (uint32_t n = 0; n < t->evidence_count; n++) {
		const char *text = json_string_value(json_array_get(list, n));
		if (text == NULL || !text_copy(t->evidence[n], sizeof(t->evidence[n]), text))
			r->wrong = "evidence is not text, or too long";
	}
}

static void get_trace(struct members *r, const json_t *o, struct trace *t)
{
	get_rows(r, trace_rows, WD_COUNT(trace_rows), o, t);
	get_patterns(json_object_get(o, "patterns"), t);
	t->vector_count = get_objects(r, json_object_get(o, "vectors"), vector_rows,
				      WD_COUNT(vector_rows), t->vectors, sizeof(t->vectors[0]),
				      TRACE_VECTORS_MAX);
	for (size_t n = 0; n < WD_COUNT(place_lists); n++) {
		const json_t *list = json_object_get(o, place_lists[n].name);
		uint32_t count = get_objects(r, list, place_rows, WD_COUNT(place_rows),
					     (char *)t + place_lists[n].places,
					     sizeof(struct trace_place), place_lists[n].max);
		memcpy((char *)t + place_lists[n].count, &count, sizeof(count));
	}
	t->link_count = get_objects(r, json_object_get(o, "links"), link_rows, WD_COUNT(link_rows),
				    t->links, sizeof(t->links[0]), TRACE_LINKS_MAX);
	get_series(r, json_object_get(o, "series"), t);
	get_before(r, json_object_get(o, "before"), &t->before);
	get_evidence(r, json_object_get(o, "evidence"), t);
}

enum wd_err trace_from_json(const char *text, size_t len, struct trace *ret_t, struct wd_why *why)
{
	json_error_t error;
	enum wd_err err = WD_OK;
	struct members r = {NULL};
	struct trace *t = calloc(1, sizeof(*t)); /* too large for a stack */
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (t == NULL) {
		err = wd_fail(why, WD_NOMEM, 0, "trace");
		goto out;
	}
	if (o == NULL) {
		err = wd_fail(why, WD_MALFORMED, (uint32_t)error.position, "trace is not JSON");
		goto out;
	}
	json_int_t version = json_integer_value(json_object_get(o, "v"));
	if (version > TRACE_VERSION) {
		err = wd_fail(why, WD_UNKNOWN, 0, "trace has a later version than this program");
		goto out;
	}
	get_trace(&r, o, t);
	if (r.wrong != NULL || version != TRACE_VERSION) {
		err = wd_fail(why, WD_MALFORMED, 0,
			      r.wrong != NULL ? r.wrong : "trace has no version");
		goto out;
	}
	*ret_t = *t;
out:
	free(t);
	json_decref(o);
	return err;
}
