/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/counts.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct counts_options plain_options;

/* Reads all rows of a text into rows; returns how many. */
static size_t read_all(const char *text, const struct counts_options *options, struct counts *c,
		       struct counts_row *rows, size_t max)
{
	size_t count = 0;
	bool end = false;
	assert_int_equal(counts_begin(c, text, strlen(text), options, NULL), WD_OK);
	for (;;) {
		struct counts_row row;
		assert_int_equal(counts_next(c, &row, &end, NULL), WD_OK);
		if (end)
			return count;
		assert_true(count < max);
		rows[count++] = row;
	}
}

static void rows_are_read_whatever_the_order_and_the_quotes(void **state)
{
	static const char *const files[] = {
		"time,service,reports\n2025-03-10T09:45:00Z,x,12\n2025-03-10T10:00:00Z,x,0\n",
		"\xef\xbb\xbfService , Reports,TIME\r\nx,12,2025-03-10 09:45:00\r\nx,0,2025-03-10 10:00\r\n\r\n",
		("note,\"time\",\"service\",\"reports\"\n\"a, \"\"b\"\"\nc\",1741599900,\"x\",\"12\"\n"
		",2025-03-10T11:00:00+01:00, x ,0.0"),
		"timestamp,value,service,reports\n2025-03-10T05:45:00.0004-04:00,z,x,12\n1741600800,,x,0\n\n\n",
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(files); i++) {
		struct counts c;
		struct counts_row rows[4];
		assert_int_equal(read_all(files[i], &plain_options, &c, rows, 4), 2);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(rows[k].at.ns, INT64_C(1741599900) * WD_NS_PER_S + (int64_t)k * 900 * WD_NS_PER_S);
			assert_string_equal(rows[k].service, "x");
			assert_int_equal(rows[k].reports, k == 0 ? 12 : 0);
			assert_false(rows[k].metric);
		}
		assert_int_equal(c.gaps, 0);
	}
}

static void a_row_may_say_how_wide_its_bucket_is(void **state)
{
	struct counts c;
	struct counts_row rows[5];
	(void)state;
	assert_int_equal(read_all("time,service,reports,Step\n1,x,1,900\n2,x,2,\n3,x,3,0\n4,x,4,0.25\n5,x,5,2678400\n",
				  &plain_options, &c, rows, 5), 5);
	assert_int_equal(rows[0].step.ns, 900 * WD_NS_PER_S);
	assert_int_equal(rows[1].step.ns, 0);
	assert_int_equal(rows[2].step.ns, 0);
	assert_int_equal(rows[3].step.ns, 250000000);
	assert_int_equal(rows[4].step.ns, 31 * 86400 * WD_NS_PER_S);
}

static void a_file_without_services_takes_the_one_that_is_given(void **state)
{
	struct counts_options o = {.service = "AAPL"};
	struct counts c;
	struct counts_row rows[2];
	static const char file[] = "timestamp,value\n2015-02-26 21:42:53,104\n2015-02-26 21:47:53,-1.5e2\n";
	(void)state;
	assert_int_equal(read_all(file, &o, &c, rows, 2), 2);
	assert_string_equal(rows[0].service, "AAPL");
	assert_true(rows[0].metric);
	assert_true(rows[0].value == 104);
	assert_true(rows[1].value == -150);
	struct observation metric = counts_observation(&rows[1], span_s(300));
	assert_true(observation_is_sound(&metric, NULL));
	assert_int_equal(metric.kind, OBSERVATION_METRIC);
	o.value_is_reports = true;
	assert_int_equal(read_all("time,value\n1,104\n", &o, &c, rows, 2), 1);
	assert_false(rows[0].metric);
	assert_int_equal(rows[0].reports, 104);
	struct observation count = counts_observation(&rows[0], span_s(300));
	assert_true(observation_is_sound(&count, NULL));
	assert_int_equal(count.count, 104);
}

static void a_row_without_its_number_is_a_gap(void **state)
{
	struct counts c;
	struct counts_row rows[2];
	(void)state;
	assert_int_equal(read_all("time,service,reports\n1,x,\n2,x,NaN\n3,x,5\n4,x,null\n", &plain_options, &c,
				  rows, 2), 1);
	assert_int_equal(rows[0].reports, 5);
	assert_int_equal(c.gaps, 3);
}

static void a_day_alone_begins_at_midnight(void **state)
{
	struct counts c;
	struct counts_row rows[2];
	(void)state;
	assert_int_equal(read_all("time,service,reports\n2025-03-10,x,5\n 2025-03-11 ,x,6\n", &plain_options,
				  &c, rows, 2), 2);
	assert_int_equal(rows[0].at.ns, wall_s(1741564800).ns);
	assert_int_equal(rows[1].at.ns, wall_s(1741564800 + 86400).ns);
}

static void fields_end_with_what_ends_them_in_the_header(void **state)
{
	static const char *const files[] = {
		"time;service;value\n2025-03-10;x;12,5\n2025-03-11;x;-1e3\n",
		"time\tservice\tvalue\n2025-03-10\tx\t12.5\n2025-03-11\tx\t\"-1000\"\n",
		"\"a,b\";time;service;value\n1;2025-03-10;x;12,50\n;2025-03-11;x;-1000\n",
		"time,service,value,a;b\n2025-03-10,x,12.5,;\n2025-03-11,x,-1000,\n",
		"time;service;value;share, %\n2025-03-10;x;12,5;1,0\n2025-03-11;x;-1000;2\n",
		"a;time,service,value,time\n;,x,12.5,2025-03-10\n;,x,-1000,2025-03-11\n",
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(files); i++) {
		struct counts c;
		struct counts_row rows[2];
		assert_int_equal(read_all(files[i], &plain_options, &c, rows, 2), 2);
		assert_int_equal(rows[0].at.ns, wall_s(1741564800).ns);
		assert_true(rows[0].value == 12.5);
		assert_true(rows[1].value == -1000);
	}
}

/* Not so in a file of seconds, of which some look like days. */
static void eight_digits_are_days_if_those_of_the_first_row_are(void **state)
{
	struct counts c;
	struct counts_row rows[3];
	(void)state;
	assert_int_equal(read_all("time,service,reports\n20250310,x,5\n20250311,x,6\n", &plain_options, &c, rows, 3), 2);
	assert_int_equal(rows[1].at.ns, wall_s(1741564800 + 86400).ns);
	assert_int_equal(read_all("time,service,reports\n20250299,x,5\n20250310,x,6\n", &plain_options, &c, rows, 3), 2);
	assert_int_equal(rows[1].at.ns, wall_s(20250310).ns);
	assert_int_equal(read_all("time,service,reports\n0,x,5\n20250310,x,6\n", &plain_options, &c, rows, 3), 2);
	assert_int_equal(rows[1].at.ns, wall_s(20250310).ns);
}

static void every_error_has_its_line_and_column_and_says_what_would_be_right(void **state)
{
#define HEAD "time,service,reports\n1,x,5\n"
#define NUMBER "reports is a whole number from 0 to 1000000000, or nothing if it is not known"
	static const struct { const char *file, *what; size_t line, column; } cases[] = {
		{"", "the header names no column time or timestamp", 1, 1},
		{"a,b;c\n", "the header names no column time or timestamp", 1, 1},
		{"time;service;value\n1;x;1,5,2\n", "value is a number like 12.5 or 1e-3, or nothing if it is not known", 2, 5},
		{"time;service;value\n1;x;1.234,5\n", "value is a number like 12.5 or 1e-3, or nothing if it is not known", 2, 5},
		{"time,service,value\n1,x,\"1,5\"\n", "value is a number like 12.5 or 1e-3, or nothing if it is not known", 2, 5},
		{"time;service;reports\n1,x,5\n", "time is one like 2025-03-10T09:45:00Z, 2025-03-10 09:45 or 1741599900", 2, 1},
		{HEAD "time,service,reports\n", "the header stands here again: give files one by one, not joined", 3, 1},
		{HEAD "03/10/2025 09:45,x,5\n", "a day like 3/10/2025 is in March or in October: write it as 2025-03-10 09:45", 3, 1},
		{HEAD "2200-01-01,x,5\n", "time is in the years 1970 to 2199", 3, 1},
		{HEAD "2025-3-10,x,5\n", "time is one like 2025-03-10T09:45:00Z, 2025-03-10 09:45 or 1741599900", 3, 1},
		{HEAD "2025-02-30,x,5\n", "time is one like 2025-03-10T09:45:00Z, 2025-03-10 09:45 or 1741599900", 3, 1},
		{"time,reports\n", "the header names no column service, and no service was given", 1, 1},
		{"time,service\n", "the header names no column reports (counts) or value (a metric)", 1, 1},
		{"time,service,Time,reports\n", "the header names a column twice", 1, 14},
		{"time,\"service\n", "a quoted field does not end: a quote within it is written twice", 2, 1},
		{HEAD "soon,x,5\n", "time is one like 2025-03-10T09:45:00Z, 2025-03-10 09:45 or 1741599900", 3, 1},
		{HEAD "2,,5\n", "service is one line of text of 1 to 64 bytes", 3, 3},
		{HEAD "2,\xff,5\n", "service is one line of text of 1 to 64 bytes", 3, 3},
		{HEAD "2,x,-5\n", NUMBER, 3, 5},
		{HEAD "2,x,1.5\n", NUMBER, 3, 5},
		{HEAD "2,x,1000000001\n", NUMBER, 3, 5},
		{HEAD "2,x,1.000000001e9\n", NUMBER, 3, 5},
		{HEAD "2,x,5,6\n", "the row has more fields than the header", 3, 7},
		{HEAD "2,x\n", "the row has fewer fields than the header", 3, 3},
		{HEAD "\n2,x,5\n", "a blank line: rows must follow each other", 3, 1},
		{HEAD "2,x\"y,5\n", "a quote within a field: the whole field must be quoted", 3, 4},
		{HEAD "2,\"x\"y,5\n", "text after a closing quote: what ends a field is missing", 3, 6},
		{HEAD "2,x,5\r6,x,7\n", "a carriage return without a line feed", 3, 6},
		{HEAD "2,\"x\ny\",5\n", "service is one line of text of 1 to 64 bytes", 4, 1},
		{"time,service,value\n1,x,5\n2,x,five\n", "value is a number like 12.5 or 1e-3, or nothing if it is not known", 3, 5},
	};
#undef HEAD
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct counts c;
		struct counts_row row = {.reports = 77};
		struct wd_why why = {0};
		bool end = false;
		enum wd_err err = counts_begin(&c, cases[i].file, strlen(cases[i].file), &plain_options, &why);
		while (err == WD_OK && !end)
			err = counts_next(&c, &row, &end, &why);
		assert_int_equal(err, WD_MALFORMED);
		assert_string_equal(why.what, cases[i].what);
		assert_int_equal(c.line, cases[i].line);
		assert_int_equal(c.column, cases[i].column);
		assert_int_equal(why.at, cases[i].line);
	}
}

static void a_field_of_any_length_is_no_trouble_unless_it_is_used(void **state)
{
	enum { LONG = 100000 };
	char *file = malloc(LONG + 64);
	struct counts c;
	struct counts_row rows[1];
	(void)state;
	assert_non_null(file);
	int head = snprintf(file, 64, "note,time,service,reports\n");
	memset(file + head, 'w', LONG);
	memcpy(file + head + LONG, ",1,x,5\n", 8);
	assert_int_equal(read_all(file, &plain_options, &c, rows, 1), 1);
	memcpy(file, "time,note,service,reports\n", (size_t)head);
	bool end;
	assert_int_equal(counts_begin(&c, file, strlen(file), &plain_options, NULL), WD_OK);
	assert_int_equal(counts_next(&c, &rows[0], &end, NULL), WD_MALFORMED);
	free(file);
}

static char *load(const char *name)
{
	const char *folder = getenv("WHYDOWN_TEST_DATA");
	const char *source = getenv("SOURCE");
	char path[4096];
	if (folder != NULL)
		snprintf(path, sizeof(path), "%s/outage/%s", folder, name);
	else
		snprintf(path, sizeof(path), "%s/../shared/data/outage/%s", source != NULL ? source : "..", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		print_message("no %s: not tried\n", path);
		return NULL;
	}
	char *text = calloc(1, 1 << 22);
	assert_non_null(text);
	size_t len = fread(text, 1, (1 << 22) - 1, f);
	fclose(f);
	assert_true(len > 0 && len < (1 << 22) - 1);
	return text;
}

static size_t lines_of(const char *text)
{
	size_t lines = 0;
	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void real_recordings_are_read_to_their_last_row(void **state)
{
	static const struct { const char *file, *service; } cases[] = {
		{"downdetector-azure-gcp/counts.csv", NULL},
		{"nab/Twitter_volume_AAPL.csv", "AAPL"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		char *text = load(cases[i].file);
		struct counts_options o = {.service = cases[i].service};
		struct counts c;
		struct counts_row row;
		size_t rows = 0;
		bool end = false;
		if (text == NULL)
			continue;
		assert_int_equal(counts_begin(&c, text, strlen(text), &o, NULL), WD_OK);
		while (assert_int_equal(counts_next(&c, &row, &end, NULL), WD_OK), !end)
			rows++;
		assert_int_equal(rows + c.gaps, lines_of(text) - 1);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_whatever_the_order_and_the_quotes),
		cmocka_unit_test(a_row_may_say_how_wide_its_bucket_is),
		cmocka_unit_test(a_file_without_services_takes_the_one_that_is_given),
		cmocka_unit_test(a_row_without_its_number_is_a_gap),
		cmocka_unit_test(a_day_alone_begins_at_midnight),
		cmocka_unit_test(fields_end_with_what_ends_them_in_the_header),
		cmocka_unit_test(eight_digits_are_days_if_those_of_the_first_row_are),
		cmocka_unit_test(every_error_has_its_line_and_column_and_says_what_would_be_right),
		cmocka_unit_test(a_field_of_any_length_is_no_trouble_unless_it_is_used),
		cmocka_unit_test(real_recordings_are_read_to_their_last_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
