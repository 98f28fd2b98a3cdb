/* SPDX-License-Identifier: Apache-2.0 */
#include "command/serve.h"

#include "base/check.h"
#include "command/chart_bytes.h"
#include "command/clock.h"
#include "command/config_verified.h"
#include "command/log.h"
#include "command/player.h"
#include "command/scenario_file.h"
#include "command/server.h"
#include "command/usage.h"
#include "config/checks.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGES_BYTES_MAX = 256 << 20, STOP_GRACE_MS = 5000, MEASURED_BYTES_MAX = 1 << 16 };

struct arguments { const char *config, *data, *play; char *listen; bool wrong, help; };

static const char usage[] =
	"usage: whydown serve [--config FILE] [--data FOLDER] [--listen ADDRESS:PORT] "
	"[--play SCENARIO]\n\n"
	"Takes reports, decides, and publishes the pages until it is told to stop.\n\n"
	"  --config FILE      the configuration; without it, the defaults "
	"(docs/configuration.md)\n"
	"  --data FOLDER      journal and database; made if it is not there\n"
	"  --listen ADDRESS   for instance 127.0.0.1:8080 or [::]:80; port 0 takes a free "
	"one\n"
	"  --play SCENARIO    into an empty data folder: play a scenario as if its last "
	"surge\n"
	"                     began a moment ago; all of it is marked as a reconstruction\n"
	"  --help             this text\n\n"
	"SIGHUP reads the configuration again; SIGTERM and SIGINT stop it in good order.\n";

static struct arguments read_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"data", required_argument, NULL, 'd'},
		{"listen", required_argument, NULL, 'l'}, {"play", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},         {0},
	};
	struct arguments a = {0};
	int option;
	optind = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c': a.config = optarg; break;
		case 'd': a.data = optarg; break;
		case 'l': a.listen = optarg; break;
		case 'p': a.play = optarg; break;
		case 'h': a.help = true; break;
		default: a.wrong = usage_wrong("serve", NULL) != 0; return a;
		}
	}
	if (optind < argc)
		a.wrong = usage_wrong("serve", "it takes options only") != 0;
	else if (a.listen != NULL && !is_listen(a.listen))
		a.wrong = usage_wrong("serve", "--listen is an address and a port, such as "
					       "127.0.0.1:8080 or [::]:8080") != 0;
	return a;
}

/* ---- configuration ---- */

/* What the command line says stands above the file, after a reload, too. */
static bool apply_arguments(struct config *c, const struct arguments *a)
{
	if (a->data != NULL) {
		free(c->data_folder);
		c->data_folder = strdup(a->data);
	}
	if (a->listen != NULL) {
		for (size_t n = 0; n < c->listen.count; n++)
			free(c->listen.items[n]);
		c->listen.count = 0;
		char **items = realloc(c->listen.items, sizeof(*items));
		if (items == NULL)
			return false;
		c->listen.items = items;
		items[0] = strdup(a->listen);
		c->listen.count = items[0] != NULL;
	}
	return c->data_folder != NULL && c->listen.count > 0;
}

static struct config *load_config(const struct arguments *a)
{
	struct config *config = NULL;
	struct problems problems;
	struct buf b;

	problems_init(&problems);
	if (config_load_verified(a->config, &config, &problems) != WD_OK)
		config = NULL;
	for (size_t n = 0; n < problems.count; n++) {
		buf_init(&b, 1 << 16);
		problem_write(&b, &problems.items[n]);
		fprintf(stderr, "whydown: %s\n", b.bad ? "?" : b.data);
		buf_done(&b);
	}
	if (problems.dropped > 0)
		fprintf(stderr, "whydown: and %zu more\n", problems.dropped);
	problems_done(&problems);
	if (config != NULL && !apply_arguments(config, a)) {
		config_free(config);
		config = NULL;
	}
	return config;
}

static void reload(struct server *s)
{
	struct config *after = load_config(s->arguments);
	struct config_changes changes;
	if (after == NULL) {
		log_line(LOG_LEVEL_ERROR, "reload_refused",
			 "reason=\"the configuration has mistakes; the old one stays\"");
		return;
	}
	const struct config *running = s->running != NULL ? s->running : s->config;
	if (config_compare(running, s->config, after, &changes) == WD_OK) {
		char text[1024];
		for (size_t n = 0; n < changes.live.count; n++)
			log_line(LOG_LEVEL_INFO, "reload", "now=%s",
				 log_text(text, sizeof(text), changes.live.items[n]));
		for (size_t n = 0; n < changes.restart.count; n++)
			log_line(LOG_LEVEL_WARNING, "reload_needs_restart", "setting=%s",
				 log_text(text, sizeof(text), changes.restart.items[n]));
		config_changes_done(&changes);
	}
	pthread_rwlock_wrlock(&s->lock);
	struct config *before = s->config;
	s->config = after;
	pthread_rwlock_unlock(&s->lock);
	if (s->running == NULL)
		s->running = before;
	else
		config_free(before);
	log_level_set(after->log_level);
	pilot_configure(s->pilot, after);
	intake_reload(s);
	telemetry_reload(s->telemetry, after);
	log_line(LOG_LEVEL_INFO, "reloaded", "services=%zu", catalogue_count(after->catalogue));
}

/* ---- the site ---- */

/* The store's chart is as of the incident's last change: the snapshot's is fresher while it
 * lasts. */
static bool stored_series(void *ctx, const struct incident *i, struct series *ret_series)
{
	struct server *s = ctx;
	uint8_t *bytes;
	size_t len;
	if (incident_is_on(i->state))
		return false;
	if (store_incident_series(s->store, i->id, &bytes, &len, NULL) != WD_OK)
		return false;
	enum wd_err err = chart_read(bytes, len, ret_series, NULL);
	free(bytes);
	return err == WD_OK;
}

/* Of an incident that is older than the traces which the engine keeps in memory. */
static bool stored_trace(void *ctx, const struct incident *i, struct trace *ret_trace)
{
	struct server *s = ctx;
	struct wd_why why = {0};
	enum wd_err err = store_trace_get(s->store, i->id, ret_trace, &why);
	if (err != WD_OK && err != WD_UNKNOWN)
		log_why(LOG_LEVEL_ERROR, "trace_not_read", &why);
	return err == WD_OK;
}

static void stored_versions(void *ctx, const struct store_versions *which,
			    void (*each)(void *, const struct store_version *), void *each_ctx)
{
	struct server *s = ctx;
	struct wd_why why = {0};
	if (store_each_version(s->store, which, each, each_ctx, &why) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "versions_not_read", &why);
}

/* Measured error rates, a file that comes with the program; none is fine. */
static char *read_measured(const char *name)
{
	char path[4096];
	char *text = calloc(1, MEASURED_BYTES_MAX + 1);
	snprintf(path, sizeof(path), "%s/%s", config_share_folder(), name);
	FILE *f = fopen(path, "re");
	if (f != NULL && text != NULL)
		text[fread(text, 1, MEASURED_BYTES_MAX, f)] = '\0';
	if (f != NULL)
		fclose(f);
	return text;
}

static void open_site(struct server *s, const struct player *player)
{
	const struct config_site *c = &s->config->site;
	const struct config_telemetry *t = &s->config->telemetry;
	s->measured = read_measured("measured.tsv");
	s->measured_traffic = read_measured("measured-traffic.tsv");
	s->reconstructions = reconstructions_load(player != NULL ? player_scenario(player) : NULL);
	s->site = (struct site){
		.name = strdup(c->name), .base_url = strdup(c->url), .contact = strdup(c->contact),
		.measured = s->measured != NULL ? s->measured : "",
		.measured_traffic = s->measured_traffic != NULL ? s->measured_traffic : "",
		.reconstructions = &s->reconstructions,
		.collects_flows = t->listen.count > 0 || t->capture.count > 0,
		.collects_logs = t->logs.count > 0 || t->syslog.count > 0,
		.incident_series = stored_series, .incident_trace = stored_trace,
		.incident_versions = stored_versions,
		.comments = desk_published, .comments_version = desk_version, .ctx = s,
	};
	WD_CHECK(s->site.name != NULL && s->site.base_url != NULL && s->site.contact != NULL);
	site_init(&s->site);
}

/* ---- start and stop ---- */

static bool said(const char *event, const struct wd_why *why)
{
	log_why(LOG_LEVEL_ERROR, event, why);
	return false;
}

static void say_damage(void *ctx, const struct store_damage *d)
{
	char text[512];
	wd_wall *since = ctx;
	if (!wall_before(d->found_at, *since))
		log_line(LOG_LEVEL_ERROR, "damage_found", "what=%s kept=%s",
			 log_text(text, sizeof(text), d->text), d->kept);
}

static bool open_store(struct server *s)
{
	struct wd_why why = {0};
	const char *folder = s->config->data_folder;
	struct store_options options = {folder, s->started_at};
	char text[1024];

	if (mkdir(folder, 0750) != 0 && errno != EEXIST) {
		(void)wd_fail_os(&why, errno, "make the data folder");
		log_line(LOG_LEVEL_ERROR, "data_folder", "folder=%s",
			 log_text(text, sizeof(text), folder));
		return said("data_folder", &why);
	}
	enum wd_err err = store_open(&options, &s->store, &why);
	if (err == WD_FULL && why.at != 0) { /* a full disk has no process */
		log_line(LOG_LEVEL_ERROR, "data_folder_in_use", "folder=%s pid=%u",
			 log_text(text, sizeof(text), folder), why.at);
		return false;
	}
	return err == WD_OK || said("data_folder", &why);
}

/* With all that a start reads, also where it did not succeed. */
static bool open_pilot(struct server *s)
{
	struct wd_why why = {0}, reason = {0};
	const struct pilot_options options = {
		.store = s->store, .config = s->config, .telemetry = s->telemetry,
		.now = s->started_at};
	enum wd_err err = pilot_open(&options, &s->pilot, &why);
	if (store_each_damage(s->store, say_damage, &s->started_at, &reason) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "damage", &reason);
	return err == WD_OK || said("engine", &why);
}

static struct http_options http_options_of(const struct config *c)
{
	const struct config_limits *l = &c->limits;
	struct http_options o = http_options_default();
	o.listen = (const char *const *)c->listen.items;
	o.listen_count = c->listen.count;
	o.workers = l->workers;
	o.connections_max = l->connections_max;
	o.connections_per_address_max = l->connections_per_address_max;
	o.accepts_per_s_max = l->accepts_per_s_max;
	o.accepts_per_address_per_s_max = l->accepts_per_address_per_s_max;
	o.streams_max = l->streams_max;
	o.streams_per_address_max = l->streams_per_address_max;
	o.body_max = l->report_bytes_max;
	o.bodies_max = l->bodies_bytes_max;
	o.head_ms = l->head_ms;
	o.idle_ms = l->idle_ms;
	o.body_ms = l->body_ms;
	o.answer_ms = l->answer_ms;
	o.write_ms = l->write_ms;
	o.heartbeat_ms = l->heartbeat_ms;
	o.trusted = (const char *const *)c->trusted_proxies.items;
	o.trusted_count = c->trusted_proxies.count;
	return o;
}

static bool open_http(struct server *s)
{
	struct wd_why why = {0};
	struct http_options o = http_options_of(s->config);
	struct http_handler handler = server_handler(s);
	if (http_open(&o, &handler, &s->http, &why) != WD_OK) {
		log_line(LOG_LEVEL_ERROR, "cannot_listen", "address=%s",
			 why.at < o.listen_count ? o.listen[why.at] : "?");
		return said("cannot_listen", &why);
	}
	return true;
}

static void say_listening(const struct server *s)
{
	for (size_t n = 0; n < s->config->listen.count; n++) {
		const char *address = s->config->listen.items[n];
		int host = (int)(strrchr(address, ':') - address);
		log_line(LOG_LEVEL_INFO, "listening", "url=http://%.*s:%u/", host, address,
			 http_port(s->http, n));
	}
}

/* A collecting thread has ticks; they are started when the journal is there. */
static void wake_pilot(void *ctx)
{
	journal_wake(((struct server *)ctx)->journal);
}

/* The wall clock may be set back by an hour: then ticks of its time were late for the engine, whose
 * clock runs on. */
static wd_wall engine_clock(void *ctx)
{
	return journal_now(((struct server *)ctx)->journal);
}

static bool start(struct server *s, struct player *player)
{
	struct wd_why why = {0};

	const struct telemetry_calls calls = {wake_pilot, engine_clock, s};
	if (telemetry_open(s->config, &calls, &s->telemetry, &why) != WD_OK)
		return said("telemetry", &why);
	if (!open_pilot(s))
		return false;
	if (player != NULL &&
	    player_preload(player, s->pilot, s->store, s->config->catalogue, &why) != WD_OK)
		return said("play", &why);
	if (page_cache_open(PAGES_BYTES_MAX, &s->cache) != WD_OK)
		return said("memory", &(struct wd_why){.err = WD_NOMEM});
	open_site(s, player);
	struct journal_options journal = {.store = s->store, .on_done = intake_done, .ctx = s};
	if (journal_open(&journal, &s->journal, &why) != WD_OK)
		return said("journal", &why);
	if (intake_open(s, &why) != WD_OK)
		return said("intake", &why);
	if (door_open(s, &why) != WD_OK || desk_open(s, &why) != WD_OK)
		return said("comments", &why);
	if (!open_http(s))
		return false;
	if (pilot_start(s->pilot, s->journal, s->http, &why) != WD_OK)
		return said("engine", &why);
	if (telemetry_start(s->telemetry, &why) != WD_OK)
		return said("telemetry", &why);
	if (player != NULL && player_start(player, s->journal, &why) != WD_OK)
		return said("play", &why);
	__atomic_store_n(&s->ready, true, __ATOMIC_RELEASE);
	say_listening(s);
	return true;
}

static void stop(struct server *s, struct player *player)
{
	player_stop(player);
	if (s->http != NULL)
		http_stop(s->http, STOP_GRACE_MS);
	desk_stop(s->desk);
	if (s->telemetry != NULL)
		telemetry_stop(s->telemetry);
	if (s->journal != NULL)
		journal_stop(s->journal);
	if (s->pilot != NULL)
		pilot_stop(s->pilot);
	http_close(s->http);
	pilot_close(s->pilot);
	telemetry_close(s->telemetry);
	journal_close(s->journal);
	intake_close(s->intake);
	desk_close(s->desk);
	door_close(s->door);
	page_cache_close(s->cache);
	store_close(s->store);
	config_free(s->config);
	config_free(s->running);
	free(s->measured);
	free(s->measured_traffic);
	reconstructions_free(&s->reconstructions);
	free((void *)(uintptr_t)s->site.name);
	free((void *)(uintptr_t)s->site.base_url);
	free((void *)(uintptr_t)s->site.contact);
	pthread_rwlock_destroy(&s->lock);
}

/* Signals are taken by the main thread alone, which also looks once a minute whether the day of
 * the persons' secret is over. */
static void wait_for_signals(struct server *s, const sigset_t *set)
{
	static const struct timespec minute = {.tv_sec = 60};

	for (;;) {
		int number = sigtimedwait(set, NULL, &minute);
		intake_day(s);
		if (number == SIGHUP)
			reload(s);
		if (number == SIGTERM || number == SIGINT) {
			log_line(LOG_LEVEL_INFO, "stopping", "signal=%d", number);
			return;
		}
	}
}

int command_serve(int argc, char **argv)
{
	struct arguments a = read_arguments(argc, argv);
	struct server s = {.arguments = &a,
			   .started = mono_now(),
			   .started_at = wall_s(wall_to_s(wall_now()))};
	struct player *player = NULL;
	sigset_t set;

	if (a.wrong)
		return 2;
	if (a.help) {
		fputs(usage, stdout);
		return 0;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	/* A limit on the size of files is as good as a full disk. */
	sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	/* The database has comments that nobody published, and addresses in traces. */
	umask(umask(0077) | 0027);
	pthread_rwlock_init(&s.lock, NULL);

	s.config = load_config(&a);
	if (s.config == NULL)
		return 1;
	log_level_set(s.config->log_level);
	bool ok = (a.play == NULL || (player = player_open(a.play)) != NULL) && open_store(&s) &&
		  start(&s, player);
	if (ok)
		wait_for_signals(&s, &set);
	stop(&s, player);
	player_close(player);
	return ok ? 0 : 1;
}
