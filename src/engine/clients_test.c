/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/traffic_testing.h"
#include "explain/tracer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct client_note note_of(uint8_t last_octet, int64_t at)
{
	return (struct client_note){.kind = CLIENT_PROBE, .family = 4, .requests = 9, .marked = 9,
				    .client = {192, 0, 2, last_octet},
				    .began = wall_s(START_S + at), .last = wall_s(START_S + at)};
}

static const struct client_notes *shown(const struct snapshot *s, const char *service)
{
	return s->services[catalogue_index(s->catalogue, service)]->clients;
}

static void readers_see_what_is_noted_last(void **state)
{
	struct client_note notes[] = {note_of(1, 10), note_of(2, 30), note_of(3, 20)};
	struct world w;
	(void)state;

	world_open(&w, 1);
	struct snapshot *before = engine_snapshot(w.e);
	assert_null(shown(before, "x"));
	assert_int_equal(engine_clients(w.e, "x", notes, 3, 2), ENGINE_COUNTED);
	struct snapshot *one = engine_snapshot(w.e);
	assert_int_equal(shown(one, "x")->count, 3);
	assert_int_equal(shown(one, "x")->more, 2);
	assert_int_equal(shown(one, "x")->notes[0].client[3], 2); /* latest first */
	assert_int_equal(shown(one, "x")->notes[2].client[3], 1);
	assert_null(shown(one, "y"));
	/* A new list takes its place; who reads the old one goes on. */
	assert_int_equal(engine_clients(w.e, "x", notes, 1, 0), ENGINE_COUNTED);
	struct snapshot *two = engine_snapshot(w.e);
	assert_int_equal(shown(two, "x")->count, 1);
	assert_int_equal(shown(one, "x")->count, 3);
	assert_int_equal(engine_clients(w.e, "x", notes, 0, 0), ENGINE_COUNTED);
	struct snapshot *three = engine_snapshot(w.e);
	assert_null(shown(three, "x"));
	assert_int_equal(engine_clients(w.e, "nobody", notes, 1, 0), ENGINE_UNKNOWN_SERVICE);
	snapshot_release(before);
	snapshot_release(one);
	snapshot_release(two);
	world_close(&w);
	assert_null(shown(three, "x"));
	snapshot_release(three);
}

static void what_is_too_much_is_counted(void **state)
{
	static struct client_note notes[CLIENT_NOTES_MAX + 36];
	struct world w;
	(void)state;

	for (size_t i = 0; i < CLIENT_NOTES_MAX + 36; i++)
		notes[i] = note_of((uint8_t)i, (int64_t)i);
	world_open(&w, 1);
	assert_int_equal(engine_clients(w.e, "x", notes, CLIENT_NOTES_MAX + 36, 4),
			 ENGINE_COUNTED);
	struct snapshot *s = engine_snapshot(w.e);
	assert_int_equal(shown(s, "x")->count, CLIENT_NOTES_MAX);
	assert_int_equal(shown(s, "x")->more, 40);
	snapshot_release(s);
	world_close(&w);
}

static bool some_country(const void *context, const uint8_t *address, uint8_t family, char ret[3])
{
	(void)context;
	(void)family;
	memcpy(ret, "XA", 3);
	return address[3] != 2;
}

static uint32_t some_network(const void *context, const uint8_t *address, uint8_t family)
{
	(void)context;
	return family == 4 ? 64500u + address[3] : 0;
}

static void places_are_found(void **state)
{
	static const struct tracer_places places = {.country = some_country,
						    .network = some_network};
	struct client_note notes[] = {note_of(1, 10), note_of(2, 20), note_of(3, 30)};
	struct world w;
	struct engine *e;
	(void)state;

	notes[2].many = true;
	world_open(&w, 1);
	struct engine_options o = world_options(&w);
	o.places = &places;
	assert_int_equal(engine_open(&o, &e, NULL), WD_OK);
	struct snapshot *known = engine_snapshot(w.e);
	assert_int_equal(engine_configure(e, known->catalogue, NULL), WD_OK);
	assert_int_equal(engine_clients(e, "z", notes, 3, 0), ENGINE_COUNTED);
	struct snapshot *s = engine_snapshot(e);
	const struct client_note *n = shown(s, "z")->notes;
	assert_true(n[0].many && n[0].network == 0 && n[0].country[0] == '\0');
	assert_int_equal(n[1].network, 64502);
	assert_string_equal(n[1].country, "");
	assert_int_equal(n[2].network, 64501);
	assert_string_equal(n[2].country, "XA");
	snapshot_release(known);
	snapshot_release(s);
	engine_close(e);
	world_close(&w);
}

/* What is noted is of clients' addresses: no state has them. */
static void no_state_has_it(void **state)
{
	struct client_note note = note_of(77, 10);
	struct world w;
	uint8_t *bytes;
	const char *id;
	size_t len;
	(void)state;

	world_open(&w, 1);
	assert_int_equal(engine_clients(w.e, "x", &note, 1, 0), ENGINE_COUNTED);
	assert_int_equal(engine_write(w.e, &bytes, &len), WD_OK);
	assert_null(memmem(bytes, len, note.client, 4));
	free(bytes);
	for (size_t i = 0; i < engine_service_count(w.e); i++) {
		assert_int_equal(engine_write_service(w.e, i, &id, &bytes, &len), WD_OK);
		assert_null(memmem(bytes, len, note.client, 4));
		free(bytes);
	}
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_what_is_noted_last),
		cmocka_unit_test(what_is_too_much_is_counted),
		cmocka_unit_test(places_are_found),
		cmocka_unit_test(no_state_has_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
