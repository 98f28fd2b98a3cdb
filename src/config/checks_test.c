/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct text_case { const char *text; bool right; };

static bool url(const char *text) { return is_http_url(text, 60); }
static bool mail(const char *text) { return is_mail(text, 60); }
static bool line(const char *text) { return is_line(text, 10); }
static bool zone(const char *text) { return is_zone_name(text, 48); }
static bool token(const char *text) { return is_token(text, strlen(text)); }

static void judge(bool (*check)(const char *), const struct text_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (check(cases[i].text) != cases[i].right)
			fail_msg("`%s` should be %s", cases[i].text, cases[i].right ? "right" : "wrong");
	}
}
#define JUDGE(check, cases) judge(check, cases, sizeof(cases) / sizeof((cases)[0]))

static void listen_takes_an_address_and_a_port(void **state)
{
	static const struct text_case cases[] = {
		{"127.0.0.1:8080", true},  {"0.0.0.0:0", true},       {"[::1]:65535", true},
		{"[2001:db8::1]:80", true}, {"127.0.0.1", false},      {"127.0.0.1:", false},
		{"127.0.0.1:65536", false}, {"127.0.0.1:080", false},  {"127.0.0.1:-1", false},
		{"localhost:80", false},    {"::1:80", false},         {"[::1]80", false},
		{"[127.0.0.1]:80", false},  {"[::1:80", false},        {":80", false},
		{"", false},                {"1.2.3:80", false},       {"127.0.0.1:99999999999999", false},
		{"[::1]]:80", false},       {"127.0.0.1 :80", false},
	};
	(void)state;
	JUDGE(is_listen, cases);
}

static void a_prefix_has_no_bit_behind_it(void **state)
{
	static const struct text_case cases[] = {
		{"10.0.0.0/8", true},     {"10.0.0.1", true},        {"0.0.0.0/0", true},
		{"2001:db8::/32", true},  {"::1", true},             {"::1/128", true},
		{"10.0.0.1/8", false},    {"10.0.0.0/33", false},    {"10.0.0.0/", false},
		{"2001:db8::1/32", false}, {"::/129", false},        {"10.0.0.0/8/8", false},
		{"example.org", false},   {"", false},               {"/8", false},
		{"192.168.0.0/15", true}, {"192.169.0.0/15", false}, {"10.0.0.0/08", false},
	};
	(void)state;
	JUDGE(is_prefix, cases);
}

static void a_url_is_http_with_a_host_and_nothing_that_breaks_out(void **state)
{
	static const struct text_case cases[] = {
		{"https://example.org", true},
		{"http://example.org:8080/path?x=1#y", true},
		{"https://[2001:db8::1]:443/", true},
		{"https://127.0.0.1/", true},
		{"https://a-b.example.org", true},
		{"https://", false},
		{"https:///path", false},
		{"ftp://example.org", false},
		{"javascript:alert(1)", false},
		{"HTTPS://example.org", false},
		{"https://user@example.org", false},
		{"https://user:pass@example.org", false},
		{"https://example.org:0x50", false},
		{"https://example.org:99999", false},
		{"https://example.org:", false},
		{"https://exa mple.org", false},
		{"https://example.org/\"onclick", false},
		{"https://example.org/<script>", false},
		{"https://example..org", false},
		{"https://-example.org", false},
		{"https://example.org\\evil", false},
		{"https://[127.0.0.1]/", false},
		{"https://[::1", false},
		{"https://example.org/0123456789012345678901234567890123456789", true},
		{"https://example.org/01234567890123456789012345678901234567890", false},
	};
	(void)state;
	JUDGE(url, cases);
}

static void mail_needs_a_name_and_a_host(void **state)
{
	static const struct text_case cases[] = {
		{"desk@example.org", true}, {"a.b+c@x", true},      {"@example.org", false},
		{"desk@", false},           {"desk", false},        {"a b@example.org", false},
		{"<a@example.org>", false}, {"a@b@example", false}, {"a@example.org\n", false},
	};
	(void)state;
	JUDGE(mail, cases);
}

static void a_line_is_printable_and_has_no_outer_spaces(void **state)
{
	static const struct text_case cases[] = {
		{"a", true},      {"0123456789", true}, {"01234567890", false}, {"", false},
		{" a", false},    {"a ", false},        {"a\tb", false},        {"a\nb", false},
		{"a\x7f", false}, {"\xc2\x9b", false},  {"\xc3\xa9t\xc3\xa9", true}, {"\xff", false},
		{"a b", true},    {"a\xe2\x80\xae" "b", false}, {"a\xe2\x81\xa6" "b", false}, {"a\xc3", false},
	};
	(void)state;
	JUDGE(line, cases);
}

static void a_zone_name_cannot_leave_its_folder(void **state)
{
	static const struct text_case cases[] = {
		{"Europe/London", true}, {"America/Argentina/Buenos_Aires", true},
		{"Etc/GMT+5", true},     {"UTC", true},
		{"../passwd", false},    {"Europe/../../etc", false},
		{"/etc/passwd", false},  {"Europe/London\n", false},
		{"", false},
	};
	(void)state;
	JUDGE(zone, cases);
}

static void a_token_is_of_the_characters_a_header_can_carry(void **state)
{
	static const struct text_case cases[] = {
		{"abcXYZ019-._~+/", true}, {"abc==", true}, {"a=b", false}, {"=", false},
		{"a b", false},            {"", false},     {"a\r\n", false}, {"\xc3\xa9", false},
	};
	(void)state;
	JUDGE(token, cases);
	assert_false(is_token("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listen_takes_an_address_and_a_port),
		cmocka_unit_test(a_prefix_has_no_bit_behind_it),
		cmocka_unit_test(a_url_is_http_with_a_host_and_nothing_that_breaks_out),
		cmocka_unit_test(mail_needs_a_name_and_a_host),
		cmocka_unit_test(a_line_is_printable_and_has_no_outer_spaces),
		cmocka_unit_test(a_zone_name_cannot_leave_its_folder),
		cmocka_unit_test(a_token_is_of_the_characters_a_header_can_carry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
