/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/ndjson_reference.h"

#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"
#include "decode/words.h"
#include "model/service.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool get_line(json_t *json, const char **ret_text, size_t len_max)
{
	if (!json_is_string(json) ||
	    !words_are_line(json_string_value(json), json_string_length(json), len_max))
		return false;
	*ret_text = json_string_value(json);
	return true;
}

static bool get_u32(json_t *json, uint32_t *ret_number)
{
	json_int_t n = json_integer_value(json);
	if (!json_is_integer(json) || n < 0 || n > UINT32_MAX)
		return false;
	*ret_number = (uint32_t)n;
	return true;
}

static bool get_time(json_t *json, wd_wall *ret_time)
{
	wd_wall t;
	if (!json_is_string(json) ||
	    timetext_read(json_string_value(json), json_string_length(json), &t, NULL) != WD_OK ||
	    t.ns < 0 || t.ns >= OBSERVATION_AT_MAX_S * WD_NS_PER_S)
		return false;
	ret_time->ns = t.ns / 1000000 * 1000000;
	return true;
}

static bool get_hex(const char *text, uint8_t *dst, size_t len)
{
	if (strlen(text) != 2 * len || strspn(text, "0123456789abcdefABCDEF") != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
		dst[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static bool get_member(const char *name, json_t *json, struct ndjson *line)
{
	struct observation *o = &line->observation;
	const char *text;
	uint8_t bytes[8];

	if (strcmp(name, "v") == 0)
		return json_is_integer(json) && json_integer_value(json) == 1;
	if (strcmp(name, "kind") == 0) {
		if (!get_line(json, &text, 64))
			return false;
		o->kind = strcmp(text, "report") == 0   ? OBSERVATION_REPORT
			  : strcmp(text, "count") == 0  ? OBSERVATION_COUNT
			  : strcmp(text, "metric") == 0 ? OBSERVATION_METRIC
							: 0;
		return o->kind != 0;
	}
	if (strcmp(name, "at") == 0)
		return get_time(json, &o->at);
	if (strcmp(name, "received") == 0)
		return get_time(json, &line->received);
	if (strcmp(name, "step") == 0) {
		double s = json_number_value(json);
		if (!json_is_number(json) || !(s >= 0.001 && s <= OBSERVATION_STEP_MAX_S))
			return false;
		o->step = span_ms(llround(s * 1000));
		return true;
	}
	if (strcmp(name, "id") == 0) {
		if (!get_line(json, &line->id, NDJSON_ID_MAX) || line->id[0] == '\0')
			return false;
		struct observation_id id;
		if (get_hex(line->id, id.bytes, sizeof(id.bytes)))
			o->id = id;
		return true;
	}
	if (strcmp(name, "service") == 0)
		return get_line(json, &o->service, SERVICE_ID_MAX) && o->service[0] != '\0';
	if (strcmp(name, "surface") == 0)
		return get_line(json, &o->surface, SERVICE_WORD_MAX);
	if (strcmp(name, "problem") == 0)
		return get_line(json, &o->problem, SERVICE_WORD_MAX);
	if (strcmp(name, "region") == 0)
		return get_line(json, &o->region, OBSERVATION_PLACE_MAX);
	if (strcmp(name, "city") == 0)
		return get_line(json, &o->city, OBSERVATION_PLACE_MAX);
	if (strcmp(name, "feeder") == 0)
		return get_line(json, &o->feeder, OBSERVATION_FEEDER_MAX);
	if (strcmp(name, "comment") == 0) {
		o->comment = json_string_value(json);
		return json_is_string(json) &&
		       words_are_comment(o->comment, json_string_length(json),
					 OBSERVATION_COMMENT_MAX);
	}
	if (strcmp(name, "count") == 0)
		return get_u32(json, &o->count) && o->count <= OBSERVATION_COUNT_MAX;
	if (strcmp(name, "network") == 0)
		return get_u32(json, &o->network);
	if (strcmp(name, "value") == 0) {
		o->value = json_number_value(json);
		return json_is_number(json);
	}
	if (strcmp(name, "person") == 0) {
		if (!get_line(json, &text, 16) || !get_hex(text, bytes, sizeof(bytes)))
			return false;
		o->person = strtoull(text, NULL, 16);
		return true;
	}
	if (strcmp(name, "country") == 0) {
		if (!get_line(json, &text, 2))
			return false;
		memcpy(o->country, text, strlen(text) + 1);
		return text[0] == '\0' ||
		       (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z');
	}
	if (strcmp(name, "reconstruction") == 0) {
		o->flags = json_is_true(json) ? OBSERVATION_RECONSTRUCTION : 0;
		return json_is_boolean(json);
	}
	if (strcmp(name, "scenario") == 0)
		return get_line(json, &o->scenario, OBSERVATION_SCENARIO_MAX) &&
		       text_is_id(o->scenario, strlen(o->scenario), OBSERVATION_SCENARIO_MAX);
	return false;
}

bool ndjson_reference_read(const char *line, size_t len, struct ndjson *ret_ndjson,
			   json_t **ret_json)
{
	struct ndjson n = {observation_blank(OBSERVATION_REPORT), {0}, ""};
	const char *name;
	json_t *value;

	if (len > NDJSON_LINE_MAX || memchr(line, '\0', len) != NULL)
		return false; /* jansson passes over a NUL that follows a number */
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(json);
	json_object_foreach(json, name, value)
		good = good && get_member(name, value, &n);
	bool step = json_object_get(json, "step") != NULL,
	     count = json_object_get(json, "count") != NULL;
	bool metric = json_object_get(json, "value") != NULL;
	switch (n.observation.kind) {
	case OBSERVATION_REPORT: good = good && !step && !count && !metric; break;
	case OBSERVATION_COUNT: good = good && step && count && !metric; break;
	case OBSERVATION_METRIC: good = good && step && !count && metric; break;
	}
	good = good && (n.observation.scenario[0] == '\0' || n.observation.flags != 0);
	good = good && json_object_get(json, "at") != NULL &&
	       json_object_get(json, "service") != NULL;
	if (!good) {
		json_decref(json);
		return false;
	}
	*ret_ndjson = n;
	*ret_json = json;
	return true;
}

/* Both as our JSON, which holds every field. */
static bool same(const struct ndjson *a, const struct ndjson *b)
{
	struct buf x, y;
	buf_init(&x, 1 << 16);
	buf_init(&y, 1 << 16);
	observation_to_json(&x, &a->observation, a->received);
	observation_to_json(&y, &b->observation, b->received);
	bool is_same = !x.bad && !y.bad && strcmp(x.data, y.data) == 0 && strcmp(a->id, b->id) == 0;
	buf_done(&x);
	buf_done(&y);
	return is_same;
}

static bool has_long_number(const char *line, size_t len)
{
	size_t run = 0;
	for (size_t i = 0; i < len; i++) {
		run = line[i] >= '0' && line[i] <= '9' ? run + 1 : 0;
		if (run > 18)
			return true;
	}
	return false;
}

bool ndjson_reference_agrees(const char *line, size_t len)
{
	struct ndjson ours, theirs;
	json_t *json = NULL;
	char *copy = malloc(len > 0 ? len : 1); /* exact, for the sanitizer */

	WD_CHECK(copy != NULL);
	if (len > 0)
		memcpy(copy, line, len);
	bool taken = ndjson_read(copy, len, &ours, NULL) == WD_OK;
	if (!has_long_number(line, len)) {
		bool taken_there = ndjson_reference_read(line, len, &theirs, &json);
		if (taken != taken_there || (taken && !same(&ours, &theirs))) {
			fprintf(stderr, "%s by us, %s by jansson: %.*s\n",
				taken ? "taken" : "refused", taken_there ? "taken" : "refused",
				(int)len, line);
			abort();
		}
	}
	json_decref(json);
	free(copy);
	return taken;
}
