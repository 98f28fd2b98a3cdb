/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/comments.h"

#include "publish/site_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- what is asked ---- */

struct pair { const char *name, *value; };

static const char *query_of(const void *ctx, const char *name)
{
	const struct pair *p = ctx;
	return p->name != NULL && strcmp(p->name, name) == 0 ? p->value : NULL;
}

static void a_query_is_read_or_refused_by_its_name(void **state)
{
	static const struct pair wrong[] = {
		{"state", ""}, {"state", "HELD"}, {"state", "dropped"}, {"service", ""},
		{"service", "a b"}, {"service", "<i>"}, {"after", ""}, {"after", "-1"}, {"after", " 1"},
		{"after", "1x"}, {"after", "9223372036854775808"}, {"limit", "0"}, {"limit", "201"},
		{"limit", "+5"}, {"limit", "0x5"},
	};
	struct problem_document problem;
	struct comment_query q;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (comments_query_read(query_of, &wrong[i], &q, &problem))
			fail_msg("%s=%s passes", wrong[i].name, wrong[i].value);
		assert_int_equal(problem.status, 400);
		assert_string_equal(problem.field, wrong[i].name);
	}
	assert_true(comments_query_read(query_of, &(struct pair){NULL}, &q, &problem));
	assert_true(q.status == COMMENT_HELD && q.service == NULL && q.after == 0 && q.limit == 100);
	assert_true(comments_query_read(query_of, &(struct pair){"state", "rejected"}, &q, &problem));
	assert_int_equal(q.status, COMMENT_REJECTED);
	assert_true(comments_query_read(query_of, &(struct pair){"service", "x"}, &q, &problem));
	assert_string_equal(q.service, "x");
	assert_true(comments_query_read(query_of, &(struct pair){"after", "9223372036854775807"}, &q, &problem));
	assert_int_equal(q.after, INT64_MAX);
	assert_true(comments_query_read(query_of, &(struct pair){"limit", "200"}, &q, &problem));
	assert_int_equal(q.limit, 200);
}

static void a_path_has_a_number_and_nothing_else(void **state)
{
	static const char *const wrong[] = {
		"/api/v1/comments", "/api/v1/comments/", "/api/v1/comments/0", "/api/v1/comments/-1",
		"/api/v1/comments/1/", "/api/v1/comments/1x", "/api/v1/comments/ 1", "/api/v1/comment/1",
		"/api/v1/comments/99999999999999999999",
	};
	int64_t n = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(comment_path(wrong[i], &n));
	assert_true(comment_path("/api/v1/comments/120", &n));
	assert_int_equal(n, 120);
}

/* ---- what is decided ---- */

static void a_decision_is_one_of_two_words(void **state)
{
	static const struct { const char *body; int status; } wrong[] = {
		{"", 400}, {"publish", 400}, {"[]", 400}, {"\"publish\"", 400}, {"{\"decision\":\"publish\"", 400},
		{"{\"decision\":\"publish\"} x", 400}, {"{\"decision\":\"publish\",\"decision\":\"reject\"}", 400},
		{"{\"decision\":\"\xff\"}", 400}, {"{}", 422}, {"{\"decision\":null}", 422}, {"{\"decision\":1}", 422},
		{"{\"decision\":\"Publish\"}", 422}, {"{\"decision\":\"publish\\u0000\"}", 400},
		{"{\"decision\":\"held\"}", 422}, {"{\"Decision\":\"publish\"}", 422},
		{"{\"decision\":\"publish\",\"all\":true}", 422},
	};
	enum comment_status s = COMMENT_HELD;
	struct problem_document problem;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (decision_read(wrong[i].body, strlen(wrong[i].body), &s, &problem))
			fail_msg("%s passes", wrong[i].body);
		assert_int_equal(problem.status, wrong[i].status);
		assert_string_equal(problem.field, wrong[i].status == 422 ? "decision" : "");
	}
	assert_true(decision_read(" {\"decision\": \"publish\"}\n", 25, &s, &problem));
	assert_int_equal(s, COMMENT_PUBLISHED);
	assert_true(decision_read("{\"decision\":\"reject\"}", 21, &s, &problem));
	assert_int_equal(s, COMMENT_REJECTED);
}

static void every_prefix_of_a_decision_and_deep_nesting_are_refused(void **state)
{
	static const char whole[] = "{\"decision\":\"reject\"}";
	char deep[DECISION_BYTES_MAX];
	enum comment_status s;
	struct problem_document problem;
	(void)state;
	for (size_t len = 0; len + 1 < sizeof(whole); len++) {
		char *cut = malloc(len + 1); /* so that a step beyond it is seen */
		memcpy(cut, whole, len);
		assert_false(decision_read(cut, len, &s, &problem));
		free(cut);
	}
	memset(deep, '[', sizeof(deep));
	assert_false(decision_read(deep, sizeof(deep), &s, &problem));
}

/* ---- what is told ---- */

static void the_public_is_told_less_than_the_operator(void **state)
{
	const struct comment c = {
		.number = 77, .at = wall_s(1741599900), .received_at = wall_s(1741599901), .service = "x",
		.surface = "app", .problem = "", .country = "GB", .text = "</script>\"\n",
	};
	struct buf b;
	(void)state;
	buf_init(&b, 1000);
	comment_public_json(&b, &c);
	assert_string_equal(b.data, "{\"at\":\"2025-03-10T09:45:00Z\",\"surface\":\"app\",\"problem\":null,"
				    "\"country\":\"GB\",\"text\":\"\\u003c/script>\\\"\\n\"}");
	buf_reset(&b);
	comment_operator_json(&b, &c);
	assert_non_null(strstr(b.data, "{\"id\":77,\"state\":\"held\",\"at\":\"2025-03-10T09:45:00Z\","
				       "\"received_at\":\"2025-03-10T09:45:01Z\",\"decided_at\":null,"
				       "\"service\":\"x\",\"surface\":\"app\""));
	buf_reset(&b);
	decision_json(&b, 77, &(struct comment_decision){COMMENT_REJECTED, wall_s(1741599900), true, "x"});
	assert_string_equal(b.data, "{\"id\":77,\"state\":\"rejected\",\"decided_at\":\"2025-03-10T09:45:00Z\"}\n");
	buf_done(&b);
}

/* ---- on pages ---- */

static struct site_page get(const struct site *site, const char *path)
{
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct site_request request = {.path = path};
	struct site_page page;
	assert_int_equal(site_render(site, snapshot, &request, &page, NULL), WD_OK);
	assert_int_equal(page.status, 200);
	snapshot_release(snapshot);
	return page;
}

static void page_has(const char *path, const char *text, bool there)
{
	struct site_page page = get(&fixture_site, path);
	if ((strstr(page.body.data, text) != NULL) != there)
		fail_msg("%s %s: %s", path, there ? "lacks" : "has", text);
	buf_done(&page.body);
}

static void pages_show_them_escaped_with_what_and_where(void **state)
{
	static const char *const paths[] = {"/s/x", "/s/x/live", "/i/x-20250310-0945", "/i/x-20250310-0945/live"};
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		page_has(paths[i], "<p dir=\"auto\">Timeline is empty since ten to four. The website works.</p>"
				   "<small><time class=\"h\" datetime=\"2025-03-10T15:33:20Z\">15:33 UTC</time>"
				   " · App · It does not load · United Kingdom</small>", true);
		page_has(paths[i], "<p dir=\"auto\">&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;", true);
		page_has(paths[i], " · fax · &lt;b&gt;</small>", true);
		page_has(paths[i], "<script>alert", false);
	}
	page_has("/s/x", "id=\"said\">What people say, last 24 hours</h2>", true);
	page_has("/i/x-20250310-0945", "id=\"said\">What people said</h2>", true);
}

static void where_nobody_said_anything_nothing_is_shown(void **state)
{
	struct site silent = fixture_site;
	(void)state;
	page_has("/s/barclays", "id=\"said\"", false);
	page_has("/i/cloudflare-20250310-0951", "id=\"said\"", false);
	page_has("/api/v1/services/barclays/comments", "{\"service\":\"barclays\",\"comments\":[]}\n", true);
	silent.comments = NULL;
	struct site_page page = get(&silent, "/s/x");
	assert_null(strstr(page.body.data, "id=\"said\""));
	buf_done(&page.body);
}

static void the_api_has_what_the_page_has(void **state)
{
	(void)state;
	page_has("/api/v1/services/x/comments", "{\"service\":\"x\",\"comments\":[{\"at\":\"2025-03-10T15:33:20Z\","
		 "\"surface\":\"app\",\"problem\":\"itdoesnotload\",\"country\":\"GB\","
		 "\"text\":\"Timeline is empty since ten to four. The website works.\"},{", true);
	page_has("/api/v1/services/x/comments", "<script", false);
	page_has("/api/v1/services/x/comments", "\"id\"", false);
}

static uint64_t version;

static uint64_t version_of(void *ctx)
{
	(void)ctx;
	return version;
}

static void a_decision_makes_the_pages_that_show_it_new(void **state)
{
	static const struct { const char *path; bool changes; } cases[] = {
		{"/s/x", true}, {"/s/x/live", true}, {"/i/x-20250310-0945", true},
		{"/api/v1/services/x/comments", true}, {"/api/v1/services/x", false}, {"/", false},
		{"/s/nowhere", false}, {"/method/vectors", false},
	};
	struct snapshot *snapshot = fixture_snapshot(FIXTURE_INCIDENT);
	struct site site = fixture_site;
	(void)state;
	site.comments_version = version_of;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct site_request request = {.path = cases[i].path};
		struct site_key before, same, after;
		version = 4;
		site_key(&site, snapshot, &request, &before);
		site_key(&site, snapshot, &request, &same);
		version = 5;
		site_key(&site, snapshot, &request, &after);
		assert_int_equal(before.version, same.version);
		if ((before.version != after.version) != cases[i].changes)
			fail_msg("%s", cases[i].path);
	}
	snapshot_release(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_read_or_refused_by_its_name),
		cmocka_unit_test(a_path_has_a_number_and_nothing_else),
		cmocka_unit_test(a_decision_is_one_of_two_words),
		cmocka_unit_test(every_prefix_of_a_decision_and_deep_nesting_are_refused),
		cmocka_unit_test(the_public_is_told_less_than_the_operator),
		cmocka_unit_test(pages_show_them_escaped_with_what_and_where),
		cmocka_unit_test(where_nobody_said_anything_nothing_is_shown),
		cmocka_unit_test(the_api_has_what_the_page_has),
		cmocka_unit_test(a_decision_makes_the_pages_that_show_it_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
