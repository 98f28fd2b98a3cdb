/* SPDX-License-Identifier: Apache-2.0 */
/* The flat table of places beside intake/place, which asks libmaxminddb for each address. */
#include "intake/geo_read.h"

#include "base/check.h"
#include "base/prng.h"
#include "intake/intake_testing.h"
#include "model/country.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void compare(const struct geo *g, struct places *p, struct geo_address *a, size_t count)
{
	static struct geo_place many[1000];
	assert_true(count <= WD_COUNT(many));
	geo_find_many(g, a, count, many);
	for (size_t i = 0; i < count; i++) {
		uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
		if (a[i].family == 4)
			memcpy(address + 12, a[i].address, 4);
		else
			memcpy(address, a[i].address, 16);
		struct place expected = places_find(p, address);
		struct geo_place one = geo_find(g, a[i].family, a[i].address);
		assert_memory_equal(&one, &many[i], sizeof(one));
		assert_int_equal(one.network, expected.network);
		assert_memory_equal(one.country, expected.country, 2);
	}
}

static struct geo_address address_random(struct prng *r)
{
	struct geo_address a = {.family = prng_below(r, 4) ? 4 : 6};
	uint64_t random[2] = {prng_u64(r), prng_u64(r)};
	memcpy(a.address, random, a.family == 4 ? 4 : 16);
	if (a.family == 6 && prng_below(r, 10) != 0)
		a.address[0] = 0x20 | (a.address[0] & 0x0f); /* where addresses are given out */
	if (a.family == 6 && prng_below(r, 4) == 0) {
		static const uint8_t tops[][2] = {{0x20, 1}, {0x20, 2}, {0x24, 0}, {0x26, 0}, {0x2a, 0}};
		memcpy(a.address, tops[prng_below(r, 5)], 2);
	}
	return a;
}

/* The file that comes along, built beside the tests. */
static struct place_files country_file(void)
{
	struct place_files files = {.country = "country.mmdb"};
	if (access(files.country, R_OK) != 0)
		files.country = "build/country.mmdb";
	if (access(files.country, R_OK) != 0) {
		print_message("no country.mmdb: skipped\n");
		skip();
	}
	return files;
}

/* So what was found by address can be sent on to another whydown. */
static void every_country_of_the_file_is_one_that_reports_may_name(void **state)
{
	struct place_files files = country_file();
	struct geo_ranges ranges[2];
	size_t checked = 0;
	(void)state;
	assert_int_equal(geo_read_ranges(&files, ranges, NULL), WD_OK);
	for (size_t family = 0; family < 2; family++) {
		for (size_t i = 0; i < ranges[family].count; i++) {
			const char *found = ranges[family].items[i].place.country;
			const char code[3] = {found[0], found[1], '\0'};
			if (code[0] == '\0')
				continue;
			if (!country_is_known(code))
				fail_msg("%s is not known", code);
			checked++;
		}
		free(ranges[family].items);
	}
	assert_true(checked > 100000);
}

static void country_of_two_million_addresses_is_the_librarys(void **state)
{
	(void)state;
	struct place_files files = country_file();
	struct places *p = NULL;
	struct geo *g = NULL;
	struct timespec begin, end;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	assert_int_equal(geo_read(&files, &g, NULL), WD_OK);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	print_message("read in %.3f s, %.1f MB\n",
		      (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9,
		      (double)geo_memory(g) / 1e6);
	assert_true(geo_memory(g) < GEO_MEMORY_MAX);
	assert_int_equal(places_open(&files, &p, NULL), WD_OK);
	struct prng r = prng_of(1, 1);
	static struct geo_address addresses[1000];
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < WD_COUNT(addresses); i++)
			addresses[i] = address_random(&r);
		compare(g, p, addresses, WD_COUNT(addresses));
	}
	places_close(p);
	geo_close(g);
}

static struct geo_address address_of(const char *text)
{
	uint8_t address[16];
	struct geo_address a = {.family = strchr(text, ':') ? 6 : 4};
	testing_address(text, address);
	memcpy(a.address, address + (a.family == 4 ? 12 : 0), a.family == 4 ? 4 : 16);
	return a;
}

static void files_of_both_layouts_are_joined_as_place_joins_them(void **state)
{
	(void)state;
	static const struct testing_prefix nested[] = {
		{"81.2.69.0", 24, "country.iso_code=GB;city.names.en=London"},
		{"2001:db8::", 32, "registered_country.iso_code=DE"},
		{"10.0.0.0", 8, "country.iso_code=US"},
		{"2001:db9::1", 128, "country.iso_code=xx"},
	};
	static const struct testing_prefix flat[] = {
		{"81.2.0.0", 16, "country_code=FR"},
		{"2001:db8:1::", 48, "country=NL"},
		{"203.0.113.9", 32, "country=ZA"},
	};
	static const struct testing_prefix network[] = {
		{"81.2.69.128", 25, "autonomous_system_number=#20712"},
		{"192.168.0.0", 15, "autonomous_system_number=#7"},
		{"2001:db8:1::1", 128, "autonomous_system_number=#4200000000"},
	};
	static const char *const texts[] = {
		"81.2.68.255", "81.2.69.0", "81.2.69.127", "81.2.69.128", "81.2.69.255", "81.2.70.0",
		"81.3.0.0", "81.1.255.255", "10.1.2.3", "192.168.1.1", "192.169.1.1", "192.170.0.0",
		"203.0.113.8", "203.0.113.9", "203.0.113.10", "2001:db8::", "2001:db8:1::",
		"2001:db8:1::1", "2001:db8:1::2", "2001:db8:2::", "2001:db9::", "::1", "fe80::1",
		"255.255.255.255", "0.0.0.0", "2001:db7:ffff::",
	};
	char *folder = testing_folder(), paths[3][300];
	static const char *const names[] = {"city", "country", "network"};
	for (size_t i = 0; i < 3; i++)
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/%s.mmdb", folder, names[i]);
	testing_mmdb(paths[0], nested, WD_COUNT(nested));
	testing_mmdb(paths[1], flat, WD_COUNT(flat));
	testing_mmdb(paths[2], network, WD_COUNT(network));
	for (unsigned set = 0; set < 8; set++) { /* each set of the files */
		struct place_files files = {.city = set & 1 ? paths[0] : NULL,
					    .country = set & 2 ? paths[1] : "",
					    .network = set & 4 ? paths[2] : NULL};
		struct places *p = NULL;
		struct geo *g = NULL;
		assert_int_equal(places_open(&files, &p, NULL), WD_OK);
		assert_int_equal(geo_read(&files, &g, NULL), WD_OK);
		for (size_t i = 0; i < WD_COUNT(texts); i++) {
			struct geo_address a = address_of(texts[i]);
			compare(g, p, &a, 1);
		}
		struct prng r = prng_of(set, 2);
		for (size_t i = 0; i < 2000; i++) {
			struct geo_address a = address_random(&r);
			compare(g, p, &a, 1);
		}
		if (set == 7) {
			struct geo_address a = address_of("81.2.69.200");
			struct geo_place place = geo_find(g, a.family, a.address);
			assert_memory_equal(place.country, "GB", 2);
			assert_int_equal(place.network, 20712);
		}
		places_close(p);
		geo_close(g);
	}
	testing_folder_remove(folder);
}

/* Cut off or with a byte changed anywhere: an error or a table, and no fault. */
static void damaged_files_do_no_harm(void **state)
{
	(void)state;
	static const struct testing_prefix some[] = {
		{"81.2.69.0", 24, "country.iso_code=GB"},
		{"2001:db8:1::1", 128, "autonomous_system_number=#42"},
	};
	static uint8_t bytes[1 << 16];
	char *folder = testing_folder(), path[300];
	(void)snprintf(path, sizeof(path), "%s/x.mmdb", folder);
	testing_mmdb(path, some, WD_COUNT(some));
	FILE *f = fopen(path, "rb");
	size_t len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	struct place_files files = {.network = path};
	struct prng r = prng_of(1, 9);
	for (size_t i = 0; i < 400; i++) {
		size_t at = prng_below(&r, (uint32_t)len), cut = i % 4 ? len : at;
		uint8_t was = bytes[at];
		bytes[at] = (uint8_t)prng_u64(&r);
		f = fopen(path, "wb");
		assert_int_equal(fwrite(bytes, 1, cut, f), cut);
		fclose(f);
		bytes[at] = was;
		struct geo *g = NULL;
		struct wd_why why;
		if (geo_read(&files, &g, &why) == WD_OK) {
			struct geo_address a = address_of("81.2.69.1");
			(void)geo_find(g, a.family, a.address);
			geo_close(g);
		} else {
			assert_null(g);
		}
	}
	/* The second node leads to itself on both sides: 2^127 ways, of which few are gone. */
	memcpy(bytes + 8, "\0\0\0\1\0\0\0\1", 8);
	f = fopen(path, "wb");
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
	struct geo *g = NULL;
	assert_int_equal(geo_read(&files, &g, NULL), WD_FULL);
	files.network = "/nonexistent/x.mmdb";
	struct wd_why why;
	assert_int_equal(geo_read(&files, &g, &why), WD_OS);
	assert_int_equal(why.at, 2);
	testing_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_country_of_the_file_is_one_that_reports_may_name),
		cmocka_unit_test(country_of_two_million_addresses_is_the_librarys),
		cmocka_unit_test(files_of_both_layouts_are_joined_as_place_joins_them),
		cmocka_unit_test(damaged_files_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
