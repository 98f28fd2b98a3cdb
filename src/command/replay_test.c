/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `replay` and `simulate` as they are called, each in a process of its own. */
#include "command/replay.h"
#include "command/simulate.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/timetext.h"
#include "model/incident.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <zlib.h>

static char folder[] = "/tmp/whydown-replay-XXXXXX";
static char data[PATH_MAX]; /* the public inputs' folder; "" = they are not here */
static const char *const files[] = {"out", "err", "a.scenario", "a.ndjson", "b.ndjson", "a.ndjson.gz", "a.csv",
				    "b.csv", "c.csv", "a.log"};

static int make_folder(void **state)
{
	(void)state;
	const char *given = getenv("WHYDOWN_TEST_DATA"); /* else beside the source tree, seen from build/ */
	if (realpath(given != NULL ? given : "../../shared/data", data) == NULL)
		data[0] = '\0';
	return mkdtemp(folder) == NULL ? -1 : chdir(folder);
}

static int drop_folder(void **state)
{
	(void)state;
	for (size_t i = 0; i < WD_COUNT(files); i++)
		unlink(files[i]);
	return chdir("/") != 0 ? -1 : rmdir(folder);
}

static void write_file(const char *name, const char *text, size_t len)
{
	FILE *f = fopen(name, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* The caller frees. */
static char *read_file(const char *name, size_t *ret_len)
{
	FILE *f = fopen(name, "rb");
	char *text = NULL;
	size_t len = 0, cap = 0, got;
	assert_non_null(f);
	do {
		cap = cap * 2 + 65536;
		text = realloc(text, cap + 1);
		assert_non_null(text);
		got = fread(text + len, 1, cap - len, f);
		len += got;
	} while (got > 0);
	fclose(f);
	text[len] = '\0';
	if (ret_len != NULL)
		*ret_len = len;
	return text;
}

/* Runs "replay …" or "simulate …" with stdin from `in` (or nothing); its status. What it
 * printed is in the files out and err. */
static int run(const char *in, const char *line)
{
	char copy[PATH_MAX + 256], *argv[32];
	int argc = 0, status;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *at = copy; *at != '\0' && argc < 31;) {
		argv[argc++] = at;
		at += strcspn(at, " ");
		if (*at == ' ')
			*at++ = '\0';
	}
	argv[argc] = NULL;
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fds[] = {open(in == NULL ? "/dev/null" : in, O_RDONLY),
			     open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600),
			     open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600)};
		for (int i = 0; i < 3; i++) {
			if (fds[i] < 0 || dup2(fds[i], i) < 0)
				_exit(99);
		}
		int result = strcmp(argv[0], "replay") == 0 ? command_replay(argc, argv)
							    : command_simulate(argc, argv);
		fflush(NULL);
		_exit(result);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void expect(int status, const char *in, const char *line)
{
	int got = run(in, line);
	if (got != status) {
		char *err = read_file("err", NULL);
		fail_msg("%s: status %d, not %d: %s", line, got, status, err);
	}
}

static void expect_in(const char *name, const char *text)
{
	char *whole = read_file(name, NULL);
	if (strstr(whole, text) == NULL)
		fail_msg("%s is not in %s: %.500s", text, name, whole);
	free(whole);
}

static void expect_same(const char *a, const char *b)
{
	size_t a_len, b_len;
	char *a_text = read_file(a, &a_len), *b_text = read_file(b, &b_len);
	assert_true(a_len > 0);
	assert_int_equal(a_len, b_len);
	assert_memory_equal(a_text, b_text, a_len);
	free(a_text);
	free(b_text);
}

static const char scenario[] =
	"title a test\nbegins 2025-03-03 00:00 UTC\nlasts 8 days\nseed 11\n"
	"service x\nusually 3 reports a minute\nsurfaces app 60%, website 40%\ncountries GB 60%, US 40%\n"
	"service y\nusually 1 reports a minute\n"
	"outage of x\nbegins after 7 days 10 hours\nrises for 5 minutes\nstays for 1 hour\nfalls for 10 minutes\n"
	"peaks at 20 times the usual\n";

static void record(void)
{
	write_file("a.scenario", scenario, sizeof(scenario) - 1);
	expect(0, NULL, "simulate a.scenario --out a.ndjson");
}

static void the_same_seed_records_the_same_bytes_and_another_does_not(void **state)
{
	(void)state;
	record();
	expect(0, NULL, "simulate a.scenario --seed 11 --out b.ndjson");
	expect_same("a.ndjson", "b.ndjson");
	expect(0, NULL, "simulate a.scenario --seed 12");
	size_t a, b;
	free(read_file("a.ndjson", &a));
	free(read_file("out", &b));
	assert_int_not_equal(a, b);
}

static void an_incident_is_one_line_of_json_that_reads_back_the_same(void **state)
{
	(void)state;
	static const char *const members[] = {"service", "decided_at", "began_at", "ended_at", "peak_observed",
					      "peak_expected", "severity", "waves", "scope"};
	record();
	expect(0, NULL, "replay --format json a.ndjson");
	size_t len, found = 0;
	char *text = read_file("out", &len);
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		json_error_t error;
		json_t *json = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &error);
		if (json == NULL)
			fail_msg("%s: %.200s", error.text, line);
		for (size_t i = 0; i < WD_COUNT(members); i++)
			assert_non_null(json_object_get(json, members[i]));
		const char *began = json_string_value(json_object_get(json, "began_at"));
		found += began != NULL && strncmp(began, "2025-03-10T10:0", 15) == 0 &&
			 strcmp(json_string_value(json_object_get(json, "service")), "x") == 0;
		json_decref(json);

		struct incident i;
		struct buf again;
		assert_int_equal(incident_from_json(line, (size_t)(end - line), &i, NULL), WD_OK);
		buf_init(&again, 1 << 20);
		incident_to_json(&again, &i);
		assert_int_equal(again.len, end - line);
		assert_memory_equal(again.data, line, again.len);
		buf_done(&again);
	}
	assert_int_equal(found, 1);
	free(text);
}

static void plain_compressed_and_piped_recordings_give_the_same(void **state)
{
	(void)state;
	record();
	size_t len;
	char *text = read_file("a.ndjson", &len);
	gzFile f = gzopen("a.ndjson.gz", "wb1");
	assert_non_null(f);
	assert_int_equal(gzwrite(f, text, (unsigned)len), len);
	assert_int_equal(gzclose(f), Z_OK);
	free(text);
	expect(0, NULL, "replay --format json a.ndjson");
	assert_int_equal(rename("out", "b.ndjson"), 0);
	expect(0, NULL, "replay --format json a.ndjson.gz");
	expect_same("out", "b.ndjson");
	expect(0, "a.ndjson", "replay --format json -");
	expect_same("out", "b.ndjson");
}

/* The services of one file, parted into two, make the same scores. */
static void several_files_are_merged_by_time(void **state)
{
	(void)state;
	write_file("a.scenario", scenario, sizeof(scenario) - 1);
	expect(0, NULL, "simulate a.scenario --format csv --bucket 15m --out c.csv");
	size_t len, a_len = 0, b_len = 0;
	char *text = read_file("c.csv", &len), *a = malloc(len + 1), *b = malloc(len + 1);
	assert_true(a != NULL && b != NULL);
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		size_t line_len = (size_t)(end - line) + 1;
		bool header = line == text, x = strstr(line, ",x,") != NULL && strstr(line, ",x,") < end;
		if (header || x)
			memcpy(a + (a_len += line_len) - line_len, line, line_len);
		if (header || !x)
			memcpy(b + (b_len += line_len) - line_len, line, line_len);
	}
	write_file("a.csv", a, a_len);
	write_file("b.csv", b, b_len);
	free(text);
	free(a);
	free(b);
	expect(0, NULL, "replay --format scores c.csv");
	assert_int_equal(rename("out", "b.ndjson"), 0);
	expect(0, NULL, "replay --format scores a.csv b.csv");
	expect_same("out", "b.ndjson");
	expect(0, NULL, "replay --format json c.csv");
	expect_in("out", "\"service\":\"x\"");
	expect_in("out", "\"step_s\":900");
}

static void scores_have_a_line_for_every_row_with_its_number(void **state)
{
	(void)state;
	write_file("a.scenario", scenario, sizeof(scenario) - 1);
	expect(0, NULL, "simulate a.scenario --format csv --bucket 1h --out c.csv");
	expect(0, NULL, "replay --format scores --quiet c.csv");
	char *rows = read_file("c.csv", NULL), *scores = read_file("out", NULL), *score = scores, *row = rows;
	const char *header = "time,service,observed,expected,low,high,log10_odds\n";
	size_t lines = 0;
	assert_int_equal(strncmp(scores, header, strlen(header)), 0);
	while ((row = strchr(row, '\n') + 1) != (char *)1 && *row != '\0') {
		char prefix[128], *end;
		score = strchr(score, '\n') + 1;
		/* time, service and number are the row's own; then four numbers more. */
		size_t len = strcspn(row, "\n");
		snprintf(prefix, sizeof(prefix), "%.*s,", (int)len, row);
		assert_int_equal(strncmp(score, prefix, len + 1), 0);
		double low_to_high[4];
		char *at = score + len;
		for (int i = 0; i < 4; i++, at = end) {
			assert_int_equal(*at, ',');
			low_to_high[i] = strtod(at + 1, &end);
			assert_true(end > at + 1 && isfinite(low_to_high[i]));
		}
		assert_int_equal(*at, '\n');
		assert_true(low_to_high[1] <= low_to_high[2]); /* low, high */
		lines++;
	}
	assert_int_equal(lines, 2 * 8 * 24);
	assert_int_equal(strlen(strchr(score, '\n')), 1);
	free(rows);
	free(scores);
	char *err = read_file("err", NULL);
	assert_string_equal(err, ""); /* quiet */
	free(err);
}

/* A latency that is 100 on most days, 250 for two hours of one and 20 of another. */
static void a_metric_is_judged_on_both_sides(void **state)
{
	(void)state;
	FILE *f = fopen("a.csv", "wb");
	struct prng r = prng_of(1, 1);
	assert_non_null(f);
	fputs("time,service,value\n", f);
	for (int n = 0; n < 40 * 288; n++) {
		double value = 100 + 5 * prng_normal(&r);
		if (n / 24 == 37 * 12 + 5)
			value += 150;
		if (n / 24 == 38 * 12 + 5)
			value -= 80;
		fprintf(f, "%d,latency,%.3f\n", 1700000100 + n * 300, value);
	}
	assert_int_equal(fclose(f), 0);
	expect(0, NULL, "replay --format json a.csv");
	size_t high = 0, low = 0;
	char *text = read_file("out", NULL);
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		struct incident i;
		assert_int_equal(incident_from_json(line, (size_t)(end - line), &i, NULL), WD_OK);
		int64_t row = (wall_to_s(i.decided_at) - 1700000100) / 300;
		high += row >= (37 * 12 + 5) * 24 && row < (37 * 12 + 6) * 24 && i.peak_observed > 200;
		low += row >= (38 * 12 + 5) * 24 && row < (38 * 12 + 6) * 24;
	}
	free(text);
	assert_int_equal(high, 1);
	assert_int_equal(low, 1);
}

static void a_bad_line_is_told_with_its_place_or_passed_over(void **state)
{
	(void)state;
	const char *csv = "time,service,reports\n0,x,1\n60,x,many\n120,x,2\n";
	write_file("a.csv", csv, strlen(csv));
	expect(1, NULL, "replay a.csv");
	expect_in("err", "a.csv:3:6: reports is a whole number");
	expect(0, NULL, "replay --skip-bad a.csv");
	expect_in("err", "1 bad line passed over: a.csv:3:6: reports is a whole number");
	csv = "time,service,reports\n1/2/2025,x,1\n1/3/2025,x,2\n";
	write_file("b.csv", csv, strlen(csv));
	expect(1, NULL, "replay --skip-bad b.csv");
	expect_in("err", "b.csv: no row of the file is right\n  2 bad lines passed over, the first b.csv:2:1: a day like");
	expect(2, NULL, "replay --from 2025-03-11 --to 20250310 a.csv");
	expect_in("err", "--to is no later than --from");
	csv = "time,service,reports\n2025-03-09T23:59Z,x,1\n2025-03-10T00:00Z,x,2\n2025-03-11T00:00Z,x,3\n";
	write_file("a.csv", csv, strlen(csv));
	expect(0, NULL, "replay --format scores --from 2025-03-10 --to 20250311 a.csv");
	char *scores = read_file("out", NULL);
	assert_non_null(strstr(scores, "log10_odds\n2025-03-10T00:00:00Z,x,2,"));
	assert_null(strstr(scores, "2025-03-11"));
	free(scores);
	expect(1, NULL, "replay nowhere.csv");
	expect_in("err", "nowhere.csv: open: No such file");
	const char *bad = "begins 2025-03-03 00:00 UTC\nlasts 2 fortnights\n";
	write_file("a.scenario", bad, strlen(bad));
	expect(1, NULL, "simulate a.scenario");
	expect_in("err", "a.scenario:2:9: here stands a duration");
	expect_in("err", "    lasts 2 fortnights\n            ^\n");
	static const char *const wrong[] = {"replay", "replay --format xml a.csv", "replay --from noon a.csv",
					    "replay --false-a-month none a.csv", "simulate", "simulate a b",
					    "simulate --bucket 15 a", "simulate --seed x a", "simulate --speed 0 a"};
	for (size_t i = 0; i < WD_COUNT(wrong); i++)
		expect(2, NULL, wrong[i]);
}

/* Eleven things that are not there, asked for by one client: @ is the second, ~ the thing. */
static void write_log(const char *line)
{
	FILE *f = fopen("a.log", "w");
	assert_non_null(f);
	for (int i = 0; i < 11; i++)
		for (const char *p = line; *p != '\0'; p++) {
			if (*p == '@')
				fprintf(f, "%02d", i);
			else
				fputc(*p == '~' ? 'g' + i : *p, f);
		}
	assert_int_equal(fclose(f), 0);
}

/* A line over 64 KiB is none that was read. */
static void a_log_s_line_without_end_is_counted(void **state)
{
	static char query[70000];

	(void)state;
	memset(query, 'q', sizeof(query) - 1);
	FILE *f = fopen("a.log", "w");
	assert_non_null(f);
	for (int n = 0; n < 3; n++)
		fprintf(f, "192.0.2.7 - - [10/Mar/2025:09:00:0%d +0000] \"GET /?%s HTTP/1.1\" 200 5\n",
			n, n == 1 ? query : "a");
	assert_int_equal(fclose(f), 0);
	expect(0, NULL, "replay a.log");
	expect_in("err", "2 requests, 1 that cannot be read");
}

static void access_logs_of_each_form_are_told_by_their_content(void **state)
{
	static const char *const lines[] = {
		"192.0.2.7 - - [08/Jun/2020:08:04:@ +0530] \"GET /~ HTTP/1.1\" 404 7 \"-\" \"M\"\n",
		"{\"time_local\": \"08/Jun/2020:02:34:@ +0000\", \"remote_addr\": \"192.0.2.7\", "
		"\"request\": \"GET /~ HTTP/1.1\", \"status\": \"404\"}\n",
		"http 2020-06-08T02:34:@.1Z app/lb/5 192.0.2.7:28 10.0.0.1:80 0.1 0.1 0.1 404 404 3 3 "
		"\"GET http://h.example:80/~ HTTP/1.1\" \"M\" - -\n",
		"#Fields: date time c-ip cs-method sc-status cs-uri-stem\n"
		"2020-06-08 02:34:@ 192.0.2.7 GET 404 /~\n",
		"<134>Jun  8 02:34:00 lb haproxy[1]: 192.0.2.7:33 [08/Jun/2020:02:34:@.655] i b/s "
		"1/0/3/6/10 404 27 - - ---- 1/1/1/1/0 0/0 \"GET /~ HTTP/1.1\"\n",
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(lines); i++) {
		write_log(lines[i]);
		expect(0, NULL, "replay a.log");
		expect_in("out", "a: 2020-06-08 02:34:00 to 02:34:10 UTC, http.probe by 192.0.2.7: no incident");
		expect_in("err", "0 incidents, 1 client noted");
	}
	expect(0, NULL, "replay --quiet --format json a.log");
	char *text = read_file("out", NULL);
	json_t *note = json_loads(text, 0, NULL);
	assert_non_null(note);
	assert_string_equal(json_string_value(json_object_get(note, "state")), "noted");
	assert_string_equal(json_string_value(json_object_get(note, "client")), "192.0.2.7");
	json_decref(note);
	free(text);
}

static void a_log_of_unknown_form_is_told_with_its_line(void **state)
{
	(void)state;
	write_log("08.06.2020 08:04:@|192.0.2.7|404|GET /~ HTTP/1.1\n");
	expect(1, NULL, "replay a.log");
	expect_in("err", "nor is it an access log: line 1: ");
	expect_in("err", "tried: Common, Combined, JSON");
	expect(2, NULL, "replay --log-format $remote_addr a.log");
	expect_in("err", "--log-format: a format needs client, time and status");
	write_log("2020-06-08T08:04:@+00:00|192.0.2.7|404|GET /~ HTTP/1.1\n");
	expect(0, NULL, "replay --log-format $time_iso8601|$remote_addr|$status|$request a.log");
	expect_in("out", "http.probe by 192.0.2.7");
}

static void what_is_wrong_with_a_recording_is_told_without_talk_of_logs(void **state)
{
	static const struct { const char *file, *what; } cases[] = {
		{"time,service,reports\n", "a.csv: the file has a header and no row\n"},
		{"time,service,visits\n2025-03-10,x,5\n", "a.csv:1:1: the header names no column reports"},
		{"\n\n", "a.csv: the file is empty"},
		{"time,received,kind,id,service,count,value,step\n", "a.csv:1:1: single reports, as `whydown export"},
		{"time,service,reports\n1/2/2025,x,5\n", "a.csv:2:1: a day like 3/10/2025 is in March or in October"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		write_file("a.csv", cases[i].file, strlen(cases[i].file));
		expect(1, NULL, "replay a.csv");
		char *err = read_file("err", NULL);
		if (strstr(err, cases[i].what) == NULL || strstr(err, "access log") != NULL)
			fail_msg("%s", err);
		free(err);
	}
	gzFile packed = gzopen("a.ndjson.gz", "wb");
	for (int n = 0; n < 10000; n++)
		gzprintf(packed, "%s%d,x,%d\n", n == 0 ? "time,service,reports\n" : "", n * 60, n * 7919 % 100);
	gzclose(packed);
	assert_int_equal(truncate("a.ndjson.gz", 9000), 0);
	expect(1, NULL, "replay a.ndjson.gz");
	char *err = read_file("err", NULL);
	assert_string_equal(err, "a.ndjson.gz: the gzip file ends early\n");
	free(err);
}

enum { FORMS = 5 };

/* One moment as this and that program writes it. */
static void write_time(char dst[64], size_t form, wd_wall at)
{
	struct civil c = civil_of(at);
	switch (form) {
	case 0: timetext_write(dst, at); return;
	case 1: snprintf(dst, 64, "%02d.%02d.%d %02d:%02d", c.day, c.month, c.year, c.hour, c.minute); return;
	case 2: snprintf(dst, 64, "%d-%02d-%02d %02d:%02d:00+00", c.year, c.month, c.day, c.hour, c.minute); return;
	case 3: snprintf(dst, 64, "%lld", (long long)(at.ns / 1000000)); return;
	default: snprintf(dst, 64, "%d%02d%02dT%02d%02d", c.year, c.month, c.day, c.hour, c.minute); return;
	}
}

static void counts_are_read_however_their_times_and_fields_are_written(void **state)
{
	static const char ends[FORMS] = {',', ';', '\t', ',', ','};
	char *first = NULL;
	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		char text[65536], at[64], end = ends[i];
		int len = snprintf(text, sizeof(text), "time%cservice%creports\n", end, end);
		for (int n = 0; n < 1000; n++) {
			write_time(at, i, wall_s(1741564800 + n * 900));
			len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%cx%c%d\n", at, end, end,
					40 + n * 7919 % 13 + (n >= 900 && n < 908 ? 400 : 0));
		}
		write_file("a.csv", text, (size_t)len);
		expect(0, NULL, "replay --quiet --format json a.csv");
		char *out = read_file("out", NULL);
		assert_non_null(strstr(out, "\"began_at\":\"2025-03-19T09:00:00Z\""));
		if (first != NULL)
			assert_string_equal(out, first);
		free(first);
		first = out;
	}
	free(first);
}

static void buckets_that_are_not_judged_are_counted_as_that(void **state)
{
	FILE *f = fopen("a.csv", "w");
	(void)state;
	assert_non_null(f);
	fputs("time,service,reports\n", f);
	for (int n = 0; n < 20; n++)
		fprintf(f, "%d.%d,narrow,%d\n", n / 2, n % 2 * 5, n);
	for (int width = 1; width <= 66; width++)
		for (int n = 0; n < 3; n++)
			fprintf(f, "%d,s%d,%d\n", n * width * 60, width, n);
	assert_int_equal(fclose(f), 0);
	expect(0, NULL, "replay a.csv");
	expect_in("err", "  26 in buckets under a second, or of more than 64 different widths: not counted\n");
	char *err = read_file("err", NULL);
	assert_null(strstr(err, "services beyond"));
	free(err);
}

static void a_metric_is_no_count_of_the_same_service(void **state)
{
	const char *counts = "time,service,reports\n2025-03-10T00:00Z,x,40\n2025-03-10T00:15Z,x,41\n";
	const char *values = "time,service,value\n2025-03-10T00:30Z,x,0.5\n2025-03-10T00:45Z,x,0.6\n";
	(void)state;
	write_file("a.csv", counts, strlen(counts));
	write_file("b.csv", values, strlen(values));
	expect(0, NULL, "replay --format scores a.csv b.csv");
	expect_in("err", "  2 metrics of services of counts, or the other way round: not counted\n");
	char *out = read_file("out", NULL);
	assert_null(strstr(out, "T00:30:00Z"));
	free(out);
}

static void buckets_of_two_widths_of_one_service_are_told(void **state)
{
	const char *quarters = "time,service,reports\n2025-03-10T00:00Z,x,40\n2025-03-10T00:15Z,x,41\n";
	const char *hours = "time,service,reports\n2025-03-10T01:00Z,x,160\n2025-03-10T02:00Z,x,170\n";
	(void)state;
	write_file("a.csv", quarters, strlen(quarters));
	write_file("b.csv", hours, strlen(hours));
	expect(0, NULL, "replay a.csv b.csv");
	expect_in("err", "  2 of another width than their service's first buckets: taken as if of that\n");
	expect(0, NULL, "replay a.csv");
	char *err = read_file("err", NULL);
	assert_null(strstr(err, "another width"));
	free(err);
}

static void scenarios_are_listed_and_found_by_name(void **state)
{
	(void)state;
	expect(0, NULL, "simulate --list");
	expect_in("out", "x-2025-03-10");
	expect_in("out", "three waves (a reconstruction)");
	expect(0, NULL, "simulate slow-ramp --format csv --bucket 1h --begin 2024-05-06T00:00Z");
	expect_in("out", "time,service,reports\n2024-05-06T00:00:00Z,slowbank,");
	expect(0, NULL, "replay --help");
	expect_in("out", "usage: whydown replay");
}

/* Real reports of 63 outages (DETECTOR's frontier: at most 3 % missed). */
static void real_outages_are_found(void **state)
{
	(void)state;
	char path[PATH_MAX + 64], line[PATH_MAX + 128];
	snprintf(path, sizeof(path), "%s/outage/downdetector-azure-gcp/counts.csv", data);
	if (access(path, R_OK) != 0) {
		print_message("skipped: no %s\n", path);
		skip();
	}
	snprintf(line, sizeof(line), "replay --format json %s", path);
	expect(0, NULL, line);
	char *text = read_file("out", NULL), last[SERVICE_ID_MAX + 1] = "";
	size_t events = 0;
	for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		struct incident i;
		assert_int_equal(incident_from_json(at, (size_t)(end - at), &i, NULL), WD_OK);
		assert_int_equal(span_to_s(i.step), 900);
		events += strcmp(last, i.service) != 0; /* events do not overlap in time */
		memcpy(last, i.service, sizeof(last));
	}
	free(text);
	assert_in_range(events, 58, 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_seed_records_the_same_bytes_and_another_does_not),
		cmocka_unit_test(an_incident_is_one_line_of_json_that_reads_back_the_same),
		cmocka_unit_test(plain_compressed_and_piped_recordings_give_the_same),
		cmocka_unit_test(several_files_are_merged_by_time),
		cmocka_unit_test(scores_have_a_line_for_every_row_with_its_number),
		cmocka_unit_test(a_metric_is_judged_on_both_sides),
		cmocka_unit_test(a_bad_line_is_told_with_its_place_or_passed_over),
		cmocka_unit_test(a_log_s_line_without_end_is_counted),
		cmocka_unit_test(access_logs_of_each_form_are_told_by_their_content),
		cmocka_unit_test(a_log_of_unknown_form_is_told_with_its_line),
		cmocka_unit_test(what_is_wrong_with_a_recording_is_told_without_talk_of_logs),
		cmocka_unit_test(counts_are_read_however_their_times_and_fields_are_written),
		cmocka_unit_test(buckets_that_are_not_judged_are_counted_as_that),
		cmocka_unit_test(a_metric_is_no_count_of_the_same_service),
		cmocka_unit_test(buckets_of_two_widths_of_one_service_are_told),
		cmocka_unit_test(scenarios_are_listed_and_found_by_name),
		cmocka_unit_test(real_outages_are_found),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
