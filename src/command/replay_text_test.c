/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct incident incident_of_reports(void)
{
	return (struct incident){
		.service = "shop", .kinds = INCIDENT_REPORTS, .step = span_s(60),
		.began_at = wall_s(1741599900), .decided_at = wall_s(1741600000),
		.ended_at = wall_s(1741603500), .peak_at = wall_s(1741601000),
		.log10_return_decided = 9, .peak_observed = 50, .peak_expected = 2};
}

static void nothing_of_a_file_moves_the_terminal(void **state)
{
	static const char *const hostile[] = {"a\x1b[2Jb", "a\x7f" "b", "a\xc2\x9b" "2Jb",
					      "a\xc2\x80" "b", "a\xe2\x80\xae" "b",
					      "a\xe2\x81\xa6" "b"};
	(void)state;
	for (size_t n = 0; n < sizeof(hostile) / sizeof(hostile[0]); n++) {
		struct incident i = incident_of_reports();
		struct buf b;
		i.scope_count = 1;
		i.scopes[0].dimension = DIMENSION_CITY;
		snprintf(i.scopes[0].value, sizeof(i.scopes[0].value), "%s", hostile[n]);
		buf_init(&b, 1 << 16);
		replay_text_incident(&b, &i, NULL, NULL);
		assert_non_null(strstr(b.data, "  scope: city a "));
		assert_null(strstr(b.data, hostile[n]));
		assert_null(strstr(b.data, hostile[n] + 1));
		buf_done(&b);
	}
	struct incident i = incident_of_reports();
	struct buf b;
	i.scope_count = 1;
	i.scopes[0].dimension = DIMENSION_CITY;
	snprintf(i.scopes[0].value, sizeof(i.scopes[0].value), "M\xc3\xbcnchen \xe2\x82\xac \xc2\xa0");
	buf_init(&b, 1 << 16);
	replay_text_incident(&b, &i, NULL, NULL);
	assert_non_null(strstr(b.data, i.scopes[0].value));
	buf_done(&b);
}

static void the_odds_are_those_of_what_decided(void **state)
{
	struct incident i = incident_of_reports();
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	replay_text_incident(&b, &i, NULL, NULL);
	assert_non_null(strstr(b.data, "  decided 09:46: by chance once in "));
	buf_reset(&b);
	/* A flood decided, by a fixed rule; the reports came afterwards. */
	i.kinds |= INCIDENT_TRAFFIC;
	i.log10_return_decided = 0;
	i.traffic.began_at = i.began_at;
	i.traffic.decided_at = i.decided_at;
	i.traffic.cold = true;
	replay_text_incident(&b, &i, NULL, NULL);
	assert_null(strstr(b.data, "by chance"));
	assert_non_null(strstr(b.data, "  peak 50 in "));
	buf_reset(&b);
	i.metric = true;
	i.peak_observed = -0.37f;
	i.peak_expected = 0.0125f;
	replay_text_incident(&b, &i, NULL, NULL);
	assert_non_null(strstr(b.data, "  farthest from usual -0.37 in "));
	assert_non_null(strstr(b.data, ", usual 0.0125\n"));
	buf_done(&b);
}

static void a_finding_has_its_name_and_its_reason(void **state)
{
	struct incident i = incident_of_reports();
	struct vector_book *book = calloc(1, sizeof(*book));
	struct buf b;

	(void)state;
	assert_non_null(book);
	book->count = 1;
	snprintf(book->rows[0].id, sizeof(book->rows[0].id), "http.cachebust");
	snprintf(book->rows[0].name, sizeof(book->rows[0].name), "Cache-busting HTTP flood");
	i.kinds = INCIDENT_REQUESTS;
	i.requests.began_at = i.began_at;
	i.requests.decided_at = i.decided_at;
	i.requests.peak_requests_per_s = 640;
	i.requests.finding_count = 1;
	i.requests.findings[0].share = 1;
	snprintf(i.requests.findings[0].id, sizeof(i.requests.findings[0].id), "http.cachebust");
	snprintf(i.requests.why[0], sizeof(i.requests.why[0]), "98 %% for /\x1b[2J");
	buf_init(&b, 1 << 16);
	replay_text_incident(&b, &i, NULL, book);
	assert_non_null(strstr(b.data, "finding    Cache-busting HTTP flood (http.cachebust), 100 % of "
				       "the requests\n             98 % for /"));
	assert_null(strchr(b.data, '\x1b'));
	buf_reset(&b);
	replay_text_incident(&b, &i, NULL, NULL);
	assert_non_null(strstr(b.data, "finding    http.cachebust, 100 % of the requests\n"));
	buf_done(&b);
	free(book);
}

/* Reports are of minutes, persons of quarters of an hour: there may be more of these. */
static void made_up_reports_are_told_with_the_time_that_each_number_is_of(void **state)
{
	struct coordinated c = {.service = "shop", .began_at = wall_s(1741599900), .observed = 145, .expected = 10,
				.persons = 200, .networks = 44, .top_network = "AS64500", .top_share = 0.95f};
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 16);
	replay_text_coordinated(&b, &c);
	assert_string_equal(b.data, "shop: 2025-03-10 09:45 UTC, reports.coordinated: no incident\n"
				    "  145 reports in 4 min, usual 10; 95% of them from AS64500; "
				    "in up to half an hour 200 persons in 44 networks\n");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_a_file_moves_the_terminal),
		cmocka_unit_test(the_odds_are_those_of_what_decided),
		cmocka_unit_test(a_finding_has_its_name_and_its_reason),
		cmocka_unit_test(made_up_reports_are_told_with_the_time_that_each_number_is_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
