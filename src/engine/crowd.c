/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/crowd.h"

#include <stddef.h>
#include <string.h>

void crowd_init(struct crowd *c)
{
	*c = (struct crowd){.quarter = INT64_MIN, .bin = INT64_MIN};
}

static void shift(uint32_t two[2], int64_t by)
{
	two[1] = by == 1 ? two[0] : 0;
	two[0] = 0;
}

static void move_quarter(struct crowd *c, int64_t quarter)
{
	int64_t by = c->quarter == INT64_MIN ? 2 : quarter - c->quarter;
	if (by <= 0)
		return;
	shift(c->reports, by);
	shift(c->persons, by);
	shift(c->placed, by);
	shift(c->others, by);
	for (size_t n = 0; n < CROWD_NETWORKS; n++) {
		struct crowd_network *w = &c->networks[n];
		shift(w->quarters, by);
		if (w->quarters[0] + w->quarters[1] == 0)
			*w = (struct crowd_network){0};
	}
	c->quarter = quarter;
}

static void move_bin(struct crowd *c, int64_t bin)
{
	int64_t from = c->bin == INT64_MIN || bin - c->bin > CROWD_BINS ? bin - CROWD_BINS : c->bin;
	for (int64_t b = from + 1; b <= bin; b++) {
		c->bin_reports[b & (CROWD_BINS - 1)] = 0;
		for (size_t n = 0; n < CROWD_NETWORKS; n++)
			c->networks[n].bins[b & (CROWD_BINS - 1)] = 0;
	}
	if (bin > c->bin)
		c->bin = bin;
}

void crowd_move(struct crowd *c, int64_t quarter, int64_t bin)
{
	move_quarter(c, quarter);
	move_bin(c, bin);
}

/* The network's place in the table, or NULL if it is full. */
static struct crowd_network *place_of(struct crowd *c, uint32_t network)
{
	struct crowd_network *free_one = NULL;
	for (size_t n = 0; n < CROWD_NETWORKS; n++) {
		if (c->networks[n].network == network)
			return &c->networks[n];
		if (c->networks[n].network == 0 && free_one == NULL)
			free_one = &c->networks[n];
	}
	if (free_one != NULL)
		free_one->network = network;
	return free_one;
}

void crowd_add(struct crowd *c, int64_t quarter, int64_t bin, uint32_t network, bool person_known)
{
	crowd_move(c, quarter, bin);
	size_t q = quarter == c->quarter ? 0 : 1; /* late reports may belong to the one before */
	size_t slot = (size_t)(bin & (CROWD_BINS - 1));

	c->reports[q]++;
	c->persons[q] += person_known;
	c->bin_reports[slot]++;
	if (network == 0)
		return;
	c->placed[q]++;
	struct crowd_network *w = place_of(c, network);
	if (w == NULL) {
		c->others[q]++;
		return;
	}
	w->quarters[q]++;
	w->bins[slot]++;
}

struct crowd_word crowd_judge(const struct crowd *c)
{
	uint32_t reports = c->reports[0] + c->reports[1];
	struct crowd_word word = {
		.persons = c->persons[0] + c->persons[1],
		.networks = c->others[0] + c->others[1] > 0,
	};
	word.persons_known = 2 * word.persons > reports;
	word.networks_known = 2 * (c->placed[0] + c->placed[1]) > reports;
	for (size_t b = 0; b < CROWD_BINS; b++)
		word.recent += c->bin_reports[b];
	for (size_t n = 0; n < CROWD_NETWORKS; n++) {
		const struct crowd_network *w = &c->networks[n];
		uint32_t recent = 0;
		word.networks += w->quarters[0] + w->quarters[1] > 0;
		for (size_t b = 0; b < CROWD_BINS; b++)
			recent += w->bins[b];
		if (recent > word.recent_top) {
			word.recent_top = recent;
			word.top_network = w->network;
		}
	}
	return word;
}

void crowd_write(const struct crowd *c, struct out *o)
{
	out_i64(o, c->quarter);
	out_i64(o, c->bin);
	for (size_t q = 0; q < 2; q++) {
		out_u32(o, c->reports[q]);
		out_u32(o, c->persons[q]);
		out_u32(o, c->placed[q]);
		out_u32(o, c->others[q]);
	}
	for (size_t b = 0; b < CROWD_BINS; b++)
		out_u32(o, c->bin_reports[b]);
	for (size_t n = 0; n < CROWD_NETWORKS; n++) {
		const struct crowd_network *w = &c->networks[n];
		out_u32(o, w->network);
		if (w->network == 0)
			continue;
		for (size_t q = 0; q < 2; q++)
			out_u32(o, w->quarters[q]);
		for (size_t b = 0; b < CROWD_BINS; b++)
			out_u32(o, w->bins[b]);
	}
}

void crowd_read(struct crowd *c, struct cur *in)
{
	crowd_init(c);
	c->quarter = cur_i64(in);
	c->bin = cur_i64(in);
	for (size_t q = 0; q < 2; q++) {
		c->reports[q] = cur_u32(in);
		c->persons[q] = cur_u32(in);
		c->placed[q] = cur_u32(in);
		c->others[q] = cur_u32(in);
	}
	for (size_t b = 0; b < CROWD_BINS; b++)
		c->bin_reports[b] = cur_u32(in);
	for (size_t n = 0; n < CROWD_NETWORKS; n++) {
		struct crowd_network *w = &c->networks[n];
		w->network = cur_u32(in);
		if (w->network == 0)
			continue;
		for (size_t q = 0; q < 2; q++)
			w->quarters[q] = cur_u32(in);
		for (size_t b = 0; b < CROWD_BINS; b++)
			w->bins[b] = cur_u32(in);
	}
	if (in->bad)
		crowd_init(c);
}
