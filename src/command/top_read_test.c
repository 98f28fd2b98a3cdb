/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_read.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/timetext.h"
#include "command/top_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct top_services services;
static struct top_open open_now;
static struct top_detail detail;

static bool near(double a, double b)
{
	return a - b < 1e-6 * (1 + b) && b - a < 1e-6 * (1 + b);
}

static void read_services(const char *text, wd_wall now)
{
	top_services_done(&services);
	assert_int_equal(top_read_services(text, strlen(text), now, &services, NULL), WD_OK);
}

static int clean(void **state)
{
	(void)state;
	top_services_done(&services);
	return 0;
}

static void rates_are_read(void **state)
{
	(void)state;
	read_services(TOP_TESTING_SERVICES, (wd_wall){0});
	assert_int_equal(services.count, 3);
	assert_int_equal(services.left_out, 0);
	const struct top_service *s = top_services_find(&services, "shop");
	assert_non_null(s);
	assert_int_equal(s->status, TOP_INCIDENT);
	assert_true(s->watched && !s->cold && !s->silent);
	assert_true(near(s->packets, 93000) && near(s->bits, 9.12e8) && near(s->records, 36000));
	assert_true(near(s->sources, 3100.5) && s->requests < 0 && s->clients < 0);
	assert_true(near(s->ratio, 93000.0 / 1750));
	assert_true(near(s->reports, 8) && near(s->usual_reports, 2)); /* a minute */
	assert_string_equal(s->part, "amp.dns");
	assert_true(near(s->part_share, 0.62));
	assert_null(top_services_find(&services, "nobody"));
}

static void what_is_null_is_not_known(void **state)
{
	(void)state;
	read_services(TOP_TESTING_SERVICES, (wd_wall){0});
	const struct top_service *bank = top_services_find(&services, "bank");
	assert_true(bank->packets < 0 && bank->usual_packets < 0 && bank->bits < 0);
	assert_true(near(bank->requests, 120) && near(bank->ratio, 1.2) && bank->reports < 0);
	const struct top_service *x = top_services_find(&services, "x");
	assert_true(!x->watched && x->packets < 0 && x->requests < 0 && !x->silent);
	assert_true(near(x->ratio, 3)); /* of reports */
	assert_string_equal(x->name, "x"); /* its id, without a name */
	assert_string_equal(x->part, "");
}

static void nothing_is_many_times_nothing(void **state)
{
	(void)state;
	read_services("{\"services\":[{\"id\":\"shop\",\"status\":\"usual\",\"traffic\":{"
		      "\"flows_at\":\"2025-03-10T10:00:00Z\",\"packets_per_s\":3,"
		      "\"usual_packets_per_s\":1.18e-18,\"cold\":false}}]}", (wd_wall){0});
	const struct top_service *s = top_services_find(&services, "shop");
	assert_non_null(s);
	assert_true(near(s->packets, 3) && s->ratio < 0);
}

/* By the clock of the answer's head, which goes on while the engine waits. */
static void old_rates_are_not_those_of_now(void **state)
{
	wd_wall now;
	(void)state;
	assert_int_equal(timetext_read("2026-11-21T16:21:51Z", 20, &now, NULL), WD_OK);
	read_services(TOP_TESTING_SERVICES, now);
	const struct top_service *s = top_services_find(&services, "shop");
	assert_true(s->silent && s->packets < 0 && s->ratio > 0); /* of reports */
	/* Times that are too far apart for ns. */
	assert_int_equal(timetext_read("2200-12-31T00:00:00Z", 20, &now, NULL), WD_OK);
	read_services("{\"services\":[{\"id\":\"a\",\"traffic\":{\"flows_at\":"
		      "\"1700-01-01T00:00:00Z\",\"packets_per_s\":1}}]}", now);
	assert_true(services.rows[0].silent);
}

static void wrong_numbers_are_not_known(void **state)
{
	static const char *const wrong[] = {"-1", "1e300", "\"7\"", "null", "[]", "{}", "true"};
	char text[400];
	(void)state;
	for (size_t i = 0; i < WD_COUNT(wrong); i++) {
		snprintf(text, sizeof(text),
			 "{\"now\":\"2026-11-21T16:21:21Z\",\"services\":[{\"id\":\"a\",\"traffic\":{"
			 "\"flows_at\":\"2026-11-21T16:21:21Z\",\"packets_per_s\":%s},"
			 "\"last\":{\"step_s\":%s,\"observed\":%s}}]}", wrong[i], wrong[i], wrong[i]);
		read_services(text, (wd_wall){0});
		assert_true(services.rows[0].packets < 0 && services.rows[0].reports < 0);
	}
}

static void ids_that_cannot_stand_in_an_address_are_left_out(void **state)
{
	(void)state;
	read_services("{\"services\":[{\"id\":\"../../x\"},{\"id\":\"a b\"},{\"id\":7},{},3,"
		      "{\"id\":\"ok\"},{\"id\":\"\\u001b[2J\"}]}",
		      (wd_wall){0});
	assert_int_equal(services.count, 1);
	assert_int_equal(services.left_out, 6);
	assert_string_equal(services.rows[0].id, "ok");
}

static void services_beyond_the_limit_are_counted(void **state)
{
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	buf_str(&b, "{\"services\":[");
	for (int i = 0; i < TOP_SERVICES_MAX + 3; i++)
		buf_fmt(&b, "%s{\"id\":\"s%d\"}", i > 0 ? "," : "", i);
	buf_str(&b, "]}");
	read_services(b.data, (wd_wall){0});
	assert_int_equal(services.count, TOP_SERVICES_MAX);
	assert_int_equal(services.left_out, 3);
	buf_done(&b);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "null", "[]", "<!doctype html>", "{", "{}", "{\"services\":{}}", "{\"services\":[",
		"{\"services\":7,\"incidents\":7}", "\x1b[2J",
	};
	struct wd_why why;
	struct top_services none = {.count = 77};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(wrong); i++) {
		size_t len = strlen(wrong[i]);
		assert_int_equal(top_read_services(wrong[i], len, (wd_wall){0}, &none, &why),
				 WD_MALFORMED);
		assert_int_equal(none.count, 77);
		assert_int_equal(top_read_open(wrong[i], len, &open_now, &why), WD_MALFORMED);
		assert_int_not_equal(top_read_trace(wrong[i], len, &detail, &why), WD_OK);
	}
	/* Every prefix of a good one. */
	size_t len = strlen(TOP_TESTING_SERVICES);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(top_read_services(TOP_TESTING_SERVICES, cut, (wd_wall){0}, &none,
						   &why), WD_MALFORMED);
}

/* A megabyte of "[" would take a hundred of memory. */
static void too_many_values_are_refused_unread(void **state)
{
	struct top_services none;
	struct wd_why why;
	char *text = malloc(TOP_VALUES_MAX + 1);
	(void)state;
	assert_non_null(text);
	memset(text, '[', TOP_VALUES_MAX + 1);
	assert_int_equal(top_read_services(text, TOP_VALUES_MAX + 1, (wd_wall){0}, &none, &why),
			 WD_FULL);
	assert_int_equal(top_read_trace(text, TOP_VALUES_MAX + 1, &detail, &why), WD_FULL);
	free(text);
}

static void open_incidents_are_read(void **state)
{
	struct wd_why why;
	(void)state;
	assert_int_equal(top_read_open(TOP_TESTING_NOW, strlen(TOP_TESTING_NOW), &open_now, &why),
			 WD_OK);
	assert_int_equal(open_now.count, 1);
	const struct incident *i = top_open_find(&open_now, "shop");
	assert_non_null(i);
	assert_int_equal(i->traffic.status, SOURCE_REFLECTOR);
	assert_int_equal(i->traffic.vector_count, 2);
	assert_null(top_open_find(&open_now, "bank"));
}

static void incidents_that_are_none_are_counted(void **state)
{
	const char *text = "{\"incidents\":[{},7,{\"v\":99}," TOP_TESTING_INCIDENT "]}";
	struct wd_why why;
	(void)state;
	assert_int_equal(top_read_open(text, strlen(text), &open_now, &why), WD_OK);
	assert_int_equal(open_now.count, 1);
	assert_int_equal(open_now.left_out, 3);
}

static void series_keep_their_gaps_and_their_latest_points(void **state)
{
	struct wd_why why;
	struct buf b;
	(void)state;
	assert_int_equal(top_read_traffic(TOP_TESTING_TRAFFIC, strlen(TOP_TESTING_TRAFFIC), &detail,
					  &why), WD_OK);
	assert_int_equal(detail.packets.count, 4);
	assert_true(detail.packets.observed[2] < 0 && detail.packets.observed[3] > 3.9e9f);
	assert_int_equal(detail.requests.count, 0);
	buf_init(&b, 1 << 20);
	buf_str(&b, "{\"packets_per_s\":{\"step_s\":1,\"observed\":[0");
	for (int i = 1; i < 10000; i++)
		buf_fmt(&b, ",%d", i);
	buf_str(&b, "]}}");
	assert_int_equal(top_read_traffic(b.data, b.len, &detail, &why), WD_OK);
	assert_int_equal(detail.packets.count, TOP_POINTS_MAX);
	assert_true(near((double)detail.packets.observed[TOP_POINTS_MAX - 1], 9999));
	buf_done(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(rates_are_read, clean),
		cmocka_unit_test_teardown(what_is_null_is_not_known, clean),
		cmocka_unit_test_teardown(nothing_is_many_times_nothing, clean),
		cmocka_unit_test_teardown(old_rates_are_not_those_of_now, clean),
		cmocka_unit_test_teardown(wrong_numbers_are_not_known, clean),
		cmocka_unit_test_teardown(ids_that_cannot_stand_in_an_address_are_left_out, clean),
		cmocka_unit_test_teardown(services_beyond_the_limit_are_counted, clean),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(too_many_values_are_refused_unread),
		cmocka_unit_test(open_incidents_are_read),
		cmocka_unit_test(incidents_that_are_none_are_counted),
		cmocka_unit_test(series_keep_their_gaps_and_their_latest_points),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
