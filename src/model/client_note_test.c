/* SPDX-License-Identifier: Apache-2.0 */
#include "model/client_note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct client_note note(enum client_kind kind, int64_t from, int64_t to)
{
	return (struct client_note){.kind = (uint8_t)kind, .family = 4, .requests = 10,
				    .began = wall_s(1000 + from), .last = wall_s(1000 + to)};
}

static void what_many_did_is_told_once(void **state)
{
	struct client_note notes[] = {
		note(CLIENT_LOGIN, 0, 100), note(CLIENT_LOGIN, 200, 300),
		note(CLIENT_PROBE, 0, 100), note(CLIENT_LOGIN, 50, 150),
	};
	(void)state;
	notes[3].many = true;
	notes[3].requests = 100;
	assert_true(client_note_is_part(notes, 4, 0, "shop", NULL, 0));
	assert_false(client_note_is_part(notes, 4, 1, "shop", NULL, 0)); /* later */
	assert_false(client_note_is_part(notes, 4, 2, "shop", NULL, 0)); /* something else */
	assert_false(client_note_is_part(notes, 4, 3, "shop", NULL, 0)); /* they are the many */
	/* Who only asks much is of them whatever it is that many ask for much. */
	notes[0] = note(CLIENT_SCRAPE, 0, 100);
	notes[3].kind = CLIENT_HAMMER;
	assert_true(client_note_is_part(notes, 4, 0, "shop", NULL, 0));
	notes[3].requests = 0; /* a free place */
	assert_false(client_note_is_part(notes, 4, 0, "shop", NULL, 0));
}

/* Many are no one client, however much it asks. */
static void what_few_did_is_theirs(void **state)
{
	struct client_note notes[] = {
		note(CLIENT_HAMMER, 0, 100), note(CLIENT_HAMMER, 10, 100),
		note(CLIENT_PROBE, 0, 100),
	};
	(void)state;
	notes[1].many = true;
	notes[0].requests = 5600;
	notes[1].requests = 5500;
	assert_false(client_note_is_part(notes, 3, 0, "shop", NULL, 0));
	assert_true(client_note_is_part(notes, 3, 1, "shop", NULL, 0));
	notes[1].requests = 9000; /* others did most of it */
	assert_true(client_note_is_part(notes, 3, 0, "shop", NULL, 0));
	assert_false(client_note_is_part(notes, 3, 1, "shop", NULL, 0));
}

static void what_an_incident_tells_is_told_there(void **state)
{
	static struct incident i = {.service = "shop", .kinds = INCIDENT_REQUESTS};
	struct client_note n = note(CLIENT_LOGIN, 0, 100);
	(void)state;
	i.began_at = wall_s(1050);
	i.requests.finding_count = 1;
	i.requests.findings[0] = (struct part){"http.login", 1};
	assert_true(client_note_is_part(&n, 1, 0, "shop", &i, 1));
	assert_false(client_note_is_part(&n, 1, 0, "blog", &i, 1));
	i.began_at = wall_s(1200); /* after it */
	assert_false(client_note_is_part(&n, 1, 0, "shop", &i, 1));
	i.began_at = wall_s(500);
	i.ended_at = wall_s(900); /* before it */
	assert_false(client_note_is_part(&n, 1, 0, "shop", &i, 1));
	i.ended_at = wall_s(1010);
	assert_true(client_note_is_part(&n, 1, 0, "shop", &i, 1));
	i.kinds = INCIDENT_TRAFFIC;
	assert_false(client_note_is_part(&n, 1, 0, "shop", &i, 1));
	i.kinds = INCIDENT_REQUESTS;
	n.kind = CLIENT_PROBE;
	assert_false(client_note_is_part(&n, 1, 0, "shop", &i, 1));
	n.kind = CLIENT_HAMMER;
	assert_true(client_note_is_part(&n, 1, 0, "shop", &i, 1));
}

static void every_kind_has_a_vector_a_title_and_words(void **state)
{
	(void)state;
	for (unsigned k = 0; k < CLIENT_KINDS; k++) {
		struct client_note n = {.kind = (uint8_t)k, .requests = UINT64_MAX,
					.missing = UINT64_MAX, .marked = UINT64_MAX};
		char words[CLIENT_WORDS_MAX];
		client_note_words(&n, words);
		assert_true(strlen(words) > 0 && strlen(words) < CLIENT_WORDS_MAX - 1);
		assert_true(strncmp(client_note_vector(&n), "http.", 5) == 0);
		assert_true(strlen(client_note_title(&n)) > 0);
	}
	struct client_note n = {.kind = CLIENT_HAMMER, .queries = true};
	assert_string_equal(client_note_vector(&n), "http.cachebust");
	n.posts = true;
	assert_string_equal(client_note_vector(&n), "http.post");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_many_did_is_told_once),
		cmocka_unit_test(what_few_did_is_theirs),
		cmocka_unit_test(what_an_incident_tells_is_told_there),
		cmocka_unit_test(every_kind_has_a_vector_a_title_and_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
