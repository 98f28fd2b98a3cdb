/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/query_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t message[400];

/* A query for a name in dots; returns its length. */
static size_t ask(const char *name)
{
	size_t at = 12;

	memset(message, 0, sizeof(message));
	message[2] = 1; /* recursion desired */
	message[5] = 1;
	while (*name != '\0') {
		size_t len = strcspn(name, ".");
		message[at++] = (uint8_t)len;
		memcpy(message + at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	message[at++] = 0;
	message[at + 1] = 1;
	message[at + 3] = 1;
	return at + 4;
}

static bool told(const char *name, struct query_name *ret)
{
	size_t len = ask(name);
	return query_name_read(message, len, ret);
}

static void names_of_a_zone_share_it_alone(void **state)
{
	(void)state;
	struct query_name a, b, c, d;

	assert_true(told("k3j5h.example.com", &a));
	assert_true(told("x9f2a.example.com", &b));
	assert_true(told("k3j5h.example.org", &c));
	assert_true(told("k3.j5h.example.com", &d));
	assert_int_equal(a.zone, b.zone);
	assert_int_equal(a.zone, d.zone);
	assert_int_not_equal(a.zone, c.zone);
	assert_int_not_equal(a.name, b.name);
	assert_int_not_equal(a.name, c.name);
	assert_int_not_equal(a.name, d.name);
	assert_true(told("com.example", &b));
	assert_true(told("example.com", &a));
	assert_int_not_equal(a.zone, b.zone); /* the order of labels counts */
}

/* draft-vixie-dnsext-dns0x20: what resolvers do against forged answers. */
static void letters_of_any_case_are_the_same(void **state)
{
	(void)state;
	struct query_name a, b;

	assert_true(told("www.example.com", &a));
	assert_true(told("wWw.EXamPLe.cOM", &b));
	assert_int_equal(a.name, b.name);
	assert_int_equal(a.zone, b.zone);
}

static void lists_of_addresses_and_reverse_zones_are_not_told(void **state)
{
	(void)state;
	struct query_name q = {7, 7};

	assert_false(told("4.3.2.1.in-addr.arpa", &q));
	assert_false(told("mail.9.2.0.192.in-addr.ARPA", &q));
	assert_false(told("1.0.2.192.bl.example.org", &q));
	assert_false(told("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
			  "list.example.org", &q));
	assert_int_equal(q.name, 7);
	/* No addresses: a number too large, too few, not first. */
	assert_true(told("1.0.2.256.bl.example.org", &q));
	assert_true(told("1.0.2.bl.example.org", &q));
	assert_true(told("www.1.0.2.192.example.org", &q));
	assert_true(told("12.com", &q));
}

static void what_is_no_whole_query_is_not_told(void **state)
{
	(void)state;
	struct query_name q;
	size_t len = ask("k3j5h.example.com"), name_end = len - 4;

	for (size_t i = 0; i <= len; i++) {
		uint8_t *exact = malloc(i + 1);
		memcpy(exact + 1, message, i);
		assert_int_equal(query_name_read(exact + 1, i, &q), i >= name_end);
		free(exact);
	}
	message[2] |= 0x80; /* an answer */
	assert_false(query_name_read(message, len, &q));
	message[2] = 0x28; /* an update */
	assert_false(query_name_read(message, len, &q));
	message[2] = 0;
	message[5] = 0; /* no question */
	assert_false(query_name_read(message, len, &q));
	message[5] = 1;
	message[12] = 0xc0; /* a pointer */
	assert_false(query_name_read(message, len, &q));
}

static void names_end_at_their_longest(void **state)
{
	(void)state;
	struct query_name q;

	memset(message, 'a', sizeof(message));
	memset(message, 0, 12);
	message[5] = 1;
	for (int i = 0; i < 3; i++)
		message[12 + 64 * i] = 63;
	message[12 + 64 * 3] = 61; /* 255 bytes with the root's */
	message[12 + 254] = 0;
	assert_true(query_name_read(message, sizeof(message), &q));
	message[12 + 64 * 3] = 62;
	message[12 + 255] = 0;
	message[12 + 254] = 'a';
	assert_false(query_name_read(message, sizeof(message), &q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_zone_share_it_alone),
		cmocka_unit_test(letters_of_any_case_are_the_same),
		cmocka_unit_test(lists_of_addresses_and_reverse_zones_are_not_told),
		cmocka_unit_test(what_is_no_whole_query_is_not_told),
		cmocka_unit_test(names_end_at_their_longest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
