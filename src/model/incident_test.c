/* SPDX-License-Identifier: Apache-2.0 */
#include "model/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct incident example(void)
{
	return (struct incident){
		.id = "x-20250310-0945", .service = "x", .state = INCIDENT_RECOVERING,
		.reconstruction = true, .scenario = "x-2025-03-10", .metric = true, .step = span_s(60), .began_at = wall_s(1741599900),
		.decided_at = wall_s(1741600020), .changed_at = wall_s(1741610000),
		.peak_at = wall_s(1741600800), .peak_observed = 2667, .peak_expected = 1.5f,
		.excess = 250000, .severity = 61.5f, .log10_return = 30, .log10_return_decided = 7.25f,
		.reports_log10_return = 12,
		.persons = 240000, .networks = 312, .wave_count = 1, .scope_count = 2, .related_count = 1,
		.waves = {{.began_at = wall_s(1741599900), .decided_at = wall_s(1741600020),
			   .peak_at = wall_s(1741600800), .peak_observed = 2667, .peak_expected = 1.5f}},
		.scopes = {{DIMENSION_SURFACE, "app", 1000, 1, 20}, {DIMENSION_CITY, "GB/\"<London>\"", 5, .5f, 8}},
		.related = {{"aws-20250310-0950", RELATION_SHARED_PROVIDER}},
	};
}

static void what_is_written_reads_back_as_the_same_incident(void **state)
{
	struct incident i = example(), back;
	struct buf b, again;
	(void)state;
	buf_init(&b, 100000);
	buf_init(&again, 100000);
	incident_to_json(&b, &i);
	assert_int_equal(incident_from_json(b.data, b.len, &back, NULL), WD_OK);
	incident_to_json(&again, &back);
	assert_string_equal(b.data, again.data);
	assert_string_equal(back.scopes[1].value, "GB/\"<London>\"");
	assert_int_equal(back.ended_at.ns, 0);
	assert_int_equal(back.step.ns, span_s(60).ns);
	assert_true(back.metric && back.reconstruction);
	buf_done(&b);
	buf_done(&again);
}

static void an_incident_of_traffic_and_requests_reads_back_and_an_old_one_is_of_reports(void **state)
{
	struct incident i = example(), back;
	struct buf b;
	(void)state;
	i.kinds = INCIDENT_TRAFFIC | INCIDENT_REQUESTS;
	i.traffic = (struct incident_traffic){
		.began_at = wall_s(1741599900), .decided_at = wall_s(1741599901), .peak_packets_per_s = 2e6f,
		.usual_packets_per_s = 1e4f, .log10_return = 12, .status = SOURCE_SPOOFED, .vector_count = 2,
		.vectors = {{"syn.spoof", .9f}, {"amp.dns", .1f}},
	};
	i.requests.peak_requests_per_s = 512.5f;
	i.requests.finding_count = 1;
	i.requests.findings[0] = (struct part){"http.flood", 1};
	snprintf(i.requests.why[0], sizeof(i.requests.why[0]),
		 "900/s (usual 3.0) of 40 clients; one path; 98 %% for /\"<b>");
	i.waves[0].peak_bits_per_s = 1e9f;
	buf_init(&b, 100000);
	incident_to_json(&b, &i);
	assert_int_equal(incident_from_json(b.data, b.len, &back, NULL), WD_OK);
	assert_int_equal(back.kinds, i.kinds);
	assert_string_equal(back.traffic.vectors[1].id, "amp.dns");
	assert_int_equal(back.traffic.status, SOURCE_SPOOFED);
	assert_true(back.requests.peak_requests_per_s == 512.5f && back.waves[0].peak_bits_per_s == 1e9f);
	assert_string_equal(back.requests.findings[0].id, "http.flood");
	assert_string_equal(back.requests.why[0], i.requests.why[0]);

	/* What a program wrote that did not tell the odds of reports from others'. */
	char *alone = strstr(b.data, "reports_log10_return");
	assert_non_null(alone);
	alone[0] = 'R';
	assert_int_equal(incident_from_json(b.data, b.len, &back, NULL), WD_OK);
	assert_true(back.reports_log10_return == 0);
	/* What one without kinds wrote. */
	char *kinds = strstr(b.data, ",\"kinds\"");
	assert_non_null(kinds);
	memcpy(kinds, "}", 2);
	assert_int_equal(incident_from_json(b.data, strlen(b.data), &back, NULL), WD_OK);
	assert_int_equal(back.kinds, INCIDENT_REPORTS);
	assert_true(back.reports_log10_return == back.log10_return);
	buf_done(&b);
}

static void damaged_text_is_refused_and_leaves_the_result_alone(void **state)
{
	struct incident i = example(), back = {.persons = 42};
	struct buf b;
	struct wd_why why;
	(void)state;
	buf_init(&b, 100000);
	incident_to_json(&b, &i);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(incident_from_json(b.data, len, &back, &why), WD_MALFORMED);
	static const char *const cases[] = {
		"{}", "[]", "{\"v\":1}", "{\"v\":1,\"id\":5}", "{\"v\":1,\"id\":\"a\",\"id\":\"b\"}",
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_int_equal(incident_from_json(cases[n], strlen(cases[n]), &back, &why), WD_MALFORMED);
	assert_int_equal(incident_from_json("{\"v\":2}", 7, &back, &why), WD_UNKNOWN);
	assert_int_equal(back.persons, 42);
	buf_done(&b);
}

static void duration_runs_until_the_end_or_now(void **state)
{
	struct incident i = example();
	(void)state;
	assert_int_equal(span_to_s(incident_duration(&i, wall_s(1741599960))), 60);
	assert_int_equal(span_to_s(incident_duration(&i, wall_s(0))), 0);
	i.ended_at = wall_s(1741599930);
	assert_int_equal(span_to_s(incident_duration(&i, wall_s(1741599960))), 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back_as_the_same_incident),
		cmocka_unit_test(an_incident_of_traffic_and_requests_reads_back_and_an_old_one_is_of_reports),
		cmocka_unit_test(damaged_text_is_refused_and_leaves_the_result_alone),
		cmocka_unit_test(duration_runs_until_the_end_or_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
