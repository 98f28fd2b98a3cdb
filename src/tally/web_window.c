/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/web_window.h"

#include "base/text.h"

#include <string.h>

static struct web_tick *tick_of(struct web_window *w, int64_t second)
{
	int64_t count = w->count;

	return &w->ticks[(second % count + count) % count];
}

void web_window_init(struct web_window *w, struct web_tick *ticks, uint32_t count,
		     const char *service, bool live)
{
	memset(w, 0, sizeof(*w));
	w->ticks = ticks;
	w->count = count > 0 ? count : 1;
	w->live = live;
	text_copy(w->service, sizeof(w->service), service);
}

static void open_all(struct web_window *w, int64_t second)
{
	w->newest = second;
	w->oldest = second - w->count + 1;
	for (int64_t s = w->oldest; s <= second; s++)
		web_clear(tick_of(w, s), w->service, wall_s(s));
	w->begun = true;
}

/* The next with requests in it, up to `last`. */
static struct web_tick *take(struct web_window *w, int64_t last)
{
	while (w->oldest <= last && w->oldest <= w->newest) {
		struct web_tick *t = tick_of(w, w->oldest++);
		if (t->requests > 0)
			return t;
	}
	return NULL;
}

struct web_tick *web_window_due(struct web_window *w, int64_t second)
{
	if (!w->begun)
		open_all(w, second);
	if (second <= w->newest)
		return NULL;
	struct web_tick *t = take(w, second - w->count);
	if (t != NULL)
		return t;
	if (second - w->newest >= w->count) {
		open_all(w, second);
		return NULL;
	}
	for (int64_t s = w->newest + 1; s <= second; s++)
		web_clear(tick_of(w, s), w->service, wall_s(s));
	w->newest = second;
	return NULL;
}

void web_window_add(struct web_window *w, const struct address_key *key, const struct request *r,
		    uint64_t random)
{
	int64_t second = wall_to_s(r->at);

	if (second < w->oldest) {
		w->late++;
		if (!w->live)
			return;
		second = w->oldest;
	}
	if (w->begun && second <= w->newest)
		web_add(tick_of(w, second), key, r, random);
}

struct web_tick *web_window_end(struct web_window *w)
{
	struct web_tick *t = w->begun ? take(w, w->newest) : NULL;

	if (t == NULL)
		w->begun = false;
	return t;
}
