/* SPDX-License-Identifier: Apache-2.0 */
/* What pages say of traffic: what the addresses prove comes first, who attacks is never said, and
 * nothing that a stranger wrote becomes markup. */
#include "publish/page_traffic.h"

#include "base/check.h"
#include "publish/client_notes.h"
#include "publish/site_fixture.h"
#include "publish/words_traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FORGED "/i/cloudflare-20250310-0951"
#define PROVED "/i/" FIXTURE_PROVED

static const char *query_of(const void *ctx, const char *name)
{
	const char *query = ctx;
	size_t len = strlen(name);
	return strncmp(query, name, len) == 0 && query[len] == '=' ? query + len + 1 : NULL;
}

static struct site_page get(const struct snapshot *s, const char *path, const char *query)
{
	struct site site = fixture_site;
	struct site_request request = {.path = path, .query = query_of, .ctx = query};
	struct site_page page;
	site_init(&site);
	site.collects_flows = true;
	assert_int_equal(site_render(&site, s, &request, &page, NULL), WD_OK);
	return page;
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;
	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
}

static void expect(enum fixture fixture, const char *path, const char *query, const char *text,
		   bool there)
{
	struct snapshot *s = fixture_snapshot(fixture);
	struct site_page page = get(s, path, query);
	if ((strstr(page.body.data, text) != NULL) != there)
		fail_msg("%s?%s %s: %s", path, query, there ? "lacks" : "has", text);
	buf_done(&page.body);
	snapshot_release(s);
}

static void has(const char *path, const char *query, const char *text)
{
	expect(FIXTURE_INCIDENT, path, query, text, true);
}
static void lacks(const char *path, const char *query, const char *text)
{
	expect(FIXTURE_INCIDENT, path, query, text, false);
}

static void forged_sources_are_folded_behind_the_reason(void **state)
{
	(void)state;
	has(FORGED, "", "The source addresses are forged and prove nothing.");
	has(FORGED, "", "<details id=\"t-places\"><summary>What the forged addresses would say, "
			"which proves nothing</summary><div class=\"two tables\"><div class=\"scroll\" ");
	has(FORGED "/map.svg", "", ">forged and prove nothing</text>"); /* in two lines */
	has(FORGED "/map.svg", "", ">The source addresses are</text>");
	lacks(FORGED "/map.svg", "", "class=\"land q5\"");
	lacks(FORGED, "", "<figcaption>Where the networks");
	has(PROVED, "", "Machines, not people");
	has(PROVED "/map.svg", "", "class=\"land q5\"");
	lacks(PROVED, "", "t-places");
}

static void a_peak_that_no_point_of_the_chart_has_is_explained(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	const char *id = strrchr(FORGED, '/') + 1;
	struct incident *i = &s->incidents[snapshot_incident(s, id) - s->incidents];
	static const struct { float peak; const char *query; bool said; } cases[] = {
		{99000, "", true}, {99000, "show=sources", false}, {10, "", false},
	};
	(void)state;
	for (size_t n = 0; n < WD_COUNT(cases); n++) {
		i->traffic.peak_packets_per_s = cases[n].peak;
		struct site_page page = get(s, FORGED, cases[n].query);
		assert_int_equal(strstr(page.body.data, "The strongest second, wherever it began, had "
							"99,000 packets/s: that is the peak") != NULL,
				 cases[n].said);
		buf_done(&page.body);
	}
	snapshot_release(s);
}

static void who_did_it_is_never_said(void **state)
{
	(void)state;
	has(FORGED, "", "Who did it. No address tells, and this site never says.");
	has(PROVED, "", "Who did it. No address tells, and this site never says.");
	has(FORGED, "", "That fits one cause, and proves none.");
	has(PROVED, "", "That anybody was hurt by it: reports of people did not rise");
	has(PROVED, "", "Whose the machines are, and who commands them");
	has(FORGED, "", "<li>In its highest second the service received 24,600 packets/s");
	/* Two vectors that prove different things. */
	has(FORGED, "", "Third parties answered what this service never asked");
	has(FORGED, "", "<li>Where reflected packets were ordered from:");
	has(FORGED, "", "<li>Where forged packets came from:");
	lacks(FORGED, "", "took part.</li>");
}

static void what_a_fixed_rule_opened_has_no_odds(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	struct incident i = {.kinds = INCIDENT_TRAFFIC};
	struct buf b;
	struct words w = {.out = &b, .now = s->now};
	(void)state;
	has(PROVED, "", "No odds can be stated for its traffic: it had not been watched for long "
			"enough to know what is usual, so a fixed rule decided.");
	has(FORGED, "", "; normal traffic does this less than once in 1,000 years.");
	buf_init(&b, 4000);
	i.traffic.log10_return = 12;
	i.traffic.cold = true;
	words_incident_odds(&w, &i);
	assert_null(strstr(b.data, "Odds of"));
	assert_non_null(strstr(b.data, "fixed rule"));
	buf_reset(&b);
	i.traffic.cold = false;
	words_incident_odds(&w, &i);
	assert_string_equal(b.data, "Odds of a false alarm: normal traffic does this less than once "
				    "in 1,000 years.");
	buf_done(&b);
	snapshot_release(s);
}

static void charts_are_chosen_by_links_that_need_no_script(void **state)
{
	(void)state;
	has(FORGED, "", "?show=packets#received\" aria-current=\"true\">Packets</a>");
	has(FORGED, "show=bits", "<title id=\"received-t\">Bits received</title>");
	has(FORGED, "show=bits", "hx-get=\"" FORGED "/live?show=bits\"");
	has(PROVED, "show=requests", "<title id=\"received-t\">Requests in access logs</title>");
	has(PROVED, "", "; no two alike; 95 % for /&lt;b&gt;search&lt;/b&gt;</dd>");
	has(FORGED, "show=%22%3E", "<title id=\"received-t\">Packets received</title>");
	lacks(FORGED, "", ">Requests</a>"); /* there were none */
	/* Of what is drawn a table says the same, and a sentence. */
	has(FORGED, "", "<details id=\"t-received\"><summary>The same as a table</summary>");
	has(FORGED, "", "Highest of the points, each of ");
}

/* The fixture knows ten minutes without a pause before the trace, which begins at 09:49. */
static void charts_begin_before_the_attack(void **state)
{
	(void)state;
	has(FORGED, "", "In the 10 min before 09:49:00 UTC: 2,024 packets/s in the mean.");
	has(FORGED, "", "<tbody>\n<tr><th scope=\"row\"><time class=\"hs\" datetime=\"2025-03-10T09:39:00Z\"");
	has(FORGED, "show=flows", "<tbody>\n<tr><th scope=\"row\"><time class=\"hs\" datetime=\"2025-03-10T09:39:00Z\"");
	/* What was not counted then, and a trace that knows nothing of it, begin where they begin. */
	has(FORGED, "show=sources", "<tbody>\n<tr><th scope=\"row\"><time class=\"hs\" datetime=\"2025-03-10T09:49:00Z\"");
	lacks(FORGED, "show=sources", " before 09:49");
	lacks(PROVED, "", " min before ");
}

static void reports_and_traffic_share_one_axis(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	struct site_page page = get(s, FORGED, "");
	const char *first = strstr(page.body.data, " data-from=\"");
	const char *second = first != NULL ? strstr(first + 1, " data-from=\"") : NULL;
	(void)state;
	assert_non_null(second);
	assert_memory_equal(first, second, strcspn(first, ">"));
	buf_done(&page.body);
	snapshot_release(s);
}

static void the_status_is_told_by_what_carries_the_incident(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	struct service_state *x = s->services[0];
	struct buf b;
	struct words w = {.out = &b, .now = s->now};
	(void)state;
	s->incidents[0].kinds = INCIDENT_TRAFFIC;
	s->incidents[0].traffic = s->incidents[1].traffic;
	buf_init(&b, 4000);
	words_status(&w, s, x);
	assert_string_equal(b.data, "Traffic to X is far above usual since 09:45 UTC: SYN flood "
				    "with forged sources, 24,000 packets/s now, 2,000 is usual.");
	buf_reset(&b);
	/* As after a restart: the incident is known, and nothing has come in yet. */
	wd_wall flows_at = x->traffic->flows_at;
	x->traffic->flows_at.ns = 0;
	words_status(&w, s, x);
	assert_string_equal(b.data, "Traffic to X is far above usual since 09:45 UTC: SYN flood "
				    "with forged sources, nothing has come in yet.");
	buf_reset(&b);
	x->traffic->flows_at = flows_at;
	x->status = STATUS_USUAL;
	x->incident = SIZE_MAX;
	x->first_seen_at.ns = 0;
	words_status(&w, s, x);
	assert_string_equal(b.data, "Nothing unusual in the traffic to X: 24,000 packets/s now, "
				    "2,000 is usual.");
	buf_reset(&b);
	x->traffic->cold = true;
	x->traffic->learned = span_s(240);
	words_status(&w, s, x);
	assert_string_equal(b.data, "What is usual of the traffic to X is being learned: 4 min so "
				    "far.");
	buf_reset(&b);
	x->traffic->cold = false;
	x->traffic->flows_at = wall_back(s->now, span_s(600));
	words_status(&w, s, x);
	assert_string_equal(b.data,
			    "Nothing unusual in the traffic to X: nothing came in since 15:27 UTC.");
	buf_done(&b);
	snapshot_release(s);
}

static void a_service_that_waits_for_telemetry_says_so(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	struct service *barclays = (struct service *)(uintptr_t)s->services[1]->service;
	struct address_block block = {.family = 4, .bits = 24};
	struct address_block *before = barclays->addresses;
	(void)state;
	struct site_page page = get(s, "/s/barclays", "");
	assert_null(strstr(page.body.data, "Telemetry is on"));
	assert_null(strstr(page.body.data, "id=\"traffic\""));
	buf_done(&page.body);
	barclays->addresses = &block;
	barclays->address_count = 1;
	page = get(s, "/s/barclays", "");
	assert_non_null(strstr(page.body.data, "Telemetry is on, and nothing has arrived for this "
					       "service yet: no flow record or packet."));
	buf_done(&page.body);
	barclays->addresses = before;
	barclays->address_count = 0;
	snapshot_release(s);
}

static void history_is_filtered_by_kind_and_by_vector(void **state)
{
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	static const struct { const char *query; size_t rows; } cases[] = {
		{"kind=traffic", 2}, {"kind=requests", 1}, {"vector=amp.dns", 1},
		{"vector=http.cachebust", 1}, {"kind=reports", 41},
	};
	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct site_page page = get(s, "/history", cases[n].query);
		assert_int_equal(count_of(page.body.data, "<td><a href=\"/i/"), cases[n].rows);
		buf_done(&page.body);
		page = get(s, "/api/v1/incidents", cases[n].query);
		assert_int_equal(count_of(page.body.data, "\"headline\":"), cases[n].rows);
		buf_done(&page.body);
	}
	/* What is none of the vectors there were is no filter, and is not written back. */
	struct site_page page = get(s, "/history", "vector=<b>");
	assert_null(strstr(page.body.data, "<b>"));
	assert_true(count_of(page.body.data, "<td><a href=\"/i/") > 2);
	buf_done(&page.body);
	snapshot_release(s);
}

static void nothing_of_a_trace_becomes_markup(void **state)
{
	static const char *const paths[] = {
		FORGED, FORGED "/live", FORGED "/map.svg", PROVED, PROVED "/live", "/history",
		"/method/vectors", "/feed.atom", "/s/cloudflare", "/", "/s/x",
		"/api/v1/incidents", "/feed.json"};
	static const char *const shows[] = {"", "show=bits", "show=requests", "show=sources"};
	struct snapshot *s = fixture_snapshot(FIXTURE_HOSTILE);
	(void)state;
	for (size_t n = 0; n < sizeof(paths) / sizeof(paths[0]); n++) {
		for (size_t k = 0; k < sizeof(shows) / sizeof(shows[0]); k++) {
			struct site_page page = get(s, paths[n], shows[k]);
			assert_int_equal(page.status, 200);
			bool json = strstr(page.content_type, "json") != NULL;
			if (!json && strstr(page.body.data, "<script>alert") != NULL)
				fail_msg("%s?%s holds a script", paths[n], shows[k]);
			if (json && strstr(page.body.data, "alert(1)</script>\"'") != NULL)
				fail_msg("%s holds a quote", paths[n]);
			buf_done(&page.body);
		}
	}
	/* The name is there: it was tried. */
	struct site_page page = get(s, FORGED, "");
	assert_true(count_of(page.body.data, "&lt;script&gt;alert(1)") > 10);
	buf_done(&page.body);
	snapshot_release(s);
}

static void summaries_say_what_is_known_of_an_attack(void **state)
{
	(void)state;
	has("/feed.atom", "", "Traffic: SYN flood with forged sources (68 %) and DNS amplification "
			      "(32 %); the source addresses of the first are forged: they prove "
			      "nothing.");
	has("/api/v1/incidents", "", "Requests: Cache-busting HTTP flood (95 %).");
	has("/api/v2/incidents.json", "", "DNS amplification (32 %)");
}

static void single_clients_have_no_address(void **state)
{
	static const char *const addresses[] = {"203.0.113", "2001:"};
	struct snapshot *s = fixture_snapshot(FIXTURE_INCIDENT);
	char id[SERVICE_ID_MAX + 1], page_path[SERVICE_ID_MAX + 8], api[SERVICE_ID_MAX + 32];
	(void)state;

	snprintf(id, sizeof(id), "%s", s->services[1]->service->id);
	snprintf(page_path, sizeof(page_path), "/s/%s", id);
	snprintf(api, sizeof(api), "/api/v1/services/%s", id);
	struct site_page page = get(s, page_path, "");
	struct site_page json = get(s, api, "");
	assert_non_null(strstr(page.body.data, "Single clients"));
	assert_non_null(strstr(page.body.data, "one client in AS64500, DE"));
	assert_non_null(strstr(page.body.data, "many clients"));
	assert_non_null(strstr(page.body.data, "and 3 more like these"));
	assert_int_equal(count_of(page.body.data, "<dt>Hammering, "), 1); /* the other is of the many */
	assert_int_equal(count_of(json.body.data, "\"finding\":"), 3);
	for (size_t i = 0; i < WD_COUNT(addresses); i++) {
		assert_null(strstr(page.body.data, addresses[i]));
		assert_null(strstr(json.body.data, addresses[i]));
	}
	buf_done(&page.body);
	buf_done(&json.body);
	/* Who may know asks elsewhere. */
	struct buf b;
	buf_init(&b, 1 << 20);
	client_notes_json(&b, s);
	assert_non_null(strstr(b.data, "\"203.0.113.77\""));
	assert_non_null(strstr(b.data, "\"2001:db8::\""));
	assert_true(count_of(b.data, "\"part\":") == 8);
	buf_done(&b);
	snapshot_release(s);
	s = fixture_snapshot(FIXTURE_HOSTILE);
	page = get(s, page_path, "");
	assert_null(strstr(page.body.data, "AS64500, <b"));
	assert_non_null(strstr(page.body.data, "AS64500, &lt;b"));
	buf_done(&page.body);
	snapshot_release(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_sources_are_folded_behind_the_reason),
		cmocka_unit_test(a_peak_that_no_point_of_the_chart_has_is_explained),
		cmocka_unit_test(who_did_it_is_never_said),
		cmocka_unit_test(what_a_fixed_rule_opened_has_no_odds),
		cmocka_unit_test(charts_are_chosen_by_links_that_need_no_script),
		cmocka_unit_test(charts_begin_before_the_attack),
		cmocka_unit_test(reports_and_traffic_share_one_axis),
		cmocka_unit_test(the_status_is_told_by_what_carries_the_incident),
		cmocka_unit_test(a_service_that_waits_for_telemetry_says_so),
		cmocka_unit_test(history_is_filtered_by_kind_and_by_vector),
		cmocka_unit_test(nothing_of_a_trace_becomes_markup),
		cmocka_unit_test(summaries_say_what_is_known_of_an_attack),
		cmocka_unit_test(single_clients_have_no_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
