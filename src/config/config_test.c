/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config/config_read.h"
#include "config/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A world of three files and two zones. */
static const struct { const char *path, *bytes; } files[] = {
	{"/etc/builtin.yaml", "surfaces: {feed: Feed}\n"
			      "categories:\n"
			      "  social: {surfaces: [app, feed], time_zone: Europe/London}\n"
			      "services:\n"
			      "  - {id: x, name: X, aliases: [Twitter], category: social, relies_on: [aws]}\n"
			      "  - {id: aws, name: Amazon Web Services}\n"},
	{"/etc/whydown/token", "0123456789abcdef0123456789abcdef\n"},
	{"/etc/whydown/wrong.yaml", "listen: [127.0.0.1:80]\nservices:\n  - {id: zz, nam: Z}\n"},
};

static enum wd_err fake_read(void *ctx, const char *path, size_t len_max, char **ret_bytes,
			     size_t *ret_len, struct wd_why *why)
{
	(void)ctx, (void)len_max;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].path, path) == 0) {
			*ret_bytes = strdup(files[i].bytes);
			*ret_len = strlen(files[i].bytes);
			return WD_OK;
		}
	}
	return wd_fail_os(why, 2, "open");
}

static const char *fake_places(void *ctx, const char *path)
{
	(void)ctx;
	return strcmp(path, "/etc/whydown/city.mmdb") == 0 ? NULL : "a file that can be read";
}

static enum wd_err fake_zone(void *ctx, const char *name, struct zone **ret_zone, struct wd_why *why)
{
	if (strcmp(name, "Europe/London") != 0 && strcmp(name, "Asia/Kolkata") != 0)
		return wd_fail(why, ctx == NULL ? WD_UNKNOWN : WD_OS, 0, "there is none of that name");
	if (ctx != NULL)
		return wd_fail_os(why, 2, "no zone data");
	struct zone *z = zone_new_utc();
	snprintf(z->name, sizeof(z->name), "%s", name);
	*ret_zone = z;
	return WD_OK;
}

static const struct config_source source = {
	.read = fake_read,
	.places = fake_places,
	.zone = fake_zone,
	.catalogue_file = "/etc/builtin.yaml",
	.country_file = "/usr/share/country.mmdb",
};

static enum wd_err read_text(const char *text, struct config **ret_config, struct problems *p)
{
	problems_init(p);
	return config_read("/etc/whydown/t.yaml", text, strlen(text), &source, ret_config, p);
}

static struct config *read_well(const char *text)
{
	struct problems p;
	struct config *c = NULL;
	if (read_text(text, &c, &p) != WD_OK)
		fail_msg("line %u: %s", p.items[0].line, p.items[0].what);
	problems_done(&p);
	return c;
}

static void an_empty_file_is_the_defaults_of_the_table(void **state)
{
	(void)state;
	struct config *c = read_well("");
	assert_int_equal(c->listen.count, 1);
	assert_string_equal(c->listen.items[0], "127.0.0.1:8080");
	assert_string_equal(c->data_folder, "whydown-data");
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_string_equal(c->site.name, "whydown");
	assert_false(c->admin_token.set);
	assert_int_equal(c->limits.connections_max, 20000);
	assert_int_equal(c->storage.reports_days, 400);
	assert_true(c->detection.false_incidents_per_month == 5);
	assert_string_equal(c->places.country_file, "/usr/share/country.mmdb");
	assert_string_equal(c->places.city_file, "");
	assert_int_equal(c->pages.refresh_ms, 250);
	assert_int_equal(c->telemetry.listen.count, 0);
	assert_int_equal(c->telemetry.exporters.count, 7);
	assert_int_equal(c->telemetry.exporters.items[2].block.bits, 8);
	assert_int_equal(c->telemetry.receive_buffer_bytes, 32 << 20);
	assert_false(c->telemetry.capture_promiscuous);
	assert_int_equal(catalogue_count(c->catalogue), 2);
	config_free(c);
}

static void what_a_file_says_is_taken(void **state)
{
	(void)state;
	struct config *c = read_well("listen: [\"[::1]:0\", 0.0.0.0:80]\n"
				     "log_level: debug\n"
				     "trusted_proxies: [10.0.0.0/8]\n"
				     "admin_token: abcdefghijklmnopqrstuvwx\n"
				     "site:\n  url: https://down.example.org\n  contact: desk@example.org\n"
				     "feeders:\n"
				     "  - {name: probe-1, token_file: token}\n"
				     "  - {name: probe-2, token: zyxwvutsrqponmlkjihgfedcba}\n"
				     "limits:\n  head_ms: 5000\n  reports_per_s_max: 7\n"
				     "places: {city_file: city.mmdb, country_file: \"\"}\n"
				     "storage:\n" /* nothing: the defaults */
				     "detection: {false_incidents_per_month: 0.25}\n");
	assert_int_equal(c->listen.count, 2);
	assert_string_equal(c->listen.items[0], "[::1]:0");
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(c->trusted_proxies.items[0], "10.0.0.0/8");
	assert_string_equal(c->site.url, "https://down.example.org");
	assert_string_equal(c->site.contact, "desk@example.org");
	assert_int_equal(c->limits.head_ms, 5000);
	assert_int_equal(c->limits.body_ms, 15000);
	assert_int_equal(c->limits.reports_per_s_max, 7);
	assert_string_equal(c->places.city_file, "/etc/whydown/city.mmdb");
	assert_string_equal(c->places.country_file, "");
	assert_true(c->detection.false_incidents_per_month == 0.25);
	assert_int_equal(c->feeder_count, 2);
	config_free(c);
}

static void telemetry_and_whose_traffic_it_is(void **state)
{
	(void)state;
	struct config *c = read_well("telemetry:\n"
				     "  listen: [\"[::]:2055\"]\n"
				     "  exporters: [192.0.2.0/24, {address: 192.0.2.1, sampling: 1000}]\n"
				     "  capture: [eth0, veth-a.100]\n"
				     "  capture_xdp: [mirror0]\n"
				     "  capture_promiscuous: true\n"
				     "  logs: [{path: a.log}, {path: /var/log/b.log, service: aws, format: \"%h %s\"}]\n"
				     "services:\n"
				     "  - {id: aws, addresses: [10.1.0.0/16, \"2001:db8::/32\", \"::ffff:192.0.2.7\"]}\n"
				     "  - {id: x, addresses: [10.1.2.0/24], hosts: [X.com, www.x.com]}\n");
	const struct config_telemetry *t = &c->telemetry;
	assert_string_equal(t->listen.items[0], "[::]:2055");
	assert_int_equal(t->exporters.count, 2);
	assert_int_equal(t->exporters.items[0].sampling, 0);
	assert_int_equal(t->exporters.items[1].sampling, 1000);
	assert_int_equal(t->capture.count, 2);
	assert_int_equal(t->capture_xdp.count, 1);
	assert_string_equal(t->capture_xdp.items[0], "mirror0");
	assert_true(t->capture_promiscuous);
	assert_string_equal(t->logs.items[0].path, "/etc/whydown/a.log");
	assert_string_equal(t->logs.items[0].service, "");
	assert_string_equal(t->logs.items[1].path, "/var/log/b.log");
	assert_string_equal(t->logs.items[1].format, "%h %s");
	const struct service *aws = catalogue_find(c->catalogue, "aws");
	const struct service *x = catalogue_find(c->catalogue, "x");
	static const unsigned char mapped[16] = {192, 0, 2, 7};
	assert_int_equal(aws->address_count, 3);
	assert_int_equal(aws->addresses[1].family, 6);
	assert_int_equal(aws->addresses[1].bits, 32);
	assert_int_equal(aws->addresses[2].family, 4);
	assert_int_equal(aws->addresses[2].bits, 32);
	assert_memory_equal(aws->addresses[2].address, mapped, 16);
	assert_int_equal(x->address_count, 1); /* a smaller block inside another one's is fine */
	assert_string_equal(x->hosts.items[0], "x.com");
	config_free(c);
}

static void a_token_is_known_again_and_not_kept(void **state)
{
	static const char operator_token[] = "abcdefghijklmnopqrstuvwx";
	static const char of_file[] = "0123456789abcdef0123456789abcdef";
	(void)state;
	struct config *c = read_well("admin_token: abcdefghijklmnopqrstuvwx\n"
				     "feeders: [{name: probe-1, token_file: token}]\n");
	assert_true(token_is(&c->admin_token, operator_token, strlen(operator_token)));
	assert_false(token_is(&c->admin_token, operator_token, strlen(operator_token) - 1));
	assert_false(token_is(&c->admin_token, of_file, strlen(of_file)));
	assert_false(token_is(&(struct token){.set = false}, "", 0));
	assert_string_equal(config_feeder(c, of_file, strlen(of_file))->name, "probe-1");
	assert_null(config_feeder(c, operator_token, strlen(operator_token)));
	assert_null(memmem(&c->admin_token, sizeof(c->admin_token), "abcdefgh", 8));
	config_free(c);
}

static void every_mistake_has_its_line_and_what_would_be_right(void **state)
{
	static const struct { const char *text; unsigned line; const char *what, *right; } cases[] = {
		{"lisen: []\n", 1, "unknown key `lisen`", "did you mean `listen`?"},
		{"\nlimits:\n  report_bytes: 1\n", 3, "unknown key `limits.report_bytes`", "`report_bytes_max`"},
		{"limits:\n  xyzzy: 1\n", 2, "unknown key `limits.xyzzy`", "one of workers, connections_max"},
		{"limits.head_ms: 500\n", 1, "unknown key", "one of listen"},
		{"feeders[].name: 500\n", 1, "unknown key", ""},
		{"limits: 5\n", 1, "`limits` is not a mapping", "key: value"},
		{"- a\n- b\n", 1, "not a mapping", "key: value"},
		{"limits:\n  head_ms: 99\n", 2, "`limits.head_ms` is `99`", "a whole number from 100 to 600000 ms, such as 10000"},
		{"limits:\n  head_ms: 600001\n", 2, "is `600001`", "100 to 600000 ms"},
		{"limits:\n  report_bytes_max: 8193\n", 2, "is `8193`", "from 256 to 8192 bytes"},
		{"limits:\n  head_ms: -5\n", 2, "is `-5`", "100 to 600000 ms"},
		{"limits:\n  head_ms: 1e4\n", 2, "is `1e4`", "100 to 600000 ms"},
		{"limits:\n  head_ms: 10000.5\n", 2, "is `10000.5`", "whole number"},
		{"limits:\n  head_ms: 99999999999999999999999\n", 2, "is `99999", "100 to 600000 ms"},
		{"limits:\n  head_ms: \"10000\"\n", 2, "is `\"10000\"`", "whole number"},
		{"limits:\n  head_ms: [1]\n", 2, "is a list", "whole number"},
		{"detection:\n  false_incidents_per_month: 1.2.3\n", 2, "is `1.2.3`", "number from 0 to 100000"},
		{"listen: 127.0.0.1:80\n", 1, "is `127.0.0.1:80`", "a list of 1 to 16, each an address and a port"},
		{"listen: []\n", 1, "`listen` is a list", "1 to 16"},
		{"listen:\n  - 127.0.0.1:80\n  - localhost:80\n", 3, "is `localhost:80`", "such as 127.0.0.1:8080"},
		{"listen: [127.0.0.1:99999]\n", 1, "is `127.0.0.1:99999`", "an address and a port"},
		{"trusted_proxies: [10.0.0.1/8]\n", 1, "is `10.0.0.1/8`", "10.0.0.0/8"},
		{"log_level: loud\n", 1, "is `loud`", "error, warning, info or debug"},
		{"site:\n  url: example.org\n", 2, "is `example.org`", "https://status.example.org"},
		{"site:\n  url: https://example.org/\n", 2, "is `https://example.org/`", "without a slash"},
		{"site:\n  contact: nobody\n", 2, "is `nobody`", "desk@example.org"},
		{"site:\n  name: \" x\"\n", 2, "is `\" x\"`", "one line"},
		{"places:\n  city_file: nowhere.mmdb\n", 2, "is `nowhere.mmdb`", "can be read"},
		{"listen: [127.0.0.1:80, 127.0.0.1:81,\n  127.0.0.1:80]\n", 2, "`127.0.0.1:80` stands twice in `listen`",
		 "each once"},
		{"telemetry: {capture: [eth0, eth0]}\n", 1, "`eth0` stands twice in `telemetry.capture`", "each once"},
		{"telemetry:\n  capture: [eth0]\n  capture_xdp: [mirror0, eth0]\n", 3,
		 "`eth0` stands in `telemetry.capture` and in `telemetry.capture_xdp`", "one of the two"},
		{"telemetry:\n  logs:\n    - {path: a.log}\n    - {path: /etc/whydown/a.log, service: x}\n", 4,
		 "stands here and in line 3", "each once"},
		{"services_from: [builtin, builtin]\n", 1, "`builtin` stands twice", "each once"},
		{"limits:\n  workers: 2\n  bodies_bytes_max: 65536\n", 3,
		 "is less than one batch (`limits.observations_bytes_max`: 4194304)", "smaller batches"},
		{"admin_token: at-least-24-letters-and-digits\n", 1, "a token of examples/whydown.yaml", "nobody else knows"},
		{"feeders:\n  - name: desk\n    token: replace-me-by-openssl-rand-hex-24\n", 3,
		 "a token of examples/whydown.yaml", "nobody else knows"},
		{"categories:\n  cafe:\n    surfaces: [app, fed]\n", 3, "no `fed` in `surfaces`", "did you mean `feed`?"},
		{"categories:\n  cafe:\n    problems: nothing\n", 3, "`problems` of `cafe` is not a list", "at most 24, each an id"},
		{"categories:\n  cafe:\n    time_zone: Mars/Base\n", 3, "time zone `Mars/Base`", "Europe/London"},
		{"site:\n  name: a\x01z\n", 2, "control characters are not allowed at byte 15", "without control characters"},
		{"admin_token: short\n", 1, "a token of 5 bytes", "24 to 256"},
		{"admin_token: \"with spaces in it, and commas\"\n", 1, "with other characters", "24 to 256"},
		{"admin_token_file: nowhere\n", 1, "/etc/whydown/nowhere: No such file", "a file with nothing but"},
		{"admin_token: abcdefghijklmnopqrstuvwx\nadmin_token_file: token\n", 2, "a second token", "one of"},
		{"feeders:\n  - {token: abcdefghijklmnopqrstuvwx}\n", 2, "without a name", "a-z"},
		{"feeders:\n  - {name: A B, token: abcdefghijklmnopqrstuvwx}\n", 2, "name of another form", "a-z"},
		{"feeders:\n  - {name: a}\n", 2, "feeder `a` has no token", "`token: …`"},
		{"feeders:\n  - {name: a, token: abcdefghijklmnopqrstuvwx}\n"
		 "  - {name: a, token: bbcdefghijklmnopqrstuvwx}\n", 3, "`a` is there twice", "another name"},
		{"feeders:\n  - {name: a, token: abcdefghijklmnopqrstuvwx}\n"
		 "  - {name: b, token: abcdefghijklmnopqrstuvwx}\n", 3, "`a` and `b` have the same token", "its own"},
		{"admin_token: abcdefghijklmnopqrstuvwx\n"
		 "feeders: [{name: b, token: abcdefghijklmnopqrstuvwx}]\n", 2, "the operator's token", "its own"},
		{"services_from: [nowhere.yaml]\n", 1, "/etc/whydown/nowhere.yaml: No such file", "can be read"},
		{"services_from: [builtin, wrong.yaml]\n", 1, "unknown key `listen` in a catalogue file", "surfaces"},
		{"services: {}\n", 1, "`services` is not a list", "- id"},
		{"services:\n  - x\n", 2, "not a mapping", "`id: …`"},
		{"services:\n  - name: No id\n", 2, "without an id", "`id:`"},
		{"services:\n  - id: Big\n    name: Big\n", 2, "id of another form", "a-z"},
		{"services:\n  - id: a\n", 2, "`a` has no name", "`name:`"},
		{"services:\n  - id: a\n    name: \"a\\nb\"\n", 3, "the name of `a`", "one line"},
		{"services:\n  - {id: a, name: A}\n  - {id: a, name: B}\n", 3, "`a` is already in line 2", "another id"},
		{"services:\n  - {id: a, name: A}\n  - {id: b, name: B, aliases: [TWITTER]}\n", 3,
		 "`TWITTER` means both `x` (/etc/builtin.yaml:5) and `b`", "only one service"},
		{"services:\n  - {id: a, name: Aws}\n", 2, "`Aws` means both `aws`", "only one service"},
		{"services:\n  - {id: a, name: A, relies_on: [asw]}\n", 2, "relies on `asw`", "did you mean `aws`?"},
		{"services:\n  - {id: a, name: A, relies_on: [a]}\n", 2, "relies on itself", "other services"},
		{"services:\n  - {id: a, name: A, relies_on: aws}\n", 2, "is not a list", "at most 16"},
		{"services:\n  - {id: a, name: A, category: socail}\n", 2, "no category `socail`", "did you mean `social`?"},
		{"services:\n  - {id: a, name: A, surfaces: [websit]}\n", 2, "no `websit` in `surfaces`", "`website`"},
		{"services:\n  - {id: a, name: A, surfaces: [app, app]}\n", 2, "`app` twice", "each once"},
		{"services:\n  - {id: a, name: A, problems: [qqqqqqqq]}\n", 2, "no `qqqqqqqq`", "under `problems:`"},
		{"services:\n  - id: a\n    name: A\n    links: {Home: \"javascript:alert(1)\"}\n", 4, "link `Home` of `a`",
		 "https://"},
		{"services:\n  - id: a\n    name: A\n    time_zone: Europe/Lundon\n", 4, "time zone `Europe/Lundon`",
		 "Europe/London"},
		{"services:\n  - {id: a, name: A, time_zone: ../../etc/passwd}\n", 2, "not a time zone's name", "UTC"},
		{"services:\n  - {id: a, name: A, timezone: UTC}\n", 2, "unknown key `services[].timezone`",
		 "did you mean `time_zone`?"},
		{"services:\n  - {id: a, name: A, addresses: [10.0.0.0/8]}\n"
		 "  - {id: b, name: B, addresses: [10.1.0.0/16, 10.0.0.0/8]}\n", 3,
		 "`10.0.0.0/8` is both `a`'s (/etc/whydown/t.yaml:2) and `b`'s", "one service only"},
		{"services:\n  - id: a\n    name: A\n    addresses:\n    - 192.0.2.1\n"
		 "    - \"::ffff:192.0.2.1\"\n", 6, "stands twice in `a` (/etc/whydown/t.yaml:5)", "each once"},
		{"services:\n  - {id: a, name: A, addresses: [10.0.0.1/8]}\n", 2, "`10.0.0.1/8` as an address of `a`", "192.0.2.7"},
		{"services:\n  - {id: a, name: A, addresses: 10.0.0.1}\n", 2, "`addresses` of `a` is not a list",
		 "192.0.2.7"},
		{"services:\n  - {id: a, name: A, hosts: [x.org]}\n  - {id: b, name: B, hosts: [X.ORG]}\n", 3,
		 "`X.ORG` is both `a`'s", "one service only"},
		{"services:\n  - {id: a, name: A, hosts: [\"http://x.org\"]}\n", 2, "`http://x.org` as a host of `a`", "www.example.org"},
		{"services:\n  - {id: a, name: A, surfaces: [{id: app}]}\n", 2, "`surfaces` has something else than an id",
		 "under `surfaces:`"},
		{"telemetry:\n  listen: [localhost:2055]\n", 2, "is `localhost:2055`", "an address and a port"},
		{"telemetry:\n  exporters: 10.0.0.1\n", 2, "is `10.0.0.1`", "a list of at most 1024"},
		{"telemetry:\n  exporters: [router]\n", 2, "exporter's address", "192.0.2.1"},
		{"telemetry:\n  exporters: [{sampling: 5}]\n", 2, "without an address", "192.0.2.1"},
		{"telemetry:\n  exporters: [{address: 10.0.0.1, sampling: 0}]\n", 2, "`sampling`", "such as 1000"},
		{"telemetry:\n  exporters: [{address: 10.0.0.1, sample: 9}]\n", 2, "exporters[].sample`",
		 "did you mean `sampling`?"},
		{"telemetry:\n  exporters:\n  - 10.0.0.1\n  - 10.0.0.1/32\n", 4, "stands twice", "each once"},
		{"telemetry:\n  capture: [eth/0]\n", 2, "is `eth/0`", "such as eth0"},
		{"telemetry:\n  capture_promiscuous: maybe\n", 2, "is `maybe`", "true or false"},
		{"telemetry:\n  logs: [a.log]\n", 2, "a log without a path", "path:"},
		{"telemetry:\n  logs: [{path: a.log, service: nobody}]\n", 2, "no service `nobody`", "id of a service"},
		{"telemetry:\n  logs: [{path: a.log, formt: x}]\n", 2, "logs[].formt`", "did you mean `format`?"},
		{"telemetry:\n  receive_buffer_bytes: 5\n", 2, "is `5`", "65536"},
		{"surfaces: {App: App}\n", 1, "`App` in `surfaces`", "a-z"},
		{"categories:\n  bank: [a]\n", 2, "category `bank`", "surfaces"},
		{"categories:\n  bank: {surface: [app]}\n", 2, "`categories{}.surface`", "did you mean `surfaces`?"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct problems p;
		struct config *untouched = (struct config *)&p, *c = untouched;
		assert_int_equal(read_text(cases[i].text, &c, &p), WD_MALFORMED);
		assert_ptr_equal(c, untouched);
		bool found = false;
		for (size_t k = 0; k < p.count; k++)
			found |= p.items[k].line == cases[i].line && strstr(p.items[k].what, cases[i].what) != NULL &&
				 strstr(p.items[k].right, cases[i].right) != NULL;
		if (!found)
			fail_msg("%s: told line %u: %s (%s)", cases[i].text, p.items[0].line, p.items[0].what,
				 p.items[0].right);
		problems_done(&p);
	}
}

static void more_services_than_there_may_be_are_told_in_the_file_that_has_them(void **state)
{
	struct problems p;
	struct config *c;
	struct buf b;
	(void)state;
	buf_init(&b, 16 << 20);
	buf_str(&b, "services:\n");
	for (int n = SERVICES_MAX; n >= 0; n--)
		buf_fmt(&b, "- {id: zz%d, name: Service %d}\n", n, n);
	assert_int_equal(read_text(b.data, &c, &p), WD_MALFORMED);
	assert_int_equal(p.count, 1);
	assert_string_equal(p.items[0].file, "/etc/whydown/t.yaml");
	assert_int_equal(p.items[0].line, SERVICES_MAX + 2);
	problems_done(&p);
	buf_done(&b);
}

static void all_mistakes_of_a_file_are_told(void **state)
{
	struct problems p;
	struct config *c = NULL;
	(void)state;
	assert_int_equal(read_text("lisen: 1\nlog_level: loud\nlimits: {head_ms: 1, head_ms: 2}\n"
				   "services:\n  - {id: a, relies_on: [b], time_zone: x y}\n  - 5\n",
				   &c, &p),
			 WD_MALFORMED);
	assert_int_equal(p.errors, 8);
	for (size_t i = 1; i < p.count; i++)
		assert_true(p.items[i - 1].line <= p.items[i].line);
	problems_done(&p);
}

static void a_token_that_is_wrong_is_not_told(void **state)
{
	static const char *const texts[] = {
		"admin_token: hunter2\n",
		"admin_token: \"hunter2 hunter2 hunter2 hunter2\"\n",
		"feeders: [{name: a, token: hunter2}]\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct problems p;
		struct config *c;
		assert_int_equal(read_text(texts[i], &c, &p), WD_MALFORMED);
		for (size_t k = 0; k < p.count; k++)
			assert_null(strstr(p.items[k].what, "hunter2"));
		problems_done(&p);
	}
}

/* ---- the catalogue ------------------------------------------------------------------------ */

static void a_service_has_what_its_category_says(void **state)
{
	(void)state;
	struct config *c = read_well("");
	const struct service *x = catalogue_find(c->catalogue, "twitter");
	assert_string_equal(x->id, "x");
	assert_int_equal(x->surface_count, 2);
	assert_string_equal(service_surface(x, "feed")->name, "Feed");
	assert_string_equal(x->zone->name, "Europe/London");
	const struct service *aws = catalogue_find(c->catalogue, "aws");
	assert_string_equal(aws->category, "other");
	assert_string_equal(aws->zone->name, "UTC");
	assert_int_equal(aws->surface_count, 2);
	assert_true(aws->problem_count > 0);
	config_free(c);
}

static void a_later_entry_changes_the_keys_it_gives(void **state)
{
	(void)state;
	struct config *c = read_well("surfaces: {spaces: Spaces}\n"
				     "services:\n"
				     "  - {id: x, time_zone: Asia/Kolkata, surfaces: [website, spaces]}\n"
				     "  - {id: new, name: New, relies_on: [x]}\n");
	const struct service *x = catalogue_find(c->catalogue, "X");
	assert_string_equal(x->zone->name, "Asia/Kolkata");
	assert_string_equal(service_surface(x, "spaces")->name, "Spaces");
	assert_null(service_surface(x, "app"));
	assert_string_equal(x->aliases.items[0], "Twitter");
	assert_string_equal(x->relies_on.items[0], "aws");
	assert_int_equal(catalogue_count(c->catalogue), 3);
	config_free(c);
}

static void a_catalogue_of_ones_own_leaves_the_builtin_one_out(void **state)
{
	(void)state;
	struct config *c = read_well("services_from: []\nservices: [{id: shop, name: Our shop}]\n");
	assert_int_equal(catalogue_count(c->catalogue), 1);
	assert_int_equal(catalogue_at(c->catalogue, 0)->surface_count, 2);
	config_free(c);
}

static void services_in_one_place_share_their_zone(void **state)
{
	(void)state;
	struct config *c = read_well("services: [{id: a, name: A, time_zone: Europe/London}]\n");
	assert_ptr_equal(catalogue_find(c->catalogue, "a")->zone, catalogue_find(c->catalogue, "x")->zone);
	config_free(c);
}

static void without_zone_data_every_zone_is_utc_and_said_once(void **state)
{
	static const char text[] = "services: [{id: a, name: A, time_zone: Asia/Kolkata}]\n";
	struct config_source blind = source;
	struct problems p;
	struct config *c;
	(void)state;
	blind.ctx = &blind;
	problems_init(&p);
	assert_int_equal(config_read("t", text, strlen(text), &blind, &c, &p), WD_OK);
	assert_int_equal(p.count, 1);
	assert_true(p.items[0].warning);
	const struct zone *zone = catalogue_find(c->catalogue, "a")->zone;
	assert_int_equal(zone_local(zone, wall_s(1000)).ns, wall_s(1000).ns);
	config_free(c);
	problems_done(&p);
}

/* ---- a reload ------------------------------------------------------------------------------ */

static struct config_changes compare_all(const char *started_text, const char *before_text,
					 const char *after_text)
{
	struct config_changes changes;
	struct config *started = read_well(started_text), *before = read_well(before_text),
		      *after = read_well(after_text);
	assert_int_equal(config_compare(started, before, after, &changes), WD_OK);
	config_free(started);
	config_free(before);
	config_free(after);
	return changes;
}

static struct config_changes compare(const char *before_text, const char *after_text)
{
	return compare_all(before_text, before_text, after_text);
}

static void what_needs_a_restart_is_compared_with_what_runs(void **state)
{
	static const char other[] = "listen: [127.0.0.1:80]\nlog_level: debug\n";
	(void)state;
	struct config_changes changes = compare_all("", other, "");
	assert_int_equal(changes.restart.count, 0);
	assert_int_equal(changes.live.count, 1);
	config_changes_done(&changes);
	changes = compare_all("", other, other);
	assert_int_equal(changes.restart.count, 1);
	assert_string_equal(changes.restart.items[0], "listen: [\"127.0.0.1:8080\"] -> [\"127.0.0.1:80\"]");
	assert_int_equal(changes.live.count, 0);
	config_changes_done(&changes);
}

static void the_same_configuration_has_no_changes(void **state)
{
	(void)state;
	struct config_changes changes = compare("", "log_level: info\nlimits: {head_ms: 10000}\n");
	assert_int_equal(changes.live.count, 0);
	assert_int_equal(changes.restart.count, 0);
	config_changes_done(&changes);
}

static void a_reload_tells_what_holds_at_once_and_what_needs_a_restart(void **state)
{
	static const char *const live[] = {
		"log_level: info -> debug",
		"admin_token: (none) -> (a token)",
		"limits.reports_per_s_max: 50000 -> 9",
		"feeders: 1 added (b), 1 removed (c), 1 changed (a)",
		"services: 2 added (n1, n2), 1 changed (x)",
	};
	static const char *const restart[] = {
		"listen: [\"127.0.0.1:8080\"] -> [\"127.0.0.1:80\"]",
		"data_folder: \"whydown-data\" -> \"/srv\"",
		"detection.false_incidents_per_month: 5 -> 0.5",
	};
	(void)state;
	struct config_changes changes = compare(
		"feeders:\n  - {name: a, token: abcdefghijklmnopqrstuvwx}\n"
		"  - {name: c, token: cccdefghijklmnopqrstuvwx}\n",
		"listen: [127.0.0.1:80]\ndata_folder: /srv\nlog_level: debug\n"
		"admin_token: adminefghijklmnopqrstuvwx\n"
		"limits: {reports_per_s_max: 9}\ndetection: {false_incidents_per_month: 0.5}\n"
		"feeders:\n  - {name: a, token: bbcdefghijklmnopqrstuvwx}\n"
		"  - {name: b, token: dbcdefghijklmnopqrstuvwx}\n"
		"services: [{id: x, name: X2}, {id: n1, name: N1}, {id: n2, name: N2}]\n");
	assert_int_equal(changes.live.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(changes.live.items[i], live[i]);
	assert_int_equal(changes.restart.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(changes.restart.items[i], restart[i]);
	config_changes_done(&changes);
}

/* ---- from disk ------------------------------------------------------------------------------ */

static void a_file_that_is_not_there_is_told(void **state)
{
	static const struct { const char *path, *part; } cases[] = {
		{"/nowhere/at/all.yaml", "No such file"}, {"/", "Is a directory"}, {"/dev/zero", "larger"}};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct problems p;
		struct config *c;
		problems_init(&p);
		assert_int_not_equal(config_load(cases[i].path, &c, &p), WD_OK);
		assert_int_equal(p.count, 1);
		assert_non_null(strstr(p.items[0].what, cases[i].part));
		problems_done(&p);
	}
}

static struct config *load_well(const char *file)
{
	struct problems p;
	struct config *c = NULL;
	problems_init(&p);
	if (config_load(file, &c, &p) != WD_OK)
		fail_msg("%s:%u: %s", p.items[0].file, p.items[0].line, p.items[0].what);
	problems_done(&p);
	return c;
}

static void the_catalogue_that_comes_with_the_program_is_found(void **state)
{
	(void)state;
	struct config *c = load_well(NULL);
	assert_true(catalogue_count(c->catalogue) >= 100);
	const struct service *x = catalogue_find(c->catalogue, "Twitter");
	assert_string_equal(x->name, "X");
	static const char *const surfaces[] = {"app", "website", "server-connection"};
	assert_int_equal(x->surface_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(x->surfaces[i].id, surfaces[i]);
	const struct service *barclays = catalogue_find(c->catalogue, "Barclays");
	assert_string_equal(barclays->category, "bank");
	assert_string_equal(barclays->zone->name, "Europe/London");
	for (size_t i = 0; i < catalogue_count(c->catalogue); i++) {
		const struct service *s = catalogue_at(c->catalogue, i);
		assert_true(s->surface_count > 0 && s->problem_count > 0 && s->link_count > 0);
	}
	config_free(c);
}

/* A file of the source tree this test was built in, seen from its data/ folder. */
static char *source_file(const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/../%s", config_share_folder(), name);
	return strdup(path);
}

static char *source_text(const char *name)
{
	char *path = source_file(name);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		fail_msg("no %s", path);
	free(path);
	char *text = calloc(1, 1 << 18);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
	fclose(f);
	return text;
}

static void the_example_is_valid_and_says_the_defaults(void **state)
{
	struct config_changes changes;
	char *path = source_file("examples/whydown.yaml");
	(void)state;
	struct config *defaults = load_well(NULL), *example = load_well(path);
	assert_int_equal(config_compare(defaults, defaults, example, &changes), WD_OK);
	if (changes.live.count + changes.restart.count > 0)
		fail_msg("the example says %s",
			 changes.live.count > 0 ? changes.live.items[0] : changes.restart.items[0]);
	config_changes_done(&changes);
	config_free(defaults);
	config_free(example);
	free(path);
}

static void the_example_shows_every_key(void **state)
{
	char *text = source_text("examples/whydown.yaml");
	(void)state;
	for (size_t i = 0; i < setting_count; i++) {
		char key[100];
		const char *dot = strrchr(settings[i].key, '.');
		snprintf(key, sizeof(key), "%s:", dot == NULL ? settings[i].key : dot + 1);
		if (strstr(text, key) == NULL)
			fail_msg("the example lacks %s", settings[i].key);
	}
	free(text);
}

/* The part of the example that is commented out: lines of YAML behind "# ". */
static void what_the_example_only_shows_is_valid_too(void **state)
{
	char *text = source_text("examples/whydown.yaml");
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 18);
	char *line = strstr(text, "\n# surfaces:\n");
	assert_non_null(line);
	for (size_t len; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		bool key = len > 3 && line[2] >= 'a' && line[2] <= 'z' && line[len - 1] == ':';
		if (key || strncmp(line, "#   ", 4) == 0)
			buf_fmt(&b, "%.*s\n", (int)len - 2, line + 2);
	}
	assert_false(b.bad);
	char path[] = "/tmp/whydown_example_XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len);
	close(fd);
	struct config *c = load_well(path);
	unlink(path);
	assert_string_equal(catalogue_find(c->catalogue, "the corner")->zone->name, "Europe/Paris");
	config_free(c);
	buf_done(&b);
	free(text);
}

static void the_document_has_the_table_of_settings(void **state)
{
	struct buf b;
	char *text = source_text("docs/configuration.md");
	(void)state;
	buf_init(&b, 1 << 20);
	config_settings_markdown(&b);
	assert_false(b.bad);
	if (strstr(text, b.data) == NULL)
		fail_msg("docs/configuration.md does not hold what `whydown check-config --settings` prints");
	buf_done(&b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_the_defaults_of_the_table),
		cmocka_unit_test(what_a_file_says_is_taken),
		cmocka_unit_test(telemetry_and_whose_traffic_it_is),
		cmocka_unit_test(a_token_is_known_again_and_not_kept),
		cmocka_unit_test(every_mistake_has_its_line_and_what_would_be_right),
		cmocka_unit_test(more_services_than_there_may_be_are_told_in_the_file_that_has_them),
		cmocka_unit_test(all_mistakes_of_a_file_are_told),
		cmocka_unit_test(a_token_that_is_wrong_is_not_told),
		cmocka_unit_test(a_service_has_what_its_category_says),
		cmocka_unit_test(a_later_entry_changes_the_keys_it_gives),
		cmocka_unit_test(a_catalogue_of_ones_own_leaves_the_builtin_one_out),
		cmocka_unit_test(services_in_one_place_share_their_zone),
		cmocka_unit_test(without_zone_data_every_zone_is_utc_and_said_once),
		cmocka_unit_test(the_same_configuration_has_no_changes),
		cmocka_unit_test(what_needs_a_restart_is_compared_with_what_runs),
		cmocka_unit_test(a_reload_tells_what_holds_at_once_and_what_needs_a_restart),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
		cmocka_unit_test(the_catalogue_that_comes_with_the_program_is_found),
		cmocka_unit_test(the_example_is_valid_and_says_the_defaults),
		cmocka_unit_test(the_example_shows_every_key),
		cmocka_unit_test(what_the_example_only_shows_is_valid_too),
		cmocka_unit_test(the_document_has_the_table_of_settings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
