/* SPDX-License-Identifier: Apache-2.0 */
#include "command/pilot.h"

#include "base/check.h"
#include "command/clock.h"
#include "command/clock_watch.h"
#include "command/keeper.h"
#include "command/log.h"
#include "command/teller.h"
#include "command/witness_log.h"
#include "engine/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Traffic always changes: pages of an unchanged verdict show it once a second. */
static const wd_span TRAFFIC_SHOWN_EVERY = {WD_NS_PER_S};
static const wd_span RETAIN_EVERY = {60 * WD_NS_PER_S};
/* Each time a copy of the damaged database is kept. */
static const wd_span REPAIR_EVERY = {3600 * WD_NS_PER_S};
/* A longer step of the journal's time means that nobody watched (store/journal.h). */
static const wd_span STEP_MAX = {60 * WD_NS_PER_S};
/* Writing the state may take this share of the time. */
enum { STATE_REST = 20, TRACES_REMEMBERED = 96 };

struct pilot {
	struct store *store;
	struct journal *journal;
	struct http *http;
	struct telemetry *telemetry;
	struct engine *engine;
	struct keeper keeper; /* of its effects */
	struct store_position at; /* what the engine has been told */
	struct store_policy policy;
	wd_span state_every;
	wd_span pages_every; /* readers see a new snapshot at most this often */
	wd_mono state_rested; /* not before that */
	wd_mono state_due, retain_due, snapshot_due, traffic_due;
	wd_mono retained; /* when it was last asked how old things are */
	wd_mono repair_due; /* not before that */
	uint64_t repairs; /* that the log was told of */
	wd_wall replayed_from; /* what was decided since comes again at a restart */
	struct clock_watch clocks;
	bool changed; /* since the last snapshot */
	bool observed; /* since the clock last moved: whole buckets are judged when it does */
	struct teller teller; /* of event streams */

	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of what follows */
	struct snapshot *snapshot;
	wd_mono snapshot_at; /* when it was last what the engine has to show */
	struct catalogue *next_catalogue; /* to be taken over; held */
	struct store_policy next_policy;
	wd_span next_state_every, next_pages_every;
};

static bool is_due(wd_mono due)
{
	return mono_now().ns >= due.ns;
}

/* ---- effects ---- */

/* What the journal does not tell of is in the state as soon as that may be written. */
static void hasten_state(struct pilot *p)
{
	wd_mono now = mono_now();
	wd_mono soon = p->state_rested.ns > now.ns ? p->state_rested : now;
	if (soon.ns < p->state_due.ns)
		p->state_due = soon;
}

static void keep_effects(struct pilot *p)
{
	if (keeper_keep(&p->keeper))
		hasten_state(p);
}

/* The journal's thread repairs the database, also where the journal itself is whole. */
static void ask_for_repair(struct pilot *p)
{
	if (!p->keeper.damaged || !is_due(p->repair_due))
		return;
	p->keeper.damaged = false;
	p->repair_due = mono_add(mono_now(), REPAIR_EVERY);
	journal_repair(p->journal);
}

/* ---- what the journal tells ---- */

static void advance(void *ctx, wd_wall now)
{
	struct pilot *p = ctx;
	wd_wall before = engine_now(p->engine);
	if (before.ns != 0 && wall_sub(now, before).ns > STEP_MAX.ns)
		engine_gap(p->engine, now);
	else
		engine_advance(p->engine, now);
	p->changed = p->changed || p->observed;
	p->observed = false;
	keep_effects(p);
}

static void observe(void *ctx, const struct observation *o)
{
	struct pilot *p = ctx;
	(void)engine_observe(p->engine, o); /* what does not count is counted there */
	p->changed = p->observed = true;
}

static void take_batch(struct pilot *p, const struct journal_item *item)
{
	size_t at = 0;
	while (at < item->len) {
		struct observation o;
		struct wd_why why;
		size_t len;
		if (observation_decode(item->frames + at, item->len - at, &o, &len, &why) !=
		    WD_OK) {
			log_why(LOG_LEVEL_ERROR, "batch_damaged", &why);
			return;
		}
		observe(p, &o);
		at += len;
	}
}

/* ---- traffic ---- */

static void traffic_tick(void *ctx, const struct traffic_tick *tick)
{
	struct pilot *p = ctx;
	(void)engine_traffic(p->engine, tick); /* what does not count is counted there */
}

static void traffic_heard(void *ctx, uint64_t slots, wd_wall until)
{
	struct pilot *p = ctx;
	for (; slots != 0; slots &= slots - 1) {
		uint32_t slot = (uint32_t)__builtin_ctzll(slots);
		const char *name = telemetry_witness(p->telemetry, slot);
		if (name != NULL)
			engine_heard(p->engine, slot, name, until);
	}
}

static void traffic_until(void *ctx, wd_wall until)
{
	struct pilot *p = ctx;
	engine_traffic_until(p->engine, until);
}

static void web_tick(void *ctx, const struct web_tick *tick)
{
	struct pilot *p = ctx;
	(void)engine_web(p->engine, tick);
}

static void clients(void *ctx, const struct weblogs_clients *c)
{
	struct pilot *p = ctx;
	(void)engine_clients(p->engine, c->service, c->notes, c->count, c->more);
}

/* `last`: nothing more will come. */
static void take_traffic(struct pilot *p, bool last)
{
	const struct telemetry_handler handler = {
		{traffic_tick, traffic_until, p, traffic_heard}, web_tick, clients};
	size_t effects;

	if (p->telemetry == NULL || !telemetry_take(p->telemetry, &handler, last))
		return;
	(void)engine_effects(p->engine, &effects);
	if (effects > 0 || is_due(p->traffic_due)) {
		p->changed = true;
		p->traffic_due = mono_add(mono_now(), TRAFFIC_SHOWN_EVERY);
	}
	keep_effects(p);
}

/* ---- snapshots ---- */

static void renew_snapshot(struct pilot *p)
{
	struct snapshot *s = engine_snapshot(p->engine);
	if (s == NULL) {
		log_line(LOG_LEVEL_ERROR, "no_snapshot", "reason=\"out of memory\"");
		return;
	}
	pthread_mutex_lock(&p->lock);
	struct snapshot *before = p->snapshot;
	p->snapshot = s;
	p->snapshot_at = mono_now();
	pthread_mutex_unlock(&p->lock);
	witness_log(before, s);
	snapshot_release(before);
	p->changed = false;
}

/* The engine has nothing else to show: where nobody reports, it is the same for a minute. */
static void note_snapshot_current(struct pilot *p)
{
	pthread_mutex_lock(&p->lock);
	p->snapshot_at = mono_now();
	pthread_mutex_unlock(&p->lock);
}

struct snapshot *pilot_snapshot(struct pilot *p)
{
	pthread_mutex_lock(&p->lock);
	struct snapshot *s = snapshot_hold(p->snapshot);
	pthread_mutex_unlock(&p->lock);
	return s;
}

wd_span pilot_snapshot_age(struct pilot *p)
{
	pthread_mutex_lock(&p->lock);
	wd_mono at = p->snapshot_at;
	pthread_mutex_unlock(&p->lock);
	return mono_sub(mono_now(), at);
}

/* ---- state ---- */

static enum wd_err add_services(struct pilot *p, struct store_state *w, struct wd_why *why)
{
	for (size_t n = 0; n < engine_service_count(p->engine); n++) {
		const char *id;
		uint8_t *bytes;
		size_t len;
		enum wd_err err = engine_write_service(p->engine, n, &id, &bytes, &len);
		if (err != WD_OK)
			return wd_fail(why, err, (uint32_t)n, "state of a service");
		err = store_state_add(w, id, bytes, len, why);
		free(bytes);
		if (err != WD_OK)
			return err;
	}
	return WD_OK;
}

static enum wd_err write_state(struct pilot *p, struct wd_why *why)
{
	struct store_state *w;
	uint8_t *whole = NULL;
	size_t len;
	enum wd_err err = store_state_begin(p->store, p->at, &w, why);
	if (err != WD_OK)
		return err;
	if ((err = add_services(p, w, why)) == WD_OK &&
	    (err = engine_write(p->engine, &whole, &len)) == WD_OK)
		err = store_state_end(w, whole, len, why);
	else
		store_state_drop(w);
	free(whole);
	return err;
}

static void keep_state(struct pilot *p)
{
	struct wd_why why = {0};
	wd_mono begin = mono_now();
	if (write_state(p, &why) != WD_OK) {
		log_why(LOG_LEVEL_ERROR, "state_not_kept", &why);
		keeper_failed(&p->keeper, &why);
	}
	wd_span took = mono_sub(mono_now(), begin);
	wd_span rest = {took.ns * STATE_REST};
	p->state_rested = mono_add(mono_now(), rest);
	p->state_due = mono_add(mono_now(), rest.ns > p->state_every.ns ? rest : p->state_every);
}

static void retain(struct pilot *p)
{
	struct journal_counters j = journal_count(p->journal);
	struct wd_why why = {0};
	bool more = false;
	wd_wall time;
	wd_mono now = mono_now();
	enum wd_err err = store_retain_time(p->store, engine_now(p->engine),
					    mono_sub(now, p->retained), &time, &why);
	if (err == WD_OK) {
		p->retained = now;
		err = store_retain(p->store, time, &p->policy, &more, &why);
	}
	if (err != WD_OK) {
		log_why(LOG_LEVEL_ERROR, "retention_failed", &why);
		keeper_failed(&p->keeper, &why);
	}
	if (j.repairs != p->repairs)
		log_line(LOG_LEVEL_ERROR, "database_repaired", "times=%llu",
			 (unsigned long long)j.repairs);
	p->repairs = j.repairs;
	clock_watch(&p->clocks, j.clock_off, j.clock_jumps);
	p->retain_due = mono_add(mono_now(), more ? span_s(1) : RETAIN_EVERY);
}

/* ---- restoring ---- */

static enum wd_err read_whole(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	return engine_read(((struct pilot *)ctx)->engine, bytes, len, why);
}

static enum wd_err read_service(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	return engine_read_service(((struct pilot *)ctx)->engine, bytes, len, why);
}

/* Incidents that reports decided in what is replayed come again with it; without a state nothing
 * goes on with what was open before that. */
static void remember(void *ctx, const struct incident *i)
{
	struct pilot *p = ctx;
	bool lost = p->at.clock.ns == 0 && i->state != INCIDENT_CLOSED;
	if (!keeper_by_ticks(i) && (lost || wall_before(p->replayed_from, i->decided_at)))
		return;
	if (engine_remember(p->engine, i) != WD_OK)
		log_line(LOG_LEVEL_WARNING, "incident_forgotten", "id=%s reason=\"incidents_max\"",
			 i->id);
}

/* Open ones that the state may not know. */
static void resume(void *ctx, const struct incident *i)
{
	struct pilot *p = ctx;
	if (keeper_by_ticks(i) && engine_resume(p->engine, i) != WD_OK)
		log_line(LOG_LEVEL_WARNING, "incident_forgotten", "id=%s reason=\"incidents_max\"",
			 i->id);
}

static void remember_trace(void *ctx, const struct trace *t)
{
	if (engine_remember_trace(((struct pilot *)ctx)->engine, t) != WD_OK)
		log_line(LOG_LEVEL_WARNING, "trace_forgotten", "id=%s reason=\"out of memory\"",
			 t->incident);
}

static enum wd_err restore(struct pilot *p, struct wd_why *why)
{
	struct store_state_handler state = {read_whole, read_service, p};
	struct store_replay replay = {advance, observe, p};
	enum wd_err err = store_read_state(p->store, &state, &p->at, why);
	p->replayed_from = p->at.clock;
	if (err == WD_OK && p->at.clock.ns == 0) /* no state: from the journal's first batch on */
		err = store_journal_begin(p->store, &p->replayed_from, why);
	if (p->replayed_from.ns == 0)
		p->replayed_from.ns = INT64_MAX;
	if (err == WD_OK)
		err = store_each_incident(p->store, remember, p, why);
	/* The open incidents of the state are later than the store's copy of them. */
	if (err == WD_OK)
		engine_remember_open(p->engine);
	if (err == WD_OK)
		err = store_each_incident(p->store, resume, p, why);
	if (err == WD_OK)
		err = store_each_trace(p->store, TRACES_REMEMBERED, remember_trace, p, why);
	if (err == WD_OK)
		err = store_replay(p->store, &replay, &p->at, why);
	return err;
}

static struct engine_options engine_options_of(const struct config_detection *d)
{
	struct engine_options o = engine_defaults();
	o.false_a_month = d->false_incidents_per_month;
	o.services_max = d->services_max;
	o.signals_a_service = d->signals_per_service_max;
	o.persons_max = d->persons_max;
	o.incidents_max = d->incidents_max;
	o.persons_floor = d->persons_floor;
	o.networks_floor = d->networks_floor;
	o.packets_floor = d->flood_packets_per_s_floor;
	o.bits_floor = d->flood_bits_per_s_floor;
	o.services_watched_max = d->services_watched_max;
	return o;
}

static struct store_policy policy_of(const struct config_storage *s)
{
	struct store_policy p = store_policy_default();
	p.journal_kept = span_s((int64_t)s->reports_days * 86400);
	p.comments_kept = span_s((int64_t)s->comments_days * 86400);
	return p;
}

/* With all that is known, in place of one that could not be given all of it. */
static enum wd_err open_engine(struct pilot *p, const struct pilot_options *options,
			       struct wd_why *why)
{
	struct engine_options eo = engine_options_of(&options->config->detection);
	if (p->telemetry != NULL)
		traffic_book_options(telemetry_book(p->telemetry), &eo);
	engine_close(p->engine);
	p->engine = NULL;
	enum wd_err err = engine_open(&eo, &p->engine, why);
	p->keeper = (struct keeper){.store = p->store, .engine = p->engine};
	if (err == WD_OK)
		err = engine_configure(p->engine, options->config->catalogue, why);
	return err == WD_OK ? restore(p, why) : err;
}

enum wd_err pilot_open(const struct pilot_options *options, struct pilot **ret_pilot,
		       struct wd_why *why)
{
	struct pilot *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return wd_fail(why, WD_NOMEM, 0, "pilot");
	p->store = options->store;
	p->telemetry = options->telemetry;
	p->policy = policy_of(&options->config->storage);
	p->state_every = span_s(options->config->storage.snapshot_s);
	p->pages_every = span_ms(options->config->pages.refresh_ms);
	pthread_mutex_init(&p->lock, NULL);
	enum wd_err err = open_engine(p, options, why);
	if (err != WD_OK && store_is_damaged(why)) {
		log_why(LOG_LEVEL_ERROR, "state_not_read", why);
		if ((err = store_repair(p->store, options->now, why)) == WD_OK)
			err = open_engine(p, options, why);
	}
	if (err != WD_OK)
		goto fail;
	renew_snapshot(p);
	if (p->snapshot == NULL) {
		err = wd_fail(why, WD_NOMEM, 0, "first snapshot");
		goto fail;
	}
	if (p->snapshot->now.ns == 0)
		p->snapshot->now = options->now; /* the engine has no clock before its first item */
	teller_init(&p->teller, p->snapshot);
	*ret_pilot = p;
	return WD_OK;
fail:
	pilot_close(p);
	return err;
}

enum wd_err pilot_preload(struct pilot *p,
			  bool (*next)(void *, struct observation *, struct wd_why *), void *ctx,
			  struct wd_why *why)
{
	struct observation o;
	*why = (struct wd_why){0};
	while (next(ctx, &o, why)) {
		/* Minute by minute: the quiet between two reports was watched. */
		engine_advance(p->engine, o.at);
		keep_effects(p);
		observe(p, &o);
	}
	if (why->err != WD_OK)
		return why->err;
	p->at.clock = engine_now(p->engine);
	renew_snapshot(p);
	return write_state(p, why);
}

/* ---- the thread ---- */

static void take_over(struct pilot *p)
{
	struct wd_why why;
	pthread_mutex_lock(&p->lock);
	struct catalogue *next = p->next_catalogue;
	p->next_catalogue = NULL;
	if (next != NULL) {
		p->policy = p->next_policy;
		p->state_every = p->next_state_every;
		p->pages_every = p->next_pages_every;
	}
	pthread_mutex_unlock(&p->lock);
	if (next == NULL)
		return;
	if (engine_configure(p->engine, next, &why) != WD_OK)
		log_why(LOG_LEVEL_ERROR, "catalogue_not_taken", &why);
	catalogue_release(next);
	p->changed = true;
}

static void *run(void *ctx)
{
	struct pilot *p = ctx;
	struct journal_item item;

	p->state_due = mono_add(mono_now(), p->state_every);
	p->retained = mono_now();
	p->retain_due = mono_add(p->retained, RETAIN_EVERY);
	while (!journal_is_told(p->journal)) {
		bool soon = p->changed && p->pages_every.ns < WD_NS_PER_S;
		bool got = journal_take(p->journal, soon ? p->pages_every : span_s(1), &item);
		take_over(p);
		if (got) {
			wd_wall before = engine_now(p->engine);
			advance(p, item.now);
			p->changed = p->changed || item.now.ns / (60 * WD_NS_PER_S) !=
							   before.ns / (60 * WD_NS_PER_S);
			take_batch(p, &item);
			p->at.clock = item.now;
			if (item.seq != 0)
				p->at.seq = item.seq;
			journal_give(p->journal, &item);
		}
		take_traffic(p, false);
		if (keeper_again(&p->keeper, false))
			hasten_state(p); /* it could not be written, either */
		if (p->changed && is_due(p->snapshot_due)) {
			renew_snapshot(p);
			p->snapshot_due = mono_add(mono_now(), p->pages_every);
		}
		if (!p->changed)
			note_snapshot_current(p);
		teller_tell(&p->teller, p->http, p->snapshot);
		if (is_due(p->state_due))
			keep_state(p);
		if (is_due(p->retain_due))
			retain(p);
		ask_for_repair(p);
	}
	take_traffic(p, true);
	engine_tell_traces(p->engine);
	keep_effects(p);
	(void)keeper_again(&p->keeper, true);
	keep_state(p);
	return NULL;
}

enum wd_err pilot_start(struct pilot *p, struct journal *journal, struct http *http,
			struct wd_why *why)
{
	p->journal = journal;
	p->http = http;
	int failed = pthread_create(&p->thread, NULL, run, p);
	if (failed != 0)
		return wd_fail_os(why, failed, "start the engine's thread");
	p->started = true;
	return WD_OK;
}

void pilot_stop(struct pilot *p)
{
	if (p->started)
		pthread_join(p->thread, NULL);
	p->started = false;
}

void pilot_close(struct pilot *p)
{
	if (p == NULL)
		return;
	pilot_stop(p);
	teller_done(&p->teller);
	snapshot_release(p->snapshot);
	catalogue_release(p->next_catalogue);
	engine_close(p->engine);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pilot_configure(struct pilot *p, const struct config *config)
{
	pthread_mutex_lock(&p->lock);
	catalogue_release(p->next_catalogue);
	p->next_catalogue = catalogue_hold(config->catalogue);
	p->next_policy = policy_of(&config->storage);
	p->next_state_every = span_s(config->storage.snapshot_s);
	p->next_pages_every = span_ms(config->pages.refresh_ms);
	pthread_mutex_unlock(&p->lock);
}
