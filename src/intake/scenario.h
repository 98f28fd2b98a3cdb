/* SPDX-License-Identifier: Apache-2.0 */
/* scenario: a made-up (or reconstructed) stretch of time, as a text that reads as prose: which
 * services, how many people usually report them, from where, and what happens when. Read
 * here into checked structs; intake/simulation turns it into observations. docs/replay.md
 * has every word of the format. Pure: text in, structs out. */
#ifndef WD_INTAKE_SCENARIO_H
#define WD_INTAKE_SCENARIO_H

#include "base/err.h"
#include "base/units.h"
#include "intake/audience.h"
#include "model/reconstruction.h"
#include "model/service.h"
#include "model/signal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCENARIO_BYTES_MAX = 1 << 20,
	SCENARIO_TITLE_MAX = RECONSTRUCTION_TITLE_MAX,
	SCENARIO_SERVICES_MAX = 10000,  /* generated ones included */
	SCENARIO_BLOCKS_MAX = 1000,     /* services, surges and gaps as written */
	SCENARIO_DAY_POINTS_MAX = 48,
	SCENARIO_RATE_MAX = 1000000,    /* reports a minute, of one service or surge */
	SCENARIO_PACKETS_MAX = 10000000, /* packets a second, of one service or attack */
};

struct day_point { int minute; double level; }; /* minute of the day, rising */

struct scenario_service {
	char id[SERVICE_ID_MAX + 1]; /* with copies: what their names begin with */
	size_t copies;               /* 1 = exactly this id; else id-001, id-002, … */
	bool numbered;
	double usually_low,
		usually_high; /* reports a minute; copies are spread between on a log scale */
	int east_s;                       /* its audience's clock, east of UTC */
	struct day_point day[SCENARIO_DAY_POINTS_MAX];
	size_t day_count;      /* 0 = the same all day */
	double weekend;        /* times a weekday's level */
	double noise, noise_s; /* standard deviation of the log rate, and how long it remembers */
	struct mix mixes[DIMENSION_COUNT]; /* none for the total */
};

/* More reports than usual for a while: an outage, a flood, a crowd. */
struct surge {
	char service[SERVICE_ID_MAX + 1];
	wd_wall begins;
	wd_span rises, stays, falls;
	uint32_t repeats; /* 1 = once */
	wd_span every;    /* from begin to begin */
	double peak_rate; /* reports a minute on top of the usual; or 0 and … */
	double peak_times; /* … this many times the usual of what it is limited to */
	struct portion only[DIMENSION_COUNT]; /* share 0 = not limited in that dimension */
	struct mix mixes[DIMENSION_COUNT];    /* in place of the service's where not empty */
	uint32_t persons; /* that send all of it; 0 = everyone is someone else */
};

struct gap { char service[SERVICE_ID_MAX + 1]; wd_wall begins; wd_span lasts; }; /* "" = all */

/* What a service usually receives and sends; docs/replay.md. */
struct scenario_traffic {
	char service[SERVICE_ID_MAX + 1];
	uint8_t address[16], family, prefix_len; /* what it is reached at */
	double packets_per_s;                    /* both directions together */
	uint32_t clients;
};

/* Traffic of an attack, by the way its packets look (intake/traffic_recipe.h). */
struct attack {
	char service[SERVICE_ID_MAX + 1];
	char vector[32];
	struct surge shape;    /* when: its begin, rise, stay, fall and repeats */
	double packets_per_s;  /* at the peak */
	uint32_t sources;      /* 0 = as its recipe has it */
	uint32_t targets;      /* addresses that are hit; 0 = one */
};

struct scenario {
	char title[SCENARIO_TITLE_MAX + 1];
	wd_wall begins; /* a whole minute */
	wd_span lasts;  /* whole minutes */
	uint64_t seed;
	bool reconstruction;
	struct reconstruction made_from; /* its name is the caller's to give */
	struct scenario_service *services;
	size_t service_count; /* as written, not the copies */
	struct surge *surges;
	size_t surge_count;
	struct gap *gaps;
	size_t gap_count;
	struct scenario_traffic *traffics;
	size_t traffic_count;
	struct attack *attacks;
	size_t attack_count;
};

/* `len` bytes of text, with or without an ending NUL. at = byte offset of what is wrong;
 * `what` says that and what would be right. */
enum wd_err scenario_read(const char *text, size_t len, struct scenario **ret_scenario,
			  struct wd_why *why) WD_MUST_CHECK;
void scenario_free(struct scenario *s); /* NULL is fine */

/* The id of a service's copy, from 0: its own, or "id-001", "id-002", … where they are numbered. */
void scenario_copy_id(const struct scenario_service *s, size_t copy, char dst[SERVICE_ID_MAX + 1]);

#endif
