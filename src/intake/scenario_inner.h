/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read a scenario share. Internal to scenario*.c. */
#ifndef WD_INTAKE_SCENARIO_INNER_H
#define WD_INTAKE_SCENARIO_INNER_H

#include "intake/prose.h"
#include "intake/scenario.h"

struct reader {
	struct prose p;
	struct scenario *s;
	struct scenario_service *service; /* the block we are in: at most one is not NULL */
	struct surge *surge;
	struct gap *gap;
	struct scenario_traffic *traffic;
	struct attack *attack; /* and `surge` is its shape in time */
	size_t block_at; /* where the block's first line is, for what is missing at its end */
	size_t copies;   /* of all services */
	bool begins, lasts;
};

/* What "after" counts from. */
static inline const wd_wall *scenario_from(const struct reader *r)
{
	return r->begins ? &r->s->begins : NULL;
}

struct statement {
	const char *word;
	void (*say)(struct reader *);
};
struct statements { const struct statement *items; size_t count; };

/* What each kind of block says. */
extern const struct statements surge_statements;   /* scenario_surge.c */
extern const struct statements traffic_statements; /* scenario_traffic.c */
extern const struct statements attack_statements;

/* scenario_source.c */
void scenario_say_source(struct reader *r);
void scenario_say_assumed(struct reader *r);
void scenario_end_sources(struct reader *r); /* when all has been read */

void surge_say_begins(struct reader *r);
void surge_say_rises(struct reader *r);
void surge_say_stays(struct reader *r);
void surge_say_falls(struct reader *r);
void surge_say_repeats(struct reader *r);

/* One more zeroed item of an array of the scenario's; NULL after saying why not. */
void *scenario_grow(struct reader *r, void *items, size_t count, size_t size);
void scenario_take_service(struct reader *r, char dst[SERVICE_ID_MAX + 1]);

void traffic_begin(struct reader *r);
void attack_begin(struct reader *r);
/* What they must have said by their end. */
void traffic_end(struct reader *r);

#endif
