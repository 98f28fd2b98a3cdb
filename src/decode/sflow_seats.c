/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/sflow_seats.h"

#include <stdlib.h>
#include <string.h>

enum {
	SOURCES_MAX = 1 << 20,
	LOST_MAX = 1 << 16, /* a greater gap is a restart: nobody can say what was lost */
	LATE_MAX = 64,      /* a number so far back is late; one further back is a restart */
};

static uint32_t sets_for(uint32_t sources)
{
	uint32_t sets = 1;
	while (sets * SFLOW_SEATS_A_SET < sources && sets * SFLOW_SEATS_A_SET < SOURCES_MAX)
		sets *= 2;
	return sets;
}

size_t sflow_seats_memory(uint32_t sources)
{
	const struct sflow_seats *s = NULL;
	return (size_t)sets_for(sources) * SFLOW_SEATS_A_SET *
	       (sizeof(*s->keys) + sizeof(*s->used_at) + sizeof(*s->seats));
}

enum wd_err sflow_seats_open(struct sflow_seats *s, uint32_t sources)
{
	uint32_t sets = sets_for(sources);
	size_t count = (size_t)sets * SFLOW_SEATS_A_SET;
	*s = (struct sflow_seats){
		.mask = sets - 1,
		.keys = calloc(count, sizeof(*s->keys)),
		.used_at = calloc(count, sizeof(*s->used_at)),
		.seats = calloc(count, sizeof(*s->seats)),
	};
	if (s->keys != NULL && s->used_at != NULL && s->seats != NULL)
		return WD_OK;
	sflow_seats_done(s);
	return WD_NOMEM;
}

void sflow_seats_done(struct sflow_seats *s)
{
	free(s->keys);
	free(s->used_at);
	free(s->seats);
	*s = (struct sflow_seats){0};
}

struct sflow_seat *sflow_seat_search(struct sflow_seats *s, uint64_t key, bool *ret_new)
{
	size_t first = (size_t)(key & s->mask) * SFLOW_SEATS_A_SET, oldest = first;
	for (size_t i = first; i < first + SFLOW_SEATS_A_SET; i++) {
		if (s->keys[i] == key) {
			s->used_at[i] = s->clock;
			*sflow_seat_recent(s, key) = (uint32_t)i;
			*ret_new = false;
			return &s->seats[i];
		}
		/* Ages are compared, not times: the clock may have gone round. */
		if (s->keys[oldest] != 0 &&
		    (s->keys[i] == 0 || s->clock - s->used_at[i] > s->clock - s->used_at[oldest]))
			oldest = i;
	}
	s->taken_over += s->keys[oldest] != 0;
	s->keys[oldest] = key;
	s->used_at[oldest] = s->clock;
	*sflow_seat_recent(s, key) = (uint32_t)oldest;
	memset(&s->seats[oldest], 0, sizeof(s->seats[oldest]));
	*ret_new = true;
	return &s->seats[oldest];
}

const struct sflow_seat *sflow_seat_find(const struct sflow_seats *s, uint64_t key)
{
	key += key == 0;
	size_t first = (size_t)(key & s->mask) * SFLOW_SEATS_A_SET;
	for (size_t i = first; i < first + SFLOW_SEATS_A_SET; i++) {
		if (s->keys[i] == key)
			return &s->seats[i];
	}
	return NULL;
}

enum sflow_step sflow_row_jump(struct sflow_row *row, uint32_t number, uint32_t *ret_lost)
{
	uint32_t ahead = number - row->next;
	*ret_lost = 0;
	if (row->begun && ahead > LOST_MAX) {
		if (-ahead <= LATE_MAX)
			return STEP_LATE;
		row->next = number + 1;
		return STEP_RESTART;
	}
	if (row->begun)
		*ret_lost = ahead;
	row->begun = true;
	row->next = number + 1;
	return STEP_IN_ROW;
}
