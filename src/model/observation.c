/* SPDX-License-Identifier: Apache-2.0 */
#include "model/observation.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"
#include "model/service.h"

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum {
	FRAME_VERSION = 1,
	FRAME_VERSION_SCENARIO = 2, /* with the last string */
	FRAME_HEAD = 8,   /* two lengths and the checksum */
	FRAME_FIXED = 62, /* from the version to the country */
	STRING_COUNT = 8,
	MS_NS = 1000000,
};

static_assert(FRAME_HEAD + FRAME_FIXED + 3 * STRING_COUNT + SERVICE_ID_MAX + 2 * SERVICE_WORD_MAX +
			      2 * OBSERVATION_PLACE_MAX + OBSERVATION_COMMENT_MAX +
			      OBSERVATION_FEEDER_MAX + OBSERVATION_SCENARIO_MAX <=
		      OBSERVATION_FRAME_MAX,
	      "the longest observation fits a frame");

/* The strings in the order of the frame. */
static const struct { const char *name; size_t offset, len_max; } strings[STRING_COUNT] = {
	{"service", offsetof(struct observation, service), SERVICE_ID_MAX},
	{"surface", offsetof(struct observation, surface), SERVICE_WORD_MAX},
	{"problem", offsetof(struct observation, problem), SERVICE_WORD_MAX},
	{"region", offsetof(struct observation, region), OBSERVATION_PLACE_MAX},
	{"city", offsetof(struct observation, city), OBSERVATION_PLACE_MAX},
	{"comment", offsetof(struct observation, comment), OBSERVATION_COMMENT_MAX},
	{"feeder", offsetof(struct observation, feeder), OBSERVATION_FEEDER_MAX},
	{"scenario", offsetof(struct observation, scenario), OBSERVATION_SCENARIO_MAX},
};

static const char *string_get(const struct observation *o, size_t i)
{
	const char *text;
	memcpy(&text, (const char *)o + strings[i].offset, sizeof(text));
	return text;
}

static void string_set(struct observation *o, size_t i, const char *text)
{
	memcpy((char *)o + strings[i].offset, &text, sizeof(text));
}

struct observation observation_blank(enum observation_kind kind)
{
	return (struct observation){
		.kind = kind,
		.count = kind == OBSERVATION_REPORT,
		.service = "", .surface = "", .problem = "", .region = "", .city = "",
		.comment = "", .feeder = "", .scenario = "",
	};
}

const char *observation_kind_name(enum observation_kind kind)
{
	switch (kind) {
	case OBSERVATION_REPORT: return "report";
	case OBSERVATION_COUNT: return "count";
	case OBSERVATION_METRIC: return "metric";
	}
	return "unknown";
}

static bool country_is_sound(const char country[3])
{
	if (country[0] == '\0')
		return country[1] == '\0';
	return country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z' &&
	       country[2] == '\0';
}

static bool scenario_is_sound(const struct observation *o)
{
	return o->scenario[0] == '\0' ||
	       ((o->flags & OBSERVATION_RECONSTRUCTION) != 0 &&
		text_is_id(o->scenario, strlen(o->scenario), OBSERVATION_SCENARIO_MAX));
}

bool observation_is_sound(const struct observation *o, const char **ret_field)
{
	bool report = o->kind == OBSERVATION_REPORT;
	const char *field = NULL;

	if (o->kind < OBSERVATION_REPORT || o->kind > OBSERVATION_METRIC)
		field = "kind";
	else if ((o->flags & ~OBSERVATION_RECONSTRUCTION) != 0)
		field = "reconstruction";
	else if (o->at.ns % MS_NS != 0 || o->at.ns < 0 ||
		 o->at.ns >= OBSERVATION_AT_MAX_S * WD_NS_PER_S)
		field = "at";
	else if (o->step.ns < 0 || o->step.ns % MS_NS != 0 ||
		 o->step.ns > OBSERVATION_STEP_MAX_S * WD_NS_PER_S || report != (o->step.ns == 0))
		field = "step";
	else if (report && o->count != 1)
		field = "count";
	else if (!isfinite(o->value))
		field = "value";
	else if (!country_is_sound(o->country))
		field = "country";
	else if (o->service[0] == '\0')
		field = "service";
	for (size_t i = 0; i < STRING_COUNT && field == NULL; i++) {
		if (strnlen(string_get(o, i), strings[i].len_max + 1) > strings[i].len_max)
			field = strings[i].name;
	}
	if (field == NULL && !scenario_is_sound(o))
		field = "scenario";
	if (field != NULL && ret_field != NULL)
		*ret_field = field;
	return field == NULL;
}

/* Fixed-width fields at a moving place; OBSERVATION_FRAME_MAX is room for all of them. */
static void put16(uint8_t **p, uint16_t v)
{
	v = htole16(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}

static void put32(uint8_t **p, uint32_t v)
{
	v = htole32(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}

static void put64(uint8_t **p, uint64_t v)
{
	v = htole64(v);
	memcpy(*p, &v, sizeof(v));
	*p += sizeof(v);
}

static uint32_t checksum(const uint8_t *body, size_t len)
{
	return (uint32_t)crc32(0, body, (uInt)len);
}

size_t observation_encode(const struct observation *o, uint8_t *dst)
{
	uint8_t *body = dst + FRAME_HEAD, *p = body;
	uint64_t value_bits;

	WD_CHECK(observation_is_sound(o, NULL));
	memcpy(&value_bits, &o->value, sizeof(value_bits));
	size_t count = o->scenario[0] != '\0' ? STRING_COUNT : STRING_COUNT - 1;
	*p++ = count == STRING_COUNT ? FRAME_VERSION_SCENARIO : FRAME_VERSION;
	*p++ = (uint8_t)o->kind;
	*p++ = o->flags;
	*p++ = 0;
	put64(&p, (uint64_t)o->at.ns);
	put64(&p, (uint64_t)o->step.ns);
	memcpy(p, o->id.bytes, sizeof(o->id.bytes));
	p += sizeof(o->id.bytes);
	put64(&p, o->person);
	put32(&p, o->network);
	put32(&p, o->count);
	put64(&p, value_bits);
	memcpy(p, o->country, 2);
	p += 2;
	WD_CHECK(p - body == FRAME_FIXED);
	for (size_t i = 0; i < count; i++) {
		const char *text = string_get(o, i);
		size_t len = strlen(text);
		put16(&p, (uint16_t)len);
		memcpy(p, text, len + 1);
		p += len + 1;
	}
	size_t len = (size_t)(p - body);
	p = dst;
	put16(&p, (uint16_t)len);
	put16(&p, (uint16_t)~len);
	put32(&p, checksum(body, len));
	return FRAME_HEAD + len;
}

/* One string, which must be within its limit, without a NUL and ended by one. */
static const char *read_string(struct cur *c, size_t len_max)
{
	size_t len = cur_u16(c);
	const uint8_t *text = len <= len_max ? cur_bytes(c, len + 1) : NULL;
	if (text == NULL || memchr(text, '\0', len + 1) != text + len) {
		c->bad = true;
		return "";
	}
	return (const char *)text;
}

/* The body from the kind on, with `count` strings. False if it ends early or late, or if a string
 * is wrong. */
static bool read_fields(struct cur *c, size_t count, struct observation *o)
{
	o->kind = cur_u8(c);
	o->flags = cur_u8(c);
	bool reserved_is_zero = cur_u8(c) == 0;
	o->at.ns = cur_i64(c);
	o->step.ns = cur_i64(c);
	cur_copy(c, o->id.bytes, sizeof(o->id.bytes));
	o->person = cur_u64(c);
	o->network = cur_u32(c);
	o->count = cur_u32(c);
	uint64_t value_bits = cur_u64(c);
	memcpy(&o->value, &value_bits, sizeof(o->value));
	cur_copy(c, o->country, 2);
	for (size_t i = 0; i < count; i++)
		string_set(o, i, read_string(c, strings[i].len_max));
	return reserved_is_zero && !c->bad && cur_left(c) == 0;
}

enum wd_err observation_decode(const uint8_t *bytes, size_t len, struct observation *ret_o,
			       size_t *ret_len, struct wd_why *why)
{
	struct cur c = cur_over(bytes, len);
	struct observation o = observation_blank(OBSERVATION_REPORT);

	uint16_t body_len = cur_u16(&c), flipped = cur_u16(&c);
	if (c.bad)
		return wd_fail(why, WD_SHORT, 0, "frame ends within its length");
	if ((body_len ^ flipped) != 0xffff)
		return wd_fail(why, WD_MALFORMED, 0, "frame's two lengths disagree");
	if (body_len < FRAME_FIXED || body_len > OBSERVATION_FRAME_MAX - FRAME_HEAD)
		return wd_fail(why, WD_MALFORMED, 0, "frame's length is out of range");
	uint32_t sum = cur_u32(&c);
	const uint8_t *body = cur_bytes(&c, body_len);
	if (c.bad)
		return wd_fail(why, WD_SHORT, (uint32_t)len, "frame ends early");
	if (sum != checksum(body, body_len))
		return wd_fail(why, WD_MALFORMED, 4, "frame's checksum is wrong");

	c = cur_over(body, body_len);
	uint8_t version = cur_u8(&c);
	if (version > FRAME_VERSION_SCENARIO)
		return wd_fail(why, WD_UNKNOWN, FRAME_HEAD, "frame was written by a later version");
	size_t count = version == FRAME_VERSION_SCENARIO ? STRING_COUNT : STRING_COUNT - 1;
	if (version < FRAME_VERSION || !read_fields(&c, count, &o) ||
	    !observation_is_sound(&o, NULL))
		return wd_fail(why, WD_MALFORMED, FRAME_HEAD, "frame's fields are out of range");
	*ret_o = o;
	*ret_len = (size_t)FRAME_HEAD + body_len;
	return WD_OK;
}

static void hex(char *dst, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		dst[2 * i] = digits[bytes[i] >> 4];
		dst[2 * i + 1] = digits[bytes[i] & 15];
	}
	dst[2 * len] = '\0';
}

void observation_id_text(const struct observation_id *id, char dst[33])
{
	hex(dst, id->bytes, sizeof(id->bytes));
}

bool observation_id_is_none(const struct observation_id *id)
{
	static const struct observation_id none;
	return memcmp(id, &none, sizeof(none)) == 0;
}

static void json_text(struct buf *b, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	buf_str(b, ",\"");
	buf_str(b, name);
	buf_str(b, "\":\"");
	buf_json(b, value);
	buf_char(b, '"');
}

static void json_time(struct buf *b, const char *name, wd_wall t)
{
	char text[TIMETEXT_LEN_MAX];
	timetext_write(text, t);
	json_text(b, name, text);
}

/* The shorter of 15 and 17 digits that reads back as the same number. */
static void json_double(struct buf *b, double value)
{
	char text[32];
	if (value == 0)
		value = 0; /* no "-0" */
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	buf_str(b, text);
}

static void json_step(struct buf *b, wd_span step)
{
	buf_str(b, ",\"step\":");
	buf_u64(b, (uint64_t)(step.ns / WD_NS_PER_S));
	int ms = (int)(step.ns % WD_NS_PER_S / MS_NS);
	if (ms != 0)
		buf_fmt(b, ".%03d", ms);
}

void observation_to_json(struct buf *b, const struct observation *o, wd_wall received)
{
	char id[33], person[17];

	buf_str(b, "{\"v\":1,\"kind\":\"");
	buf_str(b, observation_kind_name(o->kind));
	buf_char(b, '"');
	json_time(b, "at", o->at);
	if (o->step.ns != 0)
		json_step(b, o->step);
	if (!observation_id_is_none(&o->id)) {
		observation_id_text(&o->id, id);
		json_text(b, "id", id);
	}
	json_text(b, "service", o->service);
	json_text(b, "surface", o->surface);
	json_text(b, "problem", o->problem);
	if (o->kind == OBSERVATION_COUNT) {
		buf_str(b, ",\"count\":");
		buf_u64(b, o->count);
	}
	if (o->kind == OBSERVATION_METRIC) {
		buf_str(b, ",\"value\":");
		json_double(b, o->value);
	}
	if (o->person != 0) {
		uint64_t big_endian = htobe64(o->person);
		hex(person, (const uint8_t *)&big_endian, sizeof(big_endian));
		json_text(b, "person", person);
	}
	if (o->network != 0) {
		buf_str(b, ",\"network\":");
		buf_u64(b, o->network);
	}
	json_text(b, "country", o->country);
	json_text(b, "region", o->region);
	json_text(b, "city", o->city);
	json_text(b, "comment", o->comment);
	json_text(b, "feeder", o->feeder);
	if ((o->flags & OBSERVATION_RECONSTRUCTION) != 0)
		buf_str(b, ",\"reconstruction\":true");
	json_text(b, "scenario", o->scenario);
	if (received.ns != 0)
		json_time(b, "received", received);
	buf_char(b, '}');
}
