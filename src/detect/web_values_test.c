/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that begin with random values of one name: floods that open an incident within seconds, and
 * honest programs that ask alike. */
#include "base/check.h"
#include "base/prng.h"
#include "detect/conduct.h"
#include "detect/web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct address_key key = {{42, 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
					0x94d049bb133111eb}};
static const char browser[] = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Firefox/125.0";

enum value { HEX, DIGITS, DECIMAL, TYPED, MICROS, COUNTED, KEPT, ALONE, TOKEN };

/* Requests for one path beside visitors of a site. */
struct kind {
	const char *name, *path; /* NULL: "/" */
	enum value value;
	int per_s, clients; /* picked blindly; 0: each another one */
	int usual_per_s;
	bool plain;         /* some visitors ask for the path without a query */
	const char *referer, *agent;
	int status, bytes, bytes_vary;
	bool posts;
	int open_s;         /* an incident after so many seconds at most; 0: none in a minute */
};

struct log {
	const struct kind *kind;
	struct prng prng;
	struct conduct conduct;
	struct web_agents agents;
	struct web_watch watch;
	struct web_reading last;
	struct web_tick tick;
	int64_t now_us;
	int asked;
};

static struct text_span span(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	return (struct text_span){len > 0 ? text : NULL, (uint32_t)len};
}

static void add(struct log *l, struct request *r, uint32_t client)
{
	r->at = wall_s(l->now_us / 1000000);
	r->family = 4;
	memcpy(r->client, &client, sizeof(client));
	const struct web_facts facts = web_facts_of(&l->agents, &key, r);
	web_add(&l->tick, &key, r, &facts, prng_u64(&l->prng));
	l->tick.marks[WEB_AGAIN] += conduct_see(&l->conduct, r, &facts);
}

static void value_of(struct log *l, char *dst, size_t size)
{
	uint64_t random = prng_u64(&l->prng);

	switch (l->kind->value) {
	case HEX: snprintf(dst, size, "q=%012llx", (unsigned long long)(random >> 16)); break;
	case DIGITS: snprintf(dst, size, "q=%llu", (unsigned long long)(random % 90000000 + 10000000)); break;
	case DECIMAL: snprintf(dst, size, "r=%.14f", prng_unit(&l->prng)); break;
	case TYPED: /* "wxqedk15" */
		snprintf(dst, size, "q=%c%c%c%c%c%s%u", 'a' + (char)(random % 26),
			 'a' + (char)(random / 26 % 26), 'a' + (char)(random / 676 % 26),
			 'a' + (char)(random / 17576 % 26), 'a' + (char)(random / 456976 % 26),
			 random >> 40 & 1 ? "s" : "", (unsigned)(random >> 41) % 30);
		break;
	case KEPT: snprintf(dst, size, "f=%012llx", (unsigned long long)(random % 40 * 0x9e3779b97f4a)); break;
	case ALONE: snprintf(dst, size, "%llu", (unsigned long long)(random >> 30)); break;
	case TOKEN:
		snprintf(dst, size, "eyJhbGciOiJIUzI1NiJ9.%016llx%016llx", (unsigned long long)random,
			 (unsigned long long)prng_u64(&l->prng));
		break;
	case MICROS: snprintf(dst, size, "t=%lld", (long long)l->now_us + l->asked % 9); break;
	case COUNTED: snprintf(dst, size, "id=%d", 2000000 + l->asked); break;
	}
}

static void one_of_the_kind(struct log *l)
{
	const struct kind *k = l->kind;
	uint32_t who = k->clients > 0 ? prng_below(&l->prng, (uint32_t)k->clients)
				      : (uint32_t)l->asked;
	struct request r = {.method = k->posts ? REQUEST_POST : REQUEST_GET};
	char query[64];

	value_of(l, query, sizeof(query));
	r.status = (uint16_t)(k->status > 0 ? k->status : 200);
	r.bytes = (k->bytes > 0 ? k->bytes : 9000) +
		  (k->bytes_vary > 0 ? prng_below(&l->prng, (uint32_t)k->bytes_vary) : 0);
	r.duration_us = -1;
	r.path = span(k->path != NULL ? k->path : "/");
	r.query = span(query);
	r.agent = span(k->agent != NULL ? k->agent : browser);
	r.referer = span(k->referer);
	l->asked++;
	add(l, &r, 1 << 20 | who);
}

static void a_visitor(struct log *l)
{
	uint32_t draw = prng_below(&l->prng, 1000);
	struct request r = {.method = REQUEST_GET, .status = 200, .duration_us = -1};
	char path[32];

	snprintf(path, sizeof(path), draw % 4 ? "/static/%u.js" : "/page/%u", draw / 4 % 40);
	if (l->kind->plain && draw % 8 == 0)
		snprintf(path, sizeof(path), "%s", l->kind->path);
	r.bytes = 3000 + prng_below(&l->prng, 20000);
	r.path = span(path);
	r.referer = span("https://shop.example/");
	r.agent = span(browser);
	add(l, &r, 1 << 21 | prng_below(&l->prng, 1 << 18));
}

/* Seconds until an attack; -1: none in a minute. */
static int opened(const struct kind *k, uint64_t seed, char vector[VECTOR_ID_MAX + 1])
{
	struct log *l = calloc(1, sizeof(*l));
	struct conduct_table *table = NULL;
	int after = -1;

	assert_non_null(l);
	assert_int_equal(conduct_table_open(&key, CONDUCT_ROWS, &table), WD_OK);
	conduct_init(&l->conduct, table, "shop");
	web_watch_init(&l->watch);
	l->kind = k;
	l->prng = prng_of(seed, 5);
	for (int s = 0; s < 60 && after < 0; s++) {
		int64_t second = 1700000000 + s;
		int usual = (int)prng_poisson(&l->prng, k->usual_per_s);
		int all = usual + (int)prng_poisson(&l->prng, k->per_s);
		web_clear(&l->tick, "shop", wall_s(second));
		for (int i = 0; i < all; i++) {
			l->now_us = second * 1000000 + (int64_t)i * 1000000 / all;
			if ((int)prng_below(&l->prng, (uint32_t)(all - i)) < usual) {
				a_visitor(l);
				usual--;
			} else {
				one_of_the_kind(l);
			}
		}
		web_watch_step(&l->watch, &l->tick, false, &l->last);
		assert_true(l->last.cold);
		if (l->last.attack) {
			memcpy(vector, l->last.findings[0].vector, VECTOR_ID_MAX + 1);
			after = s + 1;
		}
	}
	conduct_table_close(table);
	free(l);
	return after;
}

static const struct kind floods[] = {
	{"300 clients", .value = HEX, .per_s = 600, .clients = 300, .usual_per_s = 50, .open_s = 6},
	{"digits", .value = DIGITS, .per_s = 600, .clients = 300, .usual_per_s = 50, .open_s = 6},
	{"decimals", .value = DECIMAL, .per_s = 600, .clients = 300, .usual_per_s = 50, .open_s = 6},
	{"nobody else", .value = HEX, .per_s = 600, .clients = 300, .open_s = 6},
	{"few clients", .value = HEX, .per_s = 200, .clients = 20, .usual_per_s = 50, .open_s = 4},
	{"one client", .value = HEX, .per_s = 100, .clients = 1, .usual_per_s = 20, .open_s = 3},
	{"half of all", .value = HEX, .per_s = 600, .clients = 150, .usual_per_s = 400, .open_s = 6},
	{"a page of the site", .path = "/page/0", .value = HEX, .per_s = 400, .clients = 100,
	 .usual_per_s = 50, .plain = true, .open_s = 6},
	{"no name", .value = ALONE, .per_s = 600, .clients = 300, .usual_per_s = 50, .open_s = 2},
	{"no name, led from elsewhere", .value = ALONE, .per_s = 60, .clients = 1,
	 .usual_per_s = 10, .referer = "https://www.google.example/", .open_s = 4},
	{"long ones without a name", .value = TOKEN, .per_s = 300, .clients = 100,
	 .usual_per_s = 50, .open_s = 2},
	{"refused with little", .value = HEX, .per_s = 400, .clients = 150, .usual_per_s = 50,
	 .status = 503, .bytes = 197, .open_s = 6},
};

static void floods_of_random_values_are_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < WD_COUNT(floods); i++)
		for (uint64_t seed = 1; seed <= 3; seed++) {
			char vector[VECTOR_ID_MAX + 1] = "";
			int after = opened(&floods[i], seed, vector);
			if (after < 1 || after > floods[i].open_s)
				fail_msg("%s: %d s", floods[i].name, after);
			assert_string_equal(vector, "http.cachebust");
		}
}

static const struct kind others[] = {
	{"a beacon", .path = "/collect", .value = HEX, .per_s = 600, .clients = 200,
	 .usual_per_s = 50, .status = 204, .bytes = 1},
	{"a beacon's own host", .value = HEX, .per_s = 600, .clients = 200, .bytes = 43},
	{"a page's beacon", .value = HEX, .per_s = 600, .clients = 200, .usual_per_s = 50,
	 .referer = "https://shop.example/page/7"},
	{"nonces of an API", .path = "/api/state", .value = HEX, .per_s = 600, .clients = 200,
	 .usual_per_s = 50, .bytes = 2000},
	{"words that are typed", .value = TYPED, .per_s = 600, .clients = 200},
	{"forty values", .value = KEPT, .per_s = 600, .clients = 200, .usual_per_s = 50},
	{"microseconds", .value = MICROS, .per_s = 600, .clients = 200, .usual_per_s = 50},
	{"ids in order", .value = COUNTED, .per_s = 600, .clients = 200, .usual_per_s = 50},
	{"what answers by the value", .value = HEX, .per_s = 600, .clients = 200,
	 .bytes = 1000, .bytes_vary = 60000},
	{"readers, no name", .value = ALONE, .per_s = 100, .usual_per_s = 20},
	{"signed links, no name", .path = "/v", .value = TOKEN, .per_s = 100},
	{"a page that waits, no name", .path = "/status", .value = ALONE, .per_s = 300,
	 .clients = 100, .usual_per_s = 20, .referer = "https://shop.example/live"},
	{"a beacon, no name", .path = "/b", .value = TOKEN, .per_s = 300, .clients = 100,
	 .status = 204, .bytes = 1, .plain = true},
	{"a letter's readers", .value = HEX, .per_s = 100, .usual_per_s = 20},
	{"a letter's scanners", .value = HEX, .per_s = 100, .clients = 300, .usual_per_s = 10},
	{"an operator's load test", .value = HEX, .per_s = 300, .clients = 2,
	 .agent = "k6/0.49.0 (https://k6.io/)"},
	{"servers that ask", .value = HEX, .per_s = 300, .clients = 30, .agent = "okhttp/4.12"},
	{"without an agent", .value = HEX, .per_s = 300, .clients = 30, .agent = ""},
	{"a board beside visitors", .value = DECIMAL, .per_s = 20, .clients = 4,
	 .usual_per_s = 50},
	{"what is sent", .value = HEX, .per_s = 300, .clients = 100, .posts = true},
};

static void honest_programs_raise_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < WD_COUNT(others); i++)
		for (uint64_t seed = 1; seed <= 3; seed++) {
			char vector[VECTOR_ID_MAX + 1] = "";
			int after = opened(&others[i], seed, vector);
			if (after != -1)
				fail_msg("%s: %s after %d s", others[i].name, vector, after);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods_of_random_values_are_seen),
		cmocka_unit_test(honest_programs_raise_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
