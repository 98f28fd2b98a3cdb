/* SPDX-License-Identifier: Apache-2.0 */
#include "model/incident.h"

#include "base/check.h"
#include "base/text.h"
#include "model/member.h"

#include <math.h>
#include <string.h>

enum { INCIDENT_VERSION = 1 };

static const char *const state_names[] = {"suspected", "open", "recovering", "closed"};
static const char *const kind_names[] = {"reports", "traffic", "requests"};
static const char *const relation_names[] = {"same time", "shared provider", "spillover"};

const char *incident_state_name(enum incident_state s)
{
	WD_CHECK((unsigned)s < WD_COUNT(state_names));
	return state_names[s];
}

uint32_t incident_kind_of(const char *name)
{
	for (uint32_t n = 0; n < WD_COUNT(kind_names); n++) {
		if (strcmp(kind_names[n], name) == 0)
			return UINT32_C(1) << n;
	}
	return 0;
}

static bool has_part(const struct part *parts, uint32_t count, const char *id)
{
	for (uint32_t n = 0; n < count; n++) {
		if (strcmp(parts[n].id, id) == 0)
			return true;
	}
	return false;
}

bool incident_has_vector(const struct incident *i, const char *id)
{
	uint32_t kinds = incident_kinds(i);
	return ((kinds & INCIDENT_TRAFFIC) != 0 &&
		has_part(i->traffic.vectors, i->traffic.vector_count, id)) ||
	       ((kinds & INCIDENT_REQUESTS) != 0 &&
		has_part(i->requests.findings, i->requests.finding_count, id));
}

const char *incident_kind_name(enum incident_kind k)
{
	WD_CHECK(k == INCIDENT_REPORTS || k == INCIDENT_TRAFFIC || k == INCIDENT_REQUESTS);
	return kind_names[k >> 1]; /* 1, 2, 4 */
}

static const char *relation_name(enum relation r)
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

/* Left out where there is none. */
static void put_peak(struct buf *b, const char *name, float x)
{
	if (x == 0)
		return;
	buf_char(b, ',');
	member_put_number(b, name, x);
}

static void put_wave(struct buf *b, const struct wave *w)
{
	buf_char(b, '{');
	member_put_time(b, "began_at", w->began_at);
	buf_char(b, ',');
	member_put_time(b, "decided_at", w->decided_at);
	buf_char(b, ',');
	member_put_time(b, "peak_at", w->peak_at);
	buf_char(b, ',');
	member_put_time(b, "ended_at", w->ended_at);
	buf_char(b, ',');
	member_put_number(b, "peak_observed", w->peak_observed);
	buf_char(b, ',');
	member_put_number(b, "peak_expected", w->peak_expected);
	put_peak(b, "peak_packets_per_s", w->peak_packets_per_s);
	put_peak(b, "peak_bits_per_s", w->peak_bits_per_s);
	put_peak(b, "peak_requests_per_s", w->peak_requests_per_s);
	buf_char(b, '}');
}

static void put_scope(struct buf *b, const struct scope *s)
{
	buf_fmt(b, "{\"dimension\":\"%s\",\"value\":\"", dimension_name(s->dimension));
	buf_json(b, s->value);
	buf_str(b, "\",");
	member_put_number(b, "observed", s->observed);
	buf_char(b, ',');
	member_put_number(b, "expected", s->expected);
	buf_char(b, ',');
	member_put_number(b, "log10_return", s->log10_return);
	buf_char(b, '}');
}

static void put_related(struct buf *b, const struct related *r)
{
	buf_str(b, "{\"id\":\"");
	buf_json(b, r->id);
	buf_fmt(b, "\",\"relation\":\"%s\"}", relation_name(r->relation));
}

static void put_kinds(struct buf *b, uint32_t kinds)
{
	const char *comma = "";
	buf_str(b, ",\"kinds\":[");
	for (unsigned n = 0; n < WD_COUNT(kind_names); n++) {
		if ((kinds & 1u << n) == 0)
			continue;
		buf_fmt(b, "%s\"%s\"", comma, kind_names[n]);
		comma = ",";
	}
	buf_char(b, ']');
}

static void put_span(struct buf *b, const wd_wall *began_decided_ended_peak)
{
	static const char *const names[] = {"began_at", "decided_at", "ended_at", "peak_at"};
	for (size_t n = 0; n < WD_COUNT(names); n++) {
		member_put_time(b, names[n], began_decided_ended_peak[n]);
		buf_char(b, ',');
	}
}

static void put_numbers(struct buf *b, const char *const *names, const float *numbers, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		member_put_number(b, names[n], numbers[n]);
		buf_char(b, ',');
	}
}

/* `why` has as many; NULL = there are none. */
static void put_parts(struct buf *b, const char *name, const struct part *parts, uint32_t count,
		      const char (*why)[INCIDENT_WHY_MAX + 1])
{
	buf_fmt(b, "\"%s\":[", name);
	for (uint32_t n = 0; n < count; n++) {
		buf_str(b, n > 0 ? ",{" : "{");
		member_put_text(b, "id", parts[n].id);
		buf_char(b, ',');
		member_put_number(b, "share", parts[n].share);
		if (why != NULL && why[n][0] != '\0') {
			buf_char(b, ',');
			member_put_text(b, "why", why[n]);
		}
		buf_char(b, '}');
	}
	buf_str(b, "]}");
}

static const char *const traffic_names[] = {"peak_packets_per_s", "usual_packets_per_s",
					    "peak_bits_per_s", "usual_bits_per_s", "log10_return"};
static const char *const requests_names[] = {"peak_requests_per_s", "usual_requests_per_s",
					     "log10_return"};

/* Only where it is so. */
static void put_silence(struct buf *b, wd_wall since, bool partly)
{
	if (since.ns == 0)
		return;
	member_put_time(b, "silent_since", since);
	buf_str(b, partly ? ",\"silent_partly\":true," : ",");
}

static void put_traffic(struct buf *b, const struct incident_traffic *t)
{
	const float numbers[] = {t->peak_packets_per_s, t->usual_packets_per_s, t->peak_bits_per_s,
				 t->usual_bits_per_s, t->log10_return};
	buf_str(b, ",\"traffic\":{");
	put_span(b, (const wd_wall[]){t->began_at, t->decided_at, t->ended_at, t->peak_at});
	put_numbers(b, traffic_names, numbers, WD_COUNT(numbers));
	buf_fmt(b, "\"status\":\"%s\",\"cold\":%s,", source_status_name(t->status),
		t->cold ? "true" : "false");
	put_silence(b, t->silent_since, t->silent_partly);
	put_parts(b, "vectors", t->vectors, t->vector_count, NULL);
}

static void put_requests(struct buf *b, const struct incident_requests *t)
{
	const float numbers[] = {t->peak_requests_per_s, t->usual_requests_per_s, t->log10_return};
	buf_str(b, ",\"requests\":{");
	put_span(b, (const wd_wall[]){t->began_at, t->decided_at, t->ended_at, t->peak_at});
	put_numbers(b, requests_names, numbers, WD_COUNT(numbers));
	buf_fmt(b, "\"cold\":%s,", t->cold ? "true" : "false");
	put_silence(b, t->silent_since, false);
	put_parts(b, "findings", t->findings, t->finding_count, t->why);
}

void incident_to_json(struct buf *b, const struct incident *i)
{
	buf_fmt(b, "{\"v\":%d,\"id\":\"", INCIDENT_VERSION);
	buf_json(b, i->id);
	buf_str(b, "\",\"service\":\"");
	buf_json(b, i->service);
	buf_fmt(b, "\",\"state\":\"%s\",\"reconstruction\":%s,",
		incident_state_name(i->state), i->reconstruction ? "true" : "false");
	if (i->scenario[0] != '\0') {
		buf_str(b, "\"scenario\":\"");
		buf_json(b, i->scenario);
		buf_str(b, "\",");
	}
	if (i->metric)
		buf_str(b, "\"metric\":true,");
	buf_fmt(b, "\"step_s\":%.9g,", (double)i->step.ns / (double)WD_NS_PER_S);
	member_put_time(b, "began_at", i->began_at);
	buf_char(b, ',');
	member_put_time(b, "decided_at", i->decided_at);
	buf_char(b, ',');
	member_put_time(b, "ended_at", i->ended_at);
	buf_char(b, ',');
	member_put_time(b, "changed_at", i->changed_at);
	buf_char(b, ',');
	member_put_time(b, "peak_at", i->peak_at);
	static const char *const names[] = {"peak_observed", "peak_expected", "excess", "severity",
					    "log10_return", "log10_return_decided",
					    "reports_log10_return"};
	const float numbers[] = {i->peak_observed, i->peak_expected, i->excess, i->severity,
				 i->log10_return, i->log10_return_decided, i->reports_log10_return};
	for (size_t n = 0; n < WD_COUNT(names); n++) {
		buf_char(b, ',');
		member_put_number(b, names[n], numbers[n]);
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
	buf_fmt(b, "],\"waves_dropped\":%u,\"scope_dropped\":%u", i->waves_dropped,
		i->scope_dropped);
	uint32_t kinds = incident_kinds(i);
	put_kinds(b, kinds);
	if ((kinds & INCIDENT_TRAFFIC) != 0)
		put_traffic(b, &i->traffic);
	if ((kinds & INCIDENT_REQUESTS) != 0)
		put_requests(b, &i->requests);
	buf_char(b, '}');
}

/* ---- from JSON ---- */

static float get_peak(struct members *r, const json_t *o, const char *name)
{
	return json_object_get(o, name) != NULL ? member_get_number(r, o, name) : 0;
}

static void get_waves(struct members *r, json_t *list, struct incident *i)
{
	size_t count = json_array_size(list);
	if (count > INCIDENT_WAVES_MAX) {
		r->wrong = "too many waves";
		return;
	}
	for (size_t n = 0; n < count; n++) {
		json_t *o = json_array_get(list, n);
		struct wave *w = &i->waves[n];
		member_get_time(r, o, "began_at", &w->began_at);
		member_get_time(r, o, "decided_at", &w->decided_at);
		member_get_time(r, o, "peak_at", &w->peak_at);
		member_get_time(r, o, "ended_at", &w->ended_at);
		w->peak_observed = member_get_number(r, o, "peak_observed");
		w->peak_expected = member_get_number(r, o, "peak_expected");
		w->peak_packets_per_s = get_peak(r, o, "peak_packets_per_s");
		w->peak_bits_per_s = get_peak(r, o, "peak_bits_per_s");
		w->peak_requests_per_s = get_peak(r, o, "peak_requests_per_s");
	}
	i->wave_count = (uint32_t)count;
}

static void get_scopes(struct members *r, json_t *list, struct incident *i)
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
		s->dimension = (enum dimension)member_get_word(r, o, "dimension", words,
							       DIMENSION_COUNT);
		member_get_text(r, o, "value", s->value, sizeof(s->value));
		s->observed = member_get_number(r, o, "observed");
		s->expected = member_get_number(r, o, "expected");
		s->log10_return = member_get_number(r, o, "log10_return");
	}
	i->scope_count = (uint32_t)count;
}

static void get_related(struct members *r, json_t *list, struct incident *i)
{
	size_t count = json_array_size(list);
	if (count > INCIDENT_RELATED_MAX) {
		r->wrong = "too many related incidents";
		return;
	}
	for (size_t n = 0; n < count; n++) {
		json_t *o = json_array_get(list, n);
		struct related *x = &i->related[n];
		member_get_text(r, o, "id", x->id, sizeof(x->id));
		x->relation = (enum relation)member_get_word(r, o, "relation", relation_names,
						      WD_COUNT(relation_names));
	}
	i->related_count = (uint32_t)count;
}

static void get_span(struct members *r, const json_t *o, wd_wall *began, wd_wall *decided,
		     wd_wall *ended, wd_wall *peak)
{
	member_get_time(r, o, "began_at", began);
	member_get_time(r, o, "decided_at", decided);
	member_get_time(r, o, "ended_at", ended);
	member_get_time(r, o, "peak_at", peak);
}

static uint32_t get_parts(struct members *r, const json_t *list, struct part *parts,
			  char (*ret_why)[INCIDENT_WHY_MAX + 1])
{
	size_t count = member_get_list(r, list, INCIDENT_PARTS_MAX);
	for (size_t n = 0; n < count; n++) {
		const json_t *o = json_array_get(list, n);
		member_get_text(r, o, "id", parts[n].id, sizeof(parts[n].id));
		parts[n].share = member_get_number(r, o, "share");
		if (ret_why != NULL && json_object_get(o, "why") != NULL)
			member_get_text(r, o, "why", ret_why[n], sizeof(ret_why[n]));
	}
	return (uint32_t)count;
}

static void get_traffic(struct members *r, const json_t *o, struct incident_traffic *t)
{
	const char *words[SOURCE_PROVED + 1];
	float *const numbers[] = {&t->peak_packets_per_s, &t->usual_packets_per_s,
				  &t->peak_bits_per_s, &t->usual_bits_per_s, &t->log10_return};
	for (unsigned n = 0; n < WD_COUNT(words); n++)
		words[n] = source_status_name((enum source_status)n);
	get_span(r, o, &t->began_at, &t->decided_at, &t->ended_at, &t->peak_at);
	for (size_t n = 0; n < WD_COUNT(numbers); n++)
		*numbers[n] = member_get_number(r, o, traffic_names[n]);
	t->status = (enum source_status)member_get_word(r, o, "status", words, WD_COUNT(words));
	t->cold = json_is_true(json_object_get(o, "cold"));
	member_get_time(r, o, "silent_since", &t->silent_since);
	t->silent_partly = json_is_true(json_object_get(o, "silent_partly"));
	t->vector_count = get_parts(r, json_object_get(o, "vectors"), t->vectors, NULL);
}

static void get_requests(struct members *r, const json_t *o, struct incident_requests *t)
{
	float *const numbers[] = {&t->peak_requests_per_s, &t->usual_requests_per_s,
				  &t->log10_return};
	get_span(r, o, &t->began_at, &t->decided_at, &t->ended_at, &t->peak_at);
	for (size_t n = 0; n < WD_COUNT(numbers); n++)
		*numbers[n] = member_get_number(r, o, requests_names[n]);
	t->cold = json_is_true(json_object_get(o, "cold"));
	member_get_time(r, o, "silent_since", &t->silent_since);
	t->finding_count = get_parts(r, json_object_get(o, "findings"), t->findings, t->why);
}

/* An incident that names no kinds is from before there were any: of reports. A kind that this
 * program does not know is left alone like any member. */
static void get_kinds(struct members *r, json_t *o, struct incident *i)
{
	const json_t *list = json_object_get(o, "kinds");
	const json_t *traffic = json_object_get(o, "traffic"),
		     *requests = json_object_get(o, "requests");
	i->kinds = list == NULL ? (uint32_t)INCIDENT_REPORTS : 0;
	for (size_t n = 0; n < json_array_size(list); n++) {
		const char *name = json_string_value(json_array_get(list, n));
		for (unsigned k = 0; name != NULL && k < WD_COUNT(kind_names); k++) {
			if (strcmp(name, kind_names[k]) == 0)
				i->kinds |= 1u << k;
		}
	}
	if ((i->kinds & INCIDENT_TRAFFIC) != 0)
		get_traffic(r, traffic, &i->traffic);
	if ((i->kinds & INCIDENT_REQUESTS) != 0)
		get_requests(r, requests, &i->requests);
}

static void get_scenario(struct members *r, const json_t *o, struct incident *i)
{
	member_get_text(r, o, "scenario", i->scenario, sizeof(i->scenario));
	if (!text_is_id(i->scenario, strlen(i->scenario), OBSERVATION_SCENARIO_MAX))
		r->wrong = "scenario is not a name";
}

static void get_incident(struct members *r, json_t *o, struct incident *i)
{
	member_get_text(r, o, "id", i->id, sizeof(i->id));
	member_get_text(r, o, "service", i->service, sizeof(i->service));
	i->state = (enum incident_state)member_get_word(r, o, "state", state_names,
							WD_COUNT(state_names));
	i->reconstruction = json_is_true(json_object_get(o, "reconstruction"));
	i->metric = json_is_true(json_object_get(o, "metric"));
	if (json_object_get(o, "scenario") != NULL)
		get_scenario(r, o, i);
	double step_s = json_number_value(json_object_get(o, "step_s"));
	if (!(step_s > 0 && step_s <= 366 * 86400.0))
		r->wrong = "step_s is not a bucket width";
	else
		i->step = (wd_span){(int64_t)llround(step_s * (double)WD_NS_PER_S)};
	member_get_time(r, o, "began_at", &i->began_at);
	member_get_time(r, o, "decided_at", &i->decided_at);
	member_get_time(r, o, "ended_at", &i->ended_at);
	member_get_time(r, o, "changed_at", &i->changed_at);
	member_get_time(r, o, "peak_at", &i->peak_at);
	i->peak_observed = member_get_number(r, o, "peak_observed");
	i->peak_expected = member_get_number(r, o, "peak_expected");
	i->excess = member_get_number(r, o, "excess");
	i->severity = member_get_number(r, o, "severity");
	i->log10_return = member_get_number(r, o, "log10_return");
	i->log10_return_decided = member_get_number(r, o, "log10_return_decided");
	i->persons = member_get_count(r, o, "persons");
	i->networks = member_get_count(r, o, "networks");
	i->waves_dropped = member_get_count(r, o, "waves_dropped");
	i->scope_dropped = member_get_count(r, o, "scope_dropped");
	get_waves(r, json_object_get(o, "waves"), i);
	get_scopes(r, json_object_get(o, "scope"), i);
	get_related(r, json_object_get(o, "related"), i);
	get_kinds(r, o, i);
	/* What was written before it was told apart: known where there are only reports. */
	if (json_object_get(o, "reports_log10_return") != NULL)
		i->reports_log10_return = member_get_number(r, o, "reports_log10_return");
	else if (incident_kinds(i) == INCIDENT_REPORTS)
		i->reports_log10_return = i->log10_return;
}

enum wd_err incident_from_json(const char *text, size_t len, struct incident *ret_i,
			       struct wd_why *why)
{
	json_error_t error;
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (o == NULL)
		return wd_fail(why, WD_MALFORMED, (uint32_t)error.position, "incident is not JSON");

	enum wd_err err = WD_OK;
	struct members r = {NULL};
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
