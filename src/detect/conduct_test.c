/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/conduct.h"

#include "base/check.h"
#include "base/prng.h"

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

struct ask {
	int64_t s;
	uint32_t client;
	enum request_method method; /* REQUEST_OTHER: GET */
	int status;
	const char *path, *query, *agent, *referer;
};

static struct text_span span(const char *text)
{
	return text == NULL || text[0] == '\0' ? (struct text_span){NULL, 0}
					       : (struct text_span){text, (uint32_t)strlen(text)};
}

static bool see(struct conduct *c, struct ask a)
{
	struct request r = {.at = wall_s(1700000000 + a.s), .family = 4, .bytes = 100};

	memcpy(r.client, &a.client, sizeof(a.client));
	r.method = (uint8_t)(a.method == REQUEST_OTHER ? REQUEST_GET : a.method);
	r.status = (uint16_t)a.status;
	r.path = span(a.path);
	r.query = span(a.query);
	r.agent = span(a.agent != NULL ? a.agent : browser);
	r.referer = span(a.referer);
	const struct web_facts facts = web_facts_of(&agents, &key, &r);
	return conduct_see(c, &r, &facts);
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

static void done(struct conduct *c)
{
	conduct_table_close(c->table);
	free(c);
}

/* The first note is this, or there is none where vector is NULL. */
static void noted(struct conduct *c, const char *vector)
{
	if (vector == NULL && c->note_count > 0)
		fail_msg("%s", client_note_vector(&c->notes[0]));
	if (vector != NULL) {
		assert_true(c->note_count > 0);
		assert_string_equal(client_note_vector(&c->notes[0]), vector);
	}
	done(c);
}

static const char *const spots[] = {
	"/.env", "/backup.sql", "/phpmyadmin/index.php", "/admin", "/test", "/old", "/login.php~",
	"/server-status", "/manager/html", "/wp-login.php", "/console", "/private",
};

static void searches_for_weak_spots_are_noted(void **state)
{
	(void)state;
	static const int statuses[] = {404, 403, 400};
	for (size_t k = 0; k < WD_COUNT(statuses); k++) {
		struct conduct *c = fresh();
		for (size_t i = 0; i < WD_COUNT(spots); i++)
			see(c, (struct ask){.s = (int64_t)i * 3, .client = 7,
					    .status = statuses[k], .path = spots[i]});
		assert_int_equal(c->note_count, 1);
		assert_true(c->notes[0].requests == WD_COUNT(spots));
		noted(c, "http.probe");
	}
	static const char *const queries[] = {
		"id=1%27%20UNION%20SELECT%201--", "q=%3Cscript%3Ealert(1)", "f=../../etc/passwd",
		"x=${jndi:ldap://a}", "f=%252e%252e%252fetc%252fpasswd",
	};
	struct conduct *c = fresh();
	for (size_t i = 0; i < WD_COUNT(queries); i++)
		see(c, (struct ask){.s = (int64_t)i * 5, .client = 7, .status = 200, .path = "/s",
				    .query = queries[i]});
	assert_true(c->notes[0].marked == WD_COUNT(queries));
	noted(c, "http.probe");
}

static void visitors_that_err_are_not(void **state)
{
	(void)state;
	struct conduct *c = fresh();
	char path[64];
	for (int i = 0; i < 2000; i++) {
		uint32_t who = 100 + (uint32_t)i % 40;
		snprintf(path, sizeof(path), "/page/%c%d", 'a' + i % 26, i);
		/* An office behind one address; broken links; an API that has no such user. */
		see(c, (struct ask){.s = i / 2, .client = 9, .status = i % 8 ? 200 : 404,
				    .path = path, .referer = "https://x.example/"});
		see(c, (struct ask){.s = i / 2, .client = who, .status = 404, .path = "/favicon.ico"});
		snprintf(path, sizeof(path), "/api/users/%d", i);
		see(c, (struct ask){.s = i / 2, .client = 8, .status = 404, .path = path,
				    .agent = "Go-http-client/1.1"});
		snprintf(path, sizeof(path), "/gone/%c%c%c", 'g' + i % 7, 'g' + i / 7 % 7, 'g' + i / 49 % 7);
		see(c, (struct ask){.s = i / 2, .client = 6, .status = 404, .path = path,
				    .agent = google});
	}
	noted(c, NULL);
}

static void tries_of_passwords_are_noted(void **state)
{
	(void)state;
	static const struct { const char *path; int status; enum request_method method; } cases[] = {
		{"/wp-login.php", 200, REQUEST_POST}, {"/login", 401, REQUEST_POST},
		{"/api/v1/auth/login", 403, REQUEST_POST}, {"/account/signin", 422, REQUEST_POST},
		{"/admin/", 401, REQUEST_GET},
	};
	for (size_t k = 0; k < WD_COUNT(cases); k++) {
		struct conduct *c = fresh();
		for (int i = 0; i < 60; i++)
			see(c, (struct ask){.s = i / 3, .client = 7, .method = cases[k].method,
					    .status = cases[k].status, .path = cases[k].path});
		assert_int_equal(c->note_count, 1);
		noted(c, "http.login");
	}
	/* Each of many clients tries once. */
	struct conduct *c = fresh();
	for (uint32_t i = 0; i < 500; i++)
		see(c, (struct ask){.s = i / 5, .client = 1000 + i, .method = REQUEST_POST,
				    .status = 401, .path = "/login"});
	assert_int_equal(c->note_count, 1);
	assert_true(c->notes[0].many);
	noted(c, "http.login");
}

static void people_who_sign_in_are_not(void **state)
{
	(void)state;
	struct conduct *c = fresh();
	for (int i = 0; i < 600; i++) {
		/* An office in the morning; every third mistypes. */
		see(c, (struct ask){.s = i, .client = 7, .status = 200, .path = "/login"});
		see(c, (struct ask){.s = i, .client = 7, .method = REQUEST_POST,
				    .status = i % 3 ? 302 : 401, .path = "/login"});
		see(c, (struct ask){.s = i, .client = 7, .status = 200, .path = "/start"});
		see(c, (struct ask){.s = i, .client = 7, .status = 200, .path = "/mail"});
		/* A program whose password has expired; one that fetches tokens. */
		see(c, (struct ask){.s = i, .client = 8, .status = 401, .path = "/api/items",
				    .agent = "Go-http-client/1.1"});
		if (i % 10 == 0)
			see(c, (struct ask){.s = i, .client = 9, .method = REQUEST_POST,
					    .status = 200, .path = "/oauth/token",
					    .agent = "okhttp/4.9"});
	}
	noted(c, NULL);
}

static void copying_and_hammering_are_noted(void **state)
{
	(void)state;
	struct conduct *c = fresh();
	char text[64];
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "/shop/item-%d", i);
		see(c, (struct ask){.s = i / 2, .client = 7, .status = 200, .path = text});
	}
	noted(c, "http.scrape");
	c = fresh();
	for (int i = 0; i < 2000; i++)
		see(c, (struct ask){.s = i / 40, .client = 7, .status = 200, .path = "/"});
	noted(c, "http.get");
	c = fresh();
	for (int i = 0; i < 2000; i++)
		see(c, (struct ask){.s = i / 40, .client = 7, .method = REQUEST_POST, .status = 200,
				    .path = "/contact"});
	noted(c, "http.post");
	c = fresh();
	for (int i = 0; i < 12000; i++) {
		snprintf(text, sizeof(text), "q=%d", i * 7919);
		see(c, (struct ask){.s = i / 200, .client = 100 + (uint32_t)(i % 90), .status = 200,
				    .path = "/search", .query = text});
	}
	const struct client_note *many = NULL;
	for (uint32_t i = 0; i < c->note_count; i++)
		many = c->notes[i].many ? &c->notes[i] : many;
	assert_non_null(many);
	assert_string_equal(client_note_vector(many), "http.cachebust");
	done(c);
}

static void who_is_turned_away_and_comes_back_at_once_is_noted(void **state)
{
	(void)state;
	char path[32];
	for (int led = 0; led < 2; led++) {
		struct conduct *c = fresh();
		for (unsigned i = 0; i < 800; i++) {
			snprintf(path, sizeof(path), "/admin/secret%u", i % 50);
			see(c, (struct ask){.s = i / 20, .client = 3, .status = 403, .path = path,
					    .referer = led ? "https://shop.example/" : NULL});
		}
		noted(c, led ? NULL : "http.get");
	}
}

/* Names of one length that differ in the middle alone. */
static void files_of_like_names_are_not_one(void **state)
{
	(void)state;
	struct conduct *c = fresh();
	char path[64];
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/bucket/%08x%08x/part.parquet", i * 2654435761U, i);
		see(c, (struct ask){.s = i / 20, .client = 3, .status = 200, .path = path});
	}
	noted(c, NULL);
}

static void many_pages_that_wait_are_no_flood(void **state)
{
	(void)state;
	for (int fast = 0; fast < 2; fast++) {
		struct conduct *c = fresh();
		char query[32];
		for (unsigned i = 0; i < 9000; i++) {
			unsigned s = fast ? i / 60 : i / 30;
			snprintf(query, sizeof(query), "since=%u", 1700000000 + s);
			see(c, (struct ask){.s = s, .client = fast ? i % 60 / 6 : i % 30,
					    .status = 200, .path = "/poll", .query = query});
		}
		noted(c, fast ? "http.get" : NULL);
	}
}

static void pollers_crawlers_and_checks_are_not(void **state)
{
	(void)state;
	struct conduct *c = fresh();
	char text[64];
	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "/page/%d", i);
		see(c, (struct ask){.s = i / 5, .client = 6, .status = 200, .path = text,
				    .agent = google});
		see(c, (struct ask){.s = i / 5, .client = 7, .status = 200, .path = "/live",
				    .referer = "https://x.example/board"});
		see(c, (struct ask){.s = i, .client = 8, .status = 200, .path = "/status",
				    .agent = "okhttp/4.9"});
		see(c, (struct ask){.s = i, .client = 9, .status = 503, .path = "/healthz",
				    .agent = "kube-probe/1.27"});
		see(c, (struct ask){.s = i, .client = 10, .status = 408, .path = "", .agent = ""});
		snprintf(text, sizeof(text), "/api/item/%d", i);
		see(c, (struct ask){.s = i / 5, .client = 11, .status = 200, .path = text,
				    .agent = "MyApp/1.0 CFNetwork"});
	}
	noted(c, NULL);
}

/* One client, `count` requests, `per_s` a second, with their number for each #. */
struct series {
	const char *vector;
	int count, per_s;
	enum request_method method;
	int status;
	const char *path, *query, *agent, *referer;
	enum request_protocol protocol;
	int bytes; /* 0: 100 */
};

static void numbered(char *dst, size_t size, const char *text, unsigned n)
{
	const char *mark = strchr(text, '#');
	int before = (int)(mark != NULL ? (size_t)(mark - text) : strlen(text));

	if (mark != NULL)
		snprintf(dst, size, "%.*s%u%s", before, text, n, mark + 1);
	else
		snprintf(dst, size, "%s", text);
}

static void play(struct conduct *c, const struct series *s)
{
	char path[64], query[64], agent[96];
	for (int i = 0; i < s->count; i++) {
		unsigned n = (unsigned)i * 2654435761U >> 8;
		struct request r = {.family = 4, .client = {7}, .bytes = 100};
		r.bytes = s->bytes > 0 ? s->bytes : r.bytes;
		r.at = wall_s(1700000000 + (s->per_s > 0 ? i / s->per_s : i * -s->per_s));
		r.method = (uint8_t)s->method;
		r.status = (uint16_t)s->status;
		r.protocol = (uint8_t)s->protocol;
		numbered(path, sizeof(path), s->path, n);
		numbered(query, sizeof(query), s->query != NULL ? s->query : "", n);
		numbered(agent, sizeof(agent), s->agent != NULL ? s->agent : browser, n);
		r.path = span(path);
		r.query = span(query);
		r.agent = span(agent);
		r.referer = span(s->referer);
		const struct web_facts facts = web_facts_of(&agents, &key, &r);
		conduct_see(c, &r, &facts);
	}
}

#define GET REQUEST_GET
#define POST REQUEST_POST

/* What a few dozen lines show. per_s < 0: seconds between two. */
static void little_is_enough_where_it_is_clear(void **state)
{
	(void)state;
	static const struct series all[] = {
		/* an agent of its own each time; a version that there is not; made-up queries */
		{"http.get", 30, 30, GET, 200, "/", .agent = "Mozilla/5.0 (X#) Firefox/1.0"},
		{"http.get", 60, 2, GET, 200, "/", .agent = "curl/#"},
		{"http.get", 12, 12, GET, 200, "/", .protocol = REQUEST_ODD},
		{"http.get", 20, 2, GET, 400, "/", .agent = "curl/8", .protocol = REQUEST_ODD},
		{"http.cachebust", 30, 30, GET, 200, "/", "#"},
		{"http.cachebust", 80, 2, GET, 200, "/", "k#=1"},
		/* passwords: faster than people type, or for long */
		{"http.login", 6, 1, POST, 200, "/wp-login.php"},
		{"http.login", 30, -2, POST, 200, "/user/login"},
		{"http.login", 30, -2, POST, 303, "/index.php/login"},
		{"http.login", 30, -2, POST, 302, "/owa/auth.owa", .agent = ""},
		{"http.login", 20, -1, POST, 401, "/private/form"},
		{"http.login", 30, 1, GET, 401, "/manager/html"},
		{"http.login", 30, -2, POST, 200, "/x.php", "controller=AdminLogin"},
		/* searches */
		{"http.probe", 2, 1, GET, 200, "/", "x=${jndi:ldap://#}"},
		{"http.probe", 2, 1, GET, 200, "/", .agent = "${jndi:ldap://a.example/a}"},
		{"http.probe", 2, 1, GET, 200, "/", .referer = "${jndi:ldap://a.example/a}"},
		{"http.probe", 6, 1, GET, 301, "/", "author=#"},
		{"http.probe", 3, 1, GET, 200, "/", .agent = "dirsearch"},
	};
	for (size_t i = 0; i < WD_COUNT(all); i++) {
		struct conduct *c = fresh();
		play(c, &all[i]);
		if (c->note_count == 0)
			fail_msg("%zu: %s %s is not noted", i, all[i].path, all[i].vector);
		noted(c, all[i].vector);
	}
}

/* The same things as they are done by those who mean no harm. */
static void programs_that_fetch_much_are_not_noted(void **state)
{
	(void)state;
	static const struct series all[] = {
		{NULL, 400, 10, GET, 200, "/simple/x#/", .agent = "pip/23.0"},
		{NULL, 400, 10, GET, 200, "/live/s#.ts"},
		{NULL, 400, 10, GET, 200, "/Packages/a#.rpm", .agent = "x/1"},
		{NULL, 400, 10, GET, 207, "/dav/x#", .agent = "Mozilla/5.0 (Linux) mirall/3.4"},
		{NULL, 900, 1, GET, 200, "/poll", "_=#"},
		{NULL, 600, 1, GET, 401, "/api/me", .agent = "okhttp/4.9"},
		{NULL, 600, 1, POST, 401, "/events", .agent = "okhttp/4.9"},
		{NULL, 600, -5, POST, 200, "/oauth/token", .agent = "okhttp/4.9"},
		{NULL, 5, -2, POST, 401, "/login"},
		{NULL, 600, 2, GET, 200, "/t", "e=#", .agent = "Unity/2021.3", .bytes = 2},
		{NULL, 60, 1, GET, 200, "/s", "author=#", .referer = "https://a.example/"},
	};
	for (size_t i = 0; i < WD_COUNT(all); i++) {
		struct conduct *c = fresh();
		play(c, &all[i]);
		if (c->note_count > 0)
			fail_msg("%zu: %s is noted", i, all[i].path);
		noted(c, NULL);
	}
	/* What led to a page is not told by every log. */
	struct conduct *c = fresh();
	for (int i = 0; i < 2000; i++) {
		char path[32];
		struct request r = {.at = wall_s(1700000000 + i / 20), .family = 4, .status = 200};
		r.method = REQUEST_GET;
		r.unreferred = true;
		r.agent = span(browser);
		snprintf(path, sizeof(path), "/tiles/%d", i);
		r.path = span(path);
		const struct web_facts facts = web_facts_of(&agents, &key, &r);
		conduct_see(c, &r, &facts);
	}
	noted(c, NULL);
	/* Refused first and let in then, each time: how some programs sign in. */
	c = fresh();
	for (int i = 0; i < 800; i++)
		see(c, (struct ask){.s = i / 4, .client = 7, .method = POST,
				    .status = i % 2 ? 200 : 401, .path = "/EWS/Exchange.asmx",
				    .agent = "Microsoft Office/16.0"});
	noted(c, NULL);
	/* A crowd behind one address: some agents are common. */
	c = fresh();
	for (unsigned i = 0; i < 400; i++) {
		char agent[64];
		unsigned n = i * 2654435761U >> 16 & 1023;
		snprintf(agent, sizeof(agent), "Mozilla/5.0 (%u)", n * n / 8192);
		see(c, (struct ask){.s = i, .client = 7, .status = 200, .path = "/", .agent = agent});
	}
	noted(c, NULL);
}

/* The sixth in a row, hardly two seconds apart, and only of what says that it is a browser. */
static void asking_on_and_on_is_told(void **state)
{
	static const struct { struct ask ask; int every_s; bool same; bool told; } cases[] = {
		{{.status = 200}, 1, false, true},
		{{.status = 503}, 2, false, true},
		{{.status = 200, .method = REQUEST_HEAD}, 0, false, true},
		{{.status = 200}, 3, false, false},
		{{.status = 200}, 1, true, false},
		{{.status = 200, .referer = "https://shop.example/"}, 1, false, false},
		{{.status = 200, .method = REQUEST_POST}, 1, false, false},
		{{.status = 200, .agent = "k6/0.49.0"}, 1, false, false},
		{{.status = 200, .agent = "okhttp/4.12"}, 1, false, false},
		{{.status = 200, .agent = google}, 1, false, false},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct conduct *c = fresh();
		for (int n = 0; n < 20; n++) {
			struct ask a = cases[i].ask;
			char query[16];
			snprintf(query, sizeof(query), "q=%x", cases[i].same ? 7 : 77 * n);
			a.s = n * cases[i].every_s;
			a.client = 7;
			a.path = "/";
			a.query = query;
			if (see(c, a) != (cases[i].told && n >= 5))
				fail_msg("%zu: %d", i, n);
			/* What others ask for, and a picture, are no other page. */
			assert_false(see(c, (struct ask){.s = a.s, .client = 8, .status = 200,
							 .path = "/"}));
			assert_false(see(c, (struct ask){.s = a.s, .client = 7, .status = 200,
							 .path = "/a.png"}));
		}
		/* Another page, and it begins anew. */
		see(c, (struct ask){.s = 60, .client = 7, .status = 200, .path = "/b"});
		assert_false(see(c, (struct ask){.s = 60, .client = 7, .status = 200, .path = "/",
						 .query = "q=1"}));
		done(c);
	}
}

/* Whatever comes, in whatever order of time. */
static void strangers_do_no_harm(void **state)
{
	struct conduct *c = fresh();
	struct prng p = prng_of(3, 3);
	char path[600], query[600];
	(void)state;
	for (int i = 0; i < 60000; i++) {
		size_t a = prng_below(&p, sizeof(path)), b = prng_below(&p, 40);
		for (size_t k = 0; k < a; k++)
			path[k] = (char)(1 + prng_below(&p, 255));
		for (size_t k = 0; k < b; k++)
			query[k] = "%25.\\x<'/"[prng_below(&p, 9)];
		path[a < sizeof(path) ? a : sizeof(path) - 1] = '\0';
		query[b] = '\0';
		see(c, (struct ask){.s = (int64_t)prng_below(&p, 100000) - 50000,
				    .client = prng_below(&p, 3000), .status = 404, .path = path,
				    .query = query, .agent = query});
	}
	assert_true(c->note_count <= CLIENT_NOTES_MAX);
	for (uint32_t i = 0; i < c->note_count; i++) {
		char words[CLIENT_WORDS_MAX];
		client_note_words(&c->notes[i], words);
		assert_true(words[0] != '\0');
	}
	done(c);
}

/* By all ways a word can stand in a text: at its begin, within, at its end, cut, as a prefix of
 * another, escaped, and where the list has it first, last and in between. */
static void words_are_found_wherever_they_stand(void **state)
{
	(void)state;
	static const char *const there[] = {
		"/.env", "/app/.env", "/.envoy", "//.env", "/%2eenv", "/nice%20ports", "/x/luci",
		"/phpmyadmin", "/myphpmyadmin2", "/xx-phpinfo", "/ppphpinfo", "/a/web.config",
		"/.git/HEAD", "/WP-LOGIN.PHP", "/a.bak", "/a.tar.gz", "/a.conf",
	};
	static const char *const absent[] = {
		"/", "/.well-known/x", "/./nv", "/luc", "/lu/ci", "phpinf", "/webconfig", "/a.bakery",
		"/nice_ports", "/conf", "/a.gz",
	};
	struct conduct_lists lists;
	conduct_lists_prepare(&lists);
	for (size_t i = 0; i < WD_COUNT(there); i++)
		if (conduct_spot_of(&lists, span(there[i])) == CONDUCT_NONE)
			fail_msg("%s is a weak spot", there[i]);
	for (size_t i = 0; i < WD_COUNT(absent); i++)
		if (conduct_spot_of(&lists, span(absent[i])) != CONDUCT_NONE)
			fail_msg("%s is none", absent[i]);

	/* What is looked at sixteen bytes at a time, at each place of them. */
	char text[80];
	for (int before = 0; before < 40; before++) {
		for (int behind = 0; behind < 20; behind++) {
			memset(text, 'x', sizeof(text));
			memcpy(text + before, "<svg", 4);
			text[before + 4 + behind] = '\0';
			assert_true(conduct_injection_of(&lists, span(NULL), span(text)) != 0);
			assert_true(conduct_injection_of(&lists, span(text), span(NULL)) != 0);
			memcpy(text + before, "../a", 4);
			assert_true(conduct_injection_of(&lists, span(NULL), span(text)) != 0);
			memcpy(text + before, "c://", 4);
			assert_true(conduct_injection_of(&lists, span(text), span(text)) == 0);
			memcpy(text + before, ".@[&", 4);
			assert_true(conduct_injection_of(&lists, span(text), span(text)) == 0);
		}
	}
}

/* By client `client`, from second `from` on. */
static void search(struct conduct *c, uint32_t client, int64_t from)
{
	for (size_t i = 0; i < 12 && i < WD_COUNT(spots); i++)
		see(c, (struct ask){from + (int64_t)i, client, .status = 404, .path = spots[i]});
}

static void notes_are_forgotten_and_come_again(void **state)
{
	struct conduct *c = fresh();
	struct client_note notes[CLIENT_NOTES_MAX];
	(void)state;

	search(c, 7, 0);
	assert_int_equal(conduct_notes(c, notes), 1);
	uint64_t changes = c->changes;
	conduct_forget(c, 1700000000);
	assert_true(c->changes == changes);
	conduct_forget(c, 1700000000 + 3600);
	assert_true(c->changes > changes);
	assert_int_equal(conduct_notes(c, notes), 0);
	/* The place is another's; who had it gets a new one. */
	search(c, 8, 7200);
	search(c, 7, 7200);
	assert_int_equal(conduct_notes(c, notes), 2);
	assert_int_equal(c->note_count, 2);
	assert_int_equal(notes[0].client[0], 8);
	assert_int_equal(notes[1].client[0], 7);
	assert_true(notes[1].requests <= 12);
	done(c);
}

static void notes_have_a_maximum(void **state)
{
	struct conduct *c = fresh();
	struct client_note notes[CLIENT_NOTES_MAX];
	(void)state;

	for (uint32_t client = 1; client <= 100; client++)
		search(c, client, 20 * client);
	assert_int_equal(conduct_notes(c, notes), CLIENT_NOTES_MAX);
	assert_true(c->notes_dropped >= 36);
	conduct_forget(c, 1700000000 + 3600);
	assert_int_equal(conduct_notes(c, notes), 0);
	assert_true(c->notes_dropped == 0);
	done(c);
}

/* Of those who asked once the last are kept, and none who asked more gives way to them. */
static void who_asked_once_makes_room(void **state)
{
	struct conduct *c = fresh();
	struct client_note notes[CLIENT_NOTES_MAX];
	bool searched = false, last = false;
	(void)state;

	search(c, 1, 0);
	for (uint32_t client = 2; client <= 100; client++)
		see(c, (struct ask){20 + client, client, .status = 404,
				    .path = "/vendor/phpunit/src/Util/PHP/eval-stdin.php"});
	assert_int_equal(conduct_notes(c, notes), CLIENT_NOTES_MAX);
	for (size_t i = 0; i < CLIENT_NOTES_MAX; i++) {
		searched |= notes[i].client[0] == 1;
		last |= notes[i].client[0] == 100 && notes[i].requests == 1;
	}
	assert_true(searched && last);
	assert_int_equal(c->notes_dropped, 100 - CLIENT_NOTES_MAX);
	done(c);
}

/* Nobody's agent makes another's a scanner's: not one of its length that begins and ends like it. */
static void agents_do_not_poison_each_other(void **state)
{
	struct conduct *c = fresh();
	char forged[sizeof(browser)];
	(void)state;

	memcpy(forged, browser, sizeof(browser));
	memcpy(forged + 20, "sqlmap", 6);
	struct conduct_lists lists;
	conduct_lists_prepare(&lists);
	assert_int_equal(conduct_agent_of(&lists, span(forged)), CONDUCT_SCANNER);
	see(c, (struct ask){0, 66, .status = 200, .path = "/", .agent = forged});
	for (int i = 0; i < 20; i++)
		see(c, (struct ask){i, 7, .status = 200, .path = "/", .referer = "https://a.example/"});
	assert_int_equal(c->note_count, 0);
	done(c);
}

/* A client of two services is two, and a table may be shared. */
static void services_share_a_table(void **state)
{
	struct conduct *a = fresh(), b;
	(void)state;

	conduct_init(&b, a->table, "wiki");
	search(a, 7, 0);
	assert_int_equal(a->note_count, 1);
	assert_int_equal(b.note_count, 0);
	search(&b, 9, 0);
	search(&b, 7, 0);
	assert_int_equal(b.note_count, 2);
	assert_int_equal(a->note_count, 1);
	done(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_wherever_they_stand),
		cmocka_unit_test(searches_for_weak_spots_are_noted),
		cmocka_unit_test(visitors_that_err_are_not),
		cmocka_unit_test(tries_of_passwords_are_noted),
		cmocka_unit_test(people_who_sign_in_are_not),
		cmocka_unit_test(copying_and_hammering_are_noted),
		cmocka_unit_test(notes_are_forgotten_and_come_again),
		cmocka_unit_test(notes_have_a_maximum),
		cmocka_unit_test(who_asked_once_makes_room),
		cmocka_unit_test(agents_do_not_poison_each_other),
		cmocka_unit_test(services_share_a_table),
		cmocka_unit_test(who_is_turned_away_and_comes_back_at_once_is_noted),
		cmocka_unit_test(files_of_like_names_are_not_one),
		cmocka_unit_test(many_pages_that_wait_are_no_flood),
		cmocka_unit_test(pollers_crawlers_and_checks_are_not),
		cmocka_unit_test(asking_on_and_on_is_told),
		cmocka_unit_test(strangers_do_no_harm),
		cmocka_unit_test(little_is_enough_where_it_is_clear),
		cmocka_unit_test(programs_that_fetch_much_are_not_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
