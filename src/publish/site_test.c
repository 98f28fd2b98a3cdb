/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/site.h"

#include "publish/site_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ctx is "name=value" pairs with "&" between them. */
static const char *query_of(const void *ctx, const char *name)
{
	static _Thread_local char value[256];
	size_t len = strlen(name);

	for (const char *at = ctx; *at != '\0'; at += strcspn(at, "&"), at += *at == '&') {
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + len + 1, "&"),
				 at + len + 1);
			return value;
		}
	}
	return NULL;
}

static struct site_request ask(const char *path, const char *query)
{
	return (struct site_request){.path = path, .query = query_of, .ctx = query};
}

static struct site_page get_from(const struct snapshot *snapshot, const char *path,
				 const char *query)
{
	struct site site = fixture_site;
	struct site_request request = ask(path, query);
	struct site_page page;

	site_init(&site);
	assert_int_equal(site_render(&site, snapshot, &request, &page, NULL), WD_OK);
	return page;
}

static struct site_key key_from(const struct snapshot *snapshot, const char *path,
				const char *query)
{
	struct site_request request = ask(path, query);
	struct site_key key;
	site_key(&fixture_site, snapshot, &request, &key);
	return key;
}

static void assert_page_has(enum fixture fixture, const char *path, const char *query,
			    const char *text)
{
	struct snapshot *snapshot = fixture_snapshot(fixture);
	struct site_page page = get_from(snapshot, path, query);

	if (page.body.data == NULL || strstr(page.body.data, text) == NULL)
		fail_msg("%s?%s lacks: %s", path, query, text);
	buf_done(&page.body);
	snapshot_release(snapshot);
}

/* A path of that route that exists in the fixture. */
static void example_path(char *dst, size_t size, const char *pattern)
{
	static const struct {
		const char *name, *value;
	} examples[] = {
		{"{service}", "x"},
		{"{incident}", "x-20250310-0945"},
		{"{name}", "site.css"},
	};

	snprintf(dst, size, "%s", pattern);
	for (size_t i = 0; i < 3; i++) {
		const char *at = strstr(pattern, examples[i].name);
		if (at != NULL)
			snprintf(dst, size, "%.*s%s%s", (int)(at - pattern), pattern,
				 examples[i].value, at + strlen(examples[i].name));
	}
}

static void every_route_answers_in_every_state_of_the_world(void **state)
{
	static const enum fixture fixtures[] = {FIXTURE_INCIDENT, FIXTURE_QUIET, FIXTURE_NEW,
						FIXTURE_EMPTY, FIXTURE_HOSTILE};
	(void)state;
	for (size_t f = 0; f < 5; f++) {
		struct snapshot *snapshot = fixture_snapshot(fixtures[f]);
		for (size_t i = 0; i < site_route_count(); i++) {
			char path[128];
			example_path(path, sizeof(path), site_route_at(i).pattern);
			struct site_page page = get_from(snapshot, path, "");
			bool whole =
				fixtures[f] == FIXTURE_INCIDENT || fixtures[f] == FIXTURE_HOSTILE;
			bool health = strcmp(path, "/healthz") == 0; /* nobody told how it is */
			if (whole && !health && page.status != 200)
				fail_msg("%s: %d", path, page.status);
			assert_true(page.status == 200 || page.status == 404 || health);
			assert_true(page.body.len > 0);
			assert_non_null(page.content_type);
			buf_done(&page.body);
		}
		snapshot_release(snapshot);
	}
}

static void what_does_not_exist_is_404_and_shares_one_cache_entry(void **state)
{
	static const char *const paths[] = {
		"/nowhere",
		"/s/",
		"/s/nope",
		"/s/nope/live",
		"/s/x/",
		"/s/x/live/",
		"/i/x-20250310-0946",
		"/assets/../site.c",
		"/assets/",
		"//",
		"/s//x",
		"/S/x",
		"/method/",
		"/assets/site.css/x",
	};
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct site_page page = get_from(snapshot, paths[i], "");
		struct site_key key = key_from(snapshot, paths[i], "");
		if (page.status != 404)
			fail_msg("%s: %d", paths[i], page.status);
		assert_string_equal(key.text, "404");
		assert_true(key.keep);
		buf_done(&page.body);
	}
	assert_string_equal(key_from(snapshot, "/api/v1/nowhere", "").text, "404 api");
	assert_string_equal(key_from(snapshot, "/api/v1/services/nope", "").text, "404 api");
	snapshot_release(snapshot);
}

static void a_path_longer_than_any_of_ours_is_404(void **state)
{
	char path[2000] = "/s/";
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	(void)state;
	memset(path + 3, 'x', sizeof(path) - 4);
	path[sizeof(path) - 1] = '\0';
	struct site_page page = get_from(snapshot, path, "");
	assert_int_equal(page.status, 404);
	assert_string_equal(key_from(snapshot, path, "").text, "404");
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void queries_make_no_cache_entries_but_the_few_that_are_listed(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	(void)state;
	assert_string_equal(key_from(snapshot, "/", "utm_source=a").text, "/");
	assert_true(key_from(snapshot, "/", "utm_source=a").keep);
	assert_false(key_from(snapshot, "/", "q=bank").keep);
	assert_string_equal(key_from(snapshot, "/s/x", "reported=1").text, "/s/x?1");
	assert_string_equal(key_from(snapshot, "/s/x", "reported=12345").text, "/s/x");
	assert_string_equal(key_from(snapshot, "/s/x", "reported=1 2").text, "/s/x");
	assert_string_equal(key_from(snapshot, "/s/x", "reported=").text, "/s/x");
	snapshot_release(snapshot);
}

static void a_key_changes_with_what_the_page_shows(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	uint64_t x = key_from(snapshot, "/s/x", "").version,
		 barclays = key_from(snapshot, "/s/barclays", "").version;
	uint64_t now = key_from(snapshot, "/", "").version;
	(void)state;

	snapshot->services[0]->version++;
	assert_int_not_equal(key_from(snapshot, "/s/x", "").version, x);
	assert_int_equal(key_from(snapshot, "/s/barclays", "").version, barclays);
	x = key_from(snapshot, "/s/x", "").version;
	snapshot->incidents[0].changed_at.ns++;
	assert_int_not_equal(key_from(snapshot, "/s/x", "").version, x);
	snapshot->version++;
	assert_int_not_equal(key_from(snapshot, "/", "").version, now);
	assert_int_equal(key_from(snapshot, "/s/barclays", "").version, barclays);
	snapshot_release(snapshot);
}

static void another_name_of_a_service_leads_to_its_page(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	static const char *const paths[][2] = {
		{"/s/Twitter", ""}, {"/s/X", ""}, {"/s/at&t", ""}, {"/", "q=twitter"}};
	static const char *const to[] = {"/s/x", "/s/x", "/s/att", "/s/x"};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct site_page page = get_from(snapshot, paths[i][0], paths[i][1]);
		assert_int_equal(page.status, 302);
		assert_string_equal(page.location, to[i]);
		assert_false(key_from(snapshot, paths[i][0], paths[i][1]).keep);
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

static void the_status_is_one_sentence_with_its_numbers(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "",
			"User reports indicate problems at X since <time class=\"h\" "
			"datetime=\"2025-03-10T09:45:00Z\">09:45 UTC</time>: 1,241 in the last 5 "
			"minutes, 40 is usual.");
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "",
			"Odds of a false alarm: normal reports do this less than "
			"once in 1,000 years.");
	assert_page_has(FIXTURE_INCIDENT, "/s/barclays", "",
			"User reports indicate no current problems at Barclays: ");
	assert_page_has(FIXTURE_INCIDENT, "/s/att", "", "not enough to call it an incident: ");
	assert_page_has(FIXTURE_INCIDENT, "/s/azure", "", "3 persons in 1 network made them");
	assert_page_has(FIXTURE_NEW, "/s/x", "", "No report about X yet.");
}

static void the_home_page_says_what_is_down_or_that_nothing_is(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/", "", "<h1>1 service has an incident</h1>");
	assert_page_has(FIXTURE_QUIET, "/", "", "<h1>Nothing is down</h1>");
	assert_page_has(FIXTURE_NEW, "/", "", "No report yet: baselines are being learned");
	assert_page_has(FIXTURE_EMPTY, "/", "", "No service is configured yet.");
	assert_page_has(FIXTURE_INCIDENT, "/", "q=bank", ">Bank of America</a>");
	assert_page_has(FIXTURE_INCIDENT, "/", "q=qqqq", "No service has this name.");
}

static void a_reconstruction_says_that_it_is_one(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/", "",
			"<strong>Reconstruction:</strong> made from published figures");
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "",
			"<strong>Reconstruction:</strong> made from published figures");
}

static void names_and_places_are_escaped(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_HOSTILE);
	static const char *const never[] = {"<script>alert", "<img src", "<b>\"",
					    "<i>London",     " style=",  "<style",
					    "javascript:",   " onclick="};
	(void)state;
	for (size_t i = 0; i < site_route_count(); i++) {
		char path[128];
		example_path(path, sizeof(path), site_route_at(i).pattern);
		if (strncmp(path, "/assets", 7) == 0 || strstr(path, ".svg") != NULL)
			continue;
		struct site_page page = get_from(snapshot, path, "");
		for (size_t n = 0; n < sizeof(never) / sizeof(never[0]); n++) {
			if (strstr(page.body.data, never[n]) != NULL)
				fail_msg("%s holds %s", path, never[n]);
		}
		buf_done(&page.body);
	}
	struct site_page page = get_from(snapshot, "/", "q=<script>alert(1)</script>\"'");
	assert_null(strstr(page.body.data, "<script>alert"));
	assert_non_null(strstr(page.body.data,
			       "value=\"&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;\""));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_answers_in_every_state_of_the_world),
		cmocka_unit_test(what_does_not_exist_is_404_and_shares_one_cache_entry),
		cmocka_unit_test(a_path_longer_than_any_of_ours_is_404),
		cmocka_unit_test(queries_make_no_cache_entries_but_the_few_that_are_listed),
		cmocka_unit_test(a_key_changes_with_what_the_page_shows),
		cmocka_unit_test(another_name_of_a_service_leads_to_its_page),
		cmocka_unit_test(the_status_is_one_sentence_with_its_numbers),
		cmocka_unit_test(the_home_page_says_what_is_down_or_that_nothing_is),
		cmocka_unit_test(a_reconstruction_says_that_it_is_one),
		cmocka_unit_test(names_and_places_are_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
