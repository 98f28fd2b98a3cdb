/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/web_window.h"

#include "base/text.h"

#include <string.h>

static struct web_tick **tick_of(struct web_window *w, int64_t second)
{
	int64_t count = w->count;

	return &w->ticks[(second % count + count) % count];
}

void web_window_init(struct web_window *w, struct web_tick **ticks, uint32_t count,
		     const char *service, bool live, struct web_room room)
{
	memset(w, 0, sizeof(*w));
	w->ticks = ticks;
	w->count = count;
	w->live = live;
	w->room = room;
	text_copy(w->service, sizeof(w->service), service);
	for (uint32_t i = 0; i < count; i++)
		ticks[i] = NULL;
}

/* The next up to `last`. */
static struct web_tick *take(struct web_window *w, int64_t last)
{
	w->last = NULL;
	while (w->oldest <= last && w->oldest <= w->newest) {
		struct web_tick **t = tick_of(w, w->oldest++), *due = *t;
		*t = NULL;
		if (due != NULL)
			return due;
	}
	return NULL;
}

struct web_tick *web_window_due(struct web_window *w, int64_t second)
{
	if (w->begun && second <= w->newest)
		return NULL;
	struct web_tick *t = w->begun ? take(w, second - w->count) : NULL;
	if (t != NULL)
		return t;
	if (!w->begun || second - w->newest >= w->count)
		w->oldest = second - w->count + 1;
	w->newest = second;
	w->begun = true;
	return NULL;
}

struct web_tick *web_window_seal(struct web_window *w, int64_t second)
{
	return w->begun ? take(w, (second <= w->newest ? second : w->newest) - 1) : NULL;
}

bool web_window_add(struct web_window *w, const struct address_key *key, const struct request *r,
		    const struct web_facts *facts, uint64_t random)
{
	int64_t second = wall_to_s(r->at);

	if (second < w->oldest) {
		w->late++;
		if (!w->live)
			return true;
		second = w->oldest;
	}
	if (!w->begun || second > w->newest)
		return true;
	if (w->last == NULL || second != w->last_s) {
		struct web_tick **t = tick_of(w, second);
		uint32_t samples = 0;
		if (*t == NULL && (*t = w->room.take(w->room.ctx, &samples)) != NULL)
			web_clear_small(*t, w->service, wall_s(second), samples);
		if (*t == NULL)
			return false;
		w->last = *t;
		w->last_s = second;
	}
	web_add(w->last, key, r, facts, random);
	return true;
}

void web_window_tell(struct web_window *w, const struct request *r, enum web_mark mark)
{
	/* One that was late, or found no memory, is in no tick, or in another one. */
	if (w->last != NULL && wall_to_s(r->at) == w->last_s)
		w->last->marks[mark]++;
}

struct web_tick *web_window_end(struct web_window *w)
{
	struct web_tick *t = w->begun ? take(w, w->newest) : NULL;

	if (t == NULL)
		w->begun = false;
	return t;
}
