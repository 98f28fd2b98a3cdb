/* SPDX-License-Identifier: Apache-2.0 */
/* Real access logs (docs/weblog.md), read to findings: attack logs raise the right one, benign
 * logs none; and what another parser read from the same lines. Skipped where they are not. */
#include "base/check.h"
#include "base/prng.h"
#include "decode/accesslog.h"
#include "decode/testdata.h"
#include "detect/web.h"
#include "model/request.h"
#include "tally/web_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct web_agents agents;

struct outcome {
	struct accesslog log;
	float attack, load; /* the highest A */
	char vector[VECTOR_ID_MAX + 1];
};

static struct web_tick *tick_take(void *ctx, uint32_t *ret_samples)
{
	(void)ctx;
	*ret_samples = WEB_SAMPLES;
	return malloc(sizeof(struct web_tick));
}

/* And gives its memory back. */
static void judge(struct web_watch *watch, struct web_tick *t, struct outcome *o)
{
	struct web_reading r;

	web_watch_step(watch, t, false, &r);
	free(t);
	assert_true(r.taken);
	o->load = r.load_return > o->load ? r.load_return : o->load;
	if (r.log10_return <= o->attack)
		return;
	o->attack = r.log10_return;
	if (r.attack)
		memcpy(o->vector, r.findings[0].vector, sizeof(o->vector));
}

static bool replay(const char *name, struct outcome *o)
{
	size_t len = 0;
	uint8_t *bytes = testdata_load(name, &len);

	if (bytes == NULL)
		return false;
	struct web_tick *open[WEB_WINDOW_REPLAY], *t;
	const struct address_key key = {{1, 2, 3, 4}};
	struct prng prng = prng_of(1, 1);
	struct web_window window;
	struct web_watch watch;

	memset(o, 0, sizeof(*o));
	accesslog_init(&o->log);
	web_watch_init(&watch);
	web_window_init(&window, open, WEB_WINDOW_REPLAY, "site", false,
			(struct web_room){tick_take, NULL});
	const char *at = (const char *)bytes, *end = at + len;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct request r;
		stop = stop != NULL ? stop : end;
		if (accesslog_read(&o->log, at, (size_t)(stop - at), &r, NULL) == WD_OK) {
			while ((t = web_window_due(&window, wall_to_s(r.at))) != NULL)
				judge(&watch, t, o);
			const struct web_facts facts = web_facts_of(&agents, &key, &r);
			assert_true(web_window_add(&window, &key, &r, &facts, prng_u64(&prng)));
		}
		at = stop + 1;
	}
	while ((t = web_window_end(&window)) != NULL)
		judge(&watch, t, o);
	free(bytes);
	return true;
}

static void attacks_raise_their_finding(void **state)
{
	static const struct { const char *name; uint64_t requests; const char *vector; } logs[] = {
		{"weblog/crowdsec/http-dos-bypass-cache/http_dos_bypass_cache.log", 356,
		 "http.cachebust"},
		{"weblog/crowdsec/http-dos-random-uri/http_dos_random_uri.log", 66,
		 "http.cachebust"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(logs); i++) {
		struct outcome o;
		if (!replay(logs[i].name, &o))
			continue;
		assert_int_equal(o.log.requests, logs[i].requests);
		assert_string_equal(o.vector, logs[i].vector);
		assert_true(o.attack >= WEB_OPEN);
	}
}

static void others_raise_nothing(void **state)
{
	static const char *const logs[] = {
		"weblog/apache-benign-4000.log",
		"weblog/crowdsec/nginx_http-logs/nginx_http-logs.log",
		"weblog/crowdsec/apache2-logs/apache2-logs.log",
		"weblog/crowdsec/apache2-malformed/apache2-logs.log", /* a probe: eleven requests */
		"weblog/crowdsec/haproxy-logs/haproxy-logs.log",
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(logs); i++) {
		struct outcome o;
		if (!replay(logs[i], &o))
			continue;
		assert_int_equal(o.log.malformed, 0);
		assert_string_equal(o.vector, "");
		assert_true(o.attack < WEB_OPEN && o.load < WEB_OPEN);
	}
}

/* ---- what another parser read ---- */

enum { LINES_MAX = 64 };

struct lines { const char *at[LINES_MAX]; size_t len[LINES_MAX], count; };

static void lines_of(struct lines *l, const uint8_t *bytes, size_t len)
{
	const char *at = (const char *)bytes, *end = at + len;

	l->count = 0;
	while (at < end && l->count < LINES_MAX) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop != NULL ? stop : end;
		l->at[l->count] = at;
		l->len[l->count++] = (size_t)(stop - at);
		at = stop + 1;
	}
}

static bool compare(const struct request *r, const char *name, const char *value)
{
	char own[64];

	if (strcmp(name, "source_ip") == 0)
		snprintf(own, sizeof(own), "%d.%d.%d.%d", r->client[0], r->client[1], r->client[2],
			 r->client[3]);
	else if (strcmp(name, "http_status") == 0)
		snprintf(own, sizeof(own), "%d", r->status);
	else if (strcmp(name, "http_verb") == 0)
		snprintf(own, sizeof(own), "%s",
			 request_method_name((enum request_method)r->method));
	else
		return false;
	assert_string_equal(own, value);
	return true;
}

/* results["s01-parse"]["…"][3].Evt.Meta["http_status"] == "500" */
static size_t compare_all(const char *log, const char *expected)
{
	size_t log_len = 0, len = 0, compared = 0;
	uint8_t *bytes = testdata_load(log, &log_len), *said = testdata_load(expected, &len);
	struct lines lines;

	if (bytes == NULL || said == NULL) {
		free(bytes);
		free(said);
		return 0;
	}
	lines_of(&lines, bytes, log_len);
	char *at = (char *)said, *end = at + len;
	while (at < end) {
		char *stop = memchr(at, '\n', (size_t)(end - at)), text[512];
		stop = stop != NULL ? stop : end;
		snprintf(text, sizeof(text), "%.*s", (int)(stop - at), at);
		at = stop + 1;
		char *index = strstr(text, "\"]["), *meta = strstr(text, "].Evt.Meta[\"");
		char *value = strstr(text, "\"] == \"");
		if (strncmp(text, "results[\"s01-parse\"][\"", 22) != 0 || meta == NULL ||
		    value == NULL || (index = strstr(index + 3, "\"][")) == NULL)
			continue;
		unsigned long line = strtoul(index + 3, NULL, 10);
		struct accesslog a;
		struct request r;
		*value = '\0';
		value += 7;
		value[strcspn(value, "\"")] = '\0';
		accesslog_init(&a);
		if (line >= lines.count ||
		    accesslog_read(&a, lines.at[line], lines.len[line], &r, NULL) != WD_OK)
			continue; /* lines of an error log */
		compared += compare(&r, meta + 12, value);
	}
	free(bytes);
	free(said);
	return compared;
}

static void another_parser_read_the_same(void **state)
{
	static const char *const names[][2] = {
		{"weblog/crowdsec/nginx_http-logs/nginx_http-logs.log",
		 "weblog/crowdsec/nginx_http-logs/parser.assert"},
		{"weblog/crowdsec/apache2-logs/apache2-logs.log",
		 "weblog/crowdsec/apache2-logs/parser.assert"},
		{"weblog/crowdsec/haproxy-logs/haproxy-logs.log",
		 "weblog/crowdsec/haproxy-logs/parser.assert"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(names); i++)
		print_message("%s: %zu compared\n", names[i][1],
			      compare_all(names[i][0], names[i][1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attacks_raise_their_finding),
		cmocka_unit_test(others_raise_nothing),
		cmocka_unit_test(another_parser_read_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
