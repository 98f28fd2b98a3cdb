/* SPDX-License-Identifier: Apache-2.0 */
/* weblog_bench: how fast a core reads access logs. Without arguments it prints rows for the
 * bench table, from memory: the decoder alone, by form of line, and all the way to findings.
 *	generate LINES FILE	writes a log: visitors, and a flood with random queries inside
 *	run FILE		reads it all the way; prints requests, ticks and findings
 * bench/weblog.sh runs these two beside GoAccess. */
#include "base/check.h"
#include "base/prng.h"
#include "base/timetext.h"
#include "decode/accesslog.h"
#include "detect/web.h"
#include "tally/web_window.h"
#include "timing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINES = 400000, ROUNDS = 5, LINE_MAX_LEN = 1024, BLOCK = 1 << 20, A_SECOND = 500 };

/* ---- lines ---- */

enum form { FORM_COMBINED, FORM_JSON, FORM_HAPROXY, FORMS };

static const char *const agents[] = {
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/124.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
	"Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	"Version/17.4 Safari/605.1.15",
};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct maker { struct prng prng; uint64_t made; bool flooded; };

static int make_line(struct maker *m, enum form form, char *dst, size_t size)
{
	struct prng *p = &m->prng;
	struct civil c = civil_of(wall_s(1714550400 + (int64_t)(m->made++ / A_SECOND)));
	uint32_t who = prng_below(p, 50000), what = prng_below(p, 3000);
	bool flood = m->flooded && prng_below(p, 4) > 0;
	char path[128], time[64];

	if (flood)
		who = who % 300 * 7; /* a botnet */
	const char *agent = agents[who % 5]; /* a client keeps its own */
	unsigned bytes = flood ? 9100 : who; /* one page, whatever is behind the question mark */
	if (flood)
		snprintf(path, sizeof(path), "/?%x%x", prng_below(p, 1 << 30), what);
	else if (what % 3 > 0)
		snprintf(path, sizeof(path), "/static/images/products/%u-large.jpg", what);
	else
		snprintf(path, sizeof(path), "/shop/category/%u?page=%u&sort=price", what, who % 9);
	snprintf(time, sizeof(time), "%02d/%s/%04d:%02d:%02d:%02d", c.day, months[c.month - 1],
		 c.year, c.hour, c.minute, c.second);
	if (form == FORM_HAPROXY)
		return snprintf(dst, size,
				"10.%u.%u.7:%u [%s.%03u] http-in static/srv1 10/0/30/69/%u 200 %u "
				"- - ---- 1/1/1/1/0 0/0 \"GET %s HTTP/1.1\"\n",
				who >> 8, who & 255, 1024 + what, time, who % 1000, what, bytes,
				path);
	if (form == FORM_JSON)
		return snprintf(dst, size,
				"{\"time_local\":\"%s +0000\",\"remote_addr\":\"10.%u.%u.7\","
				"\"remote_user\":\"\",\"request\":\"GET %s HTTP/2.0\",\"status\": "
				"\"200\",\"body_bytes_sent\":\"%u\",\"request_time\":\"0.0%u\","
				"\"http_referrer\":\"https://shop.example/\",\"http_user_agent\":"
				"\"%s\"}\n",
				time, who >> 8, who & 255, path, bytes, what % 90 + 10, agent);
	return snprintf(dst, size,
			"10.%u.%u.7 - - [%s +0000] \"GET %s HTTP/1.1\" %u %u "
			"\"https://shop.example/shop/category/%u\" \"%s\"\n",
			who >> 8, who & 255, time, path, what % 50 ? 200 : 404, bytes, what % 300,
			agent);
}

/* ---- reading all the way ---- */

struct reader {
	struct accesslog log;
	struct web_window window;
	struct web_watch watch;
	struct prng prng;
	struct address_key key;
	struct web_agents agents;
	uint64_t ticks, attacks;
	char vector[VECTOR_ID_MAX + 1];
	struct web_tick *open[WEB_WINDOW_REPLAY], *spare; /* the last one that was judged */
};

static struct web_tick *tick_take(void *ctx, uint32_t *ret_samples)
{
	struct reader *r = ctx;
	struct web_tick *t = r->spare != NULL ? r->spare : malloc(sizeof(*t));

	r->spare = NULL;
	*ret_samples = WEB_SAMPLES;
	return t;
}

static struct reader *reader_new(void)
{
	struct reader *r = calloc(1, sizeof(*r));

	WD_CHECK(r != NULL);
	accesslog_init(&r->log);
	web_window_init(&r->window, r->open, WEB_WINDOW_REPLAY, "shop", false,
			(struct web_room){tick_take, r});
	web_watch_init(&r->watch);
	r->prng = prng_of(1, 1);
	for (int i = 0; i < 4; i++)
		r->key.k[i] = prng_u64(&r->prng);
	return r;
}

static void judge(struct reader *r, struct web_tick *t)
{
	struct web_reading reading;

	web_watch_step(&r->watch, t, false, &reading);
	r->ticks++;
	r->attacks += reading.attack;
	if (reading.attack && r->vector[0] == '\0')
		memcpy(r->vector, reading.findings[0].vector, sizeof(r->vector));
	free(r->spare);
	r->spare = t;
}

static void line_in(struct reader *r, const char *line, size_t len)
{
	struct request request;
	struct web_tick *t;

	if (accesslog_read(&r->log, line, len, &request, NULL) != WD_OK)
		return;
	while ((t = web_window_due(&r->window, wall_to_s(request.at))) != NULL)
		judge(r, t);
	const struct web_facts facts = web_facts_of(&r->agents, &r->key, &request);
	WD_CHECK(web_window_add(&r->window, &r->key, &request, &facts, prng_u64(&r->prng)));
}

static void reader_end(struct reader *r)
{
	struct web_tick *t;

	while ((t = web_window_end(&r->window)) != NULL)
		judge(r, t);
}

/* ---- rows ---- */

struct text { char *bytes; size_t len; };

static struct text text_make(enum form form)
{
	struct maker m = {.prng = prng_of(1, form)};
	struct text t = {malloc((size_t)LINES * 420), 0};

	WD_CHECK(t.bytes != NULL);
	for (int i = 0; i < LINES; i++)
		t.len += (size_t)make_line(&m, form, t.bytes + t.len, LINE_MAX_LEN);
	return t;
}

static double decoding(const struct text *t)
{
	struct accesslog a;
	double begin = cpu_s();
	uint64_t sum = 0;

	accesslog_init(&a);
	for (const char *at = t->bytes, *end = at + t->len, *stop; at < end; at = stop + 1) {
		struct request r;
		stop = memchr(at, '\n', (size_t)(end - at));
		WD_CHECK(accesslog_read(&a, at, (size_t)(stop - at), &r, NULL) == WD_OK);
		sum += r.path.len;
	}
	WD_CHECK(sum > 0);
	return LINES / (cpu_s() - begin);
}

static double all_the_way(const struct text *t)
{
	struct reader *r = reader_new();
	double begin = cpu_s();

	for (const char *at = t->bytes, *end = at + t->len, *stop; at < end; at = stop + 1) {
		stop = memchr(at, '\n', (size_t)(end - at));
		line_in(r, at, (size_t)(stop - at));
	}
	reader_end(r);
	double rate = LINES / (cpu_s() - begin);
	WD_CHECK(r->ticks == LINES / A_SECOND && r->log.requests == LINES);
	free(r);
	return rate;
}

static void row(const char *name, double (*rate)(const struct text *), const struct text *t)
{
	double rates[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		rates[i] = rate(t);
	printf("%s\tlines/CPU s\t%.0f\t-\t-\t-\n", name, median(rates, ROUNDS));
}

static int rows(void)
{
	static const char *const names[FORMS] = {
		"access log, Combined, decoded", "access log, JSON, decoded",
		"access log, HAProxy, decoded",
	};

	for (int form = 0; form < FORMS; form++) {
		struct text t = text_make((enum form)form);
		row(names[form], decoding, &t);
		if (form == FORM_COMBINED)
			row("access log, Combined, decoded, tallied, judged", all_the_way, &t);
		free(t.bytes);
	}
	return 0;
}

/* ---- files ---- */

static int generate(uint64_t lines, const char *path)
{
	struct maker m = {.prng = prng_of(1, 1)};
	char line[LINE_MAX_LEN];
	FILE *f = fopen(path, "w");

	WD_CHECK(f != NULL);
	for (uint64_t i = 0; i < lines; i++) {
		m.flooded = i > lines / 2 && i < lines / 2 + lines / 10;
		int len = make_line(&m, FORM_COMBINED, line, sizeof(line));
		WD_CHECK(fwrite(line, 1, (size_t)len, f) == (size_t)len);
	}
	return fclose(f);
}

static int run(const char *path)
{
	static char block[BLOCK + LINE_MAX_LEN];
	struct reader *r = reader_new();
	int fd = open(path, O_RDONLY);
	size_t have = 0;
	ssize_t n;

	WD_CHECK(fd >= 0);
	while ((n = read(fd, block + have, sizeof(block) - have)) > 0) {
		const char *at = block, *end = block + have + n, *stop;
		for (; (stop = memchr(at, '\n', (size_t)(end - at))) != NULL; at = stop + 1)
			line_in(r, at, (size_t)(stop - at));
		have = (size_t)(end - at);
		WD_CHECK(have < LINE_MAX_LEN);
		memmove(block, at, have);
	}
	reader_end(r);
	printf("%lu requests, %lu ticks, %lu of an attack, %s\n", r->log.requests, r->ticks,
	       r->attacks, r->vector);
	close(fd);
	free(r);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "generate") == 0)
		return generate(strtoull(argv[2], NULL, 10), argv[3]);
	if (argc == 3 && strcmp(argv[1], "run") == 0)
		return run(argv[2]);
	return rows();
}
