/* SPDX-License-Identifier: Apache-2.0 */
/* sflow_seats: what is remembered of sFlow agents and of their data sources, in a table of fixed
 * size: eight seats a set; a new source takes the one that was silent longest. Internal to
 * decode/sflow. */
#ifndef WD_DECODE_SFLOW_SEATS_H
#define WD_DECODE_SFLOW_SEATS_H

#include "base/err.h"
#include "decode/sflow.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SFLOW_SEATS_A_SET = 8,
	SFLOW_SEATS_RECENT_BITS = 6,
	SFLOW_SEATS_RECENT = 1 << SFLOW_SEATS_RECENT_BITS,
};

/* Numbers in a row, from which losses are told. */
struct sflow_row {
	uint32_t next;
	bool begun;
};

/* A sender's 32-bit counter, of which only the growth is of use. */
struct sflow_meter {
	uint32_t last;
	bool begun;
};

struct sflow_seat {
	struct sflow_source source; /* of an agent itself: type and index are 0, not handed out */
	bool is_agent;
	struct sflow_row samples, notices; /* of an agent: samples are its datagrams */
	struct sflow_meter pool, drops, notice_drops, discards_in, discards_out;
};

struct sflow_seats {
	uint32_t mask;     /* sets - 1 */
	uint32_t clock;    /* of datagrams */
	uint64_t *keys;    /* 0 = free */
	uint32_t *used_at; /* clock */
	struct sflow_seat *seats;
	uint32_t recent[SFLOW_SEATS_RECENT]; /* where keys were found last, by their first bits */
	uint64_t taken_over;
};

enum wd_err sflow_seats_open(struct sflow_seats *s, uint32_t sources) WD_MUST_CHECK;
size_t sflow_seats_memory(uint32_t sources); /* bytes beside the struct */
void sflow_seats_done(struct sflow_seats *s);
/* The seat of a key (not 0), a fresh one (zeros) if there was none: *ret_new. */
struct sflow_seat *sflow_seat_search(struct sflow_seats *s, uint64_t key, bool *ret_new);

static inline uint32_t *sflow_seat_recent(struct sflow_seats *s, uint64_t key)
{
	return &s->recent[key >> (64 - SFLOW_SEATS_RECENT_BITS)];
}

/* The same; mostly it is where it was. */
static inline struct sflow_seat *sflow_seat_of(struct sflow_seats *s, uint64_t key, bool *ret_new)
{
	key += key == 0;
	uint32_t at = *sflow_seat_recent(s, key);
	if (__builtin_expect(s->keys[at] != key, 0))
		return sflow_seat_search(s, key, ret_new);
	s->used_at[at] = s->clock;
	*ret_new = false;
	return &s->seats[at];
}

/* The seat of a key if it has one, else NULL. */
const struct sflow_seat *sflow_seat_find(const struct sflow_seats *s, uint64_t key);

enum sflow_step { STEP_IN_ROW, STEP_LATE, STEP_RESTART };
/* Takes a number that is not the next one; *ret_lost is how many were left out before it. */
enum sflow_step sflow_row_jump(struct sflow_row *row, uint32_t number, uint32_t *ret_lost);

/* Takes the next number; false, and nothing is done, if it is another. */
static inline bool sflow_row_next(struct sflow_row *row, uint32_t number)
{
	if (__builtin_expect(!row->begun || number != row->next, 0))
		return false;
	row->next = number + 1;
	return true;
}

static inline bool sflow_meter_stands(const struct sflow_meter *m, uint32_t value)
{
	return m->begun && m->last == value;
}

/* By how much it has grown; 0 at first, when it fell (began anew) and when it is not known. */
static inline uint32_t sflow_meter_grown(struct sflow_meter *m, uint32_t value)
{
	uint32_t grown = value - m->last;
	if (value == UINT32_MAX)
		return 0;
	if (!m->begun || grown > INT32_MAX)
		grown = 0;
	m->begun = true;
	m->last = value;
	return grown;
}

#endif
