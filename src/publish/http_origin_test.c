/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_origin.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FROM(origin_, host_) .origin = origin_, .referer = "", .host = host_

static void assert_another(struct http_origin o, bool expected)
{
	if (o.fetch_site == NULL)
		o.fetch_site = "";
	if (o.forwarded_host == NULL)
		o.forwarded_host = "";
	if (o.site_url == NULL)
		o.site_url = "";
	if (http_origin_is_another_site(&o) != expected)
		fail_msg("%s %s at %s (%s, %s, %s)", o.origin, o.referer, o.host, o.forwarded_host,
			 o.site_url, o.fetch_site);
}

static void a_program_says_nothing_and_is_let_in(void **state)
{
	(void)state;
	assert_another((struct http_origin){FROM("", "down.example")}, false);
	assert_another((struct http_origin){FROM("", "")}, false);
}

static void the_host_of_the_sending_page_is_one_that_the_request_went_to(void **state)
{
	static const struct { const char *origin, *host; bool another; } cases[] = {
		{"http://down.example", "down.example", false},
		{"https://down.example", "down.example", false},
		{"https://down.example:8443", "down.example", false},
		{"http://Down.Example:8080", "down.EXAMPLE:8080", false},
		{"http://192.0.2.1:8080", "192.0.2.1:8080", false},
		{"http://[2001:db8::1]:8080", "[2001:DB8::1]", false},
		{"http://[2001:db8::2]", "[2001:db8::1]", true},
		{"http://evil.example", "down.example", true},
		{"http://down.example.evil.example", "down.example", true},
		{"http://evil.down.example", "down.example", true},
		{"http://down.exampl", "down.example", true},
		{"http://down.example@evil.example", "down.example", true},
		{"null", "down.example", true},
		{"null", "null", true},
		{"http://", "", true},
		{"", "", false},
		{"http://down.example", "", true},
		{"moz-extension://down.example", "down.example", true},
		{"down.example", "down.example", true},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++)
		assert_another((struct http_origin){FROM(cases[i].origin, cases[i].host)},
			       cases[i].another);
}

static void without_an_origin_the_referring_page_counts(void **state)
{
	struct http_origin o = {.origin = "", .referer = "http://evil.example/down.example", .host = "down.example"};
	(void)state;
	assert_another(o, true);
	o.referer = "http://down.example/s/x?from=evil.example";
	assert_another(o, false);
	o.referer = "http://down.example?x";
	assert_another(o, false);
	o.origin = "http://evil.example";
	assert_another(o, true);
}

static void behind_a_proxy_the_sites_public_names_count(void **state)
{
	struct http_origin o = {FROM("https://down.example", "127.0.0.1:8080")};
	(void)state;
	assert_another(o, true);
	o.site_url = "https://down.example/";
	assert_another(o, false);
	o.site_url = "https://other.example";
	assert_another(o, true);
	o.forwarded_host = "down.example";
	assert_another(o, false);
	o.forwarded_host = "inner.example , down.example:443";
	assert_another(o, false);
	o.forwarded_host = "inner.example,,";
	assert_another(o, true);
}

static void what_the_browser_found_by_itself_decides(void **state)
{
	static const struct { const char *fetch_site; bool another; } cases[] = {
		{"cross-site", true}, {"same-site", false}, {"same-origin", false}, {"none", false},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		assert_another((struct http_origin){FROM("https://a.example", "b.example"),
						    .fetch_site = cases[i].fetch_site},
			       cases[i].another);
		assert_another((struct http_origin){FROM("https://a.example", "a.example"),
						    .fetch_site = cases[i].fetch_site},
			       cases[i].another);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_says_nothing_and_is_let_in),
		cmocka_unit_test(the_host_of_the_sending_page_is_one_that_the_request_went_to),
		cmocka_unit_test(without_an_origin_the_referring_page_counts),
		cmocka_unit_test(behind_a_proxy_the_sites_public_names_count),
		cmocka_unit_test(what_the_browser_found_by_itself_decides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
