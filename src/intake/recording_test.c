/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/recording.h"

#include "base/check.h"
#include "base/timetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <zlib.h>

static char folder[] = "/tmp/whydown-recording-XXXXXX";
static char path[sizeof(folder) + 32];

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/mentions.csv", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static struct recording *open_text(const char *text, struct recording_options options)
{
	struct recording *r = NULL;
	gzFile f = gzopen(path, "wbT"); /* plain */
	assert_non_null(f);
	assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
	assert_int_equal(gzclose(f), Z_OK);
	options.path = path;
	assert_int_equal(recording_open(&options, &r, NULL), WD_OK);
	return r;
}

static wd_wall at(const char *time)
{
	wd_wall t = {0};
	assert_int_equal(timetext_read(time, strlen(time), &t, NULL), WD_OK);
	return t;
}

/* The next one is this: "service time count step". */
static void expect_count(struct recording *r, const char *service, const char *time, unsigned count, int step_s)
{
	struct recorded o;
	struct wd_why why = {0};
	bool more = false;
	if (recording_next(r, &o, &more, &why) != WD_OK)
		fail_msg("line %lu:%u: %s", (unsigned long)recording_line(r), why.at, why.what);
	assert_true(more);
	assert_int_equal(o.observation.kind, OBSERVATION_COUNT);
	assert_string_equal(o.observation.service, service);
	assert_int_equal(o.observation.at.ns, at(time).ns);
	assert_int_equal(o.clock.ns, at(time).ns);
	assert_int_equal(o.observation.count, count);
	assert_int_equal(span_to_s(o.observation.step), step_s);
}

static void expect_end(struct recording *r)
{
	struct recorded o;
	bool more = true;
	assert_int_equal(recording_next(r, &o, &more, NULL), WD_OK);
	assert_false(more);
	assert_int_equal(recording_next(r, &o, &more, NULL), WD_OK);
	assert_false(more);
}

static void rows_grouped_by_service_come_in_the_order_of_time(void **state)
{
	(void)state;
	struct recording *r = open_text("time,service,reports\n"
					"2020-01-01T04:56:24-05:00,b,1\n"
					"2020-01-01T05:11:24-05:00,b,2\n"
					"2020-01-01T05:26:24-05:00,b,3\n"
					"2020-01-01T10:00:00Z,a,4\n"
					"2020-01-01T11:00:00Z,a,5\n"
					"2018-01-01T00:00:00Z,c,6\n", (struct recording_options){0});
	expect_count(r, "c", "2018-01-01T00:00:00Z", 6, 900); /* alone: the median of the others */
	expect_count(r, "b", "2020-01-01T09:56:24Z", 1, 900);
	expect_count(r, "a", "2020-01-01T10:00:00Z", 4, 3600);
	expect_count(r, "b", "2020-01-01T10:11:24Z", 2, 900);
	expect_count(r, "b", "2020-01-01T10:26:24Z", 3, 900);
	expect_count(r, "a", "2020-01-01T11:00:00Z", 5, 3600);
	expect_end(r);
	assert_int_equal(recording_counters(r).read, 6);
	assert_true(recording_progress(r) == 1);
	recording_close(r);
}

static void rows_out_of_order_are_put_in_order_and_those_of_one_time_keep_theirs(void **state)
{
	(void)state;
	struct recording *r = open_text("time,service,reports\r\n"
					"120,x,3\r\n0,x,1\r\n60,y,5\r\n60,x,2\r\n0,y,4\r\n", (struct recording_options){0});
	expect_count(r, "x", "1970-01-01T00:00:00Z", 1, 60);
	expect_count(r, "y", "1970-01-01T00:00:00Z", 4, 60);
	expect_count(r, "y", "1970-01-01T00:01:00Z", 5, 60);
	expect_count(r, "x", "1970-01-01T00:01:00Z", 2, 60);
	expect_count(r, "x", "1970-01-01T00:02:00Z", 3, 60);
	expect_end(r);
	recording_close(r);
}

/* 200 services by 50 rows, row n of the file at a time that jumps about. */
static void many_rows_of_many_services_all_come_once_in_order(void **state)
{
	(void)state;
	static char text[1 << 20];
	size_t len = (size_t)snprintf(text, sizeof(text), "time,service,reports\n");
	for (int n = 0; n < 10000; n++) {
		int service = n % 200, row = n / 200 * 7 % 50;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d,s%d,%d\n", row * 60 + service % 3, service,
					service * 50 + row);
	}
	struct recording *r = open_text(text, (struct recording_options){0});
	struct recorded o;
	bool more = true;
	static uint8_t seen[10000];
	wd_wall last = {0};
	for (size_t count = 0;; count++) {
		assert_int_equal(recording_next(r, &o, &more, NULL), WD_OK);
		if (!more) {
			assert_int_equal(count, 10000);
			break;
		}
		assert_true(o.clock.ns >= last.ns);
		last = o.clock;
		assert_int_equal(span_to_s(o.observation.step), 60);
		assert_int_equal(seen[o.observation.count]++, 0);
		assert_int_equal(strtol(o.observation.service + 1, NULL, 10), o.observation.count / 50);
	}
	recording_close(r);
}

static void rows_that_say_their_width_are_believed(void **state)
{
	(void)state;
	struct recording *r = open_text("time,service,reports,step\n0,x,1,900\n60,y,2,\n120,y,3,\n7200,x,4,900\n"
					"9000,z,5,300\n", (struct recording_options){0});
	expect_count(r, "x", "1970-01-01T00:00:00Z", 1, 900);
	expect_count(r, "y", "1970-01-01T00:01:00Z", 2, 60);
	expect_count(r, "y", "1970-01-01T00:02:00Z", 3, 60);
	expect_count(r, "x", "1970-01-01T02:00:00Z", 4, 900);
	expect_count(r, "z", "1970-01-01T02:30:00Z", 5, 300);
	expect_end(r);
	recording_close(r);
}

static void a_missing_row_is_a_gap_and_not_a_zero(void **state)
{
	(void)state;
	struct recording *r = open_text("time,service,reports\n0,x,1\n60,x,\n120,x,1\n180,x,1\n540,x,2\n600,x,0\n",
					(struct recording_options){0});
	expect_count(r, "x", "1970-01-01T00:00:00Z", 1, 60);
	expect_count(r, "x", "1970-01-01T00:02:00Z", 1, 60);
	expect_count(r, "x", "1970-01-01T00:03:00Z", 1, 60);
	expect_count(r, "x", "1970-01-01T00:09:00Z", 2, 60);
	expect_count(r, "x", "1970-01-01T00:10:00Z", 0, 60);
	expect_end(r);
	recording_close(r);
}

static void a_metric_without_a_service_is_named_by_its_file(void **state)
{
	(void)state;
	const char *text = "timestamp,value\n2015-02-26 21:42:53,-1.5\n2015-02-26 21:47:53,41\n";
	struct recording *r = open_text(text, (struct recording_options){0});
	struct recorded o;
	bool more;
	assert_int_equal(recording_next(r, &o, &more, NULL), WD_OK);
	assert_int_equal(o.observation.kind, OBSERVATION_METRIC);
	assert_string_equal(o.observation.service, "mentions");
	assert_true(o.observation.value == -1.5);
	assert_int_equal(span_to_s(o.observation.step), 300);
	recording_close(r);
	r = open_text("timestamp,value\n0,7\n", (struct recording_options){.value_is_reports = true});
	expect_count(r, "mentions", "1970-01-01T00:00:00Z", 7, 60);
	recording_close(r);
}

static void lines_of_ndjson_come_as_they_lie_and_the_clock_never_goes_back(void **state)
{
	(void)state;
	struct recording *r = open_text(
		"\n{\"v\":1,\"kind\":\"report\",\"at\":\"2025-03-10T09:45:10Z\",\"service\":\"x\",\"surface\":\"app\","
		"\"received\":\"2025-03-10T09:45:40Z\"}\n"
		"{\"v\":1,\"kind\":\"report\",\"at\":\"2025-03-10T09:45:05Z\",\"service\":\"y\"}\n"
		"{\"v\":1,\"kind\":\"count\",\"at\":\"2025-03-10T09:46:00Z\",\"step\":60,\"service\":\"z\",\"count\":9}\n",
		(struct recording_options){0});
	struct recorded o;
	bool more;
	assert_int_equal(recording_next(r, &o, &more, NULL), WD_OK);
	assert_true(more && o.observation.kind == OBSERVATION_REPORT);
	assert_string_equal(o.observation.surface, "app");
	assert_int_equal(o.observation.at.ns, at("2025-03-10T09:45:10Z").ns);
	assert_int_equal(o.clock.ns, at("2025-03-10T09:45:40Z").ns);
	assert_int_equal(recording_next(r, &o, &more, NULL), WD_OK);
	assert_int_equal(o.clock.ns, at("2025-03-10T09:45:40Z").ns);
	assert_int_equal(recording_line(r), 3);
	expect_count(r, "z", "2025-03-10T09:46:00Z", 9, 60);
	expect_end(r);
	recording_close(r);
}

static void only_the_time_asked_for_is_handed_out(void **state)
{
	(void)state;
	struct recording_options o = {.from = wall_s(60), .to = wall_s(120)};
	struct recording *r = open_text("time,service,reports\n0,x,1\n60,x,2\n120,x,3\n", o);
	expect_count(r, "x", "1970-01-01T00:01:00Z", 2, 60);
	expect_end(r);
	assert_int_equal(recording_counters(r).outside, 2);
	recording_close(r);
	r = open_text("{\"v\":1,\"kind\":\"count\",\"at\":\"1970-01-01T00:00:59Z\",\"step\":1,\"service\":\"x\",\"count\":1}\n"
		      "{\"v\":1,\"kind\":\"count\",\"at\":\"1970-01-01T00:01:00Z\",\"step\":1,\"service\":\"x\",\"count\":2}\n", o);
	expect_count(r, "x", "1970-01-01T00:01:00Z", 2, 1);
	expect_end(r);
	recording_close(r);
}

static void a_bad_line_stops_with_its_place_or_is_counted(void **state)
{
	(void)state;
#define GOOD "{\"v\":1,\"kind\":\"report\",\"at\":\"2025-03-10T09:45:10Z\",\"service\":\"x\"}\n"
#define HEAD "time,service,reports\n0,x,1\n"
	static const struct { const char *text; unsigned line, column, good; } cases[] = {
		{GOOD "{\"v\":1,\"kind\":\"rumour\"}\n" GOOD, 2, 15, 2},
		{GOOD "not json\n" GOOD GOOD, 2, 1, 3},
		{HEAD "60,x,many\n120,x,2\n", 3, 6, 2},
		{HEAD "60,x\n120,x,2\n180,x,2\n", 3, 4, 3},
		{HEAD "tomorrow,x,5\n60,x,1\n", 3, 1, 2},
		{HEAD "60,x,2\n60,x,3\n", 4, 1, 2},
		{HEAD "60,\"x,2\n60,x,3\n", 3, 8, 2},
		{"time,service,reports,step\n0,x,1,60\n60,x,2,\n120,x,3,900\n180,y,1,900\n", 4, 1, 3},
		{"time,service,reports,step\n0,x,1,60\n60,x,2,1m\n120,x,3,\n", 3, 8, 2},
	};
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct recording *r = open_text(cases[i].text, (struct recording_options){0});
		struct recorded o;
		struct wd_why why = {0};
		bool more = true;
		enum wd_err err = WD_OK;
		while (err == WD_OK && more)
			err = recording_next(r, &o, &more, &why);
		if (err != WD_MALFORMED || recording_line(r) != cases[i].line || why.at != cases[i].column)
			fail_msg("case %zu: %lu:%u: %s", i, (unsigned long)recording_line(r), why.at, why.what);
		const char *first = why.what;
		recording_close(r);

		r = open_text(cases[i].text, (struct recording_options){.skip_bad = true});
		unsigned good = 0;
		for (more = true; more; good += more)
			assert_int_equal(recording_next(r, &o, &more, &why), WD_OK);
		assert_int_equal(good, cases[i].good);
		assert_int_equal(recording_counters(r).read, cases[i].good);
		assert_int_equal(recording_counters(r).bad, 1);
		assert_int_equal(recording_counters(r).bad_line, cases[i].line);
		assert_int_equal(recording_counters(r).bad_column, cases[i].column);
		assert_string_equal(recording_counters(r).bad_what, first);
		recording_close(r);
	}
}

static void what_is_no_recording_is_told(void **state)
{
	(void)state;
	static const struct { const char *text; enum wd_err err; const char *what; } cases[] = {
		{"", WD_SHORT, "empty"},
		{" \n\n", WD_SHORT, "empty"},
		{"time,service,reports\n", WD_SHORT, "no row"},
		{"start_time,end_time,status,service\n0.0,1200.0,0.7,Twitter\n", WD_MALFORMED, "no column time"},
		{"hello\n", WD_MALFORMED, "no column time"},
		{" [{\"at\":\"2025-03-10T09:45Z\",\"service\":\"x\"}]\n", WD_MALFORMED, "a JSON array"},
		{"\xff\xfet", WD_MALFORMED, "the file is UTF-16: save it as UTF-8"},
		{"\xfe\xff", WD_MALFORMED, "the file is UTF-16: save it as UTF-8"},
		{"time,service,reports\n0,x,1\n4000000,x,1\n", WD_OK, ""},
	};
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct recording_options options = {.path = path};
		struct recording *r = NULL;
		struct recorded o;
		struct wd_why why = {.what = ""};
		bool more;
		FILE *f = fopen(path, "wb");
		assert_non_null(f);
		fputs(cases[i].text, f);
		assert_int_equal(fclose(f), 0);
		enum wd_err err = recording_open(&options, &r, &why);
		if (err == WD_OK)
			err = recording_next(r, &o, &more, &why);
		assert_int_equal(err, cases[i].err);
		assert_non_null(strstr(why.what, cases[i].what));
		recording_close(r);
	}
}

static void a_file_of_more_rows_than_are_taken_is_refused(void **state)
{
	(void)state;
	struct recording *r = open_text("time,service,reports\n0,x,1\n60,x,1\n120,x,1\n",
					(struct recording_options){.rows_max = 2, .skip_bad = true});
	struct recorded o;
	bool more;
	assert_int_equal(recording_next(r, &o, &more, NULL), WD_FULL);
	assert_int_equal(recording_line(r), 4);
	recording_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_grouped_by_service_come_in_the_order_of_time),
		cmocka_unit_test(rows_out_of_order_are_put_in_order_and_those_of_one_time_keep_theirs),
		cmocka_unit_test(many_rows_of_many_services_all_come_once_in_order),
		cmocka_unit_test(rows_that_say_their_width_are_believed),
		cmocka_unit_test(a_missing_row_is_a_gap_and_not_a_zero),
		cmocka_unit_test(a_metric_without_a_service_is_named_by_its_file),
		cmocka_unit_test(lines_of_ndjson_come_as_they_lie_and_the_clock_never_goes_back),
		cmocka_unit_test(only_the_time_asked_for_is_handed_out),
		cmocka_unit_test(a_bad_line_stops_with_its_place_or_is_counted),
		cmocka_unit_test(what_is_no_recording_is_told),
		cmocka_unit_test(a_file_of_more_rows_than_are_taken_is_refused),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
