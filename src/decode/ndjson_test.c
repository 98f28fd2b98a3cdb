/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/ndjson.h"

#include "base/check.h"
#include "base/hash.h"
#include "decode/ndjson_reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const good_lines[] = {
	"{\"at\":\"2025-03-10T09:45:00Z\",\"service\":\"x\"}",
	("{\"v\":1,\"kind\":\"report\",\"at\":\"2025-03-10T09:45:00.250Z\","
	"\"id\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\",\"service\":\"x\",\"surface\":\"app\","
	"\"problem\":\"login\",\"person\":\"0123456789abcdef\",\"network\":2856,\"country\":\"GB\","
	"\"region\":\"England\",\"city\":\"London\",\"comment\":\"since ten, \\\"nothing\\\" "
	"\\u003cloads>\\n\",\"feeder\":\"forum\",\"reconstruction\":true,"
	"\"received\":\"2025-03-10T09:46:40Z\"}"),
	" { \"city\" : \"Z\xc3\xbcrich\" , \"service\":\"\\u0078\",\t\"at\":\"1741599900\" } \r",
	"{\"kind\":\"count\",\"at\":\"2025-03-10 09:45+01:00\",\"step\":900,\"service\":\"x\",\"count\":12}",
	"{\"kind\":\"metric\",\"at\":\"2025-03-10T09:45:00Z\",\"step\":0.5,\"service\":\"x\",\"value\":-1.5e-3}",
	"{\"service\":\"\xf0\x9f\x92\xa9\",\"city\":\"\\ud83d\\ude00\",\"at\":\"2025-03-10T09:45:00Z\"}",
	("{\"service\":\"x\",\"surface\":\"\",\"country\":\"\",\"comment\":\"\",\"reconstruction\":false,"
	"\"at\":\"2025-03-10T09:45:00Z\",\"id\":\"post 17\"}"),
};

static void read_copy(const char *text, char *copy, struct ndjson *n)
{
	memcpy(copy, text, strlen(text));
	assert_int_equal(ndjson_read(copy, strlen(text), n, NULL), WD_OK);
}

static void every_member_is_read(void **state)
{
	char line[NDJSON_LINE_MAX];
	struct ndjson n;
	(void)state;
	read_copy(good_lines[1], line, &n);
	const struct observation *o = &n.observation;
	assert_int_equal(o->kind, OBSERVATION_REPORT);
	assert_int_equal(o->at.ns, INT64_C(1741599900250000000));
	assert_int_equal(o->id.bytes[0], 0xa5);
	assert_string_equal(n.id, "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
	assert_string_equal(o->service, "x");
	assert_string_equal(o->surface, "app");
	assert_string_equal(o->problem, "login");
	assert_int_equal(o->person, UINT64_C(0x0123456789abcdef));
	assert_int_equal(o->network, 2856);
	assert_string_equal(o->country, "GB");
	assert_string_equal(o->region, "England");
	assert_string_equal(o->city, "London");
	assert_string_equal(o->comment, "since ten, \"nothing\" <loads>\n");
	assert_string_equal(o->feeder, "forum");
	assert_int_equal(o->flags, OBSERVATION_RECONSTRUCTION);
	assert_int_equal(n.received.ns, INT64_C(1741600000000000000));
	read_copy(good_lines[3], line, &n);
	assert_int_equal(n.observation.kind, OBSERVATION_COUNT);
	assert_int_equal(n.observation.at.ns, INT64_C(1741596300) * WD_NS_PER_S);
	assert_int_equal(n.observation.count, 12);
	assert_int_equal(n.observation.step.ns, 900 * WD_NS_PER_S);
	read_copy(good_lines[4], line, &n);
	assert_true(n.observation.value == -1.5e-3);
	assert_int_equal(n.observation.step.ns, WD_NS_PER_S / 2);
	read_copy(good_lines[5], line, &n);
	assert_string_equal(n.observation.city, "\xf0\x9f\x98\x80");
	read_copy(good_lines[6], line, &n);
	assert_string_equal(n.id, "post 17");
	assert_true(observation_id_is_none(&n.observation.id));
}

/* Codes were not always looked up: what was recorded, or stands in a journal, counts as it did. */
static void a_recording_keeps_the_code_of_a_country_that_is_none(void **state)
{
	char line[NDJSON_LINE_MAX + 1];
	uint8_t frame[OBSERVATION_FRAME_MAX];
	struct observation kept;
	struct ndjson n;
	size_t len;
	(void)state;
	read_copy("{\"at\":\"2025-03-10T09:45:00Z\",\"service\":\"x\",\"country\":\"QQ\"}", line, &n);
	assert_string_equal(n.observation.country, "QQ");
	len = observation_encode(&n.observation, frame);
	assert_int_equal(observation_decode(frame, len, &kept, &len, NULL), WD_OK);
	assert_string_equal(kept.country, "QQ");
}

static void every_error_says_where_and_what_would_be_right(void **state)
{
#define REST ",\"at\":\"2025-03-10T09:45:00Z\",\"service\":\"x\"}"
	static const struct { const char *line, *what; uint32_t at; } cases[] = {
		{"", "the line is not a JSON object", 0},
		{"[]", "the line is not a JSON object", 0},
		{"{", "a member's name in quotes is missing", 1},
		{"{x:1}", "a member's name in quotes is missing", 1},
		{"{\"v\"=1}", "a colon is missing after the member's name", 4},
		{"{\"v\":1;", "a comma or the closing brace is missing", 6},
		{"{\"v\":1", "a comma or the closing brace is missing", 6},
		{"{\"v\":1,}", "a member's name in quotes is missing", 7},
		{"{\"sevice\":\"x\"}", "there is no member of this name", 1},
		{"{\"v\":1,\"v\":1}", "the member is there twice", 7},
		{"{\"v\":0" REST, "v is the version of the form: 1", 5},
		{"{\"kind\":\"post\"" REST, "kind is \"report\", \"count\" or \"metric\"", 8},
		{"{\"kind\":null" REST, "kind is \"report\", \"count\" or \"metric\"", 8},
		{"{\"at\":\"yesterday\"}", "at is a time like \"2025-03-10T09:45:00Z\"", 6},
		{"{\"at\":1741599900}", "at is a time like \"2025-03-10T09:45:00Z\"", 6},
		{"{\"at\":\"1969-12-31T23:59:59Z\"}", "at is a time like \"2025-03-10T09:45:00Z\"", 6},
		{"{\"received\":\"\"" REST, "received is a time like \"2025-03-10T09:45:00Z\"", 12},
		{"{\"step\":0" REST, "step is the width of the bucket in seconds, above 0 and up to 31 days", 8},
		{"{\"step\":1e99" REST, "step is the width of the bucket in seconds, above 0 and up to 31 days", 8},
		{"{\"id\":\"\"" REST, "id is one line of text of 1 to 64 bytes", 6},
		{"{\"service\":\"\"}", "service is one line of text of 1 to 64 bytes", 11},
		{"{\"service\":\"a\\u000ab\"}", "service is one line of text of 1 to 64 bytes", 11},
		{"{\"service\":{\"a\":1}}", "service is one line of text of 1 to 64 bytes", 11},
		{"{\"surface\":[]" REST, "surface is one line of text of up to 48 bytes", 11},
		{"{\"problem\":\"01234567890123456789012345678901234567890123456789\"" REST,
		 "problem is one line of text of up to 48 bytes", 11},
		{"{\"count\":-1" REST, "count is a whole number from 0 to 1000000000", 9},
		{"{\"count\":1000000001" REST, "count is a whole number from 0 to 1000000000", 9},
		{"{\"count\":1.0" REST, "count is a whole number from 0 to 1000000000", 9},
		{"{\"value\":1e999" REST, "value is a number", 9},
		{"{\"value\":NaN" REST, "value is a number", 9},
		{"{\"person\":\"123\"" REST, "person is 16 hex digits", 10},
		{"{\"network\":\"AS1\"" REST, "network is an AS number from 0 to 4294967295", 11},
		{"{\"country\":\"gb\"" REST, "country is two capital letters (ISO 3166-1 alpha-2)", 11},
		{"{\"country\":\"GBR\"" REST, "country is two capital letters (ISO 3166-1 alpha-2)", 11},
		{"{\"region\":\"a\\tb\"" REST, "region is one line of text of up to 64 bytes", 10},
		{"{\"city\":\"\xe2\x80\xae\"" REST, "city is one line of text of up to 64 bytes", 8},
		{"{\"comment\":\"\\u0007\"" REST, "comment is text of up to 500 bytes", 11},
		{"{\"feeder\":7" REST, "feeder is one line of text of up to 48 bytes", 10},
		{"{\"reconstruction\":1" REST, "reconstruction is true or false", 18},
		{"{\"city\":\"\xc0\xaf\"" REST, "the string is not UTF-8", 12},
		{"{\"city\":\"\\ud800\"" REST, "the escape is none of JSON's, or U+0000, or half a surrogate pair", 15},
		{"{\"city\":\"\\u0000\"" REST, "the escape is none of JSON's, or U+0000, or half a surrogate pair", 15},
		{"{\"city\":\"\\x\"" REST, "the escape is none of JSON's, or U+0000, or half a surrogate pair", 11},
		{"{\"city\":\"a\nb\"" REST, "a control character in a string must be escaped", 10},
		{"{\"city\":\"a", "the string does not end", 10},
		{"{\"at\":\"2025-03-10T09:45:00Z\"}", "service is missing", 29},
		{"{\"service\":\"x\"}", "at is missing: the time when it happened", 15},
		{"{\"count\":3" REST, "a report has no step, count or value: its kind is \"count\" or \"metric\"", 53},
		{"{\"kind\":\"count\",\"count\":3" REST, "step is missing: the width of the bucket in seconds", 68},
		{"{\"kind\":\"count\",\"step\":60" REST, "a count has a count and no value", 68},
		{"{\"kind\":\"metric\",\"step\":60" REST, "a metric has a value and no count", 69},
		{"{\"v\":1" REST "{", "something follows the closing brace", 49},
	};
#undef REST
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		char line[NDJSON_LINE_MAX];
		struct ndjson n = {.id = "untouched"};
		struct wd_why why;
		memcpy(line, cases[i].line, strlen(cases[i].line));
		assert_int_equal(ndjson_read(line, strlen(cases[i].line), &n, &why), WD_MALFORMED);
		if (strcmp(why.what, cases[i].what) != 0 || why.at != cases[i].at)
			print_message("%s -> %u: %s\n", cases[i].line, why.at, why.what);
		assert_string_equal(why.what, cases[i].what);
		assert_int_equal(why.at, cases[i].at);
		assert_string_equal(n.id, "untouched");
		assert_false(ndjson_reference_agrees(cases[i].line, strlen(cases[i].line)));
	}
}

static void a_line_of_a_later_version_is_told_from_a_wrong_one(void **state)
{
	char line[] = "{\"v\":2,\"kind\":\"probe\"}";
	struct ndjson n;
	(void)state;
	assert_int_equal(ndjson_read(line, strlen(line), &n, NULL), WD_UNKNOWN);
}

static void a_line_that_is_too_long_is_refused_unread(void **state)
{
	static char line[NDJSON_LINE_MAX + 1];
	struct ndjson n;
	struct wd_why why;
	(void)state;
	memset(line, '[', sizeof(line)); /* deep, too */
	assert_int_equal(ndjson_read(line, sizeof(line), &n, &why), WD_MALFORMED);
	assert_string_equal(why.what, "the line is longer than 8192 bytes");
	assert_int_equal(ndjson_read(line, sizeof(line) - 1, &n, &why), WD_MALFORMED);
	assert_string_equal(why.what, "the line is not a JSON object");
}

static void every_prefix_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < WD_COUNT(good_lines); i++) {
		size_t len = strlen(good_lines[i]);
		assert_true(ndjson_reference_agrees(good_lines[i], len));
		while (good_lines[i][len - 1] != '}')
			len--; /* space after it may go */
		for (size_t cut = 0; cut < len; cut++)
			assert_false(ndjson_reference_agrees(good_lines[i], cut));
	}
}

/* Lines near the good ones: bytes changed, moved, left out, pieces of other lines put in. */
static size_t mutate(char *line, uint64_t *seed)
{
	static const char *const pieces[] = {
		"\"", "\\", "\\u00e9", "\\ud83d", ",", ":", "{", "}", "0", "-1", "1e5", "1.5", "null", "true",
		"\"kind\":\"count\"", "\"v\":1", "\"count\":7", "\"step\":60", "\"value\":1", "\xc3\xa9", "\x01", " ",
		"\"city\":\"A\"", "\xef\xbf\xbf", "\xe2\x80\xa8", "[", "]", "\"id\":\"a\"", "\\n", "\x7f",
	};
#define NEXT(n) ((*seed = hash_mix(*seed + 1)) % (n))
	const char *good = good_lines[NEXT(WD_COUNT(good_lines))];
	size_t len = strlen(good), changes = NEXT(4);
	memcpy(line, good, len + 1);
	for (size_t i = 0; i < changes; i++) {
		size_t at = NEXT(len + 1), cut = NEXT(4) == 0 ? NEXT(12) : NEXT(2);
		const char *piece = NEXT(3) == 0 ? "" : pieces[NEXT(WD_COUNT(pieces))];
		size_t piece_len = strlen(piece);
		if (cut > len - at)
			cut = len - at;
		memmove(line + at + piece_len, line + at + cut, len - at - cut + 1);
		memcpy(line + at, piece, piece_len);
		len = len - cut + piece_len;
	}
#undef NEXT
	return len;
}

static void it_agrees_with_jansson_on_every_line_near_a_good_one(void **state)
{
	char line[NDJSON_LINE_MAX];
	uint64_t seed = 20250310;
	size_t taken = 0, rounds = 200000;
	(void)state;
	for (size_t i = 0; i < rounds; i++) {
		size_t len = mutate(line, &seed);
		taken += ndjson_reference_agrees(line, len);
	}
	/* Both sides of the border were visited. */
	assert_true(taken > rounds / 10);
	assert_true(taken < rounds * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_read),
		cmocka_unit_test(a_recording_keeps_the_code_of_a_country_that_is_none),
		cmocka_unit_test(every_error_says_where_and_what_would_be_right),
		cmocka_unit_test(a_line_of_a_later_version_is_told_from_a_wrong_one),
		cmocka_unit_test(a_line_that_is_too_long_is_refused_unread),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(it_agrees_with_jansson_on_every_line_near_a_good_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
