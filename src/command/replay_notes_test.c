/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One that is told of below the incidents, one of many that is told of with the others. */
static const struct client_note alone = {.kind = CLIENT_PROBE, .family = 4, .client = {192, 0, 2, 1},
	.requests = 20, .missing = 20};
static const struct client_note many = {.kind = CLIENT_LOGIN, .many = true, .requests = 500};
static const struct client_note of_many = {.kind = CLIENT_LOGIN, .family = 4,
	.client = {192, 0, 2, 2}, .requests = 20};

static size_t written(struct buf *b, const struct client_note *notes, uint32_t count,
		      uint64_t dropped, struct incident *incidents, size_t incident_count)
{
	static struct conduct c;
	static struct snapshot s;

	memset(&c, 0, sizeof(c));
	memset(&s, 0, sizeof(s));
	memcpy(c.notes, notes, count * sizeof(*notes));
	c.note_count = count;
	c.notes_dropped = dropped;
	s.incidents = incidents;
	s.incident_count = incident_count;
	buf_init(b, 1 << 16);
	return replay_notes_of(b, &c, "shop", &s, false);
}

static void more_like_these_follow_one_that_is_told(void **state)
{
	struct buf b;

	(void)state;
	assert_int_equal(written(&b, &alone, 1, 3, NULL, 0), 4);
	assert_non_null(strstr(b.data, "by 192.0.2.1: no incident\n"));
	assert_non_null(strstr(b.data, "\nshop: 3 clients more like these\n"));
	buf_done(&b);
	assert_int_equal(written(&b, &alone, 1, 1, NULL, 0), 2);
	assert_non_null(strstr(b.data, "\nshop: 1 client more like these\n"));
	buf_done(&b);
}

static void none_are_like_what_the_incident_tells_of(void **state)
{
	struct incident flood = {.service = "shop"};
	struct buf b;

	(void)state;
	assert_string_equal(client_note_vector(&alone), "http.probe");
	flood.kinds = INCIDENT_REQUESTS;
	flood.requests.finding_count = 1;
	snprintf(flood.requests.findings[0].id, sizeof(flood.requests.findings[0].id), "http.probe");
	assert_int_equal(written(&b, &alone, 1, 3, &flood, 1), 0);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void one_of_many_is_told_of_with_them(void **state)
{
	const struct client_note notes[] = {many, of_many};
	struct buf b;

	(void)state;
	assert_int_equal(written(&b, notes, 2, 0, NULL, 0), 1);
	assert_non_null(strstr(b.data, "by many clients: no incident\n"));
	assert_null(strstr(b.data, "192.0.2.2"));
	assert_null(strstr(b.data, "more like these"));
	buf_done(&b);
}

static void one_request_is_one(void **state)
{
	struct client_note once = alone;
	struct buf b;

	(void)state;
	once.requests = 1;
	assert_int_equal(written(&b, &once, 1, 0, NULL, 0), 1);
	assert_non_null(strstr(b.data, "\n  1 request: "));
	buf_done(&b);
	written(&b, &alone, 1, 0, NULL, 0);
	assert_non_null(strstr(b.data, "\n  20 requests: "));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_like_these_follow_one_that_is_told),
		cmocka_unit_test(none_are_like_what_the_incident_tells_of),
		cmocka_unit_test(one_of_many_is_told_of_with_them),
		cmocka_unit_test(one_request_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
