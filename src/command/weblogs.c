/* SPDX-License-Identifier: Apache-2.0 */
#include "command/weblogs.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/text.h"
#include "command/clock.h"
#include "command/log.h"
#include "command/log_hosts.h"
#include "command/web_ticks.h"
#include "decode/accesslog.h"
#include "detect/conduct.h"
#include "intake/logtail.h"
#include "intake/ring.h"
#include "intake/senders.h"
#include "intake/syslog.h"
#include "tally/web_window.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 250, NOTES_KEPT_S = 86400 };
/* Logs and senders of syslog; beyond that several share one, and speak for each other. */
enum { SOURCES = 64 };
/* A tick goes as a pointer to it, and the engine's thread gives it back. */
enum message { MESSAGE_TICK, MESSAGE_IDLE, MESSAGE_CLIENTS };
struct idle { char service[SERVICE_ID_MAX + 1]; int64_t second; }; /* without a request */

/* Requests of one service. */
struct site {
	struct web_window window;
	struct web_tick *ticks[WEB_WINDOW_LIVE];
	int64_t told;           /* the last second that was handed on */
	uint64_t by;            /* bit a source: whose lines are its */
	struct conduct conduct; /* what single clients do */
	uint64_t conduct_told;  /* its changes that were handed on */
};

struct followed {
	struct weblogs *owner;
	struct logtail *tail;
	struct accesslog reader;
	char *service; /* "" = by host */
	bool gone;     /* the catalogue has that service no more */
};

struct weblogs {
	struct followed *logs;
	size_t log_count;
	struct syslog_listener *listeners[CONFIG_LISTEN_MAX];
	size_t listener_count;
	struct accesslog syslog_reader;
	struct senders *senders;
	const struct address_key *key;
	void (*wake)(void *ctx);
	wd_wall (*clock)(void *ctx);
	void *ctx;
	struct ring *ring;
	struct prng random;
	struct site *sites;
	size_t site_count, site_max;
	struct web_tick *empty; /* the engine's thread: a second without a request */
	struct web_ticks *ticks;
	struct conduct_table *clients; /* of all services */
	struct web_agents agents;
	int64_t second;
	int64_t heard[SOURCES]; /* of each, the second of its last line, of whatever */
	struct weblogs_counts counts;
	pthread_t thread;
	bool started;
	bool stop; /* atomic */

	pthread_mutex_t lock; /* of what follows; held while lines are read */
	struct catalogue *catalogue;
	struct log_hosts hosts; /* of the catalogue */

	pthread_mutex_t told_lock; /* of what others ask for, who shall not wait for lines */
	struct weblogs_counts told;
};

static int64_t second_now(const struct weblogs *w)
{
	return wall_to_s(w->clock != NULL ? w->clock(w->ctx) : wall_now());
}

static bool take_catalogue(struct weblogs *w, struct catalogue *c)
{
	if (!log_hosts_take(&w->hosts, c))
		return false;
	catalogue_release(w->catalogue);
	w->catalogue = catalogue_hold(c);
	return true;
}

/* ---- requests ---- */

static void hand_on(struct weblogs *w, struct site *s, struct web_tick *t)
{
	struct web_tick **room = ring_room(w->ring, sizeof(t));
	s->told = wall_to_s(t->at);
	if (room == NULL) {
		w->counts.ticks_dropped++;
		web_ticks_give(w->ticks, t);
		return;
	}
	*room = t;
	ring_send(w->ring, MESSAGE_TICK, sizeof(t));
}

static void hand_on_idle(struct weblogs *w, const struct site *s, int64_t second)
{
	struct idle *room = ring_room(w->ring, sizeof(*room));
	if (room == NULL) {
		w->counts.ticks_dropped++;
		return;
	}
	text_copy(room->service, sizeof(room->service), s->window.service);
	room->second = second;
	ring_send(w->ring, MESSAGE_IDLE, sizeof(*room));
}

/* What is noted now; where the queue is full, a second later. */
static void hand_on_clients(struct weblogs *w, struct site *s)
{
	struct weblogs_clients *c;

	if (s->conduct.changes == s->conduct_told ||
	    (c = ring_room(w->ring, sizeof(*c))) == NULL)
		return;
	text_copy(c->service, sizeof(c->service), s->window.service);
	c->more = s->conduct.notes_dropped;
	c->count = conduct_notes(&s->conduct, c->notes);
	ring_send(w->ring, MESSAGE_CLIENTS,
		  offsetof(struct weblogs_clients, notes) + c->count * sizeof(c->notes[0]));
	s->conduct_told = s->conduct.changes;
}

/* Up to `second`. Those without a request are told, too, as far as its logs have had lines since:
 * what comes in a log that has stopped is not known (detect/web.h). */
static void advance(struct weblogs *w, struct site *s, int64_t second)
{
	struct web_tick *t;
	int64_t heard = 0;
	for (uint64_t bits = s->by; bits != 0; bits &= bits - 1) {
		int64_t last = w->heard[__builtin_ctzll(bits)];
		heard = last > heard ? last : heard;
	}
	while ((t = web_window_due(&s->window, second)) != NULL)
		hand_on(w, s, t);
	while (web_ticks_scarce(w->ticks) && (t = web_window_seal(&s->window, second)) != NULL)
		hand_on(w, s, t);
	int64_t over = heard < second - WEB_WINDOW_LIVE ? heard : second - WEB_WINDOW_LIVE;
	if (s->told != 0 && s->told < over)
		hand_on_idle(w, s, over);
	if (s->told < over)
		s->told = over;
}

static struct site *site_of(struct weblogs *w, const char *service)
{
	for (size_t i = 0; i < w->site_count; i++) {
		if (strcmp(w->sites[i].window.service, service) == 0)
			return &w->sites[i];
	}
	if (w->site_count == w->site_max)
		return NULL;
	const struct web_room room = {web_ticks_take, w->ticks};
	struct site *s = &w->sites[w->site_count++];
	s->told = 0;
	s->by = 0;
	web_window_init(&s->window, s->ticks, WEB_WINDOW_LIVE, service, true, room);
	conduct_init(&s->conduct, w->clients, service);
	s->conduct_told = UINT64_MAX; /* nothing is noted, whatever was before */
	advance(w, s, w->second);
	return s;
}

static void take_line(struct weblogs *w, struct accesslog *reader, const char *service,
		      uint32_t source, const char *line, size_t len)
{
	struct request r;
	w->heard[source % SOURCES] = w->second;
	uint64_t malformed = reader->malformed, others = reader->others;
	w->counts.lines++;
	w->counts.bytes += len;
	if (accesslog_read(reader, line, len, &r, NULL) != WD_OK) {
		w->counts.malformed += reader->malformed - malformed;
		w->counts.others += reader->others - others;
		return;
	}
	if (service != NULL && service[0] == '\0')
		service = log_hosts_service(&w->hosts, &r.host);
	if (service == NULL) {
		w->counts.nobodys++;
		return;
	}
	struct site *s = site_of(w, service);
	if (s == NULL) {
		w->counts.no_room++;
		return;
	}
	s->by |= UINT64_C(1) << source % SOURCES;
	/* A server's clock may be ahead of ours: such requests have just ended. */
	if (wall_to_s(r.at) > w->second)
		r.at = wall_s(w->second);
	const struct web_facts facts = web_facts_of(&w->agents, w->key, &r);
	conduct_expect(&s->conduct, &facts);
	uint64_t late = s->window.late;
	bool counted = web_window_add(&s->window, w->key, &r, &facts, prng_u64(&w->random));
	w->counts.late += s->window.late - late;
	w->counts.requests += counted;
	w->counts.no_room += !counted;
	/* And one that is late counts when it came. */
	if (wall_to_s(r.at) < w->second - WEB_WINDOW_LIVE)
		r.at = wall_s(w->second - WEB_WINDOW_LIVE);
	if (conduct_see(&s->conduct, &r, &facts))
		web_window_tell(&s->window, &r, WEB_AGAIN);
}

static void on_line(void *context, const char *text, size_t len)
{
	struct followed *f = context;
	uint32_t source = (uint32_t)(f - f->owner->logs);
	take_line(f->owner, &f->reader, f->gone ? NULL : f->service, source, text, len);
}

static void on_message(void *context, const struct exporter_address *from, const char *text,
		       size_t len)
{
	struct weblogs *w = context;
	uint32_t source = (uint32_t)(exporter_address_hash(from) >> 32);
	take_line(w, &w->syslog_reader, "", source, text, len);
}

/* ---- the thread ---- */

/* A piece of each; true if there may be more right now. A log that grows faster than it can be
 * read keeps neither the others waiting nor the end of the second. */
static bool read_each(struct weblogs *w)
{
	bool more = false;
	for (size_t i = 0; i < w->log_count; i++)
		more |= logtail_poll(w->logs[i].tail, mono_now(), on_line, &w->logs[i]);
	for (size_t i = 0; i < w->listener_count; i++)
		syslog_poll(w->listeners[i], 0, mono_now(), on_message, w);
	return more;
}

static void count_all(struct weblogs *w)
{
	w->counts.cut = w->counts.refused = 0;
	for (size_t i = 0; i < w->log_count; i++)
		w->counts.cut += logtail_counters(w->logs[i].tail).cut;
	for (size_t i = 0; i < w->listener_count; i++) {
		struct syslog_counters c = syslog_counters(w->listeners[i]);
		w->counts.cut += c.cut;
		w->counts.refused += c.refused;
	}
	pthread_mutex_lock(&w->told_lock);
	w->told = w->counts;
	pthread_mutex_unlock(&w->told_lock);
}

/* A second has begun. */
static void tick(struct weblogs *w, int64_t now)
{
	w->second = now;
	for (size_t i = 0; i < w->site_count; i++) {
		advance(w, &w->sites[i], now);
		conduct_forget(&w->sites[i].conduct, now - NOTES_KEPT_S);
		hand_on_clients(w, &w->sites[i]);
	}
	count_all(w);
	if (w->wake != NULL)
		w->wake(w->ctx);
}

/* What came at the listeners is waited for, but not for longer than the files are left alone. */
static void wait_a_moment(struct weblogs *w)
{
	const struct timespec t = {0, POLL_MS * 1000000};
	if (w->listener_count == 0) {
		nanosleep(&t, NULL);
		return;
	}
	int each = POLL_MS / (int)w->listener_count;
	for (size_t i = 0; i < w->listener_count; i++) {
		pthread_mutex_lock(&w->lock);
		syslog_poll(w->listeners[i], each, mono_now(), on_message, w);
		pthread_mutex_unlock(&w->lock);
	}
}

static void *run(void *arg)
{
	struct weblogs *w = arg;
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&w->lock);
		int64_t now = second_now(w);
		if (now > w->second || now < w->second - 10)
			tick(w, now);
		bool more = read_each(w);
		pthread_mutex_unlock(&w->lock);
		if (!more)
			wait_a_moment(w);
	}
	return NULL;
}

/* ---- start and stop ---- */

static void forget_open(struct weblogs *w, struct site *s)
{
	for (struct web_tick *t; (t = web_window_end(&s->window)) != NULL;)
		web_ticks_give(w->ticks, t);
}

static enum wd_err open_log(struct weblogs *w, const struct config_log *c, struct wd_why *why)
{
	struct followed *f = &w->logs[w->log_count++];
	f->owner = w;
	f->service = strdup(c->service);
	accesslog_init(&f->reader);
	if (f->service == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for a log");
	if (c->format[0] != '\0') {
		enum wd_err err = accesslog_set_format(&f->reader, c->format, why);
		if (err != WD_OK)
			return err;
	}
	enum wd_err err = logtail_open(c->path, LOGTAIL_END, &f->tail, why);
	/* An empty one is followed, too, from its first line. */
	if (err == WD_OK && !logtail_is_there(f->tail) && access(c->path, R_OK) != 0)
		log_line(LOG_LEVEL_WARNING, "log_not_there", "path=%s reason=\"%s\"", c->path,
			 strerror(errno));
	else if (err == WD_OK)
		log_line(LOG_LEVEL_INFO, "following", "path=%s", c->path);
	return err;
}

/* Who may send syslog; NULL if memory ran out. */
static struct senders *senders_of(const struct config *c)
{
	const struct config_exporters *e = &c->telemetry.exporters;
	struct sender_rule *rules = calloc(e->count + 1, sizeof(*rules));
	struct senders *senders = NULL;
	for (size_t i = 0; rules != NULL && i < e->count; i++)
		rules[i].block = e->items[i].block;
	if (rules != NULL && senders_open(rules, e->count, &senders) != WD_OK)
		senders = NULL;
	free(rules);
	return senders;
}

static enum wd_err open_listeners(struct weblogs *w, const struct config *c, struct wd_why *why)
{
	enum wd_err err;
	w->senders = senders_of(c);
	if (w->senders == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for syslog");
	for (size_t i = 0; i < c->telemetry.syslog.count; i++) {
		const char *address = c->telemetry.syslog.items[i];
		const struct syslog_options o = {address, address, w->senders};
		err = syslog_open(&o, &w->listeners[i], why);
		if (err != WD_OK) {
			log_line(LOG_LEVEL_ERROR, "cannot_listen", "syslog=%s", address);
			return err;
		}
		w->listener_count++;
		log_line(LOG_LEVEL_INFO, "syslog", "address=%s udp=%u tcp=%u", address,
			 syslog_udp_port(w->listeners[i]), syslog_tcp_port(w->listeners[i]));
	}
	return WD_OK;
}

static enum wd_err open_all(struct weblogs *w, const struct config *c, struct wd_why *why)
{
	const struct config_logs *logs = &c->telemetry.logs;
	w->site_max = c->detection.services_watched_max;
	w->sites = calloc(w->site_max, sizeof(*w->sites));
	w->logs = calloc(logs->count + 1, sizeof(*w->logs));
	w->empty = calloc(1, sizeof(*w->empty));
	accesslog_init(&w->syslog_reader);
	if (w->sites == NULL || w->logs == NULL || w->empty == NULL ||
	    ring_open(WEBLOGS_RING_BYTES, &w->ring) != WD_OK ||
	    web_ticks_open(&w->ticks) != WD_OK ||
	    conduct_table_open(w->key, CONDUCT_ROWS_LIVE, &w->clients) != WD_OK ||
	    !take_catalogue(w, c->catalogue))
		return wd_fail(why, WD_NOMEM, 0, "memory for access logs");
	web_ticks_allow(w->ticks, w->catalogue, w->site_max);
	for (size_t i = 0; i < logs->count; i++) {
		enum wd_err err = open_log(w, &logs->items[i], why);
		if (err != WD_OK) {
			log_line(LOG_LEVEL_ERROR, "cannot_follow", "path=%s line=%u",
				 logs->items[i].path, logs->items[i].line);
			return err;
		}
	}
	return open_listeners(w, c, why);
}

enum wd_err weblogs_open(const struct weblogs_options *options, struct weblogs **ret,
			 struct wd_why *why)
{
	const struct config *c = options->config;
	uint64_t seed;
	if (c->telemetry.logs.count + c->telemetry.syslog.count == 0) {
		*ret = NULL;
		return WD_OK;
	}
	struct weblogs *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for access logs");
	randombytes_buf(&seed, sizeof(seed));
	w->random = prng_of(seed, 0);
	w->key = options->key;
	w->wake = options->wake;
	w->clock = options->clock;
	w->ctx = options->ctx;
	pthread_mutex_init(&w->lock, NULL);
	pthread_mutex_init(&w->told_lock, NULL);
	enum wd_err err = open_all(w, c, why);
	if (err != WD_OK) {
		weblogs_close(w);
		return err;
	}
	*ret = w;
	return WD_OK;
}

enum wd_err weblogs_start(struct weblogs *w, struct wd_why *why)
{
	w->second = second_now(w);
	int failed = pthread_create(&w->thread, NULL, run, w);
	if (failed != 0)
		return wd_fail_os(why, failed, "start the thread of access logs");
	w->started = true;
	return WD_OK;
}

void weblogs_stop(struct weblogs *w)
{
	__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
	if (w->started)
		pthread_join(w->thread, NULL);
	w->started = false;
}

void weblogs_close(struct weblogs *w)
{
	if (w == NULL)
		return;
	weblogs_stop(w);
	for (size_t i = 0; i < w->log_count; i++) {
		logtail_close(w->logs[i].tail);
		free(w->logs[i].service);
	}
	for (size_t i = 0; i < w->listener_count; i++)
		syslog_close(w->listeners[i]);
	for (size_t i = 0; i < w->site_count; i++)
		forget_open(w, &w->sites[i]);
	if (w->ring != NULL)
		weblogs_take(w, NULL);
	web_ticks_close(w->ticks);
	conduct_table_close(w->clients);
	senders_close(w->senders);
	ring_close(w->ring);
	catalogue_release(w->catalogue);
	log_hosts_done(&w->hosts);
	free(w->sites);
	free(w->logs);
	free(w->empty);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->told_lock);
	free(w);
}

/* A service that is gone takes its open seconds with it, and what was noted of its clients. */
static void drop_sites(struct weblogs *w)
{
	for (size_t i = 0; i < w->site_count;) {
		struct site *s = &w->sites[i];
		if (catalogue_index(w->catalogue, s->window.service) != SIZE_MAX) {
			i++;
			continue;
		}
		conduct_forget(&s->conduct, INT64_MAX);
		s->conduct_told = UINT64_MAX;
		hand_on_clients(w, s);
		forget_open(w, s);
		*s = w->sites[--w->site_count];
		s->window.ticks = s->ticks;
	}
	for (size_t i = 0; i < w->log_count; i++) {
		const char *service = w->logs[i].service;
		w->logs[i].gone = service[0] != '\0' &&
				  catalogue_index(w->catalogue, service) == SIZE_MAX;
	}
}

static void allow(struct weblogs *w, struct senders *senders)
{
	for (size_t i = 0; i < w->listener_count; i++)
		syslog_allow(w->listeners[i], senders);
	senders_close(w->senders);
	w->senders = senders;
}

void weblogs_reload(struct weblogs *w, const struct config *config)
{
	struct senders *senders = senders_of(config);
	pthread_mutex_lock(&w->lock);
	bool taken = take_catalogue(w, config->catalogue);
	if (taken) {
		drop_sites(w);
		web_ticks_allow(w->ticks, w->catalogue, w->site_max);
	}
	if (senders != NULL)
		allow(w, senders);
	pthread_mutex_unlock(&w->lock);
	if (senders == NULL)
		log_line(LOG_LEVEL_ERROR, "senders_not_taken", "reason=\"out of memory\"");
	if (!taken)
		log_line(LOG_LEVEL_ERROR, "hosts_not_taken", "reason=\"out of memory\"");
}

/* ---- the engine's thread ---- */

static void take_tick(struct weblogs *w, const struct weblogs_handler *handler, struct web_tick *t)
{
	if (handler != NULL)
		handler->requests(handler->ctx, t);
	web_ticks_give(w->ticks, t);
}

static void take_idle(struct weblogs *w, const struct weblogs_handler *handler,
		      const struct idle *idle)
{
	web_clear(w->empty, idle->service, wall_s(idle->second));
	handler->requests(handler->ctx, w->empty);
}

bool weblogs_take(struct weblogs *w, const struct weblogs_handler *handler)
{
	const void *message;
	uint32_t kind;
	size_t len;
	bool any = false;
	for (; (message = ring_first(w->ring, &kind, &len)) != NULL; ring_drop(w->ring)) {
		if (kind == MESSAGE_TICK)
			take_tick(w, handler, *(struct web_tick *const *)message);
		else if (kind == MESSAGE_IDLE && handler != NULL)
			take_idle(w, handler, message);
		else if (handler != NULL)
			handler->clients(handler->ctx, message);
		any = true;
	}
	return any;
}

void weblogs_count(struct weblogs *w, struct weblogs_counts *ret_counts)
{
	pthread_mutex_lock(&w->told_lock);
	*ret_counts = w->told;
	pthread_mutex_unlock(&w->told_lock);
}
