/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/web.h"

#include "base/check.h"
#include "base/prng.h"
#include "tally/text_hash.h"
#include "tally/web_mark.h"
#include "tally/web_window.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct web_agents agents;
static const struct address_key key = {{7654321, 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb}};

static struct text_span span(const char *text)
{
	return (struct text_span){text[0] != '\0' ? text : NULL, (uint32_t)strlen(text)};
}

static struct request request_of(uint32_t client, const char *path, const char *query,
				 const char *agent)
{
	struct request r = {.at = wall_s(1700000000), .family = 4, .method = REQUEST_GET,
			    .protocol = REQUEST_H1, .status = 200, .bytes = 1000,
			    .duration_us = 5000};

	memcpy(r.client, &client, sizeof(client));
	r.path = span(path);
	r.query = span(query);
	r.agent = span(agent);
	return r;
}

static uint16_t marks(const char *path, const char *query, const char *agent)
{
	struct request r = request_of(1, path, query, agent);
	return web_marks_of(&r, web_marks_of_agent(r.agent));
}

static void marks_are_what_a_request_shows(void **state)
{
	(void)state;
	assert_int_equal(marks("/", "", "Mozilla/5.0 (X11; rv:1.0)"), 0);
	assert_int_equal(marks("/a.css", "", ""), 1 << WEB_ASSET);
	assert_int_equal(marks("/a.b/WOFF2.Woff2", "v=1", ""), 1 << WEB_ASSET | 1 << WEB_QUERIED);
	assert_int_equal(marks("/css", "", ""), 0);
	assert_int_equal(marks(".css", "", ""), 1 << WEB_ASSET);
	assert_int_equal(marks("/a.php", "", ""), 0);
	assert_int_equal(marks("", "", ""), 0);
	assert_int_equal(marks("/", "", "Googlebot/2.1 (+http://www.google.com/bot.html)"),
			 1 << WEB_CRAWLER);
	assert_int_equal(marks("/", "", "Mozilla/5.0 (compatible; Spider; spider-mail@crawl.example)"),
			 1 << WEB_CRAWLER);
	assert_int_equal(marks("/", "", "Player/2 (a@b)"), 0);
	assert_int_equal(marks("/", "", "Player@home"), 0);
	assert_int_equal(marks("/", "", "@"), 0);
	assert_int_equal(marks("/", "", "WordPress/6.1; https://x.example; verifying pingback from"),
			 1 << WEB_PINGBACK);
	assert_int_equal(marks("/", "id=1293847561234&msg=hello", ""),
			 1 << WEB_LOIC | 1 << WEB_QUERIED);
	assert_int_equal(marks("/", "id=12&msg=hello", ""), 1 << WEB_QUERIED);
	assert_int_equal(marks("/", "", "Mozilla/5.00 (Nikto/2.1.6) (Test:000001)"),
			 1 << WEB_SCANNER);
	assert_int_equal(marks("/", "", "Nuclei - Open-source project (github.com/x)"),
			 1 << WEB_SCANNER);
	assert_int_equal(marks("/", "", "Mozilla/5.0 (Nuclei)"), 0);

	struct request r = request_of(1, "/wp-login.php", "", "");
	r.method = REQUEST_POST;
	r.protocol = REQUEST_ODD;
	r.duration_us = 20000000;
	assert_int_equal(web_marks_of(&r, web_marks_of_agent(r.agent)), 1 << WEB_LOGIN | 1 << WEB_ODD | 1 << WEB_STALLED);
	r.status = 200;
	r.path = span("/api/login");
	assert_int_equal(web_marks_of(&r, 0), 1 << WEB_ODD | 1 << WEB_STALLED);
	r.path = span("/oauth/token");
	assert_int_equal(web_marks_of(&r, 0), 1 << WEB_ODD | 1 << WEB_STALLED);
	r.status = 400;
	assert_int_equal(web_marks_of(&r, 0), 1 << WEB_ODD | 1 << WEB_STALLED | 1 << WEB_LOGIN);
	r.path = span("/wp-login.php");
	r.status = 504; /* as 408, 499 */
	assert_int_equal(web_marks_of(&r, 0), 1 << WEB_ODD | 1 << WEB_LOGIN);
	r.status = 408; /* counted apart */
	assert_int_equal(web_marks_of(&r, web_marks_of_agent(r.agent)), 1 << WEB_LOGIN | 1 << WEB_ODD);
	r.status = 101;
	assert_int_equal(web_marks_of(&r, web_marks_of_agent(r.agent)), 1 << WEB_LOGIN | 1 << WEB_ODD);
	r.malformed = true;
	assert_int_equal(web_marks_of(&r, web_marks_of_agent(r.agent)), 1 << WEB_MALFORMED);
}

static void keys_are_names_of_parameters(void **state)
{
	static const struct { const char *query, *key; } cases[] = {
		{"a=b&c=d", "a"}, {"8890121518", "8890121518"}, {"1700000123", ""},
		{"1700000123456", ""}, {"=x", ""}, {"", ""}, {"NQXW", "NQXW"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct request r = request_of(1, "/", cases[i].query, "");
		struct text_span k = web_key_of(&r);
		assert_int_equal(k.len, strlen(cases[i].key));
		assert_true(k.len == 0 ? k.at == NULL
				       : memcmp(k.at, cases[i].key, k.len) == 0);
	}
}

static void polls_ask_for_the_same_again(void **state)
{
	static const char *const yes[] = {"_=17", "1700000000", "t=1700000000", "a=b&_=x",
					  "v=1700000001234&a=b", "a=b&ts=1700000000"};
	static const char *const no[] = {"", "a=b", "id=1600000000", "a_=17", "x", "=", "a=b&c=d&e",
					 "_"};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(yes) + WD_COUNT(no); i++) {
		bool is = i < WD_COUNT(yes);
		const char *query = is ? yes[i] : no[i - WD_COUNT(yes)];
		struct request r = request_of(1, "/", query, "");
		if (web_is_poll(&r) != is)
			fail_msg("%s", query);
	}
}

/* Nobody's agent is taken for another's, whatever place they share and however long they are. */
static void agents_are_known_by_all_of_their_text(void **state)
{
	static char text[300];
	struct prng p = prng_of(4, 4);
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct text_span a = {text, 1 + prng_below(&p, sizeof(text))};
		memset(text, 'x', sizeof(text));
		text[prng_below(&p, a.len)] = (char)('a' + prng_below(&p, 4));
		struct web_agent *w = web_agent_of(&agents, &key, a);
		assert_true(w->hash == (text_hash(&key, a.at, a.len) | 1) && w->len == a.len);
		assert_int_equal(w->marks, web_marks_of_agent(a));
		w->tool = 7;
		assert_ptr_equal(web_agent_of(&agents, &key, a), w);
		assert_int_equal(w->tool, 7);
	}
	assert_true(web_agent_of(&agents, &key, (struct text_span){NULL, 0})->hash == 0);
}

static struct web_tick *tick_new(void)
{
	struct web_tick *t = malloc(sizeof(*t));

	assert_non_null(t);
	memset(t, 0xa5, sizeof(*t)); /* what web_clear leaves alone must not matter */
	web_clear(t, "shop", wall_s(1700000000));
	return t;
}

/* Clients 0 … clients - 1 in turn, every tenth request a query of its own. */
static void fill(struct web_tick *t, struct prng *p, uint32_t from, uint32_t count,
		 uint32_t clients)
{
	for (uint32_t i = from; i < from + count; i++) {
		char query[16], path[16];
		snprintf(query, sizeof(query), "q%u=1", i);
		snprintf(path, sizeof(path), "/p%u", i % 40);
		struct request r = request_of(i % clients, path, i % 10 == 0 ? query : "", "A");
		r.status = i % 4 == 0 ? 404 : 200;
		const struct web_facts facts = web_facts_of(&agents, &key, &r);
		web_add(t, &key, &r, &facts, prng_u64(p));
	}
}

static void sums_are_exact_and_distincts_near(void **state)
{
	struct web_tick *t = tick_new();
	struct prng p = prng_of(1, 1);
	(void)state;
	fill(t, &p, 0, 200, 50);
	assert_int_equal(web_distinct(t, WEB_CLIENT), 50); /* the sample is whole: exact */
	assert_int_equal(web_distinct(t, WEB_PATH), 40);
	assert_int_equal(web_distinct(t, WEB_MISSING), 10);
	assert_int_equal(web_distinct(t, WEB_KEY), 20);
	assert_int_equal(web_distinct(t, WEB_TARGET), 40 + 20 - 4);
	fill(t, &p, 200, 50000 - 200, 20000);
	assert_int_equal(t->requests, 50000);
	assert_int_equal(t->bytes, 50000000);
	assert_int_equal(t->classes[2] + t->classes[4], 50000);
	assert_int_equal(t->statuses[WEB_404], 12500);
	assert_int_equal(t->methods[REQUEST_GET], 50000);
	assert_int_equal(t->duration[2], 50000); /* 4 to 8 ms */
	assert_int_equal(t->busy_ms, 250000);
	assert_int_equal(t->sample_count, WEB_SAMPLES);
	assert_true(fabs(web_distinct(t, WEB_CLIENT) - 20000) < 4 * 0.023 * 20000);
	assert_true(fabs(web_distinct(t, WEB_KEY) - 5000) < 4 * 0.033 * 5000);
	free(t);
}

static void the_sample_is_fair(void **state)
{
	struct prng p = prng_of(3, 1);
	struct web_tick *t = tick_new();
	double sum = 0, squares = 0;
	enum { ROUNDS = 200 };
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t heavy = 0;
		web_clear(t, "shop", wall_s(0));
		for (uint32_t i = 0; i < 3000; i++) { /* the heavy one comes in one piece */
			struct request r = request_of(i < 900 ? 99999 : i, "/", "", "A");
			const struct web_facts facts = web_facts_of(&agents, &key, &r);
			web_add(t, &key, &r, &facts, prng_u64(&p));
		}
		struct request one = request_of(99999, "/", "", "A");
		assert_int_equal(t->sample_count, WEB_SAMPLES);
		for (uint32_t i = 0; i < WEB_SAMPLES; i++)
			heavy += memcmp(t->sample[i].client, one.client, 4) == 0;
		double share = (double)heavy / WEB_SAMPLES;
		sum += share;
		squares += (share - 0.3) * (share - 0.3);
	}
	assert_true(fabs(sum / ROUNDS - 0.3) < 4 * 0.0287 / sqrt(ROUNDS));
	double error = sqrt(squares / ROUNDS); /* 0.0287, less 4 % as the whole is finite */
	assert_true(error > 0.023 && error < 0.033);
	free(t);
}

struct pass { int64_t last; uint64_t requests, told, ticks, out, out_max, refused; };

static struct web_tick *tick_take(void *ctx, uint32_t *ret_samples)
{
	struct pass *p = ctx;
	if (p->out_max > 0 && p->out == p->out_max) {
		p->refused++;
		return NULL;
	}
	p->out++;
	*ret_samples = p->out_max > 0 ? 4 : WEB_SAMPLES;
	return malloc(web_tick_bytes(*ret_samples));
}


static void pass_on(struct pass *p, struct web_tick *t)
{
	assert_true(t->requests > 0);
	assert_true(p->ticks == 0 || wall_to_s(t->at) > p->last);
	p->last = wall_to_s(t->at);
	p->requests += t->requests;
	p->told += t->marks[WEB_AGAIN];
	p->ticks++;
	p->out--;
	free(t);
}

/* Requests at times that stray, jump ahead and fall back: ticks come out in order, nothing
 * is lost but what is counted. */
static void windows_put_in_order(void **state)
{
	(void)state;
	for (int live = 0; live < 2; live++) {
		struct prng p = prng_of(9, (uint64_t)live);
		struct web_window w;
		struct web_tick *open[8], *t;
		struct pass pass = {0};
		int64_t now = 1700000000;
		web_window_init(&w, open, 8, "shop", live, (struct web_room){tick_take, &pass});
		for (int i = 0; i < 20000; i++) {
			struct request r = request_of(1, "/", "", "A");
			uint32_t dice = prng_below(&p, 1000);
			now += dice < 300 ? 1 : dice < 310 ? prng_below(&p, 30) : 0;
			r.at = wall_s(now - prng_below(&p, dice > 990 ? 12 : 4));
			while ((t = web_window_due(&w, wall_to_s(r.at))) != NULL)
				pass_on(&pass, t);
			const struct web_facts facts = web_facts_of(&agents, &key, &r);
			assert_true(web_window_add(&w, &key, &r, &facts, prng_u64(&p)));
			web_window_tell(&w, &r, WEB_AGAIN);
		}
		while ((t = web_window_end(&w)) != NULL)
			pass_on(&pass, t);
		assert_true(w.late > 0 && w.late < 200);
		assert_int_equal(pass.requests, live ? 20000 : 20000 - w.late);
		assert_int_equal(pass.told, 20000 - w.late);
		assert_int_equal(pass.out, 0);
	}
}

/* Of any answer: never less for more, and four steps each time it doubles. */
static void sizes_are_told_in_a_byte(void **state)
{
	(void)state;
	assert_int_equal(web_size_of(-1), WEB_SIZE_UNTOLD);
	for (int64_t bytes = 0; bytes < 100000; bytes++)
		assert_in_range(web_size_of(bytes + 1) - web_size_of(bytes), 0, 1);
	assert_int_equal(web_size_of(0), 0);
	assert_int_equal(web_size_of(8), 8);
	assert_int_equal(web_size_of(511), 31);
	assert_int_equal(web_size_of(512), 32);
	assert_int_equal(web_size_of(1024), 36);
	assert_true(web_size_of(INT64_MAX) < WEB_SIZE_UNTOLD);
}

/* One tick is enough where all but the present second are sealed; else what has no room is told. */
static void windows_live_with_little_memory(void **state)
{
	(void)state;
	for (int seals = 0; seals < 2; seals++) {
		struct web_tick *open[3], *t;
		struct pass pass = {.out_max = 1};
		struct web_window w;
		uint64_t refused = 0;
		web_window_init(&w, open, 3, "shop", true, (struct web_room){tick_take, &pass});
		for (int i = 0; i < 300; i++) {
			struct request r = request_of(1, "/", "", "A");
			r.at = wall_s(1700000000 + i / 10 - (i % 10 == 1));
			while ((t = web_window_due(&w, 1700000000 + i / 10)) != NULL)
				pass_on(&pass, t);
			while (seals && (t = web_window_seal(&w, 1700000000 + i / 10)) != NULL)
				pass_on(&pass, t);
			const struct web_facts facts = web_facts_of(&agents, &key, &r);
			refused += !web_window_add(&w, &key, &r, &facts, 1);
		}
		while ((t = web_window_end(&w)) != NULL)
			pass_on(&pass, t);
		assert_int_equal(pass.out, 0);
		assert_int_equal(pass.refused, refused);
		assert_int_equal(pass.requests, 300 - refused);
		assert_int_equal(pass.ticks, seals ? 30 : 10);
		assert_true(seals ? refused == 0 : refused > 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_what_a_request_shows),
		cmocka_unit_test(keys_are_names_of_parameters),
		cmocka_unit_test(agents_are_known_by_all_of_their_text),
		cmocka_unit_test(polls_ask_for_the_same_again),
		cmocka_unit_test(sums_are_exact_and_distincts_near),
		cmocka_unit_test(the_sample_is_fair),
		cmocka_unit_test(sizes_are_told_in_a_byte),
		cmocka_unit_test(windows_put_in_order),
		cmocka_unit_test(windows_live_with_little_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
