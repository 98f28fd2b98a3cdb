/* SPDX-License-Identifier: Apache-2.0 */
#include "model/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every list in use; what is not known is negative. */
static struct trace *example(void)
{
	struct trace *t = calloc(1, sizeof(*t));
	assert_non_null(t);
	*t = (struct trace){
		.incident = "x-20250310-0945", .changed_at = wall_s(1741600020),
		.patterns = PATTERN_CARPET | PATTERN_MULTI, .sampling = 1000, .packets = 1.25e9,
		.bytes = 1.5e12, .records = 250001, .requests = 7, .sources = 1.3e6,
		.sources_error = .023f, .status = SOURCE_REFLECTOR,
		.not_mappable = "the \"sources\" are reflectors\n", .targets = 256, .vector_count = 2,
		.country_count = 1, .network_count = 1, .prefix_count = 1, .source_count = 1,
		.link_count = 1, .point_count = 3, .evidence_count = 2, .begin = wall_s(1741600000),
		.step = span_ms(1000),
		.vectors = {{.id = "amp.dns", .name = "DNS amplification", .status = SOURCE_REFLECTOR,
			     .why = "answers that nobody asked for", .rule = "udp from 53",
			     .fingerprint = 0xfedcba9876543210u, .unverified = true,
			     .first_at = wall_s(1741600000), .packets = 1e9, .seen = 1000000, .sources = -1,
			     .octet_entropy = 7.5f, .hop_entropy = -1, .new_share = -1, .share = .8f},
			    {.id = "unknown", .sources = 12, .octet_entropy = -1, .hop_entropy = 2,
			     .new_share = .25f}},
		.countries = {{.name = "DE", .packets = 12, .share = .5f, .share_error = .01f}},
		.networks = {{.name = "AS3320"}}, .prefixes = {{.name = "192.0.2.0/24"}},
		.sources_top = {{.name = "192.0.2.7", .sources = 1}},
		.links = {{"x-20250309-0945", .75f, true}},
		.before = {.begin = wall_s(1741599980), .step = span_ms(10000), .count = 2,
			   .points = {{100, 80000, 10, -1, 90, 70000}, {-1, -1, -1, 5, -1, -1}}},
		.evidence = {"192.0.2.7:53 > 198.51.100.1:4711 udp 1400", "\\ \x01"},
	};
	for (uint32_t n = 0; n < t->point_count; n++) {
		t->points[n] = (struct trace_point){.packets_per_s = (float)n + 1, .usual_bits_per_s = 8};
		t->points[n].vector_packets_per_s[1] = (float)n / 2;
	}
	return t;
}

static void what_is_written_reads_back_as_the_same_trace(void **state)
{
	struct trace *t = example(), *back = calloc(1, sizeof(*back));
	struct buf b, again;
	struct wd_why why = {0};
	(void)state;
	assert_non_null(back);
	buf_init(&b, 1 << 20);
	buf_init(&again, 1 << 20);
	trace_to_json(&b, t);
	assert_int_equal(trace_from_json(b.data, b.len, back, &why), WD_OK);
	trace_to_json(&again, back);
	assert_string_equal(b.data, again.data);
	assert_true(back->vectors[0].fingerprint == t->vectors[0].fingerprint);
	assert_true(back->vectors[0].sources < 0 && back->vectors[1].sources == 12);
	assert_int_equal(back->patterns, t->patterns);
	assert_string_equal(back->evidence[1], t->evidence[1]);
	assert_true(back->points[2].vector_packets_per_s[1] == 1);
	assert_int_equal(back->step.ns, WD_NS_PER_S);
	assert_memory_equal(&back->before, &t->before, sizeof(t->before));
	buf_done(&b);
	buf_done(&again);
	free(t);
	free(back);
}

static void damaged_text_is_refused_and_leaves_the_result_alone(void **state)
{
	struct trace *t = example(), *back = calloc(1, sizeof(*back));
	struct buf b;
	(void)state;
	assert_non_null(back);
	back->targets = 42;
	buf_init(&b, 1 << 20);
	trace_to_json(&b, t);
	for (size_t len = 0; len < b.len; len += 7)
		assert_int_equal(trace_from_json(b.data, len, back, NULL), WD_MALFORMED);
	static const char *const cases[] = {"{}", "[]", "{\"v\":1}", "{\"v\":1,\"incident\":5}"};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		assert_int_equal(trace_from_json(cases[n], strlen(cases[n]), back, NULL), WD_MALFORMED);
	assert_int_equal(trace_from_json("{\"v\":2}", 7, back, NULL), WD_UNKNOWN);
	assert_int_equal(back->targets, 42);
	buf_done(&b);
	free(t);
	free(back);
}

static void the_fullest_trace_fits_a_row_of_the_store(void **state)
{
	struct trace *t = example();
	struct buf b;
	(void)state;
	t->vector_count = TRACE_VECTORS_MAX;
	t->country_count = TRACE_COUNTRIES_MAX;
	t->network_count = t->prefix_count = t->source_count = TRACE_PLACES_MAX;
	t->point_count = TRACE_POINTS_MAX;
	t->evidence_count = TRACE_EVIDENCE_MAX;
	t->before.count = TRACE_BEFORE_MAX;
	for (uint32_t n = 0; n < TRACE_BEFORE_MAX; n++)
		t->before.points[n].bits_per_s = 1.23457e-11f;
	for (uint32_t n = 0; n < TRACE_EVIDENCE_MAX; n++)
		memset(t->evidence[n], '\x01', TRACE_TEXT_MAX); /* six bytes each in JSON */
	for (uint32_t n = 0; n < TRACE_POINTS_MAX; n++) {
		for (size_t k = 0; k < 6; k++)
			t->points[n].vector_bits_per_s[k] = -1.23457e-11f;
	}
	buf_init(&b, TRACE_JSON_MAX);
	trace_to_json(&b, t);
	assert_false(b.bad);
	buf_done(&b);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back_as_the_same_trace),
		cmocka_unit_test(damaged_text_is_refused_and_leaves_the_result_alone),
		cmocka_unit_test(the_fullest_trace_fits_a_row_of_the_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
