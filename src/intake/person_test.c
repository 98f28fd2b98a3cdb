/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/person.h"

#include "base/check.h"
#include "intake/intake_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t noon = 20000 * INT64_C(86400) + 43200;

static struct persons *open_persons(const char *folder, int64_t at_s)
{
	struct persons *p = NULL;
	assert_int_equal(persons_open(folder, wall_s(at_s), &p, NULL), WD_OK);
	return p;
}

static uint64_t hash(struct persons *p, const char *address, int64_t at_s)
{
	uint8_t bytes[16];
	testing_address(address, bytes);
	return persons_hash(p, bytes, wall_s(at_s));
}

static void a_person_is_the_same_all_day_and_another_the_next(void **state)
{
	char *folder = testing_folder();
	struct persons *p = open_persons(folder, noon);
	(void)state;
	uint64_t alice = hash(p, "203.0.113.7", noon), bob = hash(p, "203.0.113.8", noon);
	assert_true(alice != 0 && alice != bob);
	assert_true(hash(p, "203.0.113.7", noon + 43199) == alice);
	assert_true(hash(p, "203.0.113.7", noon + 43200) != alice);
	persons_close(p);
	testing_folder_remove(folder);
}

static void an_ipv6_network_of_one_customer_is_one_person(void **state)
{
	char *folder = testing_folder();
	struct persons *p = open_persons(folder, noon);
	(void)state;
	uint64_t one = hash(p, "2001:db8:1:2::1", noon);
	assert_true(hash(p, "2001:db8:1:2:ffff:ffff:ffff:ffff", noon) == one);
	assert_true(hash(p, "2001:db8:1:3::1", noon) != one);
	/* A /64 of mapped addresses would be all of IPv4. */
	assert_true(hash(p, "203.0.113.7", noon) != hash(p, "198.51.100.7", noon));
	persons_close(p);
	testing_folder_remove(folder);
}

static void a_client_of_the_limits_is_a_person_under_another_name(void **state)
{
	static const char *const addresses[] = {"203.0.113.7", "203.0.113.8", "2001:db8:1:2::1",
						"2001:db8:1:2:ffff::", "2001:db8:1:3::1"};
	char *folder = testing_folder();
	struct persons *p = open_persons(folder, noon);
	uint64_t client[WD_COUNT(addresses)];
	uint8_t bytes[16];
	(void)state;
	for (size_t i = 0; i < WD_COUNT(addresses); i++) {
		testing_address(addresses[i], bytes);
		client[i] = persons_client(p, bytes, wall_s(noon));
		assert_true(client[i] != 0 && client[i] != persons_hash(p, bytes, wall_s(noon)));
		assert_true(client[i] == persons_client(p, bytes, wall_s(noon + 43199)));
		for (size_t k = 0; k < i; k++) {
			bool same_person = hash(p, addresses[i], noon) == hash(p, addresses[k], noon);
			assert_int_equal(client[i] == client[k], same_person);
		}
	}
	assert_true(client[3] == client[2]);
	/* Neither the next day nor a restart knows them. */
	testing_address(addresses[0], bytes);
	uint64_t next_day = persons_client(p, bytes, wall_s(noon + 43200));
	assert_true(next_day != client[0]);
	persons_close(p);
	p = open_persons(folder, noon + 43200);
	assert_true(persons_client(p, bytes, wall_s(noon + 43200)) != next_day);
	persons_close(p);
	testing_folder_remove(folder);
}

static void a_restart_within_the_day_still_knows_who_was_counted(void **state)
{
	char *folder = testing_folder(), path[4096];
	struct persons *p = open_persons(folder, noon);
	struct stat st;
	(void)state;
	uint64_t alice = hash(p, "203.0.113.7", noon);
	persons_close(p);
	snprintf(path, sizeof(path), "%s/person.key", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	p = open_persons(folder, noon + 60);
	assert_true(hash(p, "203.0.113.7", noon + 60) == alice);
	persons_close(p);
	p = open_persons(folder, noon + 86400);
	assert_true(hash(p, "203.0.113.7", noon + 86400) != alice);
	persons_close(p);
	testing_folder_remove(folder);
}

static size_t read_key(const char *folder, uint8_t *dst, size_t max)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/person.key", folder);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t len = fread(dst, 1, max, f);
	fclose(f);
	return len;
}

static void the_secret_is_gone_when_the_day_is_over(void **state)
{
	char *folder = testing_folder();
	struct persons *p = open_persons(folder, noon);
	uint8_t before[64], after[64];
	(void)state;
	assert_int_equal(read_key(folder, before, sizeof(before)), 56);
	assert_int_equal(persons_advance(p, wall_s(noon + 43199), NULL), WD_OK);
	read_key(folder, after, sizeof(after));
	assert_memory_equal(before, after, 56);
	assert_int_equal(persons_advance(p, wall_s(noon + 43200), NULL), WD_OK);
	read_key(folder, after, sizeof(after));
	assert_memory_not_equal(before + 8, after + 8, 32);
	assert_false(testing_folder_holds(folder, before + 8, 32));
	persons_close(p);
	testing_folder_remove(folder);
}

static void a_file_that_was_open_all_night_holds_noise(void **state)
{
	char *folder = testing_folder(), path[4096];
	struct persons *p = open_persons(folder, noon);
	uint8_t before[64], after[64];
	(void)state;
	read_key(folder, before, sizeof(before));
	snprintf(path, sizeof(path), "%s/person.key", folder);
	FILE *held = fopen(path, "rb"); /* the old blocks, whatever its name becomes */
	assert_non_null(held);
	assert_int_equal(persons_advance(p, wall_s(noon + 86400), NULL), WD_OK);
	assert_int_equal(fread(after, 1, sizeof(after), held), 56);
	fclose(held);
	assert_memory_not_equal(before + 8, after + 8, 32);
	persons_close(p);
	testing_folder_remove(folder);
}

static void a_clock_that_steps_back_over_midnight_changes_nobody(void **state)
{
	char *folder = testing_folder();
	struct persons *p = open_persons(folder, noon);
	(void)state;
	int64_t midnight = noon + 43200;
	uint64_t alice = hash(p, "203.0.113.7", midnight + 1);
	assert_true(hash(p, "203.0.113.7", midnight - 5) == alice);
	assert_true(hash(p, "203.0.113.7", midnight + 5) == alice);
	/* A year ahead and back: the secret must not live for a year. */
	uint64_t ahead = hash(p, "203.0.113.7", midnight + 365 * 86400);
	assert_true(hash(p, "203.0.113.7", midnight + 10) != ahead);
	persons_close(p);
	testing_folder_remove(folder);
}

static void a_damaged_or_readable_secret_is_replaced(void **state)
{
	char *folder = testing_folder(), path[4096];
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct persons *p = open_persons(folder, noon);
		uint64_t alice = hash(p, "203.0.113.7", noon);
		persons_close(p);
		snprintf(path, sizeof(path), "%s/person.key", folder);
		if (i == 0)
			assert_int_equal(truncate(path, 30), 0);
		if (i == 1)
			assert_int_equal(chmod(path, 0644), 0);
		if (i == 2) {
			FILE *f = fopen(path, "r+b");
			assert_non_null(f);
			assert_int_equal(fseek(f, 20, SEEK_SET), 0);
			int byte = fgetc(f);
			assert_int_equal(fseek(f, 20, SEEK_SET), 0);
			fputc(byte ^ 1, f);
			fclose(f);
		}
		p = open_persons(folder, noon);
		assert_true(hash(p, "203.0.113.7", noon) != alice);
		persons_close(p);
	}
	testing_folder_remove(folder);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	struct persons *p = NULL;
	struct wd_why why;
	(void)state;
	assert_int_equal(persons_open("/nonexistent/folder", wall_s(noon), &p, &why), WD_OS);
	assert_null(p);
	assert_string_equal(why.what, "open the data folder");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_is_the_same_all_day_and_another_the_next),
		cmocka_unit_test(an_ipv6_network_of_one_customer_is_one_person),
		cmocka_unit_test(a_client_of_the_limits_is_a_person_under_another_name),
		cmocka_unit_test(a_restart_within_the_day_still_knows_who_was_counted),
		cmocka_unit_test(the_secret_is_gone_when_the_day_is_over),
		cmocka_unit_test(a_file_that_was_open_all_night_holds_noise),
		cmocka_unit_test(a_clock_that_steps_back_over_midnight_changes_nobody),
		cmocka_unit_test(a_damaged_or_readable_secret_is_replaced),
		cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
