/* SPDX-License-Identifier: Apache-2.0 */
#include "model/incident.h"

#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INCIDENT_VERSION = 1 };

static const char *const state_names[] = {"suspected", "open", "recovering", "closed"};
static const char *const relation_names[] = {"same time", "shared provider", "spillover"};

const char *incident_state_name(enum incident_state s)
{
	WD_CHECK((unsigned)s < WD_COUNT(state_names));
	return state_names[s];
}

const char *relation_name(enum relation r)
{
	WD_CHECK((unsigned)r < WD_COUNT(relation_names));
	return relation_names[r];
}

enum severity incident_severity_word(const struct incident *i)
{
	return i->severity < 2 ? SEVERITY_MINOR : i->severity < 8 ? SEVERITY_MODERATE :
	       i->severity < 24 ? SEVERITY_MAJOR : SEVERITY_SEVERE;
}

const char *severity_name(enum severity s)
{
	static const char *const names[] = {"minor", "moderate", "major", "severe"};
	WD_CHECK((unsigned)s < WD_COUNT(names));
	return names[s];
}

wd_span incident_duration(const struct incident *i, wd_wall now)
{
	wd_wall end = i->ended_at.ns != 0 ? i->ended_at : now;
	return wall_before(end, i->began_at) ? (wd_span){0} : wall_sub(end, i->began_at);
}

/* ---- to JSON ---- */

static void put_time(struct buf *b, const char *name, wd_wall t)
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
static double finite_or_0(float x)
{
	return isfinite(x) ? (double)x : 0;
}

static void put_number(struct buf *b, const char *name, float x)
{
	char text[32];
	for (int digits = 6; digits <= 9; digits++) { /* the fewest that read back as x */
		snprintf(text, sizeof(text), "%.*g", digits, finite_or_0(x));
		if (strtof(text, NULL) == x)
			break;
	}
	buf_fmt(b, "\"%s\":%s", name, text);
}

static void put_wave(struct buf *b, const struct wave *w)
{
	buf_char(b, '{');
	put_time(b, "began_at", w->began_at);
	buf_char(b, ',');
	put_time(b, "decided_at", w->decided_at);
	buf_char(b, ',');
	put_time(b, "peak_at", w->peak_at);
	buf_char(b, ',');
	put_time(b, "ended_at", w->ended_at);
	buf_char(b, ',');
	put_number(b, "peak_observed", w->peak_observed);
	buf_char(b, ',');
	put_number(b, "peak_expected", w->peak_expected);
	buf_char(b, '}');
}

static void put_scope(struct buf *b, const struct scope *s)
{
	buf_fmt(b, "{\"dimension\":\"%s\",\"value\":\"", dimension_name(s->dimension));
	buf_json(b, s->value);
	buf_str(b, "\",");
	put_number(b, "observed", s->observed);
	buf_char(b, ',');
	put_number(b, "expected", s->expected);
	buf_char(b, ',');
	put_number(b, "log10_return", s->log10_return);
	buf_char(b, '}');
}

static void put_related(struct buf *b, const struct related *r)
{
	buf_str(b, "{\"id\":\"");
	buf_json(b, r->id);
	buf_fmt(b, "\",\"relation\":\"%s\"}", relation_name(r->relation));
}

void incident_to_json(struct buf *b, const struct incident *i)
{
	buf_fmt(b, "{\"v\":%d,\"id\":\"", INCIDENT_VERSION);
	buf_json(b, i->id);
	buf_str(b, "\",\"service\":\"");
	buf_json(b, i->service);
	buf_fmt(b, "\",\"state\":\"%s\",\"reconstruction\":%s,\"step_s\":%.9g,",
		incident_state_name(i->state), i->reconstruction ? "true" : "false",
		(double)i->step.ns / (double)WD_NS_PER_S);
	put_time(b, "began_at", i->began_at);
	buf_char(b, ',');
	put_time(b, "decided_at", i->decided_at);
	buf_char(b, ',');
	put_time(b, "ended_at", i->ended_at);
	buf_char(b, ',');
	put_time(b, "changed_at", i->changed_at);
	buf_char(b, ',');
	put_time(b, "peak_at", i->peak_at);
	static const char *const names[] = {"peak_observed", "peak_expected", "excess", "severity",
					    "log10_return", "log10_return_decided"};
	const float numbers[] = {i->peak_observed, i->peak_expected, i->excess, i->severity,
				 i->log10_return, i->log10_return_decided};
	for (size_t n = 0; n < WD_COUNT(names); n++) {
		buf_char(b, ',');
		put_number(b, names[n], numbers[n]);
	}
	buf_fmt(b, ",\"severity_word\":\"%s\",\"persons\":%u,\"networks\":%u,\"waves\":[",
		severity_name(incident_severity_word(i)), i->persons, i->networks);
	for (uint32_t n = 0; n < i->wave_count; n++) {
		buf_str(b, n > 0 ? "," : "");
		put_wave(b, &i->waves[n]);
	}
	buf_str(b, "],\"scope\":[");
	for (uint32_t n = 0; n < i->scope_count; n++) {
		buf_str(b, n > 0 ? "," : "");
		put_scope(b, &i->scopes[n]);
	}
	buf_str(b, "],\"related\":[");
	for (uint32_t n = 0; n < i->related_count; n++) {
		buf_str(b, n > 0 ? "," : "");
		put_related(b, &i->related[n]);
	}
	buf_fmt(b, "],\"waves_dropped\":%u,\"scope_dropped\":%u}", i->waves_dropped,
		i->scope_dropped);
}

/* ---- from JSON ---- */

/* Reads members one by one; the first wrong one sticks. */
struct reader { const char *wrong; };

static void get_time(struct reader *r, json_t *o, const char *name, wd_wall *ret_t)
{
	json_t *v = json_object_get(o, name);
	if (v == NULL || json_is_null(v))
		*ret_t = (wd_wall){0};
	else if (!json_is_string(v) || timetext_read(json_string_value(v), json_string_length(v),
						     ret_t, NULL) != WD_OK)
		r->wrong = "a time is not RFC 3339";
}

static float get_number(struct reader *r, json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	if (!json_is_number(v)) {
		r->wrong = "a number is missing";
		return 0;
	}
	double x = json_number_value(v);
	if (fabs(x) > 1e30) {
		r->wrong = "a number is too large";
		return 0;
	}
	return (float)x;
}

static uint32_t get_count(struct reader *r, json_t *o, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(o, name)); /* 0 if it is not there */
	if (n < 0 || n > UINT32_MAX) {
		r->wrong = "a count is out of range";
		return 0;
	}
	return (uint32_t)n;
}

static void get_text(struct reader *r, json_t *o, const char *name, char *dst, size_t dst_size)
{
	const char *text = json_string_value(json_object_get(o, name));
	if (text == NULL || !text_copy(dst, dst_size, text))
		r->wrong = "a text is missing or too long";
}

/* The index of a word in a table of words. */
static unsigned get_word(struct reader *r, json_t *o, const char *name, const char *const *words,
			 size_t count)
{
	const char *text = json_string_value(json_object_get(o, name));
	for (size_t n = 0; text != NULL && n < count; n++) {
		if (strcmp(words[n], text) == 0)
			return (unsigned)n;
	}
	r->wrong = "a word is not one of those it may be";
	return 0;
}

static void get_waves(struct reader *r, json_t *list, struct incident *i)
{
	size_t count = json_array_size(list);
	if (count > INCIDENT_WAVES_MAX) {
		r->wrong = "too many waves";
		return;
	}
	for (size_t n = 0; n < count; n++) {
		json_t *o = json_array_get(list, n);
		struct wave *w = &i->waves[n];
		get_time(r, o, "began_at", &w->began_at);
		get_time(r, o, "decided_at", &w->decided_at);
		get_time(r, o, "peak_at", &w->peak_at);
		get_time(r, o, "ended_at", &w->ended_at);
		w->peak_observed = get_number(r, o, "peak_observed");
		w->peak_expected = get_number(r, o, "peak_expected");
	}
	i->wave_count = (uint32_t)count;
}

static void get_scopes(struct reader *r, json_t *list, struct incident *i)
{
	size_t count = json_array_size(list);
	const char *words[DIMENSION_COUNT];
	for (unsigned d = 0; d < DIMENSION_COUNT; d++)
		words[d] = dimension_name((enum dimension)d);
	if (count > INCIDENT_SCOPE_MAX) {
		r->wrong = "too many scopes";
		return;
	}
	for (size_t n = 0; n < count; n++) {
		json_t *o = json_array_get(list, n);
		struct scope *s = &i->scopes[n];
		s->dimension = (enum dimension)get_word(r, o, "dimension", words, DIMENSION_COUNT);
		get_text(r, o, "value", s->value, sizeof(s->value));
		s->observed = get_number(r, o, "observed");
		s->expected = get_number(r, o, "expected");
		s->log10_return = get_number(r, o, "log10_return");
	}
	i->scope_count = (uint32_t)count;
}

static void get_related(struct reader *r, json_t *list, struct incident *i)
{
	size_t count = json_array_size(list);
	if (count > INCIDENT_RELATED_MAX) {
		r->wrong = "too many related incidents";
		return;
	}
	for (size_t n = 0; n < count; n++) {
		json_t *o = json_array_get(list, n);
		struct related *x = &i->related[n];
		get_text(r, o, "id", x->id, sizeof(x->id));
		x->relation = (enum relation)get_word(r, o, "relation", relation_names,
						      WD_COUNT(relation_names));
	}
	i->related_count = (uint32_t)count;
}

static void get_incident(struct reader *r, json_t *o, struct incident *i)
{
	get_text(r, o, "id", i->id, sizeof(i->id));
	get_text(r, o, "service", i->service, sizeof(i->service));
	i->state = (enum incident_state)get_word(r, o, "state", state_names, WD_COUNT(state_names));
	i->reconstruction = json_is_true(json_object_get(o, "reconstruction"));
	double step_s = json_number_value(json_object_get(o, "step_s"));
	if (!(step_s > 0 && step_s <= 366 * 86400.0))
		r->wrong = "step_s is not a bucket width";
	else
		i->step = (wd_span){(int64_t)llround(step_s * (double)WD_NS_PER_S)};
	get_time(r, o, "began_at", &i->began_at);
	get_time(r, o, "decided_at", &i->decided_at);
	get_time(r, o, "ended_at", &i->ended_at);
	get_time(r, o, "changed_at", &i->changed_at);
	get_time(r, o, "peak_at", &i->peak_at);
	i->peak_observed = get_number(r, o, "peak_observed");
	i->peak_expected = get_number(r, o, "peak_expected");
	i->excess = get_number(r, o, "excess");
	i->severity = get_number(r, o, "severity");
	i->log10_return = get_number(r, o, "log10_return");
	i->log10_return_decided = get_number(r, o, "log10_return_decided");
	i->persons = get_count(r, o, "persons");
	i->networks = get_count(r, o, "networks");
	i->waves_dropped = get_count(r, o, "waves_dropped");
	i->scope_dropped = get_count(r, o, "scope_dropped");
	get_waves(r, json_object_get(o, "waves"), i);
	get_scopes(r, json_object_get(o, "scope"), i);
	get_related(r, json_object_get(o, "related"), i);
}

enum wd_err incident_from_json(const char *text, size_t len, struct incident *ret_i,
			       struct wd_why *why)
{
	json_error_t error;
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (o == NULL)
		return wd_fail(why, WD_MALFORMED, (uint32_t)error.position, "incident is not JSON");

	enum wd_err err = WD_OK;
	struct reader r = {NULL};
	struct incident i = {0};
	json_int_t version = json_integer_value(json_object_get(o, "v"));
	if (version > INCIDENT_VERSION) {
		err = wd_fail(why, WD_UNKNOWN, 0, "incident has a later version than this program");
		goto out;
	}
	get_incident(&r, o, &i);
	if (r.wrong != NULL || version != INCIDENT_VERSION) {
		err = wd_fail(why, WD_MALFORMED, 0,
			      r.wrong != NULL ? r.wrong : "incident has no version");
		goto out;
	}
	*ret_i = i;
out:
	json_decref(o);
	return err;
}
