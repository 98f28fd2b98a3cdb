/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top.h"

#include "base/check.h"
#include "base/text.h"
#include "command/clock.h"
#include "command/top_reader.h"
#include "command/top_screen.h"
#include "command/top_terminal.h"
#include "command/usage.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char usage[] =
	"usage: whydown top [OPTION…]\n"
	"Shows what a running whydown sees: its services with their rates, what floods them and "
	"what the\n"
	"source addresses of that prove. ? lists the keys, q quits.\n"
	"\n"
	"  --server URL   the server (default http://127.0.0.1:8080); --url is the same\n"
	"  --service ID   one service in detail\n"
	"  --sort COLUMN  status (default: incidents first), ratio (to what is usual), packets,\n"
	"                 usual, bits, flows, sources, requests, reports or name\n"
	"  --every N      seconds from one reading to the next, 1 to 3600 (default 1)\n"
	"  --once         all of it once, as plain text; so it is without a terminal, too\n"
	"  --help         this text\n"
	"\n"
	"In the environment: NO_COLOR, no colours; COLUMNS, width of the plain text (default "
	"100).\n";

enum { TICK_MS = 1000, PLAIN_COLUMNS = 100, COLUMNS_MIN = 20 };

struct session {
	const char *url;
	bool once, help, utf8;
	uint64_t every_s;
	struct top_fetch *fetch;
	struct top_reader reader;
	struct top_view view;
	struct top_data data;
	struct top_page page;
	wd_mono began_at, read_at; /* the last round's begin; the last good one's end */
	bool due;                  /* the next round is, whatever the time */
};

static double seconds_since(wd_mono t)
{
	return (double)mono_sub(mono_now(), t).ns / 1e9;
}

/* ---- options ---- */

static int wrong(const char *what)
{
	return usage_wrong("top", what);
}

static bool read_sort(const char *name, unsigned *ret_sort)
{
	for (unsigned i = 0; top_sort_name(i) != NULL; i++) {
		if (strcmp(top_sort_name(i), name) == 0) {
			*ret_sort = i;
			return true;
		}
	}
	return false;
}

/* 0, or the exit status of wrong usage. */
static int read_options(int argc, char **argv, struct session *s)
{
	enum { URL = 1, SERVICE, SORT, EVERY, ONCE, HELP };
	static const struct option options[] = {
		{"server", required_argument, NULL, URL}, /* as report and comments call it */
		{"url", required_argument, NULL, URL},
		{"service", required_argument, NULL, SERVICE},
		{"sort", required_argument, NULL, SORT},
		{"every", required_argument, NULL, EVERY},
		{"once", no_argument, NULL, ONCE},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};
	optind = 0;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case URL: s->url = optarg; break;
		case SERVICE:
			if (!text_is_id(optarg, strlen(optarg), SERVICE_ID_MAX))
				return wrong("--service is a service's id: a-z 0-9 . _ -");
			(void)text_copy(s->view.service, sizeof(s->view.service), optarg);
			break;
		case SORT:
			if (!read_sort(optarg, &s->view.sort))
				return wrong("--sort is status, ratio, packets, usual, bits, "
					     "flows, sources, requests, reports or name");
			break;
		case EVERY:
			if (!usage_number(optarg, 1, 3600, &s->every_s))
				return wrong("--every is a number from 1 to 3600");
			break;
		case ONCE: s->once = true; break;
		case HELP: s->help = true; return 0;
		default: return wrong(NULL);
		}
	}
	return optind < argc ? wrong("it takes options only") : 0;
}

/* The URL without a name and a password in it, and without a slash at its end. */
static void show_server(const char *url, char *dst, size_t size)
{
	const char *host = strstr(url, "://") + 3;
	const char *at = memrchr(host, '@', strcspn(host, "/"));
	snprintf(dst, size, "%.*s%s", (int)(host - url), url, at != NULL ? at + 1 : host);
	for (size_t len = strlen(dst); len > 0 && dst[len - 1] == '/'; len--)
		dst[len - 1] = '\0';
}

/* ---- rounds ---- */

static void begin_round(struct session *s)
{
	s->due = false;
	s->began_at = mono_now();
	top_reader_begin(&s->reader, s->fetch, s->view.service);
}

/* Waits for an answer, a key or a signal. True when a round is over. */
static bool wait_once(struct session *s, int fd, int wait_ms)
{
	struct top_answer answer;
	if (!top_fetch_wait(s->fetch, fd, wait_ms, &answer) ||
	    !top_reader_take(&s->reader, s->fetch, &answer, &s->data))
		return false;
	if (s->data.trouble[0] == '\0')
		s->read_at = mono_now();
	return true;
}

/* False, told on stderr, if the server gives nothing to show. Its words are not believed here,
 * either: they go out as lines do. */
static bool first_round(struct session *s)
{
	struct top_line *l = &s->page.spare; /* of a page that is not open yet */

	begin_round(s);
	while (!wait_once(s, -1, TICK_MS)) {
	}
	if (s->data.trouble[0] == '\0')
		return true;
	top_line_init(l, TOP_COLUMNS_MAX, s->utf8);
	top_line_fmt(l, TOP_PLAIN, "%s: %s", s->data.server, s->data.trouble);
	fprintf(stderr, "whydown top: %s\n`whydown serve` is a server; --server names it\n",
		l->text);
	return false;
}

static void draw(struct session *s, unsigned columns, unsigned rows)
{
	s->page.columns = columns < TOP_COLUMNS_MAX ? columns : TOP_COLUMNS_MAX;
	s->page.rows = rows;
	s->data.age_s = s->read_at.ns == 0 ? -1 : seconds_since(s->read_at);
	s->data.waiting_s = s->reader.part == TOP_NOTHING ? 0 : seconds_since(s->began_at);
	top_view_draw(&s->view, &s->data, &s->page);
}

/* ---- plain text ---- */

static unsigned plain_columns(void)
{
	const char *text = getenv("COLUMNS");
	long n = text != NULL ? strtol(text, NULL, 10) : 0;
	struct winsize size;

	if (n < COLUMNS_MIN && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	if (n < COLUMNS_MIN)
		return PLAIN_COLUMNS;
	return n < TOP_COLUMNS_MAX ? (unsigned)n : TOP_COLUMNS_MAX;
}

static int print_once(struct session *s)
{
	draw(s, plain_columns(), s->page.rows);
	for (unsigned y = 0; y < s->page.count; y++) {
		const struct top_line *l = &s->page.lines[y];
		int len = (int)l->len;
		while (len > 0 && l->text[len - 1] == ' ')
			len--;
		if (y != 1) /* tells of keys and of what goes on */
			printf("%.*s\n", len, l->text);
	}
	if (fflush(stdout) != 0) {
		perror("whydown top");
		return 1;
	}
	bool missing = s->view.service[0] != '\0' &&
		       top_services_find(&s->data.services, s->view.service) == NULL;
	return missing ? 1 : 0;
}

/* ---- the terminal ---- */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = stop};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* ms until the next round, or until what the screen says of time is old. */
static int patience_ms(const struct session *s)
{
	double left_ms = ((double)s->every_s - seconds_since(s->began_at)) * 1000;
	if (s->reader.part != TOP_NOTHING || s->view.paused || left_ms > TICK_MS)
		return TICK_MS;
	return left_ms > 0 ? (int)left_ms + 1 : 0;
}

static void take_keys(struct session *s)
{
	char before[SERVICE_ID_MAX + 1];
	memcpy(before, s->view.service, sizeof(before));
	for (int key; (key = top_screen_key()) != TOP_KEY_NONE;)
		top_view_key(&s->view, &s->data, key);
	s->due = s->due || strcmp(before, s->view.service) != 0;
}

static void watch(struct session *s)
{
	while (!s->view.quit && !stopped && !top_screen_is_gone()) {
		unsigned columns, rows;
		top_screen_size(&columns, &rows);
		draw(s, columns, rows < TOP_ROWS_MAX ? rows : TOP_ROWS_MAX);
		top_screen_show(&s->page);
		(void)wait_once(s, STDIN_FILENO, patience_ms(s));
		take_keys(s);
		bool idle = s->reader.part == TOP_NOTHING && !s->view.paused;
		if (idle && (s->due || seconds_since(s->began_at) >= (double)s->every_s))
			begin_round(s);
	}
}

static int run(struct session *s)
{
	struct wd_why why;

	if (top_fetch_open(s->url, &s->fetch, &why) != WD_OK)
		return wrong(why.what);
	show_server(s->url, s->data.server, sizeof(s->data.server));
	s->utf8 = top_line_locale();
	if (!first_round(s))
		return 1;
	bool plain = s->once || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
		     !top_terminal_can();
	unsigned rows = plain ? top_view_rows(&s->data) : 0;
	if (!top_page_open(&s->page, rows > TOP_ROWS_MAX ? rows : TOP_ROWS_MAX)) {
		fputs("whydown top: no memory\n", stderr);
		return 1;
	}
	s->page.utf8 = s->utf8;
	if (plain)
		return print_once(s);
	catch_signals();
	if (!top_screen_open()) {
		fputs("whydown top: this terminal cannot be written on\n", stderr);
		return 1;
	}
	watch(s);
	top_screen_close();
	return 0;
}

int command_top(int argc, char **argv)
{
	struct session *s = calloc(1, sizeof(*s)); /* too large for a stack */
	if (s == NULL) {
		fputs("whydown top: no memory\n", stderr);
		return 1;
	}
	s->url = "http://127.0.0.1:8080";
	s->every_s = 1;
	int status = read_options(argc, argv, s);
	if (status == 0 && s->help)
		fputs(usage, stdout);
	else if (status == 0)
		status = run(s);
	top_fetch_close(s->fetch);
	top_services_done(&s->data.services);
	top_page_close(&s->page);
	free(s);
	return status;
}
