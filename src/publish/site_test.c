/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/site.h"

#include "base/check.h"
#include "publish/site_fixture.h"
#include "publish/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ctx is "name=value" pairs with "&" between them. */
static const char *query_of(const void *ctx, const char *name)
{
	static char values[16][256]; /* several are in use at once */
	static size_t last;
	char *value = values[++last % 16];
	size_t len = strlen(name);

	for (const char *at = ctx; *at != '\0'; at += strcspn(at, "&"), at += *at == '&') {
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(at + len + 1, "&"),
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
		assert_false(site_has(snapshot, paths[i]));
		buf_done(&page.body);
	}
	assert_string_equal(key_from(snapshot, "/api/v1/nowhere", "").text, "404 api");
	assert_string_equal(key_from(snapshot, "/api/v1/services/nope", "").text, "404 api");
	assert_false(site_has(snapshot, "/api/v1/services/nope"));
	assert_true(site_has(snapshot, "/"));
	assert_true(site_has(snapshot, "/api/v1/now"));
	assert_true(site_has(snapshot, "/s/x"));
	assert_true(site_has(snapshot, "/s/Twitter"));
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

static const char *any_query(const void *ctx, const char *name)
{
	(void)name;
	return ctx;
}

/* The bytes of what is kept under a key are those that everybody gets who has the same key. */
static void what_is_no_part_of_the_key_is_on_no_page_that_is_kept(void **state)
{
	static const char *const values[] = {"3", "1", "7d", "6m", "packets", "<marker>", "severe"};
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct site site = fixture_site;
	size_t compared = 0;

	(void)state;
	site_init(&site);
	for (size_t i = 0; i < site_route_count() * WD_COUNT(values); i++) {
		const char *value = values[i % WD_COUNT(values)];
		char path[128], choices[128];
		example_path(path, sizeof(path), site_route_at(i / WD_COUNT(values)).pattern);
		snprintf(choices, sizeof(choices), "reported=%s&show=%s&range=%s", value, value, value);
		const struct site_request all = {.path = path, .query = any_query, .ctx = value};
		const struct site_request asked[] = {ask(path, choices), ask(path, "")};
		struct site_key key;
		struct site_page got;
		site_key(&site, snapshot, &all, &key);
		if (!key.keep)
			continue;
		assert_int_equal(site_render(&site, snapshot, &all, &got, NULL), WD_OK);
		for (size_t n = 0; n < WD_COUNT(asked); n++) {
			struct site_page same = get_from(snapshot, path, asked[n].ctx);
			if (strcmp(key_from(snapshot, path, asked[n].ctx).text, key.text) == 0 &&
			    (got.status != same.status || got.body.len != same.body.len ||
			     memcmp(got.body.data, same.body.data, same.body.len) != 0))
				fail_msg("%s with %s is kept for %s", path, value, key.text);
			compared++;
			buf_done(&same.body);
		}
		buf_done(&got.body);
	}
	assert_true(compared > 300);
	snapshot_release(snapshot);
}

/* A page that is kept for ever tells nothing of the moment when it was made. */
static void what_depends_on_nothing_is_the_same_at_any_time(void **state)
{
	struct snapshot *one = fixture_snapshot(FIXTURE_INCIDENT);
	struct snapshot *other = fixture_snapshot(FIXTURE_QUIET);
	size_t compared = 0;

	(void)state;
	other->now = wall_add(other->now, span_s(100000));
	for (size_t i = 0; i < site_route_count() + 2; i++) {
		char path[128] = "/nowhere";
		if (i < site_route_count())
			example_path(path, sizeof(path), site_route_at(i).pattern);
		else if (i == site_route_count())
			snprintf(path, sizeof(path), "/api/v1/nowhere");
		struct site_key key = key_from(one, path, "");
		if (!key.keep || key.version != 0 || key_from(other, path, "").version != 0)
			continue;
		struct site_page a = get_from(one, path, ""), b = get_from(other, path, "");
		if (a.body.len != b.body.len || memcmp(a.body.data, b.body.data, a.body.len) != 0)
			fail_msg("%s is kept for ever, and tells of now", path);
		compared++;
		buf_done(&a.body);
		buf_done(&b.body);
	}
	assert_true(compared >= 6);
	snapshot_release(one);
	snapshot_release(other);
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
	snapshot->now = wall_add(snapshot->now, span_s(60));
	assert_int_not_equal(key_from(snapshot, "/s/barclays", "").version, barclays);
	snapshot->now = wall_back(snapshot->now, span_s(60));
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

/* What is known of a signal's first minutes before they are sealed is that it stands out. */
static void scope_that_is_not_counted_yet_says_no_number(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct incident *i = &snapshot->incidents[0];
	char path[SERVICE_ID_MAX + 64];
	snprintf(path, sizeof(path), "/i/%s", i->id);
	assert_true(i->scope_count > 1);
	struct site_page page = get_from(snapshot, path, "");
	assert_null(strstr(page.body.data, "still counting</td>"));
	buf_done(&page.body);
	i->scopes[1].observed = i->scopes[1].expected;
	page = get_from(snapshot, path, "");
	assert_non_null(strstr(page.body.data, "<td colspan=\"3\">still counting</td>"));
	buf_done(&page.body);
	i->state = INCIDENT_CLOSED; /* nothing is counted any more */
	page = get_from(snapshot, path, "");
	assert_null(strstr(page.body.data, "still counting</td>"));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void the_home_page_says_what_is_down_or_that_nothing_is(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/", "", "<h1>1 service has an incident</h1>");
	assert_page_has(FIXTURE_QUIET, "/", "", "<h1>No incident now</h1>");
	assert_page_has(FIXTURE_NEW, "/", "", "No report yet: what is usual is still to be learned");
	assert_page_has(FIXTURE_EMPTY, "/", "", "No service is configured yet.");
	struct snapshot *first = fixture_snapshot(FIXTURE_NEW); /* one report is not none */
	first->services[0]->first_seen_at = wall_back(first->now, span_s(5));
	struct site_request home = ask("/", "");
	struct site_page page;
	assert_int_equal(site_render(&fixture_site, first, &home, &page, NULL), WD_OK);
	assert_non_null(strstr(page.body.data, "<h1>What is usual is still being learned</h1>"));
	buf_done(&page.body);
	first->since = (wd_wall){0}; /* as before anything was ever seen */
	struct site_request service = ask("/s/x", "");
	assert_int_equal(site_render(&fixture_site, first, &service, &page, NULL), WD_OK);
	assert_non_null(strstr(page.body.data, ">None since <time class=\"d\" datetime=\"2025"));
	assert_null(strstr(page.body.data, "1970"));
	buf_done(&page.body);
	snapshot_release(first);
	assert_page_has(FIXTURE_INCIDENT, "/", "q=bank", ">Bank of America</a>");
	assert_page_has(FIXTURE_INCIDENT, "/", "q=qqqq", "No service has this name.");
}

static void what_is_cited_carries_its_day(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "", "As of <time class=\"whole\" datetime=");
	assert_page_has(FIXTURE_INCIDENT, "/feed.atom", "", "incident since 10 Mar 2025, ");
	assert_page_has(FIXTURE_INCIDENT, "/api/v1/now", "", "since 10 Mar 2025, ");
}

/* What stands between `open` and the next `close`, wherever it does. */
static size_t ids_in(const char *url, const char *name, const char *path, const char *open, char close,
		     char ids[60][64])
{
	const char ends[] = {close, '\0'};
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct site site = fixture_site;
	struct site_request request = ask(path, "");
	struct site_page page;
	size_t count = 0;

	site.base_url = url;
	site.name = name;
	assert_int_equal(site_render(&site, snapshot, &request, &page, NULL), WD_OK);
	for (const char *at = page.body.data; count < 60 && (at = strstr(at, open)) != NULL;) {
		at += strlen(open);
		snprintf(ids[count++], 64, "%.*s", (int)strcspn(at, ends), at);
	}
	buf_done(&page.body);
	snapshot_release(snapshot);
	return count;
}

/* The feed's id, then those of its entries. */
static size_t atom_ids(const char *url, const char *name, const char *path, char ids[60][64])
{
	return ids_in(url, name, path, "<id>", '<', ids);
}

/* RFC 4287 4.2.6, RFC 9562 4: also where the site does not know its address. */
static void ids_in_atom_are_absolute_and_stay(void **state)
{
	static char ids[60][64], again[60][64], other[60][64], service[60][64];
	(void)state;
	size_t count = atom_ids("", "whydown", "/feed.atom", ids);
	assert_true(count > 1 && count < 60);
	assert_int_equal(atom_ids("", "whydown", "/feed.atom", again), count);
	assert_int_equal(atom_ids("", "Another", "/feed.atom", other), count);
	assert_string_equal(ids[0], "urn:uuid:7ca5cc7a-945a-81e2-afb0-0caa685742bc");
	for (size_t i = 0; i < count; i++) {
		static const char form[] = "urn:uuid:xxxxxxxx-xxxx-8xxx-Yxxx-xxxxxxxxxxxx";
		assert_int_equal(strlen(ids[i]), sizeof(form) - 1);
		for (size_t k = 0; form[k] != '\0'; k++) {
			const char *fits = form[k] == 'x' && k > 8 ? "0123456789abcdef"
					   : form[k] == 'Y'	   ? "89ab" : NULL;
			assert_true(fits != NULL ? strchr(fits, ids[i][k]) != NULL
						 : ids[i][k] == form[k]);
		}
		assert_string_equal(ids[i], again[i]);
		assert_string_not_equal(ids[i], other[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
	/* An incident is the same in both feeds, the feeds are two. */
	assert_true(atom_ids("", "whydown", "/s/x/feed.atom", service) > 1);
	assert_string_not_equal(service[0], ids[0]);
	bool found = false;
	for (size_t i = 1; i < count; i++)
		found = found || strcmp(service[1], ids[i]) == 0;
	assert_true(found);
	assert_int_equal(atom_ids("https://a.example", "whydown", "/feed.atom", ids), count);
	assert_string_equal(ids[0], "https://a.example/");
}

/* An incident has one id, whoever asks for it: JSON Feed's is Atom's. */
static void ids_in_json_feed_are_those_of_atom(void **state)
{
	static const char *const urls[] = {"", "https://a.example"};
	static const char *const paths[][2] = {
		{"/feed.atom", "/feed.json"}, {"/s/x/feed.atom", "/s/x/feed.json"}};
	static char atom[60][64], json[60][64];
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *const *path = paths[i / 2];
		size_t count = atom_ids(urls[i % 2], "whydown", path[0], atom);
		assert_true(count > 1);
		assert_int_equal(ids_in(urls[i % 2], "whydown", path[1], "\"id\":\"", '"', json), count - 1);
		for (size_t n = 1; n < count; n++)
			assert_string_equal(json[n - 1], atom[n]);
	}
}

static void the_operator_can_be_written_to(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/", "", "<a href=\"mailto:desk@whydown.example\">contact");
}

static void reports_alone_do_not_say_why(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/i/x-20250310-0945", "", "<h2>What that does not prove</h2>"
			"<ul><li>Why: reports say that people have a problem, not what caused it.");
}

/* A component of which nothing was seen keeps its times from one answer to the next. */
static void an_unseen_component_is_as_old_as_what_is_tracked(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/api/v2/components.json", "",
			"\"created_at\":\"2024-11-01T00:00:00Z\",\"updated_at\":\"2024-11-01T00:00:00Z\"");
}

/* What reads Statuspage takes a time of resolving for the end. */
static void an_open_incident_is_not_told_as_resolved(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/api/v2/summary.json", "", "\"resolved_at\":null");
	assert_page_has(FIXTURE_INCIDENT, "/api/v2/incidents.json", "",
			"\"status\":\"resolved\"");
	assert_page_has(FIXTURE_INCIDENT, "/api/v2/incidents.json", "",
			"\"monitoring_at\":null,\"resolved_at\":\"");
}

static void the_table_of_requests_is_prose_and_code(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/api", "", "The <code>next</code> of the page before.");
	assert_page_has(FIXTURE_INCIDENT, "/api", "",
			"curl \"https://whydown.example/api/v1/incidents?limit=5\"");
}

static void a_reconstruction_says_that_it_is_one(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/", "",
			"<strong>Reconstruction:</strong> played from a scenario");
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "",
			"<strong>Reconstruction:</strong> played from a scenario");
}

static void a_reconstruction_says_what_it_is_made_from_and_what_is_assumed(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct incident *i = &snapshot->incidents[snapshot_incident(snapshot, "x-20250310-0945") -
						  snapshot->incidents];
	struct site_page page = get_from(snapshot, "/i/x-20250310-0945", "");
	static const char *const has[] = {
		"<a href=\"#made-from\">What it is made from</a>",
		"<h2 id=\"made-from\">",
		"<a rel=\"noopener nofollow\" href=\"https://www.times.example/x?a=1&amp;b=&#39;2&#39;\">times.example</a>",
		"over 40,000 &amp; &lt;b&gt;more&lt;/b&gt;", "the &lt;i&gt;usual&lt;/i&gt; rate",
	};
	(void)state;
	for (size_t n = 0; n < WD_COUNT(has); n++) {
		if (strstr(page.body.data, has[n]) == NULL)
			fail_msg("lacks: %s", has[n]);
	}
	assert_null(strstr(page.body.data, "javascript:"));
	assert_null(strstr(page.body.data, "as if it happened now"));
	buf_done(&page.body);
	page = get_from(snapshot, "/api/v1/incidents/x-20250310-0945", "");
	assert_non_null(strstr(page.body.data, "\"made_from\":{\"scenario\":\"x-2025-03-10\","));
	buf_done(&page.body);

	i->began_at = wall_add(i->began_at, span_s(400 * 86400));
	page = get_from(snapshot, "/i/x-20250310-0945", "");
	const char *moved = strstr(page.body.data, "by the sources it began at <time class=");
	assert_non_null(moved);
	assert_non_null(strstr(moved, "datetime=\"2025-03-10T09:25:00Z\">"));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

/* A recording names a scenario, which may be any: it brings no text and no link of its own. */
static void a_reconstruction_of_an_unknown_scenario_has_no_sources(void **state)
{
	static const struct { const char *scenario, *says; } cases[] = {
		{"elsewhere", "the scenario <code>elsewhere</code>, of which this site has no sources"},
		{"", "a scenario that was not named"},
	};
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct incident *i = &snapshot->incidents[snapshot_incident(snapshot, "x-20250310-0945") -
						  snapshot->incidents];
	(void)state;
	for (size_t n = 0; n < WD_COUNT(cases); n++) {
		snprintf(i->scenario, sizeof(i->scenario), "%s", cases[n].scenario);
		struct site_page page = get_from(snapshot, "/i/x-20250310-0945", "");
		if (strstr(page.body.data, cases[n].says) == NULL)
			fail_msg("lacks: %s", cases[n].says);
		assert_null(strstr(page.body.data, "times.example"));
		buf_done(&page.body);
		page = get_from(snapshot, "/api/v1/incidents/x-20250310-0945", "");
		assert_non_null(strstr(page.body.data, "\"made_from\":null"));
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

/* Before the sentence that says what is wrong: who reads no further knows it, too. */
static void a_service_page_begins_with_that_it_was_played(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct site_page page = get_from(snapshot, "/s/x", "");
	const char *banner = strstr(page.body.data, "class=\"recon\"");
	(void)state;
	assert_non_null(banner);
	assert_true(banner < strstr(page.body.data, "class=\"lead\""));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void none_is_said_of_what_was_watched_alone(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_QUIET);
	struct service_state *s = NULL;
	char path[SERVICE_ID_MAX + 8];
	static const struct { wd_wall first_seen; const char *says; } cases[] = {
		{{0}, ">None: nothing of it has been seen yet.</p>"},
		{{INT64_C(1741564800) * WD_NS_PER_S}, ">None since <time class=\"d\" datetime=\"2025-03-10T"},
	};
	(void)state;
	for (size_t n = 0; n < snapshot->service_count && s == NULL; n++) {
		bool had = snapshot->services[n]->traffic != NULL;
		for (size_t i = 0; i < snapshot->incident_count; i++)
			had = had || strcmp(snapshot->incidents[i].service,
					    snapshot->services[n]->service->id) == 0;
		s = had ? NULL : snapshot->services[n];
	}
	assert_non_null(s);
	snprintf(path, sizeof(path), "/s/%s", s->service->id);
	for (size_t n = 0; n < WD_COUNT(cases); n++) {
		s->first_seen_at = cases[n].first_seen;
		struct site_page page = get_from(snapshot, path, "");
		if (strstr(page.body.data, cases[n].says) == NULL)
			fail_msg("lacks: %s", cases[n].says);
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

/* Without an incident, too: reports that were played are not people's. */
static void what_was_played_says_so_without_an_incident(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct service_state *s = NULL;
	static const struct { const char *before, *after, *says; } pages[] = {
		{"/s/", "", "<strong>Reconstruction:</strong> played from a scenario"},
		{"/s/", "/badge.svg", "(a reconstruction)</title>"},
		{"/s/", "/chart.svg", "Reconstruction: played from a scenario"},
		{"/api/v1/services/", "", "\"reconstruction\":true"},
	};
	(void)state;
	for (size_t i = 0; i < snapshot->service_count; i++)
		if (snapshot->services[i]->status == STATUS_UNUSUAL)
			s = snapshot->services[i];
	assert_non_null(s);
	for (int played = 0; played < 2; played++) {
		s->reconstruction = played != 0;
		for (size_t i = 0; i < WD_COUNT(pages); i++) {
			char path[128];
			snprintf(path, sizeof(path), "%s%s%s", pages[i].before, s->service->id,
				 pages[i].after);
			struct site_page page = get_from(snapshot, path, "");
			assert_int_equal(strstr(page.body.data, pages[i].says) != NULL, played);
			buf_done(&page.body);
		}
	}
	snapshot_release(snapshot);
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

/* ---- links ---- */

enum { LINKS_MAX = 4000, LINK_LEN_MAX = 256 };

struct links {
	size_t count;
	char paths[LINKS_MAX][LINK_LEN_MAX];
};

/* Adds the path unless it is there; "&amp;" is undone. */
static void add_link(struct links *l, const char *text, size_t len)
{
	char path[LINK_LEN_MAX];
	size_t to = 0;

	assert_true(len < sizeof(path));
	for (size_t i = 0; i < len; i++) {
		path[to++] = text[i];
		if (strncmp(text + i, "&amp;", 5) == 0)
			i += 4;
	}
	path[to] = '\0';
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->paths[i], path) == 0)
			return;
	}
	assert_true(l->count < LINKS_MAX);
	memcpy(l->paths[l->count++], path, to + 1);
}

static void add_links_of(struct links *l, const char *html)
{
	static const char *const attributes[] = {" href=\"/", " src=\"/", " hx-get=\"/",
						 " data-series=\"/", " action=\"/"};
	for (size_t a = 0; a < sizeof(attributes) / sizeof(attributes[0]); a++) {
		for (const char *at = html; (at = strstr(at, attributes[a])) != NULL;) {
			at += strlen(attributes[a]) - 1;
			add_link(l, at, strcspn(at, "\"#"));
		}
	}
}

static void every_link_of_every_page_leads_somewhere(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct links *links = calloc(1, sizeof(*links));
	(void)state;
	assert_non_null(links);
	add_link(links, "/", 1);
	for (size_t i = 0; i < links->count; i++) {
		char path[LINK_LEN_MAX];
		snprintf(path, sizeof(path), "%s", links->paths[i]);
		char *query = strchr(path, '?');
		if (query != NULL)
			*query++ = '\0';
		if (strcmp(path, "/api/v1/reports") == 0) /* whoever serves takes reports */
			continue;
		struct site_page page = get_from(snapshot, path, query != NULL ? query : "");
		if (page.status != 200)
			fail_msg("%s: %d", links->paths[i], page.status);
		if (strstr(page.content_type, "html") != NULL)
			add_links_of(links, page.body.data);
		buf_done(&page.body);
	}
	assert_true(links->count > 200);
	free(links);
	snapshot_release(snapshot);
}

/* ---- the rest ---- */

static void ids_are_unique_in_a_page(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	static const char *const paths[] = {"/",        "/s/x",    "/i/x-20250310-0945",
					    "/history", "/method", "/api"};
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct site_page page = get_from(snapshot, paths[i], "");
		for (const char *at = page.body.data; (at = strstr(at, " id=\"")) != NULL; at++) {
			char id[128];
			snprintf(id, sizeof(id), "%.*s", (int)strcspn(at + 5, "\"") + 6, at);
			if (strstr(at + 1, id) != NULL)
				fail_msg("%s has%s twice", paths[i], id);
		}
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

static void wrong_parameters_are_refused_by_their_name(void **state)
{
	static const struct {
		const char *path, *query, *field;
	} cases[] = {
		{"/api/v1/incidents", "limit=0", "limit"},
		{"/api/v1/incidents", "limit=201", "limit"},
		{"/api/v1/incidents", "limit=-1", "limit"},
		{"/api/v1/incidents", "limit=5x", "limit"},
		{"/api/v1/incidents", "limit= 5", "limit"},
		{"/api/v1/incidents", "limit=99999999999999999999", "limit"},
		{"/api/v1/incidents", "state=down", "state"},
		{"/api/v1/incidents", "service=nope", "service"},
		{"/api/v1/incidents", "since=yesterday", "since"},
		{"/api/v1/incidents", "cursor=x", "cursor"},
		{"/api/v1/services/x/series", "range=1h", "range"},
		{"/api/v1/incidents/x-20250310-0945/versions", "after=-1", "after"},
		{"/api/v1/incidents/x-20250310-0945/versions", "after=1234567890", "after"},
	};
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char field[64];
		struct site_page page = get_from(snapshot, cases[i].path, cases[i].query);
		snprintf(field, sizeof(field), "\"field\":\"%s\"", cases[i].field);
		if (page.status != 400 || strstr(page.body.data, field) == NULL)
			fail_msg("%s?%s: %d %s", cases[i].path, cases[i].query, page.status,
				 page.body.data);
		assert_string_equal(page.content_type, "application/problem+json");
		assert_false(key_from(snapshot, cases[i].path, cases[i].query).keep);
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

static size_t occurrences(const char *text, const char *part)
{
	size_t count = 0;
	for (; (text = strstr(text, part)) != NULL; text++)
		count++;
	return count;
}

static void incidents_are_filtered_and_told_in_parts(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct site_page page = get_from(snapshot, "/api/v1/incidents", "state=open");
	char cursor[128] = "";
	size_t told = 0;
	(void)state;
	assert_int_equal(occurrences(page.body.data, "\"headline\""), 1);
	assert_non_null(strstr(page.body.data, "\"reconstruction\":true"));
	buf_done(&page.body);
	page = get_from(snapshot, "/api/v1/incidents", "since=2025-03-10T09:46:00Z");
	assert_int_equal(occurrences(page.body.data, "\"headline\""), 1);
	buf_done(&page.body);
	for (int part = 0; part < 10; part++) {
		char query[160];
		snprintf(query, sizeof(query), "service=x&limit=4&cursor=%s", cursor);
		page = get_from(snapshot, "/api/v1/incidents", query);
		told += occurrences(page.body.data, "\"headline\"");
		const char *next = strstr(page.body.data, "\"next\":\"");
		snprintf(cursor, sizeof(cursor), "%.*s",
			 next != NULL ? (int)strcspn(next + 8, "\"") : 0,
			 next != NULL ? next + 8 : "");
		buf_done(&page.body);
		if (next == NULL)
			break;
	}
	assert_int_equal(told, 15);
	snapshot_release(snapshot);
}

static void history_is_ordered_as_asked(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	(void)state;
	struct site_page page = get_from(snapshot, "/history", "service=x&order=longest");
	const char *first = strstr(page.body.data, "1 of 15"),
		   *second = strstr(page.body.data, ">2 of 15");
	assert_non_null(first);
	assert_non_null(second);
	assert_true(first < second);
	assert_null(strstr(page.body.data, "/i/cloudflare"));
	buf_done(&page.body);
	page = get_from(snapshot, "/history", "year=2024");
	assert_null(strstr(page.body.data, "/i/x-2025"));
	assert_non_null(strstr(page.body.data, "/i/x-2024"));
	buf_done(&page.body);
	page = get_from(snapshot, "/history", "year=1999&page=77&order=%&service=none");
	assert_int_equal(page.status, 200);
	assert_non_null(strstr(page.body.data, "No incident."));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void what_was_said_is_told_as_it_stood(void **state)
{
	static const char path[] = "/i/x-20250310-0945/versions";
	static const char api[] = "/api/v1/incidents/x-20250310-0945/versions";
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	(void)state;

	struct site_page page = get_from(snapshot, path, "");
	assert_int_equal(occurrences(page.body.data, "<li id=\"v"), 99); /* the second cannot be read */
	assert_non_null(strstr(page.body.data, "<li id=\"v1\"><a href=\"#v1\">Version 1</a> "));
	assert_null(strstr(page.body.data, "<li id=\"v2\">"));
	assert_non_null(strstr(page.body.data, ">10 Mar 2025, 09:53:00 UTC</time>: open, "));
	assert_non_null(strstr(page.body.data, "12 in 1 min where 2 is usual; 8 min so far."));
	assert_non_null(strstr(page.body.data, "21 in 1 min where 2 is usual; 11 min so far."));
	assert_non_null(strstr(page.body.data, "/versions?after=100\">Later versions</a>"));
	buf_done(&page.body);
	page = get_from(snapshot, path, "after=100");
	assert_int_equal(occurrences(page.body.data, "<li id=\"v"), FIXTURE_VERSIONS - 100);
	assert_non_null(strstr(page.body.data, "1 h 7 min in all."));
	assert_null(strstr(page.body.data, "Later versions"));
	buf_done(&page.body);
	assert_true(key_from(snapshot, path, "").keep);
	assert_false(key_from(snapshot, path, "after=100").keep);

	page = get_from(snapshot, api, "");
	assert_int_equal(occurrences(page.body.data, "\"number\":"), 99);
	assert_non_null(strstr(page.body.data, "\"next\":100}"));
	assert_non_null(strstr(page.body.data, "\"change\":\"opened\",\"said\":\"At its peak, 10 Mar 2025, "));
	buf_done(&page.body);
	page = get_from(snapshot, api, "after=104");
	assert_non_null(strstr(page.body.data, "\"versions\":[],\"next\":null}"));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void health_is_503_when_the_journal_cannot_write(void **state)
{
	static const struct {
		struct site_health health;
		int status;
	} cases[] = {
		{{true, "", {0}, {0}}, 200},
		{{false, "disk full", {0}, {0}}, 503},
		{{true, "", {INT64_C(60000000000)}, {0}}, 503}, /* the engine is stuck */
	};
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_QUIET);
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct site_request request = ask("/healthz", "");
		struct site_page page;
		request.health = &cases[i].health;
		assert_int_equal(site_render(&fixture_site, snapshot, &request, &page, NULL),
				 WD_OK);
		assert_int_equal(page.status, cases[i].status);
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

static void measured_figures_are_shown_and_their_absence_said(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_QUIET);
	struct site site = fixture_site;
	struct site_request request = ask("/method", "");
	struct site_page page;
	(void)state;
	assert_page_has(FIXTURE_QUIET, "/method", "",
			"came without the file of its measured figures");
	site.measured = "# Note <one>\nwhat\tmeasured\nmissed\t2 of 63\n\nempty\t\n"
			"# Two\nwhat\tunit\twhydown\tits figure\nquiet\t%\t0.26\t-\n"
			"late\tminutes (median)\t7.00\t999.00\n";
	assert_int_equal(site_render(&site, snapshot, &request, &page, NULL), WD_OK);
	assert_non_null(strstr(page.body.data, "Note &lt;one&gt;"));
	assert_non_null(
		strstr(page.body.data, "<th scope=\"row\">missed</th><td>2 of 63</td></tr>"));
	assert_non_null(strstr(page.body.data, "<th scope=\"row\">empty</th><td></td></tr>"));
	assert_non_null(strstr(page.body.data, "<th scope=\"row\">quiet <small>%</small></th>"
					       "<td>0.26</td><td>–</td></tr>"));
	assert_non_null(strstr(page.body.data, "<th scope=\"col\">What was tried</th>"));
	assert_non_null(strstr(page.body.data, "<td>7</td><td>not within two hours</td></tr>"));
	assert_non_null(strstr(page.body.data, "“naive” compares"));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void a_refusal_is_a_page_with_the_way_back(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct site_refusal refusal = {429, "Too many reports", "<wait>", "/s/x"};
	struct site_page page;
	(void)state;
	assert_int_equal(site_render_refusal(&fixture_site, snapshot, &refusal, &page, NULL),
			 WD_OK);
	assert_int_equal(page.status, 429);
	assert_string_equal(page.cache_control, "no-store");
	assert_non_null(strstr(page.body.data,
			       "<h1>Too many reports</h1><p class=\"lead\">&lt;wait&gt;</p>"
			       "<p><a href=\"/s/x\">Go back</a>"));
	buf_done(&page.body);
	refusal.back = "javascript:alert(1)";
	assert_int_equal(site_render_refusal(&fixture_site, snapshot, &refusal, &page, NULL),
			 WD_OK);
	assert_non_null(strstr(page.body.data, "<a href=\"/\">Go back</a>"));
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void places_of_reports_are_said_to_tell_no_cause(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/i/x-20250310-0945", "",
			"Where people report from does not tell where a cause lies.");
	assert_page_has(FIXTURE_INCIDENT, "/method", "",
			"Where people report from does not tell where a cause lies.");
}

static void values_are_not_called_reports(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_QUIET);
	struct service_state *s = snapshot->services[0];
	struct buf text;
	char path[SERVICE_ID_MAX + 64];
	(void)state;
	s->metric = true;
	snprintf(path, sizeof(path), "/s/%s/chart.svg", s->service->id);
	struct site_page page = get_from(snapshot, path, "");
	assert_int_equal(page.status, 200);
	assert_non_null(strstr(page.body.data, ": values, last 24 hours</title>"));
	assert_null(strstr(page.body.data, "reports"));
	buf_done(&page.body);
	s->status = STATUS_UNUSUAL;
	s->log10_return = 3;
	buf_init(&text, 4096);
	words_status_odds(&(struct words){.out = &text, .now = snapshot->now}, snapshot, s);
	assert_non_null(strstr(text.data, "What is normal does this "));
	buf_done(&text);
	snapshot_release(snapshot);

	for (int values = 0; values < 2; values++) {
		snapshot = fixture_snapshot(FIXTURE_INCIDENT);
		for (size_t n = 0; n < snapshot->incident_count; n++)
			snapshot->incidents[n].metric = values;
		page = get_from(snapshot, "/i/x-20250310-0945", "");
		const char *main = strstr(page.body.data, "<main");
		const char *end = strstr(main, "id=\"said\""); /* strangers' words */
		page.body.data[end - page.body.data] = '\0';
		assert_int_equal(strstr(main, "eports") == NULL, values);
		assert_int_equal(strstr(main, "what is normal does this") != NULL, values);
		buf_done(&page.body);
		snapshot_release(snapshot);
	}
}

static struct service_state *service_of(struct snapshot *snapshot, const char *id)
{
	for (size_t n = 0; n < snapshot->service_count; n++)
		if (strcmp(snapshot->services[n]->service->id, id) == 0)
			return snapshot->services[n];
	fail();
	return NULL;
}

static void points_that_are_wider_than_the_peak_say_so(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct incident *i = &snapshot->incidents[service_of(snapshot, "x")->incident];
	(void)state;
	for (int wider = 0; wider < 2; wider++) {
		i->step = span_s(wider ? 60 : 300);
		struct site_page page = get_from(snapshot, "/i/x-20250310-0945", "");
		assert_int_equal(strstr(page.body.data, "<p class=\"note\">Each point is of 5 min, the peak told "
							"elsewhere of 1 min.</p>") != NULL, wider);
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

/* What fell is at no peak and has no multiple of usual; a value may be small or below 0. */
static void a_metric_that_fell_is_told_as_such(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct service_state *s = service_of(snapshot, "x");
	struct incident *i = &snapshot->incidents[s->incident];
	static const struct { const char *path, *says; } pages[] = {
		{"/", "<dt>Farthest from usual</dt><dd>-0.37 where 0.0125 is usual</dd>"},
		{"/", "reports (of a metric: its values) of the last"},
		{"/s/x", "-0.42 in the 5 minutes until <time"},
		{"/s/x", "0.0125 is usual."},
		{"/s/x", "(means of 5 min)"},
		{"/s/x", "<th scope=\"col\">Observed (mean)</th>"},
		{"/s/x", "there is nothing to report."},
		{"/s/x", "<td>-0.42</td><td>0.0125</td>"},
		{"/i/x-20250310-0945", "-0.37 where 0.0125 is usual at the farthest</h1>"},
		{"/i/x-20250310-0945", "<p class=\"lead\">Farthest from usual, <time"},
		{"/history", "-0.37 where 0.0125 is usual</td><td>values</td>"},
		{"/s/x/chart.svg", ": -0.42 over 5 min, 0.0125 is usual"},
		{"/s/x/feed.atom", "-0.37 where 0.0125 is usual at the farthest</title>"},
		{"/api/v1/incidents/x-20250310-0945", "\"metric\":true"},
		{"/api/v1/services/x/series", "\"observed\":-0.42"},
	};
	(void)state;
	s->metric = s->whole = i->metric = true;
	i->wave_count = 0;
	i->peak_observed = -0.37f;
	i->peak_expected = 0.0125f;
	for (size_t n = 0; n < s->day.count; n++)
		s->day.points[n] = n + 3 > s->day.count ? (struct point){-1, 0, 0, 0}
						       : (struct point){-0.42f, 0.0125f, 0, 0.03f};
	for (size_t n = 0; n < WD_COUNT(pages); n++) {
		struct site_page page = get_from(snapshot, pages[n].path, "");
		if (strstr(page.body.data, pages[n].says) == NULL)
			fail_msg("%s lacks: %s\n%s", pages[n].path, pages[n].says, page.body.data);
		if (strncmp(pages[n].path, "/i/", 3) == 0 && strstr(page.body.data, " peak") != NULL)
			fail_msg("%s has a peak", pages[n].path);
		assert_null(strstr(page.body.data, "reports in 5"));
		buf_done(&page.body);
	}
	snapshot_release(snapshot);
}

static void the_thanks_are_there_after_a_report(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "reported=1",
			"Thank you: your report has been taken.");
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "reported=1",
			"<noscript><meta http-equiv=\"refresh\"");
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "",
			"<form method=\"post\" action=\"/api/v1/reports\">");
}

static void a_fragment_replaces_what_the_page_has(void **state)
{
	(void)state;
	assert_page_has(FIXTURE_INCIDENT, "/s/x", "",
			"<div id=\"live\" hx-get=\"/s/x/live\" hx-trigger=\"sse:service.x, again\" "
			"hx-swap=\"outerHTML\">");
	assert_page_has(FIXTURE_INCIDENT, "/s/x/live", "", "<div id=\"live\" hx-get=\"/s/x/live\"");
	assert_page_has(FIXTURE_INCIDENT, "/s/x/live", "",
			"<div id=\"more\" hx-swap-oob=\"true\">");
	assert_page_has(FIXTURE_INCIDENT, "/live", "",
			"<div id=\"live\" hx-get=\"/live\" hx-trigger=\"sse:now, again\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_answers_in_every_state_of_the_world),
		cmocka_unit_test(what_does_not_exist_is_404_and_shares_one_cache_entry),
		cmocka_unit_test(a_path_longer_than_any_of_ours_is_404),
		cmocka_unit_test(queries_make_no_cache_entries_but_the_few_that_are_listed),
		cmocka_unit_test(what_is_no_part_of_the_key_is_on_no_page_that_is_kept),
		cmocka_unit_test(what_depends_on_nothing_is_the_same_at_any_time),
		cmocka_unit_test(a_key_changes_with_what_the_page_shows),
		cmocka_unit_test(another_name_of_a_service_leads_to_its_page),
		cmocka_unit_test(the_status_is_one_sentence_with_its_numbers),
		cmocka_unit_test(scope_that_is_not_counted_yet_says_no_number),
		cmocka_unit_test(the_home_page_says_what_is_down_or_that_nothing_is),
		cmocka_unit_test(what_is_cited_carries_its_day),
		cmocka_unit_test(ids_in_atom_are_absolute_and_stay),
		cmocka_unit_test(ids_in_json_feed_are_those_of_atom),
		cmocka_unit_test(the_operator_can_be_written_to),
		cmocka_unit_test(reports_alone_do_not_say_why),
		cmocka_unit_test(an_unseen_component_is_as_old_as_what_is_tracked),
		cmocka_unit_test(an_open_incident_is_not_told_as_resolved),
		cmocka_unit_test(the_table_of_requests_is_prose_and_code),
		cmocka_unit_test(a_reconstruction_says_that_it_is_one),
		cmocka_unit_test(a_reconstruction_says_what_it_is_made_from_and_what_is_assumed),
		cmocka_unit_test(a_reconstruction_of_an_unknown_scenario_has_no_sources),
		cmocka_unit_test(a_service_page_begins_with_that_it_was_played),
		cmocka_unit_test(none_is_said_of_what_was_watched_alone),
		cmocka_unit_test(what_was_played_says_so_without_an_incident),
		cmocka_unit_test(names_and_places_are_escaped),
		cmocka_unit_test(every_link_of_every_page_leads_somewhere),
		cmocka_unit_test(ids_are_unique_in_a_page),
		cmocka_unit_test(wrong_parameters_are_refused_by_their_name),
		cmocka_unit_test(incidents_are_filtered_and_told_in_parts),
		cmocka_unit_test(history_is_ordered_as_asked),
		cmocka_unit_test(what_was_said_is_told_as_it_stood),
		cmocka_unit_test(health_is_503_when_the_journal_cannot_write),
		cmocka_unit_test(measured_figures_are_shown_and_their_absence_said),
		cmocka_unit_test(a_refusal_is_a_page_with_the_way_back),
		cmocka_unit_test(places_of_reports_are_said_to_tell_no_cause),
		cmocka_unit_test(values_are_not_called_reports),
		cmocka_unit_test(points_that_are_wider_than_the_peak_say_so),
		cmocka_unit_test(a_metric_that_fell_is_told_as_such),
		cmocka_unit_test(the_thanks_are_there_after_a_report),
		cmocka_unit_test(a_fragment_replaces_what_the_page_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
