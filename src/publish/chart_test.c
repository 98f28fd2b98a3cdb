/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct series series_of(struct point *points, size_t count)
{
	return (struct series){wall_s(1741600800), span_s(300), count, points};
}

static void assert_draws(const struct chart *c, const char *text, bool expected)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	chart_svg(&b, c);
	assert_false(b.bad);
	if ((strstr(b.data, text) != NULL) != expected)
		fail_msg("%s %s:\n%s", expected ? "lacks" : "holds", text, b.data);
	buf_done(&b);
}

static void the_axis_reaches_a_round_number_above_all_points(void **state)
{
	static const struct {
		float highest;
		double top;
	} cases[] = {
		{0, 2},   {1, 2},     {2, 2},     {3, 4},       {7, 10},
		{19, 20}, {101, 200}, {201, 250}, {1712, 2000}, {9e6f, 1e7},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct point points[] = {{1, 0, 0, 0}, {cases[i].highest, 0, 0, 0}};
		struct series s = series_of(points, 2);
		assert_true(chart_top(&s) == cases[i].top);
		points[1] = (struct point){0, 0, 0, cases[i].highest};
		assert_true(chart_top(&s) == cases[i].top);
	}
}

static void values_that_are_no_numbers_draw_nothing_wild(void **state)
{
	struct point points[] = {{NAN, NAN, NAN, NAN},
				 {INFINITY, 1, -INFINITY, INFINITY},
				 {-1, 0, 0, 0},
				 {3e38f, 1, 0, 2}};
	struct series s = series_of(points, 4);
	struct chart c = {.series = &s,
			  .id = "a",
			  .title = "t",
			  .description = "d",
			  .unit = "u",
			  .height = 200};
	(void)state;
	assert_draws(&c, "nan", false);
	assert_draws(&c, "inf ", false);
	assert_draws(&c, "-2147483648", false);
}

/* From -2 to 5, the line of 0 between; nothing is drawn of what was neither seen nor known. */
static void values_below_zero_and_what_is_not_known_are_drawn_so(void **state)
{
	struct point points[] = {{-1, 0, 0, 0}, {-1.5f, 0.5f, 0, 1}, {4.2f, 0.5f, 0, 1}, {-1, 0, 0, 0}};
	struct series s = series_of(points, 4);
	struct chart c = {.series = &s, .id = "a", .title = "t", .description = "d", .unit = "u",
			  .values = true, .height = 200};
	(void)state;
	assert_draws(&c, "<path class=\"seen\" d=\"M1 929l1-815\"/>", true);
	assert_draws(&c, "<path class=\"usual\" d=\"M1 643h1\"/>", true);
	assert_draws(&c, "<path class=\"area\" d=\"M1 714l0 215 1-815V714z\"/>", true);
	assert_draws(&c, "<path class=\"band\" d=\"M1 571h1l0 143h-1z\"/>", true);
	assert_draws(&c, ">-2</text>", true);
	assert_draws(&c, ">1.5</text>", true);
	assert_draws(&c, ">5 u</text>", true);
	points[1] = points[2] = (struct point){0.031f, 0.01f, 0, 0.02f};
	assert_draws(&c, ">0.04 u</text>", true);
	assert_draws(&c, ">0.02</text>", true);
}

static void a_bucket_that_was_not_seen_breaks_the_line(void **state)
{
	struct point points[] = {
		{2, 0, 0, 0}, {2, 0, 0, 0}, {-1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}};
	struct series s = series_of(points, 5);
	struct chart c = {.series = &s,
			  .id = "a",
			  .title = "t",
			  .description = "d",
			  .unit = "u",
			  .height = 200};
	(void)state;
	assert_draws(&c, "<path class=\"seen\" d=\"M0 0h1M3 500h1\"/>", true);
}

static void the_running_bucket_is_drawn_apart(void **state)
{
	struct point points[] = {{2, 0, 0, 0}, {2, 0, 0, 0}, {1, 0, 0, 0}};
	struct series s = series_of(points, 3);
	struct chart c = {.series = &s,
			  .id = "a",
			  .title = "t",
			  .description = "d",
			  .unit = "u",
			  .height = 200,
			  .unfinished = true};
	(void)state;
	assert_draws(
		&c,
		"<path class=\"seen\" d=\"M0 0h1\"/><path class=\"last\" d=\"M2 500h0\"/>",
		true);
}

static void only_spans_that_touch_the_series_are_shaded(void **state)
{
	struct point points[10] = {{0}};
	struct series s = series_of(points, 10);
	struct chart c = {.series = &s};
	wd_wall end = wall_add(s.begin, span_s(3000));
	(void)state;
	chart_shade(&c, wall_back(s.begin, span_s(900)), wall_back(s.begin, span_s(1)));
	chart_shade(&c, wall_add(end, span_s(1)), (wd_wall){0});
	chart_shade(&c, wall_add(end, span_s(1)), wall_add(end, span_s(9)));
	assert_int_equal(c.span_count, 0);
	chart_shade(&c, wall_back(s.begin, span_s(900)), (wd_wall){0});
	assert_int_equal(c.span_count, 1);
	assert_int_equal(c.spans[0].begin.ns, s.begin.ns);
	assert_int_equal(c.spans[0].end.ns, end.ns);
	for (int i = 0; i < 2 * CHART_SPANS_MAX; i++)
		chart_shade(&c, s.begin, end);
	assert_int_equal(c.span_count, CHART_SPANS_MAX);
}

static void titles_are_escaped_and_tied_to_the_picture(void **state)
{
	struct point points[] = {{2, 0, 0, 0}, {2, 0, 0, 0}};
	struct series s = series_of(points, 2);
	struct chart c = {.series = &s,
			  .id = "a",
			  .title = "<script>",
			  .description = "\"&",
			  .unit = "</svg>",
			  .height = 200};
	(void)state;
	assert_draws(
		&c,
		"role=\"img\" aria-labelledby=\"a-t a-d\"><title id=\"a-t\">&lt;script&gt;</title>"
		"<desc id=\"a-d\">&#34;&amp;</desc>",
		true);
	assert_draws(&c, "4 </svg>", false);
	assert_draws(&c, "style=", false);
}

static void a_series_without_points_is_an_empty_frame(void **state)
{
	struct series s = series_of(NULL, 0);
	struct chart c = {.series = &s,
			  .id = "a",
			  .title = "t",
			  .description = "d",
			  .unit = "u",
			  .height = 200};
	struct buf b;
	(void)state;
	assert_draws(&c, "<path", false);
	buf_init(&b, 1000);
	chart_spark(&b, &s, false);
	assert_non_null(strstr(b.data, "<path d=\"\"/>"));
	buf_done(&b);
}

static void a_spark_is_short_where_nothing_happens(void **state)
{
	struct point points[288] = {{0}};
	struct series s = series_of(points, 288);
	struct buf b;
	(void)state;
	points[287].observed = 2;
	buf_init(&b, 1000);
	chart_spark(&b, &s, false);
	assert_non_null(strstr(b.data, "<path d=\"M0 18h88l4-18\"/>"));
	points[3].observed = points[150].observed = -1;
	for (size_t i = 144; i < 156; i++)
		points[i].observed = -1;
	buf_reset(&b);
	chart_spark(&b, &s, false);
	assert_non_null(strstr(b.data, "<path d=\"M0 18h44M52 18h36l4-18\"/>"));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_axis_reaches_a_round_number_above_all_points),
		cmocka_unit_test(values_that_are_no_numbers_draw_nothing_wild),
		cmocka_unit_test(values_below_zero_and_what_is_not_known_are_drawn_so),
		cmocka_unit_test(a_bucket_that_was_not_seen_breaks_the_line),
		cmocka_unit_test(the_running_bucket_is_drawn_apart),
		cmocka_unit_test(only_spans_that_touch_the_series_are_shaded),
		cmocka_unit_test(titles_are_escaped_and_tied_to_the_picture),
		cmocka_unit_test(a_series_without_points_is_an_empty_frame),
		cmocka_unit_test(a_spark_is_short_where_nothing_happens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
