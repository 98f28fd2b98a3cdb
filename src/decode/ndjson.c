/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/ndjson.h"

#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"
#include "decode/json_text.h"
#include "decode/number.h"
#include "decode/words.h"
#include "model/service.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The members in the order in which they are written, so that looking the next one up
 * mostly succeeds at once. */
enum member {
	M_V, M_KIND, M_AT, M_STEP, M_ID, M_SERVICE, M_SURFACE, M_PROBLEM, M_COUNT, M_VALUE,
	M_PERSON, M_NETWORK, M_COUNTRY, M_REGION, M_CITY, M_COMMENT, M_FEEDER,
	M_RECONSTRUCTION, M_SCENARIO, M_RECEIVED, MEMBERS
};

/* `rule` is the answer to any value that is not right. */
static const struct { const char *name; size_t len; const char *rule;
} members[MEMBERS] = {
#define MEMBER(name, rule) {name, sizeof(name) - 1, rule}
	[M_V] = MEMBER("v", "v is the version of the form: 1"),
	[M_KIND] = MEMBER("kind", "kind is \"report\", \"count\" or \"metric\""),
	[M_AT] = MEMBER("at", "at is a time like \"2025-03-10T09:45:00Z\""),
	[M_STEP] = MEMBER("step",
			  "step is the width of the bucket in seconds, above 0 and up to 31 days"),
	[M_ID] = MEMBER("id", "id is one line of text of 1 to 64 bytes"),
	[M_SERVICE] = MEMBER("service", "service is one line of text of 1 to 64 bytes"),
	[M_SURFACE] = MEMBER("surface", "surface is one line of text of up to 48 bytes"),
	[M_PROBLEM] = MEMBER("problem", "problem is one line of text of up to 48 bytes"),
	[M_COUNT] = MEMBER("count", "count is a whole number from 0 to 1000000000"),
	[M_VALUE] = MEMBER("value", "value is a number"),
	[M_PERSON] = MEMBER("person", "person is 16 hex digits"),
	[M_NETWORK] = MEMBER("network", "network is an AS number from 0 to 4294967295"),
	[M_COUNTRY] = MEMBER("country", "country is two capital letters (ISO 3166-1 alpha-2)"),
	[M_REGION] = MEMBER("region", "region is one line of text of up to 64 bytes"),
	[M_CITY] = MEMBER("city", "city is one line of text of up to 64 bytes"),
	[M_COMMENT] = MEMBER("comment", "comment is text of up to 500 bytes"),
	[M_FEEDER] = MEMBER("feeder", "feeder is one line of text of up to 48 bytes"),
	[M_RECONSTRUCTION] = MEMBER("reconstruction", "reconstruction is true or false"),
	[M_SCENARIO] = MEMBER("scenario", "scenario is a name of up to 48 of a-z 0-9 . _ -"),
	[M_RECEIVED] = MEMBER("received", "received is a time like \"2025-03-10T09:45:00Z\""),
#undef MEMBER
};
static_assert(MEMBERS <= 32, "a bit for each member");

/* `broken` is the first rule that was broken, NULL while all is well. */
struct scan { char *start, *at, *end; const char *broken; bool later_version; };

static bool fail(struct scan *s, const char *rule)
{
	if (s->broken == NULL)
		s->broken = rule;
	return false;
}

static bool take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool take_word(struct scan *s, const char *word)
{
	return json_take_word(&s->at, s->end, word);
}

/* A string, unescaped and ended where it stands. */
static bool take_string(struct scan *s, struct json_text *ret_text)
{
	const char *rule = NULL;
	if (json_text_take(&s->at, s->end, ret_text, &rule))
		return true;
	return rule != NULL && fail(s, rule);
}

static bool take_number(struct scan *s, struct number *ret_number)
{
	size_t len = number_read(s->at, (size_t)(s->end - s->at), ret_number);
	s->at += len;
	return len > 0;
}

static bool read_whole(struct scan *s, uint32_t max, uint32_t *ret_number)
{
	struct number n;
	if (!take_number(s, &n) || !n.is_whole || n.whole > max)
		return false;
	*ret_number = (uint32_t)n.whole;
	return true;
}

static bool is_line(const struct json_text *t, size_t len_max)
{
	return t->len <= len_max && (t->plain || words_are_line(t->at, t->len, len_max));
}

static bool read_line(struct scan *s, const char **ret_text, size_t len_max)
{
	struct json_text t;
	if (!take_string(s, &t) || !is_line(&t, len_max))
		return false;
	*ret_text = t.at;
	return true;
}

static bool read_time(struct scan *s, wd_wall *ret_time)
{
	struct json_text t;
	wd_wall at;
	if (!take_string(s, &t) || timetext_read(t.at, t.len, &at, NULL) != WD_OK)
		return false;
	int64_t into_ms = at.ns % 1000000;
	ret_time->ns = at.ns - into_ms;
	return at.ns >= 0 && at.ns < OBSERVATION_AT_MAX_S * WD_NS_PER_S;
}

static bool read_step(struct scan *s, wd_span *ret_step)
{
	struct number n;
	if (!take_number(s, &n) || n.value < 0.001 || n.value > OBSERVATION_STEP_MAX_S)
		return false;
	*ret_step = span_ms(llround(n.value * 1000));
	return true;
}

static bool read_kind(struct scan *s, enum observation_kind *ret_kind)
{
	struct json_text t;
	if (!take_string(s, &t))
		return false;
	for (enum observation_kind k = OBSERVATION_REPORT; k <= OBSERVATION_METRIC; k++) {
		if (strlen(observation_kind_name(k)) == t.len &&
		    memcmp(observation_kind_name(k), t.at, t.len) == 0) {
			*ret_kind = k;
			return true;
		}
	}
	return false;
}

/* len bytes from 2 * len hex digits. */
static bool read_hex(const struct json_text *t, uint8_t *dst, size_t len)
{
	if (t->len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = json_hex_digit(t->at[2 * i]), low = json_hex_digit(t->at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		dst[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_id(struct scan *s, struct ndjson *line)
{
	struct observation_id id;
	struct json_text t;
	if (!take_string(s, &t) || t.len == 0 || !is_line(&t, NDJSON_ID_MAX))
		return false;
	line->id = t.at;
	if (read_hex(&t, id.bytes, sizeof(id.bytes)))
		line->observation.id = id;
	return true;
}

static bool read_person(struct scan *s, uint64_t *ret_person)
{
	uint8_t bytes[8];
	struct json_text t;
	if (!take_string(s, &t) || !read_hex(&t, bytes, sizeof(bytes)))
		return false;
	*ret_person = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*ret_person = *ret_person << 8 | bytes[i];
	return true;
}

static bool read_country(struct scan *s, char ret_country[3])
{
	struct json_text t;
	if (!take_string(s, &t) || t.len > 2)
		return false;
	memcpy(ret_country, t.at, t.len + 1); /* observation_is_sound judges it */
	return t.len == 0 || (t.len == 2 && t.at[0] >= 'A' && t.at[0] <= 'Z' && t.at[1] >= 'A' &&
			      t.at[1] <= 'Z');
}

static bool read_value(struct scan *s, enum member m, struct ndjson *line)
{
	struct observation *o = &line->observation;
	struct number n;
	struct json_text t;

	switch (m) {
	case M_V:
		if (!take_number(s, &n) || !n.is_whole)
			return false;
		s->later_version = n.whole > 1;
		return n.whole == 1;
	case M_KIND: return read_kind(s, &o->kind);
	case M_AT: return read_time(s, &o->at);
	case M_STEP: return read_step(s, &o->step);
	case M_ID: return read_id(s, line);
	case M_SERVICE: return read_line(s, &o->service, SERVICE_ID_MAX) && o->service[0] != '\0';
	case M_SURFACE: return read_line(s, &o->surface, SERVICE_WORD_MAX);
	case M_PROBLEM: return read_line(s, &o->problem, SERVICE_WORD_MAX);
	case M_COUNT: return read_whole(s, OBSERVATION_COUNT_MAX, &o->count);
	case M_VALUE: return take_number(s, &n) && (o->value = n.value, true);
	case M_PERSON: return read_person(s, &o->person);
	case M_NETWORK: return read_whole(s, UINT32_MAX, &o->network);
	case M_COUNTRY: return read_country(s, o->country);
	case M_REGION: return read_line(s, &o->region, OBSERVATION_PLACE_MAX);
	case M_CITY: return read_line(s, &o->city, OBSERVATION_PLACE_MAX);
	case M_COMMENT:
		if (!take_string(s, &t) || !words_are_comment(t.at, t.len, OBSERVATION_COMMENT_MAX))
			return false;
		o->comment = t.at;
		return true;
	case M_FEEDER: return read_line(s, &o->feeder, OBSERVATION_FEEDER_MAX);
	case M_RECONSTRUCTION:
		if (take_word(s, "true"))
			o->flags |= OBSERVATION_RECONSTRUCTION;
		else if (!take_word(s, "false"))
			return false;
		return true;
	case M_SCENARIO:
		if (!take_string(s, &t) || !text_is_id(t.at, t.len, OBSERVATION_SCENARIO_MAX))
			return false;
		o->scenario = t.at;
		return true;
	case M_RECEIVED: return read_time(s, &line->received);
	case MEMBERS: break;
	}
	return false;
}

/* The member whose name in quotes comes next, looked for from `from` on round, and passed
 * over; MEMBERS (and nothing moved) if it is none, or none that is written without escapes. */
static enum member take_member(struct scan *s, enum member from)
{
	size_t left = (size_t)(s->end - s->at);
	for (unsigned i = 0; i < MEMBERS; i++) {
		enum member m = (from + i) % MEMBERS;
		size_t len = members[m].len;
		if (left >= len + 2 && s->at[0] == '"' && s->at[len + 1] == '"' &&
		    memcmp(members[m].name, s->at + 1, len) == 0) {
			s->at += len + 2;
			return m;
		}
	}
	return MEMBERS;
}

/* The same for a name written in any other way. */
static enum member find_member(const struct json_text *name)
{
	for (unsigned m = 0; m < MEMBERS; m++) {
		if (members[m].len == name->len &&
		    memcmp(members[m].name, name->at, name->len) == 0)
			return m;
	}
	return MEMBERS;
}

/* The object from its brace on; *ret_seen has a bit for each member that is there. */
static bool read_object(struct scan *s, struct ndjson *line, uint32_t *ret_seen)
{
	enum member m = MEMBERS - 1;

	*ret_seen = 0;
	json_skip_space(&s->at, s->end);
	if (!take(s, '{'))
		return fail(s, "the line is not a JSON object");
	json_skip_space(&s->at, s->end);
	if (take(s, '}'))
		return true;
	do {
		struct json_text name;
		json_skip_space(&s->at, s->end);
		char *begin = s->at;
		m = take_member(s, m + 1);
		if (m == MEMBERS) {
			if (!take_string(s, &name))
				return fail(s, "a member's name in quotes is missing");
			m = find_member(&name);
		}
		if (m == MEMBERS || (*ret_seen & UINT32_C(1) << m) != 0) {
			s->at = begin;
			return fail(s, m == MEMBERS ? "there is no member of this name"
						    : "the member is there twice");
		}
		*ret_seen |= UINT32_C(1) << m;
		json_skip_space(&s->at, s->end);
		if (!take(s, ':'))
			return fail(s, "a colon is missing after the member's name");
		json_skip_space(&s->at, s->end);
		begin = s->at;
		if (!read_value(s, m, line)) {
			s->at = s->broken != NULL ? s->at : begin;
			return fail(s, members[m].rule);
		}
		json_skip_space(&s->at, s->end);
	} while (take(s, ','));
	return take(s, '}') || fail(s, "a comma or the closing brace is missing");
}

/* What the kind demands of the members; NULL if all is well. */
static const char *broken_rule_of_kind(const struct observation *o, uint32_t seen)
{
	bool step = (seen & 1u << M_STEP) != 0, count = (seen & 1u << M_COUNT) != 0;
	bool value = (seen & 1u << M_VALUE) != 0;

	if ((seen & 1u << M_AT) == 0)
		return "at is missing: the time when it happened";
	if ((seen & 1u << M_SERVICE) == 0)
		return "service is missing";
	if (o->scenario[0] != '\0' && (o->flags & OBSERVATION_RECONSTRUCTION) == 0)
		return "what has a scenario is a reconstruction: \"reconstruction\": true is "
		       "missing";
	if (o->kind == OBSERVATION_REPORT)
		return step || count || value ? "a report has no step, count or value: its kind is "
						"\"count\" or \"metric\""
					      : NULL;
	if (!step)
		return "step is missing: the width of the bucket in seconds";
	if (o->kind == OBSERVATION_COUNT)
		return !count || value ? "a count has a count and no value" : NULL;
	return !value || count ? "a metric has a value and no count" : NULL;
}

enum wd_err ndjson_read(char *line, size_t len, struct ndjson *ret_ndjson, struct wd_why *why)
{
	struct scan s = {line, line, line + len, NULL, false};
	struct ndjson result = {observation_blank(OBSERVATION_REPORT), {0}, ""};
	uint32_t seen;

	if (len > NDJSON_LINE_MAX)
		return wd_fail(why, WD_MALFORMED, NDJSON_LINE_MAX,
			       "the line is longer than 8192 bytes");
	bool read = read_object(&s, &result, &seen);
	if (read) {
		json_skip_space(&s.at, s.end);
		read = s.at == s.end || fail(&s, "something follows the closing brace");
	}
	uint32_t at = (uint32_t)(s.at - s.start);
	if (s.later_version)
		return wd_fail(why, WD_UNKNOWN, at, "the line was written by a later version");
	if (!read)
		return wd_fail(why, WD_MALFORMED, at, s.broken);
	const char *rule = broken_rule_of_kind(&result.observation, seen);
	if (rule != NULL)
		return wd_fail(why, WD_MALFORMED, at, rule);
	WD_CHECK(observation_is_sound(&result.observation, NULL));
	*ret_ndjson = result;
	return WD_OK;
}
