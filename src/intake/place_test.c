/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/place.h"

#include "base/check.h"
#include "intake/intake_testing.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder;

static const char *in_folder(const char *name)
{
	static char paths[4][4096];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static struct place find(struct places *p, const char *address)
{
	uint8_t bytes[16];
	testing_address(address, bytes);
	return places_find(p, bytes);
}

static void assert_place(struct place place, const char *country, const char *region, const char *city,
			 uint32_t network)
{
	assert_string_equal(place.country, country);
	assert_string_equal(place.region, region);
	assert_string_equal(place.city, city);
	assert_int_equal(place.network, network);
}

static const struct testing_prefix nested[] = {
	{"81.2.69.0", 24, "country.iso_code=GB;city.names.en=London;subdivisions.0.names.en=England"},
	{"2a02:8100::", 28, "registered_country.iso_code=DE"},
	{"203.0.113.0", 24, "country.iso_code=england;city.names.en=a\tb"},
};
static const struct testing_prefix flat[] = {
	{"81.2.69.0", 25, "country_code=US"},
	{"198.51.100.0", 24, "country_code=FR;city=Paris;state1=Ile-de-France;autonomous_system_number=#3215"},
};
static const struct testing_prefix network[] = {
	{"0.0.0.0", 1, "autonomous_system_number=#64500"},
	{"128.0.0.0", 1, "autonomous_system_number=#64501;autonomous_system_organization=Example"},
	{"2a02:8100::", 28, "autonomous_system_number=#3209"},
};

static void both_layouts_are_understood_and_the_files_complete_each_other(void **state)
{
	struct place_files files = {in_folder("city"), in_folder("country"), in_folder("network")};
	struct places *p = NULL;
	(void)state;
	testing_mmdb(files.city, nested, WD_COUNT(nested));
	testing_mmdb(files.country, flat, WD_COUNT(flat));
	testing_mmdb(files.network, network, WD_COUNT(network));
	assert_int_equal(places_open(&files, &p, NULL), WD_OK);
	assert_place(find(p, "81.2.69.160"), "GB", "England", "London", 64500);
	assert_place(find(p, "81.2.69.1"), "GB", "England", "London", 64500); /* the city file goes first */
	assert_place(find(p, "198.51.100.9"), "FR", "Ile-de-France", "Paris", 3215);
	assert_place(find(p, "2a02:8109::1"), "DE", "", "", 3209);
	assert_place(find(p, "203.0.113.9"), "", "", "", 64501); /* unfit to be shown */
	assert_place(find(p, "2001:4860::8888"), "", "", "", 0);
	places_close(p);
}

static void nothing_is_known_of_private_addresses(void **state)
{
	static const char *const private[] = {
		"10.1.2.3", "127.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1",
		"0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fdff::1", "fe80::1", "febf::1", "ff02::1",
	};
	static const char *const public[] = {
		"11.0.0.1", "126.255.255.255", "172.15.0.1", "172.32.0.1", "192.167.1.1", "100.63.0.1", "100.128.0.1",
		"223.255.255.255", "2a02::1", "fbff::1", "fec0::1", "::2",
	};
	uint8_t bytes[16];
	struct place_files files = {.network = in_folder("network")};
	struct places *p = NULL;
	(void)state;
	for (size_t i = 0; i < WD_COUNT(private); i++) {
		testing_address(private[i], bytes);
		assert_true(address_is_private(bytes));
	}
	for (size_t i = 0; i < WD_COUNT(public); i++) {
		testing_address(public[i], bytes);
		assert_false(address_is_private(bytes));
	}
	testing_mmdb(files.network, network, WD_COUNT(network));
	assert_int_equal(places_open(&files, &p, NULL), WD_OK);
	assert_int_equal(find(p, "11.0.0.1").network, 64500);
	assert_int_equal(find(p, "10.0.0.1").network, 0);
	places_close(p);
}

static void files_that_are_not_there_or_none_are_named(void **state)
{
	struct places *p = NULL;
	struct wd_why why;
	struct place_files missing = {.country = "/nonexistent/country.mmdb"};
	struct place_files broken = {.network = in_folder("broken")};
	struct place_files none = {.city = ""};
	(void)state;
	assert_int_equal(places_open(&missing, &p, &why), WD_OS);
	assert_int_equal(why.at, 1);
	FILE *f = fopen(broken.network, "wb");
	assert_non_null(f);
	fputs("this is no database", f);
	fclose(f);
	assert_int_equal(places_open(&broken, &p, &why), WD_MALFORMED);
	assert_int_equal(why.at, 2);
	assert_null(p);
	assert_int_equal(places_open(&none, &p, &why), WD_OK);
	assert_place(find(p, "81.2.69.160"), "", "", "", 0);
	places_close(p);
}

static void *look_up_for_ever(void *arg)
{
	struct places *p = arg;
	uint64_t seen = 0;
	while (seen++ < 20000) {
		struct place place = find(p, "81.2.69.1");
		assert_true(strcmp(place.country, "GB") == 0 || strcmp(place.country, "US") == 0);
	}
	return NULL;
}

static void a_reload_takes_effect_while_others_look_up_and_a_bad_one_does_not(void **state)
{
	struct place_files first = {.country = in_folder("first")}, second = {.country = in_folder("second")};
	struct place_files bad = {.country = "/nonexistent"};
	struct places *p = NULL;
	pthread_t thread;
	(void)state;
	testing_mmdb(first.country, nested, WD_COUNT(nested));
	testing_mmdb(second.country, flat, WD_COUNT(flat));
	assert_int_equal(places_open(&first, &p, NULL), WD_OK);
	assert_int_equal(pthread_create(&thread, NULL, look_up_for_ever, p), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(places_reload(p, &second, NULL), WD_OK);
		assert_string_equal(find(p, "81.2.69.1").country, "US");
		assert_int_equal(places_reload(p, &bad, NULL), WD_OS);
		assert_string_equal(find(p, "81.2.69.1").country, "US");
		assert_int_equal(places_reload(p, &first, NULL), WD_OK);
		assert_string_equal(find(p, "81.2.69.1").country, "GB");
	}
	pthread_join(thread, NULL);
	places_close(p);
}

/* The country file that comes with the set-up, where the tests run. */
static void the_country_file_of_the_setup_knows_well_known_addresses(void **state)
{
	struct place_files files = {.country = "country.mmdb"};
	struct places *p = NULL;
	(void)state;
	if (access(files.country, R_OK) != 0) {
		print_message("no country.mmdb: not tried\n");
		return;
	}
	assert_int_equal(places_open(&files, &p, NULL), WD_OK);
	assert_string_equal(find(p, "212.58.244.1").country, "GB"); /* BBC */
	assert_string_equal(find(p, "193.0.6.139").country, "NL");  /* RIPE NCC */
	assert_string_equal(find(p, "2001:67c:2e8::1").country, "NL");
	places_close(p);
}

static int setup(void **state)
{
	(void)state;
	folder = testing_folder();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	testing_folder_remove(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_layouts_are_understood_and_the_files_complete_each_other),
		cmocka_unit_test(nothing_is_known_of_private_addresses),
		cmocka_unit_test(files_that_are_not_there_or_none_are_named),
		cmocka_unit_test(a_reload_takes_effect_while_others_look_up_and_a_bad_one_does_not),
		cmocka_unit_test(the_country_file_of_the_setup_knows_well_known_addresses),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
