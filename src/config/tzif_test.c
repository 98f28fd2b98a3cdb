/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tzif.h"

#include "base/timetext.h"
#include "config/tzrule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* The zone file of this system; NULL (and a line why) if there is none. */
static uint8_t *load(const char *name, size_t *ret_len)
{
	char path[200];
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		printf("skipped: no %s\n", path);
		return NULL;
	}
	uint8_t *bytes = malloc(1 << 16);
	assert_non_null(bytes);
	*ret_len = fread(bytes, 1, 1 << 16, f);
	fclose(f);
	return bytes;
}

static int64_t at(const char *text)
{
	wd_wall t;
	assert_int_equal(timetext_read(text, strlen(text), &t, NULL), WD_OK);
	return wall_to_s(t);
}

static int32_t east_at(const struct zone *z, int64_t t_s)
{
	return (int32_t)(wall_to_s(zone_local(z, wall_s(t_s))) - t_s);
}

/* The C library reads the same files with other code. */
static void the_offsets_are_those_of_the_c_library(void **state)
{
	static const char *const names[] = {
		"Europe/London", "America/New_York", "Asia/Kolkata",  "Australia/Lord_Howe",
		"America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "Asia/Tehran",
		"Pacific/Chatham", "Europe/Dublin", "America/Caracas", "Asia/Tokyo",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct zone z = {.count = 0};
		size_t len = 0;
		uint8_t *bytes = load(names[i], &len);
		if (bytes == NULL)
			continue;
		assert_int_equal(tzif_read(bytes, len, &z, NULL), WD_OK);
		free(bytes);
		setenv("TZ", names[i], 1);
		tzset();
		/* Every half hour would be 440 000 a zone: 47 minutes meet every hour of a day. */
		for (int64_t t_s = at("2015-01-01T00:00:00Z"); t_s < at("2041-01-01T00:00:00Z"); t_s += 47 * 60) {
			time_t t = (time_t)t_s;
			struct tm tm;
			localtime_r(&t, &tm);
			if (east_at(&z, t_s) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, not %ld", names[i], (long long)t_s, east_at(&z, t_s),
					 tm.tm_gmtoff);
		}
	}
	unsetenv("TZ");
	tzset();
}

static void known_changes_are_there_to_the_second(void **state)
{
	static const struct { const char *name, *change; int32_t before_s, after_s; } cases[] = {
		{"Europe/London", "2025-03-30T01:00:00Z", 0, 3600},
		{"Europe/London", "2025-10-26T01:00:00Z", 3600, 0},
		{"America/New_York", "2025-03-09T07:00:00Z", -18000, -14400},
		{"America/New_York", "2040-11-04T06:00:00Z", -14400, -18000},
		{"Australia/Lord_Howe", "2025-04-05T15:00:00Z", 39600, 37800},
		{"Asia/Kolkata", "2025-03-30T01:00:00Z", 19800, 19800},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zone z = {.count = 0};
		size_t len = 0;
		uint8_t *bytes = load(cases[i].name, &len);
		if (bytes == NULL)
			continue;
		assert_int_equal(tzif_read(bytes, len, &z, NULL), WD_OK);
		assert_int_equal(east_at(&z, at(cases[i].change) - 1), cases[i].before_s);
		assert_int_equal(east_at(&z, at(cases[i].change)), cases[i].after_s);
		free(bytes);
	}
}

static void every_cut_file_is_refused_and_leaves_the_zone_alone(void **state)
{
	size_t len = 0;
	(void)state;
	uint8_t *bytes = load("Europe/London", &len);
	if (bytes == NULL)
		return;
	for (size_t cut = 0; cut < len; cut++) {
		struct zone z = {.east_s = 42, .count = 0};
		uint8_t *exact = malloc(cut + 1);
		assert_non_null(exact);
		memcpy(exact, bytes, cut);
		struct wd_why why;
		assert_int_not_equal(tzif_read(exact, cut, &z, &why), WD_OK);
		assert_int_equal(z.east_s, 42);
		free(exact);
	}
	free(bytes);
}

static void malformed_rules_are_refused(void **state)
{
	static const char *const wrong[] = {
		"", "GM", "GMT", "GMT0BST", "GMT0BST,M3.5.0", "GMT0BST,M3.5.0/1,M10.5.0x",
		"GMT0BST,M13.5.0,M10.5.0", "GMT0BST,M3.6.0,M10.5.0", "GMT0BST,M3.5.7,M10.5.0",
		"GMT0BST,M0.5.0,M10.5.0", "GMT0BST,J0,J300", "GMT0BST,J366,J1", "<+05", "<+05>", "GMT99",
		"GMT0:60", "GMT0BST,M3.5.0/168,M10.5.0", "GMT99999999999999999999",
	};
	static const char *const right[] = {
		"UTC0", "<+0530>-5:30", "GMT0BST,M3.5.0/1,M10.5.0", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
		"EST5EDT,M3.2.0,M11.1.0", "XXX-3:15:30YYY-4,J60/0,364/167",
	};
	struct tzrule rule;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (tzrule_read(wrong[i], strlen(wrong[i]), &rule))
			fail_msg("`%s` should be wrong", wrong[i]);
	}
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		if (!tzrule_read(right[i], strlen(right[i]), &rule))
			fail_msg("`%s` should be right", right[i]);
	}
}

static void a_rule_says_when_the_clocks_change(void **state)
{
	static const struct { const char *rule; int year; const char *first, *second; } cases[] = {
		{"GMT0BST,M3.5.0/1,M10.5.0", 2025, "2025-03-30T01:00:00Z", "2025-10-26T01:00:00Z"},
		{"EST5EDT,M3.2.0,M11.1.0", 2026, "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"},
		/* South: daylight time ends first. */
		{"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2025, "2025-04-05T15:00:00Z", "2025-10-04T15:30:00Z"},
		/* Day 60 is 1 March with J, and 29 February or 1 March without, counted from 0. */
		{"AAA0BBB,J60/0,J365/0", 2024, "2024-03-01T00:00:00Z", "2024-12-30T23:00:00Z"},
		{"AAA0BBB,59/0,J365/0", 2024, "2024-02-29T00:00:00Z", "2024-12-30T23:00:00Z"},
		{"AAA0BBB,59/0,J365/0", 2025, "2025-03-01T00:00:00Z", "2025-12-30T23:00:00Z"},
		/* The evening before, as Greenland writes it. */
		{"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2025, "2025-03-30T01:00:00Z", "2025-10-26T01:00:00Z"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tzrule rule;
		struct zone_change changes[2];
		assert_true(tzrule_read(cases[i].rule, strlen(cases[i].rule), &rule));
		tzrule_year(&rule, cases[i].year, changes);
		if (changes[0].at_s != at(cases[i].first) || changes[1].at_s != at(cases[i].second))
			fail_msg("%s in %d: %lld, %lld", cases[i].rule, cases[i].year,
				 (long long)changes[0].at_s, (long long)changes[1].at_s);
	}
}

enum { FILE_MAX = 200 };

/* A file of version 2 without any time: of nothing but its rule. */
static size_t write_file(uint8_t *dst, const char *rule)
{
	uint8_t block[44 + 7] = "TZif2"; /* header; one type; one character */
	size_t len = 0;

	block[39] = 1; /* types */
	block[43] = 1; /* characters */
	for (int n = 0; n < 2; n++, len += sizeof(block))
		memcpy(dst + len, block, sizeof(block));
	return len + (size_t)snprintf((char *)dst + len, FILE_MAX - len, "\n%s\n", rule);
}

/* RFC 8536 3.3.1: daylight time that ends when it begins again is on all year. */
static void daylight_time_may_be_on_all_year(void **state)
{
	static const struct { const char *rule; int32_t east_s; } cases[] = {
		{"XXX3EDT4,0/0,J365/23", -4 * 3600}, /* the RFC's own */
		{"EST5EDT,0/0,J365/25", -4 * 3600},
		{"EST5", -5 * 3600},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zone z = {.count = 0};
		uint8_t file[FILE_MAX];
		struct wd_why why = {0};
		size_t len = write_file(file, cases[i].rule);
		if (tzif_read(file, len, &z, &why) != WD_OK)
			fail_msg("%s: %s", cases[i].rule, why.what);
		for (int year = 2016; year < 2040; year++) {
			char text[32];
			snprintf(text, sizeof(text), "%d-01-01T00:00:00Z", year);
			for (int hour = 0; hour < 24 * 365; hour += 7)
				assert_int_equal(east_at(&z, at(text) + hour * 3600),
						 cases[i].east_s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_offsets_are_those_of_the_c_library),
		cmocka_unit_test(known_changes_are_there_to_the_second),
		cmocka_unit_test(every_cut_file_is_refused_and_leaves_the_zone_alone),
		cmocka_unit_test(daylight_time_may_be_on_all_year),
		cmocka_unit_test(malformed_rules_are_refused),
		cmocka_unit_test(a_rule_says_when_the_clocks_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
