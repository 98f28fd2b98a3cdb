/* SPDX-License-Identifier: Apache-2.0 */
#include "model/observation.h"

#include "base/check.h"
#include "model/service.h"

#include <jansson.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct observation full_report(void)
{
	struct observation o = observation_blank(OBSERVATION_REPORT);
	o.flags = OBSERVATION_RECONSTRUCTION;
	o.at = wall_add(wall_s(1741599900), span_ms(250));
	memset(o.id.bytes, 0xa5, sizeof(o.id.bytes));
	o.person = UINT64_C(0x0123456789abcdef);
	o.network = 2856;
	memcpy(o.country, "GB", 3);
	o.service = "x";
	o.surface = "app";
	o.problem = "login";
	o.region = "England";
	o.city = "London";
	o.comment = "since ten, \"nothing\" <loads>\n";
	o.feeder = "forum";
	o.scenario = "x-2025-03-10";
	return o;
}

static void assert_same(const struct observation *a, const struct observation *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->at.ns, b->at.ns);
	assert_int_equal(a->step.ns, b->step.ns);
	assert_memory_equal(a->id.bytes, b->id.bytes, sizeof(a->id.bytes));
	assert_int_equal(a->person, b->person);
	assert_int_equal(a->network, b->network);
	assert_int_equal(a->count, b->count);
	assert_memory_equal(&a->value, &b->value, sizeof(a->value));
	assert_string_equal(a->country, b->country);
	assert_string_equal(a->service, b->service);
	assert_string_equal(a->surface, b->surface);
	assert_string_equal(a->problem, b->problem);
	assert_string_equal(a->region, b->region);
	assert_string_equal(a->city, b->city);
	assert_string_equal(a->comment, b->comment);
	assert_string_equal(a->feeder, b->feeder);
	assert_string_equal(a->scenario, b->scenario);
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
	uint8_t frame[OBSERVATION_FRAME_MAX + 8];
	struct observation metric = observation_blank(OBSERVATION_METRIC);
	struct observation count = observation_blank(OBSERVATION_COUNT);
	(void)state;
	metric.service = "latency";
	metric.step = span_ms(1500);
	metric.value = -0.1;
	count.service = "barclays";
	count.step = span_s(900);
	count.count = UINT32_MAX;
	count.at = wall_s(OBSERVATION_AT_MAX_S - 1);
	struct observation cases[] = {full_report(), metric, count};
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct observation back;
		size_t len = observation_encode(&cases[i], frame), used;
		memset(frame + len, 0xff, 8); /* what follows is not its business */
		assert_int_equal(observation_decode(frame, len + 8, &back, &used, NULL), WD_OK);
		assert_int_equal(used, len);
		assert_same(&cases[i], &back);
	}
}

static void the_longest_observation_fits_a_frame(void **state)
{
	uint8_t frame[OBSERVATION_FRAME_MAX];
	char text[OBSERVATION_COMMENT_MAX + 1];
	struct observation o = full_report(), back;
	size_t used;
	(void)state;
	memset(text, 'w', sizeof(text));
	text[OBSERVATION_COMMENT_MAX] = '\0';
	o.comment = text;
	o.service = text + OBSERVATION_COMMENT_MAX - SERVICE_ID_MAX;
	o.surface = o.problem = text + OBSERVATION_COMMENT_MAX - SERVICE_WORD_MAX;
	o.region = o.city = text + OBSERVATION_COMMENT_MAX - OBSERVATION_PLACE_MAX;
	o.feeder = text + OBSERVATION_COMMENT_MAX - OBSERVATION_FEEDER_MAX;
	size_t len = observation_encode(&o, frame);
	assert_true(len <= OBSERVATION_FRAME_MAX);
	assert_int_equal(observation_decode(frame, len, &back, &used, NULL), WD_OK);
	assert_same(&o, &back);
}

static void every_prefix_is_short_and_leaves_the_result_alone(void **state)
{
	uint8_t frame[OBSERVATION_FRAME_MAX];
	struct observation o = full_report(), untouched = observation_blank(OBSERVATION_METRIC);
	size_t len = observation_encode(&o, frame);
	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		/* On the heap at its exact size, so that the sanitizer sees a read past it. */
		uint8_t *part = malloc(cut > 0 ? cut : 1);
		struct observation back = untouched;
		size_t used = 77;
		assert_non_null(part);
		memcpy(part, frame, cut);
		assert_int_equal(observation_decode(part, cut, &back, &used, NULL), WD_SHORT);
		assert_int_equal(used, 77);
		assert_same(&untouched, &back);
		free(part);
	}
}

static void every_flipped_bit_is_noticed(void **state)
{
	uint8_t frame[OBSERVATION_FRAME_MAX];
	struct observation o = full_report(), back;
	size_t len = observation_encode(&o, frame), used;
	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct wd_why why = {0};
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(observation_decode(frame, len, &back, &used, &why), WD_MALFORMED);
		assert_non_null(why.what);
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void zeros_as_a_power_cut_leaves_them_are_no_frame(void **state)
{
	uint8_t zeros[OBSERVATION_FRAME_MAX] = {0};
	struct observation back;
	size_t used;
	(void)state;
	assert_int_equal(observation_decode(zeros, sizeof(zeros), &back, &used, NULL), WD_MALFORMED);
}

static void a_field_out_of_its_limits_is_named(void **state)
{
	static char long_text[OBSERVATION_COMMENT_MAX + 2];
	(void)state;
	memset(long_text, 'w', sizeof(long_text) - 1);
	struct observation cases[16];
	static const char *const fields[16] = {
		"kind", "reconstruction", "at", "step", "step", "count", "value", "country", "country",
		"service", "service", "comment", "at", "step", "scenario", "scenario",
	};
	for (size_t i = 0; i < 16; i++)
		cases[i] = full_report();
	cases[0].kind = 9;
	cases[1].flags = 2;
	cases[2].at.ns += 1;
	cases[3].step = span_s(60);
	cases[4].kind = OBSERVATION_COUNT;
	cases[4].step = span_s(OBSERVATION_STEP_MAX_S + 1);
	cases[5].count = 2;
	cases[6].value = NAN;
	cases[7].country[1] = '\0';
	cases[8].country[0] = 'g';
	cases[9].service = "";
	cases[10].service = long_text;
	cases[11].comment = long_text;
	cases[12].at = wall_s(-1);
	cases[13].kind = OBSERVATION_METRIC;
	cases[14].flags = 0;
	cases[15].scenario = "<script>";
	for (size_t i = 0; i < 16; i++) {
		const char *field = NULL;
		assert_false(observation_is_sound(&cases[i], &field));
		assert_string_equal(field, fields[i]);
	}
}

static void json_holds_every_field_and_nothing_that_is_not_known(void **state)
{
	struct observation o = full_report(), count = observation_blank(OBSERVATION_COUNT);
	struct buf b;
	(void)state;
	buf_init(&b, 4096);
	observation_to_json(&b, &o, wall_s(1741600000));
	assert_string_equal(b.data,
		"{\"v\":1,\"kind\":\"report\",\"at\":\"2025-03-10T09:45:00.250Z\","
		"\"id\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\",\"service\":\"x\",\"surface\":\"app\","
		"\"problem\":\"login\",\"person\":\"0123456789abcdef\",\"network\":2856,"
		"\"country\":\"GB\",\"region\":\"England\",\"city\":\"London\","
		"\"comment\":\"since ten, \\\"nothing\\\" \\u003cloads>\\n\",\"feeder\":\"forum\","
		"\"reconstruction\":true,\"scenario\":\"x-2025-03-10\",\"received\":\"2025-03-10T09:46:40Z\"}");
	json_t *json = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	json_decref(json);
	buf_reset(&b);
	count.service = "x";
	count.step = span_ms(60500);
	count.count = 0;
	observation_to_json(&b, &count, (wd_wall){0});
	assert_string_equal(b.data, "{\"v\":1,\"kind\":\"count\",\"at\":\"1970-01-01T00:00:00Z\","
				    "\"step\":60.500,\"service\":\"x\",\"count\":0}");
	buf_done(&b);
}

static void a_metric_in_json_reads_back_as_the_same_number(void **state)
{
	static const double values[] = {0, -1, 0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.125};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(values); i++) {
		struct observation o = observation_blank(OBSERVATION_METRIC);
		struct buf b;
		buf_init(&b, 4096);
		o.service = "x";
		o.step = span_s(60);
		o.value = values[i];
		observation_to_json(&b, &o, (wd_wall){0});
		json_t *json = json_loadb(b.data, b.len, JSON_DECODE_INT_AS_REAL, NULL);
		assert_non_null(json);
		double back = json_real_value(json_object_get(json, "value"));
		assert_true(back == values[i]);
		json_decref(json);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_encoded_decodes_to_the_same),
		cmocka_unit_test(the_longest_observation_fits_a_frame),
		cmocka_unit_test(every_prefix_is_short_and_leaves_the_result_alone),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(zeros_as_a_power_cut_leaves_them_are_no_frame),
		cmocka_unit_test(a_field_out_of_its_limits_is_named),
		cmocka_unit_test(json_holds_every_field_and_nothing_that_is_not_known),
		cmocka_unit_test(a_metric_in_json_reads_back_as_the_same_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
