/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/accesslog.h"

#include "base/check.h"
#include "base/timetext.h"
#include "decode/address.h"
#include "decode/syslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a line says, as one line: kind, time, client, method, protocol, status, bytes, duration,
 * host, path, query, referer, agent; malformed in brackets. */
static void told(const struct accesslog *a, const struct request *r, char *dst, size_t size)
{
	char time[TIMETEXT_LEN_MAX], client[64];

	timetext_write(time, r->at);
	if (r->family == 4)
		snprintf(client, sizeof(client), "%d.%d.%d.%d", r->client[0], r->client[1],
			 r->client[2], r->client[3]);
	else if (r->family == 6)
		snprintf(client, sizeof(client), "%02x%02x:…:%02x%02x", r->client[0], r->client[1],
			 r->client[14], r->client[15]);
	else
		snprintf(client, sizeof(client), "name");
	snprintf(dst, size, "%s, %s %s %s h%d %d %ld %ld %.*s|%.*s|%.*s|%.*s|%.*s%s",
		 accesslog_kind_name(a->kind), time, client,
		 request_method_name((enum request_method)r->method), r->protocol, r->status,
		 (long)r->bytes, (long)r->duration_us, (int)r->host.len,
		 r->host.at ? r->host.at : "", (int)r->path.len, r->path.at ? r->path.at : "",
		 (int)r->query.len, r->query.at ? r->query.at : "", (int)r->referer.len,
		 r->referer.at ? r->referer.at : "", (int)r->agent.len,
		 r->agent.at ? r->agent.at : "", r->malformed  ? " [malformed]"
					    : r->absolute ? " [absolute]"
							  : "");
}

struct example { const char *line, *told; };

static const struct example examples[] = {
	{"192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET /a/b.png HTTP/1.1\" 200 203023 "
	 "\"http://x.example/\" \"Mozilla/5.0 (Macintosh)\"",
	 "common or combined, 2015-05-17T10:05:03Z 192.0.2.7 GET h1 200 203023 -1 "
	 "|/a/b.png||http://x.example/|Mozilla/5.0 (Macintosh)"},
	{"host.example - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 -",
	 "common or combined, 2000-10-10T20:55:36Z name GET h1 200 0 -1 |/apache_pb.gif|||"},
	{"www.x.example:443 2001:db8::9 - - [17/May/2015:10:05:03 +0200] \"POST /l?a=b&c HTTP/2.0\" "
	 "302 0 \"-\" \"-\" 0.250 0.249",
	 "common or combined, 2015-05-17T08:05:03Z 2001:…:0009 POST h2 302 0 250000 "
	 "www.x.example|/l|a=b&c||"},
	/* without one of the two words before the time; a name of several words */
	{"192.0.2.7 - [08/Jun/2020:08:04:43 +0000] \"GET /t HTTP/1.1\" 200 100 \"-\" \"curl\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 100 -1 |/t|||curl"},
	{"192.0.2.7 - bob smith [08/Jun/2020:08:04:43 +0000] \"GET /t HTTP/1.1\" 200 100",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 100 -1 |/t|||"},
	/* behind what programs for containers put before it, which no name is taken for */
	{"web-1   | 192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET /t HTTP/1.1\" 200 100",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 100 -1 |/t|||"},
	{"[pod/web-1/nginx] 2001:db8::9 - - [08/Jun/2020:08:04:43 +0000] \"GET /t HTTP/1.1\" 200 1",
	 "common or combined, 2020-06-08T08:04:43Z 2001:…:0009 GET h1 200 1 -1 |/t|||"},
	{"2020-06-08T08:04:43.1Z stdout F 192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET /t "
	 "HTTP/1.1\" 200 100",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 100 -1 |/t|||"},
	{"caddy-1  | {\"ts\":1591603483,\"request\":{\"remote_ip\":\"192.0.2.7\",\"method\":\"GET\","
	 "\"uri\":\"/t\"},\"status\":200}",
	 "JSON, 2020-06-08T08:04:43Z 192.0.2.7 GET h0 200 -1 -1 |/t|||"},
	{"web | - | [08/Jun/2020:08:04:43 +0000] \"GET /t HTTP/1.1\" 200 100",
	 "common or combined, 2020-06-08T08:04:43Z name GET h1 200 100 -1 |/t|||"},
	/* request lines that are none */
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"\\x16\\x03\\x01 \\x02\" 400 226 \"-\" \"-\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 other h0 400 226 -1 "
	 "|\\x16\\x03\\x01 \\x02||| [malformed]"},
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"-\" 408 - \"-\" \"-\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 other h0 408 0 -1 "
	 "|||| [malformed]"},
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"\" 000 0 \"-\" \"-\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 other h0 0 0 -1 |||| [malformed]"},
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET / HTTP/1.2\" 505 0 \"-\" \"a\\\"b\" \"x\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h4 505 0 -1 |/|||a\\\"b"},
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET /a b\"c HTTP/1.1\" 200 0 \"-\" \"-\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 0 -1 |/a b\"c|||"},
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET http://p.example/x?y HTTP/1.1\" 200 0",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 0 -1 p.example|/x|y|| [absolute]"},
	/* what servers put behind */
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"M\" 42 "
	 "\"web@docker\" \"http://172.17.0.2:80\" 12ms",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 12 12000 |/|||M"},
	{"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"M\" "
	 "\"203.0.113.9\" rt=1.250 uct=\"0.1\" urt=\"1.2\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 12 1250000 |/|||M"},
	/* HAProxy */
	{"192.0.2.7:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - "
	 "- ---- 1/1/1/1/0 0/0 {h.example|Mozilla/5.0 (X11)} {} \"GET /i.html?a HTTP/1.1\"",
	 "HAProxy, 2009-02-06T12:14:14.655Z 192.0.2.7 GET h1 200 2750 109000 "
	 "|/i.html|a||Mozilla/5.0 (X11)"},
	{"192.0.2.7:33317 [06/Feb/2009:12:14:14.655] in~ in/<NOSRV> -1/-1/-1/-1/+5000 408 +212 - - "
	 "cR-- 1/1/0/0/0 0/0 \"<BADREQ>\"",
	 "HAProxy, 2009-02-06T12:14:14.655Z 192.0.2.7 other h0 408 212 5000000 "
	 "|<BADREQ>||| [malformed]"},
	{"2001:db8::9:4312 [06/Feb/2009:12:14:14.655] i b/s 1/0/3/6/10 200 2750 - - ---- 1/1/1/1/0 0/0 "
	 "\"GET / HTTP/1.1\"",
	 "HAProxy, 2009-02-06T12:14:14.655Z 2001:…:0009 GET h1 200 2750 10000 |/|||"},
	{"::ffff:192.0.2.7:433 [06/Feb/2009:12:14:14.655] i b/s 1/0/3/6/10 200 2750 - - ---- 1/1/1/1/0 0/0 "
	 "\"GET / HTTP/1.1\"",
	 "HAProxy, 2009-02-06T12:14:14.655Z 192.0.2.7 GET h1 200 2750 10000 |/|||"},
	/* by way of syslog */
	{"<134>Feb  6 12:14:14 lb haproxy[14389]: 192.0.2.7:33317 [06/Feb/2009:12:14:14.655] i b/s "
	 "1/0/3/6/10 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
	 "HAProxy, 2009-02-06T12:14:14.655Z 192.0.2.7 GET h1 200 2750 10000 |/|||"},
	{"<190>1 2020-01-01T00:00:00Z host nginx 12 - [a b=\"c\\\"]\"][d] 192.0.2.7 - - "
	 "[08/Jun/2020:08:04:43 +0000] \"GET /a\\x22b HTTP/3.0\" 499 0 \"-\" \"x\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h3 499 0 -1 |/a\\x22b|||x"},
	{"2020-01-01T00:00:00.123+00:00 host nginx: 192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] "
	 "\"GET / HTTP/1.1\" 200 0",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 0 -1 |/|||"},
	/* JSON: nginx, Caddy, Traefik, a logger of an application */
	{"{\"time_local\":\"17/May/2015:10:05:03 +0200\",\"remote_addr\":\"2001:db8::1\",\"request\":"
	 "\"GET /q?a=1 HTTP/1.1\",\"status\": \"404\",\"body_bytes_sent\":\"7\",\"request_time\":"
	 "\"0.013\",\"http_referrer\":\"\",\"http_user_agent\":\"a \\\"b\\\" c\"}",
	 "JSON, 2015-05-17T08:05:03Z 2001:…:0001 GET h1 404 7 13000 |/q|a=1||a \\\"b\\\" c"},
	{"{\"remote_addr\":\"192.0.2.7\",\"msec\":\"1431849903.250\",\"request_method\":\"\","
	 "\"request_uri\":\"\",\"request\":\"\",\"status\":\"408\",\"body_bytes_sent\":\"0\","
	 "\"http_user_agent\":\"\"}",
	 "JSON, 2015-05-17T08:05:03.250Z 192.0.2.7 other h0 408 0 -1 |||| [malformed]"},
	{"{\"remote_addr\":\"192.0.2.7\",\"args\":\"a=1\",\"uri\":\"/q\",\"request_method\":\"PUT\","
	 "\"msec\":\"1431849903.250\",\"status\":201}",
	 "JSON, 2015-05-17T08:05:03.250Z 192.0.2.7 PUT h0 201 -1 -1 |/q|a=1||"},
	{"{\"level\":\"info\",\"ts\":1646861401.524,\"logger\":\"http.log.access\",\"msg\":\"handled "
	 "request\",\"request\":{\"remote_ip\":\"127.0.0.1\",\"remote_port\":\"41342\",\"client_ip\":"
	 "\"192.0.2.9\",\"proto\":\"HTTP/2.0\",\"method\":\"GET\",\"host\":\"localhost\",\"uri\":"
	 "\"/a?b=c\",\"headers\":{\"User-Agent\":[\"curl/7.82.0\",\"no\"],\"Accept\":[\"*/*\"]},"
	 "\"tls\":{\"proto\":\"h2\",\"server_name\":\"n\"}},\"bytes_read\": 0,\"duration\":"
	 "9.29675e-4,\"size\":10900,\"status\":200,\"resp_headers\":{\"Server\":[\"Caddy\"],"
	 "\"Status\":[\"500\"]}}",
	 "JSON, 2022-03-09T21:30:01.524Z 192.0.2.9 GET h2 200 10900 929 "
	 "localhost|/a|b=c||curl/7.82.0"},
	{"{\"ClientAddr\":\"192.0.2.7:55312\",\"ClientHost\":\"192.0.2.7\",\"DownstreamContentSize\":12,"
	 "\"DownstreamStatus\":200,\"Duration\":1234567,\"OriginStatus\":500,\"RequestHost\":"
	 "\"h.example\",\"RequestMethod\":\"GET\",\"RequestPath\":\"/x?y=1\",\"RequestProtocol\":"
	 "\"HTTP/1.1\",\"StartUTC\":\"2023-01-02T02:04:05.123456789Z\",\"request_User-Agent\":"
	 "\"curl/8\",\"time\":\"2023-01-02T03:04:06+01:00\"}",
	 "JSON, 2023-01-02T02:04:05.123Z 192.0.2.7 GET h1 200 12 1234 h.example|/x|y=1||curl/8"},
	{"{\"@timestamp\": \"2024-04-21T11:46:40+00:00\", \"clientip\": \"192.0.2.7\", \"verb\": \"GET\", "
	 "\"request\": \"/a?b=1\", \"httpversion\": \"1.1\", \"response\": 404, \"bytes\": 7}",
	 "JSON, 2024-04-21T11:46:40Z 192.0.2.7 GET h1 404 7 -1 |/a|b=1||"},
	/* a load balancer of AWS; W3C behind its directive */
	{"https 2024-04-21T11:46:40.123456Z app/my-lb/50dc 192.0.2.7:2817 10.0.0.1:80 0.001 0.020 0.000 "
	 "404 404 34 366 \"GET https://h.example:443/a?b=1 HTTP/1.1\" \"curl/7.46.0\" ECDHE TLSv1.2",
	 "AWS load balancer, 2024-04-21T11:46:40.123Z 192.0.2.7 GET h1 404 366 21000 "
	 "h.example:443|/a|b=1||curl/7.46.0"},
	{"2024-04-21T11:46:40.123456Z my-lb 192.0.2.7:2817 10.0.0.1:80 0.001 0.020 0.000 "
	 "404 404 34 366 \"GET https://h.example:443/a?b=1 HTTP/1.1\" \"curl/7.46.0\" ECDHE TLSv1.2",
	 "AWS load balancer, 2024-04-21T11:46:40.123Z 192.0.2.7 GET h1 404 366 21000 "
	 "h.example:443|/a|b=1||curl/7.46.0"},
	{"2024-04-21T11:46:40.123456Z my-lb 2001:db8::7:2817 - -1 -1 -1 503 0 0 0 "
	 "\"GET http://h.example:80/ HTTP/1.1\" \"-\" - -",
	 "AWS load balancer, 2024-04-21T11:46:40.123Z 2001:…:0007 GET h1 503 0 -1 "
	 "h.example:80|/|||"},
	/* nginx-proxy-manager: a proxy's host, and one that it answers for itself */
	{"[21/Apr/2024:11:46:40 +0000] HIT - 404 - GET https h.example \"/a?b=1\" [Client 192.0.2.7] "
	 "[Length 366] [Gzip 2.10] [Sent-to 10.0.0.1] \"curl/7.46.0\" \"https://x.example/\"",
	 "nginx-proxy-manager, 2024-04-21T11:46:40Z 192.0.2.7 GET h0 404 366 -1 "
	 "h.example|/a|b=1|https://x.example/|curl/7.46.0"},
	{"[21/Apr/2024:11:46:40 +0000] - 502, 200 200 - POST http h.example \"/\" [Client 192.0.2.7] "
	 "[Length 7] [Gzip -] [Sent-to web] \"-\" \"-\"",
	 "nginx-proxy-manager, 2024-04-21T11:46:40Z 192.0.2.7 POST h0 200 7 -1 h.example|/|||"},
	{"[21/Apr/2024:11:46:40 +0000] 404 - GET http localhost \"/x\" [Client 192.0.2.7] "
	 "[Length 7] [Gzip -] \"-\" \"-\"",
	 "nginx-proxy-manager, 2024-04-21T11:46:40Z 192.0.2.7 GET h0 404 7 -1 localhost|/x|||"},
	/* … which a host's syslog is not */
	{"2024-04-21T11:46:40.123456Z web1 nginx: 192.0.2.7 - - [21/Apr/2024:11:46:40 +0000] "
	 "\"GET /a HTTP/1.1\" 200 7",
	 "common or combined, 2024-04-21T11:46:40Z 192.0.2.7 GET h1 200 7 -1 |/a|||"},
};

static void w3c_lines_follow_their_directive(void **state)
{
	static const char *const directives[] = {
		"#Version: 1.0",
		"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip "
		"cs(User-Agent) cs(Referer) sc-status time-taken",
		"#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem "
		"sc-status cs(Referer) cs(User-Agent) cs-uri-query time-taken",
	};
	static const char iis[] = "2024-04-21 11:46:40 10.0.0.5 POST /a b=1 443 192.0.2.7 M/5.0+(X) - 302 12";
	static const char cloud[] = "2024-04-21\t11:46:41\tFRA2\t99\t2001:db8::1\tGET\td.example\t/x\t200"
				    "\t-\tM%2F5.0\t-\t0.250";
	struct accesslog a;
	struct request r;
	char text[1024];
	(void)state;
	accesslog_init(&a);
	assert_int_equal(accesslog_read(&a, iis, strlen(iis), &r, NULL), WD_UNKNOWN);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(accesslog_read(&a, directives[i], strlen(directives[i]), &r, NULL),
				 WD_UNKNOWN);
	a.zone = span_s(3600); /* of times that have none; W3C is UTC */
	assert_int_equal(accesslog_read(&a, iis, strlen(iis), &r, NULL), WD_OK);
	told(&a, &r, text, sizeof(text));
	assert_string_equal(text, "W3C, 2024-04-21T11:46:40Z 192.0.2.7 POST h0 302 -1 12000 "
				  "|/a|b=1||M/5.0+(X)");
	for (size_t len = 0; len < strlen(iis); len++) {
		char *cut = malloc(len + 1);
		assert_non_null(cut);
		memcpy(cut, iis, len);
		(void)!accesslog_read(&a, cut, len, &r, NULL);
		free(cut);
	}
	assert_int_equal(accesslog_read(&a, directives[2], strlen(directives[2]), &r, NULL), WD_UNKNOWN);
	assert_int_equal(accesslog_read(&a, cloud, strlen(cloud), &r, NULL), WD_OK);
	told(&a, &r, text, sizeof(text));
	assert_string_equal(text, "W3C, 2024-04-21T11:46:41Z 2001:…:0001 GET h0 200 99 250000 "
				  "d.example|/x|||M%2F5.0");
}

/* What clients write into their names and headers to be taken for others, at other times. */
static const struct example forged[] = {
	{"192.0.2.7 - [17/May/2035:10:05:03 +0000] \\\"GET / [08/Jun/2020:08:04:43 +0000] \"GET /t "
	 "HTTP/1.1\" 200 100 \"-\" \"[17/May/2036:10:05:03 +0000] \\\"\"",
	 "common or combined, 2020-06-08T08:04:43Z 192.0.2.7 GET h1 200 100 -1 |/t|||"
	 "[17/May/2036:10:05:03 +0000] \\\""},
	{"192.0.2.7:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - "
	 "- ---- 1/1/1/1/0 0/0 {a [17/May/2035:10:05:03 +0000] b} \"GET /i.html?a HTTP/1.1\"",
	 "HAProxy, 2009-02-06T12:14:14.655Z 192.0.2.7 GET h1 200 2750 109000 |/i.html|a||"},
	{"{\"ts\":1646861401.524,\"request\":{\"remote_ip\":\"192.0.2.9\",\"proto\":\"HTTP/2.0\","
	 "\"method\":\"GET\",\"host\":\"a.example\",\"uri\":\"/a\",\"headers\":{\"Client-Ip\":"
	 "[\"203.0.113.1\"],\"Time-Iso8601\":[\"2035-01-01T00:00:00Z\"],\"Downstreamstatus\":[\"500\"],"
	 "\"Http-Host\":[\"b.example\"],\"Request-Uri\":[\"/b\"],\"Request-Time\":[\"99\"],"
	 "\"Request_method\":{\"Verb\":\"PUT\"},\"User-Agent\":[\"curl\"],\"Referer\":[\"r\"]}},"
	 "\"duration\":0.001,\"size\":10,\"status\":200}",
	 "JSON, 2022-03-09T21:30:01.524Z 192.0.2.9 GET h2 200 10 1000 a.example|/a||r|curl"},
	{"{\"ClientHost\":\"192.0.2.7\",\"DownstreamStatus\":200,\"Duration\":1234567,\"RequestMethod\":"
	 "\"GET\",\"RequestPath\":\"/x\",\"request_Client-Ip\":\"203.0.113.1\",\"request_Time\":\"900\","
	 "\"request_User-Agent\":\"curl/8\",\"request_Host\":\"h.example\",\"time\":"
	 "\"2023-01-02T03:04:06+01:00\"}",
	 "JSON, 2023-01-02T02:04:06Z 192.0.2.7 GET h0 200 -1 1234 h.example|/x|||curl/8"},
};

/* `before`: a line that came earlier; "" = none. */
static void read_examples(const struct example *all, size_t count, const char *before)
{
	struct accesslog a;
	struct request r;
	accesslog_init(&a);
	(void)!accesslog_read(&a, before, strlen(before), &r, NULL);
	a.others = 0;
	for (size_t i = 0; i < count; i++) {
		struct wd_why why;
		char text[1024];
		if (accesslog_read(&a, all[i].line, strlen(all[i].line), &r, &why))
			fail_msg("%s: %s", all[i].line, why.what);
		told(&a, &r, text, sizeof(text));
		assert_string_equal(text, all[i].told);
	}
	assert_int_equal(a.requests, count);
	assert_int_equal(a.others + a.malformed, 0);
}

static void lines_are_read(void **state)
{
	(void)state;
	read_examples(examples, WD_COUNT(examples), "");
}

/* One place may be logged to by servers of several kinds. */
static void a_directive_says_nothing_of_other_servers_lines(void **state)
{
	static const char directive[] = "#Fields: date time c-ip cs-method cs-uri-stem sc-status";
	static const struct example own[] = {
		{"2024-04-21 11:46:40 192.0.2.7 GET /a 200",
		 "W3C, 2024-04-21T11:46:40Z 192.0.2.7 GET h0 200 -1 -1 |/a|||"},
		{"<134>Apr 21 11:46:40 iis w3svc: 2024-04-21 11:46:40 192.0.2.7 GET /a 200",
		 "W3C, 2024-04-21T11:46:40Z 192.0.2.7 GET h0 200 -1 -1 |/a|||"},
	};
	(void)state;
	read_examples(own, WD_COUNT(own), directive);
	read_examples(examples, WD_COUNT(examples), directive);
}

static void clients_do_not_forge_who_and_when(void **state)
{
	(void)state;
	read_examples(forged, WD_COUNT(forged), "");
}

/* Every beginning of a line is read in a block of just its size, where a byte too far shows
 * (under a sanitizer), and every span lies inside. */
static void every_prefix_is_safe(void **state)
{
	struct accesslog a;
	(void)state;
	accesslog_init(&a);
	for (size_t i = 0; i < WD_COUNT(examples); i++)
		for (size_t len = 0; len <= strlen(examples[i].line); len++) {
			char *copy = malloc(len + 1);
			struct request r;
			assert_non_null(copy);
			char *line = copy + 1;
			memcpy(line, examples[i].line, len);
			if (accesslog_read(&a, line, len, &r, NULL) == WD_OK) {
				assert_true(r.path.len == 0 ||
					    (r.path.at >= line &&
					     r.path.at + r.path.len <= line + len));
				assert_true(r.agent.len == 0 ||
					    r.agent.at + r.agent.len <= line + len);
			}
			free(copy);
		}
}

static void other_lines_are_no_requests(void **state)
{
	static const char *const lines[] = {
		"",
		("2021/12/01 13:53:33 [error] 31#31: *46 \"/a\" is not found, client: 172.17.0.1, "
		 "request: \"GET /market/ HTTP/1.1\""),
		"[Thu Oct 13 12:24:49.880562 2022] [auth_basic:error] [pid 10] [client 192.0.2.1:5] x",
		"192.168.1.4:50033 [28/Feb/2025:02:43:10.123] frontend/backend: SSL handshake failure",
		"192.0.2.7:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
		"{\"level\":\"info\",\"ts\":1646861401.5,\"msg\":\"serving initial configuration\"}",
	};
	static const char *const broken[] = {
		"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET / HTT",
		"192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"GET / HTTP/1.1\" OK 0",
		"192.0.2.7 - - [01/Jun/9999:08:04:43 +0000] \"GET / HTTP/1.1\" 200 0",
		"192.0.2.7 - - [41/Jun/2020:08:04:43 +0000] \"GET / HTTP/1.1\" 200 0",
		"{\"remote_addr\":\"192.0.2.7\",\"uri\":\"/q",
		"{\"a\":[}",
	};
	struct accesslog a;
	struct request r;
	(void)state;
	accesslog_init(&a);
	for (size_t i = 0; i < WD_COUNT(lines); i++)
		assert_int_equal(accesslog_read(&a, lines[i], strlen(lines[i]), &r, NULL),
				 WD_UNKNOWN);
	for (size_t i = 0; i < WD_COUNT(broken); i++)
		assert_int_equal(accesslog_read(&a, broken[i], strlen(broken[i]), &r, NULL),
				 WD_MALFORMED);
	assert_int_equal(a.others, WD_COUNT(lines));
	assert_int_equal(a.malformed, WD_COUNT(broken));
}

static void deep_and_long_lines_end(void **state)
{
	static char line[ACCESSLOG_LINE_MAX + 2];
	struct accesslog a;
	struct request r;
	(void)state;
	accesslog_init(&a);
	memset(line, '[', sizeof(line));
	line[0] = '{';
	assert_int_equal(accesslog_read(&a, line, ACCESSLOG_LINE_MAX, &r, NULL), WD_MALFORMED);
	assert_int_equal(accesslog_read(&a, line, ACCESSLOG_LINE_MAX + 1, &r, NULL), WD_FULL);
	memset(line, '\\', sizeof(line));
	memcpy(line, "192.0.2.7 - - [08/Jun/2020:08:04:43 +0000] \"", 44);
	assert_int_equal(accesslog_read(&a, line, ACCESSLOG_LINE_MAX, &r, NULL), WD_MALFORMED);
}

static void formats_are_compiled(void **state)
{
	static const struct { const char *format, *line, *told; } cases[] = {
		{"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \\\"%{User-Agent}i\\\" %D",
		 "192.0.2.7 - - [19/Nov/2020:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 12 \"-\" \"M\\\" n\""
		 " 1234",
		 "a format, 2020-11-19T12:00:00Z 192.0.2.7 GET h1 200 12 1234 |/a|||M\\\" n"},
		{"%v;%a;%{msec}t;%m;%U;%q;%H;%s;%O;%{ms}T",
		 "h.example;2001:db8::1;1605787200125;POST;/a;?b=c;HTTP/2.0;503;99;17",
		 "a format, 2020-11-19T12:00:00.125Z 2001:…:0001 POST h2 503 99 17000 "
		 "h.example|/a|b=c||"},
		{"$host $remote_addr [$time_iso8601] \"$request\" $status $upstream_response_time "
		 "${request_time} \"$http_user_agent\"",
		 "h.x 192.0.2.7 [2020-11-19T12:00:00+00:00] \"GET /a?b HTTP/1.1\" 200 0.1, 0.2 1.002 "
		 "\"x\"",
		 "a format, 2020-11-19T12:00:00Z 192.0.2.7 GET h1 200 -1 1002000 h.x|/a|b||x"},
	};
	static const struct { const char *format; enum wd_err err; } wrong[] = {
		{"%h %t", WD_MALFORMED},
		{"%h%l %t %s", WD_MALFORMED},
		{"%h %{%Y-%m-%d}t %s", WD_UNKNOWN},
		{"%h %", WD_MALFORMED},
		{"", WD_MALFORMED},
	};
	struct accesslog a;
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct request r;
		char text[1024];
		accesslog_init(&a);
		assert_int_equal(accesslog_set_format(&a, cases[i].format, NULL), WD_OK);
		assert_int_equal(accesslog_read(&a, cases[i].line, strlen(cases[i].line), &r, NULL),
				 WD_OK);
		told(&a, &r, text, sizeof(text));
		assert_string_equal(text, cases[i].told);
		assert_int_equal(accesslog_read(&a, cases[i].line, 20, &r, NULL), WD_MALFORMED);
	}
	for (size_t i = 0; i < WD_COUNT(wrong); i++)
		assert_int_equal(accesslog_set_format(&a, wrong[i].format, NULL), wrong[i].err);
}

static void times_without_a_zone_are_in_that_of_the_reader(void **state)
{
	static const char line[] = "{\"client\":\"192.0.2.7\",\"ts\":\"2020-11-19 12:00:00\","
				   "\"uri\":\"/\",\"duration_ms\":12.5}";
	struct accesslog a;
	struct request r;
	char text[512];
	(void)state;
	accesslog_init(&a);
	a.zone = span_s(3600);
	assert_int_equal(accesslog_read(&a, line, strlen(line), &r, NULL), WD_OK);
	told(&a, &r, text, sizeof(text));
	assert_string_equal(text, "JSON, 2020-11-19T11:00:00Z 192.0.2.7 other h0 0 -1 12500 |/|||");
}

static void addresses_are_read(void **state)
{
	static const struct { const char *text; int family, last; } cases[] = {
		{"192.0.2.1", 4, 0}, {"192.0.2.1:80", 4, 0}, {"::", 6, 0}, {"::1", 6, 1},
		{"[2001:db8::5]:443", 6, 5}, {"fe80::1%eth0", 6, 1}, {"::ffff:192.0.2.1", 4, 0},
		{"64:ff9b::192.0.2.33", 6, 33}, {"1:2:3:4:5:6:7:8", 6, 8}, {"1:2:3:4:5:6:7::", 6, 0},
		{"1:2:3:4:5:6:7:8:9", 0, 0}, {"1::2::3", 0, 0}, {"256.1.1.1", 0, 0},
		{"192.0.2.1x", 0, 0}, {"1:2:3", 0, 0}, {":", 0, 0}, {"", 0, 0}, {"[::1", 0, 0},
		{"12345::", 0, 0}, {"1:2:3:4:5:6:7:", 0, 0}, {"www.example", 0, 0}, {"-", 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		uint8_t bytes[16] = {0};
		assert_int_equal(address_read(cases[i].text, strlen(cases[i].text), bytes),
				 cases[i].family);
		assert_int_equal(bytes[15], cases[i].last);
	}
}

static void headers_of_syslog_are_passed_over(void **state)
{
	static const struct { const char *line, *rest; } cases[] = {
		{"<13>Oct 11 22:14:15 host su: body here", "body here"},
		{"Oct  1 22:14:15 host su[12]: body here", "body here"},
		{"<13>Oct 11 22:14:15 su: body here", "body here"},
		{"<13>1 2003-10-11T22:14:15.003Z h a p m - body here", "body here"},
		{"<13>1 2003-10-11T22:14:15.003Z h a p m [x y=\"]\"] \xef\xbb\xbf" "body", "body"},
		{"<13>bare body of a line", "bare body of a line"},
		{"192.0.2.1 - - [x] body", "192.0.2.1 - - [x] body"},
		{"<13>1 2003-10-11T22:14:15.003Z h a", "1 2003-10-11T22:14:15.003Z h a"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++)
		assert_string_equal(cases[i].line +
					    syslog_header(cases[i].line, strlen(cases[i].line)),
				    cases[i].rest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(clients_do_not_forge_who_and_when),
		cmocka_unit_test(w3c_lines_follow_their_directive),
		cmocka_unit_test(a_directive_says_nothing_of_other_servers_lines),
		cmocka_unit_test(every_prefix_is_safe),
		cmocka_unit_test(other_lines_are_no_requests),
		cmocka_unit_test(deep_and_long_lines_end),
		cmocka_unit_test(formats_are_compiled),
		cmocka_unit_test(times_without_a_zone_are_in_that_of_the_reader),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(headers_of_syslog_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
