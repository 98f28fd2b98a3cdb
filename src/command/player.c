/* SPDX-License-Identifier: Apache-2.0 */
#include "command/player.h"

#include "command/clock.h"
#include "command/log.h"
#include "command/scenario_file.h"
#include "intake/simulation.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct player {
	struct scenario *scenario;
	struct simulation *simulation;
	wd_span moved; /* added to the scenario's times */
	struct observation next;
	bool more;
	struct journal *journal;
	pthread_t thread;
	bool started, stopping;
};

/* When the last surge has risen; the end if there is none. */
static wd_wall moment_of(const struct scenario *s)
{
	wd_wall moment = {0}, latest = {0};
	for (size_t n = 0; n < s->surge_count; n++) {
		const struct surge *x = &s->surges[n];
		if (!wall_before(x->begins, latest)) {
			latest = x->begins;
			moment = wall_add(x->begins, (wd_span){x->rises.ns + x->stays.ns / 4});
		}
	}
	return moment.ns != 0 ? moment : wall_add(s->begins, s->lasts);
}

static bool advance(struct player *p, struct wd_why *why)
{
	if (simulation_next(p->simulation, &p->next, &p->more, why) != WD_OK)
		return false;
	if (p->more) {
		p->next.at = wall_add(p->next.at, p->moved);
		p->next.flags |= OBSERVATION_RECONSTRUCTION;
		p->next.scenario = p->scenario->made_from.scenario;
	}
	return true;
}

struct player *player_open(const char *scenario)
{
	struct wd_why why = {0};
	struct player *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->scenario = scenario_load(scenario);
	if (p->scenario == NULL) {
		player_close(p);
		return NULL;
	}
	/* Whole minutes, so that buckets stay what they are. */
	int64_t minutes = wall_sub(wall_now(), moment_of(p->scenario)).ns / (60 * WD_NS_PER_S);
	p->moved = span_s(minutes * 60);
	if (simulation_open(p->scenario, p->scenario->seed, &p->simulation, &why) != WD_OK ||
	    !advance(p, &why)) {
		log_why(LOG_LEVEL_ERROR, "play", &why);
		player_close(p);
		return NULL;
	}
	return p;
}

const struct scenario *player_scenario(const struct player *p)
{
	return p->scenario;
}

/* What lies before now, in order; the pilot asks. */
static bool next_past(void *ctx, struct observation *ret_o, struct wd_why *why)
{
	struct player *p = ctx;
	if (!p->more || !wall_before(p->next.at, wall_now()))
		return false;
	*ret_o = p->next;
	return advance(p, why);
}

static void tell_unknown(const struct scenario *s, const struct catalogue *catalogue)
{
	for (size_t n = 0; n < s->service_count; n++) {
		char id[SERVICE_ID_MAX + 1];
		scenario_copy_id(&s->services[n], 0, id);
		if (catalogue_index(catalogue, id) == SIZE_MAX)
			log_line(LOG_LEVEL_WARNING, "play_unknown_service",
				 "service=%s reason=\"the configuration does not name it: its "
				 "reports count nowhere\"", id);
	}
}

enum wd_err player_preload(struct player *p, struct pilot *pilot, struct store *store,
			   const struct catalogue *catalogue, struct wd_why *why)
{
	if (store_end(store).clock.ns != 0) {
		log_line(LOG_LEVEL_INFO, "play_skipped",
			 "reason=\"the data folder has been used before\"");
		p->more = false;
		return WD_OK;
	}
	char title[256];
	log_line(LOG_LEVEL_INFO, "playing", "scenario=%s",
		 log_text(title, sizeof(title), p->scenario->title));
	tell_unknown(p->scenario, catalogue);
	return pilot_preload(pilot, next_past, p, why);
}

/* Reports fall due at their times; a batch a moment. */
static void *run(void *ctx)
{
	static const struct timespec moment = {0, 200000000};
	struct player *p = ctx;
	struct wd_why why;
	uint8_t frame[OBSERVATION_FRAME_MAX];

	while (!__atomic_load_n(&p->stopping, __ATOMIC_RELAXED) && p->more) {
		while (p->more && wall_before(p->next.at, wall_now())) {
			size_t len = observation_encode(&p->next, frame);
			if (journal_append(p->journal, frame, len, 1, NULL, &why) != WD_OK)
				break; /* full or failing: again in a moment */
			if (!advance(p, &why)) {
				log_why(LOG_LEVEL_ERROR, "play", &why);
				return NULL;
			}
		}
		nanosleep(&moment, NULL);
	}
	return NULL;
}

enum wd_err player_start(struct player *p, struct journal *journal, struct wd_why *why)
{
	p->journal = journal;
	int failed = pthread_create(&p->thread, NULL, run, p);
	if (failed != 0)
		return wd_fail_os(why, failed, "start the player's thread");
	p->started = true;
	return WD_OK;
}

void player_stop(struct player *p)
{
	if (p == NULL || !p->started)
		return;
	__atomic_store_n(&p->stopping, true, __ATOMIC_RELAXED);
	pthread_join(p->thread, NULL);
	p->started = false;
}

void player_close(struct player *p)
{
	if (p == NULL)
		return;
	player_stop(p);
	simulation_close(p->simulation);
	scenario_free(p->scenario);
	free(p);
}
