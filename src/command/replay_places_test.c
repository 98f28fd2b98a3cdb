/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_places.h"

#include "base/check.h"
#include "base/prng.h"
#include "intake/geo_read.h"
#include "intake/intake_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void files_and_table_give_the_same_answers(void **state)
{
	static const struct testing_prefix flat[] = {
		{"81.2.70.0", 24, "country_code=FR"},
		{"81.2.69.0", 24, "country_code=GB"},
		{"10.0.0.0", 8, "country_code=US"}, /* private: nothing is known of it */
		{"2001:db8:1::", 48, "country_code=NL"},
	};
	static const struct testing_prefix network[] = {
		{"81.2.69.128", 25, "autonomous_system_number=#20712"},
		{"2001:db8::", 32, "autonomous_system_number=#4200000000"},
	};
	char *folder = testing_folder(), paths[2][300];
	struct replay_places *p = NULL;
	struct geo *g = NULL;
	struct prng r = prng_of(7, 7);
	bool before = false, after = false;
	(void)state;
	(void)snprintf(paths[0], sizeof(paths[0]), "%s/country.mmdb", folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/network.mmdb", folder);
	testing_mmdb(paths[0], flat, WD_COUNT(flat));
	testing_mmdb(paths[1], network, WD_COUNT(network));
	const struct place_files files = {.country = paths[0], .network = paths[1]};
	assert_int_equal(replay_places_open(&files, &p, NULL), WD_OK);
	assert_int_equal(geo_read(&files, &g, NULL), WD_OK);
	const struct tracer_places a = replay_places_of(p), b = tracer_places_of(g);
	for (uint32_t n = 0; n < 2 * REPLAY_PLACES_ASKED; n++) {
		static const uint8_t tops[][6] = {{81, 2, 69}, {81, 2, 70}, {10, 1, 1}, {9, 9, 9},
						  {0x20, 1, 0xd, 0xb8, 0, 1}, {0x20, 1, 0xd, 0xb8}};
		uint32_t which = prng_below(&r, WD_COUNT(tops));
		uint8_t address[16] = {0}, family = which < 4 ? 4 : 6;
		uint32_t rest = (uint32_t)prng_u64(&r);
		memcpy(address, tops[which], family == 4 ? 3 : 6);
		memcpy(address + (family == 4 ? 3 : 12), &rest, family == 4 ? 1 : 4);
		char x[3] = "", y[3] = "";
		assert_int_equal(a.country(a.context, address, family, x),
				 b.country(b.context, address, family, y));
		assert_string_equal(x, y);
		assert_int_equal(a.network(a.context, address, family),
				 b.network(b.context, address, family));
		*(replay_places_has_table(p) ? &after : &before) = true;
	}
	assert_true(before);
	/* IPv4 repeats itself, IPv6 hardly ever. */
	for (uint32_t n = 0; n < 3 * REPLAY_PLACES_ASKED && !after; n++) {
		uint8_t address[16] = {0x20, 1, 0xd, 0xb8};
		memcpy(address + 8, &n, sizeof(n));
		assert_int_equal(a.network(a.context, address, 6), 4200000000u);
		after = replay_places_has_table(p);
	}
	assert_true(after);
	replay_places_close(p);
	geo_close(g);
	testing_folder_remove(folder);
}

static void a_file_that_is_not_there_is_told(void **state)
{
	const struct place_files missing = {.country = "/nonexistent/country.mmdb"};
	const struct place_files none = {.country = NULL, .network = ""};
	struct replay_places *p = NULL;
	struct wd_why why = {0};
	char country[3];
	(void)state;
	assert_int_equal(replay_places_open(&missing, &p, &why), WD_OS);
	assert_null(p);
	assert_int_equal(replay_places_open(&none, &p, NULL), WD_OK);
	const struct tracer_places a = replay_places_of(p);
	const uint8_t address[16] = {81, 2, 69, 1};
	assert_false(a.country(a.context, address, 4, country));
	assert_int_equal(a.network(a.context, address, 4), 0);
	replay_places_close(p);
	replay_places_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_and_table_give_the_same_answers),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
