/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/report.h"

#include "base/check.h"
#include "base/prng.h"
#include "decode/report_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct catalogue *catalogue;
static struct report report;
static struct report_errors errors;

static enum wd_err read_bytes(enum report_form form, const char *body, size_t len, bool from_feeder)
{
	struct report_source source = {form, body, len, catalogue, from_feeder};
	return report_read(&source, &report, &errors);
}

static enum wd_err read_json(const char *body)
{
	return read_bytes(REPORT_JSON, body, strlen(body), false);
}

static enum wd_err read_form(const char *body)
{
	return read_bytes(REPORT_HTML_FORM, body, strlen(body), false);
}

static void json_and_form_say_the_same(void **state)
{
	static const char json[] = "{\"service\":\"twitter\",\"surface\":\"App\",\"problem\":\"not-loading\","
				   "\"comment\":\"h\\u00e9 &<b>\\n50%\",\"country\":\"gb\",\"region\":null,"
				   "\"city\":\"S\xc3\xa3o Paulo\"}";
	static const char form[] = "service=twitter&surface=App&problem=not-loading&send=Report+it&"
				   "comment=h%C3%A9+%26%3Cb%3e%0A50%25&country=gb&region=&city=S%c3%a3o+Paulo";
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(i == 0 ? read_json(json) : read_form(form), WD_OK);
		const struct observation *o = &report.observation;
		assert_int_equal(o->kind, OBSERVATION_REPORT);
		assert_int_equal(o->count, 1);
		assert_int_equal(o->at.ns, 0);
		assert_string_equal(o->service, "x");
		assert_string_equal(o->surface, "app");
		assert_string_equal(o->problem, "not-loading");
		assert_string_equal(o->comment, "h\xc3\xa9 &<b>\n50%");
		assert_string_equal(o->country, "GB");
		assert_string_equal(o->region, "");
		assert_string_equal(o->city, "S\xc3\xa3o Paulo");
		assert_true(observation_id_is_none(&o->id));
	}
}

static void a_service_is_all_that_a_report_needs(void **state)
{
	(void)state;
	assert_int_equal(read_json("{\"service\":\"Barclays\"}"), WD_OK);
	assert_string_equal(report.observation.service, "barclays");
	assert_string_equal(report.observation.surface, "");
	assert_int_equal(read_form("service=barclays"), WD_OK);
}

static void a_feeder_says_when(void **state)
{
	static const char body[] = "{\"service\":\"x\",\"at\":\"2025-03-10T09:45:00.1239Z\"}";
	(void)state;
	assert_int_equal(read_bytes(REPORT_JSON, body, strlen(body), true), WD_OK);
	assert_int_equal(report.observation.at.ns, INT64_C(1741599900123000000));
	assert_int_equal(read_json(body), WD_UNKNOWN);
	assert_string_equal(errors.items[0].field, "at");
	assert_string_equal(errors.items[0].detail, "at is for feeders: a report counts when it is sent");
}

#define LONG_50 "01234567890123456789012345678901234567890123456789"

static void every_error_names_its_field_and_what_would_be_right(void **state)
{
	static const struct { const char *body, *field, *detail; enum wd_err err;
	} cases[] = {
		{"", "", "the body is not JSON: it ends early (line 1, column 0)", WD_MALFORMED},
		{"{\"service\":\"x\"", "",
		 "the body is not JSON: it ends early (line 1, column 14)", WD_MALFORMED},
		{"{\"service\":\"x\"}}", "",
		 "the body is not JSON: something follows its end (line 1, column 16)",
		 WD_MALFORMED},
		{"{\"service\":\"x\",\"service\":\"x\"}", "",
		 "the body is not JSON: a member is there twice (line 1, column 24)", WD_MALFORMED},
		{"{\"service\":\"\xff\"}", "",
		 "the body is not JSON: it is not UTF-8 (line 1, column 12)", WD_MALFORMED},
		{"{\"service\":\"\\u0000\"}", "",
		 "the body is not JSON: it holds U+0000 (line 1, column 19)", WD_MALFORMED},
		{"{\"service\":99999999999999999999}", "",
		 "the body is not JSON: a number is too large (line 1, column 31)", WD_MALFORMED},
		{"{service:\"x\"}", "",
		 "the body is not JSON: its syntax is wrong (line 1, column 8)", WD_MALFORMED},
		{"[]", "", "the body is not a JSON object, like {\"service\":\"x\"}", WD_MALFORMED},
		{"\"x\"", "", "the body is not JSON: its syntax is wrong (line 1, column 3)",
		 WD_MALFORMED},
		{"{\"service\":1}", "service", "service is a string", WD_UNKNOWN},
		{"{\"service\":\"x\",\"comment\":{\"a\":[]}}", "comment", "comment is a string",
		 WD_UNKNOWN},
		{"{\"sevice\":\"x\"}", "",
		 "the body has a member that is none of service, surface, problem, comment, "
		 "country, region, city, at",
		 WD_UNKNOWN},
		{"{}", "service", "service is missing: which service is it about?", WD_UNKNOWN},
		{"{\"service\":\"\"}", "service", "service is missing: which service is it about?",
		 WD_UNKNOWN},
		{"{\"service\":\"no such\"}", "service",
		 "there is no service \"no such\" here; GET /api/v1/services lists all",
		 WD_UNKNOWN},
		{"{\"service\":\"" LONG_50 LONG_50 "\"}", "service",
		 "service has 100 bytes; up to 96 are taken", WD_UNKNOWN},
		{"{\"service\":\"x\\nSet-Cookie: a=b\"}", "service",
		 "service is not one line of plain UTF-8 text", WD_UNKNOWN},
		{"{\"service\":\"x\",\"surface\":\"fax\"}", "surface",
		 "X has no surface \"fax\"; it has: app, website", WD_UNKNOWN},
		{"{\"service\":\"x\",\"problem\":\"bored\"}", "problem",
		 "X has no problem \"bored\"; it has: login, not-loading", WD_UNKNOWN},
		{"{\"service\":\"barclays\",\"surface\":\"app\"}", "surface",
		 "Barclays has no surface \"app\"; it has: none", WD_UNKNOWN},
		{"{\"service\":\"x\",\"country\":\"G\"}", "country",
		 "there is no country \"G\"; it is two letters, like GB (ISO 3166-1 alpha-2)", WD_UNKNOWN},
		{"{\"service\":\"x\",\"country\":\"UK\"}", "country",
		 "there is no country \"UK\"; it is two letters, like GB (ISO 3166-1 alpha-2)", WD_UNKNOWN},
		{"{\"service\":\"x\",\"country\":\"zz\"}", "country",
		 "there is no country \"zz\"; it is two letters, like GB (ISO 3166-1 alpha-2)", WD_UNKNOWN},
		{"{\"service\":\"x\",\"country\":\"GBR\"}", "country",
		 "country has 3 bytes; up to 2 are taken", WD_UNKNOWN},
		{"{\"service\":\"x\",\"country\":\"1!\"}", "country",
		 "there is no country \"1!\"; it is two letters, like GB (ISO 3166-1 alpha-2)", WD_UNKNOWN},
		{"{\"service\":\"x\",\"city\":\"a\\tb\"}", "city",
		 "city is not one line of plain UTF-8 text", WD_UNKNOWN},
		{"{\"service\":\"x\",\"region\":\"\xe2\x80\xaetxet\"}", "region",
		 "region is not one line of plain UTF-8 text", WD_UNKNOWN},
		{"{\"service\":\"x\",\"comment\":\"a\\u0007\"}", "comment",
		 "comment is not plain UTF-8 text", WD_UNKNOWN},
		{"{\"service\":\"x\",\"comment\":\"" LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50
			 LONG_50 LONG_50 LONG_50 LONG_50 "!\"}",
		 "comment", "comment has 501 bytes; up to 500 are taken", WD_UNKNOWN},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		assert_int_equal(read_json(cases[i].body), cases[i].err);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.items[0].field, cases[i].field);
		assert_string_equal(errors.items[0].detail, cases[i].detail);
	}
}

static void every_error_of_a_form_too(void **state)
{
	static const struct { const char *body, *field, *detail; enum wd_err err; } cases[] = {
		{"", "service", "service is missing: which service is it about?", WD_UNKNOWN},
		{"&&==&service", "service", "service is missing: which service is it about?", WD_UNKNOWN},
		{"service=x&service=x", "service", "service is there twice", WD_MALFORMED},
		{"service=x&comment=50%", "", "the form has a % that two hex digits do not follow", WD_MALFORMED},
		{"service=x&comment=%4", "", "the form has a % that two hex digits do not follow", WD_MALFORMED},
		{"service=x&comment=%g1", "", "the form has a % that two hex digits do not follow", WD_MALFORMED},
		{"%zz=x", "", "the form has a % that two hex digits do not follow", WD_MALFORMED},
		{"service=x%00", "service", "service is not one line of plain UTF-8 text", WD_UNKNOWN},
		{"service=x&city=%ff", "city", "city is not one line of plain UTF-8 text", WD_UNKNOWN},
		{"service=x&city=A%0d%0aLocation:+b", "city", "city is not one line of plain UTF-8 text", WD_UNKNOWN},
		{"service=x&surface=%3Cscript%3E", "surface", "X has no surface \"<script>\"; it has: app, website", WD_UNKNOWN},
		{"service=x&at=2025-03-10T09:45:00Z", "at", "at is for feeders: a report counts when it is sent", WD_UNKNOWN},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		assert_int_equal(read_form(cases[i].body), cases[i].err);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.items[0].field, cases[i].field);
		assert_string_equal(errors.items[0].detail, cases[i].detail);
	}
}

static void all_mistakes_are_told_at_once(void **state)
{
	(void)state;
	assert_int_equal(read_form("service=x&surface=fax&problem=bored&country=1!&at=1"), WD_UNKNOWN);
	assert_int_equal(errors.count, 4);
	assert_string_equal(errors.items[3].field, "at");
}

static void script_in_a_comment_is_text_like_any_other(void **state)
{
	(void)state;
	assert_int_equal(read_json("{\"service\":\"x\",\"comment\":\"</textarea><script>alert(1)</script>\"}"), WD_OK);
	assert_string_equal(report.observation.comment, "</textarea><script>alert(1)</script>");
}

static void a_deep_or_a_long_body_is_refused(void **state)
{
	static char body[REPORT_BODY_MAX + 1];
	(void)state;
	memset(body, '[', sizeof(body));
	assert_int_equal(read_bytes(REPORT_JSON, body, REPORT_BODY_MAX, false), WD_MALFORMED);
	assert_non_null(strstr(errors.items[0].detail, "it is nested too deep"));
	assert_int_equal(read_bytes(REPORT_JSON, body, sizeof(body), false), WD_MALFORMED);
	assert_string_equal(errors.items[0].detail, "the body has 8193 bytes; up to 8192 are taken");
	memset(body, '&', sizeof(body));
	memcpy(body, "service=x", 9);
	assert_int_equal(read_bytes(REPORT_HTML_FORM, body, REPORT_BODY_MAX, false), WD_OK);
}

static void a_nul_anywhere_is_refused(void **state)
{
	static const char body[] = "{\"service\":\"x\",\"comment\":\"a\"}";
	(void)state;
	for (size_t i = 0; i < sizeof(body); i++) {
		char with[sizeof(body)];
		memcpy(with, body, i);
		with[i] = '\0';
		memcpy(with + i + 1, body + i, sizeof(body) - 1 - i);
		assert_int_equal(read_bytes(REPORT_JSON, with, sizeof(with), false), WD_MALFORMED);
		assert_string_equal(errors.items[0].detail, "the body is not JSON: it holds U+0000");
	}
}

static void a_broken_text_is_not_mended_by_what_follows(void **state)
{
	static const char *const bodies[] = {
		"{\"service\":\"x\",\"city\":\"\\qnull}",
		"{\"service\":\"x\",\"city\":\"\\u12null}",
		"{\"service\":\"x\",\"city\":\"\001null}",
		"{\"service\":\"x\",\"city\":\"\xff\"null}",
		"{\"service\":\"x\"}null",
		"{\"service\":\"x\",}",
		"{\"service\":\"x\" \"city\":null}",
		"{\"service\":\"x\",\"city\":null,\"city\":\"a\"}",
		"{\"service\":\"x\",\"c\\u0069ty\":\"a\",\"city\":\"a\"}",
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(bodies); i++)
		assert_int_equal(read_json(bodies[i]), WD_MALFORMED);
	assert_int_equal(read_json("{\"s\\u0065rvice\" : \"x\" ,\r\n\t\"city\": null } "), WD_OK);
	assert_string_equal(report.observation.service, "x");
	assert_string_equal(report.observation.city, "");
}

/* A good body with up to four bytes changed, put in or taken out. */
static size_t mutate(char *body, struct prng *random)
{
	static const char *const good[] = {
		"{\"service\":\"x\",\"surface\":\"app\",\"comment\":\"a \\\"b\\\" \\u00e9\"}",
		"{ \"city\":\"S\xc3\xa3o\", \"service\" :\"Twitter\",\"region\":null }\n",
		"{\"comment\":\"\\ud83d\\ude00 \\n\\/\",\"country\":\"gb\",\"service\":\"x\"}",
	};
	static const char marks[] = "\"\\{}[]:,u0n \n\001\177\xc3\xa3\xff\xed\xa0";
	const char *from = good[prng_below(random, WD_COUNT(good))];
	size_t len = strlen(from);
	memcpy(body, from, len);
	for (uint32_t n = prng_below(random, 5); n > 0; n--) {
		size_t at = prng_below(random, (uint32_t)len);
		char c = marks[prng_below(random, sizeof(marks))];
		switch (prng_below(random, 3)) {
		case 0: body[at] = c; break;
		case 1:
			memmove(body + at + 1, body + at, len++ - at);
			body[at] = c;
			break;
		default: memmove(body + at, body + at + 1, --len - at); break;
		}
	}
	return len;
}

static void it_agrees_with_jansson_on_every_body_near_a_good_one(void **state)
{
	struct prng random = prng_of(20250310, 1);
	size_t taken = 0, rounds = 200000;
	char body[256];
	(void)state;
	for (size_t i = 0; i < rounds; i++) {
		size_t len = mutate(body, &random);
		taken += fixture_agrees_with_jansson(catalogue, body, len);
	}
	/* Both sides of the border were visited. */
	assert_true(taken > rounds / 10);
	assert_true(taken < rounds * 9 / 10);
}

static void a_hundred_thousand_made_up_services_are_refused(void **state)
{
	char body[64];
	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(body, sizeof(body), "{\"service\":\"made-up-%d\"}", i);
		assert_int_equal(read_json(body), WD_UNKNOWN);
	}
}

static int setup(void **state)
{
	(void)state;
	catalogue = fixture_catalogue();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	catalogue_release(catalogue);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_and_form_say_the_same),
		cmocka_unit_test(a_service_is_all_that_a_report_needs),
		cmocka_unit_test(a_feeder_says_when),
		cmocka_unit_test(every_error_names_its_field_and_what_would_be_right),
		cmocka_unit_test(every_error_of_a_form_too),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(script_in_a_comment_is_text_like_any_other),
		cmocka_unit_test(a_deep_or_a_long_body_is_refused),
		cmocka_unit_test(a_nul_anywhere_is_refused),
		cmocka_unit_test(a_broken_text_is_not_mended_by_what_follows),
		cmocka_unit_test(it_agrees_with_jansson_on_every_body_near_a_good_one),
		cmocka_unit_test(a_hundred_thousand_made_up_services_are_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
