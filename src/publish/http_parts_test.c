/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts: targets, negotiation, addresses, limits, deadlines, responses. */
#include "publish/http_address.h"
#include "publish/http_limit.h"
#include "publish/http_negotiate.h"
#include "publish/http_target.h"
#include "publish/http_wheel.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void targets_are_decoded_or_refused(void **state)
{
	static const struct { const char *target, *path, *name, *value; } CASES[] = {
		{"/", "/", NULL, NULL},
		{"/a/b.html", "/a/b.html", NULL, NULL},
		{"/%7Ea%20b", "/~a b", NULL, NULL},
		{"/a+b", "/a+b", NULL, NULL},
		{"/a?", "/a", NULL, NULL},
		{"/a?x", "/a", "x", ""},
		{"/a?x=", "/a", "x", ""},
		{"/a?x=1=2&y", "/a", "x", "1=2"},
		{"/a?&&x=a+b%2B", "/a", "x", "a b+"},
		{"/a?%78=%e2%82%ac", "/a", "x", "\xe2\x82\xac"},
		{"/a?x=a%0Ab", "/a", "x", "a\nb"},
		{"/a?x=/../b?c", "/a", "x", "/../b?c"},
		{"/...", "/...", NULL, NULL},
		{"/.well-known/a..b", "/.well-known/a..b", NULL, NULL},
		{"", NULL, NULL, NULL},
		{"a", NULL, NULL, NULL},
		{"*", NULL, NULL, NULL},
		{"http://a/", "/", NULL, NULL},
		{"http://a", "/", NULL, NULL},
		{"HTTPS://A-b.example:8443/c/d?x=y", "/c/d", "x", "y"},
		{"http://192.0.2.1:80/c", "/c", NULL, NULL},
		{"http://a:/c", "/c", NULL, NULL},
		{"http://[2001:db8::1]:8080/c", "/c", NULL, NULL},
		{"http://a?x=/b", "/", "x", "/b"},
		{"http://[::]?x", "/", "x", ""},
		{"http://a//c", "//c", NULL, NULL},
		{"/http://a/", "/http://a/", NULL, NULL},
		{"http://", NULL, NULL, NULL},
		{"http:///c", NULL, NULL, NULL},
		{"http://?x", NULL, NULL, NULL},
		{"http:/a/c", NULL, NULL, NULL},
		{"http:a/c", NULL, NULL, NULL},
		{"http//a/c", NULL, NULL, NULL},
		{"httpx://a/c", NULL, NULL, NULL},
		{"ftp://a/c", NULL, NULL, NULL},
		{"a:80", NULL, NULL, NULL},
		{"http://b@a/c", NULL, NULL, NULL},
		{"http://b:d@a/c", NULL, NULL, NULL},
		{"http://a%2f/c", NULL, NULL, NULL},
		{"http://a\\/c", NULL, NULL, NULL},
		{"http://a,b/c", NULL, NULL, NULL},
		{"http://:80/c", NULL, NULL, NULL},
		{"http://a:b/c", NULL, NULL, NULL},
		{"http://a:80:80/c", NULL, NULL, NULL},
		{"http://[]/c", NULL, NULL, NULL},
		{"http://[::1/c", NULL, NULL, NULL},
		{"http://[::1]a/c", NULL, NULL, NULL},
		{"http://[", NULL, NULL, NULL},
		{"http://[a.b/]c", NULL, NULL, NULL},
		{"http://a/../c", NULL, NULL, NULL},
		{"http://a/..", NULL, NULL, NULL},
		{"http://a/%2F", NULL, NULL, NULL},
		{"http://a/#c", NULL, NULL, NULL},
		{"/.", NULL, NULL, NULL},
		{"/..", NULL, NULL, NULL},
		{"/../a", NULL, NULL, NULL},
		{"/a/./b", NULL, NULL, NULL},
		{"/a/%2E%2e", NULL, NULL, NULL},
		{"/a\\b", NULL, NULL, NULL},
		{"/%2F", NULL, NULL, NULL},
		{"/%", NULL, NULL, NULL},
		{"/%1", NULL, NULL, NULL},
		{"/%g1", NULL, NULL, NULL},
		{"/%00", NULL, NULL, NULL},
		{"/%7f", NULL, NULL, NULL},
		{"/%ff", NULL, NULL, NULL},
		{"/%c0%af", NULL, NULL, NULL},
		{"/%ed%a0%80", NULL, NULL, NULL},
		{"/a?x=%00", NULL, NULL, NULL},
		{"/a?x=%1", NULL, NULL, NULL},
		{"/a?%ff=1", NULL, NULL, NULL},
		{"/a b", NULL, NULL, NULL},
		{"/a#b", NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < WD_COUNT(CASES); i++) {
		char text[64];
		struct http_target t;
		snprintf(text, sizeof(text), "%s", CASES[i].target);
		if (http_target_read(text, &t) != (CASES[i].path != NULL))
			fail_msg("%s", CASES[i].target);
		if (CASES[i].path == NULL)
			continue;
		assert_string_equal(t.path, CASES[i].path);
		assert_int_equal(t.count > 0, CASES[i].name != NULL);
		if (t.count > 0) {
			assert_string_equal(t.parameters[0].name, CASES[i].name);
			assert_string_equal(t.parameters[0].value, CASES[i].value);
		}
	}
}

static void the_best_encoding_is_picked(void **state)
{
	static const bool ALL[] = {true, true, true}, GZIP_ONLY[] = {true, true, false};
	static const struct { const char *accept; enum http_encoding all, gzip_only; } CASES[] = {
		{NULL, HTTP_IDENTITY, HTTP_IDENTITY},
		{"", HTTP_IDENTITY, HTTP_IDENTITY},
		{"gzip, deflate, br", HTTP_BROTLI, HTTP_GZIP},
		{"GZip", HTTP_GZIP, HTTP_GZIP},
		{"br;q=0.9, gzip;q=0.91", HTTP_GZIP, HTTP_GZIP},
		{"br;q=1.000 , gzip ; q=0.999", HTTP_BROTLI, HTTP_GZIP},
		{"br;q=0, *", HTTP_GZIP, HTTP_GZIP},
		{"*;q=0", HTTP_IDENTITY, HTTP_IDENTITY},
		{"*", HTTP_BROTLI, HTTP_GZIP},
		{"identity, gzip;q=0.5", HTTP_IDENTITY, HTTP_IDENTITY},
		{"identity;q=0.5, gzip", HTTP_GZIP, HTTP_GZIP},
		{"gzip;q=1.1", HTTP_IDENTITY, HTTP_IDENTITY},
		{"gzip;q=x", HTTP_IDENTITY, HTTP_IDENTITY},
		{"gzip;q=0.0001", HTTP_IDENTITY, HTTP_IDENTITY},
		{"gzip;level=1;q=0.3", HTTP_GZIP, HTTP_GZIP},
		{"gzipped, brotli", HTTP_IDENTITY, HTTP_IDENTITY},
		{",,;,gzip", HTTP_GZIP, HTTP_GZIP},
	};

	(void)state;
	for (size_t i = 0; i < WD_COUNT(CASES); i++) {
		if (http_encoding_pick(CASES[i].accept, ALL) != CASES[i].all ||
		    http_encoding_pick(CASES[i].accept, GZIP_ONLY) != CASES[i].gzip_only)
			fail_msg("%s", CASES[i].accept);
	}
}

static void etag_lists_are_read(void **state)
{
	static const struct { const char *list; bool matches; } CASES[] = {
		{"\"abc\"", true}, {"W/\"abc\"", true}, {" \"x\" , \"abc\"", true}, {"*", true},
		{"\"x,y\",\"abc\"", true}, {"\"abcd\"", false}, {"\"ab\"", false}, {"abc", false},
		{"\"abc", false}, {"", false}, {"*x", false}, {"\"x\" \"abc\"", false},
		/* Empty members are passed over, wherever they stand (RFC 9110, 5.6.1.2). */
		{", \"abc\"", true}, {" ,\t, W/\"abc\"", true}, {"\"x\",,\"abc\"", true},
		{"\"abc\",", true}, {"\"x\" , ,", false}, {",", false}, {",,,", false},
		{" * ", true}, {"*, \"abc\"", false}, {", *", false}, {"\"x\", *", false},
		{"w/\"abc\"", false}, {"W/ \"abc\"", false}, {"W/abc", false}, {"W/", false},
		{"\"x\", W/\"abc\"", true}, {"W/\"x\",W/\"abc\"", true}, {"W/\"abcd\"", false},
	};

	(void)state;
	for (size_t i = 0; i < WD_COUNT(CASES); i++)
		if (http_etag_matches(CASES[i].list, "\"abc\"") != CASES[i].matches)
			fail_msg("%s", CASES[i].list);
	assert_false(http_etag_matches("*", "")); /* what has no tag never matches */
}

static struct http_address address(const char *text)
{
	struct http_address a = {{0}};

	assert_true(http_address_read(text, strlen(text), &a));
	return a;
}

static void prefixes_hold_their_addresses(void **state)
{
	static const struct { const char *prefix, *address; bool has; } CASES[] = {
		{"127.0.0.1", "127.0.0.1", true},   {"127.0.0.1", "127.0.0.2", false},
		{"10.0.0.0/8", "10.255.0.1", true}, {"10.0.0.0/8", "11.0.0.1", false},
		{"10.128.0.0/9", "10.127.0.1", false}, {"0.0.0.0/0", "1.2.3.4", true},
		{"0.0.0.0/0", "::1", false},        {"::/0", "1.2.3.4", true},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"::ffff:10.0.0.0/104", "10.1.1.1", true},
	};
	static const char *const BAD[] = {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129",
					  "10.0.0", "a", "10.0.0.0/-1", "10.0.0.0/8 "};
	struct http_prefix p;

	(void)state;
	for (size_t i = 0; i < WD_COUNT(CASES); i++) {
		struct http_address a = address(CASES[i].address);
		assert_true(http_prefix_read(CASES[i].prefix, &p));
		if (http_prefix_has(&p, &a) != CASES[i].has)
			fail_msg("%s %s", CASES[i].prefix, CASES[i].address);
	}
	for (size_t i = 0; i < WD_COUNT(BAD); i++)
		if (http_prefix_read(BAD[i], &p))
			fail_msg("%s", BAD[i]);
}

static void the_client_is_the_last_that_no_trusted_proxy_is(void **state)
{
	static const struct { const char *peer, *forwarded, *client; } CASES[] = {
		{"9.9.9.9", "1.1.1.1", "9.9.9.9"},
		{"10.0.0.1", NULL, "10.0.0.1"},
		{"10.0.0.1", "1.1.1.1", "1.1.1.1"},
		{"10.0.0.1", "2.2.2.2, 1.1.1.1", "1.1.1.1"},
		{"10.0.0.1", "1.1.1.1, 10.0.0.7", "1.1.1.1"},
		{"10.0.0.1", "6.6.6.6,1.1.1.1 ,\t10.0.0.7 ", "1.1.1.1"},
		{"10.0.0.1", "10.0.0.7", "10.0.0.7"},
		{"10.0.0.1", "unknown", "10.0.0.1"},
		{"10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"},
		{"10.0.0.1", "", "10.0.0.1"},
		{"10.0.0.1", "2001:db8::1", "2001:db8::1"},
		{"10.0.0.1", ",,,", "10.0.0.1"},
	};
	struct http_prefix trusted;
	char text[46];

	(void)state;
	assert_true(http_prefix_read("10.0.0.0/8", &trusted));
	for (size_t i = 0; i < WD_COUNT(CASES); i++) {
		struct http_address peer = address(CASES[i].peer);
		struct http_address client =
			http_address_client(&peer, CASES[i].forwarded, &trusted, 1);
		http_address_text(&client, text);
		assert_string_equal(text, CASES[i].client);
	}
}

static void listen_addresses_are_read(void **state)
{
	static const char *const GOOD[] = {"127.0.0.1:0", "[::1]:65535", "0.0.0.0:80"};
	static const char *const BAD[] = {"", ":80", "80", "127.0.0.1", "127.0.0.1:", "::1:80",
					  "[::1]", "[127.0.0.1]:80", "[::1:80", "127.0.0.1:65536",
					  "127.0.0.1:+1", "localhost:80", "[]:1"};
	struct sockaddr_storage ss;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < WD_COUNT(GOOD); i++)
		assert_true(http_listen_read(GOOD[i], &ss, &len));
	for (size_t i = 0; i < WD_COUNT(BAD); i++)
		if (http_listen_read(BAD[i], &ss, &len))
			fail_msg("%s", BAD[i]);
}

static void one_v6_network_is_one_client_and_v4_addresses_are_many(void **state)
{
	struct http_limit_options o = {.connections_max = 100, .connections_per_address_max = 2,
				       .accepts_per_s_max = 1000,
				       .accepts_per_address_per_s_max = 1000,
				       .streams_max = 10, .streams_per_address_max = 1};
	struct http_address a = address("2001:db8:1:2::1"), b = address("2001:db8:1:2:ffff::2"),
			    other = address("2001:db8:1:3::1");
	struct http_address v4 = address("192.0.2.1"), v4_next = address("192.0.2.2");
	struct http_limit *l = NULL;
	uint32_t entry, second, third;

	(void)state;
	assert_int_equal(http_limit_open(&o, &l), WD_OK);
	assert_int_equal(http_limit_connect(l, &a, false, 1000, &entry), LIMIT_OK);
	assert_int_equal(http_limit_connect(l, &b, false, 1000, &second), LIMIT_OK);
	assert_int_equal(entry, second);
	assert_int_equal(http_limit_connect(l, &b, false, 1000, &third), LIMIT_ADDRESS);
	assert_int_equal(http_limit_connect(l, &other, false, 1000, &third), LIMIT_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(http_limit_connect(l, &v4, false, 1000, &third), LIMIT_OK);
		assert_int_equal(http_limit_connect(l, &v4_next, false, 1000, &third), LIMIT_OK);
	}
	assert_int_equal(http_limit_stream(l, entry), LIMIT_OK);
	assert_int_equal(http_limit_stream(l, entry), LIMIT_ADDRESS);
	http_limit_stream_end(l, entry);
	assert_int_equal(http_limit_stream(l, entry), LIMIT_OK);
	http_limit_disconnect(l, entry);
	assert_int_equal(http_limit_connect(l, &a, false, 1000, &third), LIMIT_OK);
	http_limit_close(l);
}

static void an_address_has_a_rate_and_a_burst(void **state)
{
	struct http_limit_options o = {.connections_max = 100, .connections_per_address_max = 9,
				       .accepts_per_s_max = 1000,
				       .accepts_per_address_per_s_max = 2};
	struct http_limit *l = NULL;
	struct http_address a = address("192.0.2.1");
	uint32_t entry;

	(void)state;
	assert_int_equal(http_limit_open(&o, &l), WD_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(http_limit_connect(l, &a, false, 5000, &entry), LIMIT_OK);
		http_limit_disconnect(l, entry);
	}
	assert_int_equal(http_limit_connect(l, &a, false, 5000, &entry), LIMIT_RATE);
	assert_int_equal(http_limit_connect(l, &a, false, 5499, &entry), LIMIT_RATE);
	assert_int_equal(http_limit_connect(l, &a, false, 5500, &entry), LIMIT_OK);
	assert_int_equal(http_limit_connect(l, &a, false, 5501, &entry), LIMIT_RATE);
	http_limit_close(l);
}

static void addresses_without_end_neither_grow_the_table_nor_shut_it(void **state)
{
	struct http_limit_options o = {.connections_max = 10000, .connections_per_address_max = 2,
				       .accepts_per_s_max = UINT32_MAX,
				       .accepts_per_address_per_s_max = 100};
	struct http_limit *l = NULL;
	struct http_address a = address("10.0.0.0"), visitor = address("192.0.2.1");
	static uint32_t entries[8000];
	uint32_t entry;

	(void)state;
	assert_int_equal(http_limit_open(&o, &l), WD_OK);
	for (uint32_t i = 0; i < 200000; i++) {
		memcpy(a.bytes + 12, &i, 4);
		assert_int_equal(http_limit_connect(l, &a, false, 5000, &entry), LIMIT_OK);
		/* One in twenty-five stays. */
		if (i % 25 == 0)
			entries[i / 25] = entry;
		else
			http_limit_disconnect(l, entry);
	}
	assert_int_equal(http_limit_connect(l, &visitor, false, 5000, &entry), LIMIT_OK);
	/* Whoever stayed is still counted. */
	for (uint32_t i = 0; i < 8000; i++)
		http_limit_disconnect(l, entries[i]);
	http_limit_disconnect(l, entry);
	http_limit_close(l);
}

struct alarm { struct wheel_timer timer; uint64_t due, fired; };

static uint64_t wheel_now;

static void note_fired(void *context, struct wheel_timer *t)
{
	struct alarm *a = (struct alarm *)t;

	(void)context;
	assert_int_equal(a->fired, 0);
	a->fired = wheel_now;
}

static void timers_fire_once_never_early_at_most_a_tick_late(void **state)
{
	enum { COUNT = 2000 };
	static struct wheel w;
	static struct alarm alarms[COUNT];
	uint64_t seed = 42;

	(void)state;
	wheel_init(&w, 1000);
	for (size_t i = 0; i < COUNT; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		alarms[i] = (struct alarm){.due = 1000 + (seed >> 33) % 200000};
		/* Set twice: moved forth or back. */
		wheel_set(&w, &alarms[i].timer, 1000 + (seed >> 20) % 200000);
		wheel_set(&w, &alarms[i].timer, alarms[i].due);
		if (i % 7 == 0)
			wheel_cancel(&alarms[i].timer);
	}
	for (wheel_now = 1000; wheel_now < 203000; wheel_now += 10)
		wheel_advance(&w, wheel_now, note_fired, NULL);
	for (size_t i = 0; i < COUNT; i++) {
		if (i % 7 == 0)
			assert_int_equal(alarms[i].fired, 0);
		else
			assert_in_range(alarms[i].fired, alarms[i].due,
					alarms[i].due + WHEEL_TICK_MS + 10);
	}
}

static void a_wheel_that_slept_long_fires_all(void **state)
{
	static struct wheel w;
	static struct alarm alarms[3] = {{.due = 5000}, {.due = 500000}, {.due = 99999999}};

	(void)state;
	wheel_init(&w, 0);
	for (size_t i = 0; i < 3; i++)
		wheel_set(&w, &alarms[i].timer, alarms[i].due);
	wheel_now = 10000000;
	wheel_advance(&w, wheel_now, note_fired, NULL);
	assert_int_equal(alarms[0].fired, wheel_now);
	assert_int_equal(alarms[1].fired, wheel_now);
	assert_int_equal(alarms[2].fired, 0);
}

static void a_response_refuses_fields_that_would_split_it(void **state)
{
	static const struct http_field FIELDS[] = {{"X-A", "b\r\nSet-Cookie: c"}, {"X\r\nY", "b"}};
	struct http_response *r = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct http_response_options o = {.fields = &FIELDS[i], .field_count = 1};
		assert_int_equal(http_response_make(&o, &r, NULL), WD_MALFORMED);
		assert_null(r);
	}
	struct http_response_options o = {.content_type = "text/html\r\nX: y"};
	assert_int_equal(http_response_make(&o, &r, NULL), WD_MALFORMED);
}

static void equal_bytes_have_equal_tags(void **state)
{
	struct http_response_options o = {.body = "abc", .body_len = 3};
	struct http_response *a, *b, *c;
	size_t len;

	(void)state;
	assert_int_equal(http_response_make(&o, &a, NULL), WD_OK);
	assert_int_equal(http_response_make(&o, &b, NULL), WD_OK);
	o.body_len = 2;
	assert_int_equal(http_response_make(&o, &c, NULL), WD_OK);
	assert_string_equal(http_response_etag(a), http_response_etag(b));
	assert_string_not_equal(http_response_etag(a), http_response_etag(c));
	assert_int_equal(http_response_etag(a)[0], '"');
	assert_string_equal(http_response_body(c, &len), "ab");
	assert_int_equal(len, 2);
	http_response_unref(a);
	http_response_unref(b);
	http_response_unref(http_response_ref(c));
	http_response_unref(c);
	http_response_unref(NULL);
	c = http_response_problem(422, "field \"x\"");
	assert_string_equal(http_response_body(c, NULL),
			    "{\"title\":\"Unprocessable Content\",\"status\":422,"
			    "\"detail\":\"field \\\"x\\\"\"}\n");
	assert_string_equal(http_response_etag(c), "");
	http_response_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_decoded_or_refused),
		cmocka_unit_test(the_best_encoding_is_picked),
		cmocka_unit_test(etag_lists_are_read),
		cmocka_unit_test(prefixes_hold_their_addresses),
		cmocka_unit_test(the_client_is_the_last_that_no_trusted_proxy_is),
		cmocka_unit_test(listen_addresses_are_read),
		cmocka_unit_test(one_v6_network_is_one_client_and_v4_addresses_are_many),
		cmocka_unit_test(an_address_has_a_rate_and_a_burst),
		cmocka_unit_test(addresses_without_end_neither_grow_the_table_nor_shut_it),
		cmocka_unit_test(timers_fire_once_never_early_at_most_a_tick_late),
		cmocka_unit_test(a_wheel_that_slept_long_fires_all),
		cmocka_unit_test(a_response_refuses_fields_that_would_split_it),
		cmocka_unit_test(equal_bytes_have_equal_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
