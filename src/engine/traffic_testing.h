/* SPDX-License-Identifier: Apache-2.0 */
/* traffic_testing: an engine and its traffic on a virtual clock, for the tests of this folder. */
#ifndef WD_ENGINE_TRAFFIC_TESTING_H
#define WD_ENGINE_TRAFFIC_TESTING_H

#include "engine/engine.h"

enum { START_S = 1741564800 }; /* 2025-03-10T00:00:00Z */

struct world {
	struct engine *e;
	struct vector_book *book;
	struct vector_classes *classes;
	struct traffic_tick *tick;
	struct traffic_rules rules;
	uint64_t random;
	int64_t at_ms; /* since START_S: all ticks before were given */
	uint64_t persons;
	struct web_tick *web;
	size_t opened, changed, closed, traces;
	wd_wall opened_at; /* engine clock's, as the effect tells */
	struct incident last;
	struct trace *trace; /* the last that was told */
	struct buf told;
	uint8_t witnesses[2], turn; /* of the records to come */
};

/* Packets a second of users, of a DNS amplification and of bots, and which resolvers and bots; who
 * tells of it, in turn (slot + 1; 0 = not told). */
struct scene { const char *service; double users, dns, bots; uint32_t crowd; uint8_t told[2]; };

void world_open(struct world *w, uint64_t seed);
void world_close(struct world *w);
/* Services of these ids, with a space between. */
enum wd_err world_configure(struct world *w, const char *ids);
wd_wall world_now(const struct world *w);
struct engine_options world_options(const struct world *w);
uint64_t world_next(struct world *w);
/* Near a Poisson count of this mean, for means that are not small. */
double world_noisy(struct world *w, double mean);
/* Takes the effects. */
void world_collect(struct world *w);
/* Ticks of these services, with the clock. */
void world_play(struct world *w, double seconds, const struct scene *scenes, size_t count);
void world_minutes(struct world *w, int count, const struct scene *scene);
/* One second of visitors who fetch pages and pictures, and of one who asks for ever other
 * queries. */
void world_web(struct world *w, double visits, int attack);
/* Both engines go on with the same ticks from here. */
void world_restart(const struct world *from, struct world *to);
/* By somebody new, now. */
enum engine_verdict world_report(struct world *w, const char *service);

#endif
