/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/metrics.h"

#include "publish/site_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
	}
	return false;
}

static void known_values_are_told_and_unknown_ones_left_out(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct http_counters http = {.accepted = 17};
	struct metrics m;
	struct buf b;
	(void)state;
	metrics_init(&m);
	m.value[METRIC_INTAKE_ACCEPTED] = 42;
	buf_init(&b, 1 << 20);
	metrics_write(&b, &m, snapshot);
	assert_true(has_line(b.data, "whydown_intake_accepted_total 42"));
	assert_true(has_line(b.data, "whydown_reports_total 120000"));
	assert_true(has_line(b.data, "whydown_incidents_untraced_total 3"));
	assert_true(has_line(b.data, "whydown_services_incident 1"));
	assert_true(has_line(b.data, "whydown_service_status{service=\"x\"} 3"));
	assert_null(strstr(b.data, "whydown_journal_commits_total"));
	assert_null(strstr(b.data, "nan"));
	assert_null(strstr(b.data, "whydown_http_"));
	m.http = &http;
	buf_reset(&b);
	metrics_write(&b, &m, snapshot);
	assert_true(has_line(b.data, "whydown_http_accepted_total 17"));
	buf_done(&b);
	snapshot_release(snapshot);
}

/* Prometheus' text format 0.0.4: each name has HELP and TYPE before its samples, once. */
static void every_sample_follows_its_help_and_type(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_HOSTILE);
	struct http_counters http = {0};
	struct metrics m = {.http = &http};
	struct buf b;
	char name[100] = "";
	size_t samples = 0;
	(void)state;
	buf_init(&b, 1 << 20);
	metrics_write(&b, &m, snapshot);
	for (char *line = b.data; *line != '\0'; line += strcspn(line, "\n") + 1) {
		char head[140];
		if (strncmp(line, "# HELP ", 7) == 0) {
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 7, " "), line + 7);
			snprintf(head, sizeof(head), "# HELP %s ", name);
			assert_null(strstr(line + 1, head));
			snprintf(head, sizeof(head), "\n# TYPE %s ", name);
			assert_ptr_equal(strstr(line, head), line + strcspn(line, "\n"));
		} else if (line[0] != '#') {
			size_t len = strcspn(line, " {");
			assert_int_equal(len, strlen(name));
			assert_memory_equal(line, name, len);
			samples++;
		}
	}
	assert_true(samples > 300);
	buf_done(&b);
	snapshot_release(snapshot);
}

static void names_are_as_prometheus_wants_them(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	metrics_document(&b);
	for (const char *at = b.data; (at = strstr(at, "\n| `")) != NULL; at++) {
		size_t len = strcspn(at + 4, "`");
		bool total = strncmp(at + 4 + len - 6, "_total", 6) == 0;
		bool counter = strncmp(at + 4 + len, "` | counter |", 13) == 0;
		bool process = strncmp(at + 4, "process_", 8) == 0; /* Prometheus' own names */
		assert_int_equal(strspn(at + 4, "abcdefghijklmnopqrstuvwxyz0123456789_"), len);
		if (total != counter && !process)
			fail_msg("%.*s", (int)len, at + 4);
	}
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values_are_told_and_unknown_ones_left_out),
		cmocka_unit_test(every_sample_follows_its_help_and_type),
		cmocka_unit_test(names_are_as_prometheus_wants_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
