/* SPDX-License-Identifier: Apache-2.0 */
/* crowd: who the reports of one service come from, lately: how many persons (each counted
 * once a quarter of an hour) in how many networks, and how much the heaviest network made.
 * This decides between an incident and `reports.coordinated`. Up to 64 networks by name,
 * the rest together: with that many, no floor is in question. 1.6 KB. */
#ifndef WD_ENGINE_CROWD_H
#define WD_ENGINE_CROWD_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { CROWD_NETWORKS = 64, CROWD_BINS = 4 };

struct crowd_network {
	uint32_t network;          /* 0 = free */
	uint32_t quarters[2];      /* reports in this quarter of an hour and the one before */
	uint32_t bins[CROWD_BINS]; /* reports in the last minutes; bin b is in [b mod 4] */
};

struct crowd {
	int64_t quarter, bin; /* the newest of each */
	uint32_t reports[2];  /* all, by quarter: [0] this one, [1] the one before */
	uint32_t persons[2];  /* reports whose person is known */
	uint32_t placed[2];   /* reports whose network is known */
	uint32_t others[2];   /* placed in networks beyond the table */
	uint32_t bin_reports[CROWD_BINS];
	struct crowd_network networks[CROWD_NETWORKS];
};

struct crowd_word {
	bool persons_known, networks_known; /* of more than half of the reports */
	uint32_t persons, networks;         /* in this quarter of an hour and the last */
	uint32_t top_network;               /* heaviest in the last bins; 0 = not known */
	uint32_t recent, recent_top;        /* reports in the last bins: all, and the heaviest's */
};

void crowd_init(struct crowd *c);
/* One counted report of minute `bin` (at most CROWD_BINS - 1 before the newest). */
void crowd_add(struct crowd *c, int64_t quarter, int64_t bin, uint32_t network, bool person_known);
/* Time goes on. */
void crowd_move(struct crowd *c, int64_t quarter, int64_t bin);
struct crowd_word crowd_judge(const struct crowd *c);

void crowd_write(const struct crowd *c, struct out *o);
void crowd_read(struct crowd *c, struct cur *in);

#endif
