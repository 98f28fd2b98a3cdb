/* SPDX-License-Identifier: Apache-2.0 */
#include "command/export.h"
#include "store/testing.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char output[1 << 16];

/* Runs it with both outputs going to a file; returns its status. */
static int run(const char *const *args)
{
	char *argv[16] = {NULL};
	int argc = 0;
	for (; args[argc] != NULL; argc++)
		argv[argc] = strdup(args[argc]);
	FILE *file = tmpfile();
	assert_non_null(file);
	fflush(stdout);
	fflush(stderr);
	int out = dup(1), err = dup(2);
	dup2(fileno(file), 1);
	dup2(fileno(file), 2);
	int status = command_export(argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(file);
	size_t len = fread(output, 1, sizeof(output) - 1, file);
	output[len] = '\0';
	fclose(file);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return status;
}

#define RUN(...) run((const char *const[]){"export", __VA_ARGS__, NULL})

static struct folder folder_filled(void)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct frames frames;
	struct incident i = {.began_at = wall_s(1020), .decided_at = wall_s(1080), .step = span_s(60),
			     .state = INCIDENT_OPEN, .severity = 9};
	frames = (struct frames){.len = 0};
	frames_add(&frames, 1, 0, "=cmd|' /C calc'!A0");
	frames_add(&frames, 2, 7, "");
	struct store_batch b = frames_batch(&frames, 1001, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	snprintf(i.id, sizeof(i.id), "x-1");
	snprintf(i.service, sizeof(i.service), "x");
	assert_int_equal(store_put_incident(s, &i, &(struct store_change){"opened", wall_s(1080)}, NULL), WD_OK);
	store_close(s);
	return f;
}

static void reports_come_as_csv_and_ndjson(void **state)
{
	struct folder f = folder_filled();
	(void)state;
	assert_int_equal(RUN("--data", f.path, "--format", "csv", "--all-comments"), 0);
	assert_string_equal(output,
		"time,received,kind,id,service,surface,problem,count,value,step,country,region,city,network,"
		"comment,feeder\n"
		"1970-01-01T00:16:40Z,1970-01-01T00:16:41Z,report,,x,app,,1,,0,,,,,\"'=cmd|' /C calc'!A0\",\n"
		"1970-01-01T00:16:40Z,1970-01-01T00:16:41Z,report,07000000000000000000000000000000,x,app,,1,,0,"
		",,,,,\n");
	assert_int_equal(RUN("--data", f.path), 0);
	assert_null(strstr(output, "calc")); /* nobody approved it */
	assert_non_null(strstr(output, "\"received\":\"1970-01-01T00:16:41Z\""));
	assert_int_equal(RUN("--data", f.path, "--from", "1970-01-01T00:16:41Z"), 0);
	assert_string_equal(output, "");
	folder_remove(&f);
}

static void counts_and_incidents_come_as_both(void **state)
{
	struct folder f = folder_filled();
	(void)state;
	assert_int_equal(RUN("--data", f.path, "--what", "counts", "--format", "csv", "--bucket", "15m"), 0);
	assert_string_equal(output, "time,service,reports,step\n1970-01-01T00:15:00Z,x,2,900\n");
	assert_int_equal(RUN("--data", f.path, "--what", "counts"), 0);
	assert_string_equal(output, "{\"v\":1,\"kind\":\"count\",\"at\":\"1970-01-01T00:16:00Z\",\"step\":60,"
				    "\"service\":\"x\",\"count\":2}\n");
	assert_int_equal(RUN("--data", f.path, "--what", "incidents", "--format", "csv"), 0);
	assert_non_null(strstr(output, "\nx-1,x,open,major,1970-01-01T00:17:00Z,1970-01-01T00:18:00Z,,"));
	assert_int_equal(RUN("--data", f.path, "--what", "incidents", "--service", "y"), 0);
	assert_string_equal(output, "");
	folder_remove(&f);
}

static void traces_come_as_lines_of_their_service(void **state)
{
	struct folder f = folder_filled();
	struct trace *t = calloc(1, sizeof(*t));
	struct store *s = store_must_open(&f);
	(void)state;
	assert_non_null(t);
	snprintf(t->incident, sizeof(t->incident), "x-19700101-0017");
	t->begin = wall_s(1020);
	assert_int_equal(store_trace_put(s, t, NULL), WD_OK);
	store_close(s);
	assert_int_equal(RUN("--data", f.path, "--what", "traces"), 0);
	assert_non_null(strstr(output, "{\"v\":1,\"incident\":\"x-19700101-0017\","));
	assert_int_equal(RUN("--data", f.path, "--what", "traces", "--service", "x"), 0);
	assert_non_null(strstr(output, "x-19700101-0017"));
	assert_int_equal(RUN("--data", f.path, "--what", "traces", "--service", "x-19700101"), 0);
	assert_string_equal(output, "");
	assert_int_equal(RUN("--data", f.path, "--what", "traces", "--format", "csv"), 2);
	folder_remove(&f);
	free(t);
}

static void mistakes_are_told_with_what_would_be_right(void **state)
{
	struct folder f = folder_make();
	(void)state;
	assert_int_equal(RUN("--what", "reports"), 2);
	assert_non_null(strstr(output, "--data FOLDER is missing"));
	assert_int_equal(RUN("--data", f.path, "--format", "xml"), 2);
	assert_non_null(strstr(output, "--format xml: would be right: ndjson, csv"));
	assert_int_equal(RUN("--data", f.path, "--bucket", "0m"), 2);
	assert_int_equal(RUN("--data", f.path, "--from", "yesterday"), 2);
	assert_int_equal(RUN("--data", f.path, "more"), 2);
	assert_int_equal(RUN("--data", f.path), 1);
	assert_non_null(strstr(output, "there is no whydown.db"));
	assert_int_equal(RUN("--help"), 0);
	assert_non_null(strstr(output, "usage: whydown export"));
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_come_as_csv_and_ndjson),
		cmocka_unit_test(counts_and_incidents_come_as_both),
		cmocka_unit_test(traces_come_as_lines_of_their_service),
		cmocka_unit_test(mistakes_are_told_with_what_would_be_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
